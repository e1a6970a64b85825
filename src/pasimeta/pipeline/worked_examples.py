"""What the engine makes of a table that isn't ours: commands on the site's page for other reviews, and their output.

The output is committed, as generated files are, for working it out takes half of the engine's imports.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "site" / "content"
TRIALS = FOLDER / "bcg.csv"
CONTROLS = "bcg_unvaccinated.csv"
OUTPUTS = FOLDER / "worked_examples.json"


@dataclass(frozen=True, slots=True)
class Example:
    """A command and what it prints."""

    command: str
    output: str


def committed_examples() -> dict[str, Example]:
    """Return the examples as they were last generated."""
    kept = json.loads(OUTPUTS.read_text(encoding="utf-8"))
    return {name: Example(**example) for name, example in kept.items()}


def examples_text() -> str:
    """Return the text of the file of examples, worked out now."""
    worked_out = {name: asdict(example) for name, example in _worked_out().items()}
    return json.dumps(worked_out, indent=2, ensure_ascii=False) + "\n"


def _worked_out() -> dict[str, Example]:
    from pasimeta.pipeline.anyones_table import (
        StudyTable,
        gosh_text,
        pool_table,
        read_study_table,
        result_text,
        table_effects,
    )
    from pasimeta.robustness import gosh

    trials = read_study_table(TRIALS)
    arm = {"events": trials.columns["events2"], "n": trials.columns["n2"]}
    controls = StudyTable(trials.path, "rates", trials.studies, arm)
    return {
        "pooled": Example(
            f"pasimeta pool {TRIALS.name} --measure RR --test knha",
            result_text(pool_table(trials, measure="RR", test="knha"), "table"),
        ),
        "exact": Example(f"pasimeta pool {CONTROLS}", result_text(pool_table(controls), "table")),
        "subsets": Example(
            f"pasimeta gosh {TRIALS.name} --measure RR", gosh_text(gosh(*table_effects(trials, "RR")), "table")
        ),
    }
