"""The loop learns, repeats itself by its seed, survives what overflows, and its steps are those of the formula."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bncourse.nn import (
    SGD,
    BatchNorm,
    BatchNorm2d,
    Conv2d,
    Flatten,
    GroupNorm,
    Layer,
    LayerNorm,
    Linear,
    ReLU,
    RMSNorm,
    Sequential,
    Sigmoid,
    Tanh,
    accuracy,
    batches,
    fit,
    predict,
    softmax_cross_entropy,
)

# --- the loss -------------------------------------------------------------------------------------------------------


@pytest.fixture
def logits():
    return np.random.default_rng(0).normal(1, 3, (7, 4))


LABELS = np.array([0, 3, 1, 1, 2, 0, 3])


def test_loss_is_the_mean_negative_logarithm_of_the_probability_of_the_label(logits):
    loss, _ = softmax_cross_entropy(logits, LABELS)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -np.mean([np.log(probabilities[n, label]) for n, label in enumerate(LABELS)])
    np.testing.assert_allclose(loss, expected, rtol=1e-13)


def test_gradient_of_the_loss_is_its_derivative_by_every_logit(logits):
    _, dlogits = softmax_cross_entropy(logits, LABELS)
    for at in np.ndindex(*logits.shape):
        moved = logits.astype(complex)
        moved[at] += 1e-30j
        derivative = softmax_cross_entropy(moved, LABELS)[0].imag / 1e-30
        np.testing.assert_allclose(dlogits[at], derivative, rtol=1e-10, atol=1e-15)
    np.testing.assert_allclose(dlogits.sum(axis=1), 0, atol=1e-16)


def test_loss_of_huge_logits_is_finite(logits):
    loss, dlogits = softmax_cross_entropy(logits + 1e6, LABELS)
    np.testing.assert_allclose(loss, softmax_cross_entropy(logits, LABELS)[0], rtol=1e-8)
    loss, dlogits = softmax_cross_entropy([[1e300, 0.0], [0.0, 1e300]], [0, 0])
    assert loss == 0.5e300
    np.testing.assert_array_equal(dlogits, [[0, 0], [-0.5, 0.5]])


def test_loss_leaves_the_logits_as_they_are(logits):
    logits.flags.writeable = False
    _, dlogits = softmax_cross_entropy(logits, LABELS)
    assert not np.shares_memory(dlogits, logits)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (LABELS[:3], r"labels \(3,\): expected"),
        (LABELS[:, None], r"labels \(7, 1\): expected"),
        (LABELS - 1, "labels go from -1 to 2, but there are 4 classes"),
        (LABELS + 1, "labels go from 1 to 4, but there are 4 classes"),
    ],
)
def test_loss_refuses_labels_that_are_not_those_of_the_logits(logits, labels, sentence):
    with pytest.raises(ValueError, match=sentence):
        softmax_cross_entropy(logits, labels)


# --- the steps ------------------------------------------------------------------------------------------------------


def one_weight(value=1.0):
    layer = Linear(1, 1, np.random.default_rng(0), bias=False)
    layer.weight[...] = value
    return layer


def steps_of(layer, optimizer, gradients):
    """The weight after each step, with these gradients."""
    found = []
    for gradient in gradients:
        layer.dweight[...] = gradient
        optimizer.step()
        found.append(layer.weight.item())
    return found


@pytest.mark.parametrize(
    ("settings_of_sgd", "expected"),
    [
        ({}, [0.95, 0.90, 1.00]),
        ({"momentum": 0.9}, [0.95, 0.855, 0.8695]),  # v = 0.5, 0.95, -0.145
        ({"weight_decay": 0.1}, [0.94, 0.8806, 0.971794]),  # v = 0.6, 0.594, -0.91194
        ({"momentum": 0.9, "weight_decay": 0.1}, [0.94, 0.8266, 0.816274]),  # v = 0.6, 1.134, 0.10326
    ],
)
def test_steps_follow_the_formula_with_the_decay_inside_the_momentum(settings_of_sgd, expected):
    """By hand for η = 0.1 and the gradients 0.5, 0.5, -1 from w = 1; PyTorch's SGD walks the same way."""
    layer = one_weight()
    found = steps_of(layer, SGD(layer.parameters(), 0.1, **settings_of_sgd), [0.5, 0.5, -1.0])
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_a_step_changes_the_array_that_the_layer_has_and_not_its_gradient():
    layer = one_weight()
    weight, layer.dweight[...] = layer.weight, 0.5
    SGD(layer.parameters(), 0.1, momentum=0.9, weight_decay=0.1).step()
    assert layer.weight is weight
    assert layer.dweight == 0.5


