"""What is asked of `best_rates`, and how is it got wrong?

A fair comparison gives each arm the learning rate that suits it, chosen on data and seeds that are not judged. The
stand-in's table says which rate is best by which quantity, so the rate that comes back tells how it was chosen.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import sentences
from ..answers import Array
from ..asking import Asked, Refused
from ..calling import Signature
from ..draw import Draw
from ..exercise import Arguments, Exercise, Kind, Problem
from ..inputs import leaves_alone
from .experiment import some_seeds
from .stand_ins import ARMS, StandIn, tuner

SECTION = "evidence-rules"
VALIDATION, TEST, TRAINING = "validation_accuracy", "test_accuracy", "train_accuracy"
Rates = tuple[Any, Any]


def scores(train: Any, arm: str, rates: Any, seeds: Any, quantity: str = VALIDATION) -> Array:
    """Of every rate (rows) and every seed (columns), one quantity."""
    return np.array([[train(arm, rate, seed)[quantity] for seed in seeds] for rate in rates])


def best(table: Array, rates: Any) -> Any:
    """The rate with the highest mean over the seeds."""
    return rates[int(np.argmax(table.mean(axis=1)))]


def reference(train: Any, rates: Any, seeds: Any) -> Rates:
    """The best rate of each arm, by its own mean validation accuracy."""
    bn, plain = (best(scores(train, arm, rates, seeds), rates) for arm in ARMS)
    return bn, plain


# ----------------------------------------------------------------------------------------------------------- its tables


def planted(
    draw: Draw,
    places: Mapping[str, tuple[int, int]],
    rates: Array,
    seeds: Array,
    lucky: tuple[tuple[int, ...], ...] = ((), ()),
    common: int | None = None,
) -> dict[str, dict[tuple[str, float, int], float]]:
    """A table of each quantity, in which the rates at these places (of bn, of plain) have the highest mean.

    Where ``lucky`` rates are named (for bn, for plain), they have the best single runs, on the first, the last and a
    middle seed, the last of them best of all, and otherwise bad ones. ``common`` is second best in both arms.
    """
    table: dict[str, dict[tuple[str, float, int], float]] = {}
    for quantity, best_places in places.items():
        table[quantity] = {}
        for arm, place in zip(ARMS, best_places, strict=True):
            numbers = draw.random.uniform(40.0, 55.0, (len(rates), len(seeds)))
            if common is not None and quantity == VALIDATION:
                numbers[common] = draw.random.uniform(74.0, 76.0, len(seeds))
            numbers[place] = draw.random.uniform(84.0, 88.0, len(seeds))
            if quantity == VALIDATION:
                for row, column in zip(lucky[ARMS.index(arm)], (0, -1, len(seeds) // 2), strict=False):
                    numbers[row, column] = draw.random.uniform(90.0, 92.0) + 4.0 * (column > 0)
            for (i, j), number in np.ndenumerate(numbers):
                table[quantity][arm, float(rates[i]), int(seeds[j])] = float(number)
    return table


def train_rates_and_seeds(draw: Draw, problem: Problem) -> Arguments:
    """A grid of D rates, 4 at least, and N seeds; by validation, test and training accuracy other rates are best.

    ``low``: single lucky runs of other rates are better than all.
    """
    D = max(problem.D, 4)
    rates = np.sort(draw.random.uniform(0.01, 3.0, D))
    seeds = some_seeds(draw, problem.N)
    order = draw.random.permutation(D)
    while order[-1] in (0, D // 2, D - 1):  # the plain arm's best: none that one would take untuned
        order = draw.random.permutation(D)
    turned = np.roll(order, 1)
    places = {name: (int(order[k]), int(turned[k])) for k, name in enumerate((VALIDATION, TEST, TRAINING))}
    runs = [tuple(int(one[place % D]) for place in (4, 2, 3)) for one in (order, turned)]
    table = planted(draw, places, rates, seeds, tuple(runs) if problem.low else ((), ()), int(order[1]))
    return tuner(table, "a stand-in for train, with planted numbers"), rates, seeds


def agreeing(draw: Draw, N: int, D: int) -> Arguments:
    """The same, but all quantities and all seeds agree which rate is best: only the arms differ."""
    rates, seeds = np.sort(draw.random.uniform(0.01, 3.0, D)), some_seeds(draw, N)
    bn, plain = draw.random.permutation(D)[:2]
    places = dict.fromkeys((VALIDATION, TEST, TRAINING), (int(bn), int(plain)))
    return tuner(planted(draw, places, rates, seeds), "a stand-in for train, with planted numbers"), rates, seeds


def simple(seeds: Array, *rows: tuple[str, float, tuple[float, ...]]) -> Arguments:
    """A small call: validation accuracy by arm and rate, seed by seed; test accuracy the other way round."""
    rates = np.array(sorted({rate for _, rate, _ in rows}))
    table = {
        (arm, rate, int(seed)): number
        for arm, rate, numbers in rows
        for seed, number in zip(seeds, numbers, strict=True)
    }
    told = "; ".join(f"{arm} at {rate:g}: {', '.join(f'{n:g}' for n in numbers)}" for arm, rate, numbers in rows)
    away = {place: 100.0 - number for place, number in table.items()}
    return tuner({VALIDATION: table, TEST: away, TRAINING: away}, f"validation accuracies: {told}"), rates, seeds


ONE, TWO = np.array([1]), np.array([1, 2])


def size_of_rates(arguments: Arguments) -> Mapping[str, Array]:
    """They are handed on as they are."""
    return dict.fromkeys(("bn", "plain"), np.asarray(np.abs(arguments[1]).max()))


best_rates = Exercise(
    Signature("best_rates", ("train", "rates", "seeds"), ("bn", "plain"), reference),
    problem=train_rates_and_seeds,
    scale=size_of_rates,
    section=SECTION,
    smallest=(
        simple(ONE, ("bn", 1.0, (70,)), ("bn", 2.0, (90,)), ("plain", 1.0, (80,)), ("plain", 2.0, (10,))),
        simple(ONE, ("bn", 1.0, (90,)), ("bn", 2.0, (70,)), ("plain", 1.0, (10,)), ("plain", 2.0, (80,))),
        simple(TWO, ("bn", 1.0, (60, 60)), ("bn", 2.0, (90, 10)), ("plain", 1.0, (10, 90)), ("plain", 2.0, (80, 80))),
        simple(TWO, ("bn", 1.0, (90, 10)), ("bn", 2.0, (60, 60)), ("plain", 1.0, (80, 80)), ("plain", 2.0, (90, 10))),
    ),
    probes=(Problem(3, 5), Problem(4, 6), Problem(5, 5), Problem(3, 7)),
    whole_probes=(),
)
exercise = best_rates


@exercise.property(points=1, nudge="Is what comes back a learning rate, or its place, or its score?")
def two_rates_of_the_grid(f: Asked, draw: Draw) -> None:
    """answers with two rates of the grid (bn, plain)"""
    arguments = agreeing(draw, 2, 4)
    for name, rate in f(arguments).items():
        if not np.any(np.isclose(arguments[1], rate, rtol=1e-6)):
            raise Refused(f"{name} is {float(rate):.4g}, which is not among the rates {np.round(arguments[1], 4)}.")


@exercise.property(points=2, nudge="Which rate does the arm with batch normalization do best with?")
def finds_the_best_of_batch_norm(f: Asked, draw: Draw) -> None:
    """finds the rate that is best for the arm with batch normalization"""
    for N, D in ((2, 4), (3, 6)):
        f.agrees(agreeing(draw, N, D), only=("bn",))


@exercise.property(points=3, nudge="And the plain arm: is it given the same chance, over the whole grid?")
def finds_the_best_of_the_plain_arm(f: Asked, draw: Draw) -> None:
    """finds the rate that is best for the plain arm, by that arm's own runs"""
    for N, D in ((2, 4), (3, 6)):
        f.agrees(agreeing(draw, N, D), only=("plain",))


