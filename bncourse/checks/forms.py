"""Are these the right numbers in another form, or do they break an identity of all right answers?"""

from collections.abc import Mapping
from itertools import permutations

import numpy as np

from .answers import Array
from .asking import truth
from .exercise import Arguments, Exercise, Kind
from .seen import Diagnosis, Seen, distance


def returned_unchanged(exercise: Exercise, seen: Seen) -> list[Diagnosis]:
    """Outputs that are arguments, as they came; only if that explains all that is wrong."""
    found = []
    for output, right in seen.right[0].arrays.items():
        made = seen.outcomes[0].arrays.get(output)
        if made is not None and matches({output: made}, {output: right}):
            continue
        handed = [p for p in enumerate(exercise.signature.parameters) if is_handed_back(seen, output, p[0])]
        if len(handed) != 1:
            return []
        ((position, name),) = handed
        found.append(unchanged(exercise, output, name, position))
    return found


def is_handed_back(seen: Seen, output: str, position: int) -> bool:
    """Whether an output is this argument on every problem."""
    return all(is_argument(seen, n, output, position) for n in range(seen.floats))


def is_argument(seen: Seen, n: int, output: str, position: int) -> bool:
    """Whether an output is an argument there, and should not be."""
    arguments, made = seen.problems[n], seen.outcomes[n].arrays.get(output)
    if made is None or position >= len(arguments) or not isinstance(arguments[position], np.ndarray):
        return False
    given = {output: np.asarray(arguments[position], float)}
    right = {output: seen.right[n].arrays[output]}
    if made.shape != right[output].shape:
        return False
    return matches({output: made}, given) and not matches({output: made}, right)


def unchanged(exercise: Exercise, output: str, name: str, position: int) -> Diagnosis:
    """An argument handed back."""
    sentence = (
        f"Your {output} is {name}, as it came in: what was computed in between does not reach it. Is the result under "
        "another name, or computed and not returned?"
    )

    def predict(arguments: Arguments) -> Mapping[str, Array]:
        return {output: np.asarray(arguments[position], float)}

    about = frozenset({output, name})
    return Diagnosis(f"{output}_is_{name}", sentence, Kind.ERROR, exercise.section, about, predict)


MOST_RESULTS = 4
"""Of more, there would be too many orders."""


def another_form(exercise: Exercise, seen: Seen) -> list[Diagnosis]:
    """The right numbers, transposed or in another order."""
    pairs = [(seen.outcomes[n].arrays, seen.right[n].arrays) for n in range(seen.floats)]
    if not all(seen and seen.keys() == right.keys() for seen, right in pairs):
        return []
    names = tuple(pairs[0][1])
    if len(names) > MOST_RESULTS:
        return []
    flat = all(one.ndim == 1 for one in pairs[0][1].values())
    if not flat and all(matches(seen, {name: right[name].T for name in names}) for seen, right in pairs):
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
