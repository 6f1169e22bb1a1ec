"""Does the noise of the batch statistics regularize?

A batch of 128 is normalized as a whole or in ghost batches of 8 examples, each arm at its own best rate, on the same
examples. Exploratory, at one rate, so that the noise alone changes: ghost batches of 8 and 32, running statistics held
constant, and the whole batch at half the rate. Networks are compared at equal training loss: else an arm that has
merely trained less would be called regularized.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import functional
from ..functional._arrays import Array
from ..nn import SGD, BatchNorm, Layer, Sequential, accuracy, fit, softmax_cross_entropy
from ..nn.training import overflown
from .arms import Data, Part, data, half_octaves, mlp, tuned
from .experiment import Experiment, Primary, Scale, Values


class GhostBatchNorm(BatchNorm):
    """Batch normalization of a batch (N, D) in N/ghost parts, each by its own statistics (Hoffer, Hubara, Soudry 2017).

    The parts stand side by side, as more features of a smaller batch. Running statistics are those of the whole batch.
    Raises ``ValueError`` when N is no multiple of the ghost batch.
    """

    def __init__(self, num_features: int, ghost: int) -> None:
        super().__init__(num_features)
        self.ghost = ghost

    def forward(self, x: ArrayLike, training: bool) -> Array:
        """In training by the statistics of each part, in evaluation by the running ones."""
        x = np.asarray(x)
        if training and len(x) % self.ghost:
            raise ValueError(f"{len(x)} examples cannot be cut into ghost batches of {self.ghost}")
        self._parts = len(x) // self.ghost if training else 1
        if self._parts == 1:
            return super().forward(x, training)
        gamma, beta = np.tile(self.gamma, self._parts), np.tile(self.beta, self._parts)
        y, self._last = functional.batchnorm_forward(self.aside(x), gamma, beta, self.eps)
        assert self.momentum is not None
        self.running_mean, self.running_var = functional.update_running_stats(
            self.running_mean, self.running_var, x.real, self.momentum
        )
        return self.below(y)

    def backward(self, dy: ArrayLike) -> Array:
        """∂L/∂x (N, D); the parameters' gradients are sums over the parts."""
        if self._parts == 1:
            return super().backward(dy)
        dx = super().backward(self.aside(np.asarray(dy)))
        self.dgamma, self.dbeta = (d.reshape(self._parts, -1).sum(axis=0) for d in (self.dgamma, self.dbeta))
        return self.below(dx)

    def aside(self, x: Array) -> Array:
        """(N, D) -> (ghost, parts · D)."""
        return np.hstack(np.split(x, self._parts))

    def below(self, y: Array) -> Array:
        """(ghost, parts · D) -> (N, D), the way back."""
        return np.vstack(np.split(y, self._parts, axis=1))


class FrozenBatchNorm(BatchNorm):
    """Normalization by the running statistics in training too: no noise, and no gradient through the statistics."""

    def forward(self, x: ArrayLike, training: bool) -> Array:
        """Updates the running statistics in training, then uses them."""
        if training:
            super().forward(x, training=True)
        return super().forward(x, training=False)


@dataclass(frozen=True)
class Settings:
    """How a run is made."""

    hidden: tuple[int, ...] = (64, 64)
    batch: int = 128
    every: int = 10
    """Steps between two looks at the network."""
    steps: tuple[int, int, int] = (100, 200, 200)
    """On digits, on digits with wrong labels, on digits1d."""
    wrong: float = 0.25
    """Share of training labels that are wrong, where labels are."""
    exponents: tuple[int, int] = (-3, 3)
    """The grid of rates: half octaves from 2^-3 to 2^3."""
    stretch: float = 1.5
    """Arms are compared at training losses from so many times the lowest that both reach, down to it."""


ARMS: dict[str, Callable[[int], Layer]] = {
    "full": BatchNorm,
    "ghost 32": lambda n: GhostBatchNorm(n, 32),
    "ghost 8": lambda n: GhostBatchNorm(n, 8),
    "frozen": FrozenBatchNorm,
}
PAIR = ("full", "ghost 8")
"""The arms of the primary."""
SETS = {"digits": "digits", "digits, wrong labels": "digits", "digits1d": "digits1d"}
"""The settings, and where their examples come from."""


def examples(setting: str, seed: int, wrong: float) -> Data:
    """The split of the seed; where labels are wrong, a share of those to train on has moved to another class."""
    parts = data(SETS[setting], seed)
    if setting != "digits, wrong labels":
        return parts
    rng = np.random.default_rng(seed + 2)
    labels = parts.train.labels
    moved = np.where(rng.random(len(labels)) < wrong, (labels + rng.integers(1, 10, len(labels))) % 10, labels)
    return Data(Part(parts.train.x, moved), parts.validation, parts.test)


def noise_free(net: Sequential, x: Array) -> tuple[Sequential, Array]:
    """A copy whose running statistics are those of all of x, and its logits for x: no noise, in any arm."""
    net = deepcopy(net)
    for layer in net.layers:
        if isinstance(layer, BatchNorm):
            layer.momentum = 1.0
        if isinstance(layer, GhostBatchNorm):
            layer.ghost = len(x)
    return net, net.forward(x, training=True)


