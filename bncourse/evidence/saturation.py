"""Does batch normalization keep sigmoid and tanh out of saturation?

Exploratory: normalization after the activation, a gamma that may not learn, who stays saturated, and accuracy.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..functional._arrays import Array
from ..nn import SGD, BatchNorm, Layer, Parameter, Sequential, Sigmoid, Tanh, accuracy, fit, softmax_cross_entropy
from .arms import Data, data, half_octaves, mlp, tuned
from .experiment import Experiment, Primary, Scale, Values

GUESSING = float(np.log(10))
"""The loss of one who guesses: a rate that ends above it, or diverges, is as bad as any other such rate."""


@dataclass(frozen=True)
class Settings:
    """How a run is made."""

    hidden: tuple[int, ...] = (60, 60, 60)
    batch: int = 64
    steps: int = 160
    every: int = 20
    """Steps from one look to the next."""
    exponents: tuple[float, float] = (-3, 6)
    """The grid of rates: half octaves from 2^-3 to 2^6."""


ACTIVATIONS: dict[str, Callable[[], Layer]] = {"tanh": Tanh, "sigmoid": Sigmoid}
GOOD = {"tanh": 1.0, "sigmoid": 4.0}
"""Gains that keep the signal's size: one over the slope at 0."""
INITS = {"good init": 1.0, "large init": 10.0}
"""How many times the good gain."""
SATURATED = 0.99
"""A tanh beyond 0.99, or a sigmoid that far towards its ends (below 0.005, above 0.995): less than 2 % of the largest
slope is left in both."""


class FixedGamma(BatchNorm):
    """Batch normalization whose gamma stays 1; beta learns."""

    def parameters(self) -> list[Parameter]:
        """beta only."""
        return [one for one in super().parameters() if one.name == "beta"]


ARMS = {"tanh": ("plain", "bn", "gamma = 1", "after"), "sigmoid": ("plain", "bn")}
CASES = tuple((kind, init, arm) for kind, arms in ARMS.items() for init in INITS for arm in arms)


def initial(kind: str, init: str, arm: str, seed: int, parts: Data, settings: Settings) -> Sequential:
    """The network before training: the same weights in all arms, which differ in where they normalize, and how."""
    sizes, gain = (parts.features, *settings.hidden, 10), GOOD[kind] * INITS[init]
    net = mlp(sizes, np.random.default_rng(seed), activation=ACTIVATIONS[kind], gain=gain)
    layers: list[Layer] = []
    for linear, activation in zip(net.layers[:-1:2], net.layers[1::2], strict=True):
        width = len(linear.weight)  # type: ignore[attr-defined]
        kinds: dict[str, type[BatchNorm]] = {"bn": BatchNorm, "gamma = 1": FixedGamma}
        before = [kinds[arm](width)] if arm in kinds else []
        after = [BatchNorm(width)] if arm == "after" else []
        layers += [linear, *before, activation, *after]
    return Sequential(*layers, net.layers[-1])


def bounded(net: Sequential, x: Array) -> Array:
    """Every activation's output on a batch, a sigmoid's stretched to (-1, 1) as 2 y - 1: (layers, N, units).

    With the statistics of x, as in training; the network stays as it was.
    """
    net = deepcopy(net)
    outputs = zip(net.layers, net.outputs(x, training=True), strict=True)
    found = [y if isinstance(layer, Tanh) else 2 * y - 1 for layer, y in outputs if isinstance(layer, Tanh | Sigmoid)]
    return np.array(found)


def saturated(y: Array) -> Array:
    """Which outputs of :func:`bounded` are saturated."""
    beyond: Array = np.abs(y) > SATURATED
    return beyond


def slopes(y: Array) -> Array:
    """The activation's slope over its largest, 1 - y²: for a sigmoid stretched to 2 y - 1 the same as for tanh."""
    relative: Array = 1 - y * y
    return relative


