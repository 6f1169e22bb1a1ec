"""What is asked of `normalize_backward`, and how is it got wrong?

It has three partial gradients, one a road into x_hat. At the batch's own mean the further term that the paper of 2015
has in dmean, dvar · ∂var/∂mean, is zero: both ways of writing it are right.
"""

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
from ..forward.normalize import normalize
from ..inputs import EPS, MANY, ROUGHLY, SHAPES, leaves_alone
from ..reading import Reading, Term
from .layer_inputs import of_normalize, scale_of_normalize_backward

DIRECT, MEAN, VARIANCE = "backward-normalize", "backward-mean-path", "backward-variance-path"
ONE_THREE = np.array([[1.0], [3.0]])
ONE, TWO = np.array([1.0]), np.array([2.0])

normalize_backward = Exercise(
    Signature(
        "normalize_backward",
        ("dx_hat", "x", "mean", "var", "eps"),
        ("dx_direct", "dmean", "dvar"),
        reference.normalize_backward,
    ),
    problem=of_normalize,
    scale=scale_of_normalize_backward,
    section=DIRECT,
    smallest=(
        (np.array([[0.0], [8.0]]), ONE_THREE, TWO, ONE, 3.0),
        (np.array([[0.0], [1.0]]), np.array([[1.0], [1.002]]), 1.001 * ONE, 1e-6 * ONE),
        (
            np.array([[0.0, 8.0], [8.0, 4.0]]),
            np.array([[1.0, 4.0], [3.0, 8.0]]),
            np.array([2.0, 6.0]),
            np.array([1.0, 4.0]),
            3.0,
        ),
        (
            np.array([[0.0, 8.0], [8.0, 4.0], [4.0, 0.0]]),
            np.array([[1.0, 4.0], [3.0, 8.0], [2.0, 6.0]]),
            np.array([2.0, 6.0]),
            np.array([2 / 3, 8 / 3]),
            3.0,
        ),
    ),
    whole_probes=(),
)
"""Without ``axes``: a batch made shorter would no longer have this mean and this variance."""
exercise = normalize_backward


@exercise.property(points=1, nudge="Which shapes have x, mean and var? A gradient has the shape of what it is for.")
def partials_have_three_shapes(f: Asked, draw: Draw) -> None:
    """answers with (dx_direct, dmean, dvar), in the shapes of x, mean and var"""
    f(of_normalize(draw, Problem(7, 3)))


@exercise.property(points=1, nudge="With mean and var held still: if one x grows by a little, by how much does x_hat?")
def dx_direct_divides_by_the_deviation(f: Asked, draw: Draw) -> None:
    """gives as dx_direct dx_hat over the deviation, mean and var held still"""
    f.agrees(of_normalize(draw, Problem(MANY, 3, low=False)), within=ROUGHLY, only=("dx_direct",))


@exercise.property(
    points=2,
    section=MEAN,
    nudge="If the mean of a feature grows by a little, which x_hat change, in which direction and by how much?",
)
def dmean_adds_up_over_the_batch(f: Asked, draw: Draw) -> None:
    """gives as dmean minus the sum of dx_hat over the deviation"""
    f.agrees(of_normalize(draw, Problem(MANY, 3, low=False)), within=ROUGHLY, only=("dmean",))


@exercise.property(
    points=3,
    section=VARIANCE,
    nudge="What is the derivative of (var + eps)^(-1/2) by var? And what stands before it in each x_hat?",
)
def dvar_adds_up_over_the_batch(f: Asked, draw: Draw) -> None:
    """gives as dvar minus half the sum of dx_hat times (x minus mean), over the cube of the deviation"""
    f.agrees(of_normalize(draw, Problem(MANY, 3, low=False)), within=ROUGHLY, only=("dvar",))


@exercise.property(
    points=1, section="normalize-eps", nudge="By what did the forward divide, with the eps it was given?"
)
def partials_follow_eps(f: Asked, draw: Draw) -> None:
    """uses the deviation that the forward divides by, with the eps it was given"""
    for problem in (Problem(7, 3, eps=0.1), Problem(4, 4, eps=0.2), Problem(3, 5, eps=0.3)):
        f.agrees(of_normalize(draw, problem))


@exercise.property(points=1, section="normalize-eps", nudge="What is eps in your function when nobody gives one?")
def partials_default_eps(f: Asked, draw: Draw) -> None:
    """uses eps = 1e-5 when none is given"""
    f.agrees(of_normalize(draw, SHAPES[1]))


