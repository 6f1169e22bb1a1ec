"""What is asked of `verdict`, and how is it got wrong?

The rule is the book's for one setting (:data:`bncourse.evidence.verdicts.IN_A_SETTING`), "clearly" being "the interval
lies above 0". One call judges one interval; a question here is a row of them, so that a wrong rule shows its pattern.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..answers import Array, Unsuitable, described
from ..asking import Asked, Refused
from ..calling import Outcome, Signature, guarded
from ..chain import Step
from ..draw import Draw
from ..exercise import Arguments, Exercise, Functions, Kind, Problem

SECTION = "evidence-rules"
WORDS = ("yes", "some", "no", "opposite", "open")
YES, SOME, NO, OPPOSITE, OPEN = range(len(WORDS))


def reference(low: float, high: float, smallest: float) -> str:
    """What the interval from low to high says, beside the smallest effect that matters."""
    if low >= smallest:
        return "yes"
    if high <= -smallest:
        return "opposite"
    if high < smallest:
        return "no"
    return "some" if low > 0 else "open"


def judged_one_by_one(functions: Functions, signature: Signature, arguments: Arguments) -> Outcome:
    """One call for every interval; the words by their places."""
    (function,) = functions
    lows, highs, smallest = arguments
    if np.any(lows > highs):  # what a search for smaller numbers may come to
        return Outcome({}, "low lies above high")

    def question() -> Array:
        said = [function(float(low), float(high), smallest) for low, high in zip(lows, highs, strict=True)]
        return np.array([place_of(one, signature.name) for one in said], float)

    places, complaint, error = guarded(question, function, signature.name)
    return Outcome({} if places is None else {"verdict": places}, complaint, error)


def place_of(word: object, function: str) -> int:
    """The place of a word; a sentence when it is none of them."""
    known = ", ".join(f'"{one}"' for one in WORDS)
    if word is None:
        raise Unsuitable(f"{function} returned None for one interval: is there a return for every case?")
    if not issubclass(type(word), str):
        raise Unsuitable(f"{function} returned {described(word)}, expected one of the words {known}.")
    plain = str.__str__(word)
    if plain not in WORDS:
        raise Unsuitable(f'{function} returned "{plain[:40]}", expected one of the words {known}.')
    return WORDS.index(plain)


class WordExercise(Exercise):
    """An exercise whose answer is a word: its steps lead to the word's place."""

    def from_steps(self, wrong: Mapping[str, Step]) -> Callable[..., Any]:
        """The answer with some steps wrong, as a student's function."""
        answer = self.steps.answer(wrong)
        return lambda *arguments: self.words[int(answer(*arguments))]


# ----------------------------------------------------------------------------------------------------------- intervals


def lying(draw: Draw, place: int, smallest: float) -> tuple[float, float]:
    """An interval that says this word, none of its ends near an edge."""
    near, far, wide = draw.random.uniform([0.2, 1.3, 2.5], [0.8, 2.0, 4.0])
    ways = {
        YES: [(far, wide)],
        SOME: [(near, far), (near, wide)],
        NO: [(-near, near), (-far, near), (near / 3, near), (-far, -near / 2), (-near, -near / 2)],
        OPPOSITE: [(-wide, -far)],
        OPEN: [(-near, far), (-far, far), (-near / 3, wide), (-2 * wide, far)],
    }[place]
    low, high = ways[draw.random.integers(len(ways))]
    return smallest * low, smallest * high


def edges(smallest: float) -> list[tuple[float, float]]:
    """Intervals that end just at 0 or at the smallest effect, either way."""
    small = smallest
    return [(small, 2 * small), (-small / 2, small), (0.0, 2 * small), (-3 * small, -small), (-2 * small, 0.0)]


def intervals(draw: Draw, problem: Problem) -> Arguments:
    """N intervals, every word among them from N = 5 on; ``whole``: those that end at the edges, too. eps is the
    smallest effect, of which the student should not think that it is 1."""
    smallest = problem.eps or 1.0
    if problem.whole:
        found = edges(smallest)
    else:
        places = [*draw.random.permutation(len(WORDS)), *draw.random.integers(0, len(WORDS), max(problem.N - 5, 0))]
        found = [lying(draw, int(place), smallest) for place in places[: problem.N]]
    lows, highs = np.array(found).T
    return lows, highs, float(smallest)


