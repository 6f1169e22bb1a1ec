"""Install with uv, which is fast, and if that fails with pip, which may know an index that uv does not.

Each reads its own configuration only (a company's mirror is often set for pip alone); neither is told an address here.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence


def install(arguments: Sequence[str], python: str) -> int:
    """Install `arguments`, as pip understands them, for the interpreter `python`; returns the exit code."""
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python]
    if subprocess.run([*uv, *arguments]).returncode == 0:
        return 0
    print("uv could not install this; trying pip, which may know another index.", file=sys.stderr, flush=True)
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check"]
    return subprocess.run([*pip, *arguments]).returncode


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Install packages with uv, or else with pip.", allow_abbrev=False)
    parser.add_argument("--for", dest="python", default=sys.executable, help="the interpreter to install for")
    known, rest = parser.parse_known_args()
    sys.exit(install(rest, known.python))
