"""On which inputs are the exercises of this assignment tried, and how exact can an answer be?"""

from collections.abc import Collection, Mapping

import numpy as np

from .. import inputs
from .. import quantities as q
from ..answers import Array
from ..asking import Asked, Refused, chosen, circumstances
from ..comparing import feature_size, worst
from ..draw import Draw
from ..exercise import Arguments, Problem
from ..inputs import ROUGHLY, and_eps, eps_in, images, parameters, running_statistics, upstream
from ..quantities import instead
from ..reading import Factor
from .channels import AXES, spread

MANY = Problem(8, 3, H=5, W=10, low=False)
"""400 values a channel, as many as the rows of a rough dense question; but few images and columns, so that dividing by
N or by H·W shows."""

SHAPES = (Problem(3, 2, eps=0.1), Problem(3, 3, H=2, W=4), Problem(2, 5, eps=0.3, H=3, W=2))
"""Where an answer has to be right to rounding."""

PROBES = (
    Problem(3, 5, H=5, W=2),
    Problem(7, 3, eps=0.1, H=2, W=3),
    Problem(4, 4, eps=0.3, H=2, W=4),
    Problem(3, 3, H=3, W=4),
)
"""C = W twice, C = N twice, C = H twice: channels that are mistaken for another axis run there, and only there."""

SMALL = np.array([[[[1.0, 3.0]]]])  # mean 2, variance 1
TWO_IMAGES = np.array([[[[1.0]]], [[[3.0]]]])  # the same values, of two images
TALL = np.array([[[[1.0], [3.0]]]])  # the same values, one above the other
TWO_CHANNELS = np.array([[[[1.0, 3.0]], [[2.0, 6.0]]]])  # means 2 and 4, variances 1 and 4
FOUR_IMAGES = np.array([[[[1.0, 3.0]]], [[[3.0, 5.0]]]])  # image means 2 and 4: mean 3, variance 2
SQUARE = np.array([[[[1.0, 3.0]], [[2.0, 6.0]]], [[[3.0, 5.0]], [[4.0, 8.0]]]])  # N = C = W = 2
CUBE = np.array([[[[1.0, 3.0], [3.0, 5.0]], [[2.0, 6.0], [4.0, 8.0]]]])  # C = H = W = 2
ALIKE = np.array([[[[2.0, 2.0]]]])  # variance 0
HARDLY = np.array([[[[1.0, 1.002]]]])  # variance 1e-6, below the default eps
WHOLE = np.array([[[[1, 2]]]])  # whole numbers, mean 1.5


def many_images(draw: Draw) -> Array:
    """Images for a rough question; some are brighter than others, so that what is left out between them shows."""
    x = images(draw, MANY)
    offsets = draw.away_from_zero(MANY.N, 0.5, 1.0)[:, None, None, None]
    brighter: Array = x + spread(np.sqrt(x.var(axis=AXES))) * offsets
    return brighter


