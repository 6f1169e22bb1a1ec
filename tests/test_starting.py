"""`bncourse start` gives an assignment to a student, and never takes anything from one."""

import json
import re
import shutil
from pathlib import Path

import pytest

from bncourse import cli, starting
from bncourse.checks.assignments import ORDER

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A student's empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BNCOURSE_BOOK_URL", raising=False)
    return tmp_path


def run(capsys, *arguments):
    code = cli.main(["start", *arguments])
    return code, *capsys.readouterr()


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_every_released_assignment_can_be_started():
    released = {path.parent.name for path in (ROOT / "exercises").glob("*/*.ipynb")}
    assert released
    assert starting.available() == [name for name in ORDER if name in released]


def test_it_copies_the_notebook_and_says_how_to_open_it(capsys, here):
    code, printed, errors = run(capsys, "forward")
    assert (code, errors) == (0, "")
    path = Path("forward", "forward.ipynb")
    assert printed == f"Your notebook is {path}. Open it with: jupyter lab {path}\n"
    assert files(here) == {"forward", "forward/forward.ipynb"}
    assert (here / path).read_bytes() == (ROOT / "exercises" / path).read_bytes()


@pytest.mark.parametrize("work", ["notebook", "file", "empty folder", "dangling link"])
def test_it_never_overwrites_work(capsys, here, work):
    if work == "notebook":
        (here / "forward").mkdir()
        (here / "forward/forward.ipynb").write_text("my work")
    elif work == "file":
        (here / "forward").write_text("my work")
    elif work == "empty folder":
        (here / "forward").mkdir()
    else:
        (here / "forward").symlink_to("nowhere")
    before = files(here)
    code, printed, errors = run(capsys, "forward")
    assert (code, printed) == (2, "")
    assert errors.startswith("bncourse: forward is there already, and stays as it is. To start again,")
    assert files(here) == before
    if work == "notebook":
        assert (here / "forward/forward.ipynb").read_text() == "my work"


def test_an_unknown_assignment_is_told_what_there_is(capsys, here):
    code, printed, errors = run(capsys, "forwards")
    assert (code, printed) == (2, "")
    assert errors == f'bncourse: there is no assignment "forwards". There are: {", ".join(starting.available())}.\n'
    assert files(here) == set()


@pytest.mark.parametrize("name", ["", ".", "..", "../forward", "README.md"])
def test_nothing_else_can_be_copied(capsys, here, name):
    assert run(capsys, name)[0] == 2
    assert files(here) == set()


def test_when_copying_fails_nothing_is_left(capsys, here, monkeypatch):
    def fails(source, target, **options):
        Path(target).mkdir()
        Path(target, "half.ipynb").write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copytree", fails)
    code, _, errors = run(capsys, "forward")
    assert (code, errors) == (2, "bncourse: forward cannot be written: No space left on device.\n")
    assert files(here) == set()


def test_a_folder_that_cannot_be_written_to_is_said(capsys, here, monkeypatch):
    def refused(**options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(starting, "TemporaryDirectory", refused)  # root, as whom tests may run, is refused nothing
    code, _, errors = run(capsys, "forward")
    assert (code, errors) == (2, "bncourse: forward cannot be written: Permission denied.\n")


def test_what_an_editor_left_in_the_folder_is_not_copied(capsys, here, monkeypatch):
    source = here / "source"
    shutil.copytree(ROOT / "exercises/forward", source / "forward")
    (source / "forward/.ipynb_checkpoints").mkdir(exist_ok=True)
    monkeypatch.setattr(starting, "IN_THE_PACKAGE", source)
    assert run(capsys, "forward")[0] == 0
    assert files(here / "forward") == {"forward.ipynb"}


def test_links_lead_to_the_published_book_when_its_address_is_known(capsys, here, monkeypatch):
    monkeypatch.setenv("BNCOURSE_BOOK_URL", "https://example.org/book/")
    assert run(capsys, "forward")[0] == 0
    text = (here / "forward/forward.ipynb").read_text(encoding="utf-8")
    assert "](https://example.org/book/forward/statistics.html)" in text
    assert "../../book" not in text
    assert json.loads(text)["nbformat"] == 4


COURSE = re.compile(r"^\| (one lecture|one week|a seminar) \| (.+) \| (\d+) \|$", re.MULTILINE)


def test_the_readme_says_in_three_lines_how_to_start_and_what_makes_a_course():
    text = (ROOT / "exercises/README.md").read_text(encoding="utf-8")
    assert re.findall(r"^(\d)\. ", text, re.M) == ["1", "2", "3"]
    assert "bncourse start forward" in text
    named = {course: re.findall(r"`(\w+)`", assignments) for course, assignments, _ in COURSE.findall(text)}
    assert named["one lecture"] == ["forward"]
    assert named["one week"] == ["forward", "inference", "backward"]
    assert named["a seminar"] == [name for name in ORDER if name != "exam"]


def test_the_hours_are_those_of_the_notebooks():
    minutes = {}
    for name in starting.available():
        notebook = json.loads((ROOT / f"exercises/{name}/{name}.ipynb").read_text(encoding="utf-8"))
        opening = "".join(notebook["cells"][0]["source"])
        minutes[name] = int(re.search(r"[Aa]bout (\d+)\s+minutes", opening)[1])
        assert 120 <= minutes[name] <= 240
        if name == "backward":
            beyond_the_core = minutes[name] - int(re.search(r"(\d+) for the core", opening)[1])
    for course, assignments, hours in COURSE.findall((ROOT / "exercises/README.md").read_text(encoding="utf-8")):
        total = sum(minutes[name] for name in re.findall(r"`(\w+)`", assignments))
        total -= beyond_the_core if "core sections of `backward`" in assignments else 0
        assert abs(total / 60 - int(hours)) <= 0.5, course
