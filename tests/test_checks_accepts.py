"""Right answers are accepted for what they compute, however they are written, whatever numbers are drawn."""

import sys
import warnings

import numpy as np
import pytest
from right_answers import RIGHT
from right_answers.forward import LOSES_DIGITS

from bncourse import check
from bncourse.checks.assignments import EXERCISES

SLOW = sys.platform == "emscripten"
SEEDS = range(1 if SLOW else 5)
"""`make mutants` takes 200."""

CASES = [
    pytest.param(name, functions, id=f"{name}-{functions[-1].__name__}")
    for name, answers in RIGHT.items()
    for functions in answers
]


@pytest.mark.parametrize(("name", "functions"), CASES)
def test_a_right_answer_is_accepted(name, functions):
    for seed in SEEDS:
        report = check(name, *functions, seed=seed)
        assert report.passed, str(report)
        assert report.points == report.max_points
        assert report.misconceptions == []
        assert report.witness is None


@pytest.mark.parametrize(("name", "functions"), [(n, f) for n, answers in LOSES_DIGITS.items() for f in answers])
def test_a_right_answer_that_loses_its_digits_far_from_zero_loses_one_point_and_is_told_why(name, functions):
    for seed in SEEDS:
        report = check(name, *functions, seed=seed)
        assert report.points == report.max_points - 1
        assert report.misconceptions == ["cancels_far_from_zero"]


def test_there_are_five_right_answers_or_more_to_every_exercise():
    assert RIGHT.keys() == EXERCISES.keys()
    assert min(map(len, RIGHT.values())) >= 5


def test_a_warning_and_an_old_matrix_do_no_harm():
    def warns(x, gamma, beta, eps=1e-5):
        warnings.warn("a warning is not a mistake", stacklevel=2)
        return gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps) + beta, None

    assert check("batchnorm_forward", warns).passed
    assert check("batch_mean", lambda x: np.asmatrix(x).mean(axis=0)).passed
    assert check("batch_mean", lambda x: np.ma.masked_invalid(x).mean(axis=0)).passed


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_the_reference_is_right_in_twenty_draws(exercise):
    for seed in range(2 if SLOW else 20):
        assert check(exercise.name, *exercise.reference, seed=seed).passed


@pytest.mark.parametrize("exercise", [e for e in EXERCISES.values() if e.chain], ids=lambda e: e.name)
def test_the_steps_of_an_exercise_lead_to_its_right_answer(exercise):
    for seed in range(5):
        assert check(exercise.name, *exercise.bank(exercise.from_steps({})), seed=seed).passed
    assert all(step.__doc__ for step in exercise.steps.steps.values())
