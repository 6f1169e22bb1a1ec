"""What is asked of `layernorm_backward`, and how is it got wrong?"""

import numpy as np

from ... import functional as reference
from .. import quantities as q
from ..asking import Asked, Refused
from ..calling import Signature
from ..draw import Draw
from ..exercise import Exercise, Problem
from ..inputs import ROUGHLY, SHAPES, leaves_alone
from ..reading import Factor
from . import gradients
from .inputs import MANY_FEATURES, layer_pair, scale_of_layer_pair
from .layernorm_forward import FOUR, ONE, TWO, WORDS, ZERO, layernorm_forward
from .statistics import counts_of

FIRST = np.array([[1.0, 0.0]])

layernorm_backward = Exercise(
    Signature(
        "layernorm_backward",
        ("dy", "x", "gamma", "beta", "eps"),
        ("dx", "dgamma", "dbeta"),
        reference.layernorm_backward,
    ),
    problem=layer_pair,
    scale=scale_of_layer_pair,
    smallest=(
        (FIRST, TWO, ONE, ZERO, 3.0),
        (FIRST, TWO, np.array([2.0, 1.0]), np.array([5.0, 0.0]), 3.0),
        (np.array([[1.0, 0.0], [0.0, 1.0]]), FOUR, np.array([2.0, 1.0]), np.array([5.0, 0.0]), 3.0),
        (np.array([[1.0, 0.0, 0.0]]), np.array([[1.0, 2.0, 6.0]]), np.array([2.0, 1.0, 1.0]), np.zeros(3), 3.0),
    ),
    section="backward-closed-form",
    axes={"dy": "ND", "x": "ND", "gamma": "D", "beta": "D"},
    forward=layernorm_forward,
    whole_probes=(),
)
exercise = layernorm_backward


@exercise.property(points=0.5, nudge="Which shapes have x, gamma and beta? A gradient has the shape of what it is for.")
def gradients_have_the_shapes_of_their_inputs(f: Asked, draw: Draw) -> None:
    """answers with (dx, dgamma, dbeta), in the shapes of x, gamma and beta"""
    f(layer_pair(draw, Problem(7, 3)))


@exercise.property(
    points=1,
    section="backward-parameters",
    nudge="The forward averages over the features; but who shares one beta, the features or the samples?",
)
def dbeta_adds_up_dy(f: Asked, draw: Draw) -> None:
    """gives as dbeta the sum of dy over the samples, also when N = D"""
    for problem in SHAPES[:2]:
        f.agrees(layer_pair(draw, problem), only=("dbeta",))


@exercise.property(
    points=1.5,
    section="backward-parameters",
    nudge="By which number is gamma multiplied in each y? Would your dgamma change if you added 100 to all of x?",
)
def dgamma_adds_up_dy_x_hat(f: Asked, draw: Draw) -> None:
    """gives as dgamma the sum of dy times x_hat over the samples, also when N = D"""
    for problem in SHAPES[:2]:
        f.agrees(layer_pair(draw, problem), only=("dgamma",))


@exercise.property(
    points=1,
    section="backward-mean-path",
    nudge="Add the same number to all features of a sample: does y change? Then what must their gradients sum to?",
)
def dx_sums_to_zero(f: Asked, draw: Draw) -> None:
    """gives a dx, not zero itself, that sums to 0 over the features of each sample"""
    arguments = layer_pair(draw, Problem(7, 3, eps=0.1))
    dx, scale = f(arguments, only=("dx",))["dx"], scale_of_layer_pair(arguments)["dx"]
    sums = dx.sum(axis=1)
    if not np.any(np.abs(dx) > 1e-6 * scale):
        raise Refused("Your dx is 0 everywhere.")
    if not np.all(np.abs(sums) <= 1e-4 * np.abs(dx).max(axis=1)):
        raise Refused(f"The rows of your dx sum to {np.array2string(sums, precision=4)}, expected zeros.")


@exercise.property(
    points=4,
    section="gamma-inside",
    nudge="On how many roads does one x reach the loss? Over which axis do their sums run, and is gamma the same along "
    "it?",
)
def dx_follows_all_three_paths(f: Asked, draw: Draw) -> None:
    """gives as dx the direct term and those through the mean and the variance, with gamma inside their sums"""
    f.agrees(layer_pair(draw, MANY_FEATURES), within=ROUGHLY, only=("dx",))


