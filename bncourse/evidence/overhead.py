"""Does batch normalization pay for itself? What a step costs more, against the steps that it saves.

Seconds differ from machine to machine and from run to run, so the outcome is counted: steps to a given accuracy, times
the numbers that a step moves between memory and processor. Measured seconds are kept beside it, under "seconds".
"""

import time
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from ..functional import fold_linear
from ..functional._arrays import Array
from ..nn import SGD, BatchNorm, Layer, Linear, Sequential, accuracy, fit, softmax_cross_entropy
from .arms import Data, Part, data, half_octaves, mlp, tuned
from .experiment import Experiment, Primary, Scale, Values


@dataclass(frozen=True)
class Task:
    """A data set, a network, and the test accuracy to be reached."""

    data: str
    hidden: tuple[int, ...]
    goal: float


@dataclass(frozen=True)
class Settings:
    """How a run is made."""

    tasks: Mapping[str, Task]
    batch: int = 64
    steps: int = 300
    """At most; a run that has not got there by then counts as one step more."""
    look_every: int = 2
    """Steps between two looks at the accuracy."""
    exponents: tuple[float, float] = (-4, 2)
    """The grid of rates: half octaves from 2^-4 to 2^2."""
    widths: tuple[int, ...] = (100, 400, 1000)
    """Of the two hidden layers whose steps are timed."""
    repeats: int = 8
    """Of every timing; its median counts."""
    asked: tuple[int, ...] = (1, 450)
    """Batch sizes of inference that is timed."""


ARMS = {"plain": None, "bn": BatchNorm}


def moved(sizes: Sequence[int], batch: int, arm: str) -> int:
    """Numbers read and written in one training step, if every operation touches each of its arrays once.

    Linear layer, K to D: three products, forward, ∂L/∂W and ∂L/∂x, of arrays of N·K, K·D and N·D numbers; the step of
    gradient descent reads weights and gradient and writes weights. ReLU: reads and writes forward, reads two arrays and
    writes one backward. Batch normalization: forward reads x for the statistics, reads it again, writes y; backward
    reads dy and x_hat for the two sums, reads both again, writes dx. (Writing x_hat, which an implementation may make
    anew from x, is left out: the count is kind to batch normalization.)
    """
    total = 0
    for k, d in pairwise(sizes):
        total += 3 * (batch * k + k * d + batch * d) + 3 * k * d
    hidden = sum(sizes[1:-1])
    return total + 5 * batch * hidden + (8 * batch * hidden if arm == "bn" else 0)


def operations(sizes: Sequence[int], batch: int, arm: str) -> int:
    """Additions and multiplications of one training step.

    Linear layer: three products of 2·N·K·D, bias and its gradient 2·N·D, the step 2·K·D. ReLU: one forward, one
    backward. Batch normalization, for each number: forward 7 (sum; centre; square, sum; divide; scale, shift), backward
    7 (sum; multiply, sum; scale; x_hat times its share; two differences).
    """
    total = 0
    for k, d in pairwise(sizes):
        total += 6 * batch * k * d + 2 * batch * d + 2 * k * d
    hidden = sum(sizes[1:-1])
    return total + 2 * batch * hidden + (14 * batch * hidden if arm == "bn" else 0)


def sizes(task: Task, parts: Data) -> tuple[int, ...]:
    """Of all layers, input and output included."""
    return (parts.features, *task.hidden, 10)


def steps_to_goal(arm: str, rate: float, seed: int, task: Task, parts: Data, part: Part, settings: Settings) -> int:
    """Steps until the accuracy on a part reaches the goal; one more than all, when it never does."""
    net = mlp(sizes(task, parts), np.random.default_rng(seed), norm=ARMS[arm])
    reached: list[int] = []

    def look(step: int, loss: float) -> bool:
        if (step + 1) % settings.look_every == 0 and accuracy(net, part.x, part.labels) >= task.goal:
            reached.append(step + 1)
        return bool(reached)

    x, labels = parts.train.x, parts.train.labels
    order, optimizer = np.random.default_rng(seed + 1), SGD(net.parameters(), rate)
    fit(net, x, labels, optimizer, steps=settings.steps, batch_size=settings.batch, rng=order, after_step=look)
    return reached[0] if reached else settings.steps + 1


def tune(settings: Settings) -> dict[str, Any]:
    """For each task and arm the rate with the fewest steps to the goal, on validation data."""

    def score(task: Task, arm: str, rate: float, seed: int) -> float:
        parts = data(task.data, seed)
        return -steps_to_goal(arm, rate, seed, task, parts, parts.validation, settings)

    grid = half_octaves(*settings.exponents)
    return {
        f"{name}: {arm}": tuned(lambda rate, seed, t=task, a=arm: score(t, a, rate, seed), grid).plain()  # type: ignore[misc]
        for name, task in settings.tasks.items()
        for arm in ARMS
    }


def trial(seed: int, settings: Settings, found: Any) -> Values:
    """Steps to the goal of both arms, and what they cost: in numbers moved (primary), in operations, in seconds."""
    values: Values = {"effects": {}, "steps": {}, "operations": {}}
    for name, task in settings.tasks.items():
        parts = data(task.data, seed)
        steps, cost, work = {}, {}, {}
        for arm in ARMS:
            rate = found[f"{name}: {arm}"]["rate"]
            steps[arm] = steps_to_goal(arm, rate, seed, task, parts, parts.test, settings)
            cost[arm] = steps[arm] * moved(sizes(task, parts), settings.batch, arm)
            work[arm] = steps[arm] * operations(sizes(task, parts), settings.batch, arm)
        values["effects"][name] = np.log(cost["plain"] / cost["bn"])
        values["operations"][name] = np.log(work["plain"] / work["bn"])
        values["steps"][name] = steps
    return values | {"kept": kept_by_arm(settings), "seconds": timings(seed, settings)}


