"""What is asked of `batchnorm_backward_graph`, and how is it got wrong?

dx has three terms: the direct one, one through the variance and one through the mean. Most mistakes are a wrong factor
in one of them. `batchnorm_backward`, which asks for the same numbers in closed form, takes all of this over.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ... import functional as reference
from .. import quantities as q
from .. import sentences
from ..answers import Array
from ..asking import Asked, Refused
from ..calling import Signature
from ..draw import Draw
from ..exercise import Exercise, Kind, Problem
from ..forward.batchnorm_forward import batchnorm_forward
from ..inputs import EPS, MANY, ROUGHLY, SHAPES, leaves_alone
from ..reading import Reading, Term
from .inputs import dense_pair, scale_of_pair

GRADIENTS = ("dx", "dgamma", "dbeta")
ONE_THREE = np.array([[1.0], [3.0]])
FIRST = np.array([[1.0], [0.0]])
FIRST_OF_TWO = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
THREE_BY_TWO = np.array([[1.0, 2.0], [2.0, 4.0], [6.0, 9.0]])


def smallest_pairs() -> tuple[tuple[Any, ...], ...]:
    """Inputs whose steps can be worked out by hand: variance 1 and eps 3 make a deviation of 2."""
    one, two = np.array([1.0]), np.array([2.0])
    return (
        (FIRST, ONE_THREE, one, 0 * one, 3.0),
        (FIRST, ONE_THREE, two, 5 * one, 3.0),
        (FIRST_OF_TWO, THREE_BY_TWO, np.array([2.0, 1.0]), np.array([5.0, 0.0]), 3.0),
    )


batchnorm_backward_graph = Exercise(
    Signature(
        "batchnorm_backward_graph", ("dy", "x", "gamma", "beta", "eps"), GRADIENTS, reference.batchnorm_backward_graph
    ),
    problem=dense_pair,
    scale=scale_of_pair,
    section="backward-closed-form",
    axes={"dy": "ND", "x": "ND", "gamma": "D", "beta": "D"},
    smallest=smallest_pairs(),
    forward=batchnorm_forward,
    whole_probes=(),
)
exercise = batchnorm_backward_graph


@exercise.property(points=1, nudge="Which shapes have x, gamma and beta? A gradient has the shape of what it is for.")
def gradients_have_the_shapes_of_their_inputs(f: Asked, draw: Draw) -> None:
    """answers with (dx, dgamma, dbeta), in the shapes of x, gamma and beta"""
    f(dense_pair(draw, Problem(7, 3)))


@exercise.property(
    points=1,
    section="backward-parameters",
    nudge="If beta grows by a little, by how much does each y grow? And the loss, if dy says how each y counts?",
)
def dbeta_adds_up_dy(f: Asked, draw: Draw) -> None:
    """gives as dbeta the sum of dy over the batch, also when N = D"""
    for problem in SHAPES[:2]:
        f.agrees(dense_pair(draw, problem), only=("dbeta",))


@exercise.property(
    points=2,
    section="backward-parameters",
    nudge="By which number is gamma multiplied in each y? Would your dgamma change if you added 100 to all of x?",
)
def dgamma_adds_up_dy_x_hat(f: Asked, draw: Draw) -> None:
    """gives as dgamma the sum of dy times x_hat over the batch, also when N = D"""
    for problem in SHAPES[:2]:
        f.agrees(dense_pair(draw, problem), only=("dgamma",))


@exercise.property(
    points=1,
    section="backward-mean-path",
    nudge="Add the same number to every sample: does y change? Then what must the gradients of the samples sum to?",
)
def dx_sums_to_zero(f: Asked, draw: Draw) -> None:
    """gives a dx, not zero itself, that sums to 0 over the batch, since a constant added to x changes nothing"""
    arguments = dense_pair(draw, Problem(7, 3, eps=0.1))
    dx, scale = f(arguments)["dx"], scale_of_pair(arguments)["dx"]
    sums = dx.sum(axis=0)
    if not np.any(np.abs(dx) > 1e-6 * scale):
        raise Refused("Your dx is 0 everywhere.")
    if not np.all(np.abs(sums) <= 1e-4 * np.abs(dx).max(axis=0)):
        raise Refused(f"The columns of your dx sum to {np.array2string(sums, precision=4)}, expected zeros.")


@exercise.property(
    points=4,
    nudge="On how many roads does one x reach the loss? Write down the direct one, the one through the variance and "
    "the one through the mean, and find each of them in your code.",
)
def dx_follows_all_three_paths(f: Asked, draw: Draw) -> None:
    """gives as dx the direct term and those through the mean and the variance"""
    f.agrees(dense_pair(draw, Problem(MANY, 3, low=False)), within=ROUGHLY, only=("dx",))


@exercise.property(
    points=1,
    section="normalize-eps",
    nudge="Which deviation did the forward divide by? Does the backward use the same one?",
)
def backward_follows_eps(f: Asked, draw: Draw) -> None:
    """uses the deviation the forward divided by, with the eps it was given"""
    dy, x, gamma, beta, eps = dense_pair(draw, Problem(MANY, 3, eps=0.1, low=False))
    f.agrees((dy, 0.2 * x, gamma, beta, eps), within=ROUGHLY, only=("dx",))


@exercise.property(points=1, nudge="Which number divides the sums: N, N - 1, or D? Try a batch of three samples.")
def dx_is_right_to_rounding(f: Asked, draw: Draw) -> None:
    """is right to rounding for batches of any shape, also when N = D, and for a feature that hardly varies"""
    for problem in SHAPES:
        f.agrees(dense_pair(draw, problem), only=("dx",))


@exercise.property(
    points=1,
    needs="dx_follows_all_three_paths",
    nudge="Does any line of your backward write into dy, or into something that came out of the cache?",
)
def backward_leaves_dy_and_cache_alone(f: Asked, draw: Draw) -> None:
    """leaves dy, gamma and the cache as they were: a second call answers the same"""
    leaves_alone(f, dense_pair(draw, Problem(5, 3)))


# ------------------------------------------------------------------------------------------------------------ its steps

steps = exercise.in_steps(eps=EPS)


@steps.step
def N(at: Any) -> Any:
    """the number of samples"""
    return len(at.x)


@steps.step
def mean(at: Any) -> Any:
    """the mean of each feature, as in the forward"""
    return at.x.sum(axis=0) / len(at.x)


@steps.step
def centred(at: Any) -> Any:
    """x minus its mean, as in the forward"""
    return at.x - at.mean


@steps.step
def var(at: Any) -> Any:
    """the biased variance, as in the forward"""
    return (at.centred**2).sum(axis=0) / len(at.x)


@steps.step
def std(at: Any) -> Any:
    """the root of var + eps, as in the forward"""
    return np.sqrt(at.var + at.eps)


@steps.step
def x_hat(at: Any) -> Any:
    """the normalized x, as in the forward"""
    return at.centred / at.std


@steps.step
def inv_std(at: Any) -> Any:
    """one over the deviation, in the backward"""
    return 1.0 / at.std


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
def dvar(at: Any) -> Any:
    """minus half the sum of dx_hat times (x minus mean), over the cube of the deviation"""
    return -0.5 * (at.dx_hat * at.centred).sum(axis=0) * at.inv_std**3


@steps.step
def dmean(at: Any) -> Any:
    """minus the sum of dx_hat over the deviation"""
    return -at.dx_hat.sum(axis=0) * at.inv_std


@steps.step
def dx_direct(at: Any) -> Any:
    """dx_hat over the deviation: what x does by itself"""
    return at.dx_hat * at.inv_std


@steps.step
def dx_var(at: Any) -> Any:
    """dvar times 2 (x minus mean) / N: what x does through the variance"""
    return at.dvar * 2.0 * at.centred / at.N


@steps.step
def dx_mean(at: Any) -> Any:
    """dmean / N: what x does through the mean"""
    return at.dmean / at.N


@steps.step
def dx(at: Any) -> Any:
    """the sum of the three"""
    return at.dx_direct + at.dx_var + at.dx_mean


# -------------------------------------------------------------------------------------------------- paths of dx

MEAN, VARIANCE, CLOSED = "backward-mean-path", "backward-variance-path", "backward-closed-form"


@exercise.misconception(Kind.ERROR, CLOSED, step="dx", about="dmean dvar")
def statistics_held_constant(at: Any) -> Any:
    """You treat mean and variance as constants. In training they are computed from x, so each sample also acts through
    them on all others: two terms are missing, and your dx does not sum to 0. (At inference it would be right.)"""
    return at.dx_direct


@exercise.misconception(Kind.ERROR, MEAN, step="dx_mean", about="dmean")
def mean_path_missing(at: Any) -> Any:
    """You leave out the path through the mean. Each sample moves the mean by 1/N of itself, and the mean moves every
    output: without that term your dx does not sum to 0 over the batch."""
    return 0.0 * at.dmean


@exercise.misconception(Kind.ERROR, VARIANCE, step="dx_var", about="dvar")
def variance_path_missing(at: Any) -> Any:
    """You leave out the path through the variance. Your dx sums to 0, as it should, but it still stretches the batch
    along x_hat, a direction in which normalization hardly changes anything (nothing at all when eps = 0)."""
    return 0.0 * at.centred


@exercise.misconception(Kind.ERROR, VARIANCE, step="dx_var", about="dvar")
def variance_path_sign(at: Any) -> Any:
    """Your dx has the wrong sign in the term through the variance. A larger variance makes x_hat smaller: the
    derivative of (var + eps)^(-1/2) is negative."""
    return -2.0 * at.dvar * at.centred / at.N


@exercise.misconception(Kind.ERROR, MEAN, step="dx_mean", about="dmean")
def mean_path_sign(at: Any) -> Any:
    """Your dx has the wrong sign in the term through the mean. x_hat is x minus the mean, so the mean acts with a
    minus; with the plus your dx does not sum to 0."""
    return -at.dmean / at.N


@exercise.misconception(Kind.ERROR, VARIANCE, step="dx_var", about="dvar")
def variance_path_without_2(at: Any) -> Any:
    """Your term through the variance is half as large as it should be: the variance is a mean of squares, and the
    derivative of a square, (x - mean)², is 2 (x - mean). (Its 2 cancels the 1/2 of the root.)"""
    return at.dvar * at.centred / at.N


@exercise.misconception(Kind.ERROR, VARIANCE, step="dvar", about="dvar")
def variance_path_without_half(at: Any) -> Any:
    """Your term through the variance is twice as large as it should be: the derivative of (var + eps)^(-1/2) is -1/2
    times (var + eps)^(-3/2), and the 1/2 is missing. (It cancels the 2 of the square.)"""
    return -(at.dx_hat * at.centred).sum(axis=0) * at.inv_std**3


@exercise.misconception(Kind.ERROR, VARIANCE, step="dvar", about="dvar")
def variance_path_power(at: Any) -> Any:
    """You divide by the wrong power of the deviation in the term through the variance. The derivative of
    (var + eps)^(-1/2) has (var + eps)^(-3/2), the cube of the deviation; in the closed form that means x_hat twice, not
    x - mean."""
    return -0.5 * (at.dx_hat * at.centred).sum(axis=0) * at.inv_std


@exercise.another_way("variance_path_power", step="dvar")
def variance_path_squared(at: Any) -> Any:
    """Its square."""
    return -0.5 * (at.dx_hat * at.centred).sum(axis=0) * at.inv_std**2


@exercise.another_way("variance_path_power", step="dvar")
def variance_path_power_of_the_wrong_thing(at: Any) -> Any:
    """The exponent of var + eps, put on its root."""
    return -0.5 * (at.dx_hat * at.centred).sum(axis=0) * at.inv_std**1.5


@exercise.misconception(Kind.ERROR, MEAN, step="dx_mean", about="dmean")
def mean_path_without_N(at: Any) -> Any:
    """Your term through the mean lacks its 1/N: one sample moves the mean by only 1/N of itself. Yours grows with the
    batch, and dx does not sum to 0."""
    return at.dmean


@exercise.misconception(Kind.ERROR, VARIANCE, step="dx_var", about="dvar")
def variance_path_without_N(at: Any) -> Any:
    """Your term through the variance lacks its 1/N: the variance is a mean of squares, so one sample counts for 1/N.
    Yours grows with the batch."""
    return at.dvar * 2.0 * at.centred


@exercise.misconception(Kind.ERROR, VARIANCE, step="dx_var", about="x_hat")
def variance_path_without_x_hat(at: Any) -> Any:
    """You leave the sample's own x_hat out of the term through the variance (in the graph, its x - mean). It stands
    there twice: inside the sum, and once more in front of it. A sample at the mean does not move the variance at all,
    and yours does."""
    return -at.inv_std * (at.dx_hat * at.x_hat).mean(axis=0) * np.ones_like(at.x)


@exercise.another_way("variance_path_without_x_hat", step="dx_var")
def variance_path_without_centred(at: Any) -> Any:
    """In the graph."""
    return at.dvar * 2.0 / at.N * np.ones_like(at.x)


@exercise.misconception(Kind.ERROR, CLOSED, step="N", about="N")
def sums_not_averaged(at: Any) -> Any:
    """You subtract sums over the batch where dx has means: both terms, through the mean and through the variance, lack
    their 1/N and grow with the batch."""
    return 1.0


@exercise.misconception(Kind.ERROR, CLOSED, step="N", about="N")
def divides_by_N_minus_1(at: Any) -> Any:
    """You divide by N - 1 in both terms. The normalization uses the biased variance and the mean, both divided by N; N
    - 1 belongs to the running variance only. With N your dx sums to 0."""
    return len(at.x) - 1


@exercise.misconception(Kind.ERROR, VARIANCE, step="dx_var", about="N")
def variance_path_by_N_minus_1(at: Any) -> Any:
    """You divide by N - 1 in the term through the variance. The normalization uses the biased variance, divided by N;
    the unbiased one belongs to the running variance only."""
    return at.dvar * 2.0 * at.centred / (len(at.x) - 1)


@exercise.misconception(Kind.ERROR, CLOSED, step="N", about="N")
def divides_by_D(at: Any) -> Any:
    """You divide by D, the number of features, where N belongs, the number of samples: the sums run over the batch. The
    two agree only when N = D."""
    return at.x.shape[1]


@exercise.misconception(Kind.ERROR, CLOSED, step="dx", about="std gamma N")
def factor_on_the_first_term_only(at: Any) -> Any:
    """Your factor gamma / (std N) reaches only the first of the three terms of dx: put parentheses around
    N dy - sum(dy) - x_hat sum(dy x_hat), so that all three are multiplied."""
    return at.dx_direct - at.dy.sum(axis=0) - at.x_hat * (at.dy * at.x_hat).sum(axis=0)


@exercise.another_way("factor_on_the_first_term_only", step="dx")
def factor_on_the_first_term_only_of_means(at: Any) -> Any:
    """The same, with means."""
    return at.dx_direct - at.dy.mean(axis=0) - at.x_hat * (at.dy * at.x_hat).mean(axis=0)


@exercise.misconception(Kind.ERROR, CLOSED, step="dx", about="dmean dvar N")
def only_the_diagonal(at: Any) -> Any:
    """You multiply each dy by the derivative of its own y alone, the diagonal of the Jacobian. Every x moves *all*
    outputs of its feature, through mean and variance, so dx needs sums over the batch."""
    return at.dx_direct * (1.0 - 1.0 / at.N - at.x_hat**2 / at.N)


@exercise.misconception(Kind.ERROR, CLOSED, step="dx", about="dx")
def dx_is_zero(at: Any) -> Any:
    """Your dx is 0 everywhere. For dy = 1 that is right, since y then sums to the same whatever x is; a gradient check
    with loss = sum(y) sees no more. For any other dy it is not."""
    return 0.0 * at.x


# ------------------------------------------------------------------------------------------------- gamma and std in dx


@exercise.misconception(Kind.ERROR, "backward-parameters", step="dx_hat", about="gamma")
def gamma_missing(at: Any) -> Any:
    """You leave gamma out of dx. y is gamma x_hat + beta, so what comes back to x_hat is gamma times dy: with gamma = 0
    the loss would not depend on x at all, and your dx says it does."""
    return at.dy


@exercise.misconception(Kind.ERROR, "backward-parameters", step="dx_hat", about="gamma")
def gamma_twice(at: Any) -> Any:
    """You multiply by gamma twice on the way to dx: once for dx_hat, and once more. y is gamma x_hat + beta, so gamma
    comes in once."""
    return at.dy * at.gamma**2


@exercise.misconception(Kind.ERROR, CLOSED, step="inv_std", about="std")
def variance_for_deviation(at: Any) -> Any:
    """You divide by the variance where the deviation belongs, its root: x_hat was made by dividing by the deviation, so
    its derivative has 1/std."""
    return 1.0 / (at.var + at.eps)


@exercise.another_way("variance_for_deviation", step="dx")
def variance_for_deviation_in_closed_form(at: Any) -> Any:
    """Only the factor in front."""
    return (at.dx_direct + at.dx_var + at.dx_mean) / at.std


@exercise.misconception(Kind.ERROR, CLOSED, step="dx", about="std")
def stops_at_x_hat(at: Any) -> Any:
    """You do not divide by the deviation in dx. x_hat is (x - mean) / std, so a step of x moves x_hat by only 1/std of
    it: your dx is too large for a wide feature, too small for a narrow one."""
    return (at.dx_direct + at.dx_var + at.dx_mean) * at.std


@exercise.misconception(Kind.ERROR, "normalize-eps", step="inv_std", about="eps")
def eps_left_out_of_the_backward(at: Any) -> Any:
    """You leave eps out of the deviation in the backward. The forward divided by the root of var + eps, so its
    derivative has that root too: take it from the cache."""
    return 1.0 / np.sqrt(at.var)


@exercise.another_way("eps_left_out_of_the_backward", step="dx")
def eps_left_out_of_the_factor(at: Any) -> Any:
    """Only in the factor in front."""
    return (at.dx_direct + at.dx_var + at.dx_mean) * at.std / np.sqrt(at.var)


@exercise.misconception(Kind.ERROR, "normalize-eps", step="inv_std", about="eps")
def eps_outside_the_root(at: Any) -> Any:
    """You add eps to the standard deviation in the backward. The forward divided by the root of var + eps, with eps
    under the root, so its derivative has just that root: take it from the cache."""
    return 1.0 / (np.sqrt(at.var) + at.eps)


@exercise.another_way("eps_outside_the_root", step="dx")
def eps_outside_the_root_of_the_factor(at: Any) -> Any:
    """Only in the factor in front."""
    return (at.dx_direct + at.dx_var + at.dx_mean) * at.std / (np.sqrt(at.var) + at.eps)


# ---------------------------------------------------------------------------------------------- x for x_hat, axes


def closed_form(first: Callable[[Any], Any], second: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The closed form with something else for one or both of its x_hat."""

    def dx_of(at: Any) -> Any:
        projected = first(at) * (at.dy * second(at)).mean(axis=0)
        return at.gamma / at.std * (at.dy - at.dy.mean(axis=0) - projected)

    return dx_of


