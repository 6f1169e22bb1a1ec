"""Which steps make up a layer's life?

They hold what belongs to all five forwards, one row a forward, and after them what the layer shows, by name.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ...answers import Array
from ...inputs import EPS
from ...layers import LIFE
from .asked import ASKED, MOMENTUM, OTHER, TRAINING
from .asked import batchnorm_layer as exercise

steps = exercise.in_steps()


@steps.step
def start_gamma(at: Any) -> Any:
    """gamma of a new layer: ones"""
    return np.ones(at.x.shape[1])


@steps.step
def start_beta(at: Any) -> Any:
    """beta of a new layer: zeros"""
    return np.zeros(at.x.shape[1])


@steps.step
def start_mean(at: Any) -> Any:
    """running_mean of a new layer: zeros"""
    return np.zeros(at.x.shape[1])


@steps.step
def start_var(at: Any) -> Any:
    """running_var of a new layer: ones"""
    return np.ones(at.x.shape[1])


@steps.step
def layer_eps(at: Any) -> Any:
    """the eps that the layer uses: the one it was made with"""
    return at.eps


@steps.step
def default_eps(at: Any) -> Any:
    """the eps of a layer made without one: 1e-5"""
    return EPS


@steps.step
def default_momentum(at: Any) -> Any:
    """the momentum of a layer made without one: 0.1"""
    return MOMENTUM


@steps.step
def batches(at: Any) -> Any:
    """what the five forwards get: x and x2 in training, x in evaluation, x in training, x in another layer"""
    return np.stack([at.x, at.x2, at.x, at.x, at.x])


@steps.step
def N(at: Any) -> Any:
    """the number of samples"""
    return len(at.x)


@steps.step
def mean(at: Any) -> Any:
    """the mean of each batch"""
    return at.batches.mean(axis=1)


@steps.step
def var(at: Any) -> Any:
    """the biased variance of each batch"""
    centred = at.batches - at.mean[:, None]
    return (centred * centred).mean(axis=1)


@steps.step
def counts(at: Any) -> Any:
    """how many batches the layer has tracked, after each forward"""
    return np.array([*np.cumsum(TRAINING[:OTHER]), 1.0])


@steps.step
def weight(at: Any) -> Any:
    """the weight of the new batch: momentum; or one over the number of batches when that is None"""
    return weights(at, lambda momentum: momentum, lambda count: 1.0 / max(count, 1.0))


@steps.step
def old_weight(at: Any) -> Any:
    """the weight of the old running value: the rest to 1"""
    return 1.0 - at.weight


@steps.step
def updates(at: Any) -> Any:
    """which forwards update the running statistics: those in training"""
    return TRAINING


@steps.step
def tracked_mean(at: Any) -> Any:
    """the mean that goes into running_mean: the batch's"""
    return at.mean


@steps.step
def running_mean(at: Any) -> Any:
    """running_mean after each forward: old weight times old value, plus weight times the batch's"""
    return tracked(at, at.start_mean, at.tracked_mean)


@steps.step
def tracked_var(at: Any) -> Any:
    """the variance that goes into running_var: the unbiased one, var times N / (N - 1)"""
    return at.var * at.N / (at.N - 1)


@steps.step
def running_var(at: Any) -> Any:
    """running_var after each forward: old weight times old value, plus weight times the batch's"""
    return tracked(at, at.start_var, at.tracked_var)


@steps.step
def by_batch(at: Any) -> Any:
    """which forwards normalize by the batch's own statistics: those in training"""
    return TRAINING


@steps.step
def used_mean(at: Any) -> Any:
    """the mean that is subtracted: the batch's in training, the running one in evaluation"""
    return np.where(at.by_batch[:, None], at.mean, at.running_mean[[0, 1, 1, 3, 4]])


@steps.step
def used_var(at: Any) -> Any:
    """the variance that is divided by: the batch's in training, the running one in evaluation"""
    return np.where(at.by_batch[:, None], at.var, at.running_var[[0, 1, 1, 3, 4]])


@steps.step
def std(at: Any) -> Any:
    """the root of that variance plus eps"""
    return np.sqrt(at.used_var + eps_of(at))


@steps.step
def x_hat(at: Any) -> Any:
    """the distance from the mean, divided by std"""
    return (at.batches - at.used_mean[:, None]) / at.std[:, None]


@steps.step
def y(at: Any) -> Any:
    """gamma times x_hat, plus beta"""
    gamma, beta = affine(at)
    return gamma * at.x_hat + beta


@steps.step
def dx_hat(at: Any) -> Any:
    """dy times gamma"""
    return at.dy * at.gamma


@steps.step
def by_paths(at: Any) -> Any:
    """which backwards go through mean and variance: those after a forward in training"""
    return TRAINING[list(ASKED)]


