"""On which inputs are the exercises of this assignment tried, and how exact can an answer be?"""

from collections.abc import Mapping

import numpy as np

from ..answers import Array
from ..draw import Draw
from ..exercise import Arguments, Problem
from ..inputs import EPS, and_eps, batch, parameters, upstream


def dense_pair(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of a backward that comes with its forward: dy, and x, gamma, beta, eps."""
    x = batch(draw, problem)
    return (upstream(draw, x), x, *parameters(draw, problem.D), *and_eps(problem))


def scale_of_pair(arguments: Arguments) -> Mapping[str, Array]:
    """x̂ is off by a rounding of max|x|/s, and comes twice into dx, each time multiplied by dy and by γ/s at the end.

    The sums of dgamma and dbeta are off by a rounding of the sum of their terms' sizes.
    """
    dy, x, gamma = arguments[:3]
    eps = arguments[4] if len(arguments) > 4 else EPS
    std = np.sqrt(x.var(axis=0) + eps)
    lost = 1.0 + np.abs(x).max(axis=0) / std
    return {
        "dx": 4.0 * np.abs(gamma) / std * np.abs(dy).max(axis=0) * lost,
        "dgamma": np.abs(dy).sum(axis=0) * lost,
        "dbeta": np.abs(dy).sum(axis=0),
    }
