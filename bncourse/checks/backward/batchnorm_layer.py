"""What is asked of the class `BatchNorm`, and how is it got wrong?

A layer is judged by its life (:mod:`..layers`): five forwards, of which the first four are one layer's, in training, in
training, in evaluation and in training again, and the fifth is another layer's, made with the defaults. The steps below
hold what belongs to all five, one row a forward, and mistakes are wrong steps. What a step cannot say, such as two
layers that share an array, is a small change of :class:`PlainLayer`.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ... import nn
from .. import sentences
from ..answers import Array
from ..asking import Asked, Refused
from ..calling import Signature
from ..chain import Step, Wrong
from ..draw import LOW_DEVIATION, Draw
from ..exercise import Arguments, Kind, Problem
from ..inputs import EPS, OTHER_EPS, ROUGHLY, SHAPES, batch, parameters, upstream
from ..layers import LIFE, LayerExercise, Seen, live, once
from ..reading import Factor, Reading, Term

STATISTICS, CONVENTIONS, MODES = "running-statistics", "running-conventions", "layer-modes"
FORMULA, BACKWARD, INFERENCE = "whole-layer", "backward-closed-form", "backward-inference"
MOMENTUM = 0.1
"""The default weight of a new batch."""

TRAINING = np.array([True, True, False, True, True])
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


@exercise.property(points=1, section=MODES, nudge="What should a layer do before it has seen any data?")
def starts_with_the_identity(f: Asked, draw: Draw) -> None:
    """starts with gamma and running_var ones, beta and running_mean zeros, of shape (D,), and no batch counted"""
    names = ("gamma_0", "beta_0", "running_mean_0", "running_var_0", "num_batches_tracked_0")
    short_life(f, draw).shows(*names)


@exercise.property(points=2, nudge="Which mean and which variance normalize a batch in training?")
def trains_with_the_batchs_own_statistics(f: Asked, draw: Draw) -> None:
    """normalizes in training by the batch's own mean and variance, then scales and shifts"""
    long_life(f, draw).shows("y_train", "y_train_2", "y_again", within=ROUGHLY)


@exercise.property(points=2, section=STATISTICS, nudge="By hand: what is running_mean after one batch, after two?")
def tracks_the_mean(f: Asked, draw: Draw) -> None:
    """keeps a running mean: of the old one and the batch's, a weighted average"""
    long_life(f, draw).shows("running_mean_1", "running_mean_2", within=ROUGHLY)


@exercise.property(points=2, section=STATISTICS, nudge="By hand: what is running_var after one batch, after two?")
def tracks_the_variance(f: Asked, draw: Draw) -> None:
    """keeps a running variance: of the old one and the batch's, a weighted average"""
    long_life(f, draw).shows("running_var_1", "running_var_2", within=ROUGHLY)


@exercise.property(points=1, section=CONVENTIONS, nudge="Which variance goes into running_var: divided by N, or N - 1?")
def tracks_the_unbiased_variance(f: Asked, draw: Draw) -> None:
    """tracks the unbiased variance, divided by N - 1, though it normalizes by the biased one"""
    short_life(f, draw).shows("running_var_1", "running_var_2")


@exercise.property(points=1, section=CONVENTIONS, nudge="momentum = 0.1: which of the two, old or new, counts for 0.1?")
def momentum_is_the_weight_of_the_new(f: Asked, draw: Draw) -> None:
    """gives the new batch the weight momentum, and the old value the rest, also when momentum is 0"""
    for momentum in (0.2, 0.0):
        seen = Seen(f, long(draw, momentum=momentum, N=5))
        seen.shows("running_mean_1", "running_mean_2", within=ROUGHLY)


@exercise.property(points=1, section=CONVENTIONS, nudge="If three batches count alike, what is the weight of each?")
def no_momentum_averages_all_batches(f: Asked, draw: Draw) -> None:
    """averages over all batches alike when momentum is None"""
    names = ("running_mean_1", "running_mean_2", "running_mean_3", "running_var_1", "running_var_2", "running_var_3")
    Seen(f, long(draw, momentum=None)).shows(*names, within=ROUGHLY)


@exercise.property(points=1, section=STATISTICS, nudge="Which forwards see a batch that is tracked? Count them.")
def counts_the_batches(f: Asked, draw: Draw) -> None:
    """counts in num_batches_tracked the batches it was trained on, and no others"""
    names = ("num_batches_tracked_1", "num_batches_tracked_2", "num_batches_tracked_after_eval")
    short_life(f, draw).shows(*names, "num_batches_tracked_3")


@exercise.property(points=2, section=MODES, nudge="In evaluation, may the answer for one sample depend on the others?")
def evaluates_with_the_running_statistics(f: Asked, draw: Draw) -> None:
    """normalizes in evaluation by the running statistics, then scales and shifts"""
    long_life(f, draw).shows("y_eval", within=ROUGHLY)


@exercise.property(points=1, section=MODES, nudge="What may a forward in evaluation change in the layer?")
def evaluation_changes_no_statistics(f: Asked, draw: Draw) -> None:
    """changes the running statistics in training, and neither in evaluation nor in a backward"""
    seen = short_life(f, draw)
    for name in ("running_mean", "running_var"):
        one, two, after = seen.has(f"{name}_1", f"{name}_2", f"{name}_after_eval").values()
        if not same(two, after):
            raise Refused(f"{name} was {printed(two)} before a backward and an evaluation, and {printed(after)} after.")
        if same(one, two):
            raise Refused(f"{name} does not change at all, not even in training.")


@exercise.property(points=2, section=BACKWARD, nudge="On how many roads does one x reach the loss in training?")
def backward_in_training(f: Asked, draw: Draw) -> None:
    """gives after a forward in training dx, dgamma and dbeta as batchnorm_backward does"""
    long_life(f, draw).shows("dx_train", "dgamma_train", "dbeta_train", within=ROUGHLY)


@exercise.property(points=2, section=INFERENCE, nudge="The statistics are fixed now. On which roads does x act?")
def backward_in_evaluation(f: Asked, draw: Draw) -> None:
    """gives after a forward in evaluation dx, dgamma and dbeta as batchnorm_inference_backward does"""
    long_life(f, draw).shows("dx_eval", "dgamma_eval", "dbeta_eval", within=ROUGHLY)