@exercise.misconception(Kind.ERROR, VARIANCE, step="dx", about="x_hat")
def x_for_x_hat(at: Any) -> Any:
    """You use x where x_hat belongs in the term through the variance. Adding a constant to x changes nothing in batch
    normalization, but it changes your dx."""
    return closed_form(lambda at: at.x, lambda at: at.x)(at)


exercise.another_way("x_for_x_hat", step="dx")(closed_form(lambda at: at.x, lambda at: at.x_hat))
exercise.another_way("x_for_x_hat", step="dx")(closed_form(lambda at: at.x_hat, lambda at: at.x))


@exercise.another_way("x_for_x_hat", step="dx_var")
def x_for_centred(at: Any) -> Any:
    """In the graph: the derivative of the variance without its mean."""
    return at.dvar * 2.0 * at.x / at.N


@exercise.another_way("x_for_x_hat", step="dvar")
def x_for_centred_in_dvar(at: Any) -> Any:
    """In the graph: the sum of dvar without the mean."""
    return -0.5 * (at.dx_hat * at.x).sum(axis=0) * at.inv_std**3


@exercise.misconception(Kind.ERROR, "backward-shapes", step="dx", about="dmean dvar axis")
def sums_along_axis_1(at: Any) -> Any:
    """You sum over axis 1, the features of a sample. Mean and variance belong to a feature, over the batch, so both
    sums of dx run over axis 0. (Over axis 1 it would be layer normalization.)"""
    means = at.dy.mean(axis=1, keepdims=True) + at.x_hat * (at.dy * at.x_hat).mean(axis=1, keepdims=True)
    return at.gamma / at.std * (at.dy - means)


