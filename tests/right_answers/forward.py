"""Right answers to the assignment `forward`: from the mean of a batch to the whole layer in training.

Those whose name ends in ``float32`` are right to float32 only.
"""

import math

import numpy as np

# batch_mean


def mean_of_axis_0(x):
    return x.mean(axis=0)


def mean_kept_as_a_row(x):
    return np.mean(x, 0, keepdims=True)


def mean_as_sum_over_n(x):
    N = x.shape[0]
    mu = 1.0 / N * np.sum(x, axis=0)
    return mu


def mean_by_ones(x):
    n = len(x)
    weights = np.ones(n) / n
    return weights @ x


def mean_by_reduce(x):
    return np.add.reduce(x, axis=0) / x.shape[0]


def mean_by_einsum(x):
    N, _ = x.shape
    return np.einsum("nd->d", x) / N


def mean_column_by_column(x):
    D = x.shape[1]
    mu = np.zeros(D)
    for j in range(D):
        mu[j] = np.mean(x[:, j])
    return mu


def mean_as_a_tuple_of_floats(x):
    return tuple(float(sum(column)) / len(column) for column in x.T)


def mean_by_loops(x):
    N, D = x.shape
    total = [0.0] * D
    for row in x.tolist():
        for j, value in enumerate(row):
            total[j] += value
    return [t / N for t in total]


def mean_one_row_at_a_time(x):
    mean = np.zeros(x.shape[1])
    for n, row in enumerate(x, start=1):
        mean = mean + (row - mean) / n
    return mean


def mean_as_masked_array(x):
    return np.ma.masked_invalid(x).mean(axis=0)


def mean_into_a_buffer(x, buffer={}):  # noqa: B006 - a buffer kept between calls is what is tried here
    out = buffer.setdefault(x.shape[1], np.empty(x.shape[1]))
    np.mean(x, axis=0, out=out)
    return out


def mean_in_float32(x):
    return np.average(x, axis=0).astype(np.float32)


# batch_variance


def variance_of_axis_0(x):
    return x.var(axis=0)


def variance_kept_as_a_row(x):
    return np.var(x, axis=0, keepdims=True)


def variance_staged(x):
    N = x.shape[0]
    mu = np.sum(x, axis=0) / N
    xmu = x - mu
    sq = xmu**2
    var = 1.0 / N * np.sum(sq, axis=0)
    return var


def variance_in_one_line(x):
    return np.mean((x - np.mean(x, axis=0)) ** 2, axis=0)


def variance_as_squared_deviation(x):
    sigma = x.std(axis=0)
    return sigma**2


def variance_by_moments(x):
    second_moment = np.mean(x**2.0, axis=0)
    first_moment = np.mean(x, axis=0)
    return second_moment - first_moment**2


def variance_by_shifted_moments(x):
    z = x - x[0]
    return (z * z).mean(axis=0) - z.mean(axis=0) ** 2


def variance_by_einsum(x):
    c = x - x.mean(0)
    return np.einsum("nd,nd->d", c, c) / len(x)


def variance_by_centring_matrix(x):
    N = len(x)
    H = np.eye(N) - np.ones((N, N)) / N
    centred = H @ x
    return np.diag(centred.T @ centred) / N


def variance_by_covariance(x):
    D = x.shape[1]
    covariance = np.cov(x, rowvar=False, bias=True).reshape(D, D)
    return covariance.diagonal()


def variance_from_the_unbiased_one(x):
    N = len(x)
    unbiased = x.var(axis=0, ddof=1)
    return unbiased * (N - 1) / N


def variance_by_norm(x):
    length = np.linalg.norm(x - x.mean(axis=0), axis=0)
    return length**2 / len(x)


def variance_as_a_list(x):
    return [float(np.var(column)) for column in x.T]


def variance_by_loops(x):
    N, D = x.shape
    var = np.zeros(D)
    for j in range(D):
        m = 0.0
        for i in range(N):
            m += x[i, j] / N
        for i in range(N):
            var[j] += (x[i, j] - m) ** 2
        var[j] /= N
    return var


def variance_by_welford(x):
    mean, square = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for n, row in enumerate(x, start=1):
        delta = row - mean
        mean = mean + delta / n
        square = square + delta * (row - mean)
    return square / len(x)


def variance_by_pairs(x):
    N = len(x)
    return ((x[:, None] - x[None]) ** 2).sum(axis=(0, 1)) / (2 * N * N)


def variance_in_float32(x):
    d = x - x.mean(axis=0)
    return np.float32((d * d).mean(axis=0))


# normalize


