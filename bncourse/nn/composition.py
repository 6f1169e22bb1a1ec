"""How do layers become a network?"""

from numpy.typing import ArrayLike

from ..functional._arrays import Array
from .layers import Layer, Parameter


class Sequential(Layer):
    """One layer after the other.

    >>> import numpy as np
    >>> from bncourse.nn import Linear, ReLU
    >>> rng = np.random.default_rng(0)
    >>> net = Sequential(Linear(4, 8, rng), ReLU(), Linear(8, 3, rng))
    >>> net.forward(np.ones((5, 4)), training=True).shape, len(net.parameters())
    ((5, 3), 4)
    """

    def __init__(self, *layers: Layer) -> None:
        self.layers = layers

    def outputs(self, x: ArrayLike, training: bool) -> list[Array]:
        """What every layer gives, from the first to the last: a look inside the network."""
        found: list[Array] = []
        for layer in self.layers:
            found.append(layer.forward(found[-1] if found else x, training))
        return found

    def gradients(self, dy: ArrayLike) -> list[Array]:
        """∂L/∂(input of each layer), from the first to the last, and at the end dy itself."""
        found: list[Array] = [dy]  # type: ignore[list-item]
        for layer in reversed(self.layers):
            found.append(layer.backward(found[-1]))
        return found[::-1]

    def forward(self, x: ArrayLike, training: bool) -> Array:
        """What the last layer gives."""
        return self.outputs(x, training)[-1]

    def backward(self, dy: ArrayLike) -> Array:
        """∂L/∂x."""
        return self.gradients(dy)[0]

    def parameters(self) -> list[Parameter]:
        """Those of all layers, in order."""
        return [parameter for layer in self.layers for parameter in layer.parameters()]


class Residual(Sequential):
    """y = x + f(x), where f is a sequence of layers that keeps the shape (He et al. 2015, "Deep Residual Learning").

    >>> import numpy as np
    >>> from bncourse.nn import ReLU
    >>> Residual(ReLU()).forward(np.array([[-1.0, 2.0]]), training=True)
    array([[-1.,  4.]])
    """

    def forward(self, x: ArrayLike, training: bool) -> Array:
        """The input, and what the layers make of it, added."""
        y: Array = x + super().forward(x, training)
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """∂L/∂x: the gradient goes both ways."""
        dx: Array = dy + super().backward(dy)
        return dx
