"""By which quantities can a term be off?

What students multiply or divide by once too often, and the forms in which eps or N go wrong under the root. Each is a
function of the steps of a chain, and an exercise lists those that its steps have.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .reading import Factor


def instead(form: str, about: str, other: Callable[[Any], Any]) -> Factor:
    """Another form of std, and how much larger that makes what is divided by it."""
    return Factor(form, lambda at: at.std / other(at), about, f"is divided by {form} where √(var + eps) belongs")


def itself(form: str, about: str, other: Callable[[Any], Any]) -> Factor:
    """Another form of std, where std itself is the answer."""
    return Factor(form, lambda at: other(at) / at.std, about, f"is {form} where √(var + eps) belongs")


def without_eps(at: Any) -> Any:
    """√var."""
    return np.sqrt(at.var)


def eps_outside(at: Any) -> Any:
    """√var + eps."""
    return np.sqrt(at.var) + at.eps


def eps_subtracted(at: Any) -> Any:
    """√(var - eps)."""
    return np.sqrt(at.var - at.eps)


def eps_twice(at: Any) -> Any:
    """√(var + 2·eps)."""
    return np.sqrt(at.var + 2 * at.eps)


def eps_times(at: Any) -> Any:
    """√(var·eps)."""
    return np.sqrt(at.var * at.eps)


N = Factor("N", lambda at: at.N, "N")
UNBIASED = Factor("N/(N - 1)", lambda at: at.N / (at.N - 1), "N")
D = Factor("D", lambda at: at.x.shape[1], "D N")
GAMMA = Factor("gamma", lambda at: at.gamma, "gamma")
BETA = Factor("beta", lambda at: at.beta, "beta")
STD = Factor("std", lambda at: at.std, "std var")
EPS = Factor("eps", lambda at: at.eps, "eps")
EPS_FORMS: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("√var", without_eps),
    ("√var + eps", eps_outside),
    ("√(var - eps)", eps_subtracted),
    ("√(var + 2·eps)", eps_twice),
    ("√(var·eps)", eps_times),
)
EPS_ROOTS = tuple(instead(form, "eps std", other) for form, other in EPS_FORMS)
EPS_ROOTS_THAT_EXIST = tuple(one for one in EPS_ROOTS if one.symbol != "√(var - eps)")
"""Where one NaN spreads over all that is read, its form cannot be told."""
STD_FORMS = tuple(itself(form, "eps std", other) for form, other in EPS_FORMS)
VAR_UNBIASED = instead("√(var·N/(N - 1) + eps)", "var N std", lambda at: np.sqrt(at.var * at.N / (at.N - 1) + at.eps))
VAR_SUMMED = instead("√(N·var + eps)", "var N std", lambda at: np.sqrt(at.var * at.N + at.eps))

ROOTS = (*EPS_ROOTS, VAR_UNBIASED, VAR_SUMMED)

FACTORS = (N, UNBIASED, D, GAMMA, BETA, STD, EPS, *ROOTS)
"""For a layer that has x, gamma, beta, N, var, eps and std among its steps."""
