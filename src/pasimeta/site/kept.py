"""Pages that a process keeps for its next rendering, because nothing they were written from has changed.

Whoever stays while results change, as ``pasimeta run --watch`` does, would otherwise write a page a study again for
every change of a parameter. What a function asks of its context is noted as it writes; its pages are kept if that was
the data folder and tables alone. Code and templates need no looking at: a process that stays gives way to a new one
when they change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pandas as pd

from pasimeta.pipeline.fingerprint import file_hash
from pasimeta.site.page import Context, Page

Writer = Callable[[Context], list[Page]]
State = tuple[Any, ...]

_kept: dict[Writer, tuple[frozenset[str], State, list[Page]]] = {}


def written_or_kept(write: Writer, context: Context) -> list[Page]:
    """Return a function's pages, those of an earlier call if it would write the same."""
    if write in _kept:
        tables, state, pages = _kept[write]
        if state == _state(context, tables):
            return pages
    noting = _Noting(context)
    pages = write(cast(Context, noting))
    if not noting.asked_more:
        tables = frozenset(noting.tables)
        _kept[write] = tables, _state(context, tables), pages
    return pages


def can_be_kept(write: Writer, context: Context) -> bool:
    """Whether a function's pages, if written now, may be kept: it asks for nothing but the data and tables there."""
    return write in _kept and all(_table(context, name).is_file() for name in _kept[write][0])


def nothing_is_kept() -> bool:
    """Whether this process has kept no page yet."""
    return not _kept


@dataclass(slots=True)
class _Noting:
    """Stands for a context, and notes which tables are asked for, and whether anything beside them and the data is."""

    context: Context
    tables: set[str] = field(default_factory=set)
    asked_more: bool = False

    @property
    def evidence(self) -> Any:
        return self.context.evidence

    def table(self, name: str) -> pd.DataFrame | None:
        self.tables.add(name)
        return self.context.table(name)

    def __getattr__(self, name: str) -> Any:
        self.asked_more = True
        return getattr(self.context, name)


def _state(context: Context, tables: frozenset[str]) -> State:
    paths = [_table(context, name) for name in sorted(tables)]
    hashes = [file_hash(path) if path.is_file() else None for path in paths]
    return context.data_hash, tuple(hashes)


def _table(context: Context, name: str) -> Path:
    return context.results / "tables" / f"{name}.csv"
