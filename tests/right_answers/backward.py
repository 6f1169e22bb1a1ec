"""Right answers to the assignment `backward`: the steps alone, the whole layer backward, the check of it, the class.

A pair is a forward and the backward that reads its cache; caches are of every kind that students hand over.
Those whose name ends in ``float32`` are right to float32 only.
"""

import math

import numpy as np

# scale_shift_backward


def scale_shift_three_lines(dy, x_hat, gamma):
    dx_hat = dy * gamma
    dgamma = np.sum(dy * x_hat, axis=0)
    dbeta = np.sum(dy, axis=0)
    return dx_hat, dgamma, dbeta


def scale_shift_one_line(dy, x_hat, gamma):
    return gamma * dy, (dy * x_hat).sum(0), dy.sum(0)


def scale_shift_einsum(dout, xhat, g):
    dxhat = np.einsum("nd,d->nd", dout, g)
    dg = np.einsum("nd,nd->d", dout, xhat)
    db = np.einsum("nd->d", dout)
    return [dxhat, dg, db]


def scale_shift_matrices(dy, x_hat, gamma):
    ones = np.ones(dy.shape[0])
    dx_hat = dy @ np.diag(gamma)
    dgamma = np.diag(dy.T @ x_hat)
    dbeta = ones @ dy
    return dx_hat, dgamma, dbeta


def scale_shift_python_loops(dy, x_hat, gamma):
    N, D = dy.shape
    dx_hat = np.zeros((N, D))
    dgamma = np.zeros(D)
    dbeta = np.zeros(D)
    for i in range(N):
        for j in range(D):
            dx_hat[i, j] = gamma[j] * dy[i, j]
            dgamma[j] += dy[i, j] * x_hat[i, j]
            dbeta[j] += dy[i, j]
    return dx_hat, dgamma, dbeta


def scale_shift_rows_kept(dy, x_hat, gamma):
    N = len(dy)
    dx_hat = np.tile(gamma, (N, 1)) * dy
    dgamma = np.sum(x_hat * dy, axis=0, keepdims=True)
    dbeta = np.sum(dy, axis=0, keepdims=True)
    return dx_hat, dgamma, dbeta


def scale_shift_own_buffers(dy, x_hat, gamma):
    dx_hat = np.array(dy, dtype=float)
    dbeta = dx_hat.sum(axis=0)
    dgamma = np.zeros(dx_hat.shape[1])
    for upstream_row, row in zip(dx_hat, x_hat, strict=True):
        dgamma += upstream_row * row
    dx_hat *= gamma
    return dx_hat, dgamma, dbeta


def scale_shift_column_by_column(dy, x_hat, gamma):
    columns, dgamma, dbeta = [], [], []
    for upstream, values, g in zip(dy.T, x_hat.T, gamma, strict=True):
        columns.append(g * upstream)
        dgamma.append(float(np.dot(upstream, values)))
        dbeta.append(float(sum(upstream)))
    return np.stack(columns, axis=1), dgamma, dbeta


def scale_shift_checks_its_input(dy, x_hat, gamma):
    if dy.shape != x_hat.shape:
        raise ValueError("dy and x_hat should have the same shape")
    if gamma.shape[0] != dy.shape[1]:
        raise ValueError("one gamma for each feature, please")
    product = dy * x_hat
    return np.multiply(dy, gamma[np.newaxis, :]), np.add.reduce(product, axis=0), np.add.reduce(dy, axis=0)


def scale_shift_means_times_n(dy, x_hat, gamma):
    n = dy.shape[0]
    dbeta = n * dy.mean(axis=0)
    dgamma = n * np.mean(x_hat * dy, axis=0)
    dx_hat = (gamma[:, None] * dy.T).T
    return dx_hat, dgamma, dbeta


def scale_shift_float32(dy, x_hat, gamma):
    dy32 = dy.astype(np.float32)
    x_hat32 = x_hat.astype(np.float32)
    dx_hat = dy32 * gamma.astype(np.float32)
    return dx_hat, (dy32 * x_hat32).sum(axis=0), dy32.sum(axis=0)


# normalize_backward


def normalize_partials(dx_hat, x, mean, var, eps=1e-5):
    std = np.sqrt(var + eps)
    dx_direct = dx_hat / std
    dmean = -np.sum(dx_hat, axis=0) / std
    dvar = -0.5 * np.sum(dx_hat * (x - mean), axis=0) / std**3
    return dx_direct, dmean, dvar


def normalize_as_in_the_paper(dx_hat, x, mean, var, eps=1e-5):
    m = x.shape[0]
    dvar = np.sum(dx_hat * (x - mean) * -0.5 * (var + eps) ** -1.5, axis=0)
    dmean = np.sum(dx_hat * -1 / np.sqrt(var + eps), axis=0) + dvar * np.sum(-2 * (x - mean), axis=0) / m
    dx_direct = dx_hat * 1 / np.sqrt(var + eps)
    return dx_direct, dmean, dvar


def normalize_staged(dx_hat, x, mean, var, eps=1e-5):
    xmu = x - mean
    sqrtvar = np.sqrt(var + eps)
    ivar = 1.0 / sqrtvar
    dxmu = dx_hat * ivar
    divar = np.sum(dx_hat * xmu, axis=0)
    dsqrtvar = -1.0 / (sqrtvar**2) * divar
    dvar = 0.5 * 1.0 / np.sqrt(var + eps) * dsqrtvar
    dmean = -1 * np.sum(dxmu, axis=0)
    return dxmu, dmean, dvar


def normalize_einsum(dx_hat, x, mean, var, eps=1e-5):
    inv = np.power(var + eps, -0.5)
    direct = np.einsum("nd,d->nd", dx_hat, inv)
    dmean = -np.einsum("nd->d", direct)
    dvar = -0.5 * np.einsum("nd,nd,d->d", dx_hat, x - mean, inv**3)
    return direct, dmean, dvar


def normalize_through_x_hat(dx_hat, x, mean, var, eps=1e-5):
    s = (var + eps) ** 0.5
    x_hat = (x - mean) / s
    dx_direct = dx_hat / s
    dmean = -dx_direct.sum(axis=0)
    dvar = -(dx_hat * x_hat).sum(axis=0) / (2 * (var + eps))
    return dx_direct, dmean, dvar


