"""A real Chromium over the built book: found, started, and watched."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, Request, Route, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Without a sandbox because CI runs as root; the rest keeps Chromium from asking its maker for anything.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
HOW_TO_GET_ONE = (
    "no Chromium: set BNCOURSE_CHROMIUM to its path, or install one (Debian: apt install chromium; "
    "anywhere: .venv/bin/playwright install chromium)"
)

# What axe-core finds serious. Formulas are left out: what is drawn of them is hidden from assistive software, which
# reads the MathML beside it.
SERIOUS = """async () => (await axe.run({exclude: [['.katex']]}, {resultTypes: ['violations']})).violations
  .filter(one => ['serious', 'critical'].includes(one.impact))
  .flatMap(one => one.nodes.map(node => `${one.id}: ${node.html.slice(0, 160)}`))"""


def chromium(playwright: Playwright) -> str:
    """The path of one: named by BNCOURSE_CHROMIUM, on PATH, or playwright's. Else the test skips; in CI it fails."""
    named = os.environ.get("BNCOURSE_CHROMIUM")
    if named and not shutil.which(named):
        pytest.fail(f"BNCOURSE_CHROMIUM is {named!r}, and no program lies there", pytrace=False)
    found = named or next(filter(None, map(shutil.which, NAMES)), None) or playwright.chromium.executable_path
    if Path(shutil.which(found) or found).exists():
        return found
    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(HOW_TO_GET_ONE, pytrace=False)
    pytest.skip(HOW_TO_GET_ONE)


@contextmanager
def started() -> Iterator[Browser]:
    """A browser, closed at the end."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(playwright), args=[*FLAGS])
        try:
            yield browser
        finally:
            browser.close()


class Quiet(SimpleHTTPRequestHandler):
    """Static files, without a line for each request."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address at which a folder is served, on a port of its own."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Watched:
    """A page with what happened while it loaded."""

    page: Page
    foreign: list[str] = field(default_factory=list)
    """Requests to anything but the local server."""
    failed: list[str] = field(default_factory=list)
    """Requests that the local server could not answer."""
    errors: list[str] = field(default_factory=list)
    """What went wrong in a script, and errors in the console."""


@contextmanager
def watched(browser: Browser, home: str, width: int, scheme: str) -> Iterator[Watched]:
    """An empty page of that width and colour scheme, watched; requests to elsewhere are noted and not let through."""
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
    seen = Watched(context.new_page())

    def gate(route: Route, request: Request) -> None:
        if request.url.startswith((home, "data:", "blob:")):
            route.continue_()
        else:
            seen.foreign.append(request.url)
            route.abort()

    context.route("**/*", gate)
    seen.page.on("response", lambda answer: answer.status < 400 or seen.failed.append(answer.url))
    seen.page.on("pageerror", lambda error: seen.errors.append(str(error)))
    seen.page.on("console", lambda note: note.type != "error" or seen.errors.append(note.text))
    try:
        yield seen
    finally:
        context.close()
