"""The gradient check sees every mistake, blames the right input, and cries wolf at nothing."""

import dataclasses
import warnings

import numpy as np
import pytest
import right_backwards
import wrong_backwards
from wrong_backwards import MISBEHAVING, WRONG

from bncourse import functional as F
from bncourse.gradcheck import ComplexStepRefused, gradcheck, numerical_gradients, upstream_gradient

METHODS = ["auto", "complex", "projection", "central", "richardson"]
every_method = pytest.mark.parametrize("method", METHODS)
every_wrong_backward = pytest.mark.parametrize("name", WRONG)


def right_backward(name):
    return wrong_backwards.right2d if name == "images_for_pixels" else wrong_backwards.right


def batch(n=7, d=4, seed=0):
    rng = np.random.default_rng(seed)
    return 3 + 2 * rng.normal(size=(n, d)), rng.uniform(0.5, 2, d), rng.normal(size=d)


def square(x):
    return x * x, x


def square_backward(dy, x):
    return 2 * x * dy


# --- what it has to see ---------------------------------------------------------------------------------------------


def test_there_are_twenty_four_wrong_backwards():
    assert len(WRONG) == 24
    assert all(backward.__doc__ for backward in {**WRONG, **MISBEHAVING}.values())


@every_method
@every_wrong_backward
def test_sees_the_mistake_and_blames_the_inputs_it_is_in(name, method):
    forward, inputs = wrong_backwards.case(name)
    report = gradcheck(forward, WRONG[name], inputs, method=method)
    assert not report

    y, cache = forward(*inputs)
    dy = upstream_gradient(y)
    pairs = zip(WRONG[name](dy, cache), right_backward(name)(dy, cache), strict=True)
    wrong = [np.shape(a) != np.shape(b) or not np.allclose(a, b, rtol=1e-12) for a, b in pairs]
    assert [not one.passed for one in report.inputs] == wrong


@every_method
@every_wrong_backward
def test_passes_the_right_one_on_the_same_numbers(name, method):
    forward, inputs = wrong_backwards.case(name)
    assert gradcheck(forward, right_backward(name), inputs, method=method)


@every_method
@pytest.mark.parametrize("name", MISBEHAVING)
def test_sees_what_misbehaves(name, method):
    forward, inputs = wrong_backwards.case(name)
    assert not gradcheck(forward, MISBEHAVING[name], inputs, method=method)


def test_says_when_the_second_call_gives_another_answer():
    forward, inputs = wrong_backwards.case("cache_changed")
    assert "it changes its cache" in str(gradcheck(forward, MISBEHAVING["cache_changed"], inputs))


def test_the_upstream_gradient_decides_what_can_be_seen():
    """With the loss y.sum() the true dx is next to 0, and mistakes pass that the default sees."""

    seen = 0
    for name, backward in WRONG.items():
        forward, inputs = wrong_backwards.case(name)
        seen += not gradcheck(forward, backward, inputs, dy=np.ones_like(inputs[0]))
    assert seen < 18


@every_method
def test_sees_a_single_wrong_element(method):
    def backward(dy, cache):
        dx, dgamma, dbeta = F.batchnorm_backward(dy, cache)
        dx[5, 2] += 1e-5
        return dx, dgamma, dbeta

    report = gradcheck(F.batchnorm_forward, backward, batch(), method=method)
    assert not report
    assert report.name == "x"
    assert report.index == (() if method == "projection" else (5, 2))


# --- what it must not mind ------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "method", sorted(set(METHODS) - {"complex"})
)  # which some forwards refuse; auto takes the rest
def test_no_false_alarm_on_badly_scaled_data(method):
    assert right_backwards.false_alarms(method, 200) == []


