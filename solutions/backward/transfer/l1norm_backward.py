"""What is asked of `l1norm_backward`, and how is it got wrong?

The spread is the mean absolute deviation. Its derivative by the mean is minus the mean of the signs, which is *not*
zero: whoever copies batch norm's three paths leaves that out. Batches are odd, so that signs never balance.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bncourse.checks import sentences
from bncourse.checks.answers import Array
from bncourse.checks.asking import Asked, Refused
from bncourse.checks.calling import Signature
from bncourse.checks.comparing import rough, worst
from bncourse.checks.draw import Draw
from bncourse.checks.exercise import Arguments, Exercise, Kind, Problem
from bncourse.checks.inputs import EPS, ROUGHLY, and_eps, batch, eps_in, leaves_alone, parameters, upstream

GRADIENTS = ("dx", "dgamma", "dbeta")
MEAN, SPREAD, PARAMETERS = "backward-mean-path", "backward-variance-path", "backward-parameters"


def reference(dy: Array, x: Array, gamma: Array, eps: float = EPS) -> tuple[Array, Array, Array]:
    """Back along the graph: x_hat, then the spread, then x - mean, then x."""
    centred = x - x.mean(axis=0)
    sign = np.sign(centred)
    s = np.abs(centred).mean(axis=0) + eps
    x_hat = centred / s
    dx_hat = gamma * dy
    ds = -(dx_hat * x_hat).sum(axis=0) / s
    dcentred = dx_hat / s + ds * sign / len(x)
    return dcentred - dcentred.mean(axis=0), (dy * x_hat).sum(axis=0), dy.sum(axis=0)


def layer(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of a call."""
    x = batch(draw, problem)
    return (upstream(draw, x), x, parameters(draw, problem.D)[0], *and_eps(problem))


def scale(arguments: Arguments) -> Mapping[str, Array]:
    """As of batchnorm_backward, with the mean absolute deviation for the deviation."""
    dy, x, gamma = arguments[:3]
    s = np.abs(x - x.mean(axis=0)).mean(axis=0) + eps_in(arguments, 3)
    lost = 1.0 + np.abs(x).max(axis=0) / s
    return {
        "dx": 4.0 * np.abs(gamma) / s * np.abs(dy).max(axis=0) * lost,
        "dgamma": np.abs(dy).sum(axis=0) * lost,
        "dbeta": np.abs(dy).sum(axis=0),
    }


BATCH = np.array([[0.0], [1.0], [5.0]])  # mean 2, mean absolute deviation 2
FIRST = np.array([[27.0], [0.0], [0.0]])
THREE = np.array([3.0])

l1norm_backward = Exercise(
    Signature("l1norm_backward", ("dy", "x", "gamma", "eps"), GRADIENTS, reference),
    problem=layer,
    scale=scale,
    section=SPREAD,
    axes={"dy": "ND", "x": "ND", "gamma": "D"},
    smallest=((FIRST, BATCH, THREE, 1.0), (FIRST[::-1], BATCH, THREE, 2.0)),
    probes=(Problem(7, 3, eps=0.1), Problem(5, 5, eps=0.3), Problem(3, 5), Problem(9, 6)),
    whole_probes=(),
)


def agrees_but_for_a_shift(f: Asked, arguments: Arguments) -> None:
    """Refuse a dx that differs from the right one by more than one number a feature, which goes through the mean."""
    dx, right = f(arguments, only=("dx",))["dx"], reference(*arguments)[0]
    mismatch = worst("dx", dx - dx.mean(axis=0), right, rough(right, ROUGHLY))
    if mismatch is not None:
        raise Refused(f"Without its mean over the batch, {mismatch}.")


@l1norm_backward.property(points=1, section=PARAMETERS)
def dbeta_adds_up_dy(f: Asked, draw: Draw) -> None:
    """gives as dbeta the sum of dy over the batch, also when N = D"""
    for problem in (Problem(7, 3), Problem(5, 5)):
        f.agrees(layer(draw, problem), only=("dbeta",))


@l1norm_backward.property(points=1, section=PARAMETERS)
def dgamma_adds_up_dy_x_hat(f: Asked, draw: Draw) -> None:
    """gives as dgamma the sum of dy times x_hat over the batch, also when N = D"""
    for problem in (Problem(7, 3, eps=0.1), Problem(5, 5)):
        f.agrees(layer(draw, problem), only=("dgamma",))


