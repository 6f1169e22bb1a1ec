"""Every assignment, as students hand it in: each cell gets the points that a teacher would give.

By the cells as plain Python, all submissions; by stock nbgrader the instructor's, the untouched and the most mixed one.
With the environment variable ``BNCOURSE_FULL`` nbgrader marks them all, with every plot and every training in them, and
the cells are tried on more numbers: marks must not depend on the draw.
"""

import json
import os
import shutil
from pathlib import Path

import pytest
from submissions import grading, submissions_to
from submissions.running import is_answer, is_check, is_marked_by_hand, needed, run, worth
from submissions.submission import Submission, filled, text_of

from bncourse import check
from bncourse.checks import marking, surroundings
from bncourse.checks.assignments import EXERCISES, ORDER, TRANSFERS
from bncourse.checks.transfer import VARIABLE, bundled

ROOT = Path(__file__).resolve().parents[1]
FULL = bool(os.environ.get("BNCOURSE_FULL"))
SEEDS = range(6, 26 if FULL else 7)
WRITTEN = sorted((path.stem for path in (ROOT / "solutions").glob("*/*.ipynb")), key=ORDER.index)

UNTOUCHED = Submission("as-released", {}, {})


def notebook(folder, assignment):
    return json.loads((ROOT / folder / assignment / f"{assignment}.ipynb").read_text(encoding="utf-8"))