def normalize_in_one_line(x, mean, var, eps=1e-5):
    return (x - mean) / np.sqrt(var + eps)


def normalize_staged(x, mean, var, eps=1e-5):
    xmu = x - mean
    sqrtvar = np.sqrt(var + eps)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar
    return xhat


def normalize_by_power(samples, m, v, epsilon=1e-5):
    return (samples - m) * (v + epsilon) ** -0.5


def normalize_by_ufuncs(x, mean, var, eps=1e-5):
    std = np.power(np.add(var, eps), 0.5)
    return np.divide(np.subtract(x, mean), std)


def normalize_transposed(x, mean, var, eps=1e-5):
    s = np.sqrt(var + eps)
    return ((x.T - mean[:, None]) / s[:, None]).T


def normalize_as_a_difference(x, mean, var, eps=1e-5):
    s = np.sqrt(var + eps)
    return x / s - mean / s


def normalize_by_diagonal_matrix(x, mean, var, eps=1e-5):
    whitening = np.diag(1 / np.sqrt(var + eps))
    return (x - mean) @ whitening


def normalize_with_tiles(x, mean, var, eps=1e-5):
    N = x.shape[0]
    mu = np.tile(mean, (N, 1))
    sigma2 = np.tile(var, (N, 1))
    return (x - mu) / np.sqrt(sigma2 + eps)


def normalize_row_by_row(x, mean, var, eps=1e-5):
    return np.stack([(row - mean) / np.sqrt(var + eps) for row in x])


def normalize_column_by_column(x, mean, var, eps=1e-5):
    x_hat = np.zeros(x.shape)
    for j in range(x.shape[1]):
        std = math.sqrt(var[j] + eps)
        x_hat[:, j] = (x[:, j] - mean[j]) / std
    return x_hat


def normalize_by_loops(x, mean, var, eps=1e-5):
    return [[(v - m) / math.sqrt(s + eps) for v, m, s in zip(row, mean, var, strict=True)] for row in x.tolist()]


def normalize_in_place_on_a_copy(x, mean, var, eps=1e-5):
    out = np.array(x, dtype=np.float64)
    out -= mean
    out /= np.sqrt(var + eps)
    return out


def normalize_that_refuses_bad_input(x, mean, var, eps=1e-5):
    if mean.shape != (x.shape[1],) or var.shape != mean.shape:
        raise ValueError("one mean and one variance for each feature, please")
    if np.any(var < 0):
        raise ValueError("a variance cannot be negative")
    return (x - mean[np.newaxis, :]) / np.sqrt(var[np.newaxis, :] + eps)


def normalize_in_float32(x, mean, var, eps=1e-5):
    x, mean, var = (np.asarray(a, dtype=np.float64) for a in (x, mean, var))
    return ((x - mean) / np.sqrt(var + eps)).astype(np.float32)


# scale_shift


def scale_shift_in_one_line(x_hat, gamma, beta):
    return gamma * x_hat + beta


def scale_shift_staged(x_hat, gamma, beta):
    gammax = x_hat * gamma.reshape(1, -1)
    out = gammax + beta.reshape(1, -1)
    return out


def scale_shift_by_diagonal_matrix(x_hat, gamma, beta):
    return x_hat @ np.diag(gamma) + beta[None, :]


def scale_shift_by_einsum(x_hat, gamma, beta):
    return np.einsum("nd,d->nd", x_hat, gamma) + beta


def scale_shift_as_lists(x_hat, gamma, beta):
    return [[g * v + b for v, g, b in zip(r, gamma, beta, strict=True)] for r in x_hat]


def scale_shift_by_homogeneous_matrix(x_hat, gamma, beta):
    A = np.vstack([np.diag(gamma), beta])
    return np.c_[x_hat, np.ones(len(x_hat))] @ A


def scale_shift_column_by_column(x_hat, gamma, beta):
    N, D = x_hat.shape
    y = np.empty((N, D))
    for j in range(D):
        y[:, j] = gamma[j] * x_hat[:, j] + beta[j]
    return y


def scale_shift_with_tiles(x_hat, gamma, beta):
    N = len(x_hat)
    return np.tile(gamma, (N, 1)) * x_hat + np.tile(beta, (N, 1))


def scale_shift_in_place_on_a_copy(x_hat, gamma, beta):
    y = x_hat.astype(float)
    y *= gamma
    y += beta
    return y


def scale_shift_transposed(x_hat, gamma, beta):
    return (gamma[:, None] * x_hat.T + beta[:, None]).T


def scale_shift_in_float32(x_hat, gamma, beta):
    return (gamma * x_hat + beta).astype(np.float32)


