"""What is asked of `batchnorm_inference_backward`, and how is it got wrong?

With fixed statistics the layer is a scale and a shift: x has one path to the loss, not three. Mistakes in the gradients
of gamma and beta are those of training.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ... import functional as reference
from .. import quantities as q
from .. import sentences
from ..answers import Array
from ..asking import Asked, Refused
from ..calling import Signature
from ..comparing import rough, worst
from ..draw import Draw
from ..exercise import Exercise, Kind, Problem
from ..forward.normalize import normalize
from ..inputs import EPS, MANY, ROUGHLY, SHAPES, leaves_alone
from ..reading import Reading, Term
from .batchnorm_backward_graph import batchnorm_backward_graph
from .layer_inputs import of_inference, scale_of_inference_backward
from .scale_shift_backward import both_parameters

SECTION, PARAMETERS = "backward-inference", "backward-parameters"
ONE, TWO = np.array([1.0]), np.array([2.0])

batchnorm_inference_backward = Exercise(
    Signature(
        "batchnorm_inference_backward",
        ("dy", "x", "gamma", "running_mean", "running_var", "eps"),
        ("dx", "dgamma", "dbeta"),
        reference.batchnorm_inference_backward,
    ),
    problem=of_inference,
    scale=scale_of_inference_backward,
    section=SECTION,
    axes={"dy": "ND", "x": "ND", "gamma": "D", "running_mean": "D", "running_var": "D"},
    smallest=(
        (np.array([[1.0], [3.0]]), np.array([[2.0], [4.0]]), ONE, 0 * ONE, ONE, 3.0),
        (np.array([[1.0], [3.0]]), np.array([[2.0], [4.0]]), TWO, ONE, ONE, 3.0),
        (np.array([[1.0], [3.0]]), np.array([[2], [4]]), TWO, ONE, ONE, 3.0),
        (np.array([[1.0], [3.0]]), np.array([[2.0], [4.0]]), ONE, ONE, 1e-6 * ONE),
        (
            np.array([[1.0, 0.0], [3.0, 1.0], [0.0, 2.0]]),
            np.array([[2.0, 1.0], [4.0, 3.0], [6.0, 8.0]]),
            np.array([2.0, 1.0]),
            np.array([1.0, 2.0]),
            np.array([1.0, 6.0]),
            3.0,
        ),
    ),
)
exercise = batchnorm_inference_backward


@exercise.property(points=1, nudge="Which shapes have x, gamma and beta? A gradient has the shape of what it is for.")
def inference_gradients_have_three_shapes(f: Asked, draw: Draw) -> None:
    """answers with (dx, dgamma, dbeta), in the shapes of x, gamma and beta"""
    f(of_inference(draw, Problem(7, 3)))


@exercise.property(points=1, section=PARAMETERS, nudge="If beta grows by a little, by how much does each y grow?")
def inference_dbeta_sums_dy(f: Asked, draw: Draw) -> None:
    """gives as dbeta the sum of dy over the batch, also when N = D"""
    for problem in SHAPES[:2]:
        f.agrees(of_inference(draw, problem), only=("dbeta",))


@exercise.property(points=2, section=PARAMETERS, nudge="By which number is gamma multiplied in each y, at inference?")
def inference_dgamma_sums_dy_x_hat(f: Asked, draw: Draw) -> None:
    """gives as dgamma the sum of dy times x_hat, made with the running statistics"""
    f.agrees(of_inference(draw, Problem(MANY, 3, low=False)), within=ROUGHLY, only=("dgamma",))


@exercise.property(
    points=2, nudge="The statistics are fixed. If one x grows by a little, does any y but its own change? By how much?"
)
def inference_dx_is_a_scale(f: Asked, draw: Draw) -> None:
    """gives as dx each dy times gamma, over the running deviation, and nothing through mean and variance"""
    f.agrees(of_inference(draw, Problem(MANY, 3, low=False)), within=ROUGHLY, only=("dx",))


@exercise.property(
    points=1, section="normalize-eps", nudge="By what did the forward divide, with the eps it was given?"
)
def inference_backward_follows_eps(f: Asked, draw: Draw) -> None:
    """uses the deviation that inference divides by, with the eps it was given"""
    for problem in (Problem(7, 3, eps=0.1), Problem(4, 4, eps=0.2), Problem(3, 5, eps=0.3)):
        f.agrees(of_inference(draw, problem))


@exercise.property(points=1, section="normalize-eps", nudge="What is eps in your function when nobody gives one?")
def inference_backward_default_eps(f: Asked, draw: Draw) -> None:
    """uses eps = 1e-5 when none is given"""
    f.agrees(of_inference(draw, SHAPES[1]), only=("dx",))


@exercise.property(
    points=1,
    needs="inference_dx_is_a_scale",
    nudge="Of which type is the array that you write dx into, when x has whole numbers?",
)
def inference_backward_takes_whole_numbers(f: Asked, draw: Draw) -> None:
    """takes an x of whole numbers without losing what is behind the point"""
    dy, x, *rest = of_inference(draw, Problem(MANY, 3, whole=True, low=False))
    cut, whole = f((dy, x, *rest)), f((dy, x.astype(np.float64), *rest))
    for name, one in whole.items():
        mismatch = worst(name, cut[name], one, rough(one, ROUGHLY))
        if mismatch is not None:
            raise Refused(f"For an x of whole numbers, {mismatch} as for the same x with decimals.")


@exercise.property(points=1, needs="inference_dx_is_a_scale", nudge="Does any line write into an array you were given?")
def inference_backward_leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves dy, x, gamma and the running statistics as they were"""
    leaves_alone(f, of_inference(draw, Problem(5, 3)))


