"""Which statistics should inference use? Running averages, as textbooks say, or those of the batch it looks at?

One network, trained once, is asked twice: with the averages it kept and with the statistics of each test batch. The
test examples come one at a time, as in training, sorted by class, or from another camera.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..datasets import split, standardize
from ..functional._arrays import Array
from ..nn import SGD, BatchNorm, Sequential, accuracy, fit
from .arms import Data, Part, data, half_octaves, mlp, tuned, whole
from .experiment import Experiment, Primary, Scale, Values


@dataclass(frozen=True)
class Settings:
    """How a run is made."""

    hidden: tuple[int, ...] = (100, 100)
    batch: int = 64
    """Examples in a batch, in training and at test time."""
    steps: int = 300
    contrast: float = 0.5
    """What the other camera multiplies every pixel by."""
    brightness: float = 0.25
    """And what it adds, in units of the largest pixel value."""
    exponents: tuple[float, float] = (-6, 3)
    """The grid of rates: half octaves from 2^-6 to 2^3."""
    weights: tuple[float, ...] = (0.001, 0.01, 0.1, 1.0)
    """Of the new value in the running averages that are compared."""
    momentum_rate: float = 0.25
    """The learning rate of that comparison: the statistics are on trial there, not the networks."""
    deep: tuple[int, ...] = (50, 50, 50, 50, 50)
    """A deeper network, whose weights start smaller: its statistics start far from (0, 1)."""
    small_gain: float = 0.1 * 2**0.5
    looks: tuple[int, ...] = (10, 20, 50, 100, 200, 300)
    """Steps after which they are compared."""
    sizes: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 128)
    """Of test batches."""
    classes: tuple[int, ...] = (1, 2, 5, 10)
    """In a test batch."""
    strengths: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
    """Of the other camera: 0 is none, 1 the one above."""
    noise: float = 1.0
    """Deviation of white noise on the test images, in units of the data's deviation: a shift that is not affine."""


SETS = ("digits", "digits1d")
CASES = ("one at a time", "same distribution", "label shift", "input shift")


def norms(net: Sequential) -> list[BatchNorm]:
    """The batch normalization layers of a network."""
    return [layer for layer in net.layers if isinstance(layer, BatchNorm)]


def by_batch(net: Sequential, part: Part, size: int) -> float:
    """Accuracy with the statistics of each test batch. Alone in its batch an example is its own mean: x_hat is 0."""
    if size > 1:
        return accuracy(net, part.x, part.labels, batch_size=size, training=True)
    blind = deepcopy(net)
    for layer in norms(blind):
        layer.gamma[...] = 0.0  # y = beta, as with x_hat = 0
    return accuracy(blind, part.x, part.labels)


def gain(net: Sequential, part: Part, size: int) -> float:
    """What running statistics are worth here: accuracy with them minus that with the batch's own, in points."""
    return 100 * (accuracy(net, part.x, part.labels) - by_batch(net, part, size))


def whole_batches(part: Part, size: int) -> Part:
    """Without the last examples that make no whole batch."""
    count = len(part.x) // size * size
    return Part(part.x[:count], part.labels[:count])


def by_class(part: Part) -> Part:
    """The examples sorted by class: each batch then holds one to three classes of ten."""
    order = np.argsort(part.labels, kind="stable")
    return Part(part.x[order], part.labels[order])


def other_camera(name: str, seed: int, contrast: float, brightness: float) -> Part:
    """The test part of a data set, photographed with less contrast and more light, standardized as ever."""
    x, labels = whole(name)
    train, _, test = split(len(x), seed)
    return Part(standardize(x[train], contrast * x[test] + brightness * np.max(x))[1], labels[test])


class Averages:
    """Running averages of one training run with several weights of the new value, for each layer (mean, variance).

    Training does not read them, so one run serves every weight. The layers' own weight must be 1: then their running
    statistics are those of the last batch.
    """

    def __init__(self, weights: Sequence[float]) -> None:
        self.kept: dict[float, list[tuple[Array, Array]]] = {weight: [] for weight in weights}

    def take_in(self, layers: Sequence[BatchNorm]) -> None:
        """Average in the batch that the layers saw last."""
        for weight, kept in self.kept.items():
            old = kept or [(np.zeros_like(one.beta), np.ones_like(one.gamma)) for one in layers]
            self.kept[weight] = [
                ((1 - weight) * mean + weight * one.running_mean, (1 - weight) * var + weight * one.running_var)
                for (mean, var), one in zip(old, layers, strict=True)
            ]


