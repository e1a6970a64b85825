"""Cited records of a data file as blocks of a page: values side by side, their place and standing below."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from pasimeta.evidence.context import Source
from pasimeta.evidence.entries import Entry, anchor_of
from pasimeta.evidence.facts import Cited
from pasimeta.site.shell import fill


@dataclass(frozen=True, slots=True)
class Block:
    """The values that one place of a document gives.

    Attributes
    ----------
    subject : str
        Whose values.
    anchor : str
        Id of the block; empty where the single value has it.
    entries : tuple of Entry
    """

    subject: str
    anchor: str
    entries: tuple[Entry, ...]

    @property
    def cited(self) -> Cited:
        """Source, locator and remarks."""
        return self.entries[0].cited

    @property
    def conflicts(self) -> tuple[int, ...]:
        """Positions of the conflicts that concern any value."""
        return tuple(sorted({position for entry in self.entries for position in entry.conflicts}))


def blocks(entries: Iterable[Entry]) -> list[Block]:
    """Group entries by the cited record they belong to, in order."""
    grouped: dict[int, list[Entry]] = {}
    for entry in entries:
        grouped.setdefault(id(entry.cited), []).append(entry)
    return [Block(group[0].subject, _anchor(group), tuple(group)) for group in grouped.values()]


def source_link(name: str, sources: Mapping[str, Source]) -> Markup:
    """Return a link to the entry of a source on the page of sources."""
    source = sources.get(name)
    return Markup('<a href="sources.html#{}">{}</a>').format(name, source.title if source else name)


def blocks_html(shown: list[Block], sources: Mapping[str, Source]) -> Markup:
    """Return blocks as HTML, each under a third-level heading."""
    return fill("records.html.j2", blocks=shown, sources=sources, source_link=source_link)


def _anchor(group: list[Entry]) -> str:
    figure = group[0].figure
    return "" if any(entry.path == figure for entry in group) else anchor_of(figure)
