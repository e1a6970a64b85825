"""Whether each figure really stands where its locator says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pasimeta.errors import EvidenceError
from pasimeta.evidence.audit.documents import Stored
from pasimeta.evidence.audit.parts import Part, parts_of
from pasimeta.evidence.audit.printed import Passage, printed_numbers
from pasimeta.evidence.audit.result import Status
from pasimeta.evidence.context import Source
from pasimeta.evidence.facts import Cited
from pasimeta.evidence.readers.result import Span

OWN_WORDS = "told in our own words, without a number"
NO_COPY = "no stored copy of the document"
NOT_AT_HAND = "the stored copy is not in the folder"
NO_LINE = "the locator names no line"


class Place(NamedTuple):
    """A place that a figure names, its own or that of a document that agrees."""

    field: str
    source: str
    locator: str
    part: str | None


class Verdict(NamedTuple):
    """What a look at a place says."""

    status: Status
    reason: str | None = None
    spans: tuple[Span, ...] = ()


def places_of(field: str, figure: Cited) -> Iterator[Place]:
    """Yield the figure's own place, then those of the documents that agree."""
    if figure.source is not None and figure.locator is not None:
        yield Place(field, figure.source, figure.locator, None)
    for position, also in enumerate(figure.also):
        yield Place(f"{field}.also.{position}", also.source, also.locator, also.part)


def verdict(figure: Cited, place: Place, sources: Mapping[str, Source], documents: Mapping[str, Stored]) -> Verdict:
    """Return whether the figure stands at a place.

    Every part of a figure must stand in the lines of the locator: a count as a number or as a percentage that it alone
    rounds to, a dose in any spelling of its power, a week also as days or months. What isn't printed is accepted where
    the record's ``derived`` accounts for that number.
    """
    source = sources.get(place.source)
    if place.source not in documents:
        return Verdict("not_checkable", NOT_AT_HAND if source is not None and source.sha256 else NO_COPY)
    try:
        passage = documents[place.source].passage(place.locator)
    except EvidenceError as error:
        return Verdict("failed", str(error))
    if passage is None:
        return Verdict("not_checkable", NO_LINE)
    agreeing = (place.source, place.locator) != (figure.source, figure.locator)
    parts = [part for part in parts_of(figure) if not (agreeing and part.own_place)]
    if not parts:
        return Verdict("not_checkable", OWN_WORDS)
    return _judged(figure, place, parts, passage, source.note if source is not None else None)


def _judged(figure: Cited, place: Place, parts: list[Part], passage: Passage, note: str | None) -> Verdict:
    looked = [(part, part.look(passage)) for part in parts]
    spans = tuple(dict.fromkeys(span for _, span in looked if span is not None))
    absent = [part for part, span in looked if span is None]
    if not absent:
        return Verdict("proven", None, spans)
    if place.part is not None and spans:
        return Verdict("proven", f"this place gives only {place.part}", spans)
    unexplained = [part for part in absent if not _explained(part, figure, passage, note)]
    if unexplained:
        names = ", ".join(part.name for part in unexplained)
        return Verdict("failed", f"{names}: not found there", spans)
    derived = f"derived: {', '.join(part.name for part in absent)}"
    return Verdict("proven" if spans else "not_checkable", derived, spans)


def _explained(part: Part, figure: Cited, passage: Passage, note: str | None) -> bool:
    if part.in_note and note is not None and part.numbers[0] in _values(note):
        return True
    if figure.derived is None:
        return False
    if not part.numbers:
        return part.word is not None and part.word in figure.derived.lower()
    named = _values(figure.derived)
    if all(value in named for value in part.numbers):
        return True
    # a sum of printed terms: "the exclusive categories 18 + 8"
    return "+" in figure.derived and sum(named) == part.numbers[0] and all(passage.number(term) for term in named)


def _values(text: str) -> list[float]:
    return [number.value for number in printed_numbers(text)]
