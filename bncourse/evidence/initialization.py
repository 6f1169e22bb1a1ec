"""Over how many decades of initialization scale does a network train, if every scale gets a learning rate of its own?

All weights of a network with He's initialization are multiplied by a scale, from 10⁻⁷ to 10⁷. Exploratory: only the
hidden layers' weights are; and another epsilon, which should move the lower end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from ..functional._arrays import Array
from ..nn import SGD, BatchNorm, Linear, accuracy, fit
from .arms import TUNING_SEEDS, Data, Part, data, mlp
from .experiment import Experiment, Primary, Scale, Values


@dataclass(frozen=True)
class Settings:
    """How a run is made."""

    hidden: tuple[int, ...] = (50, 50)
    batch: int = 50
    steps: int = 120
    decades: int = 7
    """Scales from 10^-decades to 10^decades."""
    bars: tuple[float, float, float] = (0.9, 0.95, 0.4)
    """Test accuracy from which a network "trains", for each of the primary's settings. A linear classifier, which needs
    no hidden layer to train, gets about 96 % on digits and 35 % on digits1d: the bars on digits ask for less than
    that, the other for more."""
    enough: tuple[float, float] = (0.77, 0.34)
    """On digits and digits1d: no further scale is looked at when even the best rate stays below, on validation data."""
    reach: int = 2
    """The rate is looked for so many times two octaves above and below the best one of the scale before."""


SETTINGS = {"digits, bar 90 %": "digits", "digits, bar 95 %": "digits", "digits1d, bar 40 %": "digits1d"}
ARMS = {"plain": None, "bn": BatchNorm, "bn, eps 1e-3": partial(BatchNorm, eps=1e-3)}
CASES = {  # data set, and whether the output layer is scaled too
    "digits": ("digits", True),
    "digits1d": ("digits1d", True),
    "digits, hidden layers only": ("digits", False),
}
RANGES = {  # the part of the decades, below and above 0, that is looked at: all of it for the primary outcome
    ("digits", "plain"): (7, 7),
    ("digits", "bn"): (7, 7),
    ("digits1d", "plain"): (7, 7),
    ("digits1d", "bn"): (7, 7),
    ("digits, hidden layers only", "plain"): (4, 4),
    ("digits, hidden layers only", "bn"): (4, 4),
    ("digits", "bn, eps 1e-3"): (7, 0),
}

STUCK = 0.2
"""Validation accuracy up to which a network is no better than guessing among few of the classes."""
MOST = 16
"""Coarse looks for a rate: thirty octaves."""


@cache
def split_of(name: str, seed: int) -> Data:
    """A split, made once: the search for rates asks for the same two again and again."""
    return data(name, seed)


def train(case: str, arm: str, decade: int, rate: float, seed: int, parts: Data, settings: Settings) -> Any:
    """A network after training from weights 10^decade times He's, and its last loss (inf if it overflowed).

    All arms: the same weights, the same batches.
    """
    net = mlp((parts.features, *settings.hidden, 10), np.random.default_rng(seed), norm=ARMS[arm])
    linear = [layer for layer in net.layers if isinstance(layer, Linear)]
    for layer in linear if CASES[case][1] else linear[:-1]:
        layer.weight *= 10.0**decade
    x, labels = parts.train.x, parts.train.labels
    options = {"steps": settings.steps, "batch_size": settings.batch, "rng": np.random.default_rng(seed + 1)}
    # Large weights have large losses from the start, which is no divergence: only an overflow is.
    losses = fit(net, x, labels, SGD(net.parameters(), rate), diverged_above=np.inf, **options)  # type: ignore[arg-type]
    return net, losses[-1]


def score(case: str, arm: str, decade: int, rate: float, seed: int, settings: Settings, part: str) -> float:
    """The accuracy that is reached on the validation or the test part; 0 after an overflow."""
    parts = split_of(CASES[case][0], seed)
    with np.errstate(over="ignore", invalid="ignore"):
        net, loss = train(case, arm, decade, rate, seed, parts, settings)
        examples: Part = getattr(parts, part)
        whole = all(np.all(np.abs(one.value) < 1e100) for one in net.parameters())  # its square is still a number
        return accuracy(net, examples.x, examples.labels) if whole and np.isfinite(loss) else 0.0


def best_rate(case: str, arm: str, decade: int, start: int, settings: Settings) -> tuple[int, float]:
    """The best rate as a power of √2, and its validation accuracy: from steps of two octaves to half octaves.

    The coarse steps go around ``start``, and on while the best is the outermost, so that the optimum is inside what was
    looked at; all but the last look at one tuning seed only. Where no rate gets anywhere there is no optimum, and the
    search ends. Raises ``ValueError`` when the best is still the outermost after so many octaves that the search itself
    must be wrong.
    """
    first, both = TUNING_SEEDS[:1], TUNING_SEEDS

    @cache
    def of_seed(position: int, seed: int) -> float:
        return score(case, arm, decade, 2.0 ** (position / 2), seed, settings, "validation")

    def look(position: int, seeds: tuple[int, ...]) -> float:
        return float(np.mean([of_seed(position, seed) for seed in seeds]))

    positions = [start + 4 * step for step in range(-settings.reach, settings.reach + 1)]
    best = max(positions, key=lambda p: look(p, first))
    while best in (positions[0], positions[-1]) and look(best, first) > STUCK:
        if len(positions) == MOST:
            raise ValueError(
                f"the best rate for {case}, {arm}, decade {decade} is at the edge of {MOST} looks: extend it"
            )
        positions = [positions[0] - 4, *positions] if best == positions[0] else [*positions, positions[-1] + 4]
        best = max(positions, key=lambda p: look(p, first))
    best = max((best - 2, best, best + 2), key=lambda p: look(p, first))
    best = max((best - 1, best, best + 1), key=lambda p: look(p, both))
    return best, look(best, both)


def tune(settings: Settings) -> dict[str, Any]:
    """For each case and arm the best rate of each scale, from scale 1 outwards until even that is far from training."""
    found: dict[str, Any] = {}
    for (case, arm), reaches in RANGES.items():
        enough = settings.enough[CASES[case][0] == "digits1d"]
        rates = {0: best_rate(case, arm, 0, 0, settings)}
        for side, most in zip((-1, 1), reaches, strict=True):
            for decade in range(side, side * (min(settings.decades, most) + 1), side):
                rates[decade] = best_rate(case, arm, decade, rates[decade - side][0], settings)
                if rates[decade][1] < enough:
                    break
        found[f"{case}: {arm}"] = {str(decade): 2.0 ** (rates[decade][0] / 2) for decade in sorted(rates)}
    return found


def ends(accuracies: Mapping[int, float], bar: float) -> tuple[float, float]:
    """The decades between which the bar is reached without a break around scale 1, linear between the whole ones.

    Two zeros if scale 1 itself misses it.

    >>> ends({-2: 0.1, -1: 0.8, 0: 1.0, 1: 0.8, 2: 1.0}, 0.9)
    (-0.5, 0.5)
    >>> ends({-1: 1.0, 0: 1.0, 1: 0.8}, 0.9)
    (-1.0, 0.5)
    """
    low, high = (_end(accuracies, bar, side) for side in (-1, 1))
    return low, high


def _end(accuracies: Mapping[int, float], bar: float, side: int) -> float:
    decade = 0
    if accuracies[0] < bar:
        return 0.0
    while decade + side in accuracies:
        here, there = accuracies[decade], accuracies[decade + side]
        if there < bar:
            return decade + side * (here - bar) / (here - there)
        decade += side
    return float(decade)


def trial(seed: int, settings: Settings, rates: Any) -> Values:
    """Test accuracy at every scale with that scale's rate; decades above the bar, with normalization minus without."""
    accuracies = {
        (case, arm): {
            int(decade): score(case, arm, int(decade), rate, seed, settings, "test")
            for decade, rate in rates[f"{case}: {arm}"].items()
        }
        for case, arm in RANGES
    }
    values: Values = {"effects": {}, "accuracy": {f"{case}: {arm}": v for (case, arm), v in accuracies.items()}}
    for (setting, case), bar in zip(SETTINGS.items(), settings.bars, strict=True):
        plain, bn = (np.diff(ends(accuracies[case, arm], bar))[0] for arm in ("plain", "bn"))
        values["effects"][setting] = bn - plain
    return values


