"""Pages of the site, written while notebooks still run, when this process has little else to do."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from queue import SimpleQueue

from pasimeta.pipeline.manifest import Notebook
from pasimeta.pipeline.project import Project


class SiteAhead:
    """Writes the page of each notebook that has been executed, in a thread; the site takes them from there.

    Parameters
    ----------
    project : Project
    results : path
        Where results are gathered.
    earlier : path
        The site of an earlier run.
    """

    def __init__(self, project: Project, results: Path, earlier: Path) -> None:
        self._asked: SimpleQueue[Notebook | None] = SimpleQueue()
        self._where = results, project, earlier
        # a daemon: an interrupted run doesn't wait for it
        self._thread = threading.Thread(target=self._write, daemon=True)

    def write(self, notebook: Notebook) -> None:
        """Have the page of a notebook written."""
        if self._thread.ident is None:
            self._thread.start()
        self._asked.put(notebook)

    def finish(self) -> None:
        """Wait for the pages asked for."""
        if self._thread.ident is not None:
            self._asked.put(None)
            self._thread.join()

    def _write(self) -> None:
        from pasimeta.site.build import write_ahead

        while (notebook := self._asked.get()) is not None:
            with contextlib.suppress(Exception):  # what fails here fails again when the site is written, and is told
                write_ahead(notebook, *self._where)
