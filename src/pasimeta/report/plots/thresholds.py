"""From the threshold model to its figure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from pasimeta.report.plots.widths import drawn_wide_or_narrow
from pasimeta.report.words import percent
from pasimeta.synthesis.thresholds.result import ThresholdCurve, ThresholdResult

if TYPE_CHECKING:
    from pasimeta.figures.output import Plot


def curve_plot(
    fit: ThresholdResult | ThresholdCurve,
    rates: pd.DataFrame,
    context: Mapping[str, ThresholdResult | ThresholdCurve],
    *,
    name: str = "response_curve",
    narrow: bool = False,
) -> Plot:
    """Draw the pooled curve over the curves of other treatments, with what the studies report.

    Parameters
    ----------
    fit : ThresholdResult or ThresholdCurve
        With a curve of two thresholds or more.
    rates : DataFrame
        Reported rates of the pooled studies, from :func:`pasimeta.effects.response_rates.response_rates`.
    context : mapping
        Fits of other treatments by the name they are drawn under.
    name : str
        File stem.
    narrow : bool
        One column of a journal wide instead of a page.
    """
    from pasimeta.figures.estimates import Rate
    from pasimeta.figures.response_curve import Curve, CurvePoint, response_curve

    points = [
        CurvePoint(
            str(row.label),
            float(row.threshold),
            Rate(
                events_lower=int(row.events_lower),
                events_upper=int(row.events_upper),
                n=int(row.n),
                ci_lower=float(row.ci_lower),
                ci_upper=float(row.ci_upper),
            ),
        )
        for row in rates.itertuples()
    ]
    others = [Curve(f"{label} ({other.k} arms)", other.curve) for label, other in context.items()]
    drawn = partial(
        response_curve,
        Curve(f"Cell therapy, median of {fit.k} studies", fit.curve),
        points,
        context=others,
        title="How many improve, and by how much",
        level=fit.level,
        footnote=(
            f"Points: exact (Clopper-Pearson) {percent(fit.level)} intervals of each study. No study pooled here had a "
            "control group; weeks and patients differ between the trials compared."
        ),
    )
    return drawn_wide_or_narrow(drawn, name, narrow=narrow)
