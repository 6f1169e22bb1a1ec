"""Right answers are accepted for what they compute, however they are written, whatever numbers are drawn."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from bncourse import check

SEEDS = range(15)


def mean_by_loops(x):
    N, D = x.shape
    total = [0.0] * D
    for row in x.tolist():
        for j, value in enumerate(row):
            total[j] += value
    return [t / N for t in total]


def mean_into_a_buffer(x, buffer={}):  # noqa: B006 - a buffer kept between calls is what is tried here
    out = buffer.setdefault(x.shape[1], np.empty(x.shape[1]))
    np.mean(x, axis=0, out=out)
    return out


def variance_by_welford(x):
    mean, square = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for n, row in enumerate(x, start=1):
        delta = row - mean
        mean = mean + delta / n
        square = square + delta * (row - mean)
    return square / len(x)


def variance_by_centring_matrix(x):
    N = len(x)
    H = np.eye(N) - np.ones((N, N)) / N
    return np.diag(x.T @ H @ x) / N


def variance_by_pairs(x):
    N = len(x)
    return ((x[:, None] - x[None]) ** 2).sum(axis=(0, 1)) / (2 * N * N)


def normalize_by_loops(x, mean, var, eps=1e-5):
    return [[(v - m) / math.sqrt(s + eps) for v, m, s in zip(row, mean, var, strict=True)] for row in x.tolist()]


def normalize_in_float32(x, mean, var, eps=1e-5):
    x, mean, var = (np.asarray(a, dtype=np.float64) for a in (x, mean, var))
    return ((x - mean) / np.sqrt(var + eps)).astype(np.float32)


def layer_with_tiles(x, gamma, beta, eps=1e-5):
    N = x.shape[0]
    mu = np.tile(np.mean(x, axis=0), (N, 1))
    var = np.tile(np.mean((x - mu) ** 2, axis=0), (N, 1))
    x_hat = (x - mu) * (var + eps) ** -0.5
    return np.tile(gamma, (N, 1)) * x_hat + np.tile(beta, (N, 1)), {"x_hat": x_hat, "var": var}


def layer_keepdims(x, gamma, beta, eps=1e-5):
    mu = x.mean(axis=0, keepdims=True)
    var = x.var(axis=0, keepdims=True)
    std = np.sqrt(var + eps)
    return np.reshape(gamma, (1, -1)) * (x - mu) / std + np.reshape(beta, (1, -1)), SimpleNamespace(mu=mu, std=std)


def layer_as_one_affine_map(x, gamma, beta, eps=1e-5):
    a = gamma / np.sqrt(x.var(axis=0) + eps)
    return a * x + (beta - a * x.mean(axis=0)), None


def layer_by_einsum(x, gamma, beta, eps=1e-5):
    c = x - np.einsum("nd->d", x) / len(x)
    s = np.sqrt(np.einsum("nd,nd->d", c, c) / len(x) + eps)
    return np.einsum("nd,d,d->nd", c, 1 / s, gamma) + beta, (c, s)


def layer_column_by_column(x, gamma, beta, eps=1e-5):
    columns = []
    for j in range(x.shape[1]):
        column = x[:, j]
        mean = sum(column) / len(column)
        var = sum((v - mean) ** 2 for v in column) / len(column)
        columns.append([gamma[j] * (v - mean) / math.sqrt(var + eps) + beta[j] for v in column])
    return np.array(columns).T, columns


def layer_on_its_own_copy(x, gamma, beta, eps=1e-5):
    x = np.array(x, dtype=float)
    x -= x.mean(axis=0)
    x /= np.sqrt((x**2).mean(axis=0) + eps)
    x *= gamma
    x += beta
    return [x, "a cache may be anything"]


def layer_that_refuses_bad_input(x, gamma, beta, eps=1e-5):
    if x.ndim != 2 or len(x) < 2:
        raise ValueError("I need a batch")
    return gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps) + beta, ()


def layer_by_moments(x, gamma, beta, eps=1e-5):
    mean = x.mean(axis=0)
    var = (x * 1.0 * x).mean(axis=0) - mean**2
    return gamma * (x - mean) / np.sqrt(var + eps) + beta, None


def layer_as_float32(x, gamma, beta, eps=1e-5):
    y, cache = layer_by_einsum(np.asarray(x, dtype=float), gamma, beta, eps)
    return y.astype(np.float32), cache


def layer_with_warnings(x, gamma, beta, eps=1e-5):
    import warnings

    warnings.warn("a warning is not a mistake", stacklevel=2)
    return layer_by_einsum(x, gamma, beta, eps)


RIGHT = {
    "batch_mean": [
        lambda x: x.mean(axis=0),
        lambda x: np.mean(x, 0, keepdims=True),
        lambda x: x.sum(axis=0) / len(x),
        lambda x: np.ones(len(x)) @ x / len(x),
        lambda x: np.add.reduce(x, axis=0) / x.shape[0],
        lambda x: np.array([np.mean(column) for column in x.T]),
        lambda x: tuple(float(sum(column)) / len(column) for column in x.T),
        lambda x: np.average(x, axis=0).astype(np.float32),
        lambda x: np.asmatrix(x).mean(axis=0),
        lambda x: np.ma.masked_invalid(x).mean(axis=0),
        mean_by_loops,
        mean_into_a_buffer,
    ],
    "batch_variance": [
        lambda x: x.var(axis=0),
        lambda x: np.var(x, axis=0, keepdims=True),
        lambda x: x.std(axis=0) ** 2,
        lambda x: np.mean((x - np.mean(x, axis=0)) ** 2, axis=0),
        lambda x: np.mean(x**2.0, axis=0) - np.mean(x, axis=0) ** 2,
        lambda x: np.diag(np.cov(x.T, bias=True)),
        lambda x: x.var(axis=0, ddof=1) * (len(x) - 1) / len(x),
        lambda x: np.linalg.norm(x - x.mean(axis=0), axis=0) ** 2 / len(x),
        lambda x: [float(np.var(column)) for column in x.T],
        variance_by_welford,
        variance_by_centring_matrix,
        variance_by_pairs,
    ],
    "normalize": [
        lambda x, mean, var, eps=1e-5: (x - mean) / np.sqrt(var + eps),
        lambda samples, m, v, epsilon=1e-5: (samples - m) * (v + epsilon) ** -0.5,
        lambda x, mean, var, eps=1e-5: np.divide(np.subtract(x, mean), np.power(np.add(var, eps), 0.5)),
        lambda x, mean, var, eps=1e-5: ((x.T - mean[:, None]) / np.sqrt(var + eps)[:, None]).T,
        lambda x, mean, var, eps=1e-5: x / np.sqrt(var + eps) - mean / np.sqrt(var + eps),
        lambda x, mean, var, eps=1e-5: (x - mean) @ np.diag(1 / np.sqrt(var + eps)),
        lambda x, mean, var, eps=1e-5: np.stack([(row - mean) / np.sqrt(var + eps) for row in x]),
        normalize_by_loops,
        normalize_in_float32,
    ],
    "scale_shift": [
        lambda x_hat, gamma, beta: gamma * x_hat + beta,
        lambda x_hat, gamma, beta: x_hat @ np.diag(gamma) + beta[None, :],
        lambda x_hat, gamma, beta: np.einsum("nd,d->nd", x_hat, gamma) + beta,
        lambda x_hat, gamma, beta: [[g * v + b for v, g, b in zip(r, gamma, beta, strict=True)] for r in x_hat],
        lambda x_hat, gamma, beta: np.c_[x_hat, np.ones(len(x_hat))] @ np.vstack([np.diag(gamma), beta]),
        lambda x_hat, gamma, beta: (gamma * x_hat + beta).astype(np.float32),
    ],
    "batchnorm_forward": [
        layer_with_tiles,
        layer_keepdims,
        layer_as_one_affine_map,
        layer_by_einsum,
        layer_column_by_column,
        layer_on_its_own_copy,
        layer_that_refuses_bad_input,
        layer_by_moments,
        layer_as_float32,
        layer_with_warnings,
    ],
    "identity_parameters": [
        lambda x, eps=1e-5: (np.sqrt(x.var(axis=0) + eps), x.mean(axis=0)),
        lambda x, eps=1e-5: [(x.var(axis=0, keepdims=True) + eps) ** 0.5, x.mean(axis=0, keepdims=True)],
        lambda x, eps=1e-5: np.stack([np.sqrt(np.var(x, axis=0) + eps), np.mean(x, axis=0)]),
        lambda x, eps=1e-5: (np.hypot(x.std(axis=0), eps**0.5), np.ones(len(x)) @ x / len(x)),
        lambda x, eps=1e-5: (
            np.float32(np.sqrt(x.var(axis=0) + eps)),
            np.float32(x.mean(axis=0)),
        ),
    ],
}

CASES = [
    pytest.param(name, function, id=f"{name}-{n}")
    for name, answers in RIGHT.items()
    for n, function in enumerate(answers)
]


@pytest.mark.parametrize(("name", "function"), CASES)
def test_a_right_answer_is_accepted(name, function):
    for seed in SEEDS:
        report = check(name, function, seed=seed)
        assert report.passed, str(report)
        assert report.points == report.max_points
        assert report.misconceptions == []
        assert report.witness is None


def test_the_reference_is_right_in_a_hundred_draws_each():
    from bncourse.checks.assignments import EXERCISES

    for exercise in EXERCISES.values():
        for seed in range(100):
            assert check(exercise.name, exercise.signature.reference, seed=seed).passed
