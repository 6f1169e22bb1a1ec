"""What the built pages say, read as files: nothing foreign is loaded, links lead somewhere, formulas are rendered."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup, NavigableString, Tag
from built_book import ROOT, page, pages, site
from nbclient import NotebookClient
from sphinxcontrib import katex

from bncourse import functional, nn
from bncourse.checks import book

# What a browser fetches by itself, and in which attribute the address stands.
LOADED = {
    "script": ("src",),
    "img": ("src", "srcset"),
    "source": ("src", "srcset"),
    "iframe": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "video": ("src", "poster"),
    "audio": ("src",),
    "track": ("src",),
    "image": ("href", "xlink:href"),
    "use": ("href", "xlink:href"),
    "form": ("action",),
}
LINKS_NOT_LOADED = {"canonical", "next", "prev", "index", "search", "author", "license", "alternate"}
NAMED_IN_SCRIPTS = {  # hosts that stand in a script's text and are never fetched
    "www.w3.org",  # XML namespaces
    "getbootstrap.com",  # notes on licences and documentation
    "github.com",
    "clipboardjs.com",
    "developer.mozilla.org",  # in a comment
    "pydata-sphinx-theme.readthedocs.io",  # in an error message
}


def loaded_by(soup: BeautifulSoup) -> list[str]:
    """Every address that a browser fetches when it shows the page."""
    found = [tag[name] for tag in soup.find_all(list(LOADED)) for name in LOADED[tag.name] if tag.get(name)]
    links = [tag for tag in soup.find_all("link") if tag.get("href")]
    found += [tag["href"] for tag in links if not LINKS_NOT_LOADED & set(tag.get("rel", []))]
    styles = [tag.get_text() for tag in soup.find_all("style")] + [tag["style"] for tag in soup.find_all(style=True)]
    return [address for address in found if address] + [address for style in styles for address in loaded_by_css(style)]


def loaded_by_css(text: str) -> list[str]:
    """What a style sheet fetches: imports, and the first (preferred) address of every url() list."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    imports = re.findall(r"@import\s+(?:url\()?[\"']?([^\"')\s;]+)", text)
    lists = re.findall(r"url\(\s*(\"[^\"]*\"|'[^']*'|[^)]*)\s*\)", text)
    return imports + [address.strip("\"' ") for address in lists]


def is_foreign(address: str) -> bool:
    """On another host, or on none that can be told."""
    parts = urlsplit(address)
    return parts.scheme not in ("", "data") or bool(parts.netloc)


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("@import url('//a.org/x.css');", ["//a.org/x.css", "//a.org/x.css"]),
        ("@import 'https://a.org/x.css';", ["https://a.org/x.css"]),
        ("b{src:url(x.woff2) format('woff2'),url(\"x.ttf\")}", ["x.woff2", "x.ttf"]),
        ("/* url(https://a.org) */", []),
    ],
)
def test_the_reader_of_style_sheets_finds_what_they_load(text, addresses):
    assert loaded_by_css(text) == addresses


def test_the_reader_of_pages_finds_what_they_load():
    soup = BeautifulSoup(
        '<link rel="stylesheet" href="//a.org/1"><link rel="canonical" href="//a.org/no"><script src="https://a.org/2"></script>'
        '<p style="background:url(https://a.org/3)"><img src="x.png" srcset="https://a.org/4 2x"><a href="https://a.org/no">',
        "html.parser",
    )
    foreign = [address for address in loaded_by(soup) if is_foreign(address)]
    assert sorted(address.split()[0][-1] for address in foreign) == ["1", "2", "3", "4"]


def test_no_page_loads_anything_from_elsewhere():
    foreign = [(name, address) for name in pages() for address in loaded_by(page(name)) if is_foreign(address)]
    assert not foreign


def test_no_style_sheet_loads_anything_from_elsewhere():
    sheets = list(site().rglob("*.css"))
    assert sheets
    foreign = [
        (sheet.name, address) for sheet in sheets for address in loaded_by_css(sheet.read_text()) if is_foreign(address)
    ]
    assert not foreign


def test_no_script_names_an_address_that_it_could_load():
    scripts = {path.name: path.read_text() for path in (site() / "_static").rglob("*.js")}
    inline = {f"{name} (inline)": tag.get_text() for name in pages() for tag in page(name).find_all("script")}
    address = re.compile(r"(?:https?:|[\"'`])//((?:[\w-]+\.)+[a-z]{2,})", re.I)
    found = {(name, host) for name, text in (scripts | inline).items() for host in address.findall(text)}
    assert not {(name, host) for name, host in found if host not in NAMED_IN_SCRIPTS}


FALLBACKS = re.compile(r"""(format\("woff2"\))(?:,url\([^)]*\) format\([^)]*\))+""")  # no browser goes past woff2


