"""Everything that the site ships and others made is listed, with version, sha256, licence and source."""

import importlib.metadata
import importlib.util
import shutil

import pytest
from built_book import ROOT, site


def tool():
    spec = importlib.util.spec_from_file_location("tools_third_party", ROOT / "tools" / "third_party.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


third_party = tool()
MANIFESTS = third_party.manifests()
HOW = "look at it, then: python tools/third_party.py --write"


def test_the_site_ships_nothing_that_is_not_listed():
    assert third_party.problems(site()) == [], HOW


def test_the_list_is_up_to_date():
    assert third_party.table() == third_party.LIST.read_text(encoding="utf-8"), HOW


@pytest.fixture
def copied_site(tmp_path):
    """The site's files without its pages, to be spoilt."""
    for name in third_party.made_by_others(site()):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(site() / name, tmp_path / name)
    assert third_party.problems(tmp_path) == []
    return tmp_path


def test_a_new_file_is_noticed_wherever_it_lies(copied_site):
    (copied_site / "_static" / "tracker.js").write_text("fetch('//a.org')")
    (copied_site / "pyodide.wasm").write_bytes(b"\0asm")
    expected = ["_static/tracker.js is shipped and not listed", "pyodide.wasm is shipped and not listed"]
    assert third_party.problems(copied_site) == expected


def test_a_changed_and_a_missing_file_are_noticed(copied_site):
    (copied_site / "_static" / "doctools.js").write_text("// other")
    (copied_site / "_static" / "katex" / "katex.min.css").unlink()
    assert third_party.problems(copied_site) == [
        "_static/katex/katex.min.css is listed and not shipped",
        "_static/doctools.js differs",
    ]


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.parent.name)
def test_a_manifest_is_complete(path):
    one = MANIFESTS[path]
    assert all(one[key] for key in ("name", "version", "licence", "purpose", "obtained", "patterns", "files"))
    assert one["source"].startswith("https://")
    assert one["licence_files"]
    for text in one["licence_files"]:
        assert len((path.parent / text).read_text(encoding="utf-8")) > 500  # the licence itself, not its name


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.parent.name)
def test_a_manifest_names_the_version_that_is_installed(path):
    one = MANIFESTS[path]
    if "package" in one:
        assert importlib.metadata.version(one["package"]) == one["version"]
    elif one["name"] != "KaTeX":  # its version is compared with the renderer's in test_book_site
        stamped = [site() / name for name in one["files"]] + list((site() / "_static" / "styles").glob("*.css"))
        marks = [f"{one['name']}{gap}{one['version']}" for gap in (" ", " v", "  v")]
        texts = [file.read_text(encoding="utf-8", errors="ignore") for file in stamped]
        assert any(mark in text for text in texts for mark in marks)
