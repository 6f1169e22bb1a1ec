"""How does a property put a question to the student's functions?

``f(...)`` gives plain arrays by name, in the shapes that were asked for; ``f.agrees(...)`` holds them against the
truth. What cannot be judged, or is not right, raises :class:`Refused` with the sentence the student reads.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

import numpy as np

from .answers import Array, described
from .calling import Outcome
from .comparing import Mismatch, exact, rough, worst
from .exercise import Arguments, Exercise

Truth = Callable[[Arguments], Mapping[str, Array]]


class Refused(Exception):
    """The property does not hold; the message says what was seen."""


class Asked:
    """The student's functions, together with the exercise they answer.

    ``right`` is the truth they are held against, the reference's if not given, and ``loosely`` widens the tolerance
    for one that is not exact itself.
    """

    def __init__(
        self, functions: tuple[object, ...], exercise: Exercise, right: Truth | None = None, loosely: float = 1.0
    ) -> None:
        self.functions = functions
        self.exercise = exercise
        self.right = right or (lambda arguments: truth(exercise, arguments))
        self.loosely = loosely

    def outcome(self, arguments: Arguments, twice: bool = True) -> Outcome:
        """What calling them comes to; a backward ``twice``, to see whether it spoils its cache."""
        for name, function in zip(self.exercise.functions, self.functions, strict=True):
            if not callable(function):
                kind = "class" if name[0].isupper() else "function"
                return Outcome(complaint=f"{name} is not a {kind} but {described(function)}.")
        return self.exercise.run(self.functions, arguments, twice)  # type: ignore[arg-type]  # callable, all of them

    def __call__(self, arguments: Arguments, only: Collection[str] = ()) -> dict[str, Array]:
        """Their answer (or ``only`` these outputs), as plain arrays in the shapes of the reference's."""
        return shaped(
            self.exercise,
            arguments,
            self.outcome(arguments, twice=False),
            chosen(truth(self.exercise, arguments), only),
        )

    def agrees(self, arguments: Arguments, within: float | None = None, only: Collection[str] = ()) -> None:
        """Refuse an answer (or these outputs) that is not right: exactly, or roughly within a fraction."""
        expected = chosen(self.right(arguments), only)
        answer = shaped(self.exercise, arguments, self.outcome(arguments, twice=False), expected)
        mismatch = difference(self.exercise, arguments, answer, expected, within, self.loosely)
        if mismatch is not None:
            raise Refused(f"{mismatch}, {circumstances(self.exercise, arguments)}.")


def truth(exercise: Exercise, arguments: Arguments) -> dict[str, Array]:
    """The reference's answer."""
    outcome = exercise.right(arguments)
    if outcome.complaint:
        raise AssertionError(f"the reference failed on a drawn problem: {outcome.complaint}")
    return dict(outcome.arrays)


def chosen(arrays: Mapping[str, Array], only: Collection[str]) -> Mapping[str, Array]:
    """All of them, or some."""
    return {name: arrays[name] for name in only} if only else arrays


def shaped(
    exercise: Exercise, arguments: Arguments, outcome: Outcome, expected: Mapping[str, Array]
) -> dict[str, Array]:
    """The arrays of an outcome, (1, D) statistics flattened to (D,); Refused when there are none, or of wrong shape."""
    if outcome.complaint and not expected.keys() <= outcome.arrays.keys():
        raise Refused(outcome.complaint)
    answer = {}
    for name, wanted in expected.items():
        actual = flattened(outcome.arrays[name], wanted)
        if actual.shape != wanted.shape:
            raise Refused(
                f"{name} has shape {actual.shape}, expected {wanted.shape}, {circumstances(exercise, arguments)}."
            )
        answer[name] = actual
    return answer


def flattened(actual: Array, expected: Array) -> Array:
    """Statistics of shape (1, D) or (1, C, 1, 1) are as good as (D,)."""
    if expected.ndim == 1 and actual.ndim > 1 and actual.shape[1:2] == expected.shape and actual.size == expected.size:
        return actual.reshape(expected.shape)
    return actual


def difference(
    exercise: Exercise,
    arguments: Arguments,
    answer: Mapping[str, Array],
    right: Mapping[str, Array],
    within: float | None = None,
    loosely: float = 1.0,
) -> Mismatch | None:
    """The first output in which an answer differs from what is right, at the element that is furthest off."""
    actual_effect = exercise.effect(arguments, answer)
    expected_effect = exercise.effect(arguments, right)
    scales = exercise.scale(arguments)
    for name, expected in expected_effect.items():
        actual = actual_effect[name]
        tolerance = loosely * exact(actual, scales[name]) if within is None else rough(expected, within)
        mismatch = worst(name, actual, expected, tolerance)
        if mismatch is not None:
            return replace(mismatch, words=exercise.words)
    return None


def circumstances(exercise: Exercise, arguments: Arguments) -> str:
    """The call in a few words: ``for x of shape (7, 3) and eps = 0.1``."""
    named = dict(zip(exercise.signature.parameters, arguments, strict=False))
    arrays = {name: value for name, value in named.items() if isinstance(value, np.ndarray)}
    name, x = next(iter(arrays.items()), ("", np.zeros(0)))
    text = f"for {name} of shape {x.shape}"
    if x.dtype.kind == "i":
        text += ", whole numbers"
    return f"{text} and eps = {named['eps']:g}" if "eps" in named else text
