"""What is asked of `batch_mean`, and how is it got wrong?"""

from typing import Any

import numpy as np

from ... import functional as reference
from .. import quantities as q
from .. import sentences
from ..answers import Array
from ..asking import Asked
from ..calling import Signature
from ..draw import Draw
from ..exercise import Exercise, Kind
from ..inputs import FOUR, SIX, TWO, WHOLE, leaves_alone
from ..reading import Reading, Term
from .inputs import only_x, scale_of_mean

batch_mean = Exercise(
    Signature("batch_mean", ("x",), ("mean",), reference.batch_mean),
    problem=only_x,
    scale=scale_of_mean,
    section="batch-mean",
    axes={"x": "ND"},
    smallest=((TWO,), (WHOLE,), (FOUR,), (SIX,)),
)


@batch_mean.property(points=1)
def one_mean_per_feature(f: Asked, draw: Draw) -> None:
    """answers with one number per feature, shape (D,)"""
    f((draw.batch(7, 3),))


@batch_mean.property(points=5)
def averages_over_the_batch(f: Asked, draw: Draw) -> None:
    """averages each feature over the N samples, also when N = D"""
    for N, D in ((7, 3), (4, 4), (3, 5), (3, 4)):
        f.agrees((draw.batch(N, D, low=True),))


@batch_mean.property(points=1)
def mean_of_whole_numbers(f: Asked, draw: Draw) -> None:
    """averages whole numbers without losing what is behind the point"""
    f.agrees((draw.whole_numbers(5, 3),))


@batch_mean.property(points=1, needs="averages_over_the_batch")
def mean_leaves_x_alone(f: Asked, draw: Draw) -> None:
    """leaves x as it was"""
    leaves_alone(f, (draw.batch(5, 3),))


steps = batch_mean.in_steps()


@steps.step
def N(at: Any) -> Any:
    """the number of samples, the rows of x"""
    return len(at.x)


@steps.step
def total(at: Any) -> Any:
    """the sum of each feature over the batch"""
    return at.x.sum(axis=0)


@steps.step
def mean(at: Any) -> Any:
    """that sum divided by N"""
    return at.total / at.N


batch_mean.read(
    Reading(
        "mean",
        terms=(Term("sum", "the sum over the batch, divided by N,", lambda at: at.mean, "batch-mean", "", "total N"),),
        factors=(q.N, q.UNBIASED, q.D),
        per="whole",
    )
)


@batch_mean.misconception(Kind.ERROR, "batch-mean", step="total", about="axis")
def mean_along_axis_1(at: Any) -> Any:
    """You average each sample over its features (axis=1). Batch normalization averages each feature over the samples
    of the batch (axis=0): the mean has one entry per column of x."""
    return at.x.mean(axis=1) * at.N


@batch_mean.misconception(Kind.ERROR, "batch-mean", about="axis")
def one_mean_for_the_matrix(x: Array) -> Any:
    """You take one mean of the whole matrix. Features have scales of their own, so each column gets its own mean:
    average over axis=0 only."""
    return x.mean()


@batch_mean.another_way("one_mean_for_the_matrix")
def one_mean_repeated(x: Array) -> Any:
    """The same, once for every feature."""
    return np.full(x.shape[1], x.mean())


@batch_mean.another_way("one_mean_for_the_matrix")
def sum_of_the_matrix_by_N(x: Array) -> Any:
    """The sum of the whole matrix, divided by N."""
    return x.sum() / len(x)


@batch_mean.another_way("mean_along_axis_1")
def mean_along_axis_1_as_a_column(x: Array) -> Any:
    """Of shape (N, 1)."""
    return x.mean(axis=1, keepdims=True)


@batch_mean.another_way("mean_along_axis_1")
def sum_along_axis_1(x: Array) -> Any:
    """The sum over the features, divided by N."""
    return x.sum(axis=1) / len(x)


@batch_mean.misconception(Kind.ERROR, "batch-mean")
def x_itself(x: Array) -> Any:
    """You return x, or a number for every element of it: nothing is averaged over the batch. The mean has one number
    for each feature, shape (D,): add the samples up and divide by N."""
    return x / len(x)


@batch_mean.misconception(Kind.ERROR, "batch-mean", step="N")
def sum_instead_of_mean(at: Any) -> Any:
    """You add the samples up but do not divide by their number N, so the result grows with the batch."""
    return 1


@batch_mean.misconception(Kind.ERROR, "batch-mean", step="N")
def mean_divided_by_D(at: Any) -> Any:
    """You divide the sum over the batch by D, the number of features. It has N terms, one per sample: divide by N.
    The two agree only when N = D."""
    return at.x.shape[1]


@batch_mean.misconception(Kind.ERROR, "batch-mean", step="N")
def mean_divided_by_N_minus_1(at: Any) -> Any:
    """You divide the sum by N - 1. That belongs to the unbiased variance, where one degree of freedom goes to the mean;
    the mean itself is a sum of N terms divided by N."""
    return len(at.x) - 1


@batch_mean.misconception(Kind.ERROR, "batch-mean", sentences.WHOLE_NUMBER_BUFFER)
def whole_number_buffer(x: Array) -> Any:
    """The result is an array like a row of x."""
    mean = np.zeros_like(x[0])
    mean[:] = x.mean(axis=0)
    return mean


@batch_mean.misconception(Kind.ERROR, "float32-variance", sentences.HALF_PRECISION, about="mean")
def half_precision(x: Array) -> Any:
    """Computes in float16."""
    return x.astype(np.float16).mean(axis=0)


@batch_mean.misconception(Kind.CONTRACT, "batch-mean", sentences.CHANGES_ITS_INPUT)
def changes_its_input(x: Array) -> Any:
    """Divides in place before it adds up."""
    x /= len(x)
    return x.sum(axis=0)
