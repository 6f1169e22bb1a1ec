"""On which inputs are the parts of a backward and the inference backward tried, and how exact can an answer be?"""

from collections.abc import Mapping

import numpy as np

from ..answers import Array
from ..draw import Draw
from ..exercise import Arguments, Problem
from ..inputs import and_eps, batch, eps_in, parameters, running_statistics, upstream


def of_scale_shift(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of scale_shift_backward: an x_hat with a mean and a deviation, so that nothing cancels by luck."""
    x_hat = batch(draw, problem)
    return (upstream(draw, x_hat), x_hat, parameters(draw, problem.D)[0])


def of_normalize(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of normalize_backward, at the batch's own mean and variance: there the term through ∂var/∂mean,
    which some books have and some have not, is zero."""
    x = batch(draw, problem)
    mean = x.mean(axis=0)
    return (upstream(draw, x), x, mean, ((x - mean) ** 2).mean(axis=0), *and_eps(problem))


def of_inference(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of batchnorm_inference_backward: statistics that are no batch's; a low one shows the default eps.

    With ``whole`` only x has whole numbers: dy is never given in them.
    """
    x = batch(draw, problem)
    running_mean, running_var = running_statistics(draw, problem.D)
    if problem.low:
        running_var[-1] = 4e-5
    gamma = parameters(draw, problem.D)[0]
    return (upstream(draw, x), x, gamma, running_mean, running_var, *and_eps(problem))


def scale_of_scale_shift_backward(arguments: Arguments) -> Mapping[str, Array]:
    """One product for dx_hat; sums are off by a rounding of the sum of their terms' sizes."""
    dy, x_hat, gamma = arguments
    return {
        "dx_hat": np.abs(dy * gamma),
        "dgamma": np.abs(dy * x_hat).sum(axis=0),
        "dbeta": np.abs(dy).sum(axis=0),
    }


def scale_of_normalize_backward(arguments: Arguments) -> Mapping[str, Array]:
    """x - mean is off by a rounding of |x| + |mean|, and is divided by the cube of the deviation in dvar.

    The term through ∂var/∂mean, zero but for rounding, adds dvar times such a rounding to dmean.
    """
    dx_hat, x, mean, var = arguments[:4]
    std = np.sqrt(var + eps_in(arguments, 4))
    size = np.abs(dx_hat).sum(axis=0)
    lost = np.abs(x).max(axis=0) + np.abs(mean)
    return {
        "dx_direct": np.abs(dx_hat / std),
        "dmean": size / std * (1.0 + np.sqrt(var) * lost / std**2),
        "dvar": size * lost / std**3,
    }


def scale_of_inference_backward(arguments: Arguments) -> Mapping[str, Array]:
    """A product for dx; in dgamma x - running_mean is off by a rounding of both, and so is its sum."""
    dy, x, gamma, running_mean, running_var = arguments[:5]
    std = np.sqrt(running_var + eps_in(arguments, 5))
    size = np.abs(dy).sum(axis=0)
    return {
        "dx": np.abs(dy * gamma / std),
        "dgamma": size * (np.abs(x).max(axis=0) + np.abs(running_mean)) / std,
        "dbeta": size,
    }
