"""What students hand in to `variants`.

The marking rules: what an exercise asks (in the docstring of each property) is worth the points in its decorator. What
shares a mean carries a forward, the roads of dx a backward; dgamma and dbeta count by themselves. Another divisor costs
0.5 (in normalize_over, where it is asked together with rounding, 1), eps outside the root what asks for eps, for the
default and for rounding, inputs that are changed 0.5. A backward beside a wrong forward whose mistake is known keeps
its points, if it is the derivative of that forward.
"""

from .submission import Submission

FULL = {
    "check-layernorm-forward": 8,
    "check-layernorm-backward": 10,
    "check-instancenorm-forward": 6,
    "check-instancenorm-backward": 7,
    "check-groupnorm-forward": 8,
    "check-groupnorm-backward": 9,
    "check-normalize-over": 10,
    "check-rmsnorm-forward": 6,
    "check-rmsnorm-backward": 7,
    "check-batchnorm-masked": 9,
    "check-filter-response-backward": 10,
}

SHORT = {
    "layernorm_forward": """
        mu, var = x.mean(1, keepdims=True), x.var(1, keepdims=True)
        x_hat = (x - mu) / np.sqrt(var + eps)
        return gamma * x_hat + beta, (x_hat, var + eps, gamma)
    """,
    "layernorm_backward": """
        x_hat, s2, gamma = cache
        D = dy.shape[1]
        g = dy * gamma
        dx = (D * g - g.sum(1, keepdims=True) - x_hat * (g * x_hat).sum(1, keepdims=True)) / (D * np.sqrt(s2))
        return dx, (dy * x_hat).sum(0), dy.sum(0)
    """,
    "instancenorm_forward": """
        mu, var = x.mean((2, 3), keepdims=True), x.var((2, 3), keepdims=True)
        x_hat = (x - mu) / np.sqrt(var + eps)
        return gamma.reshape(1, -1, 1, 1) * x_hat + beta.reshape(1, -1, 1, 1), (x_hat, var + eps, gamma)
    """,
    "instancenorm_backward": """
        x_hat, s2, gamma = cache
        g = dy * gamma.reshape(1, -1, 1, 1)
        dx = (g - g.mean((2, 3), keepdims=True) - x_hat * (g * x_hat).mean((2, 3), keepdims=True)) / np.sqrt(s2)
        return dx, (dy * x_hat).sum((0, 2, 3)), dy.sum((0, 2, 3))
    """,
    "groupnorm_forward": """
        N, C, H, W = x.shape
        r = x.reshape(N, groups, C // groups, H, W)
        mu, var = r.mean((2, 3, 4), keepdims=True), r.var((2, 3, 4), keepdims=True)
        x_hat = ((r - mu) / np.sqrt(var + eps)).reshape(N, C, H, W)
        return gamma.reshape(1, C, 1, 1) * x_hat + beta.reshape(1, C, 1, 1), (x_hat, var + eps, gamma)
    """,
    "groupnorm_backward": """
        x_hat, s2, gamma = cache
        shape = (len(dy), s2.shape[1], -1) + dy.shape[2:]
        g = (dy * gamma.reshape(1, -1, 1, 1)).reshape(shape)
        h = x_hat.reshape(shape)
        dx = (g - g.mean((2, 3, 4), keepdims=True) - h * (g * h).mean((2, 3, 4), keepdims=True)) / np.sqrt(s2)
        return dx.reshape(dy.shape), (dy * x_hat).sum((0, 2, 3)), dy.sum((0, 2, 3))
    """,
    "normalize_over": """
        mu, var = x.mean(reduced, keepdims=True), x.var(reduced, keepdims=True)
        shape = [n if a in affine else 1 for a, n in enumerate(x.shape)]
        return gamma.reshape(shape) * (x - mu) / np.sqrt(var + eps) + beta.reshape(shape)
    """,
    "rmsnorm_forward": """
        r = np.sqrt((x**2).mean(1, keepdims=True) + eps)
        return gamma * x / r, (x / r, r, gamma)
    """,
    "rmsnorm_backward": """
        x_hat, r, gamma = cache
        g = dy * gamma
        return (g - x_hat * (g * x_hat).mean(1, keepdims=True)) / r, (dy * x_hat).sum(0)
    """,
    "batchnorm_masked": """
        real = x[mask]
        y = np.zeros(x.shape)
        y[mask] = gamma * (real - real.mean(0)) / np.sqrt(real.var(0) + eps) + beta
        return y
    """,
    "filter_response_backward": """
        column = (1, -1, 1, 1)
        r = np.sqrt((x * x).mean((2, 3), keepdims=True) + eps)
        x_hat = x / r
        y = gamma.reshape(column) * x_hat + beta.reshape(column)
        passes = y > tau.reshape(column)
        dy = dz * passes
        g = dy * gamma.reshape(column)
        dx = (g - x_hat * (g * x_hat).mean((2, 3), keepdims=True)) / r
        axes = (0, 2, 3)
        return dx, (dy * x_hat).sum(axes), dy.sum(axes), (dz * ~passes).sum(axes)
    """,
}
"""As those write it who know NumPy."""

