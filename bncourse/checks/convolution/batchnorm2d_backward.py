"""What is asked of `batchnorm2d_backward`, and how is it got wrong?

The three terms of dx are those of the dense layer, and so are most mistakes. What is new is over which axes the sums
run, that each has N·H·W values, and how one value a channel meets four axes.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ... import functional as reference
from .. import quantities as q
from .. import sentences
from ..answers import Array
from ..asking import Asked, Refused
from ..backward.batchnorm_backward_graph import GRADIENTS, batchnorm_backward_graph
from ..calling import Signature
from ..draw import Draw
from ..exercise import Exercise, Kind, Problem
from ..inputs import EPS, ONE, THREE, leaves_alone
from ..reading import Reading, Term
from .batchnorm2d_forward import FIVE_ZERO, TWO_ONE, along_images, along_rows, batchnorm2d_forward, unspread
from .channels import AXES, another_way_of_steps, copy_over_channels, rows, spread
from .inputs import (
    COUNTS,
    CUBE,
    MANY,
    PROBES,
    SHAPES,
    SMALL,
    SQUARE,
    TALL,
    TWO_CHANNELS,
    TWO_IMAGES,
    agrees_roughly,
    pair,
    scale_of_pair,
)


def first_of(x: Array) -> Array:
    """A dy that is 1 for one value of each channel and 0 elsewhere."""
    dy = np.zeros_like(x)
    for c in range(x.shape[1]):
        dy[c % len(x), c, 0, 0] = 1.0
    return dy


batchnorm2d_backward = Exercise(
    Signature("batchnorm2d_backward", ("dy", "x", "gamma", "beta", "eps"), GRADIENTS, reference.batchnorm2d_backward),
    problem=pair,
    scale=scale_of_pair,
    section="backward-closed-form",
    axes={"dy": "NCHW", "x": "NCHW", "gamma": "C", "beta": "C"},
    smallest=(
        *((first_of(x), x, ONE, 0 * ONE, THREE) for x in (SMALL, TWO_IMAGES, TALL)),
        (first_of(SMALL), SMALL, 2 * ONE, 5 * ONE, THREE),
        (first_of(TWO_CHANNELS), TWO_CHANNELS, TWO_ONE, FIVE_ZERO, THREE),
        (first_of(SQUARE), SQUARE, TWO_ONE, FIVE_ZERO, 2.0),
        (first_of(CUBE), CUBE, TWO_ONE, FIVE_ZERO, 2.0),
    ),
    forward=batchnorm2d_forward,
    probes=PROBES,
    whole_probes=(),
)
exercise = batchnorm2d_backward


@exercise.property(points=0.5, nudge="Which shapes have x, gamma and beta? A gradient has the shape of what it is for.")
def gradients_have_the_shapes_of_their_inputs(f: Asked, draw: Draw) -> None:
    """answers with (dx, dgamma, dbeta), in the shapes of x, gamma and beta"""
    f(pair(draw, Problem(3, 4, H=2, W=5)))


@exercise.property(
    points=1.5,
    section="backward-parameters",
    nudge="How many values of y does one beta reach? If it grows by a little, what does the loss do?",
)
def dbeta_adds_up_dy(f: Asked, draw: Draw) -> None:
    """gives as dbeta the sum of dy over all pixels of all images"""
    for problem in SHAPES[:2]:
        f.agrees(pair(draw, problem), only=("dbeta",))


@exercise.property(
    points=2,
    section="backward-parameters",
    nudge="How many values of y does one gamma reach, and by which number is it multiplied in each of them?",
)
def dgamma_adds_up_dy_x_hat(f: Asked, draw: Draw) -> None:
    """gives as dgamma the sum of dy times x_hat over all pixels of all images"""
    for problem in SHAPES[:2]:
        f.agrees(pair(draw, problem), only=("dgamma",))


@exercise.property(
    points=1.5,
    section="backward-mean-path",
    nudge="Make every pixel of one channel brighter by the same number: does y change? What must its gradients sum to?",
)
def dx_sums_to_zero(f: Asked, draw: Draw) -> None:
    """gives a dx, not zero itself, that sums to 0 over each channel, since a constant added to it changes nothing"""
    arguments = pair(draw, Problem(4, 3, eps=0.1))
    dx, scale = f(arguments)["dx"], scale_of_pair(arguments)["dx"]
    sums = dx.sum(axis=AXES)
    if not np.any(np.abs(dx) > 1e-6 * scale):
        raise Refused("Your dx is 0 everywhere.")
    if not np.all(np.abs(sums) <= 1e-4 * np.abs(dx).max(axis=AXES)):
        raise Refused(f"The channels of your dx sum to {np.array2string(sums, precision=4)}, expected zeros.")


@exercise.property(
    points=7,
    nudge="On how many roads does one pixel reach the loss? Write down the direct one, the one through the variance "
    "and the one through the mean, and find each of them in your code.",
)
def dx_follows_all_three_paths(f: Asked, draw: Draw) -> None:
    """gives as dx the direct term and those through the mean and the variance of the channel"""
    agrees_roughly(f, pair(draw, MANY), only=("dx",))


@exercise.property(
    points=2,
    section="normalize-eps",
    nudge="Which deviation did the forward divide by? Does the backward use the same one?",
)
def backward_follows_eps(f: Asked, draw: Draw) -> None:
    """uses the deviation the forward divided by, with the eps it was given"""
    dy, x, gamma, beta = pair(draw, MANY)
    agrees_roughly(f, (dy, 0.2 * x, gamma, beta, 0.1), only=("dx",))


@exercise.property(
    points=1,
    section="conv-unbiased",
    nudge="Which number divides the sums: N, H·W, N·H·W, or one less? Try two images of two pixels.",
)
def dx_is_right_to_rounding(f: Asked, draw: Draw) -> None:
    """is right to rounding for images of any shape, and for a channel that hardly varies"""
    for problem in SHAPES:
        f.agrees(pair(draw, problem), only=("dx",))


@exercise.property(
    points=0.5,
    needs="dx_follows_all_three_paths",
    nudge="Does any line of your backward write into dy, or into something that came out of the cache?",
)
def backward_leaves_dy_and_cache_alone(f: Asked, draw: Draw) -> None:
    """leaves dy, gamma and the cache as they were: a second call answers the same"""
    leaves_alone(f, pair(draw, Problem(3, 2)))


# ------------------------------------------------------------------------------------------------------------ its steps

steps = exercise.in_steps(eps=EPS)


@steps.step
def N(at: Any) -> Any:
    """the number of values of each channel: N·H·W"""
    return at.x.size // at.x.shape[1]


@steps.step
def mean(at: Any) -> Any:
    """the mean of each channel over all pixels of all images, as in the forward"""
    return at.x.mean(axis=AXES)


@steps.step
def centred(at: Any) -> Any:
    """x minus its mean, as in the forward"""
    return at.x - spread(at.mean)


@steps.step
def var(at: Any) -> Any:
    """the biased variance of each channel, as in the forward"""
    return (at.centred**2).mean(axis=AXES)


@steps.step
def std(at: Any) -> Any:
    """the root of var + eps, as in the forward"""
    return np.sqrt(at.var + at.eps)


@steps.step
def x_hat(at: Any) -> Any:
    """the normalized x, as in the forward"""
    return at.centred / spread(at.std)


@steps.step
def inv_std(at: Any) -> Any:
    """one over the deviation, in the backward"""
    return 1.0 / at.std


@steps.step
def dx_hat(at: Any) -> Any:
    """dy times gamma, channel by channel"""
    return at.dy * spread(at.gamma)


@steps.step
def dgamma(at: Any) -> Any:
    """the sum of dy times x_hat over all pixels of all images"""
    return (at.dy * at.x_hat).sum(axis=AXES)


@steps.step
def dbeta(at: Any) -> Any:
    """the sum of dy over all pixels of all images"""
    return at.dy.sum(axis=AXES)


@steps.step
def dvar(at: Any) -> Any:
    """minus half the sum of dx_hat times (x minus mean), over the cube of the deviation"""
    return -0.5 * (at.dx_hat * at.centred).sum(axis=AXES) * at.inv_std**3


@steps.step
def dmean(at: Any) -> Any:
    """minus the sum of dx_hat over the deviation"""
    return -at.dx_hat.sum(axis=AXES) * at.inv_std


@steps.step
def dx_direct(at: Any) -> Any:
    """dx_hat over the deviation: what x does by itself"""
    return at.dx_hat * spread(at.inv_std)


@steps.step
def dx_var(at: Any) -> Any:
    """dvar times 2 (x minus mean) / (N·H·W): what x does through the variance"""
    return spread(at.dvar) * 2.0 * at.centred / at.N


@steps.step
def dx_mean(at: Any) -> Any:
    """dmean / (N·H·W): what x does through the mean"""
    return at.dmean / at.N


@steps.step
def dx(at: Any) -> Any:
    """the sum of the three"""
    return at.dx_direct + at.dx_var + spread(at.dx_mean)


MEAN, VARIANCE, CLOSED = "backward-mean-path", "backward-variance-path", "backward-closed-form"
PARAMETERS, SHAPE, COUNT = "backward-parameters", "backward-shapes", "conv-unbiased"

# ------------------------------------------------------------------------------------------ as in the dense layer

copy_over_channels(
    exercise,
    batchnorm_backward_graph,
    "statistics_held_constant",
    "mean_path_missing",
    "variance_path_missing",
    "variance_path_sign",
    "mean_path_sign",
    "variance_path_without_2",
    "variance_path_without_half",
    "variance_path_power",
    "mean_path_without_N",
    "variance_path_without_N",
    "variance_path_without_x_hat",
    "sums_not_averaged",
    "divides_by_N_minus_1",
    "variance_path_by_N_minus_1",
    "factor_on_the_first_term_only",
    "only_the_diagonal",
    "dx_is_zero",
    "gamma_missing",
    "gamma_twice",
    "variance_for_deviation",
    "stops_at_x_hat",
    "eps_left_out_of_the_backward",
    "eps_outside_the_root",
    "x_for_x_hat",
    "dgamma_with_x",
    "dgamma_with_centred_x",
    "dgamma_without_x_hat",
    "dgamma_times_gamma",
    "dgamma_with_y",
    "dbeta_times_gamma",
    about={
        "statistics_held_constant": "N",
        "factor_on_the_first_term_only": "dmean dvar",
        "x_for_x_hat": "dmean dvar N",
        "dx_is_zero": "dmean dvar std gamma N",
    },
    sentences={
        "mean_path_missing": (
            "You leave out the path through the mean. Each pixel moves its channel's mean by 1/(N·H·W) of itself, and "
            "the mean moves every output: without that term your dx does not sum to 0 over a channel."
        ),
        "variance_path_sign": (
            "Your term through the variance has the wrong sign in dx. A larger variance makes x_hat smaller: the "
            "derivative of (var + eps)^(-1/2) is negative."
        ),
        "mean_path_sign": (
            "Your term through the mean has the wrong sign in dx. x_hat is x minus the mean, so the mean acts with a "
            "minus; with the plus your dx does not sum to 0."
        ),
        "variance_path_without_2": (
            "Your term through the variance is half as large as it should be: the variance is a mean of squares, and "
            "the derivative of a square, (x - mean)², is 2 (x - mean). (Its 2 cancels the 1/2 of the root.)"
        ),
        "variance_path_without_half": (
            "Your term through the variance is twice as large as it should be: the derivative of (var + eps)^(-1/2) is "
            "-1/2 times (var + eps)^(-3/2), and the 1/2 is missing. (It cancels the 2 of the square.)"
        ),
        "mean_path_without_N": (
            "Your term through the mean lacks its 1/(N·H·W): one pixel moves the mean of its channel by only that part "
            "of itself. Yours grows with the batch, and dx does not sum to 0."
        ),
        "variance_path_without_N": (
            "Your term through the variance lacks its 1/(N·H·W): the variance is a mean of the squares of all pixels "
            "of all images, so one pixel counts for that part. Yours grows with the batch."
        ),
        "variance_path_without_x_hat": (
            "You leave the pixel's own x_hat out of the term through the variance (in the graph, its x - mean). It "
            "stands there twice: inside the sum, and once more in front of it. A pixel at the mean does not move the "
            "variance at all, and yours does."
        ),
        "sums_not_averaged": (
            "You subtract sums over a channel where dx has means: both terms, through the mean and through the "
            "variance, lack their 1/(N·H·W) and grow with the batch."
        ),
        "divides_by_N_minus_1": (
            "You divide by N·H·W - 1 in both terms. The normalization uses the mean and the biased variance, both "
            "divided by N·H·W; one less belongs to the running variance only. With N·H·W your dx sums to 0."
        ),
        "variance_path_by_N_minus_1": (
            "You divide by N·H·W - 1 in the term through the variance. The normalization uses the biased variance, "
            "divided by N·H·W; the unbiased one belongs to the running variance only."
        ),
        "factor_on_the_first_term_only": (
            "Your factor gamma / (std N·H·W) reaches only the first of the three terms of dx: put parentheses around "
            " N·H·W dy - sum(dy) - x_hat sum(dy x_hat), so that all three are multiplied."
        ),
        "only_the_diagonal": (
            "You multiply each dy by the derivative of its own y alone, the diagonal of the Jacobian. Every pixel "
            "moves *all* outputs of its channel, through mean and variance, so dx needs sums over the channel."
        ),
    },
)


# ------------------------------------------------------------------------------------------ by how many values


@exercise.misconception(Kind.ERROR, COUNT, step="N")
def divides_by_the_images_only(at: Any) -> Any:
    """You divide by N, the number of images, in dx. Mean and variance of a channel are over N·H·W values, all pixels of
    all images, so one pixel counts for 1/(N·H·W) in both terms; with that your dx sums to 0."""
    return len(at.x)


exercise.another_way("divides_by_the_images_only", step="dx_var")(
    lambda at: spread(at.dvar) * 2.0 * at.centred / len(at.x)
)
exercise.another_way("divides_by_the_images_only", step="dx_mean")(lambda at: at.dmean / len(at.x))


@exercise.misconception(Kind.ERROR, COUNT, step="N")
def divides_by_the_pixels_only(at: Any) -> Any:
    """You divide by H·W, the pixels of one image, in dx. Mean and variance of a channel are over N·H·W values, all
    pixels of all images, so one pixel counts for 1/(N·H·W) in both terms; with that your dx sums to 0."""
    return at.x[0, 0].size


@exercise.misconception(Kind.ERROR, COUNT, step="N")
def divides_by_C(at: Any) -> Any:
    """You divide by C, the number of channels, where N·H·W belongs: the sums run over the values of one channel, all
    pixels of all images."""
    return at.x.shape[1]


@exercise.misconception(Kind.ERROR, COUNT, step="N")
def divides_by_all_entries(at: Any) -> Any:
    """You divide by N·C·H·W, all the numbers in x. Each channel has a mean and a variance of its own, over its N·H·W
    values: leave C out."""
    return at.x.size


# ----------------------------------------------------------------------------------------------- over which axes


def over(axes: tuple[int, ...], values: Array) -> Any:
    """Their mean over these axes, in a shape that broadcasts."""
    return values.mean(axis=axes, keepdims=True)


def closed_over(axes: tuple[int, ...]) -> Callable[[Any], Any]:
    """The closed form, with means over these axes."""

    def dx_of(at: Any) -> Any:
        projected = over(axes, at.dx_hat) + at.x_hat * over(axes, at.dx_hat * at.x_hat)
        return (at.dx_hat - projected) * spread(at.inv_std)

    return dx_of


def graph_over(identifier: str, axes: tuple[int, ...]) -> None:
    """The graph, with sums over these axes, divided by N·H·W all the same."""
    another_way_of_steps(
        exercise,
        identifier,
        {
            "dvar": lambda at: -0.5 * (at.dx_hat * at.centred).sum(axis=axes, keepdims=True) * spread(at.inv_std) ** 3,
            "dmean": lambda at: -at.dx_hat.sum(axis=axes, keepdims=True) * spread(at.inv_std),
        },
    )


AXIS = "dmean dvar axis N"


@exercise.misconception(Kind.ERROR, "conv-axes", step="dx", about=AXIS)
def sums_of_each_image(at: Any) -> Any:
    """You sum over the pixels of each image by itself in dx (axes 2 and 3), as instance normalization would. Mean and
    variance of a channel are shared by all images, so both sums run over axes 0, 2 and 3."""
    return closed_over((2, 3))(at)


graph_over("sums_of_each_image", (2, 3))


@exercise.misconception(Kind.ERROR, "conv-axes", step="dx", about=AXIS)
def sums_over_part_of_the_axes(at: Any) -> Any:
    """You sum over some of the axes in dx, but not over images, rows and columns together. All pixels of all images
    share the mean and the variance of their channel, so both sums run over axes 0, 2 and 3."""
    return closed_over((0,))(at)


graph_over("sums_over_part_of_the_axes", (0,))
for part in ((0, 2), (0, 3)):
    exercise.another_way("sums_over_part_of_the_axes", step="dx")(closed_over(part))


@exercise.misconception(Kind.ERROR, "conv-axes", step="dx", about=AXIS)
def sums_as_if_channels_were_last(at: Any) -> Any:
    """You sum over the first three axes in dx, as if the channels were the last one. That is the order of TensorFlow
    and Keras, (N, H, W, C); here images are (N, C, H, W), so both sums run over axes 0, 2 and 3."""
    return closed_over((0, 1, 2))(at)


graph_over("sums_as_if_channels_were_last", (0, 1, 2))


@exercise.misconception(Kind.ERROR, "conv-axes", step="dx", about=AXIS)
def sums_along_axis_1(at: Any) -> Any:
    """You sum over axis 1, the channels, in dx, as layer normalization would. Mean and variance belong to a channel, so
    both sums run over all the other axes, 0, 2 and 3."""
    return closed_over((1,))(at)


exercise.another_way("sums_along_axis_1", step="dx")(closed_over((1, 2, 3)))


@exercise.misconception(Kind.ERROR, "conv-axes", step="dx", about=AXIS)
def sums_over_everything(at: Any) -> Any:
    """You average over all of x in dx, the channels too. Mean and variance belong to a channel, so each channel has its
    own sums: axes 0, 2 and 3."""
    return closed_over((0, 1, 2, 3))(at)


graph_over("sums_over_everything", (0, 1, 2, 3))


# ------------------------------------------------------------------------------------------------- dgamma and dbeta

Terms = Callable[[Array], Any]


def parameters_by(identifier: str, total: Terms) -> None:
    """Only dbeta, or both, with the terms put together so."""
    exercise.another_way(identifier, step="dbeta")(lambda at: total(at.dy))
    both_parameters_by(identifier, total)


def both_parameters_by(identifier: str, total: Terms) -> None:
    """Both, with the terms put together so."""
    another_way_of_steps(
        exercise, identifier, {"dgamma": lambda at: total(at.dy * at.x_hat), "dbeta": lambda at: total(at.dy)}
    )


def summed(axes: tuple[int, ...]) -> Terms:
    """Summed over these axes."""
    return lambda terms: terms.sum(axis=axes)


@exercise.misconception(Kind.ERROR, PARAMETERS, step="dgamma", about="dgamma N")
def parameters_averaged(at: Any) -> Any:
    """You average in dgamma or dbeta. The loss is what dy says it is: if it is a mean over the batch, dy has its 1/N
    already, and the gradients of gamma and beta are plain sums over all pixels of all images."""
    return (at.dy * at.x_hat).mean(axis=AXES)


parameters_by("parameters_averaged", lambda terms: terms.mean(axis=AXES))
for divided in (lambda terms: terms.sum(axis=AXES) / len(terms), lambda terms: terms.mean(axis=(2, 3)).sum(axis=0)):
    both_parameters_by("parameters_averaged", divided)
another_way_of_steps(  # and the closed form made of them divides by N·H·W again
    exercise,
    "parameters_averaged",
    {
        "dgamma": lambda at: (at.dy * at.x_hat).mean(axis=AXES),
        "dbeta": lambda at: at.dy.mean(axis=AXES),
        "dx": lambda at: (
            spread(at.gamma * at.inv_std) * (at.dy - spread(at.dbeta) / at.N - at.x_hat * spread(at.dgamma) / at.N)
        ),
    },
)


@exercise.misconception(Kind.ERROR, SHAPE, step="dgamma", about="dgamma axis")
def parameters_not_summed(at: Any) -> Any:
    """You do not sum in dgamma or dbeta. One gamma serves all pixels of all images of its channel, so its gradient is
    the sum of what each of them says, and has gamma's shape, (C,)."""
    return at.dy * at.x_hat


