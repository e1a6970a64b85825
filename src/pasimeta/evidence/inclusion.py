"""Which studies are analysed: a rule over the data, stated in the parameters, never a list of names."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from pasimeta.errors import ParameterError
from pasimeta.evidence.store import Evidence
from pasimeta.evidence.study import Study

STAGES = (
    "product",
    "population",
    "reported",
    "pasi_response",
    "not_confounded",
    "design",
    "size",
)
STAGE_LABELS = {
    "product": "culture-expanded cells",
    "population": "patients with plaque psoriasis",
    "reported": "results reported",
    "pasi_response": "PASI response counted",
    "not_confounded": "not confounded",
    "design": "eligible design",
    "size": "large enough",
}


@dataclass(frozen=True, slots=True)
class InclusionRule:
    """What a study must be to enter the pooled analyses.

    Attributes
    ----------
    product_classes : tuple of str
        Eligible product classes.
    conditions : tuple of str
        Eligible conditions of the patients.
    designs : tuple of str
        Eligible designs. Case reports and series are left out by default: they are written because they succeeded.
    min_analysed : int
        Smallest number of patients.
    """

    product_classes: tuple[str, ...] = ("expanded_msc",)
    conditions: tuple[str, ...] = ("plaque_psoriasis",)
    designs: tuple[str, ...] = ("single_arm", "randomized")
    min_analysed: int = 1


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a study is included; if not, the first stage it fails and why."""

    study: str
    included: bool
    stage: str | None
    reason: str


def decide(study: Study, rule: InclusionRule) -> Decision:
    """Hold one study against the rule, stage by stage in the order of ``STAGES``."""
    for stage, reason in _failures(study, rule):
        if reason is not None:
            return Decision(study.id, False, stage, reason)
    return Decision(study.id, True, None, "meets every rule")


def decide_all(evidence: Evidence, rule: InclusionRule) -> list[Decision]:
    """Hold every study against the rule, in order of id."""
    return [decide(study, rule) for study in evidence.studies.values()]


def require_some(decisions: list[Decision]) -> None:
    """Refuse a rule that no study meets.

    Raises
    ------
    ParameterError
        Naming the stage that the last studies failed.
    """
    if any(decision.included for decision in decisions):
        return
    furthest = max((d for d in decisions if d.stage), key=lambda d: STAGES.index(d.stage or STAGES[0]), default=None)
    last = f"; the last to fail was {furthest.study}: {furthest.reason}" if furthest else ""
    raise ParameterError(f"evidence: no study meets the rule{last}; widen the evidence section of the parameters")


def included(evidence: Evidence, rule: InclusionRule) -> list[Study]:
    """Return the studies that meet the rule, in order of id."""
    return [evidence.studies[d.study] for d in decide_all(evidence, rule) if d.included]


def treated(evidence: Evidence) -> dict[str, int]:
    """Count the patients each study reports on; 0 for a trial without results."""
    return {
        study.id: (study.population.enrolled.value or 0) if study.status == "reported" else 0
        for study in evidence.studies.values()
    }


def flow(decisions: list[Decision], enrolled: dict[str, int]) -> pd.DataFrame:
    """Count what is left and what is lost at each stage.

    Parameters
    ----------
    decisions : list of Decision
    enrolled : dict of str to int
        Patients by study, 0 where unknown or where none is known to have been treated.

    Returns
    -------
    DataFrame
        One row a stage: ``stage``, ``label``, ``excluded`` (studies), ``excluded_studies`` (ids), ``left``
        (studies), ``patients_left``.
    """
    remaining = list(decisions)
    rows = []
    for stage in STAGES:
        lost = [d for d in remaining if d.stage == stage]
        remaining = [d for d in remaining if d.stage != stage]
        rows.append(
            {
                "stage": stage,
                "label": STAGE_LABELS[stage],
                "excluded": len(lost),
                "excluded_studies": " ".join(d.study for d in lost),
                "left": len(remaining),
                "patients_left": sum(enrolled[d.study] for d in remaining),
            }
        )
    return pd.DataFrame(rows)


def _failures(study: Study, rule: InclusionRule) -> list[tuple[str, str | None]]:
    product, condition = study.product.product_class, study.population.condition
    analysed = study.population.analysed.value
    counted = any(o.endpoint == "pasi_response" for o in study.outcomes)
    return [
        ("product", None if product in rule.product_classes else f"product is {_words(product)}"),
        ("population", None if condition in rule.conditions else f"treats {_words(condition)}"),
        ("reported", None if study.status == "reported" else study.status_reason),
        ("pasi_response", None if counted else "no PASI response is counted in what was seen"),
        ("not_confounded", None if study.exclusion is None else study.exclusion.reason),
        ("design", None if study.design in rule.designs else f"design is {_words(study.design)}"),
        ("size", _too_small(analysed, rule.min_analysed)),
    ]


def _too_small(analysed: int | None, least: int) -> str | None:
    if analysed is None:
        return "number analysed is not reported"
    return None if analysed >= least else f"{analysed} patients analysed, fewer than {least}"


def _words(identifier: str) -> str:
    return identifier.replace("_", " ").replace("msc", "MSC").replace("svf", "SVF")
