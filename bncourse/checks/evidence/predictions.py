"""What is asked of `predictions`, and what is missing in it?

Any prediction is right here, if it is one: two claims, for each a number, the smallest effect that would matter, and a
reason. What it is worth as an argument, a person says.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..answers import Unsuitable, described
from ..asking import Asked, Refused
from ..calling import Outcome, Signature, guarded
from ..draw import Draw
from ..exercise import Arguments, Exercise, Functions

SECTION = "evidence-rules"
CLAIMS: dict[str, bool] = {"high_rate": False, "small_start": False, "small_batches": False, "faster": True}
"""The claims to choose from, and whether the effect is a factor (otherwise a difference, in percentage points)."""

HOW_MANY = 2
WORDS = 8
"""A reason in fewer words gives none."""

Entry = tuple[Any, Any, Any]


def reference() -> dict[str, Entry]:
    """One of many right answers."""
    return {
        "high_rate": (
            60.0,
            5.0,
            "a rate that is too large makes the weights grow, and larger weights get smaller steps",
        ),
        "faster": (1.5, 1.2, "every layer sees inputs of one scale from the first step on, so early steps count"),
    }


def claims_made(functions: Functions, signature: Signature, arguments: Arguments) -> Outcome:
    """How many of the claims have what each of them needs."""
    (function,) = functions

    def question() -> Mapping[str, Any]:
        return {name: np.asarray(number, float) for name, number in counted(function(), signature.name).items()}

    found, complaint, error = guarded(question, function, signature.name)
    return Outcome(found or {}, complaint, error)


def counted(answer: object, name: str) -> dict[str, int]:
    """Known claims, and how many of them come with an expectation, a smallest effect, a reason of its own."""
    entries = entries_of(answer, name)
    known = {claim: entry for claim, entry in entries.items() if claim in CLAIMS}
    reasons = {" ".join(words_of(entry[2])) for entry in known.values() if len(words_of(entry[2])) >= WORDS}
    return {
        "claims": len(known) if len(known) == len(entries) else -len(known),
        "expected": sum(is_expected(entry[0], CLAIMS[claim]) for claim, entry in known.items()),
        "smallest": sum(is_smallest(entry[1], CLAIMS[claim]) for claim, entry in known.items()),
        "reasons": len(reasons),
    }


def entries_of(answer: object, name: str) -> dict[str, Entry]:
    """The answer as a dictionary of triples; a sentence when it is none."""
    if answer is None:
        raise Unsuitable(f"{name} returned None: is its return statement missing?")
    if not issubclass(type(answer), dict):
        raise Unsuitable(f"{name} returned {described(answer)}, expected a dictionary: claim -> (expected, ...).")
    found: dict[str, Entry] = {}
    items: dict[Any, Any] = dict(answer)  # type: ignore[call-overload]  # looked at just above
    for claim, entry in items.items():
        if not isinstance(claim, str) or not issubclass(type(entry), tuple | list) or len(entry) != 3:
            raise Unsuitable(f"{name}: every claim's name belongs to three things, (expected, smallest, reason).")
        found[claim] = tuple(entry)
    return found


def number(value: Any) -> float:
    """A number as a float; NaN for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        return float("nan")
    return float(value)


def is_expected(value: Any, factor: bool) -> bool:
    """Whether it is an effect: any finite number, or a factor above 0."""
    return bool(np.isfinite(number(value)) and (not factor or number(value) > 0))


def is_smallest(value: Any, factor: bool) -> bool:
    """Whether it can be an effect that matters: above 0, or a factor above 1."""
    return bool(np.isfinite(number(value)) and number(value) > (1.0 if factor else 0.0))


def words_of(reason: Any) -> list[str]:
    """The words of a reason, different ones only."""
    return list(dict.fromkeys(re.findall(r"[^\W\d_]+", reason.lower()))) if isinstance(reason, str) else []


predictions = Exercise(
    Signature("predictions", (), ("claims", "expected", "smallest", "reasons"), reference),
    problem=lambda draw, problem: (),
    scale=lambda arguments: dict.fromkeys(("claims", "expected", "smallest", "reasons"), np.asarray(1.0)),
    section=SECTION,
    smallest=((),),
    caller=claims_made,
    plain=True,
)
exercise = predictions


@exercise.property(points=2, nudge="Which two of the four claims do you want to try?")
def two_claims_of_the_list(f: Asked, draw: Draw) -> None:
    """names two claims of the list, neither more nor others"""
    claims = int(f(())["claims"])
    if claims != HOW_MANY:
        raise Refused(
            f"It names {abs(claims)} of the claims {', '.join(CLAIMS)}"
            f"{', and others that are not among them' if claims < 0 else ''}; name two of these."
        )


@exercise.property(points=1, nudge="How large will the effect be? Say a number, even if you are not sure.")
def a_number_expected(f: Asked, draw: Draw) -> None:
    """says for both how large the effect will be: a number of points, or a factor above 0"""
    enough(f, "expected", "an effect that you expect: a number of points, for `faster` a factor above 0")


@exercise.property(points=2, nudge="From which size on would you tell somebody about the effect?")
def a_smallest_effect(f: Asked, draw: Draw) -> None:
    """says for both which effect is the smallest that matters: points above 0, or a factor above 1"""
    enough(f, "smallest", "a smallest effect that matters: points above 0, for `faster` a factor above 1")


@exercise.property(points=1, nudge="Why do you expect it? What happens in the layer?")
def a_reason(f: Asked, draw: Draw) -> None:
    """gives for each a reason of its own, in eight different words or more"""
    enough(f, "reasons", f"a reason of its own, in {WORDS} different words or more")


def enough(f: Asked, name: str, what: str) -> None:
    """Refuse an answer in which a claim lacks something."""
    answer = f(())
    if int(answer[name]) < HOW_MANY:
        raise Refused(f"Of the two claims {('none has', 'only one has')[int(answer[name])]} {what}.")
