"""What is asked of `factor_along`, and how is it got wrong?

It measures by how much a backward multiplies a direction. The backwards that it is tried on are not all batch norm's,
so that measuring is the only way; along x_hat batch norm's own gives eps / (var + eps).
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import sentences
from ..answers import Array
from ..asking import Asked
from ..callbacks import Callback
from ..calling import Signature
from ..draw import Draw
from ..exercise import Arguments, Exercise, Kind, Problem
from ..inputs import EPS, leaves_alone

SECTION = "geometry-factors"

Backward = Callable[[Array], Array]


def measured(backward: Callable[[Array], ArrayLike], direction: Array, scale: Array) -> Array:
    """The part of backward(direction) along direction, in units of scale · direction, feature by feature."""
    dx = np.asarray(backward(direction.copy()))
    factor: Array = (dx * direction).sum(axis=0) / (scale * (direction * direction).sum(axis=0))
    return factor


def linear(x_hat: Array, scale: Array, rest: ArrayLike, along: ArrayLike, shift: ArrayLike) -> Backward:
    """A backward that multiplies the shift by ``shift``, x_hat by ``along`` and all else by ``rest``, times scale."""

    def backward(dy: Array) -> Array:
        mean = dy.mean(axis=0)
        part = x_hat * ((dy * x_hat).sum(axis=0) / (x_hat * x_hat).sum(axis=0))
        dx: Array = scale * (rest * (dy - mean - part) + along * part + shift * mean)
        return dx

    return backward


def parts(draw: Draw, problem: Problem) -> tuple[Array, Array, Array]:
    """x_hat, gamma / std, and eps / (var + eps), of a drawn batch."""
    x = draw.batch(problem.N, problem.D)
    eps = EPS if problem.eps is None else problem.eps
    centred, var = x - x.mean(axis=0), x.var(axis=0)
    std = np.sqrt(var + eps)
    return centred / std, draw.away_from_zero(problem.D, 1.5, 2.5) / std, eps / (var + eps)


def a_backward(draw: Draw, problem: Problem) -> Arguments:
    """Some backward, which is none of batch norm's, and a direction that it turns."""
    x_hat, scale, _ = parts(draw, problem)
    rest, along, shift = (draw.away_from_zero(problem.D) for _ in range(3))
    backward = linear(x_hat, scale, rest, along, shift)
    slope, offset = draw.away_from_zero(problem.D), draw.away_from_zero(problem.D)
    direction = draw.random.standard_normal(x_hat.shape) + slope * x_hat + offset
    return (Callback("a backward that turns the direction", backward, x_hat.shape), direction, scale)


def of_batch_norm(draw: Draw, problem: Problem, which: str) -> Arguments:
    """Batch norm's own backward, and a direction of which the factor is known."""
    x_hat, scale, along = parts(draw, problem)
    backward = linear(x_hat, scale, 1.0, along, 0.0)
    noise = draw.random.standard_normal(x_hat.shape)
    ones = np.ones_like(x_hat)
    nothing_else = linear(x_hat, ones[0], 1.0, 0.0, 0.0)
    direction = {"ones": ones, "x_hat": x_hat, "rest": nothing_else(noise)}[which]
    return (Callback("the backward of batch normalization", backward, x_hat.shape), direction, scale)


def scale_of_factor(arguments: Arguments) -> Mapping[str, Array]:
    """The quotient of two sums, off by a rounding of the size of the terms."""
    backward, direction, scale = arguments
    length = np.abs(scale) * (direction * direction).sum(axis=0)
    return {"factor": 10.0 + 10.0 * np.abs(np.asarray(backward(direction)) * direction).sum(axis=0) / length}


def by_hand(text: str, backward: Backward, direction: ArrayLike, scale: ArrayLike) -> Arguments:
    """A small call that can be worked out by hand."""
    direction = np.asarray(direction, float)
    return (Callback(text, backward, direction.shape), direction, np.asarray(scale, float))