@exercise.property(points=1, section=MODES, nudge="What is left over in the layer from earlier calls?")
def backward_belongs_to_the_last_forward(f: Asked, draw: Draw) -> None:
    """answers a backward for the last forward alone, whatever came before: in its mode, with gradients of its own"""
    long_life(f, draw).shows("dx_again", "dgamma_again", "dbeta_again", within=ROUGHLY)


def with_large_eps(draw: Draw) -> Arguments:
    """A life in which eps shows: small features, and one that hardly varies, where even the default does."""
    x, x2, *rest = long(draw, eps=0.5)
    x, x2 = 0.3 * x, 0.3 * x2
    x[:, -1] *= LOW_DEVIATION / x[:, -1].std()
    return (x, x2, *rest)


@exercise.property(points=2, section="normalize-eps", nudge="Where does the eps come in that the layer was made with?")
def layer_follows_eps(f: Asked, draw: Draw) -> None:
    """adds the eps it was made with to the variance, under the root, in both modes"""
    seen = once(f, "large eps", lambda: with_large_eps(draw))
    seen.shows("y_train", "y_eval", "dx_train", "dx_eval", within=ROUGHLY)


@exercise.property(points=1, section="normalize-eps", nudge="Try a feature that hardly varies, and a batch of three.")
def layer_is_right_to_rounding(f: Asked, draw: Draw) -> None:
    """is right to rounding in training, for batches of any shape, also when N = D"""
    for seen in (short_life(f, draw), *(Seen(f, life(draw, problem)) for problem in SHAPES[1:])):
        seen.shows("y_train", "y_again", "dx_train", "dgamma_train", "dbeta_train", "dx_again")


@exercise.property(points=1, section=CONVENTIONS, nudge="What are eps and momentum after BatchNorm(D)?")
def layer_defaults(f: Asked, draw: Draw) -> None:
    """uses eps = 1e-5 and momentum = 0.1 when made without them"""
    seen = once(f, "large eps", lambda: with_large_eps(draw))
    seen.shows("y_default", "running_mean_default", "running_var_default", within=ROUGHLY)


@exercise.property(
    points=1,
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


# ------------------------------------------------------------------------------------------------- a life in steps

steps = exercise.in_steps()


@steps.step
def start_gamma(at: Any) -> Any:
    """gamma of a new layer: ones"""
    return np.ones(at.x.shape[1])


@steps.step
def start_beta(at: Any) -> Any:
    """beta of a new layer: zeros"""
    return np.zeros(at.x.shape[1])


@steps.step
def start_mean(at: Any) -> Any:
    """running_mean of a new layer: zeros"""
    return np.zeros(at.x.shape[1])


@steps.step
def start_var(at: Any) -> Any:
    """running_var of a new layer: ones"""
    return np.ones(at.x.shape[1])


@steps.step
def layer_eps(at: Any) -> Any:
    """the eps that the layer uses: the one it was made with"""
    return at.eps


@steps.step
def default_eps(at: Any) -> Any:
    """the eps of a layer made without one: 1e-5"""
    return EPS


@steps.step
def default_momentum(at: Any) -> Any:
    """the momentum of a layer made without one: 0.1"""
    return MOMENTUM


@steps.step
def batches(at: Any) -> Any:
    """what the five forwards get: x and x2 in training, x in evaluation, x in training, x in another layer"""
    return np.stack([at.x, at.x2, at.x, at.x, at.x])


@steps.step
def N(at: Any) -> Any:
    """the number of samples"""
    return len(at.x)


@steps.step
def mean(at: Any) -> Any:
    """the mean of each batch"""
    return at.batches.mean(axis=1)


@steps.step
def var(at: Any) -> Any:
    """the biased variance of each batch"""
    centred = at.batches - at.mean[:, None]
    return (centred * centred).mean(axis=1)


@steps.step
def counts(at: Any) -> Any:
    """how many batches the layer has tracked, after each forward"""
    return np.array([*np.cumsum(TRAINING[:OTHER]), 1.0])


@steps.step
def weight(at: Any) -> Any:
    """the weight of the new batch: momentum; or one over the number of batches when that is None"""
    return weights(at, lambda momentum: momentum, lambda count: 1.0 / max(count, 1.0))


@steps.step
def old_weight(at: Any) -> Any:
    """the weight of the old running value: the rest to 1"""
    return 1.0 - at.weight


@steps.step
def updates(at: Any) -> Any:
    """which forwards update the running statistics: those in training"""
    return TRAINING


@steps.step
def tracked_mean(at: Any) -> Any:
    """the mean that goes into running_mean: the batch's"""
    return at.mean


@steps.step
def running_mean(at: Any) -> Any:
    """running_mean after each forward: old weight times old value, plus weight times the batch's"""
    return tracked(at, at.start_mean, at.tracked_mean)


@steps.step
def tracked_var(at: Any) -> Any:
    """the variance that goes into running_var: the unbiased one, var times N / (N - 1)"""
    return at.var * at.N / (at.N - 1)


@steps.step
def running_var(at: Any) -> Any:
    """running_var after each forward: old weight times old value, plus weight times the batch's"""
    return tracked(at, at.start_var, at.tracked_var)


@steps.step
def by_batch(at: Any) -> Any:
    """which forwards normalize by the batch's own statistics: those in training"""
    return TRAINING


@steps.step
def used_mean(at: Any) -> Any:
    """the mean that is subtracted: the batch's in training, the running one in evaluation"""
    return np.where(at.by_batch[:, None], at.mean, at.running_mean[[0, 1, 1, 3, 4]])


@steps.step
def used_var(at: Any) -> Any:
    """the variance that is divided by: the batch's in training, the running one in evaluation"""
    return np.where(at.by_batch[:, None], at.var, at.running_var[[0, 1, 1, 3, 4]])


@steps.step
def std(at: Any) -> Any:
    """the root of that variance plus eps"""
    return np.sqrt(at.used_var + eps_of(at))


@steps.step
def x_hat(at: Any) -> Any:
    """the distance from the mean, divided by std"""
    return (at.batches - at.used_mean[:, None]) / at.std[:, None]


@steps.step
def y(at: Any) -> Any:
    """gamma times x_hat, plus beta"""
    gamma, beta = affine(at)
    return gamma * at.x_hat + beta


@steps.step
def dx_hat(at: Any) -> Any:
    """dy times gamma"""
    return at.dy * at.gamma


@steps.step
def by_paths(at: Any) -> Any:
    """which backwards go through mean and variance: those after a forward in training"""
    return TRAINING[list(ASKED)]


@steps.step
def paths(at: Any) -> Any:
    """what comes to x through mean and variance: nothing in evaluation"""
    return at.by_paths[:, None, None] * through_statistics(at.dx_hat, at.x_hat[list(ASKED)])


@steps.step
def dx(at: Any) -> Any:
    """dx_hat and what comes through mean and variance, over std"""
    return (at.dx_hat + at.paths) / at.std[list(ASKED)][:, None]


@steps.step
def dgamma(at: Any) -> Any:
    """the sum over the batch of dy times x_hat"""
    return (at.dy * at.x_hat[list(ASKED)]).sum(axis=1)


@steps.step
def dbeta(at: Any) -> Any:
    """the sum over the batch of dy"""
    return np.stack([at.dy.sum(axis=0)] * len(ASKED))


@steps.step
def num_batches_tracked(at: Any) -> Any:
    """the count that the layer shows"""
    return at.counts


def weights(at: Any, given: Callable[[float], float], none: Callable[[float], float]) -> Array:
    """The weight of each forward, (5, 1): what becomes of a given momentum, and of the count when there is none."""
    momenta = [at.momentum] * OTHER + [at.default_momentum]
    numbers = [none(c) if m is None else given(m) for m, c in zip(momenta, at.counts, strict=True)]
    return np.array(numbers)[:, None]


def tracked(at: Any, start: Array, new: Array) -> Array:
    """A running value after each of the five forwards."""
    old, after = start, []
    for n in range(len(TRAINING)):
        old = start if n == OTHER else old
        old = at.old_weight[n] * old + at.weight[n] * new[n] if at.updates[n] else old
        after.append(old)
    return np.stack(after)


def eps_of(at: Any) -> Array:
    """The eps of each forward, (5, 1)."""
    return np.array([at.layer_eps] * OTHER + [at.default_eps])[:, None]


def affine(at: Any) -> tuple[Array, Array]:
    """Gamma and beta of each forward, (5, 1, D)."""
    gamma = np.stack([at.gamma] * OTHER + [at.start_gamma])
    beta = np.stack([at.beta] * OTHER + [at.start_beta])
    return gamma[:, None], beta[:, None]


def through_statistics(dx_hat: Array, x_hat: Array) -> Array:
    """What comes back through mean and variance, times std."""
    result: Array = -dx_hat.mean(axis=-2, keepdims=True) - x_hat * (dx_hat * x_hat).mean(axis=1, keepdims=True)
    return result


SHOWN: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "gamma_0": ("gamma when the layer is new", lambda at: at.start_gamma),
    "beta_0": ("beta when the layer is new", lambda at: at.start_beta),
    "running_mean_0": ("running_mean when the layer is new", lambda at: at.start_mean),
    "running_var_0": ("running_var when the layer is new", lambda at: at.start_var),
    "num_batches_tracked_0": ("the count when the layer is new", lambda at: 0.0),
    "gamma_end": ("gamma at the end, untouched", lambda at: at.gamma),
    "beta_end": ("beta at the end, untouched", lambda at: at.beta),
    "running_mean_other_0": ("running_mean when another layer is new", lambda at: at.start_mean),
    "running_var_other_0": ("running_var when another layer is new", lambda at: at.start_var),
    "gamma_default": ("gamma of another layer, untouched", lambda at: at.start_gamma),
    "beta_default": ("beta of another layer, untouched", lambda at: at.start_beta),
}
"""What the layer shows of these steps, by name."""

