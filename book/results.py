"""How does a page show a kept result? The claim, the prediction, every trial, the verdict: no number typed by hand."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from figures import BLUE, GREY
from IPython.display import Markdown, display
from matplotlib.axes import Axes
from myst_nb import glue

from bncourse.evidence import experiment
from bncourse.evidence.experiment import Scale
from bncourse.evidence.record import Result
from bncourse.evidence.table import interval, judged, number, verdict_on
from bncourse.evidence.verdicts import IN_A_SETTING, TOGETHER, threshold


class Text(str):
    """A string that is glued without quotation marks."""

    def __repr__(self) -> str:
        return str(self)


def minus(text: str) -> str:
    """Negative numbers with the sign that is as wide as a plus."""
    return re.sub(r"(?<![\w.])-(?=[\d.])", "−", text)


def result(name: str) -> Result:
    """The kept result of an experiment; its numbers are glued for the page's text.

    ``verdict``, ``trials``, ``seconds``; for each setting of the primary outcome ``effect-<setting>``, with interval.
    """
    one = verdict_on(name)
    put("verdict", one.verdict.word)
    put("trials", str(len(one.result.seeds)))
    put("seconds", f"{one.seconds:.0f}")
    for finding in one.verdict.findings:
        put(f"effect-{finding.setting}", interval(one.experiment.primary, finding))
    return one.result


def put(key: str, text: str) -> None:
    """Glue a text, to be read as {glue:text}`key`."""
    glue(key, Text(minus(text)), display=False)


def declared(name: str) -> None:
    """What was written down before the run: outcome, scale, smallest effect, prediction."""
    one = experiment(name)
    primary = one.primary
    lines = (
        f"**Claim.** {one.claim}",
        f"**Primary outcome.** {primary.quantity[0].upper()}{primary.quantity[1:]}.",
        f"**Matters from** {number(primary, threshold(primary))}.",
        f"**We predicted.** {one.prediction}",
    )
    display(Markdown("\n\n".join(lines)))


def verdict(name: str) -> None:
    """The verdict, and the interval of every setting behind it."""
    one = verdict_on(name)
    lines = ["| setting | effect, 95 % interval | Holm's p | says |", "|---|---|---|---|"]
    for finding in one.verdict.findings:
        p = f"{finding.p:.2g}" if finding.p >= 1e-3 else "< 0.001"
        effect = minus(interval(one.experiment.primary, finding))
        lines.append(f"| {finding.setting} | {effect} | {p} | {finding.says} |")
    head = f"**Verdict: {one.verdict.word}** ({TOGETHER[one.verdict.word]}). {len(one.result.seeds)} paired trials, "
    display(Markdown(f"{head}{one.seconds:.0f} s of CPU.\n\n" + "\n".join(lines)))


def rule() -> None:
    """The rule from intervals to verdicts, as the code has it."""
    for head, words in (("in one setting", IN_A_SETTING), ("all settings together", TOGETHER)):
        lines = [f"| {head} | |", "|---|---|", *(f"| **{word}** | {meaning} |" for word, meaning in words.items())]
        display(Markdown("\n".join(lines)))


def trials(axes: Axes, name: str) -> None:
    """Every trial's effect as a dot, its mean and 95 % interval as a bar, zero and the smallest effect as lines."""
    one = verdict_on(name)
    primary, findings = one.experiment.primary, one.verdict.findings
    ratio = primary.scale is Scale.RATIO
    shown: Any = np.exp if ratio else np.asarray
    for row, finding in enumerate(reversed(findings)):
        effects = shown(np.array(one.result.effects[finding.setting]))
        axes.plot(effects, np.full(len(effects), row + 0.18), "o", color=BLUE, alpha=0.45, markersize=5)
        low, mean, high = shown(np.array([finding.estimate.low, finding.estimate.mean, finding.estimate.high]))
        axes.plot([low, high], [row - 0.12, row - 0.12], color=BLUE, linewidth=3)
        axes.plot(mean, row - 0.12, "D", color=BLUE, markersize=7)
    axes.axvline(1.0 if ratio else 0.0, color=GREY, linewidth=1)
    axes.axvline(primary.smallest, color=GREY, linewidth=1, linestyle="--")
    axes.set_yticks(range(len(findings)), [finding.setting for finding in reversed(findings)])
    axes.set_ylim(-0.5, len(findings) - 0.4)
    if ratio:
        axes.set_xscale("log")
    axes.set_xlabel("effect: a factor" if ratio else f"effect: a difference{primary.unit and f' in{primary.unit}'}")


def all_verdicts() -> None:
    """The whole table: each claim with a link to its page, each setting's effect, the verdict."""
    lines = ["| claim: verdict | where | effect, 95 % interval | says |", "|---|---|---|---|"]
    for one in judged():
        page = one.experiment.page.rpartition("/")[2]
        for n, finding in enumerate(one.verdict.findings):
            title = f"[{one.experiment.title}]({page}.md): **{one.verdict.word}**" if n == 0 else ""
            effect = minus(interval(one.experiment.primary, finding))
            lines.append(f"| {title} | {finding.setting} | {effect} | {finding.says} |")
    display(Markdown("\n".join(lines)))


def all_details() -> None:
    """What stands behind the table: outcome, smallest effect, trials, seconds of CPU."""
    lines = ["| claim | primary outcome | matters from | trials | CPU s |", "|---|---|---|---|---|"]
    for one in judged():
        primary = one.experiment.primary
        matters = number(primary, threshold(primary))
        runs = f"{len(one.result.seeds)} | {one.seconds:.0f}"
        lines.append(f"| {one.experiment.title} | {primary.quantity} | {matters} | {runs} |")
    display(Markdown("\n".join(lines)))


def all_effects(axes: Axes) -> None:
    """Every interval in units of the smallest effect that matters; arrows where it leaves the picture."""
    edge, row, places, names = 8.0, 0, [], []
    for one in judged():
        for finding in one.verdict.findings:
            e = finding.estimate
            low, mean, high = np.array([e.low, e.mean, e.high]) / threshold(one.experiment.primary)
            axes.plot(np.clip([low, high], -edge, edge), [-row, -row], color=BLUE, linewidth=2.5)
            if abs(mean) <= edge:
                axes.plot(mean, -row, "D", color=BLUE, markersize=5)
            else:
                axes.plot(np.sign(mean) * edge, -row, ">" if mean > 0 else "<", color=BLUE, markersize=8, clip_on=False)
            places.append(-row)
            names.append(f"{one.experiment.name.replace('_', ' ')}: {finding.setting}")
            row += 1
        row += 0.5
    axes.axvline(0.0, color=GREY, linewidth=1)
    axes.axvspan(-1.0, 1.0, color=GREY, alpha=0.18, linewidth=0)
    axes.set_yticks(places, names, fontsize=8.5)
    axes.set_xlim(-edge, edge)
    axes.set_xlabel("effect / smallest that matters")
