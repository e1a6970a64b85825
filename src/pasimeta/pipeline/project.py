"""Where a project's files are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pasimeta.errors import PasimetaError

CONFIG = Path("config") / "analysis.yaml"
PROJECT_VARIABLE = "PASIMETA_PROJECT"
RESULTS_VARIABLE = "PASIMETA_RESULTS"
WORKSPACE_FILE = "workspace.json"  # in a running notebook's folder: where the project is


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with ``config/``, ``data/`` and ``notebooks/``."""

    root: Path

    @property
    def config(self) -> Path:
        """The default parameters."""
        return self.root / CONFIG

    @property
    def data(self) -> Path:
        """Study files, comparators and sources."""
        return self.root / "data"

    @property
    def notebooks(self) -> Path:
        """The committed notebooks."""
        return self.root / "notebooks"

    @property
    def results(self) -> Path:
        """Where results go unless told otherwise."""
        return self.root / "results"

    @property
    def site(self) -> Path:
        """Where the site goes unless told otherwise."""
        return self.root / "site"


def find_project(start: Path | None = None) -> Project:
    """Return the project around ``start``: the nearest folder upwards that holds ``config/analysis.yaml``.

    The environment variable ``PASIMETA_PROJECT`` takes precedence.

    Raises
    ------
    PasimetaError
        If there is none.
    """
    named = os.environ.get(PROJECT_VARIABLE)
    here = Path(named) if named else (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / CONFIG).is_file():
            return Project(folder)
    raise PasimetaError(f"{here}: is not inside a pasimeta project (no {CONFIG}); change into the clone first")
