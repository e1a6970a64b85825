"""How long the dashboard computes and draws after each change of a control: ``python benchmarks/dashboard.py``.

Every option of every control is chosen from the default state, and so are hypothetical results, each in a state not
asked before: nothing but what is independent of the change is remembered. Computing is what a changed number
waits for (goal: 150 ms); drawing follows it, figure by figure, of what has changed. Wall-clock and processor time are
both told, for the first is longer than the second wherever the machine has other work.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pasimeta.app import answer as answers
from pasimeta.app import pictures
from pasimeta.app.basis import load_basis
from pasimeta.app.controls import CONTROLS
from pasimeta.app.session import Session
from pasimeta.app.state import State, default_state
from pasimeta.errors import PasimetaError
from pasimeta.pipeline.project import Project

GOAL = 150.0
ROOT = Path(__file__).resolve().parents[1]
SUPPOSED = ("what_if=new:50:12:30", "what_if=nct03392311:50:3:8")
REMEMBERED = (
    answers.analysed_tables,
    answers._counts,
    answers._pooled,
    answers._every_count,
    answers._curve,
    answers._curve_posterior,
    answers._dose,
    answers._sex,
    pictures._drawn,
)


class Idle:
    """A background in which nothing is ever ready, so that nothing else runs meanwhile."""

    def result(self, *_: object, **__: object) -> None:
        """Nothing."""

    def wait_for(self, *_: object) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Timing:
    """Milliseconds of one change."""

    control: str
    change: str
    computing: float
    processor: float
    drawing: float


def changes() -> list[tuple[str, str, str]]:
    """Control, option and query of every single change from the default."""
    found = []
    for control in CONTROLS:
        for value, words in control.options or ((5, "5"), (10, "10")):
            several = (*default_state().designs, value) if control.name == "designs" else (value,)
            text = ",".join(dict.fromkeys(several)) if control.kind == "several" else str(value)
            query = f"{control.name}={text}"
            if control.group.startswith("Inverse"):
                query += "&model=inverse_variance"
            if State.from_query(query) != default_state():
                found.append((control.label, words, query))
    return found + [("What if", query.removeprefix("what_if="), query) for query in SUPPOSED]


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds of wall-clock and of the processor."""
    wall, processor = time.perf_counter(), time.process_time()
    call()
    return 1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - processor)


def measured(session: Session, control: str, change: str, query: str) -> Timing:
    """Time a change from the default, which alone is remembered."""
    for remembered in REMEMBERED:
        remembered.cache_clear()
    session.ask("")
    session.drawn()
    computing, processor = timed(lambda: session.ask(query))
    drawing, _ = timed(session.drawn)
    return Timing(control, change.replace("\u00a0", " "), computing, processor, drawing)


def main() -> None:
    """Print the table of changes, then median and worst."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each change; the median is told")
    parser.add_argument("--csv", type=Path, help="write the table here")
    asked = parser.parse_args()
    session = Session(load_basis(Project(ROOT)), Idle(), lambda: None)  # type: ignore[arg-type]
    try:
        session.preheat()
    except PasimetaError as error:
        raise SystemExit(str(error)) from None
    rows = []
    for control, change, query in changes():
        rounds = [measured(session, control, change, query) for _ in range(asked.rounds)]
        middle = {
            name: statistics.median(getattr(each, name) for each in rounds)
            for name in ("computing", "processor", "drawing")
        }
        rows.append({"control": control, "change": change} | middle)
    table = pd.DataFrame(rows)
    print(table.round(0).to_string(index=False))
    for name in ("computing", "processor", "drawing"):
        worst = table.loc[table[name].idxmax()]
        beyond = "" if name == "drawing" else f"; beyond {GOAL:.0f} ms: {(table[name] > GOAL).sum()} of {len(table)}"
        median = table[name].median()
        print(f"{name}: median {median:.0f} ms, worst {worst[name]:.0f} ms ({worst.control}: {worst.change}){beyond}")
    if asked.csv:
        table.round(1).to_csv(asked.csv, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
