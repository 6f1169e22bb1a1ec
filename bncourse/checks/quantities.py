"""By which quantities can a term be off?

What students multiply or divide by once too often, and the forms in which eps or N go wrong under the root. Each is a
function of the steps of a chain, and an exercise lists those that its steps have.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .reading import Factor


def instead(form: str, about: str, other: Callable[[Any], Any]) -> Factor:
    """Another form of std, and how often too large that makes what is divided by it."""
    return Factor(
        form,
        lambda at: at.std / other(at),
        about,
        f"is divided by {form} where √(var + eps) belongs",
    )


N = Factor("N", lambda at: at.N, "N")
UNBIASED = Factor("N/(N - 1)", lambda at: at.N / (at.N - 1), "N")
D = Factor("D", lambda at: at.x.shape[1], "D N")
GAMMA = Factor("gamma", lambda at: at.gamma, "gamma")
BETA = Factor("beta", lambda at: at.beta, "beta")
STD = Factor("std", lambda at: at.std, "std var")
EPS = Factor("eps", lambda at: at.eps, "eps")
EPS_MISSING = instead("√var", "eps std", lambda at: np.sqrt(at.var))
EPS_OUTSIDE = instead("√var + eps", "eps std", lambda at: np.sqrt(at.var) + at.eps)
EPS_SUBTRACTED = instead("√(var - eps)", "eps std", lambda at: np.sqrt(np.maximum(at.var - at.eps, 0.0)))
EPS_TWICE = instead("√(var + 2·eps)", "eps std", lambda at: np.sqrt(at.var + 2 * at.eps))
EPS_TIMES = instead("√(var·eps)", "eps std", lambda at: np.sqrt(at.var * at.eps))
VAR_UNBIASED = instead("√(var·N/(N - 1) + eps)", "var N std", lambda at: np.sqrt(at.var * at.N / (at.N - 1) + at.eps))
VAR_SUMMED = instead("√(N·var + eps)", "var N std", lambda at: np.sqrt(at.var * at.N + at.eps))

EPS_ROOTS = (EPS_MISSING, EPS_OUTSIDE, EPS_SUBTRACTED, EPS_TWICE, EPS_TIMES)
ROOTS = (*EPS_ROOTS, VAR_UNBIASED, VAR_SUMMED)

FACTORS = (N, UNBIASED, D, GAMMA, BETA, STD, EPS, *ROOTS)
"""For a layer that has x, gamma, beta, N, var, eps and std among its steps."""
