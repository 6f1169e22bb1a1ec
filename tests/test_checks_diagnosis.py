"""What is named beyond the bank: two mistakes at once, the wrong term, a broken identity; and when to be silent."""

from dataclasses import replace

import numpy as np
import pytest

from bncourse import check
from bncourse.checks.assignments import exercise_named
from bncourse.checks.chain import Chain
from bncourse.checks.exercise import Way
from bncourse.checks.reading import Product, coefficients, effect_of, product_of, ungrouped
from bncourse.checks.terms import READ_ON

BACKWARD = exercise_named("batchnorm_backward")
FORWARD = exercise_named("batchnorm_forward")


def layer(normalized, affine):
    def forward(x, gamma, beta, eps=1e-5):
        return affine(normalized(x, eps), gamma, beta), None

    return forward


def x_hat(x, eps):
    return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps)


def affine(x_hat, gamma, beta):
    return gamma * x_hat + beta


def backward(dx):
    """A backward whose dx has these factors on its three terms."""

    def wrong(dy, cache):
        direct, mean, variance = (term(cache, len(dy)) if callable(term) else term for term in dx)
        rest = mean * dy.mean(axis=0) + variance * cache.x_hat * (dy * cache.x_hat).mean(axis=0)
        return cache.gamma / cache.std * (direct * dy - rest), (dy * cache.x_hat).sum(axis=0), dy.sum(axis=0)

    return BACKWARD.bank(wrong)


