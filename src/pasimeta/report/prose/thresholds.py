"""Sentences and tables of the threshold model, written from its results."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from pasimeta.report.words import count_range, listing, markdown_text, number, percent, percent_range
from pasimeta.synthesis.thresholds import ThresholdResult

FORMS = {
    "offset_log": "logarithm of what is left, with an offset",
    "power": "power of what is left",
    "root": "square root of what is left",
    "linear": "straight line",
    "free": "one free step a threshold",
}


def curve_sentences(fit: ThresholdResult, context: Mapping[str, ThresholdResult]) -> list[str]:
    """State the shares at PASI50, 75 and 90, what a new study could show, and what other treatments show."""
    told = [fit.response_at(c) for c in (50, 75, 90)]
    shares = listing(
        f"PASI{row['threshold']:g} in {percent(row['response'])} ({percent_range(row['ci_lower'], row['ci_upper'])})"
        for row in told
    )
    studies = number(fit.k, "study", "studies")
    new = told[1]
    sentences = [
        f"All thresholds together, {studies} with {fit.n} patients: {shares}; {percent(fit.level)} intervals of the "
        "median study."
    ]
    if pd.notna(new["pi_lower"]):
        sentences.append(
            f"A new study's true PASI75 rate could lie anywhere from {percent_range(new['pi_lower'], new['pi_upper'])}."
        )
    if context:
        others = listing(
            f"{label.lower()} {percent(other.response_at(75)['response'])}" for label, other in context.items()
        )
        sentences.append(
            f"In other trials, by the same model, PASI75 was reached by: {others}. This is an unadjusted comparison "
            "across trials: patients, weeks and denominators differ, and no trial compared these treatments."
        )
    return sentences


def form_sentence(scores: pd.DataFrame, used: str) -> str:
    """Say which form of the cut-points predicts held-out thresholds best, and whether it is the one used."""
    best, error = scores["form"].iloc[0], scores["threshold_error"].iloc[0]
    verdict = "It is the one used." if best == used else f"The one used is another: {FORMS[used]}."
    return (
        f"With a whole threshold hidden from every comparator trial, the {FORMS[best]} predicts best: "
        f"{scores['threshold_predictions'].iloc[0]} counts, off by {error:.1f} percentage points on average. {verdict}"
    )


def calibration_sentence(held: pd.DataFrame) -> str:
    """Say how often 80 % predictive intervals hold counts of trials the cut-points never saw."""
    at75 = held[held["threshold"] == 75]
    return (
        f"Counts of trials the cut-points had not seen, predicted from the same arm's other thresholds: "
        f"{percent(held['covered'].mean())} of {len(held)} lie in their 80 % intervals; of PASI75 alone "
        f"{percent(at75['covered'].mean())} of {len(at75)}."
    )


def unreported_sentences(fit: ThresholdResult) -> list[str]:
    """State predicted PASI50 and PASI75 counts that no study reports."""
    unknown = fit.predictions[~fit.predictions["reported"] & fit.predictions["threshold"].isin([50, 75])]
    return [
        f"{markdown_text(row.label)} doesn't report PASI{row.threshold:g}: {row.predicted:.1f} of {row.n} patients are "
        f"expected ({count_range(row.predicted_lower, row.predicted_upper)}; its other counts allow "
        f"{count_range(row.events_lower, row.events_upper)})."
        for row in unknown.itertuples()
    ]


def check_sentence(checks: pd.DataFrame) -> str:
    """Say whether the studies' own counts fit the spacing learned from comparator arms."""
    if checks.empty:
        return "No study counts two thresholds exactly, so whether the comparators' spacing fits them can't be checked."
    odd = checks[checks["surprising"]]
    if odd.empty:
        return (
            f"Each of {len(checks)} counts, predicted from the same study's other thresholds and the comparators' "
            "spacing, lies in its interval: nothing speaks against the borrowed spacing, though so few patients can't "
            "say much for it."
        )
    named = listing(
        f"{markdown_text(row.label)} PASI{row.threshold:g} ({row.observed} seen, "
        f"{count_range(row.predicted_lower, row.predicted_upper)} expected)"
        for row in odd.itertuples()
    )
    return f"The comparators' spacing doesn't fit every count: {named}. The curve between thresholds is doubtful there."


def information_sentence(fit: ThresholdResult) -> str:
    """Say what reading all thresholds adds."""
    gain = fit.information.loc[fit.information["patients_worth"].idxmax()]
    return (
        f"{markdown_text(gain['label'])} carries {gain['weight']:.0f}\u00a0% of the information. Its {gain['n']} "
        f"patients are worth {gain['patients_worth']:.1f} with exactly known improvement; its best threshold alone "
        f"(PASI{gain['best_threshold']:g}) would be worth {gain['best_single']:.1f}."
    )


def choices_table(choices: pd.DataFrame) -> pd.DataFrame:
    """One row a choice: shares at each threshold with their intervals, as text."""
    text = [percent_range(a, b) for a, b in zip(choices["ci_lower"], choices["ci_upper"], strict=True)]
    cells = choices.assign(cell=[f"{percent(r)} ({t})" for r, t in zip(choices["response"], text, strict=True)])
    wide = cells.pivot(index="choice", columns="threshold", values="cell").loc[list(dict.fromkeys(choices["choice"]))]
    wide.columns = [f"pasi{c:g}" for c in wide.columns]
    sizes = choices.drop_duplicates("choice").set_index("choice")[["k", "n"]]
    return sizes.join(wide).reset_index()


def predictions_table(fit: ThresholdResult) -> pd.DataFrame:
    """Predicted counts and rates as text."""
    rows = fit.predictions
    return rows.assign(
        threshold=[f"PASI{c:g}" for c in rows["threshold"]],
        known=[
            f"{count_range(r.events_lower, r.events_upper)} of {r.n}{'' if r.reported else ', not reported'}"
            for r in rows.itertuples()
        ],
        expected=[
            f"{r.predicted:.1f} ({count_range(r.predicted_lower, r.predicted_upper)})" for r in rows.itertuples()
        ],
        share=[f"{percent(r.rate)} ({percent_range(r.rate_lower, r.rate_upper)})" for r in rows.itertuples()],
    )


def cutpoint_table(fit: ThresholdResult) -> pd.DataFrame:
    """Cut-points with their intervals as text."""
    rows = fit.cutpoints
    spans = [
        "0 by definition" if r.threshold == fit.reference else f"{r.z:.2f} ({r.ci_lower:.2f} to {r.ci_upper:.2f})"
        for r in rows.itertuples()
    ]
    return rows.assign(
        threshold=[f"PASI{c:g}" for c in rows["threshold"]], spacing=[s.replace("-", "\u2212") for s in spans]
    )