PAIRS = {
    "batchnorm": (F.batchnorm_forward, F.batchnorm_backward, (7, 4)),
    "batchnorm, as many features as samples": (F.batchnorm_forward, F.batchnorm_backward, (5, 5)),
    "batchnorm, two samples": (F.batchnorm_forward, F.batchnorm_backward, (2, 3)),
    "batchnorm graph": (F.batchnorm_forward, F.batchnorm_backward_graph, (7, 4)),
    "batchnorm2d": (F.batchnorm2d_forward, F.batchnorm2d_backward, (3, 4, 2, 5)),
    "layernorm": (F.layernorm_forward, F.layernorm_backward, (7, 4)),
    "instancenorm": (F.instancenorm_forward, F.instancenorm_backward, (3, 4, 2, 3)),
    "groupnorm": (F.groupnorm_forward, F.groupnorm_backward, (3, 4, 2, 3)),
    "rmsnorm": (F.rmsnorm_forward, F.rmsnorm_backward, (7, 4)),
}


@every_method
@pytest.mark.parametrize("eps", [1e-12, 1e-5, 0.1])
@pytest.mark.parametrize("pair", PAIRS)
def test_every_pair_of_the_package_passes(pair, eps, method):
    forward, backward, shape = PAIRS[pair]
    rng = np.random.default_rng(1)
    x, gamma, beta = 3 + 2 * rng.normal(size=shape), rng.uniform(0.5, 2, shape[1]), rng.normal(size=shape[1])
    inputs = (x, gamma) if pair == "rmsnorm" else (x, gamma, beta)
    extra = {"groups": 2, "eps": eps} if pair == "groupnorm" else {"eps": eps}
    report = gradcheck(lambda *a: forward(*a, **extra), backward, inputs, method=method)
    assert report, str(report)
    if method == "auto":
        assert report.method == "complex"


@every_method
def test_inference_passes(method):
    x, gamma, beta = batch()
    mean, var = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.5, 1.0, 2.0, 4.0])

    def forward(x, gamma, beta):
        return F.batchnorm_inference(x, gamma, beta, mean, var), (x, gamma)

    def backward(dy, cache):
        return F.batchnorm_inference_backward(dy, *cache, mean, var)

    assert gradcheck(forward, backward, (x, gamma, beta), method=method)


def test_partial_derivatives_of_normalize_pass():
    """Checked at the batch's own statistics, as three separate inputs."""
    x = batch()[0]

    def backward(dx_hat, cache):
        return F.normalize_backward(dx_hat, *cache)

    assert gradcheck(lambda *a: (F.normalize(*a), a), backward, (x, x.mean(axis=0), x.var(axis=0)))


def test_a_huge_mean_counts_as_rounding_and_excuses_nothing_else():
    x, gamma, beta = batch()
    inputs = (x + 1e8, gamma, beta)
    assert gradcheck(wrong_backwards.forward, wrong_backwards.right, inputs)
    for name in set(WRONG) - {"images_for_pixels"}:
        assert not gradcheck(wrong_backwards.forward, WRONG[name], inputs), name


def test_a_feature_of_tiny_variance_does_not_excuse_the_others():
    """Its gradients are a thousand times larger; the mistake is in another column, and small."""
    x, gamma, beta = batch()
    x[:, 0] = 5 + 1e-6 * x[:, 0]

    def backward(dy, cache):
        dx, dgamma, dbeta = F.batchnorm_backward(dy, cache)
        dx[:, 1] *= 1 + 1e-7
        return dx, dgamma, dbeta

    report = gradcheck(F.batchnorm_forward, backward, (x, gamma, beta))
    assert not report
    assert report.index[1] == 1


@pytest.mark.parametrize("change", [lambda g: g[None], lambda g: g.tolist(), lambda g: g.astype(object).astype(float)])
def test_gradients_may_come_as_lists_or_with_an_axis_in_front(change):
    def backward(dy, cache):
        dx, dgamma, dbeta = F.batchnorm_backward(dy, cache)
        return [dx, change(dgamma), change(dbeta)]

    assert gradcheck(F.batchnorm_forward, backward, batch())


