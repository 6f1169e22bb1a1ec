"""Which exercises are there?

An assignment is a folder beside this file, imported when one of its exercises is first asked for: `import bncourse`
should not wait for the whole bank.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module

from .exercise import Exercise

ORDER = ("forward", "inference", "backward", "convolution", "variants", "evidence")
"""The assignments, in the order of the course."""

TRANSFERS: dict[str, tuple[str, float]] = {
    "forward": ("leave_one_out_forward", 10),
    "inference": ("remove_shard", 10),
    "convolution": ("fold_conv_transpose2d", 10),
    "backward": ("l1norm_backward", 8),
    "variants": ("filter_response_backward", 10),
    "evidence": ("sign_flip_test", 10),
}
"""The exercise that ends an assignment and its points. What marks it is not in the package (:mod:`.transfer`)."""


class Assignments(Mapping[str, tuple[Exercise, ...]]):
    """The exercises of each assignment."""

    def __getitem__(self, name: str) -> tuple[Exercise, ...]:
        if name not in ORDER:
            raise KeyError(name)
        exercises: tuple[Exercise, ...] = import_module(f".{name}", __package__).EXERCISES
        return exercises

    def __iter__(self) -> Iterator[str]:
        return iter(ORDER)

    def __len__(self) -> int:
        return len(ORDER)


class Exercises(Mapping[str, Exercise]):
    """Every exercise by its name."""

    def __getitem__(self, name: str) -> Exercise:
        for exercises in ASSIGNMENTS.values():
            for exercise in exercises:
                if exercise.name == name:
                    return exercise
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (exercise.name for exercises in ASSIGNMENTS.values() for exercise in exercises)

    def __len__(self) -> int:
        return sum(map(len, ASSIGNMENTS.values()))


ASSIGNMENTS = Assignments()
EXERCISES = Exercises()


def exercise_named(name: object) -> Exercise:
    """The exercise of that name; a clear sentence when there is none."""
    if not isinstance(name, str):
        raise ValueError('check takes the name of the exercise first: check("batch_mean", batch_mean).')
    from .transfer import bundled

    exercise = EXERCISES.get(name) or bundled(name)
    if exercise is None:
        raise ValueError(f'There is no exercise "{name}". There are: {", ".join(EXERCISES)}.')
    return exercise
