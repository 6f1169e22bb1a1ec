"""Exercises whose answers are not published: marked where their bundle is named, announced everywhere else."""

import json
import sys
from pathlib import Path

import pytest

import bncourse
from bncourse import check
from bncourse.checks import text, transfer
from bncourse.checks.assignments import ASSIGNMENTS, EXERCISES, TRANSFERS
from bncourse.checks.card import card
from bncourse.checks.notebooks import Unusable, check_notebook

BUNDLE = '''
"""A bundle of two modules."""

from .doubling import EXERCISES
'''
MODULE = '''
"""What is asked of doubled?"""

import numpy as np

from bncourse.checks.calling import Signature
from bncourse.checks.exercise import Exercise, Kind
from bncourse.checks.inputs import batch

doubled = Exercise(
    Signature("{name}", ("x",), ("y",), lambda x: 2 * x),
    problem=lambda draw, problem: (batch(draw, problem),),
    scale=lambda arguments: {{"y": np.abs(arguments[0])}},
)


@doubled.property(points=10)
def doubles(f, draw):
    """doubles every element"""
    f.agrees((draw.batch(7, 3),))


@doubled.misconception(Kind.ERROR, "batch-mean")
def squares(x):
    """You square. Doubling adds x to itself."""
    return x * x


EXERCISES = (doubled,)
'''


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """A folder of assignments whose transfer exercise is to double."""

    def made(name, assignment="forward"):
        folder = tmp_path / assignment / "transfer"
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(BUNDLE, encoding="utf-8")
        (folder / "doubling.py").write_text(MODULE.format(name=name), encoding="utf-8")
        monkeypatch.setenv(transfer.VARIABLE, str(tmp_path))

    return made


@pytest.fixture(autouse=True)
def at_home(monkeypatch):
    monkeypatch.delenv(transfer.VARIABLE, raising=False)


the_courses = pytest.mark.parametrize(("name", "points"), list(TRANSFERS.values()))


def test_every_assignment_may_have_one_and_none_is_an_exercise_of_the_package():
    assert set(TRANSFERS) <= set(ASSIGNMENTS)
    assert not {name for name, _ in TRANSFERS.values()} & set(EXERCISES)
    assert len(dict(TRANSFERS.values())) == len(TRANSFERS)
    assert all(8 <= points <= 12 for _, points in TRANSFERS.values())


@the_courses
def test_at_home_it_is_worth_nothing_yet_and_the_report_says_when(name, points):
    for answer in (lambda x: x, None, print):
        report = check(name, answer)
        assert (report.passed, report.points, report.max_points, report.marked) == (False, 0.0, points, False)
        assert report._repr_mimebundle_()["text/plain"] == "0.0"
        assert f"{name} is marked when you hand in" in " ".join(str(report).split())
        assert "✗" not in str(report) + card(report)
        assert "seed" not in str(report) + card(report)
        assert f"{points:g} points, not marked here" in text.heading(report)
        assert f"{name} is marked when you hand in" in card(report)
        assert "marked when you hand in" in report.hint(1).sentence


def test_its_report_keeps_to_the_published_format():
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((Path(bncourse.__file__).parent / "checks" / "report.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(json.dumps(check("leave_one_out_forward", None).to_dict())), schema)


def test_a_bundle_marks_it_and_names_the_mistake(bundle):
    bundle("leave_one_out_forward")
    right, wrong = check("leave_one_out_forward", lambda x: x + x), check("leave_one_out_forward", lambda x: x * x)
    assert (right.points, right.marked) == (10, True)
    assert (wrong.points, wrong.misconceptions) == (0, ["squares"])


def test_an_instructor_may_add_an_exercise_that_the_course_does_not_know(bundle):
    bundle("doubled_twice", "mine")
    assert check("doubled_twice", lambda x: 2 * x).passed
    assert check("batch_mean", lambda x: x.mean(axis=0)).passed
    with pytest.raises(ValueError, match='There is no exercise "tripled"'):
        check("tripled", lambda x: 3 * x)


def test_a_bundle_that_lacks_its_exercise_is_an_error_not_a_silent_zero(bundle):
    bundle("something_else")
    with pytest.raises(LookupError, match='"leave_one_out_forward" is not in'):
        check("leave_one_out_forward", lambda x: x)


def test_a_bundle_is_imported_under_a_private_name(bundle):
    bundle("leave_one_out_forward")
    check("leave_one_out_forward", lambda x: x)
    names = {name.partition(".")[0] for name in __import__("sys").modules}
    assert not {"transfer", "forward"} & names
    assert any(name.startswith("_bncourse_transfer_") for name in names)


def test_a_name_that_nobody_knows_is_still_a_clear_error():
    with pytest.raises(ValueError, match=r'There is no exercise "mean"\. There are: batch_mean'):
        check("mean", lambda x: x)


@pytest.mark.skipif(sys.platform == "emscripten", reason="the browser starts no processes")
def test_a_whole_notebook_is_marked_with_it_where_the_bundle_is_named(bundle, tmp_path):
    bundle("leave_one_out_forward")
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": "def leave_one_out_forward(x): return 2 * x"}
    path = tmp_path / "mine.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}))
    checked = check_notebook("forward", path)
    assert "leave_one_out_forward: right, 10 of 10 points" in checked.texts[-1]
    assert (checked.points, checked.max_points) == (10, 88)


def test_a_bundle_that_is_not_where_it_was_named_stops_the_command(bundle, tmp_path):
    bundle("something_else")
    with pytest.raises(Unusable, match='"leave_one_out_forward" is not in'):
        check_notebook("forward", tmp_path / "mine.ipynb")
