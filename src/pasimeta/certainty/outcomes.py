"""What the GRADE rules look at, gathered from the evidence and from the tables of earlier notebooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pasimeta.certainty.downgrades import OutcomeEvidence
from pasimeta.effects.intervals import proportion_ci
from pasimeta.errors import PasimetaError
from pasimeta.evidence.inclusion import Decision
from pasimeta.evidence.selection import Timepoint, response_counts
from pasimeta.evidence.store import Evidence
from pasimeta.evidence.what_if import CONFIDENCE

HARMS = {
    "serious_related": "Serious adverse event related to the cells",
    "serious_any": "Serious adverse event",
    "related": "Adverse event related to the cells",
    "any": "Adverse event",
    "major": "Major adverse event",
}


def pooled_outcomes(
    evidence: Evidence,
    pooled: pd.DataFrame,
    responses: pd.DataFrame,
    *,
    imputation: str = "nonresponder",
    timepoint: Timepoint = "latest",
) -> list[OutcomeEvidence]:
    """Gather what the rules ask of each pooled PASI threshold.

    Parameters
    ----------
    evidence : Evidence
    pooled : DataFrame
        Table ``pooled`` of the pooling notebook: one row a threshold.
    responses : DataFrame
        Table ``responses``; it says which counts have no week.
    imputation, timepoint : str
        As the counts were selected for pooling.

    Returns
    -------
    list of OutcomeEvidence
        One a threshold that some study counts, ascending.

    Raises
    ------
    PasimetaError
        If the tables don't belong to one another.
    """
    silent = unreported_patients(evidence)
    outcomes = []
    for row in pooled[pooled["k"] > 0].sort_values("threshold").to_dict("records"):
        ids = tuple(str(row["studies"]).split())
        threshold = int(row["threshold"])
        counts = response_counts(
            responses, threshold, imputation=imputation, timepoint=timepoint, unreported="bound"
        ).set_index("study")
        counts = counts.loc[[name for name in ids if name in counts.index]]
        if int(counts["n"].sum()) != int(row["n"]):
            raise PasimetaError(
                f"PASI{threshold}: {int(counts['n'].sum())} patients are selected, {int(row['n'])} were "
                "pooled; give the imputation and timepoint of the pooling"
            )
        outcomes.append(_pooled_outcome(evidence, row, ids, counts, silent))
    return outcomes


def safety_outcome(
    evidence: Evidence,
    safety: pd.DataFrame,
    studies: Sequence[str],
    event: str = "serious_related",
    level: float = 0.95,
) -> OutcomeEvidence | None:
    """Gather patients with an adverse event over the studies that count them, as one rate with its exact interval.

    Parameters
    ----------
    evidence : Evidence
    safety : DataFrame
        Table ``safety``.
    studies : sequence of str
        Ids of the studies to add up.
    event : str
        Kind of event.
    level : float
        Of the interval.

    Returns
    -------
    OutcomeEvidence or None
        None if no study counts patients with the event.
    """
    rows = safety[
        safety["study"].isin(studies)
        & (safety["event"] == event)
        & (safety["unit"] == "patients")
        & safety["term"].isna()
    ].drop_duplicates("study")
    if rows.empty:
        return None
    ids = tuple(str(name) for name in rows["study"])
    n, lower, upper = (int(rows[name].sum()) for name in ("n", "count_lower", "count_upper"))
    return OutcomeEvidence(
        outcome=HARMS.get(event, f"Adverse event: {event}"),
        studies=ids,
        patients=tuple(int(value) for value in rows["n"]),
        events_lower=lower,
        events_upper=upper,
        rate_lower=lower / n,
        rate_upper=upper / n,
        ci_lower=float(proportion_ci([lower], [n], level=level).lower[0]),
        ci_upper=float(proportion_ci([upper], [n], level=level).upper[0]),
        randomized=_controlled(evidence, ids),
        domain_risks=_risks(evidence, ids),
        undated_patients=int(rows.loc[rows["week"].isna(), "n"].sum()),
        unreported_patients=unreported_patients(evidence),
    )


def unreported_patients(evidence: Evidence, product_classes: Sequence[str] = ("expanded_msc",)) -> int:
    """Most patients that trials known to have ended may have treated without reporting: treated, or else enrolled."""
    total = 0
    for study in evidence.studies.values():
        if study.status != "unreported" or study.product.product_class not in product_classes or not study.registration:
            continue
        treated = study.registration.treated.value if study.registration.treated else None
        total += treated if treated is not None else study.registration.enrollment.value or 0
    return total


def eligible(evidence: Evidence, decisions: Sequence[Decision]) -> list[str]:
    """Ids of the analysed studies and of those left out only because they count no PASI response: harm counts there."""
    return [d.study for d in decisions if d.included or d.stage == "pasi_response"]


def decisions_of(characteristics: pd.DataFrame) -> list[Decision]:
    """Read back the decisions of the evidence notebook from its table ``characteristics``; none on invented trials."""
    real = characteristics[characteristics["status"] != CONFIDENCE]
    return [
        Decision(str(row.study), bool(row.included), None if row.included else str(row.stage), str(row.reason))
        for row in real.itertuples()
    ]


def benchmark_rates(benchmarks: pd.DataFrame, treatment: str) -> dict[str, tuple[float, float, float]]:
    """Rates of a treatment pooled by others, by quantity: of several works, the one with most patients.

    Parameters
    ----------
    benchmarks : DataFrame
        Table ``benchmarks``.
    treatment : str
        Such as ``placebo``.

    Returns
    -------
    dict
        ``PASI75`` and the like to (rate, lower, upper), proportions; only figures in percent that have an interval.
    """
    rows = benchmarks[(benchmarks["treatment"] == treatment) & (benchmarks["unit"] == "percent")]
    rows = rows.dropna(subset=["lower", "upper"]).sort_values("n", ascending=False, kind="stable")
    rows = rows.drop_duplicates("quantity")
    return {str(row.quantity): (row.value / 100, row.lower / 100, row.upper / 100) for row in rows.itertuples()}


def _pooled_outcome(
    evidence: Evidence, row: Mapping[Any, Any], ids: tuple[str, ...], counts: pd.DataFrame, silent: int
) -> OutcomeEvidence:
    return OutcomeEvidence(
        outcome=f"PASI{int(row['threshold'])}",
        studies=ids,
        patients=tuple(int(n) for n in counts["n"]),
        events_lower=int(row["events_lower"]),
        events_upper=int(row["events_upper"]),
        rate_lower=float(row["estimate_lower"]),
        rate_upper=float(row["estimate_upper"]),
        ci_lower=float(row["ci_lower"]),
        ci_upper=float(row["ci_upper"]),
        randomized=_controlled(evidence, ids),
        domain_risks=_risks(evidence, ids),
        undated_patients=int(counts.loc[counts["week"].isna(), "n"].sum()),
        pi_lower=_known(row.get("pi_lower")),
        pi_upper=_known(row.get("pi_upper")),
        unreported_patients=silent,
    )


def _controlled(evidence: Evidence, ids: Sequence[str]) -> bool:
    return all(evidence.studies[name].design == "randomized" for name in ids)


def _risks(evidence: Evidence, ids: Sequence[str]) -> tuple[dict[str, str], ...]:
    judged = evidence.risk_of_bias
    return tuple(
        {}
        if name not in judged
        else {
            domain: getattr(judged[name].robins_i, domain).risk for domain in type(judged[name].robins_i).model_fields
        }
        for name in ids
    )


def _known(value: object) -> float | None:
    return None if value is None or value != value else float(value)  # type: ignore[arg-type]
