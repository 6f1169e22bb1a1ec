"""What do most experiments share? Data for a seed, a plain network with or without normalization, a tuned rate."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from ..datasets import digits, digits1d, split, standardize
from ..functional._arrays import Array
from ..nn import Layer, Linear, ReLU, Sequential

TUNING_SEEDS = (1000, 1001)
"""Learning rates are chosen on these; trials use 0, 1, 2, ... and never see them."""


@dataclass(frozen=True)
class Part:
    """Examples (n, features) and their labels (n,)."""

    x: Array
    labels: Array


@dataclass(frozen=True)
class Data:
    """One split of a data set: 60 % to train on, 20 % to tune on, 20 % to report."""

    train: Part
    validation: Part
    test: Part

    @property
    def features(self) -> int:
        """Numbers per example."""
        return int(self.train.x.shape[1])


@cache
def whole(name: str) -> tuple[Array, Array]:
    """All examples of a data set and their labels."""
    return digits() if name == "digits" else digits1d()


def data(name: str, seed: int) -> Data:
    """A data set, "digits" or "digits1d", split by the seed and standardized by its training part."""
    x, labels = whole(name)
    indices = split(len(x), seed)
    parts = standardize(*(x[part] for part in indices))
    return Data(*(Part(part, labels[index]) for part, index in zip(parts, indices, strict=True)))


Normalization = Callable[[int], Layer]


def mlp(
    sizes: Sequence[int],
    rng: np.random.Generator,
    *,
    norm: Normalization | None = None,
    activation: Callable[[], Layer] = ReLU,
    gain: float = 2**0.5,
) -> Sequential:
    """Linear, normalization (if any), activation, for each hidden size; a linear layer at the end.

    The weights depend on the rng only, not on ``norm``: two arms with the same seed start from the same weights.
    """
    layers: list[Layer] = []
    for features, hidden in pairwise(sizes[:-1]):
        layers.append(Linear(features, hidden, rng, gain=gain))
        layers += [norm(hidden)] if norm else []
        layers.append(activation())
    return Sequential(*layers, Linear(sizes[-2], sizes[-1], rng, gain=1.0))


def half_octaves(low: float, high: float) -> tuple[float, ...]:
    """Powers of √2 from 2^low to 2^high: the grid of learning rates.

    >>> half_octaves(-1, 0)
    (0.5, 0.7071067811865476, 1.0)
    """
    return tuple(float(2.0**exponent) for exponent in np.arange(2 * low, 2 * high + 1) / 2)


@dataclass(frozen=True)
class Tuned:
    """The best learning rate of a grid, and the score of every one that was tried."""

    rate: float
    scores: Mapping[float, float]

    def plain(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {"rate": self.rate, "scores": [[rate, score] for rate, score in sorted(self.scores.items())]}


def tuned(score: Callable[[float, int], float], grid: Sequence[float], seeds: Iterable[int] = TUNING_SEEDS) -> Tuned:
    """The rate of the grid with the highest mean ``score(rate, seed)``: every octave first, then the steps between.

    A divergence scores what the experiment says it does, at worst -inf. Raises ``ValueError`` when the best rate is the
    grid's first or last: then the true optimum may lie outside, and the comparison would be unfair.
    """
    seeds = tuple(seeds)
    scores: dict[float, float] = {}

    def look_at(positions: Iterable[int]) -> None:
        for position in positions:
            rate = grid[position]
            if rate not in scores:
                scores[rate] = float(np.mean([score(rate, seed) for seed in seeds]))

    look_at(range(0, len(grid), 2))
    for _ in range(2):
        best = grid.index(max(scores, key=scores.__getitem__))
        look_at(range(max(best - 1, 0), min(best + 2, len(grid))))
    rate = max(scores, key=scores.__getitem__)
    if rate in (grid[0], grid[-1]):
        raise ValueError(f"the best rate {rate:g} is at the edge of the grid {grid[0]:g} to {grid[-1]:g}: extend it")
    return Tuned(rate, scores)
