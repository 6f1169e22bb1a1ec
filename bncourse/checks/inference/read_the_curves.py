"""What is asked of `read_the_curves`, and how is it got wrong?

The curves are those of real trainings, of a model so small that one takes a millisecond: batch normalization, then one
linear output, on inputs whose means are far from 0.
"""

import numpy as np

from ..answers import Array
from ..asking import Asked
from ..calling import Signature
from ..draw import Draw
from ..exercise import Arguments, Exercise, Kind, Problem
from .choosing import SCALE, choice, says

NAMES = ("none", "batch statistics", "updates in evaluation", "never stored")
RIGHT, BATCH, UPDATES, STALE = NAMES
FAR = 3.0
"""So many times the training loss, at the end, is what the exercise calls far above it."""

HARDLY = 1.01
"""A factor that six digits show."""

EPOCHS = 6
BATCHES, SIZE, NEW, D = 8, 20, 16, 3
CLEARLY = 2.0
"""A gap is far from what the exercise calls far, by this factor."""


class Model:
    """Batch normalization, with one of the bugs, and a linear output trained by gradient descent."""

    def __init__(self, bug: str, momentum: float) -> None:
        self.bug, self.momentum = bug, momentum
        self.mean, self.var = np.zeros(D), np.ones(D)
        self.weight, self.bias = np.zeros(D), 0.0

    def track(self, x: Array) -> None:
        """Moves the running statistics."""
        self.mean = (1 - self.momentum) * self.mean + self.momentum * x.mean(axis=0)
        self.var = (1 - self.momentum) * self.var + self.momentum * x.var(axis=0)

    def step(self, x: Array, target: Array, rate: float) -> float:
        """One step of training on a batch; its loss."""
        x_hat = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5)
        if self.bug != STALE:
            self.track(x)
        off = x_hat @ self.weight + self.bias - target
        self.weight = self.weight - rate * 2 * off @ x_hat / len(x)
        self.bias = self.bias - rate * 2 * off.mean()
        return float((off * off).mean())

    def one_by_one(self, x: Array, target: Array) -> float:
        """The loss in evaluation, a row at a time."""
        rows = x[:, None], target[:, None]
        if self.bug != UPDATES:
            return self.evaluated(*rows)
        return float(np.mean([self.evaluated(*row) for row in zip(*rows, strict=True)]))

    def evaluated(self, x: Array, target: Array) -> float:
        """The loss in evaluation, of all rows at once; of every row alone where x is (N, 1, D)."""
        mean, var = self.mean, self.var
        if self.bug == BATCH:
            mean, var = x.mean(axis=-2, keepdims=True), x.var(axis=-2, keepdims=True)
        off = (x - mean) / np.sqrt(var + 1e-5) @ self.weight + self.bias - target
        if self.bug == UPDATES:
            self.track(x)
        return float((off * off).mean())


def curves(draw: Draw, bug: str, quick: bool = False) -> Arguments:
    """One training: the four curves, one number an epoch; drawn again until it is a clear case.

    ``quick``: the running statistics forget their start within the first epoch.
    """
    while True:
        found = training(draw, bug, quick)
        if is_clear(found, bug, quick):
            return found


def is_clear(found: tuple[Array, ...], bug: str, quick: bool) -> bool:
    """A healthy layer ends near the training loss, and begins far above it unless it is quick; one that never stored
    ends far above."""
    train, together, *_ = found
    begins, ends = together[0] / train[0], together[-1] / train[-1]
    if bug == STALE:
        return bool(ends > FAR * CLEARLY)
    begins_so = begins < FAR / CLEARLY if quick else begins > FAR * 1.2
    return bug != RIGHT or bool(begins_so and 1 / CLEARLY < ends < FAR / CLEARLY)


def training(draw: Draw, bug: str, quick: bool) -> tuple[Array, Array, Array, Array]:
    """Train the model on fresh data, and evaluate it after every epoch."""
    random = draw.random
    centre, spread = draw.away_from_zero(D, 5.0, 8.0), random.uniform(0.6, 1.2, D)
    true, noise = draw.away_from_zero(D, 0.8, 1.5), random.uniform(0.5, 0.7)

    def data(count: int) -> tuple[Array, Array]:
        z = random.standard_normal((count, D))
        return centre + spread * z, z @ true + 2.0 + noise * random.standard_normal(count)

    x, target = data(BATCHES * SIZE)
    x_new, target_new = data(NEW)
    model, rate = (
        Model(bug, float(random.uniform(0.4, 0.5) if quick else random.uniform(0.07, 0.09))),
        random.uniform(0.08, 0.12),
    )
    found = []
    for _ in range(EPOCHS):
        orders = np.split(random.permutation(len(x)), BATCHES)
        train = np.mean([model.step(x[order], target[order], rate) for order in orders])
        together, again = model.evaluated(x_new, target_new), model.evaluated(x_new, target_new)
        found.append((train, together, model.one_by_one(x_new, target_new), again))
    train_, together_, alone_, again_ = np.array(found).T
    return train_.copy(), together_.copy(), alone_.copy(), again_.copy()


def drawn(draw: Draw, problem: Problem) -> Arguments:
    """A training; the size of the problem says with which bug, and whether quick. D = 3 lets the second answer be the
    worse one, as it is where the new data lead astray."""
    train, together, alone, again = curves(draw, NAMES[problem.N % len(NAMES)], quick=problem.D > 1)
    return (train, again, alone, together) if problem.D == 3 else (train, together, alone, again)


def same(one: Array, other: Array) -> bool:
    """Whether two curves agree to six digits."""
    return bool(np.allclose(one, other, rtol=1e-6, atol=0.0))


