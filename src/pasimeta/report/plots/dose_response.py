"""From the dose notebook's results to its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from pasimeta.moderators.dose import DoseEvidence
from pasimeta.moderators.dose_analysis import DoseAnalysis, slope_band
from pasimeta.moderators.dose_models import akaike_weights, averaged_response
from pasimeta.moderators.partial_identification import TESTS, PartialIdentification
from pasimeta.report.plots.response import rate_of_row
from pasimeta.report.plots.widths import width_mm
from pasimeta.report.prose.dose_response import CONSTRAINTS, UNITS
from pasimeta.report.words import percent

if TYPE_CHECKING:
    from pasimeta.figures.dose import DosePoint
    from pasimeta.figures.dose_curve import CurveBand
    from pasimeta.figures.output import Plot

MILLION = 1e6


def allocation_plot(label: str, bounds: PartialIdentification, metric: str, threshold: int, study: str) -> Plot:
    """Draw every table that fits a study's margins by its slope, and what each reading of the report leaves."""
    from pasimeta.figures.allocation_range import RemainingRange, allocation_range

    ranges = bounds.ranges()
    shown = ranges[ranges["constraint"].isin(["any", "cochran_armitage", "spearman", "chi_square", "all_tests"])]
    quiet = np.all([bounds.tables[f"p_{test}"] > bounds.alpha for test in TESTS], axis=0)
    rows = [
        RemainingRange(
            CONSTRAINTS[row.constraint][:1].upper() + CONSTRAINTS[row.constraint][1:],
            row.rate_slope_lower,
            row.rate_slope_upper,
            row.tables,
        )
        for row in shown.itertuples()
        if row.tables
    ]
    return allocation_range(
        bounds.tables["rate_slope"].to_numpy(),
        np.asarray(quiet),
        rows,
        name=f"dose_allocations_{study}",
        axis_label=f"Change of PASI{threshold} response, percentage points per {UNITS[metric]}",
        title=f"{label}: every allocation of responders to dose groups that fits what was printed",
        footnote=f"Agreeing with the report: none of {len(TESTS)} tests is significant at {bounds.alpha:g}.",
    )


def curve_plot(
    evidence: DoseEvidence,
    analysis: DoseAnalysis,
    metric: str,
    threshold: int,
    allocation_threshold: int,
    level: float,
) -> Plot | None:
    """Draw response over dose with the curves that were fitted, or with what is left of a slope where none could be.

    Studies that count responders by dose are drawn arm by arm, at the threshold of those counts.
    """
    from pasimeta.figures.dose_curve import dose_curves

    if evidence.studies.empty:
        return None
    by_arm = analysis.arms[analysis.arms["label"].isin(list(analysis.trends))]
    whole = evidence.studies[~evidence.studies["label"].isin(list(analysis.trends))]
    shown = f"PASI{threshold}"
    if len(by_arm) and allocation_threshold != threshold:
        shown += f" (PASI{allocation_threshold} where counted by dose)"
    return dose_curves(
        [*_arm_points(by_arm, level), *(_point(row, threshold) for row in whole.itertuples())],
        [*_fitted(analysis, allocation_threshold), *_left(analysis, allocation_threshold)],
        name="dose_curves",
        dose_label=UNITS[metric][:1].upper() + UNITS[metric][1:],
        response_label=f"Patients who reached {shown}",
        title="Response over dose, arm by arm"
        if analysis.fits
        else f"PASI{threshold} response and dose: what could be drawn",
        footnote=None
        if not analysis.bounds
        else "Hatching and dashes aren't fits: they bound the logit lines through a study's mean that are left.",
        level=level,
    )


def _arm_points(arms: pd.DataFrame, level: float) -> list[DosePoint]:
    from pasimeta.effects.response_rates import response_rates

    if arms.empty:
        return []
    rates = response_rates(arms.assign(events_lower=arms["events"], events_upper=arms["events"]), level=level)
    rows = rates.assign(dose_low=MILLION * arms["dose"], dose_high=MILLION * arms["dose"], split_known=True, doses=1)
    return [_point(row, 0) for row in rows.itertuples()]


def _split_unknown(doses: int, threshold: int) -> str:
    return f"{doses} doses, PASI{threshold} responders by dose not published"


