"""What is asked of `batchnorm2d_forward`, and how is it got wrong?

On top of the dense layer's mistakes: over which axes the statistics run, how many values they are divided by, and how
one value a channel meets four axes.
"""

from collections.abc import Callable
from math import prod
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
from ..forward.batchnorm_forward import batchnorm_forward
from ..inputs import EPS, ONE, THREE, images, leaves_alone, parameters
from ..reading import Reading, Term
from .channels import AXES, copy_over_channels, kept, rows, spread
from .inputs import (
    ALIKE,
    COUNTS,
    CUBE,
    FOUR_IMAGES,
    HARDLY,
    MANY,
    PROBES,
    ROOTS,
    SHAPES,
    SMALL,
    SQUARE,
    TALL,
    TWO_CHANNELS,
    TWO_IMAGES,
    WHOLE,
    agrees_roughly,
    far_layer,
    many_images,
    scale_of_layer,
    whole_layer,
)

TWO_ONE, FIVE_ZERO = np.array([2.0, 1.0]), np.array([5.0, 0.0])

batchnorm2d_forward = Exercise(
    Signature(
        "batchnorm2d_forward",
        ("x", "gamma", "beta", "eps"),
        ("y", "cache"),
        reference.batchnorm2d_forward,
        opaque=frozenset({"cache"}),
    ),
    problem=whole_layer,
    scale=scale_of_layer,
    far=far_layer,
    smallest=(
        (SMALL, 2 * ONE, 5 * ONE, THREE),
        (TWO_IMAGES, 2 * ONE, 5 * ONE, THREE),
        (TALL, 2 * ONE, 5 * ONE, THREE),
        (HARDLY, ONE, 0 * ONE),
        (ALIKE, 2 * ONE, 5 * ONE),
        (WHOLE, ONE, 0 * ONE, 3.75),
        (TWO_CHANNELS, TWO_ONE, FIVE_ZERO, THREE),
        (FOUR_IMAGES, ONE, 0 * ONE, 2.0),
        (SQUARE, TWO_ONE, FIVE_ZERO, 2.0),
        (CUBE, TWO_ONE, FIVE_ZERO, 2.0),
        (np.array([[[[1e8, 1e8 + 2.0]]]]), ONE, 0 * ONE),
    ),
    section="conv-axes",
    axes={"x": "NCHW", "gamma": "C", "beta": "C"},
    probes=PROBES,
)
exercise = batchnorm2d_forward


def plain_layer(x: Array, *eps: float) -> Arguments:
    """A layer whose gamma and beta do nothing."""
    return (x, np.ones(x.shape[1]), np.zeros(x.shape[1]), *eps)


@exercise.property(points=0.5, nudge="Where in the shape of your y is the number of channels?")
def images_come_out_as_images(f: Asked, draw: Draw) -> None:
    """answers with (y, cache), y of x's shape, (N, C, H, W)"""
    arguments = whole_layer(draw, Problem(3, 4, H=2, W=5))
    f(arguments)
    if f.outcome(arguments).alone:
        raise Refused("batchnorm2d_forward returned y alone, expected 2 values: (y, cache).")


@exercise.property(
    points=4.5, nudge="Which values of the batch share one mean? How many means are there for images of three channels?"
)
def normalizes_each_channel(f: Asked, draw: Draw) -> None:
    """gives each channel mean 0 and variance near 1 over all pixels of all images (gamma = 1, beta = 0)"""
    agrees_roughly(f, plain_layer(many_images(draw)))


@exercise.property(
    points=2, section="scale-shift", nudge="gamma has one number a channel. Which of the four axes of x does it meet?"
)
def scales_and_shifts_channels(f: Asked, draw: Draw) -> None:
    """multiplies each channel by its own gamma, then adds its own beta, also when C is N, H or W"""
    for problem in (MANY, Problem(10, 10, H=4, W=10, low=False)):
        agrees_roughly(f, whole_layer(draw, problem))


