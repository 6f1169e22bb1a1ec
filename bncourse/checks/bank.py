"""Which entries of the bank give the student's answers: one of them, or several in different steps?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice, product

import numpy as np

from .answers import Array
from .asking import Asked
from .calling import Outcome
from .chain import Step
from .draw import Draw
from .exercise import Exercise, Kind, Misconception, Problem, Way
from .seen import Diagnosis, Seen, answers_of, close

First = Mapping[int, Mapping[str, Array]]


def first_answers(exercise: Exercise, seen: Seen) -> First:
    """What every way to go wrong in a step makes of the first problem, by the way's id: most are ruled out by it."""
    names = tuple(seen.outcomes[0].arrays)
    return {
        id(way): seen.steps.outputs(way.wrong, names)
        for entry in exercise.misconceptions
        for way in entry.ways
        if way.wrong and names
    }


def single_entries(exercise: Exercise, seen: Seen, first: First) -> list[Diagnosis]:
    """The entries that give the student's answers."""
    student = seen.outcomes[0].arrays
    right = seen.steps.outputs({}, student) if exercise.chain is not None else {}
    wrong = {name for name in right if not close(student[name], right[name])}
    found = []
    for entry in exercise.misconceptions:
        for way in entry.ways:
            made = first.get(id(way), {})
            touched = {name for name in made if made[name] is not right.get(name)}  # the others are the right ones
            if made and not (wrong <= touched and all(close(student[name], made[name]) for name in touched)):
                continue
            if seen.explained_by(exercise.bank(way.function)):
                found.append(named(exercise, entry, way))
                break
    return found


MANY_OUTPUTS = 6


def entries_at_once(exercise: Exercise, seen: Seen, first: First) -> list[Diagnosis]:
    """Wrong steps that together give the student's answers; none when more than one choice of them does."""
    if exercise.chain is None or seen.outcomes[0].complaint:
        return []
    if len(seen.outcomes[0].arrays) >= MANY_OUTPUTS:
        return several_entries(exercise, seen, first)
    found: dict[frozenset[str], list[Diagnosis]] = {}
    for pair in likely_pairs(exercise, seen, first):
        said = explained_together(exercise, seen, pair)
        if said:
            found.setdefault(frozenset(one.identifier for one in said), said)
    return next(iter(found.values())) if len(found) == 1 else []


@dataclass(frozen=True)
class Candidate:
    """A wrong step, with what it does to the first answer by itself."""

    entry: Misconception
    way: Way
    changes: frozenset[str]
    """The outputs that are no longer right."""
    fits: frozenset[str]
    """Of these: the ones that are now the student's."""

    def goes_with(self, other: "Candidate") -> bool:
        """Whether the two can be made at once, and be said at once."""
        return not (
            self.entry is other.entry
            or self.entry.about & other.entry.about
            or self.way.wrong.keys() & other.way.wrong.keys()
        )


def wrong_outputs(exercise: Exercise, seen: Seen) -> tuple[tuple[str, ...], dict[str, Array], frozenset[str]]:
    """The outputs, what is right for the first problem, and which of the student's are not."""
    student = seen.outcomes[0].arrays
    names = tuple(student)
    right = seen.steps.outputs({}, names)
    return names, right, frozenset(name for name in names if not close(student[name], right[name]))


def candidates(exercise: Exercise, seen: Seen, first: First) -> list[Candidate]:
    """The wrong steps that change nothing but what is wrong."""
    student = seen.outcomes[0].arrays
    _, right, wrong = wrong_outputs(exercise, seen)
    found = []
    for entry in exercise.misconceptions:
        for way in entry.ways:
            values = first.get(id(way), {})
            changes = frozenset(name for name in values if not close(values[name], right[name]))
            if changes and changes <= wrong:
                fits = frozenset(name for name in changes if close(student[name], values[name]))
                found.append(Candidate(entry, way, changes, fits))
    return found


def likely_pairs(exercise: Exercise, seen: Seen, first: First) -> Iterator[tuple[Candidate, Candidate]]:
    """Pairs of wrong steps about different quantities that give the student's first answer.

    Most are ruled out by the outputs that each of the two changes by itself.
    """
    student = seen.outcomes[0].arrays
    names, _, wrong = wrong_outputs(exercise, seen)
    for one, other in combinations(candidates(exercise, seen, first), 2):
        if one.changes | other.changes != wrong or not one.goes_with(other):
            continue
        if not (one.changes - other.changes <= one.fits and other.changes - one.changes <= other.fits):
            continue
        if one.changes & other.changes:
            both = seen.steps.outputs({**one.way.wrong, **other.way.wrong}, names)
            if not both or not all(close(student[name], both[name]) for name in names):
                continue
        yield one, other


