"""What is asked of `interval`, and how is it got wrong?

The quantiles of Student's t are handed in as a function, so that nobody needs SciPy, and the question which one is
right, of which probability and how many degrees of freedom, stays the student's.
"""

from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

import numpy as np

from .. import sentences
from ..answers import Array
from ..asking import Asked, Refused
from ..calling import Signature
from ..draw import Draw
from ..exercise import Arguments, Exercise, Kind, Problem
from ..inputs import leaves_alone
from .stand_ins import student

SECTION = "evidence-interval"
CONFIDENCE = 0.95


def reference(effects: Array, t_quantile: Any, confidence: float = CONFIDENCE) -> tuple[Any, Any]:
    """Student's interval for the mean: mean plus and minus t · s / √n."""
    n = len(effects)
    reach = t_quantile((1 + confidence) / 2, n - 1) * np.std(effects, ddof=1) / np.sqrt(n)
    return np.mean(effects) - reach, np.mean(effects) + reach


def effects_of(draw: Draw, problem: Problem) -> Arguments:
    """N effects with a mean and a deviation of their own; eps stands for the confidence."""
    effects = draw.batch(problem.N, 1)[:, 0]
    return (effects, student()) if problem.eps is None else (effects, student(), problem.eps)


def size_of_ends(arguments: Arguments) -> Mapping[str, Array]:
    """The mean and the reach; a table of t may be rounded to seven digits."""
    effects, _, *confidence = arguments
    low, high = reference(effects, student(), *confidence)
    return dict.fromkeys(("low", "high"), np.asarray(np.abs(effects).max() + abs(high - low)))


def call(text: list[float], *confidence: float) -> Arguments:
    """A small call that can be worked out by hand."""
    return (np.array(text), student(), *confidence)


interval = Exercise(
    Signature("interval", ("effects", "t_quantile", "confidence"), ("low", "high"), reference),
    problem=effects_of,
    scale=size_of_ends,
    section=SECTION,
    axes={"effects": "N"},
    smallest=(
        call([1.0, 3.0], 0.5),
        call([1.0, 3.0]),
        call([1.0, 3.0], 0.9),
        call([1.0, 2.0, 6.0]),
        call([1.0, 2.0, 6.0], 0.5),
    ),
    probes=(Problem(5, 1), Problem(7, 1, eps=0.9), Problem(3, 1, eps=0.8), Problem(4, 1), Problem(12, 1, eps=0.99)),
    whole_probes=(),
)
exercise = interval

MANY = 60
"""Effects of a rough question: there n - 1 is nearly n, and Student's t nearly the normal distribution."""

ROUGHLY = 0.06


def ends(f: Asked, arguments: Arguments) -> tuple[float, float, float, float]:
    """The ends that came, and those that are right."""
    answer, right = f(arguments), f.right(arguments)
    return float(answer["low"]), float(answer["high"]), float(right["low"]), float(right["high"])


def as_wide(f: Asked, arguments: Arguments, within: float) -> None:
    """Refuse an interval that is not as wide as it should be."""
    low, high, right_low, right_high = ends(f, arguments)
    width, right = high - low, right_high - right_low
    if not abs(width - right) <= within * right:
        told = f" and confidence = {arguments[2]:g}" if len(arguments) > 2 else ""
        raise Refused(f"It is {width:.4g} wide, expected {right:.4g}, for {len(arguments[0])} effects{told}.")


@exercise.property(points=1, nudge="Which two numbers does your function return? Which of them is the smaller one?")
def two_ends(f: Asked, draw: Draw) -> None:
    """answers with two numbers (low, high), low below high"""
    low, high, *_ = ends(f, effects_of(draw, Problem(6, 1, eps=CONFIDENCE)))
    if not low < high:
        raise Refused(f"low is {low:.4g} and high is {high:.4g}: low has to be below high.")


@exercise.property(points=3, nudge="Which number is the interval about? It lies in its middle.")
def mean_in_the_middle(f: Asked, draw: Draw) -> None:
    """has the mean of the effects in its middle"""
    for N in (5, 12):
        arguments = effects_of(draw, Problem(N, 1, eps=CONFIDENCE))
        low, high, *_ = ends(f, arguments)
        middle, right = (low + high) / 2, float(arguments[0].mean())
        if not abs(middle - right) <= 1e-4 * float(np.abs(arguments[0]).max()):
            raise Refused(f"Its middle is {middle:.4g}, expected {right:.4g}, the mean of the {N} effects.")


