"""Pages of the site, written while notebooks still run, when this process has little else to do."""

from __future__ import annotations

import contextlib
import importlib
import threading
from pathlib import Path
from queue import SimpleQueue

from pasimeta.pipeline.manifest import Notebook
from pasimeta.pipeline.project import Project


class SiteAhead:
    """Writes what needs no results, then the page of each notebook that has been executed, in a thread.

    The site takes the pages from there.

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
        self._where = project, results, earlier
        # a daemon: an interrupted run doesn't wait for it
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def write(self, notebook: Notebook) -> None:
        """Have the page of a notebook written."""
        self._asked.put(notebook)

    def finish(self) -> None:
        """Wait for the pages asked for."""
        self._asked.put(None)
        self._thread.join()

    def _write(self) -> None:
        from pasimeta.site.build import write_ahead
        from pasimeta.site.page import Context

        importlib.import_module("rocrate.rocrate")  # for the record, after the last notebook
        context, notebook = Context(*self._where), None
        while True:
            with contextlib.suppress(Exception):  # what fails here fails again when the site is written, and is told
                write_ahead(context, notebook)
            if (notebook := self._asked.get()) is None:
                return
