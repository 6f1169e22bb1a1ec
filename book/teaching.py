"""What does an instructor need to know of the assignments? Read from the notebooks, the slides and the checker."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml
from IPython.display import Markdown, display

from bncourse.checks.assignments import ASSIGNMENTS

ROOT = Path(__file__).resolve().parents[1]
FREQUENT = (
    "normalize.eps_outside_the_root",
    "BatchNorm.bare_variance_in_evaluation",
    "BatchNorm.tracks_the_deviation",
    "BatchNorm.statistics_never_stored",
    "batchnorm_inference.batch_statistics",
    "batch_mean.mean_along_axis_1",
)


def opening(assignment: str) -> str:
    """The first cell of a student's notebook as one line."""
    path = ROOT / "exercises" / assignment / f"{assignment}.ipynb"
    cell = json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"]
    return re.sub(r"\s+", " ", "".join(cell))


def outcomes() -> None:
    """A section for each assignment: what one learns, how long it takes, how it is marked."""
    for name in filter(lambda name: (ROOT / "exercises" / name).is_dir(), ASSIGNMENTS):
        text = opening(name)
        learn = re.search(r"\*\*You will learn\*\* (.*?) \*\*You need\*\*", text)
        minutes = re.search(r"(?:About|about) ([\d ]+) minutes", text)
        by_check = re.search(r"`check` marks (\d+)", text)
        if not (learn and minutes and by_check):
            raise ValueError(f"{name} does not open as the other assignments do")
        hand = 100 - int(by_check[1])
        display(
            Markdown(
                f"**`{name}`** ({minutes[1]} minutes; {by_check[1]} points by the checker, {hand} by hand). "
                f"Students learn {learn[1]}"
            )
        )


def outlines() -> None:
    """The lectures, minute by minute, side by side."""
    lectures = yaml.safe_load((ROOT / "book" / "slides.yml").read_text(encoding="utf-8"))
    for lecture in lectures.values():
        slides = " · ".join(f"{one['title']} ({one['minutes']})" for one in lecture["slides"])
        display(Markdown(f"*{lecture['title']}*, with minutes: {slides}."))


def bank() -> None:
    """How many mistakes each assignment's exercises know by name."""
    lines = ["| assignment | exercises | mistakes with a name |", "|---|---:|---:|"]
    for name, exercises in ASSIGNMENTS.items():
        known = sum(len(one.misconceptions) for one in exercises)
        lines.append(f"| `{name}` | {len(exercises)} | {known} |")
    display(Markdown("\n".join(lines)))
