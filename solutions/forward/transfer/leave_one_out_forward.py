"""What is asked of `leave_one_out_forward`, and how is it got wrong?

Every sample is normalized by the mean and the variance of the others. Few samples, or leaving one out would not show;
so N - 2 for N - 1 shows too, and the main properties take either: which it is, one property asks.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bncourse.checks.answers import Array
from bncourse.checks.asking import Asked, Refused
from bncourse.checks.calling import Signature
from bncourse.checks.draw import Draw
from bncourse.checks.exercise import Arguments, Exercise, Kind, Problem
from bncourse.checks.inputs import EPS, ROUGHLY, and_eps, batch, eps_in, leaves_alone, parameters

FEW = 6


def reference(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> Array:
    """The formula, sample by sample."""
    others = [np.delete(x, i, axis=0) for i in range(len(x))]
    mean = np.array([one.mean(axis=0) for one in others])
    var = np.array([one.var(axis=0) for one in others])
    return np.asarray(gamma * (x - mean) / np.sqrt(var + eps) + beta)


def layer(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of a call."""
    return (batch(draw, problem), *parameters(draw, problem.D), *and_eps(problem))


def scale(arguments: Arguments) -> Mapping[str, Array]:
    """As of batchnorm_forward, with the smallest of the variances: x - μ is off by a rounding of |x|."""
    x, gamma, beta = arguments[:3]
    var = np.min([np.delete(x, i, axis=0).var(axis=0) for i in range(len(x))], axis=0)
    return {"y": np.abs(gamma) * 2.0 * np.abs(x).max(axis=0) / np.sqrt(var + eps_in(arguments, 3)) + np.abs(beta)}


leave_one_out_forward = Exercise(
    Signature("leave_one_out_forward", ("x", "gamma", "beta", "eps"), ("y",), reference),
    problem=layer,
    scale=scale,
    section="batch-mean",
    axes={"x": "ND", "gamma": "D", "beta": "D"},
    smallest=(
        (np.array([[1.0], [3.0]]), np.array([1.0]), np.array([0.0]), 4.0),
        (np.array([[1.0], [3.0], [9.0]]), np.array([2.0]), np.array([1.0]), 3.0),
    ),
)


def agrees_with_either_variance(f: Asked, arguments: Arguments) -> None:
    """Take the biased and the unbiased variance of the others."""
    x, gamma, beta = arguments[:3]
    others = [np.delete(x, i, axis=0) for i in range(len(x))]
    mean = np.array([one.mean(axis=0) for one in others])
    unbiased = np.array([one.var(axis=0, ddof=1) for one in others])
    y = gamma * (x - mean) / np.sqrt(unbiased + eps_in(arguments, 3)) + beta
    try:
        Asked(f.functions, f.exercise, lambda _: {"y": y}).agrees(arguments, within=ROUGHLY)
    except Refused:
        f.agrees(arguments, within=ROUGHLY)


def plain(x: Array, *eps: float) -> Arguments:
    """A call whose gamma and beta do nothing."""
    return (x, np.ones(x.shape[1]), np.zeros(x.shape[1]), *eps)


@leave_one_out_forward.property(points=0.5)
def y_has_the_shape_of_x(f: Asked, draw: Draw) -> None:
    """answers with an array of x's shape, (N, D)"""
    f(layer(draw, Problem(7, 3)))


@leave_one_out_forward.property(points=5)
def normalizes_by_the_others(f: Asked, draw: Draw) -> None:
    """normalizes each sample by the mean and the variance of the other samples (gamma = 1, beta = 0)"""
    agrees_with_either_variance(f, plain(draw.batch(FEW, 3)))
    agrees_with_either_variance(f, plain(draw.batch(4, 4)))


@leave_one_out_forward.property(points=2)
def scales_and_shifts(f: Asked, draw: Draw) -> None:
    """multiplies by gamma, then adds beta"""
    agrees_with_either_variance(f, layer(draw, Problem(FEW, 3, low=False)))


@leave_one_out_forward.property(points=0.5)
def divides_by_the_number_of_the_others(f: Asked, draw: Draw) -> None:
    """divides the squares of the others by their number, N - 1"""
    f.agrees(plain(draw.batch(FEW, 3)), within=ROUGHLY)


@leave_one_out_forward.property(points=1)
def follows_eps(f: Asked, draw: Draw) -> None:
    """adds the eps it was given to the variance, under the root"""
    agrees_with_either_variance(f, plain(draw.batch(FEW, 3, sd=0.3), 0.1))


@leave_one_out_forward.property(points=0.5)
def right_to_rounding(f: Asked, draw: Draw) -> None:
    """is right to rounding for batches of any shape, also for two samples"""
    for problem in (Problem(7, 3, eps=0.1), Problem(5, 5), Problem(3, 5, eps=0.3), Problem(2, 3, eps=0.2)):
        f.agrees(layer(draw, problem))


