"""What is asked of `fold_linear`, and how is it got wrong?

What it divides by is that of `normalize`, and so are the mistakes in it.
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
from ..draw import LOW_DEVIATION, Draw
from ..exercise import Exercise, Kind, Problem
from ..forward.normalize import normalize
from ..inputs import EPS, ONE, ROUGHLY, SHAPES, THREE, leaves_alone
from ..reading import Reading, Term
from .inputs import scale_of_fold, two_layers

Pair = tuple[Array, Array]

SQUARE = np.array([[1.0, 2.0], [3.0, 4.0]])
WIDE = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
FOR_TWO = (np.array([4.0, 2.0]), np.array([7.0, 1.0]), np.array([3.0, 2.0]), np.array([1.0, 6.0]), THREE)
"""gamma, beta, running_mean, running_var, eps: the deviations are 2 and 3."""

fold_linear = Exercise(
    Signature(
        "fold_linear",
        ("weight", "bias", "gamma", "beta", "running_mean", "running_var", "eps"),
        ("new_weight", "new_bias"),
        reference.fold_linear,
    ),
    problem=two_layers,
    scale=scale_of_fold,
    section="folding",
    axes={
        "weight": "OI",
        "bias": "O",
        "gamma": "O",
        "beta": "O",
        "running_mean": "O",
        "running_var": "O",
    },
    smallest=(
        (2 * np.eye(1), 5 * ONE, 4 * ONE, 7 * ONE, 3 * ONE, ONE, THREE),
        (2 * np.eye(1), 5 * ONE, ONE, 7 * ONE, 3 * ONE, 1e-6 * ONE),
        (np.array([[3]]), 5 * ONE, ONE, 7 * ONE, 3 * ONE, ONE, THREE),
        (SQUARE, np.array([5.0, 6.0]), *FOR_TWO),
        (WIDE, np.array([5.0, 6.0]), *FOR_TWO),
        (2 * np.eye(1), None, 4 * ONE, 7 * ONE, 3 * ONE, ONE, THREE),
    ),
)


@fold_linear.property(
    points=0.5,
    nudge="A weight is (out, in). There is one scale for each output: along which axis of the weight does it go?",
)
def a_layer_of_the_same_size(f: Asked, draw: Draw) -> None:
    """answers with (weight, bias) of the shapes (out, in) and (out,)"""
    f(two_layers(draw, Problem(7, 3)))


@fold_linear.property(
    points=3,
    nudge="By what does batch normalization multiply output 0 of the layer? Which weights make output 0?",
)
def scales_the_weights(f: Asked, draw: Draw) -> None:
    """multiplies the weights of each output by what batch normalization multiplies that output by, gamma / std"""
    for N, D in ((7, 3), (4, 4)):
        f.agrees(two_layers(draw, Problem(N, D, low=False)), within=ROUGHLY, only=("new_weight",))


@fold_linear.property(
    points=1.5,
    nudge="What does the layer with batch normalization after it answer to x = 0, when its own bias is 0?",
)
def moves_mean_and_beta_into_the_bias(f: Asked, draw: Draw) -> None:
    """puts the running mean and beta into the bias, for a layer whose bias is 0"""
    weight, bias, *rest = two_layers(draw, Problem(7, 3, low=False))
    f.agrees((weight, 0 * bias, *rest), within=ROUGHLY, only=("new_bias",))


@fold_linear.property(
    points=1.5,
    nudge="The layer's own bias passes through batch normalization too. What happens to it there?",
)
def takes_the_bias_along(f: Asked, draw: Draw) -> None:
    """normalizes the layer's own bias too"""
    for N, D in ((7, 3), (4, 4)):
        f.agrees(two_layers(draw, Problem(N, D, low=False)), within=ROUGHLY, only=("new_bias",))


@fold_linear.property(
    points=1,
    section="normalize-eps",
    nudge="With running_var = 1 and eps = 3, by what does batch normalization divide?",
)
def follows_eps(f: Asked, draw: Draw) -> None:
    """adds the eps it was given to the running variance, under the root"""
    weight, bias, gamma, beta, mean, _ = two_layers(draw, Problem(7, 3))
    f.agrees((weight, bias, gamma, beta, mean, draw.random.uniform(0.05, 0.15, 3), 0.1), within=ROUGHLY)


