"""Which mutants are right answers after all?

A mutant is *equivalent* when it gives the reference's answer on wide sampling: every shape of the case (also N = D and
N < D), eps left out, small, large and tiny, constant and low-variance features, whole numbers, dy and gamma 0, every
momentum; the inputs left as they were, and a cache that answers twice alike. Answers agree within 1e-9 of the size of
what is added up, NaN in the same places, (1, D) being as good as (D,); an answer in float32 within 1e-4. A right answer
that loses digits (E[x²] - E[x]²) may lose them after a slip too: a hundred times its own error is allowed.

What crashes, hangs or answers in another shape is not equivalent, of course. It is *crashing* when it does not even
answer the plain problem.
"""

import signal
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import product
from types import FrameType
from typing import Any

import numpy as np

from .cases import CASES, Answer, Case, Draw, Inputs
from .making import Mutant

SECONDS = 1.0
"""An answer takes milliseconds; what takes this long does not end."""

PROBLEMS = 60
"""How many problems of each case are tried."""


class TooLong(BaseException):
    """The time is up. Not an Exception, so that a mutant cannot catch it by chance."""


@contextmanager
def limited(seconds: float = SECONDS) -> Iterator[None]:
    """Raise TooLong after so many seconds of this process's own time; no warnings."""

    def ring(signum: int, frame: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@dataclass(frozen=True)
class Trial:
    """What one answer made of one problem."""

    arrays: Answer
    error: str = ""
    changed: tuple[str, ...] = ()
    """The inputs that are no longer what they were."""


def attempt(case: Case, functions: tuple[Any, ...], inputs: Inputs) -> Trial:
    """Run an answer on copies of the inputs."""
    given = {name: np.array(value) if isinstance(value, np.ndarray) else value for name, value in inputs.items()}
    try:
        with limited():
            arrays = {name: plain(value) for name, value in case.run(functions, given).items()}
    except TooLong:
        return Trial({}, "TooLong")
    except Exception as raised:
        return Trial({}, type(raised).__name__)
    changed = tuple(
        name for name, value in given.items() if isinstance(value, np.ndarray) and touched(inputs[name], value)
    )
    return Trial(arrays, "", changed)


def touched(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether an input was changed; perturbing x and putting it back may round."""
    if before.shape != after.shape:
        return True
    return not np.allclose(before, after, rtol=1e-12, atol=1e-12, equal_nan=True)


def plain(value: Any) -> np.ndarray:
    """An output as an array of numbers, a copy."""
    array = np.array(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"an output of {array.dtype}")
    return array


@cache
def problems(exercise: str) -> tuple[Inputs, ...]:
    """The problems of a case: first the plain ones, one of each shape, then combinations of all that is special."""
    case = CASES[exercise]
    random = np.random.default_rng(20150211)
    plain_ones = [Draw(shape, 0.1 if 0.1 in case.epses else None, "", case.momenta[0]) for shape in case.shapes]
    every = [
        Draw(shape, eps, special, momentum)
        for shape, eps, special, momentum in product(case.shapes, case.epses, ("", *case.special), case.momenta)
        if not (eps == 1e-12 and special in ("constant", "whole"))  # there rounding is as large as the answer
    ]
    chosen = [every[k] for k in random.permutation(len(every))[: PROBLEMS - len(plain_ones)]]
    return tuple(case.draw(random, one) for one in plain_ones + chosen)


@cache
def expected(exercise: str) -> tuple[Trial, ...]:
    """The reference's answers."""
    case = CASES[exercise]
    found = tuple(attempt(case, case.reference, inputs) for inputs in problems(exercise))
    assert not any(one.error for one in found), (exercise, {one.error for one in found})
    return found


@cache
def own_errors(functions: tuple[Any, ...], exercise: str) -> tuple[dict[str, float], ...]:
    """How far a right answer is from the reference's, output by output."""
    case, errors = CASES[exercise], []
    for inputs, right in zip(problems(exercise), expected(exercise), strict=True):
        trial = attempt(case, functions, inputs)
        assert not trial.error, (exercise, functions, trial.error)
        errors.append({name: error(trial.arrays[name], value) for name, value in right.arrays.items()})
    return tuple(errors)


def flat(array: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(1, D) as (D,)."""
    return array.reshape(wanted.shape) if array.shape == (1, *wanted.shape) or array.size == wanted.size == 1 else array


def error(actual: np.ndarray, wanted: np.ndarray) -> float:
    """The largest difference; infinite for another shape, or NaN in other places."""
    actual = flat(actual, wanted)
    if actual.shape != wanted.shape or not np.array_equal(np.isfinite(actual), np.isfinite(wanted)):
        return float("inf")
    both = np.isfinite(wanted)
    return float(np.max(np.abs(np.subtract(actual, wanted, where=both, out=np.zeros(wanted.shape))), initial=0.0))


@cache
def sizes(exercise: str) -> tuple[dict[str, float], ...]:
    """The size of what is added up in each output: beside it rounding is small, whatever cancels."""
    found = []
    for inputs, right in zip(problems(exercise), expected(exercise), strict=True):
        terms: dict[str, float] = {}
        with np.errstate(all="ignore"):
            for roles, value in CASES[exercise].quantities(inputs):
                for role in roles:
                    largest = np.max(np.abs(np.asarray(value, dtype=np.float64)), initial=0.0)
                    terms[role] = max(terms.get(role, 0.0), float(np.nan_to_num(largest)))
        floor = {"dx": terms.get("dx_direct", 0.0), "dgamma": terms.get("dy", 0.0), "dbeta": terms.get("dy", 0.0)}
        found.append(
            {
                name: max(float(np.max(np.abs(np.nan_to_num(value)), initial=0.0)), floor.get(name.split(",")[0], 0.0))
                for name, value in right.arrays.items()
            }
        )
    return tuple(found)


@dataclass(frozen=True)
class Verdict:
    """What wide sampling says of a mutant."""

    equivalent: bool
    crashing: bool
    """Whether it gives no array on the plain problem."""
    evidence: str
    """The first problem that shows it, and how."""


def judged(mutant: Mutant) -> Verdict:
    """Hold a mutant against the reference."""
    case = CASES[mutant.exercise]
    try:
        functions = mutant.functions
    except Exception as raised:  # a slip in a default or a class body shows when it is defined
        return Verdict(False, True, type(raised).__name__)
    own = own_errors(mutant.origin.functions, case.name)
    every = zip(problems(case.name), expected(case.name), sizes(case.name), own, strict=True)
    for number, (inputs, right, size, own_error) in enumerate(every):
        trial = attempt(case, functions, inputs)
        if trial.error:
            return Verdict(False, number == 0, f"problem {number}: {trial.error}")
        for name, wanted in right.arrays.items():
            single = trial.arrays.get(name, wanted).dtype in (np.float32, np.float16)
            unit = max(1e-4 if single else 0.0, case.tolerance)
            off = error(trial.arrays[name], wanted) if name in trial.arrays else float("inf")
            if not off <= unit * size[name] + 100 * own_error[name]:
                return Verdict(False, False, f"problem {number}: {name} is off by {off:.2g}")
        if trial.changed:
            return Verdict(False, False, f"problem {number}: {', '.join(trial.changed)} changed")
    return Verdict(True, False, "")
