"""Twenty-four wrong backward passes of batch normalization, and three that misbehave otherwise.

Each is a mistake of the course's list of misconceptions about the backward pass, and differs from the right one in that
alone. They are what a gradient check has to see: ``WRONG`` by its numbers, ``MISBEHAVING`` by what it does besides.
Forward and cache are plain NumPy written for this purpose; the cache is a dictionary.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Backward = Callable[[Any, dict[str, Any]], tuple[Any, ...]]
WRONG: dict[str, Backward] = {}
MISBEHAVING: dict[str, Backward] = {}


def wrong(backward: Backward) -> Backward:
    """Registers a backward pass whose gradient is wrong."""
    WRONG[backward.__name__] = backward
    return backward


def misbehaving(backward: Backward) -> Backward:
    """Registers a backward pass that breaks the contract in another way."""
    MISBEHAVING[backward.__name__] = backward
    return backward


def forward(x, gamma, beta, eps=1e-5):
    """Batch normalization of (N, D); holomorphic."""
    centred = x - x.sum(axis=0) / len(x)
    var = (centred * centred).sum(axis=0) / len(x)
    std = np.sqrt(var + eps)
    x_hat = centred / std
    cache = {"x": x, "centred": centred, "var": var, "std": std, "x_hat": x_hat, "gamma": gamma, "eps": eps}
    return gamma * x_hat + beta, cache


def forward2d(x, gamma, beta, eps=1e-5):
    """The same for (N, C, H, W), on the (N·H·W, C) rows of its pixels."""
    y, cache = forward(pixels(x), gamma, beta, eps)
    return images(y, x.shape), cache | {"shape": x.shape}


def pixels(x):
    """(N, C, H, W) -> (N·H·W, C)."""
    return x.transpose(0, 2, 3, 1).reshape(-1, x.shape[1])


def images(rows, shape):
    """The way back."""
    n, c, h, w = shape
    return rows.reshape(n, h, w, c).transpose(0, 3, 1, 2)


def right(dy, cache):
    """The right one, node by node."""
    return nodes(dy, cache)


def right2d(dy, cache):
    """The right one for images."""
    dx, dgamma, dbeta = nodes(pixels(dy), cache)
    return images(dx, dy.shape), dgamma, dbeta


def nodes(dy, cache, mean_path=1.0, variance_path=1.0, n=None, two=2.0):
    """dx as its three terms, each of which may be scaled: direct, through the variance, through the mean."""
    gamma, std, centred = cache["gamma"], cache["std"], cache["centred"]
    n = n or len(dy)
    dx_hat = dy * gamma
    dvar = (dx_hat * centred).sum(axis=0) * -0.5 / std**3
    dmean = -(dx_hat / std).sum(axis=0)
    dx = dx_hat / std + variance_path * dvar * two * centred / n + mean_path * dmean / n
    return dx, (dy * cache["x_hat"]).sum(axis=0), dy.sum(axis=0)


@wrong
def statistics_held_constant(dy, cache):
    """45: neither the mean nor the variance is differentiated."""
    return nodes(dy, cache, mean_path=0, variance_path=0)


@wrong
def mean_path_missing(dy, cache):
    """46: the mean counts as a constant."""
    return nodes(dy, cache, mean_path=0)


@wrong
def variance_path_missing(dy, cache):
    """47: the variance counts as a constant."""
    return nodes(dy, cache, variance_path=0)


@wrong
def variance_path_sign(dy, cache):
    """48: the variance's term is added with the wrong sign."""
    return nodes(dy, cache, variance_path=-1)


@wrong
def mean_path_sign(dy, cache):
    """49: the mean's term is added with the wrong sign."""
    return nodes(dy, cache, mean_path=-1)


@wrong
def square_without_its_two(dy, cache):
    """50: the derivative of the square lacks its factor 2."""
    return nodes(dy, cache, two=1.0)


@wrong
def sums_for_means(dy, cache):
    """51: the terms through mean and variance are not divided by N."""
    return nodes(dy, cache, n=1)


@wrong
def n_minus_one(dy, cache):
    """52: N - 1 for N."""
    return nodes(dy, cache, n=len(dy) - 1)


@wrong
def images_for_pixels(dy, cache):
    """53: in a batch of images, N for N·H·W."""
    dx, dgamma, dbeta = nodes(pixels(dy), cache, n=len(dy))
    return images(dx, dy.shape), dgamma, dbeta


@wrong
def gamma_missing(dy, cache):
    """54: dx without γ."""
    return nodes(dy, cache | {"gamma": np.ones_like(cache["gamma"])})


@wrong
def gamma_twice(dy, cache):
    """55: dx with γ²."""
    return nodes(dy, cache | {"gamma": cache["gamma"] ** 2})


@wrong
def variance_for_deviation(dy, cache):
    """56: 1/σ² where 1/σ belongs."""
    dx, dgamma, dbeta = nodes(dy, cache)
    return dx / cache["std"], dgamma, dbeta


