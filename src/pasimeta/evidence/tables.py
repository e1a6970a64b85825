"""Evidence as tidy tables, and the schemas that hold whoever reads them back."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pandera.pandas as pa

from pasimeta.errors import EvidenceError
from pasimeta.evidence.context import Comparator
from pasimeta.evidence.entries import context_entry, study_entry
from pasimeta.evidence.inclusion import Decision
from pasimeta.evidence.store import Evidence
from pasimeta.evidence.study import Study

_TEXT = pa.Column(str)
_OPTIONAL_TEXT = pa.Column(object, nullable=True, required=True, coerce=True)
_COUNT = pa.Column(int, pa.Check.ge(0), coerce=True)
_SIZE = pa.Column(int, pa.Check.ge(1), coerce=True)
_NUMBER = pa.Column(float, nullable=True, coerce=True)
# id of the entry in the data file (evidence.entries); a count that isn't in one has none
_ENTRY = pa.Column(object, nullable=True, required=False, coerce=True)

RESPONSES = pa.DataFrameSchema(
    {
        "study": _TEXT,
        "label": _TEXT,
        "included": pa.Column(bool, coerce=True),
        "endpoint": _TEXT,
        "threshold": _NUMBER,
        "events_lower": _COUNT,
        "events_upper": _COUNT,
        "n_enrolled": _SIZE,
        "n_analysed": _SIZE,
        "imputation": _TEXT,
        "week": _NUMBER,
        "subgroup_by": _OPTIONAL_TEXT,
        "subgroup_level": _OPTIONAL_TEXT,
        "source": _TEXT,
        "locator": _TEXT,
        "confidence": _TEXT,
        "derived": _OPTIONAL_TEXT,
        "entry": _ENTRY,
    },
    checks=[
        pa.Check(lambda t: t["events_lower"] <= t["events_upper"], error="events_lower exceeds events_upper"),
        pa.Check(lambda t: t["events_upper"] <= t["n_analysed"], error="events_upper exceeds n_analysed"),
    ],
    name="responses",
)

DOSES = pa.DataFrameSchema(
    {
        "study": _TEXT,
        "label": _TEXT,
        "arm": _TEXT,
        "included": pa.Column(bool, coerce=True),
        "n": _NUMBER,
        "dose_low": _NUMBER,
        "dose_high": _NUMBER,
        "infusions_low": _NUMBER,
        "infusions_high": _NUMBER,
        "cumulative_low": _NUMBER,
        "cumulative_high": _NUMBER,
        "weeks": _OPTIONAL_TEXT,
        "source": _OPTIONAL_TEXT,
        "locator": _OPTIONAL_TEXT,
        "entry": _ENTRY,
    },
    name="doses",
)


def characteristics(evidence: Evidence, decisions: list[Decision]) -> pd.DataFrame:
    """One row a study: who, what, how many, and whether it is analysed."""
    included = {d.study: d for d in decisions}
    return pd.DataFrame([_characteristics_row(s, included[s.id]) for s in evidence.studies.values()])


def responses(evidence: Evidence, decisions: list[Decision]) -> pd.DataFrame:
    """One row a response count of any study, with its source; schema ``RESPONSES``."""
    included = {d.study: d.included for d in decisions}
    rows = [
        _response_row(study, position, included[study.id])
        for study in evidence.studies.values()
        for position in range(len(study.outcomes))
    ]
    return RESPONSES.validate(pd.DataFrame(rows, columns=list(RESPONSES.columns)))


def doses(evidence: Evidence, decisions: list[Decision]) -> pd.DataFrame:
    """One row an arm that received cells dosed by body weight; cells per kg; schema ``DOSES``."""
    included = {d.study: d.included for d in decisions}
    rows = []
    for study in evidence.studies.values():
        for position, arm in enumerate(study.arms):
            dose = arm.dose
            if arm.intervention != "cells" or dose is None or dose.cells_per_kg is None:
                continue
            total = dose.cumulative_cells_per_kg
            rows.append(
                {
                    "study": study.id,
                    "label": study.label,
                    "arm": arm.label,
                    "included": included[study.id],
                    "n": arm.n.value,
                    "dose_low": dose.cells_per_kg.low,
                    "dose_high": dose.cells_per_kg.high,
                    "infusions_low": dose.infusions.low if dose.infusions else None,
                    "infusions_high": dose.infusions.high if dose.infusions else None,
                    "cumulative_low": total.low if total else None,
                    "cumulative_high": total.high if total else None,
                    "weeks": ", ".join(f"{w:g}" for w in dose.weeks) if dose.weeks else None,
                    "source": dose.source,
                    "locator": dose.locator,
                    "entry": study_entry(study.id, f"arms.{position}.dose.cells_per_kg"),
                }
            )
    return DOSES.validate(pd.DataFrame(rows, columns=list(DOSES.columns)))


def safety(evidence: Evidence, decisions: list[Decision]) -> pd.DataFrame:
    """One row a safety count; ``unit`` says whether patients or events are counted."""
    rows = [
        {
            "study": study.id,
            "label": study.label,
            "product_class": study.product.product_class,
            "event": count.event,
            "term": count.term,
            "unit": count.unit,
            "count_lower": count.count.lower,
            "count_upper": count.count.upper,
            "n": count.n,
            "week": count.week,
            "source": count.source,
            "locator": count.locator,
            "confidence": count.confidence,
            "entry": study_entry(study.id, f"safety.{position}.count"),
        }
        for study in evidence.studies.values()
        for position, count in enumerate(study.safety)
    ]
    return pd.DataFrame(rows)


def comparators(evidence: Evidence, decisions: list[Decision]) -> pd.DataFrame:
    """One row a count in an arm of a comparator trial."""
    return pd.DataFrame([row for trial in evidence.comparators.values() for row in _comparator_rows(trial)])


def benchmarks(evidence: Evidence, decisions: list[Decision]) -> pd.DataFrame:
    """One row a figure pooled by others, with its source."""
    return pd.DataFrame(
        [b.model_dump() | {"entry": context_entry(b.id, "value")} for b in evidence.benchmarks.values()]
    )


def conflicts(evidence: Evidence, decisions: list[Decision]) -> pd.DataFrame:
    """One row a conflict in an analysed study: every reading with its source, and the one that is analysed."""
    rows = [
        {
            "study": study.id,
            "label": study.label,
            "field": conflict.field,
            "readings": "; ".join(f"{r.value} ({r.source}, {r.locator})" for r in conflict.readings),
            "preferred": None if conflict.preferred is None else str(conflict.readings[conflict.preferred].value),
            "why": conflict.why,
            "entry": study_entry(study.id, f"conflicts.{position}"),
        }
        for study in _analysed(evidence, decisions)
        for position, conflict in enumerate(study.conflicts)
    ]
    return pd.DataFrame(rows, columns=["study", "label", "field", "readings", "preferred", "why", "entry"])


def missing(evidence: Evidence, decisions: list[Decision]) -> pd.DataFrame:
    """One row a thing that no document seen of an analysed study gives."""
    rows = [
        {
            "study": study.id,
            "label": study.label,
            "item": gap.item,
            "reason": gap.reason,
            "entry": study_entry(study.id, f"missing.{position}"),
        }
        for study in _analysed(evidence, decisions)
        for position, gap in enumerate(study.missing)
    ]
    return pd.DataFrame(rows, columns=["study", "label", "item", "reason", "entry"])


TABLES = {"doses": doses, "safety": safety, "comparators": comparators, "benchmarks": benchmarks}


def read_table(path: Path, schema: pa.DataFrameSchema | None = None) -> pd.DataFrame:
    """Read a table written by an earlier notebook and hold it to its schema, if it has one.

    Raises
    ------
    EvidenceError
        Naming the file, the column and what is wrong with it.
    """
    try:
        table = pd.read_csv(path)
    except FileNotFoundError:
        raise EvidenceError(f"{path}: is missing; run the evidence notebook first") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise EvidenceError(f"{path}: is not a readable table: {error}; write it again") from None
    if schema is None:
        return table
    try:
        return schema.validate(table)
    except pa.errors.SchemaError as error:
        raise EvidenceError(f"{path}: {_schema_problem(error)}; run the evidence notebook again") from None


def _analysed(evidence: Evidence, decisions: list[Decision]) -> list[Study]:
    return [evidence.studies[d.study] for d in decisions if d.included]


def _schema_problem(error: pa.errors.SchemaError) -> str:
    if error.reason_code is not None and error.reason_code.name == "COLUMN_NOT_IN_DATAFRAME":
        return f"column '{error.failure_cases}' is missing"
    return " ".join(str(error).split())


def _characteristics_row(study: Study, decision: Decision) -> dict[str, object]:
    population = study.population
    return {
        "study": study.id,
        "label": study.label,
        "status": study.status,
        "registry_ids": " ".join(study.registry_ids),
        "design": study.design,
        "controlled": any(arm.intervention != "cells" for arm in study.arms),
        "phase": " ".join(study.phase),
        "country": study.country,
        "product_class": study.product.product_class,
        "tissue": study.product.tissue,
        "donor": study.product.donor,
        "route": study.product.route,
        "condition": population.condition,
        "enrolled": population.enrolled.value,
        "analysed": population.analysed.value,
        "female": population.female.value,
        "male": population.male.value,
        "co_treatment": population.co_treatment.value,
        "registered": study.registration.enrollment.value if study.registration else None,
        "included": decision.included,
        "stage": decision.stage,
        "reason": decision.reason,
        "entry": study.id,
    }


def _response_row(study: Study, position: int, included: bool) -> dict[str, object]:
    outcome = study.outcomes[position]
    return {
        "study": study.id,
        "label": study.label,
        "included": included,
        "endpoint": outcome.endpoint,
        "threshold": outcome.threshold,
        "events_lower": outcome.events.lower,
        "events_upper": outcome.events.upper,
        "n_enrolled": outcome.n_enrolled,
        "n_analysed": outcome.n_analysed,
        "imputation": outcome.imputation,
        "week": outcome.week,
        "subgroup_by": outcome.subgroup.by if outcome.subgroup else None,
        "subgroup_level": outcome.subgroup.level if outcome.subgroup else None,
        "source": outcome.source,
        "locator": outcome.locator,
        "confidence": outcome.confidence,
        "derived": outcome.derived,
        "entry": study_entry(study.id, f"outcomes.{position}.events"),
    }


def _comparator_rows(trial: Comparator) -> list[dict[str, object]]:
    return [
        {
            "trial": trial.id,
            "label": trial.label,
            "year": trial.year,
            "arm": arm.id,
            "treatment": arm.treatment,
            "endpoint": count.endpoint,
            "threshold": count.threshold,
            "week": count.week,
            "events_lower": count.events.lower,
            "events_upper": count.events.upper,
            "n": count.n,
            "source": count.source,
            "locator": count.locator,
            "confidence": count.confidence,
            "entry": context_entry(trial.id, f"arms.{i}.counts.{j}.events"),
        }
        for i, arm in enumerate(trial.arms)
        for j, count in enumerate(arm.counts)
    ]
