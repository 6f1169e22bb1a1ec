"""The slips of the pen are the ones that were promised, and each is noticed where it makes an equation wrong."""

import pytest

from .mutants import mutants
from .mutation import Trial, known_reasons
from .pages import read_page
from .prove import read_entries


def texts(tex, operator, is_definition=False):
    return {"".join(mutant.tex.split()) for mutant in mutants(tex, is_definition) if mutant.operator == operator}


@pytest.mark.parametrize(
    ("operator", "tex", "expected"),
    [
        ("sign", "a + b = -c", {"a-b=-c", "a+b=c"}),
        ("sign", "a = e^{-b}", {"a=e^{b}"}),
        ("exponent", "a^2 = b", {"a=b", "a^{3}=b"}),
        ("exponent", r"a = \sqrt{b}", {"a={b}"}),
        ("factor", r"=\frac{3}{b}", {r"=2\frac{3}{b}", r"=\frac{b}{3}", r"=\frac{4}{b}", r"=\frac{3}{2b}"}),
        ("factor", r"0 = \frac12", {r"1=\frac12", r"0=\frac22", r"0=\frac1{3}", r"0=2\frac12"}),
        ("factor", r"\sum_i^N x_i = 0", {r"2\sum_i^Nx_i=0", r"\sum_i^{N-1}x_i=0", r"\sum_i^N2x_i=0", r"\sum_i^Nx_i=1"}),
        ("index", r"\sum_{i=1} x_i", {r"\sum_{k=1}x_i", r"\sum_{i=2}x_i", r"\sum_{i=1}x_k", r"\sum_{i=1}x"}),
        ("index", "x_{ij} = 0", {"x_{jj}=0", "x_{ii}=0", "x=0"}),
        ("accent", r"\hat{x}_i = \mu", {r"\bar{x}_i=\mu", r"x_i=\mu", r"\hat{x}_i=\bar{\mu}"}),
        ("accent", r"\bar\mu = 0", {r"\hat\mu=0", r"\mu=0"}),
    ],
)  # fmt: skip
def test_operators(operator, tex, expected):
    assert texts(tex, operator) == expected


def test_words_and_names_are_left_alone():
    assert not mutants(r"\operatorname{normalize} \text{if x = 2}", False)


def test_left_of_a_definition_only_the_symbol_itself_changes():
    assert texts("y_i = b", "factor", is_definition=True) == {"y_i=2b"}
    assert texts("y_i = b", "index", is_definition=True) == {"y_k=b", "y=b"}


def test_each_mutant_has_a_text_and_a_name_of_its_own():
    found = mutants(r"\frac{x_i + x_i}{2} = x_i x_i x_i x_i x_i", False)
    assert len({mutant.tex for mutant in found}) == len({mutant.change for mutant in found}) == len(found)


BOOK = r"""
$$ r = \frac{1}{N} \sum_{i=1}^{N} x_i $$ (def-r)

$$ \sum_{i=1}^{N} (x_i - r) = 0 $$ (eq-zero)
"""


def test_a_changed_definition_turns_an_equation_red():
    trial = Trial(read_entries([read_page(BOOK, "page.md")]))
    outcomes = [trial.judge(entry, mutant) for entry, mutant in trial.mutants()]
    survivors = [outcome.mutant.change for outcome in outcomes if outcome.killed_by is None]
    assert survivors == [r"⟨\sum → 2 \sum⟩ _ { i = 1"]  # twice zero is zero
    by_equation = [outcome for outcome in outcomes if (outcome.killed_by or "").startswith("eq-zero")]
    assert by_equation
    assert all(outcome.label == "def-r" for outcome in by_equation)


def test_a_red_book_is_not_mutated():
    red = BOOK.replace("= 0", "= 1")
    with pytest.raises(ValueError, match="eq-zero is red already"):
        Trial(read_entries([read_page(red, "page.md")]))


def test_reasons_are_read_by_label_and_change(tmp_path):
    path = tmp_path / "survivors.toml"
    path.write_text("[[eq-zero]]\nchanges = ['a', 'b']\nbecause = 'zero'\n[[eq-one]]\nchanges = ['c']\nbecause = ''\n")
    assert known_reasons(path) == {("eq-zero", "a"): "zero", ("eq-zero", "b"): "zero"}
    assert known_reasons(tmp_path / "none.toml") == {}
