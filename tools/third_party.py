"""Does the site ship only what is listed, with its licence?

    python tools/third_party.py          says what is not listed, gone or different; needs a built book
    python tools/third_party.py --write  brings the sha256 of third_party/*/manifest.toml and THIRD_PARTY.md up to date

A manifest says what a thing is, which files of the site are its (`patterns`) and what they are (`files`, sha256). A new
thing needs a new folder with a manifest and the licence's text: that is a decision, so nothing here makes it.
"""

import argparse
import hashlib
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
HTML = ROOT / "_build" / "html"
MANIFESTS = ROOT / "third_party"
LIST = ROOT / "THIRD_PARTY.md"

# What the course's own text becomes. The pages' frame comes from the themes' templates, which their manifests list.
OWN = ("*.html", "_sources/*", "_images/*", "searchindex.js", "objects.inv", ".buildinfo", "sitemap.xml")

HEAD = """\
# What the published site ships that others made

Written by `python tools/third_party.py --write` from `third_party/*/manifest.toml`; a test fails when the site holds a
file that is not listed there, or a listed one that differs. Licence texts lie in the same folders.

The `bncourse` package itself ships one thing of others, the images of handwritten digits in `bncourse/data/digits.npz`:
[where they come from, and their licence](bncourse/data/LICENSE-digits.md) (CC BY 4.0).

| | version | licence | what it does here | source |
|---|---|---|---|---|
"""


def manifests() -> dict[Path, dict[str, Any]]:
    """Every manifest, by its path."""
    return {path: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(MANIFESTS.glob("*/manifest.toml"))}


def sha256(path: Path) -> str:
    """Of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def made_by_others(html: Path = HTML) -> dict[str, str]:
    """The sha256 of every file of the site that does not come from this repository, by its path in the site."""
    ours = {f"_static/{path.name}": sha256(path) for path in (ROOT / "book" / "_static").glob("*") if path.is_file()}
    files = {path.relative_to(html).as_posix(): path for path in sorted(html.rglob("*")) if path.is_file()}
    others = {name: sha256(path) for name, path in files.items() if not any(fnmatch(name, own) for own in OWN)}
    return {name: digest for name, digest in others.items() if ours.get(name) != digest}


def owner(name: str, known: dict[Path, dict[str, Any]]) -> Path | None:
    """The manifest that a file of the site belongs to."""
    return next((path for path, one in known.items() if any(fnmatch(name, own) for own in one["patterns"])), None)


def problems(html: Path = HTML) -> list[str]:
    """In what the site and the manifests differ, one sentence each."""
    shipped, known = made_by_others(html), manifests()
    listed = {name: digest for one in known.values() for name, digest in one["files"].items()}
    found = [f"{name} is shipped and not listed" for name in shipped if name not in listed]
    found += [f"{name} is listed and not shipped" for name in listed if name not in shipped]
    return found + [f"{name} differs" for name in shipped if name in listed and listed[name] != shipped[name]]


def table() -> str:
    """THIRD_PARTY.md."""
    rows = []
    for path, one in manifests().items():
        folder = path.parent.relative_to(ROOT).as_posix()
        texts = ", ".join(f"[{text}]({folder}/{text})" for text in one["licence_files"])
        rows.append(
            f"| [{one['name']}]({folder}/manifest.toml) | {one['version']} | {one['licence']} ({texts}) "
            f"| {one['purpose']} | <{one['source']}> |\n"
        )
    return HEAD + "".join(rows)


def write(html: Path = HTML) -> None:
    """Put the sha256 of what is shipped into the manifests whose patterns it fits, and the table into its file."""
    shipped, known = made_by_others(html), manifests()
    for path in known:
        text = path.read_text(encoding="utf-8").split("[files]")[0]
        mine = {name: digest for name, digest in shipped.items() if owner(name, known) == path}
        lines = "".join(f'"{name}" = "{digest}"\n' for name, digest in sorted(mine.items()))
        path.write_text(f"{text}[files]\n{lines}", encoding="utf-8")
    LIST.write_text(table(), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Does the site ship only what is listed, with its licence?")
    parser.add_argument("--write", action="store_true", help="bring sha256 and THIRD_PARTY.md up to date")
    parser.add_argument("--html", type=Path, default=HTML, help="the built site")
    arguments = parser.parse_args()
    if arguments.write:
        write(arguments.html)
    for sentence in (left := problems(arguments.html)):
        print(sentence)
    sys.exit(bool(left))
