"""What is asked of `batchnorm2d_inference`, and how is it got wrong?"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import functional as reference
from .. import quantities as q
from .. import sentences
from ..answers import Array
from ..asking import Asked
from ..calling import Signature
from ..draw import Draw
from ..exercise import Exercise, Kind, Problem
from ..inputs import EPS, ONE, THREE, leaves_alone
from ..reading import Reading, Term
from .batchnorm2d_forward import FIVE_ZERO, TWO_ONE, along_images, along_rows, normalized, unspread
from .batchnorm2d_forward import batchnorm2d_forward as training
from .channels import AXES, another_way_of_steps, spread
from .inputs import (
    CHANNELS,
    CUBE,
    HARDLY,
    MANY,
    PROBES,
    SHAPES,
    SMALL,
    SQUARE,
    TWO_CHANNELS,
    WHOLE,
    agrees_roughly,
    fixed_layer,
    scale_of_fixed_layer,
)

TWO_FOUR, ONE_FOUR = np.array([2.0, 4.0]), np.array([1.0, 4.0])

batchnorm2d_inference = Exercise(
    Signature(
        "batchnorm2d_inference",
        ("x", "gamma", "beta", "running_mean", "running_var", "eps"),
        ("y",),
        reference.batchnorm2d_inference,
    ),
    problem=fixed_layer,
    scale=scale_of_fixed_layer,
    smallest=(
        (np.array([[[[5.0]]]]), 2 * ONE, ONE, 3 * ONE, ONE, THREE),
        (SMALL, 2 * ONE, ONE, ONE, 6 * ONE, THREE),
        (HARDLY, ONE, 0 * ONE, ONE, 1e-6 * ONE),
        (WHOLE, 0.5 * ONE, ONE, ONE, ONE, THREE),
        (TWO_CHANNELS, TWO_ONE, FIVE_ZERO, TWO_FOUR, ONE_FOUR, THREE),
        (SQUARE, TWO_ONE, FIVE_ZERO, TWO_FOUR, ONE_FOUR, THREE),
        (CUBE, TWO_ONE, FIVE_ZERO, TWO_FOUR, ONE_FOUR, THREE),
    ),
    section="inference-formula",
    axes={"x": "NCHW", "gamma": "C", "beta": "C", "running_mean": "C", "running_var": "C"},
    probes=PROBES,
)
exercise = batchnorm2d_inference


@exercise.property(points=0.5, section="conv-axes", nudge="Does your y have the shape of x?")
def fixed_images_come_out_as_images(f: Asked, draw: Draw) -> None:
    """answers with an array of x's shape, (N, C, H, W)"""
    f(fixed_layer(draw, Problem(3, 4, H=2, W=5)))


@exercise.property(
    points=2.5, nudge="Does what comes out for one image depend on which other images are in the batch? Should it?"
)
def uses_the_running_statistics(f: Asked, draw: Draw) -> None:
    """normalizes with the running statistics it was given, whatever the batch is (gamma = 1, beta = 0)"""
    x, gamma, beta, *statistics = fixed_layer(draw, MANY)
    agrees_roughly(f, (x, np.ones_like(gamma), np.zeros_like(beta), *statistics))
    agrees_roughly(f, (x[:1], np.ones_like(gamma), np.zeros_like(beta), *statistics))


@exercise.property(
    points=2, section="conv-axes", nudge="gamma has one number a channel. Which of the four axes of x does it meet?"
)
def fixed_channels_scaled_and_shifted(f: Asked, draw: Draw) -> None:
    """multiplies each channel by its own gamma, then adds its own beta, also when C is N, H or W"""
    for problem in (MANY, Problem(4, 4, H=4, W=2, low=False), Problem(3, 4, H=2, W=4, low=False)):
        agrees_roughly(f, fixed_layer(draw, problem))


@exercise.property(points=1.5, section="normalize-eps", nudge="What stands under the root in your code?")
def fixed_layer_follows_eps(f: Asked, draw: Draw) -> None:
    """adds the eps it was given to the running variance, under the root"""
    for problem in SHAPES:
        f.agrees(fixed_layer(draw, Problem(problem.N, problem.D, eps=problem.eps or 0.2, H=problem.H, W=problem.W)))


@exercise.property(points=0.5, section="normalize-eps", nudge="Which eps does your function use when it gets none?")
def fixed_layer_default_eps(f: Asked, draw: Draw) -> None:
    """uses eps = 1e-5 when none is given"""
    f.agrees(fixed_layer(draw, Problem(3, 2)))


@exercise.property(points=0.5, section="normalize-formula", nudge="Of which type is the array you write y into?")
def fixed_images_of_whole_numbers(f: Asked, draw: Draw) -> None:
    """takes images of whole numbers without losing what is behind the point"""
    agrees_roughly(f, fixed_layer(draw, Problem(3, 2, whole=True, low=False)))


