"""The exercises of `evidence` as cases: their inputs are the checker's own stand-ins, at sizes of every kind."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bncourse.checks.draw import Draw as ProblemDraw
from bncourse.checks.evidence import EXERCISES
from bncourse.checks.exercise import Exercise, Problem

from .cases import CASES, Case, Draw, Inputs, Quantities

SIZES: dict[str, dict[str, Any]] = {
    "experiment": {"shapes": ((5, 2), (4, 1), (6, 0), (3, 3), (2, 2)), "special": ("low",)},
    "paired_effects": {"shapes": ((5, 1), (4, 1), (2, 1), (9, 1)), "special": ("whole",), "epses": (None, 0.0, 1.0)},
    "interval": {"shapes": ((5, 1), (3, 1), (2, 1), (12, 1)), "epses": (None, 0.9, 0.8, 0.99)},
    "verdict": {"shapes": ((30, 1), (60, 1)), "special": ("whole",), "epses": (0.3, 2.0, 7.0)},
    "best_rates": {"shapes": ((3, 5), (4, 6), (5, 4), (2, 4)), "special": ("low",)},
    "predictions": {"shapes": ((1, 1),)},
}
"""``low``: with a run that diverged, or a lucky one; eps stands for what the exercise makes of it."""


def drawn(task: Exercise) -> Callable[[np.random.Generator, Draw], Inputs]:
    """The arguments by name; None for those that are left out."""

    def draw(random: np.random.Generator, draw: Draw) -> Inputs:
        N, D = draw.shape
        low = draw.special == "low" and N > 2
        problem = Problem(N, D, eps=draw.eps, whole=draw.special == "whole", low=low)
        arguments = task.problem(ProblemDraw(int(random.integers(2**31)), "a case"), problem)
        return dict.fromkeys(task.signature.parameters) | dict(zip(task.signature.parameters, arguments, strict=False))

    return draw


def run(task: Exercise) -> Callable[[tuple[Any, ...], Inputs], dict[str, Any]]:
    """An answer's outputs, as the checker sees them; what it refuses is raised."""

    def outputs(functions: tuple[Any, ...], inputs: Inputs) -> dict[str, Any]:
        arguments = tuple(value for value in inputs.values() if value is not None)
        outcome = task.run(functions, arguments)
        if outcome.complaint:
            raise ValueError(outcome.complaint)
        for name, after in outcome.changed.items():
            inputs[name] = after
        return dict(outcome.arrays)

    return outputs


def quantities(task: Exercise) -> Callable[[Inputs], Quantities]:
    """What comes in and what is right; the steps on the way are known from the chain."""

    def found(inputs: Inputs) -> Quantities:
        right = task.right(tuple(value for value in inputs.values() if value is not None)).arrays
        arrays = {name: value for name, value in inputs.items() if isinstance(value, np.ndarray)} | dict(right)
        return [((name,), np.asarray(value)) for name, value in arrays.items()]

    return found


for one in EXERCISES:
    CASES[one.name] = Case(
        one.name, (one.name,), drawn(one), run(one), quantities(one), returns=one.signature.returns, **SIZES[one.name]
    )
