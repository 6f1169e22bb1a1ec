"""What is asked of `experiment`, and how is it got wrong?

A stand-in is trained: it answers with planted numbers, so that every number in the answer says which run it is from.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from .. import sentences
from ..answers import Array
from ..asking import Asked, Refused
from ..calling import Signature
from ..draw import Draw
from ..exercise import Arguments, Exercise, Kind, Problem
from .stand_ins import QUANTITIES, StandIn, simple_trainer, trainer

SECTION = "evidence-rules"
Pair = tuple[Array, Array]


def measured(train: Callable[[str, Any], Mapping[str, Any]], arm: str, seeds: Any, quantity: str) -> Array:
    """One number of every run of an arm."""
    return np.array([train(arm, seed)[quantity] for seed in seeds])


def reference(train: Any, seeds: Any, quantity: str) -> Pair:
    """Both arms on every seed: two arrays (n,), seed by seed."""
    return measured(train, "bn", seeds, quantity), measured(train, "plain", seeds, quantity)


def some_seeds(draw: Draw, count: int) -> Array:
    """Seeds that nobody would take by themselves, in no order."""
    seeds: Array = draw.random.permutation(np.arange(20, 90))[:count]
    return seeds


def train_and_seeds(draw: Draw, problem: Problem) -> Arguments:
    """A stand-in, N seeds, a quantity; with ``low`` the plain arm diverges on one of them, not the last."""
    seeds = some_seeds(draw, problem.N)
    diverging = [int(seeds[0])] if problem.low else []
    quantity = QUANTITIES[problem.D % len(QUANTITIES)]
    return trainer(int(draw.random.integers(2**31)), diverging), seeds, quantity


def size_of_numbers(arguments: Arguments) -> Mapping[str, Array]:
    """They are handed on as they are."""
    return dict.fromkeys(("bn", "plain"), np.asarray(100.0))


TEST_ACCURACY = QUANTITIES.index("test_accuracy")
ONE, TWO = np.array([1]), np.array([1, 2])

experiment = Exercise(
    Signature("experiment", ("train", "seeds", "quantity"), ("bn", "plain"), reference),
    problem=train_and_seeds,
    scale=size_of_numbers,
    section=SECTION,
    axes={"seeds": "N"},
    smallest=(
        (simple_trainer(), ONE, "speed"),
        (simple_trainer(), TWO, "speed"),
        (simple_trainer(), ONE, "test_accuracy"),
        (simple_trainer(), ONE, "train_accuracy"),
        (simple_trainer((1,)), ONE, "speed"),
        (simple_trainer((1,)), TWO, "speed"),
    ),
    probes=(Problem(5, 0), Problem(4, 1), Problem(6, 2), Problem(3, 3)),
    whole_probes=(),
)
exercise = experiment


def steady(draw: Draw, count: int, place: int = TEST_ACCURACY) -> Arguments:
    """A problem in which no run diverges."""
    return train_and_seeds(draw, Problem(count, place, low=False))


@exercise.property(points=2, nudge="How many numbers come back for each arm, if five seeds are handed in?")
def one_number_for_each_seed(f: Asked, draw: Draw) -> None:
    """answers with two arrays (bn, plain), each with one number for every seed it was given"""
    for count in (5, 2):
        f(steady(draw, count))


@exercise.property(points=3, nudge="Which run does the second number of your first array come from?")
def measures_the_arm_with_batch_norm(f: Asked, draw: Draw) -> None:
    """puts what train("bn", seed) measured in the first array, seed by seed"""
    for count in (5, 8):
        f.agrees(steady(draw, count), only=("bn",))


@exercise.property(points=4, nudge="For which seeds do you train the plain network? Are they those of the other arm?")
def measures_the_plain_arm_on_the_same_seeds(f: Asked, draw: Draw) -> None:
    """puts what train("plain", seed) measured on the same seeds in the second array, in the same order"""
    for count in (5, 8):
        f.agrees(steady(draw, count), only=("plain",))


@exercise.property(points=3, nudge="train gives several numbers. Which of them did you say beforehand you would judge?")
def measures_what_was_declared(f: Asked, draw: Draw) -> None:
    """reads the quantity that it is told to read, whichever it is"""
    for place in range(len(QUANTITIES)):
        f.agrees(steady(draw, 4, place))


@exercise.property(points=2, nudge="What does your function do with a run that diverged?")
def keeps_runs_that_diverged(f: Asked, draw: Draw) -> None:
    """keeps a run that diverged, with the number that train gives for it: to diverge is a result"""
    for count in (5, 6):
        f.agrees(train_and_seeds(draw, Problem(count, TEST_ACCURACY)))


@exercise.property(
    points=1,
    needs="measures_the_plain_arm_on_the_same_seeds",
    nudge="How often is train called for one arm and one seed?",
)
def trains_each_network_once(f: Asked, draw: Draw) -> None:
    """trains each arm once for each seed: a real run costs time, and nobody picks among several"""
    arguments = steady(draw, 4)
    train: StandIn = arguments[0]
    f(arguments)
    f.outcome(arguments)  # again, since the reference was asked last
    calls = list(train.calls)
    wanted = {(arm, int(seed)) for arm in ("bn", "plain") for seed in arguments[1]}
    if len(calls) != len(wanted) or {(arm, int(seed)) for arm, seed in calls} != wanted:
        raise Refused(f"train was called {len(calls)} times for 4 seeds, expected 8: each arm once for each seed.")


@exercise.property(
    points=1, needs="measures_the_arm_with_batch_norm", nudge="Is the array of seeds the same after your function ran?"
)
def inputs_stay(f: Asked, draw: Draw) -> None:
    """leaves the seeds as they were"""
    arguments = steady(draw, 4)
    f(arguments)
    if f.outcome(arguments).changed:
        raise Refused("seeds is not what it was before the call. Work on a copy.")


# ------------------------------------------------------------------------------------------------------------ its steps

steps = exercise.in_steps()


@steps.step
def bn_seeds(at: Any) -> Any:
    """the seeds of the arm with batch normalization: all that were given"""
    return at.seeds


@steps.step
def plain_seeds(at: Any) -> Any:
    """the seeds of the plain arm: the same"""
    return at.seeds


@steps.step
def bn(at: Any) -> Any:
    """what was measured with batch normalization, seed by seed"""
    return measured(at.train, "bn", at.bn_seeds, at.quantity)


@steps.step
def plain(at: Any) -> Any:
    """what was measured without, seed by seed"""
    return measured(at.train, "plain", at.plain_seeds, at.quantity)


# ------------------------------------------------------------------------------------------------------------ the seeds


@exercise.misconception(Kind.ERROR, SECTION, step="plain_seeds")
def different_seeds_in_the_arms(at: Any) -> Any:
    """You train the plain arm on other seeds. The two runs of a pair then differ in data, weights and batches too, and
    that luck stays in the difference. With the same seed in both arms it cancels."""
    return at.seeds + 1


@exercise.misconception(Kind.ERROR, SECTION, step="plain_seeds", about="order")
def plain_arm_in_another_order(at: Any) -> Any:
    """You train both arms on the same seeds, but not in the same order. The third number of one array must be the
    partner of the third number of the other: only pairs of one seed can be subtracted."""
    return at.seeds[::-1]


for how in (
    lambda at: at.seeds + len(at.seeds),
    lambda at: at.seeds + 100,
    lambda at: at.seeds + 1000,
    lambda at: at.seeds + 10,
):
    exercise.another_way("different_seeds_in_the_arms", step="plain_seeds")(how)
exercise.another_way("plain_arm_in_another_order", step="plain_seeds")(lambda at: np.sort(at.seeds))
exercise.another_way("plain_arm_in_another_order", step="plain_seeds")(lambda at: np.roll(at.seeds, 1))


def on(choose: Callable[[Any], Any], other: Callable[[Any], Any] | None = None) -> Callable[..., Pair]:
    """An experiment on other seeds than those given; the plain arm maybe on others still."""

    def answer(train: Any, seeds: Any, quantity: str) -> Pair:
        return (
            measured(train, "bn", choose(seeds), quantity),
            measured(train, "plain", (other or choose)(seeds), quantity),
        )

    return answer


@exercise.misconception(Kind.ERROR, SECTION, about="bn_seeds plain_seeds")
def the_same_seed_every_time(train: Any, seeds: Any, quantity: str) -> Pair:
    """You train on one and the same seed again and again. The numbers are then all alike, and the interval shrinks to a
    point: it looks certain, and says nothing about another seed. Take each seed once."""
    return on(lambda seeds: np.full(len(seeds), seeds[0]))(train, seeds, quantity)


@exercise.misconception(Kind.ERROR, SECTION, about="bn_seeds plain_seeds")
def seeds_of_your_own(train: Any, seeds: Any, quantity: str) -> Pair:
    """You train on seeds of your own, such as 0, 1, 2, and not on those that are handed in. Which seeds are judged is
    said beforehand, by who calls the function: otherwise they could be chosen after a look."""
    return on(lambda seeds: np.arange(len(seeds)))(train, seeds, quantity)


exercise.another_way("seeds_of_your_own")(on(lambda seeds: np.arange(1, len(seeds) + 1)))
for always in (0, 1, 42):
    exercise.another_way("the_same_seed_every_time")(on(partial(np.full_like, fill_value=always)))


@exercise.misconception(Kind.ERROR, SECTION, about="bn_seeds plain_seeds")
def half_the_seeds_for_each_arm(train: Any, seeds: Any, quantity: str) -> Pair:
    """You give half of the seeds to one arm and half to the other. Then no two runs belong together, and all that
    differs between seeds stays in the comparison. Every seed is for both arms."""
    return on(lambda seeds: seeds[: len(seeds) // 2], lambda seeds: seeds[len(seeds) // 2 :])(train, seeds, quantity)


exercise.another_way("half_the_seeds_for_each_arm")(on(lambda seeds: seeds[::2], lambda seeds: seeds[1::2]))


# --------------------------------------------------------------------------------------------------------- the quantity


@exercise.misconception(Kind.ERROR, SECTION, about="bn plain")
def quantity_ignored(train: Any, seeds: Any, quantity: str) -> Pair:
    """You always read the same quantity, whichever is asked for. What is judged is declared before the run; accuracy on
    the training data, for one, can rise where nothing is gained on new data. Use the argument."""
    return reference(train, seeds, "test_accuracy")


for name in ("train_accuracy", "validation_accuracy", "speed"):
    exercise.another_way("quantity_ignored")(lambda train, seeds, quantity, name=name: reference(train, seeds, name))


@exercise.misconception(Kind.ERROR, SECTION, about="bn plain")
def one_arm_twice(train: Any, seeds: Any, quantity: str) -> Pair:
    """You train the same arm twice, so both arrays are alike, and so every effect is 0. The first array belongs to
    train("bn", seed), the second to train("plain", seed)."""
    numbers = measured(train, "bn", seeds, quantity)
    return numbers, numbers.copy()


@exercise.another_way("one_arm_twice")
def plain_twice(train: Any, seeds: Any, quantity: str) -> Pair:
    """The other one."""
    numbers = measured(train, "plain", seeds, quantity)
    return numbers, numbers.copy()


# ------------------------------------------------------------------------------------------------------- what is kept


@exercise.misconception(Kind.ERROR, SECTION, about="bn plain")
def divergence_dropped(train: Any, seeds: Any, quantity: str) -> Pair:
    """You leave out the runs that diverged. That flatters the arm that diverges, which is just what the claim may be
    about; and it leaves the other arm's run without its partner. Keep every run."""
    runs = [(train("bn", seed), train("plain", seed)) for seed in seeds]
    kept = [(bn, plain) for bn, plain in runs if not bn["diverged"] and not plain["diverged"]]
    return np.array([bn[quantity] for bn, _ in kept]), np.array([plain[quantity] for _, plain in kept])


