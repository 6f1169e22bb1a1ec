"""Which right answers do students write to `variants`? Their source is also what wrong answers are made from.

In every part each forward is followed by the backward that reads its cache.
"""

import math

import numpy as np

# layernorm_forward and layernorm_backward


def layer_keepdims(x, gamma, beta, eps=1e-5):
    mu = np.mean(x, axis=1, keepdims=True)
    var = np.var(x, axis=1, keepdims=True)
    std = np.sqrt(var + eps)
    x_hat = (x - mu) / std
    y = gamma * x_hat + beta
    return y, (x_hat, std, gamma)


def layer_closed_form(dy, cache):
    x_hat, std, gamma = cache
    D = dy.shape[1]
    dgamma = np.sum(dy * x_hat, axis=0)
    dbeta = np.sum(dy, axis=0)
    d = dy * gamma
    dx = (D * d - np.sum(d, axis=1, keepdims=True) - x_hat * np.sum(d * x_hat, axis=1, keepdims=True)) / (D * std)
    return dx, dgamma, dbeta


def layer_staged_on_the_transpose(x, gamma, beta, eps=1e-5):
    xt = x.T
    mu = np.mean(xt, axis=0)
    xmu = xt - mu
    sq = xmu**2
    var = np.mean(sq, axis=0)
    sqrtvar = np.sqrt(var + eps)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar
    out = gamma * xhat.T + beta
    cache = {"xhat": xhat, "gamma": gamma, "xmu": xmu, "ivar": ivar, "sqrtvar": sqrtvar, "var": var, "eps": eps}
    return out, cache


def layer_staged_backward(dout, cache):
    xhat, gamma, xmu = cache["xhat"], cache["gamma"], cache["xmu"]
    ivar, sqrtvar, var, eps = cache["ivar"], cache["sqrtvar"], cache["var"], cache["eps"]
    D, N = xmu.shape
    dbeta = np.sum(dout, axis=0)
    dgamma = np.sum(dout * xhat.T, axis=0)
    dxhat = (dout * gamma).T
    divar = np.sum(dxhat * xmu, axis=0)
    dxmu1 = dxhat * ivar
    dsqrtvar = -1.0 / (sqrtvar**2) * divar
    dvar = 0.5 * 1.0 / np.sqrt(var + eps) * dsqrtvar
    dsq = 1.0 / D * np.ones((D, N)) * dvar
    dxmu2 = 2 * xmu * dsq
    dx1 = dxmu1 + dxmu2
    dmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)
    dx2 = 1.0 / D * np.ones((D, N)) * dmu
    dx = dx1 + dx2
    return dx.T, dgamma, dbeta


def layer_einsum(x, gamma, beta, eps=1e-5):
    D = x.shape[1]
    m = np.einsum("nd->n", x) / D
    xc = x - m[:, None]
    v = np.einsum("nd,nd->n", xc, xc) / D
    s = 1 / np.sqrt(v + eps)
    y = np.einsum("nd,n,d->nd", xc, s, gamma) + beta
    return y, [xc, s, gamma]


def layer_einsum_backward(dy, cache):
    xc, s, gamma = cache
    D = xc.shape[1]
    xn = np.einsum("nd,n->nd", xc, s)
    along_x = np.einsum("nd,d,nd->n", dy, gamma, xn) / D
    along_1 = np.einsum("nd,d->n", dy, gamma) / D
    dx = np.einsum("nd,d,n->nd", dy, gamma, s)
    dx = dx - (along_1 * s)[:, None] - np.einsum("nd,n,n->nd", xn, along_x, s)
    return dx, np.einsum("nd,nd->d", dy, xn), np.einsum("nd->d", dy)


def layer_by_sample(x, gamma, beta, eps=1e-5):
    y = np.zeros(x.shape)
    means, variances = [], []
    for i in range(len(x)):
        mean = sum(x[i]) / len(x[i])
        var = sum((value - mean) ** 2 for value in x[i]) / len(x[i])
        for j in range(len(x[i])):
            y[i, j] = gamma[j] * (x[i, j] - mean) / math.sqrt(var + eps) + beta[j]
        means.append(mean)
        variances.append(var)
    return y, (x, gamma, means, variances, eps)


def layer_backward_by_sample(dy, cache):
    x, gamma, means, variances, eps = cache
    N, D = dy.shape
    dx = np.zeros((N, D))
    dgamma = np.zeros(D)
    dbeta = np.zeros(D)
    for i in range(N):
        s = math.sqrt(variances[i] + eps)
        x_hat = (x[i] - means[i]) / s
        g = gamma * dy[i]
        dx[i] = (g - g.mean() - x_hat * (g * x_hat).mean()) / s
        dgamma += dy[i] * x_hat
        dbeta += dy[i]
    return dx, dgamma, dbeta


def layer_centring_matrix(x, gamma, beta, eps=1e-5):
    D = x.shape[1]
    P = np.eye(D) - np.ones((D, D)) / D
    xc = (x - x[:, :1]) @ P  # from the first value, or P leaves a constant rounding errors
    var = np.diag(xc @ xc.T) / D
    inv = (var + eps) ** -0.5
    x_hat = np.diag(inv) @ xc
    y = x_hat @ np.diag(gamma) + np.outer(np.ones(len(x)), beta)
    return y, (x_hat, inv, gamma, P)


def layer_jacobian(dy, cache):
    x_hat, inv, gamma, P = cache
    N, D = dy.shape
    dx = np.empty((N, D))
    for n in range(N):
        J = inv[n] * (P - np.outer(x_hat[n], x_hat[n]) / D)
        dx[n] = J @ (gamma * dy[n])
    ones = np.ones(N)
    return dx, ones @ (dy * x_hat), ones @ dy


