"""Print the whole book as one PDF: _build/bncourse.pdf, with contents, page numbers, outline and working references.

    python tools/pdf.py
    python tools/pdf.py --only index forward reference --to _build/some.pdf    a few parts

The pages of the built site are put into one document in the order of `_toc.yml`: every address inside the site becomes
one inside the document, so references work on paper by number and on a screen by a click. Chromium prints it twice: the
first time tells on which page each chapter begins, which the contents of the second say.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from posixpath import dirname, join, normpath

import yaml
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import sync_playwright
from pypdf import PdfReader

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from browser_chromium import FLAGS, HOW_TO_GET_ONE, NAMES, served  # noqa: E402

HTML = ROOT / "_build" / "html"
PRINT = ROOT / "_build" / "print"  # the one document, with the site's pictures and fonts beside it
PDF = ROOT / "_build" / "bncourse.pdf"
UNPRINTED = (
    *(".headerlink", "button", ".copybtn", "script", "summary"),
    "details.above-input",  # code that the page folds away: how a figure was drawn
)
MARGIN = {"top": "18mm", "bottom": "20mm", "left": "18mm", "right": "18mm"}
FOOTER = (
    '<div style="width: 100%; font: 8pt sans-serif; color: #555; text-align: center">'
    '<span class="pageNumber"></span> / <span class="totalPages"></span></div>'
)
STYLE = """
html { font-size: 10pt; } body { background: white; line-height: 1.42; }
article.chapter { break-before: page; }
h1, h2, h3, h4, dt { break-after: avoid; } h1 { font-size: 22pt; } h2 { font-size: 15.5pt; } h3 { font-size: 12.5pt; }
h2, h3 { margin-top: 1.2em; margin-bottom: 0.5em; }
p, ul, ol, dl { margin-bottom: 0.6em; } li > p { margin-bottom: 0.3em; }
p:has(+ div.math), p:has(+ .pst-scrollable-table-container) { break-after: avoid; }
div.math { margin: 0.5em 0; } .katex-display { margin: 0.2em 0 !important; overflow: visible !important; }
dl.py .katex-display { font-size: 0.72em; }
.contents .page { min-width: 3em; text-align: right; }
figcaption { color: #444 !important; font-weight: 400 !important; }
figure, img, .math, table, tr, .admonition > .admonition-title { break-inside: avoid; }
table:has(tr:nth-child(12)) { break-inside: auto; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 7.8pt; line-height: 1.28; orphans: 9; widows: 9; }
a { color: #0b5394; text-decoration: none; }
table { font-size: 9pt; width: auto; } .pst-scrollable-table-container { overflow: visible; }
.cell_output img, .bn-plot { max-width: 108mm; max-height: 225mm; margin: 0 auto; display: block; }
.cover { text-align: center; padding-top: 70mm; } .cover h1 { font-size: 30pt; }
.contents { break-before: page; font-size: 9.3pt; } .contents h2 { margin: 0.7em 0 0.2em; font-size: 10.5pt; }
.contents p { margin: 0.1em 0; display: flex; line-height: 1.3; } .contents a { flex: 1; color: inherit; }
.contents .columns { columns: 2; column-gap: 12mm; }
"""


@dataclass(frozen=True)
class Chapter:
    """A page of the site, by its name in the table of contents, and the part that it belongs to."""

    name: str
    part: str

    @property
    def anchor(self) -> str:
        """Where it begins in the document."""
        return f"{self.name.replace('/', '-')}--start"


def chapters(only: Sequence[str] = ()) -> list[Chapter]:
    """All of them, in the order of reading; or the first page and those whose folder or name is listed."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    rest = [Chapter(one["file"], part["caption"]) for part in toc["parts"] for one in part["chapters"]]
    return [Chapter(toc["root"], ""), *(one for one in rest if not only or {one.name, dirname(one.name)} & {*only})]


def inside(href: str, page: str, names: set[str]) -> str:
    """What an address on a page is in the document: a place in it, or for a file of the site its path."""
    if re.match(r"[a-z]+:|//", href):
        return href
    path, _, place = href.partition("#")
    target = normpath(join(dirname(page), path)) if path else f"{page}.html"
    name = target.removesuffix(".html")
    if target.endswith(".html") and name in names:
        return f"#{name.replace('/', '-')}--{place or 'start'}"
    return "" if target.endswith(".html") else target  # a page that is not printed: its words stay


def printed(chapter: Chapter, names: set[str]) -> Tag:
    """The text of a page, ready to stand beside the others: ids are its own, everything hidden is shown."""
    soup = BeautifulSoup((HTML / f"{chapter.name}.html").read_text(encoding="utf-8"), "html.parser")
    article = soup.select_one("article.bd-article")
    if article is None:
        raise SystemExit(f"{chapter.name}.html has no article: has the theme changed?")
    for tag in article.select(", ".join(UNPRINTED)):
        tag.decompose()
    prefix = chapter.name.replace("/", "-")
    for tag in article.find_all(id=True):
        tag["id"] = f"{prefix}--{tag['id']}"
    for tag in article.find_all("details"):
        tag["open"] = ""
    for tag in article.find_all(True):
        for attribute in ("href", "src"):
            if tag.get(attribute):
                tag[attribute] = inside(tag[attribute], chapter.name, names)
                if not tag[attribute]:
                    del tag[attribute]
        for attribute in ("aria-labelledby", "for"):
            if tag.get(attribute):
                tag[attribute] = f"{prefix}--{tag[attribute]}"
    article["class"] = [*article.get("class", []), "chapter"]
    article["id"] = chapter.anchor
    return article


def title_of(article: Tag) -> str:
    """A chapter's number and title."""
    heading = article.find("h1")
    return re.sub(r"\s+", " ", heading.get_text()).strip() if heading else ""


def contents(every: list[Chapter], titles: dict[str, str], numbers: dict[str, int]) -> Iterator[str]:
    """A line for each chapter, with its page where that is known."""
    part = ""
    for one in every[1:]:
        if one.part != part:
            part = one.part
            yield f"<h2>{part}</h2>"
        number = numbers.get(one.anchor, "")
        yield f'<p><a href="#{one.anchor}">{titles[one.name]}</a><span class="page">{number}</span></p>'


def document(every: list[Chapter], numbers: dict[str, int]) -> str:
    """The chapters as one page."""
    names = {one.name for one in every}
    articles = {one.name: printed(one, names) for one in every}
    titles = {name: title_of(article) for name, article in articles.items()}
    home = BeautifulSoup((HTML / "index.html").read_text(encoding="utf-8"), "html.parser")
    styles = {link["href"]: None for link in home.select('link[rel~="stylesheet"]')}
    for one in every:  # a page may bring a style sheet of its own
        page = BeautifulSoup((HTML / f"{one.name}.html").read_text(encoding="utf-8"), "html.parser")
        styles |= {inside(link["href"], one.name, set()): None for link in page.select('link[rel~="stylesheet"]')}
    title = home.title.get_text().partition(" — ")[0]
    return "\n".join(
        [
            '<!doctype html><html lang="en" data-theme="light" data-mode="light"><head><meta charset="utf-8">',
            f"<title>{title}</title>",
            *(f'<link rel="stylesheet" href="{href}">' for href in styles),
            f"<style>{STYLE}</style></head><body>",
            f'<section class="cover"><h1>{title}</h1><p>step by step, with every equation proved</p>'
            f"<p>version {version('bncourse')}</p></section>",
            '<section class="contents"><h1>Contents</h1><div class="columns">',
            *contents(every, titles, numbers),
            "</div></section>",
            *(str(articles[one.name]) for one in every),
            "</body></html>",
        ]
    )


def starts(pdf: Path) -> dict[str, int]:
    """On which page each named place lies, from 1."""
    reader = PdfReader(pdf)
    found = {}
    for name, destination in reader.named_destinations.items():
        number = reader.get_destination_page_number(destination)
        if number is not None:
            found[name.lstrip("/")] = number + 1
    return found


def chromium() -> str:
    """The path of one. Ends with a sentence when there is none."""
    named = os.environ.get("BNCOURSE_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    if not found or not shutil.which(found):
        raise SystemExit(HOW_TO_GET_ONE)
    return found


def main(only: Sequence[str], to: Path) -> int:
    if status := subprocess.run([sys.executable, ROOT / "tools" / "book.py"]).returncode:
        return status
    shutil.rmtree(PRINT, ignore_errors=True)
    for folder in ("_static", "_images"):
        shutil.copytree(HTML / folder, PRINT / folder)
    numbers: dict[str, int] = {}
    with sync_playwright() as playwright, served(PRINT) as address:
        browser = playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS])
        page = browser.new_page()
        page.set_default_timeout(180_000)
        for _ in range(2):
            promised = numbers
            (PRINT / "index.html").write_text(document(chapters(only), numbers), encoding="utf-8")
            page.goto(address, wait_until="load")  # an idle network is no sign that all has been read
            page.evaluate("document.fonts.ready")
            page.emulate_media(media="print", color_scheme="light")
            page.pdf(
                path=to, format="A4", margin=MARGIN, print_background=True, display_header_footer=True,
                header_template="<span></span>", footer_template=FOOTER, tagged=True, outline=True,
            )  # fmt: skip
            numbers = starts(to)
        browser.close()
    wrong = [one.name for one in chapters(only)[1:] if promised.get(one.anchor) != numbers.get(one.anchor, -1)]
    if wrong:
        raise SystemExit(f"The contents name another page than the one on which these begin: {', '.join(wrong)}")
    print(f"{to}: {len(PdfReader(to).pages)} pages, {to.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Print the book as one PDF.")
    parser.add_argument("--only", nargs="+", default=(), metavar="PART", help="folders or pages, such as forward")
    parser.add_argument("--to", type=Path, default=PDF, help="the file (_build/bncourse.pdf)")
    known = parser.parse_args()
    sys.exit(main(known.only, known.to))
