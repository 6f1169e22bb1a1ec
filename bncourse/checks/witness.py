"""What is the smallest input that shows the mistake, and which step goes wrong there?

The first failing input of the exercise's small round ones, or else of a few drawn ones, is made smaller as long as it
still fails: fewer rows, fewer columns, rounder numbers, gamma 1 and beta 0.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .answers import Array
from .asking import Asked, Refused, difference, shaped
from .calling import UNWRITTEN, Outcome
from .chain import Wrong
from .diagnosis import Diagnosis
from .draw import Draw
from .exercise import Arguments, Exercise, Problem

DRAWN = (
    Problem(2, 1, eps=3.0, low=False, H=1, W=2),
    Problem(3, 2, eps=0.1, low=False, H=1, W=2),
    Problem(4, 4, low=False, H=2, W=2),
    Problem(7, 3),
    Problem(6, 6, eps=0.3),
    Problem(5, 3, whole=True),
)
"""What is drawn when no small round input fails, smallest first."""

MOST_CALLS = 150
"""Of the student's function in one search."""

PLAIN = {"gamma": 1.0, "beta": 0.0, "mean": 0.0, "running_mean": 0.0, "bias": 0.0, "var": 1.0, "running_var": 1.0}
"""The roundest values of all, for arguments that have one."""


@dataclass(frozen=True)
class StepDifference:
    """The first step of the answer that comes out differently."""

    name: str
    words: str
    expected: Any
    actual: Any


@dataclass(frozen=True)
class Witness:
    """A call that goes wrong: the inputs, what was expected, and what came instead."""

    inputs: Mapping[str, Any]
    expected: Mapping[str, Array]
    actual: Mapping[str, Array]
    """Empty when no array came; ``sentence`` says what did."""
    sentence: str
    step: StepDifference | None = None
    """Where it goes wrong, when the mistake is known to be in one step."""


def smallest_witness(
    exercise: Exercise, student: Asked, diagnoses: Sequence[Diagnosis] = (), seed: int = 0
) -> Witness | None:
    """The smallest failing input that is found; none when nothing is written, or nothing small fails."""
    if exercise.plain:
        return None
    search = Search(exercise, student)
    for arguments in candidates(exercise, seed):
        found = search.failing(arguments)
        if search.unwritten:
            return None
        if found is not None:
            found = search.smaller(found)
            inputs = dict(zip(exercise.signature.parameters, found.arguments, strict=False))
            found = telling(found)
            step = first_difference(exercise, found.arguments, diagnoses)
            return Witness(inputs, exercise.shown(found.expected), exercise.shown(found.actual), found.sentence, step)
    return None


def candidates(exercise: Exercise, seed: int) -> Iterator[Arguments]:
    """Small round inputs, then drawn ones."""
    yield from exercise.smallest
    for n, problem in enumerate(DRAWN):
        yield exercise.problem(Draw(seed, f"witness {n}"), problem)
    if exercise.far is not None:
        yield exercise.far(Draw(seed, "witness far"), Problem(4, 1))


FEW = 4
"""Outputs that are shown all; of more, only those that differ."""


def telling(found: "Failing") -> "Failing":
    """The outputs that differ, and the first few of them, where there are many; those that never came, if none does."""
    if len(found.expected) <= FEW or not found.actual:
        return found
    differ = [
        name for name, one in found.expected.items() if name in found.actual and not same(one, found.actual[name])
    ]
    kept = (differ or [name for name in found.expected if name not in found.actual])[:FEW]
    expected = {name: found.expected[name] for name in kept}
    return replace(found, expected=expected, actual={name: found.actual[name] for name in kept if name in found.actual})


@dataclass(frozen=True)
class Failing:
    """An input on which the student's function fails."""

    arguments: Arguments
    expected: Mapping[str, Array]
    actual: Mapping[str, Array]
    sentence: str


