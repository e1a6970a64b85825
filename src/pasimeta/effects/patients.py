"""Response counts from individual patients, held against the counts that the reports give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from pasimeta.effects.pasi import improvement_rate, reaches
from pasimeta.evidence.audit import AuditFinding
from pasimeta.evidence.audit.folder import DataFile
from pasimeta.evidence.audit.result import Complaint
from pasimeta.evidence.store import Evidence, read_evidence
from pasimeta.evidence.study import Patient, ResponseCount, Study

THRESHOLDS = (50, 75, 90, 100)

COLUMNS = [
    "study",
    "label",
    "threshold",
    "events_lower",
    "events_upper",
    "n",
    "told",
    "reported_lower",
    "reported_upper",
    "week",
    "agrees",
]


def patient_improvements(patients: Sequence[Patient]) -> list[float | None]:
    """Return each patient's improvement of PASI in percent; None where neither scores nor a percentage are given."""
    scores = {p.id: (p.baseline_pasi, p.followup_pasi) for p in patients if p.baseline_pasi}
    known = {name: (before, after) for name, (before, after) in scores.items() if before and after is not None}
    rates: dict[str, float] = {}
    if known:
        before, after = zip(*known.values(), strict=True)
        rates = dict(zip(known, improvement_rate(before, after, patients=list(known)).tolist(), strict=True))
    return [rates.get(p.id, p.improvement_percent) for p in patients]


def patient_responses(evidence: Evidence, thresholds: Iterable[int] = THRESHOLDS) -> pd.DataFrame:
    """Count the responders among the patients whose course is told, at every threshold.

    Patients of whom no PASI is told may have responded or not, so the count is an interval: those told to respond, up
    to those and all the untold.

    Parameters
    ----------
    evidence : Evidence
    thresholds : iterable of int
        PASI thresholds in percent; those a study reports are added for it.

    Returns
    -------
    DataFrame
        One row a study with told patients and threshold: ``study``, ``label``, ``threshold``, ``events_lower``,
        ``events_upper``, ``n`` (patients of the study), ``told`` (with a PASI), ``reported_lower``,
        ``reported_upper`` and ``week`` of the report's own count (NaN without one), ``agrees`` (None without one).
    """
    wanted = list(thresholds)
    rows = [row for study in evidence.studies.values() for row in _study_rows(study, wanted)]
    table = pd.DataFrame(rows, columns=COLUMNS)
    optional = {"reported_lower": "Int64", "reported_upper": "Int64", "week": float, "agrees": "boolean"}
    return table.astype(optional)


def patient_findings(directory: Path | str) -> list[AuditFinding]:
    """Return each reported count that the study's own patients contradict, for the audit.

    Raises
    ------
    EvidenceError
        If the folder holds no studies.
    """
    evidence, _ = read_evidence(directory)
    if evidence is None:
        return []
    found = []
    for study in evidence.studies.values():
        complaints = list(_contradictions(study))
        if complaints:
            file = DataFile(Path(directory) / "studies" / f"{study.id}.yaml", {"": study})
            found += [file.finding(complaint) for complaint in complaints]
    return found


def _study_rows(study: Study, thresholds: list[int]) -> Iterator[dict[str, object]]:
    reported = _reported(study)
    improvements = [i for i in patient_improvements(study.patients) if i is not None]
    if not improvements:
        return
    n = max(study.population.enrolled.value or 0, len(study.patients))
    for threshold in sorted({*thresholds, *(o.threshold for _, o in reported if o.threshold)}):
        lower, upper = _bounds(improvements, n, threshold)
        counts: list[ResponseCount | None] = [o for _, o in reported if o.threshold == threshold]
        for count in counts or [None]:
            yield {
                "study": study.id,
                "label": study.label,
                "threshold": threshold,
                "events_lower": lower,
                "events_upper": upper,
                "n": n,
                "told": len(improvements),
                "reported_lower": count.events.lower if count else None,
                "reported_upper": count.events.upper if count else None,
                "week": count.week if count else None,
                "agrees": _agrees(count, lower, upper) if count else None,
            }


def _contradictions(study: Study) -> Iterator[Complaint]:
    improvements = [i for i in patient_improvements(study.patients) if i is not None]
    if not improvements:
        return
    n = max(study.population.enrolled.value or 0, len(study.patients))
    for field, count in _reported(study):
        assert count.threshold is not None
        lower, upper = _bounds(improvements, n, count.threshold)
        if not _agrees(count, lower, upper):
            computed = f"{lower}" if lower == upper else f"{lower} to {upper}"
            message = (
                f"{count.events} of {count.n_analysed} reach {count.label}, but the study's patients make it "
                f"{computed}; mend the count or the patients"
            )
            yield Complaint(f"{field}.events", "patient_count_mismatch", message)


def _reported(study: Study) -> list[tuple[str, ResponseCount]]:
    """Return the study's whole-group counts that were judged when its patients were."""
    weeks = {p.week for p in study.patients}
    return [
        (f"outcomes.{i}", outcome)
        for i, outcome in enumerate(study.outcomes)
        if outcome.threshold is not None and outcome.subgroup is None and (outcome.week in weeks or weeks == {None})
    ]


def _bounds(improvements: list[float], n: int, threshold: int) -> tuple[int, int]:
    responders = int(np.count_nonzero(reaches(improvements, threshold)))
    return responders, responders + n - len(improvements)


def _agrees(count: ResponseCount, lower: int, upper: int) -> bool:
    return lower <= count.events.upper and count.events.lower <= upper
