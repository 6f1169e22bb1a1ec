"""Which mistakes can be made in every backward of a norm that standardizes, and how do they read in each?

As in batch normalization, dx has three terms: the direct one, one through the variance and one through the mean; but
the sums run over what shares a mean here, and gamma, which varies along them, has to stay inside.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .. import quantities as q
from .. import sentences
from ..answers import Array
from ..chain import Chain, Step
from ..exercise import Exercise, Kind
from ..reading import Factor, Reading, Term
from .statistics import Words, add, at_M, begun, counts_of
from .sums import number, over_the_batch, spread, total

MEAN, VARIANCE, CLOSED = "backward-mean-path", "backward-variance-path", "backward-closed-form"
PARAMETERS, SHAPES = "backward-parameters", "backward-shapes"


# ---------------------------------------------------------------------------------------------------------- the steps


def in_steps(exercise: Exercise, w: Words) -> Chain:
    """Write the backward in steps, node by node."""
    M = w.M
    chain = begun(exercise)
    add(chain, M, f"the number of {w.values} that share a mean", number)
    add(chain, "mean", f"the mean of each {w.one}, as in the forward", lambda at: total(at, at.x) / number(at))
    add(chain, "centred", "x minus its mean, as in the forward", lambda at: at.x - at.mean)
    add(chain, "var", "the biased variance, as in the forward", lambda at: total(at, at.centred**2) / number(at))
    add(chain, "std", "the root of var + eps, as in the forward", lambda at: np.sqrt(at.var + at.eps))
    add(chain, "x_hat", "the normalized x, as in the forward", lambda at: at.centred / at.std)
    add(chain, "inv_std", "one over the deviation, in the backward", lambda at: 1.0 / at.std)
    add(chain, "dx_hat", "dy times gamma", lambda at: at.dy * spread(at.gamma, at.x))
    add(chain, "dgamma", "the sum of dy times x_hat, for each gamma", lambda at: over_the_batch(at.dy * at.x_hat))
    add(chain, "dbeta", "the sum of dy, for each beta", lambda at: over_the_batch(at.dy))
    add(
        chain,
        "dvar",
        f"minus half the sum of dx_hat times (x minus mean), over the {w.values} of each {w.one}, over the cube of the "
        "deviation",
        lambda at: -0.5 * total(at, at.dx_hat * at.centred) * at.inv_std**3,
    )
    add(
        chain,
        "dmean",
        f"minus the sum of dx_hat, over the {w.values} of each {w.one}, over the deviation",
        lambda at: -total(at, at.dx_hat) * at.inv_std,
    )
    add(chain, "dx_direct", "dx_hat over the deviation: what x does by itself", lambda at: at.dx_hat * at.inv_std)
    add(
        chain,
        "dx_var",
        f"dvar times 2 (x minus mean) / {M}: what x does through the variance",
        lambda at: at.dvar * 2.0 * at.centred / at_M(at, w),
    )
    add(chain, "dx_mean", f"dmean / {M}: what x does through the mean", lambda at: at.dmean / at_M(at, w))
    add(chain, "dx", "the direct term and those through the variance and the mean, added up", three_terms)
    return chain


def three_terms(at: Any) -> Any:
    """Dx as it is right."""
    return at.dx_direct + at.dx_var + at.dx_mean


def closed_form(at: Any, dx_hat: Any, mean: Any, along: Any) -> Any:
    """The closed form, with whatever for dx_hat, for the mean of dx_hat and for that of dx_hat · x_hat."""
    return (dx_hat - mean - at.x_hat * along) / at.std


def average(at: Any, values: Any) -> Any:
    """The mean over what shares a mean."""
    return total(at, values) / number(at)


# ------------------------------------------------------------------------------------------------------ paths of dx


def add_paths(exercise: Exercise, w: Words) -> None:
    """Add what can be wrong with the terms through the mean and the variance."""
    M, one, values = w.M, w.one, w.values
    over_values = f"over the {values} of a {one}"

    @exercise.misconception(
        Kind.ERROR,
        CLOSED,
        f"You treat mean and variance as constants. They are computed from x, so each value also acts through them on "
        f"all others of its {one}: two terms are missing, and your dx does not sum to 0 {over_values}.",
        step="dx",
        about="dmean dvar",
    )
    def statistics_held_constant(at: Any) -> Any:
        return at.dx_direct

    @exercise.misconception(
        Kind.ERROR,
        MEAN,
        f"You leave out the path through the mean. Each value moves the mean of its {one} by 1/{M} of itself, and the "
        f"mean moves all of them: without that term your dx does not sum to 0 {over_values}.",
        step="dx_mean",
        about="dmean",
    )
    def mean_path_missing(at: Any) -> Any:
        return 0.0 * at.dmean

    @exercise.misconception(
        Kind.ERROR,
        VARIANCE,
        f"You leave out the path through the variance. Your dx sums to 0, as it should, but it still stretches each "
        f"{one} along x_hat, a direction in which normalization hardly changes anything (nothing when eps = 0).",
        step="dx_var",
        about="dvar",
    )
    def variance_path_missing(at: Any) -> Any:
        return 0.0 * at.dx_direct

    @exercise.misconception(
        Kind.ERROR,
        VARIANCE,
        "Your term through the variance has the wrong sign. A larger variance makes x_hat smaller: the derivative of "
        "(var + eps)^(-1/2) is negative.",
        step="dx_var",
        about="dvar",
    )
    def variance_path_sign(at: Any) -> Any:
        return -2.0 * at.dvar * at.centred / at_M(at, w)

    @exercise.misconception(
        Kind.ERROR,
        MEAN,
        "Your term through the mean has the wrong sign. x_hat is x minus the mean, so the mean acts with a minus; with "
        "the plus your dx does not sum to 0.",
        step="dx_mean",
        about="dmean",
    )
    def mean_path_sign(at: Any) -> Any:
        return -at.dmean / at_M(at, w)

    @exercise.misconception(
        Kind.ERROR,
        VARIANCE,
        "Your term through the variance is half as large as it should be: the variance is a mean of squares, and the "
        "derivative of a square, (x - mean)², is 2 (x - mean). Its 2 cancels the 1/2 of the root.",
        step="dx_var",
        about="dvar",
    )
    def variance_path_without_2(at: Any) -> Any:
        return at.dvar * at.centred / at_M(at, w)

    @exercise.misconception(
        Kind.ERROR,
        VARIANCE,
        "Your term through the variance is twice as large as it should be: the derivative of (var + eps)^(-1/2) is "
        "-1/2 times (var + eps)^(-3/2), and the 1/2 is missing. It cancels the 2 of the square.",
        step="dvar",
    )
    def variance_path_without_half(at: Any) -> Any:
        return -total(at, at.dx_hat * at.centred) * at.inv_std**3

    @exercise.misconception(
        Kind.ERROR,
        VARIANCE,
        "You divide by the wrong power of the deviation in the term through the variance. The derivative of "
        "(var + eps)^(-1/2) has (var + eps)^(-3/2), the cube of the deviation; in the closed form that means x_hat "
        "twice, not x - mean.",
        step="dvar",
    )
    def variance_path_power(at: Any) -> Any:
        return -0.5 * total(at, at.dx_hat * at.centred) * at.inv_std

    exercise.another_way("variance_path_power", step="dvar")(
        lambda at: -0.5 * total(at, at.dx_hat * at.centred) * at.inv_std**2
    )

    @exercise.misconception(
        Kind.ERROR,
        MEAN,
        f"Your term through the mean lacks its 1/{M}: one value moves the mean of its {one} by only 1/{M} of itself. "
        "Your dx does not sum to 0.",
        step="dx_mean",
        about="dmean",
    )
    def mean_path_without_N(at: Any) -> Any:
        return at.dmean

    @exercise.misconception(
        Kind.ERROR,
        VARIANCE,
        f"Your term through the variance lacks its 1/{M}: the variance is a mean of {M} squares, so one value counts "
        f"for 1/{M}. Yours grows with the number of {values}.",
        step="dx_var",
        about="dvar",
    )
    def variance_path_without_N(at: Any) -> Any:
        return at.dvar * 2.0 * at.centred

    @exercise.misconception(
        Kind.ERROR,
        CLOSED,
        f"You subtract sums where dx has means: both terms, through the mean and through the variance, lack their "
        f"1/{M} and grow with the number of {values}.",
        step=M,
        about="N",
    )
    def sums_not_averaged(at: Any) -> Any:
        return 1.0

    @exercise.misconception(
        Kind.ERROR,
        CLOSED,
        f"You divide by {M} - 1 in both terms. Mean and variance of the forward are sums divided by {w.counted()}, so "
        f"their derivatives are, too. With {M} your dx sums to 0.",
        step=M,
        about="N",
    )
    def divides_by_N_minus_1(at: Any) -> Any:
        return number(at) - 1

    @exercise.misconception(
        Kind.ERROR,
        VARIANCE,
        f"You divide by {M} - 1 in the term through the variance. The forward normalizes with the biased variance, a "
        f"sum divided by {w.counted()}, so its derivative is, too.",
        step="dx_var",
        about="N",
    )
    def variance_path_by_N_minus_1(at: Any) -> Any:
        return at.dvar * 2.0 * at.centred / (number(at) - 1)

    @exercise.misconception(
        Kind.ERROR,
        CLOSED,
        "Your factor in front, 1/std, reaches only the first of the three terms of dx: put parentheses around all "
        "three, so that what comes through mean and variance is divided by the deviation, too.",
        step="dx",
        about="std N",
    )
    def factor_on_the_first_term_only(at: Any) -> Any:
        return at.dx_direct - average(at, at.dx_hat) - at.x_hat * average(at, at.dx_hat * at.x_hat)

    @exercise.another_way("factor_on_the_first_term_only", step="dx")
    def factor_on_the_first_term_only_of_sums(at: Any) -> Any:
        return at.dx_direct - total(at, at.dx_hat) - at.x_hat * total(at, at.dx_hat * at.x_hat)

    @exercise.misconception(
        Kind.ERROR,
        CLOSED,
        f"You multiply each dy by the derivative of its own y alone, the diagonal of the Jacobian. Every x moves *all* "
        f"outputs of its {one}, through mean and variance, so dx needs sums over the {values}.",
        step="dx",
        about="dmean dvar N",
    )
    def only_the_diagonal(at: Any) -> Any:
        return at.dx_direct * (1.0 - 1.0 / number(at) - at.x_hat**2 / number(at))

    @exercise.misconception(
        Kind.ERROR,
        CLOSED,
        f"Your dx is 0 everywhere. For dy = 1 (and gamma = 1) that is right, since the y of a {one} then sum to the "
        "same whatever x is; a gradient check with loss = sum(y) sees no more. For any other dy it is not.",
        step="dx",
    )
    def dx_is_zero(at: Any) -> Any:
        return 0.0 * at.x


def add_counts(exercise: Exercise, w: Words, sentence: str, *counts: Step) -> None:
    """Add the mistake of dividing by another number, in the term through the mean, that through the variance, or "
    "both."""
    first, *others = counts

    @exercise.misconception(Kind.ERROR, w.section, sentence, step=w.M, about="N dmean dvar")
    def divides_by_another_number(at: Any) -> Any:
        return first(at)

    for count in others:
        exercise.another_way("divides_by_another_number", step=w.M)(count)
    for count in counts:
        exercise.another_way("divides_by_another_number", step="dx_mean")(lambda at, count=count: at.dmean / count(at))
        exercise.another_way("divides_by_another_number", step="dx_var")(
            lambda at, count=count: at.dvar * 2.0 * at.centred / count(at)
        )


