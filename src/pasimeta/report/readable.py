"""Tables as a reader wants them: counts as 6–8/17, rates in percent, intervals in one column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from pasimeta.evidence.entries import study_entry
from pasimeta.report.words import count_range

MILLION = 1e6
ENDPOINTS = {"pga_0_1": "PGA 0/1", "clearance": "Clearance", "relapse": "Relapse"}

INTERVALS = {
    "clopper_pearson": "Clopper-Pearson",
    "wilson": "Wilson",
    "agresti_coull": "Agresti-Coull",
    "jeffreys": "Jeffreys",
    "mid_p": "mid-P",
}


def characteristics(table: pd.DataFrame) -> pd.DataFrame:
    """Write identifiers as words, and whole numbers as such."""
    coded = ["status", "product_class", "tissue", "design", "route"]
    words = {column: table[column].map(_words, na_action="ignore") for column in coded}
    counts = {column: table[column].astype("Int64") for column in ("enrolled", "female", "male", "registered")}
    return table.assign(**words, **counts)


def links(table: pd.DataFrame, *columns: str) -> dict[str, list[str | None]]:
    """Link studies to their pages and ``columns`` to the entry their count comes from, for ``notebook.show_table``.

    A row without entry, one that isn't in a data file, gets no link.
    """
    entries = [entry if isinstance(entry, str) else None for entry in table["entry"]]
    records = [None if entry is None else entry.partition("#")[0] for entry in entries]
    return {"label": records, **dict.fromkeys(columns, entries)}


def links_of_groups(
    groups: pd.DataFrame, labels: Iterable[str], levels: Mapping[str, str]
) -> dict[str, list[str | None]]:
    """Link each study's column of a subgroup level to the entry of its count; ``levels`` gives the level by column."""
    entries = {(row.label, row.level): row.entry for row in groups.itertuples()}
    return {column: [entries.get((label, level)) for label in labels] for column, level in levels.items()}


def links_of_labels(labels: Iterable[str], *evidence: pd.DataFrame) -> dict[str, list[str | None]]:
    """Link rows that name studies to the studies' pages; ``evidence`` gives ``entry`` by ``label``."""
    pages = {
        row.label: row.entry.partition("#")[0]
        for table in evidence
        for row in table.itertuples()
        if isinstance(row.entry, str)
    }
    return {"label": [pages.get(label) for label in labels]}


def records_named(table: pd.DataFrame, named: Iterable[Any]) -> pd.DataFrame:
    """Return the rows of a table of the evidence whose ``label`` is that of one of the objects in ``named``."""
    return table[table["label"].isin([each.label for each in named])]


def links_of_characteristics(table: pd.DataFrame) -> dict[str, list[str | None]]:
    """Link studies to their pages and numbers of patients to their entries."""
    facts = {name: f"population.{name}" for name in ("enrolled", "analysed", "female", "male")}
    paths = facts | {"registered": "registration.enrollment"}
    studies = [entry if isinstance(entry, str) else None for entry in table["entry"]]
    numbers = {name: [study and study_entry(study, path) for study in studies] for name, path in paths.items()}
    return {"label": studies, **numbers}


def responses(table: pd.DataFrame) -> pd.DataFrame:
    """Add ``outcome``, ``count`` and ``group`` to the ``RESPONSES`` table."""
    outcome = [
        ENDPOINTS[row.endpoint] if pd.isna(row.threshold) else f"PASI{int(row.threshold)}" for row in table.itertuples()
    ]
    return table.assign(
        outcome=outcome,
        count=_counts(table, "n_analysed"),
        group=table["subgroup_level"].fillna("all"),
        imputation=table["imputation"].map(_words),
    )


def rates(table: pd.DataFrame) -> pd.DataFrame:
    """Add ``count``, ``rate`` and ``interval`` (percent) to a table of response rates."""
    return table.assign(
        threshold=table["threshold"].astype(int),
        count=_counts(table, "n"),
        imputation=table["imputation"].map(_words),
        rate=_percents(table, "rate_lower", "rate_upper"),
        interval=_percents(table, "ci_lower", "ci_upper", always_two=True),
    )


