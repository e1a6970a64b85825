"""The flow of records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from pasimeta.figures.output import Plot


SILENCE = {
    "unreported": "ended, never reported",
    "ongoing": "not ended",
    "unknown": "fate unknown",
}


def record_flow(flow: pd.DataFrame, decisions: pd.DataFrame) -> Plot:
    """Draw what became of each record, stage by stage of the inclusion rule."""
    from pasimeta.figures.flow import Stage, flow_of_records

    total = int(flow["left"].iloc[0] + flow["excluded"].iloc[0])
    reported = int((decisions["status"] == "reported").sum())
    kinds = (("reported", reported), ("registered, no results seen", total - reported))
    names = ["Records in the data folder", *(label[:1].upper() + label[1:] for label in flow["label"])]
    counts = [total, *flow["left"]]
    # a stage that excludes nobody would only make the figure taller
    kept = [0, *(i + 1 for i, lost in enumerate(flow["excluded"]) if lost)]
    stages = []
    for position, index in enumerate(kept):
        following = kept[position + 1] if position + 1 < len(kept) else None
        excluded = () if following is None else _reasons(decisions, flow["stage"].iloc[following - 1])
        patients = (f"{flow['patients_left'].iloc[index - 1]} patients with reported results",) if index else ()
        sources = () if index else kinds
        stages.append(Stage(names[index], int(counts[index]), excluded=excluded, sources=sources, details=patients))
    return flow_of_records(stages, name="record_flow", title="What became of each record")


def _reasons(decisions: pd.DataFrame, stage: str) -> tuple[tuple[str, int], ...]:
    lost = decisions[decisions["stage"] == stage]
    # the reasons of silent trials are as many as the trials; their status groups them
    reasons = lost["status"].map(SILENCE) if stage == "reported" else lost["reason"]
    return tuple((str(reason), int(count)) for reason, count in reasons.value_counts(sort=False).items())
