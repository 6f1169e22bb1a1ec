"""Numbers (exact fractions, 50 digits where a root or an exponential needs them) and dual numbers over any values."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from mpmath import MPContext

digits50 = MPContext()
digits50.dps = 50
TOLERANCE = digits50.mpf(10) ** -35  # of the larger side; 15 digits are left for cancellation
Real = Fraction | digits50.mpf


class Undefined(ArithmeticError):
    """Division by zero or an even root of a negative number: draw again."""


class LeavesAlgebra(ArithmeticError):
    """Not a polynomial in the samples, so nothing general can be said: use drawn samples."""


def is_number(value) -> bool:
    return isinstance(value, int | Fraction | digits50.mpf)


def inverse(value):
    if not is_number(value):
        return value.inverse()
    if value == 0:
        raise Undefined("division by zero")
    return 1 / value if isinstance(value, digits50.mpf) else Fraction(1) / value


def power(value, exponent):
    """value ** exponent; whole exponents stay exact, halves become roots."""
    if not is_number(exponent):
        raise LeavesAlgebra("an exponent that depends on a sample")
    if isinstance(exponent, Fraction) and exponent.denominator == 1:
        return integer_power(value, exponent.numerator)
    if isinstance(exponent, Fraction) and exponent.denominator == 2:
        return integer_power(root(value, 2), exponent.numerator)
    if not is_number(value):
        return value.apply("power", exponent)
    if value <= 0:
        raise Undefined("a fractional power of a number that is not positive")
    return digits50.power(_to_50_digits(value), _to_50_digits(exponent))


def integer_power(value, exponent: int):
    if exponent < 0:
        return inverse(integer_power(value, -exponent))
    result, square = Fraction(1), value
    while exponent:
        if exponent & 1:
            result = square * result
        exponent >>= 1
        if exponent:
            square = square * square
    return result


def root(value, degree: int = 2):
    if not is_number(value):
        return value.apply("root", degree)
    if value < 0 and degree % 2 == 0:
        raise Undefined("an even root of a negative number")
    if degree == 2 and isinstance(value, int | Fraction):
        above, below = isqrt(value.numerator), isqrt(value.denominator)
        if above * above == value.numerator and below * below == value.denominator:
            return Fraction(above, below)
    size = digits50.root(_to_50_digits(abs(value)), degree)
    return size if value >= 0 else -size


def _to_50_digits(value):
    return value if isinstance(value, digits50.mpf) else digits50.mpf(value.numerator) / value.denominator


ONE_ARGUMENT = {"exp": digits50.exp, "log": digits50.log, "tanh": digits50.tanh}
SLOPES = {
    "exp": lambda x: apply("exp", x),
    "log": inverse,
    "tanh": lambda x: 1 + (-integer_power(apply("tanh", x), 2)),
}


def apply(name: str, value):
    """exp, log or tanh of a value; abs keeps fractions exact."""
    if not is_number(value):
        return value.apply(name)
    if name == "abs":
        return abs(value)
    if name == "log" and value <= 0:
        raise Undefined("the logarithm of a number that is not positive")
    if name == "exp" and value == 0:
        return Fraction(1)
    return ONE_ARGUMENT[name](_to_50_digits(value))


def agree(left, right) -> bool:
    """Equal: exactly for fractions, to 35 digits otherwise."""
    difference = left + (-right)
    if isinstance(difference, Fraction):
        return difference == 0
    return _to_50_digits(magnitude(difference)) <= TOLERANCE * (1 + magnitude(left))


def magnitude(value):
    return abs(value) if is_number(value) else value.magnitude()


@dataclass(frozen=True)
class Dual:
    """value + slope·t: carries ∂/∂t exactly through the definitions."""

    value: object
    slope: object

    def __add__(self, other):
        if isinstance(other, Dual):
            return Dual(self.value + other.value, self.slope + other.slope)
        return Dual(self.value + other, self.slope)

    __radd__ = __add__

    def __neg__(self):
        return Dual(-self.value, -self.slope)

    def __mul__(self, other):
        if isinstance(other, Dual):
            return Dual(self.value * other.value, self.value * other.slope + self.slope * other.value)
        return Dual(self.value * other, self.slope * other)

    __rmul__ = __mul__

    def inverse(self):
        over = inverse(self.value)
        return Dual(over, -(over * over * self.slope))

    def apply(self, name: str, detail=None):
        x = self.value
        if name == "root":
            y = root(x, detail)
            return Dual(y, self.slope * y * inverse(x * Fraction(detail)))
        if name == "power":
            y = power(x, detail)
            return Dual(y, self.slope * y * detail * inverse(x))
        if name == "abs":
            if not is_number(x):
                raise LeavesAlgebra("the absolute value of a sample")
            return self if x > 0 else -self
        return Dual(apply(name, x), self.slope * SLOPES[name](x))


def value_of(quantity):
    return quantity.value if isinstance(quantity, Dual) else quantity


def slope_of(quantity):
    return quantity.slope if isinstance(quantity, Dual) else Fraction(0)
