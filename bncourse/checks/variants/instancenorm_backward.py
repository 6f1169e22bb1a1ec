"""What is asked of `instancenorm_backward`, and how is it got wrong?

One gamma belongs to all that is summed here, so it may stand inside or outside the sums.
"""

import numpy as np

from ... import functional as reference
from .. import quantities as q
from ..asking import Asked, Refused
from ..calling import Signature
from ..draw import Draw
from ..exercise import Exercise, Problem
from ..inputs import ROUGHLY, leaves_alone
from ..reading import Factor
from . import gradients
from .images_backward import add_parameter_sums
from .inputs import FEW_PIXELS, IMAGES, MANY_PIXELS, instance_pair, scale_of_instance_pair
from .instancenorm_forward import BATCH, CHANNELS, ONE, TWO, WORDS, instancenorm_forward
from .statistics import counts_of

instancenorm_backward = Exercise(
    Signature(
        "instancenorm_backward",
        ("dy", "x", "gamma", "beta", "eps"),
        ("dx", "dgamma", "dbeta"),
        reference.instancenorm_backward,
    ),
    problem=instance_pair,
    scale=scale_of_instance_pair,
    smallest=(
        (np.array([[[[1.0, 0.0]]]]), TWO, ONE, 0 * ONE, 3.0),
        (np.array([[[[1.0, 0.0]]]]), TWO, 2 * ONE, 5 * ONE, 3.0),
        (np.array([[[[1.0, 0.0]]], [[[0.0, 1.0]]]]), BATCH, 2 * ONE, 5 * ONE, 3.0),
        (np.array([[[[1.0, 0.0]], [[0.0, 1.0]]]]), CHANNELS, np.array([2.0, 1.0]), np.array([5.0, 0.0]), 3.0),
        (np.array([[[[1.0, 0.0], [0.0, 0.0]]]]), np.array([[[[1.0, 3.0], [5.0, 7.0]]]]), ONE, 0 * ONE, 4.0),
    ),
    section="backward-closed-form",
    axes={"dy": "NCHW", "x": "NCHW", "gamma": "C", "beta": "C"},
    forward=instancenorm_forward,
    probes=IMAGES,
    whole_probes=(),
)
exercise = instancenorm_backward


@exercise.property(points=0.5, nudge="Which shapes have x, gamma and beta? A gradient has the shape of what it is for.")
def gradients_have_the_shapes_of_their_inputs(f: Asked, draw: Draw) -> None:
    """answers with (dx, dgamma, dbeta), in the shapes of x, gamma and beta"""
    f(instance_pair(draw, Problem(4, 3)))


@exercise.property(
    points=0.5,
    section="backward-parameters",
    nudge="Each image has a mean of its own; but has it a beta of its own?",
)
def dbeta_adds_up_dy(f: Asked, draw: Draw) -> None:
    """gives as dbeta the sum of dy over the images and their pixels"""
    for problem in FEW_PIXELS[:2]:
        f.agrees(instance_pair(draw, problem), only=("dbeta",))


@exercise.property(
    points=1,
    section="backward-parameters",
    nudge="By which number is gamma multiplied in each y? Would your dgamma change if you added 100 to all of x?",
)
def dgamma_adds_up_dy_x_hat(f: Asked, draw: Draw) -> None:
    """gives as dgamma the sum of dy times x_hat over the images and their pixels"""
    for problem in FEW_PIXELS[:2]:
        f.agrees(instance_pair(draw, problem), only=("dgamma",))


@exercise.property(
    points=1,
    section="backward-mean-path",
    nudge="Make one channel of one image brighter: does y change? Then what must the gradients of its pixels sum to?",
)
def dx_sums_to_zero(f: Asked, draw: Draw) -> None:
    """gives a dx, not zero itself, that sums to 0 over the pixels of each channel of each image"""
    arguments = instance_pair(draw, Problem(4, 3, eps=0.1))
    dx, scale = f(arguments, only=("dx",))["dx"], scale_of_instance_pair(arguments)["dx"]
    sums = dx.sum(axis=(2, 3))
    if not np.any(np.abs(dx) > 1e-6 * scale):
        raise Refused("Your dx is 0 everywhere.")
    if not np.all(np.abs(sums) <= 1e-4 * np.abs(dx).max(axis=(2, 3))):
        raise Refused(f"The channels of your dx sum to {np.array2string(sums[0], precision=4)}, expected zeros.")


