"""What do the answers in a notebook come to, cell by cell, without Jupyter?

Only the cells that an answer or a check needs are run: plots and training are left to those who run the whole.
"""

import ast
import symtable
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bncourse.checks import Report
from bncourse.checks.answering import python_of
from bncourse.checks.surroundings import quiet

from .submission import Notebook, text_of


@dataclass(frozen=True)
class Ran:
    """What became of the cells."""

    reports: dict[str, Report]
    """Of the check cells that came to one."""
    raised: dict[str, str]
    """Of the other cells: what stopped them."""

    def points(self, cells: dict[str, float]) -> dict[str, float]:
        """Of these check cells; one without a report is worth nothing."""
        return {name: self.reports[name].points if name in self.reports else 0.0 for name in cells}


def mark(cell: dict[str, Any]) -> dict[str, Any]:
    """What nbgrader knows of a cell."""
    mark: dict[str, Any] = cell["metadata"].get("nbgrader", {})
    return mark


def is_check(cell: dict[str, Any]) -> bool:
    return bool(mark(cell).get("grade")) and not mark(cell)["solution"]


def is_answer(cell: dict[str, Any]) -> bool:
    return cell["cell_type"] == "code" and bool(mark(cell).get("solution"))


def is_marked_by_hand(cell: dict[str, Any]) -> bool:
    return bool(mark(cell).get("grade")) and bool(mark(cell)["solution"])


def worth(notebook: Notebook, which: Any) -> dict[str, float]:
    """The points of the cells of one sort."""
    return {cell["id"]: mark(cell)["points"] for cell in notebook["cells"] if which(cell)}


def run(notebook: Notebook) -> Ran:
    """Run what the checks need, in the order of the notebook, in one namespace."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    reports, raised = {}, {}
    for cell in needed(notebook):
        name = f"<cell {cell['id']}>"
        try:
            with quiet():
                tree = ast.parse(python_of(text_of(cell)), name)
                last = ast.Expression(tree.body.pop().value) if is_check(cell) else None  # a test says that it is bare
                exec(compile(tree, name, "exec"), namespace)
                found = None if last is None else eval(compile(last, name, "eval"), namespace)
        except Exception as error:
            raised[cell["id"]] = f"{type(error).__name__}: {error}"
        else:
            if is_check(cell):
                assert isinstance(found, Report), cell["id"]
                reports[cell["id"]] = found
    return Ran(reports, raised)


def needed(notebook: Notebook) -> list[dict[str, Any]]:
    """The checks, the answers, and the cells that define a name they use, themselves or by way of another."""
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    chosen = {cell["id"] for cell in code if is_check(cell) or is_answer(cell)}
    while True:
        wanted = {name for cell in code if cell["id"] in chosen for name in globals_of(cell)}
        more = {cell["id"] for cell in code if wanted & definitions(cell)}
        if more <= chosen:
            return [cell for cell in code if cell["id"] in chosen]
        chosen |= more


def globals_of(cell: dict[str, Any]) -> set[str]:
    """The names that a cell takes from the notebook; none of a cell that is not Python."""
    try:
        return set(used(symtable.symtable(python_of(text_of(cell)), cell["id"], "exec")))
    except SyntaxError:
        return set()


def used(table: symtable.SymbolTable) -> Iterator[str]:
    """The global names of a scope and of those in it."""
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (symbol.is_global() or table.get_type() == "module"):
            yield symbol.get_name()
    for inner in table.get_children():
        yield from used(inner)


def definitions(cell: dict[str, Any]) -> set[str]:
    """The names that a cell gives to the notebook."""
    try:
        table = symtable.symtable(python_of(text_of(cell)), cell["id"], "exec")
    except SyntaxError:
        return set()
    return {one.get_name() for one in table.get_symbols() if one.is_assigned() or one.is_imported()}