def test_every_optimizer_has_a_momentum_of_its_own():
    first, second = one_weight(), one_weight()
    one, other = (SGD(layer.parameters(), 0.1, momentum=0.9) for layer in (first, second))
    steps_of(first, one, [0.5, 0.5])
    assert steps_of(second, other, [0.5]) == [0.95]


def test_groups_spare_gamma_and_beta_the_decay():
    layer, norm = one_weight(2.0), BatchNorm(3)
    norm.beta[...] = 5.0
    groups = [{"parameters": layer.parameters()}, {"parameters": norm.parameters(), "weight_decay": 0.0}]
    optimizer = SGD(groups, 0.1, weight_decay=0.5)
    optimizer.step()
    optimizer.step()
    np.testing.assert_allclose(layer.weight, 2 * 0.95**2, rtol=1e-14)
    np.testing.assert_array_equal(norm.gamma, 1)
    np.testing.assert_array_equal(norm.beta, 5)


def test_groups_have_rates_of_their_own_that_a_schedule_moves_in_proportion():
    slow, fast, usual = one_weight(), one_weight(), one_weight()
    groups = [
        {"parameters": slow.parameters(), "learning_rate": 0.01},
        {"parameters": fast.parameters(), "learning_rate": 1.0, "weight_decay": 0.5},
        *usual.parameters(),
    ]
    optimizer = SGD(groups, 0.1)
    for layer in (slow, fast, usual):
        layer.dweight[...] = 0.5
    optimizer.step()
    np.testing.assert_allclose([slow.weight.item(), fast.weight.item(), usual.weight.item()], [0.995, 0.0, 0.95])
    optimizer.learning_rate *= 0.1
    optimizer.step()
    np.testing.assert_allclose([slow.weight.item(), fast.weight.item(), usual.weight.item()], [0.9945, -0.05, 0.945])


def test_a_group_may_stand_still():
    layer = one_weight()
    optimizer = SGD([{"parameters": layer.parameters(), "learning_rate": 0.0}], 0.1, momentum=0.9)
    assert steps_of(layer, optimizer, [0.5, 0.5]) == [1.0, 1.0]


@pytest.mark.parametrize(
    "refused",
    [
        {"learning_rate": 0.0},
        {"learning_rate": -0.1},
        {"learning_rate": np.nan},
        {"learning_rate": np.inf},
        {"momentum": -0.1},
        {"momentum": np.nan},
        {"weight_decay": -1e-4},
        {"weight_decay": np.nan},
    ],
)
@pytest.mark.parametrize("parameters", [[], one_weight().parameters()], ids=["no parameter", "one"])
def test_sgd_refuses_settings_that_make_no_step(refused, parameters):
    with pytest.raises(ValueError, match="learning_rate is above zero"):
        SGD(parameters, **{"learning_rate": 0.1, **refused})


@pytest.mark.parametrize("refused", [{"learning_rate": -0.1}, {"weight_decay": -1.0}, {"weight_decay": np.nan}])
def test_sgd_refuses_groups_that_make_no_step(refused):
    with pytest.raises(ValueError, match="learning_rate is above zero"):
        SGD([{"parameters": one_weight().parameters(), **refused}], 0.1)


def test_sgd_refuses_a_setting_that_it_would_not_follow():
    with pytest.raises(ValueError, match=r"a group has \['decay'\]; expected \['learning_rate', 'parameters'"):
        SGD([{"parameters": one_weight().parameters(), "decay": 0.0}], 0.1)


# --- the batches ----------------------------------------------------------------------------------------------------


