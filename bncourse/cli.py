"""What can be done from the command line? ``bncourse --help`` says it.

Exit codes of ``bncourse check``: 0 all right, 1 something is wrong, 2 the file cannot be used.
"""

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from . import __version__
from .checks.assignments import ASSIGNMENTS
from .checks.notebooks import Unusable, check_notebook
from .release import ReleaseFailed, release

RIGHT, WRONG, UNUSABLE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a Windows console without ✓ gets a ?, not a traceback
    options = parser().parse_args(arguments)
    code: int = options.run(options)
    return code


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(prog="bncourse", description="Batch normalization, derived and checked.")
    top.add_argument("--version", action="version", version=f"bncourse {__version__}")
    commands = top.add_subparsers(title="commands", required=True, metavar="command")

    one = commands.add_parser("check", help="check a notebook's answers, without Jupyter", description=check.__doc__)
    one.add_argument("assignment", help=f"one of: {', '.join(ASSIGNMENTS)}")
    one.add_argument("notebook", type=Path, help="the .ipynb file with your answers")
    one.add_argument("--seed", type=int, help="draw the numbers of an earlier report again")
    one.set_defaults(run=check)

    made = commands.add_parser(
        "release", help="make the students' notebooks from the instructor's", description=make_release.__doc__
    )
    made.add_argument("assignment", nargs="?", help="one assignment (all, when left out)")
    made.add_argument("--course", type=Path, default=Path(), help="the folder with nbgrader_config.py (here)")
    made.set_defaults(run=make_release)
    return top


def check(options: argparse.Namespace) -> int:
    """Run the answers of a notebook in a process of their own and print a report for each exercise."""
    try:
        checked = check_notebook(options.assignment, options.notebook, options.seed)
    except Unusable as reason:
        print(f"bncourse: {reason}", file=sys.stderr)
        return UNUSABLE
    for text in checked.texts:
        print(f"{text}\n")
    print(f"{options.assignment}: {checked.points:g} of {checked.max_points:g} points of the checked exercises.")
    for sentence in checked.remarks:
        print(f"bncourse: {sentence}", file=sys.stderr)
    if checked.missing:
        return UNUSABLE
    return RIGHT if checked.passed else WRONG


def make_release(options: argparse.Namespace) -> int:
    """Generate exercises/ from solutions/ with nbgrader. The same sources give the same bytes."""
    try:
        for path in release(options.course, options.assignment):
            print(f"made {path}")
    except ReleaseFailed as reason:
        print(f"bncourse: {reason}", file=sys.stderr)
        return UNUSABLE
    return RIGHT


if __name__ == "__main__":
    sys.exit(main())
