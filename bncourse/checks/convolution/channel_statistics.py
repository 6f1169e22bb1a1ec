"""What is asked of `channel_statistics`, and how is it got wrong?

Which values share a mean, and how many they are: the mistakes are those of `batchnorm2d_forward` in its first steps.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from ... import functional as reference
from .. import sentences
from ..answers import Array
from ..asking import Asked
from ..calling import Signature
from ..draw import Draw
from ..exercise import Arguments, Exercise, Kind, Problem
from ..inputs import ROUGHLY, images, leaves_alone
from ..reading import Reading, Term
from .batchnorm2d_forward import batchnorm2d_forward, rows_of, strips_of
from .channels import AXES
from .inputs import (
    COUNTS,
    CUBE,
    FOUR_IMAGES,
    MANY,
    PROBES,
    SHAPES,
    SMALL,
    SQUARE,
    TALL,
    TWO_CHANNELS,
    TWO_IMAGES,
    WHOLE,
    many_images,
)

Pair = tuple[Any, Any]


def batch_of_images(draw: Draw, problem: Problem) -> Arguments:
    """The argument of channel_statistics."""
    return (images(draw, problem),)


def scale_of_statistics(arguments: Arguments) -> Mapping[str, Array]:
    """A mean is off by a rounding of max|x|; a variance, by way of E[x²] - E[x]², by one of max|x|²."""
    largest = np.abs(arguments[0]).max(axis=AXES)
    return {"mean": 1.0 * largest, "var": 1.0 * largest * largest}


channel_statistics = Exercise(
    Signature("channel_statistics", ("x",), ("mean", "var"), reference.channel_statistics),
    problem=batch_of_images,
    scale=scale_of_statistics,
    smallest=tuple((x,) for x in (SMALL, TWO_IMAGES, TALL, WHOLE, TWO_CHANNELS, FOUR_IMAGES, SQUARE, CUBE)),
    section="conv-axes",
    axes={"x": "NCHW"},
    probes=PROBES,
)
exercise = channel_statistics


@exercise.property(points=0.5, nudge="How many means are there for images of three channels?")
def one_mean_and_variance_per_channel(f: Asked, draw: Draw) -> None:
    """answers with (mean, var), each with one number per channel, shape (C,)"""
    f(batch_of_images(draw, Problem(3, 4, H=2, W=5)))


@exercise.property(points=2.5, nudge="Which values of the batch share one mean? How many values are that?")
def mean_over_all_pixels(f: Asked, draw: Draw) -> None:
    """averages each channel over all pixels of all images"""
    f.agrees((many_images(draw),), within=ROUGHLY, only=("mean",))


@exercise.property(
    points=2, nudge="About which mean do the squares of the distances go, and how many squares are there?"
)
def variance_over_all_pixels(f: Asked, draw: Draw) -> None:
    """gives the mean square distance of all those values from the mean of their channel"""
    f.agrees((many_images(draw),), within=ROUGHLY, only=("var",))


@exercise.property(
    points=0.5,
    section="conv-unbiased",
    nudge="Two images of one pixel each, 1 and 3: which variance has the layer to divide by?",
)
def statistics_right_to_rounding(f: Asked, draw: Draw) -> None:
    """is right to rounding for images of any shape: the variance divides by N·H·W, not N·H·W - 1"""
    for problem in SHAPES:
        f.agrees(batch_of_images(draw, problem))


@exercise.property(points=0.5, needs="mean_over_all_pixels", nudge="Does any line write into x?")
def statistics_leave_x_alone(f: Asked, draw: Draw) -> None:
    """leaves x as it was"""
    leaves_alone(f, batch_of_images(draw, MANY))


# ------------------------------------------------------------------------------------------------------------ its steps

steps = exercise.in_steps()


@steps.step
def axes(at: Any) -> Any:
    """the axes whose values share a mean: images, rows and columns"""
    return AXES


@steps.step
def N(at: Any) -> Any:
    """the number of values that share a mean: N·H·W"""
    return prod(at.x.shape[axis] for axis in at.axes)


@steps.step
def mean(at: Any) -> Any:
    """the mean of each channel over all pixels of all images"""
    return at.x.sum(axis=at.axes) / at.N


@steps.step
def var(at: Any) -> Any:
    """the mean square distance from that mean: a sum divided by N·H·W"""
    return ((at.x - np.expand_dims(at.mean, at.axes)) ** 2).sum(axis=at.axes) / at.N


SENTENCES = {
    "sum_instead_of_mean": (
        "You give the sum of a channel where its mean belongs: divide by the number of its values, N·H·W. Your sum "
        "grows with the batch and with the size of the images."
    ),
    "unbiased_variance": (
        "Your variance divides by N·H·W - 1. That is the unbiased estimate of statistics (ddof=1 in NumPy), and what "
        "PyTorch keeps as the running variance; the normalization itself, and this exercise, divide by N·H·W."
    ),
    "statistics_along_axis_1": (
        "You average over axis 1, the channels, and keep the images apart, as layer normalization does. The channel is "
        "what batch normalization keeps apart: average over all the other axes, 0, 2 and 3."
    ),
}
exercise.copy(
    batchnorm2d_forward,
    "statistics_of_each_image",
    "statistics_of_each_pixel",
    "statistics_over_part_of_the_axes",
    "channels_last",
    "one_statistic_for_all_channels",
    "statistics_along_axis_1",
    "divides_by_the_images_only",
    "divides_by_the_pixels_only",
    "sum_instead_of_mean",
    "variances_of_images_averaged",
    "variance_of_image_means",
    "unbiased_variance",
    "deviation_for_variance",
    "mean_absolute_deviation",
    "squares_not_centred",
    "squares_not_averaged",
)
exercise.misconceptions[:] = [
    replace(entry, sentence=SENTENCES.get(entry.identifier, entry.sentence)) for entry in exercise.misconceptions
]


def means_over(wrong: tuple[int, ...], keepdims: bool = False) -> Any:
    """Mean and variance over these axes."""
    return lambda x: (x.mean(axis=wrong, keepdims=keepdims), x.var(axis=wrong, keepdims=keepdims))


for identifier, wrong_axes in (
    ("statistics_of_each_image", (2, 3)),
    ("statistics_of_each_pixel", (0,)),
    ("statistics_over_part_of_the_axes", (0, 2)),
    ("channels_last", (0, 1, 2)),
    ("one_statistic_for_all_channels", (0, 1, 2, 3)),
    ("statistics_along_axis_1", (1,)),
):
    exercise.another_way(identifier)(means_over(wrong_axes, keepdims=True))
for wrong_axes in ((0, 3), (2,), (3,)):
    exercise.another_way("statistics_over_part_of_the_axes")(means_over(wrong_axes))
exercise.another_way("statistics_along_axis_1")(means_over((1, 2, 3)))
exercise.another_way("sum_instead_of_mean")(lambda x: (x.sum(axis=AXES), x.var(axis=AXES)))


@exercise.misconception(Kind.ERROR, "conv-axes", about="mean var axes N x")
def reshaped_without_transposing(x: Array) -> Pair:
    """You reshape x without moving the channel axis first. In (N, C, H, W) neighbours in memory belong to one channel,
    so your rows and columns mix channels: transpose to (N, H, W, C) before you reshape to (-1, C)."""
    return rows_of(x).mean(axis=0), rows_of(x).var(axis=0)


@exercise.another_way("reshaped_without_transposing")
def one_row_a_channel_without_moving_it(x: Array) -> Pair:
    """As (C, -1), without moving the channels to the front."""
    return strips_of(x).mean(axis=0), strips_of(x).var(axis=0)


@exercise.misconception(Kind.CONTRACT, "conv-axes")
def mean_and_variance_swapped(x: Array) -> Pair:
    """You return the variance first. The exercise asks for (mean, var): whoever unpacks them in this order gets each
    under the other's name."""
    return x.var(axis=AXES), x.mean(axis=AXES)


@exercise.misconception(Kind.CONTRACT, "conv-axes", sentences.CHANGES_ITS_INPUT)
def changes_its_input(x: Array) -> Pair:
    """Centres in place."""
    mean, var = x.mean(axis=AXES), x.var(axis=AXES)
    x -= mean[:, None, None] + 1
    return mean, var


exercise.read(
    Reading(
        "mean",
        terms=(Term("", "the mean of the channel", lambda at: at.mean, "conv-axes"),),
        factors=COUNTS,
        vary=("x",),
    )
)
exercise.read(
    Reading(
        "var",
        terms=(
            Term("var", "the mean square distance", lambda at: at.var, "conv-axes", "", "var"),
            Term(
                "mean",
                "a multiple of the square of the mean",
                lambda at: at.mean**2,
                "conv-axes",
                "Adding a constant to all pixels must not change a variance.",
                "mean",
                foreign=True,
            ),
        ),
        factors=COUNTS,
        vary=("x",),
    )
)