@exercise.property(points=0.5, needs="uses_the_running_statistics", nudge="Does any line write into an argument?")
def fixed_layer_leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves x, gamma, beta and the running statistics as they were"""
    leaves_alone(f, fixed_layer(draw, Problem(3, 2)))


# ------------------------------------------------------------------------------------------------------------ its steps

steps = exercise.in_steps(eps=EPS)


@steps.step
def mean(at: Any) -> Any:
    """the mean to subtract: the running one"""
    return at.running_mean


@steps.step
def var(at: Any) -> Any:
    """the variance to divide by the root of: the running one"""
    return at.running_var


@steps.step
def centred(at: Any) -> Any:
    """how far each value lies from its channel's running mean"""
    return at.x - spread(at.mean)


@steps.step
def std(at: Any) -> Any:
    """the root of the running variance + eps"""
    return np.sqrt(at.var + at.eps)


@steps.step
def x_hat(at: Any) -> Any:
    """the distance from the running mean, divided by std"""
    return at.centred / spread(at.std)


@steps.step
def y(at: Any) -> Any:
    """gamma times x_hat, plus beta, channel by channel"""
    return spread(at.gamma) * at.x_hat + spread(at.beta)


# ------------------------------------------------------------------------------------------- which statistics


def batch_mean(at: Any) -> Any:
    """Of this batch."""
    return at.x.mean(axis=AXES)


def batch_var(at: Any) -> Any:
    """Of this batch."""
    return at.x.var(axis=AXES)


@exercise.misconception(Kind.ERROR, "inference-formula", step="mean", about="mean var")
def batch_statistics(at: Any) -> Any:
    """You normalize with the statistics of this batch. At inference an image must not depend on its neighbours, so the
    running statistics take their place: use the arguments running_mean and running_var."""
    return batch_mean(at)


exercise.another_way("batch_statistics", step="var")(batch_var)
another_way_of_steps(exercise, "batch_statistics", {"mean": batch_mean, "var": batch_var})
another_way_of_steps(exercise, "batch_statistics", {"mean": batch_mean, "var": lambda at: at.x.var(axis=AXES, ddof=1)})
another_way_of_steps(
    exercise,
    "batch_statistics",
    {
        "mean": lambda at: at.x.mean(axis=(2, 3), keepdims=True),
        "var": lambda at: at.x.var(axis=(2, 3), keepdims=True),
    },
)


@exercise.misconception(Kind.ERROR, "inference-formula", about="mean var")
def statistics_updated_first(
    x: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array, eps: float = EPS
) -> Any:
    """You update the running statistics with this batch before you use them. Training does that; at inference they are
    fixed, or else the answer depends on what was asked before."""
    mean, var = reference.update_running_stats2d(running_mean, running_var, x)
    return reference.batchnorm2d_inference(x, gamma, beta, mean, var, eps)


@exercise.another_way("statistics_updated_first")
def statistics_updated_with_the_biased_variance(
    x: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array, eps: float = EPS
) -> Any:
    """As in Keras."""
    mean = 0.9 * running_mean + 0.1 * x.mean(axis=AXES)
    var = 0.9 * running_var + 0.1 * x.var(axis=AXES)
    return reference.batchnorm2d_inference(x, gamma, beta, mean, var, eps)


@exercise.misconception(Kind.ERROR, "inference-formula", step="var", about="var N")
def corrected_again(at: Any) -> Any:
    """You multiply the running variance by N·H·W/(N·H·W - 1). It was made unbiased when it was stored, with the numbers
    of the training batches; how many pixels come in now says nothing about it."""
    values = at.x.size // at.x.shape[1]
    return at.running_var * (values / max(values - 1, 1e-300))


@exercise.misconception(Kind.ERROR, "inference-formula", step="x_hat", about="mean std")
def not_normalized(at: Any) -> Any:
    """You do not normalize at all: x goes straight to gamma and beta. Inference does not switch the layer off; it
    normalizes by fixed statistics, since that is what the layers after it were trained on."""
    return at.x + 0.0


@exercise.misconception(Kind.ERROR, "inference-formula", step="y", about="mean")
def mean_shifted_unscaled(at: Any) -> Any:
    """You subtract the running mean after scaling x, so gamma and the deviation never reach it. As one straight line
    the layer is scale * x + (beta - scale * running_mean), with scale = gamma / std in both places."""
    return at.x * spread(at.gamma / at.std) + spread(at.beta - at.mean)


# ------------------------------------------------------------------------------------------- layout of the channels


@exercise.misconception(Kind.ERROR, "conv-axes", step="y", about="gamma beta")
def channel_values_along_another_axis(at: Any) -> Any:
    """You combine one value a channel, of shape (C,), with x of shape (N, C, H, W) so that it meets another axis: as it
    is, it meets the columns of pixels, for NumPy aligns shapes from the right. It runs only where that axis happens to
    have C entries. Give it the shape (1, C, 1, 1)."""
    return normalized(at, unspread, unspread)


for wrongly in (along_rows, along_images):
    exercise.another_way("channel_values_along_another_axis", step="y")(
        lambda at, wrongly=wrongly: normalized(at, wrongly, wrongly)
    )


def mixed(statistics: Callable[[Any], Any], parameters: Callable[[Any], Any]) -> Callable[..., Any]:
    """Statistics brought to x in one way, parameters in another."""
    return exercise.from_steps({"y": lambda at: normalized(at, statistics, parameters)})