@exercise.another_way("divergence_dropped")
def in_its_own_arm(train: Any, seeds: Any, quantity: str) -> Pair:
    """Arrays of two lengths."""
    runs = {arm: [train(arm, seed) for seed in seeds] for arm in ("bn", "plain")}
    bn, plain = (np.array([run[quantity] for run in arm if not run["diverged"]]) for arm in runs.values())
    return bn, plain


def put_for_divergence(number: float) -> Callable[..., Pair]:
    """Another number in place of a run's that diverged."""

    def answer(train: Any, seeds: Any, quantity: str) -> Pair:
        runs = {arm: [train(arm, seed) for seed in seeds] for arm in ("bn", "plain")}
        bn, plain = (np.array([number if run["diverged"] else run[quantity] for run in arm]) for arm in runs.values())
        return bn, plain

    return answer


exercise.another_way("divergence_dropped")(put_for_divergence(np.nan))


@exercise.misconception(Kind.ERROR, SECTION, about="bn plain")
def divergence_counted_as_zero(train: Any, seeds: Any, quantity: str) -> Pair:
    """You put 0 in place of a run that diverged. train says already what such a run is worth: a network that diverged
    still guesses, and gets one in ten right. Hand on the number that train gives."""
    return put_for_divergence(0.0)(train, seeds, quantity)


