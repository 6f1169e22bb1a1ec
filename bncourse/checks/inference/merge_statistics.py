"""What is asked of `merge_statistics`, and how is it got wrong?"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ... import functional as reference
from .. import sentences
from ..answers import Array
from ..asking import Asked
from ..calling import Signature
from ..draw import Draw
from ..exercise import Exercise, Kind, Problem
from ..inputs import ROUGHLY, leaves_alone
from ..reading import Factor, Reading, Term
from .inputs import LARGE, scale_of_merge, shards

Pair = tuple[Array, Array]


def column(*numbers: float) -> Array:
    """One feature of several shards."""
    return np.array([numbers], dtype=np.float64).T


merge_statistics = Exercise(
    Signature("merge_statistics", ("counts", "means", "variances"), ("mean", "var"), reference.merge_statistics),
    problem=shards,
    scale=scale_of_merge,
    section="merging-shards",
    axes={"counts": "K", "means": "KD", "variances": "KD"},
    smallest=(
        (np.array([2, 2]), column(0, 2), column(4, 4)),
        (np.array([2, 6]), column(3, 3), column(4, 8)),
        (np.array([2, 6]), column(4, 0), column(4, 8)),
        (np.array([1, 3]), np.array([[0], [2]]), np.array([[1], [4]])),
        (np.array([2, 6]), np.array([[4.0, 1.0], [0.0, 3.0]]), np.array([[4.0, 9.0], [8.0, 1.0]])),
    ),
)


@merge_statistics.property(points=0.5)
def one_mean_and_variance_per_feature(f: Asked, draw: Draw) -> None:
    """answers with (mean, var), each with one number per feature, shape (D,)"""
    f(shards(draw, Problem(7, 3)))


@merge_statistics.property(
    points=2.5,
    nudge="A shard of 1 sample and one of 999: how much should each count for the mean of all 1000?",
)
def weighs_the_means(f: Asked, draw: Draw) -> None:
    """averages the means, each weighted by the size of its shard"""
    for K, D in ((7, 3), (4, 4)):
        f.agrees(shards(draw, Problem(K, D)), only=("mean",))


@merge_statistics.property(
    points=1.5,
    nudge="If all shards have the same mean, how much does each shard's variance count?",
)
def weighs_the_variances(f: Asked, draw: Draw) -> None:
    """averages the variances, each weighted by the size of its shard, where all shards have the same mean"""
    counts, means, variances = shards(draw, Problem(5, 3))
    f.agrees((LARGE * counts, np.tile(means[0], (5, 1)), variances), within=ROUGHLY, only=("var",))


@merge_statistics.property(
    points=3,
    nudge="Two shards, one all zeros and one all tens: each has variance 0. Has all the data together?",
)
def adds_the_variance_of_the_means(f: Asked, draw: Draw) -> None:
    """adds to it how far the shards' means lie from the mean of all, squared (asked with shards of one size)"""
    _, means, variances = shards(draw, Problem(4, 3))
    f.agrees((np.full(4, 3 * LARGE), means, variances), within=ROUGHLY, only=("var",))


@merge_statistics.property(
    points=0.5,
    nudge="The variances that come in divide by each shard's own size. By what does the one that goes out divide?",
)
def biased_in_and_out(f: Asked, draw: Draw) -> None:
    """takes and gives variances that divide by the number of samples, also where that is small"""
    f.agrees(shards(draw, Problem(2, 3)), within=ROUGHLY, only=("var",))


@merge_statistics.property(points=0.5)
def merges_to_rounding(f: Asked, draw: Draw) -> None:
    """is right to rounding for any number of shards of any size, also when it is that of the features"""
    for K, D in ((7, 3), (4, 4), (3, 5)):
        f.agrees(shards(draw, Problem(K, D)))


@merge_statistics.property(points=0.5)
def one_shard_stays_as_it_is(f: Asked, draw: Draw) -> None:
    """gives the statistics of a single shard back"""
    counts, means, variances = shards(draw, Problem(3, 4))
    f.agrees((LARGE * counts[:1], means[:1], variances[:1]), within=ROUGHLY)


