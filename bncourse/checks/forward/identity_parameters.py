"""What is asked of `identity_parameters`, and how is it got wrong?

Judged by effect: batch normalization with the student's gamma and beta must give the batch back.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ... import functional as reference
from .. import quantities as q
from .. import sentences
from ..answers import Array
from ..asking import Asked
from ..calling import Signature
from ..draw import Draw
from ..exercise import Arguments, Exercise, Kind, Problem
from ..inputs import ALIKE, EPS, FOUR, HARDLY, MANY, OTHER_EPS, ROUGHLY, SIX, THREE, TWO, WHOLE, eps_in, leaves_alone
from ..reading import Reading, Term
from .inputs import scale_of_identity, x_and_eps

Pair = tuple[Array, Array]


def applied_to_the_batch(arguments: Arguments, answer: Mapping[str, Array]) -> Mapping[str, Array]:
    """What batch normalization with these gamma and beta makes of the batch."""
    x, gamma, beta = arguments[0], answer["gamma"], answer["beta"]
    x_hat = reference.normalize(x, x.mean(axis=0), x.var(axis=0), eps_in(arguments, 1))
    return {"BN(x)": (gamma * x_hat + beta).astype(np.result_type(gamma, beta))}


identity_parameters = Exercise(
    Signature("identity_parameters", ("x", "eps"), ("gamma", "beta"), reference.identity_parameters),
    problem=x_and_eps,
    scale=scale_of_identity,
    effect=applied_to_the_batch,
    section="identity-claims",
    axes={"x": "ND"},
    smallest=((TWO, THREE), (HARDLY,), (ALIKE,), (WHOLE, 3.75), (FOUR, THREE), (SIX, THREE)),
)


@identity_parameters.property(points=1)
def one_pair_per_feature(f: Asked, draw: Draw) -> None:
    """answers with (gamma, beta), each of shape (D,)"""
    f(x_and_eps(draw, Problem(7, 3)))


@identity_parameters.property(points=5)
def restores_the_batch(f: Asked, draw: Draw) -> None:
    """batch normalization with these parameters gives this batch back"""
    f.agrees((draw.batch(MANY, 3),), within=ROUGHLY)


@identity_parameters.property(points=2)
def allows_for_eps(f: Asked, draw: Draw) -> None:
    """also with an eps that is not small beside the variance"""
    f.agrees((draw.batch(MANY, 3, sd=0.3), 0.1), within=ROUGHLY / 5)


@identity_parameters.property(points=1)
def restores_to_rounding(f: Asked, draw: Draw) -> None:
    """to rounding, for batches of any shape, also when N = D"""
    for problem in (Problem(7, 3, eps=0.1), Problem(4, 4), Problem(3, 5, eps=0.3)):
        f.agrees(x_and_eps(draw, problem))


@identity_parameters.property(points=1, needs="restores_the_batch")
def restores_a_constant_feature(f: Asked, draw: Draw) -> None:
    """also a feature that never varies"""
    f.agrees((draw.batch(MANY, 3, constant=True),), within=ROUGHLY)


@identity_parameters.property(points=1)
def restores_whole_numbers(f: Asked, draw: Draw) -> None:
    """also a batch of whole numbers"""
    f.agrees((draw.whole_numbers(MANY, 3),), within=ROUGHLY)


@identity_parameters.property(points=1, needs="restores_the_batch")
def identity_leaves_x_alone(f: Asked, draw: Draw) -> None:
    """leaves x as it was"""
    leaves_alone(f, x_and_eps(draw, Problem(5, 3)))


steps = identity_parameters.in_steps(eps=EPS)


@steps.step
def N(at: Any) -> Any:
    """the number of samples"""
    return len(at.x)


@steps.step
def mean(at: Any) -> Any:
    """the mean of each feature over the batch"""
    return at.x.sum(axis=0) / len(at.x)


@steps.step
def var(at: Any) -> Any:
    """the mean square distance from that mean: a sum divided by N"""
    return ((at.x - at.mean) ** 2).sum(axis=0) / at.N


@steps.step
def std(at: Any) -> Any:
    """the root of var + eps, by which the layer divides"""
    return np.sqrt(at.var + at.eps)


@steps.step
def gamma(at: Any) -> Any:
    """what undoes the division: std"""
    return at.std


@steps.step
def beta(at: Any) -> Any:
    """what undoes the subtraction: the mean"""
    return at.mean


identity_parameters.read(
    Reading(
        "gamma",
        terms=(Term("std", "the deviation", lambda at: at.std, "identity-claims", "", "std var"),),
        factors=(q.N, q.D, q.STD, q.EPS, *q.STD_FORMS),
    )
)
identity_parameters.read(
    Reading(
        "beta",
        terms=(Term("mean", "the mean", lambda at: at.mean, "identity-claims", "", "mean"),),
        factors=(q.N, q.D, q.STD),
    )
)


@identity_parameters.misconception(Kind.ERROR, "identity-claims", step="std", about="eps")
def identity_without_eps(at: Any) -> Any:
    """Your gamma is the standard deviation. The layer divides by the root of var + eps, so that is what gamma has to
    undo: without eps the batch comes back a little shrunk, and a feature that hardly varies comes back almost flat."""
    return np.sqrt(at.var)


@identity_parameters.misconception(Kind.ERROR, "normalize-eps", step="std", about="eps")
def eps_outside_the_root(at: Any) -> Any:
    """Your gamma adds eps to the standard deviation. The layer divides by the root of var + eps, with eps under the
    root; gamma has to be just that root."""
    return np.sqrt(at.var) + at.eps


@identity_parameters.misconception(Kind.ERROR, "normalize-eps", step="std", about="eps")
def eps_ignored(at: Any) -> Any:
    """Your gamma uses an eps of your own and ignores the one that is given. It undoes the layer only when both use the
    same: take the argument."""
    return np.sqrt(at.var + EPS)


def with_fixed_eps(constant: float) -> Callable[[Any], Any]:
    """A deviation with an eps of its own, whatever is given."""
    return lambda at: np.sqrt(at.var + constant)


for other in OTHER_EPS:
    identity_parameters.another_way("eps_ignored", step="std")(with_fixed_eps(other))


@identity_parameters.misconception(Kind.CONVENTION, "normalize-eps", step="eps")
def default_eps_of_keras(at: Any) -> Any:
    """Your eps is 1e-3 when none is given. That is Keras' default; this course, like PyTorch, asks for 1e-5."""
    return at.given.get("eps", 1e-3)