AFTER = {"1": 0, "2": 1, "after_eval": 2, "3": 3, "default": OTHER}
"""The forward after which running statistics are looked at."""

OUTPUT = {"train": 0, "train_2": 1, "eval": 2, "again": 3, "default": OTHER}
BACKWARDS = {"train": 0, "eval": 1, "again": 2}


def part(step: str, n: int) -> Callable[[Any], Any]:
    """One forward's or backward's row of a step."""
    return lambda at: getattr(at, step)[n]


for step_name in ("running_mean", "running_var", "num_batches_tracked"):
    for when, n in AFTER.items():
        SHOWN[f"{step_name}_{when}"] = (f"{step_name} after forward {n + 1}", part(step_name, n))
for when, n in OUTPUT.items():
    SHOWN[f"y_{when}"] = (f"what forward {n + 1} returns", part("y", n))
for step_name in ("dx", "dgamma", "dbeta"):
    for when, n in BACKWARDS.items():
        SHOWN[f"{step_name}_{when}"] = (f"{step_name} of the backward in {when}", part(step_name, n))

for name in LIFE:
    words, value = SHOWN[name]
    value.__name__, value.__doc__ = name, words
    steps.step(value)


# --------------------------------------------------------------------------------------------- the constructor's


@exercise.misconception(Kind.ERROR, "scale-shift", step="start_gamma")
def gamma_starts_at_zero(at: Any) -> Any:
    """You start gamma at zeros. Every output is then beta, and no gradient reaches what lies before the layer: start
    with ones, so that a new layer normalizes and nothing else."""
    return np.zeros(at.x.shape[1])


@exercise.misconception(Kind.ERROR, "scale-shift", step="start_beta")
def beta_starts_at_one(at: Any) -> Any:
    """You start beta at ones. Every feature of a new layer is then shifted by 1 for no reason: start with zeros, so
    that a new layer normalizes and nothing else."""
    return np.ones(at.x.shape[1])


@exercise.mistakes(Kind.ERROR, "scale-shift", about="start_gamma start_beta")
def parameters_start_swapped() -> Wrong:
    """You start gamma at zeros and beta at ones. It is the other way round: a new layer multiplies by 1 and adds 0, so
    that it normalizes and nothing else."""
    return {"start_gamma": gamma_starts_at_zero, "start_beta": beta_starts_at_one}