# batchnorm_forward


def layer_staged(x, gamma, beta, eps=1e-5):
    N = x.shape[0]
    mu = 1.0 / N * np.sum(x, axis=0)
    xmu = x - mu
    sq = xmu**2
    var = 1.0 / N * np.sum(sq, axis=0)
    sqrtvar = np.sqrt(var + eps)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar
    gammax = gamma * xhat
    out = gammax + beta
    cache = (xhat, gamma, xmu, ivar, sqrtvar, var, eps)
    return out, cache


def layer_by_numpys_statistics(x, gamma, beta, eps=1e-5):
    sample_mean = np.mean(x, axis=0)
    sample_var = np.var(x, axis=0)
    x_normalized = (x - sample_mean) / np.sqrt(sample_var + eps)
    out = gamma * x_normalized + beta
    return out, (x, x_normalized, sample_mean, sample_var, gamma, beta, eps)


def layer_in_one_line(x, gamma, beta, eps=1e-5):
    return (x - x.mean(0)) * gamma / np.sqrt(x.var(0) + eps) + beta, (x, gamma, eps)


def layer_with_tiles(x, gamma, beta, eps=1e-5):
    N = x.shape[0]
    mu = np.tile(np.mean(x, axis=0), (N, 1))
    var = np.tile(np.mean((x - mu) ** 2, axis=0), (N, 1))
    x_hat = (x - mu) * (var + eps) ** -0.5
    return np.tile(gamma, (N, 1)) * x_hat + np.tile(beta, (N, 1)), {"x_hat": x_hat, "var": var}


def layer_keepdims(x, gamma, beta, eps=1e-5):
    class Cache:
        pass

    cache = Cache()
    cache.mu = x.mean(axis=0, keepdims=True)
    cache.var = x.var(axis=0, keepdims=True)
    cache.std = np.sqrt(cache.var + eps)
    return np.reshape(gamma, (1, -1)) * (x - cache.mu) / cache.std + np.reshape(beta, (1, -1)), cache


def layer_as_one_affine_map(x, gamma, beta, eps=1e-5):
    a = gamma / np.sqrt(x.var(axis=0) + eps)
    b = beta - a * x.mean(axis=0)
    return a * x + b, None


def layer_by_einsum(x, gamma, beta, eps=1e-5):
    c = x - np.einsum("nd->d", x) / len(x)
    s = np.sqrt(np.einsum("nd,nd->d", c, c) / len(x) + eps)
    return np.einsum("nd,d,d->nd", c, 1 / s, gamma) + beta, (c, s)


def layer_by_centring_matrix(x, gamma, beta, eps=1e-5):
    N = len(x)
    centring = np.eye(N) - np.full((N, N), 1 / N)
    xc = centring @ x
    sigma2 = np.diag(xc.T @ xc) / N
    scale = gamma / np.sqrt(sigma2 + eps)
    y = xc @ np.diag(scale) + np.outer(np.ones(N), beta)
    return y, [centring, xc, scale]


def layer_column_by_column(x, gamma, beta, eps=1e-5):
    columns = []
    for j in range(x.shape[1]):
        column = x[:, j]
        mean = sum(column) / len(column)
        var = sum((v - mean) ** 2 for v in column) / len(column)
        columns.append([gamma[j] * (v - mean) / math.sqrt(var + eps) + beta[j] for v in column])
    return np.array(columns).T, columns


def layer_by_loops(x, gamma, beta, eps=1e-5):
    N, D = x.shape
    y = np.zeros((N, D))
    x_hat = np.zeros((N, D))
    inv_std = np.zeros(D)
    for j in range(D):
        m = 0.0
        for i in range(N):
            m += x[i, j]
        m /= N
        v = 0.0
        for i in range(N):
            v += (x[i, j] - m) ** 2
        v /= N
        inv_std[j] = 1 / math.sqrt(v + eps)
        for i in range(N):
            x_hat[i, j] = (x[i, j] - m) * inv_std[j]
            y[i, j] = gamma[j] * x_hat[i, j] + beta[j]
    return y, (x_hat, inv_std, gamma)


def layer_on_its_own_copy(x, gamma, beta, eps=1e-5):
    x = np.array(x, dtype=float)
    x -= x.mean(axis=0)
    x /= np.sqrt((x**2).mean(axis=0) + eps)
    x *= gamma
    x += beta
    return [x, "a cache may be anything"]


