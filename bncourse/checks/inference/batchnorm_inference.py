"""What is asked of `batchnorm_inference`, and how is it got wrong?

Most of its mistakes are those of `normalize` and `scale_shift`, and are taken over from there.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ... import functional as reference
from .. import quantities as q
from .. import sentences
from ..answers import Array
from ..asking import Asked
from ..calling import Signature
from ..draw import Draw
from ..exercise import Arguments, Exercise, Kind, Misconception, Problem, Way
from ..forward.normalize import normalize
from ..forward.scale_shift import scale_shift
from ..inputs import ALIKE, EPS, FOUR, ONE, ROUGHLY, SHAPES, SIX, THREE, TWO, WHOLE, leaves_alone
from ..reading import Reading, Term
from .inputs import fixed_layer, other_statistics, scale_of_inference

batchnorm_inference = Exercise(
    Signature(
        "batchnorm_inference",
        ("x", "gamma", "beta", "running_mean", "running_var", "eps"),
        ("y",),
        reference.batchnorm_inference,
    ),
    problem=fixed_layer,
    scale=scale_of_inference,
    section="inference-formula",
    axes={"x": "ND", "gamma": "D", "beta": "D", "running_mean": "D", "running_var": "D"},
    smallest=(
        (np.array([[5.0]]), 2 * ONE, ONE, 3 * ONE, ONE, THREE),
        (np.array([[1.003]]), ONE, 0 * ONE, ONE, 1e-6 * ONE),
        (np.array([[2.0]]), 2 * ONE, 5 * ONE, 2 * ONE, 0 * ONE),
        (TWO, 2 * ONE, 5 * ONE, 5 * ONE, 13 * ONE, THREE),
        (ALIKE, 2 * ONE, 5 * ONE, 2 * ONE, 0 * ONE),
        (WHOLE, ONE, 0 * ONE, 0 * ONE, ONE, THREE),
        (FOUR, np.array([2.0, 1.0]), np.array([5.0, 0.0]), np.array([1.0, 3.0]), np.array([1.0, 6.0]), THREE),
        (SIX, np.array([2.0, 1.0]), np.array([5.0, 0.0]), np.array([1.0, 3.0]), np.array([1.0, 6.0]), THREE),
    ),
)


def plain_layer(draw: Draw, x: Array, *eps: float) -> Arguments:
    """A layer whose gamma and beta do nothing."""
    return (x, np.ones(x.shape[1]), np.zeros(x.shape[1]), *other_statistics(draw, x), *eps)


@batchnorm_inference.property(points=0.5)
def y_has_the_shape_of_x(f: Asked, draw: Draw) -> None:
    """answers with an array of x's shape, (N, D)"""
    f(fixed_layer(draw, Problem(7, 3)))


@batchnorm_inference.property(
    points=3,
    nudge="Which mean and which variance do you use: those of x, or those that were stored during training?",
)
def normalizes_by_the_running_statistics(f: Asked, draw: Draw) -> None:
    """subtracts the running mean and divides by the root of the running variance (gamma = 1, beta = 0)"""
    for N, D in ((7, 3), (4, 4)):
        f.agrees(plain_layer(draw, draw.batch(N, D)), within=ROUGHLY)


@batchnorm_inference.property(
    points=1.5,
    nudge="What should come out for a single sample, N = 1? Has anything in your code to do with the other rows?",
)
def needs_no_neighbours(f: Asked, draw: Draw) -> None:
    """answers for a sample alone as for the same sample among others"""
    x, *rest = plain_layer(draw, draw.batch(7, 3))
    for row in range(2):
        f.agrees((x[row : row + 1], *rest), within=ROUGHLY)


@batchnorm_inference.property(points=1.5, nudge="Where do gamma and beta come in, and in which order?")
def scales_and_shifts(f: Asked, draw: Draw) -> None:
    """multiplies by gamma, then adds beta, as in training"""
    f.agrees(fixed_layer(draw, Problem(7, 3, low=False)), within=ROUGHLY)


@batchnorm_inference.property(
    points=1,
    section="normalize-eps",
    nudge="With running_var = 1 and eps = 3, by what should your function divide?",
)
def follows_eps(f: Asked, draw: Draw) -> None:
    """adds the eps it was given to the running variance, under the root"""
    x = draw.batch(7, 3, sd=0.1)  # where the variance is 0.2, eps = 0.1 comes to the same outside the root
    f.agrees(plain_layer(draw, x, 0.1), within=ROUGHLY)


@batchnorm_inference.property(points=0.5, section="normalize-eps")
def default_eps(f: Asked, draw: Draw) -> None:
    """uses eps = 1e-5 when none is given"""
    f.agrees(plain_layer(draw, draw.batch(7, 3, low=True)), within=ROUGHLY)


@batchnorm_inference.property(points=0.5)
def inference_right_to_rounding(f: Asked, draw: Draw) -> None:
    """is right to rounding for batches of any shape, also when N = D"""
    for problem in SHAPES:
        f.agrees(fixed_layer(draw, problem))


