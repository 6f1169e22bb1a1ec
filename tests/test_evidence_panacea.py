"""The layers of the panacea experiment have the right gradients, its arms the same start, and its theory holds."""

import numpy as np
import pytest

from bncourse.evidence import panacea
from bncourse.evidence.arms import data
from bncourse.evidence.panacea import CONTESTS, Multiplier, Recurrent, Settings, Shift, from_zero
from bncourse.nn import BatchNorm, LayerNorm, Linear, ReLU, Residual, Sequential, softmax_cross_entropy

STEPS, FEATURES, HIDDEN, N = 3, 2, 5, 7
NORMS = {"none": Shift, "layer norm": LayerNorm, "batch norm": BatchNorm}
SMALL = Settings(hidden=6, width=6, blocks=3, batch=20, steps=4)


def hardened(layer, rng):
    """No parameter stays at 0 or 1, where a mistake in its gradient could hide."""
    for one in layer.parameters():
        if not one.name.startswith("weight"):
            one.value[...] = rng.uniform(0.4, 1.6, one.value.shape) * rng.choice([-1, 1], one.value.shape)
    return layer


def by_complex_step(layer, x, dy, training):
    """The derivative of sum(dy · y) along a random direction of x and of each parameter, with the direction."""
    rng = np.random.default_rng(1)
    along = rng.normal(size=x.shape)
    yield along, np.sum(dy * layer.forward(x + 1e-30j * along, training)).imag / 1e-30
    for name in layer.trainable:
        value = getattr(layer, name)
        along = rng.normal(size=value.shape)
        for one in (layer, *getattr(layer, "norms", ())):
            if hasattr(one, name):
                setattr(one, name, value + 1e-30j * along)
        yield along, np.sum(dy * layer.forward(x, training)).imag / 1e-30
        for one in (layer, *getattr(layer, "norms", ())):
            if hasattr(one, name):
                setattr(one, name, value)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    "make",
    [
        *(lambda rng, norm=norm: Recurrent(STEPS, FEATURES, HIDDEN, rng, norm) for norm in NORMS.values()),
        lambda rng: Multiplier(STEPS * FEATURES),
        lambda rng: Shift(STEPS * FEATURES),
    ],
    ids=[*(f"Recurrent, {name}" for name in NORMS), "Multiplier", "Shift"],
)
def test_gradients_are_the_complex_steps(make, training):
    rng = np.random.default_rng(0)
    layer = hardened(make(rng), rng)
    x = 0.5 + rng.normal(size=(N, STEPS * FEATURES))
    layer.forward(x, training=True)  # so that evaluation has running statistics
    for norm in getattr(layer, "norms", ()):
        norm.momentum = 0.0  # they stay, whatever the complex step does
    dy = 0.3 + rng.normal(size=layer.forward(x, training).shape)
    dx = layer.backward(dy)
    gradients = [dx, *(one.gradient for one in layer.parameters())]
    for gradient, (along, expected) in zip(gradients, by_complex_step(layer, x, dy, training), strict=True):
        assert np.sum(gradient * along) == pytest.approx(expected, rel=1e-11)


def test_the_recurrent_layer_is_its_formula():
    rng = np.random.default_rng(0)
    layer = hardened(Recurrent(STEPS, FEATURES, HIDDEN, rng), rng)
    x = rng.normal(size=(N, STEPS * FEATURES))
    state = np.zeros((N, HIDDEN))
    for step in range(STEPS):
        read = x[:, FEATURES * step : FEATURES * (step + 1)]
        state = np.tanh(read @ layer.weight_x.T + state @ layer.weight_h.T + layer.beta)
    np.testing.assert_allclose(layer.forward(x, training=True), state, rtol=1e-12)


def test_steps_share_gamma_and_beta_but_not_the_running_statistics():
    rng = np.random.default_rng(0)
    layer = Recurrent(STEPS, FEATURES, HIDDEN, rng, BatchNorm)
    layer.forward(rng.normal(size=(N, STEPS * FEATURES)), training=True)
    gamma = next(one for one in layer.parameters() if one.name == "gamma")
    gamma.value[...] = 7.0
    assert all(np.all(norm.gamma == 7.0) for norm in layer.norms)
    assert not np.allclose(layer.norms[0].running_var, layer.norms[1].running_var)


