"""The mathematics keeps its promises: values, precision, untouched inputs, sentences for what cannot be computed."""

import warnings

import numpy as np
import pytest
from functional_cases import ALL_CASES, CASES, EPS, PAIR_CASES, PAIRS, leaves, obvious
from hypothesis import given, settings
from hypothesis import strategies as st

from bncourse import functional as F

OBVIOUS = obvious(np)
every_function = pytest.mark.parametrize("case", ALL_CASES, ids=lambda case: case.name)


def close(actual, expected, rtol):
    for a, e in zip(leaves(actual), leaves(expected), strict=True):
        scale = 1 + np.abs(e).max(initial=0)
        np.testing.assert_allclose(a, e, rtol=rtol, atol=rtol * scale)


def test_every_function_of_the_package_has_a_case():
    named = {case.name for case in ALL_CASES} | {"numerical_gradient", "Cache", "RMSCache"}
    assert named == set(F.__all__)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 2e-5), (np.complex128, 1e-12)])
def test_agrees_with_the_obvious_formula(case, dtype, rtol):
    for seed in range(5):
        arguments = case.arguments(seed, dtype)
        wide = np.complex128 if dtype == np.complex128 else np.float64
        close(case.call(*arguments), OBVIOUS[case.name](*(a.astype(wide) for a in arguments)), rtol)


dense_shapes = st.tuples(st.integers(2, 9), st.integers(2, 6))
image_shapes = st.tuples(st.integers(1, 3), st.sampled_from([2, 4]), st.integers(1, 4), st.integers(2, 4))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@given(data=st.data())
@settings(max_examples=25, deadline=None, derandomize=True, database=None)
def test_agrees_with_the_obvious_formula_whatever_the_shape(case, data):
    shape = data.draw(image_shapes if case.images else dense_shapes)
    arguments = case.arguments(data.draw(st.integers(0, 999)), shape=shape)
    close(case.call(*arguments), OBVIOUS[case.name](*arguments), 1e-11)


def directional(f, arguments, directions):
    """The derivative of f along the directions, by the complex step."""
    h = 1e-30
    moved = [a + 1j * h * d for a, d in zip(arguments, directions, strict=True)]
    return [np.imag(leaf) / h for leaf in leaves(f(*moved))]


@pytest.mark.parametrize("name", PAIRS)
@given(data=st.data())
@settings(max_examples=25, deadline=None, derandomize=True, database=None)
def test_backward_is_the_adjoint_of_the_forward_by_the_complex_step(name, data):
    case = next(c for c in PAIR_CASES if c.name == name)
    shape = data.draw(image_shapes if case.images else dense_shapes)
    dy, *inputs = case.arguments(data.draw(st.integers(0, 999)), shape=shape)
    directions = case.arguments(data.draw(st.integers(1000, 1999)), shape=shape)[1:]
    gradients = case.call(dy, *inputs)
    (along,) = directional(lambda *a: PAIRS[name][1](*a, eps=EPS)[0], inputs, directions)
    expected, actual = np.sum(dy * along), sum(np.sum(g * d) for g, d in zip(gradients, directions, strict=True))
    np.testing.assert_allclose(actual, expected, rtol=1e-10, atol=1e-10)


@every_function
@pytest.mark.parametrize(
    ("given_dtype", "result_dtype"),
    [
        (np.float64, np.float64),
        (np.float32, np.float32),
        (np.complex128, np.complex128),
        (np.int64, np.float64),
        (np.uint8, np.float64),
        (np.float16, np.float32),
    ],
)
def test_computes_in_the_precision_of_its_data(case, given_dtype, result_dtype):
    shape = (3, 4, 2, 3) if case.images else (7, 4)
    arguments = case.arguments(3, np.int64 if given_dtype == np.uint8 else given_dtype, shape)
    if given_dtype == np.uint8:
        arguments = tuple(np.abs(a).astype(np.uint8) for a in arguments)
    assert {leaf.dtype for leaf in leaves(case.call(*arguments))} == {np.dtype(result_dtype)}


@every_function
def test_integers_are_computed_as_float64(case):
    whole = case.arguments(5, np.int64)
    close(case.call(*whole), case.call(*(a.astype(np.float64) for a in whole)), 1e-15)


