"""What is asked of `rmsnorm_forward`, and how is it got wrong?"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import functional as reference
from .. import sentences
from ..answers import Array
from ..asking import Asked, Refused
from ..calling import Signature
from ..draw import LOW_DEVIATION, Draw
from ..exercise import Arguments, Exercise, Kind, Problem
from ..inputs import EPS, OTHER_EPS, ROUGHLY, leaves_alone, parameters
from ..reading import Factor, Reading, Term
from .inputs import FEW_FEATURES, MANY, MANY_FEATURES, ROWS, rms_layer, root_mean_square, scale_of_rms

ONE_SEVEN = np.array([[1.0, 7.0]])  # mean square 25
TWO_ROWS = np.array([[1.0, 7.0], [1.0, 1.0]])
ONE = np.ones(2)

rmsnorm_forward = Exercise(
    Signature(
        "rmsnorm_forward", ("x", "gamma", "eps"), ("y", "cache"), reference.rmsnorm_forward, opaque=frozenset({"cache"})
    ),
    problem=rms_layer,
    scale=scale_of_rms,
    smallest=(
        (np.array([[1.0]]), 2 * np.ones(1), 3.0),
        (np.array([[0.001]]), np.ones(1)),
        (np.array([[1.0, 1.0]]), np.array([2.0, 1.0]), 3.0),
        (ONE_SEVEN, np.array([5.0, 10.0]), 0.0),
        (ONE_SEVEN, ONE, 11.0),
        (np.array([[1, 7]]), ONE, 11.0),
        (TWO_ROWS, np.array([2.0, 1.0]), 0.0),
        (np.array([[1.0, 7.0, 5.0], [1.0, 1.0, 1.0]]), np.ones(3), 11.0),
    ),
    section="rms-norm",
    axes={"x": "ND", "gamma": "D"},
)
exercise = rmsnorm_forward


def plain_layer(x: Array, *eps: float) -> Arguments:
    """A layer whose gamma does nothing."""
    return (x, np.ones(x.shape[1]), *eps)


@exercise.property(points=0.5)
def answers_with_y_and_cache(f: Asked, draw: Draw) -> None:
    """answers with (y, cache), y of x's shape"""
    arguments = rms_layer(draw, Problem(7, 3))
    f(arguments)
    if f.outcome(arguments).alone:
        raise Refused("rmsnorm_forward returned y alone, expected 2 values: (y, cache).")


@exercise.property(points=2.5, nudge="What is the root mean square of 1 and 7? Which of its three words comes first?")
def divides_by_the_root_mean_square(f: Asked, draw: Draw) -> None:
    """divides each sample by the root of the mean of its squares, and subtracts nothing (gamma = 1)"""
    f.agrees(plain_layer(rms_layer(draw, MANY_FEATURES)[0]), within=ROUGHLY)


@exercise.property(points=0.5, nudge="How many numbers has gamma: one per sample, or one per feature?")
def scales_each_feature(f: Asked, draw: Draw) -> None:
    """multiplies each feature by its gamma"""
    f.agrees(rms_layer(draw, MANY_FEATURES), within=ROUGHLY)


@exercise.property(points=0.5, nudge="How many squares are added up for one sample? Is that what you divide by?")
def right_to_rounding(f: Asked, draw: Draw) -> None:
    """divides the sum of squares by D, and is right to rounding for any shape, also when N = D"""
    for problem in FEW_FEATURES:
        f.agrees(rms_layer(draw, problem))


@exercise.property(points=0.5, nudge="Call it with eps = 3 on a sample of ones: what should it divide by?")
def follows_eps(f: Asked, draw: Draw) -> None:
    """adds the eps it was given to the mean square, under the root"""
    f.agrees(plain_layer(0.2 * rms_layer(draw, MANY_FEATURES)[0], 0.1), within=ROUGHLY)