@exercise.property(points=1, needs="dx_direct_divides_by_the_deviation", nudge="Does any line write into dx_hat or x?")
def normalize_backward_leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves dx_hat, x, mean and var as they were"""
    leaves_alone(f, of_normalize(draw, Problem(5, 3)))


steps = exercise.in_steps(eps=EPS)


@steps.step
def N(at: Any) -> Any:
    """the number of samples"""
    return len(at.x)


@steps.step
def centred(at: Any) -> Any:
    """x minus its mean"""
    return at.x - at.mean


@steps.step
def std(at: Any) -> Any:
    """the root of var + eps, as in the forward"""
    return np.sqrt(at.var + at.eps)


@steps.step
def dx_direct(at: Any) -> Any:
    """dx_hat over the deviation"""
    return at.dx_hat / at.std


@steps.step
def dmean(at: Any) -> Any:
    """minus the sum over the batch of dx_hat, over the deviation"""
    return -at.dx_hat.sum(axis=0) / at.std


@steps.step
def dvar(at: Any) -> Any:
    """minus half the sum over the batch of dx_hat times (x minus mean), over the cube of the deviation"""
    return -0.5 * (at.dx_hat * at.centred).sum(axis=0) / at.std**3


exercise.copy(
    normalize,
    "eps_outside_the_root",
    "eps_missing",
    "eps_squared",
    "eps_subtracted",
    "eps_ignored",
    "default_eps_of_keras",
)


@exercise.misconception(Kind.ERROR, DIRECT, step="std", about="std eps")
def variance_for_deviation(at: Any) -> Any:
    """You divide by the variance where the deviation belongs, its root: x_hat was made by dividing by the root of var +
    eps, so dx_direct and dmean have 1/std, and dvar its cube."""
    return at.var + at.eps


@exercise.another_way("variance_for_deviation", step="dx_direct")
def variance_for_deviation_in_dx(at: Any) -> Any:
    """Only there."""
    return at.dx_hat / (at.var + at.eps)


@exercise.another_way("variance_for_deviation", step="dmean")
def variance_for_deviation_in_dmean(at: Any) -> Any:
    """Only there."""
    return -at.dx_hat.sum(axis=0) / (at.var + at.eps)


# ------------------------------------------------------------------------------------------------------- dx_direct


@exercise.misconception(Kind.ERROR, DIRECT, step="dx_direct", about="dx std")
def dx_direct_not_divided(at: Any) -> Any:
    """You pass dx_hat on as dx_direct. x_hat is (x - mean) / std, so a step of x moves x_hat by only 1/std of it:
    divide by the deviation."""
    return at.dx_hat


@exercise.misconception(Kind.ERROR, DIRECT, step="dx_direct", about="dx std")
def multiplies_by_the_deviation(at: Any) -> Any:
    """You multiply by the deviation in dx_direct. The backward does not undo the forward: x_hat grows 1/std as fast as
    x, so the gradient is divided by it, too."""
    return at.dx_hat * at.std


@exercise.misconception(Kind.ERROR, DIRECT, step="dx_direct", about="dx dmean dvar")
def all_three_paths_in_dx_direct(at: Any) -> Any:
    """You put the paths through mean and variance into dx_direct already. Here x, mean and var count as three separate
    inputs: dx_direct holds the other two still, and what goes through them is told apart, as dmean and dvar."""
    return at.dx_hat / at.std + (
        -at.dx_hat.sum(axis=0) / at.std - at.centred * (at.dx_hat * at.centred).sum(axis=0) / at.std**3
    ) / len(at.x)


# ----------------------------------------------------------------------------------------------------------- dmean


@exercise.misconception(Kind.ERROR, MEAN, step="dmean")
def dmean_sign(at: Any) -> Any:
    """Your dmean has the wrong sign. x_hat is x minus the mean, over the deviation: a larger mean makes every x_hat
    smaller, so dmean is minus a sum."""
    return at.dx_hat.sum(axis=0) / at.std


@exercise.misconception(Kind.ERROR, MEAN, step="dmean")
def dmean_not_divided(at: Any) -> Any:
    """You do not divide by the deviation in dmean. x_hat is (x - mean) / std, so a step of the mean moves each x_hat by
    only 1/std of it."""
    return -at.dx_hat.sum(axis=0)


@exercise.misconception(Kind.ERROR, MEAN, step="dmean", about="dmean x")
def extra_term_with_x(at: Any) -> Any:
    """You add to dmean a term through the variance in which x stands for x - mean. The derivative of the variance by
    the mean is -2/N times the sum of x - mean, which is zero: leave the term out, or centre x in it."""
    dvar = -0.5 * (at.dx_hat * at.centred).sum(axis=0) / at.std**3
    return -at.dx_hat.sum(axis=0) / at.std - 2.0 * dvar * at.x.mean(axis=0)


@exercise.another_way("extra_term_with_x", step="dmean")
def extra_term_with_the_sum_of_x(at: Any) -> Any:
    """Without 1/N."""
    dvar = -0.5 * (at.dx_hat * at.centred).sum(axis=0) / at.std**3
    return -at.dx_hat.sum(axis=0) / at.std - 2.0 * dvar * at.x.sum(axis=0)


# ------------------------------------------------------------------------------------------------------------ dvar


@exercise.misconception(Kind.ERROR, VARIANCE, step="dvar")
def dvar_sign(at: Any) -> Any:
    """Your dvar has the wrong sign. A larger variance makes x_hat smaller: the derivative of (var + eps)^(-1/2) is
    negative."""
    return 0.5 * (at.dx_hat * at.centred).sum(axis=0) / at.std**3


@exercise.misconception(Kind.ERROR, VARIANCE, step="dvar")
def dvar_without_half(at: Any) -> Any:
    """Your dvar is twice as large as it should be: the derivative of (var + eps)^(-1/2) is -1/2 times (var +
    eps)^(-3/2), and the 1/2 is missing."""
    return -(at.dx_hat * at.centred).sum(axis=0) / at.std**3


@exercise.misconception(Kind.ERROR, VARIANCE, step="dvar", about="dvar std")
def dvar_power(at: Any) -> Any:
    """You divide by the wrong power of the deviation in dvar. The derivative of (var + eps)^(-1/2) has (var +
    eps)^(-3/2), the cube of the deviation."""
    return -0.5 * (at.dx_hat * at.centred).sum(axis=0) / at.std


@exercise.another_way("dvar_power", step="dvar")
def dvar_squared(at: Any) -> Any:
    """Its square."""
    return -0.5 * (at.dx_hat * at.centred).sum(axis=0) / at.std**2


@exercise.another_way("dvar_power", step="dvar")
def dvar_power_of_the_wrong_thing(at: Any) -> Any:
    """The exponent of var + eps, put on its root."""
    return -0.5 * (at.dx_hat * at.centred).sum(axis=0) / at.std**1.5


@exercise.another_way("dvar_power", step="dvar")
def dvar_fourth(at: Any) -> Any:
    """x_hat, and the cube beside it."""
    return -0.5 * (at.dx_hat * at.centred).sum(axis=0) / at.std**4


@exercise.misconception(Kind.ERROR, VARIANCE, step="dvar", about="dvar std")
def derivative_by_the_deviation(at: Any) -> Any:
    """You differentiate by the deviation. That is half of the way to the variance: the deviation is the root of var +
    eps, whose derivative 1 / (2 std) is still to come."""
    return -(at.dx_hat * at.centred).sum(axis=0) / at.std**2


@exercise.misconception(Kind.ERROR, VARIANCE, step="dvar", about="dvar x")
def dvar_with_x(at: Any) -> Any:
    """Your dvar uses x where x - mean belongs. Adding the same number to all of x, and to its mean, changes no x_hat;
    it changes your dvar."""
    return -0.5 * (at.dx_hat * at.x).sum(axis=0) / at.std**3


@exercise.misconception(Kind.ERROR, VARIANCE, step="dvar", about="dvar x")
def dvar_without_x(at: Any) -> Any:
    """Your dvar leaves x - mean out. x_hat is (x - mean) times (var + eps)^(-1/2), and the factor in front stays when
    you differentiate by var: a sample at the mean does not feel the variance at all."""
    return -0.5 * at.dx_hat.sum(axis=0) / at.std**3


# ------------------------------------------------------------------------------------------------------------ sums

AVERAGED = """You average over the batch in dmean or dvar. They are gradients of the loss by mean and by var, each
shared by all samples, so what the samples say is added up. The 1/N comes later, when mean and var are traced back to
x."""

NOT_SUMMED = """You do not sum over the batch in dmean or dvar. One mean and one variance serve all N samples of their
feature, so their gradients are sums over the samples, of shape (D,)."""

ALONG_AXIS_1 = """You sum over axis 1, the features, in dmean or dvar. Each feature has its own mean and variance,
shared by the samples: sum over the batch, axis 0."""

OVER_EVERYTHING = """You sum over the whole matrix in dmean or dvar, so one number comes out. Each feature has its own
mean and variance: sum over the batch only, axis 0."""

SUMS = {
    "partials_averaged": (DIRECT, AVERAGED, lambda array: array.mean(axis=0)),
    "partials_not_summed": ("backward-shapes", NOT_SUMMED, lambda array: array),
    "partials_summed_along_axis_1": ("backward-shapes", ALONG_AXIS_1, lambda array: array.sum(axis=1, keepdims=True)),
    "partials_summed_over_everything": ("backward-shapes", OVER_EVERYTHING, lambda array: array.sum()),
}
for identifier, (section, sentence, summed) in SUMS.items():

    def wrong_dmean(at: Any, summed: Any = summed) -> Any:
        """The sum in dmean."""
        return -summed(at.dx_hat / at.std)

    def wrong_dvar(at: Any, summed: Any = summed) -> Any:
        """The sum in dvar."""
        return -0.5 * summed(at.dx_hat * at.centred / at.std**3)

    both = exercise.from_steps({"dmean": wrong_dmean, "dvar": wrong_dvar})
    both.__name__ = identifier
    exercise.misconception(Kind.ERROR, section, " ".join(sentence.split()), about="dmean dvar axis")(both)
    exercise.another_way(identifier, step="dmean")(wrong_dmean)
    exercise.another_way(identifier, step="dvar")(wrong_dvar)


@exercise.another_way("partials_summed_along_axis_1")
def along_axis_1_without_keepdims(dx_hat: Array, x: Array, mean: Array, var: Array, eps: float = EPS) -> Any:
    """A number for each sample."""
    std = np.sqrt(var + eps)
    return dx_hat / std, -(dx_hat / std).sum(axis=1), -0.5 * (dx_hat * (x - mean) / std**3).sum(axis=1)


# ------------------------------------------------------------------------------------------------- what is agreed on


@exercise.misconception(Kind.CONTRACT, DIRECT, about="order")
def partials_in_another_order(dx_hat: Array, x: Array, mean: Array, var: Array, eps: float = EPS) -> Any:
    """You return the gradients in another order. The exercise asks for (dx_direct, dmean, dvar): the order of the
    forward's arguments, x, mean, var."""
    dx_direct, dmean, dvar = reference.normalize_backward(dx_hat, x, mean, var, eps)
    return dx_direct, dvar, dmean


