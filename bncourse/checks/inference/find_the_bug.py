"""What is asked of `find_the_bug`, and how is it got wrong?

The student's function examines layers that it may only observe, and chooses on which data. The bugs are those that
tests on standard data let pass; where nobody looks, such a layer is right.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..answers import Array
from ..asking import Asked
from ..calling import Signature
from ..draw import Draw
from ..exercise import Arguments, Exercise, Kind, Problem
from .choosing import SCALE, choice, says

NAMES = (
    "none",
    "batch statistics",
    "updates in evaluation",
    "no gamma and beta",
    "no eps",
    "shared arrays",
    "cancellation",
)
RIGHT, BATCH, UPDATES, NO_AFFINE, NO_EPS, SHARED, CANCELS = NAMES

WORDS = {
    RIGHT: "a layer without a bug",
    BATCH: "a layer that evaluates with the statistics of the batch it is given",
    UPDATES: "a layer that updates its statistics in evaluation",
    NO_AFFINE: "a layer that leaves gamma and beta out in evaluation",
    NO_EPS: "a layer that leaves eps out in evaluation",
    SHARED: "a layer that shares the arrays of its running statistics with other layers",
    CANCELS: "a layer that computes the variance as the mean of the squares minus the square of the mean",
}
"""What each bug is, in words."""

MOST_LIVES = 200
"""Of one layer in one question: a dozen are plenty."""


class AskedTooOften(RuntimeError):
    """The layer was observed without end."""


class Observed(str):
    """A layer that can be observed; as a string it says what is wrong with it, in a report as in JSON."""

    bug: str
    keras: bool
    """Whether it follows Keras's convention, which is no bug: it keeps the biased variance."""
    weight: float
    """Of the new batch in its running statistics."""

    def __new__(cls, bug: str, keras: bool, weight: float) -> "Observed":
        """A bug, a convention, a momentum."""
        layer = super().__new__(cls, WORDS[bug])
        layer.bug, layer.keras, layer.weight = bug, keras, weight
        return layer

    def fresh(self) -> Callable[..., dict[str, Array]]:
        """The function for one call of the student's: it counts."""
        lives = 0

        def observe(batches: Any, x: Any, gamma: Any, beta: Any, eps: float = 1e-5) -> dict[str, Array]:
            nonlocal lives
            lives += 1
            if lives > MOST_LIVES:
                raise AskedTooOften(f"observe was called more than {MOST_LIVES} times")
            return Life(self, *suitable(batches, x, gamma, beta), float(eps)).seen()

        return observe


def suitable(batches: Any, x: Any, gamma: Any, beta: Any) -> tuple[list[Array], Array, Array, Array]:
    """What observe was given, as arrays of its own; a sentence when it does not fit."""
    arrays = [np.array(one, float) for one in batches]
    x, gamma, beta = np.array(x, float), np.array(gamma, float), np.array(beta, float)
    if not arrays:
        raise ValueError("batches is empty: the layer is trained on at least one batch")
    if any(one.ndim != 2 or len(one) < 2 or one.shape[1:] != x.shape[1:] for one in (*arrays, x)):
        raise ValueError("every batch, and x, has to be of shape (N, D) with N of at least 2 and the same D")
    if gamma.shape != x.shape[1:] or beta.shape != x.shape[1:]:
        raise ValueError(f"gamma and beta have to be of shape {x.shape[1:]}")
    return arrays, x, gamma, beta


