"""From results on missing evidence to figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from pasimeta.robustness.missing_evidence import TippingResult
from pasimeta.robustness.missing_evidence_selection import SelectionResult

if TYPE_CHECKING:
    from pasimeta.figures.output import Plot

_WORDS = {"common": "common-rate", "binomial_normal": "binomial-normal", "beta_binomial": "beta-binomial"}


def tipping_plot(result: TippingResult, threshold: int, which: str = "") -> Plot:
    """Draw the pooled rate over what the unreported patients would have shown, one curve a number of patients.

    Parameters
    ----------
    result : TippingResult
    threshold : int
        PASI threshold, for the words.
    which : str
        Which reading of interval counts it is, for the title.
    """
    from pasimeta.figures.bands import Band, bands
    from pasimeta.figures.panel_types import ReferenceLine

    sums = [int(total) for total in np.cumsum(result.sizes)]
    series = []
    for patients in sums:
        rows = result.curve[result.curve["patients"] == patients]
        last = patients == sums[-1]
        series.append(
            Band(
                f"{patients} unreported patients",
                tuple(rows["rate"].astype(float)),
                tuple(rows["population"].astype(float)),
                tuple(rows["ci_lower"].astype(float)) if last else (),
                tuple(rows["ci_upper"].astype(float)) if last else (),
                f"average rate{f', {100 * result.level:g} % interval as a band' if last else ''}",
            )
        )
    lines = [ReferenceLine(rate, f"{name}, {100 * rate:.3g} %") for name, rate in result.limits.items()]
    counted = f", the {which} counted" if which else ""
    title = f"PASI{threshold}{counted}: what the silent trials would have to show"
    return bands(
        series,
        name=f"tipping_{threshold}" + (f"_{which.split()[0]}" if which else ""),
        x_label="Response among the unreported patients",
        x_unit="percent",
        y_label=f"Pooled share of patients who reach PASI{threshold}",
        reference_lines=lines,
        title=title,
        footnote=f"Reported: {result.events} of {result.n}. {_WORDS[result.model].capitalize()} model, refitted at "
        "every count; responders are spread over the silent trials by size. Limits come from other trials, unadjusted.",
    )


def selection_plot(results: Mapping[str, SelectionResult], threshold: int) -> Plot:
    """Draw the adjusted rate over the strength of selection: and what the silent trials then hold."""
    from pasimeta.figures.bands import Band, bands

    series = []
    for i, (label, result) in enumerate(results.items()):
        sweep = result.sweep
        x = tuple(sweep["strength"])
        band = (tuple(sweep["ci_lower"]), tuple(sweep["ci_upper"])) if i == 0 else ((), ())
        note = f"adjusted rate{f', {100 * result.level:g} % interval as a band' if i == 0 else ''}"
        series.append(Band(label, x, tuple(sweep["estimate"]), *band, note))
    first = next(iter(results.values()))
    silent = tuple(first.sweep["unreported_rate"])
    series.append(
        Band("Silent trials", tuple(first.sweep["strength"]), silent, note="response the model then expects of them")
    )
    drop = max(float(result.sweep["likelihood_drop"].max()) for result in results.values())
    return bands(
        series,
        name=f"selection_{threshold}",
        x_label="Assumed strength of selection (log odds ratio of being reported, all respond against none)",
        y_label=f"Share of patients who reach PASI{threshold}",
        title=f"PASI{threshold} if worse results are less likely to be reported",
        footnote=f"The strength can't be estimated: over the whole sweep the log-likelihood differs by {drop:.2f}, "
        "where 1.92 would be needed to tell two values apart. Strength 0 is no selection.",
    )
