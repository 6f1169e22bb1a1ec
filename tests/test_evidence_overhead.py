"""What the experiment on overhead counts is what there is to count."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from bncourse.evidence import overhead
from bncourse.evidence.arms import data, mlp
from bncourse.functional import batchnorm_backward, batchnorm_forward
from bncourse.nn import BatchNorm

N, SIZES = 64, (64, 100, 30, 10)


class Counted:
    """A number that counts the additions and multiplications that touch it."""

    count = 0

    def __init__(self, value):
        self.value = float(value)

    def _with(self, other, result):
        Counted.count += 1
        return Counted(result(self.value, getattr(other, "value", other)))

    def __add__(self, other):
        return self._with(other, lambda a, b: a + b)

    def __sub__(self, other):
        return self._with(other, lambda a, b: a - b)

    def __mul__(self, other):
        return self._with(other, lambda a, b: a * b)


def summed(numbers):
    total = Counted(0.0)
    for number in numbers:
        total = total + number
    return total


def one_feature(x, dy, gamma, beta, eps):
    """Batch normalization of one feature, forward and backward, number by number; what it needs once is free."""
    n = len(x)
    mean = summed(x).value / n
    centred = [one - mean for one in x]
    inv_std = (summed(one * one for one in centred).value / n + eps) ** -0.5
    x_hat = [one * inv_std for one in centred]
    y = [one * gamma + beta for one in x_hat]
    dbeta, dgamma = summed(dy).value, summed(one * hat for one, hat in zip(dy, x_hat, strict=True)).value
    scale = gamma * inv_std
    dx = [one * scale - hat * (scale * dgamma / n) - scale * dbeta / n for one, hat in zip(dy, x_hat, strict=True)]
    return y, dx


def test_normalization_takes_fourteen_operations_a_number():
    rng = np.random.default_rng(0)
    x, dy, (gamma, beta) = rng.normal(size=9), rng.normal(size=9), rng.normal(size=2)
    Counted.count = 0
    y, dx = one_feature([Counted(v) for v in x], [Counted(v) for v in dy], gamma, beta, 0.1)
    counted = Counted.count
    expected, cache = batchnorm_forward(x[:, None], np.array([gamma]), np.array([beta]), 0.1)
    np.testing.assert_allclose([one.value for one in y], expected[:, 0])
    np.testing.assert_allclose([one.value for one in dx], batchnorm_backward(dy[:, None], cache)[0][:, 0])
    hidden = sum(SIZES[1:-1])
    added = overhead.operations(SIZES, N, "bn") - overhead.operations(SIZES, N, "plain")
    assert added / (N * hidden) == counted / len(x) == 14


def test_a_linear_layer_takes_six_operations_a_weight_and_example():
    """Three products of N·K·D multiplications and as many additions; the rest grows with fewer letters."""
    found = overhead.operations((1000, 1000), 1000, "plain")
    assert found / (6 * 1000**3) == pytest.approx(1, abs=1e-3)


def test_numbers_moved_are_the_sizes_of_the_arrays():
    rng = np.random.default_rng(0)
    total = 0
    for last, (k, d) in enumerate(pairwise(SIZES), start=1):
        x, w, y = np.empty((N, k)), np.empty((d, k)), rng.normal(size=(N, d))
        forward, by_weight, by_input = (x, w, y), (y, x, w), (y, w, x)
        total += sum(a.size for product in (forward, by_weight, by_input) for a in product)
        total += sum(a.size for a in (w, w, w))
        if last < len(SIZES) - 1:
            total += sum(a.size for a in (y, y, y, y, y))
    assert overhead.moved(SIZES, N, "plain") == total
    added = overhead.moved(SIZES, N, "bn") - total
    assert added == 8 * N * sum(SIZES[1:-1])


def test_folding_leaves_the_function_as_it_is():
    net = overhead.both((64, 30, 30, 10), 500)["bn"]
    rng = np.random.default_rng(1)
    for _ in range(3):
        net.forward(rng.normal(1, 2, (32, 64)), training=True)
    x = rng.normal(size=(7, 64))
    before = net.forward(x, training=False)
    small = overhead.folded(net)
    np.testing.assert_allclose(small.forward(x, training=False), before, rtol=1e-10, atol=1e-12)
    assert not any(isinstance(layer, BatchNorm) for layer in small.layers)
    np.testing.assert_array_equal(net.forward(x, training=False), before)


def test_kept_bytes_are_those_of_the_arrays():
    """Linear layers keep their inputs, ReLUs one byte a number, batch normalization x_hat and two small vectors."""
    found = overhead.kept_by_arm(replace(overhead.EXPERIMENT.full, widths=(50,)))["50"]
    assert found["plain"] == 8 * N * (64 + 50 + 50) + N * (50 + 50)
    assert found["bn"] - found["plain"] == 2 * (8 * N * 50 + 8 * 50 + 8 * 50)


def test_both_arms_start_from_the_same_weights():
    nets = overhead.both((64, 30, 10), 500)
    np.testing.assert_array_equal(nets["plain"].layers[0].weight, nets["bn"].layers[0].weight)


def test_a_run_that_never_arrives_counts_one_step_more():
    parts = data("digits", 500)
    settings = replace(overhead.EXPERIMENT.full, steps=4)
    task = overhead.Task("digits", (10,), 1.0)
    assert overhead.steps_to_goal("plain", 1e-6, 500, task, parts, parts.test, settings) == 5


def test_a_run_that_arrives_stops_there():
    parts = data("digits", 500)
    settings = replace(overhead.EXPERIMENT.full, steps=100)
    task = overhead.Task("digits", (30,), 0.8)
    steps = overhead.steps_to_goal("bn", 0.5, 500, task, parts, parts.test, settings)
    assert 0 < steps < 100
    assert steps % settings.look_every == 0


def test_timings_take_turns():
    order = []
    overhead.medians({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 2)
    assert "".join(order) == "abababab"


def test_every_measured_second_is_under_the_key_that_comparisons_skip():
    reduced = overhead.EXPERIMENT.reduced
    found = overhead.tune(reduced)
    first, second = (overhead.trial(0, reduced, found) for _ in range(2))
    for values in (first, second):
        values.pop("seconds")
    assert first == second


def test_the_network_of_a_task_is_as_deep_as_it_says():
    task = overhead.TASKS["digits, 8 layers"]
    net = mlp(overhead.sizes(task, data("digits", 0)), np.random.default_rng(0), norm=BatchNorm)
    assert sum(isinstance(layer, BatchNorm) for layer in net.layers) == 8
