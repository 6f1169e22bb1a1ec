"""What is asked of `fold_into_next_linear`, and how is it got wrong?

Here batch normalization comes *before* the dense layer: its slopes belong to the inputs, and every output's bias
collects the offsets of all inputs.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import sentences
from ..answers import Array
from ..asking import Asked
from ..calling import Signature
from ..draw import LOW_DEVIATION, Draw
from ..exercise import Arguments, Exercise, Kind, Problem
from ..forward.normalize import normalize
from ..inputs import EPS, ONE, ROUGHLY, SHAPES, and_eps, eps_in, leaves_alone
from .inputs import two_layers

Pair = tuple[Array, Array]


def folded(
    weight: ArrayLike,
    bias: ArrayLike | None,
    gamma: ArrayLike,
    beta: ArrayLike,
    running_mean: ArrayLike,
    running_var: ArrayLike,
    eps: float = EPS,
) -> Pair:
    """The dense layer that computes batch normalization at inference, then dense, in one step."""
    scale = np.asarray(gamma, float) / np.sqrt(np.asarray(running_var, float) + eps)
    offset = np.asarray(beta, float) - scale * np.asarray(running_mean, float)
    own = np.zeros(np.shape(weight)[0]) if bias is None else np.asarray(bias, float)
    new_weight: Array = np.asarray(weight, float) * scale
    new_bias: Array = own + np.asarray(weight, float) @ offset
    return new_weight, new_bias


def norm_then_dense(draw: Draw, problem: Problem) -> Arguments:
    """The arguments: N outputs, D inputs; as in the folding the other way, a layer of whole numbers has no bias."""
    weight, _, gamma, beta, mean, var, *_ = two_layers(draw, problem)
    weight = weight.T.copy()
    bias = None if problem.whole else draw.away_from_zero(problem.N)
    return (weight, bias, gamma, beta, mean, var, *and_eps(problem))


def nothing_cancels(draw: Draw, N: int, D: int) -> Arguments:
    """Sums of which all terms are positive, beside variances so large that no eps shows: what is roughly right, is."""
    weight, bias, gamma, beta, mean, _ = norm_then_dense(draw, Problem(N, D, low=False))
    mean = -np.sign(gamma) * np.abs(mean)
    return np.abs(weight), np.abs(bias), gamma, np.abs(beta), mean, draw.random.uniform(2.0, 5.0, D)


def scale_of_next(arguments: Arguments) -> Mapping[str, Array]:
    """A product for the weight; the bias adds up a product for every input, each of the size of an offset."""
    weight, bias, gamma, beta, mean, var = arguments[:6]
    factor = np.abs(gamma) / np.sqrt(var + eps_in(arguments, 6))
    sums = np.abs(weight) @ (factor * np.abs(mean) + np.abs(beta)) + (0.0 if bias is None else np.abs(bias))
    return {"new_weight": np.abs(weight).max() * factor + 0.0 * weight + sums[:, None], "new_bias": sums}


fold_into_next_linear = Exercise(
    Signature(
        "fold_into_next_linear",
        ("weight", "bias", "gamma", "beta", "running_mean", "running_var", "eps"),
        ("new_weight", "new_bias"),
        folded,
    ),
    problem=norm_then_dense,
    scale=scale_of_next,
    section="folding-forward",
    axes={
        "weight": "OI",
        "bias": "O",
        "gamma": "I",
        "beta": "I",
        "running_mean": "I",
        "running_var": "I",
    },
    smallest=(
        (np.array([[2.0]]), 7 * ONE, 6 * ONE, ONE, 5 * ONE, 4 * ONE, 5.0),
        (np.array([[2.0]]), None, 6 * ONE, ONE, 5 * ONE, 4 * ONE, 5.0),
        (np.array([[1.0]]), ONE, ONE, ONE, ONE, 1e-6 * ONE),
        (
            np.array([[1.0, 2.0], [0.0, -3.0]]),
            np.array([1.0, 2.0]),
            np.array([4.0, 2.0]),
            np.array([0.0, 2.0]),
            np.array([1.0, 6.0]),
            np.array([3.0, 8.0]),
            1.0,
        ),
    ),
)
exercise = fold_into_next_linear


@exercise.property(points=0.5)
def next_layer_keeps_its_shape(f: Asked, draw: Draw) -> None:
    """answers with (weight, bias) of shapes (out, in) and (out,)"""
    f(norm_then_dense(draw, Problem(4, 3)))


@exercise.property(
    points=2,
    nudge="Each input has its own slope. Which row or column of the weight meets input q?",
)
def scales_the_columns(f: Asked, draw: Draw) -> None:
    """multiplies the weights of each input by that input's gamma / std"""
    for N, D in ((7, 3), (4, 4)):
        f.agrees(nothing_cancels(draw, N, D), within=ROUGHLY, only=("new_weight",))


