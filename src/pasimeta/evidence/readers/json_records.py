"""Records in JSON, one at a time, each value with its place in the document."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NoReturn

from pasimeta.errors import EvidenceError
from pasimeta.evidence.readers.result import Span
from pasimeta.evidence.readers.source import Source, Text

Path = tuple[str | int, ...]

_START = re.compile(r'\ufeff?\s*(?:\{\s*(?:"|\}|$)|\[\s*(?:\{|\]|$))')
_SCALAR = r'(?:"(?:[^"\\]|\\.){0,500}"|[-+0-9.eE]{1,30}|true|false|null)'
_PAGE = re.compile(rf'\s*\{{(?:\s*"[A-Za-z]{{1,40}}"\s*:\s*{_SCALAR}\s*,){{0,8}}\s*"studies"\s*:\s*\[')
_WORTH_FORGETTING = 1 << 20
_SPACE = re.compile(r"\s*")
_TOKEN = re.compile(r'"(?:[^"\\]+|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
# a character outside the basic plane is two escapes
_ESCAPE = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u[0-9a-fA-F]{4}|\\.", re.DOTALL)


@dataclass(frozen=True)
class JsonRecord:
    """One value of the document, where it begins, and the text it was read from."""

    value: Any
    raw: str
    name: str
    line: int
    column: int

    @cached_property
    def places(self) -> dict[Path, tuple[int, int]]:
        """Where each scalar begins and ends in the raw text, by its path."""
        return _scalar_places(self.raw)


def looks_like_json(text: str, name: str) -> bool:
    """Whether a document is meant as JSON, by its first characters or its name."""
    return _START.match(text) is not None or name.casefold().endswith((".json", ".jsonl", ".ndjson"))


def records(chunks: Iterable[str], name: str) -> Iterator[JsonRecord]:
    """Yield the records of a single object, a list, a page with ``studies``, or one object a line.

    Parameters
    ----------
    chunks : iterable of str
        The document, whole or piece by piece; only the record at hand is kept.
    name : str
        For messages.

    Raises
    ------
    EvidenceError
        The JSON is broken or cut off; the message tells where.
    """
    cursor = _Cursor(iter(chunks), name)
    opening = cursor.peek()
    page = _PAGE.match(cursor.text, cursor.position)
    if page is not None:
        cursor.position = page.end()
        yield from cursor.elements()
        cursor.expect_rest_of_object()
    elif opening == "[":
        cursor.position += 1
        yield from cursor.elements()
    else:
        yield cursor.record()
        while cursor.peek() == "{":
            yield cursor.record()
    if cursor.peek():
        cursor.refuse("has something after its end", cursor.position)


class _Cursor:
    """A place in a document that is read as far as needed; what lies behind is forgotten."""

    def __init__(self, chunks: Iterator[str], name: str) -> None:
        self.text = ""
        self.name = name
        self.position = 0
        self._chunks = chunks
        self._decoder = json.JSONDecoder()
        self._mark, self._line, self._column = 0, 1, 0  # a place in the text whose line and column are known
        self._fill()
        self.position = int(self.text.startswith("\ufeff"))

    def _fill(self) -> bool:
        """Read on: at least as much as is kept, so that retries add up to linear time."""
        wanted = max(1, len(self.text) - self.position)
        pieces, got = [], 0
        while got < wanted and (piece := next(self._chunks, "")):
            pieces.append(piece)
            got += len(piece)
        self.text = "".join([self.text, *pieces])
        return got > 0

    def _forget(self) -> None:
        """Drop what lies behind, once it is worth the copying."""
        if self.position < max(_WORTH_FORGETTING, len(self.text) // 2):
            return
        self._line, self._column = self._line_and_column(self.position)
        self.text = self.text[self.position :]
        self.position = self._mark = 0

    def _line_and_column(self, position: int) -> tuple[int, int]:
        last = self.text.rfind("\n", self._mark, position)
        lines = self.text.count("\n", self._mark, position)
        column = self._column + position - self._mark if last < 0 else position - last - 1
        return self._line + lines, column

    def peek(self) -> str:
        """Return the next character that isn't white space, or nothing at the end."""
        while True:
            match = _SPACE.match(self.text, self.position)
            assert match is not None
            self.position = match.end()
            if self.position < len(self.text) or not self._fill():
                return self.text[self.position : self.position + 1]

    def elements(self) -> Iterator[JsonRecord]:
        """Yield the elements of an array whose bracket is behind; end after the closing bracket."""
        if self.peek() == "]":
            self.position += 1
            return
        while True:
            yield self.record()
            sign = self.peek()
            self.position += 1
            if sign == "]":
                return
            if sign != ",":
                self.refuse("is cut off or broken", self.position - 1)

    def record(self) -> JsonRecord:
        """Return the value that begins here."""
        self.peek()
        self._forget()
        start = self.position
        value, end = self._decoded(start)
        self.position = end
        self._line, self._column = self._line_and_column(start)
        self._mark = start
        return JsonRecord(value, self.text[start:end], self.name, self._line, self._column)

    def _decoded(self, start: int) -> tuple[Any, int]:
        while True:
            try:
                value, end = self._decoder.raw_decode(self.text, start)
                # a number at the end of a piece may go on in the next
                if end < len(self.text) or isinstance(value, (dict, list, str)) or not self._fill():
                    return value, end
            except json.JSONDecodeError as error:
                if not self._fill():
                    self.refuse(f"is broken or cut off JSON ({error.msg[:1].lower()}{error.msg[1:]})", error.pos)
            except RecursionError:
                self.refuse("nests too deeply for a record", start)
            except ValueError:  # an integer of thousands of digits
                self.refuse("holds a number that is no number of patients or cells", start)

    def expect_rest_of_object(self) -> None:
        """Read the members of a page that follow its studies."""
        while (sign := self.peek()) == ",":
            self.position += 1
            for part in ("key", "value"):
                self.peek()
                _, self.position = self._decoded(self.position)
                if part == "key":
                    self.peek()
                    self.position += 1
        if sign != "}":
            self.refuse("is cut off or broken", self.position)
        self.position += 1

    def refuse(self, what: str, position: int) -> NoReturn:
        """Raise, with line and column of a place in the text that is kept."""
        line, column = self._line_and_column(position)
        raise EvidenceError(
            f"{self.name}: {what} at line {line}, column {column + 1}; fetch the whole record again"
        ) from None


