"""How good is the checker? The bank, machine-made mutants, simpler checks, right answers, speed; tables, plain text.

python tools/mutants.py                     everything, on seeds that the diagnosis was not developed with
python tools/mutants.py --reduced           a few of each, in a minute
python tools/mutants.py --only mutants --seed 0 --show unexplained --exercise batchnorm_forward

Development uses seeds 0 to 9; reported are seeds from 100 on, which draw from mutants that share nothing with those.
Exit code 1 when a figure misses its target.
"""

import argparse
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
os.environ.setdefault("OMP_NUM_THREADS", "1")

from mutation import trials  # noqa: E402
from mutation.cases import CASES  # noqa: E402
from mutation.judging import Judgement, assignment_of  # noqa: E402

from bncourse.checks.assignments import ASSIGNMENTS  # noqa: E402

SECTIONS = ("bank", "mutants", "simpler", "right", "speed")
COMPARED = ("forward", "backward", "inference")
"""The assignments that other kinds of check know how to look at."""


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table with columns as wide as they need."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[n]) for row in cells) for n in range(len(head))]
    print(f"\n{title}\n")
    for number, row in enumerate(cells):
        line = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        print("  " + "  ".join(line).rstrip())
        if number == 0:
            print("  " + "  ".join("-" * width for width in widths))


def listed(title: str, lines: Sequence[str], most: int = 40) -> None:
    """What went wrong, one a line."""
    if lines:
        print(f"\n{title}")
        for line in lines[:most]:
            print(f"  {line}")
        if len(lines) > most:
            print(f"  ... and {len(lines) - most} more")


def target(text: str, held: bool) -> bool:
    """A target, and whether it was met."""
    print(f"  {'held  ' if held else 'MISSED'}  {text}")
    return held


def percent(share: float) -> str:
    """A share; 100 % only when it is all of them."""
    return f"{100 * share:.1f} %" if share < 1 else "100 %"


def bank(options: argparse.Namespace) -> bool:
    """The kill matrix."""
    rows, total = [], trials.Bank()
    seeds = range(options.seed, options.seed + (1 if options.reduced else 3))
    for assignment, exercises in chosen(options).items():
        of_one = trials.Bank()
        for result in trials.in_parallel(trials.kill_matrix, [(name, seeds) for name in exercises]):
            of_one += result
        rows.append((assignment, *figures(of_one)))
        total += of_one
    head = ("assignment", "entries", "wrong implementations", "killed", "named as themselves", "pairs", "told apart")
    table("Kill matrix of the bank", head, [*rows, ("all", *figures(total))])
    listed("Accepted:", total.passed)
    listed("Not named as themselves:", total.misnamed)
    listed("Not told apart:", total.alike)
    print()
    return all(
        [
            target("every entry of the bank fails its exercise", not total.passed),
            target("every entry is named as itself, and as nothing else", not total.misnamed),
            target("every pair of entries of an exercise is told apart, or declared equivalent", not total.alike),
            target("at least 95 wrong implementations", total.implementations >= 95 or bool(options.exercise)),
        ]
    )


def figures(one: trials.Bank) -> tuple[object, ...]:
    """A row of the kill matrix."""
    implementations = max(one.implementations, 1)
    return (
        one.entries,
        one.implementations,
        percent(1 - len(one.passed) / implementations),
        percent(1 - len(one.misnamed) / implementations),
        one.pairs,
        percent(1 - len(set(one.alike)) / max(one.pairs, 1)),
    )