def layer_with_out_arguments(x, gamma, beta, eps=1e-5):
    mean = np.mean(x, axis=0)
    x_hat = np.empty(x.shape)
    np.subtract(x, mean, out=x_hat)
    var = np.mean(np.square(x_hat), axis=0)
    np.divide(x_hat, np.sqrt(var + eps), out=x_hat)
    y = np.multiply(x_hat, gamma)
    np.add(y, beta, out=y)
    return y, {"x_hat": x_hat, "var": var, "gamma": gamma, "eps": eps}


def layer_that_refuses_bad_input(x, gamma, beta, eps=1e-5):
    if x.ndim != 2 or len(x) < 2:
        raise ValueError("I need a batch")
    if gamma.shape != beta.shape or len(gamma) != x.shape[1]:
        raise ValueError("gamma and beta go feature by feature")
    return gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps) + beta, ()


def layer_by_moments(x, gamma, beta, eps=1e-5):
    mean = x.mean(axis=0)
    mean_of_squares = (x * 1.0 * x).mean(axis=0)
    var = np.maximum(mean_of_squares - mean**2, 0.0)
    return gamma * (x - mean) / np.sqrt(var + eps) + beta, None


def layer_by_shifted_moments(x, gamma, beta, eps=1e-5):
    z = x - x[0]
    m1 = z.sum(axis=0) / len(z)
    m2 = (z * z).sum(axis=0) / len(z)
    s = (m2 - m1 * m1 + eps) ** 0.5
    return (z - m1) / s * gamma + beta, (m1, m2, s)


def layer_transposed(x, gamma, beta, eps=1e-5):
    features = x.T
    mu = features.mean(axis=1)[:, None]
    v = ((features - mu) ** 2).mean(axis=1)[:, None]
    normalized = (features - mu) / np.sqrt(v + eps)
    y = (gamma[:, None] * normalized + beta[:, None]).T
    return y, (normalized, v)


def layer_from_small_functions(x, gamma, beta, eps=1e-5):
    def mean_over_batch(a):
        return np.sum(a, axis=0) / len(a)

    def affine(a, scale, shift):
        return scale * a + shift

    mu = mean_over_batch(x)
    sigma2 = mean_over_batch((x - mu) ** 2)
    x_hat = affine(x - mu, 1 / np.sqrt(sigma2 + eps), 0.0)
    return affine(x_hat, gamma, beta), {"x_hat": x_hat, "sigma2": sigma2}


def layer_by_welford(x, gamma, beta, eps=1e-5):
    mu = np.zeros(x.shape[1])
    S = np.zeros(x.shape[1])
    k = 0
    for sample in x:
        k += 1
        delta = sample - mu
        mu = mu + delta / k
        S = S + delta * (sample - mu)
    std = np.sqrt(S / k + eps)
    return np.array([gamma * (sample - mu) / std + beta for sample in x]), (mu, std)


def layer_by_hypot(x, gamma, beta, eps=1e-5):
    s = np.hypot(x.std(axis=0), math.sqrt(eps))
    xhat = (x - x.mean(axis=0)) / s
    return beta + xhat * gamma, (xhat, s, gamma)


def layer_from_the_unbiased_variance(x, gamma, beta, eps=1e-5):
    n = x.shape[0]
    if n < 2:
        raise ValueError("one sample has no unbiased variance")
    unbiased = x.var(axis=0, ddof=1)
    biased = unbiased * (n - 1) / n
    inv = np.power(biased + eps, -0.5)
    return gamma * inv * (x - np.average(x, axis=0)) + beta, (inv,)


def layer_in_float32(x, gamma, beta, eps=1e-5):
    c = x - x.mean(axis=0)
    s = np.sqrt((c * c).mean(axis=0) + eps)
    y = gamma * (c / s) + beta
    return y.astype(np.float32), (c, s)


# identity_parameters


def identity_in_one_line(x, eps=1e-5):
    return (np.sqrt(x.var(axis=0) + eps), x.mean(axis=0))


def identity_staged(x, eps=1e-5):
    N = x.shape[0]
    mu = np.sum(x, axis=0) / N
    sigma2 = np.sum((x - mu) ** 2, axis=0) / N
    gamma = np.sqrt(sigma2 + eps)
    beta = mu
    return gamma, beta


def identity_as_rows(x, eps=1e-5):
    return [(x.var(axis=0, keepdims=True) + eps) ** 0.5, x.mean(axis=0, keepdims=True)]


def identity_stacked(x, eps=1e-5):
    return np.stack([np.sqrt(np.var(x, axis=0) + eps), np.mean(x, axis=0)])


def identity_by_hypot(x, eps=1e-5):
    return np.hypot(x.std(axis=0), eps**0.5), np.ones(len(x)) @ x / len(x)