@identity_parameters.misconception(Kind.ERROR, "identity-claims")
def one_and_zero(x: Array, eps: float = EPS) -> Pair:
    """You return gamma = 1 and beta = 0. They make scale and shift the identity, not the whole layer: x has been
    normalized by then. gamma has to give the deviation back, and beta the mean."""
    return np.ones(x.shape[1]), np.zeros(x.shape[1])


@identity_parameters.misconception(Kind.ERROR, "identity-claims", step="gamma", about="std")
def gamma_upside_down(at: Any) -> Any:
    """Your gamma is one over the deviation. The layer has divided by the deviation already; gamma has to multiply it
    back."""
    return 1.0 / np.sqrt(at.var + at.eps)


@identity_parameters.misconception(Kind.ERROR, "identity-claims", step="gamma", about="std")
def variance_for_gamma(at: Any) -> Any:
    """Your gamma is the variance. The layer divides by its root, so the root is what has to be undone."""
    return at.var + at.eps


@identity_parameters.another_way("variance_for_gamma", step="gamma")
def variance_without_eps_for_gamma(at: Any) -> Any:
    """The same, eps left out."""
    return at.var


@identity_parameters.misconception(Kind.ERROR, "identity-claims")
def normalizes_again(x: Array, eps: float = EPS) -> Pair:
    """Your parameters normalize once more: your gamma divides by the deviation, your beta takes the mean away. The
    layer has done that already; to undo it, multiply by the deviation and add the mean."""
    s = np.sqrt(x.var(axis=0) + eps)
    return 1 / s, -x.mean(axis=0) / s


@identity_parameters.another_way("normalizes_again")
def inverse_and_negative(x: Array, eps: float = EPS) -> Pair:
    """The same, the shift not divided."""
    return 1 / np.sqrt(x.var(axis=0) + eps), -x.mean(axis=0)


@identity_parameters.misconception(Kind.CONTRACT, "identity-claims")
def gamma_and_beta_swapped(x: Array, eps: float = EPS) -> Pair:
    """You return (beta, gamma). The exercise asks for (gamma, beta): first the scale, then the shift."""
    return x.mean(axis=0), np.sqrt(x.var(axis=0) + eps)


@identity_parameters.misconception(Kind.CONVENTION, "batch-variance", step="N")
def unbiased_variance(at: Any) -> Any:
    """Your variance divides by N - 1. That is the unbiased estimate of statistics; the layer normalizes with the biased
    one, which divides by N, so gamma has to use that too."""
    return len(at.x) - 1


@identity_parameters.misconception(Kind.ERROR, "batch-mean")
def statistics_along_axis_1(x: Array, eps: float = EPS) -> Pair:
    """You take mean and variance along axis=1, of each sample over its features. The layer takes those of each feature
    over the batch: axis=0."""
    return np.sqrt(x.var(axis=1) + eps), x.mean(axis=1)


@identity_parameters.misconception(Kind.ERROR, "batch-mean")
def one_statistic_for_the_matrix(x: Array, eps: float = EPS) -> Pair:
    """You take one mean and one variance of the whole matrix. The layer has one pair for each feature: axis=0."""
    return np.sqrt(x.var() + eps), x.mean()


@identity_parameters.another_way("one_statistic_for_the_matrix")
def one_statistic_repeated(x: Array, eps: float = EPS) -> Pair:
    """The same, once for every feature."""
    return np.full(x.shape[1], np.sqrt(x.var() + eps)), np.full(x.shape[1], x.mean())


@identity_parameters.misconception(Kind.ERROR, "identity-claims", sentences.WHOLE_NUMBER_BUFFER)
def whole_number_buffer(x: Array, eps: float = EPS) -> Pair:
    """Both results are arrays like a row of x."""
    gamma, beta = np.zeros_like(x[0]), np.zeros_like(x[0])
    gamma[:], beta[:] = np.sqrt(x.var(axis=0) + eps), x.mean(axis=0)
    return gamma, beta


@identity_parameters.misconception(Kind.CONTRACT, "identity-claims", sentences.CHANGES_ITS_INPUT)
def changes_its_input(x: Array, eps: float = EPS) -> Pair:
    """Centres in place."""
    mean = x.mean(axis=0)
    x -= mean
    return np.sqrt((x * x).mean(axis=0) + eps), mean
