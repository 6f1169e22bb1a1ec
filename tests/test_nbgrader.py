"""The whole way of an assignment through stock nbgrader: release, submissions, autograde, feedback, export."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bncourse import release

pytest.importorskip("nbgrader")

ROOT = Path(__file__).parents[1]
WRITTEN = 16.0

pytestmark = pytest.mark.nbgrader

HALF_RIGHT = {
    "batch_mean": "return x.mean(axis=0)",  # 8 of 8
    "batch_variance": "return x.var(axis=0, ddof=1)",  # the convention of statistics: 11 of 12
    "normalize": "return (x - mean) / (np.sqrt(var) + eps)",  # eps outside the root: 13 of 16
    "scale_shift": "return None",  # 0 of 10
    # identity_parameters and batchnorm_forward: as released, 0 of 14 and of 24
}
CRASHING = {
    "batch_mean": "raise SystemExit",  # 0
    "batch_variance": "return x.mean(",  # a syntax error: the function does not exist
    "normalize": "import os; os._exit(1)",  # the kernel dies here, and with it all that comes after
}


ONE_PROCESS = """
import json, sys
from nbgrader.apps import NbGraderApp
for arguments in json.loads(sys.argv[1]):
    NbGraderApp.clear_instance()
    try:
        NbGraderApp.launch_instance(arguments)
    except SystemExit:  # autograde leaves so when a submission crashed
        pass
"""


def nbgrader(course: Path, *commands: list[str]) -> None:
    """Run nbgrader commands in the course's folder, one after the other in one process: it takes seconds to start."""
    environment = release.environment() | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"}
    environment["IPYTHONDIR"] = environment["JUPYTER_DATA_DIR"] = str(course / "settings")
    subprocess.run(
        [sys.executable, "-c", ONE_PROCESS, json.dumps(commands)],
        cwd=course,
        env=environment,
        capture_output=True,
        check=True,
    )


def submit(course: Path, student: str, answers: dict[str, str], written: str | None = None) -> None:
    """Hand in the released notebook with some of the stubs replaced."""
    notebook = json.loads((course / "exercises/forward/forward.ipynb").read_text())
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["id"] in answers:
            stub = "# YOUR CODE HERE\n    raise NotImplementedError()"
            assert stub in source
            cell["source"] = source.replace(stub, answers[cell["id"]])
        if cell["id"] == "second-batch-answer" and written is not None:
            cell["source"] = written
    folder = course / "course/submitted" / student / "forward"
    folder.mkdir(parents=True)
    (folder / "forward.ipynb").write_text(json.dumps(notebook))


def model_answers() -> dict[str, str]:
    """What stands between the solution marks of the instructor's notebook."""
    notebook = json.loads((ROOT / "solutions/forward/forward.ipynb").read_text())
    answers = {}
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if "### BEGIN SOLUTION" in source:
            answers[cell["id"]] = source.split("### BEGIN SOLUTION")[1].split("### END SOLUTION")[0].strip()
    return answers


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with three submissions, graded, with feedback and an exported table."""
    course = tmp_path_factory.mktemp("course")
    shutil.copy(ROOT / "nbgrader_config.py", course)
    shutil.copytree(ROOT / "solutions", course / "solutions")
    nbgrader(course, ["generate_assignment", "forward"])
    submit(course, "right", model_answers(), written="The statistics belong to the batch ...")
    submit(course, "half", HALF_RIGHT)
    submit(course, "crashing", CRASHING)
    nbgrader(course, ["autograde", "forward"], ["generate_feedback", "forward"], ["export", "--to", "marks.csv"])
    return course


@pytest.fixture(scope="module")
def marks(course: Path) -> dict[str, dict[str, str]]:
    with (course / "marks.csv").open() as table:
        return {row["student_id"]: row for row in csv.DictReader(table)}


@pytest.mark.parametrize(("student", "points"), [("right", 84.0), ("half", 8.0 + 11.0 + 13.0), ("crashing", 0.0)])
def test_the_exported_marks_are_those_a_teacher_would_give(marks, student, points):
    assert float(marks[student]["max_score"]) == 100.0
    assert float(marks[student]["score"]) == points


def test_every_cell_got_its_own_points(course):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        grades = {g.name: g for g in gradebook.find_submission_notebook("forward", "forward", "half").grades}
        assert {name: grade.auto_score for name, grade in grades.items()} == {
            "check-batch-mean": 8.0,
            "check-batch-variance": 11.0,
            "check-normalize": 13.0,
            "check-scale-shift": 0.0,
            "check-batchnorm-forward": 0.0,
            "check-identity-parameters": 0.0,
            "second-batch-answer": 0.0,  # untouched: nbgrader gives 0 by itself
        }
        written = gradebook.find_submission_notebook("forward", "forward", "right").grades
        waiting = [grade.name for grade in written if grade.needs_manual_grade]
        assert waiting == ["second-batch-answer"]


def test_a_mark_given_by_hand_reaches_the_table(course):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        grade = gradebook.find_grade("second-batch-answer", "forward", "forward", "right")
        grade.manual_score, grade.needs_manual_grade = 14.0, False
        gradebook.db.commit()
    nbgrader(course, ["export", "--to", "marks-by-hand.csv"])
    with (course / "marks-by-hand.csv").open() as table:
        rows = {row["student_id"]: row for row in csv.DictReader(table)}
    assert float(rows["right"]["score"]) == 98.0


def test_exercises_is_what_solutions_generates_to_the_byte(course):
    """The second run of two: `bncourse release` made what lies in exercises/, with a database of its own."""
    for path in sorted((ROOT / "exercises").rglob("*")):
        if path.is_file():
            made = course / path.relative_to(ROOT)
            assert made.read_bytes() == path.read_bytes(), f"{path.name} is not up to date: run `make release`"
    released = {p.relative_to(ROOT / "exercises") for p in (ROOT / "exercises").rglob("*.ipynb")}
    assert {p.relative_to(course / "exercises") for p in (course / "exercises").rglob("*.ipynb")} == released


def test_the_student_gets_neither_solution_nor_marking_scheme(course):
    released = (course / "exercises/forward/forward.ipynb").read_text()
    assert "MARK SCHEME" not in released
    assert "Half marks" not in released
    assert "dressed up" not in released
    assert "SOLUTION" not in released
    for answer in model_answers().values():
        assert answer.splitlines()[-1].strip() not in released


def test_the_marker_sees_the_marking_scheme_beside_the_answer(course):
    autograded = (course / "course/autograded/right/forward/forward.ipynb").read_text()
    assert "Half marks where the idea is there" in autograded


def test_feedback_names_the_mistake_and_shows_the_smallest_input(course):
    page = (course / "course/feedback/half/forward/forward.html").read_text()
    assert "eps_outside_the_root" in page
    assert "The smallest input found that shows it" in page


def test_a_crash_costs_only_one_student_their_points(marks):
    assert set(marks) == {"right", "half", "crashing"}