@exercise.property(
    points=0.25, section="conv-unbiased", nudge="How many values does the variance of a channel average? Divide by all."
)
def divides_by_all_values(f: Asked, draw: Draw) -> None:
    """uses the biased variance: divides by N·H·W, not N·H·W - 1"""
    agrees_roughly(f, plain_layer(images(draw, Problem(2, 3, H=1, W=3, low=False))))


@exercise.property(
    points=1.5, section="normalize-eps", nudge="Where does eps stand in your code: beside the variance, under the root?"
)
def images_follow_eps(f: Asked, draw: Draw) -> None:
    """adds the eps it was given to the variance, under the root"""
    agrees_roughly(f, plain_layer(0.2 * images(draw, MANY), 0.1))


@exercise.property(points=0.5, section="normalize-eps", nudge="Which eps does your function use when it gets none?")
def images_default_eps(f: Asked, draw: Draw) -> None:
    """uses eps = 1e-5 when none is given"""
    agrees_roughly(f, plain_layer(images(draw, Problem(8, 3, H=5, W=10))))


@exercise.property(
    points=0.5, nudge="Try a batch whose shape is four different numbers, and one where all are the same."
)
def images_right_to_rounding(f: Asked, draw: Draw) -> None:
    """is right to rounding for images of any shape, also when C = N or C = H"""
    for problem in SHAPES:
        f.agrees(whole_layer(draw, problem))


@exercise.property(
    points=0.5,
    needs="normalizes_each_channel",
    section="normalize-eps",
    nudge="What is divided by what in a channel that is black everywhere?",
)
def constant_channel_becomes_beta(f: Asked, draw: Draw) -> None:
    """gives beta, not NaN, for a channel that never varies"""
    x = images(draw, MANY)
    x[:, -1] = 1.25
    gamma, beta = parameters(draw, 3)
    agrees_roughly(f, (x, gamma, beta))


@exercise.property(points=0.5, section="normalize-formula", nudge="Of which type is the array you write y into?")
def images_of_whole_numbers(f: Asked, draw: Draw) -> None:
    """takes images of whole numbers without losing what is behind the point"""
    agrees_roughly(f, plain_layer(images(draw, Problem(8, 3, whole=True, H=5, W=10))))


@exercise.property(
    points=0.5,
    needs="normalizes_each_channel",
    section="float32-variance",
    nudge="Which two large numbers does your code subtract when all pixels are near 100 000 000?",
)
def images_keep_their_digits(f: Asked, draw: Draw) -> None:
    """keeps its digits when the means are far from 0"""
    arguments = far_layer(draw, MANY)
    if f(arguments)["y"].dtype != np.float32:  # which has no such digits
        agrees_roughly(f, arguments)


@exercise.property(
    points=0.25,
    needs="normalizes_each_channel",
    section="normalize-eps",
    nudge="What is the variance of one image of one pixel? What do you divide by then?",
)
def one_value_is_not_nan(f: Asked, draw: Draw) -> None:
    """says no to a single pixel of a single image, or answers with beta, but not with NaN"""
    arguments = (images(draw, Problem(2, 3))[:1, :, :1, :1], *parameters(draw, 3))
    if not all(np.all(np.isfinite(one)) for one in f.outcome(arguments).arrays.values()):
        raise Refused("For one image of one pixel y is NaN. Its variance is 0: divide by the root of var + eps.")


@exercise.property(
    points=0.5, needs="normalizes_each_channel", section="whole-layer", nudge="Does any line write into x?"
)
def layer2d_leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves x, gamma and beta as they were"""
    leaves_alone(f, whole_layer(draw, Problem(3, 2)))


# ------------------------------------------------------------------------------------------------------------ its steps

steps = exercise.in_steps(eps=EPS)


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
    return kept(at.x.sum(axis=at.axes, keepdims=True)) / at.N


@steps.step
def centred(at: Any) -> Any:
    """how far each value lies from its channel's mean"""
    return at.x - spread(at.mean)


@steps.step
def var(at: Any) -> Any:
    """the mean square distance from that mean: a sum divided by N·H·W"""
    return kept(((at.x - spread(at.mean)) ** 2).sum(axis=at.axes, keepdims=True)) / at.N


