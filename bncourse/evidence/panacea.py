"""Is batch normalization the best choice everywhere, also in recurrent networks and in deep residual ones?

Exploratory: one set of running statistics for all time steps, no remedy at all, gamma = 0 at the start.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..functional import merge_statistics
from ..functional._arrays import Array
from ..nn import SGD, BatchNorm, Layer, LayerNorm, Linear, ReLU, Residual, Sequential, accuracy, fit
from ..nn.layers import normal_weights
from .arms import Data, Part, data, half_octaves, tuned
from .experiment import Experiment, Primary, Scale, Values


class Shift(Layer):
    """y = x + beta (D,): where a normalization would stand, without one."""

    trainable = ("beta",)

    def __init__(self, num_features: int) -> None:
        self.beta = np.zeros(num_features)
        self.dbeta = np.zeros(num_features)

    def forward(self, x: ArrayLike, training: bool) -> Array:
        """(N, D), the same in both modes."""
        y: Array = np.asarray(x) + self.beta
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """∂L/∂x is dy."""
        dy = np.asarray(dy)
        self.dbeta = dy.sum(axis=0)
        return dy


class Recurrent(Layer):
    r"""The last state of :math:`h_t = \tanh(\text{norm}(W_x x_t + W_h h_{t-1}))`, with h_0 = 0.

    x: (N, steps · features), step after step  ->  (N, hidden). Every step has a normalization of its own, hence running
    statistics of its own (Cooijmans et al. 2016), but all share one gamma and one beta.
    """

    def __init__(
        self, steps: int, features: int, hidden: int, rng: np.random.Generator, norm: Callable[[int], Layer] = Shift
    ) -> None:
        self.weight_x = normal_weights((hidden, features), features, 1.0, rng)
        self.weight_h = normal_weights((hidden, hidden), hidden, 1.0, rng)
        self.norms = [norm(hidden) for _ in range(steps)]
        self.trainable = ("weight_x", "weight_h", *self.norms[0].trainable)
        for name in self.norms[0].trainable:
            shared = getattr(self.norms[0], name)
            for one in (self, *self.norms):
                setattr(one, name, shared)

    def forward(self, x: ArrayLike, training: bool) -> Array:
        """The state after the last step."""
        x = np.asarray(x)
        rows = x.reshape(len(x), len(self.norms), -1)
        driven = rows @ self.weight_x.T
        states = [np.zeros_like(driven[:, 0])]
        for step, norm in enumerate(self.norms):
            states.append(np.tanh(norm.forward(driven[:, step] + states[-1] @ self.weight_h.T, training)))
        self._last = rows, np.stack(states, axis=1)
        return states[-1]

    def backward(self, dy: ArrayLike) -> Array:
        """∂L/∂x, backwards through time; a parameter's gradient is the sum over the steps."""
        rows, states = self.remembered()
        dsums = np.empty_like(states[:, 1:])
        dstate = np.asarray(dy)
        for step, norm in reversed(list(enumerate(self.norms))):
            dsums[:, step] = norm.backward(dstate * (1 - states[:, step + 1] ** 2))
            dstate = dsums[:, step] @ self.weight_h
        flat = dsums.reshape(-1, dsums.shape[2])
        self.dweight_x = flat.T @ rows.reshape(len(flat), -1)
        self.dweight_h = flat.T @ states[:, :-1].reshape(len(flat), -1)
        for name in self.norms[0].trainable:
            setattr(self, f"d{name}", sum(getattr(norm, f"d{name}") for norm in self.norms))
        dx: Array = (dsums @ self.weight_x).reshape(len(rows), -1)
        return dx


class Multiplier(Layer):
    """y = α x with one learned number, 0 at the start: SkipInit (De & Smith 2020, section 3)."""

    trainable = ("alpha",)

    def __init__(self, num_features: int) -> None:
        self.alpha = np.zeros(1)  # one, however many features
        self.dalpha = np.zeros(1)

    def forward(self, x: ArrayLike, training: bool) -> Array:
        """Any shape, the same in both modes."""
        self._last = np.asarray(x)
        y: Array = self.alpha * self._last
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """∂L/∂x."""
        dy = np.asarray(dy)
        self.dalpha = np.array([np.sum(dy * self.remembered())])
        dx: Array = self.alpha * dy
        return dx


