"""What is asked of `batchnorm_forward`, and how is it got wrong?

Most of its mistakes are mistakes of one of its steps, and are taken over from there.
"""

from typing import Any

import numpy as np

from ... import functional as reference
from .. import quantities as q
from .. import sentences
from ..answers import Array
from ..asking import Asked, Refused
from ..calling import Signature
from ..draw import Draw
from ..exercise import Arguments, Exercise, Kind, Problem
from ..inputs import (
    ALIKE,
    EPS,
    FOUR,
    HARDLY,
    MANY,
    ONE,
    ROUGHLY,
    SIX,
    THREE,
    TWO,
    WHOLE,
    keeps_its_digits,
    leaves_alone,
    parameters,
)
from ..reading import Reading, Term
from .batch_variance import batch_variance
from .inputs import far_layer, scale_of_layer, whole_layer
from .normalize import normalize
from .scale_shift import scale_shift

batchnorm_forward = Exercise(
    Signature(
        "batchnorm_forward",
        ("x", "gamma", "beta", "eps"),
        ("y", "cache"),
        reference.batchnorm_forward,
        opaque=frozenset({"cache"}),
    ),
    problem=whole_layer,
    scale=scale_of_layer,
    far=far_layer,
    smallest=(
        (TWO, 2 * ONE, 5 * ONE, THREE),
        (HARDLY, ONE, 0 * ONE),
        (ALIKE, 2 * ONE, 5 * ONE),
        (WHOLE, ONE, 0 * ONE, 3.75),
        (FOUR, np.array([2.0, 1.0]), np.array([5.0, 0.0]), THREE),
        (SIX, np.array([2.0, 1.0]), np.array([5.0, 0.0]), THREE),
    ),
    section="whole-layer",
    axes={"x": "ND", "gamma": "D", "beta": "D"},
)


def plain_layer(x: Array, *eps: float) -> Arguments:
    """A layer whose gamma and beta do nothing."""
    return (x, np.ones(x.shape[1]), np.zeros(x.shape[1]), *eps)


@batchnorm_forward.property(points=1)
def answers_with_y_and_cache(f: Asked, draw: Draw) -> None:
    """answers with (y, cache), y of x's shape"""
    arguments = whole_layer(draw, Problem(7, 3))
    f(arguments)
    if f.outcome(arguments).alone:
        raise Refused("batchnorm_forward returned y alone, expected 2 values: (y, cache).")


@batchnorm_forward.property(points=6)
def normalizes_each_feature(f: Asked, draw: Draw) -> None:
    """gives each feature mean 0 and variance near 1 over the batch (gamma = 1, beta = 0)"""
    f.agrees(plain_layer(draw.batch(MANY, 3)), within=ROUGHLY)


@batchnorm_forward.property(points=4)
def scales_and_shifts(f: Asked, draw: Draw) -> None:
    """multiplies by gamma, then adds beta"""
    f.agrees(whole_layer(draw, Problem(MANY, 3, low=False)), within=ROUGHLY)


@batchnorm_forward.property(points=0.5)
def layer_divides_by_N(f: Asked, draw: Draw) -> None:
    """uses the biased variance: divides by N, not N - 1"""
    f.agrees(plain_layer(draw.batch(5, 3)), within=ROUGHLY)


@batchnorm_forward.property(points=2)
def follows_eps(f: Asked, draw: Draw) -> None:
    """adds the eps it was given to the variance, under the root"""
    f.agrees(plain_layer(draw.batch(MANY, 3, sd=0.3), 0.1), within=ROUGHLY)


@batchnorm_forward.property(points=1)
def layer_default_eps(f: Asked, draw: Draw) -> None:
    """uses eps = 1e-5 when none is given"""
    f.agrees(plain_layer(draw.batch(MANY, 3, low=True)), within=ROUGHLY)


@batchnorm_forward.property(points=1)
def right_to_rounding(f: Asked, draw: Draw) -> None:
    """is right to rounding for batches of any shape, also when N = D"""
    for problem in (Problem(7, 3, eps=0.1), Problem(4, 4), Problem(3, 5, eps=0.3)):
        f.agrees(whole_layer(draw, problem))


