"""How are the constructor and the running statistics got wrong?"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ...answers import Array
from ...chain import Step, Wrong
from ...exercise import Kind
from ...inputs import EPS, OTHER_EPS
from .asked import CONVENTIONS, MODES, MOMENTUM, STATISTICS, TRAINING
from .asked import batchnorm_layer as exercise
from .steps import affine, eps_of, weights

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


def the_other_way_round_without_none(at: Any) -> Any:
    """The same, where None was not thought of."""
    return weights(at, lambda momentum: 1.0 - momentum, lambda count: 1.0 - MOMENTUM)


def the_other_way_round_with_none(at: Any) -> Any:
    """One rule for both: what stands for momentum, be it 1 / t, weighs the old value."""
    return weights(at, lambda momentum: 1.0 - momentum, lambda count: 1.0 - 1.0 / max(count, 1.0))


exercise.another_way("momentum_weighs_the_old", step="weight")(the_other_way_round_without_none)
exercise.another_way("momentum_weighs_the_old", step="weight")(the_other_way_round_with_none)
for reversed_weight in (the_other_way_round, the_other_way_round_without_none):
    for default in (0.99, 0.9):
        exercise.also("momentum_weighs_the_old", weight=reversed_weight, default_momentum=constant(default))


@exercise.misconception(Kind.ERROR, CONVENTIONS, step="weight", about="weight old_weight")
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
    return np.zeros(len(TRAINING), int)


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