@l1norm_backward.property(points=1, section=MEAN)
def dx_sums_to_zero(f: Asked, draw: Draw) -> None:
    """gives a dx, not zero itself, that sums to 0 over the batch, since a constant added to x changes nothing"""
    arguments = layer(draw, Problem(7, 3, eps=0.1))
    dx = f(arguments, only=("dx",))["dx"]
    sums = dx.sum(axis=0)
    if not np.any(np.abs(dx) > 1e-6 * scale(arguments)["dx"]):
        raise Refused("Your dx is 0 everywhere.")
    if not np.all(np.abs(sums) <= 1e-4 * np.abs(dx).max(axis=0)):
        raise Refused(f"The columns of your dx sum to {np.array2string(sums, precision=4)}, expected zeros.")


@l1norm_backward.property(points=2)
def differences_are_right(f: Asked, draw: Draw) -> None:
    """gives a dx in which the differences between samples are right: the direct term, and the one through the spread"""
    for problem in (Problem(7, 3, low=False), Problem(5, 5, low=False), Problem(3, 4, low=False)):
        agrees_but_for_a_shift(f, layer(draw, problem))


@l1norm_backward.property(points=1)
def dx_follows_all_paths(f: Asked, draw: Draw) -> None:
    """gives as dx what flows along every path of the graph"""
    for problem in (Problem(7, 3, low=False), Problem(5, 5, low=False), Problem(3, 4, low=False)):
        f.agrees(layer(draw, problem), within=ROUGHLY, only=("dx",))


@l1norm_backward.property(points=1)
def follows_eps(f: Asked, draw: Draw) -> None:
    """uses the divisor of the forward, with the eps it was given"""
    agrees_but_for_a_shift(f, layer(draw, Problem(7, 3, eps=0.5, low=False)))


@l1norm_backward.property(points=0.5)
def right_to_rounding(f: Asked, draw: Draw) -> None:
    """is right to rounding for batches of any shape, and with the default eps"""
    for problem in (Problem(7, 3, eps=0.1), Problem(5, 5), Problem(3, 5, eps=0.3), Problem(9, 1)):
        f.agrees(layer(draw, problem))


