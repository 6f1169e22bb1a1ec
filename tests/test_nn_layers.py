"""Backward is the derivative of forward, layer by layer and mode by mode; and a layer keeps its hands off the rest."""

import numpy as np
import pytest
from nn_cases import CASES, CONVOLUTIONS, EPS, NETWORKS, SINGLE, norms_in

from bncourse import functional as F
from bncourse import nn
from bncourse.gradcheck import gradcheck

every_layer = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
every_network = pytest.mark.parametrize("case", NETWORKS, ids=lambda case: case.name)
both_modes = pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])


def as_functions(layer, training):
    """The layer as a forward and a backward of x and all its parameters, for whoever wants to differentiate it."""

    def forward(x, *values):
        for parameter, value in zip(layer.parameters(), values, strict=True):
            setattr(parameter.layer, parameter.name, value)
        return layer.forward(x, training), (x, *values)

    def backward(dy, arguments):
        forward(*arguments)
        return (layer.backward(dy), *(parameter.gradient for parameter in layer.parameters()))

    return forward, backward


def test_every_layer_of_the_package_is_a_case():
    layers = {name for name in nn.__all__ if isinstance(getattr(nn, name), type) and name not in ("SGD", "Parameter")}
    assert {case.name.split(",")[0].split()[0] for case in CASES} == layers - {"Layer"}


# --- gradients ------------------------------------------------------------------------------------------------------


@both_modes
@every_layer
def test_whole_gradient_is_the_derivative_of_the_forward(case, training):
    layer, x, dy = case.draw()
    inputs = [x, *(parameter.value.copy() for parameter in layer.parameters())]
    forward, backward = as_functions(layer, training)
    report = gradcheck(forward, backward, inputs, dy=dy, rtol=1e-9)
    assert report, str(report)
    assert report.method == "complex"


@both_modes
@every_layer
def test_gradient_is_the_derivative_along_a_random_direction(case, training):
    """By the complex step alone, written out: it needs no trust in gradcheck."""
    layer, x, dy = case.draw()
    inputs = [x, *(parameter.value.copy() for parameter in layer.parameters())]
    forward, backward = as_functions(layer, training)
    gradients = backward(dy, inputs)
    rng = np.random.default_rng(1)
    for which, gradient in enumerate(gradients):
        along = rng.normal(size=inputs[which].shape)
        moved = [a + 1e-30j * along if i == which else a for i, a in enumerate(inputs)]
        derivative = forward(*moved)[0].imag / 1e-30
        terms = dy * derivative
        assert gradient.shape == inputs[which].shape
        np.testing.assert_allclose(np.sum(gradient * along), terms.sum(), rtol=1e-9, atol=1e-12 * np.abs(dy).sum())


@both_modes
@every_network
def test_every_gradient_inside_a_network_is_that_of_the_layers_behind(case, training):
    net, x, dy = case.draw()
    outputs = [x, *net.outputs(x, training)]
    gradients = net.gradients(dy)
    for first, gradient in enumerate(gradients[:-1]):
        behind = nn.Sequential(*net.layers[first:])
        along = np.random.default_rng(first).normal(size=outputs[first].shape)
        derivative = behind.forward(outputs[first] + 1e-30j * along, training).imag / 1e-30
        np.testing.assert_allclose(np.sum(gradient * along), np.sum(dy * derivative), rtol=1e-9, atol=1e-11)


# --- what each computes ---------------------------------------------------------------------------------------------


def test_linear_multiplies_each_sample_by_the_weights_and_adds_the_bias():
    layer = nn.Linear(3, 2, np.random.default_rng(0))
    layer.weight[...], layer.bias[...] = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [10.0, 20.0]
    y = layer.forward([[1.0, 0.0, 1.0], [0.0, 1.0, -1.0]], training=True)
    np.testing.assert_array_equal(y, [[14.0, 30.0], [9.0, 19.0]])