@every_function
def test_a_complex_argument_makes_the_whole_complex(case):
    """So that the complex step reaches the result through every argument, one at a time."""
    arguments = case.arguments(6)
    for k in range(len(arguments)):
        stepped = [a + 1e-30j if i == k else a for i, a in enumerate(arguments)]
        assert all(leaf.dtype == np.complex128 for leaf in leaves(case.call(*stepped)))


@every_function
def test_never_changes_its_inputs(case):
    arguments = case.arguments(7)
    before = [a.copy() for a in arguments]
    for a in arguments:
        a.flags.writeable = False
    case.call(*arguments)
    for a, b in zip(arguments, before, strict=True):
        np.testing.assert_array_equal(a, b)


@every_function
def test_results_share_no_memory_with_inputs(case):
    arguments = case.arguments(8)
    results = leaves(case.call(*arguments))
    assert not any(np.shares_memory(r, a) for r in results for a in arguments)


@pytest.mark.parametrize("name", PAIRS)
def test_changing_an_input_afterwards_does_not_reach_the_cache(name):
    _, forward, backward = PAIRS[name]
    case = next(c for c in PAIR_CASES if c.name == name)
    dy, *inputs = case.arguments(9)
    y, cache = forward(*inputs, eps=EPS)
    expected = backward(dy, cache)
    for array in (*inputs, y):
        array[...] = np.nan
    close(backward(dy, cache), expected, 0)
    close(backward(dy, cache), expected, 0)


@every_function
def test_takes_lists_and_any_memory_order(case):
    arguments = case.arguments(10)
    expected = case.call(*arguments)
    close(case.call(*(a.tolist() for a in arguments)), expected, 1e-14)
    close(case.call(*(np.asfortranarray(a) for a in arguments)), expected, 1e-13)


def test_float32_statistics_are_right_far_from_zero():
    """Mean 10⁴, 65,536 samples: in plain float32 NumPy x̂ is off by 4."""
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(65536, 3)) + 1e4).astype(np.float32)
    exact = x.astype(np.float64)
    expected = (exact - exact.mean(0)) / np.sqrt(exact.var(0) + 1e-5)
    ones, zeros = np.ones(3, np.float32), np.zeros(3, np.float32)
    y, cache = F.batchnorm_forward(x, ones, zeros)
    assert np.abs(cache.x_hat - expected).max() < 1e-5
    assert np.abs(y - expected).max() < 1e-5
    np.testing.assert_allclose(F.batch_variance(x), exact.var(0), rtol=1e-5)
    np.testing.assert_allclose(F.batch_mean(x), exact.mean(0), rtol=1e-7)
    images = np.ascontiguousarray(x.T.reshape(1, 3, 256, 256))
    x_hat = F.batchnorm2d_forward(images, ones, zeros)[1].x_hat
    assert np.abs(x_hat - expected.T.reshape(images.shape)).max() < 1e-5


def test_hand_computed_neuron():
    """One neuron's batch 2 4 4 4 5 5 7 9 has mean 5 and variance 4."""
    x = np.array([[2.0, 4, 4, 4, 5, 5, 7, 9]]).T
    assert (F.batch_mean(x), F.batch_variance(x)) == (5, 4)
    y, _ = F.batchnorm_forward(x, [2.0], [1.0], eps=0.0)
    np.testing.assert_array_equal(y.ravel(), [-2, 0, 0, 0, 1, 1, 3, 5])


def test_identity_parameters_restore_this_batch_and_not_the_next():
    x, other = np.random.default_rng(1).normal(3, 2, (2, 9, 4))
    gamma, beta = F.identity_parameters(x, eps=EPS)
    np.testing.assert_allclose(F.batchnorm_forward(x, gamma, beta, eps=EPS)[0], x, atol=1e-13)
    assert np.abs(F.batchnorm_forward(other, gamma, beta, eps=EPS)[0] - other).max() > 0.1


def test_dx_sums_to_zero_and_has_the_epsilon_exact_part_along_x_hat():
    rng = np.random.default_rng(2)
    x, dy = rng.normal(3, 2, (2, 9, 4))
    gamma, beta = rng.normal(size=(2, 4))
    _, cache = F.batchnorm_forward(x, gamma, beta, eps=EPS)
    dx, dgamma, _ = F.batchnorm_backward(dy, cache)
    np.testing.assert_allclose(dx.sum(0), 0, atol=1e-13)
    shrunk = gamma * cache.inv_std * EPS / (x.var(0) + EPS)
    np.testing.assert_allclose((dx * cache.x_hat).sum(0), shrunk * dgamma, atol=1e-13)


