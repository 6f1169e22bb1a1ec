"""What is asked of `batchnorm_masked`, batch normalization of padded sequences, and how is it got wrong?"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import sentences
from ..answers import Array
from ..asking import Asked, Refused, circumstances, difference
from ..calling import Signature
from ..draw import Draw
from ..exercise import Arguments, Exercise, Kind, Problem
from ..inputs import EPS, ROUGHLY, and_eps, batch, eps_in, leaves_alone, parameters
from .statistics import Words, add_counts, add_mistakes, add_other_axes, add_slips, in_steps
from .sums import Sums

SECTION = "box-masks"
WORDS = Words("masked batch normalization", "feature", "real steps", "M", SECTION)

T = 4
"""Steps of a sequence, in a problem; N and D are the problem's. Of many, MANY_STEPS."""
MANY_STEPS = 16
MANY = Problem(30, 3, low=False, H=MANY_STEPS)
"""About 250 real steps: M - 1 for M is within ROUGHLY."""
JUNK = 30.0
"""How large the numbers are that may stand in the padding."""


# ---------------------------------------------------------------------------------------------------------- the inputs


def lengths(draw: Draw, N: int, steps: int) -> Array:
    """How long each sequence is: one fills all steps, one is padded, none is empty."""
    found = draw.random.integers(1, steps + 1, N)
    found[0], found[-1] = steps, max(1, steps // 2)
    return found


def sequences(draw: Draw, problem: Problem, padding: float = JUNK) -> Arguments:
    """The arguments of batchnorm_masked; numbers up to so large stand in the padding."""
    N, D, steps = problem.N, problem.D, problem.H if problem.H > T else T
    mask = np.arange(steps) < lengths(draw, N, steps)[:, None]
    real = batch(draw, Problem(int(mask.sum()), D, whole=problem.whole, low=problem.low))
    x = np.zeros((N, steps, D), real.dtype)
    if padding:
        x[...] = np.round(draw.away_from_zero(x.size, padding / 3, padding)).reshape(x.shape)
    x[mask] = real
    return (x, mask, *parameters(draw, D), *and_eps(problem))


def plain(arguments: Arguments, *eps: float) -> Arguments:
    """The same with a gamma and a beta that do nothing."""
    x, mask, gamma, beta = arguments[:4]
    return (x, mask, np.ones_like(gamma), np.zeros_like(beta), *eps)


def normalize_real_steps(x: Array, mask: Array, gamma: Array, beta: Array, eps: float = EPS) -> Array:
    """The reference. Raises ``ValueError`` for fewer than two real steps, of which nothing can be normalized."""
    if mask.sum() < 2:
        raise ValueError(f"the mask has {mask.sum()} real steps; at least two are needed")
    real = x[mask]
    y = np.zeros(x.shape)
    y[mask] = gamma * (real - real.mean(axis=0)) / np.sqrt(real.var(axis=0) + eps) + beta
    return y


def scale_of_sequences(arguments: Arguments) -> Mapping[str, Array]:
    """x - μ is off by a rounding of max|x|, padding included for who multiplies by the mask; the rest as ever."""
    x, mask, gamma, beta = arguments[:4]
    std = np.sqrt(x[mask].var(axis=0) + eps_in(arguments, 4))
    size = np.abs(gamma) * 2.0 * np.abs(x).max(axis=(0, 1)) / std + np.abs(beta)
    return {"y": np.broadcast_to(size, x.shape)}


def one_feature(*rows: tuple[float, ...]) -> Array:
    """Sequences of one feature, (N, T, 1)."""
    return np.array(rows)[:, :, None]


def real_steps(*rows: tuple[int, ...]) -> Array:
    """A mask."""
    return np.array(rows, dtype=bool)


ONE, TWO, FIVE = np.ones(1), np.array([2.0]), np.array([5.0])
PADDED = real_steps((1, 1, 0))
RAGGED = real_steps((1, 1), (1, 0))
PAIR = one_feature((1.0, 3.0, 0.0))  # the real steps have mean 2 and variance 1
THREE = one_feature((1.0, 3.0), (8.0, 9.0))

batchnorm_masked = Exercise(
    Signature("batchnorm_masked", ("x", "mask", "gamma", "beta", "eps"), ("y",), normalize_real_steps),
    problem=sequences,
    scale=scale_of_sequences,
    smallest=(
        (PAIR, PADDED, TWO, FIVE, 3.0),
        (one_feature((1.0, 3.0, 7.0)), PADDED, TWO, FIVE, 3.0),
        (one_feature((1.0, 1.002, 0.0)), PADDED, ONE, 0 * ONE),
        (one_feature((2.0, 2.0, 0.0)), PADDED, TWO, FIVE),
        (np.array([[[1], [2], [0]]]), PADDED, ONE, 0 * ONE, 3.75),
        (THREE, RAGGED, TWO, FIVE, 3.0),
        (np.array([[[1.0, 2.0], [3.0, 6.0], [0.0, 0.0]]]), PADDED, np.ones(2), np.zeros(2), 3.0),
    ),
    section=SECTION,
    axes={"x": "NTD", "mask": "NT", "gamma": "D", "beta": "D"},
    probes=(Problem(5, 3, eps=0.1), Problem(4, 4, eps=0.3), Problem(3, 5), Problem(6, 2)),
    whole_probes=(Problem(5, 3, eps=0.1, whole=True), Problem(4, 4, eps=0.3, whole=True)),
)
exercise = batchnorm_masked


def compared(f: Asked, arguments: Arguments, where: Array, within: float | None = None) -> None:
    """Refuse an answer that is not right at these steps; what it has at the others is another property's affair."""
    y, right = f(arguments)["y"], f.right(arguments)["y"]
    judged = np.where(where[:, :, None], y, right).astype(y.dtype)
    mismatch = difference(f.exercise, arguments, {"y": judged}, {"y": right}, within, f.loosely)
    if mismatch is not None:
        raise Refused(f"{mismatch}, {circumstances(f.exercise, arguments)}.")


def real_steps_agree(f: Asked, arguments: Arguments, within: float | None = None) -> None:
    """Refuse an answer that is not right where the mask is True."""
    compared(f, arguments, arguments[1], within)


@exercise.property(points=0.5)
def answers_in_the_shape_of_x(f: Asked, draw: Draw) -> None:
    """answers with one array of x's shape, (N, T, D)"""
    f(sequences(draw, Problem(5, 3)))


@exercise.property(points=3, nudge="How many real steps are there in the batch? Over how many do your sums run?")
def normalizes_the_real_steps(f: Asked, draw: Draw) -> None:
    """gives each feature mean 0 and variance near 1 over the real steps of the batch (padding 0, gamma 1, beta 0)"""
    real_steps_agree(f, plain(sequences(draw, MANY, padding=0.0)), ROUGHLY)


@exercise.property(points=1, nudge="Put 1000 into the padding: does any real step of your answer change?")
def does_not_look_at_the_padding(f: Asked, draw: Draw) -> None:
    """answers the same whatever finite numbers stand in the padding"""
    real_steps_agree(f, plain(sequences(draw, MANY)), ROUGHLY)


@exercise.property(points=1, nudge="How many numbers has gamma: one per step, or one per feature?")
def scales_and_shifts_each_feature(f: Asked, draw: Draw) -> None:
    """multiplies each feature of the real steps by its gamma, then adds its beta"""
    real_steps_agree(f, sequences(draw, MANY, padding=0.0), ROUGHLY)


@exercise.property(points=1, needs="normalizes_the_real_steps", nudge="What does beta do to a step that is not there?")
def padding_comes_out_as_zero(f: Asked, draw: Draw) -> None:
    """gives 0 wherever the mask is False, whatever beta is and whatever stood there"""
    for padding in (0.0, JUNK):
        arguments = sequences(draw, MANY, padding)
        compared(f, arguments, ~arguments[1])


@exercise.property(points=0.5, nudge="How many numbers are added up in one variance? Is that what you divide by?")
def divides_by_the_real_steps(f: Asked, draw: Draw) -> None:
    """uses the biased variance, a sum divided by the number of real steps, and is right to rounding"""
    for problem in (Problem(5, 3, eps=0.1), Problem(4, 4, eps=0.2), Problem(3, 5, eps=0.3)):
        real_steps_agree(f, sequences(draw, problem, padding=0.0))


@exercise.property(points=0.5, nudge="Call it with eps = 3 on a feature of variance 1: what should it divide by?")
def follows_eps(f: Asked, draw: Draw) -> None:
    """adds the eps it was given to the variance, under the root"""
    x, *rest = plain(sequences(draw, MANY, padding=0.0), 0.1)
    real_steps_agree(f, (0.2 * x, *rest), ROUGHLY)


@exercise.property(points=0.5, nudge="What comes out for a feature whose real values are all alike?")
def default_eps(f: Asked, draw: Draw) -> None:
    """uses eps = 1e-5 when none is given, so that a feature that never varies gives beta, not NaN"""
    x, mask, gamma, beta = sequences(draw, Problem(30, 3, H=MANY_STEPS), padding=0.0)
    x[:, :, 0] = np.where(mask, 2.5, 0.0)
    real_steps_agree(f, plain((x, mask, gamma, beta)), ROUGHLY)


@exercise.property(points=0.5)
def takes_whole_numbers(f: Asked, draw: Draw) -> None:
    """takes whole numbers without losing what is behind the point"""
    real_steps_agree(f, sequences(draw, Problem(30, 3, whole=True, H=MANY_STEPS), padding=0.0), ROUGHLY)


@exercise.property(points=0.5, needs="normalizes_the_real_steps")
def leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves x, mask, gamma and beta as they were"""
    leaves_alone(f, sequences(draw, Problem(5, 3)))


# --------------------------------------------------------------------------------------------------------- its steps


def there(at: Any) -> Any:
    """The mask against x: (N, T, 1)."""
    return at.mask[:, :, None]


SUMS = Sums(
    number=lambda at: int(at.mask.sum()),
    total=lambda at, values: np.where(there(at), values, 0.0).sum(axis=(0, 1)),
    spread=lambda at, vector: vector,
    ends=lambda at, y: np.where(there(at), y, 0.0),
)

chain = in_steps(exercise, WORDS, SUMS)
chain.steps["y"].__doc__ = "gamma times x_hat, plus beta, where the mask is True; 0 elsewhere"
add_mistakes(
    exercise,
    WORDS,
    "You subtract the mean but do not divide by the standard deviation, so a feature measured in grams still counts a "
    "thousand times as much as in kilograms.",
    SUMS,
)
add_slips(exercise, WORDS, SUMS)
add_counts(
    exercise,
    WORDS,
    "You add up the real steps but divide by another number: N, T, or N·T, where the padding is counted. The sums have "
    "M terms, one for each True in the mask: mask.sum().",
    lambda at: at.mask.size,
    lambda at: len(at.x),
    lambda at: at.x.shape[1],
    sums=SUMS,
)


# ---------------------------------------------------------------------------------------------------- other steps


def mean_of(mask: Any, values: Array, axis: Any) -> Any:
    """The mean over these axes of what the mask lets through."""
    return np.where(mask, values, 0.0).sum(axis=axis, keepdims=True) / mask.sum(axis=axis, keepdims=True)


add_other_axes(
    exercise,
    WORDS,
    "padding_counted",
    "You average over all steps, so the padding counts as if it had been measured: mean and variance then depend on "
    "how long the longest sequence of the batch is. Sum where the mask is True only, and divide by mask.sum().",
    lambda at, values: values.mean(axis=(0, 1)),
    sums=SUMS,
)
add_other_axes(
    exercise,
    WORDS,
    "each_sequence_by_itself",
    "You take mean and variance of each sequence over its own steps. Batch normalization compares with the whole "
    "batch: all real steps of all sequences share one mean and one variance per feature.",
    lambda at, values: mean_of(there(at), values, 1),
    sums=SUMS,
)
add_other_axes(
    exercise,
    WORDS,
    "each_step_by_itself",
    "You take mean and variance of each step t over the sequences. Here all real steps share one mean and one variance "
    "per feature, wherever in the sequence they are.",
    lambda at, values: mean_of(there(at), values, 0),
    sums=SUMS,
)
add_other_axes(
    exercise,
    WORDS,
    "sums_over_one_axis_only",
    "You add up the real steps along one axis only, over the sequences or over the steps, but divide by all of them. "
    "The sum runs over both at once, axis=(0, 1), and leaves one number per feature.",
    lambda at, values: np.where(there(at), values, 0.0).sum(axis=0) / at.mask.sum(),
    lambda at, values: np.where(there(at), values, 0.0).sum(axis=1, keepdims=True) / at.mask.sum(),
    sums=SUMS,
)
add_other_axes(
    exercise,
    WORDS,
    "one_statistic_for_all_features",
    "You take one mean or one variance over all features. As in batch normalization each feature has its own: average "
    "over the real steps, and keep the last axis.",
    lambda at, values: mean_of(np.broadcast_to(there(at), values.shape), values, (0, 1, 2)),
    sums=SUMS,
)
add_other_axes(
    exercise,
    WORDS,
    "sequences_weighted_equally",
    "You average over each sequence first and then over the sequences, so a step of a short sequence counts for more "
    "than one of a long sequence. All real steps count alike: one sum over all of them, divided by mask.sum().",
    lambda at, values: mean_of(there(at), values, 1).mean(axis=0),
    sums=SUMS,
)


@exercise.misconception(Kind.ERROR, SECTION, step="mask", about="mean var axis mask")
def mask_the_other_way_round(at: Any) -> Any:
    """You take the mask the other way round: you normalize the padding, and give 0 for the steps that are there. Here
    True says that a step is real. (Some libraries mark the padding instead, so look it up.)"""
    return ~at.mask


@exercise.misconception(Kind.ERROR, SECTION, step="mean", about="mean var")
def takes_the_padding_for_zeros(at: Any) -> Any:
    """You rely on the padding being zero: your sum runs over all steps. It may hold any number, and behind a layer with
    a bias it does. Multiply by the mask, or select with it, before you add up."""
    return at.x.sum(axis=(0, 1)) / at.M


@exercise.misconception(Kind.ERROR, SECTION, step="var", about="mean var")
def padding_in_the_variance(at: Any) -> Any:
    """Your mean is right, but the padding comes back into the variance: once the mean is subtracted, a padded zero is
    no zero any more. Mask the squares too, after subtracting, and before adding up."""
    return ((np.where(there(at), at.x, 0.0) - at.mean) ** 2).sum(axis=(0, 1)) / at.M


@exercise.another_way("padding_in_the_variance", step="var")
def squares_of_all_steps(at: Any) -> Any:
    """Whatever stands in the padding."""
    return ((at.x - at.mean) ** 2).sum(axis=(0, 1)) / at.M


@exercise.another_way("padding_in_the_variance", step="var")
def mean_square_of_all_steps(at: Any) -> Any:
    """With zeros there, and divided by N·T."""
    return ((np.where(there(at), at.x, 0.0) - at.mean) ** 2).mean(axis=(0, 1))


@exercise.another_way("padding_counted")
def zeros_counted(x: Array, mask: Array, gamma: Array, beta: Array, eps: float = EPS) -> Any:
    """The padding is made zero first, and counted."""
    zeroed = x * mask[:, :, None]
    y = gamma * (zeroed - zeroed.mean(axis=(0, 1))) / np.sqrt(zeroed.var(axis=(0, 1)) + eps) + beta
    return y * mask[:, :, None]


@exercise.another_way("padding_counted")
def as_without_a_mask(x: Array, mask: Array, gamma: Array, beta: Array, eps: float = EPS) -> Any:
    """The mask is not used at all."""
    return gamma * (x - x.mean(axis=(0, 1))) / np.sqrt(x.var(axis=(0, 1)) + eps) + beta


# --------------------------------------------------------------------------------------------------- the padding


@exercise.misconception(Kind.ERROR, SECTION, step="y", about="padding beta")
def padding_is_not_zero_again(at: Any) -> Any:
    """Your real steps are right, but the padding does not come out as 0: it is normalized and shifted too, and the next
    layer takes it for data. Mask once more, after beta."""
    return at.gamma * at.x_hat + at.beta


@exercise.another_way("padding_is_not_zero_again", step="y")
def padding_gets_beta(at: Any) -> Any:
    """Masked before the shift."""
    return at.gamma * np.where(there(at), at.x_hat, 0.0) + at.beta


@exercise.another_way("padding_is_not_zero_again", step="y")
def zeros_normalized(at: Any) -> Any:
    """Masked before the normalization."""
    return at.gamma * (np.where(there(at), at.x, 0.0) - at.mean) / at.std + at.beta


@exercise.misconception(Kind.ERROR, SECTION, step="y", about="padding")
def padding_left_as_it_was(at: Any) -> Any:
    """Your real steps are right, but the padding comes out as it came in. It may have held any number; the exercise
    asks for 0 there, so that no later layer can take it for data."""
    return np.where(there(at), at.gamma * at.x_hat + at.beta, at.x)


# ---------------------------------------------------------------------------------------------- what is agreed on


@exercise.misconception(Kind.ERROR, SECTION, sentences.WHOLE_NUMBER_BUFFER)
def whole_number_buffer(x: Array, mask: Array, gamma: Array, beta: Array, eps: float = EPS) -> Any:
    """The output is an array like x."""
    y = np.zeros_like(x)
    y[mask] = normalize_real_steps(x, mask, gamma, beta, eps)[mask]
    return y


@exercise.misconception(Kind.CONTRACT, SECTION, sentences.CHANGES_ITS_INPUT)
def changes_its_input(x: Array, mask: Array, gamma: Array, beta: Array, eps: float = EPS) -> Any:
    """Clears the padding in place."""
    x[~mask] = 0
    return normalize_real_steps(x, mask, gamma, beta, eps)
