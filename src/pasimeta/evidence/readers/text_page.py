"""A registry page or a report as text: one study, its claims, its problems."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from pasimeta.evidence.readers.arms import arms
from pasimeta.evidence.readers.checks import (
    design_problems,
    lost_digits,
    percent_problems,
    phase_problem,
    prose_allocation,
    spelling_problems,
    unit_problems,
)
from pasimeta.evidence.readers.claims import claims
from pasimeta.evidence.readers.definitions import eligibility, improvement_formula, relapse_definition
from pasimeta.evidence.readers.fields import (
    allocation_value,
    enrollment_value,
    in_order,
    model_value,
    phase_field,
    phases,
    status_value,
)
from pasimeta.evidence.readers.fragments import fragments, leaves
from pasimeta.evidence.readers.identifiers import own_number, registry_numbers
from pasimeta.evidence.readers.layout import Page, Section, page
from pasimeta.evidence.readers.outcomes import outcomes
from pasimeta.evidence.readers.product import product
from pasimeta.evidence.readers.result import Claim, Enrollment, Kind, Problem, Span, StudyDraft
from pasimeta.evidence.readers.source import Source, Text
from pasimeta.evidence.readers.tokens import word_set

_STRONG = word_set(
    "registry_id status phase allocation design target actual enrollment inclusion exclusion eligibility arms "
    "interventions primary secondary time_frame detail"
)
# headings that structured abstracts share with registries
_ABSTRACT = frozenset({"enrollment", "interventions", "design", "primary", "secondary", "eligibility"})
_CRITERIA = ("inclusion", "exclusion", "eligibility")
_PLANS = ("primary", "secondary", "other_outcomes", "time_frame", "measure_name", "measure_text", *_CRITERIA)
_TITLE_WORDS = re.compile(
    r"\b(?:in|of|for|with|efficacy|safety|study|trial|treatment|therapy|patients|psoriasis|cells?|mscs?|effect|clinical|"
    r"infusion|phase|evaluation|comparison|versus|vs)\b",
    re.IGNORECASE,
)
_NO_TITLE = re.compile(
    r"(?:last )?updated|posted|published|copyright|home\b|search|back to|sponsor|©|https?:", re.IGNORECASE
)
_QUOTED = re.compile(r'"([^"]{25,400})"')
_NEAR_NUMBER = re.compile(r"regist|identifier|trial|number|clinicaltrials|nct\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader makes of one document."""

    kind: Kind
    study: StudyDraft
    claims: tuple[Claim, ...]
    problems: tuple[Problem, ...]


Located = tuple[Any, Span]


def read_text(lines: list[Text], source: Source, *, report: bool = False, title: str | None = None) -> Reading:
    """Read a page; its labels decide whether it is a registry page or a report.

    Parameters
    ----------
    lines : list of Text
        The document's lines, normalised.
    source : Source
        The document, for spans.
    report : bool
        The format already tells that it is a report.
    title : str, optional
        The title, where the format tells it.
    """
    content = page(lines)
    kind: Kind = "report" if report or not _is_registry_page(content) else "registry_page"
    printed = [(leaf, source.span_of(text)) for value, text in fragments(lines) for leaf in leaves(value)]
    found = claims(content.lines(*_PLANS) if kind == "registry_page" else content.lines(*_CRITERIA), source)
    facts: dict[str, Located] = {}
    phase_readings = _phases(content, printed, source)
    for name, located in (
        ("status", _status(content, printed, source)),
        ("allocation", _allocation(content, printed, source)),
        ("design", _model(content, printed, source)),
        ("enrollment", _enrollment(content, printed, found if kind == "report" else (), source)),
        ("title", _title(content, kind, source) if title is None else None),
    ):
        if located is not None:
            facts[name] = located
    prose = list(content.lines(*_CRITERIA, "design", "allocation"))
    problems = [
        *phase_problem(phase_readings),
        *design_problems(facts.get("design"), facts.get("allocation"), prose, source),
        *percent_problems(found),
        *lost_digits(prose, source),
        *unit_problems(content.lines(*_PLANS), source),
        *spelling_problems(content.lines(*_CRITERIA), source),
    ]
    if "design" not in facts and (told := _prose_model(prose, source)):
        facts["design"] = told
    listed = arms(content, source)
    study = StudyDraft(
        registry_ids=_registry_ids(content, source),
        title=title if title is not None else _value(facts, "title"),
        status=_value(facts, "status"),
        phase=in_order(value for values, _ in phase_readings for value in values) or None,
        allocation=_value(facts, "allocation"),
        design=_value(facts, "design"),
        enrollment=_value(facts, "enrollment"),
        arms=listed,
        outcomes=outcomes(content, source) if kind == "registry_page" else (),
        relapse_definition=relapse_definition(content.lines(), source),
        eligibility=eligibility(_inclusion_lines(content)),
        improvement_formula=improvement_formula(content.lines(), source),
        product=product(title or _value(facts, "title"), content.lines(*_CRITERIA)),
        spans={name: span for name, (_, span) in facts.items()} | _phase_span(phase_readings),
    )
    return Reading(kind, study, found, tuple(problems))