@exercise.property(points=2, nudge="Which numbers may you look at before the test? What are they for, if you did?")
def chooses_by_validation(f: Asked, draw: Draw) -> None:
    """chooses by validation accuracy, and not by the test accuracy that is judged later"""
    for N, D in ((2, 4), (3, 6)):
        f.agrees(train_rates_and_seeds(draw, Problem(N, D, low=False)))


@exercise.property(points=1, nudge="One rate had a single lucky run. Is it the best?")
def averages_over_the_seeds(f: Asked, draw: Draw) -> None:
    """chooses by the mean over all seeds, not by the luckiest run or by the first"""
    for N, D in ((3, 5), (4, 6)):
        f.agrees(train_rates_and_seeds(draw, Problem(N, D)))


@exercise.property(
    points=1, needs="finds_the_best_of_batch_norm", nudge="How often is train called? Print its arguments."
)
def inputs_stay(f: Asked, draw: Draw) -> None:
    """trains nothing on other seeds than those for tuning, and leaves rates and seeds as they were"""
    arguments = agreeing(draw, 3, 5)
    train: StandIn = arguments[0]
    f(arguments)
    f.outcome(arguments)  # again, since the reference was asked last
    foreign = {int(seed) for _, _, seed in train.calls} - {int(seed) for seed in arguments[2]}
    if foreign:
        raise Refused(f"train was called with the seed {min(foreign)}, which is not among those for tuning.")
    leaves_alone(f, arguments)


