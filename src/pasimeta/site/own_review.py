"""The page for other people's reviews: what the engine makes of a table that isn't ours."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

from pasimeta.pipeline.files import write_text
from pasimeta.pipeline.worked_examples import CONTROLS, TRIALS, committed_examples
from pasimeta.site.page import Context, Page
from pasimeta.site.shell import fill
from pasimeta.site.tutorial import tutorial_notebook

FOLDER = "examples"


def own_review_pages(context: Context) -> list[Page]:
    """Return the page."""
    title = "Use it for your own review"
    body = fill(
        "own_review.html.j2",
        title=title,
        trials=TRIALS.read_text(encoding="utf-8"),
        folder=FOLDER,
        two_arm=TRIALS.name,
        single_arm=CONTROLS,
        tutorial=tutorial_notebook(context).is_file(),
        **committed_examples(),
    )
    return [Page(href="own-review.html", title=title, short="Your own review", group="About", body=body)]


def write_examples(context: Context, pages: Sequence[Page], folder: Path) -> None:
    """Write the page's tables, to be downloaded and tried."""
    text = TRIALS.read_text(encoding="utf-8")
    write_text(folder / FOLDER / TRIALS.name, text)
    rows = [f"{row['study']},{row['events2']},{row['n2']}" for row in csv.DictReader(StringIO(text))]
    write_text(folder / FOLDER / CONTROLS, "\n".join(["study,events,n", *rows]) + "\n")
