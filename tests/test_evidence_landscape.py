"""The ruler of the trial on the landscape: a step's length is relative, and what it meets is measured right."""

from dataclasses import replace

import numpy as np
import pytest

from bncourse.evidence import landscape
from bncourse.evidence.arms import Part, data, mlp
from bncourse.nn import BatchNorm, ReLU, Tanh

LENGTHS = (0.01, 0.1)


@pytest.fixture(scope="module")
def part():
    rng = np.random.default_rng(0)
    return Part(rng.normal(size=(40, 5)), rng.integers(0, 4, 40))


def network(norm=None, activation=Tanh):
    return mlp((5, 8, 7, 4), np.random.default_rng(1), norm=norm, activation=activation)


def exact(features):
    return BatchNorm(features, eps=0.0)


@pytest.mark.parametrize("norm", [None, BatchNorm])
def test_gradient_is_that_of_weights_in_their_own_units(norm, part):
    """Against a central difference along the direction itself: the slope there is the gradient's size."""
    net = network(norm)
    look = landscape.along_the_gradient(net, part, (1e-6, -1e-6))
    slope = (look["losses"][1] - look["losses"][0]) / 2e-6
    np.testing.assert_allclose(slope, look["gradient"], rtol=1e-6)


@pytest.mark.parametrize("norm", [None, BatchNorm])
def test_change_of_the_gradient_is_curvature_on_a_short_step(norm, part):
    """The second difference of the loss is the change of the gradient, as far as it lies along the step."""
    net = network(norm)
    look = landscape.along_the_gradient(net, part, (1e-4, -1e-4))
    second = (look["losses"][0] + look["losses"][1] - 2 * look["loss"]) / 1e-8
    assert abs(second) <= look["changes"][0] / 1e-4 * (1 + 1e-3)


def test_network_stays_as_it_is(part):
    net = network(BatchNorm)
    before = [one.value.copy() for one in net.parameters()]
    landscape.along_the_gradient(net, part, LENGTHS)
    for old, one in zip(before, net.parameters(), strict=True):
        np.testing.assert_array_equal(one.value, old)
    np.testing.assert_array_equal(net.layers[1].running_mean, 0)


def test_scale_of_weights_before_normalization_does_not_show(part):
    """But in plain units ten times the weights look a hundred times as smooth: the trap that the ruler avoids."""
    looks = {}
    for factor in (1.0, 10.0):
        net = network(exact)
        for weight in landscape.weights(net)[:-1]:
            weight *= factor
        looks[factor] = landscape.along_the_gradient(net, part, LENGTHS)
    np.testing.assert_allclose(looks[10.0]["changes"], looks[1.0]["changes"], rtol=1e-9)
    np.testing.assert_allclose(looks[10.0]["losses"], looks[1.0]["losses"], rtol=1e-9)


def test_relu_layers_may_share_their_scale_in_any_way(part):
    """Without normalization: one layer times ten, the next one over ten, biases zero, is the same function."""
    looks = []
    for factors in ((1, 1, 1), (10, 0.1, 1)):
        net = network(activation=ReLU)
        for weight, factor in zip(landscape.weights(net), factors, strict=True):
            weight *= factor
        looks.append(landscape.along_the_gradient(net, part, LENGTHS))
    np.testing.assert_allclose(looks[1]["changes"], looks[0]["changes"], rtol=1e-9)


def test_smoothness_is_the_worst_length():
    assert landscape.smoothness({"changes": [2.0, 3.0]}, (0.5, 1.0)) == 4.0


def test_usual_step_is_as_long_as_it_says(part):
    """A step of rate 1 in plain units, layer by layer over the layer's norm."""
    net = network(BatchNorm)
    look = landscape.along_the_gradient(net, part, LENGTHS)
    landscape.loss_and_gradient(net, part, [1.0] * 3)
    steps = [np.linalg.norm(layer.dweight) / np.linalg.norm(layer.weight) for layer in net.layers[::3]]
    np.testing.assert_allclose(look["usual"], np.linalg.norm(steps), rtol=1e-12)


@pytest.mark.parametrize("activation", list(landscape.ACTIVATIONS))
def test_arms_start_from_the_same_weights(activation):
    parts, settings = data("digits", 600), replace(landscape.Settings(), hidden=(9,), steps=1, every=2)
    nets = [landscape.train(activation, arm, 1e-9, 600, parts, settings)[0] for arm in landscape.ARMS]
    for one, other in zip(*(landscape.weights(net) for net in nets), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_divergence_ends_the_looks_and_is_told():
    parts, settings = data("digits", 600), replace(landscape.Settings(), hidden=(9,), steps=40, every=10)
    net, losses, looks = landscape.train("relu", "plain", 1e3, 600, parts, settings)
    assert landscape.exploratory(net, losses, looks, 1e3, parts, settings)["diverged"]
    assert 1 <= len(looks) < 5
