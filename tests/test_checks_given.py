"""A cell that builds on an earlier answer gets one that works, and is told whose."""

import warnings

import numpy as np
import pytest
from right_answers import RIGHT

from bncourse import check, working
from bncourse.checks import surroundings
from bncourse.checks.assignments import EXERCISES
from bncourse.nn import BatchNorm


def unwritten(*arguments):
    raise NotImplementedError


class UnwrittenLayer:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        raise NotImplementedError


def exits(x):
    raise SystemExit


def spoils(x):
    x[:] = 0
    return x.mean(axis=0)


def own_mean(x):
    print("a trace")
    warnings.warn("a warning", stacklevel=1)
    return x.sum(axis=0) / len(x)


def own_forward(x, gamma, beta, eps=1e-5):
    mean, var = x.mean(axis=0), x.var(axis=0)
    return gamma * (x - mean) / np.sqrt(var + eps) + beta, (x, gamma, mean, var + eps)


def own_backward(dy, cache):
    x, gamma, mean, var = cache
    x_hat = (x - mean) / np.sqrt(var)
    dx = gamma / np.sqrt(var) * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0))
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)


def test_a_right_answer_is_used_itself(capsys):
    assert working("batch_mean", own_mean) is own_mean
    assert capsys.readouterr() == ("This cell uses your batch_mean.\n", "")


@pytest.mark.parametrize(
    "answer",
    [unwritten, exits, spoils, None, 3, "batch_mean", lambda: 0, lambda x: None, lambda x: x.mean(axis=1), np.mean],
)
def test_anything_else_is_replaced_and_one_sentence_says_so(answer, capsys):
    assert working("batch_mean", answer) is EXERCISES["batch_mean"].reference[0]
    assert capsys.readouterr() == ("Your batch_mean is not right yet, so this cell uses the course's.\n", "")


def test_a_pair_comes_as_a_pair(capsys):
    assert working("batchnorm_backward", own_forward, own_backward) == (own_forward, own_backward)
    assert capsys.readouterr().out == "This cell uses your batchnorm_forward and batchnorm_backward.\n"
    forward, backward = working("batchnorm_backward", own_forward, unwritten)
    assert capsys.readouterr().out == (
        "Your batchnorm_forward and batchnorm_backward are not right yet as a pair, so this cell uses the course's.\n"
    )
    assert check("batchnorm_backward", forward, backward)


def test_a_backward_that_fits_a_wrong_forward_is_no_function_to_go_on_with():
    def forward(x, gamma, beta, eps=1e-5):
        mean, var = x.mean(axis=0), x.var(axis=0, ddof=1)
        return gamma * (x - mean) / np.sqrt(var + eps) + beta, (x, gamma, mean, var + eps)

    def backward(dy, cache):
        x, gamma, mean, var = cache
        x_hat = (x - mean) / np.sqrt(var)
        unbiased = (dy * x_hat).sum(axis=0) / (len(x) - 1)
        dx = gamma / np.sqrt(var) * (dy - dy.mean(axis=0) - x_hat * unbiased)
        return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)

    assert check("batchnorm_backward", forward, backward).passed  # consistent: it keeps its points
    assert working("batchnorm_backward", forward, backward) != (forward, backward)


def test_a_layer_is_a_class(capsys):
    class Own(BatchNorm):
        pass

    assert working("BatchNorm", Own) is Own
    assert working("BatchNorm", UnwrittenLayer) is BatchNorm
    assert capsys.readouterr().out.splitlines()[1].startswith("Your BatchNorm is not right yet")


def test_an_endless_loop_is_not_right(monkeypatch, capsys):
    if not hasattr(surroundings.signal, "setitimer"):
        pytest.skip("this Python has no timer")

    def endless(x):
        while True:
            pass

    monkeypatch.setattr(surroundings, "TIME_LIMIT", 0.2)
    assert working("batch_mean", endless) is not endless


def test_every_exercise_has_one_that_works(capsys):
    for name, exercise in EXERCISES.items():
        chosen = working(name, *[None] * len(exercise.functions))
        assert check(name, *(chosen if isinstance(chosen, tuple) else (chosen,))).passed
        (*_, functions) = RIGHT[name]
        assert working(name, *functions) == (functions if len(functions) > 1 else functions[0])


def test_the_students_random_numbers_go_on_as_if_it_had_not_been_there():
    def draws(x):
        np.random.rand()  # noqa: NPY002 - the state that students use
        return x.mean(axis=0)

    np.random.seed(3)  # noqa: NPY002
    expected = np.random.rand(2)  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    working("batch_mean", draws)
    assert np.array_equal(np.random.rand(2), expected)  # noqa: NPY002


def test_only_what_no_student_writes_is_an_error():
    with pytest.raises(ValueError, match='There is no exercise "mean"'):
        working("mean", own_mean)
    with pytest.raises(ValueError, match="takes 2 functions after the name, but 1 came"):
        working("batchnorm_backward", own_backward)
