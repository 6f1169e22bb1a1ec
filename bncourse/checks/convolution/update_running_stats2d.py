"""What is asked of `update_running_stats2d`, and how is it got wrong?"""

from collections.abc import Callable
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
from ..inference.inputs import HALF, MOMENTUM
from ..inference.update_running_stats import either_way_round, update_running_stats
from ..inputs import EPS, ONE, ROUGHLY, leaves_alone, running_statistics
from ..reading import Factor, Reading, Term
from .channels import AXES, copy_over_channels, kept, spread
from .inputs import (
    COUNTS,
    FOUR_IMAGES,
    MANY,
    PROBES,
    SHAPES,
    SMALL,
    WHOLE,
    many_images,
    scale_of_update,
    update,
)

update_running_stats2d = Exercise(
    Signature(
        "update_running_stats2d",
        ("running_mean", "running_var", "x", "momentum"),
        ("new_mean", "new_var"),
        reference.update_running_stats2d,
    ),
    problem=update,
    scale=scale_of_update,
    smallest=(
        (0 * ONE, 4 * ONE, SMALL, HALF),
        (0 * ONE, 4 * ONE, SMALL, 0.25),
        (0 * ONE, ONE, SMALL),
        (0 * ONE, ONE, WHOLE, HALF),
        (0 * ONE, 4 * ONE, FOUR_IMAGES, HALF),
        (ONE, ONE, FOUR_IMAGES, 0.25),
    ),
    section="running-statistics",
    axes={"running_mean": "C", "running_var": "C", "x": "NCHW"},
    probes=PROBES,
)
exercise = update_running_stats2d


@exercise.property(points=0.5, section="conv-axes", nudge="How many running means does a layer of three channels have?")
def one_running_value_per_channel(f: Asked, draw: Draw) -> None:
    """answers with (new_mean, new_var), one number per channel each"""
    f(update(draw, Problem(3, 4, H=2, W=5)))


@exercise.property(
    points=1.75, section="conv-axes", nudge="Which values of the batch share one mean? How many values are that?"
)
def averages_old_and_new_mean(f: Asked, draw: Draw) -> None:
    """moves the running mean towards the mean of all pixels of a channel: momentum and 1 - momentum are the weights"""
    either_way_round(f, some_batches(draw, MOMENTUM), only=("new_mean",))


@exercise.property(
    points=2,
    nudge="Which two variances stand in the average that is asked for? About which mean is the batch's taken, and over "
    "which values?",
)
def averages_old_and_new_variance(f: Asked, draw: Draw) -> None:
    """moves the running variance towards the variance of all pixels of a channel, with the same weights"""
    either_way_round(f, some_batches(draw, MOMENTUM), within=ROUGHLY, only=("new_var",))


@exercise.property(
    points=1,
    nudge="What should come out if somebody calls your function with another momentum than 0.1? What does?",
)
def follows_momentum(f: Asked, draw: Draw) -> None:
    """uses the momentum it was given, also another than 0.1"""
    either_way_round(f, some_batches(draw, 0.3), within=ROUGHLY)


@exercise.property(
    points=0.25,
    section="running-conventions",
    nudge="With a momentum of 0.25, which of the two gets a quarter of the weight, the old value or the new one?",
)
def momentum_weighs_the_new(f: Asked, draw: Draw) -> None:
    """gives the weight momentum to the batch, and 1 - momentum to the old value"""
    f.agrees(some_batches(draw, 0.25), within=ROUGHLY)


@exercise.property(
    points=0.25, section="running-conventions", nudge="Which momentum do you use when the caller gives none?"
)
def default_momentum(f: Asked, draw: Draw) -> None:
    """uses momentum = 0.1 when none is given"""
    f.agrees(some_batches(draw), within=ROUGHLY)


@exercise.property(
    points=0.25, section="conv-unbiased", nudge="How many values does the variance of a channel sum up? Take one off."
)
def running_variance_is_unbiased(f: Asked, draw: Draw) -> None:
    """divides the squares of the batch by N·H·W - 1: the running variance takes the unbiased one"""
    for problem in SHAPES:
        mean, var, x = update(draw, Problem(problem.N, problem.D, H=problem.H, W=problem.W))
        f.agrees((mean, var, x, HALF))