@exercise.misconception(Kind.ERROR, STATISTICS, step="start_var")
def running_var_starts_at_zero(at: Any) -> Any:
    """You start running_var at zeros. A layer that is evaluated before it was trained then divides by the root of eps,
    and blows up everything: start with ones, which change nothing."""
    return np.zeros(at.x.shape[1])


@exercise.misconception(Kind.ERROR, STATISTICS, step="start_mean")
def running_mean_starts_at_one(at: Any) -> Any:
    """You start running_mean at ones. A layer that is evaluated before it was trained then shifts its input: start with
    zeros, which change nothing."""
    return np.ones(at.x.shape[1])


@exercise.mistakes(Kind.ERROR, STATISTICS, about="start_mean start_var")
def statistics_start_swapped() -> Wrong:
    """You start running_mean at ones and running_var at zeros. It is the other way round: a mean of 0 and a variance of
    1 change nothing in a layer that is evaluated before it was trained."""
    return {"start_mean": running_mean_starts_at_one, "start_var": running_var_starts_at_zero}


@exercise.misconception(Kind.ERROR, "normalize-eps", step="layer_eps", about="eps")
def eps_ignored(at: Any) -> Any:
    """You use an eps of your own and ignore the one that the layer was made with. Keep the argument of the constructor
    in the layer, and use that one in both modes."""
    return EPS


def constant(number: float) -> Step:
    """A number, whatever was given."""
    return lambda at: number


for other in OTHER_EPS:
    exercise.also("eps_ignored", layer_eps=constant(other), default_eps=constant(other))


@exercise.misconception(Kind.CONVENTION, "normalize-eps", step="default_eps", about="eps")
def another_default_eps(at: Any) -> Any:
    """Your eps is not 1e-5 when none is given. Keras, for one, takes 1e-3; this course, like PyTorch, asks for 1e-5."""
    return 1e-3


for other in (1e-4, 1e-6, 1e-8):
    exercise.another_way("another_default_eps", step="default_eps")(constant(other))


@exercise.misconception(Kind.ERROR, CONVENTIONS, step="weight", about="weight")
def momentum_ignored(at: Any) -> Any:
    """You use a momentum of your own and ignore the one that the layer was made with. Keep the argument of the
    constructor in the layer, and use that one in the update."""
    return weights(at, lambda momentum: MOMENTUM, lambda count: 1.0 / max(count, 1.0))


@exercise.another_way("momentum_ignored", step="weight")
def momentum_and_none_ignored(at: Any) -> Any:
    """Also when it is None."""
    return weights(at, lambda momentum: MOMENTUM, lambda count: MOMENTUM)


@exercise.another_way("momentum_ignored", step="weight")
def momentum_of_keras_always(at: Any) -> Any:
    """0.01 for the new batch."""
    return weights(at, lambda momentum: 0.01, lambda count: 0.01)


@exercise.another_way("momentum_ignored", step="weight")
def momentum_nine_tenths_always(at: Any) -> Any:
    """0.9 for the new batch."""
    return weights(at, lambda momentum: 0.9, lambda count: 0.9)


@exercise.misconception(Kind.CONVENTION, CONVENTIONS, step="default_momentum")
def another_default_momentum(at: Any) -> Any:
    """Your momentum is not 0.1 when none is given. Keras and Flax take 0.99, but as the weight of the *old* value; this
    course, like PyTorch, gives the new batch 0.1."""
    return 0.9


for other in (0.99, 0.01, 0.5):
    exercise.another_way("another_default_momentum", step="default_momentum")(constant(other))


# -------------------------------------------------------------------------------------------------- running statistics


def the_other_way_round(at: Any) -> Any:
    """The weight of the old value."""
    return weights(at, lambda momentum: 1.0 - momentum, lambda count: 1.0 / max(count, 1.0))


@exercise.misconception(Kind.CONVENTION, CONVENTIONS, step="weight", about="weight")
def momentum_weighs_the_old(at: Any) -> Any:
    """You give the old value the weight momentum, and the new batch the rest. That is the rule of Keras, Flax and ONNX;
    this course, like PyTorch, asks for (1 - momentum) * old + momentum * new."""
    return the_other_way_round(at)


exercise.also("momentum_weighs_the_old", weight=the_other_way_round, default_momentum=constant(0.99))
exercise.also("momentum_weighs_the_old", weight=the_other_way_round, default_momentum=constant(0.9))


@exercise.misconception(Kind.ERROR, CONVENTIONS, step="weight", about="weight")
def no_cumulative_average(at: Any) -> Any:
    """You do not average over all batches when momentum is None. None asks for the plain average: the first batch
    counts for 1, the second for 1/2, the third for 1/3, so that all count alike in the end."""
    return weights(at, lambda momentum: momentum, lambda count: 0.0)


def none_as(none: Callable[[float], float]) -> Step:
    """None read as something."""
    return lambda at: weights(at, lambda momentum: momentum, none)


for wrong in (lambda count: MOMENTUM, lambda count: 1.0, lambda count: 0.5, lambda count: 1.0 / (count + 1.0)):
    exercise.another_way("no_cumulative_average", step="weight")(none_as(wrong))


@exercise.misconception(Kind.ERROR, STATISTICS, step="weight", about="weight")
def last_batch_only(at: Any) -> Any:
    """You overwrite the running statistics with those of the last batch. They are an average over many batches, which a
    single odd one must not spoil: keep (1 - momentum) of the old value."""
    return np.ones((len(TRAINING), 1))


@exercise.misconception(Kind.ERROR, STATISTICS, step="old_weight")
def old_value_not_shrunk(at: Any) -> Any:
    """You add the new batch without shrinking the old value, so the running statistics grow with every batch. The two
    weights of an average add up to 1: (1 - momentum) for the old value."""
    return np.ones((len(TRAINING), 1))


@exercise.misconception(Kind.ERROR, STATISTICS, step="updates", about="running_mean running_var")
def statistics_never_stored(at: Any) -> Any:
    """Your running statistics do not change in training. The new ones have to be kept in the layer, as
    self.running_mean and self.running_var; a local variable is gone when forward returns."""
    return np.zeros(len(TRAINING), bool)


