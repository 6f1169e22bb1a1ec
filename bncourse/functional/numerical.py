"""What is the gradient of a function that we can only call?"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._arrays import Array, numbers


def numerical_gradient(
    f: Callable[[Array], Any], x: ArrayLike, h: float = 1e-5
) -> Array:
    r"""Central difference of a scalar function, one element of x after the other.

    .. math:: \frac{\partial f}{\partial x_k} \approx \frac{f(x + h e_k) - f(x - h e_k)}{2h}

    The error is ``h² f'''/6`` of truncation plus about ``10⁻¹⁶ |f|/h`` of rounding.

    f: takes an array shaped as x, gives one number (a 0-d or one-element array will
    do); x: any shape  ->  shaped as x

    f gets a copy, so x is never touched. Raises ``ValueError`` for an h that is not a
    positive number or an f that gives more than one number; ``TypeError`` for a complex
    x, or an f that gives no number. What f raises passes through.

    >>> numerical_gradient(lambda x: float(x @ x), np.array([1.0, -2.0])).round(6)
    array([ 2., -4.])
    """
    point = numbers("x", x)
    if point.dtype.kind == "c":
        raise TypeError(
            "x is complex; a central difference is taken along the real axis"
        )
    if not h > 0 or not np.isfinite(h):
        raise ValueError(f"h is {h}; expected a positive number")
    gradient = np.empty_like(point)
    for index in np.ndindex(point.shape):
        above, below = point.copy(), point.copy()
        above[index] += h
        below[index] -= h
        # The step that was really taken: x + h is rounded.
        step = float(above[index]) - float(below[index])
        if step == 0:
            raise ValueError(
                f"h is {h}, too small beside x = {point[index]}: the two points coincide"
            )
        gradient[index] = (_scalar(f(above)) - _scalar(f(below))) / step
    return gradient


def _scalar(value: Any) -> float:
    array = numbers("what f gives", value)
    if array.size != 1:
        raise ValueError(
            f"f gives an array of shape {array.shape}; expected one number"
        )
    if array.dtype.kind == "c":
        raise TypeError("f gives a complex number; expected a real one")
    return float(array.reshape(())[()])
