"""What is asked of `update_running_stats`, and how is it got wrong?"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from ... import functional as reference
from .. import quantities as q
from .. import sentences
from ..answers import Array
from ..asking import Asked, Refused, truth
from ..calling import Signature
from ..draw import Draw
from ..exercise import Arguments, Exercise, Kind, Problem
from ..inputs import ALIKE, EPS, FOUR, MANY, ONE, ROUGHLY, SIX, TWO, WHOLE, leaves_alone
from ..reading import Factor, Reading, Term
from .inputs import HALF, MOMENTUM, old_and_new, old_statistics, scale_of_update

Pair = tuple[Array, Array]

update_running_stats = Exercise(
    Signature(
        "update_running_stats",
        ("running_mean", "running_var", "x", "momentum"),
        ("new_mean", "new_var"),
        reference.update_running_stats,
    ),
    problem=old_and_new,
    scale=scale_of_update,
    section="running-statistics",
    axes={"running_mean": "D", "running_var": "D", "x": "ND"},
    smallest=(
        (0 * ONE, ONE, TWO, 0.25),
        (4 * ONE, 6 * ONE, TWO, 0.25),
        (0 * ONE, ONE, TWO),
        (0 * ONE, ONE, ALIKE, 0.5),
        (0 * ONE, ONE, WHOLE, 0.5),
        (np.zeros(2), np.ones(2), FOUR, 0.25),
        (np.zeros(2), np.ones(2), SIX, 0.25),
    ),
    probes=(Problem(7, 3, eps=0.3), Problem(4, 4, eps=0.2), Problem(3, 5), Problem(6, 6)),
)


def batch_of(draw: Draw, x: Array, momentum: float) -> Arguments:
    """This batch after some others."""
    return (*old_statistics(draw, x), x, momentum)


def either_way_round(f: Asked, arguments: Arguments, within: float | None = None, only: Collection[str] = ()) -> None:
    """Refuse an answer that is right neither with momentum as the weight of the new value nor with that of the old."""

    def exchanged(arguments: Arguments) -> Mapping[str, Array]:
        return truth(f.exercise, (*arguments[:3], 1 - arguments[3]))

    try:
        f.agrees(arguments, within, only)
    except Refused as refused:
        try:
            Asked(f.functions, f.exercise, exchanged).agrees(arguments, within, only)
        except Refused:
            raise refused from None


@update_running_stats.property(points=0.5)
def two_arrays_of_statistics(f: Asked, draw: Draw) -> None:
    """answers with two arrays of shape (D,), the new running mean and the new running variance"""
    f(old_and_new(draw, Problem(7, 3)))


@update_running_stats.property(
    points=2.5,
    nudge="Which two means stand in the average that is asked for, and what do their weights add up to?",
)
def averages_old_and_new_mean(f: Asked, draw: Draw) -> None:
    """moves the running mean towards the mean of the batch: momentum and 1 - momentum are the weights"""
    either_way_round(f, old_and_new(draw, Problem(MANY, 3, eps=0.1, low=False)), only=("new_mean",))


@update_running_stats.property(
    points=3,
    nudge="Which two variances stand in the average that is asked for? About which mean is the batch's taken?",
)
def averages_old_and_new_variance(f: Asked, draw: Draw) -> None:
    """moves the running variance towards the variance of the batch, with the same weights"""
    either_way_round(f, old_and_new(draw, Problem(MANY, 3, eps=0.1, low=False)), within=ROUGHLY, only=("new_var",))


@update_running_stats.property(
    points=1.5,
    nudge="What should come out if somebody calls your function with another momentum than 0.1? What does?",
)
def follows_momentum(f: Asked, draw: Draw) -> None:
    """uses the momentum it was given, also another than 0.1"""
    either_way_round(f, old_and_new(draw, Problem(MANY, 3, eps=0.3, low=False)), within=ROUGHLY)


@update_running_stats.property(
    points=0.5,
    section="running-conventions",
    nudge="With a momentum of 0.25, which of the two gets a quarter of the weight, the old value or the new one?",
)
def momentum_weighs_the_new(f: Asked, draw: Draw) -> None:
    """gives the weight momentum to the batch, and 1 - momentum to the old value"""
    f.agrees(old_and_new(draw, Problem(MANY, 3, eps=0.25, low=False)), within=ROUGHLY)


@update_running_stats.property(
    points=0.5,
    section="running-conventions",
    nudge="Which momentum do you use when the caller gives none?",
)
def default_momentum(f: Asked, draw: Draw) -> None:
    """uses momentum = 0.1 when none is given"""
    f.agrees(old_and_new(draw, Problem(MANY, 3, low=False)), within=ROUGHLY)


@update_running_stats.property(
    points=0.5,
    section="running-conventions",
    nudge="The running variance estimates that of all data from a few samples. Divided by N, is it too small or too "
    "large on average?",
)
def stores_the_unbiased_variance(f: Asked, draw: Draw) -> None:
    """takes the unbiased variance of the batch: divides by N - 1"""
    f.agrees(batch_of(draw, draw.batch(5, 3), HALF), within=ROUGHLY, only=("new_var",))


@update_running_stats.property(points=0.5)
def updates_to_rounding(f: Asked, draw: Draw) -> None:
    """is right to rounding for batches of any shape, also when N = D"""
    for N, D in ((7, 3), (4, 4), (3, 5)):
        f.agrees(batch_of(draw, draw.batch(N, D, low=True), HALF))


@update_running_stats.property(
    points=1,
    nudge="What is the variance of a feature that is the same in every sample? What then remains of the average?",
)
def constant_feature_adds_nothing(f: Asked, draw: Draw) -> None:
    """adds nothing to the running variance for a feature that never varies"""
    x = np.tile([1.0, -2.0, 4.0], (5, 1))  # exact in binary, whatever the order
    running_mean, running_var = draw.away_from_zero(3), draw.random.uniform(2.0, 5.0, 3)
    f.agrees((running_mean, running_var, x, HALF), only=("new_var",))
    f.agrees((running_mean, running_var, 0.0 * x, HALF))  # nothing but zeros, too


@update_running_stats.property(points=0.5)
def updates_from_whole_numbers(f: Asked, draw: Draw) -> None:
    """takes whole numbers without losing what is behind the point"""
    arguments = batch_of(draw, draw.whole_numbers(MANY, 3, largest=1), HALF)  # a variance below 1: cut off, it is 0
    f.agrees(arguments, only=("new_mean",))
    f.agrees(arguments, within=ROUGHLY, only=("new_var",))


@update_running_stats.property(points=1, needs="averages_old_and_new_mean")
def update_leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """answers with new arrays and leaves running_mean, running_var and x as they were"""
    leaves_alone(f, old_and_new(draw, Problem(5, 3, eps=0.3)))


# --------------------------------------------------------------------------------------------------------- its steps

steps = update_running_stats.in_steps(momentum=MOMENTUM)


@steps.step
def N(at: Any) -> Any:
    """the number of samples"""
    return len(at.x)


@steps.step
def old_weight(at: Any) -> Any:
    """the weight of the old value, 1 - momentum"""
    return 1.0 - at.momentum


@steps.step
def new_weight(at: Any) -> Any:
    """the weight of the batch's value, momentum"""
    return at.momentum


