"""What is asked of `syncbn_forward`, and how is it got wrong?

Merging the devices' statistics goes wrong as in `merge_statistics`, normalizing with them as in `batchnorm2d_forward`.
What is new is to normalize with one's own.
"""

from dataclasses import replace
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
from ..inference.merge_statistics import column, merge_statistics
from ..inputs import EPS, ONE, ROUGHLY, THREE, leaves_alone
from ..reading import Factor, Reading, Term
from .batchnorm2d_forward import batchnorm2d_forward, normalized, unspread
from .channels import AXES, another_way_of_steps, spread
from .devices import MANY, PROBES, SHAPES, device, device_with, own_count, scale_of_device
from .inputs import SMALL

TWO_PAIRS = (np.array([2, 2]), column(2, 4), column(1, 1))  # mean 3, variance 1 + 1
UNEQUAL = (np.array([2, 6]), column(2, 6), column(1, 9))  # mean 5, variance 7 + 3
SAME_MEAN = (np.array([2, 6]), column(2, 2), column(1, 9))  # variance 7
SAME_VARIANCE = (np.array([2, 6]), column(2, 2), column(1, 1))  # variance 1
NARROW = (np.array([2, 2]), column(2, 2), column(1e-5, 1e-5))
TWO_CHANNELS = (
    np.array([[[[1.0, 3.0]], [[2.0, 6.0]]]]),
    np.array([2, 6]),
    np.array([[2.0, 4.0], [6.0, 0.0]]),
    np.array([[1.0, 4.0], [9.0, 8.0]]),
)

syncbn_forward = Exercise(
    Signature(
        "syncbn_forward",
        ("x", "counts", "means", "variances", "gamma", "beta", "eps"),
        ("y", "x_hat", "std"),
        reference.syncbn_forward,
    ),
    problem=device,
    scale=scale_of_device,
    section="distributed-forward",
    smallest=(
        (SMALL, *TWO_PAIRS, ONE, 0 * ONE, 2.0),
        (SMALL, *SAME_VARIANCE, 2 * ONE, ONE, THREE),
        (SMALL, *SAME_MEAN, ONE, 0 * ONE, 2.0),
        (SMALL, *UNEQUAL, 2 * ONE, ONE, 6.0),
        (SMALL, *NARROW, ONE, 0 * ONE),
        (np.array([[[[1, 3]]]]), *UNEQUAL, ONE, 0 * ONE, 6.0),
        (*TWO_CHANNELS, np.array([2.0, 1.0]), np.array([5.0, 0.0]), 2.0),
    ),
    probes=PROBES,
    whole_probes=(Problem(3, 4, eps=0.1, whole=True, H=2, W=3), Problem(2, 2, eps=0.3, whole=True, H=3, W=3)),
)
exercise = syncbn_forward


@exercise.property(points=0.5, nudge="Which of the three things you return has one number a channel?")
def a_device_answers_with_three(f: Asked, draw: Draw) -> None:
    """answers with (y, x_hat, std): y and x_hat of x's shape, std of shape (C,)"""
    f(device(draw, Problem(3, 4, eps=0.1, H=2, W=5)))


def normalized_by(x: Array, x_hat: Array) -> tuple[Array, Array]:
    """Which mean was subtracted, and what was it divided by? Seen from outside, whatever is returned as std."""
    deviation = np.sqrt(x.var(axis=AXES) / np.maximum(x_hat.var(axis=AXES), 1e-300))
    return x.mean(axis=AXES) - deviation * x_hat.mean(axis=AXES), deviation


def is_normalized_by(f: Asked, arguments: Arguments, which: int) -> None:
    """Refuse an x_hat that is made with another mean (``which`` 0) or another deviation (1) than that of all."""
    x = arguments[0]
    actual = normalized_by(x, f(arguments, only=("x_hat",))["x_hat"])[which]
    expected = normalized_by(x, f.right(arguments)["x_hat"])[which]
    if not np.all(np.abs(actual - expected) <= ROUGHLY * np.abs(expected)):
        done = ("From x you subtract", "You divide x - mean by")[which]
        shown, wanted = (np.array2string(one, precision=4) for one in (actual, expected))
        raise Refused(f"{done} {shown} (seen from your x_hat), expected {wanted}.")