@exercise.misconception(Kind.ERROR, "backward-shapes", step="dx", about="dmean dvar axis")
def sums_over_everything(at: Any) -> Any:
    """You average over the whole matrix in dx. Mean and variance belong to a feature, so each column has its own sums
    over the batch: axis 0 only."""
    return at.gamma / at.std * (at.dy - at.dy.mean() - at.x_hat * (at.dy * at.x_hat).mean())


# ------------------------------------------------------------------------------------------------- dgamma and dbeta

PARAMETERS = "backward-parameters"


@exercise.misconception(Kind.ERROR, PARAMETERS, step="dgamma", about="dgamma x")
def dgamma_with_x(at: Any) -> Any:
    """Your dgamma uses x where x_hat belongs: gamma multiplies x_hat, after the mean is gone and the deviation divided
    out. Adding a constant to x must not change dgamma; it changes yours."""
    return (at.dy * at.x).sum(axis=0)


@exercise.misconception(Kind.ERROR, PARAMETERS, step="dgamma", about="dgamma std")
def dgamma_with_centred_x(at: Any) -> Any:
    """Your dgamma uses x - mean where x_hat belongs: the division by the deviation is missing. x in other units must
    not change dgamma; it changes yours."""
    return (at.dy * at.centred).sum(axis=0)


