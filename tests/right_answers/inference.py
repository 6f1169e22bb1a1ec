"""Right answers to the assignment `inference`: running statistics, shards, fixed statistics, the class, bugs, folding.

Those whose name ends in ``float32`` are right to float32 only.
"""

import math

import numpy as np

# update_running_stats


def update_in_two_lines(running_mean, running_var, x, momentum=0.1):
    new_mean = (1 - momentum) * running_mean + momentum * x.mean(axis=0)
    new_var = (1 - momentum) * running_var + momentum * x.var(axis=0, ddof=1)
    return new_mean, new_var


def update_staged(running_mean, running_var, x, momentum=0.1):
    N, _ = x.shape
    sample_mean = np.sum(x, axis=0) / N
    xmu = x - sample_mean
    sample_var = np.sum(xmu**2, axis=0) / N
    unbiased_var = sample_var * N / (N - 1)
    old_weight = 1.0 - momentum
    running_mean = old_weight * running_mean + momentum * sample_mean
    running_var = old_weight * running_var + momentum * unbiased_var
    return running_mean, running_var


def update_by_a_step_towards(running_mean, running_var, x, momentum=0.1):
    m = np.mean(x, axis=0)
    v = np.var(x, axis=0) * (len(x) / (len(x) - 1.0))
    return running_mean + momentum * (m - running_mean), running_var + momentum * (v - running_var)


def update_in_place_on_copies(running_mean, running_var, x, momentum=0.1):
    mean = np.array(running_mean, dtype=float)
    var = np.array(running_var, dtype=float)
    mean *= 1 - momentum
    mean += momentum * np.mean(x, axis=0)
    var *= 1 - momentum
    var += momentum * np.var(x, axis=0, ddof=1)
    return mean, var


def update_by_average(running_mean, running_var, x, momentum=0.1):
    weights = [1 - momentum, momentum]
    mu = x.mean(axis=0)
    sigma2 = ((x - mu) ** 2).sum(axis=0) / (x.shape[0] - 1)
    return [
        np.average([running_mean, mu], axis=0, weights=weights),
        np.average([running_var, sigma2], axis=0, weights=weights),
    ]


def update_stacked(running_mean, running_var, x, momentum=0.1):
    old = np.stack([running_mean, running_var])
    new = np.stack([x.mean(axis=0), x.var(axis=0, ddof=1)])
    return (1 - momentum) * old + momentum * new


def update_by_einsum(running_mean, running_var, x, momentum=0.1):
    n = len(x)
    mu = np.einsum("nd->d", x) / n
    c = x - mu
    s2 = np.einsum("nd,nd->d", c, c) / (n - 1)
    keep = 1 - momentum
    return (keep * running_mean + momentum * mu, keep * running_var + momentum * s2)


def update_by_loops(running_mean, running_var, x, momentum=0.1):
    N, D = x.shape
    means, variances = [], []
    for j in range(D):
        total = 0.0
        for i in range(N):
            total += x[i, j]
        m = total / N
        squares = 0.0
        for i in range(N):
            squares += (x[i, j] - m) ** 2
        v = squares / (N - 1)
        means.append((1 - momentum) * running_mean[j] + momentum * m)
        variances.append((1 - momentum) * running_var[j] + momentum * v)
    return np.array(means), np.array(variances)


def update_by_covariance(running_mean, running_var, x, momentum=0.1):
    D = x.shape[1]
    batch_mean = np.mean(x, axis=0, keepdims=True)
    batch_var = np.diag(np.cov(x, rowvar=False).reshape(D, D))
    new_mean = running_mean * (1 - momentum) + batch_mean * momentum
    new_var = running_var * (1 - momentum) + batch_var * momentum
    return new_mean, new_var.reshape(1, D)


def update_by_welford(running_mean, running_var, x, momentum=0.1):
    mu, S = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for n, row in enumerate(x, start=1):
        delta = row - mu
        mu = mu + delta / n
        S = S + delta * (row - mu)
    return (1 - momentum) * running_mean + momentum * mu, (1 - momentum) * running_var + momentum * S / (len(x) - 1)


def update_that_refuses_bad_input(running_mean, running_var, x, momentum=0.1):
    if len(x) < 2:
        raise ValueError("the unbiased variance needs two samples")
    if not 0 <= momentum <= 1:
        raise ValueError("momentum is a weight")
    N = x.shape[0]
    var = x.var(axis=0)
    correction = N / (N - 1)
    return momentum * x.mean(axis=0) + (1 - momentum) * running_mean, momentum * correction * var + (
        1 - momentum
    ) * running_var


def update_in_float32(running_mean, running_var, x, momentum=0.1):
    mean = (1 - momentum) * running_mean + momentum * x.mean(axis=0)
    var = (1 - momentum) * running_var + momentum * x.var(axis=0, ddof=1)
    return mean.astype(np.float32), var.astype(np.float32)


# merge_statistics


def merge_by_weights(counts, means, variances):
    w = counts / np.sum(counts)
    mean = w @ means
    var = w @ (variances + (means - mean) ** 2)
    return mean, var


def merge_staged(counts, means, variances):
    n = np.sum(counts)
    weights = counts[:, None] / n
    mean = np.sum(weights * means, axis=0)
    within = np.sum(weights * variances, axis=0)
    between = np.sum(weights * (means - mean) ** 2, axis=0)
    return mean, within + between


def merge_by_average(counts, means, variances):
    mu = np.average(means, axis=0, weights=counts)
    within = np.average(variances, axis=0, weights=counts)
    between = np.average((means - mu) ** 2, axis=0, weights=counts)
    return mu, within + between


def merge_by_raw_moments(counts, means, variances):
    n = counts.sum()
    s1 = (counts[:, None] * means).sum(axis=0)
    s2 = (counts[:, None] * (variances + means**2.0)).sum(axis=0)
    mean = s1 / n
    return mean, s2 / n - mean**2