def test_merging_shards_gives_the_statistics_of_the_whole():
    x = np.random.default_rng(3).normal(3, 2, (20, 4))
    shards = np.split(x, [3, 4, 11])
    mean, var = F.merge_statistics(
        [len(s) for s in shards], [F.batch_mean(s) for s in shards], [F.batch_variance(s) for s in shards]
    )
    np.testing.assert_allclose(mean, x.mean(0), rtol=1e-13)
    np.testing.assert_allclose(var, x.var(0), rtol=1e-13)


def test_folding_is_exact_to_rounding():
    rng = np.random.default_rng(4)
    x, weight, bias = rng.normal(size=(5, 3)), rng.normal(size=(4, 3)), rng.normal(size=4)
    gamma, beta, mean = rng.normal(size=(3, 4))
    var = rng.uniform(0.5, 2, 4)
    for b in (bias, None):
        w2, b2 = F.fold_linear(weight, b, gamma, beta, mean, var, EPS)
        dense = x @ weight.T + (0 if b is None else b)
        np.testing.assert_allclose(x @ w2.T + b2, F.batchnorm_inference(dense, gamma, beta, mean, var, EPS), atol=1e-14)


def test_layer_norm_is_batch_norm_of_the_transpose():
    x = np.random.default_rng(5).normal(size=(6, 4))
    layer, _ = F.layernorm_forward(x, np.ones(4), np.zeros(4), EPS)
    batch, _ = F.batchnorm_forward(x.T, np.ones(6), np.zeros(6), EPS)
    np.testing.assert_allclose(layer, batch.T, atol=1e-14)


def test_instance_norm_is_batch_norm_of_each_image_alone():
    x = np.random.default_rng(6).normal(size=(3, 4, 2, 5))
    gamma, beta = np.random.default_rng(7).normal(size=(2, 4))
    instance, _ = F.instancenorm_forward(x, gamma, beta, EPS)
    alone = [F.batchnorm2d_forward(image[None], gamma, beta, EPS)[0][0] for image in x]
    np.testing.assert_allclose(instance, alone, atol=1e-14)


def test_group_norm_goes_from_layer_norm_to_instance_norm():
    """One group of all channels, without positions, is layer norm; one channel a group is instance norm."""
    rng = np.random.default_rng(8)
    x, (gamma, beta) = rng.normal(size=(3, 4, 2, 5)), rng.normal(size=(2, 4))
    rows = x[:, :, 0, 0]
    one, _ = F.groupnorm_forward(rows[:, :, None, None], gamma, beta, 1, EPS)
    np.testing.assert_allclose(one[:, :, 0, 0], F.layernorm_forward(rows, gamma, beta, EPS)[0], atol=1e-14)
    each, _ = F.groupnorm_forward(x, gamma, beta, 4, EPS)
    np.testing.assert_allclose(each, F.instancenorm_forward(x, gamma, beta, EPS)[0], atol=1e-14)


def test_inference_of_a_row_does_not_depend_on_its_neighbours():
    case = next(c for c in CASES if c.name == "batchnorm_inference")
    x, *rest = case.arguments(11)
    np.testing.assert_array_equal(case.call(x, *rest)[2:3], case.call(x[2:3], *rest))