@steps.step
def std(at: Any) -> Any:
    """the root of var + eps"""
    return np.sqrt(at.var + at.eps)


@steps.step
def x_hat(at: Any) -> Any:
    """the distance from the mean, divided by std"""
    return at.centred / spread(at.std)


@steps.step
def y(at: Any) -> Any:
    """gamma times x_hat, plus beta, channel by channel"""
    return spread(at.gamma) * at.x_hat + spread(at.beta)


# ----------------------------------------------------------------------------------------------- over which axes

STATISTICS = "mean var std axes N"


def mean_over(axes: tuple[int, ...]) -> Callable[[Any], Any]:
    """The mean over these axes."""
    return lambda at: at.x.mean(axis=axes, keepdims=True)


def var_over(axes: tuple[int, ...]) -> Callable[[Any], Any]:
    """The variance over these axes."""
    return lambda at: at.x.var(axis=axes, keepdims=True)


def axes_are(identifier: str, wrong: tuple[int, ...]) -> None:
    """Rarer ways to average over wrong axes: both statistics, only the mean, only the variance."""
    exercise.another_way(identifier)(exercise.from_steps({"axes": lambda at: wrong}))
    one_statistic_is(identifier, wrong)


def one_statistic_is(identifier: str, wrong: tuple[int, ...]) -> None:
    """Only the mean, or only the variance, over these axes."""
    exercise.another_way(identifier)(exercise.from_steps({"mean": mean_over(wrong), "var": var_over(AXES)}))
    exercise.another_way(identifier)(exercise.from_steps({"var": var_over(wrong)}))


@exercise.misconception(Kind.ERROR, "conv-axes", step="axes", about=STATISTICS)
def statistics_of_each_image(at: Any) -> Any:
    """You average over the pixels of each image by itself (axes 2 and 3). That is instance normalization: it does not
    look at the other images at all. Batch normalization averages over the images too: axes 0, 2 and 3."""
    return (2, 3)


one_statistic_is("statistics_of_each_image", (2, 3))


@exercise.misconception(Kind.ERROR, "conv-axes", step="axes", about=STATISTICS)
def statistics_of_each_pixel(at: Any) -> Any:
    """You average over the batch only (axis 0), so each pixel has statistics of its own. A convolution treats all
    places alike, so a channel has one mean and one variance for all its pixels: axes 0, 2 and 3."""
    return (0,)


one_statistic_is("statistics_of_each_pixel", (0,))


@exercise.misconception(Kind.ERROR, "conv-axes", step="axes", about=STATISTICS)
def statistics_over_part_of_the_axes(at: Any) -> Any:
    """You average over some of the axes of images, rows and columns, but not over all three. All pixels of all images
    share their channel's mean and variance: axes 0, 2 and 3."""
    return (0, 2)


for part in ((0, 3), (2,), (3,)):
    axes_are("statistics_over_part_of_the_axes", part)


@exercise.misconception(Kind.ERROR, "conv-axes", step="axes", about=STATISTICS)
def channels_last(at: Any) -> Any:
    """You average over the first three axes, as if the channels were the last one. That is the order of TensorFlow and
    Keras, (N, H, W, C); here images are (N, C, H, W), so the axes are 0, 2 and 3."""
    return (0, 1, 2)


one_statistic_is("channels_last", (0, 1, 2))


@exercise.misconception(Kind.ERROR, "conv-axes", step="axes", about=STATISTICS)
def one_statistic_for_all_channels(at: Any) -> Any:
    """You average over all channels at once. Channels have scales of their own, so each gets its own mean and its own
    variance: leave axis 1 out."""
    return (0, 1, 2, 3)


one_statistic_is("one_statistic_for_all_channels", (0, 1, 2, 3))


@exercise.misconception(Kind.ERROR, "conv-axes", step="axes", about=STATISTICS)
def statistics_along_axis_1(at: Any) -> Any:
    """You average over axis 1, the channels, and keep the images apart, as layer normalization does. The channel is
    what batch normalization keeps apart: it averages over all the other axes, 0, 2 and 3."""
    return (1,)


