"""Right answers to every exercise, written as many students would write them, one module an assignment.

``RIGHT`` maps an exercise to its answers; an answer is the tuple of functions that ``check`` takes. They must be
accepted, and changed in one place they are the wrong answers that the checker is measured on: hence plain ``def``s that
need only ``np``, ``math`` and their own body.
"""

from importlib import import_module
from pathlib import Path

from bncourse.checks.assignments import ORDER

RIGHT = {}
for module in ORDER:
    if (Path(__file__).parent / f"{module}.py").exists():
        RIGHT.update(import_module(f"{__name__}.{module}").RIGHT)
