"""The layer remembers what it should, and nothing else."""

import numpy as np
import pytest

from bncourse import functional as F
from bncourse.nn import BatchNorm


@pytest.fixture
def batches():
    return np.random.default_rng(0).normal(3, 2, (3, 7, 4))


def test_starts_as_the_identity_of_evaluation():
    layer = BatchNorm(4, eps=0.0)
    x = np.arange(8.0).reshape(2, 4)
    np.testing.assert_array_equal(layer.forward(x, training=False), x)
    assert layer.num_batches_tracked == 0


def test_training_tracks_and_evaluation_does_not(batches):
    layer = BatchNorm(4)
    layer.forward(batches[0], training=True)
    mean, var = F.update_running_stats(np.zeros(4), np.ones(4), batches[0])
    np.testing.assert_array_equal(layer.running_mean, mean)
    np.testing.assert_array_equal(layer.running_var, var)
    layer.forward(batches[1], training=False)
    np.testing.assert_array_equal(layer.running_mean, mean)
    assert layer.num_batches_tracked == 1


def test_without_momentum_all_batches_weigh_the_same(batches):
    layer = BatchNorm(4, momentum=None)
    for x in batches:
        layer.forward(x, training=True)
    np.testing.assert_allclose(layer.running_mean, batches.mean(1).mean(0), rtol=1e-12)
    np.testing.assert_allclose(layer.running_var, batches.var(1, ddof=1).mean(0), rtol=1e-12)


@pytest.mark.parametrize("training", [True, False])
def test_backward_follows_the_mode_of_the_last_forward(batches, training):
    """By the complex step through the layer itself, after a forward in the other mode."""
    layer = BatchNorm(4, eps=0.1)
    layer.gamma, layer.beta = np.random.default_rng(1).normal(size=(2, 4))
    layer.forward(batches[0], training=True)
    layer.forward(batches[0], training=not training)
    x, dy = batches[1], batches[2]
    along = np.random.default_rng(2).normal(size=x.shape)
    mean, var = layer.running_mean, layer.running_var
    derivative = layer.forward(x + 1e-30j * along, training).imag / 1e-30
    assert layer.running_mean.dtype == layer.running_var.dtype == np.float64
    layer.running_mean, layer.running_var = mean, var
    layer.forward(x, training)
    dx = layer.backward(dy)
    np.testing.assert_allclose(np.sum(dx * along), np.sum(dy * derivative), rtol=1e-12)
    x_hat = (x - x.mean(0)) / np.sqrt(x.var(0) + 0.1) if training else (x - mean) / np.sqrt(var + 0.1)
    np.testing.assert_allclose(layer.dgamma, (dy * x_hat).sum(0), rtol=1e-12)
    np.testing.assert_allclose(layer.dbeta, dy.sum(0), rtol=1e-12)


def test_evaluation_backward_is_of_the_statistics_it_was_run_with(batches):
    layer = BatchNorm(4)
    x, dy = batches[0].copy(), batches[1]
    layer.forward(x, training=False)
    expected = layer.backward(dy)
    x[...] = np.nan
    layer.running_var *= 2
    layer.gamma *= 3
    np.testing.assert_array_equal(layer.backward(dy), expected)


def test_a_refused_batch_leaves_the_layer_as_it_was(batches):
    layer = BatchNorm(4)
    layer.forward(batches[0], training=True)
    before = layer.running_mean.copy()
    for refused in (batches[0][:1], batches[0][:, :3], np.full((3, 4), np.nan)):
        with pytest.raises(ValueError, match=r"x has|gamma has|variance"):
            layer.forward(refused, training=True)
    np.testing.assert_array_equal(layer.running_mean, before)
    assert layer.num_batches_tracked == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"num_features": 0}, "num_features is 0"),
        ({"num_features": 2.5}, "num_features is 2.5"),
        ({"num_features": 3, "momentum": 1.5}, "momentum is 1.5"),
        ({"num_features": 3, "eps": -1e-5}, "eps is -1e-05"),
    ],
)
def test_refuses_settings_that_make_no_layer(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        BatchNorm(**arguments)


def test_backward_needs_a_forward():
    with pytest.raises(RuntimeError, match="needs a forward first"):
        BatchNorm(2).backward(np.ones((3, 2)))


@pytest.mark.parametrize(("momentum", "mean"), [(0, 0.0), (1, 2.0)])
def test_takes_one_feature_and_both_ends_of_momentum(momentum, mean):
    """0 keeps the old statistics, 1 takes the new ones."""
    layer = BatchNorm(1, eps=0, momentum=momentum)
    layer.forward([[1.0], [3.0]], training=True)
    assert layer.running_mean == mean
