"""What the experiment on initialization derives is so, and it measures what it says."""

from functools import partial

import numpy as np
import pytest

from bncourse import functional as F
from bncourse.evidence import initialization as evidence
from bncourse.evidence.arms import data, mlp
from bncourse.nn import SGD, BatchNorm, Linear, fit


@pytest.mark.parametrize(("scale", "eps"), [(1e-2, None), (1e-5, 1e-3), (1e-7, 1e-5)])
def test_a_chain_of_weights_escapes_in_the_predicted_time(scale, eps):
    """With normalizations that divide by the root of variance and epsilon, not by the root of epsilon alone."""

    def normalized(z):
        return z if eps is None else z / np.sqrt(z * z + eps)

    def output(u1, u2, v):
        return v * normalized(u2 * normalized(u1))

    rate, weights, steps = 0.2, np.full(3, scale), 0
    while output(*weights) < 0.1:
        slopes = [output(*(weights + 1e-30j * row)).imag / 1e-30 for row in np.eye(3)]
        weights, steps = weights + rate * np.array(slopes), steps + 1
    assert steps == pytest.approx(evidence.escape_steps(scale, rate, eps), rel=0.05)


def test_half_of_the_variance_is_left_at_the_predicted_scale():
    x = np.random.default_rng(0).normal(size=(50, 1))
    scale = np.sqrt(1e-5 / x.var())
    left = F.normalize(scale * x, scale * x.mean(0), scale**2 * x.var(0), eps=1e-5).var()
    assert left == pytest.approx(0.5, rel=1e-12)


def test_pre_activations_have_variance_two_at_scale_one():
    """He's weights give 2/D per weight, standardized data D of variance on all features together."""
    found = [evidence.preactivation_variance("digits", seed).mean() for seed in range(500, 510)]
    assert np.mean(found) == pytest.approx(2.0, rel=0.1)


@pytest.mark.parametrize("a", [1e-4, 1e3])
def test_the_rate_of_normalized_weights_follows_the_square_of_their_scale(a):
    part = data("digits", 500).train

    def losses(scale):
        net = mlp((64, 10, 10, 10), np.random.default_rng(0), norm=partial(BatchNorm, eps=0.0))
        hidden = [net.layers[0], net.layers[3]]
        for layer in hidden:
            layer.weight *= scale
        followed = [layer.parameters()[0] for layer in hidden]
        others = [one for one in net.parameters() if one not in followed]
        optimizer = SGD([{"parameters": followed, "learning_rate": 0.5 * scale**2}, *others], 0.5)
        return fit(net, part.x, part.labels, optimizer, steps=20, batch_size=20, rng=np.random.default_rng(1))

    np.testing.assert_allclose(losses(a), losses(1.0), rtol=1e-8)


def test_without_normalization_the_outputs_grow_as_the_cube_of_the_scale():
    """Homogeneous: the decisions are the same at any scale."""
    x = data("digits", 500).train.x[:5]

    def outputs(scale):
        net = mlp((64, 10, 10, 10), np.random.default_rng(0))
        for layer in net.layers:
            if isinstance(layer, Linear):
                layer.weight *= scale
        return net.forward(x, training=True)

    np.testing.assert_allclose(outputs(1e3), 1e9 * outputs(1.0), rtol=1e-12)


def scaled(case, decade):
    """Norms of the weights after a step that is too small to change them."""
    parts = data("digits", 500)
    net, _ = evidence.train(case, "plain", decade, 1e-30, 500, parts, evidence.Settings(hidden=(5, 5), steps=1))
    return np.array([np.linalg.norm(layer.weight) for layer in net.layers if isinstance(layer, Linear)])


def test_scales_the_layers_that_it_says():
    np.testing.assert_allclose(scaled("digits", -3) / scaled("digits", 0), [1e-3, 1e-3, 1e-3])
    only_hidden = "digits, hidden layers only"
    np.testing.assert_allclose(scaled(only_hidden, -3) / scaled(only_hidden, 0), [1e-3, 1e-3, 1])


def test_an_overflow_is_a_score_of_zero_and_no_error():
    settings = evidence.Settings(hidden=(5, 5), steps=5)
    for arm in evidence.ARMS:
        assert evidence.score("digits", arm, 7, 2.0**200, 500, settings, "test") == 0.0


def test_a_window_ends_where_the_bar_is_first_missed():
    assert evidence.ends({-2: 1.0, -1: 0.5, 0: 1.0, 1: 0.95, 2: 0.85}, 0.9) == pytest.approx((-0.2, 1.5))
    assert evidence.ends({-1: 1.0, 0: 0.8, 1: 1.0}, 0.9) == (0.0, 0.0)


def test_searches_rates_beyond_the_start_when_the_best_is_outermost(monkeypatch):
    """The peak lies beyond the coarse steps: they go on."""

    def peak(case, arm, decade, rate, seed, settings, part):
        return 0.9 - 0.02 * abs(np.log2(rate) + 6.5)

    monkeypatch.setattr(evidence, "score", peak)
    position, reached = evidence.best_rate("digits", "bn", 0, 0, evidence.Settings())
    assert position == -13
    assert reached == pytest.approx(0.9)


def test_a_best_rate_at_the_edge_of_the_search_is_an_error(monkeypatch):
    """As in the other experiments: an optimum that lies outside would make the comparison unfair."""
    monkeypatch.setattr(evidence, "score", lambda *settings: min(0.9, 0.5 - 0.001 * np.log2(settings[3])))
    with pytest.raises(ValueError, match="digits, bn, decade 0 is at the edge"):
        evidence.best_rate("digits", "bn", 0, 0, evidence.Settings())


def test_where_no_rate_trains_the_search_ends(monkeypatch):
    monkeypatch.setattr(evidence, "score", lambda *_: 0.1)
    assert evidence.best_rate("digits", "bn", 0, 0, evidence.Settings())[1] == pytest.approx(0.1)
