"""Figures of response rates: each study, the pool, and the course over the thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from pasimeta.evidence.entries import entry_href
from pasimeta.report.plots.widths import drawn_wide_or_narrow
from pasimeta.report.rests_on import BELOW
from pasimeta.report.words import percent
from pasimeta.synthesis.response import ThresholdPool

if TYPE_CHECKING:
    from pasimeta.figures.estimates import Estimate, Rate
    from pasimeta.figures.forest import Row
    from pasimeta.figures.output import Plot


AXIS = "Patients who reached the threshold"


def response_forest(
    pools: Sequence[ThresholdPool],
    rates: pd.DataFrame,
    *,
    level: float,
    model: str,
    name: str,
    title: str,
    benchmarks: pd.DataFrame | None = None,
    risks: pd.DataFrame | None = None,
    preset: str = "house",
    narrow: bool = False,
) -> Plot:
    """Draw study rows and pooled estimates, one block a threshold.

    Parameters
    ----------
    pools : sequence of ThresholdPool
    rates : DataFrame
        Response rates of every study and threshold, from :func:`pasimeta.effects.response_rates.response_rates`.
    level : float
        Level of the intervals.
    model : str
        Name of the pooling model, for the footnote.
    name, title : str
        File stem and heading of the figure.
    benchmarks : DataFrame, optional
        Figures of other treatments at the same threshold; the :func:`largest_pools` are drawn as reference lines.
    risks : DataFrame, optional
        Risk of bias by domain, from :func:`pasimeta.certainty.domain_risks`.
    preset : str
        Whose look: see :mod:`pasimeta.figures.presets`.
    narrow : bool
        One column of a journal wide instead of a page.
    """
    from pasimeta.figures.forest import HeadingRow, NoteRow, forest

    rows: list[Row] = []
    for pool in pools:
        rows.append(HeadingRow(f"PASI{pool.threshold}"))
        rows += _block(pool, rates[rates["threshold"] == pool.threshold], _judgements(risks))
    if not rows:
        rows = [NoteRow("No threshold was asked for.")]
    drawn = partial(
        forest,
        rows,
        axis_label=AXIS,
        title=title,
        preset=preset,
        risk_domains=[] if risks is None else list(dict.fromkeys(risks["question"])),
        level=level,
        reference_lines=_reference_lines(benchmarks),
        footnote=(
            f"Studies: exact (Clopper-Pearson) {percent(level)} intervals. Diamonds: {model.replace('_', '-')} model. "
            "Nothing here had a control group."
        ),
    )
    return drawn_wide_or_narrow(drawn, name, narrow=narrow)


def threshold_curve(rates: pd.DataFrame, benchmarks: pd.DataFrame) -> Plot:
    """Draw each study's response against the threshold, beside the largest pooled figure of other treatments."""
    from pasimeta.figures.threshold import ContextSeries, ThresholdSeries, response_by_threshold

    series = [
        ThresholdSeries(str(label), {int(row.threshold): rate_of_row(row) for row in rows.itertuples()})
        for label, rows in rates.groupby("label", sort=False)
    ]
    context = tuple(
        ContextSeries(
            f"{str(treatment).capitalize()} ({label})",
            {int(quantity.removeprefix("PASI")): value / 100 for quantity, value in rows[["quantity", "value"]].values},
        )
        for (treatment, label), rows in largest_pools(benchmarks).groupby(["treatment", "label"])
    )
    return response_by_threshold(
        series,
        context=context,
        name="response_by_threshold",
        title="Response by PASI threshold",
        footnote="Other treatments: figures pooled by others from other trials, not adjusted for anything.",
    )


def largest_pools(benchmarks: pd.DataFrame) -> pd.DataFrame:
    """Return the figures of other treatments to draw: of each, whoever's of the most patients; more crowd a figure."""
    largest = benchmarks.sort_values("n", ascending=False, kind="stable")
    return largest.drop_duplicates(["treatment", "quantity"])