# ------------------------------------------------------------------------------------------------------------ its steps

steps = exercise.in_steps()


@steps.step
def bn_scores(at: Any) -> Any:
    """validation accuracy with batch normalization, the mean over the seeds, rate by rate"""
    return scores(at.train, "bn", at.rates, at.seeds).mean(axis=1)


@steps.step
def plain_scores(at: Any) -> Any:
    """validation accuracy of the plain arm, the mean over the seeds, rate by rate"""
    return scores(at.train, "plain", at.rates, at.seeds).mean(axis=1)


@steps.step
def bn(at: Any) -> Any:
    """the rate with the highest score"""
    return at.rates[int(np.argmax(at.bn_scores))]


@steps.step
def plain(at: Any) -> Any:
    """the rate with the highest score, of the plain arm's own"""
    return at.rates[int(np.argmax(at.plain_scores))]


# ------------------------------------------------------------------------------------------------------------- one arm


@exercise.misconception(Kind.ERROR, SECTION, step="plain", about="bn plain rates")
def only_one_arm_tuned(at: Any) -> Any:
    """You tune one arm only and give its rate to the other. The other then runs at a rate that suits its rival, and
    loses by the choice, not by what is compared. Each arm gets the best rate of its own."""
    return at.rates[int(np.argmax(at.bn_scores))]


@exercise.another_way("only_one_arm_tuned", step="bn")
def only_the_plain_arm(at: Any) -> Any:
    """The other way round."""
    return at.rates[int(np.argmax(at.plain_scores))]


