"""The same model under other choices: whether the answer hangs on one of them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import pandas as pd

from pasimeta.errors import PasimetaWarning
from pasimeta.synthesis.thresholds.pool import pool_thresholds, study_predictions

TOLD = (50.0, 75.0, 90.0)


def compare_choices(choices: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Fit each choice and tell the median study's share at PASI50, 75 and 90.

    Parameters
    ----------
    choices : mapping
        Name of the choice, and the arguments of :func:`pool_thresholds` it stands for; ``counts`` among them.

    Returns
    -------
    DataFrame
        One row a choice and threshold: choice, k, n, threshold, response, ci_lower, ci_upper, pi_lower, pi_upper, tau.
    """
    rows = []
    with warnings.catch_warnings():
        # the main fit has said them already
        warnings.simplefilter("ignore", PasimetaWarning)
        for name, arguments in choices.items():
            fit = pool_thresholds(**{"curve": TOLD, "predict": (), **arguments})
            rows.append(fit.curve.assign(choice=name, k=fit.k, n=fit.n, tau=fit.tau))
    table = pd.concat(rows, ignore_index=True)
    front = ["choice", "k", "n", "threshold"]
    return table[[*front, *[column for column in table.columns if column not in front]]]


def study_checks(counts: pd.DataFrame, **arguments: Any) -> pd.DataFrame:
    """Predict each study's known counts from its other thresholds: whether the studies fit the spacing of the arms.

    Parameters
    ----------
    counts : DataFrame
        As in :func:`pool_thresholds`; studies with two exact thresholds or more are checked.
    **arguments
        Further arguments of :func:`.pool.study_predictions`.

    Returns
    -------
    DataFrame
        study, label, threshold, n, observed, predicted, predicted_lower, predicted_upper, surprising.
    """
    exact = counts[counts["events_lower"] == counts["events_upper"]]
    several = exact.groupby("study")["threshold"].transform("size") >= 2
    rows = []
    for held in exact[several].itertuples():
        hidden = (counts["study"] == held.study) & (
            (counts["threshold"] == held.threshold) | (counts["events_lower"] < counts["events_upper"])
        )
        found = study_predictions(counts[~hidden], [held.threshold], **arguments)
        if found.empty:  # a free cut-point that no one else reports
            continue
        row = found[found["study"] == held.study].iloc[0]
        low, high, seen = int(row["predicted_lower"]), int(row["predicted_upper"]), int(held.events_lower)
        kept = {name: row[name] for name in ("study", "label", "threshold", "n", "predicted")}
        rows.append(
            {
                **kept,
                "observed": seen,
                "predicted_lower": low,
                "predicted_upper": high,
                "surprising": not low <= seen <= high,
            }
        )
    columns = ["study", "label", "threshold", "n", "observed", "predicted", "predicted_lower", "predicted_upper"]
    return pd.DataFrame(rows, columns=[*columns, "surprising"])
