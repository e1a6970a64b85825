"""Text that remembers where each of its characters stood in the document."""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pasimeta.evidence.readers.result import Span

_LINE_END = re.compile(r"\r\n|\r|\n")
_SPECIAL = re.compile(r"\\[^\w\s]|&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8});|[^\x00-\x7f]")
_ENTITIES = {
    "lt": "<",
    "gt": ">",
    "amp": "&",
    "quot": '"',
    "apos": "'",
    "nbsp": " ",
    "ge": "≥",
    "le": "≤",
    "times": "×",
    "plusmn": "±",
    "ndash": "–",
    "mdash": "–",
    "middot": "·",
}
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_SAME_THING = {
    **dict.fromkeys("×✕✖⨯∗＊·⋅∙", "×"),
    **dict.fromkeys("‐‑‒–—―−－﹣~～∼", "–"),
    **dict.fromkeys("’‘ʼ`´", "'"),
    **dict.fromkeys("“”„«»", '"'),
    **dict.fromkeys("、，﹐", ","),
    **dict.fromkeys("≥⩾≧", "≥"),
    **dict.fromkeys("≤⩽≦", "≤"),
    **dict.fromkeys("。．", "."),
    "∶": ":",
    "％": "%",
    "﹪": "%",
    "\u200b": " ",
    "\ufeff": " ",
    "\u00ad": " ",
    "：": ":",
}


@dataclass(frozen=True, slots=True)
class Text:
    """Normalised characters with the offset in the document of each."""

    chars: str
    places: Sequence[int]
    # what readers make of it, kept because a dozen of them look at the same text
    memory: dict[str, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    def __getitem__(self, part: slice) -> Text:
        return Text(self.chars[part], self.places[part])

    def __len__(self) -> int:
        return len(self.chars)

    def strip(self, extra: str = "") -> Text:
        """Return the text without white space (and the extra characters) at its ends."""
        unwanted = " \t\f\v" + extra
        start = len(self.chars) - len(self.chars.lstrip(unwanted))
        return self[start : max(start, len(self.chars.rstrip(unwanted)))]


class Source:
    """The document as received: gives spans for offsets.

    Parameters
    ----------
    text : str
        The decoded document, or a part of it.
    name : str
        For messages.
    line, column : int
        Where the part begins in the document; line counts from 1, column from 0.
    """

    def __init__(self, text: str, name: str = "document", line: int = 1, column: int = 0) -> None:
        self.text = text
        self.name = name
        self._line = line
        self._column = column
        self._starts = array("q", [0, *(match.end() for match in _LINE_END.finditer(text))])

    def _end_of_line(self, line: int) -> int:
        if line == len(self._starts):
            return len(self.text)
        end = self._starts[line] - 1
        return end - (self.text[end - 1 : end + 1] == "\r\n")

    def span(self, start: int, end: int) -> Span:
        """Return the span of offsets, cut at the end of the line it begins on."""
        line = bisect_right(self._starts, start)
        first = self._starts[line - 1] - (self._column if line == 1 else 0)
        stop = max(start, min(end, self._end_of_line(line)))
        return Span(line + self._line - 1, start - first, stop - first, self.text[start:stop])

    def span_of(self, text: Text, start: int = 0, end: int | None = None) -> Span:
        """Return the span of characters of a text."""
        end = len(text) if end is None else end
        if not len(text):
            return self.span(0, 0)
        start = min(start, len(text) - 1)
        last = max(start, min(end, len(text)) - 1)
        return self.span(text.places[start], text.places[last] + 1)

    def lines(self) -> list[Text]:
        """Return the document's lines, normalised."""
        found = []
        for number, start in enumerate(self._starts, 1):
            end = self._end_of_line(number)
            found.append(normalised(Text(self.text[start:end], range(start, end))))
        return found


def normalised(text: Text) -> Text:
    """Return the text in plain spelling: no escapes, entities, full-width forms, superscripts or odd dashes.

    Each character keeps the offset of what it came from, so spans still point into the document.
    """
    first = _SPECIAL.search(text.chars)
    if first is None:
        return text
    chars: list[str] = []
    places: list[int] = []
    done = 0
    raised = False
    for match in _SPECIAL.finditer(text.chars):
        start = match.start()
        if start > done:
            raised = False
            chars.append(text.chars[done:start])
            places.extend(text.places[done:start])
        plain, raises = _plain(match[0])
        if raises and not raised:
            plain = "^" + plain
        raised = raises
        chars.append(plain)
        places.extend([text.places[start]] * len(plain))
        done = match.end()
    chars.append(text.chars[done:])
    places.extend(text.places[done:])
    return Text("".join(chars), places)


def _plain(piece: str) -> tuple[str, bool]:
    """Return the plain spelling of one special piece, and whether it is a superscript."""
    if piece[0] == "\\":
        return piece[1:], False
    if piece[0] == "&":
        return _entity(piece), False
    if piece in _SAME_THING:
        return _SAME_THING[piece], False
    superscript = piece.translate(_SUPERSCRIPTS)
    if superscript != piece:
        return superscript, True
    folded = unicodedata.normalize("NFKC", piece)
    if folded != piece and len(folded) == 1:
        return _SAME_THING.get(folded, folded), False
    return (" " if piece.isspace() else piece), False


def _entity(piece: str) -> str:
    name = piece[1:-1]
    if name[0] == "#":
        code = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
        char = chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else " "
        return _SAME_THING.get(char, char)
    plain = _ENTITIES.get(name, piece)
    return _SAME_THING.get(plain, plain)
