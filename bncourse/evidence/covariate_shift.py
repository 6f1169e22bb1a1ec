"""Does batch normalization reduce internal covariate shift, and does it matter?

The 2015 paper means the drift of a layer's inputs, the 2018 paper the change of a layer's gradient when the layers
below take their step; both are measured here, along the same training. Exploratory: accuracy along the way, the inputs
before they are normalized, cosines, and what training suffers when noise puts the shift back behind the normalization.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..functional._arrays import Array
from ..nn import SGD, BatchNorm, Layer, Linear, ReLU, Sequential, Sigmoid, accuracy, fit, softmax_cross_entropy
from .arms import Data, Normalization, data, half_octaves, mlp, tuned
from .experiment import Experiment, Primary, Scale, Values

GUESSING = float(np.log(10))
"""The loss of one who guesses: a rate that ends above it, or diverges, is as bad as any other such rate."""


@dataclass(frozen=True)
class Settings:
    """How a run is made."""

    hidden: tuple[int, ...] = (100, 100, 100)
    """As in the 2015 paper's figure 1, and its batch of 60."""
    batch: int = 60
    steps: int = 200
    every: int = 20
    """Steps from one look to the next."""
    exponents: tuple[float, float] = (-4, 4)
    """The grid of rates: half octaves from 2^-4 to 2^4."""


@dataclass(frozen=True)
class Network:
    """What is trained on what."""

    data: str
    activation: Callable[[], Layer]
    gain: float


NETWORKS = {
    # The 2015 paper's figure 1: sigmoids, "small" initial weights, easy digits.
    "sigmoid": Network("digits", Sigmoid, 1.0),
    # Nearer to the 2018 paper's: ReLU, and data that such a network does not learn by heart within a few epochs.
    "ReLU": Network("digits1d", ReLU, 2**0.5),
}


class NoisyBatchNorm(BatchNorm):
    """Batch normalization whose output is disturbed: y → s y + m, with s and m drawn anew in every step.

    After Santurkar et al. 2018, section 2.1. In each training step every unit gets its own m, uniform in (-1, 1),
    and s, uniform in (1, 2); each sample's own values lie around them with deviation 1/4. Evaluation uses their
    expectations, s = 3/2 and m = 0. So what the activation is given jumps from step to step.
    """

    def __init__(self, num_features: int, rng: np.random.Generator) -> None:
        super().__init__(num_features)
        self.rng = rng

    def forward(self, x: ArrayLike, training: bool) -> Array:
        """(N, D) -> (N, D)."""
        y = super().forward(x, training)
        self.scale: Array = np.array(1.5)
        if not training:
            return self.scale * y
        self.scale, shift = (
            self.rng.uniform(low, high, y.shape[1]) + self.rng.normal(0, 0.25, y.shape)
            for low, high in ((1, 2), (-1, 1))
        )
        disturbed: Array = self.scale * y + shift
        return disturbed

    def backward(self, dy: ArrayLike) -> Array:
        """∂L/∂x (N, D): the noise does not depend on x."""
        return super().backward(np.asarray(dy) * self.scale)


ARMS = {"sigmoid": ("plain", "bn", "noisy"), "ReLU": ("plain", "bn")}


def initial(kind: str, arm: str, seed: int, parts: Data, settings: Settings) -> Sequential:
    """The network before training: the same weights in all arms."""
    one, sizes, noise = NETWORKS[kind], (parts.features, *settings.hidden, 10), np.random.default_rng(seed + 3)
    norms: dict[str, Normalization | None] = {
        "plain": None,
        "bn": BatchNorm,
        "noisy": lambda features: NoisyBatchNorm(features, noise),
    }
    return mlp(sizes, np.random.default_rng(seed), norm=norms[arm], activation=one.activation, gain=one.gain)


def percentiles(net: Sequential, x: Array) -> tuple[Array, Array]:
    """The 15th, 50th and 85th of the last activation's inputs (3, units), and of the same before normalization.

    With the statistics of x, as in training; the network stays as it was.
    """
    net = deepcopy(net)
    outputs = net.outputs(x, training=True)
    layers = [n for n, layer in enumerate(net.layers) if isinstance(layer, Linear)]
    before, after = layers[-2], layers[-1] - 2  # the last hidden linear layer, and what the activation is given
    return np.percentile(outputs[after], (15, 50, 85), axis=0), np.percentile(outputs[before], (15, 50, 85), axis=0)


