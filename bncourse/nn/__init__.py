"""Networks small enough to read in one sitting: what the experiments and assignments train. NumPy only.

``layers``         what a layer is; linear, convolution, the activations
``normalization``  batch normalization with its state; layer, instance, group and RMS normalization
``composition``    layers in sequence, and around a residual connection
``training``       loss, optimizer, the loop

All layers keep to the same rules: ``forward(x, training)`` remembers what ``backward(dy)`` needs, which gives ∂L/∂x and
leaves ∂L/∂parameter beside each parameter: the gradient of ``weight`` is ``dweight``. Gradients are those of the last
forward and are never added up.
"""

from .composition import Residual, Sequential
from .layers import Conv2d, Flatten, Layer, Linear, Parameter, ReLU, Sigmoid, Tanh
from .normalization import BatchNorm, BatchNorm2d, GroupNorm, InstanceNorm, LayerNorm, RMSNorm
from .training import SGD, accuracy, batches, fit, predict, softmax_cross_entropy

__all__ = [
    "SGD",
    "BatchNorm",
    "BatchNorm2d",
    "Conv2d",
    "Flatten",
    "GroupNorm",
    "InstanceNorm",
    "Layer",
    "LayerNorm",
    "Linear",
    "Parameter",
    "RMSNorm",
    "ReLU",
    "Residual",
    "Sequential",
    "Sigmoid",
    "Tanh",
    "accuracy",
    "batches",
    "fit",
    "predict",
    "softmax_cross_entropy",
]
