"""What stands in for a training run, and for a table of Student's t?

A real run takes seconds and is never twice the same on two machines. A stand-in answers at once with planted numbers,
and writes down how it was called: so what is judged is the experiment, not the luck of a network.
"""

import inspect
import operator
import zlib
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from ..callbacks import CalledTooOften
from .student_t import t_quantile

MOST_CALLS = 2000
"""Of one stand-in in one question: the largest needs some fifty. A loop that never ends is ended."""

ARMS = ("bn", "plain")
QUANTITIES = ("train_accuracy", "validation_accuracy", "test_accuracy", "speed")
GUESSING = 10.0
"""Accuracy in percent of a run that diverged, with ten classes."""

Run = dict[str, Any]


class StandIn(str):
    """A function that the student's function calls; as a string it says what it is, in a report as in JSON."""

    value: Callable[..., Any]
    calls: list[tuple[Any, ...]]
    """How the function that was made last has been called."""

    def __new__(cls, text: str, value: Callable[..., Any]) -> "StandIn":
        """What it is, in words, and what computes it."""
        one = super().__new__(cls, text)
        one.value, one.calls = value, []
        value.__qualname__ = value.__name__  # which is what Python says of a call with too many arguments
        return one

    def __call__(self, *arguments: Any) -> Any:
        """The checker's own call, which nobody counts."""
        return self.value(*arguments)

    def fresh(self) -> Callable[..., Any]:
        """The function for one call of the student's."""
        calls: list[tuple[Any, ...]] = []
        self.calls = calls
        takes = inspect.signature(self.value)

        def given(*arguments: Any, **named: Any) -> Any:
            if len(calls) >= MOST_CALLS:
                raise CalledTooOften(f"the function that was handed in was called more than {MOST_CALLS} times")
            found = self.value(*arguments, **named)
            calls.append(takes.bind(*arguments, **named).args)
            return found

        return given


def known_arm(arm: Any) -> int:
    """The number of an arm; a sentence when it is none."""
    if not isinstance(arm, str) or arm not in ARMS:
        raise ValueError(f'train knows the arms "bn" and "plain", not {arm!r}')
    return ARMS.index(arm)


def one_seed(seed: Any) -> int:
    """A seed as a number; a sentence when it is several, or none."""
    try:
        return operator.index(seed)
    except TypeError:
        raise TypeError("train takes one seed, a whole number: call it once for each seed") from None


def trainer(key: int, diverging: Collection[int] = ()) -> StandIn:
    """``train(arm, seed)``: every quantity a number of its own; "plain" diverges for some seeds."""

    def train(arm: str, seed: int) -> Run:
        place = [key, known_arm(arm), one_seed(seed) % 2**32]
        if arm == "plain" and int(seed) in diverging:
            return dict.fromkeys(QUANTITIES, GUESSING) | {"diverged": True}
        numbers = np.random.default_rng(place).uniform(60.0, 99.0, len(QUANTITIES))
        return dict(zip(QUANTITIES, map(float, numbers), strict=True)) | {"diverged": False}

    return StandIn("a stand-in for train, with planted numbers", train)


def simple_trainer(diverging: Collection[int] = ()) -> StandIn:
    """``train(arm, seed)`` in round numbers: 90 + seed with batch normalization, 80 + 2 · seed without."""

    def train(arm: str, seed: int) -> Run:
        number = float((90 + one_seed(seed), 80 + 2 * one_seed(seed))[known_arm(arm)])
        if arm == "plain" and int(seed) in diverging:
            return dict.fromkeys(QUANTITIES, GUESSING) | {"diverged": True}
        return {name: number - 10 * place for place, name in enumerate(reversed(QUANTITIES))} | {"diverged": False}

    never = f"; for seed {', '.join(map(str, diverging))} the plain one diverges" if diverging else ""
    return StandIn(f"a stand-in: its speed is 90 + seed for bn, 80 + 2 seed for plain{never}", train)


def tuner(scores: dict[str, dict[tuple[str, float, int], float]], text: str) -> StandIn:
    """``train(arm, rate, seed)`` from a table of every quantity; a rate or seed that is not in it is made up."""

    def train(arm: str, rate: float, seed: int) -> Run:
        place = (ARMS[known_arm(arm)], float(rate), one_seed(seed))
        made_up = zlib.crc32(repr(place).encode()) / 2**32
        return {name: table.get(place, 20.0 + made_up) for name, table in scores.items()}

    return StandIn(text, train)


def quantile(probability: float, degrees: float) -> float:
    """Student's t, whatever kind of number comes."""
    return t_quantile(float(probability), float(degrees))


quantile.__name__ = "t_quantile"  # as the student knows it


def student() -> StandIn:
    """``t_quantile(probability, degrees)``."""
    return StandIn("the quantiles of Student's t", quantile)