axes_are("statistics_along_axis_1", (1, 2, 3))


# ------------------------------------------------------------------------------------------ by how many values


@exercise.misconception(Kind.ERROR, "conv-unbiased", step="N")
def divides_by_the_images_only(at: Any) -> Any:
    """You divide by N, the number of images. Each channel has N·H·W values, all pixels of all images, and their sum is
    divided by as many."""
    return len(at.x)


@exercise.another_way("divides_by_the_images_only", step="var")
def var_divided_by_the_images_only(at: Any) -> Any:
    """The mean is right."""
    return ((at.x - spread(at.mean)) ** 2).sum(axis=AXES) / len(at.x)


@exercise.misconception(Kind.ERROR, "conv-unbiased", step="N")
def divides_by_the_pixels_only(at: Any) -> Any:
    """You divide by H·W, the pixels of one image. Each channel has N·H·W values, all pixels of all images, and their
    sum is divided by as many."""
    return at.x[0, 0].size


@exercise.another_way("divides_by_the_pixels_only", step="var")
def var_divided_by_the_pixels_only(at: Any) -> Any:
    """The mean is right."""
    return ((at.x - spread(at.mean)) ** 2).sum(axis=AXES) / at.x[0, 0].size


@exercise.misconception(Kind.ERROR, "conv-unbiased", step="mean")
def sum_instead_of_mean(at: Any) -> Any:
    """You subtract the sum of a channel where its mean belongs: divide by the number of its values, N·H·W. Your sum
    grows with the batch and with the size of the images."""
    return at.x.sum(axis=AXES)


exercise.another_way("sum_instead_of_mean")(
    exercise.from_steps({"mean": lambda at: at.x.sum(axis=AXES), "var": lambda at: at.x.var(axis=AXES)})
)


@exercise.misconception(Kind.ERROR, "conv-unbiased", step="var")
def variances_of_images_averaged(at: Any) -> Any:
    """You average the variances of the single images. That leaves out how far the images' means lie apart: a batch of
    one black and one white image would have variance 0. Take all pixels about the one mean of their channel."""
    return at.x.var(axis=(2, 3)).mean(axis=0)


@exercise.misconception(Kind.ERROR, "conv-unbiased", step="var")
def variance_of_image_means(at: Any) -> Any:
    """You average each image first and take the variance of those means. That leaves out how the pixels vary inside an
    image: take all pixels of all images about the one mean of their channel."""
    return at.x.mean(axis=(2, 3)).var(axis=0)


copy_over_channels(
    exercise,
    batchnorm_forward,
    "unbiased_variance",
    "deviation_for_variance",
    "mean_absolute_deviation",
    "squares_not_centred",
    "squares_not_averaged",
    sentences={
        "unbiased_variance": (
            "You divide by N·H·W - 1. That is the unbiased estimate of statistics (ddof=1 in NumPy), and what PyTorch "
            "stores as the running variance; but the normalization itself divides by N·H·W, so that the batch comes "
            "out with variance 1."
        )
    },
)


# ------------------------------------------------------------------------------------------- layout of the channels


def rows_of(x: Array) -> Array:
    """Pixels as they lie in memory, cut into pieces of C values: not channels."""
    return x.reshape(-1, x.shape[1])


@exercise.misconception(Kind.ERROR, "conv-axes", about=STATISTICS + " x")
def reshaped_without_transposing(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, None]:
    """You reshape x without moving the channel axis first. In (N, C, H, W) neighbours in memory belong to one channel,
    so your rows and columns mix channels: transpose to (N, H, W, C) before you reshape, and back afterwards."""
    return reference.batchnorm_forward(rows_of(x), gamma, beta, eps)[0].reshape(x.shape), None


@exercise.another_way("reshaped_without_transposing")
def reshaped_and_scaled_afterwards(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, None]:
    """x_hat from wrong rows, gamma and beta on the right channels."""
    x_hat, _ = reference.batchnorm_forward(rows_of(x), np.ones_like(gamma), np.zeros_like(beta), eps)
    return spread(gamma) * x_hat.reshape(x.shape) + spread(beta), None


