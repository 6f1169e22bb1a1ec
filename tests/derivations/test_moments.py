"""The algebra of moments proves what holds for every N, and nothing else."""

from fractions import Fraction

import pytest

from .arithmetic import Dual, LeavesAlgebra, agree, apply, inverse, power, root
from .domains import Moments, Samples
from .pages import Equation
from .polynomial import Index, kronecker, symbol
from .prove import Context, Disagreement, _on_moments, _on_samples, read_entry

ONE, OTHER = Index("i", "N"), Index("k", "N")


def x(index):
    return symbol("x", (index,))


def total(domain, body):
    """Σ over a fresh index of body(index)."""
    label = domain.label("m", "N")
    return domain.sum((label,), body(label))


def test_a_sum_is_linear_and_counts():
    m = Moments(0)
    assert agree(total(m, lambda i: 2 * x(i) + 3), 2 * total(m, x) + 3 * m.size("N"))


def test_moments_are_free_of_each_other():
    m = Moments(0)
    assert not agree(total(m, lambda i: x(i) * x(i)), total(m, x) * total(m, x))
    assert total(m, x) != total(Moments(1), x)


def test_a_delta_picks_one_sample():
    m = Moments(0)
    assert agree(total(m, lambda i: kronecker(i, OTHER) * x(i)), x(OTHER))
    assert agree(kronecker(ONE, OTHER) * x(ONE), kronecker(ONE, OTHER) * x(OTHER))
    assert agree(kronecker(ONE, OTHER) * kronecker(ONE, OTHER), kronecker(ONE, OTHER))
    with pytest.raises(LeavesAlgebra):
        kronecker(ONE, Index("j", "D"))


def test_sums_commute():
    """Σ_j Σ_i and Σ_i Σ_j of x_ij x_ij, also when the inner one is used twice."""
    m = Moments(0)
    i, j = m.label("i", "N"), m.label("j", "D")
    both = symbol("x", (i, j))
    rows_first = m.sum((i,), m.sum((j,), both * both))
    columns_first = m.sum((j,), m.sum((i,), both * both))
    assert agree(rows_first, columns_first)
    assert agree(rows_first, m.sum((i, j), both * both))
    inner = m.sum((i,), both)
    assert agree(m.sum((j,), inner * inner), m.sum((j,), inner * m.sum((i,), both)))
    assert not agree(m.sum((j,), inner * inner), m.sum((j,), inner) * m.sum((j,), inner))


@pytest.mark.parametrize("leave", [inverse, root, lambda p: apply("exp", p), lambda p: power(p, Fraction(1, 2))])
def test_a_sample_below_a_fraction_or_a_root_leaves_the_algebra(leave):
    with pytest.raises(LeavesAlgebra):
        leave(x(ONE) + 1)


def equation(tex):
    return read_entry(Equation("eq-under-test", tex, "test.md", 1, 0), Context({}, {}))


def test_what_holds_for_two_samples_only_is_not_proved():
    """Newton: with two samples p₁³ − 3 p₁ p₂ + 2 p₃ = 0, since there is no product of three."""
    entry = equation(r"\left( \sum_i x_i \right)^3 - 3 \sum_i x_i \sum_k x_k^2 + 2 \sum_i x_i^3 = 0")
    statement = entry.statements[0]
    _on_samples(entry, statement, 0, set(), ({"N": 2},))
    with pytest.raises(Disagreement):
        _on_samples(entry, statement, 0, set(), ({"N": 3},))
    with pytest.raises(Disagreement):
        _on_moments(entry, statement, 0, set())


def test_free_indices_are_any_two_samples():
    entry = equation(r"x_i = x_k")
    with pytest.raises(Disagreement):
        _on_moments(entry, entry.statements[0], 0, set())


def test_dual_numbers_differentiate_exactly():
    t = Dual(Fraction(4), Fraction(1))
    assert (t * t + -t).slope == 7
    assert inverse(t).slope == Fraction(-1, 16)
    assert root(t).slope == Fraction(1, 4)
    assert power(t, Fraction(-3, 2)).slope == Fraction(-3, 64)
    assert apply("abs", -t).slope == 1
    for name in ("exp", "log", "tanh"):
        h = Fraction(1, 10**12)
        nearby = [apply(name, Fraction(4) + d) for d in (h, -h)]
        assert abs(apply(name, t).slope + -(nearby[0] + -nearby[1]) * inverse(2 * h)) < 1e-20


def test_draws_are_reproducible_and_take_both_signs():
    def drawn(draw):
        return Samples({"N": 2}, draw).free("a", "real", ())

    assert drawn(0) == drawn(0)
    assert {drawn(draw) > 0 for draw in (0, 1)} == {True, False}
    assert all(Samples({"N": 2}, draw).free("\\varepsilon", "positive", ()) > 0 for draw in range(20))
