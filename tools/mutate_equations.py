"""Would a slip of the pen in an equation of the book be noticed?

    python tools/mutate_equations.py              all mutants of all labelled equations, a table, the survivors
    python tools/mutate_equations.py eq-x-hat…    only labels that begin so
    python tools/mutate_equations.py --drafts     survivors as entries for survivors.toml, their reasons to be written

Each mutant changes one sign, exponent, factor, index or accent in the TeX of the page (tests/derivations/mutants.py
says how); the proofs then read the changed page. Exit code 1 if fewer than 95 % are noticed, or if a survivor has no
reason in tests/derivations/survivors.toml, or if a reason there has no survivor.
"""

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from derivations.mutation import Outcome, Trial, known_reasons  # noqa: E402
from derivations.pages import read_book  # noqa: E402
from derivations.prove import read_entries  # noqa: E402

LEAST = 0.95  # of all mutants, also those whose changed equation is true


@cache
def trial() -> Trial:
    """The book, read and proved once in each process."""
    return Trial(read_entries(read_book()))


def judge_label(label: str) -> list[Outcome]:
    """All outcomes of one equation."""
    return [trial().judge(entry, mutant) for entry, mutant in trial().mutants() if entry.equation.label == label]


def outcomes(labels: list[str]) -> list[Outcome]:
    workers = min(2, os.cpu_count() or 1)
    if workers == 1 or len(labels) < 4:
        return [outcome for label in labels for outcome in judge_label(label)]
    with ProcessPoolExecutor(workers) as pool:
        return [outcome for found in pool.map(judge_label, labels) for outcome in found]


def table(found: list[Outcome]) -> str:
    lines = [f"{'label':34}{'mutants':>8}{'noticed':>9}{'unreadable':>12}{'not noticed':>13}"]
    for label in dict.fromkeys(outcome.label for outcome in found):
        mine = [outcome for outcome in found if outcome.label == label]
        noticed = sum(outcome.killed_by is not None for outcome in mine)
        unreadable = sum(outcome.unreadable for outcome in mine)
        lines.append(f"{label:34}{len(mine):8}{noticed:9}{unreadable:12}{len(mine) - noticed or '':13}")
    return "\n".join(lines)


def by_operator(found: list[Outcome]) -> str:
    tried = Counter(outcome.mutant.operator for outcome in found)
    noticed = Counter(outcome.mutant.operator for outcome in found if outcome.killed_by is not None)
    return "   ".join(f"{operator} {noticed[operator]}/{tried[operator]}" for operator in tried)


def draft(survivors: list[Outcome]) -> str:
    """Entries for survivors.toml, the reasons to be written."""
    lines = []
    for label in dict.fromkeys(outcome.label for outcome in survivors):
        changes = [outcome.mutant.change for outcome in survivors if outcome.label == label]
        lines += [f"[[{label}]]", "changes = [", *(f"  '{change}'," for change in changes), "]", "because = ''", ""]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", nargs="*", help="beginnings of labels")
    parser.add_argument("--drafts", action="store_true", help="print survivors without a reason as TOML")
    options = parser.parse_args()
    start = time.perf_counter()
    try:
        entries = trial().entries
    except ValueError as red:
        print(f"mend the book first (tests/test_derivations.py): {red}")
        return 1
    labels = [entry.equation.label for entry in entries if entry.equation.kind != "approx"]
    chosen = [label for label in labels if not options.labels or label.startswith(tuple(options.labels))]
    found = outcomes(chosen)
    survivors = [outcome for outcome in found if outcome.killed_by is None]
    reasons = known_reasons()
    unexplained = [outcome for outcome in survivors if outcome.key not in reasons]
    stale = [key for key in reasons if key[0] in chosen and key not in {outcome.key for outcome in survivors}]
    if options.drafts:
        print(draft(unexplained))
        return 0
    print(table(found))
    for outcome in survivors:
        print(f"\nnot noticed in {outcome.label} ({outcome.mutant.operator}): {outcome.mutant.change}")
        print(f"    because {reasons.get(outcome.key, 'NO REASON GIVEN')}")
    for label, change in stale:
        print(f"\nsurvivors.toml excuses a mutant of {label} that is noticed, or exists no more: {change}")
    noticed = len(found) - len(survivors)
    share = noticed / len(found) if found else 0.0
    print(f"\n{by_operator(found)}")
    print(f"{len(found)} mutants of {len(chosen)} equations; {noticed} noticed, {share:.1%} (at least {LEAST:.0%}),")
    print(f"{sum(outcome.unreadable for outcome in found)} of them because they cannot be read any more;")
    print(f"{len(survivors)} not noticed, {len(unexplained)} of them without a reason.")
    print(f"{time.perf_counter() - start:.0f} s")
    return 0 if share >= LEAST and not unexplained and not stale else 1


if __name__ == "__main__":
    raise SystemExit(main())
