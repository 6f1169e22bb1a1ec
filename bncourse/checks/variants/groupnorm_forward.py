"""What is asked of `groupnorm_forward`, and how is it got wrong?"""

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
from .inputs import FEW_PIXELS, GROUPS, MANY_PIXELS, WHOLE_IMAGES, groups, images_in, scale_of_groups
from .statistics import (
    Average,
    Words,
    add_counts,
    add_mistakes,
    add_other_axes,
    counts_of,
    in_steps,
    normalized,
    over_axes,
    read_y,
)
from .sums import spread

WORDS = Words("group normalization", "group", "values", "M", "group-norm")

TWO = np.array([[[[1.0]], [[3.0]]]])  # mean 2, variance 1
FOUR = np.array([1.0, 3.0, 2.0, 6.0]).reshape(1, 4, 1, 1)  # groups of means 2 and 4, variances 1 and 4
BATCH = np.array([1.0, 3.0, 2.0, 6.0]).reshape(2, 2, 1, 1)  # the same in two images
SQUARE = np.array([[[[1.0, 3.0]], [[5.0, 7.0]]]])  # mean 4, variance 5
SIX = np.array([1.0, 3.0, 2.0, 6.0, 4.0, 4.0]).reshape(1, 6, 1, 1)  # three groups of two channels
ONE = np.ones(2)

groupnorm_forward = Exercise(
    Signature(
        "groupnorm_forward",
        ("x", "gamma", "beta", "groups", "eps"),
        ("y", "cache"),
        reference.groupnorm_forward,
        opaque=frozenset({"cache"}),
    ),
    problem=groups,
    scale=scale_of_groups,
    smallest=(
        (TWO, np.array([2.0, 1.0]), np.array([5.0, 0.0]), 1, 3.0),
        (np.array([[[[1.0]], [[1.002]]]]), ONE, 0 * ONE, 1),
        (np.array([[[[2.0]], [[2.0]]]]), 2 * ONE, 5 * ONE, 1),
        (np.array([[[[1]], [[2]]]]), ONE, 0 * ONE, 1, 3.75),
        (BATCH, np.array([2.0, 1.0]), np.array([5.0, 0.0]), 1, 3.0),
        (SQUARE, ONE, 0 * ONE, 1, 4.0),
        (FOUR, np.array([2.0, 1.0, 1.0, 1.0]), np.array([5.0, 0.0, 0.0, 0.0]), 2, 3.0),
        (SIX, np.ones(6), np.zeros(6), 3, 3.0),
    ),
    section="group-norm",
    axes={"x": "NCHW", "gamma": "C", "beta": "C"},
    probes=GROUPS,
    whole_probes=WHOLE_IMAGES,
)
exercise = groupnorm_forward


def plain_layer(x: Array, groups: int, *eps: float) -> Arguments:
    """A layer whose gamma and beta do nothing."""
    return (x, np.ones(x.shape[1]), np.zeros(x.shape[1]), groups, *eps)


@exercise.property(points=0.5)
def answers_with_y_and_cache(f: Asked, draw: Draw) -> None:
    """answers with (y, cache), y of x's shape, (N, C, H, W)"""
    arguments = groups(draw, Problem(4, 3))
    f(arguments)
    if f.outcome(arguments).alone:
        raise Refused("groupnorm_forward returned y alone, expected 2 values: (y, cache).")


@exercise.property(points=3, nudge="With 6 channels in 3 groups, which channels share a mean? And which axes?")
def normalizes_each_group(f: Asked, draw: Draw) -> None:
    """gives each group of neighbouring channels of each image mean 0 and variance near 1 (gamma = 1, beta = 0)"""
    x, _, _, asked = groups(draw, MANY_PIXELS)
    f.agrees(plain_layer(x, asked), within=ROUGHLY)