def add_wrong_sums(
    exercise: Exercise, identifier: str, section: str, sentence: str, *means: Callable[[Array], Any]
) -> None:
    """Add the mistake of averaging over something else in dx: in both sums, with gamma inside or out, or in one."""
    first, *others = [step for mean in means for step in with_mean(mean)]
    first.__name__ = identifier
    exercise.misconception(Kind.ERROR, section, sentence, step="dx", about="dmean dvar axis")(first)
    for step in others:
        exercise.another_way(identifier, step="dx")(step)


def with_mean(mean: Callable[[Array], Any]) -> tuple[Step, ...]:
    """The closed form with this mean in its two sums."""

    def in_both(at: Any) -> Any:
        return closed_form(at, at.dx_hat, mean(at.dx_hat), mean(at.dx_hat * at.x_hat))

    def in_both_without_gamma(at: Any) -> Any:
        return closed_form(at, at.dy, mean(at.dy), mean(at.dy * at.x_hat)) * spread(at.gamma, at.x)

    def in_the_first(at: Any) -> Any:
        return closed_form(at, at.dx_hat, mean(at.dx_hat), average(at, at.dx_hat * at.x_hat))

    def in_the_second(at: Any) -> Any:
        return closed_form(at, at.dx_hat, average(at, at.dx_hat), mean(at.dx_hat * at.x_hat))

    return in_both, in_both_without_gamma, in_the_first, in_the_second