@pytest.mark.parametrize(
    "wrap", [lambda x: x, lambda x: (x,), lambda x: {"x": x}, lambda x: lambda: x, lambda x: [None, x]]
)
def test_any_cache_will_do(wrap):
    def backward(dy, cache):
        x = cache() if callable(cache) else cache["x"] if isinstance(cache, dict) else cache
        return 2 * (x[-1] if isinstance(x, (tuple, list)) else x) * dy

    assert gradcheck(lambda x: (x * x, wrap(x)), backward, [[1.0, 2.0]])


def test_integers_and_float32_are_checked_in_float64():
    assert gradcheck(square, square_backward, [np.arange(5)])
    assert gradcheck(square, square_backward, [np.arange(5, dtype=np.float32) / 3])


def test_a_number_may_be_an_input():
    """dL/dε, for instance."""

    def forward(x, eps):
        centred = x - x.sum(axis=0) / len(x)
        std = np.sqrt((centred * centred).sum(axis=0) / len(x) + eps)
        return centred / std, (centred / std, std)

    def backward(dy, cache):
        x_hat, std = cache
        dx = (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0)) / std
        return dx, np.sum(dy * x_hat * -0.5 / std**2)

    assert gradcheck(forward, backward, (batch()[0], 0.1))
    assert gradcheck(forward, backward, (batch()[0], 0.1), method="richardson")


def test_y_may_have_a_shape_of_its_own():
    rng = np.random.default_rng(0)
    weight, x = rng.normal(size=(3, 4)), rng.normal(size=(5, 4))
    inputs = (x, weight)
    assert gradcheck(lambda x, w: (x @ w.T, (x, w)), lambda dy, c: (dy @ c[1], dy.T @ c[0]), inputs)
    assert gradcheck(lambda x: (x.sum(), x), lambda dy, x: dy * np.ones_like(x), [x])


@every_method
def test_a_step_out_of_the_domain_is_no_trouble(method):
    """log, with an element nearer to 0 than the first steps."""
    assert gradcheck(lambda x: (np.log(x), x), lambda dy, x: dy / x, [[0.01, 0.3, 3.0]], method=method)


def test_does_not_change_what_it_is_given():
    x, gamma, beta = batch()
    dy = upstream_gradient(x)
    before = [a.copy() for a in (x, gamma, beta, dy)]

    def forward(x, gamma, beta):
        y, cache = F.batchnorm_forward(x, gamma, beta)
        x *= 0
        gamma += 1
        return y, cache

    def backward(dy, cache):
        gradients = F.batchnorm_backward(dy, cache)
        dy *= 0
        return gradients

    assert gradcheck(forward, backward, (x, gamma, beta), dy=dy)
    for a, b in zip((x, gamma, beta, dy), before, strict=True):
        np.testing.assert_array_equal(a, b)


# --- colouring ------------------------------------------------------------------------------------------------------


def evaluations(forward, backward, inputs, **options):
    calls = []

    def counted(*args):
        calls.append(1)
        return forward(*args)

    report = gradcheck(counted, backward, inputs, **options)
    assert report, str(report)
    return len(calls)


@pytest.mark.parametrize(
    ("forward", "backward", "blocks"),
    [
        (F.batchnorm_forward, F.batchnorm_backward, 32 + 1 + 1),  # a row of x at a time; all of gamma, of beta
        (F.layernorm_forward, F.layernorm_backward, 8 + 1 + 1),  # a column of x at a time
        (lambda x, gamma, beta: (gamma * x + beta, (x, gamma)), lambda dy, c: F.scale_shift_backward(dy, *c), 3),
    ],
    ids=["batch", "layer", "elementwise"],
)
def test_elements_that_share_no_output_are_moved_at_once(forward, backward, blocks):
    once, probes, along_v, differences = 1, 6, 3, 18
    assert evaluations(forward, backward, batch(32, 8)) <= blocks + once + probes + along_v + differences


