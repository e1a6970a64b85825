"""Sentences about the evidence as a whole: which eligible trials are silent."""

from __future__ import annotations

import pandas as pd

from pasimeta.report.words import listing, markdown_text, number


def missing_sentences(characteristics: pd.DataFrame, responses: pd.DataFrame) -> list[str]:
    """Say which eligible trials are silent, and what the analysed ones leave out."""
    silent = characteristics[characteristics["stage"] == "reported"]
    sizes = silent["registered"].dropna()
    trials = number(len(silent), "registered trial").capitalize()
    unsized = "" if len(sizes) == len(silent) else f" in the {len(sizes)} that state one"
    sentences = [
        f"{trials} of culture-expanded cells show no results; their planned or actual sizes add up to "
        f"{int(sizes.sum())} patients{unsized}. Nobody outside knows whether they were silent because they failed."
    ]
    counts = responses[responses["included"] & (responses["endpoint"] == "pasi_response")]
    undated = listing(markdown_text(label) for label in counts.loc[counts["week"].isna(), "label"].unique())
    if undated:
        sentences.append(f"When response was judged isn't stated in anything seen of {undated}.")
    if not (characteristics["included"] & characteristics["controlled"]).any():
        sentences.append("No analysed study compares the cells with placebo or with another treatment.")
    return sentences
