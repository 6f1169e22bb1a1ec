"""What does the checker say of a mutant, and is it true?

A diagnosis is *truthful* when

(a) its prediction is the mutant's answer on 20 fresh problems that the diagnosis has not seen (for what an answer does
    besides its numbers: the mutant does that, on each of them), and
(b) it speaks about a quantity that was changed or became wrong: ``about`` and :func:`~mutation.roles.roles` meet. An
    output that is a sum of terms counts only where the diagnosis speaks about it as a whole: what is said about the
    path through the mean is also about dx, but has to be true of that path. It is, where the coefficient of that term,
    regressed on a fresh problem, is another than the right answer's.

A mutant is *explained* when all that is said of it is truthful and covers every output that is wrong, *in part* when it
leaves one out, *named wrongly* when anything said is not truthful, *unexplained* when nothing is said.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from bncourse import check
from bncourse.checks.asking import Asked
from bncourse.checks.assignments import ASSIGNMENTS, EXERCISES
from bncourse.checks.draw import Draw
from bncourse.checks.exercise import Kind, Problem
from bncourse.checks.surroundings import TimeUp, quiet, time_limit
from bncourse.checks.terms import solve

from .equivalence import judged
from .making import Mutant
from .roles import roles

FRESH = 20
FRESH_SEED = 1_000_003
"""Far from the seeds that reports are made with here (below 2³¹, from a hash)."""

TERM_PROBLEM = Problem(9, 5, eps=0.15, low=False)
"""Where the judge regresses an answer on its terms: a shape and an eps that no reading uses."""

OUTCOMES = ("equivalent", "survived", "crashing", "explained", "in part", "named wrongly", "unexplained", "no report")


@dataclass(frozen=True)
class Judgement:
    """One mutant, judged; plain values, so that it can come from another process."""

    exercise: str
    operator: str
    text: str
    outcome: str
    """One of OUTCOMES; ``survived``: a wrong answer passed; ``no report``: ``check`` raised, which it never may."""
    said: tuple[str, ...] = ()
    why: str = ""
    """For what went wrong: the reason."""
    by_identity: bool = False
    """Whether all that is said of the numbers is that an identity is broken, which predicts none."""
    unanchored: bool = False
    """Whether a diagnosis names no quantity, so that it rests on (a) alone."""


def assignment_of(exercise: str) -> str:
    """The assignment that an exercise belongs to."""
    return next(name for name, exercises in ASSIGNMENTS.items() if any(one.name == exercise for one in exercises))


def seed_of(mutant: Mutant) -> int:
    """A seed for the report: another for each mutant, the same every time."""
    return zlib.crc32(mutant.source.encode()) >> 1


def judge(mutant: Mutant) -> Judgement:
    """Check a mutant, and check what was said of it."""
    verdict = judged(mutant)
    if verdict.equivalent:
        return judgement(mutant, "equivalent")
    try:
        functions = mutant.functions
    except Exception:
        return judgement(mutant, "crashing")  # it cannot even be defined: the notebook shows the exception
    try:
        report = check(mutant.exercise, *functions, seed=seed_of(mutant))
    except Exception as raised:
        return judgement(mutant, "no report", why=f"check raised {type(raised).__name__}: {raised}")
    said = tuple(report.misconceptions)
    if report.passed:
        return judgement(mutant, "survived", said, verdict.evidence)
    if verdict.crashing:
        return judgement(mutant, "crashing", said)
    if not said:
        return judgement(mutant, "unexplained", said, verdict.evidence)
    seen = Fresh(mutant)
    faults = [f"{one.identifier}: {fault}" for one in report.diagnoses if (fault := seen.fault(one))]
    if faults:
        return judgement(mutant, "named wrongly", said, "; ".join(faults))
    values = [one for one in report.diagnoses if one.kind is not Kind.CONTRACT]
    by_identity = bool(values) and all(one.predict is None for one in values)
    unanchored = any(one.kind is not Kind.CONTRACT and not one.about for one in report.diagnoses)
    left = seen.unexplained(report.diagnoses)
    return judgement(mutant, "in part" if left else "explained", said, ", ".join(sorted(left)), by_identity, unanchored)


def judgement(
    mutant: Mutant,
    outcome: str,
    said: tuple[str, ...] = (),
    why: str = "",
    by_identity: bool = False,
    unanchored: bool = False,
) -> Judgement:
    """A mutant with what came of it."""
    return Judgement(mutant.exercise, mutant.operator, str(mutant), outcome, said, why, by_identity, unanchored)


@cache
def fresh_problems(exercise: str) -> tuple[Any, ...]:
    """Problems of every kind that the diagnosis uses, with other numbers."""
    task = EXERCISES[exercise]
    return tuple(task.problem(Draw(FRESH_SEED, f"fresh {k}"), task.probes[k % len(task.probes)]) for k in range(FRESH))


class Fresh:
    """A mutant's answers to fresh problems."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant
        self.task = EXERCISES[mutant.exercise]
        self.problems = fresh_problems(mutant.exercise)
        self.outcomes, self.rights = [], []
        self.wrong: set[str] = set()
        for arguments in self.problems:
            outcome, right = self.run(mutant.functions, arguments), self.run(self.task.reference, arguments)
            self.outcomes.append(outcome)
            self.rights.append(right)
            answered = {name: outcome.arrays[name] for name in right.arrays if name in outcome.arrays}
            missing = right.arrays.keys() - answered.keys()
            self.wrong |= missing | {name for name, value in answered.items() if not same(value, right.arrays[name])}

    def run(self, functions: tuple[Any, ...], arguments: Any) -> Any:
        """What functions make of the arguments; never for long."""
        try:
            with quiet(), time_limit(2.0):
                return self.task.run(functions, arguments)
        except TimeUp:
            return type("TooLong", (), {"arrays": {}, "complaint": "", "changed": {}, "alone": False})()

    def fault(self, diagnosis: Any) -> str:
        """Why a diagnosis is not truthful, or ""."""
        if diagnosis.kind is Kind.CONTRACT and diagnosis.predict is None:
            return "" if all(one.changed or one.alone for one in self.outcomes) else "it keeps to the agreement"
        if diagnosis.predict is not None:
            for number, arguments in enumerate(self.problems):
                outcome, right = self.outcomes[number], self.rights[number]
                try:
                    predicted = self.predicted(diagnosis, arguments)
                except Exception as raised:
                    return f"its prediction raises {type(raised).__name__} on fresh problem {number}"
                if off := differs(predicted, outcome.arrays, right.arrays):
                    return f"predicts another {off} on fresh problem {number}"
        changed = roles(self.mutant)
        spoken = (diagnosis.about - self.of_terms(diagnosis)) or diagnosis.about
        if diagnosis.about and not spoken & changed and not self.term_is_off(diagnosis):
            return f"speaks about {' '.join(sorted(spoken))}, changed was {' '.join(sorted(changed))}"
        return ""

    def term_is_off(self, diagnosis: Any) -> bool:
        """Whether a diagnosis speaks of a term whose coefficient, on a fresh problem, is not the right one."""
        student, draw = Asked(self.mutant.functions, self.task), Draw(FRESH_SEED, "a term")
        for reading in self.task.readings:
            spoken = diagnosis.identifier.rpartition("_")[0].removeprefix(f"{reading.output}_")
            numbers = [n for n, term in enumerate(reading.terms) if term.name and term.name == spoken]
            solved = solve(self.task, student, reading, draw, TERM_PROBLEM) if numbers else None
            if solved is not None:
                return bool(np.any(np.abs(solved[0][numbers[0]] - (not reading.terms[numbers[0]].foreign)) > 1e-6))
        return False

    def of_terms(self, diagnosis: Any) -> set[str]:
        """The outputs of which a diagnosis judges one term among several."""
        several = {one.output for one in self.task.readings if sum(not term.foreign for term in one.terms) > 1}
        return {name for name in several if diagnosis.identifier.rpartition("_")[0] != name}

    def predicted(self, diagnosis: Any, arguments: Any) -> Mapping[str, np.ndarray]:
        """What the answer is, if the diagnosis is right."""
        with quiet():
            found: Mapping[str, np.ndarray] = diagnosis.predict(arguments)
        return found

    def unexplained(self, diagnoses: Any) -> set[str]:
        """The outputs that are wrong, but that no diagnosis speaks of."""
        covered: set[str] = set()
        for one in diagnoses:
            if one.predict is not None:
                covered |= self.predicted(one, self.problems[0]).keys() or set(self.task.signature.returns)
            elif one.kind is not Kind.CONTRACT:
                covered |= set(self.task.signature.returns)  # an identity that is broken
        return self.wrong - covered


