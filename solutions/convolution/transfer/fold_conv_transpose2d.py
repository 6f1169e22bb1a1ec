"""What is asked of `fold_conv_transpose2d`, and how is it got wrong?

The bias is that of any folding. The weight is laid out the other way round, (in, out/groups, kh, kw), so that the
outputs lie along axis 1, and with groups an output is a group *and* a place along that axis.
"""

from collections.abc import Mapping
from math import gcd
from typing import Any

import numpy as np

from bncourse.checks.answers import Array
from bncourse.checks.asking import Asked
from bncourse.checks.calling import Signature
from bncourse.checks.convolution.fold_conv2d import fold_conv2d
from bncourse.checks.draw import Draw
from bncourse.checks.exercise import Arguments, Exercise, Kind, Problem
from bncourse.checks.inputs import EPS, ONE, ROUGHLY, THREE, and_eps, leaves_alone, parameters, running_statistics

LOW_VARIANCE = 1e-5
"""At which the default eps shows."""


def reference(
    weight: Array,
    bias: Array | None,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    groups: int = 1,
    eps: float = EPS,
) -> tuple[Array, Array]:
    """The weights of each output, wherever they lie, times its scale."""
    scale = gamma / np.sqrt(running_var + eps)
    own = np.zeros(len(gamma)) if bias is None else bias
    return weight * in_layout(scale, weight, groups), scale * (own - running_mean) + beta