@exercise.misconception(Kind.ERROR, PARAMETERS, step="dgamma", about="dgamma x_hat")
def dgamma_without_x_hat(at: Any) -> Any:
    """Your dgamma is the sum of dy alone, which is dbeta. gamma multiplies x_hat, so each dy counts x_hat times."""
    return at.dy.sum(axis=0)


@exercise.misconception(Kind.ERROR, PARAMETERS, step="dgamma", about="dgamma gamma")
def dgamma_times_gamma(at: Any) -> Any:
    """You multiply dgamma by gamma. The derivative of gamma x_hat by gamma is x_hat alone: sum dy times x_hat, not
    dx_hat times x_hat."""
    return (at.dy * at.x_hat).sum(axis=0) * at.gamma


@exercise.misconception(Kind.ERROR, PARAMETERS, step="dgamma", about="dgamma y")
def dgamma_with_y(at: Any) -> Any:
    """Your dgamma uses y where x_hat belongs: gamma multiplies x_hat, and y is what comes out after scale and shift."""
    return (at.dy * (at.gamma * at.x_hat + at.beta)).sum(axis=0)


@exercise.misconception(Kind.ERROR, PARAMETERS, step="dbeta", about="dbeta gamma")
def dbeta_times_gamma(at: Any) -> Any:
    """You multiply dbeta by gamma. beta is added after the multiplication, so its derivative is 1: dbeta is the sum of
    dy, not of dx_hat."""
    return (at.dy * at.gamma).sum(axis=0)