@given(count=st.integers(1, 40), size=st.integers(1, 40), seed=st.integers(0, 99))
@settings(max_examples=50, deadline=None, derandomize=True, database=None)
def test_an_epoch_takes_no_example_twice_and_leaves_out_less_than_a_batch(count, size, seed):
    size = min(size, count)
    order = batches(count, size, np.random.default_rng(seed))
    for _ in range(3):
        epoch = np.concatenate([next(order) for _ in range(count // size)])
        assert len(epoch) == count // size * size > count - size
        assert len(np.unique(epoch)) == len(epoch)
        assert epoch.min() >= 0
        assert epoch.max() < count


def test_every_epoch_has_an_order_of_its_own_and_leaves_out_others():
    order = batches(10, 4, np.random.default_rng(0))
    epochs = [np.concatenate([next(order), next(order)]) for _ in range(20)]
    assert len({tuple(epoch) for epoch in epochs}) == 20
    assert set(np.concatenate(epochs)) == set(range(10))


@pytest.mark.parametrize("size", [0, -1, 6])
def test_batches_refuse_a_size_that_cannot_be_drawn(size):
    with pytest.raises(ValueError, match=f"a batch of {size} cannot be drawn from 5 examples"):
        next(batches(5, size, np.random.default_rng(0)))


# --- the loop -------------------------------------------------------------------------------------------------------


def blobs(seed=0, count=200, features=4):
    """Two clouds of points, their middles four deviations apart, that a straight line tells apart."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    away = np.tile([1.0, -1.0], features // 2) * 2 / np.sqrt(features)
    return 3 + rng.normal(size=(count, features)) + np.where(labels[:, None] == 1, away, -away), labels


def network(norm=None, activation=ReLU, hidden=3, seed=0, width=8):
    rng = np.random.default_rng(seed)
    layers: list[Layer] = []
    for fan_in in (4, *[width] * (hidden - 1)):
        layers += [Linear(fan_in, width, rng), *([norm(width)] if norm else []), activation()]
    return Sequential(*layers, Linear(width, 2, rng))


def trained(net, learning_rate, *, steps=60, batch_size=20, seed=0, **settings_of_fit):
    x, labels = blobs()
    optimizer = SGD(net.parameters(), learning_rate, momentum=0.9)
    rng = np.random.default_rng(seed)
    return fit(net, x, labels, optimizer, steps=steps, batch_size=batch_size, rng=rng, **settings_of_fit)


NORMS = {
    "none": None,
    "batch": BatchNorm,
    "layer": LayerNorm,
    "RMS": RMSNorm,
    "group": lambda features: GroupNorm(2, features),
}
every_norm = pytest.mark.parametrize("norm", NORMS.values(), ids=NORMS)
every_activation = pytest.mark.parametrize("activation", [ReLU, Sigmoid, Tanh])


@every_norm
def test_fit_repeats_itself_by_its_seed(norm):
    losses, again = trained(network(norm), 0.05), trained(network(norm), 0.05)
    np.testing.assert_array_equal(losses, again)
    assert np.isfinite(losses).all()
    assert not np.array_equal(losses, trained(network(norm), 0.05, seed=1))


def test_fit_takes_the_seed_and_no_other_chance():
    before = np.random.get_state()[1:3]  # noqa: NPY002 -- the state in question is this one
    trained(network(BatchNorm), 0.05, steps=3)
    after = np.random.get_state()[1:3]  # noqa: NPY002
    np.testing.assert_array_equal(after[0], before[0])
    assert after[1] == before[1]


@every_norm
def test_fit_learns_to_tell_two_clouds_apart(norm):
    net = network(norm, hidden=1)
    losses = trained(net, 0.05, steps=100)
    x, labels = blobs(seed=1)
    assert accuracy(net, x, labels) > 0.9
    assert accuracy(net, x, labels, batch_size=20, training=True) > 0.9
    assert losses[-10:].mean() < 0.5 * losses[:3].mean()


def test_fit_learns_images_by_convolution_and_batch_normalization():
    """Stripes that lie, and stripes that stand, at a random brightness."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 200)
    lying = np.tile([[1.0], [-1.0]], (3, 6))
    x = np.where(labels[:, None, None] == 1, lying, lying.T)[:, None] + rng.normal(0, 0.5, (200, 1, 6, 6))
    x *= rng.uniform(0.5, 2, (200, 1, 1, 1))
    norm = BatchNorm2d(4)
    net = Sequential(Conv2d(1, 4, rng, stride=2, bias=False), norm, ReLU(), Flatten(), Linear(36, 2, rng))
    optimizer = SGD(net.parameters(), 0.05, momentum=0.9)
    fit(net, x[:150], labels[:150], optimizer, steps=60, batch_size=25, rng=rng)
    assert norm.num_batches_tracked == 60
    assert accuracy(net, x[150:], labels[150:]) > 0.9


def test_losses_are_those_before_each_step_on_its_own_batch():
    net, twin = network(BatchNorm), network(BatchNorm)
    losses = trained(net, 0.05, steps=5)
    x, labels = blobs()
    optimizer, order = SGD(twin.parameters(), 0.05, momentum=0.9), batches(200, 20, np.random.default_rng(0))
    for expected in losses:
        chosen = next(order)
        loss, dlogits = softmax_cross_entropy(twin.forward(x[chosen], training=True), labels[chosen])
        assert loss == expected
        twin.backward(dlogits)
        optimizer.step()
    for one, other in zip(net.parameters(), twin.parameters(), strict=True):
        np.testing.assert_array_equal(one.value, other.value)


class Register(Layer):
    """Lets everything pass, and writes down in which mode which examples came by (their number is their feature)."""

    def __init__(self):
        self.seen = []

    def forward(self, x, training):
        self.seen.append((training, x[:, 0].astype(int).tolist()))
        return x

    def backward(self, dy):
        return dy


def test_fit_shows_each_example_once_an_epoch_and_in_training_mode():
    register = Register()
    net = Sequential(register, Linear(1, 2, np.random.default_rng(0)))
    x = np.arange(12.0)[:, None]
    optimizer = SGD(net.parameters(), 1e-6)
    fit(net, x, np.zeros(12, int), optimizer, steps=6, batch_size=4, rng=np.random.default_rng(0))
    modes, seen = zip(*register.seen, strict=True)
    assert set(modes) == {True}
    for epoch in (seen[:3], seen[3:]):
        assert sorted(np.concatenate(epoch)) == list(range(12))
    assert seen[:3] != seen[3:]


def test_fit_gives_each_example_its_own_label():
    rng = np.random.default_rng(0)
    x, labels = np.eye(6), rng.permutation(6)
    net = Linear(6, 6, rng)
    fit(net, x, labels, SGD(net.parameters(), 5.0), steps=60, batch_size=3, rng=rng)
    np.testing.assert_array_equal(predict(net, x), labels)


def test_fit_leaves_the_data_as_they_are():
    x, labels = blobs()
    x.flags.writeable = labels.flags.writeable = False
    net = network(BatchNorm)
    fit(net, x, labels, SGD(net.parameters(), 0.1), steps=3, batch_size=10, rng=np.random.default_rng(0))


def test_fit_of_no_step_changes_nothing():
    net, untouched = network(), network()
    assert trained(net, 0.1, steps=0).shape == (0,)
    for one, other in zip(net.parameters(), untouched.parameters(), strict=True):
        np.testing.assert_array_equal(one.value, other.value)


# --- what overflows -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("learning_rate", [1e3, 1e20, 1e80, 1e150, 1e200, 1e300])
@every_activation
@every_norm
def test_a_divergence_is_a_result_and_no_error(norm, activation, learning_rate):
    """Warnings are errors here. 1e80 squared is finite, but not what passes through two such layers."""
    losses = trained(network(norm, activation), learning_rate, steps=40)
    diverged = np.argmax(np.isinf(losses))
    assert diverged > 0
    assert np.isfinite(losses[:diverged]).all()
    assert (losses[diverged:] == np.inf).all()


def test_weights_that_are_no_numbers_are_a_divergence_even_behind_a_relu():
    net = network()
    net.layers[0].weight[...] = np.nan
    assert (trained(net, 0.1, steps=3) == np.inf).all()


def test_nothing_is_trained_or_reported_after_a_divergence():
    net, calls = network(), []
    losses = trained(net, 1e3, steps=40, after_step=lambda step, loss: calls.append((step, loss)))
    diverged = int(np.argmax(np.isinf(losses)))
    assert calls == list(enumerate(losses[:diverged]))
    assert all(np.isfinite(parameter.value).all() for parameter in net.parameters())


def test_what_counts_as_divergence_can_be_set():
    losses = trained(network(), 0.05, steps=20)
    limit = losses[0] * 0.99
    np.testing.assert_array_equal(trained(network(), 0.05, steps=20, diverged_above=limit), np.inf)
    np.testing.assert_array_equal(trained(network(), 0.05, steps=20, diverged_above=losses.max()), losses)


def constant(x):
    x[:, :] = 1.0


def not_a_number(x):
    x[:, 0] = np.nan


@pytest.mark.parametrize(
    ("spoil", "norm", "sentence"),
    [
        (constant, lambda features: BatchNorm(features, eps=0.0), r"variance \+ eps is 0"),
        (not_a_number, BatchNorm, "the data are not finite"),
        (not_a_number, LayerNorm, "the data are not finite"),
    ],
)
def test_an_error_that_is_no_overflow_stays_an_error(spoil, norm, sentence):
    x, labels = blobs()
    spoil(x)
    net = network(norm)
    with pytest.raises(ValueError, match=sentence):
        fit(net, x, labels, SGD(net.parameters(), 0.1), steps=5, batch_size=20, rng=np.random.default_rng(0))


def test_data_that_do_not_fit_the_network_are_an_error():
    x, labels = blobs()
    net = network(BatchNorm)
    optimizer, rng = SGD(net.parameters(), 0.1), np.random.default_rng(0)
    for wrong_x, wrong_labels in [(x[:, :3], labels), (x, labels[:, None]), (x, labels + 1)]:
        with pytest.raises(ValueError, match=r"matmul|expected|classes"):
            fit(net, wrong_x, wrong_labels, optimizer, steps=5, batch_size=200, rng=rng)


# --- looking on -----------------------------------------------------------------------------------------------------


def test_after_step_sees_every_step_and_its_loss():
    calls = []
    losses = trained(network(BatchNorm), 0.05, steps=7, after_step=lambda *call: calls.append(call))
    assert calls == list(enumerate(losses))


def test_after_step_can_end_the_training():
    net, twin = network(BatchNorm), network(BatchNorm)
    losses = trained(net, 0.05, steps=10, after_step=lambda step, loss: step == 3)
    np.testing.assert_array_equal(np.isnan(losses), [False] * 4 + [True] * 6)
    np.testing.assert_array_equal(losses[:4], trained(twin, 0.05, steps=4))
    for one, other in zip(net.parameters(), twin.parameters(), strict=True):
        np.testing.assert_array_equal(one.value, other.value)


def test_after_step_can_set_the_learning_rate():
    layer = Linear(4, 2, np.random.default_rng(0))
    optimizer = SGD(layer.parameters(), 0.1)
    x, labels = blobs()

    def stop_learning(step, loss):
        optimizer.learning_rate = 0.0
        seen.append(layer.weight.copy())

    seen = []
    fit(layer, x, labels, optimizer, steps=3, batch_size=20, rng=np.random.default_rng(0), after_step=stop_learning)
    np.testing.assert_array_equal(seen[1], seen[0])
    np.testing.assert_array_equal(seen[2], seen[0])


# --- asking the network ---------------------------------------------------------------------------------------------


@pytest.fixture
def net_and_data():
    net = network(BatchNorm, hidden=2)
    trained(net, 0.05, steps=5)
    return net, *blobs(seed=3, count=50)


def test_evaluation_does_not_depend_on_the_batch_and_training_mode_does(net_and_data):
    net, x, _ = net_and_data
    whole = predict(net, x)
    assert whole.shape == (50,)
    np.testing.assert_array_equal(whole, net.forward(x, training=False).argmax(axis=1))
    np.testing.assert_array_equal(predict(net, x, batch_size=7), whole)
    by_label = x[np.argsort(whole, kind="stable")]  # batches of one class: their own statistics tell nothing of it
    assert not np.array_equal(predict(net, by_label, batch_size=10, training=True), predict(net, by_label))


def test_predict_in_training_mode_takes_the_statistics_of_each_batch(net_and_data):
    net, x, _ = net_and_data
    found = predict(net, x, batch_size=20, training=True)
    expected = [net.forward(part, training=True).argmax(axis=1) for part in (x[:20], x[20:40], x[40:])]
    np.testing.assert_array_equal(found, np.concatenate(expected))


@pytest.mark.parametrize("training", [True, False])
def test_to_ask_a_network_does_not_move_what_it_tracks(net_and_data, training):
    net, x, labels = net_and_data
    norms = [layer for layer in net.layers if isinstance(layer, BatchNorm)]
    before = [(norm.running_mean.copy(), norm.running_var.copy(), norm.num_batches_tracked) for norm in norms]
    accuracy(net, x, labels, batch_size=10, training=training)
    for norm, (mean, var, tracked) in zip(norms, before, strict=True):
        np.testing.assert_array_equal(norm.running_mean, mean)
        np.testing.assert_array_equal(norm.running_var, var)
        assert norm.num_batches_tracked == tracked


def test_accuracy_is_the_share_of_labels_found():
    net = Linear(2, 2, np.random.default_rng(0))
    net.weight[...] = np.eye(2)
    x = np.array([[1.0, 0.0], [0.0, 1.0], [3.0, 2.0], [2.0, 5.0]])
    assert accuracy(net, x, np.array([0, 1, 0, 0])) == 0.75
    assert accuracy(net, x, np.array([0, 1, 0, 0]), batch_size=3) == 0.75
