"""Which backwards are under suspicion?

Each is the backward of batch normalization in training, in a style of its own, and wrong in one line. The notebook
shows them as they stand here; the number behind a line is its name.
"""

from collections.abc import Callable

import numpy as np

from ..answers import Array

Gradients = tuple[Array, Array, Array]
Suspect = Callable[[Array, Array, Array, float], Gradients]


def suspect_1(dy: Array, x: Array, gamma: Array, eps: float) -> Gradients:
    """Node by node, in the equations of the paper of 2015."""
    N = x.shape[0]  # 1
    mean = np.mean(x, axis=0)  # 2
    var = np.var(x, axis=0)  # 3
    x_hat = (x - mean) / np.sqrt(var + eps)  # 4
    dx_hat = dy * gamma  # 5
    dvar = np.sum(dx_hat * (x - mean), axis=0) * -0.5 * (var + eps) ** -1.5  # 6
    dmean = np.sum(-dx_hat, axis=0) / (var + eps)  # 7
    dx = dx_hat / np.sqrt(var + eps) + dvar * 2 * (x - mean) / N + dmean / N  # 8
    dgamma = np.sum(dy * x_hat, axis=0)  # 9
    dbeta = np.sum(dy, axis=0)  # 10
    return dx, dgamma, dbeta  # 11


def suspect_2(dy: Array, x: Array, gamma: Array, eps: float) -> Gradients:
    """In stages, each line one operation."""
    N, _ = x.shape  # 1
    xmu = x - np.sum(x, axis=0) / N  # 2
    var = np.sum(xmu**2, axis=0) / N  # 3
    sqrtvar = np.sqrt(var + eps)  # 4
    ivar = 1 / sqrtvar  # 5
    xhat = xmu * ivar  # 6
    dbeta = np.sum(dy, axis=0)  # 7
    dgamma = np.sum(dy * xhat, axis=0)  # 8
    dxhat = dy * gamma  # 9
    divar = np.sum(dxhat * xmu, axis=0)  # 10
    dsqrtvar = -divar / sqrtvar  # 11
    dvar = 0.5 * dsqrtvar / sqrtvar  # 12
    dxmu = dxhat * ivar + 2 * xmu * dvar / N  # 13
    dmu = -np.sum(dxmu, axis=0)  # 14
    return dxmu + dmu / N, dgamma, dbeta  # 15


def suspect_3(dy: Array, x: Array, gamma: Array, eps: float) -> Gradients:
    """The closed form, with sums."""
    N = len(x)  # 1
    centred = x - x.mean(axis=0)  # 2
    x_hat = centred / np.sqrt((centred * centred).mean(axis=0) + eps)  # 3
    dbeta = dy.sum(axis=0)  # 4
    dgamma = (dy * x_hat).sum(axis=0)  # 5
    inner = N * dy - dbeta - x_hat * dgamma  # 6
    dx = gamma / (N * centred.std(axis=0)) * inner  # 7
    return dx, dgamma, dbeta  # 8


def suspect_4(dy: Array, x: Array, gamma: Array, eps: float) -> Gradients:
    """The closed form, with einsum."""
    N = len(x)  # 1
    centred = x - np.einsum("nd->d", x) / N  # 2
    inv_std = (np.einsum("nd,nd->d", centred, centred) / N + eps) ** -0.5  # 3
    x_hat = np.einsum("nd,d->nd", centred, inv_std)  # 4
    dgamma = np.einsum("nd,nd->d", dy, x)  # 5
    along = np.einsum("nd,nd->d", dy, x_hat) / N  # 6
    rest = dy - np.einsum("nd->d", dy) / N - np.einsum("nd,d->nd", x_hat, along)  # 7
    dx = np.einsum("nd,d,d->nd", rest, gamma, inv_std)  # 8
    return dx, dgamma, np.einsum("nd->d", dy)  # 9


def suspect_5(dy: Array, x: Array, gamma: Array, eps: float) -> Gradients:
    """The closed form, with means."""
    centred = x - x.mean(axis=0, keepdims=True)  # 1
    rstd = 1 / np.sqrt((centred**2).mean(axis=0, keepdims=True) + eps)  # 2
    x_hat = centred * rstd  # 3
    dx_hat = gamma * dy  # 4
    shift = dx_hat.mean(keepdims=True)  # 5
    stretch = (dx_hat * x_hat).mean(axis=0, keepdims=True)  # 6
    dx = rstd * (dx_hat - shift - stretch * x_hat)  # 7
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)  # 8


SUSPECTS: tuple[tuple[Suspect, int, int], ...] = (
    (suspect_1, 7, 11),
    (suspect_2, 11, 15),
    (suspect_3, 7, 8),
    (suspect_4, 5, 9),
    (suspect_5, 5, 8),
)
"""Each with the line that is wrong, and the number of the last line."""