def combined(dgamma: Callable[[Any], Any], dbeta: Callable[[Any], Any]) -> Callable[..., Any]:
    """A backward with both parameters' gradients wrong, and dx right."""
    return exercise.from_steps({"dgamma": dgamma, "dbeta": dbeta})


@exercise.misconception(Kind.ERROR, PARAMETERS, step="dgamma", about="dgamma N")
def parameters_averaged(at: Any) -> Any:
    """You average over the batch in dgamma or dbeta. The loss is what dy says it is: if it is a mean over the batch, dy
    has its 1/N already, and the gradients of gamma and beta are plain sums over the samples."""
    return (at.dy * at.x_hat).mean(axis=0)


exercise.another_way("parameters_averaged", step="dbeta")(lambda at: at.dy.mean(axis=0))
exercise.another_way("parameters_averaged")(
    combined(lambda at: (at.dy * at.x_hat).mean(axis=0), lambda at: at.dy.mean(axis=0))
)
exercise.another_way("parameters_averaged")(
    exercise.from_steps(  # and the closed form made of them divides by N again
        {
            "dgamma": lambda at: (at.dy * at.x_hat).mean(axis=0),
            "dbeta": lambda at: at.dy.mean(axis=0),
            "dx": lambda at: at.gamma * at.inv_std * (at.dy - at.dbeta / at.N - at.x_hat * at.dgamma / at.N),
        }
    )
)