# --------------------------------------------------------------------------------------------- gamma and std in dx


def add_factors(exercise: Exercise, w: Words) -> None:
    """Add what can be wrong with gamma, std, eps and x_hat in dx."""
    one = w.one

    @exercise.misconception(
        Kind.ERROR,
        PARAMETERS,
        "You leave gamma out of dx. y is gamma x_hat + beta, so what comes back to x_hat is gamma times dy: with "
        "gamma = 0 the loss would not depend on x at all, and your dx says it does.",
        step="dx_hat",
        about="gamma",
    )
    def gamma_missing(at: Any) -> Any:
        return at.dy

    @exercise.misconception(
        Kind.ERROR,
        PARAMETERS,
        "You multiply by gamma twice on the way to dx: once for dx_hat, and once more. y is gamma x_hat + beta, so "
        "gamma comes in once.",
        step="dx_hat",
        about="gamma",
    )
    def gamma_twice(at: Any) -> Any:
        return at.dy * spread(at.gamma, at.x) ** 2

    @exercise.another_way("gamma_twice", step="dx")
    def gamma_once_more_in_front(at: Any) -> Any:
        return three_terms(at) * spread(at.gamma, at.x)

    @exercise.misconception(
        Kind.ERROR,
        "gamma-inside",
        "You forget gamma in the sums of dx. What is summed is dx_hat, gamma times dy, in the term through the mean as "
        "in that through the variance: make dx_hat first, and use only that.",
        step="dx",
        about="gamma dmean dvar",
    )
    def gamma_missing_in_the_sums(at: Any) -> Any:
        return closed_form(at, at.dx_hat, average(at, at.dy), average(at, at.dy * at.x_hat))

    exercise.another_way("gamma_missing_in_the_sums", step="dmean")(lambda at: -total(at, at.dy) * at.inv_std)
    exercise.another_way("gamma_missing_in_the_sums", step="dvar")(
        lambda at: -0.5 * total(at, at.dy * at.centred) * at.inv_std**3
    )

    @exercise.misconception(
        Kind.ERROR,
        CLOSED,
        "You divide by the variance where the deviation belongs, its root: x_hat was made by dividing by the "
        "deviation, so its derivative has 1/std.",
        step="inv_std",
        about="std",
    )
    def variance_for_deviation(at: Any) -> Any:
        return 1.0 / (at.var + at.eps)

    exercise.another_way("variance_for_deviation", step="dx")(lambda at: three_terms(at) / at.std)

    @exercise.misconception(
        Kind.ERROR,
        CLOSED,
        "You do not divide by the deviation in dx. x_hat is (x - mean) / std, so a step of x moves x_hat by only "
        f"1/std of it: your dx is too large for a wide {one}, too small for a narrow one.",
        step="dx",
        about="std",
    )
    def stops_at_x_hat(at: Any) -> Any:
        return three_terms(at) * at.std

    @exercise.misconception(
        Kind.ERROR,
        "normalize-eps",
        "You leave eps out of the deviation in the backward. The forward divided by the root of var + eps, so its "
        "derivative has that root too: take it from the cache.",
        step="inv_std",
        about="eps",
    )
    def eps_left_out_of_the_backward(at: Any) -> Any:
        return 1.0 / np.sqrt(at.var)

    exercise.another_way("eps_left_out_of_the_backward", step="dx")(
        lambda at: three_terms(at) * at.std / np.sqrt(at.var)
    )

    @exercise.misconception(
        Kind.ERROR,
        "normalize-eps",
        "You add eps to the standard deviation in the backward. The forward divided by the root of var + eps, with eps "
        "under the root, so its derivative has just that root: take it from the cache.",
        step="inv_std",
        about="eps",
    )
    def eps_outside_the_root(at: Any) -> Any:
        return 1.0 / (np.sqrt(at.var) + at.eps)

    exercise.another_way("eps_outside_the_root", step="dx")(
        lambda at: three_terms(at) * at.std / (np.sqrt(at.var) + at.eps)
    )

    @exercise.misconception(
        Kind.ERROR,
        VARIANCE,
        "You use x where x_hat belongs in the term through the variance. Adding a constant to x changes nothing in the "
        "output, but it changes your dx.",
        step="dx",
        about="x_hat",
    )
    def x_for_x_hat(at: Any) -> Any:
        return (at.dx_hat - average(at, at.dx_hat) - at.x * average(at, at.dx_hat * at.x)) / at.std

    for first, second in (("x", "x_hat"), ("x_hat", "x")):
        exercise.another_way("x_for_x_hat", step="dx")(
            lambda at, first=first, second=second: (
                (at.dx_hat - average(at, at.dx_hat) - getattr(at, first) * average(at, at.dx_hat * getattr(at, second)))
                / at.std
            )
        )
    exercise.another_way("x_for_x_hat", step="dx_var")(lambda at: at.dvar * 2.0 * at.x / at_M(at, w))
    exercise.another_way("x_for_x_hat", step="dvar")(lambda at: -0.5 * total(at, at.dx_hat * at.x) * at.inv_std**3)