class Life:
    """What a layer does from its making to its last evaluation."""

    def __init__(
        self, layer: Observed, batches: Sequence[Array], x: Array, gamma: Array, beta: Array, eps: float
    ) -> None:
        self.layer, self.batches, self.x = layer, batches, x
        self.gamma, self.beta, self.eps = gamma, beta, eps
        self.mean, self.var = np.zeros(x.shape[1]), np.ones(x.shape[1])

    def variance(self, x: Array) -> Array:
        """The biased variance, as the layer computes it."""
        if self.layer.bug == CANCELS:
            return np.asarray((x * x).mean(axis=0) - x.mean(axis=0) ** 2)
        return np.asarray(x.var(axis=0))

    def track(self, x: Array) -> None:
        """Moves the running statistics."""
        weight, N = self.layer.weight, len(x)
        unbiased = 1.0 if self.layer.keras or N == 1 else N / (N - 1)
        self.mean = (1 - weight) * self.mean + weight * x.mean(axis=0)
        self.var = (1 - weight) * self.var + weight * unbiased * self.variance(x)

    def train(self, x: Array) -> Array:
        """A forward in training."""
        self.track(x)
        y: Array = self.gamma * (x - x.mean(axis=0)) / np.sqrt(self.variance(x) + self.eps) + self.beta
        return y

    def evaluate(self, x: Array) -> Array:
        """A forward in evaluation."""
        bug, mean, var = self.layer.bug, self.mean, self.var
        if bug == BATCH:
            mean, var = x.mean(axis=0), x.var(axis=0)
        x_hat: Array = (x - mean) / np.sqrt(var + (0.0 if bug == NO_EPS else self.eps))
        if bug == UPDATES:
            self.track(x)
        return x_hat if bug == NO_AFFINE else self.gamma * x_hat + self.beta

    def seen(self) -> dict[str, Array]:
        """Trains on every batch, evaluates x twice and then row by row, and makes another layer."""
        with np.errstate(all="ignore"):
            y_train = [self.train(batch) for batch in self.batches][-1]
            mean, var = self.mean, self.var
            y, y_again = self.evaluate(self.x), self.evaluate(self.x)
            alone = np.concatenate([self.evaluate(row[None]) for row in self.x])
        D, shared = self.x.shape[1], self.layer.bug == SHARED
        new_mean, new_var = (self.mean, self.var) if shared else (np.zeros(D), np.ones(D))
        found = {"y_train": y_train, "running_mean": mean, "running_var": var, "y": y, "y_again": y_again}
        found |= {"y_alone": alone, "new_mean": new_mean, "new_var": new_var}
        return {name: array.copy() for name, array in found.items()}


Observe = Callable[..., Mapping[str, Array]]


def close(one: Array, other: Array) -> bool:
    """Whether two arrays agree to six digits."""
    return bool(np.allclose(one, other, rtol=1e-6, atol=1e-9))


def examination(blind_to: str = "") -> Callable[[Observe], str]:
    """A function that finds every bug, or every one but the one that its data do not show."""

    def examined(observe: Observe) -> str:
        random = np.random.default_rng(0)
        N, centre = 8, np.array([5.0, -3.0, 2.0])
        spread = np.ones(3) if blind_to == NO_EPS else np.array([3.0, 0.5, 1e-3])
        batches = [centre + spread * random.standard_normal((N, 3)) for _ in range(3)]
        x = centre + spread + spread * random.standard_normal((N, 3))
        plain = blind_to == NO_AFFINE
        gamma, beta = (np.ones(3), np.zeros(3)) if plain else (np.array([2.0, -0.5, 3.0]), np.array([1.0, 0.3, -2.0]))
        eps = 1e-12 if blind_to == NO_EPS else 1e-3
        seen = observe(batches, x, gamma, beta, eps)
        if blind_to != SHARED and not (close(seen["new_mean"], np.zeros(3)) and close(seen["new_var"], np.ones(3))):
            return SHARED
        if not close(seen["y"], seen["y_again"]) and blind_to != UPDATES:
            return UPDATES
        x_hat = (x - seen["running_mean"]) / np.sqrt(seen["running_var"] + eps)
        if not close(seen["y"], gamma * x_hat + beta):
            if close(seen["y"], x_hat):
                return NO_AFFINE
            by_batch = gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps) + beta
            return BATCH if close(seen["y"], by_batch) else NO_EPS
        far = 1e8 + random.standard_normal((N, 3))
        right = gamma * (far - far.mean(axis=0)) / np.sqrt(far.var(axis=0) + eps) + beta
        y_train = observe([far], far, gamma, beta, eps)["y_train"]
        off = not np.allclose(y_train, right, rtol=0.01, atol=0.01)
        return CANCELS if off and blind_to != CANCELS else RIGHT

    return examined


def drawn(draw: Draw, problem: Problem) -> Arguments:
    """A layer; the size of the problem says with which bug."""
    return of_bug(draw, NAMES[problem.N % len(NAMES)])


def of_bug(draw: Draw, bug: str, keras: bool | None = None) -> Arguments:
    """A layer with this bug."""
    follows_keras = bool(draw.random.random() < 0.5) if keras is None else keras
    return (Observed(bug, follows_keras, float(draw.random.uniform(0.1, 0.5))),)


find_the_bug = Exercise(
    Signature("find_the_bug", ("observe",), ("name",), examination()),
    problem=drawn,
    scale=lambda arguments: SCALE,
    section="layer-modes",
    smallest=tuple((Observed(bug, False, 0.25),) for bug in NAMES),
    caller=choice(NAMES),
    probes=tuple(Problem(n, 1) for n in range(2 * len(NAMES))),
    whole_probes=(),
    words=NAMES,
)
exercise = find_the_bug


