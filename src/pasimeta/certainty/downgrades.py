"""The five GRADE domains as rules: each looks at stated numbers, and says what it took off and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from pasimeta.errors import PasimetaError

SERIOUS = ("serious", "critical")
_OTHER_DOMAINS = ("selection", "classification", "deviations", "missing_data", "measurement", "reported_result")


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeRules:
    """Limits at which certainty falls.

    Attributes
    ----------
    half : float
        Share of patients from which a study's limitation counts for the outcome.
    wide, very_wide : float
        Width of the interval, as a proportion, above which one and two levels go.
    margin : float
        Half width that an adequate study of the rate would have; it sets the optimal information size.
    spread : float
        Width of the prediction interval beyond that of the confidence interval from which results are inconsistent.
    silent : float
        Share of patients in trials that ended without reporting from which publication bias is suspected.
    rare : float
        Rate of a harm that a study without events should be able to exclude (by the rule of three, 3 / rate patients).
    """

    half: float = 0.5
    wide: float = 0.2
    very_wide: float = 0.4
    margin: float = 0.1
    spread: float = 0.2
    silent: float = 0.2
    rare: float = 0.01

    def __post_init__(self) -> None:
        """Refuse limits that aren't shares."""
        for name in ("half", "wide", "very_wide", "margin", "spread", "silent", "rare"):
            value = getattr(self, name)
            if not (isinstance(value, (int, float)) and 0 < value <= 1):
                raise PasimetaError(f"rules.{name}: {value!r} is not a share above 0 and at most 1; 20 % is 0.2")
        if self.wide >= self.very_wide:
            raise PasimetaError(f"rules.very_wide: {self.very_wide:g} must be above wide ({self.wide:g})")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeEvidence:
    """What the rules look at, for one outcome.

    Attributes
    ----------
    outcome : str
        Such as ``PASI75``.
    studies : tuple of str
        Ids.
    patients : tuple of int
        Patients of each study.
    events_lower, events_upper : int
        Patients with the outcome, at the least and the most.
    rate_lower, rate_upper : float
        Pooled rate over every way to fill interval counts.
    ci_lower, ci_upper : float
        Its interval.
    randomized : bool
        Whether every study compares randomized groups.
    domain_risks : tuple of dict
        ROBINS-I risk by domain, one a study; empty where nobody judged.
    undated_patients : int
        Patients of studies that don't say when the outcome was judged.
    pi_lower, pi_upper : float or None
        Prediction interval.
    off_target_patients : int
        Patients whose product or disease isn't the one in question.
    unreported_patients : int
        Most patients of trials that ended without reporting.
    """

    outcome: str
    studies: tuple[str, ...]
    patients: tuple[int, ...]
    events_lower: int
    events_upper: int
    rate_lower: float
    rate_upper: float
    ci_lower: float
    ci_upper: float
    randomized: bool
    domain_risks: tuple[dict[str, str], ...]
    undated_patients: int = 0
    pi_lower: float | None = None
    pi_upper: float | None = None
    off_target_patients: int = 0
    unreported_patients: int = 0

    def __post_init__(self) -> None:
        """Refuse parts that don't belong together."""
        if not self.studies or len(self.studies) != len(self.patients) or len(self.studies) != len(self.domain_risks):
            raise PasimetaError(f"{self.outcome}: studies, patients and domain_risks need one entry a study each")
        if not 0 <= self.ci_lower <= self.rate_lower <= self.rate_upper <= self.ci_upper <= 1:
            raise PasimetaError(f"{self.outcome}: its rate lies outside its interval, or either outside [0, 1]")

    @property
    def k(self) -> int:
        """Number of studies."""
        return len(self.studies)

    @property
    def n(self) -> int:
        """Number of patients."""
        return sum(self.patients)


@dataclass(frozen=True, slots=True)
class Downgrade:
    """What one GRADE domain takes off.

    Attributes
    ----------
    domain : str
    levels : int
        0, 1 or 2.
    reason : str
        Why, or why not.
    """

    domain: str
    levels: int
    reason: str


def downgrades(evidence: OutcomeEvidence, rules: GradeRules) -> tuple[Downgrade, ...]:
    """Apply the five rules, in GRADE's order."""
    domains: tuple[tuple[str, Callable[[OutcomeEvidence, GradeRules], tuple[int, str]]], ...] = (
        ("risk of bias", _risk_of_bias),
        ("inconsistency", _inconsistency),
        ("indirectness", _indirectness),
        ("imprecision", _imprecision),
        ("publication bias", _publication_bias),
    )
    return tuple(Downgrade(name, *rule(evidence, rules)) for name, rule in domains)


def optimal_information_size(rate: float, margin: float, level: float = 0.95) -> int:
    """Patients whose rate would be known to within ``margin`` either way: z^2 p (1 - p) / margin^2, rounded up.

    At least as many as a rate of 10 % (or 90 %) needs, for near 0 and 1 the formula breaks down.
    """
    p = min(max(rate, 0.1), 0.9)
    return int(np.ceil(ndtri((1 + level) / 2) ** 2 * p * (1 - p) / margin**2))