def drift(looks: list[Array]) -> Array:
    """How far the percentiles move from one look to the next, in half distances of the outer two: (looks - 1,).

    The mean over the three percentiles and all units. Half that distance is about one standard deviation.
    """
    each = np.array(looks)  # (looks, 3, units)
    spread = (each[:, 2] - each[:, 0]) / 2
    moved: Array = (np.abs(np.diff(each, axis=0)).mean(axis=1) / ((spread[1:] + spread[:-1]) / 2)).mean(axis=1)
    return moved


def gradient_shift(net: Sequential, x: Array, labels: Array, rate: float) -> tuple[Array, Array]:
    r"""Of every linear layer above the first: what a step of the layers below does to its gradient on the same batch.

    Santurkar et al. 2018, definition 2.1: G and G' are ∂L/∂W of a layer before and after the layers below it, and only
    those, have taken a step of SGD. Gives :math:`\|G' - G\| / \|G\|` and the cosine of G and G', both (layers - 1,).
    The network stays as it was.
    """
    net = deepcopy(net)
    linear = [n for n, layer in enumerate(net.layers) if isinstance(layer, Linear)]

    def gradients() -> list[Array]:
        net.backward(softmax_cross_entropy(net.forward(x, training=True), labels)[1])
        return [net.layers[n].dweight for n in linear]  # type: ignore[attr-defined]

    first = gradients()
    steps = [[(one.value, rate * one.gradient) for one in layer.parameters()] for layer in net.layers]
    sizes, cosines = [], []
    for level, (start, end) in enumerate(pairwise(linear), start=1):
        for value, step in (pair for below in steps[start:end] for pair in below):
            value -= step
        before, after = first[level], gradients()[level]
        size = np.linalg.norm(before)
        sizes.append(np.linalg.norm(after - before) / size)
        cosines.append(np.vdot(before, after) / (size * np.linalg.norm(after)))
    return np.array(sizes), np.array(cosines)


@dataclass
class Run:
    """One training and what was seen on the way: at the start and every so many steps."""

    losses: Array = field(default_factory=lambda: np.empty(0))
    accuracies: list[float] = field(default_factory=list)
    """On test data."""
    inputs: list[Array] = field(default_factory=list)
    """Percentiles of the last activation's inputs."""
    before: list[Array] = field(default_factory=list)
    """The same before normalization."""
    shift: list[Array] = field(default_factory=list)
    """Relative change of the gradients; not at the start."""
    cosine: list[Array] = field(default_factory=list)
    shift_small: list[Array] = field(default_factory=list)
    """As ``shift``, but for a step as small as the plain network's."""


def watched(kind: str, arm: str, found: Any, seed: int, parts: Data, settings: Settings) -> Run:
    """Train an arm at its tuned rate and look at it every so many steps."""
    net = initial(kind, arm, seed, parts, settings)
    rate, small = found[f"{kind} {arm}"]["rate"], found[f"{kind} plain"]["rate"]
    run, drawn = Run(), np.random.default_rng(seed + 2)

    def look(step: int, loss: float) -> None:
        if (step + 1) % settings.every:
            return
        run.accuracies.append(accuracy(net, parts.test.x, parts.test.labels))
        inputs, before = percentiles(net, parts.validation.x)
        run.inputs.append(inputs)
        run.before.append(before)
        if step >= 0 and arm != "noisy":  # whose noise would be another one in the second gradient
            chosen = drawn.choice(len(parts.train.x), settings.batch, replace=False)
            batch = parts.train.x[chosen], parts.train.labels[chosen]
            shift, cosine = gradient_shift(net, *batch, rate)
            run.shift.append(shift)
            run.cosine.append(cosine)
            run.shift_small.append(gradient_shift(net, *batch, small)[0])

    look(-1, np.nan)
    run.losses = fitted(net, rate, seed, parts, settings, look)
    return run