@exercise.property(points=0.75, nudge="What is the variance of images that are grey everywhere? What remains then?")
def grey_images_add_nothing(f: Asked, draw: Draw) -> None:
    """adds nothing to the running variance for channels that never vary"""
    mean, var = running_statistics(draw, 3)
    x = np.zeros((2, 3, 2, 2)) + spread(np.array([1.25, -0.5, 2.0]))  # means that are exact in binary
    f.agrees((mean, var, x, HALF), only=("new_var",))


@exercise.property(points=0.5, section="batch-variance", nudge="Of which type is the array you write the result into?")
def updates_from_whole_numbers(f: Asked, draw: Draw) -> None:
    """takes images of whole numbers without losing what is behind the point"""
    x = draw.whole_numbers(MANY.N * MANY.H * MANY.W, 3, largest=1).reshape(MANY.N, MANY.H, MANY.W, 3)
    x = np.ascontiguousarray(np.moveaxis(x, 3, 1))  # a variance below 1: cut off, it is 0
    f.agrees((*running_statistics(draw, 3), x, HALF), within=ROUGHLY)


@exercise.property(
    points=0.75,
    needs="averages_old_and_new_mean",
    nudge="Whose arrays are running_mean and running_var? Does any line write into them?",
)
def update_leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """answers with new arrays, and leaves running_mean, running_var and x as they were"""
    leaves_alone(f, update(draw, Problem(3, 2)))


def some_batches(draw: Draw, *momentum: float) -> Arguments:
    """Many images after some others, whose means are not on the other side of 0: an average cancels nothing.

    Nor were those others so much more varied that a wrong variance of these would hardly count.
    """
    x = many_images(draw)
    mean, _ = running_statistics(draw, x.shape[1])
    var = x.var(axis=AXES) * draw.random.uniform(0.3, 0.5, x.shape[1])
    return (np.copysign(mean, x.mean(axis=AXES)), var, x, *momentum)


# ------------------------------------------------------------------------------------------------------------ its steps

steps = exercise.in_steps(momentum=MOMENTUM)


@steps.step
def axes(at: Any) -> Any:
    """the axes whose values share a mean: images, rows and columns"""
    return AXES


@steps.step
def N(at: Any) -> Any:
    """the number of values of each channel: N·H·W"""
    return prod(at.x.shape[axis] for axis in at.axes)


@steps.step
def old_weight(at: Any) -> Any:
    """the weight of the old value, 1 - momentum"""
    return 1.0 - at.momentum


@steps.step
def new_weight(at: Any) -> Any:
    """the weight of the batch's value, momentum"""
    return at.momentum


@steps.step
def mean(at: Any) -> Any:
    """the mean of each channel over all pixels of all images"""
    return kept(at.x.sum(axis=at.axes, keepdims=True)) / at.N


@steps.step
def new_mean(at: Any) -> Any:
    """old_weight times the old running mean, plus new_weight times the mean of the batch"""
    return at.old_weight * meeting(at.running_mean, at.mean) + at.new_weight * at.mean


@steps.step
def centred(at: Any) -> Any:
    """how far each value lies from its channel's mean"""
    return at.x - spread(at.mean)


@steps.step
def var(at: Any) -> Any:
    """the unbiased variance of the batch: the sum of the squared distances, divided by N·H·W - 1"""
    return squares(at) / (at.N - 1)


@steps.step
def new_var(at: Any) -> Any:
    """old_weight times the old running variance, plus new_weight times the variance of the batch"""
    return at.old_weight * meeting(at.running_var, at.var) + at.new_weight * at.var


def squares(at: Any) -> Any:
    """The sum of the squared distances."""
    return kept((at.centred**2).sum(axis=at.axes, keepdims=True))


def meeting(old: Array, new: Any) -> Any:
    """The old values, in a shape that meets statistics over wrong axes, which have more entries."""
    return spread(old) if np.ndim(new) == 4 else old


# ------------------------------------------------------------------------------------------- as in the dense exercise

copy_over_channels(
    exercise,
    update_running_stats,
    "momentum_the_other_way_round",
    "another_default_momentum",
    "momentum_ignored",
    "only_the_last_batch",
    "nothing_updated",
    "old_value_not_scaled_down",
    "batch_added_whole",
    "mean_not_updated",
    "variance_not_updated",
    "keeps_the_deviation",
    "squares_not_averaged",
    "variance_about_the_new_running_mean",
    "variance_about_the_old_running_mean",
    "squares_not_centred",
    "eps_in_the_running_variance",
)


