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
    eligible = responses[
        responses["included"] & (responses["endpoint"] == "pasi_response") & responses["subgroup_by"].isna()
    ]
    chosen = [
        _count_of_study(rows, threshold, imputation, timepoint, unreported)
        for _, rows in eligible.groupby("study", sort=True)
    ]
    return pd.DataFrame([row for row in chosen if row is not None], columns=SELECTED)


def every_threshold(
    responses: pd.DataFrame, *, imputation: str = "nonresponder", timepoint: Timepoint = "latest"
) -> pd.DataFrame:
    """Select each included study's count at every threshold it reports.

    Returns
    -------
    DataFrame
        One row a study and threshold, by study and ascending threshold: the columns of ``SELECTED``.
    """
    thresholds = sorted(int(t) for t in responses["threshold"].dropna().unique())
    tables = [response_counts(responses, t, imputation=imputation, timepoint=timepoint) for t in thresholds]
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=SELECTED)
    return table.sort_values(["study", "threshold"], kind="stable", ignore_index=True)


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


def _count_of_study(
    rows: pd.DataFrame, threshold: int, imputation: str, timepoint: Timepoint, unreported: Unreported
) -> dict[str, object] | None:
    wanted = rows[rows["imputation"].isin(["none", imputation])]
    best = _at_timepoint(wanted[wanted["threshold"] == threshold], timepoint)
    if best is not None:
        lower, upper = best["events_lower"], best["events_upper"]
        return _selected(best, threshold, lower, upper, "reported" if lower == upper else "bounded")
    if unreported == "omit" or wanted.empty:
        return None
    easier = _at_timepoint(wanted[wanted["threshold"] < threshold].nlargest(1, "threshold"), timepoint)
    harder = _at_timepoint(wanted[wanted["threshold"] > threshold].nsmallest(1, "threshold"), timepoint)
    nearest = easier if easier is not None else harder
    if nearest is None:
        return None
    upper = nearest["n_analysed"] if easier is None else easier["events_upper"]
    lower = 0 if harder is None else harder["events_lower"]
    return _selected(nearest, threshold, lower, upper, "bounded")


def _at_timepoint(rows: pd.DataFrame, timepoint: Timepoint) -> pd.Series | None:
    if rows.empty:
        return None
    order = rows.sort_values("week", ascending=timepoint == "earliest", na_position="last", kind="stable")
    return order.iloc[0]


def _selected(row: pd.Series, threshold: int, lower: object, upper: object, basis: str) -> dict[str, object]:
    kept = {name: row[name] for name in ("study", "label", "week", "imputation", "source", "locator", "confidence")}
    return {
        **kept,
        "entry": row.get("entry"),
        "threshold": threshold,
        "events_lower": lower,
        "events_upper": upper,
        "n": row["n_analysed"],
        "basis": basis,
    }
