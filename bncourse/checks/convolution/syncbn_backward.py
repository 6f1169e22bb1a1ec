"""What is asked of `syncbn_backward`, and how is it got wrong?

The formula is that of one large batch. What is new is whose sums stand in it, and by which count they are divided.
"""

from typing import Any

import numpy as np

from ... import functional as reference
from .. import quantities as q
from .. import sentences
from ..asking import Asked, Refused
from ..calling import Signature
from ..draw import Draw
from ..exercise import Exercise, Kind, Problem
from ..inference.merge_statistics import column
from ..inputs import ONE, ROUGHLY, leaves_alone
from ..reading import Factor, Reading, Term
from .batchnorm2d_forward import unspread
from .channels import AXES, another_way_of_steps, spread
from .devices import MANY, PROBES, SHAPES, own_count, scale_of_sums, silent_device, sums_of_devices

HAT = np.array([[[[-1.0, 0.0]]]])
DY = np.array([[[[-4.0, 7.0]]]])
PAIRS, UNEQUAL = np.array([2, 2]), np.array([2, 6])

syncbn_backward = Exercise(
    Signature(
        "syncbn_backward",
        ("dy", "x_hat", "std", "gamma", "counts", "sums_dy", "sums_dy_x_hat"),
        ("dx", "dgamma", "dbeta"),
        reference.syncbn_backward,
    ),
    problem=sums_of_devices,
    scale=scale_of_sums,
    section="distributed-backward",
    smallest=(
        (np.zeros_like(DY), HAT, ONE, ONE, PAIRS, column(0, 4), column(0, 0)),
        (np.zeros_like(DY), HAT, ONE, ONE, PAIRS, column(0, 0), column(0, 4)),
        (DY, HAT, 2 * ONE, 4 * ONE, PAIRS, column(3, 1), column(4, 4)),
        (DY, HAT, 2 * ONE, 4 * ONE, UNEQUAL, column(3, 5), column(4, 4)),
        (
            np.array([[[[-4.0, 7.0]], [[1.0, 2.0]]]]),
            np.array([[[[-1.0, 0.0]], [[0.5, 2.0]]]]),
            np.array([2.0, 1.0]),
            np.array([4.0, 3.0]),
            UNEQUAL,
            np.array([[3.0, 3.0], [5.0, 1.0]]),
            np.array([[4.0, 4.5], [4.0, 3.5]]),
        ),
    ),
    probes=PROBES,
    whole_probes=(),
)
exercise = syncbn_backward


@exercise.property(points=0.5, nudge="Which shapes have x, gamma and beta? A gradient has the shape of what it is for.")
def device_gradients_have_shapes(f: Asked, draw: Draw) -> None:
    """answers with (dx, dgamma, dbeta): dx of dy's shape, dgamma and dbeta of shape (C,)"""
    f(sums_of_devices(draw, Problem(3, 4, H=2, W=5)))


@exercise.property(points=1, nudge="beta is the same number on every device. Whose outputs does it reach?")
def dbeta_of_all_devices(f: Asked, draw: Draw) -> None:
    """gives as dbeta the sum of dy over the values of all devices"""
    for problem in SHAPES:
        f.agrees(sums_of_devices(draw, problem), only=("dbeta",))


@exercise.property(points=1, nudge="gamma is the same number on every device. Whose outputs does it reach?")
def dgamma_of_all_devices(f: Asked, draw: Draw) -> None:
    """gives as dgamma the sum of dy times x_hat over the values of all devices"""
    for problem in SHAPES:
        f.agrees(sums_of_devices(draw, problem), only=("dgamma",))


@exercise.property(
    points=3,
    nudge="Let the loss look at the other device alone. Does a pixel of yours change it? On which road?",
)
def feels_the_other_devices(f: Asked, draw: Draw) -> None:
    """gives a dx that is not 0 where dy is 0 here, but not on the other devices: it follows their sums"""
    arguments = silent_device(draw, MANY)
    dx, expected = f(arguments, only=("dx",))["dx"], f.right(arguments)["dx"]
    size = np.sqrt((dx * dx).sum(axis=AXES) * (expected * expected).sum(axis=AXES))
    if not np.all(size > 0):
        raise Refused("Where dy is 0 on this device, your dx is 0, whatever the other devices sent.")
    if not np.all(np.abs((dx * expected).sum(axis=AXES)) >= 0.9999 * size):
        raise Refused("Where dy is 0 on this device, your dx is not made of the sums that the other devices sent.")


