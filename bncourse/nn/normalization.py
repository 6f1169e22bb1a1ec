"""Which layers normalize, and what do they remember between two calls?"""

import numpy as np
from numpy.typing import ArrayLike

from .. import functional
from ..functional import Cache
from ..functional._arrays import Array
from .layers import Layer


class BatchNorm(Layer):
    r"""Batch normalization of dense data (N, D), as a layer with state.

    .. math::
        y = \gamma\,\frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta \quad\text{in training}, \qquad
        y = \gamma\,\frac{x - \bar\mu}{\sqrt{\bar\sigma^2 + \varepsilon}} + \beta \quad\text{in evaluation}

    Ioffe & Szegedy 2015, Algorithms 1 and 2; the running update is PyTorch's
    (:func:`~bncourse.functional.update_running_stats`).

    num_features: D.  eps: beside the variance, under the root.  momentum: the weight of the *new* batch in the running
    statistics; None averages all batches seen so far with equal weight.

    Attributes, all (D,): ``gamma`` (ones), ``beta`` (zeros), ``running_mean`` (zeros), ``running_var`` (ones, unbiased
    batch variances), ``dgamma``, ``dbeta`` (of the last backward, zeros before it); and the count
    ``num_batches_tracked``.

    Raises ``ValueError`` for a num_features below 1, a negative eps, a momentum outside [0, 1].

    >>> layer = BatchNorm(1, eps=0.0, momentum=0.5)
    >>> layer.forward([[1.0], [3.0]], training=True)
    array([[-1.],
           [ 1.]])
    >>> layer.running_mean, layer.running_var
    (array([1.]), array([1.5]))
    """

    trainable = ("gamma", "beta")

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1) -> None:
        if not isinstance(num_features, (int, np.integer)) or num_features < 1:
            raise ValueError(f"num_features is {num_features!r}; expected a whole number, 1 or more")
        if momentum is not None and not 0 <= momentum <= 1:
            raise ValueError(f"momentum is {momentum}; expected a number from 0 to 1, or None for the plain average")
        if not 0 <= eps < np.inf:
            raise ValueError(f"eps is {eps}; expected a finite number, zero or more")
        self.eps = eps
        self.momentum = momentum
        self.gamma: Array = np.ones(num_features)
        self.beta: Array = np.zeros(num_features)
        self.running_mean: Array = np.zeros(num_features)
        self.running_var: Array = np.ones(num_features)
        self.num_batches_tracked = 0
        self.dgamma: Array = np.zeros(num_features)
        self.dbeta: Array = np.zeros(num_features)

    def forward(self, x: ArrayLike, training: bool) -> Array:
        """Normalizes (N, D) by the batch's own statistics, which it then tracks, or by the running ones.

        Raises ``ValueError`` or ``TypeError`` as :func:`~bncourse.functional.batchnorm_forward` and
        :func:`~bncourse.functional.batchnorm_inference` do; the layer is then as it was before.
        """
        if not training:
            mean, var = self.running_mean, self.running_var
            y = functional.batchnorm_inference(x, self.gamma, self.beta, mean, var, self.eps)
            self._last = (np.array(x), self.gamma.copy(), mean.copy(), var.copy())
            return y
        y, cache = functional.batchnorm_forward(x, self.gamma, self.beta, self.eps)
        weight = 1 / (self.num_batches_tracked + 1) if self.momentum is None else self.momentum
        # The real part: a complex step through the layer differentiates y, not what the layer remembers.
        self.running_mean, self.running_var = functional.update_running_stats(
            self.running_mean, self.running_var, np.asarray(x).real, weight
        )
        self.num_batches_tracked += 1
        self._last = cache
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """∂L/∂x (N, D) for the last forward, in *its* mode; leaves ``dgamma`` and ``dbeta`` (D,).

        Raises ``RuntimeError`` before the first forward, ``ValueError`` for a dy of another shape than y.
        """
        last: Cache | tuple[Array, Array, Array, Array] = self.remembered()
        if isinstance(last, Cache):
            dx, self.dgamma, self.dbeta = functional.batchnorm_backward(dy, last)
        else:
            dx, self.dgamma, self.dbeta = functional.batchnorm_inference_backward(dy, *last, self.eps)
        return dx


class BatchNorm2d(BatchNorm):
    """Batch normalization of images (N, C, H, W): each pixel of each image is one more sample of its channel.

    Settings, attributes and errors as :class:`BatchNorm`, with C for D and N·H·W for N
    (:func:`~bncourse.functional.batchnorm2d_forward`); the running variance is N·H·W/(N·H·W − 1) times the batch's.

    >>> layer = BatchNorm2d(1, eps=0.0)
    >>> layer.forward(np.array([[[[1.0, 3.0]]]]), training=True)
    array([[[[-1.,  1.]]]])
    """

    def forward(self, x: ArrayLike, training: bool) -> Array:
        """Normalizes every channel of (N, C, H, W)."""
        x = np.asarray(x)
        if x.ndim != 4:
            raise ValueError(f"x has shape {x.shape}; expected images (N, C, H, W)")
        y = as_images(super().forward(as_rows(x), training), x.shape)
        self._shape = x.shape
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """∂L/∂x (N, C, H, W)."""
        self.remembered()
        dy = np.asarray(dy)
        if dy.shape != self._shape:  # as rows, other images of as many pixels would fit too
            raise ValueError(f"dy has shape {dy.shape}, but y has shape {self._shape}")
        return as_images(super().backward(as_rows(dy)), dy.shape)


