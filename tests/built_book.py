"""The book as a reader gets it: built once for all tests, then read from `_build/html`."""

import functools
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[1]
HTML = ROOT / "_build" / "html"


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """One process at a time: under pytest-xdist several ask for the book at once."""
    import fcntl  # Linux and macOS; where it is missing, no test of the book runs

    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@functools.cache
def site() -> Path:
    """The folder of the built book, brought up to date by what `make book` runs."""
    pytest.importorskip("fcntl")
    with alone(ROOT / "_build" / "tests.lock"):
        done = subprocess.run([sys.executable, ROOT / "tools" / "book.py"], capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        pytest.fail(f"the book does not build:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}", pytrace=False)
    return HTML


def pages() -> list[str]:
    """Every page of the site, as the path behind the address."""
    return sorted(path.relative_to(site()).as_posix() for path in site().rglob("*.html"))


@functools.cache
def page(name: str) -> BeautifulSoup:
    """A page, parsed. Shared between tests: look, don't change."""
    return BeautifulSoup((site() / name).read_text(encoding="utf-8"), "lxml")
