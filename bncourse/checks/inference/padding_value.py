"""What is asked of `padding_value`, and how is it got wrong?"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import sentences
from ..answers import Array
from ..asking import Asked
from ..calling import Signature
from ..draw import Draw
from ..exercise import Arguments, Exercise, Kind, Problem
from ..forward.normalize import normalize
from ..inputs import EPS, ONE, ROUGHLY, and_eps, eps_in, leaves_alone, parameters

NEXT_TO_NOTHING = 1e-10
"""A variance beside which every eps shows, also in a value of about 1."""


def value_for_zero(
    gamma: ArrayLike, beta: ArrayLike, running_mean: ArrayLike, running_var: ArrayLike, eps: float = EPS
) -> Array:
    """The input of each channel that batch normalization at inference maps to 0."""
    std = np.sqrt(np.asarray(running_var, float) + eps)
    value: Array = np.asarray(running_mean, float) - np.asarray(beta, float) / np.asarray(gamma, float) * std
    return value


def channels(draw: Draw, problem: Problem) -> Arguments:
    """A layer of D channels; its statistics and parameters keep clear of 0, so that each of them shows."""
    D = problem.D
    var = draw.deviations(D) ** 2
    if problem.low:
        var[-1] = NEXT_TO_NOTHING * draw.random.uniform(0.7, 1.4)
    return (*parameters(draw, D), draw.away_from_zero(D), var, *and_eps(problem))


def scale_of_value(arguments: Arguments) -> Mapping[str, Array]:
    """A rounding of each of the two terms."""
    gamma, beta, mean, var = arguments[:4]
    return {"value": np.abs(mean) + np.abs(beta / gamma) * np.sqrt(var + eps_in(arguments, 4))}


padding_value = Exercise(
    Signature("padding_value", ("gamma", "beta", "running_mean", "running_var", "eps"), ("value",), value_for_zero),
    problem=channels,
    scale=scale_of_value,
    section="folding-forward",
    axes={"gamma": "C", "beta": "C", "running_mean": "C", "running_var": "C"},
    smallest=(
        (6 * ONE, ONE, 5 * ONE, 4 * ONE, 5.0),
        (2 * ONE, ONE, 3 * ONE, 4 * ONE, 0.0),
        (ONE, ONE, ONE, 1e-6 * ONE),
    ),
    whole_probes=(),
)
exercise = padding_value


@exercise.property(
    points=2,
    nudge="Which x solves gamma * (x - running_mean) / std + beta = 0?",
)
def is_mapped_to_zero(f: Asked, draw: Draw) -> None:
    """answers with the input, one a channel, that batch normalization at inference sends to 0"""
    for D in (3, 5):
        f.agrees(channels(draw, Problem(2, D, low=False)), within=ROUGHLY)


@exercise.property(points=0.25, section="normalize-eps", nudge="By what does batch normalization divide?")
def padding_follows_eps(f: Asked, draw: Draw) -> None:
    """takes the eps it was given into account, under the root"""
    f.agrees(channels(draw, Problem(2, 4, eps=0.1)))


@exercise.property(points=0.25, section="normalize-eps")
def padding_default_eps(f: Asked, draw: Draw) -> None:
    """takes eps = 1e-5 when none is given"""
    f.agrees(channels(draw, Problem(2, 4)))


@exercise.property(points=0.5, needs="is_mapped_to_zero")
def padding_leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves what it is given as it was"""
    leaves_alone(f, channels(draw, Problem(2, 3, low=False)))


steps = exercise.in_steps(eps=EPS)


@steps.step
def var(at: Any) -> Any:
    """the running variance, as it is given"""
    return at.running_var


@steps.step
def std(at: Any) -> Any:
    """the root of the running variance + eps"""
    return np.sqrt(at.var + at.eps)


@steps.step
def value(at: Any) -> Any:
    """running_mean - beta / gamma * std"""
    return at.running_mean - at.beta / at.gamma * at.std


exercise.copy(normalize, "eps_outside_the_root", "eps_missing", "eps_ignored", "default_eps_of_keras")


@exercise.misconception(Kind.ERROR, "folding-forward", step="value")
def what_zero_is_mapped_to(at: Any) -> Any:
    """You return what batch normalization makes of 0. The question runs the other way: which raw value does it send
    *to* 0? The border of the normalized picture is 0, and you pad the raw one."""
    return at.beta - at.gamma / at.std * at.running_mean


@exercise.misconception(Kind.ERROR, "folding-forward", step="value")
def beta_on_the_other_side(at: Any) -> Any:
    """Your beta has the wrong sign. Solve gamma * (x - mean) / std + beta = 0 for x: beta changes sides, and so it is
    subtracted."""
    return at.running_mean + at.beta / at.gamma * at.std


@exercise.misconception(Kind.ERROR, "folding-forward", step="value")
def pads_with_the_mean(at: Any) -> Any:
    """You return the running mean. Batch normalization sends it to beta, not to 0: yours is right only where beta is
    0."""
    return at.running_mean + 0.0


@exercise.misconception(Kind.ERROR, "folding-forward", step="value")
def beta_not_divided_by_gamma(at: Any) -> Any:
    """You leave gamma out. Solving gamma * (x - mean) / std = -beta for x, you divide by gamma, and multiply by
    std."""
    return at.running_mean - at.beta * at.std


@exercise.misconception(Kind.ERROR, "folding-forward", step="value")
def divides_by_the_deviation(at: Any) -> Any:
    """You divide by the standard deviation once more. Solving gamma * (x - mean) / std = -beta for x, you multiply by
    it: the value lies beta / gamma *deviations* below the mean."""
    return at.running_mean - at.beta / (at.gamma * at.std)


@exercise.misconception(Kind.ERROR, "folding-forward", step="value")
def negative_of_the_value(at: Any) -> Any:
    """Your value is the negative of the right one: a sign has got lost while solving gamma * (x - mean) / std + beta =
    0 for x. Insert your value and see what comes out."""
    return at.beta / at.gamma * at.std - at.running_mean


@exercise.misconception(Kind.CONTRACT, "folding-forward", sentences.CHANGES_ITS_INPUT)
def changes_its_input(gamma: Array, beta: Array, running_mean: Array, running_var: Array, eps: float = EPS) -> Array:
    """Works on the caller's running mean."""
    running_mean -= beta / gamma * np.sqrt(running_var + eps)
    return running_mean