def _value(facts: dict[str, Located], name: str) -> Any:
    return facts[name][0] if name in facts else None


def _phase_span(readings: list[tuple[tuple[str, ...], Span]]) -> dict[str, Span]:
    return {"phase": readings[0][1]} if readings else {}


def _is_registry_page(content: Page) -> bool:
    strong = content.fields & _STRONG
    if "results" in content.fields:
        return len(strong - _ABSTRACT) >= 2
    return len(strong) >= 2 or (bool(strong) and "boundary" in content.fields)


def _inclusion_lines(content: Page) -> Iterable[Text]:
    for part in content.sections:
        if part.field in ("inclusion", "eligibility"):
            yield from (line for line in part.lines if len(line))


def _registry_ids(content: Page, source: Source) -> tuple[str, ...]:
    labelled: list[str] = []
    for part in content.all("registry_id", "other_id"):
        for line in part.lines[:3]:
            named = [number for number, _, _ in registry_numbers(line)]
            own = own_number(line) if not named and line is part.value else None
            labelled += named or ([own] if own else [])
    free = [(number, line, start) for line in content.lines() for number, start, _ in registry_numbers(line)]
    numbers = list(dict.fromkeys(number for number, _, _ in free))
    if not any(number in labelled for number in numbers):
        near = [n for n, line, start in free if _NEAR_NUMBER.search(line.chars, max(0, start - 60), start)]
        labelled = (near[:1] or numbers[:1]) + labelled if len(numbers) > 2 else numbers + labelled
    return tuple(dict.fromkeys(labelled))


def _title(content: Page, kind: Kind, source: Source) -> Located | None:
    for part in content.all("title"):
        if part.value is not None:
            return part.value.chars.strip(), source.span_of(part.value)
    if kind == "report":
        quoted = [
            (line, match)
            for line in content.lines()
            for match in _QUOTED.finditer(line.chars)
            if re.search(r"\b(?:study|trial|psoriasis|cells?)\b", match[1], re.IGNORECASE)
        ]
        if quoted:
            line, match = max(quoted, key=lambda pair: len(pair[1][1]))
            return match[1].strip(), source.span_of(line, match.start(1), match.end(1))
    opening = [line for part in content.sections[:3] for line in part.lines if len(line)][:12]
    scored = [
        (len(_TITLE_WORDS.findall(line.chars)), line)
        for line in opening
        if 3 <= len(line.chars.split()) <= 60
        and not line.chars.rstrip().endswith(".")
        and not _NO_TITLE.match(line.chars)
    ]
    best = max(scored, key=lambda pair: pair[0], default=None)
    if best is None or best[0] < 2:
        return None
    return best[1].chars.strip(), source.span_of(best[1])