@exercise.property(
    points=1,
    section="normalize-eps",
    nudge="Which deviation did the forward divide by? Does the backward use the same one?",
)
def backward_follows_eps(f: Asked, draw: Draw) -> None:
    """uses the deviation the forward divided by, with the eps it was given"""
    dy, x, gamma, beta = layer_pair(draw, MANY_FEATURES)
    f.agrees((dy, 0.2 * x, gamma, beta, 0.1), within=ROUGHLY, only=("dx",))


@exercise.property(points=0.5, nudge="Which number divides the sums: D, D - 1, or N? Try one sample of three features.")
def dx_is_right_to_rounding(f: Asked, draw: Draw) -> None:
    """is right to rounding for any shape, also when N = D, and for a sample that hardly varies"""
    for problem in SHAPES:
        f.agrees(layer_pair(draw, problem), only=("dx",))


@exercise.property(
    points=0.5,
    needs="dx_follows_all_three_paths",
    nudge="Does any line of your backward write into dy, or into something that came out of the cache?",
)
def backward_leaves_dy_and_cache_alone(f: Asked, draw: Draw) -> None:
    """leaves dy, gamma and the cache as they were: a second call answers the same"""
    leaves_alone(f, layer_pair(draw, Problem(5, 3)))


gradients.in_steps(exercise, WORDS)
gradients.add_paths(exercise, WORDS)
gradients.add_counts(
    exercise,
    WORDS,
    "You divide by N, the number of samples, where D belongs: the sums of dx run over the features of one sample. The "
    "two agree only when N = D.",
    lambda at: len(at.x),
)
gradients.add_factors(exercise, WORDS)
gradients.add_gamma_outside(exercise, WORDS)
gradients.add_wrong_sums(
    exercise,
    "sums_over_the_batch",
    "layer-norm",
    "You sum over the batch, axis 0, in dx, as batch normalization does. Mean and variance belong to a sample here, so "
    "the sums of dx run over its features: axis 1, with keepdims=True.",
    lambda values: values.mean(axis=0),
)
gradients.add_wrong_sums(
    exercise,
    "sums_over_everything",
    "layer-norm",
    "You average over the whole matrix in dx. Mean and variance belong to a sample, so each row has its own sums over "
    "the features: axis 1 only, with keepdims=True.",
    lambda values: values.mean(),
)
gradients.add_wrong_sums(
    exercise,
    "sums_across_the_columns",
    "layer-norm",
    "Your sums over the features have shape (N,), and against (N, D) that broadcasts along the columns: feature j gets "
    "the sum of sample j. Keep the axis (keepdims=True). Your version runs only when N = D.",
    lambda values: values.mean(axis=1),
)
gradients.add_parameters(exercise)
gradients.add_last_sample(exercise, "sample")
gradients.add_other_sums(
    exercise,
    "parameters_averaged",
    "backward-parameters",
    "You average over the samples in dgamma or dbeta. The loss is what dy says it is: if it is a mean over the batch, "
    "dy has its 1/N already, and the gradients of gamma and beta are plain sums.",
    lambda at, values: values.mean(axis=0),
    about="dgamma N",
)
gradients.add_other_sums(
    exercise,
    "parameters_divided_by_D",
    "backward-parameters",
    "You divide dgamma or dbeta by D, the number of features. They are plain sums over the samples, and nothing "
    "divides them: only mean and variance are averages over features.",
    lambda at, values: values.sum(axis=0) / at.x.shape[1],
    about="dgamma N",
)
gradients.add_other_sums(
    exercise,
    "parameters_not_summed",
    "backward-shapes",
    "You do not sum over the samples in dgamma or dbeta. One gamma serves all N samples of its feature, so its "
    "gradient is the sum of what each of them says, and has gamma's shape, (D,).",
    lambda at, values: values,
)
gradients.add_other_sums(
    exercise,
    "parameters_summed_over_features",
    "backward-shapes",
    "You sum over the features, axis 1, in dgamma or dbeta, as for mean and variance. But gamma and beta are shared by "
    "the samples of a feature, as in batch normalization: sum over axis 0.",
    lambda at, values: values.sum(axis=1),
    lambda at, values: values.mean(axis=1),
)
gradients.add_other_sums(
    exercise,
    "parameters_summed_over_everything",
    "backward-shapes",
    "You sum dgamma or dbeta over the whole matrix, so one number comes out. Each feature has its own gamma and beta: "
    "sum over the samples only, axis 0.",
    lambda at, values: values.sum(),
)
gradients.add_contracts(exercise, WORDS)
gradients.read_gradients(
    exercise,
    WORDS,
    "sample",
    counts_of(WORDS, Factor("N", lambda at: len(at.x), "N"), q.STD, *q.EPS_ROOTS),
)
gradients.add_identities(exercise, WORDS)