factor_along = Exercise(
    Signature("factor_along", ("backward", "direction", "scale"), ("factor",), measured),
    problem=a_backward,
    scale=scale_of_factor,
    section=SECTION,
    smallest=(
        by_hand("dx = 3 dy", lambda dy: 3 * dy, [[1.0], [2.0]], [2.0]),
        by_hand("dx = -3 dy", lambda dy: -3 * dy, [[1.0], [2.0]], [1.0]),
        by_hand("dx = dy minus its mean", lambda dy: dy - dy.mean(axis=0), [[1.0], [2.0]], [1.0]),
        by_hand("dx = 3 dy", lambda dy: 3 * dy, [[1.0, 2.0], [2.0, 0.0], [1.0, 2.0]], [2.0, 1.0]),
        by_hand("dx = (1, 2) dy", lambda dy: np.array([1.0, 2.0]) * dy, [[1.0, 2.0], [2.0, 0.0]], [2.0, 1.0]),
    ),
    whole_probes=(),
)
"""Without ``axes``: a backward of five samples is none of four."""
exercise = factor_along


@exercise.property(points=2, nudge="Send x_hat through the layer's backward as dy. What comes out, and how long is it?")
def factors_of_batch_norm(f: Asked, draw: Draw) -> None:
    """finds the factors of batch norm's backward: 0 along ones, eps / (var + eps) along x_hat, 1 along all the rest"""
    for which in ("ones", "x_hat", "rest"):
        f.agrees(of_batch_norm(draw, Problem(7, 3, eps=0.5), which))


@exercise.property(points=1, nudge="What does your function answer for a backward that gives dx = -3 · scale · dy?")
def measures_any_backward(f: Asked, draw: Draw) -> None:
    """measures: a backward with another factor, negative ones too, gives that factor, also when N = D"""
    for N, D in ((6, 2), (4, 4), (5, 1)):
        x_hat, scale, _ = parts(draw, Problem(N, D, eps=0.1))
        for size in (draw.away_from_zero(D), -draw.random.uniform(0.5, 2.0, D)):
            backward = linear(x_hat, scale, 1.0, size, 0.0)
            f.agrees((Callback("a backward with a factor of its own", backward, x_hat.shape), x_hat, scale))


@exercise.property(points=1, nudge="If dx is not a multiple of the direction: how long is its shadow on it?")
def counts_only_the_part_along(f: Asked, draw: Draw) -> None:
    """counts of a dx that points elsewhere only the part along the direction"""
    for problem in (Problem(7, 3), Problem(4, 4), Problem(3, 5)):
        f.agrees(a_backward(draw, problem))


@exercise.property(points=1, needs="factors_of_batch_norm", nudge="Does any line write into direction?")
def factor_leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves direction and scale as they were"""
    leaves_alone(f, a_backward(draw, Problem(5, 3)))


# ------------------------------------------------------------------------------------------------------------ its steps

steps = exercise.in_steps()


@steps.step
def dx(at: Any) -> Any:
    """what the backward makes of the direction"""
    return np.asarray(at.backward(at.direction))


@steps.step
def along(at: Any) -> Any:
    """the sum over the batch of dx times direction"""
    return (at.dx * at.direction).sum(axis=0)


@steps.step
def length(at: Any) -> Any:
    """the sum over the batch of the squares of direction"""
    return (at.direction * at.direction).sum(axis=0)


@steps.step
def factor(at: Any) -> Any:
    """the first sum over the second, and over scale"""
    return at.along / (at.scale * at.length)


@exercise.misconception(Kind.ERROR, SECTION, step="factor", about="scale")
def scale_forgotten(at: Any) -> Any:
    """You do not divide by scale. Every direction is multiplied by gamma / std on the way back; the factor is what the
    layer does besides, so that one number can be compared across features."""
    return at.along / at.length


@exercise.misconception(Kind.ERROR, SECTION, step="factor", about="scale")
def scale_multiplied(at: Any) -> Any:
    """You multiply by scale where you should divide: dx contains gamma / std already, and it has to come out."""
    return at.along / at.length * at.scale


@exercise.misconception(Kind.ERROR, SECTION, step="length", about="length")
def divides_by_N(at: Any) -> Any:
    """You divide by N where the sum of squares of the direction belongs. For x_hat that sum is N only when eps = 0;
    with an eps it is N · var / (var + eps), and other directions have other lengths."""
    return len(at.direction)


@exercise.misconception(Kind.ERROR, SECTION, step="length", about="length")
def length_not_squared(at: Any) -> Any:
    """You divide by the length of the direction, not by its square. The direction comes in twice, once sent through the
    backward and once in the product with dx: twice as long a direction would give you twice the factor."""
    return np.sqrt((at.direction * at.direction).sum(axis=0))


@exercise.misconception(Kind.ERROR, SECTION, step="length", about="length")
def not_divided_by_the_length(at: Any) -> Any:
    """You do not divide by the sum of squares of the direction, so that your factor grows with it. How far a direction
    is multiplied must not depend on how long you made it."""
    return 1.0


@exercise.misconception(Kind.ERROR, SECTION, step="length", about="length along N")
def one_of_the_sums_averaged(at: Any) -> Any:
    """You take a mean in one of the two sums and a sum in the other, so your factor is off by N. Take two sums, or two
    means: the 1/N then cancels."""
    return (at.direction * at.direction).mean(axis=0)


@exercise.another_way("one_of_the_sums_averaged", step="along")
def product_averaged(at: Any) -> Any:
    """The other one."""
    return (at.dx * at.direction).mean(axis=0)


@exercise.misconception(Kind.ERROR, SECTION, about="along")
def lengths_compared(backward: Backward, direction: Array, scale: Array) -> Any:
    """You compare the lengths of dx and of the direction. A length has no sign, and it counts what points elsewhere:
    take the product of dx with the direction, over the direction's own square."""
    dx = np.asarray(backward(direction))
    return np.sqrt((dx * dx).sum(axis=0) / (direction * direction).sum(axis=0)) / scale