@exercise.property(points=0.5, nudge="What comes out for a sample of zeros?")
def default_eps(f: Asked, draw: Draw) -> None:
    """uses eps = 1e-5 when none is given, so that a sample of zeros gives zeros, not NaN"""
    x = LOW_DEVIATION * draw.random.standard_normal((ROWS, MANY))
    x[0] = 0.0
    f.agrees(plain_layer(x), within=ROUGHLY)


@exercise.property(points=0.5)
def takes_whole_numbers(f: Asked, draw: Draw) -> None:
    """takes whole numbers without losing what is behind the point"""
    f.agrees((draw.whole_numbers(MANY, ROWS).T.copy(), parameters(draw, MANY)[0]), within=ROUGHLY)


@exercise.property(points=0.5, needs="divides_by_the_root_mean_square")
def leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves x and gamma as they were"""
    leaves_alone(f, rms_layer(draw, Problem(5, 3)))


# --------------------------------------------------------------------------------------------------------- its steps

steps = exercise.in_steps(eps=EPS)


@steps.step
def D(at: Any) -> Any:
    """the number of features"""
    return at.x.shape[1]


@steps.step
def mean_square(at: Any) -> Any:
    """the mean of the squares of each sample: a sum divided by D"""
    return (at.x**2).sum(axis=1, keepdims=True) / at.D


@steps.step
def rms(at: Any) -> Any:
    """the root of mean_square + eps"""
    return np.sqrt(at.mean_square + at.eps)


@steps.step
def x_hat(at: Any) -> Any:
    """x divided by rms"""
    return at.x / at.rms


@steps.step
def y(at: Any) -> Any:
    """gamma times x_hat"""
    return at.gamma * at.x_hat


# ------------------------------------------------------------------------------------------------------------- eps


@exercise.misconception(Kind.ERROR, "normalize-eps", step="rms", about="eps")
def eps_outside_the_root(at: Any) -> Any:
    """You add eps to the root mean square. It belongs beside the mean square, under the root: for a sample of small
    values, your output is far too large."""
    return np.sqrt(at.mean_square) + at.eps


@exercise.misconception(Kind.ERROR, "normalize-eps", step="rms", about="eps")
def eps_missing(at: Any) -> Any:
    """You leave eps out. A sample of zeros then becomes 0/0, that is NaN, and one of tiny values is blown up: divide by
    the root of the mean square plus eps."""
    return np.sqrt(at.mean_square)


@exercise.misconception(Kind.ERROR, "normalize-eps", step="rms", about="eps")
def eps_squared(at: Any) -> Any:
    """You square eps under the root. It is added to the mean square as it is: with eps = 1e-5 your 1e-10 protects
    hardly anything."""
    return np.sqrt(at.mean_square + at.eps**2)


@exercise.misconception(Kind.ERROR, "normalize-eps", step="rms", about="eps")
def eps_subtracted(at: Any) -> Any:
    """You subtract eps from the mean square. It is added: its purpose is that what stands under the root is never
    0, and yours becomes negative, and the root NaN, for a sample of small values."""
    return np.sqrt(at.mean_square - at.eps)


@exercise.misconception(Kind.ERROR, "normalize-eps", step="rms", about="eps")
def eps_added_twice(at: Any) -> Any:
    """You add eps twice: to the mean square, and once more under the root. It comes in once, when you divide by the
    root of the mean square plus eps."""
    return np.sqrt(at.mean_square + 2 * at.eps)


@exercise.misconception(Kind.ERROR, "normalize-eps", step="rms", about="eps")
def eps_as_the_smallest(at: Any) -> Any:
    """You take the larger of the mean square and eps. That protects from dividing by 0 as well, but the formula adds
    eps, always, so that it stays differentiable."""
    return np.sqrt(np.maximum(at.mean_square, at.eps))


@exercise.misconception(Kind.ERROR, "normalize-eps", step="rms", about="eps")
def eps_ignored(at: Any) -> Any:
    """You use an eps of your own and ignore the one that is given. It works until somebody calls the function with
    another eps: use the argument."""
    return np.sqrt(at.mean_square + EPS)


def with_fixed_eps(constant: float) -> Callable[[Any], Any]:
    """A root with an eps of its own, whatever is given."""
    return lambda at: np.sqrt(at.mean_square + constant)


for other in OTHER_EPS:
    exercise.another_way("eps_ignored", step="rms")(with_fixed_eps(other))


@exercise.misconception(Kind.CONVENTION, "normalize-eps", step="eps")
def default_eps_of_keras(at: Any) -> Any:
    """Your eps is 1e-6 when none is given. That is the default of RMSNormalization in Keras, and of many language
    models; this course asks for 1e-5 in all its norms."""
    return at.given.get("eps", 1e-6)


@exercise.misconception(Kind.CONVENTION, "normalize-eps", step="eps")
def default_eps_of_another_library(at: Any) -> Any:
    """Your eps is not 1e-5 when none is given. Libraries differ, and for a sample of small values it shows; this course
    asks for 1e-5 in all its norms."""
    return at.given.get("eps", 1e-8)


for other in (0.0, 1e-12, 1e-7, 1e-4, 1e-3):
    exercise.another_way("default_eps_of_another_library", step="eps")(
        lambda at, other=other: at.given.get("eps", other)
    )


# ---------------------------------------------------------------------------------------------------- the mean square


@exercise.misconception(Kind.ERROR, "rms-norm", step="x_hat", about="x_hat mean")
def subtracts_the_mean(at: Any) -> Any:
    """You subtract the mean, which is layer normalization. RMS normalization leaves it out, and that is all its point:
    what is divided is x itself, and what stands under the root is the mean of x², not the variance."""
    return (at.x - at.x.mean(axis=1, keepdims=True)) / at.rms


@exercise.another_way("subtracts_the_mean", step="mean_square")
def divides_by_the_deviation(at: Any) -> Any:
    """The variance for the mean square, x itself above."""
    return at.x.var(axis=1, keepdims=True)


@exercise.another_way("subtracts_the_mean")
def layer_norm_without_beta(x: Array, gamma: Array, eps: float = EPS) -> Any:
    """Both."""
    return gamma * (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + eps), None


@exercise.misconception(Kind.ERROR, "rms-norm", step="mean_square", about="mean_square D")
def divides_by_the_norm(at: Any) -> Any:
    """You divide by the length of the sample, ‖x‖, the root of the *sum* of its squares. RMS takes their mean,
    ‖x‖/√D, so that the values stay near 1 however many features there are; yours shrink with √D."""
    return (at.x**2).sum(axis=1, keepdims=True)


@exercise.another_way("divides_by_the_norm", step="rms")
def norm_without_eps(at: Any) -> Any:
    """As np.linalg.norm gives it."""
    return np.sqrt((at.x**2).sum(axis=1, keepdims=True))


@exercise.another_way("divides_by_the_norm", step="rms")
def norm_plus_eps(at: Any) -> Any:
    """With eps beside it."""
    return np.sqrt((at.x**2).sum(axis=1, keepdims=True)) + at.eps


@exercise.misconception(Kind.ERROR, "rms-norm", step="D", about="mean_square D")
def divides_by_N(at: Any) -> Any:
    """You divide the sum of squares by N, the number of samples (len(x) is N). It runs over the features of one sample
    and has D terms, x.shape[1]: divide by D. The two agree only when N = D."""
    return len(at.x)


@exercise.misconception(Kind.ERROR, "rms-norm", step="D", about="mean_square D")
def divides_by_D_minus_1(at: Any) -> Any:
    """You divide the sum of squares by D - 1. That corrects a variance for the mean that was estimated with it; here no
    mean is subtracted, so there is nothing to correct: divide by D."""
    return at.x.shape[1] - 1


@exercise.misconception(Kind.ERROR, "rms-norm", step="rms", about="rms root")
def root_forgotten(at: Any) -> Any:
    """You divide by the mean square. Only its root has the unit of x: twice as large an x should give the same output,
    and yours is half as large."""
    return at.mean_square + at.eps


@exercise.misconception(Kind.ERROR, "rms-norm", step="mean_square", about="mean_square")
def mean_absolute_value(at: Any) -> Any:
    """You use the mean of the absolute values. RMS squares first, averages, and then takes the root: large values count
    for more."""
    return np.abs(at.x).sum(axis=1, keepdims=True) ** 2 / at.D**2


@exercise.another_way("mean_absolute_value", step="rms")
def mean_absolute_value_for_rms(at: Any) -> Any:
    """With eps beside it, not under a root."""
    return np.abs(at.x).mean(axis=1, keepdims=True) + at.eps


@exercise.misconception(Kind.ERROR, "rms-norm", step="mean_square", about="mean_square")
def square_of_the_mean(at: Any) -> Any:
    """You square the mean. RMS takes the mean of the squares: first square each value, then average, and the root comes
    last."""
    return at.x.mean(axis=1, keepdims=True) ** 2


@exercise.misconception(Kind.ERROR, "rms-norm", step="x_hat", about="rms")
def multiplies_by_the_rms(at: Any) -> Any:
    """You multiply by the root mean square. Dividing by it is what gives every sample the same size; yours makes large
    samples larger."""
    return at.x * at.rms


@exercise.misconception(Kind.ERROR, "rms-norm", step="x_hat", about="rms x_hat")
def does_not_divide(at: Any) -> Any:
    """You do not divide by the root mean square, so a sample of large values still counts for more than one of small
    values, which is what the norm is to prevent."""
    return at.x + 0.0


# ------------------------------------------------------------------------------------------------------------- gamma


@exercise.misconception(Kind.ERROR, "rms-norm", step="y", about="gamma")
def gamma_ignored(at: Any) -> Any:
    """You leave gamma out. Without it every sample leaves with mean square 1, all features alike, and the layer cannot
    learn which of them matter."""
    return at.x_hat + 0.0


@exercise.misconception(Kind.ERROR, "rms-norm", step="y", about="gamma")
def gamma_plus_1(at: Any) -> Any:
    """You multiply by 1 + gamma. Some language models store gamma as its distance from 1, and start it at 0; here gamma
    is the factor itself."""
    return (1.0 + at.gamma) * at.x_hat


@exercise.misconception(Kind.ERROR, "rms-norm", step="y", about="gamma")
def divides_by_gamma(at: Any) -> Any:
    """You divide by gamma. It is a factor: gamma = 2 makes a feature twice as large, and gamma = 0 switches it off."""
    return at.x_hat / at.gamma


@exercise.misconception(Kind.ERROR, "rms-norm", about="gamma")
def gamma_down_the_rows(x: Array, gamma: Array, eps: float = EPS) -> Any:
    """You spread gamma down the rows, so that sample i gets the gamma of feature i. It belongs to the features: shape
    (D,) broadcasts against (N, D) by itself. Your version has the right shape only when N = D."""
    return gamma[:, None] * x / root_mean_square(x, eps), None


# ------------------------------------------------------------------------------------------- mistakes of the whole


@exercise.misconception(Kind.ERROR, "rms-norm", step="mean_square", about="mean_square axis")
def averages_over_the_batch(at: Any) -> Any:
    """You average the squares over the batch (axis=0). RMS normalization treats each sample by itself, over its own
    features (axis=1), so that no sample depends on the others."""
    return (at.x**2).mean(axis=0)


@exercise.misconception(Kind.ERROR, "rms-norm", step="mean_square", about="mean_square axis")
def one_rms_for_the_matrix(at: Any) -> Any:
    """You average the squares of the whole matrix, so the samples still depend on each other. Each row gets its own
    root mean square: axis=1, with keepdims=True."""
    return (at.x**2).mean()


@exercise.another_way("one_rms_for_the_matrix", step="mean_square")
def one_sum_for_the_matrix(at: Any) -> Any:
    """Summed over everything, divided by D."""
    return (at.x**2).sum() / at.D


@exercise.misconception(Kind.ERROR, "rms-norm", step="mean_square", about="mean_square axis")
def rms_across_the_columns(at: Any) -> Any:
    """Your root mean square has shape (N,), and against (N, D) that broadcasts along the columns: feature j is divided
    by that of sample j. Keep the axis (keepdims=True), so that it has shape (N, 1). Your version runs only when
    N = D."""
    return (at.x**2).mean(axis=1)


@exercise.misconception(Kind.ERROR, "rms-norm", sentences.WHOLE_NUMBER_BUFFER)
def whole_number_buffer(x: Array, gamma: Array, eps: float = EPS) -> Any:
    """The output is an array like x."""
    y = np.empty_like(x)
    y[:] = gamma * x / root_mean_square(x, eps)
    return y, None


@exercise.another_way("whole_number_buffer")
def whole_number_x_hat(x: Array, gamma: Array, eps: float = EPS) -> Any:
    """The normalized values are an array like x."""
    x_hat = np.empty_like(x)
    x_hat[:] = x / root_mean_square(x, eps)
    return gamma * x_hat, None


@exercise.misconception(Kind.CONTRACT, "rms-norm", sentences.CHANGES_ITS_INPUT)
def changes_its_input(x: Array, gamma: Array, eps: float = EPS) -> Any:
    """Divides in place, where whole numbers allow it."""
    if x.dtype.kind == "f":
        x /= root_mean_square(x, eps)
        return gamma * x, None
    return gamma * x / root_mean_square(x, eps), None


@exercise.misconception(Kind.CONTRACT, "rms-norm")
def cache_missing(x: Array, gamma: Array, eps: float = EPS) -> Any:
    """You return y alone. The exercise asks for (y, cache): the backward pass will need what was computed on the way,
    and whoever calls your function unpacks two values. Any cache will do here, even None."""
    return gamma * x / root_mean_square(x, eps)


# --------------------------------------------------------------------------------------------- what nobody foresaw


def root_instead(form: str, other: Callable[[Any], Any]) -> Factor:
    """Another form of the root, and how often too large that makes what is divided by it."""
    return Factor(
        form, lambda at: at.rms / other(at), "eps rms", f"is divided by {form} where √(mean(x²) + eps) belongs"
    )


RMS_FACTORS = (
    Factor("D", lambda at: at.x.shape[1], "mean_square D"),
    Factor("D/(D - 1)", lambda at: at.x.shape[1] / (at.x.shape[1] - 1), "mean_square D"),
    Factor("N", lambda at: len(at.x), "mean_square D"),
    Factor("rms", lambda at: at.rms, "rms mean_square root"),
    Factor("eps", lambda at: at.eps, "eps"),
    root_instead("√mean(x²)", lambda at: np.sqrt(at.mean_square)),
    root_instead("√mean(x²) + eps", lambda at: np.sqrt(at.mean_square) + at.eps),
    root_instead("√(mean(x²) - eps)", lambda at: np.sqrt(np.maximum(at.mean_square - at.eps, 0.0))),
    root_instead("√(sum(x²) + eps)", lambda at: np.sqrt(at.mean_square * at.x.shape[1] + at.eps)),
)

exercise.read(
    Reading(
        "y",
        terms=(
            Term("x_hat", "gamma · x / rms", lambda at: at.gamma * at.x_hat, "rms-norm", "", "x_hat rms"),
            Term(
                "mean",
                "a multiple of the mean",
                lambda at: at.gamma * at.x.mean(axis=1, keepdims=True) / at.rms,
                "rms-norm",
                "RMS normalization subtracts nothing.",
                "mean",
                foreign=True,
            ),
        ),
        factors=RMS_FACTORS,
        per="sample",
    )
)