@leave_one_out_forward.property(points=0.5, needs="normalizes_by_the_others")
def leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves x, gamma and beta as they were"""
    leaves_alone(f, layer(draw, Problem(5, 3)))


# --------------------------------------------------------------------------------------------------------- its steps

steps = leave_one_out_forward.in_steps(eps=EPS)


@steps.step
def count(at: Any) -> Any:
    """the number of the other samples, N - 1"""
    return len(at.x) - 1


@steps.step
def mean(at: Any) -> Any:
    """for each sample, the mean of the others"""
    return (at.x.sum(axis=0) - at.x) / at.count


@steps.step
def var(at: Any) -> Any:
    """for each sample, the mean square distance of the others from their mean"""
    distances = at.x[None] - at.mean[:, None]  # (sample that is left out, sample, feature)
    return ((distances**2).sum(axis=1) - (at.x - at.mean) ** 2) / at.count


@steps.step
def std(at: Any) -> Any:
    """the root of var + eps"""
    return np.sqrt(at.var + at.eps)


@steps.step
def x_hat(at: Any) -> Any:
    """the distance from the mean of the others, divided by std"""
    return (at.x - at.mean) / at.std


@steps.step
def y(at: Any) -> Any:
    """gamma times x_hat, plus beta"""
    return at.gamma * at.x_hat + at.beta


# ------------------------------------------------------------------------------------------------------ its mistakes


@leave_one_out_forward.misconception(Kind.ERROR, "batch-mean", about="mean var")
def own_sample_included(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> Any:
    """You take mean and variance of the whole batch, the sample itself among them. Here sample i is measured by the
    others alone: leave row i out of both, for every i."""
    return gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps) + beta


@leave_one_out_forward.misconception(Kind.ERROR, "batch-variance", step="var")
def only_the_mean_leaves_it_out(at: Any) -> Any:
    """Your mean leaves the sample out, your variance is that of the whole batch. Both are statistics of the others."""
    return at.x.var(axis=0)


@leave_one_out_forward.misconception(Kind.ERROR, "batch-mean")
def only_the_variance_leaves_it_out(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> Any:
    """Your variance leaves the sample out, the mean that you subtract is that of the whole batch. Both are statistics
    of the others."""
    var = np.array([np.delete(x, i, axis=0).var(axis=0) for i in range(len(x))])
    return gamma * (x - x.mean(axis=0)) / np.sqrt(var + eps) + beta


@leave_one_out_forward.misconception(Kind.ERROR, "batch-mean", step="count", about="count mean var")
def others_counted_as_N(at: Any) -> Any:
    """You leave the sample out of the sums but still divide by N. The others are N - 1: divide by their number."""
    return len(at.x)


@leave_one_out_forward.misconception(Kind.ERROR, "batch-variance", step="var")
def distances_from_the_batch_mean(at: Any) -> Any:
    """You average the squared distances of the others from the mean of the whole batch. A variance is about its own
    mean: that of the others."""
    squares = (at.x - at.x.mean(axis=0)) ** 2
    return (squares.sum(axis=0) - squares) / at.count


@leave_one_out_forward.misconception(Kind.CONVENTION, "batch-variance", step="var")
def unbiased_variance(at: Any) -> Any:
    """You divide the squares of the others by N - 2, one less than their number: the unbiased estimate. The exercise
    asks for the biased variance, as in batch normalization: divide by their number, N - 1."""
    return np.array([np.delete(at.x, i, axis=0).var(axis=0, ddof=1) for i in range(len(at.x))])


@leave_one_out_forward.misconception(Kind.ERROR, "batch-mean")
def other_features_for_other_samples(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> Any:
    """You leave one feature out and take the statistics of the sample's other features (axis=1). It is the other
    samples that count, feature by feature: leave row i out and go along axis=0."""
    others = [np.delete(x, j, axis=1) for j in range(x.shape[1])]
    mean = np.stack([one.mean(axis=1) for one in others], axis=1)
    var = np.stack([one.var(axis=1) for one in others], axis=1)
    return gamma * (x - mean) / np.sqrt(var + eps) + beta


@leave_one_out_forward.misconception(Kind.ERROR, "normalize-eps", step="std", about="eps")
def eps_outside_the_root(at: Any) -> Any:
    """You add eps to the standard deviation. It belongs beside the variance, under the root."""
    return np.sqrt(at.var) + at.eps


@leave_one_out_forward.misconception(Kind.ERROR, "normalize-eps", step="std", about="eps")
def eps_missing(at: Any) -> Any:
    """You leave eps out. With two samples the variance of the others, a single one, is 0: divide by the root of
    var + eps."""
    return np.sqrt(at.var)


@leave_one_out_forward.misconception(Kind.ERROR, "scale-shift", step="y", about="gamma beta")
def gamma_and_beta_ignored(at: Any) -> Any:
    """You leave gamma and beta out: multiply the normalized value by gamma, then add beta."""
    return at.x_hat


@leave_one_out_forward.misconception(Kind.CONTRACT, "whole-layer")
def changes_its_input(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> Any:
    """You work in place, so the caller's x is no longer what it was. Work on a copy."""
    y = reference(x, gamma, beta, eps)
    x[:] = y
    return y