def merge_by_einsum(counts, means, variances):
    p = counts / counts.sum()
    m = np.einsum("k,kd->d", p, means)
    d = means - m
    return m, np.einsum("k,kd->d", p, variances) + np.einsum("k,kd,kd->d", p, d, d)


def merge_two_at_a_time(counts, means, variances):
    D = means.shape[1]
    n, mean, S = 0, np.zeros(D), np.zeros(D)
    for k in range(len(counts)):
        if counts[k] == 0:
            continue
        total = n + counts[k]
        delta = means[k] - mean
        mean = mean + delta * counts[k] / total
        S = S + counts[k] * variances[k] + delta**2 * n * counts[k] / total
        n = total
    return mean, S / n


def merge_by_loops(counts, means, variances):
    K, D = means.shape
    n = 0
    for k in range(K):
        n += counts[k]
    mean, var = [0.0] * D, [0.0] * D
    for j in range(D):
        for k in range(K):
            mean[j] += counts[k] * means[k, j] / n
        for k in range(K):
            var[j] += counts[k] * (variances[k, j] + (means[k, j] - mean[j]) ** 2) / n
    return mean, var


def merge_by_pairs_of_shards(counts, means, variances):
    w = counts / counts.sum()
    gaps = means[:, None, :] - means[None, :, :]
    between = (w[:, None, None] * w[None, :, None] * gaps**2).sum(axis=(0, 1)) / 2
    return (w[:, None] * means).sum(axis=0), (w[:, None] * variances).sum(axis=0) + between


def merge_by_two_points_a_shard(counts, means, variances):
    # Half of a shard at mean + std and half at mean - std has the shard's mean and variance.
    std = np.sqrt(variances)
    points = np.concatenate([means + std, means - std])
    weights = np.concatenate([counts, counts]) / (2 * np.sum(counts))
    mean = weights @ points
    return mean, weights @ (points - mean) ** 2


def merge_into_buffers(counts, means, variances):
    n = float(sum(counts))
    mean = np.zeros(means.shape[1])
    for c, m in zip(counts, means, strict=True):
        mean += c * m
    mean /= n
    var = np.zeros_like(mean)
    for c, m, v in zip(counts, means, variances, strict=True):
        var += c * v
        var += c * (m - mean) ** 2
    var /= n
    return mean, var


def merge_that_refuses_bad_input(counts, means, variances):
    if means.shape != variances.shape or len(counts) != len(means):
        raise ValueError("one count, one mean and one variance for each shard")
    N = counts.sum()
    if N == 0:
        raise ValueError("no samples")
    mu = counts.dot(means) / N
    return mu.reshape(1, -1), (counts.dot(variances) + counts.dot((means - mu) ** 2)).reshape(1, -1) / N


def merge_in_float32(counts, means, variances):
    w = (counts / counts.sum())[:, np.newaxis]
    mean = (w * means).sum(axis=0)
    var = (w * (variances + (means - mean) ** 2)).sum(axis=0)
    return mean.astype(np.float32), var.astype(np.float32)


# batchnorm_inference


def inference_in_one_line(x, gamma, beta, running_mean, running_var, eps=1e-5):
    return gamma * (x - running_mean) / np.sqrt(running_var + eps) + beta


def inference_staged(x, gamma, beta, running_mean, running_var, eps=1e-5):
    xmu = x - running_mean
    std = np.sqrt(running_var + eps)
    ivar = 1.0 / std
    xhat = xmu * ivar
    out = gamma * xhat + beta
    return out


def inference_as_one_affine_map(x, gamma, beta, running_mean, running_var, eps=1e-5):
    scale = gamma / np.sqrt(running_var + eps)
    shift = beta - scale * running_mean
    return x * scale + shift


def inference_by_power(x, g, b, mu, v, epsilon=1e-5):
    return (x - mu) * (v + epsilon) ** -0.5 * g + b


def inference_by_einsum(x, gamma, beta, running_mean, running_var, eps=1e-5):
    inv_std = 1 / np.sqrt(running_var + eps)
    return np.einsum("nd,d,d->nd", x - running_mean, inv_std, gamma) + beta


def inference_row_by_row(x, gamma, beta, running_mean, running_var, eps=1e-5):
    rows = []
    for sample in x:
        x_hat = (sample - running_mean) / np.sqrt(running_var + eps)
        rows.append(gamma * x_hat + beta)
    return np.array(rows)


def inference_column_by_column(x, gamma, beta, running_mean, running_var, eps=1e-5):
    y = np.empty(x.shape)
    for j in range(x.shape[1]):
        s = math.sqrt(running_var[j] + eps)
        y[:, j] = gamma[j] * (x[:, j] - running_mean[j]) / s + beta[j]
    return y


def inference_by_loops(x, gamma, beta, running_mean, running_var, eps=1e-5):
    N, D = x.shape
    y = []
    for i in range(N):
        row = []
        for j in range(D):
            x_hat = (x[i, j] - running_mean[j]) / math.sqrt(running_var[j] + eps)
            row.append(gamma[j] * x_hat + beta[j])
        y.append(row)
    return y


def inference_by_diagonal_matrix(x, gamma, beta, running_mean, running_var, eps=1e-5):
    A = np.diag(gamma) @ np.diag(1 / np.sqrt(running_var + eps))
    b = beta - A @ running_mean
    return x @ A.T + b


def inference_with_tiles(x, gamma, beta, running_mean, running_var, eps=1e-5):
    N = x.shape[0]
    mu = np.tile(running_mean, (N, 1))
    sigma2 = np.tile(running_var, (N, 1))
    x_hat = (x - mu) / np.sqrt(sigma2 + eps)
    return np.tile(gamma, (N, 1)) * x_hat + np.tile(beta, (N, 1))


def inference_in_place_on_a_copy(x, gamma, beta, running_mean, running_var, eps=1e-5):
    y = np.array(x, dtype=np.float64)
    y -= running_mean
    y /= np.sqrt(running_var + eps)
    y *= gamma
    y += beta
    return y