def differs(
    predicted: Mapping[str, np.ndarray], actual: Mapping[str, np.ndarray], right: Mapping[str, np.ndarray]
) -> str:
    """The first output in which a prediction is off; no answer is predicted by no answer."""
    if bool(predicted) != bool(actual):
        return "outcome"
    for name, value in predicted.items():
        size = float(np.max(np.abs(right.get(name, np.zeros(1))), initial=0.0))
        if name not in actual or not same(value, actual[name], size):
            return name
    return ""


def same(one: np.ndarray, other: np.ndarray, size: float = 0.0) -> bool:
    """Whether two answers agree: to six digits of the largest (or nine of a given size), to three in float32."""
    one, other = (a.reshape(-1) if is_a_row(a) else a for a in (np.asarray(one), np.asarray(other)))
    if one.shape != other.shape:
        return False
    digits = 1e-3 if np.float32 in (one.dtype, other.dtype) else 1e-6
    finite = np.abs(other[np.isfinite(other)])
    room = max(digits * float(finite.max(initial=0.0)), 1e-3 * digits * size)
    return bool(np.allclose(one, other, rtol=digits, atol=room, equal_nan=True))


def is_a_row(values: np.ndarray) -> bool:
    """Whether it is one number a feature, (1, D), or a channel, (1, C, 1, 1): as good as (D,)."""
    return values.ndim in (2, 4) and values.size == values.shape[1]
