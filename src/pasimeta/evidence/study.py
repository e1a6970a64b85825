"""One study as the documents tell it: who was treated, with what, and what was counted."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pasimeta.evidence.facts import (
    AlwaysCited,
    Cited,
    Conflict,
    Count,
    Fact,
    Identifier,
    Missing,
    PrintedPercent,
    Range,
    Record,
    Text,
)

Design = Literal["single_arm", "randomized", "case_series", "case_report"]
Status = Literal["reported", "unreported", "ongoing", "unknown"]
Phase = Literal["early_1", "1", "2", "3", "4"]
ProductClass = Literal["expanded_msc", "svf", "uncultured", "secretome", "exosome"]
Tissue = Literal["umbilical_cord", "cord_blood", "adipose", "gingiva", "tonsil", "bone_marrow"]
Donor = Literal["allogeneic", "autologous"]
Route = Literal["intravenous", "subcutaneous", "intradermal", "topical", "local_injection", "mixed"]
Endpoint = Literal["pasi_response", "pga_0_1", "clearance", "relapse"]
Imputation = Literal["none", "nonresponder", "completers", "one_year_completers"]
RegistryStatus = Literal[
    "recruiting",
    "not_yet_recruiting",
    "active",
    "completed",
    "terminated",
    "withdrawn",
    "suspended",
    "unknown",
]


class Citation(Record):
    """The published report, as far as its bibliographic record was seen."""

    authors: Annotated[Text, Field(description="As printed: Cheng L, Wang S, … Chen X")]
    year: int
    title: Text | None = None
    journal: Annotated[Text | None, Field(description="With volume, issue and pages")] = None
    doi: Annotated[str | None, Field(pattern=r"^10\.\d{4,}/\S+$", description="10.…, without https://doi.org/")] = None
    pmid: Annotated[str | None, Field(pattern=r"^\d+$", description="Digits in quotes")] = None
    pmcid: Annotated[str | None, Field(pattern=r"^PMC\d+$", description="PMC and digits")] = None


class Product(Cited):
    """What was given: its class decides whether it is a cultured MSC at all."""

    product_class: ProductClass
    tissue: Tissue | None
    donor: Donor | None
    route: Route | None
    description: Annotated[Text, Field(description="The product in our words")]


class Dose(Cited):
    """Cells per infusion, how often and when. Weeks count from the first infusion."""

    cells_per_kg: Annotated[Range | None, Field(description="Cells per kg body weight, per infusion")] = None
    cells_per_cm2: Annotated[Range | None, Field(description="Cells per cm2 of plaque, per treatment")] = None
    total_cells: Annotated[Range | None, Field(description="Cells per infusion, whole body")] = None
    infusions: Annotated[Range | None, Field(description="How many infusions or treatments")] = None
    weeks: Annotated[list[float] | None, Field(description="Weeks of the infusions, the first is 0")] = None
    reason: Annotated[Text | None, Field(description="Why amount, infusions or weeks are null")] = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        amounts = [a for a in (self.cells_per_kg, self.cells_per_cm2, self.total_cells) if a is not None]
        if (not amounts or self.infusions is None or self.weeks is None) and self.reason is None:
            raise ValueError("a dose without amount, infusions or weeks needs a reason")
        if amounts and not self.is_cited:
            raise ValueError("a dose needs source, locator and confidence")
        if self.weeks is not None and self.weeks != sorted(self.weeks):
            raise ValueError("weeks must ascend")
        return self

    @property
    def cumulative_cells_per_kg(self) -> Range | None:
        """Cells per kg over the whole course."""
        if self.cells_per_kg is None or self.infusions is None:
            return None
        return self.cells_per_kg * self.infusions

    @property
    def rate(self) -> Range | None:
        """Cells per kg and week, over the weeks from the first infusion to one mean interval after the last."""
        total = self.cumulative_cells_per_kg
        if total is None or self.weeks is None or len(self.weeks) < 2:
            return None
        span = (self.weeks[-1] - self.weeks[0]) * len(self.weeks) / (len(self.weeks) - 1)
        return Range(low=total.low / span, high=total.high / span)


class Arm(Record):
    """A group of patients given one dose on one schedule."""

    id: Identifier
    label: Text
    intervention: Literal["cells", "comparator", "control"] = "cells"
    n: Annotated[Fact[int], Field(description="Patients in the arm")]
    dose: Dose | None = None
    drug: Annotated[Text | None, Field(description="Drug and dose, for an arm without cells or beside them")] = None


class Subgroup(Record):
    """Part of a study's patients."""

    by: Literal["sex", "dose_group"]
    level: Annotated[Text, Field(description="female or male; or the id of the arm")]


