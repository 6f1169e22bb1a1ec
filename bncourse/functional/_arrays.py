"""What may come in, and in which precision do we compute?

Every function computes in the precision of its data: float32 stays float32, float64
stays float64, integers and booleans become float64, float16 becomes float32. If
anything that comes in is complex, everything is, so that the complex step passes
through whichever argument it perturbs.
"""

from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


def numbers(name: str, value: ArrayLike) -> Array:
    """The argument as an array of floating-point or complex numbers."""
    if type(value) is np.ndarray and value.dtype.char in "fdFD":
        return value
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(
            f"{name} is not a rectangular array of numbers: {error}"
        ) from None
    if array.dtype.kind in "biu":
        return array.astype(np.float64)
    if array.dtype.kind not in "fc":
        raise TypeError(f"{name} holds {array.dtype.name} values; expected numbers")
    return array.astype(np.float32) if array.dtype == np.float16 else array


def data(name: str, value: ArrayLike, axes: str) -> Array:
    """A non-empty batch with the named axes, as in ``data("x", x, "N, D")``."""
    array = numbers(name, value)
    if array.ndim != axes.count(",") + 1:
        raise ValueError(f"{name} has shape {array.shape}; expected ({axes})")
    if array.size == 0:
        raise ValueError(f"{name} has shape {array.shape}; the batch is empty")
    return array


def same_shape(name: str, value: ArrayLike, other_name: str, other: Array) -> Array:
    """An array that goes element by element with another one."""
    array = numbers(name, value)
    if array.shape != other.shape:
        raise ValueError(
            f"{name} has shape {array.shape}, but {other_name} has shape {other.shape}"
        )
    return array


def vector(name: str, value: ArrayLike, size: int, of: str) -> Array:
    """One number a feature, as in ``vector("gamma", gamma, 4, "x has 4 features")``."""
    array = numbers(name, value)
    if array.shape != (size,):
        raise ValueError(
            f"{name} has shape {array.shape}, but {of}; expected shape ({size},)"
        )
    return array


def statistic(name: str, value: ArrayLike, size: int, of: str) -> Array:
    """A mean, which has to be finite."""
    array = vector(name, value, size, of)
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name} has a NaN or an infinity at index {_first(~np.isfinite(array))}"
        )
    return array


def variance(name: str, value: ArrayLike, size: int, of: str) -> Array:
    """A variance, which has to be finite and not negative."""
    array = statistic(name, value, size, of)
    if (array.real < 0).any():
        index = _first(array.real < 0)
        raise ValueError(
            f"{name} is {array[index].real} at index {index}; a variance is not negative"
        )
    return array


def together(first: Array, *others: Array) -> tuple[Array, ...]:
    """All in the precision of the first; complex if any of them is."""
    dtype = first.dtype
    if all(a.dtype is dtype for a in others):
        return first, *others
    if any(a.dtype.kind == "c" for a in others):
        dtype = np.result_type(dtype, np.complex64)
    return tuple(a if a.dtype == dtype else a.astype(dtype) for a in (first, *others))


def small_constant(eps: Any) -> Any:
    """ε: a finite number, not negative (a complex one is judged by its real part)."""
    if not isinstance(eps, (int, float, complex, np.number)):
        raise TypeError(f"eps is a {type(eps).__name__}; expected a number")
    if not (isfinite(eps.real) and eps.real >= 0):
        raise ValueError(f"eps is {eps}; expected a finite number, zero or more")
    return eps.item() if isinstance(eps, np.generic) else eps


def deviation(var: Array, eps: Any) -> Array:
    r"""The root s = √(σ² + ε) that normalization divides by.

    The constant stands beside the variance, under the root (Ioffe & Szegedy 2015,
    Algorithm 1, line 3).
    """
    squared = var + small_constant(eps)
    usable = (squared.real > 0) & (squared.real < np.inf)
    if not usable.all():
        index = _first(~usable)
        if squared[index].real == 0:
            raise ValueError(
                f"variance + eps is 0 at index {index}: a feature that is constant needs eps > 0"
            )
        raise ValueError(
            f"the variance at index {index} is {squared[index].real}; the data are not finite, or overflow"
        )
    root: Array = np.sqrt(squared)
    return root


def _first(where: Array) -> int:
    return int(np.flatnonzero(where)[0])
