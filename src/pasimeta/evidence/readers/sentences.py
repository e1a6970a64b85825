"""Sentences of a line, also where the space after the full stop is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pasimeta.evidence.readers.source import Text

_STOP = re.compile(r"[.!?](?=[\s\"')\]]|[A-Z][a-z]|$)|[。！？]|;(?=\s)")
_SHORT_FORMS = ("e.g", "i.e", "vs", "approx", "fig", "dr", "no", "al", "ca", "resp", "incl", "wk", "wks", "mo")
_LONGEST = 4000


def sentences(text: Text) -> list[Text]:
    """Return the sentences of a line, each at most 4,000 characters long so that work on one is bounded."""
    if "sentences" not in text.memory:
        text.memory["sentences"] = list(_cut(text))
    found: list[Text] = text.memory["sentences"]
    return found


def _cut(text: Text) -> Iterator[Text]:
    start = 0
    for match in _STOP.finditer(text.chars):
        end = match.end()
        if match[0] == "." and _is_short_form(text.chars, match.start()):
            continue
        yield from _bounded(text, start, end)
        start = end
    yield from _bounded(text, start, len(text))


def _bounded(text: Text, start: int, end: int) -> Iterator[Text]:
    while start < end:
        stop = min(end, start + _LONGEST)
        if stop < end:
            space = text.chars.rfind(" ", start + _LONGEST // 2, stop)
            stop = space if space > 0 else stop
        piece = text[start:stop].strip()
        if len(piece):
            yield piece
        start = stop


def _is_short_form(chars: str, stop: int) -> bool:
    word_start = stop
    while (
        word_start > 0 and stop - word_start < 8 and (chars[word_start - 1].isalnum() or chars[word_start - 1] == ".")
    ):
        word_start -= 1
    return chars[word_start:stop].casefold() in _SHORT_FORMS
