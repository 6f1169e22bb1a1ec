"""What can be read from a layer whose mistake nobody foresaw?"""

from typing import Any

from ...reading import Factor, Reading, Term
from .asked import BACKWARD, STATISTICS
from .asked import batchnorm_layer as exercise


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
                "direct",
                "the direct term, gamma/std · dy,",
                lambda at: at.dx_hat / at.std[1],
                BACKWARD,
                "",
                "dx_hat paths",
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
        rows=4,
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
        rows=4,
    )
)
