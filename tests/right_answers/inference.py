"""Right answers to the assignment `inference`: running statistics, shards, fixed statistics, folding.

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
}