@exercise.property(
    points=2.5,
    nudge="Write the dx of one large batch. Which of its sums can a device compute alone? Which count divides them?",
)
def dx_of_the_whole_batch(f: Asked, draw: Draw) -> None:
    """gives as dx that of one batch of all images, roughly: gamma/std times dy minus both shared means"""
    f.agrees(sums_of_devices(draw, MANY), within=ROUGHLY, only=("dx",))


@exercise.property(points=1.5, nudge="Try devices of 1, 2 and 3 images. Which number divides the sums?")
def device_gradients_right_to_rounding(f: Asked, draw: Draw) -> None:
    """is right to rounding for any number of devices with any number of images"""
    for problem in SHAPES:
        f.agrees(sums_of_devices(draw, problem))


@exercise.property(points=0.5, needs="dx_of_the_whole_batch", nudge="Does any line write into an argument?")
def device_gradients_leave_their_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves dy, x_hat and the sums as they were"""
    leaves_alone(f, sums_of_devices(draw, Problem(3, 2)))


# ------------------------------------------------------------------------------------------------------------ its steps

steps = exercise.in_steps()


@steps.step
def n(at: Any) -> Any:
    """the number of values a channel has on all devices together"""
    return at.counts.sum()


@steps.step
def dgamma(at: Any) -> Any:
    """the sum of all devices' sums of dy times x_hat"""
    return at.sums_dy_x_hat.sum(axis=0)


@steps.step
def dbeta(at: Any) -> Any:
    """the sum of all devices' sums of dy"""
    return at.sums_dy.sum(axis=0)


@steps.step
def mean_dy(at: Any) -> Any:
    """the mean of dy over the whole batch"""
    return at.sums_dy.sum(axis=0) / at.n


@steps.step
def mean_dy_x_hat(at: Any) -> Any:
    """the mean of dy times x_hat over the whole batch"""
    return at.sums_dy_x_hat.sum(axis=0) / at.n


@steps.step
def scale(at: Any) -> Any:
    """gamma over std"""
    return at.gamma / at.std


@steps.step
def dx_direct(at: Any) -> Any:
    """the direct term: scale times dy"""
    return spread(at.scale) * at.dy


@steps.step
def dx_mean(at: Any) -> Any:
    """through the mean: minus scale times the mean of dy"""
    return -spread(at.scale * at.mean_dy) * np.ones_like(at.dy)


@steps.step
def dx_var(at: Any) -> Any:
    """through the variance: minus scale times x_hat times the mean of dy times x_hat"""
    return -spread(at.scale * at.mean_dy_x_hat) * at.x_hat


@steps.step
def dx(at: Any) -> Any:
    """the sum of the three"""
    return at.dx_direct + at.dx_mean + at.dx_var


HERE, CLOSED, PARAMETERS = "distributed-backward", "backward-closed-form", "backward-parameters"


def own(at: Any) -> tuple[Any, Any]:
    """The sums of this device alone."""
    return at.dy.sum(axis=AXES), (at.dy * at.x_hat).sum(axis=AXES)


# --------------------------------------------------------------------------------------------------- whose sums


@exercise.misconception(Kind.ERROR, HERE, about="mean_dy mean_dy_x_hat dgamma dbeta n")
def local_backward(*arguments: Any) -> Any:
    """You use the sums of this device's dy alone, behind a forward pass that shared its statistics. Your images move
    the mean and the variance by which the *other* devices normalize, so what happens there belongs into your dx: take
    the sums of all devices, divided by all counts."""
    return exercise.from_steps(LOCAL)(*arguments)


