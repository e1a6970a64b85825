"""The page of documents: what each is, where it is to be found, and which figures were read in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pasimeta.evidence.context import Source
from pasimeta.evidence.entries import Entry, entry_href, in_words
from pasimeta.evidence.store import Evidence
from pasimeta.site.entries import every_entry
from pasimeta.site.page import Context, Page
from pasimeta.site.shell import fill


@dataclass(frozen=True, slots=True)
class Document:
    """A document with the figures read in it: their addresses and words, by record."""

    id: str
    source: Source
    kind: str
    figures: dict[str, list[tuple[str, str]]]


def source_pages(context: Context) -> list[Page]:
    """Return the page of documents."""
    evidence = context.evidence
    if not evidence.sources:
        return []
    read = _read_in(every_entry(evidence))
    documents = [
        Document(name, source, in_words(source.kind), _by_record(read.get(name, []), evidence))
        for name, source in evidence.sources.items()
    ]
    body = fill("sources.html.j2", documents=documents, total=len(documents))
    return [Page(href="sources.html", title="Documents", group="Evidence", body=body, contents=False)]


def _read_in(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    read: dict[str, list[Entry]] = {}
    for entry in entries:
        places = [entry.cited.source, *(place.source for place in entry.cited.also)]
        for name in dict.fromkeys(place for place in places if place):
            read.setdefault(name, []).append(entry)
    return read


def _by_record(entries: list[Entry], evidence: Evidence) -> dict[str, list[tuple[str, str]]]:
    """Return address and words of the first value of each cited record, by the label of study or trial."""
    found: dict[str, list[tuple[str, str]]] = {}
    seen: set[tuple[str, int]] = set()
    for entry in entries:
        if (entry.record, id(entry.cited)) in seen:
            continue
        seen.add((entry.record, id(entry.cited)))
        labelled = evidence.studies.get(entry.record) or evidence.comparators.get(entry.record)
        label = labelled.label if labelled else evidence.benchmarks[entry.record].label
        found.setdefault(label, []).append((entry_href(entry.id), entry.subject))
    return found
