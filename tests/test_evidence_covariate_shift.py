"""The experiment on covariate shift measures what its page says it measures."""

from dataclasses import replace

import numpy as np
import pytest

from bncourse.evidence.arms import data
from bncourse.evidence.covariate_shift import (
    EXPERIMENT,
    NoisyBatchNorm,
    drift,
    gradient_shift,
    initial,
    mean_log_ratio,
    percentiles,
    watched,
)
from bncourse.nn import Linear, softmax_cross_entropy

SMALL = replace(EXPERIMENT.reduced, hidden=(8, 8, 8))
PARTS = data("digits", 500)
BATCH = PARTS.train.x[:30], PARTS.train.labels[:30]


def network(arm, kind="sigmoid"):
    return initial(kind, arm, 500, PARTS, SMALL)


def loss_of(net):
    return softmax_cross_entropy(net.forward(BATCH[0], training=True), BATCH[1])


@pytest.mark.parametrize("training", [True, False])
def test_the_noisy_layer_gives_the_gradient_of_what_it_did(training):
    """By the complex step, the noise drawn again from the same state."""
    rng = np.random.default_rng(0)
    x, dy, along = rng.normal(2, 3, (3, 9, 4))
    layer = NoisyBatchNorm(4, np.random.default_rng(1))
    layer.gamma, layer.beta = rng.normal(size=(2, 4))
    layer.forward(x, training=True)
    state, mean, var = layer.rng.bit_generator.state, layer.running_mean, layer.running_var
    derivative = layer.forward(x + 1e-30j * along, training).imag / 1e-30
    layer.rng.bit_generator.state, layer.running_mean, layer.running_var = state, mean, var
    layer.forward(x, training)
    np.testing.assert_allclose(np.sum(layer.backward(dy) * along), np.sum(dy * derivative), rtol=1e-12)


def test_the_noise_has_the_size_that_is_declared_and_vanishes_on_average():
    layer, x = NoisyBatchNorm(1, np.random.default_rng(1)), np.random.default_rng(0).normal(size=(1000, 1))
    outputs = np.array([layer.forward(x, training=True) for _ in range(2000)])
    means, deviations = outputs.mean(axis=1), outputs.std(axis=1)
    assert means.min() == pytest.approx(-1, abs=0.05)
    assert means.max() == pytest.approx(1, abs=0.05)
    assert deviations.min() == pytest.approx(1.05, abs=0.05)  # the samples' own noise adds a little
    assert deviations.max() == pytest.approx(2.05, abs=0.05)
    layer.running_mean, layer.running_var = x.mean(axis=0), x.var(axis=0)
    np.testing.assert_allclose(outputs.mean(axis=0), layer.forward(x, training=False), atol=0.1)


def test_inputs_are_read_just_before_the_last_activation():
    net = network("bn")
    inputs, before = percentiles(net, BATCH[0])
    outputs = net.outputs(BATCH[0], training=True)
    np.testing.assert_allclose(inputs, np.percentile(outputs[-3], (15, 50, 85), axis=0))
    np.testing.assert_allclose(before, np.percentile(outputs[-4], (15, 50, 85), axis=0))
    inputs, before = percentiles(network("plain"), BATCH[0])  # where nothing is normalized, they are the same
    np.testing.assert_array_equal(inputs, before)


def test_drift_is_a_shift_in_units_of_the_spread():
    look = np.array([[-1.0, -10.0], [0.0, 0.0], [1.0, 10.0]])
    np.testing.assert_allclose(drift([look, look + np.array([2.0, 20.0]), look]), [2.0, 2.0])


@pytest.mark.parametrize("arm", ["plain", "bn"])
@pytest.mark.parametrize("level", [1, 3])
def test_gradient_shift_is_the_definition_of_2018(arm, level):
    """A second network, in which the layers below are moved by hand and no other."""
    net = network(arm)
    shift, cosine = gradient_shift(net, *BATCH, rate=0.7)
    net.backward(loss_of(net)[1])
    linear = [n for n, layer in enumerate(net.layers) if isinstance(layer, Linear)]
    before = net.layers[linear[level]].dweight
    for layer in net.layers[: linear[level]]:
        for one in layer.parameters():
            one.value[...] -= 0.7 * one.gradient
    net.backward(loss_of(net)[1])
    after = net.layers[linear[level]].dweight
    np.testing.assert_allclose(shift[level - 1], np.linalg.norm(after - before) / np.linalg.norm(before), rtol=1e-10)
    expected = np.sum(after * before) / np.linalg.norm(after) / np.linalg.norm(before)
    np.testing.assert_allclose(cosine[level - 1], expected, rtol=1e-10)


def test_looking_changes_nothing():
    """Neither parameters nor running statistics nor the noise: the watched training is the training."""
    found = {f"sigmoid {arm}": {"rate": 0.5} for arm in ("plain", "noisy")}
    seldom, often = (
        watched("sigmoid", "noisy", found, 500, PARTS, replace(SMALL, every=every)) for every in (SMALL.steps, 2)
    )
    np.testing.assert_array_equal(seldom.losses, often.losses)
    assert len(often.inputs) - 1 == SMALL.steps // 2


def test_arms_start_from_the_same_weights():
    weights = [
        [layer.weight for layer in network(arm).layers if isinstance(layer, Linear)] for arm in ("plain", "bn", "noisy")
    ]
    for other in weights[1:]:
        np.testing.assert_array_equal(np.concatenate(other, None), np.concatenate(weights[0], None))


def test_the_mean_and_deviation_of_a_normalized_input_are_beta_and_gamma():
    """What the prediction rests on: nothing else of the layers below can move them."""
    net = network("bn")
    rng = np.random.default_rng(1)
    norm = net.layers[-3]
    norm.gamma[...], norm.beta[...] = rng.normal(size=(2, 8))
    for _ in range(2):
        y = net.outputs(BATCH[0], training=True)[-3]
        np.testing.assert_allclose(y.mean(axis=0), norm.beta, atol=1e-12)
        np.testing.assert_allclose(y.std(axis=0), np.abs(norm.gamma), rtol=0.01)
        for layer in net.layers[:-4]:
            for one in layer.parameters():
                one.value[...] += rng.normal(size=one.value.shape)


def test_a_positive_effect_means_less_shift_with_normalization():
    assert mean_log_ratio([2.0, 2.0], [1.0, 1.0]) == pytest.approx(np.log(2))
