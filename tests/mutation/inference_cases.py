"""The exercises of `inference` whose reference stands beside their checks, as cases; their inputs are the checker's own
at sizes of every kind."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bncourse.checks.assignments import EXERCISES
from bncourse.checks.exercise import Exercise

from .cases import CASES, Case, Inputs, Quantities
from .evidence_cases import drawn

SIZES: dict[str, dict[str, Any]] = {
    "update_running_stats_keras": {
        "shapes": ((7, 3), (2, 3), (4, 4), (3, 5), (5, 1)),
        "special": ("whole", "low"),
        "epses": (None, 0.3, 0.9),
    },
    "fold_into_next_linear": {
        "shapes": ((7, 3), (4, 4), (3, 5), (2, 4), (3, 1)),
        "special": ("whole", "low"),
        "epses": (None, 0.1, 1e-3),
    },
    "padding_value": {"shapes": ((2, 3), (2, 1), (2, 5)), "special": ("low",), "epses": (None, 0.1, 1e-3)},
    "read_the_curves": {"shapes": tuple((n, D) for n in range(4) for D in (1, 2))},
    "find_the_bug": {"shapes": tuple((n, 1) for n in range(14))},
}
"""eps stands for what the exercise makes of it: in the update it is the momentum."""


def given(inputs: Inputs) -> tuple[Any, ...]:
    """The arguments of a call. A last one of None is left out, for the default; the bias of a layer may be None."""
    arguments = tuple(inputs.values())
    return arguments[:-1] if arguments[-1] is None else arguments


def run(task: Exercise) -> Callable[[tuple[Any, ...], Inputs], dict[str, Any]]:
    """An answer's outputs, as the checker sees them; what it refuses is raised."""

    def outputs(functions: tuple[Any, ...], inputs: Inputs) -> dict[str, Any]:
        outcome = task.run(functions, given(inputs))
        if outcome.complaint:
            raise ValueError(outcome.complaint)
        inputs.update(outcome.changed)
        return dict(outcome.arrays)

    return outputs


def quantities(task: Exercise) -> Callable[[Inputs], Quantities]:
    """What comes in, every step on the way, and what is right."""

    def found(inputs: Inputs) -> Quantities:
        arrays = {name: value for name, value in inputs.items() if isinstance(value, np.ndarray)}
        if task.chain is not None:
            at = task.steps.trace(given(inputs))
            arrays |= {name: getattr(at, name) for name in task.steps.steps}
        arrays |= dict(task.right(given(inputs)).arrays)
        return [((name,), np.asarray(value)) for name, value in arrays.items()]

    return found


for name, sizes in SIZES.items():
    one = EXERCISES[name]
    CASES[name] = Case(name, (name,), drawn(one), run(one), quantities(one), returns=one.signature.returns, **sizes)
