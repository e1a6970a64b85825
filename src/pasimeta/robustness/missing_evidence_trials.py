"""Trials that should be in the synthesis and aren't: who was treated in them, what is certain, and a ROB-ME table."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from pasimeta.errors import PasimetaError
from pasimeta.evidence.inclusion import InclusionRule
from pasimeta.evidence.selection import response_counts
from pasimeta.evidence.store import Evidence
from pasimeta.evidence.study import Study

#: ROB-ME's signs (Page et al. 2023, step 2), in words.
SYMBOLS = {
    "available": "✓",
    "bounded": "~",
    "missing": "?",
    "fate unknown": "–",
}
#: Share of the patients that may be missing from which the synthesis is judged at high risk.
_HIGH_RISK = 0.25
_PASI_MEASURES = ("pasi_response", "pasi_change", "pasi_improvement_rate")


@dataclass(frozen=True, slots=True)
class UnreportedTrial:
    """A registered, eligible trial without results.

    Attributes
    ----------
    study, label : str
        Id and name.
    ended : bool
        Whether a document says that it was completed or stopped.
    treated_lower, treated_upper : int
        Patients certainly treated, and at most: an enrolment that may not have been dosed counts above only.
    basis : str
        Where the two come from.
    pasi_registered : bool or None
        Whether a PASI outcome was registered; None where the registered outcomes weren't kept.
    reason : str
        What is known of the silence.
    """

    study: str
    label: str
    ended: bool
    treated_lower: int
    treated_upper: int
    basis: str
    pasi_registered: bool | None
    reason: str


def unreported_trials(
    evidence: Evidence, rule: InclusionRule | None = None, *, ended_only: bool = False
) -> tuple[UnreportedTrial, ...]:
    """Return the eligible trials without results, those that ended first, the surest count of patients first.

    Parameters
    ----------
    evidence : Evidence
    rule : InclusionRule, optional
        Products, conditions and designs that make a trial eligible; the default rule if left out.
    ended_only : bool
        Leave out trials of which no document says that they ended.
    """
    rule = rule or InclusionRule()
    trials = [
        _unreported(study)
        for study in evidence.studies.values()
        if study.status != "reported" and _eligible(study, rule)
    ]
    kept = [trial for trial in trials if trial.ended or not ended_only]
    return tuple(sorted(kept, key=lambda t: (not t.ended, -t.treated_lower, -t.treated_upper, t.study)))


@dataclass(frozen=True, slots=True)
class RobMe:
    """Risk of bias due to missing evidence in the synthesis of one PASI threshold.

    Attributes
    ----------
    threshold : int
        Percent improvement of PASI.
    trials : DataFrame
        One row an eligible trial: ``study``, ``label``, ``result`` (a key of ``SYMBOLS``), ``symbol``,
        ``treated_lower``, ``treated_upper``, ``reason``.
    reported : int
        Patients of the eligible trials that reported anything.
    available : int
        Patients whose result is in the synthesis, exactly or bounded.
    missing_lower, missing_upper : int
        Patients of ended or reported trials whose result isn't: certainly treated, and at most.
    judgement : str
        ``low``, ``some concerns`` or ``high``, by rule.
    reason : str
        The rule's grounds, in a sentence.
    """

    threshold: int
    trials: pd.DataFrame
    reported: int
    available: int
    missing_lower: int
    missing_upper: int
    judgement: str
    reason: str

    def to_frame(self) -> pd.DataFrame:
        """The trials, with the threshold."""
        return self.trials.assign(threshold=self.threshold)


def rob_me(evidence: Evidence, responses: pd.DataFrame, threshold: int, rule: InclusionRule | None = None) -> RobMe:
    """Hold every eligible trial against the synthesis of one threshold, and judge the synthesis.

    Parameters
    ----------
    evidence : Evidence
    responses : DataFrame
        The ``RESPONSES`` table; ``included`` says which studies are analysed.
    threshold : int
        Percent improvement of PASI.
    rule : InclusionRule, optional
        What makes a trial eligible; the default rule if left out.

    Returns
    -------
    RobMe
        No trial is judged to be silent *because* of its result: no document shows that of any. The sign ``?`` says
        that it can't be excluded, ``–`` that nobody may have been treated at all. The synthesis is at
        high risk where a quarter or more of the patients may be missing from it, of some concern where any may be.

    Raises
    ------
    PasimetaError
        If no trial is eligible.

    References
    ----------
    Page MJ, Sterne JAC, Boutron I, et al. ROB-ME: a tool for assessing risk of bias due to missing evidence in
    systematic reviews with meta-analysis. BMJ 2023;383:e076754.
    """
    rule = rule or InclusionRule()
    eligible = [study for study in evidence.studies.values() if _eligible(study, rule)]
    if not eligible:
        raise PasimetaError("rob_me: no trial meets the rule's products, conditions and designs; widen them")
    exact = response_counts(responses, threshold).set_index("study")
    bounded = response_counts(responses, threshold, unreported="bound").set_index("study")
    rows = [_judged(study, threshold, exact, bounded) for study in eligible]
    order = list(SYMBOLS)
    table = pd.DataFrame(sorted(rows, key=lambda row: (order.index(str(row["result"])), str(row["study"]))))
    there = table["result"].isin(["available", "bounded"])
    lost = table[table["result"] == "missing"]
    available, lower, upper = (
        int(value)
        for value in (table.loc[there, "treated_upper"].sum(), lost["treated_lower"].sum(), lost["treated_upper"].sum())
    )
    share = upper / (available + upper) if available + upper else 0.0
    judgement = "high" if share >= _HIGH_RISK else "some concerns" if upper else "low"
    reason = (
        f"{available} patients are counted, exactly or by bounds; {lower} certainly and {upper} at most were treated "
        f"in trials whose result isn't: up to {100 * share:.0f} % of all"
    )
    reported = sum(_treated(study)[1] for study in eligible if study.status == "reported")
    return RobMe(threshold, table, reported, available, lower, upper, judgement, reason)


def _eligible(study: Study, rule: InclusionRule) -> bool:
    return (
        study.product.product_class in rule.product_classes
        and study.population.condition in rule.conditions
        and study.design in rule.designs
    )


def _unreported(study: Study) -> UnreportedTrial:
    lower, upper, basis = _treated(study)
    return UnreportedTrial(
        study=study.id,
        label=study.label,
        ended=study.status == "unreported",
        treated_lower=lower,
        treated_upper=upper,
        basis=basis,
        pasi_registered=_pasi_registered(study),
        reason=study.status_reason,
    )


def _treated(study: Study) -> tuple[int, int, str]:
    if study.status == "reported":
        enrolled = study.population.enrolled.value or 0
        return enrolled, enrolled, "reported"
    registration = study.registration
    if registration is None:
        return 0, 0, "not registered"
    treated = registration.treated
    if treated is not None and treated.value is not None:
        return treated.value, treated.value, f"{treated.value} are reported to have been treated"
    size = registration.enrollment.value
    if size is None:
        return 0, 0, "no size is given"
    kind = {"actual": "an actual enrolment", "target": "a planned enrolment", None: "an enrolment, planned or actual,"}
    return (
        0,
        size,
        f"{kind[registration.enrollment_type]} of {size} is given, and no document says how many were treated",
    )


def _pasi_registered(study: Study) -> bool | None:
    if study.registration is None or not study.registration.planned_outcomes:
        return None
    return any(outcome.measure in _PASI_MEASURES for outcome in study.registration.planned_outcomes)


def _judged(study: Study, threshold: int, exact: pd.DataFrame, bounded: pd.DataFrame) -> dict[str, object]:
    lower, upper, basis = _treated(study)
    result, reason = _result(study, threshold, exact, bounded, basis)
    return {
        "study": study.id,
        "label": study.label,
        "result": result,
        "symbol": SYMBOLS[result],
        "treated_lower": lower,
        "treated_upper": upper,
        "reason": reason,
    }


def _result(study: Study, threshold: int, exact: pd.DataFrame, bounded: pd.DataFrame, basis: str) -> tuple[str, str]:
    if study.id in exact.index and exact.loc[study.id, "basis"] == "reported":
        return "available", f"PASI{threshold} is counted"
    if study.id in bounded.index:
        row = bounded.loc[study.id]
        ends = f"{int(row['events_lower'])} to {int(row['events_upper'])} of {int(row['n'])}"
        return "bounded", f"PASI{threshold} isn't reported; the thresholds that are leave {ends}"
    if study.status == "reported":
        return "missing", f"reported, but no PASI{threshold} count was seen"
    outcome = {
        True: "a PASI outcome is registered",
        False: "no PASI outcome is among the registered ones that were kept",
        None: "the registered outcomes weren't kept",
    }[_pasi_registered(study)]
    if study.status == "unreported":
        return "missing", f"{study.status_reason}; {basis}; {outcome}"
    return "fate unknown", f"{study.status_reason}; {basis}"