for fixed in (MOMENTUM, 0.9):
    exercise.another_way("momentum_ignored", step="new_mean")(
        lambda at, fixed=fixed: (1 - fixed) * meeting(at.running_mean, at.mean) + fixed * at.mean
    )
    exercise.another_way("momentum_ignored", step="new_var")(
        lambda at, fixed=fixed: (1 - fixed) * meeting(at.running_var, at.var) + fixed * at.var
    )


@exercise.another_way("only_the_last_batch")
def only_the_last_batch_and_biased(running_mean: Array, running_var: Array, x: Array, momentum: float = 0.1) -> Any:
    """Its variance divided by N·H·W."""
    return x.mean(axis=AXES), x.var(axis=AXES)


@exercise.misconception(Kind.CONTRACT, "running-statistics", about="order")
def mean_and_variance_swapped(running_mean: Array, running_var: Array, x: Array, momentum: float = MOMENTUM) -> Any:
    """You return the variance first. The exercise asks for the new running mean first and the new running variance
    after it; whoever unpacks them gets each under the other's name."""
    return reference.update_running_stats2d(running_mean, running_var, x, momentum)[::-1]


# ------------------------------------------------------------------------------------- which variance of the batch


@exercise.misconception(Kind.CONVENTION, "running-conventions", step="var", about="var_divisor")
def biased_running_variance(at: Any) -> Any:
    """You divide the squares by N·H·W. That is what Keras, Flax and ONNX store; this course, like PyTorch and the 2015
    paper, stores the unbiased variance: divided by N·H·W - 1."""
    return squares(at) / at.N


@exercise.misconception(Kind.ERROR, "conv-unbiased", step="var", about="var_divisor")
def corrected_with_the_images_only(at: Any) -> Any:
    """You correct the variance with N/(N - 1), N the number of images. A channel's variance is over N·H·W values, all
    pixels of all images, so the factor is N·H·W/(N·H·W - 1), which is much nearer to 1."""
    return squares(at) / at.N * len(at.x) / (len(at.x) - 1)


@exercise.misconception(Kind.ERROR, "conv-unbiased", step="var", about="var_divisor")
def corrected_with_the_pixels_only(at: Any) -> Any:
    """You correct the variance with H·W/(H·W - 1), the pixels of one image. A channel's variance is over N·H·W values,
    all pixels of all images, so the factor is N·H·W/(N·H·W - 1)."""
    pixels = at.x[0, 0].size
    return squares(at) / at.N * pixels / (pixels - 1)


@exercise.misconception(Kind.ERROR, "conv-unbiased", step="var", about="var_divisor")
def corrected_twice(at: Any) -> Any:
    """You correct the variance twice: it was divided by N·H·W - 1 already, and then multiplied by N·H·W/(N·H·W - 1).
    One of the two makes it unbiased."""
    return squares(at) / at.N * (at.N / (at.N - 1)) ** 2


@exercise.misconception(Kind.ERROR, "conv-unbiased", step="var", about="var_divisor")
def corrected_the_wrong_way(at: Any) -> Any:
    """You multiply the variance by (N·H·W - 1)/(N·H·W). The variance of a batch comes out too small on average, so the
    correction makes it larger: N·H·W/(N·H·W - 1)."""
    return squares(at) / at.N * (at.N - 1) / at.N


@exercise.misconception(Kind.ERROR, "conv-unbiased", step="mean")
def sum_instead_of_mean(at: Any) -> Any:
    """You take the sum of a channel where its mean belongs: divide by the number of its values, N·H·W. Your sum grows
    with the batch and with the size of the images."""
    return at.x.sum(axis=AXES)


exercise.another_way("sum_instead_of_mean")(
    exercise.from_steps({"mean": lambda at: at.x.sum(axis=AXES), "var": lambda at: at.x.var(axis=AXES, ddof=1)})
)


@exercise.misconception(Kind.ERROR, "conv-unbiased", step="var")
def variances_of_images_averaged(at: Any) -> Any:
    """You average the variances of the single images. That leaves out how far the images' means lie apart: a batch of
    one black and one white image would have variance 0. Take all pixels about the one mean of their channel."""
    return at.x.var(axis=(2, 3), ddof=1).mean(axis=0)


exercise.another_way("variances_of_images_averaged", step="var")(lambda at: at.x.var(axis=(2, 3)).mean(axis=0))


