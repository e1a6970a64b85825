"""The page for other people's reviews: what the engine makes of a table that isn't ours, worked out at rendering."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pathlib import Path

from pasimeta.pipeline.files import write_text
from pasimeta.pipeline.fingerprint import environment, files_hash, package_hash
from pasimeta.site.page import Context, Page
from pasimeta.site.shell import TEMPLATES, fill
from pasimeta.site.tutorial import tutorial_notebook

TRIALS = Path(__file__).parent / "content" / "bcg.csv"
FOLDER = "examples"
CONTROLS = "bcg_unvaccinated.csv"


@dataclass(frozen=True, slots=True)
class Example:
    """A command and what it prints."""

    command: str
    output: str


def own_review_pages(context: Context) -> list[Page]:
    """Return the page."""
    href, title, source = "own-review.html", "Use it for your own review", _source_hash(context)
    body = context.earlier_body(href, source) or fill(
        "own_review.html.j2",
        title=title,
        trials=TRIALS.read_text(encoding="utf-8"),
        folder=FOLDER,
        two_arm=TRIALS.name,
        single_arm=CONTROLS,
        tutorial=tutorial_notebook(context).is_file(),
        **examples(),
    )
    return [Page(href=href, title=title, short="Your own review", group="About", body=body, source=source)]


@cache
def examples() -> dict[str, Example]:
    """Return the page's commands with their output, as the command line prints it."""
    # the whole engine, which a page taken over from an earlier run doesn't need
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


def write_examples(context: Context, pages: Sequence[Page], folder: Path) -> None:
    """Write the page's tables, to be downloaded and tried."""
    text = TRIALS.read_text(encoding="utf-8")
    write_text(folder / FOLDER / TRIALS.name, text)
    rows = [f"{row['study']},{row['events2']},{row['n2']}" for row in csv.DictReader(StringIO(text))]
    write_text(folder / FOLDER / CONTROLS, "\n".join(["study,events,n", *rows]) + "\n")


def _source_hash(context: Context) -> str:
    # any part of the engine may decide what it prints
    shown = files_hash([TRIALS, TEMPLATES / "own_review.html.j2"])
    made_with = repr((sorted(environment().items()), tutorial_notebook(context).is_file()))
    return hashlib.sha256((package_hash() + shown + made_with).encode()).hexdigest()
