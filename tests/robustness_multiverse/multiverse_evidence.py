"""A small table of responses whose every combination can be counted by hand."""

from __future__ import annotations

import pandas as pd


def row(study: str, threshold: int, lower: int, upper: int, n: int, **more: object) -> dict[str, object]:
    return {
        "study": study,
        "label": study.title(),
        "included": True,
        "endpoint": "pasi_response",
        "threshold": float(threshold),
        "events_lower": lower,
        "events_upper": upper,
        "n_enrolled": 30,
        "n_analysed": n,
        "imputation": "none",
        "week": None,
        "subgroup_by": None,
        "subgroup_level": None,
        "source": "source",
        "locator": "line 1",
        "confidence": "seen",
        "derived": None,
        **more,
    }


#: Two weeks in alpha, two denominators in beta, an interval in gamma, nothing at PASI75 in gamma and delta.
RESPONSES = pd.DataFrame(
    [
        row("alpha", 50, 9, 9, 20, week=12.0),
        row("alpha", 50, 6, 6, 20, week=24.0),
        row("alpha", 75, 4, 4, 20, week=12.0),
        row("beta", 50, 3, 3, 12, imputation="nonresponder"),
        row("beta", 50, 3, 3, 8, imputation="completers"),
        row("beta", 75, 0, 0, 12, imputation="nonresponder"),
        row("gamma", 50, 1, 3, 5),
        row("delta", 50, 15, 15, 25),
    ]
)
INCLUSION = {"two": ("alpha", "beta"), "all": ("alpha", "beta", "gamma", "delta")}
