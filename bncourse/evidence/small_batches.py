"""Do very small batches degrade batch normalization, where layer and group normalization do not notice them?

Every arm sees the same number of examples, each of them at most once: at batch 2 in many steps, at batch 64 in few.
Exploratory: batch 16 and 64; other statistics for the evaluation of the same networks; how far the first layer moved.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..functional._arrays import Array
from ..nn import SGD, BatchNorm, GroupNorm, Layer, LayerNorm, Linear, Sequential, accuracy, fit
from .arms import Data, Part, data, half_octaves, mlp, tuned
from .experiment import Experiment, Primary, Scale, Values

GROUPS = 8
ARMS: dict[str, Callable[[int], Layer]] = {"bn": BatchNorm, "gn": lambda n: GroupNorm(GROUPS, n), "ln": LayerNorm}
SETS = ("digits", "digits1d")
JUDGED = (2, 4)
"""The batches that the claim is about."""
GUESSING = 0.1
"""Accuracy of a network that diverged."""


@dataclass(frozen=True)
class Settings:
    """How a run is made."""

    hidden: tuple[int, ...] = (64, 64)
    batches: tuple[int, ...] = (2, 4, 16, 64)
    examples: int = 768
    """Seen in training, by every arm at every batch: fewer than there are, so none is seen twice."""
    exponents: tuple[int, int] = (-9, -2)
    """The grid of rates: half octaves from batch · 2^-9 to batch · 2^-2, the same for every arm."""
    stride: int = 1
    """Of the grid's rates, every one, or every fifth in the reduced run."""


def train(arm: str, rate: float, batch: int, seed: int, parts: Data, settings: Settings) -> tuple[Sequential, bool]:
    """A network that has seen its examples, and whether it diverged. All arms: the same weights, the same order."""
    net = mlp((parts.features, *settings.hidden, 10), np.random.default_rng(seed), norm=ARMS[arm])
    order = np.random.default_rng(seed + 1)
    optimizer = SGD(net.parameters(), rate)
    steps = settings.examples // batch
    losses = fit(net, parts.train.x, parts.train.labels, optimizer, steps=steps, batch_size=batch, rng=order)
    return net, not np.isfinite(losses[-1])


def correct(net: Sequential, diverged: bool, part: Part) -> float:
    """Accuracy as a network is used: one example at a time, with the running averages where there are any."""
    return GUESSING if diverged else accuracy(net, part.x, part.labels)


def precise(net: Sequential, x: Array) -> Sequential:
    """The same network with the statistics of all of x, taken afterwards, for its running ones."""
    net = deepcopy(net)
    for layer in net.layers:
        if isinstance(layer, BatchNorm):
            layer.momentum = 1.0
    net.forward(x, training=True)
    return net


def ways_to_evaluate(net: Sequential, diverged: bool, parts: Data) -> dict[str, float]:
    """Test accuracy of one batch-normalized network with different statistics."""
    if diverged:
        return dict.fromkeys(("running", "precise", "batches of 2", "batches of 64"), GUESSING)
    found = {
        "running": correct(net, diverged, parts.test),
        "precise": correct(precise(net, parts.train.x), diverged, parts.test),
    }
    for size in (2, 64):
        whole = len(parts.test.x) // size * size
        x, labels = parts.test.x[:whole], parts.test.labels[:whole]
        found[f"batches of {size}"] = accuracy(net, x, labels, batch_size=size, training=True)
    return found


def first_weight(net: Sequential) -> Array:
    """The weights below the first normalization."""
    first = net.layers[0]
    assert isinstance(first, Linear)
    return first.weight


def moved(net: Sequential, seed: int, parts: Data, settings: Settings) -> float:
    """How far training moved the first layer's weights, in units of their size at the start."""
    start = first_weight(mlp((parts.features, *settings.hidden, 10), np.random.default_rng(seed)))
    return float(np.linalg.norm(first_weight(net) - start) / np.linalg.norm(start))


def tune(settings: Settings) -> dict[str, Any]:
    """The best rate of each arm at each batch on each data set, by validation accuracy with the running averages."""

    def score(name: str, batch: int, arm: str, rate: float, seed: int) -> float:
        parts = data(name, seed)
        net, diverged = train(arm, rate, batch, seed, parts, settings)
        return -1.0 if diverged else correct(net, diverged, parts.validation)

    def best(name: str, batch: int, arm: str) -> dict[str, Any]:
        grid = [batch * rate for rate in half_octaves(*settings.exponents)][:: settings.stride]
        return tuned(lambda rate, seed: score(name, batch, arm, rate, seed), grid).plain()

    return {
        f"{name} {batch} {arm}": best(name, batch, arm) for name in SETS for batch in settings.batches for arm in ARMS
    }


def trial(seed: int, settings: Settings, found: Any) -> Values:
    """Test accuracy of all arms at all batches, each at its tuned rate."""
    values: Values = {"effects": {}, "accuracy": {}, "evaluated": {}, "moved": {}, "diverged": 0}
    for name in SETS:
        parts = data(name, seed)
        for batch in settings.batches:
            here = f"{name}, batch {batch}"
            rates = {arm: found[f"{name} {batch} {arm}"]["rate"] for arm in ARMS}
            nets = {arm: train(arm, rate, batch, seed, parts, settings) for arm, rate in rates.items()}
            right = {arm: correct(*net, parts.test) for arm, net in nets.items()}
            values["accuracy"][here] = right
            values["evaluated"][here] = ways_to_evaluate(*nets["bn"], parts)
            values["moved"][here] = {arm: moved(net, seed, parts, settings) for arm, (net, _) in nets.items()}
            values["diverged"] += sum(diverged for _, diverged in nets.values())
            if batch in JUDGED:
                values["effects"][here] = 100 * (right["gn"] - right["bn"])
    return values


EXPERIMENT = Experiment(
    name="small_batches",
    title="Very small batches",
    page="evidence/small-batches",
    claim=(
        "Batch normalization depends on the size of the batch: very small batches degrade it, while layer and group "
        "normalization do not depend on it."
    ),
    prediction=(
        "At batch 2 the normalized values are ±1, and a gradient passes only in rare bursts, where two examples nearly "
        "agree; so the weights below hardly learn, and group normalization wins by tens of points on digits and by "
        "several on digits1d. At batch 4 half of the gradient is projected away, and group normalization wins by "
        "several points. At 16 and 64 batch normalization is at least as good. Precise statistics at evaluation bring "
        "little of the loss back, since the damage is done in training. Layer normalization does as group "
        "normalization."
    ),
    primary=Primary(
        quantity=(
            "test accuracy with group normalization minus with batch normalization (evaluated with its running "
            "averages), in percentage points, both trained in batches of 2 or of 4, on the same number of examples"
        ),
        scale=Scale.DIFFERENCE,
        smallest=1.0,
        settings=tuple(f"{name}, batch {batch}" for name in SETS for batch in JUDGED),
        unit=" points",
    ),
    trial=trial,
    tune=tune,
    full=Settings(),
    reduced=Settings(hidden=(16,), examples=64, batches=(2, 4, 64), exponents=(-9, 1), stride=5),
    seeds=12,
)
