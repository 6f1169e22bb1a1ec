"""Every function of the table: how to draw its arguments, and an obvious version of it.

The obvious versions are plain formulas over an array module ``np``, so that they run under NumPy (also on complex
numbers, since squares are products and not absolute values) and under HIPS autograd.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bncourse import functional

EPS = 0.1


def statistics(np, x, axes):
    mean = np.mean(x, axis=axes, keepdims=True)
    return mean, np.mean((x - mean) * (x - mean), axis=axes, keepdims=True)


def normalized(np, x, axes):
    mean, var = statistics(np, x, axes)
    return (x - mean) / np.sqrt(var + EPS)


def channel(stat):
    return stat[:, None, None]


def grouped(np, x, gamma, beta, groups):
    n, c, h, w = x.shape
    return normalized(np, x.reshape(n, groups, c // groups * h * w), (2,)).reshape(x.shape) * channel(gamma) + channel(
        beta
    )


def moved(np, running_mean, running_var, x, axes, m):
    mean, var = statistics(np, x, axes)
    return 0.7 * running_mean + 0.3 * mean.ravel(), 0.7 * running_var + 0.3 * var.ravel() * m / (m - 1)


def merged(np, counts, means, variances):
    share = counts / np.sum(counts)
    mean = share @ means
    return mean, share @ (variances + means * means) - mean * mean


def synchronized(np, x, means, variances, gamma, beta):
    mean, var = merged(np, COUNTS[: len(means)], means, variances)
    std = np.sqrt(var + EPS)
    x_hat = (x - channel(mean)) / channel(std)
    return channel(gamma) * x_hat + channel(beta), x_hat, std


def synchronized_gradients(np, dy, x_hat, std, gamma, sums_dy, sums_dy_x_hat):
    dbeta, dgamma, n = np.sum(sums_dy, axis=0), np.sum(sums_dy_x_hat, axis=0), np.sum(COUNTS[: len(sums_dy)])
    return channel(gamma / std) * (dy - channel(dbeta) / n - x_hat * channel(dgamma) / n), dgamma, dbeta


def folded(np, weight, bias, gamma, beta, mean, var):
    scale = gamma / np.sqrt(var + EPS)
    return (weight.T * scale).T, scale * (bias - mean) + beta


def fixed(np, x, gamma, beta, mean, var):
    return gamma * (x - mean) / np.sqrt(var + EPS) + beta


def normalize_partials(np, dx_hat, x, mean, var):
    std = np.sqrt(var + EPS)
    return dx_hat / std, -np.sum(dx_hat / std, axis=0), -np.sum(dx_hat * (x - mean) / std**3, axis=0) / 2


def obvious(np) -> dict[str, Callable[..., Any]]:
    """The forward functions in plain formulas (the backwards are checked against derivatives of these)."""
    return {
        "batch_mean": lambda x: np.mean(x, axis=0),
        "batch_variance": lambda x: np.mean((x - np.mean(x, axis=0)) * (x - np.mean(x, axis=0)), axis=0),
        "normalize": lambda x, mean, var: (x - mean) / np.sqrt(var + EPS),
        "scale_shift": lambda x_hat, gamma, beta: gamma * x_hat + beta,
        "batchnorm_forward": lambda x, gamma, beta: gamma * normalized(np, x, (0,)) + beta,
        "identity_parameters": lambda x: (
            np.sqrt(statistics(np, x, (0,))[1].ravel() + EPS),
            statistics(np, x, (0,))[0].ravel(),
        ),
        "update_running_stats": lambda rm, rv, x: moved(np, rm, rv, x, (0,), x.shape[0]),
        "update_running_stats2d": lambda rm, rv, x: moved(np, rm, rv, x, (0, 2, 3), x.size // x.shape[1]),
        "merge_statistics": lambda means, variances: merged(np, COUNTS[: len(means)], means, variances),
        "batchnorm_inference": lambda x, *rest: fixed(np, x, *rest),
        "batchnorm2d_inference": lambda x, *rest: fixed(np, x, *(channel(r) for r in rest)),
        "fold_linear": lambda *arguments: folded(np, *arguments),
        "fold_conv2d": lambda *arguments: folded(np, *arguments),
        "batchnorm2d_forward": lambda x, gamma, beta: channel(gamma) * normalized(np, x, (0, 2, 3)) + channel(beta),
        "channel_statistics": lambda x: tuple(s.ravel() for s in statistics(np, x, (0, 2, 3))),
        "syncbn_forward": lambda *arguments: synchronized(np, *arguments),
        "syncbn_backward": lambda *arguments: synchronized_gradients(np, *arguments),
        "layernorm_forward": lambda x, gamma, beta: gamma * normalized(np, x, (1,)) + beta,
        "instancenorm_forward": lambda x, gamma, beta: channel(gamma) * normalized(np, x, (2, 3)) + channel(beta),
        "groupnorm_forward": lambda x, gamma, beta: grouped(np, x, gamma, beta, 2),
        "rmsnorm_forward": lambda x, gamma: gamma * x / np.sqrt(np.mean(x * x, axis=1, keepdims=True) + EPS),
        "scale_shift_backward": lambda dy, x_hat, gamma: (gamma * dy, np.sum(dy * x_hat, axis=0), np.sum(dy, axis=0)),
        "normalize_backward": lambda *arguments: normalize_partials(np, *arguments),
        "batchnorm_inference_backward": lambda dy, x, gamma, mean, var: (
            gamma * dy / np.sqrt(var + EPS),
            np.sum(dy * (x - mean) / np.sqrt(var + EPS), axis=0),
            np.sum(dy, axis=0),
        ),
    }


COUNTS = np.array([3.0, 1.0, 0.0, 7.0, 2.0])


@dataclass(frozen=True)
class Case:
    """One function of the table, called with drawn arrays; ``shape`` is (N, D) or (N, C, H, W)."""

    name: str
    call: Callable[..., Any]
    draw: Callable[..., tuple[Any, ...]]
    images: bool = False

    def arguments(self, seed: int, dtype: Any = np.float64, shape: tuple[int, ...] | None = None) -> tuple[Any, ...]:
        rng = np.random.default_rng(seed)
        shape = shape or ((3, 4, 2, 3) if self.images else (7, 4))

        def array(*size: int, low: float = -2.0) -> Any:
            values = rng.uniform(low, 3.0, size)
            if np.issubdtype(dtype, np.complexfloating):
                values = values + 0.1j * rng.uniform(-1.0, 1.0, size)
            return np.round(4 * values).astype(dtype) if np.issubdtype(dtype, np.integer) else values.astype(dtype)

        return tuple(np.ascontiguousarray(a) for a in self.draw(array, shape))


def _x(a, s):
    return (a(*s),)


def _layer(a, s):
    return a(*s), a(s[1]), a(s[1])


def _running(a, s):
    return a(s[1]), a(s[1], low=1.0), a(*s)


def _fixed(a, s):
    return a(*s), a(s[1]), a(s[1]), a(s[1]), a(s[1], low=1.0)


def _fold(a, s):
    return a(*s), *(a(s[0]) for _ in range(4)), a(s[0], low=1.0)


def _devices(a, s):
    return a(*s), a(s[0], s[1]), a(s[0], s[1], low=1.0), a(s[1]), a(s[1])


def _device_gradients(a, s):
    return a(*s), a(*s), a(s[1], low=1.0), a(s[1]), a(s[0], s[1]), a(s[0], s[1])


def _with_eps(f):
    return lambda *arguments: f(*arguments, eps=EPS)


def _output(f):
    return lambda *arguments: f(*arguments, eps=EPS)[0]


def _grouped(x, gamma, beta):
    return functional.groupnorm_forward(x, gamma, beta, groups=2, eps=EPS)[0]


F = functional
CASES = [
    Case("batch_mean", F.batch_mean, _x),
    Case("batch_variance", F.batch_variance, _x),
    Case("normalize", _with_eps(F.normalize), lambda a, s: (a(*s), a(s[1]), a(s[1], low=1.0))),
    Case("scale_shift", F.scale_shift, _layer),
    Case("batchnorm_forward", _output(F.batchnorm_forward), _layer),
    Case("identity_parameters", _with_eps(F.identity_parameters), _x),
    Case("update_running_stats", lambda *a: F.update_running_stats(*a, momentum=0.3), _running),
    Case("update_running_stats2d", lambda *a: F.update_running_stats2d(*a, momentum=0.3), _running, images=True),
    Case(
        "merge_statistics",
        lambda means, variances: F.merge_statistics(COUNTS[: len(means)], means, variances),
        lambda a, s: (a(min(s[0], 5), s[1]), a(min(s[0], 5), s[1], low=1.0)),
    ),
    Case("batchnorm_inference", _with_eps(F.batchnorm_inference), _fixed),
    Case("batchnorm2d_inference", _with_eps(F.batchnorm2d_inference), _fixed, images=True),
    Case("fold_linear", _with_eps(F.fold_linear), _fold),
    Case("fold_conv2d", _with_eps(F.fold_conv2d), _fold, images=True),
    Case("batchnorm2d_forward", _output(F.batchnorm2d_forward), _layer, images=True),
    Case("channel_statistics", F.channel_statistics, _x, images=True),
    Case(
        "syncbn_forward",
        lambda x, means, *rest: F.syncbn_forward(x, COUNTS[: len(means)], means, *rest, eps=EPS),
        _devices,
        images=True,
    ),
    Case(
        "syncbn_backward",
        lambda dy, x_hat, std, gamma, *sums: F.syncbn_backward(dy, x_hat, std, gamma, COUNTS[: len(sums[0])], *sums),
        _device_gradients,
        images=True,
    ),
    Case("layernorm_forward", _output(F.layernorm_forward), _layer),
    Case("instancenorm_forward", _output(F.instancenorm_forward), _layer, images=True),
    Case("groupnorm_forward", _grouped, _layer, images=True),
    Case("rmsnorm_forward", _output(F.rmsnorm_forward), lambda a, s: (a(*s), a(s[1]))),
    Case("scale_shift_backward", F.scale_shift_backward, lambda a, s: (a(*s), a(*s), a(s[1]))),
    Case(
        "normalize_backward",
        _with_eps(F.normalize_backward),
        lambda a, s: (a(*s), a(*s), a(s[1]), a(s[1], low=1.0)),
    ),
    Case(
        "batchnorm_inference_backward",
        _with_eps(F.batchnorm_inference_backward),
        lambda a, s: (a(*s), a(*s), a(s[1]), a(s[1]), a(s[1], low=1.0)),
    ),
]

# Backwards that take a cache: with their forward, as one function of (dy, *inputs).
PAIRS = {
    "batchnorm_backward": ("batchnorm_forward", F.batchnorm_forward, F.batchnorm_backward),
    "batchnorm_backward_graph": ("batchnorm_forward", F.batchnorm_forward, F.batchnorm_backward_graph),
    "batchnorm2d_backward": ("batchnorm2d_forward", F.batchnorm2d_forward, F.batchnorm2d_backward),
    "layernorm_backward": ("layernorm_forward", F.layernorm_forward, F.layernorm_backward),
    "instancenorm_backward": ("instancenorm_forward", F.instancenorm_forward, F.instancenorm_backward),
    "groupnorm_backward": (
        "groupnorm_forward",
        lambda x, gamma, beta, eps: F.groupnorm_forward(x, gamma, beta, 2, eps),
        F.groupnorm_backward,
    ),
    "rmsnorm_backward": ("rmsnorm_forward", F.rmsnorm_forward, F.rmsnorm_backward),
}
_BY_NAME = {case.name: case for case in CASES}


def _pair_case(name: str, forward_name: str, forward: Callable[..., Any], backward: Callable[..., Any]) -> Case:
    case = _BY_NAME[forward_name]
    return Case(
        name,
        lambda dy, *inputs: backward(dy, forward(*inputs, eps=EPS)[1]),
        lambda a, s: (a(*s), *case.draw(a, s)),
        case.images,
    )


PAIR_CASES = [_pair_case(name, *pair) for name, pair in PAIRS.items()]
ALL_CASES = CASES + PAIR_CASES
FORWARD_OF = {name: forward_name for name, (forward_name, _, _) in PAIRS.items()}


def leaves(result: Any) -> list[Any]:
    """The arrays that a function returned, one or several."""
    return list(result) if isinstance(result, tuple) else [result]