@exercise.property(points=4, nudge="How far does the *mean* of n effects scatter, if each scatters by s?")
def as_wide_as_the_mean_is_unsure(f: Asked, draw: Draw) -> None:
    """is as wide as the mean of many effects is unsure: about four times their deviation over the root of n"""
    for N in (MANY, 2 * MANY):
        as_wide(f, effects_of(draw, Problem(N, 1, eps=CONFIDENCE)), ROUGHLY)


@exercise.property(points=4, nudge="Of which distribution is the quantile, and with how many degrees of freedom?")
def right_for_a_few_effects(f: Asked, draw: Draw) -> None:
    """is Student's for a few effects too: the deviation with n - 1, and t with n - 1 degrees of freedom"""
    for N in (3, 4, 6):
        f.agrees(effects_of(draw, Problem(N, 1, eps=CONFIDENCE)))


@exercise.property(points=2, nudge="How wide is an interval that has to cover with 99 %, beside one of 80 %?")
def follows_the_confidence(f: Asked, draw: Draw) -> None:
    """is wider for a higher confidence, and narrower for a lower one, by as much as t says"""
    for confidence in (0.8, 0.99):
        as_wide(f, effects_of(draw, Problem(MANY, 1, eps=confidence)), ROUGHLY)


@exercise.property(points=1, nudge="What confidence do you take when nobody says one?")
def default_confidence(f: Asked, draw: Draw) -> None:
    """takes the confidence 0.95 when none is given"""
    arguments = effects_of(draw, Problem(MANY, 1))
    low, high, *_ = ends(f, arguments)
    again_low, again_high, *_ = ends(f, (*arguments, CONFIDENCE))
    if not np.allclose([low, high], [again_low, again_high], rtol=1e-6):
        raise Refused(
            f"Without a confidence it is {high - low:.4g} wide, with 0.95 it is {again_high - again_low:.4g}."
        )


@exercise.property(points=1, needs="mean_in_the_middle", nudge="Are the effects the same after your function has run?")
def inputs_stay(f: Asked, draw: Draw) -> None:
    """leaves the effects as they were"""
    leaves_alone(f, effects_of(draw, Problem(5, 1, eps=CONFIDENCE)))


# ------------------------------------------------------------------------------------------------------------ its steps

steps = exercise.in_steps(confidence=CONFIDENCE)


@steps.step
def mean(at: Any) -> Any:
    """the mean of the effects"""
    return np.mean(at.effects)


@steps.step
def deviation(at: Any) -> Any:
    """the standard deviation of the effects: the sum of squares divided by n - 1"""
    return np.std(at.effects, ddof=1)


@steps.step
def root(at: Any) -> Any:
    """the root of the number of effects"""
    return np.sqrt(len(at.effects))


@steps.step
def error(at: Any) -> Any:
    """how far the mean scatters: deviation / root of n"""
    return at.deviation / at.root


@steps.step
def probability(at: Any) -> Any:
    """the probability below the upper end: half of what the confidence leaves lies above it"""
    return (1 + at.confidence) / 2


@steps.step
def degrees(at: Any) -> Any:
    """the degrees of freedom: n - 1"""
    return len(at.effects) - 1


@steps.step
def quantile(at: Any) -> Any:
    """Student's t for this probability and these degrees of freedom"""
    return at.t_quantile(at.probability, at.degrees)


@steps.step
def reach(at: Any) -> Any:
    """how far the ends lie from the mean: quantile · error"""
    return at.quantile * at.error


@steps.step
def low(at: Any) -> Any:
    """mean - reach"""
    return at.mean - at.reach


@steps.step
def high(at: Any) -> Any:
    """mean + reach"""
    return at.mean + at.reach


# -------------------------------------------------------------------------------------------------------- the quantile


@exercise.misconception(Kind.ERROR, SECTION, step="quantile")
def normal_quantile(at: Any) -> Any:
    """You take the quantile of the normal distribution, 1.96 for 95 %, where Student's t belongs. The deviation is an
    estimate too, from a few effects: with six of them t is 2.57, and your interval misses the truth about twice as
    often as it says."""
    return NormalDist().inv_cdf((1 + at.confidence) / 2)