def test_shared_statistics_are_those_of_all_steps_together():
    rng = np.random.default_rng(0)
    net = Sequential(Recurrent(STEPS, FEATURES, HIDDEN, rng, BatchNorm), Linear(HIDDEN, 10, rng))
    cell = net.layers[0]
    sums = rng.normal(size=(STEPS, N, HIDDEN)) + np.arange(STEPS)[:, None, None]
    for norm, one in zip(cell.norms, sums, strict=True):
        norm.running_mean, norm.running_var = one.mean(axis=0), one.var(axis=0)
    shared = panacea.share_statistics(net).layers[0]
    together = sums.reshape(-1, HIDDEN)
    for norm in shared.norms:
        np.testing.assert_allclose(norm.running_mean, together.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(norm.running_var, together.var(axis=0), rtol=1e-12)
    assert not np.allclose(cell.norms[0].running_var, shared.norms[0].running_var)  # the network itself stays


@pytest.mark.parametrize("name", CONTESTS)
def test_all_arms_start_from_the_same_weights(name):
    contest = CONTESTS[name]
    nets = [contest.network(arm.layer, 40, 3, SMALL) for arm in contest.arms.values()]
    weights = [[one.value for one in net.parameters() if one.name.startswith("weight")] for net in nets]
    for others in weights[1:]:
        for first, other in zip(weights[0], others, strict=True):
            np.testing.assert_array_equal(first, other)


@pytest.mark.parametrize("end", [Multiplier, from_zero])
def test_a_branch_that_starts_at_zero_is_silent_but_not_dead(end):
    """Its block is the identity and its weights have no gradient yet, but the number that is 0 has one."""
    rng = np.random.default_rng(0)
    last = end(6)
    block = Residual(ReLU(), Linear(6, 6, rng), last)
    x, dy = rng.normal(size=(2, 9, 6))
    np.testing.assert_array_equal(block.forward(x, training=True), x)
    np.testing.assert_array_equal(block.backward(dy), dy)
    assert not block.layers[1].dweight.any()
    assert np.all(last.dalpha if end is Multiplier else last.dgamma)


def test_the_variance_doubles_grows_by_one_or_stays():
    """Wide blocks on normal input: 2^l without anything, l + 1 with batch normalization, 1 with a zero multiplier."""
    wide = Settings(width=400, blocks=6)
    x = np.random.default_rng(5).normal(size=(400, 400))
    grown = {"none": 2.0 ** np.arange(7), "batch norm": np.arange(7) + 1.0, "SkipInit": np.ones(7)}
    for arm, expected in grown.items():
        net = panacea.residual(CONTESTS["residual digits1d"].arms[arm].layer, 400, 0, wide)
        outputs = net.outputs(x, training=True)[:7]
        squares = [float((y**2).mean()) for y in outputs]
        np.testing.assert_allclose(squares, expected, rtol=0.15)


def test_a_divergence_counts_as_guessing():
    parts = data("digits1d", 500)
    contest = CONTESTS["residual digits1d"]
    assert panacea.train(contest, "none", 1e4, 500, parts, SMALL) is None
    assert panacea.points(None, parts.test) == 10.0
    nothing = dict.fromkeys(contest.arms)
    assert panacea.explored("residual digits1d", nothing, parts) == {"alphas": []}
    other = panacea.explored("recurrent digits1d", nothing, parts)
    assert other == {"statistics recurrent digits1d": {"shared": 10.0, "of the batch": 10.0}}


def test_training_lowers_the_loss():
    parts = data("digits", 500)
    net = panacea.train(CONTESTS["recurrent digits"], "batch norm", 0.5, 500, parts, Settings(hidden=8, steps=30))
    loss, _ = softmax_cross_entropy(net.forward(parts.train.x, training=False), parts.train.labels)
    assert loss < 1.9 < np.log(10)
