"""What else can be averaged over? Layer, instance, group and RMS normalization.

All but the last standardize something; they differ in *what shares a mean and a
variance*, and in what shares a gamma:

=========  =========================================  ==============
norm       one mean and variance for                  gamma, beta for
=========  =========================================  ==============
batch      each feature or channel, over the batch    the same
layer      each sample, over its features             each feature
instance   each channel of each image                 each channel
group      each group of channels of each image       each channel
=========  =========================================  ==============

So each arranges its input as (1, what shares, values) and is then batch normalization's
own code.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ._arrays import Array, data, deviation, together, vector
from ._channels import dot, spread, total
from .backward import project, upstream
from .convolution import image_arguments
from .forward import Cache, standardize, with_parameters


class RMSCache(NamedTuple):
    """What the backward of RMS normalization needs: x_hat = x / rms (N, D), inv_rms
    (N,), gamma (D,)."""

    x_hat: Array
    inv_rms: Array
    gamma: Array


def layernorm_forward(
    x: ArrayLike, gamma: ArrayLike, beta: ArrayLike, eps: Any = 1e-5
) -> tuple[Array, Cache]:
    r"""Normalizes each sample over its own features; training and inference are the same.

    .. math::
        y_{ij} = \gamma_j\,\frac{x_{ij} - \mu_i}{\sqrt{\sigma_i^2 + \varepsilon}} + \beta_j, \qquad
        \mu_i = \frac1D \sum_{j=1}^{D} x_{ij}, \qquad \sigma_i^2 = \frac1D \sum_{j=1}^{D} (x_{ij} - \mu_i)^2

    Ba, Kiros & Hinton 2016, equation 3, with PyTorch's ε under the root. Without gamma
    and beta it is batch normalization of xᵀ.

    x: (N, D); gamma, beta: (D,)  ->  y (N, D) and the cache for
    :func:`layernorm_backward` (its inv_std is (N,))

    Raises ``ValueError`` for D = 1 (x̂ would be 0 whatever x is), a wrong shape, a
    variance that is not finite; ``TypeError`` for what is not numbers.

    >>> layernorm_forward([[2.0, 4.0]], gamma=[2.0, 2.0], beta=[5.0, 5.0], eps=0.0)[0]
    array([[3., 7.]])
    """
    x, gamma, beta = with_parameters("x", x, gamma, beta)
    x_hat, inv_std = standardize(x[None], eps, "samples")
    return gamma * x_hat[0] + beta, Cache(x_hat[0], inv_std, gamma.copy())


def layernorm_backward(dy: ArrayLike, cache: Cache) -> tuple[Array, Array, Array]:
    r"""Gradients of :func:`layernorm_forward`; here gamma has to stay inside the sums, since it varies along them.

    .. math::
        \frac{\partial L}{\partial x_{ij}} = \frac{1}{\sqrt{\sigma_i^2 + \varepsilon}} \left( d_{ij}
        - \frac1D \sum_{k=1}^{D} d_{ik} - \hat{x}_{ij}\,\frac1D \sum_{k=1}^{D} d_{ik}\,\hat{x}_{ik} \right),
        \qquad d_{ij} = \gamma_j \frac{\partial L}{\partial y_{ij}}

    The derivative of Ba, Kiros & Hinton 2016, equation 3.

    dy: (N, D); cache: of the forward  ->  dx (N, D), dgamma (D,), dbeta (D,).  Raises
    as :func:`batchnorm_backward`.

    >>> _, cache = layernorm_forward([[1.0, 1.0, 3.0, 3.0]], gamma=[1.0] * 4, beta=[0.0] * 4, eps=0.0)
    >>> layernorm_backward([[4.0, 0.0, 0.0, 0.0]], cache)[0]
    array([[ 2., -2.,  0.,  0.]])
    """
    dy, x_hat, inv_std, gamma = upstream(dy, cache)
    return (
        project((gamma * dy)[None], x_hat[None], inv_std)[0],
        dot(dy, x_hat),
        total(dy),
    )


def instancenorm_forward(
    x: ArrayLike, gamma: ArrayLike, beta: ArrayLike, eps: Any = 1e-5
) -> tuple[Array, Cache]:
    r"""Normalizes each channel of each image by itself: group normalization with one channel a group.

    .. math::
        y_{nchw} = \gamma_c\,\frac{x_{nchw} - \mu_{nc}}{\sqrt{\sigma_{nc}^2 + \varepsilon}} + \beta_c, \qquad
        \mu_{nc} = \frac{1}{HW} \sum_{h,w} x_{nchw}, \qquad
        \sigma_{nc}^2 = \frac{1}{HW} \sum_{h,w} (x_{nchw} - \mu_{nc})^2

    Ulyanov, Vedaldi & Lempitsky 2016, with PyTorch's affine parameters.

    x: (N, C, H, W); gamma, beta: (C,)  ->  y (N, C, H, W) and the cache (its inv_std is
    (N, C))

    Raises ``ValueError`` for H·W = 1, a wrong shape, a variance that is not finite;
    ``TypeError`` for what is not numbers.

    >>> instancenorm_forward([[[[2.0, 4.0]]]], gamma=[2.0], beta=[5.0], eps=0.0)[0]
    array([[[[3., 7.]]]])
    """
    x, gamma, beta = image_arguments(x, gamma, beta)
    return groupnorm_forward(x, gamma, beta, groups=x.shape[1], eps=eps)


def instancenorm_backward(dy: ArrayLike, cache: Cache) -> tuple[Array, Array, Array]:
    r"""Gradients of :func:`instancenorm_forward`.

    .. math::
        \frac{\partial L}{\partial x_{nchw}} = \frac{\gamma_c}{\sqrt{\sigma_{nc}^2 + \varepsilon}} \left(
        \frac{\partial L}{\partial y_{nchw}} - \frac{1}{HW} \sum_{k,l} \frac{\partial L}{\partial y_{nckl}}
        - \frac{\hat{x}_{nchw}}{HW} \sum_{k,l} \frac{\partial L}{\partial y_{nckl}}\,\hat{x}_{nckl} \right)

    Batch normalization's closed form, an image at a time.

    dy: (N, C, H, W); cache: of the forward  ->  dx (N, C, H, W), dgamma (C,), dbeta
    (C,).  Raises as :func:`batchnorm_backward`.

    >>> _, cache = instancenorm_forward([[[[1.0, 1.0, 3.0, 3.0]]]], gamma=[1.0], beta=[0.0], eps=0.0)
    >>> instancenorm_backward([[[[4.0, 0.0, 0.0, 0.0]]]], cache)[0]
    array([[[[ 2., -2.,  0.,  0.]]]])
    """
    return groupnorm_backward(dy, cache)


def groupnorm_forward(
    x: ArrayLike, gamma: ArrayLike, beta: ArrayLike, groups: int, eps: Any = 1e-5
) -> tuple[Array, Cache]:
    r"""Normalizes each group of neighbouring channels of each image by itself.

    .. math::
        y_{nchw} = \gamma_c\,\frac{x_{nchw} - \mu_{ng}}{\sqrt{\sigma_{ng}^2 + \varepsilon}} + \beta_c, \qquad
        \mu_{ng} = \frac{1}{|g|HW} \sum_{c \in g} \sum_{h,w} x_{nchw}, \qquad
        \sigma_{ng}^2 = \frac{1}{|g|HW} \sum_{c \in g} \sum_{h,w} (x_{nchw} - \mu_{ng})^2

    where g is the group of c: the first C/groups channels are the first group, and so
    on. Wu & He 2018, equations 1–2 and 7; gamma and beta are one a channel, not one a
    group.

    x: (N, C, H, W); gamma, beta: (C,); groups divides C  ->  y (N, C, H, W) and the
    cache (its inv_std is (N, groups))

    Raises ``ValueError`` for groups that don't divide C, one value a group, a wrong
    shape, a variance that is not finite; ``TypeError`` for what is not numbers, or
    groups that is not an integer.

    >>> groupnorm_forward([[[[2.0]], [[4.0]]]], gamma=[2.0, 3.0], beta=[5.0, 6.0], groups=1, eps=0.0)[0].ravel()
    array([3., 9.])
    """
    x, gamma, beta = image_arguments(x, gamma, beta)
    images, channels = x.shape[:2]
    if not isinstance(groups, (int, np.integer)) or isinstance(groups, bool):
        raise TypeError(f"groups is a {type(groups).__name__}; expected an integer")
    if groups < 1 or channels % groups:
        raise ValueError(
            f"groups is {groups}, but x has {channels} channels; groups has to divide them"
        )
    x_hat, inv_std = standardize(x.reshape(1, images * groups, -1), eps, "groups")
    x_hat = x_hat.reshape(x.shape)
    y = x_hat * gamma[:, None, None]
    y += beta[:, None, None]
    return y, Cache(x_hat, inv_std.reshape(images, groups), gamma.copy())


def groupnorm_backward(dy: ArrayLike, cache: Cache) -> tuple[Array, Array, Array]:
    r"""Gradients of :func:`groupnorm_forward`, with M = H·W·C/groups values a group; gamma stays inside the sums.

    .. math::
        \frac{\partial L}{\partial x_{nchw}} = \frac{1}{\sqrt{\sigma_{ng}^2 + \varepsilon}} \left( d_{nchw}
        - \frac1M \sum_{(k,l,m) \in g} d_{nklm}
        - \hat{x}_{nchw}\,\frac1M \sum_{(k,l,m) \in g} d_{nklm}\,\hat{x}_{nklm} \right),
        \qquad d_{nchw} = \gamma_c \frac{\partial L}{\partial y_{nchw}}

    The derivative of Wu & He 2018, equations 1–2 and 7.

    dy: (N, C, H, W); cache: of the forward  ->  dx (N, C, H, W), dgamma (C,), dbeta
    (C,).  Raises as :func:`batchnorm_backward`.

    >>> _, cache = groupnorm_forward([[[[1.0, 1.0, 3.0, 3.0]]]], gamma=[1.0], beta=[0.0], groups=1, eps=0.0)
    >>> groupnorm_backward([[[[4.0, 0.0, 0.0, 0.0]]]], cache)[0]
    array([[[[ 2., -2.,  0.,  0.]]]])
    """
    dy, x_hat, inv_std, gamma = upstream(dy, cache)
    channel_rows, group_rows = (*dy.shape[:2], -1), (1, inv_std.size, -1)
    dx_hat = dy * gamma[:, None, None]
    dx = project(
        dx_hat.reshape(group_rows), x_hat.reshape(group_rows), inv_std.ravel()
    ).reshape(dy.shape)
    dy, x_hat = dy.reshape(channel_rows), x_hat.reshape(channel_rows)
    return dx, dot(dy, x_hat), total(dy)


def rmsnorm_forward(
    x: ArrayLike, gamma: ArrayLike, eps: Any = 1e-5
) -> tuple[Array, RMSCache]:
    r"""Divides each sample by the root of its mean square. Nothing is subtracted, and there is no beta.

    .. math:: y_{ij} = \gamma_j\,\frac{x_{ij}}{\sqrt{\frac1D \sum_{k=1}^{D} x_{ik}^2 + \varepsilon}}

    Zhang & Sennrich 2019, equation 4, with PyTorch's ε under the root.

    x: (N, D); gamma: (D,)  ->  y (N, D) and the :class:`RMSCache` for
    :func:`rmsnorm_backward`

    Raises ``ValueError`` for a wrong shape, a mean square that is not finite;
    ``TypeError`` for what is not numbers.

    >>> rmsnorm_forward([[1.0, 7.0]], gamma=[5.0, 10.0], eps=0.0)[0]
    array([[ 1., 14.]])
    """
    x = data("x", x, "N, D")
    x, gamma = together(
        x, vector("gamma", gamma, x.shape[1], f"x has {x.shape[1]} features")
    )
    rows = x[None]
    inv_rms = 1 / deviation(dot(rows, rows) / x.shape[1], eps)
    x_hat = x * inv_rms[:, None]
    return gamma * x_hat, RMSCache(x_hat, inv_rms, gamma.copy())


def rmsnorm_backward(dy: ArrayLike, cache: RMSCache) -> tuple[Array, Array]:
    r"""Gradients of :func:`rmsnorm_forward`: no mean was subtracted, so no mean comes back.

    .. math::
        \frac{\partial L}{\partial x_{ij}} = \frac{1}{r_i} \left( d_{ij}
        - \hat{x}_{ij}\,\frac1D \sum_{k=1}^{D} d_{ik}\,\hat{x}_{ik} \right), \qquad
        d_{ij} = \gamma_j \frac{\partial L}{\partial y_{ij}}, \qquad
        r_i = \sqrt{\tfrac1D \textstyle\sum_{k=1}^{D} x_{ik}^2 + \varepsilon}

    The derivative of Zhang & Sennrich 2019, equation 4.

    dy: (N, D); cache: of the forward  ->  dx (N, D), dgamma (D,)

    Raises as :func:`batchnorm_backward`.

    >>> _, cache = rmsnorm_forward([[1.0, 7.0]], gamma=[1.0, 1.0], eps=0.0)
    >>> rmsnorm_backward([[25.0, 0.0]], cache)
    (array([[ 4.9, -0.7]]), array([5., 0.]))
    """
    dy, x_hat, inv_rms, gamma = upstream(dy, cache, RMSCache)
    dx_hat = (gamma * dy)[None]
    rows = x_hat[None]
    dx = dx_hat - rows * spread(dot(dx_hat, rows) / x_hat.shape[1], rows)
    return (dx * spread(inv_rms, rows))[0], dot(dy, x_hat)
