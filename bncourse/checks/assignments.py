"""Which exercises are there?"""

from . import backward, forward, variants
from .exercise import Exercise

ASSIGNMENTS: dict[str, tuple[Exercise, ...]] = {
    "forward": forward.EXERCISES,
    "backward": backward.EXERCISES,
    "variants": variants.EXERCISES,
}

EXERCISES: dict[str, Exercise] = {one.name: one for exercises in ASSIGNMENTS.values() for one in exercises}


def exercise_named(name: object) -> Exercise:
    """The exercise of that name; a clear sentence when there is none."""
    if not isinstance(name, str):
        raise ValueError('check takes the name of the exercise first: check("batch_mean", batch_mean).')
    if name not in EXERCISES:
        raise ValueError(f'There is no exercise "{name}". There are: {", ".join(EXERCISES)}.')
    return EXERCISES[name]
