"""Which of a few names did a function answer with?

Such an answer is compared by the name's place, and shown as the name (``words`` of an exercise).
"""

from collections.abc import Callable, Mapping

import numpy as np

from ..answers import Array, Unsuitable, described
from ..asking import Asked, Refused
from ..calling import Outcome, Signature, changes, fresh, guarded
from ..exercise import Arguments, Functions


def choice(names: tuple[str, ...]) -> Callable[[Functions, Signature, Arguments], Outcome]:
    """How to call a function that answers with one of these."""

    def called(functions: Functions, signature: Signature, arguments: Arguments) -> Outcome:
        (function,) = functions
        given = tuple(fresh(argument) for argument in arguments)

        def question() -> Array:
            return np.array(float(place_of(function(*given), names, signature.name)))

        place, complaint, error = guarded(question, function, signature.name)
        arrays = {} if place is None else {signature.returns[0]: place}
        return Outcome(arrays, complaint, error, changes(zip(signature.parameters, arguments, given, strict=True)))

    return called


def place_of(answer: object, names: tuple[str, ...], function: str) -> int:
    """The place of a name; a sentence when it is none of them."""
    known = ", ".join(f'"{one}"' for one in names)
    if answer is None:
        raise Unsuitable(f"{function} returned None: is there a return for every case?")
    if not issubclass(type(answer), str):
        raise Unsuitable(f"{function} returned {described(answer)}, expected one of the names {known}.")
    plain = str.__str__(answer)
    if plain not in names:
        raise Unsuitable(f'{function} returned "{plain[:40]}", expected one of the names {known}.')
    return names.index(plain)


def says(f: Asked, arguments: Arguments, names: tuple[str, ...], what: str) -> None:
    """Refuse another name than the right one; ``what`` it was asked about, in words."""
    place = f(arguments)[f.exercise.signature.returns[0]]
    right = f.right(arguments)[f.exercise.signature.returns[0]]
    if place != right:
        raise Refused(f'Asked about {what}, it says "{names[int(place)]}", expected "{names[int(right)]}".')


SCALE: Mapping[str, Array] = {"name": np.asarray(1.0)}
"""Places are whole numbers: there is no rounding."""
