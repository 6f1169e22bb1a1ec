"""Which functions does a student's function get to call?

Smooth ones that it has not seen, each written as a formula. The student gets a plain Python function, made anew for
every call, that looks at a copy of its argument, so that nothing depends on who changes which array when.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .answers import Array, base
from .draw import Draw

MOST_CALLS = 10_000
"""Of one function in one question: two for each element are needed, fifty at most; a loop that never ends is ended."""

WAVES = 1e4
"""Waves so short that the default h = 1e-5 is a tenth of their phase, and another default shows."""

Value = Callable[[Array], Any]


class OutOfReach(ValueError):
    """The function was asked where it has no value."""


class CalledTooOften(RuntimeError):
    """The function was asked without end."""


class Callback(str):
    """A scalar function of an array; as a string it is its formula, in a report as in JSON."""

    value: Value
    shape: tuple[int, ...]
    magnitude: float
    """How large its values and its derivatives are."""
    reach: Callable[[Array], None]
    """Raises where the student's function gets no value. The checker itself may look everywhere."""

    def __new__(cls, formula: str, value: Value, shape: tuple[int, ...], magnitude: float = 10.0) -> "Callback":
        """The formula, what computes it, the shape of what it takes."""
        callback = super().__new__(cls, formula)
        callback.value, callback.shape, callback.magnitude = value, shape, magnitude
        callback.reach = lambda x: None
        return callback

    def __call__(self, x: Any) -> Any:
        """Its value at x, of which it looks at a copy."""
        return self.value(point(x, self.shape))

    def fresh(self) -> Callable[[Any], Any]:
        """The function for one call of the student's: it counts."""
        calls = 0

        def f(x: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > MOST_CALLS:
                raise CalledTooOften(f"f was called more than {MOST_CALLS} times")
            at = point(x, self.shape)
            self.reach(at)
            return self.value(at)

        return f


def point(x: Any, shape: tuple[int, ...]) -> Array:
    """What a callback was given, as an array of its own; a sentence when it is not a point."""
    array = base(np.asarray(x))
    if array.dtype.kind not in "biuf":
        raise TypeError("f takes real numbers")
    if array.shape != shape:
        raise ValueError(f"f takes the whole array, of shape {shape}, but was given one of shape {array.shape}")
    return array.astype(np.float64)


# ------------------------------------------------------------------------------------------------------------- smooth


def mixture(draw: Draw, x: Array) -> Callback:
    """A polynomial of fifth degree around x, every partial derivative of it away from 0, the elements coupled.

    It is written in x - x0, so that its rounding is that of x alone, however small the step is.
    """
    x0, shape = x.astype(np.float64), x.shape
    slope = draw.away_from_zero(x.size, 0.6, 2.0).reshape(shape)
    bend = draw.away_from_zero(x.size, 0.6, 1.2).reshape(shape)
    twist = draw.away_from_zero(x.size, 2.0, 4.0).reshape(shape)
    mix = draw.away_from_zero(x.size, 0.5, 1.0).reshape(shape)

    def value(at: Array) -> Any:
        d = at - x0
        mixed = (mix * d).sum()
        return float(
            0.5 + (d * (slope + d * (bend + d * (twist + d * d * twist)))).sum() + mixed * mixed * (0.5 + mixed)
        )

    return Callback("a polynomial of fifth degree", value, shape)


def quadratic(draw: Draw, x: Array, *, as_array: bool = False) -> Callback:
    """A polynomial of second degree, of which a central difference is exact whatever h is; maybe as a 0-d array."""
    shape = x.shape
    slope = draw.away_from_zero(x.size, 0.5, 1.0).reshape(shape)
    bend = draw.random.uniform(0.6, 1.2, shape)

    def value(at: Array) -> Any:
        number = (slope * at).sum() + (bend * at * at).sum() + 0.1 * at.sum() ** 2
        return np.asarray(number) if as_array else number

    return Callback("a polynomial of second degree", value, shape, 20.0)


def waves(draw: Draw, x: Array) -> Callback:
    """A sum of sines so short that even a small h is seen."""
    x0, shape = x.astype(np.float64), x.shape
    phase = draw.random.uniform(0.2, 0.8, shape)
    size = draw.away_from_zero(x.size, 1.0, 2.0).reshape(shape)

    def value(at: Array) -> Any:
        return float((size * np.sin(WAVES * (at - x0) + phase)).sum() / WAVES)

    return Callback("a sum of sines of 10000 x, divided by 10000", value, shape, 3.0)


def exponential(draw: Draw, x: Array) -> Callback:
    """exp of a weighted sum, as a 0-d array."""
    weight = draw.away_from_zero(x.size, 0.1, 0.3).reshape(x.shape)
    return Callback("exp of a weighted sum", lambda at: np.array(np.exp((weight * at).sum())), x.shape)


def product(x: Array) -> Callback:
    """The product of all elements, as NumPy's own number."""
    return Callback("the product of all elements of x", lambda at: np.prod(at), x.shape, 100.0)


def batchnorm_loss(draw: Draw, x: Array) -> Callback:
    """What a gradient check of batch norm calls: sum of dy · y."""
    dy = draw.random.standard_normal(x.shape)

    def value(at: Array) -> Any:
        centred = at - at.mean(axis=0)
        return float((dy * centred / np.sqrt((centred * centred).mean(axis=0) + 0.1)).sum())

    return Callback("the loss of a batch norm layer", value, x.shape)


# ----------------------------------------------------------------------------------------------------- not everywhere


def only_near(callback: Callback, x: Array, h: float) -> Callback:
    """The same, but it has a value only where no element is further than h from x, to rounding."""
    x0 = x.astype(np.float64)

    def reach(at: Array) -> None:
        if np.any(np.abs(at - x0) > h * 1.001 + 1e-12 * np.abs(x0)):
            raise OutOfReach(f"f has no value further than h = {h:g} from x")

    near = Callback(f"{callback}, within {h:g} of x only", callback.value, x.shape, callback.magnitude)
    near.reach = reach
    return near


def refusing(x: Array) -> Callback:
    """It has a value nowhere."""

    def reach(at: Array) -> None:
        raise OutOfReach("f has no value here")

    never = Callback("a function that always raises", lambda at: 0.0, x.shape)
    never.reach = reach
    return never
