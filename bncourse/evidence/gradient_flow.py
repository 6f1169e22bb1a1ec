"""Does batch normalization keep gradients from vanishing and exploding in deep networks, and do those then train?

The primary outcome is measured at initialization and needs no tuning. Exploratory: growth per layer in wide networks
against its theory, with and without residual connections; accuracy of 30 layers, at rates tuned on validation data.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..functional._arrays import Array
from ..nn import SGD, BatchNorm, Layer, Linear, ReLU, Residual, Sequential, accuracy, fit, softmax_cross_entropy
from .arms import Data, data, half_octaves, tuned
from .experiment import Experiment, Primary, Scale, Values


@dataclass(frozen=True)
class Settings:
    """How a run is made."""

    width: int = 64
    batch: int = 64
    depth: int = 20
    """Hidden layers of the primary outcome."""
    depths: tuple[int, ...] = (10, 20, 30, 50)
    wide: int = 200
    """Width at which growth per layer is measured, in networks without a task."""
    layers: int = 24
    samples: tuple[int, ...] = (4, 5, 8, 16, 32, 128, 512)
    """Batch sizes N at which it is."""
    trained_depth: int = 30
    trained_width: int = 30
    steps: int = 60
    exponents: tuple[float, float] = (-10, 2)
    """The grid of rates: half octaves from 2^-10 to 2^2."""


SMALL = 0.01
"""The deviation that weights were once drawn with whatever the layer's size."""
GAINS = {"small init": None, "He init": 2**0.5, "large init": 2 * 2**0.5}
"""Each weight's deviation is gain / √inputs, or for None ``SMALL``."""
LIMIT = float(np.pi / (np.pi - 1))
"""Growth of the squared gradient norm per layer of batch normalization and ReLU, as width and then N go to infinity."""


def deep(features: int, width: int, depth: int, rng: np.random.Generator, *, norm: bool, init: str) -> Sequential:
    """So many times linear, normalization (if any), ReLU, and a linear layer at the end: the same weights both ways."""
    gain, layers = GAINS[init], list[Layer]()
    for inputs in [features] + [width] * (depth - 1):
        layers.append(Linear(inputs, width, rng, gain=SMALL * inputs**0.5 if gain is None else gain))
        layers += [BatchNorm(width)] if norm else []
        layers.append(ReLU())
    return Sequential(*layers, Linear(width, 10, rng, gain=1.0))


def gradients(net: Sequential, x: Array, labels: Array) -> dict[str, Array]:
    r"""For each linear layer but the last the norm of ∂L/∂W, "raw", and that times the norm of W, "relative".

    The relative one is what a step in proportion to the weights feels: with normalization the raw one is as
    1/‖W‖, whatever the network does.
    """
    net.backward(softmax_cross_entropy(net.forward(x, training=True), labels)[1])
    linear = [layer for layer in net.layers if isinstance(layer, Linear)][:-1]
    raw = np.array([np.linalg.norm(layer.dweight) for layer in linear])
    return {"raw": raw, "relative": raw * [np.linalg.norm(layer.weight) for layer in linear]}


def growth(
    samples: int, width: int, depth: int, rng: np.random.Generator, *, relu: bool = True, residual: bool = False
) -> Array:
    """Factors (depth,) by which the squared norm of ∂L/∂(input) exceeds that of ∂L/∂(output), block by block.

    A block is linear, normalization and, maybe, ReLU, maybe around a residual connection; inputs and upstream gradient
    are normal numbers. No epsilon: with few samples some variances are tiny.
    """
    kind: Any = Residual if residual else Sequential
    blocks: list[Layer] = []
    for _ in range(depth):
        inside: Iterable[Layer] = [Linear(width, width, rng, bias=False, gain=1.0), BatchNorm(width, eps=0.0)]
        blocks.append(kind(*inside, *([ReLU()] if relu else [])))
    net = Sequential(*blocks)
    net.forward(rng.normal(size=(samples, width)), training=True)
    squares = np.array([np.sum(dx**2) for dx in net.gradients(rng.normal(size=(samples, width)))])
    factors: Array = squares[:-1] / squares[1:]
    return factors


def per_layer(factors: Array) -> float:
    """The geometric mean of growth factors, without the first and last layers, which the ends still disturb."""
    return float(np.exp(np.log(factors[3:-3]).mean()))


def linear_growth(samples: int) -> float:
    """What a linear network's growth per layer is in a wide network, (N-2)/(N-3), for N above 3."""
    return (samples - 2) / (samples - 3)


def residual_growth(block: Array) -> Array:
    r"""What it is in block l = 0, 1, ... with a residual connection, in wide networks at large N.

    The branch adds the variance of a ReLU, :math:`\tfrac12 - \tfrac{1}{2\pi}`, to the stream's, 1 at first, and sends
    back half of the gradient's square over the stream's variance.
    """
    grown: Array = 1 + 0.5 / (1 + block * (0.5 - 0.5 / np.pi))
    return grown


TRAINED = ("plain", "bn", "bn, residual")