def normalize_python_loops(dx_hat, x, mean, var, eps=1e-5):
    N, D = x.shape
    dx_direct, dmean, dvar = np.empty((N, D)), [0.0] * D, [0.0] * D
    for j in range(D):
        s = math.sqrt(var[j] + eps)
        for i in range(N):
            dx_direct[i, j] = dx_hat[i, j] / s
            dmean[j] -= dx_hat[i, j] / s
            dvar[j] -= dx_hat[i, j] * (x[i, j] - mean[j]) / (2 * s**3)
    return dx_direct, dmean, dvar


def normalize_with_tiles(dx_hat, x, mean, var, eps=1e-5):
    n = x.shape[0]
    mu = np.tile(mean, (n, 1))
    sigma2 = np.tile(var, (n, 1))
    root = np.sqrt(sigma2 + eps)
    dx_direct = dx_hat / root
    dmean = np.sum(-dx_hat / root, axis=0, keepdims=True)
    dvar = np.sum(-dx_hat * (x - mu) / (2 * root * (sigma2 + eps)), axis=0, keepdims=True)
    return dx_direct, dmean, dvar


def normalize_own_buffers(dx_hat, x, mean, var, eps=1e-5):
    dx_direct = np.array(dx_hat, dtype=float)
    dx_direct /= np.sqrt(var + eps)
    weighted = dx_direct.copy()
    weighted *= x - mean
    dvar = weighted.sum(axis=0)
    dvar /= var + eps
    dvar *= -0.5
    dmean = dx_direct.sum(axis=0)
    np.negative(dmean, out=dmean)
    return dx_direct, dmean, dvar


def normalize_term_of_the_variance_doubled(dx_hat, x, mean, var, eps=1e-5):
    N = len(x)
    centred = x - mean
    dvar = np.mean(dx_hat * centred, axis=0) * N * (-1 / 2) * (var + eps) ** (-3 / 2)
    dvar_dmean = -2.0 * np.mean(centred, axis=0)
    dmean = -(dx_hat / np.sqrt(var + eps)).sum(axis=0) + 2 * dvar * dvar_dmean
    return dx_hat / np.sqrt(var + eps), dmean, dvar


def normalize_checks_its_input(dx_hat, x, mean, var, eps=1e-5):
    if np.any(var < 0):
        raise ValueError("a variance cannot be negative")
    v = var + eps
    xc = x - mean
    dxc = dx_hat / np.sqrt(v)
    dv = np.diag(dx_hat.T @ xc) * (-0.5 / (v * np.sqrt(v)))
    dmu = -(np.ones(len(x)) @ dxc)
    return dxc, dmu, dv


# batchnorm_backward_graph: each forward is followed by the backward that reads its cache.


def forward_nine_steps(x, gamma, beta, eps=1e-5):
    N, _ = x.shape
    mu = 1.0 / N * np.sum(x, axis=0)
    xmu = x - mu
    sq = xmu**2
    var = 1.0 / N * np.sum(sq, axis=0)
    sqrtvar = np.sqrt(var + eps)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar
    gammax = gamma * xhat
    out = gammax + beta
    return out, (xhat, gamma, xmu, ivar, sqrtvar, var, eps)


def backward_nine_steps(dout, cache):
    xhat, gamma, xmu, ivar, sqrtvar, var, eps = cache
    N, D = dout.shape
    dbeta = np.sum(dout, axis=0)
    dgammax = dout
    dgamma = np.sum(dgammax * xhat, axis=0)
    dxhat = dgammax * gamma
    divar = np.sum(dxhat * xmu, axis=0)
    dxmu1 = dxhat * ivar
    dsqrtvar = -1.0 / (sqrtvar**2) * divar
    dvar = 0.5 * 1.0 / np.sqrt(var + eps) * dsqrtvar
    dsq = 1.0 / N * np.ones((N, D)) * dvar
    dxmu2 = 2 * xmu * dsq
    dx1 = dxmu1 + dxmu2
    dmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)
    dx2 = 1.0 / N * np.ones((N, D)) * dmu
    dx = dx1 + dx2
    return dx, dgamma, dbeta


def forward_dict(x, gamma, beta, eps=1e-5):
    sample_mean = np.mean(x, axis=0)
    sample_var = np.var(x, axis=0)
    x_hat = (x - sample_mean) / np.sqrt(sample_var + eps)
    y = gamma * x_hat + beta
    cache = {"x": x, "mean": sample_mean, "var": sample_var, "x_hat": x_hat, "gamma": gamma, "eps": eps}
    return y, cache


def backward_paper_equations(dy, cache):
    x, mean, var = cache["x"], cache["mean"], cache["var"]
    m = x.shape[0]
    dx_hat = dy * cache["gamma"]
    dvar = np.sum(dx_hat * (x - mean), axis=0) * -0.5 * (var + cache["eps"]) ** -1.5
    dmean = np.sum(dx_hat * -1 / np.sqrt(var + cache["eps"]), axis=0) + dvar * np.sum(-2 * (x - mean), axis=0) / m
    dx = dx_hat / np.sqrt(var + cache["eps"]) + dvar * 2 * (x - mean) / m + dmean / m
    dgamma = np.sum(dy * cache["x_hat"], axis=0)
    dbeta = np.sum(dy, axis=0)
    return dx, dgamma, dbeta


def forward_list(x, gamma, beta, eps=1e-5):
    mu = np.einsum("nd->d", x) / len(x)
    xc = x - mu
    v = np.einsum("nd,nd->d", xc, xc) / len(x)
    ivar = 1 / np.sqrt(v + eps)
    return xc * ivar * gamma + beta, [xc, ivar, gamma]


def backward_einsum_graph(dy, cache):
    xc, ivar, gamma = cache
    n = dy.shape[0]
    dgamma = np.einsum("nd,nd,d->d", dy, xc, ivar)
    dbeta = np.einsum("nd->d", dy)
    dxhat = np.einsum("nd,d->nd", dy, gamma)
    divar = np.einsum("nd,nd->d", dxhat, xc)
    dv = -0.5 * ivar**3 * divar
    dxc = dxhat * ivar + 2.0 / n * xc * dv
    dmu = -np.einsum("nd->d", dxc)
    return dxc + dmu / n, dgamma, dbeta


