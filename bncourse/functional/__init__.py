"""The mathematics of the course: each function the book derives, beside its equation. NumPy only.

``statistics``   mean and variance of a batch, of many batches, of shards
``forward``      batch normalization in training, step by step
``inference``    with fixed statistics; folded into the layer before
``backward``     the gradients, node by node and in closed form
``convolution``  the same for images
``synchronized`` the same on several devices
``variants``     layer, instance, group and RMS normalization
``numerical``    the central difference

All keep to the same rules: inputs are never changed and results share no memory with
them; float32 stays float32, complex passes through holomorphically, integers become
float64; what cannot be computed raises ``ValueError`` or ``TypeError`` with the shapes
that were given.
"""

from .backward import (
    batchnorm_backward,
    batchnorm_backward_graph,
    normalize_backward,
    scale_shift_backward,
)
from .convolution import batchnorm2d_backward, batchnorm2d_forward, channel_statistics
from .forward import (
    Cache,
    batchnorm_forward,
    identity_parameters,
    normalize,
    scale_shift,
)
from .inference import (
    batchnorm2d_inference,
    batchnorm_inference,
    batchnorm_inference_backward,
    fold_conv2d,
    fold_linear,
)
from .numerical import numerical_gradient
from .statistics import (
    batch_mean,
    batch_variance,
    merge_statistics,
    update_running_stats,
    update_running_stats2d,
)
from .synchronized import syncbn_backward, syncbn_forward
from .variants import (
    RMSCache,
    groupnorm_backward,
    groupnorm_forward,
    instancenorm_backward,
    instancenorm_forward,
    layernorm_backward,
    layernorm_forward,
    rmsnorm_backward,
    rmsnorm_forward,
)

__all__ = [
    "Cache",
    "RMSCache",
    "batch_mean",
    "batch_variance",
    "batchnorm2d_backward",
    "batchnorm2d_forward",
    "batchnorm2d_inference",
    "batchnorm_backward",
    "batchnorm_backward_graph",
    "batchnorm_forward",
    "batchnorm_inference",
    "batchnorm_inference_backward",
    "channel_statistics",
    "fold_conv2d",
    "fold_linear",
    "groupnorm_backward",
    "groupnorm_forward",
    "identity_parameters",
    "instancenorm_backward",
    "instancenorm_forward",
    "layernorm_backward",
    "layernorm_forward",
    "merge_statistics",
    "normalize",
    "normalize_backward",
    "numerical_gradient",
    "rmsnorm_backward",
    "rmsnorm_forward",
    "scale_shift",
    "scale_shift_backward",
    "syncbn_backward",
    "syncbn_forward",
    "update_running_stats",
    "update_running_stats2d",
]
