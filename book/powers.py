"""How is a very small or a very large number written in a sentence?"""

from __future__ import annotations

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power(value: float) -> str:
    """One digit and a power of ten, as one writes it by hand.

    >>> power(7.9e-07), power(1.2e6)
    ('8·10⁻⁷', '10⁶')
    """
    digit, exponent = f"{value:.0e}".split("e")
    return f"{digit}·10".removeprefix("1·") + str(int(exponent)).translate(RAISED)
