r"""Is this gradient right?

.. math:: L = \sum_k dy_k\, y_k, \qquad
          \frac{\partial L}{\partial x_i} = \sum_k dy_k\, \frac{\partial y_k}{\partial x_i}

:func:`gradcheck` compares what a backward pass returns with this sum, whose derivatives it takes of the *forward* pass,
along directions v, by one of

============== ===================================================== =====================================
``complex``    Im y(x + ihv) / h with h = 1e-20                      exact to rounding; y has to be holomorphic
``central``    (y(x + hv) - y(x - hv)) / 2h                          about 1e-9
``richardson`` the same at h, h/4, h/16, ..., extrapolated to h = 0  about 1e-11
``projection`` one random direction for each input                   says which input, not which element
============== ===================================================== =====================================

Three ideas make it fast and strict.

*Colouring.* Elements that share no output are moved at once: N evaluations for the N · D elements of batch norm. What
shares outputs (columns in batch norm, rows in layer norm) is found by probing; a random projection, which assumes
nothing, has to confirm the whole gradient.

*A hardened upstream gradient.* For dy = 1 the true dx of batch norm is 0, for dy = x̂ nearly so: such a dy hides most
mistakes. See :func:`upstream_gradient`.

*Distrust of the complex step.* ``np.var``, ``np.std``, ``abs``, ``norm`` and ``vdot`` drop the imaginary part without a
word, and the derivative through them comes out as 0. So it is used only where it agrees with a central difference.

The rooms: ``derivatives`` (of y along a direction), ``coloring`` (the whole gradient from few of them), ``question``
(what is differentiated, by which method), ``comparison`` (against which tolerance), ``report``.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .comparison import changes_by_rounding, compare_all, gradients
from .derivatives import Array, ComplexStepRefused
from .question import ColoringName, Method, ask, solve, upstream_gradient
from .report import GradReport, InputReport

__all__ = [
    "ComplexStepRefused",
    "GradReport",
    "InputReport",
    "gradcheck",
    "numerical_gradients",
    "upstream_gradient",
]

RTOL = {"complex": 1e-9, "richardson": 1e-8, "central": 1e-7}  # why these: gradcheck's docstring


def gradcheck(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    inputs: Sequence[ArrayLike],
    *,
    method: Method = "auto",
    dy: ArrayLike | None = None,
    seed: int = 0,
    rtol: float | None = None,
    coloring: ColoringName = "auto",
    names: Sequence[str] | None = None,
) -> GradReport:
    r"""Compares what ``backward`` returns with the derivatives of ``forward``, element by element.

    .. math:: |\text{actual}_i - \text{expected}_i| \le \text{rtol} \cdot t_i + 10\,u_i

    - ``forward(*inputs) -> (y, cache)``, ``backward(dy, cache) -> gradients`` in the order of the inputs. What is not
      to be differentiated (``eps``, ``groups``) goes in by a closure: ``lambda x, gamma: f(x, gamma, eps=0.1)``. The
      cache may be anything. Both are given copies; your arrays stay as they are.
    - ``inputs``: arrays of any shape; integers become float64, and float32 is checked in float64.
    - ``method``: one of the table above. ``auto`` takes ``complex`` where the forward pass is holomorphic and
      ``richardson`` elsewhere, as ``projection`` does for its derivatives; the report says which, and why.
    - ``dy``: like y; if not given, :func:`upstream_gradient` of the first input that has y's shape, standardized.
    - ``coloring``: ``columns``, ``rows``, ``full`` (every element alone), or ``auto``, found by probing.
    - ``rtol``: see below.  ``names``: of the inputs, for the report; forward's own if not given.

    **The tolerance** scales with the data. t is the size of the terms of the sum, not of their total, which may cancel;
    it is a mean over the elements that share outputs (the column, in batch norm), so that a feature of tiny variance,
    whose gradients are large, does not excuse the others. ``rtol`` is the method's error with room for the condition
    number of the forward pass:

    - ``complex``, 1e-9: nothing but rounding, 1e-16 times the condition number, which may be 1e7.
    - ``richardson``, 1e-8: the truncation left by extrapolation, h^10, and the rounding, 1e-16/h, leave about 1e-11.
    - ``central``, 1e-7: truncation h² and rounding 1e-16/h leave (1e-16)^(2/3), 1e-10 at best.

    u is the uncertainty that differences show themselves (Ridders 1982), 0 for ``complex``; where 10 u is more than
    1e-3 t, nothing is decided and the check fails, saying so. When the mean is huge beside the deviation,
    what looks like a mistake counts as rounding if moving the inputs by their last bits moves the gradient as much, up
    to 1e-6 t. The smallest mistake to be seen, ε left out, has the relative size ε / variance.

    ``backward`` is called twice: one whose second answer is another has changed its cache, and fails.

    Raises ``ValueError`` where there is no question to answer: ``forward`` returns no pair, y or an input is not
    finite, ``dy`` has another shape, a prescribed colouring does not hold, or ``method="complex"`` and the forward pass
    loses the imaginary part; ``TypeError`` for inputs that are not real numbers. A wrong gradient of whatever kind
    (``None``, nan, another shape, too few) is reported, not raised. Exceptions of the two functions pass through.

    Squire & Trapp 1998 (complex step), Ridders 1982 (extrapolation), Curtis, Powell & Reid 1974 (colouring).

    >>> print(gradcheck(lambda x: (x**2, x), lambda dy, x: 3 * x * dy, [[1.0, 3.0]], dy=[1.0, 1.0]))
    gradcheck FAILED (complex, seed 0)
      x[0]: expected 2, actual 3, error 1 > tolerance 1.5e-09
    """
    question = ask(forward, inputs, dy, seed, coloring)
    answer = solve(question, method)
    method_used = f"projection, {answer.method}" if answer.projected else answer.method
    labels = names_of(forward, len(question.x)) if names is None else names
    rtol = RTOL[answer.method] if rtol is None else rtol
    changes = [np.zeros(a.shape) for a in question.x]

    def report(actual: Sequence[Array | str], message: str = "") -> GradReport:
        found = compare_all(question, answer, actual, changes, labels, rtol)
        passed = all(one.passed for one in found)
        return GradReport(passed, method_used, seed, found, answer.reason, "" if passed else message)

    actual = gradients(backward(question.dy.copy(), question.cache), question.x)
    first = report(actual)
    if not first:
        changes = changes_by_rounding(forward, backward, question, actual, seed)
        first = report(actual)
    again = gradients(backward(question.dy.copy(), question.cache), question.x)
    if first and not all(np.array_equal(a, b) for a, b in zip(actual, again, strict=True)):
        return report(again, "called again with the same cache, backward gives another answer: it changes its cache")
    return first


def numerical_gradients(
    forward: Callable[..., Any],
    inputs: Sequence[ArrayLike],
    dy: ArrayLike | None = None,
    *,
    method: Method = "auto",
    seed: int = 0,
    coloring: ColoringName = "auto",
) -> tuple[Array, ...]:
    r"""dL/dx of each input, from the forward pass alone.

    .. math:: \frac{\partial L}{\partial x_i} = \sum_k dy_k\, \frac{\partial y_k}{\partial x_i}

    ``forward(*inputs) -> (y, cache)``; dy: like y; the other arguments and the errors raised are :func:`gradcheck`'s,
    and ``method="projection"`` is a ``ValueError`` too, since it gives no gradient.

    >>> numerical_gradients(lambda x: (x**2, None), [[1.0, 3.0]], dy=[1.0, 1.0])
    (array([2., 6.]),)
    """
    if method == "projection":
        raise ValueError("a projection gives one number for each input, not its gradient")
    answer = solve(ask(forward, inputs, dy, seed, coloring), method)
    return tuple(expected.gradient for expected in answer.expected)


def names_of(forward: Callable[..., Any], count: int) -> list[str]:
    """The names of forward's arguments, where it tells them."""
    try:
        parameters = list(inspect.signature(forward).parameters.values())[:count]
    except (TypeError, ValueError):
        parameters = []
    if len(parameters) < count or any(p.kind in (p.VAR_POSITIONAL, p.KEYWORD_ONLY) for p in parameters):
        return [f"input {i}" for i in range(count)]
    return [p.name for p in parameters]
