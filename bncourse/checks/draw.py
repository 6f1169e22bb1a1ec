"""Which inputs is a function tried on?

Fresh ones: there is no secret test to steal. Each sample is standardized before it is scaled and shifted, so that its
mean and variance are exactly those meant, and no check depends on the luck of the draw.
"""

import secrets
import zlib

import numpy as np

from .answers import Array

LOW_DEVIATION = 4e-3
"""Deviation of the feature that hardly varies: its variance, 1.6e-5, is near the default eps of 1e-5."""


def fresh_seed() -> int:
    """A seed nobody knows beforehand, short enough to be typed again."""
    return secrets.randbits(32)


class Draw:
    """Random inputs that a seed and a purpose repeat."""

    def __init__(self, seed: int, purpose: str) -> None:
        self.random = np.random.default_rng([seed, zlib.crc32(purpose.encode())])

    def batch(self, N: int, D: int, *, sd: float | None = None, low: bool = False, constant: bool = False) -> Array:
        """x (N, D), float64: every feature with a mean and a deviation of its own, none of the means near 0.

        ``low``: the last feature hardly varies. ``constant``: the last feature does not vary at all.
        """
        z = self.random.standard_normal((N, D))
        z -= z.mean(axis=0)
        z /= np.sqrt((z * z).mean(axis=0))
        deviation = self.deviations(D) if sd is None else np.full(D, sd)
        mean = self.away_from_zero(D, 1.0, 4.0)
        if low:
            deviation[-1] = LOW_DEVIATION
        x = mean + deviation * z
        if constant:
            x[:, -1] = np.round(mean[-1] * 4) / 4  # a number whose mean is exact in binary, whatever the order
        return x

    def deviations(self, D: int) -> Array:
        """Deviations that differ clearly from 1, where a variance, its root and its inverse are all the same."""
        small, large = self.random.uniform(0.3, 0.6, D), self.random.uniform(1.8, 3.0, D)
        return np.where(self.random.random(D) < 0.5, small, large)

    def whole_numbers(self, N: int, D: int, largest: int = 9) -> Array:
        """x (N, D), int64, between ±largest, no feature constant."""
        x = self.random.integers(-largest, largest + 1, size=(N, D))
        x[0], x[1] = self.random.integers(-largest, 0, size=D), self.random.integers(1, largest + 1, size=D)
        return x

    def away_from_zero(self, size: int, low: float = 0.5, high: float = 2.0) -> Array:
        """Numbers of both signs with low ≤ |number| ≤ high."""
        signs: Array = np.where(self.random.random(size) < 0.5, -1.0, 1.0)
        return signs * self.random.uniform(low, high, size)
