"""How does a property put a question to the student's function?

``f(...)`` gives plain arrays by name, in the shapes that were asked for; ``f.agrees(...)`` holds them against the
reference. What cannot be judged, or is not right, raises :class:`Refused` with the sentence the student reads.
"""

from collections.abc import Mapping

import numpy as np

from .answers import Array, described
from .calling import Outcome, call
from .comparing import Mismatch, exact, rough, worst
from .exercise import Arguments, Exercise


class Refused(Exception):
    """The property does not hold; the message says what was seen."""


class Asked:
    """One function of the student's, together with the exercise it answers."""

    def __init__(self, function: object, exercise: Exercise) -> None:
        self.function = function
        self.exercise = exercise

    def outcome(self, arguments: Arguments) -> Outcome:
        """What calling it comes to."""
        if not callable(self.function):
            return Outcome(complaint=f"{self.exercise.name} is not a function but {described(self.function)}.")
        return call(self.function, self.exercise.signature, arguments)

    def __call__(self, arguments: Arguments) -> dict[str, Array]:
        """Its answer, as plain arrays in the shapes of the reference's."""
        return shaped(self.exercise, arguments, self.outcome(arguments), truth(self.exercise, arguments))

    def agrees(self, arguments: Arguments, within: float | None = None) -> None:
        """Refuse an answer that is not the reference's: exactly, or roughly within a fraction."""
        expected = truth(self.exercise, arguments)
        answer = shaped(self.exercise, arguments, self.outcome(arguments), expected)
        mismatch = difference(self.exercise, arguments, answer, expected, within)
        if mismatch is not None:
            raise Refused(f"{mismatch}, {circumstances(self.exercise, arguments)}.")


def truth(exercise: Exercise, arguments: Arguments) -> dict[str, Array]:
    """The reference's answer."""
    outcome = call(exercise.signature.reference, exercise.signature, arguments)
    if outcome.complaint:
        raise AssertionError(f"the reference failed on a drawn problem: {outcome.complaint}")
    return dict(outcome.arrays)


def shaped(
    exercise: Exercise, arguments: Arguments, outcome: Outcome, expected: Mapping[str, Array]
) -> dict[str, Array]:
    """The arrays of an outcome, (1, D) statistics flattened to (D,); Refused when there are none, or of wrong shape."""
    if outcome.complaint:
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
    """Statistics of shape (1, D) are as good as (D,)."""
    return actual[0] if expected.ndim == 1 and actual.shape == (1, *expected.shape) else actual


def difference(
    exercise: Exercise,
    arguments: Arguments,
    answer: Mapping[str, Array],
    right: Mapping[str, Array],
    within: float | None = None,
) -> Mismatch | None:
    """The first output in which an answer differs from the reference's, at the element that is furthest off."""
    actual_effect = exercise.effect(arguments, answer)
    expected_effect = exercise.effect(arguments, right)
    scales = exercise.scale(arguments)
    for name, expected in expected_effect.items():
        actual = actual_effect[name]
        tolerance = exact(actual, scales[name]) if within is None else rough(expected, within)
        mismatch = worst(name, actual, expected, tolerance)
        if mismatch is not None:
            return mismatch
    return None


def circumstances(exercise: Exercise, arguments: Arguments) -> str:
    """The call in a few words: ``for x of shape (7, 3) and eps = 0.1``."""
    named = dict(zip(exercise.signature.parameters, arguments, strict=False))
    first, x = next(iter(named.items()))
    text = f"for {first} of shape {np.shape(x)}"
    if np.asarray(x).dtype.kind == "i":
        text += ", whole numbers"
    return f"{text} and eps = {named['eps']:g}" if "eps" in named else text
