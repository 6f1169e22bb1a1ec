"""Below which number does Student's t fall with a given probability?

For whole degrees of freedom the distribution is a finite sum of powers of a cosine (Abramowitz & Stegun 1964, 26.7.3
and 26.7.4), so neither a table nor SciPy is needed; a test holds it against SciPy.
"""

from functools import cache
from math import atan, cos, pi, sin, sqrt

HALVINGS = 200
"""Of the bracket: more than a double has digits, so that it ends at two neighbouring numbers."""


def within(t: float, degrees: int) -> float:
    """The probability that Student's t lies between -t and t.

    >>> round(within(12.706, 1), 4)
    0.95
    """
    angle = atan(t / sqrt(degrees))
    term = total = cos(angle) if degrees % 2 else 1.0
    for power in range(2 + degrees % 2, degrees, 2):
        term *= (power - 1) / power * cos(angle) ** 2
        total += term
    if degrees % 2 == 0:
        return sin(angle) * total
    return 2 / pi * (angle + (sin(angle) * total if degrees > 1 else 0.0))


@cache
def t_quantile(probability: float, degrees: int) -> float:
    """The number below which Student's t with so many degrees of freedom falls with this probability.

    Raises ``ValueError`` unless 0 < probability < 1 and degrees is a whole number, 1 or more.

    >>> round(t_quantile(0.975, 5), 3)
    2.571
    """
    if not 0 < probability < 1:
        raise ValueError(f"t_quantile takes a probability between 0 and 1, not {probability:g}")
    if degrees != int(degrees) or degrees < 1:
        raise ValueError(f"t_quantile takes whole degrees of freedom, 1 or more, not {degrees:g}")
    if probability < 0.5:
        return -t_quantile(1 - probability, degrees)
    low, high = 0.0, 1.0
    while within(high, int(degrees)) < 2 * probability - 1:
        high *= 2
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if within(middle, int(degrees)) < 2 * probability - 1:
            low = middle
        else:
            high = middle
    return (low + high) / 2
