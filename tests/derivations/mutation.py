"""Which slips of the pen does the proof see?  Every mutant of every equation, judged in this process."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from .mutants import Mutant, mutants
from .pinned import PINNED, agrees_with_code
from .prove import Context, Disagreement, Entry, Verdict, after, prove, read_entry
from .tex import TexError

UNREADABLE = "not readable"
REASONS = Path(__file__).with_name("survivors.toml")


@dataclass(frozen=True)
class Outcome:
    label: str
    mutant: Mutant
    killed_by: str | None  # what turned red; None for a survivor

    @property
    def unreadable(self) -> bool:
        """Noticed because the changed equation says nothing any more, not because it says something wrong."""
        return self.killed_by is not None and self.killed_by.startswith(UNREADABLE)

    @property
    def key(self) -> tuple[str, str]:
        return self.label, self.mutant.change


class Trial:
    """The book as it stands, all of it green, and what depends on what."""

    def __init__(self, entries: list[Entry], verdict_on: Callable[[Entry], Verdict] = prove):
        """``verdict_on`` may know what was proved already."""
        self.entries = entries
        self.uses: dict[str, frozenset[str]] = {}
        for entry in self.entries:
            verdict = verdict_on(entry)
            if not verdict.holds:
                raise ValueError(f"{verdict.label} is red already: {verdict.reason}")
            self.uses[verdict.label] = verdict.uses

    def mutants(self) -> list[tuple[Entry, Mutant]]:
        return [
            (entry, mutant)
            for entry in self.entries
            if entry.equation.kind != "approx"
            for mutant in mutants(entry.equation.tex, entry.equation.kind == "def")
        ]

    def judge(self, entry: Entry, mutant: Mutant) -> Outcome:
        return Outcome(entry.equation.label, mutant, self.first_red(entry, mutant))

    def first_red(self, entry: Entry, mutant: Mutant) -> str | None:
        """What notices that the page says `mutant` where it said `entry`."""
        changed = read_entry(replace(entry.equation, tex=mutant.tex), entry.context)
        verdict = prove(changed)
        if not verdict.holds:
            return f"{verdict.status}: {verdict.reason}"
        if entry.equation.kind != "def":
            return None
        if red := _disagrees_with_code(changed):
            return f"the code: {red}"
        for other in self.dependents(entry):
            swapped = replace(other, context=_swap(other.context, entry, changed))
            verdict = prove(swapped)
            if not verdict.holds:
                return f"{verdict.label}: {verdict.reason}"
            if red := _disagrees_with_code(swapped):
                return f"{verdict.label} against the code: {red}"
        return None

    def dependents(self, entry: Entry) -> Iterable[Entry]:
        return (other for other in self.entries if entry.equation.label in self.uses[other.equation.label])


def _disagrees_with_code(entry: Entry) -> str | None:
    if entry.equation.label not in PINNED:
        return None
    try:
        agrees_with_code(entry)
    except (Disagreement, TexError) as error:
        return str(error)
    return None


def _swap(context: Context, old: Entry, new: Entry) -> Context:
    """The context with the old definition taken out and the new one put in."""
    gone = {definition.key for definition in old.defines} | {
        definition.name for definition in old.defines if definition.arguments
    }
    fresh = after(replace(new, context=Context({}, {})))
    return Context(
        {key: d for key, d in context.definitions.items() if key not in gone} | dict(fresh.definitions),
        {name: d for name, d in context.functions.items() if name not in gone} | dict(fresh.functions),
    )


def known_reasons(path: Path = REASONS) -> dict[tuple[str, str], str]:
    """(label, change) -> why this mutant may survive."""
    listed = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    entries = [(label, entry) for label, found in listed.items() for entry in found if entry["because"].strip()]
    return {(label, change): entry["because"] for label, entry in entries for change in entry["changes"]}
