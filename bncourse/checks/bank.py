"""Which entries of the bank give the student's answers: one of them, or two in different steps?"""

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np

from .answers import Array
from .asking import Asked
from .calling import Outcome
from .draw import Draw
from .exercise import Arguments, Exercise, Kind, Misconception, Problem, Way
from .seen import Diagnosis, Seen, close, outputs

First = Mapping[int, Mapping[str, Array]]


def first_answers(exercise: Exercise, seen: Seen) -> First:
    """What every way to go wrong in a step makes of the first problem, by the way's id: most are ruled out by it."""
    names = tuple(seen.outcomes[0].arrays)
    return {
        id(way): outputs(exercise, seen.problems[0], way.wrong, names)
        for entry in exercise.misconceptions
        for way in entry.ways
        if way.wrong and names
    }


def single_entries(exercise: Exercise, seen: Seen, first: First) -> list[Diagnosis]:
    """The entries that give the student's answers."""
    student = seen.outcomes[0].arrays
    found = []
    for entry in exercise.misconceptions:
        for way in entry.ways:
            made = first.get(id(way), {})
            if not all(close(student[name], made[name]) for name in made):
                continue
            if seen.explained_by(exercise.bank(way.function)):
                found.append(named(exercise, entry, way))
                break
    return found


def two_entries(exercise: Exercise, seen: Seen, first: First) -> list[Diagnosis]:
    """Two wrong steps that together give the student's answers; none when several pairs do."""
    found: dict[frozenset[str], list[Diagnosis]] = {}
    for (one, way_of_one), (other, way_of_other) in likely_pairs(exercise, seen, first):
        both = {**way_of_one.wrong, **way_of_other.wrong}
        way = Way(exercise.from_steps(both), both)
        if seen.explained_by(exercise.bank(way.function)):
            pair = [named(exercise, one, way), named(exercise, other, way)]
            found.setdefault(frozenset({one.identifier, other.identifier}), pair)
    return next(iter(found.values())) if len(found) == 1 else []


Named = tuple[Misconception, Way]


def likely_pairs(exercise: Exercise, seen: Seen, first: First) -> Iterator[tuple[Named, Named]]:
    """Pairs of wrong steps about different quantities that give the student's first answer.

    Most are ruled out by the outputs that each of the two changes by itself.
    """
    student = seen.outcomes[0]
    if exercise.chain is None or student.complaint:
        return
    names = tuple(student.arrays)
    right = outputs(exercise, seen.problems[0], {}, names)
    wrong = {name for name in names if not close(student.arrays[name], right[name])}
    made: list[tuple[Named, set[str], dict[str, Array]]] = []
    for entry in exercise.misconceptions:
        for way in entry.ways:
            values = dict(first.get(id(way), {}))
            changed = {name for name in values if not close(values[name], right[name])}
            if changed and changed <= wrong:
                made.append(((entry, way), changed, values))
    for (one, reach, values), (other, reach_of_other, values_of_other) in combinations(made, 2):
        if reach | reach_of_other != wrong or one[0].about & other[0].about:
            continue
        if one[0] is other[0] or one[1].wrong.keys() & other[1].wrong.keys():
            continue
        alone = all(close(student.arrays[name], values[name]) for name in reach - reach_of_other)
        if not alone or not all(close(student.arrays[n], values_of_other[n]) for n in reach_of_other - reach):
            continue
        if reach & reach_of_other:
            both = outputs(exercise, seen.problems[0], {**one[1].wrong, **other[1].wrong}, names)
            if not both or not all(close(student.arrays[name], both[name]) for name in names):
                continue
        yield one, other


def named(exercise: Exercise, entry: Misconception, way: Way) -> Diagnosis:
    """An entry as a diagnosis."""

    def predict(arguments: Arguments) -> Mapping[str, Array]:
        return exercise.run(exercise.bank(way.function), arguments).arrays

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
