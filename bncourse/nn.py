"""What does a layer remember between two calls?"""

import numpy as np
from numpy.typing import ArrayLike

from . import functional
from .functional import Cache
from .functional._arrays import Array


class BatchNorm:
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
        self._last: Cache | tuple[Array, Array, Array, Array] | None = None

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
        if self._last is None:
            raise RuntimeError("backward needs a forward first")
        if isinstance(self._last, Cache):
            dx, self.dgamma, self.dbeta = functional.batchnorm_backward(dy, self._last)
        else:
            dx, self.dgamma, self.dbeta = functional.batchnorm_inference_backward(dy, *self._last, self.eps)
        return dx
