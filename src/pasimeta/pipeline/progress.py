"""What a run tells while it runs: a live line a notebook on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Reporter(Protocol):
    """Receives what happens to each notebook; methods may be called from several threads."""

    def started(self, name: str, reason: str, cells: int) -> None:
        """Note that a notebook runs, and why."""

    def at_cell(self, name: str, cell: int) -> None:
        """Note that its cell number ``cell`` starts, counted from 1."""

    def finished(self, name: str, verdict: str, seconds: float) -> None:
        """Note how it ended: ``done``, ``unchanged``, ``failed`` or ``not run``."""

    def say(self, line: str) -> None:
        """Print a line."""


class Silent:
    """Says nothing."""

    def started(self, name: str, reason: str, cells: int) -> None:
        """Say nothing."""

    def at_cell(self, name: str, cell: int) -> None:
        """Say nothing."""

    def finished(self, name: str, verdict: str, seconds: float) -> None:
        """Say nothing."""

    def say(self, line: str) -> None:
        """Say nothing."""


class _Closing(Silent):
    """Keeps how each notebook ended, and prints a table of it at the end; nothing, if nothing ran.

    Parameters
    ----------
    brief : bool
        Say only what runs: neither the table nor what is unchanged.
    """

    def __init__(self, brief: bool = False) -> None:
        self._brief = brief
        self._over = False
        self._ended: list[tuple[str, str, float]] = []
        self._since = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._brief and any(seconds for _, _, seconds in self._ended):
            self.say(closing_table(self._ended, time.monotonic() - self._since))
        self._over = True  # what a thread of an interrupted run still tells comes after the last word

    def finished(self, name: str, verdict: str, seconds: float) -> None:
        """Keep how it ended."""
        self._ended.append((name, verdict, seconds))

    def say(self, line: str) -> None:
        """Print the line at once."""
        if not self._over:
            print(line, flush=True)


class Lines(_Closing):
    """A line for each event that matters: for pipes, logs and continuous integration."""

    def started(self, name: str, reason: str, cells: int) -> None:
        """Print why it runs."""
        self.say(f"{name}: runs, {reason}")

    def finished(self, name: str, verdict: str, seconds: float) -> None:
        """Print how it ended."""
        super().finished(name, verdict, seconds)
        if seconds or not self._brief:
            self.say(f"{name}: {verdict}" + (f" in {seconds:.1f} s" if seconds else ""))


class Live(_Closing):
    """A live line a notebook with the cell it is at; the table takes its place in the end."""

    def __init__(self, brief: bool = False) -> None:
        super().__init__(brief)
        self._lock = threading.Lock()
        self._shown: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shown, self._shown = self._shown, None
        if shown is not None:
            shown.stop()
        super().__exit__(kind, error, trace)

    def started(self, name: str, reason: str, cells: int) -> None:
        """Open the notebook's line."""
        if self._over:
            return
        self._tasks[name] = self._progress().add_task(name, total=cells, note=reason)

    def at_cell(self, name: str, cell: int) -> None:
        """Move the notebook's bar."""
        if self._over:
            return
        self._progress().update(self._tasks[name], completed=cell)

    def finished(self, name: str, verdict: str, seconds: float) -> None:
        """Close the notebook's line with its verdict."""
        super().finished(name, verdict, seconds)
        if name in self._tasks and not self._over:
            self._progress().update(self._tasks[name], note=verdict)
            self._progress().stop_task(self._tasks[name])

    def say(self, line: str) -> None:
        """Print the line above the bars."""
        if self._shown is None:
            super().say(line)
        else:
            self._shown.console.print(line, markup=False, highlight=False)

    def _progress(self) -> Progress:
        """Return the bars; made when the first notebook starts, for a run that starts none needn't import them."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        with self._lock:
            if self._shown is None:
                self._shown = Progress(
                    TextColumn("{task.description:<20}", markup=False),
                    BarColumn(bar_width=24),
                    TextColumn("cell"),
                    MofNCompleteColumn(),
                    TimeElapsedColumn(),
                    TextColumn("{task.fields[note]}", markup=False),
                    transient=True,
                )
                self._shown.start()
            return self._shown


def closing_table(ended: Sequence[tuple[str, str, float]], total: float) -> str:
    """Return a table of names, seconds and verdicts, in order of name, and what the whole took."""
    rows = [(name, f"{seconds:.1f} s" if seconds else "", verdict) for name, verdict, seconds in sorted(ended)]
    rows.append(("in all", f"{total:.1f} s", ""))
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [f"{name:<{widths[0]}}  {seconds:>{widths[1]}}  {verdict}".rstrip() for name, seconds, verdict in rows]
    return "\n".join(["", *lines])


def on_a_terminal() -> bool:
    """Whether somebody watches."""
    return sys.stdout.isatty()
