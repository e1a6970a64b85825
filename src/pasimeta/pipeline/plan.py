"""What has to run, and why: what a folder of results was made from, held against what is there now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from pasimeta.errors import PasimetaError
from pasimeta.pipeline.configuration import Values, values_of
from pasimeta.pipeline.fingerprint import (
    PACKAGE,
    Fingerprint,
    difference,
    evidence_hashes,
    files_hash,
    fingerprint,
)
from pasimeta.pipeline.manifest import Notebook
from pasimeta.pipeline.project import Project
from pasimeta.pipeline.record import FILE, NotebookRecord, RunRecord, read_record

# what pages show beside results and data
_SHOWN = ("CITATION.cff", "docs/*.md", "notebooks/tutorial.ipynb")


@dataclass(frozen=True, slots=True)
class Earlier:
    """What earlier runs left.

    Attributes
    ----------
    record : RunRecord
        Of the folder of results, with the notebooks of the other folders to start from in its own notebooks' place.
    homes : dict of str to path
        Where the results of each notebook are.
    """

    record: RunRecord
    homes: dict[str, Path]

    def part(self, name: str) -> NotebookRecord | None:
        """Return a notebook's part; None if it has none."""
        return self.record.notebooks.get(name)

    def intact(self, name: str) -> bool:
        """Whether everything the notebook made is still there, unchanged."""
        return self.record.intact(name, self.homes[name])


def earlier_runs(results: Path, others: Iterable[Path]) -> Earlier:
    """Return what is in the folder of results, and before that in other folders, the first of them first.

    Raises
    ------
    PasimetaError
        If one of the others holds no results.
    """
    record = read_record(results)
    found = Earlier(record, dict.fromkeys(record.notebooks, results))
    for folder in reversed(list(others)):
        notebooks = read_record(folder).notebooks
        if not notebooks:
            raise PasimetaError(f"{folder}: has no {FILE} to start from; give a folder that `pasimeta run` wrote")
        found.record.notebooks.update(notebooks)
        found.homes.update(dict.fromkeys(notebooks, folder))
    return found


@dataclass(frozen=True)
class Plan:
    """What a run would do.

    Attributes
    ----------
    project : Project
    values : dict
        Every parameter, by section.
    before : Earlier
    force : bool
        Run what hasn't changed, too.
    """

    project: Project
    values: Values
    before: Earlier
    force: bool

    @cached_property
    def data(self) -> dict[str, str]:
        """The hash of every data file, as it was when this was first asked."""
        return evidence_hashes(self.project.data)

    def reason_to_run(self, notebook: Notebook, folder: Path) -> tuple[str | None, Fingerprint]:
        """Say why a notebook must run, given the tables in ``folder``; None if it needn't."""
        tables = folder / "tables"
        if any(not (tables / f"{name}.csv").is_file() for name in notebook.reads):
            return "a table it reads isn't there", {}
        if not (self.project.notebooks / f"{notebook.name}.ipynb").is_file():
            return "the notebook is missing", {}
        now = fingerprint(self.project, notebook, values_of(notebook, self.values), tables, self.data)
        if self.force:
            return "forced", now
        part = self.before.part(notebook.name)
        if part is None:
            return "has no results yet", now
        changed = difference(part.fingerprint, now)
        if changed is None and not self.before.intact(notebook.name):
            changed = "a result of it is missing or was changed"
        return changed, now


def site_inputs(project: Project, record: RunRecord) -> dict[str, str]:
    """Return the hash of everything the site of a run is rendered from, by path or module."""
    parts = record.notebooks.values()
    made = {path: digest for part in parts for path, digest in part.outputs.items()}
    # what pages share with notebooks: words, entries, figures
    code = {module: digest for part in parts for module, digest in part.fingerprint.get("code", {}).items()}
    own = {"site": site_code_hash(), "shown": files_hash(shown_files(project))}
    return dict(sorted(made.items())) | dict(sorted(code.items())) | evidence_hashes(project.data) | own


def shown_files(project: Project) -> list[Path]:
    """Return the project's files that pages show beside results and data, sorted."""
    return sorted(path for pattern in _SHOWN for path in project.root.glob(pattern) if path.is_file())


@cache
def site_code_hash() -> str:
    """Return the hash of what writes the pages: modules, templates, texts, assets."""
    files = (path for path in (PACKAGE / "site").rglob("*") if path.is_file() and path.suffix != ".pyc")
    return files_hash(sorted(files))
