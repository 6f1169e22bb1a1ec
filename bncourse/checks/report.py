"""What is the student told?

A :class:`Report`: data first (``passed``, ``points``, ``properties``, ``misconceptions``, ``to_dict()``), shown as
text in a terminal and as a card in a notebook, where its ``text/plain`` is the number that nbgrader reads.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from . import book
from .card import card
from .diagnosis import Diagnosis
from .hints import Hint
from .text import text
from .witness import StepDifference, Witness

SCHEMA = 2
"""Version of ``to_dict()``; it grows by one when a key changes its meaning, comes or goes."""


@dataclass(frozen=True)
class Result:
    """One property, judged."""

    name: str
    statement: str
    """What a right answer does."""
    passed: bool
    points: float
    max_points: float
    message: str
    """The statement when it holds; otherwise what was seen instead."""


class Report:
    """The outcome of one ``check``."""

    def __init__(
        self,
        exercise: str,
        properties: tuple[Result, ...],
        diagnoses: tuple[Diagnosis, ...],
        notes: tuple[str, ...],
        seed: int,
        find_witness: Callable[[], Witness | None],
        find_hint: Callable[["Report", int], Hint],
        marked: bool = True,
    ) -> None:
        self.exercise = exercise
        self.properties = properties
        self.diagnoses = diagnoses
        self.notes = notes
        self.seed = seed
        self.marked = marked
        """Whether anything was judged: a transfer exercise is, only where it is handed in."""
        self._find_witness = find_witness
        self._find_hint = find_hint

    @property
    def passed(self) -> bool:
        """Whether every property holds."""
        return all(result.passed for result in self.properties)

    @property
    def points(self) -> float:
        """The points reached."""
        return min(round(float(sum(result.points for result in self.properties)), 6), self.max_points)

    @property
    def max_points(self) -> float:
        """The points there are."""
        return round(float(sum(result.max_points for result in self.properties)), 6)

    @property
    def misconceptions(self) -> list[str]:
        """Identifiers of the mistakes made, most likely first; empty when all is right, or the mistake is unknown."""
        return [entry.identifier for entry in self.diagnoses]

    @cached_property
    def witness(self) -> Witness | None:
        """The smallest input found that shows the mistake; looked for when it is first asked for."""
        return None if self.passed else self._find_witness()

    def hint(self, grade: int = 1) -> Hint:
        """The next step: 1 a question, 2 where to read, 3 the step worked out in numbers; never the code."""
        return self._find_hint(self, grade)

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        return text(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return card(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """What a notebook shows. nbgrader reads ``text/plain``: a float's repr, never above the cell's points."""
        return {"text/plain": repr(self.points), "text/html": card(self)}

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values, ready for JSON; ``checks/report.schema.json`` says what each key means."""
        return {
            "schema": SCHEMA,
            "exercise": self.exercise,
            "passed": self.passed,
            "points": self.points,
            "max_points": self.max_points,
            "seed": self.seed,
            "properties": [vars(result).copy() for result in self.properties],
            "misconceptions": [
                {
                    "identifier": entry.identifier,
                    "kind": entry.kind.name.lower(),
                    "sentence": entry.sentence,
                    "section": book.place(entry.section),
                    "link": book.link(entry.section),
                }
                for entry in self.diagnoses
            ],
            "notes": list(self.notes),
            "witness": None if self.witness is None else witness_as_dict(self.witness),
        }


def witness_as_dict(witness: Witness) -> dict[str, Any]:
    """A witness as plain values; what is not finite becomes text, since JSON has no NaN."""
    return {
        "inputs": {name: plain(value) for name, value in witness.inputs.items()},
        "expected": {name: plain(value) for name, value in witness.expected.items()},
        "actual": {name: plain(value) for name, value in witness.actual.items()},
        "sentence": witness.sentence,
        "step": None if witness.step is None else step_as_dict(witness.step),
    }


def step_as_dict(step: StepDifference) -> dict[str, Any]:
    """The first step that differs, as plain values."""
    return {
        "name": step.name,
        "words": step.words,
        "expected": plain(np.asarray(step.expected)),
        "actual": plain(np.asarray(step.actual)),
    }


def plain(value: Any) -> Any:
    """Nested lists of numbers."""
    if isinstance(value, list):
        return [plain(element) for element in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value
