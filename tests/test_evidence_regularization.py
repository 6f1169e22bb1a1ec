"""Regularization: the layers made for it are right, and "at equal training loss" means what it says."""

from dataclasses import replace

import numpy as np
import pytest

from bncourse.evidence import regularization
from bncourse.evidence.regularization import (
    ARMS,
    EXPERIMENT,
    FrozenBatchNorm,
    GhostBatchNorm,
    advantage,
    at_loss,
    curve,
    examples,
    noise_free,
)
from bncourse.nn import BatchNorm, Linear, Sequential

SMALL = replace(EXPERIMENT.full, hidden=(8,), every=2)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def hardened(layer, rng):
    """Parameters and statistics that hide no mistake."""
    layer.gamma[...], layer.beta[...] = rng.normal(size=(2, len(layer.gamma)))
    layer.running_mean, layer.running_var = rng.normal(size=len(layer.gamma)), rng.uniform(0.5, 2, len(layer.gamma))
    return layer


# The layers.


def test_a_ghost_batch_is_normalized_as_a_batch_of_its_own(rng):
    layer, plain = (hardened(one, np.random.default_rng(1)) for one in (GhostBatchNorm(3, 4), BatchNorm(3)))
    x = rng.normal(2, 3, (12, 3))
    expected = np.vstack([plain.forward(part, training=True) for part in np.split(x, 3)])
    np.testing.assert_allclose(layer.forward(x, training=True), expected, rtol=1e-12)


def test_one_ghost_of_all_is_batch_normalization(rng):
    layer, plain = (hardened(one, np.random.default_rng(1)) for one in (GhostBatchNorm(3, 12), BatchNorm(3)))
    x, dy = rng.normal(2, 3, (2, 12, 3))
    for training in (True, False):
        np.testing.assert_array_equal(layer.forward(x, training), plain.forward(x, training))
        np.testing.assert_array_equal(layer.backward(dy), plain.backward(dy))
        np.testing.assert_array_equal(layer.dgamma, plain.dgamma)


@pytest.mark.parametrize("make", [lambda: GhostBatchNorm(3, 4), lambda: FrozenBatchNorm(3)], ids=["ghost", "frozen"])
def test_gradients_are_those_of_the_layer(make, rng):
    """By the complex step; the frozen layer's statistics are constants there, so x moves and they don't."""
    layer = hardened(make(), rng)
    layer.eps = 0.1
    x, dy, along = rng.normal(1, 2, (3, 8, 3))
    layer.forward(x, training=True)
    dx = layer.backward(dy)
    dgamma, dbeta = layer.dgamma, layer.dbeta

    def moved(**change):
        other = make()
        other.eps, other.momentum = 0.1, 0.0
        other.gamma, other.beta = layer.gamma, layer.beta
        other.running_mean, other.running_var = layer.running_mean, layer.running_var
        for name, value in change.items():
            if name != "x":
                setattr(other, name, value)
        return np.sum(dy * other.forward(change.get("x", x), training=True).imag) / 1e-30

    assert moved(x=x + 1e-30j * along) == pytest.approx(np.sum(dx * along), rel=1e-10)
    assert moved(gamma=layer.gamma + 1e-30j * along[0]) == pytest.approx(dgamma @ along[0], rel=1e-10)
    assert moved(beta=layer.beta + 1e-30j * along[0]) == pytest.approx(dbeta @ along[0], rel=1e-10)


def test_running_statistics_are_those_of_the_whole_batch_in_every_arm(rng):
    x = rng.normal(2, 3, (64, 3))
    layers = [make(3) for make in ARMS.values()]
    for layer in layers:
        layer.forward(x, training=True)
        np.testing.assert_array_equal(layer.running_mean, layers[0].running_mean)
        np.testing.assert_array_equal(layer.running_var, layers[0].running_var)


def test_a_frozen_layer_does_not_see_who_else_is_in_the_batch(rng):
    layer = FrozenBatchNorm(3)
    layer.momentum = 0.0
    x = rng.normal(size=(8, 3))
    np.testing.assert_allclose(layer.forward(x[:4], training=True), layer.forward(x, training=True)[:4], rtol=1e-12)


def test_ghosts_must_fill_the_batch(rng):
    with pytest.raises(ValueError, match="10 examples cannot be cut into ghost batches of 4"):
        GhostBatchNorm(3, 4).forward(rng.normal(size=(10, 3)), training=True)


# What is compared.