parameters_by("parameters_not_summed", lambda terms: terms)


@exercise.misconception(Kind.ERROR, SHAPE, step="dgamma", about="dgamma axis")
def parameters_summed_over_part_of_the_axes(at: Any) -> Any:
    """You sum over some of the axes in dgamma or dbeta, but not over images, rows and columns together. One gamma
    serves all pixels of all images of its channel: sum over axes 0, 2 and 3, so that the shape is gamma's, (C,)."""
    return (at.dy * at.x_hat).sum(axis=0)


parameters_by("parameters_summed_over_part_of_the_axes", summed((0,)))
exercise.another_way("parameters_summed_over_part_of_the_axes", step="dgamma")(
    lambda at: (at.dy * at.x_hat).sum(axis=(2, 3))
)
parameters_by("parameters_summed_over_part_of_the_axes", summed((2, 3)))
for part in ((0, 2), (0, 3)):
    both_parameters_by("parameters_summed_over_part_of_the_axes", summed(part))


@exercise.misconception(Kind.ERROR, SHAPE, step="dgamma", about="dgamma axis")
def parameters_summed_as_if_channels_were_last(at: Any) -> Any:
    """You sum over the first three axes in dgamma or dbeta, as if the channels were the last one. Here images are
    (N, C, H, W): sum over axes 0, 2 and 3."""
    return (at.dy * at.x_hat).sum(axis=(0, 1, 2))


