"""What is asked of the class `BatchNorm`, and on which lives?"""

from collections.abc import Mapping

import numpy as np

from .... import nn
from ...answers import Array
from ...asking import Asked, Refused
from ...calling import Signature
from ...draw import LOW_DEVIATION, Draw
from ...exercise import Arguments, Problem
from ...inputs import EPS, ROUGHLY, SHAPES, batch, parameters, upstream
from ...layers import LIFE, LayerExercise, Lived, Seen, live, once

STATISTICS, CONVENTIONS, MODES = "running-statistics", "running-conventions", "layer-modes"
PARAMETERS = "backward-parameters"
FORMULA, BACKWARD, INFERENCE = "whole-layer", "backward-closed-form", "backward-inference"
MOMENTUM = 0.1
"""The default weight of a new batch."""

TRAINING = np.array([1, 1, 0, 1, 1])
"""The mode of the five forwards."""

OTHER = 4
"""The forward of the other layer."""

ASKED = (1, 2, 3)
"""The forwards after which a backward is asked for."""


def life(draw: Draw, problem: Problem) -> Arguments:
    """Two batches, dy, the parameters, eps and momentum; without an eps, 1e-5 and momentum = None."""
    x = batch(draw, problem)
    x2 = draw.batch(problem.N, problem.D, low=problem.low)
    momentum = None if problem.eps is None else float(draw.random.uniform(0.15, 0.35))
    eps = EPS if problem.eps is None else problem.eps
    return (x, x2, upstream(draw, x), *parameters(draw, problem.D), eps, momentum)


ENOUGH = 200
"""Samples of a long life: 1/200 is within ROUGHLY, and eps = 1e-5 does not show either."""


def long(draw: Draw, eps: float = EPS, momentum: float | None = 0.5, N: int = ENOUGH) -> Arguments:
    """A life with these; momentum = 0.5 is the same in every convention."""
    x, x2, dy, gamma, beta, *_ = life(draw, Problem(N, 3, low=False))
    return (x, x2, dy, gamma, beta, eps, momentum)


def long_life(f: Asked, draw: Draw) -> Seen:
    """Batches so large that neither eps nor N - 1 shows."""
    return once(f, "long", lambda: long(draw))


def short_life(f: Asked, draw: Draw) -> Seen:
    """Batches so small that both do."""
    return once(f, "short", lambda: (*life(draw, Problem(7, 3, eps=0.1))[:6], 0.5))


KINDS = {
    name: next(
        kind
        for kind in ("running_mean", "running_var", "num", "dx", "dgamma", "dbeta", "gamma", "beta", "y")
        if name.startswith(f"{kind}_")
    )
    for name in LIFE
}
"""What sort of thing each name is."""


def scale_of_life(arguments: Arguments) -> Mapping[str, Array]:
    """As for the functions that a layer is made of: x̂ is off by a rounding of max|x|/s, the running statistics by one
    of max|x| and of max|x| times the deviation; s is the smallest deviation that is divided by."""
    x, x2, dy, gamma, beta, eps, _ = arguments
    size = np.maximum(np.abs(x).max(axis=0), np.abs(x2).max(axis=0))
    var = np.maximum(x.var(axis=0), x2.var(axis=0))
    std = np.sqrt(np.minimum(np.minimum(x.var(axis=0), x2.var(axis=0)), 1.0) + min(eps, EPS))
    lost, gain, up = 1.0 + size / std, 1.0 + np.abs(gamma), np.abs(dy)
    scales = {
        "y": 2.0 * gain * lost + np.abs(beta),
        "dx": 4.0 * gain / std * up.max(axis=0) * lost,
        "dgamma": up.sum(axis=0) * lost,
        "dbeta": up.sum(axis=0),
        "running_mean": 1.0 + size,
        "running_var": 1.0 + var + size * np.sqrt(var),
        "num": np.ones(()),
        "gamma": np.abs(gamma),
        "beta": 1.0 + np.abs(beta),
    }
    return {name: scales[kind] for name, kind in KINDS.items()}


ONE_THREE, TWO_SIX, FIRST = np.array([[1.0], [3.0]]), np.array([[2.0], [6.0]]), np.array([[1.0], [0.0]])
TWO, FIVE = np.array([2.0]), np.array([5.0])

