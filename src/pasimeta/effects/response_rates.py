"""Response rates study by study, with the interval widened by what isn't known of the count."""

from __future__ import annotations

import pandas as pd

from pasimeta.effects.counts import escalc
from pasimeta.effects.intervals import proportion_ci


def response_rates(counts: pd.DataFrame, interval: str = "clopper_pearson", level: float = 0.95) -> pd.DataFrame:
    """Add response rates and their intervals to a table of counts.

    Parameters
    ----------
    counts : DataFrame
        Columns ``events_lower``, ``events_upper``, ``n``; one row a study or group.
    interval : str
        A method of :func:`pasimeta.effects.proportion_ci`.
    level : float
        Level of the intervals.

    Returns
    -------
    DataFrame
        ``counts`` with ``rate_lower``, ``rate_upper`` (proportions at the fewest and most events) and ``ci_lower``,
        ``ci_upper``: the lower limit at the fewest, the upper limit at the most events.

    Raises
    ------
    PasimetaError
        For impossible counts.
    """
    if counts.empty:
        return counts.assign(rate_lower=[], rate_upper=[], ci_lower=[], ci_upper=[])
    fewest, most, n = (counts[column].to_numpy(float) for column in ("events_lower", "events_upper", "n"))
    lower, _ = proportion_ci(fewest, n, interval, level)
    _, upper = proportion_ci(most, n, interval, level)
    return counts.assign(rate_lower=fewest / n, rate_upper=most / n, ci_lower=lower, ci_upper=upper)


def effect_scales(counts: pd.DataFrame, measures: list[str]) -> pd.DataFrame:
    """Transform each count to the scales that inverse-variance methods pool on.

    Returns
    -------
    DataFrame
        One row a count, measure and end of its interval: ``study``, ``label``, ``threshold``, ``events``, ``n``,
        ``measure``, ``yi``, ``vi``, ``entry``.
    """
    ends = pd.concat([counts.assign(events=counts["events_lower"]), counts.assign(events=counts["events_upper"])])
    ends = ends.drop_duplicates(["study", "threshold", "events"]).sort_values(
        ["threshold", "study", "events"], kind="stable"
    )
    tables = []
    for measure in measures if len(ends) else []:
        yi, vi = escalc(measure, events=ends["events"].to_numpy(float), n=ends["n"].to_numpy(float))
        kept = ends.reindex(columns=["study", "label", "threshold", "events", "n", "entry"])
        tables.append(kept.assign(measure=measure, yi=yi, vi=vi))
    columns = ["study", "label", "threshold", "events", "n", "measure", "yi", "vi", "entry"]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)
