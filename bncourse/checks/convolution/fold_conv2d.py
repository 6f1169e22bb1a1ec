"""What is asked of `fold_conv2d`, and how is it got wrong?"""

from typing import Any

import numpy as np

from ... import functional as reference
from .. import quantities as q
from .. import sentences
from ..answers import Array
from ..asking import Asked
from ..calling import Signature
from ..draw import Draw
from ..exercise import Exercise, Kind, Problem
from ..forward.normalize import normalize
from ..inputs import EPS, ONE, ROUGHLY, THREE, leaves_alone
from ..reading import Reading, Term
from .batchnorm2d_forward import FIVE_ZERO, TWO_ONE
from .batchnorm2d_inference import ONE_FOUR, TWO_FOUR
from .inputs import layer_to_fold, scale_of_fold

ONE_WEIGHT = np.array([[[[6.0]]]])
TWO_WEIGHTS = np.array([[[[2.0]]], [[[4.0]]]])  # two outputs of one input
MIXING = np.array([[[[2.0]], [[4.0]]], [[[6.0]], [[8.0]]]])  # two outputs of two inputs
WHOLE_WEIGHT = np.array([[[[1]]]])

KERNELS = (
    Problem(3, 5, H=1, W=2),
    Problem(2, 4, eps=0.1, H=2, W=4),
    Problem(4, 4, eps=0.3, H=4, W=3),
    Problem(3, 3, H=2, W=3),
)
"""Inputs (N) and outputs (D) of other numbers, and of the same; outputs as many as the kernel is wide or high."""

fold_conv2d = Exercise(
    Signature(
        "fold_conv2d",
        ("weight", "bias", "gamma", "beta", "running_mean", "running_var", "eps"),
        ("new_weight", "new_bias"),
        reference.fold_conv2d,
    ),
    problem=layer_to_fold,
    scale=scale_of_fold,
    smallest=(
        (ONE_WEIGHT, 5 * ONE, 2 * ONE, ONE, 3 * ONE, ONE, THREE),
        (ONE_WEIGHT, 5 * ONE, 4 * ONE, ONE, 3 * ONE, ONE, THREE),
        (ONE_WEIGHT, 5 * ONE, ONE, 0 * ONE, 3 * ONE, 1e-5 * ONE),
        (ONE_WEIGHT, None, 2 * ONE, ONE, 3 * ONE, ONE, THREE),
        (WHOLE_WEIGHT, 5 * ONE, ONE, ONE, 3 * ONE, ONE, THREE),
        (TWO_WEIGHTS, np.array([5.0, 6.0]), TWO_ONE, FIVE_ZERO, TWO_FOUR, ONE_FOUR, THREE),
        (MIXING, np.array([5.0, 6.0]), TWO_ONE, FIVE_ZERO, TWO_FOUR, ONE_FOUR, THREE),
    ),
    section="conv-folding",
    axes={
        "weight": "OIKL",
        "bias": "O",
        "gamma": "O",
        "beta": "O",
        "running_mean": "O",
        "running_var": "O",
    },
    probes=KERNELS,
)
exercise = fold_conv2d


@exercise.property(points=0.5, nudge="Which shapes have the weight and the bias of a convolution? Folding keeps them.")
def a_convolution_again(f: Asked, draw: Draw) -> None:
    """answers with (new_weight, new_bias), of shapes (out, in, kh, kw) and (out,)"""
    f(layer_to_fold(draw, Problem(2, 4, H=3, W=3)))


@exercise.property(
    points=4,
    nudge="By which number is each output of the convolution multiplied later? Which weights make that output?",
)
def weights_scaled_by_output(f: Asked, draw: Draw) -> None:
    """multiplies the weights of each output by its gamma over its deviation, also when in = out"""
    for problem in KERNELS:
        f.agrees(large_variances(draw, problem), within=WITHIN, only=("new_weight",))