def add_gamma_outside(exercise: Exercise, w: Words) -> None:
    """Add the mistake of pulling gamma out of the sums, where it varies along them."""

    @exercise.misconception(
        Kind.ERROR,
        "gamma-inside",
        f"You pull gamma out of the sums of dx. In batch normalization one gamma belongs to all that is summed, so it "
        f"may stand in front; here it varies along the {w.values} of a {w.one} and has to stay inside: sum gamma times "
        "dy.",
        step="dx",
        about="gamma dmean dvar",
    )
    def gamma_outside_the_sums(at: Any) -> Any:
        return spread(at.gamma, at.x) * closed_form(at, at.dy, average(at, at.dy), average(at, at.dy * at.x_hat))

    exercise.another_way("gamma_outside_the_sums", step="dmean")(
        lambda at: -spread(at.gamma, at.x) * total(at, at.dy) * at.inv_std
    )
    exercise.another_way("gamma_outside_the_sums", step="dvar")(
        lambda at: -0.5 * spread(at.gamma, at.x) * total(at, at.dy * at.centred) * at.inv_std**3
    )


# ------------------------------------------------------------------------------------------------- dgamma and dbeta


def add_last_sample(exercise: Exercise, one: str) -> None:
    """Add the mistake of a loop that overwrites."""
    add_other_sums(
        exercise,
        "parameters_of_the_last_sample",
        SHAPES,
        f"You keep only what the last {one} of the batch says in dgamma or dbeta. One gamma serves all of them, so its "
        "gradient is a sum: in a loop, add to it (+=), do not overwrite it.",
        lambda at, values: over_the_batch(values[-1:]),
    )


