"""Is this notebook right, without Jupyter?

The notebook's own cells are run in a process of their own, as plain Python in one namespace, and every exercise of the
assignment is checked on the functions found there. The parent only reads text and numbers back.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .assignments import ASSIGNMENTS, TRANSFERS
from .transfer import bundled

TIME_LIMIT = 120.0
"""Seconds for the whole notebook; every property has a limit of its own besides."""

LARGEST = 20_000_000
"""Bytes. A notebook with pictures is a few megabytes; what is larger is not a notebook to be checked."""


class Unusable(Exception):
    """The file cannot be checked; the message says why."""


@dataclass(frozen=True)
class Checked:
    """What became of the exercises of a notebook."""

    texts: tuple[str, ...]
    points: float
    max_points: float
    passed: bool
    missing: tuple[str, ...]
    """Functions that the notebook does not define."""
    remarks: tuple[str, ...]
    """Sentences about the notebook as a whole."""


def check_notebook(assignment: str, path: Path, seed: int | None = None) -> Checked:
    """Check every exercise of an assignment in a notebook."""
    if assignment not in ASSIGNMENTS:
        raise Unusable(f'there is no assignment "{assignment}". There are: {", ".join(ASSIGNMENTS)}.')
    try:
        bundled(TRANSFERS.get(assignment, ("", 0))[0])  # its absence is told here, where there is somebody to read it
    except LookupError as absent:
        raise Unusable(str(absent)) from None
    cells = answer_cells(path)
    with TemporaryDirectory() as scratch:
        result = Path(scratch) / "result.json"
        command = [sys.executable, "-m", "bncourse.checks.answering", assignment, str(result), json.dumps(seed)]
        environment = {**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": search_path()}
        try:
            subprocess.run(
                command,
                input=json.dumps(cells).encode(),
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=TIME_LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return unfinished(
                assignment, f"{path} did not finish within {TIME_LIMIT:g} seconds: is there a loop that never ends?"
            )
        if not result.is_file():
            return unfinished(
                assignment, f"{path} ended Python before it could be checked: is there an exit() outside a function?"
            )
        found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    missing = tuple(found["missing"])
    remarks = [f"{path} does not define {name}." for name in missing] + found["remarks"]
    return Checked(
        texts=tuple(found["texts"]),
        points=found["points"],
        max_points=found["max_points"],
        passed=found["passed"] and not missing,
        missing=missing,
        remarks=tuple(remarks),
    )


def unfinished(assignment: str, sentence: str) -> Checked:
    """A notebook of which nothing could be judged."""
    most = sum(exercise.points for exercise in ASSIGNMENTS[assignment])
    return Checked((), 0.0, most, False, (), (sentence,))


def search_path() -> str:
    """Where the child finds this package, also when it is run from a source tree."""
    own = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join(part for part in (own, os.environ.get("PYTHONPATH", "")) if part)


def answer_cells(path: Path) -> list[dict[str, str]]:
    """The code cells of a notebook, each with its id and text; without test cells, which call `check` themselves."""
    try:
        if path.stat().st_size > LARGEST:
            raise Unusable(f"{path} has {path.stat().st_size} bytes, far more than a notebook of this course.")
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Unusable(f"there is no file {path}.") from None
    except OSError as error:
        raise Unusable(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise Unusable(f"{path} is not a notebook: it does not hold JSON.") from None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list) or notebook.get("nbformat") != 4:
        raise Unusable(f"{path} holds JSON, but is not a notebook of format 4.")
    return [
        {"id": str(cell.get("id", number)), "source": source_of(cell)}
        for number, cell in enumerate(cells, start=1)
        if isinstance(cell, dict) and cell.get("cell_type") == "code" and not is_test(cell)
    ]


def source_of(cell: dict[str, Any]) -> str:
    """A cell's text; the format allows a string or a list of lines."""
    source = cell.get("source", "")
    return "".join(map(str, source)) if isinstance(source, list) else str(source)


def is_test(cell: dict[str, Any]) -> bool:
    """Whether nbgrader grades this cell's output."""
    metadata = cell.get("metadata")
    mark = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return isinstance(mark, dict) and bool(mark.get("grade")) and not mark.get("solution")