@exercise.misconception(Kind.ERROR, "conv-unbiased", step="var")
def variance_of_image_means(at: Any) -> Any:
    """You average each image first and take the variance of those means. That leaves out how the pixels vary inside an
    image: take all pixels of all images about the one mean of their channel."""
    return at.x.mean(axis=(2, 3)).var(axis=0, ddof=1)


exercise.another_way("variance_of_image_means", step="var")(lambda at: at.x.mean(axis=(2, 3)).var(axis=0))


# ----------------------------------------------------------------------------------------------- over which axes

STATISTICS = "mean axes N"


def over(identifier: str, wrong: tuple[int, ...]) -> None:
    """The same with axes that are left out of the statistics' shape, whatever the variance is divided by."""
    for ddof in (0, 1):
        exercise.another_way(identifier)(squeezed(wrong, ddof))


def squeezed(axes: tuple[int, ...], ddof: int) -> Callable[..., Any]:
    """Statistics over these axes, which meet the old ones as NumPy will have it."""

    def updated(running_mean: Array, running_var: Array, x: Array, momentum: float = MOMENTUM) -> Any:
        mean, var = x.mean(axis=axes), x.var(axis=axes, ddof=ddof)
        return (1 - momentum) * running_mean + momentum * mean, (1 - momentum) * running_var + momentum * var

    return updated


@exercise.misconception(Kind.ERROR, "conv-axes", step="axes", about=STATISTICS)
def statistics_of_each_image(at: Any) -> Any:
    """You average over the pixels of each image by itself (axes 2 and 3). Running statistics have one entry a channel,
    over the images too: axes 0, 2 and 3."""
    return (2, 3)


over("statistics_of_each_image", (2, 3))


@exercise.misconception(Kind.ERROR, "conv-axes", step="axes", about=STATISTICS)
def statistics_of_each_pixel(at: Any) -> Any:
    """You average over the batch only (axis 0), so each pixel has statistics of its own. A convolution treats all
    places alike, so a channel has one mean and one variance for all its pixels: axes 0, 2 and 3."""
    return (0,)


over("statistics_of_each_pixel", (0,))


@exercise.misconception(Kind.ERROR, "conv-axes", step="axes", about=STATISTICS)
def statistics_over_part_of_the_axes(at: Any) -> Any:
    """You average over some of the axes of images, rows and columns, but not over all three. All pixels of all images
    share their channel's mean and variance: axes 0, 2 and 3."""
    return (0, 2)


over("statistics_over_part_of_the_axes", (0, 2))
exercise.another_way("statistics_over_part_of_the_axes", step="axes")(lambda at: (0, 3))
over("statistics_over_part_of_the_axes", (0, 3))


@exercise.misconception(Kind.ERROR, "conv-axes", about=STATISTICS)
def channels_last(running_mean: Array, running_var: Array, x: Array, momentum: float = MOMENTUM) -> Any:
    """You average over the first three axes, as if the channels were the last one. That is the order of TensorFlow and
    Keras, (N, H, W, C); here images are (N, C, H, W), so the axes are 0, 2 and 3."""
    return reference.update_running_stats2d(running_mean, running_var, x.transpose(0, 3, 1, 2), momentum)


over("channels_last", (0, 1, 2))


@exercise.misconception(Kind.ERROR, "conv-axes", step="axes", about=STATISTICS)
def one_statistic_for_all_channels(at: Any) -> Any:
    """You average over all channels at once. Channels have scales of their own, so each gets its own mean and its own
    variance: leave axis 1 out."""
    return (0, 1, 2, 3)


over("one_statistic_for_all_channels", (0, 1, 2, 3))


@exercise.misconception(Kind.ERROR, "conv-unbiased", step="N", about="mean var var_divisor N")
def divides_by_the_images_only(at: Any) -> Any:
    """You divide by N, the number of images. Each channel has N·H·W values, all pixels of all images: the sum for the
    mean is divided by N·H·W, that for the variance by N·H·W - 1."""
    return len(at.x)


@exercise.another_way("divides_by_the_images_only", step="var")
def var_divided_by_the_images_only(at: Any) -> Any:
    """The mean is right."""
    return squares(at) / (len(at.x) - 1)