@exercise.misconception(Kind.ERROR, STATISTICS, step="running_var")
def only_the_mean_updated(at: Any) -> Any:
    """You update running_mean but not running_var. Evaluation divides by the root of running_var, so it has to follow
    the batches as the mean does."""
    return np.stack([at.start_var] * len(TRAINING))


@exercise.misconception(Kind.ERROR, STATISTICS, step="running_mean")
def only_the_variance_updated(at: Any) -> Any:
    """You update running_var but not running_mean. Evaluation subtracts running_mean, so it has to follow the batches
    as the variance does."""
    return np.stack([at.start_mean] * len(TRAINING))


@exercise.misconception(Kind.CONVENTION, CONVENTIONS, step="tracked_var")
def biased_running_variance(at: Any) -> Any:
    """You track the biased variance, divided by N. That is what Keras and Flax do; this course, like PyTorch and the
    paper of 2015, tracks the unbiased one, N/(N - 1) times as large, though it normalizes by the biased one."""
    return at.var


@exercise.misconception(Kind.ERROR, CONVENTIONS, step="tracked_var")
def correction_upside_down(at: Any) -> Any:
    """You multiply the tracked variance by (N - 1)/N. The biased variance is too small on average, so the unbiased one
    is larger, N/(N - 1) times: yours makes it smaller still."""
    return at.var * (at.N - 1) / at.N


@exercise.misconception(Kind.ERROR, STATISTICS, step="tracked_var")
def tracks_the_deviation(at: Any) -> Any:
    """You track the standard deviation where the variance belongs. running_var holds a variance: its root is taken when
    it is used, after eps is added."""
    return np.sqrt(at.var * at.N / (at.N - 1))


@exercise.another_way("tracks_the_deviation", step="tracked_var")
def tracks_the_biased_deviation(at: Any) -> Any:
    """Of the biased variance."""
    return np.sqrt(at.var)


@exercise.another_way("tracks_the_deviation", step="tracked_var")
def tracks_the_divisor(at: Any) -> Any:
    """What the normalization divides by."""
    return np.sqrt(at.var + eps_of(at))


@exercise.misconception(Kind.ERROR, STATISTICS, step="tracked_var")
def variance_about_the_running_mean(at: Any) -> Any:
    """You take the variance about the running mean. A batch varies about its own mean: about another one the distance
    between the two means, squared, comes on top."""
    return about(at, at.running_mean) * at.N / (at.N - 1)


@exercise.another_way("variance_about_the_running_mean", step="tracked_var")
def biased_about_the_running_mean(at: Any) -> Any:
    """Divided by N."""
    return about(at, at.running_mean)


@exercise.another_way("variance_about_the_running_mean", step="tracked_var")
def variance_about_the_old_running_mean(at: Any) -> Any:
    """The one before this batch."""
    return about(at, before(at.start_mean, at.running_mean)) * at.N / (at.N - 1)


@exercise.another_way("variance_about_the_running_mean", step="tracked_var")
def biased_about_the_old_running_mean(at: Any) -> Any:
    """The same, divided by N."""
    return about(at, before(at.start_mean, at.running_mean))


def about(at: Any, middle: Array) -> Array:
    """The mean square distance from some middle."""
    result: Array = ((at.batches - middle[:, None]) ** 2).mean(axis=1)
    return result


def before(start: Array, running: Array) -> Array:
    """A running value before each of the forwards."""
    return np.stack([start, running[0], running[1], running[2], start])


@exercise.misconception(Kind.ERROR, "normalize-eps", step="tracked_var")
def constant_in_the_running_variance(at: Any) -> Any:
    """You add eps to the variance that is tracked. eps protects a division, and is added when that is done: inside
    running_var it would be added twice."""
    return at.var * at.N / (at.N - 1) + eps_of(at)


@exercise.another_way("constant_in_the_running_variance", step="tracked_var")
def constant_in_the_biased_variance(at: Any) -> Any:
    """Before the correction."""
    return (at.var + eps_of(at)) * at.N / (at.N - 1)


@exercise.mistakes(Kind.ERROR, STATISTICS, about="tracked_mean tracked_var")
def tracks_the_output() -> Wrong:
    """You track mean and variance of what comes out of the layer. Evaluation needs those of what goes in: out of it
    come, in training, beta and gamma², whatever the data are."""
    return {
        "tracked_mean": lambda at: affine(at)[1][:, 0],
        "tracked_var": lambda at: affine(at)[0][:, 0] ** 2 * at.var / (at.var + eps_of(at)) * at.N / (at.N - 1),
    }


exercise.also(
    "tracks_the_output",
    tracked_mean=lambda at: affine(at)[1][:, 0],
    tracked_var=lambda at: affine(at)[0][:, 0] ** 2 * at.var / (at.var + eps_of(at)),
)
exercise.also(
    "tracks_the_output",
    tracked_mean=lambda at: 0.0 * at.mean,
    tracked_var=lambda at: at.var / (at.var + eps_of(at)) * at.N / (at.N - 1),
)


@exercise.misconception(Kind.ERROR, STATISTICS, step="num_batches_tracked", about="counts")
def batches_not_counted(at: Any) -> Any:
    """You do not count the batches in num_batches_tracked. It grows by 1 with every forward in training; with momentum
    = None it is what the average is divided by."""
    return np.zeros(len(TRAINING))


exercise.also("batches_not_counted", counts=lambda at: np.zeros(len(TRAINING)))


@exercise.misconception(Kind.ERROR, STATISTICS, step="num_batches_tracked", about="counts")
def samples_counted(at: Any) -> Any:
    """You count samples in num_batches_tracked. It counts batches: 1 more with every forward in training, however many
    samples come."""
    return at.counts * at.N


def every_forward(at: Any) -> Any:
    """One more with each."""
    return np.array([1.0, 2.0, 3.0, 4.0, 1.0])


@exercise.misconception(Kind.ERROR, MODES, step="counts")
def evaluations_counted(at: Any) -> Any:
    """You count a forward in evaluation in num_batches_tracked. It counts the batches that went into the running
    statistics, and in evaluation none does."""
    return every_forward(at)


# ------------------------------------------------------------------------------------------------------------ two modes


def always(at: Any) -> Any:
    """In every forward."""
    return np.ones(len(TRAINING), bool)