LOCAL = {
    "mean_dy": lambda at: at.dy.mean(axis=AXES),
    "mean_dy_x_hat": lambda at: (at.dy * at.x_hat).mean(axis=AXES),
}
EVERYTHING_LOCAL = {**LOCAL, "dgamma": lambda at: own(at)[1], "dbeta": lambda at: own(at)[0]}
another_way_of_steps(exercise, "local_backward", LOCAL)
another_way_of_steps(exercise, "local_backward", EVERYTHING_LOCAL)
for name, local in LOCAL.items():
    another_way_of_steps(exercise, "local_backward", {name: local})
    another_way_of_steps(exercise, "local_backward", {**EVERYTHING_LOCAL, name: steps.steps[name]})


@exercise.misconception(Kind.ERROR, HERE, about="mean_dy mean_dy_x_hat dgamma dbeta n")
def own_sums_over_all_counts(*arguments: Any) -> Any:
    """You divide the sums of this device by the number of values on all of them. The count is right, but the sums are
    not: what the other devices sent has to be added before the division."""
    return exercise.from_steps(OWN_OVER_ALL)(*arguments)


OWN_OVER_ALL = {"mean_dy": lambda at: own(at)[0] / at.n, "mean_dy_x_hat": lambda at: own(at)[1] / at.n}
another_way_of_steps(exercise, "own_sums_over_all_counts", OWN_OVER_ALL)
another_way_of_steps(
    exercise,
    "own_sums_over_all_counts",
    {**OWN_OVER_ALL, "dgamma": lambda at: own(at)[1], "dbeta": lambda at: own(at)[0]},
)


@exercise.misconception(Kind.ERROR, HERE, about="dgamma dbeta")
def parameters_of_this_device_only(*arguments: Any) -> Any:
    """Your dgamma and dbeta are this device's part alone. gamma and beta are one pair for all devices, and the loss is
    that of all: add what every device sent. (Frameworks stop here, and leave this sum to the averaging of all weights'
    gradients.)"""
    return exercise.from_steps(OWN_PARAMETERS)(*arguments)


OWN_PARAMETERS = {"dgamma": lambda at: own(at)[1], "dbeta": lambda at: own(at)[0]}
another_way_of_steps(exercise, "parameters_of_this_device_only", OWN_PARAMETERS)
for name, step in OWN_PARAMETERS.items():
    another_way_of_steps(exercise, "parameters_of_this_device_only", {name: step})


@exercise.misconception(Kind.ERROR, HERE, about="dgamma dbeta")
def parameters_averaged_over_devices(*arguments: Any) -> Any:
    """Your dgamma and dbeta are averages over the devices. The loss here is the sum of all devices' losses, so the
    parts that they sent are added; an average belongs to a loss that is itself an average over devices."""
    return exercise.from_steps(AVERAGED)(*arguments)


AVERAGED = {"dgamma": lambda at: at.sums_dy_x_hat.mean(axis=0), "dbeta": lambda at: at.sums_dy.mean(axis=0)}
another_way_of_steps(exercise, "parameters_averaged_over_devices", AVERAGED)
for name, step in AVERAGED.items():
    another_way_of_steps(exercise, "parameters_averaged_over_devices", {name: step})


@exercise.misconception(Kind.ERROR, PARAMETERS, about="dgamma dbeta n")
def parameters_divided_by_the_count(*arguments: Any) -> Any:
    """Your dgamma and dbeta are means over all values. In dx the sums are divided by the count, but as gradients of
    gamma and beta they stand as they are: one gamma reaches all values of its channel, and their parts add up."""
    return exercise.from_steps(MEANS)(*arguments)


MEANS = {
    "dgamma": lambda at: at.sums_dy_x_hat.sum(axis=0) / at.n,
    "dbeta": lambda at: at.sums_dy.sum(axis=0) / at.n,
}
another_way_of_steps(exercise, "parameters_divided_by_the_count", MEANS)


@exercise.misconception(Kind.ERROR, HERE, about="mean_dy mean_dy_x_hat dgamma dbeta")
def sums_along_axis_1(*arguments: Any) -> Any:
    """You add what the devices sent along axis 1, over the channels, and get one number for each device. The rows are
    the devices: add along axis 0, each channel by itself."""
    return exercise.from_steps(ACROSS)(*arguments)


