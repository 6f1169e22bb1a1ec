"""How does a student get an assignment?

Out of the installed package, which brings the students' notebooks along; in the course's own repository, out of its
folder ``exercises/``. Never over work that is there already.
"""

import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from .checks import book
from .checks.assignments import ORDER

PACKAGE = Path(__file__).resolve().parent
IN_THE_PACKAGE, IN_THE_REPOSITORY = PACKAGE / "exercises", PACKAGE.parent / "exercises"

BOOK = re.compile(r"\(\.\./\.\./book/([\w/-]+)\.md")
"""How a notebook links to the book, as long as both lie in the repository."""


class CannotStart(Exception):
    """The assignment was not copied; the message says why and what to do."""


def exercises() -> Path:
    """The folder of the students' notebooks."""
    return IN_THE_PACKAGE if IN_THE_PACKAGE.is_dir() else IN_THE_REPOSITORY


def available() -> list[str]:
    """The assignments that can be started, in the order of the course."""
    return [name for name in ORDER if (exercises() / name / f"{name}.ipynb").is_file()]


def start(name: str, into: Path) -> Path:
    """Copy an assignment into a folder and return its notebook: all of it, or nothing.

    Raises :class:`CannotStart` for an unknown name, when something of that name is there, or when the folder cannot be
    written to.
    """
    if name not in available():
        raise CannotStart(f'there is no assignment "{name}". There are: {", ".join(available())}.')
    target = into / name
    if target.exists() or target.is_symlink():
        raise CannotStart(
            f"{target} is there already, and stays as it is. To start again, give it another name first, or go to "
            "another folder."
        )
    try:
        with TemporaryDirectory(dir=into, prefix=f".{name}-") as scratch:
            made = Path(scratch) / name
            shutil.copytree(exercises() / name, made, ignore=shutil.ignore_patterns(".*", "__pycache__"))
            for path in made.glob("*.ipynb"):
                path.write_text(linked(path.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
            made.rename(target)
    except OSError as error:
        raise CannotStart(f"{target} cannot be written: {error.strerror}.") from None
    return target / f"{name}.ipynb"


def linked(text: str) -> str:
    """A notebook whose links lead to the published book, when its address is known."""
    address = book.address()
    return BOOK.sub(lambda found: f"({address}/{found[1]}.html", text) if address else text
