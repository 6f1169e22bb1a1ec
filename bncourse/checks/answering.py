"""What do the answers of a notebook come to? Run as a process of its own by :mod:`.notebooks`.

The cells come on standard input as JSON. They run in one plain namespace, without IPython: lines that begin with ``%``
or ``!`` are left out. A cell that fails does not end the others. The result is written to a file.
"""

import json
import linecache
import sys
import types
from pathlib import Path
from typing import Any

from .assignments import ASSIGNMENTS, TRANSFERS
from .calling import class_name, message
from .marking import check
from .surroundings import quiet
from .transfer import bundled, points_elsewhere


def namespace_of(cells: list[dict[str, str]]) -> tuple[dict[str, Any], list[str]]:
    """Run the cells; returns what they defined, and a sentence for each cell that failed."""
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    namespace, remarks = vars(module), []
    for cell in cells:
        source = python_of(cell["source"])
        name = f"<cell {cell['id']}>"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        try:
            with quiet():
                exec(compile(source, name, "exec"), namespace)
        except KeyboardInterrupt:
            raise
        except BaseException as raised:  # also SystemExit: an exit() in one cell is no reason to skip the others
            remarks.append(f"cell {cell['id']} stopped with {class_name(raised)}{message(raised)}.")
    return namespace, remarks


def python_of(source: str) -> str:
    """A cell without what only IPython understands."""
    if source.lstrip().startswith("%%"):
        return ""
    return "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in source.splitlines())


def checked(assignment: str, cells: list[dict[str, str]], seed: int | None) -> dict[str, Any]:
    """Every exercise of the assignment, checked on what the cells define; of the last, when it is marked."""
    last, _ = TRANSFERS.get(assignment, ("", 0))
    here = bundled(last)  # before the cells run: they share this process
    namespace, remarks = namespace_of(cells)
    exercises = (*ASSIGNMENTS[assignment], *([here] if here else []))
    needed = dict.fromkeys(name for exercise in exercises for name in exercise.functions)
    missing = [name for name in needed if name not in namespace]
    reports = [
        check(exercise.name, *(namespace[name] for name in exercise.functions), seed=seed)
        for exercise in exercises
        if not set(exercise.functions) & set(missing)
    ]
    later = [str(check(last))] if points_elsewhere(last) else []
    return {
        "texts": [str(report) for report in reports] + later,
        "points": sum(report.points for report in reports),
        "max_points": sum(exercise.points for exercise in exercises),
        "passed": all(report.passed for report in reports),
        "missing": missing,
        "remarks": remarks,
    }


def main() -> None:
    """Read the cells, write the result."""
    assignment, target, seed = sys.argv[1:]
    result = checked(assignment, json.load(sys.stdin), json.loads(seed))
    Path(target).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
