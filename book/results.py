"""How does a page show a kept result? The claim, the prediction, every trial, the verdict: no number typed by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
from figures import BLUE, GREY
from IPython.display import Markdown, display
from matplotlib.axes import Axes
from myst_nb import glue

from bncourse.evidence import experiment
from bncourse.evidence.experiment import Scale
from bncourse.evidence.record import Result
from bncourse.evidence.table import interval, number, verdict_on

MEANS = {
    "holds": "clearly there and large enough to matter, wherever we measured",
    "in part": "clearly there in some of our settings, not in all, or perhaps too small to matter",
    "contested": "our own settings contradict each other, or our trials cannot tell",
    "fails": "nowhere large enough to matter in our settings, or the other way round",
}


class Text(str):
    """A string that is glued without quotation marks."""

    def __repr__(self) -> str:
        return str(self)


def result(name: str) -> Result:
    """The kept result of an experiment; its numbers are glued for the page's text.

    ``verdict``, ``trials``, ``seconds``; for each setting of the primary outcome ``effect-<setting>``, with interval.
    """
    judged = verdict_on(name)
    put("verdict", judged.verdict.word)
    put("trials", str(len(judged.result.seeds)))
    put("seconds", f"{judged.seconds:.0f}")
    for finding in judged.verdict.findings:
        put(f"effect-{finding.setting}", interval(judged.experiment.primary, finding))
    return judged.result


def put(key: str, text: str) -> None:
    """Glue a text, to be read as {glue:text}`key`."""
    glue(key, Text(text), display=False)


def declared(name: str) -> None:
    """What was written down before the run: outcome, scale, smallest effect, prediction."""
    one = experiment(name)
    primary = one.primary
    smallest = float(np.log(primary.smallest)) if primary.scale is Scale.RATIO else primary.smallest
    lines = (
        f"**Claim.** {one.claim}",
        f"**Primary outcome.** {primary.quantity[0].upper()}{primary.quantity[1:]}.",
        f"**Matters from** {number(primary, smallest)}.",
        f"**We predicted.** {one.prediction}",
    )
    display(Markdown("\n\n".join(lines)))


def verdict(name: str) -> None:
    """The verdict, and the interval of every setting behind it."""
    judged = verdict_on(name)
    primary, word = judged.experiment.primary, judged.verdict.word
    lines = ["| setting | effect, 95 % interval | Holm's p | says |", "|---|---|---|---|"]
    for one in judged.verdict.findings:
        p = f"{one.p:.2g}" if one.p >= 1e-3 else "< 0.001"
        lines.append(f"| {one.setting} | {interval(primary, one)} | {p} | {one.says} |")
    head = f"**Verdict: {word}** ({MEANS[word]}). {len(judged.result.seeds)} paired trials, "
    display(Markdown(f"{head}{judged.seconds:.0f} s of CPU.\n\n" + "\n".join(lines)))


def trials(axes: Axes, name: str) -> None:
    """Every trial's effect as a dot, its mean and 95 % interval as a bar, zero and the smallest effect as lines."""
    judged = verdict_on(name)
    primary = judged.experiment.primary
    ratio = primary.scale is Scale.RATIO
    shown: Any = np.exp if ratio else np.asarray
    for row, finding in enumerate(reversed(judged.verdict.findings)):
        effects = shown(np.array(judged.result.effects[finding.setting]))
        axes.plot(effects, np.full(len(effects), row + 0.18), "o", color=BLUE, alpha=0.45, markersize=5)
        low, mean, high = shown(np.array([finding.estimate.low, finding.estimate.mean, finding.estimate.high]))
        axes.plot([low, high], [row - 0.12, row - 0.12], color=BLUE, linewidth=3)
        axes.plot(mean, row - 0.12, "D", color=BLUE, markersize=7)
    axes.axvline(1.0 if ratio else 0.0, color=GREY, linewidth=1)
    axes.axvline(primary.smallest, color=GREY, linewidth=1, linestyle="--")
    axes.set_yticks(range(len(judged.verdict.findings)), [one.setting for one in reversed(judged.verdict.findings)])
    axes.set_ylim(-0.5, len(judged.verdict.findings) - 0.4)
    if ratio:
        axes.set_xscale("log")
    axes.set_xlabel("effect: a factor" if ratio else f"effect: a difference{primary.unit and f' in{primary.unit}'}")
