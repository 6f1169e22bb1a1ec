"""The assignment `variants`: layer, instance, group and RMS normalization, forward and backward."""

from .groupnorm_backward import groupnorm_backward
from .groupnorm_forward import groupnorm_forward
from .instancenorm_backward import instancenorm_backward
from .instancenorm_forward import instancenorm_forward
from .layernorm_backward import layernorm_backward
from .layernorm_forward import layernorm_forward
from .rmsnorm_backward import rmsnorm_backward
from .rmsnorm_forward import rmsnorm_forward

EXERCISES = (
    layernorm_forward,
    layernorm_backward,
    instancenorm_forward,
    instancenorm_backward,
    groupnorm_forward,
    groupnorm_backward,
    rmsnorm_forward,
    rmsnorm_backward,
)
