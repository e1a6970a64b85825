"""What a notebook's results depend on, as hashes, so that it runs again only when something has changed."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pasimeta import __version__
from pasimeta.pipeline.manifest import Notebook
from pasimeta.pipeline.project import Project

PACKAGE = Path(__file__).resolve().parents[1]
_IMPORT = re.compile(
    r"^\s*(?:from\s+(pasimeta[\w.]*)\s+import\s+(\([^)]*\)|[^\n]+)|import\s+(pasimeta[\w.]*))", re.MULTILINE
)

_PACKAGES = ("numpy", "pandas", "scipy", "pymare", "matplotlib", "papermill", "pydantic", "pandera")

Fingerprint = dict[str, dict[str, str]]


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fingerprint(
    project: Project, notebook: Notebook, given: Mapping[str, Any], tables: Path, data: Mapping[str, str]
) -> Fingerprint:
    """Hash everything a notebook's results follow from.

    Parameters
    ----------
    project : Project
    notebook : Notebook
    given : mapping
        The parameters it gets.
    tables : path
        Folder of the tables it reads, all present.
    data : mapping
        The hash of every data file (:func:`evidence_hashes`).

    Returns
    -------
    dict
        ``notebook`` (its cells), ``code`` (each module of the package it can reach), ``parameters`` (each it takes),
        ``inputs`` (each file it reads) and ``environment`` (versions).
    """
    source = notebook_source(project.notebooks / f"{notebook.name}.ipynb")
    inputs = {f"tables/{name}.csv": file_hash(tables / f"{name}.csv") for name in notebook.reads}
    if notebook.reads_evidence:
        inputs |= data
    return {
        "notebook": {notebook.name: _text_hash(source)},
        "code": {module: _module_hash(module) for module in reachable_modules(source)},
        "parameters": {name: json.dumps(value) for name, value in given.items()},
        "inputs": inputs,
        "environment": environment(),
    }


@cache
def environment() -> dict[str, str]:
    """Return the versions of what numbers and figures are made with."""
    machine = f"{sys.platform} {platform.machine()}"
    made_with = {"pasimeta": __version__, "python": platform.python_version(), "platform": machine}
    return made_with | {name: version(name) for name in _PACKAGES}


def evidence_hashes(data: Path) -> dict[str, str]:
    """Return the hash of every data file, by its path in the project."""
    return {f"data/{p.relative_to(data).as_posix()}": file_hash(p) for p in sorted(data.rglob("*.yaml"))}


def difference(before: Fingerprint, now: Fingerprint) -> str | None:
    """Say what differs between two fingerprints, the first kind alone; None if nothing does."""
    for kind, words in (
        ("notebook", "the notebook's cells"),
        ("code", "code"),
        ("parameters", "parameters"),
        ("inputs", "inputs"),
        ("environment", "the environment"),
    ):
        old, new = before.get(kind, {}), now[kind]
        changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
        if changed:
            more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
            listed = "" if kind == "notebook" else f": {', '.join(changed[:3])}{more}"
            return f"{words} changed{listed}"
    return None


def notebook_source(path: Path) -> str:
    """Return the text of a notebook's cells, without outputs."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells)


def cells_hash(path: Path) -> str:
    """Return the hash of a notebook's cells, without outputs."""
    return _text_hash(notebook_source(path))


def reachable_modules(source: str) -> list[str]:
    """Return the package's modules that code can import, directly or through one another, sorted."""
    found: set[str] = set()
    waiting = _imported(source)
    while waiting:
        module = waiting.pop()
        if module in found:
            continue
        found.add(module)
        waiting |= _imports_of(module) | _packages_above(module)
        waiting -= found
    return sorted(found)


def _imported(source: str) -> set[str]:
    modules: set[str] = set()
    for package, names, direct in _IMPORT.findall(source):
        if direct:
            modules.add(direct)
            continue
        modules.add(package)
        modules |= {f"{package}.{name}" for name in re.findall(r"\w+", re.sub(r"\bas\s+\w+", "", names))}
    return {module for module in modules if _path_of(module) is not None}


def _packages_above(module: str) -> set[str]:
    parts = module.split(".")
    return {".".join(parts[:end]) for end in range(1, len(parts))}


@cache
def _imports_of(module: str) -> set[str]:
    path = _path_of(module)
    assert path is not None
    return _imported(path.read_text(encoding="utf-8"))


@cache
def _path_of(module: str) -> Path | None:
    base = PACKAGE.joinpath(*module.split(".")[1:])
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if module.split(".")[0] == "pasimeta" and path.is_file():
            return path
    return None


@cache
def package_hash() -> str:
    """Return one hash of every module, each as it was when it was first hashed."""
    paths = sorted(PACKAGE.rglob("*.py"))
    modules = [".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in paths]
    return _text_hash("".join(_module_hash(module.removesuffix(".__init__")) for module in modules))


@cache
def _module_hash(module: str) -> str:
    path = _path_of(module)
    assert path is not None
    return file_hash(path)


def _text_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def files_hash(paths: Iterable[Path]) -> str:
    """Return one hash of several files, in the order given."""
    return _text_hash("".join(file_hash(path) for path in paths))
