"""Is a result older than the code that made it?

A result carries the fingerprint of the experiment's module and of every definition of this package that it reaches by
name, in whatever file. Comments, docstrings and layout don't count: they change no number; nor does a function that
the experiment never calls. Predictions and verdict settings do.
"""

import ast
import hashlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = __name__.partition(".")[0]
IGNORED = {"ctx", "kind", "type_comment"}
WHOLE, ALWAYS = "*", ""
"""Every definition of a module; the statements that run whatever is asked for."""

Piece = tuple[str, str]
"""A module's full name, and the name of one of its definitions."""


@dataclass
class Module:
    """What stands at the top of a module."""

    definitions: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imports: dict[str, Piece] = field(default_factory=dict)
    """What a local name stands for."""
    always: list[ast.stmt] = field(default_factory=list)

    def unnamed(self) -> set[str]:
        """Imports that no definition names: made for what they do, or reached as ``package.module``."""
        nodes = (node for every in self.definitions.values() for one in every for node in ast.walk(one))
        return set(self.imports) - {node.id for node in nodes if isinstance(node, ast.Name)}


@cache
def fingerprint(module: str) -> str:
    """Of a module (its full name) and what it reaches in this package: sixteen hexadecimal digits."""
    digest = hashlib.sha256()
    for (name, piece), statements in sorted(reached(module).items()):
        digest.update(f"{name} {piece}\n{written(statements)}\n".encode())
    return digest.hexdigest()[:16]


def reached(module: str) -> dict[Piece, list[ast.stmt]]:
    """All of a module, and each definition of this package that it needs, directly or not."""
    found: dict[Piece, list[ast.stmt]] = {}
    waiting: list[Piece] = [(module, WHOLE)]
    while waiting:
        name, piece = waiting.pop()
        parsed = read(name)
        if parsed is None or (name, piece) in found:
            continue
        if piece in parsed.imports and piece not in parsed.definitions:
            found[name, piece] = []  # seen; where it comes from is what counts
            waiting.append(parsed.imports[piece])
            continue
        if piece == WHOLE:
            found[name, piece] = []
            waiting += [(name, one) for one in (ALWAYS, *parsed.definitions, *parsed.unnamed())]
        else:
            found[name, piece] = parsed.always if piece == ALWAYS else parsed.definitions.get(piece, [])
            waiting += [(name, ALWAYS), *used(name, found[name, piece])]
    return found


def used(module: str, statements: list[ast.stmt]) -> Iterator[Piece]:
    """The pieces that these statements of a module name: its own, and what it imports."""
    parsed = read(module)
    assert parsed is not None
    nodes = [node for one in statements for node in ast.walk(one)]
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    bases = [id(node.value) for node in nodes if isinstance(node, ast.Attribute)]
    for node in nodes:
        if isinstance(node, ast.Name) and node.id in parsed.definitions:
            yield module, node.id
        elif isinstance(node, ast.Name) and node.id in parsed.imports:
            target, piece = parsed.imports[node.id]
            if piece == WHOLE and id(node) in bases:  # module.function: of the module only what is named
                other = read(target)
                names = {*other.definitions, *other.imports} if other else set()
                yield from ((target, one) for one in attributes & names)
            else:
                yield target, piece


@cache
def read(module: str) -> Module | None:
    """A module of this package, parsed; None for what is none."""
    path = source_of(module)
    if path is None:
        return None
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found = Module()
    for one in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(one, ast.ImportFrom):
            base = importlib.util.resolve_name("." * one.level + (one.module or ""), package)
            for alias in one.names:
                inner = f"{base}.{alias.name}"
                found.imports[alias.asname or alias.name] = (inner, WHOLE) if source_of(inner) else (base, alias.name)
        elif isinstance(one, ast.Import):
            found.imports |= {alias.asname or alias.name: (alias.name, WHOLE) for alias in one.names}
        elif names := names_of(one):
            for name in names:
                found.definitions.setdefault(name, []).append(one)
        elif not is_docstring(one):
            found.always.append(one)
    return found


def names_of(statement: ast.stmt) -> list[str]:
    """What a statement defines; nothing, if it does more than define names."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return [one.id for one in targets if isinstance(one, ast.Name)] if assigns(statement) else []


def assigns(statement: ast.stmt) -> bool:
    """Whether a statement gives plain names a value."""
    if isinstance(statement, ast.Assign):
        return all(isinstance(one, ast.Name) for one in statement.targets)
    return isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)


def source_of(module: str) -> Path | None:
    """The file of a module of this package; None for what is no module, or another package's."""
    if module.partition(".")[0] != PACKAGE or module == PACKAGE:
        return None  # the package's own door imports everything, for convenience
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec is not None and spec.origin else None


def written(node: Any) -> str:
    """A part of a syntax tree: its kind and its fields, but no positions, and nothing empty.

    What is empty or says how something was written differs between versions of Python (``ast.dump`` shows it, and the
    tokens of an f-string do): a result must not be stale because another version reads it.

    >>> written(ast.parse('def f( x ):\\n    "says"\\n    return (x)  #')) == written(ast.parse('def f(x): return x'))
    True
    >>> written(ast.parse('def f(x): return x')) == written(ast.parse('def f(x): return -x'))
    False
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
