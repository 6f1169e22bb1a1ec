"""How does a report look in a terminal?"""

from collections.abc import Iterator, Mapping
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from . import book

if TYPE_CHECKING:
    from .hints import Hint
    from .report import Report
    from .witness import Witness

WIDTH = 100


def text(report: "Report") -> str:
    """The whole report as text."""
    return "\n".join(lines(report))


def lines(report: "Report") -> Iterator[str]:
    """Its lines: the points, the properties, the named mistakes, the smallest input, the seed."""
    yield heading(report)
    if not report.marked:
        yield from (wrapped(note, "  ") for note in report.notes)
        return
    said = set()
    for result in report.properties:
        yield f"  {'✓' if result.passed else '✗'} {result.statement}  [{result.points:g}/{result.max_points:g}]"
        if not result.passed and result.message not in said:
            said.add(result.message)
            yield wrapped(result.message, "      ")
    for note in report.notes:
        yield ""
        yield wrapped(note, "  ")
    for entry in report.diagnoses:
        yield ""
        yield f"  {entry.kind.value.capitalize()}: {entry.identifier}"
        yield wrapped(entry.sentence, "    ")
        yield f"    {where(entry.section)}"
    if report.witness is not None:
        yield ""
        yield "  The smallest input found that shows it:"
        yield from witness_lines(report.witness)
    if not report.passed:
        yield ""
        yield f"  {repeat(report)}"


def where(section: str) -> str:
    """Where the book explains it."""
    address = book.link(section) or book.place(section)
    return f"book: {address}" if book.written(section) else f"book, to come: {address}"


def heading(report: "Report") -> str:
    """The exercise and its points in one line."""
    if not report.marked:
        return f"{report.exercise}: {report.max_points:g} points, not marked here"
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
    if witness.step is not None:
        yield f"    The first step that differs is {witness.step.name}: {witness.step.words}"
        for title, values in step_rows(witness):
            yield f"      {title}:"
            yield from (f"        {line}" for line in assignments(values).splitlines())


def witness_rows(witness: "Witness") -> list[tuple[str, Mapping[str, Any]]]:
    """What a witness shows, in reading order."""
    rows = [("input", witness.inputs), ("expected", witness.expected), ("yours", witness.actual)]
    return [(title, values) for title, values in rows if values]


def step_rows(witness: "Witness") -> list[tuple[str, Mapping[str, Any]]]:
    """The first step that differs, expected and actual."""
    step = witness.step
    return [] if step is None else [("expected", {step.name: step.expected}), ("yours", {step.name: step.actual})]


def hint_text(hint: "Hint") -> str:
    """A hint as text."""
    rows = [f"  {one.name} = {number(one.value, len(one.name) + 5)}   ({one.words})" for one in hint.worked]
    return "\n".join([wrapped(f"Hint {hint.grade} of 3: {hint.sentence}", ""), *rows])


def assignments(values: Mapping[str, Any]) -> str:
    """Named values, one below the other, arrays aligned."""
    return "\n".join(f"{name} = {number(value, indent=len(name) + 3)}" for name, value in values.items())


def number(value: Any, indent: int = 0) -> str:
    """A number or an array to six digits, whatever print options the student has set."""
    if not isinstance(value, np.ndarray):
        countable = isinstance(value, int | float | np.number) and not isinstance(value, bool)
        return f"{value:g}" if countable else str(value)
    # Of numbers far from 0 six digits would show no difference; of truth values there is none to take.
    nearly_alike = value.size > 1 and value.dtype != bool and 0 < np.ptp(value) < 1e-5 * np.abs(value).max()
    floatmode: Any = "unique" if nearly_alike else "maxprec_equal"
    with np.printoptions(precision=6, suppress=True, threshold=60, linewidth=80, sign="-", floatmode=floatmode):
        return np.array2string(value, separator=", ", prefix=" " * indent)


def wrapped(sentence: str, indent: str) -> str:
    """Running text that keeps to the width of a terminal."""
    return fill(sentence, WIDTH, initial_indent=indent, subsequent_indent=indent)