def in_layout(values: Any, weight: Array, groups: int) -> Any:
    """One value an output, where it meets (in, out/groups, kh, kw): inputs of group g have outputs of group g."""
    return np.repeat(values.reshape(groups, -1), len(weight) // groups, axis=0)[:, :, None, None]


def layer(draw: Draw, problem: Problem, groups: int = 0) -> Arguments:
    """D outputs, N inputs, a kernel of H by W; as many groups as there can be, or one where D = N, if not given."""
    into, out = problem.N, problem.D
    groups = groups or (1 if into == out else gcd(into, out))
    shape = (into, out // groups, problem.H, problem.W)
    mean, var = running_statistics(draw, out)
    if problem.low:
        var[-1] = LOW_VARIANCE * draw.random.uniform(0.5, 2.0)
    weight = draw.away_from_zero(into * shape[1] * problem.H * problem.W, 0.3, 2.0).reshape(shape)
    bias = draw.away_from_zero(out, 0.5, 2.0)
    return (weight, bias, *parameters(draw, out), mean, var, groups, *and_eps(problem))


def scale_of_fold(arguments: Arguments) -> Mapping[str, Array]:
    """Products alone in the weight; b - μ in the bias is off by a rounding of |b| and |μ|, times γ/s, plus |β|."""
    weight, bias, gamma, beta, mean, var, groups = arguments[:7]
    eps = float(arguments[7]) if len(arguments) > 7 else EPS
    factor = np.abs(gamma) / np.sqrt(var + eps)
    start = 0.0 if bias is None else np.abs(bias)
    return {
        "new_weight": in_layout(factor, weight, groups) * np.abs(weight),
        "new_bias": factor * (start + np.abs(mean)) + np.abs(beta),
    }


PROBES = (
    Problem(4, 6, eps=0.1, H=2, W=3),  # 2 groups of 2 inputs and 3 outputs
    Problem(4, 4, eps=0.3, H=1, W=2),  # one group, as many inputs as outputs
    Problem(3, 3, H=3, W=1),
    Problem(6, 4, H=2, W=2),  # 2 groups of 3 inputs and 2 outputs
    Problem(4, 2, eps=0.2, H=2, W=1),  # 2 groups of one output
    Problem(6, 3, H=1, W=2),
)
TWO_EACH = np.array([1.0, 2.0, 3.0, 4.0])

fold_conv_transpose2d = Exercise(
    Signature(
        "fold_conv_transpose2d",
        ("weight", "bias", "gamma", "beta", "running_mean", "running_var", "groups", "eps"),
        ("new_weight", "new_bias"),
        reference,
    ),
    problem=layer,
    scale=scale_of_fold,
    section="conv-folding",
    smallest=(
        (np.array([[[[6.0]]]]), 5 * ONE, 4 * ONE, ONE, 3 * ONE, ONE, 1, THREE),
        (
            np.array([[[[6.0]], [[8.0]]]]),
            np.array([5.0, 6.0]),
            np.array([2.0, 8.0]),
            np.array([5.0, 0.0]),
            np.array([1.0, 2.0]),
            np.array([1.0, 13.0]),
            1,
            THREE,
        ),
        (
            np.array([[[[6.0]]], [[[8.0]]]]),
            np.array([5.0, 6.0]),
            np.array([2.0, 8.0]),
            np.array([5.0, 0.0]),
            np.array([1.0, 2.0]),
            np.array([1.0, 13.0]),
            2,
            THREE,
        ),
        (
            np.array([[[[6.0]], [[8.0]]], [[[2.0]], [[4.0]]]]),
            5.0 + TWO_EACH,
            2.0 * TWO_EACH,
            0.0 * TWO_EACH,
            TWO_EACH,
            np.ones(4),
            2,
            THREE,
        ),
    ),
    probes=PROBES,
    whole_probes=(),
)
exercise = fold_conv_transpose2d


def wide(draw: Draw, problem: Problem, groups: int = 0) -> Arguments:
    """A layer in which eps does not show."""
    return layer(draw, Problem(problem.N, problem.D, low=False, H=problem.H, W=problem.W), groups)


@exercise.property(points=0.5)
def a_transposed_convolution_again(f: Asked, draw: Draw) -> None:
    """answers with (new_weight, new_bias), of shapes (in, out/groups, kh, kw) and (out,)"""
    f(layer(draw, Problem(3, 5, H=3, W=3)))


@exercise.property(points=3)
def weights_of_each_output_scaled(f: Asked, draw: Draw) -> None:
    """multiplies the weights of each output by its gamma over its deviation (one group, also when in = out)"""
    for problem in (Problem(3, 5, H=2, W=2), Problem(4, 4, H=4, W=2), Problem(5, 2, H=1, W=3)):
        f.agrees(wide(draw, problem, groups=1), within=ROUGHLY, only=("new_weight",))


@exercise.property(points=2.5)
def weights_of_each_group_scaled(f: Asked, draw: Draw) -> None:
    """finds the outputs of each group: the inputs of group g write the outputs of group g"""
    for problem in (PROBES[0], PROBES[3], PROBES[4]):
        f.agrees(wide(draw, problem), within=ROUGHLY, only=("new_weight",))
    f.agrees(wide(draw, PROBES[1], groups=4), within=ROUGHLY, only=("new_weight",))  # every channel a group


@exercise.property(points=2)
def bias_goes_through_the_normalization(f: Asked, draw: Draw) -> None:
    """takes the bias through the normalization: minus the mean, scaled, plus beta"""
    for problem in PROBES:
        f.agrees(wide(draw, problem, groups=1), within=ROUGHLY, only=("new_bias",))


@exercise.property(points=0.5)
def no_bias_is_zero(f: Asked, draw: Draw) -> None:
    """takes None for the bias, and still returns one"""
    weight, _, *rest = wide(draw, PROBES[2])
    f.agrees((weight, None, *rest), within=ROUGHLY, only=("new_bias",))


@exercise.property(points=0.75)
def follows_eps(f: Asked, draw: Draw) -> None:
    """adds eps to the running variance, under the root: the one it was given, or else 1e-5"""
    for problem in PROBES:
        f.agrees(layer(draw, problem, groups=1), only=("new_bias",))


@exercise.property(points=0.75, needs="weights_of_each_output_scaled")
def leaves_its_inputs_alone(f: Asked, draw: Draw) -> None:
    """leaves weight, bias and the others as they were"""
    leaves_alone(f, layer(draw, Problem(4, 6), groups=1))


# ------------------------------------------------------------------------------------------------------------ its steps

steps = exercise.in_steps(groups=1, eps=EPS)


@steps.step
def own_bias(at: Any) -> Any:
    """the bias of the convolution, 0 when there is none"""
    return np.zeros(len(at.gamma)) if at.bias is None else at.bias


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
    return at.weight * in_layout(at.scale, at.weight, at.groups)


@steps.step
def new_bias(at: Any) -> Any:
    """the bias minus the running mean, times the scale, plus beta"""
    return at.scale * (at.own_bias - at.running_mean) + at.beta


@exercise.misconception(Kind.ERROR, "conv-folding", step="new_weight", about="weight")
def scaled_along_the_inputs(at: Any) -> Any:
    """You multiply the weights along axis 0, as for an ordinary convolution. Here axis 0 are the inputs: the outputs,
    which batch normalization scales, lie along axis 1. It runs only when in = out."""
    return at.weight * at.scale[:, None, None, None]


@exercise.misconception(Kind.ERROR, "conv-folding", step="new_weight", about="weight groups")
def every_group_scaled_as_the_first(at: Any) -> Any:
    """You multiply the weights of every group by the scales of the first group's outputs. Row i of the weight belongs
    to group i // (in/groups), and so do the outputs it writes: each group has scales of its own."""
    return at.weight * at.scale[: at.weight.shape[1], None, None]


@exercise.misconception(Kind.ERROR, "conv-folding", about="weight groups")
def groups_not_looked_at(
    weight: Array,
    bias: Any,
    gamma: Array,
    beta: Array,
    running_mean: Array,
    running_var: Array,
    groups: int = 1,
    eps: float = EPS,
) -> Any:
    """You multiply along axis 1 with one scale for each of *all* outputs. With groups axis 1 has only out/groups
    places, those of one group: take each group's own scales."""
    factor = gamma / np.sqrt(running_var + eps)
    new_weight = weight * factor[:, None, None]
    return new_weight, reference(weight, bias, gamma, beta, running_mean, running_var, groups, eps)[1]


@exercise.misconception(Kind.ERROR, "conv-folding", step="new_weight", about="weight groups")
def outputs_dealt_out_to_the_groups(at: Any) -> Any:
    """You deal the outputs out to the groups in turn, like cards. A group's outputs are neighbours: group g has those
    from g·out/groups on."""
    dealt = at.scale.reshape(-1, at.groups).T.reshape(-1)
    return at.weight * in_layout(dealt, at.weight, at.groups)


@exercise.misconception(Kind.ERROR, "conv-folding", step="new_weight", about="weight")
def weight_not_scaled(at: Any) -> Any:
    """You leave the weights as they are. Batch normalization multiplies each output by gamma over its deviation, and
    the weights of that output have to do it now."""
    return at.weight + 0.0


exercise.copy(
    fold_conv2d,
    "bias_not_scaled",
    "bias_ignored",
    "mean_ignored",
    "mean_not_scaled",
    "mean_added",
    "beta_scaled",
    "beta_ignored",
    "divides_by_the_variance",
    "gamma_ignored",
    "deviation_left_out",
    "eps_outside_the_root",
    "eps_missing",
    "eps_ignored",
)
