"""How does y change along a direction v? Three answers, each with its own uncertainty."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Function: TypeAlias = Callable[[Sequence[Array]], Array]  # y of the list of inputs
Direction: TypeAlias = Sequence[Array | float]  # for each input its v, or 0.0 where it is not moved
Derivative: TypeAlias = Callable[[Function, Sequence[Array], Direction], tuple[Array, Array]]

COMPLEX_STEP = 1e-20  # (h v)² must vanish beside x², and h itself must survive in complex64 (smallest normal 1e-38)
AGREES = 1e-4  # a dropped path shows as 1e-2 or more; at mean / deviation = 1e8 a central difference is good to 1e-5


class ComplexStepRefused(ValueError):
    """The forward pass loses the imaginary part, so that the complex step would give a wrong derivative."""


def complex_step(f: Function, x: Sequence[Array], v: Direction) -> tuple[Array, Array]:
    """Im y(x + ihv) / h = ∂y/∂x · v: nothing is subtracted, so nothing cancels, and h can be as small as one likes."""
    y = f([off_the_real_line(a, COMPLEX_STEP * d) for a, d in zip(x, v, strict=True)])
    if not np.iscomplexobj(y):
        raise ComplexStepRefused(f"complex inputs give a y of type {y.dtype}")
    return y.imag / COMPLEX_STEP, np.zeros(())


def off_the_real_line(a: Array, d: Array | float) -> Array:
    """a + id. (Written in place: half the time of the sum.)"""
    z = a.astype(np.complex128)
    z.imag = d
    return z


def central(f: Function, x: Sequence[Array], v: Direction, h: float) -> Array:
    """(y(x + hv) - y(x - hv)) / 2h = ∂y/∂x · v + O(h²) + O(rounding of y / h)."""
    after, before = ([a + s * h * d for a, d in zip(x, v, strict=True)] for s in (1, -1))
    return np.asarray((f(after) - f(before)) / (2 * h))


def extrapolated(f: Function, x: Sequence[Array], v: Direction, *, order: int, levels: int = 9) -> tuple[Array, Array]:
    """Central differences at h = 0.1, 0.1/4, 0.1/16, ...; each element from where neighbours agree best.

    T[n, 0] = central(h_n),   T[n, j] = T[n, j-1] + (T[n, j-1] - T[n-1, j-1]) / (16^j - 1),   j up to ``order``.

    Truncation falls with h and rounding grows, so the smallest difference of neighbours shows the best h, and how good
    it is: Ridders 1982.
    """
    best, uncertainty = np.zeros(()), np.full((), np.inf)
    above: list[Array] = []
    for level in range(levels):
        row = [central(f, x, v, 0.1 / 4**level)]
        for j, upper in enumerate(above[:order], start=1):
            row.append(row[-1] + (row[-1] - upper) / (16**j - 1))
        if above:
            doubt = np.abs(row[-1] - above[-1])
            better = doubt < uncertainty
            best, uncertainty = np.where(better, row[-1], best), np.where(better, doubt, uncertainty)
            if np.all(doubt > 8 * uncertainty):  # from here on h only adds rounding
                break
        above = row
    return best, uncertainty


def central_difference(f: Function, x: Sequence[Array], v: Direction) -> tuple[Array, Array]:
    """The best plain central difference."""
    return extrapolated(f, x, v, order=0)


def richardson(f: Function, x: Sequence[Array], v: Direction) -> tuple[Array, Array]:
    """The best extrapolated one."""
    return extrapolated(f, x, v, order=4)


def keeps_the_imaginary_part(f: Function, x: Sequence[Array], v: Direction, Jv: Array) -> bool:
    """Whether the complex step's Jv is, in each element, what a central difference gives at one step or another.

    ``np.var``, ``np.std``, ``abs``, ``norm`` and ``vdot`` drop the imaginary part without a word.
    """
    closest: Any = np.inf
    for h in (1e-4, 1e-5, 1e-3, 1e-6, 1e-2, 1e-7):  # the first settles it, unless the data are badly scaled
        closest = np.minimum(closest, np.abs(central(f, x, v, h) - Jv))
        if np.all(closest <= AGREES * np.max(np.abs(Jv), initial=0.0)):
            return True
    return False


DERIVATIVES: dict[str, Derivative] = {
    "complex": complex_step,
    "central": central_difference,
    "richardson": richardson,
}
