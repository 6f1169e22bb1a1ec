"""Which right answers do students write to `convolution`? Their source is also what wrong answers are made from."""

import math

import numpy as np

# batchnorm2d_forward and batchnorm2d_backward: each forward is followed by the backward that reads its cache.


def forward_rows(x, gamma, beta, eps=1e-5):
    N, C, H, W = x.shape
    rows = x.transpose(0, 2, 3, 1).reshape(-1, C)
    mu = np.mean(rows, axis=0)
    xmu = rows - mu
    sq = xmu**2
    var = np.mean(sq, axis=0)
    sqrtvar = np.sqrt(var + eps)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar
    out = gamma * xhat + beta
    y = out.reshape(N, H, W, C).transpose(0, 3, 1, 2)
    return y, (xhat, gamma, xmu, ivar, sqrtvar, var, eps)


def backward_rows(dy, cache):
    xhat, gamma, xmu, ivar, sqrtvar, var, eps = cache
    N, C, H, W = dy.shape
    dout = dy.transpose(0, 2, 3, 1).reshape(-1, C)
    M = dout.shape[0]
    dbeta = np.sum(dout, axis=0)
    dgamma = np.sum(dout * xhat, axis=0)
    dxhat = dout * gamma
    divar = np.sum(dxhat * xmu, axis=0)
    dxmu1 = dxhat * ivar
    dsqrtvar = -1.0 / (sqrtvar**2) * divar
    dvar = 0.5 * 1.0 / np.sqrt(var + eps) * dsqrtvar
    dsq = 1.0 / M * np.ones((M, C)) * dvar
    dxmu2 = 2 * xmu * dsq
    dx1 = dxmu1 + dxmu2
    dmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)
    dx2 = 1.0 / M * np.ones((M, C)) * dmu
    dx = dx1 + dx2
    return dx.reshape(N, H, W, C).transpose(0, 3, 1, 2), dgamma, dbeta


def forward_keepdims(x, gamma, beta, eps=1e-5):
    axes = (0, 2, 3)
    mean = x.mean(axis=axes, keepdims=True)
    var = x.var(axis=axes, keepdims=True)
    x_hat = (x - mean) / np.sqrt(var + eps)
    y = gamma.reshape(1, -1, 1, 1) * x_hat + beta.reshape(1, -1, 1, 1)
    cache = {"x": x, "x_hat": x_hat, "mean": mean, "var": var, "gamma": gamma, "eps": eps}
    return y, cache


def backward_paper(dy, cache):
    x, x_hat = cache["x"], cache["x_hat"]
    mean, var, eps = cache["mean"], cache["var"], cache["eps"]
    N, C, H, W = x.shape
    m = N * H * W
    axes = (0, 2, 3)
    dx_hat = dy * cache["gamma"].reshape(1, C, 1, 1)
    dvar = np.sum(dx_hat * (x - mean) * -0.5 * (var + eps) ** -1.5, axis=axes, keepdims=True)
    dmean = np.sum(-dx_hat / np.sqrt(var + eps), axis=axes, keepdims=True)
    dmean = dmean + dvar * np.sum(-2 * (x - mean), axis=axes, keepdims=True) / m
    dx = dx_hat / np.sqrt(var + eps) + dvar * 2 * (x - mean) / m + dmean / m
    dgamma = np.sum(dy * x_hat, axis=axes)
    dbeta = np.sum(dy, axis=axes)
    return dx, dgamma, dbeta


def forward_einsum(x, gamma, beta, eps=1e-5):
    m = x.size // x.shape[1]
    mean = np.einsum("nchw->c", x) / m
    centred = x - mean[:, None, None]
    var = np.einsum("nchw,nchw->c", centred, centred) / m
    scale = 1 / np.sqrt(var + eps)
    x_hat = np.einsum("nchw,c->nchw", centred, scale)
    y = np.einsum("nchw,c->nchw", x_hat, gamma) + beta[:, None, None]
    return y, [x_hat, scale, gamma]


