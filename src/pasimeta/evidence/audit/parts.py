"""What a figure must show where its locator points: the parts of each kind of record."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial, singledispatch
from itertools import pairwise
from typing import Any

from pasimeta.evidence.audit.printed import Passage, Unit, printed_numbers
from pasimeta.evidence.context import Benchmark, ComparatorCount
from pasimeta.evidence.facts import Cited, Count, Fact, Range, Reading
from pasimeta.evidence.readers.result import Span
from pasimeta.evidence.study import (
    Dose,
    Exclusion,
    Finding,
    Patient,
    PlannedOutcome,
    Product,
    ResponseCount,
    SafetyCount,
    Summary,
)

Look = Callable[[Passage], Span | None]


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that must stand in the passage.

    Attributes
    ----------
    name : str
        For messages: ``events 8 of 17``.
    look : callable
        Returns where it stands in a passage, or None.
    numbers : tuple of float
        Its values: a part that doesn't stand is accepted where ``derived`` names them.
    word : str or None
        The same for a part that isn't a number.
    own_place : bool
        Whether only the figure's own place must show it, not the documents that agree.
    in_note : bool
        Whether the document's note in ``sources.yaml`` may say it for all its figures.
    """

    name: str
    look: Look
    numbers: tuple[float, ...] = ()
    word: str | None = None
    own_place: bool = False
    in_note: bool = False


_MEASURE_WORDS = {
    "pasi_response": r"PASI",
    "pasi_change": r"PASI",
    "pasi_improvement_rate": r"PASI",
    "pga_0_1": r"PGA|global assessment",
    "bsa": r"BSA|body surface",
    "dlqi": r"DLQI|life quality|quality of life",
    "pruritus_vas": r"prurit|itch",
    "relapse": r"relapse|recurr",
    "ae": r"adverse|\bAEs?\b|side effect",
    "sae": r"serious|\bSAEs?\b",
}
_TISSUE_WORDS = {
    "umbilical_cord": r"umbilic|UC-?MSC|wharton",
    "cord_blood": r"cord blood",
    "adipose": r"adipos|\bAD-?MSC|fat",
    "gingiva": r"gingiv",
    "tonsil": r"tonsil",
    "bone_marrow": r"bone marrow|BM-?MSC",
}
_DONOR_WORDS = {"allogeneic": r"allogen|donor", "autologous": r"autolog|own"}
_ROUTE_WORDS = {
    "intravenous": r"intraven|\bIV\b|i\.v\.",
    "subcutaneous": r"subcutan",
    "intradermal": r"intraderm",
    "topical": r"topical|ointment|cream",
    "local_injection": r"inject",
}
_SEX_WORDS = {"female": r"\bwom[ae]n|female", "male": r"\b(?:men|man|males?)\b"}
_COMMON_WORDS = frozenset(
    ["with", "from", "that", "this", "were", "was", "are", "the", "and", "for", "not", "but", "than", "into", "none"]
)


@singledispatch
def parts_of(figure: Cited) -> list[Part]:
    """Return what must stand at the figure's place; empty for a figure told in our own words."""
    return []


@parts_of.register
def _(figure: Fact) -> list[Part]:
    value = figure.value
    if isinstance(value, Summary):
        return [_number(name, number) for name, number in value if number is not None]
    if isinstance(value, int):
        return [_count(f"{value}", value, None)]
    if isinstance(value, str):
        # a code of ours (not_yet_recruiting) is printed as words, a sentence of ours only shares its numbers
        return _numbers_in(value) or ([_words(value)] if "_" in value or " " not in value else [])
    return []


@parts_of.register
def _(figure: Reading) -> list[Part]:
    if isinstance(figure.value, str):
        return _numbers_in(figure.value) or [_words(figure.value)]
    return [_number("reading", float(figure.value))]


@parts_of.register
def _(figure: ResponseCount) -> list[Part]:
    parts = [*_interval("events", figure.events, figure.n_analysed), _size(figure.n_analysed)]
    if figure.events.is_exact:
        # a count that is only bounded is bounded by other thresholds, so its own isn't printed
        parts += _threshold(figure.threshold)
    if figure.week is not None:
        parts.append(_week(figure.week))
    if figure.subgroup is not None and figure.subgroup.by == "sex":
        parts.append(_pattern(figure.subgroup.level, _SEX_WORDS.get(figure.subgroup.level.lower(), "")))
    return parts + _printed_percent(figure.printed_percent)


@parts_of.register
def _(figure: ComparatorCount) -> list[Part]:
    parts = [*_interval("events", figure.events, figure.n), _size(figure.n), *_threshold(figure.threshold)]
    if figure.week is not None:
        parts.append(_week(figure.week))
    return parts + _printed_percent(figure.printed_percent)


@parts_of.register
def _(figure: SafetyCount) -> list[Part]:
    parts = list(_interval(figure.unit, figure.count, figure.n if figure.unit == "patients" else None))
    if figure.n is not None:
        parts.append(_size(figure.n))
    return parts + ([_week(figure.week)] if figure.week is not None else [])


@parts_of.register
def _(figure: Dose) -> list[Part]:
    parts: list[Part] = []
    for unit in ("cells_per_kg", "cells_per_cm2", "total_cells"):
        parts += _range(unit, getattr(figure, unit))
    if figure.infusions is not None:
        parts += _infusions(figure)
    if figure.weeks is not None and len(figure.weeks) > 1:
        weeks = figure.weeks
        parts.append(Part(f"weeks {_listed(weeks)}", lambda p: _schedule(p, weeks), tuple(weeks)))
    return parts


