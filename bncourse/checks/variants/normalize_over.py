"""What is asked of `normalize_over`, the norm by two sets of axes, and how is it got wrong?"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from .. import sentences
from ..answers import Array
from ..asking import Asked
from ..calling import Signature
from ..draw import Draw
from ..exercise import Arguments, Exercise, Kind, Problem
from ..inputs import EPS, ROUGHLY, and_eps, batch, eps_in, leaves_alone, parameters
from .statistics import Words, add_counts, add_mistakes, add_other_axes, add_slips, in_steps
from .sums import Sums

Axes = tuple[int, ...]
WORDS = Words("this function", "set of values", "values", "M", "which-axes")

LAYOUTS: dict[int, tuple[tuple[int, ...], Axes, Axes]] = {
    1: ((1, 2), (1,), (1,)),
    2: ((2, 2), (0,), (1,)),
    3: ((2, 3, 2, 3), (2, 3), (1,)),  # instance normalization, as many columns as channels
    4: ((4, 4), (1,), (1,)),  # layer normalization
    5: ((3, 4, 2, 5), (1, 2, 3), (1, 2, 3)),  # PyTorch's LayerNorm([C, H, W])
    6: ((3, 4, 4), (0, 1), (2,)),  # batch normalization of sequences (N, T, D)
    7: ((5, 3), (0,), (1,)),  # batch normalization
    8: ((3, 3, 4, 3), (0, 2, 3), (1,)),  # of images, as many columns and images as channels
    9: ((2, 3, 3), (2,), (2,)),  # layer normalization of sequences
}
"""Shape, reduced and affine axes for the D of a problem."""

MANY: tuple[tuple[tuple[int, ...], Axes, Axes], ...] = (
    ((12, 200), (1,), (1,)),
    ((200, 12), (0,), (1,)),
    ((2, 3, 14, 14), (2, 3), (1,)),
    ((6, 3, 6, 6), (0, 2, 3), (1,)),
    ((20, 10, 3), (0, 1), (2,)),
)
"""Sets of so many values that M - 1 for M is within ROUGHLY."""
SEVERAL: tuple[tuple[tuple[int, ...], Axes, Axes], ...] = (
    ((3, 4, 7, 8), (1, 2, 3), (1, 2, 3)),
    ((2, 3, 14, 15), (2, 3), (1, 3)),
)
"""The same with a gamma that varies along several axes."""


# ---------------------------------------------------------------------------------------------------------- the inputs


def of_layout(draw: Draw, problem: Problem, shape: tuple[int, ...], reduced: Axes, affine: Axes) -> Arguments:
    """Arguments in this layout: what shares a mean has a mean and a deviation of its own."""
    kept = tuple(axis for axis in range(len(shape)) if axis not in reduced)
    order = (*kept, *reduced)
    sets = int(np.prod([shape[axis] for axis in kept]))
    rows = batch(draw, replace(problem, N=int(np.prod(shape)) // sets, D=sets)).T
    x = rows.reshape([shape[axis] for axis in order]).transpose(np.argsort(order))
    own = tuple(shape[axis] for axis in affine)
    gamma, beta = (one.reshape(own) for one in parameters(draw, int(np.prod(own))))
    return (np.ascontiguousarray(x), gamma, beta, reduced, affine, *and_eps(problem))


def in_any_layout(draw: Draw, problem: Problem) -> Arguments:
    """The arguments of normalize_over."""
    return of_layout(draw, problem, *LAYOUTS[problem.D])


def plain(arguments: Arguments, *eps: float) -> Arguments:
    """The same with a gamma and a beta that do nothing, and lie along the last axis, where they broadcast anyhow."""
    x, _, _, reduced = arguments[:4]
    return (x, np.ones(x.shape[-1]), np.zeros(x.shape[-1]), reduced, (x.ndim - 1,), *eps)


def laid_out(vector: Any, x: Array, affine: Axes) -> Any:
    """Gamma or beta against x: its own axes where they belong, 1 elsewhere."""
    return np.reshape(vector, [size if axis in affine else 1 for axis, size in enumerate(x.shape)])


def normalize_by_two_sets(x: Array, gamma: Array, beta: Array, reduced: Axes, affine: Axes, eps: float = EPS) -> Array:
    """The reference."""
    mean, var = x.mean(axis=reduced, keepdims=True), x.var(axis=reduced, keepdims=True)
    y: Array = laid_out(gamma, x, affine) * (x - mean) / np.sqrt(var + eps) + laid_out(beta, x, affine)
    return y


def scale_of_layout(arguments: Arguments) -> Mapping[str, Array]:
    """x - μ is off by a rounding of max|x|, is divided by √(σ² + ε), multiplied by |γ|, and |β| is added."""
    x, gamma, beta, reduced, affine = arguments[:5]
    std = np.sqrt(x.var(axis=reduced, keepdims=True) + eps_in(arguments, 5))
    size = 2.0 * np.abs(x).max(axis=reduced, keepdims=True) / std
    return {"y": np.abs(laid_out(gamma, x, affine)) * size + np.abs(laid_out(beta, x, affine))}


TWO = np.array([[1.0, 3.0]])  # mean 2, variance 1
FOUR = np.array([[1.0, 3.0], [2.0, 6.0]])  # rows of means 2 and 4, variances 1 and 4
SQUARE = np.array([[[[1.0, 3.0]], [[5.0, 7.0]]]])  # two channels of two pixels
IMAGES = np.array([1.0, 3.0, 2.0, 6.0, 5.0, 5.0, 0.0, 8.0]).reshape(2, 2, 1, 2)
WIDE = np.array([1.0, 3.0, 2.0, 6.0, 5.0, 5.0, 0.0, 8.0]).reshape(1, 2, 2, 2)
SEQUENCES = np.array([1.0, 3.0, 5.0, 5.0]).reshape(1, 2, 2)
A, B = np.array([2.0, 1.0]), np.array([5.0, 0.0])
ONE, ZERO = np.ones(2), np.zeros(2)

normalize_over = Exercise(
    Signature("normalize_over", ("x", "gamma", "beta", "reduced", "affine", "eps"), ("y",), normalize_by_two_sets),
    problem=in_any_layout,
    scale=scale_of_layout,
    smallest=(
        (TWO, A, B, (1,), (1,), 3.0),
        (TWO.T.copy(), A[:1], B[:1], (0,), (1,), 3.0),
        (np.array([[1.0, 1.002]]), ONE, ZERO, (1,), (1,)),
        (np.array([[2.0, 2.0]]), 2 * ONE, 5 * ONE, (1,), (1,)),
        (np.array([[1, 2]]), ONE, ZERO, (1,), (1,), 3.75),
        (FOUR, A, B, (0,), (1,), 3.0),
        (FOUR, A, B, (1,), (1,), 3.0),
        (SQUARE, A, B, (2, 3), (1,), 3.0),
        (SEQUENCES, A, B, (0, 1), (2,), 3.0),
        (SEQUENCES, A, B, (2,), (2,), 3.0),
        (SQUARE, np.array([[[2.0, 1.0]], [[1.0, 3.0]]]), np.zeros((2, 1, 2)), (1, 2, 3), (1, 2, 3), 4.0),
        (WIDE, A, B, (2, 3), (1,), 3.0),
        (IMAGES, A, B, (0, 2, 3), (1,), 3.0),
    ),
    section="which-axes",
    probes=tuple(
        Problem(0, D, eps=eps) for D, eps in {3: 0.1, 4: 0.3, 5: None, 6: None, 7: 0.2, 8: 0.1, 9: None}.items()
    ),
    whole_probes=(Problem(0, 3, eps=0.1, whole=True), Problem(0, 4, eps=0.3, whole=True)),
)
"""Without ``axes``: which axis of gamma goes with which of x depends on the call."""
exercise = normalize_over


def widely(draw: Draw, layout: tuple[tuple[int, ...], Axes, Axes]) -> Arguments:
    """Arguments in this layout, x spread so widely that no usual eps shows: only the axes count."""
    x, *rest = of_layout(draw, Problem(0, 0, low=False), *layout)
    return (5.0 * x, *rest)


@exercise.property(points=0.5)
def answers_in_the_shape_of_x(f: Asked, draw: Draw) -> None:
    """answers with one array of x's shape, be it (N, D), (N, T, D) or (N, C, H, W)"""
    for D in (4, 6, 3):
        f(in_any_layout(draw, Problem(0, D)))


