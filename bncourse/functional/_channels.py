"""Sums over every axis but one: the only reductions that batch normalization needs.

A batch is (N, D), or (N, C, S) with the positions of an image in one axis. Axis 1 stays, the others are summed.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from ._arrays import Array

# A block's sum in float32 is right to about sqrt(BLOCK/3) rounding errors, here 18; one long sum over 65,536 values
# would lose 150 wherever nobody splits it: einsum does not, nor does the NumPy of the browser, which has no BLAS.
BLOCK = 1024


def count(x: Array) -> int:
    """How many values each channel has: N, or N·S."""
    return int(x.size // x.shape[1])


def spread(statistic: Array, x: Array) -> Array:
    """One number a channel, shaped to stand beside x."""
    return statistic if x.ndim == 2 else statistic[:, None]


@lru_cache(maxsize=16)
def _ones(length: int, dtype: np.dtype[Any]) -> Array:
    """Kept, since making it costs a small batch as much as summing with it."""
    ones = np.ones(length, dtype)
    ones.flags.writeable = False
    return ones


def _blocks(length: int) -> list[slice]:
    return [slice(i, i + BLOCK) for i in range(0, length, BLOCK)]


def total(x: Array) -> Array:
    """Sum of each channel. (Times ones, by BLAS: twice as fast as ``x.sum(0)``.)"""
    sums: Array
    if x.ndim == 3:
        images, channels, positions = x.shape
        short = positions <= BLOCK  # along contiguous memory NumPy's own sum splits, pairwise
        rows = x.reshape(-1, positions)
        sums = total((rows @ _ones(positions, x.dtype) if short else rows.sum(axis=1)).reshape(images, channels))
    elif len(x) <= BLOCK:
        sums = _ones(len(x), x.dtype) @ x
    else:
        sums = total(np.stack([total(x[block]) for block in _blocks(len(x))]))
    return sums


def dot(a: Array, b: Array) -> Array:
    """Sum of the products a·b of each channel. (No conjugate: the complex step must pass through.)"""
    if a.ndim == 3:
        parts = [np.einsum("ncs,ncs->nc", a[..., block], b[..., block]) for block in _blocks(a.shape[2])]
        return total(np.add.reduce(parts))
    if len(a) <= BLOCK:
        return total(a * b)
    return total(np.stack([np.einsum("nd,nd->d", a[block], b[block]) for block in _blocks(len(a))]))


def mean_and_centred(x: Array) -> tuple[Array, Array]:
    r"""The mean μ of each channel, and x − μ.

    In float32 the first mean of 65,536 values near 10⁴ is off by as much as 1. Subtracting it is exact nevertheless
    (Sterbenz's lemma: the two are within a factor of 2), so the mean of the differences is what the first one missed.
    """
    m = count(x)
    shift = total(x) / m
    centred = x - spread(shift, x)
    missed = total(centred) / m
    centred -= spread(missed, x)
    return shift + missed, centred
