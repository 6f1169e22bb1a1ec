"""Which mistake is it?

The answers are held against those of every wrong implementation in the exercise's bank, on several problems: N > D,
N = D, N < D, shifted features, one that hardly varies, with eps and without, and whole numbers. An entry is named when
it gives the student's answer on *all* of them and is clearly not right on at least two of different shapes. When two
entries both do, nothing is named: a wrong name is worse than none.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .answers import Array
from .asking import Asked
from .calling import Outcome, call
from .comparing import UNIT
from .draw import Draw
from .exercise import Arguments, Exercise, Misconception, Problem

PROBES = (
    Problem(7, 3, eps=0.1),
    Problem(4, 4, eps=0.3),
    Problem(3, 5),
    Problem(6, 6),
)
WHOLE_PROBES = (Problem(5, 3, eps=0.1, whole=True), Problem(3, 3, eps=0.3, whole=True))

CLEARLY = 100.0
"""An entry is clearly not right where it is this many tolerances away from the reference."""


def diagnose(exercise: Exercise, student: Asked, seed: int) -> list[Misconception]:
    """The misconceptions that explain the student's answers, most likely first; none when unknown."""
    problems = [exercise.problem(Draw(seed, f"probe {n}"), probe) for n, probe in enumerate(PROBES + WHOLE_PROBES)]
    seen = [student.outcome(arguments) for arguments in problems]
    right = [call(exercise.signature.reference, exercise.signature, arguments) for arguments in problems]
    by_value, by_contract = [], []
    for entry in exercise.misconceptions:
        for wrong in entry.implementations:
            ways = Comparison(exercise, wrong, problems, seen, right)
            if ways.breaks_the_same_agreement():
                by_contract.append(entry)
                break
            if ways.gives_the_same_answers():
                by_value.append(entry)
                break
    return (by_value if len(by_value) == 1 else []) + by_contract


class Comparison:
    """One wrong implementation held against what was seen of the student's function."""

    def __init__(
        self,
        exercise: Exercise,
        wrong: Callable[..., Any],
        problems: Sequence[Arguments],
        seen: Sequence[Outcome],
        right: Sequence[Outcome],
    ) -> None:
        self.exercise = exercise
        self.wrong = wrong
        self.problems = problems
        self.outcomes: list[Outcome] = []
        self.seen = seen
        self.right = right

    def outcome(self, n: int) -> Outcome:
        """What the wrong implementation makes of problem n; asked for once, and only when needed."""
        while len(self.outcomes) <= n:
            self.outcomes.append(call(self.wrong, self.exercise.signature, self.problems[len(self.outcomes)]))
        return self.outcomes[n]

    def breaks_the_same_agreement(self) -> bool:
        """Whether both change inputs, or both keep the cache to themselves; how is a matter of style."""
        floats = range(len(PROBES))
        if self.outcome(0).changed:
            return all(self.seen[n].changed for n in floats)
        return self.outcome(0).alone and all(self.seen[n].alone for n in floats)

    def gives_the_same_answers(self) -> bool:
        """Whether both answer alike everywhere, and wrongly on two problems of different shape.

        Whole numbers are looked at only when the mistake shows nowhere else: a truncated buffer.
        """
        if self.outcome(0).changed or self.outcome(0).alone:
            return False
        floats = range(len(PROBES))
        if not all(alike(self.seen[n], self.outcome(n)) for n in floats):
            return False
        wrong = sum(clearly_wrong(self.outcome(n), self.right[n]) for n in floats)
        if wrong:
            return wrong >= 2
        whole = range(len(PROBES), len(PROBES) + len(WHOLE_PROBES))
        return all(
            alike(self.seen[n], self.outcome(n)) and clearly_wrong(self.outcome(n), self.right[n]) for n in whole
        )


def alike(seen: Outcome, wrong: Outcome) -> bool:
    """Whether two outcomes are the same: the same arrays, or the same class of exception."""
    if seen.complaint or wrong.complaint:
        return bool(seen.error) and seen.error == wrong.error
    return seen.arrays.keys() == wrong.arrays.keys() and distance(seen.arrays, wrong.arrays) <= 1.0


def clearly_wrong(wrong: Outcome, right: Outcome) -> bool:
    """Whether an implementation answered, and not what is right."""
    return not wrong.complaint and distance(wrong.arrays, right.arrays) > CLEARLY


def distance(some: Mapping[str, Array], others: Mapping[str, Array]) -> float:
    """How many tolerances two answers are apart at most; infinite for other shapes or NaN in other places.

    The tolerance follows the size of each feature, so that one that hardly varies tells eps = 1e-12 from none.
    """
    apart = 0.0
    for name, other in others.items():
        one, other = (a[0] if a.ndim == 2 and len(a) == 1 else a for a in (some[name], other))
        if one.shape != other.shape or not np.array_equal(np.isfinite(one), np.isfinite(other)):
            return float("inf")
        size = np.where(np.isfinite(other), np.abs(other), 0.0)
        difference = np.where(np.isfinite(other), np.abs(one - other), 0.0)
        feature = size.max(axis=0, keepdims=True) if size.ndim == 2 else size
        tolerance = max(UNIT[one.dtype], UNIT[other.dtype]) * (feature + 1e-3 * size.max(initial=0.0))
        apart = max(apart, float(np.max(difference / np.maximum(tolerance, 1e-300), initial=0.0)))
    return apart
