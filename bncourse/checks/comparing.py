"""Are two answers the same, to the rounding that a right answer may have?

Two questions with two tolerances. *Exactly*: |actual - expected| ≤ u · scale, where the exercise supplies ``scale``
from its error analysis (the size of the terms that a right answer adds and subtracts, after division) and

- u = 1e-9 for an answer in float64. Rounding is 1e-16 a term; the seven decimals between leave room for any order of
  summation and for E[x²] - E[x]², which loses mean²/variance, up to 1e6 on our draws;
- u = 1e-4 for an answer in float32 (rounding 6e-8 a term, a few hundred terms, the same room of one decimal).

*Roughly*: within a given fraction of the largest expected value of that feature: for the question whether the
idea is right when ε or N - 1 is not.
"""

from dataclasses import dataclass

import numpy as np

from .answers import Array

UNIT = {np.dtype(np.float64): 1e-9, np.dtype(np.float32): 1e-4}


@dataclass(frozen=True)
class Mismatch:
    """The element that is furthest from what was expected."""

    name: str
    index: tuple[int, ...]
    actual: float
    expected: float
    words: tuple[str, ...] = ()
    """What the numbers stand for, in an answer in words."""

    def __str__(self) -> str:
        where = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        actual, expected = two_numbers(self.actual, self.expected)
        if self.words:
            actual, expected = (f'"{self.words[int(one)]}"' for one in (self.actual, self.expected))
        return f"{self.name}{where} is {actual}, expected {expected}"


def exact(actual: Array, scale: Array | float) -> Array:
    """The tolerance of every element when the answer must be right to rounding."""
    return np.broadcast_to(UNIT[actual.dtype] * np.asarray(scale, dtype=np.float64), actual.shape)


def rough(expected: Array, fraction: float) -> Array:
    """The tolerance of every element when only the idea must be right."""
    return np.broadcast_to(fraction * feature_size(np.abs(expected)), expected.shape)


def feature_size(size: Array) -> Array:
    """The largest value of each feature (the axis after the first), where there are several values of it."""
    if size.ndim < 2:
        return size
    largest: Array = size.max(axis=(0, *range(2, size.ndim)), keepdims=True)
    return largest


def worst(name: str, actual: Array, expected: Array, tolerance: Array) -> Mismatch | None:
    """The element furthest outside its tolerance, or None when all are within. Shapes are equal already."""
    off = ~(np.abs(actual - expected) <= tolerance)  # negated, so that NaN is off
    if not off.any():
        return None
    excess = np.where(off, np.abs(actual - expected) / np.maximum(tolerance, 1e-300), 0.0)
    excess = np.where(np.isnan(actual) | np.isinf(actual), np.inf, excess)
    index = np.unravel_index(int(np.argmax(excess)), actual.shape)
    return Mismatch(name, tuple(int(i) for i in index), float(actual[index]), float(expected[index]))


def two_numbers(first: float, second: float) -> tuple[str, str]:
    """Two numbers that differ, printed with no more digits than it takes to see it."""
    for digits in range(4, 17):
        a, b = f"{first:.{digits}g}", f"{second:.{digits}g}"
        if a != b:
            return a, b
    return repr(first), repr(second)