exercise.another_way("normal_quantile", step="quantile")(lambda at: 1.96)
exercise.another_way("normal_quantile", step="quantile")(lambda at: 2.0)
exercise.another_way("normal_quantile", step="quantile")(lambda at: NormalDist().inv_cdf(0.975))


@exercise.misconception(Kind.ERROR, SECTION, step="probability", about="probability confidence")
def one_sided_probability(at: Any) -> Any:
    """You ask for the quantile of the confidence itself. That leaves 5 % above the upper end, and as much below the
    lower: together 10 %. An interval has two ends, so each may miss with 2.5 %: ask for 0.975."""
    return at.confidence


@exercise.misconception(Kind.ERROR, SECTION, step="probability", about="probability low high order")
def ends_exchanged(at: Any) -> Any:
    """Your low lies above your high. Either the two are returned in the wrong order, or you ask for the quantile of the
    small probability that is left over, (1 - confidence) / 2, which is negative: ask for (1 + confidence) / 2."""
    return (1 - at.confidence) / 2


exercise.another_way("ends_exchanged", step="probability")(lambda at: 1 - at.confidence)


@exercise.misconception(Kind.ERROR, SECTION, step="degrees")
def n_degrees_of_freedom(at: Any) -> Any:
    """You ask for n degrees of freedom. One of them goes into the mean, around which the deviation is taken, so n - 1
    are left: with three effects t is 4.30, not 3.18."""
    return len(at.effects)


@exercise.misconception(Kind.ERROR, SECTION, step="degrees")
def n_minus_2_degrees(at: Any) -> Any:
    """You ask for n - 2 degrees of freedom, or 2n - 2, as one does for two samples that are not paired. Here the
    effects are one sample of n, with one mean: n - 1 are left."""
    return max(len(at.effects) - 2, 1)


exercise.another_way("n_minus_2_degrees", step="degrees")(lambda at: 2 * len(at.effects) - 2)


@exercise.misconception(Kind.ERROR, SECTION, step="confidence", about="confidence")
def confidence_ignored(at: Any) -> Any:
    """Your interval is one of 95 %, whatever confidence is asked for. Who judges twelve claims at once may want 99.6 %
    for each: use the argument."""
    return CONFIDENCE


@exercise.misconception(Kind.CONVENTION, SECTION, step="confidence", about="confidence")
def another_default_confidence(at: Any) -> Any:
    """Your confidence is not 0.95 when none is given. Others take 0.9 or 0.99; what is asked for here is 0.95, as in
    the book."""
    return at.given.get("confidence", 0.9)


exercise.another_way("another_default_confidence", step="confidence")(lambda at: at.given.get("confidence", 0.99))


@exercise.misconception(Kind.ERROR, SECTION, step="deviation", about="deviation error")
def deviation_divided_by_n(at: Any) -> Any:
    """Your deviation divides by n. It is taken around the effects' own mean, to which they lie closer than to the true
    one; n - 1 makes up for it. NumPy divides by n unless you say `ddof=1`."""
    return np.std(at.effects)


@exercise.misconception(Kind.ERROR, SECTION, step="deviation", about="deviation error")
def variance_for_deviation(at: Any) -> Any:
    """You take the variance for the deviation. It is in the square of the effects' unit, so the interval of the same
    effects in percent would not be a hundred times as wide, but ten thousand times. Take the root."""
    return np.var(at.effects, ddof=1)


@exercise.another_way("variance_for_deviation", step="error")
def variance_of_the_mean(at: Any) -> Any:
    """The root is missing over the whole quotient."""
    return np.var(at.effects, ddof=1) / len(at.effects)


@exercise.another_way("variance_for_deviation", step="deviation")
def variance_divided_by_n(at: Any) -> Any:
    """NumPy's default."""
    return np.var(at.effects)


@exercise.misconception(Kind.ERROR, SECTION, step="deviation", about="deviation error")
def not_centred(at: Any) -> Any:
    """You take the root of the mean square, without subtracting the mean. Then a large effect makes the interval wide,
    even if all trials agree about it. How far do they lie from their own mean?"""
    return np.sqrt((at.effects**2).sum() / (len(at.effects) - 1))


