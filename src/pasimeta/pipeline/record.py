"""The record of a run: what each result followed from, so that it can be verified and needn't be made again."""

from __future__ import annotations

import json
import platform
import sys
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pasimeta import __version__
from pasimeta.errors import PasimetaError
from pasimeta.pipeline.files import write_text
from pasimeta.pipeline.fingerprint import Fingerprint, file_hash

FILE = "run.json"
_PACKAGES = ("numpy", "pandas", "scipy", "pymare", "matplotlib", "papermill", "pydantic", "pandera")


@dataclass(slots=True)
class NotebookRecord:
    """One notebook's part: what it followed from, what it made (path to SHA-256), and how long it took."""

    fingerprint: Fingerprint
    outputs: dict[str, str]
    seconds: float


@dataclass(slots=True)
class RunRecord:
    """A whole run.

    Attributes
    ----------
    parameters : dict
        Every parameter, by section.
    notebooks : dict of str to NotebookRecord
    site : dict of str to str
        What the site was rendered from, as hashes.
    environment : dict
        Versions of Python, of the packages the numbers come from, and the platform.
    """

    parameters: dict[str, Any] = field(default_factory=dict)
    notebooks: dict[str, NotebookRecord] = field(default_factory=dict)
    site: dict[str, str] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write ``run.json``."""
        write_text(folder / FILE, json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n")

    def intact(self, name: str, folder: Path) -> bool:
        """Whether everything the notebook made is still there, unchanged."""
        made = self.notebooks[name].outputs
        return all((folder / path).is_file() and file_hash(folder / path) == digest for path, digest in made.items())


def read_record(folder: Path) -> RunRecord:
    """Read the record of a folder of results; an empty one if there is none or it can't be understood."""
    try:
        content = json.loads((folder / FILE).read_text(encoding="utf-8"))
        notebooks = {name: NotebookRecord(**part) for name, part in content["notebooks"].items()}
        return RunRecord(content["parameters"], notebooks, content["site"], content["environment"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return RunRecord()


def environment() -> dict[str, Any]:
    """Return what the numbers were made with."""
    return {
        "pasimeta": __version__,
        "python": platform.python_version(),
        "platform": f"{sys.platform} {platform.machine()}",
        "packages": {name: version(name) for name in _PACKAGES},
    }


def changed_results(folder: Path) -> list[str]:
    """Return a line for each result that isn't what the run's record says.

    Raises
    ------
    PasimetaError
        If the folder has no record.
    """
    record = read_record(folder)
    if not record.notebooks:
        raise PasimetaError(f"{folder}: has no {FILE} to verify against; give a folder that `pasimeta run` has written")
    findings = []
    recorded = {path: digest for part in record.notebooks.values() for path, digest in part.outputs.items()}
    for path, digest in sorted(recorded.items()):
        if not (folder / path).is_file():
            findings.append(f"{path}: is missing")
        elif file_hash(folder / path) != digest:
            findings.append(f"{path}: has changed since the run")
    present = {
        p.relative_to(folder).as_posix()
        for kind in ("tables", "figures", "notebooks")
        for p in (folder / kind).glob("*")
    }
    findings += [f"{path}: wasn't made by the run" for path in sorted(present - recorded.keys())]
    return findings
