"""Reports of single patients as strata of women and men.

A report that tells each patient's sex and PASI is a study as small as can be. Under an intercept a study it compares
its own women and men, and one patient, or patients who all responded, are compared with nobody: what they add is
exactly nothing. Across studies they do speak, and there they mislead: a case is written up because it went well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from pasimeta.effects.pasi import reaches
from pasimeta.effects.patients import patient_improvements
from pasimeta.evidence.store import Evidence
from pasimeta.evidence.study import Study
from pasimeta.moderators.one_stage import INTERCEPTS, LEAST_RANDOM, OneStageResult, one_stage
from pasimeta.moderators.strata import Stratum

SEXES = ("female", "male")


@dataclass(frozen=True, slots=True)
class Reading:
    """A one-stage fit, and whether reports of single patients are in it."""

    with_patients: bool
    fit: OneStageResult

    def to_frame(self) -> pd.DataFrame:
        """One row: ``with_patients`` and the columns of the fit."""
        table = self.fit.to_frame()
        table.insert(0, "with_patients", self.with_patients)
        return table


def one_stage_readings(strata: Sequence[Stratum], everyone: Sequence[Stratum], level: float = 0.95) -> list[Reading]:
    """Return every reading of the same patients: each kind of intercept, without and with reports of single patients.

    Parameters
    ----------
    strata, everyone : sequence of Stratum
        The studies, and the studies with the reports; the same where there are none.
    level : float

    Returns
    -------
    list of Reading
        The studies' own within-study reading first. Random intercepts are left out below ``LEAST_RANDOM`` studies.
    """
    groups = [(False, strata)] if list(strata) == list(everyone) else [(False, strata), (True, everyone)]
    return [
        Reading(patients, one_stage(group, intercepts, level))
        for patients, group in groups
        for intercepts in INTERCEPTS
        if intercepts != "random" or len(group) >= LEAST_RANDOM
    ]


def patient_strata(evidence: Evidence, characteristics: pd.DataFrame, threshold: int) -> list[Stratum]:
    """Return the studies that tell the PASI of single patients, as strata of women and men.

    Parameters
    ----------
    evidence : Evidence
        For the patients.
    characteristics : DataFrame
        The table of the evidence notebook: a study counts that is analysed, or that only its design or its size keeps
        from being so.
    threshold : int
        PASI threshold, held against each patient's own scores.

    Returns
    -------
    list of Stratum
        In order of study id. A patient whose sex or PASI isn't told may be either: the stratum then holds every table
        that fits. Studies that print neither numbers of women and men nor every patient's sex are left out.
    """
    eligible = characteristics["included"] | characteristics["stage"].isin(["design", "size"])
    strata = []
    for identifier in sorted(set(characteristics.loc[eligible, "study"]) & set(evidence.studies)):
        stratum = _stratum(evidence.studies[identifier], threshold)
        if stratum is not None:
            strata.append(stratum)
    return strata


def with_patients(strata: Sequence[Stratum], patients: Sequence[Stratum]) -> list[Stratum]:
    """Return studies and reports of patients together; of a study known both ways, the one with fewer allocations."""
    told = {each.label: each for each in patients}
    merged = []
    for stratum in strata:
        other = told.pop(stratum.label, None)
        better = other is not None and len(other.pairs) < len(stratum.pairs)
        merged.append(other if other is not None and better else stratum)
    return [*merged, *told.values()]


def _stratum(study: Study, threshold: int) -> Stratum | None:
    sizes = _sizes(study)
    improvements = patient_improvements(study.patients)
    told = [
        (patient.sex, bool(reaches(improvement, threshold)))
        for patient, improvement in zip(study.patients, improvements, strict=True)
        if improvement is not None
    ]
    if sizes is None or not told:
        return None
    responded = [sum(1 for sex, yes in told if yes and sex == which) for which in SEXES]
    failed = [sum(1 for sex, yes in told if not yes and sex == which) for which in SEXES]
    lower = sum(1 for _, yes in told if yes)
    return Stratum(
        study.label,
        *sizes,
        events_lower=lower,
        events_upper=lower + sum(sizes) - len(told),
        first_lower=responded[0],
        first_upper=sizes[0] - failed[0],
        threshold=threshold,
        second_lower=responded[1],
        second_upper=sizes[1] - failed[1],
    )


def _sizes(study: Study) -> tuple[int, int] | None:
    """Return the women and the men of a study: as printed, or counted where every patient's sex is told."""
    women, men = study.population.female.value, study.population.male.value
    if women is None or men is None:
        sexes = [patient.sex for patient in study.patients]
        if len(sexes) != study.population.enrolled.value or not set(sexes) <= set(SEXES):
            return None
        women, men = sexes.count("female"), sexes.count("male")
    return (women, men) if len(study.patients) <= women + men else None