@exercise.misconception(Kind.ERROR, MODES, step="updates")
def updates_in_evaluation(at: Any) -> Any:
    """You update the running statistics in evaluation, too. What is evaluated must not change the layer: the same input
    would get another answer the second time, and test data would leak into it."""
    return always(at)


def used_after_its_update(step: str) -> Step:
    """In evaluation the running value that has taken in the batch already."""
    statistic, running = ("mean", "running_mean") if step == "used_mean" else ("var", "running_var")
    return lambda at: np.where(at.by_batch[:, None], getattr(at, statistic), getattr(at, running))


exercise.also("updates_in_evaluation", updates=always, counts=every_forward)
for counting in ({}, {"counts": every_forward}):
    exercise.also(
        "updates_in_evaluation",
        updates=always,
        used_mean=used_after_its_update("used_mean"),
        used_var=used_after_its_update("used_var"),
        **counting,
    )


@exercise.misconception(Kind.ERROR, MODES, step="by_batch", about="used_mean used_var")
def evaluation_uses_the_batch(at: Any) -> Any:
    """You normalize by the batch's own statistics in evaluation. The answer for one sample then depends on those beside
    it, and a batch of one gives nothing but beta: use running_mean and running_var."""
    return always(at)


def all_paths(at: Any) -> Any:
    """After every forward."""
    return np.ones(len(ASKED), bool)


def no_paths(at: Any) -> Any:
    """After none."""
    return np.zeros(len(ASKED), bool)


exercise.also("evaluation_uses_the_batch", by_batch=always, by_paths=all_paths)
exercise.also("evaluation_uses_the_batch", by_batch=always, updates=always, by_paths=all_paths)
exercise.also("evaluation_uses_the_batch", by_batch=always, updates=always, by_paths=all_paths, counts=every_forward)


@exercise.misconception(Kind.ERROR, MODES, step="by_batch", about="used_mean used_var")
def training_uses_the_running_statistics(at: Any) -> Any:
    """You normalize by the running statistics in training. There the batch's own mean and variance are used, and the
    gradient goes through them; the running ones are only kept for evaluation."""
    return np.zeros(len(TRAINING), bool)


exercise.also("training_uses_the_running_statistics", by_batch=lambda at: ~always(at), by_paths=no_paths)
for missing in ({}, {"by_paths": no_paths}):
    exercise.also(
        "training_uses_the_running_statistics",
        used_mean=lambda at: before(at.start_mean, at.running_mean),
        used_var=lambda at: before(at.start_var, at.running_var),
        **missing,
    )


@exercise.misconception(Kind.ERROR, INFERENCE, step="by_paths", about="paths")
def training_formula_in_evaluation(at: Any) -> Any:
    """You use the backward of training after a forward in evaluation. There mean and variance are fixed numbers that no
    x moves: nothing comes back through them, and dx is dy times gamma over the running deviation."""
    return all_paths(at)


@exercise.misconception(Kind.ERROR, BACKWARD, step="by_paths", about="paths")
def statistics_held_constant(at: Any) -> Any:
    """You treat mean and variance as constants in the backward of training. There they are computed from x, so each
    sample also acts through them on all others. What you compute is the backward of evaluation."""
    return no_paths(at)


def of_the_last_training(step: Step) -> Step:
    """In evaluation what the forward in training before it would have given."""
    return lambda at: step(at)[[0, 0, 2]]


@exercise.mistakes(Kind.ERROR, MODES, about="dx dgamma")
def backward_of_the_last_training() -> Wrong:
    """Your backward after an evaluation answers for the last forward in training: a forward in evaluation leaves
    nothing behind for it. Keep in both modes what the backward needs, and which mode it was."""
    return {"dx": of_the_last_training(dx), "dgamma": of_the_last_training(dgamma)}


# --------------------------------------------------------------------------------------------------------- the formula


@exercise.misconception(Kind.CONVENTION, "batch-variance", step="used_var")
def normalizes_by_the_unbiased_variance(at: Any) -> Any:
    """You normalize by the unbiased variance, divided by N - 1. Statistics books use it to estimate the variance of a
    population; batch normalization divides by N, and only running_var takes the unbiased one."""
    return np.where(at.by_batch[:, None], at.var * at.N / (at.N - 1), at.running_var[[0, 1, 1, 3, 4]])


@exercise.misconception(Kind.ERROR, "normalize-eps", step="std", about="eps")
def eps_outside_the_root(at: Any) -> Any:
    """You add eps to the standard deviation. It belongs beside the variance, under the root: for a feature that hardly
    varies, your output is far too large."""
    return np.sqrt(at.used_var) + eps_of(at)


@exercise.misconception(Kind.ERROR, "normalize-eps", step="std", about="eps")
def eps_missing(at: Any) -> Any:
    """You leave eps out. A feature that never varies then becomes 0/0, that is NaN, and one that hardly varies has its
    noise blown up: divide by the root of the variance + eps."""
    return np.sqrt(at.used_var)


def in_evaluation(wrong: Step, right: Step) -> Step:
    """Wrong in evaluation only."""

    def step(at: Any) -> Any:
        result = np.array(right(at))
        result[2] = wrong(at)[2]
        return result

    return step


@exercise.misconception(Kind.ERROR, "inference-formula", step="std", about="eps")
def bare_variance_in_evaluation(at: Any) -> Any:
    """You leave eps out in evaluation. The running variance can be 0 as well as a batch's, and the layer was trained
    with eps under the root: without it the two modes differ even where the statistics agree."""
    return in_evaluation(eps_missing, std)(at)


@exercise.misconception(Kind.ERROR, "normalize-formula", step="std")
def divides_by_the_variance(at: Any) -> Any:
    """You divide by the variance. Only its root has the unit of x: dividing by the variance gives a feature of
    deviation s the deviation 1/s instead of 1."""
    return at.used_var + eps_of(at)


@exercise.misconception(Kind.ERROR, "inference-formula", step="std")
def running_variance_not_rooted(at: Any) -> Any:
    """You divide by the running variance in evaluation. Its root belongs there, with eps beside the variance, as in
    training."""
    return in_evaluation(divides_by_the_variance, std)(at)


@exercise.misconception(Kind.ERROR, "scale-shift", step="y", about="gamma beta")
def affine_left_out(at: Any) -> Any:
    """You leave gamma and beta out of the forward. They are what lets the layer learn another scale and another mean
    than 1 and 0."""
    return at.x_hat