@merge_statistics.property(points=0.5)
def merges_whole_numbers(f: Asked, draw: Draw) -> None:
    """takes whole numbers without losing what is behind the point"""
    counts, _, _ = shards(draw, Problem(3, 3, whole=True))
    means, variances = np.array([[0, 1, 2], [1, 1, 1], [1, 2, 2]]), np.array([[1, 0, 1], [0, 1, 1], [0, 0, 1]])
    f.agrees((LARGE * counts, means, variances), within=ROUGHLY)


@merge_statistics.property(points=0.5, needs="weighs_the_means")
def merge_leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves counts, means and variances as they were"""
    leaves_alone(f, shards(draw, Problem(5, 3)))


# --------------------------------------------------------------------------------------------------------- its steps

steps = merge_statistics.in_steps()


@steps.step
def n(at: Any) -> Any:
    """the number of samples in all shards together"""
    return at.counts.sum()


@steps.step
def weights(at: Any) -> Any:
    """the share of each shard: its size divided by n"""
    return at.counts / at.n


@steps.step
def mean(at: Any) -> Any:
    """the average of the means, each with its weight"""
    return at.weights @ at.means


@steps.step
def within(at: Any) -> Any:
    """the average of the variances, each with its weight"""
    return at.weights @ at.variances


@steps.step
def between(at: Any) -> Any:
    """the variance of the means: the average, with the weights, of their squared distances from the mean of all"""
    return at.weights @ (at.means - at.mean) ** 2


@steps.step
def var(at: Any) -> Any:
    """within plus between"""
    return at.within + at.between


@merge_statistics.misconception(Kind.ERROR, "merging-shards", step="between")
def variance_of_the_means_missing(at: Any) -> Any:
    """You average the shards' variances and leave out how far their means lie apart. Two shards, one all zeros and one
    all tens, have variance 0 each, but not together: add the average of (shard mean - mean)²."""
    return 0.0


@merge_statistics.misconception(Kind.ERROR, "merging-shards", step="weights")
def shards_weighted_equally(at: Any) -> Any:
    """You give every shard the same weight. A shard of 1 sample then counts as much as one of 999: weight each by its
    size, count / total, in the mean and in both parts of the variance."""
    return np.full(len(at.counts), 1.0 / len(at.counts))


@merge_statistics.another_way("shards_weighted_equally", step="mean")
def means_weighted_equally(at: Any) -> Any:
    """In the mean."""
    return at.means.mean(axis=0)


@merge_statistics.another_way("shards_weighted_equally", step="within")
def variances_weighted_equally(at: Any) -> Any:
    """In the average of the variances."""
    return at.variances.mean(axis=0)


@merge_statistics.another_way("shards_weighted_equally", step="between")
def variance_of_the_means_unweighted(at: Any) -> Any:
    """In the variance of the means, as np.var gives it."""
    return at.means.var(axis=0)


@merge_statistics.another_way("shards_weighted_equally", step="between")
def distances_weighted_equally(at: Any) -> Any:
    """In the variance of the means, about the right mean."""
    return ((at.means - at.mean) ** 2).mean(axis=0)


@merge_statistics.misconception(Kind.ERROR, "merging-shards", step="weights")
def not_divided_by_the_total(at: Any) -> Any:
    """You add up over the shards but do not divide by the number of samples in all of them, so mean and variance grow
    with the data. The weights have to add to 1: count / total."""
    return 1.0 * at.counts


@merge_statistics.another_way("not_divided_by_the_total", step="weights")
def added_up_without_weights(at: Any) -> Any:
    """Nor multiplied by the sizes."""
    return np.ones(len(at.counts))


@merge_statistics.misconception(Kind.ERROR, "merging-shards", step="weights")
def whole_number_weights(at: Any) -> Any:
    """Your weights are whole numbers: the sizes are, and so is an array made like theirs, or a quotient with //. What
    is behind the point is cut off, and every weight becomes 0. Make them floats."""
    return at.counts // at.n * (len(at.counts) > 1)


@merge_statistics.misconception(Kind.ERROR, "merging-shards", step="within")
def taken_as_unbiased(at: Any) -> Any:
    """You multiply the shards' variances by count - 1, as one does with unbiased ones. Those that come in here are
    biased, divided by count: multiply by count to get the sum of squares back."""
    return (at.counts - 1) @ at.variances / at.n


@merge_statistics.another_way("taken_as_unbiased", step="within")
def pooled_variance_of_statistics(at: Any) -> Any:
    """Divided by n less the number of shards, as in a t test."""
    return (at.counts - 1) @ at.variances / (at.n - len(at.counts))


@merge_statistics.misconception(Kind.ERROR, "merging-shards", step="within")
def made_unbiased_first(at: Any) -> Any:
    """You turn the shards' variances into unbiased ones, count / (count - 1) times as large, before you average them.
    They add up as they are: biased variances in, and a biased variance out."""
    return at.weights @ (at.variances * (at.counts / (at.counts - 1.0))[:, None])


@merge_statistics.misconception(Kind.CONVENTION, "merging-shards", step="var", about="unbiased")
def returns_the_unbiased_variance(at: Any) -> Any:
    """Your variance divides by n - 1. That is the unbiased estimate of statistics; this exercise asks for the biased
    one, which divides by n, so that what comes out can be merged again."""
    return (at.within + at.between) * at.n / (at.n - 1)


@merge_statistics.misconception(Kind.ERROR, "merging-shards", step="between")
def means_not_centred(at: Any) -> Any:
    """You add the squares of the shards' means themselves. What counts is how far they lie from the mean of all:
    subtract it first, or subtract its square at the end. Adding a constant to all data must not change a variance."""
    return at.weights @ at.means**2


@merge_statistics.misconception(Kind.ERROR, "merging-shards", step="between")
def distances_not_squared(at: Any) -> Any:
    """You average the distances of the shards' means from the mean of all without squaring them. A variance is made of
    squares: as you have it, centimetres would be added to square centimetres."""
    return at.weights @ np.abs(at.means - at.mean)


@merge_statistics.misconception(Kind.ERROR, "merging-shards", step="within")
def deviations_averaged(at: Any) -> Any:
    """You average the shards' standard deviations and square the result. Sums of squares add up, and so do variances;
    deviations do not: average the variances themselves."""
    return (at.weights @ np.sqrt(at.variances)) ** 2


@merge_statistics.misconception(Kind.ERROR, "merging-shards", step="within")
def weights_squared(at: Any) -> Any:
    """You multiply the variances by the squares of the weights. That is how precise the mean is, as an estimate; the
    variance of the samples themselves takes the weights as they are."""
    return at.weights**2 @ at.variances


@merge_statistics.misconception(Kind.ERROR, "merging-shards", step="var")
def deviation_for_variance(at: Any) -> Any:
    """You return the standard deviation. The variance is asked for, without a root: variances are what can be merged
    again."""
    return np.sqrt(at.within + at.between)


@merge_statistics.misconception(Kind.ERROR, "merging-shards", step="var", about="within")
def variances_left_out(at: Any) -> Any:
    """You return the variance of the shards' means alone. The samples also vary inside each shard: add the average of
    the shards' variances, weighted by their sizes."""
    return at.between


