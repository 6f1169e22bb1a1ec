"""The experiment on saturation counts what its page says it counts."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm as gaussian

from bncourse.evidence.arms import data
from bncourse.evidence.saturation import (
    ACTIVATIONS,
    ARMS,
    EXPERIMENT,
    SATURATED,
    FixedGamma,
    bounded,
    fitted,
    initial,
    saturated,
    slopes,
    watched,
)
from bncourse.functional import batchnorm_forward
from bncourse.nn import BatchNorm, Linear, Tanh

SMALL = replace(EXPERIMENT.reduced, hidden=(30, 30, 30))
PARTS = data("digits", 500)
X = PARTS.train.x[:200]


def network(kind="tanh", init="large init", arm="bn"):
    return initial(kind, init, arm, 500, PARTS, SMALL)


@pytest.mark.parametrize(("kind", "threshold"), [("tanh", np.arctanh(0.99)), ("sigmoid", 2 * np.arctanh(0.99))])
def test_saturated_means_less_than_two_percent_of_the_largest_slope(kind, threshold):
    """For both activations, measured at their thresholds by the complex step."""
    layer = ACTIVATIONS[kind]()
    z = np.array([-threshold, 0.0, threshold])
    y = layer.forward(z, training=True)
    stretched = y if kind == "tanh" else 2 * y - 1
    slope = layer.forward(z + 1e-30j, training=True).imag / 1e-30
    np.testing.assert_allclose(np.abs(stretched), [SATURATED, 0, SATURATED], atol=1e-12)
    np.testing.assert_allclose(slopes(stretched), slope / slope[1], rtol=1e-9)
    assert slopes(stretched)[0] == pytest.approx(0.0199)


def test_every_activation_is_looked_at_and_nothing_else():
    for kind in ARMS:
        net = network(kind, arm="bn")
        y = bounded(net, X)
        assert y.shape == (3, 200, 30)
        assert np.abs(y).max() <= 1
        np.testing.assert_allclose(y[0], np.tanh(net.layers[1].forward(net.layers[0].forward(X, True), True)
                                                 / (1 if kind == "tanh" else 2)), atol=1e-12)  # fmt: skip


def test_arms_start_from_the_same_weights_and_differ_in_where_they_normalize():
    orders = {}
    for arm in ARMS["tanh"]:
        net = network(arm=arm)
        orders[arm] = "".join(
            {Linear: "L", Tanh: "T", BatchNorm: "B", FixedGamma: "F"}[type(one)] for one in net.layers
        )
        for layer, same in zip(
            (one for one in net.layers if isinstance(one, Linear)),
            (one for one in network(arm="plain").layers if isinstance(one, Linear)),
            strict=True,
        ):
            np.testing.assert_array_equal(layer.weight, same.weight)
    assert orders == {"plain": "LTLTLTL", "bn": "LBTLBTLBTL", "gamma = 1": "LFTLFTLFTL", "after": "LTBLTBLTBL"}


def test_a_fixed_gamma_stays_one_and_beta_learns():
    net = network(arm="gamma = 1")
    fitted(net, 0.5, 500, PARTS, SMALL)
    for layer in net.layers:
        if isinstance(layer, FixedGamma):
            np.testing.assert_array_equal(layer.gamma, 1)
            assert np.abs(layer.beta).max() > 0


def test_normalized_inputs_forget_the_scale_of_the_weights():
    """Why ten times too large does not matter before the activation, and does when normalization comes after it."""
    shares = {
        arm: [saturated(bounded(network("tanh", init, arm), X)).mean() for init in ("good init", "large init")]
        for arm in ("bn", "after", "plain")
    }
    assert shares["bn"][0] == pytest.approx(shares["bn"][1], abs=1e-3)
    assert shares["after"][1] > 0.7
    assert shares["plain"][1] > 0.7


@pytest.mark.parametrize("kind", ["exponential", "normal", "two values"])
def test_chebyshev_bounds_the_share_whatever_the_distribution(kind):
    """With gamma = 1 and beta = 0: at most 1/a² of a batch lies beyond a."""
    rng = np.random.default_rng(0)
    shape = (400, 50)
    x = {
        "exponential": rng.exponential(size=shape),
        "normal": rng.normal(size=shape),
        "two values": np.where(rng.random(shape) < 0.1, 5.0, 0.0),
    }[kind]
    y, _ = batchnorm_forward(x, np.ones(50), np.zeros(50))
    for a in (np.arctanh(SATURATED), 2 * np.arctanh(SATURATED)):
        assert (np.abs(y) > a).mean(axis=0).max() <= 1 / a**2


def test_the_bound_is_reached_by_a_rare_outlier_and_a_gaussian_is_far_below_it():
    x = np.zeros((8, 1))
    x[0] = 1.0
    y, _ = batchnorm_forward(x, np.ones(1), np.zeros(1))
    a = np.arctanh(SATURATED)
    assert y[0, 0] == pytest.approx(np.sqrt(7), rel=1e-3)  # just short of a: one in eight is less than 1/a²
    assert np.sqrt(7) < a < np.sqrt(8)
    assert 2 * gaussian.sf(a) == pytest.approx(0.0081, abs=1e-4)


def test_stuck_counts_those_that_were_saturated_and_still_are():
    case = ("tanh", "large init", "plain")
    still = watched(case, 1e-12, 500, PARTS, SMALL)
    assert still["stuck"] == 100
    assert still["share"][0] == still["share"][-1]
