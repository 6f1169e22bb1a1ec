"""How does y change along a direction v? Three answers, each with its own uncertainty."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Function: TypeAlias = Callable[[Sequence[Array]], Array]  # y of the list of inputs
Direction: TypeAlias = Sequence[Array | float]  # for each input its v, or 0.0 where it is not moved
Derivative: TypeAlias = Callable[[Function, Sequence[Array], Direction], tuple[Array, Array]]

EPS = float(np.finfo(np.float64).eps)
COMPLEX_STEP = 1e-20  # (h v)² must vanish beside x², and h itself must survive in complex64 (smallest normal 1e-38)
AGREES = 1e-9  # the complex step has to be as good as the tolerance that it is used with
CERTAIN = 1e-4  # a dropped path shows as 1e-2, unless ε is far above the variance


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


def central(f: Function, x: Sequence[Array], v: Direction, h: float) -> tuple[Array, Array]:
    """(y(x + hv) - y(x - hv)) / 2h = ∂y/∂x · v + O(h²), and the rounding of y that is in it."""
    after, before = (f([a + s * h * d for a, d in zip(x, v, strict=True)]) for s in (1, -1))
    return (after - before) / (2 * h), EPS / (2 * h) * (np.abs(after) + np.abs(before))


def largest_quotient(x: Sequence[Array], v: Direction) -> float:
    """The largest |x| / |v| among the elements that move."""
    quotients = [
        np.divide(np.abs(a), np.abs(d), out=np.zeros(a.shape), where=d != 0) for a, d in zip(x, v, strict=True)
    ]
    return max(float(np.max(q, initial=0.0)) for q in quotients)


def extrapolated(f: Function, x: Sequence[Array], v: Direction, *, order: int, levels: int = 9) -> tuple[Array, Array]:
    """Central differences at h = 0.1, 0.1/4, 0.1/16, ...; each element from where neighbours agree best.

    T[n, 0] = central(h_n),   T[n, j] = T[n, j-1] + (T[n, j-1] - T[n-1, j-1]) / (16^j - 1),   j up to ``order``.

    Truncation falls with h and rounding grows, so the smallest difference of neighbours shows the best h, and how good
    it is: Ridders 1982. The rounding is added, since neighbours may agree by chance, and a difference of exactly 0
    replaces no other, since at a small h a coarsely rounded y (of float16) does not move.
    """
    best, uncertainty, above = np.zeros(()), np.full((), np.inf), list[Array]()
    of_x = EPS * largest_quotient(x, v)
    for h in (0.1 / 4**level for level in range(levels)):
        difference, of_y = central(f, x, v, h)
        row, rounding = [difference], of_y + of_x / h * np.abs(difference)
        for j, upper in enumerate(above[:order], start=1):
            row.append(row[-1] + (row[-1] - upper) / (16**j - 1))
        if above:
            doubt = np.abs(row[-1] - above[-1]) + rounding
            better = (doubt < uncertainty) & ((difference != 0) | (best == 0))
            best, uncertainty = np.where(better, row[-1], best), np.where(better, doubt, uncertainty)
            if np.all(rounding > uncertainty):  # from here on h only adds to it
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
    """Whether the complex step's Jv is what differences give, as far as they are certain.

    ``np.var``, ``np.std``, ``abs``, ``norm`` and ``vdot`` drop the imaginary part without a word.
    """
    size = np.max(np.abs(Jv), initial=0.0)
    coarse, fine = (central(f, x, v, h)[0] for h in (4e-3, 1e-3))
    if np.all(np.abs(fine + (fine - coarse) / 15 - Jv) <= AGREES * size):
        return True  # no accident; the rest is for badly scaled data
    difference, doubt = richardson(f, x, v)
    agree = np.abs(difference - Jv) <= AGREES * size + 10 * doubt
    return bool(np.all(agree & (10 * doubt <= CERTAIN * size)))


DERIVATIVES: dict[str, Derivative] = {
    "complex": complex_step,
    "central": central_difference,
    "richardson": richardson,
}
