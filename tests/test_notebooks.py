"""The instructor's notebooks keep the rules that marking relies on."""

import ast
import json
import re
from pathlib import Path

import pytest

from bncourse.checks.assignments import ASSIGNMENTS, EXERCISES, ORDER, TRANSFERS

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


def check_cells(path):
    return [cell for cell in cells_of(path) if mark(cell).get("grade") and not mark(cell).get("solution")]


def answer_cells(path):
    return [cell for cell in cells_of(path) if mark(cell).get("solution") and cell["cell_type"] == "code"]


def cells_marked_by_hand(path):
    return [cell for cell in cells_of(path) if mark(cell).get("grade") and mark(cell).get("solution")]


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
    assert {path.stem for path in SOURCES} <= set(ORDER)
    assert [path.stem for path in RELEASED] == [path.stem for path in SOURCES]
    assert all(path.parent.name == path.stem for path in SOURCES)


@each
def test_every_test_cell_ends_in_a_bare_check_and_is_worth_the_points_of_its_exercise(path):
    """Anything but a bare check(...) as the last line gives full marks in nbgrader, whatever the answer."""
    cells = check_cells(path)
    asked = [the_check_in(cell)[0] for cell in cells]
    its_own = {exercise.name: exercise.points for exercise in ASSIGNMENTS[path.stem]}
    transfer, worth = TRANSFERS[path.stem]
    assert sorted(asked) == sorted([*its_own, transfer])
    assert asked[-1] == transfer, "the exercise whose answer is not published comes last"
    for cell in cells:
        name, functions = the_check_in(cell)
        assert name == transfer or functions == EXERCISES[name].functions
        assert cell["id"] == f"check-{name.lower().replace('_', '-')}"
        assert mark(cell)["points"] == (its_own | {transfer: worth})[name]
        assert source(cell).startswith(f"# {mark(cell)['points']:g} points")
        assert mark(cell)["locked"]


@pytest.mark.parametrize(
    "line", ["r = check('a', f)", "check('a', f);", "display(check('a', f))", "check('a', f).points", "check('a', g())"]
)
def test_the_rule_would_be_noticed_when_broken(line):
    with pytest.raises(AssertionError):
        the_check_in({"source": line})


@each
def test_the_points_add_up_to_100_and_the_notebook_says_so(path):
    assert sum(mark(cell).get("points", 0) for cell in cells_of(path)) == 100
    opening = source(cells_of(path)[0])
    assert "**Points**: 100" in opening
    for cells in (check_cells(path), cells_marked_by_hand(path)):
        assert cells
        assert re.search(rf"\b{sum(mark(cell)['points'] for cell in cells):g}\b", opening)
    assert "core" in opening
    assert "extension" in opening


@each
def test_what_is_marked_by_hand_has_its_marking_scheme_beside_the_question(path):
    cells = cells_of(path)
    for cell in cells_marked_by_hand(path):
        (question,) = (one for one in cells if one["id"] == cell["id"].replace("-answer", "-question"))
        assert cells.index(question) < cells.index(cell)
        assert mark(question)["locked"]
        scheme = source(question).split("=== BEGIN MARK SCHEME ===")[1].split("=== END MARK SCHEME ===")[0]
        assert len(scheme.split()) > 60, "anchor answers for nothing, half and full marks take more words"
        assert re.search(r"\b0\b", scheme)
        assert source(cell).strip(), "the model answer"


@each
def test_the_notebook_opens_with_what_one_does_learns_and_needs(path):
    opening = source(cells_of(path)[0])
    for word in ("**You will**", "**You will learn**", "**You need**", "minutes"):
        assert word in opening


@each
def test_every_section_says_whether_it_is_core_or_extension_and_its_cells_are_tagged_so(path):
    kind = None
    for cell in cells_of(path):
        heading = re.match(r"## (.+)", source(cell)) if cell["cell_type"] == "markdown" else None
        if heading:
            found = re.search(r"\((core|extension)\)$", heading[1].strip())
            assert found, heading[1]
            kind = found[1]
        if kind is not None and cell["id"] != "end":
            assert cell["metadata"].get("tags") == [kind], cell["id"]
    assert check_cells(path)[-1]["metadata"]["tags"] == ["extension"]


@each
def test_it_asks_for_predictions_and_folds_the_answers(path):
    text = "\n".join(source(cell) for cell in cells_of(path) if cell["cell_type"] == "markdown")
    assert text.lower().count("predict") >= 3
    assert text.count("<details>") == text.count("</details>") >= 3
    assert text.count("<summary>") == text.count("<details>")


def asks_whose_it_is(node):
    """``working("name", name)``, or ``chosen is name``."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "working"
    return isinstance(node, ast.Compare) and all(isinstance(one, ast.Is | ast.IsNot) for one in node.ops)


@each
def test_a_cell_that_builds_on_an_answer_asks_for_one_that_works(path):
    """Else one mistake would spoil what comes after it, and an untouched notebook would crash."""
    answers = {cell["id"] for cell in answer_cells(path)}
    for cell in cells_of(path):
        if cell["cell_type"] != "code" or cell in answer_cells(path) or cell in check_cells(path):
            continue
        tree = ast.parse(source(cell))
        harmless = {name for node in ast.walk(tree) if asks_whose_it_is(node) for name in ast.walk(node)}
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node not in harmless}
        assert not used & answers, cell["id"]


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
    """What a check asks for is written in an answer cell; a forward beside a backward may be given."""
    answers = answer_cells(path)
    assert {the_check_in(cell)[0] for cell in check_cells(path)} <= {cell["id"] for cell in answers}
    for cell in answers:
        text = source(cell)
        assert text.count("### BEGIN SOLUTION") == text.count("### END SOLUTION") == 1
        (answer,) = ast.parse(text).body
        assert isinstance(answer, ast.FunctionDef | ast.ClassDef)
        assert answer.name == cell["id"]
        documented = [node for node in ast.walk(answer) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        assert ast.get_docstring(answer)
        assert any("->" in (ast.get_docstring(node) or "") for node in documented)


@each
def test_a_later_answer_does_not_call_an_earlier_one(path):
    names = {cell["id"] for cell in answer_cells(path)}
    for cell in answer_cells(path):
        called = {node.id for node in ast.walk(ast.parse(source(cell))) if isinstance(node, ast.Name)}
        assert not called & names, cell["id"]


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


def test_nothing_but_notebooks_is_released():
    """Above all nothing of solutions/<assignment>/transfer/."""
    files = {
        path.relative_to(ROOT / "exercises").as_posix() for path in (ROOT / "exercises").rglob("*") if path.is_file()
    }
    notebooks = {f"{path.stem}/{path.name}" for path in SOURCES}
    assert {name for name in files if "checkpoint" not in name} - {"README.md"} == notebooks
