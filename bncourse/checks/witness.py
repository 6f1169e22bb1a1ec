"""What is the smallest input that shows the mistake?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .answers import Array
from .asking import Asked, Refused, difference, shaped, truth
from .calling import UNWRITTEN, Outcome
from .exercise import Arguments, Exercise


@dataclass(frozen=True)
class Witness:
    """A call that goes wrong: the inputs, what was expected, and what came instead."""

    inputs: Mapping[str, Any]
    expected: Mapping[str, Array]
    actual: Mapping[str, Array]
    """Empty when no array came; ``sentence`` says what did."""
    sentence: str


def smallest_witness(exercise: Exercise, student: Asked) -> Witness | None:
    """The first of the exercise's small inputs on which the student's function fails; none when it is not written."""
    for arguments in exercise.smallest:
        expected = truth(exercise, arguments)
        outcome = student.outcome(arguments)
        if outcome.error == UNWRITTEN:
            return None
        sentence, actual = failure(exercise, outcome, arguments, expected)
        if sentence:
            inputs = dict(zip(exercise.signature.parameters, arguments, strict=False))
            return Witness(inputs, expected, actual, sentence)
    return None


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
        return f"The answer is right, but {name} was changed on the way.", {f"{name} after the call": after}
    if outcome.alone:
        alone, *missing = exercise.signature.returns
        return f"{alone} is right, but {', '.join(missing)} is missing beside it.", outcome.arrays
    return "", {}