@exercise.property(points=3, nudge="Print the shape of your mean: which axes of x does it keep, and which became 1?")
def reduces_the_axes_it_is_told(f: Asked, draw: Draw) -> None:
    """takes mean and variance over the reduced axes, and no others (gamma = 1, beta = 0)"""
    for layout in MANY:
        f.agrees(plain(widely(draw, layout)), within=ROUGHLY)


@exercise.property(
    points=2, nudge="gamma has shape (C,), x (N, C, H, W): which shape must gamma get to lie along axis 1?"
)
def lays_gamma_and_beta_along_one_axis(f: Asked, draw: Draw) -> None:
    """multiplies by gamma and adds beta along the affine axis, wherever in x it is"""
    for layout in MANY:
        f.agrees(widely(draw, layout), within=ROUGHLY)


@exercise.property(points=1, nudge="With affine = (1, 3) gamma has shape (C, W). Which shape must it get against x?")
def lays_gamma_and_beta_along_several_axes(f: Asked, draw: Draw) -> None:
    """does the same when gamma and beta vary along several axes, as along (1, 2, 3) or (1, 3)"""
    for layout in SEVERAL:
        f.agrees(widely(draw, layout), within=ROUGHLY)


@exercise.property(points=1, nudge="How many numbers are added up in one variance? Is that what you divide by?")
def divides_by_M(f: Asked, draw: Draw) -> None:
    """uses the biased variance, a sum divided by the number of values in it, and is right to rounding"""
    for D, eps in ((3, 0.1), (4, 0.2), (6, 0.3)):
        f.agrees(in_any_layout(draw, Problem(0, D, eps=eps)))


