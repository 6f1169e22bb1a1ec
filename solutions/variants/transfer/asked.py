"""What is asked of `filter_response_backward`: its inputs, its reference, its properties, its steps."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bncourse.checks.answers import Array
from bncourse.checks.asking import Asked
from bncourse.checks.calling import Signature
from bncourse.checks.draw import Draw
from bncourse.checks.exercise import Arguments, Exercise, Problem
from bncourse.checks.inputs import EPS, ROUGHLY, and_eps, batch, eps_in, leaves_alone, parameters

PIXELS, CHANNELS = (2, 3), (0, 2, 3)

PROBES = (Problem(2, 3, eps=0.1, W=5), Problem(3, 4, eps=0.3, W=4), Problem(4, 5), Problem(3, 6, H=3))
"""The first two images have other numbers of rows, columns, channels and images than each other."""
WHOLE_PROBES = (Problem(2, 3, eps=0.1, W=5, whole=True), Problem(3, 4, eps=0.3, W=4, whole=True))
MANY_PIXELS = Problem(2, 3, low=False, H=14, W=14)
FEW_PIXELS = (PROBES[0], Problem(3, 4, eps=0.2, W=4), Problem(4, 6, eps=0.3, H=3))


def once_a_channel(vector: Any) -> Any:
    """(C,) against (N, C, H, W)."""
    return np.reshape(vector, (-1, 1, 1))


def forward(x: Array, gamma: Array, beta: Array, eps: float) -> tuple[Array, Array, Array]:
    """The root of the mean square of each channel of each image, x over it, and the value before the threshold."""
    root = np.sqrt((x * x).mean(axis=PIXELS, keepdims=True) + eps)
    x_hat = x / root
    return root, x_hat, once_a_channel(gamma) * x_hat + once_a_channel(beta)


def reference(
    dz: Array, x: Array, gamma: Array, beta: Array, tau: Array, eps: float = EPS
) -> tuple[Array, Array, Array, Array]:
    """Only what lies above the threshold passes a gradient on to y; the rest is tau's."""
    root, x_hat, y = forward(x, gamma, beta, eps)
    above = y > once_a_channel(tau)
    dy = np.where(above, dz, 0.0)
    d = once_a_channel(gamma) * dy
    dx = (d - x_hat * (d * x_hat).mean(axis=PIXELS, keepdims=True)) / root
    return dx, (dy * x_hat).sum(axis=CHANNELS), dy.sum(axis=CHANNELS), np.where(above, 0.0, dz).sum(axis=CHANNELS)


# ---------------------------------------------------------------------------------------------------------- the inputs


def in_a_gap(y: Array) -> float:
    """A threshold with two fifths of these values or so below it, in the widest gap there: no rounding crosses it."""
    values = np.sort(y.ravel())
    low, high = int(0.3 * len(values)), int(0.55 * len(values)) + 1
    widest = low + int(np.argmax(np.diff(values[low : high + 1])))
    return float(values[widest : widest + 2].mean())


def images(draw: Draw, problem: Problem, times: float = 1.0) -> Arguments:
    """The arguments, x so many times as large."""
    N, C, H, W = problem.N, problem.D, problem.H, problem.W
    rows = batch(draw, Problem(H * W, N * C, whole=problem.whole, low=problem.low)).T
    x = np.ascontiguousarray(rows).reshape(N, C, H, W)
    if problem.low and not problem.whole:
        x[-1, -1] -= x[-1, -1].mean()  # small, not only narrow: its mean counts here
    x = x if times == 1.0 else times * x
    gamma, beta = parameters(draw, C)
    _, x_hat, y = forward(x, gamma, beta, EPS if problem.eps is None else problem.eps)
    tau = np.array([in_a_gap(y[:, c]) for c in range(C)])
    dz = draw.random.standard_normal(x.shape) + draw.away_from_zero(C, 0.4, 1.0)[:, None, None] * (1.0 + x_hat)
    return (dz, x, gamma, beta, tau, *and_eps(problem))