def backward_einsum(dy, cache):
    x_hat, scale, gamma = cache
    m = dy.size // dy.shape[1]
    dgamma = np.einsum("nchw,nchw->c", dy, x_hat)
    dbeta = np.einsum("nchw->c", dy)
    inner = dy - np.einsum("nchw,c->nchw", x_hat, dgamma / m) - (dbeta / m)[:, None, None]
    dx = np.einsum("nchw,c,c->nchw", inner, gamma, scale)
    return dx, dgamma, dbeta


def forward_by_channel(x, gamma, beta, eps=1e-5):
    y = np.zeros(x.shape)
    xhat = np.zeros(x.shape)
    sigma = np.zeros(x.shape[1])
    for c in range(x.shape[1]):
        m = np.mean(x[:, c])
        sigma[c] = np.sqrt(np.mean((x[:, c] - m) ** 2) + eps)
        xhat[:, c] = (x[:, c] - m) / sigma[c]
        y[:, c] = gamma[c] * xhat[:, c] + beta[c]
    return y, {"xhat": xhat, "sigma": sigma, "gamma": gamma}


def backward_by_channel(dy, cache):
    xhat, sigma, gamma = cache["xhat"], cache["sigma"], cache["gamma"]
    C = dy.shape[1]
    dx = np.zeros(dy.shape)
    dgamma, dbeta = np.zeros(C), np.zeros(C)
    for c in range(C):
        g = dy[:, c]
        dbeta[c] = g.sum()
        dgamma[c] = (g * xhat[:, c]).sum()
        dx[:, c] = gamma[c] / sigma[c] * (g - g.mean() - xhat[:, c] * (g * xhat[:, c]).mean())
    return dx, dgamma, dbeta


def forward_centring_matrix(x, gamma, beta, eps=1e-5):
    N, C, H, W = x.shape
    M = N * H * W
    flat = np.swapaxes(x, 0, 1).reshape(C, M)
    P = np.eye(M) - np.ones((M, M)) / M
    xc = (flat - flat[:, :1]) @ P  # from the first value, or P leaves a constant rounding errors
    v = np.sum(xc * xc, axis=1) / M
    s = np.sqrt(v + eps)
    xn = np.diag(1 / s) @ xc
    out = np.diag(gamma) @ xn + np.outer(beta, np.ones(M))
    y = np.swapaxes(out.reshape(C, N, H, W), 0, 1)
    return y, (xn, s, gamma, P)


def backward_jacobian(dy, cache):
    xn, s, gamma, P = cache
    N, C, H, W = dy.shape
    M = N * H * W
    g = np.swapaxes(dy, 0, 1).reshape(C, M)
    dx = np.empty((C, M))
    for c in range(C):
        J = gamma[c] / s[c] * (P - np.outer(xn[c], xn[c]) / M)
        dx[c] = J @ g[c]
    dgamma = np.diag(g @ xn.T)
    dbeta = g @ np.ones(M)
    return np.swapaxes(dx.reshape(C, N, H, W), 0, 1), dgamma, dbeta


def forward_tiles(x, gamma, beta, eps=1e-5):
    N, C, H, W = x.shape
    mu = np.tile(x.mean(axis=(0, 2, 3)).reshape(1, C, 1, 1), (N, 1, H, W))
    var = np.tile(((x - mu) ** 2).mean(axis=(0, 2, 3)).reshape(1, C, 1, 1), (N, 1, H, W))
    istd = (var + eps) ** -0.5
    xn = (x - mu) * istd
    g = np.tile(gamma.reshape(1, C, 1, 1), (N, 1, H, W))
    b = np.tile(beta.reshape(1, C, 1, 1), (N, 1, H, W))
    return g * xn + b, (xn, istd, g)


def backward_tiles(dy, cache):
    xn, istd, g = cache
    N, C, H, W = dy.shape
    m = N * H * W
    dbeta = dy.sum(axis=(0, 2, 3)).reshape(1, C)
    dgamma = (dy * xn).sum(axis=(0, 2, 3)).reshape(1, C)
    db = np.tile(dbeta.reshape(1, C, 1, 1), (N, 1, H, W))
    dg = np.tile(dgamma.reshape(1, C, 1, 1), (N, 1, H, W))
    dx = (1.0 / m) * g * istd * (m * dy - db - xn * dg)
    return dx, dgamma, dbeta