def _risk_of_bias(evidence: OutcomeEvidence, rules: GradeRules) -> tuple[int, str]:
    """Two levels if a critical, one if a serious domain other than confounding marks enough patients."""
    # confounding counts where the start is high; where it is low, the start stands for it
    names = [*_OTHER_DOMAINS, *(["confounding"] if evidence.randomized else [])]
    by_level = {
        2: _marked(evidence, names, ("critical",)),
        1: _marked(evidence, names, SERIOUS),
    }
    for levels, found in by_level.items():
        share = _share(evidence, found)
        if found and share >= rules.half:
            domains = sorted({name for marked in found.values() for name in marked}, key=names.index)
            what = ", ".join(name.replace("_", " ") for name in domains)
            worst = "critical" if levels == 2 else "serious"
            return levels, f"{worst} risk in {what}, in studies with {_percent(share)} of the patients"
    unknown = _unknown(evidence, names)
    share = _share(evidence, unknown)
    if unknown and share >= rules.half:
        return 1, f"at least half of the domains can't be judged in studies with {_percent(share)} of the patients"
    spared = "" if evidence.randomized else " beyond the lack of a control group, which the low start stands for"
    return 0, f"no serious risk in studies with enough of the patients{spared}"


def _inconsistency(evidence: OutcomeEvidence, rules: GradeRules) -> tuple[int, str]:
    """One level if a new study's rate is much less certain than the mean."""
    if evidence.k == 1:
        return 0, "one study: there is nothing to be inconsistent with, and nothing that repeats it"
    if evidence.pi_lower is None or evidence.pi_upper is None:
        return 0, f"{evidence.k} studies, no prediction interval to judge by"
    excess = (evidence.pi_upper - evidence.pi_lower) - (evidence.ci_upper - evidence.ci_lower)
    text = f"the prediction interval is {_points(excess)} wider than that of the mean"
    return (1, text) if excess > rules.spread else (0, text)


def _indirectness(evidence: OutcomeEvidence, rules: GradeRules) -> tuple[int, str]:
    """One level for an unknown time of judgement, one for another product or disease."""
    undated, other = evidence.undated_patients / evidence.n, evidence.off_target_patients / evidence.n
    reasons = []
    if undated >= rules.half:
        reasons.append(f"when it was judged isn't stated for {_percent(undated)} of the patients")
    if other >= rules.half:
        reasons.append(f"{_percent(other)} of the patients had another product or disease")
    return len(reasons), "; ".join(reasons) or "patients, product and time are those in question"


def _imprecision(evidence: OutcomeEvidence, rules: GradeRules) -> tuple[int, str]:
    """One or two levels by the width of the interval; at least one below the optimal information size."""
    if evidence.events_upper == 0:
        return _imprecision_without_events(evidence, rules)
    width = evidence.ci_upper - evidence.ci_lower
    needed = optimal_information_size((evidence.rate_lower + evidence.rate_upper) / 2, rules.margin)
    by_width = int(width > rules.wide) + int(width > rules.very_wide)
    by_size = int(evidence.n < needed)
    levels = max(by_width, by_size)
    text = (
        f"the interval is {_points(width)} wide, and {evidence.n} patients are "
        f"{'fewer than' if by_size else 'at least'} the {needed} that would tell the rate to {_points(rules.margin)}"
    )
    return levels, text


def _imprecision_without_events(evidence: OutcomeEvidence, rules: GradeRules) -> tuple[int, str]:
    needed = int(np.ceil(3 / rules.rare))
    levels = int(evidence.n < needed) + int(evidence.ci_upper > rules.margin)
    text = (
        f"no event in {evidence.n} patients leaves room for {_percent(evidence.ci_upper)}; to exclude "
        f"{100 * rules.rare:g}\u00a0% takes {needed} patients"
    )
    return levels, text


def _publication_bias(evidence: OutcomeEvidence, rules: GradeRules) -> tuple[int, str]:
    """One level if trials known to have ended hold too large a share of the patients."""
    silent = evidence.unreported_patients
    share = silent / (silent + evidence.n)
    text = (
        f"up to {silent} patients in trials that ended without reporting, beside {evidence.n} reported"
        if silent
        else "no trial is known to have ended without reporting"
    )
    return (1, text) if silent and share >= rules.silent else (0, text)


def _marked(evidence: OutcomeEvidence, names: list[str], risks: tuple[str, ...]) -> dict[int, list[str]]:
    marked = {
        index: [name for name in names if judged.get(name) in risks]
        for index, judged in enumerate(evidence.domain_risks)
    }
    return {index: found for index, found in marked.items() if found}


def _unknown(evidence: OutcomeEvidence, names: list[str]) -> dict[int, list[str]]:
    unknown = {
        index: [name for name in names if judged.get(name, "no_information") == "no_information"]
        for index, judged in enumerate(evidence.domain_risks)
    }
    return {index: found for index, found in unknown.items() if 2 * len(found) >= len(names)}


def _share(evidence: OutcomeEvidence, studies: dict[int, list[str]]) -> float:
    return sum(evidence.patients[index] for index in studies) / evidence.n


def _percent(share: float) -> str:
    return f"{100 * share:.0f}\u00a0%"


def _points(width: float) -> str:
    return f"{100 * width:.0f} percentage points".replace("-", "\u2212")
