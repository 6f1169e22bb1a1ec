"""What if one step went wrong in a simple way that nobody has written down?

Every step of the chain, and everything a step uses, is varied in turn: wrong sign, left out, squared, not rooted, N
times too large, another quantity in its place. A fault is said when the whole answer with it is the student's.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from types import SimpleNamespace
from typing import Any

import numpy as np

from .calling import Outcome
from .chain import Chain, Retrace, Step, Wrong
from .exercise import Exercise, Kind, Way
from .seen import Diagnosis, Seen, agree, answers_of, close, says_something

Change = Callable[[Any, Any], Any]

CHANGES: tuple[tuple[str, str, Change], ...] = (
    ("sign", "has the wrong sign", lambda v, at: -v),
    ("missing", "is left out, as if it were 0", lambda v, at: 0.0 * np.asarray(v)),
    ("one", "is left out, as if it were 1", lambda v, at: np.ones_like(np.asarray(v, float))),
    ("summed", "is a sum where a mean belongs: N times too large", lambda v, at: v * at.N),
    ("averaged", "is divided by N, which it should not be", lambda v, at: v / at.N),
    ("unbiased", "is divided by N - 1 where N belongs", lambda v, at: v * at.N / (at.N - 1)),
    ("biased", "is divided by N where N - 1 belongs", lambda v, at: v * (at.N - 1) / at.N),
    ("squared", "is squared", lambda v, at: v * v),
    ("rooted", "is the root of what it should be", lambda v, at: np.sqrt(v)),
    ("inverted", "is turned upside down, 1 over what it should be", lambda v, at: 1.0 / v),
    ("doubled", "is twice what it should be", lambda v, at: 2.0 * v),
    ("halved", "is half of what it should be", lambda v, at: 0.5 * v),
    ("incremented", "is too large by 1", lambda v, at: v + 1.0),
    ("decremented", "is too small by 1", lambda v, at: v - 1.0),
    ("absolute", "has lost its sign", lambda v, at: np.abs(v)),
)


@dataclass(frozen=True)
class Fault:
    """One step gone wrong."""

    identifier: str
    words: str
    wrong: Wrong
    about: frozenset[str]


MOST_STEPS = 30
"""A layer's whole life has more: of these only the results are varied, not everything that each of them uses."""


def faults(trace: Retrace, wrong_outputs: Collection[str], outputs: tuple[str, ...]) -> Iterator[Fault]:
    """Every simple fault that can make just these outputs wrong, the plainest first."""
    chain, at, reads = trace.chain, trace.at, trace.reads
    reach = {name: trace.after[name] & set(outputs) for name in chain.steps}
    steps = [name for name in chain.steps if reach[name] and reach[name] <= set(wrong_outputs)]
    changes = CHANGES if "N" in vars(at) else tuple(one for one in CHANGES if not needs_count(one[0]))
    for name in steps:
        for kind, words, change in changes:
            step = changed(chain.steps[name], change)
            yield Fault(f"{name}_{kind}", f"{name} {words}", {name: step}, frozenset({name}))
    if len(chain.steps) > MOST_STEPS:
        return
    for name in steps:
        for other in known_before(chain, name) if name not in outputs else ():  # these have their own explanations
            if fits(at, name, other):
                text = f"{other} stands where {name} belongs"
                yield Fault(f"{name}_is_{other}", text, {name: attrgetter(other)}, frozenset({name, other}))
    for name in steps:
        for used in sorted(reads[name]):
            for kind, words, change in changes:
                step = with_input(chain.steps[name], used, change_of(used, change))
                text = f"{used} {words} where {name} is computed"
                yield Fault(f"{name}_{used}_{kind}", text, {name: step}, frozenset({name, used}))
    for name in steps:
        earlier = known_before(chain, name)
        for used in sorted(reads[name]):
            for other in earlier:
                if other != used and fits(at, used, other):
                    step = with_input(chain.steps[name], used, attrgetter(other))
                    text = f"{name} is computed with {other} where {used} belongs"
                    yield Fault(f"{name}_with_{other}_for_{used}", text, {name: step}, frozenset({name, used, other}))


def needs_count(kind: str) -> bool:
    """Whether a change needs the number of samples."""
    return kind in ("summed", "averaged", "unbiased", "biased")


