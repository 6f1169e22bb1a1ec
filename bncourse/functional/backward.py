"""How does the loss change with what went into batch normalization?

Here ``dy`` is ∂L/∂y, ``dx`` is ∂L/∂x, and so on; gradients are returned in the order of
the forward's arguments.
"""

from numpy.typing import ArrayLike

from ._arrays import (
    Array,
    data,
    deviation,
    same_shape,
    statistic,
    together,
    variance,
    vector,
)
from ._channels import count, dot, spread, total
from .forward import Cache, batchnorm_forward  # noqa: F401  (the doctests' forward)


def scale_shift_backward(
    dy: ArrayLike, x_hat: ArrayLike, gamma: ArrayLike
) -> tuple[Array, Array, Array]:
    r"""Gradients through ``y = gamma * x_hat + beta``.

    .. math::
        \frac{\partial L}{\partial \hat{x}_{ij}} = \gamma_j \frac{\partial L}{\partial y_{ij}}, \qquad
        \frac{\partial L}{\partial \gamma_j} = \sum_{i=1}^{N} \frac{\partial L}{\partial y_{ij}}\,\hat{x}_{ij}, \qquad
        \frac{\partial L}{\partial \beta_j} = \sum_{i=1}^{N} \frac{\partial L}{\partial y_{ij}}

    Ioffe & Szegedy 2015, section 3, the first and the last two of the six gradient
    equations.

    dy, x_hat: (N, D); gamma: (D,)  ->  dx_hat (N, D), dgamma (D,), dbeta (D,)

    Raises ``ValueError`` for a wrong shape, ``TypeError`` for what is not numbers.

    >>> scale_shift_backward([[1.0], [2.0]], x_hat=[[-1.0], [1.0]], gamma=[3.0])
    (array([[3.], [6.]]), array([1.]), array([3.]))
    """
    x_hat = data("x_hat", x_hat, "N, D")
    dy = same_shape("dy", dy, "x_hat", x_hat)
    gamma = vector(
        "gamma", gamma, x_hat.shape[1], f"x_hat has {x_hat.shape[1]} features"
    )
    x_hat, dy, gamma = together(x_hat, dy, gamma)
    return gamma * dy, dot(dy, x_hat), total(dy)


def normalize_backward(
    dx_hat: ArrayLike, x: ArrayLike, mean: ArrayLike, var: ArrayLike, eps: float = 1e-5
) -> tuple[Array, Array, Array]:
    r"""Partial derivatives through :func:`normalize` alone: x, mean and var count as three separate inputs.

    .. math::
        \left.\frac{\partial L}{\partial x_{ij}}\right|_{\mu,\sigma^2} =
        \frac{\partial L}{\partial \hat{x}_{ij}} \frac{1}{\sqrt{\sigma_j^2 + \varepsilon}}, \qquad
        \frac{\partial L}{\partial \mu_j} =
        -\sum_{i=1}^{N} \frac{\partial L}{\partial \hat{x}_{ij}} \frac{1}{\sqrt{\sigma_j^2 + \varepsilon}}, \qquad
        \frac{\partial L}{\partial \sigma_j^2} = -\frac12 \sum_{i=1}^{N} \frac{\partial L}{\partial \hat{x}_{ij}}
        \,(x_{ij} - \mu_j)\,(\sigma_j^2 + \varepsilon)^{-3/2}

    Ioffe & Szegedy 2015, section 3. Their ∂L/∂μ has a further term, ∂L/∂σ² · ∂σ²/∂μ; at
    the batch's own mean it is zero, since Σ(x − μ) is.

    dx_hat, x: (N, D); mean, var: (D,)  ->  dx_direct (N, D), dmean (D,), dvar (D,)

    Raises as :func:`normalize`.

    >>> normalize_backward([[1.0], [3.0]], x=[[2.0], [4.0]], mean=[3.0], var=[1.0], eps=0.0)
    (array([[1.], [3.]]), array([-4.]), array([-1.]))
    """
    x = data("x", x, "N, D")
    dx_hat = same_shape("dx_hat", dx_hat, "x", x)
    of = f"x has {x.shape[1]} features"
    mean, var = (
        statistic("mean", mean, x.shape[1], of),
        variance("var", var, x.shape[1], of),
    )
    x, dx_hat, mean, var = together(x, dx_hat, mean, var)
    std = deviation(var, eps)
    dmean = -total(dx_hat) / std
    dvar = -dot(dx_hat, x - mean) / (2 * std**3)
    return dx_hat / std, dmean, dvar


