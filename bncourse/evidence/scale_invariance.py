"""Does the scale of weights before batch normalization matter, and what is left of weight decay if it does not?

Three arms, equal but for what happens to the weights before batch normalization: nothing, weight decay, or instead of
decay the growing learning rate that theory calls the same thing. Exploratory: norms, the angle between weights and
gradient, weights ten times as large, accuracies, networks without batch normalization. And ReLU, where a difference
of one part in a million can lead two runs apart, whatever made it: so the primary outcome is taken with tanh.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..functional._arrays import Array
from ..nn import SGD, BatchNorm, Layer, Linear, ReLU, Sequential, Tanh, accuracy, fit, softmax_cross_entropy
from ..nn.layers import Parameter
from .arms import Data, data, mlp
from .experiment import Experiment, Primary, Scale, Values


@dataclass(frozen=True)
class Settings:
    """How a run is made."""

    hidden: tuple[int, ...] = (64, 64)
    batch: int = 64
    steps: int = 400
    rate: float = 0.25
    decay: float = 0.01
    """With the rate and the steps: weights shrink by a factor e, so the rate that replaces decay grows by e²."""
    every: int = 40
    """Steps between two looks at a run."""
    stretched: int = 100
    """Steps of a run that starts with larger weights."""


SET = "digits1d"  # hard enough that a network overfits, so that a regularizer would have something to do
SETTINGS = {"eps 1e-5": (1e-5, "decay"), "eps 0.1": (0.1, "decay"), "all parameters": (1e-5, "all")}
"""ε, and which weight decay is compared: of the weights before batch normalization, or of every parameter."""
UNDECAYED = ("none", "schedule")
SHAKE = 1e-6
"""Relative; moves predictions about as far as ε = 1e-5 does within the first steps."""
ROUNDING = 1e-12
"""Below that, what is measured is the rounding of this machine."""


@dataclass(frozen=True)
class Run:
    """A trained network, and what was seen of it on the way."""

    net: Sequential
    predictions: Array
    """Probabilities on test data at each look, by the test data's own batch statistics: (looks, examples, classes)."""
    norms: Array
    """‖w‖² of the first layer at each look."""
    diverged: bool


def parameters(net: Sequential) -> tuple[list[Parameter], list[Parameter]]:
    """The weights that batch normalization follows (in the plain network: would follow), and all the others."""
    hidden = [layer for layer in net.layers if isinstance(layer, Linear)][:-1]
    every = net.parameters()
    before = [one for one in every if one.name == "weight" and one.layer in hidden]
    return before, [one for one in every if one not in before]


def probabilities(net: Layer, x: Array) -> Array:
    """Predicted probabilities with the statistics of x itself: of the function that was trained."""
    logits = deepcopy(net).forward(x, training=True)
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Array = exponentials / exponentials.sum(axis=1, keepdims=True)
    return shares


def apart(one: Array, other: Array) -> float:
    """Root mean square difference."""
    return float(np.sqrt(np.mean((one - other) ** 2)))


def network(eps: float | None, seed: int, parts: Data, settings: Settings, activation: type[Layer]) -> Sequential:
    """A fresh network; eps: None without batch normalization."""
    norm: Callable[[int], Layer] | None = None if eps is None else partial(BatchNorm, eps=eps)
    gain = 1.0 if activation is Tanh else 2**0.5
    sizes = (parts.features, *settings.hidden, 10)
    return mlp(sizes, np.random.default_rng(seed), norm=norm, activation=activation, gain=gain)


def train(
    arm: str, eps: float | None, seed: int, parts: Data, settings: Settings, activation: type[Layer] = Tanh
) -> Run:
    """One run. Weights before batch normalization have an optimizer of their own, which decays them or speeds up.

    arm: "none", "decay", "all" (decay of every parameter), "schedule", or "shaken": decay from weights a little off.
    """
    rate, decay = settings.rate, settings.decay
    net = network(eps, seed, parts, settings, activation)
    before, others = parameters(net)
    if arm == "shaken":
        before[0].value[...] *= 1 + SHAKE * np.random.default_rng(seed + 2).standard_normal(before[0].value.shape)
    kept = 1 - rate * decay  # of a weight, after one step of decay
    first = SGD(before, rate / kept if arm == "schedule" else rate, weight_decay=decay * (arm not in UNDECAYED))
    second = SGD(others, rate, weight_decay=decay * (arm == "all"))
    predictions, norms = [], []

    def after(step: int, loss: float) -> None:
        second.step()
        if arm == "schedule":
            first.learning_rate /= kept**2
        if (step + 1) % settings.every == 0:
            predictions.append(probabilities(net, parts.test.x))
            norms.append(float((before[0].value ** 2).sum()))

    order, (x, labels) = np.random.default_rng(seed + 1), (parts.train.x, parts.train.labels)
    losses = fit(net, x, labels, first, steps=settings.steps, batch_size=settings.batch, rng=order, after_step=after)
    return Run(net, np.array(predictions), np.array(norms), not np.isfinite(losses[-1]))


