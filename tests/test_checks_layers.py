"""A layer is judged by its life, and numerical_gradient by functions it has not seen."""

import json

import numpy as np
import pytest

from bncourse import check, nn
from bncourse.checks.assignments import EXERCISES
from bncourse.checks.callbacks import MOST_CALLS, CalledTooOften, OutOfReach, only_near, quadratic, refusing
from bncourse.checks.draw import Draw
from bncourse.checks.inference.batchnorm_layer import batchnorm_layer
from bncourse.checks.inference.batchnorm_layer.arrays import PlainLayer
from bncourse.checks.layers import LIFE, live

LIVES = [
    pytest.param(batchnorm_layer.problem(Draw(seed, "life"), probe), id=f"{probe.N}x{probe.D}-{seed}")
    for seed in range(3)
    for probe in batchnorm_layer.probes
]


@pytest.mark.parametrize("arguments", LIVES)
@pytest.mark.parametrize("layer", [nn.BatchNorm, PlainLayer])
def test_the_life_in_steps_is_that_of_the_reference(layer, arguments):
    lived = live((layer,), batchnorm_layer.signature, arguments)
    right = batchnorm_layer.right(arguments)
    assert lived.complaint == ""
    assert tuple(lived.arrays) == tuple(right.arrays) == LIFE
    scale = batchnorm_layer.scale(arguments)
    for name in LIFE:
        assert np.all(np.abs(lived.arrays[name] - right.arrays[name]) <= 1e-12 * scale[name]), name


def without(*names):
    class Layer(PlainLayer):
        def __getattribute__(self, name):
            if name in names:
                raise AttributeError(name)
            return super().__getattribute__(name)

    return Layer


def failed(report):
    return {result.name: result.message for result in report.properties if not result.passed}


def test_a_missing_attribute_becomes_a_sentence_and_leaves_the_rest_to_be_judged():
    messages = failed(check("BatchNorm", without("dgamma"), seed=1))
    assert set(messages) == {
        "backward_in_training",
        "backward_in_evaluation",
        "backward_belongs_to_the_last_forward",
        "layer_is_right_to_rounding",
    }
    assert set(messages.values()) == {"Your BatchNorm has no attribute dgamma after a backward."}


def test_a_backward_that_is_not_written_costs_its_own_points_only():
    class Layer(PlainLayer):
        def backward(self, dy):
            raise NotImplementedError

    report = check("BatchNorm", Layer, seed=1)
    assert "BatchNorm.backward is not written yet." in failed(report).values()
    assert report.points >= 8
    assert report.misconceptions == []


def test_a_layer_that_cannot_average_without_momentum_is_told_so_and_loses_half_a_point():
    class Layer(PlainLayer):
        def track(self, mean, var):
            self.num_batches_tracked += 1
            self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * mean
            self.running_var = (1 - self.momentum) * self.running_var + self.momentum * var

    report = check("BatchNorm", Layer, seed=1)
    assert report.points == report.max_points - 0.5
    (message,) = failed(report).values()
    assert message.startswith("With momentum = None, BatchNorm.forward raised TypeError")
    assert report.misconceptions == ["no_cumulative_average"]


def test_two_conventions_at_once_are_named_as_two():
    class Layer(PlainLayer):
        def track(self, mean, var):
            self.num_batches_tracked += 1
            self.running_mean = self.momentum * self.running_mean + (1 - self.momentum) * mean
            self.running_var = self.momentum * self.running_var + (1 - self.momentum) * var

        def forward(self, x, training):
            self.N = len(x)
            return super().forward(x, training)

    class Biased(Layer):
        def track(self, mean, var):
            super().track(mean, var * (self.N - 1) / self.N)

    report = check("BatchNorm", Biased, seed=1)
    assert set(report.misconceptions) == {"momentum_weighs_the_old", "biased_running_variance"}


def test_an_object_or_a_function_in_place_of_the_class_is_refused_in_a_sentence():
    for wrong in (PlainLayer(3), None, lambda D, eps=1e-5, momentum=0.1: object()):
        report = check("BatchNorm", wrong, seed=1)
        assert report.points == 0
        assert report.misconceptions == []
        json.dumps(report.to_dict())


def test_a_forward_that_raises_in_evaluation_only():
    class Layer(PlainLayer):
        def forward(self, x, training):
            if not training:
                raise KeyError("mode")
            return super().forward(x, training)

    messages = failed(check("BatchNorm", Layer, seed=1))
    assert "evaluates_with_the_running_statistics" in messages
    assert "tracks_the_mean" not in messages


# --------------------------------------------------------------------------------------------------------- callbacks


def test_a_callback_counts_for_each_call_anew_and_ends_an_endless_loop():
    x = np.array([1.0, 2.0])
    callback = quadratic(Draw(1, "f"), x)
    for _ in range(2):
        f = callback.fresh()
        for _ in range(MOST_CALLS):
            f(x)
        with pytest.raises(CalledTooOften):
            f(x)


def test_a_callback_tells_what_it_takes_and_touches_nothing():
    x = np.array([[1.0, 2.0]])
    f = quadratic(Draw(1, "f"), x).fresh()
    assert f(x.tolist()) == f(x)
    assert x.tolist() == [[1.0, 2.0]]
    with pytest.raises(ValueError, match="takes the whole array"):
        f(x[0, 0])
    with pytest.raises(TypeError, match="real numbers"):
        f(x + 1j)


def test_some_callbacks_have_no_value_further_away_or_anywhere():
    x = np.array([3.0])
    near = only_near(quadratic(Draw(1, "f"), x), x, 0.1)
    f = near.fresh()
    f(x + 0.1), f(x - 0.1)
    with pytest.raises(OutOfReach):
        f(x + 0.2)
    assert near(x + 0.2) > 0  # the checker may look
    with pytest.raises(OutOfReach):
        refusing(x).fresh()(x)


def test_an_exception_that_is_swallowed_costs_a_point():
    def swallows(f, x, h=1e-5):
        try:
            return EXERCISES["numerical_gradient"].reference[0](f, x, h)
        except ValueError:
            return np.zeros(x.shape)

    messages = failed(check("numerical_gradient", swallows, seed=1))
    assert set(messages) == {"lets_exceptions_pass"}


def test_an_element_instead_of_the_whole_array_is_told_by_f_itself():
    def by_element(f, x, h=1e-5):
        return np.array([(f(v + h) - f(v - h)) / (2 * h) for v in x.ravel()]).reshape(x.shape)

    report = check("numerical_gradient", by_element, seed=1)
    assert any("f takes the whole array, of shape (3,)" in message for message in failed(report).values())
    json.dumps(report.to_dict())


def test_a_report_on_a_callback_shows_its_formula():
    def forward(f, x, h=1e-5):
        gradient = np.zeros(x.shape)
        for index in np.ndindex(x.shape):
            moved = x.astype(float)
            moved[index] += h
            gradient[index] = (f(moved) - f(x)) / h
        return gradient

    report = check("numerical_gradient", forward, seed=1)
    assert report.misconceptions == ["forward_difference"]
    assert "f = x² (summed)" in str(report)
    assert report.to_dict()["witness"]["inputs"]["f"] == "x² (summed)"
    assert report.witness.step.name == "back"
