"""Which mistakes can be made in every norm that standardizes, and how do they read in each?

Layer, instance and group normalization differ in what shares a mean and a variance, not in the formula. So they have
the same steps, and most wrong steps are those of batch normalization.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from .. import quantities as q
from ..answers import Array
from ..chain import Chain, Step
from ..exercise import Exercise, Kind, Misconception, Way
from ..forward.normalize import normalize
from ..forward.scale_shift import scale_shift
from ..inputs import EPS
from ..reading import Factor, Reading, Term
from .sums import OF_A_NORM, Sums, number, spread

Average = Callable[[Any, Array], Any]
"""The mean of an array of x's shape over something, in a shape that broadcasts against it."""


@dataclass(frozen=True)
class Words:
    """How a norm speaks of what it averages over."""

    norm: str
    one: str
    """What has a mean of its own: "sample"."""
    values: str
    """What it is averaged over: "features"."""
    M: str
    """Their number, which is also the name of the step that counts them."""
    section: str

    def counted(self) -> str:
        """The number of what, in words."""
        return f"{self.M}, the number of {self.values}"


# ---------------------------------------------------------------------------------------------------------- the steps


def in_steps(exercise: Exercise, w: Words, sums: Sums = OF_A_NORM) -> Chain:
    """Write the forward in steps, x_hat as in batch normalization but for what is averaged over."""
    chain = begun(exercise)
    add(chain, w.M, f"the number of {w.values} that share a mean", sums.number)
    add(chain, "mean", f"the mean of each {w.one}, over its {w.values}", lambda at: sums.total(at, at.x) / at_M(at, w))
    add(
        chain,
        "var",
        f"the mean square distance from that mean: a sum divided by {w.M}",
        lambda at: sums.total(at, (at.x - at.mean) ** 2) / at_M(at, w),
    )
    add(chain, "centred", f"how far each value lies from the mean of its {w.one}", lambda at: at.x - at.mean)
    add(chain, "std", "the root of var + eps", lambda at: np.sqrt(at.var + at.eps))
    add(chain, "x_hat", "the distance from the mean, divided by std", lambda at: at.centred / at.std)
    add(
        chain,
        "y",
        "gamma times x_hat, plus beta",
        lambda at: sums.ends(at, sums.spread(at, at.gamma) * at.x_hat + sums.spread(at, at.beta)),
    )
    return chain


def begun(exercise: Exercise) -> Chain:
    """A chain that knows the number of groups, for images."""
    chain = exercise.in_steps(eps=EPS)
    if exercise.axes.get("x") == "NCHW" and "groups" not in exercise.signature.parameters:
        add(chain, "groups", "as many groups as channels: each channel by itself", lambda at: at.x.shape[1])
    return chain


def add(chain: Chain, name: str, words: str, step: Step) -> None:
    """Add a step under this name, and these words."""

    def named(at: Any) -> Any:
        return step(at)

    named.__name__, named.__doc__ = name, words
    chain.step(named)


def at_M(at: Any, w: Words) -> Any:
    """The count as the chain has it, which may be the wrong one."""
    return getattr(at, w.M)


def normalized(x: Array, mean: Any, var: Any, gamma: Any, beta: Any, eps: float) -> tuple[Any, None]:
    """The formula with whatever statistics."""
    return spread(gamma, x) * (x - mean) / np.sqrt(var + eps) + spread(beta, x), None


def moments(x: Array, *axes: int) -> tuple[Any, Any]:
    """Mean and variance over these axes."""
    return x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)


# ------------------------------------------------------------------------------------------------------- the mistakes


def add_mistakes(exercise: Exercise, w: Words, only_centres: str, sums: Sums = OF_A_NORM) -> None:
    """Add the wrong steps of batch normalization, said of this norm, and those in its variance."""
    for entry in normalize.misconceptions:
        if any(way.wrong for way in entry.ways):
            said = only_centres if entry.identifier == "only_centres" else reworded(entry.sentence, w.one)
            ways = [Way(exercise.from_steps(way.wrong), way.wrong) for way in entry.ways]
            exercise.misconceptions.append(replace(entry, sentence=said, ways=tuple(ways)))
    for entry in scale_shift.misconceptions:
        if any(way.wrong for way in entry.ways):
            wrong = [{name: with_spread_parameters(one, sums) for name, one in way.wrong.items()} for way in entry.ways]
            exercise.misconceptions.append(
                replace(
                    entry,
                    sentence=entry.sentence.replace("every feature", f"every {w.one}"),
                    ways=tuple(Way(exercise.from_steps(one), one) for one in wrong),
                )
            )
    add_variances(exercise, w, sums)
    add_rest(exercise, sums)
    add_default(exercise)