def layer_tiles(x, gamma, beta, eps=1e-5):
    N, D = x.shape
    mean = np.tile(x.mean(axis=1).reshape(N, 1), (1, D))
    var = np.tile(((x - mean) ** 2).mean(axis=1).reshape(N, 1), (1, D))
    g = np.tile(gamma, (N, 1))
    b = np.tile(beta, (N, 1))
    x_hat = (x - mean) / np.sqrt(var + eps)
    return g * x_hat + b, {"x": x, "mean": mean, "var": var, "g": g, "eps": eps}


def layer_paper_backward(dy, cache):
    x, mean, var, g, eps = cache["x"], cache["mean"], cache["var"], cache["g"], cache["eps"]
    D = x.shape[1]
    dx_hat = dy * g
    dvar = np.sum(dx_hat * (x - mean), axis=1, keepdims=True) * -0.5 * (var + eps) ** -1.5
    dmean = np.sum(-dx_hat / np.sqrt(var + eps), axis=1, keepdims=True)
    dmean = dmean + dvar * np.mean(-2.0 * (x - mean), axis=1, keepdims=True)
    dx = dx_hat / np.sqrt(var + eps) + dvar * 2.0 * (x - mean) / D + dmean / D
    dgamma = np.sum(dy * (x - mean) / np.sqrt(var + eps), axis=0, keepdims=True)
    dbeta = np.sum(dy, axis=0, keepdims=True)
    return dx, dgamma, dbeta


def layer_own_copy(x, gamma, beta, eps=1e-5):
    if x.ndim != 2:
        raise ValueError("x must be (N, D)")

    class Cache:
        pass

    kept = Cache()
    out = np.array(x, dtype=np.float64)
    out -= out.mean(axis=1)[:, None]
    kept.rstd = 1.0 / np.sqrt(np.mean(out**2, axis=1) + eps)
    out *= kept.rstd[:, None]
    kept.x_hat = out.copy()
    kept.gamma = np.array(gamma, dtype=np.float64)
    out *= gamma
    out += beta
    return out, kept


def layer_own_copy_backward(dy, kept):
    d = kept.gamma * dy
    dgamma = (dy * kept.x_hat).sum(0)
    dbeta = dy.sum(0)
    d -= d.mean(1)[:, None]
    d -= kept.x_hat * (d * kept.x_hat).mean(1)[:, None]
    d *= kept.rstd[:, None]
    return [d, dgamma, dbeta]


def layer_shifted_moments(x, gamma, beta, eps=1e-5):
    z = x - x[:, :1]
    m1 = np.average(z, axis=1)
    m2 = np.average(z * z, axis=1)
    var = np.maximum(m2 - m1**2, 0)
    xn = (z - m1[:, None]) / np.sqrt(var + eps)[:, None]
    return xn * gamma + beta, (xn.T, gamma, np.sqrt(var + eps))


def batch_backward(dy, cache):
    xhat, std = cache
    N = len(dy)
    return (dy - dy.sum(axis=0) / N - xhat * (dy * xhat).sum(axis=0) / N) / std


def layer_by_the_batch_one(dy, cache):
    xhat, gamma, std = cache
    dx = batch_backward((dy * gamma).T, (xhat, std)).T
    dgamma = (dy.T * xhat).sum(axis=1)
    dbeta = dy.T.sum(axis=1)
    return dx, dgamma, dbeta


def layer_float32(x, gamma, beta, eps=1e-5):
    x64 = x.astype(np.float64)
    m = x64.mean(axis=-1, keepdims=True)
    s = np.sqrt(np.square(x64 - m).mean(axis=-1, keepdims=True) + eps)
    y = (x64 - m) / s * gamma + beta
    return y.astype(np.float32), None


# instancenorm_forward and instancenorm_backward


def instance_keepdims(x, gamma, beta, eps=1e-5):
    mean = x.mean(axis=(2, 3), keepdims=True)
    var = x.var(axis=(2, 3), keepdims=True)
    x_hat = (x - mean) / np.sqrt(var + eps)
    y = gamma.reshape(1, -1, 1, 1) * x_hat + beta.reshape(1, -1, 1, 1)
    return y, (x, x_hat, mean, var, gamma, eps)


def instance_paper_backward(dy, cache):
    x, x_hat, mean, var, gamma, eps = cache
    m = x.shape[2] * x.shape[3]
    dx_hat = dy * gamma.reshape(1, -1, 1, 1)
    dvar = np.sum(dx_hat * (x - mean) * -0.5 * (var + eps) ** -1.5, axis=(2, 3), keepdims=True)
    dmean = np.sum(-dx_hat / np.sqrt(var + eps), axis=(2, 3), keepdims=True)
    dmean -= dvar * np.sum(2 * (x - mean), axis=(2, 3), keepdims=True) / m
    dx = dx_hat / np.sqrt(var + eps) + dvar * 2 * (x - mean) / m + dmean / m
    return dx, np.sum(dy * x_hat, axis=(0, 2, 3)), np.sum(dy, axis=(0, 2, 3))


def instance_rows(x, gamma, beta, eps=1e-5):
    N, C, H, W = x.shape
    rows = x.reshape(N * C, H * W)
    mu = np.mean(rows, axis=1)
    xmu = rows - mu[:, None]
    var = np.mean(xmu**2, axis=1)
    sqrtvar = np.sqrt(var + eps)
    ivar = 1.0 / sqrtvar
    xhat = (xmu * ivar[:, None]).reshape(N, C, H, W)
    y = gamma[:, None, None] * xhat + beta[:, None, None]
    return y, {"xhat": xhat, "xmu": xmu, "sqrtvar": sqrtvar, "ivar": ivar, "gamma": gamma}


