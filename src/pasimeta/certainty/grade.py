"""GRADE certainty by stated rules: where it starts, what lowers it and why, and what 1,000 patients may expect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from pasimeta.certainty.downgrades import Downgrade, GradeRules, OutcomeEvidence, downgrades
from pasimeta.errors import PasimetaError

LEVELS = ("very low", "low", "moderate", "high")
SYMBOLS = ("⊕⊝⊝⊝", "⊕⊕⊝⊝", "⊕⊕⊕⊝", "⊕⊕⊕⊕")
PER = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One row of the summary of findings.

    Attributes
    ----------
    evidence : OutcomeEvidence
        What was pooled.
    start : str
        Certainty before any downgrade.
    downgrades : tuple of Downgrade
        One a GRADE domain, those of zero levels too.
    certainty, symbol : str
        What is left.
    comparison, comparison_lower, comparison_upper : float or None
        Rate of the comparison treatment in other trials.
    difference, difference_lower, difference_upper : float or None
        Rate minus comparison, unadjusted, by Newcombe's combination of the two intervals.
    """

    evidence: OutcomeEvidence
    start: str
    downgrades: tuple[Downgrade, ...]
    certainty: str
    symbol: str
    comparison: float | None
    comparison_lower: float | None
    comparison_upper: float | None
    difference: float | None
    difference_lower: float | None
    difference_upper: float | None

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why certainty was lowered, one sentence a domain."""
        return tuple(f"{d.domain}: {d.reason}" for d in self.downgrades if d.levels)


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryOfFindings:
    """The whole table, with the rules it was made by.

    Attributes
    ----------
    rules : GradeRules
    findings : tuple of Finding
    comparison : str or None
        The treatment whose rates stand beside.
    """

    rules: GradeRules
    findings: tuple[Finding, ...]
    comparison: str | None = None

    def to_frame(self) -> pd.DataFrame:
        """One row an outcome: counts, absolute effects per 1,000 with intervals, certainty and every reason."""
        return pd.DataFrame([_row(finding) | {"comparison": self.comparison} for finding in self.findings])

    def judgements(self) -> pd.DataFrame:
        """One row an outcome and GRADE domain: levels taken off, and why or why not."""
        rows = [
            {"outcome": finding.evidence.outcome, "domain": d.domain, "levels": d.levels, "reason": d.reason}
            for finding in self.findings
            for d in finding.downgrades
        ]
        return pd.DataFrame(rows, columns=["outcome", "domain", "levels", "reason"])


def summary_of_findings(
    outcomes: Sequence[OutcomeEvidence],
    rules: GradeRules | None = None,
    comparisons: dict[str, tuple[float, float, float]] | None = None,
    comparison: str | None = None,
) -> SummaryOfFindings:
    """Judge every outcome by the same rules.

    Parameters
    ----------
    outcomes : sequence of OutcomeEvidence
    rules : GradeRules, optional
        Limits of the rules; the defaults are stated there.
    comparisons : dict of str to (rate, lower, upper), optional
        By outcome: the comparison treatment's rate in other trials, proportions.
    comparison : str, optional
        Name of that treatment.

    Returns
    -------
    SummaryOfFindings

    Raises
    ------
    PasimetaError
        For no outcome, or a comparison that doesn't ascend inside [0, 1].

    Notes
    -----
    Certainty starts at high for randomized comparisons and at low for everything else; each domain takes off up to two
    levels, and nothing adds any: GRADE allows upgrading where no domain is limited, which uncontrolled studies never
    are. Confounding is what the low start stands for, so that domain of ROBINS-I is not counted again.

    References
    ----------
    Guyatt GH et al. GRADE guidelines 1. J Clin Epidemiol 2011;64:383-394, and 4 to 8 of the series for the domains.
    Zeng L et al. GRADE guidance 34: imprecision. J Clin Epidemiol 2022;150:216-224. Newcombe RG. Interval estimation
    for the difference between independent proportions. Stat Med 1998;17:873-890.
    """
    if not outcomes:
        raise PasimetaError("outcomes: none; give at least one to summarize")
    limits = rules or GradeRules()
    return SummaryOfFindings(
        rules=limits,
        findings=tuple(_finding(outcome, limits, (comparisons or {}).get(outcome.outcome)) for outcome in outcomes),
        comparison=comparison if comparisons else None,
    )


def newcombe_difference(
    first: tuple[float, float, float], second: tuple[float, float, float]
) -> tuple[float, float, float]:
    """Difference of two rates from their (rate, lower, upper), by the square-and-add method."""
    (p1, l1, u1), (p2, l2, u2) = first, second
    difference = p1 - p2
    lower = difference - float(np.hypot(p1 - l1, u2 - p2))
    upper = difference + float(np.hypot(u1 - p1, p2 - l2))
    return difference, lower, upper


def _finding(evidence: OutcomeEvidence, rules: GradeRules, comparison: tuple[float, float, float] | None) -> Finding:
    lowered = downgrades(evidence, rules)
    start = LEVELS.index("high" if evidence.randomized else "low")
    left = max(0, start - sum(d.levels for d in lowered))
    rate, lower, upper = comparison or (None, None, None)
    difference: tuple[float | None, float | None, float | None] = (None, None, None)
    if comparison is not None:
        if not 0 <= comparison[1] <= comparison[0] <= comparison[2] <= 1:
            raise PasimetaError(
                f"comparisons: {evidence.outcome}: {comparison} don't hold a rate in its interval; 5 % is 0.05"
            )
        middle = (evidence.rate_lower + evidence.rate_upper) / 2
        difference = newcombe_difference((middle, evidence.ci_lower, evidence.ci_upper), comparison)
    return Finding(
        evidence=evidence,
        start=LEVELS[start],
        downgrades=lowered,
        certainty=LEVELS[left],
        symbol=SYMBOLS[left],
        comparison=rate,
        comparison_lower=lower,
        comparison_upper=upper,
        difference=difference[0],
        difference_lower=difference[1],
        difference_upper=difference[2],
    )


def _row(finding: Finding) -> dict[str, object]:
    e = finding.evidence
    per = {
        f"{name}_per_1000": None if value is None else round(PER * value)
        for name, value in (
            ("rate_lower", e.rate_lower),
            ("rate_upper", e.rate_upper),
            ("ci_lower", e.ci_lower),
            ("ci_upper", e.ci_upper),
            *((f.name, getattr(finding, f.name)) for f in fields(finding) if f.name.startswith(("comp", "diff"))),
        )
    }
    counts = {"k": e.k, "patients": e.n, "events_lower": e.events_lower, "events_upper": e.events_upper}
    lost = {d.domain.replace(" ", "_"): -d.levels for d in finding.downgrades}
    head = {"outcome": e.outcome, "studies": " ".join(e.studies)}
    tail = {"start": finding.start, "certainty": finding.certainty, "symbol": finding.symbol}
    return {**head, **counts, **per, **lost, **tail, "reasons": "; ".join(finding.reasons)}
