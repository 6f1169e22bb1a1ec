"""What is kept of a run? One small JSON file an experiment, which the pages plot and the tests repeat."""

import json
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .experiment import Experiment, Values
from .fingerprint import fingerprint

RESULTS = Path(__file__).with_name("results")
REDUCED_SEEDS = (0, 1)
DIGITS = 10
"""Significant digits that are kept."""


class Stale(RuntimeError):
    """There is no result of today's code."""


@dataclass(frozen=True)
class Result:
    """A full run, and the reduced one beside it."""

    name: str
    fingerprint: str
    seeds: tuple[int, ...]
    settings: Mapping[str, Any]
    tuned: Any
    trials: tuple[Values, ...]
    """One a seed, in order."""
    seconds: Mapping[str, float]
    """CPU time of tuning, of all trials and of the reduced run, on one thread each."""
    versions: Mapping[str, str]
    reduced: Mapping[str, Any]
    """Of the reduced run: settings, seeds, tuned, trials."""

    @property
    def effects(self) -> dict[str, list[float]]:
        """The primary outcome: for each setting one effect a trial."""
        return {setting: [trial["effects"][setting] for trial in self.trials] for setting in self.trials[0]["effects"]}

    def values(self, *keys: Any) -> np.ndarray:
        """An exploratory quantity of all trials, (trials, ...): ``result.values("loss", "digits")``."""
        found = []
        for trial in self.trials:
            value: Any = trial
            for key in keys:
                value = value[key]
            found.append(value)
        return np.array(found, dtype=float)


def plain(value: Any) -> Any:
    """What JSON can keep, to ten significant digits; infinities as strings, which Python's float() reads.

    >>> plain({"a": np.array([1/3, np.inf])})
    {'a': [0.3333333333, 'inf']}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else str(float(value))
    return value


def one_trial(experiment: Experiment, seed: int, settings: Any, tuned: Any) -> tuple[Values, float]:
    """A trial's values and its CPU seconds. Raises ``ValueError`` when it leaves out an effect that it owes."""
    began = time.process_time()
    values = plain(experiment.trial(seed, settings, tuned))
    if set(values["effects"]) != set(experiment.primary.settings):
        raise ValueError(f"{experiment.name} gives effects for {list(values['effects'])}; its primary names others")
    return values, time.process_time() - began


def tuning(experiment: Experiment, settings: Any) -> tuple[Any, float]:
    """What the experiment tunes, and the CPU seconds; None if it tunes nothing."""
    began = time.process_time()
    found = None if experiment.tune is None else plain(experiment.tune(settings))
    return found, time.process_time() - began


def reduced_run(experiment: Experiment) -> tuple[dict[str, Any], float]:
    """The reduced run, as the result keeps it."""
    settings = experiment.reduced
    tuned, seconds = tuning(experiment, settings)
    trials = [one_trial(experiment, seed, settings, tuned) for seed in REDUCED_SEEDS]
    values = {"settings": plain(asdict(settings)), "seeds": list(REDUCED_SEEDS), "tuned": tuned}
    return values | {"trials": [one for one, _ in trials]}, seconds + sum(spent for _, spent in trials)


def result_of(
    experiment: Experiment,
    seeds: Sequence[int],
    tuned: tuple[Any, float],
    trials: Sequence[tuple[Values, float]],
    reduced: tuple[dict[str, Any], float],
) -> Result:
    """Everything together, with versions and timings."""
    seconds = {"tuning": tuned[1], "trials": sum(spent for _, spent in trials), "reduced": reduced[1]}
    versions = {"python": platform.python_version(), "numpy": np.__version__, "machine": platform.machine()}
    return Result(
        experiment.name,
        fingerprint(experiment.trial.__module__),
        tuple(seeds),
        plain(asdict(experiment.full)),
        tuned[0],
        tuple(values for values, _ in trials),
        {name: round(spent, 2) for name, spent in seconds.items()},
        versions,
        reduced[0],
    )


def save(result: Result, folder: Path = RESULTS) -> Path:
    """Write a result, whole or not at all."""
    path = folder / f"{result.name}.json"
    text = json.dumps(asdict(result), indent=1, allow_nan=False)
    part = path.with_suffix(".part")
    part.write_text(packed(text) + "\n", encoding="utf-8")
    part.replace(path)
    return path


def packed(text: str) -> str:
    """JSON with its innermost lists on one line each: a difference between two versions stays readable."""
    lines: list[str] = []
    inner: list[str] = []
    for line in text.splitlines():
        bare = line.strip()
        if bare.endswith("["):
            lines += inner
            inner = [line]
        elif inner and bare.rstrip(",") == "]":
            lines.append(inner[0] + " ".join(one.strip() for one in inner[1:]) + bare)
            inner = []
        elif inner and bare.endswith(("{", "}", "},")):
            lines += [*inner, line]
            inner = []
        else:
            (inner if inner else lines).append(line)
    return "\n".join(lines + inner)


def load(experiment: Experiment, folder: Path = RESULTS, *, stale: bool = False) -> Result:
    """The kept result. Raises :class:`Stale` when there is none, when it is unreadable or older than its code."""
    path = folder / f"{experiment.name}.json"
    again = f"run `bncourse evidence run {experiment.name}`"
    if not path.exists():
        raise Stale(f"{experiment.name} has no result yet: {again}")
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        result = Result(**{**kept, "seeds": tuple(kept["seeds"]), "trials": tuple(kept["trials"])})
    except (ValueError, TypeError, KeyError) as reason:  # not JSON, or not of today's form
        raise Stale(f"the result of {experiment.name} cannot be read ({reason}): {again}") from reason
    if not stale and result.fingerprint != fingerprint(experiment.trial.__module__):
        raise Stale(f"the result of {experiment.name} is older than its code: {again}")
    return result