def these(*found: tuple[float, float]) -> Arguments:
    """A small call."""
    lows, highs = np.array(found).T
    return lows, highs, 2.0


verdict = WordExercise(
    Signature("verdict", ("low", "high", "smallest"), ("verdict",), reference),
    problem=intervals,
    scale=lambda arguments: {"verdict": np.asarray(1.0)},
    section=SECTION,
    axes={"low": "N", "high": "N"},
    smallest=(
        these((3.0, 5.0)),
        these((1.0, 3.0)),
        these((-1.0, 1.0)),
        these((-5.0, -3.0)),
        these((-1.0, 3.0)),
        these((-1.0, 7.0)),
        these((-2.0, -1.0)),
        these((-3.0, 1.0)),
        these((-5.0, 3.0)),
        these((2.0, 3.0)),
        these((-1.0, 2.0)),
        these((0.0, 3.0)),
        these((-3.0, -2.0)),
        these((0.5, 1.5)),
    ),
    caller=judged_one_by_one,
    probes=(Problem(30, 1, eps=0.3), Problem(40, 1, eps=2.0), Problem(50, 1, eps=7.0)),
    whole_probes=(Problem(5, 1, eps=0.25, whole=True), Problem(5, 1, eps=2.0, whole=True)),
    words=WORDS,
)
exercise = verdict


def says_just_there(f: Asked, draw: Draw, place: int) -> None:
    """Refuse a rule that says this word elsewhere, or not where it belongs."""
    for smallest in (0.3, 2.0):
        compare(f, intervals(draw, Problem(60, 1, eps=smallest)), place)


def compare(f: Asked, arguments: Arguments, place: int | None = None) -> None:
    """Refuse a wrong word; or only where this one is said, or should be."""
    lows, highs, smallest = arguments
    answer, right = f(arguments)["verdict"], f.right(arguments)["verdict"]
    for low, high, one, other in zip(lows, highs, answer, right, strict=True):
        if one != other and (place is None or place in (one, other)):
            raise Refused(
                f"For the interval from {low:.3g} to {high:.3g} and smallest = {smallest:g} it says "
                f'"{WORDS[int(one)]}", expected "{WORDS[int(other)]}".'
            )


@exercise.property(points=1, nudge="Is there a return for every interval there can be? Does it return, or print?")
def one_of_five_words(f: Asked, draw: Draw) -> None:
    """answers with one of the five words, whatever the interval"""
    f(intervals(draw, Problem(30, 1, eps=0.5)))
    f(intervals(draw, Problem(5, 1, eps=0.5, whole=True)))


@exercise.property(points=3, nudge="How small may the true effect be, by the interval, if you say yes?")
def says_yes(f: Asked, draw: Draw) -> None:
    """says "yes" just where the whole interval is at the smallest effect that matters, or above"""
    says_just_there(f, draw, YES)


@exercise.property(points=2, nudge="The interval lies above 0 and reaches below the smallest effect. What is sure?")
def says_some(f: Asked, draw: Draw) -> None:
    """says "some" just where there is an effect, but it may be smaller or larger than what matters"""
    says_just_there(f, draw, SOME)


@exercise.property(points=3, nudge="An interval goes from -1 to 9, and 2 would matter. Is that no?")
def says_no(f: Asked, draw: Draw) -> None:
    """says "no" just where every effect in the interval is too small to matter, and not wherever 0 lies inside"""
    says_just_there(f, draw, NO)


@exercise.property(points=2, nudge="And if the whole interval lies far below 0?")
def says_opposite(f: Asked, draw: Draw) -> None:
    """says "opposite" just where the whole interval is at minus the smallest effect, or below"""
    says_just_there(f, draw, OPPOSITE)


@exercise.property(points=2, nudge="When is the honest answer that there were too few trials?")
def says_open(f: Asked, draw: Draw) -> None:
    """says "open" just where the interval allows no effect as well as one that matters"""
    says_just_there(f, draw, OPEN)


@exercise.property(
    points=1,
    needs="says_yes",
    nudge="What if an end of the interval is just the smallest effect, or just 0? Read the rule word by word.",
)
def knows_its_edges(f: Asked, draw: Draw) -> None:
    """keeps to the rule at its edges too: "at the smallest effect or above", "above 0", "below" """
    for smallest in (0.25, 2.0):
        compare(f, intervals(draw, Problem(5, 1, eps=smallest, whole=True)))


