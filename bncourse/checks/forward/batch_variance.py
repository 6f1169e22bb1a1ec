"""What is asked of `batch_variance`, and how is it got wrong?"""

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
from ..inputs import ALIKE, EPS, FOUR, MANY, ROUGHLY, SIX, TWO, WHOLE, keeps_its_digits, leaves_alone
from ..reading import Reading, Term
from .inputs import far_x, only_x, scale_of_variance

batch_variance = Exercise(
    Signature("batch_variance", ("x",), ("var",), reference.batch_variance),
    problem=only_x,
    scale=scale_of_variance,
    far=far_x,
    section="batch-variance",
    axes={"x": "ND"},
    smallest=((TWO,), (ALIKE,), (WHOLE,), (FOUR,), (SIX,)),
)


@batch_variance.property(points=1)
def one_variance_per_feature(f: Asked, draw: Draw) -> None:
    """answers with one number per feature, shape (D,)"""
    f((draw.batch(7, 3),))


@batch_variance.property(points=6)
def mean_square_about_the_mean(f: Asked, draw: Draw) -> None:
    """is the mean square distance from the feature's mean"""
    f.agrees((draw.batch(MANY, 3),), within=ROUGHLY)


@batch_variance.property(points=1)
def variance_divides_by_N(f: Asked, draw: Draw) -> None:
    """divides by N, the number of samples, also when N = D"""
    for N, D in ((5, 3), (4, 4), (3, 5), (5, 1)):
        f.agrees((draw.batch(N, D, low=True),))


@batch_variance.property(points=1, needs="mean_square_about_the_mean")
def no_variance_of_a_constant(f: Asked, draw: Draw) -> None:
    """is 0 for a feature that never varies"""
    x = draw.batch(5, 3, constant=True)
    seen = float(f((x,))["var"][-1])
    if not abs(seen) <= 1e-9 * float(np.abs(x[:, -1]).max() ** 2):  # E[x²] - E[x]² may leave a rounding of x²
        raise Refused(f"The variance of a feature that is {x[0, -1]:g} in every sample is {seen:g}, expected 0.")


@batch_variance.property(points=1)
def variance_of_whole_numbers(f: Asked, draw: Draw) -> None:
    """takes whole numbers without losing what is behind the point"""
    f.agrees((draw.whole_numbers(MANY, 3, largest=1),), within=ROUGHLY)  # a variance below 1: cut off, it is 0


@batch_variance.property(points=1, needs="mean_square_about_the_mean")
def variance_keeps_its_digits(f: Asked, draw: Draw) -> None:
    """keeps its digits when the mean is far from 0"""
    keeps_its_digits(f, far_x(draw, Problem(MANY, 3)))


@batch_variance.property(points=1, needs="mean_square_about_the_mean")
def variance_leaves_x_alone(f: Asked, draw: Draw) -> None:
    """leaves x as it was"""
    leaves_alone(f, (draw.batch(5, 3),))


steps = batch_variance.in_steps()


@steps.step
def N(at: Any) -> Any:
    """the number of samples, the rows of x"""
    return len(at.x)


@steps.step
def mean(at: Any) -> Any:
    """the mean of each feature over the batch"""
    return at.x.sum(axis=0) / len(at.x)


@steps.step
def centred(at: Any) -> Any:
    """how far each value lies from that mean"""
    return at.x - at.mean


@steps.step
def var(at: Any) -> Any:
    """the sum of the squares of these distances, divided by N"""
    return (at.centred**2).sum(axis=0) / at.N


batch_variance.read(
    Reading(
        "var",
        terms=(
            Term("squares", "the mean of the squares", lambda at: (at.x**2).mean(axis=0), "batch-variance", "", "x"),
            Term(
                "mean", "the square of the mean, taken away,", lambda at: -(at.mean**2), "batch-variance", "", "mean x"
            ),
        ),
        factors=(q.N, q.UNBIASED, q.D),
        per="whole",
        vary=("x",),
    )
)


@batch_variance.misconception(Kind.CONVENTION, "batch-variance", step="N")
def unbiased_variance(at: Any) -> Any:
    """You divide by N - 1. That is the unbiased estimate of statistics (ddof=1 in NumPy), and what PyTorch stores as
    the running variance; but the normalization itself divides by N, so that the batch comes out with variance 1."""
    return len(at.x) - 1


@batch_variance.misconception(Kind.ERROR, "batch-variance", step="var")
def deviation_for_variance(at: Any) -> Any:
    """You return the standard deviation. The variance is its square; the root is taken later, once eps is added."""
    return np.sqrt((at.centred**2).sum(axis=0) / at.N)


@batch_variance.misconception(Kind.ERROR, "batch-variance", step="var")
def mean_absolute_deviation(at: Any) -> Any:
    """You average the absolute distances from the mean. The variance averages their squares, which is what makes it
    differentiable, and additive over independent terms."""
    return np.abs(at.centred).sum(axis=0) / at.N


@batch_variance.misconception(Kind.ERROR, "batch-variance", step="var")
def distances_not_squared(at: Any) -> Any:
    """You average the distances from the mean without squaring them. Those above and those below cancel, for every
    batch: that is what makes it the mean. Square each distance first."""
    return at.centred.sum(axis=0) / at.N


@batch_variance.misconception(Kind.ERROR, "batch-variance", about="axis")
def variance_along_axis_1(x: Array) -> Any:
    """You take the variance of each sample over its features (axis=1). Batch normalization takes that of each feature
    over the samples of the batch (axis=0): one entry per column of x."""
    return x.var(axis=1)