def instance_staged_backward(dout, cache):
    N, C, H, W = dout.shape
    M = H * W
    xmu, sqrtvar, ivar = cache["xmu"], cache["sqrtvar"], cache["ivar"]
    dbeta = dout.sum(axis=(0, 2, 3))
    dgamma = (dout * cache["xhat"]).sum(axis=(0, 2, 3))
    dxhat = (dout * cache["gamma"][:, None, None]).reshape(N * C, M)
    divar = np.sum(dxhat * xmu, axis=1)
    dsqrtvar = -divar / sqrtvar**2
    dvar = 0.5 * dsqrtvar / sqrtvar
    dsq = np.ones((N * C, M)) / M * dvar[:, None]
    dxmu = dxhat * ivar[:, None] + 2 * xmu * dsq
    dmu = -np.sum(dxmu, axis=1)
    dx = dxmu + np.ones((N * C, M)) / M * dmu[:, None]
    return dx.reshape(N, C, H, W), dgamma, dbeta


def instance_einsum(x, gamma, beta, eps=1e-5):
    area = x.shape[2] * x.shape[3]
    xc = x - np.einsum("nchw->nc", x)[:, :, None, None] / area
    s = np.sqrt(np.einsum("nchw,nchw->nc", xc, xc) / area + eps)
    xn = np.einsum("nchw,nc->nchw", xc, 1 / s)
    y = np.einsum("nchw,c->nchw", xn, gamma) + np.expand_dims(beta, (1, 2))
    return y, [xn, s, gamma]


def instance_einsum_backward(dy, cache):
    xn, s, gamma = cache
    area = dy.shape[2] * dy.shape[3]
    a = np.einsum("nchw->nc", dy) / area
    b = np.einsum("nchw,nchw->nc", dy, xn) / area
    inner = dy - a[:, :, None, None] - np.einsum("nchw,nc->nchw", xn, b)
    dx = np.einsum("nchw,c,nc->nchw", inner, gamma, 1 / s)
    return dx, area * b.sum(axis=0), area * a.sum(axis=0)


def instance_by_plane(x, gamma, beta, eps=1e-5):
    N, C = x.shape[:2]
    y = np.empty(x.shape)
    stats = {}
    for n in range(N):
        for c in range(C):
            plane = x[n, c]
            m = np.mean(plane)
            s = math.sqrt(np.mean((plane - m) ** 2) + eps)
            y[n, c] = gamma[c] * (plane - m) / s + beta[c]
            stats[n, c] = (m, s)
    return y, (x, gamma, stats)


def instance_backward_by_plane(dy, cache):
    x, gamma, stats = cache
    N, C, H, W = x.shape
    dx = np.zeros((N, C, H, W))
    dgamma, dbeta = np.zeros(C), np.zeros(C)
    for (n, c), (m, s) in stats.items():
        g = dy[n, c]
        x_hat = (x[n, c] - m) / s
        dx[n, c] = gamma[c] / (H * W * s) * (H * W * g - g.sum() - x_hat * (g * x_hat).sum())
        dgamma[c] += (g * x_hat).sum()
        dbeta[c] += g.sum()
    return dx, dgamma, dbeta


def instance_centring_matrix(x, gamma, beta, eps=1e-5):
    N, C, H, W = x.shape
    M = H * W
    P = np.eye(M) - np.full((M, M), 1 / M)
    planes = x.reshape(N, C, M)
    xc = (planes - planes[:, :, :1]) @ P  # from the first value, or P leaves a constant rounding errors
    v = np.linalg.norm(xc, axis=2) ** 2 / M
    istd = (v + eps) ** -0.5
    xn = xc * istd[:, :, None]
    y = np.diag(gamma) @ xn + beta[:, None]
    return y.reshape(N, C, H, W), (xn, istd, gamma, P)


def instance_jacobian(dy, cache):
    xn, istd, gamma, P = cache
    N, C, M = xn.shape
    g = dy.reshape(N, C, M)
    J = P - xn[:, :, :, None] * xn[:, :, None, :] / M
    J = J * (istd * gamma)[:, :, None, None]
    dx = (J @ g[:, :, :, None])[:, :, :, 0]
    return dx.reshape(dy.shape), (g * xn).sum(axis=2).sum(axis=0), g.sum(axis=2).sum(axis=0)


def instance_own_copy(x, gamma, beta, eps=1e-5):
    if x.ndim != 4:
        raise ValueError("x must be (N, C, H, W)")
    out = x.astype(float)
    rstd = np.empty(x.shape[:2])
    for n, image in enumerate(out):
        for c, plane in enumerate(image):
            plane -= plane.mean()
            rstd[n, c] = 1 / np.sqrt((plane * plane).mean() + eps)
            plane *= rstd[n, c]
    cache = {"x_hat": out.copy(), "rstd": rstd[:, :, None, None], "gamma": gamma.reshape(1, -1, 1, 1).astype(float)}
    out *= cache["gamma"]
    out += np.reshape(beta, (1, -1, 1, 1))
    return out, cache


