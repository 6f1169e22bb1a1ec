"""What comes of a layer's life?

A layer is asked by living with it: it is made, trained on two batches, evaluated, trained again, with a backward after
each mode. What can be seen on the way is written down under names of its own (``running_var_2``, ``dx_eval``), so that
properties ask for some of it, and one thing that fails leaves the rest to be judged.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from .answers import Array, Unsuitable, plain_array
from .asking import Asked, Refused, chosen, circumstances, shaped
from .calling import Outcome, Signature, changes, guarded
from .chain import Chain, Step, Wrong
from .comparing import exact, rough, worst
from .exercise import Arguments, Exercise, Functions, Kind, Way, sentence_of

PARAMETERS, STATISTICS = ("gamma", "beta"), ("running_mean", "running_var", "num_batches_tracked")

LIFE = (
    *("gamma_0", "beta_0", "running_mean_0", "running_var_0", "num_batches_tracked_0"),
    *("y_train", "running_mean_1", "running_var_1", "num_batches_tracked_1"),
    *("y_train_2", "running_mean_2", "running_var_2", "num_batches_tracked_2"),
    *("dx_train", "dgamma_train", "dbeta_train"),
    *("y_eval", "running_mean_after_eval", "running_var_after_eval", "num_batches_tracked_after_eval"),
    *("dx_eval", "dgamma_eval", "dbeta_eval"),
    *("y_again", "running_mean_3", "running_var_3", "num_batches_tracked_3"),
    *("dx_again", "dgamma_again", "dbeta_again", "gamma_end", "beta_end"),
    *("running_mean_other_0", "running_var_other_0"),
    *("y_default", "running_mean_default", "running_var_default", "gamma_default", "beta_default"),
)
"""What is written down, in this order."""

USUAL = 0.1
"""With this momentum goes on the life of a layer that cannot live without one: only one property asks for that."""


@dataclass(frozen=True)
class Lived(Outcome):
    """An outcome that knows for each missing name why it is missing."""

    complaints: Mapping[str, str] = field(default_factory=dict)
    without_none: str = ""
    """What went wrong with momentum = None, when the life was lived with the default momentum instead."""


class Diary:
    """What is seen of one layer, and what could not be."""

    def __init__(self, maker: Callable[..., Any], name: str) -> None:
        self.maker = maker
        self.name = name
        self.arrays: dict[str, Array] = {}
        self.complaints: dict[str, str] = {}
        self.error = ""
        self.given: list[tuple[str, Array, Array]] = []

    def make(self, *arguments: Any) -> Any:
        """A new layer, or None."""
        return self.tried(lambda: self.maker(*arguments), self.name, ())

    def tried(self, question: Callable[[], Any], name: str, names: tuple[str, ...]) -> Any:
        """What it comes to; or None, and the sentence why these names are missing."""
        found, complaint, error = guarded(question, self.maker, name)
        if complaint:
            self.complaints.setdefault("", complaint)
            self.complaints |= dict.fromkeys(names, complaint)
            self.error = self.error or error
        return found

    def write(self, name: str, value: Callable[[], Any], what: str, returned: bool = True) -> None:
        """Write down an array."""
        array = self.tried(lambda: plain_array(alone(value(), what), what, returned), what, (name,))
        if array is not None:
            self.arrays[name] = array

    def copy(self, name: str, value: Array) -> Array:
        """A copy to give away, of which is known later whether it was changed."""
        given = value.copy()
        self.given.append((name, value, given))
        return given

    def forward(self, layer: Any, record: str, name: str, x: Array, training: bool) -> None:
        """One forward."""
        given = self.copy(name, x)
        self.write(record, lambda: layer.forward(given, training), f"{self.name}.forward")

    def backward(self, layer: Any, after: str, dy: Array) -> None:
        """One backward, and the gradients that it leaves in the layer."""
        given = self.copy("dy", dy)
        self.write(f"dx_{after}", lambda: layer.backward(given), f"{self.name}.backward")
        for attribute in ("dgamma", "dbeta"):
            self.attribute(layer, attribute, f"{attribute}_{after}", "after a backward")

    def attributes(self, layer: Any, names: tuple[str, ...], suffix: str, when: str) -> None:
        """Several attributes."""
        for attribute in names:
            self.attribute(layer, attribute, f"{attribute}_{suffix}", when)

    def attribute(self, layer: Any, attribute: str, record: str, when: str) -> None:
        """One attribute."""

        def value() -> Any:
            try:
                return getattr(layer, attribute)
            except AttributeError:
                raise Unsuitable(f"Your {self.name} has no attribute {attribute} {when}.") from None

        self.write(record, value, f"{attribute} {when}", returned=False)

    def set(self, layer: Any, gamma: Array, beta: Array) -> None:
        """Set the parameters, as an optimizer does."""

        def question() -> None:
            layer.gamma, layer.beta = gamma.copy(), beta.copy()

        self.tried(question, self.name, ())


def alone(value: Any, what: str) -> Any:
    """What came, unless several things did."""
    if issubclass(type(value), tuple):
        rest = "dx alone: dgamma and dbeta stay in the layer" if what.endswith("backward") else "one array"
        raise Unsuitable(f"{what} returned {len(value)} values, expected {rest}.")
    return value


def live(functions: Functions, signature: Signature, arguments: Arguments) -> Outcome:
    """Live a layer's life."""
    (maker,) = functions
    if isinstance(maker, LifeInSteps):
        return maker.outcome(arguments)
    lived = lived_by(maker, signature.name, arguments)
    *others, momentum = arguments
    if momentum is None and "y_train" not in lived.arrays:
        instead = lived_by(maker, signature.name, (*others, USUAL))
        if "y_train" in instead.arrays:
            return replace(instead, without_none=lived.complaint)
    return lived


