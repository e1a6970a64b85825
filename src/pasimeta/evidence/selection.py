"""One response count a study at a threshold: which denominator, which week, and what follows from other thresholds."""

from __future__ import annotations

from typing import Literal

import pandas as pd

Timepoint = Literal["latest", "earliest"]
Unreported = Literal["omit", "bound"]

SELECTED = [
    "study",
    "label",
    "threshold",
    "events_lower",
    "events_upper",
    "n",
    "week",
    "imputation",
    "basis",
    "source",
    "locator",
    "confidence",
    "entry",
]


def response_counts(
    responses: pd.DataFrame,
    threshold: int,
    *,
    imputation: str = "nonresponder",
    timepoint: Timepoint = "latest",
    unreported: Unreported = "omit",
) -> pd.DataFrame:
    """Select each included study's count of patients who improved by at least ``threshold`` percent.

    Parameters
    ----------
    responses : DataFrame
        The ``RESPONSES`` table.
    threshold : int
        Percent improvement of PASI.
    imputation : str
        Which denominator to take where a study offers several; a study that offers one is taken as it is.
    timepoint : {"latest", "earliest"}
        Which week, where a study gives several. A count whose week isn't reported comes last.
    unreported : {"omit", "bound"}
        Leave out a study that doesn't report the threshold, or bound its count by those it does report: whoever
        improved by 75 % also improved by 50 %, so counts can't rise with the threshold.

    Returns
    -------
    DataFrame
        One row a study in order of id: the columns of ``SELECTED``; ``basis`` is ``reported`` for an exact count,
        ``bounded`` for an interval.
    """
    told = _by_preference(responses, imputation, timepoint)
    reported = _selected(told[told["threshold"] == threshold].drop_duplicates("study"))
    if unreported == "bound":
        silent = told[~told["study"].isin(reported["study"])]
        bounds = [_bounded(rows, threshold) for _, rows in silent.groupby("study", sort=True)]
        found = [bound for bound in bounds if bound is not None]
        reported = pd.concat([reported, _selected(pd.DataFrame(found))]) if found else reported
    return reported.sort_values("study", kind="stable", ignore_index=True)


def every_threshold(
    responses: pd.DataFrame, *, imputation: str = "nonresponder", timepoint: Timepoint = "latest"
) -> pd.DataFrame:
    """Select each included study's count at every threshold it reports.

    Returns
    -------
    DataFrame
        One row a study and threshold, by study and ascending threshold: the columns of ``SELECTED``.
    """
    told = _by_preference(responses, imputation, timepoint)
    reported = _selected(told[told["threshold"].notna()].drop_duplicates(["study", "threshold"]))
    return reported.sort_values(["study", "threshold"], kind="stable", ignore_index=True)


def subgroup_counts(responses: pd.DataFrame, by: str, threshold: int) -> pd.DataFrame:
    """Select the included studies' counts by subgroup at a threshold.

    Returns
    -------
    DataFrame
        One row a study and level: the columns of ``SELECTED`` and ``level``.
    """
    rows = responses[
        responses["included"]
        & (responses["endpoint"] == "pasi_response")
        & (responses["subgroup_by"] == by)
        & (responses["threshold"] == threshold)
    ]
    table = rows.assign(n=rows["n_analysed"], basis="reported", level=rows["subgroup_level"])
    return table.reindex(columns=[*SELECTED, "level"]).reset_index(drop=True)


def _by_preference(responses: pd.DataFrame, imputation: str, timepoint: Timepoint) -> pd.DataFrame:
    """Counts of whole included studies with that denominator, the week to take first."""
    eligible = responses[
        responses["included"]
        & (responses["endpoint"] == "pasi_response")
        & responses["subgroup_by"].isna()
        & responses["imputation"].isin(["none", imputation])
    ]
    exact = eligible["events_lower"] == eligible["events_upper"]
    counted = eligible.assign(n=eligible["n_analysed"], basis=exact.map({True: "reported", False: "bounded"}))
    return counted.sort_values("week", ascending=timepoint == "earliest", na_position="last", kind="stable")


def _bounded(told: pd.DataFrame, threshold: int) -> pd.Series | None:
    """What a study's other thresholds say of this one."""
    easier = told[told["threshold"] < threshold].nlargest(1, "threshold")
    harder = told[told["threshold"] > threshold].nsmallest(1, "threshold")
    if easier.empty and harder.empty:
        return None
    nearest = (harder if easier.empty else easier).iloc[0].copy()
    upper = nearest["n_analysed"] if easier.empty else nearest["events_upper"]
    lower = 0 if harder.empty else harder["events_lower"].iloc[0]
    nearest["threshold"], nearest["events_lower"], nearest["events_upper"] = threshold, lower, upper
    nearest["basis"] = "bounded"
    return nearest


def _selected(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.reindex(columns=SELECTED).astype({"threshold": int})