LOOPS = {
    "layernorm_forward": """
        y, kept = np.zeros(x.shape), []
        for i in range(len(x)):
            mean = sum(x[i]) / len(x[i])
            var = sum((v - mean) ** 2 for v in x[i]) / len(x[i])
            s = (var + eps) ** 0.5
            kept.append((mean, s))
            for j in range(len(x[i])):
                y[i, j] = gamma[j] * (x[i, j] - mean) / s + beta[j]
        return y, {"x": x, "gamma": gamma, "kept": kept}
    """,
    "layernorm_backward": """
        x, gamma = cache["x"], cache["gamma"]
        N, D = dy.shape
        dx, dgamma, dbeta = np.zeros((N, D)), np.zeros(D), np.zeros(D)
        for i in range(N):
            mean, s = cache["kept"][i]
            one = two = 0.0
            for j in range(D):
                h = (x[i, j] - mean) / s
                one += gamma[j] * dy[i, j] / D
                two += gamma[j] * dy[i, j] * h / D
                dgamma[j] += dy[i, j] * h
                dbeta[j] += dy[i, j]
            for j in range(D):
                dx[i, j] = (gamma[j] * dy[i, j] - one - (x[i, j] - mean) / s * two) / s
        return dx, dgamma, dbeta
    """,
    "instancenorm_forward": """
        y, kept = np.zeros(x.shape), {}
        for n in range(x.shape[0]):
            for c in range(x.shape[1]):
                m, v = x[n, c].mean(), x[n, c].var()
                kept[n, c] = (x[n, c] - m) / np.sqrt(v + eps), np.sqrt(v + eps)
                y[n, c] = gamma[c] * kept[n, c][0] + beta[c]
        return y, (kept, gamma)
    """,
    "instancenorm_backward": """
        kept, gamma = cache
        dx, dgamma, dbeta = np.zeros(dy.shape), np.zeros(len(gamma)), np.zeros(len(gamma))
        for (n, c), (h, s) in kept.items():
            g = dy[n, c]
            dgamma[c] += (g * h).sum()
            dbeta[c] += g.sum()
            dx[n, c] = gamma[c] / s * (g - g.mean() - h * (g * h).mean())
        return dx, dgamma, dbeta
    """,
    "groupnorm_forward": """
        size = x.shape[1] // groups
        y, kept = np.zeros(x.shape), []
        for n in range(x.shape[0]):
            for g in range(groups):
                part = slice(g * size, (g + 1) * size)
                s = np.sqrt(x[n, part].var() + eps)
                h = (x[n, part] - x[n, part].mean()) / s
                kept.append((n, part, h, s))
                for c in range(size):
                    y[n, g * size + c] = gamma[g * size + c] * h[c] + beta[g * size + c]
        return y, (kept, gamma)
    """,
    "groupnorm_backward": """
        kept, gamma = cache
        dx, dgamma = np.zeros(dy.shape), np.zeros(len(gamma))
        for n, part, h, s in kept:
            d = gamma[part, None, None] * dy[n, part]
            dx[n, part] = (d - d.mean() - h * (d * h).mean()) / s
            dgamma[part] += (dy[n, part] * h).sum(axis=(1, 2))
        return dx, dgamma, np.array([dy[:, c].sum() for c in range(len(gamma))])
    """,
    "normalize_over": """
        y = np.zeros(x.shape)
        for place in np.ndindex(*x.shape):
            together = x[tuple(slice(None) if a in reduced else i for a, i in enumerate(place))]
            own = tuple(place[a] for a in affine)
            y[place] = gamma[own] * (x[place] - together.mean()) / np.sqrt(together.var() + eps) + beta[own]
        return y
    """,
    "rmsnorm_forward": """
        rows, roots = [], []
        for sample in x:
            roots.append((sum(v * v for v in sample) / len(sample) + eps) ** 0.5)
            rows.append(gamma * sample / roots[-1])
        return np.array(rows), (x, roots, gamma)
    """,
    "rmsnorm_backward": """
        x, roots, gamma = cache
        dx, dgamma = np.zeros(x.shape), np.zeros(x.shape[1])
        for i, r in enumerate(roots):
            d = gamma * dy[i]
            dx[i] = d / r - x[i] * (d @ x[i]) / (len(d) * r**3)
            dgamma += dy[i] * x[i] / r
        return dx, dgamma
    """,
    "batchnorm_masked": """
        N, T, D = x.shape
        y = np.zeros((N, T, D))
        for d in range(D):
            real = [x[n, t, d] for n in range(N) for t in range(T) if mask[n, t]]
            mean, var = sum(real) / len(real), np.var(real)
            for n in range(N):
                for t in range(T):
                    y[n, t, d] = gamma[d] * (x[n, t, d] - mean) / np.sqrt(var + eps) + beta[d] if mask[n, t] else 0.0
        return y
    """,
    "filter_response_backward": """
        dx, dgamma, dbeta, dtau = np.zeros(x.shape), np.zeros(len(tau)), np.zeros(len(tau)), np.zeros(len(tau))
        for n in range(x.shape[0]):
            for c in range(x.shape[1]):
                r = np.sqrt(np.mean(x[n, c] ** 2) + eps)
                h = x[n, c] / r
                above = gamma[c] * h + beta[c] > tau[c]
                g = np.where(above, dz[n, c], 0)
                dtau[c] += dz[n, c][~above].sum()
                dbeta[c] += g.sum()
                dgamma[c] += (g * h).sum()
                dx[n, c] = gamma[c] / r * (g - h * (g * h).mean())
        return dx, dgamma, dbeta, dtau
    """,
}
"""Number by number, or row by row."""


