"""On which inputs are the exercises of this assignment tried, and how exact can an answer be?

What shares a mean and a variance (a sample, a channel of an image, a group) has a mean and a deviation of its own, and
the last one hardly varies, so that eps shows.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..answers import Array
from ..draw import LOW_DEVIATION, Draw
from ..exercise import Arguments, Problem
from ..inputs import and_eps, batch, eps_in, parameters, upstream
from .sums import over_the_batch, spread

CHANNELS = {1: (2, 1), 2: (4, 2), 3: (6, 3), 4: (4, 2), 5: (6, 2), 6: (6, 2)}
"""Channels and groups for the D of a problem. Their number differs from their size, but for four channels."""

IMAGES = (Problem(2, 3, eps=0.1), Problem(3, 4, eps=0.3, W=4), Problem(4, 5), Problem(3, 6))
GROUPS = (Problem(2, 3, eps=0.1, W=6), Problem(3, 4, eps=0.3, W=4), Problem(4, 5), Problem(3, 6))
"""On these a mistake is recognized; the first two have as many columns as channels, where a wrong broadcast runs."""

WHOLE_IMAGES = (Problem(2, 3, eps=0.1, whole=True), Problem(3, 4, eps=0.3, whole=True))

ROWS, MANY = 12, 200
"""Samples of a rough question, and their features: 1/(2 · 200) of x̂, which is what D - 1 changes, is within ROUGHLY of
the largest y of a feature; of twelve, one is not small by chance."""

MANY_FEATURES = Problem(ROWS, MANY, low=False)
MANY_PIXELS = Problem(2, 3, low=False, H=14, W=14)
FEW_FEATURES = (Problem(7, 3, eps=0.1), Problem(4, 4, eps=0.2), Problem(3, 5, eps=0.3))
FEW_PIXELS = (Problem(2, 3, eps=0.1), Problem(3, 4, eps=0.2, W=4), Problem(4, 6, eps=0.3, H=3))
"""Where N - 1 shows. Eps is given: its default is a property of its own."""


# ------------------------------------------------------------------------------------------------------------ samples


def samples(draw: Draw, problem: Problem) -> Array:
    """x (N, D)."""
    turned = replace(problem, N=max(problem.D, 2), D=problem.N)  # of one feature nothing can be normalized
    return np.ascontiguousarray(batch(draw, turned).T)


def layer(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of layernorm_forward."""
    x = samples(draw, problem)
    return (x, *parameters(draw, x.shape[1]), *and_eps(problem))


