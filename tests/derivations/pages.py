"""Which equations does the book display, in the order of reading?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "book"
LABEL = re.compile(r"(def|eq|approx)-[a-z0-9]+(-[a-z0-9]+)*")
#: Fenced blocks whose text is shown as it is: a `$$` there is no equation.
VERBATIM = {
    "code-cell",
    "code-block",
    "code",
    "literalinclude",
    "raw",
    "eval-rst",
    "figure",
    "image",
    "bibliography",
    "toctree",
    "doctest",
}


@dataclass(frozen=True)
class Equation:
    """One displayed equation; `start` is where its TeX begins in the text of its page."""

    label: str
    tex: str
    page: str
    line: int
    start: int

    @property
    def kind(self) -> str:
        return self.label.split("-")[0]


@dataclass(frozen=True)
class Page:
    name: str
    text: str
    equations: tuple[Equation, ...]
    problems: tuple[str, ...]  # displayed equations that no test would read

    @property
    def code(self) -> str:
        """What the page's cells run."""
        return "\n".join(
            re.findall(r"^(?:`{3,}|~{3,})\{code-cell\}.*?^(?:`{3,}|~{3,})\s*$", self.text, re.MULTILINE | re.DOTALL)
        )


def reading_order(book: Path = BOOK, toc: Path | None = None) -> list[Path]:
    """The pages as `_toc.yml` lists them; pages it does not list come last."""
    listed: list[Path] = []

    def visit(entry: object) -> None:
        if isinstance(entry, dict):
            for key in ("root", "file"):
                if key in entry:
                    listed.append(book / f"{entry[key]}.md")
            for value in entry.values():
                visit(value)
        elif isinstance(entry, list):
            for item in entry:
                visit(item)

    toc = toc or book.parent / "_toc.yml"
    if toc.exists():
        visit(yaml.safe_load(toc.read_text(encoding="utf-8")))
    found = sorted(book.rglob("*.md"))
    return [path for path in listed if path in found] + [path for path in found if path not in listed]


def read_book(book: Path = BOOK) -> list[Page]:
    return [
        read_page(path.read_text(encoding="utf-8"), path.relative_to(book).as_posix()) for path in reading_order(book)
    ]


DISPLAY = re.compile(r"(?<!\\)\$\$(?P<tex>.*?)(?<!\\)\$\$[ \t]*(?:\((?P<label>[^()\s]+)\))?", re.DOTALL)
DIRECTIVE = re.compile(
    r"^[ \t]*(?P<fence>`{3,}|~{3,}|:{3,})\{math\}[^\n]*\n(?P<body>.*?)^[ \t]*(?P=fence)[ \t]*$",
    re.DOTALL | re.MULTILINE,
)
CLAIM = re.compile(r"=|<|>|\\(approx|le|ge|leq|geq|ne|neq|equiv|sim|propto|coloneqq)(?![a-zA-Z])")


def read_page(text: str, name: str) -> Page:
    """The labelled equations of a page, and complaints about displayed ones that carry no label of ours."""
    visible = _without_verbatim(text)
    equations, problems = [], []
    found = [(m.start("tex"), m["tex"], m["label"]) for m in DISPLAY.finditer(visible)]
    rest = DISPLAY.sub(lambda m: " " * len(m.group()), visible)
    for match in DIRECTIVE.finditer(rest):
        label = re.search(r"^[ \t]*:label:[ \t]*(\S+)[ \t]*\n", match["body"], re.MULTILINE)
        options = re.match(r"(?:[ \t]*:[a-z]+:[^\n]*\n)*", match["body"]).end()
        found.append((match.start("body") + options, match["body"][options:], label[1] if label else None))
    rest = DIRECTIVE.sub(lambda m: " " * len(m.group()), rest)
    for start, tex, label in sorted(found):
        line = text.count("\n", 0, start) + 1
        if label is None:
            if CLAIM.search(tex):
                problems.append(f"{name}:{line}: a displayed equation without label: {' '.join(tex.split())[:60]}")
        elif not LABEL.fullmatch(label):
            problems.append(f"{name}:{line}: the label {label} does not begin with def-, eq- or approx-")
        else:
            equations.append(Equation(label, tex, name, line, start))
    for match in re.finditer(
        r"(?<!\\)\$\$|\\begin\{(?:equation|align|gather|multline|aligned)\*?\}|^\s*\\\[", rest, re.MULTILINE
    ):
        line = text.count("\n", 0, match.start()) + 1
        problems.append(
            f"{name}:{line}: displayed TeX that is not read ({match.group().strip()}): write $$ … $$ (label)"
        )
    return Page(name, text, tuple(equations), tuple(problems))


FENCE = re.compile(r"^[ \t]*(?P<fence>`{3,}|~{3,}|:{3,})(?P<info>[^\n`]*)$")


def _without_verbatim(text: str) -> str:
    """The text with header, code and comments blanked, so that positions stay."""
    lines = text.split("\n")
    kept: list[str] = []
    code: str | None = None  # the fence that closes the verbatim block we are in
    header = bool(lines) and lines[0] == "---"
    for number, line in enumerate(lines):
        blank = " " * len(line)
        if header:
            header = not (number and line == "---")
            kept.append(blank)
            continue
        fence = FENCE.match(line)
        if code is not None:
            if (
                fence
                and not fence["info"].strip()
                and fence["fence"][0] == code[0]
                and len(fence["fence"]) >= len(code)
            ):
                code = None
            kept.append(blank)
        elif fence and _is_verbatim(fence["fence"], fence["info"].strip()):
            code = fence["fence"]
            kept.append(blank)
        elif line.startswith("%"):
            kept.append(blank)
        else:
            kept.append(re.sub(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", lambda m: " " * len(m.group()), line))
    return "\n".join(kept)


def _is_verbatim(fence: str, info: str) -> bool:
    """An opening fence that shows code: ```python, ```{code-cell}; a bare ::: or ``` that closes a directive is not."""
    if info.startswith("{"):
        return info[1:].split("}")[0] in VERBATIM
    return bool(info) and fence[0] != ":"
