"""Random cases in which the backward pass is right, however badly scaled the data are: no false alarm!

``draw(seed)`` gives one: a function of the course or one as a student would write it, with a shape, an ε between 1e-12
and 1, a scale between 1e-3 and 1e3, means up to 1e4 deviations away, often a feature that hardly varies or is constant,
a γ of 0, or a batch of two.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from bncourse import functional as F
from bncourse.gradcheck import gradcheck


class Case(NamedTuple):
    """One question for a gradient check, whose answer is yes."""

    name: str
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    inputs: tuple[np.ndarray, ...]


def with_numpys_variance(x, gamma, beta, eps):
    """As many would write it. ``np.var`` and ``np.std`` drop the imaginary part."""
    mean, var = x.mean(axis=0), np.var(x, axis=0)
    x_hat = (x - mean) / np.sqrt(var + eps)
    return gamma * x_hat + beta, (x_hat, gamma / np.sqrt(var + eps))


def in_one_line(dy, cache):
    """The closed form, for a cache of another layout."""
    x_hat, scale = cache
    dx = scale * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0))
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0, keepdims=True)


def into_a_real_buffer(x, gamma, beta, eps):
    """Feature by feature, into an array of type float."""
    y, x_hat, scale = np.empty(x.shape), np.empty(x.shape), np.empty(x.shape[1])
    for j in range(x.shape[1]):
        centred = x[:, j] - x[:, j].mean()
        scale[j] = gamma[j] / np.sqrt((centred**2).mean() + eps)
        x_hat[:, j] = centred / np.sqrt((centred**2).mean() + eps)
        y[:, j] = gamma[j] * x_hat[:, j] + beta[j]
    return y, (x_hat, scale)


DENSE = {
    "batchnorm": (F.batchnorm_forward, F.batchnorm_backward),
    "batchnorm graph": (F.batchnorm_forward, F.batchnorm_backward_graph),
    "layernorm": (F.layernorm_forward, F.layernorm_backward),
    "rmsnorm": (F.rmsnorm_forward, F.rmsnorm_backward),
    "np.var": (with_numpys_variance, in_one_line),
    "real buffer": (into_a_real_buffer, in_one_line),
}
IMAGES = {
    "batchnorm2d": (F.batchnorm2d_forward, F.batchnorm2d_backward),
    "instancenorm": (F.instancenorm_forward, F.instancenorm_backward),
    "groupnorm": (F.groupnorm_forward, F.groupnorm_backward),
}
INFERENCE = "batchnorm inference"


def draw(seed: int) -> Case:
    """Case number ``seed``."""
    rng = np.random.default_rng(seed)
    name = str(rng.choice([*DENSE, *IMAGES, INFERENCE]))
    groups = int(rng.integers(1, 4))
    shape = dense_shape(rng) if name not in IMAGES else (*rng.integers(1, 4, 1), 2 * groups, *rng.integers(2, 4, 2))
    x = badly_scaled(rng, tuple(int(n) for n in shape))
    eps = max(10 ** rng.uniform(-12, 0), (1e-7 * float(np.abs(x).max())) ** 2)  # or differences drown in rounding
    gamma, beta = rng.normal(size=(2, shape[1]))
    if rng.random() < 0.2:
        gamma[rng.integers(len(gamma))] = 0.0
    if name == INFERENCE:
        mean, var = x.mean(axis=0), x.var(axis=0)

        def inference(x, gamma, beta):
            return F.batchnorm_inference(x, gamma, beta, mean, var, eps), (x, gamma)

        def inference_backward(dy, cache):
            return F.batchnorm_inference_backward(dy, *cache, mean, var, eps)

        return Case(name, inference, inference_backward, (x, gamma, beta))
    forward, backward = (DENSE | IMAGES)[name]
    extra = {"eps": eps} | ({"groups": groups} if name == "groupnorm" else {})
    inputs = (x, gamma) if name == "rmsnorm" else (x, gamma, beta)
    return Case(name, lambda *a: forward(*a, **extra), backward, inputs)


def dense_shape(rng: np.random.Generator) -> tuple[int, int]:
    """(N, D), of two and more each: N = D, N > D and N < D, and often N = 2."""
    return int(rng.choice([2, 3, 4, 7, 12])), int(rng.integers(2, 9))


def badly_scaled(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Each feature (axis 1) with a mean and a deviation of its own; means up to 1e4 deviations away, 1e7 for one."""
    features, scale = shape[1], 10 ** rng.uniform(-3, 3)
    deviation = scale * rng.uniform(0.5, 2, features)
    mean = deviation * rng.normal(size=features) * 10 ** rng.uniform(-1, 4)
    j = rng.integers(features)
    if rng.random() < 0.5:
        mean[j], deviation[j] = scale * rng.normal(), scale * 10 ** rng.uniform(-7, -2)
    elif rng.random() < 0.2:
        deviation[j] = 0.0
    beside = (slice(None), *[None] * (len(shape) - 2))
    return mean[beside] + deviation[beside] * rng.normal(size=shape)


def false_alarms(method: str, count: int) -> list[str]:
    """The cases of the first ``count`` in which a gradient check by this method wrongly says no."""
    return [
        f"case {seed}, {case.name}\n{report}"
        for seed, case in ((seed, draw(seed)) for seed in range(count))
        if not (report := gradcheck(case.forward, case.backward, case.inputs, method=method, seed=seed))
    ]