@fold_linear.property(points=0.5, section="normalize-eps")
def default_eps(f: Asked, draw: Draw) -> None:
    """uses eps = 1e-5 when none is given"""
    weight, bias, gamma, beta, mean, _ = two_layers(draw, Problem(7, 3))
    var = LOW_DEVIATION**2 * draw.random.uniform(0.7, 1.4, 3)
    f.agrees((weight, bias, gamma, beta, mean, var), within=ROUGHLY)


@fold_linear.property(points=0.5)
def folds_to_rounding(f: Asked, draw: Draw) -> None:
    """is right to rounding for layers of any shape, also with as many inputs as outputs"""
    for problem in SHAPES:
        f.agrees(two_layers(draw, problem))


@fold_linear.property(
    points=0.5,
    nudge="A layer without bias, bias=None, adds 0. Which bias has the folded layer then?",
)
def takes_a_layer_without_bias(f: Asked, draw: Draw) -> None:
    """takes bias=None for a layer without one"""
    weight, _, *rest = two_layers(draw, Problem(7, 3, low=False))
    f.agrees((weight, None, *rest), within=ROUGHLY)


@fold_linear.property(points=0.5)
def folds_whole_numbers(f: Asked, draw: Draw) -> None:
    """takes whole numbers without losing what is behind the point"""
    weight, _, *rest = two_layers(draw, Problem(5, 3, whole=True, low=False))
    f.agrees((weight, draw.whole_numbers(2, 3)[0], *rest), within=ROUGHLY)


@fold_linear.property(points=0.5, needs="scales_the_weights")
def fold_leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves weight, bias and the layer's statistics and parameters as they were"""
    leaves_alone(f, two_layers(draw, Problem(5, 3)))


# --------------------------------------------------------------------------------------------------------- its steps

steps = fold_linear.in_steps(eps=EPS)


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
    """what each output is multiplied by: gamma / std"""
    return at.gamma / at.std


@steps.step
def own_bias(at: Any) -> Any:
    """the layer's own bias, 0 if it has none"""
    return np.zeros(len(at.gamma)) if at.bias is None else at.bias


@steps.step
def new_weight(at: Any) -> Any:
    """the weights of each output, a row, times its scale"""
    return at.weight * at.scale[:, None]


@steps.step
def new_bias(at: Any) -> Any:
    """scale times (own_bias - running_mean), plus beta"""
    return at.scale * (at.own_bias - at.running_mean) + at.beta


fold_linear.copy(
    normalize,
    "eps_outside_the_root",
    "eps_missing",
    "eps_squared",
    "eps_subtracted",
    "eps_ignored",
    "default_eps_of_keras",
    "divides_by_the_variance",
)


@fold_linear.another_way("divides_by_the_variance", step="std")
def variance_for_the_deviation(at: Any) -> Any:
    """As if the running variance were a deviation, eps left out."""
    return at.var


@fold_linear.misconception(Kind.ERROR, "folding", step="scale", about="gamma")
def gamma_ignored(at: Any) -> Any:
    """You leave gamma out. Batch normalization multiplies by gamma / std, and the folded layer has to do both: the
    division and gamma, in the weight and in the bias."""
    return 1.0 / at.std


@fold_linear.misconception(Kind.ERROR, "folding", step="scale", about="std")
def multiplies_by_the_deviation(at: Any) -> Any:
    """You multiply by the standard deviation. Batch normalization divides by it: each output is multiplied by
    gamma / std, and so is the folded weight."""
    return at.gamma * at.std


@fold_linear.misconception(Kind.ERROR, "folding", step="scale", about="std")
def deviation_left_out(at: Any) -> Any:
    """You multiply by gamma alone. Batch normalization also divides by the standard deviation: each output is
    multiplied by gamma / std, and so is the folded weight."""
    return at.gamma


@fold_linear.misconception(Kind.ERROR, "folding", step="new_weight", about="weight")
def weight_not_scaled(at: Any) -> Any:
    """You fold batch normalization into the bias alone and return the weight as it was. The layer's output is
    multiplied by gamma / std, so its weights have to be, row by row."""
    return at.weight


@fold_linear.misconception(Kind.ERROR, "folding", step="new_bias", about="bias")
def bias_not_scaled(at: Any) -> Any:
    """You add the layer's own bias as it is. It is part of the output that batch normalization scales: it has to be
    multiplied by gamma / std, like the weights. You notice it only when the bias is not 0."""
    return at.own_bias - at.scale * at.running_mean + at.beta


