"""What a multiverse says: how many specifications clear a limit, and which choice moves the result most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pasimeta.errors import PasimetaError
from pasimeta.robustness.multiverse_analyses import NOT_APPLICABLE

_NESTED = ("measure", "method", "test", "prediction", "tau_prior", "mu_prior")


@dataclass(frozen=True, slots=True)
class Limit:
    """A rate to hold the specifications against, at one PASI threshold or (None) at all of them."""

    name: str
    rate: float
    threshold: int | None = None


#: PASI75 of other treatments, rounded: placebo 5.2 % (Ambikaibalan 2021), methotrexate about 40 % (METOP, RESTORE1).
LIMITS = (Limit("placebo", 0.05, 75), Limit("methotrexate", 0.40, 75))


def shares(frame: pd.DataFrame, limits: Sequence[Limit]) -> pd.DataFrame:
    """Count the specifications on either side of each limit.

    Parameters
    ----------
    frame : DataFrame
        One row a specification.
    limits : sequence of Limit

    Returns
    -------
    DataFrame
        One row a limit: ``limit``, ``rate``, ``threshold`` (missing for all), ``specifications``, and shares of them in
        [0, 1] (missing where there is none): ``estimate_above``, ``interval_above`` (its lower end above the limit),
        ``interval_below``, ``interval_contains``. The last three add up to one.
    """
    rows = []
    for limit in limits:
        if not 0 <= limit.rate <= 1:
            raise PasimetaError(f"limit {limit.name}: {limit.rate!r} is not a rate in [0, 1]; 40 % is 0.4")
        held = frame if limit.threshold is None else frame[frame["threshold"].astype(int) == limit.threshold]
        above, below = held["ci_lower"] > limit.rate, held["ci_upper"] < limit.rate
        some = len(held) > 0
        rows.append(
            {
                "limit": limit.name,
                "rate": limit.rate,
                "threshold": np.nan if limit.threshold is None else limit.threshold,
                "specifications": len(held),
                "estimate_above": float((held["estimate"] > limit.rate).mean()) if some else np.nan,
                "interval_above": float(above.mean()) if some else np.nan,
                "interval_below": float(below.mean()) if some else np.nan,
                "interval_contains": float((~above & ~below).mean()) if some else np.nan,
            }
        )
    return pd.DataFrame(rows)


def moves(frame: pd.DataFrame, choices: Sequence[str]) -> pd.DataFrame:
    """Say how far each choice moves the estimate.

    Parameters
    ----------
    frame : DataFrame
        One row a specification, its choices as categorical columns.
    choices : sequence of str
        Columns to judge.

    Returns
    -------
    DataFrame
        One row a choice that was made in more than one way, the one that moves most first. ``share_of_variance``: of
        the estimates' variance over all specifications, what differences between the means of the choice's options
        account for (the correlation ratio; interactions count for neither, so the shares needn't add up to one).
        ``median_range``, ``largest_range``: how far the estimate moves, in points of rate, when this choice alone is
        changed and every other is held; ``sets`` of specifications that could be compared so.

    Notes
    -----
    Options that only one model has (scale, estimator, interval, prior) are judged among its specifications; models are
    compared by their mean over such options, for no other comparison holds everything else the same.
    """
    arising = {choice: frame[frame[choice] != NOT_APPLICABLE] for choice in choices}
    used = [choice for choice in choices if arising[choice][choice].nunique() > 1]
    rows = []
    for choice in used:
        held = arising[choice]
        ranges = _ranges(_over_nested(held, used) if choice == "model" else held, choice, used)
        rows.append(
            {
                "choice": choice,
                "options": int(held[choice].nunique()),
                "share_of_variance": _share_of_variance(held, choice),
                "median_range": float(np.median(ranges)) if ranges.size else np.nan,
                "largest_range": float(ranges.max()) if ranges.size else np.nan,
                "sets": int(ranges.size),
            }
        )
    columns = ["choice", "options", "share_of_variance", "median_range", "largest_range", "sets"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values(["median_range", "share_of_variance"], ascending=False, kind="stable", ignore_index=True)


def _share_of_variance(frame: pd.DataFrame, choice: str) -> float:
    estimate = frame["estimate"].to_numpy()
    total = estimate.var()
    means = frame.groupby(choice, observed=True)["estimate"].transform("mean").to_numpy()
    return float(means.var() / total) if total > 1e-24 else 0.0


def _ranges(frame: pd.DataFrame, choice: str, used: Sequence[str]) -> np.ndarray:
    """Range of the estimate over the options of one choice, within each set of rows that share all others."""
    held = [other for other in used if other != choice and not (choice == "model" and other in _NESTED)]
    code = np.zeros(len(frame), dtype=np.int64)
    for other in held:
        code = code * len(frame[other].cat.categories) + frame[other].cat.codes.to_numpy()
    group, _ = pd.factorize(code)
    low, high = np.full(group.max() + 1, np.inf), np.full(group.max() + 1, -np.inf)
    estimate = frame["estimate"].to_numpy()
    np.minimum.at(low, group, estimate)
    np.maximum.at(high, group, estimate)
    return (high - low)[np.bincount(group) > 1]


def _over_nested(frame: pd.DataFrame, used: Sequence[str]) -> pd.DataFrame:
    kept = [choice for choice in used if choice not in _NESTED]
    return frame.groupby(kept, observed=True, as_index=False)["estimate"].mean()