def forward_columns(x, gamma, beta, eps=1e-5):
    N, D = x.shape
    y = np.zeros((N, D))
    columns = []
    for j in range(D):
        values = x[:, j].tolist()
        mean = sum(values) / N
        centred = [value - mean for value in values]
        std = math.sqrt(sum(c * c for c in centred) / N + eps)
        for i in range(N):
            y[i, j] = gamma[j] * centred[i] / std + beta[j]
        columns.append((centred, std, float(gamma[j])))
    return y, columns


def backward_graph_in_loops(dy, cache):
    N, D = dy.shape
    dx, dgamma, dbeta = np.zeros((N, D)), np.zeros(D), np.zeros(D)
    for j in range(D):
        centred, std, gamma = cache[j]
        dstd, dmean = 0.0, 0.0
        for i in range(N):
            dbeta[j] += dy[i, j]
            dgamma[j] += dy[i, j] * centred[i] / std
            dstd -= dy[i, j] * gamma * centred[i] / std**2
        dvar = dstd / (2 * std)
        for i in range(N):
            dx[i, j] = dy[i, j] * gamma / std + dvar * 2 * centred[i] / N
            dmean -= dx[i, j]
        for i in range(N):
            dx[i, j] += dmean / N
    return dx, dgamma, dbeta


def forward_namespace(x, gamma, beta, eps=1e-5):
    from types import SimpleNamespace

    N = x.shape[0]
    mu = np.tile(np.mean(x, axis=0), (N, 1))
    var = np.tile(np.mean((x - mu) ** 2, axis=0), (N, 1))
    std = np.sqrt(var + eps)
    x_hat = (x - mu) / std
    return np.tile(gamma, (N, 1)) * x_hat + beta, SimpleNamespace(x_hat=x_hat, diff=x - mu, std=std, gamma=gamma)


def backward_graph_with_tiles(dy, cache):
    N = dy.shape[0]
    dx_hat = np.tile(cache.gamma, (N, 1)) * dy
    dstd = np.tile(np.sum(-dx_hat * cache.diff / cache.std**2, axis=0), (N, 1))
    dvar = dstd / (2 * cache.std)
    ddiff = dx_hat / cache.std + dvar * 2 * cache.diff / N
    dmu = np.tile(-np.sum(ddiff, axis=0), (N, 1))
    dx = ddiff + dmu / N
    return dx, np.sum(dy * cache.x_hat, axis=0), np.sum(dy, axis=0)


def forward_nested(x, gamma, beta, eps=1e-5):
    mean, var = x.mean(axis=0), x.var(axis=0)
    y = gamma * (x - mean) * (var + eps) ** -0.5 + beta
    return y, ((x, gamma), (mean, var, eps))


def backward_graph_from_nested(dy, cache):
    (x, gamma), (mean, var, eps) = cache
    N = len(x)
    inv_std = (var + eps) ** -0.5
    dx_hat = gamma * dy
    dvar = (-0.5 * dx_hat * (x - mean) * inv_std**3).sum(axis=0)
    dmean = (-dx_hat * inv_std).sum(axis=0)
    dx = dx_hat * inv_std
    dx = dx + dvar * 2 * (x - mean) / N
    dx = dx + dmean / N
    dgamma = (dy * (x - mean) * inv_std).sum(axis=0)
    return dx, dgamma, dy.sum(axis=0)


def backward_graph_of_steps(dy, cache):
    (x, gamma), (mean, var, eps) = cache
    x_hat = (x - mean) / np.sqrt(var + eps)
    dx_hat, dgamma, dbeta = scale_shift_three_lines(dy, x_hat, gamma)
    dx_direct, dmean, dvar = normalize_partials(dx_hat, x, mean, var, eps)
    N = dy.shape[0]
    dx = dx_direct + dvar * 2 * (x - mean) / N + dmean / N
    return dx, dgamma, dbeta


def forward_object(x, gamma, beta, eps=1e-5):
    class Saved:
        pass

    saved = Saved()
    saved.mu = np.mean(x, axis=0, keepdims=True)
    saved.xmu = x - saved.mu
    saved.var = np.mean(saved.xmu**2, axis=0, keepdims=True)
    saved.rstd = 1 / np.sqrt(saved.var + eps)
    saved.gamma = np.reshape(gamma, (1, -1))
    return saved.gamma * saved.xmu * saved.rstd + np.reshape(beta, (1, -1)), saved


def backward_graph_rows_kept(dy, saved):
    m = len(dy)
    dbeta = np.sum(dy, axis=0, keepdims=True)
    dgamma = np.sum(dy * saved.xmu * saved.rstd, axis=0, keepdims=True)
    dxhat = dy * saved.gamma
    drstd = np.sum(dxhat * saved.xmu, axis=0, keepdims=True)
    dvar = drstd * -0.5 * saved.rstd**3
    dxmu = dxhat * saved.rstd
    dxmu += np.full(dy.shape, 1 / m) * dvar * 2 * saved.xmu
    dmu = -np.sum(dxmu, axis=0, keepdims=True)
    return dxmu + dmu / m, dgamma, dbeta


def backward_graph_own_buffers(dy, saved):
    dx = np.array(dy, dtype=float)
    dbeta = dx.sum(axis=0)
    dgamma = (dx * saved.xmu).sum(axis=0)
    dgamma *= saved.rstd[0]
    dx *= saved.gamma
    dvar = (dx * saved.xmu).sum(axis=0)
    dvar *= -0.5 * saved.rstd[0] ** 3
    dx *= saved.rstd
    dmean = -dx.sum(axis=0)
    dmean -= dvar * 2 * saved.xmu.mean(axis=0)
    dx += saved.xmu * (2 * dvar / dx.shape[0])
    dx += dmean / dx.shape[0]
    return dx, dgamma, dbeta


def forward_second_moment(x, gamma, beta, eps=1e-5):
    m1 = x.mean(axis=0)
    xc = x - m1
    s = np.sqrt((xc * xc).mean(axis=0) + eps)
    return gamma * xc / s + beta, {"inputs": {"x": x, "gamma": gamma}, "moments": [m1, s]}


def backward_graph_second_moment(dy, cache):
    x, gamma = cache["inputs"]["x"], cache["inputs"]["gamma"]
    m1, s = cache["moments"]
    if dy.shape != x.shape:
        raise ValueError("dy must look like x")
    N = x.shape[0]
    dx_hat = gamma * dy
    ds = -(dx_hat * (x - m1)).sum(axis=0) / s**2
    dm2 = ds / (2 * s)
    dm1 = -dx_hat.sum(axis=0) / s - 2 * m1 * dm2
    dx = dx_hat / s + (2 * x * dm2 + dm1) / N
    dgamma = (dy * (x - m1)).sum(axis=0) / s
    dbeta = dy.sum(axis=0)
    return dx, dgamma, dbeta


