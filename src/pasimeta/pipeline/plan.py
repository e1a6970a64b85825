"""What has to run, and why: what a folder of results was made from, held against what is there now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pasimeta.errors import PasimetaError
from pasimeta.pipeline.configuration import Values, values_of
from pasimeta.pipeline.fingerprint import Fingerprint, difference, fingerprint
from pasimeta.pipeline.manifest import Notebook
from pasimeta.pipeline.project import Project
from pasimeta.pipeline.record import FILE, NotebookRecord, RunRecord, read_record


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


@dataclass(frozen=True, slots=True)
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

    def reason_to_run(self, notebook: Notebook, folder: Path) -> tuple[str | None, Fingerprint]:
        """Say why a notebook must run, given the tables in ``folder``; None if it needn't."""
        tables = folder / "tables"
        if any(not (tables / f"{name}.csv").is_file() for name in notebook.reads):
            return "a table it reads isn't there", {}
        if not (self.project.notebooks / f"{notebook.name}.ipynb").is_file():
            return "the notebook is missing", {}
        now = fingerprint(self.project, notebook, values_of(notebook, self.values), tables)
        if self.force:
            return "forced", now
        part = self.before.part(notebook.name)
        if part is None:
            return "has no results yet", now
        changed = difference(part.fingerprint, now)
        if changed is None and not self.before.intact(notebook.name):
            changed = "a result of it is missing or was changed"
        return changed, now