@exercise.property(
    points=2,
    nudge="What does the dense layer answer to x = 0, once batch normalization stands before it?",
)
def collects_the_offsets(f: Asked, draw: Draw) -> None:
    """adds to each output's bias what the weights make of the offsets of all inputs"""
    for N, D in ((7, 3), (4, 4)):
        f.agrees(nothing_cancels(draw, N, D), within=ROUGHLY, only=("new_bias",))


@exercise.property(
    points=0.5,
    section="normalize-eps",
    nudge="With running_var = 1 and eps = 3, by what does batch normalization divide?",
)
def next_follows_eps(f: Asked, draw: Draw) -> None:
    """adds the eps it was given to the running variance, under the root"""
    weight, bias, gamma, beta, mean, _ = norm_then_dense(draw, Problem(4, 3))
    f.agrees((weight, bias, gamma, beta, mean, draw.random.uniform(0.05, 0.15, 3), 0.1), within=ROUGHLY)


@exercise.property(points=0.25, section="normalize-eps")
def next_default_eps(f: Asked, draw: Draw) -> None:
    """uses eps = 1e-5 when none is given"""
    weight, bias, gamma, beta, mean, _ = norm_then_dense(draw, Problem(4, 3))
    f.agrees((weight, bias, gamma, beta, mean, LOW_DEVIATION**2 * draw.random.uniform(0.7, 1.4, 3)), within=ROUGHLY)


@exercise.property(points=0.25, nudge="A layer without bias, bias=None, adds 0. Which bias has the folded layer then?")
def next_to_rounding(f: Asked, draw: Draw) -> None:
    """is right to rounding for layers of any shape, also for one without a bias (bias=None)"""
    for problem in SHAPES:
        f.agrees(norm_then_dense(draw, problem))
    weight, _, *rest = norm_then_dense(draw, Problem(4, 3, low=False))
    f.agrees((weight, None, *rest))


@exercise.property(points=0.5, needs="scales_the_columns")
def next_leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves weight, bias and the layer's statistics and parameters as they were"""
    leaves_alone(f, norm_then_dense(draw, Problem(5, 3)))


# --------------------------------------------------------------------------------------------------------- its steps

steps = exercise.in_steps(eps=EPS)


@steps.step
def var(at: Any) -> Any:
    """the running variance, as it is given"""
    return at.running_var


@steps.step
def std(at: Any) -> Any:
    """the root of the running variance + eps"""
    return np.sqrt(at.var + at.eps)


@steps.step
def scale(at: Any) -> Any:
    """what each input is multiplied by: gamma / std"""
    return at.gamma / at.std


@steps.step
def offset(at: Any) -> Any:
    """what is added to each input: beta - scale * running_mean"""
    return at.beta - at.scale * at.running_mean


@steps.step
def own_bias(at: Any) -> Any:
    """the layer's own bias, 0 if it has none"""
    return np.zeros(len(at.weight)) if at.bias is None else at.bias


@steps.step
def new_weight(at: Any) -> Any:
    """the weights of each input, a column, times its scale"""
    return at.weight * at.scale


@steps.step
def new_bias(at: Any) -> Any:
    """own_bias plus weight @ offset"""
    return at.own_bias + at.weight @ at.offset


exercise.copy(
    normalize,
    "eps_outside_the_root",
    "eps_missing",
    "eps_squared",
    "eps_ignored",
    "default_eps_of_keras",
    "divides_by_the_variance",
)


@exercise.misconception(Kind.ERROR, "folding-forward", step="scale", about="gamma")
def gamma_ignored(at: Any) -> Any:
    """You leave gamma out. Batch normalization multiplies each input by gamma / std, and the folded layer has to do
    both, the division and gamma, in the weight and in the offsets."""
    return 1.0 / at.std


