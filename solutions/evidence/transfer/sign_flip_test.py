"""What is asked of `sign_flip_test`, and how is it got wrong?

The exact test of Fisher for paired effects: without an effect of the arm, each pair could as well have come the other
way round, so that every choice of signs is equally likely. What carries over from the assignment is what a pair is, and
what a p-value does not say.
"""

from itertools import product
from typing import Any

import numpy as np

from bncourse.checks import sentences
from bncourse.checks.answers import Array
from bncourse.checks.asking import Asked, Refused
from bncourse.checks.calling import Signature
from bncourse.checks.draw import Draw
from bncourse.checks.exercise import Arguments, Exercise, Kind, Problem
from bncourse.checks.inputs import leaves_alone

SECTION = "evidence-interval"
ROUNDING = 1e-9
"""Of the largest sum: closer ones are ties, for a sum's last digit depends on its order."""

TENTHS = 12
"""Rows of tenths, which are not exact in binary: in one of them, at least, equal sums come out unequal."""


def all_sums(effects: Array) -> Array:
    """The sums of all 2^n choices of signs."""
    signs = np.array(list(product((1.0, -1.0), repeat=len(effects))))
    sums: Array = signs @ np.asarray(effects, float)
    return sums


def share_of(hits: Any) -> float:
    """The share of choices that count."""
    return float(np.mean(hits))


def room(effects: Array) -> float:
    """How far two sums that are the same may lie apart."""
    return ROUNDING * float(np.abs(effects).sum())


def reference(effects: Array) -> float:
    """The share of sign choices whose sum is at least as far from 0 as the one that was seen."""
    return share_of(np.abs(all_sums(effects)) >= abs(np.sum(effects)) - room(effects))


