"""The numbers that a passage prints, in whatever spelling."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from math import isclose
from typing import Literal

from pasimeta.errors import PasimetaError
from pasimeta.evidence.grim import compatible_counts
from pasimeta.evidence.readers.result import Span
from pasimeta.evidence.readers.source import Source, Text
from pasimeta.evidence.readers.tokens import TIMES, WORDS_FOR_NUMBERS, Token, tokens

Unit = Literal["percent", "day", "week", "month", "year", "times", "phase", "reference"]

DAYS_PER_WEEK = 7.0
WEEKS_PER_MONTH = 365.25 / 12 / 7
WEEKS_PER_YEAR = 365.25 / 7
_WEEKS_IN = {"day": 1 / DAYS_PER_WEEK, "week": 1.0, "month": WEEKS_PER_MONTH, "year": WEEKS_PER_YEAR}
# Weeks are rounded to a tenth of a week for days, and to the week for months and years: fixed part, part per unit.
_TOLERANCE = {"day": (0.06, 0.0), "week": (1e-9, 0.0), "month": (0.3, 0.12), "year": (0.5, 0.5)}
_UNITS: dict[str, Unit] = {
    **dict.fromkeys(("%", "percent"), "percent"),
    **dict.fromkeys(("day", "days", "d"), "day"),
    **dict.fromkeys(("week", "weeks", "wk", "wks", "w"), "week"),
    **dict.fromkeys(("month", "months", "mo"), "month"),
    **dict.fromkeys(("year", "years", "yr", "yrs"), "year"),
    **dict.fromkeys(("times", "infusions", "injections", "doses", "sessions"), "times"),
}
_RHYTHMS: dict[str, tuple[float, Unit]] = {
    "daily": (1, "day"),
    "weekly": (1, "week"),
    "fortnightly": (2, "week"),
    "biweekly": (2, "week"),
    "monthly": (1, "month"),
}
_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "millions": 1e6, "billion": 1e9}
_BETWEEN = frozenset({",", "–", "-", "and", "or", "to", "through", "&", ";"})
_NOTHING = frozenset({"no", "none", "not", "never", "without", "nil", "zero", "neither"})
_ALL = frozenset({"all", "both", "every", "each"})
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
_NUMBER_WORDS = {**WORDS_FOR_NUMBERS, **TIMES, **_ROMAN}


@dataclass(frozen=True, slots=True)
class Printed:
    """A number as a text prints it: value, unit (before or after it), digits as written, columns of the plain text."""

    value: float
    digits: str
    start: int
    end: int
    unit: Unit | None = None
    unit_leads: bool = False


class Passage:
    """Some lines of a document: knows what they print and where.

    Parameters
    ----------
    source : Source
        The document.
    lines : sequence of Text
        Normalised lines of it.
    """

    def __init__(self, source: Source, lines: Sequence[Text]) -> None:
        self._source = source
        self._lines = lines

    @cached_property
    def numbers(self) -> list[tuple[Printed, int]]:
        """Every number with the position of its line."""
        return [(number, i) for i, line in enumerate(self._lines) for number in printed_numbers(line)]

    @cached_property
    def words(self) -> list[tuple[Token, int]]:
        """Every word with the position of its line."""
        return [(token, i) for i, line in enumerate(self._lines) for token in tokens(line) if token.kind == "word"]

    def number(self, value: float, *, units: Iterable[Unit | None] | None = None, whole: bool = False) -> Span | None:
        """Return where a value stands, with one of the units if any are given; ``whole`` passes over ``2.0`` for 2."""
        allowed = None if units is None else frozenset(units)
        for number, i in self.numbers:
            if number.unit == "reference" or (allowed is not None and number.unit not in allowed):
                continue
            if whole and "." in number.digits:
                continue
            if isclose(number.value, value, rel_tol=1e-9, abs_tol=1e-12):
                return self._span(i, number.start, number.end)
        return None

    def week(self, week: float) -> Span | None:
        """Return where a week stands, also as days, months or years."""
        for number, i in self.numbers:
            if number.unit is not None and number.unit not in _WEEKS_IN:
                continue
            if _is_week(number.value, number.unit or "week", week):
                return self._span(i, number.start, number.end)
        return self._rhythm(week)

    def count(self, events: int, n: int | None) -> Span | None:
        """Return where a count stands: as a number, or as a percentage of ``n`` that it alone can round to."""
        found = self.number(events, units=[None], whole=True)
        if found is not None:
            return found
        if n is not None:
            for number, i in self.numbers:
                if number.unit == "percent" and events in _counts_for(number.digits, n):
                    return self._span(i, number.start, number.end)
        wanted = _NOTHING if events == 0 else _ALL if events == n else frozenset()
        return self._first(lambda word: word in wanted)

    def percent(self, digits: str) -> Span | None:
        """Return where a percentage stands, digit for digit."""
        for number, i in self.numbers:
            if number.unit == "percent" and number.digits == digits:
                return self._span(i, number.start, number.end)
        return None

    def word(self, pattern: str) -> Span | None:
        """Return where a pattern of words stands, in any case."""
        for i, line in enumerate(self._lines):
            match = re.search(pattern, line.chars, re.IGNORECASE)
            if match:
                return self._span(i, *match.span())
        return None

    def date(self, iso: str) -> Span | None:
        """Return where an ISO date stands."""
        return self.word(rf"(?<!\d){re.escape(iso)}(?!\d)")

    def _rhythm(self, week: float) -> Span | None:
        fits = {word for word, (count, unit) in _RHYTHMS.items() if _is_week(count, unit, week)}
        return self._first(lambda word: word in fits)

    def _first(self, wanted: object) -> Span | None:
        assert callable(wanted)
        for token, i in self.words:
            if wanted(token.text):
                return self._span(i, token.start, token.end)
        return None

    def _span(self, line: int, start: int, end: int) -> Span:
        return self._source.span_of(self._lines[line], start, end)


def printed_numbers(text: Text | str) -> list[Printed]:
    """Return every number that a line prints.

    Powers (``1.5 x 10^6``, ``1e6``), scale words (``2 million``), number words, thousands separators, percentages and
    times are read; in ``1.5, 2.0 and 3.0 x 10^6`` the power belongs to each number, so each is returned both ways.
    A number in square brackets is a reference mark.
    """
    found: list[tuple[Printed, int, int]] = []
    parts = tokens(text)
    position = 0
    while position < len(parts):
        number, after = _number_at(parts, position)
        if number is None:
            position += 1
            continue
        found.append((number, position, after))
        position = after
    return _with_shared_units(parts, found)


def weeks_named(text: str) -> list[float]:
    """Return every time that a text names, in weeks."""
    return [n.value * _WEEKS_IN[n.unit] for n in printed_numbers(text) if n.unit in _WEEKS_IN]


def _is_week(value: float, unit: str, week: float) -> bool:
    fixed, per_unit = _TOLERANCE[unit]
    return abs(value * _WEEKS_IN[unit] - week) <= fixed + per_unit * value


def _counts_for(digits: str, n: int) -> tuple[int, ...]:
    try:
        return compatible_counts(digits, n)
    except PasimetaError:
        return ()


def _number_at(parts: list[Token], position: int) -> tuple[Printed | None, int]:
    first = parts[position]
    if first.kind == "word" and first.text in _NUMBER_WORDS:
        if first.text in TIMES and first.text != "single":
            return Printed(float(TIMES[first.text]), first.text, first.start, first.end, "times"), position + 1
        if first.text in _ROMAN and not _word_before(parts, position, "phase"):
            return None, position
        value, after = float(_NUMBER_WORDS[first.text]), position + 1
    elif first.kind == "number" and first.value is not None:
        value, after = first.value, position + 1
        value, after = _thousands(parts, value, after)
    else:
        return None, position
    if _word_before(parts, position, "phase"):
        return Printed(value, first.text, first.start, first.end, "phase"), after
    factor, after = _factor(parts, after)
    unit, end, leads = _unit(parts, position, after)
    return Printed(value * factor, first.text, first.start, parts[after - 1].end, unit, leads), end


def _thousands(parts: list[Token], value: float, after: int) -> tuple[float, int]:
    first = parts[after - 1]
    if not first.text.isdigit() or len(first.text) > 3 or first.text == "0":
        return value, after
    while after + 1 < len(parts) and parts[after].text == "," and _adjacent(parts, after - 1, after + 1):
        group = parts[after + 1]
        if group.kind != "number" or len(group.text) != 3 or not group.text.isdigit():
            break
        value, after = value * 1000 + float(group.text), after + 2
    return value, after


def _factor(parts: list[Token], after: int) -> tuple[float, int]:
    words = [token.text for token in parts[after : after + 4]]
    if words and words[0] in _SCALES:
        return _SCALES[words[0]], after + 1
    if len(words) >= 2 and words[0] == "e" and _adjacent(parts, after - 1, after):
        signed = words[1] in "+-"
        exponent = words[2] if signed and len(words) > 2 else words[1]
        if exponent.isdigit() and len(exponent) <= 2:
            return 10.0 ** (-int(exponent) if words[1] == "-" else int(exponent)), after + 2 + signed
    if len(words) >= 2 and words[0] in ("x", "×", "*"):
        if words[1] == "10" and len(words) >= 4 and words[2] in ("^", "*") and words[3].isdigit() and len(words[3]) < 3:
            return 10.0 ** int(words[3]), after + 4
        # 10^6 whose superscript a page has lost
        lost = re.fullmatch(r"10([4-9])", words[1])
        if lost:
            return 10.0 ** int(lost[1]), after + 2
    return 1.0, after


def _unit(parts: list[Token], position: int, after: int) -> tuple[Unit | None, int, bool]:
    if position > 0 and after < len(parts) and parts[position - 1].text == "[" and parts[after].text == "]":
        return "reference", after + 1, False
    here = after
    if here + 1 < len(parts) and parts[here].text in ("-", "–") and parts[here + 1].text in _UNITS:
        here += 1
    if here < len(parts) and parts[here].text in _UNITS:
        return _UNITS[parts[here].text], here + 1, False
    if position > 0 and parts[position - 1].text in _UNITS and parts[position - 1].text != "%":
        return _UNITS[parts[position - 1].text], after, True
    return None, after, False


def _with_shared_units(parts: list[Token], found: list[tuple[Printed, int, int]]) -> list[Printed]:
    """Let the numbers of a list share the unit and the power of its last, or the unit of its first."""
    numbers = [number for number, _, _ in found]
    extra: list[Printed] = []
    linked = [
        len(between := parts[stop:start]) <= 2 and bool(between) and all(t.text in _BETWEEN for t in between)
        for (_, _, stop), (_, start, _) in pairwise(found)
    ]
    power = 1.0
    for i in reversed(range(len(numbers))):
        plain = float(numbers[i].digits) if _is_plain(numbers[i].digits) else numbers[i].value
        own = numbers[i].value / plain if plain and numbers[i].value != plain else 1.0
        start = found[i][1]
        # in "3/17, 17.6 %" the 17 is a size, not a percentage
        follows = i < len(linked) and linked[i] and not (start > 0 and parts[start - 1].text == "/")
        power = own if own != 1.0 else power if follows else 1.0
        if follows and numbers[i].unit is None and numbers[i + 1].unit != "reference":
            numbers[i] = replace(numbers[i], unit=numbers[i + 1].unit)
        if own == 1.0 and power != 1.0:
            extra.append(replace(numbers[i], value=numbers[i].value * power))
    for i in range(1, len(numbers)):
        if linked[i - 1] and numbers[i].unit is None and numbers[i - 1].unit_leads:
            numbers[i] = replace(numbers[i], unit=numbers[i - 1].unit, unit_leads=True)
    return numbers + extra


def _is_plain(digits: str) -> bool:
    return digits.replace(".", "", 1).isdigit()


def _word_before(parts: list[Token], position: int, word: str) -> bool:
    # "Phase I/II", 'PHASE1', "phase 1 and 2": the second numeral belongs to the word too
    before = parts[max(0, position - 3) : position]
    place = next((i for i, token in enumerate(before) if token.text in (word, f"{word}s")), None)
    return place is not None and all(
        t.kind != "word" or t.text in _ROMAN or t.text in _BETWEEN for t in before[place + 1 :]
    )


def _adjacent(parts: list[Token], left: int, right: int) -> bool:
    return all(parts[i].end == parts[i + 1].start for i in range(left, right))
