"""What is a sum over samples, when nobody says how many there are?  Polynomials whose sums become drawn moments."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import permutations, product
from typing import NamedTuple

from .arithmetic import LeavesAlgebra, is_number


class Index(NamedTuple):
    """An index value: a number among samples, a label when there is no telling how many there are."""

    value: int | str
    sort: str | None  # the size that bounds it: N, D, C, H, W, …


Factor = tuple[str, tuple[Index, ...]]  # ("x", (i,)); δ is ("\\delta", (i, k))
Monomial = tuple[tuple[Factor, int], ...]
DELTA = "\\delta"


class Polynomial:
    """Σ coefficient · x_i^a g_i^b δ_ik …, the coefficients numbers."""

    def __init__(self, terms: dict[Monomial, object]):
        self.terms = terms

    def __add__(self, other):
        if not isinstance(other, Polynomial) and not is_number(other):
            return NotImplemented  # a dual number knows what to do
        terms = dict(self.terms)
        for monomial, coefficient in as_polynomial(other).terms.items():
            terms[monomial] = terms[monomial] + coefficient if monomial in terms else coefficient
        return simplified(terms)

    __radd__ = __add__

    def __neg__(self):
        return Polynomial({monomial: -coefficient for monomial, coefficient in self.terms.items()})

    def __mul__(self, other):
        if is_number(other):
            return simplified({monomial: coefficient * other for monomial, coefficient in self.terms.items()})
        if not isinstance(other, Polynomial):
            return NotImplemented
        terms: dict[Monomial, object] = {}
        for (left, a), (right, b) in product(self.terms.items(), other.terms.items()):
            monomial = multiply(left, right)
            terms[monomial] = terms[monomial] + a * b if monomial in terms else a * b
        return simplified(terms)

    __rmul__ = __mul__

    def inverse(self):
        raise LeavesAlgebra("division by something that depends on a sample")

    def apply(self, name: str, detail=None):
        raise LeavesAlgebra(f"{name} of something that depends on a sample")

    def magnitude(self):
        return sum(map(abs, self.terms.values()), Fraction(0))


def as_polynomial(value) -> Polynomial:
    return value if isinstance(value, Polynomial) else Polynomial({(): value})


def simplified(terms: dict[Monomial, object]):
    """Without zero terms; a number when no sample is left."""
    terms = {monomial: coefficient for monomial, coefficient in terms.items() if coefficient != 0}
    if not terms:
        return Fraction(0)
    return terms[()] if set(terms) == {()} else Polynomial(terms)


def symbol(name: str, indices: tuple[Index, ...]) -> Polynomial:
    return Polynomial({(((name, indices), 1),): Fraction(1)})


def kronecker(left: Index, right: Index):
    if left == right:
        return Fraction(1)
    if isinstance(left.value, int) and isinstance(right.value, int):
        return Fraction(0)
    if left.sort != right.sort:
        raise LeavesAlgebra(f"δ between an index of {left.sort} and one of {right.sort}")
    return Polynomial({(((DELTA, tuple(sorted((left, right)))), 1),): Fraction(1)})


def at_distinct(value, pairs: set[frozenset[str]]):
    """What remains when these free indices differ: δ_ik is 0."""
    if is_number(value):
        return value
    return simplified(
        {monomial: c for monomial, c in value.terms.items() if not pairs & set(map(_delta_pair, monomial))}
    )


def _delta_pair(power: tuple[Factor, int]) -> frozenset[str] | None:
    (name, indices), _ = power
    return frozenset(str(index.value) for index in indices) if name == DELTA else None


def multiply(left: Monomial, right: Monomial) -> Monomial:
    powers = dict(left)
    for factor, exponent in right:
        powers[factor] = powers.get(factor, 0) + exponent
    return canonical(powers)


def canonical(powers: dict[Factor, int]) -> Monomial:
    """Sorted; δ_ik says i = k, so each set of equal indices is written with its first one."""
    deltas = [indices for name, indices in powers if name == DELTA]
    if not deltas:
        return tuple(sorted(powers.items()))
    first: dict[Index, Index] = {}

    def representative(index: Index) -> Index:
        while index in first:
            index = first[index]
        return index

    for a, b in deltas:
        a, b = sorted((representative(a), representative(b)))
        if a != b:
            first[b] = a
    renamed: dict[Factor, int] = {}
    for (name, indices), exponent in powers.items():
        if name != DELTA:
            factor = (name, tuple(map(representative, indices)))
            renamed[factor] = renamed.get(factor, 0) + exponent
    for index in first:
        renamed[DELTA, (representative(index), index)] = 1
    return tuple(sorted(renamed.items()))


def rename(powers: dict[Factor, int], old: Index, new: Index) -> dict[Factor, int]:
    result: dict[Factor, int] = {}
    for (name, indices), exponent in powers.items():
        indices = tuple(new if index == old else index for index in indices)
        if name == DELTA and indices[0] == indices[1]:
            continue
        factor = (name, tuple(sorted(indices)) if name == DELTA else indices)
        result[factor] = result.get(factor, 0) + exponent
    return result


# ------------------------------------------------------------------------------------------------- sums as moments

Moment = tuple[tuple[Factor, int], ...]


def sum_over(value, labels: Iterable[Index], size: Callable[[Index], object], moment: Callable[[Moment, int], object]):
    """Σ over the labels: each monomial becomes its coefficient times the moments that its samples have."""
    labels = tuple(labels)
    total: object = Fraction(0)
    for monomial, coefficient in as_polynomial(value).terms.items():
        total = total + _sum_monomial(dict(monomial), coefficient, set(labels), size, moment)
    return total


def _sum_monomial(powers, coefficient, labels, size, moment):
    powers, labels = _use_deltas(powers, labels)
    kept = {factor: exponent for factor, exponent in powers.items() if not labels & set(factor[1])}
    network = _opened({factor: exponent for factor, exponent in powers.items() if factor not in kept}, labels)
    result = coefficient
    for group in _connected(network, labels):
        among = {factor: exponent for factor, exponent in network.items() if group & set(factor[1])}
        outer = tuple(sorted({i for _, indices in among for i in indices if i not in group and "#" in str(i.value)}))
        if outer:  # a sum around this one is still to come
            inner = _nested(among, group, outer)
            kept[inner] = kept.get(inner, 0) + 1
            continue
        for index in group:
            result = result * size(index)
        if among:
            result = result * moment(_nameless(among, group), sum(among.values()))
    monomial = canonical(kept)
    return result if monomial == () else simplified({monomial: result})


NESTED: dict[str, Moment] = {}  # what a symbol Σ… stands for; its name says it all, so this is only a way back


def _nested(among, group, outer) -> Factor:
    """An inner sum as one symbol, which carries the indices of the sums around it."""
    places = {index: Index(f"@{position}", index.sort) for position, index in enumerate(outer)}
    placed = {(name, tuple(places.get(i, i) for i in indices)): exponent for (name, indices), exponent in among.items()}
    key = _nameless(placed, group)
    NESTED[f"Σ{key!r}"] = key
    return (f"Σ{key!r}", outer)


def _opened(factors, labels: set[Index]):
    """Inner sums written out again, each with indices of its own, which join the labels."""
    opened: dict[Factor, int] = {}
    for (name, outer), exponent in factors.items():
        if name not in NESTED:
            opened[name, outer] = opened.get((name, outer), 0) + exponent
            continue
        for _ in range(exponent):
            names: dict[Index, Index] = {}
            for (inner_name, indices), inner_exponent in NESTED[name]:
                actual = tuple(_actual(index, outer, names, labels) for index in indices)
                opened[inner_name, actual] = opened.get((inner_name, actual), 0) + inner_exponent
    return opened


def _actual(index: Index, outer: tuple[Index, ...], names: dict[Index, Index], labels: set[Index]) -> Index:
    place = str(index.value)
    if place.startswith("@"):
        return outer[int(place[1:])]
    if not place.startswith("*"):
        return index
    if index not in names:
        names[index] = Index(f"o#{len(labels)}", index.sort)
        labels.add(names[index])
    return names[index]


def _use_deltas(powers, labels):
    """Σ_i δ_ik f(x_i) = f(x_k)."""
    labels = set(labels)
    while True:
        hit = next(
            ((pair, index) for (name, pair) in powers if name == DELTA for index in pair if index in labels), None
        )
        if hit is None:
            return powers, labels
        (a, b), index = hit
        powers = rename(powers, index, b if index == a else a)
        labels.discard(index)


def _connected(factors, labels) -> list[set[Index]]:
    """The summed indices, grouped by the factors that tie them together."""
    groups = [{label} for label in sorted(labels)]
    for _, indices in factors:
        touched = [group for group in groups if group & set(indices)]
        if len(touched) > 1:
            groups = [group for group in groups if group not in touched] + [set().union(*touched)]
    return groups


def _nameless(factors, group) -> Moment:
    """The same key whatever the summed indices were called."""
    keys = []
    for order in permutations(sorted(group)):
        names = {index: Index(f"*{position}", index.sort) for position, index in enumerate(order)}
        keys.append(
            tuple(
                sorted(
                    ((name, tuple(names.get(i, i) for i in indices)), exponent)
                    for (name, indices), exponent in factors.items()
                )
            )
        )
    return min(keys)