def test_a_gamma_of_zero_does_not_mislead_the_probes():
    x, gamma, beta = batch(12, 2)
    gamma[0] = 0.0
    for seed in range(20):
        for method in METHODS:
            assert gradcheck(F.batchnorm_forward, F.batchnorm_backward, (x, gamma, beta), method=method, seed=seed)
    gamma[1] = 0.0
    assert gradcheck(F.batchnorm_forward, F.batchnorm_backward, (x, gamma, beta))


@pytest.mark.parametrize("method", ["auto", "richardson"])
def test_what_the_probes_miss_the_projection_finds(method):
    """All outputs depend on one element of many, which two probes hardly ever hit."""

    def forward(x):
        return x * x + x[0, 0], x

    def backward(dy, x):
        dx = 2 * x * dy
        dx[0, 0] += dy.sum()
        return dx

    x = batch(9, 11)[0]
    assert evaluations(forward, backward, [x], method=method) > x.size
    assert not gradcheck(forward, square_backward, [x], method=method)


@pytest.mark.parametrize(
    ("pair", "right", "wrong"), [("batchnorm", "columns", "rows"), ("layernorm", "rows", "columns")]
)
def test_a_prescribed_coloring_has_to_hold(pair, right, wrong):
    forward, backward, _ = PAIRS[pair]
    assert gradcheck(forward, backward, batch(), coloring=right)
    assert gradcheck(forward, backward, batch(), coloring="full")
    for method in ("auto", "complex", "richardson"):
        with pytest.raises(ValueError, match=r"^this coloring does not hold"):
            gradcheck(forward, backward, batch(), coloring=wrong, method=method)


# --- the complex step, where it can be trusted ----------------------------------------------------------------------


def standardized_by(deviation):
    def forward(x):
        x_hat = (x - x.mean(axis=0)) / deviation(x)
        return x_hat, (x_hat, deviation(x))

    return forward


def standardized_backward(dy, cache):
    x_hat, std = cache
    return (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0)) / std


def in_a_real_buffer(x):
    x_hat = np.empty(x.shape)
    x_hat[:] = (x - x.mean(axis=0)) / np.sqrt(((x - x.mean(axis=0)) ** 2).mean(axis=0))
    return x_hat, (x_hat, x.std(axis=0))


def with_python_floats(x):
    std = [float(np.sqrt(((c - c.mean()) ** 2).mean())) for c in x.T]
    return standardized_by(lambda _: np.array(std))(x)


def not_finite(x):
    if np.iscomplexobj(x):
        return x * complex("nan"), None
    return standardized_by(lambda x: x.std(axis=0))(x)


LOSES_THE_IMAGINARY_PART = {
    "np.var": standardized_by(lambda x: np.sqrt(np.var(x, axis=0))),
    "np.std": standardized_by(lambda x: np.std(x, axis=0)),
    "abs": standardized_by(lambda x: np.sqrt((np.abs(x - x.mean(axis=0)) ** 2).mean(axis=0))),
    "norm": standardized_by(lambda x: np.linalg.norm(x - x.mean(axis=0), axis=0) / np.sqrt(len(x))),
    "vdot": standardized_by(lambda x: np.sqrt([np.vdot(c, c) / len(c) for c in (x - x.mean(axis=0)).T])),
    "conj": standardized_by(lambda x: np.sqrt(((x - x.mean(axis=0)) * (x - x.mean(axis=0)).conj()).mean(axis=0))),
    "real": lambda x: standardized_by(lambda x: np.std(x, axis=0))(x.real),
    "a real buffer": in_a_real_buffer,
    "Python's floats": with_python_floats,
    "nan": not_finite,
}