@exercise.property(
    points=3,
    nudge="Put an image of zeros in: the convolution gives its bias. What does batch normalization make of it?",
)
def bias_normalized_too(f: Asked, draw: Draw) -> None:
    """takes the bias through the normalization: minus the mean, scaled, plus beta"""
    for problem in KERNELS:
        f.agrees(large_variances(draw, problem), within=WITHIN, only=("new_bias",))


@exercise.property(points=1, nudge="A convolution without a bias adds nothing. Which number does that stand for?")
def works_without_a_bias(f: Asked, draw: Draw) -> None:
    """takes None for the bias of a convolution that has none, and still returns one"""
    weight, _, *rest = large_variances(draw, KERNELS[0])
    f.agrees((weight, None, *rest), within=WITHIN)


@exercise.property(points=1.5, section="normalize-eps", nudge="What stands under the root in your code?")
def fold_follows_eps(f: Asked, draw: Draw) -> None:
    """adds the eps it was given to the running variance, under the root"""
    for problem in KERNELS[1:3]:
        f.agrees(layer_to_fold(draw, problem))


@exercise.property(points=0.5, section="normalize-eps", nudge="Which eps does your function use when it gets none?")
def fold_default_eps(f: Asked, draw: Draw) -> None:
    """uses eps = 1e-5 when none is given"""
    f.agrees(layer_to_fold(draw, Problem(2, 4, H=2, W=2)))


@exercise.property(points=0.75, nudge="Of which type is the array you write the new weights into?")
def folds_whole_numbers(f: Asked, draw: Draw) -> None:
    """takes weights that are whole numbers without losing what is behind the point"""
    _, bias, *rest = large_variances(draw, KERNELS[0])
    weight = layer_to_fold(draw, Problem(3, 5, whole=True, H=1, W=2))[0]
    f.agrees((weight, bias, *rest), within=WITHIN, only=("new_weight",))


