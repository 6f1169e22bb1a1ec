"""What does batch normalization compute in training?"""

from typing import Any, NamedTuple

from numpy.typing import ArrayLike

from ._arrays import Array, data, deviation, statistic, together, variance, vector
from ._channels import dot, mean_and_centred
from .statistics import at_least_two


class Cache(NamedTuple):
    """What the backward pass needs: x_hat (N, D), inv_std = 1/√(σ² + ε) (D,), gamma (D,)."""

    x_hat: Array
    inv_std: Array
    gamma: Array


def normalize(x: ArrayLike, mean: ArrayLike, var: ArrayLike, eps: Any = 1e-5) -> Array:
    r"""Centres each feature and divides it by its deviation.

    .. math:: \hat{x}_{ij} = \frac{x_{ij} - \mu_j}{\sqrt{\sigma_j^2 + \varepsilon}}

    Ioffe & Szegedy 2015, Algorithm 1, line 3.

    x: (N, D); mean, var: (D,)  ->  x_hat (N, D)

    Raises ``ValueError`` for a wrong shape, a statistic that is not finite, a negative
    variance, a negative eps, or var + eps = 0; ``TypeError`` for what is not numbers.

    >>> normalize([[2.0], [4.0]], mean=[3.0], var=[1.0], eps=0.0)
    array([[-1.], [ 1.]])
    """
    x = data("x", x, "N, D")
    of = f"x has {x.shape[1]} features"
    mean = statistic("mean", mean, x.shape[1], of)
    var = variance("var", var, x.shape[1], of)
    x, mean, var = together(x, mean, var)
    return (x - mean) / deviation(var, eps)


def scale_shift(x_hat: ArrayLike, gamma: ArrayLike, beta: ArrayLike) -> Array:
    r"""Gives each feature a scale and a shift of its own, both learned.

    .. math:: y_{ij} = \gamma_j\,\hat{x}_{ij} + \beta_j

    Ioffe & Szegedy 2015, Algorithm 1, line 4.

    x_hat: (N, D); gamma, beta: (D,)  ->  y (N, D)

    Raises ``ValueError`` for a wrong shape, ``TypeError`` for what is not numbers.

    >>> scale_shift([[-1.0], [1.0]], gamma=[2.0], beta=[5.0])
    array([[3.], [7.]])
    """
    x_hat, gamma, beta = with_parameters("x_hat", x_hat, gamma, beta)
    return gamma * x_hat + beta


def batchnorm_forward(
    x: ArrayLike, gamma: ArrayLike, beta: ArrayLike, eps: Any = 1e-5
) -> tuple[Array, Cache]:
    r"""Batch normalization of a dense batch in training.

    .. math::
        y_{ij} = \gamma_j\,\frac{x_{ij} - \mu_j}{\sqrt{\sigma_j^2 + \varepsilon}} + \beta_j

    with the batch's own mean and biased variance. Ioffe & Szegedy 2015, Algorithm 1.

    x: (N, D); gamma, beta: (D,)  ->  y (N, D) and the :class:`Cache` for
    :func:`batchnorm_backward`

    Raises ``ValueError`` for fewer than two samples, a wrong shape, a batch whose
    variance is not finite; ``TypeError`` for what is not numbers.

    >>> y, cache = batchnorm_forward([[2.0], [4.0]], gamma=[2.0], beta=[5.0], eps=0.0)
    >>> y
    array([[3.], [7.]])
    """
    x, gamma, beta = with_parameters("x", x, gamma, beta)
    x_hat, inv_std = standardize(x, eps)
    return gamma * x_hat + beta, Cache(x_hat, inv_std, gamma.copy())


def standardize(x: Array, eps: Any, axis: str = "features") -> tuple[Array, Array]:
    """x̂ and 1/√(σ² + ε), by x's own statistics: (N, D) over N, (N, C, S) over N and S."""
    m = at_least_two(x, axis)
    _, centred = mean_and_centred(x)
    inv_std = 1 / deviation(dot(centred, centred) / m, eps)
    centred *= inv_std if x.ndim == 2 else inv_std[:, None]
    return centred, inv_std


def identity_parameters(x: ArrayLike, eps: Any = 1e-5) -> tuple[Array, Array]:
    r"""The gamma and beta with which batch normalization returns *this* batch unchanged.

    .. math:: \gamma_j = \sqrt{\sigma_j^2 + \varepsilon}, \qquad \beta_j = \mu_j

    Ioffe & Szegedy 2015, section 3, with the ε that the text leaves out there. On
    another batch the same pair is not the identity, unless that batch has the same mean
    and variance.

    x: (N, D)  ->  (gamma, beta), each (D,).  Raises as :func:`batchnorm_forward`.

    >>> identity_parameters([[2.0], [4.0]], eps=0.0)
    (array([1.]), array([3.]))
    """
    x = data("x", x, "N, D")
    m = at_least_two(x)
    mean, centred = mean_and_centred(x)
    return deviation(dot(centred, centred) / m, eps), mean


def with_parameters(
    name: str, x: ArrayLike, gamma: ArrayLike, beta: ArrayLike
) -> tuple[Array, ...]:
    """x (N, D) and its two parameters, checked and in one precision."""
    x = data(name, x, "N, D")
    of = f"{name} has {x.shape[1]} features"
    return together(
        x, vector("gamma", gamma, x.shape[1], of), vector("beta", beta, x.shape[1], of)
    )
