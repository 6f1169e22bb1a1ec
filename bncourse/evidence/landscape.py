"""Is the loss smoother with batch normalization: does the gradient change less along a step?

Weights before batch normalization have no scale of their own: ten times as large, they give the same function and a
hundredth of the curvature. So each weight matrix is measured in units of its own norm, in both arms, and a step has a
length relative to that. Exploratory: the loss along the step, and each quantity against the loss where it was taken.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..functional._arrays import Array
from ..nn import SGD, BatchNorm, Layer, ReLU, Sequential, Sigmoid, accuracy, fit, softmax_cross_entropy
from .arms import Data, Part, data, half_octaves, mlp, tuned
from .experiment import Experiment, Primary, Scale, Values


@dataclass(frozen=True)
class Settings:
    """How a run is made."""

    hidden: tuple[int, ...] = (100, 100)
    batch: int = 64
    steps: int = 160
    every: int = 20
    """Steps between two looks at the landscape; the first is before the first step."""
    looked_at: int = 256
    """Training examples on which the loss is looked at, always the same."""
    lengths: tuple[float, ...] = tuple(2.0**exponent for exponent in range(-6, 0))
    """Of the steps along the gradient, where each weight matrix has length 1."""
    closer: tuple[float, ...] = tuple(2.0**exponent for exponent in range(-10, -6))
    """Shorter ones, about as long as training's own steps: exploratory, added when the first run showed those."""
    exponents: tuple[float, float] = (-6, 7)
    """The grid of rates: half octaves from 2^-6 to 2^7."""


ARMS = {"plain": None, "bn": BatchNorm}
ACTIVATIONS: dict[str, tuple[Callable[[], Layer], float]] = {"relu": (ReLU, 2**0.5), "sigmoid": (Sigmoid, 1.0)}
"""With the gain of the initial weights that is usual for each."""


def weights(net: Sequential) -> list[Array]:
    """The weight matrices, which both arms have; biases, γ and β stay where they are."""
    return [one.value for one in net.parameters() if one.name == "weight"]


def loss_and_gradient(net: Sequential, part: Part, units: list[float]) -> tuple[float, Array]:
    """The loss in training mode, and its gradient by the weights in these units, as one vector."""
    loss, dlogits = softmax_cross_entropy(net.forward(part.x, training=True), part.labels)
    net.backward(dlogits)
    gradients = [one.gradient for one in net.parameters() if one.name == "weight"]
    return float(loss), np.concatenate([unit * one.ravel() for unit, one in zip(units, gradients, strict=True)])


def along_the_gradient(net: Sequential, part: Part, lengths: tuple[float, ...], *, relative: bool = True) -> Values:
    """What a step against the gradient meets, length by length; the network itself stays as it is.

    relative: weights, and so lengths and gradients, in units of each matrix' norm; otherwise as they are. ``usual`` is
    the length, in these units, of a training step of learning rate 1.
    """
    net = deepcopy(net)
    moved = weights(net)
    start = [one.copy() for one in moved]
    units = [float(np.linalg.norm(one)) if relative else 1.0 for one in start]
    loss, gradient = loss_and_gradient(net, part, units)
    size = float(np.linalg.norm(gradient))
    ends = np.cumsum([one.size for one in start])[:-1]
    by_layer = np.split(gradient, ends)
    direction = [one.reshape(old.shape) / size for one, old in zip(by_layer, start, strict=True)]
    usual = float(np.linalg.norm([np.linalg.norm(one) / unit**2 for one, unit in zip(by_layer, units, strict=True)]))
    losses, changes = [], []
    for length in lengths:
        for one, old, unit, along in zip(moved, start, units, direction, strict=True):
            one[...] = old - length * unit * along
        there, turned = loss_and_gradient(net, part, units)
        losses.append(there)
        changes.append(float(np.linalg.norm(turned - gradient)))
    return {"loss": loss, "gradient": size, "usual": usual, "losses": losses, "changes": changes}


def train(
    activation: str, arm: str, rate: float, seed: int, parts: Data, settings: Settings, *, look: bool = True
) -> tuple[Sequential, Array, list[Values]]:
    """A network, its losses, its landscape on the way. Both arms: the same weights, the same batches.

    A run that diverges is looked at until it does.
    """
    made, gain = ACTIVATIONS[activation]
    sizes = (parts.features, *settings.hidden, 10)
    net = mlp(sizes, np.random.default_rng(seed), norm=ARMS[arm], activation=made, gain=gain)
    x, labels = parts.train.x, parts.train.labels
    part = Part(x[: settings.looked_at], labels[: settings.looked_at])
    lengths = settings.closer + settings.lengths
    looks = [along_the_gradient(net, part, lengths)] if look else []

    def after(step: int, loss: float) -> None:
        if look and (step + 1) % settings.every == 0:
            looks.append(along_the_gradient(net, part, lengths))

    optimizer, order = SGD(net.parameters(), rate), np.random.default_rng(seed + 1)
    losses = fit(
        net, x, labels, optimizer, steps=settings.steps, batch_size=settings.batch, rng=order, after_step=after
    )
    return net, losses, looks