@batchnorm_forward.property(points=1, needs="normalizes_each_feature")
def constant_feature_becomes_beta(f: Asked, draw: Draw) -> None:
    """gives beta, not NaN, for a feature that never varies"""
    f.agrees((draw.batch(MANY, 3, constant=True), *parameters(draw, 3)), within=ROUGHLY)


@batchnorm_forward.property(points=1)
def layer_takes_whole_numbers(f: Asked, draw: Draw) -> None:
    """takes whole numbers without losing what is behind the point"""
    f.agrees(plain_layer(draw.whole_numbers(MANY, 3)), within=ROUGHLY)


@batchnorm_forward.property(points=1, needs="normalizes_each_feature")
def layer_keeps_its_digits(f: Asked, draw: Draw) -> None:
    """keeps its digits when the means are far from 0"""
    keeps_its_digits(f, far_layer(draw, Problem(MANY, 3)))


@batchnorm_forward.property(points=0.5, needs="normalizes_each_feature")
def one_sample_is_not_nan(f: Asked, draw: Draw) -> None:
    """says no to a batch of one sample, or answers with beta, but not with NaN"""
    arguments = (draw.batch(2, 3)[:1], *parameters(draw, 3))
    if not all(np.all(np.isfinite(one)) for one in f.outcome(arguments).arrays.values()):
        raise Refused("For a single sample y is NaN. Its variance is 0: divide by the root of var + eps.")


@batchnorm_forward.property(points=1, needs="normalizes_each_feature")
def layer_leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves x, gamma and beta as they were"""
    leaves_alone(f, whole_layer(draw, Problem(5, 3)))


# --------------------------------------------------------------------------------------------------------- its steps

steps = batchnorm_forward.in_steps(eps=EPS)


@steps.step
def N(at: Any) -> Any:
    """the number of samples"""
    return len(at.x)


@steps.step
def mean(at: Any) -> Any:
    """the mean of each feature over the batch"""
    return at.x.sum(axis=0) / len(at.x)


@steps.step
def var(at: Any) -> Any:
    """the mean square distance from that mean: a sum divided by N"""
    return ((at.x - at.mean) ** 2).sum(axis=0) / at.N


@steps.step
def centred(at: Any) -> Any:
    """how far each value lies from its feature's mean"""
    return at.x - at.mean


@steps.step
def std(at: Any) -> Any:
    """the root of var + eps"""
    return np.sqrt(at.var + at.eps)


@steps.step
def x_hat(at: Any) -> Any:
    """the distance from the mean, divided by std"""
    return at.centred / at.std


@steps.step
def y(at: Any) -> Any:
    """gamma times x_hat, plus beta"""
    return at.gamma * at.x_hat + at.beta


batchnorm_forward.inherit(
    batch_variance,
    "var",
    lambda wrong: lambda at: wrong(at.x),
    "unbiased_variance",
    "deviation_for_variance",
    "mean_absolute_deviation",
    "squares_not_centred",
    "squares_not_averaged",
    "variance_divided_by_D",
    "square_of_x_only",
)
batchnorm_forward.copy(normalize)
batchnorm_forward.copy(scale_shift)
batchnorm_forward.read(
    Reading(
        "y",
        terms=(
            Term("x_hat", "the normalized part", lambda at: at.gamma * at.x_hat, "normalize-formula", "", "x_hat std"),
            Term("beta", "the term with beta", lambda at: at.beta, "scale-shift", "", "beta"),
            Term(
                "mean",
                "a multiple of the mean left over",
                lambda at: at.gamma * at.mean / at.std,
                "normalize-formula",
                "Subtracting the mean once, before dividing, takes all of it away.",
                "mean",
                foreign=True,
            ),
        ),
        factors=q.FACTORS,
        vary=("beta",),
    )
)


# ------------------------------------------------------------------------------------------- mistakes of the whole


def normalized(x: Array, mean: Any, var: Any, gamma: Array, beta: Array, eps: float) -> tuple[Array, None]:
    """The formula with whatever statistics."""
    return gamma * (x - mean) / np.sqrt(var + eps) + beta, None