def instance_own_copy_backward(dy, cache):
    x_hat = cache["x_hat"]
    C = dy.shape[1]
    dx = dy * cache["gamma"]
    dx -= dx.mean(axis=(2, 3), keepdims=True)
    dx -= x_hat * (dx * x_hat).mean(axis=(2, 3), keepdims=True)
    dx *= cache["rstd"]
    dgamma = (dy * x_hat).sum(axis=(0, 2, 3)).reshape(1, C)
    dbeta = dy.sum(axis=(0, 2, 3)).reshape(1, C)
    return dx, dgamma, dbeta


def instance_as_batchnorm_of_one_image(x, gamma, beta, eps=1e-5):
    outputs, caches = [], []
    for image in x:
        mu = image.mean(axis=(1, 2))
        sigma2 = image.var(axis=(1, 2))
        a = gamma / np.sqrt(sigma2 + eps)
        outputs.append(a[:, None, None] * (image - mu[:, None, None]) + beta[:, None, None])
        caches.append((image - mu[:, None, None], sigma2 + eps, gamma))
    return np.stack(outputs), caches


def backward_of_one_image(dy, cache):
    xmu, v, gamma = cache
    m = xmu[0].size
    dbeta = dy.sum(axis=(1, 2))
    dgamma = (dy * xmu).sum(axis=(1, 2)) / np.sqrt(v)
    k = (gamma / np.sqrt(v))[:, None, None]
    dx = k * (dy - dbeta[:, None, None] / m - xmu * (dgamma / np.sqrt(v))[:, None, None] / m)
    return dx, dgamma, dbeta


def instance_by_the_backward_of_one_image(dy, caches):
    dx = np.zeros(dy.shape)
    dgamma = np.zeros(dy.shape[1])
    dbeta = np.zeros(dy.shape[1])
    for n, cache in enumerate(caches):
        dx[n], dg, db = backward_of_one_image(dy[n], cache)
        dgamma += dg
        dbeta += db
    return dx, dgamma, dbeta


# groupnorm_forward and groupnorm_backward


