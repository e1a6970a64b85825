"""How sure the answers are: sentences and tables from risk of bias, GRADE and the flow of records."""

from __future__ import annotations

import pandas as pd

from pasimeta.evidence.entries import study_entry
from pasimeta.report.words import SPACE, listing, markdown_text, number

_VERDICTS = {"no_information": "no information", "not_met": "not met", "not_applicable": "doesn't apply"}


def findings_table(findings: pd.DataFrame) -> pd.DataFrame:
    """The summary of findings as a reader sees it: counts, effects per 1,000 with intervals, certainty, reasons."""
    rows = [
        {
            "outcome": row.outcome,
            "evidence": f"{_counted(row.events_lower, row.events_upper)} of {row.patients}, "
            f"{number(row.k, 'study', 'studies')}",
            "effect": _per(row.rate_lower_per_1000, row.rate_upper_per_1000)
            + f" ({row.ci_lower_per_1000:.0f} to {row.ci_upper_per_1000:.0f})",
            "comparison": _optional(row, "comparison"),
            "difference": _optional(row, "difference"),
            "certainty": f"{row.symbol} {row.certainty}",
            "reasons": row.reasons,
        }
        for row in findings.itertuples()
    ]
    return pd.DataFrame(rows)


def judgements_table(judgements: pd.DataFrame) -> pd.DataFrame:
    """ROBINS-I judgements and their reasons in words, for a table; ``entry`` is their place on the study's page."""
    verdicts = judgements["judgement"].map(lambda verdict: _VERDICTS.get(verdict, str(verdict)))
    # a study that nobody judged has neither sources nor a place on its page
    entries = [
        study_entry(row.study, f"robins.{row.item}") if isinstance(row.source, str) else None
        for row in judgements.itertuples()
    ]
    return judgements.assign(judgement=verdicts, entry=entries)


def grade_sentences(findings: pd.DataFrame, judgements: pd.DataFrame) -> list[str]:
    """State the certainty of every outcome, and what lowers it.

    Parameters
    ----------
    findings, judgements : DataFrame
        Tables ``grade_findings`` and ``grade_judgements``.
    """
    if findings.empty:
        return ["No outcome is pooled, so there is nothing to be certain of."]
    sentences = [
        f"The certainty (GRADE) is **{level}** for {listing(markdown_text(str(name)) for name in rows['outcome'])}."
        for level, rows in findings.groupby("certainty", sort=False)
    ]
    lowered = judgements[judgements["levels"] > 0]
    counts = lowered.groupby("domain", sort=False)["outcome"].nunique()
    everywhere = [str(domain) for domain, count in counts.items() if count == len(findings)]
    somewhere = [str(domain) for domain, count in counts.items() if count < len(findings)]
    if everywhere:
        sentences.append(f"Every outcome is marked down for {listing(everywhere)}.")
    if somewhere:
        sentences.append(f"Some are marked down for {listing(somewhere)}.")
    if (findings["start"] == "low").all():
        sentences.append("All of it starts low, because nothing was compared with a control group.")
    return sentences


def risk_sentences(risks: pd.DataFrame, answers: pd.DataFrame) -> list[str]:
    """State how much could be judged at all, and which domain is worst.

    Parameters
    ----------
    risks, answers : DataFrame
        Tables ``risk_of_bias`` (ROBINS-I) and ``case_series_items`` (JBI).
    """
    silent = (risks["judgement"] == "no_information").sum() + (answers["judgement"] == "unclear").sum()
    asked = len(risks) + (answers["judgement"] != "not_applicable").sum()
    studies = risks["study"].nunique()
    share = 100 * silent / asked
    sentences = [
        f"Of {asked} judgements on {number(studies, 'study', 'studies')}, {silent} ({share:.0f}{SPACE}%) can't be made "
        "from the documents seen: mostly abstracts, registry records and restatements."
    ]
    critical = risks[risks["judgement"] == "critical"]
    if not critical.empty:
        worst = critical.groupby("question", sort=False)["study"].nunique()
        domain = str(worst.index[worst.argmax()]).split(":")[0].lower()
        sentences.append(f"{int(worst.max())} of {studies} are at critical risk of {domain}.")
    return sentences


def _counted(lower: int, upper: int) -> str:
    return str(lower) if lower == upper else f"{lower} to {upper}"


def _per(lower: float, upper: float) -> str:
    return f"{lower:.0f}" if lower == upper else f"{lower:.0f} to {upper:.0f}"


def _optional(row: object, stem: str) -> str | None:
    value, lower, upper = (getattr(row, f"{stem}{part}_per_1000") for part in ("", "_lower", "_upper"))
    if value is None or value != value:
        return None
    return f"{value:.0f} ({lower:.0f} to {upper:.0f})".replace("-", "\u2212")
