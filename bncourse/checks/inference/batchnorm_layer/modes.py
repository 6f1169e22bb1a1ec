"""How are the two modes, the formula and the backward got wrong?"""

from typing import Any

import numpy as np

from ...chain import Step, Wrong
from ...exercise import Kind
from .asked import ASKED, BACKWARD, INFERENCE, MODES, PARAMETERS, TRAINING
from .asked import batchnorm_layer as exercise
from .statistics import before, every_forward
from .steps import affine, dbeta, dgamma, dx, eps_of, std, y

# ------------------------------------------------------------------------------------------------------------ two modes


def always(at: Any) -> Any:
    """In every forward."""
    return np.ones(len(TRAINING), int)


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
    return np.ones(len(ASKED), int)


def no_paths(at: Any) -> Any:
    """After none."""
    return np.zeros(len(ASKED), int)


exercise.also("evaluation_uses_the_batch", by_batch=always, by_paths=all_paths)
exercise.also("evaluation_uses_the_batch", by_batch=always, updates=always, by_paths=all_paths)
exercise.also("evaluation_uses_the_batch", by_batch=always, updates=always, by_paths=all_paths, counts=every_forward)


@exercise.misconception(Kind.ERROR, MODES, step="by_batch", about="used_mean used_var")
def training_uses_the_running_statistics(at: Any) -> Any:
    """You normalize by the running statistics in training. There the batch's own mean and variance are used, and the
    gradient goes through them; the running ones are only kept for evaluation."""
    return np.zeros(len(TRAINING), int)


exercise.also("training_uses_the_running_statistics", by_batch=lambda at: 0 * always(at), by_paths=no_paths)
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


@exercise.misconception(Kind.ERROR, "normalize-eps", step="dx", about="std")
def std_kept_without_eps(at: Any) -> Any:
    """Your forward divides with eps, your backward without. It has to divide by the same number: leave in std the root
    of the variance *plus eps*, all that the forward divided by."""
    return (at.dx_hat + at.paths) / np.sqrt(at.used_var[list(ASKED)])[:, None]


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