def rate_of_row(row: Any) -> Rate:
    from pasimeta.figures.estimates import Rate

    return Rate(
        events_lower=int(row.events_lower),
        events_upper=int(row.events_upper),
        n=int(row.n),
        ci_lower=float(row.ci_lower),
        ci_upper=float(row.ci_upper),
    )


def link_of_row(row: Any) -> str:
    """Return where on the site the count of a row stands; empty if it isn't in a data file."""
    entry = getattr(row, "entry", None)
    return entry_href(entry) if isinstance(entry, str) else ""


def _judgements(risks: pd.DataFrame | None) -> dict[str, tuple[str, ...]]:
    """Each judged study's risk of bias, domain by domain, by its label."""
    if risks is None:
        return {}
    return {str(label): tuple(table["judgement"]) for label, table in risks.groupby("label", sort=False)}


def _block(pool: ThresholdPool, rates: pd.DataFrame, risks: dict[str, tuple[str, ...]]) -> list[Row]:
    from pasimeta.figures.forest import NoteRow, PooledRow, PredictionRow, StudyRow

    result = pool.result
    if result is None:
        return [NoteRow("No included study reports it.")]
    weights: Sequence[float | None] = result.lowest.weights or [None] * pool.k
    rows: list[Row] = [
        StudyRow(
            str(row.label),
            rate_of_row(row),
            weight=weight if pool.k > 1 else None,
            link=link_of_row(row),
            risk=risks.get(str(row.label), ()),
        )
        for row, weight in zip(rates.itertuples(), weights, strict=True)
    ]
    if pool.k == 1:
        return [*rows, NoteRow("One study, not pooled.")]
    if result.is_exact:
        ends = [("Pooled", result.lowest, result.events_lower)]
    else:
        ends = [
            ("Pooled, fewest responders", result.lowest, result.events_lower),
            ("Pooled, most responders", result.highest, result.events_upper),
        ]
    rows += [PooledRow(label, _pooled(fit, f"{events}/{result.n}"), link=BELOW) for label, fit, events in ends]
    if result.pi_lower is not None and result.pi_upper is not None:
        rows.append(PredictionRow("Prediction interval", result.pi_lower, result.pi_upper, link=BELOW))
    return [*rows, NoteRow(_heterogeneity(pool), link=BELOW)]


def _heterogeneity(pool: ThresholdPool) -> str:
    result = pool.result
    assert result is not None
    ends = (result.lowest, result.highest)
    values = [fit.tau2 for fit in ends if fit.tau2 is not None]
    limits = [fit.tau2_ci_upper for fit in ends if fit.tau2_ci_upper is not None]
    if not limits:
        return f"{pool.k} studies; no heterogeneity in this model"
    lower = min(fit.tau2_ci_lower for fit in ends)
    tau2 = f"{min(values):.2f}" if max(values) - min(values) < 0.005 else f"{min(values):.2f}–{max(values):.2f}"
    interval = f"{100 * result.lowest.level:g} % CI {lower:.2f}–{max(limits):.2f}"
    return f"Heterogeneity: τ² = {tau2} ({interval}), hardly estimable from {pool.k} studies"


def _reference_lines(benchmarks: pd.DataFrame | None) -> tuple[Any, ...]:
    from pasimeta.figures.forest import ReferenceLine

    if benchmarks is None:
        return ()
    return tuple(
        ReferenceLine(row.value / 100, f"{str(row.treatment).replace('_', ' ')} {row.value:g} %")
        for row in largest_pools(benchmarks).itertuples()
    )


def _pooled(result: Any, count: str) -> Estimate:
    from pasimeta.figures.estimates import Estimate

    return Estimate(
        value=float(result.response_estimate),
        ci_lower=float(result.response_ci_lower),
        ci_upper=float(result.response_ci_upper),
        count=count,
    )
