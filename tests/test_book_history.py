"""Is the page on history and reading complete, and true to the references, its timeline too?"""

import re
from pathlib import Path

import matplotlib as mpl
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
PAGE = BOOK / "reference" / "history.md"
CITED = re.compile(r"\{cite(?::\w+)?\}`([^`]+)`")

bibtex = pytest.importorskip("pybtex.database")


@pytest.fixture(scope="module")
def works():
    return bibtex.parse_file(str(BOOK / "references.bib")).entries


@pytest.fixture(scope="module")
def listed():
    """What the annotated bibliography says of each work."""
    text = PAGE.read_text(encoding="utf-8").partition("## Annotated bibliography\n")[2]
    items = [item.partition("\n\n")[0] for item in re.split(r"(?m)^- ", text)[1:]]
    return {CITED.search(item).group(1): item for item in items}


def keys_in(path):
    return {key.strip() for keys in CITED.findall(path.read_text(encoding="utf-8")) for key in keys.split(",")}


def read_pages():
    """The pages that the book lists, without the two that cite everything."""
    parts = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))["parts"]
    names = [chapter["file"] for part in parts for chapter in part["chapters"]]
    return {name for name in names if name not in {"reference/history", "reference/bibliography"}}


def test_every_reference_says_where_it_was_confirmed(works):
    assert not [key for key, work in works.items() if len(work.fields.get("confirmed", "")) < 20]
    assert not [key for key, work in works.items() if not re.fullmatch(r"(19|20)\d\d", work.fields["year"])]


def test_every_reference_is_annotated_once_and_nothing_else_is(works, listed):
    assert set(listed) == set(works)
    assert len(re.findall(r"(?m)^- ", PAGE.read_text(encoding="utf-8"))) == len(works)


def test_every_annotation_names_the_work_and_says_something_of_it(listed):
    for key, item in listed.items():
        assert re.match(r"\*\*[^*]{4,26}\.\*\* \{cite:t\}`", item), f"{key}: begins otherwise than the others"
        assert len(CITED.findall(item)) == 1, f"{key}: cites a second work"
        assert len(item.split()) > 12, f"{key}: says next to nothing"


def test_links_lead_to_pages_that_cite_the_work(listed):
    listed_pages = read_pages()
    citing = {page: keys_in(BOOK / f"{page}.md") for page in listed_pages if (BOOK / f"{page}.md").exists()}
    for key, item in listed.items():
        links = set(re.findall(r"\]\(\.\./([\w/-]+)\.md\)", item))
        assert not {page for page in links if key not in citing.get(page, set())}, f"{key}: a linked page cites it not"
        assert links or not any(key in keys for keys in citing.values()), (
            f"{key}: no page of those that cite it is linked"
        )


def test_the_timeline_shows_the_years_of_the_references(works, monkeypatch):
    (cell,) = re.findall(
        r"```\{code-cell\} ipython3\n---\n.*?\n---\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    monkeypatch.chdir(PAGE.parent)
    monkeypatch.setattr("matplotlib_inline.backend_inline.set_matplotlib_formats", lambda *_, **__: None)
    with mpl.rc_context({"backend": "Agg"}):
        drawn: dict = {}
        exec(cell, drawn)
        texts = [text.get_text() for text in drawn["ax"].texts]
        drawn["plt"] = drawn["fig"].clear()
    rows, year = [], None
    for text in texts:
        year = text if text.isdigit() else year
        rows += [] if text.isdigit() else [year]
    assert sorted(rows) == sorted(work.fields["year"] for work in works.values())
    assert sorted({text for text in texts if text.isdigit()}) == sorted(
        {work.fields["year"] for work in works.values()}
    )


def test_no_year_is_typed_on_the_page():
    assert not re.findall(r"(?<![\w.])(?:19|20)\d\d(?![\w.])", PAGE.read_text(encoding="utf-8"))
