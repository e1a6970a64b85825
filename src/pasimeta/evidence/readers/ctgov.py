"""A record of ClinicalTrials.gov (API version 2)."""

from __future__ import annotations

from typing import Any, Literal

from pasimeta.evidence.readers.arms import Group, joined_arms
from pasimeta.evidence.readers.checks import (
    design_problems,
    lost_digits,
    percent_problems,
    spelling_problems,
    unit_problems,
)
from pasimeta.evidence.readers.ctgov_results import result_claims
from pasimeta.evidence.readers.definitions import eligibility, improvement_formula, relapse_definition
from pasimeta.evidence.readers.fields import allocation_value, model_value, phase_field, status_value
from pasimeta.evidence.readers.json_records import JsonRecord, RecordSource
from pasimeta.evidence.readers.outcomes import Role, block_rows, distinct_outcomes, drafted
from pasimeta.evidence.readers.product import product
from pasimeta.evidence.readers.regimens import regimens
from pasimeta.evidence.readers.result import Enrollment, OutcomeDraft, Span, StudyDraft
from pasimeta.evidence.readers.schedules import assessment_weeks
from pasimeta.evidence.readers.source import Text, normalised
from pasimeta.evidence.readers.text_page import Reading
from pasimeta.evidence.readers.tokens import tokens

_ROLES: tuple[tuple[str, Role | None], ...] = (
    ("primaryOutcomes", "primary"),
    ("secondaryOutcomes", "secondary"),
    ("otherOutcomes", None),
)


def is_record(value: Any) -> bool:
    """Whether a JSON value is a study of the API's version 2."""
    return isinstance(value, dict) and isinstance(value.get("protocolSection"), dict)


def read_record(record: JsonRecord, name: str) -> Reading:
    """Read a study record, with its results when they are posted."""
    source = RecordSource(record)
    fields = _Fields(record.value["protocolSection"], source)
    prose = fields.prose()
    located = {
        "status": fields.located(("statusModule", "overallStatus"), status_value),
        "allocation": fields.located(("designModule", "designInfo", "allocation"), allocation_value),
        "design": fields.located(("designModule", "designInfo", "interventionModel"), model_value),
        "phase": fields.located(("designModule", "phases", 0), lambda _: fields.phases()),
        "title": fields.located(("identificationModule", "briefTitle"), str.strip)
        or fields.located(("identificationModule", "officialTitle"), str.strip),
        "enrollment": fields.located(("designModule", "enrollmentInfo", "count"), lambda _: fields.enrollment()),
    }
    facts = {key: found for key, found in located.items() if found is not None}
    groups = fields.groups()
    told = [regimen for line in prose for regimen in regimens(line)]
    criteria = fields.lines("eligibilityModule", "eligibilityCriteria")
    outcome_lines = fields.outcome_lines()
    claims = result_claims(record.value.get("resultsSection"), source)
    study = StudyDraft(
        registry_ids=fields.registry_ids(),
        title=_value(facts, "title"),
        status=_value(facts, "status"),
        phase=_value(facts, "phase"),
        allocation=_value(facts, "allocation"),
        design=_value(facts, "design"),
        enrollment=_value(facts, "enrollment"),
        arms=joined_arms(groups, told, prose, source),
        outcomes=fields.outcomes(),
        relapse_definition=relapse_definition([*outcome_lines, *prose], source),
        eligibility=eligibility(criteria),
        improvement_formula=improvement_formula(outcome_lines, source),
        product=product(_value(facts, "title"), [*(text for group in groups for text in group.texts), *prose]),
        spans={key: span for key, (_, span) in facts.items()},
    )
    described = [text for group in groups for text in group.texts]
    problems = (
        *design_problems(facts.get("design"), facts.get("allocation"), prose, source),
        *percent_problems(claims),
        *lost_digits([*prose, *outcome_lines], source),
        *unit_problems([*prose, *described], source),
        *spelling_problems([*prose, *described], source),
    )
    return Reading("ctgov_json", study, claims, problems)


def _value(facts: dict[str, tuple[Any, Span]], key: str) -> Any:
    return facts[key][0] if key in facts else None


