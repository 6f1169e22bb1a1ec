"""Where are the exercises whose answers are not published?

Each assignment ends with one. Its reference and its checks lie in a bundle beside the instructor's notebook,
``<assignment>/transfer/``, a small package with ``EXERCISES``; the environment variable ``BNCOURSE_TRANSFER`` names the
folder of the assignments, and nbgrader_config.py sets it for the grader. Without it, ``check`` only says when the
exercise is marked.
"""

import os
import sys
import zlib
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from .assignments import TRANSFERS
from .exercise import Exercise

VARIABLE = "BNCOURSE_TRANSFER"


def points_elsewhere(name: object) -> float | None:
    """What a transfer exercise is worth that cannot be marked here; None for every other name."""
    worth = dict(TRANSFERS.values())
    return worth.get(name) if isinstance(name, str) and not os.environ.get(VARIABLE) else None


def bundled(name: str) -> Exercise | None:
    """The exercise of that name in the bundles, if there is one.

    A transfer exercise of the course that is missing where bundles are looked for raises ``LookupError``: to go on
    would silently cost every student its points.
    """
    folder = os.environ.get(VARIABLE)
    if not folder:
        return None
    owner = next((assignment for assignment, (its, _) in TRANSFERS.items() if its == name), None)
    for door in sorted(Path(folder).glob(f"{owner or '*'}/transfer/__init__.py")):
        for exercise in exercises_in(door.resolve()):
            if exercise.name == name:
                return exercise
    if owner is not None:
        raise LookupError(f'{VARIABLE} is {folder}, but "{name}" is not in {Path(folder, owner, "transfer")}.')
    return None


@cache
def exercises_in(door: Path) -> tuple[Exercise, ...]:
    """The exercises of a bundle, imported under a name of its own, so that its modules import each other relatively."""
    name = f"_bncourse_transfer_{zlib.crc32(str(door).encode()):x}"
    spec = spec_from_file_location(name, door, submodule_search_locations=[str(door.parent)])
    assert spec is not None  # of a file that ends in .py there is always one
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    exercises: tuple[Exercise, ...] = module.EXERCISES
    return exercises