@exercise.property(
    points=0.75,
    needs="weights_scaled_by_output",
    nudge="Does any line write into the weight or the bias you were given?",
)
def fold_leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves weight, bias and the others as they were: the layer is still needed for training"""
    leaves_alone(f, layer_to_fold(draw, Problem(2, 3)))


WITHIN = ROUGHLY
"""Of each number: for variances from 2 on, far more than the default eps changes, whichever it is."""


def large_variances(draw: Draw, problem: Problem) -> Any:
    """A layer in which eps does not show."""
    return layer_to_fold(draw, Problem(problem.N, problem.D, low=False, H=problem.H, W=problem.W))


# ------------------------------------------------------------------------------------------------------------ its steps

steps = exercise.in_steps(eps=EPS)


@steps.step
def own_bias(at: Any) -> Any:
    """the bias of the convolution, 0 when there is none"""
    return np.zeros(len(at.weight)) if at.bias is None else at.bias


@steps.step
def var(at: Any) -> Any:
    """the running variance"""
    return at.running_var


@steps.step
def std(at: Any) -> Any:
    """the root of the running variance + eps"""
    return np.sqrt(at.var + at.eps)


@steps.step
def scale(at: Any) -> Any:
    """gamma over std: what each output is multiplied by"""
    return at.gamma / at.std


@steps.step
def new_weight(at: Any) -> Any:
    """the weights of each output times its scale"""
    return at.weight * per_output(at.scale)


@steps.step
def new_bias(at: Any) -> Any:
    """the bias minus the running mean, times the scale, plus beta"""
    return at.scale * (at.own_bias - at.running_mean) + at.beta


def per_output(values: Any) -> Any:
    """One value an output, in a shape that meets (out, in, kh, kw) at the outputs."""
    return values[:, None, None, None]


# ------------------------------------------------------------------------------------------------------- the weight


@exercise.misconception(Kind.ERROR, "conv-folding", step="new_weight", about="weight")
def scaled_along_another_axis(at: Any) -> Any:
    """You multiply the weights along another axis than the outputs. Batch normalization acts on what the convolution
    puts out, so each output's scale belongs to axis 0 of (out, in, kh, kw). Along the inputs it runs only when
    in = out."""
    return at.weight * at.scale[:, None, None]


exercise.another_way("scaled_along_another_axis", step="new_weight")(lambda at: at.weight * at.scale[:, None])
exercise.another_way("scaled_along_another_axis", step="new_weight")(lambda at: at.weight * at.scale)


@exercise.misconception(Kind.ERROR, "conv-folding", step="new_weight", about="weight")
def weight_not_scaled(at: Any) -> Any:
    """You leave the weights as they are. Batch normalization multiplies each output by gamma over its deviation, and
    the weights of that output have to do it now."""
    return at.weight + 0.0


@exercise.misconception(Kind.ERROR, "conv-folding", step="new_weight", about="weight gamma")
def weight_without_gamma(at: Any) -> Any:
    """You divide the weights by the deviation but leave gamma out of them. Each output is divided by its deviation and
    multiplied by its gamma: both go into the weights."""
    return at.weight / per_output(at.std)


@exercise.misconception(Kind.ERROR, "conv-folding", step="new_weight", about="weight std")
def weight_not_divided(at: Any) -> Any:
    """You multiply the weights by gamma but do not divide them by the deviation. Each output is divided by its
    deviation and multiplied by its gamma: both go into the weights."""
    return at.weight * per_output(at.gamma)


# --------------------------------------------------------------------------------------------------------- the bias


@exercise.misconception(Kind.ERROR, "conv-folding", step="new_bias", about="bias")
def bias_not_scaled(at: Any) -> Any:
    """You add the convolution's own bias as it is. It goes through the normalization like everything the convolution
    puts out: subtract the running mean from it, multiply by gamma over the deviation, and add beta."""
    return at.own_bias - at.scale * at.running_mean + at.beta


@exercise.misconception(Kind.ERROR, "conv-folding", step="new_bias", about="bias mean")
def bias_not_normalized(at: Any) -> Any:
    """You add beta to the convolution's own bias, and nothing else. The bias goes through the normalization like
    everything the convolution puts out: subtract the running mean from it, multiply by gamma over the deviation, and
    then add beta."""
    return at.own_bias + at.beta


@exercise.misconception(Kind.ERROR, "conv-folding", step="new_bias", about="bias")
def bias_ignored(at: Any) -> Any:
    """You leave the convolution's own bias out. It is subtracted again by the mean in training, but at inference the
    running mean is fixed, and contains it: the folded bias is (bias - mean) times the scale, plus beta."""
    return -at.scale * at.running_mean + at.beta


@exercise.misconception(Kind.ERROR, "conv-folding", step="new_bias", about="mean")
def mean_ignored(at: Any) -> Any:
    """You leave the running mean out of the folded bias. Batch normalization subtracts it from every output, so it is
    subtracted from the bias before that is scaled."""
    return at.scale * at.own_bias + at.beta


@exercise.misconception(Kind.ERROR, "conv-folding", step="new_bias", about="mean")
def mean_not_scaled(at: Any) -> Any:
    """You subtract the running mean as it is. It is subtracted before the normalization scales, so it has to be scaled
    too: (bias - mean) times the scale, plus beta."""
    return at.scale * at.own_bias - at.running_mean + at.beta


@exercise.misconception(Kind.ERROR, "conv-folding", step="new_bias", about="mean bias")
def nothing_in_the_bias_scaled(at: Any) -> Any:
    """You shift the bias without scaling it: bias - running_mean + beta. The difference bias - running_mean goes
    through gamma / std, like the weights; beta is added after that."""
    return at.own_bias - at.running_mean + at.beta


@exercise.misconception(Kind.ERROR, "conv-folding", step="new_bias", about="mean")
def mean_added(at: Any) -> Any:
    """You add the running mean where it is to be subtracted. Batch normalization subtracts it from every output:
    (bias - mean) times the scale, plus beta."""
    return at.scale * (at.own_bias + at.running_mean) + at.beta


@exercise.misconception(Kind.ERROR, "conv-folding", step="new_bias", about="beta")
def beta_scaled(at: Any) -> Any:
    """You multiply beta by the scale as well. It is added after the scaling: only bias and mean are multiplied by gamma
    over the deviation."""
    return at.scale * (at.own_bias - at.running_mean + at.beta)


@exercise.misconception(Kind.ERROR, "conv-folding", step="new_bias", about="beta")
def beta_ignored(at: Any) -> Any:
    """You leave beta out of the folded bias. Batch normalization adds it to every output at the end, and nobody else
    will."""
    return at.scale * (at.own_bias - at.running_mean)


@exercise.misconception(Kind.ERROR, "conv-folding", step="new_bias", about="bias mean")
def bias_is_beta_alone(at: Any) -> Any:
    """Your folded bias is beta alone. An image of zeros shows what is missing: the convolution gives its bias, from
    which the mean is subtracted, which is scaled, and only then comes beta."""
    return at.beta + 0.0


@exercise.misconception(Kind.ERROR, "conv-folding", step="new_bias", about="bias mean beta")
def bias_left_as_it_was(at: Any) -> Any:
    """You return the convolution's bias as it was. It has to do what batch normalization did with it: subtract the
    running mean, multiply by gamma over the deviation, add beta."""
    return at.own_bias + 0.0


@exercise.misconception(Kind.ERROR, "conv-folding", about="bias")
def only_beta_without_a_bias(
    weight: Array,
    bias: Any,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    eps: float = EPS,
) -> Any:
    """You return beta, or zeros, as the bias when the convolution has none. No bias is a bias of 0, and that goes
    through the normalization too: minus the running mean, times the scale, plus beta."""
    new_weight, new_bias = reference.fold_conv2d(weight, bias, gamma, beta, running_mean, running_var, eps)
    return new_weight, beta.copy() if bias is None else new_bias


@exercise.another_way("only_beta_without_a_bias")
def only_zero_without_a_bias(
    weight: Array,
    bias: Any,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    eps: float = EPS,
) -> Any:
    """Zeros."""
    new_weight, new_bias = reference.fold_conv2d(weight, bias, gamma, beta, running_mean, running_var, eps)
    return new_weight, np.zeros_like(beta) if bias is None else new_bias


# ------------------------------------------------------------------------------------------------------- the scale


@exercise.misconception(Kind.ERROR, "conv-folding", step="scale", about="std var")
def divides_by_the_variance(at: Any) -> Any:
    """You divide by the variance. Batch normalization divides by its root, the deviation: take the root of
    running_var + eps."""
    return at.gamma / (at.var + at.eps)


@exercise.another_way("divides_by_the_variance", step="scale")
def divides_by_the_variance_alone(at: Any) -> Any:
    """And leaves eps out."""
    return at.gamma / at.var


@exercise.misconception(Kind.ERROR, "conv-folding", step="scale", about="std gamma")
def divides_by_gamma(at: Any) -> Any:
    """You have the scale upside down: it is gamma over the deviation, not the deviation over gamma. Batch normalization
    divides by the deviation and multiplies by gamma."""
    return at.std / at.gamma


@exercise.misconception(Kind.ERROR, "conv-folding", step="scale", about="std")
def multiplies_by_the_deviation(at: Any) -> Any:
    """You multiply by the deviation. Batch normalization divides by it, so the scale is gamma over the deviation."""
    return at.gamma * at.std


@exercise.misconception(Kind.ERROR, "conv-folding", step="scale", about="gamma")
def gamma_ignored(at: Any) -> Any:
    """You leave gamma out. Batch normalization divides each output by its deviation and multiplies it by its gamma: the
    factor is gamma over the deviation."""
    return 1.0 / at.std


@exercise.misconception(Kind.ERROR, "conv-folding", step="scale", about="std")
def deviation_left_out(at: Any) -> Any:
    """You do not divide by the deviation. Batch normalization divides each output by its deviation and multiplies it by
    its gamma: the scale is gamma over the deviation."""
    return at.gamma


exercise.copy(
    normalize,
    "eps_outside_the_root",
    "eps_missing",
    "eps_squared",
    "eps_subtracted",
    "eps_ignored",
    "default_eps_of_keras",
)


# ------------------------------------------------------------------------------------------------------ which order


@exercise.misconception(Kind.ERROR, "conv-folding", about="new_weight new_bias order")
def folds_into_the_layer_after(
    weight: Array,
    bias: Any,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    eps: float = EPS,
) -> Any:
    """You fold as if batch normalization came before the convolution: you scale the inputs' weights and send the shift
    through the weights. Here it comes after: each output is scaled and shifted. (Before a zero-padded convolution it
    could not even be folded exactly: the padding is not normalized.)"""
    scale = gamma / np.sqrt(running_var + eps)
    shift = beta - scale * running_mean
    start = 0.0 if bias is None else bias
    return weight * scale[:, None, None], start + np.einsum("oikl,i->o", weight, shift)


# ---------------------------------------------------------------------------------------------- what is agreed on


@exercise.misconception(Kind.CONTRACT, "conv-folding", about="order")
def weight_and_bias_swapped(
    weight: Array,
    bias: Any,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    eps: float = EPS,
) -> Any:
    """You return the bias first. The exercise asks for (weight, bias), the order in which they came in, so that one can
    write `weight, bias = fold_conv2d(weight, bias, ...)`."""
    return reference.fold_conv2d(weight, bias, gamma, beta, running_mean, running_var, eps)[::-1]


@exercise.misconception(Kind.ERROR, "conv-folding", sentences.WHOLE_NUMBER_BUFFER)
def whole_number_buffer(
    weight: Array,
    bias: Any,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    eps: float = EPS,
) -> Any:
    """The new weights are an array like the old."""
    new_weight = np.empty_like(weight)
    new_weight[:], new_bias = reference.fold_conv2d(weight, bias, gamma, beta, running_mean, running_var, eps)
    return new_weight, new_bias


@exercise.misconception(Kind.CONTRACT, "conv-folding")
def changes_its_input(
    weight: Array,
    bias: Any,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    eps: float = EPS,
) -> Any:
    """You change an array you were given, by an in-place operation such as `weight *= ...`. It belongs to the layer,
    which is still needed: fold twice, and it is scaled twice. Make a new array."""
    answer = reference.fold_conv2d(weight, bias, gamma, beta, running_mean, running_var, eps)
    weight *= 2
    return answer


# --------------------------------------------------------------------------------------------- what nobody foresaw

exercise.read(
    Reading(
        "new_weight",
        terms=(
            Term(
                "weight",
                "the weight",
                lambda at: at.new_weight,
                "conv-folding",
                "Each output's weights are multiplied by gamma and divided by the deviation.",
                "new_weight scale std",
            ),
        ),
        factors=(q.GAMMA, q.STD, q.EPS, *q.EPS_ROOTS_THAT_EXIST),
        per="sample",
    )
)
exercise.read(
    Reading(
        "new_bias",
        terms=(
            Term(
                "bias",
                "the term with the convolution's bias",
                lambda at: at.scale * at.own_bias,
                "conv-folding",
                "The bias is put out by the convolution, so it is scaled as all of its outputs are.",
                "bias own_bias scale",
            ),
            Term(
                "mean",
                "the term with the running mean",
                lambda at: -at.scale * at.running_mean,
                "conv-folding",
                "The mean is subtracted before the scaling, so it is scaled too.",
                "mean scale",
            ),
            Term(
                "beta",
                "the term with beta",
                lambda at: at.beta,
                "conv-folding",
                "beta is added last, as it is.",
                "beta",
            ),
        ),
        factors=(q.GAMMA, q.STD, q.EPS, *q.EPS_ROOTS_THAT_EXIST),
        vary=("bias", "running_mean", "beta"),
    )
)
