"""What is a layer? Something that maps forward, remembers, and maps a gradient back."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from ..functional._arrays import Array


@dataclass(frozen=True)
class Parameter:
    """One trainable array of a layer, by its name: ``weight``, and its gradient ``dweight`` beside it.

    >>> layer = Linear(2, 1, np.random.default_rng(0))
    >>> [parameter.name for parameter in layer.parameters()]
    ['weight', 'bias']
    """

    layer: Any
    name: str

    @property
    def value(self) -> Array:
        """The array itself; to change it changes the layer."""
        array: Array = getattr(self.layer, self.name)
        return array

    @property
    def gradient(self) -> Array:
        """∂L/∂value of the last backward."""
        array: Array = getattr(self.layer, f"d{self.name}")
        return array


class Layer:
    """What every layer offers; ``trainable`` names its parameters."""

    trainable: tuple[str, ...] = ()
    _last: Any = None

    def forward(self, x: ArrayLike, training: bool) -> Array:
        """The layer's output."""
        raise NotImplementedError

    def backward(self, dy: ArrayLike) -> Array:
        """∂L/∂x for the last forward; leaves the parameters' gradients."""
        raise NotImplementedError

    def parameters(self) -> list[Parameter]:
        """What an optimizer may change."""
        return [Parameter(self, name) for name in self.trainable]

    def remembered(self) -> Any:
        """What the last forward kept. Raises ``RuntimeError`` before the first one."""
        if self._last is None:
            raise RuntimeError("backward needs a forward first")
        return self._last


def normal_weights(shape: tuple[int, ...], fan_in: int, gain: float, rng: np.random.Generator) -> Array:
    r"""Weights of standard deviation :math:`\text{gain} / \sqrt{\text{fan in}}`."""
    return rng.normal(0.0, gain / np.sqrt(fan_in), shape)


class Linear(Layer):
    r"""y = x Wᵀ + b.

    x: (N, in_features), weight: (out_features, in_features), bias: (out_features,) of zeros, or None without one.
    Weights are normal with deviation gain / √in_features: √2 (He et al. 2015) keeps the signal's size before a ReLU, 1
    before tanh.

    .. math:: \frac{\partial L}{\partial W} = dy^\top x, \qquad \frac{\partial L}{\partial b} = \sum_n dy_n, \qquad
        \frac{\partial L}{\partial x} = dy\, W

    >>> layer = Linear(2, 1, np.random.default_rng(0))
    >>> layer.weight[...], layer.bias[...] = [[1.0, 2.0]], 3.0
    >>> layer.forward(np.array([[10.0, 20.0]]), training=True)
    array([[53.]])
    >>> layer.backward(np.array([[1.0]])), layer.dweight
    (array([[1., 2.]]), array([[10., 20.]]))
    """

    def __init__(
        self, in_features: int, out_features: int, rng: np.random.Generator, *, bias: bool = True, gain: float = 2**0.5
    ) -> None:
        self.weight = normal_weights((out_features, in_features), in_features, gain, rng)
        self.bias: Array | None = np.zeros(out_features) if bias else None
        self.dweight = np.zeros_like(self.weight)
        self.dbias = np.zeros(out_features)
        self.trainable = ("weight", "bias") if bias else ("weight",)

    def forward(self, x: ArrayLike, training: bool) -> Array:
        """(N, in_features) -> (N, out_features), the same in both modes."""
        self._last = x = np.array(x)  # its own: the caller may fill that array with the next batch
        y = x @ self.weight.T
        return y if self.bias is None else y + self.bias

    def backward(self, dy: ArrayLike) -> Array:
        """∂L/∂x (N, in_features)."""
        dy = np.asarray(dy)
        self.dweight = dy.T @ self.remembered()
        if self.bias is not None:
            self.dbias = dy.sum(axis=0)
        return dy @ self.weight


class ReLU(Layer):
    """max(x, 0), whose slope at 0 is taken as 0.

    >>> ReLU().forward(np.array([-1.0, 2.0]), training=True)
    array([0., 2.])
    """

    def forward(self, x: ArrayLike, training: bool) -> Array:
        """Any shape. The sign is that of the real part, so the complex step passes through; nan stays nan."""
        x = np.asarray(x)
        self._last = ~(x.real <= 0)
        return np.where(self._last, x, 0.0)

    def backward(self, dy: ArrayLike) -> Array:
        """∂L/∂x: dy where x was positive."""
        positive: Array = self.remembered()
        return np.asarray(dy) * positive


