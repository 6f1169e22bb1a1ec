"""How good is the checker? The figures, counted.

Everything runs in at most two processes, and the same seeds give the same figures.
"""

import multiprocessing
import os
import resource
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from statistics import median
from typing import Any

import numpy as np

from bncourse import check
from bncourse.checks.assignments import ASSIGNMENTS, EXERCISES
from bncourse.checks.draw import Draw
from bncourse.checks.seen import alike

from .cases import CASES
from .equivalence import judged
from .judging import Judgement, judge
from .making import Mutant, right_answers, sample
from .simpler import CHECKS, verdicts

PROCESSES = 2
MEMORY = 6 * 2**30
"""A mutant may ask for an absurd array; it then gets a MemoryError, and nobody else's memory."""

SAME_BY_ALGEBRA: dict[frozenset[str], str] = {}
"""Pairs of entries of one exercise that cannot be told apart, with the reason."""


def in_parallel(work: Callable[..., Any], tasks: Iterable[tuple[Any, ...]], processes: int = PROCESSES) -> list[Any]:
    """The results in order. The processes are forks: tasks may hold functions, since they go over by number."""
    waiting = list(tasks)
    if processes == 1 or len(waiting) < 2:
        return [work(*task) for task in waiting]
    _WAITING[:] = [(work, task) for task in waiting]
    with multiprocessing.get_context("fork").Pool(processes, limit_memory) as pool:
        return pool.map(do, range(len(waiting)), chunksize=4)


_WAITING: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []


def do(number: int) -> Any:
    """One of the waiting tasks."""
    work, task = _WAITING[number]
    return work(*task)


def limit_memory() -> None:
    """For a process of the pool."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


# ------------------------------------------------------------------------------------------------ the bank


@dataclass
class Bank:
    """What became of the bank's entries."""

    entries: int = 0
    implementations: int = 0
    passed: list[str] = field(default_factory=list)
    """Implementations that their exercise accepted."""
    misnamed: list[str] = field(default_factory=list)
    """Implementations that were not named as themselves, and only as that."""
    pairs: int = 0
    alike: list[str] = field(default_factory=list)
    """Pairs of entries with the same answers everywhere, and no reason given."""

    def __iadd__(self, other: "Bank") -> "Bank":
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)
        return self


def kill_matrix(exercise: str, seeds: Iterable[int]) -> Bank:
    """Every implementation against its exercise, and every pair of entries against each other."""
    task = EXERCISES[exercise]
    result = Bank(len(task.misconceptions))
    for entry in task.misconceptions:
        for way, wrong in enumerate(entry.implementations):
            result.implementations += 1
            name = f"{exercise}.{entry.identifier}[{way}]"
            reports = [check(exercise, *task.bank(wrong), seed=seed) for seed in seeds]
            if any(report.passed for report in reports):
                result.passed.append(name)
            said = {tuple(report.misconceptions) for report in reports} - {(entry.identifier,)}
            if said:
                result.misnamed.append(f"{name}: {' / '.join(' + '.join(one) or 'nothing' for one in sorted(said))}")
    with np.errstate(all="ignore"):
        result += compared(exercise)
    return result


def compared(exercise: str) -> Bank:
    """Every pair of entries: whether some problem tells them apart."""
    task, result = EXERCISES[exercise], Bank()
    probes = [task.problem(Draw(7, f"pair {n}"), one) for n, one in enumerate((*task.probes, *task.whole_probes))]
    outcomes = {
        entry.identifier: [[task.run(task.bank(one), probe) for probe in probes] for one in entry.implementations]
        for entry in task.misconceptions
    }
    for one, other in combinations(outcomes, 2):
        result.pairs += 1
        for some in outcomes[one]:
            for others in outcomes[other]:
                same = all(same_behaviour(a, b) for a, b in zip(some, others, strict=True))
                if same and frozenset({one, other}) not in SAME_BY_ALGEBRA:
                    result.alike.append(f"{exercise}: {one} and {other}")
    return result


def same_behaviour(one: Any, other: Any) -> bool:
    """Whether two outcomes are the same: in numbers, as the checker tells them apart, and in manners."""
    manners = [
        (outcome.error, bool(outcome.complaint), set(outcome.changed), outcome.alone) for outcome in (one, other)
    ]
    return manners[0] == manners[1] and alike(one, other)


# ------------------------------------------------------------------------------------------------ mutants


def mutants(exercises: Iterable[str], seed: int, count: int, processes: int = PROCESSES) -> list[Judgement]:
    """So many mutants of every exercise, judged."""
    chosen = [one for exercise in exercises for one in sample(exercise, seed, count)]
    return in_parallel(judge, [(one,) for one in chosen], processes)


@dataclass(frozen=True)
class Count:
    """How many mutants came to what."""

    made: int
    equivalent: int
    crashing: int
    survived: int
    explained: int
    in_part: int
    named_wrongly: int
    unexplained: int
    no_report: int
    by_identity: int
    """Of the explained ones: those of which only a broken identity is said."""

    @property
    def wrong(self) -> int:
        """Mutants that are wrong answers."""
        return self.made - self.equivalent

    @property
    def answering(self) -> int:
        """Wrong answers that give arrays: those that there is something to explain about."""
        return self.wrong - self.crashing

    @property
    def killed(self) -> float:
        """The share of wrong answers that are not accepted."""
        return 1 - self.survived / max(self.wrong, 1)

    @property
    def share(self) -> float:
        """The share of answering ones that are explained truthfully."""
        return self.explained / max(self.answering, 1)