@steps.step
def mean(at: Any) -> Any:
    """the mean of each feature over the batch"""
    return at.x.sum(axis=0) / at.N


@steps.step
def new_mean(at: Any) -> Any:
    """old_weight times the old running mean, plus new_weight times the mean of the batch"""
    return at.old_weight * at.running_mean + at.new_weight * at.mean


@steps.step
def centred(at: Any) -> Any:
    """how far each value lies from the mean of the batch"""
    return at.x - at.mean


@steps.step
def var(at: Any) -> Any:
    """the unbiased variance of the batch: the sum of the squared distances, divided by N - 1"""
    return (at.centred**2).sum(axis=0) / (at.N - 1)


@steps.step
def new_var(at: Any) -> Any:
    """old_weight times the old running variance, plus new_weight times the variance of the batch"""
    return at.old_weight * at.running_var + at.new_weight * at.var


@update_running_stats.misconception(Kind.CONVENTION, "running-conventions", step="momentum")
def momentum_the_other_way_round(at: Any) -> Any:
    """Your momentum is the weight of the old value. So it is in Keras, Flax and ONNX; this course, like PyTorch, gives
    it to the new one: (1 - momentum) * old + momentum * batch. With 0.1 yours forgets nearly everything at once."""
    return 1.0 - at.momentum


