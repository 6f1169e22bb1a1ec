"""On which inputs are the exercises of this assignment tried, and how exact can an answer be?"""

from collections.abc import Mapping

import numpy as np

from ..answers import Array
from ..draw import LOW_DEVIATION, Draw
from ..exercise import Arguments, Problem
from ..inputs import and_eps, batch, eps_in, parameters

MOMENTUM = 0.1
"""The default that the course asks for."""

HALF = 0.5
"""The momentum that means the same whichever way round it is taken."""

LARGE = 100
"""Times the sizes of small shards: of several hundred samples, where N - 1 for N is within ROUGHLY."""


def old_and_new(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of update_running_stats; the eps of the problem, below 1, serves as the momentum.

    The old statistics lie well away from the batch's, on the same side of 0: an average of the two hits neither.
    """
    x = batch(draw, problem)
    momentum = () if problem.eps is None else (problem.eps if problem.eps < 1 else 0.25,)
    return (*old_statistics(draw, x), x, *momentum)


def old_statistics(draw: Draw, x: Array) -> tuple[Array, Array]:
    """A running mean of about a third of the batch's mean, a running variance some times the batch's variance."""
    mean, D = x.mean(axis=0), x.shape[1]
    running_mean = np.where(mean < 0, -1.0, 1.0) * (0.3 + 0.2 * np.abs(mean)) * draw.random.uniform(0.8, 1.2, D)
    return running_mean, x.var(axis=0) * draw.random.uniform(2.0, 4.0, D)


def shards(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of merge_statistics: as many shards as the problem has rows, no two of the same size."""
    K, D = problem.N, problem.D
    counts = draw.random.permutation(np.arange(2, K + 2))
    if problem.whole:
        return counts, draw.whole_numbers(K, D), draw.random.integers(2, 10, size=(K, D))
    return counts, draw.away_from_zero(K * D, 0.5, 3.0).reshape(K, D), draw.deviations(K * D).reshape(K, D) ** 2


def fixed_layer(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of batchnorm_inference."""
    x = batch(draw, problem)
    return (x, *parameters(draw, problem.D), *other_statistics(draw, x), *and_eps(problem))


def other_statistics(draw: Draw, x: Array) -> tuple[Array, Array]:
    """Running statistics of a batch's size, but clearly not the batch's."""
    D, deviation = x.shape[1], np.sqrt(x.var(axis=0))
    mean = x.mean(axis=0) + deviation * draw.away_from_zero(D, 0.6, 1.5)
    wider = (draw.random.random(D) < 0.5) | (deviation < 1.0)  # narrower still, and an eps of 1e-3 would show
    ratio = np.where(wider, draw.random.uniform(1.8, 3.0, D), draw.random.uniform(0.3, 0.6, D))
    return mean, x.var(axis=0) * ratio


def two_layers(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of fold_linear: D outputs, N inputs; a layer of whole numbers has no bias.

    So the two rare things are asked together, where mistakes are looked for that show nowhere else.
    """
    N, D = problem.N, problem.D
    weight = draw.whole_numbers(N, D).T.copy() if problem.whole else draw.random.standard_normal((D, N))
    bias = None if problem.whole else draw.away_from_zero(D)
    mean, var = draw.away_from_zero(D), draw.deviations(D) ** 2
    if problem.low:
        var[-1] = LOW_DEVIATION**2 * draw.random.uniform(0.7, 1.4)
    return (weight, bias, *parameters(draw, D), mean, var, *and_eps(problem))


# ------------------------------------------------------------------------------------------------------ error analysis


def scale_of_update(arguments: Arguments) -> Mapping[str, Array]:
    """A mean adds numbers as large as max|x|; a variance in two passes is off by a rounding of |x| times the deviation.

    Both then stand beside the old value, with weights that add to 1. N/(N - 1) is at most 2.
    """
    running_mean, running_var, x = arguments[:3]
    largest, var = np.abs(x).max(axis=0), x.var(axis=0)
    return {
        "new_mean": np.abs(running_mean) + largest,
        "new_var": running_var + 2.0 * (var + largest * np.sqrt(var) + largest * 1e-7),
    }


def scale_of_merge(arguments: Arguments) -> Mapping[str, Array]:
    """A weighted mean is off by a rounding of max|mean|.

    The variance, by way of E[x²] - E[x]², is off by one of the largest mean² and variance.
    """
    _, means, variances = arguments
    largest = np.abs(means).max(axis=0)
    return {"mean": 1.0 * largest, "var": largest**2 + variances.max(axis=0)}


def scale_of_inference(arguments: Arguments) -> Mapping[str, Array]:
    """x - μ, or x·γ/s and μ·γ/s apart, is off by a rounding of |x| and |μ|, times |γ|/s; then comes β."""
    x, gamma, beta, mean, var = arguments[:5]
    size = np.abs(x).max(axis=0) + np.abs(mean)
    return {"y": 2.0 * np.abs(gamma) * size / np.sqrt(var + eps_in(arguments, 5)) + np.abs(beta)}


def scale_of_fold(arguments: Arguments) -> Mapping[str, Array]:
    """γ/s times a rounding of |b| and |μ|, plus |β|.

    The weight is one product; who reads it off the layer's answers to unit vectors takes the new bias away from
    them again.
    """
    weight, bias, gamma, beta, mean, var = arguments[:6]
    factor = np.abs(gamma) / np.sqrt(var + eps_in(arguments, 6))
    new_bias = factor * (np.abs(mean) + (0.0 if bias is None else np.abs(bias))) + np.abs(beta)
    return {"new_weight": (factor * np.abs(weight).max(axis=1) + new_bias)[:, None], "new_bias": new_bias}