@exercise.property(points=0.5, nudge="What is group normalization with one group? And with a group for each channel?")
def takes_any_number_of_groups(f: Asked, draw: Draw) -> None:
    """takes one group (the whole image) and as many groups as channels (instance normalization), too"""
    for asked in (1, 3):
        f.agrees(plain_layer(images_in(draw, MANY_PIXELS, 3, asked), asked), within=ROUGHLY)


@exercise.property(points=1, nudge="How many numbers has gamma: one per group, or one per channel?")
def scales_and_shifts_each_channel(f: Asked, draw: Draw) -> None:
    """multiplies each channel by its gamma, then adds its beta"""
    f.agrees(groups(draw, MANY_PIXELS), within=ROUGHLY)


@exercise.property(points=0.5, nudge="How many numbers are added up in one variance? Is that what you divide by?")
def group_norm_divides_by_M(f: Asked, draw: Draw) -> None:
    """uses the biased variance, a sum divided by the number of values in a group, and is right to rounding"""
    for problem in FEW_PIXELS:
        f.agrees(groups(draw, problem))


@exercise.property(points=1, nudge="Call it with eps = 3 on a group of variance 1: what should it divide by?")
def follows_eps(f: Asked, draw: Draw) -> None:
    """adds the eps it was given to the variance, under the root"""
    x, _, _, asked = groups(draw, MANY_PIXELS)
    f.agrees(plain_layer(0.2 * x, asked, 0.1), within=ROUGHLY)


