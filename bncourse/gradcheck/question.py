"""What is differentiated, where, and what does the forward pass say its gradient is?"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.exceptions import ComplexWarning
from numpy.typing import ArrayLike

from .coloring import (
    Coloring,
    alone,
    dependent_axes,
    gradient,
    prescribed,
    probe,
    scale_of,
    size_of_terms,
    standardized,
)
from .derivatives import DERIVATIVES, Array, ComplexStepRefused, Derivative, Function, keeps_the_imaginary_part

Method: TypeAlias = Literal["auto", "complex", "projection", "central", "richardson"]
ColoringName: TypeAlias = Literal["auto", "columns", "rows", "full"]


class ColoringDoesNotHold(ValueError):
    """The colouring that was prescribed moves elements at once that share outputs."""


@dataclass(frozen=True)
class Question:
    """L = Σ dy · f(x), with y = f(x); ``v`` is a random direction, each input in the scale by which it is moved."""

    f: Function
    x: list[Array]
    y: Array
    cache: Any
    dy: Array
    scales: list[Array]
    v: list[Array]
    colorings: list[Coloring]
    prescribed: bool


class Expected(NamedTuple):
    """The derivative by one input (or its projection), the size of its terms, and its uncertainty.

    Along ``axes`` elements share outputs, and are judged together.
    """

    gradient: Array
    size: Array
    uncertainty: Array
    axes: tuple[int, ...]


@dataclass(frozen=True)
class Answer:
    """What the forward pass says, by which method, and why by that one."""

    method: str
    projected: bool
    expected: list[Expected]
    reason: str


def upstream_gradient(x_hat: ArrayLike, seed: int | np.random.Generator = 0) -> Array:
    r"""A dy that hides nothing: :math:`dy = r + 0.7 + 1.3\,\hat{x}`, with r standard normal.

    The true dx of batch norm is γ/s times dy without its mean and without almost all of its part along x̂. A dy that has
    no mean cannot show that the mean path is missing, one without x̂ the variance path; and one that is nothing else
    (``y.sum()`` gives dy = 1) asks only whether dx is 0.

    x_hat: the standardized input, or anything that varies like the output  ->  dy of its shape

    >>> upstream_gradient([-1.0, 1.0], seed=0).round(2)
    array([-1.79,  1.07])
    """
    x_hat = np.asarray(x_hat, dtype=np.float64)
    rng = seed if isinstance(seed, np.random.Generator) else own_numbers(seed)
    return rng.normal(size=x_hat.shape) + 0.7 + 1.3 * x_hat


def ask(
    forward: Callable[..., Any], inputs: Sequence[ArrayLike], dy: ArrayLike | None, seed: int, coloring: ColoringName
) -> Question:
    """Evaluates the forward pass, finds what shares outputs, and draws dy and a direction."""
    if coloring not in ("auto", "columns", "rows", "full"):
        raise ValueError(f"coloring is {coloring!r}; expected auto, columns, rows or full")
    if not isinstance(inputs, (list, tuple)):
        raise TypeError(f"inputs is a {type(inputs).__name__}; expected a list or tuple of arrays, [x] for one input")
    if not inputs:
        raise ValueError("inputs is empty: there is nothing to differentiate by")
    rng = own_numbers(seed)
    x = [real(f"input {i}", a) for i, a in enumerate(inputs)]
    output = forward(*(a.copy() for a in x))
    if not (isinstance(output, tuple) and len(output) == 2):
        raise ValueError(f"forward returned a {type(output).__name__}; expected the pair (y, cache)")
    y = real("the forward pass's y", output[0])

    def f(z: Sequence[Array]) -> Array:
        with np.errstate(all="ignore"):  # a step too far, as into log(-1), is no news
            return np.asarray(forward(*z)[0])

    if coloring == "auto":
        colorings = [probe(f, x, which, y, rng) for which in range(len(x))]
    else:
        colorings = [prescribed(coloring, a, y) for a in x]
    if dy is None:
        like = next(((a, c) for a, c in zip(x, colorings, strict=True) if a.shape == y.shape), (y, {}))
        upstream = upstream_gradient(standardized(*like), rng)
    else:
        upstream = real("dy", dy)
        if upstream.shape != y.shape:
            raise ValueError(f"dy has shape {upstream.shape}, but y has shape {y.shape}")
    scales = [scale_of(a, c) for a, c in zip(x, colorings, strict=True)]
    v = [scale * direction(scale.shape, rng) for scale in scales]
    return Question(f, x, y, output[1], upstream, scales, v, colorings, coloring != "auto")


def own_numbers(seed: int) -> np.random.Generator:
    """Other numbers than ``default_rng(seed)``, by which x may have been drawn: then dy would be x̂ once more."""
    return np.random.default_rng([seed, 2015])


def direction(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Random numbers of both signs, none of them small: each has to count."""
    return np.asarray(rng.uniform(0.5, 1.5, size=shape) * rng.choice([-1.0, 1.0], size=shape))