def curve(
    arm: str, rate: float, steps: int, seed: int, train: Part, other: Part, settings: Settings
) -> tuple[Array, Array]:
    """Training loss and accuracy on the other part (looks,), along a run, the first look before it; both noise-free.

    All arms: the same weights, the same batches. After a divergence: loss inf, and the accuracy of guessing.
    """
    net = mlp((train.x.shape[1], *settings.hidden, 10), np.random.default_rng(seed), norm=ARMS[arm])
    losses, accuracies = (np.full(steps // settings.every + 1, value) for value in (np.inf, 0.1))

    def look(step: int, _: float = 0.0) -> None:
        n, not_yet = divmod(step + 1, settings.every)
        if not_yet or overflown(net):
            return
        copy, logits = noise_free(net, train.x)
        losses[n] = softmax_cross_entropy(logits, train.labels)[0]
        accuracies[n] = accuracy(copy, other.x, other.labels)

    look(-1)
    optimizer, order = SGD(net.parameters(), rate), np.random.default_rng(seed + 1)
    fit(net, train.x, train.labels, optimizer, steps=steps, batch_size=settings.batch, rng=order, after_step=look)
    return losses, accuracies


def at_loss(losses: Array, accuracies: Array, levels: ArrayLike) -> Array:
    """Accuracy when the training loss first reaches each level: between two looks, along the logarithm of the loss.

    Only looks that set a new lowest loss count. Levels above the first look take its accuracy, as those below the last
    take the last.
    """
    before = np.concatenate([[np.inf], np.minimum.accumulate(losses)[:-1]])
    new = losses < before
    return np.interp(-np.log(levels), -np.log(losses[new]), accuracies[new])


def advantage(arm: tuple[Array, Array], other: tuple[Array, Array], stretch: float) -> float:
    """How much more accurate an arm is than another at equal training loss, in points: the mean over the last stretch
    of losses that both reach. Each is (losses, accuracies)."""
    lowest = max(arm[0].min(), other[0].min())
    levels = lowest * np.geomspace(stretch, 1, 9)
    return float(100 * np.mean(at_loss(*arm, levels) - at_loss(*other, levels)))


def tune(settings: Settings) -> dict[str, Any]:
    """The rate of each arm of the primary, in each setting: the best validation accuracy after half the steps."""

    def score(setting: str, arm: str, steps: int, rate: float, seed: int) -> float:
        parts, half = examples(setting, seed, settings.wrong), replace(settings, every=steps)
        return float(curve(arm, rate, steps, seed, parts.train, parts.validation, half)[1][-1])

    grid = half_octaves(*settings.exponents)
    return {
        setting: {arm: tuned(partial(score, setting, arm, steps // 2), grid).plain() for arm in PAIR}
        for setting, steps in zip(SETS, settings.steps, strict=True)
    }


def trial(seed: int, settings: Settings, found: Any) -> Values:
    """Ghosts of 8 against the full batch, each at its own rate; the other arms at the full batch's. At equal loss."""
    values: Values = {"effects": {}, "advantage": {}, "at the end": {}, "losses": {}, "accuracy": {}, "diverged": {}}
    for setting, steps in zip(SETS, settings.steps, strict=True):
        parts, rates = examples(setting, seed, settings.wrong), {arm: found[setting][arm]["rate"] for arm in PAIR}
        rate = rates["full"]
        run = partial(curve, steps=steps, seed=seed, train=parts.train, other=parts.test, settings=settings)
        runs = {arm: run(arm, rate) for arm in ARMS} | {"slow": run("full", rate / 2)}
        runs["ghost 8, own rate"] = runs["ghost 8"] if rates["ghost 8"] == rate else run("ghost 8", rates["ghost 8"])
        ahead = {arm: advantage(one, runs["full"], settings.stretch) for arm, one in runs.items() if arm != "full"}
        values["effects"][setting] = ahead["ghost 8, own rate"]
        values["advantage"][setting] = ahead
        values["at the end"][setting] = {arm: accuracies[-1] for arm, (_, accuracies) in runs.items()}
        values["losses"][setting] = {arm: losses.round(4) for arm, (losses, _) in runs.items()}
        values["accuracy"][setting] = {arm: accuracies.round(4) for arm, (_, accuracies) in runs.items()}
        values["diverged"][setting] = [arm for arm, (losses, _) in runs.items() if not np.isfinite(losses[-1])]
    return values


EXPERIMENT = Experiment(
    name="regularization",
    title="Regularization by noise",
    page="evidence/regularization",
    claim=(
        "The mean and variance of a batch differ from batch to batch. This noise acts as a slight regularizer: the "
        "network generalizes better than without it."
    ),
    prediction=(
        "With wrong labels, ghost batches of 8 win by several points: to remember a single wrong label, a network has "
        "to tell one example from its like, and noise blurs that. On clean digits less than one point, since there is "
        "little to overfit. On digits1d they lose several points after the same number of steps, because noise slows "
        "training, but nothing at equal training loss. Ghost batches of 32 lie between; running statistics held "
        "constant, without noise, do no better than the full batch, where they train at all."
    ),
    primary=Primary(
        quantity=(
            "test accuracy with ghost batches of 8 minus with the whole batch of 128, each at its own rate, in "
            "percentage points, at equal training loss"
        ),
        scale=Scale.DIFFERENCE,
        smallest=1.0,
        settings=tuple(SETS),
        unit=" points",
    ),
    trial=trial,
    tune=tune,
    full=Settings(),
    reduced=Settings(hidden=(16,), steps=(10, 10, 10), every=2),
    seeds=7,
)
