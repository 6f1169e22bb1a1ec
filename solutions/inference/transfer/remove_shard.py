"""What is asked of `remove_shard`, and how is it got wrong?

The law by which shards are merged, solved for one of them. What goes in comes from two shards that are really there, so
that what is left is a variance.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bncourse.checks import sentences
from bncourse.checks.answers import Array
from bncourse.checks.asking import Asked
from bncourse.checks.calling import Signature
from bncourse.checks.draw import Draw
from bncourse.checks.exercise import Arguments, Exercise, Kind, Problem
from bncourse.checks.inputs import ROUGHLY, leaves_alone
from bncourse.functional import merge_statistics

Pair = tuple[Array, Array]
SECTION = "merging-shards"
LARGE = 10_000
"""Times the sizes of small shards: N - 1 for N is then within ROUGHLY, also where little is left of the variance."""


def reference(count: int, mean: Array, var: Array, gone_count: int, gone_mean: Array, gone_var: Array) -> Pair:
    """All sums of squares about the mean of all; then about the mean of the rest."""
    mean, var, gone_mean, gone_var = (np.asarray(one, float) for one in (mean, var, gone_mean, gone_var))
    rest = count - gone_count
    new_mean: Array = (count * mean - gone_count * gone_mean) / rest
    about_the_old = (count * var - gone_count * (gone_var + (gone_mean - mean) ** 2)) / rest
    new_var: Array = about_the_old - (new_mean - mean) ** 2
    return new_mean, new_var


def two_shards(draw: Draw, D: int, times: int = 1, alike: bool = False) -> Arguments:
    """Statistics of all, and of the part that goes: two shards of different size; ``alike``: with the same means."""
    rest, gone = times * int(draw.random.integers(4, 8)), times * int(draw.random.integers(2, 4))
    means = draw.away_from_zero(2 * D, 0.5, 3.0).reshape(2, D)
    means[1] = means[0] if alike else means[0] + draw.away_from_zero(D, 1.0, 3.0)
    variances = draw.deviations(2 * D).reshape(2, D) ** 2
    mean, var = merge_statistics([rest, gone], means, variances)
    return rest + gone, mean, var, gone, means[1].copy(), variances[1].copy()


def whole(draw: Draw, D: int) -> Arguments:
    """Whole numbers, from which no whole numbers come."""
    mean = draw.random.integers(-5, 6, D)
    return 4, mean, draw.random.integers(40, 60, D), 1, mean + draw.random.choice([-4, -2, 2, 4], D), np.zeros(D, int)


def drawn(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of a call."""
    return whole(draw, problem.D) if problem.whole else two_shards(draw, problem.D)


def scale(arguments: Arguments) -> Mapping[str, Array]:
    """As for merging, also by way of the mean of the squares; what is left of all counts, count / rest times."""
    count, mean, var, gone_count, gone_mean, gone_var = arguments
    times = count / (count - gone_count)
    largest = np.abs(mean) + np.abs(gone_mean)
    return {"new_mean": times * largest, "new_var": times**2 * (largest**2 + var + gone_var)}


def column(*numbers: float) -> tuple[Array, ...]:
    """One feature of several statistics."""
    return tuple(np.array([one], float) for one in numbers)


def example(count: int, mean: float, var: float, gone_count: int, gone_mean: float, gone_var: float) -> Arguments:
    """A small call of one feature."""
    m, v, gm, gv = column(mean, var, gone_mean, gone_var)
    return count, m, v, gone_count, gm, gv


remove_shard = Exercise(
    Signature(
        "remove_shard",
        ("count", "mean", "var", "gone_count", "gone_mean", "gone_var"),
        ("new_mean", "new_var"),
        reference,
    ),
    problem=drawn,
    scale=scale,
    section=SECTION,
    axes={"mean": "D", "var": "D", "gone_mean": "D", "gone_var": "D"},
    smallest=(
        example(4, 1, 4, 2, 1, 2),
        example(4, 4.5, 7.25, 2, 7, 1),
        example(5, 4, 7.2, 1, 8, 0),
        (4, np.array([1]), np.array([9]), 1, np.array([3]), np.array([0])),
    ),
    probes=(Problem(0, 3), Problem(1, 4), Problem(2, 5), Problem(3, 1)),
    whole_probes=(Problem(0, 3, whole=True), Problem(1, 2, whole=True)),
)
exercise = remove_shard


@exercise.property(points=0.5)
def two_statistics_of_the_rest(f: Asked, draw: Draw) -> None:
    """answers with (mean, var) of what is left, each with one number per feature, shape (D,)"""
    f(two_shards(draw, 3))


@exercise.property(points=3, nudge="How large is the sum of all samples, and how large that of those that go?")
def gives_the_mean_of_the_rest(f: Asked, draw: Draw) -> None:
    """gives the mean of the samples that are left"""
    for D in (3, 4):
        f.agrees(two_shards(draw, D), within=ROUGHLY, only=("new_mean",))


@exercise.property(points=2, nudge="If both parts have the same mean, what is the sum of squares of the rest?")
def gives_the_variance_where_means_agree(f: Asked, draw: Draw) -> None:
    """gives the variance of the samples that are left, where the part that goes has the mean of all"""
    f.agrees(two_shards(draw, 3, times=LARGE, alike=True), within=ROUGHLY, only=("new_var",))


@exercise.property(points=2.5, nudge="About which mean is each of the three variances taken?")
def takes_the_distances_of_the_means_out(f: Asked, draw: Draw) -> None:
    """takes out of the variance how far the two parts' means lie from that of all"""
    for D in (3, 4):
        f.agrees(two_shards(draw, D, times=LARGE), within=ROUGHLY, only=("new_var",))


