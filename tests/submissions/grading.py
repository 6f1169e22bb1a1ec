"""What does stock nbgrader make of notebooks that are handed in?"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bncourse import release

from .submission import Notebook

ROOT = Path(__file__).resolve().parents[2]

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
    environment.pop("BNCOURSE_TRANSFER", None)  # the course's own nbgrader_config.py sets it
    environment["IPYTHONDIR"] = environment["JUPYTER_DATA_DIR"] = str(course / "settings")
    subprocess.run(
        [sys.executable, "-c", ONE_PROCESS, json.dumps(commands)],
        cwd=course,
        env=environment,
        capture_output=True,
        check=True,
    )


def hand_in(course: Path, student: str, assignment: str, notebook: Notebook) -> None:
    """Put a notebook where nbgrader collects it."""
    folder = course / "course/submitted" / student / assignment
    folder.mkdir(parents=True)
    (folder / f"{assignment}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")


def marks(course: Path, assignment: str, student: str) -> dict[str, float]:
    """The points of every cell that was graded."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        grades = gradebook.find_submission_notebook(assignment, assignment, student).grades
        return {grade.name: grade.auto_score or 0.0 for grade in grades}


def stopped(course: Path, assignment: str, student: str) -> Mapping[str, str]:
    """Of the cells that ended in an error or wrote to stderr, when nbgrader ran them: what they said."""
    path = course / "course/autograded" / student / assignment / f"{assignment}.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return dict(trouble(notebook))


def trouble(notebook: Notebook) -> Iterator[tuple[str, str]]:
    """The cells with an error or a word on stderr."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            if output["output_type"] == "error":
                yield cell["id"], f"{output['ename']}: {output['evalue']}"
            if output.get("name") == "stderr":
                yield cell["id"], text(output["text"])


def text(lines: Any) -> str:
    """The format allows a string or a list of lines."""
    return "".join(lines)