def with_statistics(net: Sequential, statistics: Sequence[tuple[Array, Array]]) -> Sequential:
    """A copy of a network with other running means and variances, layer by layer."""
    copy = deepcopy(net)
    for layer, (mean, var) in zip(norms(copy), statistics, strict=True):
        layer.running_mean, layer.running_var = mean.copy(), var.copy()
    return copy


def precise(net: Sequential, x: Array) -> Sequential:
    """A copy with the statistics of all training examples, computed once the weights no longer move."""
    copy = deepcopy(net)
    for layer in norms(copy):
        layer.momentum = 1.0
    copy.forward(x, training=True)
    return copy


def network(
    parts: Data, hidden: Sequence[int], seed: int, *, momentum: float = 0.1, gain: float = 2**0.5
) -> Sequential:
    """A network with batch normalization on its hidden layers, untrained."""

    def norm(features: int) -> BatchNorm:
        return BatchNorm(features, momentum=momentum)

    return mlp((parts.features, *hidden, 10), np.random.default_rng(seed), norm=norm, gain=gain)


def train(net: Sequential, rate: float, seed: int, parts: Data, settings: Settings, watch: Any = None) -> Array:
    """All steps; gives the losses. ``watch(steps)`` looks on after each."""
    return fit(
        net,
        parts.train.x,
        parts.train.labels,
        SGD(net.parameters(), rate),
        steps=settings.steps,
        batch_size=settings.batch,
        rng=np.random.default_rng(seed + 1),
        after_step=None if watch is None else (lambda step, _: watch(step + 1)),
    )


def tune(settings: Settings) -> dict[str, Any]:
    """The best rate on each data set, by validation accuracy, averaged over both kinds of statistics."""

    def score(name: str, rate: float, seed: int) -> float:
        parts = data(name, seed)
        net = network(parts, settings.hidden, seed)
        losses = train(net, rate, seed, parts, settings)
        part = parts.validation
        if not np.isfinite(losses[-1]):
            return -1.0
        return (accuracy(net, part.x, part.labels) + by_batch(net, part, settings.batch)) / 2

    grid = half_octaves(*settings.exponents)
    return {name: tuned(lambda rate, seed, n=name: score(n, rate, seed), grid).plain() for name in SETS}  # type: ignore[misc]


def effects(net: Sequential, name: str, seed: int, settings: Settings) -> dict[str, float]:
    """In every case, accuracy with running statistics minus with the batch's, in points."""
    test = data(name, seed).test
    camera = other_camera(name, seed, settings.contrast, settings.brightness)
    cases = ((test, 1), (test, settings.batch), (by_class(test), settings.batch), (camera, settings.batch))
    return {case: gain(net, part, size) for case, (part, size) in zip(CASES, cases, strict=True)}


def trained(name: str, seed: int, settings: Settings, found: Any) -> Sequential:
    """The network of a trial."""
    parts = data(name, seed)
    net = network(parts, settings.hidden, seed)
    train(net, found[name]["rate"], seed, parts, settings)
    return net


def trial(seed: int, settings: Settings, found: Any) -> Values:
    """One network for each data set, asked with both kinds of statistics; on digits also what explains the answers."""
    nets = {name: trained(name, seed, settings, found) for name in SETS}
    every = {name: effects(net, name, seed, settings) for name, net in nets.items()}
    net, parts = nets["digits"], data("digits", seed)
    return {
        "effects": every["digits"],
        "other": every["digits1d"],
        "accuracy": {
            name: accuracy(nets[name], data(name, seed).test.x, data(name, seed).test.labels) for name in SETS
        },
        "size": [by_batch(net, whole_batches(parts.test, size), size) for size in settings.sizes],
        "camera": camera_curve(net, seed, settings),
        "noise": noisy(net, seed, parts.test, settings),
        "classes": [few_classes(net, parts.test, count, settings.batch) for count in settings.classes],
        "momentum": momentum_curves(settings.hidden, 2**0.5, seed, settings),
        "momentum far": momentum_curves(settings.deep, settings.small_gain, seed, settings),
    }


