"""What is the mean and the variance of a batch, of many batches, of shards?"""

import numpy as np
from numpy.typing import ArrayLike

from ._arrays import Array, data, statistic, together, variance, vector
from ._channels import count, dot, mean_and_centred


def batch_mean(x: ArrayLike) -> Array:
    r"""Mean of each feature over the batch.

    .. math:: \mu_j = \frac{1}{N} \sum_{i=1}^{N} x_{ij}

    Ioffe & Szegedy 2015, Algorithm 1, line 1.  x: (N, D)  ->  (D,)

    Raises ``ValueError`` for an empty or wrongly shaped batch, ``TypeError`` for what
    is not numbers.

    >>> batch_mean([[2.0, 10.0], [4.0, 30.0]])
    array([ 3., 20.])
    """
    mean, _ = mean_and_centred(data("x", x, "N, D"))
    return mean


def batch_variance(x: ArrayLike) -> Array:
    r"""Biased variance of each feature over the batch: divided by N, not by N − 1.

    .. math:: \sigma_j^2 = \frac{1}{N} \sum_{i=1}^{N} (x_{ij} - \mu_j)^2

    Ioffe & Szegedy 2015, Algorithm 1, line 2.  x: (N, D)  ->  (D,)

    Raises as :func:`batch_mean` does.

    >>> batch_variance([[2.0, 10.0], [4.0, 30.0]])
    array([  1., 100.])
    """
    x = data("x", x, "N, D")
    _, centred = mean_and_centred(x)
    return dot(centred, centred) / len(x)


def update_running_stats(
    running_mean: ArrayLike, running_var: ArrayLike, x: ArrayLike, momentum: float = 0.1
) -> tuple[Array, Array]:
    r"""Moves the running statistics towards those of one batch.

    .. math::
        \bar\mu \leftarrow (1 - \alpha)\,\bar\mu + \alpha\,\mu, \qquad
        \bar\sigma^2 \leftarrow (1 - \alpha)\,\bar\sigma^2 + \alpha\,\tfrac{N}{N-1}\,\sigma^2

    PyTorch's convention (``torch.nn.BatchNorm1d``): the momentum α weighs the *new*
    value, and the running variance takes the *unbiased* batch variance, after the
    N/(N−1) of Ioffe & Szegedy 2015, Algorithm 2, line 10.

    running_mean, running_var: (D,); x: (N, D)  ->  two new arrays (D,); the caller's
    stay as they were.

    Raises ``ValueError`` for fewer than two samples, a wrong shape, a statistic that is
    not finite, a momentum outside [0, 1].

    >>> update_running_stats([0.0], [1.0], [[1.0], [3.0]], momentum=0.5)
    (array([1.]), array([1.5]))
    """
    return _update(
        running_mean, running_var, data("x", x, "N, D"), momentum, "features"
    )


def update_running_stats2d(
    running_mean: ArrayLike, running_var: ArrayLike, x: ArrayLike, momentum: float = 0.1
) -> tuple[Array, Array]:
    r"""The same for images: each channel has M = N·H·W values, so the unbiased factor is M/(M−1).

    .. math::
        \bar\mu \leftarrow (1 - \alpha)\,\bar\mu + \alpha\,\mu, \qquad
        \bar\sigma^2 \leftarrow (1 - \alpha)\,\bar\sigma^2 + \alpha\,\tfrac{NHW}{NHW-1}\,\sigma^2

    PyTorch's convention (``torch.nn.BatchNorm2d``).

    running_mean, running_var: (C,); x: (N, C, H, W)  ->  two new arrays (C,). Raises as
    :func:`update_running_stats`.

    >>> update_running_stats2d([0.0], [1.0], [[[[1.0, 3.0]]]], momentum=0.5)
    (array([1.]), array([1.5]))
    """
    images = data("x", x, "N, C, H, W")
    return _update(
        running_mean,
        running_var,
        images.reshape(*images.shape[:2], -1),
        momentum,
        "channels",
    )


def _update(
    running_mean: ArrayLike,
    running_var: ArrayLike,
    x: Array,
    momentum: float,
    axis: str,
) -> tuple[Array, Array]:
    of = f"x has {x.shape[1]} {axis}"
    old_mean = statistic("running_mean", running_mean, x.shape[1], of)
    old_var = variance("running_var", running_var, x.shape[1], of)
    if not 0 <= momentum <= 1:
        raise ValueError(
            f"momentum is {momentum}; expected a number from 0 to 1, the weight of the new value"
        )
    m = at_least_two(x, axis)
    x, old_mean, old_var = together(x, old_mean, old_var)
    mean, centred = mean_and_centred(x)
    unbiased = dot(centred, centred) / (m - 1)
    new_mean = statistic("the mean of x", mean, x.shape[1], of)
    new_var = variance("the variance of x", unbiased, x.shape[1], of)
    return (1 - momentum) * old_mean + momentum * new_mean, (
        1 - momentum
    ) * old_var + momentum * new_var


def merge_statistics(
    counts: ArrayLike, means: ArrayLike, variances: ArrayLike
) -> tuple[Array, Array]:
    r"""Mean and biased variance of all samples together, from those of K shards.

    .. math::
        \mu = \sum_k \frac{n_k}{n}\,\mu_k, \qquad
        \sigma^2 = \sum_k \frac{n_k}{n}\left(\sigma_k^2 + (\mu_k - \mu)^2\right), \qquad n = \sum_k n_k

    The law of total variance; Chan, Golub & LeVeque 1983 give it for two shards. Biased
    variances in and out.

    counts: (K,); means, variances: (K, D)  ->  (mean, var), each (D,)

    Raises ``ValueError`` for no shard, counts that are negative, fractional or all
    zero, mismatched shapes, statistics that are not finite. A shard of count 0 has no
    weight.

    >>> merge_statistics([1, 3], [[4.0], [0.0]], [[0.0], [8.0]])
    (array([1.]), array([9.]))
    """
    means = data("means", means, "K, D")
    variances = data("variances", variances, "K, D")
    shards = len(means)
    if variances.shape != means.shape:
        raise ValueError(
            f"variances has shape {variances.shape}, but means has shape {means.shape}"
        )
    sizes = vector("counts", counts, shards, f"means has {shards} shards")
    whole = np.isfinite(sizes.real) & (sizes.real >= 0) & (sizes.real % 1 == 0)
    if sizes.dtype.kind == "c" or not whole.all() or not sizes.any():
        raise ValueError(
            f"counts is {sizes.tolist()}; expected whole numbers, not negative, not all zero"
        )
    statistic("means", means.ravel(), means.size, "")
    variance("variances", variances.ravel(), variances.size, "")
    means, variances, weights = together(means, variances, sizes / sizes.sum())
    mean = weights @ means
    return mean, weights @ (variances + (means - mean) ** 2)


def at_least_two(x: Array, axis: str = "features") -> int:
    """How many values each channel has; one alone has no variance to normalize by."""
    m = count(x)
    if m < 2:
        one = axis.removesuffix("s")
        raise ValueError(
            f"x has one value per {one}; batch statistics need at least 2 values per {one}"
        )
    return m