class Tanh(Layer):
    """tanh(x), with slope 1 - y².

    >>> Tanh().forward(np.array([0.0]), training=True)
    array([0.])
    """

    def forward(self, x: ArrayLike, training: bool) -> Array:
        """Any shape."""
        y: Array = np.tanh(np.asarray(x))
        self._last = y
        return y.copy()

    def backward(self, dy: ArrayLike) -> Array:
        """∂L/∂x."""
        y: Array = self.remembered()
        dx: Array = np.asarray(dy) * (1 - y * y)
        return dx


class Sigmoid(Layer):
    r"""1/(1 + e⁻ˣ), with slope y (1 - y).

    Computed as (1 + tanh(x/2))/2, the same function without an overflow.

    >>> Sigmoid().forward(np.array([0.0, -1000.0]), training=True)
    array([0.5, 0. ])
    """

    def forward(self, x: ArrayLike, training: bool) -> Array:
        """Any shape."""
        y: Array = 0.5 + 0.5 * np.tanh(0.5 * np.asarray(x))
        self._last = y
        return y.copy()

    def backward(self, dy: ArrayLike) -> Array:
        """∂L/∂x."""
        y: Array = self.remembered()
        dx: Array = np.asarray(dy) * (y * (1 - y))
        return dx


class Flatten(Layer):
    """(N, C, H, W) -> (N, C·H·W): from images to what a linear layer takes."""

    def forward(self, x: ArrayLike, training: bool) -> Array:
        """Keeps the first axis."""
        x = np.asarray(x)
        self._last = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy: ArrayLike) -> Array:
        """∂L/∂x, in the shape of x."""
        return np.asarray(dy).reshape(self.remembered())


class Conv2d(Layer):
    r"""Cross-correlation of images with learned kernels, as every framework's convolution.

    .. math:: y_{nohw} = b_o + \sum_{c,i,j} w_{ocij}\, x_{n,c,\,h s + i - p,\,w s + j - p}

    x: (N, in_channels, H, W), weight: (out_channels, in_channels, kernel, kernel), bias: (out_channels,) of zeros or
    None; padding p with zeros (kernel // 2 keeps the size of an odd kernel), stride s.

    >>> layer = Conv2d(1, 1, np.random.default_rng(0))
    >>> layer.weight[...] = 1.0
    >>> layer.forward(np.ones((1, 1, 2, 2)), training=True)
    array([[[[4., 4.],
             [4., 4.]]]])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        rng: np.random.Generator,
        *,
        kernel: int = 3,
        stride: int = 1,
        padding: int | None = None,
        bias: bool = True,
        gain: float = 2**0.5,
    ) -> None:
        fan_in = in_channels * kernel * kernel
        self.weight = normal_weights((out_channels, in_channels, kernel, kernel), fan_in, gain, rng)
        self.bias: Array | None = np.zeros(out_channels) if bias else None
        self.dweight = np.zeros_like(self.weight)
        self.dbias = np.zeros(out_channels)
        self.stride = stride
        self.padding = kernel // 2 if padding is None else padding
        self.trainable = ("weight", "bias") if bias else ("weight",)

    def forward(self, x: ArrayLike, training: bool) -> Array:
        """(N, in_channels, H, W) -> (N, out_channels, H', W'), the same in both modes."""
        x, p, s = np.asarray(x), self.padding, self.stride
        padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        windows = sliding_window_view(padded, self.weight.shape[2:], axis=(2, 3))[:, :, ::s, ::s]
        self._last = windows, padded.shape
        y = np.tensordot(windows, self.weight, axes=((1, 4, 5), (1, 2, 3)))  # (N, H', W', out_channels)
        return np.moveaxis(y if self.bias is None else y + self.bias, 3, 1)

    def backward(self, dy: ArrayLike) -> Array:
        """∂L/∂x (N, in_channels, H, W): every kernel entry sends dy back to the pixels it looked at."""
        dy, s, p = np.asarray(dy), self.stride, self.padding
        windows, shape = self.remembered()
        self.dweight = np.tensordot(dy, windows, axes=((0, 2, 3), (0, 2, 3)))
        if self.bias is not None:
            self.dbias = dy.sum(axis=(0, 2, 3))
        parts = np.tensordot(self.weight, dy, axes=(0, 1))  # (in_channels, kernel, kernel, N, H', W')
        dx = np.zeros((shape[1], shape[0], *shape[2:]), dtype=parts.dtype)
        height, width = dy.shape[2:]
        for i, j in np.ndindex(*self.weight.shape[2:]):
            dx[:, :, i : i + s * height : s, j : j + s * width : s] += parts[:, i, j]
        return np.moveaxis(dx, 1, 0)[:, :, p : shape[2] - p, p : shape[3] - p]