def forward_own_copy(x, gamma, beta, eps=1e-5):
    if x.ndim != 4:
        raise ValueError("x must be (N, C, H, W)")

    class Cache:
        pass

    cache = Cache()
    out = x.astype(np.float64)
    out -= out.mean((0, 2, 3), keepdims=True)
    cache.rstd = 1 / np.sqrt((out**2).mean((0, 2, 3), keepdims=True) + eps)
    out *= cache.rstd
    cache.xhat = out.copy()
    cache.gamma = np.array(gamma, dtype=float)[:, np.newaxis, np.newaxis]
    out *= cache.gamma
    out += np.array(beta)[:, np.newaxis, np.newaxis]
    return out, cache


def backward_own_copy(dy, cache):
    if dy.shape != cache.xhat.shape:
        raise ValueError("dy must have the shape of y")
    dbeta = dy.sum((0, 2, 3))
    dgamma = (dy * cache.xhat).sum((0, 2, 3))
    dx = dy * cache.gamma
    dx -= dx.mean((0, 2, 3), keepdims=True)
    dx -= cache.xhat * (dx * cache.xhat).mean((0, 2, 3), keepdims=True)
    dx *= cache.rstd
    return [dx, dgamma, dbeta]


def forward_python_loops(x, gamma, beta, eps=1e-5):
    N, C, H, W = x.shape
    count = N * H * W
    y = np.empty((N, C, H, W))
    stats = []
    for c in range(C):
        total = 0.0
        for n in range(N):
            for h in range(H):
                for w in range(W):
                    total += x[n, c, h, w]
        mean = total / count
        squares = 0.0
        for n in range(N):
            for h in range(H):
                for w in range(W):
                    squares += (x[n, c, h, w] - mean) ** 2
        std = math.sqrt(squares / count + eps)
        for n in range(N):
            for h in range(H):
                for w in range(W):
                    y[n, c, h, w] = gamma[c] * (x[n, c, h, w] - mean) / std + beta[c]
        stats.append((mean, std))
    return y, (x, gamma, stats)


def backward_python_loops(dy, cache):
    x, gamma, stats = cache
    N, C, H, W = dy.shape
    count = N * H * W
    dx = np.zeros((N, C, H, W))
    dgamma = [0.0] * C
    dbeta = [0.0] * C
    for c in range(C):
        mean, std = stats[c]
        places = [(n, h, w) for n in range(N) for h in range(H) for w in range(W)]
        for n, h, w in places:
            dbeta[c] += dy[n, c, h, w]
            dgamma[c] += dy[n, c, h, w] * (x[n, c, h, w] - mean) / std
        for n, h, w in places:
            x_hat = (x[n, c, h, w] - mean) / std
            rest = count * dy[n, c, h, w] - dbeta[c] - x_hat * dgamma[c]
            dx[n, c, h, w] = gamma[c] * rest / (count * std)
    return dx, dgamma, dbeta


def forward_shifted_moments(x, gamma, beta, eps=1e-5):
    shift = x[:1, :, :1, :1]
    z = x - shift
    first = np.average(z, axis=(0, 2, 3))
    second = np.average(z * z, axis=(0, 2, 3))
    sigma2 = np.maximum(second - first**2, 0)
    a = gamma / np.sqrt(sigma2 + eps)
    b = beta - a * first
    y = a[:, None, None] * z + b[:, None, None]
    return y, (z, first, sigma2, gamma, eps)


def dense_backward(dy, cache):
    xhat, gamma, std = cache
    N = len(dy)
    dxhat = gamma * dy
    dx = (N * dxhat - dxhat.sum(axis=0) - xhat * (dxhat * xhat).sum(axis=0)) / (N * std)
    return dx, (dy * xhat).sum(axis=0), dy.sum(axis=0)


def backward_by_the_dense_one(dy, cache):
    z, first, sigma2, gamma, eps = cache
    N, C, H, W = dy.shape
    std = np.sqrt(sigma2 + eps)
    rows = np.moveaxis(z, 1, -1).reshape(-1, C)
    dy_rows = np.moveaxis(dy, 1, -1).reshape(-1, C)
    dx, dgamma, dbeta = dense_backward(dy_rows, ((rows - first) / std, gamma, std))
    return np.moveaxis(dx.reshape(N, H, W, C), -1, 1), dgamma, dbeta