parameters_by("parameters_summed_as_if_channels_were_last", summed((0, 1, 2)))


@exercise.misconception(Kind.ERROR, SHAPE, step="dgamma", about="dgamma axis")
def parameters_summed_along_axis_1(at: Any) -> Any:
    """You sum over axis 1, the channels, in dgamma or dbeta. Each channel has its own gamma and beta, shared by all
    pixels of all images: sum over axes 0, 2 and 3."""
    return (at.dy * at.x_hat).sum(axis=1)


parameters_by("parameters_summed_along_axis_1", summed((1,)))
both_parameters_by("parameters_summed_along_axis_1", summed((1, 2, 3)))


@exercise.misconception(Kind.ERROR, SHAPE, step="dgamma", about="dgamma axis")
def parameters_summed_over_everything(at: Any) -> Any:
    """You sum dgamma or dbeta over all of dy, so one number comes out. Each channel has its own gamma and beta: sum
    over axes 0, 2 and 3."""
    return (at.dy * at.x_hat).sum()


parameters_by("parameters_summed_over_everything", lambda terms: terms.sum())


# ------------------------------------------------------------------------------------------- layout of the channels


def closed(dy: Array, x_hat: Array, gamma: Any, std: Any) -> Any:
    """The closed form on whatever is taken for rows of pixels."""
    return gamma / std * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0))