exercise.another_way("not_centred", step="deviation")(lambda at: np.sqrt((at.effects**2).mean()))


@exercise.misconception(Kind.ERROR, SECTION, step="root", about="root error")
def root_of_n_forgotten(at: Any) -> Any:
    """You don't divide by the root of n. That is how far the single effects scatter; their mean is surer the more of
    them there are, by the root of their number."""
    return 1.0


@exercise.misconception(Kind.ERROR, SECTION, step="root", about="root error")
def divided_by_n(at: Any) -> Any:
    """You divide the deviation by n, not by its root: the root is missing, or you divided by n a second time. Four
    times as many trials make a mean twice as sure, not four times."""
    return len(at.effects)


@exercise.misconception(Kind.ERROR, SECTION, step="root", about="root error")
def root_of_n_minus_1(at: Any) -> Any:
    """You divide by n - 1 in the deviation and once more, as its root, in the error of the mean. The correction belongs
    into the deviation alone: the mean is one of n effects."""
    return np.sqrt(len(at.effects) - 1)


@exercise.misconception(Kind.ERROR, SECTION, step="reach")
def half_as_wide(at: Any) -> Any:
    """Your interval is half as wide as it should be. t · s / √n is the way from the mean to *each* end, so that the
    whole interval is twice as wide."""
    return at.quantile * at.error / 2


# ---------------------------------------------------------------------------------------------------------- the whole


@exercise.misconception(Kind.ERROR, SECTION, step="mean", about="mean low high")
def median_for_mean(at: Any) -> Any:
    """You put the interval around the median. t · s / √n says how unsure the mean is; the median scatters otherwise,
    and has an interval of its own kind."""
    return np.median(at.effects)


exercise.another_way("median_for_mean", step="mean")(lambda at: (np.min(at.effects) + np.max(at.effects)) / 2)


@exercise.misconception(Kind.ERROR, SECTION, step="mean", about="mean low high")
def sum_for_mean(at: Any) -> Any:
    """You put the interval around the sum of the effects, not around their mean. With more trials it would run away
    from the effect, when it should close in on it."""
    return np.sum(at.effects)


@exercise.misconception(Kind.ERROR, SECTION)
def range_of_the_effects(effects: Array, t_quantile: Any, confidence: float = CONFIDENCE) -> tuple[Any, Any]:
    """You return where the effects themselves lie, from the smallest to the largest or between percentiles. The
    interval is about their *mean*: it has to become narrower with more trials, and yours does not."""
    return effects.min(), effects.max()


@exercise.another_way("range_of_the_effects")
def percentiles(effects: Array, t_quantile: Any, confidence: float = CONFIDENCE) -> tuple[Any, Any]:
    """The middle 95 %."""
    low, high = np.quantile(effects, [(1 - confidence) / 2, (1 + confidence) / 2])
    return low, high


@exercise.misconception(Kind.ERROR, SECTION)
def mean_and_reach(effects: Array, t_quantile: Any, confidence: float = CONFIDENCE) -> tuple[Any, Any]:
    """You return the mean and how far the interval reaches from it. What is asked for are the two ends: mean - reach
    and mean + reach."""
    low, high = reference(effects, t_quantile, confidence)
    return (low + high) / 2, (high - low) / 2


@exercise.misconception(Kind.ERROR, SECTION)
def interval_around_zero(effects: Array, t_quantile: Any, confidence: float = CONFIDENCE) -> tuple[Any, Any]:
    """Your interval lies around 0. It is the effects' own mean that is unsure by t · s / √n: the ends are mean - reach
    and mean + reach, and whether 0 lies between them is what one wants to know."""
    low, high = reference(effects, t_quantile, confidence)
    return (low - high) / 2, (high - low) / 2


@exercise.misconception(Kind.CONTRACT, SECTION, sentences.CHANGES_ITS_INPUT)
def changes_its_input(effects: Array, t_quantile: Any, confidence: float = CONFIDENCE) -> tuple[Any, Any]:
    """Centres in place."""
    found = reference(effects, t_quantile, confidence)
    effects -= effects.mean()
    return found