# batchnorm_backward


def closed_cs231n(dout, cache):
    xhat, gamma, _, ivar, _, _, _ = cache
    N = dout.shape[0]
    dbeta = np.sum(dout, axis=0)
    dgamma = np.sum(xhat * dout, axis=0)
    dx = (1.0 / N) * gamma * ivar * (N * dout - dbeta - xhat * dgamma)
    return dx, dgamma, dbeta


def closed_without_x_hat(dy, cache):
    _, gamma, xmu, _, _, var, eps = cache
    N, _ = dy.shape
    dbeta = np.sum(dy, axis=0)
    dgamma = np.sum(xmu * (var + eps) ** (-1.0 / 2.0) * dy, axis=0)
    dx = (
        (1.0 / N)
        * gamma
        * (var + eps) ** (-1.0 / 2.0)
        * (N * dy - np.sum(dy, axis=0) - xmu * (var + eps) ** (-1.0) * np.sum(dy * xmu, axis=0))
    )
    return dx, dgamma, dbeta


def closed_by_means(dy, cache):
    x_hat, gamma = cache["x_hat"], cache["gamma"]
    scale = gamma / np.sqrt(cache["var"] + cache["eps"])
    dx = scale * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0))
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)


def closed_einsum(dy, cache):
    xc, ivar, gamma = cache
    n = dy.shape[0]
    x_hat = np.einsum("nd,d->nd", xc, ivar)
    dgamma = np.einsum("nd,nd->d", dy, x_hat)
    dbeta = np.einsum("nd->d", dy)
    inside = dy - dbeta / n - np.einsum("nd,d->nd", x_hat, dgamma) / n
    return np.einsum("d,d,nd->nd", gamma, ivar, inside), dgamma, dbeta


def closed_in_loops(dy, cache):
    N, D = dy.shape
    dx, dgamma, dbeta = [[0.0] * D for _ in range(N)], [0.0] * D, [0.0] * D
    for j in range(D):
        centred, std, gamma = cache[j]
        for i in range(N):
            dbeta[j] += dy[i, j]
            dgamma[j] += dy[i, j] * (centred[i] / std)
        for i in range(N):
            dx[i][j] = gamma / std * (dy[i, j] - dbeta[j] / N - centred[i] / std * dgamma[j] / N)
    return dx, dgamma, dbeta


def closed_with_tiles(dy, cache):
    N = dy.shape[0]
    dgamma = np.sum(dy * cache.x_hat, axis=0)
    dbeta = np.sum(dy, axis=0)
    mean_dy = np.tile(dbeta / N, (N, 1))
    mean_dy_x_hat = np.tile(dgamma / N, (N, 1))
    dx = np.tile(cache.gamma, (N, 1)) / cache.std * (dy - mean_dy - cache.x_hat * mean_dy_x_hat)
    return dx, dgamma, dbeta


def closed_from_nested(dy, cache):
    (x, gamma), (mean, var, eps) = cache
    N = float(len(x))
    s = np.sqrt(var + eps)
    z = (x - mean) / s
    dz = dy * gamma
    dx = (dz - dz.sum(axis=0) / N - z * (dz * z).sum(axis=0) / N) / s
    return dx, (z * dy).sum(axis=0), dy.sum(axis=0)


def closed_rows_kept(dy, saved):
    x_hat = saved.xmu * saved.rstd
    dbeta = dy.sum(axis=0, keepdims=True)
    dgamma = (dy * x_hat).sum(axis=0, keepdims=True)
    return saved.gamma * saved.rstd * (dy - (dbeta + x_hat * dgamma) / dy.shape[0]), dgamma, dbeta


def closed_own_buffers(dy, saved):
    x_hat = saved.xmu * saved.rstd
    dx = np.array(dy, dtype=float)
    dbeta = dx.sum(axis=0)
    dgamma = (dx * x_hat).sum(axis=0)
    dx -= dbeta / len(dx)
    x_hat *= dgamma / len(dx)
    dx -= x_hat
    dx *= saved.gamma * saved.rstd
    return dx, dgamma, dbeta


def closed_checks_its_input(dy, cache):
    x, gamma = cache["inputs"]["x"], cache["inputs"]["gamma"]
    mean, std = cache["moments"]
    if np.shape(dy) != np.shape(x):
        raise ValueError("dy does not fit the last batch")
    x_hat = np.divide(x - mean, std)
    N = x.shape[0]
    k = gamma / (N * std)
    db = dy.sum(axis=0)
    dg = (x_hat * dy).sum(axis=0)
    dx = k * N * dy - k * db - k * dg * x_hat
    return dx, dg, db


def closed_calls_the_graph(dy, cache):
    dx, dgamma, dbeta = backward_nine_steps(dy, cache)
    return dx - dx.mean(axis=0), dgamma, dbeta


def closed_calls_scale_shift(dy, cache):
    dx_hat, dgamma, dbeta = scale_shift_one_line(dy, cache["x_hat"], cache["gamma"])
    std = np.sqrt(cache["var"] + cache["eps"])
    mean_term = np.mean(dx_hat, axis=0)
    var_term = cache["x_hat"] * np.mean(dx_hat * cache["x_hat"], axis=0)
    return (dx_hat - mean_term - var_term) / std, dgamma, dbeta


def forward_centring(x, gamma, beta, eps=1e-5):
    N = len(x)
    H = np.eye(N) - np.ones((N, N)) / N
    centred = H @ x
    std = np.sqrt(np.sum(centred**2, axis=0) / N + eps)
    return centred / std * gamma + beta, (H, centred / std, gamma / std)


def closed_centring(dy, cache):
    H, x_hat, scale = cache
    N = H.shape[0]
    correlation = np.diag(x_hat.T @ dy)
    dx = (H @ dy - x_hat * correlation / N) * scale
    return dx, correlation, np.ones(N) @ dy


def closed_jacobians(dy, cache):
    _, x_hat, scale = cache
    N, D = dy.shape
    dx = np.empty((N, D))
    for j in range(D):
        z = x_hat[:, j]
        jacobian = scale[j] * (np.eye(N) - np.ones((N, N)) / N - np.outer(z, z) / N)
        dx[:, j] = jacobian @ dy[:, j]
    return dx, np.sum(x_hat * dy, axis=0), np.sum(dy, axis=0)


