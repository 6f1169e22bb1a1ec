"""Renew the exact versions: constraints.txt for the course, and the browser's test environment.

The files hold versions and hashes but no addresses, so that any index or mirror serves.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BROWSER = ROOT / "tests" / "browser_python"
COMPILE = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--upgrade", "--no-header", "--no-annotate"]
COMPILE += ["--no-emit-index-url", "--no-emit-find-links"]
ENVIRONMENT = os.environ | {"UV_PYTHON_DOWNLOADS": "never"}


def compiled(*arguments: str, more: str = "") -> str:
    """The versions that uv finds for these requirement files, and for those in `more`."""
    command = [*COMPILE, *arguments]
    return subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, input=more, text=True, check=True, stdout=-1).stdout


def main() -> None:
    course = compiled("pyproject.toml", "-", "--all-extras", "--python-version", "3.11", more="uv\n")
    heading = (
        "# The exact versions that CI runs. `make lock` renews them; versions only, "
        "so that any index or mirror serves.\n"
    )
    (ROOT / "constraints.txt").write_text(heading + course)

    platform = ["--python-version", "3.12", "--python-platform", "wasm32-pyodide2024", "--only-binary", ":all:"]
    browser = compiled(str(BROWSER / "requirements.in"), *platform)
    heading = (
        "# Exact versions for Python 3.12 under Pyodide; `make lock` renews them.\n"
        "# Hypothesis is the last release without compiled parts.\n"
    )
    (BROWSER / "requirements.txt").write_text(heading + browser)
    subprocess.run(["npm", "install", "--package-lock-only", "--silent"], cwd=BROWSER, check=True)


if __name__ == "__main__":
    main()
