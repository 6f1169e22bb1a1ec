"""What students hand in to `inference`.

The marking rules: what an exercise asks (in the docstring of each property) is worth the points in its decorator. So a
convention costs half a point (but everything in the exercise on Keras, which asks for nothing else), an input that is
changed half a point or one; what does not run is worth nothing, also where one can see what was meant.
"""

from textwrap import dedent

from .submission import Submission

FULL = {
    "check-update-running-stats": 12,
    "check-update-running-stats-keras": 3,
    "check-merge-statistics": 10,
    "check-batchnorm-inference": 10,
    "check-batchnorm": 12,
    "check-read-the-curves": 6,
    "check-find-the-bug": 9,
    "check-fold-linear": 10,
    "check-fold-into-next-linear": 6,
    "check-padding-value": 3,
    "check-remove-shard": 10,
}

SHORT = {
    "update_running_stats": """
        a = momentum
        return (1 - a) * running_mean + a * x.mean(0), (1 - a) * running_var + a * x.var(0, ddof=1)
    """,
    "update_running_stats_keras": """
        m = momentum
        return m * running_mean + (1 - m) * x.mean(0), m * running_var + (1 - m) * x.var(0)
    """,
    "merge_statistics": """
        w = counts / counts.sum()
        mean = w @ means
        return mean, w @ (variances + (means - mean) ** 2)
    """,
    "batchnorm_inference": "return gamma * (x - running_mean) / np.sqrt(running_var + eps) + beta",
    "read_the_curves": """
        if not np.allclose(again, together, 1e-6, 0):
            return "updates in evaluation"
        if not np.allclose(alone, together, 1e-6, 0):
            return "batch statistics"
        return "never stored" if together[-1] > 3 * train[-1] else "none"
    """,
    "find_the_bug": """
        rng = np.random.default_rng(1)
        x = 1e7 + rng.normal(0, [1.0, 5.0], (10, 2))
        gamma, beta, eps = np.array([2.0, 3.0]), np.array([1.0, -1.0]), 0.5
        s = observe([x], x + 2, gamma, beta, eps)
        x_hat = (x + 2 - s["running_mean"]) / np.sqrt(s["running_var"] + eps)
        y_train = gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + eps) + beta
        if not np.allclose(s["y_train"], y_train, rtol=1e-3, atol=1e-3):
            return "cancellation"
        if np.any(s["new_mean"] != 0):
            return "shared arrays"
        if not np.allclose(s["y"], s["y_again"]):
            return "updates in evaluation"
        if not np.allclose(s["y"], s["y_alone"]):
            return "batch statistics"
        if np.allclose(s["y"], gamma * x_hat + beta):
            return "none"
        return "no gamma and beta" if np.allclose(s["y"], x_hat) else "no eps"
    """,
    "fold_linear": """
        s = gamma / np.sqrt(running_var + eps)
        return s[:, None] * weight, s * ((0 if bias is None else bias) - running_mean) + beta
    """,
    "fold_into_next_linear": """
        s = gamma / np.sqrt(running_var + eps)
        return weight * s, (0 if bias is None else bias) + weight @ (beta - s * running_mean)
    """,
    "padding_value": "return running_mean - beta * np.sqrt(running_var + eps) / gamma",
    "remove_shard": """
        n = count - gone_count
        m = (count * mean - gone_count * gone_mean) / n
        squares = count * (var + (mean - m) ** 2) - gone_count * (gone_var + (gone_mean - m) ** 2)
        return m, squares / n
    """,
}
"""As those write it who know NumPy."""


SHORT_LAYER = """
class BatchNorm(GivenBackward):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        self.gamma, self.beta = np.ones(num_features), np.zeros(num_features)
        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)
        self.num_batches_tracked, self.eps, self.momentum = 0, eps, momentum

    def forward(self, x, training):
        m, v = self.running_mean, self.running_var
        if training:
            m, v = x.mean(0), x.var(0)
            self.num_batches_tracked += 1
            a = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
            self.running_mean = (1 - a) * self.running_mean + a * m
            self.running_var = (1 - a) * self.running_var + a * x.var(0, ddof=1)
        self.training, self.std = training, np.sqrt(v + self.eps)
        self.x_hat = (x - m) / self.std
        return self.gamma * self.x_hat + self.beta
"""
SHORT["BatchNorm"] = SHORT_LAYER


