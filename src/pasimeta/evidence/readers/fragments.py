"""Structured fragments inside a page: a dictionary printed by a program, or JSON."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from typing import Any

from pasimeta.evidence.readers.source import Text

_LONGEST = 200_000
_DEEPEST = 40
_MOST = 20


def fragments(lines: list[Text]) -> Iterator[tuple[dict[str, Any], Text]]:
    """Yield the dictionaries that stand in the lines, each with the text it was read from."""
    seen = 0
    for line in lines:
        start = line.chars.find("{")
        while start >= 0 and seen < _MOST:
            end = _closing(line.chars, start)
            if end < 0:
                break
            seen += 1
            value = _parsed(line.chars[start:end])
            if value is not None:
                yield value, line[start:end]
            start = line.chars.find("{", end)


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the values at the ends of a nested structure with their keys; lists of plain values stay whole."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, str(key)))
    elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        for item in value:
            yield from leaves(item, path)
    else:
        yield path, value


def _closing(chars: str, start: int) -> int:
    """Return the position after the brace that closes the one at the start, or -1."""
    depth, quote, skip = 0, "", False
    for position in range(start, min(len(chars), start + _LONGEST)):
        char = chars[position]
        if skip:
            skip = False
        elif quote:
            skip = char == "\\"
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "{":
            depth += 1
            if depth > _DEEPEST:
                return -1
        elif char == "}":
            depth -= 1
            if depth == 0:
                return position + 1
    return -1


def _parsed(text: str) -> dict[str, Any] | None:
    for parse in (json.loads, ast.literal_eval):
        try:
            value = parse(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            continue
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return value
    return None