@exercise.property(points=1)
def removes_to_rounding(f: Asked, draw: Draw) -> None:
    """is right to rounding, also for small parts, and undoes merge_statistics"""
    for D in (1, 3, 6):
        f.agrees(two_shards(draw, D))


@exercise.property(points=0.5)
def removes_from_whole_numbers(f: Asked, draw: Draw) -> None:
    """takes whole numbers without losing what is behind the point"""
    f.agrees(whole(draw, 3), within=ROUGHLY)


@exercise.property(points=0.5, needs="gives_the_mean_of_the_rest")
def removal_leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves the arrays it is given as they were"""
    leaves_alone(f, two_shards(draw, 3))


# --------------------------------------------------------------------------------------------------------- its steps

steps = exercise.in_steps()


@steps.step
def rest(at: Any) -> Any:
    """the number of samples that are left"""
    return at.count - at.gone_count


@steps.step
def new_mean(at: Any) -> Any:
    """the sum of all, less the sum of those that go, over the number of the rest"""
    return (at.count * at.mean - at.gone_count * at.gone_mean) / at.rest


@steps.step
def going(at: Any) -> Any:
    """of the part that goes: the mean square distance from the mean of all, its variance plus its mean's distance²"""
    return at.gone_var + (at.gone_mean - at.mean) ** 2


@steps.step
def about_the_old(at: Any) -> Any:
    """of the rest: the mean square distance from the mean of all"""
    return (at.count * at.var - at.gone_count * at.going) / at.rest


@steps.step
def shift(at: Any) -> Any:
    """the squared distance of the rest's mean from the mean of all"""
    return (at.new_mean - at.mean) ** 2


@steps.step
def new_var(at: Any) -> Any:
    """about_the_old minus shift"""
    return at.about_the_old - at.shift


@exercise.misconception(Kind.ERROR, SECTION, step="rest")
def divides_by_the_number_of_all(at: Any) -> Any:
    """You divide by the number of all samples. What is left are count - gone_count of them."""
    return at.count


@exercise.misconception(Kind.ERROR, SECTION, step="new_mean")
def means_not_weighted(at: Any) -> Any:
    """You take the means without their numbers of samples. A sum is count times a mean: subtract sums, then divide by
    the number that is left."""
    return 2 * at.mean - at.gone_mean


@exercise.misconception(Kind.ERROR, SECTION, step="new_mean")
def mean_left_as_it_was(at: Any) -> Any:
    """You return the mean as it was. It contains the samples that go: take their sum, gone_count * gone_mean, out of
    count * mean."""
    return at.mean + 0.0


@exercise.misconception(Kind.ERROR, SECTION, step="going")
def distance_of_the_part_forgotten(at: Any) -> Any:
    """You take out the variance of the part that goes, but not how far its mean lies from the mean of all. To the sum
    of squares of all it contributed both."""
    return at.gone_var


@exercise.misconception(Kind.ERROR, SECTION, step="shift")
def still_about_the_old_mean(at: Any) -> Any:
    """Your variance of the rest is still taken about the mean of all. Its own mean lies elsewhere: subtract the squared
    distance of the two."""
    return 0.0


@exercise.misconception(Kind.ERROR, SECTION, step="shift")
def shift_added(at: Any) -> Any:
    """You add the squared distance of the two means where it has to go. About its own mean the rest varies less than
    about any other point."""
    return -((at.new_mean - at.mean) ** 2)


@exercise.misconception(Kind.ERROR, SECTION, step="going")
def distance_from_the_new_mean(at: Any) -> Any:
    """You measure the part that goes from the mean of the rest. The variance of all is taken about the mean of all, so
    what goes has to be measured from there."""
    return at.gone_var + (at.gone_mean - at.new_mean) ** 2


@exercise.misconception(Kind.ERROR, SECTION, step="about_the_old", about="unbiased")
def taken_as_unbiased(at: Any) -> Any:
    """You multiply the variances by one less than the number of samples, as one does with unbiased ones. Those that
    come in here are biased: multiply by the number itself."""
    going = (at.gone_count - 1) * at.gone_var + at.gone_count * (at.gone_mean - at.mean) ** 2
    return ((at.count - 1) * at.var - going) / at.rest


@exercise.misconception(Kind.ERROR, SECTION, step="new_var")
def deviation_for_variance(at: Any) -> Any:
    """You return the standard deviation. The variance is asked for, without a root."""
    return np.sqrt(at.about_the_old - at.shift)


@exercise.misconception(Kind.ERROR, SECTION)
def merges_once_more(
    count: int, mean: Array, var: Array, gone_count: int, gone_mean: Array, gone_var: Array
) -> tuple[Array, Array]:
    """You merge the part into the whole once more. It is in there already, and has to be taken out."""
    return merge_statistics([count, gone_count], np.stack([mean, gone_mean]), np.stack([var, gone_var]))


@exercise.misconception(Kind.CONTRACT, SECTION)
def mean_and_variance_swapped(
    count: int, mean: Array, var: Array, gone_count: int, gone_mean: Array, gone_var: Array
) -> tuple[Array, Array]:
    """You return the variance first. The exercise asks for (mean, var), in this order."""
    new_mean, new_var = reference(count, mean, var, gone_count, gone_mean, gone_var)
    return new_var, new_mean


@exercise.misconception(Kind.CONTRACT, SECTION, sentences.CHANGES_ITS_INPUT)
def changes_its_input(
    count: int, mean: Array, var: Array, gone_count: int, gone_mean: Array, gone_var: Array
) -> tuple[Array, Array]:
    """Works on the caller's mean."""
    new_mean, new_var = reference(count, mean, var, gone_count, gone_mean, gone_var)
    mean *= count
    return new_mean, new_var
