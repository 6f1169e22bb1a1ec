"""Does a citation by names and year lead to one work of the bibliography, and can it be found there?"""

import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "book" / "_ext"))
bibtex = pytest.importorskip("pybtex.database")
bnbook = pytest.importorskip("bnbook")


def book(works):
    """As much of Sphinx as the references need."""
    domain = SimpleNamespace(bibdata=SimpleNamespace(data=SimpleNamespace(entries=works)))
    return SimpleNamespace(env=SimpleNamespace(get_domain=lambda name: {"cite": domain}[name]))


def cited(work):
    names = [" ".join([*one.prelast_names, *one.last_names]) for one in work.persons["author"]]
    return " and ".join(names) if len(names) < 3 else f"{names[0]} et al.", work.fields["year"]


@pytest.fixture
def works():
    return bibtex.parse_file(str(ROOT / "book" / "references.bib")).entries


def test_no_two_works_are_cited_alike(works):
    assert max(Counter(map(cited, works.values())).values()) > 1, "then the letters are not needed"
    bnbook.tell_years_apart(book(works))
    assert [found for found, count in Counter(map(cited, works.values())).items() if count > 1] == []


def test_a_year_that_needs_no_letter_has_none_and_letters_follow_the_list(works):
    bnbook.tell_years_apart(book(works))
    assert works["ioffe2015"].fields["year"] == "2015"
    letters = [works[key].fields["year"] for key in ("brock2021signal", "brock2021")]
    assert letters == ["2021a", "2021b"]  # De, Smith come before De, Smith, Simonyan


def test_a_second_build_from_what_was_kept_changes_nothing(works):
    bnbook.tell_years_apart(book(works))
    once = {key: work.fields["year"] for key, work in works.items()}
    bnbook.tell_years_apart(book(works))
    assert {key: work.fields["year"] for key, work in works.items()} == once


def test_the_list_is_in_the_order_of_names():
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["sphinx"]["config"]
    assert (config["bibtex_reference_style"], config["bibtex_default_style"]) == ("author_year", "plain")
