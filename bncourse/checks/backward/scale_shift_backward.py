"""What is asked of `scale_shift_backward`, and how is it got wrong?

Its mistakes are those of a whole backward in these three places, and are taken over from there.
"""

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
from ..inputs import SHAPES, leaves_alone
from ..reading import Reading, Term
from .batchnorm_backward_graph import batchnorm_backward_graph
from .layer_inputs import of_scale_shift, scale_of_scale_shift_backward

ONE = np.array([1.0])

scale_shift_backward = Exercise(
    Signature(
        "scale_shift_backward",
        ("dy", "x_hat", "gamma"),
        ("dx_hat", "dgamma", "dbeta"),
        reference.scale_shift_backward,
    ),
    problem=of_scale_shift,
    scale=scale_of_scale_shift_backward,
    section="backward-parameters",
    axes={"dy": "ND", "x_hat": "ND", "gamma": "D"},
    smallest=(
        (np.array([[1.0], [2.0]]), np.array([[-1.0], [1.0]]), ONE),
        (np.array([[1.0], [2.0]]), np.array([[-1.0], [1.0]]), 3 * ONE),
        (
            np.array([[1.0, 0.0], [2.0, 1.0], [0.0, 3.0]]),
            np.array([[-1.0, 2.0], [1.0, 0.0], [2.0, 1.0]]),
            np.array([2.0, 3.0]),
        ),
    ),
    whole_probes=(),
)
exercise = scale_shift_backward


@exercise.property(
    points=1, nudge="Which shapes have x_hat, gamma and beta? A gradient has the shape of what it is for."
)
def gradients_have_three_shapes(f: Asked, draw: Draw) -> None:
    """answers with (dx_hat, dgamma, dbeta), in the shapes of x_hat, gamma and beta"""
    f(of_scale_shift(draw, Problem(7, 3)))


@exercise.property(points=1, nudge="If one x_hat grows by a little, by how much does its y grow?")
def dx_hat_is_gamma_dy(f: Asked, draw: Draw) -> None:
    """gives as dx_hat each dy times the gamma of its feature, also when N = D"""
    for problem in SHAPES:
        f.agrees(of_scale_shift(draw, problem), only=("dx_hat",))


@exercise.property(points=2, nudge="By which number is gamma multiplied in each y? How many y does one gamma serve?")
def dgamma_sums_dy_x_hat(f: Asked, draw: Draw) -> None:
    """gives as dgamma the sum of dy times x_hat over the batch, also when N = D"""
    for problem in SHAPES:
        f.agrees(of_scale_shift(draw, problem), only=("dgamma",))


@exercise.property(points=1, nudge="If beta grows by a little, by how much does each y grow? How many y does it serve?")
def dbeta_sums_dy(f: Asked, draw: Draw) -> None:
    """gives as dbeta the sum of dy over the batch, also when N = D"""
    for problem in SHAPES:
        f.agrees(of_scale_shift(draw, problem), only=("dbeta",))