@exercise.another_way("partials_in_another_order")
def dvar_first(dx_hat: Array, x: Array, mean: Array, var: Array, eps: float = EPS) -> Any:
    """As a backward meets them."""
    dx_direct, dmean, dvar = reference.normalize_backward(dx_hat, x, mean, var, eps)
    return dvar, dmean, dx_direct


@exercise.misconception(Kind.CONTRACT, DIRECT, sentences.CHANGES_ITS_INPUT)
def changes_its_input(dx_hat: Array, x: Array, mean: Array, var: Array, eps: float = EPS) -> Any:
    """Works in place on dx_hat and x."""
    std = np.sqrt(var + eps)
    x -= mean
    dvar = -0.5 * (dx_hat * x).sum(axis=0) / std**3
    dx_hat /= std
    return dx_hat, -dx_hat.sum(axis=0), dvar


# ----------------------------------------------------------------------------------------------- what nobody foresaw

FACTORS = (q.N, q.UNBIASED, q.D, q.STD, q.EPS, *q.EPS_ROOTS)

exercise.read(
    Reading(
        "dx_direct",
        terms=(
            Term("dx_hat", "the term dx_hat / std", lambda at: at.dx_hat / at.std, DIRECT, "", "dx std"),
            Term(
                "mean_path",
                "a term through the mean",
                lambda at: -at.dx_hat.sum(axis=0) / at.std / at.N,
                DIRECT,
                "What goes through the mean is told apart, as dmean.",
                "dx dmean",
                foreign=True,
            ),
            Term(
                "variance_path",
                "a term through the variance",
                lambda at: -at.centred * (at.dx_hat * at.centred).sum(axis=0) / at.std**3 / at.N,
                DIRECT,
                "What goes through the variance is told apart, as dvar.",
                "dx dvar",
                foreign=True,
            ),
        ),
        factors=FACTORS,
    )
)
exercise.read(
    Reading(
        "dmean",
        terms=(
            Term("dx_hat", "the sum of dx_hat / std", lambda at: at.dmean, MEAN, "", "dmean std"),
            Term(
                "dvar",
                "a multiple of dvar",
                lambda at: at.dvar,
                MEAN,
                "The derivative of the variance by the mean is zero at the batch's own mean.",
                "dmean dvar",
                foreign=True,
            ),
        ),
        factors=FACTORS,
        vary=("dx_hat",),
    )
)
exercise.read(
    Reading(
        "dvar",
        terms=(
            Term("centred", "the sum of dx_hat · (x - mean)", lambda at: at.dvar, VARIANCE, "", "dvar std"),
            Term(
                "dx_hat",
                "a multiple of the sum of dx_hat",
                lambda at: at.dx_hat.sum(axis=0),
                VARIANCE,
                "Only the distance from the mean is stretched by the variance.",
                "dvar x",
                foreign=True,
            ),
        ),
        factors=FACTORS,
        vary=("dx_hat",),
    )
)
