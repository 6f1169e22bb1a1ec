"""What students hand in to `convolution`.

The marking rules: what an exercise asks (in the docstring of each property) is worth the points in its decorator. So
N·H·W - 1 for N·H·W costs half a point of 6 in the statistics, eps outside the root 2.5 of 12 in the layer (with the
default eps and the rounding), an input that is changed 0.5 and, where whole numbers then cannot be written back, what
those are worth. A backward that is the exact derivative of a wrong but known forward keeps its points. What does not
run is worth nothing, also where one can see what was meant.
"""

from .submission import Submission

FULL = {
    "check-channel-statistics": 6,
    "check-batchnorm2d-forward": 12,
    "check-batchnorm2d-backward": 16,
    "check-update-running-stats2d": 8,
    "check-batchnorm2d-inference": 8,
    "check-fold-conv2d": 12,
    "check-syncbn-forward": 10,
    "check-syncbn-backward": 10,
    "check-fold-conv-transpose2d": 10,
}

SHORT = {
    "channel_statistics": "return x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))",
    "batchnorm2d_forward": """
        mean, var = x.mean(axis=(0, 2, 3), keepdims=True), x.var(axis=(0, 2, 3), keepdims=True)
        std = np.sqrt(var + eps)
        x_hat = (x - mean) / std
        return gamma.reshape(1, -1, 1, 1) * x_hat + beta.reshape(1, -1, 1, 1), (x_hat, std, gamma)
    """,
    "batchnorm2d_backward": """
        x_hat, std, gamma = cache
        axes = (0, 2, 3)
        dx_hat = dy * gamma.reshape(1, -1, 1, 1)
        dx = dx_hat - dx_hat.mean(axes, keepdims=True) - x_hat * (dx_hat * x_hat).mean(axes, keepdims=True)
        return dx / std, (dy * x_hat).sum(axes), dy.sum(axes)
    """,
    "update_running_stats2d": """
        mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3), ddof=1)
        return running_mean + momentum * (mean - running_mean), running_var + momentum * (var - running_var)
    """,
    "batchnorm2d_inference": """
        shape = (1, -1, 1, 1)
        x_hat = (x - running_mean.reshape(shape)) / np.sqrt(running_var.reshape(shape) + eps)
        return gamma.reshape(shape) * x_hat + beta.reshape(shape)
    """,
    "fold_conv2d": """
        if bias is None:
            bias = np.zeros(len(weight))
        k = gamma / np.sqrt(running_var + eps)
        return weight * k.reshape(-1, 1, 1, 1), k * (bias - running_mean) + beta
    """,
    "syncbn_forward": """
        w = counts[:, None] / counts.sum()
        mean = (w * means).sum(axis=0)
        var = (w * (variances + means**2)).sum(axis=0) - mean**2
        std = np.sqrt(var + eps)
        x_hat = (x - mean[:, None, None]) / std[:, None, None]
        return gamma[:, None, None] * x_hat + beta[:, None, None], x_hat, std
    """,
    "syncbn_backward": """
        n = counts.sum()
        dgamma, dbeta = sums_dy_x_hat.sum(0), sums_dy.sum(0)
        shape = (1, -1, 1, 1)
        rest = n * dy - dbeta.reshape(shape) - x_hat * dgamma.reshape(shape)
        return (gamma / std).reshape(shape) / n * rest, dgamma, dbeta
    """,
    "fold_conv_transpose2d": """
        bias = np.zeros(len(gamma)) if bias is None else bias
        k = gamma / np.sqrt(running_var + eps)
        new = np.array(weight, dtype=float)
        inputs, outputs = len(weight) // groups, weight.shape[1]
        for g in range(groups):
            new[g * inputs:(g + 1) * inputs] *= k[g * outputs:(g + 1) * outputs].reshape(1, -1, 1, 1)
        return new, k * (bias - running_mean) + beta
    """,
}
"""As those write it who know NumPy."""

