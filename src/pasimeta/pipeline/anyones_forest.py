"""The forest plot of anyone's table of studies."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import ndtri

from pasimeta.effects import escalc, proportion_ci
from pasimeta.errors import PasimetaError
from pasimeta.figures.estimates import Estimate, Rate
from pasimeta.figures.forest import NoteRow, PooledRow, PredictionRow, Row, StudyRow, forest
from pasimeta.figures.formats import Scale
from pasimeta.figures.output import Plot
from pasimeta.pipeline.anyones_table import StudyTable
from pasimeta.synthesis.results import PooledResult

_MEASURES = {"OR": "Odds ratio", "RR": "Risk ratio", "RD": "Risk difference"}
_UNITS = {"RD": ", percentage points"}


def study_forest(table: StudyTable, result: PooledResult, preset: str, width_mm: float, name: str) -> Plot:
    """Draw the studies of a table and what they pool to.

    Parameters
    ----------
    table : StudyTable
    result : PooledResult
        Of that table.
    preset : str
        A journal's look: see :mod:`pasimeta.figures.presets`.
    width_mm : float
    name : str
        File stem and prefix of SVG ids.

    Raises
    ------
    PasimetaError
        If a study or the pool has no finite estimate to draw.
    """
    scale = _scale(table, result)
    weights = result.weights or (None,) * len(table.studies)
    rows: list[Row] = [
        StudyRow(study, estimate, weight=weight)
        for study, estimate, weight in zip(table.studies, _estimates(table, result, scale), weights, strict=True)
    ]
    rows.append(PooledRow("Pooled", _pooled(table, result, scale)))
    if result.pi_lower is not None:
        named = result.response_pi_lower is not None
        lower = result.response_pi_lower if named else result.pi_lower
        upper = result.response_pi_upper if named else result.pi_upper
        rows.append(PredictionRow("Prediction interval", float(lower), float(upper)))
    if result.tau2 is not None:
        rows.append(NoteRow(f"Heterogeneity: τ² = {result.tau2:.3g}{_tau2_interval(result)}"))
    measure = _MEASURES.get(result.measure or "")
    label = measure or ("Patients with the event" if scale == "percent" else "Effect")
    foot = f"Model: {result.method.replace('_', '-')}. Intervals: {100 * result.level:g} %."
    return forest(
        rows,
        name=name,
        axis_label=f"{label}{_UNITS.get(result.measure or '', '')}",
        preset=preset,
        measure=measure,
        width_mm=width_mm,
        scale=scale,
        level=result.level,
        footnote=foot,
    )


def _scale(table: StudyTable, result: PooledResult) -> Scale:
    if table.shape == "rates":
        return "percent"
    if table.shape == "effects":
        return "plain"
    return "difference" if result.measure == "RD" else "ratio"


def _estimates(table: StudyTable, result: PooledResult, scale: Scale) -> list[Estimate | Rate]:
    if table.shape == "rates":
        events, n = table.columns["events"], table.columns["n"]
        lower, upper = proportion_ci(events, n, "clopper_pearson", result.level)
        return [
            Rate(events_lower=int(x), events_upper=int(x), n=int(size), ci_lower=float(low), ci_upper=float(high))
            for x, size, low, high in zip(events, n, lower, upper, strict=True)
        ]
    if table.shape == "effects":
        yi, vi = table.columns["yi"], table.columns["vi"]
        counts = [""] * len(yi)
    else:
        yi, vi = escalc(result.measure or "OR", **table.columns)
        counts = [
            f"{int(a)}/{int(b)} vs {int(c)}/{int(d)}"
            for a, b, c, d in zip(*(table.columns[key] for key in ("events1", "n1", "events2", "n2")), strict=True)
        ]
    reach = float(ndtri(0.5 + result.level / 2)) * np.sqrt(vi)
    return [
        _estimate(study, value, value - half, value + half, scale, count)
        for study, value, half, count in zip(table.studies, yi, reach, counts, strict=True)
    ]


def _pooled(table: StudyTable, result: PooledResult, scale: Scale) -> Estimate:
    count = ""
    if table.shape == "rates":
        count = f"{int(table.columns['events'].sum())}/{int(table.columns['n'].sum())}"
        value, lower, upper = result.response_estimate, result.response_ci_lower, result.response_ci_upper
    else:
        value, lower, upper = result.estimate, result.ci_lower, result.ci_upper
    return _estimate("the pool", float(value), float(lower), float(upper), scale, count)


def _estimate(who: str, value: float, lower: float, upper: float, scale: Scale, count: str) -> Estimate:
    ends: list[Any] = [math.exp(v) if scale == "ratio" else v for v in (value, lower, upper)]
    if not np.isfinite(ends).all():
        raise PasimetaError(f"{who} has no finite estimate to draw: {ends[0]:g} ({ends[1]:g} to {ends[2]:g})")
    return Estimate(value=ends[0], ci_lower=ends[1], ci_upper=ends[2], count=count)


def _tau2_interval(result: PooledResult) -> str:
    if result.tau2_ci_lower is None or result.tau2_ci_upper is None:
        return ""
    upper = "∞" if np.isinf(result.tau2_ci_upper) else f"{result.tau2_ci_upper:.3g}"
    return f" ({result.tau2_ci_lower:.3g}–{upper})"
