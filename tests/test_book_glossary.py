"""Does every word of the glossary say where the book explains it, and get in no label's way?"""

import re
from pathlib import Path

import pytest

BOOK = Path(__file__).resolve().parents[1] / "book"


@pytest.fixture(scope="module")
def glossary():
    """Each word, with its synonyms, and what is said of it."""
    text = (BOOK / "reference" / "glossary.md").read_text(encoding="utf-8")
    entries = text.partition("```{glossary}")[2].partition("```")[0].partition(":sorted:")[2].strip().split("\n\n")
    return [re.fullmatch(r"((?:\S[^\n]*\n)+)((?:  [^\n]+\n?)+)", entry).groups() for entry in entries]


def test_every_word_is_explained_and_linked_once(glossary):
    assert len(glossary) > 40
    for words, text in glossary:
        assert re.search(r"→ \[\]\([^)]+\)\s*$", text), f"{words}: no section at the end"
        assert len(text.split()) > 8, f"{words}: says next to nothing"


def test_no_word_is_a_label_too(glossary):
    """A link `[](word)` would have two targets, and the strict build fails on every page that has one."""
    pages = "\n".join(path.read_text(encoding="utf-8") for path in BOOK.rglob("*.md"))
    labels = set(re.findall(r"(?m)^\(([\w-]+)\)=$|^:label: ([\w-]+)$", pages))
    words = {word for names, _ in glossary for word in names.splitlines()}
    assert not words & {label for pair in labels for label in pair}


def test_links_lead_somewhere(glossary):
    pages = "\n".join(path.read_text(encoding="utf-8") for path in BOOK.rglob("*.md"))
    for words, text in glossary:
        target = re.search(r"\[\]\(([^)]+)\)", text).group(1)
        there = (BOOK / "reference" / target).exists() if target.endswith(".md") else f"({target})=\n" in pages
        assert there, f"{words}: no {target}"
