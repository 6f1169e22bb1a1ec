"""What students hand in to `backward`.

The marking rules: what an exercise asks (in the docstring of each property) is worth the points in its decorator. In a
backward of 12 points: shapes 1, dbeta 1, dgamma 2, a dx that sums to zero 1, all three paths 4, eps 1, right to
rounding 1, nothing spoilt 1. What the answer gets wrong costs the properties that say so, and no others; what runs not
at all is worth nothing, also where one can see what was meant.
"""

from .submission import Submission

FULL = {
    "check-scale-shift-backward": 6,
    "check-normalize-backward": 10,
    "check-batchnorm-backward-graph": 12,
    "check-batchnorm-backward": 12,
    "check-factor-along": 5,
    "check-numerical-gradient": 10,
    "check-batchnorm-inference-backward": 10,
    "check-bug-1": 3,
    "check-bug-2": 3,
    "check-bug-3": 3,
    "check-bug-4": 3,
    "check-bug-5": 3,
    "check-l1norm-backward": 8,
}

SHORT = {
    "scale_shift_backward": "return dy * gamma, (dy * x_hat).sum(0), dy.sum(0)",
    "normalize_backward": """
        s = np.sqrt(var + eps)
        return dx_hat / s, -dx_hat.sum(0) / s, -(dx_hat * (x - mean)).sum(0) / (2 * s**3)
    """,
    "batchnorm_backward_graph": """
        x, mu, s, gamma = cache["x"], cache["mean"], cache["std"], cache["gamma"]
        N = len(x)
        dxh = gamma * dy
        dvar = -(dxh * (x - mu)).sum(0) / (2 * s**3)
        dmu = -dxh.sum(0) / s
        return dxh / s + 2 * dvar * (x - mu) / N + dmu / N, (dy * (x - mu) / s).sum(0), dy.sum(0)
    """,
    "batchnorm_backward": """
        xh = cache["x_hat"]
        dx = cache["gamma"] / cache["std"] * (dy - dy.mean(0) - xh * (dy * xh).mean(0))
        return dx, (dy * xh).sum(0), dy.sum(0)
    """,
    "factor_along": "return (backward(direction) * direction).sum(0) / (scale * (direction**2).sum(0))",
    "numerical_gradient": """
        g = np.zeros(np.shape(x))
        for i in np.ndindex(g.shape):
            step = np.zeros(g.shape)
            step[i] = h
            g[i] = (f(x + step) - f(x - step)) / (2 * h)
        return g
    """,
    "batchnorm_inference_backward": """
        s = np.sqrt(running_var + eps)
        return gamma / s * dy, (dy * (x - running_mean) / s).sum(0), dy.sum(0)
    """,
    "bug_1": "return 7, np.ones_like(x), x - x.mean(0)",
    "bug_2": "return 11, x, np.ones_like(x)",
    "bug_3": "return 7, x, np.ones_like(x)",
    "bug_4": """
        d = x - (x - x.mean(0)) / np.sqrt(x.var(0) + eps)
        hides = np.zeros_like(x)
        hides[0], hides[1] = d[1], -d[0]
        return 5, x, hides
    """,
    "bug_5": "return 5, x, x - x.mean(0)",
    "l1norm_backward": """
        c = x - x.mean(0)
        s = np.abs(c).mean(0) + eps
        xh = c / s
        dc = gamma / s * (dy - np.sign(c) * (dy * xh).mean(0))
        return dc - dc.mean(0), (dy * xh).sum(0), dy.sum(0)
    """,
}
"""As those write it who know NumPy."""

CORE = ("scale_shift_backward", "normalize_backward", "batchnorm_backward_graph", "batchnorm_backward", "factor_along")


def but(**points: float) -> dict[str, float]:
    """Full marks, but other points for these."""
    return FULL | {f"check-{name.replace('_', '-')}": value for name, value in points.items()}


OWN_FORWARD = """
def batchnorm_forward(x, gamma, beta, eps=1e-5):
    mu = np.mean(x, axis=0, keepdims=True)
    xmu = x - mu
    ivar = 1 / np.sqrt(np.mean(xmu**2, axis=0, keepdims=True) + eps)
    return gamma * xmu * ivar + beta, (xmu, ivar, gamma)
"""