def forward_flat_pixels(x, gamma, beta, eps=1e-5):
    N, C = x.shape[0], x.shape[1]
    v = x.reshape(N, C, -1)
    m = v.sum(axis=2).sum(axis=0) / (N * v.shape[2])
    d = v - m[None, :, None]
    s2 = np.power(d, 2).sum(axis=2).sum(axis=0) / (N * v.shape[2])
    r = np.sqrt(s2 + eps)
    n = d / r[None, :, None]
    y = n * gamma[None, :, None] + beta[None, :, None]
    return y.reshape(x.shape), (d, r, gamma)


def backward_flat_pixels(dy, cache):
    d, r, gamma = cache
    N, C, L = d.shape
    g = dy.reshape(N, C, L)
    n = d / r[None, :, None]
    dgamma = (g * n).sum(axis=2).sum(axis=0)
    dbeta = g.sum(axis=2).sum(axis=0)
    dn = g * gamma[None, :, None]
    dr = -(dn * d).sum(axis=2).sum(axis=0) / r**2
    ds2 = dr / (2 * r)
    dd = dn / r[None, :, None] + 2 * d * ds2[None, :, None] / (N * L)
    dm = -dd.sum(axis=2).sum(axis=0)
    dv = dd + dm[None, :, None] / (N * L)
    return dv.reshape(dy.shape), dgamma, dbeta


# batchnorm2d_inference


def inference_reshape(x, gamma, beta, running_mean, running_var, eps=1e-5):
    C = x.shape[1]
    mean = running_mean.reshape(1, C, 1, 1)
    var = running_var.reshape(1, C, 1, 1)
    x_hat = (x - mean) / np.sqrt(var + eps)
    return gamma.reshape(1, C, 1, 1) * x_hat + beta.reshape(1, C, 1, 1)


def inference_affine(x, gamma, beta, running_mean, running_var, eps=1e-5):
    a = gamma / np.sqrt(running_var + eps)
    b = beta - a * running_mean
    return x * a[:, None, None] + b[:, None, None]


def inference_channels_last(x, gamma, beta, running_mean, running_var, eps=1e-5):
    N, C, H, W = x.shape
    rows = x.transpose(0, 2, 3, 1).reshape(N * H * W, C)
    xmu = rows - running_mean
    ivar = 1.0 / np.sqrt(running_var + eps)
    out = gamma * (xmu * ivar) + beta
    return out.reshape(N, H, W, C).transpose(0, 3, 1, 2)


def inference_einsum(x, gamma, beta, running_mean, running_var, eps=1e-5):
    scale = np.power(running_var + eps, -0.5)
    centred = x - np.expand_dims(running_mean, (1, 2))
    return np.einsum("nchw,c,c->nchw", centred, scale, gamma) + np.expand_dims(beta, (1, 2))


def inference_by_channel(x, gamma, beta, running_mean, running_var, eps=1e-5):
    out = np.empty(x.shape)
    for c in range(x.shape[1]):
        s = math.sqrt(running_var[c] + eps)
        out[:, c, :, :] = gamma[c] * (x[:, c, :, :] - running_mean[c]) / s + beta[c]
    return out


def inference_own_copy(x, gamma, beta, running_mean, running_var, eps=1e-5):
    y = np.array(x, dtype=float)
    std = np.sqrt(running_var + eps)
    for image in y:
        image -= running_mean[:, None, None]
        image /= std[:, None, None]
        image *= gamma[:, None, None]
        image += beta[:, None, None]
    return y


def inference_pixel_lists(x, gamma, beta, running_mean, running_var, eps=1e-5):
    y = []
    for image in x.tolist():
        planes = []
        for plane, g, b, m, v in zip(image, gamma, beta, running_mean, running_var, strict=True):
            planes.append([[g * (pixel - m) / math.sqrt(v + eps) + b for pixel in row] for row in plane])
        y.append(planes)
    return y