def add_dgamma_root(exercise: Exercise, centred: str, square: str) -> None:
    """Add the mistake of another root in dgamma than in the forward."""

    @exercise.misconception(
        Kind.ERROR,
        "normalize-eps",
        "Your dgamma uses an x_hat with eps left out, or outside the root. gamma was multiplied by the x_hat of the "
        "forward, with eps beside what is under the root: take that one from the cache.",
        step="dgamma",
        about="dgamma eps",
    )
    def dgamma_without_eps(at: Any) -> Any:
        return over_the_batch(at.dy * getattr(at, centred) / np.sqrt(getattr(at, square)))

    exercise.another_way("dgamma_without_eps", step="dgamma")(
        lambda at: over_the_batch(at.dy * getattr(at, centred) / (np.sqrt(getattr(at, square)) + at.eps))
    )


def add_dgamma(exercise: Exercise) -> None:
    """Add what can be wrong with dgamma, in every norm."""

    @exercise.misconception(
        Kind.ERROR,
        PARAMETERS,
        "Your dgamma uses x where x_hat belongs: gamma multiplies what has been normalized. x in other units must not "
        "change dgamma; it changes yours.",
        step="dgamma",
        about="dgamma x",
    )
    def dgamma_with_x(at: Any) -> Any:
        return over_the_batch(at.dy * at.x)

    @exercise.misconception(
        Kind.ERROR,
        PARAMETERS,
        "Your dgamma is the sum of dy alone, which is the gradient of a beta. gamma multiplies x_hat, so each dy "
        "counts x_hat times.",
        step="dgamma",
        about="dgamma x_hat",
    )
    def dgamma_without_x_hat(at: Any) -> Any:
        return over_the_batch(at.dy)

    @exercise.misconception(
        Kind.ERROR,
        PARAMETERS,
        "You multiply dgamma by gamma. The derivative of gamma x_hat by gamma is x_hat alone: sum dy times x_hat, not "
        "dx_hat times x_hat.",
        step="dgamma",
        about="dgamma gamma",
    )
    def dgamma_times_gamma(at: Any) -> Any:
        return over_the_batch(at.dy * at.x_hat) * at.gamma