def strips_of(x: Array) -> Array:
    """As (C, -1), without moving the channels to the front."""
    return x.reshape(x.shape[1], -1).T


def statistics_of(pixels: Callable[[Array], Array]) -> Callable[..., Any]:
    """Only the statistics come from wrong rows."""
    return exercise.from_steps(
        {"mean": lambda at: pixels(at.x).mean(axis=0), "var": lambda at: pixels(at.x).var(axis=0)}
    )


exercise.another_way("reshaped_without_transposing")(statistics_of(rows_of))
exercise.another_way("reshaped_without_transposing")(statistics_of(strips_of))


@exercise.another_way("reshaped_without_transposing")
def reshaped_to_one_row_a_channel(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, None]:
    """As (C, -1), without moving the channels to the front."""
    return reference.batchnorm_forward(strips_of(x), gamma, beta, eps)[0].T.reshape(x.shape), None


def dense(x: Array, gamma: Array, beta: Array, eps: float) -> Array:
    """The layer on rows of pixels, (N·H·W, C)."""
    y: Array = reference.batchnorm_forward(rows(x, x), gamma, beta, eps)[0]
    return y


@exercise.misconception(Kind.ERROR, "conv-axes", about="y")
def not_transposed_back(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, None]:
    """You normalize the right rows but do not put them back as they were: y has to have x's order of axes,
    (N, C, H, W). Reshape to (N, H, W, C) first, then transpose; each pixel must end where it came from."""
    return dense(x, gamma, beta, eps).reshape(x.shape), None


@exercise.another_way("not_transposed_back")
def left_with_channels_last(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, None]:
    """The shape is another one."""
    N, C, H, W = x.shape
    return dense(x, gamma, beta, eps).reshape(N, H, W, C), None


@exercise.another_way("not_transposed_back")
def left_as_rows(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, None]:
    """The shape is another one."""
    return dense(x, gamma, beta, eps), None


@exercise.another_way("not_transposed_back")
def transposed_the_same_way_twice(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, None]:
    """The inverse of (0, 2, 3, 1) is (0, 3, 1, 2)."""
    N, C, H, W = x.shape
    return dense(x, gamma, beta, eps).reshape(N, H, W, C).transpose(0, 2, 3, 1), None


@exercise.another_way("not_transposed_back")
def rows_and_columns_swapped(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, None]:
    """The channels are back in place, but rows and columns of pixels are not."""
    N, C, H, W = x.shape
    return dense(x, gamma, beta, eps).reshape(N, H, W, C).swapaxes(1, 3), None


def unspread(values: Any) -> Any:
    """One value a channel, which NumPy takes for one a column of pixels."""
    return values


def normalized(at: Any, statistics: Callable[[Any], Any], parameters: Callable[[Any], Any]) -> Any:
    """The layer, with some of its values brought to x in a wrong way."""
    x_hat = (at.x - statistics(at.mean)) / statistics(at.std)
    return parameters(at.gamma) * x_hat + parameters(at.beta)


@exercise.misconception(Kind.ERROR, "conv-axes", step="y", about="gamma beta")
def channel_values_along_another_axis(at: Any) -> Any:
    """You combine one value a channel, of shape (C,), with x of shape (N, C, H, W) so that it meets another axis: as it
    is, it meets the columns of pixels, for NumPy aligns shapes from the right. It runs only where that axis happens to
    have C entries. Give it the shape (1, C, 1, 1)."""
    return normalized(at, spread, unspread)


def along_rows(values: Any) -> Any:
    """One value a row of pixels."""
    return values[:, None]


def along_images(values: Any) -> Any:
    """One value an image."""
    return values[:, None, None, None]


def mixed(statistics: Callable[[Any], Any], parameters: Callable[[Any], Any]) -> Callable[..., Any]:
    """Statistics brought to x in one way, parameters in another."""
    return exercise.from_steps({"y": lambda at: normalized(at, statistics, parameters)})