batchnorm_layer = LayerExercise(
    Signature("BatchNorm", ("x", "x2", "dy", "gamma", "beta", "eps", "momentum"), LIFE, nn.BatchNorm),
    problem=life,
    scale=scale_of_life,
    section=FORMULA,
    axes={"x": "ND", "x2": "ND", "dy": "ND", "gamma": "D", "beta": "D"},
    smallest=(
        (ONE_THREE, TWO_SIX, FIRST, TWO, FIVE, 3.0, 0.5),
        (ONE_THREE, TWO_SIX, FIRST, TWO, FIVE, 3.0, 0.25),
        (ONE_THREE, TWO_SIX, FIRST, TWO, FIVE, 3.0, None),
        (ONE_THREE, TWO_SIX, FIRST, TWO, FIVE, 3.0, 0.0),
        (np.array([[1.0], [1.002]]), np.array([[2.0], [2.004]]), FIRST, TWO, FIVE, EPS, 0.5),
        (
            np.array([[1.0], [2.0], [6.0]]),
            np.array([[3.0], [3.0], [9.0]]),
            np.array([[1.0], [0.0], [0.0]]),
            TWO,
            FIVE,
            3.0,
            0.5,
        ),
    ),
    caller=live,
    whole_probes=(),
)
exercise = batchnorm_layer


# ------------------------------------------------------------------------------------------------------ what is asked


@exercise.property(points=0.5, section=MODES, nudge="What should a layer do before it has seen any data?")
def starts_with_the_identity(f: Asked, draw: Draw) -> None:
    """starts with gamma and running_var ones, beta and running_mean zeros, of shape (D,), and no batch counted"""
    names = ("gamma_0", "beta_0", "running_mean_0", "running_var_0", "num_batches_tracked_0")
    short_life(f, draw).shows(*names)


@exercise.property(points=1, nudge="Which mean and which variance normalize a batch in training?")
def trains_with_the_batchs_own_statistics(f: Asked, draw: Draw) -> None:
    """normalizes in training by the batch's own mean and variance, then scales and shifts"""
    long_life(f, draw).shows("y_train", "y_train_2", "y_again", within=ROUGHLY)


@exercise.property(points=1, section=STATISTICS, nudge="By hand: what is running_mean after one batch, after two?")
def tracks_the_mean(f: Asked, draw: Draw) -> None:
    """keeps a running mean: of the old one and the batch's, a weighted average"""
    long_life(f, draw).shows("running_mean_1", "running_mean_2", within=ROUGHLY)


@exercise.property(points=1, section=STATISTICS, nudge="By hand: what is running_var after one batch, after two?")
def tracks_the_variance(f: Asked, draw: Draw) -> None:
    """keeps a running variance: of the old one and the batch's, a weighted average"""
    long_life(f, draw).shows("running_var_1", "running_var_2", within=ROUGHLY)


@exercise.property(
    points=0.5, section=CONVENTIONS, nudge="Which variance goes into running_var: divided by N, or N - 1?"
)
def tracks_the_unbiased_variance(f: Asked, draw: Draw) -> None:
    """tracks the unbiased variance, divided by N - 1, though it normalizes by the biased one"""
    short_life(f, draw).shows("running_var_1", "running_var_2")


@exercise.property(
    points=0.5, section=CONVENTIONS, nudge="momentum = 0.1: which of the two, old or new, counts for 0.1?"
)
def momentum_is_the_weight_of_the_new(f: Asked, draw: Draw) -> None:
    """gives the new batch the weight momentum, 0.1 when none is given, and the old value the rest"""
    for momentum in (0.2, 0.0):
        seen = Seen(f, long(draw, momentum=momentum, N=5))
        seen.shows("running_mean_1", "running_mean_2", "running_mean_default", within=ROUGHLY)


@exercise.property(points=0.5, section=CONVENTIONS, nudge="If three batches count alike, what is the weight of each?")
def no_momentum_averages_all_batches(f: Asked, draw: Draw) -> None:
    """averages over all batches alike when momentum is None"""
    names = ("running_mean_1", "running_mean_2", "running_mean_3", "running_var_1", "running_var_2", "running_var_3")
    seen = Seen(f, long(draw, momentum=None))
    if isinstance(seen.outcome, Lived) and seen.outcome.without_none:
        raise Refused(f"With momentum = None, {seen.outcome.without_none}")
    seen.shows(*names, within=ROUGHLY)


@exercise.property(points=0.5, section=STATISTICS, nudge="Which forwards see a batch that is tracked? Count them.")
def counts_the_batches(f: Asked, draw: Draw) -> None:
    """counts in num_batches_tracked the batches it was trained on, and no others"""
    names = ("num_batches_tracked_1", "num_batches_tracked_2", "num_batches_tracked_after_eval")
    short_life(f, draw).shows(*names, "num_batches_tracked_3")