def counted(judgements: Iterable[Judgement]) -> Count:
    """Count them."""
    judgements = list(judgements)
    outcomes = [one.outcome for one in judgements]
    by_identity = sum(one.outcome == "explained" and one.by_identity for one in judgements)
    names = ("equivalent", "crashing", "survived", "explained", "in part", "named wrongly", "unexplained", "no report")
    return Count(len(outcomes), *(outcomes.count(name) for name in names), by_identity)


# ------------------------------------------------------------------------------------------------ simpler checks


def wrong_answers(exercises: Iterable[str], seed: int, count: int) -> Iterator[tuple[str, str, tuple[Any, ...]]]:
    """The bank, and mutants that are wrong and answer: exercise, what it is, functions."""
    for exercise in exercises:
        task = EXERCISES[exercise]
        for entry in task.misconceptions:
            for way, one in enumerate(entry.implementations):
                yield exercise, f"{exercise}.{entry.identifier}[{way}]", task.bank(one)
        for one in sample(exercise, seed, count):
            if answers_wrongly(one):
                yield exercise, str(one), one.functions


def answers_wrongly(mutant: Mutant) -> bool:
    """Whether a mutant gives a wrong answer, and not just an exception."""
    verdict = judged(mutant)
    return not verdict.equivalent and not verdict.crashing


@dataclass(frozen=True)
class Caught:
    """How many wrong answers a check caught, of those it says anything about."""

    caught: int
    judged: int
    accepts_right: int
    right: int

    @property
    def share(self) -> float:
        """The share of all wrong answers that it judged."""
        return self.caught / max(self.judged, 1)


def simpler_checks(
    exercises: Iterable[str], seed: int, count: int, processes: int = PROCESSES
) -> tuple[dict[str, dict[str, Caught]], list[str]]:
    """Assignment -> check -> what it caught, and how many right answers it accepts; and what ours did not catch."""
    names = list(exercises)
    wrong = list(wrong_answers(names, seed, count))
    right = [(name, style, functions) for name in names for style, functions in right_answers().get(name, [])]
    tasks = [(name, functions, seed + n) for n, (name, _, functions) in enumerate(wrong + right)]
    said = in_parallel(verdicts, tasks, processes)
    table: dict[str, dict[str, Caught]] = {}
    for assignment, ours in ASSIGNMENTS.items():
        members = {one.name for one in ours} & set(names)
        if not members:
            continue
        table[assignment] = {}
        for name in CHECKS:
            of_wrong = [one[name] for one, (e, *_) in zip(said, wrong, strict=False) if e in members]
            of_right = [one[name] for one, (e, *_) in zip(said[len(wrong) :], right, strict=True) if e in members]
            bad, good = ([one for one in some if one is not None] for some in (of_wrong, of_right))
            table[assignment][name] = Caught(bad.count(False), len(bad), good.count(True), len(good))
    return table, [what for one, (_, what, _) in zip(said, wrong, strict=False) if one["ours"] is not False]


# ------------------------------------------------------------------------------------------------ right answers


def refused(exercise: str, style: str, functions: tuple[Any, ...], seeds: Iterable[int]) -> list[str]:
    """The seeds for which a right answer is not accepted in full, or something is said against it."""
    found = []
    for seed in seeds:
        report = check(exercise, *functions, seed=seed)
        if not report.passed or report.points < report.max_points or report.misconceptions:
            why = "; ".join(one.message for one in report.properties if not one.passed)
            found.append(f"{exercise} [{style}], seed {seed}: {why or report.misconceptions}")
    return found


def accepted(exercises: Iterable[str], seeds: Iterable[int], processes: int = PROCESSES) -> tuple[int, list[str]]:
    """How many right answers there are, and what was refused."""
    drawn = list(seeds)
    tasks = [(name, style, one, drawn) for name in exercises for style, one in right_answers().get(name, [])]
    found = in_parallel(refused, tasks, processes)
    return len(tasks), [one for some in found for one in some]


# ------------------------------------------------------------------------------------------------ speed


@dataclass(frozen=True)
class Speed:
    """Seconds of one exercise."""

    exercise: str
    passing: float
    first: float
    """The slowest failing check of one implementation of each entry, each the first check of its process."""
    failing: float
    """The median of the bank."""
    slowest: float
    slowest_entry: str
    witness: float
    """The slowest, check and witness together."""
    witness_entry: str


def seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """The fastest of a few runs: the others waited for something else."""
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def first_time(work: Callable[[], object]) -> float:
    """Seconds in a process of its own, forked from this one: nothing that an earlier check kept is there."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, f"{seconds(work, 1)}".encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as result:
        return float(result.read())


def witnessed(exercise: str, functions: tuple[Any, ...]) -> object:
    """A check and its witness."""
    return check(exercise, *functions, seed=1).witness


def speed(exercise: str) -> Speed:
    """How long a student waits: for the right answer, for each of the bank's, and with the witness."""
    task = EXERCISES[exercise]
    bank = {
        f"{entry.identifier}[{way}]": task.bank(one)
        for entry in task.misconceptions
        for way, one in enumerate(entry.implementations)
    } or {"None": task.bank(None)}  # type: ignore[arg-type]  # a plain exercise has no bank
    banks = [functions for name, functions in bank.items() if name.endswith(("[0]", "None"))]
    first = max(first_time(partial(check, exercise, *functions, seed=1)) for functions in banks)
    passing = seconds(lambda: check(exercise, *CASES[exercise].reference, seed=1), 5)
    failing, with_witness = {}, {}
    for name, functions in bank.items():
        failing[name] = seconds(partial(check, exercise, *functions, seed=1))
        with_witness[name] = seconds(partial(witnessed, exercise, functions), 2)
    slow, late = (max(times, key=times.__getitem__) for times in (failing, with_witness))
    return Speed(exercise, passing, first, median(failing.values()), failing[slow], slow, with_witness[late], late)