LOOPS = {
    "channel_statistics": """
        means, variances = [], []
        for c in range(x.shape[1]):
            values = [pixel for image in x for row in image[c] for pixel in row]
            m = sum(values) / len(values)
            means.append(m)
            variances.append(sum((v - m) ** 2 for v in values) / len(values))
        return means, variances
    """,
    "batchnorm2d_forward": """
        N, C, H, W = x.shape
        y = np.zeros(x.shape)
        kept = []
        for c in range(C):
            m = sum(x[n, c, h, w] for n in range(N) for h in range(H) for w in range(W)) / (N * H * W)
            v = sum((x[n, c, h, w] - m) ** 2 for n in range(N) for h in range(H) for w in range(W)) / (N * H * W)
            s = (v + eps) ** 0.5
            for n in range(N):
                for h in range(H):
                    for w in range(W):
                        y[n, c, h, w] = gamma[c] * (x[n, c, h, w] - m) / s + beta[c]
            kept.append((m, s))
        return y, {"x": x, "kept": kept, "gamma": gamma}
    """,
    "batchnorm2d_backward": """
        x, gamma = cache["x"], cache["gamma"]
        N, C, H, W = x.shape
        dx, dgamma, dbeta = np.zeros(x.shape), np.zeros(C), np.zeros(C)
        for c, (m, s) in enumerate(cache["kept"]):
            hat = (x[:, c] - m) / s
            for n in range(N):
                for h in range(H):
                    for w in range(W):
                        dbeta[c] += dy[n, c, h, w]
                        dgamma[c] += dy[n, c, h, w] * hat[n, h, w]
            dx[:, c] = gamma[c] / s * (dy[:, c] - dbeta[c] / hat.size - hat * dgamma[c] / hat.size)
        return dx, dgamma, dbeta
    """,
    "update_running_stats2d": """
        new_mean, new_var = np.zeros(len(running_mean)), np.zeros(len(running_var))
        for c in range(x.shape[1]):
            values = x[:, c].flatten()
            n = len(values)
            new_mean[c] = (1 - momentum) * running_mean[c] + momentum * values.mean()
            new_var[c] = (1 - momentum) * running_var[c] + momentum * values.var() * n / (n - 1)
        return new_mean, new_var
    """,
    "batchnorm2d_inference": """
        images = []
        for image in x:
            planes = []
            for c, plane in enumerate(image):
                planes.append(gamma[c] * (plane - running_mean[c]) / np.sqrt(running_var[c] + eps) + beta[c])
            images.append(planes)
        return np.array(images)
    """,
    "fold_conv2d": """
        new_weight, new_bias = np.zeros(weight.shape), np.zeros(len(weight))
        for o in range(len(weight)):
            k = gamma[o] / np.sqrt(running_var[o] + eps)
            new_weight[o] = k * weight[o]
            new_bias[o] = k * ((bias[o] if bias is not None else 0) - running_mean[o]) + beta[o]
        return new_weight, new_bias
    """,
    "syncbn_forward": """
        total = sum(counts)
        mean, var = np.zeros(x.shape[1]), np.zeros(x.shape[1])
        for n, m in zip(counts, means):
            mean += n * m / total
        for n, m, v in zip(counts, means, variances):
            var += n * (v + (m - mean) ** 2) / total
        std = np.sqrt(var + eps)
        hat = np.array([[(plane - mean[c]) / std[c] for c, plane in enumerate(image)] for image in x])
        return np.array([[gamma[c] * p + beta[c] for c, p in enumerate(image)] for image in hat]), hat, std
    """,
    "syncbn_backward": """
        n = sum(counts)
        dgamma, dbeta = sum(sums_dy_x_hat), sum(sums_dy)
        dx = np.zeros(dy.shape)
        for c in range(dy.shape[1]):
            dx[:, c] = gamma[c] / std[c] * (dy[:, c] - dbeta[c] / n - x_hat[:, c] * dgamma[c] / n)
        return dx, dgamma, dbeta
    """,
    "fold_conv_transpose2d": """
        new_weight = np.zeros(weight.shape)
        new_bias = np.zeros(len(gamma))
        for i in range(len(weight)):
            for j in range(weight.shape[1]):
                o = i // (len(weight) // groups) * weight.shape[1] + j
                new_weight[i, j] = weight[i, j] * gamma[o] / (running_var[o] + eps) ** 0.5
        for o in range(len(gamma)):
            own = 0.0 if bias is None else bias[o]
            new_bias[o] = gamma[o] * (own - running_mean[o]) / (running_var[o] + eps) ** 0.5 + beta[o]
        return new_weight, new_bias
    """,
}
"""Pixel by pixel: slow, and right."""