@batchnorm_forward.misconception(Kind.ERROR, "batch-mean")
def statistics_along_axis_1(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, None]:
    """You average along axis=1, over the features of a sample, where the mean and the variance of batch normalization
    both go along axis=0, over the samples of the batch. With axis=1 in both it is layer normalization."""
    return normalized(x, x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True), gamma, beta, eps)


@batchnorm_forward.another_way("statistics_along_axis_1")
def axis_1_without_keepdims(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, None]:
    """Runs only when N = D."""
    return normalized(x, x.mean(axis=1), x.var(axis=1), gamma, beta, eps)


@batchnorm_forward.another_way("statistics_along_axis_1")
def axis_1_for_the_mean(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, None]:
    """The variance is right."""
    return normalized(x, x.mean(axis=1, keepdims=True), x.var(axis=0), gamma, beta, eps)


@batchnorm_forward.another_way("statistics_along_axis_1")
def axis_1_for_the_variance(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, None]:
    """The mean is right."""
    return normalized(x, x.mean(axis=0), x.var(axis=1, keepdims=True), gamma, beta, eps)


@batchnorm_forward.misconception(Kind.ERROR, "batch-mean")
def one_statistic_for_the_matrix(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, None]:
    """You average over the whole matrix at once. Features have scales of their own, so each column gets its own mean
    and its own variance: axis=0 in both."""
    return normalized(x, x.mean(), x.var(), gamma, beta, eps)


@batchnorm_forward.another_way("one_statistic_for_the_matrix")
def one_mean_but_own_variances(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, None]:
    """The variance is right."""
    return normalized(x, x.mean(), x.var(axis=0), gamma, beta, eps)


@batchnorm_forward.another_way("one_statistic_for_the_matrix")
def one_variance_but_own_means(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, None]:
    """The mean is right."""
    return normalized(x, x.mean(axis=0), x.var(), gamma, beta, eps)


@batchnorm_forward.misconception(Kind.ERROR, "normalize-formula", sentences.WHOLE_NUMBER_BUFFER)
def whole_number_buffer(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, None]:
    """The output is an array like x."""
    y = np.empty_like(x)
    y[:] = reference.batchnorm_forward(x, gamma, beta, eps)[0]
    return y, None


@batchnorm_forward.another_way("whole_number_buffer")
def whole_number_x_hat(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, None]:
    """The normalized values are an array like x."""
    x_hat = np.empty_like(x)
    x_hat[:] = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps)
    return gamma * x_hat + beta, None


@batchnorm_forward.misconception(Kind.NUMERICS, "float32-variance", sentences.CANCELS_FAR_FROM_ZERO, about="var")
def cancels_far_from_zero(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, None]:
    """The variance is the mean of the squares minus the square of the mean."""
    return normalized(x, x.mean(axis=0), (x * 1.0 * x).mean(axis=0) - x.mean(axis=0) ** 2, gamma, beta, eps)


@batchnorm_forward.misconception(Kind.ERROR, "float32-variance", sentences.HALF_PRECISION, about="x")
def half_precision(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, None]:
    """Computes in float16."""
    half = x.astype(np.float16)
    x_hat = (half - half.mean(axis=0)) / np.sqrt(half.var(axis=0) + np.float16(eps))
    return gamma.astype(np.float16) * x_hat + beta.astype(np.float16), None


@batchnorm_forward.misconception(Kind.CONTRACT, "whole-layer", sentences.CHANGES_ITS_INPUT)
def changes_its_input(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, None]:
    """Centres in place."""
    var = x.var(axis=0)
    x -= x.mean(axis=0)
    return gamma * x / np.sqrt(var + eps) + beta, None


@batchnorm_forward.misconception(Kind.CONTRACT, "whole-layer")
def cache_missing(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> Any:
    """You return y alone. The exercise asks for (y, cache): the backward pass will need what was computed on the way,
    and whoever calls your function unpacks two values. Any cache will do here, even None."""
    return reference.batchnorm_forward(x, gamma, beta, eps)[0]
