"""The assignment `variants`: layer, instance, group and RMS normalization, forward and backward.

And what they have in common: one norm by two sets of axes, and batch normalization that skips what is not there. Ten
exercises, 80 points; ten more are for the written answer, ten for the transfer exercise. The points stand in the
decorators of the properties. The weights are a teacher's: what shares a mean carries most of a forward; in a backward
the paths of dx do, with gamma inside their sums, while dgamma and dbeta count by themselves; eps in the wrong place
costs less than a third, another default or D - 1 at most a tenth.

``inputs`` has the problems and the error analysis, ``sums`` what each norm sums over. Since the norms share their
formula, ``statistics`` has the steps and mistakes of their forwards, ``gradients`` those of their backwards, each in
the words of the norm; what belongs to one norm alone is in the module of its exercise.
"""

from .batchnorm_masked import batchnorm_masked
from .groupnorm_backward import groupnorm_backward
from .groupnorm_forward import groupnorm_forward
from .instancenorm_backward import instancenorm_backward
from .instancenorm_forward import instancenorm_forward
from .layernorm_backward import layernorm_backward
from .layernorm_forward import layernorm_forward
from .normalize_over import normalize_over
from .rmsnorm_backward import rmsnorm_backward
from .rmsnorm_forward import rmsnorm_forward

EXERCISES = (
    layernorm_forward,
    layernorm_backward,
    instancenorm_forward,
    instancenorm_backward,
    groupnorm_forward,
    groupnorm_backward,
    normalize_over,
    rmsnorm_forward,
    rmsnorm_backward,
    batchnorm_masked,
)