def batchnorm_backward_graph(dy: ArrayLike, cache: Cache) -> tuple[Array, Array, Array]:
    r"""Gradients of :func:`batchnorm_forward`, node by node through its graph.

    .. math::
        \frac{\partial L}{\partial x_{ij}} = \frac{\partial L}{\partial \hat{x}_{ij}} \frac{1}{s_j}
        + \frac{\partial L}{\partial \sigma_j^2} \frac{2 (x_{ij} - \mu_j)}{N}
        + \frac{\partial L}{\partial \mu_j} \frac{1}{N}, \qquad s_j = \sqrt{\sigma_j^2 + \varepsilon}

    Ioffe & Szegedy 2015, section 3, the fourth of the six gradient equations.

    dy: (N, D); cache: of the forward  ->  dx (N, D), dgamma (D,), dbeta (D,)

    Raises ``ValueError`` for a dy of another shape than y, ``TypeError`` for a cache
    that is not the forward's.

    >>> _, cache = batchnorm_forward([[1.0], [1.0], [3.0], [3.0]], gamma=[1.0], beta=[0.0], eps=0.0)
    >>> dx, dgamma, dbeta = batchnorm_backward_graph([[4.0], [0.0], [0.0], [0.0]], cache)
    >>> dx.ravel(), dgamma, dbeta
    (array([ 2., -2.,  0.,  0.]), array([-4.]), array([4.]))
    """
    dy, x_hat, inv_std, gamma = upstream(dy, cache)
    n = len(dy)
    # The nodes of the forward: centred = x - mean, var = Σ centred² / N, std = √(var + eps), x_hat = centred / std.
    std = 1 / inv_std
    centred = x_hat * std
    # y = gamma * x_hat + beta
    dx_hat, dgamma, dbeta = scale_shift_backward(dy, x_hat, gamma)
    # x_hat = centred / std
    dcentred = dx_hat / std
    dstd = -dot(dx_hat, centred) / std**2
    # std = sqrt(var + eps)
    dvar = dstd / (2 * std)
    # var = Σ centred² / N: the second road into centred
    dcentred = dcentred + dvar * 2 * centred / n
    # centred = x - mean
    dmean = -total(dcentred)
    # mean = Σ x / N: the second road into x
    return dcentred + dmean / n, dgamma, dbeta


def batchnorm_backward(dy: ArrayLike, cache: Cache) -> tuple[Array, Array, Array]:
    r"""Gradients of :func:`batchnorm_forward` in closed form.

    .. math::
        \frac{\partial L}{\partial x_{ij}} = \frac{\gamma_j}{\sqrt{\sigma_j^2 + \varepsilon}} \left(
        \frac{\partial L}{\partial y_{ij}} - \frac1N \sum_{k=1}^{N} \frac{\partial L}{\partial y_{kj}}
        - \hat{x}_{ij}\, \frac1N \sum_{k=1}^{N} \frac{\partial L}{\partial y_{kj}}\, \hat{x}_{kj} \right)

    The six gradient equations of Ioffe & Szegedy 2015, section 3, collapsed into one;
    exact for every ε.

    dy: (N, D); cache: of the forward  ->  dx (N, D), dgamma (D,), dbeta (D,)

    Raises as :func:`batchnorm_backward_graph`.

    >>> _, cache = batchnorm_forward([[1.0], [1.0], [3.0], [3.0]], gamma=[1.0], beta=[0.0], eps=0.0)
    >>> dx, dgamma, dbeta = batchnorm_backward([[4.0], [0.0], [0.0], [0.0]], cache)
    >>> dx.ravel(), dgamma, dbeta
    (array([ 2., -2.,  0.,  0.]), array([-4.]), array([4.]))
    """
    return closed_form(*upstream(dy, cache))


def closed_form(
    dy: Array, x_hat: Array, inv_std: Array, gamma: Array
) -> tuple[Array, Array, Array]:
    """The gradients for (N, D) or (N, C, S); dgamma and dbeta are sums that dx needs."""
    dgamma, dbeta = dot(dy, x_hat), total(dy)
    scale = gamma * inv_std
    share = scale / count(dy)
    dx = dy * spread(scale, dy)
    dx -= x_hat * spread(share * dgamma, dy)
    dx -= spread(share * dbeta, dy)
    return dx, dgamma, dbeta


def project(dx_hat: Array, x_hat: Array, inv_std: Array) -> Array:
    """∂L/∂x from ∂L/∂x̂, both (N, C, S): the closed form, the scale still inside."""
    m = count(x_hat)
    dx = dx_hat - spread(total(dx_hat) / m, x_hat)
    dx -= x_hat * spread(dot(dx_hat, x_hat) / m, x_hat)
    dx *= spread(inv_std, x_hat)
    return dx


def upstream(
    dy: ArrayLike, cache: tuple[Array, ...], of: type = Cache
) -> tuple[Array, ...]:
    """dy beside what the forward left, in one precision."""
    if not isinstance(cache, of):
        raise TypeError(
            f"cache is a {type(cache).__name__}; expected the one that the forward function returned"
        )
    x_hat, inv_std, gamma = cache
    x_hat, dy, inv_std, gamma = together(
        x_hat, same_shape("dy", dy, "y", x_hat), inv_std, gamma
    )
    return dy, x_hat, inv_std, gamma