for wrongly in (unspread, along_rows, along_images):
    exercise.another_way("channel_values_along_another_axis")(mixed(spread, wrongly))
    exercise.another_way("channel_values_along_another_axis")(mixed(wrongly, spread))


def inference(rows: Any, running_mean: Any, running_var: Any, gamma: Any, beta: Any, eps: float) -> Any:
    """The layer on whatever is taken for rows of pixels."""
    return gamma * (rows - running_mean) / np.sqrt(running_var + eps) + beta


@exercise.misconception(Kind.ERROR, "conv-axes", about="x mean var gamma beta")
def reshaped_without_transposing(
    x: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array, eps: float = EPS
) -> Any:
    """You reshape x without moving the channel axis first. In (N, C, H, W) neighbours in memory belong to one channel,
    so your rows and columns mix channels: transpose to (N, H, W, C) before you reshape, and back afterwards."""
    rows = x.reshape(-1, x.shape[1])
    return inference(rows, running_mean, running_var, gamma, beta, eps).reshape(x.shape)


@exercise.another_way("reshaped_without_transposing")
def reshaped_to_one_row_a_channel(
    x: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array, eps: float = EPS
) -> Any:
    """As (C, -1), without moving the channels to the front."""
    rows = x.reshape(x.shape[1], -1).T
    return inference(rows, running_mean, running_var, gamma, beta, eps).T.reshape(x.shape)


@exercise.misconception(Kind.ERROR, "conv-axes", about="y")
def not_transposed_back(
    x: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array, eps: float = EPS
) -> Any:
    """You normalize the right rows but do not put them back as they were: y has to have x's order of axes,
    (N, C, H, W). Reshape to (N, H, W, C) first, then transpose; each pixel must end where it came from."""
    return channels_last(x, gamma, beta, running_mean, running_var, eps).reshape(x.shape)


def channels_last(
    x: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array, eps: float = EPS
) -> Any:
    """The right numbers, as (N, H, W, C)."""
    return inference(x.transpose(0, 2, 3, 1), running_mean, running_var, gamma, beta, eps)


def put_back(how: Callable[[Any], Any]) -> Callable[..., Any]:
    """The right numbers, put back in a way of their own."""
    return lambda *arguments: how(channels_last(*arguments))


for how in (
    lambda y: y,
    lambda y: y.reshape(-1, y.shape[3]),
    lambda y: y.transpose(0, 2, 3, 1),
    lambda y: y.swapaxes(1, 3),
):
    exercise.another_way("not_transposed_back")(put_back(how))


# ------------------------------------------------------------------------------------------ as in training

exercise.copy(
    training,
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


@exercise.another_way("divides_by_the_variance", step="std")
def variance_for_the_deviation(at: Any) -> Any:
    """As if the running variance were a deviation, eps left out."""
    return at.var


@exercise.another_way("divides_by_the_variance", step="std")
def variance_squared(at: Any) -> Any:
    """As if the running variance were a deviation, which is squared again."""
    return np.sqrt(at.var**2 + at.eps)


@exercise.misconception(Kind.ERROR, "normalize-formula", sentences.WHOLE_NUMBER_BUFFER)
def whole_number_buffer(
    x: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array, eps: float = EPS
) -> Any:
    """The output is an array like x."""
    y = np.empty_like(x)
    y[:] = reference.batchnorm2d_inference(x, gamma, beta, running_mean, running_var, eps)
    return y


@exercise.another_way("whole_number_buffer")
def whole_number_x_hat(
    x: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array, eps: float = EPS
) -> Any:
    """The normalized values are an array like x."""
    x_hat = np.empty_like(x)
    x_hat[:] = steps.trace((x, gamma, beta, running_mean, running_var, eps)).x_hat
    return spread(gamma) * x_hat + spread(beta)


@exercise.misconception(Kind.CONTRACT, "inference-formula", sentences.CHANGES_ITS_INPUT)
def changes_its_input(
    x: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array, eps: float = EPS
) -> Any:
    """Centres in place."""
    answer = reference.batchnorm2d_inference(x, gamma, beta, running_mean, running_var, eps)
    x -= spread(running_mean).astype(x.dtype)
    return answer


# --------------------------------------------------------------------------------------------- what nobody foresaw

exercise.read(
    Reading(
        "y",
        terms=(
            Term(
                "x_hat",
                "the normalized part",
                lambda at: spread(at.gamma) * at.x_hat,
                "inference-formula",
                "",
                "x_hat x std",
            ),
            Term("beta", "the term with beta", lambda at: spread(at.beta), "scale-shift", "", "beta"),
            Term(
                "mean",
                "a multiple of the running mean left over",
                lambda at: spread(at.gamma * at.mean / at.std),
                "inference-formula",
                "Subtracting it once from x, before dividing, takes all of it away.",
                "mean",
                foreign=True,
            ),
        ),
        factors=(CHANNELS, q.GAMMA, q.BETA, q.STD, q.EPS, *q.EPS_ROOTS),
        vary=("beta",),
    )
)
