"""How does a report look in a terminal?"""

from collections.abc import Iterator, Mapping
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from . import book

if TYPE_CHECKING:
    from .report import Report
    from .witness import Witness

WIDTH = 100


def text(report: "Report") -> str:
    """The whole report as text."""
    return "\n".join(lines(report))


def lines(report: "Report") -> Iterator[str]:
    """Its lines: the points, the properties, the named mistakes, the smallest input, the seed."""
    yield heading(report)
    said = set()
    for result in report.properties:
        yield f"  {'✓' if result.passed else '✗'} {result.statement}  [{result.points:g}/{result.max_points:g}]"
        if not result.passed and result.message not in said:
            said.add(result.message)
            yield wrapped(result.message, "      ")
    for entry in report.diagnoses:
        yield ""
        yield f"  {entry.kind.value.capitalize()}: {entry.identifier}"
        yield wrapped(entry.sentence, "    ")
        yield f"    book: {book.link(entry.section) or book.place(entry.section)}"
    if report.witness is not None:
        yield ""
        yield "  The smallest input found that shows it:"
        yield from witness_lines(report.witness)
    if not report.passed:
        yield ""
        yield f"  {repeat(report)}"


def heading(report: "Report") -> str:
    """The exercise and its points in one line."""
    verdict = "right" if report.passed else "not right yet"
    return f"{report.exercise}: {verdict}, {report.points:g} of {report.max_points:g} points"


def repeat(report: "Report") -> str:
    """How to see the same report again, with the same numbers."""
    return f"seed={report.seed} as the last argument of check repeats this report."


def witness_lines(witness: "Witness") -> Iterator[str]:
    """The witness: inputs, expected, actual."""
    for title, values in witness_rows(witness):
        yield f"    {title}:"
        yield from (f"      {line}" for line in assignments(values).splitlines())
    yield wrapped(witness.sentence, "    ")


def witness_rows(witness: "Witness") -> list[tuple[str, Mapping[str, Any]]]:
    """What a witness shows, in reading order."""
    rows = [("input", witness.inputs), ("expected", witness.expected), ("yours", witness.actual)]
    return [(title, values) for title, values in rows if values]


def assignments(values: Mapping[str, Any]) -> str:
    """Named values, one below the other, arrays aligned."""
    return "\n".join(f"{name} = {number(value, indent=len(name) + 3)}" for name, value in values.items())


def number(value: Any, indent: int = 0) -> str:
    """A number or an array to six digits, whatever print options the student has set."""
    if not isinstance(value, np.ndarray):
        return f"{value:g}"
    with np.printoptions(precision=6, suppress=True, threshold=60, linewidth=80, sign="-", floatmode="maxprec_equal"):
        return np.array2string(value, separator=", ", prefix=" " * indent)


def wrapped(sentence: str, indent: str) -> str:
    """Running text that keeps to the width of a terminal."""
    return fill(sentence, WIDTH, initial_indent=indent, subsequent_indent=indent)