def from_zero(num_features: int) -> BatchNorm:
    """Batch normalization whose gamma starts at 0."""
    layer = BatchNorm(num_features)
    layer.gamma[...] = 0.0
    return layer


@dataclass(frozen=True)
class Settings:
    """How a run is made."""

    hidden: int = 32
    """Units of the recurrent network."""
    reads: int = 8
    """Steps in which it reads an example: the rows of digits, eighths of digits1d."""
    width: int = 32
    blocks: int = 10
    """Of the residual network: its depth."""
    batch: int = 64
    steps: int = 180
    octaves: float = 1
    """How far the search for an arm's rate goes, to either side of where a wider look on the same seeds found it."""


def recurrent(norm: Callable[[int], Layer], features: int, seed: int, settings: Settings) -> Sequential:
    """A tanh network that reads an example step by step, and a linear readout of its last state."""
    rng = np.random.default_rng(seed)
    cell = Recurrent(settings.reads, features // settings.reads, settings.hidden, rng, norm)
    return Sequential(cell, Linear(settings.hidden, 10, rng, gain=1.0))


def residual(end: Callable[[int], Layer], features: int, seed: int, settings: Settings) -> Sequential:
    """Blocks x + end(W relu(x)): what stands at the end of the branch is all that the arms differ in."""
    rng, width = np.random.default_rng(seed), settings.width
    layers: list[Layer] = [Linear(features, width, rng, gain=1.0)]
    layers += [Residual(ReLU(), Linear(width, width, rng), end(width)) for _ in range(settings.blocks)]
    return Sequential(*layers, ReLU(), Linear(width, 10, rng, gain=1.0))


@dataclass(frozen=True)
class Arm:
    """What a network's layers have, and the rate around which the best is searched, as a power of two."""

    layer: Callable[[int], Layer]
    around: float


@dataclass(frozen=True)
class Contest:
    """A kind of network on a data set, with its arms: ``without`` is the alternative that is held against BN."""

    data: str
    network: Callable[[Callable[[int], Layer], int, int, Settings], Sequential]
    without: str
    arms: dict[str, Arm]


CONTESTS = {
    "recurrent digits": Contest(
        "digits",
        recurrent,
        "layer norm",
        {"none": Arm(Shift, -0.5), "layer norm": Arm(LayerNorm, -0.5), "batch norm": Arm(BatchNorm, 0.5)},
    ),
    "recurrent digits1d": Contest(
        "digits1d",
        recurrent,
        "layer norm",
        {"none": Arm(Shift, -1), "layer norm": Arm(LayerNorm, -0.5), "batch norm": Arm(BatchNorm, -1)},
    ),
    "residual digits1d": Contest(
        "digits1d",
        residual,
        "SkipInit",
        {
            "none": Arm(Shift, -4.5),
            "SkipInit": Arm(Multiplier, -0.5),
            "batch norm": Arm(BatchNorm, -2.5),
            "gamma 0": Arm(from_zero, -0.5),
        },
    ),
}


def train(contest: Contest, arm: str, rate: float, seed: int, parts: Data, settings: Settings) -> Sequential | None:
    """A trained network, or None when it diverged. All arms: the same weights, the same batches."""
    net = contest.network(contest.arms[arm].layer, parts.features, seed, settings)
    x, labels, order = parts.train.x, parts.train.labels, np.random.default_rng(seed + 1)
    optimizer = SGD(net.parameters(), rate)
    losses = fit(net, x, labels, optimizer, steps=settings.steps, batch_size=settings.batch, rng=order)
    return net if np.isfinite(losses[-1]) else None


def points(net: Sequential | None, part: Part, *, training: bool = False) -> float:
    """Percent of examples whose class is found; 10, as by guessing, when the training diverged."""
    return 10.0 if net is None else 100 * accuracy(net, part.x, part.labels, training=training)


def share_statistics(net: Sequential) -> Sequential:
    """The same recurrent network with one set of running statistics for all steps: those of the steps together."""
    shared = deepcopy(net)
    norms: Any = shared.layers[0].norms  # type: ignore[attr-defined]
    means, variances = [norm.running_mean for norm in norms], [norm.running_var for norm in norms]
    together = merge_statistics([1] * len(norms), means, variances)
    for norm in norms:
        norm.running_mean, norm.running_var = together
    return shared


def spreads(contest: Contest, seed: int, parts: Data, settings: Settings) -> dict[str, list[float]]:
    """Before training: the standard deviation of a batch before the first block and after each."""
    found = {}
    for name, arm in contest.arms.items():
        net = contest.network(arm.layer, parts.features, seed, settings)
        outputs = net.outputs(parts.train.x[: settings.batch], training=True)
        found[name] = [float(y.std()) for y in outputs[: settings.blocks + 1]]
    return found


def explored(name: str, nets: Mapping[str, Sequential | None], parts: Data) -> Values:
    """Beside the primary outcome: batch normalization with other statistics; what SkipInit has learned."""
    if name.startswith("recurrent"):
        net = nets["batch norm"]
        shared = None if net is None else share_statistics(net)
        other = {"shared": points(shared, parts.test), "of the batch": points(net, parts.test, training=True)}
        return {f"statistics {name}": other}
    net = nets["SkipInit"]
    learned = [] if net is None else [one for one in net.parameters() if one.name == "alpha"]
    return {"alphas": [float(one.value[0]) for one in learned]}


def tune(settings: Settings) -> dict[str, Any]:
    """The best rate of each arm in each contest, by validation accuracy, on one grid of half octaves."""
    parts = cache(data)

    def score(name: str, arm: str, rate: float, seed: int) -> float:
        on = parts(CONTESTS[name].data, seed)
        return points(train(CONTESTS[name], arm, rate, seed, on, settings), on.validation)

    def best(name: str, arm: str, around: float) -> dict[str, Any]:
        grid = half_octaves(around - settings.octaves, around + settings.octaves)
        return tuned(lambda rate, seed: score(name, arm, rate, seed), grid).plain()

    return {
        f"{name} {arm}": best(name, arm, one.around)
        for name, contest in CONTESTS.items()
        for arm, one in contest.arms.items()
    }


def trial(seed: int, settings: Settings, found: Any) -> Values:
    """Test accuracy of every arm in every contest, each at its own rate."""
    values: Values = {"effects": {}, "points": {}, "diverged": {}}
    for name, contest in CONTESTS.items():
        parts = data(contest.data, seed)
        nets = {a: train(contest, a, found[f"{name} {a}"]["rate"], seed, parts, settings) for a in contest.arms}
        reached = {arm: points(net, parts.test) for arm, net in nets.items()}
        values["effects"][name] = reached[contest.without] - reached["batch norm"]
        values["points"][name] = reached
        values["diverged"][name] = [arm for arm, net in nets.items() if net is None]
        values |= explored(name, nets, parts)
    values["spreads"] = spreads(CONTESTS["residual digits1d"], seed, data("digits1d", seed), settings)
    return values


EXPERIMENT = Experiment(
    name="panacea",
    title="Not a panacea",
    page="evidence/panacea",
    claim=(
        "Batch normalization is not a panacea: some architectures do better without it. Recurrent networks prefer "
        "layer normalization, and deep residual networks need no normalization at all."
    ),
    prediction=(
        "In the recurrent network layer normalization is ahead of batch normalization, by a point or two on digits1d "
        "and by less than one on digits, where all do well: its statistics change neither with the batch nor with the "
        "step. In the residual network SkipInit comes within two points of batch normalization, since both start near "
        "the identity; with neither of them the variance of the signal doubles in every block, only small rates "
        "train, and the accuracy stays far behind."
    ),
    primary=Primary(
        quantity=(
            "test accuracy without batch statistics (layer normalization in the recurrent network, SkipInit in the "
            "residual one) minus that with batch normalization"
        ),
        scale=Scale.DIFFERENCE,
        smallest=1.0,
        settings=tuple(CONTESTS),
        unit=" points",
    ),
    trial=trial,
    tune=tune,
    full=Settings(),
    reduced=Settings(hidden=8, reads=2, width=8, blocks=6, batch=32, steps=6, octaves=5),
    seeds=12,
)
