"""The algebra behind the trial on the scale of the weights, and that its arms do what they say."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from bncourse.evidence import scale_invariance as trial
from bncourse.evidence.arms import data
from bncourse.nn import BatchNorm, Linear, Sequential, Tanh, softmax_cross_entropy

SHORT = replace(trial.Settings(), hidden=(12, 9), steps=30, every=10, stretched=10)


@pytest.fixture(scope="module")
def parts():
    return data(trial.SET, 600)


def trained_gradient(eps, seed=0):
    """A small network after a backward, its first layer and its batch normalization."""
    rng = np.random.default_rng(seed)
    norm = BatchNorm(6, eps=eps)
    norm.gamma[...], norm.beta[...] = rng.normal(size=(2, 6))
    net = Sequential(Linear(4, 6, rng), norm, Tanh(), Linear(6, 3, rng))
    x, labels = rng.normal(1.0, 2.0, (16, 4)), rng.integers(0, 3, 16)
    net.backward(softmax_cross_entropy(net.forward(x, training=True), labels)[1])
    return net, x


@pytest.mark.parametrize("eps", [0.0, 1e-5, 0.1, 10.0])
def test_weights_times_their_gradient_is_what_eps_leaves_of_gammas(eps):
    """w · ∂L/∂w = γ ε/(σ² + ε) ∂L/∂γ, for each unit: zero at ε = 0."""
    net, x = trained_gradient(eps)
    linear, norm = net.layers[:2]
    var = (x @ linear.weight.T).var(axis=0)
    expected = norm.gamma * eps / (var + eps) * norm.dgamma
    np.testing.assert_allclose((linear.weight * linear.dweight).sum(axis=1), expected, rtol=1e-9, atol=1e-14)


def test_gradient_shrinks_as_weights_grow():
    """∂L/∂w at a·w is that at w over a, with eps times a²: exactly so at eps = 0."""
    net, x = trained_gradient(1e-3)
    labels = np.random.default_rng(3).integers(0, 3, 16)
    net.backward(softmax_cross_entropy(net.forward(x, training=True), labels)[1])
    before = net.layers[0].dweight
    net.layers[0].weight *= 5
    net.layers[0].bias *= 5
    net.layers[1].eps *= 25
    net.backward(softmax_cross_entropy(net.forward(x, training=True), labels)[1])
    np.testing.assert_allclose(5 * net.layers[0].dweight, before, rtol=1e-10, atol=1e-14)


def test_growing_rate_is_weight_decay_at_eps_zero(parts):
    decay, schedule, none = (trial.train(arm, 0.0, 0, parts, SHORT) for arm in ("decay", "schedule", "none"))
    assert trial.apart(decay.predictions, schedule.predictions) < 1e-12 < 1e-4
    assert trial.apart(decay.predictions, none.predictions) > 1e-4
    kept = (1 - SHORT.rate * SHORT.decay) ** np.arange(10, 31, 10)
    np.testing.assert_allclose(decay.norms, kept**2 * schedule.norms, rtol=1e-10)


def test_without_decay_the_norm_grows_by_the_gradient_alone(parts):
    """‖w‖² grows by η²‖g‖² a step at eps = 0."""
    net = trial.network(0.0, 0, parts, SHORT, Tanh)
    x, labels = parts.train.x[:64], parts.train.labels[:64]
    net.backward(softmax_cross_entropy(net.forward(x, training=True), labels)[1])
    w, g = net.layers[0].weight, net.layers[0].dweight
    expected = (w**2).sum(axis=1) + 0.25**2 * (g**2).sum(axis=1)
    np.testing.assert_allclose(((w - 0.25 * g) ** 2).sum(axis=1), expected, rtol=1e-13)


def test_only_weights_that_normalization_follows_decay(parts):
    net = trial.network(1e-5, 0, parts, SHORT, Tanh)
    before, others = trial.parameters(net)
    assert [one.value.shape for one in before] == [(12, 40), (9, 12)]
    assert [one.name for one in others].count("weight") == 1
    assert len(before) + len(others) == len(net.parameters())


def test_no_decay_is_the_schedule_that_does_not_grow(parts):
    still = replace(SHORT, decay=0.0)
    runs = [trial.train(arm, 0.1, 0, parts, still) for arm in ("none", "schedule", "decay", "all")]
    for run in runs[1:]:
        np.testing.assert_array_equal(run.predictions, runs[0].predictions)


def test_ten_times_the_weights_are_nothing_only_without_eps(parts):
    moved = {eps: trial.stretching(eps, 10.0, 0, parts, SHORT) for eps in (None, 0.0, 1e-5, 0.1)}
    assert moved[0.0] == trial.ROUNDING < 1e-7 < moved[1e-5] < 1e-3 < moved[0.1]
    assert moved[None] > 0.01
    assert trial.stretching(0.1, 1.0, 0, parts, SHORT) == trial.ROUNDING


def test_a_run_that_diverges_says_so(parts):
    run = trial.train("none", None, 0, parts, replace(SHORT, rate=1e12))
    assert run.diverged


def test_running_variance_lags_behind_weights_that_shrink():
    """Weights that keep a share c a step leave running_var at α c²/(c² - 1 + α) times σ²: what the page says."""
    kept, weight = 0.99, 0.1
    layer, x = BatchNorm(1, momentum=weight), np.random.default_rng(0).normal(size=(50, 1))
    for step in range(2000):
        layer.forward(kept**step * x, training=True)
    now = (kept**1999) ** 2 * x.var(axis=0, ddof=1)
    np.testing.assert_allclose(layer.running_var / now, weight / (1 - (1 - weight) / kept**2), rtol=1e-9)


def test_running_statistics_are_not_moved_by_a_look(parts):
    net = Sequential(Linear(40, 10, np.random.default_rng(0)), partial(BatchNorm, eps=1e-5)(10))
    trial.probabilities(net, parts.test.x)
    np.testing.assert_array_equal(net.layers[1].running_mean, 0)