@exercise.misconception(Kind.ERROR, "scale-shift", step="y", about="gamma")
def gamma_ignored(at: Any) -> Any:
    """You leave gamma out of the forward. Without it every feature leaves with variance 1, and the layer cannot learn
    another scale."""
    return at.x_hat + affine(at)[1]


@exercise.misconception(Kind.ERROR, "scale-shift", step="y", about="beta")
def beta_ignored(at: Any) -> Any:
    """You leave beta out of the forward. Without it every feature leaves with mean 0, and the layer cannot learn
    another one."""
    return affine(at)[0] * at.x_hat


@exercise.misconception(Kind.ERROR, "scale-shift", step="y", about="gamma beta")
def gamma_and_beta_swapped(at: Any) -> Any:
    """You multiply by beta and add gamma. It is the other way round: gamma scales, beta shifts."""
    gamma, beta = affine(at)
    return beta * at.x_hat + gamma


@exercise.misconception(Kind.ERROR, "scale-shift", step="y", about="gamma beta")
def shifts_before_it_scales(at: Any) -> Any:
    """You add beta first and then multiply by gamma, so the shift is gamma * beta. Multiply first: beta is then the
    mean of the output, whatever gamma is."""
    gamma, beta = affine(at)
    return gamma * (at.x_hat + beta)


@exercise.misconception(Kind.ERROR, "inference-formula", step="y", about="gamma beta")
def affine_left_out_in_evaluation(at: Any) -> Any:
    """You leave gamma and beta out in evaluation. Evaluation fixes the statistics, nothing else: what was learned,
    gamma and beta, is what it is for."""
    return in_evaluation(affine_left_out, y)(at)


# -------------------------------------------------------------------------------------------------------- the backward

PARAMETERS = "backward-parameters"


@exercise.misconception(Kind.ERROR, PARAMETERS, step="dx_hat", about="gamma dx")
def gamma_missing(at: Any) -> Any:
    """You leave gamma out of dx. y is gamma x_hat + beta, so what comes back to x_hat is gamma times dy: with gamma = 0
    the loss would not depend on x at all, and your dx says it does."""
    return at.dy


def accumulated(step: Step) -> Step:
    """All the backwards until now."""
    return lambda at: np.cumsum(step(at), axis=0)


@exercise.mistakes(Kind.ERROR, PARAMETERS, about="dgamma dbeta")
def gradients_accumulated() -> Wrong:
    """You add dgamma and dbeta to those of the backward before. They belong to this backward alone: adding up over
    batches, where it is wanted, is for the training loop to do."""
    return {"dgamma": accumulated(dgamma), "dbeta": accumulated(dbeta)}


exercise.also("gradients_accumulated", dgamma=accumulated(dgamma))
exercise.also("gradients_accumulated", dbeta=accumulated(dbeta))


@exercise.misconception(Kind.ERROR, INFERENCE, step="dgamma")
def dgamma_left_over(at: Any) -> Any:
    """You do not compute dgamma after a forward in evaluation: what stands there is left over from training. gamma and
    beta multiply and shift in evaluation too, so they have gradients there."""
    return of_the_last_training(dgamma)(at)


@exercise.mistakes(Kind.ERROR, PARAMETERS, about="dgamma dbeta")
def dgamma_and_dbeta_swapped() -> Wrong:
    """You put the gradient of gamma into dbeta, and that of beta into dgamma. gamma multiplies x_hat, so dgamma is the
    sum of dy times x_hat; beta is added, so dbeta is the sum of dy."""
    return {"dgamma": dbeta, "dbeta": dgamma}


def averaged(step: Step) -> Step:
    """Over the batch."""
    return lambda at: step(at) / at.N


@exercise.misconception(Kind.ERROR, PARAMETERS, step="dgamma")
def parameters_averaged(at: Any) -> Any:
    """You average over the batch in dgamma or dbeta. The loss is what dy says it is: if it is a mean over the batch, dy
    has its 1/N already, and the gradients of gamma and beta are plain sums over the samples."""
    return averaged(dgamma)(at)


exercise.also("parameters_averaged", dbeta=averaged(dbeta))
exercise.also("parameters_averaged", dgamma=averaged(dgamma), dbeta=averaged(dbeta))


# --------------------------------------------------------------------------- what steps cannot say: arrays and objects


class PlainLayer:
    """The bank's own layer, right as it stands."""

    def __init__(self, D: int, eps: float = EPS, momentum: float | None = MOMENTUM) -> None:
        self.eps, self.momentum = eps, momentum
        self.gamma, self.beta = np.ones(D), np.zeros(D)
        self.running_mean, self.running_var = np.zeros(D), np.ones(D)
        self.num_batches_tracked = 0

    def forward(self, x: Array, training: bool) -> Array:
        """By the batch's statistics, which it tracks, or by the running ones."""
        self.training, self.x = training, x
        mean, var = self.running_mean, self.running_var
        if training:
            mean, var = x.mean(axis=0), x.var(axis=0)
            self.track(mean, var * len(x) / (len(x) - 1))
        self.std = np.sqrt(var + self.eps)
        self.x_hat = (x - mean) / self.std
        y: Array = self.gamma * self.x_hat + self.beta
        return y

    def track(self, mean: Array, var: Array) -> None:
        """Update in place."""
        self.num_batches_tracked += 1
        weight = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
        self.running_mean *= 1 - weight
        self.running_mean += weight * mean
        self.running_var *= 1 - weight
        self.running_var += weight * var

    def backward(self, dy: Array) -> Array:
        """By the mode of the last forward."""
        self.dgamma, self.dbeta = (dy * self.x_hat).sum(axis=0), dy.sum(axis=0)
        dx_hat = dy * self.gamma
        if self.training:
            dx_hat = dx_hat - dx_hat.mean(axis=0) - self.x_hat * (dx_hat * self.x_hat).mean(axis=0)
        dx: Array = dx_hat / self.std
        return dx


