"""Which notebook waits for which: order and concurrency follow from the tables they read and write."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

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


def most_urgent_first(ready: Iterable[Notebook]) -> list[Notebook]:
    """Return notebooks that could run in the order they should: first what the longest chain of others waits for."""
    return sorted(ready, key=lambda notebook: (-_seconds_to_the_end(notebook), notebook.name))


@cache
def _seconds_to_the_end(notebook: Notebook) -> float:
    """What a notebook and the longest chain of those that wait for it take."""
    waiting = [other for other in NOTEBOOKS if set(notebook.writes) & set(other.reads)]
    return notebook.seconds + max(map(_seconds_to_the_end, waiting), default=0.0)