def test_every_file_that_a_page_or_style_sheet_names_is_there():
    named = [(site() / name, address) for name in pages() for address in loaded_by(page(name))]
    for sheet in site().rglob("*.css"):
        named += [(sheet, address) for address in loaded_by_css(FALLBACKS.sub(r"\1", sheet.read_text()))]
    files = [(by, unquote(urlsplit(address).path)) for by, address in named if not address.startswith("data:")]
    assert len(files) > 100
    assert not [(by, path) for by, path in files if path and not by.parent.joinpath(path).exists()]


@cache
def anchors(name: str) -> set[str]:
    soup = page(name)
    return {tag["id"] for tag in soup.find_all(id=True)} | {
        tag["name"] for tag in soup.find_all("a", attrs={"name": True})
    }


def test_every_internal_link_leads_somewhere():
    broken, followed = [], 0
    for name in pages():
        for link in page(name).find_all("a", href=True):
            address = urlsplit(link["href"])
            if address.scheme or address.netloc or link["href"] == "#":
                continue
            target = (site() / name).parent.joinpath(unquote(address.path)).resolve() if address.path else site() / name
            followed += 1
            if not target.is_file():
                broken.append((name, link["href"]))
            elif address.fragment and target.suffix == ".html":
                other = target.relative_to(site().resolve()).as_posix() if address.path else name
                if unquote(address.fragment) not in anchors(other):
                    broken.append((name, link["href"]))
    assert followed > 100
    assert not broken


def test_no_page_has_two_elements_of_one_id():
    for name in pages():
        ids = [tag["id"] for tag in page(name).find_all(id=True)]
        doubled = {one for one in ids if ids.count(one) > 1}
        assert not doubled, name


def described(picture: Tag) -> str:
    """What a screen reader says of an image or drawing; empty if nothing."""
    if picture.name == "img":
        return picture.get("alt", "").strip()
    title = picture.find("title")
    return picture.get("aria-label", "") or (title.get_text() if title else "")


def test_every_picture_is_described():
    silent, seen = [], 0
    for name in pages():
        for picture in page(name).find_all(["img", "svg", "canvas"]):
            if picture.get("aria-hidden") == "true" or picture.find_parent(attrs={"aria-hidden": "true"}):
                continue
            seen += 1
            if len(described(picture)) < 20 or (picture.name == "svg" and picture.get("role") != "img"):
                silent.append((name, str(picture)[:120]))
    assert seen
    assert not silent


UNSEEN = {"script", "style", "annotation", "pre", "code", "title", "noscript"}


def words(tag: Tag) -> Iterator[str]:
    """What a reader sees as prose: no scripts, no code, and of formulas not the TeX that they carry for machines."""
    for child in tag.children:
        if isinstance(child, Tag):
            if child.name not in UNSEEN:
                yield from words(child)
        elif type(child) is NavigableString:  # no comment, no doctype
            yield child


def visible_text(soup: BeautifulSoup) -> str:
    return " ".join(words(soup))


RAW_TEX = re.compile(r"\\[a-zA-Z]{2,}|\$\$|\$[^\s$][^$]{0,80}\$|\\[()\[\]]")


@pytest.mark.parametrize("text", [r"\frac", r"see \sum_i", "$$", r"\(a\)", "let $x_i$ be"])
def test_raw_tex_is_recognized(text):
    assert RAW_TEX.search(text)


def test_no_raw_tex_is_to_be_seen():
    raw = {name: RAW_TEX.findall(visible_text(page(name))) for name in pages()}
    assert not {name: found for name, found in raw.items() if found}


def test_formulas_are_rendered_in_the_page():
    formulas = [(name, tag) for name in pages() for tag in page(name).select("div.math, span.math")]
    assert len(formulas) > 100
    assert not [(name, tag.get_text()[:80]) for name, tag in formulas if not tag.select_one(".katex math")]
    assert not [name for name in pages() if page(name).select(".katex-error, .MathJax, mjx-container")]


def test_no_formula_script_is_shipped():
    scripts = [
        path.name for path in site().rglob("*.js") if re.search("katex|mathjax", path.name + path.read_text(), re.I)
    ]
    assert not scripts


def test_formulas_have_one_version_of_script_css_and_fonts():
    rendered_by = (Path(katex.__file__).parent / "katex.min.js").read_text()
    css = (site() / "_static" / "katex" / "katex.min.css").read_text()
    [script_version] = set(re.findall(r'version:"([\d.]+)"', rendered_by))
    [css_version] = re.findall(r'\.katex-version:+after\{content:"([\d.]+)"\}', css)
    manifest = (ROOT / "third_party" / "katex" / "manifest.toml").read_text()  # holds the fonts' sha256
    [listed] = re.findall(r'^version = "([\d.]+)"', manifest, re.M)
    assert script_version == css_version == listed


