"""Which mistake is it?

Six layers, from the most to the least specific; the first that explains what was seen speaks. Everything is asked on
several problems: N > D, N = D, N < D, shifted features, one that hardly varies, with eps and without, whole numbers.

1. *An entry of the bank.* One wrong implementation gives the student's answer on *all* of them and is clearly not right
   on at least two of different shapes. When two entries both do, nothing is named: a wrong name is worse than none.
2. *Two entries at once*, in different steps: the chain with both steps wrong gives the student's answer.
3. *A reading*: the answer is a sum of the right terms with wrong factors (:mod:`.reading`).
4. *A fault*: one step went wrong in a simple way, and the whole answer with it is the student's (:mod:`.faults`).
5. *Another form*: the right numbers, transposed or in another order.
6. *A symptom*: an exact identity that does not hold, on two problems of different shape.

An answer that is right on all of these is also looked at far from 0, where digits cancel. What an answer does besides
its numbers (changing inputs, keeping the cache) is named on top of that.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Any

import numpy as np

from .answers import Array
from .asking import Asked, truth
from .calling import Outcome
from .chain import Wrong
from .comparing import UNIT
from .draw import Draw
from .exercise import Arguments, Exercise, Functions, Kind, Misconception, Problem, Way
from .faults import Fault, downstream, faults, resumed, uses
from .reading import FITS, Product, Reading, coefficients, effect_of, grouped, product_of, ungrouped

CLEARLY = 100.0
"""An entry is clearly not right where it is this many tolerances away from the reference."""

READ_ON = (Problem(7, 3, eps=0.1, low=False), Problem(5, 4, eps=0.3, low=False), Problem(8, 6, eps=0.2, low=False))
"""What a reading has to explain: three shapes, three values of eps."""

Predict = Callable[[Arguments], Mapping[str, Array]]


@dataclass(frozen=True)
class Diagnosis:
    """A named mistake."""

    identifier: str
    sentence: str
    kind: Kind
    section: str
    about: frozenset[str]
    """The quantities that are wrong."""
    predict: Predict | None = None
    """What the answer is, if this is the mistake; None for what an answer does besides its numbers."""
    wrong: Wrong | None = None
    """The wrong steps, if they are known."""


def diagnose(exercise: Exercise, student: Asked, seed: int) -> list[Diagnosis]:
    """The mistakes that explain the student's answers, most likely first; none when unknown."""
    seen = look(exercise, student, seed)
    return by_value(exercise, student, seen, seed) + by_contract(exercise, seen)


def look(exercise: Exercise, student: Asked, seed: int) -> "Seen":
    """The student's answers, and the right ones, on the problems that tell mistakes apart."""
    probes = (*exercise.probes, *exercise.whole_probes)
    problems = [exercise.problem(Draw(seed, f"probe {n}"), probe) for n, probe in enumerate(probes)]
    return Seen(
        exercise,
        problems,
        len(exercise.probes),
        [student.outcome(arguments) for arguments in problems],
        [exercise.right(arguments) for arguments in problems],
    )


def by_value(exercise: Exercise, student: Asked, seen: "Seen", seed: int) -> list[Diagnosis]:
    """What explains the numbers."""
    if all(agree(one, right) for one, right in zip(seen.outcomes, seen.right, strict=True)):
        return lost_digits(exercise, student, seed)
    first = first_answers(exercise, seen)
    single = single_entries(exercise, seen, first)
    if single:
        return single if len(single) == 1 else []
    return (
        two_entries(exercise, seen, first)
        or [one for reading in exercise.readings for one in read(exercise, student, reading, seed)]
        or faulty_step(exercise, seen)
        or another_form(exercise, seen)
        or broken_identities(exercise, seen)
    )