def add_parameters(exercise: Exercise) -> None:
    """Add what can be wrong with dgamma and dbeta where there are both."""
    add_dgamma(exercise)
    add_dgamma_root(exercise, "centred", "var")

    @exercise.misconception(
        Kind.ERROR,
        PARAMETERS,
        "Your dgamma uses x - mean where x_hat belongs: the division by the deviation is missing. x in other units "
        "must not change dgamma; it changes yours.",
        step="dgamma",
        about="dgamma std",
    )
    def dgamma_with_centred_x(at: Any) -> Any:
        return over_the_batch(at.dy * at.centred)

    @exercise.misconception(
        Kind.ERROR,
        PARAMETERS,
        "Your dgamma uses y where x_hat belongs: gamma multiplies x_hat, and y is what comes out after scale and "
        "shift.",
        step="dgamma",
        about="dgamma y",
    )
    def dgamma_with_y(at: Any) -> Any:
        return over_the_batch(at.dy * (spread(at.gamma, at.x) * at.x_hat + spread(at.beta, at.x)))

    @exercise.misconception(
        Kind.ERROR,
        PARAMETERS,
        "You multiply dbeta by gamma. beta is added after the multiplication, so its derivative is 1: dbeta is the sum "
        "of dy, not of dx_hat.",
        step="dbeta",
        about="dbeta gamma",
    )
    def dbeta_times_gamma(at: Any) -> Any:
        return over_the_batch(at.dy) * at.gamma


def add_other_sums(
    exercise: Exercise,
    identifier: str,
    section: str,
    sentence: str,
    *sums: Callable[[Any, Array], Any],
    about: str = "dgamma axis",
) -> None:
    """Add the mistake of summing something else than the batch in dgamma, in dbeta (if there is one), or in both."""
    for n, sum_of in enumerate(sums):

        def dgamma(at: Any, sum_of: Callable[[Any, Array], Any] = sum_of) -> Any:
            return sum_of(at, at.dy * at.x_hat)

        def dbeta(at: Any, sum_of: Callable[[Any, Array], Any] = sum_of) -> Any:
            return sum_of(at, at.dy)

        if n == 0:
            dgamma.__name__ = identifier
            exercise.misconception(Kind.ERROR, section, sentence, step="dgamma", about=about)(dgamma)
        else:
            exercise.another_way(identifier, step="dgamma")(dgamma)
        if "dbeta" in exercise.signature.returns:
            exercise.another_way(identifier, step="dbeta")(dbeta)
            exercise.another_way(identifier)(exercise.from_steps({"dgamma": dgamma, "dbeta": dbeta}))


# ------------------------------------------------------------------------------------------------ what is agreed on


def add_contracts(exercise: Exercise, w: Words) -> None:
    """Add what a backward does besides its numbers."""
    names = exercise.signature.returns

    def right(dy: Array, cache: Any) -> Any:
        return exercise.from_steps({})(dy, cache)

    @exercise.misconception(
        Kind.CONTRACT,
        PARAMETERS,
        f"You return the gradients in another order. The exercise asks for ({', '.join(names)}), the order of the "
        "forward's arguments.",
        about="order",
    )
    def gradients_in_another_order(dy: Array, cache: Any) -> Any:
        dx, *others = right(dy, cache)
        return (dx, *reversed(others)) if len(others) > 1 else (*others, dx)

    if len(names) == 3:
        for order in ((1, 2, 0), (2, 1, 0), (1, 0, 2)):
            exercise.another_way("gradients_in_another_order")(
                lambda dy, cache, order=order: tuple(right(dy, cache)[n] for n in order)
            )

    @exercise.misconception(Kind.CONTRACT, w.section, sentences.CHANGES_ITS_INPUT)
    def changes_its_input(dy: Array, cache: Any) -> Any:
        gradients = right(dy, cache)
        dy *= spread(cache.gamma, dy)
        return gradients

    @exercise.misconception(
        Kind.CONTRACT,
        w.section,
        "You change something in the cache, by an in-place operation. It is right the first time and wrong the second, "
        "as when a gradient check calls the backward again: make a new array.",
    )
    def changes_the_cache(dy: Array, cache: Any) -> Any:
        gradients = right(dy, cache)
        x, *rest = cache.arguments
        cache.arguments = (x * (1.0 + np.arange(x.shape[1]).reshape(spread(cache.gamma, x).shape)), *rest)
        return gradients

    @exercise.misconception(
        Kind.CONTRACT,
        PARAMETERS,
        "You change gamma or beta inside the backward. It only says in which direction they should move; moving them "
        "is the optimizer's work, and who calls you twice would move them twice.",
    )
    def updates_the_parameters(dy: Array, cache: Any) -> Any:
        gradients = right(dy, cache)
        cache.gamma -= 0.1 * gradients[1]
        return gradients