def whole_layer(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of batchnorm2d_forward."""
    return (images(draw, problem), *parameters(draw, problem.D), *and_eps(problem))


def far_layer(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of batchnorm2d_forward, x far from 0."""
    x = images(draw, problem)
    far = x - spread(x.mean(axis=AXES)) + spread(inputs.FAR * draw.away_from_zero(problem.D, 1.0, 1.5))
    return (far, *parameters(draw, problem.D), *and_eps(problem))


def pair(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of batchnorm2d_backward with its forward: dy, and x, gamma, beta, eps."""
    x = images(draw, problem)
    return (upstream(draw, x), x, *parameters(draw, problem.D), *and_eps(problem))


def fixed_layer(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of batchnorm2d_inference."""
    statistics = list(running_statistics(draw, problem.D))
    if problem.low:
        statistics[1][-1] = 1e-5 * draw.random.uniform(0.5, 2.0)  # a variance at which the default eps shows
    return (images(draw, problem), *parameters(draw, problem.D), *statistics, *and_eps(problem))


def update(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of update_running_stats2d. Momentum is drawn where eps would be given."""
    momentum = () if problem.eps is None else (float(draw.random.uniform(0.2, 0.4)),)
    mean, var = running_statistics(draw, problem.D)
    return (mean, 5.0 + var, images(draw, problem), *momentum)  # a reading adds random numbers, and no variance < 0


def layer_to_fold(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of fold_conv2d: D outputs, N inputs, a kernel of H by W. Whole numbers come without a bias."""
    out, into, kh, kw = problem.D, problem.N, problem.H, problem.W
    weight = (
        draw.random.integers(1, 9, (out, into, kh, kw))
        if problem.whole
        else draw.away_from_zero(out * into * kh * kw, 0.3, 2.0).reshape(out, into, kh, kw)
    )
    bias = None if problem.whole else draw.away_from_zero(out, 0.5, 2.0)
    _, *rest = fixed_layer(draw, Problem(1, out, problem.eps, low=problem.low, H=1, W=2))
    return (weight, bias, *rest)


def scale_of_layer(arguments: Arguments) -> Mapping[str, Array]:
    """As of the dense layer: x - μ is off by a rounding of max|x|, is divided by √(σ² + ε), times |γ|, plus |β|."""
    x, gamma, beta = arguments[:3]
    deviation = np.sqrt(x.var(axis=AXES) + eps_in(arguments, 3))
    return {"y": spread(np.abs(gamma) * 2.0 * np.abs(x).max(axis=AXES) / deviation + np.abs(beta))}


def scale_of_pair(arguments: Arguments) -> Mapping[str, Array]:
    """As of the dense pair: x̂ is off by a rounding of max|x|/s and comes twice into dx, times dy and γ/s.

    The sums of dgamma and dbeta are off by a rounding of the sum of their terms' sizes.
    """
    dy, x, gamma = arguments[:3]
    std = np.sqrt(x.var(axis=AXES) + eps_in(arguments, 4))
    lost = 1.0 + np.abs(x).max(axis=AXES) / std
    total = np.abs(dy).sum(axis=AXES)
    return {
        "dx": spread(4.0 * np.abs(gamma) / std * np.abs(dy).max(axis=AXES) * lost),
        "dgamma": total * lost,
        "dbeta": total,
    }


def scale_of_fixed_layer(arguments: Arguments) -> Mapping[str, Array]:
    """x - μ is off by a rounding of |x| and |μ|, however written, also as a·x + b; times |γ|/s, plus |β|."""
    x, gamma, beta, mean, var = arguments[:5]
    size = np.abs(x).max(axis=AXES) + np.abs(mean)
    return {"y": spread(2.0 * np.abs(gamma) * size / np.sqrt(var + eps_in(arguments, 5)) + np.abs(beta))}


def scale_of_update(arguments: Arguments) -> Mapping[str, Array]:
    """A mean is off by a rounding of max|x|, a variance, in one pass, by one of max|x|²; both are averaged with the
    old value."""
    mean, var, x = arguments[:3]
    size = np.abs(x).max(axis=AXES)
    return {"new_mean": np.abs(mean) + size, "new_var": var + size * (size + np.sqrt(x.var(axis=AXES, ddof=1)))}


def scale_of_fold(arguments: Arguments) -> Mapping[str, Array]:
    """Products alone in the weight; b - μ in the bias is off by a rounding of |b| and |μ|, times γ/s, plus |β|."""
    weight, bias, gamma, beta, mean, var = arguments[:6]
    factor = np.abs(gamma) / np.sqrt(var + eps_in(arguments, 6))
    start = 0.0 if bias is None else np.abs(bias)
    return {
        "new_weight": factor[:, None, None, None] * np.abs(weight),
        "new_bias": factor * (start + np.abs(mean)) + np.abs(beta),
    }


def agrees_roughly(f: Asked, arguments: Arguments, only: Collection[str] = ()) -> None:
    """Refuse an answer that is further off than 1 % of a channel's largest value."""
    expected = chosen(f.right(arguments), only)
    answer = f(arguments, only)
    for name, right in expected.items():
        size = np.broadcast_to(feature_size(np.abs(right)), right.shape)
        mismatch = worst(name, answer[name], right, ROUGHLY * size)
        if mismatch is not None:
            raise Refused(f"{mismatch}, {circumstances(f.exercise, arguments)}.")


VALUES = Factor("N·H·W", lambda at: at.N, "N")
IMAGES = Factor("N", lambda at: len(at.x), "N")
PIXELS = Factor("H·W", lambda at: at.x[0, 0].size, "N")
CHANNELS = Factor("C", lambda at: at.x.shape[1], "C N")
UNBIASED = Factor("N·H·W/(N·H·W - 1)", lambda at: at.N / (at.N - 1), "N")
VAR_UNBIASED = instead(
    "√(var·N·H·W/(N·H·W - 1) + eps)", "var N std", lambda at: np.sqrt(at.var * at.N / (at.N - 1) + at.eps)
)
VAR_SUMMED = instead("√(N·H·W·var + eps)", "var N std", lambda at: np.sqrt(at.var * at.N + at.eps))
COUNTS = (VALUES, IMAGES, PIXELS, CHANNELS, UNBIASED)
"""Of images: how many values a channel has, images, pixels of one, channels."""
ROOTS = (*q.EPS_ROOTS, VAR_UNBIASED, VAR_SUMMED)
