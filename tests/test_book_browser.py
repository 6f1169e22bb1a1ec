"""The book in a real Chromium: it asks no other server, nothing overflows, and assistive software can read it."""

import os
from collections.abc import Iterator

import browser_chromium
import pytest
import yaml
from axe_playwright_python.base import AXE_SCRIPT
from browser_chromium import SERIOUS, watched
from built_book import ROOT, site
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


def page_names() -> list[str]:
    """The pages of the table of contents and Sphinx's own two; not read from the site, which is built later."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [toc["root"]] + [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    return [f"{name}.html" for name in [*files, "genindex", "search"]]


PAGES = page_names()
LAYOUTS_LEFT = ((390, "light"), (1280, "dark"))
FULL = bool(os.environ.get("BNCOURSE_FULL"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browser_chromium.started() as one:
        yield one


@pytest.fixture(scope="module")
def home() -> Iterator[str]:
    with browser_chromium.served(site()) as address:
        yield address


# Elements that reach beyond the window's right edge, unless something around them scrolls or hides the rest.
OVERFLOWING = """() => {
  const edge = document.documentElement.clientWidth + 1;
  const boxed = element => {
    for (let box = element; box && box !== document.body; box = box.parentElement)
      if (getComputedStyle(box).overflowX !== 'visible' && box.getBoundingClientRect().right <= edge) return true;
    return false;
  };
  return [...document.querySelectorAll('article *')]
    .filter(one => one.getClientRects().length && one.getBoundingClientRect().right > edge && !boxed(one))
    .map(one => one.outerHTML.slice(0, 120));
}"""

# Formulas whose beginning lies left of the box they scroll in: no scrolling leads there.
CUT_OFF = """() => [...document.querySelectorAll('article .katex-display .base')].filter(one => {
  let box = one.parentElement;
  while (box !== document.body && getComputedStyle(box).overflowX === 'visible') box = box.parentElement;
  const start = Math.max(box.getBoundingClientRect().left, 0) - box.scrollLeft;
  return one.getClientRects().length && one.getBoundingClientRect().left < start - 1;
}).map(one => one.closest('.math').querySelector('annotation').textContent)"""

FONTS = (
    "() => document.fonts.ready.then(() => [...document.fonts].filter(f => f.status === 'loaded').map(f => f.family))"
)


def lay_out(page: Page, width: int, scheme: str) -> None:
    """Give the open page another width and colour scheme, as turning a phone or the evening would."""
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function("scheme => document.documentElement.dataset.theme === scheme", arg=scheme)
    page.wait_for_timeout(600)  # colours fade, and the theme makes boxes that now scroll reachable by keyboard


# axe walks every element, also of what it is told to leave out: a drawn formula becomes a box of the same size.
BOXED = """() => document.querySelectorAll('.katex-html').forEach(formula => {
  const {width, height} = formula.getBoundingClientRect(), box = document.createElement('span');
  box.style.cssText = `display: inline-block; width: ${width}px; height: ${height}px`;
  formula.replaceChildren(box);
})"""


@pytest.mark.parametrize("name", PAGES)
def test_page(browser: Browser, home: str, name: str) -> None:
    """One load answers all questions, since a load takes longer than they do: layout wide and light, narrow and dark;
    no serious or critical violation that axe-core knows in one of the layouts that are left (`make audit`: in both)."""
    with watched(browser, home, 1280, "light") as seen:
        seen.page.goto(home + name, wait_until="networkidle")
        for width, scheme in ((1280, "light"), (390, "dark")):
            lay_out(seen.page, width, scheme)
            assert seen.page.evaluate(OVERFLOWING) == [], f"reaches beyond the window at {width} px"
            assert seen.page.evaluate(CUT_OFF) == [], f"formulas cut at the left at {width} px"
            assert seen.page.evaluate("document.scrollingElement.scrollWidth") <= width, "the page scrolls sideways"
        if seen.page.locator(".katex").count():
            assert "KaTeX_Main" in seen.page.evaluate(FONTS), "formulas in another font"
        assert seen.foreign == [], "asks another server"
        assert seen.failed == [], "asks for what is not there"
        assert seen.errors == [], "an error in a script"
        seen.page.evaluate(AXE_SCRIPT)
        seen.page.evaluate(BOXED)
        for width, scheme in LAYOUTS_LEFT if FULL else [LAYOUTS_LEFT[PAGES.index(name) % 2]]:
            lay_out(seen.page, width, scheme)
            assert seen.page.evaluate(SERIOUS) == [], f"at {width} px, {scheme}"


def test_the_watch_sees_what_it_watches_for(browser: Browser, tmp_path) -> None:
    (tmp_path / "index.html").write_text(
        "<!doctype html><html><head><title>x</title><link rel=stylesheet href='https://fonts.example/x.css'></head>"
        "<body><article><div style='width:3000px'>wide</div><img src='gone.png'></article>"
        "<script>const a = 1</script><script>const a = 2</script></body></html>"
    )
    with browser_chromium.served(tmp_path) as address, watched(browser, address, 390, "light") as seen:
        seen.page.goto(address, wait_until="networkidle")
        assert seen.foreign == ["https://fonts.example/x.css"]
        assert "gone.png" in " ".join(seen.failed)
        assert any("already been declared" in error for error in seen.errors)
        assert seen.page.evaluate("document.scrollingElement.scrollWidth") > 390
        assert seen.page.evaluate(OVERFLOWING)
        seen.page.evaluate(AXE_SCRIPT)
        assert any("image-alt" in one for one in seen.page.evaluate(SERIOUS))


def test_search_finds_a_page(browser: Browser, home: str) -> None:
    with watched(browser, home, 1280, "light") as seen:
        seen.page.goto(home + "search.html?q=broadcast")
        seen.page.wait_for_selector("#search-results li a")
        found = [link.get_attribute("href") for link in seen.page.locator("#search-results li a").all()]
        assert any("prerequisites.html" in address for address in found)
        assert seen.errors == []


def test_a_hidden_answer_opens_by_keyboard(browser: Browser, home: str) -> None:
    with watched(browser, home, 1280, "light") as seen:
        seen.page.goto(home + "prerequisites.html", wait_until="networkidle")
        answer = seen.page.locator(".solution.dropdown").first
        text = answer.locator("p").last
        assert not text.is_visible()
        answer.locator("button, summary").first.press("Enter")
        text.wait_for(state="visible")


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_without_a_chromium_tests_skip_but_not_in_ci(monkeypatch, tmp_path, ci, outcome) -> None:
    class Nothing:
        class chromium:
            executable_path = str(tmp_path / "none")

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", ci)
    monkeypatch.delenv("BNCOURSE_CHROMIUM", raising=False)
    with pytest.raises(outcome, match="apt install chromium"):
        browser_chromium.chromium(Nothing())


def test_a_named_chromium_that_is_not_there_is_an_error(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("BNCOURSE_CHROMIUM", os.fspath(tmp_path / "chromium"))
    with pytest.raises(pytest.fail.Exception, match="no program lies there"):
        browser_chromium.chromium(None)
