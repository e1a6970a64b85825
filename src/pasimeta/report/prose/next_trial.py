"""What the next trial can show: sentences from its forecast."""

from __future__ import annotations

import pandas as pd

from pasimeta.forecast.power_grid import PowerGrid
from pasimeta.report.words import listing, markdown_text, number, percent, percent_range


def prediction_sentences(prediction: pd.DataFrame) -> list[str]:
    """State the responders each arm can expect; ``prediction`` is the table ``next_trial_prediction``."""
    return [
        f"**{markdown_text(str(row.arm))}**: {row.responders_lower} to {row.responders_upper} responders of {row.n} "
        f"({percent(row.level)} predictive interval, median {row.responders_median}); the true rate is believed to lie "
        f"between {percent(row.rate_lower)} and {percent(row.rate_upper)}."
        for row in prediction.itertuples()
    ]


def assurance_sentences(assurance: pd.DataFrame) -> list[str]:
    """State the chance of each contrast, its ceiling, and of both together; table ``next_trial_assurance``."""
    sentences = []
    for row in assurance.itertuples():
        sentences.append(
            f"**{markdown_text(str(row.arm))} against {markdown_text(str(row.control)).lower()}** ({row.n} and "
            f"{row.n_control} patients): a significant result in favour of the cells has a chance of "
            f"{percent(row.assurance)}, one against them of {percent(row.harm)}."
        )
    first = assurance.iloc[0]
    if len(assurance) > 1:
        sentences.append(f"At least one of the contrasts: {percent(first['any_contrast'])}.")
    sentences.append(
        f"No trial of any size can promise more than {percent(first['ceiling'])}: that is the probability, on what is "
        f"known now, that the cells do better than {markdown_text(str(first['control'])).lower()} at all."
    )
    return sentences


def size_sentences(sizes: pd.DataFrame) -> list[str]:
    """State the patients for each wanted assurance, or why there is no number; table ``next_trial_sizes``."""
    return [
        f"Against {markdown_text(str(row.against)).lower()}, {percent(row.target)} assurance "
        + (
            f"takes {int(row.n_per_arm)} and {int(row.n_control)} patients."
            if row.n_per_arm == row.n_per_arm
            else f"{markdown_text(str(row.reason))}."
        )
        for row in sizes.astype({"n_per_arm": float, "n_control": float}).itertuples()
    ]


def precision_sentence(precision: pd.DataFrame) -> str:
    """State how the pooled interval would change; table ``next_trial_precision``."""
    row = precision.iloc[0]
    before = (
        ""
        if row["width_before"] != row["width_before"]
        else f"now {100 * row['width_before']:.0f} percentage points wide, "
    )
    return (
        f"With {number(int(row['n']), 'more patient')} the pooled interval, {before}would be "
        f"{100 * row['width_expected']:.0f} points wide on average, and with a probability of 80\u00a0% between "
        f"{100 * row['width_lower']:.0f} and {100 * row['width_upper']:.0f}."
        + (
            " Two studies can disagree, and one can't: a second trial may widen the interval, and that would be honest."
            if row["width_upper"] > row["width_before"]
            else ""
        )
    )


def staged_sentences(staged: pd.DataFrame) -> list[str]:
    """State what each single-arm design costs and promises; table ``staged_designs``."""
    return [
        f"**{markdown_text(str(row.design))}**: {markdown_text(str(row.rule))}. It claims success with probability "
        f"{percent(row.level, 1)} if the rate is {percent(row.p0)} and {percent(row.power, 1)} if it is "
        f"{percent(row.p1)}; on what is believed of the cells, {percent(row.assurance)}."
        for row in staged.itertuples()
    ]


def sensitivity_sentence(sensitivity: pd.DataFrame) -> str:
    """Say how far the forecast leans on priors and on what is pooled; table ``next_trial_sensitivity``."""
    low, high = sensitivity.loc[sensitivity["assurance"].idxmin()], sensitivity.loc[sensitivity["assurance"].idxmax()]
    first = sensitivity.iloc[0]
    return (
        f"Changing one assumption at a time moves assurance from {percent(first['assurance'])} to between "
        f"{percent(low['assurance'])} ({low['assumption']}) and {percent(high['assurance'])} ({high['assumption']}), "
        f"and the probability that the cells are better at all to between {percent(sensitivity['ceiling'].min())} and "
        f"{percent(sensitivity['ceiling'].max())}."
    )


def sensitivity_table(sensitivity: pd.DataFrame) -> pd.DataFrame:
    """The forecast under each assumption, in percent."""
    shares = {name: sensitivity[name].map(percent) for name in ("assurance", "any_contrast", "harm", "ceiling")}
    rate = [
        f"{percent(row.rate_mean)} ({percent_range(row.rate_lower, row.rate_upper)})"
        for row in sensitivity.itertuples()
    ]
    return sensitivity.assign(rate=rate, **shares)


def power_sentence(grid: PowerGrid, against: str, target: float) -> str:
    """State the true rate that each size needs for the target, and which sizes no rate helps."""
    by_size = list(zip(grid.sizes, grid.rate_needed(target), strict=True))
    enough = listing(f"{percent(rate)} with {size}" for size, rate in by_size if rate is not None)
    hopeless = listing(str(size) for size, rate in by_size if rate is None)
    parts = [
        f"the cells' true rate would have to be {enough} patients an arm" if enough else "",
        f"no rate is high enough with {hopeless}{'' if enough else ' patients an arm'}" if hopeless else "",
    ]
    return (
        f"For {percent(target)} power against {markdown_text(against)} (whose rate is averaged over what is believed "
        f"of it, {percent(grid.control.mean)} in the mean) {'; '.join(part for part in parts if part)}."
    )


def imagined_sentences(imagined: pd.DataFrame) -> list[str]:
    """State what a two-arm trial of one's own would show; table from :func:`pasimeta.forecast.imagined_trial`."""
    first = imagined.iloc[0]
    return [
        f"**{number(int(first['n_per_arm']), 'patient').capitalize()} an arm.** "
        + " ".join(
            f"Against {markdown_text(str(row.against))}, if the cells' true rate were {percent(row.assumed_rate)}: a "
            f"significant result in favour of the cells with a probability of {percent(row.power)}. Over what is "
            f"believed of it: {percent(row.assurance)}, and no size gives more than {percent(row.ceiling)}."
            for row in imagined.itertuples()
        )
    ]