def escape_steps(scale: float, rate: float = 1.0, eps: float | None = None) -> float:
    r"""Steps in which a chain of two hidden weights u and an output weight v leaves the neighbourhood of zero.

    Each weight's slope is the product of the other two: :math:`\dot u = \eta u v, \dot v = \eta u^2`, which from
    u = v = scale takes :math:`1/(\eta \cdot \text{scale})` steps to infinity. Far below the threshold of epsilon,
    normalization only divides by its root: the hidden weights act as :math:`u/\sqrt\varepsilon`, with the rate
    :math:`\eta/\varepsilon`, and that makes it :math:`\varepsilon/(\eta \cdot \text{scale})`.

    >>> round(escape_steps(1e-1), 6), round(escape_steps(1e-6, eps=1e-5), 6)
    (10.0, 10.0)
    """
    return (1.0 if eps is None else eps) / (rate * scale)


def preactivation_variance(name: str, seed: int) -> Array:
    """Variance over the training part of each pre-activation of the first hidden layer, at scale 1: (hidden,)."""
    parts, hidden = data(name, seed), Settings().hidden[0]
    layer = Linear(parts.features, hidden, np.random.default_rng(seed))
    variances: Array = np.var(layer.forward(parts.train.x, training=True), axis=0)
    return variances


EXPERIMENT = Experiment(
    name="initialization",
    title="Less sensitive to initialization",
    page="evidence/initialization",
    claim="Batch normalization makes a network less dependent on careful initialization of its weights.",
    prediction=(
        "With a learning rate tuned for each scale, batch normalization gains about five decades, all of them below: "
        "the lower end of the window falls by a factor of epsilon, and two decades less with epsilon 1e-3. Above it "
        "gains nothing: the output layer is not normalized, and a network without normalization only needs a rate as "
        "1/scale. So at the bar of 90 %, which that network can still reach at large scales, the gain may vanish. The "
        "best rate does not follow the square of the scale, as the normalized weights alone would ask for: the other "
        "parameters forbid it."
    ),
    primary=Primary(
        quantity="decades of initialization scale that train, with batch normalization minus without",
        scale=Scale.DIFFERENCE,
        smallest=1.0,
        settings=tuple(SETTINGS),
        unit=" decades",
    ),
    trial=trial,
    tune=tune,
    seeds=8,
    full=Settings(),
    reduced=Settings(hidden=(15, 15), steps=15, decades=1, bars=(0.5, 0.6, 0.15), enough=(0.0, 0.0), reach=1),
)