@fold_linear.misconception(Kind.ERROR, "folding", step="own_bias", about="bias")
def bias_ignored(at: Any) -> Any:
    """You leave the layer's own bias out. It passes through batch normalization like the rest of the output, and comes
    out multiplied by gamma / std."""
    return np.zeros(len(at.gamma))


@fold_linear.misconception(Kind.ERROR, "folding", step="new_bias", about="bias mean beta")
def bias_left_as_it_was(at: Any) -> Any:
    """You return the layer's own bias. Batch normalization shifts and scales too: the new bias is what both together
    answer to x = 0, that is scale * (bias - running_mean) + beta."""
    return at.own_bias + 0.0


@fold_linear.misconception(Kind.ERROR, "folding", step="new_bias", about="mean")
def mean_not_scaled(at: Any) -> Any:
    """You subtract the running mean as it is. Batch normalization subtracts it before it scales, so in the new bias it
    is multiplied by gamma / std, like the layer's own bias."""
    return at.scale * at.own_bias - at.running_mean + at.beta


@fold_linear.misconception(Kind.ERROR, "folding", step="new_bias", about="mean bias")
def nothing_in_the_bias_scaled(at: Any) -> Any:
    """You shift the bias without scaling it: bias - running_mean + beta. The difference bias - running_mean goes
    through gamma / std, like the weights; beta is added after that."""
    return at.own_bias - at.running_mean + at.beta


@fold_linear.misconception(Kind.ERROR, "folding", step="new_bias", about="mean")
def mean_ignored(at: Any) -> Any:
    """You leave the running mean out of the bias. Batch normalization subtracts it from every output: the new bias is
    scale * (bias - running_mean) + beta."""
    return at.scale * at.own_bias + at.beta


@fold_linear.misconception(Kind.ERROR, "folding", step="new_bias", about="mean")
def mean_added(at: Any) -> Any:
    """You add the running mean where it is to be subtracted: batch normalization takes the running mean away from
    every output, so scale * running_mean leaves the bias."""
    return at.scale * (at.own_bias + at.running_mean) + at.beta


@fold_linear.misconception(Kind.ERROR, "folding", step="new_bias", about="beta")
def beta_ignored(at: Any) -> Any:
    """You leave beta out of the bias. Batch normalization adds it at the end, and nothing but the bias can do that in
    the folded layer."""
    return at.scale * (at.own_bias - at.running_mean)


@fold_linear.misconception(Kind.ERROR, "folding", step="new_bias", about="beta")
def beta_scaled(at: Any) -> Any:
    """You multiply beta by gamma / std too. Batch normalization adds beta after it has scaled, so beta comes into the
    bias as it is."""
    return at.scale * (at.own_bias - at.running_mean + at.beta)


# ------------------------------------------------------------------------------------------- mistakes of the whole


def factor(gamma: Array, running_var: Array, eps: float) -> Array:
    """What each output is multiplied by."""
    result: Array = gamma / np.sqrt(running_var + eps)
    return result


def folded_bias(
    bias: Array | None, gamma: Array, beta: Array, running_mean: Array, running_var: Array, eps: float
) -> Array:
    """The right bias."""
    own = 0.0 if bias is None else bias
    result: Array = factor(gamma, running_var, eps) * (own - running_mean) + beta
    return result


@fold_linear.misconception(Kind.ERROR, "folding")
def scales_the_inputs(
    weight: Array,
    bias: Array | None,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    eps: float = EPS,
) -> Pair:
    """You multiply the columns of the weight. A weight is (out, in), and batch normalization has one scale for each
    output: multiply the rows, scale[:, None] * weight. Yours has the right shape only with as many inputs as
    outputs."""
    scaled = weight * factor(gamma, running_var, eps)
    return scaled, folded_bias(bias, gamma, beta, running_mean, running_var, eps)


@fold_linear.misconception(Kind.ERROR, "folding")
def folds_into_the_layer_after(
    weight: Array,
    bias: Array | None,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    eps: float = EPS,
) -> Pair:
    """You fold as if batch normalization came before the layer: its scale on the columns of the weight, its shift sent
    through the weight. Here the layer comes first, so both act on its outputs."""
    scale = factor(gamma, running_var, eps)
    shift = weight @ (beta - scale * running_mean)
    return weight * scale, shift if bias is None else bias + shift