def reworded(sentence: str, one: str) -> str:
    """A sentence on a feature, said of what has a mean here."""
    return sentence.replace("A feature", f"A {one}").replace("feature", one)


def with_spread_parameters(wrong: Step, sums: Sums) -> Step:
    """A wrong step of the dense layer, on whatever x: gamma and beta broadcast against it."""

    def step(at: Any) -> Any:
        seen = SimpleNamespace(**vars(at))
        seen.gamma, seen.beta = sums.spread(at, at.gamma), sums.spread(at, at.beta)
        return sums.ends(at, wrong(seen))

    return step


def add_variances(exercise: Exercise, w: Words, sums: Sums) -> None:
    """Add the ways to get the variance wrong."""
    M, one, total = w.M, w.one, sums.total

    @exercise.misconception(
        Kind.CONVENTION,
        w.section,
        f"You divide the variance by {M} - 1. That is the unbiased estimate of statistics (ddof=1 in NumPy, and what "
        f"PyTorch's x.var() gives); {w.norm} divides by {w.counted()}, so that each {one} comes out with variance 1.",
        step="var",
        about="var N",
    )
    def unbiased_variance(at: Any) -> Any:
        return total(at, (at.x - at.mean) ** 2) / (at_M(at, w) - 1)

    @exercise.misconception(
        Kind.ERROR,
        w.section,
        "You use the standard deviation where the variance belongs, so in the end the root is taken twice. Under the "
        "root stands the mean of the squared distances, plus eps.",
        step="var",
    )
    def deviation_for_variance(at: Any) -> Any:
        return np.sqrt(total(at, (at.x - at.mean) ** 2) / at_M(at, w))

    @exercise.misconception(
        Kind.ERROR,
        w.section,
        "You average the absolute distances from the mean. The variance averages their squares, which is what makes it "
        "differentiable, and makes x_hat come out with variance 1.",
        step="var",
    )
    def mean_absolute_deviation(at: Any) -> Any:
        return total(at, np.abs(at.x - at.mean)) / at_M(at, w)

    @exercise.misconception(
        Kind.ERROR,
        w.section,
        "You average the squares of x itself. The variance averages the squares of the distances from the mean: "
        "subtract the mean first. Without any mean it would be RMS normalization.",
        step="var",
    )
    def squares_not_centred(at: Any) -> Any:
        return total(at, at.x * at.x) / at_M(at, w)

    @exercise.misconception(
        Kind.ERROR,
        w.section,
        f"You add the squared distances up but do not divide by {w.counted()}, so the variance grows with them and "
        "x_hat shrinks.",
        step="var",
    )
    def squares_not_averaged(at: Any) -> Any:
        return total(at, (at.x - at.mean) ** 2)


def add_rest(exercise: Exercise, sums: Sums) -> None:
    """Add what is rarer: eps twice, a gamma that divides."""

    @exercise.misconception(
        Kind.ERROR,
        "normalize-eps",
        "You add eps twice: to the variance, and once more under the root. The variance is what it is; eps comes in "
        "once, when you divide by the root of var + eps.",
        step="std",
        about="eps",
    )
    def eps_added_twice(at: Any) -> Any:
        return np.sqrt(at.var + 2 * at.eps)

    @exercise.misconception(
        Kind.ERROR,
        "scale-shift",
        "You divide by gamma. It is a factor: gamma = 2 makes the output twice as wide, and gamma = 0 switches it off.",
        step="y",
        about="gamma",
    )
    def divides_by_gamma(at: Any) -> Any:
        return sums.ends(at, at.x_hat / sums.spread(at, at.gamma) + sums.spread(at, at.beta))


def add_slips(exercise: Exercise, w: Words, sums: Sums) -> None:
    """Add slips that elsewhere the reading names."""

    @exercise.misconception(
        Kind.ERROR,
        w.section,
        f"You add the values up for the mean but do not divide by {w.counted()}. The mean of equal values has to be "
        "that value, however many there are.",
        step="mean",
        about="mean N",
    )
    def mean_not_averaged(at: Any) -> Any:
        return sums.total(at, at.x)

    @exercise.misconception(
        Kind.ERROR,
        "normalize-formula",
        "You multiply x by gamma before the mean is subtracted, for `gamma * x - mean` means (gamma * x) - mean. Put "
        "the difference in parentheses: gamma * (x - mean) / std + beta.",
        step="y",
        about="gamma mean",
    )
    def scales_before_it_centres(at: Any) -> Any:
        return sums.ends(at, (sums.spread(at, at.gamma) * at.x - at.mean) / at.std + sums.spread(at, at.beta))


