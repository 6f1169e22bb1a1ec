"""What is asked of `instancenorm_forward`, and how is it got wrong?"""

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
from ..inputs import EPS, ROUGHLY, leaves_alone
from ..reading import Factor
from .inputs import FEW_PIXELS, IMAGES, MANY_PIXELS, WHOLE_IMAGES, instances, scale_of_instances
from .statistics import (
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
from .sums import spread

WORDS = Words("instance normalization", "channel", "pixels", "M", "instance-norm")

TWO = np.array([[[[1.0, 3.0]]]])  # mean 2, variance 1
CHANNELS = np.array([[[[1.0, 3.0]], [[2.0, 6.0]]]])  # means 2 and 4, variances 1 and 4
BATCH = np.array([[[[1.0, 3.0]]], [[[2.0, 6.0]]]])  # the same in two images
SQUARE = np.array([[[[1.0, 3.0], [5.0, 7.0]]]])  # mean 4, variance 5
ONE = np.ones(1)

instancenorm_forward = Exercise(
    Signature(
        "instancenorm_forward",
        ("x", "gamma", "beta", "eps"),
        ("y", "cache"),
        reference.instancenorm_forward,
        opaque=frozenset({"cache"}),
    ),
    problem=instances,
    scale=scale_of_instances,
    smallest=(
        (TWO, 2 * ONE, 5 * ONE, 3.0),
        (np.array([[[[1.0, 1.002]]]]), ONE, 0 * ONE),
        (np.array([[[[2.0, 2.0]]]]), 2 * ONE, 5 * ONE),
        (np.array([[[[1, 2]]]]), ONE, 0 * ONE, 3.75),
        (BATCH, 2 * ONE, 5 * ONE, 3.0),
        (SQUARE, ONE, 0 * ONE, 4.0),
        (CHANNELS, np.array([2.0, 1.0]), np.array([5.0, 0.0]), 3.0),
    ),
    section="instance-norm",
    axes={"x": "NCHW", "gamma": "C", "beta": "C"},
    probes=IMAGES,
    whole_probes=WHOLE_IMAGES,
)
exercise = instancenorm_forward


def plain_layer(x: Array, *eps: float) -> Arguments:
    """A layer whose gamma and beta do nothing."""
    return (x, np.ones(x.shape[1]), np.zeros(x.shape[1]), *eps)


@exercise.property(points=0.5)
def answers_with_y_and_cache(f: Asked, draw: Draw) -> None:
    """answers with (y, cache), y of x's shape, (N, C, H, W)"""
    arguments = instances(draw, Problem(4, 3))
    f(arguments)
    if f.outcome(arguments).alone:
        raise Refused("instancenorm_forward returned y alone, expected 2 values: (y, cache).")


@exercise.property(points=2, nudge="Which of the four axes of x go into one mean, and which of them stay?")
def normalizes_each_channel_of_each_image(f: Asked, draw: Draw) -> None:
    """gives each channel of each image mean 0 and variance near 1 over its pixels (gamma = 1, beta = 0)"""
    f.agrees(plain_layer(instances(draw, MANY_PIXELS)[0]), within=ROUGHLY)


@exercise.property(points=1, nudge="Along which axis do the numbers of gamma lie? Which shape broadcasts like that?")
def scales_and_shifts_each_channel(f: Asked, draw: Draw) -> None:
    """multiplies each channel by its gamma, then adds its beta"""
    f.agrees(instances(draw, MANY_PIXELS), within=ROUGHLY)


@exercise.property(points=0.5, nudge="How many numbers are added up in one variance? Is that what you divide by?")
def instance_norm_divides_by_M(f: Asked, draw: Draw) -> None:
    """uses the biased variance, a sum divided by H·W, and is right to rounding for images of any shape"""
    for problem in FEW_PIXELS:
        f.agrees(instances(draw, problem))


@exercise.property(points=0.5, nudge="Call it with eps = 3 on a channel of variance 1: what should it divide by?")
def follows_eps(f: Asked, draw: Draw) -> None:
    """adds the eps it was given to the variance, under the root"""
    f.agrees(plain_layer(0.2 * instances(draw, MANY_PIXELS)[0], 0.1), within=ROUGHLY)


@exercise.property(points=0.5, nudge="What comes out for a channel of one colour?")
def default_eps(f: Asked, draw: Draw) -> None:
    """uses eps = 1e-5 when none is given, so that a channel of one colour gives beta, not NaN"""
    x = instances(draw, Problem(2, 3, H=14, W=14))[0]
    x[0, 0] = 2.5
    f.agrees(plain_layer(x), within=ROUGHLY)


@exercise.property(points=0.5)
def takes_whole_numbers(f: Asked, draw: Draw) -> None:
    """takes whole numbers without losing what is behind the point"""
    f.agrees(instances(draw, Problem(2, 3, H=14, W=14, whole=True)), within=ROUGHLY)


@exercise.property(points=0.5, needs="normalizes_each_channel_of_each_image")
def leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves x, gamma and beta as they were"""
    leaves_alone(f, instances(draw, Problem(4, 3)))


# --------------------------------------------------------------------------------------------------------- its steps

in_steps(exercise, WORDS)
add_mistakes(
    exercise,
    WORDS,
    "You subtract the mean but do not divide by the standard deviation, so a picture of high contrast still counts for "
    "more than a pale one.",
)
add_counts(
    exercise,
    WORDS,
    "You divide by another number than M = H·W. Each sum runs over the pixels of one channel of one image: the other "
    "images and the other channels have sums of their own.",
    lambda at: len(at.x) * at.x[0, 0].size,
    lambda at: len(at.x),
    lambda at: at.x.shape[1],
    lambda at: at.x.shape[2],
    lambda at: at.x.shape[3],
    lambda at: at.x[0].size,
)
read_y(
    exercise,
    WORDS,
    "feature",
    counts_of(
        WORDS, q.GAMMA, q.BETA, Factor("N", lambda at: len(at.x), "N"), Factor("C", lambda at: at.x.shape[1], "N")
    ),
)


# ------------------------------------------------------------------------------------------- mistakes of the whole

Values = tuple[Any, None]


add_other_axes(
    exercise,
    WORDS,
    "normalizes_over_the_batch",
    "You average over the batch as well, axes (0, 2, 3), which is batch normalization. Instance normalization takes "
    "each image by itself, axes (2, 3), so that no image depends on the others.",
    over_axes(0, 2, 3),
    over_axes(0),
)
add_other_axes(
    exercise,
    WORDS,
    "normalizes_over_the_channels",
    "You average over the channels as well, axes (1, 2, 3), so that all channels of an image share one mean. In "
    "instance normalization each channel has its own: axes (2, 3) only.",
    over_axes(1, 2, 3),
    over_axes(1),
)
add_other_axes(
    exercise,
    WORDS,
    "one_statistic_for_everything",
    "You take one mean or one variance of the whole array. Each channel of each image gets its own: average over the "
    "pixels only, axes (2, 3).",
    over_axes(0, 1, 2, 3),
)
add_other_axes(
    exercise,
    WORDS,
    "averages_over_part_of_the_pixels",
    "You average over one of the axes of height and width only, so each row or column of pixels gets statistics of its "
    "own. A channel of an image has one mean and one variance: axes (2, 3) together.",
    over_axes(3),
    over_axes(2),
)


@exercise.misconception(Kind.ERROR, "instance-norm", about="mean var axis")
def channels_taken_to_be_last(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> Values:
    """You take the last axis for the channels and average over axes (1, 2). In this course images are (N, C, H, W), as
    in PyTorch: the pixels are axes (2, 3). (N, H, W, C) is the order of Keras."""
    return normalized(x, *moments(x, 1, 2), gamma, beta, eps)


@exercise.another_way("channels_taken_to_be_last")
def channels_and_parameters_last(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> Values:
    """Gamma and beta along the last axis, too."""
    mean, var = moments(x, 1, 2)
    return gamma * (x - mean) / np.sqrt(var + eps) + beta, None


@exercise.misconception(Kind.ERROR, "instance-norm", about="gamma beta")
def parameters_along_the_width(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> Values:
    """Your gamma and beta have shape (C,), and against (N, C, H, W) that broadcasts along the width. They belong to the
    channels: give them the shape (1, C, 1, 1). Your version runs only when C = W."""
    mean, var = moments(x, 2, 3)
    return gamma * (x - mean) / np.sqrt(var + eps) + beta, None


@exercise.misconception(Kind.ERROR, "instance-norm", sentences.WHOLE_NUMBER_BUFFER)
def whole_number_buffer(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> Values:
    """The output is an array like x."""
    y = np.empty_like(x)
    y[:] = normalized(x, *moments(x, 2, 3), gamma, beta, eps)[0]
    return y, None


@exercise.another_way("whole_number_buffer")
def whole_number_x_hat(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> Values:
    """The normalized values are an array like x."""
    x_hat = np.empty_like(x)
    x_hat[:] = normalized(x, *moments(x, 2, 3), np.ones(1), np.zeros(1), eps)[0]
    return spread(gamma, x) * x_hat + spread(beta, x), None


@exercise.misconception(Kind.CONTRACT, "instance-norm", sentences.CHANGES_ITS_INPUT)
def changes_its_input(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> Values:
    """Centres in place."""
    mean, var = moments(x, 2, 3)
    x -= mean
    return spread(gamma, x) * x / np.sqrt(var + eps) + spread(beta, x), None


@exercise.misconception(Kind.CONTRACT, "instance-norm")
def cache_missing(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> Any:
    """You return y alone. The exercise asks for (y, cache): the backward pass will need what was computed on the way,
    and whoever calls your function unpacks two values. Any cache will do here, even None."""
    return normalized(x, *moments(x, 2, 3), gamma, beta, eps)[0]