def closed_jacobian_tensor(dy, cache):
    H, x_hat, scale = cache
    N = dy.shape[0]
    J = H[:, :, None] - x_hat[:, None, :] * x_hat[None, :, :] / N
    dx = np.einsum("ikd,kd->id", J, dy) * scale
    return dx, np.einsum("nd,nd->d", dy, x_hat), np.einsum("nd->d", dy)


def forward_transposed(x, gamma, beta, eps=1e-5):
    columns = np.array(x, dtype=float).T
    columns = columns - columns.mean(axis=1, keepdims=True)
    rstd = (np.mean(columns**2, axis=1) + eps) ** -0.5
    columns = columns * rstd[:, None]
    y = (columns * gamma[:, None] + beta[:, None]).T
    return y, [columns, gamma * rstd]


def closed_transposed(dy, cache):
    columns, scale = cache
    g = dy.T
    N = g.shape[1]
    dbeta = g.sum(axis=1)
    dgamma = (g * columns).sum(axis=1)
    dx = scale[:, None] * (g - dbeta[:, None] / N - columns * dgamma[:, None] / N)
    return dx.T, dgamma, dbeta


def closed_two_regressors(dy, cache):
    columns, scale = cache
    N, D = dy.shape
    dx = np.zeros((N, D))
    dgamma = np.zeros(D)
    dbeta = np.zeros(D)
    for j in range(D):
        A = np.column_stack([np.ones(N), columns[j]])
        dbeta[j], dgamma[j] = A.T @ dy[:, j]
        dx[:, j] = scale[j] * (dy[:, j] - A @ (A.T @ dy[:, j]) / N)
    return dx, dgamma, dbeta


def forward_keeps_its_input(x, gamma, beta, eps=1e-5):
    x_hat = (x - np.mean(x, 0)) / (np.std(x, 0) ** 2 + eps) ** 0.5
    return x_hat * gamma + beta, (x, gamma, eps)


def closed_from_the_input(dy, cache):
    x, gamma, eps = cache
    m = x.shape[0]
    mu = x.sum(axis=0) / m
    sigma2 = ((x - mu) ** 2).sum(axis=0) / m
    x_hat = (x - mu) / np.sqrt(sigma2 + eps)
    dgamma = (dy * x_hat).sum(axis=0)
    dbeta = dy.sum(axis=0)
    dx = gamma / (m * np.sqrt(sigma2 + eps)) * (m * dy - dgamma * x_hat - dbeta)
    return dx, dgamma, dbeta


def closed_by_covariance(dy, cache):
    x, gamma, eps = cache
    mean = np.average(x, axis=0)
    var = np.var(x, axis=0)
    dyc = dy - np.average(dy, axis=0)
    covariance = np.average(dyc * (x - mean), axis=0)
    slope = covariance / (var + eps)
    dx = gamma / np.sqrt(var + eps) * (dyc - slope * (x - mean))
    return dx, len(x) * covariance / np.sqrt(var + eps), np.sum(dy, axis=0)


def forward_in_its_own_precision(x, gamma, beta, eps=1e-5):
    x = np.asarray(x, dtype=np.result_type(x, np.float32))
    mu = x.mean(axis=0, dtype=np.float64)
    v = np.square(x - mu).mean(axis=0)
    ivar = 1.0 / np.sqrt(v + eps)
    x_hat = (x - mu) * ivar
    y = (gamma * x_hat + beta).astype(x.dtype)
    return y, {"batch": (x_hat, ivar), "layer": {"gamma": gamma}, "N": len(x)}


def closed_from_a_dict_of_parts(dy, cache):
    x_hat, ivar = cache["batch"]
    gamma = cache["layer"]["gamma"]
    N = cache["N"]
    dgamma = np.sum(np.multiply(dy, x_hat), axis=0)
    dbeta = np.sum(dy, axis=0)
    t1 = N * dy
    t2 = np.ones((N, 1)) * dbeta
    t3 = x_hat * dgamma
    dx = (t1 - t2 - t3) * gamma * ivar / N
    return dx, dgamma, dbeta


def forward_object_of_tuples(x, gamma, beta, eps=1e-5):
    class Cache:
        def __init__(self, x_hat, std, gamma):
            self.arrays = (x_hat, std)
            self.gamma = gamma

    mean = sum(x) / len(x)
    std = np.hypot(np.std(x, axis=0), math.sqrt(eps))
    x_hat = (x - mean) / std
    return gamma * x_hat + beta, Cache(x_hat, std, gamma)


def closed_row_by_row(dy, cache):
    x_hat, std = cache.arrays
    N = len(dy)
    dbeta = sum(dy)
    dgamma = sum(g * z for g, z in zip(dy, x_hat, strict=True))
    rows = []
    for g, z in zip(dy, x_hat, strict=True):
        rows.append(cache.gamma * (g - dbeta / N - z * dgamma / N) / std)
    return np.array(rows), dgamma, dbeta


def closed_as_float32(dy, cache):
    x_hat, std = cache.arrays
    N = dy.shape[0]
    dbeta = dy.sum(axis=0)
    dgamma = (dy * x_hat).sum(axis=0)
    dx = cache.gamma / std * (dy - dbeta / N - x_hat * dgamma / N)
    return dx.astype(np.float32), dgamma.astype(np.float32), dbeta.astype(np.float32)


def forward_closure(x, gamma, beta, eps=1e-5):
    std = np.sqrt(x.var(axis=0) + eps)
    x_hat = (x - x.mean(axis=0)) / std

    def project(g):
        return (g - g.mean(axis=0) - x_hat * (g * x_hat).mean(axis=0)) / std

    return gamma * x_hat + beta, (project, x_hat, gamma)


def closed_calls_its_cache(dy, cache):
    project, x_hat, gamma = cache
    dx = project(gamma * dy)
    dgamma = np.sum(x_hat * dy, axis=0)
    dbeta = np.sum(dy, axis=0)
    return dx, dgamma, dbeta


# batchnorm_inference_backward


def inference_three_lines(dy, x, gamma, running_mean, running_var, eps=1e-5):
    std = np.sqrt(running_var + eps)
    x_hat = (x - running_mean) / std
    dx = dy * gamma / std
    dgamma = np.sum(dy * x_hat, axis=0)
    dbeta = np.sum(dy, axis=0)
    return dx, dgamma, dbeta


