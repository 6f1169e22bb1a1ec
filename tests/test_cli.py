"""The command line, as a student without Jupyter and an instructor meet it."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bncourse
from bncourse import cli, release
from bncourse.checks import answering, notebooks
from bncourse.checks.assignments import ASSIGNMENTS

ROOT = Path(__file__).parents[1]
SOLUTION = ROOT / "solutions/forward/forward.ipynb"


def run(capsys, *arguments):
    """Exit code, output and errors of a command."""
    code = cli.main(list(map(str, arguments)))
    return code, *capsys.readouterr()


def code_cell(source, **metadata):
    return {"cell_type": "code", "id": "a", "metadata": metadata, "source": source, "outputs": []}


def notebook(path, *cells, **changes):
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)} | changes))
    return path


RIGHT = """
import numpy as np
def batch_mean(x): return x.mean(axis=0)
def batch_variance(x): return x.var(axis=0)
def normalize(x, mean, var, eps=1e-5): return (x - mean) / np.sqrt(var + eps)
def scale_shift(x_hat, gamma, beta): return gamma * x_hat + beta
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    return scale_shift(normalize(x, batch_mean(x), batch_variance(x), eps), gamma, beta), None
def identity_parameters(x, eps=1e-5): return np.sqrt(x.var(axis=0) + eps), x.mean(axis=0)
"""


class TestHelp:
    def test_it_lists_the_commands(self, capsys):
        with pytest.raises(SystemExit) as leaving:
            cli.main(["--help"])
        assert leaving.value.code == 0
        printed = capsys.readouterr().out
        assert "check" in printed
        assert "release" in printed

    def test_it_says_its_version(self, capsys):
        with pytest.raises(SystemExit) as leaving:
            cli.main(["--version"])
        assert leaving.value.code == 0
        assert capsys.readouterr().out == f"bncourse {bncourse.__version__}\n"

    def test_without_a_command_it_says_how_to_use_it(self, capsys):
        with pytest.raises(SystemExit) as leaving:
            cli.main([])
        assert leaving.value.code == 2
        assert "usage: bncourse" in capsys.readouterr().err

    def test_it_is_installed_as_a_command(self):
        done = subprocess.run([sys.executable, "-m", "bncourse.cli", "--version"], capture_output=True, text=True)
        assert done.stdout.startswith("bncourse ")
        installed = shutil.which("bncourse", path=str(Path(sys.executable).parent))
        assert installed
        assert subprocess.run([installed, "--version"], capture_output=True, text=True).stdout == done.stdout


class TestCheck:
    def test_the_instructors_notebook_is_right(self, capsys):
        code, printed, errors = run(capsys, "check", "forward", SOLUTION)
        assert (code, errors) == (0, "")
        assert printed.count(": right,") == 6
        assert "leave_one_out_forward is marked when you hand in" in printed
        assert "forward: 78 of 78 points of the checked exercises." in printed

    def test_the_released_notebook_is_not_written_yet(self, capsys):
        code, printed, errors = run(capsys, "check", "forward", ROOT / "exercises/forward/forward.ipynb")
        assert code == 1
        assert "batch_mean is not written yet." in printed
        assert "forward: 0 of 78 points" in printed
        assert errors == ""

    def test_a_mistake_is_named(self, capsys, tmp_path):
        wrong = RIGHT.replace("np.sqrt(var + eps)", "(np.sqrt(var) + eps)")
        code, printed, _ = run(capsys, "check", "forward", notebook(tmp_path / "n.ipynb", code_cell(wrong)))
        assert code == 1
        assert printed.count("Mistake: eps_outside_the_root") == 2  # in normalize, and in the layer that calls it

    def test_the_seed_repeats_the_report(self, capsys, tmp_path):
        path = notebook(tmp_path / "n.ipynb", code_cell(RIGHT.replace("mean(axis=0)", "mean(axis=1)")))
        first = run(capsys, "check", "forward", path, "--seed", "3")
        assert first == run(capsys, "check", "forward", path, "--seed", "3")
        assert first[0] == 1

    def test_magic_prints_plots_and_test_cells_do_not_matter(self, capsys, tmp_path):
        path = notebook(
            tmp_path / "n.ipynb",
            code_cell("%matplotlib inline\n!pip install x\nprint('hello')"),
            code_cell("%%time\nthis is not python"),
            code_cell(RIGHT.splitlines(keepends=True)),
            code_cell("batch_mean = None", nbgrader={"grade": True, "solution": False}),
            {"cell_type": "markdown", "id": "b", "metadata": {}, "source": "text"},
        )
        code, printed, errors = run(capsys, "check", "forward", path)
        assert (code, errors) == (0, "")
        assert "hello" not in printed

    def test_a_cell_that_fails_does_not_end_the_others(self, capsys, tmp_path):
        path = notebook(tmp_path / "n.ipynb", code_cell("1/0"), code_cell("raise SystemExit"), code_cell(RIGHT))
        code, _, errors = run(capsys, "check", "forward", path)
        assert code == 0
        assert "cell a stopped with ZeroDivisionError: division by zero." in errors
        assert "cell a stopped with SystemExit." in errors

    def test_a_missing_function_is_said(self, capsys, tmp_path):
        path = notebook(tmp_path / "n.ipynb", code_cell("def batch_mean(x): return x.mean(axis=0)"))
        code, printed, errors = run(capsys, "check", "forward", path)
        assert code == 2
        assert "batch_mean: right" in printed
        assert f"{path} does not define normalize." in errors

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            (None, "there is no file"),
            (b"not json", "is not a notebook: it does not hold JSON"),
            (b"\xff\xfe\x00", "is not a notebook: it does not hold JSON"),
            (b"[" * 100_000, "is not a notebook: it does not hold JSON"),
            (b"[1, 2]", "holds JSON, but is not a notebook of format 4"),
            (b'{"cells": 3, "nbformat": 4}', "holds JSON, but is not a notebook of format 4"),
            (b'{"worksheets": [], "nbformat": 3}', "holds JSON, but is not a notebook of format 4"),
        ],
    )
    def test_an_unusable_file_becomes_a_sentence(self, capsys, tmp_path, content, sentence):
        path = tmp_path / "n.ipynb"
        if content is not None:
            path.write_bytes(content)
        code, printed, errors = run(capsys, "check", "forward", path)
        assert (code, printed) == (2, "")
        assert sentence in errors
        assert len(errors.splitlines()) == 1

    def test_a_folder_or_a_giant_is_not_a_notebook(self, capsys, tmp_path, monkeypatch):
        code, _, errors = run(capsys, "check", "forward", tmp_path)
        assert code == 2
        assert "cannot be read: " in errors
        monkeypatch.setattr(notebooks, "LARGEST", 10)
        code, _, errors = run(capsys, "check", "forward", SOLUTION)
        assert code == 2
        assert "far more than a notebook of this course" in errors

    def test_an_unknown_assignment_is_told_what_there_is(self, capsys):
        code, _, errors = run(capsys, "check", "backwards", SOLUTION)
        assert code == 2
        assert f'there is no assignment "backwards". There are: {", ".join(ASSIGNMENTS)}.' in errors

    def test_a_notebook_that_ends_python_is_wrong_not_unusable(self, capsys, tmp_path):
        path = notebook(tmp_path / "n.ipynb", code_cell("import os; os._exit(0)"))
        code, output, errors = run(capsys, "check", "forward", path)
        assert code == 1
        assert output == "forward: 0 of 78 points of the checked exercises.\n"
        assert "ended Python before it could be checked" in errors

    def test_an_endless_loop_outside_a_function_is_ended(self, capsys, tmp_path, monkeypatch):
        monkeypatch.setattr(notebooks, "TIME_LIMIT", 1.0)
        code, _, errors = run(capsys, "check", "forward", notebook(tmp_path / "n.ipynb", code_cell("while True: pass")))
        assert code == 1
        assert "did not finish within 1 seconds" in errors

    def test_odd_cells_are_passed_over(self, tmp_path):
        path = notebook(tmp_path / "n.ipynb", 3, {"cell_type": "code"}, {"cell_type": "code", "metadata": []})
        assert notebooks.answer_cells(path) == [{"id": "2", "source": ""}, {"id": "3", "source": ""}]

    def test_the_line_of_a_failing_answer_is_quoted(self, capsys, tmp_path):
        wrong = RIGHT.replace("return x.mean(axis=0)\n", "\n    return x.men(axis=0)\n", 1)
        _, printed, _ = run(capsys, "check", "forward", notebook(tmp_path / "n.ipynb", code_cell(wrong)))
        assert "in the line `return x.men(axis=0)`" in re.sub(r"\s+", " ", printed)


class TestAnswering:
    """What the child process does, here in this one."""

    @pytest.fixture(autouse=True)
    def own_main(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])

    def test_it_writes_what_came_of_the_cells(self, monkeypatch, tmp_path):
        cells = json.dumps([{"id": "1", "source": RIGHT}, {"id": "2", "source": "x ="}])
        target = tmp_path / "result.json"
        monkeypatch.setattr(sys, "argv", ["answering", "forward", str(target), "7"])
        monkeypatch.setattr(sys, "stdin", __import__("io").StringIO(cells))
        answering.main()
        result = json.loads(target.read_text(encoding="utf-8"))
        assert (result["passed"], result["points"], result["missing"]) == (True, 78, [])
        assert result["remarks"][0].startswith("cell 2 stopped with SyntaxError: invalid syntax")

    def test_ctrl_c_ends_it(self):
        with pytest.raises(KeyboardInterrupt):
            answering.namespace_of([{"id": "1", "source": "raise KeyboardInterrupt"}])

    def test_only_what_ipython_understands_is_left_out(self):
        assert answering.python_of("%time x\na = 5 % 3\n  !ls\nb = 1") == "\na = 5 % 3\n\nb = 1"
        assert answering.python_of("%%bash\necho") == ""


class TestRelease:
    def test_without_nbgrader_it_says_how_to_install_it(self, capsys, monkeypatch):
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        code, _, errors = run(capsys, "release")
        assert code == 2
        assert "pip install 'bncourse[grading]'" in errors

    @pytest.mark.nbgrader
    def test_outside_a_course_it_says_where_to_go(self, capsys, tmp_path):
        code, _, errors = run(capsys, "release", "--course", tmp_path)
        assert code == 2
        assert "there is no nbgrader_config.py in" in errors

    @pytest.mark.nbgrader
    def test_an_unknown_assignment_is_told_what_there_is(self, capsys):
        code, _, errors = run(capsys, "release", "backwards", "--course", ROOT)
        assert code == 2
        assert 'there is no assignment "backwards" in solutions/. There are: ' in errors
        assert "forward" in errors

    @pytest.mark.nbgrader
    def test_what_nbgrader_refuses_is_passed_on(self, capsys, tmp_path):
        shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
        (tmp_path / "solutions/one").mkdir(parents=True)
        notebook(
            tmp_path / "solutions/one/one.ipynb",
            code_cell("### BEGIN SOLUTION", nbgrader={"schema_version": 3, "grade_id": "a", "solution": True}),
        )
        code, _, errors = run(capsys, "release", "one", "--course", tmp_path)
        assert code == 2
        assert "nbgrader could not make one" in errors
        assert not list(tmp_path.glob("gradebook.db*"))

    @pytest.mark.nbgrader
    def test_it_leaves_nothing_but_the_notebooks(self, capsys, tmp_path):
        shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
        shutil.copytree(ROOT / "solutions/forward", tmp_path / "solutions/forward")
        before = {path for path in tmp_path.rglob("*") if path.is_file()}
        code, printed, _ = run(capsys, "release", "--course", tmp_path)
        assert code == 0
        assert printed == f"made {tmp_path / 'exercises/forward'}\n"
        assert tmp_path / "solutions/forward/transfer/__init__.py" in before
        files = {path for path in tmp_path.rglob("*") if path.is_file()} - before
        assert files == {tmp_path / "exercises/forward/forward.ipynb"}
        made = (tmp_path / "exercises/forward/forward.ipynb").read_bytes()
        assert made == (ROOT / "exercises/forward/forward.ipynb").read_bytes()

    def test_nbgrader_finds_alembic(self):
        first = release.environment()["PATH"].split(":" if ":" in release.environment()["PATH"] else ";")[0]
        assert Path(first) == Path(sys.executable).parent