@exercise.misconception(Kind.ERROR, "backward-shapes", step="dgamma", about="dgamma axis")
def parameters_not_summed(at: Any) -> Any:
    """You do not sum over the batch in dgamma or dbeta. One gamma serves all N samples of its feature, so its gradient
    is the sum of what each of them says, and has gamma's shape, (D,)."""
    return at.dy * at.x_hat


exercise.another_way("parameters_not_summed", step="dbeta")(lambda at: at.dy)
exercise.another_way("parameters_not_summed")(combined(lambda at: at.dy * at.x_hat, lambda at: at.dy))


@exercise.misconception(Kind.ERROR, "backward-shapes", step="dgamma", about="dgamma axis")
def parameters_summed_along_axis_1(at: Any) -> Any:
    """You sum over axis 1, the features, in dgamma or dbeta. Each feature has its own gamma and beta, shared by the
    samples: sum over the batch, axis 0."""
    return (at.dy * at.x_hat).sum(axis=1)


exercise.another_way("parameters_summed_along_axis_1", step="dbeta")(lambda at: at.dy.sum(axis=1))
exercise.another_way("parameters_summed_along_axis_1")(
    combined(lambda at: (at.dy * at.x_hat).sum(axis=1), lambda at: at.dy.sum(axis=1))
)


