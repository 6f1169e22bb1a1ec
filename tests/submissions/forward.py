"""What students hand in to `forward`.

The marking rules: what an exercise asks (in the docstring of each property) is worth the points in its decorator. So
N - 1 for N costs 1 of 12, eps outside the root 3 of 16, an input that is changed 1; what does not run is worth nothing,
also where one can see what was meant.
"""

from .submission import Submission

FULL = {
    "check-batch-mean": 8,
    "check-batch-variance": 12,
    "check-normalize": 16,
    "check-scale-shift": 10,
    "check-batchnorm-forward": 20,
    "check-identity-parameters": 12,
    "check-leave-one-out-forward": 10,
}

SHORT = {
    "batch_mean": "return x.mean(axis=0)",
    "batch_variance": "return x.var(axis=0)",
    "normalize": "return (x - mean) / np.sqrt(var + eps)",
    "scale_shift": "return gamma * x_hat + beta",
    "batchnorm_forward": "x_hat = (x - x.mean(0)) / np.sqrt(x.var(0) + eps)\nreturn gamma * x_hat + beta, x_hat",
    "identity_parameters": "return np.sqrt(x.var(axis=0) + eps), x.mean(axis=0)",
    "leave_one_out_forward": """
        N = len(x)
        total, squares = x.sum(axis=0), (x * x).sum(axis=0)
        mean = (total - x) / (N - 1)
        var = (squares - x * x) / (N - 1) - mean**2
        return gamma * (x - mean) / np.sqrt(np.maximum(var, 0) + eps) + beta
    """,
}
"""As those write it who know NumPy."""


def but(*names: str, **points: float) -> dict[str, float]:
    """Full marks, but nothing for these, and less for those."""
    kept = {name: value for name, value in FULL.items() if name not in names}
    return kept | {name.replace("_", "-"): value for name, value in points.items()}