@dataclass(frozen=True)
class Seen:
    """The problems, of which those from ``floats`` on have whole numbers; the student's outcomes and the right ones."""

    exercise: Exercise
    problems: Sequence[Arguments]
    floats: int
    outcomes: Sequence[Outcome]
    right: Sequence[Outcome]

    def explained_by(self, functions: Functions) -> bool:
        """Whether these functions answer like the student everywhere, and wrongly on two problems of different shape.

        Whole numbers are looked at only when the mistake shows nowhere else: a truncated buffer.
        """
        made: list[Outcome] = []
        for n in range(self.floats):
            made.append(self.exercise.run(functions, self.problems[n]))
            if made[n].changed or made[n].alone or not alike(self.outcomes[n], made[n]):
                return False
        wrong = sum(clearly_wrong(one, right) for one, right in zip(made, self.right, strict=False))
        if wrong:
            return wrong >= 2
        whole = range(self.floats, len(self.problems))
        return len(whole) > 0 and all(self.explained_on_whole_numbers(functions, n) for n in whole)

    def explained_on_whole_numbers(self, functions: Functions, n: int) -> bool:
        """The same on one problem of whole numbers."""
        made = self.exercise.run(functions, self.problems[n])
        return alike(self.outcomes[n], made) and clearly_wrong(made, self.right[n])


# ------------------------------------------------------------------------------------------------- entries of the bank


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


def outputs(exercise: Exercise, arguments: Arguments, wrong: Wrong, names: Sequence[str]) -> dict[str, Array]:
    """What the chain gives with these wrong steps; nothing when it cannot be computed."""
    try:
        at = exercise.steps.trace(arguments, wrong)
        return {name: np.asarray(getattr(at, name), float) for name in names}
    except (ValueError, TypeError, ArithmeticError, IndexError):  # shapes that do not fit each other
        return {}


def close(one: Array, other: Array) -> bool:
    """Whether two arrays may be the same; quickly, since a full comparison follows."""
    if one.shape != other.shape:
        return False
    size = float(np.abs(other).max(initial=0.0))
    return not np.isfinite(size) or float(np.abs(one - other).max(initial=0.0)) <= 1e-6 * size


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


# ----------------------------------------------------------------------------------------------------------- readings


def read(exercise: Exercise, student: Asked, reading: Reading, seed: int) -> list[Diagnosis]:
    """What a reading says about the student's answers: at most two wrong terms, or a factor of the whole."""
    ratios: list[Array] = []
    values: dict[str, list[Array]] = {factor.symbol: [] for factor in reading.factors}
    fits = FITS[np.dtype(np.float64)]
    for n, problem in enumerate(READ_ON):
        solved = solve(exercise, student, reading, Draw(seed, f"reading {n}"), problem)
        if solved is None:
            return []
        found, at, dtype = solved
        fits = max(fits, FITS[dtype])
        ratios.append(found)
        for factor in reading.factors:
            values[factor.symbol].append(np.broadcast_to(np.asarray(factor.value(at), float).ravel(), found.shape[1:]))
    ratio = np.concatenate(ratios, axis=1)
    factors = {symbol: np.concatenate(parts) for symbol, parts in values.items()}
    usable = {s: v for s, v in factors.items() if np.all(np.isfinite(v)) and np.all(v != 0)}
    once = frozenset(factor.symbol for factor in reading.factors if factor.instead)
    products = []
    for term, row in zip(reading.terms, ratio, strict=True):
        one = product_of(row, usable, once, 100 * fits)
        if one is None:
            return []
        products.append(Product() if term.foreign and one.constant == 0.0 else one)
    return spoken(exercise, reading, products)


