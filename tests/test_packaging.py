"""What is installed, licensed and released: the wheel, the lock files, the workflows, the files about the project."""

import ast
import doctest
import hashlib
import os
import re
import stat
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
import yaml

import bncourse

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel as it would be released."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


def test_wheel_holds_the_package_its_types_and_licence_and_no_tests(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {"bncourse/__init__.py", "bncourse/py.typed", "bncourse/functional/forward.py"} <= set(names)
    assert {"bncourse/data/digits.npz", "bncourse/data/LICENSE-digits.md"} <= set(names)
    assert [name for name in names if name.endswith("licenses/LICENSE")]
    folders = {name.partition("/")[0] for name in names}
    assert {name for name in folders if not name.endswith(".dist-info")} == {"bncourse"}
    assert not [name for name in names if "test" in Path(name).name or Path(name).suffix == ".pyc"]
    released = {f"bncourse/exercises/{path.parent.name}/{path.name}" for path in ROOT.glob("exercises/*/*.ipynb")}
    assert released
    brought = {name for name in names if name.startswith("bncourse/exercises/") or name.endswith(".ipynb")}
    assert brought == released | {"bncourse/exercises/README.md"}
    assert not [name for name in names if "solutions" in name or name.endswith("/transfer/__init__.py")]


def test_wheel_requires_numpy_only_and_the_rest_by_extras(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = Parser().parsestr(archive.read(name).decode())
    required = metadata.get_all("Requires-Dist")
    assert [each for each in required if "extra ==" not in each] == ["numpy>=2.0"]
    assert set(metadata.get_all("Provides-Extra")) == {"notebook", "evidence", "book", "grading", "revision", "test"}


def test_installed_alone_it_brings_numpy_only_and_runs(wheel, tmp_path):
    home = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    python = str(scripts / "python")
    install = [sys.executable, "tools/install.py", "--constraint", "constraints.txt", str(wheel)]
    subprocess.run([*install, "--for", python], cwd=ROOT, check=True)

    ask = "import importlib.metadata as m; print(*sorted(d.name.lower() for d in m.distributions()))"
    listed = subprocess.run([python, "-I", "-c", ask], check=True, capture_output=True, text=True).stdout.split()
    assert listed == ["bncourse", "numpy"]
    use = "import numpy as np; from bncourse.functional import batch_mean; print(batch_mean(np.array([[1.0], [3.0]])))"
    answer = subprocess.run([python, "-I", "-c", use], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert answer == "[2.]\n"
    use = "from bncourse.datasets import digits; print(digits()[0].shape)"
    answer = subprocess.run([python, "-I", "-c", use], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert answer == "(1797, 8, 8)\n"
    shown = subprocess.run([scripts / "bncourse", "--help"], check=True, capture_output=True, text=True).stdout
    assert "usage: bncourse" in shown
    for path in ROOT.glob("exercises/*/*.ipynb"):
        subprocess.run([scripts / "bncourse", "start", path.stem], cwd=tmp_path, check=True, capture_output=True)
        assert (tmp_path / path.stem / path.name).read_bytes() == path.read_bytes()
    (tmp_path / "forward/forward.ipynb").write_text("my work")
    again = subprocess.run([scripts / "bncourse", "start", "forward"], cwd=tmp_path, capture_output=True, text=True)
    assert (again.returncode, again.stdout) == (2, "")
    assert "forward is there already, and stays as it is" in again.stderr
    assert (tmp_path / "forward/forward.ipynb").read_text() == "my work"


@pytest.mark.parametrize("name", ["functional", "nn", "datasets", "gradcheck", "checks"])
def test_core_imports_numpy_and_the_standard_library_only(name):
    """Lazy imports count too: in the browser nothing else is there when they come to run."""
    source = ROOT / "bncourse" / name
    files = sorted(source.rglob("*.py")) if source.is_dir() else [source.with_suffix(".py")]
    assert files
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = [node.module]
            elif isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            else:
                continue
            foreign = {m.partition(".")[0] for m in modules} - set(sys.stdlib_module_names) - {"numpy", "bncourse"}
            assert not foreign, f"{file.relative_to(ROOT)}:{node.lineno} imports {foreign}"


def test_locks_name_exact_versions_and_no_address():
    for path in [ROOT / "constraints.txt", ROOT / "tests" / "browser_python" / "requirements.txt"]:
        lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
        assert lines
        assert not [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+( ; .+)?", line)]
    lock = (ROOT / "tests" / "browser_python" / "package-lock.json").read_text()
    assert '"integrity": "sha512-' in lock
    assert "://" not in lock


def test_every_extra_is_locked():
    locked = {line.partition("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines()}
    for name, requirements in PROJECT["optional-dependencies"].items():
        for requirement in requirements:
            package = re.match(r"[A-Za-z0-9._-]+", requirement)[0]
            assert package == "bncourse" or package in locked, f"{package} of extra {name} is not in constraints.txt"


def test_files_about_the_project_agree_on_the_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert str(citation["version"]) == bncourse.__version__ == PROJECT["version"]
    assert citation["license"] == PROJECT["license"].partition(" AND ")[0]  # the digits' is not the course's own
    assert re.search(r"^## \[Unreleased\]$", changes, re.M) or f"## [{PROJECT['version']}]" in changes


def test_readme_shows_what_happens():
    """Its Python is run, its commands and its links exist."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    failed, tried = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert (failed, tried) == (0, 5)
    links = re.findall(r"\]\((?!https?:)([^)#]+)", readme + (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)", readme, re.M))
    assert {one or other for one, other in named} <= targets


def test_licences_are_whole():
    assert "BSD 3-Clause License" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    text = (ROOT / "LICENSE-TEXT").read_text(encoding="utf-8")
    assert text.startswith("Attribution 4.0 International")
    assert text.count("\nSection ") == 8


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflow(path):
    """Parses, pins its actions, and calls only what is there."""
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow[True]  # "on" is YAML's word for true
    assert "permissions" in workflow
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for name, job in workflow["jobs"].items():
        if "uses" in job:
            assert (ROOT / job["uses"]).is_file()
            continue
        assert job["runs-on"], name
        assert job["timeout-minutes"], name
        for step in job["steps"]:
            assert ("run" in step) != ("uses" in step), step
            if "uses" in step:
                assert re.fullmatch(r"[\w-]+/[\w-]+@(v\d+|release/v1)", step["uses"])
            for target in re.findall(r"\bmake ([a-z-]+)", step.get("run", "")):
                assert target in targets
            for file in re.findall(r"(?:^| )((?:tests/|\.ci/|tools/)[\w./*-]+)", step.get("run", "")):
                assert list(ROOT.glob(file)), f"{path.name} names {file}, which is not there"


def test_workflows_are_the_three_that_the_readme_names():
    assert [path.stem for path in WORKFLOWS] == ["pages", "release", "test"]


def test_ci_run_is_an_executable_script_that_bash_understands():
    script = ROOT / ".ci" / "run"
    assert os.name == "nt" or script.stat().st_mode & stat.S_IXUSR
    subprocess.run(["bash", "-n", script], check=True)


def test_numpy_for_the_browser_is_the_listed_file_with_its_licence():
    folder = ROOT / "third_party" / "numpy-pyodide"
    listed = tomllib.loads((folder / "wheel.toml").read_text(encoding="utf-8"))
    (wheel,) = folder.glob("*.whl")
    assert wheel.name == listed["file"]
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == listed["sha256"]
    with zipfile.ZipFile(wheel) as archive:
        own = archive.read(f"numpy-{listed['version']}.dist-info/LICENSE.txt")
    assert (folder / "LICENSE").read_bytes() == own