@exercise.misconception(Kind.ERROR, "conv-axes", about=STATISTICS + " x")
def reshaped_without_transposing(running_mean: Array, running_var: Array, x: Array, momentum: float = MOMENTUM) -> Any:
    """You reshape x without moving the channel axis first. In (N, C, H, W) neighbours in memory belong to one channel,
    so your rows and columns mix channels: transpose to (N, H, W, C) before you reshape."""
    return reference.update_running_stats(running_mean, running_var, x.reshape(-1, x.shape[1]), momentum)


@exercise.another_way("reshaped_without_transposing")
def reshaped_to_one_row_a_channel(running_mean: Array, running_var: Array, x: Array, momentum: float = MOMENTUM) -> Any:
    """As (C, -1), without moving the channels to the front."""
    return reference.update_running_stats(running_mean, running_var, x.reshape(x.shape[1], -1).T, momentum)


# ---------------------------------------------------------------------------------------------------- what is agreed on


@exercise.misconception(Kind.ERROR, "batch-variance", sentences.WHOLE_NUMBER_BUFFER)
def whole_number_buffer(running_mean: Array, running_var: Array, x: Array, momentum: float = MOMENTUM) -> Any:
    """The results are arrays like a pixel of x."""
    mean, var = np.empty_like(x[0, :, 0, 0]), np.empty_like(x[0, :, 0, 0])
    mean[:], var[:] = reference.update_running_stats2d(running_mean, running_var, x, momentum)
    return mean, var


@exercise.another_way("whole_number_buffer")
def whole_number_statistics(running_mean: Array, running_var: Array, x: Array, momentum: float = MOMENTUM) -> Any:
    """The statistics of the batch are arrays like a pixel of x."""
    mean, var = np.empty_like(x[0, :, 0, 0]), np.empty_like(x[0, :, 0, 0])
    mean[:], var[:] = x.mean(axis=AXES), x.var(axis=AXES, ddof=1)
    return (1 - momentum) * running_mean + momentum * mean, (1 - momentum) * running_var + momentum * var


@exercise.misconception(Kind.CONTRACT, "running-statistics")
def changes_its_input(running_mean: Array, running_var: Array, x: Array, momentum: float = MOMENTUM) -> Any:
    """You change an array you were given, by an in-place operation such as `running_mean *= ...`. The exercise asks for
    two new arrays; the caller's may be needed again, to compare or to start over. Make new ones."""
    running_mean *= 1 - momentum
    running_mean += momentum * x.mean(axis=AXES)
    running_var *= 1 - momentum
    running_var += momentum * x.var(axis=AXES, ddof=1)
    return running_mean, running_var


# --------------------------------------------------------------------------------------------- what nobody foresaw

WEIGHTS = (
    Factor("momentum", lambda at: at.momentum, "momentum"),
    Factor("(1 - momentum)", lambda at: 1.0 - at.momentum, "momentum"),
    Factor("(1 + momentum)", lambda at: 1.0 + at.momentum, "momentum"),
    *COUNTS,
)

VARIANCE = Factor("the batch's variance", lambda at: at.var, "var")

exercise.read(
    Reading(
        "new_mean",
        terms=(
            Term(
                "old",
                "the old mean",
                lambda at: at.old_weight * at.running_mean,
                "running-statistics",
                "",
                "momentum",
            ),
            Term(
                "batch", "the mean of the batch", lambda at: at.new_weight * at.mean, "running-statistics", "", "mean"
            ),
        ),
        factors=WEIGHTS,
        vary=("running_mean", "x"),
    )
)
exercise.read(
    Reading(
        "new_var",
        terms=(
            Term(
                "old",
                "the old variance",
                lambda at: at.old_weight * at.running_var,
                "running-statistics",
                "",
                "momentum",
            ),
            Term(
                "batch", "the variance of the batch", lambda at: at.new_weight * at.var, "running-statistics", "", "var"
            ),
            Term(
                "old_mean",
                "a multiple of the old mean",
                lambda at: at.old_weight * at.running_mean,
                "running-statistics",
                "The new variance is averaged from two variances.",
                "running_mean running_var",
                foreign=True,
            ),
            Term(
                "constant",
                "a constant, the same in every channel",
                lambda at: np.full(at.x.shape[1], EPS),
                "running-statistics",
                "If it is eps: that comes in when the variance is used, not when it is stored.",
                "eps old_weight",
                foreign=True,
            ),
        ),
        factors=(*WEIGHTS, VARIANCE),
        vary=("running_mean", "running_var", "x"),
    )
)
