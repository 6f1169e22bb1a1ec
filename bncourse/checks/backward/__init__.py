"""The assignment `backward`: from the gradients of the parameters to those of the whole layer.

The points stand in the decorators of the properties. The weights are a teacher's: in dx the idea, that x acts on three
paths, carries most; ε left out of the backward or N - 1 for N cost less than a quarter; dgamma and dbeta count by
themselves.
"""

from .batchnorm_backward import batchnorm_backward
from .batchnorm_backward_graph import batchnorm_backward_graph
from .batchnorm_inference_backward import batchnorm_inference_backward
from .bugs import BUGS
from .factor_along import factor_along
from .normalize_backward import normalize_backward
from .numerical_gradient import numerical_gradient
from .scale_shift_backward import scale_shift_backward

EXERCISES = (
    scale_shift_backward,
    normalize_backward,
    batchnorm_backward_graph,
    batchnorm_backward,
    factor_along,
    numerical_gradient,
    batchnorm_inference_backward,
    *BUGS,
)
