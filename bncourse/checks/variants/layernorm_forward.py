"""What is asked of `layernorm_forward`, and how is it got wrong?"""

from typing import Any

import numpy as np

from ... import functional as reference
from .. import sentences
from ..answers import Array
from ..asking import Asked, Refused
from ..calling import Signature
from ..draw import Draw
from ..exercise import Arguments, Exercise, Kind, Problem
from ..inputs import EPS, ROUGHLY, leaves_alone, parameters
from ..reading import Factor
from .inputs import FEW_FEATURES, MANY, MANY_FEATURES, ROWS, layer, samples, scale_of_layer
from .statistics import (
    STD_FACTORS,
    Words,
    add_counts,
    add_mistakes,
    add_other_axes,
    counts_of,
    in_steps,
    moments,
    normalized,
    over_axes,
    read_y,
)

WORDS = Words("layer normalization", "sample", "features", "D", "layer-norm")

TWO = np.array([[1.0, 3.0]])  # mean 2, variance 1
FOUR = np.array([[1.0, 3.0], [2.0, 6.0]])  # means 2 and 4, variances 1 and 4
SIX = np.array([[1.0, 1.0, 4.0], [2.0, 4.0, 9.0]])  # means 2 and 5, variances 2 and 26/3
ONE, ZERO = np.ones(2), np.zeros(2)

layernorm_forward = Exercise(
    Signature(
        "layernorm_forward",
        ("x", "gamma", "beta", "eps"),
        ("y", "cache"),
        reference.layernorm_forward,
        opaque=frozenset({"cache"}),
    ),
    problem=layer,
    scale=scale_of_layer,
    smallest=(
        (TWO, np.array([2.0, 1.0]), np.array([5.0, 0.0]), 3.0),
        (np.array([[1.0, 1.002]]), ONE, ZERO),
        (np.array([[2.0, 2.0]]), 2 * ONE, 5 * ONE),
        (np.array([[1, 2]]), ONE, ZERO, 3.75),
        (FOUR, np.array([2.0, 1.0]), np.array([5.0, 0.0]), 3.0),
        (SIX, np.array([2.0, 1.0, 1.0]), np.array([5.0, 0.0, 0.0]), 3.0),
    ),
    section="layer-norm",
    axes={"x": "ND", "gamma": "D", "beta": "D"},
)
exercise = layernorm_forward


def plain_layer(x: Array, *eps: float) -> Arguments:
    """A layer whose gamma and beta do nothing."""
    return (x, np.ones(x.shape[1]), np.zeros(x.shape[1]), *eps)


@exercise.property(points=0.5)
def answers_with_y_and_cache(f: Asked, draw: Draw) -> None:
    """answers with (y, cache), y of x's shape"""
    arguments = layer(draw, Problem(7, 3))
    f(arguments)
    if f.outcome(arguments).alone:
        raise Refused("layernorm_forward returned y alone, expected 2 values: (y, cache).")


@exercise.property(points=3, nudge="Which numbers of x go into the mean of the first sample: a row, or a column?")
def normalizes_each_sample(f: Asked, draw: Draw) -> None:
    """gives each sample mean 0 and variance near 1 over its features (gamma = 1, beta = 0)"""
    f.agrees(plain_layer(samples(draw, MANY_FEATURES)), within=ROUGHLY)


@exercise.property(points=1.5, nudge="How many numbers has gamma: one per sample, or one per feature?")
def scales_and_shifts_each_feature(f: Asked, draw: Draw) -> None:
    """multiplies each feature by its gamma, then adds its beta"""
    f.agrees(layer(draw, MANY_FEATURES), within=ROUGHLY)


@exercise.property(points=0.5, nudge="How many numbers are added up in one variance? Is that what you divide by?")
def layer_norm_divides_by_D(f: Asked, draw: Draw) -> None:
    """uses the biased variance, a sum divided by D, and is right to rounding for any shape, also when N = D"""
    for problem in FEW_FEATURES:
        f.agrees(layer(draw, problem))


@exercise.property(points=1, nudge="Call it with eps = 3 on a sample of variance 1: what should it divide by?")
def follows_eps(f: Asked, draw: Draw) -> None:
    """adds the eps it was given to the variance, under the root"""
    f.agrees(plain_layer(np.ascontiguousarray(draw.batch(MANY, ROWS, sd=0.3).T), 0.1), within=ROUGHLY)


