"""What is an exercise made of?

A signature with its reference, *properties* that carry points and whose docstrings are the sentences the student
reads, and *misconceptions*: small wrong implementations whose docstrings say what was done and why it is wrong.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from inspect import cleandoc
from typing import Any

from .answers import Array
from .calling import Signature
from .draw import Draw

Arguments = tuple[Any, ...]


class Kind(StrEnum):
    """What sort of mistake it is; the value is how a report introduces it."""

    ERROR = "mistake"
    CONVENTION = "convention of another library or book"
    NUMERICS = "numerical trouble"
    CONTRACT = "not what the exercise agreed on"


@dataclass(frozen=True)
class Problem:
    """What kind of input to draw: the size of the batch, eps (None: left at its default), whole numbers for x."""

    N: int
    D: int
    eps: float | None = None
    whole: bool = False
    low: bool = True
    """Whether the last feature hardly varies."""


@dataclass(frozen=True)
class Property:
    """Something a right answer does, worth some points."""

    name: str
    statement: str
    points: float
    holds: Callable[..., None]
    needs: str = ""
    """Another property, without which this one is worth nothing: leaving the inputs alone is no merit by itself."""


@dataclass(frozen=True)
class Misconception:
    """A wrong implementation with a name; several, when the same mistake can be made in several ways."""

    identifier: str
    sentence: str
    kind: Kind
    section: str
    implementations: tuple[Callable[..., Any], ...]


class Exercise:
    """One exercise: what `check` needs to mark an answer and to name a mistake in it."""

    def __init__(
        self,
        signature: Signature,
        *,
        problem: Callable[[Draw, Problem], Arguments],
        scale: Callable[[Arguments], Mapping[str, Array]],
        smallest: tuple[Arguments, ...],
        effect: Callable[[Arguments, Mapping[str, Array]], Mapping[str, Array]] | None = None,
    ) -> None:
        """Give the exercise its signature and its inputs.

        ``problem`` draws the arguments of a call; ``smallest`` lists small round ones, smallest first, from which a
        witness is taken; ``scale`` is the error analysis (:mod:`.comparing`); ``effect`` turns an answer that is
        judged by what it does into what it does.
        """
        self.signature = signature
        self.problem = problem
        self.scale = scale
        self.smallest = smallest
        self.effect = effect or (lambda arguments, arrays: arrays)
        self.properties: list[Property] = []
        self.misconceptions: list[Misconception] = []

    @property
    def name(self) -> str:
        """What ``check`` calls it, which is also the function's name."""
        return self.signature.name

    @property
    def functions(self) -> tuple[str, ...]:
        """The names of the functions that ``check`` takes."""
        return (self.signature.name,)

    @property
    def points(self) -> float:
        """All the points, and those of the cell in the notebook."""
        return sum(one.points for one in self.properties)

    def property(self, points: float, needs: str = "") -> Callable[[Callable[..., None]], Callable[..., None]]:
        """Add a property: a function ``(f, draw)`` that raises ``Refused`` unless the property holds."""

        def add(holds: Callable[..., None]) -> Callable[..., None]:
            self.properties.append(Property(holds.__name__, sentence_of(holds), points, holds, needs))
            return holds

        return add

    def misconception(
        self, kind: Kind, section: str, sentence: str = ""
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Add a misconception: an implementation whose name identifies it and whose docstring the student reads.

        ``sentence`` replaces the docstring where several exercises share one.
        """

        def add(wrong: Callable[..., Any]) -> Callable[..., Any]:
            entry = Misconception(wrong.__name__, sentence or sentence_of(wrong), kind, section, (wrong,))
            self.misconceptions.append(entry)
            return wrong

        return add

    def another_way(self, identifier: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Add another implementation of a misconception that is in the bank already."""

        def add(wrong: Callable[..., Any]) -> Callable[..., Any]:
            at = [entry.identifier for entry in self.misconceptions].index(identifier)
            entry = self.misconceptions[at]
            self.misconceptions[at] = replace(entry, implementations=(*entry.implementations, wrong))
            return wrong

        return add

    def inherit(
        self, step: "Exercise", build: Callable[[Callable[..., Any]], Callable[..., Any]], *identifiers: str
    ) -> None:
        """Take over mistakes of an exercise that is a step of this one: ``build`` puts the wrong step in its place."""
        for entry in step.misconceptions:
            if entry.identifier in identifiers:
                wrong = tuple(build(implementation) for implementation in entry.implementations)
                self.misconceptions.append(replace(entry, implementations=wrong))


def sentence_of(function: Callable[..., Any]) -> str:
    """A docstring as running text."""
    return " ".join(cleandoc(function.__doc__ or "").split())
