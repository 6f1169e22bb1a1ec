"""What did the student's function return, in plain arrays?

Nothing here trusts the returned object: an ndarray subclass is seen through ``np.ndarray.view``, never through its own
methods, and every array is copied at once, so that a function that reuses its buffers keeps its earlier answers.
"""

from collections.abc import Iterable
from itertools import islice
from types import GeneratorType
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

MOST_ELEMENTS = 1_000_000
"""No exercise asks for a thousandth of this; a larger answer is refused before it is copied."""


class Unsuitable(Exception):
    """The answer cannot be judged; the message is the sentence that says why."""


def plain_arrays(value: object, returns: tuple[str, ...], opaque: frozenset[str], function: str) -> dict[str, Array]:
    """The returned value as plain arrays by name; what is opaque (a student's cache) is left out."""
    if value is None:
        raise Unsuitable(f"{function} returned None: is its return statement missing?")
    if len(returns) == 1 or is_alone(value, returns, opaque):
        return {returns[0]: plain_array(value, function)}
    parts = unpack(value, returns, opaque, function)
    return {
        name: plain_array(part, f"{name} from {function}", returned=False)
        for name, part in zip(returns, parts, strict=True)
        if name not in opaque
    }


def is_alone(value: object, returns: tuple[str, ...], opaque: frozenset[str]) -> bool:
    """Whether an array came without the cache that belongs beside it: a contract broken, but not a wrong array."""
    return opaque == frozenset(returns[1:]) and len(returns) > 1 and issubclass(type(value), np.ndarray)


def unpack(value: object, returns: tuple[str, ...], opaque: frozenset[str], function: str) -> list[Any]:
    """The parts of an answer that has several: a tuple, a list, or (where nothing is opaque) the rows of an array, or
    its numbers where each part is one."""
    wanted = f"expected {len(returns)} values: ({', '.join(returns)})"
    if issubclass(type(value), np.ndarray) and not opaque:
        rows = base(value)
        if rows.ndim > 1 or rows.shape == (len(returns),):
            value = list(rows)
    if not isinstance(value, Iterable) or not issubclass(type(value), tuple | list):
        raise Unsuitable(f"{function} returned {described(value)}, {wanted}.")
    parts = list(islice(value, len(returns) + 1))
    if len(parts) != len(returns):
        many = "more" if len(parts) > len(returns) else f"{len(parts)}"
        raise Unsuitable(f"{function} returned {many} value{'' if many == '1' else 's'}, {wanted}.")
    return parts


def plain_array(value: object, what: str, returned: bool = True) -> Array:
    """One returned value as an array of its own, float64 or float32."""
    if type(value) is np.ndarray and value.dtype == np.float64 and value.size <= MOST_ELEMENTS:
        return value.copy()  # what nearly every answer is
    verb = "returned" if returned else "is"
    if value is None:
        raise Unsuitable(f"{what} {verb} None.")
    if isinstance(value, str | bytes | dict | set | GeneratorType) or callable(value):
        raise Unsuitable(f"{what} {verb} {described(value)}, expected an array of numbers.")
    try:
        array = base(value) if issubclass(type(value), np.ndarray) else base(np.asarray(value))
    except ValueError:
        several = described(value) if isinstance(value, tuple) else "a list whose rows differ in length"
        raise Unsuitable(f"{what} {verb} {several}, expected an array.") from None
    if array.dtype.kind == "c":
        raise Unsuitable(f"{what} {verb} complex numbers, expected real ones.")
    if array.dtype.kind not in "iuf":
        raise Unsuitable(f"{what} {verb} {described(value)}, expected an array of numbers.")
    if array.size > MOST_ELEMENTS:
        raise Unsuitable(f"{what} {verb} an array of shape {array.shape}, far larger than what was asked for.")
    return array.astype(np.float32 if array.dtype in (np.float16, np.float32) else np.float64)


def base(value: Any) -> Array:
    """An array seen as a plain ndarray, without asking a subclass anything."""
    plain: Array = np.ndarray.view(value, np.ndarray)
    return plain


def described(value: object) -> str:
    """What a returned object is, in the student's words."""
    if issubclass(type(value), np.ndarray):
        return f"an array of {base(value).dtype} with shape {base(value).shape}"
    if isinstance(value, GeneratorType):
        return "a generator"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