def scale_of_gradients(arguments: Arguments) -> Mapping[str, Array]:
    """Sums are off by a rounding of the sum of their terms' sizes; dx is a difference of two terms of γ·dz's over r."""
    dz, x, gamma, beta = arguments[:4]
    root, x_hat, _ = forward(x, gamma, beta, eps_in(arguments, 5))
    largest = np.abs(once_a_channel(gamma) * dz).max(axis=PIXELS, keepdims=True)
    return {
        "dx": 4.0 * largest * (1.0 + np.abs(x_hat)) / root,
        "dgamma": 4.0 * (np.abs(dz) * (1.0 + np.abs(x_hat))).sum(axis=CHANNELS),
        "dbeta": np.abs(dz).sum(axis=CHANNELS),
        "dtau": np.abs(dz).sum(axis=CHANNELS),
    }


ONE = np.ones(1)
SEVEN = np.array([[[[1.0, 7.0]]]])  # mean square 25
TWO_CHANNELS = np.array([[[[1.0, 7.0]], [[3.0, 3.0]]]])
TWO_IMAGES = np.array([[[[1.0, 7.0]]], [[[2.0, 14.0]]]])
DZ = np.array([[[[10.0, 20.0]]]])

filter_response_backward = Exercise(
    Signature(
        "filter_response_backward",
        ("dz", "x", "gamma", "beta", "tau", "eps"),
        ("dx", "dgamma", "dbeta", "dtau"),
        reference,
    ),
    problem=images,
    scale=scale_of_gradients,
    section="rms-norm",
    axes={"dz": "NCHW", "x": "NCHW", "gamma": "C", "beta": "C", "tau": "C"},
    smallest=(
        (DZ, SEVEN, 5.0 * ONE, 0.0 * ONE, 2.0 * ONE, 11.0),
        (DZ, SEVEN, 5.0 * ONE, 1.0 * ONE, 0.5 * ONE, 11.0),
        (DZ, SEVEN.astype(int), 5.0 * ONE, 0.0 * ONE, 2.0 * ONE, 11.0),
        (DZ, 1e-3 * SEVEN, ONE, 0.0 * ONE, -ONE),
        (np.tile(DZ, (1, 2, 1, 1)), TWO_CHANNELS, np.array([5.0, 1.0]), np.zeros(2), np.array([2.0, 0.5]), 11.0),
        (np.tile(DZ, (2, 1, 1, 1)), TWO_IMAGES, 5.0 * ONE, 0.0 * ONE, 2.0 * ONE, 11.0),
    ),
    probes=PROBES,
    whole_probes=WHOLE_PROBES,
)
exercise = filter_response_backward


# ------------------------------------------------------------------------------------------------------ the properties


@exercise.property(points=0.5)
def gradients_have_the_shapes_of_their_inputs(f: Asked, draw: Draw) -> None:
    """answers with (dx, dgamma, dbeta, dtau), in the shapes of x, gamma, beta and tau"""
    f(images(draw, PROBES[0]))


@exercise.property(points=1.5, nudge="Where z is tau, by how much does z grow when tau does? And where it is y?")
def dtau_adds_up_what_the_threshold_replaced(f: Asked, draw: Draw) -> None:
    """gives as dtau the sum of dz over the values that the threshold replaced, for each channel"""
    f.agrees(images(draw, MANY_PIXELS, 5.0), within=ROUGHLY, only=("dtau",))


@exercise.property(points=1, nudge="Which values of y reach the loss at all?")
def dbeta_adds_up_what_passes(f: Asked, draw: Draw) -> None:
    """gives as dbeta the sum of dz over the values above the threshold, for each channel"""
    f.agrees(images(draw, MANY_PIXELS, 5.0), within=ROUGHLY, only=("dbeta",))