def reading(train: Array, together: Array, alone: Array, again: Array) -> str:
    """Which promise the layer breaks, the most telling one first."""
    if not same(together, again):
        return UPDATES
    if not same(together, alone):
        return BATCH
    return STALE if together[-1] > FAR * train[-1] else RIGHT


read_the_curves = Exercise(
    Signature("read_the_curves", ("train", "together", "alone", "again"), ("name",), reading),
    problem=drawn,
    scale=lambda arguments: SCALE,
    section="layer-modes",
    smallest=tuple(
        (np.array([8.0, 2.0]), *map(np.array, others))
        for others in (
            ([10.0, 3.0], [20.0, 20.0], [10.0, 3.0]),
            ([10.0, 3.0], [12.0, 5.0], [11.0, 4.0]),
            ([90.0, 80.0], [90.0, 80.0], [90.0, 80.0]),
            ([90.0, 3.0], [90.0, 3.0], [90.0, 3.0]),
            ([10.0, 3.0], [10.0, 3.0], [10.0, 3.0]),
        )
    ),
    axes={"train": "T", "together": "T", "alone": "T", "again": "T"},
    caller=choice(NAMES),
    probes=(*(Problem(n, 1) for n in range(8)), Problem(0, 2), Problem(4, 2), Problem(2, 3), Problem(6, 3)),
    whole_probes=(),
    words=NAMES,
)
exercise = read_the_curves


def tells_from_healthy(f: Asked, draw: Draw, bug: str, what: str) -> None:
    """Refuse a reading that does not see this bug, or sees one where there is none."""
    for quick in (False, True):
        says(f, curves(draw, bug, quick), NAMES, what)
        says(f, curves(draw, RIGHT, quick), NAMES, "a healthy layer")


@exercise.property(
    points=2, nudge="Which two of the four curves differ when the same data, asked twice, gets two answers?"
)
def sees_updates_in_evaluation(f: Asked, draw: Draw) -> None:
    """knows a layer that updates its statistics in evaluation from a healthy one"""
    tells_from_healthy(f, draw, UPDATES, "a layer that updates its statistics in evaluation")
    train, together, alone, again = curves(draw, RIGHT)
    for factor in (HARDLY, 1 / HARDLY):
        says(f, (train, together, alone, again * factor), NAMES, "a layer that hardly updates in evaluation, but does")


@exercise.property(
    points=2, nudge="Which two of the four curves differ when an answer depends on the other samples in the batch?"
)
def sees_batch_statistics(f: Asked, draw: Draw) -> None:
    """knows a layer that evaluates with the statistics of the batch it is given from a healthy one"""
    tells_from_healthy(f, draw, BATCH, "a layer that evaluates with the batch's statistics")
    train, together, alone, again = curves(draw, RIGHT)
    for factor in (HARDLY, 1 / HARDLY):
        says(f, (train, together, alone * factor, again), NAMES, "a layer that answers a little otherwise alone")


@exercise.property(
    points=2,
    nudge="Where do the curves lie at the end when evaluation uses the mean 0 and the variance 1 of the start?",
)
def sees_statistics_never_stored(f: Asked, draw: Draw) -> None:
    """knows a layer whose running statistics stay at their start from a healthy one"""
    tells_from_healthy(f, draw, STALE, "a layer whose running statistics are never stored")


@exercise.misconception(Kind.ERROR, "layer-modes")
def alone_before_again(train: Array, together: Array, alone: Array, again: Array) -> str:
    """You look at `alone` before `again`. A layer that updates in evaluation also answers otherwise one sample at a
    time, since every call moves its statistics; that the same data gets another answer the second time is what tells
    it apart. Ask about `again` first."""
    if not same(together, alone):
        return BATCH
    return reading(train, together, alone, again)


@exercise.misconception(Kind.ERROR, "layer-modes")
def blind_to_the_second_time(train: Array, together: Array, alone: Array, again: Array) -> str:
    """You never compare `again` with `together`. Evaluating twice is the one test that shows statistics which move in
    evaluation: the first answer is still right."""
    if not same(together, alone):
        return RIGHT if not same(together, again) else BATCH
    return reading(train, together, alone, again)


@exercise.misconception(Kind.ERROR, "layer-modes")
def judges_by_the_first_epoch(train: Array, together: Array, alone: Array, again: Array) -> str:
    """You compare evaluation with training at the beginning. After an epoch the running statistics still hold much of
    their start, and a healthy layer evaluates badly too. What counts is where the curves end."""
    if same(together, again) and same(together, alone):
        return STALE if together[0] > FAR * train[0] else RIGHT
    return reading(train, together, alone, again)


@exercise.misconception(Kind.ERROR, "layer-modes")
def judges_by_the_gap_alone(train: Array, together: Array, alone: Array, again: Array) -> str:
    """You judge by the gap between evaluation and training alone. With the statistics of one large batch the loss looks
    perfect: that an answer depends on its neighbours shows only one sample at a time."""
    if not same(together, again):
        return UPDATES
    return STALE if together[-1] > FAR * train[-1] else RIGHT


@exercise.misconception(Kind.ERROR, "layer-modes")
def every_gap_is_a_bug(train: Array, together: Array, alone: Array, again: Array) -> str:
    """You call every difference between evaluation and training a bug. The two modes are two functions, on other data:
    their losses always differ somewhat. The exercise says how far is far."""
    if same(together, again) and same(together, alone):
        return RIGHT if same(together, train) else STALE
    return reading(train, together, alone, again)
