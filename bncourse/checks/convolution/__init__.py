"""The assignment `convolution`: batch normalization of images, where a channel is a feature.

Eight exercises, 82 points; the other 18 are for a written answer and the transfer exercise. The points stand in the
decorators of the properties. The weights are a teacher's: the idea, one statistic a channel over all pixels of all
images, carries most; eps in the wrong place costs less than a third, a changed input at most a quarter, the convention
of another library at most a tenth.

Most mistakes are those of the dense layer, since a channel is a feature and a pixel one more sample: ``channels`` takes
them over. What is new is which axes are averaged over, that N·H·W is their number, how one value a channel meets four
axes, how rows of pixels are made and put back, and, on several devices, whose numbers go into the statistics and into
the gradients.

``inputs`` has the problems and the error analysis, ``devices`` those of several devices; every exercise has a module of
its name.
"""

from .batchnorm2d_backward import batchnorm2d_backward
from .batchnorm2d_forward import batchnorm2d_forward
from .batchnorm2d_inference import batchnorm2d_inference
from .channel_statistics import channel_statistics
from .fold_conv2d import fold_conv2d
from .syncbn_backward import syncbn_backward
from .syncbn_forward import syncbn_forward
from .update_running_stats2d import update_running_stats2d

EXERCISES = (
    channel_statistics,
    batchnorm2d_forward,
    batchnorm2d_backward,
    update_running_stats2d,
    batchnorm2d_inference,
    fold_conv2d,
    syncbn_forward,
    syncbn_backward,
)

__all__ = [
    "EXERCISES",
    "batchnorm2d_backward",
    "batchnorm2d_forward",
    "batchnorm2d_inference",
    "channel_statistics",
    "fold_conv2d",
    "syncbn_backward",
    "syncbn_forward",
    "update_running_stats2d",
]