def effects_with(draw: Draw, problem: Problem) -> Arguments:
    """N effects, more for than against, their sums exact in binary; whole numbers tie; eps turns them round."""
    if problem.whole:
        effects = draw.random.permutation(np.array([1, 1, 2, 3, 2, 1, 3, 1])[: problem.N]) * 1
        effects[0] = -effects[0]
    else:
        effects = draw.random.integers(32, 192, problem.N) / 64
        effects[: problem.N // 4] *= -0.5
        draw.random.shuffle(effects)
    return (effects if problem.eps is None else -effects,)


sign_flip_test = Exercise(
    Signature("sign_flip_test", ("effects",), ("p",), reference),
    problem=effects_with,
    scale=lambda arguments: {"p": np.asarray(1e-3)},
    section=SECTION,
    axes={"effects": "N"},
    smallest=(
        (np.array([1.0, 2.0]),),
        (np.array([-1.0, 2.0]),),
        (np.array([-1.0, -2.0]),),
        (np.array([1.0, 2.0, 3.0]),),
        (np.array([-1.0, 2.0, 4.0]),),
        (np.array([1.0, 1.0]),),
        (np.array([1.0, 1.0, -1.0]),),
        (np.array([0.1, 0.2, 0.3, -0.1]),),
    ),
    probes=(Problem(6, 1), Problem(5, 1, eps=1.0), Problem(8, 1), Problem(7, 1, eps=1.0)),
    whole_probes=(Problem(6, 1, whole=True), Problem(8, 1, whole=True)),
)
exercise = sign_flip_test


@exercise.property(points=1, nudge="How many choices of signs are there for three effects? How small can p be?")
def a_share(f: Asked, draw: Draw) -> None:
    """answers with one number, above 0 and not above 1"""
    for problem in (Problem(5, 1), Problem(3, 1, eps=1.0)):
        p = float(f(effects_with(draw, problem))["p"])
        if not 0 < p <= 1:
            raise Refused(f"p is {p:.4g}: the choice of signs that was seen is one of them, so that p is above 0.")


@exercise.property(points=4, nudge="List the eight sums of three effects by hand. Which of them count?")
def counts_the_sums_as_far_from_0(f: Asked, draw: Draw) -> None:
    """gives the share of all 2^n choices of signs whose sum is as far from 0 as the one that was seen, or further"""
    for N in (3, 6, 9):
        f.agrees(effects_with(draw, Problem(N, 1)))


@exercise.property(points=2, nudge="What becomes of p if all effects change their signs?")
def both_directions_count(f: Asked, draw: Draw) -> None:
    """asks in both directions, so that effects against the claim are as surprising as effects for it"""
    for N in (4, 7):
        f.agrees(effects_with(draw, Problem(N, 1, eps=1.0)))
        f.agrees(effects_with(draw, Problem(N, 1)))


@exercise.property(points=2, nudge="Another choice of signs gives just the same sum. Does it count? In floats, too?")
def ties_count(f: Asked, draw: Draw) -> None:
    """counts ties, also those that rounding hides: 0.1 + 0.2 is 0.3"""
    for _ in range(TENTHS):
        f.agrees((draw.random.choice([-1, 1, 1], 7) * draw.random.integers(1, 10, 7) / 10,))
    f.agrees(effects_with(draw, Problem(7, 1, whole=True)))


@exercise.property(
    points=1, needs="counts_the_sums_as_far_from_0", nudge="Are the effects the same after your function has run?"
)
def inputs_stay(f: Asked, draw: Draw) -> None:
    """leaves the effects as they were"""
    leaves_alone(f, effects_with(draw, Problem(5, 1)))


# ------------------------------------------------------------------------------------------------------------ its steps

steps = exercise.in_steps()


@steps.step
def seen(at: Any) -> Any:
    """the sum that was seen"""
    return np.sum(at.effects)


@steps.step
def sums(at: Any) -> Any:
    """the sums of all choices of signs"""
    return all_sums(at.effects)


@steps.step
def counted(at: Any) -> Any:
    """which of them count: as far from 0 as the one that was seen, or further, to rounding"""
    return np.abs(at.sums) >= np.abs(at.seen) - room(at.effects)


@steps.step
def p(at: Any) -> Any:
    """the share that counts"""
    return share_of(at.counted)


# ------------------------------------------------------------------------------------------------------------- mistakes


@exercise.misconception(Kind.ERROR, SECTION, step="counted")
def one_direction(at: Any) -> Any:
    """You count only the sums that are at least as large, not those as far *below* 0. The claim said nothing about the
    direction of chance: take the distance from 0 on both sides."""
    return at.sums >= at.seen - room(at.effects)


@exercise.misconception(Kind.ERROR, SECTION, step="p", about="p counted")
def one_direction_doubled(at: Any) -> Any:
    """You double the share of the sums that are at least as large. With effects against the claim that is more than 1:
    count the sums as far from 0 as the one that was seen, on either side."""
    return 2 * share_of(at.sums >= at.seen - room(at.effects))


@exercise.misconception(Kind.ERROR, SECTION, step="counted")
def ties_left_out(at: Any) -> Any:
    """You count only sums that are further from 0 than the one that was seen. That one, too, is a choice of signs that
    chance may make, and all that equal it: count "as far, or further"."""
    return np.abs(at.sums) > np.abs(at.seen) + room(at.effects)


@exercise.misconception(Kind.ERROR, SECTION, step="counted")
def the_other_side_counted(at: Any) -> Any:
    """You return the share of the sums that are *less* far from 0. A small p is to say that chance seldom goes so far:
    count the others."""
    return np.abs(at.sums) < np.abs(at.seen) - room(at.effects)


@exercise.misconception(Kind.ERROR, SECTION, step="p")
def number_for_share(at: Any) -> Any:
    """You return how many choices count, not their share. Divide by the number of all, 2^n."""
    return np.sum(at.counted)


@exercise.misconception(Kind.ERROR, SECTION, step="p")
def one_added(at: Any) -> Any:
    """You add 1 above and below the line. That is right where a few choices are *drawn*; here all are counted, and the
    one that was seen is among them already."""
    return (np.sum(at.counted) + 1) / (len(at.sums) + 1)


@exercise.misconception(Kind.ERROR, SECTION, step="sums")
def seen_one_left_out(at: Any) -> Any:
    """You leave out the choice in which no sign is changed. It is one of the 2^n that chance may make; without it p can
    be 0, which no finite experiment shows."""
    return all_sums(at.effects)[1:]


@exercise.misconception(Kind.ERROR, SECTION, step="sums")
def one_sign_at_a_time(at: Any) -> Any:
    """You change one sign at a time only. Chance chooses for each pair by itself, so there are 2^n choices, not n + 1:
    change the signs of every subset."""
    n = len(at.effects)
    return np.array([at.seen, *(at.seen - 2 * at.effects[k] for k in range(n))])


@exercise.misconception(Kind.ERROR, SECTION, step="sums")
def order_shuffled(at: Any) -> Any:
    """You shuffle the order of the effects. That changes no sum at all, so p is always 1. What chance may turn round is
    each pair: the *sign* of its effect."""
    return np.full(2, at.seen)


@exercise.misconception(Kind.ERROR, SECTION)
def sign_test(effects: Array) -> float:
    """You look at the signs only, and not at how large the effects are. That is the sign test: the sum over all choices
    of signs has to weigh each effect by its size."""
    return reference(np.sign(effects))


@exercise.misconception(Kind.CONTRACT, SECTION, sentences.CHANGES_ITS_INPUT)
def changes_its_input(effects: Array) -> float:
    """Takes the absolute values in place."""
    found = reference(effects)
    np.abs(effects, out=effects)
    return found
