"""What was seen of the student's functions, and is it what some other functions would have shown?

Everything is asked on several problems: N > D, N = D, N < D, shifted features, one that hardly varies, with eps and
without, whole numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .answers import Array
from .asking import Asked, flattened
from .calling import Outcome
from .chain import Retrace, Wrong
from .comparing import UNIT, feature_size
from .draw import Draw
from .exercise import Arguments, Exercise, Functions, Kind, Way

CLEARLY = 100.0
"""An entry is clearly not right where it is this many tolerances away from the reference."""

Predict = Callable[[Arguments], Mapping[str, Array]]


@dataclass(frozen=True)
class Diagnosis:
    """A named mistake."""

    identifier: str
    sentence: str
    kind: Kind
    section: str
    about: frozenset[str]
    """The quantities that are wrong."""
    predict: Predict | None = None
    """What the answer is, if this is the mistake; None for what an answer does besides its numbers."""
    wrong: Wrong | None = None
    """The wrong steps, if they are known."""


def answers_of(exercise: Exercise, way: Way) -> Predict:
    """What the answer is, if it is wrong in this way."""

    def predict(arguments: Arguments) -> Mapping[str, Array]:
        return exercise.run(exercise.bank(way.function), arguments).arrays

    return predict


def look(exercise: Exercise, student: Asked, seed: int) -> "Seen":
    """The student's answers, and the right ones, on the problems that tell mistakes apart."""
    probes = (*exercise.probes, *exercise.whole_probes)
    problems = [exercise.problem(Draw(seed, f"probe {n}"), probe) for n, probe in enumerate(probes)]
    right = [exercise.right(arguments) for arguments in problems]
    outcomes = [flat(student.outcome(arguments), one) for arguments, one in zip(problems, right, strict=True)]
    return Seen(exercise, problems, len(exercise.probes), outcomes, right)


def flat(outcome: Outcome, right: Outcome) -> Outcome:
    """The outcome with statistics of shape (1, D) as (D,): a row says the same."""
    arrays = {name: flattened(one, right.arrays[name]) for name, one in outcome.arrays.items()}
    return replace(outcome, arrays=arrays)


@dataclass(frozen=True)
class Seen:
    """The problems, of which those from ``floats`` on have whole numbers; the student's outcomes and the right ones."""

    exercise: Exercise
    problems: Sequence[Arguments]
    floats: int
    outcomes: Sequence[Outcome]
    right: Sequence[Outcome]

    @cached_property
    def steps(self) -> Retrace:
        """The right steps on the first problem, from which wrong ones can be followed."""
        return Retrace(self.exercise.steps, self.problems[0])

    def explained_by(self, functions: Functions) -> bool:
        """Whether these functions answer like the student everywhere, and wrongly on two problems of different shape.

        Whole numbers are looked at only when the mistake shows nowhere else: a truncated buffer.
        """
        made: list[Outcome] = []
        for n in range(self.floats):
            made.append(self.exercise.run(functions, self.problems[n]))
            if made[n].changed or made[n].alone or not alike(self.outcomes[n], made[n]):
                return False
        wrong = [one for one, right in zip(made, self.right, strict=False) if clearly_wrong(one, right)]
        if wrong:
            return sum(map(says_something, wrong)) >= 2
        whole = range(self.floats, len(self.problems))
        return len(whole) > 0 and all(self.explained_on_whole_numbers(functions, n) for n in whole)

    def explained_on_whole_numbers(self, functions: Functions, n: int) -> bool:
        """The same on one problem of whole numbers."""
        made = self.exercise.run(functions, self.problems[n])
        return alike(self.outcomes[n], made) and clearly_wrong(made, self.right[n])


def close(one: Array, other: Array) -> bool:
    """Whether two arrays may be the same; quickly, since a full comparison follows."""
    if one.shape != other.shape:
        return False
    size = float(np.abs(other).max(initial=0.0))
    return not np.isfinite(size) or float(np.abs(one - other).max(initial=0.0)) <= 1e-6 * size


def says_something(outcome: Outcome) -> bool:
    """Whether there are numbers to compare: of what is NaN throughout, anything could be the cause."""
    return bool(outcome.arrays) and all(np.any(np.isfinite(one)) for one in outcome.arrays.values())


def agree(seen: Outcome, right: Outcome) -> bool:
    """Whether an answer is right."""
    return not seen.complaint and alike(seen, right)


def alike(seen: Outcome, wrong: Outcome) -> bool:
    """Whether two outcomes are the same: the same arrays, and the same class of exception if one was raised."""
    if bool(seen.complaint) != bool(wrong.complaint) or seen.error != wrong.error:
        return False
    if seen.complaint and not (seen.error or seen.arrays):
        return False
    return seen.arrays.keys() == wrong.arrays.keys() and distance(seen.arrays, wrong.arrays) <= 1.0


def clearly_wrong(wrong: Outcome, right: Outcome) -> bool:
    """Whether an implementation answered, and not what is right."""
    both = {name: right.arrays[name] for name in wrong.arrays}
    return bool(both) and distance(wrong.arrays, both, strictly=True) > CLEARLY


def distance(some: Mapping[str, Array], others: Mapping[str, Array], strictly: bool = False) -> float:
    """How many tolerances two answers are apart at most; infinite for other shapes or NaN in other places.

    The tolerance follows the size of each feature, so that one that hardly varies tells eps = 1e-12 from none; and the
    precision of the answers, or ``strictly`` that of float64.
    """
    apart = 0.0
    for name, other in others.items():
        one, other = (a[0] if a.ndim == 2 and len(a) == 1 else a for a in (some[name], other))
        if one.shape != other.shape:
            return float("inf")
        gap, size = np.abs(one - other), np.abs(other)
        if not np.isfinite(gap.sum()):
            if not (same_places(np.isnan(one), np.isnan(other)) and same_places(np.isinf(one), np.isinf(other))):
                return float("inf")
            finite = np.isfinite(other)
            gap, size = np.where(finite, gap, 0.0), np.where(finite, size, 0.0)
        unit = UNIT[np.dtype(np.float64)] if strictly else max(UNIT[one.dtype], UNIT[other.dtype])
        tolerance = unit * (feature_size(size) + 1e-3 * size.max(initial=0.0))
        apart = max(apart, float((gap / np.maximum(tolerance, 1e-300)).max(initial=0.0)))
    return apart


def same_places(one: Array, other: Array) -> bool:
    """Whether two masks are the same."""
    return bool((one == other).all())
