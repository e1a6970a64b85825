"""The page of other treatments: every count of a comparator trial and every figure pooled by others."""

from __future__ import annotations

from pasimeta.evidence.entries import CONTEXT, comparator_entries, in_words
from pasimeta.site.page import Context, Page
from pasimeta.site.records import source_link
from pasimeta.site.shell import fill


def other_treatment_pages(context: Context) -> list[Page]:
    """Return the page that figures of other treatments link to."""
    evidence = context.evidence
    if not (evidence.comparators or evidence.benchmarks):
        return []
    readings = {
        trial.id: [entry for entry in comparator_entries(trial) if entry.standing]
        for trial in evidence.comparators.values()
    }
    body = fill(
        "other_treatments.html.j2",
        trials=evidence.comparators.values(),
        benchmarks=evidence.benchmarks.values(),
        readings=readings,
        sources=evidence.sources,
        source_link=source_link,
        in_words=in_words,
    )
    return [Page(href=f"{CONTEXT}.html", title="Other treatments", group="Evidence", body=body)]