def but(*names: str, **points: float) -> dict[str, float]:
    """Full marks, but nothing for these, and less for those."""
    kept = {name: value for name, value in FULL.items() if name not in names}
    return kept | {name.replace("_", "-"): value for name, value in points.items()}


def only(*names: str) -> dict[str, float]:
    """Full marks for these."""
    return {name: FULL[name] for name in names}


SUBMISSIONS = (
    Submission(
        "right-in-a-few-lines-each", SHORT, FULL, written={"sweep-answer": "(a) In batch norm on all of them ..."}
    ),
    Submission("right-with-loops", LOOPS, FULL),
    Submission(  # node by node, einsum, transposes, rows of a reshape, (1, D) gradients: right is right
        "right-in-other-styles",
        SHORT
        | {
            "layernorm_forward": """
                xt = x.T
                mu = xt.mean(axis=0)
                xmu = xt - mu
                var = np.einsum("dn,dn->n", xmu, xmu) / len(xt)
                ivar = (var + eps) ** -0.5
                cache = dict(xmu=xmu, ivar=ivar, gamma=gamma)
                return (xmu * ivar).T * gamma[np.newaxis, :] + beta[np.newaxis, :], cache
            """,
            "layernorm_backward": """
                xmu, ivar, gamma = cache["xmu"], cache["ivar"], cache["gamma"]
                D = xmu.shape[0]
                dxhat = (dy * gamma).T
                divar = np.sum(dxhat * xmu, axis=0)
                dvar = -0.5 * ivar**3 * divar
                dxmu = dxhat * ivar + 2 * xmu * dvar / D
                dmu = -np.sum(dxmu, axis=0)
                dx = (dxmu + dmu / D).T
                dgamma = np.sum(dy.T * xmu * ivar, axis=1)[None, :]
                return [dx, dgamma, np.sum(dy, axis=0, keepdims=True)]
            """,
            "instancenorm_forward": """
                N, C, H, W = x.shape
                rows = x.reshape(N * C, H * W)
                rows = rows - rows.mean(axis=1, keepdims=True)
                s = np.sqrt((rows**2).mean(axis=1, keepdims=True) + eps)
                kept = (rows / s, s, gamma)
                return (np.tile(gamma, N)[:, None] * rows / s + np.tile(beta, N)[:, None]).reshape(x.shape), kept
            """,
            "instancenorm_backward": """
                h, s, gamma = cache
                N, C = dy.shape[:2]
                rows = dy.reshape(N * C, -1)
                d = np.tile(gamma, N)[:, None] * rows
                dx = d - d.mean(axis=1, keepdims=True) - h * (d * h).mean(axis=1, keepdims=True)
                per_image = (rows * h).sum(axis=1).reshape(N, C), rows.sum(axis=1).reshape(N, C)
                return (dx / s).reshape(dy.shape), per_image[0].sum(axis=0), per_image[1].sum(axis=0)
            """,
            "batchnorm_masked": """
                m = mask[..., None].astype(float)
                M = m.sum()
                mean = np.einsum("ntd,nt->d", x, m[..., 0]) / M
                xc = (x - mean) * m
                return m * (gamma * xc * (np.einsum("ntd,ntd->d", xc, xc) / M + eps) ** -0.5 + beta)
            """,
        },
        FULL,
    ),
    Submission(  # prints, plots and imports are noise, and nothing is lost by them
        "right-with-prints-plots-and-imports",
        SHORT
        | {
            "rmsnorm_forward": "import math\n\n\ndef rmsnorm_forward(x, gamma, eps=1e-5):\n    print('x', x.shape)\n"
            "    r = np.array([[math.sqrt(math.fsum(v * v for v in row) / len(row) + eps)] for row in x])\n"
            "    return gamma * x / r, (x / r, r, gamma)\n\n\nprint(rmsnorm_forward(np.eye(2), np.ones(2))[0])\n"
            "plt.plot([1, 2])\nplt.show()",
        },
        FULL,
    ),
    Submission(  # the centring matrix and the whole Jacobian of every sample: a hundred times slower than it need be
        "right-but-slow",
        SHORT
        | {
            "layernorm_backward": """
                x_hat, s2, gamma = cache
                N, D = dy.shape
                dx = np.zeros((N, D))
                for n in range(N):
                    J = np.zeros((D, D))
                    for j in range(D):
                        for k in range(D):
                            J[j, k] = ((j == k) - 1 / D - x_hat[n, j] * x_hat[n, k] / D) / np.sqrt(s2[n, 0])
                    dx[n] = J @ (gamma * dy[n])
                return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)
            """,
        },
        FULL,
    ),
    Submission(  # the forwards, and no further
        "half-done",
        {name: SHORT[name] for name in ("layernorm_forward", "instancenorm_forward", "groupnorm_forward")},
        only("check-layernorm-forward", "check-instancenorm-forward", "check-groupnorm-forward"),
    ),
    Submission(
        "core-only",
        {name: SHORT[name] for name in list(SHORT)[:7]},
        only(*list(FULL)[:7]),
        written={"sweep-answer": "(a) ..."},
    ),
    Submission(  # batch normalization everywhere: nothing that carries a forward is there
        "batch-norm-everywhere",
        SHORT
        | {
            "layernorm_forward": """
                x_hat = (x - x.mean(0)) / np.sqrt(x.var(0) + eps)
                return gamma * x_hat + beta, None
            """,  # y of the right shape, with a cache: 0.5
            "layernorm_backward": """
                raise NotImplementedError()
            """,
            "instancenorm_forward": """
                mu, var = x.mean((0, 2, 3), keepdims=True), x.var((0, 2, 3), keepdims=True)
                return gamma.reshape(1, -1, 1, 1) * (x - mu) / np.sqrt(var + eps) + beta.reshape(1, -1, 1, 1), None
            """,  # the same
            "instancenorm_backward": "raise NotImplementedError()",
            "normalize_over": """
                rest = tuple(a for a in range(x.ndim) if a != 1)
                shape = [n if a in affine else 1 for a, n in enumerate(x.shape)]
                mu, var = x.mean(rest, keepdims=True), x.var(rest, keepdims=True)
                return gamma.reshape(shape) * (x - mu) / np.sqrt(var + eps) + beta.reshape(shape)
            """,  # the shape: 0.5; whatever is asked goes through several layouts
            "batchnorm_masked": """
                mu, var = x.mean((0, 1)), x.var((0, 1))
                return (gamma * (x - mu) / np.sqrt(var + eps) + beta) * mask[:, :, None]
            """,  # the shape: 0.5; that the padding is 0 counts once the real steps are right
        },
        but(
            "check-layernorm-backward",
            "check-instancenorm-backward",
            check_layernorm_forward=0.5,
            check_instancenorm_forward=0.5,
            check_normalize_over=0.5,
            check_batchnorm_masked=0.5,
        ),
        {
            "check-layernorm-forward": "normalizes_over_the_batch",
            "check-instancenorm-forward": "normalizes_over_the_batch",
            "check-normalize-over": "reduced_ignored",
            "check-batchnorm-masked": "padding_counted",
        },
    ),
    Submission(  # gamma pulled in front of the sums: right in instance normalization, wrong in the others
        "gamma-outside",
        SHORT
        | {
            "layernorm_backward": """
                x_hat, s2, gamma = cache
                d = dy - dy.mean(1, keepdims=True) - x_hat * (dy * x_hat).mean(1, keepdims=True)
                return gamma * d / np.sqrt(s2), (dy * x_hat).sum(0), dy.sum(0)
            """,  # shapes 0.5, dbeta 1, dgamma 1.5
            "instancenorm_backward": """
                x_hat, s2, gamma = cache
                d = dy - dy.mean((2, 3), keepdims=True) - x_hat * (dy * x_hat).mean((2, 3), keepdims=True)
                dx = gamma.reshape(1, -1, 1, 1) * d / np.sqrt(s2)
                return dx, (dy * x_hat).sum((0, 2, 3)), dy.sum((0, 2, 3))
            """,
            "groupnorm_backward": """
                x_hat, s2, gamma = cache
                shape = (len(dy), s2.shape[1], -1) + dy.shape[2:]
                g, h = dy.reshape(shape), x_hat.reshape(shape)
                d = (g - g.mean((2, 3, 4), keepdims=True) - h * (g * h).mean((2, 3, 4), keepdims=True)) / np.sqrt(s2)
                dx = gamma.reshape(1, -1, 1, 1) * d.reshape(dy.shape)
                return dx, (dy * x_hat).sum((0, 2, 3)), dy.sum((0, 2, 3))
            """,  # shapes 0.5, dbeta 1, dgamma 1.5
            "rmsnorm_backward": """
                x_hat, r, gamma = cache
                return gamma * (dy - x_hat * (dy * x_hat).mean(1, keepdims=True)) / r, (dy * x_hat).sum(0)
            """,  # shapes 0.5, dgamma 1.5
        },
        but(check_layernorm_backward=3, check_groupnorm_backward=3, check_rmsnorm_backward=2),
        {
            "check-layernorm-backward": "gamma_outside_the_sums",
            "check-groupnorm-backward": "gamma_outside_the_sums",
            "check-rmsnorm-backward": "gamma_outside_the_sums",
        },
    ),
    Submission(  # the convention of statistics costs what asks for the divisor; its backward is consistent with it
        "unbiased-everywhere",
        SHORT
        | {
            "layernorm_forward": """
                mu, var = x.mean(1, keepdims=True), x.var(1, keepdims=True, ddof=1)
                x_hat = (x - mu) / np.sqrt(var + eps)
                return gamma * x_hat + beta, (x_hat, np.sqrt(var + eps), gamma)
            """,  # 0.5
            "layernorm_backward": """
                x_hat, s, gamma = cache
                D = dy.shape[1]
                g = dy * gamma
                dx = (g - g.mean(1, keepdims=True) - x_hat * (g * x_hat).sum(1, keepdims=True) / (D - 1)) / s
                return dx, (dy * x_hat).sum(0), dy.sum(0)
            """,  # the exact derivative of that forward: nothing is lost twice
            "instancenorm_forward": """
                mu, var = x.mean((2, 3), keepdims=True), x.var((2, 3), keepdims=True, ddof=1)
                x_hat = (x - mu) / np.sqrt(var + eps)
                return gamma.reshape(1, -1, 1, 1) * x_hat + beta.reshape(1, -1, 1, 1), (x_hat, var + eps, gamma)
            """,  # 0.5
            "instancenorm_backward": """
                x_hat, s2, gamma = cache
                M = dy[0, 0].size
                g = dy * gamma.reshape(1, -1, 1, 1)
                along = (g * x_hat).sum((2, 3), keepdims=True) / (M - 1)
                dx = (g - g.mean((2, 3), keepdims=True) - x_hat * along) / np.sqrt(s2)
                return dx, (dy * x_hat).sum((0, 2, 3)), dy.sum((0, 2, 3))
            """,
            "normalize_over": """
                mu, var = x.mean(reduced, keepdims=True), x.var(reduced, keepdims=True, ddof=1)
                shape = [n if a in affine else 1 for a, n in enumerate(x.shape)]
                return gamma.reshape(shape) * (x - mu) / np.sqrt(var + eps) + beta.reshape(shape)
            """,  # 1
            "batchnorm_masked": """
                real = x[mask]
                y = np.zeros(x.shape)
                y[mask] = gamma * (real - real.mean(0)) / np.sqrt(real.var(0, ddof=1) + eps) + beta
                return y
            """,  # 0.5
        },
        but(
            check_layernorm_forward=7.5,
            check_instancenorm_forward=5.5,
            check_normalize_over=9,
            check_batchnorm_masked=8.5,
        ),
        {
            "check-layernorm-forward": "unbiased_variance",
            "check-instancenorm-forward": "unbiased_variance",
            "check-normalize-over": "unbiased_variance",
            "check-batchnorm-masked": "unbiased_variance",
        },
    ),
    Submission(
        "eps-outside-the-root",
        SHORT
        | {
            "layernorm_forward": """
                std = x.std(1, keepdims=True) + eps
                x_hat = (x - x.mean(1, keepdims=True)) / std
                return gamma * x_hat + beta, (x_hat, std**2, gamma)
            """,  # eps 1, default 0.5, rounding 0.5
            "normalize_over": """
                shape = [n if a in affine else 1 for a, n in enumerate(x.shape)]
                std = x.std(reduced, keepdims=True) + eps
                return gamma.reshape(shape) * (x - x.mean(reduced, keepdims=True)) / std + beta.reshape(shape)
            """,  # eps 1, default 0.5, rounding 1
            "rmsnorm_forward": """
                r = np.sqrt((x**2).mean(1, keepdims=True)) + eps
                return gamma * x / r, (x / r, r, gamma)
            """,  # eps 0.5, default 0.5, rounding 0.5
            "batchnorm_masked": """
                real = x[mask]
                y = np.zeros(x.shape)
                y[mask] = gamma * (real - real.mean(0)) / (real.std(0) + eps) + beta
                return y
            """,  # eps 0.5, default 0.5, rounding 0.5
            "filter_response_backward": SHORT["filter_response_backward"].replace(
                "np.sqrt((x * x).mean((2, 3), keepdims=True) + eps)",
                "np.sqrt((x * x).mean((2, 3), keepdims=True)) + eps",
            ),  # eps 1, rounding 0.5
            "layernorm_backward": "raise NotImplementedError()",
            "rmsnorm_backward": "raise NotImplementedError()",
        },
        but(
            "check-layernorm-backward",
            "check-rmsnorm-backward",
            check_layernorm_forward=6,
            check_normalize_over=7.5,
            check_rmsnorm_forward=4.5,
            check_batchnorm_masked=7.5,
            check_filter_response_backward=8.5,
        ),
        {
            "check-layernorm-forward": "eps_outside_the_root",
            "check-normalize-over": "eps_outside_the_root",
            "check-rmsnorm-forward": "eps_outside_the_root",
            "check-batchnorm-masked": "eps_outside_the_root",
            "check-filter-response-backward": "eps_outside_the_root",
        },
    ),
    Submission(  # each exercise with a mistake of its own
        "a-mistake-in-each",
        {
            "layernorm_forward": SHORT["layernorm_forward"].replace("gamma * x_hat + beta", "gamma * (x_hat + beta)"),
            "layernorm_backward": SHORT["layernorm_backward"].replace("(dy * x_hat).sum(0)", "(dy * x_hat).sum(1)"),
            "instancenorm_forward": """
                mu, var = x.mean((1, 2, 3), keepdims=True), x.var((1, 2, 3), keepdims=True)
                x_hat = (x - mu) / np.sqrt(var + eps)
                return gamma.reshape(1, -1, 1, 1) * x_hat + beta.reshape(1, -1, 1, 1), (x_hat, var + eps, gamma)
            """,  # the channels together: y of the right shape, 0.5
            "instancenorm_backward": "return dy * 0",
            "groupnorm_forward": """
                N, C, H, W = x.shape
                r = x.reshape(N, C // groups, groups, H, W)
                mu, var = r.mean((1, 3, 4), keepdims=True), r.var((1, 3, 4), keepdims=True)
                x_hat = ((r - mu) / np.sqrt(var + eps)).reshape(N, C, H, W)
                return gamma.reshape(1, C, 1, 1) * x_hat + beta.reshape(1, C, 1, 1), None
            """,  # dealt out like cards: the shape, and one group or as many as channels are right all the same: 1
            "groupnorm_backward": "return None",
            "normalize_over": """
                mu, var = x.mean(reduced, keepdims=True), x.var(reduced, keepdims=True)
                return gamma * (x - mu) / np.sqrt(var + eps) + beta
            """,  # gamma as it comes: the layouts where it lies along the last axis are right
            "rmsnorm_forward": """
                xc = x - x.mean(1, keepdims=True)
                r = np.sqrt((xc**2).mean(1, keepdims=True) + eps)
                return gamma * xc / r, (xc / r, r, gamma)
            """,  # layer normalization without beta: the shape, 0.5
            "rmsnorm_backward": "return None",
            "batchnorm_masked": """
                real = x[mask]
                return gamma * (x - real.mean(0)) / np.sqrt(real.var(0) + eps) + beta
            """,  # the padding is not 0 again: 1
            "filter_response_backward": SHORT["filter_response_backward"].replace(
                "dx = (g - x_hat", "dx = (g - g.mean((2, 3), keepdims=True) - x_hat"
            ),  # a mean path that is not there: dx 3.5, rounding 0.5, and leaving inputs alone counts with dx: 0.5
        },
        {
            "check-layernorm-forward": 5.5,  # scale and shift 1.5, rounding 0.5; whole numbers are drawn with beta, 0.5
            "check-layernorm-backward": 7.5,  # a shape 0.5, dgamma 1.5; that all is left alone is not seen: 0.5
            "check-instancenorm-forward": 0.5,
            "check-groupnorm-forward": 1,
            "check-normalize-over": 5.5,  # one axis 2, several 1, rounding 1, whole numbers of images 0.5
            "check-rmsnorm-forward": 0.5,
            "check-batchnorm-masked": 8,
            "check-filter-response-backward": 5.5,
        },
        {
            "check-layernorm-forward": "shifts_before_it_scales",
            "check-instancenorm-forward": "normalizes_over_the_channels",
            "check-groupnorm-forward": "interleaved_groups",
            "check-normalize-over": "affine_ignored",
            "check-rmsnorm-forward": "subtracts_the_mean",
            "check-batchnorm-masked": "padding_is_not_zero_again",
            "check-filter-response-backward": "mean_path_kept",
        },
    ),
    Submission(  # works in place: 0.5 each for it, and 0.5 for whole numbers, which cannot be divided in place
        "changes-its-inputs",
        SHORT
        | {
            "layernorm_forward": """
                x -= x.mean(1, keepdims=True)
                x_hat = x / np.sqrt((x**2).mean(1, keepdims=True) + eps)
                return gamma * x_hat + beta, (x_hat, (x**2).mean(1, keepdims=True) + eps, gamma)
            """,
            "batchnorm_masked": """
                x[~mask] = 0
                M = mask.sum()
                mean = x.sum((0, 1)) / M
                centred = (x - mean) * mask[:, :, None]
                var = (centred**2).sum((0, 1)) / M
                return (gamma * centred / np.sqrt(var + eps) + beta) * mask[:, :, None]
            """,  # whole numbers can be set to 0 in place
        },
        but(check_layernorm_forward=7, check_batchnorm_masked=8.5),
        {"check-layernorm-forward": "changes_its_input", "check-batchnorm-masked": "changes_its_input"},
    ),
    Submission(  # renamed, deleted, broken, without an end: each costs its own cells, and the backward its forward's
        "cells-lost",
        SHORT
        | {
            "layernorm_forward": "def layer_norm(x, gamma, beta, eps=1e-5):\n    return x, None",
            "groupnorm_forward": "return (x - x.mean(",
            "normalize_over": "while True:\n    pass",
            "filter_response_backward": "return dx, dgamma, dbeta, dtau",
        },
        but(
            "check-layernorm-forward",
            "check-layernorm-backward",
            "check-groupnorm-forward",
            "check-groupnorm-backward",
            "check-normalize-over",
            "check-batchnorm-masked",
            "check-filter-response-backward",
        ),
        deleted=("batchnorm_masked",),
    ),
)