steps = exercise.in_steps(eps=EPS)


@steps.step
def N(at: Any) -> Any:
    """the number of samples"""
    return len(at.x)


@steps.step
def var(at: Any) -> Any:
    """the running variance"""
    return at.running_var


@steps.step
def centred(at: Any) -> Any:
    """x minus the running mean"""
    return at.x - at.running_mean


@steps.step
def std(at: Any) -> Any:
    """the root of running_var + eps, as in the forward"""
    return np.sqrt(at.var + at.eps)


@steps.step
def x_hat(at: Any) -> Any:
    """x normalized by the running statistics"""
    return at.centred / at.std


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
def dx(at: Any) -> Any:
    """dx_hat over the deviation"""
    return at.dx_hat / at.std


exercise.copy(
    normalize,
    "eps_outside_the_root",
    "eps_missing",
    "eps_squared",
    "eps_subtracted",
    "eps_ignored",
    "default_eps_of_keras",
)
exercise.copy(
    batchnorm_backward_graph,
    "gamma_missing",
    "gamma_twice",
    "dgamma_with_x",
    "dgamma_with_centred_x",
    "dgamma_without_x_hat",
    "dgamma_times_gamma",
    "dbeta_times_gamma",
    "parameters_averaged",
    "parameters_not_summed",
    "parameters_summed_along_axis_1",
    "parameters_summed_over_everything",
)
both_parameters(exercise)


# ---------------------------------------------------------------------------------------------- the formula of training


def through_the_batch(at: Any, x_hat: Array, std: Array) -> Array:
    """The dx of training, whatever statistics it is told."""
    projected = at.dy - at.dy.mean(axis=0) - x_hat * (at.dy * x_hat).mean(axis=0)
    dx: Array = at.gamma / std * projected
    return dx


def of_the_batch(at: Any) -> tuple[Array, Array]:
    """x_hat and the deviation of the batch itself."""
    std = np.sqrt(at.x.var(axis=0) + at.eps)
    return (at.x - at.x.mean(axis=0)) / std, std


@exercise.misconception(Kind.ERROR, SECTION, step="dx", about="dx")
def training_formula(at: Any) -> Any:
    """You use the formula of training. At inference mean and variance are fixed numbers: no x moves them, so nothing
    comes back through them, and dx is dy times gamma over the running deviation, each sample by itself."""
    return through_the_batch(at, at.x_hat, at.std)


@exercise.another_way("training_formula", step="dx")
def training_formula_of_the_batch(at: Any) -> Any:
    """With the batch's own statistics, in dx only."""
    return through_the_batch(at, *of_the_batch(at))


