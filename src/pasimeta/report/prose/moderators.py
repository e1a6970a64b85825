"""Sentences and tables of the moderator notebook, written from results by rule."""

from __future__ import annotations

import pandas as pd

from pasimeta.moderators.all_moderators import multiplicity
from pasimeta.moderators.verdicts import COMPATIBLE, EXCLUDES, NOT_IDENTIFIED
from pasimeta.report.words import listing, number, percent, ratio_text


def evidence_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Write the moderator-evidence table as text: ``interval``, ``estimate``, ``detectable``, ``p``, ``p_holm``."""
    return table.assign(
        estimate=[_times(v) for v in table["estimate"]],
        interval=[
            "–" if pd.isna(low) else f"{_times(low)} to {_times(high)}"
            for low, high in zip(table["ci_lower"], table["ci_upper"], strict=True)
        ],
        detectable=["–" if pd.isna(v) else f"from {_times(v)}" for v in table["detectable"]],
        p_value=["–" if pd.isna(v) else f"{v:.3f}" for v in table["p_value"]],
        p_holm=["–" if pd.isna(v) else f"{v:.3f}" for v in table["p_holm"]],
    )


def moderator_sentences(table: pd.DataFrame, alpha: float) -> list[str]:
    """Say what is identified, what is excluded, and how many questions were asked."""
    by = {said: list(dict.fromkeys(table.loc[table["verdict"] == said, "moderator"])) for said in
          (NOT_IDENTIFIED, COMPATIBLE, EXCLUDES)}  # fmt: skip
    sentences = []
    if by[NOT_IDENTIFIED]:
        names = listing(by[NOT_IDENTIFIED])
        sentences.append(
            f"**Not identified**: {names}. The studies don't differ in it, differ in everything else too, or don't "
            "print what it takes; the table says which."
        )
    if by[COMPATIBLE]:
        sentences.append(f"**Compatible with** no difference: {listing(by[COMPATIBLE])}.")
    if by[EXCLUDES]:
        sentences.append(f"The interval **excludes** no difference, before any adjustment: {listing(by[EXCLUDES])}.")
    counts = multiplicity(table, alpha)
    tested = number(int(counts["tested"]), "p value")
    text = f"{counts['questions']} questions were asked of these studies and {tested} computed"
    if counts["tested"]:
        text += (
            f"; were there nothing to find, one at least would fall below {alpha:g} in "
            f"{percent(float(counts['chance']))} of "
            f"such reviews. The smallest is {counts['smallest']:.3f}, adjusted for all of them (Holm) "
            f"{counts['smallest_holm']:.3f}"
        )
    return [*sentences, f"{text}."]


def _times(value: float) -> str:
    return "–" if pd.isna(value) else ratio_text(value)
