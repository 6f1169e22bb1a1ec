"""Which mistakes does the checker know here? The chapters show the very sentences that students read."""

from __future__ import annotations

import re

from IPython.display import Markdown, display

from bncourse.checks.assignments import EXERCISES


def sentence(name: str) -> str:
    """What the checker says of "exercise.identifier". Raises ``KeyError`` for a name that it does not know."""
    exercise, _, identifier = name.partition(".")
    for one in EXERCISES[exercise].misconceptions:
        if one.identifier == identifier:
            return one.sentence
    raise KeyError(f"{exercise} has no misconception {identifier!r}")


def plain(text: str) -> str:
    """A sentence as Markdown shows it: *word* is emphasis, other stars and lines outside of code marks are code."""
    return re.sub(r"(`[^`]*`|(?<!\S)\*\w+\*(?!\w))|([*_])", lambda found: found[1] or f"\\{found[2]}", text)


def common_mistakes(*names: str) -> None:
    """A box with the sentences of these misconceptions, each named "exercise.identifier"."""
    lines = [":::{admonition} Common mistakes", ":class: warning", ""]
    lines += [f"- {plain(sentence(name))}" for name in names]
    display(Markdown("\n".join([*lines, ":::"])))
