"""On which inputs are exercises tried, whatever the assignment?"""

import numpy as np

from .answers import Array
from .asking import Asked, Refused
from .draw import Draw
from .exercise import Arguments, Problem

ROUGHLY = 0.01
MANY = 400
"""Rows of a rough question: 1/400 is within ROUGHLY, so N - 1 passes for N, and 1e-5 passes for any eps near it."""

EPS = 1e-5
"""The default that the course asks for."""

OTHER_EPS = (1e-3, 1e-4, 1e-6, 1e-7, 1e-8, 1e-12)
"""What students write into the formula who ignore the argument."""

SHAPES = (Problem(7, 3, eps=0.1), Problem(4, 4), Problem(3, 5, eps=0.3), Problem(6, 1, eps=0.2))
"""Where an answer has to be right to rounding: N > D, N = D, N < D, D = 1; an eps that shows, and the default."""


def batch(draw: Draw, problem: Problem) -> Array:
    """The batch of a problem, (N, D)."""
    if problem.whole:
        return draw.whole_numbers(problem.N, problem.D)
    return draw.batch(problem.N, problem.D, low=problem.low)


FAR = 1e8
"""A mean at which a double keeps eight digits of a deviation of 1, and E[x²] - E[x]² none."""


def far_batch(draw: Draw, problem: Problem) -> Array:
    """A batch whose features lie far from 0."""
    x = draw.batch(problem.N, problem.D)
    far: Array = x - x.mean(axis=0) + FAR * draw.away_from_zero(problem.D, 1.0, 1.5)
    return far


def keeps_its_digits(f: Asked, arguments: Arguments) -> None:
    """Refuse an answer that is far off, far from 0; one in float32 is not asked, since that has no such digits."""
    if all(one.dtype == np.float32 for one in f(arguments).values()):
        return
    f.agrees(arguments, within=ROUGHLY)


def images(draw: Draw, problem: Problem) -> Array:
    """The images of a problem, (N, C, H, W) with C = D; each channel as a feature of :func:`batch`."""
    N, C, H, W = problem.N, problem.D, problem.H, problem.W
    rows = draw.whole_numbers(N * H * W, C) if problem.whole else draw.batch(N * H * W, C, low=problem.low)
    return np.ascontiguousarray(np.moveaxis(rows.reshape(N, H, W, C), 3, 1))


def and_eps(problem: Problem) -> tuple[float, ...]:
    """Eps as the last argument, or nothing, for the default."""
    return () if problem.eps is None else (problem.eps,)


def eps_in(arguments: Arguments, position: int) -> float:
    """The eps of a call."""
    return float(arguments[position]) if len(arguments) > position else EPS


def parameters(draw: Draw, D: int) -> tuple[Array, Array]:
    """Gamma and beta, neither near 0, nor 1, nor each other."""
    return draw.away_from_zero(D, 1.5, 2.5), draw.away_from_zero(D, 0.4, 1.2)


def running_statistics(draw: Draw, D: int) -> tuple[Array, Array]:
    """Running statistics that are no batch's: means of both signs, variances far from 1 and from their roots."""
    return draw.away_from_zero(D, 0.5, 2.0), draw.random.uniform(2.0, 5.0, D)


def upstream(draw: Draw, x: Array) -> Array:
    """A dy that hides nothing: random, with an offset and a part along x, feature by feature.

    For dy = 1, and nearly so for dy = x̂, the dx of batch norm is 0 whatever the backward does.
    """
    axes = (0, *range(2, x.ndim))
    centred = x - x.mean(axis=axes, keepdims=True)
    spread = np.sqrt((centred * centred).mean(axis=axes, keepdims=True))
    along = centred / np.where(spread > 0, spread, 1.0)
    shape = [1, x.shape[1], *[1] * (x.ndim - 2)]
    offset, slope = draw.away_from_zero(x.shape[1], 0.4, 1.0), draw.away_from_zero(x.shape[1], 0.4, 1.0)
    dy: Array = draw.random.standard_normal(x.shape) + offset.reshape(shape) + slope.reshape(shape) * along
    return dy


TWO = np.array([[1.0], [3.0]])  # mean 2, variance 1
FOUR = np.array([[1.0, 2.0], [3.0, 6.0]])  # means 2 and 4, variances 1 and 4
SIX = np.array([[1.0, 2.0], [2.0, 4.0], [6.0, 9.0]])  # more rows than columns
ALIKE = np.array([[2.0], [2.0]])  # variance 0
HARDLY = np.array([[1.0], [1.002]])  # variance 1e-6, below the default eps
WHOLE = np.array([[1], [2]])  # whole numbers, mean 1.5
ONE = np.array([1.0])
THREE = 3.0
"""An eps with which a variance of 1 gives a denominator of 2."""


def leaves_alone(f: Asked, arguments: Arguments) -> None:
    """Refuse an answer that changes the arrays it was given, or a backward that changes its cache."""
    f(arguments)
    for name in f.outcome(arguments).changed:
        if name == "cache":
            raise Refused(
                "Called twice with the same cache, it answers differently the second time: something in the cache was "
                "changed. Work on a copy."
            )
        raise Refused(f"{name} is not what it was before the call. Work on a copy, as in `x - mean`, not `x -= mean`.")