def finds(f: Asked, draw: Draw, bug: str) -> None:
    """Refuse an examination that does not find this bug, or finds one where there is none."""
    for _ in range(2):
        says(f, of_bug(draw, bug), NAMES, WORDS[bug])
        says(f, of_bug(draw, RIGHT, keras=False), NAMES, WORDS[RIGHT])


@exercise.property(points=1.25, nudge="On whom may the answer for one sample depend in evaluation?")
def finds_batch_statistics(f: Asked, draw: Draw) -> None:
    """finds a layer that evaluates with the batch's own statistics, and clears a right one"""
    finds(f, draw, BATCH)


@exercise.property(points=1.25, nudge="What should the same data give when they are evaluated a second time?")
def finds_updates_in_evaluation(f: Asked, draw: Draw) -> None:
    """finds a layer that updates its statistics in evaluation, and clears a right one"""
    finds(f, draw, UPDATES)


@exercise.property(points=1.25, nudge="With which gamma and beta would nobody notice that they are left out?")
def finds_missing_gamma_and_beta(f: Asked, draw: Draw) -> None:
    """finds a layer that leaves gamma and beta out in evaluation, and clears a right one"""
    finds(f, draw, NO_AFFINE)


@exercise.property(points=1.25, section="normalize-eps", nudge="Beside which variances does an eps show?")
def finds_missing_eps(f: Asked, draw: Draw) -> None:
    """finds a layer that leaves eps out in evaluation, and clears a right one"""
    finds(f, draw, NO_EPS)


@exercise.property(points=1.25, nudge="With what should a new layer start, whatever other layers have seen?")
def finds_shared_arrays(f: Asked, draw: Draw) -> None:
    """finds a layer whose running statistics are shared with other layers, and clears a right one"""
    finds(f, draw, SHARED)


@exercise.property(points=1.25, section="float32-variance", nudge="On which data is E[x²] - E[x]² a bad idea?")
def finds_cancellation(f: Asked, draw: Draw) -> None:
    """finds a layer that computes the variance as E[x²] - E[x]², and clears a right one"""
    finds(f, draw, CANCELS)


@exercise.property(
    points=1.5,
    needs="finds_batch_statistics",
    section="running-conventions",
    nudge="Is a running variance that is N / (N - 1) times smaller than you expect a bug, or a convention?",
)
def conventions_are_no_bugs(f: Asked, draw: Draw) -> None:
    """clears right layers, whichever convention their running statistics follow"""
    for keras in (True, True, False):
        says(f, of_bug(draw, RIGHT, keras), NAMES, f"{WORDS[RIGHT]}, in {'Keras' if keras else 'PyTorch'}'s convention")


# ---------------------------------------------------------------------------------------------------- blind in one eye

BLIND: dict[str, tuple[str, str, str]] = {
    NO_AFFINE: (
        "tests_with_gamma_one",
        "layer-modes",
        "You test with gamma = 1 and beta = 0, where it makes no difference whether they are there. Take a gamma other "
        "than 1 and a beta other than 0, as after some training.",
    ),
    NO_EPS: (
        "tests_where_eps_does_not_show",
        "normalize-eps",
        "You test where eps makes no difference: beside a variance of 1, one of 1e-5 is lost. Take a feature that "
        "hardly varies, or a large eps, and compare more closely.",
    ),
    UPDATES: (
        "evaluates_only_once",
        "layer-modes",
        "You look at one evaluation only. A layer that updates its statistics in evaluation answers rightly the first "
        "time; it is the second answer for the same data that is another one. Compare y_again with y.",
    ),
    SHARED: (
        "looks_at_one_layer_only",
        "layer-modes",
        "You look at one layer only, and in it everything is right. That two layers share an array shows in the other: "
        "a new layer has to start with mean 0 and variance 1, whatever the first has seen.",
    ),
    CANCELS: (
        "tests_near_zero_only",
        "float32-variance",
        "You test on data near 0, where the mean of the squares minus the square of the mean is right. Far from 0, at "
        "a mean of 1e8 and a deviation of 1, it has no digit left: look at y_train there.",
    ),
}
"""Of each bug: the name of the mistake not to see it, where it is explained, and what the student reads."""

for bug, (identifier, section, sentence) in BLIND.items():
    blind = examination(blind_to=bug)
    blind.__name__ = identifier
    exercise.misconception(Kind.ERROR, section, sentence)(blind)
