"""Does batch normalization allow higher learning rates, and is training faster with them?

Exploratory: steps to a given loss, each arm at its own rate, tuned on validation data; also in a deeper network.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..nn import SGD, BatchNorm, accuracy, fit
from .arms import data, half_octaves, mlp, tuned
from .experiment import Experiment, Primary, Scale, Values


@dataclass(frozen=True)
class Task:
    """What is learned, and by which network."""

    data: str
    hidden: tuple[int, ...]
    given_loss: float
    """The loss to be reached, by the mean of 20 steps."""


@dataclass(frozen=True)
class Settings:
    """How a run is made."""

    hidden: tuple[int, ...] = (100, 100)
    deep: tuple[int, ...] = (60,) * 6
    batch: int = 64
    steps: int = 120
    """Of a run that asks whether a rate trains."""
    trains_below: float = 1.73
    """Mean loss of the last 20 steps below which a rate "trains": three quarters of ln 10, the loss of guessing."""
    exponents: tuple[float, float] = (-6, 8)
    """The grid of rates: half octaves from 2^-6 to 2^8."""
    long: int = 200
    """Steps of a run with the tuned rate; the rate is tuned on half as many."""

    @property
    def tasks(self) -> dict[str, Task]:
        """The primary outcome is measured on the first two; the deep network is exploratory."""
        return {
            "digits": Task("digits", self.hidden, 0.2),
            "digits1d": Task("digits1d", self.hidden, 1.2),
            "deep": Task("digits", self.deep, 0.2),
        }


ARMS = {"plain": None, "bn": BatchNorm}
SETS = ("digits", "digits1d")


def train(arm: str, rate: float, seed: int, task: Task, settings: Settings, steps: int) -> tuple[Any, np.ndarray]:
    """A network after so many steps, and its losses. Both arms: the same weights, the same batches."""
    parts = data(task.data, seed)
    net = mlp((parts.features, *task.hidden, 10), np.random.default_rng(seed), norm=ARMS[arm])
    order, optimizer = np.random.default_rng(seed + 1), SGD(net.parameters(), rate)
    x, labels = parts.train.x, parts.train.labels
    return net, fit(net, x, labels, optimizer, steps=steps, batch_size=settings.batch, rng=order)


def largest_stable(arm: str, seed: int, task: Task, settings: Settings) -> float:
    """The largest rate of the grid that trains, by bisection: as if every smaller rate, down to the first, did too."""
    grid = half_octaves(*settings.exponents)
    low, high = -1, len(grid)  # a rate that trains, and one that does not
    while high - low > 1:
        middle = (low + high) // 2
        losses = train(arm, grid[middle], seed, task, settings, settings.steps)[1]
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
    """The best rate of each arm on each task, by validation accuracy; a divergence scores below every accuracy."""

    def score(arm: str, task: Task, rate: float, seed: int) -> float:
        net, losses = train(arm, rate, seed, task, settings, settings.long // 2)
        validation = data(task.data, seed).validation
        return accuracy(net, validation.x, validation.labels) if np.isfinite(losses[-1]) else -1.0

    grid = half_octaves(*settings.exponents)
    return {
        f"{name} {arm}": tuned(partial(score, arm, task), grid).plain()
        for name, task in settings.tasks.items()
        for arm in ARMS
    }


def trial(seed: int, settings: Settings, found: Any) -> Values:
    """Largest stable rate of both arms, and steps to the given loss at their tuned rates."""
    values: Values = {"effects": {}, "largest": {}, "steps": {}, "losses": {}}
    for name in SETS:
        largest = {arm: largest_stable(arm, seed, settings.tasks[name], settings) for arm in ARMS}
        values["largest"][name] = largest
        values["effects"][name] = np.log(largest["bn"] / largest["plain"])
    for name, task in settings.tasks.items():
        rates = {arm: found[f"{name} {arm}"]["rate"] for arm in ARMS}
        losses = {arm: train(arm, rate, seed, task, settings, settings.long)[1] for arm, rate in rates.items()}
        values["steps"][name] = {arm: steps_to(one, task.given_loss) for arm, one in losses.items()}
        values["losses"][name] = {
            arm: one[: settings.long // 10 * 10].reshape(-1, 10).mean(axis=1) for arm, one in losses.items()
        }
    return values


EXPERIMENT = Experiment(
    name="learning_rate",
    title="Higher learning rates",
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
    reduced=Settings(hidden=(30,), deep=(20, 20), steps=60, long=60, trains_below=2.2),
)