def solve(
    exercise: Exercise, student: Asked, reading: Reading, draw: Draw, problem: Problem
) -> tuple[Array, Any, np.dtype[Any]] | None:
    """The coefficients of the student's answer to one problem, the right steps there, and the answer's precision."""
    first = exercise.problem(draw, problem)
    calls = [first] + [again(exercise, first, reading.vary, draw) for _ in range(reading.rows if reading.vary else 0)]
    actual, terms = [], []
    for arguments in calls:
        answer = student.outcome(arguments).arrays.get(reading.output)
        right = truth(exercise, arguments)[reading.output]
        at = exercise.steps.trace(arguments)
        if answer is None or answer.shape != right.shape:
            return None
        actual.append(grouped(answer, right.shape, reading.per))
        terms.append([grouped(term.value(at), right.shape, reading.per) for term in reading.terms])
    stacked = [np.concatenate(one) for one in zip(*terms, strict=True)]
    numbers = np.concatenate(actual)
    found = coefficients(numbers, stacked)
    return None if found is None else (found, exercise.steps.trace(first), numbers.dtype)


def again(exercise: Exercise, arguments: Arguments, vary: tuple[str, ...], draw: Draw) -> Arguments:
    """The same arguments, some of them drawn anew in the same shape."""
    return tuple(
        value + draw.random.standard_normal(np.shape(value)) if name in vary else value
        for name, value in zip(exercise.signature.parameters, arguments, strict=False)
    )


def spoken(exercise: Exercise, reading: Reading, products: Sequence[Product]) -> list[Diagnosis]:
    """The products in sentences."""
    own = [one for term, one in zip(reading.terms, products, strict=True) if not term.foreign]
    wrong = [(term, one) for term, one in zip(reading.terms, products, strict=True) if not one.right]
    factors = {factor.symbol: factor for factor in reading.factors}
    predict = prediction(exercise, reading, products)
    if not wrong:
        return []
    if all(one == own[0] for one in own) and len(wrong) == len(own) and len(own) > 1:
        term, one = wrong[0]
        what = "is zero" if one.constant == 0.0 else effect_of(one, factors)
        sentence = f"Your {reading.output} is right but for one thing: as a whole it {what}."
        return [diagnosis(reading, "", term.section, one, sentence, predict, wrong)]
    if len(wrong) > 2:
        return []
    found = []
    for term, one in wrong:
        if term.foreign:
            what = f"In your {reading.output} there is {term.words}, which does not belong there."
        else:
            what = f"In your {reading.output}, {term.words} {effect_of(one, factors)}."
        rest = " The rest is right." if len(wrong) == 1 and len(own) > 1 else ""
        sentence = f"{what}{rest}{' ' + term.why if term.why else ''}"
        found.append(diagnosis(reading, term.name, term.section, one, sentence, predict, [(term, one)]))
    return found


def diagnosis(
    reading: Reading,
    term: str,
    section: str,
    one: Product,
    sentence: str,
    predict: Predict,
    wrong: Sequence[tuple[Any, Product]],
) -> Diagnosis:
    """One wrong term as a diagnosis."""
    what = "missing" if one.constant == 0.0 else "sign" if one.sign < 0 else "factor"
    what = "extra" if any(t.foreign for t, _ in wrong) else what
    about = {reading.output}.union(*(t.about.split() for t, _ in wrong))
    about |= {name for f in reading.factors if f.symbol in one.powers for name in f.about.split()}
    identifier = "_".join(filter(None, (reading.output, term, what)))
    return Diagnosis(identifier, sentence, Kind.ERROR, section, frozenset(about), predict)


def prediction(exercise: Exercise, reading: Reading, products: Sequence[Product]) -> Predict:
    """The output that these products make."""

    def predict(arguments: Arguments) -> Mapping[str, Array]:
        at = exercise.steps.trace(arguments)
        shape = truth(exercise, arguments)[reading.output].shape
        used = {symbol for one in products for symbol in one.powers}
        axes = max(len(shape), 2)
        factors = {f.symbol: ungrouped(f.value(at), axes, reading.per) for f in reading.factors if f.symbol in used}
        total: Any = 0.0
        for term, one in zip(reading.terms, products, strict=True):
            if not (term.foreign and one.right):
                total = total + one.value(factors) * np.asarray(term.value(at))
        return {reading.output: np.broadcast_to(total, shape).astype(np.float64)}

    return predict