def group_keepdims(x, gamma, beta, groups, eps=1e-5):
    N, C, H, W = x.shape
    xg = x.reshape(N, groups, C // groups, H, W)
    mean = xg.mean(axis=(2, 3, 4), keepdims=True)
    var = xg.var(axis=(2, 3, 4), keepdims=True)
    std = np.sqrt(var + eps)
    x_hat = ((xg - mean) / std).reshape(N, C, H, W)
    y = gamma.reshape(1, C, 1, 1) * x_hat + beta.reshape(1, C, 1, 1)
    return y, (x_hat, std, gamma, groups)


def group_closed_form(dy, cache):
    x_hat, std, gamma, groups = cache
    N, C, H, W = dy.shape
    dgamma = (dy * x_hat).sum(axis=(0, 2, 3))
    dbeta = dy.sum(axis=(0, 2, 3))
    shape = (N, groups, C // groups, H, W)
    d = (dy * gamma.reshape(1, C, 1, 1)).reshape(shape)
    xg = x_hat.reshape(shape)
    mean_d = d.mean(axis=(2, 3, 4), keepdims=True)
    mean_dx = (d * xg).mean(axis=(2, 3, 4), keepdims=True)
    dx = (d - mean_d - xg * mean_dx) / std
    return dx.reshape(N, C, H, W), dgamma, dbeta


def group_staged_on_columns(x, gamma, beta, groups, eps=1e-5):
    N, C, H, W = x.shape
    cols = x.reshape(N * groups, -1).T
    mu = np.mean(cols, axis=0)
    xmu = cols - mu
    sq = xmu**2
    var = np.mean(sq, axis=0)
    sqrtvar = np.sqrt(var + eps)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar
    xhat4 = xhat.T.reshape(N, C, H, W)
    out = gamma[np.newaxis, :, np.newaxis, np.newaxis] * xhat4 + beta[np.newaxis, :, np.newaxis, np.newaxis]
    return out, {"xhat4": xhat4, "xmu": xmu, "ivar": ivar, "sqrtvar": sqrtvar, "gamma": gamma, "G": groups}


def group_staged_backward(dout, cache):
    N, C, H, W = dout.shape
    xmu, ivar, sqrtvar, G = cache["xmu"], cache["ivar"], cache["sqrtvar"], cache["G"]
    M = xmu.shape[0]
    dbeta = np.sum(dout, axis=(0, 2, 3))
    dgamma = np.sum(dout * cache["xhat4"], axis=(0, 2, 3))
    dxhat4 = dout * cache["gamma"][np.newaxis, :, np.newaxis, np.newaxis]
    dxhat = dxhat4.reshape(N * G, M).T
    divar = np.sum(dxhat * xmu, axis=0)
    dxmu1 = dxhat * ivar
    dsqrtvar = -1.0 / sqrtvar**2 * divar
    dvar = 0.5 / sqrtvar * dsqrtvar
    dsq = np.ones((M, N * G)) * dvar / M
    dxmu2 = 2 * xmu * dsq
    dmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)
    dx = dxmu1 + dxmu2 + np.ones((M, N * G)) * dmu / M
    return dx.T.reshape(N, C, H, W), dgamma, dbeta


def group_membership_matrix(x, gamma, beta, groups, eps=1e-5):
    size = x.shape[1] // groups
    A = np.kron(np.eye(groups), np.ones((1, size)))
    m = size * x.shape[2] * x.shape[3]
    mean = np.einsum("gc,nchw->ng", A, x) / m
    xc = x - np.einsum("gc,ng->nc", A, mean)[:, :, None, None]
    var = np.einsum("gc,nchw->ng", A, xc * xc) / m
    inv = np.einsum("gc,ng->nc", A, 1 / np.sqrt(var + eps))
    y = np.einsum("nchw,nc,c->nchw", xc, inv, gamma) + beta[:, None, None]
    return y, [xc, inv, gamma, A, m]


def group_membership_backward(dy, cache):
    xc, inv, gamma, A, m = cache
    x_hat = np.einsum("nchw,nc->nchw", xc, inv)
    dx_hat = np.einsum("nchw,c->nchw", dy, gamma)
    B = A.T @ A / m
    p = np.einsum("nchw,ck->nk", dx_hat, B)
    q = np.einsum("nchw,nchw,ck->nk", dx_hat, x_hat, B)
    dx = np.einsum("nchw,nc->nchw", dx_hat - p[:, :, None, None] - x_hat * q[:, :, None, None], inv)
    return dx, np.einsum("nchw,nchw->c", dy, x_hat), np.einsum("nchw->c", dy)


def group_by_loops(x, gamma, beta, groups, eps=1e-5):
    N, C, H, W = x.shape
    size = C // groups
    y = np.zeros((N, C, H, W))
    stats = []
    for n in range(N):
        for g in range(groups):
            block = x[n, g * size : (g + 1) * size]
            mu = block.sum() / (size * H * W)
            sigma2 = ((block - mu) ** 2).sum() / (size * H * W)
            for c in range(g * size, (g + 1) * size):
                y[n, c] = gamma[c] * (x[n, c] - mu) / math.sqrt(sigma2 + eps) + beta[c]
            stats.append((n, g, mu, sigma2))
    return y, (x, gamma, groups, eps, stats)


def group_backward_by_loops(dy, cache):
    x, gamma, groups, eps, stats = cache
    N, C, H, W = x.shape
    size = C // groups
    m = size * H * W
    dx = np.zeros((N, C, H, W))
    dgamma = [0.0] * C
    dbeta = [0.0] * C
    for n, g, mu, sigma2 in stats:
        std = math.sqrt(sigma2 + eps)
        sum_d = 0.0
        sum_dx = 0.0
        for c in range(g * size, (g + 1) * size):
            x_hat = (x[n, c] - mu) / std
            sum_d += gamma[c] * dy[n, c].sum()
            sum_dx += gamma[c] * (dy[n, c] * x_hat).sum()
            dgamma[c] += (dy[n, c] * x_hat).sum()
            dbeta[c] += dy[n, c].sum()
        for c in range(g * size, (g + 1) * size):
            x_hat = (x[n, c] - mu) / std
            dx[n, c] = (m * gamma[c] * dy[n, c] - sum_d - x_hat * sum_dx) / (m * std)
    return dx, dgamma, dbeta


def group_split(x, gamma, beta, groups, eps=1e-5):
    if x.shape[1] % groups:
        raise ValueError("the groups must divide the channels")
    parts = []
    for part in np.split(x, groups, axis=1):
        m = part.mean(axis=(1, 2, 3), keepdims=True)
        s = np.sqrt(part.var(axis=(1, 2, 3), keepdims=True) + eps)
        parts.append((part - m, s))
    xn = np.concatenate([xc / s for xc, s in parts], axis=1)
    return xn * gamma[:, None, None] + beta[:, None, None], (parts, gamma)


def group_split_backward(dy, cache):
    parts, gamma = cache
    groups = len(parts)
    dx, dgamma, dbeta = [], [], []
    pairs = zip(parts, np.split(dy, groups, axis=1), np.split(gamma, groups), strict=True)
    for (xc, s), dpart, g in pairs:
        m = xc[0].size
        d = dpart * g[:, None, None]
        ds = -(d * xc).sum(axis=(1, 2, 3), keepdims=True) / s**2
        dvar = ds / (2 * s)
        dxc = d / s + dvar * 2 * xc / m
        dx.append(dxc - dxc.mean(axis=(1, 2, 3), keepdims=True))
        dgamma.append((dpart * xc / s).sum(axis=(0, 2, 3)))
        dbeta.append(dpart.sum(axis=(0, 2, 3)))
    return np.concatenate(dx, axis=1), np.concatenate(dgamma), np.concatenate(dbeta)


def group_centring_matrix(x, gamma, beta, groups, eps=1e-5):
    N, C, H, W = x.shape
    rows = x.reshape(N * groups, -1)
    M = rows.shape[1]
    P = np.eye(M) - np.ones((M, M)) / M
    xc = (rows - rows[:, :1]) @ P  # from the first value, or P leaves a constant rounding errors
    inv = (np.sum(xc**2, axis=1) / M + eps) ** -0.5
    xn = np.diag(inv) @ xc
    y = xn.reshape(N, C, H * W) * gamma[:, None] + beta[:, None]
    return y.reshape(N, C, H, W), (xn, inv, gamma, P)


def group_jacobian(dy, cache):
    xn, inv, gamma, P = cache
    N, C, H, W = dy.shape
    M = xn.shape[1]
    d = (dy * gamma[:, None, None]).reshape(-1, M)
    dx = np.zeros(d.shape)
    for i in range(len(d)):
        dx[i] = inv[i] * (P - np.outer(xn[i], xn[i]) / M) @ d[i]
    dgamma = np.sum(dy * xn.reshape(N, C, H, W), axis=(0, 2, 3)).reshape(1, C)
    dbeta = np.sum(dy, axis=(0, 2, 3)).reshape(1, C)
    return dx.reshape(N, C, H, W), dgamma, dbeta


def group_repeated_statistics(x, gamma, beta, groups, eps=1e-5):
    size = x.shape[1] // groups
    flat = x.reshape(len(x), groups, -1)
    mean = np.repeat(np.mean(flat, axis=2), size, axis=1)[:, :, None, None]
    var = np.repeat(np.var(flat, axis=2), size, axis=1)[:, :, None, None]
    rstd = 1 / np.sqrt(var + eps)
    scale = gamma[:, None, None] * rstd
    y = np.array(x, dtype=float)
    y -= mean
    y *= scale
    y += beta[:, None, None]
    return y, {"x": x, "mean": mean, "rstd": rstd, "gamma": gamma, "groups": groups}


def rows_backward(d, x_hat, rstd):
    along_1 = d.mean(axis=1, keepdims=True)
    along_x = (d * x_hat).mean(axis=1, keepdims=True)
    return rstd * (d - along_1 - along_x * x_hat)


def group_by_the_rows(dy, cache):
    x_hat = (cache["x"] - cache["mean"]) * cache["rstd"]
    N = dy.shape[0]
    rows = (N * cache["groups"], -1)
    d = cache["gamma"][:, None, None] * dy
    rstd = (cache["rstd"] * np.ones(dy.shape)).reshape(rows)
    dx = rows_backward(d.reshape(rows), x_hat.reshape(rows), rstd).reshape(dy.shape)
    return dx, (x_hat * dy).sum(axis=(0, 2, 3)), dy.sum(axis=(0, 2, 3))


# rmsnorm_forward and rmsnorm_backward


def rms_keepdims(x, gamma, eps=1e-5):
    rms = np.sqrt(np.mean(x**2, axis=1, keepdims=True) + eps)
    x_hat = x / rms
    return gamma * x_hat, (x_hat, rms, gamma)


def rms_closed_form(dy, cache):
    x_hat, rms, gamma = cache
    d = gamma * dy
    dx = (d - x_hat * np.mean(d * x_hat, axis=1, keepdims=True)) / rms
    dgamma = np.sum(dy * x_hat, axis=0)
    return dx, dgamma


def rms_staged(x, gamma, eps=1e-5):
    sq = x**2.0
    ms = np.mean(sq, axis=1)
    root = np.sqrt(ms + eps)
    inv = 1.0 / root
    xn = x * inv[:, np.newaxis]
    out = xn * gamma
    return out, {"x": x, "root": root, "inv": inv, "xn": xn, "gamma": gamma}


def rms_staged_backward(dout, cache):
    x, root, inv = cache["x"], cache["root"], cache["inv"]
    N, D = x.shape
    dgamma = np.sum(dout * cache["xn"], axis=0)
    dxn = dout * cache["gamma"]
    dx1 = dxn * inv[:, np.newaxis]
    dinv = np.sum(dxn * x, axis=1)
    droot = -1.0 / root**2 * dinv
    dms = 0.5 / root * droot
    dsq = np.ones((N, D)) / D * dms[:, np.newaxis]
    dx2 = 2 * x * dsq
    dx = dx1 + dx2
    return dx, dgamma


def rms_einsum(x, gamma, eps=1e-5):
    r = (np.einsum("nd,nd->n", x, x) / x.shape[1] + eps) ** -0.5
    return np.einsum("nd,n,d->nd", x, r, gamma), [x, r, gamma]


def rms_einsum_backward(dy, cache):
    x, r, gamma = cache
    D = x.shape[1]
    dgamma = np.einsum("nd,nd,n->d", dy, x, r)
    t = np.einsum("nd,d,nd->n", dy, gamma, x)
    dx = np.einsum("nd,d,n->nd", dy, gamma, r) - np.einsum("n,n,nd->nd", t, r**3, x) / D
    return dx, dgamma


def rms_by_loops(x, gamma, eps=1e-5):
    N, D = x.shape
    y = []
    roots = []
    for i in range(N):
        total = 0.0
        for j in range(D):
            total += float(x[i, j]) * float(x[i, j])
        root = math.sqrt(total / D + eps)
        y.append([gamma[j] * x[i, j] / root for j in range(D)])
        roots.append(root)
    return y, (x, gamma, roots)


def rms_backward_by_loops(dy, cache):
    x, gamma, roots = cache
    N, D = dy.shape
    dx = np.zeros((N, D))
    dgamma = np.zeros(D)
    for i in range(N):
        inner = 0.0
        for j in range(D):
            inner += gamma[j] * dy[i, j] * x[i, j]
            dgamma[j] += dy[i, j] * x[i, j] / roots[i]
        for j in range(D):
            dx[i, j] = gamma[j] * dy[i, j] / roots[i] - x[i, j] * inner / (D * roots[i] ** 3)
    return dx, dgamma


def rms_norm(x, gamma, eps=1e-5):
    norm = np.linalg.norm(x, axis=1)
    D = x.shape[1]
    s = np.sqrt(norm**2 / D + eps)
    xn = np.diag(1 / s) @ x
    return xn @ np.diag(gamma), (xn, s, gamma)


def rms_jacobian(dy, cache):
    xn, s, gamma = cache
    N, D = dy.shape
    dx = np.empty((N, D))
    for n in range(N):
        J = (np.eye(D) - np.outer(xn[n], xn[n]) / D) / s[n]
        dx[n] = J @ np.diag(gamma) @ dy[n]
    dgamma = np.diag(xn.T @ dy)
    return dx, dgamma.reshape(1, D)


def rms_own_copy(x, gamma, eps=1e-5):
    if x.ndim != 2:
        raise ValueError("x must be (N, D)")

    class Cache:
        pass

    cache = Cache()
    out = x.astype(np.float64)
    cache.rms = np.tile(np.sqrt((out * out).sum(axis=1) / out.shape[1] + eps), (out.shape[1], 1)).T
    out /= cache.rms
    cache.x_hat = out.copy()
    cache.gamma = np.array(gamma, dtype=np.float64)
    out *= gamma
    return out, cache


def rms_own_copy_backward(dy, cache):
    dx = dy * cache.gamma
    projection = (dx * cache.x_hat).sum(axis=1, keepdims=True)
    projection /= dy.shape[1]
    dx -= projection * cache.x_hat
    dx /= cache.rms
    dgamma = np.zeros(dy.shape[1])
    for row, x_hat in zip(dy, cache.x_hat, strict=True):
        dgamma += row * x_hat
    return [dx, dgamma]


def rms_on_the_transpose(x, gamma, eps=1e-5):
    columns = x.T
    second_moment = np.average(columns * columns, axis=0)
    scale = np.power(second_moment + eps, -0.5)
    y = (columns * scale).T * gamma
    return y, (columns, scale, gamma)


def one_sample_backward(g, column, scale):
    return scale * g - scale**3 * column * (g @ column) / len(column)


def rms_by_the_sample(dy, cache):
    columns, scale, gamma = cache
    dx = [one_sample_backward(gamma * dy[n], columns[:, n], scale[n]) for n in range(len(dy))]
    dgamma = (dy.T * columns * scale).sum(axis=1)
    return np.array(dx), dgamma


# normalize_over


def over_keepdims(x, gamma, beta, reduced, affine, eps=1e-5):
    mean = x.mean(axis=reduced, keepdims=True)
    var = x.var(axis=reduced, keepdims=True)
    shape = [x.shape[axis] if axis in affine else 1 for axis in range(x.ndim)]
    return gamma.reshape(shape) * (x - mean) / np.sqrt(var + eps) + beta.reshape(shape)


def over_expanded(x, gamma, beta, reduced, affine, eps=1e-5):
    rest = tuple(axis for axis in range(x.ndim) if axis not in affine)
    g = np.expand_dims(gamma, rest)
    b = np.expand_dims(beta, rest)
    mu = np.mean(x, axis=tuple(reduced), keepdims=True)
    xmu = x - mu
    sq = xmu**2
    var = np.mean(sq, axis=tuple(reduced), keepdims=True)
    return g * (xmu / np.sqrt(var + eps)) + b


def over_rows(x, gamma, beta, reduced, affine, eps=1e-5):
    kept = [axis for axis in range(x.ndim) if axis not in reduced]
    moved = np.transpose(x, kept + list(reduced))
    rows = moved.reshape(int(np.prod([x.shape[axis] for axis in kept])), -1)
    rows = rows - rows.mean(axis=1)[:, None]
    rows = rows / np.sqrt((rows**2).mean(axis=1) + eps)[:, None]
    x_hat = np.transpose(rows.reshape(moved.shape), np.argsort(kept + list(reduced)))
    others = [axis for axis in range(x.ndim) if axis not in affine]
    last = np.transpose(x_hat, others + list(affine)) * gamma + beta
    return np.transpose(last, np.argsort(others + list(affine)))


def over_by_element(x, gamma, beta, reduced, affine, eps=1e-5):
    y = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        together = tuple(slice(None) if axis in reduced else i for axis, i in enumerate(index))
        mean = x[together].mean()
        var = ((x[together] - mean) ** 2).mean()
        own = tuple(index[axis] for axis in affine)
        y[index] = gamma[own] * (x[index] - mean) / math.sqrt(var + eps) + beta[own]
    return y


def over_one_axis_after_the_other(x, gamma, beta, reduced, affine, eps=1e-5):
    count = 1
    total = np.array(x, dtype=float)
    for axis in reduced:
        count *= x.shape[axis]
        total = total.sum(axis=axis, keepdims=True)
    centred = x - total / count
    squares = centred * centred
    for axis in reduced:
        squares = squares.sum(axis=axis, keepdims=True)
    scale = (squares / count + eps) ** -0.5
    index = tuple(slice(None) if axis in affine else None for axis in range(x.ndim))
    return centred * scale * gamma[index] + beta[index]


def over_einsum(x, gamma, beta, reduced, affine, eps=1e-5):
    letters = "nchw"[: x.ndim]
    kept = "".join(letter for axis, letter in enumerate(letters) if axis not in reduced)
    own = "".join(letters[axis] for axis in affine)
    m = x.size / np.prod([x.shape[axis] for axis in range(x.ndim) if axis not in reduced])
    ones = np.ones(x.shape)
    xc = x - np.einsum(f"{kept},{letters}->{letters}", np.einsum(f"{letters}->{kept}", x) / m, ones)
    inv = 1 / np.sqrt(np.einsum(f"{letters},{letters}->{kept}", xc, xc) / m + eps)
    y = np.einsum(f"{letters},{kept},{own}->{letters}", xc, inv, gamma)
    return y + np.einsum(f"{own},{letters}->{letters}", beta, ones)


# batchnorm_masked


def masked_selected(x, mask, gamma, beta, eps=1e-5):
    real = x[mask]
    mean = real.mean(axis=0)
    var = real.var(axis=0)
    y = np.zeros(x.shape)
    y[mask] = gamma * (real - mean) / np.sqrt(var + eps) + beta
    return y


def masked_multiplied(x, mask, gamma, beta, eps=1e-5):
    m = mask[:, :, None]
    count = mask.sum()
    mean = (x * m).sum(axis=(0, 1)) / count
    centred = (x - mean) * m
    var = (centred**2).sum(axis=(0, 1)) / count
    x_hat = centred / np.sqrt(var + eps)
    return (gamma * x_hat + beta) * m


def masked_where(x, mask, gamma, beta, eps=1e-5):
    there = np.broadcast_to(mask[:, :, None], x.shape)
    mean = np.mean(x, axis=(0, 1), where=there)
    var = np.var(x, axis=(0, 1), where=there)
    return np.where(there, gamma * (x - mean) / np.sqrt(var + eps) + beta, 0.0)


def masked_by_step(x, mask, gamma, beta, eps=1e-5):
    N, T, D = x.shape
    y = np.zeros((N, T, D))
    for d in range(D):
        values = [x[n, t, d] for n in range(N) for t in range(T) if mask[n, t]]
        mean = sum(values) / len(values)
        var = sum((value - mean) ** 2 for value in values) / len(values)
        for n in range(N):
            for t in range(T):
                if mask[n, t]:
                    y[n, t, d] = gamma[d] * (x[n, t, d] - mean) / math.sqrt(var + eps) + beta[d]
    return y


def masked_einsum(x, mask, gamma, beta, eps=1e-5):
    w = mask.astype(float)
    w /= w.sum()
    mu = np.einsum("nt,ntd->d", w, x)
    xc = x - mu
    var = np.einsum("nt,ntd,ntd->d", w, xc, xc)
    return np.einsum("nt,ntd,d->ntd", mask.astype(float), xc, gamma / np.sqrt(var + eps)) + beta * mask[..., None]


def masked_rows(x, mask, gamma, beta, eps=1e-5):
    N, T, D = x.shape
    rows = np.array(x, dtype=float).reshape(N * T, D)
    keep = np.flatnonzero(mask.reshape(-1))
    out = np.zeros_like(rows)
    chosen = rows[keep] - rows[keep].sum(axis=0) / len(keep)
    chosen /= np.sqrt(np.einsum("md,md->d", chosen, chosen) / len(keep) + eps)
    out[keep] = chosen * gamma + beta
    return out.reshape(N, T, D)


def masked_nan(x, mask, gamma, beta, eps=1e-5):
    data = np.where(mask[:, :, None], x, np.nan)
    mean = np.nanmean(data, axis=(0, 1), keepdims=True)
    var = np.nanvar(data, axis=(0, 1), keepdims=True)
    return np.nan_to_num(gamma * (data - mean) / np.sqrt(var + eps) + beta)


RIGHT = {
    "layernorm_forward": [
        (layer_keepdims,),
        (layer_staged_on_the_transpose,),
        (layer_einsum,),
        (layer_by_sample,),
        (layer_centring_matrix,),
        (layer_tiles,),
        (layer_own_copy,),
        (layer_shifted_moments,),
        (layer_float32,),
    ],
    "layernorm_backward": [
        (layer_keepdims, layer_closed_form),
        (layer_staged_on_the_transpose, layer_staged_backward),
        (layer_einsum, layer_einsum_backward),
        (layer_by_sample, layer_backward_by_sample),
        (layer_centring_matrix, layer_jacobian),
        (layer_tiles, layer_paper_backward),
        (layer_own_copy, layer_own_copy_backward),
        (layer_shifted_moments, layer_by_the_batch_one),
    ],
    "instancenorm_forward": [
        (instance_keepdims,),
        (instance_rows,),
        (instance_einsum,),
        (instance_by_plane,),
        (instance_centring_matrix,),
        (instance_own_copy,),
        (instance_as_batchnorm_of_one_image,),
    ],
    "instancenorm_backward": [
        (instance_keepdims, instance_paper_backward),
        (instance_rows, instance_staged_backward),
        (instance_einsum, instance_einsum_backward),
        (instance_by_plane, instance_backward_by_plane),
        (instance_centring_matrix, instance_jacobian),
        (instance_own_copy, instance_own_copy_backward),
        (instance_as_batchnorm_of_one_image, instance_by_the_backward_of_one_image),
    ],
    "groupnorm_forward": [
        (group_keepdims,),
        (group_staged_on_columns,),
        (group_membership_matrix,),
        (group_by_loops,),
        (group_split,),
        (group_centring_matrix,),
        (group_repeated_statistics,),
    ],
    "groupnorm_backward": [
        (group_keepdims, group_closed_form),
        (group_staged_on_columns, group_staged_backward),
        (group_membership_matrix, group_membership_backward),
        (group_by_loops, group_backward_by_loops),
        (group_split, group_split_backward),
        (group_centring_matrix, group_jacobian),
        (group_repeated_statistics, group_by_the_rows),
    ],
    "rmsnorm_forward": [
        (rms_keepdims,),
        (rms_staged,),
        (rms_einsum,),
        (rms_by_loops,),
        (rms_norm,),
        (rms_own_copy,),
        (rms_on_the_transpose,),
    ],
    "rmsnorm_backward": [
        (rms_keepdims, rms_closed_form),
        (rms_staged, rms_staged_backward),
        (rms_einsum, rms_einsum_backward),
        (rms_by_loops, rms_backward_by_loops),
        (rms_norm, rms_jacobian),
        (rms_own_copy, rms_own_copy_backward),
        (rms_on_the_transpose, rms_by_the_sample),
    ],
    "normalize_over": [
        (over_keepdims,),
        (over_expanded,),
        (over_rows,),
        (over_by_element,),
        (over_one_axis_after_the_other,),
        (over_einsum,),
    ],
    "batchnorm_masked": [
        (masked_selected,),
        (masked_multiplied,),
        (masked_where,),
        (masked_by_step,),
        (masked_einsum,),
        (masked_rows,),
        (masked_nan,),
    ],
}
