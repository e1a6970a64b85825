"""Hypothetical results beside the evidence: always labelled as such, and never stored with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pandas as pd

from pasimeta.errors import ParameterError
from pasimeta.evidence.inclusion import Decision
from pasimeta.evidence.store import Evidence

#: Source and confidence of a hypothetical count, and the first words of its label.
SOURCE, CONFIDENCE, LABEL = "what_if", "hypothetical", "What if"
Trials = Sequence[Mapping[str, Any]]


def silent_studies(evidence: Evidence) -> dict[str, str]:
    """Return the label, by id, of every registered trial that has not reported."""
    return {study.id: study.label for study in evidence.studies.values() if study.status != "reported"}


def check_trials(trials: Trials, evidence: Evidence) -> None:
    """Refuse what can't be supposed.

    Parameters
    ----------
    trials : sequence of mapping
        Keys ``study`` (id of a silent trial, or None for an invented one), ``threshold``, ``events`` and ``n``.
    evidence : Evidence

    Raises
    ------
    ParameterError
        For a study that is unknown or has reported, one given twice at a threshold, one whose sizes differ, or counts
        that rise with the threshold.
    """
    silent = silent_studies(evidence)
    known: dict[str, list[Mapping[str, Any]]] = {}
    for trial in trials:
        study = trial["study"]
        if study is None:
            continue
        if study not in silent:
            why = "has reported" if study in evidence.studies else "is no study of the data"
            raise ParameterError(f"evidence.what_if: {study} {why}; name one of {', '.join(silent)}, or leave it null")
        known.setdefault(study, []).append(trial)
    for study, own in known.items():
        ordered = sorted(own, key=lambda trial: int(trial["threshold"]))
        for easier, harder in pairwise(ordered):
            if easier["threshold"] == harder["threshold"]:
                raise ParameterError(f"evidence.what_if: {study} has PASI{easier['threshold']} twice; give it once")
            if easier["n"] != harder["n"]:
                raise ParameterError(
                    f"evidence.what_if: {study} has two sizes, {easier['n']} and {harder['n']}; give one"
                )
            if easier["events"] < harder["events"]:
                raise ParameterError(
                    f"evidence.what_if: {study} has more responders at PASI{harder['threshold']} than at "
                    f"PASI{easier['threshold']}; whoever reached the one has reached the other"
                )


def decided(decisions: list[Decision], trials: Trials) -> list[Decision]:
    """Let in the silent trials that are supposed to have reported."""
    supposed = {trial["study"] for trial in trials} - {None}
    reason = "hypothetical: supposed to have reported"
    return [
        replace(decision, included=True, stage=None, reason=reason) if decision.study in supposed else decision
        for decision in decisions
    ]


def with_counts(responses: pd.DataFrame, trials: Trials, evidence: Evidence) -> pd.DataFrame:
    """Append each hypothetical count to the ``RESPONSES`` table; the very table if there is none."""
    if not trials:
        return responses
    silent = silent_studies(evidence)
    rows = [
        {
            "study": _identifier(trial, place),
            "label": _label(trial, place, silent),
            "included": True,
            "endpoint": "pasi_response",
            "threshold": float(trial["threshold"]),
            "events_lower": int(trial["events"]),
            "events_upper": int(trial["events"]),
            "n_enrolled": int(trial["n"]),
            "n_analysed": int(trial["n"]),
            "imputation": "none",
            "source": SOURCE,
            "locator": f"parameter evidence.what_if, entry {place}",
            "confidence": CONFIDENCE,
        }
        for place, trial in enumerate(trials, start=1)
    ]
    return pd.concat([responses, _like(responses, rows)], ignore_index=True)


def with_records(characteristics: pd.DataFrame, trials: Trials) -> pd.DataFrame:
    """Append a row for each invented trial to the table of studies; nothing is known of it but its size."""
    rows = [
        {
            "study": _identifier(trial, place),
            "label": _label(trial, place, {}),
            "status": CONFIDENCE,
            "enrolled": int(trial["n"]),
            "analysed": int(trial["n"]),
            "controlled": False,
            "included": True,
            "reason": "hypothetical: invented",
        }
        for place, trial in enumerate(trials, start=1)
        if trial["study"] is None
    ]
    return pd.concat([characteristics, _like(characteristics, rows)], ignore_index=True) if rows else characteristics


def hypothetical(counts: pd.DataFrame) -> int:
    """Return how many of the selected counts are hypothetical."""
    return int((counts["source"] == SOURCE).sum()) if "source" in counts else 0


def hypothetical_sentence(trials: Trials) -> str:
    """Say that results are supposed, and how many patients; empty if none is."""
    if not trials:
        return ""
    patients = {_identifier(trial, place): int(trial["n"]) for place, trial in enumerate(trials, start=1)}
    results = "one hypothetical result" if len(trials) == 1 else f"{len(trials)} hypothetical results"
    return f"**Not evidence: what if.** {results[:1].upper()}{results[1:]} ({sum(patients.values())} patients) counted."


def _identifier(trial: Mapping[str, Any], place: int) -> str:
    return str(trial["study"] or f"what-if-{place}")


def _label(trial: Mapping[str, Any], place: int, silent: Mapping[str, str]) -> str:
    study = trial["study"]
    return f"{LABEL}: {silent.get(study, study)} reports" if study else f"{LABEL}: trial {place}"


def _like(table: pd.DataFrame, rows: list[dict[str, object]]) -> pd.DataFrame:
    # of a row's own columns the table may lack some; of the table's, the row leaves most unknown
    added = pd.DataFrame(rows).reindex(columns=table.columns)
    return added.astype({name: table[name].dtype for name in table.columns if added[name].notna().all()})