# ------------------------------------------------------------------------------------------------------------- faults


def faulty_step(exercise: Exercise, seen: Seen) -> list[Diagnosis]:
    """The plainest fault of one step that gives the student's answers."""
    student = seen.outcomes[0]
    if exercise.chain is None or not all(says_something(one) for one in seen.outcomes[: seen.floats]):
        return []
    names = tuple(student.arrays)
    at = exercise.steps.trace(seen.problems[0])
    right = outputs(exercise, seen.problems[0], {}, names)
    wrong = {name for name in names if not close(student.arrays[name], right[name])}
    reads = uses(exercise.steps, at)
    after = downstream(exercise.steps, reads)
    for fault in faults(exercise.steps, at, reads, wrong, names):
        if same_outputs(lambda fault=fault: resumed(exercise.steps, at, fault, after), student.arrays, wrong):
            way = Way(exercise.from_steps(fault.wrong), fault.wrong)
            if seen.explained_by(exercise.bank(way.function)):
                return [faulty(exercise, fault, way, wrong)]
    return []


def says_something(outcome: Outcome) -> bool:
    """Whether there are numbers to compare: of what is NaN throughout, anything could be the cause."""
    return not outcome.complaint and all(np.any(np.isfinite(one)) for one in outcome.arrays.values())


def same_outputs(retraced: Callable[[], Any], student: Mapping[str, Array], names: Collection[str]) -> bool:
    """Whether the steps, one of them faulty, may lead to the student's outputs."""
    try:
        again = retraced()
        return all(close(student[name], np.asarray(getattr(again, name), float)) for name in names)
    except (ValueError, TypeError, ArithmeticError, IndexError, AttributeError):  # shapes that do not fit each other
        return False


def faulty(exercise: Exercise, fault: Fault, way: Way, wrong: Collection[str]) -> Diagnosis:
    """A fault in a sentence."""
    (name,) = fault.wrong
    words = " ".join((exercise.steps.steps[name].__doc__ or "").split())
    sentence = (
        f"Your {' and '.join(sorted(wrong))} comes out as if {fault.words}. Right would be, for {name}: {words}. "
        "Look at the line that computes it."
    )

    def predict(arguments: Arguments) -> Mapping[str, Array]:
        return exercise.run(exercise.bank(way.function), arguments).arrays

    return Diagnosis(
        fault.identifier, sentence, Kind.ERROR, exercise.section, fault.about | set(wrong), predict, fault.wrong
    )


# -------------------------------------------------------------------------------------------------------- other forms


def another_form(exercise: Exercise, seen: Seen) -> list[Diagnosis]:
    """The right numbers, transposed or in another order."""
    pairs = [(seen.outcomes[n].arrays, seen.right[n].arrays) for n in range(seen.floats)]
    if not all(seen and seen.keys() == right.keys() for seen, right in pairs):
        return []
    names = tuple(pairs[0][1])
    if all(matches(seen, {name: right[name].T for name in names}) for seen, right in pairs):
        return [transposed(exercise, names)]
    for order in permutations(names):
        shuffled = dict(zip(names, order, strict=True))
        if order != names and all(matches(seen, {n: right[shuffled[n]] for n in names}) for seen, right in pairs):
            return [in_another_order(exercise, names, order)]
    return []


def matches(seen: Mapping[str, Array], right: Mapping[str, Array]) -> bool:
    """Whether the arrays are these, to rounding."""
    return all(seen[name].shape == one.shape for name, one in right.items()) and distance(seen, right) <= 1.0


def transposed(exercise: Exercise, names: tuple[str, ...]) -> Diagnosis:
    """Rows for columns."""
    sentence = (
        f"Your {' and '.join(names)} has the right numbers, transposed: rows and columns are exchanged. One row "
        "belongs to one sample, one column to one feature."
    )
    about = frozenset({*names, "axis", "shape", "order"})
    return Diagnosis(
        "transposed",
        sentence,
        Kind.CONTRACT,
        exercise.section,
        about,
        lambda arguments: {name: one.T for name, one in truth(exercise, arguments).items()},
    )


