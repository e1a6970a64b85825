"""Outcomes that no table of counts holds: single patients' improvements, and what each study calls a relapse."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from pasimeta.evidence.entries import study_entry
from pasimeta.evidence.store import Evidence


def told_improvements(evidence: Evidence, studies: Collection[str]) -> pd.DataFrame:
    """List the patients whose improvement is told, of those studies.

    Returns
    -------
    DataFrame
        study, improvement (percent), best: he or she is the study's best responder, so nobody else improved more.
    """
    rows = [
        {"study": study.id, "improvement": patient.improvement, "best": patient.id == "best-responder"}
        for study in evidence.studies.values()
        if study.id in studies
        for patient in study.patients
        if patient.improvement is not None and 0 < patient.improvement < 100
    ]
    return pd.DataFrame(rows, columns=["study", "improvement", "best"])


def case_reports(
    responses: pd.DataFrame, characteristics: pd.DataFrame, product_classes: Collection[str] = ("expanded_msc",)
) -> pd.DataFrame:
    """Response counts of case reports and series of those products, as rows of the ``responses`` table marked included.

    They are left out of the analysis because a case is written up when it went well; here they come in to compare.
    """
    cases = characteristics[
        characteristics["design"].isin(["case_report", "case_series"])
        & characteristics["product_class"].isin(list(product_classes))
        & (characteristics["condition"] == "plaque_psoriasis")
        & ~characteristics["included"]
    ]
    rows = responses[responses["study"].isin(cases["study"]) & (responses["endpoint"] == "pasi_response")]
    return rows.assign(included=True).reset_index(drop=True)


def relapse_definitions(evidence: Evidence) -> pd.DataFrame:
    """What each reported study counts as a relapse: study, week, definition."""
    rows = [
        {"study": study.id, "week": outcome.week, "definition": outcome.definition}
        for study in evidence.studies.values()
        for outcome in study.outcomes
        if outcome.endpoint == "relapse"
    ]
    return pd.DataFrame(rows, columns=["study", "week", "definition"])


def registered_relapse(evidence: Evidence) -> pd.DataFrame:
    """How registrations define relapse: study, label, status, definition, source, entry."""
    rows = [
        {
            "study": study.id,
            "label": study.label,
            "status": study.status,
            "definition": outcome.definition,
            "source": outcome.source,
            "entry": study_entry(study.id, f"registration.planned_outcomes.{place}"),
        }
        for study in evidence.studies.values()
        if study.registration
        for place, outcome in enumerate(study.registration.planned_outcomes)
        if outcome.measure == "relapse"
    ]
    return pd.DataFrame(rows, columns=["study", "label", "status", "definition", "source", "entry"])