class ResponseCount(AlwaysCited):
    """How many reached an endpoint, as an interval, of how many."""

    endpoint: Endpoint
    threshold: Annotated[int | None, Field(ge=1, le=100, description="Percent improvement of PASI")] = None
    events: Count
    n_enrolled: Annotated[int, Field(ge=1, description="Patients enrolled")]
    n_analysed: Annotated[int, Field(ge=1, description="Patients the events are counted of")]
    printed_percent: PrintedPercent | None = None
    week: Annotated[float | None, Field(ge=0, description="Weeks from the first infusion; null needs week_reason")]
    week_reason: Annotated[Text | None, Field(description="Why the week is null")] = None
    subgroup: Subgroup | None = None
    imputation: Annotated[Imputation, Field(description="Whom the denominator n_analysed counts")] = "none"
    definition: Annotated[Text | None, Field(description="What the study counts, where it isn't the endpoint")] = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.events.upper > self.n_analysed:
            raise ValueError(f"{self.events.upper} events exceed the {self.n_analysed} analysed")
        if self.n_analysed > self.n_enrolled:
            raise ValueError(f"{self.n_analysed} analysed exceed the {self.n_enrolled} enrolled")
        if (self.threshold is None) == (self.endpoint == "pasi_response"):
            raise ValueError("threshold belongs to pasi_response, and to it alone")
        if self.week is None and self.week_reason is None:
            raise ValueError("a null week needs week_reason")
        return self

    @property
    def label(self) -> str:
        """PASI75, PGA 0/1, ..."""
        names = {"pga_0_1": "PGA 0/1", "clearance": "clearance", "relapse": "relapse"}
        return f"PASI{self.threshold}" if self.threshold else names[self.endpoint]


class SafetyCount(AlwaysCited):
    """Patients with an adverse event, or numbers of events: the two are never mixed."""

    event: Literal["serious_related", "serious_any", "major", "related", "any"]
    term: Annotated[Text | None, Field(description="The event's name, where one kind is counted")] = None
    unit: Annotated[Literal["patients", "events"], Field(description="What is counted")]
    count: Count
    n: Annotated[int | None, Field(ge=1, description="Patients at risk")]
    group: Annotated[Text | None, Field(description="Who was at risk, if not the study's patients")] = None
    week: Annotated[float | None, Field(ge=0, description="End of the time at risk; null needs week_reason")]
    week_reason: Annotated[Text | None, Field(description="Why the week is null")] = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.unit == "patients" and (self.n is None or self.count.upper > self.n):
            raise ValueError(f"{self.count} patients with an event need an n at least as large")
        if self.week is None and self.week_reason is None:
            raise ValueError("a null week needs week_reason")
        return self


class Finding(AlwaysCited):
    """A result that isn't a count of patients: a mean change, a p-value, another index than PASI."""

    what: Annotated[Text, Field(description="What was measured")]
    result: Annotated[Text, Field(description="What came out, in our words")]
    week: Annotated[float | None, Field(ge=0, description="Weeks from the first infusion")] = None


class Patient(AlwaysCited):
    """One patient whose course is told."""

    id: Identifier
    sex: Literal["female", "male"] | None = None
    age: Annotated[float | None, Field(ge=0, le=120, description="Years")] = None
    baseline_pasi: Annotated[float | None, Field(ge=0, le=72, description="PASI before treatment, points")] = None
    followup_pasi: Annotated[float | None, Field(ge=0, le=72, description="PASI at that week, points")] = None
    improvement_percent: Annotated[
        float | None, Field(le=100, description="Percent improvement, where scores aren't given")
    ] = None
    week: Annotated[float | None, Field(ge=0, description="Weeks from the first infusion")] = None
    outcome: Annotated[Text | None, Field(description="The course in our words, where no PASI is given")] = None
    confounded_by: Annotated[Text | None, Field(description="Another treatment that could explain the course")] = None

    @property
    def improvement(self) -> float | None:
        """Percent improvement of PASI, computed where both scores are given."""
        if self.baseline_pasi and self.followup_pasi is not None:
            return 100 * (self.baseline_pasi - self.followup_pasi) / self.baseline_pasi
        return self.improvement_percent


