"""How does a report look in a notebook?

As a card that is readable without its style sheet too (a viewer may strip it), in a light and in a dark theme (it
takes the colours of what is around it), and by ear (headings, lists, words instead of signs). Everything that came from
the student's code is escaped.
"""

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from . import book
from .text import assignments, heading, number, repeat, step_rows, witness_rows

if TYPE_CHECKING:
    from .diagnosis import Diagnosis
    from .hints import Hint
    from .report import Report, Result
    from .witness import Witness

STYLE = """
.bn-card{border:1px solid currentColor;border-left-width:.5em;border-radius:.4em;padding:.6em 1em;max-width:46em;
line-height:1.45;color:inherit;background:transparent;overflow-wrap:anywhere}
.bn-card h4,.bn-card h5{margin:.2em 0 .4em!important;color:inherit;font-weight:700!important}
.bn-card h4{font-size:1.1em!important}
.bn-card h5{margin-top:1em!important;font-size:1em!important}
.bn-card code{color:inherit!important;background:transparent!important;border:0!important;padding:0!important}
.bn-card ul{list-style:none!important;margin:0!important;padding:0!important}
.bn-card li{margin:.25em 0;padding-left:1.6em;text-indent:-1.6em}
.bn-card li>*{text-indent:0}
.bn-card p{margin:.3em 0}
.bn-card .bn-word{font-weight:700}
.bn-card .bn-seen{display:block}
.bn-card table{border-collapse:collapse;margin:.3em 0!important;display:block;overflow-x:auto;color:inherit}
.bn-card th,.bn-card td{text-align:left!important;vertical-align:top;padding:.2em 1.2em .2em 0!important;border:0;
background:transparent!important;color:inherit}
.bn-card th{white-space:nowrap!important;overflow-wrap:normal}
.bn-card tr{background:transparent!important}
.bn-card pre{margin:0;padding:0!important;border:0;background:transparent!important;color:inherit;
text-align:left;white-space:pre!important;font-family:ui-monospace,Consolas,Menlo,monospace!important}
.bn-card a{color:inherit;text-decoration:underline}
.bn-card small{opacity:.85}
"""
"""``!important`` stands where the style sheets of notebook viewers say otherwise."""


def card(report: "Report") -> str:
    """The report as one HTML element."""
    title = escape(heading(report))
    parts = [
        f"<style>{STYLE}</style>",
        f'<section class="bn-card" aria-label="{title}">',
        f"<h4>{title}</h4>",
        properties(report) if report.marked else "",
        *(f"<p><strong>{escape(note)}</strong></p>" for note in report.notes),
        *(mistake(entry) for entry in report.diagnoses),
        "" if report.witness is None else smallest(report.witness),
        "" if report.passed or not report.marked else f"<p><small>{escape(repeat(report))}</small></p>",
        "</section>",
    ]
    return "\n".join(part for part in parts if part)


def properties(report: "Report") -> str:
    """What holds and what does not; what was seen is said once when it is the same for several."""
    said: set[str] = set()
    items = []
    for result in report.properties:
        seen = "" if result.passed or result.message in said else result.message
        said.add(result.message)
        items.append(item(result, seen))
    return f"<ul>{''.join(items)}</ul>"


def item(result: "Result", seen: str) -> str:
    """One property: a sign for the eye, a word for everybody, the sentence, the points."""
    sign, word = ("✓", "holds") if result.passed else ("✗", "fails")
    line = (
        f'<span aria-hidden="true">{sign}</span> <span class="bn-word">{word}:</span> {escape(result.statement)} '
        f"({result.points:g} of {result.max_points:g})"
    )
    detail = f'<span class="bn-seen">{escape(seen)}</span>' if seen else ""
    return f"<li>{line}{detail}</li>"


def mistake(entry: "Diagnosis") -> str:
    """A named mistake, its sentence, and where the book explains it."""
    place = escape(book.place(entry.section))
    address = book.link(entry.section)
    where = f'<a href="{escape(address)}">{place}</a>' if address else f"<code>{place}</code>"
    where = f"In the book: {where}" if book.written(entry.section) else f"In the book, to come: {place}"
    return (
        f"<h5>{escape(entry.kind.value.capitalize())}: <code>{escape(entry.identifier)}</code></h5>"
        f"<p>{escape(entry.sentence)}</p><p>{where}</p>"
    )


def smallest(witness: "Witness") -> str:
    """The smallest input, expected and actual values as a table, and the first step that differs."""
    parts = [
        "<h5>The smallest input found that shows it</h5>",
        table((title, assignments(values)) for title, values in witness_rows(witness)),
        f"<p>{escape(witness.sentence)}</p>",
    ]
    if witness.step is not None:
        step = f"<code>{escape(witness.step.name)}</code>: {escape(witness.step.words)}"
        parts += [
            f"<p>The first step that differs is {step}</p>",
            table((title, assignments(values)) for title, values in step_rows(witness)),
        ]
    return "".join(parts)


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Titles beside preformatted text."""
    body = "".join(
        f'<tr><th scope="row">{escape(title)}</th><td><pre>{escape(content)}</pre></td></tr>' for title, content in rows
    )
    return f'<table tabindex="0">{body}</table>'  # it may scroll: also by keyboard


def hint_card(hint: "Hint") -> str:
    """A hint as one HTML element."""
    title = f"Hint {hint.grade} of 3 for {escape(hint.exercise)}"
    rows = ((f"{one.name} ({one.words})", number(one.value)) for one in hint.worked)
    worked = table(rows) if hint.worked else ""
    return (
        f'<style>{STYLE}</style><section class="bn-card" aria-label="{title}"><h4>{title}</h4>'
        f"<p>{escape(hint.sentence)}</p>{worked}</section>"
    )
