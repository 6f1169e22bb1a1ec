"""Does batch normalization allow higher learning rates, and is training faster with them?

Exploratory: steps to a given loss, each arm at its own rate, tuned on validation data.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..nn import SGD, BatchNorm, accuracy, fit
from .arms import Data, data, half_octaves, mlp, tuned
from .experiment import Experiment, Primary, Scale, Values


@dataclass(frozen=True)
class Settings:
    """How a run is made."""

    hidden: tuple[int, ...] = (100, 100)
    batch: int = 64
    steps: int = 120
    """Of a run that asks whether a rate trains."""
    trains_below: float = 1.73
    """Mean loss of the last 20 steps below which a rate "trains": three quarters of ln 10, the loss of guessing."""
    exponents: tuple[float, float] = (-6, 8)
    """The grid of rates: half octaves from 2^-6 to 2^8."""
    long: int = 300
    """Steps of a run with the tuned rate."""
    given_loss: tuple[float, float] = (0.2, 1.2)
    """The loss to be reached, on digits and on digits1d, by the mean of 20 steps."""


ARMS = {"plain": None, "bn": BatchNorm}
SETS = ("digits", "digits1d")


def train(arm: str, rate: float, seed: int, parts: Data, settings: Settings, steps: int) -> tuple[Any, np.ndarray]:
    """A network after so many steps, and its losses. Both arms: the same weights, the same batches."""
    net = mlp((parts.features, *settings.hidden, 10), np.random.default_rng(seed), norm=ARMS[arm])
    order = np.random.default_rng(seed + 1)
    optimizer = SGD(net.parameters(), rate)
    x, labels = parts.train.x, parts.train.labels
    return net, fit(net, x, labels, optimizer, steps=steps, batch_size=settings.batch, rng=order)


def largest_stable(arm: str, seed: int, parts: Data, settings: Settings) -> float:
    """The largest rate of the grid that trains, by bisection: as if every smaller rate, down to the first, did too."""
    grid = half_octaves(*settings.exponents)
    low, high = -1, len(grid)  # a rate that trains, and one that does not
    while high - low > 1:
        middle = (low + high) // 2
        losses = train(arm, grid[middle], seed, parts, settings, settings.steps)[1]
        if losses[-20:].mean() < settings.trains_below:
            low = middle
        else:
            high = middle
    if low < 0 or high == len(grid):
        raise ValueError(f"the largest stable rate of {arm} lies outside of the grid: extend it")
    return grid[low]


def steps_to(losses: np.ndarray, given: float) -> int:
    """Steps until the mean of the last 20 losses is the given one; one more than all, when it never is."""
    means = np.convolve(losses, np.ones(20) / 20, "valid")
    reached = np.flatnonzero(means <= given)
    return int(reached[0]) + 20 if len(reached) else len(losses) + 1


def tune(settings: Settings) -> dict[str, Any]:
    """The best rate of each arm on each data set, by validation accuracy after the long run."""

    def score(name: str, arm: str, rate: float, seed: int) -> float:
        parts = data(name, seed)
        net, losses = train(arm, rate, seed, parts, settings, settings.long // 2)
        diverged = not np.isfinite(losses[-1])
        return -1.0 if diverged else accuracy(net, parts.validation.x, parts.validation.labels)

    grid = half_octaves(*settings.exponents)
    return {
        f"{name} {arm}": tuned(lambda rate, seed, n=name, a=arm: score(n, a, rate, seed), grid).plain()  # type: ignore[misc]
        for name in SETS
        for arm in ARMS
    }


def trial(seed: int, settings: Settings, found: Any) -> Values:
    """Largest stable rate of both arms, and steps to the given loss at their tuned rates, on both data sets."""
    values: Values = {"effects": {}, "largest": {}, "steps": {}, "losses": {}}
    for name, given in zip(SETS, settings.given_loss, strict=True):
        parts = data(name, seed)
        largest = {arm: largest_stable(arm, seed, parts, settings) for arm in ARMS}
        values["effects"][name] = np.log(largest["bn"] / largest["plain"])
        values["largest"][name] = largest
        runs = {a: train(a, found[f"{name} {a}"]["rate"], seed, parts, settings, settings.long)[1] for a in ARMS}
        values["steps"][name] = {arm: steps_to(losses, given) for arm, losses in runs.items()}
        values["losses"][name] = {arm: losses[9::10] for arm, losses in runs.items()}
    return values


EXPERIMENT = Experiment(
    name="learning_rate",
    title="Higher learning rates, faster training",
    page="evidence/learning-rate",
    claim="Batch normalization allows significantly higher learning rates, and so training converges faster.",
    prediction=(
        "The largest rate that still trains is several times larger with batch normalization, on both data sets: "
        "the scale of the weights no longer feeds back into the size of the step. Fewer steps to a given loss follow, "
        "but by a smaller factor than the rate allows."
    ),
    primary=Primary(
        quantity="largest learning rate that trains, with batch normalization over without",
        scale=Scale.RATIO,
        smallest=1.5,
        settings=SETS,
    ),
    trial=trial,
    tune=tune,
    full=Settings(),
    reduced=Settings(hidden=(30,), steps=60, long=60, trains_below=2.2),
)