def trained(arm: str, rate: float, seed: int, settings: Settings, parts: Data, init: str = "He init") -> Any:
    """A deep network after training; its losses. All arms: the same weights, the same batches."""
    rng, width = np.random.default_rng(seed), settings.trained_width
    net = deep(parts.features, width, settings.trained_depth, rng, norm=arm != "plain", init=init)
    if "residual" in arm:  # around each block but the first, which changes the number of features
        hidden = [net.layers[start : start + 3] for start in range(3, len(net.layers) - 1, 3)]
        net = Sequential(*net.layers[:3], *(Residual(*block) for block in hidden), net.layers[-1])
    x, labels, order = parts.train.x, parts.train.labels, np.random.default_rng(seed + 1)
    return net, fit(net, x, labels, SGD(net.parameters(), rate), steps=settings.steps, batch_size=64, rng=order)


def reached(arm: str, rate: float, seed: int, settings: Settings, part: str, init: str = "He init") -> float:
    """The accuracy after training, on the validation or the test part of digits; 0 after a divergence."""
    parts = data("digits", seed)
    net, losses = trained(arm, rate, seed, settings, parts, init)
    examples = getattr(parts, part)
    return accuracy(net, examples.x, examples.labels) if np.isfinite(losses[-1]) else 0.0


def tune(settings: Settings) -> dict[str, Any]:
    """The best rate of each arm at He's initialization."""
    grid = half_octaves(*settings.exponents)
    return {
        arm: tuned(lambda rate, seed, a=arm: reached(a, rate, seed, settings, "validation"), grid).plain()  # type: ignore[misc]
        for arm in TRAINED
    }


def trial(seed: int, settings: Settings, rates: Any) -> Values:
    """How many orders of magnitude the first layer's relative gradient is away from 1, without minus with."""
    part = data("digits", seed).train
    x, labels = part.x[: settings.batch], part.labels[: settings.batch]
    values: Values = {"effects": {}, "first": {}, "first over last": {}}
    for init in GAINS:
        first = values["first"][init] = {}
        for arm in ("plain", "bn"):
            for depth in settings.depths:
                rng = np.random.default_rng(seed)
                net = deep(x.shape[1], settings.width, depth, rng, norm=arm == "bn", init=init)
                norms = gradients(net, x, labels)
                first[f"{arm} {depth}"] = {kind: np.log10(found[0]) for kind, found in norms.items()}
            values["first over last"][f"{init}, {arm}"] = np.log10(norms["relative"][0] / norms["relative"][-1])
        plain, bn = (first[f"{arm} {settings.depth}"]["relative"] for arm in ("plain", "bn"))
        values["effects"][init] = abs(plain) - abs(bn)
    return values | wide_networks(seed, settings) | deep_training(seed, settings, rates)


def wide_networks(seed: int, settings: Settings) -> Values:
    """Growth per layer of the squared gradient norm at each batch size; block by block with residual connections."""

    def measured(samples: int, **kind: bool) -> Array:
        return growth(samples, settings.wide, settings.layers, np.random.default_rng(seed), **kind)

    sizes = settings.samples
    return {
        "growth": {
            "relu": [per_layer(measured(n)) for n in sizes],
            "linear": [per_layer(measured(n, relu=False)) for n in sizes],
        },
        "residual growth": measured(sizes[-1], residual=True),
    }


def deep_training(seed: int, settings: Settings, rates: Any) -> Values:
    """Test accuracy of the deep networks at their tuned rates; from small weights at the rate of He's."""
    arms = {f"He init, {arm}": (arm, "He init") for arm in TRAINED}
    arms |= {f"small init, {arm}": (arm, "small init") for arm in TRAINED}
    found = {k: reached(arm, rates[arm]["rate"], seed, settings, "test", init) for k, (arm, init) in arms.items()}
    return {"accuracy": found}


EXPERIMENT = Experiment(
    name="gradient_flow",
    title="Gradients that neither vanish nor explode",
    page="evidence/gradient-flow",
    claim="Batch normalization mitigates vanishing and exploding gradients, so much deeper networks can be trained.",
    prediction=(
        "In 20 layers of small weights (0.01) batch normalization brings the gradient from 1e-24 to within a thousand "
        "of 1, some 21 orders of magnitude; at twice He's weights it gains three or four. At He's own it makes things "
        "worse, by about one and a half: batch normalization and ReLU multiply the squared gradient by pi/(pi-1) = "
        "1.467 a layer, faster in small batches, whatever the weights. With residual connections the growth per block "
        "falls as 1 + 1.47/l. So 30 layers with batch normalization alone train little better than without, and well "
        "with residual connections."
    ),
    primary=Primary(
        quantity=(
            "orders of magnitude between the first layer's relative gradient and 1, in 20 layers at initialization, "
            "without batch normalization minus with"
        ),
        scale=Scale.DIFFERENCE,
        smallest=1.0,
        settings=tuple(GAINS),
        unit=" orders",
    ),
    trial=trial,
    tune=tune,
    seeds=12,
    full=Settings(),
    reduced=Settings(
        width=16,
        batch=16,
        depth=6,
        depths=(6,),
        wide=30,
        layers=8,
        samples=(5, 16),
        trained_depth=4,
        trained_width=12,
        steps=12,
        exponents=(-5, 4),
    ),
)
