"""What is asked of `normalize`, and how is it got wrong?"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import functional as reference
from .. import quantities as q
from .. import sentences
from ..answers import Array
from ..asking import Asked, Refused
from ..calling import Signature
from ..draw import Draw
from ..exercise import Exercise, Kind, Problem
from ..inputs import ALIKE, EPS, FOUR, HARDLY, ONE, OTHER_EPS, ROUGHLY, SIX, THREE, TWO, WHOLE, leaves_alone
from ..reading import Reading, Term
from .inputs import scale_of_normalize, with_statistics

normalize = Exercise(
    Signature("normalize", ("x", "mean", "var", "eps"), ("x_hat",), reference.normalize),
    problem=with_statistics,
    scale=scale_of_normalize,
    smallest=(
        (TWO, 2 * ONE, ONE, THREE),
        (HARDLY, 1.001 * ONE, 1e-6 * ONE),
        (ALIKE, 2 * ONE, 0 * ONE),
        (TWO, ONE, ONE, THREE),
        (WHOLE, 1.5 * ONE, ONE, THREE),
        (FOUR, np.array([2.0, 4.0]), np.array([1.0, 4.0]), THREE),
        (SIX, np.array([3.0, 5.0]), np.array([1.0, 4.0]), THREE),
    ),
    section="normalize-formula",
    axes={"x": "ND", "mean": "D", "var": "D"},
)


@normalize.property(points=1)
def x_hat_has_the_shape_of_x(f: Asked, draw: Draw) -> None:
    """answers with an array of x's shape, (N, D)"""
    f(with_statistics(draw, Problem(7, 3)))


@normalize.property(points=4)
def subtracts_the_mean(f: Asked, draw: Draw) -> None:
    """is 0 where x equals the mean it was given, and has the sign of x - mean elsewhere"""
    x, mean, var = with_statistics(draw, Problem(7, 3, low=False))
    x[2] = mean
    x_hat = f((x, mean, var))["x_hat"]
    if not np.all(np.abs(x_hat[2]) <= 1e-4):
        raise Refused(f"Where x equals the mean, x_hat is {np.array2string(x_hat[2], precision=4)}, expected zeros.")
    if not np.all(np.sign(np.delete(x_hat, 2, axis=0)) == np.sign(np.delete(x - mean, 2, axis=0))):
        raise Refused("x_hat is not positive just where x is above the mean.")


@normalize.property(points=5)
def divides_by_the_deviation(f: Asked, draw: Draw) -> None:
    """divides by the standard deviation, the root of the variance it was given"""
    for N, D in ((7, 3), (4, 4)):
        f.agrees(with_statistics(draw, Problem(N, D, low=False)), within=ROUGHLY)


@normalize.property(points=2)
def eps_beside_the_variance(f: Asked, draw: Draw) -> None:
    """adds the eps it was given to the variance, under the root"""
    for problem in (Problem(7, 3, eps=0.1), Problem(4, 4, eps=0.2), Problem(3, 5, eps=0.5)):
        f.agrees(with_statistics(draw, problem))


@normalize.property(points=1)
def default_eps(f: Asked, draw: Draw) -> None:
    """uses eps = 1e-5 when none is given"""
    f.agrees(with_statistics(draw, Problem(4, 4)))


@normalize.property(points=1, needs="divides_by_the_deviation")
def constant_feature_becomes_0(f: Asked, draw: Draw) -> None:
    """gives 0, not NaN, for a feature that never varies"""
    x = draw.batch(5, 3, constant=True)
    f.agrees((x, x.mean(axis=0), x.var(axis=0)), within=ROUGHLY)


@normalize.property(points=1)
def normalizes_whole_numbers(f: Asked, draw: Draw) -> None:
    """takes whole numbers without losing what is behind the point"""
    f.agrees(with_statistics(draw, Problem(5, 3, whole=True)), within=ROUGHLY)


@normalize.property(points=1, needs="divides_by_the_deviation")
def normalize_leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves x, mean and var as they were"""
    leaves_alone(f, with_statistics(draw, Problem(5, 3)))


steps = normalize.in_steps(eps=EPS)


@steps.step
def centred(at: Any) -> Any:
    """how far each value lies from the mean"""
    return at.x - at.mean


@steps.step
def std(at: Any) -> Any:
    """the root of var + eps"""
    return np.sqrt(at.var + at.eps)


@steps.step
def x_hat(at: Any) -> Any:
    """the distance from the mean, divided by std"""
    return at.centred / at.std


@normalize.misconception(Kind.ERROR, "normalize-eps", step="std", about="eps")
def eps_outside_the_root(at: Any) -> Any:
    """You add eps to the standard deviation. It belongs beside the variance, under the root: for a feature that hardly
    varies, your output is far too large."""
    return np.sqrt(at.var) + at.eps


@normalize.misconception(Kind.ERROR, "normalize-eps", step="std", about="eps")
def eps_missing(at: Any) -> Any:
    """You leave eps out. A feature that never varies then becomes 0/0, that is NaN, and one that hardly varies has its
    noise blown up: divide by the root of var + eps."""
    return np.sqrt(at.var)


@normalize.misconception(Kind.ERROR, "normalize-eps", step="std", about="eps")
def eps_squared(at: Any) -> Any:
    """You square eps under the root. It is added to the variance as it is: with eps = 1e-5 your 1e-10 protects hardly
    anything."""
    return np.sqrt(at.var + at.eps**2)


@normalize.misconception(Kind.ERROR, "normalize-eps", step="std", about="eps")
def eps_subtracted(at: Any) -> Any:
    """You subtract eps from the variance. It is added: its purpose is that what stands under the root is never 0, and
    yours becomes negative, and the root NaN, for a feature that hardly varies."""
    return np.sqrt(at.var - at.eps)


@normalize.misconception(Kind.ERROR, "normalize-eps", step="std", about="eps")
def eps_ignored(at: Any) -> Any:
    """You use an eps of your own and ignore the one that is given. It works until somebody calls the function with
    another eps: use the argument."""
    return np.sqrt(at.var + EPS)


def with_fixed_eps(constant: float) -> Callable[[Any], Any]:
    """A deviation with an eps of its own, whatever is given."""
    return lambda at: np.sqrt(at.var + constant)


for other in OTHER_EPS:
    normalize.another_way("eps_ignored", step="std")(with_fixed_eps(other))


@normalize.misconception(Kind.CONVENTION, "normalize-eps", step="eps")
def default_eps_of_keras(at: Any) -> Any:
    """Your eps is 1e-3 when none is given. That is Keras' default; this course, like PyTorch, asks for 1e-5."""
    return at.given.get("eps", 1e-3)