@update_running_stats.misconception(Kind.CONVENTION, "running-conventions", step="momentum")
def another_default_momentum(at: Any) -> Any:
    """Your momentum is not 0.1 when none is given. Defaults such as 0.9 and 0.99 belong to libraries where momentum is
    the weight of the old value; here it is that of the new one, and 0.1."""
    return at.given.get("momentum", 0.9)


@update_running_stats.misconception(Kind.ERROR, "running-statistics", step="momentum")
def momentum_ignored(at: Any) -> Any:
    """You use a weight of your own and ignore the momentum that is given. It works until somebody calls the function
    with another momentum: use the argument."""
    return MOMENTUM


def with_fixed_momentum(constant: float) -> Callable[[Any], Any]:
    """A weight of its own, whatever is given."""
    return lambda at: constant


def with_other_default(default: float, exchanged: bool) -> Callable[[Any], Any]:
    """Another default, with momentum as the weight of the new value or, exchanged, of the old one."""
    return lambda at: abs(exchanged - at.given.get("momentum", default))


for fixed in (0.9, 0.5, 0.01):
    update_running_stats.another_way("momentum_ignored", step="momentum")(with_fixed_momentum(fixed))
for other in (0.9, 0.99):
    update_running_stats.another_way("momentum_the_other_way_round", step="momentum")(with_other_default(other, True))
for other in (0.99, 0.01):
    update_running_stats.another_way("another_default_momentum", step="momentum")(with_other_default(other, False))


@update_running_stats.misconception(Kind.ERROR, "running-statistics", step="momentum")
def only_the_last_batch(at: Any) -> Any:
    """You return the statistics of this batch and forget the old ones. The running statistics are there to remember
    all batches: average the old value and the new one, with the weights 1 - momentum and momentum."""
    return 1.0


@update_running_stats.misconception(Kind.ERROR, "running-statistics", step="momentum")
def nothing_updated(at: Any) -> Any:
    """You return the running statistics as they came: what you compute from the batch never reaches them. After any
    number of batches they would still be 0 and 1."""
    return 0.0


@update_running_stats.misconception(Kind.ERROR, "running-statistics", step="old_weight")
def old_value_not_scaled_down(at: Any) -> Any:
    """You add to the old value without taking anything of it away, so the running statistics grow with every batch.
    The two weights have to add to 1: the old value is multiplied by 1 - momentum."""
    return 1.0


@update_running_stats.misconception(Kind.ERROR, "running-statistics", step="new_weight")
def batch_added_whole(at: Any) -> Any:
    """You add the batch's statistics with full weight. The two weights have to add to 1: what comes from the batch is
    multiplied by momentum, or else the running statistics become far too large."""
    return 1.0


@update_running_stats.misconception(Kind.ERROR, "running-statistics", step="new_mean")
def mean_not_updated(at: Any) -> Any:
    """You return the running mean as it was. Each batch moves it, just as the running variance, towards its own mean:
    at inference both are needed."""
    return at.running_mean


@update_running_stats.misconception(Kind.ERROR, "running-statistics", step="new_var")
def variance_not_updated(at: Any) -> Any:
    """You return the running variance as it was. Each batch moves it, just as the running mean, towards its own
    variance: at inference both are needed."""
    return at.running_var


@update_running_stats.misconception(Kind.CONVENTION, "running-conventions", step="var")
def biased_running_variance(at: Any) -> Any:
    """Your running variance takes the variance that divides by N. So do Keras, Flax and ONNX; this course, like
    PyTorch, stores the unbiased one, which divides by N - 1: it estimates the variance of all data, not of the
    batch."""
    return (at.centred**2).sum(axis=0) / at.N