def tune(settings: Settings) -> dict[str, Any]:
    """The best rate of each arm with each activation, by validation accuracy after the same number of steps."""

    def score(activation: str, arm: str, rate: float, seed: int) -> float:
        parts = data("digits", seed)
        net, losses, _ = train(activation, arm, rate, seed, parts, settings, look=False)
        diverged = not np.isfinite(losses[-1])
        return -1.0 if diverged else accuracy(net, parts.validation.x, parts.validation.labels)

    grid = half_octaves(*settings.exponents)
    return {
        f"{name} {arm}": tuned(lambda rate, seed, n=name, a=arm: score(n, a, rate, seed), grid).plain()  # type: ignore[misc]
        for name in ACTIVATIONS
        for arm in ARMS
    }


def smoothness(look: Mapping[str, Any], lengths: tuple[float, ...]) -> float:
    """The largest change of the gradient per length, over these lengths: effective β of Santurkar et al. 2018."""
    return float(np.max(np.array(look["changes"][-len(lengths) :]) / lengths))


def trial(seed: int, settings: Settings, found: Any) -> Values:
    """Effective smoothness along training, both arms at their tuned rates, for both activations."""
    values: Values = {"effects": {}, "beta": {}, "seen": {}}
    parts = data("digits", seed)
    for name in ACTIVATIONS:
        runs = {arm: train(name, arm, found[f"{name} {arm}"]["rate"], seed, parts, settings) for arm in ARMS}
        beta = {arm: [smoothness(look, settings.lengths) for look in looks] for arm, (_, _, looks) in runs.items()}
        values["effects"][name] = np.mean(np.log(beta["plain"])) - np.mean(np.log(beta["bn"]))
        values["beta"][name] = {arm: few_digits(one) for arm, one in beta.items()}
        values["seen"][name] = {
            arm: exploratory(*run, found[f"{name} {arm}"]["rate"], parts, settings) for arm, run in runs.items()
        }
    return values


def exploratory(
    net: Sequential, losses: Array, looks: list[Values], rate: float, parts: Data, settings: Settings
) -> Values:
    """Beside the primary outcome: look by look the loss, its range along the step, the length of a training step.

    And for each length, in the geometric mean of all looks: change of the gradient per length, and per gradient.
    """
    changes = np.log([look["changes"] for look in looks])
    gradients = np.log([[look["gradient"]] for look in looks])
    declared = len(settings.lengths)
    return {
        "loss": few_digits([look["loss"] for look in looks]),
        "range": few_digits([np.ptp([look["loss"], *look["losses"][-declared:]]) for look in looks]),
        "step": few_digits([rate * look["usual"] for look in looks]),
        "change": few_digits(np.exp(changes.mean(axis=0)) / (settings.closer + settings.lengths)),
        "turn": few_digits(np.exp((changes - gradients).mean(axis=0))),
        "accuracy": accuracy(net, parts.test.x, parts.test.labels),
        "diverged": not np.isfinite(losses[-1]),
    }


def few_digits(values: Any) -> list[float]:
    """Four significant digits: enough for a figure."""
    return [float(f"{value:.4g}") for value in values]


EXPERIMENT = Experiment(
    name="landscape",
    title="A smoother landscape",
    page="evidence/landscape",
    claim="Batch normalization makes the optimization landscape smoother.",
    prediction=(
        "With ReLU the gradient changes several times less along a step of the same relative length, because nothing "
        "without batch normalization stops logits from growing with the product of the weights. With sigmoid, which "
        "bounds every signal by itself, it changes about as much, or a little more: in part, therefore. The range of "
        "the loss along the step is smaller with batch normalization by more than the change of the gradient is."
    ),
    primary=Primary(
        quantity=(
            "effective smoothness β, the largest change of the gradient per length of a step along it, relative to the "
            "weights: without batch normalization, over with; geometric mean along training"
        ),
        scale=Scale.RATIO,
        smallest=1.5,
        settings=tuple(ACTIVATIONS),
    ),
    trial=trial,
    tune=tune,
    full=Settings(),
    reduced=Settings(hidden=(20,), steps=20, every=10, looked_at=64, exponents=(-3, 4)),
)
