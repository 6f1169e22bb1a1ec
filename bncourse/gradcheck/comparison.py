"""Is what the backward pass returned near enough to that?"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .derivatives import EPS, Array
from .question import Answer, Expected, Question, own_numbers
from .report import InputReport

ROUNDING_CAP = 1e-6  # ill-conditioned data may widen the tolerance to this and no further
UNDECIDABLE = 1e-3  # a derivative that is less certain than this decides nothing
TINY = float(np.finfo(np.float64).tiny)


def gradients(returned: Any, x: Sequence[Array]) -> list[Array | str]:
    """What ``backward`` returned for each input, or why it cannot be compared; a single one needs no tuple."""
    if len(x) == 1 and not isinstance(returned, (tuple, list)):
        returned = (returned,)
    if not isinstance(returned, (tuple, list)):
        return [f"backward returned a {type(returned).__name__}; expected a tuple of {len(x)} gradients"] * len(x)
    if len(returned) != len(x):
        return [f"backward returned {len(returned)} gradients; expected {len(x)}, one for each input"] * len(x)
    return [comparable(g, a) for g, a in zip(returned, x, strict=True)]


def comparable(gradient: Any, a: Array) -> Array | str:
    """A gradient in the shape of its input; axes of length 1 in front are forgiven, as in (1, D) for (D,)."""
    if gradient is None:
        return "the gradient is None"
    try:
        g = np.asarray(gradient)
    except ValueError:
        return "the gradient is not a rectangular array"
    if g.dtype.kind not in "biuf":
        return f"the gradient holds {g.dtype} values; expected real numbers"
    if g.shape != (1,) * (g.ndim - a.ndim) + a.shape:
        return f"the gradient has shape {g.shape}; expected {a.shape}"
    if not np.all(np.isfinite(g)):
        at = np.unravel_index(int(np.argmin(np.isfinite(g))), g.shape)
        return f"the gradient is {g[at]} at index {tuple(map(int, at))}"
    return g.reshape(a.shape).astype(np.float64)


def compare_all(
    question: Question,
    answer: Answer,
    actual: Sequence[Array | str],
    changes: Sequence[Array],
    names: Sequence[str],
    rtol: float,
) -> tuple[InputReport, ...]:
    """Each gradient (or its projection) against the numerical one; ``changes`` is what rounding may have done to it."""
    found = []
    for name, g, change, v, expected in zip(names, actual, changes, question.v, answer.expected, strict=True):
        if answer.projected:
            g = g if isinstance(g, str) else np.sum(g * v)
            change = np.sum(np.abs(change * v))
        change = np.max(change, axis=expected.axes, keepdims=True)
        doubt = 10 * expected.uncertainty + np.minimum(32 * change, ROUNDING_CAP * expected.size)
        found.append(compare(name, g, expected, doubt, rtol))
    return tuple(found)


def compare(name: str, actual: Array | str, expected: Expected, doubt: Array, rtol: float) -> InputReport:
    """|actual - expected| against rtol · size + doubt, at the worst element."""
    if isinstance(actual, str):
        return InputReport(name, False, message=actual)
    error = np.abs(actual - expected.gradient)
    tolerance = np.broadcast_to(rtol * expected.size + doubt, error.shape)
    undecided = np.broadcast_to(doubt > UNDECIDABLE * expected.size, error.shape)
    excess = np.where(undecided, np.inf, error / np.maximum(tolerance, TINY))
    at = np.unravel_index(int(np.argmax(excess)), error.shape)
    return InputReport(
        name,
        passed=bool(np.all(excess <= 1)),
        index=tuple(map(int, at)),
        expected=float(expected.gradient[at]),
        actual=float(actual[at]),
        error=float(error[at]),
        tolerance=float(tolerance[at]),
        message="the numerical derivative is too uncertain here to decide" if undecided[at] else "",
    )


def changes_by_rounding(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    question: Question,
    actual: Sequence[Array | str],
    seed: int,
) -> list[Array]:
    """How far each gradient moves when the inputs move by their last bits."""
    rng = own_numbers(seed)
    _, cache = forward(*(a * (1 + 4 * EPS * rng.normal(size=a.shape)) for a in question.x))
    nearby = gradients(backward(question.dy.copy(), cache), question.x)
    return [
        np.zeros(a.shape) if isinstance(g, str) or isinstance(h, str) else np.abs(g - h)
        for a, g, h in zip(question.x, actual, nearby, strict=True)
    ]
