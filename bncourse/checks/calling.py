"""What comes of calling a student's function once?

An :class:`Outcome`, always: plain arrays, or a sentence. The function gets copies of the inputs, and the outcome says
which of them it changed. Only :class:`~bncourse.checks.surroundings.TimeUp` and the user's Ctrl-C pass through.
"""

import linecache
import math
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any, TypeVar

import numpy as np

from .answers import Array, Unsuitable, is_alone, plain_arrays
from .surroundings import TimeUp

UNWRITTEN = "NotImplementedError"
"""What the stub in a released notebook raises."""

Found = TypeVar("Found")


@dataclass(frozen=True)
class Signature:
    """How a function is called, and what it gives back."""

    name: str
    parameters: tuple[str, ...]
    returns: tuple[str, ...]
    reference: Callable[..., Any]
    opaque: frozenset[str] = frozenset()
    """Of ``returns``: what is the student's own affair, such as the cache."""
    restored: frozenset[str] = frozenset()
    """Of ``parameters``: what may be changed on the way, if it is put back (to rounding)."""


@dataclass(frozen=True)
class Outcome:
    """What one call came to."""

    arrays: Mapping[str, Array] = field(default_factory=dict)
    complaint: str = ""
    """Why there are no arrays, or not all, as a sentence."""
    error: str = ""
    """The class of the exception that was raised, if one was."""
    changed: Mapping[str, Array] = field(default_factory=dict)
    """The inputs that are no longer what they were, as they are now."""
    alone: bool = False
    """Whether an array came without the cache that belongs beside it."""


def call(
    function: Callable[..., Any], signature: Signature, arguments: tuple[Any, ...], trusted: bool = False
) -> Outcome:
    """Call the function on copies of the arguments; a ``trusted`` one, the reference, on themselves."""
    given = arguments if trusted else tuple(fresh(argument) for argument in arguments)
    if not trusted:
        unsettle(given)

    def question() -> tuple[dict[str, Array], bool]:
        value = function(*given)
        arrays = plain_arrays(value, signature.returns, signature.opaque, signature.name)
        return arrays, is_alone(value, signature.returns, signature.opaque)

    found, complaint, error = guarded(question, function, signature.name)
    arrays, alone = found or ({}, False)
    if trusted:
        return Outcome(arrays, complaint, error, {}, alone)
    named = zip(signature.parameters, arguments, given, strict=False)
    return Outcome(arrays, complaint, error, changes(named, signature.restored), alone)


def guarded(question: Callable[[], Found], function: Callable[..., Any], name: str) -> tuple[Found | None, str, str]:
    """What the question came to; or None, the sentence why not, and the class of what was raised."""
    try:
        return question(), "", ""
    except (TimeUp, KeyboardInterrupt):
        raise
    except Unsuitable as reason:
        return None, str(reason), ""
    except NotImplementedError:
        return None, f"{name} is not written yet.", UNWRITTEN
    except BaseException as raised:  # also SystemExit and what students derive from BaseException
        error = class_name(raised)
        return None, f"{name} raised {error}{message(raised)}{place(raised, function)}.", error


def fresh(argument: Any) -> Any:
    """A copy that the student's function may spoil; what has a ``fresh`` of its own, such as a callback, is asked."""
    if isinstance(argument, np.ndarray):
        return argument.copy()
    return argument.fresh() if hasattr(argument, "fresh") else argument


MOST_KEPT = 127
"""Doubles. NumPy keeps the memory of arrays below a kilobyte for the next of their size."""


def unsettle(given: tuple[Any, ...]) -> None:
    """Leave NaN in the memory that NumPy hands out next, so that what `np.empty` gives is not right by luck."""
    shapes = [one.shape for one in given if isinstance(one, np.ndarray)]
    sizes = {math.prod(part) for shape in shapes for part in (shape, shape[:1], shape[1:2], shape[:2])}
    left = [np.full(size, np.nan) for size in sizes if size <= MOST_KEPT for _ in range(3)]
    del left


def changes(named: Any, restored: frozenset[str] = frozenset()) -> dict[str, Array]:
    """Of (name, before, after): the arrays that are no longer what they were."""
    return {
        name: after.copy()
        for name, before, after in named
        if isinstance(before, np.ndarray) and not unchanged(before, after, name in restored)
    }


def unchanged(before: Array, after: Array, to_rounding: bool = False) -> bool:
    """Whether an input is what it was: bit for bit, or to rounding."""
    if before.shape != after.shape or before.dtype != after.dtype:
        return False
    if before.tobytes() == after.tobytes():
        return True
    return to_rounding and bool(np.allclose(before, after, rtol=1e-12, atol=1e-12 * float(np.abs(before).max())))


def class_name(raised: BaseException) -> str:
    """The name of an exception's class; a hostile class may refuse even that."""
    try:
        return str(type(raised).__name__)[:60]
    except BaseException:
        return "an exception"


def message(raised: BaseException) -> str:
    """The first line of what an exception says."""
    try:
        lines = str(raised).strip().splitlines()
    except BaseException:  # an exception's __str__ is the student's code too
        return ""
    return f": {lines[0][:200].rstrip('.')}" if lines else ""


def place(raised: BaseException, function: Callable[..., Any]) -> str:
    """The deepest line of the student's own file that the exception came through."""
    files = {code.co_filename for code in codes(function)}
    line = ""
    for frame, number in traceback.walk_tb(raised.__traceback__):
        if frame.f_code.co_filename in files:
            line = linecache.getline(frame.f_code.co_filename, number).strip()
    return f", in the line `{line[:120]}`" if line else ""


def codes(function: object) -> list[Any]:
    """The code of a function, or of a class's methods."""
    parts = vars(function).values() if issubclass(type(function), type) else (function,)
    return [part.__code__ for part in parts if isinstance(part, FunctionType)]
