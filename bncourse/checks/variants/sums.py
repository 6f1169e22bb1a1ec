"""Over what do the sums of a norm run?

Mean and variance are shared by the features of a sample (layer, RMS), the pixels of a channel of an image (instance),
or the pixels of neighbouring channels of an image (group); gamma and beta by what stands in the same column or channel.
Steps are written with these sums, so that the same wrong step is a mistake in each of the norms.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..answers import Array


def number(at: Any) -> int:
    """How many values share a mean and a variance."""
    if at.x.ndim == 2:
        return int(at.x.shape[1])
    return int(at.x[0].size // at.groups)


def total(at: Any, values: Array) -> Any:
    """The sum over what shares a mean and a variance, in a shape that broadcasts against x."""
    if values.ndim == 2:
        return values.sum(axis=1, keepdims=True)
    N, C = values.shape[:2]
    sums = values.reshape(N, at.groups, -1).sum(axis=2)
    return np.repeat(sums, C // at.groups, axis=1)[:, :, None, None]


def spread(vector: Any, x: Array) -> Any:
    """Gamma or beta, in a shape that broadcasts against x: one number per column or channel."""
    return np.reshape(vector, (-1, *[1] * (x.ndim - 2)))


def over_the_batch(values: Array) -> Any:
    """The sum over all that shares a gamma: the batch, and of images the pixels."""
    return values.sum(axis=(0, *range(2, values.ndim)))


@dataclass(frozen=True)
class Sums:
    """How one norm adds up: what its steps, right and wrong, are written with."""

    number: Callable[[Any], Any]
    """How many values share a mean and a variance."""
    total: Callable[[Any, Array], Any]
    """The sum over them, in a shape that broadcasts against x."""
    spread: Callable[[Any, Any], Any]
    """Gamma or beta, in a shape that broadcasts against x."""
    ends: Callable[[Any, Any], Any] = lambda at, y: y
    """What is done to the scaled and shifted values at last."""


OF_A_NORM = Sums(number, total, lambda at, vector: spread(vector, at.x))
"""Those above."""
