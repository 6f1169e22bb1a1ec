"""On several devices the layer is the one layer on all of the batch, and the gradients are its gradients."""

import numpy as np
import pytest

from bncourse import functional as F

EPS = 0.1
SIZES = (2, 1, 4)


def devices(seed):
    """Shards of different sizes and means, an upstream gradient for each, and the parameters."""
    rng = np.random.default_rng(seed)
    shards = [rng.normal(k, 1 + k, (n, 4, 2, 3)) for k, n in enumerate(SIZES)]
    dys = [rng.normal(1, 1, shard.shape) for shard in shards]
    return shards, dys, *rng.normal(size=(2, 4))


def sent(shards):
    """What each device sends before its forward pass."""
    means, variances = zip(*map(F.channel_statistics, shards), strict=True)
    return [shard.size // 4 for shard in shards], means, variances


def test_the_forward_of_all_devices_is_one_layer_on_the_whole_batch():
    shards, _, gamma, beta = devices(0)
    parts = [F.syncbn_forward(x, *sent(shards), gamma, beta, EPS) for x in shards]
    y, cache = F.batchnorm2d_forward(np.concatenate(shards), gamma, beta, EPS)
    np.testing.assert_allclose(np.concatenate([part[0] for part in parts]), y, atol=1e-13)
    np.testing.assert_allclose(np.concatenate([part[1] for part in parts]), cache.x_hat, atol=1e-13)
    for part in parts:
        np.testing.assert_allclose(part[2], 1 / cache.inv_std, rtol=1e-13)


def test_the_backward_of_all_devices_is_one_backward_on_the_whole_batch():
    shards, dys, gamma, beta = devices(1)
    counts, means, variances = sent(shards)
    parts = [F.syncbn_forward(x, counts, means, variances, gamma, beta, EPS) for x in shards]
    sums_dy = [dy.sum(axis=(0, 2, 3)) for dy in dys]
    sums_dy_x_hat = [(dy * x_hat).sum(axis=(0, 2, 3)) for dy, (_, x_hat, _) in zip(dys, parts, strict=True)]
    found = [
        F.syncbn_backward(dy, x_hat, std, gamma, counts, sums_dy, sums_dy_x_hat)
        for dy, (_, x_hat, std) in zip(dys, parts, strict=True)
    ]
    _, cache = F.batchnorm2d_forward(np.concatenate(shards), gamma, beta, EPS)
    dx, dgamma, dbeta = F.batchnorm2d_backward(np.concatenate(dys), cache)
    np.testing.assert_allclose(np.concatenate([one[0] for one in found]), dx, atol=1e-13)
    for _, one_dgamma, one_dbeta in found:
        np.testing.assert_allclose(one_dgamma, dgamma, atol=1e-13)
        np.testing.assert_allclose(one_dbeta, dbeta, atol=1e-13)


def test_one_device_alone_is_the_layer_itself():
    (x, *_), (dy, *_), gamma, beta = devices(2)
    y, x_hat, std = F.syncbn_forward(x, *sent([x]), gamma, beta, EPS)
    expected, cache = F.batchnorm2d_forward(x, gamma, beta, EPS)
    np.testing.assert_allclose(y, expected, atol=1e-13)
    sums = [dy.sum(axis=(0, 2, 3))], [(dy * x_hat).sum(axis=(0, 2, 3))]
    dx, _, _ = F.syncbn_backward(dy, x_hat, std, gamma, [x.size // 4], *sums)
    np.testing.assert_allclose(dx, F.batchnorm2d_backward(dy, cache)[0], atol=1e-13)


X, V, K = np.ones((2, 4, 2, 3)), np.ones(4), np.ones((3, 4))
REFUSED = {
    "rows": (lambda: F.syncbn_forward(K, [1, 1, 1], K, K, V, V), r"expected \(N, C, H, W\)"),
    "gamma of another size": (lambda: F.syncbn_forward(X, [1, 1, 1], K, K, V[:2], V), "but x has 4 channels"),
    "means of another size": (lambda: F.syncbn_forward(X, [1, 1], K[:2, :3], K[:2, :3], V, V), "but x has 4 channels"),
    "counts of another size": (lambda: F.syncbn_forward(X, [1, 1], K, K, V, V), "means has 3 shards"),
    "x_hat of another shape": (lambda: F.syncbn_backward(X, X[:1], V, V, [1, 1, 1], K, K), "but dy has shape"),
    "sums of another size": (lambda: F.syncbn_backward(X, X, V, V, [1], K[:1, :2], K[:1, :2]), "but dy has 4 channels"),
    "sums of another number": (lambda: F.syncbn_backward(X, X, V, V, [1, 1, 1], K, K[:2]), "but sums_dy has shape"),
    "counts without a device": (lambda: F.syncbn_backward(X, X, V, V, [1, 1], K, K), "sums_dy has 3 devices"),
    "no values": (lambda: F.syncbn_backward(X, X, V, V, [0, 0, 0], K, K), "expected at least one value"),
}


@pytest.mark.parametrize(("call", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused_in_words(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