@exercise.misconception(Kind.ERROR, "folding-forward", step="scale", about="std")
def multiplies_by_the_deviation(at: Any) -> Any:
    """You multiply by the standard deviation. Batch normalization divides by it: each input is multiplied by
    gamma / std, and so is its column of the weight."""
    return at.gamma * at.std


@exercise.misconception(Kind.ERROR, "folding-forward", step="new_weight", about="weight")
def weight_not_scaled(at: Any) -> Any:
    """You return the weight as it was. The dense layer now gets the raw inputs, so each column of the weight has to do
    what batch normalization did to its input: multiply by gamma / std."""
    return at.weight


@exercise.misconception(Kind.ERROR, "folding-forward", step="new_weight", about="weight")
def scales_the_outputs(at: Any) -> Any:
    """You multiply the rows of the weight. A weight is (out, in), and here every *input* has its own scale: multiply
    the columns, weight * scale. Yours has the right shape only with as many inputs as outputs."""
    return at.weight * at.scale[:, None]


@exercise.misconception(Kind.ERROR, "folding-forward", step="new_bias", about="bias")
def bias_left_as_it_was(at: Any) -> Any:
    """You return the layer's own bias. Batch normalization also adds an offset to every input, beta - scale *
    running_mean; the weights add them up, and that sum, weight @ offset, has nowhere to go but the bias."""
    return at.own_bias


@exercise.misconception(Kind.ERROR, "folding-forward", step="new_bias", about="bias")
def offsets_scaled_twice(at: Any) -> Any:
    """You send the offsets through the folded weight, which has the scale in it already. The offset is added after
    scaling, so it passes through the layer's own weight: weight @ offset."""
    return at.own_bias + at.new_weight @ at.offset


@exercise.misconception(Kind.ERROR, "folding-forward", step="own_bias", about="bias")
def own_bias_ignored(at: Any) -> Any:
    """You leave the layer's own bias out. It is added at the very end, after batch normalization and the weights, so it
    stays as it is, beside weight @ offset."""
    return np.zeros(len(at.weight))


@exercise.misconception(Kind.ERROR, "folding-forward", step="offset", about="mean")
def mean_not_scaled(at: Any) -> Any:
    """You subtract the running mean as it is. Batch normalization subtracts it before it scales, so in the offset it is
    multiplied by gamma / std: beta - scale * running_mean."""
    return at.beta - at.running_mean


@exercise.misconception(Kind.ERROR, "folding-forward", step="offset", about="mean")
def mean_added(at: Any) -> Any:
    """You add the running mean where it is to be subtracted: the offset of an input is beta - scale * running_mean."""
    return at.beta + at.scale * at.running_mean


@exercise.misconception(Kind.ERROR, "folding-forward", step="offset", about="mean")
def mean_ignored(at: Any) -> Any:
    """You leave the running mean out of the offsets. Batch normalization subtracts it from every input: the offset is
    beta - scale * running_mean."""
    return at.beta


@exercise.misconception(Kind.ERROR, "folding-forward", step="offset", about="beta")
def beta_ignored(at: Any) -> Any:
    """You leave beta out of the offsets. Batch normalization adds it to every input, and the weights send it on into
    the outputs: the offset is beta - scale * running_mean."""
    return -at.scale * at.running_mean


@exercise.misconception(Kind.ERROR, "folding")
def folds_into_the_layer_before(
    weight: Array,
    bias: Array | None,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    eps: float = EPS,
) -> Pair:
    """You fold as if the dense layer came first: the scale on the rows of the weight, the shift straight into the bias.
    Here batch normalization comes first and acts on the inputs. Yours has the right shape only with as many
    inputs as outputs."""
    scale = gamma / np.sqrt(running_var + eps)
    own = np.zeros(len(weight)) if bias is None else bias
    return weight * scale[:, None], scale * (own - running_mean) + beta


@exercise.misconception(Kind.CONTRACT, "folding-forward", sentences.CHANGES_ITS_INPUT)
def changes_its_input(
    weight: Array,
    bias: Array | None,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    eps: float = EPS,
) -> Pair:
    """Scales the caller's weight in place, after the bias is made."""
    _, new_bias = folded(weight, bias, gamma, beta, running_mean, running_var, eps)
    weight *= gamma / np.sqrt(running_var + eps)
    return weight, new_bias
