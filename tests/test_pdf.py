"""The printed book: every chapter is in it, the contents say the right pages, and references lead somewhere.

Some parts stand for the whole here, which takes a minute (`make pdf`).
"""

import re
import subprocess
import sys

import pytest
from built_book import ROOT, site
from pypdf import PdfReader

sys.path.append(str(ROOT / "tools"))
import pdf

pytestmark = pytest.mark.browser
PARTS = ("problem", "reference/glossary", "reference/errata")


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """Made by what `make pdf` runs, from the site that all tests share."""
    site()
    path = tmp_path_factory.mktemp("pdf") / "some.pdf"
    command = [sys.executable, ROOT / "tools" / "pdf.py", "--only", *PARTS, "--to", path]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    return path, PdfReader(path)


def test_contents_say_where_each_chapter_begins(printed):
    path, reader = printed
    starts, pages = pdf.starts(path), [page.extract_text() for page in reader.pages]
    for chapter in pdf.chapters(PARTS)[1:]:
        number = starts[chapter.anchor]
        title = re.sub(r"\W+", "", pdf.title_of(pdf.printed(chapter, set())))
        assert title in re.sub(r"\W+", "", pages[number - 1]), f"{chapter.name} does not begin on page {number}"
        assert re.search(rf"\b{number}\b", "".join(pages[1:4])), f"the contents do not say {number} for {chapter.name}"


def test_every_reference_inside_the_book_leads_somewhere(printed):
    reader = printed[1]
    places, lost, followed = set(reader.named_destinations), [], 0
    for page in reader.pages:
        for link in page.get("/Annots") or []:
            link = link.get_object()
            target = link.get("/Dest") or (link.get("/A") or {}).get("/D")
            if isinstance(target, str):
                followed += 1
                lost += [target] if target not in places and f"/{target.lstrip('/')}" not in places else []
            address = (link.get("/A") or {}).get("/URI", "")
            assert not re.match(r"(http://(localhost|127)|file:)", address), f"{address} is an address of the builder's"
    assert followed > 30
    assert lost == []


def test_it_has_an_outline_and_a_language(printed):
    assert len(printed[1].outline) > 10
    assert printed[1].trailer["/Root"]["/Lang"] == "en"
