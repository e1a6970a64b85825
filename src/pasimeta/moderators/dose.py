"""What is known of response by dose, study by study, and whether a slope can be learned from it at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from pasimeta.effects.response_rates import response_rates
from pasimeta.errors import PasimetaError

Metric = Literal["per_infusion", "cumulative"]

LEAST_DOSES = 3
_COLUMNS: dict[str, tuple[str, str]] = {
    "per_infusion": ("dose_low", "dose_high"),
    "cumulative": ("cumulative_low", "cumulative_high"),
}
_GIVEN = ["study", "label", "doses", "dose_low", "dose_high", "events_lower", "events_upper", "n", "split_known"]


@dataclass(frozen=True, slots=True)
class DoseEvidence:
    """Study-level response by dose, and a verdict on what it can teach.

    Attributes
    ----------
    studies : DataFrame
        One row a study: ``study``, ``label``, ``doses`` (distinct dose levels), ``dose_low``, ``dose_high`` (cells
        per kg), ``events_lower``, ``events_upper``, ``n``, ``rate_lower``, ``rate_upper``, ``ci_lower``,
        ``ci_upper`` (Clopper-Pearson, at the fewest and at the most events), ``split_known`` (whether the responders
        of each dose are counted).
    metric : str
        ``per_infusion`` or ``cumulative``.
    distinct_doses : int
        Dose levels that have a response count of their own.
    reasons : tuple of str
        Why a slope isn't identified; empty if it is.
    """

    studies: pd.DataFrame
    metric: str
    distinct_doses: int
    reasons: tuple[str, ...]

    @property
    def slope_identified(self) -> bool:
        """Whether a dose-response slope can be estimated from these counts."""
        return not self.reasons

    def to_frame(self) -> pd.DataFrame:
        """The study-level table with the verdict beside it."""
        return self.studies.assign(
            metric=self.metric, slope_identified=self.slope_identified, reasons="; ".join(self.reasons)
        )


def dose_evidence(
    counts: pd.DataFrame, doses: pd.DataFrame, metric: Metric = "per_infusion", level: float = 0.95
) -> DoseEvidence:
    """Set each study's response beside the doses its patients got.

    Parameters
    ----------
    counts : DataFrame
        One row a study, from :func:`pasimeta.evidence.selection.response_counts`.
    doses : DataFrame
        One row an arm, the ``DOSES`` table.
    metric : {"per_infusion", "cumulative"}
        Dose in cells per kg, at each infusion or over the course.
    level : float
        Level of the intervals.

    Returns
    -------
    DoseEvidence

    Raises
    ------
    PasimetaError
        For an unknown metric.
    """
    if metric not in _COLUMNS:
        raise PasimetaError(f"metric: {metric!r} is unknown; choose one of {', '.join(_COLUMNS)}")
    studies = _doses_given(counts, doses, *_COLUMNS[metric])
    distinct = int(studies.loc[studies["split_known"], "dose_low"].nunique())
    return DoseEvidence(response_rates(studies, level=level), metric, distinct, _obstacles(studies, distinct))


def _doses_given(counts: pd.DataFrame, doses: pd.DataFrame, low: str, high: str) -> pd.DataFrame:
    """One row a study whose doses are known: its count beside the range of its arms' doses."""
    known = doses.dropna(subset=[low, high])
    rows = []
    for count in counts.itertuples():
        arms = known[known["study"] == count.study]
        if arms.empty:
            continue
        levels = arms[[low, high]].drop_duplicates()
        rows.append(
            {
                "study": count.study,
                "label": count.label,
                "doses": len(levels),
                "dose_low": arms[low].min(),
                "dose_high": arms[high].max(),
                "events_lower": count.events_lower,
                "events_upper": count.events_upper,
                "n": count.n,
                "split_known": len(levels) == 1 and bool((levels[low] == levels[high]).all()),
            }
        )
    types = {"events_lower": int, "events_upper": int, "n": int, "split_known": bool}
    return pd.DataFrame(rows, columns=_GIVEN).astype(types)


def _obstacles(studies: pd.DataFrame, distinct: int) -> tuple[str, ...]:
    if distinct >= LEAST_DOSES:
        return ()
    obstacles = []
    mixed = studies[~studies["split_known"]]
    for row in mixed.itertuples():
        obstacles.append(
            f"{row.label} treated {row.n} patients at {row.doses} doses, but its responders by dose aren't published"
        )
    levels = "one dose level has" if distinct == 1 else f"{distinct or 'no'} dose levels have"
    obstacles.append(f"{levels} a response count of its own; a slope with a test of fit needs {LEAST_DOSES}")
    return tuple(obstacles)