def inference_one_line(dy, x, gamma, running_mean, running_var, eps=1e-5):
    ivar = (running_var + eps) ** -0.5
    return gamma * ivar * dy, (dy * (x - running_mean) * ivar).sum(0), dy.sum(0)


def inference_einsum(dout, x, g, mu, var, eps=1e-5):
    inv = 1.0 / np.sqrt(var + eps)
    dx = np.einsum("nd,d,d->nd", dout, g, inv)
    dg = np.einsum("nd,nd,d->d", dout, x - mu, inv)
    return dx, dg, np.einsum("nd->d", dout)


def inference_diagonal_matrices(dy, x, gamma, running_mean, running_var, eps=1e-5):
    S = np.diag(1 / np.sqrt(running_var + eps))
    ones = np.ones(len(x))
    x_hat = (x - running_mean[None, :]) @ S
    dx = dy @ S @ np.diag(gamma)
    dgamma = np.diag(x_hat.T @ dy)
    return dx, dgamma, ones @ dy


def inference_python_loops(dy, x, gamma, running_mean, running_var, eps=1e-5):
    N, D = x.shape
    dx = np.zeros((N, D))
    dgamma, dbeta = np.zeros(D), np.zeros(D)
    for j in range(D):
        std = math.sqrt(running_var[j] + eps)
        for i in range(N):
            dx[i, j] = dy[i, j] * gamma[j] / std
            dgamma[j] += dy[i, j] * (x[i, j] - running_mean[j]) / std
            dbeta[j] += dy[i, j]
    return dx, dgamma, dbeta


def inference_with_tiles(dy, x, gamma, running_mean, running_var, eps=1e-5):
    N = x.shape[0]
    mu, var = np.tile(running_mean, (N, 1)), np.tile(running_var, (N, 1))
    std = np.sqrt(var + eps)
    dx = np.tile(gamma, (N, 1)) * dy / std
    dgamma = np.sum(dy * (x - mu) / std, axis=0, keepdims=True)
    dbeta = np.sum(dy, axis=0, keepdims=True)
    return dx, dgamma, dbeta


def inference_own_buffers(dy, x, gamma, running_mean, running_var, eps=1e-5):
    x_hat = np.array(x, dtype=float)
    x_hat -= running_mean
    x_hat /= np.sqrt(running_var + eps)
    dx = np.array(dy, dtype=float)
    dbeta = dx.sum(axis=0)
    x_hat *= dx
    dgamma = x_hat.sum(axis=0)
    dx *= gamma
    dx /= np.sqrt(running_var + eps)
    return [dx, dgamma, dbeta]


def inference_calls_scale_shift(dy, x, gamma, running_mean, running_var, eps=1e-5):
    std = np.sqrt(running_var + eps)
    dx_hat, dgamma, dbeta = scale_shift_three_lines(dy, (x - running_mean) / std, gamma)
    return dx_hat / std, dgamma, dbeta


def inference_as_an_affine_map(dy, x, gamma, running_mean, running_var, eps=1e-5):
    a = 1 / np.sqrt(running_var + eps)
    b = -running_mean * a
    dx = dy * (gamma * a)
    dbeta = dy.sum(axis=0)
    dgamma = a * (dy * x).sum(axis=0) + b * dbeta
    return dx, dgamma, dbeta


def inference_column_by_column(dy, x, gamma, running_mean, running_var, eps=1e-5):
    if np.shape(dy) != np.shape(x):
        raise ValueError("dy and x must have the same shape")
    columns, dgamma = [], []
    for g, values, scale, m, v in zip(dy.T, x.T, gamma, running_mean, running_var, strict=True):
        s = (v + eps) ** 0.5
        columns.append(scale / s * g)
        dgamma.append(np.dot(g, values - m) / s)
    return np.transpose(columns), np.array(dgamma), np.array([np.sum(g) for g in dy.T])


# numerical_gradient


def gradient_perturbs_and_restores(f, x, h=1e-5):
    x = np.asarray(x, dtype=float)
    grad = np.zeros_like(x)
    it = np.nditer(x, flags=["multi_index", "zerosize_ok"])
    while not it.finished:
        ix = it.multi_index
        oldval = x[ix]
        x[ix] = oldval + h
        fxph = f(x)
        x[ix] = oldval - h
        fxmh = f(x)
        x[ix] = oldval
        grad[ix] = (fxph - fxmh) / (2 * h)
        it.iternext()
    return grad


def gradient_on_copies(f, x, h=1e-5):
    x = np.array(x, dtype=float)
    grad = np.empty(x.shape)
    for index in np.ndindex(*x.shape):
        above, below = x.copy(), x.copy()
        above[index] += h
        below[index] -= h
        grad[index] = (f(above) - f(below)) / (2 * h)
    return grad


def gradient_on_one_buffer(f, x, h=1e-5):
    point = np.array(x, dtype=float)
    flat = point.reshape(-1)
    grad = np.zeros(flat.size)
    for k in range(flat.size):
        old = flat[k]
        flat[k] = old + h
        plus = float(f(point))
        flat[k] = old - h
        minus = float(f(point))
        flat[k] = old
        grad[k] = (plus - minus) / (2.0 * h)
    return grad.reshape(point.shape)


def gradient_along_unit_vectors(f, x, h=1e-5):
    size = np.size(x)
    grad = np.zeros(size)
    for k, e in enumerate(np.eye(size)):
        step = h * e.reshape(np.shape(x))
        grad[k] = (f(x + step) - f(x - step)) / (2 * h)
    return grad.reshape(np.shape(x))


def gradient_by_comprehension(f, x, h=1e-5):
    shape = np.shape(x)
    steps = [h * e.reshape(shape) for e in np.eye(np.size(x))]
    return np.array([0.5 * (f(x + e) - f(x - e)) / h for e in steps], dtype=float).reshape(shape)


def gradient_of_all_points_first(f, x, h=1e-5):
    x = np.array(x, dtype=float)
    ups, downs = [], []
    for k in range(x.size):
        e = np.zeros(x.size)
        e[k] = h
        e = e.reshape(x.shape)
        ups.append(float(f(x + e)))
        downs.append(float(f(x - e)))
    grad = np.subtract(ups, downs)
    grad /= 2 * h
    return np.reshape(grad, x.shape)