SUBMISSIONS = (
    Submission("right-in-one-line-each", SHORT, FULL, written={"second-batch-answer": "(a) Mean mu_1, variance ..."}),
    Submission(
        "right-with-loops",
        {
            "batch_mean": """
                N, D = x.shape
                mean = np.zeros(D)
                for i in range(N):
                    for j in range(D):
                        mean[j] += x[i, j] / N
                return mean
            """,
            "batch_variance": """
                result = []
                for column in x.T:
                    m = sum(column) / len(column)
                    result.append(sum((value - m) ** 2 for value in column) / len(column))
                return np.array(result)
            """,
            "normalize": """
                out = np.zeros(x.shape)
                for i in range(x.shape[0]):
                    for j in range(x.shape[1]):
                        out[i, j] = (x[i, j] - mean[j]) / (var[j] + eps) ** 0.5
                return out
            """,
            "scale_shift": "return np.stack([gamma * row + beta for row in x_hat])",
            "batchnorm_forward": """
                y = np.zeros(x.shape)
                for j in range(x.shape[1]):
                    column = x[:, j]
                    y[:, j] = gamma[j] * (column - column.mean()) / np.sqrt(column.var() + eps) + beta[j]
                return y, None
            """,
            "identity_parameters": """
                gamma = [float(np.sqrt(column.var() + eps)) for column in x.T]
                beta = [float(column.mean()) for column in x.T]
                return np.array(gamma), np.array(beta)
            """,
            "leave_one_out_forward": """
                rows = []
                for i in range(len(x)):
                    rest = np.concatenate([x[:i], x[i + 1:]])
                    rows.append(gamma * (x[i] - rest.mean(axis=0)) / np.sqrt(rest.var(axis=0) + eps) + beta)
                return np.array(rows)
            """,
        },
        FULL,
    ),
    Submission(  # (1, D) statistics, einsum, another name for the answer, a cache of one's own: right is right
        "right-with-einsum-and-keepdims",
        SHORT
        | {
            "batch_mean": "return np.einsum('nd->d', x) / x.shape[0]",
            "batch_variance": "c = x - np.mean(x, 0, keepdims=True)\nreturn np.einsum('nd,nd->d', c, c) / len(x)",
            "batchnorm_forward": """
                mu = x.mean(axis=0, keepdims=True)
                var = ((x - mu) ** 2).mean(axis=0, keepdims=True)
                cache = {"mu": mu, "var": var, "x": x}
                return (x - mu) / np.sqrt(var + eps) * gamma[None, :] + beta.reshape(1, -1), cache
            """,
            "identity_parameters": """
                a, b = (x.var(0, keepdims=True) + eps) ** 0.5, x.mean(0, keepdims=True)

                def my_normalization(x, a, b):
                    return a * (x - x.mean(0)) / np.sqrt(x.var(0) + eps) + b

                assert np.allclose(my_normalization(x, a, b), x)
                return a, b
            """,
        },
        FULL,
    ),
    Submission(  # prints and plots are noise, and nothing is lost by them
        "right-with-prints-plots-and-imports",
        SHORT
        | {
            "batch_mean": "import math\nimport sys\n\n\ndef batch_mean(x):\n    print('x is', x.shape)\n"
            "    print('hello', file=sys.stderr)\n    return np.array([math.fsum(c) / len(c) for c in x.T])\n\n\n"
            "print(batch_mean(np.eye(3)))\nplt.plot(batch_mean(np.eye(3)))\nplt.show()",
            "normalize": "print('normalize', eps)\nreturn (x - mean) / np.sqrt(var + eps)",
        },
        FULL,
    ),
    Submission(  # slow is not wrong: this takes a thousand times what it need take
        "right-but-slow",
        SHORT
        | {
            "batch_variance": """
                N, D = x.shape
                var = np.zeros(D)
                for j in range(D):  # half the mean square difference of all pairs is the variance
                    for i in range(N):
                        for k in range(0, N):
                            var[j] += (float(x[i, j]) - float(x[k, j])) ** 2 / (2.0 * N * N)
                return var
            """
        },
        FULL,
    ),
    Submission(
        "half-done",
        {name: SHORT[name] for name in ("batch_mean", "batch_variance", "normalize")},
        {name: FULL[name] for name in ("check-batch-mean", "check-batch-variance", "check-normalize")},
    ),
    Submission(  # statistics along the wrong axis throughout: the idea of the assignment is missed where it matters
        "along-axis-1",
        SHORT
        | {
            "batch_mean": "return x.mean(axis=1)",  # wrong shape unless N = D: nothing
            "batch_variance": "return x.var(axis=1)",
            "batchnorm_forward": """
                mean, var = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
                return gamma * (x - mean) / np.sqrt(var + eps) + beta, None
            """,  # y of the right shape, with a cache: 1
        },
        but("check-batch-mean", "check-batch-variance", check_batchnorm_forward=1),
        {
            "check-batch-mean": "mean_along_axis_1",
            "check-batch-variance": "variance_along_axis_1",
            "check-batchnorm-forward": "statistics_along_axis_1",
        },
    ),
    Submission(  # the convention of statistics costs what asks for the divisor, no more
        "unbiased-everywhere",
        SHORT
        | {
            "batch_variance": "return x.var(axis=0, ddof=1)",  # 1 for the divisor
            "batchnorm_forward": """
                x_hat = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0, ddof=1) + eps)
                return gamma * x_hat + beta, x_hat
            """,  # 0.5 for the divisor, 1 for being right to rounding; 0.5 for a single sample, which is NaN
            "identity_parameters": "return np.sqrt(x.var(axis=0, ddof=1) + eps), x.mean(axis=0)",  # 1 for rounding
            "leave_one_out_forward": """
                y = np.zeros(x.shape)
                for i in range(len(x)):
                    others = np.delete(x, i, axis=0)
                    var = others.var(axis=0, ddof=1) if len(others) > 1 else np.zeros(x.shape[1])
                    y[i] = gamma * (x[i] - others.mean(axis=0)) / np.sqrt(var + eps) + beta
                return y
            """,  # 0.5 for the divisor, 0.5 for rounding
        },
        but(
            check_batch_variance=11,
            check_batchnorm_forward=18,
            check_identity_parameters=11,
            check_leave_one_out_forward=9,
        ),
        {
            "check-batch-variance": "unbiased_variance",
            "check-batchnorm-forward": "unbiased_variance",
            "check-identity-parameters": "unbiased_variance",
            "check-leave-one-out-forward": "unbiased_variance",
        },
    ),
    Submission(  # right but for eps: in normalize 2 for eps and 1 for the default; in the layer 1 for rounding besides
        "eps-outside-the-root",
        SHORT
        | {
            "normalize": "return (x - mean) / (np.sqrt(var) + eps)",
            "batchnorm_forward": """
                std = np.sqrt(x.var(axis=0)) + eps
                return gamma * (x - x.mean(axis=0)) / std + beta, std
            """,
            "identity_parameters": "return x.std(axis=0) + eps, x.mean(axis=0)",  # 2 for eps, 1 for rounding
            "leave_one_out_forward": """
                y = np.zeros(x.shape)
                for i in range(len(x)):
                    others = np.delete(x, i, axis=0)
                    y[i] = gamma * (x[i] - others.mean(axis=0)) / (others.std(axis=0) + eps) + beta
                return y
            """,  # 1 for eps, 0.5 for rounding
        },
        but(
            check_normalize=13,
            check_batchnorm_forward=16,
            check_identity_parameters=9,
            check_leave_one_out_forward=8.5,
        ),
        {
            "check-normalize": "eps_outside_the_root",
            "check-batchnorm-forward": "eps_outside_the_root",
            "check-identity-parameters": "eps_outside_the_root",
            "check-leave-one-out-forward": "eps_outside_the_root",
        },
    ),
    Submission(  # each exercise with a mistake of its own
        "a-mistake-in-each",
        {
            "batch_mean": "return x.sum(axis=0)",  # the shape: 1
            "batch_variance": "return x.std(axis=0)",  # shape, and 0 for a constant needs the main thing: 1
            "normalize": "mean, var = x.mean(axis=0), x.var(axis=0)\nreturn (x - mean) / np.sqrt(var + eps)",  # shape
            "scale_shift": "return gamma * (x_hat + beta)",
            "batchnorm_forward": "return gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + eps) + beta",
            "identity_parameters": "return np.std(x, axis=0), np.mean(x, axis=0)",
            "leave_one_out_forward": "return gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + eps) + beta",
        },
        {
            "check-batch-mean": 1,
            "check-batch-variance": 1,
            "check-normalize": 1,
            "check-scale-shift": 8,
            "check-batchnorm-forward": 19,
            "check-identity-parameters": 9,
            "check-leave-one-out-forward": 0.5,
        },
        {
            "check-batch-mean": "sum_instead_of_mean",
            "check-batch-variance": "deviation_for_variance",
            "check-normalize": "recomputes_the_statistics",
            "check-scale-shift": "shifts_before_it_scales",
            "check-batchnorm-forward": "cache_missing",
            "check-identity-parameters": "identity_without_eps",
            "check-leave-one-out-forward": "own_sample_included",
        },
    ),
    Submission(  # works in place: 1 each, where everything else is right
        "changes-its-inputs",
        SHORT
        | {
            "scale_shift": "x_hat *= gamma\nx_hat += beta\nreturn x_hat",
            "batch_variance": "x -= x.mean(axis=0)\nreturn (x**2).mean(axis=0)",
        },
        but(check_scale_shift=8, check_batch_variance=10),  # and 1 for whole numbers, which cannot be changed in place
        {"check-scale-shift": "changes_its_input", "check-batch-variance": "changes_its_input"},
    ),
    Submission(  # renamed, deleted, broken, without an end: each costs its own cell
        "cells-lost",
        SHORT
        | {
            "batch_variance": "def variance(x):\n    return x.var(axis=0)",
            "normalize": "return (x - mean / np.sqrt(var + eps)",
            "identity_parameters": "return undefined_gamma, undefined_beta",
            "batch_mean": "while True:\n    pass",
        },
        but(
            "check-batch-mean",
            "check-batch-variance",
            "check-normalize",
            "check-scale-shift",
            "check-identity-parameters",
        ),
        deleted=("scale_shift",),
    ),
    Submission(  # returns nothing, or the wrong thing
        "returns-forgotten",
        SHORT
        | {
            "batch_mean": "mean = x.mean(axis=0)",
            "batch_variance": "print(x.var(axis=0))",
            "identity_parameters": "return x.mean(axis=0), np.sqrt(x.var(axis=0) + eps)",
        },
        but("check-batch-mean", "check-batch-variance", check_identity_parameters=1.0),
        {"check-identity-parameters": "gamma_and_beta_swapped"},
    ),
)
