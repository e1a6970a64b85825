"""Every moderator question of the analysis, answered row by row into one table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pasimeta.moderators.dose_analysis import DoseAnalysis
from pasimeta.moderators.evidence_table import ModeratorRow, study_moderator
from pasimeta.moderators.one_stage import OneStageResult
from pasimeta.moderators.power import detectable
from pasimeta.moderators.strata import Stratum
from pasimeta.moderators.verdicts import NOT_IDENTIFIED, verdict

STUDY_MODERATORS = ("tissue", "donor", "route", "co_treatment", "design")


def study_levels(characteristics: pd.DataFrame) -> dict[str, dict[str, str | None]]:
    """Return each study's tissue, donor, route, co-treatment and design by moderator and study id; None if unreported.

    Parameters
    ----------
    characteristics : DataFrame
        The table of the evidence notebook; a moderator without a column of its name is taken as unreported.
    """
    studies = characteristics["study"]
    return {
        name: dict(zip(studies, map(_words, characteristics[name]), strict=True))
        if name in characteristics
        else dict.fromkeys(studies)
        for name in STUDY_MODERATORS
    }


def study_rows(
    counts: pd.DataFrame, levels: Mapping[str, Mapping[str, str | None]], level: float, power: float
) -> list[ModeratorRow]:
    """Return a row for each characteristic that a whole study has."""
    return [
        study_moderator(name.replace("_", "-"), counts, by_study, level=level, power=power)
        for name, by_study in levels.items()
    ]


def sex_rows(
    within: OneStageResult, across: pd.DataFrame | None, power: float, men_rate: float | None = None
) -> list[ModeratorRow]:
    """Return the rows of sex: within studies, and across them (ecological).

    Parameters
    ----------
    within, across
        From :mod:`pasimeta.moderators.one_stage`.
    power : float
        Of the detectable odds ratio.
    men_rate : float, optional
        The second group's rate in the one study that counts by sex; without it nothing detectable is stated.
    """
    support = within.support
    speaking = support[support["knowledge"] == "by group"]
    odds = within.to_frame().iloc[0]
    rows = [
        ModeratorRow(
            moderator="sex",
            levels=f"women ({int(speaking['n1'].sum())}), men ({int(speaking['n2'].sum())})",
            k=len(speaking),
            n=int(speaking["n1"].sum() + speaking["n2"].sum()),
            information="within studies",
            scale="odds ratio, women against men",
            estimate=_finite(odds["estimate"]),
            ci_lower=float(odds["ci_lower"]),
            ci_upper=float(odds["ci_upper"]),
            p_value=within.p_value,
            detectable=_detectable_odds_ratio(speaking, men_rate, power),
            verdict=verdict(within.ci_lower, within.ci_upper),
            why="" if len(speaking) > 1 else "one study counts responders by sex",
        )
    ]
    if across is not None:
        rows.append(
            ModeratorRow(
                moderator="share of women",
                levels=f"{len(support)} studies",
                k=len(support),
                n=int(support["n1"].sum() + support["n2"].sum()),
                information="between studies",
                scale="odds ratio, all women against all men",
                estimate=float(np.exp(np.log(across["odds_ratio"]).mean())),
                ci_lower=float(across["ci_lower"].min()),
                ci_upper=float(across["ci_upper"].max()),
                p_value=float(across["p_value"].max()),
                detectable=None,
                verdict=NOT_IDENTIFIED,
                why="ecological: studies are compared, not patients",
            )
        )
    return rows


def dose_rows(analysis: DoseAnalysis, name: str, unit: str) -> list[ModeratorRow]:
    """Return a row for each study with several doses: its trend where counted, the range of slopes left where not."""
    rows = []
    for label, trend in analysis.trends.items():
        limits = (trend.slope, trend.slope_ci_lower, trend.slope_ci_upper)
        estimate, lower, upper = (float(np.exp(value)) for value in limits)
        rows.append(
            ModeratorRow(
                moderator=name,
                levels=label,
                k=1,
                n=analysis.patients[label],
                information="within studies",
                scale=f"odds ratio per {unit}",
                estimate=_finite(estimate),
                ci_lower=lower,
                ci_upper=upper,
                p_value=trend.exact_p_value,
                detectable=_ratio(analysis.detectable.get(label)),
                verdict=verdict(trend.slope_ci_lower, trend.slope_ci_upper),
            )
        )
    for label, bounds in analysis.bounds.items():
        kept = bounds.ranges().set_index("constraint").loc["any"]
        rows.append(
            ModeratorRow(
                moderator=name,
                levels=f"{label}: {len(bounds.margins.doses)} doses",
                k=1,
                n=bounds.margins.n,
                information="within studies",
                scale=f"odds ratio per {unit}",
                estimate=None,
                ci_lower=float(np.exp(kept["slope_lower"])),
                ci_upper=float(np.exp(kept["slope_upper"])),
                p_value=None,
                detectable=_ratio(analysis.detectable.get(label)),
                verdict=verdict(
                    kept["slope_lower"],
                    kept["slope_upper"],
                    identified=not kept["slope_lower"] < 0 < kept["slope_upper"],
                ),
                why="responders by dose aren't printed; the interval is the range over every table that fits",
            )
        )
    return rows


def second_rate(strata: Sequence[Stratum]) -> float | None:
    """Return the second group's rate in the one study that counts both groups; None where none or several do."""
    known = [s for s in strata if s.knowledge == "by group"]
    return known[0].pairs[0][1] / known[0].n2 if len(known) == 1 else None


def multiplicity(table: pd.DataFrame, alpha: float) -> dict[str, float | int]:
    """Return how many questions and p values a table holds, and how often chance alone would put one below alpha.

    Returns
    -------
    dict
        ``questions``, ``tested``, ``chance`` (for independent tests of nothing), ``smallest``, ``smallest_holm`` (NaN
        where nothing was tested).
    """
    tested = table["p_value"].dropna()
    return {
        "questions": len(table),
        "tested": len(tested),
        "chance": float(1 - (1 - alpha) ** len(tested)),
        "smallest": float(tested.min()) if len(tested) else float("nan"),
        "smallest_holm": float(table["p_holm"].min()) if len(tested) else float("nan"),
    }


def _detectable_odds_ratio(speaking: pd.DataFrame, men_rate: float | None, power: float) -> float | None:
    """Odds ratio of the smallest rise that Fisher's exact test finds in the one study that counts by sex."""
    if len(speaking) != 1 or men_rate is None or not 0 < men_rate < 1:
        return None
    row = speaking.iloc[0]
    found = detectable(int(row["n1"]), int(row["n2"]), men_rate, power).higher
    return None if found is None or found >= 1 else found / (1 - found) / (men_rate / (1 - men_rate))


def _ratio(slope: float | None) -> float | None:
    return None if slope is None else float(np.exp(slope))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _words(identifier: Any) -> str | None:
    return None if pd.isna(identifier) else str(identifier).replace("_", " ")