def gradient_by_an_inner_function(f, x, h=1e-5):
    x0 = np.array(x, dtype=np.float64)

    def moved(index, by):
        z = x0.copy()
        z[index] = z[index] + by
        return np.asarray(f(z)).item()

    grad = np.zeros(x0.shape)
    for index in np.ndindex(x0.shape):
        grad[index] = (moved(index, h) - moved(index, -h)) / (2 * h)
    return grad


def gradient_by_the_step_taken(f, x, h=1e-5):
    if h <= 0:
        raise ValueError("h must be positive")
    x = np.array(x, dtype=float)
    grad = np.zeros(x.shape)
    k = 0
    while k < x.size:
        index = np.unravel_index(k, x.shape)
        right = x.copy()
        left = x.copy()
        right[index] = x[index] + h
        left[index] = x[index] - h
        grad[index] = (f(right) - f(left)) / (right[index] - left[index])
        k += 1
    return grad


def gradient_as_a_mean_of_two(f, x, h=1e-5):
    x = np.array(x, dtype=float)
    grad = np.zeros(x.size)
    for sign in (1.0, -1.0):
        for k in range(x.size):
            z = x.copy()
            z.flat[k] += sign * h
            grad[k] += sign * f(z)
    return (grad / h / 2).reshape(x.shape)


# factor_along


def factor_of_two_sums(backward, direction, scale):
    dx = backward(direction)
    return np.sum(dx * direction, axis=0) / (scale * np.sum(direction**2, axis=0))


def factor_of_a_unit_direction(backward, direction, scale):
    unit = direction / np.linalg.norm(direction, axis=0)
    return (backward(unit) * unit).sum(axis=0) / scale


def factor_einsum(backward, v, s):
    return np.einsum("nd,nd->d", backward(v), v) / np.einsum("d,nd,nd->d", s, v, v)


def factor_column_by_column(backward, direction, scale):
    dx = backward(direction)
    factors = []
    for j in range(direction.shape[1]):
        v = direction[:, j]
        factors.append(float(np.dot(dx[:, j], v) / np.dot(v, v) / scale[j]))
    return factors


def factor_by_least_squares(backward, direction, scale):
    dx = np.asarray(backward(direction.copy())) / scale
    D = direction.shape[1]
    return np.array([np.linalg.lstsq(direction[:, [j]], dx[:, j], rcond=None)[0][0] for j in range(D)])


def factor_rows_kept(backward, direction, scale):
    along = np.mean(backward(direction) * direction, axis=0, keepdims=True)
    return along / np.mean(direction * direction, axis=0, keepdims=True) / scale


def factor_one_feature_at_a_time(backward, direction, scale):
    N, D = direction.shape
    result = np.zeros(D)
    for j in range(D):
        dy = np.zeros((N, D))
        dy[:, j] = direction[:, j]
        result[j] = direction[:, j] @ backward(dy)[:, j] / (scale[j] * (direction[:, j] @ direction[:, j]))
    return result


# bug_1 to bug_5: the line, a dy that shows the bug, one that hides it


def bug_1_centred(x, gamma, eps):
    return 7, np.ones_like(x), x - x.mean(axis=0)


def bug_1_up_and_down(x, gamma, eps):
    hides = np.zeros(x.shape)
    hides[0], hides[1] = 1.0, -1.0
    return 7, x, hides


def bug_1_random(x, gamma, eps):
    dy = np.random.default_rng(0).standard_normal(x.shape)
    return 7, dy + 1, dy - dy.mean(axis=0)


def bug_1_as_a_list(x, gamma, eps):
    N, D = x.shape
    hides = [[float(N - 1)] * D] + [[-1.0] * D for _ in range(N - 1)]
    return [7.0, [[1] * D for _ in range(N)], hides]


def bug_1_x_hat(x, gamma, eps):
    mean = np.mean(x, axis=0, keepdims=True)
    x_hat = (x - mean) / np.sqrt(np.var(x, axis=0, keepdims=True) + eps)
    return np.int64(7), gamma * x_hat + 3, 2 * x_hat


def bug_2_ones(x, gamma, eps):
    return 11, x - x.mean(axis=0), np.ones_like(x)


def bug_2_constant_columns(x, gamma, eps):
    return 11, x**2, np.tile(gamma, (len(x), 1))


def bug_2_residual(x, gamma, eps):
    centred = x - x.mean(axis=0)
    cubes = centred**3
    slope = (cubes * centred).sum(axis=0) / (centred * centred).sum(axis=0)
    return 11, cubes, cubes - slope * centred


def bug_2_first_sample(x, gamma, eps):
    shows = np.zeros_like(x)
    shows[0] = 1
    return 11, shows, 7 * np.ones(x.shape)


def bug_2_two_samples(x, gamma, eps):
    centred = x - x.mean(axis=0)
    hides = np.zeros_like(x)
    hides[0], hides[1] = centred[1], -centred[0]
    return (11, centred + 1, hides)


def bug_3_ones(x, gamma, eps):
    return 7, x - x.mean(axis=0), np.ones_like(x)


def bug_3_first_sample(x, gamma, eps):
    shows = np.zeros_like(x)
    shows[0] = 1.0
    return 7, shows, 0.5 * np.ones(x.shape)


def bug_3_random(x, gamma, eps):
    return 7, np.random.default_rng(1).standard_normal(x.shape), np.full(x.shape, -2.0)


def bug_3_constant_columns(x, gamma, eps):
    return 7, x * x, np.ones(len(x))[:, None] * gamma


def bug_3_alternating(x, gamma, eps):
    shows = np.ones(x.shape)
    shows[::2] = -1.0
    return 7, shows, np.ones(x.shape, dtype=int)


def bug_4_part_taken_out(x, gamma, eps):
    x_hat = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps)
    gap = x - x_hat
    return 5, np.ones_like(x), 1 - gap * gap.sum(axis=0) / (gap * gap).sum(axis=0)


def bug_4_two_samples(x, gamma, eps):
    x_hat = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps)
    gap = x - x_hat
    hides = np.zeros_like(x)
    hides[0], hides[1] = gap[1], -gap[0]
    return 5, x, hides