def mutants(options: argparse.Namespace) -> bool:
    """Machine-made wrong answers."""
    names = [name for exercises in chosen(options).values() for name in exercises]
    found = trials.mutants(names, options.seed, options.count or (6 if options.reduced else 40))
    head = (
        "made",
        "equivalent",
        "crashing",
        "wrong",
        "killed",
        "explained",
        "identity",
        "in part",
        "wrongly",
        "not",
        "share",
    )
    for by, key in (("assignment", assignment), ("operator", operator), ("exercise", exercise)):
        groups: dict[str, list[Judgement]] = defaultdict(list)
        for one in found:
            groups[key(one)].append(one)
        rows = [(name, *row(trials.counted(some))) for name, some in groups.items()]
        title = f"Mutants, seed {options.seed}, by {by}"
        table(title, (by, *head), [*rows, ("all", *row(trials.counted(found)))])
    for outcome in ("no report", "survived", "named wrongly", *options.show):
        some = [one for one in found if one.outcome == outcome]
        lines = [f"{one.text}\n      said: {' + '.join(one.said) or 'nothing'}; {one.why}" for one in some]
        listed(f"{outcome.capitalize()}:", lines, 400 if outcome in options.show else 40)
    without = sorted({f"{one.exercise}: {' + '.join(one.said)}" for one in found if one.unanchored})
    listed("Said without naming a quantity (judged by the prediction alone):", without)
    total = trials.counted(found)
    print("\n  share: explained truthfully, of those that answer wrongly")
    print("  identity: of the explained ones, those of which only a broken identity is said\n")
    return all(
        [
            target(
                f"at least 300 mutants that are wrong answers: {total.wrong}", total.wrong >= 300 or partial(options)
            ),
            target(f"all of them killed: {total.wrong - total.survived} of {total.wrong}", total.survived == 0),
            target(
                f"at least 75 % of the answering ones explained truthfully: {percent(total.share)}", total.share >= 0.75
            ),
            target(f"none named wrongly: {total.named_wrongly}", total.named_wrongly == 0),
            target(f"always a report: all but {total.no_report}", total.no_report == 0),
        ]
    )


def assignment(one: Judgement) -> str:
    """A group."""
    return assignment_of(one.exercise)


def operator(one: Judgement) -> str:
    """A group."""
    return one.operator


def exercise(one: Judgement) -> str:
    """A group."""
    return one.exercise


def row(one: trials.Count) -> tuple[object, ...]:
    """A row of the mutants' table."""
    said = (one.explained, one.by_identity, one.in_part, one.named_wrongly, one.unexplained)
    return (one.made, one.equivalent, one.crashing, one.answering, percent(one.killed), *said, percent(one.share))


def simpler(options: argparse.Namespace) -> bool:
    """Other kinds of check, on the same wrong answers."""
    names = [name for one, exercises in chosen(options).items() if one in COMPARED for name in exercises]
    found, missed = trials.simpler_checks(names, options.seed, options.count or (3 if options.reduced else 40))
    checks = list(next(iter(found.values()), {}))
    head = ("", *(f"{name}, {what}" for name in found for what in ("wrong", "caught", "share")), "right accepted")
    rows = []
    for name in checks:
        cells: list[object] = []
        for one in found.values():
            caught = one[name]
            cells += [caught.judged or "-", caught.caught if caught.judged else "-"]
            cells.append(percent(caught.share) if caught.judged else "-")
        right = [one[name] for one in found.values()]
        accepts, there = sum(one.accepts_right for one in right), sum(one.right for one in right)
        rows.append((name, *cells, f"{accepts} of {there}"))
    table("What simpler kinds of check catch: the bank, and mutants that answer wrongly", head, rows)
    if "torch slow" not in checks:
        print("\n  (torch cannot be imported here: its gradcheck is left out)")
    listed("Not caught by ours:", missed)
    print()
    return target("ours catches all", not missed)


def right(options: argparse.Namespace) -> bool:
    """Right answers."""
    count = 5 if options.reduced else options.draws
    rows, failures, compared = [], [], 0
    for name, exercises in chosen(options).items():
        there, refused = trials.accepted(exercises, range(options.seed, options.seed + count))
        rows.append((name, there, there * count, there * count - len(refused)))
        failures += refused
        compared += there if name in COMPARED else 0
    table(f"Right answers, {count} seeds each", ("assignment", "answers", "checks", "accepted"), rows)
    listed("Refused:", failures)
    print()
    return all(
        [
            target("every right answer accepted, every time", not failures),
            target(f"at least 40 for forward, backward and inference: {compared}", compared >= 40 or partial(options)),
        ]
    )


