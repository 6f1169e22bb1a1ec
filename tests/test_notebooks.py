"""The instructor's notebooks keep the rules that marking relies on."""

import ast
import json
import re
from pathlib import Path

import pytest

from bncourse.checks.assignments import ASSIGNMENTS, EXERCISES

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "solutions").glob("*/*.ipynb"))
RELEASED = sorted((ROOT / "exercises").glob("*/*.ipynb"))

each = pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)


def cells_of(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def mark(cell):
    return cell["metadata"].get("nbgrader", {})


def source(cell):
    return "".join(cell["source"])


def graded_cells(path):
    return [cell for cell in cells_of(path) if mark(cell).get("grade") and not mark(cell).get("solution")]


def the_check_in(cell):
    """The call that a test cell ends with: its exercise, the names of its functions."""
    assert not source(cell).rstrip().endswith(";")
    last = ast.parse(source(cell)).body[-1]
    assert isinstance(last, ast.Expr), "the last line has to be a bare check(...)"
    call = last.value
    assert isinstance(call, ast.Call)
    assert isinstance(call.func, ast.Name)
    assert call.func.id == "check"
    assert call.keywords == []
    assert all(isinstance(argument, ast.Name) for argument in call.args[1:])
    return call.args[0].value, tuple(argument.id for argument in call.args[1:])


def test_every_notebook_is_an_assignments_and_is_released():
    assert SOURCES
    assert {path.stem for path in SOURCES} <= set(ASSIGNMENTS)
    assert [path.stem for path in RELEASED] == [path.stem for path in SOURCES]
    assert all(path.parent.name == path.stem for path in SOURCES)


@each
def test_every_test_cell_ends_in_a_bare_check_and_is_worth_the_points_of_its_exercise(path):
    """Anything but a bare check(...) as the last line gives full marks in nbgrader, whatever the answer."""
    cells = graded_cells(path)
    assert len(cells) == len(ASSIGNMENTS[path.stem])
    for cell, exercise in zip(cells, ASSIGNMENTS[path.stem], strict=True):
        name, functions = the_check_in(cell)
        assert name == exercise.name
        assert functions == exercise.functions
        assert mark(cell)["points"] == exercise.points
        assert source(cell).startswith(f"# {exercise.points:g} points.")
        assert mark(cell)["locked"]


@pytest.mark.parametrize(
    "line", ["r = check('a', f)", "check('a', f);", "display(check('a', f))", "check('a', f).points", "check('a', g())"]
)
def test_the_rule_would_be_noticed_when_broken(line):
    with pytest.raises(AssertionError):
        the_check_in({"source": line})


@each
def test_the_points_add_up_to_100_and_the_notebook_says_so(path):
    total = sum(mark(cell).get("points", 0) for cell in cells_of(path))
    assert total == 100
    opening = source(cells_of(path)[0])
    assert "**Points**: 100" in opening
    by_check = sum(exercise.points for exercise in ASSIGNMENTS[path.stem])
    by_hand = [mark(c)["points"] for c in cells_of(path) if mark(c).get("grade") and mark(c).get("solution")]
    assert f"({by_check:g})" in opening
    assert f"({sum(by_hand):g})" in opening
    assert by_hand


@each
def test_the_notebook_opens_with_what_one_does_learns_and_needs(path):
    opening = source(cells_of(path)[0])
    for word in ("**You will**", "**You will learn**", "**You need**", "minutes"):
        assert word in opening


@each
def test_ids_are_fixed_and_say_what_the_cell_is(path):
    ids = [cell["id"] for cell in cells_of(path)]
    assert len(set(ids)) == len(ids)
    assert not any(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f-]+)?", name) for name in ids)  # Jupyter's random ones
    for cell in cells_of(path):
        if mark(cell):
            assert mark(cell)["grade_id"] == cell["id"]
            assert mark(cell)["schema_version"] == 3


@each
def test_no_output_is_stored(path):
    for cell in cells_of(path):
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None


@each
def test_the_file_is_as_jupyter_writes_it(path):
    nbformat = pytest.importorskip("nbformat")
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    assert nbformat.writes(notebook) + "\n" == text


@each
def test_every_answer_cell_has_a_docstring_and_one_solution(path):
    answers = [c for c in cells_of(path) if mark(c).get("solution") and c["cell_type"] == "code"]
    assert [cell["id"] for cell in answers] == [n for exercise in ASSIGNMENTS[path.stem] for n in exercise.functions]
    for cell in answers:
        text = source(cell)
        assert text.count("### BEGIN SOLUTION") == text.count("### END SOLUTION") == 1
        function = ast.parse(text).body[0]
        assert function.name == cell["id"]
        assert "->" in ast.get_docstring(function)


@each
def test_a_later_answer_does_not_call_an_earlier_one(path):
    names = {cell["id"] for cell in cells_of(path)} & set(EXERCISES)
    for cell in cells_of(path):
        if mark(cell).get("solution") and cell["cell_type"] == "code":
            called = {node.id for node in ast.walk(ast.parse(source(cell))) if isinstance(node, ast.Name)}
            assert not called & names


@each
def test_links_lead_somewhere_from_both_folders(path):
    for cell in cells_of(path):
        for target in re.findall(r"\]\((?!https?:)([^)#\s]+)", source(cell)):
            assert (path.parent / target).is_file(), target
            assert (ROOT / "exercises" / path.stem / target).is_file(), target


@each
def test_the_released_notebook_has_the_same_cells_without_the_answers(path):
    released = ROOT / "exercises" / path.stem / path.name
    assert [cell["id"] for cell in cells_of(released)] == [cell["id"] for cell in cells_of(path)]
    text = released.read_text(encoding="utf-8")
    for word in ("SOLUTION", "MARK SCHEME", "Marking scheme"):
        assert word not in text
    for cell in cells_of(released):
        if mark(cell).get("solution"):
            assert "YOUR CODE HERE" in source(cell) or source(cell) == "YOUR ANSWER HERE"