def inference_transposed(x, gamma, beta, running_mean, running_var, eps=1e-5):
    m, v, g, b = (a.reshape(-1, 1) for a in (running_mean, running_var, gamma, beta))
    return (g * ((x.T - m) / np.sqrt(v + eps)) + b).T


def inference_that_refuses_bad_input(x, gamma, beta, running_mean, running_var, eps=1e-5):
    if x.shape[1] != len(running_mean) or len(running_mean) != len(running_var):
        raise ValueError("the statistics are of another layer")
    if (running_var < 0).any():
        raise ValueError("a variance cannot be negative")
    x_hat = np.divide(np.subtract(x, running_mean), np.sqrt(np.add(running_var, eps)))
    return np.add(np.multiply(x_hat, gamma), beta)


def inference_from_small_functions(x, gamma, beta, running_mean, running_var, eps=1e-5):
    def normalized(a):
        return (a - running_mean) / np.hypot(np.sqrt(running_var), math.sqrt(eps))

    def scaled_and_shifted(a):
        return a * gamma + beta

    return scaled_and_shifted(normalized(x))


def inference_in_float32(x, gamma, beta, running_mean, running_var, eps=1e-5):
    y = gamma * ((x - running_mean) / np.sqrt(running_var + eps)) + beta
    return y.astype(np.float32)


# fold_linear


