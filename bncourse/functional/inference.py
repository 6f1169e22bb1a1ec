"""What does batch normalization compute once training is over, and where does it go?"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._arrays import (
    Array,
    data,
    deviation,
    numbers,
    same_shape,
    statistic,
    together,
    variance,
    vector,
)
from ._channels import dot, spread, total


def batchnorm_inference(
    x: ArrayLike,
    gamma: ArrayLike,
    beta: ArrayLike,
    running_mean: ArrayLike,
    running_var: ArrayLike,
    eps: Any = 1e-5,
) -> Array:
    r"""Batch normalization with fixed statistics: each row by itself, whatever its neighbours.

    .. math:: y_{ij} = \gamma_j\,\frac{x_{ij} - \bar\mu_j}{\sqrt{\bar\sigma_j^2 + \varepsilon}} + \beta_j

    Ioffe & Szegedy 2015, Algorithm 2, line 11.

    x: (N, D), any N ≥ 1; gamma, beta, running_mean, running_var: (D,)  ->  y (N, D)

    Raises ``ValueError`` for a wrong shape, a statistic that is not finite, a negative
    variance; ``TypeError`` for what is not numbers.

    >>> batchnorm_inference([[5.0]], gamma=[2.0], beta=[1.0], running_mean=[3.0], running_var=[4.0], eps=0.0)
    array([[3.]])
    """
    return _inference(
        data("x", x, "N, D"), gamma, beta, running_mean, running_var, eps, "features"
    )


def batchnorm2d_inference(
    x: ArrayLike,
    gamma: ArrayLike,
    beta: ArrayLike,
    running_mean: ArrayLike,
    running_var: ArrayLike,
    eps: Any = 1e-5,
) -> Array:
    r"""The same for images, with one statistic a channel.

    .. math:: y_{nchw} = \gamma_c\,\frac{x_{nchw} - \bar\mu_c}{\sqrt{\bar\sigma_c^2 + \varepsilon}} + \beta_c

    Ioffe & Szegedy 2015, section 3.2.

    x: (N, C, H, W); gamma, beta, running_mean, running_var: (C,)  ->  y (N, C, H, W).
    Raises as :func:`batchnorm_inference`.

    >>> batchnorm2d_inference([[[[5.0, 3.0]]]], [2.0], [1.0], [3.0], [4.0], eps=0.0)
    array([[[[3., 1.]]]])
    """
    images = data("x", x, "N, C, H, W")
    rows = images.reshape(*images.shape[:2], -1)
    return _inference(
        rows, gamma, beta, running_mean, running_var, eps, "channels"
    ).reshape(images.shape)


def _inference(
    x: Array,
    gamma: ArrayLike,
    beta: ArrayLike,
    running_mean: ArrayLike,
    running_var: ArrayLike,
    eps: Any,
    axis: str,
) -> Array:
    size, of = x.shape[1], f"x has {x.shape[1]} {axis}"
    gamma, beta = vector("gamma", gamma, size, of), vector("beta", beta, size, of)
    mean, var = (
        statistic("running_mean", running_mean, size, of),
        variance("running_var", running_var, size, of),
    )
    x, gamma, beta, mean, var = together(x, gamma, beta, mean, var)
    scale = gamma / deviation(var, eps)
    return (x - spread(mean, x)) * spread(scale, x) + spread(beta, x)


def fold_linear(
    weight: ArrayLike,
    bias: ArrayLike | None,
    gamma: ArrayLike,
    beta: ArrayLike,
    running_mean: ArrayLike,
    running_var: ArrayLike,
    eps: Any = 1e-5,
) -> tuple[Array, Array]:
    r"""The dense layer that computes dense, then batch normalization at inference, in one step.

    .. math::
        w'_{oi} = \frac{\gamma_o}{\sqrt{\bar\sigma_o^2 + \varepsilon}}\,w_{oi}, \qquad
        b'_o = \frac{\gamma_o}{\sqrt{\bar\sigma_o^2 + \varepsilon}}\,(b_o - \bar\mu_o) + \beta_o

    Exact up to rounding, since inference is affine. A layer computes ``x @ weight.T +
    bias``.

    weight: (out, in); bias: (out,) or None for zero; the others (out,)  ->  (weight,
    bias)

    Raises as :func:`batchnorm_inference`.

    >>> fold_linear([[1.0, 2.0]], [5.0], gamma=[2.0], beta=[1.0], running_mean=[3.0], running_var=[4.0], eps=0.0)
    (array([[1., 2.]]), array([3.]))
    """
    return _fold(
        data("weight", weight, "out, in"),
        bias,
        gamma,
        beta,
        running_mean,
        running_var,
        eps,
    )


def fold_conv2d(
    weight: ArrayLike,
    bias: ArrayLike | None,
    gamma: ArrayLike,
    beta: ArrayLike,
    running_mean: ArrayLike,
    running_var: ArrayLike,
    eps: Any = 1e-5,
) -> tuple[Array, Array]:
    r"""The convolution that computes convolution, then batch normalization at inference, in one step.

    .. math::
        w'_{oikl} = \frac{\gamma_o}{\sqrt{\bar\sigma_o^2 + \varepsilon}}\,w_{oikl}, \qquad
        b'_o = \frac{\gamma_o}{\sqrt{\bar\sigma_o^2 + \varepsilon}}\,(b_o - \bar\mu_o) + \beta_o

    Exact up to rounding for every padding, since the normalization comes *after* the
    convolution; not so the other way round.

    weight: (out, in, kh, kw); bias: (out,) or None for zero; the others (out,)  ->
    (weight, bias)

    Raises as :func:`batchnorm_inference`.

    >>> fold_conv2d([[[[1.0]]]], None, gamma=[2.0], beta=[1.0], running_mean=[3.0], running_var=[4.0], eps=0.0)
    (array([[[[1.]]]]), array([-2.]))
    """
    return _fold(
        data("weight", weight, "out, in, kh, kw"),
        bias,
        gamma,
        beta,
        running_mean,
        running_var,
        eps,
    )


def _fold(
    weight: Array,
    bias: ArrayLike | None,
    gamma: ArrayLike,
    beta: ArrayLike,
    running_mean: ArrayLike,
    running_var: ArrayLike,
    eps: Any,
) -> tuple[Array, Array]:
    outputs = len(weight)
    of = f"weight has {outputs} outputs"
    start = (
        np.zeros(outputs, weight.dtype)
        if bias is None
        else vector("bias", bias, outputs, of)
    )
    gamma, beta = vector("gamma", gamma, outputs, of), vector("beta", beta, outputs, of)
    mean, var = (
        statistic("running_mean", running_mean, outputs, of),
        variance("running_var", running_var, outputs, of),
    )
    weight, start, gamma, beta, mean, var = together(
        weight, start, gamma, beta, mean, var
    )
    scale = gamma / deviation(var, eps)
    return weight * scale.reshape(-1, *[1] * (weight.ndim - 1)), scale * (
        start - mean
    ) + beta


def batchnorm_inference_backward(
    dy: ArrayLike,
    x: ArrayLike,
    gamma: ArrayLike,
    running_mean: ArrayLike,
    running_var: ArrayLike,
    eps: Any = 1e-5,
) -> tuple[Array, Array, Array]:
    r"""Gradients when the statistics are fixed: nothing flows through them.

    .. math::
        \frac{\partial L}{\partial x_{ij}} = \frac{\gamma_j}{\sqrt{\bar\sigma_j^2 + \varepsilon}}
        \frac{\partial L}{\partial y_{ij}}, \qquad
        \frac{\partial L}{\partial \gamma_j} = \sum_{i=1}^{N} \frac{\partial L}{\partial y_{ij}}\,
        \frac{x_{ij} - \bar\mu_j}{\sqrt{\bar\sigma_j^2 + \varepsilon}}, \qquad
        \frac{\partial L}{\partial \beta_j} = \sum_{i=1}^{N} \frac{\partial L}{\partial y_{ij}}

    The derivative of Ioffe & Szegedy 2015, Algorithm 2, line 11, whose map is affine.

    dy, x: (N, D); gamma, running_mean, running_var: (D,)  ->  (dx, dgamma, dbeta)

    Raises as :func:`batchnorm_inference`.

    >>> batchnorm_inference_backward([[1.0]], [[5.0]], [2.0], running_mean=[3.0], running_var=[4.0], eps=0.0)
    (array([[1.]]), array([1.]), array([1.]))
    """
    x = data("x", x, "N, D")
    dy = same_shape("dy", numbers("dy", dy), "x", x)
    size, of = x.shape[1], f"x has {x.shape[1]} features"
    gamma = vector("gamma", gamma, size, of)
    mean, var = (
        statistic("running_mean", running_mean, size, of),
        variance("running_var", running_var, size, of),
    )
    x, dy, gamma, mean, var = together(x, dy, gamma, mean, var)
    inv_std = 1 / deviation(var, eps)
    return dy * (gamma * inv_std), dot(dy, (x - mean) * inv_std), total(dy)