@batchnorm_inference.property(points=0.5, needs="normalizes_by_the_running_statistics", section="normalize-eps")
def zero_variance_gives_beta(f: Asked, draw: Draw) -> None:
    """gives beta, not NaN, for a feature that never varied and is what it was"""
    x, gamma, beta, mean, var = fixed_layer(draw, Problem(5, 3, low=False))
    mean[-1], var[-1] = np.round(mean[-1] * 4) / 4, 0.0  # exact in binary, so that x - mean is 0 by any way
    x[:, -1] = mean[-1]
    f.agrees((x, gamma, beta, mean, var), within=ROUGHLY)


@batchnorm_inference.property(points=0.5)
def inference_takes_whole_numbers(f: Asked, draw: Draw) -> None:
    """takes whole numbers without losing what is behind the point"""
    f.agrees(plain_layer(draw, draw.whole_numbers(7, 3)), within=ROUGHLY)


@batchnorm_inference.property(points=0.5, needs="normalizes_by_the_running_statistics")
def inference_leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves x, gamma, beta and the running statistics as they were"""
    leaves_alone(f, fixed_layer(draw, Problem(5, 3)))


# --------------------------------------------------------------------------------------------------------- its steps

steps = batchnorm_inference.in_steps(eps=EPS)


@steps.step
def mean(at: Any) -> Any:
    """the running mean, as it is given"""
    return at.running_mean


@steps.step
def var(at: Any) -> Any:
    """the running variance, as it is given"""
    return at.running_var


@steps.step
def centred(at: Any) -> Any:
    """how far each value lies from its feature's running mean"""
    return at.x - at.mean


@steps.step
def std(at: Any) -> Any:
    """the root of the running variance + eps"""
    return np.sqrt(at.var + at.eps)


@steps.step
def x_hat(at: Any) -> Any:
    """the distance from the running mean, divided by std"""
    return at.centred / at.std


@steps.step
def y(at: Any) -> Any:
    """gamma times x_hat, plus beta"""
    return at.gamma * at.x_hat + at.beta


def batch_statistics(wrong_mean: Any, wrong_var: Any) -> Way:
    """Two wrong steps at once: whatever mean, whatever variance."""
    wrong = {"mean": wrong_mean, "var": wrong_var}
    return Way(batchnorm_inference.from_steps(wrong), wrong)


def batch_mean(at: Any) -> Any:
    """The mean of the batch."""
    return at.x.mean(axis=0)


def batch_variance(at: Any) -> Any:
    """The variance of the batch."""
    return at.x.var(axis=0)


def unbiased_batch_variance(at: Any) -> Any:
    """The unbiased variance of the batch: NaN for a single row, as NumPy has it."""
    return at.x.var(axis=0, ddof=1)


# one mistake in two steps, which a decorator of one step cannot say
batchnorm_inference.misconceptions.append(
    Misconception(
        "batch_statistics",
        "You normalize by statistics of the batch at hand. At inference the running statistics take their place: "
        "otherwise the answer for a sample depends on its neighbours, and a sample alone has no variance at all.",
        Kind.ERROR,
        "inference-formula",
        (batch_statistics(batch_mean, batch_variance), batch_statistics(batch_mean, unbiased_batch_variance)),
        frozenset({"mean", "var"}),
    )
)
for step, wrong in (("mean", batch_mean), ("var", batch_variance), ("var", unbiased_batch_variance)):
    batchnorm_inference.another_way("batch_statistics", step=step)(wrong)


def mixed(momentum: float, ddof: int) -> Way:
    """Running statistics with the batch mixed in."""
    return batch_statistics(
        lambda at: (1 - momentum) * at.running_mean + momentum * at.x.mean(axis=0),
        lambda at: (1 - momentum) * at.running_var + momentum * at.x.var(axis=0, ddof=min(ddof, len(at.x) - 1)),
    )


batchnorm_inference.misconceptions.append(
    Misconception(
        "statistics_updated_first",
        "You mix the batch into the running statistics before you use them. At inference nothing is updated: whoever "
        "asks twice has to get the same answer, and a sample's answer must not depend on its neighbours.",
        Kind.ERROR,
        "inference-formula",
        (mixed(0.1, 1), mixed(0.1, 0)),
        frozenset({"mean", "var"}),
    )
)


@batchnorm_inference.misconception(Kind.ERROR, "inference-formula", step="var", about="var N")
def corrected_again(at: Any) -> Any:
    """You multiply the running variance by N/(N - 1). It has been made unbiased when it was stored, with the N of the
    training batches; the N of this batch says nothing about it, and a single sample would be divided by 0."""
    return at.running_var * (len(at.x) / max(len(at.x) - 1, 1e-300))


