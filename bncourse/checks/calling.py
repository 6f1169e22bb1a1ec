"""What comes of calling a student's function once?

An :class:`Outcome`, always: plain arrays, or a sentence. The function gets copies of the inputs, and the outcome says
which of them it changed. Only :class:`~bncourse.checks.surroundings.TimeUp` and the user's Ctrl-C pass through.
"""

import linecache
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import numpy as np

from .answers import Array, Unsuitable, is_alone, plain_arrays
from .surroundings import TimeUp

UNWRITTEN = "NotImplementedError"
"""What the stub in a released notebook raises."""


@dataclass(frozen=True)
class Signature:
    """How one function is called, and what it gives back."""

    name: str
    parameters: tuple[str, ...]
    returns: tuple[str, ...]
    reference: Callable[..., Any]
    opaque: frozenset[str] = frozenset()
    """Of ``returns``: what is the student's own affair, such as the cache."""


@dataclass(frozen=True)
class Outcome:
    """What one call came to."""

    arrays: Mapping[str, Array] = field(default_factory=dict)
    complaint: str = ""
    """Why there are no arrays, as a sentence."""
    error: str = ""
    """The class of the exception that was raised, if one was."""
    changed: Mapping[str, Array] = field(default_factory=dict)
    """The inputs that are no longer what they were, as they are now."""
    alone: bool = False
    """Whether an array came without the cache that belongs beside it."""


def call(function: Callable[..., Any], signature: Signature, arguments: tuple[Any, ...]) -> Outcome:
    """Call the function on copies of the arguments."""
    given = tuple(np.array(a) if isinstance(a, np.ndarray) else a for a in arguments)
    arrays: dict[str, Array] = {}
    complaint = error = ""
    alone = False
    try:
        value = function(*given)
        arrays = plain_arrays(value, signature.returns, signature.opaque, signature.name)
        alone = is_alone(value, signature.returns, signature.opaque)
    except (TimeUp, KeyboardInterrupt):
        raise
    except Unsuitable as reason:
        complaint = str(reason)
    except NotImplementedError:
        error, complaint = UNWRITTEN, f"{signature.name} is not written yet."
    except BaseException as raised:  # also SystemExit and what students derive from BaseException
        error = class_name(raised)
        complaint = f"{signature.name} raised {error}{message(raised)}{place(raised, function)}."
    changed = {
        name: after.copy()
        for name, before, after in zip(signature.parameters, arguments, given, strict=False)
        if isinstance(before, np.ndarray) and not unchanged(before, after)
    }
    return Outcome(arrays, complaint, error, changed, alone)


def unchanged(before: Array, after: Array) -> bool:
    """Whether an input is bit for bit what it was."""
    return before.shape == after.shape and before.dtype == after.dtype and before.tobytes() == after.tobytes()


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
    if not isinstance(function, FunctionType):
        return ""
    code, line = function.__code__, ""
    for frame, number in traceback.walk_tb(raised.__traceback__):
        if frame.f_code.co_filename == code.co_filename:
            line = linecache.getline(code.co_filename, number).strip()
    return f", in the line `{line[:120]}`" if line else ""
