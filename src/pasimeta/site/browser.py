"""The data browser: every study and every entry in tables that sort and filter in the reader's browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pasimeta.evidence.entries import Entry, entry_href, in_words
from pasimeta.evidence.store import Evidence
from pasimeta.evidence.study import Study
from pasimeta.site.entries import every_entry
from pasimeta.site.page import Context, Page
from pasimeta.site.shell import fill

# columns that a reader asks for
STUDY_EXTRAS: tuple[tuple[Callable[[Study], str | int | None], str], ...] = (
    (lambda study: study.title, "Title"),
    (lambda study: study.citation.year if study.citation else None, "Published"),
    (lambda study: ", ".join(map(in_words, study.phase)), "Phase"),
    (lambda study: "" if study.allocation == "na" else in_words(study.allocation), "Allocation"),
    (lambda study: study.product.donor and in_words(study.product.donor), "Donor"),
    (lambda study: study.sponsor, "Sponsor"),
)
ENTRY_EXTRAS = (
    ("derived", "How it follows"),
    ("note", "Remark"),
    ("also", "Also in"),
    ("path", "Field of the file"),
)


def browser_pages(context: Context) -> list[Page]:
    """Return the data browser."""
    evidence = context.evidence
    if not evidence.studies:
        return []
    entries = [_row(entry, evidence) for entry in every_entry(evidence)]
    body = fill(
        "browser.html.j2",
        studies=evidence.studies.values(),
        entries=entries,
        records=sorted({row["label"] for row in entries}, key=str.casefold),
        study_extras=STUDY_EXTRAS,
        entry_extras=ENTRY_EXTRAS,
        in_words=in_words,
    )
    scripts = ("tables.js", "columns.js")
    return [Page(href="data.html", title="All data", group="Evidence", body=body, contents=False, scripts=scripts)]


def _row(entry: Entry, evidence: Evidence) -> dict[str, Any]:
    labelled = evidence.studies.get(entry.record) or evidence.comparators.get(entry.record)
    cited = entry.cited
    return {
        "label": labelled.label if labelled else evidence.benchmarks[entry.record].label,
        "subject": entry.subject,
        "quantity": entry.quantity,
        "value": entry.value,
        "href": entry_href(entry.id),
        "reason": entry.reason,
        "source": cited.source,
        "locator": cited.locator,
        "confidence": cited.confidence or "",
        "disputed": entry.standing or ("disputed" if entry.conflicts else ""),
        "derived": cited.derived or "",
        "note": cited.note or "",
        "also": "; ".join(f"{place.source}, {place.locator}" for place in cited.also),
        "path": entry.path,
    }