@wrong
def sums_over_the_features(dy, cache):
    """57: the means inside dx run along axis 1."""
    gamma, std, x_hat = cache["gamma"], cache["std"], cache["x_hat"]
    mean_dy, mean_dy_x_hat = dy.mean(axis=1, keepdims=True), (dy * x_hat).mean(axis=1, keepdims=True)
    _, dgamma, dbeta = nodes(dy, cache)
    return gamma / std * (dy - mean_dy - x_hat * mean_dy_x_hat), dgamma, dbeta


@wrong
def x_for_x_hat_in_dx(dy, cache):
    """58: dx is projected along x, not along x̂."""
    gamma, std, x = cache["gamma"], cache["std"], cache["x"]
    _, dgamma, dbeta = nodes(dy, cache)
    return gamma / std * (dy - dy.mean(axis=0) - x * (dy * x).mean(axis=0)), dgamma, dbeta


@wrong
def dgamma_with_x(dy, cache):
    """59: dγ sums dy·x, not dy·x̂."""
    dx, _, dbeta = nodes(dy, cache)
    return dx, (dy * cache["x"]).sum(axis=0), dbeta


@wrong
def dgamma_with_centred_x(dy, cache):
    """60: dγ sums dy·(x - μ), not dy·x̂."""
    dx, _, dbeta = nodes(dy, cache)
    return dx, (dy * cache["centred"]).sum(axis=0), dbeta


@wrong
def parameters_not_summed(dy, cache):
    """61: dγ and dβ are left as (N, D)."""
    dx, _, _ = nodes(dy, cache)
    return dx, dy * cache["x_hat"], dy


@wrong
def parameters_averaged(dy, cache):
    """62: dγ and dβ are means, not sums."""
    dx, dgamma, dbeta = nodes(dy, cache)
    return dx, dgamma / len(dy), dbeta / len(dy)


@wrong
def dbeta_times_gamma(dy, cache):
    """63: dβ carries a γ."""
    dx, dgamma, dbeta = nodes(dy, cache)
    return dx, dgamma, dbeta * cache["gamma"]


@wrong
def dx_is_zero(dy, cache):
    """64: dx is taken for 0, as it is for dy = 1."""
    dx, dgamma, dbeta = nodes(dy, cache)
    return 0 * dx, dgamma, dbeta


@wrong
def features_for_samples(dy, cache):
    """66: D for N."""
    return nodes(dy, cache, n=dy.shape[1])


@wrong
def factor_on_the_first_term_only(dy, cache):
    """67: in (γ/(sN))·(N dy - Σdy - x̂ Σdy·x̂) the factor reaches the first term only."""
    gamma, std, x_hat = cache["gamma"], cache["std"], cache["x_hat"]
    _, dgamma, dbeta = nodes(dy, cache)
    return gamma / std * dy - dbeta - x_hat * dgamma, dgamma, dbeta


@wrong
def diagonal_of_the_jacobian(dy, cache):
    """68: only ∂y_i/∂x_i, none of the ∂y_k/∂x_i."""
    gamma, std, x_hat, n = cache["gamma"], cache["std"], cache["x_hat"], len(dy)
    _, dgamma, dbeta = nodes(dy, cache)
    return gamma / std * (1 - 1 / n - x_hat**2 / n) * dy, dgamma, dbeta


@wrong
def eps_left_out(dy, cache):
    """71: the backward divides by σ, the forward by √(σ² + ε)."""
    std = np.sqrt(cache["var"])
    return nodes(dy, cache | {"std": std, "x_hat": cache["centred"] / std})


@misbehaving
def cache_changed(dy, cache):
    """65: x̂ is overwritten on the way, so that a second call goes wrong."""
    gradients = nodes(dy, cache)
    cache["centred"] *= cache["gamma"]
    return gradients


@misbehaving
def updates_the_parameters(dy, cache):
    """69: the gradient step is taken inside, on the γ of the cache."""
    gradients = nodes(dy, cache)
    cache["gamma"] -= 0.1 * gradients[1]
    return gradients


@misbehaving
def order_of_the_gradients(dy, cache):
    """70: (dβ, dγ, dx) instead of (dx, dγ, dβ)."""
    return nodes(dy, cache)[::-1]


def case(name, seed=0, n=7, d=4, eps=1e-5):
    """Forward, and inputs that hide nothing: mean ≠ 0, sd ≠ 1, γ ≠ 1, β ≠ 0, N ≠ D; images where they are meant."""
    rng = np.random.default_rng(seed)
    shape = (n, d, 3, 2) if name == "images_for_pixels" else (n, d)
    parameters = rng.uniform(0.5, 2.0, d) * rng.choice([-1, 1], d), rng.normal(size=d)
    x = rng.normal(rng.normal(0, 2, d), rng.uniform(0.5, 2, d), (*shape[:1], *shape[2:], d))
    of = forward2d if len(shape) == 4 else forward
    return lambda *inputs: of(*inputs, eps=eps), (np.moveaxis(x, -1, 1), *parameters)
