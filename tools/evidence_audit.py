"""Do the experiments give the kept numbers again, in the time that they promise?

    python tools/evidence_audit.py [name ...]   all, when left out

Runs each in full, from scratch, into a folder that is thrown away, and compares every number with the kept result;
times (values named "seconds") differ and are only added up. On another machine or other versions, training amplifies
the last bit: then numbers that differ are shown, with what they were kept by, and not held against the result.
"""

import os
import sys
import tempfile
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

from bncourse import evidence
from bncourse.evidence import record, running, table

MOST, MOST_OF_ALL = 45.0, 540.0  # seconds of CPU


def differences(kept: object, again: object, path: str = "") -> list[str]:
    """Where two results differ, but for measured times."""
    if isinstance(kept, dict) and isinstance(again, dict):
        if kept.keys() != again.keys():
            return [f"{path}: other keys"]
        return [d for key in kept if key != "seconds" for d in differences(kept[key], again[key], f"{path}/{key}")]
    if isinstance(kept, list) and isinstance(again, list) and len(kept) == len(again):
        return [d for n, pair in enumerate(zip(kept, again, strict=True)) for d in differences(*pair, f"{path}/{n}")]
    return [] if kept == again else [f"{path}: {kept} then, {again} now"]


def main(names: list[str]) -> int:
    held, total = True, 0.0
    with tempfile.TemporaryDirectory() as folder:
        running.run(names, folder=Path(folder))
        print(f"\n{'experiment':18} {'CPU s':>6}  kept by, numbers that differ")
        for one in (evidence.experiment(name) for name in names):
            kept, again = record.load(one), record.load(one, Path(folder))
            seconds = again.seconds["tuning"] + again.seconds["trials"]
            total += seconds
            found = differences(
                {"tuned": kept.tuned, "trials": list(kept.trials)}, {"tuned": again.tuned, "trials": list(again.trials)}
            )
            same_machine = kept.versions == again.versions
            held &= seconds <= MOST and (not found or not same_machine)
            by = "this machine's versions" if same_machine else " ".join(kept.versions.values())
            print(f"{one.name:18} {seconds:6.1f}  {by}: {len(found) or 'none'} {'; '.join(found[:2])}")
        print()
        print(table.text(table.judge([evidence.experiment(name) for name in names], Path(folder))))
    limit = MOST_OF_ALL if len(names) == len(evidence.NAMES) else MOST * len(names)
    held &= total <= limit
    print(
        f"\n  {'held' if held else 'MISSED'}    the kept numbers, at most {MOST:.0f} s each and {limit:.0f} s together"
    )
    return int(not held)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(evidence.NAMES)))