@exercise.property(points=0.5, nudge="What comes out for a sample whose features are all alike?")
def default_eps(f: Asked, draw: Draw) -> None:
    """uses eps = 1e-5 when none is given, so that a sample whose features are all alike gives beta, not NaN"""
    x = draw.batch(MANY, ROWS, low=True).T.copy()
    x[0] = 2.5
    f.agrees(plain_layer(x), within=ROUGHLY)


@exercise.property(points=0.5)
def takes_whole_numbers(f: Asked, draw: Draw) -> None:
    """takes whole numbers without losing what is behind the point"""
    f.agrees((draw.whole_numbers(MANY, ROWS).T.copy(), *parameters(draw, MANY)), within=ROUGHLY)


@exercise.property(points=0.5, needs="normalizes_each_sample")
def leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves x, gamma and beta as they were"""
    leaves_alone(f, layer(draw, Problem(5, 3)))


# --------------------------------------------------------------------------------------------------------- its steps

in_steps(exercise, WORDS)
add_mistakes(
    exercise,
    WORDS,
    "You subtract the mean but do not divide by the standard deviation, so a sample with large values still counts for "
    "more than one with small values.",
)
add_counts(
    exercise,
    WORDS,
    "You divide by N, the number of samples (len(x) is N). Each sum runs over the features of one sample and has D "
    "terms, x.shape[1]: divide by D. The two agree only when N = D.",
    lambda at: len(at.x),
)
read_y(exercise, WORDS, "sample", counts_of(WORDS, Factor("N", lambda at: len(at.x), "N"), *STD_FACTORS))


# ------------------------------------------------------------------------------------------- mistakes of the whole


add_other_axes(
    exercise,
    WORDS,
    "normalizes_over_the_batch",
    "You average over the batch (axis=0), which is batch normalization. Layer normalization takes mean and variance of "
    "each sample over its own features (axis=1), so that no sample depends on the others.",
    over_axes(0),
)
add_other_axes(
    exercise,
    WORDS,
    "one_statistic_for_the_matrix",
    "You average over the whole matrix at once, so the samples still depend on each other. Each row gets its own mean "
    "and its own variance: axis=1 in both, with keepdims=True.",
    over_axes(0, 1),
)
add_other_axes(
    exercise,
    WORDS,
    "statistics_across_the_columns",
    "Your mean or variance has shape (N,), and against (N, D) that broadcasts along the columns: feature j gets the "
    "statistics of sample j. Keep the axis (keepdims=True), so that it has shape (N, 1). Your version runs only when "
    "N = D.",
    lambda at, values: values.mean(axis=1),
)


@exercise.misconception(Kind.ERROR, "layer-norm", about="gamma beta")
def parameters_down_the_rows(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> Any:
    """You spread gamma and beta down the rows, so that sample i gets the parameters of feature i. The statistics belong
    to the samples, but gamma and beta still belong to the features: shape (D,) broadcasts by itself. Your version has
    the right shape only when N = D."""
    mean, var = moments(x, 1)
    return gamma[:, None] * (x - mean) / np.sqrt(var + eps) + beta[:, None], None


@exercise.misconception(Kind.ERROR, "layer-norm", sentences.WHOLE_NUMBER_BUFFER)
def whole_number_buffer(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> Any:
    """The output is an array like x."""
    y = np.empty_like(x)
    y[:] = normalized(x, *moments(x, 1), gamma, beta, eps)[0]
    return y, None


@exercise.another_way("whole_number_buffer")
def whole_number_x_hat(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> Any:
    """The normalized values are an array like x."""
    x_hat = np.empty_like(x)
    x_hat[:] = normalized(x, *moments(x, 1), 1.0, 0.0, eps)[0]
    return gamma * x_hat + beta, None


@exercise.misconception(Kind.CONTRACT, "layer-norm", sentences.CHANGES_ITS_INPUT)
def changes_its_input(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> Any:
    """Centres in place."""
    mean, var = moments(x, 1)
    x -= mean
    return gamma * x / np.sqrt(var + eps) + beta, None


@exercise.misconception(Kind.CONTRACT, "layer-norm")
def cache_missing(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> Any:
    """You return y alone. The exercise asks for (y, cache): the backward pass will need what was computed on the way,
    and whoever calls your function unpacks two values. Any cache will do here, even None."""
    return normalized(x, *moments(x, 1), gamma, beta, eps)[0]