class Search:
    """Looks for a smaller failing input, and counts what that costs."""

    def __init__(self, exercise: Exercise, student: Asked) -> None:
        self.exercise = exercise
        self.student = student
        self.calls = 0
        self.unwritten = False

    def failing(self, arguments: Arguments) -> Failing | None:
        """What fails on this input; None when nothing does, or the input is not a valid one."""
        if self.calls >= MOST_CALLS:
            return None
        right = self.exercise.right(arguments)
        if right.complaint or not all(np.all(np.isfinite(one)) for one in right.arrays.values()):
            return None
        self.calls += 1
        outcome = self.student.outcome(arguments)
        self.unwritten = outcome.error == UNWRITTEN
        sentence, actual = failure(self.exercise, outcome, arguments, right.arrays)
        return Failing(arguments, right.arrays, actual, sentence) if sentence else None

    def smaller(self, found: Failing) -> Failing:
        """Fewer rows and columns, then rounder numbers, as long as it fails."""
        for axis in dict.fromkeys("".join(self.exercise.axes.values())):
            found = self.shorter(found, axis)
        for simpler in (self.plain, self.rounded):
            for position in range(len(found.arguments)):
                found = simpler(found, position)
        return found

    def shorter(self, found: Failing, axis: str) -> Failing:
        """Leave out what can be left out along one axis."""
        index = self.length(found.arguments, axis) - 1
        while index >= 0 and self.length(found.arguments, axis) > 1:
            less = self.failing(self.without(found.arguments, axis, index))
            found = less or found
            index -= 1
        return found

    def length(self, arguments: Arguments, axis: str) -> int:
        """How long an axis is."""
        for name, value in zip(self.exercise.signature.parameters, arguments, strict=False):
            if axis in self.exercise.axes.get(name, "") and isinstance(value, np.ndarray):
                return int(value.shape[self.exercise.axes[name].index(axis)])
        return 0

    def without(self, arguments: Arguments, axis: str, index: int) -> Arguments:
        """The arguments without one row, column, ..., in all arrays that have that axis."""
        return tuple(
            np.delete(value, index, axis=self.exercise.axes[name].index(axis))
            if axis in self.exercise.axes.get(name, "") and isinstance(value, np.ndarray)
            else value
            for name, value in zip(self.exercise.signature.parameters, arguments, strict=False)
        )

    def plain(self, found: Failing, position: int) -> Failing:
        """Gamma 1, beta 0, ..."""
        name, value = self.exercise.signature.parameters[position], found.arguments[position]
        if name not in PLAIN or not isinstance(value, np.ndarray) or np.all(value == PLAIN[name]):
            return found
        return self.failing(replaced(found.arguments, position, np.full_like(value, PLAIN[name]))) or found

    def rounded(self, found: Failing, position: int) -> Failing:
        """As few decimals as it takes."""
        value = found.arguments[position]
        if not isinstance(value, np.ndarray | float) or np.asarray(value).dtype.kind != "f":
            return found
        for decimals in range(3):
            rounder = np.round(value, decimals) + 0.0
            if isinstance(value, float) and float(rounder) in (0.0, 1.0):
                continue  # an eps or a momentum that does nothing shows nothing
            if np.array_equal(rounder, value):
                return found
            less = self.failing(replaced(found.arguments, position, rounder))
            if less is not None:
                return less
        return found


def replaced(arguments: Arguments, position: int, value: Any) -> Arguments:
    """The arguments with one of them exchanged."""
    return (*arguments[:position], value, *arguments[position + 1 :])


def failure(
    exercise: Exercise, outcome: Outcome, arguments: Arguments, expected: Mapping[str, Array]
) -> tuple[str, Mapping[str, Array]]:
    """What is wrong with the answer, or "", and the arrays that show it."""
    try:
        mismatch = difference(exercise, arguments, shaped(exercise, arguments, outcome, expected), expected)
    except Refused as refused:
        return str(refused), outcome.arrays
    if mismatch is not None:
        return f"{mismatch}.", outcome.arrays
    for name, after in outcome.changed.items():
        if name == "cache":
            return "The answer is right, but the cache was changed on the way: a second call answers differently.", {}
        return f"The answer is right, but {name} was changed on the way.", {f"{name} after the call": after}
    if outcome.alone:
        alone, *missing = exercise.signature.returns
        return f"{alone} is right, but {', '.join(missing)} is missing beside it.", outcome.arrays
    return "", {}


def first_difference(exercise: Exercise, arguments: Arguments, diagnoses: Sequence[Diagnosis]) -> StepDifference | None:
    """The first step that the known mistake computes differently on this input."""
    wrong = next((one.wrong for one in diagnoses if one.wrong), None)
    if wrong is None or exercise.chain is None:
        return None
    return step_difference(exercise, arguments, wrong)


def step_difference(exercise: Exercise, arguments: Arguments, wrong: Wrong) -> StepDifference | None:
    """The first of the chain's steps that comes out differently with these wrong ones."""
    right, actual = exercise.steps.trace(arguments), exercise.steps.trace(arguments, wrong)
    for name, step in exercise.steps.steps.items():
        one, other = getattr(right, name), getattr(actual, name)
        if not same(one, other):
            words = " ".join((step.__doc__ or "").split())
            one, other = (exercise.shown({name: value})[name] for value in (one, other))
            return StepDifference(name, words, one, other)
    return None


def same(one: Any, other: Any) -> bool:
    """Whether a step came out the same."""
    return np.shape(one) == np.shape(other) and bool(np.allclose(one, other, rtol=1e-9, atol=1e-12, equal_nan=True))