def lived_by(maker: Callable[..., Any], name: str, arguments: Arguments) -> Lived:
    """The same, whatever momentum is."""
    x, x2, dy, gamma, beta, eps, momentum = arguments
    diary = Diary(maker, name)
    D = x.shape[1]
    layer = diary.make(D, eps, momentum)
    if layer is None:
        return Lived(complaint=diary.complaints.get("", ""), error=diary.error)
    diary.attributes(layer, (*PARAMETERS, *STATISTICS), "0", "when it is new")
    diary.set(layer, gamma, beta)
    trained, evaluated = "after a forward in training", "after a forward in evaluation"
    diary.forward(layer, "y_train", "x", x, True)
    if "y_train" in diary.arrays:
        diary.attributes(layer, STATISTICS, "1", trained)
        diary.forward(layer, "y_train_2", "x2", x2, True)
        diary.attributes(layer, STATISTICS, "2", trained)
        diary.backward(layer, "train", dy)
        diary.forward(layer, "y_eval", "x", x, False)
        diary.attributes(layer, STATISTICS, "after_eval", evaluated)
        diary.backward(layer, "eval", dy)
        diary.forward(layer, "y_again", "x", x, True)
        diary.attributes(layer, STATISTICS, "3", trained)
        diary.backward(layer, "again", dy)
        diary.attributes(layer, PARAMETERS, "end", "after a backward")
    other = diary.make(D)
    if other is not None:
        diary.attributes(other, STATISTICS[:2], "other_0", "when it is new")
        diary.forward(other, "y_default", "x", x, True)
        diary.attributes(other, (*STATISTICS[:2], *PARAMETERS), "default", trained)
    first = diary.complaints.pop("", "")
    missing = {name: first for name in LIFE if name not in diary.arrays}
    arrays = {name: diary.arrays[name] for name in LIFE if name in diary.arrays}
    return Lived(arrays, first, diary.error, changes(diary.given), complaints=missing | diary.complaints)


# ---------------------------------------------------------------------------------------------- a life in steps