def with_other(old: str, new: str) -> str:
    """The layer with one place changed."""
    assert old in SHORT_LAYER, old
    return SHORT_LAYER.replace(old, new)


def but(*names: str, **points: float) -> dict[str, float]:
    """Full marks, but nothing for these, and less for those."""
    kept = {name: value for name, value in FULL.items() if name not in names}
    return kept | {name.replace("_", "-"): value for name, value in points.items()}


SUBMISSIONS = (
    Submission("right-in-few-lines", SHORT, FULL, written={"folding-answer": "(a) 3.1 and 1.4 ..."}),
    Submission(
        "right-with-loops",
        SHORT
        | {
            "update_running_stats": """
                N, D = x.shape
                new_mean, new_var = np.zeros(D), np.zeros(D)
                for j in range(D):
                    m = sum(x[:, j]) / N
                    v = sum((x[i, j] - m) ** 2 for i in range(N)) / (N - 1)
                    new_mean[j] = running_mean[j] + momentum * (m - running_mean[j])
                    new_var[j] = running_var[j] + momentum * (v - running_var[j])
                return new_mean, new_var
            """,
            "merge_statistics": """
                n, total = 0, np.zeros(means.shape[1])
                for k in range(len(counts)):
                    n += counts[k]
                    total = total + counts[k] * means[k]
                mean = total / n
                var = np.zeros(means.shape[1])
                for k in range(len(counts)):
                    var += counts[k] / n * (variances[k] + (means[k] - mean) ** 2)
                return mean, var
            """,
            "batchnorm_inference": """
                y = np.zeros(x.shape)
                for i, row in enumerate(x):
                    for j, value in enumerate(row):
                        y[i, j] = gamma[j] * (value - running_mean[j]) / (running_var[j] + eps) ** 0.5 + beta[j]
                return y
            """,
            "read_the_curves": """
                for t in range(len(train)):
                    if abs(again[t] - together[t]) > 1e-6 * abs(together[t]):
                        return "updates in evaluation"
                for t in range(len(train)):
                    if abs(alone[t] - together[t]) > 1e-6 * abs(together[t]):
                        return "batch statistics"
                if together[-1] > 3 * train[-1]:
                    return "never stored"
                return "none"
            """,
            "fold_linear": """
                new_weight, new_bias = np.zeros(weight.shape), np.zeros(len(weight))
                for o in range(len(weight)):
                    s = gamma[o] / np.sqrt(running_var[o] + eps)
                    for i in range(weight.shape[1]):
                        new_weight[o, i] = s * weight[o, i]
                    b = 0.0 if bias is None else bias[o]
                    new_bias[o] = s * (b - running_mean[o]) + beta[o]
                return new_weight, new_bias
            """,
        },
        FULL,
    ),
    Submission(  # einsum, keepdims, lists, a layer that writes into arrays of its own, its own backward: right is right
        "right-with-einsum-keepdims-and-lists",
        SHORT
        | {
            "update_running_stats": """
                old = np.stack([running_mean, running_var])
                new = np.concatenate([x.mean(0, keepdims=True), x.var(0, ddof=1, keepdims=True)])
                return (1 - momentum) * old + momentum * new
            """,
            "merge_statistics": """
                p = counts / np.sum(counts)
                mean = np.einsum('k,kd->d', p, means)
                second = np.einsum('k,kd->d', p, variances + means * means)
                return [mean, second - mean * mean]
            """,
            "BatchNorm": """
                class BatchNorm:
                    def __init__(self, num_features, eps=1e-5, momentum=0.1):
                        self.eps, self.momentum, self.num_batches_tracked = eps, momentum, 0
                        self.gamma, self.beta = np.ones(num_features), np.zeros(num_features)
                        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)

                    def forward(self, x, training):
                        self.last = x.copy(), training
                        if not training:
                            self.mu, self.sd = self.running_mean.copy(), np.sqrt(self.running_var + self.eps)
                        else:
                            self.mu, self.sd = x.mean(axis=0), np.sqrt(x.var(axis=0) + self.eps)
                            self.num_batches_tracked += 1
                            a = self.momentum
                            if a is None:
                                a = 1.0 / self.num_batches_tracked
                            self.running_mean += a * (self.mu - self.running_mean)
                            self.running_var += a * (x.var(axis=0, ddof=1) - self.running_var)
                        return self.gamma * (x - self.mu) / self.sd + self.beta

                    def backward(self, dy):
                        x, training = self.last
                        z = (x - self.mu) / self.sd
                        self.dgamma, self.dbeta = np.sum(dy * z, 0), np.sum(dy, 0)
                        if not training:
                            return dy * self.gamma / self.sd
                        N = len(x)
                        return self.gamma / (N * self.sd) * (N * dy - self.dbeta - z * self.dgamma)
            """,
            "fold_into_next_linear": """
                S = np.diag(gamma / np.sqrt(running_var + eps))
                new_weight = np.einsum('oi,ij->oj', weight, S)
                new_bias = weight @ beta - new_weight @ running_mean
                return [new_weight, new_bias if bias is None else new_bias + bias]
            """,
            "padding_value": "return (running_mean - beta / gamma * (running_var + eps) ** 0.5)[None, :]",
        },
        FULL,
    ),
    Submission(  # prints and plots are noise, and nothing is lost by them
        "right-with-prints-plots-and-imports",
        SHORT
        | {
            "update_running_stats": """
                a = momentum
                import math

                print("momentum", a, "root of N", math.sqrt(len(x)))
                return (1 - a) * running_mean + a * x.mean(0), (1 - a) * running_var + a * x.var(0, ddof=1)
            """,
            "batchnorm_inference": "import sys\n\n\ndef batchnorm_inference(x, gamma, beta, running_mean, running_var, "
            "eps=1e-5):\n    print('std', np.sqrt(running_var), file=sys.stderr)\n"
            "    return gamma * (x - running_mean) / np.sqrt(running_var + eps) + beta\n\n\n"
            "plt.plot(batchnorm_inference(np.eye(2), 1, 0, 0, 1))\nplt.show()",
            "find_the_bug": "print('looking')\n" + dedent(SHORT["find_the_bug"]).strip("\n"),
        },
        FULL,
    ),
    Submission(  # fold by asking the two layers, one unit vector at a time; every shard unrolled into samples
        "right-but-slow",
        SHORT
        | {
            "merge_statistics": """
                mean, M2, n = np.zeros(means.shape[1]), np.zeros(means.shape[1]), 0
                for k in range(len(counts)):
                    for half in (-1.0, 1.0):  # two points a shard, at one deviation: the same mean and variance
                        for j in range(means.shape[1]):
                            value = means[k, j] + half * variances[k, j] ** 0.5
                            delta = value - mean[j]
                            weight = counts[k] / 2
                            mean[j] += delta * weight / (n + weight)
                            M2[j] += weight * delta * (value - mean[j])
                        n += counts[k] / 2
                return mean, M2 / n
            """,
            "fold_linear": """
                inputs = weight.shape[1]

                def both(x):
                    out = x @ weight.T + (0 if bias is None else bias)
                    return gamma * (out - running_mean) / np.sqrt(running_var + eps) + beta

                new_bias = both(np.zeros((1, inputs)))[0]
                columns = []
                for i in range(inputs):
                    unit = np.zeros((1, inputs))
                    unit[0, i] = 1.0
                    columns.append(both(unit)[0] - new_bias)
                return np.array(columns).T, new_bias
            """,
            "find_the_bug": "for _ in range(50):\n    observe([np.eye(3)], np.eye(3), np.ones(3), np.zeros(3))\n"
            + dedent(SHORT["find_the_bug"]).strip("\n"),
        },
        FULL,
    ),
    Submission(
        "half-done",
        {
            name: SHORT[name]
            for name in (
                "update_running_stats",
                "update_running_stats_keras",
                "merge_statistics",
                "batchnorm_inference",
            )
        },
        {
            name: FULL[name]
            for name in (
                "check-update-running-stats",
                "check-update-running-stats-keras",
                "check-merge-statistics",
                "check-batchnorm-inference",
            )
        },
    ),
    Submission(  # knows both conventions, and which is whose the other way round
        "pytorch-and-keras-exchanged",
        SHORT
        | {
            "update_running_stats": """
                new_mean = momentum * running_mean + (1 - momentum) * x.mean(axis=0)
                new_var = momentum * running_var + (1 - momentum) * x.var(axis=0)
                return new_mean, new_var
            """,  # 0.5 each for the weight, for the default, for N - 1, and for being right to rounding
            "update_running_stats_keras": """
                new_mean = (1 - momentum) * running_mean + momentum * x.mean(axis=0)
                new_var = (1 - momentum) * running_var + momentum * x.var(axis=0, ddof=1)
                return new_mean, new_var
            """,  # what it asks is all wrong
            "BatchNorm": with_other("x.var(0, ddof=1)", "v").replace(
                "else self.momentum", "else 1 - self.momentum"
            ),  # 0.5 for N - 1, 0.5 for the weight
        },
        but("check-update-running-stats-keras", check_update_running_stats=10, check_batchnorm=11),
        {
            "check-update-running-stats": "momentum_the_other_way_round",
            "check-update-running-stats-keras": "momentum_of_pytorch",
        },
    ),
    Submission(  # the variances are averaged, and that is all; so the variance between the shards is missed twice
        "between-the-shards-forgotten",
        SHORT
        | {
            "merge_statistics": """
                w = counts / np.sum(counts)
                return w @ means, w @ variances
            """,  # shape 0.5, means 2.5, within 1.5, one shard 0.5, inputs 0.5
            "remove_shard": """
                n = count - gone_count
                return (count * mean - gone_count * gone_mean) / n, (count * var - gone_count * gone_var) / n
            """,  # shape 0.5, mean 3, where the means agree 2, inputs 0.5
        },
        but(check_merge_statistics=5.5, check_remove_shard=6),
        {"check-merge-statistics": "variance_of_the_means_missing"},
    ),
    Submission(  # evaluates like training
        "the-batch-in-evaluation",
        SHORT
        | {
            "batchnorm_inference": "return gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps) + beta",
            # the shape 0.5: everything else asks for the running statistics
            "BatchNorm": with_other(
                "        if training:\n            m, v = x.mean(0), x.var(0)\n",
                "        if True:\n            m, v = x.mean(0), x.var(0)\n        if training:\n",
            ),
            # evaluation 1, the backward after it 1, eps in both modes 1
        },
        but(check_batchnorm_inference=0.5, check_batchnorm=9),
        {"check-batchnorm-inference": "batch_statistics", "check-batchnorm": "evaluation_uses_the_batch"},
    ),
    Submission(  # eps outside the root, or not there at all: the idea is right everywhere
        "eps-in-the-wrong-place",
        SHORT
        | {
            "batchnorm_inference": "return gamma * (x - running_mean) / (np.sqrt(running_var) + eps) + beta",
            # 1 for eps, 0.5 for the default, 0.5 for rounding
            "BatchNorm": with_other("np.sqrt(v + self.eps)", "np.sqrt(v) + self.eps"),
            # 1 for eps in both modes, 0.5 for the default, 0.5 for rounding
            "fold_linear": """
                s = gamma / np.sqrt(running_var)
                return s[:, None] * weight, s * ((0 if bias is None else bias) - running_mean) + beta
            """,  # 1 for eps, 0.5 for the default, 0.5 for rounding
            "fold_into_next_linear": """
                s = gamma / (np.sqrt(running_var) + eps)
                return weight * s, (0 if bias is None else bias) + weight @ (beta - s * running_mean)
            """,  # 0.5 for eps, 0.25 for the default, 0.25 for rounding
            "padding_value": "return running_mean - beta * np.sqrt(running_var) / gamma",  # eps 0.25, its default 0.25
        },
        but(
            check_batchnorm_inference=8,
            check_batchnorm=10,
            check_fold_linear=8,
            check_fold_into_next_linear=5,
            check_padding_value=2.5,
        ),
        {
            "check-batchnorm-inference": "eps_outside_the_root",
            "check-fold-linear": "eps_missing",
            "check-fold-into-next-linear": "eps_outside_the_root",
            "check-padding-value": "eps_missing",
        },
    ),
    Submission(  # folds by a formula that is remembered, not understood
        "folding-half-understood",
        SHORT
        | {
            "fold_linear": """
                s = gamma / np.sqrt(running_var + eps)
                return s[:, None] * weight, beta - s * running_mean
            """,  # shape 0.5, weights 3, mean and beta 1.5, a layer without bias 0.5, inputs 0.5
            "fold_into_next_linear": """
                s = gamma / np.sqrt(running_var + eps)
                return s[:, None] * weight, s * ((0 if bias is None else bias) - running_mean) + beta
            """,  # does not run unless there are as many inputs as outputs
            "padding_value": "return beta - gamma / np.sqrt(running_var + eps) * running_mean",
        },
        but("check-fold-into-next-linear", "check-padding-value", check_fold_linear=6),
        {
            "check-fold-linear": "bias_ignored",
            "check-fold-into-next-linear": "folds_into_the_layer_before",
            "check-padding-value": "what_zero_is_mapped_to",
        },
    ),
    Submission(  # tests as most people do: standard data, an untrained layer
        "a-lazy-tester",
        SHORT
        | {
            "read_the_curves": """
                if not np.allclose(again, together, rtol=1e-6):
                    return "updates in evaluation"
                return "never stored" if together[-1] > 3 * train[-1] else "none"
            """,  # 2 for updates, 2 for never stored
            "find_the_bug": """
                x = np.random.default_rng(0).standard_normal((32, 4))
                s = observe([x], x, np.ones(4), np.zeros(4))
                if not np.allclose(s["y"], s["y_again"]):
                    return "updates in evaluation"
                if not np.allclose(s["y"], s["y_alone"]):
                    return "batch statistics"
                return "none" if np.all(s["new_mean"] == 0) else "shared arrays"
            """,  # three bugs of six, 1.25 each, and 1.5 for the conventions
        },
        but(check_read_the_curves=4, check_find_the_bug=5.25),
        {"check-read-the-curves": "judges_by_the_gap_alone"},
    ),
    Submission(  # a good test, but for one blind eye
        "one-blind-eye",
        SHORT
        | {
            "find_the_bug": SHORT["find_the_bug"].replace("1e7 +", "5 +"),
            "read_the_curves": """
                if not np.allclose(alone, together, 1e-6, 0):
                    return "batch statistics"
                if not np.allclose(again, together, 1e-6, 0):
                    return "updates in evaluation"
                return "never stored" if together[-1] > 3 * train[-1] else "none"
            """,  # 2 for the batch's statistics, 2 for never stored
        },
        but(check_find_the_bug=7.75, check_read_the_curves=4),
        {"check-find-the-bug": "tests_near_zero_only", "check-read-the-curves": "alone_before_again"},
    ),
    Submission(  # works on the caller's arrays
        "in-place",
        SHORT
        | {
            "update_running_stats": """
                running_mean *= 1 - momentum
                running_mean += momentum * x.mean(axis=0)
                running_var *= 1 - momentum
                running_var += momentum * x.var(axis=0, ddof=1)
                return running_mean, running_var
            """,  # 1 for the caller's arrays
            "batchnorm_inference": """
                x -= running_mean
                return gamma * x / np.sqrt(running_var + eps) + beta
            """,  # 0.5 for the caller's arrays, 0.5 for whole numbers, which cannot take a fraction
            "fold_linear": """
                s = gamma / np.sqrt(running_var + eps)
                weight *= s[:, None]
                return weight, s * ((0 if bias is None else bias) - running_mean) + beta
            """,  # the same
        },
        but(check_update_running_stats=11, check_batchnorm_inference=9, check_fold_linear=9),
        {"check-update-running-stats": "changes_its_input"},
    ),
    Submission(  # each of these costs its own points, and nobody else's
        "crashing-missing-and-endless",
        SHORT
        | {
            "update_running_stats": "return (1 - momentum) * running_mean +",  # a syntax error: no function at all
            "update_running_stats_keras": "raise SystemExit",
            "merge_statistics": "while True:\n    pass",
            "batchnorm_inference": "def batch_norm_inference(x, *rest):\n    return x",  # under another name
            "read_the_curves": 'return "I do not know"',
            "padding_value": "return None",
        },
        but(
            "check-update-running-stats",
            "check-update-running-stats-keras",
            "check-merge-statistics",
            "check-batchnorm-inference",
            "check-read-the-curves",
            "check-padding-value",
            "check-fold-linear",
        ),
        deleted=("fold_linear",),
    ),
)