def as_rows(images: Array) -> Array:
    """(N, C, H, W) -> (N·H·W, C): the pixels as samples."""
    return np.moveaxis(images, 1, -1).reshape(-1, images.shape[1])


def as_images(rows: Array, shape: tuple[int, ...]) -> Array:
    """(N·H·W, C) -> (N, C, H, W), the way back."""
    return np.moveaxis(rows.reshape(shape[0], *shape[2:], shape[1]), -1, 1)


class LayerNorm(Layer):
    """Layer normalization of (N, D), sample by sample: nothing to track, the same in both modes.

    Settings and attributes: ``num_features`` D, ``eps``; ``gamma``, ``beta``, ``dgamma``, ``dbeta`` (D,)
    (:func:`~bncourse.functional.layernorm_forward`).

    >>> LayerNorm(2, eps=0.0).forward(np.array([[1.0, 3.0]]), training=True)
    array([[-1.,  1.]])
    """

    trainable = ("gamma", "beta")

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        self.eps = eps
        self.gamma: Array = np.ones(num_features)
        self.beta: Array = np.zeros(num_features)
        self.dgamma: Array = np.zeros(num_features)
        self.dbeta: Array = np.zeros(num_features)

    def forward(self, x: ArrayLike, training: bool) -> Array:
        """Normalizes each sample by its own statistics."""
        y, self._last = functional.layernorm_forward(x, self.gamma, self.beta, self.eps)
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """∂L/∂x (N, D)."""
        dx, self.dgamma, self.dbeta = functional.layernorm_backward(dy, self.remembered())
        return dx


class GroupNorm(LayerNorm):
    """Group normalization of (N, C, H, W), or of (N, C): each sample's channels in so many groups.

    ``gamma`` and ``beta`` (C,) (:func:`~bncourse.functional.groupnorm_forward`).

    >>> GroupNorm(1, 2, eps=0.0).forward(np.array([[[[1.0]], [[3.0]]]]), training=True).ravel()
    array([-1.,  1.])
    """

    def __init__(self, groups: int, num_channels: int, eps: float = 1e-5) -> None:
        super().__init__(num_channels, eps)
        self.groups = groups

    def forward(self, x: ArrayLike, training: bool) -> Array:
        """Normalizes each group of each sample by its own statistics."""
        x = np.asarray(x)
        images = x[:, :, None, None] if x.ndim == 2 else x
        y, self._last = functional.groupnorm_forward(images, self.gamma, self.beta, self.groups, self.eps)
        return y.reshape(x.shape)

    def backward(self, dy: ArrayLike) -> Array:
        """∂L/∂x, in the shape of x."""
        last: Cache = self.remembered()
        dy = np.asarray(dy)
        images = dy[:, :, None, None] if dy.ndim == 2 else dy
        dx, self.dgamma, self.dbeta = functional.groupnorm_backward(images, last)
        return dx.reshape(dy.shape)


class InstanceNorm(GroupNorm):
    """Instance normalization of (N, C, H, W): each channel of each image by itself.

    ``gamma`` and ``beta`` (C,) (:func:`~bncourse.functional.instancenorm_forward`).

    >>> InstanceNorm(1, eps=0.0).forward(np.array([[[[1.0, 3.0]]]]), training=True)
    array([[[[-1.,  1.]]]])
    """

    def __init__(self, num_channels: int, eps: float = 1e-5) -> None:
        super().__init__(num_channels, num_channels, eps)


class RMSNorm(Layer):
    """RMS normalization of (N, D): divides by the root mean square, takes no mean off and adds no beta.

    ``gamma``, ``dgamma`` (D,) (:func:`~bncourse.functional.rmsnorm_forward`).

    >>> RMSNorm(2, eps=0.0).forward(np.array([[3.0, 3.0]]), training=True)
    array([[1., 1.]])
    """

    trainable = ("gamma",)

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        self.eps = eps
        self.gamma: Array = np.ones(num_features)
        self.dgamma: Array = np.zeros(num_features)

    def forward(self, x: ArrayLike, training: bool) -> Array:
        """Normalizes each sample by its root mean square."""
        y, self._last = functional.rmsnorm_forward(x, self.gamma, self.eps)
        return y

    def backward(self, dy: ArrayLike) -> Array:
        """∂L/∂x (N, D)."""
        dx, self.dgamma = functional.rmsnorm_backward(dy, self.remembered())
        return dx