def convolved(x, weight, bias, stride, padding):
    """Pixel by pixel; what lies outside the image counts as zero."""
    images, _, height, width = x.shape
    outputs, inputs, kernel, _ = weight.shape
    rows, columns = ((size + 2 * padding - kernel) // stride + 1 for size in (height, width))
    y = np.zeros((images, outputs, rows, columns))
    for n, o, h, w in np.ndindex(*y.shape):
        y[n, o, h, w] = 0.0 if bias is None else bias[o]
        for c, i, j in np.ndindex(inputs, kernel, kernel):
            row, column = stride * h + i - padding, stride * w + j - padding
            if 0 <= row < height and 0 <= column < width:
                y[n, o, h, w] += weight[o, c, i, j] * x[n, c, row, column]
    return y


@pytest.mark.parametrize("case", CONVOLUTIONS, ids=lambda case: case.name)
def test_convolution_agrees_with_loops_over_pixels(case):
    layer, x, _ = case.draw()
    expected = convolved(x, layer.weight, layer.bias, layer.stride, layer.padding)
    y = layer.forward(x, training=True)
    assert y.shape == expected.shape
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_convolution_keeps_the_size_of_the_image_when_nothing_is_said_of_padding(kernel):
    layer = nn.Conv2d(2, 3, np.random.default_rng(0), kernel=kernel)
    assert layer.forward(np.ones((1, 2, 6, 5)), training=True).shape == (1, 3, 6, 5)


@pytest.mark.parametrize(
    ("make", "fan_in"),
    [
        (lambda rng, gain: nn.Linear(50, 400, rng, gain=gain), 50),
        (lambda rng, gain: nn.Conv2d(5, 400, rng, kernel=3, gain=gain), 45),
    ],
    ids=["Linear", "Conv2d"],
)
def test_weights_start_with_the_deviation_that_keeps_the_size_of_the_signal(make, fan_in):
    layer = make(np.random.default_rng(0), 1.5)
    assert abs(layer.weight.mean()) < 0.05 * layer.weight.std()
    assert abs(layer.weight.std() / (1.5 / np.sqrt(fan_in)) - 1) < 0.03
    assert not layer.bias.any()
    np.testing.assert_array_equal(make(np.random.default_rng(0), 1.5).weight, layer.weight)


def test_relu_after_its_weights_keeps_the_mean_square():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 100))
    y = nn.ReLU().forward(nn.Linear(100, 500, rng).forward(x, training=True), training=True)
    assert abs((y**2).mean() - 1) < 0.05


def test_activations_are_the_functions_they_are_named_after():
    x = np.linspace(-3, 3, 13).reshape(1, 13)
    np.testing.assert_array_equal(nn.ReLU().forward(x, True), np.where(x > 0, x, 0))
    np.testing.assert_allclose(nn.Sigmoid().forward(x, True), 1 / (1 + np.exp(-x)), rtol=1e-14)
    np.testing.assert_allclose(nn.Tanh().forward(x, True), np.sinh(x) / np.cosh(x), rtol=1e-14, atol=1e-15)


def test_relu_has_slope_zero_at_zero():
    layer = nn.ReLU()
    layer.forward(np.zeros((2, 3)), training=True)
    assert not layer.backward(np.ones((2, 3))).any()


def test_relu_does_not_hide_what_is_no_number():
    y = nn.ReLU().forward([np.nan, np.inf, -np.inf], training=True)
    np.testing.assert_array_equal(y, [np.nan, np.inf, 0.0])


def test_saturated_activations_overflow_nowhere():
    x = np.array([-1e308, -1e3, 1e3, 1e308])
    for layer, ends in [(nn.Sigmoid(), [0, 0, 1, 1]), (nn.Tanh(), [-1, -1, 1, 1])]:
        np.testing.assert_array_equal(layer.forward(x, training=True), ends)
        np.testing.assert_array_equal(layer.backward(np.ones(4)), 0)


@both_modes
def test_batchnorm2d_is_the_function_of_the_book(training):
    layer, x, dy = next(case for case in CASES if case.name == "BatchNorm2d").draw()
    mean, var, gamma, beta = layer.running_mean, layer.running_var, layer.gamma, layer.beta
    y = layer.forward(x, training)
    dx = layer.backward(dy)
    if training:
        expected, cache = F.batchnorm2d_forward(x, gamma, beta, EPS)
        found = zip((dx, layer.dgamma, layer.dbeta), F.batchnorm2d_backward(dy, cache), strict=True)
        for actual, other in found:
            np.testing.assert_allclose(actual, other, rtol=1e-11, atol=1e-12)
        mean, var = F.update_running_stats2d(mean, var, x)
    else:
        expected = F.batchnorm2d_inference(x, gamma, beta, mean, var, EPS)
    np.testing.assert_allclose(y, expected, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(layer.running_mean, mean, rtol=1e-12)
    np.testing.assert_allclose(layer.running_var, var, rtol=1e-12)
    assert layer.num_batches_tracked == training


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("LayerNorm", F.layernorm_forward),
        ("GroupNorm, images", lambda x, gamma, beta, eps: F.groupnorm_forward(x, gamma, beta, 2, eps)),
        ("InstanceNorm", F.instancenorm_forward),
        ("RMSNorm", F.rmsnorm_forward),
    ],
)
@both_modes
def test_other_normalizations_are_those_of_the_book_in_both_modes(name, function, training):
    layer, x, _ = next(case for case in CASES if case.name == name).draw()
    expected, _ = function(x, *(parameter.value for parameter in layer.parameters()), EPS)
    np.testing.assert_allclose(layer.forward(x, training), expected, rtol=1e-12)


