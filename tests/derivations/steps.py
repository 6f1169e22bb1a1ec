"""What does an equation say beyond its numbers?

A step of a derivation may be right for a poor reason: where a sum is zero, any factor before it is "right". So the
steps below are held to more. They are algebra, true for **any** value of the symbols named, whatever defines them:
x̂ need not be normalized for Σ(γx̂ + β) = γΣx̂ + Nβ.

And an `approx-` equation that is a limit must approach it: when the symbol shrinks tenfold, the error shrinks by the
power of ten named.
"""

from __future__ import annotations

#: label -> {step, counted from 1 in the first chain: symbols that may have any value}
ALGEBRA: dict[str, dict[int, tuple[str, ...]]] = {
    "eq-centred-sum": {1: ("\\mu",)},
    "eq-any-point": {1: ("\\mu",), 2: ("\\mu",)},
    "eq-x-hat-sum": {1: ("\\mu", "s")},
    "eq-correlation": {1: ("\\mu", "s")},
    "eq-output-mean": {1: ("\\hat{x}",)},
    "eq-slope-variance-mean": {1: ("\\mu",)},
    "eq-gradient-mean-node": {1: ("\\mu",)},
    "eq-gradient-sum": {2: ("\\hat{x}",)},
    "eq-core-shift": {1: ("\\hat{x}",)},
    "eq-core-stretch": {1: ("\\hat{x}",)},
    "eq-total-mean": {1: ("\\mu",), 2: ("\\mu",)},
    "eq-one-shard": {1: ("M",)},
}

#: label -> (symbol that goes to 0, order of the error)
LIMITS: dict[str, tuple[str, int]] = {
    "approx-one-sided": ("h", 1),
    "approx-central": ("h", 2),
    "approx-sigmoid": ("z", 3),  # the next term of the series is -z³/48
}