@exercise.property(points=1, nudge="Call it with eps = 3 on values of variance 1: what should it divide by?")
def follows_eps(f: Asked, draw: Draw) -> None:
    """adds the eps it was given to the variance, under the root"""
    for layout in MANY[:3]:
        x, *rest = plain(widely(draw, layout))
        f.agrees((0.04 * x, *rest, 0.1), within=ROUGHLY)


@exercise.property(points=0.5, nudge="What comes out where all values of a mean are alike?")
def default_eps(f: Asked, draw: Draw) -> None:
    """uses eps = 1e-5 when none is given, so that values that are all alike give beta, not NaN"""
    x, *rest = plain(of_layout(draw, Problem(0, 0), *MANY[0]))
    x[0] = 2.5
    f.agrees((x, *rest), within=ROUGHLY)


@exercise.property(points=0.5)
def takes_whole_numbers(f: Asked, draw: Draw) -> None:
    """takes whole numbers without losing what is behind the point"""
    f.agrees(of_layout(draw, Problem(0, 0, whole=True), *MANY[2]), within=ROUGHLY)


@exercise.property(points=0.5, needs="reduces_the_axes_it_is_told")
def leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves x, gamma and beta as they were"""
    leaves_alone(f, in_any_layout(draw, Problem(0, 3)))


# --------------------------------------------------------------------------------------------------------- its steps

SUMS = Sums(
    number=lambda at: int(np.prod([at.x.shape[axis] for axis in at.reduced])),
    total=lambda at, values: values.sum(axis=at.reduced, keepdims=True),
    spread=lambda at, vector: laid_out(vector, at.x, at.affine),
)

in_steps(exercise, WORDS, SUMS)
add_mistakes(
    exercise,
    WORDS,
    "You subtract the mean but do not divide by the standard deviation, so values that were far apart still are.",
    SUMS,
)
add_slips(exercise, WORDS, SUMS)
add_counts(
    exercise,
    WORDS,
    "You divide by another number than M. One sum runs over all reduced axes, so its terms are as many as the product "
    "of their lengths.",
    lambda at: len(at.x),
    lambda at: at.x.shape[1],
    lambda at: at.x.shape[at.reduced[-1]],
    lambda at: at.x.size,
    sums=SUMS,
)


# ------------------------------------------------------------------------------------------------------- other axes


def over(axes: Axes, values: Array) -> Any:
    """The mean over these axes; over none of them, the values."""
    return values.mean(axis=axes, keepdims=True) if axes else values


def but(axes: Axes, values: Array) -> Axes:
    """All the other axes."""
    return tuple(axis for axis in range(values.ndim) if axis not in axes)


add_other_axes(
    exercise,
    WORDS,
    "reduced_ignored",
    "You average over axes of your own choice, whatever `reduced` says. That is one norm, batch or layer "
    "normalization, where the caller decides which: hand `reduced` on as axis=reduced.",
    lambda at, values: over(but((1,), values), values),
    lambda at, values: over((0,), values),
    lambda at, values: over((values.ndim - 1,), values),
    lambda at, values: over(but((0,), values), values),
    sums=SUMS,
)
add_other_axes(
    exercise,
    WORDS,
    "averages_over_the_other_axes",
    "You average over the axes that are not in `reduced`, just the other way round. The reduced axes are the ones that "
    "disappear: in batch normalization of (N, D) that is axis 0, and a mean per feature is left.",
    lambda at, values: over(but(at.reduced, values), values),
    sums=SUMS,
)
add_other_axes(
    exercise,
    WORDS,
    "one_set_of_axes_for_both",
    "You derive the axes of the statistics from `affine`, as if what shares a gamma also shared a mean. That holds in "
    "batch normalization only: in layer or instance normalization the two sets are chosen independently.",
    lambda at, values: over(but(at.affine, values), values),
    lambda at, values: over(at.affine, values),
    sums=SUMS,
)
add_other_axes(
    exercise,
    WORDS,
    "reduces_one_axis_only",
    "You average over one of the reduced axes where there may be several. np.mean takes a tuple of axes at once, and "
    "all values along them share one mean and one variance.",
    lambda at, values: over(at.reduced[:1], values),
    lambda at, values: over(at.reduced[-1:], values),
    sums=SUMS,
)
add_other_axes(
    exercise,
    WORDS,
    "one_statistic_for_everything",
    "You take one mean or one variance of the whole array. The axes that are not in `reduced` stay: for each position "
    "along them there is a mean of its own.",
    lambda at, values: over(tuple(range(values.ndim)), values),
    sums=SUMS,
)
add_other_axes(
    exercise,
    WORDS,
    "statistics_lose_their_axes",
    "Your mean or variance has lost the reduced axes, so it is lined up with the last axes of x, where it does not "
    "belong: it fails for most shapes, and is silently wrong for the others. Use keepdims=True.",
    lambda at, values: values.mean(axis=at.reduced),
    sums=SUMS,
)


@exercise.misconception(Kind.ERROR, "which-axes", about="mean var axis")
def one_axis_after_the_other(x: Array, gamma: Array, beta: Array, reduced: Axes, affine: Axes, eps: float = EPS) -> Any:
    """You normalize along one of the reduced axes after the other. All values along them together share one mean and
    one variance: take each of the two over all these axes at once, as in x.mean(axis=reduced, keepdims=True)."""
    for axis in reduced:
        x = (x - x.mean(axis=axis, keepdims=True)) / np.sqrt(x.var(axis=axis, keepdims=True) + eps)
    return laid_out(gamma, x, affine) * x + laid_out(beta, x, affine)


# ----------------------------------------------------------------------------------------------------- gamma and beta


def with_parameters(g: Any, b: Any, x: Array, reduced: Axes, eps: float) -> Any:
    """The right statistics, and these for gamma and beta."""
    mean, var = x.mean(axis=reduced, keepdims=True), x.var(axis=reduced, keepdims=True)
    return g * (x - mean) / np.sqrt(var + eps) + b


@exercise.misconception(Kind.ERROR, "which-axes", about="gamma beta")
def affine_ignored(x: Array, gamma: Array, beta: Array, reduced: Axes, affine: Axes, eps: float = EPS) -> Any:
    """You multiply by gamma as it comes, which lines it up with the last axes of x, whatever `affine` says. Give it
    length 1 along all other axes first: shape (1, C, 1, 1) for affine = (1,) of images."""
    return with_parameters(gamma, beta, x, reduced, eps)


@exercise.another_way("affine_ignored")
def always_along_axis_1(x: Array, gamma: Array, beta: Array, reduced: Axes, affine: Axes, eps: float = EPS) -> Any:
    """Along axis 1, as if all were images."""
    shape = (1, -1, *[1] * (x.ndim - 2))
    return with_parameters(gamma.reshape(shape), beta.reshape(shape), x, reduced, eps)


@exercise.another_way("affine_ignored")
def down_the_first_axis(x: Array, gamma: Array, beta: Array, reduced: Axes, affine: Axes, eps: float = EPS) -> Any:
    """Along axis 0."""
    shape = (-1, *[1] * (x.ndim - 1))
    return with_parameters(gamma.reshape(shape), beta.reshape(shape), x, reduced, eps)


# ---------------------------------------------------------------------------------------------- what is agreed on


@exercise.misconception(Kind.ERROR, "which-axes", sentences.WHOLE_NUMBER_BUFFER)
def whole_number_buffer(x: Array, gamma: Array, beta: Array, reduced: Axes, affine: Axes, eps: float = EPS) -> Any:
    """The output is an array like x."""
    y = np.empty_like(x)
    y[...] = normalize_by_two_sets(x, gamma, beta, reduced, affine, eps)
    return y


@exercise.another_way("whole_number_buffer")
def whole_number_x_hat(x: Array, gamma: Array, beta: Array, reduced: Axes, affine: Axes, eps: float = EPS) -> Any:
    """The normalized values are an array like x."""
    x_hat = np.empty_like(x)
    x_hat[...] = with_parameters(1.0, 0.0, x, reduced, eps)
    return laid_out(gamma, x, affine) * x_hat + laid_out(beta, x, affine)


@exercise.misconception(Kind.CONTRACT, "which-axes", sentences.CHANGES_ITS_INPUT)
def changes_its_input(x: Array, gamma: Array, beta: Array, reduced: Axes, affine: Axes, eps: float = EPS) -> Any:
    """Centres in place."""
    x -= x.mean(axis=reduced, keepdims=True)
    return with_parameters(laid_out(gamma, x, affine), laid_out(beta, x, affine), x, reduced, eps)
