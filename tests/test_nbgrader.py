"""The whole way of an assignment through stock nbgrader: release, submissions, autograde, feedback, export.

Of `forward`, with a submission that ends the kernel; the marks of every assignment are in test_assignments.
"""

import csv
import json
import shutil
from pathlib import Path

import pytest
from submissions.grading import hand_in, nbgrader

pytest.importorskip("nbgrader")

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.nbgrader

HALF_RIGHT = {
    "batch_mean": "return x.mean(axis=0)",  # 8 of 8
    "batch_variance": "return x.var(axis=0, ddof=1)",  # the convention of statistics: 11 of 12
    "normalize": "return (x - mean) / (np.sqrt(var) + eps)",  # eps outside the root: 13 of 16
    "scale_shift": "return None",  # 0 of 10
    # identity_parameters and batchnorm_forward: as released, 0 of 12 and of 20
}
CRASHING = {
    "batch_mean": "raise SystemExit",  # 0
    "batch_variance": "return x.mean(",  # a syntax error: the function does not exist
    "normalize": "import os; os._exit(1)",  # the kernel dies here, and with it all that comes after
}


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
    hand_in(course, student, "forward", notebook)


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
    shutil.copytree(ROOT / "solutions/forward", course / "solutions/forward")
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


@pytest.mark.parametrize(("student", "points"), [("right", 88.0), ("half", 8.0 + 11.0 + 13.0), ("crashing", 0.0)])
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
            "check-leave-one-out-forward": 0.0,
            "second-batch-answer": 0.0,  # untouched: nbgrader gives 0 by itself
        }
        written = gradebook.find_submission_notebook("forward", "forward", "right").grades
        waiting = [grade.name for grade in written if grade.needs_manual_grade]
        assert waiting == ["second-batch-answer"]


def test_a_mark_given_by_hand_reaches_the_table(course):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        grade = gradebook.find_grade("second-batch-answer", "forward", "forward", "right")
        grade.manual_score, grade.needs_manual_grade = 10.5, False
        gradebook.db.commit()
    nbgrader(course, ["export", "--to", "marks-by-hand.csv"])
    with (course / "marks-by-hand.csv").open() as table:
        rows = {row["student_id"]: row for row in csv.DictReader(table)}
    assert float(rows["right"]["score"]) == 98.5


def test_exercises_is_what_solutions_generates_to_the_byte(tmp_path):
    """Of every assignment. `bncourse release` made what lies in exercises/, with a database of its own."""
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    shutil.copytree(ROOT / "solutions", tmp_path / "solutions")
    sources = sorted(tmp_path.glob("solutions/*/*.ipynb"))
    nbgrader(tmp_path, *(["generate_assignment", path.stem] for path in sources))
    made = {path.relative_to(tmp_path / "exercises"): path for path in (tmp_path / "exercises").rglob("*.*")}
    assert len(made) == len(sources)
    for name, path in made.items():
        assert (ROOT / "exercises" / name).read_bytes() == path.read_bytes(), f"{name}: run `make release`"


def test_the_student_gets_neither_solution_nor_marking_scheme(course):
    released = (course / "exercises/forward/forward.ipynb").read_text()
    assert "MARK SCHEME" not in released
    assert "half marks" not in released
    assert not (course / "exercises/forward/transfer").exists()
    assert "dressed up" not in released
    assert "SOLUTION" not in released
    for name, answer in model_answers().items():
        assert name == "leave_one_out_forward" or answer.splitlines()[-1].strip() not in released  # ends in: return y
    assert "np.delete" not in released


def test_the_marker_sees_the_marking_scheme_beside_the_answer(course):
    autograded = (course / "course/autograded/right/forward/forward.ipynb").read_text()
    assert "It comes out with the mean" in autograded


def test_feedback_names_the_mistake_and_shows_the_smallest_input(course):
    page = (course / "course/feedback/half/forward/forward.html").read_text()
    assert "eps_outside_the_root" in page
    assert "The smallest input found that shows it" in page


def test_a_crash_costs_only_one_student_their_points(marks):
    assert set(marks) == {"right", "half", "crashing"}