ACROSS = {
    "dgamma": lambda at: at.sums_dy_x_hat.sum(axis=1),
    "dbeta": lambda at: at.sums_dy.sum(axis=1),
    "mean_dy": lambda at: at.sums_dy.sum(axis=1) / at.n,
    "mean_dy_x_hat": lambda at: at.sums_dy_x_hat.sum(axis=1) / at.n,
}

# --------------------------------------------------------------------------------------------------- by which count


@exercise.misconception(Kind.ERROR, HERE, step="n", about="mean_dy mean_dy_x_hat")
def divides_by_its_own_count(at: Any) -> Any:
    """You divide the sums of all devices by the number of values on this one. The mean over the whole batch divides by
    the whole count, counts.sum(): yours is too large as soon as there is a second device."""
    return own_count(at)


@exercise.misconception(Kind.ERROR, HERE, step="n", about="mean_dy mean_dy_x_hat")
def divides_by_the_number_of_devices(at: Any) -> Any:
    """You divide the sums by the number of devices. They are sums over values, not one number a device: the mean over
    the whole batch divides by counts.sum(). Yours grows with the images."""
    return len(at.counts)


@exercise.misconception(Kind.ERROR, HERE, about="mean_dy mean_dy_x_hat n")
def means_of_devices_averaged(*arguments: Any) -> Any:
    """You take the mean on each device and average those means. A device with 1 image then counts as much as one with
    9: add the sums of all devices first, then divide once, by the whole count."""
    return exercise.from_steps(EQUALLY)(*arguments)


EQUALLY = {
    "mean_dy": lambda at: (at.sums_dy / at.counts[:, None]).mean(axis=0),
    "mean_dy_x_hat": lambda at: (at.sums_dy_x_hat / at.counts[:, None]).mean(axis=0),
}
another_way_of_steps(exercise, "means_of_devices_averaged", EQUALLY)


@exercise.misconception(Kind.ERROR, CLOSED, step="n", about="mean_dy mean_dy_x_hat")
def sums_not_averaged(at: Any) -> Any:
    """You subtract sums where dx has means: both terms, through the mean and through the variance, lack their division
    by the number of values on all devices, and grow with the batch."""
    return 1.0


# ---------------------------------------------------------------------------------------------- the terms of dx


@exercise.misconception(Kind.ERROR, HERE, about="dx_mean dx_var mean_dy mean_dy_x_hat n")
def statistics_held_constant(*arguments: Any) -> Any:
    """You give gamma/std times dy, as if the shared mean and variance were constants. They are made of everybody's
    images: subtract the mean of dy over all devices, and x_hat times the mean of dy times x_hat."""
    return exercise.from_steps(CONSTANT)(*arguments)


CONSTANT = {"dx_mean": lambda at: 0.0 * at.dy, "dx_var": lambda at: 0.0 * at.dy}
another_way_of_steps(exercise, "statistics_held_constant", CONSTANT)


@exercise.misconception(Kind.ERROR, "backward-mean-path", step="dx_mean", about="mean_dy")
def mean_path_missing(at: Any) -> Any:
    """You leave out the path through the mean: minus the mean of dy over the values of all devices, times gamma/std.
    Without it dx does not sum to 0 over the whole batch."""
    return 0.0 * at.dy


@exercise.misconception(Kind.ERROR, "backward-variance-path", step="dx_var", about="mean_dy_x_hat")
def variance_path_missing(at: Any) -> Any:
    """You leave out the path through the variance: minus x_hat times the mean of dy times x_hat over the values of all
    devices, times gamma/std."""
    return 0.0 * at.dy


@exercise.misconception(Kind.ERROR, "backward-variance-path", step="dx_var", about="mean_dy_x_hat x_hat")
def variance_path_without_x_hat(at: Any) -> Any:
    """You subtract the mean of dy times x_hat as it is. It has to be multiplied by each value's own x_hat: a value at
    the mean does not move the variance at all."""
    return -spread(at.scale * at.mean_dy_x_hat) * np.ones_like(at.dy)