class TestReading:
    @pytest.mark.parametrize(
        ("function", "identifier", "words"),
        [
            (layer(x_hat, lambda h, g, b: g * h - b), "y_beta_sign", "the term with beta has the wrong sign. The rest"),
            (
                layer(x_hat, lambda h, g, b: g * g * h + b),
                "y_x_hat_factor",
                "is multiplied by gamma, compared with the right one",
            ),
            (layer(x_hat, lambda h, g, b: h / g + b), "y_x_hat_factor", "is divided by gamma², compared"),
            (
                layer(lambda x, e: x_hat(x, e) / len(x), affine),
                "y_x_hat_factor",
                "is divided by N, compared with the right one",
            ),
            (layer(lambda x, e: x_hat(x, e) * 1.7, affine), "y_x_hat_factor", "is 1.7 times as large as it should be"),
            (
                layer(lambda x, e: x_hat(x, 2 * e), affine),
                "y_x_hat_factor",
                "is divided by √(var + 2·eps) where √(var + eps)",
            ),
        ],
    )
    def test_the_wrong_term_of_a_forward_is_read(self, function, identifier, words):
        report = check("batchnorm_forward", function)
        assert report.misconceptions == [identifier]
        assert words in report.diagnoses[0].sentence

    @pytest.mark.parametrize(
        ("factors", "identifiers", "words"),
        [
            ((1, 1, -2), ["dx_variance_path_sign"], "has the wrong sign and is 2 times as large"),
            ((1, lambda c, n: n, 0), ["dx_mean_path_factor", "dx_variance_path_missing"], "is multiplied by N"),
            ((1, 1, lambda c, n: c.gamma * c.std), ["dx_variance_path_factor"], "multiplied by gamma and by std"),
            ((lambda c, n: 1 / n, 1, 1), ["dx_direct_factor"], "the direct term, gamma/std · dy, is divided by N"),
            ((-1, -1, -1), ["dx_sign"], "Your dx is right but for one thing: as a whole it has the wrong sign"),
            ((3, 3, 3), ["dx_factor"], "as a whole it is 3 times as large"),
        ],
    )
    def test_the_wrong_term_of_a_dx_is_read(self, factors, identifiers, words):
        report = check("batchnorm_backward", *backward(factors))
        assert report.misconceptions == identifiers
        assert words in " ".join(one.sentence for one in report.diagnoses)

    def test_what_is_read_predicts_answers_it_has_not_seen(self):
        report = check("batchnorm_backward", *backward((1, 1, lambda c, n: -n * c.gamma)))
        (one,) = report.diagnoses
        assert {"dx", "dvar", "N", "gamma"} <= one.about
        from bncourse.checks.draw import Draw
        from bncourse.checks.exercise import Problem

        for seed in range(5):
            arguments = BACKWARD.problem(Draw(seed, "unseen"), Problem(9, 5, eps=0.2))
            predicted = one.predict(arguments)["dx"]
            actual = BACKWARD.run(backward((1, 1, lambda c, n: -n * c.gamma)), arguments).arrays["dx"]
            assert np.allclose(predicted, actual, rtol=1e-9)

    def test_three_wrong_terms_are_not_read(self):
        assert check("batchnorm_backward", *backward((2, -1, 3))).misconceptions == ["dx_does_not_sum_to_zero"]

    def test_each_wrong_output_is_read_by_itself(self):
        def wrong(dy, cache):
            dx = cache.gamma / cache.std * (dy - dy.mean(axis=0) + cache.x_hat * (dy * cache.x_hat).mean(axis=0) * 2)
            return dx, 5 * (dy * cache.x_hat).sum(axis=0), -dy.sum(axis=0)

        report = check("batchnorm_backward", *BACKWARD.bank(wrong))
        assert report.misconceptions == ["dx_variance_path_sign", "dgamma_x_hat_factor", "dbeta_dy_sign"]

    def test_a_term_that_does_not_belong_there_is_read_also_when_it_comes_whole(self):
        def wrong(dy, cache):
            dx, dgamma, dbeta = BACKWARD.from_steps({})(dy, cache)
            return dx, dgamma + dbeta, dbeta

        report = check("batchnorm_backward", *BACKWARD.bank(wrong))
        assert report.misconceptions == ["dgamma_dy_extra"]
        assert "there is a multiple of the sum of dy, which does not belong there" in report.diagnoses[0].sentence

    def test_a_ratio_that_two_products_explain_is_not_read(self):
        same = {"a": np.array([2.0, 3.0]), "b": np.array([2.0, 3.0])}
        assert product_of(np.array([2.0, 3.0]), same, frozenset(), 1e-6) is None
        assert product_of(np.array([2.0, 3.0]), {"a": same["a"]}, frozenset(), 1e-6) == Product(1, 1.0, {"a": 1.0})

    def test_signs_of_a_factor_count(self):
        gamma = {"gamma": np.array([-2.0, 3.0])}
        assert product_of(np.array([2.0, -3.0]), gamma, frozenset(), 1e-6) == Product(-1, 1.0, {"gamma": 1.0})
        assert product_of(np.array([2.0, 3.0]), gamma, frozenset(), 1e-6) is None
        assert Product(-1, 2.0, {"gamma": 3.0}).value(gamma).tolist() == [16.0, -54.0]

    def test_a_ratio_with_zeros_or_without_a_pattern_is_not_read(self):
        none = {"N": np.array([5.0, 7.0])}
        assert product_of(np.array([0.0, 3.0]), none, frozenset(), 1e-6) is None
        assert product_of(np.array([1.1, 3.7]), none, frozenset(), 1e-6) is None
        assert product_of(np.array([0.0, 0.0]), none, frozenset(), 1e-6) == Product(constant=0.0)

    def test_terms_that_cannot_be_told_apart_are_not_read(self):
        x = np.arange(6.0).reshape(3, 2) + 1
        assert coefficients(x, [x, 2 * x]) is None
        assert coefficients(x, [x, 0 * x]) is None
        assert coefficients(x[:1], [x[:1], x[:1] ** 2]) is None
        assert coefficients(x * np.nan, [x]) is None
        assert np.allclose(coefficients(x, [x]), 1.0, rtol=1e-12)

    def test_every_way_to_be_off_has_words(self):
        assert effect_of(Product(constant=0.0), {}) == "is missing"
        assert effect_of(Product(-1, 0.25), {}) == "has the wrong sign and is 0.25 times as large as it should be"

    def test_one_number_a_sample_broadcasts_along_the_first_axis(self):
        assert ungrouped(np.ones(3), 2, "sample").shape == (3, 1)
        assert ungrouped(np.ones(3), 4, "feature").shape == (3, 1, 1)
        assert ungrouped(np.ones(1), 2, "whole").shape == ()

    def test_readings_are_asked_on_three_shapes_and_three_eps(self):
        assert len({(p.N, p.D) for p in READ_ON}) == len({p.eps for p in READ_ON}) == 3


