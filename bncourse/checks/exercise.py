"""What is an exercise made of?

A signature with its reference, *properties* that carry points and whose docstrings are the sentences the student
reads, and *misconceptions*: small wrong implementations whose docstrings say what was done and why it is wrong. Its
*chain* writes the right answer in steps, so that a mistake can be one wrong step; its *readings* say which terms the
answer is a sum of; its *symptoms* are exact identities, for answers that are wrong in a way nobody foresaw.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from inspect import cleandoc
from typing import Any

import numpy as np

from .answers import Array
from .calling import Outcome, Signature, call
from .chain import Chain, Step
from .draw import Draw
from .pairs import call_pair, keeping
from .reading import Reading

Arguments = tuple[Any, ...]
Functions = tuple[Callable[..., Any], ...]


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
    H: int = 2
    W: int = 3
    """Of images, where D is the number of channels."""


PROBES = (Problem(7, 3, eps=0.1), Problem(4, 4, eps=0.3), Problem(3, 5), Problem(6, 6))
"""On these a mistake is recognized: N > D, N = D, N < D, with an eps that shows and with the default."""

WHOLE_PROBES = (Problem(5, 3, eps=0.1, whole=True), Problem(3, 3, eps=0.3, whole=True))


@dataclass(frozen=True)
class Property:
    """Something a right answer does, worth some points."""

    name: str
    statement: str
    points: float
    holds: Callable[..., None]
    needs: str = ""
    """Another property, without which this one is worth nothing: leaving the inputs alone is no merit by itself."""
    nudge: str = ""
    """A question that sets the student thinking, for who asks for a hint."""
    section: str = ""
    """Where the book explains it; empty: the exercise's own section."""


@dataclass(frozen=True)
class Way:
    """One way to make a mistake: the whole wrong function, and the wrong steps it is made of, if it is."""

    function: Callable[..., Any]
    wrong: Mapping[str, Step]


@dataclass(frozen=True)
class Misconception:
    """A wrong implementation with a name; several, when the same mistake can be made in several ways."""

    identifier: str
    sentence: str
    kind: Kind
    section: str
    ways: tuple[Way, ...]
    about: frozenset[str]
    """The quantities that it gets wrong. Two mistakes about the same one are never said at once."""

    @property
    def implementations(self) -> tuple[Callable[..., Any], ...]:
        """The wrong functions."""
        return tuple(way.function for way in self.ways)


@dataclass(frozen=True)
class Symptom:
    """An exact identity of right answers."""

    identifier: str
    sentence: str
    section: str
    holds: Callable[[Any, Mapping[str, Array]], bool]
    about: frozenset[str]