@steps.step
def paths(at: Any) -> Any:
    """what comes to x through mean and variance: nothing in evaluation"""
    return at.by_paths[:, None, None] * through_statistics(at.dx_hat, at.x_hat[list(ASKED)])


@steps.step
def dx(at: Any) -> Any:
    """dx_hat and what comes through mean and variance, over std"""
    return (at.dx_hat + at.paths) / at.std[list(ASKED)][:, None]


@steps.step
def dgamma(at: Any) -> Any:
    """the sum over the batch of dy times x_hat"""
    return (at.dy * at.x_hat[list(ASKED)]).sum(axis=1)


@steps.step
def dbeta(at: Any) -> Any:
    """the sum over the batch of dy"""
    return np.stack([at.dy.sum(axis=0)] * len(ASKED))


@steps.step
def num_batches_tracked(at: Any) -> Any:
    """the count that the layer shows"""
    return at.counts


def weights(at: Any, given: Callable[[float], float], none: Callable[[float], float]) -> Array:
    """The weight of each forward, (5, 1): what becomes of a given momentum, and of the count when there is none."""
    momenta = [at.momentum] * OTHER + [at.default_momentum]
    numbers = [none(c) if m is None else given(m) for m, c in zip(momenta, at.counts, strict=True)]
    return np.array(numbers)[:, None]


def tracked(at: Any, start: Array, new: Array) -> Array:
    """A running value after each of the five forwards."""
    old, after = start, []
    for n in range(len(TRAINING)):
        old = start if n == OTHER else old
        old = at.old_weight[n] * old + at.weight[n] * new[n] if at.updates[n] else old
        after.append(old)
    return np.stack(after)


def eps_of(at: Any) -> Array:
    """The eps of each forward, (5, 1)."""
    return np.array([at.layer_eps] * OTHER + [at.default_eps])[:, None]


def affine(at: Any) -> tuple[Array, Array]:
    """Gamma and beta of each forward, (5, 1, D)."""
    gamma = np.stack([at.gamma] * OTHER + [at.start_gamma])
    beta = np.stack([at.beta] * OTHER + [at.start_beta])
    return gamma[:, None], beta[:, None]


def through_statistics(dx_hat: Array, x_hat: Array) -> Array:
    """What comes back through mean and variance, times std."""
    result: Array = -dx_hat.mean(axis=-2, keepdims=True) - x_hat * (dx_hat * x_hat).mean(axis=1, keepdims=True)
    return result


SHOWN: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "gamma_0": ("gamma when the layer is new", lambda at: at.start_gamma),
    "beta_0": ("beta when the layer is new", lambda at: at.start_beta),
    "running_mean_0": ("running_mean when the layer is new", lambda at: at.start_mean),
    "running_var_0": ("running_var when the layer is new", lambda at: at.start_var),
    "num_batches_tracked_0": ("the count when the layer is new", lambda at: 0.0),
    "gamma_end": ("gamma at the end, untouched", lambda at: at.gamma),
    "beta_end": ("beta at the end, untouched", lambda at: at.beta),
    "running_mean_other_0": ("running_mean when another layer is new", lambda at: at.start_mean),
    "running_var_other_0": ("running_var when another layer is new", lambda at: at.start_var),
    "gamma_default": ("gamma of another layer, untouched", lambda at: at.start_gamma),
    "beta_default": ("beta of another layer, untouched", lambda at: at.start_beta),
}
"""What the layer shows of these steps, by name."""

AFTER = {"1": 0, "2": 1, "after_eval": 2, "3": 3, "default": OTHER}
"""The forward after which running statistics are looked at."""

OUTPUT = {"train": 0, "train_2": 1, "eval": 2, "again": 3, "default": OTHER}
BACKWARDS = {"train": 0, "eval": 1, "again": 2}


def part(step: str, n: int) -> Callable[[Any], Any]:
    """One forward's or backward's row of a step."""
    return lambda at: getattr(at, step)[n]


for step_name in ("running_mean", "running_var", "num_batches_tracked"):
    for when, n in AFTER.items():
        SHOWN[f"{step_name}_{when}"] = (f"{step_name} after forward {n + 1}", part(step_name, n))
for when, n in OUTPUT.items():
    SHOWN[f"y_{when}"] = (f"what forward {n + 1} returns", part("y", n))
for step_name in ("dx", "dgamma", "dbeta"):
    for when, n in BACKWARDS.items():
        SHOWN[f"{step_name}_{when}"] = (f"{step_name} of the backward in {when}", part(step_name, n))

for name in LIFE:
    words, value = SHOWN[name]
    value.__name__, value.__doc__ = name, words
    steps.step(value)