def test_every_public_function_is_in_the_reference():
    documented = anchors("reference/api.html")
    public = [f"{module.__name__}.{name}" for module in (functional, nn) for name in module.__all__]
    assert not [name for name in public if name not in documented]


def test_every_section_that_the_checker_points_to_is_on_its_page():
    missing = {place for place, name in book.PAGES.items() if place not in anchors(f"{name}.html")}
    assert not missing


def notebooks() -> list[Path]:
    return sorted((site() / "_sources").rglob("*.ipynb"))


def test_every_page_with_cells_downloads_as_a_notebook():
    with_cells = {one.stem for one in (ROOT / "book").rglob("*.md") if "{code-cell}" in one.read_text(encoding="utf-8")}
    assert with_cells <= {one.stem for one in notebooks()}
    offered = [link["href"] for link in page("forward/normalize.html").find_all("a", href=True)]
    assert "../_sources/forward/normalize.ipynb" in offered


def test_a_downloaded_notebook_runs_alone(tmp_path):
    """In an empty folder, with the package and nothing of the book beside it."""
    (path,) = [one for one in notebooks() if one.stem == "scale-shift"]
    notebook = nbformat.read(path, 4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert any(cell.get("outputs") for cell in notebook.cells)


def config() -> dict:
    return yaml.safe_load((ROOT / "_config.yml").read_text())


def test_warnings_are_hidden_by_no_one():
    settings = config()["sphinx"]["config"]
    assert settings["suppress_warnings"] == []
    assert "nitpick_ignore" not in settings
    assert "nitpick_ignore_regex" not in settings


def test_the_checker_links_to_the_public_address():
    assert book.ADDRESS.rstrip("/") == config()["html"]["baseurl"].rstrip("/"), "copy html.baseurl to checks/book.py"


def needs_address(html: Path) -> list[str]:
    text = (html / "index.html").read_text()
    found = [mark for mark in ('property="og:', 'rel="canonical"') if mark in text]
    return found + [name for name in ("sitemap.xml",) if (html / name).exists()]


def test_what_needs_a_public_address_is_omitted_while_there_is_none():
    if config()["html"]["baseurl"]:
        pytest.skip("this copy of the course has a public address")
    assert needs_address(site()) == []


def test_a_public_address_is_set_in_one_place(tmp_path):
    settings = config()
    settings["html"]["baseurl"] = "https://course.example/bn/"
    settings["sphinx"]["local_extensions"] = {"bnbook": str(ROOT / "book" / "_ext")}
    settings["sphinx"]["config"]["templates_path"] = [str(ROOT / "book" / "_templates")]
    (tmp_path / "_config.yml").write_text(yaml.safe_dump(settings))
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: index\nchapters: [{file: part/page}]\n")
    (tmp_path / "part").mkdir()
    (tmp_path / "references.bib").touch()
    (tmp_path / "index.md").write_text("# Home\n\nWelcome to $x^2$.\n")
    (tmp_path / "part" / "page.md").write_text("# Page\n\nText.\n")
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    command = [jupyter_book, "build", tmp_path, "-W", "-n", "-q"]
    subprocess.run(command, check=True, capture_output=True, timeout=120)  # waits for a renderer that is left behind
    html = tmp_path / "_build" / "html"
    assert needs_address(html) == ['property="og:', 'rel="canonical"', "sitemap.xml"]
    addresses = re.findall("<loc>(.*)</loc>", (html / "sitemap.xml").read_text())
    assert addresses == ["https://course.example/bn/index.html", "https://course.example/bn/part/page.html"]
    assert (
        'rel="canonical" href="https://course.example/bn/part/page.html"' in (html / "part" / "page.html").read_text()
    )


SLOW_RENDERER = """
import socket, sys, time
path, port = sys.argv[1:]
server = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
server.bind(path or ("127.0.0.1", int(port)))
time.sleep(0.5)
server.listen()
server.settimeout(10)
server.accept()
"""


def test_a_renderer_that_is_slow_to_listen_is_waited_for(tmp_path):
    """Between the two a connection is refused; on a busy machine that ended one build in forty."""
    (tmp_path / "slow.py").write_text(SLOW_RENDERER)
    start = """if True:
        import os, sys, bnbook
        from sphinxcontrib import katex
        def command(socket=None, port=None):
            return [sys.executable, os.path.abspath("slow.py"), str(socket or ""), str(port or "")]
        bnbook.render_strictly()
        katex.KaTeXServer.build_command = command
        katex.KaTeXServer.start().terminate()
        katex.atexit._clear()
        print("heard")
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "book" / "_ext")}
    done = subprocess.run([sys.executable, "-c", start], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout == "heard\n", done.stderr
