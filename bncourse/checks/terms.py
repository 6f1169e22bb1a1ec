"""Which terms of the student's answer are wrong? The questions that a reading needs, and its words."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .answers import Array
from .asking import Asked, flattened, truth
from .draw import Draw
from .exercise import Arguments, Exercise, Kind, Problem
from .reading import FITS, Product, Reading, Term, coefficients, effect_of, grouped, product_of, ungrouped
from .seen import Diagnosis, Predict, Seen, close

READ_ON = (Problem(7, 3, eps=0.1, low=False), Problem(5, 4, eps=0.3, low=False), Problem(8, 6, eps=0.2, low=False))
"""What a reading has to explain: three shapes, three values of eps."""


def read(exercise: Exercise, student: Asked, reading: Reading, seen: Seen, seed: int) -> list[Diagnosis]:
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
    for row in ratio:
        one = product_of(row, usable, once, 100 * fits)
        if one is None:
            return []
        products.append(one)
    said = spoken(exercise, reading, products)
    return said if said and explains(reading, said[0], seen) else []


def explains(reading: Reading, one: Diagnosis, seen: Seen) -> bool:
    """Whether what was read is also what was seen elsewhere: with the default eps, on a feature that hardly varies."""
    for n in range(seen.floats):
        answer = seen.outcomes[n].arrays.get(reading.output)
        if answer is None or one.predict is None:
            return False
        try:
            predicted = one.predict(seen.problems[n])[reading.output]
        except (TypeError, ValueError, ArithmeticError):  # a factor that is no number there: momentum may be None
            return False
        if not close(answer, predicted):
            return False
    return True


def solve(
    exercise: Exercise, student: Asked, reading: Reading, draw: Draw, problem: Problem
) -> tuple[Array, Any, np.dtype[Any]] | None:
    """The coefficients of the student's answer to one problem, the right steps there, and the answer's precision."""
    first = exercise.problem(draw, problem)
    calls = [first] + [again(exercise, first, reading.vary, draw) for _ in range(reading.rows if reading.vary else 0)]
    actual, terms = [], []
    for arguments in calls:
        answer = student.outcome(arguments, twice=False).arrays.get(reading.output)
        right = truth(exercise, arguments)[reading.output]
        answer = None if answer is None else flattened(answer, right)
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
    wrong = [(term, one) for term, one in zip(reading.terms, products, strict=True) if not in_place(term, one)]
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


def in_place(term: Term, one: Product) -> bool:
    """Whether a term has its right coefficient: 1, or 0 for one that does not belong there."""
    return one.constant == 0.0 if term.foreign else one.right


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
            total = total + one.value(factors) * np.asarray(term.value(at))
        return {reading.output: np.broadcast_to(total, shape).astype(np.float64)}

    return predict