MOST_AT_ONCE = 4


def several_entries(exercise: Exercise, seen: Seen, first: First) -> list[Diagnosis]:
    """Up to four wrong steps, found one after the other: each makes more outputs the student's than any other.

    For answers with many outputs, such as a layer's life, of which a mistake leaves some alone.
    """
    student = seen.outcomes[0].arrays
    names = tuple(student)
    waiting = candidates(exercise, seen, first)
    taken: list[list[Candidate]] = []
    for _ in range(MOST_AT_ONCE):
        fitting: dict[str, list[Candidate]] = {}
        best = 0
        for one in waiting:
            if not all(one.goes_with(ways[0]) for ways in taken):
                continue
            wrong = together([*(ways[0] for ways in taken), one])
            made = seen.steps.outputs(wrong, names)
            matched = sum(close(student[name], value) for name, value in made.items())
            if matched > best:
                best, fitting = matched, {}
            if matched == best:
                fitting.setdefault(one.entry.identifier, []).append(one)
        if len(fitting) != 1:
            return []
        taken += fitting.values()
        if best == len(names):
            tried = islice(product(*taken), MOST_TRIALS)  # ways that differ only in other problems
            return next((said for ways in tried if (said := explained_together(exercise, seen, ways))), [])
    return []


MOST_TRIALS = 24


def together(ways: Sequence[Candidate]) -> dict[str, Step]:
    """All their wrong steps."""
    return {step: how for one in ways for step, how in one.way.wrong.items()}


def explained_together(exercise: Exercise, seen: Seen, taken: Sequence[Candidate]) -> list[Diagnosis]:
    """The entries, if together they explain every problem."""
    wrong = together(taken)
    way = Way(exercise.from_steps(wrong), wrong)
    if not seen.explained_by(exercise.bank(way.function)):
        return []
    return [named(exercise, one.entry, way) for one in taken]


def named(exercise: Exercise, entry: Misconception, way: Way) -> Diagnosis:
    """An entry as a diagnosis."""

    predict = answers_of(exercise, way)

    about = entry.about | way.wrong.keys()
    return Diagnosis(entry.identifier, entry.sentence, entry.kind, entry.section, about, predict, way.wrong or None)


FAR_PROBES = (Problem(64, 3, eps=0.1), Problem(33, 4))


def lost_digits(exercise: Exercise, student: Asked, seed: int) -> list[Diagnosis]:
    """The numerical trouble of an answer that is right near 0, and wrong far from it, on two problems.

    Which digits are lost depends on the order of every sum, so nothing is compared with the bank's own.
    """
    entries = [entry for entry in exercise.misconceptions if entry.kind is Kind.NUMERICS]
    if exercise.far is None or len(entries) != 1:
        return []
    for n, problem in enumerate(FAR_PROBES):
        arguments = exercise.far(Draw(seed, f"far {n}"), problem)
        seen, right = student.outcome(arguments), exercise.right(arguments)
        if seen.complaint or any(seen.arrays[name].shape != one.shape for name, one in right.arrays.items()):
            return []
        if all(np.allclose(seen.arrays[name], one, rtol=0.01) for name, one in right.arrays.items()):
            return []
    (entry,) = entries
    return [Diagnosis(entry.identifier, entry.sentence, entry.kind, entry.section, entry.about)]


def by_contract(exercise: Exercise, seen: Seen) -> list[Diagnosis]:
    """Entries that change the same inputs, or keep the cache to themselves, as the student does; how is style."""
    if not any(one.changed or one.alone for one in seen.outcomes[:1]):
        return []
    found = []
    for entry in exercise.misconceptions:
        if entry.kind is Kind.CONTRACT and any(breaks_the_same(exercise, way, seen) for way in entry.ways):
            found.append(Diagnosis(entry.identifier, entry.sentence, entry.kind, entry.section, entry.about))
    return found


def breaks_the_same(exercise: Exercise, way: Way, seen: Seen) -> bool:
    """Whether an entry breaks the agreement that the student breaks on every problem."""
    made = exercise.run(exercise.bank(way.function), seen.problems[0])
    floats = seen.outcomes[: seen.floats]
    if made.changed:
        pair = exercise.forward is not None
        return all(one.changed and spoiled(one, pair) == spoiled(made, pair) for one in floats)
    return made.alone and all(one.alone for one in floats)


def spoiled(outcome: Outcome, pair: bool) -> str:
    """What was changed: an input, or (of a pair) dy, the parameters, or the cache."""
    if not pair:
        return "input"
    names = outcome.changed.keys() - {"cache"}
    return "cache" if not names else "dy" if names == {"dy"} else "parameters"
