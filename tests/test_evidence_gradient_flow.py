"""What the experiment on gradients derives is so, and it measures what it says."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from bncourse.evidence import gradient_flow as evidence
from bncourse.evidence.arms import data
from bncourse.nn import Linear, Residual


@pytest.fixture
def batch():
    part = data("digits", 500).train
    return part.x[:32], part.labels[:32]


def norms(batch, *, norm, init="He init", depth=6, scale=1.0):
    net = evidence.deep(64, 16, depth, np.random.default_rng(0), norm=norm, init=init)
    for layer in net.layers[:-1]:
        if isinstance(layer, Linear):
            layer.weight *= scale
    return evidence.gradients(net, *batch)


def test_relu_of_a_normal_number_has_the_variance_behind_the_limit():
    def moment(power):
        return quad(lambda z: z**power * norm.pdf(z), 0, np.inf)[0]

    assert 0.5 / (moment(2) - moment(1) ** 2) == pytest.approx(evidence.LIMIT, rel=1e-9)


def measured(samples, **kind):
    return [evidence.growth(samples, 250, 16, np.random.default_rng(seed), **kind) for seed in range(3)]


def test_grows_by_the_limit_in_wide_networks_and_large_batches():
    assert np.mean([evidence.per_layer(one) for one in measured(400)]) == pytest.approx(evidence.LIMIT, rel=0.03)


@pytest.mark.parametrize("samples", [8, 16, 32])
def test_linear_networks_grow_as_the_batch_size_says(samples):
    found = np.mean([evidence.per_layer(one) for one in measured(samples, relu=False)])
    assert found == pytest.approx(evidence.linear_growth(samples), rel=0.02)


def test_the_mean_inverse_variance_behind_the_linear_growth():
    """N normalized values lie in N-1 dimensions, with the mean square N/(N-1) in each."""
    n = 10
    chi = np.random.default_rng(0).chisquare(n - 1, 200_000)
    inverse = np.mean((n - 1) / chi)
    assert inverse == pytest.approx((n - 1) / (n - 3), rel=0.01)
    assert inverse * (n - 2) / (n - 1) == pytest.approx(evidence.linear_growth(n), rel=0.01)


def test_residual_connections_let_it_grow_less_from_block_to_block():
    found = np.mean(measured(400, residual=True), axis=0)
    np.testing.assert_allclose(found, evidence.residual_growth(np.arange(16)), rtol=0.04)


def test_normalization_makes_raw_gradients_larger_where_weights_are_smaller_and_leaves_relative_ones(batch):
    large, small = (norms(batch, norm=True, scale=scale) for scale in (1e3, 1e2))  # far above epsilon
    np.testing.assert_allclose(small["raw"], 10 * large["raw"], rtol=1e-6)
    np.testing.assert_allclose(small["relative"], large["relative"], rtol=1e-6)


@pytest.mark.parametrize(("init", "deviation"), [("small init", 0.01), ("He init", 0.25), ("large init", 0.5)])
def test_draws_weights_as_it_says(init, deviation):
    net = evidence.deep(64, 32, 2, np.random.default_rng(0), norm=False, init=init)
    np.testing.assert_allclose(net.layers[2].weight.std(), deviation, rtol=0.05)


def test_arms_start_from_the_same_weights():
    plain, bn = (
        [layer.weight for layer in evidence.deep(64, 8, 3, np.random.default_rng(0), norm=norm, init="He init").layers
         if isinstance(layer, Linear)]
        for norm in (False, True)
    )  # fmt: skip
    for one, other in zip(plain, bn, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_residual_arm_has_a_shortcut_around_each_block_that_keeps_the_shape():
    settings = evidence.Settings(trained_depth=4, trained_width=6, steps=1)
    net, losses = evidence.trained("bn, residual", 0.1, 0, settings, data("digits", 500))
    assert sum(isinstance(layer, Residual) for layer in net.layers) == 3
    assert np.isfinite(losses).all()
