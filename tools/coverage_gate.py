"""Print how many branches of each part the tests took; fails where it is fewer than 95 %.

Reads the .coverage file of the last test run.
"""

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path, PurePath

ROOT = Path(__file__).resolve().parents[1]
PARTS = ["functional", "gradcheck", "checks"]  # the parts that must reach the least share
LEAST = 95.0


def measured() -> dict[str, dict[str, int]]:
    """Branches and lines, all and taken, of each part of the package."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        subprocess.run([sys.executable, "-m", "coverage", "json", "-q", "-o", report], cwd=ROOT, check=True)
        files = json.loads(report.read_text())["files"]
    parts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for name, file in files.items():
        part = PurePath(name).parts[1].removesuffix(".py")
        for key in ("num_branches", "covered_branches", "num_statements", "covered_lines"):
            parts[part][key] += file["summary"][key]
    return parts


def share(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 100.0


def main() -> int:
    parts = measured()
    short = [name for name in PARTS if name not in parts]
    print(f"{'bncourse.':14}{'branches':>10}{'taken':>8}{'lines':>8}{'run':>8}")
    for name, count in sorted(parts.items()):
        branches = share(count["covered_branches"], count["num_branches"])
        lines = share(count["covered_lines"], count["num_statements"])
        print(f"{name:14}{count['num_branches']:10}{branches:7.1f}%{count['num_statements']:8}{lines:7.1f}%")
        if name in PARTS and min(branches, lines) < LEAST:
            short.append(name)
    if short:
        print(f"Less than {LEAST:.0f} % of the branches or lines are tested in: {', '.join(short)}")
    return int(bool(short))


if __name__ == "__main__":
    sys.exit(main())
