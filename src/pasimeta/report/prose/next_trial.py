"""What the next trial can show: sentences from its forecast."""

from __future__ import annotations

import pandas as pd

from pasimeta.report.words import markdown_text, number, percent


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
