"""A backward is checked with the forward whose cache it takes: whose gradient is the truth, and what can go wrong."""

import sys

import numpy as np
import pytest

from bncourse import check
from bncourse.functional import batchnorm_backward, batchnorm_forward


def forward(x, gamma, beta, eps=1e-5):
    std = np.sqrt(x.var(axis=0) + eps)
    x_hat = (x - x.mean(axis=0)) / std
    return gamma * x_hat + beta, {"x_hat": x_hat, "std": std, "gamma": gamma}


def backward(dy, cache):
    x_hat, std, gamma = cache["x_hat"], cache["std"], cache["gamma"]
    dx = gamma / std * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0))
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)


def messages(report):
    return " ".join(result.message for result in report.properties)


class TestWhoseGradientIsTheTruth:
    def eps_outside(self, x, gamma, beta, eps=1e-5):
        deviation = np.sqrt(x.var(axis=0))
        x_hat = (x - x.mean(axis=0)) / (deviation + eps)
        return gamma * x_hat + beta, (x_hat, deviation, deviation + eps, gamma)

    def its_derivative(self, dy, cache):
        x_hat, deviation, std, gamma = cache
        along = x_hat * (dy * x_hat).mean(axis=0) * std / deviation
        return gamma / std * (dy - dy.mean(axis=0) - along), (dy * x_hat).sum(axis=0), dy.sum(axis=0)

    def test_the_references_gradient_whatever_the_cache(self):
        assert check("batchnorm_backward", forward, backward).passed
        assert check("batchnorm_backward", batchnorm_forward, batchnorm_backward).passed

    def test_the_exact_derivative_of_a_forward_with_a_known_mistake_keeps_its_points(self):
        for seed in range(5):
            report = check("batchnorm_backward", self.eps_outside, self.its_derivative, seed=seed)
            assert report.points == report.max_points
            assert "consistent with your batchnorm_forward, whose mistake is eps_outside_the_root" in report.notes[0]
            assert report.notes[0] in str(report).replace("\n  ", " ")
            assert report.notes[0].split(":")[0] in report._repr_html_()
            assert report.to_dict()["notes"] == list(report.notes)

    def test_consistent_but_changing_dy_loses_what_that_costs(self):
        def careless(dy, cache):
            gradients = self.its_derivative(dy, cache)
            dy *= 2
            return gradients

        report = check("batchnorm_backward", self.eps_outside, careless)
        assert report.points == report.max_points - 1
        assert "consistent" in report.notes[0]

    def test_a_backward_that_is_not_its_derivative_is_told_to_mend_the_forward_first(self):
        def not_quite(dy, cache):
            x_hat, _, std, gamma = cache
            return backward(dy, {"x_hat": x_hat, "std": std, "gamma": gamma})

        report = check("batchnorm_backward", self.eps_outside, not_quite)
        assert not report.passed
        assert report.misconceptions == []
        assert "is not right yet (eps_outside_the_root): mend it first" in report.notes[0]
        assert report.hint(1).sentence == report.notes[0]

    def test_beside_a_forward_that_is_wrong_in_an_unknown_way_nothing_is_named(self):
        def median(x, gamma, beta, eps=1e-5):
            x_hat = (x - np.median(x, axis=0)) / np.sqrt(x.var(axis=0) + eps)
            return gamma * x_hat + beta, {"x_hat": x_hat, "std": np.sqrt(x.var(axis=0) + eps), "gamma": gamma}

        report = check("batchnorm_backward", median, backward)
        assert report.misconceptions == []
        assert report.notes[0].startswith("Your batchnorm_forward is not right yet: mend it first")

    def test_a_right_backward_beside_a_wrong_output_is_right(self):
        def beta_forgotten(x, gamma, beta, eps=1e-5):
            y, cache = forward(x, gamma, 0 * beta, eps)
            return y, cache

        assert check("batchnorm_backward", beta_forgotten, backward).passed


HOSTILE = {
    "no forward": (None, backward, "batchnorm_forward is not a function but a NoneType"),
    "no backward": (forward, 3, "batchnorm_backward is not a function but an int"),
    "a forward that raises": (lambda *a: 1 / 0, backward, "batchnorm_forward raised ZeroDivisionError"),
    "a forward that is not written": (
        lambda *a: (_ for _ in ()).throw(NotImplementedError),
        backward,
        "batchnorm_forward is not written yet",
    ),
    "a forward without a cache": (
        lambda *a: forward(*a)[0],
        backward,
        "batchnorm_forward returned an array of float64 with shape",
    ),
    "a forward that returns three": (
        lambda *a: (*forward(*a), 1),
        backward,
        "returned a tuple of 3, expected 2 values",
    ),
    "a forward that exits": (lambda *a: sys.exit(1), backward, "batchnorm_forward raised SystemExit"),
    "a backward that raises": (forward, lambda dy, cache: cache["x"], "batchnorm_backward raised KeyError: 'x', in"),
    "a backward without a return": (forward, lambda dy, cache: None, "returned None: is its return statement missing"),
    "one gradient": (forward, lambda dy, cache: dy, "expected 3 values: (dx, dgamma, dbeta)"),
    "an empty cache": (lambda *a: (forward(*a)[0], None), backward, "raised TypeError"),
    "one argument": (forward, lambda dy: dy, "raised TypeError"),
    "complex": (forward, lambda *a: tuple(g + 0j for g in backward(*a)), "complex numbers"),
    "NaN": (forward, lambda *a: tuple(g * np.nan for g in backward(*a)), "is nan, expected"),
    "a generator": (forward, lambda *a: (g for g in backward(*a)), "returned a generator, expected 3 values"),
}


@pytest.mark.parametrize(("one", "other", "sentence"), HOSTILE.values(), ids=HOSTILE)
def test_it_becomes_a_sentence(one, other, sentence):
    report = check("batchnorm_backward", one, other)
    assert not report.passed
    assert sentence in messages(report)
    assert str(report)
    assert report._repr_html_()
    assert report.to_dict()["passed"] is False
    assert [str(report.hint(grade)) for grade in (1, 2, 3)]


def test_two_functions_are_asked_for():
    with pytest.raises(ValueError, match=r"batchnorm_forward, batchnorm_backward\) takes 2 functions after the name"):
        check("batchnorm_backward", backward)


@pytest.mark.parametrize("what", ["x_hat", "gamma", "dy"])
def test_a_backward_that_spoils_something_is_right_but_for_that(what):
    def spoils(dy, cache):
        gradients = backward(dy, cache)
        spoiled = dy if what == "dy" else cache[what]
        spoiled *= 1.5
        return gradients

    report = check("batchnorm_backward", forward, spoils)
    named = {"x_hat": "changes_the_cache", "gamma": "updates_the_parameters", "dy": "changes_its_input"}
    assert report.misconceptions == [named[what]]
    assert report.points == report.max_points - 1


def test_a_cache_that_lies_about_itself_does_no_harm():
    class Lying:
        def __init__(self, kept):
            self.kept = kept

        def __eq__(self, other):
            raise SystemExit

        __hash__ = None

        def __len__(self):
            return -1

    def keeps(x, gamma, beta, eps=1e-5):
        y, cache = forward(x, gamma, beta, eps)
        return y, Lying(cache)

    assert check("batchnorm_backward", keeps, lambda dy, cache: backward(dy, cache.kept)).passed
