"""Do the book's links still lead somewhere? Needs the network, so no test and no build runs it.

    python tools/links.py
    python tools/links.py --site _build/html --inside      only the links that stay inside the site

Every link of every page of the built site is followed once. Three ends: a link may be *fine*, *broken* (the server
answers that there is no such page, or the site has none), or *unclear*: nobody answers, or the server refuses to talk
to programs, as publishers' often do. Such a link says nothing about the page: you may be offline, or have to look
yourself. Exit code: 0 all fine, 1 something is broken, 2 nothing is broken but something is unclear.
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urldefrag, urlsplit
from urllib.request import Request, urlopen

from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[1]
HTML = ROOT / "_build" / "html"
AGENT = "Mozilla/5.0 (compatible; a reader's link check)"
GONE = {404, 410}  # these two say that there is no such page; other codes say something about the server or about us
FINE, BROKEN, UNCLEAR = "fine", "broken", "unclear"


@cache
def page(path: Path) -> BeautifulSoup:
    """A page of the site, read once."""
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@cache
def places(path: Path) -> frozenset[str]:
    """The ids on a page: what stands behind # may be one of them."""
    return frozenset(str(tag["id"]) for tag in page(path).find_all(id=True))


def links(site: Path) -> Iterator[tuple[Path, str]]:
    """Each link of each page, as it is written there."""
    for path in sorted(site.rglob("*.html")):
        if "_static" not in path.relative_to(site).parts:
            for tag in page(path).select("a[href], img[src]"):
                address = str(tag.get("href") or tag["src"])
                if address != "#" and urlsplit(address).scheme in ("", "http", "https"):
                    yield path, address


def inside(site: Path, path: Path, address: str) -> str:
    """Whether the site has what a link on this page names; what is wrong with it, or nothing."""
    name, place = urldefrag(address)
    target = (path.parent / unquote(name)).resolve() if name else path
    target = target / "index.html" if target.is_dir() else target
    if not target.is_file() or not target.is_relative_to(site.resolve()):
        return "the site has no such file"
    if place and target.suffix == ".html" and unquote(place) not in places(target):
        return f"that page has no place #{place}"
    return ""


def ask(address: str, seconds: float) -> tuple[str, str]:
    """Follow a link to another site: how it ends, and what there is to say about it."""
    try:
        try:
            answer = urlopen(Request(address, headers={"User-Agent": AGENT}, method="HEAD"), timeout=seconds)
        except HTTPError:  # not every server knows this question
            answer = urlopen(Request(address, headers={"User-Agent": AGENT}), timeout=seconds)
        with answer:
            return FINE, "" if answer.url == address else f"now at {answer.url}"
    except HTTPError as error:
        return (BROKEN if error.code in GONE else UNCLEAR), f"the server answers {error.code} {error.reason}"
    except URLError as error:
        return UNCLEAR, f"nobody answers: {error.reason}"
    except (OSError, HTTPException, ValueError) as error:
        return UNCLEAR, f"nobody answers: {error}"


def ask_one_by_one(addresses: list[str], seconds: float, pause: float) -> dict[str, tuple[str, str]]:
    """The links to one host, with a pause between: fifty questions at once are an attack."""
    answers = {}
    for address in addresses:
        answers[address] = ask(address, seconds)
        time.sleep(pause)
    return answers


def follow(
    site: Path, outside: bool = True, seconds: float = 20.0, pause: float = 0.5
) -> dict[str, tuple[str, str, list[str]]]:
    """Every link with how it ends, what there is to say, and the pages that have it."""
    written: dict[str, list[str]] = defaultdict(list)
    found: dict[str, tuple[str, str, list[str]]] = {}
    for path, address in links(site):
        name = path.relative_to(site).as_posix()
        if urlsplit(address).scheme:
            written[urldefrag(address).url].append(name)
        elif wrong := inside(site, path, address):
            found[f"{name} -> {address}"] = (BROKEN, wrong, [name])
        else:
            found[f"{name} -> {address}"] = (FINE, "", [name])
    hosts: dict[str, list[str]] = defaultdict(list)
    for address in written if outside else ():
        hosts[urlsplit(address).netloc].append(address)
    with ThreadPoolExecutor(16) as pool:
        for answers in pool.map(lambda those: ask_one_by_one(those, seconds, pause), hosts.values()):
            found |= {address: (*end, sorted(set(written[address]))) for address, end in answers.items()}
    return found


def report(found: dict[str, tuple[str, str, list[str]]]) -> int:
    """Print what is not simply fine, then the counts; returns the exit code."""
    for end in (FINE, UNCLEAR, BROKEN):  # the worst last, where it is read
        for address, (how, what, pages) in sorted(found.items()):
            if how == end and what:
                print(f"{how if how != FINE else 'moved':8} {address}\n         {what}; on {', '.join(pages)}")
    counts = {end: sum(how == end for how, _, _ in found.values()) for end in (FINE, UNCLEAR, BROKEN)}
    outside = sum(bool(urlsplit(address).scheme) for address in found)
    print(
        f"{len(found)} links, {outside} of them to other sites: {', '.join(f'{n} {end}' for end, n in counts.items())}"
    )
    return 1 if counts[BROKEN] else 2 if counts[UNCLEAR] else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Follow every link of the built book.")
    parser.add_argument("--site", type=Path, default=HTML, help="the folder of the built site (_build/html)")
    parser.add_argument("--inside", action="store_true", help="only the links that stay inside the site")
    known = parser.parse_args()
    if not (known.site / "index.html").exists():
        sys.exit(f"{known.site} holds no site: run `make book` first.")
    sys.exit(report(follow(known.site, outside=not known.inside)))