def test_groups_of_features_are_groups_of_channels_with_one_pixel():
    layer, x, dy = next(case for case in CASES if case.name == "GroupNorm, dense").draw()
    pixel = (slice(None), slice(None), None, None)
    y, dx = layer.forward(x, training=True), layer.backward(dy)
    dgamma = layer.dgamma
    np.testing.assert_array_equal(layer.forward(x[pixel], training=True), y[pixel])
    np.testing.assert_array_equal(layer.backward(dy[pixel]), dx[pixel])
    np.testing.assert_array_equal(layer.dgamma, dgamma)


def test_one_group_of_features_is_layer_normalization():
    x = np.random.default_rng(0).normal(3, 2, (5, 6))
    expected = nn.LayerNorm(6, EPS).forward(x, training=True)
    np.testing.assert_allclose(nn.GroupNorm(1, 6, EPS).forward(x, training=True), expected, rtol=1e-12)


def test_flatten_keeps_each_sample_together_and_finds_the_way_back():
    x = np.arange(24.0).reshape(2, 3, 2, 2)
    layer = nn.Flatten()
    y = layer.forward(x, training=True)
    np.testing.assert_array_equal(y, [np.arange(12), np.arange(12, 24)])
    np.testing.assert_array_equal(layer.backward(y), x)


def test_evaluation_takes_each_sample_by_itself():
    for case in CASES:
        layer, x, _ = case.draw()
        whole = layer.forward(x, training=False)
        np.testing.assert_allclose(layer.forward(x[:1], training=False), whole[:1], rtol=1e-12, atol=1e-13)


# --- what is kept, and what is let alone ----------------------------------------------------------------------------


@both_modes
@every_layer
def test_arrays_of_the_caller_are_never_changed(case, training):
    layer, x, dy = case.draw()
    copies = x.copy(), dy.copy()
    x.flags.writeable = dy.flags.writeable = False
    layer.forward(x, training)
    layer.backward(dy)
    np.testing.assert_array_equal(x, copies[0])
    np.testing.assert_array_equal(dy, copies[1])


@both_modes
@every_layer
def test_backward_remembers_by_itself_whatever_becomes_of_input_and_output(case, training):
    layer, x, dy = case.draw()
    layer.forward(x.copy(), training)
    dx = layer.backward(dy).copy()
    gradients = [parameter.gradient.copy() for parameter in layer.parameters()]
    buffer = x.copy()
    y = layer.forward(buffer, training)
    y[...] = buffer[...] = np.nan
    np.testing.assert_array_equal(layer.backward(dy), dx)
    for parameter, gradient in zip(layer.parameters(), gradients, strict=True):
        np.testing.assert_array_equal(parameter.gradient, gradient)


@both_modes
@every_network
def test_looking_inside_a_network_may_write_on_what_it_sees(case, training):
    net, x, dy = case.draw()
    net.forward(x, training)
    expected = net.backward(dy)
    for output in net.outputs(x, training):
        output[...] = np.nan
    np.testing.assert_array_equal(net.backward(dy), expected)


@both_modes
@every_layer
def test_backward_is_that_of_the_last_forward_and_adds_nothing_up(case, training):
    layer, x, dy = case.draw()
    layer.forward(x, training)
    expected = layer.backward(dy)
    gradients = [parameter.gradient.copy() for parameter in layer.parameters()]
    state = [(norm, norm.running_mean, norm.running_var) for norm in norms_in(layer)]
    layer.forward(2 * x[::-1] - 1, not training)
    layer.backward(3 * dy)
    for norm, mean, var in state:
        norm.running_mean, norm.running_var = mean, var
    layer.forward(x, training)
    for _ in range(2):
        np.testing.assert_array_equal(layer.backward(dy), expected)
        for parameter, gradient in zip(layer.parameters(), gradients, strict=True):
            np.testing.assert_array_equal(parameter.gradient, gradient)


@every_layer
def test_backward_needs_a_forward_first(case):
    layer = case.make(np.random.default_rng(0))
    with pytest.raises(RuntimeError, match="backward needs a forward first"):
        layer.backward(np.ones(case.shape))