@exercise.property(
    points=2.5,
    nudge="One device holds 1 image, the other 9. Which mean has the batch of 10? Which one do you subtract?",
)
def subtracts_the_mean_of_all(f: Asked, draw: Draw) -> None:
    """subtracts the mean of the whole batch: the devices' means, each weighted by its count"""
    is_normalized_by(f, device(draw, MANY), 0)


@exercise.property(points=1.5, nudge="If all devices have the same mean, how much does the variance of each count?")
def averages_the_variances(f: Asked, draw: Draw) -> None:
    """averages the devices' variances, each weighted by its count, where all devices have the same mean"""
    is_normalized_by(f, device_with(draw, MANY, means="same"), 1)


@exercise.property(points=2, nudge="Two devices, one all zeros, one all tens: each has variance 0. Has the batch?")
def adds_what_lies_between_the_devices(f: Asked, draw: Draw) -> None:
    """adds to it how far the devices' means lie from the mean of all, squared (asked where variances are the same)"""
    for _ in range(3):  # on some draws means weighted alike lie as far from each other as means weighted rightly
        is_normalized_by(f, device_with(draw, MANY, variances="same"), 1)


@exercise.property(
    points=1, section="scale-shift", nudge="gamma has one number a channel. Which axis of x_hat is that?"
)
def scales_and_shifts_its_x_hat(f: Asked, draw: Draw) -> None:
    """gives as y its x_hat times gamma, plus beta, channel by channel"""
    for problem in SHAPES:
        arguments = device(draw, problem)
        answer, gamma, beta = f(arguments), *arguments[4:6]
        expected = spread(gamma) * answer["x_hat"] + spread(beta)
        if not np.allclose(answer["y"], expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max()):
            raise Refused("y is not gamma times your x_hat, plus beta.")


@exercise.property(points=0.5, section="normalize-eps", nudge="Where does eps stand in your code?")
def devices_follow_eps(f: Asked, draw: Draw) -> None:
    """adds the eps it was given to the merged variance, under the root"""
    x, counts, means, variances, gamma, beta = device_with(draw, MANY, means="same", variances="same")
    small = 0.2 * means, 0.04 * variances
    is_normalized_by(f, (0.2 * x, counts, *small, gamma, beta, 0.1), 1)


@exercise.property(points=0.5, section="normalize-eps", nudge="Which eps does your function use when it gets none?")
def devices_default_eps(f: Asked, draw: Draw) -> None:
    """uses eps = 1e-5 when none is given"""
    is_normalized_by(f, device_with(draw, Problem(3, 4, H=12, W=20), means="same", variances="same"), 1)


@exercise.property(points=1, nudge="The variances that come in are biased. What is the one you divide by?")
def devices_right_to_rounding(f: Asked, draw: Draw) -> None:
    """is right to rounding for any number of devices, and for whole numbers; all variances are biased ones"""
    for problem in SHAPES:
        f.agrees(device(draw, problem))
    f.agrees(device(draw, Problem(3, 2, eps=0.1, whole=True, H=2, W=3)))


