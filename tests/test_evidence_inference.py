"""The experiment on inference compares what it says it compares."""

from dataclasses import replace

import numpy as np
import pytest

from bncourse.evidence import inference
from bncourse.evidence.arms import data
from bncourse.nn import BatchNorm, accuracy

SETTINGS = replace(inference.EXPERIMENT.reduced, steps=60)


@pytest.fixture(scope="module")
def net():
    parts = data("digits", 500)
    net = inference.network(parts, (30,), 500)
    inference.train(net, 0.5, 500, parts, SETTINGS)
    return net


def test_an_example_alone_gets_no_signal_through(net):
    """Every answer is the same class: accuracy is the share of that class."""
    test = data("digits", 500).test
    share = np.bincount(test.labels) / len(test.labels)
    assert np.isclose(share, inference.by_batch(net, test, 1)).any()


def test_alone_is_what_a_batch_of_equal_examples_is(net):
    """x_hat is 0 there too, and the layer itself accepts it."""
    test = data("digits", 500).test
    same = inference.Part(np.repeat(test.x[:1], 2, axis=0), np.repeat(test.labels[:1], 2))
    alone = inference.Part(test.x[:1], test.labels[:1])
    assert inference.by_batch(net, same, 2) == inference.by_batch(net, alone, 1)


def test_batch_statistics_undo_the_other_camera(net):
    """Contrast and brightness are an affine map of every feature behind the first layer: x_hat changes by eps only."""
    test = data("digits", 500).test
    camera = inference.other_camera("digits", 500, 0.5, 0.25)
    first, second = (net.layers[1].forward(net.layers[0].forward(part.x, True), True) for part in (test, camera))
    np.testing.assert_allclose(first, second, atol=1e-3)
    assert inference.by_batch(net, camera, 64) == pytest.approx(inference.by_batch(net, test, 64), abs=0.006)


def test_no_other_camera_is_the_same_camera():
    np.testing.assert_allclose(inference.other_camera("digits", 3, 1.0, 0.0).x, data("digits", 3).test.x)


def test_sorted_batches_hold_few_classes():
    test = inference.by_class(data("digits", 500).test)
    found = [len(np.unique(test.labels[start : start + 64])) for start in range(0, len(test.labels), 64)]
    assert max(found) <= 3


def test_averages_are_those_a_layer_would_have_kept():
    parts = data("digits", 500)
    own, last = (inference.network(parts, (20,), 500, momentum=momentum) for momentum in (0.1, 1.0))
    averages = inference.Averages((0.1, 0.01))
    inference.train(own, 0.5, 500, parts, SETTINGS)
    inference.train(last, 0.5, 500, parts, SETTINGS, lambda _: averages.take_in(inference.norms(last)))
    (kept,) = averages.kept[0.1]
    np.testing.assert_allclose(kept[0], inference.norms(own)[0].running_mean, rtol=1e-9)
    np.testing.assert_allclose(kept[1], inference.norms(own)[0].running_var, rtol=1e-9)


def test_precise_statistics_are_those_of_the_whole_training_part(net):
    x = data("digits", 500).train.x
    before = inference.norms(net)[0].running_mean.copy()
    layer = inference.norms(inference.precise(net, x))[0]
    z = net.layers[0].forward(x, training=False)
    np.testing.assert_allclose(layer.running_mean, z.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(layer.running_var, z.var(axis=0, ddof=1), rtol=1e-9)
    np.testing.assert_array_equal(inference.norms(net)[0].running_mean, before)


def test_asking_does_not_change_the_network(net):
    test = data("digits", 500).test
    before = accuracy(net, test.x, test.labels)
    for size in (1, 64):
        inference.by_batch(net, test, size)
    assert accuracy(net, test.x, test.labels) == before
    assert all(np.any(layer.gamma != 0) for layer in net.layers if isinstance(layer, BatchNorm))
