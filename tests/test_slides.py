"""The lectures' slides: each shows what it says, fits its window, lasts as long as the lecture, and needs no script."""

import sys

import browser_chromium
import pytest
import yaml
from axe_playwright_python.base import AXE_SCRIPT
from browser_chromium import SERIOUS, watched
from built_book import ROOT, page, site

sys.path.append(str(ROOT / "tools"))
import slides

OUTLINES = yaml.safe_load(slides.OUTLINES.read_text(encoding="utf-8"))
TOO_LARGE = """() => [...document.querySelectorAll('main > section')]
  .filter(one => one.getBoundingClientRect().height > innerHeight + 8 || one.scrollWidth > innerWidth)
  .map(one => one.id)"""


@pytest.mark.parametrize("name", OUTLINES)
def test_a_lecture_lasts_as_long_as_its_name_says(name):
    assert sum(slide["minutes"] for slide in OUTLINES[name]["slides"]) == int(name.rpartition("-")[2])


@pytest.mark.parametrize("name", OUTLINES)
def test_every_slide_shows_something_of_a_chapter(name):
    site()
    shown = page(f"slides/{name}.html").select("main > section .shown")
    assert len(shown) == len(OUTLINES[name]["slides"])
    for slide, one in zip(OUTLINES[name]["slides"], shown, strict=True):
        assert len(one.select(".katex-display")) >= len(slide.get("equations", ()))
        assert bool(one.find("img")) == ("picture" in slide)
        assert one.find("img") or one.get_text().strip()


@pytest.mark.parametrize(
    "slide", [{"equations": ["eq-nobody"]}, {"picture": "forward/index 99"}, {"exam": "forward/index"}]
)
def test_a_slide_that_names_what_is_not_there_is_an_error(slide):
    site()
    with pytest.raises(slides.NothingToShow, match=r"eq-nobody|99|In the exam"):
        slides.taken(slide)


@pytest.mark.browser
@pytest.mark.parametrize("name", OUTLINES)
def test_slides_fit_the_projector_and_can_be_read_by_assistive_software(name):
    with (
        browser_chromium.started() as browser,
        browser_chromium.served(site()) as home,
        watched(browser, home, 1280, "light") as seen,
    ):
        seen.page.set_viewport_size({"width": 1280, "height": 720})
        seen.page.goto(f"{home}slides/{name}.html", wait_until="networkidle")
        assert seen.page.evaluate(TOO_LARGE) == []
        assert (seen.foreign, seen.failed, seen.errors) == ([], [], [])
        assert seen.page.locator("script").count() == 0
        seen.page.evaluate(AXE_SCRIPT)
        assert seen.page.evaluate(SERIOUS) == []
