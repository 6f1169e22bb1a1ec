"""Where do the numbers come from?  From drawn samples, or from moments that leave open how many samples there are."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from fractions import Fraction

from .arithmetic import Dual, LeavesAlgebra, slope_of, value_of
from .polynomial import Index, kronecker, sum_over, symbol


def drawn(kind: str, draw: int, key: object) -> Fraction:
    """A small fraction that depends on nothing but its arguments; from an even draw to the next one, signs change."""
    dice = random.Random(f"{kind} {draw} {key}")
    if kind == "count":
        return Fraction(dice.randint(1, 9))
    if kind == "fraction":
        return Fraction(dice.randint(1, 255), 256)
    size = Fraction(dice.randint(32, 640), 256)  # on both sides of 1
    negative = kind != "positive" and (random.Random(f"{draw // 2} {key}").random() < 0.5) != (draw % 2 == 1)
    return -size if negative else size


class Samples:
    """N samples, each drawn; a sum is a loop."""

    general = False

    def __init__(self, sizes: dict[str, int], draw: int, data: dict[str, list[Fraction]] | None = None):
        self.sizes = sizes
        self.draw = draw
        self.data = data or {}

    def __str__(self) -> str:
        return "drawn samples, " + ", ".join(f"{name} = {size}" for name, size in self.sizes.items() if name in "ND")

    def free(self, name: str, kind: str, indices: tuple[Index, ...]):
        if kind == "size":
            if not indices:
                return Fraction(self.sizes[name])
            return Fraction(random.Random(f"{self.draw} {name} {indices}").randint(2, 4))
        if name in self.data and len(indices) == 1:
            return self.data[name][indices[0].value - 1]
        return drawn(kind, self.draw, (name, [index.value for index in indices]))

    def delta(self, left: Index, right: Index):
        return Fraction(left.value == right.value)

    def values(self, sort: str | None, lower: int, size) -> list[Index]:
        if getattr(size, "denominator", 0) != 1:
            raise LeavesAlgebra(f"a range that ends at {size}")
        return [Index(value, sort) for value in range(lower, int(size) + 1)]

    def sum(self, ranges: list[list[Index]], body: Callable[[tuple[Index, ...]], object]):
        total: object = Fraction(0)
        for position in _positions(ranges):
            total = body(position) + total
        return total


def _positions(ranges: list[list[Index]]) -> Iterable[tuple[Index, ...]]:
    if not ranges:
        yield ()
        return
    for rest in _positions(ranges[1:]):
        for index in ranges[0]:
            yield (index, *rest)


class Moments:
    """Any number of samples: N and every Σ_i x_i^a g_i^b is a number of its own."""

    general = True

    def __init__(self, draw: int):
        self.draw = draw
        self.bound = 0  # how many summation indices were named

    def __str__(self) -> str:
        return "moments, any N"

    def size(self, name: str) -> Fraction:
        return Fraction(random.Random(f"size {self.draw} {name}").randint(30, 90), 7)

    def free(self, name: str, kind: str, indices: tuple[Index, ...]):
        indices = tuple(Index(str(index.value), index.sort) for index in indices)  # x_1 is a sample like any x_i
        if kind == "size":
            if indices:
                raise LeavesAlgebra("sizes that differ")
            return self.size(name)
        if indices and (kind == "data" or any("#" in index.value for index in indices)):
            return symbol(name, indices)
        return drawn(kind, self.draw, (name, [index.value for index in indices]))

    def delta(self, left: Index, right: Index):
        return kronecker(left, right)

    def label(self, letter: str, sort: str | None) -> Index:
        self.bound += 1
        return Index(f"{letter}#{self.bound}", sort)

    def sum(self, labels: tuple[Index, ...], body):
        def total(quantity):
            return sum_over(quantity, labels, self.size_of, self.moment)

        return Dual(total(value_of(body)), total(slope_of(body))) if isinstance(body, Dual) else total(body)

    def size_of(self, index: Index) -> Fraction:
        return self.size(str(index.sort))

    def moment(self, key, degree: int) -> Fraction:
        """The mean of a monomial over its samples.  Even powers come out larger than squares of means, as in data."""
        dice = random.Random(f"moment {self.draw} {key}")
        value = Fraction(dice.randint(4, 16), 8)
        if all(exponent % 2 == 0 for _, exponent in key):
            return value + 2 * degree**2
        return value if dice.random() < 0.5 else -value