def _scalar_places(raw: str) -> dict[Path, tuple[int, int]]:
    found: dict[Path, tuple[int, int]] = {}
    path: list[str | int] = []
    expects_key = False
    for match in _TOKEN.finditer(raw):
        piece = match[0]
        if piece == "{":
            path.append("")
            expects_key = True
        elif piece == "[":
            path.append(0)
            expects_key = False
        elif piece in "}]":
            path.pop()
            expects_key = False
        elif piece == ",":
            last = path[-1]
            expects_key = isinstance(last, str)
            if not isinstance(last, str):
                path[-1] = last + 1
        elif piece == ":":
            expects_key = False
        elif expects_key:
            path[-1] = json.loads(piece)
        else:
            found[tuple(path)] = match.span()
    return found


class RecordSource(Source):
    """The strings of a record, laid end to end, whose spans point into the document."""

    def __init__(self, record: JsonRecord) -> None:
        super().__init__(record.raw, record.name, record.line, record.column)
        self._record = record
        self._bases: list[int] = []
        self._paths: list[Path] = []
        self._next = 0

    def string(self, *path: str | int) -> Text | None:
        """Return the string (or the number, spelled out) at a path, or None."""
        value: Any = self._record.value
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            return None
        return self._laid(value if isinstance(value, str) else str(value), path)

    def strings(self) -> Iterator[tuple[Path, Text]]:
        """Yield all strings and numbers of the record with their paths."""
        for path in self._record.places:
            text = self.string(*path)
            if text is not None:
                yield path, text

    def _laid(self, value: str, path: Path) -> Text:
        base = self._next
        self._bases.append(base)
        self._paths.append(path)
        self._next += len(value) + 1
        return Text(value, range(base, base + len(value)))

    def span(self, start: int, end: int) -> Span:
        """Return the span of laid-out offsets in the document."""
        if not self._bases:
            return super().span(0, 0)
        index = bisect_right(self._bases, start) - 1
        places = self._record.places.get(self._paths[index])
        if places is None:
            return super().span(0, 0)
        base = self._bases[index]
        return super().span(*_raw_bounds(self.text, places, start - base, end - base))


def _raw_bounds(raw: str, places: tuple[int, int], start: int, end: int) -> tuple[int, int]:
    """Return where characters of a decoded string stand in the raw text, escapes counted."""
    first, last = places
    if raw[first] != '"':
        return first, last
    body = raw[first + 1 : last - 1]
    if "\\" not in body:
        return first + 1 + start, min(first + 1 + end, last - 1)
    bounds: list[int] = []
    for wanted in (start, end):
        raw_at, decoded_at = 0, 0
        for match in _ESCAPE.finditer(body):
            if decoded_at + match.start() - raw_at >= wanted:
                break
            decoded_at += match.start() - raw_at + 1
            raw_at = match.end()
        bounds.append(min(first + 1 + raw_at + max(0, wanted - decoded_at), last - 1))
    return bounds[0], bounds[1]
