"""On which inputs are the exercises of this assignment tried, and how exact can an answer be?"""

from collections.abc import Mapping

import numpy as np

from ..answers import Array
from ..asking import Asked, Refused
from ..draw import Draw
from ..exercise import Arguments, Problem

ROUGHLY = 0.01
MANY = 400
"""Rows of a rough question: 1/400 is within ROUGHLY, so N - 1 passes for N, and 1e-5 passes for any eps near it."""

EPS = 1e-5
"""The default that the assignment asks for."""

OTHER_EPS = (1e-3, 1e-4, 1e-6, 1e-7, 1e-8, 1e-12)
"""What students write into the formula who ignore the argument."""


def batch(draw: Draw, problem: Problem) -> Array:
    """The batch of a problem."""
    if problem.whole:
        return draw.whole_numbers(problem.N, problem.D)
    return draw.batch(problem.N, problem.D, low=problem.low)


def and_eps(problem: Problem) -> tuple[float, ...]:
    """Eps as the last argument, or nothing, for the default."""
    return () if problem.eps is None else (problem.eps,)


def eps_in(arguments: Arguments, position: int) -> float:
    """The eps of a call."""
    return float(arguments[position]) if len(arguments) > position else EPS


def only_x(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of a statistic: x."""
    return (batch(draw, problem),)


def with_statistics(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of normalize: x and statistics near its own but not its own, so that recomputing them shows."""
    x = batch(draw, problem)
    deviation = np.sqrt(x.var(axis=0))
    mean = x.mean(axis=0) + deviation * draw.random.uniform(-0.5, 0.5, problem.D)
    var = x.var(axis=0) * draw.random.uniform(0.6, 1.6, problem.D)
    return (x, mean, var, *and_eps(problem))


def parameters(draw: Draw, D: int) -> tuple[Array, Array]:
    """Gamma and beta, neither near 0, nor 1, nor each other."""
    return draw.away_from_zero(D, 1.5, 2.5), draw.away_from_zero(D, 0.4, 1.2)


def with_parameters(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of scale_shift."""
    return (batch(draw, problem), *parameters(draw, problem.D))


def whole_layer(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of batchnorm_forward."""
    return (batch(draw, problem), *parameters(draw, problem.D), *and_eps(problem))


def x_and_eps(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of identity_parameters."""
    return (batch(draw, problem), *and_eps(problem))


TWO = np.array([[1.0], [3.0]])  # mean 2, variance 1
FOUR = np.array([[1.0, 2.0], [3.0, 6.0]])  # means 2 and 4, variances 1 and 4
SIX = np.array([[1.0, 2.0], [2.0, 4.0], [6.0, 9.0]])  # more rows than columns
ALIKE = np.array([[2.0], [2.0]])  # variance 0
HARDLY = np.array([[1.0], [1.002]])  # variance 1e-6, below the default eps
WHOLE = np.array([[1], [2]])  # whole numbers, mean 1.5
ONE = np.array([1.0])
THREE = 3.0
"""An eps with which a variance of 1 gives a denominator of 2."""


def scale_of_mean(arguments: Arguments) -> Mapping[str, Array]:
    """A mean adds numbers as large as max|x|, so that is what its rounding is measured by."""
    return {"mean": np.abs(arguments[0]).max(axis=0)}


def scale_of_variance(arguments: Arguments) -> Mapping[str, Array]:
    """In two passes x - μ is off by a rounding of |x|, which enters the variance multiplied by the deviation."""
    x = arguments[0]
    var = x.var(axis=0)
    return {"var": var + np.abs(x).max(axis=0) * np.sqrt(var) + np.abs(x).max(axis=0) * 1e-7}


def scale_of_normalize(arguments: Arguments) -> Mapping[str, Array]:
    """x - μ is off by a rounding of |x| and |μ|, and is divided by √(σ² + ε)."""
    x, mean, var = arguments[:3]
    size = np.abs(x).max(axis=0) + np.abs(mean)
    return {"x_hat": 2.0 * size / np.sqrt(var + eps_in(arguments, 3))}


def scale_of_scale_shift(arguments: Arguments) -> Mapping[str, Array]:
    """One product, one sum."""
    x_hat, gamma, beta = arguments
    return {"y": np.abs(gamma) * np.abs(x_hat) + np.abs(beta)}


def scale_of_layer(arguments: Arguments) -> Mapping[str, Array]:
    """As in normalize, times |γ|, plus |β|."""
    x, gamma, beta = arguments[:3]
    deviation = np.sqrt(x.var(axis=0) + eps_in(arguments, 3))
    return {"y": np.abs(gamma) * 2.0 * np.abs(x).max(axis=0) / deviation + np.abs(beta)}


def scale_of_identity(arguments: Arguments) -> Mapping[str, Array]:
    """γ x̂ + β gives back x by cancelling: it is right to a rounding of max|x|."""
    return {"BN(x)": 1.0 * np.abs(arguments[0]).max(axis=0)}


def leaves_alone(f: Asked, arguments: Arguments) -> None:
    """Refuse an answer that changes the arrays it was given."""
    f(arguments)
    for name in f.outcome(arguments).changed:
        raise Refused(f"{name} is not what it was before the call. Work on a copy, as in `x - mean`, not `x -= mean`.")