@exercise.another_way("training_formula")
def training_backward(
    dy: Array, x: Array, gamma: Array, running_mean: Array, running_var: Array, eps: float = EPS
) -> Any:
    """The whole backward of training, on the batch's own statistics."""
    _, cache = reference.batchnorm_forward(x, gamma, 0.0 * gamma, eps)
    return reference.batchnorm_backward(dy, cache)


@exercise.another_way("training_formula", step="dx")
def mean_subtracted_from_dy(at: Any) -> Any:
    """Only the path through the mean."""
    return at.gamma / at.std * (at.dy - at.dy.mean(axis=0))


@exercise.another_way("training_formula", step="dx")
def variance_path_only(at: Any) -> Any:
    """Only the path through the variance."""
    return at.gamma / at.std * (at.dy - at.x_hat * (at.dy * at.x_hat).mean(axis=0))


@exercise.misconception(Kind.ERROR, "inference-formula", about="var mean std")
def batch_statistics(
    dy: Array, x: Array, gamma: Array, running_mean: Array, running_var: Array, eps: float = EPS
) -> Any:
    """You compute mean and variance from the batch and ignore the running ones. At inference the layer normalizes by
    the running statistics, so those are in its gradients: a sample's dx must not depend on its neighbours."""
    std = np.sqrt(x.var(axis=0) + eps)
    return dy * gamma / std, (dy * (x - x.mean(axis=0)) / std).sum(axis=0), dy.sum(axis=0)


@exercise.another_way("batch_statistics", step="dgamma")
def batch_statistics_in_dgamma(at: Any) -> Any:
    """Only there."""
    return (at.dy * of_the_batch(at)[0]).sum(axis=0)


@exercise.another_way("batch_statistics", step="dx")
def batch_statistics_in_dx(at: Any) -> Any:
    """Only there."""
    return at.dy * at.gamma / of_the_batch(at)[1]


# ----------------------------------------------------------------------------------------------------- dx


@exercise.misconception(Kind.ERROR, SECTION, step="std", about="std eps")
def variance_for_deviation(at: Any) -> Any:
    """You divide by the running variance where the deviation belongs, its root: inference divides by the root of
    running_var + eps, so dx and the x_hat in dgamma have it too."""
    return at.var + at.eps


@exercise.another_way("variance_for_deviation", step="dx")
def variance_for_deviation_in_dx(at: Any) -> Any:
    """Only there."""
    return at.dx_hat / (at.var + at.eps)


@exercise.misconception(Kind.ERROR, SECTION, step="dx", about="dx std")
def dx_not_divided(at: Any) -> Any:
    """You do not divide by the deviation in dx. x_hat is (x - running_mean) / std, so a step of x moves y by gamma/std
    of it, not by gamma."""
    return at.dx_hat


@exercise.misconception(Kind.ERROR, SECTION, step="dx", about="dx std")
def multiplies_by_the_deviation(at: Any) -> Any:
    """You multiply by the deviation in dx. The backward does not undo the forward: y grows gamma/std as fast as x, so
    the gradient has that factor too."""
    return at.dx_hat * at.std


@exercise.misconception(Kind.ERROR, SECTION, step="dx", about="dx x")
def x_in_dx(at: Any) -> Any:
    """You multiply by x_hat in dx. y is a straight line in x at inference, and its slope, gamma / std, is the same
    wherever x lies."""
    return at.dx_hat * at.x_hat / at.std


@exercise.misconception(Kind.ERROR, SECTION, step="dx", about="dx")
def dx_is_zero(at: Any) -> Any:
    """Your dx is 0 everywhere. Evaluation fixes the statistics, not the layer: y still follows x, gamma/std as fast, as
    whoever differentiates by an input in evaluation needs."""
    return 0.0 * at.x


# ------------------------------------------------------------------------------------------------- what is agreed on


@exercise.misconception(Kind.CONTRACT, PARAMETERS, about="order")
def gradients_in_another_order(
    dy: Array, x: Array, gamma: Array, running_mean: Array, running_var: Array, eps: float = EPS
) -> Any:
    """You return the gradients in another order. The exercise asks for (dx, dgamma, dbeta): the order of the forward's
    arguments, x, gamma, beta."""
    dx, dgamma, dbeta = reference.batchnorm_inference_backward(dy, x, gamma, running_mean, running_var, eps)
    return dx, dbeta, dgamma


