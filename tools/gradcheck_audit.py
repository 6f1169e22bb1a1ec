"""Does the gradient check see every mistake, and cry wolf at nothing? All of it, by every method.

python tools/gradcheck_audit.py [CASES]
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from right_backwards import false_alarms  # noqa: E402
from wrong_backwards import MISBEHAVING, WRONG, case  # noqa: E402

from bncourse.gradcheck import gradcheck  # noqa: E402

SEEDS = range(10)


def missed(method: str, backwards: dict) -> list[str]:
    """The wrong backward passes that pass, each on several draws of the numbers."""
    return [
        f"{name}, seed {seed}"
        for name, backward in backwards.items()
        for seed in SEEDS
        for forward, inputs in [case(name, seed=seed)]
        if gradcheck(forward, backward, inputs, method=method, seed=seed)
    ]


def main() -> int:
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    wrong, failures = WRONG | MISBEHAVING, []
    print(f"{'method':12} {'wrong seen':>16} {'misbehaving seen':>18} {'false alarms':>16}")
    for method in ("auto", "complex", "projection", "richardson", "central"):
        # Some of the right ones are written so that they refuse the complex step; auto takes it for the others.
        alarms = false_alarms(method, cases) if method != "complex" else None
        unseen = missed(method, wrong)
        in_wrong = sum(one.split(",")[0] in WRONG for one in unseen)
        total, other = len(WRONG) * len(SEEDS), len(MISBEHAVING) * len(SEEDS)
        seen = f"{total - in_wrong} of {total}", f"{other - len(unseen) + in_wrong} of {other}"
        print(f"{method:12} {seen[0]:>16} {seen[1]:>18} {'-' if alarms is None else f'{len(alarms)} of {cases}':>16}")
        failures += unseen + (alarms or [])
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