class TestFaults:
    @pytest.mark.parametrize(
        ("name", "function", "identifier", "words"),
        [
            ("batch_mean", lambda x: x.sum(axis=0) / (len(x) + 1), "N_incremented", "as if N is too large by 1"),
            ("batch_mean", lambda x: x.mean(axis=0) ** 2, "mean_squared", "as if mean is squared"),
            (
                "normalize",
                lambda x, m, v, e=1e-5: (x - v) / np.sqrt(v + e),
                "centred_with_var_for_mean",
                "with var where",
            ),
            (
                "normalize",
                lambda x, m, v, e=1e-5: (x - m) / (1 + np.sqrt(v + e)),
                "std_incremented",
                "std is too large",
            ),
        ],
    )
    def test_a_simple_fault_of_one_step_is_said(self, name, function, identifier, words):
        report = check(name, function)
        assert report.misconceptions == [identifier]
        assert words in report.diagnoses[0].sentence
        assert report.witness.step is not None

    def test_of_what_is_nan_throughout_nothing_is_said(self):
        assert check("batchnorm_forward", lambda x, g, b, e=1e-5: (x * np.nan, None)).misconceptions == []

    def test_a_fault_that_shows_on_one_problem_only_is_not_said(self):
        def wrong(x):
            return x.sum(axis=0) / (len(x) + 1) if len(x) == 7 else x.max(axis=0)

        assert check("batch_mean", wrong).misconceptions == []

    def test_steps_that_have_no_part_in_the_wrong_output_are_left_alone(self):
        from bncourse.checks.chain import Retrace
        from bncourse.checks.draw import Draw
        from bncourse.checks.faults import faults

        trace = Retrace(BACKWARD.steps, BACKWARD.problem(Draw(0, "x"), BACKWARD.probes[0]))
        assert trace.reads["dx_hat"] == {"dy", "gamma"}
        assert trace.after["dmean"] == {"dmean", "dx_mean", "dx"}
        outputs = ("dx", "dgamma", "dbeta")
        assert {name for fault in faults(trace, {"dbeta"}, outputs) for name in fault.wrong} == {"dbeta"}


class TestForms:
    def test_a_transposed_answer_is_told_so(self):
        def wrong(x, gamma, beta, eps=1e-5):
            return (gamma * x_hat(x, eps) + beta).T, None

        report = check("batchnorm_forward", wrong)
        assert report.misconceptions == ["transposed"]
        assert "rows and columns are exchanged" in report.diagnoses[0].sentence

    def test_results_in_another_order_are_told_so(self):
        def wrong(dy, x_hat, gamma):
            return dy.sum(axis=0), dy * gamma, (dy * x_hat).sum(axis=0)

        names = check("scale_shift_backward", wrong).misconceptions
        assert any("order" in name for name in names), names

    def test_an_argument_that_is_handed_back_is_told_so(self):
        def wrong(x, gamma, beta, eps=1e-5):
            y = gamma * x_hat(x, eps) + beta
            return x if y.size else y, None

        report = check("batchnorm_forward", wrong)
        assert report.misconceptions == ["y_is_x"]
        assert "Your y is x, as it came in" in report.diagnoses[0].sentence

    def test_another_default_is_told_so(self):
        def wrong(x, gamma, beta, eps=1e-8):
            return gamma * x_hat(x, eps) + beta, None

        report = check("batchnorm_forward", wrong)
        assert report.misconceptions == ["another_default_eps"]
        assert "Your eps is 1e-08 when none is given" in report.diagnoses[0].sentence

    def test_a_row_for_a_vector_is_no_reason_not_to_name_the_mistake(self):
        assert check("batch_variance", lambda x: x.var(axis=0, ddof=1, keepdims=True)).misconceptions == [
            "unbiased_variance"
        ]


