"""How are verdicts written? The same words in the terminal and on the pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from . import experiments
from .experiment import Experiment, Primary, Scale
from .record import RESULTS, Result, load
from .verdicts import Finding, Verdict, threshold, verdicts


@dataclass(frozen=True)
class Judged:
    """An experiment, its result, and the verdict on it."""

    experiment: Experiment
    result: Result
    verdict: Verdict

    @property
    def seconds(self) -> float:
        """CPU time of the full run: tuning and trials."""
        return self.result.seconds["tuning"] + self.result.seconds["trials"]


@cache
def judged() -> tuple[Judged, ...]:
    """All experiments, judged together, since Holm's correction needs all. Raises ``Stale`` without a fresh result."""
    return judge(experiments())


def judge(every: Sequence[Experiment], folder: Path = RESULTS) -> tuple[Judged, ...]:
    """These experiments, judged as if there were no others."""
    results = {one.name: load(one, folder) for one in every}
    found = verdicts({one.name: one.primary for one in every}, {name: r.effects for name, r in results.items()})
    return tuple(Judged(one, results[one.name], verdict) for one, verdict in zip(every, found, strict=True))


def verdict_on(name: str) -> Judged:
    """One experiment of the table of all."""
    return next(one for one in judged() if one.experiment.name == name)


def number(primary: Primary, value: float) -> str:
    """An effect as it is printed: a factor, or a difference with its sign and unit.

    >>> number(Primary("q", Scale.RATIO, 1.5, ("digits",)), np.log(7.46))
    '7.46×'
    >>> number(Primary("q", Scale.DIFFERENCE, 1.0, ("digits",), " points"), -1.234)
    '-1.23 points'
    >>> number(Primary("q", Scale.DIFFERENCE, 1.0, ("digits",), " points"), 0.00264)
    '+0.003 points'
    """
    if primary.scale is Scale.RATIO:
        return f"{three_digits(float(np.exp(value)))}×"
    sign = "+" if value >= 0 else ""
    return f"{sign}{three_digits(round(value, 3))}{primary.unit}"


def three_digits(value: float) -> str:
    """Three significant digits, without an exponent where that is short."""
    if value == 0:
        return "0"  # also -0.0
    if not 1e-3 <= abs(value) < 1e5:
        return f"{value:.3g}"
    return np.format_float_positional(float(f"{value:.3g}"), trim="-")


def interval(primary: Primary, finding: Finding) -> str:
    """Mean and 95 % interval: 7.5× [5.4, 10.5]."""
    one = finding.estimate
    low, high = (number(primary, value).removesuffix("×").removesuffix(primary.unit) for value in (one.low, one.high))
    return f"{number(primary, one.mean)} [{low}, {high}]"


HEADS = ("experiment", "setting", "effect [95 %]", "matters from", "Holm's p", "says", "verdict", "trials", "CPU s")


def rows(every: Sequence[Judged]) -> list[tuple[str, ...]]:
    """The table, a row for each setting; what belongs to the whole experiment stands in its first row."""
    found: list[tuple[str, ...]] = []
    for one in every:
        primary = one.experiment.primary
        for n, finding in enumerate(one.verdict.findings):
            p = f"{finding.p:.1g}" if finding.p >= 1e-3 else "< 0.001"
            row = (finding.setting, interval(primary, finding), number(primary, threshold(primary)), p, finding.says)
            first = (one.experiment.title, *row, one.verdict.word, str(len(one.result.seeds)), f"{one.seconds:.0f}")
            found.append(first if n == 0 else ("", *row, "", "", ""))
    return found


def text(every: Sequence[Judged]) -> str:
    """The table for a terminal."""
    table = [HEADS, *rows(every)]
    widths = [max(len(row[column]) for row in table) for column in range(len(HEADS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    total = sum(one.seconds for one in every)
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:], "", f"All full runs: {total:.0f} s of CPU."])