def fold_in_two_lines(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    scale = gamma / np.sqrt(running_var + eps)
    if bias is None:
        bias = 0.0
    return weight * scale[:, None], scale * (bias - running_mean) + beta


def fold_staged(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    out_features = weight.shape[0]
    b = np.zeros(out_features) if bias is None else bias
    std = np.sqrt(running_var + eps)
    ivar = 1.0 / std
    factor = gamma * ivar
    new_weight = factor.reshape(-1, 1) * weight
    centred_bias = b - running_mean
    new_bias = factor * centred_bias + beta
    return new_weight, new_bias


def fold_by_diagonal_matrix(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    S = np.diag(gamma * (running_var + eps) ** -0.5)
    shift = -running_mean if bias is None else bias - running_mean
    return S @ weight, S @ shift + beta


def fold_by_einsum(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    s = np.sqrt(running_var + eps)
    b = np.zeros(len(weight)) if bias is None else np.asarray(bias)
    W = np.einsum("oi,o,o->oi", weight, gamma, 1 / s)
    return W, np.einsum("o,o,o->o", b - running_mean, gamma, 1 / s) + beta


def fold_transposed(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    scale = gamma / np.sqrt(running_var + eps)
    new_weight = (weight.T * scale).T
    new_bias = beta - running_mean * scale
    if bias is not None:
        new_bias = new_bias + bias * scale
    return new_weight, new_bias


def fold_output_by_output(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    new_weight, new_bias = [], []
    for o in range(len(weight)):
        a = gamma[o] / math.sqrt(running_var[o] + eps)
        b = 0.0 if bias is None else bias[o]
        new_weight.append(a * weight[o])
        new_bias.append(a * (b - running_mean[o]) + beta[o])
    return np.array(new_weight), np.array(new_bias)


def fold_by_loops(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    n_out, n_in = weight.shape
    W = np.zeros((n_out, n_in))
    b = np.zeros(n_out)
    for o in range(n_out):
        std = (running_var[o] + eps) ** 0.5
        for i in range(n_in):
            W[o, i] = gamma[o] * weight[o, i] / std
        if bias is not None:
            b[o] = bias[o]
        b[o] = gamma[o] * (b[o] - running_mean[o]) / std + beta[o]
    return W, b


def fold_by_trying_it_out(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    # An affine map is known from what it does to 0 and to the unit vectors.
    def both_layers(x):
        z = x @ weight.T
        if bias is not None:
            z = z + bias
        return gamma * (z - running_mean) / np.sqrt(running_var + eps) + beta

    n_in = weight.shape[1]
    new_bias = both_layers(np.zeros((1, n_in)))
    new_weight = (both_layers(np.eye(n_in)) - new_bias).T
    return new_weight, new_bias


def fold_with_the_bias_as_a_column(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    b = np.zeros(weight.shape[0]) if bias is None else bias
    augmented = np.column_stack([weight, b - running_mean])
    folded = augmented * (gamma / np.sqrt(running_var + eps))[:, np.newaxis]
    folded[:, -1] += beta
    return folded[:, :-1], folded[:, -1]


def fold_in_place_on_copies(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    weight = np.array(weight, dtype=float)
    bias = np.zeros(len(weight)) if bias is None else np.array(bias, dtype=float)
    s = np.sqrt(running_var + eps)
    weight /= s[:, None]
    weight *= gamma[:, None]
    bias -= running_mean
    bias /= s
    bias *= gamma
    bias += beta
    return [weight, bias]


def fold_that_refuses_bad_input(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    n_out, n_in = weight.shape
    if len(gamma) != n_out or len(running_var) != n_out:
        raise ValueError("batch normalization comes after the layer: one gamma for each output")
    if bias is None:
        bias = np.zeros(n_out)
    alpha = np.divide(gamma, np.sqrt(np.add(running_var, eps)))
    return np.multiply(weight, np.tile(alpha, (n_in, 1)).T), (alpha * bias + (beta - alpha * running_mean))[None, :]


def fold_in_float32(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    scale = gamma / np.sqrt(running_var + eps)
    b = np.zeros_like(scale) if bias is None else bias
    W = weight * np.expand_dims(scale, 1)
    return W.astype(np.float32), (scale * (b - running_mean) + beta).astype(np.float32)


# BatchNorm


class LayerPlain:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.gamma = np.ones(num_features)
        self.beta = np.zeros(num_features)
        self.running_mean = np.zeros(num_features)
        self.running_var = np.ones(num_features)
        self.num_batches_tracked = 0
        self.dgamma = np.zeros(num_features)
        self.dbeta = np.zeros(num_features)

    def forward(self, x, training):
        if training:
            if len(x) < 2:
                raise ValueError("one row has no variance")
            mean = x.mean(axis=0)
            var = x.var(axis=0)
            self.num_batches_tracked += 1
            momentum = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
            self.running_mean = (1 - momentum) * self.running_mean + momentum * mean
            self.running_var = (1 - momentum) * self.running_var + momentum * x.var(axis=0, ddof=1)
        else:
            mean = self.running_mean
            var = self.running_var
        self.std = np.sqrt(var + self.eps)
        self.x_hat = (x - mean) / self.std
        self.training = training
        return self.gamma * self.x_hat + self.beta

    def backward(self, dy):
        self.dgamma = (dy * self.x_hat).sum(axis=0)
        self.dbeta = dy.sum(axis=0)
        dx_hat = dy * self.gamma
        if self.training:
            dx_hat = dx_hat - dx_hat.mean(axis=0) - self.x_hat * (dx_hat * self.x_hat).mean(axis=0)
        return dx_hat / self.std


class LayerStaged:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps, self.momentum = eps, momentum
        self.gamma, self.beta = np.ones(num_features), np.zeros(num_features)
        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)
        self.num_batches_tracked = 0
        self.dgamma, self.dbeta = None, None
        self.cache = None

    def forward(self, x, training):
        if not training:
            sqrtvar = np.sqrt(self.running_var + self.eps)
            xmu = x - self.running_mean
            self.cache = ("eval", xmu, sqrtvar, self.gamma.copy())
            return self.gamma * (xmu / sqrtvar) + self.beta
        N = x.shape[0]
        mu = np.sum(x, axis=0) / N
        xmu = x - mu
        var = np.sum(xmu**2, axis=0) / N
        sqrtvar = np.sqrt(var + self.eps)
        self.num_batches_tracked = self.num_batches_tracked + 1
        if self.momentum is None:  # noqa: SIM108 - as most write it
            weight = 1.0 / self.num_batches_tracked
        else:
            weight = self.momentum
        unbiased = var * N / max(N - 1, 1)
        self.running_mean = self.running_mean * (1 - weight) + mu * weight
        self.running_var = self.running_var * (1 - weight) + unbiased * weight
        self.cache = ("train", xmu, sqrtvar, self.gamma.copy())
        return self.gamma * (xmu / sqrtvar) + self.beta

    def backward(self, dy):
        mode, xmu, sqrtvar, gamma = self.cache
        N = dy.shape[0]
        self.dbeta = np.sum(dy, axis=0)
        self.dgamma = np.sum(dy * xmu / sqrtvar, axis=0)
        dxhat = dy * gamma
        dxmu = dxhat / sqrtvar
        if mode == "eval":
            return dxmu
        dsqrtvar = -np.sum(dxhat * xmu, axis=0) / sqrtvar**2
        dvar = 0.5 * dsqrtvar / sqrtvar
        dxmu = dxmu + 2 * xmu * dvar / N
        dmu = -np.sum(dxmu, axis=0)
        return dxmu + dmu / N


class LayerInPlace:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = float(eps)
        self.momentum = momentum
        self.gamma = np.full(num_features, 1.0)
        self.beta = np.full(num_features, 0.0)
        self.running_mean = np.full(num_features, 0.0)
        self.running_var = np.full(num_features, 1.0)
        self.dgamma = np.empty(num_features)
        self.dbeta = np.empty(num_features)
        self.dgamma[:] = 0
        self.dbeta[:] = 0
        self.num_batches_tracked = 0

    def forward(self, x, training):
        x = np.array(x, dtype=float)
        if training:
            m = len(x)
            mean = x.mean(axis=0)
            x -= mean
            var = (x * x).mean(axis=0)
            self.num_batches_tracked += 1
            alpha = self.momentum
            if alpha is None:
                alpha = 1 / self.num_batches_tracked
            self.running_mean *= 1 - alpha
            self.running_mean += alpha * mean
            self.running_var *= 1 - alpha
            self.running_var += alpha * var * m / max(1, m - 1)
        else:
            var = self.running_var.copy()
            x -= self.running_mean
        self.inv_std = (var + self.eps) ** -0.5
        x *= self.inv_std
        self.x_hat = x
        self.batch_statistics = bool(training)
        y = x * self.gamma
        y += self.beta
        return y

    def backward(self, dy):
        dx = np.array(dy, dtype=float)
        np.sum(dx, axis=0, out=self.dbeta)
        np.sum(dx * self.x_hat, axis=0, out=self.dgamma)
        if self.batch_statistics:
            dx -= self.dbeta / len(dx)
            dx -= self.x_hat * (self.dgamma / len(dx))
        dx *= self.gamma * self.inv_std
        return dx


class LayerTwoModes:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.gamma = np.ones((num_features,))
        self.beta = np.zeros((num_features,))
        self.running_mean = np.zeros((num_features,))
        self.running_var = np.ones((num_features,))
        self.num_batches_tracked = 0
        self.dgamma = np.zeros((num_features,))
        self.dbeta = np.zeros((num_features,))
        self.last_backward = None

    def forward(self, x, training):
        if x.ndim != 2 or x.shape[1] != self.num_features:
            raise ValueError(f"expected (N, {self.num_features})")
        return self.train(x) if training else self.evaluate(x)

    def train(self, x):
        if x.shape[0] == 1:
            raise ValueError("a batch of one cannot be normalized")
        mean, var = np.mean(x, axis=0), np.mean((x - np.mean(x, axis=0)) ** 2, axis=0)
        self.track(mean, var * (len(x) / (len(x) - 1)))
        self.remember(x, mean, var)
        self.last_backward = self.backward_train
        return self.x_hat * self.gamma + self.beta

    def evaluate(self, x):
        self.remember(x, self.running_mean, self.running_var)
        self.last_backward = self.backward_evaluate
        return self.x_hat * self.gamma + self.beta

    def remember(self, x, mean, var):
        self.s = np.sqrt(var + self.eps)
        self.x_hat = (x - mean) / self.s

    def track(self, mean, var):
        self.num_batches_tracked += 1
        rate = self.momentum if self.momentum is not None else 1 / self.num_batches_tracked
        self.running_mean = self.running_mean + rate * (mean - self.running_mean)
        self.running_var = self.running_var + rate * (var - self.running_var)

    def backward_train(self, dy):
        N = len(dy)
        return self.gamma / (N * self.s) * (N * dy - self.dbeta - self.x_hat * self.dgamma)

    def backward_evaluate(self, dy):
        return self.gamma / self.s * dy

    def backward(self, dy):
        self.dgamma = np.einsum("nd,nd->d", dy, self.x_hat)
        self.dbeta = np.einsum("nd->d", dy)
        return self.last_backward(dy)


class LayerOfRows:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.gamma = np.ones((1, num_features))
        self.beta = np.zeros((1, num_features))
        self.running_mean = np.zeros((1, num_features))
        self.running_var = np.ones((1, num_features))
        self.dgamma = np.zeros((1, num_features))
        self.dbeta = np.zeros((1, num_features))
        self.num_batches_tracked = 0
        self.eps = eps
        self.momentum = momentum

    def forward(self, x, training):
        mean, var = self.running_mean, self.running_var
        if training:
            N = x.shape[0]
            if N < 2:
                raise ValueError("training needs two rows or more")
            mean = np.mean(x, axis=0, keepdims=True)
            var = np.var(x, axis=0, keepdims=True)
            seen = self.num_batches_tracked
            self.num_batches_tracked = seen + 1
            new = self.momentum
            old = 1 - new if new is not None else seen / (seen + 1)
            new = new if new is not None else 1 / (seen + 1)
            self.running_mean = old * self.running_mean + new * mean
            self.running_var = old * self.running_var + new * var * N / (N - 1)
        ivar = 1.0 / np.sqrt(var + self.eps)
        x_hat = (x - mean) * ivar
        self.last = {"x_hat": x_hat, "scale": self.gamma * ivar, "training": training}
        return self.gamma * x_hat + self.beta

    def backward(self, dy):
        x_hat, scale = self.last["x_hat"], self.last["scale"]
        self.dgamma = np.sum(dy * x_hat, axis=0, keepdims=True)
        self.dbeta = np.sum(dy, axis=0, keepdims=True)
        dx = scale * dy
        if self.last["training"]:
            dx = dx - scale * (self.dbeta + x_hat * self.dgamma) / dy.shape[0]
        return dx


class LayerColumnByColumn:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.D = num_features
        self.eps = eps
        self.momentum = momentum
        self.gamma = np.array([1.0] * num_features)
        self.beta = np.array([0.0] * num_features)
        self.running_mean = np.array([0.0] * num_features)
        self.running_var = np.array([1.0] * num_features)
        self.dgamma = np.array([0.0] * num_features)
        self.dbeta = np.array([0.0] * num_features)
        self.num_batches_tracked = 0

    def forward(self, x, training):
        N = x.shape[0]
        self.was_training = training
        if training:
            self.num_batches_tracked += 1
        self.x_hat = np.zeros(x.shape)
        self.std = np.zeros(self.D)
        new_mean, new_var = np.array(self.running_mean), np.array(self.running_var)
        for j in range(self.D):
            mean, var = self.running_mean[j], self.running_var[j]
            if training:
                mean = sum(x[:, j]) / N
                squares = sum((v - mean) ** 2 for v in x[:, j])
                var = squares / N
                a = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
                new_mean[j] = (1 - a) * self.running_mean[j] + a * mean
                new_var[j] = (1 - a) * self.running_var[j] + a * squares / max(N - 1, 1)
            self.std[j] = math.sqrt(var + self.eps)
            self.x_hat[:, j] = (x[:, j] - mean) / self.std[j]
        self.running_mean, self.running_var = new_mean, new_var
        return self.gamma * self.x_hat + self.beta

    def backward(self, dy):
        N = dy.shape[0]
        dx = np.zeros(dy.shape)
        self.dgamma, self.dbeta = np.zeros(self.D), np.zeros(self.D)
        for j in range(self.D):
            g, z = dy[:, j], self.x_hat[:, j]
            self.dgamma[j] = np.dot(g, z)
            self.dbeta[j] = np.sum(g)
            dx[:, j] = self.gamma[j] / self.std[j] * g
            if self.was_training:
                dx[:, j] -= self.gamma[j] / self.std[j] * (self.dbeta[j] + z * self.dgamma[j]) / N
        return dx


class LayerPaperEquations:
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.eps = eps
        self.momentum = momentum
        self.num_batches_tracked = np.array(0)
        self.gamma, self.running_var = np.ones(num_features), np.ones(num_features)
        self.beta, self.running_mean = np.zeros(num_features), np.zeros(num_features)
        self.dgamma, self.dbeta = np.zeros(num_features), np.zeros(num_features)

    def forward(self, x, training):
        self.x = np.array(x, dtype=float)
        self.training = training
        if training:
            self.mu = self.x.mean(axis=0)
            self.var = self.x.var(axis=0)
            m = len(x)
            factor = m / (m - 1) if m > 1 else 1.0
            self.num_batches_tracked = self.num_batches_tracked + 1
            if self.momentum is None:
                k = self.num_batches_tracked
                self.running_mean = ((k - 1) * self.running_mean + self.mu) / k
                self.running_var = ((k - 1) * self.running_var + factor * self.var) / k
            else:
                self.running_mean = self.momentum * self.mu + (1 - self.momentum) * self.running_mean
                self.running_var = self.momentum * factor * self.var + (1 - self.momentum) * self.running_var
        else:
            self.mu, self.var = np.array(self.running_mean), np.array(self.running_var)
        self.x_hat = (self.x - self.mu) / np.sqrt(self.var + self.eps)
        return self.gamma * self.x_hat + self.beta

    def backward(self, dy):
        m = self.x.shape[0]
        self.dgamma = np.sum(dy * self.x_hat, axis=0)
        self.dbeta = np.sum(dy, axis=0)
        dx_hat = dy * self.gamma
        dx = dx_hat * 1.0 / np.sqrt(self.var + self.eps)
        if not self.training:
            return dx
        dvar = np.sum(dx_hat * (self.x - self.mu) * -0.5 * (self.var + self.eps) ** -1.5, axis=0)
        dmu = -np.sum(dx_hat / np.sqrt(self.var + self.eps), axis=0) + dvar * np.mean(-2 * (self.x - self.mu), axis=0)
        return dx + dvar * 2 * (self.x - self.mu) / m + dmu / m


# update_running_stats_keras


def keras_in_two_lines(running_mean, running_var, x, momentum=0.99):
    new_mean = momentum * running_mean + (1 - momentum) * x.mean(axis=0)
    new_var = momentum * running_var + (1 - momentum) * x.var(axis=0)
    return new_mean, new_var


def keras_staged(running_mean, running_var, x, momentum=0.99):
    N, _ = x.shape
    mean = np.sum(x, axis=0) / N
    var = np.sum((x - mean) ** 2, axis=0) / N
    running_mean = running_mean * momentum + mean * (1.0 - momentum)
    running_var = running_var * momentum + var * (1.0 - momentum)
    return running_mean, running_var


def keras_by_a_step_towards(running_mean, running_var, x, momentum=0.99):
    step = 1 - momentum
    new_mean = running_mean - step * (running_mean - np.mean(x, axis=0))
    new_var = running_var - step * (running_var - np.std(x, axis=0) ** 2)
    return [new_mean, new_var]


def keras_stacked(running_mean, running_var, x, momentum=0.99):
    old = np.stack([running_mean, running_var])
    new = np.stack([x.mean(axis=0), x.var(axis=0)])
    return momentum * old + (1 - momentum) * new


def keras_by_loops(running_mean, running_var, x, momentum=0.99):
    N, D = x.shape
    means, variances = np.zeros(D), np.zeros(D)
    for j in range(D):
        column = [float(value) for value in x[:, j]]
        m = sum(column) / N
        v = sum((value - m) ** 2 for value in column) / N
        means[j] = momentum * running_mean[j] + (1 - momentum) * m
        variances[j] = momentum * running_var[j] + (1 - momentum) * v
    return means, variances


def keras_by_pytorchs_rule(running_mean, running_var, x, momentum=0.99):
    alpha = 1 - momentum
    N = len(x)
    unbiased = x.var(axis=0, ddof=1)
    new_mean = (1 - alpha) * running_mean + alpha * x.mean(axis=0, keepdims=True)
    new_var = (1 - alpha) * running_var + alpha * (N - 1) / N * unbiased
    return new_mean, new_var.reshape(1, -1)


# read_the_curves


def curves_in_three_questions(train, together, alone, again):
    if not np.allclose(together, again, rtol=1e-6, atol=0):
        return "updates in evaluation"
    if not np.allclose(together, alone, rtol=1e-6, atol=0):
        return "batch statistics"
    if together[-1] > 3 * train[-1]:
        return "never stored"
    return "none"


def curves_by_ratios(train, together, alone, again):
    if np.max(np.abs(again / together - 1)) > 1e-6:
        return "updates in evaluation"
    if np.max(np.abs(alone / together - 1)) > 1e-6:
        return "batch statistics"
    return "never stored" if together[-1] / train[-1] > 3 else "none"


def curves_epoch_by_epoch(train, together, alone, again):
    for i in range(len(train)):
        if abs(again[i] - together[i]) > 1e-6 * together[i]:
            return "updates in evaluation"
    for i in range(len(train)):
        if abs(alone[i] - together[i]) > 1e-6 * together[i]:
            return "batch statistics"
    if again[-1] > 3.0 * train[-1]:
        return "never stored"
    return "none"


def curves_by_a_table(train, together, alone, again):
    twice = bool(np.allclose(together, again, 1e-6, 0.0))
    singly = bool(np.allclose(together, alone, 1e-6, 0.0))
    near = bool(together[-1] <= 3 * train[-1])
    if not twice:
        return "updates in evaluation"
    return {(False, True): "batch statistics", (False, False): "batch statistics", (True, True): "none"}.get(
        (singly, near), "never stored"
    )


def curves_with_loose_tolerance(train, together, alone, again):
    names = ["updates in evaluation", "batch statistics", "never stored"]
    broken = [
        np.abs(together - again).max() > 1e-3 * np.abs(together).min(),
        np.abs(together - alone).max() > 1e-3 * np.abs(together).min(),
        train[-1] < together[-1] / 3,
    ]
    for name, one in zip(names, broken, strict=True):
        if one:
            return name
    return "none"


# find_the_bug


def bug_in_one_session(observe):
    rng = np.random.default_rng(1)
    batch = 1e8 + rng.standard_normal((16, 2)) * np.array([1.0, 5.0])
    gamma, beta, eps = np.array([2.0, 3.0]), np.array([1.0, -1.0]), 0.5
    x = batch[:8] + 3.0
    seen = observe([batch], x, gamma, beta, eps)
    mean, var = seen["running_mean"], seen["running_var"]

    def norm(a, m, v, e):
        return (a - m) / np.sqrt(v + e)

    def same(one, other):
        return bool(np.allclose(one, other, rtol=1e-6, atol=1e-6))

    if not same(seen["y_train"], gamma * norm(batch, batch.mean(axis=0), batch.var(axis=0), eps) + beta):
        return "cancellation"
    if not same(seen["new_mean"], 0) or not same(seen["new_var"], 1):
        return "shared arrays"
    if not same(seen["y"], seen["y_again"]):
        return "updates in evaluation"
    if same(seen["y"], gamma * norm(x, mean, var, eps) + beta):
        return "none"
    if same(seen["y"], norm(x, mean, var, eps)):
        return "no gamma and beta"
    if same(seen["y"], gamma * norm(x, mean, var, 0) + beta):
        return "no eps"
    return "batch statistics"


def bug_by_one_session_for_each(observe):
    x = np.array([[1.0], [2.0], [6.0]])
    one, zero = np.ones(1), np.zeros(1)
    seen = observe([x], x, one, zero)
    if seen["new_mean"][0] != 0:
        return "shared arrays"
    if abs(seen["y"] - seen["y_again"]).max() > 1e-9:
        return "updates in evaluation"
    if abs(seen["y"] - seen["y_alone"]).max() > 1e-9:
        return "batch statistics"
    if abs(observe([x], x, one, 7 + zero)["y"] - seen["y"]).max() < 1:
        return "no gamma and beta"
    if abs(observe([x], x, one, zero, 100.0)["y"]).max() > 0.9 * abs(seen["y"]).max():
        return "no eps"
    if abs(observe([x + 1e9], x, one, zero)["y_train"] - seen["y_train"]).max() > 0.01:
        return "cancellation"
    return "none"


def bug_by_candidates(observe):
    rng = np.random.default_rng(3)
    batches = [rng.normal(3.0, 0.01, (6, 4)) for _ in range(5)]
    x = rng.normal(3.1, 0.02, (5, 4))
    gamma, beta, eps = rng.uniform(2.0, 3.0, 4), rng.uniform(1.0, 2.0, 4), 0.05
    seen = observe(batches, x, gamma, beta, eps)
    m, v = seen["running_mean"], seen["running_var"]
    candidates = {
        "batch statistics": gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + eps) + beta,
        "no gamma and beta": (x - m) / np.sqrt(v + eps),
        "no eps": gamma * (x - m) / np.sqrt(v) + beta,
    }
    for name, y in candidates.items():
        if np.allclose(seen["y"], y):
            return name
    if not np.allclose(seen["y"], seen["y_again"]):
        return "updates in evaluation"
    if np.any(seen["new_var"] != 1):
        return "shared arrays"
    offset = observe([batches[0] + 1e7], x, gamma, beta, eps)["y_train"]
    near = observe([batches[0]], x, gamma, beta, eps)["y_train"]
    return "none" if np.allclose(offset, near, atol=0.01) else "cancellation"


def bug_by_many_sessions(observe):
    verdicts = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        batches = [rng.normal(0.0, 1.0, (10, 2)) for _ in range(2)]
        x = rng.normal(1.0, 2.0, (6, 2))
        gamma, beta = np.array([4.0, -4.0]), np.array([10.0, 20.0])
        seen = observe(batches, x, gamma, beta, eps=2.0)
        std = np.sqrt(seen["running_var"] + 2.0)
        right = gamma * (x - seen["running_mean"]) / std + beta
        if np.any(seen["new_mean"] != 0):
            verdicts.append("shared arrays")
        elif np.allclose(seen["y"], right):
            verdicts.append("none" if np.allclose(seen["y_again"], right) else "updates in evaluation")
        elif np.allclose(seen["y"], (right - beta) / gamma):
            verdicts.append("no gamma and beta")
        elif np.allclose(seen["y"], seen["y_alone"]):
            verdicts.append("no eps")
        else:
            verdicts.append("batch statistics")
    if verdicts[0] == "none":
        far = np.array([[1e8], [1e8 + 2.0]])
        y = observe([far], far, np.ones(1), np.zeros(1))["y_train"]
        if not np.allclose(y, [[-1.0], [1.0]], atol=0.01):
            return "cancellation"
    return verdicts[0]


def bug_by_rows_and_lists(observe):
    batch = [[100000000.0, 1.0], [100000001.0, 1.5], [100000004.0, 4.0]]
    seen = observe([batch, batch], batch, [0.5, 2.0], [3.0, -3.0], 1.0)
    x = np.array(batch)
    slope = np.array([0.5, 2.0])
    along = np.diff(seen["y_alone"], axis=0) / np.diff(x, axis=0)
    wanted = slope / np.sqrt(seen["running_var"] + 1.0)
    in_training = slope * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1.0) + np.array([3.0, -3.0])
    if not np.allclose(seen["y_train"], in_training, rtol=1e-3):
        return "cancellation"
    if np.abs(seen["new_mean"]).max() > 0:
        return "shared arrays"
    if np.abs(seen["y_again"] - seen["y"]).max() > 1e-6:
        return "updates in evaluation"
    if np.abs(seen["y_alone"] - seen["y"]).max() > 1e-6:
        return "batch statistics"
    if np.allclose(along, wanted, rtol=1e-4):
        return "none"
    return "no gamma and beta" if np.allclose(along * slope, wanted, rtol=1e-4) else "no eps"


# fold_into_next_linear


def next_in_two_lines(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    scale = gamma / np.sqrt(running_var + eps)
    offset = beta - scale * running_mean
    return weight * scale, (0 if bias is None else bias) + weight @ offset


def next_staged(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    out = weight.shape[0]
    if bias is None:
        bias = np.zeros(out)
    std = np.sqrt(running_var + eps)
    new_weight = weight * (gamma / std)[None, :]
    shift = beta - gamma * running_mean / std
    new_bias = bias + np.sum(weight * shift[None, :], axis=1)
    return new_weight, new_bias


def next_by_diagonal_matrix(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    S = np.diag(gamma / np.sqrt(running_var + eps))
    new_weight = weight @ S
    new_bias = weight @ beta - new_weight @ running_mean
    return new_weight, new_bias if bias is None else new_bias + bias


def next_by_einsum(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    scale = gamma * (running_var + eps) ** -0.5
    new_bias = np.einsum("oi,i->o", weight, beta - scale * running_mean)
    if bias is not None:
        new_bias = new_bias + bias
    return [np.einsum("oi,i->oi", weight, scale), new_bias]


def next_by_loops(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    outputs, inputs = weight.shape
    new_weight, new_bias = np.zeros((outputs, inputs)), np.zeros(outputs)
    for o in range(outputs):
        total = 0.0 if bias is None else float(bias[o])
        for i in range(inputs):
            slope = gamma[i] / math.sqrt(running_var[i] + eps)
            new_weight[o, i] = weight[o, i] * slope
            total += weight[o, i] * (beta[i] - slope * running_mean[i])
        new_bias[o] = total
    return new_weight, new_bias


def next_by_trying_it_out(weight, bias, gamma, beta, running_mean, running_var, eps=1e-5):
    def both(x):
        y = gamma * (x - running_mean) / np.sqrt(running_var + eps) + beta
        out = y @ weight.T
        return out if bias is None else out + bias

    inputs = weight.shape[1]
    at_zero = both(np.zeros((1, inputs)))[0]
    return (both(np.eye(inputs)) - at_zero).T, at_zero


# padding_value


def padding_in_one_line(gamma, beta, running_mean, running_var, eps=1e-5):
    return running_mean - beta / gamma * np.sqrt(running_var + eps)


def padding_by_slope_and_offset(gamma, beta, running_mean, running_var, eps=1e-5):
    slope = gamma / np.sqrt(running_var + eps)
    offset = beta - slope * running_mean
    return -offset / slope


def padding_by_inverting(gamma, beta, running_mean, running_var, eps=1e-5):
    x_hat = (0 - beta) / gamma
    return x_hat * (running_var + eps) ** 0.5 + running_mean


def padding_by_loops(gamma, beta, running_mean, running_var, eps=1e-5):
    values = []
    for g, b, m, v in zip(gamma, beta, running_mean, running_var, strict=True):
        values.append(m - b * math.sqrt(v + eps) / g)
    return np.array(values)


def padding_by_two_points(gamma, beta, running_mean, running_var, eps=1e-5):
    def bn(t):
        return gamma * (t - running_mean) / np.sqrt(running_var + eps) + beta

    left, right = running_mean - 1.0, running_mean + 1.0
    return left - bn(left) * (right - left) / (bn(right) - bn(left))


def padding_in_place_on_a_copy(gamma, beta, running_mean, running_var, eps=1e-5):
    value = np.array(running_mean, dtype=float)
    value -= np.sqrt(running_var + eps) * beta / gamma
    return value.reshape(1, -1)


RIGHT = {
    "update_running_stats": [
        (update_in_two_lines,),
        (update_staged,),
        (update_by_a_step_towards,),
        (update_in_place_on_copies,),
        (update_by_average,),
        (update_stacked,),
        (update_by_einsum,),
        (update_by_loops,),
        (update_by_covariance,),
        (update_by_welford,),
        (update_that_refuses_bad_input,),
        (update_in_float32,),
    ],
    "merge_statistics": [
        (merge_by_weights,),
        (merge_staged,),
        (merge_by_average,),
        (merge_by_raw_moments,),
        (merge_by_einsum,),
        (merge_two_at_a_time,),
        (merge_by_loops,),
        (merge_by_pairs_of_shards,),
        (merge_by_two_points_a_shard,),
        (merge_into_buffers,),
        (merge_that_refuses_bad_input,),
        (merge_in_float32,),
    ],
    "batchnorm_inference": [
        (inference_in_one_line,),
        (inference_staged,),
        (inference_as_one_affine_map,),
        (inference_by_power,),
        (inference_by_einsum,),
        (inference_row_by_row,),
        (inference_column_by_column,),
        (inference_by_loops,),
        (inference_by_diagonal_matrix,),
        (inference_with_tiles,),
        (inference_in_place_on_a_copy,),
        (inference_transposed,),
        (inference_that_refuses_bad_input,),
        (inference_from_small_functions,),
        (inference_in_float32,),
    ],
    "BatchNorm": [
        (LayerPlain,),
        (LayerStaged,),
        (LayerInPlace,),
        (LayerTwoModes,),
        (LayerOfRows,),
        (LayerColumnByColumn,),
        (LayerPaperEquations,),
    ],
    "fold_linear": [
        (fold_in_two_lines,),
        (fold_staged,),
        (fold_by_diagonal_matrix,),
        (fold_by_einsum,),
        (fold_transposed,),
        (fold_output_by_output,),
        (fold_by_loops,),
        (fold_by_trying_it_out,),
        (fold_with_the_bias_as_a_column,),
        (fold_in_place_on_copies,),
        (fold_that_refuses_bad_input,),
        (fold_in_float32,),
    ],
    "update_running_stats_keras": [
        (keras_in_two_lines,),
        (keras_staged,),
        (keras_by_a_step_towards,),
        (keras_stacked,),
        (keras_by_loops,),
        (keras_by_pytorchs_rule,),
    ],
    "read_the_curves": [
        (curves_in_three_questions,),
        (curves_by_ratios,),
        (curves_epoch_by_epoch,),
        (curves_by_a_table,),
        (curves_with_loose_tolerance,),
    ],
    "find_the_bug": [
        (bug_in_one_session,),
        (bug_by_one_session_for_each,),
        (bug_by_candidates,),
        (bug_by_many_sessions,),
        (bug_by_rows_and_lists,),
    ],
    "fold_into_next_linear": [
        (next_in_two_lines,),
        (next_staged,),
        (next_by_diagonal_matrix,),
        (next_by_einsum,),
        (next_by_loops,),
        (next_by_trying_it_out,),
    ],
    "padding_value": [
        (padding_in_one_line,),
        (padding_by_slope_and_offset,),
        (padding_by_inverting,),
        (padding_by_loops,),
        (padding_by_two_points,),
        (padding_in_place_on_a_copy,),
    ],
}