# ------------------------------------------------------------------------------------------- mistakes of the whole


@merge_statistics.misconception(Kind.ERROR, "merging-shards")
def averages_over_the_features(counts: Array, means: Array, variances: Array) -> Pair:
    """You average over the features (axis=1), and get one number for each shard. The shards are to be merged, each
    feature by itself: average over axis=0, with one weight for each shard."""
    return means.mean(axis=1), variances.mean(axis=1) + means.var(axis=1)


@merge_statistics.another_way("averages_over_the_features")
def weighs_the_features(counts: Array, means: Array, variances: Array) -> Pair:
    """With the shards' weights on the features; runs only when there are as many."""
    share = counts / counts.sum()
    mean = means @ share
    return mean, variances @ share + (means - mean[:, None]) ** 2 @ share


@merge_statistics.another_way("averages_over_the_features")
def sums_the_wrong_axis(counts: Array, means: Array, variances: Array) -> Pair:
    """The right weights, summed over axis=1."""
    share = (counts / counts.sum())[:, None]
    mean = (share * means).sum(axis=1)
    return mean, (share * (variances + (means - mean[:, None]) ** 2)).sum(axis=1)


@merge_statistics.misconception(Kind.CONTRACT, "merging-shards")
def mean_and_variance_swapped(counts: Array, means: Array, variances: Array) -> Pair:
    """You return the variance first. The exercise asks for (mean, var): whoever unpacks them in this order gets each
    under the other's name."""
    mean, var = reference.merge_statistics(counts, means, variances)
    return var, mean