def real(name: str, value: ArrayLike) -> Array:
    """A float64 copy of finite real numbers."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} holds {array.dtype} values; expected real numbers")
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} has a nan or an infinity: there is no gradient to check")
    return array.astype(np.float64)


def solve(question: Question, method: Method) -> Answer:
    """The numerical gradients, by the method asked for or by the first that can be trusted."""
    if method not in ("auto", "projection", *DERIVATIVES):
        raise ValueError(f"method is {method!r}; expected auto, projection, {', '.join(DERIVATIVES)}")
    if method in ("central", "richardson"):
        return differentiate(question, method)
    whole = method != "projection"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", ComplexWarning)  # a complex number was written into a real buffer
            return differentiate(question, "complex", whole)
    except ColoringDoesNotHold:
        raise
    except Exception as refusal:  # whatever a forward pass raises that was not written for complex numbers
        reason = f"no complex step: {refusal}"
        if method == "complex":
            raise ComplexStepRefused(f"{reason}. Try method='richardson'.") from refusal
    return differentiate(question, "richardson", whole, reason)


def differentiate(question: Question, method: str, whole: bool = True, reason: str = "") -> Answer:
    """The gradient (or only a projection) of each input by one method, after what that method assumes was checked."""
    f, x, v, derivative = question.f, question.x, question.v, DERIVATIVES[method]
    along = [derivative(f, x, alone(d, which, len(x))) for which, d in enumerate(v)]
    if method == "complex" and not keeps_the_imaginary_part(f, x, v, np.sum([Jv for Jv, _ in along], axis=0)):
        raise ComplexStepRefused(
            "the derivative is not that of a central difference; "
            "np.var, np.std, abs, norm, vdot and conj lose the imaginary part"
        )
    find = gradients if whole else projection
    return Answer(
        method, not whole, [find(question, derivative, which, *along[which]) for which in range(len(x))], reason
    )


def projection(question: Question, _: Derivative, which: int, Jv: Array, doubt: Array) -> Expected:
    """Σ dL/dx · v = Σ dy · (∂y/∂x · v) of one input."""
    dy, v, a, coloring = question.dy, question.v[which], question.x[which], question.colorings[which]
    size = size_of_terms(Jv, dy, question.y, a, question.scales[which], coloring)
    return Expected(np.sum(dy * Jv), np.sum(size * np.abs(v)), np.sum(np.abs(dy) * doubt), ())


def gradients(question: Question, derivative: Derivative, which: int, Jv: Array, doubt: Array) -> Expected:
    """dL/dx of one input by its colouring, which the projection has to confirm; element by element where it doesn't."""
    f, x, y, dy, v = question.f, question.x, question.y, question.dy, question.v[which]
    scale, coloring = question.scales[which], question.colorings[which]
    found, uncertainty = gradient(derivative, f, x, which, scale, dy, coloring)
    size = size_of_terms(Jv, dy, y, x[which], scale, coloring)
    apart = np.abs(np.sum(found * v) - np.sum(dy * Jv))
    room = np.sum((1e-8 * size + 10 * uncertainty) * np.abs(v)) + 10 * np.sum(np.abs(dy) * doubt)
    if coloring and not apart <= room:
        if question.prescribed:
            raise ColoringDoesNotHold("this coloring does not hold: elements that were moved at once share outputs")
        coloring = {}
        found, uncertainty = gradient(derivative, f, x, which, scale, dy, coloring)
        size = size_of_terms(Jv, dy, y, x[which], scale, coloring)
    return Expected(found, size, uncertainty, dependent_axes(x[which], coloring))
