"""What has to be said before an experiment runs? The claim, one primary outcome, our prediction, the settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

Values = dict[str, Any]
"""What a trial gives: plain numbers, lists and dictionaries of them, as JSON keeps them."""


class Scale(Enum):
    """How two arms are compared."""

    DIFFERENCE = "difference"
    """One value minus the other, in the quantity's own unit."""
    RATIO = "ratio"
    """One value over the other: effects are kept as natural logarithms, and shown as factors."""


@dataclass(frozen=True)
class Primary:
    """The one outcome that decides, declared before the run; everything else of an experiment is exploratory."""

    quantity: str
    """What is compared, in words; a positive effect speaks for the claim."""
    scale: Scale
    smallest: float
    """The smallest effect that matters: a difference, or a factor above 1."""
    settings: tuple[str, ...]
    """Where it is measured: the names under which a trial gives its effects."""
    unit: str = ""
    """Of a difference, as printed behind the number: " points"."""


@dataclass(frozen=True)
class Experiment:
    """One claim on trial. Its source is part of the result's fingerprint, so a prediction is not mended afterwards."""

    name: str
    title: str
    page: str
    """In the book, without its ending: "evidence/learning-rate"."""
    claim: str
    """As textbooks state it."""
    prediction: str
    """What we expected, written before the run."""
    primary: Primary
    trial: Callable[[int, Any, Any], Values]
    """``trial(seed, settings, tuned)`` runs all arms once, on the same data in the same order. Its values hold
    ``"effects"``: for each of the primary's settings one number (a logarithm, if the scale is a ratio)."""
    full: Any
    """Settings of the run that the book shows, a frozen dataclass."""
    reduced: Any
    """Settings of a run of a second or two, which the tests repeat."""
    seeds: int = 12
    tune: Callable[[Any], Mapping[str, Any]] | None = None
    """``tune(settings)`` chooses each arm's learning rate on validation data of other seeds, once for all trials."""