def fitted(
    net: Sequential,
    rate: float,
    seed: int,
    parts: Data,
    settings: Settings,
    after_step: Callable[[int, float], Any] | None = None,
) -> Array:
    """Train a network at a rate, with the seed's batches: its losses."""
    order = np.random.default_rng(seed + 1)
    x, labels, optimizer = parts.train.x, parts.train.labels, SGD(net.parameters(), rate)
    return fit(
        net, x, labels, optimizer, steps=settings.steps, batch_size=settings.batch, rng=order, after_step=after_step
    )


def tune(settings: Settings) -> dict[str, Any]:
    """The best rate of each arm of each network, by the loss on validation data after training."""

    def score(kind: str, arm: str, rate: float, seed: int) -> float:
        parts = data(NETWORKS[kind].data, seed)
        net = initial(kind, arm, seed, parts, settings)
        losses = fitted(net, rate, seed, parts, settings)
        loss = softmax_cross_entropy(net.forward(parts.validation.x, False), parts.validation.labels)[0]
        return -min(float(loss), GUESSING) if np.isfinite(losses[-1]) else -GUESSING

    grid = half_octaves(*settings.exponents)
    return {
        f"{kind} {arm}": tuned(lambda rate, seed, k=kind, a=arm: score(k, a, rate, seed), grid).plain()  # type: ignore[misc]
        for kind, arms in ARMS.items()
        for arm in arms
    }


def mean_log_ratio(over: ArrayLike, under: ArrayLike) -> float:
    """The mean of log(over / under) over the looks (and layers) that both arms have: all, unless one diverged."""
    length = min(len(np.asarray(over)), len(np.asarray(under)))
    return float(np.mean(np.log(np.asarray(over)[:length] / np.asarray(under)[:length])))


def trial(seed: int, settings: Settings, found: Any) -> Values:
    """Drift of inputs and change of gradients, without batch normalization over with, in both networks."""
    values: Values = {"effects": {}}
    for kind, arms in ARMS.items():
        parts = data(NETWORKS[kind].data, seed)
        runs = {arm: watched(kind, arm, found, seed, parts, settings) for arm in arms}
        plain, bn = runs["plain"], runs["bn"]
        values["effects"][f"inputs, {kind}"] = mean_log_ratio(drift(plain.inputs), drift(bn.inputs))
        values["effects"][f"gradients, {kind}"] = mean_log_ratio(plain.shift, bn.shift)
        values[kind] = {arm: explored(run) for arm, run in runs.items()}
    return values


def explored(run: Run) -> Values:
    """What the page shows of a run beside the primary outcome."""
    kept: Values = {
        "accuracy": run.accuracies,
        "final_loss": run.losses[-20:].mean(),
        "drift": drift(run.inputs),
        "drift_before": drift(run.before),
        "unit": np.array(run.inputs)[:, :, 0].T,  # (3, looks) of the first unit, as good as any
    }
    if run.shift:
        kept["shift"] = np.exp(np.log(run.shift).mean(axis=1))  # over the layers
        kept["shift_small"] = np.exp(np.log(run.shift_small).mean(axis=1))
        kept["cosine"] = np.mean(run.cosine, axis=1)
    return {name: np.round(value, 4) for name, value in kept.items()}


EXPERIMENT = Experiment(
    name="covariate_shift",
    title="Less internal covariate shift",
    page="evidence/covariate-shift",
    claim="Batch normalization reduces internal covariate shift.",
    prediction=(
        "It depends on what is called so. The inputs of the activations drift several times less, in both networks, "
        "nearly by construction: their mean is beta and their deviation |gamma|, and only these two can move. The "
        "gradients do not become steadier: when the layers below take their step, a layer's gradient changes at least "
        "as much as without, relative to its size, and clearly more in the sigmoid network. So: contested."
    ),
    primary=Primary(
        quantity=(
            "shift without batch normalization over shift with: of inputs, the drift of the percentiles of the last "
            "activation's inputs from look to look, in units of their spread; of gradients, their relative change "
            "when the layers below take a step"
        ),
        scale=Scale.RATIO,
        smallest=1.5,
        settings=("inputs, sigmoid", "inputs, ReLU", "gradients, sigmoid", "gradients, ReLU"),
    ),
    seeds=12,
    trial=trial,
    tune=tune,
    full=Settings(),
    reduced=Settings(hidden=(20, 20, 20), steps=20, every=10, exponents=(-3, 7)),
)