@exercise.another_way("gradients_in_another_order")
def dgamma_first(dy: Array, x: Array, gamma: Array, running_mean: Array, running_var: Array, eps: float = EPS) -> Any:
    """(dgamma, dbeta, dx)."""
    dx, dgamma, dbeta = reference.batchnorm_inference_backward(dy, x, gamma, running_mean, running_var, eps)
    return dgamma, dbeta, dx


@exercise.misconception(Kind.ERROR, SECTION, sentences.WHOLE_NUMBER_BUFFER)
def whole_number_buffer(
    dy: Array, x: Array, gamma: Array, running_mean: Array, running_var: Array, eps: float = EPS
) -> Any:
    """dx is an array like x."""
    answer, dgamma, dbeta = reference.batchnorm_inference_backward(dy, x, gamma, running_mean, running_var, eps)
    dx = np.zeros_like(x)
    dx[:] = answer
    return dx, dgamma, dbeta


@exercise.misconception(Kind.CONTRACT, SECTION, sentences.CHANGES_ITS_INPUT)
def changes_its_input(
    dy: Array, x: Array, gamma: Array, running_mean: Array, running_var: Array, eps: float = EPS
) -> Any:
    """Works in place on dy."""
    std = np.sqrt(running_var + eps)
    dgamma, dbeta = (dy * (x - running_mean) / std).sum(axis=0), dy.sum(axis=0)
    dy *= gamma / std
    return dy, dgamma, dbeta


# ----------------------------------------------------------------------------------------------- what nobody foresaw

FACTORS = (q.N, q.UNBIASED, q.D, q.GAMMA, q.STD, q.EPS, *q.EPS_ROOTS)

exercise.read(
    Reading(
        "dx",
        terms=(
            Term("direct", "the term gamma/std · dy", lambda at: at.dx_hat / at.std, SECTION, "", "dx dx_hat std"),
            Term(
                "mean_path",
                "a term with the mean of dy",
                lambda at: -at.dx_hat.mean(axis=0) / at.std,
                SECTION,
                "Through fixed statistics nothing comes back.",
                "dx",
                foreign=True,
            ),
            Term(
                "variance_path",
                "a term with x_hat",
                lambda at: -at.x_hat * (at.dx_hat * at.x_hat).mean(axis=0) / at.std,
                SECTION,
                "Through fixed statistics nothing comes back.",
                "dx",
                foreign=True,
            ),
        ),
        factors=FACTORS,
    )
)
exercise.read(
    Reading(
        "dgamma",
        terms=(
            Term("x_hat", "the sum of dy · x_hat", lambda at: at.dgamma, PARAMETERS, "", "dgamma x_hat"),
            Term(
                "dy",
                "a multiple of the sum of dy",
                lambda at: at.dbeta,
                PARAMETERS,
                "",
                "dgamma mean beta",
                foreign=True,
            ),
        ),
        factors=FACTORS,
        vary=("dy",),
    )
)
exercise.read(
    Reading(
        "dbeta",
        terms=(
            Term("dy", "the sum of dy", lambda at: at.dbeta, PARAMETERS, "", "dbeta dy"),
            Term(
                "x_hat",
                "a multiple of the sum of dy · x_hat",
                lambda at: at.dgamma,
                PARAMETERS,
                "",
                "x_hat",
                foreign=True,
            ),
        ),
        factors=(q.N, q.UNBIASED, q.D, q.GAMMA, q.STD),
        vary=("dy",),
    )
)


@exercise.symptom(SECTION, about="dx")
def a_row_depends_on_its_neighbours(at: Any, answer: Mapping[str, Array]) -> bool:
    """Your dx is not dy times one number a feature. At inference each y depends on its own x alone, by the slope gamma
    / std of its feature, so dx must be dy in other proportions nowhere."""
    dx = answer["dx"]
    slope = (dx * at.dy).sum(axis=0) / (at.dy * at.dy).sum(axis=0)
    return bool(np.all(np.abs(dx - slope * at.dy) <= 1e-6 * np.abs(dx).max(axis=0)))
