"""What is asked of `paired_effects`, and how is it got wrong?"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import sentences
from ..answers import Array
from ..asking import Asked
from ..calling import Signature
from ..draw import Draw
from ..exercise import Arguments, Exercise, Kind, Problem
from ..inputs import leaves_alone

SECTION = "evidence-rules"


def reference(bn: Array, plain: Array, ratio: bool = False) -> Array:
    """The effect in each pair: the difference, or the logarithm of the ratio."""
    effects: Array = np.log(bn / plain) if ratio else bn - plain
    return effects


def two_arms(draw: Draw, problem: Problem) -> Arguments:
    """N numbers above 0 for each arm; eps stands for the scale: None differences by default, 0 and 1 for ``ratio``."""
    bn: Array = draw.random.uniform(0.5, 9.0, problem.N)
    plain: Array = draw.random.uniform(0.5, 9.0, problem.N)
    if problem.whole:
        bn, plain = (draw.random.integers(2, 40, problem.N) for _ in range(2))
        plain = plain + (bn == plain)
    if bn[0] < plain[0]:  # one effect for the claim at least, so that the logarithm of a difference is a number once
        bn, plain = plain, bn
    return (bn, plain) if problem.eps is None else (bn, plain, bool(problem.eps))


def size_of_effects(arguments: Arguments) -> Mapping[str, Array]:
    """A difference rounds like what is subtracted; a logarithm like 1, and the ratio in it."""
    bn, plain, *ratio = arguments
    if ratio and ratio[0]:
        return {"effects": 1.0 + np.abs(np.log(bn)) + np.abs(np.log(plain))}
    return {"effects": np.abs(bn) + np.abs(plain)}


THREE, TWO = np.array([3.0]), np.array([2.0])
PAIR, OTHERS = np.array([4.0, 2.0]), np.array([1.0, 3.0])

paired_effects = Exercise(
    Signature("paired_effects", ("bn", "plain", "ratio"), ("effects",), reference),
    problem=two_arms,
    scale=size_of_effects,
    section=SECTION,
    axes={"bn": "N", "plain": "N"},
    smallest=(
        (THREE, TWO),
        (THREE, TWO, True),
        (TWO, THREE),
        (TWO, THREE, True),
        (PAIR, OTHERS),
        (PAIR, OTHERS, True),
        (THREE, TWO, False),
        (np.array([3]), np.array([2]), True),
    ),
    probes=(Problem(5, 1, eps=1.0), Problem(4, 1), Problem(6, 1, eps=0.0), Problem(3, 1, eps=1.0), Problem(7, 1)),
    whole_probes=(Problem(5, 1, eps=1.0, whole=True), Problem(4, 1, eps=1.0, whole=True)),
)
exercise = paired_effects


@exercise.property(points=1, nudge="How many effects are there, if there are five seeds?")
def one_effect_for_each_seed(f: Asked, draw: Draw) -> None:
    """answers with one effect for each pair"""
    for problem in (Problem(5, 1), Problem(2, 1, eps=1.0)):
        f(two_arms(draw, problem))


@exercise.property(points=3, nudge="By how much is the first run with batch normalization ahead of its own partner?")
def subtracts_pair_by_pair(f: Asked, draw: Draw) -> None:
    """gives bn - plain, pair by pair, where differences are asked for"""
    for N in (5, 8):
        f.agrees(two_arms(draw, Problem(N, 1, eps=0.0)))


@exercise.property(points=3, nudge="What are twice as much and half as much, if they are to lie equally far from 0?")
def takes_the_log_of_a_ratio(f: Asked, draw: Draw) -> None:
    """gives the natural logarithm of bn / plain, pair by pair, where ratios are asked for"""
    for N in (5, 8):
        f.agrees(two_arms(draw, Problem(N, 1, eps=1.0)))


@exercise.property(points=1, nudge="What does your function give when nobody says `ratio`?")
def differences_by_default(f: Asked, draw: Draw) -> None:
    """gives differences when nothing is said"""
    f.agrees(two_arms(draw, Problem(4, 1)))


@exercise.property(points=1, nudge="The numbers may be whole ones, as steps are. What is the type of your result?")
def takes_whole_numbers(f: Asked, draw: Draw) -> None:
    """takes whole numbers, such as counts of steps, without losing what is behind the point"""
    f.agrees(two_arms(draw, Problem(6, 1, eps=1.0, whole=True)))


@exercise.property(points=1, needs="subtracts_pair_by_pair", nudge="Are the two arrays the same after your function?")
def inputs_stay(f: Asked, draw: Draw) -> None:
    """leaves the arrays that it was given as they were"""
    for eps in (0.0, 1.0):
        leaves_alone(f, two_arms(draw, Problem(4, 1, eps=eps)))


# ------------------------------------------------------------------------------------------------------------ its steps

steps = exercise.in_steps(ratio=False)


@steps.step
def difference(at: Any) -> Any:
    """bn - plain"""
    return at.bn - at.plain


@steps.step
def quotient(at: Any) -> Any:
    """bn / plain"""
    return at.bn / at.plain


@steps.step
def log_ratio(at: Any) -> Any:
    """the natural logarithm of the ratio"""
    return np.log(at.quotient)


@steps.step
def effects(at: Any) -> Any:
    """the logarithms where ratios are asked for, the differences otherwise"""
    return at.log_ratio if at.ratio else at.difference


# --------------------------------------------------------------------------------------------------------- the pairing


@exercise.misconception(Kind.ERROR, SECTION, about="difference quotient bn plain")
def the_other_way_round(bn: Array, plain: Array, ratio: bool = False) -> Array:
    """You compare the wrong way round: plain with bn. A positive effect is to speak for batch normalization, so it is
    bn - plain, and bn / plain."""
    return reference(plain, bn, ratio)


def bn_from_plain(at: Any) -> Any:
    """Differences only."""
    return at.plain - at.bn


def plain_over_bn(at: Any) -> Any:
    """Ratios only."""
    return at.plain / at.bn


exercise.another_way("the_other_way_round", step="difference")(bn_from_plain)
exercise.another_way("the_other_way_round", step="quotient")(plain_over_bn)


@exercise.misconception(Kind.ERROR, SECTION, step="difference", about="difference quotient bn plain")
def added(at: Any) -> Any:
    """You add the two numbers of a pair. An effect says how far one is *ahead* of the other, so for two arms that are
    alike it has to be 0: subtract."""
    return at.bn + at.plain


exercise.another_way("added", step="quotient")(lambda at: at.bn * at.plain)


@exercise.misconception(Kind.ERROR, SECTION, step="difference", about="difference quotient bn plain")
def an_arm_with_itself(at: Any) -> Any:
    """You compare an arm with itself, so every effect is 0, whatever was measured. One of the two names is written
    where the other belongs: it is bn - plain, and bn / plain."""
    return at.bn - at.bn


exercise.another_way("an_arm_with_itself", step="quotient")(lambda at: at.bn / at.bn)


@exercise.misconception(Kind.ERROR, SECTION, about="difference quotient bn plain order")
def sorted_before(bn: Array, plain: Array, ratio: bool = False) -> Array:
    """You sort the arms before you compare them. The best run then meets the best one, not the one with the same data
    and the same weights: what the seed does to both no longer cancels. Keep the order."""
    return reference(np.sort(bn), np.sort(plain), ratio)


@exercise.misconception(Kind.ERROR, SECTION, about="difference quotient bn plain")
def compared_with_the_mean(bn: Array, plain: Array, ratio: bool = False) -> Array:
    """You compare each run with the *mean* of the plain arm. Then the luck of its own seed stays in every effect. Each
    run has a partner, with the same data and weights: compare it with that one."""
    return reference(bn, np.full(len(plain), plain.mean()), ratio)


@exercise.misconception(Kind.ERROR, SECTION, about="effects")
def averaged_already(bn: Array, plain: Array, ratio: bool = False) -> Array:
    """You return the mean of the effects. The interval needs each of them, for how far they scatter says how sure the
    mean is. Return one effect for each pair."""
    return reference(bn, plain, ratio).mean()  # type: ignore[no-any-return]


@exercise.another_way("averaged_already")
def difference_of_the_means(bn: Array, plain: Array, ratio: bool = False) -> Array:
    """Of the means of the arms."""
    return reference(bn.mean(), plain.mean(), ratio)


@exercise.misconception(Kind.ERROR, SECTION, step="effects")
def signs_lost(at: Any) -> Any:
    """You take absolute values. An effect against the claim then counts as one for it, and even two arms that are alike
    seem to differ. Keep the signs."""
    return np.abs(at.log_ratio if at.ratio else at.difference)


@exercise.misconception(Kind.ERROR, SECTION, step="effects")
def mean_taken_off(at: Any) -> Any:
    """You subtract the mean of the effects from each. What is left always has the mean 0: the effect that you wanted to
    measure is gone. Centring belongs into the deviation, not here."""
    found = at.log_ratio if at.ratio else at.difference
    return found - found.mean()


# ------------------------------------------------------------------------------------------------------------ the scale


@exercise.misconception(Kind.ERROR, SECTION, step="log_ratio")
def ratio_without_its_logarithm(at: Any) -> Any:
    """You return the ratio itself. Twice as fast is 2 and half as fast is 0.5: they do not average to "the same", and
    an interval around their mean is lopsided. Logarithms lie equally far from 0."""
    return at.quotient


@exercise.misconception(Kind.ERROR, SECTION, step="log_ratio")
def relative_difference(at: Any) -> Any:
    """You return the relative difference, (bn - plain) / plain. It goes from -1 to infinity, so gains look larger than
    losses of the same factor. The logarithm of bn / plain treats both alike."""
    return at.quotient - 1.0


@exercise.another_way("relative_difference", step="log_ratio")
def in_percent(at: Any) -> Any:
    """Per hundred."""
    return 100.0 * (at.quotient - 1.0)


@exercise.misconception(Kind.ERROR, SECTION, step="log_ratio")
def logarithm_to_another_base(at: Any) -> Any:
    """Your logarithm has another base than e. Whoever goes back to a factor with exp gets a wrong one: take the natural
    logarithm, `np.log`."""
    return np.log10(at.quotient)


exercise.another_way("logarithm_to_another_base", step="log_ratio")(lambda at: np.log2(at.quotient))


@exercise.misconception(Kind.ERROR, SECTION, step="ratio", about="ratio quotient")
def ratio_ignored(at: Any) -> Any:
    """You give differences even where ratios are asked for. Of steps, or of learning rates, a difference says little:
    from 10 to 20 is as much as from 1000 to 2000. Look at the argument `ratio`."""
    return False


@exercise.misconception(Kind.ERROR, SECTION, step="ratio", about="ratio difference")
def always_a_ratio(at: Any) -> Any:
    """You give logarithms of ratios even where differences are asked for. Accuracies in percent are compared in points,
    by subtraction. Look at the argument `ratio`."""
    return True


@exercise.misconception(Kind.ERROR, SECTION, step="ratio", about="ratio difference")
def ratio_by_default(at: Any) -> Any:
    """You give logarithms of ratios when nothing is said. What is asked for is `ratio=False` as the default: then it is
    differences, unless the caller says otherwise."""
    return at.given.get("ratio", True)


@exercise.misconception(Kind.ERROR, SECTION, step="log_ratio")
def logarithm_of_the_difference(at: Any) -> Any:
    """You take the logarithm of the difference, which is not a number where plain is ahead. It is the ratio that the
    logarithm belongs to: log(bn / plain), or log(bn) - log(plain)."""
    return np.log(at.difference)


@exercise.misconception(Kind.ERROR, SECTION, sentences.WHOLE_NUMBER_BUFFER)
def whole_number_buffer(bn: Array, plain: Array, ratio: bool = False) -> Array:
    """Like the first arm."""
    effects = np.zeros_like(bn)
    effects[:] = reference(bn, plain, ratio)
    return effects


exercise.another_way("whole_number_buffer")(
    lambda bn, plain, ratio=False: np.log(bn // plain if bn.dtype.kind == "i" else bn / plain) if ratio else bn - plain
)


@exercise.misconception(Kind.CONTRACT, SECTION, sentences.CHANGES_ITS_INPUT)
def changes_its_input(bn: Array, plain: Array, ratio: bool = False) -> Array:
    """Subtracts in place."""
    found = reference(bn, plain, ratio)
    bn[:] = found
    return found
