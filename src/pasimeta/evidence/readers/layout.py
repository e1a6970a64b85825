"""A page cut into its labelled parts, whatever the layout."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from pasimeta.evidence.readers.fields import badge_field, has_short_value
from pasimeta.evidence.readers.labels import FIRST_SHORT_WORDS, LONGEST_LABEL, SHORT_FIELDS, label_field
from pasimeta.evidence.readers.source import Text

BULLETS = "•●▪◦‣■□◆►✓✔*-–#>|`\"'"
_ONE_LINE = SHORT_FIELDS | {"title", "other_id"}
_NESTED = frozenset({"time_frame", "measure_name", "measure_text"})
OUTCOME_FIELDS = frozenset({"primary", "secondary", "other_outcomes"})
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z0-9])")
_BADGE_EDGE = re.compile(r"\s[|×•/–]\s")
_COLON = re.compile(r":(?!//)")


@dataclass(slots=True)
class Section:
    """The lines under one label; ``field`` is ``body`` where there is none."""

    field: str
    label: Text | None
    lines: list[Text] = dataclasses.field(default_factory=list)

    @property
    def value(self) -> Text | None:
        """The first line that isn't blank."""
        return next((line for line in self.lines if len(line)), None)


@dataclass(frozen=True, slots=True)
class Page:
    """All parts of a document in order."""

    sections: tuple[Section, ...]

    def all(self, *fields: str) -> Iterator[Section]:
        """Yield the sections with one of these fields."""
        return (section for section in self.sections if section.field in fields)

    def lines(self, *without: str) -> Iterator[Text]:
        """Yield the lines that aren't blank, except those of some fields."""
        for section in self.sections:
            if section.field not in without:
                yield from (line for line in section.lines if len(line))

    @property
    def fields(self) -> set[str]:
        """The fields that the page labels."""
        return {section.field for section in self.sections if section.label is not None}


def page(lines: Iterable[Text]) -> Page:
    """Return a document's sections.

    A label may stand alone on a line, before a colon, in a table row or, for short values, before the value itself.
    """
    sections = [Section("body", None)]
    for raw in lines:
        line = raw.strip(BULLETS)
        badges = _badges(line)
        if badges:
            sections += badges
            continue
        labelled = _labelled(line)
        if labelled is None:
            _append(sections, line)
            continue
        name, label, value = labelled
        if name in _NESTED and sections[-1].field in OUTCOME_FIELDS | _NESTED | {"body"}:
            sections.append(Section(name, label, [value] if len(value) else []))
        else:
            sections.append(Section(name, label, [value] if len(value) else []))
    return Page(tuple(sections))


def _badges(line: Text) -> list[Section]:
    """Read ``Recruiting | Phase 2 | 18 participants``: at least two short facts in a row."""
    if len(line) > 120 or _BADGE_EDGE.search(line.chars) is None:
        return []
    edges = [(0, 0), *(match.span() for match in _BADGE_EDGE.finditer(line.chars)), (len(line), len(line))]
    pieces = [line[after:before] for (_, after), (before, _) in pairwise(edges)]
    named = [(field, piece) for piece in pieces if (field := badge_field(piece.chars)) is not None]
    return [Section(field, piece, [piece]) for field, piece in named] if len(named) > 1 else []


def _append(sections: list[Section], line: Text) -> None:
    current = sections[-1]
    if current.field in _ONE_LINE and current.value is not None and len(line):
        # what follows a one-line value no longer belongs to its label
        sections.append(Section("body", None, [line]))
    else:
        current.lines.append(line)


def _labelled(line: Text) -> tuple[str, Text, Text] | None:
    chars = line.chars
    if not chars:
        return None
    name = label_field(chars.rstrip(": "))
    if name is not None:
        return name, line, line[len(line) :]
    for cut, width in _cuts(chars):
        name = label_field(chars[:cut])
        if name is not None:
            return name, line[:cut], line[cut + width :].strip(BULLETS + ",:")
    return _short_value(line)


def _cuts(chars: str) -> Iterator[tuple[int, int]]:
    head = chars[: LONGEST_LABEL + 14]
    colon = _COLON.search(head)
    if colon is not None:
        yield colon.start(), 1
    for sign in ("|", "\t", " – ", " - ", "="):
        cut = head.find(sign)
        if cut > 0:
            yield cut, len(sign)


def _short_value(line: Text) -> tuple[str, Text, Text] | None:
    """Read ``Status Completed``, ``Enrollment 5 participants`` and the fused ``StatusCompleted``."""
    chars = line.chars
    if len(chars) > 80 or not chars.casefold().startswith(FIRST_SHORT_WORDS):
        return None
    cuts = [index for index, char in enumerate(chars) if char == " "]
    cuts += [match.start() for match in _CAMEL.finditer(chars)]
    for cut in sorted(cuts, reverse=True):
        name = label_field(chars[:cut])
        if name in SHORT_FIELDS and has_short_value(name, chars[cut:]):
            return name, line[:cut], line[cut:].strip(BULLETS)
    return None
