"""Where the time of a run goes: python benchmarks/phases.py FOLDER [--only SECTION ...]. Makes a run in the folder."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from pasimeta.pipeline.configuration import Configuration
from pasimeta.pipeline.progress import Silent
from pasimeta.pipeline.project import Project

PROJECT = Project(Path(__file__).resolve().parents[1])


class Clock(Silent):
    """Notes when things happen, in seconds since the process was started."""

    def __init__(self) -> None:
        self.cells: dict[str, float] = {}
        self.ended: dict[str, float] = {}
        self.began: list[float] = []
        self.site = 0.0

    @staticmethod
    def now() -> float:
        """Seconds since this process began."""
        return time.time() - psutil.Process().create_time()

    def started(self, name: str, reason: str, cells: int) -> None:
        """Note the first notebook."""
        self.began.append(self.now())

    def at_cell(self, name: str, cell: int) -> None:
        """Note when the first cell starts: its kernel is ready."""
        self.cells.setdefault(name, self.now())

    def finished(self, name: str, verdict: str, seconds: float) -> None:
        """Note its end."""
        self.ended[name] = self.now()
        if name == "site":
            self.site = seconds


def phases(names: Sequence[str], results: Path) -> None:
    """Run in this process and print where the time went."""
    from pasimeta.pipeline.runner import Settings, run

    clock = Clock()
    imported = clock.now()
    settings = Settings(only=tuple(names), results=results, site=results.parent / "site")
    run(PROJECT, Configuration(PROJECT.config), settings, clock)
    first, last = min(clock.cells.values()), max(end for name, end in clock.ended.items() if name != "site")
    rows = {
        "interpreter, imports of this script": imported,
        "parameters, plan, check of the data": min(clock.began) - imported,
        "waiting for the first kernel": first - min(clock.began),
        "notebooks": last - first,
        "record and crate": clock.ended["site"] - clock.site - last,
        "site": clock.site,
    }
    for name, seconds in rows.items():
        print(f"  {name:<40}{seconds:8.2f} s")
    for name, end in clock.ended.items():
        if name in clock.cells:
            print(f"    {name:<38}{end - clock.cells[name]:8.2f} s from its first cell at {clock.cells[name]:.2f} s")


def main() -> None:
    """Run, and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("folder", type=Path)
    options.add_argument("--only", action="append", default=[], help="these notebooks alone; name what they read, too")
    given = options.parse_args()
    phases(given.only, given.folder / "results")


if __name__ == "__main__":
    main()
