"""On which inputs are the exercises of this assignment tried, and how exact can an answer be?"""

from collections.abc import Mapping

import numpy as np

from ..answers import Array
from ..draw import Draw
from ..exercise import Arguments, Problem
from ..inputs import and_eps, batch, eps_in, far_batch, parameters


def only_x(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of a statistic: x."""
    return (batch(draw, problem),)


def far_x(draw: Draw, problem: Problem) -> Arguments:
    """x, far from 0."""
    return (far_batch(draw, problem),)


def far_layer(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of batchnorm_forward, x far from 0."""
    return (far_batch(draw, problem), *parameters(draw, problem.D), *and_eps(problem))


def with_statistics(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of normalize: x and statistics near its own but not its own, so that recomputing them shows."""
    x = batch(draw, problem)
    deviation = np.sqrt(x.var(axis=0))
    mean = x.mean(axis=0) + deviation * draw.random.uniform(-0.5, 0.5, problem.D)
    var = x.var(axis=0) * draw.random.uniform(0.6, 1.6, problem.D)
    return (x, mean, var, *and_eps(problem))


def with_parameters(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of scale_shift."""
    return (batch(draw, problem), *parameters(draw, problem.D))


def whole_layer(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of batchnorm_forward."""
    return (batch(draw, problem), *parameters(draw, problem.D), *and_eps(problem))


def x_and_eps(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of identity_parameters."""
    return (batch(draw, problem), *and_eps(problem))


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
