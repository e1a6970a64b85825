"""Posted results of a ClinicalTrials.gov record as claims: response, relapse, harm, numbers of participants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pasimeta.errors import PasimetaError
from pasimeta.evidence.grim import compatible_counts
from pasimeta.evidence.readers.json_records import RecordSource
from pasimeta.evidence.readers.measures import Measure, measures
from pasimeta.evidence.readers.result import Claim, Span
from pasimeta.evidence.readers.schedules import assessment_weeks
from pasimeta.evidence.readers.source import normalised
from pasimeta.evidence.readers.tokens import tokens

Step = str | int
_KINDS = {"pasi_response": "response", "pga_0_1": "response", "relapse": "relapse", "ae": "ae", "sae": "sae"}
_NO = re.compile(r"\b(?:no|not|non|without|absent|failure|non-?responders?)\b", re.IGNORECASE)
_TOTAL = re.compile(r"\btotals?\b|\boverall\b|\ball (?:patients|participants)\b", re.IGNORECASE)


def result_claims(results: Any, source: RecordSource) -> tuple[Claim, ...]:
    """Return the claims of a results section; an empty tuple when there is none."""
    if not isinstance(results, dict):
        return ()
    return (*_started(results, source), *_outcomes(results, source), *_adverse_events(results, source))


def _items(value: Any, *path: str) -> list[dict[str, Any]]:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return [item if isinstance(item, dict) else {} for item in value] if isinstance(value, list) else []


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(str(value).replace(",", ""))
    except ValueError:
        return None
    return number if abs(number) < 1e9 else None


def _count(value: Any) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number == int(number) and number >= 0 else None


def _span(source: RecordSource, *path: Step) -> Span:
    text = source.string("resultsSection", *path)
    return source.span_of(text) if text is not None else source.span(0, 0)


def _titles(groups: list[dict[str, Any]]) -> dict[str, str | None]:
    """Return the titles of groups by id; the only group, or the total, is no subgroup."""
    alone = len(groups) == 1
    return {
        str(group.get("id")): None
        if alone or _TOTAL.search(str(group.get("title", "")))
        else str(group.get("title", ""))
        for group in groups
    }


def _started(results: dict[str, Any], source: RecordSource) -> Iterator[Claim]:
    flow = results.get("participantFlowModule")
    titles = _titles(_items(flow, "groups"))
    for p, period in enumerate(_items(flow, "periods")[:1]):
        for m, milestone in enumerate(_items(period, "milestones")):
            if milestone.get("type") != "STARTED":
                continue
            for a, achieved in enumerate(_items(milestone, "achievements")):
                n = _count(achieved.get("numSubjects"))
                if n is not None:
                    where = ("participantFlowModule", "periods", p, "milestones", m, "achievements", a, "numSubjects")
                    yield Claim("n", _span(source, *where), n=n, subgroup=titles.get(str(achieved.get("groupId"))))


def _outcomes(results: dict[str, Any], source: RecordSource) -> Iterator[Claim]:
    for k, outcome in enumerate(_items(results, "outcomeMeasuresModule", "outcomeMeasures")):
        base: tuple[Step, ...] = ("outcomeMeasuresModule", "outcomeMeasures", k)
        named = _named(source, base)
        titles = _titles(_items(outcome, "groups"))
        weeks = assessment_weeks(_words(source, *base, "timeFrame"))
        denominators = _denominators(_items(outcome, "denoms"))
        unit = f"{outcome.get('unitOfMeasure', '')} {outcome.get('paramType', '')}".casefold()
        for c, group in enumerate(_items(outcome, "classes")):
            own = {**denominators, **_denominators(_items(group, "denoms"))}
            inner = measures(_words(source, *base, "classes", c, "title"))
            when = assessment_weeks(_words(source, *base, "classes", c, "title")) or weeks
            categories = _items(group, "categories")
            for g, category in enumerate(categories):
                title = str(category.get("title", ""))
                if title and len(categories) > 1 and _NO.search(title):
                    continue
                for m, measured in enumerate(_items(category, "measurements")):
                    where = (*base, "classes", c, "categories", g, "measurements", m, "value")
                    who = str(measured.get("groupId"))
                    for measure in _of(inner, named, measures(tokens(title))):
                        yield from _claim(
                            measure,
                            measured.get("value"),
                            unit,
                            own.get(who),
                            titles.get(who),
                            when,
                            _span(source, *where),
                        )


def _of(*choices: list[Measure]) -> list[Measure]:
    return next((choice for choice in choices if any(measure in _KINDS for measure, _ in choice)), [])[:1]


def _named(source: RecordSource, base: tuple[Step, ...]) -> list[Measure]:
    found = measures(_words(source, *base, "title"))
    return found if any(one in _KINDS for one, _ in found) else measures(_words(source, *base, "description"))


def _words(source: RecordSource, *path: Step) -> list[Any]:
    text = source.string("resultsSection", *path)
    return tokens(normalised(text)) if text is not None else []


def _denominators(denoms: list[dict[str, Any]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for denom in denoms:
        if str(denom.get("units", "Participants")).casefold() == "participants":
            for count in _items(denom, "counts"):
                n = _count(count.get("value"))
                if n is not None:
                    found[str(count.get("groupId"))] = n
    return found


def _claim(
    measure: Measure, value: Any, unit: str, n: int | None, subgroup: str | None, weeks: Any, span: Span
) -> Iterator[Claim]:
    name, threshold = measure
    number = _number(value)
    if number is None:
        return
    events: int | None = None
    percent: float | None = None
    if "percent" in unit or "%" in unit:
        percent = number
        events = _fitting(str(value), n)
    elif "proportion" in unit and 0 <= number <= 1 and n:
        events = _fitting(f"{100 * number:g}", n)
        percent = round(100 * number, 6)
    elif "participant" in unit or "patient" in unit or "subject" in unit or "count" in unit:
        events = _count(value)
    if events is None and percent is None:
        return
    week = weeks[-1] if weeks and len(weeks) == 1 else None
    yield Claim(_KINDS[name], span, threshold, events, n, percent, subgroup, name, week)


def _fitting(percent: str, n: int | None) -> int | None:
    try:
        counts = compatible_counts(percent, n) if n else ()
    except PasimetaError:
        return None
    return counts[0] if len(counts) == 1 else None


def _adverse_events(results: dict[str, Any], source: RecordSource) -> Iterator[Claim]:
    groups = _items(results, "adverseEventsModule", "eventGroups")
    titles = _titles(groups)
    for k, group in enumerate(groups):
        for kind, affected, at_risk in (
            ("sae", "seriousNumAffected", "seriousNumAtRisk"),
            ("ae", "otherNumAffected", "otherNumAtRisk"),
        ):
            events, n = _count(group.get(affected)), _count(group.get(at_risk))
            if events is not None and n:
                span = _span(source, "adverseEventsModule", "eventGroups", k, affected)
                yield Claim(kind, span, None, events, n, None, titles.get(str(group.get("id"))), kind)