def _point(row: Any, threshold: int) -> DosePoint:
    from pasimeta.figures.dose import DosePoint
    from pasimeta.figures.estimates import Rate

    rate = Rate(
        events_lower=int(row.events_lower),
        events_upper=int(row.events_upper),
        n=int(row.n),
        ci_lower=float(row.ci_lower),
        ci_upper=float(row.ci_upper),
    )
    note = "" if row.split_known else _split_unknown(row.doses, threshold)
    return DosePoint(row.label, row.dose_low / MILLION, row.dose_high / MILLION, rate, note)


def _fitted(analysis: DoseAnalysis, threshold: int) -> list[CurveBand]:
    """The average of the fitted curves with its band, and each of them as a line; a single curve with its own band."""
    from pasimeta.figures.dose_curve import CurveBand

    if not analysis.fits:
        return []
    doses = np.linspace(analysis.fits[0].dose_low, analysis.fits[0].dose_high, 121)

    def band(label: str, drawn: pd.DataFrame, style: Literal["filled", "line"], note: str = "") -> CurveBand:
        lower, upper, curve = (drawn[name].to_numpy() for name in ("ci_lower", "ci_upper", "estimate"))
        return CurveBand(label, doses, lower, upper, curve, note, style)

    names = [f"{fit.form.replace('_', '-').capitalize()} curve, PASI{threshold}" for fit in analysis.fits]
    if len(names) == 1:
        return [band(names[0], analysis.fits[0].response(doses), "filled")]
    note = "Band: doubt within curves and between them. Weights: Akaike's, corrected for few arms where they can be."
    average = f"Average of the {len(names)} curves, PASI{threshold}"
    return [
        band(average, averaged_response(analysis.fits, doses), "filled", note),
        *(
            band(f"{name}: weight {percent(float(share))}", fit.response(doses), "line")
            for name, fit, share in zip(names, analysis.fits, akaike_weights(analysis.fits), strict=True)
        ),
    ]


def _left(analysis: DoseAnalysis, threshold: int) -> list[CurveBand]:
    from pasimeta.figures.dose_curve import CurveBand

    bands = []
    for label, bounds in analysis.bounds.items():
        margins = bounds.margins
        if not 0 < (margins.events_lower + margins.events_upper) / 2 < margins.n:
            continue
        doses = np.linspace(margins.doses[0], margins.doses[-1], 81)
        left = bounds.ranges().set_index("constraint").loc["all_tests"]
        band = slope_band(margins, (float(left["slope_lower"]), float(left["slope_upper"])), doses)
        bands.append(
            CurveBand(
                f"{label}, PASI{threshold}: lines that none of the tests rules out", doses, *band, style="hatched"
            )
        )
        slope = analysis.detectable.get(label)
        if slope is not None:
            band = slope_band(margins, (-slope, slope), doses)
            note = (
                f"Steeper lines only would be found with the power asked for (odds ratio {np.exp(slope):.3g} per unit)."
            )
            bands.append(
                CurveBand(
                    f"{label}, PASI{threshold}: lines too flat to be found", doses, *band, note=note, style="outlined"
                )
            )
    return bands


def dose_plot(
    evidence: DoseEvidence, threshold: int, scale: Literal["linear", "log"], level: float, *, narrow: bool = False
) -> Plot | None:
    """Draw each study's response over the doses its patients got; nothing if no study has both."""
    from pasimeta.figures.dose import DosePoint, dose_response

    if evidence.studies.empty:
        return None
    points = [
        DosePoint(
            row.label,
            row.dose_low / MILLION,
            row.dose_high / MILLION,
            rate_of_row(row),
            note="" if row.split_known else _split_unknown(row.doses, threshold),
        )
        for row in evidence.studies.itertuples()
    ]
    label = {"per_infusion": "Dose per infusion", "cumulative": "Dose over the course"}[evidence.metric]
    return dose_response(
        points,
        name=f"dose_{evidence.metric}",
        dose_label=f"{label}, million cells per kg",
        response_label=f"Patients who reached PASI{threshold}",
        x_scale=scale,
        level=level,
        title=f"PASI{threshold} response and dose",
        width_mm=width_mm(narrow=narrow),
        footnote="Studies differ in cell source, schedule and time of judgement; no line is drawn through them.",
    )