def on_rows(
    rows_of: Callable[[Array], Array], images_of: Callable[[Array, Array], Array], x_hat_too: bool
) -> Callable[..., Any]:
    """The backward on rows that are made and put back so; the cache has images, or the right rows already."""

    def backward(dy: Array, cache: Any) -> Any:
        dy_rows = rows_of(dy)
        x_hat = rows_of(cache.x_hat) if x_hat_too else rows(cache.x_hat, cache.x)
        dx = closed(dy_rows, x_hat, cache.gamma, cache.std)
        return images_of(dx, dy), (dy_rows * x_hat).sum(axis=0), dy_rows.sum(axis=0)

    return backward


def pieces(images: Array) -> Array:
    """Pixels as they lie in memory, cut into pieces of C values: not channels."""
    return images.reshape(-1, images.shape[1])


def strips(images: Array) -> Array:
    """As (C, -1), without moving the channels to the front."""
    return images.reshape(images.shape[1], -1).T


def right_rows(images: Array) -> Array:
    """The right ones."""
    return rows(images, images)  # type: ignore[no-any-return]  # of an array an array


def last_to_second(values: Array, like: Array) -> Array:
    """Rows of pixels as images, put back rightly."""
    N, C, H, W = like.shape
    return values.reshape(N, H, W, C).transpose(0, 3, 1, 2)