def identity_column_by_column(x, eps=1e-5):
    gamma, beta = [], []
    for column in x.T:
        m = sum(column) / len(column)
        v = sum((value - m) ** 2 for value in column) / len(column)
        gamma.append(math.sqrt(v + eps))
        beta.append(m)
    return gamma, beta


def identity_by_solving(x, eps=1e-5):
    # x_hat is what BN gives with gamma = 1, beta = 0; x = gamma * x_hat + beta is then read off beside it.
    beta = x.mean(axis=0)
    inv_std = 1.0 / np.sqrt(np.mean((x - beta) ** 2, axis=0) + eps)
    gamma = 1.0 / inv_std
    return gamma, beta


def identity_by_einsum(x, eps=1e-5):
    m = np.einsum("nd->d", x) / len(x)
    c = x - m
    return np.sqrt(np.einsum("nd,nd->d", c, c) / len(x) + eps), m


def identity_in_float32(x, eps=1e-5):
    gamma = np.sqrt(x.var(axis=0) + eps)
    beta = x.mean(axis=0)
    return np.float32(gamma), np.float32(beta)


RIGHT = {
    "batch_mean": [
        (mean_of_axis_0,),
        (mean_kept_as_a_row,),
        (mean_as_sum_over_n,),
        (mean_by_ones,),
        (mean_by_reduce,),
        (mean_by_einsum,),
        (mean_column_by_column,),
        (mean_as_a_tuple_of_floats,),
        (mean_by_loops,),
        (mean_one_row_at_a_time,),
        (mean_as_masked_array,),
        (mean_into_a_buffer,),
        (mean_in_float32,),
    ],
    "batch_variance": [
        (variance_of_axis_0,),
        (variance_kept_as_a_row,),
        (variance_staged,),
        (variance_in_one_line,),
        (variance_as_squared_deviation,),
        (variance_by_shifted_moments,),
        (variance_by_einsum,),
        (variance_by_centring_matrix,),
        (variance_by_covariance,),
        (variance_from_the_unbiased_one,),
        (variance_by_norm,),
        (variance_as_a_list,),
        (variance_by_loops,),
        (variance_by_welford,),
        (variance_by_pairs,),
        (variance_in_float32,),
    ],
    "normalize": [
        (normalize_in_one_line,),
        (normalize_staged,),
        (normalize_by_power,),
        (normalize_by_ufuncs,),
        (normalize_transposed,),
        (normalize_as_a_difference,),
        (normalize_by_diagonal_matrix,),
        (normalize_with_tiles,),
        (normalize_row_by_row,),
        (normalize_column_by_column,),
        (normalize_by_loops,),
        (normalize_in_place_on_a_copy,),
        (normalize_that_refuses_bad_input,),
        (normalize_in_float32,),
    ],
    "scale_shift": [
        (scale_shift_in_one_line,),
        (scale_shift_staged,),
        (scale_shift_by_diagonal_matrix,),
        (scale_shift_by_einsum,),
        (scale_shift_as_lists,),
        (scale_shift_by_homogeneous_matrix,),
        (scale_shift_column_by_column,),
        (scale_shift_with_tiles,),
        (scale_shift_in_place_on_a_copy,),
        (scale_shift_transposed,),
        (scale_shift_in_float32,),
    ],
    "batchnorm_forward": [
        (layer_staged,),
        (layer_by_numpys_statistics,),
        (layer_in_one_line,),
        (layer_with_tiles,),
        (layer_keepdims,),
        (layer_as_one_affine_map,),
        (layer_by_einsum,),
        (layer_by_centring_matrix,),
        (layer_column_by_column,),
        (layer_by_loops,),
        (layer_on_its_own_copy,),
        (layer_with_out_arguments,),
        (layer_that_refuses_bad_input,),
        (layer_by_shifted_moments,),
        (layer_transposed,),
        (layer_from_small_functions,),
        (layer_by_welford,),
        (layer_by_hypot,),
        (layer_from_the_unbiased_variance,),
        (layer_in_float32,),
    ],
    "identity_parameters": [
        (identity_in_one_line,),
        (identity_staged,),
        (identity_as_rows,),
        (identity_stacked,),
        (identity_by_hypot,),
        (identity_column_by_column,),
        (identity_by_solving,),
        (identity_by_einsum,),
        (identity_in_float32,),
    ],
}

LOSES_DIGITS = {"batch_variance": [(variance_by_moments,)], "batchnorm_forward": [(layer_by_moments,)]}
"""Right but for features far from 0, where their digits cancel."""