def camera_curve(net: Sequential, seed: int, settings: Settings) -> dict[str, list[float]]:
    """Exploratory: accuracy with both kinds of statistics as the other camera's strength grows."""
    curves: dict[str, list[float]] = {"running": [], "batch": []}
    for strength in settings.strengths:
        contrast = 1 + strength * (settings.contrast - 1)
        part = other_camera("digits", seed, contrast, strength * settings.brightness)
        curves["running"].append(accuracy(net, part.x, part.labels))
        curves["batch"].append(by_batch(net, part, settings.batch))
    return curves


def noisy(net: Sequential, seed: int, test: Part, settings: Settings) -> dict[str, float]:
    """Exploratory: accuracy under white noise, a shift that no scale and shift undoes."""
    noise = np.random.default_rng(seed + 2).normal(0.0, settings.noise, test.x.shape)
    part = Part(test.x + noise, test.labels)
    return {"running": accuracy(net, part.x, part.labels), "batch": by_batch(net, part, settings.batch)}


def few_classes(net: Sequential, test: Part, count: int, size: int) -> float:
    """Exploratory: accuracy with the batch's statistics when a batch holds so many classes of the ten, in equal parts.

    All cases have batches of the same size, drawn with replacement, so that only the classes differ.
    """
    rng = np.random.default_rng(0)
    right = []
    for first in range(0, 10, count):
        members = np.flatnonzero((test.labels >= first) & (test.labels < first + count))
        for _ in range(count):
            chosen = rng.choice(members, size)
            right.append(by_batch(net, Part(test.x[chosen], test.labels[chosen]), size))
    return float(np.mean(right))


def momentum_curves(hidden: Sequence[int], gain: float, seed: int, settings: Settings) -> dict[str, list[float]]:
    """Exploratory: test accuracy as training goes on, with averages of several weights and with precise statistics."""
    parts = data("digits", seed)
    test, averages = parts.test, Averages(settings.weights)
    net = network(parts, hidden, seed, momentum=1.0, gain=gain)
    curves: dict[str, list[float]] = {name: [] for name in (*map(str, settings.weights), "precise")}

    def watch(steps: int) -> None:
        averages.take_in(norms(net))
        if steps not in settings.looks:
            return
        asked = {str(weight): with_statistics(net, kept) for weight, kept in averages.kept.items()}
        asked["precise"] = precise(net, parts.train.x)
        for name, one in asked.items():
            curves[name].append(accuracy(one, test.x, test.labels))

    train(net, settings.momentum_rate, seed, parts, settings, watch)
    return curves


EXPERIMENT = Experiment(
    name="inference",
    title="Running averages at inference",
    page="evidence/inference",
    claim=(
        "At inference, batch normalization must use the running averages of training: the statistics of a test batch "
        "are not meaningful."
    ),
    prediction=(
        "One at a time, the batch's statistics leave no signal, so accuracy falls to that of guessing and running "
        "averages win by 80 points or more. In batches drawn as in training both are within 2 points. Sorted by class "
        "the running averages win by 20 points or more, for the batch's mean takes away what tells its class. With the "
        "other camera they lose by 20 points or more: the first layer's batch statistics undo any contrast and "
        "brightness, but for eps. So we expect the rule to say contested."
    ),
    primary=Primary(
        quantity="test accuracy with running statistics minus with the test batch's own",
        scale=Scale.DIFFERENCE,
        smallest=2.0,
        settings=CASES,
        unit=" points",
    ),
    trial=trial,
    tune=tune,
    full=Settings(),
    reduced=Settings(
        hidden=(30,), deep=(20, 20), steps=40, looks=(10, 40), sizes=(1, 2, 32), strengths=(0.0, 1.0), exponents=(-4, 3)
    ),
)
