"""What the landing page shows at a glance: a line a PASI threshold, and the numbers a reader must not miss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from pasimeta.evidence.entries import entry_href
from pasimeta.report.words import count_range, listing, number, percent, percent_range
from pasimeta.site.page import Context


@dataclass(frozen=True, slots=True)
class ThresholdLine:
    """One PASI threshold: who reached it, as a share with its interval, and how certain that is.

    Attributes
    ----------
    threshold : int
    count, rate, interval : str
        In words; the rate is a range where a count is.
    href : str
        Where the count stands: its entry, if one study gives it, or the notebook that adds them up.
    studies : tuple of (str, str)
        Label and address of each.
    certainty, symbol : str
        GRADE's, empty if not judged.
    lower, upper : float
        Limits of the interval, in percent, for the bar.
    """

    threshold: int
    count: str
    rate: str
    interval: str
    href: str
    studies: tuple[tuple[str, str], ...]
    certainty: str
    symbol: str
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class Card:
    """A number with what it means and where it comes from."""

    big: str
    words: str
    href: str


def threshold_lines(context: Context) -> list[ThresholdLine]:
    """Return a line for each threshold that a study analysed reports, ascending."""
    pooled, findings = context.table("pooled"), context.table("grade_findings")
    characteristics, responses = context.table("characteristics"), context.table("responses")
    if pooled is None or characteristics is None or responses is None:
        return []
    labels = dict(zip(characteristics["study"], characteristics["label"], strict=True))
    certainty = {} if findings is None else findings.set_index("outcome")[["certainty", "symbol"]].to_dict("index")
    return [
        _line(row, labels, responses, certainty.get(f"PASI{int(row['threshold'])}", {}))
        for row in pooled[pooled["k"] > 0].sort_values("threshold").to_dict("records")
    ]


def cards(context: Context) -> list[Card]:
    """Return the numbers behind the answer: patients, silent trials, and what the popular claims rest on."""
    tables = {name: context.table(name) for name in ("characteristics", "sex_subgroup", "doses", "safety_pool")}
    known = {name: table for name, table in tables.items() if table is not None and not table.empty}
    written = (_patients, _silent, _sex, _dose, _harm)
    return [card for write in written for card in write(known)]


def _line(
    row: Mapping[str, object], labels: dict[str, str], responses: pd.DataFrame, grade: dict[str, str]
) -> ThresholdLine:
    studies = str(row["studies"]).split()
    low, high = float(row["ci_lower"]), float(row["ci_upper"])  # type: ignore[arg-type]
    threshold = int(row["threshold"])  # type: ignore[call-overload]
    return ThresholdLine(
        threshold=threshold,
        count=f"{count_range(row['events_lower'], row['events_upper'])} of {row['n']}",  # type: ignore[arg-type]
        rate=percent_range(row["estimate_lower"], row["estimate_upper"]),  # type: ignore[arg-type]
        interval=percent_range(low, high),
        href=_count_href(studies, threshold, responses),
        studies=tuple((labels.get(study, study), entry_href(study)) for study in studies),
        certainty=grade.get("certainty", ""),
        symbol=grade.get("symbol", ""),
        lower=100 * low,
        upper=100 * high,
    )


def _count_href(studies: list[str], threshold: int, responses: pd.DataFrame) -> str:
    rows = responses[
        (responses["study"] == studies[0]) & (responses["threshold"] == threshold) & responses["subgroup_by"].isna()
    ]
    if len(studies) == 1 and len(rows) == 1 and isinstance(rows["entry"].iloc[0], str):
        return entry_href(rows["entry"].iloc[0])
    return "04_pooling.html#statement-response"


def _patients(tables: dict[str, pd.DataFrame]) -> list[Card]:
    table = tables.get("characteristics")
    if table is None:
        return []
    reported = table[(table["status"] == "reported") & (table["product_class"] == "expanded_msc")]
    words = f"in {number(len(reported), 'published report')} were treated with cultured cells"
    analysed = table[table["included"]]
    counted = (
        f"were in the {number(len(analysed), 'study', 'studies')} that "
        f"{'counts' if len(analysed) == 1 else 'count'} PASI responses"
    )
    return [
        Card(f"{int(reported['enrolled'].sum())} patients", words, "studies.html"),
        Card(f"{int(analysed['enrolled'].sum())} of them", counted, "01_evidence.html"),
    ]


def _silent(tables: dict[str, pd.DataFrame]) -> list[Card]:
    table = tables.get("characteristics")
    if table is None or not (table["stage"] == "reported").any():
        return []
    silent = table[table["stage"] == "reported"]
    words = (
        f"{'shows' if len(silent) == 1 else 'show'} no results; {int(silent['registered'].sum())} patients were to "
        "be treated in them"
    )
    big = f"{len(silent)} registered {'trial' if len(silent) == 1 else 'trials'}"
    return [Card(big, words, "11_missing_evidence.html#statement-missing_evidence")]


def _sex(tables: dict[str, pd.DataFrame]) -> list[Card]:
    table = tables.get("sex_subgroup")
    if table is None:
        return []
    row = table.iloc[0]
    lower, upper = (
        f"{100 * row[f'risk_difference_ci_{end}']:+.0f}".replace("-", "\u2212") for end in ("lower", "upper")
    )
    words = (
        f"({row['events1']} of {row['n1']} women, {row['events2']} of {row['n2']} men) are all that "
        f"\u201cwomen respond better\u201d rests on, in {row['label']}: a difference of {lower} to {upper} percentage "
        f"points ({percent(row['level'])} interval)"
    )
    return [Card(f"{row['events1'] + row['events2']} responders", words, "08_sex_subgroup.html#statement-sex")]


def _dose(tables: dict[str, pd.DataFrame]) -> list[Card]:
    doses, characteristics = tables.get("doses"), tables.get("characteristics")
    if doses is None or characteristics is None:
        return []
    levels = doses[doses["included"]].groupby("study")["dose_low"].nunique()
    several = characteristics[characteristics["study"].isin(levels[levels > 1].index)]
    if several.empty:
        return []
    words = (
        f"at {number(int(levels.max()), 'dose')} are all that \u201cdose doesn't matter\u201d rests on, in "
        f"{listing(several['label'])}; who responded at which dose isn't published"
    )
    return [Card(f"{int(several['analysed'].sum())} patients", words, "07_dose_response.html#statement-dose")]


def _harm(tables: dict[str, pd.DataFrame]) -> list[Card]:
    table = tables.get("safety_pool")
    if table is None:
        return []
    row = table.iloc[0]
    words = (
        f"had a serious event judged related to treatment; a rate of up to {percent(row['upper'], 1)} can't be ruled "
        f"out (one-sided {percent(row['level'])} bound)"
    )
    return [Card(f"{int(row['events'])} of {int(row['n'])} patients", words, "06_safety.html#statement-safety")]
