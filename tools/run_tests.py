"""Run every test and say at the end how many passed. No step stops the others: one run shows all that is wrong.

Three lanes side by side keep two cores busy: the book, what needs no book, and the checker's tests; then the rest of
pytest.
"""

import argparse
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTEST = ["-m", "pytest", "-q", "-p", "no:cacheprovider"]
# A test that hangs ends the run and shows its stack. By a thread: the alarm belongs to the checker's own time limit.
TIMEOUT = ["--timeout=300", "--timeout-method=thread"]
COVERAGE = ["--cov", "--cov-report="]
CHECKER = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").glob("test_checks*.py"))
PROOFS = ["tests/derivations", "tests/test_derivations.py"]
COUNTS = re.compile(r"(\d+) (passed|failed|errors?|skipped)")

# What each step runs, as arguments of this Python.
STEPS: dict[str, list[str]] = {
    "ruff check": ["-m", "ruff", "check", "--quiet", "."],
    "ruff format": ["-m", "ruff", "format", "--check", "--quiet", "."],
    "mypy": ["-m", "mypy"],
    "browser Python": ["tests/browser_python/run.py"],
    "notebooks": [*PYTEST, "-o", "addopts=", "--nbval-lax", "solutions"],
    "book": ["tools/book.py"],
    "checker": [*PYTEST, *TIMEOUT, *COVERAGE, *CHECKER],
    "proofs": [*PYTEST, *TIMEOUT, *PROOFS],  # in one process, which proves each equation once
    # Each worker begins with a third of the files, in order; who is done first takes over from the others. Three for
    # two cores: a browser or a kernel is waited for as long as it works.
    "tests": [
        *(*PYTEST, *TIMEOUT, *COVERAGE, "--cov-append", "-n", "3", "--dist", "worksteal", "--durations=25"),
        *(f"--ignore={name}" for name in [*CHECKER, *PROOFS]),
    ],
    "coverage": ["tools/coverage_gate.py"],
}
LINT = ["ruff check", "ruff format", "mypy"]
PLAN = [[["book"], [*LINT, "browser Python", "notebooks", "proofs"], ["checker"]], [["tests"]], [["coverage"]]]

printing = threading.Lock()


@dataclass(frozen=True)
class Outcome:
    """How a step ended; a step that is not pytest counts as one test."""

    step: str
    seconds: float
    passed: int
    failed: int
    skipped: int

    @classmethod
    def of(cls, step: str, status: int, output: str, seconds: float) -> "Outcome":
        """Read pytest's closing line, if there is one."""
        counts = {"passed": 0, "failed": 0, "error": 0, "skipped": 0}
        for line in reversed(output.splitlines()[-5:]):
            if found := COUNTS.findall(line):
                counts |= {word.removesuffix("s") if word.startswith("error") else word: int(n) for n, word in found}
                break
        else:
            counts["passed"] = int(status == 0)
        failed = counts["failed"] + counts["error"]
        if status and not failed:  # it never came to the tests
            failed = 1
        return cls(step, seconds, counts["passed"], failed, counts["skipped"])


def run(step: str, live: bool) -> Outcome:
    """Run one step; its output appears at once, or as a whole when it ends."""
    start, lines = time.perf_counter(), []
    process = subprocess.Popen(
        [sys.executable, *STEPS[step]], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert process.stdout
    for line in process.stdout:
        lines.append(line)
        if live:
            print(line, end="", flush=True)
    status = process.wait()
    outcome = Outcome.of(step, status, "".join(lines), time.perf_counter() - start)
    with printing:
        print(f"== {step}: {'passed' if status == 0 else 'FAILED'} in {outcome.seconds:.0f} s", flush=True)
        if not live:
            print("".join(lines), end="", flush=True)
    return outcome


def lane(steps: Sequence[str], live: bool) -> list[Outcome]:
    return [run(step, live) for step in steps]


def main(only: str | None) -> int:
    """Run the plan, or the steps named by `only`; the exit code is 1 if anything failed."""
    plan = [[LINT if only == "lint" else [only]]] if only else PLAN
    outcomes: list[Outcome] = []
    for lanes in plan:
        with ThreadPoolExecutor(len(lanes)) as pool:
            for ended in pool.map(lane, lanes, [len(lanes) == 1] * len(lanes)):
                outcomes += ended
    print(f"\n{'step':16}{'seconds':>9}{'passed':>9}{'failed':>9}{'skipped':>9}")
    for each in outcomes:
        print(f"{each.step:16}{each.seconds:9.0f}{each.passed:9}{each.failed:9}{each.skipped:9}")
    failed = sum(each.failed for each in outcomes)
    print(f"{sum(each.passed for each in outcomes)} passed, {failed} failed", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Run every test.")
    parser.add_argument("--only", choices=["lint", *STEPS], help="one step, or the three of lint")
    sys.exit(main(parser.parse_args().only))