CORE = [name for name in FULL if "sync" not in name and "transpose" not in name]

WRITTEN = "(a) n, mean, variance; then the two sums. (b) Through the shared mean. (c) ... (d) Too late."


def but(*names: str, **points: float) -> dict[str, float]:
    """Full marks, but nothing for these, and less for those."""
    kept = {name: value for name, value in FULL.items() if name not in names}
    return kept | {name.replace("_", "-"): value for name, value in points.items()}


SUBMISSIONS = (
    Submission("right-in-numpy", SHORT, FULL, written={"sharing-answer": WRITTEN}),
    Submission("right-with-slow-loops", LOOPS, FULL),
    Submission(  # channels last inside, centring by a matrix, einsum, keepdims: right is right
        "right-in-other-styles",
        SHORT
        | {
            "channel_statistics": """
                rows = x.transpose(0, 2, 3, 1).reshape(-1, x.shape[1])
                return rows.mean(axis=0, keepdims=True), np.einsum("mc,mc->c", rows - rows.mean(0), rows) / len(rows)
            """,
            "batchnorm2d_forward": """
                N, C, H, W = x.shape

                def layer(rows):
                    d = rows - rows.mean(axis=0)
                    r = 1 / np.sqrt((d * d).mean(axis=0) + eps)
                    return gamma * d * r + beta, [d * r, r]

                y, kept = layer(np.moveaxis(x, 1, -1).reshape(-1, C))
                return y.reshape(N, H, W, C).transpose(0, 3, 1, 2), [*kept, gamma]
            """,
            "batchnorm2d_backward": """
                hat, r, gamma = cache
                N, C, H, W = dy.shape
                g = dy.transpose(0, 2, 3, 1).reshape(-1, C)
                M = len(g)
                dgamma, dbeta = np.einsum("mc,mc->c", g, hat), np.ones(M) @ g
                dx = gamma * r / M * (M * g - dbeta - hat * dgamma)
                return dx.reshape(N, H, W, C).transpose(0, 3, 1, 2), dgamma, dbeta
            """,
            "fold_conv2d": """
                k = np.diag(gamma / np.sqrt(running_var + eps))
                b = -running_mean if bias is None else bias - running_mean
                return (k @ weight.reshape(len(weight), -1)).reshape(weight.shape), k @ b + beta
            """,
            "fold_conv_transpose2d": """
                k = gamma / np.sqrt(running_var + eps)
                b = -running_mean if bias is None else bias - running_mean
                rows, width = weight.shape[:2]
                owner = np.arange(rows) // (rows // groups)
                index = owner[:, None] * width + np.arange(width)[None, :]
                return weight * k[index][..., None, None], k * b + beta
            """,
        },
        FULL,
    ),
    Submission(  # prints, plots and imports are noise, and nothing is lost by them
        "right-with-prints-plots-and-imports",
        SHORT
        | {
            "channel_statistics": """
                print("x has shape", x.shape)
                import numpy
                import matplotlib.pyplot as plt
                plt.figure(figsize=(1, 1))
                plt.close()
                return numpy.mean(x, (0, 2, 3)), numpy.var(x, (0, 2, 3))
            """,
            "batchnorm2d_inference": """
                k = gamma / np.sqrt(running_var + eps)
                print(k)
                return k[:, None, None] * x + (beta - k * running_mean)[:, None, None]
            """,
        },
        FULL,
    ),
    Submission(  # stopped after section 7: the core is worth 62
        "core-only",
        {name: SHORT[name] for name in list(SHORT)[:6]},
        {name: FULL[name] for name in CORE},
        written={"sharing-answer": "I did not get that far."},
    ),
    Submission(  # (2, 3) for (0, 2, 3). The backward is the exact derivative of that forward, so it keeps its points.
        "instance-normalization",
        {
            "channel_statistics": "return x.mean(axis=(2, 3)), x.var(axis=(2, 3))",
            "batchnorm2d_forward": """
                mean, var = x.mean(axis=(2, 3), keepdims=True), x.var(axis=(2, 3), keepdims=True)
                x_hat = (x - mean) / np.sqrt(var + eps)
                return gamma[:, None, None] * x_hat + beta[:, None, None], (x_hat, np.sqrt(var + eps), gamma)
            """,
            "batchnorm2d_backward": """
                x_hat, std, gamma = cache
                dx_hat = dy * gamma[:, None, None]
                mean = dx_hat.mean(axis=(2, 3), keepdims=True)
                dx = (dx_hat - mean - x_hat * (dx_hat * x_hat).mean(axis=(2, 3), keepdims=True)) / std
                return dx, (dy * x_hat).sum(axis=(0, 2, 3)), dy.sum(axis=(0, 2, 3))
            """,
        },
        {"check-batchnorm2d-forward": 0.5, "check-batchnorm2d-backward": 16},  # the shape of y is right
        {
            "check-channel-statistics": "statistics_of_each_image",
            "check-batchnorm2d-forward": "statistics_of_each_image",
        },
    ),
    Submission(  # the two variances the wrong way round: a convention, which costs little
        "unbiased-and-biased-confused",
        {
            "channel_statistics": "return x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3), ddof=1)",
            "batchnorm2d_forward": """
                mean = x.mean(axis=(0, 2, 3), keepdims=True)
                std = np.sqrt(x.var(axis=(0, 2, 3), ddof=1, keepdims=True) + eps)
                return gamma[:, None, None] * (x - mean) / std + beta[:, None, None], None
            """,
            "update_running_stats2d": """
                m, v = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
                return 0.9 * running_mean + 0.1 * m, 0.9 * running_var + 0.1 * v
            """,
        },
        {
            "check-channel-statistics": 5.5,
            "check-batchnorm2d-forward": 11,  # also NaN, where there is a single value
            # momentum is not used (1, 0.25), the grey images come with another one (0.75), and so do the whole
            # numbers (0.5) and the unbiased variance (0.25)
            "check-update-running-stats2d": 5.25,
        },
        {
            "check-channel-statistics": "unbiased_variance",
            "check-batchnorm2d-forward": "unbiased_variance",
        },
    ),
    Submission(  # rows and columns mixed up with channels: no number is right, only shapes
        "reshaped-without-transposing",
        SHORT
        | {
            "channel_statistics": """
                rows = x.reshape(-1, x.shape[1])
                return rows.mean(axis=0), rows.var(axis=0)
            """,
            "batchnorm2d_forward": """
                rows = x.reshape(-1, x.shape[1])
                y = gamma * (rows - rows.mean(axis=0)) / np.sqrt(rows.var(axis=0) + eps) + beta
                return y.reshape(x.shape), rows
            """,
            "batchnorm2d_backward": "return None",
        },
        but("check-batchnorm2d-backward", check_channel_statistics=0.5, check_batchnorm2d_forward=0.5),
        {
            "check-channel-statistics": "reshaped_without_transposing",
            "check-batchnorm2d-forward": "reshaped_without_transposing",
        },
    ),
    Submission(  # eps outside the root, everywhere: its property, the default and the rounding
        "eps-outside-the-root",
        {
            "batchnorm2d_forward": """
                m, s = x.mean(axis=(0, 2, 3), keepdims=True), x.std(axis=(0, 2, 3), keepdims=True) + eps
                return gamma[:, None, None] * (x - m) / s + beta[:, None, None], None
            """,
            "batchnorm2d_inference": """
                k = gamma / (np.sqrt(running_var) + eps)
                return (k * (np.moveaxis(x, 1, -1) - running_mean) + beta).transpose(0, 3, 1, 2)
            """,
            "fold_conv2d": """
                k = gamma / (running_var**0.5 + eps)
                return weight * k[:, None, None, None], k * ((0 if bias is None else bias) - running_mean) + beta
            """,
            "syncbn_forward": """
                w = counts / counts.sum()
                m = w @ means
                s = np.sqrt(w @ (variances + (means - m) ** 2)) + eps
                x_hat = (x - m[:, None, None]) / s[:, None, None]
                return gamma[:, None, None] * x_hat + beta[:, None, None], x_hat, s
            """,
        },
        {
            "check-batchnorm2d-forward": 9.5,
            "check-batchnorm2d-inference": 6,
            "check-fold-conv2d": 10,
            "check-syncbn-forward": 8,
        },
        {
            "check-batchnorm2d-forward": "eps_outside_the_root",
            "check-batchnorm2d-inference": "eps_outside_the_root",
            "check-fold-conv2d": "eps_outside_the_root",
            "check-syncbn-forward": "eps_outside_the_root",
        },
    ),
    Submission(  # N for N·H·W in the gradient, N/(N - 1) in the running variance, the momentum right
        "divides-by-the-images",
        SHORT
        | {
            "batchnorm2d_backward": """
                x_hat, std, gamma = cache
                N = dy.shape[0]
                dgamma = (dy * x_hat).sum(axis=(0, 2, 3), keepdims=True)
                dbeta = dy.sum(axis=(0, 2, 3), keepdims=True)
                dx = gamma[:, None, None] / (N * std) * (N * dy - dbeta - x_hat * dgamma)
                return dx, dgamma.ravel(), dbeta.ravel()
            """,
            "update_running_stats2d": """
                N = x.shape[0]
                m, v = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3)) * N / (N - 1)
                return (1 - momentum) * running_mean + momentum * m, (1 - momentum) * running_var + momentum * v
            """,
        },
        # dgamma (2), dbeta (1.5) and the shapes (0.5) are right; of the running statistics the shapes (0.5), the mean
        # (1.75), the grey images (0.75) and the inputs left alone (0.75)
        but(check_batchnorm2d_backward=4, check_update_running_stats2d=3.75),
        {
            "check-batchnorm2d-backward": "divides_by_the_images_only",
            "check-update-running-stats2d": "corrected_with_the_images_only",
        },
    ),
    Submission(  # the momentum of Keras; the path through the variance forgotten
        "keras-momentum-and-a-path-missing",
        SHORT
        | {
            "update_running_stats2d": """
                m, v = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3), ddof=1)
                return momentum * running_mean + (1 - momentum) * m, momentum * running_var + (1 - momentum) * v
            """,
            "batchnorm2d_backward": """
                x_hat, std, gamma = cache
                g = dy * gamma.reshape(1, -1, 1, 1)
                dx = (g - g.mean(axis=(0, 2, 3), keepdims=True)) / std
                return dx, (dy * x_hat).sum((0, 2, 3)), dy.sum((0, 2, 3))
            """,
        },
        # the direction (0.25) and the default (0.25); dx (7), its eps (2), its rounding (1), and the inputs (0.5)
        but(check_update_running_stats2d=7.5, check_batchnorm2d_backward=5.5),
        {
            "check-update-running-stats2d": "momentum_the_other_way_round",
            "check-batchnorm2d-backward": "variance_path_missing",
        },
    ),
    Submission(  # synchronized as many think: variances averaged, and no sums shared in the backward pass
        "local-backward",
        SHORT
        | {
            "syncbn_forward": """
                w = counts / counts.sum()
                mean, std = w @ means, np.sqrt(w @ variances + eps)
                x_hat = (x - mean[:, None, None]) / std[:, None, None]
                return gamma[:, None, None] * x_hat + beta[:, None, None], x_hat, std
            """,
            "syncbn_backward": """
                g, h = dy.mean(axis=(0, 2, 3), keepdims=True), (dy * x_hat).mean(axis=(0, 2, 3), keepdims=True)
                dx = (gamma / std)[:, None, None] * (dy - g - x_hat * h)
                return dx, sums_dy_x_hat.sum(axis=0), sums_dy.sum(axis=0)
            """,
        },
        # forward: what lies between (2) and the rounding (1); backward: shapes, dgamma and dbeta are left
        but(check_syncbn_forward=7, check_syncbn_backward=2.5),
        {"check-syncbn-forward": "variance_of_the_means_missing", "check-syncbn-backward": "local_backward"},
        written={"sharing-answer": "The gradients are averaged anyway."},
    ),
    Submission(  # every device counts the same, whatever it holds
        "devices-weighted-equally",
        SHORT
        | {
            "syncbn_forward": """
                mean = means.mean(axis=0)
                var = variances.mean(axis=0) + means.var(axis=0)
                std = np.sqrt(var + eps)
                x_hat = (x - mean[:, None, None]) / std[:, None, None]
                return gamma[:, None, None] * x_hat + beta[:, None, None], x_hat, std
            """,
            "syncbn_backward": """
                g = (sums_dy / counts[:, None]).mean(axis=0)[:, None, None]
                h = (sums_dy_x_hat / counts[:, None]).mean(axis=0)[:, None, None]
                dx = (gamma / std)[:, None, None] * (dy - g - x_hat * h)
                return dx, sums_dy_x_hat.sum(axis=0), sums_dy.sum(axis=0)
            """,
        },
        but(check_syncbn_forward=2.5, check_syncbn_backward=2.5),  # the shapes, y of its own x_hat, eps; as above
        {"check-syncbn-forward": "shards_weighted_equally", "check-syncbn-backward": "means_of_devices_averaged"},
    ),
    Submission(  # works in place: the caller's arrays are spoiled, and whole numbers cannot be written back
        "in-place",
        SHORT
        | {
            "batchnorm2d_forward": """
                x -= x.mean(axis=(0, 2, 3), keepdims=True)
                std = np.sqrt((x * x).mean(axis=(0, 2, 3), keepdims=True) + eps)
                return gamma[:, None, None] * x / std + beta[:, None, None], (x / std, std, gamma)
            """,
            "fold_conv2d": """
                k = gamma / np.sqrt(running_var + eps)
                weight *= k[:, None, None, None]
                return weight, k * ((0 if bias is None else bias) - running_mean) + beta
            """,
        },
        but(check_batchnorm2d_forward=11, check_fold_conv2d=10.5),
        {"check-batchnorm2d-forward": "changes_its_input", "check-fold-conv2d": "changes_its_input"},
    ),
    Submission(  # the scale along the inputs; the bias would be right, if the function ran. Groups not looked at.
        "scales-along-another-axis",
        SHORT
        | {
            "fold_conv2d": """
                k = gamma / np.sqrt(running_var + eps)
                return weight * k[None, :, None, None], k * ((0 if bias is None else bias) - running_mean) + beta
            """,
            "fold_conv_transpose2d": """
                k = gamma / np.sqrt(running_var + eps)
                return weight * k[None, :, None, None], k * ((0 if bias is None else bias) - running_mean) + beta
            """,
        },
        but("check-fold-conv2d", check_fold_conv_transpose2d=7.5),
        {"check-fold-conv2d": "scaled_along_another_axis", "check-fold-conv-transpose2d": "groups_not_looked_at"},
    ),
    Submission(  # a syntax error, a function of another name, a check that is not handed in; the rest is right
        "broken-here-and-there",
        SHORT
        | {
            "channel_statistics": "def statistics_of_channels(x):\n    return x.mean((0, 2, 3)), x.var((0, 2, 3))",
            "update_running_stats2d": "return (running_mean, running_var",
            "batchnorm2d_inference": "while x.size:\n    pass",
            "syncbn_backward": "return dy",
        },
        but(
            "check-channel-statistics",
            "check-update-running-stats2d",
            "check-batchnorm2d-inference",
            "check-syncbn-backward",
            "check-fold-conv2d",
        ),
        deleted=("check-fold-conv2d",),
    ),
)