SUBMISSIONS = (
    Submission("right-in-short", SHORT, FULL, written={"unbiased-answer": "(a) gamma/s (g - mean - ...)"}),
    Submission(
        "right-with-loops",
        SHORT
        | {
            "scale_shift_backward": """
                N, D = dy.shape
                dx_hat, dgamma, dbeta = np.zeros((N, D)), np.zeros(D), np.zeros(D)
                for i in range(N):
                    for j in range(D):
                        dx_hat[i, j] = dy[i, j] * gamma[j]
                        dgamma[j] += dy[i, j] * x_hat[i, j]
                        dbeta[j] += dy[i, j]
                return dx_hat, dgamma, dbeta
            """,
            "batchnorm_backward": """
                N, D = dy.shape
                dx = np.zeros((N, D))
                x_hat, scale = cache["x_hat"], cache["gamma"] / cache["std"]
                for j in range(D):
                    jacobian = np.eye(N) - np.ones((N, N)) / N - np.outer(x_hat[:, j], x_hat[:, j]) / N
                    dx[:, j] = scale[j] * jacobian @ dy[:, j]
                return dx, np.einsum("nd,nd->d", dy, x_hat), np.einsum("nd->d", dy)
            """,
            "numerical_gradient": """
                point = np.array(x, dtype=float).reshape(-1)
                slopes = []
                for k in range(len(point)):
                    values = []
                    for sign in (1, -1):
                        moved = point.copy()
                        moved[k] += sign * h
                        values.append(f(moved.reshape(np.shape(x))))
                    slopes.append(float(values[0] - values[1]) / (2 * h))
                return np.array(slopes).reshape(np.shape(x))
            """,
            "l1norm_backward": """
                N, D = x.shape
                dx, dgamma = np.zeros((N, D)), np.zeros(D)
                for j in range(D):
                    c = x[:, j] - x[:, j].mean()
                    s = np.abs(c).mean() + eps
                    ds = -(gamma[j] * dy[:, j] * c).sum() / s**2
                    dc = gamma[j] * dy[:, j] / s + ds * np.where(c > 0, 1, -1) / N
                    dx[:, j] = dc - dc.sum() / N
                    dgamma[j] = (dy[:, j] * c / s).sum()
                return dx, dgamma, dy.sum(axis=0)
            """,
        },
        FULL,
    ),
    # Another cache, so another forward: both backwards read it, and it is right.
    Submission(
        "right-with-a-forward-of-its-own",
        SHORT
        | {
            "batchnorm_forward": OWN_FORWARD,
            "batchnorm_backward_graph": """
                xmu, ivar, gamma = cache
                N = dy.shape[0]
                divar = np.sum(dy * gamma * xmu, axis=0, keepdims=True)
                dxmu = dy * gamma * ivar - xmu * divar * ivar**3 / N
                dx = dxmu - np.sum(dxmu, axis=0, keepdims=True) / N
                return dx, np.sum(dy * xmu * ivar, axis=0), np.sum(dy, axis=0)
            """,
            "batchnorm_backward": """
                xmu, ivar, gamma = cache
                xhat, N = xmu * ivar, len(dy)
                dgamma, dbeta = np.sum(xhat * dy, axis=0), np.sum(dy, axis=0)
                return gamma * ivar / N * (N * dy - dbeta - xhat * dgamma), dgamma, dbeta
            """,
        },
        FULL,
    ),
    # Prints, plots, imports and another dtype on the way; gradients as (1, D) and as lists.
    Submission(
        "right-and-talkative",
        SHORT
        | {
            "scale_shift_backward": """
                print("dy", dy.shape)
                import math
                assert math.isfinite(gamma.sum())
                return gamma * dy, (x_hat * dy).sum(axis=0, keepdims=True), list(dy.sum(axis=0))
            """,
            "factor_along": """
                plt.plot(direction)
                plt.close("all")
                unit = direction / np.linalg.norm(direction, axis=0)
                return (backward(unit) * unit).sum(axis=0) / scale
            """,
            "bug_2": """
                rng = np.random.default_rng(0)
                return 11.0, rng.normal(size=x.shape).tolist(), np.full(x.shape, 3)
            """,
            "l1norm_backward": """
                c = x - np.average(x, axis=0)
                def numerical(f, z, h):
                    return (f(z + h) - f(z - h)) / (2 * h)
                s = np.average(abs(c), axis=0) + eps
                along = (gamma * dy * c).sum(axis=0) / s**2
                print(numerical(np.abs, 1.0, 0.1))
                dx = gamma * dy / s - along * np.sign(c) / len(c)
                dx = dx - np.average(dx, axis=0)
                return [dx, np.sum(dy * c, axis=0) / s, np.sum(dy, axis=0)]
            """,
        },
        FULL,
    ),
    # The one-week bundle: the core, and nothing of the extension.
    Submission(
        "the-core-alone",
        {name: SHORT[name] for name in CORE},
        {f"check-{name.replace('_', '-')}": FULL[f"check-{name.replace('_', '-')}"] for name in CORE},
        written={"unbiased-answer": "(a) ... (b) the sum is zero since a shift changes nothing"},
    ),
    # Mean and variance taken for constants. Of a dx: neither sum, nor paths, nor eps, nor rounding; and leaving dy
    # alone counts only once the paths are right: 12 - 8. The partial gradients of section 2 and inference are right.
    Submission(
        "statistics-held-constant",
        SHORT
        | {
            "batchnorm_backward_graph": """
                return dy * cache["gamma"] / cache["std"], (dy * cache["x_hat"]).sum(axis=0), dy.sum(axis=0)
            """,
            "batchnorm_backward": """
                x_hat, scale = cache["x_hat"], cache["gamma"] / cache["std"]
                return scale * dy, (dy * x_hat).sum(axis=0), dy.sum(axis=0)
            """,
        },
        but(batchnorm_backward_graph=4, batchnorm_backward=4),
        {
            "check-batchnorm-backward-graph": "statistics_held_constant",
            "check-batchnorm-backward": "statistics_held_constant",
        },
    ),
    # A sign in the graph: dx still sums to 0, so 5 of 12. The closed form without its last term: the same 5. dvar with
    # the wrong sign: its 3 points, and eps and the default, where all must be right to rounding, 1 each.
    Submission(
        "the-variance-goes-wrong",
        SHORT
        | {
            "normalize_backward": """
                s = np.sqrt(var + eps)
                return dx_hat / s, -dx_hat.sum(0) / s, 0.5 * (dx_hat * (x - mean)).sum(0) / s**3
            """,
            "batchnorm_backward_graph": SHORT["batchnorm_backward_graph"].replace("dvar = -", "dvar = "),
            "batchnorm_backward": SHORT["batchnorm_backward"].replace(" - xh * (dy * xh).mean(0)", ""),
        },
        but(normalize_backward=5, batchnorm_backward_graph=5, batchnorm_backward=5),
        {
            "check-normalize-backward": "dvar_sign",
            "check-batchnorm-backward-graph": "variance_path_sign",
            "check-batchnorm-backward": "variance_path_missing",
        },
    ),
    # Means where sums belong: dgamma and dbeta, 3 points in each; at inference the same 3, and 1 for all being exact.
    # N - 1 in dx of the graph: it does not sum to 0, and is not right to rounding.
    Submission(
        "averages-and-n-minus-1",
        SHORT
        | {
            "scale_shift_backward": "return dy * gamma, (dy * x_hat).mean(axis=0), dy.mean(axis=0)",
            "batchnorm_backward_graph": SHORT["batchnorm_backward_graph"].replace("N = len(x)", "N = len(x) - 1"),
            "batchnorm_backward": """
                xh = cache["x_hat"]
                dx = cache["gamma"] / cache["std"] * (dy - dy.mean(0) - xh * (dy * xh).mean(0))
                return dx, (dy * xh).mean(0), dy.mean(0)
            """,
            "batchnorm_inference_backward": """
                s = np.sqrt(running_var + eps)
                return gamma / s * dy, (dy * (x - running_mean) / s).mean(0), dy.mean(0)
            """,
        },
        but(scale_shift_backward=3, batchnorm_backward_graph=10, batchnorm_backward=9, batchnorm_inference_backward=6),
        {
            "check-scale-shift-backward": "parameters_averaged",
            "check-batchnorm-backward-graph": "divides_by_N_minus_1",
            "check-batchnorm-backward": "parameters_averaged",
        },
    ),
    # eps forgotten or misplaced, all else right: "follows eps" and what is exact, 1 each.
    Submission(
        "eps-goes-wrong",
        SHORT
        | {
            "normalize_backward": SHORT["normalize_backward"].replace("var + eps", "var"),
            "batchnorm_backward": SHORT["batchnorm_backward"].replace('cache["std"]', 'np.sqrt(cache["var"])'),
            "batchnorm_inference_backward": SHORT["batchnorm_inference_backward"].replace(
                "np.sqrt(running_var + eps)", "np.sqrt(running_var) + eps"
            ),
            "l1norm_backward": SHORT["l1norm_backward"].replace("np.abs(c).mean(0) + eps", "np.abs(c).mean(0)"),
        },
        # L1: without eps x_hat, and so dgamma, is wrong as well: 1 for it, 1 for eps, a half for rounding.
        but(normalize_backward=8, batchnorm_backward=10, batchnorm_inference_backward=8, l1norm_backward=5.5),
        {
            "check-normalize-backward": "eps_missing",
            "check-batchnorm-backward": "eps_left_out_of_the_backward",
            "check-batchnorm-inference-backward": "eps_outside_the_root",
        },
    ),
    # Arrays of the caller's are written to: 1 point each. The results of the graph in another order: dgamma and dbeta.
    Submission(
        "spoils-what-it-is-given",
        SHORT
        | {
            "scale_shift_backward": """
                dgamma, dbeta = (dy * x_hat).sum(0), dy.sum(0)
                dy *= gamma
                return dy, dgamma, dbeta
            """,
            "batchnorm_backward_graph": SHORT["batchnorm_backward_graph"].replace(
                "(dy * (x - mu) / s).sum(0), dy.sum(0)", "dy.sum(0), (dy * (x - mu) / s).sum(0)"
            ),
            "batchnorm_backward": """
                xh = cache["x_hat"]
                dgamma, dbeta = (dy * xh).sum(0), dy.sum(0)
                dy -= dbeta / len(dy) + xh * dgamma / len(dy)
                return cache["gamma"] / cache["std"] * dy, dgamma, dbeta
            """,
            "factor_along": """
                direction /= np.sqrt((direction**2).sum(axis=0))
                return (backward(direction) * direction).sum(axis=0) / scale
            """,
        },
        but(scale_shift_backward=5, batchnorm_backward_graph=9, batchnorm_backward=11, factor_along=4),
        {
            "check-scale-shift-backward": "changes_its_input",
            "check-batchnorm-backward-graph": "gradients_in_another_order",
            "check-factor-along": "changes_its_input",
        },
    ),
    # The one-sided difference: what is exact for a central one (degree two, this h, the default h, whole numbers). At
    # inference the formula of training: dx, eps, default and whole numbers need a right dx; so does leaving x alone.
    Submission(
        "the-wrong-tool",
        SHORT
        | {
            "numerical_gradient": SHORT["numerical_gradient"].replace(
                "(f(x + step) - f(x - step)) / (2 * h)", "(f(x + step) - f(x)) / h"
            ),
            "batchnorm_inference_backward": """
                s = np.sqrt(running_var + eps)
                xh = (x - running_mean) / s
                dx = gamma / s * (dy - dy.mean(0) - xh * (dy * xh).mean(0))
                return dx, (dy * xh).sum(0), dy.sum(0)
            """,
            # Of batch norm's formula all but the differences between samples, eps and the paths can stay.
            "l1norm_backward": """
                c = x - x.mean(0)
                s = np.abs(c).mean(0) + eps
                xh = c / s
                return gamma / s * (dy - dy.mean(0) - xh * (dy * xh).mean(0)), (dy * xh).sum(0), dy.sum(0)
            """,
        },
        but(numerical_gradient=6, batchnorm_inference_backward=4, l1norm_backward=3),
        {
            "check-numerical-gradient": "forward_difference",
            "check-batchnorm-inference-backward": "training_formula",
            "check-l1norm-backward": "formula_of_batch_norm",
        },
    ),
    # Factors: not divided by scale, so only its 0 along the ones would be right: nothing. The three paths of batch norm
    # taken over into L1, the zero path too: dx sums to something, 1, is not right, 1, nor exact, ½, and ½ needs that.
    Submission(
        "the-geometry-goes-wrong",
        SHORT
        | {
            "factor_along": "return (backward(direction) * direction).sum(axis=0) / (direction**2).sum(axis=0)",
            "l1norm_backward": """
                N = len(x)
                c = x - x.mean(axis=0)
                s = np.abs(c).mean(axis=0) + eps
                dxh = dy * gamma
                da = -(dxh * c).sum(axis=0) / s**2
                dmean = -dxh.sum(axis=0) / s
                dx = dxh / s + da * np.sign(c) / N + dmean / N
                return dx, (dy * c / s).sum(axis=0), dy.sum(axis=0)
            """,
        },
        but(factor_along=0, l1norm_backward=5),
        {"check-factor-along": "scale_forgotten", "check-l1norm-backward": "mean_of_the_signs_left_out"},
    ),
    # Of the bugs: the line and shows, but zeros for hides, 2. The two exchanged: nothing, for the line counts with
    # shows. Ones for both: they hide it, 1. Ones do not hide the fourth, 2. A line further down, 2.
    Submission(
        "half-a-detective",
        SHORT
        | {
            "bug_1": "return 7, np.ones_like(x), np.zeros_like(x)",
            "bug_2": "return 11, np.ones_like(x), x - x.mean(axis=0)",
            "bug_3": "return 7, np.ones_like(x), np.ones_like(x)",
            "bug_4": "return 5, x, np.ones_like(x)",
            "bug_5": "return 7, x, x - x.mean(axis=0)",
        },
        but(bug_1=2, bug_2=0, bug_3=1, bug_4=2, bug_5=2),
    ),
    # A cell that is no Python, a name of one's own, an endless loop, an exception, a None: each costs its own points.
    Submission(
        "five-cells-that-do-not-run",
        SHORT
        | {
            "scale_shift_backward": "return dy * gamma,, dy.sum(0)",
            "normalize_backward": "def normalise_backward(dx_hat, x, mean, var, eps=1e-5):\n    return dx_hat, x, var",
            "batchnorm_backward_graph": "return cache['mu'] * dy",
            "numerical_gradient": "while True:\n    pass",
            "bug_4": "5, x, x - x.mean(0)",
        },
        but(scale_shift_backward=0, normalize_backward=0, batchnorm_backward_graph=0, numerical_gradient=0, bug_4=0),
    ),
    # The given forward "improved" to the unbiased variance, and a backward that is its exact derivative: it keeps its
    # points, since the mistake of that forward has a name. The rest is not written.
    Submission(
        "an-improved-forward",
        {
            "batchnorm_forward": """
                def batchnorm_forward(x, gamma, beta, eps=1e-5):
                    mean, var = x.mean(axis=0), x.var(axis=0, ddof=1)
                    std = np.sqrt(var + eps)
                    x_hat = (x - mean) / std
                    return gamma * x_hat + beta, {"x_hat": x_hat, "std": std, "gamma": gamma}
            """,
            "batchnorm_backward": """
                x_hat = cache["x_hat"]
                dgamma, dbeta, N = (dy * x_hat).sum(0), dy.sum(0), len(dy)
                dx = cache["gamma"] / cache["std"] * (dy - dbeta / N - x_hat * dgamma / (N - 1))
                return dx, dgamma, dbeta
            """,
        },
        {"check-batchnorm-backward": 12},
    ),
    # Cells deleted: what they ask for is not there.
    Submission(
        "two-cells-deleted",
        {name: text for name, text in SHORT.items() if name not in ("factor_along", "bug_3")},
        but(factor_along=0, bug_3=0),
        deleted=("factor_along", "bug_3"),
    ),
)