# ------------------------------------------------------------------------------------------------------------ its steps

steps = exercise.in_steps()


@steps.step
def matters(at: Any) -> Any:
    """whether the whole interval is at the smallest effect, or above"""
    return at.low >= at.smallest


@steps.step
def against(at: Any) -> Any:
    """whether the whole interval is at minus the smallest effect, or below"""
    return at.high <= -at.smallest


@steps.step
def too_small(at: Any) -> Any:
    """whether the whole interval is below the smallest effect"""
    return at.high < at.smallest


@steps.step
def above_zero(at: Any) -> Any:
    """whether the whole interval is above 0"""
    return at.low > 0


def decided(matters: Any, against: Any, too_small: Any, above_zero: Any) -> Any:
    """The first that is true decides."""
    return np.select([matters, against, too_small, above_zero], [YES, OPPOSITE, NO, SOME], OPEN).astype(float)


def verdict_by_the_rule(at: Any) -> Any:
    """yes, opposite, no, some: the first of these questions that is answered with yes decides; otherwise it is open"""
    return decided(at.matters, at.against, at.too_small, at.above_zero)


steps.steps["verdict"] = verdict_by_the_rule  # `verdict` itself is the exercise


# ------------------------------------------------------------------------------------------------------ what is decided


@exercise.misconception(Kind.ERROR, SECTION, step="verdict", about="verdict low high")
def mean_alone(at: Any) -> Any:
    """You judge by the middle of the interval alone. It says nothing about how sure it is: with two trials the mean may
    be large by luck. Both ends have to be held against the smallest effect."""
    middle = (at.low + at.high) / 2
    return decided(middle >= at.smallest, middle <= -at.smallest, True, False)


exercise.another_way("mean_alone", step="verdict")(
    lambda at: decided(
        (at.low + at.high) / 2 >= at.smallest, (at.low + at.high) / 2 <= -at.smallest, at.low + at.high <= 0, True
    )
)
exercise.another_way("mean_alone", step="verdict")(
    lambda at: decided((at.low + at.high) / 2 >= at.smallest, at.low + at.high < 0, True, False)
)
exercise.another_way("mean_alone", step="verdict")(lambda at: decided(at.low + at.high > 0, False, True, False))


@exercise.misconception(Kind.ERROR, SECTION, step="matters", about="matters low")
def above_zero_is_enough(at: Any) -> Any:
    """You say "yes" as soon as the interval lies above 0. That there is an effect does not say that it matters: with
    enough trials a hundredth of a point lies above 0 too. It has to be at the smallest effect that matters."""
    return at.low > 0


@exercise.misconception(Kind.ERROR, SECTION, step="too_small", about="too_small high")
def not_significant_read_as_no(at: Any) -> Any:
    """You say "no" because 0 lies in the interval. That the trials did not find an effect is not the same as that there
    is none: the interval may reach far above what matters. "No" needs the *whole* interval below it."""
    return (at.high < at.smallest) | (at.low <= 0)


exercise.another_way("not_significant_read_as_no", step="too_small")(lambda at: (at.low <= 0) & (at.high >= 0))


@exercise.misconception(Kind.ERROR, SECTION, step="too_small", about="too_small high")
def no_is_never_said(at: Any) -> Any:
    """You never say "no". An interval that lies wholly below the smallest effect that matters is a finding: whatever
    effect there is, it is too small. Open is only what allows both."""
    return at.low != at.low


@exercise.misconception(Kind.ERROR, SECTION, step="too_small", about="too_small high")
def no_from_zero_down(at: Any) -> Any:
    """You say "no" only where the interval lies below 0. A small effect for the claim is too small as well: "no" is any
    interval that lies wholly below the smallest effect that matters."""
    return at.high < 0


@exercise.misconception(Kind.ERROR, SECTION, step="too_small", about="too_small high")
def no_asks_for_a_limit_below(at: Any) -> Any:
    """You say "no" only where the interval is also above minus the smallest effect. That shows that two arms are
    *alike*. The claim is about an effect upwards: it is refuted by any interval that lies wholly below what matters."""
    return (at.high < at.smallest) & (at.low > -at.smallest)