def fitted(net: Sequential, rate: float, seed: int, parts: Data, settings: Settings, after_step: Any = None) -> Array:
    """Train a network at a rate, with the seed's batches: its losses."""
    order = np.random.default_rng(seed + 1)
    x, labels, optimizer = parts.train.x, parts.train.labels, SGD(net.parameters(), rate)
    return fit(
        net, x, labels, optimizer, steps=settings.steps, batch_size=settings.batch, rng=order, after_step=after_step
    )


def tune(settings: Settings) -> dict[str, Any]:
    """The best rate of each arm, by the loss on validation data after training."""

    def score(case: tuple[str, str, str], rate: float, seed: int) -> float:
        parts = data("digits", seed)
        net = initial(*case, seed, parts, settings)
        losses = fitted(net, rate, seed, parts, settings)
        loss = softmax_cross_entropy(net.forward(parts.validation.x, False), parts.validation.labels)[0]
        return -min(float(loss), GUESSING) if np.isfinite(losses[-1]) else -GUESSING

    grid = half_octaves(*settings.exponents)
    return {", ".join(c): tuned(lambda rate, seed, c=c: score(c, rate, seed), grid).plain() for c in CASES}  # type: ignore[misc]


def watched(case: tuple[str, str, str], rate: float, seed: int, parts: Data, settings: Settings) -> Values:
    """Train an arm and count its saturated activations, on validation data, at the start and every so many steps."""
    net, x = initial(*case, seed, parts, settings), parts.validation.x
    looks: list[Array] = []

    def look(step: int, loss: float) -> None:
        if (step + 1) % settings.every == 0:
            looks.append(bounded(net, x))

    look(-1, np.nan)
    losses = fitted(net, rate, seed, parts, settings, look)
    first, last = saturated(looks[0]), saturated(looks[-1])
    gammas = [np.abs(layer.gamma).mean() for layer in net.layers if isinstance(layer, BatchNorm)]
    found: Values = {
        "share": [100 * saturated(one).mean() for one in looks],
        "by_layer": 100 * last.mean(axis=(1, 2)),
        "slope": [slopes(one).mean() for one in looks],
        "stuck": 100 * last[first].mean() if first.any() else 0.0,
        "gamma": gammas,
        "final_loss": losses[-20:].mean(),
        "accuracy": accuracy(net, parts.test.x, parts.test.labels),
    }
    return {name: np.round(value, 4) for name, value in found.items()}


def trial(seed: int, settings: Settings, found: Any) -> Values:
    """Share of saturated activations after training, without batch normalization minus with it, in points."""
    parts = data("digits", seed)
    runs = {", ".join(c): watched(c, found[", ".join(c)]["rate"], seed, parts, settings) for c in CASES}
    settings_of = ((f"{kind}, {init}") for kind in ARMS for init in INITS)
    effects = {s: float(runs[f"{s}, plain"]["share"][-1] - runs[f"{s}, bn"]["share"][-1]) for s in settings_of}
    return {"effects": effects, **runs}


EXPERIMENT = Experiment(
    name="saturation",
    title="No stuck saturation of sigmoid and tanh",
    page="evidence/saturation",
    claim="Batch normalization prevents sigmoid and tanh from getting stuck in saturation.",
    prediction=(
        "From an initialization that is ten times too large, yes, by tens of points: the scale of the weights is "
        "divided out before the activation sees it. From a good one there is little to prevent, and gamma is free to "
        "push units outwards, so the difference stays below five points, or turns against the claim. In part, then."
    ),
    primary=Primary(
        quantity=(
            "share of saturated activations (less than 2 % of the largest slope left) after training, over all hidden "
            "layers, without batch normalization minus with it before the activation"
        ),
        scale=Scale.DIFFERENCE,
        smallest=5.0,
        settings=("tanh, good init", "tanh, large init", "sigmoid, good init", "sigmoid, large init"),
        unit=" points",
    ),
    trial=trial,
    tune=tune,
    full=Settings(),
    reduced=Settings(hidden=(12, 12), steps=8, every=4),
    seeds=12,
)
