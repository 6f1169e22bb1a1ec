"""Small batches: what is compared is comparable, and what the page derives is so."""

from dataclasses import replace
from math import gamma, pi, sqrt

import numpy as np
import pytest

from bncourse.evidence import small_batches
from bncourse.evidence.arms import data
from bncourse.evidence.small_batches import (
    ARMS,
    EXPERIMENT,
    GUESSING,
    JUDGED,
    SETS,
    correct,
    first_weight,
    moved,
    precise,
    train,
    ways_to_evaluate,
)
from bncourse.functional import batchnorm_backward, batchnorm_forward
from bncourse.nn import BatchNorm, batches, predict

SMALL = replace(EXPERIMENT.full, hidden=(16, 16), examples=32)


@pytest.fixture(scope="module")
def parts():
    return data("digits", 500)


@pytest.mark.parametrize("name", SETS)
def test_no_example_is_seen_twice_and_all_batches_see_as_many(name):
    full = EXPERIMENT.full
    assert full.examples <= len(data(name, 0).train.x)
    assert all(full.examples % batch == 0 for batch in full.batches)


def test_every_batch_size_sees_the_same_examples():
    """The first examples of one order, cut into smaller or larger pieces."""

    def seen(batch):
        order = batches(1000, batch, np.random.default_rng(1))
        return np.concatenate([next(order) for _ in range(64 // batch)])

    for batch in (2, 4, 16):
        np.testing.assert_array_equal(seen(batch), seen(64))


def test_all_arms_start_from_the_same_weights(parts):
    """A rate of almost nothing leaves them where they were."""
    starts = [first_weight(train(arm, 1e-300, 4, 500, parts, SMALL)[0]) for arm in ARMS]
    np.testing.assert_array_equal(starts[0], starts[1])
    np.testing.assert_array_equal(starts[0], starts[2])


def test_a_network_that_never_moved_has_moved_by_nothing(parts):
    net, diverged = train("bn", 1e-300, 4, 500, parts, SMALL)
    assert not diverged
    assert moved(net, 500, parts, SMALL) == 0
    first_weight(net)[...] *= 3
    assert moved(net, 500, parts, SMALL) == pytest.approx(2)


def test_precise_statistics_are_those_of_all_examples_layer_by_layer(parts):
    """So evaluation then gives what the whole training part gives as one batch, but for N/(N - 1) in the variance."""
    net, _ = train("bn", 0.1, 4, 500, parts, SMALL)
    before = [layer.running_mean.copy() for layer in net.layers if isinstance(layer, BatchNorm)]
    exact = precise(net, parts.train.x)
    one_batch = exact.forward(parts.train.x, training=True)
    evaluated = exact.forward(parts.train.x, training=False)
    np.testing.assert_allclose(evaluated, one_batch, atol=0.01)
    after = [layer.running_mean for layer in net.layers if isinstance(layer, BatchNorm)]
    np.testing.assert_array_equal(before, after)


def test_the_ways_to_evaluate_leave_the_network_as_it_was(parts):
    net, diverged = train("bn", 0.1, 4, 500, parts, SMALL)
    before = predict(net, parts.test.x)
    found = ways_to_evaluate(net, diverged, parts)
    np.testing.assert_array_equal(predict(net, parts.test.x), before)
    assert found["running"] == np.mean(before == parts.test.labels)
    assert all(0 <= share <= 1 for share in found.values())


def test_layer_and_group_normalization_do_not_see_who_else_is_in_the_batch(parts):
    """The premise of the comparison; batch normalization in training mode does see it."""
    x = parts.test.x[:20]
    for arm in ARMS:
        net, _ = train(arm, 0.1, 4, 500, parts, SMALL)
        alone = np.concatenate([net.forward(x[i : i + 2], training=True) for i in range(0, 20, 2)])
        assert np.allclose(alone, net.forward(x, training=True)) == (arm != "bn")


def test_divergence_is_a_result_and_counts_as_guessing(parts):
    net, diverged = train("gn", 1e8, 4, 500, parts, SMALL)
    assert diverged
    assert correct(net, diverged, parts.test) == GUESSING
    assert set(ways_to_evaluate(net, diverged, parts).values()) == {GUESSING}


def test_a_positive_effect_is_a_loss_of_batch_normalization(monkeypatch):
    """With arms that are right on known shares of the test part."""
    monkeypatch.setattr(small_batches, "train", lambda arm, *_: (arm, False))
    monkeypatch.setattr(small_batches, "correct", lambda net, _, part: {"bn": 0.5, "gn": 0.6, "ln": 0.7}[net])
    monkeypatch.setattr(small_batches, "ways_to_evaluate", lambda *_: {})
    monkeypatch.setattr(small_batches, "moved", lambda *_: 0.0)
    rates = {f"{name} {batch} {arm}": {"rate": 1.0} for name in SETS for batch in SMALL.batches for arm in ARMS}
    values = small_batches.trial(0, SMALL, rates)
    assert values["effects"] == pytest.approx({f"{name}, batch {batch}": 10 for name in SETS for batch in JUDGED})
    assert values["diverged"] == 0


# What the page derives.


def gain(count):
    """E[population deviation / batch deviation] of normal data."""
    return sqrt(count / 2) * gamma(count / 2 - 1) / gamma((count - 1) / 2)


@pytest.mark.parametrize(("count", "expected"), [(4, 1.596), (8, 1.204), (32, 1.041)])
def test_the_batch_deviation_is_too_small_on_average(count, expected):
    """The formula, and a simulation (its standard error is 0.3 % at N = 4)."""
    x = np.random.default_rng(0).normal(size=(100_000, count))
    assert gain(count) == pytest.approx(expected, abs=5e-4)
    assert np.mean(1 / x.std(axis=1)) == pytest.approx(gain(count), rel=0.015)


def test_five_quarters_over_n_is_a_good_rule_from_sixteen_on():
    assert [gain(n) for n in (16, 32, 64)] == pytest.approx([1 + 5 / (4 * n) for n in (16, 32, 64)], rel=0.01)
    assert gain(4) == pytest.approx(2 * sqrt(2 / pi))


@pytest.mark.parametrize("count", [2, 4, 16, 64])
def test_of_n_directions_n_minus_two_pass(count):
    """At eps = 0 the Jacobian of the normalization, times the deviation, is a projection of rank N - 2."""
    x = np.random.default_rng(count).normal(size=(count, 1))
    _, cache = batchnorm_forward(x, np.ones(1), np.zeros(1), 0.0)
    columns = [batchnorm_backward(np.eye(count)[:, [i]], cache)[0].ravel() for i in range(count)]
    jacobian = np.array(columns) * x.std()
    np.testing.assert_allclose(jacobian @ jacobian, jacobian, atol=1e-9)
    assert np.trace(jacobian) == pytest.approx(count - 2, abs=1e-9)


@pytest.mark.parametrize("apart", [0.0, 0.003, 0.1, 1.0])
def test_two_examples_pass_a_gradient_only_where_they_nearly_agree(apart):
    """4 eps / (d² + 4 eps)^(3/2), at most 1/(2 √eps)."""
    eps = 1e-5
    x = np.array([[0.3 + apart], [0.3]])
    _, cache = batchnorm_forward(x, np.ones(1), np.zeros(1), eps)
    slope = batchnorm_backward(np.array([[1.0], [0.0]]), cache)[0][0, 0]
    assert slope == pytest.approx(4 * eps / (apart**2 + 4 * eps) ** 1.5, rel=1e-6)