def add_default(exercise: Exercise) -> None:
    """Add the defaults of other libraries than Keras."""

    @exercise.misconception(
        Kind.CONVENTION,
        "normalize-eps",
        "Your eps is not 1e-5 when none is given. Libraries differ (Flax has 1e-6, the code of BERT 1e-12), and where "
        "something hardly varies it shows; this course, like PyTorch, asks for 1e-5.",
        step="eps",
    )
    def default_eps_of_another_library(at: Any) -> Any:
        return at.given.get("eps", 1e-6)

    for other in (0.0, 1e-12, 1e-8, 1e-7, 1e-4):
        exercise.another_way("default_eps_of_another_library", step="eps")(
            lambda at, other=other: at.given.get("eps", other)
        )


def add_other_axes(
    exercise: Exercise, w: Words, identifier: str, sentence: str, *averages: Average, sums: Sums = OF_A_NORM
) -> None:
    """Add the mistake of averaging over something else, in the mean, in the variance, or in both."""
    ways = [wrong for average in averages for wrong in with_average(average, sums)]
    entry = Misconception(
        identifier,
        sentence,
        Kind.ERROR,
        w.section,
        tuple(Way(exercise.from_steps(wrong), wrong) for wrong in ways),
        frozenset({"mean", "var", "axis"}),
    )
    exercise.misconceptions.append(entry)


def with_average(average: Average, sums: Sums) -> tuple[dict[str, Step], ...]:
    """The ways to average over something else: in both, in the mean, in the variance, about the one mean or the "
    "other."""

    def mean(at: Any) -> Any:
        return average(at, at.x)

    def var(at: Any) -> Any:
        return average(at, (at.x - at.mean) ** 2)

    def var_about_its_own_mean(at: Any) -> Any:
        return average(at, (at.x - average(at, at.x)) ** 2)

    def right_variance(at: Any) -> Any:
        return sums.total(at, (at.x - sums.total(at, at.x) / sums.number(at)) ** 2) / sums.number(at)

    return (
        {"mean": mean, "var": var},
        {"mean": mean, "var": right_variance},
        {"mean": mean},
        {"var": var_about_its_own_mean},
        {"var": var},
    )


def over_axes(*axes: int) -> Average:
    """The mean over these axes."""
    return lambda at, values: values.mean(axis=axes, keepdims=True)


def add_counts(
    exercise: Exercise, w: Words, sentence: str, *counts: Callable[[Any], Any], sums: Sums = OF_A_NORM
) -> None:
    """Add the mistake of dividing by another number, in the mean, in the variance, or in both."""
    first, *others = counts

    @exercise.misconception(Kind.ERROR, w.section, sentence, step=w.M, about="mean var N")
    def divides_by_another_number(at: Any) -> Any:
        return first(at)

    for count in others:
        exercise.another_way("divides_by_another_number", step=w.M)(count)
    for count in counts:
        exercise.another_way("divides_by_another_number", step="mean")(
            lambda at, count=count: sums.total(at, at.x) / count(at)
        )
        exercise.another_way("divides_by_another_number", step="var")(
            lambda at, count=count: sums.total(at, (at.x - at.mean) ** 2) / count(at)
        )


# --------------------------------------------------------------------------------------------------------- the reading


def counts_of(w: Words, *others: Factor) -> tuple[Factor, ...]:
    """The numbers by which a term can be off."""
    return (
        Factor(w.M, number, "N"),
        Factor(f"{w.M}/({w.M} - 1)", lambda at: number(at) / (number(at) - 1), "N"),
        *others,
    )


def read_y(exercise: Exercise, w: Words, per: str, factors: tuple[Factor, ...]) -> None:
    """Read y as a sum of its terms."""
    exercise.read(
        Reading(
            "y",
            terms=(
                Term(
                    "x_hat",
                    "the normalized part",
                    lambda at: spread(at.gamma, at.x) * at.x_hat,
                    w.section,
                    "",
                    "x_hat std",
                ),
                Term(
                    "beta",
                    "the term with beta",
                    lambda at: spread(at.beta, at.x) + 0.0 * at.x,
                    "scale-shift",
                    "",
                    "beta",
                ),
                Term(
                    "mean",
                    "a multiple of the mean left over",
                    lambda at: spread(at.gamma, at.x) * at.mean / at.std,
                    w.section,
                    "Subtracting the mean once, before dividing, takes all of it away.",
                    "mean",
                    foreign=True,
                ),
            ),
            factors=factors,
            per=per,
            vary=("beta",),
            rows=2,
        )
    )


STD_FACTORS = (q.STD, q.EPS, *q.EPS_ROOTS)
"""Where everything with a mean of its own has a coefficient of its own: layer normalization."""
