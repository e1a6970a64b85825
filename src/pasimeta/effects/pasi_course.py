"""PASI over visits: response when visits are missing, and the two definitions of relapse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pasimeta.effects.pasi import (
    MAX_PASI,
    ROUNDING,
    Flags,
    check_scores,
    patient_name,
    reaches,
    refuse_patients,
)
from pasimeta.effects.validation import Array, as_numbers, check_choice
from pasimeta.errors import PasimetaError

Imputation = Literal["nonresponder", "last_observed", "best_observed"]
IMPUTATIONS: tuple[Imputation, ...] = ("nonresponder", "last_observed", "best_observed")


@dataclass(frozen=True, slots=True)
class Relapses:
    """Who could relapse, who did, and when.

    Attributes
    ----------
    at_risk : ndarray of bool, shape (m,)
        Who had something to lose.
    relapsed : ndarray of bool, shape (m,)
        Who lost it, at any later visit.
    weeks : tuple of float or None, length m
        Week of the first visit in relapse; None without one.
    patients : tuple of str, length m
    """

    at_risk: Flags
    relapsed: Flags
    weeks: tuple[float | None, ...]
    patients: tuple[str, ...]

    @property
    def count(self) -> int:
        """Patients who relapsed."""
        return int(self.relapsed.sum())

    @property
    def n(self) -> int:
        """Patients who could."""
        return int(self.at_risk.sum())

    def to_frame(self) -> pd.DataFrame:
        """One row a patient: ``patient``, ``at_risk``, ``relapsed``, ``week``."""
        return pd.DataFrame(
            {
                "patient": self.patients,
                "at_risk": self.at_risk,
                "relapsed": self.relapsed,
                "week": pd.array(self.weeks, dtype="Float64"),
            }
        )


def responses_at(
    baseline: ArrayLike,
    visits: ArrayLike,
    *,
    weeks: ArrayLike,
    week: float,
    threshold: ArrayLike,
    imputation: Imputation = "nonresponder",
    patients: Sequence[object] | None = None,
) -> Flags:
    """Return who responds at a week, when some were not seen then.

    Parameters
    ----------
    baseline : array_like, shape (m,)
        PASI before treatment.
    visits : array_like, shape (m, v)
        PASI at each visit; NaN where the patient was not seen.
    weeks : array_like, shape (v,)
        Weeks of the visits, ascending.
    week : float
        The week asked about, one of ``weeks``.
    threshold : float or array_like, shape (t,)
        PASI thresholds in percent.
    imputation : {"nonresponder", "last_observed", "best_observed"}
        ``nonresponder``: who was not seen that week did not respond. ``last_observed``: the last visit up to that week
        stands for it. ``best_observed``: the best visit up to that week counts, seen that week or not, so the result
        can only flatter. Who was never seen has not improved.
    patients : sequence, length m, optional
        What messages call the patients.

    Returns
    -------
    ndarray of bool
        Shape (m,) for one threshold, (m, t) for several.

    Raises
    ------
    PasimetaError
        For scores outside 0 to 72, weeks that don't ascend, or a week without a visit.
    """
    check_choice("imputation", imputation, IMPUTATIONS)
    before, scores, times = _course(baseline, visits, weeks, patients)
    until = scores[:, : _visit_at(times, week) + 1]
    percent = 100.0 * (before[:, None] - until) / before[:, None]
    seen = ~np.isnan(percent)
    if imputation == "best_observed":
        improvement = np.where(seen, percent, -np.inf).max(axis=1)
    elif imputation == "last_observed":
        last = until.shape[1] - 1 - np.argmax(seen[:, ::-1], axis=1)
        improvement = percent[np.arange(len(percent)), last]
    else:
        improvement = percent[:, -1]
    # Who was not seen has no improvement to show; 0 lies below every threshold.
    return reaches(np.where(np.isfinite(improvement), improvement, 0.0), threshold)


def relapses_by_loss(
    baseline: ArrayLike,
    visits: ArrayLike,
    *,
    weeks: ArrayLike,
    reference_week: float,
    fraction: float = 0.5,
    patients: Sequence[object] | None = None,
) -> Relapses:
    """Return who lost more than a fraction of the improvement that was measured at a reference visit.

    Parameters
    ----------
    baseline, visits, weeks, patients
        As in :func:`responses_at`.
    reference_week : float
        Week of the visit whose improvement can be lost, one of ``weeks``.
    fraction : float
        Relapse is a loss of more than this share of that improvement; NCT03424629 takes 0.5 of the improvement at
        week 7.

    Returns
    -------
    Relapses
        At risk is whoever had improved at the reference visit.

    Raises
    ------
    PasimetaError
        As :func:`responses_at`; for a fraction outside (0, 1]; and for a patient not seen at the reference visit.

    References
    ----------
    ClinicalTrials.gov NCT03424629, secondary outcome: loss of more than 50 % of the initial PASI improvement.
    """
    if not 0 < fraction <= 1:
        raise PasimetaError(f"fraction: {fraction!r} is not above 0 and at most 1; half of the improvement is 0.5")
    before, scores, times = _course(baseline, visits, weeks, patients)
    column = _visit_at(times, reference_week)
    reference = scores[:, column]
    unseen = np.flatnonzero(np.isnan(reference))
    if unseen.size:
        raise PasimetaError(
            f"visits, {patient_name(int(unseen[0]), patients)}: was not seen at the reference week {reference_week:g}; "
            "leave the patient out or take another reference"
        )
    gained = before - reference
    at_risk = gained > ROUNDING
    lost = scores - reference[:, None] > fraction * gained[:, None] + ROUNDING
    later = np.arange(len(times)) > column
    return _first_relapse(at_risk, lost & later & at_risk[:, None], times, patients)


def relapses_below(
    baseline: ArrayLike,
    visits: ArrayLike,
    *,
    weeks: ArrayLike,
    threshold: float = 50.0,
    patients: Sequence[object] | None = None,
) -> Relapses:
    """Return who fell below a PASI response after having reached it.

    Parameters
    ----------
    baseline, visits, weeks, patients
        As in :func:`responses_at`.
    threshold : float
        Percent improvement to be reached first and lost later; NCT03745417 takes 50.

    Returns
    -------
    Relapses
        At risk is whoever reached the threshold at any visit.

    Raises
    ------
    PasimetaError
        As :func:`responses_at`.

    References
    ----------
    ClinicalTrials.gov NCT03745417, relapse: among PASI50 responders, improvement falls below 50 % of baseline.
    """
    before, scores, times = _course(baseline, visits, weeks, patients)
    seen = ~np.isnan(scores)
    percent = 100.0 * (before[:, None] - np.where(seen, scores, 0.0)) / before[:, None]
    above = reaches(percent.ravel(), threshold).reshape(percent.shape) & seen
    reached_before = np.logical_or.accumulate(above, axis=1)
    return _first_relapse(np.logical_or.reduce(above, axis=1), reached_before & seen & ~above, times, patients)


def _first_relapse(at_risk: Flags, relapse: Flags, times: Array, patients: Sequence[object] | None) -> Relapses:
    relapsed: Flags = np.logical_or.reduce(relapse, axis=1)
    first = np.argmax(relapse, axis=1)
    return Relapses(
        at_risk=at_risk,
        relapsed=relapsed,
        weeks=tuple(float(times[i]) if hit else None for i, hit in zip(first, relapsed, strict=True)),
        patients=tuple(str(p) for p in patients) if patients is not None else _rows(len(at_risk)),
    )


def _rows(m: int) -> tuple[str, ...]:
    return tuple(str(row) for row in range(1, m + 1))


def _course(
    baseline: ArrayLike, visits: ArrayLike, weeks: ArrayLike, patients: Sequence[object] | None
) -> tuple[Array, Array, Array]:
    before = check_scores("baseline", baseline, patients)
    refuse_patients("baseline", before, before <= 0, "leaves nothing to improve; leave the patient out", patients)
    times = as_numbers("weeks", weeks)
    try:
        scores = np.asarray(visits, dtype=float)
    except (TypeError, ValueError):
        raise PasimetaError("visits: are not a table of numbers; give one row a patient, one column a visit") from None
    if scores.shape != (before.size, times.size):
        raise PasimetaError(
            f"visits: have shape {scores.shape}; give one row for each of the {before.size} patients and one column "
            f"for each of the {times.size} weeks, NaN where a patient was not seen"
        )
    if (np.diff(times) <= 0).any():
        raise PasimetaError("weeks: don't ascend; sort the visits by week and give each week once")
    # Comparisons with NaN are false: an unseen visit is not out of range, an infinite score is.
    wrong = (scores < 0) | (scores > MAX_PASI)
    refuse_patients("visits", scores, wrong, "is not a PASI; scores run from 0 to 72", patients)
    return before, scores, times


def _visit_at(times: Array, week: float) -> int:
    found = np.flatnonzero(np.isclose(times, week, rtol=0.0, atol=1e-9))
    if not found.size:
        given = ", ".join(f"{t:g}" for t in times)
        raise PasimetaError(f"week {week:g}: no visit was made then; choose one of {given}")
    return int(found[0])
