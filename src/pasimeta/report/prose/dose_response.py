"""Sentences and tables of the dose notebook, written from results by rule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pasimeta.moderators.dose import DoseEvidence
from pasimeta.moderators.dose_analysis import DoseAnalysis
from pasimeta.moderators.dose_groups import StudyDoses, schedule_confounding
from pasimeta.moderators.dose_models import akaike_weights, averaged_contrast
from pasimeta.moderators.partial_identification import TESTS, PartialIdentification
from pasimeta.moderators.verdicts import verdict
from pasimeta.report.words import count_range, listing, markdown_text, number, percent, ratio_text

MINUS = "\u2212"
METRICS = {
    "per_infusion": "cells per infusion",
    "cumulative": "cells in all",
    "infusions": "number of infusions",
    "interval": "weeks between infusions",
    "rate": "cells per week",
}
UNITS = {
    "per_infusion": "million cells/kg per infusion",
    "cumulative": "million cells/kg in all",
    "infusions": "infusion",
    "interval": "week between infusions",
    "rate": "million cells/kg a week",
}
FORM_NAMES = {"linear": "linear", "log_linear": "log-linear", "emax": "Emax", "spline": "spline"}
CONSTRAINTS = {
    "any": "nothing but the margins",
    "cochran_armitage": "Cochran-Armitage test not significant",
    "exact_trend": "exact trend test not significant",
    "spearman": "Spearman correlation not significant",
    "pearson": "Pearson correlation not significant",
    "chi_square": "chi-square test not significant",
    "all_tests": "none of these tests significant",
}


def confounding_table(studies: Sequence[StudyDoses]) -> pd.DataFrame:
    """Write which descriptions of dose move together: ``label``, ``pair``, ``kendall``, ``verdict``."""
    rows = []
    for study in studies:
        for row in schedule_confounding(study).itertuples():
            pair = f"{METRICS[row.first]} and {METRICS[row.second]}"
            rows.append((study.label, pair, f"{row.kendall:+.2f}".replace("-", MINUS), row.verdict))
    return pd.DataFrame(rows, columns=["label", "pair", "kendall", "verdict"])


def confounding_sentences(studies: Sequence[StudyDoses]) -> list[str]:
    """Name the pairs that no responder count could tell apart, and the totals the arms got."""
    sentences = []
    for study in studies:
        table = schedule_confounding(study)
        stuck = table[(table["verdict"] == "inseparable") & table["first"].isin(["per_infusion", "cumulative"])]
        if stuck.empty:
            continue
        pairs = listing(f"{METRICS[r.first]} with {METRICS[r.second]}" for r in stuck.itertuples())
        totals = ", ".join(f"{v:g}" for v in study.arms["cumulative"].dropna())
        sentences.append(
            f"{markdown_text(study.label)}: inseparable whatever the responder counts are {pairs}. Its arms got "
            f"{totals} "
            "million cells/kg in all, so the arm with the largest infusion isn't the arm with the most cells."
        )
    return sentences


def bounds_table(bounds: PartialIdentification) -> pd.DataFrame:
    """Write ranges of slopes: ``constraint``, ``tables``, ``points``, ``odds_ratio``, ``difference``, ``reading``."""
    rows = []
    for row in bounds.ranges().itertuples():
        rows.append(
            {
                "constraint": CONSTRAINTS[row.constraint],
                "tables": row.tables,
                "chance": percent(row.chance),
                "points": _points(row.rate_slope_lower, row.rate_slope_upper),
                "odds_ratio": f"{_times(row.slope_lower)} to {_times(row.slope_upper)}",
                "difference": _points(row.difference_lower, row.difference_upper),
                "reading": _sign(row.rate_slope_lower, row.rate_slope_upper),
            }
        )
    return pd.DataFrame(rows)


def nothing_to_bound(analysis: DoseAnalysis) -> str:
    """Say so where every study with several doses counts its responders by dose; empty where one doesn't."""
    if analysis.bounds or not analysis.trends:
        return ""
    return "Every study with several doses counts its responders by dose, so nothing is left to bound."


def bounds_sentences(label: str, bounds: PartialIdentification, unit: str, reported: bool) -> list[str]:
    """Say which slopes the margins leave, what a reported non-significance rules out, and what it doesn't."""
    ranges, margins = bounds.ranges().set_index("constraint"), bounds.margins
    free = ranges.loc["any"]
    groups = f"{margins.n} patients in {len(margins.doses)} dose groups"
    responders = count_range(margins.events_lower, margins.events_upper)
    sizes = "" if margins.sizes_known else " of responders and group sizes"
    sentences = [
        f"**{markdown_text(label)}** prints {responders} responders among {groups}, not which group they were in. "
        f"{len(bounds.tables)} tables{sizes} fit. Their slopes run from "
        f"{_points(free['rate_slope_lower'], free['rate_slope_upper'])} percentage points per {unit}: "
        f"{_identified(float(free['rate_slope_lower']), float(free['rate_slope_upper']))}."
    ]
    if not reported:
        return sentences
    return [*sentences, *_report_sentences(bounds, ranges)]