@normalize.misconception(Kind.ERROR, "normalize-formula", step="std")
def divides_by_the_variance(at: Any) -> Any:
    """You divide by the variance. Only its root has the unit of x: dividing by the variance gives a feature of
    deviation s the deviation 1/s instead of 1."""
    return at.var + at.eps


@normalize.misconception(Kind.ERROR, "normalize-eps", step="std", about="eps")
def root_misplaced(at: Any) -> Any:
    """You take the root of eps alone, not of var + eps: `var + eps**0.5` means var + (eps**0.5). Put the sum in
    parentheses, (var + eps)**0.5."""
    return at.var + np.sqrt(at.eps)


@normalize.another_way("root_misplaced", step="std")
def inverse_root_misplaced(at: Any) -> Any:
    """The same with the power -0.5."""
    return 1.0 / (at.var + at.eps**-0.5)


@normalize.misconception(Kind.ERROR, "normalize-eps", step="std", about="eps")
def eps_beside_the_inverse(at: Any) -> Any:
    """You add eps to one over the deviation: `var**-0.5 + eps` means (1/std) + eps. It belongs beside the variance, in
    the parentheses: (var + eps)**-0.5."""
    return 1.0 / (at.var**-0.5 + at.eps)


@normalize.misconception(Kind.ERROR, "normalize-formula", step="x_hat", about="mean running_mean")
def divides_before_it_subtracts(at: Any) -> Any:
    """You divide the mean only, for `x - mean / s` means x - (mean / s). Put the difference in parentheses:
    (x - mean) / s."""
    return at.x - at.mean / at.std


@normalize.misconception(Kind.ERROR, "normalize-formula", about="mean var")
def recomputes_the_statistics(x: Array, mean: Array, var: Array, eps: float = EPS) -> Any:
    """You compute mean and variance from x again and ignore those that are given. Use the arguments: at inference they
    will be the running statistics, not the batch's."""
    return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps)


@normalize.misconception(Kind.ERROR, "normalize-formula", step="x_hat", about="std")
def only_centres(at: Any) -> Any:
    """You subtract the mean but do not divide by the standard deviation, so a feature measured in grams still counts a
    thousand times as much as in kilograms."""
    return at.centred


@normalize.misconception(Kind.ERROR, "normalize-formula", step="centred", about="mean running_mean")
def only_rescales(at: Any) -> Any:
    """You divide by the standard deviation but do not subtract the mean first, so a feature of mean 10 still lies far
    from 0."""
    return at.x


@normalize.misconception(Kind.ERROR, "normalize-formula", step="centred", about="mean running_mean")
def adds_the_mean(at: Any) -> Any:
    """You add the mean where it is to be subtracted: centring moves the mean to 0, yours moves it to twice its
    value."""
    return at.x + at.mean


@normalize.misconception(Kind.ERROR, "normalize-formula", step="x_hat", about="std")
def multiplies_by_the_deviation(at: Any) -> Any:
    """You multiply by the standard deviation. Dividing by it is what gives every feature the same scale; yours makes
    wide features wider."""
    return at.centred * at.std


@normalize.misconception(Kind.ERROR, "normalize-formula")
def statistics_down_the_rows(x: Array, mean: Array, var: Array, eps: float = EPS) -> Any:
    """You spread mean and var down the rows, so that sample i gets the statistics of feature i. They belong to the
    columns: shape (D,) broadcasts against (N, D) by itself. Your version runs only when N = D."""
    return (x - mean[:, None]) / np.sqrt(var[:, None] + eps)


@normalize.misconception(Kind.ERROR, "normalize-formula", sentences.WHOLE_NUMBER_BUFFER)
def whole_number_buffer(x: Array, mean: Array, var: Array, eps: float = EPS) -> Any:
    """The result is an array like x."""
    x_hat = np.empty_like(x)
    x_hat[:] = (x - mean) / np.sqrt(var + eps)
    return x_hat


@normalize.misconception(Kind.CONTRACT, "normalize-formula", sentences.CHANGES_ITS_INPUT)
def changes_its_input(x: Array, mean: Array, var: Array, eps: float = EPS) -> Any:
    """Works in place throughout."""
    x -= mean
    x /= np.sqrt(var + eps)
    return x


normalize.read(
    Reading(
        "x_hat",
        terms=(
            Term("x", "the term with x", lambda at: at.x / at.std, "normalize-formula", "", "x"),
            Term(
                "mean",
                "the term with the mean",
                lambda at: -at.mean / at.std,
                "normalize-formula",
                "Subtract the mean, then divide the difference by the deviation.",
                "mean",
            ),
        ),
        factors=(q.D, q.STD, q.EPS, *q.EPS_ROOTS),
    )
)