@exercise.misconception(Kind.ERROR, SECTION, step="verdict", about="verdict low")
def some_asked_before_no(at: Any) -> Any:
    """You ask whether the interval lies above 0 before you ask whether it lies below what matters. An interval can do
    both: its effects are above 0 and all too small. The first line that applies decides, and "no" stands before
    "some"."""
    return np.select([at.matters, at.against, at.above_zero, at.too_small], [YES, OPPOSITE, SOME, NO], OPEN).astype(
        float
    )


@exercise.misconception(Kind.ERROR, SECTION, step="against", about="against high")
def opposite_is_no(at: Any) -> Any:
    """You say "no" even where the whole interval is far below 0. That is more than no effect: the opposite of the claim
    was found, and the reader should hear it."""
    return at.low != at.low


@exercise.misconception(Kind.ERROR, SECTION, step="against", about="against high")
def opposite_from_zero_on(at: Any) -> Any:
    """You say "opposite" as soon as the interval lies below 0. An effect downwards has to matter as well: the whole
    interval at minus the smallest effect, or below. Otherwise it is "no"."""
    return at.high < 0


@exercise.misconception(Kind.ERROR, SECTION, step="against", about="against high")
def opposite_by_the_lower_end(at: Any) -> Any:
    """You say "opposite" as soon as the lower end is below minus the smallest effect. The interval may then reach far
    up: it is the *upper* end that has to be down there."""
    return at.low <= -at.smallest


@exercise.misconception(Kind.ERROR, SECTION, step="matters", about="matters low")
def yes_by_the_upper_end(at: Any) -> Any:
    """You say "yes" as soon as the upper end is at the smallest effect. That only says that such an effect is possible.
    It is the *lower* end that has to be there."""
    return at.high >= at.smallest


@exercise.misconception(Kind.ERROR, SECTION, step="above_zero", about="above_zero low")
def some_is_open(at: Any) -> Any:
    """You say "open" where the interval lies above 0 and reaches below what matters. More is known: there is an effect,
    only its size is unsure. That is "some"."""
    return at.low != at.low


@exercise.misconception(Kind.ERROR, SECTION, step="above_zero", about="above_zero low")
def open_is_some(at: Any) -> Any:
    """You say "some" although 0 lies in the interval. Then it may well be that there is no effect at all, or one that
    matters: too few trials, or too much scatter, to tell. That is "open"."""
    return at.low == at.low


@exercise.misconception(Kind.ERROR, SECTION, step="smallest")
def smallest_is_ignored(at: Any) -> Any:
    """You don't use the smallest effect that is given, but a number of your own. What matters was said beforehand, for
    this claim: a point of accuracy, a factor of 1.5. Use the argument."""
    return 1.0


exercise.another_way("smallest_is_ignored", step="smallest")(lambda at: 0.0)
for constant in (0.5, 0.1, 0.05, 0.01):
    exercise.another_way("smallest_is_ignored", step="smallest")(lambda at, c=constant: c)


@exercise.misconception(Kind.ERROR, SECTION, step="matters", about="matters low edge")
def edge_of_yes(at: Any) -> Any:
    """You ask for more than the smallest effect where the rule says "at the smallest effect, or above". An interval
    that begins just there is a yes: what is called the smallest effect that matters does matter."""
    return at.low > at.smallest


@exercise.misconception(Kind.ERROR, SECTION, step="too_small", about="too_small high edge")
def edge_of_no(at: Any) -> Any:
    """You say "no" for an interval that ends just at the smallest effect that matters. An effect of that size matters,
    and the interval still allows it: "no" needs the whole interval *below* it."""
    return at.high <= at.smallest


@exercise.misconception(Kind.ERROR, SECTION, step="above_zero", about="above_zero low edge")
def edge_of_some(at: Any) -> Any:
    """You say "some" for an interval that begins just at 0. It still allows that there is no effect: "some" needs the
    whole interval *above* 0, otherwise it is open."""
    return at.low >= 0


@exercise.misconception(Kind.ERROR, SECTION, step="against", about="against high edge")
def edge_of_opposite(at: Any) -> Any:
    """You ask for less than minus the smallest effect where the rule says "at minus the smallest effect, or below". An
    interval that ends just there is the opposite."""
    return at.high < -at.smallest