class Exercise:
    """One exercise: what `check` needs to mark an answer and to name a mistake in it."""

    def __init__(
        self,
        signature: Signature,
        *,
        problem: Callable[[Draw, Problem], Arguments],
        scale: Callable[[Arguments], Mapping[str, Array]],
        section: str = "",
        axes: Mapping[str, str] | None = None,
        smallest: tuple[Arguments, ...] = (),
        effect: Callable[[Arguments, Mapping[str, Array]], Mapping[str, Array]] | None = None,
        forward: "Exercise | None" = None,
        caller: Callable[[Functions, Signature, Arguments], Outcome] | None = None,
        probes: tuple[Problem, ...] = PROBES,
        whole_probes: tuple[Problem, ...] = WHOLE_PROBES,
        far: Callable[[Draw, Problem], Arguments] | None = None,
        plain: bool = False,
        words: tuple[str, ...] = (),
    ) -> None:
        """Give the exercise its signature and its inputs.

        ``problem`` draws the arguments of a call; ``scale`` is the error analysis (:mod:`.comparing`); ``section`` is
        where the book explains it. ``axes`` names the axes of each argument (``{"x": "ND", "gamma": "D"}``), along
        which a failing input is made smaller; ``smallest`` lists small round inputs, tried first, smallest first.
        ``effect`` turns an answer that is judged by what it does into what it does. A backward that takes a cache
        names the exercise of its ``forward``; its arguments are then dy and the forward's. ``caller`` puts the
        question where it is not one call. On ``probes`` and ``whole_probes`` mistakes are recognized; ``far`` draws
        features far from 0, where digits cancel. In a ``plain`` exercise many answers are right, or the reference's
        would give the answer away: its properties alone judge, and name the mistake in their sentences. ``words``
        are what an answer in words can say: it is compared by their places, and shown as words.
        """
        self.signature = signature
        self.problem = problem
        self.scale = scale
        self.section = section
        self.axes = axes or {}
        self.smallest = smallest
        self.effect = effect or (lambda arguments, arrays: arrays)
        self.forward = forward
        self.caller = caller
        self.probes = probes
        self.whole_probes = whole_probes
        self.far = far
        self.plain = plain
        self.words = words
        self.companions: Functions = () if forward is None else (keeping(forward),)
        self.chain: Chain | None = None
        self.properties: list[Property] = []
        self.misconceptions: list[Misconception] = []
        self.readings: list[Reading] = []
        self.symptoms: list[Symptom] = []

    # ------------------------------------------------------------------------------------------------ what it asks

    @property
    def name(self) -> str:
        """What ``check`` calls it, which is also the name of its (last) function."""
        return self.signature.name

    @property
    def functions(self) -> tuple[str, ...]:
        """The names of the functions that ``check`` takes."""
        return (self.name,) if self.forward is None else (self.forward.name, self.name)

    @property
    def reference(self) -> Functions:
        """The right functions, in the order that ``check`` takes them."""
        own = (self.signature.reference,)
        return own if self.forward is None else (self.forward.signature.reference, *own)

    @property
    def points(self) -> float:
        """All the points, and those of the cell in the notebook."""
        return sum(one.points for one in self.properties)

    @property
    def steps(self) -> Chain:
        """The chain, of an exercise that has one."""
        if self.chain is None:
            raise AttributeError(f"{self.name} has no chain")
        return self.chain

    def run(self, functions: Functions, arguments: Arguments, twice: bool = True) -> Outcome:
        """What these functions make of the arguments; ``twice`` also looks whether a backward spoils its cache."""
        if self.caller is not None:
            return self.caller(functions, self.signature, arguments)
        if self.forward is not None:
            return call_pair(functions, self.signature, self.forward.name, arguments, twice)
        return call(functions[0], self.signature, arguments)

    def right(self, arguments: Arguments) -> Outcome:
        """What the reference makes of the arguments; it may be trusted with them, and needs no second call."""
        if self.caller is not None:
            return self.run(self.reference, arguments)
        if self.forward is None:
            return call(self.signature.reference, self.signature, tuple(map(ready, arguments)), trusted=True)
        forward, backward = self.reference
        dy, *inputs = arguments

        def gradients(*_: Any) -> Any:
            return backward(dy, forward(*inputs)[1])

        return call(gradients, self.signature, arguments, trusted=True)

    def bank(self, function: Callable[..., Any]) -> Functions:
        """The functions that a wrong implementation stands for: itself, after the bank's own forward."""
        return (*self.companions, function)

    def shown(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """What came out, as a person reads it: an answer in words by its words."""
        if not self.words:
            return values
        return {
            name: spoken(one, self.words) if name in self.signature.returns else one for name, one in values.items()
        }

    # ------------------------------------------------------------------------------------- what it is made of

    def in_steps(self, **defaults: Any) -> Chain:
        """Begin the chain of right steps; ``defaults`` as the signature's."""
        returns = tuple(name for name in self.signature.returns)
        self.chain = Chain(self.signature.parameters, returns, **defaults)
        return self.chain

    def from_steps(self, wrong: Mapping[str, Step]) -> Callable[..., Any]:
        """The answer with some steps wrong, as a student's function."""
        answer = self.steps.answer(wrong)
        if self.forward is None:
            return answer
        return lambda dy, cache: answer(dy, *cache.arguments)

    def property(
        self, points: float, needs: str = "", nudge: str = "", section: str = ""
    ) -> Callable[[Callable[..., None]], Callable[..., None]]:
        """Add a property: a function ``(f, draw)`` that raises ``Refused`` unless the property holds."""

        def add(holds: Callable[..., None]) -> Callable[..., None]:
            one = Property(holds.__name__, sentence_of(holds), points, holds, needs, nudge, section or self.section)
            self.properties.append(one)
            return holds

        return add

    def misconception(
        self, kind: Kind, section: str, sentence: str = "", *, step: str = "", about: str = ""
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Add a misconception: an implementation whose name identifies it and whose docstring the student reads.

        With ``step`` it is that step of the chain, written wrongly, a function of ``at``; otherwise it is the whole
        function. ``sentence`` replaces the docstring where several exercises share one; ``about`` names the quantities
        it gets wrong, if they are not the step's.
        """

        def add(wrong: Callable[..., Any]) -> Callable[..., Any]:
            entry = Misconception(
                wrong.__name__,
                sentence or sentence_of(wrong),
                kind,
                section,
                (self.way(wrong, step),),
                frozenset(about.split()) or frozenset(filter(None, [step])),
            )
            self.misconceptions.append(entry)
            return wrong

        return add

    def another_way(self, identifier: str, *, step: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Add another implementation of a misconception that is in the bank already."""

        def add(wrong: Callable[..., Any]) -> Callable[..., Any]:
            at = [entry.identifier for entry in self.misconceptions].index(identifier)
            entry = self.misconceptions[at]
            self.misconceptions[at] = replace(entry, ways=(*entry.ways, self.way(wrong, step)))
            return wrong

        return add

    def way(self, wrong: Callable[..., Any], step: str) -> Way:
        """A wrong function, or the whole function with one wrong step."""
        if not step:
            return Way(wrong, {})
        if step not in self.steps.steps and step not in self.steps.parameters:
            raise ValueError(f"{self.name} has no step {step}; it has {', '.join(self.steps.steps)}")
        return Way(self.from_steps({step: wrong}), {step: wrong})

    def inherit(self, part: "Exercise", step: str, build: Callable[[Callable[..., Any]], Step], *names: str) -> None:
        """Take over mistakes of an exercise that is a step of this one: ``build`` makes the step from its function."""
        for entry in part.misconceptions:
            if entry.identifier in names:
                ways = tuple(self.way(build(wrong), step) for wrong in entry.implementations)
                self.misconceptions.append(replace(entry, ways=ways, about=entry.about or frozenset({step})))

    def copy(self, other: "Exercise", *names: str) -> None:
        """Take over mistakes of an exercise with the same steps: these names, or all that are wrong steps."""
        for entry in other.misconceptions:
            wrong = [way.wrong for way in entry.ways if way.wrong]
            if wrong and (not names or entry.identifier in names):
                ways = tuple(Way(self.from_steps(one), one) for one in wrong)
                self.misconceptions.append(replace(entry, ways=ways))

    def asks_the_same_as(self, other: "Exercise") -> None:
        """Take over everything that is asked and known of another exercise."""
        self.chain = other.chain
        self.properties = list(other.properties)
        self.misconceptions = list(other.misconceptions)
        self.readings = list(other.readings)
        self.symptoms = list(other.symptoms)

    def read(self, reading: Reading) -> None:
        """Add a reading: the terms of which an output is the sum."""
        self.readings.append(reading)

    def symptom(self, section: str, about: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Add a symptom: ``(at, answer) -> whether the identity holds``; the docstring is said when it does not."""

        def add(holds: Callable[..., Any]) -> Callable[..., Any]:
            one = Symptom(holds.__name__, sentence_of(holds), section, holds, frozenset(about.split()))
            self.symptoms.append(one)
            return holds

        return add


def ready(argument: Any) -> Any:
    """What a function can take: a callback is made, the rest is handed on as it is."""
    return argument.fresh() if hasattr(argument, "fresh") else argument


def spoken(places: Any, words: tuple[str, ...]) -> Any:
    """The words at these places."""
    return [spoken(one, words) for one in places] if np.ndim(places) else words[int(places)]


def sentence_of(function: Callable[..., Any]) -> str:
    """A docstring as running text."""
    return " ".join(cleandoc(function.__doc__ or "").split())