exercise.another_way("only_one_arm_tuned", step="plain")(lambda at: at.rates[0])
exercise.another_way("only_one_arm_tuned", step="plain")(lambda at: at.rates[-1])
exercise.another_way("only_one_arm_tuned", step="plain")(lambda at: at.rates[len(at.rates) // 2])


@exercise.misconception(Kind.ERROR, SECTION, about="bn plain rates")
def one_rate_for_both(train: Any, rates: Any, seeds: Any) -> Rates:
    """You choose one rate for both arms, the one that is best on average. It suits neither, and one of them less than
    the other. Each arm gets the best rate of its own."""
    table = scores(train, "bn", rates, seeds) + scores(train, "plain", rates, seeds)
    return best(table, rates), best(table, rates)


# ------------------------------------------------------------------------------------------------------ by which number


def by(quantity: str) -> Any:
    """Choose by another quantity."""

    def answer(train: Any, rates: Any, seeds: Any) -> Rates:
        bn, plain = (best(scores(train, arm, rates, seeds, quantity), rates) for arm in ARMS)
        return bn, plain

    return answer


@exercise.misconception(Kind.ERROR, SECTION, about="bn_scores plain_scores bn plain seeds")
def chosen_on_the_test_data(train: Any, rates: Any, seeds: Any) -> Rates:
    """You choose the rate by test accuracy. The best of seven rates is ahead by luck alone, and the test is to say what
    happens on data that nobody has looked at. Choose by validation accuracy; the test comes once, at the end."""
    return by(TEST)(train, rates, seeds)  # type: ignore[no-any-return]


@exercise.misconception(Kind.ERROR, SECTION, about="bn_scores plain_scores bn plain seeds")
def chosen_on_the_training_data(train: Any, rates: Any, seeds: Any) -> Rates:
    """You choose the rate by training accuracy. That prefers what learns by heart. What is wanted is the rate that does
    best on new data: validation accuracy."""
    return by(TRAINING)(train, rates, seeds)  # type: ignore[no-any-return]


@exercise.misconception(Kind.ERROR, SECTION, about="bn_scores plain_scores bn plain seeds")
def luckiest_run(train: Any, rates: Any, seeds: Any) -> Rates:
    """You choose the rate of the best single run. One lucky seed then decides, and the rate whose runs scatter most has
    the best chances. Take the mean over the seeds for each rate first."""
    bn, plain = (rates[int(np.argmax(scores(train, arm, rates, seeds).max(axis=1)))] for arm in ARMS)
    return bn, plain


@exercise.misconception(Kind.ERROR, SECTION, step="seeds", about="bn_scores plain_scores bn plain seeds")
def first_seed_only(at: Any) -> Any:
    """You look at the first seed only. One run is luck for the most part: take the mean over all the seeds that are
    there for tuning."""
    return at.seeds[:1]


@exercise.misconception(Kind.ERROR, SECTION, about="bn plain rates")
def worst_rate(train: Any, rates: Any, seeds: Any) -> Rates:
    """You return the rate with the lowest score. Of an accuracy more is better: take the highest. (Of a loss it would
    be the lowest.)"""
    bn, plain = (rates[int(np.argmin(scores(train, arm, rates, seeds).mean(axis=1)))] for arm in ARMS)
    return bn, plain


# --------------------------------------------------------------------------------------------------- what is returned


@exercise.misconception(Kind.ERROR, SECTION, about="bn plain rates")
def place_for_rate(train: Any, rates: Any, seeds: Any) -> Rates:
    """You return the place of the best rate in the grid, not the rate. `np.argmax` says where the highest score is:
    `rates[...]` of it is the rate."""
    bn, plain = (int(np.argmax(scores(train, arm, rates, seeds).mean(axis=1))) for arm in ARMS)
    return bn, plain


@exercise.misconception(Kind.ERROR, SECTION, about="bn plain rates")
def score_for_rate(train: Any, rates: Any, seeds: Any) -> Rates:
    """You return the highest score, not the rate that reached it. What the caller wants to know is with which learning
    rate each arm is to be trained."""
    bn, plain = (scores(train, arm, rates, seeds).mean(axis=1).max() for arm in ARMS)
    return bn, plain


@exercise.misconception(Kind.CONTRACT, SECTION, sentences.CHANGES_ITS_INPUT)
def changes_its_input(train: Any, rates: Any, seeds: Any) -> Rates:
    """Crosses the rates off."""
    found = reference(train, rates.copy(), seeds)
    rates[:] = 0.0
    return found
