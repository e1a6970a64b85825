"""When: weeks of infusions and of assessments, in whatever way they are told.

Grammar::

    points   = unit list | list unit                      "weeks 0, 2 and 4"; "0,1,2 week"; "Day 0, 14 and 28"
    interval = ("every"|"each") [number] unit | "weekly" | number unit "apart" | ...
    count    = number ("times"|"infusions"|...) | "twice" | "single" ("infusion"|...)
    course   = points | interval count | interval "for" number unit | count
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil

from pasimeta.evidence.readers.source import Text
from pasimeta.evidence.readers.tokens import TIMES, Token, number_word, word_set, words_at

_WEEKS_OF = {
    **dict.fromkeys(("day", "days", "d"), 1 / 7),
    **dict.fromkeys(("week", "weeks", "wk", "wks", "w", "wk's", "weekly"), 1.0),
    **dict.fromkeys(("month", "months", "mo", "mos", "mon"), 52 / 12),
    **dict.fromkeys(("year", "years", "yr", "yrs"), 52.0),
}
_UNITS = tuple(unit for unit in _WEEKS_OF if unit != "weekly")
_ADVERBS = {"weekly": 1.0, "biweekly": 2.0, "fortnightly": 2.0, "monthly": 52 / 12, "quarterly": 13.0}
_OCCASIONS = word_set(
    "time times infusion infusions injection injections dose doses administration administrations treatment treatments "
    "transplantation transplantations session sessions occasion occasions"
)
_RANGE = ("to", "–", "-", "through", "though", "until", "till")
_JOINTS = (",", "and", "&", "/", ";", "or")
_AFTERWARDS = word_set(
    "follow followed followup after post visit visits assessed evaluated measured baseline assessment"
)
_HABIT = ("daily", "weekly", "a", "per", "every", "each")
_LONGEST_TOLERANCE = 8
_MOST_INFUSIONS = 60


@dataclass(frozen=True, slots=True)
class Points:
    """Times in weeks, as listed; ``first`` and ``after`` are positions of tokens."""

    weeks: tuple[float, ...]
    is_range: bool
    first: int
    after: int


@dataclass(frozen=True, slots=True)
class Course:
    """How many infusions and when; weeks count from the first infusion. ``text`` is the sentence that tells it."""

    infusions: int | None = None
    weeks: tuple[float, ...] | None = None
    text: Text | None = field(default=None, compare=False)


def time_points(tokens: list[Token]) -> list[Points]:
    """Return all times named in a sentence; tolerances such as ``(± 3 days)`` are no times."""
    found: list[Points] = []
    index = 0
    while index < len(tokens):
        tolerance = _after_tolerance(tokens, index)
        if tolerance > index:
            index = tolerance
            continue
        points = _unit_first(tokens, index) or _unit_last(tokens, index)
        if points is not None:
            found.append(points)
            index = max(points.after, index + 1)
        else:
            index += 1
    return found


def assessment_weeks(tokens: list[Token]) -> tuple[float, ...] | None:
    """Return the weeks of a time frame, ascending, each once; None when it names none."""
    weeks: set[float] = set()
    period = 0.0
    for points in time_points(tokens):
        before = {token.text for token in tokens[max(0, points.first - 5) : points.first]}
        duration = len(points.weeks) == 1 and points.weeks[0] > 0
        if duration and "period" in before and "follow" not in before:
            period = points.weeks[0]
        elif duration and period and "follow" in before and words_at(tokens, points.after, "after"):
            weeks.add(_rounded(period + points.weeks[0]))  # counted from the end of treatment
            continue
        weeks.update(points.weeks)
    return tuple(sorted(weeks)) or None


def course(tokens: list[Token]) -> Course | None:
    """Return the course of infusions that a clause describes, or None."""
    for points in time_points(tokens):
        if len(points.weeks) > 1 and not points.is_range and not _is_follow_up(tokens, points):
            weeks = sorted({_rounded(week - min(points.weeks)) for week in points.weeks})
            return Course(len(weeks), tuple(weeks))
    count = _count(tokens)
    if count == 1:
        return Course(1, (0.0,))
    interval, adverb = _interval(tokens)
    if interval is None:
        return Course(count) if count else None
    if count is None:
        duration = _duration(tokens)
        if duration is None:
            return None
        if adverb == "monthly" and duration[1] == 1.0:
            interval = 4.0  # "monthly for 12 weeks" is weeks 0, 4, 8
        count = ceil(duration[0] / interval - 1e-9)
    if not 1 <= count <= _MOST_INFUSIONS:
        return None
    return Course(count, tuple(_rounded(k * interval) for k in range(count)))


def _is_follow_up(tokens: list[Token], points: Points) -> bool:
    near = tokens[max(0, points.first - 4) : points.first] + tokens[points.after : points.after + 3]
    return any(token.text in _AFTERWARDS for token in near)


def _after_tolerance(tokens: list[Token], index: int) -> int:
    """Return the position after ``plus or minus 3 days``, ``+/- 3 days`` or ``± 3 d``; the same position if none."""
    after = index
    if words_at(tokens, after, "±"):
        after += 1
    elif words_at(tokens, after, "plus") and words_at(tokens, after + 1, "or", "/", "and", "–", "-"):
        after += 2 + words_at(tokens, after + 2, "minus")
    elif words_at(tokens, after, "+") and words_at(tokens, after + 1, "/") and words_at(tokens, after + 2, "-", "–"):
        after += 3
    else:
        return index
    while after < min(len(tokens), index + _LONGEST_TOLERANCE):
        after += 1
        if words_at(tokens, after - 1, *_UNITS):
            break
    return after


def _unit_first(tokens: list[Token], index: int) -> Points | None:
    if not words_at(tokens, index, *_UNITS) or index + 1 >= len(tokens):
        return None
    start = index + 1 + words_at(tokens, index + 1, "s", "(", ":", "#")
    if words_at(tokens, start, "s") and words_at(tokens, start + 1, ")"):
        start += 2
    if start >= len(tokens) or tokens[start].kind != "number" or words_at(tokens, index - 1, "per", "a"):
        return None
    # "30 mg per week 12 times", "2 weeks 4 times": the number belongs to what follows
    if start + 1 < len(tokens) and tokens[start + 1].text in _OCCASIONS:
        return None
    if index and tokens[index - 1].kind == "number" and not words_at(tokens, index - 2, *_UNITS):
        return None
    values, is_range, after = _list(tokens, start, tokens[index].text)
    unit = _WEEKS_OF[tokens[index].text]
    return Points(tuple(_rounded(value * unit) for value in values), is_range, index, after)


def _unit_last(tokens: list[Token], index: int) -> Points | None:
    if number_word(tokens[index]) is None:
        return None
    if index and tokens[index - 1].kind == "word" and tokens[index - 1].end == tokens[index].start:
        return None  # the 2 of cm2, the 75 of PASI75
    values, is_range, after = _list(tokens, index, None)
    if words_at(tokens, after, "-", "–", "th", "st", "nd", "rd"):
        after += 1
    if not words_at(tokens, after, *_UNITS) or (
        words_at(tokens, after, "d", "w") and after + 1 < len(tokens) and tokens[after].start != tokens[after - 1].end
    ):
        return None
    if words_at(tokens, after + 1, "old", "of") and words_at(
        tokens, after + 1 + words_at(tokens, after + 1, "of"), "old", "age"
    ):
        return None
    unit = _WEEKS_OF[tokens[after].text]
    return Points(tuple(_rounded(value * unit) for value in values), is_range, index, after + 1)


def _list(tokens: list[Token], index: int, unit: str | None) -> tuple[list[float], bool, int]:
    """Read ``0, 2, 4 and 6`` or ``0 to 52``; a repeated unit (``week 0, week 2``) may stand before each number."""
    first = number_word(tokens[index])
    assert first is not None
    values, after, is_range = [first], index + 1, False
    while after < len(tokens):
        tolerance = _after_tolerance(tokens, after + words_at(tokens, after, "("))
        if tolerance > after + 1:
            after = tolerance + words_at(tokens, tolerance, ")")
            continue
        step, ranged = after, words_at(tokens, after, *_RANGE)
        while step < after + 2 and words_at(tokens, step, *(_RANGE if ranged else _JOINTS)):
            step += 1
        if step == after:
            break
        if unit is not None and words_at(tokens, step, unit, unit.removesuffix("s"), f"{unit}s"):
            step += 1
        value = number_word(tokens[step]) if step < len(tokens) else None
        if value is None or (unit is not None and _counts_something_else(tokens, step)):
            break
        values.append(value)
        is_range = is_range or ranged
        after = step + 1
    return values, is_range and len(values) == 2, after


def _counts_something_else(tokens: list[Token], index: int) -> bool:
    after = tokens[index + 1].text if index + 1 < len(tokens) else ""
    return after in _OCCASIONS or after in _UNITS or after in ("%", "mg", "x", "×", "million")


def _interval(tokens: list[Token]) -> tuple[float | None, str | None]:
    """Return the weeks between infusions, and the adverb that told them."""
    for index, token in enumerate(tokens):
        if token.text in ("every", "each", "per", "once"):
            after = index + 1
            value: float | None = 1.0
            if token.text == "once":
                if not words_at(tokens, after, "a", "per"):
                    continue
                after += 1
            elif words_at(tokens, after, "other", "second"):
                value, after = 2.0, after + 1
            elif after < len(tokens) and number_word(tokens[after]) is not None:
                value, after = number_word(tokens[after]), after + 1
            elif token.text == "per" and not words_at(tokens, index - 1, "once", "time"):
                continue
            after += words_at(tokens, after, "-", "–")
            if value and words_at(tokens, after, *_UNITS):
                return value * _WEEKS_OF[tokens[after].text], None
        if token.text in _ADVERBS and not words_at(tokens, index - 1, "twice", "mg"):
            if token.text == "weekly" and words_at(tokens, index - 1, "bi"):
                return 2.0, "biweekly"
            if index > 1 and words_at(tokens, index - 1, "-", "–") and words_at(tokens, index - 2, "bi"):
                return 2.0, "biweekly"
            return _ADVERBS[token.text], token.text
    return _spacing(tokens), None


def _spacing(tokens: list[Token]) -> float | None:
    for index, token in enumerate(tokens):
        value = number_word(token) if token.text not in ("a", "an") else 1.0
        after = index + 1 + words_at(tokens, index + 1, "-", "–")
        if not value or not words_at(tokens, after, *_UNITS):
            continue
        apart = words_at(tokens, after + 1, "apart", "interval", "intervals", "between")
        spaced = any(words_at(tokens, index - back, "interval", "intervals", "gap", "spaced") for back in (1, 2))
        if apart or spaced:
            return value * _WEEKS_OF[tokens[after].text]
    return None


def _count(tokens: list[Token]) -> int | None:
    for index, token in enumerate(tokens):
        if token.text in TIMES:
            if token.text == "single":
                if any(tok.text in _OCCASIONS for tok in tokens[index + 1 : index + 5]) and not words_at(
                    tokens, index - 1, "a", "per", "each"
                ) | words_at(tokens, index - 2, "of"):
                    return 1
                if words_at(tokens, index - 1, "a") and _is_given(tokens, index):
                    return 1
            elif token.text != "once" and not words_at(tokens, index + 1, *_HABIT):
                return TIMES[token.text]
            elif (
                token.text == "once"
                and words_at(tokens, index + 1, "only", ".", ",")
                and not words_at(tokens, index + 2, "every")
            ):
                return 1
            continue
        value = number_word(token)
        if value is None or value != int(value) or not 1 <= value <= _MOST_INFUSIONS:
            continue
        for after in range(index + 1, min(index + 5, len(tokens))):
            if tokens[after].text in _OCCASIONS:
                if not _is_habit(tokens, after) and not words_at(tokens, index - 1, "/", "×", "x", "^", "phase"):
                    return int(value)
                break
            if tokens[after].kind != "word" or tokens[after].text in _NO_ADJECTIVES:
                break
    return None


_NO_ADJECTIVES = word_set("groups arms patients subjects weeks days months week day month mg kg cells million x and of")


def _is_habit(tokens: list[Token], index: int) -> bool:
    """Whether ``2 times`` goes on with ``a day``, ``per week``, ``more than`` and so isn't a number of infusions."""
    return words_at(tokens, index + 1, "a", "per", "daily", "more", "higher", "weekly", "than") and not words_at(
        tokens, index + 2, "course"
    )


def _is_given(tokens: list[Token], index: int) -> bool:
    given = any(tok.text in ("infusion", "injection", "administration") for tok in tokens[index + 1 : index + 5])
    return given and not any(words_at(tokens, index - back, "dose", "of", "amount") for back in (1, 2))


def _duration(tokens: list[Token]) -> tuple[float, float] | None:
    """Return the weeks of ``for 12 weeks``, and the weeks of its unit."""
    for index, token in enumerate(tokens):
        if token.text not in ("for", "over", "during", "lasting"):
            continue
        after = index + 1
        while words_at(tokens, after, "a", "total", "of", "about", "up", "to"):
            after += 1
        value = number_word(tokens[after]) if after < len(tokens) else None
        after += 1
        after += words_at(tokens, after, "consecutive", "-", "–")
        if value and words_at(tokens, after, *_UNITS):
            return value * _WEEKS_OF[tokens[after].text], _WEEKS_OF[tokens[after].text]
    return None


def _rounded(weeks: float) -> float:
    return round(weeks, 2)
