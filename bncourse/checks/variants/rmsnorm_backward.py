"""What is asked of `rmsnorm_backward`, and how is it got wrong?

dx has two terms: the direct one and one through the mean square. No mean was subtracted, so no mean comes back.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ... import functional as reference
from ..answers import Array
from ..asking import Asked, Refused
from ..calling import Signature
from ..draw import Draw
from ..exercise import Exercise, Kind, Problem
from ..inputs import EPS, ROUGHLY, SHAPES, leaves_alone
from ..reading import Reading, Term
from . import gradients
from .inputs import MANY_FEATURES, rms_pair, scale_of_rms_pair
from .rmsnorm_forward import RMS_FACTORS, rmsnorm_forward
from .statistics import Words

WORDS = Words("RMS normalization", "sample", "features", "D", "rms-norm")

ONE = np.ones(1)
FIRST = np.array([[1.0, 0.0]])
ONE_SEVEN = np.array([[1.0, 7.0]])  # mean square 25

rmsnorm_backward = Exercise(
    Signature("rmsnorm_backward", ("dy", "x", "gamma", "eps"), ("dx", "dgamma"), reference.rmsnorm_backward),
    problem=rms_pair,
    scale=scale_of_rms_pair,
    smallest=(
        (2 * np.ones((1, 1)), np.ones((1, 1)), ONE, 3.0),
        (2 * np.ones((1, 1)), np.ones((1, 1)), 2 * ONE, 3.0),
        (FIRST, np.ones((1, 2)), np.ones(2), 3.0),
        (25 * FIRST, ONE_SEVEN, np.ones(2), 0.0),
        (25 * FIRST, ONE_SEVEN, np.array([2.0, 1.0]), 11.0),
        (np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 7.0], [1.0, 1.0]]), np.array([2.0, 1.0]), 0.0),
    ),
    section="rms-norm",
    axes={"dy": "ND", "x": "ND", "gamma": "D"},
    forward=rmsnorm_forward,
    whole_probes=(),
)
exercise = rmsnorm_backward


@exercise.property(points=0.5, nudge="Which shapes have x and gamma? A gradient has the shape of what it is for.")
def gradients_have_the_shapes_of_their_inputs(f: Asked, draw: Draw) -> None:
    """answers with (dx, dgamma), in the shapes of x and gamma"""
    f(rms_pair(draw, Problem(7, 3)))


@exercise.property(
    points=1.5,
    section="backward-parameters",
    nudge="By which number is gamma multiplied in each y? And who shares one gamma, the features or the samples?",
)
def dgamma_adds_up_dy_x_hat(f: Asked, draw: Draw) -> None:
    """gives as dgamma the sum of dy times x_hat over the samples, also when N = D"""
    for problem in SHAPES[:2]:
        f.agrees(rms_pair(draw, problem), only=("dgamma",))


@exercise.property(points=1, nudge="Double a sample: does y change (eps = 0)? Then what is dx multiplied by x, summed?")
def dx_is_orthogonal_to_x(f: Asked, draw: Draw) -> None:
    """gives a dx, not zero itself, that is orthogonal to x in each sample when eps = 0"""
    arguments = (*rms_pair(draw, Problem(7, 3, low=False)), 0.0)
    dx, x, scale = f(arguments, only=("dx",))["dx"], arguments[1], scale_of_rms_pair(arguments)["dx"]
    along = (dx * x).sum(axis=1)
    if not np.any(np.abs(dx) > 1e-6 * scale):
        raise Refused("Your dx is 0 everywhere.")
    if not np.all(np.abs(along) <= 1e-4 * np.abs(dx * x).max(axis=1)):
        raise Refused(f"The rows of dx · x sum to {np.array2string(along, precision=4)} at eps = 0, expected zeros.")


@exercise.property(
    points=2.5,
    nudge="On how many roads does one x reach the loss? Over which axis does the sum of the second one run, and is "
    "gamma the same along it?",
)
def dx_follows_both_paths(f: Asked, draw: Draw) -> None:
    """gives as dx the direct term and that through the mean square, with gamma inside its sum"""
    f.agrees(rms_pair(draw, MANY_FEATURES), within=ROUGHLY, only=("dx",))


@exercise.property(
    points=0.5,
    section="normalize-eps",
    nudge="Which root did the forward divide by? Does the backward use the same one?",
)
def backward_follows_eps(f: Asked, draw: Draw) -> None:
    """uses the root the forward divided by, with the eps it was given"""
    dy, x, gamma = rms_pair(draw, MANY_FEATURES)
    f.agrees((dy, 0.2 * x, gamma, 0.1), within=ROUGHLY, only=("dx",))


@exercise.property(points=0.5, nudge="Which number divides the sum: D, or N? Try one sample of three features.")
def dx_is_right_to_rounding(f: Asked, draw: Draw) -> None:
    """is right to rounding for any shape, also when N = D, and for a small sample"""
    for problem in SHAPES:
        f.agrees(rms_pair(draw, problem), only=("dx",))


@exercise.property(
    points=0.5,
    needs="dx_follows_both_paths",
    nudge="Does any line of your backward write into dy, or into something that came out of the cache?",
)
def backward_leaves_dy_and_cache_alone(f: Asked, draw: Draw) -> None:
    """leaves dy, gamma and the cache as they were: a second call answers the same"""
    leaves_alone(f, rms_pair(draw, Problem(5, 3)))


# ------------------------------------------------------------------------------------------------------------ its steps

steps = exercise.in_steps(eps=EPS)


@steps.step
def D(at: Any) -> Any:
    """the number of features"""
    return at.x.shape[1]


@steps.step
def mean_square(at: Any) -> Any:
    """the mean of the squares of each sample, as in the forward"""
    return (at.x**2).sum(axis=1, keepdims=True) / at.x.shape[1]


@steps.step
def rms(at: Any) -> Any:
    """the root of mean_square + eps, as in the forward"""
    return np.sqrt(at.mean_square + at.eps)


@steps.step
def x_hat(at: Any) -> Any:
    """x over rms, as in the forward"""
    return at.x / at.rms


@steps.step
def inv_rms(at: Any) -> Any:
    """one over rms, in the backward"""
    return 1.0 / at.rms


@steps.step
def dx_hat(at: Any) -> Any:
    """dy times gamma"""
    return at.dy * at.gamma


@steps.step
def dgamma(at: Any) -> Any:
    """the sum over the samples of dy times x_hat"""
    return (at.dy * at.x_hat).sum(axis=0)


@steps.step
def dmean_square(at: Any) -> Any:
    """minus half the sum over the features of dx_hat times x, over the cube of rms"""
    return -0.5 * over_features(at.dx_hat * at.x) * at.inv_rms**3


@steps.step
def dx_direct(at: Any) -> Any:
    """dx_hat over rms: what x does by itself"""
    return at.dx_hat * at.inv_rms


@steps.step
def dx_mean_square(at: Any) -> Any:
    """dmean_square times 2 x / D: what x does through the mean square"""
    return at.dmean_square * 2.0 * at.x / at.D


@steps.step
def dx(at: Any) -> Any:
    """the direct term and that through the mean square, added up"""
    return at.dx_direct + at.dx_mean_square


def over_features(values: Array) -> Any:
    """The sum of each sample, (N, 1)."""
    return values.sum(axis=1, keepdims=True)


def closed_form(at: Any, dx_hat: Any, along: Any) -> Any:
    """The closed form, with whatever for dx_hat and for the mean of dx_hat · x_hat."""
    return (dx_hat - at.x_hat * along) / at.rms


def average(values: Array) -> Any:
    """The mean of each sample, (N, 1)."""
    return values.mean(axis=1, keepdims=True)


# -------------------------------------------------------------------------------------------------------- paths of dx


@exercise.misconception(Kind.ERROR, "rms-norm", step="dx", about="dmean_square")
def mean_square_held_constant(at: Any) -> Any:
    """You treat the root mean square as a constant. It is computed from x, so each feature also acts through it on all
    others of its sample: the second term is missing. Doubling a sample hardly changes y, and your dx says it does."""
    return at.dx_direct


@exercise.misconception(Kind.ERROR, "rms-norm", step="dx", about="dmean")
def mean_path_kept(at: Any) -> Any:
    """You subtract the mean of dx_hat, as in the backward of layer normalization. In RMS normalization no mean was
    subtracted, so nothing comes back through one: dx has two terms, not three."""
    return at.dx_direct + at.dx_mean_square - average(at.dx_hat) * at.inv_rms


@exercise.another_way("mean_path_kept", step="dx")
def takes_the_mean_away_at_the_end(at: Any) -> Any:
    """Of all of dx."""
    whole = at.dx_direct + at.dx_mean_square
    return whole - average(whole)


@exercise.another_way("mean_path_kept", step="dx")
def takes_the_mean_of_dy_away(at: Any) -> Any:
    """Without gamma."""
    return at.dx_direct + at.dx_mean_square - average(at.dy) * at.inv_rms


@exercise.misconception(Kind.ERROR, "rms-norm", step="dx_mean_square", about="dmean_square")
def mean_square_path_sign(at: Any) -> Any:
    """Your term through the mean square has the wrong sign. A larger mean square makes x_hat smaller: the derivative of
    (mean(x²) + eps)^(-1/2) is negative."""
    return -2.0 * at.dmean_square * at.x / at.D


@exercise.misconception(Kind.ERROR, "rms-norm", step="dx_mean_square", about="dmean_square")
def mean_square_path_without_2(at: Any) -> Any:
    """Your term through the mean square is half as large as it should be: the derivative of a square, x², is 2 x. Its 2
    cancels the 1/2 of the root."""
    return at.dmean_square * at.x / at.D


@exercise.misconception(Kind.ERROR, "rms-norm", step="dmean_square")
def mean_square_path_without_half(at: Any) -> Any:
    """Your term through the mean square is twice as large as it should be: the derivative of (mean(x²) + eps)^(-1/2) is
    -1/2 times (mean(x²) + eps)^(-3/2), and the 1/2 is missing. It cancels the 2 of the square."""
    return -over_features(at.dx_hat * at.x) * at.inv_rms**3


@exercise.misconception(Kind.ERROR, "rms-norm", step="dmean_square", about="dmean_square x_hat rms")
def mean_square_path_power(at: Any) -> Any:
    """Your term through the mean square has the wrong power of rms: x where x_hat belongs, or a 1/rms that reaches only
    the other term. In the closed form x_hat stands there twice, and 1/rms in front of both terms."""
    return -0.5 * over_features(at.dx_hat * at.x) * at.inv_rms  # x twice


@exercise.another_way("mean_square_path_power", step="dmean_square")
def mean_square_path_squared(at: Any) -> Any:
    """x once, or 1/rms in front of the first term only: the same."""
    return -0.5 * over_features(at.dx_hat * at.x) * at.inv_rms**2


@exercise.misconception(Kind.ERROR, "rms-norm", step="D", about="N")
def sums_not_averaged(at: Any) -> Any:
    """You subtract a sum over the features where dx has a mean: the term through the mean square lacks its 1/D and
    grows with the number of features."""
    return 1.0


@exercise.misconception(Kind.ERROR, "rms-norm", step="D", about="N")
def divides_by_another_number(at: Any) -> Any:
    """You divide the sum of dx by another number than D. The mean square of the forward is a sum over the D features of
    one sample, divided by D, and so is its derivative; N and D - 1 have no place in it."""
    return len(at.x)


exercise.another_way("divides_by_another_number", step="D")(lambda at: at.x.shape[1] - 1)


@exercise.misconception(Kind.ERROR, "rms-norm", step="dx", about="dmean_square N")
def only_the_diagonal(at: Any) -> Any:
    """You multiply each dy by the derivative of its own y alone, the diagonal of the Jacobian. Every x moves *all*
    outputs of its sample, through the mean square, so dx needs a sum over the features."""
    return at.dx_direct * (1.0 - at.x_hat**2 / at.x.shape[1])


@exercise.misconception(Kind.ERROR, "rms-norm", step="dx")
def dx_is_zero(at: Any) -> Any:
    """Your dx is 0 everywhere, as if the loss did not depend on x. Only the length of a sample is taken out; along all
    other directions y moves with x."""
    return 0.0 * at.x


# ------------------------------------------------------------------------------------------------------- gamma and rms


@exercise.misconception(Kind.ERROR, "backward-parameters", step="dx_hat", about="gamma")
def gamma_missing(at: Any) -> Any:
    """You leave gamma out of dx. y is gamma x_hat, so what comes back to x_hat is gamma times dy: with gamma = 0 the
    loss would not depend on x at all, and your dx says it does."""
    return at.dy


@exercise.misconception(Kind.ERROR, "backward-parameters", step="dx_hat", about="gamma")
def gamma_twice(at: Any) -> Any:
    """You multiply by gamma twice on the way to dx: once for dx_hat, and once more. y is gamma x_hat, so gamma comes in
    once."""
    return at.dy * at.gamma**2


@exercise.another_way("gamma_twice", step="dx")
def gamma_once_more_in_front(at: Any) -> Any:
    """On dx."""
    return at.gamma * (at.dx_direct + at.dx_mean_square)


@exercise.misconception(Kind.ERROR, "gamma-inside", step="dx", about="gamma dmean_square")
def gamma_outside_the_sums(at: Any) -> Any:
    """You pull gamma out of the sum of dx. In batch normalization one gamma belongs to all that is summed, so it may
    stand in front; here it varies along the features of a sample and has to stay inside: sum gamma times dy times
    x_hat."""
    return at.gamma * closed_form(at, at.dy, average(at.dy * at.x_hat))


@exercise.misconception(Kind.ERROR, "gamma-inside", step="dmean_square", about="gamma dmean_square")
def gamma_missing_in_the_sums(at: Any) -> Any:
    """You forget gamma in the sum of dx. What is summed is dx_hat times x, and dx_hat is gamma times dy: make dx_hat
    first, and use only that."""
    return -0.5 * over_features(at.dy * at.x) * at.inv_rms**3


@exercise.misconception(Kind.ERROR, "rms-norm", step="inv_rms", about="rms")
def mean_square_for_its_root(at: Any) -> Any:
    """You divide by the mean square where its root belongs: x_hat was made by dividing by the root, so its derivative
    has 1/rms."""
    return 1.0 / (at.mean_square + at.eps)


exercise.another_way("mean_square_for_its_root", step="dx")(lambda at: (at.dx_direct + at.dx_mean_square) / at.rms)


@exercise.misconception(Kind.ERROR, "rms-norm", step="dx", about="rms")
def stops_at_x_hat(at: Any) -> Any:
    """You do not divide by the root mean square in dx. x_hat is x / rms, so a step of x moves x_hat by only 1/rms
    of it: your dx is too large for a large sample, too small for a small one."""
    return (at.dx_direct + at.dx_mean_square) * at.rms


@exercise.misconception(Kind.ERROR, "normalize-eps", step="inv_rms", about="eps")
def eps_left_out_of_the_backward(at: Any) -> Any:
    """You leave eps out of the root in the backward. The forward divided by the root of the mean square plus eps,
    so its derivative has that root too: take it from the cache."""
    return 1.0 / np.sqrt(at.mean_square)


exercise.another_way("eps_left_out_of_the_backward", step="dx")(
    lambda at: (at.dx_direct + at.dx_mean_square) * at.rms / np.sqrt(at.mean_square)
)


@exercise.another_way("eps_left_out_of_the_backward", step="dmean_square")
def eps_left_out_of_the_square(at: Any) -> Any:
    """By dividing by the sum of squares itself."""
    return -0.5 * over_features(at.dx_hat * at.x) * at.inv_rms / at.mean_square


@exercise.misconception(Kind.ERROR, "normalize-eps", step="inv_rms", about="eps")
def eps_outside_the_root(at: Any) -> Any:
    """You add eps to the root mean square in the backward. The forward divided by the root of the mean square plus eps,
    with eps under the root, so its derivative has just that root: take it from the cache."""
    return 1.0 / (np.sqrt(at.mean_square) + at.eps)


exercise.another_way("eps_outside_the_root", step="dx")(
    lambda at: (at.dx_direct + at.dx_mean_square) * at.rms / (np.sqrt(at.mean_square) + at.eps)
)


@exercise.misconception(Kind.ERROR, "rms-norm", step="dx", about="x_hat mean")
def centred_x_for_x(at: Any) -> Any:
    """You subtract the mean from x in the second term, as layer normalization does. The mean square is that of x
    itself, so its derivative has x, not x - mean."""
    centred = (at.x - average(at.x)) / at.rms
    return (at.dx_hat - centred * average(at.dx_hat * centred)) / at.rms


@exercise.another_way("centred_x_for_x", step="dx")
def the_backward_of_layer_norm(at: Any) -> Any:
    """With its deviation and its mean path."""
    std = np.sqrt(at.x.var(axis=1, keepdims=True) + at.eps)
    centred = (at.x - average(at.x)) / std
    return (at.dx_hat - average(at.dx_hat) - centred * average(at.dx_hat * centred)) / std


# ------------------------------------------------------------------------------------------------------- wrong axes


@exercise.misconception(Kind.ERROR, "rms-norm", step="dx", about="dmean_square axis")
def sums_over_the_batch(at: Any) -> Any:
    """You sum over the batch, axis 0, in dx, as batch normalization does. A mean square belongs to a sample here,
    so the sum of dx runs over its features: axis 1, with keepdims=True."""
    return closed_form(at, at.dx_hat, (at.dx_hat * at.x_hat).mean(axis=0))


exercise.another_way("sums_over_the_batch", step="dx")(
    lambda at: at.gamma * closed_form(at, at.dy, (at.dy * at.x_hat).mean(axis=0))
)


@exercise.misconception(Kind.ERROR, "rms-norm", step="dx", about="dmean_square axis")
def sums_over_everything(at: Any) -> Any:
    """You average over the whole matrix in dx. A mean square belongs to a sample, so each row has a sum of its own over
    the features: axis 1 only, with keepdims=True."""
    return closed_form(at, at.dx_hat, (at.dx_hat * at.x_hat).mean())


exercise.another_way("sums_over_everything", step="dx")(
    lambda at: at.gamma * closed_form(at, at.dy, (at.dy * at.x_hat).mean())
)


@exercise.misconception(Kind.ERROR, "rms-norm", step="dx", about="dmean_square axis")
def sums_across_the_columns(at: Any) -> Any:
    """Your sum over the features has shape (N,), and against (N, D) that broadcasts along the columns: feature j gets
    the sum of sample j. Keep the axis (keepdims=True). Your version runs only when N = D."""
    return closed_form(at, at.dx_hat, (at.dx_hat * at.x_hat).mean(axis=1))


exercise.another_way("sums_across_the_columns", step="dx")(
    lambda at: at.gamma * closed_form(at, at.dy, (at.dy * at.x_hat).mean(axis=1))
)


@exercise.misconception(Kind.ERROR, "rms-norm", step="dx", about="dmean_square axis")
def not_summed_in_dx(at: Any) -> Any:
    """You do not sum in the second term of dx: x_hat times dx_hat times x_hat, each feature by itself. The mean square
    sees all features of the sample, so what comes back through it is the mean over all of them."""
    return closed_form(at, at.dx_hat, at.dx_hat * at.x_hat)


# ------------------------------------------------------------------------------------------------------------ dgamma

gradients.add_dgamma(exercise)
gradients.add_dgamma_root(exercise, "x", "mean_square")
gradients.add_last_sample(exercise, "sample")

gradients.add_other_sums(
    exercise,
    "parameters_averaged",
    "backward-parameters",
    "You average over the samples in dgamma. The loss is what dy says it is: if it is a mean over the batch, dy has "
    "its 1/N already, and the gradient of gamma is a plain sum.",
    lambda at, values: values.mean(axis=0),
    about="dgamma N",
)
gradients.add_other_sums(
    exercise,
    "parameters_divided_by_D",
    "backward-parameters",
    "You divide dgamma by D, the number of features. It is a plain sum over the samples, and nothing divides it: "
    "only the mean square is an average over features.",
    lambda at, values: values.sum(axis=0) / at.x.shape[1],
    about="dgamma N",
)
gradients.add_other_sums(
    exercise,
    "parameters_not_summed",
    "backward-shapes",
    "You do not sum over the samples in dgamma. One gamma serves all N samples of its feature, so its gradient is "
    "the sum of what each of them says, and has gamma's shape, (D,).",
    lambda at, values: values,
)
gradients.add_other_sums(
    exercise,
    "parameters_summed_over_features",
    "backward-shapes",
    "You sum over the features, axis 1, in dgamma, as for the mean square. But a gamma is shared by the samples of a "
    "feature, as in batch normalization: sum over axis 0.",
    lambda at, values: values.sum(axis=1),
    lambda at, values: values.mean(axis=1),
)
gradients.add_other_sums(
    exercise,
    "parameters_summed_over_everything",
    "backward-shapes",
    "You sum dgamma over the whole matrix, so one number comes out. Each feature has its own gamma: sum over the "
    "samples only, axis 0.",
    lambda at, values: values.sum(),
)
gradients.add_contracts(exercise, WORDS)


# --------------------------------------------------------------------------------------------- what nobody foresaw

exercise.read(
    Reading(
        "dx",
        terms=(
            Term("direct", "the direct term, dx_hat/rms,", lambda at: at.dx_direct, "rms-norm", "", "dx_hat dx_direct"),
            Term(
                "mean_square_path",
                "the term through the mean square",
                lambda at: at.dx_mean_square,
                "rms-norm",
                "Each feature moves the mean square by 2 x/D, and a larger mean square makes every x_hat smaller.",
                "dmean_square dx_mean_square mean_square",
            ),
            Term(
                "mean_path",
                "a term through a mean",
                lambda at: -average(at.dx_hat) * at.inv_rms + 0.0 * at.x,
                "rms-norm",
                "No mean was subtracted, so nothing comes back through one.",
                "dmean mean",
                foreign=True,
            ),
        ),
        factors=RMS_FACTORS,
        per="sample",
        vary=("dy",),
        rows=2,
    )
)
gradients.read_parameters(exercise, WORDS)


@exercise.symptom("rms-norm", about="dx")
def dx_is_off_along_x_hat(at: Any, answer: Mapping[str, Array]) -> bool:
    """Your dx, multiplied by x_hat and summed over a sample, is not what it must be: eps/(mean(x²) + eps)/rms times the
    sum of gamma · dy · x_hat, so nearly 0 when eps is small, since the length of a sample is taken out. Look at what
    comes through the mean square, and at what its terms are divided by."""
    expected = over_features(at.dx_hat * at.x_hat) / at.rms * at.eps / (at.mean_square + at.eps)
    along = answer["dx"] * at.x_hat
    return bool(np.all(np.abs(over_features(along) - expected) <= 1e-6 * over_features(np.abs(along))))
