"""The assignment `convolution`: batch normalization of images, where a channel is a feature.

Five exercises, 95 points. The points stand in the decorators of the properties. The weights are a teacher's: the idea,
one statistic a channel over all pixels of all images, carries most; eps in the wrong place costs less than a third, a
changed input at most a quarter, the convention of another library at most a tenth.

Most mistakes are those of the dense layer, since a channel is a feature and a pixel one more sample: ``channels`` takes
them over. What is new is which axes are averaged over, that N·H·W is their number, how one value a channel meets four
axes, and how rows of pixels are made and put back.

``inputs`` has the problems and the error analysis, and every exercise has a module of its name.
"""

from .batchnorm2d_backward import batchnorm2d_backward
from .batchnorm2d_forward import batchnorm2d_forward
from .batchnorm2d_inference import batchnorm2d_inference
from .fold_conv2d import fold_conv2d
from .update_running_stats2d import update_running_stats2d

EXERCISES = (
    batchnorm2d_forward,
    batchnorm2d_backward,
    batchnorm2d_inference,
    update_running_stats2d,
    fold_conv2d,
)

__all__ = [
    "EXERCISES",
    "batchnorm2d_backward",
    "batchnorm2d_forward",
    "batchnorm2d_inference",
    "fold_conv2d",
    "update_running_stats2d",
]