def _printed(printed: list[tuple[tuple[tuple[str, ...], Any], Span]], *keys: str) -> Located | None:
    for (path, value), span in printed:
        if path and path[-1].casefold() in keys and value not in (None, "", []):
            return value, span
    return None


def _status(content: Page, printed: list[Any], source: Source) -> Located | None:
    for part in content.all("status"):
        if part.value is not None and (status := status_value(part.value.chars)):
            return status, source.span_of(part.value)
    told = _printed(printed, "overallstatus", "status", "recruitmentstatus")
    status = status_value(str(told[0])) if told else None
    return (status, told[1]) if told and status else None


def _phases(content: Page, printed: list[Any], source: Source) -> list[tuple[tuple[str, ...], Span]]:
    found: list[tuple[tuple[str, ...], Span]] = []
    before: Section | None = None
    for part in content.sections:
        if part.field == "phase" and part.value is not None and (values := phase_field(part.value)):
            if before is not None and before.field == "phase" and found:
                # "Phase 2" and "Phase 1" on lines of their own are one phase 1/2
                found[-1] = (in_order(found[-1][0] + values), found[-1][1])
            else:
                found.append((values, source.span_of(part.value)))
        before = part
    told = _printed(printed, "phases", "phase")
    if told:
        text = " / ".join(map(str, told[0])) if isinstance(told[0], list) else str(told[0])
        if values := phase_field(text.replace("_", " ")):
            found.append((values, told[1]))
    if found:
        return found
    for line in content.lines(*_CRITERIA):
        for values, start, end in phases(line):
            return [(values, source.span_of(line, start, end))]
    return []


def _allocation(content: Page, printed: list[Any], source: Source) -> Located | None:
    for part in content.all("allocation", "design"):
        if part.value is not None and (value := allocation_value(part.value.chars)):
            return value, source.span_of(part.value)
    told = _printed(printed, "allocation")
    value = allocation_value(str(told[0])) if told else None
    if told and value:
        return value, told[1]
    return prose_allocation(content.lines(*_CRITERIA), source)


def _model(content: Page, printed: list[Any], source: Source) -> Located | None:
    for part in content.all("design"):
        for line in part.lines:
            if len(line) and (value := model_value(line.chars)):
                return value, source.span_of(line)
    told = _printed(printed, "interventionmodel")
    value = model_value(str(told[0])) if told else None
    return (value, told[1]) if told and value else None


def _prose_model(lines: Iterable[Text], source: Source) -> Located | None:
    for line in lines:
        match = re.search(
            r"\bsingle[- ]arm\b|\bone[- ]arm\b|\bsingle[- ]group\b|\bparallel[- ](?:group|arm)", line.chars, re.I
        )
        if match:
            return model_value(match[0]), source.span_of(line, match.start(), match.end())
    return None


def _enrollment(content: Page, printed: list[Any], found: Iterable[Claim], source: Source) -> Located | None:
    told = _printed(printed, "enrollmentinfo", "count")
    kind = _printed(printed, "type")
    typed: Literal["actual", "target"] | None = None
    if told and kind and str(kind[0]).casefold() in ("actual", "estimated", "anticipated", "target"):
        typed = "actual" if str(kind[0]).casefold() == "actual" else "target"
    for field, default in (("actual", "actual"), ("target", "target"), ("enrollment", None)):
        for part in content.all(field):
            if part.value is None:
                continue
            beside = f"{part.value.chars} {part.label.chars if part.label else ''}"
            value = enrollment_value(beside, default)  # type: ignore[arg-type]
            if value is not None:
                if value.type is None and told and value.count == told[0]:
                    value = Enrollment(value.count, typed)
                return value, source.span_of(part.value)
    if told and isinstance(told[0], int):
        return Enrollment(told[0], typed), told[1]
    people = [claim for claim in found if claim.kind == "n" and claim.n and claim.subgroup is None]
    whole = next((claim for claim in people if "total" in claim.span.text.casefold()), people[0] if people else None)
    return (Enrollment(whole.n, "actual"), whole.span) if whole is not None and whole.n else None