def bug_4_neither_sum(x, gamma, eps):
    hides = np.empty(x.shape)
    for j in range(x.shape[1]):
        A = np.column_stack([np.ones(len(x)), x[:, j]])
        squares = x[:, j] ** 2
        hides[:, j] = squares - A @ np.linalg.lstsq(A, squares, rcond=None)[0]
    return 5, x**2, hides


def bug_4_two_directions(x, gamma, eps):
    centred = x - x.mean(axis=0)
    std = np.sqrt(x.var(axis=0) + eps)
    wrong = (centred * (x - centred / std)).sum(axis=0)
    return 5, centred, centred - wrong / (x - centred / std).sum(axis=0)


def bug_4_three_samples(x, gamma, eps):
    hides = np.zeros(x.shape)
    for j in range(x.shape[1]):
        hides[:3, j] = np.cross(np.ones(3), x[:3, j])
    shows = np.zeros(x.shape)
    shows[0] = 1.0
    return 5, shows, hides


def bug_5_one_over_gamma(x, gamma, eps):
    return 5, np.ones_like(x), np.ones_like(x) / gamma


def bug_5_centred(x, gamma, eps):
    return 5, x, x - x.mean(axis=0)


def bug_5_one_feature(x, gamma, eps):
    shows = np.zeros(x.shape)
    shows[:, 0] = 1.0
    hides = np.zeros(x.shape)
    hides[0], hides[1] = 1.0, -1.0
    return 5, shows, hides


def bug_5_random(x, gamma, eps):
    dy = np.random.default_rng(2).standard_normal(x.shape)
    return 5, dy + 1.0, (dy - dy.mean(axis=0) + 1.0) / gamma


def bug_5_all_the_same_mean(x, gamma, eps):
    dy = x / (x.mean(axis=0) * gamma)
    return 5, gamma * np.ones(x.shape), dy


RIGHT = {
    "scale_shift_backward": [
        (scale_shift_three_lines,),
        (scale_shift_one_line,),
        (scale_shift_einsum,),
        (scale_shift_matrices,),
        (scale_shift_python_loops,),
        (scale_shift_rows_kept,),
        (scale_shift_own_buffers,),
        (scale_shift_column_by_column,),
        (scale_shift_checks_its_input,),
        (scale_shift_means_times_n,),
        (scale_shift_float32,),
    ],
    "normalize_backward": [
        (normalize_partials,),
        (normalize_as_in_the_paper,),
        (normalize_staged,),
        (normalize_einsum,),
        (normalize_through_x_hat,),
        (normalize_python_loops,),
        (normalize_with_tiles,),
        (normalize_own_buffers,),
        (normalize_term_of_the_variance_doubled,),
        (normalize_checks_its_input,),
    ],
    "batchnorm_backward_graph": [
        (forward_nine_steps, backward_nine_steps),
        (forward_dict, backward_paper_equations),
        (forward_list, backward_einsum_graph),
        (forward_columns, backward_graph_in_loops),
        (forward_namespace, backward_graph_with_tiles),
        (forward_nested, backward_graph_from_nested),
        (forward_nested, backward_graph_of_steps),
        (forward_object, backward_graph_rows_kept),
        (forward_object, backward_graph_own_buffers),
        (forward_second_moment, backward_graph_second_moment),
    ],
    "batchnorm_backward": [
        (forward_nine_steps, closed_cs231n),
        (forward_nine_steps, closed_without_x_hat),
        (forward_nine_steps, closed_calls_the_graph),
        (forward_dict, closed_by_means),
        (forward_dict, closed_calls_scale_shift),
        (forward_list, closed_einsum),
        (forward_columns, closed_in_loops),
        (forward_namespace, closed_with_tiles),
        (forward_nested, closed_from_nested),
        (forward_object, closed_rows_kept),
        (forward_object, closed_own_buffers),
        (forward_second_moment, closed_checks_its_input),
        (forward_centring, closed_centring),
        (forward_centring, closed_jacobians),
        (forward_centring, closed_jacobian_tensor),
        (forward_transposed, closed_transposed),
        (forward_transposed, closed_two_regressors),
        (forward_keeps_its_input, closed_from_the_input),
        (forward_keeps_its_input, closed_by_covariance),
        (forward_in_its_own_precision, closed_from_a_dict_of_parts),
        (forward_object_of_tuples, closed_row_by_row),
        (forward_object_of_tuples, closed_as_float32),
        (forward_closure, closed_calls_its_cache),
    ],
    "batchnorm_inference_backward": [
        (inference_three_lines,),
        (inference_one_line,),
        (inference_einsum,),
        (inference_diagonal_matrices,),
        (inference_python_loops,),
        (inference_with_tiles,),
        (inference_own_buffers,),
        (inference_calls_scale_shift,),
        (inference_as_an_affine_map,),
        (inference_column_by_column,),
    ],
    "numerical_gradient": [
        (gradient_perturbs_and_restores,),
        (gradient_on_copies,),
        (gradient_on_one_buffer,),
        (gradient_along_unit_vectors,),
        (gradient_by_comprehension,),
        (gradient_of_all_points_first,),
        (gradient_by_an_inner_function,),
        (gradient_by_the_step_taken,),
        (gradient_as_a_mean_of_two,),
    ],
    "factor_along": [
        (factor_of_two_sums,),
        (factor_of_a_unit_direction,),
        (factor_einsum,),
        (factor_column_by_column,),
        (factor_by_least_squares,),
        (factor_rows_kept,),
        (factor_one_feature_at_a_time,),
    ],
    "bug_1": [(bug_1_centred,), (bug_1_up_and_down,), (bug_1_random,), (bug_1_as_a_list,), (bug_1_x_hat,)],
    "bug_2": [
        (bug_2_ones,),
        (bug_2_constant_columns,),
        (bug_2_residual,),
        (bug_2_first_sample,),
        (bug_2_two_samples,),
    ],
    "bug_3": [
        (bug_3_ones,),
        (bug_3_first_sample,),
        (bug_3_random,),
        (bug_3_constant_columns,),
        (bug_3_alternating,),
    ],
    "bug_4": [
        (bug_4_part_taken_out,),
        (bug_4_two_samples,),
        (bug_4_neither_sum,),
        (bug_4_two_directions,),
        (bug_4_three_samples,),
    ],
    "bug_5": [
        (bug_5_one_over_gamma,),
        (bug_5_centred,),
        (bug_5_one_feature,),
        (bug_5_random,),
        (bug_5_all_the_same_mean,),
    ],
}
