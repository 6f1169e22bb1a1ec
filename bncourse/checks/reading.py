"""Which term of an answer is wrong, and by what factor?

Many answers are sums: dx of batch norm is a direct term, one through the mean and one through the variance. The
student's numbers are regressed on these terms. If they fit to rounding, each coefficient, compared with the right one,
reads as *right*, *missing*, *of the wrong sign*, or off by a product of powers of known quantities (N, gamma, the
deviation, ...). The same product has to explain every feature of three problems of different shapes, and be the only
simplest one; otherwise nothing is read.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import Any

import numpy as np

from .answers import Array

FITS = {np.dtype(np.float64): 1e-8, np.dtype(np.float32): 1e-4}
"""How far, of its largest value, an answer may be from the sum of its terms; a hundred times that for a coefficient."""

SINGLE = (1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 1.5, -1.5, 3.0, -3.0)
DOUBLE = (1.0, -1.0, 2.0, -2.0, 0.5, -0.5)
"""Powers that are tried of one quantity alone, and of each of two."""


@dataclass(frozen=True)
class Term:
    """One term of an output; right answers are the sum of those that are not ``foreign``."""

    name: str
    words: str
    """How the sentence calls it: "the term through the mean"."""
    value: Callable[[Any], Any]
    section: str
    why: str = ""
    """A sentence on why it belongs there."""
    about: str = ""
    """The quantities that are wrong when it is."""
    foreign: bool = False
    """A term that does not belong there, but comes in by mistake."""


@dataclass(frozen=True)
class Factor:
    """A quantity by which a term can be off: a number, or one number per group."""

    symbol: str
    value: Callable[[Any], Any]
    about: str
    instead: str = ""
    """For a quotient of two forms of the same thing: "divided by √var where √(var + eps) belongs"."""


@dataclass(frozen=True)
class Reading:
    """How to read one output.

    ``per`` says which elements share a coefficient: those of one ``"feature"`` (or channel, the axis after the first),
    of one ``"sample"`` (the first axis), or all of them (``"whole"``). ``vary`` names arguments that are drawn again
    ``rows`` times, where a single answer has fewer numbers than terms.
    """

    output: str
    terms: tuple[Term, ...]
    factors: tuple[Factor, ...]
    per: str = "feature"
    vary: tuple[str, ...] = ()
    rows: int = 6


@dataclass(frozen=True)
class Product:
    """±constant · Π quantity^power, or 0."""

    sign: int = 1
    constant: float = 1.0
    powers: Mapping[str, float] = field(default_factory=dict)

    @property
    def right(self) -> bool:
        """Whether it is 1."""
        return self.sign == 1 and self.constant == 1.0 and not self.powers

    def value(self, factors: Mapping[str, Any]) -> Any:
        """The number, or the number per group."""
        result: Any = self.sign * self.constant
        for symbol, power in self.powers.items():
            base = np.asarray(factors[symbol])
            result = result * np.abs(base) ** power * (np.sign(base) if power % 2 == 1 else 1.0)
        return result


# -------------------------------------------------------------------------------------------------------- regression


def coefficients(actual: Array, terms: Sequence[Array]) -> Array | None:
    """The coefficients (terms, groups) of (values, groups) arrays; None unless the terms explain every value."""
    if len(actual) < len(terms) or not np.all(np.isfinite(actual)):
        return None
    fits = FITS[actual.dtype]
    found = np.empty((len(terms), actual.shape[1]))
    for g in range(actual.shape[1]):
        columns = np.stack([term[:, g] for term in terms], axis=1)
        size = np.sqrt((columns * columns).sum(axis=0))
        if not np.all(size > 0):
            return None
        solution, _, rank, singular = np.linalg.lstsq(columns / size, actual[:, g].astype(np.float64), rcond=None)
        if rank < len(terms) or singular[-1] < 1e-5 * singular[0]:
            return None
        rest = np.abs(columns / size @ solution - actual[:, g]).max()
        if not rest <= fits * max(float(np.abs(actual).max()), float(size.max()) / np.sqrt(len(actual))):
            return None
        found[:, g] = solution / size
    return found


def grouped(array: Any, shape: tuple[int, ...], per: str) -> Array:
    """An output, or a term of it, as (values, groups)."""
    full = np.broadcast_to(array, shape)
    if per == "whole":
        return full.reshape(-1, 1)
    if per == "sample":
        return full.reshape(len(full), -1).T
    if full.ndim == 1:
        return full[None]
    return np.moveaxis(full, 1, 0).reshape(full.shape[1], -1).T


def ungrouped(numbers: Any, ndim: int, per: str) -> Any:
    """One number per group, in a shape that broadcasts against the output."""
    numbers = np.asarray(numbers)
    if numbers.ndim == 0 or per == "whole":
        return numbers.reshape(()) if numbers.size == 1 else numbers
    if per == "sample":
        return numbers.reshape(-1, *[1] * (ndim - 1))
    return numbers.reshape(-1, *[1] * (ndim - 2))


# ------------------------------------------------------------------------------------------------------- the product


def product_of(ratio: Array, factors: Mapping[str, Array], once: frozenset[str], tolerance: float) -> Product | None:
    """The simplest product that is this ratio in every group; None when there is none, or more than one."""
    if np.all(np.abs(ratio) <= tolerance):
        return Product(constant=0.0)
    if np.any(ratio == 0):
        return None
    signs, log = np.sign(ratio), np.log(np.abs(ratio))
    one_sign = bool(np.all(signs == signs[0]))
    if one_sign and np.all(np.abs(log) <= tolerance):
        return Product(int(signs[0]))
    values = np.array(list(factors.values())).reshape(len(factors), -1)
    logs, negative = np.log(np.abs(values)), (values < 0).astype(int)
    for constants, powers in filter(lambda one: one[1], candidates(tuple(factors), once)):
        matrix = np.array([[power.get(symbol, 0.0) for symbol in factors] for power in powers])
        sizes = matrix @ logs + np.log(constants)[:, None]
        flips = signs * (1 - 2 * (((matrix % 2 == 1).astype(int) @ negative) % 2))
        fits = np.all(np.abs(sizes - log) <= tolerance, axis=1) & np.all(flips == flips[:, :1], axis=1)
        fitting = np.flatnonzero(fits)
        if len(fitting) == 1:
            n = int(fitting[0])
            return Product(int(flips[n, 0]), float(constants[n]), powers[n])
        if len(fitting) > 1:
            return None
    constant = float(f"{np.exp(np.mean(log)):.9g}")  # the same for terms that are off by the same number
    return Product(int(signs[0]), constant) if one_sign and np.ptp(log) <= tolerance else None


_CANDIDATES: dict[tuple[tuple[str, ...], frozenset[str]], list[tuple[Array, list[dict[str, float]]]]] = {}


def candidates(symbols: tuple[str, ...], once: frozenset[str]) -> list[tuple[Array, list[dict[str, float]]]]:
    """(constants, powers), in growing complexity: one quantity, one with a 2 beside it, two quantities."""
    if (symbols, once) not in _CANDIDATES:
        single = [{s: p} for s in symbols for p in ((1.0,) if s in once else SINGLE)]
        twice = [(c, power) for power in single for c in (2.0, 0.5)]
        double = [
            {a: p, b: q}
            for a, b in combinations(symbols, 2)
            for p, q in product((1.0,) if a in once else DOUBLE, (1.0,) if b in once else DOUBLE)
        ]
        _CANDIDATES[symbols, once] = [
            (np.ones(len(single)), single),
            (np.array([c for c, _ in twice]), [power for _, power in twice]),
            (np.ones(len(double)), double),
        ]
    return _CANDIDATES[symbols, once]


# -------------------------------------------------------------------------------------------------------- in words


def effect_of(result: Product, factors: Mapping[str, Factor]) -> str:
    """What is wrong with a term, as the end of a sentence."""
    if result.constant == 0.0:
        return "is missing"
    parts = ["has the wrong sign"] if result.sign < 0 else []
    parts += [factors[s].instead for s in result.powers if factors[s].instead]
    plain = {s: p for s, p in result.powers.items() if not factors[s].instead}
    over = [power(s, p) for s, p in plain.items() if p > 0]
    under = [power(s, -p) for s, p in plain.items() if p < 0]
    if result.constant != 1.0:
        if plain and result.constant > 1:
            over.insert(0, f"{result.constant:g}")
        elif plain:
            under.insert(0, f"{1 / result.constant:g}")
        else:
            parts.append(f"is {result.constant:.6g} times as large as it should be")
    changes = [f"multiplied by {' and by '.join(over)}"] if over else []
    changes += [f"divided by {' and by '.join(under)}"] if under else []
    if changes:
        parts.append(f"is {' and '.join(changes)}, compared with the right one")
    return " and ".join(parts)


def power(symbol: str, exponent: float) -> str:
    """N, N², √N."""
    exponents = {1.0: "{}", 2.0: "{}²", 3.0: "{}³", 0.5: "√{}", 1.5: "√{}³"}
    return exponents[exponent].format(symbol)