@pytest.mark.parametrize("name", LOSES_THE_IMAGINARY_PART)
def test_the_complex_step_is_refused_where_the_imaginary_part_is_lost(name):
    forward, x = LOSES_THE_IMAGINARY_PART[name], batch()[0]
    with pytest.raises(ComplexStepRefused, match="no complex step"):
        gradcheck(forward, standardized_backward, [x], method="complex")
    for method, used in (("auto", "richardson"), ("projection", "projection, richardson")):
        report = gradcheck(forward, standardized_backward, [x], method=method)
        assert report, str(report)
        assert report.method == used
        assert report.reason.startswith("no complex step")
        assert not gradcheck(forward, lambda dy, cache: dy / cache[1], [x], method=method)


def test_it_is_refused_however_little_is_lost():
    """ε is 1e4 times the variance, and what flows through the variance is a ten-thousandth of the gradient."""
    x, gamma, beta = batch()
    x *= 1e-2
    report = gradcheck(
        lambda *a: right_backwards.with_numpys_variance(*a, 4.0), right_backwards.in_one_line, (x, gamma, beta)
    )
    assert report, str(report)
    assert report.method == "richardson"


def test_no_warning_escapes():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gradcheck(in_a_real_buffer, standardized_backward, [batch()[0]])


def test_exact_to_rounding():
    """Whole dx at (32, 64), against the closed form, by 1e-14 of its largest element."""
    x, gamma, beta = batch(32, 64)
    dy = upstream_gradient(x)
    expected = F.batchnorm_backward(dy, F.batchnorm_forward(x, gamma, beta)[1])
    for method, error in (("complex", 1e-14), ("richardson", 1e-9), ("central", 1e-7)):
        found = numerical_gradients(F.batchnorm_forward, (x, gamma, beta), dy, method=method)
        for a, e in zip(found, expected, strict=True):
            assert np.abs(a - e).max() <= error * np.abs(e).max()


# --- the report -----------------------------------------------------------------------------------------------------


def test_the_report_says_what_where_and_how():
    report = gradcheck(square, lambda dy, x: 2 * x * dy + np.array([0.0, 1.0]), [[1.0, 3.0]], dy=[1.0, 1.0], seed=5)
    assert (report.passed, report.name, report.index, report.method, report.seed) == (False, "x", (1,), "complex", 5)
    assert (report.expected, report.actual, report.error) == pytest.approx((6, 7, 1))
    assert 0 < report.tolerance < 1e-7
    assert "x[1]: expected 6, actual 7, error 1 > tolerance" in str(report)
    assert "FAILED (complex, seed 5)" in str(report)


def test_a_report_that_passed_prints_both_numbers_too():
    report = gradcheck(square, square_backward, [[1.0, 3.0]], dy=[1.0, 1.0])
    assert "passed" in str(report)
    assert "expected 6, actual 6" in str(report) or "expected 2, actual 2" in str(report)


def test_a_report_cannot_be_changed():
    report = gradcheck(square, square_backward, [[1.0, 3.0]])
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.passed = False


def test_a_seed_repeats_a_report():
    reports = [gradcheck(F.batchnorm_forward, F.batchnorm_backward, batch(), seed=seed) for seed in (3, 3, 4)]
    assert reports[0] == reports[1]
    assert reports[0].expected != reports[2].expected


@pytest.mark.parametrize(
    ("gradient", "sentence"),
    [
        (None, "is None"),
        ([np.nan, 1.0], r"is nan at index \(0,\)"),
        ([1.0, np.inf], r"is inf at index \(1,\)"),
        (np.ones((2, 2)), r"has shape \(2, 2\); expected \(2,\)"),
        (1.0, r"has shape \(\); expected \(2,\)"),
        (["a", "b"], "expected real numbers"),
        ([1j, 2j], "expected real numbers"),
        ([[1.0], [1.0, 2.0]], "not a rectangular array"),
    ],
)
def test_what_cannot_be_compared_is_reported_not_raised(gradient, sentence):
    report = gradcheck(lambda x, w: (x * w, (x, w)), lambda dy, c: (dy * c[1], gradient), [[1.0, 3.0], [2.0, 5.0]])
    assert not report
    assert [one.passed for one in report.inputs] == [True, False]
    assert report.name == "w"
    assert report.error == np.inf
    with pytest.raises(AssertionError, match=sentence):
        raise AssertionError(str(report))


