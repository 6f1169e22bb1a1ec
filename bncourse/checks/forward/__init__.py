"""The assignment `forward`: from the mean of a batch to the whole layer in training.

Six exercises, 78 points; the transfer exercise and the answer marked by hand bring them to 100. The points stand in the
decorators of the properties, and the cells of the notebook carry their sums (a test compares). The weights are a
teacher's: the idea carries most of an exercise's points; ε in the wrong place costs less than a third, a changed input
at most a quarter, the convention of another library at most a tenth (a test holds these bounds).

The idea is asked for *roughly* (1 %) on 400 rows, where neither ε = 1e-5 nor N - 1 shows; what these change is asked
for in a property of its own.

``inputs`` has the problems and the error analysis, ``sentences`` what several exercises say, and every exercise has a
module of its name.
"""

from .batch_mean import batch_mean
from .batch_variance import batch_variance
from .batchnorm_forward import batchnorm_forward
from .identity_parameters import identity_parameters
from .normalize import normalize
from .scale_shift import scale_shift

EXERCISES = (batch_mean, batch_variance, normalize, scale_shift, batchnorm_forward, identity_parameters)

__all__ = [
    "EXERCISES",
    "batch_mean",
    "batch_variance",
    "batchnorm_forward",
    "identity_parameters",
    "normalize",
    "scale_shift",
]
