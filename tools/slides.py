"""Make the lectures' slides from the built chapters: what a slide shows is the page's own picture, formula or exercise.

`book/slides.yml` says what to take; `tools/book.py` calls this after a build. A lecture is one page in
_build/html/slides/, without a script: a slide fills the window, the keys that scroll a page turn it, and printing gives
a sheet for each.
"""

import html
from copy import copy
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from bs4 import BeautifulSoup, Tag

ROOT = Path(__file__).resolve().parents[1]
HTML = ROOT / "_build" / "html"
OUTLINES = ROOT / "book" / "slides.yml"
STYLE = (ROOT / "tools" / "slides.css").read_text(encoding="utf-8")
HOW = (
    "<p>The space bar and the arrow keys turn the page; printing gives a sheet for each. "
    '<a href="../reference/instructors.html">The guide</a> says more.</p>'
)


class NothingToShow(Exception):
    """A slide names what no page has; the message says which."""


@cache
def page(name: str) -> BeautifulSoup:
    """A built page, parsed."""
    return BeautifulSoup((HTML / f"{name}.html").read_text(encoding="utf-8"), "html.parser")


@cache
def place_of(anchor: str) -> tuple[str, Tag]:
    """The page that has an element of this id, and the element."""
    for path in sorted(HTML.glob("*/*.html")):
        name = path.relative_to(HTML).with_suffix("").as_posix()
        if f'id="{anchor}"' in path.read_text(encoding="utf-8") and (found := page(name).find(id=anchor)):
            return name, found
    raise NothingToShow(f"no page has {anchor}")


def picture(said: str) -> tuple[str, Tag]:
    """The figure of "page number"."""
    name, number = said.split()
    found = page(name).select("article.bd-article img")
    if len(found) < int(number):
        raise NothingToShow(f"{name} has {len(found)} pictures, and number {number} is asked for")
    return name, found[int(number) - 1]


def box(name: str, title: str) -> tuple[str, Tag]:
    """The box of a page that has this title."""
    for one in page(name).select("article.bd-article .admonition"):
        if one.select_one(".admonition-title").get_text().strip() == title:
            return name, one
    raise NothingToShow(f"{name} has no box {title}")


def taken(slide: dict[str, Any]) -> list[tuple[str, Tag]]:
    """What a slide shows, each with the page it comes from."""
    found = [place_of(f"equation-{label}") for label in slide.get("equations", ())]
    if "exercise" in slide:
        found.append(place_of(slide["exercise"]))
    found += [box(slide[kind], title) for kind, title in BOXES.items() if kind in slide]
    return found + ([picture(slide["picture"])] if "picture" in slide else [])


BOXES = {"summary": "Summary", "exam": "In the exam"}


def readdressed(name: str, tag: Tag) -> str:
    """An element as it stands in a page of another folder: without ids, which might occur twice."""
    own, folder, file = copy(tag), Path(name).parent.as_posix(), f"{Path(name).name}.html"
    for one in [own, *own.find_all(True)]:
        one.attrs.pop("id", None)
        for attribute in ("src", "href"):
            address = one.get(attribute, "")
            if address and not address.startswith(("http:", "https:", "data:")):
                one[attribute] = f"../{folder}/{file if address.startswith('#') else ''}{address}"
    for title in own.select(".admonition-title"):
        title.decompose()
    return str(own)


def section(slide: dict[str, Any], number: int, total: int, minute: int) -> str:
    """One slide."""
    shown = taken(slide)
    question = f'<p class="say">{html.escape(slide["say"])}</p>' if "say" in slide else ""
    sources = {name: None for name, _ in shown}
    links = ", ".join(f'<a href="../{name}.html">{name}</a>' for name in sources)
    both = " both" if "picture" in slide and "equations" in slide else ""
    return (
        f'<section id="slide-{number}"><h2>{html.escape(slide["title"])}</h2>{question}'
        f'<div class="shown{both}">{"".join(f"<div>{readdressed(*one)}</div>" for one in shown)}</div>'
        f"<footer><span>{links}</span><span>minute {minute} to {minute + slide['minutes']} · {number} / {total}</span>"
        "</footer></section>"
    )


def lecture(outline: dict[str, Any]) -> str:
    """All slides of a lecture as one page."""
    styles = [link["href"] for link in page("forward/index").select('link[rel~="stylesheet"]')]
    slides, minute, sections = outline["slides"], 0, []
    for number, slide in enumerate(slides, start=1):
        sections.append(section(slide, number, len(slides), minute))
        minute += slide["minutes"]
    title = html.escape(outline["title"])
    return "\n".join(
        [
            '<!doctype html><html lang="en" data-theme="light" data-mode="light"><head><meta charset="utf-8">',
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>',
            *(f'<link rel="stylesheet" href="{href}">' for href in styles),
            f"<style>{STYLE}</style></head><body><main>",
            f"<section><h1>{title}</h1><p>{html.escape(outline['goal'])}</p>{HOW}</section>",
            *sections,
            "</main></body></html>",
        ]
    )


def make() -> None:
    """Write every lecture. Raises NothingToShow where the outline and the chapters do not fit."""
    outlines = yaml.safe_load(OUTLINES.read_text(encoding="utf-8"))
    (HTML / "slides").mkdir(exist_ok=True)
    for name, outline in outlines.items():
        (HTML / "slides" / f"{name}.html").write_text(lecture(outline), encoding="utf-8")


if __name__ == "__main__":
    make()