@exercise.misconception(Kind.ERROR, "conv-axes", about="dy x_hat")
def reshaped_without_transposing(dy: Array, cache: Any) -> Any:
    """You reshape dy without moving the channel axis first. In (N, C, H, W) neighbours in memory belong to one channel,
    so your rows and columns mix channels: transpose to (N, H, W, C) before you reshape, and dx back afterwards."""
    return on_rows(pieces, lambda dx, dy: dx.reshape(dy.shape), True)(dy, cache)


for made, back, x_hat_too in (
    (pieces, lambda dx, dy: dx.reshape(dy.shape), False),
    (pieces, last_to_second, False),
    (pieces, last_to_second, True),
    (strips, lambda dx, dy: dx.T.reshape(dy.shape), True),
    (strips, lambda dx, dy: dx.T.reshape(dy.shape), False),
):
    exercise.another_way("reshaped_without_transposing")(on_rows(made, back, x_hat_too))


@exercise.misconception(Kind.ERROR, "conv-axes", about="dx")
def not_transposed_back(dy: Array, cache: Any) -> Any:
    """You compute dx from the right rows but do not put it back as it was: dx has to have x's order of axes,
    (N, C, H, W). Reshape to (N, H, W, C) first, then transpose; each pixel must end where it came from."""
    return on_rows(right_rows, lambda dx, dy: dx.reshape(dy.shape), True)(dy, cache)