@exercise.misconception(Kind.ERROR, CLOSED, step="scale", about="gamma")
def gamma_missing(at: Any) -> Any:
    """You leave gamma out of dx. Every y is gamma times x_hat plus beta, so whatever comes back to x_hat was multiplied
    by gamma."""
    return 1.0 / at.std


@exercise.misconception(Kind.ERROR, CLOSED, step="scale", about="std")
def not_divided_by_the_deviation(at: Any) -> Any:
    """You do not divide dx by std. x_hat is the distance from the mean divided by std, so its gradient is, too."""
    return at.gamma


@exercise.misconception(Kind.ERROR, CLOSED, step="scale", about="std")
def variance_for_deviation(at: Any) -> Any:
    """You divide by std squared. The `std` that comes in is the root already: divide by it once."""
    return at.gamma / at.std**2


@exercise.misconception(Kind.ERROR, CLOSED, about="dx_direct dx_mean dx_var")
def factor_on_the_first_term_only(*arguments: Any) -> Any:
    """Your factor gamma/std reaches only the first of the three terms of dx. Put parentheses around dy minus both
    means, so that all three are multiplied."""
    return exercise.from_steps(ON_THE_FIRST)(*arguments)


ON_THE_FIRST = {
    "dx_mean": lambda at: -spread(at.mean_dy) * np.ones_like(at.dy),
    "dx_var": lambda at: -spread(at.mean_dy_x_hat) * at.x_hat,
}
another_way_of_steps(exercise, "factor_on_the_first_term_only", ON_THE_FIRST)


@exercise.misconception(Kind.ERROR, "conv-axes", step="dx", about="dx_direct dx_mean dx_var")
def channel_values_along_another_axis(at: Any) -> Any:
    """You combine one value a channel, of shape (C,), with dy of shape (N, C, H, W) so that it meets another axis: as
    it is, it meets the columns of pixels, for NumPy aligns shapes from the right. It runs only where that axis happens
    to have C entries. Give it the shape (1, C, 1, 1)."""
    return unspread(at.scale) * (at.dy - unspread(at.mean_dy) - at.x_hat * unspread(at.mean_dy_x_hat))


# ---------------------------------------------------------------------------------------------- what is agreed on


@exercise.misconception(Kind.CONTRACT, PARAMETERS, about="dgamma dbeta")
def gradients_in_another_order(*arguments: Any) -> Any:
    """You return the gradients in another order. The exercise asks for (dx, dgamma, dbeta), in the order of x, gamma
    and beta: dgamma is the sum of dy times x_hat, dbeta the sum of dy."""
    dx, dgamma, dbeta = reference.syncbn_backward(*arguments)
    return dx, dbeta, dgamma


@exercise.misconception(Kind.CONTRACT, HERE, sentences.CHANGES_ITS_INPUT)
def changes_its_input(*arguments: Any) -> Any:
    """Works on dy in place."""
    answer = reference.syncbn_backward(*arguments)
    arguments[0][...] *= 2
    return answer


FACTORS = (
    Factor("n", lambda at: at.n, "n mean_dy mean_dy_x_hat"),
    Factor("the device's own count", own_count, "n"),
    Factor("the number of devices", lambda at: len(at.counts), "n"),
    q.GAMMA,
    q.STD,
)
exercise.read(
    Reading(
        "dx",
        terms=(
            Term("direct", "the direct term, gamma/std · dy,", lambda at: at.dx_direct, CLOSED, "", "dx_direct scale"),
            Term(
                "mean_path",
                "the term through the mean",
                lambda at: at.dx_mean,
                HERE,
                "It is minus gamma/std times the mean of dy over all devices.",
                "dx_mean mean_dy",
            ),
            Term(
                "variance_path",
                "the term through the variance",
                lambda at: at.dx_var,
                HERE,
                "It is minus gamma/std times x_hat times the mean of dy · x_hat over all devices.",
                "dx_var mean_dy_x_hat",
            ),
        ),
        factors=FACTORS,
    )
)
