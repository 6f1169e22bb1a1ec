"""Does `make links` tell a link that is fine from one that is broken, and both from a server that does not answer?

The only server asked is one of the test's own, so no network is needed.
"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))
import links

SILENT = "http://127.0.0.1:9/"  # the port of "discard": refused at once


class Answers(BaseHTTPRequestHandler):
    """A site with one page, one that has moved, one that is for people only; it does not know HEAD."""

    def do_GET(self):
        code = {"/here": 200, "/moved": 301, "/people-only": 403}.get(self.path, 404)
        self.send_response(code)
        if code == 301:
            self.send_header("Location", "/here")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server():
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()


@pytest.fixture
def site(tmp_path):
    """Writes pages, and says how each link of them ends."""

    def write(**pages):
        for name, body in pages.items():
            (tmp_path / f"{name}.html").write_text(f"<html><body>{body}</body></html>", encoding="utf-8")
        return tmp_path

    return write


def ends(found):
    return {address: how for address, (how, _, _) in found.items()}


@pytest.mark.parametrize(
    ("path", "how", "what"),
    [
        ("/here", links.FINE, ""),
        ("/moved", links.FINE, "now at"),
        ("/nowhere", links.BROKEN, "404"),
        ("/people-only", links.UNCLEAR, "403"),
    ],
)
def test_a_server_that_answers(server, path, how, what):
    end, said = links.ask(server + path, seconds=5)
    assert end == how
    assert what in said
    assert bool(what) == bool(said)


def test_a_server_that_does_not_answer_is_no_broken_link():
    how, said = links.ask(SILENT, seconds=5)
    assert how == links.UNCLEAR
    assert "nobody answers" in said


def test_each_address_is_asked_once_and_names_its_pages(server, site):
    one = f'<a href="{server}/here#part">a</a>'
    found = links.follow(site(index=one, other=one + f'<a href="{server}/nowhere">b</a>'), pause=0)
    assert ends(found) == {f"{server}/here": links.FINE, f"{server}/nowhere": links.BROKEN}
    assert found[f"{server}/here"][2] == ["index.html", "other.html"]


def test_links_inside_the_site(site):
    body = '<p id="part"></p>' + "".join(
        f'<a href="{one}">x</a>'
        for one in ("#part", "index.html#part", "#", "mailto:a@b", "#none", "gone.html", "../up.html")
    )
    found = links.follow(site(index=body))
    assert {address.split(" -> ")[1] for address, how in ends(found).items() if how == links.BROKEN} == {
        "#none",
        "gone.html",
        "../up.html",
    }
    assert {address.split(" -> ")[1] for address, how in ends(found).items() if how == links.FINE} == {
        "#part",
        "index.html#part",
    }


@pytest.mark.parametrize(
    ("hrefs", "code"), [(["index.html"], 0), (["index.html", SILENT], 2), (["gone.html", SILENT], 1)]
)
def test_exit_code_and_last_line(site, capsys, hrefs, code):
    found = links.follow(site(index="".join(f'<a href="{one}">x</a>' for one in hrefs)), pause=0)
    assert links.report(found) == code
    assert f"{len(hrefs)} links" in capsys.readouterr().out.splitlines()[-1]


def test_no_network_is_asked_for_what_stays_inside(site, monkeypatch):
    monkeypatch.setattr(links, "urlopen", None)
    assert ends(links.follow(site(index=f'<a href="{SILENT}">x</a><a href="index.html">y</a>'), outside=False)) == {
        "index.html -> index.html": links.FINE
    }