@pytest.mark.parametrize(
    ("returned", "sentence"),
    [
        (None, "backward returned a NoneType; expected a tuple of 2 gradients"),
        ((np.ones(2),), "backward returned 1 gradients; expected 2"),
        (np.ones((2, 2)), "backward returned a ndarray; expected a tuple of 2 gradients"),
    ],
)
def test_a_wrong_number_of_gradients_is_reported(returned, sentence):
    report = gradcheck(lambda x, w: (x * w, (x, w)), lambda dy, c: returned, [[1.0, 3.0], [2.0, 5.0]])
    assert not report
    assert sentence in str(report)


def test_noise_is_called_undecided_not_right():
    """Outputs in half precision: differences of them say nothing to 1e-8, and little to 1e-3."""
    report = gradcheck(lambda x: ((x * x).astype(np.float16).astype(np.float64), x), square_backward, [[1.1, 3.3]])
    assert not report
    assert "too uncertain" in str(report)


def test_the_tolerance_is_an_argument():
    def backward(dy, x):
        return 2 * x * dy * (1 + 1e-6)

    assert not gradcheck(square, backward, [[1.0, 3.0]])
    assert gradcheck(square, backward, [[1.0, 3.0]], rtol=1e-4)


def test_inputs_are_called_by_their_names():
    x = [1.0, 3.0]
    assert gradcheck(lambda pixel: (pixel * 1, None), lambda dy, _: dy, [x]).name == "pixel"
    assert gradcheck(lambda *a: (a[0] * 1, None), lambda dy, _: dy, [x]).name == "input 0"
    assert gradcheck(lambda *a: (a[0] * 1, None), lambda dy, _: dy, [x], names=["x"]).name == "x"


def test_a_forward_that_does_not_tell_its_names_is_no_trouble():
    class Secret:
        __signature__ = "none of your business"

        def __call__(self, x):
            return x * 1, None

    assert gradcheck(Secret(), lambda dy, _: dy, [[1.0]]).name == "input 0"


# --- where there is no question -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "sentence", "arguments"),
    [
        (ValueError, "inputs is empty", {"inputs": []}),
        (TypeError, r"inputs is a ndarray; expected a list or tuple of arrays, \[x\]", {"inputs": np.ones(2)}),
        (ValueError, "input 0 has a nan", {"inputs": [[np.nan]]}),
        (TypeError, "input 0 holds complex128 values", {"inputs": [[1j]]}),
        (TypeError, "input 0 holds .* values", {"inputs": [["one"]]}),
        (ValueError, "forward returned a ndarray; expected the pair", {"forward": lambda x: x}),
        (ValueError, "y has a nan or an infinity", {"forward": lambda x: (x * np.inf, x)}),
        (ValueError, r"dy has shape \(1,\), but y has shape \(2,\)", {"dy": [1.0]}),
        (ValueError, "dy has a nan", {"dy": [np.nan, 1.0]}),
        (ValueError, "method is 'guess'", {"method": "guess"}),
        (ValueError, "coloring is 'red'", {"coloring": "red"}),
    ],
)
def test_says_why_there_is_nothing_to_check(error, sentence, arguments):
    with pytest.raises(error, match=sentence):
        gradcheck(**{"forward": square, "backward": square_backward, "inputs": [[1.0, 3.0]]} | arguments)


def test_exceptions_of_the_two_functions_pass_through():
    def fails(*_):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        gradcheck(fails, square_backward, [[1.0]])
    with pytest.raises(KeyError, match="mine"):
        gradcheck(square, fails, [[1.0]])


def test_a_projection_is_no_gradient():
    with pytest.raises(ValueError, match="a projection gives one number"):
        numerical_gradients(square, [[1.0]], method="projection")
