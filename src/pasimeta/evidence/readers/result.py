"""What a reader found in a document: frozen records, each figure with the line it stands on."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

Kind = Literal["registry_page", "ctgov_json", "report"]
Bounds = tuple[float | None, float | None]

MEASURES = (
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
)


class _Shape:
    """Base of the records: the shape printed by ``pasimeta extract --format json``."""

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain dictionaries and lists; what the document doesn't say is ``None``."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Span(_Shape):
    r"""A place in the document as it was received.

    ``line`` counts from 1, ``start`` and ``end`` are columns of that line counted from 0 (end exclusive), and ``text``
    is what stands there, so that ``document.split("\n")[line - 1][start:end] == text``.
    """

    line: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Claim(_Shape):
    """A result that the document reports.

    ``kind`` is response, effective, sae, ae, relapse, n or correlation (a reported absence of correlation). ``events``
    is filled in from the percentage where exactly one integer fits; ``percent`` stays as printed.
    """

    kind: str
    span: Span
    threshold: int | None = None
    events: int | None = None
    n: int | None = None
    percent: float | None = None
    subgroup: str | None = None
    measure: str | None = None
    week: float | None = None


@dataclass(frozen=True, slots=True)
class Problem(_Shape):
    """Something a reviewer must look at: a contradiction, a slip, a gap."""

    code: str
    message: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Document(_Shape):
    """The file that was read."""

    name: str
    sha256: str
    kind: Kind | None


@dataclass(frozen=True, slots=True)
class Enrollment(_Shape):
    """How many patients, and whether they are planned or were counted."""

    count: int
    type: Literal["actual", "target"] | None


@dataclass(frozen=True, slots=True)
class DoseDraft(_Shape):
    """Cells per infusion as [low, high], and when; weeks count from the first infusion."""

    cells_per_kg: Bounds | None = None
    infusions: int | None = None
    weeks: tuple[float, ...] | None = None
    cells_per_cm2: Bounds | None = None
    total_cells: Bounds | None = None
    weeks_span: Span | None = None


@dataclass(frozen=True, slots=True)
class CoTreatment(_Shape):
    """A named drug given beside the cells or instead of them."""

    drug: str
    frequency: str | None = None
    weeks: float | None = None


@dataclass(frozen=True, slots=True)
class ArmDraft(_Shape):
    """A group of patients."""

    label: str | None
    intervention: str | None = None
    dose: DoseDraft | None = None
    drug_dose_mg: Bounds | None = None
    n: int | None = None
    co_treatments: tuple[CoTreatment, ...] = ()
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class OutcomeDraft(_Shape):
    """An outcome that the document announces."""

    measure: str
    threshold: int | None = None
    weeks: tuple[float, ...] | None = None
    role: Literal["primary", "secondary"] | None = None
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class RelapseDefinition(_Shape):
    """Whom the document calls relapsed.

    Either ``loss_fraction`` of the improvement at the reference is lost, or the improvement over baseline falls below
    ``improvement_below`` percent. ``population`` is ``all`` or, say, ``pasi50_responders``.
    """

    reference: Literal["improvement_at_week", "maximum_improvement", "baseline"]
    reference_week: float | None
    loss_fraction: float | None
    improvement_below: float | None
    population: str
    text: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Eligibility(_Shape):
    """Entry thresholds as the lowest admitted score, or None."""

    pasi: float | None = None
    bsa: float | None = None
    dlqi: float | None = None


@dataclass(frozen=True, slots=True)
class ProductDraft(_Shape):
    """What kind of product was given, as far as its name tells."""

    product_class: str | None = None
    tissue: str | None = None
    donor: str | None = None
    route: str | None = None


@dataclass(frozen=True, slots=True)
class StudyDraft(_Shape):
    """The study as this one document tells it."""

    registry_ids: tuple[str, ...] = ()
    title: str | None = None
    status: str | None = None
    phase: tuple[str, ...] | None = None
    allocation: str | None = None
    design: str | None = None
    enrollment: Enrollment | None = None
    arms: tuple[ArmDraft, ...] = ()
    outcomes: tuple[OutcomeDraft, ...] = ()
    relapse_definition: RelapseDefinition | None = None
    eligibility: Eligibility | None = None
    improvement_formula: str | None = None
    product: ProductDraft | None = None
    spans: dict[str, Span] | None = None


@dataclass(frozen=True, slots=True)
class Extraction(_Shape):
    """A draft from one document: the study, what is claimed of it, and what is doubtful."""

    document: Document
    study: StudyDraft
    claims: tuple[Claim, ...] = ()
    problems: tuple[Problem, ...] = ()


def _plain(value: Any) -> Any:
    if isinstance(value, _Shape):
        return value.to_dict()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    assert not is_dataclass(value)
    return value
