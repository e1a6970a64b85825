"""Which notebook waits for which: order and concurrency follow from the tables they read and write."""

from __future__ import annotations

from collections.abc import Iterable

from pasimeta.pipeline.manifest import NOTEBOOKS, Notebook


def maker_of(table: str) -> Notebook:
    """Return the notebook that writes a table."""
    return next(notebook for notebook in NOTEBOOKS if table in notebook.writes)


def predecessors(chosen: Iterable[Notebook]) -> dict[Notebook, set[Notebook]]:
    """Return, for each chosen notebook, the chosen ones whose tables it reads.

    The result feeds :class:`graphlib.TopologicalSorter`; manifest order breaks ties.
    """
    running = list(chosen)
    return {notebook: {maker_of(table) for table in notebook.reads} & set(running) for notebook in running}
