"""Every statement of the exam note that the course grew from has its place: a section, a proof or a trial, an exercise.

`seed_coverage.yml` lists the note's sentences in our own words, numbered by section and sentence.
"""

import re
from functools import cache
from itertools import pairwise

import pytest
import yaml
from built_book import ROOT

from bncourse.evidence import NAMES

BOOK = ROOT / "book"
COVERAGE = yaml.safe_load((ROOT / "tests" / "seed_coverage.yml").read_text(encoding="utf-8"))
CLAIMS = {key: one for key, one in COVERAGE.items() if "claims nothing" not in one}


@cache
def text() -> str:
    """All pages that the table of contents names."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [toc["root"], *(one["file"] for part in toc["parts"] for one in part["chapters"])]
    return "\n".join((BOOK / f"{name}.md").read_text(encoding="utf-8") for name in files)


@cache
def sections() -> set[str]:
    return set(re.findall(r"^\(([a-z0-9-]+)\)=$", text(), re.M))


@cache
def equations() -> set[str]:
    return set(re.findall(r"^\$\$ \(((?:def|eq|approx)-[a-z0-9-]+)\)$", text(), re.M))


@cache
def exercises() -> set[str]:
    return set(re.findall(r"^:label: ([a-z0-9-]+)$", text(), re.M))


def test_no_sentence_is_left_out():
    numbers = [tuple(map(int, re.fullmatch(r"S(\d+)\.(\d+)", key).groups())) for key in COVERAGE]
    assert numbers[0] == (1, 1)
    for (section, sentence), following in pairwise(numbers):
        assert following in {(section, sentence + 1), (section + 1, 1)}, f"a hole after S{section}.{sentence}"
    assert {section for section, _ in numbers} == set(range(1, 9))
    assert len(CLAIMS) >= 80


@pytest.mark.parametrize("key", COVERAGE)
def test_a_sentence_has_its_places(key):
    """Section, equation or experiment, exercise: each exists in the book. What claims nothing says why."""
    one = COVERAGE[key]
    assert one["says"]
    if "claims nothing" in one:
        assert len(one["claims nothing"]) > 10
        return
    assert one["section"] in sections()
    assert "equation" in one or "experiment" in one or "measured" in one
    assert one.get("equation", next(iter(equations()))) in equations()
    assert one.get("experiment", NAMES[0]) in NAMES
    assert one.get("measured", one["section"]) in sections()
    assert one["exercise"] in exercises()