V = np.ones(4)
X = np.arange(12.0).reshape(3, 4)
IMAGES = np.arange(48.0).reshape(2, 4, 2, 3)
_, CACHE = F.batchnorm_forward(X, V, V)
_, RMS = F.rmsnorm_forward(X, V)
REFUSED = {
    "gamma of another size": (
        lambda: F.batchnorm_forward(X, V[:3], V),
        ValueError,
        r"gamma has shape \(3,\), but x has 4",
    ),
    "beta of another size": (lambda: F.scale_shift(X, V, V[:2]), ValueError, r"beta has shape \(2,\), but x_hat has 4"),
    "gamma a matrix": (lambda: F.batchnorm2d_forward(IMAGES, np.ones((1, 4)), V), ValueError, r"expected shape \(4,\)"),
    "gamma not one a channel": (lambda: F.batchnorm2d_forward(IMAGES, V[:3], V), ValueError, "but x has 4 channels"),
    "a statistic not one a channel": (
        lambda: F.batchnorm2d_inference(IMAGES, V, V, V[:2], V),
        ValueError,
        "running_mean has shape .2,., but x has 4 channels",
    ),
    "gamma not one an output": (
        lambda: F.fold_conv2d(IMAGES, None, V[:1], V[:2], V[:2], V[:2]),
        ValueError,
        "gamma has shape .1,., but weight has 2 outputs",
    ),
    "one sample": (lambda: F.batchnorm_forward(X[:1], V, V), ValueError, "one value per feature.*at least 2"),
    "one sample tracked": (lambda: F.update_running_stats(V, V, X[:1]), ValueError, "one value per feature"),
    "one sample to restore": (lambda: F.identity_parameters(X[:1]), ValueError, "one value per feature"),
    "one pixel": (lambda: F.batchnorm2d_forward(IMAGES[:1, :, :1, :1], V, V), ValueError, "one value per channel"),
    "one pixel tracked": (lambda: F.update_running_stats2d(V, V, IMAGES[:1, :, :1, :1]), ValueError, "per channel"),
    "one feature a sample": (lambda: F.layernorm_forward(X[:, :1], [1.0], [0.0]), ValueError, "one value per sample"),
    "one value a group": (
        lambda: F.instancenorm_forward(IMAGES[:, :, :1, :1], V, V),
        ValueError,
        "one value per group",
    ),
    "empty batch": (lambda: F.batch_mean(X[:0]), ValueError, "empty"),
    "no features": (lambda: F.batch_variance(X[:, :0]), ValueError, "empty"),
    "one axis": (lambda: F.batch_mean([1.0, 2.0]), ValueError, r"x has shape \(2,\); expected \(N, D\)"),
    "images for rows": (lambda: F.batchnorm_forward(IMAGES, V, V), ValueError, r"expected \(N, D\)"),
    "rows for images": (lambda: F.batchnorm2d_forward(X, V, V), ValueError, r"expected \(N, C, H, W\)"),
    "ragged": (lambda: F.batch_mean([[1.0], [1.0, 2.0]]), ValueError, "x is not a rectangular array"),
    "text": (lambda: F.batch_mean([["a", "b"]]), TypeError, "x holds str.* expected numbers"),
    "None": (lambda: F.batchnorm_forward(None, V, V), TypeError, "x holds object values"),
    "text for a statistic": (lambda: F.normalize(X, V, ["1"] * 4), TypeError, "var holds str"),
    "NaN in the batch": (lambda: F.batchnorm_forward(X * np.nan, V, V), ValueError, "variance at index 0 is nan"),
    "overflow": (lambda: F.batchnorm_forward(X * 1e200, V, V), ValueError, "variance at index 0 is inf.*overflow"),
    "NaN tracked": (lambda: F.update_running_stats(V, V, X * np.nan), ValueError, "mean of x has a NaN"),
    "NaN in a mean": (lambda: F.normalize(X, V * np.nan, V), ValueError, "mean has a NaN or an infinity at index 0"),
    "infinite variance": (lambda: F.normalize(X, V, V * np.inf), ValueError, "var has a NaN or an infinity"),
    "negative variance": (lambda: F.batchnorm_inference(X, V, V, V, [1, 0, -2, 1]), ValueError, "-2.0 at index 2"),
    "negative shard variance": (lambda: F.merge_statistics([1, 1], X[:2], -X[:2]), ValueError, "not negative"),
    "negative eps": (lambda: F.batchnorm_forward(X, V, V, eps=-1), ValueError, "eps is -1; expected"),
    "eps no number": (lambda: F.batchnorm_forward(X, V, V, eps="small"), TypeError, "eps is a str"),
    "eps NaN": (lambda: F.normalize(X, V, V, eps=np.nan), ValueError, "eps is nan"),
    "constant without eps": (lambda: F.batchnorm_forward(0 * X, V, V, eps=0), ValueError, "needs eps > 0"),
    "constant fixed without eps": (lambda: F.fold_linear(X.T, None, V, V, V, 0 * V, 0), ValueError, "needs eps > 0"),
    "momentum too large": (lambda: F.update_running_stats(V, V, X, 1.1), ValueError, "momentum is 1.1"),
    "momentum a percentage": (lambda: F.update_running_stats2d(V, V, IMAGES, 10), ValueError, "from 0 to 1"),
    "groups that do not divide": (lambda: F.groupnorm_forward(IMAGES, V, V, 3), ValueError, "groups is 3, but x has 4"),
    "no groups": (lambda: F.groupnorm_forward(IMAGES, V, V, 0), ValueError, "groups is 0"),
    "groups no integer": (lambda: F.groupnorm_forward(IMAGES, V, V, 2.0), TypeError, "groups is a float"),
    "groups a bool": (lambda: F.groupnorm_forward(IMAGES, V, V, True), TypeError, "groups is a bool"),
    "shards of different number": (lambda: F.merge_statistics([1, 1], X[:2], X), ValueError, "variances has shape"),
    "counts of another number": (lambda: F.merge_statistics([1], X[:2], X[:2]), ValueError, "means has 2 shards"),
    "half a sample": (lambda: F.merge_statistics([0.5, 1], X[:2], X[:2]), ValueError, "whole numbers"),
    "negative count": (lambda: F.merge_statistics([-1, 2], X[:2], X[:2]), ValueError, "whole numbers"),
    "complex count": (lambda: F.merge_statistics([1j, 2], X[:2], X[:2]), ValueError, "whole numbers"),
    "no samples at all": (lambda: F.merge_statistics([0, 0], X[:2], X[:2]), ValueError, "not all zero"),
    "bias of another size": (lambda: F.fold_linear(X.T, [1.0], V, V, V, V), ValueError, "bias has shape"),
    "dy of another shape": (
        lambda: F.batchnorm_backward(X[:2], CACHE),
        ValueError,
        r"dy has shape \(2, 4\), but y has",
    ),
    "a cache of their own": (lambda: F.batchnorm_backward(X, tuple(CACHE)), TypeError, "cache is a tuple"),
    "a cache of another": (lambda: F.rmsnorm_backward(X, CACHE), TypeError, "cache is a Cache"),
    "dx_hat of another shape": (lambda: F.normalize_backward(X[:2], X, V, V), ValueError, "dx_hat has shape"),
    "h of zero": (lambda: F.numerical_gradient(np.sum, X, h=0), ValueError, "h is 0; expected a positive"),
    "h too small": (lambda: F.numerical_gradient(np.sum, X, h=1e-30), ValueError, "too small beside"),
    "f gives an array": (lambda: F.numerical_gradient(lambda x: x, X), ValueError, r"shape \(3, 4\); expected one"),
    "f gives nothing": (lambda: F.numerical_gradient(lambda x: None, X), TypeError, "what f gives holds object"),
    "f gives a complex": (lambda: F.numerical_gradient(lambda x: 1j, X), TypeError, "complex number; expected a real"),
    "complex x": (lambda: F.numerical_gradient(np.sum, X + 0j), TypeError, "x is complex"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_says_what_was_given_and_what_is_expected(name):
    call, error, sentence = REFUSED[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(error, match=sentence):
            call()


def test_a_shard_without_samples_has_no_weight():
    mean, var = F.merge_statistics([0, 2], [[9.0], [1.0]], [[9.0], [4.0]])
    assert (mean, var) == (1, 4)


def test_numerical_gradient_leaves_x_alone_and_takes_any_scalar():
    x = np.array([[1.0, -2.0], [0.5, 3.0]])
    before = x.copy()
    for scalar in (float, np.float64, np.asarray, lambda v: np.full((1, 1), v)):
        gradient = F.numerical_gradient(lambda a, scalar=scalar: scalar(np.sum(a**3)), x)
        np.testing.assert_allclose(gradient, 3 * x**2, atol=1e-8)
    np.testing.assert_array_equal(x, before)

    def spoils_its_argument(a):
        value = float(np.sum(a))
        a[...] = np.nan
        return value

    np.testing.assert_allclose(F.numerical_gradient(spoils_its_argument, x), 1, atol=1e-9)
    np.testing.assert_array_equal(x, before)


def test_numerical_gradient_lets_the_error_of_f_through():
    with pytest.raises(ZeroDivisionError):
        F.numerical_gradient(lambda a: 1 / 0, np.ones(2))