@l1norm_backward.property(points=0.5, needs="dx_follows_all_paths")
def leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves dy, x and gamma as they were"""
    leaves_alone(f, layer(draw, Problem(5, 3)))


# --------------------------------------------------------------------------------------------------------- its steps

steps = l1norm_backward.in_steps(eps=EPS)


@steps.step
def N(at: Any) -> Any:
    """the number of samples"""
    return len(at.x)


@steps.step
def centred(at: Any) -> Any:
    """x minus its mean"""
    return at.x - at.x.mean(axis=0)


@steps.step
def s(at: Any) -> Any:
    """the mean absolute deviation, plus eps"""
    return np.abs(at.centred).mean(axis=0) + at.eps


@steps.step
def x_hat(at: Any) -> Any:
    """x minus its mean, over s"""
    return at.centred / at.s


@steps.step
def dx_hat(at: Any) -> Any:
    """dy times gamma"""
    return at.dy * at.gamma


@steps.step
def dgamma(at: Any) -> Any:
    """the sum over the batch of dy times x_hat"""
    return (at.dy * at.x_hat).sum(axis=0)


@steps.step
def dbeta(at: Any) -> Any:
    """the sum over the batch of dy"""
    return at.dy.sum(axis=0)


@steps.step
def divisor(at: Any) -> Any:
    """s, in the backward"""
    return at.s


@steps.step
def ds(at: Any) -> Any:
    """minus the sum over the batch of dx_hat times x_hat, over s"""
    return -(at.dx_hat * at.x_hat).sum(axis=0) / at.divisor


@steps.step
def direct(at: Any) -> Any:
    """dx_hat over s"""
    return at.dx_hat / at.divisor


@steps.step
def through_spread(at: Any) -> Any:
    """ds times the sign of x minus mean, over N"""
    return at.ds * np.sign(at.centred) / at.N


@steps.step
def mean_of_direct(at: Any) -> Any:
    """what the direct term sends through the mean"""
    return at.direct.mean(axis=0)


@steps.step
def mean_of_spread(at: Any) -> Any:
    """what the spread sends through the mean"""
    return at.through_spread.mean(axis=0)


@steps.step
def dx(at: Any) -> Any:
    """the first two, minus what goes through the mean"""
    return at.direct + at.through_spread - at.mean_of_direct - at.mean_of_spread


mistake = l1norm_backward.misconception


@mistake(Kind.ERROR, MEAN, step="mean_of_spread", about="mean")
def mean_of_the_signs_left_out(at: Any) -> Any:
    """You leave out what the spread sends through the mean. In batch normalization that term is zero, since x - mean
    sums to 0; the signs of x - mean do not, so here it counts, and without it your dx does not sum to 0."""
    return 0.0 * at.ds


@mistake(Kind.ERROR, MEAN, step="dx", about="mean")
def mean_path_missing(at: Any) -> Any:
    """You leave out the path through the mean. Each sample moves the mean by 1/N of itself, and the mean moves every
    output: without that your dx does not sum to 0 over the batch."""
    return at.direct + at.through_spread


@mistake(Kind.ERROR, SPREAD, step="dx", about="spread")
def spread_path_missing(at: Any) -> Any:
    """You leave out the path through the spread. Every sample moves the mean absolute deviation, by which all outputs
    are divided."""
    return at.direct - at.mean_of_direct


@mistake(Kind.ERROR, SPREAD, step="dx", about="mean spread")
def statistics_held_constant(at: Any) -> Any:
    """You treat mean and spread as constants. They are computed from x, so each sample also acts through them on all
    others: two paths are missing, and your dx does not sum to 0."""
    return at.direct


@mistake(Kind.ERROR, SPREAD, step="dx", about="mean spread")
def formula_of_batch_norm(at: Any) -> Any:
    """You use batch normalization's closed form, with another divisor. Its last term, with x_hat, comes from the
    derivative of a square; the absolute value has another derivative: the sign."""
    mean = (at.dx_hat * at.x_hat).mean(axis=0)
    return (at.dx_hat - at.dx_hat.mean(axis=0) - at.x_hat * mean) / at.divisor


@mistake(Kind.ERROR, SPREAD, step="through_spread", about="spread")
def derivative_of_a_square(at: Any) -> Any:
    """You differentiate a square, 2 (x - mean), where the absolute value stands. Its derivative is the sign of
    x - mean: +1 above the mean, -1 below, however far."""
    return at.ds * 2.0 * at.centred / at.N


@mistake(Kind.ERROR, SPREAD, step="through_spread", about="spread")
def spread_path_without_N(at: Any) -> Any:
    """Your path through the spread lacks its 1/N: the spread is a mean, so one sample counts for 1/N. Yours grows with
    the batch."""
    return at.ds * np.sign(at.centred)


@mistake(Kind.ERROR, SPREAD, step="ds", about="spread")
def spread_path_sign(at: Any) -> Any:
    """Your path through the spread has the wrong sign. A larger spread makes x_hat smaller: the derivative of 1/s is
    -1/s²."""
    return (at.dx_hat * at.x_hat).sum(axis=0) / at.divisor


@mistake(Kind.ERROR, SPREAD, step="ds", about="spread")
def spread_path_power(at: Any) -> Any:
    """You divide once too little in the path through the spread. x_hat is (x - mean)/s, and the derivative of 1/s is
    -1/s²: in terms of x_hat one s is left over to divide by."""
    return -(at.dx_hat * at.x_hat).sum(axis=0)


@mistake(Kind.ERROR, "normalize-eps", step="divisor", about="eps")
def eps_left_out_of_the_backward(at: Any) -> Any:
    """You divide by the mean absolute deviation alone. The forward divided by it *plus eps*, so the backward does,
    too."""
    return at.s - at.eps


@mistake(Kind.ERROR, PARAMETERS, step="dx_hat", about="gamma")
def gamma_missing(at: Any) -> Any:
    """You leave gamma out of dx. y is gamma x_hat + beta, so what comes back to x_hat is gamma times dy."""
    return at.dy


@mistake(Kind.ERROR, PARAMETERS, step="dgamma", about="dgamma")
def dgamma_without_x_hat(at: Any) -> Any:
    """Your dgamma is the sum of dy, which is dbeta. What gamma multiplies is x_hat, so its gradient is the sum of dy
    times x_hat."""
    return at.dy.sum(axis=0)


@mistake(Kind.CONTRACT, SPREAD, sentences.CHANGES_ITS_INPUT)
def changes_its_input(dy: Array, x: Array, gamma: Array, eps: float = EPS) -> Any:
    """Multiplies dy by gamma in place."""
    right = reference(dy, x, gamma, eps)
    dy *= gamma
    return right