def kept(net: Sequential) -> int:
    """Bytes that the layers keep of the last forward, for the backward pass; each array once."""

    def arrays(last: Any) -> list[Array]:
        return [last] if isinstance(last, np.ndarray) else [one for part in last for one in arrays(part)]

    found = {id(array): array.nbytes for layer in net.layers for array in arrays(layer.remembered())}
    return sum(found.values())


def kept_by_arm(settings: Settings) -> dict[str, dict[str, int]]:
    """Exploratory: bytes kept by each arm, for each width."""
    x = np.random.default_rng(0).normal(size=(settings.batch, 64))
    bytes_kept: dict[str, dict[str, int]] = {}
    for width in settings.widths:
        nets = both((64, width, width, 10), seed=0)
        for net in nets.values():
            net.forward(x, training=True)
        bytes_kept[str(width)] = {arm: kept(net) for arm, net in nets.items()}
    return bytes_kept


def folded(net: Sequential) -> Sequential:
    """The same function at inference, without its batch normalization layers: each is in the linear one before it."""
    layers: list[Layer] = []
    for layer in deepcopy(net).layers:
        before = layers[-1] if layers else None
        if isinstance(layer, BatchNorm) and isinstance(before, Linear):
            statistics = layer.gamma, layer.beta, layer.running_mean, layer.running_var, layer.eps
            before.weight, before.bias = fold_linear(before.weight, before.bias, *statistics)
        else:
            layers.append(layer)
    return Sequential(*layers)


def both(sizes: Sequence[int], seed: int) -> dict[str, Sequential]:
    """Two networks of these sizes, one of them with batch normalization, from the same weights."""
    return {arm: mlp(sizes, np.random.default_rng(seed), norm=norm) for arm, norm in ARMS.items()}


def forward(net: Sequential, x: Array, training: bool) -> None:
    """One forward pass."""
    net.forward(x, training)


def step(net: Sequential, x: Array, labels: Array) -> None:
    """One training step: forward, loss, backward, gradient descent."""
    _, dlogits = softmax_cross_entropy(net.forward(x, training=True), labels)
    net.backward(dlogits)
    SGD(net.parameters(), 1e-3).step()


def medians(actions: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Median CPU seconds of each action. They take turns, so that a slow moment of the machine meets all of them."""
    spent: dict[str, list[float]] = {name: [] for name in actions}
    for turn in range(repeats + 2):
        for name, action in actions.items():
            began = time.process_time()
            action()
            if turn >= 2:  # the first two warm the caches
                spent[name].append(time.process_time() - began)
    return {name: float(np.median(times)) for name, times in spent.items()}


def timings(seed: int, settings: Settings) -> dict[str, Any]:
    """Exploratory: seconds of a training step (for each width, and each task), of its forward pass, of inference."""
    found: dict[str, Any] = {"step": {}, "forward": {}, "task": {}, "inference": {}}
    rng, repeats = np.random.default_rng(seed), settings.repeats
    x, labels = rng.normal(size=(settings.batch, 64)), rng.integers(0, 10, settings.batch)
    for width in settings.widths:
        nets = both((64, width, width, 10), seed)
        found["step"][str(width)] = medians({arm: partial(step, net, x, labels) for arm, net in nets.items()}, repeats)
        found["forward"][str(width)] = medians({a: partial(forward, n, x, True) for a, n in nets.items()}, repeats)
    for name, task in settings.tasks.items():
        parts = data(task.data, seed)
        some = parts.train.x[: settings.batch], parts.train.labels[: settings.batch]
        nets = both(sizes(task, parts), seed)
        found["task"][name] = medians({arm: partial(step, net, *some) for arm, net in nets.items()}, repeats)
    width = settings.widths[0]
    net = both((64, width, width, 10), seed)["bn"]
    for count in settings.asked:
        question = rng.normal(size=(count, 64))
        nets = {"bn": net, "folded": folded(net)}
        asked = {kind: partial(forward, one, question, False) for kind, one in nets.items()}
        found["inference"][str(count)] = medians(asked, 4 * repeats)
    return found


TASKS = {
    "digits": Task("digits", (100, 100), 0.97),
    "digits1d": Task("digits1d", (100, 100), 0.5),
    "digits, 8 layers": Task("digits", (50,) * 8, 0.95),
}

EXPERIMENT = Experiment(
    name="overhead",
    title="Overhead against faster convergence",
    page="evidence/overhead",
    claim=(
        "Batch normalization adds a slight computational overhead in training, often offset by faster convergence; "
        "at inference it can be folded away."
    ),
    prediction=(
        "Counted in numbers moved, a step with batch normalization costs a third to a half more in these networks, "
        "counted in operations two to five percent. With two hidden layers it saves about as many steps as it costs: "
        "the factor is between 0.8 and 1.3 on both data sets. With eight it pays: 1.2 or more. So we expect the rule "
        "to say in part; counted in operations it pays everywhere. Folded inference is the same function to rounding, "
        "and faster, most of all at batch 1."
    ),
    primary=Primary(
        quantity=(
            "numbers moved until a test accuracy is reached (97 % on digits, 50 % on digits1d, 95 % with 8 layers), at "
            "tuned rates, without batch normalization over with"
        ),
        scale=Scale.RATIO,
        smallest=1.1,
        settings=tuple(TASKS),
    ),
    trial=trial,
    tune=tune,
    full=Settings(tasks=TASKS),
    reduced=Settings(
        tasks={name: replace(task, hidden=task.hidden[:1], goal=0.3) for name, task in TASKS.items()},
        steps=60,
        widths=(20,),
        repeats=3,
        exponents=(-5, 4),
    ),
)