@exercise.property(points=1, needs="dx_hat_is_gamma_dy", nudge="Does any line write into dy, x_hat or gamma?")
def scale_shift_backward_leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves dy, x_hat and gamma as they were"""
    leaves_alone(f, of_scale_shift(draw, Problem(5, 3)))


steps = exercise.in_steps()


@steps.step
def N(at: Any) -> Any:
    """the number of samples"""
    return len(at.x_hat)


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


exercise.copy(
    batchnorm_backward_graph,
    "gamma_missing",
    "gamma_twice",
    "dgamma_without_x_hat",
    "dgamma_times_gamma",
    "dbeta_times_gamma",
    "parameters_averaged",
    "parameters_not_summed",
    "parameters_summed_along_axis_1",
    "parameters_summed_over_everything",
)
SUMS: dict[str, Callable[[Array], Any]] = {
    "parameters_averaged": lambda array: array.mean(axis=0),
    "parameters_not_summed": lambda array: array,
    "parameters_summed_along_axis_1": lambda array: array.sum(axis=1),
    "parameters_summed_over_everything": lambda array: array.sum(),
}


def both_parameters(exercise: Exercise) -> None:
    """Add the ways to make the same mistake in dgamma and dbeta at once."""
    for identifier, summed in SUMS.items():

        def dgamma(at: Any, summed: Callable[[Array], Any] = summed) -> Any:
            return summed(at.dy * at.x_hat)

        def dbeta(at: Any, summed: Callable[[Array], Any] = summed) -> Any:
            return summed(at.dy)

        exercise.another_way(identifier)(exercise.from_steps({"dgamma": dgamma, "dbeta": dbeta}))


both_parameters(exercise)


@exercise.misconception(Kind.ERROR, "backward-parameters", step="dx_hat", about="gamma x_hat")
def dx_hat_times_x_hat(at: Any) -> Any:
    """You multiply by x_hat in dx_hat. The derivative of gamma x_hat + beta by x_hat is gamma alone: it says how fast y
    grows, not how large y is."""
    return at.dy * at.gamma * at.x_hat


@exercise.misconception(Kind.ERROR, "backward-parameters", step="dx_hat", about="gamma")
def divides_by_gamma(at: Any) -> Any:
    """You divide by gamma on the way back. The backward does not undo the forward: it asks how fast y grows with x_hat,
    and that is gamma times as fast."""
    return at.dy / at.gamma


@exercise.misconception(Kind.CONTRACT, "backward-parameters", about="order")
def gradients_in_another_order(dy: Array, x_hat: Array, gamma: Array) -> Any:
    """You return the gradients in another order. The exercise asks for (dx_hat, dgamma, dbeta): the order of the
    forward's arguments, x_hat, gamma, beta."""
    return dy * gamma, dy.sum(axis=0), (dy * x_hat).sum(axis=0)


@exercise.another_way("gradients_in_another_order")
def dgamma_first(dy: Array, x_hat: Array, gamma: Array) -> Any:
    """(dgamma, dbeta, dx_hat)."""
    return (dy * x_hat).sum(axis=0), dy.sum(axis=0), dy * gamma


@exercise.another_way("gradients_in_another_order")
def dbeta_first(dy: Array, x_hat: Array, gamma: Array) -> Any:
    """(dbeta, dgamma, dx_hat)."""
    return dy.sum(axis=0), (dy * x_hat).sum(axis=0), dy * gamma


@exercise.misconception(Kind.CONTRACT, "backward-parameters", sentences.CHANGES_ITS_INPUT)
def changes_its_input(dy: Array, x_hat: Array, gamma: Array) -> Any:
    """Works in place on x_hat and on dy."""
    dbeta = dy.sum(axis=0)
    x_hat *= dy
    dgamma = x_hat.sum(axis=0)
    dy *= gamma
    return dy, dgamma, dbeta


exercise.read(
    Reading(
        "dx_hat",
        terms=(Term("dy", "the term gamma · dy", lambda at: at.dx_hat, "backward-parameters", "", "dx_hat dy"),),
        factors=(q.N, q.UNBIASED, q.GAMMA),
    )
)
exercise.read(
    Reading(
        "dgamma",
        terms=(
            Term("x_hat", "the sum of dy · x_hat", lambda at: at.dgamma, "backward-parameters", "", "dgamma x_hat"),
            Term(
                "dy",
                "a multiple of the sum of dy",
                lambda at: at.dbeta,
                "backward-parameters",
                "",
                "dgamma beta",
                foreign=True,
            ),
        ),
        factors=(q.N, q.UNBIASED, q.GAMMA),
        vary=("dy",),
    )
)
exercise.read(
    Reading(
        "dbeta",
        terms=(
            Term("dy", "the sum of dy", lambda at: at.dbeta, "backward-parameters", "", "dbeta dy"),
            Term(
                "x_hat",
                "a multiple of the sum of dy · x_hat",
                lambda at: at.dgamma,
                "backward-parameters",
                "",
                "x_hat",
                foreign=True,
            ),
        ),
        factors=(q.N, q.UNBIASED, q.GAMMA),
        vary=("dy",),
    )
)
