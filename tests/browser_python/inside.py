"""What run.mjs runs in Pyodide: is this the browser's Python, does the core need NumPy only, do its tests pass?"""

import importlib
import os
import sys
from pathlib import Path

CORE = ["functional", "nn", "datasets", "gradcheck", "checks"]
TESTS = ["test_functional*.py", "test_nn*.py", "test_datasets*.py", "test_gradcheck*.py", "test_checks*.py"]
NOT_HERE = ("_autograd", "_torch", "_mutants")  # libraries that the browser has not; processes that it starts not


def imports_nothing_but_numpy() -> None:
    """Import the core before any other package can be found, and look at what came with it."""
    importlib.import_module("numpy.random")  # brings Cython's own modules
    before = {name.partition(".")[0] for name in sys.modules}
    for name in CORE:
        importlib.import_module(f"bncourse.{name}")
    loaded = {name.partition(".")[0] for name in sys.modules}
    foreign = loaded - before - set(sys.stdlib_module_names) - {"bncourse"}
    assert not foreign, f"the core imports {sorted(foreign)}"


class EveryFilePassed:
    """A file whose tests were all skipped would look like success."""

    def __init__(self) -> None:
        self.passed: set[str] = set()

    def pytest_runtest_logreport(self, report: object) -> None:
        if report.when == "call" and report.passed:
            self.passed.add(report.nodeid.partition("::")[0])


def main(repository: str, packages: str, chosen: list[str]) -> int:
    """Run the core's doctests and tests, or what is chosen.

    Returns pytest's exit code, or 1 where a file ran nothing.
    """
    import numpy

    assert sys.version_info[:2] == (3, 12), sys.version
    assert numpy.__version__ == "2.0.2", numpy.__version__
    print(f"Python {sys.version.split()[0]} on {sys.platform}, NumPy {numpy.__version__}")

    os.chdir(repository)
    sys.path.insert(0, repository)
    imports_nothing_but_numpy()

    sys.path.insert(0, packages)
    import pytest

    found = sorted(path for pattern in TESTS for path in Path("tests").glob(pattern))
    tests = [str(path) for path in found if not path.stem.endswith(NOT_HERE)]
    modules = sorted(str(path) for name in CORE for path in Path("bncourse").glob(f"{name}*"))
    if chosen:
        tests, modules = [], chosen
    ran = EveryFilePassed()
    quiet = ["-q", "-p", "no:cacheprovider", "-p", "no:faulthandler", "--capture=sys"]  # no signals, no dup2 here
    status = int(pytest.main([*quiet, "-rs", *tests, *modules], plugins=[ran]))
    for name in tests:
        if name not in ran.passed:
            print(f"No test of {name} ran here.")
            status = status or 1
    return status
