"""The assignment `inference`: from the statistics of a batch to fixed ones, and into the layer before.

Ten exercises, 81 points. The points stand in the decorators of the properties. The weights are a teacher's: the idea
carries most; the weight of the old value for that of the new, or N for N - 1 in the running variance, are conventions
and cost a tenth at most (but in `update_running_stats_keras`, which asks for nothing else); eps less than a third.

What is a convention must not show where the idea is asked: momentum is taken either way round there, and N - 1 and eps
disappear in 400 rows, or in shards of some hundred samples.

``inputs`` has the problems and the error analysis, ``choosing`` what is asked where the answer is a name, and every
exercise has a module of its name; `BatchNorm` is in ``batchnorm_layer``.
"""

from .batchnorm_inference import batchnorm_inference
from .batchnorm_layer import batchnorm_layer
from .find_the_bug import find_the_bug
from .fold_into_next_linear import fold_into_next_linear
from .fold_linear import fold_linear
from .merge_statistics import merge_statistics
from .padding_value import padding_value
from .read_the_curves import read_the_curves
from .update_running_stats import update_running_stats
from .update_running_stats_keras import update_running_stats_keras

EXERCISES = (
    update_running_stats,
    update_running_stats_keras,
    merge_statistics,
    batchnorm_inference,
    batchnorm_layer,
    read_the_curves,
    find_the_bug,
    fold_linear,
    fold_into_next_linear,
    padding_value,
)

__all__ = [
    "EXERCISES",
    "batchnorm_inference",
    "batchnorm_layer",
    "find_the_bug",
    "fold_into_next_linear",
    "fold_linear",
    "merge_statistics",
    "padding_value",
    "read_the_curves",
    "update_running_stats",
    "update_running_stats_keras",
]
