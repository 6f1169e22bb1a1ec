"""What is asked of `groupnorm_backward`, and how is it got wrong?"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import functional as reference
from .. import quantities as q
from ..answers import Array
from ..asking import Asked, Refused
from ..calling import Signature
from ..chain import Step
from ..draw import Draw
from ..exercise import Exercise, Kind, Problem
from ..inputs import ROUGHLY, leaves_alone
from ..reading import Factor
from . import gradients
from .groupnorm_forward import BATCH, FOUR, ONE, TWO, WORDS, groupnorm_forward
from .images_backward import add_parameter_sums
from .inputs import FEW_PIXELS, GROUPS, MANY_PIXELS, group_pair, in_rows, scale_of_group_pair
from .statistics import counts_of
from .sums import over_the_batch

FIRST = np.array([[[[1.0]], [[0.0]]]])
FIRST_OF_FOUR = np.array([1.0, 0.0, 0.0, 1.0])

groupnorm_backward = Exercise(
    Signature(
        "groupnorm_backward",
        ("dy", "x", "gamma", "beta", "groups", "eps"),
        ("dx", "dgamma", "dbeta"),
        reference.groupnorm_backward,
    ),
    problem=group_pair,
    scale=scale_of_group_pair,
    smallest=(
        (FIRST, TWO, ONE, 0 * ONE, 1, 3.0),
        (FIRST, TWO, np.array([2.0, 1.0]), np.array([5.0, 0.0]), 1, 3.0),
        (FIRST_OF_FOUR.reshape(BATCH.shape), BATCH, np.array([2.0, 1.0]), np.array([5.0, 0.0]), 1, 3.0),
        (FIRST_OF_FOUR.reshape(FOUR.shape), FOUR, np.ones(4), np.zeros(4), 2, 3.0),
        (FIRST_OF_FOUR.reshape(FOUR.shape), FOUR, np.array([2.0, 1.0, 1.0, 1.0]), np.zeros(4), 2, 3.0),
    ),
    section="backward-closed-form",
    axes={"dy": "NCHW", "x": "NCHW", "gamma": "C", "beta": "C"},
    forward=groupnorm_forward,
    probes=GROUPS,
    whole_probes=(),
)
exercise = groupnorm_backward


@exercise.property(points=0.5, nudge="Which shapes have x, gamma and beta? A gradient has the shape of what it is for.")
def gradients_have_the_shapes_of_their_inputs(f: Asked, draw: Draw) -> None:
    """answers with (dx, dgamma, dbeta), in the shapes of x, gamma and beta"""
    f(group_pair(draw, Problem(4, 3)))


@exercise.property(
    points=1,
    section="backward-parameters",
    nudge="Each group of each image has a mean of its own; but has it a beta of its own?",
)
def dbeta_adds_up_dy(f: Asked, draw: Draw) -> None:
    """gives as dbeta the sum of dy over the images and their pixels, for each channel"""
    for problem in FEW_PIXELS[:2]:
        f.agrees(group_pair(draw, problem), only=("dbeta",))


@exercise.property(
    points=1.5,
    section="backward-parameters",
    nudge="By which number is gamma multiplied in each y? Would your dgamma change if you added 100 to all of x?",
)
def dgamma_adds_up_dy_x_hat(f: Asked, draw: Draw) -> None:
    """gives as dgamma the sum of dy times x_hat over the images and their pixels, for each channel"""
    for problem in FEW_PIXELS[:2]:
        f.agrees(group_pair(draw, problem), only=("dgamma",))


@exercise.property(
    points=1,
    section="backward-mean-path",
    nudge="Add the same number to all values of a group: does y change? Then what must their gradients sum to?",
)
def dx_sums_to_zero(f: Asked, draw: Draw) -> None:
    """gives a dx, not zero itself, that sums to 0 over each group of each image"""
    arguments = group_pair(draw, Problem(4, 3, eps=0.1))
    dx, scale = f(arguments, only=("dx",))["dx"], scale_of_group_pair(arguments)["dx"]
    rows = in_rows(dx, arguments[4])
    sums = rows.sum(axis=1)
    if not np.any(np.abs(dx) > 1e-6 * scale):
        raise Refused("Your dx is 0 everywhere.")
    if not np.all(np.abs(sums) <= 1e-4 * np.abs(rows).max(axis=1)):
        of_first = np.array2string(sums[: arguments[4]], precision=4)
        raise Refused(f"The groups of the first image of your dx sum to {of_first}, expected zeros.")


@exercise.property(
    points=3,
    section="gamma-inside",
    nudge="On how many roads does one x reach the loss? What do their sums run over, and is gamma the same along it?",
)
def dx_follows_all_three_paths(f: Asked, draw: Draw) -> None:
    """gives as dx the direct term and those through the mean and the variance, with gamma inside their sums"""
    f.agrees(group_pair(draw, MANY_PIXELS), within=ROUGHLY, only=("dx",))


@exercise.property(
    points=1,
    section="normalize-eps",
    nudge="Which deviation did the forward divide by? Does the backward use the same one?",
)
def backward_follows_eps(f: Asked, draw: Draw) -> None:
    """uses the deviation the forward divided by, with the eps it was given"""
    dy, x, gamma, beta, groups = group_pair(draw, MANY_PIXELS)
    f.agrees((dy, 0.2 * x, gamma, beta, groups, 0.1), within=ROUGHLY, only=("dx",))


@exercise.property(points=0.5, nudge="Which number divides the sums: how many values has a group?")
def dx_is_right_to_rounding(f: Asked, draw: Draw) -> None:
    """is right to rounding for images of any shape, and for a group that hardly varies"""
    for problem in (*FEW_PIXELS[:2], Problem(2, 3)):
        f.agrees(group_pair(draw, problem), only=("dx",))


@exercise.property(
    points=0.5,
    needs="dx_follows_all_three_paths",
    nudge="Does any line of your backward write into dy, or into something that came out of the cache?",
)
def backward_leaves_dy_and_cache_alone(f: Asked, draw: Draw) -> None:
    """leaves dy, gamma and the cache as they were: a second call answers the same"""
    leaves_alone(f, group_pair(draw, Problem(4, 3)))


gradients.in_steps(exercise, WORDS)
gradients.add_paths(exercise, WORDS)
gradients.add_counts(
    exercise,
    WORDS,
    "You divide by another number than M = H·W·C/groups. The sums of dx run over the pixels of all channels of one "
    "group of one image, and have that many terms.",
    lambda at: at.x[0, 0].size,
    lambda at: at.x[0].size,
    lambda at: at.x.shape[1] // at.groups,
    lambda at: len(at.x) * at.x[0].size // at.groups,
    lambda at: len(at.x),
)
gradients.add_factors(exercise, WORDS)
gradients.add_gamma_outside(exercise, WORDS)
gradients.add_wrong_sums(
    exercise,
    "sums_over_the_batch",
    "group-norm",
    "You sum over the images as well in dx, axes (0, 2, 3), as batch normalization does. Each image has its own means "
    "and variances here, so the sums of dx run over the values of one group of one image.",
    lambda values: values.mean(axis=(0, 2, 3), keepdims=True),
    lambda values: values.mean(axis=0),
)
gradients.add_wrong_sums(
    exercise,
    "sums_over_each_channel",
    "group-norm",
    "You sum over the pixels of each channel by itself in dx, axes (2, 3), as instance normalization does. The "
    "channels of a group share one mean and one variance, so the sums run over all of them.",
    lambda values: values.mean(axis=(2, 3), keepdims=True),
)
gradients.add_wrong_sums(
    exercise,
    "sums_over_all_channels",
    "group-norm",
    "You sum over all channels of an image in dx. Each group has its own mean and variance, so each has its own sums: "
    "reshape to (N, groups, C/groups, H, W), and sum over the last three axes.",
    lambda values: values.mean(axis=(1, 2, 3), keepdims=True),
    lambda values: values.mean(axis=1, keepdims=True),
    lambda values: values.mean(),
)


def with_groups(mean: Callable[[Any, Array], Any]) -> tuple[Step, ...]:
    """The closed form with this mean, which knows the number of groups, in its two sums."""

    def in_both(at: Any) -> Any:
        return gradients.closed_form(at, at.dx_hat, mean(at, at.dx_hat), mean(at, at.dx_hat * at.x_hat))

    def in_the_first(at: Any) -> Any:
        along = gradients.average(at, at.dx_hat * at.x_hat)
        return gradients.closed_form(at, at.dx_hat, mean(at, at.dx_hat), along)

    def in_the_second(at: Any) -> Any:
        return gradients.closed_form(at, at.dx_hat, gradients.average(at, at.dx_hat), mean(at, at.dx_hat * at.x_hat))

    return in_both, in_the_first, in_the_second


def means_over(at: Any, values: Array, shape: tuple[int, ...], *axes: int) -> Any:
    """The means over these axes of the values in this shape, once for every value."""
    arranged = values.reshape(shape)
    return np.broadcast_to(arranged.mean(axis=axes, keepdims=True), arranged.shape).reshape(values.shape)


def of_dealt_groups(at: Any, values: Array) -> Any:
    """Of channels 0, groups, 2·groups, ... together."""
    N, C, H, W = values.shape
    return means_over(at, values, (N, C // at.groups, at.groups, H, W), 1, 3, 4)


def over_the_batch_too(at: Any, values: Array) -> Any:
    """Of the same group in all images."""
    N, C, H, W = values.shape
    return means_over(at, values, (N, at.groups, C // at.groups, H, W), 0, 2, 3, 4)


@exercise.misconception(Kind.ERROR, "group-norm", step="dx", about="dmean dvar axis")
def sums_over_interleaved_groups(at: Any) -> Any:
    """You sum over other channels in dx than the forward did: dealt out like cards, 0, groups, 2·groups, ... A group is
    made of neighbours: in the reshape, groups stands before C/groups."""
    return with_groups(of_dealt_groups)[0](at)


for step in with_groups(of_dealt_groups)[1:]:
    exercise.another_way("sums_over_interleaved_groups", step="dx")(step)
for step in with_groups(over_the_batch_too):
    exercise.another_way("sums_over_the_batch", step="dx")(step)

gradients.add_parameters(exercise)
add_parameter_sums(exercise)


def once_a_group(at: Any, values: Array) -> Any:
    """One number per group."""
    return over_the_batch(values).reshape(at.groups, -1).sum(axis=1)


def repeated(at: Any, values: Array) -> Any:
    """The same, once for each channel."""
    return np.repeat(once_a_group(at, values), at.x.shape[1] // at.groups)


gradients.add_other_sums(
    exercise,
    "parameters_summed_over_groups",
    "group-norm",
    "You sum dgamma or dbeta over the channels of a group. Mean and variance belong to the group, but each channel has "
    "its own gamma and beta: sum over the images and their pixels only.",
    once_a_group,
    repeated,
)
gradients.add_contracts(exercise, WORDS)
gradients.read_gradients(
    exercise,
    WORDS,
    "feature",
    counts_of(
        WORDS,
        q.GAMMA,
        Factor("N", lambda at: len(at.x), "N"),
        Factor("C", lambda at: at.x.shape[1], "N"),
        Factor("H·W", lambda at: at.x[0, 0].size, "N"),
    ),
)
gradients.add_identities(exercise, WORDS)
