"""The assignment `convolution`: batch normalization of images, where a channel is a feature."""

from .batchnorm2d_forward import batchnorm2d_forward
from .batchnorm2d_inference import batchnorm2d_inference
from .fold_conv2d import fold_conv2d
from .update_running_stats2d import update_running_stats2d

EXERCISES = (batchnorm2d_forward, batchnorm2d_inference, update_running_stats2d, fold_conv2d)
