"""And for images? A channel is one feature, each pixel of each image one more sample."""

from typing import Any

from numpy.typing import ArrayLike

from ._arrays import Array, data, together, vector
from ._channels import count, dot, mean_and_centred, spread
from .backward import closed_form, upstream
from .forward import Cache, standardize


def channel_statistics(x: ArrayLike) -> tuple[Array, Array]:
    r"""Mean and biased variance of each channel, over all pixels of all images.

    .. math::
        \mu_c = \frac{1}{NHW} \sum_{n,h,w} x_{nchw}, \qquad
        \sigma_c^2 = \frac{1}{NHW} \sum_{n,h,w} (x_{nchw} - \mu_c)^2

    Ioffe & Szegedy 2015, section 3.2.  x: (N, C, H, W)  ->  (mean, var), each (C,)

    Raises as :func:`batch_mean` does.

    >>> channel_statistics([[[[1.0, 3.0]]], [[[3.0, 5.0]]]])
    (array([3.]), array([2.]))
    """
    images = data("x", x, "N, C, H, W")
    rows = images.reshape(*images.shape[:2], -1)
    mean, centred = mean_and_centred(rows)
    return mean, dot(centred, centred) / count(rows)


def batchnorm2d_forward(
    x: ArrayLike, gamma: ArrayLike, beta: ArrayLike, eps: Any = 1e-5
) -> tuple[Array, Cache]:
    r"""Batch normalization of a batch of images in training.

    .. math::
        \mu_c = \frac{1}{NHW} \sum_{n,h,w} x_{nchw}, \qquad
        \sigma_c^2 = \frac{1}{NHW} \sum_{n,h,w} (x_{nchw} - \mu_c)^2, \qquad
        y_{nchw} =
        \gamma_c\,\frac{x_{nchw} - \mu_c}{\sqrt{\sigma_c^2 + \varepsilon}} + \beta_c

    Ioffe & Szegedy 2015, section 3.2.

    x: (N, C, H, W); gamma, beta: (C,)  ->  y (N, C, H, W) and the cache for
    :func:`batchnorm2d_backward`

    Raises ``ValueError`` for one value a channel (N·H·W = 1), a wrong shape, a batch
    whose variance is not finite; ``TypeError`` for what is not numbers.

    >>> batchnorm2d_forward([[[[2.0, 4.0]]]], gamma=[2.0], beta=[5.0], eps=0.0)[0]
    array([[[[3., 7.]]]])
    """
    images, gamma, beta = image_arguments(x, gamma, beta)
    rows = images.reshape(*images.shape[:2], -1)
    x_hat, inv_std = standardize(rows, eps, "channels")
    y = x_hat * spread(gamma, x_hat)
    y += spread(beta, x_hat)
    return y.reshape(images.shape), Cache(
        x_hat.reshape(images.shape), inv_std, gamma.copy()
    )


def batchnorm2d_backward(dy: ArrayLike, cache: Cache) -> tuple[Array, Array, Array]:
    r"""Gradients of :func:`batchnorm2d_forward` in closed form, with M = N·H·W values a channel.

    .. math::
        \frac{\partial L}{\partial x_{nchw}} = \frac{\gamma_c}{\sqrt{\sigma_c^2 + \varepsilon}} \left(
        \frac{\partial L}{\partial y_{nchw}} - \frac1M \frac{\partial L}{\partial \beta_c}
        - \frac{\hat{x}_{nchw}}{M} \frac{\partial L}{\partial \gamma_c} \right)

    Ioffe & Szegedy 2015, sections 3 and 3.2.

    dy: (N, C, H, W); cache: of the forward  ->  dx (N, C, H, W), dgamma (C,), dbeta
    (C,)

    Raises as :func:`batchnorm_backward`.

    >>> _, cache = batchnorm2d_forward([[[[1.0, 1.0, 3.0, 3.0]]]], gamma=[1.0], beta=[0.0], eps=0.0)
    >>> batchnorm2d_backward([[[[4.0, 0.0, 0.0, 0.0]]]], cache)[0]
    array([[[[ 2., -2.,  0.,  0.]]]])
    """
    dy, x_hat, inv_std, gamma = upstream(dy, cache)
    rows = (*dy.shape[:2], -1)
    dx, dgamma, dbeta = closed_form(
        dy.reshape(rows), x_hat.reshape(rows), inv_std, gamma
    )
    return dx.reshape(dy.shape), dgamma, dbeta


def image_arguments(
    x: ArrayLike, gamma: ArrayLike, beta: ArrayLike
) -> tuple[Array, ...]:
    """Images (N, C, H, W) and their parameters (C,), checked, in one precision."""
    x = data("x", x, "N, C, H, W")
    of = f"x has {x.shape[1]} channels"
    return together(
        x, vector("gamma", gamma, x.shape[1], of), vector("beta", beta, x.shape[1], of)
    )