def instructors(assignment):
    """The instructor's version as a submission: everything right."""
    source, released = notebook("solutions", assignment), notebook("exercises", assignment)
    answers = {cell["id"]: text_of(cell) for cell in source["cells"] if is_answer(cell) or is_marked_by_hand(cell)}
    for cell in released["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
    return released, worth(source, is_check)


def all_of(assignment):
    """Every submission by name, as a notebook and the points of its check cells."""
    released = notebook("exercises", assignment)
    cells = worth(released, is_check)
    nothing = dict.fromkeys(cells, 0.0)
    given = {
        one.name: (one.handed_in(released), nothing | one.points) for one in (UNTOUCHED, *submissions_to(assignment))
    }
    return {"instructor": instructors(assignment)} | given


def most_mixed(assignment):
    """The submission with the most cells that get some of their points; of equals, the one with most mistakes."""
    full = worth(notebook("exercises", assignment), is_check)

    def mixed(one):
        partly = [name for name, points in one.points.items() if 0 < points < full[name]]
        return len(partly), len(one.misconceptions)

    return max(submissions_to(assignment), key=mixed).name


def cases():
    """Every submission to every assignment; one without any has a failing test of its own."""
    for assignment in WRITTEN:
        there = (ROOT / f"tests/submissions/{assignment}.py").exists()
        for one in (UNTOUCHED, *(submissions_to(assignment) if there else ())):
            yield pytest.param(assignment, one, id=f"{assignment}-{one.name}")


each = pytest.mark.parametrize("assignment", WRITTEN)
each_submission = pytest.mark.parametrize(("assignment", "submission"), list(cases()))


@pytest.fixture(autouse=True)
def as_the_grader_has_it(monkeypatch):
    """With the bundles of the transfer exercises, and the same numbers in every run."""
    monkeypatch.setenv(VARIABLE, str(ROOT / "solutions"))
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setattr(marking, "fresh_seed", lambda: SEEDS[0])


@each
def test_there_are_ten_realistic_submissions_that_differ(assignment):
    submissions = submissions_to(assignment)
    cells = worth(notebook("exercises", assignment), is_check)
    by_hand = worth(notebook("exercises", assignment), is_marked_by_hand)
    assert len({one.name for one in submissions}) == len(submissions) >= 10
    for one in submissions:
        assert one.points.keys() | one.misconceptions.keys() <= cells.keys(), one.name
        assert all(0 <= points <= cells[name] for name, points in one.points.items()), one.name
        assert one.written.keys() <= by_hand.keys(), one.name
    assert sum(one.points == cells for one in submissions) >= 2, "right answers in other styles are missing"
    assert sum(bool(one.misconceptions) for one in submissions) >= 4, "named mistakes are missing"
    assert any(0 < points < cells[name] for one in submissions for name, points in one.points.items())


@each_submission
def test_every_cell_gets_the_points_that_a_teacher_would_give(assignment, submission, monkeypatch):
    released = notebook("exercises", assignment)
    cells = worth(released, is_check)
    if any("while True" in answer for answer in submission.answers.values()):
        monkeypatch.setattr(surroundings, "TIME_LIMIT", 1.0)  # it will not end, however long we wait
    for seed in SEEDS:
        monkeypatch.setattr(marking, "fresh_seed", lambda seed=seed: seed)
        ran = run(submission.handed_in(released))
        assert ran.points(cells) == dict.fromkeys(cells, 0.0) | dict(submission.points), f"seed {seed}"
        for name, identifier in submission.misconceptions.items():
            assert identifier in ran.reports[name].misconceptions, str(ran.reports[name])


@each
def test_the_instructors_version_gets_everything(assignment):
    handed_in, full = instructors(assignment)
    ran = run(handed_in)
    assert ran.points(full) == full
    assert ran.raised == {}
    assert sum(full.values()) + sum(worth(handed_in, is_marked_by_hand).values()) == 100


@each
@pytest.mark.parametrize("at_home", [True, False], ids=["at home", "handed in"])
def test_in_the_untouched_version_every_check_says_something_and_nothing_crashes(assignment, at_home, monkeypatch):
    if at_home:
        monkeypatch.delenv(VARIABLE)
    released = notebook("exercises", assignment)
    ran = run(released)
    assert ran.raised == {}
    assert ran.reports.keys() == worth(released, is_check).keys()
    for name, report in ran.reports.items():
        assert (report.points, report.passed, report.misconceptions) == (0, False, []), name
        said = " ".join(str(report).split())
        assert "is not written yet" in said or "is marked when you hand in" in said, said


@each
def test_it_ends_with_an_exercise_whose_answer_is_not_published(assignment):
    name, points = TRANSFERS[assignment]
    exercise = bundled(name)
    assert exercise.points == points
    assert len(exercise.misconceptions) >= 2
    assert check(name, *exercise.reference).passed
    for entry in exercise.misconceptions:
        report = check(name, *exercise.bank(entry.implementations[0]))
        assert not report.passed, entry.identifier
        assert report.misconceptions == [entry.identifier], str(report)
    assert name not in EXERCISES
    pages = [*(ROOT / "book").rglob("*.md"), *(ROOT / "bncourse").rglob("*.py")]
    found = [path for path in pages if name in path.read_text(encoding="utf-8") and path.stem != "assignments"]
    assert found == [], "its answer, or its name, is in the book or the package"


def test_every_assignment_that_is_written_has_submissions():
    assert WRITTEN
    assert all(submissions_to(name) for name in WRITTEN)


def slim(handed_in):
    """The notebook without the cells that no check needs: plots and training."""
    kept = {cell["id"] for cell in needed(handed_in)}
    cells = [c for c in handed_in["cells"] if c["cell_type"] != "code" or c["id"] in kept]
    return handed_in | {"cells": cells}


@pytest.fixture(scope="module")
def course(request, tmp_path_factory):
    """A course that stock nbgrader has marked, in one process for all assignments that are asked for: it starts slowly.

    The untouched notebooks are run whole. Returns the folder and, for each assignment, who handed in what.
    """
    pytest.importorskip("nbgrader")
    mine = [one for one in request.session.items if one.path == request.path and "course" in one.fixturenames]
    asked = {one.callspec.params["assignment"] for one in mine}
    folder = tmp_path_factory.mktemp("course")
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    given, commands = {}, []
    for assignment in sorted(asked):
        shutil.copytree(ROOT / "solutions" / assignment, folder / "solutions" / assignment)
        submissions = all_of(assignment)
        chosen = submissions if FULL else ["instructor", UNTOUCHED.name, most_mixed(assignment)]
        given[assignment] = {name: submissions[name] for name in chosen}
        for name, (whole, _) in given[assignment].items():
            shown = whole if FULL or name == UNTOUCHED.name else slim(whole)
            grading.hand_in(folder, name, assignment, shown)
        commands += [["generate_assignment", assignment], ["autograde", assignment]]
    grading.nbgrader(folder, *commands)
    return folder, given


@pytest.mark.nbgrader
@each
def test_stock_nbgrader_gives_the_same_marks(assignment, course):
    """Full marks by hand bring the instructor's to 100 %. No cell of the untouched one stops or complains."""
    folder, given = course
    by_hand = worth(notebook("exercises", assignment), is_marked_by_hand)
    for name, (whole, expected) in given[assignment].items():
        there = {cell["id"] for cell in whole["cells"]} & expected.keys()
        marks = grading.marks(folder, assignment, name)
        assert {cell: marks[cell] for cell in there} == {cell: expected[cell] for cell in there}, name
        assert all(not marks[cell] for cell in by_hand), name
    assert sum(given[assignment]["instructor"][1].values()) + sum(by_hand.values()) == 100
    for name in [UNTOUCHED.name, "instructor"] if FULL else [UNTOUCHED.name]:
        assert grading.stopped(folder, assignment, name) == {}
    assert not list((folder / "exercises").rglob("transfer"))
    assert not list((folder / "course").rglob("transfer"))


class TestSubmission:
    STUB = 'def f(x):\n    """Twice x."""\n    # YOUR CODE HERE\n    raise NotImplementedError()\n'

    def test_an_answer_stands_where_the_stub_stood(self):
        assert (
            filled(self.STUB, "y = x + x\nreturn y") == 'def f(x):\n    """Twice x."""\n    y = x + x\n    return y\n'
        )

    def test_a_whole_cell_replaces_it(self):
        assert filled(self.STUB, "def f(x):\n    return 2 * x\n") == "def f(x):\n    return 2 * x"

    def test_a_cell_that_is_not_there_is_noticed(self):
        with pytest.raises(AssertionError, match="writes cells that are not in the notebook"):
            Submission("a", {"g": "return 1"}, {}).handed_in({"cells": []})


class TestRunning:
    def cell(self, name, source, **mark):
        return {"cell_type": "code", "id": name, "source": source, "metadata": {"nbgrader": mark} if mark else {}}

    def test_what_a_check_needs_is_run_and_nothing_else(self):
        book = {
            "cells": [
                self.cell("imports", "import numpy as np\nfrom bncourse import check"),
                self.cell("factor", "half = 1 / 2"),
                self.cell("slow", "x = 1 / 0"),
                self.cell("batch_mean", "def batch_mean(x):\n    return 2 * half * x.mean(axis=0)", solution=True),
                self.cell("the-check", 'check("batch_mean", batch_mean)', grade=True, solution=False, points=8),
            ]
        }
        assert [cell["id"] for cell in needed(book)] == ["imports", "factor", "batch_mean", "the-check"]
        ran = run(book)
        assert (ran.reports["the-check"].points, ran.raised) == (8, {})

    def test_a_cell_that_stops_costs_its_check_and_no_other(self):
        book = {
            "cells": [
                self.cell("imports", "from bncourse import check"),
                self.cell("batch_mean", "def batch_mean(x) return", solution=True),
                self.cell("the-check", 'check("batch_mean", batch_mean)', grade=True, solution=False, points=8),
            ]
        }
        ran = run(book)
        assert ran.points({"the-check": 8}) == {"the-check": 0}
        assert ran.raised["batch_mean"].startswith("SyntaxError")
        assert ran.raised["the-check"].startswith("NameError")