def test_a_quarter_of_the_labels_to_train_on_is_wrong_and_none_to_test_on():
    clean, noisy = (examples(setting, 500, 0.25) for setting in ("digits", "digits, wrong labels"))
    assert np.mean(clean.train.labels != noisy.train.labels) == pytest.approx(0.25, abs=0.04)
    assert set(noisy.train.labels) == set(range(10))
    for part in ("validation", "test"):
        np.testing.assert_array_equal(getattr(clean, part).labels, getattr(noisy, part).labels)


def test_all_arms_start_as_the_same_noise_free_network():
    parts = examples("digits", 500, 0.25)
    first = [curve(arm, 0.1, 2, 500, parts.train, parts.test, SMALL)[0][0] for arm in ("full", "ghost 32", "ghost 8")]
    assert first[0] == first[1] == first[2]


def test_noise_free_logits_do_not_depend_on_the_kind_of_layer(rng):
    x = rng.normal(1, 2, (16, 4))
    found = []
    for norm in (BatchNorm(5), GhostBatchNorm(5, 8)):
        net = Sequential(Linear(4, 5, np.random.default_rng(1)), norm)
        copy, logits = noise_free(net, x)
        found.append(logits)
        np.testing.assert_allclose(copy.forward(x, training=False), logits, rtol=0.05)
        assert norm.num_batches_tracked == 0
    np.testing.assert_array_equal(*found)


def test_divergence_is_a_result():
    parts = examples("digits", 500, 0.25)
    losses, accuracies = curve("frozen", 1e9, 10, 500, parts.train, parts.test, SMALL)
    assert np.isfinite(losses[0])
    assert losses[-1] == np.inf
    assert accuracies[-1] == 0.1


def test_accuracy_is_read_off_where_the_loss_first_falls_to_a_level():
    losses, accuracies = np.array([4.0, 1.0, 2.0, 0.25]), np.array([0.1, 0.5, 0.9, 0.7])
    np.testing.assert_allclose(at_loss(losses, accuracies, [4.0, 2.0, 1.0, 0.5, 0.25]), [0.1, 0.3, 0.5, 0.6, 0.7])


def test_a_slower_arm_on_the_same_curve_has_no_advantage():
    """The reason for comparing at equal loss: after equal steps the slow arm is behind, or ahead where both overfit."""
    levels = np.geomspace(2.0, 0.1, 30)
    along = 0.9 - 0.1 * (np.log(levels) + 1) ** 2
    fast, slow = (levels, along), (levels[:20], along[:20])
    assert along[19] > along[-1]
    assert advantage(slow, fast, 1.5) == pytest.approx(0, abs=1e-9)


def test_a_constant_lead_is_the_advantage_in_points():
    losses = np.geomspace(2.0, 0.1, 30)
    accuracies = np.linspace(0.2, 0.8, 30)
    assert advantage((losses, accuracies + 0.03), (losses, accuracies), 1.5) == pytest.approx(3)


def test_the_primary_compares_ghosts_of_eight_with_the_whole_batch(monkeypatch):
    looks = SMALL.steps[0] // SMALL.every + 1
    right = {"full": 0.5, "ghost 32": 0.55, "ghost 8": 0.6, "frozen": 0.4}
    own = {("ghost 8", 2.0): 0.7}
    monkeypatch.setattr(
        regularization,
        "curve",
        lambda arm, rate, **_: (np.geomspace(2, 1, looks), np.full(looks, own.get((arm, rate), right[arm]))),
    )
    rates = {setting: {"full": {"rate": 1.0}, "ghost 8": {"rate": 2.0}} for setting in EXPERIMENT.primary.settings}
    values = regularization.trial(0, SMALL, rates)
    assert values["effects"] == pytest.approx(dict.fromkeys(EXPERIMENT.primary.settings, 20))
    for ahead in values["advantage"].values():
        assert ahead == pytest.approx({"ghost 8, own rate": 20, "ghost 8": 10, "ghost 32": 5, "frozen": -10, "slow": 0})


# What the page derives.


@pytest.mark.parametrize("count", [8, 32, 128])
def test_the_noise_of_mean_and_deviation_falls_with_the_root_of_the_batch(count):
    x = np.random.default_rng(0).normal(size=(20_000, count))
    assert x.mean(axis=1).std() == pytest.approx(count**-0.5, rel=0.03)
    assert x.std(axis=1).std() == pytest.approx((2 * count) ** -0.5, rel=0.05)