@update_running_stats.misconception(Kind.ERROR, "running-statistics", step="var")
def keeps_the_deviation(at: Any) -> Any:
    """You average standard deviations into the running variance. What is stored is the variance, without a root: the
    root is taken at inference, once eps is added, and an average of roots is not the root of an average."""
    return np.sqrt((at.centred**2).sum(axis=0) / (at.N - 1))


@update_running_stats.another_way("keeps_the_deviation", step="var")
def keeps_the_biased_deviation(at: Any) -> Any:
    """As np.std gives it."""
    return np.sqrt((at.centred**2).sum(axis=0) / at.N)


@update_running_stats.misconception(Kind.ERROR, "running-statistics", step="var")
def squares_not_averaged(at: Any) -> Any:
    """You add the squared distances up but do not divide by N - 1, so your running variance grows with the size of the
    batch. A variance is an average."""
    return (at.centred**2).sum(axis=0)


@update_running_stats.misconception(Kind.ERROR, "running-statistics", step="centred")
def variance_about_the_new_running_mean(at: Any) -> Any:
    """You take the variance of the batch about the running mean that you have just updated. It is taken about the
    batch's own mean; about any other it also counts how far the two means lie apart."""
    return at.x - at.new_mean


@update_running_stats.misconception(Kind.ERROR, "running-statistics", step="centred")
def variance_about_the_old_running_mean(at: Any) -> Any:
    """You take the variance of the batch about the old running mean. It is taken about the batch's own mean; about any
    other it also counts how far the two means lie apart."""
    return at.x - at.running_mean


@update_running_stats.misconception(Kind.ERROR, "running-statistics", step="centred")
def squares_not_centred(at: Any) -> Any:
    """You average the squares of x itself. A variance averages the squares of the distances from the mean: subtract
    the mean of the batch first. Adding a constant to x must not change it."""
    return at.x


@update_running_stats.misconception(Kind.ERROR, "running-statistics", step="var", about="eps")
def eps_in_the_running_variance(at: Any) -> Any:
    """You add eps to the running variance. It is stored as it is; eps comes in when inference divides by its root, or
    else it is counted twice."""
    return (at.centred**2).sum(axis=0) / (at.N - 1) + EPS


@update_running_stats.another_way("eps_in_the_running_variance", step="new_var")
def eps_in_the_result(at: Any) -> Any:
    """Added at the end."""
    return at.old_weight * at.running_var + at.new_weight * at.var + EPS


# ------------------------------------------------------------------------------------------- mistakes of the whole


def updated(old: Pair, new: tuple[Any, Any], momentum: float) -> Pair:
    """The formula with whatever statistics."""
    new_mean, new_var = ((1 - momentum) * was + momentum * now for was, now in zip(old, new, strict=True))
    return new_mean, new_var


@update_running_stats.misconception(Kind.ERROR, "running-statistics")
def statistics_along_axis_1(running_mean: Array, running_var: Array, x: Array, momentum: float = MOMENTUM) -> Pair:
    """You take the statistics of each sample over its features (axis=1). There is one running mean and one running
    variance for each feature, over the samples of the batch: axis=0. Your version runs only when N = D."""
    return updated((running_mean, running_var), (x.mean(axis=1), x.var(axis=1, ddof=1)), momentum)


@update_running_stats.another_way("statistics_along_axis_1")
def biased_along_axis_1(running_mean: Array, running_var: Array, x: Array, momentum: float = MOMENTUM) -> Pair:
    """With NumPy's own variance."""
    return updated((running_mean, running_var), (x.mean(axis=1), x.var(axis=1)), momentum)


@update_running_stats.misconception(Kind.ERROR, "running-statistics")
def one_statistic_for_the_matrix(running_mean: Array, running_var: Array, x: Array, momentum: float = MOMENTUM) -> Pair:
    """You take one mean and one variance of the whole matrix. Features have scales of their own, so each column has
    its own running mean and its own running variance: axis=0 in both."""
    return updated((running_mean, running_var), (x.mean(), x.var(ddof=1)), momentum)


@update_running_stats.another_way("one_statistic_for_the_matrix")
def one_biased_statistic(running_mean: Array, running_var: Array, x: Array, momentum: float = MOMENTUM) -> Pair:
    """With NumPy's own variance."""
    return updated((running_mean, running_var), (x.mean(), x.var()), momentum)