def in_another_order(exercise: Exercise, names: tuple[str, ...], order: tuple[str, ...]) -> Diagnosis:
    """One result for another."""
    sentence = (
        f"You return the right results in another order: ({', '.join(order)}). The exercise asks for "
        f"({', '.join(names)}), and whoever calls you unpacks them in that order."
    )

    def predict(arguments: Arguments) -> Mapping[str, Array]:
        right = truth(exercise, arguments)
        return {name: right[other] for name, other in zip(names, order, strict=True)}

    about = frozenset({*names, "order"})
    return Diagnosis("results_in_another_order", sentence, Kind.CONTRACT, exercise.section, about, predict)


# ----------------------------------------------------------------------------------------------------------- symptoms


def broken_identities(exercise: Exercise, seen: Seen) -> list[Diagnosis]:
    """The first exact identity that is broken on two problems of different shape."""
    for symptom in exercise.symptoms:
        broken = 0
        for n in range(seen.floats):
            one, right = seen.outcomes[n], seen.right[n]
            if one.complaint or any(one.arrays[k].shape != v.shape for k, v in right.arrays.items()):
                continue
            broken += not symptom.holds(exercise.steps.trace(seen.problems[n]), one.arrays)
        if broken >= 2:
            return [Diagnosis(symptom.identifier, symptom.sentence, Kind.ERROR, symptom.section, symptom.about)]
    return []


# ---------------------------------------------------------------------------------------------------------- comparing


def agree(seen: Outcome, right: Outcome) -> bool:
    """Whether an answer is right."""
    return not seen.complaint and alike(seen, right)


def alike(seen: Outcome, wrong: Outcome) -> bool:
    """Whether two outcomes are the same: the same arrays, and the same class of exception if one was raised."""
    if bool(seen.complaint) != bool(wrong.complaint) or seen.error != wrong.error:
        return False
    if seen.complaint and not (seen.error or seen.arrays):
        return False
    return seen.arrays.keys() == wrong.arrays.keys() and distance(seen.arrays, wrong.arrays) <= 1.0


def clearly_wrong(wrong: Outcome, right: Outcome) -> bool:
    """Whether an implementation answered, and not what is right."""
    both = {name: right.arrays[name] for name in wrong.arrays}
    return bool(both) and distance(wrong.arrays, both, strictly=True) > CLEARLY


def distance(some: Mapping[str, Array], others: Mapping[str, Array], strictly: bool = False) -> float:
    """How many tolerances two answers are apart at most; infinite for other shapes or NaN in other places.

    The tolerance follows the size of each feature, so that one that hardly varies tells eps = 1e-12 from none; and the
    precision of the answers, or ``strictly`` that of float64.
    """
    apart = 0.0
    for name, other in others.items():
        one, other = (a[0] if a.ndim == 2 and len(a) == 1 else a for a in (some[name], other))
        if one.shape != other.shape or not np.array_equal(np.isnan(one), np.isnan(other)):
            return float("inf")
        if not np.array_equal(np.isinf(one), np.isinf(other)):
            return float("inf")
        size = np.where(np.isfinite(other), np.abs(other), 0.0)
        difference = np.where(np.isfinite(other), np.abs(one - other), 0.0)
        unit = UNIT[np.dtype(np.float64)] if strictly else max(UNIT[one.dtype], UNIT[other.dtype])
        tolerance = unit * (feature_size(size) + 1e-3 * size.max(initial=0.0))
        apart = max(apart, float(np.max(difference / np.maximum(tolerance, 1e-300), initial=0.0)))
    return apart


def feature_size(size: Array) -> Array:
    """The largest value of each feature (the axis after the first), where there are several values of it."""
    if size.ndim < 2:
        return size
    largest: Array = size.max(axis=(0, *range(2, size.ndim)), keepdims=True)
    return largest