@exercise.property(points=1, section=MODES, nudge="In evaluation, may the answer for one sample depend on the others?")
def evaluates_with_the_running_statistics(f: Asked, draw: Draw) -> None:
    """normalizes in evaluation by the running statistics, then scales and shifts"""
    long_life(f, draw).shows("y_eval", within=ROUGHLY)


@exercise.property(points=0.5, section=MODES, nudge="What may a forward in evaluation change in the layer?")
def evaluation_changes_no_statistics(f: Asked, draw: Draw) -> None:
    """changes the running statistics in training, and neither in evaluation nor in a backward"""
    seen = short_life(f, draw)
    for name in ("running_mean", "running_var"):
        one, two, after = seen.has(f"{name}_1", f"{name}_2", f"{name}_after_eval").values()
        if not same(two, after):
            raise Refused(f"{name} was {printed(two)} before a backward and an evaluation, and {printed(after)} after.")
        if same(one, two):
            raise Refused(f"{name} does not change at all, not even in training.")


@exercise.property(points=1, section=BACKWARD, nudge="On how many roads does one x reach the loss in training?")
def backward_in_training(f: Asked, draw: Draw) -> None:
    """gives after a forward in training dx, dgamma and dbeta as batchnorm_backward does"""
    long_life(f, draw).shows("dx_train", "dgamma_train", "dbeta_train", within=ROUGHLY)


@exercise.property(points=1, section=INFERENCE, nudge="The statistics are fixed now. On which roads does x act?")
def backward_in_evaluation(f: Asked, draw: Draw) -> None:
    """gives after a forward in evaluation dx, dgamma and dbeta as batchnorm_inference_backward does"""
    long_life(f, draw).shows("dx_eval", "dgamma_eval", "dbeta_eval", within=ROUGHLY)


@exercise.property(points=0.5, section=MODES, nudge="What is left over in the layer from earlier calls?")
def backward_belongs_to_the_last_forward(f: Asked, draw: Draw) -> None:
    """answers a backward for the last forward alone, whatever came before: in its mode, with gradients of its own"""
    long_life(f, draw).shows("dx_again", "dgamma_again", "dbeta_again", within=ROUGHLY)


def with_large_eps(draw: Draw) -> Arguments:
    """A life in which eps shows: small features, and one that hardly varies, where even the default does."""
    x, x2, *rest = long(draw, eps=0.5)
    x, x2 = 0.3 * x, 0.3 * x2
    x[:, -1] *= LOW_DEVIATION / x[:, -1].std()
    return (x, x2, *rest)


@exercise.property(points=1, section="normalize-eps", nudge="Where does the eps come in that the layer was made with?")
def layer_follows_eps(f: Asked, draw: Draw) -> None:
    """adds the eps it was made with to the variance, under the root, in both modes"""
    seen = once(f, "large eps", lambda: with_large_eps(draw))
    seen.shows("y_train", "y_eval", "dx_train", "dx_eval", within=ROUGHLY)


@exercise.property(points=0.5, section="normalize-eps", nudge="Try a feature that hardly varies, and a batch of three.")
def layer_is_right_to_rounding(f: Asked, draw: Draw) -> None:
    """is right to rounding in training, for batches of any shape, also when N = D"""
    for seen in (short_life(f, draw), *(Seen(f, life(draw, problem)) for problem in SHAPES[1:3])):
        seen.shows("y_train", "y_again", "dx_train", "dgamma_train", "dbeta_train", "dx_again")


@exercise.property(points=0.5, section="normalize-eps", nudge="What is eps after BatchNorm(D)?")
def layer_default_eps(f: Asked, draw: Draw) -> None:
    """uses eps = 1e-5 when it is made without one"""
    seen = once(f, "large eps", lambda: with_large_eps(draw))
    seen.shows("y_default", within=ROUGHLY)


@exercise.property(
    points=0.5,
    section=FORMULA,
    needs="trains_with_the_batchs_own_statistics",
    nudge="What is x after forward, dy after backward? What does a second layer start with?",
)
def layer_leaves_the_rest_alone(f: Asked, draw: Draw) -> None:
    """leaves x, dy, gamma and beta as they were, and shares nothing with another layer"""
    seen = short_life(f, draw)
    seen.shows("gamma_end", "beta_end", "running_mean_other_0", "running_var_other_0", "gamma_default", "beta_default")
    for name in seen.outcome.changed:
        raise Refused(f"{name} is not what it was before the call. Work on a copy, as in `x - mean`, not `x -= mean`.")


def same(one: Array, other: Array) -> bool:
    """Whether a statistic is what it was."""
    return bool(np.allclose(one, other, rtol=1e-9, atol=1e-12))


def printed(statistic: Array) -> str:
    """A few numbers in a sentence."""
    return np.array2string(statistic, precision=4)