@exercise.another_way("lengths_compared")
def lengths_compared_with_the_size_of_scale(backward: Backward, direction: Array, scale: Array) -> Any:
    """Positive throughout."""
    return np.abs(lengths_compared(backward, direction, scale))


@exercise.misconception(Kind.ERROR, SECTION, about="along")
def ratios_averaged(backward: Backward, direction: Array, scale: Array) -> Any:
    """You divide dx by the direction element by element and average. That is right only when dx is a multiple of the
    direction, and it breaks where an element of the direction is 0: compare sums over the batch."""
    return (np.asarray(backward(direction)) / direction).mean(axis=0) / scale


@exercise.misconception(Kind.ERROR, SECTION)
def one_ratio_taken(backward: Backward, direction: Array, scale: Array) -> Any:
    """You divide one element of dx by one of the direction. That is right only when dx is a multiple of the direction:
    otherwise each sample gives another ratio. Compare sums over the batch."""
    return np.asarray(backward(direction))[0] / direction[0] / scale


@exercise.misconception(Kind.ERROR, SECTION)
def one_sum_for_all_features(backward: Backward, direction: Array, scale: Array) -> Any:
    """You sum over the whole matrix. Each feature has a factor of its own: sum over the batch only, axis 0."""
    dx = np.asarray(backward(direction))
    return (dx * direction).sum() / (direction**2).sum() / scale


@exercise.misconception(Kind.ERROR, SECTION, step="dx", about="dx")
def ones_sent(at: Any) -> Any:
    """You send ones through the backward, whatever the direction is. Of ones nothing comes back from batch norm: send
    the direction itself as dy."""
    return np.asarray(at.backward(np.ones_like(at.direction)))


@exercise.misconception(Kind.ERROR, SECTION, about="axis")
def one_factor_for_all_features(backward: Backward, direction: Array, scale: Array) -> Any:
    """You sum over the whole matrix, so one number comes out. Each feature has a variance, and so a factor, of its own:
    sum over the batch only, axis 0."""
    dx = np.asarray(backward(direction)) / scale
    return (dx * direction).sum() / (direction * direction).sum()


@exercise.misconception(Kind.ERROR, SECTION, about="axis")
def factors_of_the_samples(backward: Backward, direction: Array, scale: Array) -> Any:
    """You sum over axis 1, the features, and get one factor a sample. A direction is a column, what the samples of one
    feature do together: sum over the batch, axis 0."""
    dx = np.asarray(backward(direction)) / scale
    return (dx * direction).sum(axis=1) / (direction * direction).sum(axis=1)


@exercise.misconception(Kind.CONTRACT, SECTION, sentences.CHANGES_ITS_INPUT)
def changes_its_input(backward: Backward, direction: Array, scale: Array) -> Any:
    """Makes the direction one of length 1."""
    direction /= np.sqrt((direction * direction).sum(axis=0))
    return (np.asarray(backward(direction)) * direction).sum(axis=0) / scale
