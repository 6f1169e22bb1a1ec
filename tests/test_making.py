"""`make` keeps its word: the book is rebuilt when it must be and only then; what can go wrong is said in a sentence."""

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAKE = shutil.which("make")
sys.path.append(str(ROOT / "tools"))  # where its modules find each other


def tool(name):
    """A module of tools/, which is no package."""
    spec = importlib.util.spec_from_file_location(f"tools_{name}", ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def book(tmp_path, monkeypatch):
    """tools/book.py over a small book, with a builder that only notes that it was called and what it found."""
    module = tool("book")
    for name, text in {
        "_toc.yml": "root: index", "book/index.md": "# One", "bncourse/a.py": "a = 1", "constraints.txt": "x==1",
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    builds = []

    def build(command, **_):
        made = [tmp_path / "_build" / name for name in ("html", ".doctrees", ".jupyter_cache")]
        builds.append({folder.name for folder in made if folder.exists()})
        for folder in made:
            folder.mkdir(parents=True, exist_ok=True)
        return SimpleNamespace(returncode=module.status)

    monkeypatch.setattr(module.subprocess, "run", build)
    for name, path in {
        "ROOT": tmp_path, "BUILD": tmp_path / "_build", "HTML": tmp_path / "_build/html",
        "STAMP": tmp_path / "_build/book.json",
    }.items():  # fmt: skip
        monkeypatch.setattr(module, name, path)
    module.status, module.builds, module.folder = 0, builds, tmp_path
    return module


def test_an_unchanged_book_is_not_built_again(book):
    assert book.build() == 0
    os.utime(book.folder / "book/index.md")  # a new time is no new text
    for name in ("bncourse/__pycache__/a.pyc", "bncourse/.ruff_cache/a", "book/.index.md.swp"):
        (book.folder / name).parent.mkdir(exist_ok=True)
        (book.folder / name).write_text("left behind")
    assert book.build() == 0
    assert len(book.builds) == 1


def test_new_text_keeps_what_was_executed(book):
    book.build()
    (book.folder / "book/index.md").write_text("# Two")
    book.build()
    assert book.builds[1] == {"html", ".doctrees", ".jupyter_cache"}


@pytest.mark.parametrize("name", ["bncourse/a.py", "constraints.txt", "book/figures.py"])
def test_new_code_executes_every_page_again(book, name):
    book.build()
    (book.folder / name).write_text("a = 2")
    book.build()
    assert book.builds[1] == set()


def test_a_page_that_is_gone_leaves_no_html(book):
    (book.folder / "book/gone.md").write_text("# Gone")
    book.build()
    (book.folder / "book/gone.md").unlink()
    book.build()
    assert book.builds[1] == {".jupyter_cache"}


def test_a_failed_build_is_tried_and_reported_again(book, capsys):
    book.status = 1
    assert book.build() == 1
    assert "not built" in capsys.readouterr().err
    assert book.build() == 1
    assert ".doctrees" not in book.builds[1]  # or Sphinx would not repeat its warnings, and the book would pass
    assert ".jupyter_cache" in book.builds[1]
    book.status = 0
    assert book.build() == 0
    assert book.build() == 0
    assert len(book.builds) == 3


def test_a_change_during_the_build_is_not_lost(book, monkeypatch):
    run = book.subprocess.run

    def build(*arguments, **options):
        (book.folder / "book/index.md").write_text(f"# {len(book.builds)}")
        return run(*arguments, **options)

    monkeypatch.setattr(book.subprocess, "run", build)
    book.build()
    book.build()
    assert len(book.builds) == 2


def test_serve_says_at_once_that_the_port_is_taken():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        serve = [sys.executable, "tools/serve.py", "--port", str(port)]
        ended = subprocess.run(serve, cwd=ROOT, capture_output=True, text=True, timeout=10)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Port {port} is taken by another program. Choose another: make serve PORT=")
    assert ended.stdout == ""


@pytest.mark.skipif(not MAKE, reason="make is not installed")
def test_help_lists_every_target_on_one_line():
    text = (ROOT / "Makefile").read_text()
    targets = re.search(r"^\.PHONY: (.*)", text, re.M)[1].split()
    lines = subprocess.run([MAKE, "help"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    lines = [line for line in lines if line.startswith("  make ")]
    assert sorted(line.split()[1] for line in lines) == sorted(targets)
    assert max(map(len, lines)) <= 120


@pytest.mark.skipif(not MAKE, reason="make is not installed")
@pytest.mark.parametrize(
    ("python", "sentence"),
    [
        ("exit 1", "bncourse needs Python 3.11 or later"),
        ('case "$2" in *ensurepip*) exit 1;; esac', "sudo apt install python3-venv"),
    ],
    ids=["too old", "without venv"],
)
def test_an_unfit_python_is_named_before_anything_is_made(tmp_path, python, sentence):
    for name in ["Makefile", "pyproject.toml", "constraints.txt"]:
        shutil.copy(ROOT / name, tmp_path)
    script = tmp_path / "python"
    script.write_text(f"#!/bin/sh\n{python}\n")
    script.chmod(0o755)
    ended = subprocess.run([MAKE, "test", f"PYTHON={script}"], cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode != 0
    assert sentence in ended.stdout
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize(
    ("status", "output", "expected"),
    [
        (0, "....\n4 passed in 0.1s\n", (4, 0, 0)),
        (1, "F..\n1 failed, 2 passed, 3 skipped in 0.1s\n", (2, 1, 3)),
        (1, "E\n1 passed, 2 errors in 0.1s\n", (1, 2, 0)),
        (0, "", (1, 0, 0)),
        (1, "x.py:1:1: F401 unused\n", (0, 1, 0)),
        (3, "1 passed in 0.1s\nINTERNALERROR\n", (1, 1, 0)),
    ],
)
def test_the_closing_line_counts_every_step(status, output, expected):
    outcome = tool("run_tests").Outcome.of("step", status, output, 0.0)
    assert (outcome.passed, outcome.failed, outcome.skipped) == expected


def test_coverage_below_the_least_share_fails(monkeypatch, capsys):
    gate = tool("coverage_gate")
    whole = {"num_branches": 100, "covered_branches": 95, "num_statements": 10, "covered_lines": 10}
    parts = {name: dict(whole) for name in gate.PARTS}
    monkeypatch.setattr(gate, "measured", lambda: parts)
    assert gate.main() == 0
    parts["checks"]["covered_branches"] = 94
    assert gate.main() == 1
    assert capsys.readouterr().out.endswith("tested in: checks\n")
    del parts["gradcheck"]
    assert gate.main() == 1