def inference_that_refuses(x, gamma, beta, running_mean, running_var, eps=1e-5):
    if x.ndim != 4:
        raise ValueError("expected images (N, C, H, W)")
    if np.any(running_var < 0):
        raise ValueError("a variance is not negative")
    N, C, H, W = x.shape
    flat = x.reshape(N, C, H * W)
    k = np.diag(gamma / np.sqrt(running_var + eps))
    y = k @ (flat - running_mean[:, None]) + beta[:, None]
    return y.reshape(N, C, H, W)


def inference_float32(x, gamma, beta, running_mean, running_var, eps=1e-5):
    mu, s2, g, b = (
        np.asarray(p, dtype=np.float64)[None, :, None, None] for p in (running_mean, running_var, gamma, beta)
    )
    y = (x - mu) / (s2 + eps) ** 0.5 * g + b
    return y.astype(np.float32)


# update_running_stats2d


def update_ddof(running_mean, running_var, x, momentum=0.1):
    mean = x.mean(axis=(0, 2, 3))
    var = x.var(axis=(0, 2, 3), ddof=1)
    running_mean = (1 - momentum) * running_mean + momentum * mean
    running_var = (1 - momentum) * running_var + momentum * var
    return running_mean, running_var


def update_corrected(running_mean, running_var, x, momentum=0.1):
    N, C, H, W = x.shape
    M = N * H * W
    mu = np.mean(x, axis=(0, 2, 3))
    sigma2 = np.mean((x - mu.reshape(1, C, 1, 1)) ** 2, axis=(0, 2, 3))
    unbiased = M / (M - 1) * sigma2
    new_mean = running_mean * (1.0 - momentum) + mu * momentum
    new_var = running_var * (1.0 - momentum) + unbiased * momentum
    return new_mean, new_var


def update_by_a_step(running_mean, running_var, x, momentum=0.1):
    rows = np.moveaxis(x, 1, 0).reshape(x.shape[1], -1)
    m = np.array(running_mean, dtype=float)
    v = np.array(running_var, dtype=float)
    m += momentum * (rows.mean(axis=1) - m)
    v += momentum * (rows.var(axis=1, ddof=1) - v)
    return m, v


def update_einsum(running_mean, running_var, x, momentum=0.1):
    count = x.size // x.shape[1]
    mean = np.einsum("nchw->c", x) / count
    xc = x - mean[None, :, None, None]
    var = np.einsum("nchw,nchw->c", xc, xc) / (count - 1)
    keep = 1 - momentum
    return keep * running_mean + momentum * mean, keep * running_var + momentum * var


def update_by_channel(running_mean, running_var, x, momentum=0.1):
    means, variances = [], []
    for c in range(x.shape[1]):
        values = x[:, c].ravel().tolist()
        m = math.fsum(values) / len(values)
        v = math.fsum((value - m) ** 2 for value in values) / (len(values) - 1)
        means.append((1 - momentum) * running_mean[c] + momentum * m)
        variances.append((1 - momentum) * running_var[c] + momentum * v)
    return means, variances


def update_covariance(running_mean, running_var, x, momentum=0.1):
    C = x.shape[1]
    rows = x.transpose(0, 2, 3, 1).reshape(-1, C)
    batch_mean = np.ones(len(rows)) @ rows / len(rows)
    batch_var = np.diag(np.atleast_2d(np.cov(rows, rowvar=False)))
    new = np.stack([batch_mean, batch_var])
    old = np.stack([running_mean, running_var])
    return (1 - momentum) * old + momentum * new


def update_shifted_moments(running_mean, running_var, x, momentum=0.1):
    M = x.size // x.shape[1]
    k = x[0, :, 0, 0]
    z = x - k[:, None, None]
    s1 = z.sum(axis=(0, 2, 3))
    s2 = (z * z).sum(axis=(0, 2, 3))
    mean = k + s1 / M
    var = (s2 - s1 * s1 / M) / (M - 1)
    return (running_mean + momentum * (mean - running_mean), running_var + momentum * (var - running_var))


def update_row_vectors(running_mean, running_var, x, momentum=0.1):
    if x.ndim != 4 or x.size == x.shape[1]:
        raise ValueError("a variance needs two values a channel")
    n = x.shape[0] * x.shape[2] * x.shape[3]
    mu = x.mean(axis=(0, 2, 3), keepdims=True)
    std = np.sqrt(((x - mu) ** 2).sum(axis=(0, 2, 3), keepdims=True) / (n - 1))
    alpha = 1 - momentum
    return alpha * running_mean[None, :] + momentum * mu[:, :, 0, 0], alpha * running_var[None, :] + (
        momentum * std[:, :, 0, 0] ** 2
    )