@exercise.property(points=1.5, nudge="By which number is gamma multiplied in each y, and which of them pass?")
def dgamma_adds_up_dy_x_hat(f: Asked, draw: Draw) -> None:
    """gives as dgamma the sum of dz times x_hat over the values above the threshold, for each channel"""
    f.agrees(images(draw, MANY_PIXELS, 5.0), within=ROUGHLY, only=("dgamma",))


@exercise.property(
    points=3.5, nudge="On how many roads does one x reach y? Which of the three of batch norm is missing?"
)
def dx_follows_both_paths(f: Asked, draw: Draw) -> None:
    """gives as dx the direct term and that through the mean square of the channel of the image"""
    f.agrees(images(draw, MANY_PIXELS, 5.0), within=ROUGHLY, only=("dx",))


@exercise.property(
    points=1, section="normalize-eps", nudge="By what did the forward divide, with the eps it was given?"
)
def follows_eps(f: Asked, draw: Draw) -> None:
    """divides by the root of the mean square plus the eps it was given"""
    f.agrees(images(draw, Problem(2, 3, eps=0.1, low=False, H=14, W=14), 0.2), within=ROUGHLY, only=("dgamma",))


@exercise.property(points=0.5)
def right_to_rounding(f: Asked, draw: Draw) -> None:
    """is right to rounding for images of any shape, with the default eps of 1e-5, too"""
    for problem in (*FEW_PIXELS, Problem(2, 3)):
        f.agrees(images(draw, problem))


@exercise.property(points=0.5, needs="dx_follows_both_paths")
def leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves dz, x, gamma, beta and tau as they were"""
    leaves_alone(f, images(draw, PROBES[0]))


# ----------------------------------------------------------------------------------------------------------- the steps

steps = exercise.in_steps(eps=EPS)


@steps.step
def centred(at: Any) -> Any:
    """what is squared: x itself"""
    return at.x


@steps.step
def mean_square(at: Any) -> Any:
    """the mean square of each channel of each image, over its pixels"""
    return (at.centred**2).mean(axis=PIXELS, keepdims=True)


@steps.step
def std(at: Any) -> Any:
    """the root of mean_square + eps"""
    return np.sqrt(at.mean_square + at.eps)


@steps.step
def x_hat(at: Any) -> Any:
    """x over that root"""
    return at.centred / at.std


@steps.step
def y(at: Any) -> Any:
    """gamma times x_hat, plus beta"""
    return once_a_channel(at.gamma) * at.x_hat + once_a_channel(at.beta)


@steps.step
def above(at: Any) -> Any:
    """where y is above tau, and so is what came out"""
    return at.y > once_a_channel(at.tau)


@steps.step
def dy(at: Any) -> Any:
    """dz where y came out, 0 where tau did"""
    return np.where(at.above, at.dz, 0.0)


@steps.step
def dtau(at: Any) -> Any:
    """the sum of dz where tau came out, for each channel"""
    return np.where(at.above, 0.0, at.dz).sum(axis=CHANNELS)


@steps.step
def dbeta(at: Any) -> Any:
    """the sum of dy, for each channel"""
    return at.dy.sum(axis=CHANNELS)


@steps.step
def dgamma(at: Any) -> Any:
    """the sum of dy times x_hat, for each channel"""
    return (at.dy * at.x_hat).sum(axis=CHANNELS)


@steps.step
def dx_hat(at: Any) -> Any:
    """dy times gamma"""
    return once_a_channel(at.gamma) * at.dy


@steps.step
def along(at: Any) -> Any:
    """the mean of dx_hat times x_hat, over the pixels of each channel of each image"""
    return (at.dx_hat * at.x_hat).mean(axis=PIXELS, keepdims=True)


@steps.step
def dx(at: Any) -> Any:
    """dx_hat minus x_hat times that mean, over the root"""
    return (at.dx_hat - at.x_hat * at.along) / at.std