@exercise.misconception(Kind.ERROR, "backward-shapes", step="dgamma", about="dgamma axis")
def parameters_summed_over_everything(at: Any) -> Any:
    """You sum dgamma or dbeta over the whole matrix, so one number comes out. Each feature has its own gamma and beta:
    sum over the batch only, axis 0."""
    return (at.dy * at.x_hat).sum()


exercise.another_way("parameters_summed_over_everything", step="dbeta")(lambda at: at.dy.sum())
exercise.another_way("parameters_summed_over_everything")(
    combined(lambda at: (at.dy * at.x_hat).sum(), lambda at: at.dy.sum())
)


# ---------------------------------------------------------------------------------------------------- what is agreed on


@exercise.misconception(Kind.CONTRACT, "backward-parameters", about="order")
def gradients_in_another_order(dy: Array, cache: Any) -> Any:
    """You return the gradients in another order. The exercise asks for (dx, dgamma, dbeta): the order of the forward's
    arguments, x, gamma, beta."""
    dx, dgamma, dbeta = right(dy, cache)
    return dx, dbeta, dgamma


def right(dy: Array, cache: Any) -> Any:
    """The right gradients."""
    return exercise.from_steps({})(dy, cache)


for order in ((1, 2, 0), (2, 1, 0), (1, 0, 2)):
    exercise.another_way("gradients_in_another_order")(
        lambda dy, cache, order=order: tuple(right(dy, cache)[n] for n in order)
    )