@batch_variance.misconception(Kind.ERROR, "batch-variance", about="axis")
def one_variance_for_the_matrix(x: Array) -> Any:
    """You take one variance of the whole matrix. Features have scales of their own, so each column gets its own
    variance: axis=0 only."""
    return x.var()


@batch_variance.another_way("one_variance_for_the_matrix")
def one_variance_repeated(x: Array) -> Any:
    """The same, once for every feature."""
    return np.full(x.shape[1], x.var())


@batch_variance.another_way("one_variance_for_the_matrix")
def all_squares_about_one_mean(x: Array) -> Any:
    """One mean for the matrix, but a variance for each feature."""
    return ((x - x.mean()) ** 2).mean(axis=0)


@batch_variance.another_way("one_variance_for_the_matrix")
def one_mean_of_all_squares(x: Array) -> Any:
    """A mean for each feature, but one variance of all."""
    return ((x - x.mean(axis=0)) ** 2).mean()


@batch_variance.another_way("one_variance_for_the_matrix")
def sum_of_all_squares_by_N(x: Array) -> Any:
    """The same, divided by N."""
    return ((x - x.mean(axis=0)) ** 2).sum() / len(x)


@batch_variance.another_way("variance_along_axis_1")
def squares_averaged_along_axis_1(x: Array) -> Any:
    """The mean is right, the squares are averaged over the features."""
    return ((x - x.mean(axis=0)) ** 2).mean(axis=1)


@batch_variance.another_way("variance_along_axis_1")
def centred_along_axis_1(x: Array) -> Any:
    """Centred sample by sample, then averaged over the batch."""
    return ((x - x.mean(axis=1, keepdims=True)) ** 2).mean(axis=0)


@batch_variance.misconception(Kind.ERROR, "batch-variance")
def squares_not_summed(x: Array) -> Any:
    """You return the squared distances themselves, one for every element of x. The variance is their mean over the
    batch, one number for each feature: shape (D,)."""
    return (x - x.mean(axis=0)) ** 2


@batch_variance.another_way("squares_not_summed")
def squares_not_summed_by_N(x: Array) -> Any:
    """The same, divided by N."""
    return (x - x.mean(axis=0)) ** 2 / len(x)


@batch_variance.misconception(Kind.ERROR, "batch-variance", step="centred", about="mean x")
def squares_not_centred(at: Any) -> Any:
    """You average the squares of x itself. The variance averages the squares of the distances from the mean: subtract
    the mean first. Adding a constant to x must not change it."""
    return at.x


@batch_variance.misconception(Kind.ERROR, "batch-variance", step="N")
def squares_not_averaged(at: Any) -> Any:
    """You add the squared distances up but do not divide by their number N, so the result grows with the batch."""
    return 1


@batch_variance.misconception(Kind.ERROR, "batch-variance", step="N")
def variance_divided_by_D(at: Any) -> Any:
    """You divide by D, the number of features. The sum has N terms, one per sample: divide by N. The two agree only
    when N = D."""
    return at.x.shape[1]


@batch_variance.misconception(Kind.ERROR, "batch-variance", step="var", about="mean")
def square_of_the_mean_only(at: Any) -> Any:
    """You square the mean, not the distance from it: `x - mean**2` means x - (mean**2). Put the difference in
    parentheses, (x - mean)**2: it is the distance that is squared."""
    return (at.x - at.mean**2).sum(axis=0) / at.N


@batch_variance.misconception(Kind.ERROR, "batch-variance", step="var", about="mean")
def square_of_x_only(at: Any) -> Any:
    """You square x and subtract the mean as it is: `x**2 - mean`. Put the difference in parentheses, (x - mean)**2: it
    is the distance from the mean that is squared."""
    return (at.x**2 - at.mean).sum(axis=0) / at.N


@batch_variance.misconception(Kind.ERROR, "normalize-eps", step="var", about="eps")
def eps_in_the_variance(at: Any) -> Any:
    """You add eps to the variance here. The variance of the batch is what it is; eps comes in when you divide by its
    root, in normalize, or else it is added twice."""
    return (at.centred**2).sum(axis=0) / at.N + EPS


@batch_variance.misconception(Kind.ERROR, "batch-variance", sentences.WHOLE_NUMBER_BUFFER)
def whole_number_buffer(x: Array) -> Any:
    """The result is an array like a row of x."""
    var = np.zeros_like(x[0])
    var[:] = x.var(axis=0)
    return var


@batch_variance.another_way("whole_number_buffer")
def whole_number_differences(x: Array) -> Any:
    """The differences are an array like x."""
    centred = np.empty_like(x)
    centred[:] = x - x.mean(axis=0)
    return (centred * centred).mean(axis=0)


@batch_variance.misconception(Kind.NUMERICS, "float32-variance", sentences.CANCELS_FAR_FROM_ZERO, about="var")
def cancels_far_from_zero(x: Array) -> Any:
    """The mean of the squares minus the square of the mean."""
    return np.mean(x * 1.0 * x, axis=0) - x.mean(axis=0) ** 2


@batch_variance.misconception(Kind.ERROR, "float32-variance", sentences.HALF_PRECISION, about="var")
def half_precision(x: Array) -> Any:
    """Computes in float16."""
    return x.astype(np.float16).var(axis=0)


@batch_variance.misconception(Kind.CONTRACT, "batch-variance", sentences.CHANGES_ITS_INPUT)
def changes_its_input(x: Array) -> Any:
    """Centres in place."""
    x -= x.mean(axis=0)
    return (x * x).mean(axis=0)
