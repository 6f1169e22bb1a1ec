"""Build the book strictly into _build/html, doing only what the changes since the last good build call for.

    python tools/book.py           builds what changed
    python tools/book.py --cold    builds everything, executing every page

Three traps of an incremental build are met here:
- Sphinx reports a warning only when it reads a page, so after a failed build the pages read are forgotten: the next
  run reports it again.
- The cache of executed pages does not know that `bncourse` changed: then every page is executed anew.
- A page that is gone stays in the HTML: when files come or go the HTML is made afresh.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import slides

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "_build"
HTML = BUILD / "html"
STAMP = BUILD / "book.json"

CODE = ["bncourse", "constraints.txt", "tools/book.py"]  # and what is Python in the book: it decides what cells print
TEXT = ["_config.yml", "_toc.yml", "book", "third_party", "tools/slides.py", "tools/slides.css"]


def files(names: Iterable[str]) -> list[Path]:
    """Every file below these names, without what Python, editors and other tools leave beside them."""
    found = [path for name in names for path in [ROOT / name, *(ROOT / name).rglob("*")] if path.is_file()]
    leavings = re.compile(r"(^|/)(\.|__pycache__/)")
    return sorted(path for path in found if not leavings.search(path.relative_to(ROOT).as_posix()))


def fingerprint(paths: Iterable[Path]) -> str:
    """One hash over names and contents; times don't matter, so a fresh checkout of the same text is the same book."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.relative_to(ROOT)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def sources() -> dict[str, str]:
    """What the book is made from, in three fingerprints."""
    text = files(TEXT)
    code = files(CODE) + [path for path in text if path.suffix == ".py"]
    names = "\n".join(str(path.relative_to(ROOT)) for path in code + text)
    return {
        "code": f"{sys.version} {fingerprint(code)}",
        "text": fingerprint(text),
        "names": hashlib.sha256(names.encode()).hexdigest(),
    }


def forget(*names: str) -> None:
    for name in names:
        shutil.rmtree(BUILD / name, ignore_errors=True)


def kernel_settings() -> Path:
    """A profile for the kernels: nobody's own start-up files, and no line about TCP for every page."""
    profile = BUILD / "ipython" / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "ipython_kernel_config.py").write_text('get_config().IPKernelApp.log_level = "ERROR"\n')
    return profile.parent


def build(cold: bool = False) -> int:
    """Bring _build/html up to date; returns the exit code of the build, 0 also when there was nothing to do."""
    now = sources()
    last = json.loads(STAMP.read_text()) if STAMP.exists() and HTML.exists() else {}
    if now == last and not cold:
        print("The book is up to date.", flush=True)
        return 0
    if cold or now["code"] != last.get("code"):
        forget(".jupyter_cache", ".doctrees", "html", "jupyter_execute")
    elif now["names"] != last.get("names"):
        forget(".doctrees", "html", "jupyter_execute")
    print("Building the book ...", flush=True)
    BUILD.mkdir(exist_ok=True)
    STAMP.write_text(json.dumps(now | {"text": "unfinished"}))
    bin_folder = Path(sys.executable).parent  # node for the formulas, jupyter for the cells
    environment = os.environ | {
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
        "IPYTHONDIR": str(kernel_settings()),
    }
    # The source folder is book/, so that a page's address is forward/layer.html; the toc's path must then be absolute.
    environment.pop("MPLBACKEND", None)  # or figures would not appear in the pages
    command = [bin_folder / "jupyter-book", "build", "book", "--config", "_config.yml", "--toc", ROOT / "_toc.yml"]
    command += ["--path-output", ".", "-W", "-n", "--keep-going", "-q"]
    status = subprocess.run(command, cwd=ROOT, env=environment).returncode
    if status:
        forget(".doctrees")
        print("The book was not built: see the messages above.", file=sys.stderr)
        return status
    try:
        if (ROOT / "book" / "slides.yml").exists():
            slides.make()
    except slides.NothingToShow as reason:
        print(f"The slides were not made: {reason} (book/slides.yml).", file=sys.stderr)
        return 1
    if sources() == now:  # else a file changed meanwhile, and the next run has work to do
        STAMP.write_text(json.dumps(now))
    return status


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Build the book strictly into _build/html.")
    parser.add_argument("--cold", action="store_true", help="build everything, executing every page")
    sys.exit(build(cold=parser.parse_args().cold))
