"""The wheel: built from the source distribution, installed, and imported from there."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETUPTOOLS = CONFIGURATION["tool"]["setuptools"]
FOLDERS: dict[str, str] = SETUPTOOLS["package-dir"]
SIBLINGS = [folder for folder in FOLDERS.values() if folder != "neurosym"]
DATA_FOLDERS = ("data", "domains", "rules")


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a source distribution of a copy of this checkout, with no network."""
    copy = tmp_path_factory.mktemp("checkout") / "source"
    copy.mkdir()
    for name in ("neurosym", *SIBLINGS):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, copy / name, symlinks=True, ignore=ignored)
    for path in (ROOT / "pyproject.toml", ROOT / "README.md", *ROOT.glob("LICENSE*")):
        shutil.copy(path, copy)
    # Without --wheel, build makes the wheel from the unpacked source distribution.
    done = _run([sys.executable, "-m", "build", "--no-isolation"], copy)
    output = done.stdout + done.stderr
    assert "SetuptoolsDeprecationWarning" not in output
    assert "is absent from the `packages` configuration" not in output
    (built,) = (copy / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def members(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet"]
    _run([*pip, "--target", str(target), str(wheel)], target)
    return target


def test_one_top_level_name(members: set[str]) -> None:
    tops = {name.split("/")[0] for name in members}
    assert {name for name in tops if not name.endswith(".dist-info")} == {"neurosym"}


def test_every_package_is_listed() -> None:
    found = set()
    for package, folder in FOLDERS.items():
        for path in (ROOT / folder).rglob("__init__.py"):
            parts = path.parent.relative_to(ROOT / folder).parts
            if parts and (ROOT / folder / parts[0]).is_symlink():
                continue
            found.add(".".join([package, *parts]))
    # A folder of data alone is listed too, or setuptools warns that it might leave it out.
    data = {
        f"neurosym.{folder}.{name}"
        for folder in SIBLINGS
        for name in DATA_FOLDERS
        if (ROOT / folder / name).is_dir()
    }
    assert set(SETUPTOOLS["packages"]) == found | data


def test_every_module_is_inside(members: set[str]) -> None:
    for package, folder in FOLDERS.items():
        for path in (ROOT / folder).rglob("*.py"):
            inside = path.relative_to(ROOT / folder)
            if not (ROOT / folder / inside.parts[0]).is_symlink():
                assert f"{package.replace('.', '/')}/{inside.as_posix()}" in members


def test_data_files_are_inside(members: set[str]) -> None:
    assert {"neurosym/py.typed", "neurosym/models/manifest.toml"} <= members
    expected: set[str] = set()
    for folder, name in itertools.product(SIBLINGS, DATA_FOLDERS):
        files = (path for path in (ROOT / folder / name).glob("**/*") if path.is_file())
        expected |= {f"neurosym/{path.relative_to(ROOT).as_posix()}" for path in files}
    assert "neurosym/grammar/rules/sentences.lark" in expected
    assert not {name for name in expected - members if "__pycache__" not in name}


@pytest.mark.parametrize("folder", SIBLINGS)
def test_bare_import_is_refused(folder: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import {folder}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1].startswith(f"ImportError: import neurosym.{folder}")


def test_installed_wheel_is_imported(installed: Path) -> None:
    packages = SETUPTOOLS["packages"]
    code = (
        f"import sys; sys.path.insert(0, {str(installed)!r})\n"
        f"import importlib, neurosym\n"
        f"for name in {packages!r}: importlib.import_module(name)\n"
        "from neurosym.models import entries\n"
        "assert entries()\n"
        "print(neurosym.__file__, neurosym.grammar.__file__)"
    )
    done = _run([sys.executable, "-c", code], installed)
    assert done.stdout.count(str(installed)) == 2, done.stdout


def test_version_is_said_once(wheel: Path) -> None:
    import neurosym

    version = CONFIGURATION["project"]["version"]
    assert neurosym.__version__ == version
    assert wheel.name == f"neurosym_grounding-{version}-py3-none-any.whl"