@exercise.property(points=0.5, needs="subtracts_the_mean_of_all", nudge="Does any line write into an argument?")
def devices_leave_their_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves x and what the devices sent as they were"""
    leaves_alone(f, device(draw, Problem(3, 2, eps=0.1)))


# ------------------------------------------------------------------------------------------------------------ its steps

steps = exercise.in_steps(eps=EPS)


@steps.step
def n(at: Any) -> Any:
    """the number of values a channel has on all devices together"""
    return at.counts.sum()


@steps.step
def weights(at: Any) -> Any:
    """the share of each device: its count divided by n"""
    return at.counts / at.n


@steps.step
def mean(at: Any) -> Any:
    """the average of the means, each with its weight"""
    return at.weights @ at.means


@steps.step
def within(at: Any) -> Any:
    """the average of the variances, each with its weight"""
    return at.weights @ at.variances


@steps.step
def between(at: Any) -> Any:
    """the variance of the means: the average, with the weights, of their squared distances from the mean of all"""
    return at.weights @ (at.means - at.mean) ** 2


@steps.step
def var(at: Any) -> Any:
    """within plus between"""
    return at.within + at.between


@steps.step
def std(at: Any) -> Any:
    """the root of var + eps"""
    return np.sqrt(at.var + at.eps)


@steps.step
def centred(at: Any) -> Any:
    """how far each value lies from the mean of all devices"""
    return at.x - spread(at.mean)


@steps.step
def x_hat(at: Any) -> Any:
    """the distance from the mean, divided by std"""
    return at.centred / spread(at.std)


@steps.step
def y(at: Any) -> Any:
    """gamma times x_hat, plus beta, channel by channel"""
    return spread(at.gamma) * at.x_hat + spread(at.beta)


# ----------------------------------------------------------------------------------------------- whose statistics


@exercise.misconception(Kind.ERROR, "distributed-forward", about="mean var within between weights n")
def normalizes_with_its_own_statistics(x: Array, counts: Array, means: Array, variances: Array, *rest: Any) -> Any:
    """You normalize with the mean and the variance of this device's images alone, and leave what the others sent. That
    is what happens without synchronization: every device normalizes a small batch of its own. Merge counts, means and
    variances."""
    own = [x.size // x.shape[1]], [x.mean(axis=AXES)], [x.var(axis=AXES)]
    return reference.syncbn_forward(x, *own, *rest)


exercise.another_way("normalizes_with_its_own_statistics", step="mean")(lambda at: at.x.mean(axis=AXES))
exercise.another_way("normalizes_with_its_own_statistics", step="var")(lambda at: at.x.var(axis=AXES))


@exercise.misconception(Kind.ERROR, "distributed-forward", step="var", about="within between mean")
def variance_of_own_images_about_the_merged_mean(at: Any) -> Any:
    """You take the mean of all devices, but then the mean square distance of *this* device's images from it. The
    others' images count as well: average all devices' variances, weighted by count, and add the variance of the
    means."""
    return ((at.x - spread(at.mean)) ** 2).mean(axis=AXES)


@exercise.misconception(Kind.ERROR, "distributed-forward", step="std", about="within between var")
def inverse_deviations_averaged(at: Any) -> Any:
    """You average the devices' deviations, or 1/std. Only sums over values can be merged, and a root is none: merge the
    variances first, with the variance of the means, and take the root once."""
    return 1.0 / (at.weights @ (1.0 / np.sqrt(at.variances + at.eps)))


exercise.another_way("inverse_deviations_averaged", step="std")(lambda at: at.weights @ np.sqrt(at.variances + at.eps))

SENTENCES = {
    "returns_the_unbiased_variance": (
        "You divide by the root of the unbiased variance, n/(n - 1) times the merged one. The normalization takes the "
        "biased variance of the whole batch, which divides by n."
    ),
    "shards_weighted_equally": (
        "You give every device the same weight. A device with 1 image then counts as much as one with 9: weight each "
        "by its count, count / total, in the mean and in both parts of the variance."
    ),
    "variance_of_the_means_missing": (
        "You average the devices' variances and leave out how far their means lie apart. Two devices, one all zeros "
        "and one all tens, have variance 0 each, but not together: add the average of (device's mean - mean)²."
    ),
    "taken_as_unbiased": (
        "You multiply the devices' variances by count - 1, as one does with unbiased ones. Those that were sent are "
        "biased, divided by count: multiply by count to get the sum of squares back."
    ),
    "variances_left_out": (
        "You take the variance of the devices' means alone. The values also vary inside each device: add the average "
        "of the devices' variances, weighted by their counts."
    ),
}
exercise.copy(
    merge_statistics,
    "variance_of_the_means_missing",
    "shards_weighted_equally",
    "not_divided_by_the_total",
    "taken_as_unbiased",
    "made_unbiased_first",
    "returns_the_unbiased_variance",
    "means_not_centred",
    "distances_not_squared",
    "deviations_averaged",
    "variances_left_out",
)
exercise.copy(
    batchnorm2d_forward,
    "eps_outside_the_root",
    "eps_missing",
    "eps_squared",
    "eps_subtracted",
    "eps_ignored",
    "default_eps_of_keras",
    "divides_before_it_subtracts",
    "only_centres",
    "only_rescales",
    "adds_the_mean",
    "multiplies_by_the_deviation",
    "gamma_ignored",
    "beta_ignored",
    "gamma_and_beta_ignored",
    "gamma_and_beta_swapped",
    "shifts_before_it_scales",
)
exercise.misconceptions[:] = [
    replace(entry, sentence=SENTENCES.get(entry.identifier, entry.sentence)) for entry in exercise.misconceptions
]


@exercise.misconception(Kind.ERROR, "distributed-forward", about="mean var weights within between")
def merges_over_the_channels(
    x: Array, counts: Array, means: Array, variances: Array, gamma: Array, beta: Array, eps: float = EPS
) -> Any:
    """You average along axis 1 of means and variances, over the channels, and get one number for each device. The rows
    are the devices: average over axis 0, with one weight for each row."""
    mean, var = means.mean(axis=1), variances.mean(axis=1) + means.var(axis=1)
    std = np.sqrt(var + eps)
    x_hat = (x - mean[:, None, None]) / std[:, None, None]
    return spread(gamma) * x_hat + spread(beta), x_hat, std


@exercise.misconception(Kind.ERROR, "conv-axes", step="y", about="gamma beta")
def channel_values_along_another_axis(at: Any) -> Any:
    """You combine one value a channel, of shape (C,), with x of shape (N, C, H, W) so that it meets another axis: as it
    is, it meets the columns of pixels, for NumPy aligns shapes from the right. It runs only where that axis happens to
    have C entries. Give it the shape (1, C, 1, 1)."""
    return unspread(at.gamma) * at.x_hat + unspread(at.beta)


another_way_of_steps(
    exercise,
    "channel_values_along_another_axis",
    {"x_hat": lambda at: (at.x - at.mean) / at.std, "y": lambda at: normalized(at, unspread, unspread)},
)
another_way_of_steps(exercise, "channel_values_along_another_axis", {"x_hat": lambda at: (at.x - at.mean) / at.std})


@exercise.misconception(Kind.CONTRACT, "distributed-forward", about="std")
def returns_the_inverse_deviation(*arguments: Any) -> Any:
    """You return 1/std where std is asked for. Both are good to keep, but whoever calls your function divides by the
    third value it returns."""
    y, x_hat, std = reference.syncbn_forward(*arguments)
    return y, x_hat, 1.0 / std


@exercise.misconception(Kind.CONTRACT, "distributed-forward", about="std var")
def returns_the_variance(*arguments: Any) -> Any:
    """You return the merged variance where std is asked for: the root of variance + eps, by which x_hat was divided."""
    y, x_hat, std = reference.syncbn_forward(*arguments)
    eps = arguments[6] if len(arguments) > 6 else EPS
    return y, x_hat, std**2 - eps


@exercise.misconception(Kind.ERROR, "normalize-formula", sentences.WHOLE_NUMBER_BUFFER)
def whole_number_buffer(x: Array, *rest: Any) -> Any:
    """The outputs are arrays like x."""
    right = reference.syncbn_forward(x, *rest)
    y, x_hat = np.empty_like(x), np.empty_like(x)
    y[:], x_hat[:] = right[:2]
    return y, x_hat, right[2]


@exercise.misconception(Kind.CONTRACT, "whole-layer", sentences.CHANGES_ITS_INPUT)
def changes_its_input(x: Array, counts: Array, means: Array, *rest: Any) -> Any:
    """Centres the means in place."""
    answer = reference.syncbn_forward(x, counts, means, *rest)
    means -= means.mean(axis=0) + 1
    return answer


COUNTS = (
    Factor("n", lambda at: at.n, "n weights"),
    Factor("the device's own count", own_count, "n weights"),
    Factor("the number of devices", lambda at: len(at.counts), "weights"),
)
exercise.read(
    Reading(
        "y",
        terms=(
            Term(
                "x_hat", "the normalized part", lambda at: spread(at.gamma) * at.x_hat, "normalize-formula", "", "std"
            ),
            Term("beta", "the term with beta", lambda at: spread(at.beta), "scale-shift", "", "beta"),
        ),
        factors=(*COUNTS, q.GAMMA, q.BETA, q.STD, q.EPS, *q.EPS_ROOTS),
        vary=("beta",),
    )
)