class Summary(Record):
    """A distribution as far as it is reported."""

    mean: float | None = None
    sd: float | None = None
    low: float | None = None
    high: float | None = None


class Population(Record):
    """Who was treated."""

    condition: Literal["plaque_psoriasis", "scalp_psoriasis", "healthy_volunteers"]
    enrolled: Annotated[Fact[int], Field(description="Patients enrolled")]
    analysed: Annotated[Fact[int], Field(description="Patients analysed")]
    female: Annotated[Fact[int], Field(description="Women enrolled")]
    male: Annotated[Fact[int], Field(description="Men enrolled")]
    age: Annotated[Fact[Summary], Field(description="Years")]
    baseline_pasi: Annotated[Fact[Summary], Field(description="PASI before treatment, points")]
    co_treatment: Annotated[Fact[str], Field(description="Other treatment allowed or given")]

    @model_validator(mode="after")
    def _sums(self) -> Self:
        enrolled, female, male = self.enrolled.value, self.female.value, self.male.value
        if None not in (enrolled, female, male) and female + male != enrolled:  # type: ignore[operator]
            raise ValueError(f"female ({female}) and male ({male}) don't add up to the {enrolled} enrolled")
        return self


class PlannedOutcome(AlwaysCited):
    """An outcome the registration announces."""

    measure: Literal[
        "pasi_response",
        "pasi_change",
        "pasi_improvement_rate",
        "pga_0_1",
        "bsa",
        "dlqi",
        "pruritus_vas",
        "relapse",
        "ae",
        "sae",
        "other",
    ]
    threshold: Annotated[int | None, Field(ge=1, le=100)] = None
    weeks: Annotated[list[float] | None, Field(description="Weeks from the first infusion")] = None
    role: Literal["primary", "secondary"] | None = None
    definition: Text | None = None


class Registration(Record):
    """What the registry says, apart from what came of it."""

    status: Fact[RegistryStatus]
    enrollment: Annotated[Fact[int], Field(description="Patients the registry names")]
    enrollment_type: Annotated[Literal["actual", "target"] | None, Field(description="What that number is")]
    treated: Annotated[Fact[int] | None, Field(description="Patients known to have been treated, if unreported")] = None
    planned_outcomes: Annotated[list[PlannedOutcome], Field(default_factory=list)]


class Exclusion(AlwaysCited):
    """A fact about the study, not a rule, that keeps its result from meaning what it seems to mean."""

    reason: Text


class Study(Record):
    """A study of a cell product in psoriasis, reported or not."""

    id: Identifier
    label: Annotated[Text, Field(description="Short name for tables and figures")]
    title: Annotated[Text | None, Field(description="Title of the report or registration, or null if not kept")]
    registry_ids: Annotated[list[Text], Field(description="Numbers in trial registries")]
    citation: Annotated[Citation | None, Field(description="Needed where the status is reported")]
    country: Annotated[Text | None, Field(description="Where patients were treated")]
    sponsor: Text | None = None
    design: Design
    design_note: Annotated[Text | None, Field(description="What a reader must know of the design")] = None
    phase: list[Phase]
    allocation: Literal["randomized", "non_randomized", "na"]
    status: Annotated[Status, Field(description="Whether results are public")]
    status_reason: Annotated[Text, Field(description="How that is known")]
    product: Product
    population: Population
    follow_up: Annotated[Fact[str], Field(description="When patients were seen")]
    arms: Annotated[list[Arm], Field(min_length=1)]
    outcomes: list[ResponseCount]
    safety: list[SafetyCount]
    patients: list[Patient]
    findings: Annotated[list[Finding], Field(default_factory=list)]
    registration: Registration | None
    conflicts: list[Conflict]
    missing: list[Missing]
    exclusion: Exclusion | None
    sources: Annotated[
        list[Identifier], Field(description="Ids in sources.yaml of every document consulted", min_length=1)
    ]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.status == "reported" and self.citation is None:
            raise ValueError("a reported study needs its citation")
        if self.status != "reported" and (self.outcomes or self.citation):
            raise ValueError(f"a study with status {self.status} has neither citation nor outcomes")
        for name, ids in (("arms", [a.id for a in self.arms]), ("patients", [p.id for p in self.patients])):
            if len(set(ids)) != len(ids):
                raise ValueError(f"{name}: ids repeat")
        return self
