"""The assignment `inference`: from the statistics of a batch to fixed ones, and into the layer before.

Four exercises, 84 points: `update_running_stats` 24, `merge_statistics`, `batchnorm_inference` and `fold_linear` 20
each. The points stand in the decorators of the properties. The weights are a teacher's: the idea carries most; the
weight of the old value for that of the new, or N for N - 1 in the running variance, are conventions and cost a tenth
at most; eps less than a third.

What is a convention must not show where the idea is asked: momentum is taken either way round there, and N - 1 and eps
disappear in 400 rows, or in shards of some hundred samples.

``inputs`` has the problems and the error analysis, and every exercise has a module of its name.
"""

from .batchnorm_inference import batchnorm_inference
from .batchnorm_layer import batchnorm_layer
from .fold_linear import fold_linear
from .merge_statistics import merge_statistics
from .update_running_stats import update_running_stats

EXERCISES = (update_running_stats, merge_statistics, batchnorm_inference, batchnorm_layer, fold_linear)

__all__ = [
    "EXERCISES",
    "batchnorm_inference",
    "batchnorm_layer",
    "fold_linear",
    "merge_statistics",
    "update_running_stats",
]