def _report_sentences(bounds: PartialIdentification, ranges: pd.DataFrame) -> list[str]:
    """Say what a reported non-significance rules out of the slopes that the margins leave, and what it doesn't."""
    free, tests, kept = ranges.loc["any"], ranges.loc[list(TESTS)], ranges.loc["all_tests"]
    if not tests["tables"].max():
        return [
            f'Its "no significant correlation" **excludes** every table that fits, whichever of {len(TESTS)} tests it '
            "stands for: the counts and the sentence contradict each other, so check them against the report."
        ]
    lowest, highest = tests["rate_slope_lower"].min(), tests["rate_slope_upper"].max()
    rates = (tests["difference_lower"].min(), tests["difference_upper"].max())
    if lowest <= free["rate_slope_lower"] and highest >= free["rate_slope_upper"]:
        said = f"**excludes** none of these slopes under one at least of the {len(TESTS)} tests it may stand for"
    else:
        limits = _points(lowest, highest)
        said = f"**excludes** slopes outside {limits} points, whichever of {len(TESTS)} tests it stands for"
    if kept["tables"]:
        said += f"; had all of them been tried, outside {_points(kept['rate_slope_lower'], kept['rate_slope_upper'])}"
    most, least = (len(bounds.tables) - int(tests["tables"].agg(end)) for end in ("min", "max"))
    gone = f"{least} to {most} of the tables are ruled out" if most else "None of the tables is ruled out"
    return [
        f'Its "no significant correlation" {said}. {gone}. It stays '
        f"**compatible with** a response at the highest dose anywhere from {_points(*rates)} points from that at the "
        "lowest.",
        f"Were response unrelated to dose, {percent(tests['chance'].min())} to {percent(tests['chance'].max())} "
        'of trials like it would print that sentence: it isn\'t evidence of "no effect".',
    ]


def _identified(lower: float, upper: float) -> str:
    if lower < 0 < upper:
        return "the slope is **not identified**, not even its sign"
    if lower == upper:
        return "the slope in this sample is known"
    return "the size of the slope is **not identified**, its direction in this sample is"


def detectable_sentence(label: str, slope: float | None, unit: str, power: float) -> str:
    """Say which slope an exact trend test in groups this size could have found."""
    if slope is None:
        return f"No slope whatever would have been found in {markdown_text(label)} with {percent(power)} power."
    return (
        f"With groups as equal as its margins allow, an exact trend test in {markdown_text(label)} finds a slope with "
        f"{percent(power)} power only from an odds ratio of {_times(slope)} per {unit} on."
    )


def trend_sentences(analysis: DoseAnalysis, unit: str) -> list[str]:
    """State the ordinary analysis of studies that count responders by dose group, and the averaged curve's forms."""
    sentences = []
    for label, trend in analysis.trends.items():
        low, high = _times(trend.slope_ci_lower), _times(trend.slope_ci_upper)
        said = verdict(trend.slope_ci_lower, trend.slope_ci_upper)
        sentences.append(
            f"**{markdown_text(label)}** counts responders by dose: odds ratio {_times(trend.slope)} per {unit} (exact "
            f"interval {low} to {high}; exact trend test p = {trend.exact_p_value:.3f}, Cochran-Armitage p = "
            f"{trend.p_value:.3f}): **{said}**."
        )
    if analysis.fits:
        shares = akaike_weights(analysis.fits)
        forms = ", ".join(
            f"{FORM_NAMES[fit.form]} {percent(share)}" for fit, share in zip(analysis.fits, shares, strict=True)
        )
        least, most = min(fit.dose_low for fit in analysis.fits), max(fit.dose_high for fit in analysis.fits)
        mean = averaged_contrast(analysis.fits, [most], least).iloc[0]
        limits = f"{_times(mean['ci_lower'])} to {_times(mean['ci_upper'])}"
        sentences.append(
            f"Curves fitted with an intercept a study, by Akaike weight: {forms}. Averaged over them, the odds "
            "ratio of "
            f"{most:g} against {least:g} is {_times(mean['estimate'])} ({limits}): "
            f"**{verdict(mean['ci_lower'], mean['ci_upper'])}**."
        )
    return sentences


def state_sentences(analysis: DoseAnalysis, unit: str, reported: Sequence[str], power: float) -> list[str]:
    """Return every sentence of the notebook's statement: bounds, ordinary trends, detectable slopes."""
    sentences = trend_sentences(analysis, unit)
    for label, bounds in analysis.bounds.items():
        sentences += bounds_sentences(label, bounds, unit, label in reported)
    sentences += [detectable_sentence(label, slope, unit, power) for label, slope in analysis.detectable.items()]
    if not analysis.trends and not analysis.bounds:
        sentences.append("No analysed study treated patients at more than one dose.")
    return sentences


def _sign(lower: float, upper: float) -> str:
    """Even the direction is identified only where every slope left points the same way."""
    return verdict(lower, upper, identified=not lower < 0 < upper)


def _points(lower: float, upper: float) -> str:
    ends = [f"{100 * value:+.0f}".replace("-", MINUS) for value in (lower, upper)]
    return f"{ends[0]} to {ends[1]}"


def _times(slope: float) -> str:
    return ratio_text(float(np.exp(slope)))


def dose_sentences(evidence: DoseEvidence) -> list[str]:
    """State whether a dose-response slope can be learned, and if not, every reason."""
    if evidence.slope_identified:
        return [f"{number(evidence.distinct_doses, 'dose level').capitalize()} have response counts of their own."]
    reasons = [markdown_text(reason) for reason in evidence.reasons]
    return [
        "A dose-response relation is **not identified** by the published counts:",
        "\n".join(f"- {reason[:1].upper()}{reason[1:]}." for reason in reasons),
    ]
