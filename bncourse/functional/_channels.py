"""Sums over every axis but one: the only reductions that batch normalization needs.

A batch is (N, D), or (N, C, S) with the positions of an image in one axis. Axis 1
stays, the others are summed.
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
    if x.ndim == 3:
        images, channels, positions = x.shape
        rows = x.reshape(-1, positions)
        # Along contiguous memory NumPy's own sum splits what is long, pairwise.
        short = positions <= BLOCK
        sums = rows @ _ones(positions, x.dtype) if short else rows.sum(axis=1)
        return total(sums.reshape(images, channels))
    if len(x) > BLOCK:
        return total(np.stack([total(x[block]) for block in _blocks(len(x))]))
    of_one_block: Array = _ones(len(x), x.dtype) @ x
    return of_one_block


def dot(a: Array, b: Array) -> Array:
    """Sum of the products a·b of each channel.

    (Without a conjugate: the complex step must pass through.)
    """
    if a.ndim == 3:
        along, product = a.shape[2], "ncs,ncs->nc"
        parts = [np.einsum(product, a[..., k], b[..., k]) for k in _blocks(along)]
        return total(np.add.reduce(parts))
    if len(a) <= BLOCK:
        return total(a * b)
    parts = [np.einsum("nd,nd->d", a[k], b[k]) for k in _blocks(len(a))]
    return total(np.stack(parts))


def mean_and_centred(x: Array) -> tuple[Array, Array]:
    r"""The mean μ of each channel, and x − μ.

    In float32 the first mean of 65,536 values near 10⁴ is off by as much as 1.
    Subtracting it is exact nevertheless (Sterbenz's lemma: the two are within a factor
    of 2), so the mean of the differences is what the first one missed.
    """
    m = count(x)
    shift = total(x) / m
    centred = x - spread(shift, x)
    missed = total(centred) / m
    centred -= spread(missed, x)
    return shift + missed, centred