def stretching(eps: float | None, factor: float, seed: int, parts: Data, settings: Settings) -> float:
    """How far predictions move when weights start ``factor`` times as large and learn ``factor²`` times as fast.

    The largest difference of a probability after a short training; infinite if that diverged.
    """

    def final(factor: float) -> Array | None:
        net = network(eps, seed, parts, settings, Tanh)
        before, others = parameters(net)
        for one in before:
            one.value[...] *= factor
        optimizer = SGD([{"parameters": before, "learning_rate": settings.rate * factor**2}, *others], settings.rate)
        order, (x, labels) = np.random.default_rng(seed + 1), (parts.train.x, parts.train.labels)
        losses = fit(net, x, labels, optimizer, steps=settings.stretched, batch_size=settings.batch, rng=order)
        return probabilities(net, parts.test.x) if np.isfinite(losses[-1]) else None

    one, other = final(1.0), final(factor)
    return np.inf if one is None or other is None else max(ROUNDING, float(abs(one - other).max()))


def cosine(net: Sequential, parts: Data, batch: int) -> float:
    """Of the angle between each unit's weights and their gradient, in the first layer: root mean square."""
    net = deepcopy(net)
    x, labels = parts.train.x[:batch], parts.train.labels[:batch]
    net.backward(softmax_cross_entropy(net.forward(x, training=True), labels)[1])
    first: Any = net.layers[0]
    w, g = first.weight, first.dweight
    sizes = np.sqrt((w**2).sum(axis=1) * (g**2).sum(axis=1))
    moving = sizes > 0  # a unit that is dead on this batch has no gradient, and no angle
    return max(ROUNDING, apart((w * g).sum(axis=1)[moving] / sizes[moving], np.zeros(moving.sum())))


def trial(seed: int, settings: Settings, tuned: Any) -> Values:
    """For each setting: how far "no decay" ends from decay, over how far the growing rate ends from it."""
    parts = data(SET, seed)
    needed = [(eps, arm) for eps in (1e-5, 0.1) for arm in ("none", "schedule", "decay")] + [(1e-5, "all")]
    runs = {(eps, arm): train(arm, eps, seed, parts, settings) for eps, arm in needed}
    values: Values = {"effects": {}, "apart": {}, **exploratory(runs, seed, parts, settings)}
    for setting, (eps, decayed) in SETTINGS.items():
        goal = runs[eps, decayed]
        values["apart"][setting] = {arm: along(runs[eps, arm], goal) for arm in ("none", "schedule")}
        none, schedule = (values["apart"][setting][arm][-1] for arm in ("none", "schedule"))
        values["effects"][setting] = np.log(none / schedule)
    return values


def along(one: Run, other: Run) -> list[float]:
    """How far apart two runs' predictions are, look by look."""
    return [apart(*pair) for pair in zip(one.predictions, other.predictions, strict=True)]


def exploratory(runs: dict[Any, Run], seed: int, parts: Data, settings: Settings) -> Values:
    """What the page shows beside the primary outcome."""
    usual = {arm: runs[1e-5, arm] for arm in ("none", "schedule", "decay", "all")}
    plain = {arm: train(arm, None, seed, parts, settings) for arm in ("none", "all")}
    relu = {arm: train(arm, 1e-5, seed, parts, settings, ReLU) for arm in ("decay", "schedule", "shaken")}
    networks = usual | {f"plain {arm}": run for arm, run in plain.items()}
    return {
        "norms": {arm: run.norms for arm, run in usual.items()},
        "cosine": {
            "plain": cosine(plain["none"].net, parts, settings.batch),
            **{f"eps {eps:g}": cosine(runs[eps, "none"].net, parts, settings.batch) for eps in (1e-5, 0.1)},
        },
        "stretched": {
            "plain" if eps is None else f"eps {eps:g}": stretching(eps, 10.0, seed, parts, settings)
            for eps in (None, 0.0, 1e-5, 0.1)
        },
        "accuracy": {arm: accuracy(run.net, parts.test.x, parts.test.labels) for arm, run in networks.items()},
        "evaluation": evaluation(usual, parts),
        "relu": {arm: along(relu[arm], relu["decay"]) for arm in ("schedule", "shaken")},
        "diverged": sum(run.diverged for run in [*runs.values(), *plain.values(), *relu.values()]),
    }


def evaluation(runs: dict[str, Run], parts: Data) -> dict[str, float]:
    """How far logits of evaluation mode are from those of decay: running variances lag behind weights that grow."""
    logits = {arm: runs[arm].net.forward(parts.test.x, training=False) for arm in ("none", "schedule", "decay")}
    return {arm: apart(logits[arm], logits["decay"]) for arm in ("none", "schedule")}


EXPERIMENT = Experiment(
    name="scale_invariance",
    title="Scale of the weights, and weight decay",
    page="evidence/scale-invariance",
    claim=(
        "With batch normalization the scale of the weights does not matter: "
        "weight decay acts as a schedule of the learning rate, not as a regularizer."
    ),
    prediction=(
        "With ε = 1e-5 and decay of the weights before batch normalization, the growing rate ends hundreds of times "
        "closer to weight decay than no decay does: at ε = 0 the two are the same, and the variances here are some "
        "1e5 times larger than ε. With ε = 0.1, no longer small once decay has shrunk the weights, only a few "
        "times closer, and with decay of every parameter less than twice: the last layer is not scale invariant."
    ),
    primary=Primary(
        quantity=(
            "distance of predictions on test data from those of training with weight decay: "
            "without decay, over with the equivalent growing learning rate"
        ),
        scale=Scale.RATIO,
        smallest=3.0,
        settings=tuple(SETTINGS),
    ),
    trial=trial,
    full=Settings(),
    reduced=Settings(hidden=(20,), steps=40, every=20, stretched=10),
)