def speed(options: argparse.Namespace) -> bool:
    """How long a student waits. One process, nothing beside it."""
    names = [name for exercises in chosen(options).values() for name in exercises]
    if options.reduced:
        names = [name for name in names if name in ("batch_mean", "batchnorm_forward", "batchnorm_backward")]
    found = [trials.speed(name) for name in names]
    rows = [
        (
            one.exercise,
            *(f"{1000 * value:.1f}" for value in (one.passing, one.first, one.failing, one.slowest, one.witness)),
            one.slowest_entry,
        )
        for one in found
    ]
    head = ("exercise", "passing", "first failing", "failing (median)", "slowest", "with witness", "the slowest is")
    table("Speed in ms on one core, the fastest of three", head, rows)
    took, memory = imported()
    print(f"\n  import bncourse, beyond NumPy's own: {1000 * took:.0f} ms; peak memory: {memory:.0f} MB\n")
    return all(
        [
            target("a passing check takes at most 10 ms", max(one.passing for one in found) <= 0.010),
            target("a failing one with its diagnosis at most 60 ms", max(one.slowest for one in found) <= 0.060),
            target("with the witness at most 300 ms", max(one.witness for one in found) <= 0.300),
            target("importing bncourse takes under 150 ms beyond NumPy", took < 0.150),
            target("under 100 MB", memory < 100),
        ]
    )


def imported() -> tuple[float, float]:
    """Seconds that importing bncourse adds to NumPy; peak memory (MB) of a notebook in which every mistake is made."""

    def run(code: str) -> str:
        command = [sys.executable, "-c", code]
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    timed = "import numpy, time; start = time.perf_counter(); import bncourse; print(time.perf_counter() - start)"
    notebook = (
        "import resource; from bncourse import check; from bncourse.checks.assignments import ASSIGNMENTS\n"
        "for e in ASSIGNMENTS[{!r}]:\n"
        "    check(e.name, *e.reference)\n"
        "    for m in e.misconceptions: check(e.name, *e.bank(m.implementations[0])).witness\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    return min(float(run(timed)) for _ in range(5)), max(float(run(notebook.format(name))) for name in ASSIGNMENTS)


def chosen(options: argparse.Namespace) -> dict[str, list[str]]:
    """Assignment -> the exercises that were asked for."""
    found = {
        name: [one.name for one in exercises if one.name in CASES and one.name in (options.exercise or CASES)]
        for name, exercises in ASSIGNMENTS.items()
    }
    return {name: exercises for name, exercises in found.items() if exercises}


def partial(options: argparse.Namespace) -> bool:
    """Whether only a part was asked for, so that numbers of things are no target."""
    return bool(options.reduced or options.exercise or options.count)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description="How good is the checker?")
    parser.add_argument("--reduced", action="store_true", help="a few of each")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS, help="these sections")
    parser.add_argument("--exercise", nargs="+", choices=list(CASES), help="these exercises")
    parser.add_argument("--seed", type=int, default=100, help="below 100: development; from 100 on: to be reported")
    parser.add_argument("--count", type=int, default=0, help="mutants of each exercise (40)")
    parser.add_argument("--draws", type=int, default=200, help="seeds of each right answer")
    parser.add_argument(
        "--show", nargs="+", default=[], choices=("unexplained", "in part", "crashing", "equivalent", "explained")
    )
    options = parser.parse_args(arguments)
    held = True
    for name in options.only:
        start = time.perf_counter()
        held = globals()[name](options) and held
        print(f"\n  [{name}: {time.perf_counter() - start:.0f} s]", flush=True)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