# --------------------------------------------------------------------------------------------- what nobody foresaw


def read_gradients(exercise: Exercise, w: Words, per: str, factors: tuple[Factor, ...]) -> None:
    """Read dx, dgamma and dbeta as sums of their terms."""
    M, one = w.M, w.one
    exercise.read(
        Reading(
            "dx",
            terms=(
                Term("direct", "the direct term, dx_hat/std,", lambda at: at.dx_direct, CLOSED, "", "dx_hat dx_direct"),
                Term(
                    "mean_path",
                    "the term through the mean",
                    lambda at: at.dx_mean + 0.0 * at.x,
                    MEAN,
                    f"Each value moves the mean of its {one} by 1/{M} of itself, and the mean moves every output of it "
                    "the other way.",
                    "dmean dx_mean mean",
                ),
                Term(
                    "variance_path",
                    "the term through the variance",
                    lambda at: at.dx_var,
                    VARIANCE,
                    f"Each value moves the variance by 2 (x - mean)/{M}, and a larger variance makes every x_hat "
                    "smaller.",
                    "dvar dx_var var",
                ),
            ),
            factors=factors,
            per=per,
            vary=("dy",),
            rows=2,
        )
    )
    read_parameters(exercise, w)


def read_parameters(exercise: Exercise, w: Words) -> None:
    """Read dgamma, and dbeta if there is one."""
    factors = counts_of(w, Factor("N", lambda at: len(at.x), "N"), q.GAMMA)
    sums = {
        "x_hat": ("the sum of dy · x_hat", lambda at: over_the_batch(at.dy * at.x_hat)),
        "dy": ("the sum of dy", lambda at: over_the_batch(at.dy)),
    }
    for output, own, other in (("dgamma", "x_hat", "dy"), ("dbeta", "dy", "x_hat")):
        if output in exercise.signature.returns:
            words, value = sums[own]
            also, foreign = sums[other]
            exercise.read(
                Reading(
                    output,
                    terms=(
                        Term(own, words, value, PARAMETERS, "", f"{output} {own}"),
                        Term(
                            other, f"a multiple of {also}", foreign, PARAMETERS, "", f"{output} {other}", foreign=True
                        ),
                    ),
                    factors=factors,
                    vary=("dy",),
                )
            )


def add_identities(exercise: Exercise, w: Words) -> None:
    """Add the two exact identities of dx."""

    def dx_does_not_sum_to_zero(at: Any, answer: Mapping[str, Array]) -> bool:
        dx = answer["dx"]
        return bool(np.all(np.abs(total(at, dx)) <= 1e-6 * total(at, np.abs(dx))))

    dx_does_not_sum_to_zero.__doc__ = (
        f"Your dx does not sum to 0 over the {w.values} of a {w.one}. Adding the same number to all of them changes "
        "nothing in the output, so the right one always does: look which of its terms does not balance the others."
    )
    exercise.symptom(MEAN, about="dx")(dx_does_not_sum_to_zero)

    def dx_is_off_along_x_hat(at: Any, answer: Mapping[str, Array]) -> bool:
        expected = total(at, at.dx_hat * at.x_hat) / at.std * at.eps / (at.var + at.eps)
        along = answer["dx"] * at.x_hat
        return bool(np.all(np.abs(total(at, along) - expected) <= 1e-6 * total(at, np.abs(along))))

    dx_is_off_along_x_hat.__doc__ = (
        f"Your dx sums to 0, as it should, but multiplied by x_hat and summed over a {w.one} it is not what it must "
        "be: eps/(var + eps)/std times the sum of gamma · dy · x_hat, so nearly 0 when eps is small. Look at what "
        "comes through the variance, and at what each term is divided by."
    )
    exercise.symptom(VARIANCE, about="dx")(dx_is_off_along_x_hat)
