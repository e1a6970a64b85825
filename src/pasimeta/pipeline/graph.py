"""Which notebook waits for which: order and concurrency follow from the tables they read and write."""

from __future__ import annotations

from collections.abc import Iterable

from pasimeta.pipeline.manifest import NOTEBOOKS, Notebook


def maker_of(table: str) -> Notebook:
    """Return the notebook that writes a table."""
    return next(notebook for notebook in NOTEBOOKS if table in notebook.writes)


def predecessors(chosen: Iterable[Notebook]) -> dict[Notebook, set[Notebook]]:
    """Return, for each chosen notebook, the chosen ones whose tables it reads.

    The result feeds :class:`graphlib.TopologicalSorter`.
    """
    running = list(chosen)
    return {notebook: {maker_of(table) for table in notebook.reads} & set(running) for notebook in running}


def longest_first(ready: Iterable[Notebook]) -> list[Notebook]:
    """Return notebooks that could run in the order they should: a long one started last would keep all waiting."""
    return sorted(ready, key=lambda notebook: (-notebook.seconds, notebook.name))
