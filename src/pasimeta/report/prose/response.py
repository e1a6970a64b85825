"""Sentences about pooled response rates."""

from __future__ import annotations

import pandas as pd

from pasimeta.evidence.what_if import hypothetical
from pasimeta.report.words import count_range, listing, markdown_text, number, percent, percent_range
from pasimeta.synthesis.response import ThresholdPool


def pooled_sentence(pool: ThresholdPool, level: float) -> str:
    """State one threshold's response: a pool as a pool, one study as one study, none as none."""
    name = f"**PASI{pool.threshold}**{_supposed(pool)}"
    result = pool.result
    if result is None:
        return f"{name}: no included study reports it."
    responders = f"{count_range(result.events_lower, result.events_upper)} of {result.n} patients"
    rate = percent_range(result.estimate_lower, result.estimate_upper)
    interval = f"{percent(level)} interval {percent_range(result.ci_lower, result.ci_upper)}"
    if pool.k == 1:
        study = markdown_text(pool.counts["label"].iloc[0])
        return f"{name}: {responders} ({rate}; {interval}), in {study} alone. One study is not a pool."
    pooled = f"{name}: {responders} in {number(pool.k, 'study', 'studies')}; pooled {rate}, {interval}"
    if result.pi_lower is None or result.pi_upper is None:
        return f"{pooled}."
    new_study = percent_range(result.pi_lower, result.pi_upper)
    return f"{pooled}. A new study's true rate could lie anywhere from {new_study} (prediction interval)."


def unknown_counts_sentence(pool: ThresholdPool) -> str:
    """Say which counts are intervals, and how many ways of filling them were fitted."""
    if pool.result is None or pool.result.is_exact:
        return ""
    counts = pool.counts
    vague = counts[counts["events_lower"] < counts["events_upper"]]
    named = listing(
        f"{markdown_text(row.label)} ({count_range(row.events_lower, row.events_upper)} of {row.n})"
        for row in vague.itertuples()
    )
    return (
        f"Known only as an interval: {named}. All {pool.result.allocations} possible combinations were fitted; "
        "estimates and intervals are given as the range over them."
    )


def model_sentence(models: pd.DataFrame) -> str:
    """Say how far the pooled estimate moves with the model alone."""
    if models.empty:
        return ""
    lowest, highest = models.loc[models["estimate_lower"].idxmin()], models.loc[models["estimate_upper"].idxmax()]
    narrowest = (models["ci_upper"] - models["ci_lower"]).idxmin()
    widest = (models["ci_upper"] - models["ci_lower"]).idxmax()
    return (
        f"Over these models, and over every way to fill the interval counts, the pooled rate runs from "
        f"{percent(lowest['estimate_lower'])} ({lowest['model']}) to {percent(highest['estimate_upper'])} "
        f"({highest['model']}); the narrowest interval is {percent_range(*_interval(models, narrowest))} "
        f"({models.loc[narrowest, 'model']}), the widest {percent_range(*_interval(models, widest))} "
        f"({models.loc[widest, 'model']})."
    )


def doubts(pool: ThresholdPool) -> str:
    """List what the fits themselves warn of."""
    if pool.result is None or not pool.result.warnings:
        return ""
    return "Doubts raised while fitting:\n\n" + "\n".join(f"- {markdown_text(w)}." for w in pool.result.warnings)


def _supposed(pool: ThresholdPool) -> str:
    invented = hypothetical(pool.counts)
    return f", *what if* ({number(invented, 'result')} supposed, not seen)" if invented else ""


def _interval(models: pd.DataFrame, row: int) -> tuple[float, float]:
    return float(models.loc[row, "ci_lower"]), float(models.loc[row, "ci_upper"])
