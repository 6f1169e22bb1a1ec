"""Is a result older than the code that made it?

A result carries the fingerprint of the experiment's module and of everything of this package that it imports, directly
or not. Comments, docstrings and layout don't count: they change no number. Predictions and verdict settings do.
"""

import ast
import hashlib
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = __name__.partition(".")[0]
IGNORED = {"ctx", "kind", "type_comment"}


@cache
def fingerprint(module: str) -> str:
    """Of a module (its full name) and what it imports from this package: sixteen hexadecimal digits."""
    digest = hashlib.sha256()
    for name, path in sorted(sources(module).items()):
        digest.update(f"{name}\n{essence(path.read_text(encoding='utf-8'))}\n".encode())
    return digest.hexdigest()[:16]


def sources(module: str) -> dict[str, Path]:
    """The files of this package that a module needs, by the modules' names."""
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = source_of(name)
        if path is not None and name not in found:
            found[name] = path
            waiting += imported(name, path)
    return found


def source_of(module: str) -> Path | None:
    """The file of a module of this package; None for what is no module, or another package's."""
    if module.partition(".")[0] != PACKAGE or module == PACKAGE:
        return None  # the package's own door imports everything, for convenience
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec is not None and spec.origin else None


def imported(module: str, path: Path) -> list[str]:
    """The names that a module imports, as full names; of ``from a import b`` both a and a.b, which may be a module."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return names


def essence(source: str) -> str:
    """A source without comments, docstrings and layout: its syntax tree as text.

    >>> essence('def f( x ):\\n    "says"\\n    return (x)  # why') == essence('def f(x): return x')
    True
    >>> essence('def f(x): return x') == essence('def f(x): return -x')
    False
    """
    return written(ast.parse(source))


def written(node: Any) -> str:
    """A part of a syntax tree: its kind and its fields, but no positions, and nothing empty.

    What is empty or says how something was written differs between versions of Python (``ast.dump`` shows it, and the
    tokens of an f-string do): a result must not be stale because another version reads it.
    """
    if isinstance(node, list):
        return f"[{' '.join(written(one) for one in node if not is_docstring(one))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = ((name, value) for name, value in ast.iter_fields(node) if name not in IGNORED)
    shown = (f"{name}={written(value)}" for name, value in fields if value is not None and value != [])
    return f"{type(node).__name__}({' '.join(shown)})"


def is_docstring(node: Any) -> bool:
    """Whether this is a statement that is nothing but a string: of a module, class, function or attribute."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
