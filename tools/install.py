"""Install with uv, which is fast, and if that fails with pip, which may know an index that uv does not.

Each reads its own configuration only (a company's mirror is often set for pip alone); neither is told an address here.
"""

import subprocess
import sys
from collections.abc import Sequence


def install(arguments: Sequence[str], python: str = sys.executable) -> None:
    """Install `arguments` (as pip understands them) for the interpreter `python`; raises CalledProcessError."""
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python, *arguments]
    if subprocess.run(uv).returncode == 0:
        return
    print("uv could not install this; trying pip, which may know another index.", file=sys.stderr, flush=True)
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *arguments], check=True)


if __name__ == "__main__":
    try:
        install(sys.argv[1:])
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