@batchnorm_inference.misconception(Kind.ERROR, "inference-formula", step="x_hat", about="mean std")
def not_normalized(at: Any) -> Any:
    """You do not normalize at all: x goes straight to gamma and beta. Inference does not switch the layer off; it
    normalizes by fixed statistics, since that is what the layers after it were trained on."""
    return at.x + 0.0


@batchnorm_inference.misconception(Kind.ERROR, "inference-formula", step="y", about="mean")
def mean_shifted_unscaled(at: Any) -> Any:
    """You subtract the running mean after scaling x, so gamma and the deviation never reach it. As one straight line
    the layer is scale * x + (beta - scale * running_mean), with scale = gamma / std in both places."""
    return at.gamma * at.x / at.std + at.beta - at.mean


batchnorm_inference.copy(normalize)
batchnorm_inference.copy(scale_shift)


@batchnorm_inference.another_way("divides_by_the_variance", step="std")
def variance_for_the_deviation(at: Any) -> Any:
    """As if the running variance were a deviation, eps left out."""
    return at.var


@batchnorm_inference.another_way("divides_by_the_variance", step="std")
def variance_squared(at: Any) -> Any:
    """As if the running variance were a deviation, which is squared again."""
    return np.sqrt(at.var**2 + at.eps)


# ------------------------------------------------------------------------------------------- mistakes of the whole


@batchnorm_inference.misconception(Kind.ERROR, "inference-formula")
def statistics_down_the_rows(
    x: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array, eps: float = EPS
) -> Any:
    """You spread the running statistics down the rows, so that sample i gets those of feature i. They belong to the
    columns: shape (D,) broadcasts against (N, D) by itself. Your version has the right shape only when N = D."""
    return gamma * (x - running_mean[:, None]) / np.sqrt(running_var[:, None] + eps) + beta


@batchnorm_inference.another_way("statistics_down_the_rows")
def everything_down_the_rows(
    x: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array, eps: float = EPS
) -> Any:
    """Gamma and beta too."""
    gamma, beta, running_mean, running_var = (one[:, None] for one in (gamma, beta, running_mean, running_var))
    return gamma * (x - running_mean) / np.sqrt(running_var + eps) + beta


@batchnorm_inference.misconception(Kind.ERROR, "inference-formula")
def statistics_of_each_sample(
    x: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array, eps: float = EPS
) -> Any:
    """You normalize each sample by its own mean and variance over the features (axis=1). That is layer normalization;
    here every feature has its running mean and its running variance."""
    return gamma * (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + eps) + beta


@batchnorm_inference.misconception(Kind.ERROR, "inference-formula", sentences.WHOLE_NUMBER_BUFFER)
def whole_number_buffer(
    x: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array, eps: float = EPS
) -> Any:
    """The output is an array like x."""
    y = np.empty_like(x)
    y[:] = gamma * (x - running_mean) / np.sqrt(running_var + eps) + beta
    return y


@batchnorm_inference.another_way("whole_number_buffer")
def whole_number_x_hat(
    x: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array, eps: float = EPS
) -> Any:
    """The normalized values are an array like x."""
    x_hat = np.empty_like(x)
    x_hat[:] = (x - running_mean) / np.sqrt(running_var + eps)
    return gamma * x_hat + beta


@batchnorm_inference.misconception(Kind.CONTRACT, "inference-formula", sentences.CHANGES_ITS_INPUT)
def changes_its_input(
    x: Array, gamma: Array, beta: Array, running_mean: Array, running_var: Array, eps: float = EPS
) -> Any:
    """Works in place throughout."""
    x -= running_mean
    x /= np.sqrt(running_var + eps)
    return gamma * x + beta


# ----------------------------------------------------------------------------------------------- readings, symptoms

batchnorm_inference.read(
    Reading(
        "y",
        terms=(
            Term("x", "the term with x", lambda at: at.gamma * at.x / at.std, "inference-formula", "", "x"),
            Term(
                "mean",
                "the term with the running mean",
                lambda at: -at.gamma * at.mean / at.std,
                "inference-formula",
                "Subtract the running mean from x; what the difference is multiplied by then reaches both.",
                "mean",
            ),
            Term("beta", "the term with beta", lambda at: at.beta, "scale-shift", "", "beta"),
        ),
        factors=(q.GAMMA, q.STD, q.EPS, *q.EPS_ROOTS),
        vary=("beta", "running_mean"),
    )
)


@batchnorm_inference.symptom("inference-formula", about="y")
def not_one_line_per_feature(at: Any, answer: Mapping[str, Array]) -> bool:
    """Your y is not a straight line of x within a feature. With fixed statistics the layer multiplies each feature by
    one number and adds another, the same for all samples: something in your code treats the samples differently."""
    x, y = at.x - at.x.mean(axis=0), answer["y"] - answer["y"].mean(axis=0)
    slope = (x * y).sum(axis=0) / (x * x).sum(axis=0)
    return bool(np.all(np.abs(y - slope * x) <= 1e-3 * np.abs(y).max(axis=0)))