class _Fields:
    """The protocol section by name; a module that is missing or of another shape reads as empty."""

    def __init__(self, protocol: dict[str, Any], source: RecordSource) -> None:
        self._protocol = protocol
        self._source = source

    def get(self, *path: str | int) -> Any:
        value: Any = self._protocol
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def items(self, *path: str) -> list[dict[str, Any]]:
        value = self.get(*path)
        return [item if isinstance(item, dict) else {} for item in value] if isinstance(value, list) else []

    def text(self, *path: str | int) -> Text | None:
        found = self._source.string("protocolSection", *path)
        return normalised(found) if found is not None else None

    def lines(self, *path: str | int) -> list[Text]:
        text = self.text(*path)
        return split_lines(text) if text is not None else []

    def located(self, path: tuple[str | int, ...], read: Any) -> tuple[Any, Span] | None:
        text = self._source.string("protocolSection", *path)
        if text is None:
            return None
        value = read(text.chars)
        return (value, self._source.span_of(text)) if value else None

    def registry_ids(self) -> tuple[str, ...]:
        found = [self.get("identificationModule", "nctId"), self.get("identificationModule", "orgStudyIdInfo", "id")]
        found += [item.get("id") for item in self.items("identificationModule", "secondaryIdInfos")]
        return tuple(dict.fromkeys(one.strip() for one in found if isinstance(one, str) and one.strip()))

    def phases(self) -> tuple[str, ...] | None:
        listed = self.get("designModule", "phases")
        return phase_field(" / ".join(map(str, listed)).replace("_", " ")) or None if isinstance(listed, list) else None

    def enrollment(self) -> Enrollment | None:
        count, kind = (self.get("designModule", "enrollmentInfo", key) for key in ("count", "type"))
        if isinstance(count, bool) or not isinstance(count, int):
            return None
        kinds: dict[str, Literal["actual", "target"]] = {
            "ACTUAL": "actual",
            "ESTIMATED": "target",
            "ANTICIPATED": "target",
        }
        return Enrollment(count, kinds.get(str(kind).upper()))

    def prose(self) -> list[Text]:
        return [
            *self.lines("identificationModule", "briefTitle"),
            *self.lines("identificationModule", "officialTitle"),
            *self.lines("descriptionModule", "briefSummary"),
            *self.lines("descriptionModule", "detailedDescription"),
        ]

    def groups(self) -> list[Group]:
        interventions = self.items("armsInterventionsModule", "interventions")
        groups: list[Group] = []
        for k, arm in enumerate(self.items("armsInterventionsModule", "armGroups")):
            label = self.text("armsInterventionsModule", "armGroups", k, "label")
            listed = arm.get("interventionNames")
            names = [str(one).partition(": ")[2] or str(one) for one in listed] if isinstance(listed, list) else []
            texts = self.lines("armsInterventionsModule", "armGroups", k, "description")
            for i, one in enumerate(interventions):
                labels = one.get("armGroupLabels")
                if one.get("name") in names or (isinstance(labels, list) and arm.get("label") in labels):
                    names += [str(one["name"])] if one.get("name") and one["name"] not in names else []
                    for key in ("name", "description"):
                        texts += self.lines("armsInterventionsModule", "interventions", i, key)
            groups.append(Group(label, names, texts))
        if not groups and interventions:
            for i, one in enumerate(interventions):
                parts = [
                    *self.lines("armsInterventionsModule", "interventions", i, "name"),
                    *self.lines("armsInterventionsModule", "interventions", i, "description"),
                ]
                if parts:
                    groups.append(Group(None, [str(one.get("name", ""))], parts))
        return [group for group in groups if group.label is not None or group.texts]

    def outcomes(self) -> tuple[OutcomeDraft, ...]:
        drafts: list[OutcomeDraft] = []
        for key, role in _ROLES:
            for k in range(len(self.items("outcomesModule", key))):
                block = [
                    *self.lines("outcomesModule", key, k, "measure"),
                    *self.lines("outcomesModule", key, k, "description"),
                ]
                frame = self.text("outcomesModule", key, k, "timeFrame")
                weeks = assessment_weeks(tokens(frame)) if frame is not None else None
                drafts += drafted(block_rows(block, weeks), role, self._source)
        return distinct_outcomes(drafts)

    def outcome_lines(self) -> list[Text]:
        return [
            line
            for key, _ in _ROLES
            for k in range(len(self.items("outcomesModule", key)))
            for part in ("measure", "description")
            for line in self.lines("outcomesModule", key, k, part)
        ]


def split_lines(text: Text) -> list[Text]:
    """Return the lines of a string that aren't blank."""
    found, start = [], 0
    for cut in [*(i for i, char in enumerate(text.chars) if char == "\n"), len(text)]:
        line = text[start:cut].strip("\r*")
        start = cut + 1
        if len(line):
            found.append(line)
    return found