@parts_of.register
def _(figure: PlannedOutcome) -> list[Part]:
    parts = [_pattern(figure.measure, _MEASURE_WORDS[figure.measure])] if figure.measure in _MEASURE_WORDS else []
    parts += _threshold(figure.threshold)
    parts += [_week(week) for week in figure.weeks or []]
    return parts + _numbers_in(figure.definition or "")


@parts_of.register
def _(figure: Product) -> list[Part]:
    named = (
        (figure.tissue, _TISSUE_WORDS),
        (figure.donor, _DONOR_WORDS),
        (figure.route, _ROUTE_WORDS),
    )
    return [_pattern(value, words[value]) for value, words in named if value is not None and value in words]


@parts_of.register
def _(figure: Patient) -> list[Part]:
    fields = ("age", "baseline_pasi", "followup_pasi", "improvement_percent")
    parts = [_number(name, value) for name in fields if (value := getattr(figure, name)) is not None]
    return parts + ([_week(figure.week)] if figure.week is not None else [])


@parts_of.register
def _(figure: Finding) -> list[Part]:
    parts = _numbers_in(figure.result) or [_words(figure.result)]
    return parts + ([_week(figure.week)] if figure.week is not None else [])


@parts_of.register
def _(figure: Exclusion) -> list[Part]:
    return _numbers_in(figure.reason)


@parts_of.register
def _(figure: Benchmark) -> list[Part]:
    fields = ("value", "lower", "upper", "n", "studies")
    return [_number(name, value) for name in fields if (value := getattr(figure, name)) is not None]


def _number(name: str, value: float, units: Collection[Unit | None] | None = None) -> Part:
    return Part(f"{name} {value:g}", lambda p: p.number(value, units=units), (float(value),))


def _size(n: int) -> Part:
    return _number("n", n, [None])


def _threshold(threshold: int | None) -> list[Part]:
    return [] if threshold is None else [_number("threshold", threshold, [None, "percent"])]


def _count(name: str, events: int, n: int | None) -> Part:
    return Part(name, lambda p: p.count(events, n), (float(events),))


def _interval(name: str, count: Count, n: int | None) -> Iterator[Part]:
    of = "" if n is None else f" of {n}"
    for end in dict.fromkeys((count.lower, count.upper)):
        # an interval that only says "at least none" or "at most all" claims nothing of the document there
        if count.is_exact or end not in (0, n):
            yield _count(f"{name} {end}{of}", end, n)


def _week(week: float) -> Part:
    return Part(f"week {week:g}", lambda p: p.week(week), (week,), in_note=True)


def _range(name: str, amount: Range | None) -> list[Part]:
    return [] if amount is None else [_number(name, end, [None]) for end in dict.fromkeys((amount.low, amount.high))]


def _infusions(dose: Dose) -> list[Part]:
    assert dose.infusions is not None
    parts = [
        Part(f"infusions {end:g}", partial(_times, end), (end,))
        for end in dict.fromkeys((dose.infusions.low, dose.infusions.high))
    ]
    if dose.weeks is None or dose.infusions.low != dose.infusions.high or dose.infusions.low != len(dose.weeks):
        return parts
    # whoever lists the weeks has counted the infusions
    weeks = dose.weeks
    number = parts[0]
    return [Part(number.name, lambda p: number.look(p) or _all_weeks(p, weeks), number.numbers)]


def _times(times: float, passage: Passage) -> Span | None:
    return passage.number(times, units=[None, "times"], whole=True)


def _schedule(passage: Passage, weeks: list[float]) -> Span | None:
    listed = _all_weeks(passage, weeks)
    if listed is not None:
        return listed
    steps = [later - earlier for earlier, later in pairwise(weeks)]
    step = (weeks[-1] - weeks[0]) / len(steps)
    even = all(abs(s - step) < 0.02 for s in steps)
    return passage.week(step) if even else None


def _all_weeks(passage: Passage, weeks: list[float]) -> Span | None:
    spans = [passage.number(week, units=["week"]) for week in weeks]
    return spans[0] if spans and all(spans) else None


def _printed_percent(digits: str | None) -> list[Part]:
    return [] if digits is None else [Part(f"{digits} %", lambda p: p.percent(digits), own_place=True)]


def _pattern(name: str, pattern: str) -> Part:
    plain = name.replace("_", " ")
    return Part(f"'{plain}'", lambda p: p.word(pattern), word=plain)


def _numbers_in(text: str) -> list[Part]:
    """Return the numbers of a sentence of ours; a date is one thing, not three numbers."""
    dates = re.findall(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)", text)
    if dates:
        return [Part(iso, lambda p, iso=iso: p.date(iso)) for iso in dates]  # type: ignore[misc]
    return [
        _week(n.value)
        if n.unit == "week"
        else _number(n.unit or "number", n.value, ["phase"] if n.unit == "phase" else None)
        for n in printed_numbers(text)
        if n.digits not in ("one", "once", "single") and n.unit != "reference"
    ]


def _words(text: str) -> Part:
    kept = [w for w in re.findall(r"[^\W\d_]{3,}", text.replace("_", " ").lower()) if w not in _COMMON_WORDS]
    pattern = "|".join(rf"\b{re.escape(word[:7])}" for word in kept)
    return Part(f"'{text}'", lambda p: p.word(pattern) if pattern else None)


def _listed(values: Any) -> str:
    return ", ".join(f"{value:g}" for value in values)
