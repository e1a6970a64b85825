"""What a run tells while it runs: a live line a notebook on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
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


class Lines(Silent):
    """A line for each event that matters: for pipes, logs and continuous integration."""

    def started(self, name: str, reason: str, cells: int) -> None:
        """Print why it runs."""
        self.say(f"{name}: runs, {reason}")

    def finished(self, name: str, verdict: str, seconds: float) -> None:
        """Print how it ended."""
        self.say(f"{name}: {verdict}" + (f" in {seconds:.1f} s" if seconds else ""))

    def say(self, line: str) -> None:
        """Print the line at once."""
        print(line, flush=True)


class Live(Silent):
    """A live line a notebook with the cell it is at, and a closing table of times."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress: Progress = Progress(
            TextColumn("{task.description:<20}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def started(self, name: str, reason: str, cells: int) -> None:
        """Open the notebook's line."""
        self._tasks[name] = self._progress.add_task(name, total=cells, note=reason)

    def at_cell(self, name: str, cell: int) -> None:
        """Move the notebook's bar."""
        self._progress.update(self._tasks[name], completed=cell)

    def finished(self, name: str, verdict: str, seconds: float) -> None:
        """Close the notebook's line with its verdict."""
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=1, note="", completed=1)
        task = self._tasks[name]
        self._progress.update(task, note=verdict)
        self._progress.stop_task(task)

    def say(self, line: str) -> None:
        """Print the line above the bars."""
        self._progress.console.print(line, markup=False, highlight=False)


def on_a_terminal() -> bool:
    """Whether somebody watches."""
    return sys.stdout.isatty()
