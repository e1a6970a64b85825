"""Rates of other treatments, to hold imagined results against: pooled from the arms of comparator trials."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from pasimeta.errors import PasimetaError, PasimetaWarning
from pasimeta.synthesis.exact_binomial import pool_binomial
from pasimeta.synthesis.results import PooledResult


def comparator_rate(
    comparators: pd.DataFrame, treatment: str, threshold: int, model: str = "binomial_normal", level: float = 0.95
) -> PooledResult:
    """Pool the response of one treatment at one threshold over the arms of other trials.

    Parameters
    ----------
    comparators : DataFrame
        The ``comparators`` table: ``trial``, ``arm``, ``treatment``, ``threshold``, ``week``, ``events_lower``,
        ``events_upper``, ``n``. Of an arm counted at several weeks the earliest is taken; inexact counts are left out.
    treatment : str
        As in the table, such as ``placebo``.
    threshold : int
        Percent improvement of PASI.
    model, level
        As in :func:`pasimeta.synthesis.pool_binomial`.

    Returns
    -------
    PooledResult
        ``response_population`` is the average rate.

    Raises
    ------
    PasimetaError
        If no arm counts it.
    """
    rows = comparators[
        (comparators["treatment"] == treatment)
        & (comparators["threshold"] == threshold)
        & (comparators["events_lower"] == comparators["events_upper"])
    ]
    if rows.empty:
        raise PasimetaError(f"comparators: no arm on {treatment!r} counts PASI{threshold}; give the limit as a number")
    first = rows.sort_values("week", kind="stable").drop_duplicates(["trial", "arm"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PasimetaWarning)
        return pool_binomial(first["events_lower"].to_numpy(np.float64), first["n"].to_numpy(np.float64), model, level)