@pytest.mark.parametrize("case", SINGLE, ids=lambda case: case.name)  # in a network a bias may change nothing
def test_parameters_are_the_arrays_themselves_each_with_a_gradient_of_its_shape(case):
    layer, x, dy = case.draw()
    before = layer.forward(x, training=False)
    for parameter in layer.parameters():
        assert parameter.value is getattr(parameter.layer, parameter.name)
        assert parameter.gradient.shape == parameter.value.shape
        kept = parameter.value.copy()
        parameter.value[...] *= 1.5
        assert not np.array_equal(layer.forward(x, training=False), before)
        parameter.value[...] = kept
    layer.forward(x, training=True)
    layer.backward(dy)
    assert all(parameter.gradient.shape == parameter.value.shape for parameter in layer.parameters())


def test_a_bias_that_is_not_there_is_not_trained():
    rng = np.random.default_rng(0)
    for layer in (nn.Linear(3, 2, rng, bias=False), nn.Conv2d(3, 2, rng, bias=False)):
        assert layer.bias is None
        assert [parameter.name for parameter in layer.parameters()] == ["weight"]


def test_batchnorm2d_refuses_what_is_no_image_and_gradients_of_other_images():
    layer = nn.BatchNorm2d(2)
    x = np.random.default_rng(0).normal(size=(3, 2, 4, 5))
    layer.forward(x, training=True)
    for refused in (x[0], x[:, 0]):
        with pytest.raises(ValueError, match=r"expected images \(N, C, H, W\)"):
            layer.forward(refused, training=True)
    for other in (x.reshape(3, 2, 5, 4), x.reshape(60, 2), x[:2]):
        with pytest.raises(ValueError, match=r"but y has shape \(3, 2, 4, 5\)"):
            layer.backward(other)
    assert layer.backward(x).shape == x.shape
    assert layer.num_batches_tracked == 1


@pytest.mark.parametrize(
    "case", [case for case in CASES if "Norm" in case.name and "Batch" not in case.name], ids=lambda case: case.name
)
def test_normalization_refuses_what_does_not_fit(case):
    layer, x, dy = case.draw()
    layer.forward(x, training=True)
    with pytest.raises(ValueError, match="shape"):
        layer.backward(dy[:1])
    with pytest.raises(ValueError, match="shape"):
        layer.forward(x[:, :1], training=True)


# --- networks -------------------------------------------------------------------------------------------------------


@both_modes
@every_network
def test_outputs_and_gradients_of_a_network_are_what_its_layers_say_one_by_one(case, training):
    net, x, dy = case.draw()
    expected = [x]
    for layer in net.layers:
        expected.append(layer.forward(expected[-1], training))
    state = [norm.running_mean for norm in norms_in(net)]
    gradients = [dy]
    for layer in reversed(net.layers):
        gradients.append(layer.backward(gradients[-1]))
    net, x, dy = case.draw()
    for actual, other in zip(net.outputs(x, training), expected[1:], strict=True):
        np.testing.assert_array_equal(actual, other)
    found = net.gradients(dy)
    assert found[-1] is dy
    for actual, other in zip(found, reversed(gradients), strict=True):
        np.testing.assert_array_equal(actual, other)
    for norm, mean in zip(norms_in(net), state, strict=True):
        np.testing.assert_array_equal(norm.running_mean, mean)
    net, x, dy = case.draw()
    np.testing.assert_array_equal(net.forward(x, training), expected[-1])
    np.testing.assert_array_equal(net.backward(dy), gradients[-1])


def test_parameters_of_a_network_are_those_of_its_layers_in_order():
    net, _, _ = NETWORKS[0].draw()
    owners = [(type(parameter.layer).__name__, parameter.name) for parameter in net.parameters()]
    assert owners[:5] == [
        ("Linear", "weight"),
        ("BatchNorm", "gamma"),
        ("BatchNorm", "beta"),
        ("Linear", "weight"),
        ("Linear", "bias"),
    ]
    assert ("GroupNorm", "gamma") in owners
    assert len(owners) == len(set(map(id, (parameter.value for parameter in net.parameters()))))


@both_modes
def test_residual_adds_the_input_and_its_gradient(training):
    rng = np.random.default_rng(0)
    x, dy = rng.normal(1, 2, (2, 7, 4))
    inner = [nn.Linear(4, 4, rng), nn.BatchNorm(4, EPS), nn.ReLU()]
    around, plain = nn.Residual(*inner), nn.Sequential(*inner)
    y = plain.forward(x, training)
    dx = plain.backward(dy)
    np.testing.assert_array_equal(around.forward(x, training), x + y)
    np.testing.assert_array_equal(around.backward(dy), dy + dx)