@exercise.misconception(Kind.ERROR, SECTION, about="bn plain bn_seeds plain_seeds")
def tried_again_until_it_trains(train: Any, seeds: Any, quantity: str) -> Pair:
    """You try another seed when a run diverges. That picks the lucky runs of the arm that diverges, and
    it then looks as good as one that never does. A run that diverged is a result: keep it."""

    def lucky(arm: str, seed: Any) -> Any:
        run = train(arm, seed)
        return run if not run["diverged"] else lucky(arm, seed + 1)

    return reference(lucky, seeds, quantity)


@exercise.misconception(Kind.ERROR, SECTION, about="bn plain")
def best_run_picked(train: Any, seeds: Any, quantity: str) -> Pair:
    """You keep the best run of each arm only. The best of five is a lucky one, and the arm that scatters more wins by
    scattering. Keep the number of every seed; what they say together is the interval's affair."""
    bn, plain = reference(train, seeds, quantity)
    return bn.max(), plain.max()


@exercise.another_way("best_run_picked")
def best_run_repeated(train: Any, seeds: Any, quantity: str) -> Pair:
    """As often as there are seeds."""
    bn, plain = reference(train, seeds, quantity)
    return np.full(len(bn), bn.max()), np.full(len(plain), plain.max())


@exercise.misconception(Kind.ERROR, SECTION, about="bn plain order")
def runs_sorted(train: Any, seeds: Any, quantity: str) -> Pair:
    """You sort the numbers of each arm. Then the best run stands beside the best, and no longer beside the run of the
    same seed: the pairs are gone. Keep the order of the seeds."""
    bn, plain = reference(train, seeds, quantity)
    return np.sort(bn), np.sort(plain)


exercise.another_way("runs_sorted")(
    lambda train, seeds, quantity: tuple(np.sort(one)[::-1] for one in reference(train, seeds, quantity))
)


@exercise.misconception(Kind.ERROR, SECTION, about="bn plain")
def averages_over_the_seeds(train: Any, seeds: Any, quantity: str) -> Pair:
    """You return the mean of each arm. How much the numbers scatter is lost, and who was whose partner: without both
    there is no interval. Return one number for each seed."""
    bn, plain = reference(train, seeds, quantity)
    return bn.mean(), plain.mean()


@exercise.misconception(Kind.CONTRACT, SECTION, sentences.CHANGES_ITS_INPUT)
def changes_its_input(train: Any, seeds: Any, quantity: str) -> Pair:
    """Counts the seeds off."""
    found = reference(train, seeds, quantity)
    seeds[:] = 0
    return found