class LifeInSteps:
    """A life written as a chain of steps, some of them wrong, where a layer could stand."""

    def __init__(self, chain: Chain, wrong: Wrong) -> None:
        self.chain = chain
        self.wrong = wrong
        self.__name__ = ""

    def __call__(self, *arguments: Any) -> Mapping[str, Array]:
        """What such a layer shows, by name."""
        at = self.chain.trace(arguments, self.wrong)
        return {name: np.array(getattr(at, name), np.float64) for name in LIFE}

    def outcome(self, arguments: Arguments) -> Outcome:
        """The same as an outcome."""
        return Outcome(self(*arguments))


class LayerExercise(Exercise):
    """An exercise whose answer is a class; a mistake in a step is a life in which that step is wrong."""

    def from_steps(self, wrong: Mapping[str, Step]) -> Callable[..., Any]:
        """A life with some steps wrong."""
        return LifeInSteps(self.steps, wrong)

    def right(self, arguments: Arguments) -> Outcome:
        """The right life, in steps: a test holds it against the reference's."""
        return LifeInSteps(self.steps, {}).outcome(arguments)

    def way(self, wrong: Callable[..., Any], step: str) -> Way:
        """A wrong class, a life with one wrong step, or with several."""
        return Way(wrong, wrong.wrong) if isinstance(wrong, LifeInSteps) else super().way(wrong, step)

    def mistakes(self, kind: Kind, section: str, about: str) -> Callable[[Callable[[], Wrong]], Callable[[], Wrong]]:
        """Add a misconception that shows in several steps: a function that gives them, and whose docstring is said."""

        def add(build: Callable[[], Wrong]) -> Callable[[], Wrong]:
            life = LifeInSteps(self.steps, build())
            life.__name__ = build.__name__
            self.misconception(kind, section, sentence_of(build), about=about)(life)
            return build

        return add

    def also(self, identifier: str, **wrong: Step) -> None:
        """Add another way to make a mistake, in these steps."""
        self.another_way(identifier)(LifeInSteps(self.steps, wrong))


# ------------------------------------------------------------------------------------------ questions about a life


class Seen:
    """A life that was lived, beside the right one."""

    def __init__(self, f: Asked, arguments: Arguments) -> None:
        self.exercise = f.exercise
        self.arguments = arguments
        self.expected = f.right(arguments)
        self.outcome = f.outcome(arguments)
        self.loosely = f.loosely

    @cached_property
    def scale(self) -> Mapping[str, Array]:
        """The error analysis of these arguments."""
        return self.exercise.scale(self.arguments)

    def shows(self, *names: str, within: float | None = None) -> Mapping[str, Array]:
        """These things; refused when they are missing or not right: exactly, or roughly within a fraction."""
        expected = chosen(self.expected, names)
        answer = self.has(*names)
        for name, right in expected.items():
            actual = answer[name]
            tolerance = rough(right, within) if within else self.loosely * exact(actual, self.scale[name])
            mismatch = worst(name, actual, right, tolerance)
            if mismatch is not None:
                momentum = self.arguments[6]
                told = "None" if momentum is None else f"{momentum:g}"
                call = circumstances(self.exercise, self.arguments)
                raise Refused(f"{mismatch}, {call}, momentum = {told}.")
        return answer

    def has(self, *names: str) -> Mapping[str, Array]:
        """These things, right or wrong; refused when they are missing, or of another shape."""
        outcome = blamed(self.outcome, names)
        return shaped(self.exercise, self.arguments, outcome, chosen(self.expected, names))


LIVES: WeakKeyDictionary[Asked, dict[str, Seen]] = WeakKeyDictionary()
"""What was lived in a check: a life is long, so several properties look at the same one."""


def once(f: Asked, name: str, arguments: Callable[[], Arguments]) -> Seen:
    """The life of this name, lived when it is first asked for."""
    lives = LIVES.setdefault(f, {})
    if name not in lives:
        lives[name] = Seen(f, arguments())
    return lives[name]


def blamed(outcome: Outcome, names: tuple[str, ...]) -> Outcome:
    """The outcome, complaining about the first of these names that is missing."""
    if isinstance(outcome, Lived):
        why = next((outcome.complaints[name] for name in names if name in outcome.complaints), outcome.complaint)
        return Outcome(outcome.arrays, why, outcome.error, outcome.changed)
    return outcome
