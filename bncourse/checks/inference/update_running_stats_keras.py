"""What is asked of `update_running_stats_keras`, and how is it got wrong?

The same update as in `update_running_stats`, in another library's convention. So what is a convention there is the
whole question here, and PyTorch's is an error.
"""

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
from ..inputs import ALIKE, FOUR, MANY, ONE, ROUGHLY, SIX, TWO, WHOLE, leaves_alone
from .inputs import HALF, old_and_new, old_statistics, scale_of_update

MOMENTUM = 0.99
"""Keras's default, the weight of the old value."""

Pair = tuple[Array, Array]


def keras(running_mean: ArrayLike, running_var: ArrayLike, x: ArrayLike, momentum: float = MOMENTUM) -> Pair:
    """The update of Keras 3: momentum is the weight of the old value, and the variance divides by N."""
    x = np.asarray(x, float)
    old_mean, old_var = np.asarray(running_mean, float), np.asarray(running_var, float)
    new_mean: Array = momentum * old_mean + (1 - momentum) * x.mean(axis=0)
    new_var: Array = momentum * old_var + (1 - momentum) * x.var(axis=0)
    return new_mean, new_var


update_running_stats_keras = Exercise(
    Signature(
        "update_running_stats_keras",
        ("running_mean", "running_var", "x", "momentum"),
        ("new_mean", "new_var"),
        keras,
    ),
    problem=old_and_new,
    scale=scale_of_update,
    section="running-conventions",
    axes={"running_mean": "D", "running_var": "D", "x": "ND"},
    smallest=(
        (0 * ONE, ONE, TWO, 0.75),
        (4 * ONE, 6 * ONE, TWO, 0.75),
        (0 * ONE, ONE, TWO),
        (0 * ONE, ONE, ALIKE, 0.5),
        (0 * ONE, ONE, WHOLE, 0.5),
        (np.zeros(2), np.ones(2), FOUR, 0.75),
        (np.zeros(2), np.ones(2), SIX, 0.75),
    ),
    probes=(Problem(7, 3, eps=0.7), Problem(4, 4, eps=0.8), Problem(3, 5), Problem(6, 6)),
)
exercise = update_running_stats_keras


def batch_of(draw: Draw, x: Array, momentum: float) -> Arguments:
    """This batch after some others."""
    return (*old_statistics(draw, x), x, momentum)


@exercise.property(
    points=1,
    nudge="With momentum = 0.99, which of the two keeps 99 parts of 100, the old value or the batch's?",
)
def momentum_weighs_the_old(f: Asked, draw: Draw) -> None:
    """gives the weight momentum to the old value, and 1 - momentum to the batch"""
    f.agrees(old_and_new(draw, Problem(MANY, 3, eps=0.8, low=False)), within=ROUGHLY)


@exercise.property(points=0.5, nudge="Which momentum do you use when the caller gives none?")
def default_momentum_of_keras(f: Asked, draw: Draw) -> None:
    """uses momentum = 0.99 when none is given"""
    f.agrees(old_and_new(draw, Problem(MANY, 3, low=False)), within=1e-3)


@exercise.property(points=1, nudge="By what is the sum of the squared distances divided, by N or by N - 1?")
def stores_the_biased_variance(f: Asked, draw: Draw) -> None:
    """takes the biased variance of the batch: divides by N"""
    for N, D in ((7, 3), (4, 4), (3, 5)):
        f.agrees(batch_of(draw, draw.batch(N, D), HALF), only=("new_var",))


@exercise.property(points=0.5, needs="momentum_weighs_the_old")
def keras_update_leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """answers with new arrays and leaves running_mean, running_var and x as they were, also where x holds whole
    numbers"""
    leaves_alone(f, old_and_new(draw, Problem(5, 3, eps=0.3)))
    f.agrees(batch_of(draw, draw.whole_numbers(5, 3), HALF))


# --------------------------------------------------------------------------------------------------------- its steps

steps = exercise.in_steps(momentum=MOMENTUM)


@steps.step
def N(at: Any) -> Any:
    """the number of samples"""
    return len(at.x)


@steps.step
def old_weight(at: Any) -> Any:
    """the weight of the old value, momentum"""
    return at.momentum


@steps.step
def new_weight(at: Any) -> Any:
    """the weight of the batch's value, 1 - momentum"""
    return 1.0 - at.momentum


@steps.step
def mean(at: Any) -> Any:
    """the mean of each feature over the batch"""
    return at.x.sum(axis=0) / at.N


