"""What do the numbers say about a claim? One rule for all experiments, written before any of them ran.

In each setting of an experiment the 95 % interval of the primary outcome is held against zero and against δ, the
smallest effect that matters (:data:`IN_A_SETTING`); the settings together give the verdict (:data:`TOGETHER`).
"Clearly" means that Holm's adjusted p-value over all primaries is below 0.05.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .experiment import Primary, Scale
from .statistics import Estimate, estimate, holm

CLEARLY = 0.05

IN_A_SETTING = {
    "yes": "clearly above zero, and the whole interval at δ or above",
    "some": "clearly above zero, but the interval reaches below δ and above it",
    "no": "the whole interval below δ",
    "opposite": "clearly below zero, and the whole interval at -δ or below",
    "open": "anything else: too few trials, or too much scatter, to tell",
}
"""What an interval says in one setting."""

TOGETHER = {
    "holds": "yes in every setting",
    "in part": "yes or some in one setting at least, opposite in none",
    "contested": "yes or some in one setting, opposite in another; or no such effect anywhere, but open somewhere",
    "fails": "no or opposite in every setting",
}
"""The verdict of all settings."""


@dataclass(frozen=True)
class Finding:
    """The primary outcome in one setting."""

    setting: str
    estimate: Estimate
    p: float
    """Holm's, over all primaries of the table."""
    says: str
    """yes, some, no, opposite or open."""


@dataclass(frozen=True)
class Verdict:
    """What one experiment says."""

    name: str
    findings: tuple[Finding, ...]
    word: str
    """holds, in part, contested or fails."""


def threshold(primary: Primary) -> float:
    """δ on the scale on which effects are kept: a ratio's logarithm.

    >>> threshold(Primary("q", Scale.DIFFERENCE, 2.0, ("digits",)))
    2.0
    """
    return float(np.log(primary.smallest)) if primary.scale is Scale.RATIO else primary.smallest


def says(one: Estimate, p: float, smallest: float) -> str:
    """What an interval says in one setting (:data:`IN_A_SETTING`)."""
    clearly = p < CLEARLY
    if clearly and one.low >= smallest:
        return "yes"
    if one.high < smallest:
        return "opposite" if clearly and one.high <= -smallest else "no"
    return "some" if clearly and one.mean > 0 else "open"


def word(found: Iterable[str]) -> str:
    """What the settings say together (:data:`TOGETHER`)."""
    all_of = set(found)
    if all_of == {"yes"}:
        return "holds"
    if all_of & {"yes", "some"}:
        return "contested" if "opposite" in all_of else "in part"
    return "contested" if "open" in all_of else "fails"


def verdicts(primaries: Mapping[str, Primary], effects: Mapping[str, Mapping[str, Sequence[float]]]) -> list[Verdict]:
    """The verdict on each experiment; ``effects[name][setting]`` are the trials' paired effects."""
    estimates = {name: {s: estimate(effects[name][s]) for s in one.settings} for name, one in primaries.items()}
    keys = [(name, setting) for name, found in estimates.items() for setting in found]
    adjusted = dict(zip(keys, holm([estimates[name][setting].p for name, setting in keys]), strict=True))
    result = []
    for name, primary in primaries.items():
        smallest = threshold(primary)
        findings = tuple(
            Finding(s, one, adjusted[name, s], says(one, adjusted[name, s], smallest))
            for s, one in estimates[name].items()
        )
        result.append(Verdict(name, findings, word(finding.says for finding in findings)))
    return result