@fold_linear.misconception(Kind.ERROR, "folding")
def weight_transposed(
    weight: Array,
    bias: Array | None,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    eps: float = EPS,
) -> Pair:
    """You return the weight as (in, out). Keras and Flax store it so; this course, like PyTorch, has (out, in) and
    y = x @ weight.T + bias, before the folding and after it."""
    scaled = (weight * factor(gamma, running_var, eps)[:, None]).T
    return scaled, folded_bias(bias, gamma, beta, running_mean, running_var, eps)


@fold_linear.misconception(Kind.CONTRACT, "folding")
def weight_and_bias_swapped(
    weight: Array,
    bias: Array | None,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    eps: float = EPS,
) -> Pair:
    """You return the bias first. The exercise asks for (weight, bias): whoever unpacks them in this order gets each
    under the other's name."""
    new_weight, new_bias = reference.fold_linear(weight, bias, gamma, beta, running_mean, running_var, eps)
    return new_bias, new_weight


@fold_linear.misconception(Kind.ERROR, "folding")
def only_beta_without_a_bias(
    weight: Array,
    bias: Array | None,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    eps: float = EPS,
) -> Pair:
    """You return beta as the bias of a layer that came without one. A layer without a bias has the bias 0, and 0 goes
    through batch normalization too: what comes out is beta - scale * running_mean."""
    new_weight, new_bias = reference.fold_linear(weight, bias, gamma, beta, running_mean, running_var, eps)
    return new_weight, beta if bias is None else new_bias


@fold_linear.another_way("only_beta_without_a_bias")
def only_zero_without_a_bias(
    weight: Array,
    bias: Array | None,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    eps: float = EPS,
) -> Pair:
    """Or no bias at all."""
    new_weight, new_bias = reference.fold_linear(weight, bias, gamma, beta, running_mean, running_var, eps)
    return new_weight, 0 * beta if bias is None else new_bias


@fold_linear.misconception(Kind.ERROR, "folding", sentences.WHOLE_NUMBER_BUFFER)
def whole_number_buffer(
    weight: Array,
    bias: Array | None,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    eps: float = EPS,
) -> Pair:
    """The new weight is an array like the old one."""
    new_weight = np.empty_like(weight)
    new_weight[:] = weight * factor(gamma, running_var, eps)[:, None]
    return new_weight, folded_bias(bias, gamma, beta, running_mean, running_var, eps)


@fold_linear.misconception(Kind.CONTRACT, "folding")
def changes_its_input(
    weight: Array,
    bias: Array | None,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    eps: float = EPS,
) -> Pair:
    """You change an array you were given, by an in-place operation such as `weight *= ...`. It belongs to the caller,
    whose layer would be scaled twice: once in your answer, and once where it was. Make a new array."""
    weight *= factor(gamma, running_var, eps)[:, None]
    return weight, folded_bias(bias, gamma, beta, running_mean, running_var, eps)


# ----------------------------------------------------------------------------------------------- readings, symptoms

FACTORS = (q.GAMMA, q.STD, q.EPS, *q.EPS_ROOTS_THAT_EXIST)

fold_linear.read(
    Reading(
        "new_weight",
        terms=(Term("", "every row", lambda at: at.weight * at.scale[:, None], "folding", "", "weight"),),
        factors=FACTORS,
        per="sample",
    )
)
fold_linear.read(
    Reading(
        "new_bias",
        terms=(
            Term(
                "bias",
                "the term with the layer's own bias",
                lambda at: at.scale * at.own_bias,
                "folding",
                "",
                "bias scale",
            ),
            Term(
                "mean",
                "the term with the running mean",
                lambda at: -at.scale * at.running_mean,
                "folding",
                "",
                "mean scale",
            ),
            Term("beta", "the term with beta", lambda at: at.beta, "folding", "", "beta"),
        ),
        factors=FACTORS,
        vary=("bias", "beta", "running_mean"),
    )
)


@fold_linear.symptom("folding", about="new_weight")
def rows_turned(at: Any, answer: Mapping[str, Array]) -> bool:
    """Your new weights of an output are not the old ones times one number. Batch normalization multiplies each output
    by a number, so every row of the weight keeps its direction and changes only its length."""
    new, old = answer["new_weight"], at.weight
    along = (new * old).sum(axis=1, keepdims=True) / (old * old).sum(axis=1, keepdims=True)
    return bool(np.all(np.abs(new - along * old) <= 1e-3 * np.abs(new).max(axis=1, keepdims=True)))