@steps.step
def new_mean(at: Any) -> Any:
    """old_weight times the old running mean, plus new_weight times the mean of the batch"""
    return at.old_weight * at.running_mean + at.new_weight * at.mean


@steps.step
def centred(at: Any) -> Any:
    """how far each value lies from the mean of the batch"""
    return at.x - at.mean


@steps.step
def var(at: Any) -> Any:
    """the biased variance of the batch: the sum of the squared distances, divided by N"""
    return (at.centred**2).sum(axis=0) / at.N


@steps.step
def new_var(at: Any) -> Any:
    """old_weight times the old running variance, plus new_weight times the variance of the batch"""
    return at.old_weight * at.running_var + at.new_weight * at.var


@exercise.misconception(Kind.ERROR, "running-conventions", step="momentum")
def momentum_of_pytorch(at: Any) -> Any:
    """You give momentum to the new value, as PyTorch does. In Keras it is the weight of the old one: momentum * old +
    (1 - momentum) * batch. With 0.99 yours keeps one part in a hundred of all that it has seen."""
    return 1.0 - at.momentum


@exercise.another_way("momentum_of_pytorch", step="momentum")
def momentum_and_default_of_pytorch(at: Any) -> Any:
    """With its default, too."""
    return 1.0 - at.given.get("momentum", 0.1)


@exercise.misconception(Kind.ERROR, "running-conventions", step="momentum")
def another_default_momentum(at: Any) -> Any:
    """Your momentum is not 0.99 when none is given. 0.1 is PyTorch's default, for the weight of the new value; Keras's
    is 0.99, for the weight of the old one."""
    return at.given.get("momentum", 0.9)


@exercise.another_way("another_default_momentum", step="momentum")
def default_momentum_of_pytorch(at: Any) -> Any:
    """For the weight of the old value."""
    return at.given.get("momentum", 0.1)


@exercise.misconception(Kind.ERROR, "running-conventions", step="var")
def unbiased_running_variance(at: Any) -> Any:
    """Your running variance takes the unbiased variance, which divides by N - 1. So does PyTorch; Keras stores the
    biased one, which divides by N, the same that it normalizes by."""
    return (at.centred**2).sum(axis=0) / (at.N - 1)


@exercise.misconception(Kind.ERROR, "running-statistics", step="var")
def keeps_the_deviation(at: Any) -> Any:
    """You average standard deviations into the running variance. What is stored is the variance, without a root: an
    average of roots is not the root of an average."""
    return np.sqrt((at.centred**2).sum(axis=0) / at.N)


@exercise.misconception(Kind.ERROR, "running-statistics", step="centred")
def variance_about_the_new_running_mean(at: Any) -> Any:
    """You take the variance of the batch about the running mean that you have just updated. It is taken about the
    batch's own mean; about any other it also counts how far the two means lie apart."""
    return at.x - at.new_mean


@exercise.misconception(Kind.ERROR, "running-statistics", step="old_weight")
def old_value_not_scaled_down(at: Any) -> Any:
    """You add to the old value without taking anything of it away, so the running statistics grow with every batch.
    The two weights have to add to 1: here the old value is multiplied by momentum."""
    return 1.0


@exercise.misconception(Kind.CONTRACT, "running-statistics")
def mean_and_variance_swapped(running_mean: Array, running_var: Array, x: Array, momentum: float = MOMENTUM) -> Pair:
    """You return the variance first. The exercise asks for the new running mean first and the new running variance
    after it; whoever unpacks them gets each under the other's name."""
    new_mean, new_var = keras(running_mean, running_var, x, momentum)
    return new_var, new_mean


@exercise.misconception(Kind.CONTRACT, "running-statistics", sentences.CHANGES_ITS_INPUT)
def changes_its_input(running_mean: Array, running_var: Array, x: Array, momentum: float = MOMENTUM) -> Pair:
    """Updates the caller's arrays."""
    running_mean *= momentum
    running_mean += (1 - momentum) * x.mean(axis=0)
    running_var *= momentum
    running_var += (1 - momentum) * x.var(axis=0)
    return running_mean, running_var


@exercise.symptom("running-statistics", about="new_mean")
def mean_outside_the_two(at: Any, answer: Mapping[str, Array]) -> bool:
    """Your new running mean does not lie between the old one and the mean of the batch, as an average of the two does,
    whatever the weights: is one of the two another number than you think?"""
    room = 1e-4 * (np.abs(at.running_mean) + np.abs(at.mean))
    low, high = np.minimum(at.running_mean, at.mean), np.maximum(at.running_mean, at.mean)
    return bool(np.all((answer["new_mean"] >= low - room) & (answer["new_mean"] <= high + room)))
