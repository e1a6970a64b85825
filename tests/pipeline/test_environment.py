"""pyproject.toml, the lock and environment.yml describe one environment, and name no registry."""

import re
import subprocess
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)(?: ; ([^\\]+))?", re.MULTILINE)


@pytest.fixture(scope="module")
def pyproject():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def lock():
    pins = {}
    for name, version, marker in PIN.findall((ROOT / "requirements.lock").read_text()):
        if not marker or Marker(marker.strip()).evaluate():
            pins[canonicalize_name(name)] = Version(version)
    return pins


def test_every_requirement_is_locked_within_its_bounds(pyproject, lock):
    wanted = [*pyproject["project"]["dependencies"], *pyproject["dependency-groups"]["test"]]
    for requirement in map(Requirement, wanted):
        assert lock[canonicalize_name(requirement.name)] in requirement.specifier, requirement


def test_the_build_needs_nothing_beyond_the_lock(pyproject, lock):
    for requirement in map(Requirement, pyproject["build-system"]["requires"]):
        assert lock[canonicalize_name(requirement.name)] in requirement.specifier


def test_pymare_is_pinned(pyproject, lock):
    assert "pymare==0.0.13" in pyproject["project"]["dependencies"]
    assert lock["pymare"] == Version("0.0.13")


def test_every_lock_entry_has_hashes_and_no_registry():
    text = (ROOT / "requirements.lock").read_text()
    entries = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    assert len(entries) > 100
    for entry in entries:
        assert "--hash=sha256:" in entry, entry.splitlines()[0]
    assert "://" not in text
    assert "index" not in re.sub(r"--hash=\S+", "", text)


def test_conda_installs_the_same_lock(pyproject):
    environment = YAML(typ="safe").load((ROOT / "environment.yml").read_text())
    python, pip, pins = environment["dependencies"]
    assert python == f"python{pyproject['project']['requires-python']}"
    assert pip == "pip"
    assert pins == {"pip": ["--require-hashes", "--requirement requirements.lock"]}


def test_what_is_installed_is_what_is_locked(lock):
    installed = {canonicalize_name(d.metadata["Name"]): Version(d.version) for d in distributions()}
    differing = {name: (v, installed.get(name)) for name, v in lock.items() if installed.get(name) != v}
    assert differing == {}


def test_no_module_beside_the_notebooks_shadows_a_package():
    assert [p.name for p in (ROOT / "notebooks").iterdir() if p.suffix == ".py"] == []


def test_tracked_files_name_no_path_of_a_machine():
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    for name in filter(None, tracked.split("\0")):
        path = ROOT / name
        if path.is_file() and path.suffix not in {".png", ".ttf"}:
            assert str(ROOT) not in path.read_text(encoding="utf-8"), name