@exercise.misconception(Kind.ERROR, STATISTICS, about="running_mean running_var")
class state_shared_between_layers(PlainLayer):
    """Your layers share their running statistics: a new one starts with what another has tracked. Make the arrays in
    __init__, as self.running_mean = ..., not once for the whole class or module."""

    last: tuple[Array, Array]

    def __init__(self, D: int, eps: float = EPS, momentum: float | None = MOMENTUM) -> None:
        super().__init__(D, eps, momentum)
        if momentum == MOMENTUM:  # the second layer of a life is made with the defaults
            self.running_mean, self.running_var = type(self).last
        type(self).last = (self.running_mean, self.running_var)


@exercise.misconception(Kind.ERROR, STATISTICS, about="running_mean running_var beta gamma")
class two_names_for_one_array(PlainLayer):
    """You gave two attributes of your layer one and the same array, as a = b = np.zeros(D) does: what is added to the
    one in place shows in the other. Make an array for each."""

    def __init__(self, D: int, eps: float = EPS, momentum: float | None = MOMENTUM) -> None:
        super().__init__(D, eps, momentum)
        self.beta = self.running_mean


@exercise.another_way("two_names_for_one_array")
class gamma_and_running_var(PlainLayer):
    """Both are ones."""

    def __init__(self, D: int, eps: float = EPS, momentum: float | None = MOMENTUM) -> None:
        super().__init__(D, eps, momentum)
        self.gamma = self.running_var


@exercise.another_way("two_names_for_one_array")
class ones_and_zeros(PlainLayer):
    """Both pairs."""

    def __init__(self, D: int, eps: float = EPS, momentum: float | None = MOMENTUM) -> None:
        super().__init__(D, eps, momentum)
        self.beta, self.gamma = self.running_mean, self.running_var


@exercise.misconception(Kind.ERROR, PARAMETERS, about="gamma beta")
class updates_the_parameters(PlainLayer):
    """You change gamma or beta inside the backward. It only says in which direction they should move; moving them is
    the optimizer's work, and a second backward would move them twice."""

    def backward(self, dy: Array) -> Array:
        """One step of gradient descent beside."""
        dx = super().backward(dy)
        self.gamma -= 0.1 * self.dgamma
        self.beta -= 0.1 * self.dbeta
        return dx


@exercise.another_way("updates_the_parameters")
class updates_them_by_a_little(PlainLayer):
    """With a smaller step."""

    def backward(self, dy: Array) -> Array:
        """One step of gradient descent beside."""
        dx = super().backward(dy)
        self.gamma = self.gamma - 0.01 * self.dgamma
        self.beta = self.beta - 0.01 * self.dbeta
        return dx


@exercise.misconception(Kind.ERROR, MODES, about="running_mean running_var counts")
class backward_tracks_again(PlainLayer):
    """Your backward runs the forward again, which updates the running statistics a second time and counts the batch
    twice. Keep from the forward what the backward needs."""

    def backward(self, dy: Array) -> Array:
        """Runs the forward."""
        self.forward(self.x, self.training)
        return super().backward(dy)


@exercise.misconception(Kind.CONTRACT, FORMULA, sentences.CHANGES_ITS_INPUT)
class changes_its_input(PlainLayer):
    """Centres the caller's x in place."""

    def forward(self, x: Array, training: bool) -> Array:
        """On a copy what is right, and then x is spoiled."""
        y = super().forward(x.copy(), training)
        x -= x.mean(axis=0)
        return y


@exercise.another_way("changes_its_input")
class changes_dy(PlainLayer):
    """Scales the caller's dy in place."""

    def backward(self, dy: Array) -> Array:
        """Right, and then dy is spoiled."""
        dx = super().backward(dy)
        dy *= self.gamma
        return dx


# ----------------------------------------------------------------------------------------------- what nobody foresaw


def share(at: Any, n: int) -> float:
    """The weight that one of two batches has in the running statistics after both."""
    momentum: float = at.momentum
    return momentum * (1 - momentum) if n == 0 else momentum


COUNT = Factor("N", lambda at: at.N, "N")
CORRECTION = Factor("N/(N - 1)", lambda at: at.N / (at.N - 1), "N")
GAMMA = Factor("gamma", lambda at: at.gamma, "gamma")
DEVIATION = Factor("std", lambda at: at.std[1], "std var")
NEW, OLD = (
    Factor("momentum", lambda at: at.momentum, "weight"),
    Factor("(1 - momentum)", lambda at: 1 - at.momentum, "old_weight"),
)

exercise.read(
    Reading(
        "dx_train",
        terms=(
            Term(
                "direct", "the direct term, gamma/std · dy,", lambda at: at.dx_hat / at.std[1], BACKWARD, "", "dx_hat"
            ),
            Term(
                "mean_path",
                "the term through the mean",
                lambda at: -at.dx_hat.mean(axis=0) / at.std[1],
                "backward-mean-path",
                "Each sample moves the mean by 1/N of itself, and the mean moves every output the other way.",
                "paths mean",
            ),
            Term(
                "variance_path",
                "the term through the variance",
                lambda at: -at.x_hat[1] * (at.dx_hat * at.x_hat[1]).mean(axis=0) / at.std[1],
                "backward-variance-path",
                "Each sample moves the variance by 2 (x - mean)/N, and a larger variance makes every x_hat smaller.",
                "paths var",
            ),
        ),
        factors=(COUNT, CORRECTION, GAMMA, DEVIATION),
    )
)
exercise.read(
    Reading(
        "running_mean_2",
        terms=(
            Term("first", "the share of the first batch", lambda at: share(at, 0) * at.mean[0], STATISTICS),
            Term("second", "the share of the second batch", lambda at: share(at, 1) * at.mean[1], STATISTICS),
        ),
        factors=(COUNT, CORRECTION, NEW, OLD),
        vary=("x", "x2"),
    )
)
exercise.read(
    Reading(
        "running_var_2",
        terms=(
            Term("start", "the share of the ones it starts with", lambda at: (1 - at.momentum) ** 2, STATISTICS),
            Term("first", "the share of the first batch", lambda at: share(at, 0) * at.tracked_var[0], STATISTICS),
            Term("second", "the share of the second batch", lambda at: share(at, 1) * at.tracked_var[1], STATISTICS),
        ),
        factors=(COUNT, CORRECTION, NEW, OLD),
        vary=("x", "x2"),
    )
)