# fold_conv2d


def fold_reshape(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    if bias is None:
        bias = np.zeros(weight.shape[0])
    scale = gamma / np.sqrt(running_var + eps)
    new_weight = weight * scale.reshape(-1, 1, 1, 1)
    new_bias = scale * (bias - running_mean) + beta
    return new_weight, new_bias


def fold_staged(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    std = np.sqrt(running_var + eps)
    ivar = 1.0 / std
    t = gamma * ivar
    w = weight * t[:, None, None, None]
    b = beta - t * running_mean
    if bias is not None:
        b = b + t * bias
    return w, b


def fold_einsum(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    k = np.einsum("o,o->o", gamma, (running_var + eps) ** -0.5)
    b0 = 0.0 if bias is None else bias
    return np.einsum("o,oikl->oikl", k, weight), k * (b0 - running_mean) + beta


def fold_by_output(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    w = np.zeros(weight.shape)
    b = np.zeros(weight.shape[0])
    for o in range(weight.shape[0]):
        s = math.sqrt(running_var[o] + eps)
        w[o] = weight[o] * gamma[o] / s
        start = bias[o] if bias is not None else 0
        b[o] = (start - running_mean[o]) * gamma[o] / s + beta[o]
    return w, b


def fold_matrix(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    outputs = weight.shape[0]
    A = np.diag(gamma) @ np.diag(1 / np.sqrt(running_var + eps))
    flat = weight.reshape(outputs, -1)
    if bias is None:
        bias = np.zeros(outputs)
    return (A @ flat).reshape(weight.shape), A @ (bias - running_mean) + beta


def fold_own_copy(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    w = weight.astype(float)
    b = np.zeros_like(running_mean, dtype=float)
    if bias is not None:
        b += bias
    b -= running_mean
    s = np.sqrt(running_var + eps)
    for o, g in enumerate(gamma):
        w[o] /= s[o]
        w[o] *= g
        b[o] *= g / s[o]
    b += beta
    return w, b


def fold_transposed(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    if weight.ndim != 4:
        raise ValueError("weight must be (out, in, kh, kw)")
    factor = np.divide(gamma, np.sqrt(np.add(running_var, eps)))
    new_weight = np.multiply(weight.T, factor).T
    shift = beta - factor * running_mean
    new_bias = shift if bias is None else factor * bias + shift
    return [new_weight, new_bias[np.newaxis, :]]


def fold_tiles(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    Cout, Cin, kh, kw = weight.shape
    sigma = np.sqrt(running_var + eps)
    G = np.tile(gamma.reshape(Cout, 1, 1, 1), (1, Cin, kh, kw))
    S = np.tile(sigma.reshape(Cout, 1, 1, 1), (1, Cin, kh, kw))
    fused_w = G * weight / S
    mu = running_mean if bias is None else running_mean - bias
    fused_b = beta - gamma * mu / sigma
    return fused_w, fused_b


# channel_statistics


def statistics_of_numpy(x):
    return x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))


def statistics_keepdims(x):
    mu = x.mean(axis=(0, 2, 3), keepdims=True)
    return mu, ((x - mu) ** 2).mean(axis=(0, 2, 3), keepdims=True)


def statistics_rows(x):
    rows = x.transpose(0, 2, 3, 1).reshape(-1, x.shape[1])
    m = rows.sum(axis=0) / len(rows)
    return [m, ((rows - m) ** 2).sum(axis=0) / len(rows)]


def statistics_one_pass(x):
    M = x.size / x.shape[1]
    first = np.einsum("nchw->c", 1.0 * x) / M
    return first, np.einsum("nchw,nchw->c", 1.0 * x, x) / M - first**2


def statistics_by_channel(x):
    means, variances = [], []
    for c in range(x.shape[1]):
        values = x[:, c].ravel().tolist()
        m = math.fsum(values) / len(values)
        means.append(m)
        variances.append(sum((v - m) ** 2 for v in values) / len(values))
    return means, variances


def statistics_of_flat_channels(x):
    flat = np.swapaxes(x, 0, 1).reshape(x.shape[1], -1)
    return np.average(flat, axis=1), flat.std(axis=1) ** 2


# syncbn_forward


def device_merge(x, counts, means, variances, gamma, beta, eps=1e-5):
    w = counts / counts.sum()
    mean = w @ means
    var = w @ variances + w @ (means - mean) ** 2
    std = np.sqrt(var + eps)
    x_hat = (x - mean[:, None, None]) / std[:, None, None]
    return gamma[:, None, None] * x_hat + beta[:, None, None], x_hat, std


def device_second_moment(x, counts, means, variances, gamma, beta, eps=1e-5):
    n = np.sum(counts)
    mean = (counts[:, np.newaxis] * means).sum(axis=0) / n
    square = (counts[:, np.newaxis] * (variances + means**2)).sum(axis=0) / n
    std = np.power(square - mean**2 + eps, 0.5)
    shape = (1, x.shape[1], 1, 1)
    x_hat = (x - mean.reshape(shape)) / std.reshape(shape)
    return [x_hat * gamma.reshape(shape) + beta.reshape(shape), x_hat, std.reshape(shape)]


def device_loops(x, counts, means, variances, gamma, beta, eps=1e-5):
    C = x.shape[1]
    y, x_hat, std = np.zeros(x.shape), np.zeros(x.shape), np.zeros(C)
    total = sum(counts)
    for c in range(C):
        m = sum(counts[k] * means[k, c] for k in range(len(counts))) / total
        v = 0.0
        for k, count in enumerate(counts):
            v += count * (variances[k, c] + (means[k, c] - m) ** 2) / total
        std[c] = math.sqrt(v + eps)
        x_hat[:, c] = (x[:, c] - m) / std[c]
        y[:, c] = gamma[c] * x_hat[:, c] + beta[c]
    return y, x_hat, std


def device_one_after_the_other(x, counts, means, variances, gamma, beta, eps=1e-5):
    n, mean, var = counts[0], means[0].astype(float), variances[0].astype(float)
    for count, m, v in zip(counts[1:], means[1:], variances[1:], strict=True):
        apart = m - mean
        both = n + count
        var = (n * var + count * v) / both + n * count * apart**2 / both**2
        mean = mean + apart * count / both
        n = both
    std = (var + eps) ** 0.5
    x_hat = np.einsum("nchw,c->nchw", x - np.expand_dims(mean, (1, 2)), 1 / std)
    return np.einsum("nchw,c->nchw", x_hat, gamma) + np.expand_dims(beta, (1, 2)), x_hat, std


def device_average(x, counts, means, variances, gamma, beta, eps=1e-5):
    mu = np.average(means, axis=0, weights=counts)
    within = np.average(variances, axis=0, weights=counts)
    between = np.average(np.square(means - mu), axis=0, weights=counts)
    s = np.sqrt(within + between + eps)
    rows = (np.moveaxis(x, 1, -1) - mu) / s
    return np.moveaxis(gamma * rows + beta, -1, 1), np.moveaxis(rows, -1, 1), s


# syncbn_backward


def gradients_of_sums(dy, x_hat, std, gamma, counts, sums_dy, sums_dy_x_hat):
    dbeta = sums_dy.sum(axis=0)
    dgamma = sums_dy_x_hat.sum(axis=0)
    n = counts.sum()
    inside = dy - (dbeta / n)[:, None, None] - x_hat * (dgamma / n)[:, None, None]
    return (gamma / std)[:, None, None] * inside, dgamma, dbeta


def gradients_one_fraction(dy, x_hat, std, gamma, counts, sums_dy, sums_dy_x_hat):
    M = float(np.sum(counts))
    shape = (1, -1, 1, 1)
    db, dg = np.sum(sums_dy, 0).reshape(shape), np.sum(sums_dy_x_hat, 0).reshape(shape)
    dx = gamma.reshape(shape) * (M * dy - db - dg * x_hat) / (M * std.reshape(shape))
    return dx, dg, db


def gradients_loops(dy, x_hat, std, gamma, counts, sums_dy, sums_dy_x_hat):
    dx = np.empty(dy.shape)
    C = len(gamma)
    dgamma, dbeta = [0.0] * C, [0.0] * C
    n = sum(int(count) for count in counts)
    for c in range(C):
        for k in range(len(counts)):
            dgamma[c] += sums_dy_x_hat[k, c]
            dbeta[c] += sums_dy[k, c]
        for image in range(len(dy)):
            rest = dy[image, c] - dbeta[c] / n - x_hat[image, c] * dgamma[c] / n
            dx[image, c] = gamma[c] / std[c] * rest
    return dx, dgamma, dbeta


def gradients_einsum(dy, x_hat, std, gamma, counts, sums_dy, sums_dy_x_hat):
    ones = np.ones(len(counts))
    dbeta, dgamma = ones @ sums_dy, ones @ sums_dy_x_hat
    g = dy - np.expand_dims(dbeta, (0, 2, 3)) / counts.sum()
    g = g - np.einsum("nchw,c->nchw", x_hat, dgamma) / counts.sum()
    return np.einsum("nchw,c,c->nchw", g, gamma, 1 / std), dgamma, dbeta


def gradients_by_the_graph(dy, x_hat, std, gamma, counts, sums_dy, sums_dy_x_hat):
    n = np.add.reduce(counts)
    s, g = std[None, :, None, None], gamma[None, :, None, None]
    sum_dx_hat = (gamma * sums_dy.sum(0))[None, :, None, None]
    sum_dx_hat_x_hat = (gamma * sums_dy_x_hat.sum(0))[None, :, None, None]
    dvar = -0.5 * sum_dx_hat_x_hat / s**2
    dmean = -sum_dx_hat / s
    dx = g * dy / s + dvar * 2 * x_hat * s / n + dmean / n
    return dx, sums_dy_x_hat.sum(0), sums_dy.sum(0)


RIGHT = {
    "channel_statistics": [
        (statistics_of_numpy,),
        (statistics_keepdims,),
        (statistics_rows,),
        (statistics_one_pass,),
        (statistics_by_channel,),
        (statistics_of_flat_channels,),
    ],
    "batchnorm2d_forward": [
        (forward_rows,),
        (forward_keepdims,),
        (forward_einsum,),
        (forward_by_channel,),
        (forward_centring_matrix,),
        (forward_tiles,),
        (forward_own_copy,),
        (forward_python_loops,),
        (forward_shifted_moments,),
        (forward_flat_pixels,),
    ],
    "batchnorm2d_backward": [
        (forward_rows, backward_rows),
        (forward_keepdims, backward_paper),
        (forward_einsum, backward_einsum),
        (forward_by_channel, backward_by_channel),
        (forward_centring_matrix, backward_jacobian),
        (forward_tiles, backward_tiles),
        (forward_own_copy, backward_own_copy),
        (forward_python_loops, backward_python_loops),
        (forward_shifted_moments, backward_by_the_dense_one),
        (forward_flat_pixels, backward_flat_pixels),
    ],
    "batchnorm2d_inference": [
        (inference_reshape,),
        (inference_affine,),
        (inference_channels_last,),
        (inference_einsum,),
        (inference_by_channel,),
        (inference_own_copy,),
        (inference_pixel_lists,),
        (inference_that_refuses,),
        (inference_float32,),
    ],
    "update_running_stats2d": [
        (update_ddof,),
        (update_corrected,),
        (update_by_a_step,),
        (update_einsum,),
        (update_by_channel,),
        (update_covariance,),
        (update_shifted_moments,),
        (update_row_vectors,),
    ],
    "fold_conv2d": [
        (fold_reshape,),
        (fold_staged,),
        (fold_einsum,),
        (fold_by_output,),
        (fold_matrix,),
        (fold_own_copy,),
        (fold_transposed,),
        (fold_tiles,),
    ],
    "syncbn_forward": [
        (device_merge,),
        (device_second_moment,),
        (device_loops,),
        (device_one_after_the_other,),
        (device_average,),
    ],
    "syncbn_backward": [
        (gradients_of_sums,),
        (gradients_one_fraction,),
        (gradients_loops,),
        (gradients_einsum,),
        (gradients_by_the_graph,),
    ],
}