@exercise.property(points=0.5, nudge="What comes out for a group whose values are all alike?")
def default_eps(f: Asked, draw: Draw) -> None:
    """uses eps = 1e-5 when none is given, so that a group whose values are all alike gives beta, not NaN"""
    x, _, _, asked = groups(draw, Problem(2, 3, H=14, W=14))
    x[0, : x.shape[1] // asked] = 2.5
    f.agrees(plain_layer(x, asked), within=ROUGHLY)


@exercise.property(points=0.5)
def takes_whole_numbers(f: Asked, draw: Draw) -> None:
    """takes whole numbers without losing what is behind the point"""
    f.agrees(groups(draw, Problem(2, 3, H=14, W=14, whole=True)), within=ROUGHLY)


@exercise.property(points=0.5, needs="normalizes_each_group")
def leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves x, gamma and beta as they were"""
    leaves_alone(f, groups(draw, Problem(4, 3)))


# --------------------------------------------------------------------------------------------------------- its steps

in_steps(exercise, WORDS)
add_mistakes(
    exercise,
    WORDS,
    "You subtract the mean but do not divide by the standard deviation, so a group with large values still counts for "
    "more than one with small values.",
)
add_counts(
    exercise,
    WORDS,
    "You divide by another number than M = H·W·C/groups. Each sum runs over the pixels of all channels of one group of "
    "one image, and has that many terms.",
    lambda at: at.x[0, 0].size,
    lambda at: at.x[0].size,
    lambda at: at.x.shape[1] // at.groups,
    lambda at: len(at.x) * at.x[0].size // at.groups,
    lambda at: len(at.x) * at.x[0, 0].size,
    lambda at: len(at.x),
)
read_y(
    exercise,
    WORDS,
    "feature",
    counts_of(
        WORDS, q.GAMMA, q.BETA, Factor("N", lambda at: len(at.x), "N"), Factor("C", lambda at: at.x.shape[1], "N")
    ),
)


# -------------------------------------------------------------------------------------------- which values go together


def over(values: Array, shape: tuple[int, ...], *axes: int) -> Any:
    """The means over these axes of the values in this shape, once for every value."""
    arranged = values.reshape(shape)
    return np.broadcast_to(arranged.mean(axis=axes, keepdims=True), arranged.shape).reshape(values.shape)


def cut(values: Array, groups: int) -> tuple[int, ...]:
    """The shape with neighbouring channels in groups: (N, groups, C/groups, H, W)."""
    N, C, H, W = values.shape
    return (N, groups, C // groups, H, W)


def of_neighbours(*axes: int) -> Average:
    """The mean over these axes of (N, groups, C/groups, H, W)."""
    return lambda at, values: over(values, cut(values, at.groups), *axes)


def of_dealt_channels(at: Any, values: Array) -> Any:
    """The mean of channels 0, groups, 2·groups, ... together."""
    N, C, H, W = values.shape
    return over(values, (N, C // at.groups, at.groups, H, W), 1, 3, 4)


def of_rows_of_pixels(at: Any, values: Array) -> Any:
    """The mean of what a reshape of (N, H, W, C) takes for groups."""
    moved = np.ascontiguousarray(np.moveaxis(values, 1, 3))
    return np.moveaxis(over(moved, (len(values), at.groups, -1), 2), 3, 1)


add_other_axes(
    exercise,
    WORDS,
    "groups_ignored",
    "You take one mean and one variance for all channels of an image, as if there were one group. Cut the channels "
    "into as many groups as asked for first, each with statistics of its own.",
    over_axes(1, 2, 3),
)
add_other_axes(
    exercise,
    WORDS,
    "a_group_for_each_channel",
    "You normalize every channel by itself, axes (2, 3), which is instance normalization. The channels of a group "
    "share one mean and one variance.",
    over_axes(2, 3),
)
add_other_axes(
    exercise,
    WORDS,
    "groups_taken_for_their_size",
    "You take groups for the number of channels in a group. It is the number of groups: each has C/groups channels. "
    "The two agree only when C is its square.",
    lambda at, values: over(values, cut(values, values.shape[1] // at.groups), 2, 3, 4),
)
add_other_axes(
    exercise,
    WORDS,
    "interleaved_groups",
    "You deal the channels out like cards, 0, groups, 2·groups, ... into the first group. A group is made of "
    "neighbours: the first C/groups channels are the first group. In the reshape, groups stands before C/groups.",
    of_dealt_channels,
)
add_other_axes(
    exercise,
    WORDS,
    "groups_of_something_else",
    "You cut another axis than that of the channels into groups. Axis 1 of (N, C, H, W) is cut: reshape to (N, groups, "
    "C/groups, H, W), where every image and every pixel stays whole.",
    of_rows_of_pixels,
    lambda at, values: over(values, (at.groups, -1), 1),
)
add_other_axes(
    exercise,
    WORDS,
    "normalizes_over_the_batch",
    "You average over the batch as well. In group normalization each image has statistics of its own, so that no image "
    "depends on the others and the size of the batch does not matter.",
    of_neighbours(0, 2, 3, 4),
    over_axes(0, 2, 3),
)
add_other_axes(
    exercise,
    WORDS,
    "one_statistic_for_everything",
    "You take one mean or one variance of the whole array. Each group of channels of each image gets its own: average "
    "over the channels of a group and their pixels only.",
    over_axes(0, 1, 2, 3),
)
add_other_axes(
    exercise,
    WORDS,
    "averages_over_part_of_the_pixels",
    "You do not average over all pixels of a group, so its pixels, or its rows or columns of pixels, get statistics of "
    "their own. A group has one mean and one variance: over its channels, the height and the width.",
    of_neighbours(2),
    of_neighbours(2, 4),
    of_neighbours(2, 3),
)

Values = tuple[Any, None]


def of_groups(x: Array, groups: int) -> tuple[Any, Any]:
    """The right mean and variance."""
    shape = cut(x, groups)
    mean = over(x, shape, 2, 3, 4)
    return mean, over((x - mean) ** 2, shape, 2, 3, 4)


# ----------------------------------------------------------------------------------------------------- gamma and beta


@exercise.misconception(Kind.ERROR, "group-norm", about="gamma beta")
def parameters_per_group(x: Array, gamma: Array, beta: Array, groups: int, eps: float = EPS) -> Values:
    """You use one gamma and one beta for a whole group. Mean and variance belong to the group, but gamma and beta
    belong to the channels: there are C of them, and each channel gets its own."""
    first = np.arange(groups) * (x.shape[1] // groups)
    return normalized(x, *of_groups(x, groups), once_a_channel(gamma[first], x), once_a_channel(beta[first], x), eps)


def once_a_channel(per_group: Array, x: Array) -> Array:
    """One number per group, once for each of its channels."""
    return np.repeat(per_group, x.shape[1] // len(per_group))


@exercise.another_way("parameters_per_group")
def the_first_parameters(x: Array, gamma: Array, beta: Array, groups: int, eps: float = EPS) -> Values:
    """The first few, as if there were one per group."""
    mean, var = of_groups(x, groups)
    return normalized(x, mean, var, once_a_channel(gamma[:groups], x), once_a_channel(beta[:groups], x), eps)


@exercise.another_way("parameters_per_group")
def parameters_averaged_in_a_group(x: Array, gamma: Array, beta: Array, groups: int, eps: float = EPS) -> Values:
    """Their mean."""
    gammas, betas = gamma.reshape(groups, -1).mean(axis=1), beta.reshape(groups, -1).mean(axis=1)
    return normalized(x, *of_groups(x, groups), once_a_channel(gammas, x), once_a_channel(betas, x), eps)


@exercise.misconception(Kind.ERROR, "group-norm", about="gamma beta")
def parameters_by_place_in_the_group(x: Array, gamma: Array, beta: Array, groups: int, eps: float = EPS) -> Values:
    """You give the channels of every group the same few gammas and betas, those of the first group. Each of the C
    channels has its own: multiply when the result has its shape (N, C, H, W) back."""
    size = x.shape[1] // groups
    mean, var = of_groups(x, groups)
    return normalized(x, mean, var, np.tile(gamma[:size], groups), np.tile(beta[:size], groups), eps)


@exercise.misconception(Kind.ERROR, "group-norm", about="gamma beta")
def parameters_along_the_width(x: Array, gamma: Array, beta: Array, groups: int, eps: float = EPS) -> Values:
    """Your gamma and beta have shape (C,), and against (N, C, H, W) that broadcasts along the width. They belong to the
    channels: give them the shape (1, C, 1, 1). Your version runs only when C = W."""
    mean, var = of_groups(x, groups)
    return gamma * (x - mean) / np.sqrt(var + eps) + beta, None


# ---------------------------------------------------------------------------------------------- what is agreed on


@exercise.misconception(Kind.ERROR, "group-norm", sentences.WHOLE_NUMBER_BUFFER)
def whole_number_buffer(x: Array, gamma: Array, beta: Array, groups: int, eps: float = EPS) -> Values:
    """The output is an array like x."""
    y = np.empty_like(x)
    y[:] = normalized(x, *of_groups(x, groups), gamma, beta, eps)[0]
    return y, None


@exercise.another_way("whole_number_buffer")
def whole_number_x_hat(x: Array, gamma: Array, beta: Array, groups: int, eps: float = EPS) -> Values:
    """The normalized values are an array like x."""
    x_hat = np.empty_like(x)
    x_hat[:] = normalized(x, *of_groups(x, groups), np.ones(1), np.zeros(1), eps)[0]
    return spread(gamma, x) * x_hat + spread(beta, x), None


@exercise.misconception(Kind.CONTRACT, "group-norm", sentences.CHANGES_ITS_INPUT)
def changes_its_input(x: Array, gamma: Array, beta: Array, groups: int, eps: float = EPS) -> Values:
    """Centres in place."""
    mean, var = of_groups(x, groups)
    x -= mean
    return spread(gamma, x) * x / np.sqrt(var + eps) + spread(beta, x), None


@exercise.misconception(Kind.CONTRACT, "group-norm")
def cache_missing(x: Array, gamma: Array, beta: Array, groups: int, eps: float = EPS) -> Any:
    """You return y alone. The exercise asks for (y, cache): the backward pass will need what was computed on the way,
    and whoever calls your function unpacks two values. Any cache will do here, even None."""
    return normalized(x, *of_groups(x, groups), gamma, beta, eps)[0]
