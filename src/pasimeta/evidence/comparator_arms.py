"""Arms of comparator trials as the threshold model takes them: one visit an arm, no arm twice."""

from __future__ import annotations

import pandas as pd

GROUPS = {
    "placebo": "Placebo",
    "supportive_care": "Placebo",
    "methotrexate": "Methotrexate",
    "etanercept": "Biologics",
    "efalizumab": "Biologics",
    "infliximab": "Biologics",
    "adalimumab": "Biologics",
    "briakinumab": "Biologics",
    "ustekinumab": "Biologics",
    "secukinumab": "Biologics",
}
ARM_COLUMNS = [
    "study",
    "label",
    "trial",
    "treatment",
    "group",
    "threshold",
    "events_lower",
    "events_upper",
    "n",
    "week",
    "source",
    "entry",
]


def comparator_arms(comparators: pd.DataFrame) -> pd.DataFrame:
    """Select each comparator arm's counts of PASI responders.

    Parameters
    ----------
    comparators : DataFrame
        The ``comparators`` table.

    Returns
    -------
    DataFrame
        ``ARM_COLUMNS``, one row an arm and threshold; ``study`` names the arm. Of an arm counted at several weeks the
        earliest is kept, the visit its trial was planned for. An arm that two sources give, with the same counts of the
        same trial, appears once. ``group`` is placebo (supportive care included), methotrexate, biologics or other.
    """
    rows = comparators[(comparators["endpoint"] == "pasi_response")].copy()
    rows["study"] = rows["trial"] + ":" + rows["arm"]
    rows["group"] = rows["treatment"].map(GROUPS).fillna("Other")
    rows["label"] = rows["label"] + ", " + rows["arm"].str.replace("-", " ")
    first = rows.groupby("study")["week"].transform("min")
    rows = rows[rows["week"].isna() | (rows["week"] == first)]
    told = rows.groupby("study")[["threshold", "events_lower", "events_upper", "n"]].apply(
        lambda arm: tuple(map(tuple, arm.sort_values("threshold").to_numpy().tolist()))
    )
    arms = rows.drop_duplicates("study").set_index("study")[["trial", "group"]].assign(told=told)
    kept = arms[~arms.duplicated()].index
    # the same control group may come with more thresholds from one source than from another
    table = rows[rows["study"].isin(kept)]
    return table.reindex(columns=ARM_COLUMNS).sort_values(["study", "threshold"], kind="stable", ignore_index=True)