def rms_layer(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of rmsnorm_forward: the last sample is not only narrow but small, as its mean counts here."""
    x = samples(draw, replace(problem, low=False))
    if problem.low and not problem.whole:
        x[-1] *= LOW_DEVIATION / np.sqrt((x[-1] ** 2).mean())
    return (x, parameters(draw, x.shape[1])[0], *and_eps(problem))


def layer_pair(draw: Draw, problem: Problem) -> Arguments:
    """dy, and the arguments of layernorm_forward."""
    x, gamma, beta, *eps = layer(draw, problem)
    return (through(draw, x, gamma), x, gamma, beta, *eps)


def rms_pair(draw: Draw, problem: Problem) -> Arguments:
    """dy, and the arguments of rmsnorm_forward."""
    x, gamma, *eps = rms_layer(draw, problem)
    return (through(draw, x, gamma), x, gamma, *eps)


# ------------------------------------------------------------------------------------------------------------- images


def images_in(draw: Draw, problem: Problem, C: int, groups: int) -> Array:
    """x (N, C, H, W)."""
    H, W = problem.H + (problem.D == 4), problem.W  # else H·W were the same in all that a reading has to explain
    turned = replace(problem, N=C // groups * H * W, D=problem.N * groups)
    return np.ascontiguousarray(batch(draw, turned).T).reshape(problem.N, C, H, W)


def instances(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of instancenorm_forward."""
    x = images_in(draw, problem, problem.D, problem.D)
    return (x, *parameters(draw, problem.D), *and_eps(problem))


def groups(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of groupnorm_forward."""
    C, groups = CHANNELS[problem.D]
    return (images_in(draw, problem, C, groups), *parameters(draw, C), groups, *and_eps(problem))


def instance_pair(draw: Draw, problem: Problem) -> Arguments:
    """dy, and the arguments of instancenorm_forward."""
    x, gamma, beta, *eps = instances(draw, problem)
    return (through(draw, x, gamma, x.shape[1]), x, gamma, beta, *eps)


def group_pair(draw: Draw, problem: Problem) -> Arguments:
    """dy, and the arguments of groupnorm_forward."""
    x, gamma, beta, groups_asked, *eps = groups(draw, problem)
    return (through(draw, x, gamma, groups_asked), x, gamma, beta, groups_asked, *eps)


def through(draw: Draw, x: Array, gamma: Array, groups: int = 1) -> Array:
    """A dy that hides nothing: gamma · dy has an offset and a part along x in all that shares a mean."""
    rows = in_rows(x, groups)
    dx_hat = upstream(draw, rows.T).T.reshape(x.shape)
    return np.asarray(dx_hat / spread(gamma, x))


def in_rows(x: Array, groups: int = 1) -> Array:
    """One row for all that shares a mean."""
    return x if x.ndim == 2 else x.reshape(len(x) * groups, -1)


# -------------------------------------------------------------------------------------------------------- exactness


def spread_rows(rows: Array, x: Array, groups: int) -> Array:
    """One number per row of :func:`in_rows`, in a shape that broadcasts against x."""
    if x.ndim == 2:
        return rows[:, None]
    return np.repeat(rows.reshape(len(x), groups), x.shape[1] // groups, axis=1)[:, :, None, None]


def scale_of_y(x: Array, gamma: Array, beta: Array, eps: float, groups: int = 1) -> Mapping[str, Array]:
    """x - μ is off by a rounding of max|x|, is divided by √(σ² + ε), multiplied by |γ|, and |β| is added."""
    rows = in_rows(x, groups)
    size = 2.0 * np.abs(rows).max(axis=1) / np.sqrt(rows.var(axis=1) + eps)
    return {"y": np.abs(spread(gamma, x)) * spread_rows(size, x, groups) + np.abs(spread(beta, x))}


def scale_of_gradients(dy: Array, x: Array, gamma: Array, eps: float, groups: int = 1) -> Mapping[str, Array]:
    """x̂ is off by a rounding of max|x|/s, and comes twice into dx, each time multiplied by γ·dy and by 1/s at the end.

    The sums of dgamma and dbeta are off by a rounding of the sum of their terms' sizes.
    """
    rows, dx_hat = in_rows(x, groups), in_rows(dy * spread(gamma, x), groups)
    std = np.sqrt(rows.var(axis=1) + eps)
    lost = 1.0 + np.abs(rows).max(axis=1) / std
    size = 4.0 * np.abs(dx_hat).max(axis=1) / std * lost
    return {
        "dx": np.broadcast_to(spread_rows(size, x, groups), x.shape),
        "dgamma": over_the_batch(np.abs(dy) * spread_rows(lost, x, groups)),
        "dbeta": over_the_batch(np.abs(dy)),
    }


def scale_of_layer(arguments: Arguments) -> Mapping[str, Array]:
    """Of layernorm_forward."""
    x, gamma, beta = arguments[:3]
    return scale_of_y(x, gamma, beta, eps_in(arguments, 3))


def scale_of_instances(arguments: Arguments) -> Mapping[str, Array]:
    """Of instancenorm_forward."""
    x, gamma, beta = arguments[:3]
    return scale_of_y(x, gamma, beta, eps_in(arguments, 3), x.shape[1])


def scale_of_groups(arguments: Arguments) -> Mapping[str, Array]:
    """Of groupnorm_forward."""
    x, gamma, beta, groups_asked = arguments[:4]
    return scale_of_y(x, gamma, beta, eps_in(arguments, 4), groups_asked)


def scale_of_rms(arguments: Arguments) -> Mapping[str, Array]:
    """x / r · γ is three roundings: nothing cancels, in the mean square neither."""
    x, gamma = arguments[:2]
    return {"y": 4.0 * np.abs(gamma * x) / root_mean_square(x, eps_in(arguments, 2))}


def root_mean_square(x: Array, eps: float) -> Array:
    """What RMS normalization divides by, (N, 1)."""
    root: Array = np.sqrt((x * x).mean(axis=1, keepdims=True) + eps)
    return root


def scale_of_layer_pair(arguments: Arguments) -> Mapping[str, Array]:
    """Of layernorm_backward."""
    dy, x, gamma = arguments[:3]
    return scale_of_gradients(dy, x, gamma, eps_in(arguments, 4))


def scale_of_instance_pair(arguments: Arguments) -> Mapping[str, Array]:
    """Of instancenorm_backward."""
    dy, x, gamma = arguments[:3]
    return scale_of_gradients(dy, x, gamma, eps_in(arguments, 4), x.shape[1])


def scale_of_group_pair(arguments: Arguments) -> Mapping[str, Array]:
    """Of groupnorm_backward."""
    dy, x, gamma = arguments[:3]
    return scale_of_gradients(dy, x, gamma, eps_in(arguments, 5), arguments[4])


def scale_of_rms_pair(arguments: Arguments) -> Mapping[str, Array]:
    """x̂ is right to a rounding of itself, and at most √D; dx is the difference of two terms of γ·dy's size over r."""
    dy, x, gamma = arguments[:3]
    rms = root_mean_square(x, eps_in(arguments, 3))
    largest = np.abs(gamma * dy).max(axis=1, keepdims=True)
    return {
        "dx": np.broadcast_to(4.0 * largest * (1.0 + np.abs(x) / rms) / rms, x.shape),
        "dgamma": 4.0 * (np.abs(dy * x) / rms).sum(axis=0),
    }
