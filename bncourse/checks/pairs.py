"""What comes of calling a student's forward, and then the backward with its cache?

The cache is the student's own affair: it goes from one function to the other unseen. The backward can be called
``twice``, since one that spoils its cache is right only the first time.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .answers import Array, Unsuitable, described, plain_arrays
from .calling import Outcome, Signature, changes, fresh, guarded, unsettle

if TYPE_CHECKING:
    from .exercise import Exercise

Functions = tuple[Callable[..., Any], ...]


def call_pair(
    functions: Functions, signature: Signature, forward_name: str, arguments: tuple[Any, ...], twice: bool = True
) -> Outcome:
    """Call forward on copies of all arguments but the first, which is dy; then backward on dy and the cache."""
    forward, backward = functions
    dy, *inputs = arguments
    given = tuple(fresh(one) for one in inputs)
    unsettle(given)
    kept, complaint, error = guarded(lambda: (cache_of(forward(*given), forward_name),), forward, forward_name)
    if kept is None:
        return Outcome(complaint=complaint, error=error)
    before = tuple(fresh(one) for one in given)
    first_dy, second_dy = dy.copy(), dy.copy()

    def answer(upstream: Array) -> dict[str, Array]:
        return plain_arrays(backward(upstream, *kept), signature.returns, signature.opaque, signature.name)

    arrays, complaint, error = guarded(lambda: answer(first_dy), backward, signature.name)
    names = zip(signature.parameters, (dy, *before), (first_dy, *given), strict=False)
    changed = changes(names)
    if arrays is None or not twice:
        return Outcome(arrays or {}, complaint, error, changed)
    again, _, _ = guarded(lambda: answer(second_dy), backward, signature.name)
    if again is None or not all(same(arrays[name], again[name]) for name in arrays):
        changed["cache"] = np.zeros(0) if again is None else next(iter(again.values()))
    return Outcome(arrays, "", "", changed)


def cache_of(value: Any, name: str) -> Any:
    """The second of the two values that a forward returns."""
    if issubclass(type(value), tuple | list) and len(value) == 2:
        return value[1]
    raise Unsuitable(f"{name} returned {described(value)}, expected 2 values, (y, cache): backward needs the cache.")


def same(one: Array, other: Array) -> bool:
    """Whether a second call gave the same."""
    return one.shape == other.shape and bool(np.allclose(one, other, rtol=1e-9, atol=1e-12, equal_nan=True))


def keeping(forward: "Exercise") -> Callable[..., Any]:
    """The bank's own forward: right, and its cache holds every step by name, and the ``arguments``."""

    def keep(*inputs: Any) -> tuple[Any, Any]:
        at = forward.steps.trace(inputs)
        at.arguments = inputs
        return getattr(at, forward.signature.returns[0]), at

    return keep