@exercise.property(
    points=2.5,
    nudge="On how many roads does one pixel reach the loss? Over which axes do their sums run?",
)
def dx_follows_all_three_paths(f: Asked, draw: Draw) -> None:
    """gives as dx the direct term and those through the mean and the variance of each channel of each image"""
    f.agrees(instance_pair(draw, MANY_PIXELS), within=ROUGHLY, only=("dx",))


@exercise.property(
    points=0.5,
    section="normalize-eps",
    nudge="Which deviation did the forward divide by? Does the backward use the same one?",
)
def backward_follows_eps(f: Asked, draw: Draw) -> None:
    """uses the deviation the forward divided by, with the eps it was given"""
    dy, x, gamma, beta = instance_pair(draw, MANY_PIXELS)
    f.agrees((dy, 0.2 * x, gamma, beta, 0.1), within=ROUGHLY, only=("dx",))


@exercise.property(points=0.5, nudge="Which number divides the sums: H·W, H·W - 1, or N·H·W?")
def dx_is_right_to_rounding(f: Asked, draw: Draw) -> None:
    """is right to rounding for images of any shape, and for a channel that hardly varies"""
    for problem in (*FEW_PIXELS[:2], Problem(2, 3)):
        f.agrees(instance_pair(draw, problem), only=("dx",))


@exercise.property(
    points=0.5,
    needs="dx_follows_all_three_paths",
    nudge="Does any line of your backward write into dy, or into something that came out of the cache?",
)
def backward_leaves_dy_and_cache_alone(f: Asked, draw: Draw) -> None:
    """leaves dy, gamma and the cache as they were: a second call answers the same"""
    leaves_alone(f, instance_pair(draw, Problem(4, 3)))


gradients.in_steps(exercise, WORDS)
gradients.add_paths(exercise, WORDS)
gradients.add_counts(
    exercise,
    WORDS,
    "You divide by another number than M = H·W, the pixels of a channel. The sums of dx run over one channel of one "
    "image: the other images and channels have sums of their own.",
    lambda at: len(at.x) * at.x[0, 0].size,
    lambda at: len(at.x),
    lambda at: at.x[0].size,
    lambda at: at.x.shape[1],
)
gradients.add_factors(exercise, WORDS)
gradients.add_wrong_sums(
    exercise,
    "sums_over_the_batch",
    "instance-norm",
    "You sum over the images as well in dx, axes (0, 2, 3), as batch normalization does. Each image has its own mean "
    "and variance here, so the sums of dx run over its pixels: axes (2, 3).",
    lambda values: values.mean(axis=(0, 2, 3), keepdims=True),
    lambda values: values.mean(axis=0),
)
gradients.add_wrong_sums(
    exercise,
    "sums_over_the_channels",
    "instance-norm",
    "You sum over the channels as well in dx, axes (1, 2, 3). Each channel has its own mean and variance here, so the "
    "sums of dx run over its pixels: axes (2, 3).",
    lambda values: values.mean(axis=(1, 2, 3), keepdims=True),
    lambda values: values.mean(axis=1, keepdims=True),
    lambda values: values.mean(),
)
gradients.add_wrong_sums(
    exercise,
    "sums_over_part_of_the_pixels",
    "instance-norm",
    "You sum over one of the axes of height and width only in dx. All pixels of a channel share one mean and one "
    "variance, so the sums run over both: axes (2, 3).",
    lambda values: values.mean(axis=3, keepdims=True),
    lambda values: values.mean(axis=2, keepdims=True),
)
gradients.add_parameters(exercise)
add_parameter_sums(exercise)
gradients.add_contracts(exercise, WORDS)
gradients.read_gradients(
    exercise,
    WORDS,
    "feature",
    counts_of(WORDS, q.GAMMA, Factor("N", lambda at: len(at.x), "N"), Factor("C", lambda at: at.x.shape[1], "N")),
)
gradients.add_identities(exercise, WORDS)
