"""Are the words of the book, the package and the files about the project spelled as English spells them?

codespell knows how words are usually misspelled, so it finds typing errors without a dictionary of our terms.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OUR_WORDS = ["nd"]  # the shape (N, D) as one word, in formulas and einsum

READ = {
    "the book": sorted((ROOT / "book").rglob("*.md")),
    "the package": sorted((ROOT / "bncourse").rglob("*.py")),  # docstrings, comments, and what a student reads
    "about the project": [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"],
    "notebooks": sorted((ROOT / "solutions").rglob("*.ipynb")),  # exercises/ is generated from them
}


def codespell(*files, text=None):
    """Its findings, one a line."""
    command = [sys.executable, "-m", "codespell_lib", "--ignore-words-list", ",".join(OUR_WORDS), *map(str, files)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, cwd=ROOT)
    assert not done.stderr, done.stderr  # it is not installed, or did not understand
    return done.stdout.splitlines()


@pytest.mark.parametrize("what", READ)
def test_words_are_spelled_right(what):
    assert READ[what], "nothing to read: has the folder moved?"
    findings = codespell(*READ[what])
    assert not findings, "\n".join(findings)


def test_a_misspelled_word_would_be_found():
    assert codespell("-", text="You recieve the the varience of a seperate batch, nd that is all.\n")
    assert not codespell("-", text="x has nd = N · D values; the upstream gradient arrives.\n")


@pytest.mark.parametrize("word", OUR_WORDS)
def test_every_word_of_ours_is_needed(word):
    words = " ".join(path.read_text(encoding="utf-8") for paths in READ.values() for path in paths).lower()
    assert word in words