@exercise.misconception(Kind.CONTRACT, CLOSED, sentences.CHANGES_ITS_INPUT)
def changes_its_input(dy: Array, cache: Any) -> Any:
    """Works in place on dy."""
    gradients = right(dy, cache)
    dy *= cache.gamma
    return gradients


@exercise.misconception(Kind.CONTRACT, CLOSED)
def changes_the_cache(dy: Array, cache: Any) -> Any:
    """You change something in the cache, by an in-place operation. It is right the first time and wrong the second, as
    when a gradient check calls the backward again: make a new array."""
    gradients = right(dy, cache)
    cache.arguments = (cache.arguments[0] * 1.5, *cache.arguments[1:])
    return gradients


@exercise.misconception(Kind.CONTRACT, PARAMETERS)
def updates_the_parameters(dy: Array, cache: Any) -> Any:
    """You change gamma or beta inside the backward. It only says in which direction they should move; moving them is
    the optimizer's work, and who calls you twice would move them twice."""
    gradients = right(dy, cache)
    cache.gamma -= 0.1 * gradients[1]
    return gradients


# --------------------------------------------------------------------------------------------- what nobody foresaw

exercise.read(
    Reading(
        "dx",
        terms=(
            Term("direct", "the direct term, gamma/std · dy,", lambda at: at.dx_direct, CLOSED, "", "dx_hat dx_direct"),
            Term(
                "mean_path",
                "the term through the mean",
                lambda at: at.dx_mean,
                MEAN,
                "Each sample moves the mean by 1/N of itself, and the mean moves every output the other way.",
                "dmean dx_mean mean",
            ),
            Term(
                "variance_path",
                "the term through the variance",
                lambda at: at.dx_var,
                VARIANCE,
                "Each sample moves the variance by 2 (x - mean)/N, and a larger variance makes every x_hat smaller.",
                "dvar dx_var var",
            ),
        ),
        factors=(q.N, q.UNBIASED, q.D, q.GAMMA, q.STD, *q.EPS_ROOTS),
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
        factors=(q.N, q.UNBIASED, q.D, q.GAMMA, q.STD, *q.EPS_ROOTS),
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


@exercise.symptom(MEAN, about="dx")
def dx_does_not_sum_to_zero(at: Any, answer: Mapping[str, Array]) -> bool:
    """Your dx does not sum to 0 over the batch. Adding the same number to every sample changes nothing in batch
    normalization, so the right one always does: look which of its terms does not balance the others."""
    dx = answer["dx"]
    return bool(np.all(np.abs(dx.sum(axis=0)) <= 1e-6 * np.abs(dx).sum(axis=0)))


@exercise.symptom(VARIANCE, about="dx")
def dx_is_off_along_x_hat(at: Any, answer: Mapping[str, Array]) -> bool:
    """Your dx sums to 0, as it should, but multiplied by x_hat and summed it is not what it must be: gamma/std ·
    eps/(var + eps) times the sum of dy · x_hat, so nearly 0 when eps is small. Look at what comes through the
    variance."""
    expected = at.gamma / at.std * at.eps / (at.var + at.eps) * at.dgamma
    along = (answer["dx"] * at.x_hat).sum(axis=0)
    return bool(np.all(np.abs(along - expected) <= 1e-6 * np.abs(answer["dx"] * at.x_hat).sum(axis=0)))