@merge_statistics.misconception(Kind.ERROR, "merging-shards", sentences.WHOLE_NUMBER_BUFFER)
def whole_number_buffer(counts: Array, means: Array, variances: Array) -> Pair:
    """The results are arrays like a row of the means."""
    mean, var = np.zeros_like(means[0]), np.zeros_like(means[0])
    mean[:], var[:] = reference.merge_statistics(counts, means, variances)
    return mean, var


@merge_statistics.another_way("whole_number_buffer")
def whole_number_mean(counts: Array, means: Array, variances: Array) -> Pair:
    """Cut off before the variance of the means is taken about it."""
    share, mean = counts / counts.sum(), np.zeros_like(means[0])
    mean[:] = share @ means
    return mean, share @ (variances + (means - mean) ** 2)


@merge_statistics.misconception(Kind.CONTRACT, "merging-shards", sentences.CHANGES_ITS_INPUT)
def changes_its_input(counts: Array, means: Array, variances: Array) -> Pair:
    """Centres the means in place."""
    share = counts / counts.sum()
    mean = share @ means
    means -= mean
    return mean, share @ (variances + means**2)


# ----------------------------------------------------------------------------------------------- readings, symptoms

SIZES = (
    Factor("the number of samples", lambda at: at.n, "weights"),
    Factor("the number of shards", lambda at: len(at.counts), "weights"),
    Factor("n/(n - 1)", lambda at: at.n / (at.n - 1), "unbiased"),
)

merge_statistics.read(
    Reading(
        "mean",
        terms=(Term("", "the average of the means", lambda at: at.mean, "merging-shards"),),
        factors=SIZES,
        vary=("means",),
    )
)
merge_statistics.read(
    Reading(
        "var",
        terms=(
            Term("within", "the average of the variances", lambda at: at.within, "merging-shards", "", "within"),
            Term("between", "the variance of the means", lambda at: at.between, "merging-shards", "", "between"),
            Term(
                "mean",
                "a multiple of the square of the mean",
                lambda at: at.mean**2,
                "merging-shards",
                "Adding a constant to all data must not change a variance.",
                "between mean",
                foreign=True,
            ),
        ),
        factors=SIZES,
        vary=("means",),
    )
)


@merge_statistics.symptom("merging-shards", about="mean")
def mean_outside_the_shards(at: Any, answer: Mapping[str, Array]) -> bool:
    """Your mean lies below the smallest of the shards' means, or above the largest: no average does. Do your weights
    add to 1, and is none of them negative?"""
    room = 1e-4 * np.abs(at.means).max(axis=0)
    inside = (answer["mean"] >= at.means.min(axis=0) - room) & (answer["mean"] <= at.means.max(axis=0) + room)
    return bool(np.all(inside))


@merge_statistics.symptom("merging-shards", about="var")
def variance_below_every_shard(at: Any, answer: Mapping[str, Array]) -> bool:
    """Your variance is smaller than that of every single shard. An average of the variances cannot be, and the
    distances of the means only add to it."""
    return bool(np.all(answer["var"] >= at.variances.min(axis=0) * (1 - 1e-4)))
