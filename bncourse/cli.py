"""What can be done from the command line? ``bncourse --help`` says it.

Exit codes: 0 all right; 1 something is wrong (an answer, a result that is missing or older than its code); 2 it cannot
be done as asked.
"""

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import __version__, evidence
from .checks.assignments import ASSIGNMENTS
from .checks.notebooks import Unusable, check_notebook
from .release import ReleaseFailed, release
from .starting import CannotStart, available, start

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

    begun = commands.add_parser("start", help="copy an assignment into this folder", description=begin.__doc__)
    begun.add_argument("assignment", help=f"one of: {', '.join(available())}")
    begun.set_defaults(run=begin)

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
    add_evidence(commands)
    return top


def add_evidence(commands: Any) -> None:
    """``bncourse evidence run`` and ``bncourse evidence table``."""
    trials = commands.add_parser("evidence", help="the claims on trial: run them, print the verdicts")
    actions = trials.add_subparsers(title="actions", required=True, metavar="action")

    again = actions.add_parser("run", help="run experiments and keep their results", description=run_evidence.__doc__)
    again.add_argument("name", nargs="*", help=f"all, when left out, or some of: {', '.join(evidence.NAMES)}")
    again.add_argument("--seeds", type=int, metavar="N", help="trials each (the experiment's own number)")
    again.add_argument("--jobs", type=int, default=1, metavar="N", help="processes side by side (1); changes no number")
    again.add_argument("--into", type=Path, metavar="FOLDER", help="keep results there, not where the book reads them")
    again.set_defaults(run=run_evidence)

    table = actions.add_parser("table", help="print the verdicts", description=print_verdicts.__doc__)
    table.add_argument("--from", dest="folder", type=Path, metavar="FOLDER", help="of the results in this folder")
    table.set_defaults(run=print_verdicts)


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


def begin(options: argparse.Namespace) -> int:
    """Copy an assignment out of the package into the current folder. What is there already is never overwritten."""
    try:
        path = start(options.assignment, Path())
    except CannotStart as reason:
        print(f"bncourse: {reason}", file=sys.stderr)
        return UNUSABLE
    print(f"Your notebook is {path}. Open it with: jupyter lab {path}")
    return RIGHT


def make_release(options: argparse.Namespace) -> int:
    """Generate exercises/ from solutions/ with nbgrader. The same sources give the same bytes."""
    try:
        for path in release(options.course, options.assignment):
            print(f"made {path}")
    except ReleaseFailed as reason:
        print(f"bncourse: {reason}", file=sys.stderr)
        return UNUSABLE
    return RIGHT


def run_evidence(options: argparse.Namespace) -> int:
    """Run experiments on one thread each and keep their results for the book: seconds to a minute each."""
    unknown = [name for name in options.name if name not in evidence.NAMES]
    if unknown:
        print(
            f"bncourse: no experiment is called {', '.join(unknown)}; there are {', '.join(evidence.NAMES)}",
            file=sys.stderr,
        )
        return UNUSABLE
    if (options.seeds is not None and options.seeds < 2) or options.jobs < 1:
        print("bncourse: an interval needs --seeds 2 or more, and --jobs is 1 or more", file=sys.stderr)
        return UNUSABLE
    if options.into is not None and not options.into.is_dir():
        return no_folder(options.into)
    try:
        from .evidence import record, running
    except ImportError as missing:
        return without_extra(missing)
    folder = options.into or record.RESULTS
    try:
        for path in running.run(options.name or evidence.NAMES, seeds=options.seeds, jobs=options.jobs, folder=folder):
            print(f"kept {path}")
    except ValueError as reason:  # an experiment that cannot be fair: a grid too narrow, an effect left out
        print(f"bncourse: {reason}", file=sys.stderr)
        return WRONG
    except KeyboardInterrupt:
        print("bncourse: stopped; experiments that were whole are kept", file=sys.stderr)
        return UNUSABLE
    return RIGHT


def print_verdicts(options: argparse.Namespace) -> int:
    """Print the verdict table of the kept results; says which are missing or older than their code."""
    try:
        from .evidence import record, table
    except ImportError as missing:
        return without_extra(missing)
    if options.folder is not None and not options.folder.is_dir():
        return no_folder(options.folder)
    fresh, folder = [], options.folder or record.RESULTS
    for one in evidence.experiments():
        try:
            record.load(one, folder)
        except record.Stale as reason:
            print(f"bncourse: {reason}", file=sys.stderr)
        else:
            fresh.append(one)
    if fresh:
        print(table.text(table.judge(fresh, folder)))
    return RIGHT if len(fresh) == len(evidence.NAMES) else WRONG


def no_folder(path: Path) -> int:
    """A folder that was asked for is missing."""
    print(f"bncourse: there is no folder {path}", file=sys.stderr)
    return UNUSABLE


def without_extra(missing: ImportError) -> int:
    """What to install."""
    print(f"bncourse: {missing.name} is missing: pip install 'bncourse[evidence]'", file=sys.stderr)
    return UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