exercise.another_way("channel_values_along_another_axis")(mixed(unspread, spread))
exercise.another_way("channel_values_along_another_axis")(mixed(unspread, unspread))
for wrongly in (along_rows, along_images):
    for ways in ((spread, wrongly), (wrongly, spread), (wrongly, wrongly)):
        exercise.another_way("channel_values_along_another_axis")(mixed(*ways))


# ------------------------------------------------------------------------------------------ as in the dense layer

copy_over_channels(
    exercise,
    batchnorm_forward,
    "eps_outside_the_root",
    "eps_missing",
    "eps_squared",
    "eps_subtracted",
    "eps_ignored",
    "default_eps_of_keras",
    "divides_by_the_variance",
    "divides_before_it_subtracts",
    "only_centres",
    "only_rescales",
    "adds_the_mean",
    "multiplies_by_the_deviation",
    "shifts_before_it_scales",
    "gamma_ignored",
    "beta_ignored",
    "gamma_and_beta_ignored",
    "gamma_and_beta_swapped",
)


@exercise.misconception(Kind.ERROR, "normalize-formula", sentences.WHOLE_NUMBER_BUFFER)
def whole_number_buffer(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, None]:
    """The output is an array like x."""
    y = np.empty_like(x)
    y[:] = reference.batchnorm2d_forward(x, gamma, beta, eps)[0]
    return y, None


@exercise.another_way("whole_number_buffer")
def whole_number_x_hat(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, None]:
    """The normalized values are an array like x."""
    x_hat = np.empty_like(x)
    x_hat[:] = steps.trace((x, gamma, beta, eps)).x_hat
    return spread(gamma) * x_hat + spread(beta), None


@exercise.misconception(Kind.NUMERICS, "float32-variance", sentences.CANCELS_FAR_FROM_ZERO, about="var")
def cancels_far_from_zero(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, None]:
    """The variance is the mean of the squares minus the square of the mean."""
    mean = x.mean(axis=AXES)
    var = (x * 1.0 * x).mean(axis=AXES) - mean**2
    return spread(gamma) * (x - spread(mean)) / spread(np.sqrt(var + eps)) + spread(beta), None


@exercise.misconception(Kind.ERROR, "float32-variance", sentences.HALF_PRECISION, about="x")
def half_precision(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, None]:
    """Computes in float16."""
    half = x.astype(np.float16)
    std = np.sqrt(half.var(axis=AXES, keepdims=True) + np.float16(eps))
    x_hat = (half - half.mean(axis=AXES, keepdims=True)) / std
    return spread(gamma.astype(np.float16)) * x_hat + spread(beta.astype(np.float16)), None


@exercise.misconception(Kind.CONTRACT, "whole-layer", sentences.CHANGES_ITS_INPUT)
def changes_its_input(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> tuple[Array, None]:
    """Centres in place."""
    answer = reference.batchnorm2d_forward(x, gamma, beta, eps)[0]
    x -= x.mean(axis=AXES, keepdims=True)
    return answer, None


@exercise.misconception(Kind.CONTRACT, "whole-layer")
def cache_missing(x: Array, gamma: Array, beta: Array, eps: float = EPS) -> Any:
    """You return y alone. The exercise asks for (y, cache): the backward pass will need what was computed on the way,
    and whoever calls your function unpacks two values. Any cache will do here, even None."""
    return reference.batchnorm2d_forward(x, gamma, beta, eps)[0]


# --------------------------------------------------------------------------------------------- what nobody foresaw

exercise.read(
    Reading(
        "y",
        terms=(
            Term(
                "x_hat",
                "the normalized part",
                lambda at: spread(at.gamma) * at.x_hat,
                "normalize-formula",
                "",
                "x_hat std",
            ),
            Term("beta", "the term with beta", lambda at: spread(at.beta), "scale-shift", "", "beta"),
            Term(
                "mean",
                "a multiple of the mean left over",
                lambda at: spread(at.gamma * at.mean / at.std),
                "normalize-formula",
                "Subtracting the mean once, before dividing, takes all of it away.",
                "mean",
                foreign=True,
            ),
        ),
        factors=(*COUNTS, q.GAMMA, q.BETA, q.STD, q.EPS, *ROOTS),
        vary=("beta",),
    )
)
