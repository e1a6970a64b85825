"""The record of a run: what each result followed from, so that it can be verified and needn't be made again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pasimeta.errors import PasimetaError
from pasimeta.pipeline.files import write_text
from pasimeta.pipeline.fingerprint import Fingerprint, file_hash

FILE = "run.json"
CRATE = "ro-crate-metadata.json"


@dataclass(slots=True)
class NotebookRecord:
    """One notebook's part: what it followed from, what it made (path to SHA-256), when, and how long it took."""

    fingerprint: Fingerprint
    outputs: dict[str, str]
    started: str
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
    environment : dict of str to str
        What this run had: versions of Python and of the packages the numbers come from, and the platform. What a
        notebook kept from an earlier run was made with stands in its fingerprint.
    started : str
        When, in UTC.
    seconds : float
        What it took, pages left out.
    asked : str
        Hash of the words the parameters were asked for in; empty if they were given ready.
    """

    parameters: dict[str, Any] = field(default_factory=dict)
    notebooks: dict[str, NotebookRecord] = field(default_factory=dict)
    site: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    started: str = ""
    seconds: float = 0.0
    asked: str = ""

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
        return RunRecord(**{**content, "notebooks": notebooks})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return RunRecord()


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
    return findings + _changed_description(folder, recorded)


def _changed_description(folder: Path, recorded: dict[str, str]) -> list[str]:
    """Return a line for each file of the crate, results apart, that isn't what its metadata say."""
    try:
        graph = json.loads((folder / CRATE).read_text(encoding="utf-8"))["@graph"]
        described = {entity["@id"]: entity["sha256"] for entity in graph if "File" in entity["@type"]}
    except (OSError, ValueError, KeyError, TypeError):
        return [f"{CRATE}: is missing or can't be read"]
    findings = []
    for path, digest in sorted(described.items()):
        if path in recorded:
            if recorded[path] != digest:
                findings.append(f"{path}: {FILE} and {CRATE} disagree about it")
        elif not (folder / path).is_file():
            findings.append(f"{path}: is missing")
        elif file_hash(folder / path) != digest:
            findings.append(f"{path}: has changed since the run")
    findings += [f"{path}: isn't described in {CRATE}" for path in sorted(recorded.keys() - described.keys())]
    return findings