def doses(table: pd.DataFrame) -> pd.DataFrame:
    """Add ``dose``, ``infusions`` and ``cumulative`` as text, in million cells per kg."""
    return table.assign(
        n=table["n"].astype("Int64"),
        dose=_ranges(table, "dose", MILLION),
        infusions=_ranges(table, "infusions", 1),
        cumulative=_ranges(table, "cumulative", MILLION),
    )


def models(table: pd.DataFrame) -> pd.DataFrame:
    """Add ``estimate``, ``interval``, ``prediction`` (percent) and ``tau2`` as text."""
    return table.assign(
        estimate=_percents(table, "estimate_lower", "estimate_upper"),
        interval=_percents(table, "ci_lower", "ci_upper", always_two=True),
        prediction=_percents(table, "pi_lower", "pi_upper", always_two=True),
        tau2=[_span(row.tau2_lowest, row.tau2_highest, "{:.3f}") for row in table.itertuples()],
    )


def comparisons(table: pd.DataFrame) -> pd.DataFrame:
    """Add ``women``, ``men``, ``difference`` (points) and ``odds_ratio`` as text, each with its interval."""
    return table.assign(
        women=[_group(r.events1, r.n1, r.rate1, r.rate1_ci_lower, r.rate1_ci_upper) for r in table.itertuples()],
        men=[_group(r.events2, r.n2, r.rate2, r.rate2_ci_lower, r.rate2_ci_upper) for r in table.itertuples()],
        difference=[
            "{} [{}, {}]".format(*map(_points, limits))
            for limits in zip(*(table[f"risk_difference{end}"] for end in ("", "_ci_lower", "_ci_upper")), strict=True)
        ],
        odds_ratio=[
            f"{r.odds_ratio:.3g} [{r.odds_ratio_ci_lower:.3g}, {r.odds_ratio_ci_upper:.3g}]" for r in table.itertuples()
        ],
    )


def _words(identifier: str) -> str:
    return identifier.replace("_", " ").replace("msc", "MSC").replace("svf", "SVF").replace("none", "as reported")


def count_text(lower: float, upper: float, n: float | None) -> str:
    """Return a count, or the interval it is known within, of ``n`` patients: ``6–8/17``."""
    count = count_range(int(lower), int(upper)).replace(" to ", "–")
    return count if n is None else f"{count}/{int(n)}"


def range_text(low: float, high: float) -> str:
    """Return a range as briefly as it can be written, ``0.5`` or ``1.5 to 3``."""
    return _span(low, high, "{:g}")


def _counts(table: pd.DataFrame, size: str) -> list[str]:
    return [count_text(row["events_lower"], row["events_upper"], row[size]) for row in table.to_dict("records")]


def _percents(table: pd.DataFrame, lower: str, upper: str, *, always_two: bool = False) -> list[str]:
    return [
        _span(None if pd.isna(low) else 100 * low, None if pd.isna(high) else 100 * high, "{:.1f}", always_two)
        for low, high in zip(table[lower], table[upper], strict=True)
    ]


def _ranges(table: pd.DataFrame, stem: str, unit: float) -> list[str]:
    return [
        _span(None if pd.isna(low) else low / unit, None if pd.isna(high) else high / unit, "{:g}")
        for low, high in zip(table[f"{stem}_low"], table[f"{stem}_high"], strict=True)
    ]


def _span(low: Any, high: Any, form: str, always_two: bool = False) -> str:
    if low is None or high is None or pd.isna(low) or pd.isna(high):
        return "–"
    ends = sorted((float(low), float(high)))
    texts = [form.format(end) for end in ends]
    if texts[0] == texts[1] and not always_two:
        return texts[0]
    return f"{texts[0]} to {texts[1]}".replace("-", "\u2212")


def _group(events: int, n: int, rate: float, lower: float, upper: float) -> str:
    return f"{events}/{n} = {100 * rate:.1f} % [{100 * lower:.1f}, {100 * upper:.1f}]"


def _points(value: float) -> str:
    return f"{100 * value:+.1f}".replace("-", "\u2212")