def known_before(chain: Chain, name: str) -> list[str]:
    """The arguments, and the steps before this one."""
    steps = list(chain.steps)
    return [*chain.parameters, *steps[: steps.index(name)]]


def fits(at: Any, used: str, other: str) -> bool:
    """Whether one array could stand where another does: of its shape, or one that broadcasts to it."""
    one, two = vars(at).get(used), vars(at).get(other)
    if not isinstance(one, np.ndarray) or not isinstance(two, np.ndarray) or two.ndim > one.ndim:
        return False
    return bool(two.shape == one.shape[one.ndim - two.ndim :])


def changed(step: Step, change: Change) -> Step:
    """The step, its result changed."""
    return lambda at: change(step(at), at)


def change_of(used: str, change: Change) -> Callable[[Any], Any]:
    """One quantity, changed."""
    return lambda at: change(getattr(at, used), at)


def with_input(step: Step, used: str, value: Callable[[Any], Any]) -> Step:
    """The step, one thing that it uses exchanged."""
    return lambda at: step(SimpleNamespace(**{**vars(at), used: value(at)}))


# ---------------------------------------------------------------------------------------- finding one


def faulty_step(exercise: Exercise, seen: Seen) -> list[Diagnosis]:
    """The plainest fault of one step that gives the student's answers."""
    student = seen.outcomes[0]
    if exercise.chain is None:
        return []
    if not all(numbers(one) for one in seen.outcomes[: seen.floats]):
        return []
    names = tuple(student.arrays)
    right = seen.steps.outputs({}, names)
    wrong = {name for name in names if not close(student.arrays[name], right[name])}
    for fault in faults(seen.steps, wrong, names):
        made = seen.steps.outputs(fault.wrong, wrong)
        if made and all(close(student.arrays[name], made[name]) for name in wrong):
            way = Way(exercise.from_steps(fault.wrong), fault.wrong)
            if seen.explained_by(exercise.bank(way.function)):
                return [faulty(exercise, fault, way, wrong)]
    return []


def numbers(outcome: Outcome) -> bool:
    """Whether the student's function answered with numbers."""
    return not outcome.complaint and says_something(outcome)


def faulty(exercise: Exercise, fault: Fault, way: Way, wrong: Collection[str]) -> Diagnosis:
    """A fault in a sentence."""
    (name,) = fault.wrong
    words = " ".join((exercise.steps.steps[name].__doc__ or "").split())
    sentence = (
        f"Your {' and '.join(sorted(wrong))} comes out as if {fault.words}. Right would be, for {name}: {words}. "
        "Look at the line that computes it."
    )

    predict = answers_of(exercise, way)

    return Diagnosis(
        fault.identifier, sentence, Kind.ERROR, exercise.section, fault.about | set(wrong), predict, fault.wrong
    )


# ---------------------------------------------------------------------------------------- what is taken when not given

DEFAULTS = (0.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10, 1e-12, 1.0, 0.5, 0.9, 0.99, 0.999)
"""Of eps, momentum or a step, whichever is left out."""


def another_default(exercise: Exercise, seen: Seen) -> list[Diagnosis]:
    """An answer that is right when everything is given, and uses another value for what is not."""
    chain = exercise.chain
    if chain is None or not chain.defaults or not any(map(agree, seen.outcomes, seen.right)):
        return []
    for name, right in chain.defaults.items():
        for value in DEFAULTS:
            if value == right:
                continue
            wrong = {name: partial(given_or, name, value)}
            way = Way(exercise.from_steps(wrong), wrong)
            if seen.explained_by(exercise.bank(way.function)):
                return [defaulting(exercise, name, right, value, way)]
    return []


def given_or(name: str, value: float, at: Any) -> Any:
    """What was given, or another default."""
    return at.given.get(name, value)


def defaulting(exercise: Exercise, name: str, right: Any, value: float, way: Way) -> Diagnosis:
    """Another default in a sentence."""
    sentence = (
        f"Your {name} is {value:g} when none is given. What is given you use rightly; but this exercise asks for "
        f"{name} = {right:g} as the default."
    )

    predict = answers_of(exercise, way)

    about = frozenset({name})
    return Diagnosis(f"another_default_{name}", sentence, Kind.ERROR, exercise.section, about, predict, way.wrong)
