"""How do the students' notebooks come from the instructor's?

By nbgrader's ``generate_assignment``, in a process of its own: its database goes to a temporary folder, so that a
release leaves nothing behind but the notebooks.
"""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

SOURCE, RELEASED = "solutions", "exercises"


class ReleaseFailed(Exception):
    """The notebooks could not be made; the message says why and what to do."""


def release(course: Path, assignment: str | None = None) -> Iterator[Path]:
    """Generate one assignment, or all, in the folder that holds nbgrader_config.py."""
    if importlib.util.find_spec("nbgrader") is None:
        raise ReleaseFailed("a release needs nbgrader. Install it with: pip install 'bncourse[grading]'")
    if not (course / "nbgrader_config.py").is_file():
        raise ReleaseFailed(f"there is no nbgrader_config.py in {course.resolve()}. Go to the course's folder first.")
    names = sorted(folder.name for folder in (course / SOURCE).glob("*/") if any(folder.glob("*.ipynb")))
    if assignment is not None and assignment not in names:
        raise ReleaseFailed(f'there is no assignment "{assignment}" in {SOURCE}/. There are: {", ".join(names)}.')
    for name in names if assignment is None else [assignment]:
        yield generate(course, name)


def generate(course: Path, assignment: str) -> Path:
    """Generate one assignment and say where it is."""
    with TemporaryDirectory() as scratch:
        command = [
            *(sys.executable, "-m", "nbgrader", "generate_assignment", assignment, "--force", "--create"),
            f"--CourseDirectory.db_url=sqlite:///{Path(scratch).as_posix()}/gradebook.db",
        ]
        done = subprocess.run(command, cwd=course, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ReleaseFailed(f"nbgrader could not make {assignment}:\n{done.stderr}")
    return course / RELEASED / assignment


def environment() -> dict[str, str]:
    """The environment for nbgrader, which calls a bare ``alembic``: it lies beside this interpreter."""
    here = os.path.dirname(sys.executable)
    return {**os.environ, "PATH": os.pathsep.join([here, os.environ.get("PATH", os.defpath)])}
