"""Risk of bias of one study: what was judged, how, why, and on what document."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pasimeta.evidence.facts import Identifier, Record, Text

ItemAnswer = Literal["met", "not_met", "unclear", "not_applicable"]
DomainRisk = Literal["low", "moderate", "serious", "critical", "no_information"]
_OPEN = ("unclear", "no_information", "not_applicable")


class _Judged(Record):
    reason: Annotated[Text, Field(description="Why, in our words")]
    source: Annotated[Identifier | None, Field(description="Document the judgement rests on, or was looked in")] = None
    locator: Annotated[Text | None, Field(description="Where in it: line, page section, table or abstract")] = None

    def _refuse_unfounded(self, verdict: str) -> None:
        if (self.source is None) != (self.locator is None):
            raise ValueError("source and locator go together")
        if self.source is None and verdict not in _OPEN:
            raise ValueError(
                f"'{verdict}' needs source and locator; without a document it is unclear or no_information"
            )


class ItemJudgement(_Judged):
    """An item of a checklist, answered."""

    answer: ItemAnswer

    @model_validator(mode="after")
    def _founded(self) -> Self:
        self._refuse_unfounded(self.answer)
        return self


class DomainJudgement(_Judged):
    """A domain of bias, judged."""

    risk: DomainRisk

    @model_validator(mode="after")
    def _founded(self) -> Self:
        self._refuse_unfounded(self.risk)
        return self


class JbiCaseSeries(Record):
    """The ten items of JBI's checklist for case series (Munn 2020, JBI Evid Synth 18:2127-2133)."""

    inclusion_criteria: Annotated[ItemJudgement, Field(description="Criteria of inclusion are clear")]
    condition_measured: Annotated[ItemJudgement, Field(description="The condition was measured alike in everyone")]
    condition_identified: Annotated[ItemJudgement, Field(description="The diagnosis was made by valid methods")]
    consecutive: Annotated[ItemJudgement, Field(description="Patients were included consecutively")]
    complete: Annotated[ItemJudgement, Field(description="All eligible patients were included")]
    demographics: Annotated[ItemJudgement, Field(description="Age, sex and the like are reported")]
    clinical: Annotated[ItemJudgement, Field(description="Severity, earlier and other treatment are reported")]
    outcomes: Annotated[ItemJudgement, Field(description="Outcomes and follow-up are reported for everyone")]
    site: Annotated[ItemJudgement, Field(description="The clinic and whom it serves are described")]
    statistics: Annotated[ItemJudgement, Field(description="The analysis fits the data")]


class RobinsI(Record):
    """The seven domains of ROBINS-I (Sterne 2016, BMJ 355:i4919)."""

    confounding: Annotated[DomainJudgement, Field(description="Confounding: other causes of improvement")]
    selection: Annotated[DomainJudgement, Field(description="Selection: who entered, and from when they were followed")]
    classification: Annotated[DomainJudgement, Field(description="Classification: knowing who received what")]
    deviations: Annotated[DomainJudgement, Field(description="Deviations from the treatment meant")]
    missing_data: Annotated[DomainJudgement, Field(description="Missing data: patients without outcome")]
    measurement: Annotated[
        DomainJudgement, Field(description="Measurement: how, when and by whom outcomes were judged")
    ]
    reported_result: Annotated[DomainJudgement, Field(description="Reported result: results chosen for the report")]

    @property
    def overall(self) -> DomainRisk:
        """The worst domain; no information if none is serious or worse and one can't be judged."""
        risks: list[DomainRisk] = [getattr(self, name).risk for name in type(self).model_fields]
        order: tuple[DomainRisk, ...] = ("critical", "serious", "no_information", "moderate", "low")
        return next(risk for risk in order if risk in risks)


class RiskOfBias(Record):
    """Risk of bias of one study's result, from the documents seen."""

    id: Annotated[Identifier, Field(description="Id of the study")]
    judged: Annotated[datetime.date, Field(description="Day of the judgement")]
    result: Annotated[Text, Field(description="The result that is judged")]
    documents_seen: Annotated[Text, Field(description="What of the study was seen")]
    jbi: JbiCaseSeries
    robins_i: RobinsI
