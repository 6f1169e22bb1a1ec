"""What does one of several devices hold, and what have all of them sent?

The shards of a batch are of different sizes, their means lie apart, and their variances differ: whatever is left out
in merging them shows. The device that is asked is any of them.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ... import functional as reference
from ..answers import Array
from ..draw import LOW_DEVIATION, Draw
from ..exercise import Arguments, Problem
from ..inputs import and_eps, eps_in, images, parameters, upstream
from .channels import AXES, spread

PROBES = (
    Problem(3, 5, eps=0.1, H=5, W=2),
    Problem(4, 4, eps=0.3, H=2, W=4),
    Problem(3, 3, H=2, W=3),
    Problem(2, 4, H=4, W=3),
)
"""As many devices (N) as channels twice; channels as many as columns, and as rows, twice."""

SHAPES = (Problem(2, 3, eps=0.1, H=2, W=2), Problem(3, 3, eps=0.1, H=2, W=3), Problem(4, 2, eps=0.3, H=1, W=3))
"""Where an answer has to be right to rounding."""

MANY = Problem(3, 4, low=False, H=12, W=20)
"""At least 240 values on each device, where one less is within a rough tolerance."""


def shard_sizes(draw: Draw, problem: Problem) -> tuple[Array, int]:
    """How many images each of N devices holds, no two as many, and which device is asked."""
    return draw.random.permutation(np.arange(1, problem.N + 1)), int(draw.random.integers(problem.N))


def standardized(draw: Draw, count: int, problem: Problem) -> Array:
    """So many images, every channel of mean 0 and variance 1."""
    x = images(draw, Problem(count, problem.D, low=False, H=problem.H, W=problem.W))
    centred = x - x.mean(axis=AXES, keepdims=True)
    z: Array = centred / np.sqrt((centred**2).mean(axis=AXES, keepdims=True))
    return z


def statistics_of_devices(draw: Draw, problem: Problem) -> tuple[Array, Array]:
    """Means (K, C) that lie apart by about a deviation, and variances (K, C)."""
    K, C = problem.N, problem.D
    deviation = draw.deviations(C)
    if problem.low:
        deviation[-1] = LOW_DEVIATION
    apart = deviation * draw.away_from_zero(K * C, 0.5, 1.5).reshape(K, C)
    apart -= apart.mean(axis=0)
    return draw.away_from_zero(C, 1.0, 4.0) + apart, (deviation * draw.random.uniform(0.6, 1.6, (K, C))) ** 2


def device(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of syncbn_forward."""
    sizes, own = shard_sizes(draw, problem)
    means, variances = statistics_of_devices(draw, problem)
    if problem.whole:
        x = draw.whole_numbers(int(sizes[own]) * problem.H * problem.W, problem.D)
        x = np.ascontiguousarray(np.moveaxis(x.reshape(-1, problem.H, problem.W, problem.D), 3, 1))
        means[own], variances[own] = x.mean(axis=AXES), x.var(axis=AXES)
    else:
        x = spread(means[own]) + spread(np.sqrt(variances[own])) * standardized(draw, int(sizes[own]), problem)
    counts = sizes * problem.H * problem.W
    return (x, counts, means, variances, *parameters(draw, problem.D), *and_eps(problem))


def device_with(draw: Draw, problem: Problem, means: str = "", variances: str = "") -> Arguments:
    """The same, with ``means`` or ``variances`` that are the ``"same"`` on all devices."""
    x, counts, apart, different, *rest = device(draw, problem)
    own = int(np.argmin(np.abs(apart - x.mean(axis=AXES)).sum(axis=1)))
    if means:
        apart = np.tile(apart[own], (len(apart), 1))
    if variances:
        different = np.tile(different[own], (len(different), 1))
    return (x, counts, apart, different, *rest)


def sums_of_devices(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of syncbn_backward."""
    x, counts, means, variances, gamma, beta, *eps = device(draw, problem)
    own = int(np.argmin(np.abs(means - x.mean(axis=AXES)).sum(axis=1)))
    _, x_hat, std = reference.syncbn_forward(x, counts, means, variances, gamma, beta, *eps)
    dy = upstream(draw, x)
    shape = means.shape
    sums_dy = counts[:, None] * draw.away_from_zero(means.size, 0.4, 1.2).reshape(shape)
    sums_dy_x_hat = counts[:, None] * draw.away_from_zero(means.size, 0.4, 1.2).reshape(shape)
    sums_dy[own], sums_dy_x_hat[own] = dy.sum(axis=AXES), (dy * x_hat).sum(axis=AXES)
    return (dy, x_hat, std, gamma, counts, sums_dy, sums_dy_x_hat)


def silent_device(draw: Draw, problem: Problem) -> Arguments:
    """The same, where the loss does not look at the images of the device that is asked: its dy is 0."""
    dy, x_hat, std, gamma, counts, sums_dy, sums_dy_x_hat = sums_of_devices(draw, problem)
    own = int(np.argmin(np.abs(sums_dy - dy.sum(axis=AXES)).sum(axis=1)))
    sums_dy[own], sums_dy_x_hat[own] = 0.0, 0.0
    return (0.0 * dy, x_hat, std, gamma, counts, sums_dy, sums_dy_x_hat)


def scale_of_device(arguments: Arguments) -> Mapping[str, Array]:
    """M is off by a rounding of the largest mean, V, by way of E[x²] - E[x]², by one of its square.

    Both are divided by s, and what comes of it is multiplied by |γ|.
    """
    x, counts, means, variances, gamma, beta = arguments[:6]
    _, var = reference.merge_statistics(counts, means, variances)
    std = np.sqrt(var + eps_in(arguments, 6))
    size = np.maximum(np.abs(x).max(axis=AXES), np.abs(means).max(axis=0))
    x_hat = 2.0 * size / std + size / std * size / std
    return {"y": spread(np.abs(gamma) * x_hat + np.abs(beta)), "x_hat": spread(x_hat), "std": std + size * size / std}


def scale_of_sums(arguments: Arguments) -> Mapping[str, Array]:
    """The sums are off by a rounding of their largest terms; over n, times x̂ and γ/s."""
    dy, x_hat, std, gamma, counts, sums_dy, sums_dy_x_hat = arguments
    dbeta, dgamma = np.abs(sums_dy).sum(axis=0), np.abs(sums_dy_x_hat).sum(axis=0)
    inside = np.abs(dy).max(axis=AXES) + (dbeta + np.abs(x_hat).max(axis=AXES) * dgamma) / counts.sum()
    return {"dx": spread(np.abs(gamma) / std * inside), "dgamma": dgamma, "dbeta": dbeta}


def own_count(at: Any) -> Any:
    """How many values a channel has on this device."""
    images_here = at.x if hasattr(at, "x") else at.dy
    return images_here.size // images_here.shape[1]