class TestSymptoms:
    def test_a_dx_that_does_not_sum_to_zero_is_told_so(self):
        def wrong(dy, cache):
            return np.tanh(dy) * cache.gamma, (dy * cache.x_hat).sum(axis=0), dy.sum(axis=0)

        report = check("batchnorm_backward", *BACKWARD.bank(wrong))
        assert report.misconceptions == ["dx_does_not_sum_to_zero"]

    def test_a_dx_that_is_off_along_x_hat_is_told_so(self):
        def wrong(dy, cache):
            dx = cache.gamma / cache.std * (np.tanh(dy) - np.tanh(dy).mean(axis=0))
            return dx, (dy * cache.x_hat).sum(axis=0), dy.sum(axis=0)

        report = check("batchnorm_backward", *BACKWARD.bank(wrong))
        assert report.misconceptions == ["dx_is_off_along_x_hat"]

    def test_right_gradients_have_none(self):
        from bncourse.checks.draw import Draw

        for seed in range(20):
            for n, problem in enumerate(BACKWARD.probes):
                arguments = BACKWARD.problem(Draw(seed, str(n)), problem)
                at, answer = BACKWARD.steps.trace(arguments), BACKWARD.right(arguments).arrays
                assert all(symptom.holds(at, answer) for symptom in BACKWARD.symptoms)


class TestTwoAtOnce:
    def test_a_wrong_dx_and_a_wrong_dgamma(self):
        wrong = BACKWARD.from_steps(
            {"dx_mean": lambda at: 0 * at.dmean, "dgamma": lambda at: (at.dy * at.x).sum(axis=0)}
        )
        report = check("batchnorm_backward", *BACKWARD.bank(wrong))
        assert set(report.misconceptions) == {"mean_path_missing", "dgamma_with_x"}

    def test_two_about_the_same_quantity_are_not_combined(self):
        """Dividing by the variance and multiplying by the deviation is neither: it multiplies."""

        def wrong(x, gamma, beta, eps=1e-5):
            return gamma * (x - x.mean(axis=0)) * (x.var(axis=0) + eps) + beta, None

        assert "divides_by_the_variance" not in check("batchnorm_forward", wrong).misconceptions

    def test_an_answer_that_two_entries_explain_is_not_named(self, monkeypatch):
        entry = FORWARD.misconceptions[0]
        monkeypatch.setattr(FORWARD, "misconceptions", [*FORWARD.misconceptions, entry])
        assert check("batchnorm_forward", entry.implementations[0]).misconceptions == []


def test_an_entry_that_is_wrong_on_one_shape_only_is_not_said(monkeypatch):
    """One agreement may be chance; a second, on another shape, is asked for."""

    def wrong(x):
        return x.mean(axis=0) + (len(x) == 7) * x[0] ** 3

    mean = exercise_named("batch_mean")
    once = replace(mean.misconceptions[0], identifier="once", ways=(Way(wrong, {}),))
    monkeypatch.setattr(mean, "misconceptions", [once])
    assert check("batch_mean", wrong).misconceptions == []


def test_a_step_that_does_not_exist_is_refused_when_the_bank_is_made():
    with pytest.raises(ValueError, match="batchnorm_forward has no step media; it has N, mean, var"):
        FORWARD.way(lambda at: 0, "media")


def test_an_exercise_without_steps_says_so(monkeypatch):
    monkeypatch.setattr(FORWARD, "chain", None)
    with pytest.raises(AttributeError, match="batchnorm_forward has no chain"):
        _ = FORWARD.steps


def test_a_chain_takes_wrong_steps_wrong_defaults_and_wrong_arguments():
    chain = Chain(("x", "eps"), ("y",), eps=2.0)

    @chain.step
    def y(at):
        """their sum"""
        return at.x + at.eps

    assert chain.answer()(1.0) == 3.0
    assert chain.answer({"y": lambda at: at.x})(1.0) == 1.0
    assert chain.answer({"eps": lambda at: at.given.get("eps", 5.0)})(1.0) == 6.0
    assert chain.answer({"x": lambda at: -at.x})(1.0, 1.0) == 0.0