@update_running_stats.misconception(Kind.CONTRACT, "running-statistics")
def mean_and_variance_swapped(running_mean: Array, running_var: Array, x: Array, momentum: float = MOMENTUM) -> Pair:
    """You return the variance first. The exercise asks for the new running mean first and the new running variance
    after it; whoever unpacks them gets each under the other's name."""
    new_mean, new_var = reference.update_running_stats(running_mean, running_var, x, momentum)
    return new_var, new_mean


@update_running_stats.misconception(Kind.ERROR, "running-statistics", sentences.WHOLE_NUMBER_BUFFER)
def whole_number_buffer(running_mean: Array, running_var: Array, x: Array, momentum: float = MOMENTUM) -> Pair:
    """The statistics of the batch are arrays like a row of x."""
    mean, var = np.zeros_like(x[0]), np.zeros_like(x[0])
    mean[:], var[:] = x.mean(axis=0), x.var(axis=0, ddof=1)
    return updated((running_mean, running_var), (mean, var), momentum)


@update_running_stats.another_way("whole_number_buffer")
def whole_number_results(running_mean: Array, running_var: Array, x: Array, momentum: float = MOMENTUM) -> Pair:
    """The results are arrays like a row of x."""
    new = np.zeros_like(x[:2])
    new[0], new[1] = reference.update_running_stats(running_mean, running_var, x, momentum)
    return new[0], new[1]


@update_running_stats.misconception(Kind.CONTRACT, "running-statistics")
def changes_its_input(running_mean: Array, running_var: Array, x: Array, momentum: float = MOMENTUM) -> Pair:
    """You change an array you were given, by an in-place operation such as `running_mean *= ...` or
    `running_mean[:] = ...`. It belongs to the caller, who may compare the old statistics with the new: make new
    arrays."""
    running_mean *= 1 - momentum
    running_mean += momentum * x.mean(axis=0)
    running_var *= 1 - momentum
    running_var += momentum * x.var(axis=0, ddof=1)
    return running_mean, running_var


# ----------------------------------------------------------------------------------------------- readings, symptoms

WEIGHTS = (
    Factor("momentum", lambda at: at.momentum, "momentum"),
    Factor("(1 - momentum)", lambda at: 1.0 - at.momentum, "momentum"),
    q.N,
    q.UNBIASED,
)

update_running_stats.read(
    Reading(
        "new_mean",
        terms=(
            Term("old", "the part of the old mean", lambda at: at.old_weight * at.running_mean, "running-statistics"),
            Term("batch", "the part of the batch's mean", lambda at: at.new_weight * at.mean, "running-statistics"),
        ),
        factors=WEIGHTS,
        vary=("x",),
    )
)
update_running_stats.read(
    Reading(
        "new_var",
        terms=(
            Term(
                "old", "the part of the old variance", lambda at: at.old_weight * at.running_var, "running-statistics"
            ),
            Term("batch", "the part of the batch's variance", lambda at: at.new_weight * at.var, "running-statistics"),
        ),
        factors=WEIGHTS,
        vary=("x",),
    )
)


def lies_between(value: Array, one: Array, other: Array) -> bool:
    """Whether every number lies between two others, to the rounding of float32."""
    room = 1e-4 * (np.abs(one) + np.abs(other))
    return bool(np.all((value >= np.minimum(one, other) - room) & (value <= np.maximum(one, other) + room)))


@update_running_stats.symptom("running-statistics", about="new_mean")
def mean_outside_the_two(at: Any, answer: Mapping[str, Array]) -> bool:
    """Your new running mean does not lie between the old one and the mean of the batch, as an average of the two does,
    whatever the weights: is one of the two another number than you think?"""
    return lies_between(answer["new_mean"], at.running_mean, at.mean)


@update_running_stats.symptom("running-statistics", about="new_var")
def variance_outside_the_two(at: Any, answer: Mapping[str, Array]) -> bool:
    """Your new running variance does not lie between the old one and the variance of the batch, as an average of the
    two does, whatever the weights: is one of the two another number than you think?"""
    return lies_between(answer["new_var"], at.running_var, at.var)