def channels_last(dx: Array, dy: Array) -> Array:
    """As (N, H, W, C)."""
    N, C, H, W = dy.shape
    return dx.reshape(N, H, W, C)


for put_back in (
    channels_last,
    lambda dx, dy: dx,
    lambda dx, dy: channels_last(dx, dy).transpose(0, 2, 3, 1),
    lambda dx, dy: channels_last(dx, dy).swapaxes(1, 3),
):
    exercise.another_way("not_transposed_back")(on_rows(right_rows, put_back, True))


@exercise.misconception(Kind.ERROR, "conv-axes", step="dx_hat", about="gamma dmean dvar N")
def channel_values_along_another_axis(at: Any) -> Any:
    """You combine one value a channel, of shape (C,), with dy of shape (N, C, H, W) so that it meets another axis: as
    it is, it meets the columns of pixels, for NumPy aligns shapes from the right. It runs only where that axis happens
    to have C entries. Give it the shape (1, C, 1, 1)."""
    return at.dy * at.gamma


def brought(to: Callable[[Any], Any], gamma: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The closed form, with its values a channel brought to the images so."""

    def dx_of(at: Any) -> Any:
        dx_hat = at.dy * gamma(at.gamma)
        first, second = dx_hat.mean(axis=AXES), (dx_hat * at.x_hat).mean(axis=AXES)
        return (dx_hat - to(first) - at.x_hat * to(second)) * to(at.inv_std)

    return dx_of


for wrongly in (unspread, along_rows, along_images):
    exercise.another_way("channel_values_along_another_axis", step="dx")(brought(wrongly, wrongly))
    exercise.another_way("channel_values_along_another_axis", step="dx")(brought(wrongly, spread))


# ---------------------------------------------------------------------------------------------------- what is agreed on


def right(dy: Array, cache: Any) -> Any:
    """The right gradients."""
    return exercise.from_steps({})(dy, cache)


@exercise.misconception(Kind.CONTRACT, PARAMETERS, about="order")
def gradients_in_another_order(dy: Array, cache: Any) -> Any:
    """You return the gradients in another order. The exercise asks for (dx, dgamma, dbeta): the order of the forward's
    arguments, x, gamma, beta."""
    dx, dgamma, dbeta = right(dy, cache)
    return dx, dbeta, dgamma


for order in ((1, 2, 0), (2, 1, 0), (1, 0, 2)):
    exercise.another_way("gradients_in_another_order")(
        lambda dy, cache, order=order: tuple(right(dy, cache)[n] for n in order)
    )


@exercise.misconception(Kind.CONTRACT, CLOSED, sentences.CHANGES_ITS_INPUT)
def changes_its_input(dy: Array, cache: Any) -> Any:
    """Works in place on dy."""
    gradients = right(dy, cache)
    dy *= spread(cache.gamma)
    return gradients


@exercise.misconception(Kind.CONTRACT, CLOSED)
def changes_the_cache(dy: Array, cache: Any) -> Any:
    """You change something in the cache, by an in-place operation. It is right the first time and wrong the second, as
    when a gradient check calls the backward again: make a new array."""
    gradients = right(dy, cache)
    cache.arguments = (cache.arguments[0] * 1.5, *cache.arguments[1:])
    return gradients


@exercise.misconception(Kind.CONTRACT, PARAMETERS)
def updates_the_parameters(dy: Array, cache: Any) -> Any:
    """You change gamma or beta inside the backward. It only says in which direction they should move; moving them is
    the optimizer's work, and who calls you twice would move them twice."""
    gradients = right(dy, cache)
    cache.gamma -= 0.1 * gradients[1]
    return gradients


# --------------------------------------------------------------------------------------------- what nobody foresaw

FACTORS = (*COUNTS, q.GAMMA, q.STD, *q.EPS_ROOTS)

exercise.read(
    Reading(
        "dx",
        terms=(
            Term("direct", "the direct term, gamma/std · dy,", lambda at: at.dx_direct, CLOSED, "", "dx_hat dx_direct"),
            Term(
                "mean_path",
                "the term through the mean",
                lambda at: spread(at.dx_mean),
                MEAN,
                "Each pixel moves its channel's mean by 1/(N·H·W) of itself, and the mean moves every output the other "
                "way.",
                "dmean dx_mean mean",
            ),
            Term(
                "variance_path",
                "the term through the variance",
                lambda at: at.dx_var,
                VARIANCE,
                "Each pixel moves the variance by 2 (x - mean)/(N·H·W), and a larger variance makes every x_hat "
                "smaller.",
                "dvar dx_var var",
            ),
        ),
        factors=FACTORS,
    )
)
exercise.read(
    Reading(
        "dgamma",
        terms=(
            Term("x_hat", "the sum of dy · x_hat", lambda at: at.dgamma, PARAMETERS, "", "dgamma x_hat"),
            Term(
                "dy",
                "a multiple of the sum of dy",
                lambda at: at.dbeta,
                PARAMETERS,
                "",
                "dgamma mean beta",
                foreign=True,
            ),
        ),
        factors=FACTORS,
        vary=("dy",),
    )
)
exercise.read(
    Reading(
        "dbeta",
        terms=(
            Term("dy", "the sum of dy", lambda at: at.dbeta, PARAMETERS, "", "dbeta dy"),
            Term(
                "x_hat",
                "a multiple of the sum of dy · x_hat",
                lambda at: at.dgamma,
                PARAMETERS,
                "",
                "x_hat",
                foreign=True,
            ),
        ),
        factors=(*COUNTS, q.GAMMA, q.STD),
        vary=("dy",),
    )
)


@exercise.symptom(MEAN, about="dx dmean dx_mean mean dvar dx_var x_hat dx_hat dx_direct N")
def dx_does_not_sum_to_zero(at: Any, answer: Mapping[str, Array]) -> bool:
    """Your dx does not sum to 0 over each channel. Adding the same number to every pixel of a channel changes nothing
    in batch normalization, so the right one always does: the direct term and the one through the mean cancel, and the
    one through the variance sums to 0 by itself, as x_hat does. Add up your terms one by one."""
    dx = answer["dx"]
    return bool(np.all(np.abs(dx.sum(axis=AXES)) <= 1e-6 * np.abs(dx).sum(axis=AXES)))


@exercise.symptom(VARIANCE, about="dx dvar dx_var var x_hat dx_hat gamma")
def dx_is_off_along_x_hat(at: Any, answer: Mapping[str, Array]) -> bool:
    """Your dx sums to 0 over each channel, as it should, but multiplied by x_hat and summed it is not what it must be:
    gamma/std · eps/(var + eps) times the sum of dy · x_hat, so nearly 0 when eps is small. Look at what comes through
    the variance, and at where gamma goes."""
    expected = at.gamma / at.std * at.eps / (at.var + at.eps) * at.dgamma
    along = (answer["dx"] * at.x_hat).sum(axis=AXES)
    return bool(np.all(np.abs(along - expected) <= 1e-6 * np.abs(answer["dx"] * at.x_hat).sum(axis=AXES)))
