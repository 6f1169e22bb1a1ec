"""And when the batch lies on several devices? Statistics are merged, and so are two sums of the backward pass."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._arrays import Array, data, deviation, same_shape, statistic, together, vector
from .statistics import merge_statistics


def syncbn_forward(
    x: ArrayLike,
    counts: ArrayLike,
    means: ArrayLike,
    variances: ArrayLike,
    gamma: ArrayLike,
    beta: ArrayLike,
    eps: Any = 1e-5,
) -> tuple[Array, Array, Array]:
    r"""Synchronized batch normalization of one device's images, with what all K devices have sent.

    .. math::
        M_c = \sum_k \frac{n_k}{n}\,\mu_{kc}, \qquad
        V_c = \sum_k \frac{n_k}{n}\left(\sigma_{kc}^2 + (\mu_{kc} - M_c)^2\right), \qquad
        y_{nchw} = \gamma_c\,\frac{x_{nchw} - M_c}{\sqrt{V_c + \varepsilon}} + \beta_c

    Row k of counts, means and variances is device k's: n_k = N·H·W values a channel,
    their mean and their *biased* variance. This device's own row is one of them. The
    merged statistics are those of :func:`merge_statistics`.

    x: (N, C, H, W); counts: (K,); means, variances: (K, C); gamma, beta: (C,)  ->
    (y, x_hat, std): y, x_hat (N, C, H, W), std = √(V + ε) (C,)

    Raises ``ValueError`` and ``TypeError`` as :func:`merge_statistics` and
    :func:`batchnorm2d_inference` do.

    >>> y, x_hat, std = syncbn_forward(
    ...     [[[[1.0, 3.0]]]], counts=[2, 2], means=[[2.0], [4.0]], variances=[[1.0], [1.0]],
    ...     gamma=[4.0], beta=[0.0], eps=2.0)
    >>> y, std
    (array([[[[-4.,  0.]]]]), array([2.]))
    """
    x = data("x", x, "N, C, H, W")
    of = f"x has {x.shape[1]} channels"
    gamma, beta = (
        vector("gamma", gamma, x.shape[1], of),
        vector("beta", beta, x.shape[1], of),
    )
    mean, var = merge_statistics(counts, means, variances)
    mean, var = (
        statistic("means", mean, x.shape[1], of),
        statistic("variances", var, x.shape[1], of),
    )
    x, mean, var, gamma, beta = together(x, mean, var, gamma, beta)
    std = deviation(var, eps)
    x_hat = (x - _over_pixels(mean)) / _over_pixels(std)
    return _over_pixels(gamma) * x_hat + _over_pixels(beta), x_hat, std


def syncbn_backward(
    dy: ArrayLike,
    x_hat: ArrayLike,
    std: ArrayLike,
    gamma: ArrayLike,
    counts: ArrayLike,
    sums_dy: ArrayLike,
    sums_dy_x_hat: ArrayLike,
) -> tuple[Array, Array, Array]:
    r"""Gradients of :func:`syncbn_forward` on one device, for the loss of all devices together.

    .. math::
        \frac{\partial L}{\partial \beta_c} = \sum_k \tilde\beta_{kc}, \qquad
        \frac{\partial L}{\partial \gamma_c} = \sum_k \tilde\gamma_{kc}

    .. math::
        \frac{\partial L}{\partial x_{nchw}} = \frac{\gamma_c}{\sqrt{V_c + \varepsilon}} \left( dy_{nchw}
        - \frac1n \frac{\partial L}{\partial \beta_c}
        - \frac{\hat{x}_{nchw}}{n} \frac{\partial L}{\partial \gamma_c} \right)

    where device k has sent :math:`\tilde\beta_k = \sum dy` and
    :math:`\tilde\gamma_k = \sum dy\,\hat{x}` over its own values, and n is the sum of
    the counts.

    dy, x_hat: (N, C, H, W); std, gamma: (C,); counts: (K,); sums_dy, sums_dy_x_hat: (K,
    C)  ->  dx (N, C, H, W), dgamma (C,), dbeta (C,)

    Raises ``ValueError`` for shapes that do not fit, and counts that are not above zero
    together; ``TypeError`` for what is not numbers.

    >>> dx, dgamma, dbeta = syncbn_backward(
    ...     [[[[-4.0, 7.0]]]], x_hat=[[[[-1.0, 0.0]]]], std=[2.0], gamma=[4.0],
    ...     counts=[2, 2], sums_dy=[[3.0], [1.0]], sums_dy_x_hat=[[4.0], [4.0]])
    >>> dx, dgamma, dbeta
    (array([[[[-6., 12.]]]]), array([8.]), array([4.]))
    """
    dy = data("dy", dy, "N, C, H, W")
    x_hat = same_shape("x_hat", x_hat, "dy", dy)
    of = f"dy has {dy.shape[1]} channels"
    std, gamma = (
        vector("std", std, dy.shape[1], of),
        vector("gamma", gamma, dy.shape[1], of),
    )
    sums_dy = data("sums_dy", sums_dy, "K, C")
    sums_dy_x_hat = same_shape("sums_dy_x_hat", sums_dy_x_hat, "sums_dy", sums_dy)
    sizes = vector(
        "counts", counts, len(sums_dy), f"sums_dy has {len(sums_dy)} devices"
    )
    if not sizes.sum().real > 0:
        raise ValueError(f"counts is {sizes.tolist()}; expected at least one value")
    dbeta = vector("the sum of sums_dy", np.add.reduce(sums_dy), dy.shape[1], of)
    dgamma = np.add.reduce(sums_dy_x_hat)
    dy, x_hat, std, gamma, dgamma, dbeta, n = together(
        dy, x_hat, std, gamma, dgamma, dbeta, sizes.sum()
    )
    projected = (_over_pixels(dbeta) + x_hat * _over_pixels(dgamma)) / n
    return _over_pixels(gamma / std) * (dy - projected), dgamma, dbeta


def _over_pixels(values: Array) -> Array:
    """One number a channel, shaped to stand beside (N, C, H, W)."""
    return values[:, None, None]
