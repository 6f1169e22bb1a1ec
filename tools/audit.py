"""Measure every slow or full figure that the course promises, and print each beside its bound.

    python tools/audit.py            everything, a quarter of an hour or more
    python tools/audit.py NAME ...   only these sections (--list says which there are)

A section is a process of its own: one that fails does not stop the others, and makes the exit code 1.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Figure:
    """A measured number and the bound it must keep; without a bound it is only reported."""

    name: str
    value: float
    unit: str
    at_most: float | None = None

    @property
    def kept(self) -> bool:
        """Whether the value stays within its bound."""
        return self.at_most is None or self.value <= self.at_most

    def __str__(self) -> str:
        bound = "" if self.at_most is None else f"at most {self.at_most:<8g} {'kept' if self.kept else 'BROKEN'}"
        return f"  {self.name:58}{self.value:12.4g} {self.unit:8} {bound}".rstrip()


def seconds(command: list[str], **options: object) -> tuple[float, float]:
    """Wall and CPU seconds of a command and all that it starts."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, **options)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def speed() -> Iterator[Figure]:
    """tools/bench.py, which prints its own table; its targets are shares of the others' time."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "bench.json"
        subprocess.run([sys.executable, "tools/bench.py", "--json", report], cwd=ROOT, check=True)
        rows = json.loads(report.read_text())
    for row in rows:
        against = "" if row["against"] == 1 or row["against"] == "1" else f", ours / {row['against']}"
        yield Figure(f"{row['bench']} {row['case']}{against}", row["ratio"], "", row.get("target"))


def float32() -> Iterator[Figure]:
    """Float32 input far from zero: mean 1e4, standard deviation 1, N = 65536, against the same input in float64."""
    import numpy as np

    from bncourse.functional import batchnorm_forward

    x = (1e4 + np.random.default_rng(0).normal(size=(65536, 4))).astype(np.float32)
    gamma, beta = np.ones(4, np.float32), np.zeros(4, np.float32)
    wide = x.astype(np.float64)
    truth = (wide - wide.mean(axis=0)) / np.sqrt(wide.var(axis=0) + 1e-5)
    plain = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + np.float32(1e-5))
    y, cache = batchnorm_forward(x, gamma, beta)
    assert y.dtype == cache.x_hat.dtype == np.float32
    yield Figure("x_hat in float32, largest error of bncourse", abs(cache.x_hat - truth).max(), "", 1e-5)
    yield Figure("x_hat in float32, largest error of plain NumPy", abs(plain - truth).max(), "")


def imports() -> Iterator[Figure]:
    """What a student waits for, beside NumPy, whose import is not ours to shorten."""

    def median(module: str) -> float:
        return statistics.median(seconds([sys.executable, "-c", f"import {module}"])[0] for _ in range(9))

    numpy, ours = median("numpy"), median("bncourse")
    yield Figure("import numpy, median of 9", numpy, "s")
    yield Figure("import bncourse, what it adds to NumPy", ours - numpy, "s")


def cold_book() -> Iterator[Figure]:
    """Build the book from nothing, every page executed."""
    wall, cpu = seconds([sys.executable, "tools/book.py", "--cold"])
    yield Figure("cold build of the book, CPU", cpu, "s", 180)
    yield Figure("cold build of the book, wall", wall, "s")


def warm_book() -> Iterator[Figure]:
    """The same again: `make book` finds nothing to do."""
    seconds(["make", "book"])
    yield Figure("make book when nothing changed, wall", seconds(["make", "book"])[0], "s", 10)


# Sections that measure here, and those that are a tool with tables of its own.
MEASURES: dict[str, Callable[[], Iterator[Figure]]] = {
    "speed": speed,
    "float32": float32,
    "imports": imports,
    "cold-book": cold_book,
    "warm-book": warm_book,
}
TOOLS: dict[str, list[list[str]]] = {
    "gradcheck": [["tools/gradcheck_audit.py"]],
    "equations": [["tools/mutate_equations.py"]],
    "checker": [["tools/mutants.py"]],
    "evidence": [["tools/evidence_audit.py"]],
    "tests": [["tools/run_tests.py", "--only", one] for one in ("checker", "tests")] + [["tools/coverage_gate.py"]],
}


def measure(name: str) -> int:
    """Run one of our own measurements in this process."""
    figures = []
    try:
        for figure in MEASURES[name]():
            print(figure, flush=True)
            figures.append(figure)
    except subprocess.CalledProcessError as error:
        print(f"  {' '.join(map(str, error.cmd))} failed: nothing measured")
        return 1
    return int(not figures or not all(figure.kept for figure in figures))


def section(name: str) -> tuple[bool, float, float]:
    """Run a section as a process of its own: whether it held, and its wall and CPU seconds."""
    commands = TOOLS.get(name) or [["tools/audit.py", "--here", name]]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1", "BNCOURSE_FULL": "1"}
    codes = [subprocess.run([sys.executable, *command], cwd=ROOT, env=environment).returncode for command in commands]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (
        not any(codes),
        time.perf_counter() - start,
        after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    )


def main(names: list[str]) -> int:
    """Run these sections one after the other, since most of them measure time."""
    summary = []
    for name in names:
        print(f"\n=== {name} ".ljust(100, "="), flush=True)
        summary.append((name, *section(name)))
    print(f"\n{'section':14}{'wall':>8}{'CPU':>8}")
    for name, held, wall, cpu in summary:
        print(f"{name:14}{wall:7.0f}s{cpu:7.0f}s  {'held' if held else 'DID NOT HOLD'}")
    return int(not all(held for _, held, _, _ in summary))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure what the course promises.")
    parser.add_argument(
        "names", nargs="*", choices=[[], *MEASURES, *TOOLS], metavar="NAME", help="sections; all if none"
    )
    parser.add_argument("--list", action="store_true", help="print the names of the sections")
    parser.add_argument("--here", choices=MEASURES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.list:
        print(*MEASURES, *TOOLS, sep="\n")
    else:
        sys.exit(measure(options.here) if options.here else main(options.names or [*MEASURES, *TOOLS]))
