"""PASI arithmetic: the score from its regions, improvement, and response at any threshold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pasimeta.effects.validation import Array, as_numbers, same_shape
from pasimeta.errors import PasimetaError, doubt

Flags = NDArray[np.bool_]

REGIONS = ("head", "upper limbs", "trunk", "lower limbs")
TENTHS = (1.0, 2.0, 3.0, 4.0)
MAX_SEVERITY = 4.0
MAX_AREA = 6.0
MAX_PASI = 72.0

# Scores come in tenths, so a true PASI75 such as 10.8 to 2.7 may compute to 74.99999999999999 percent.
ROUNDING = 1e-9

_AREA_LIMITS = (10.0, 30.0, 50.0, 70.0, 90.0)


def area_grades(percent: ArrayLike) -> Array:
    """Return the area grade of each share of a region that is affected.

    Parameters
    ----------
    percent : array_like
        Affected share of the region, 0 to 100 percent.

    Returns
    -------
    ndarray
        Same shape: 0 for none, 1 below 10 %, 2 below 30 %, 3 below 50 %, 4 below 70 %, 5 below 90 %, else 6.

    Raises
    ------
    PasimetaError
        For a share outside 0 to 100.

    References
    ----------
    Fredriksson T, Pettersson U. Severe psoriasis: oral therapy with a new retinoid. Dermatologica 1978;157:238-244.
    """
    share = as_numbers("area_percent", percent)
    wrong = (share < 0) | (share > 100)
    if wrong.any():
        where = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise PasimetaError(
            f"area_percent, row {where[0] + 1}: {share[where]:g} is not a percentage; give the affected share of the "
            "region, 0 to 100"
        )
    return np.where(share > 0, 1.0 + np.searchsorted(_AREA_LIMITS, share, side="right"), 0.0)


def pasi_score(
    redness: ArrayLike,
    thickness: ArrayLike,
    scaliness: ArrayLike,
    *,
    area: ArrayLike | None = None,
    area_percent: ArrayLike | None = None,
    patients: Sequence[object] | None = None,
) -> Array:
    """Return the Psoriasis Area and Severity Index of each patient, 0 to 72.

    Each region counts the sum of its three severities times its area grade, weighted 0.1 for the head, 0.2 for the
    upper limbs, 0.3 for the trunk and 0.4 for the lower limbs.

    Parameters
    ----------
    redness, thickness, scaliness : array_like, shape (4,) or (m, 4)
        Severity of head, upper limbs, trunk, lower limbs, in this order; 0 to 4. The mean of two raters may be a
        fraction.
    area : array_like, same shape, optional
        Area grade of each region, a whole number 0 to 6. Give this or ``area_percent``.
    area_percent : array_like, same shape, optional
        Affected share of each region, 0 to 100.
    patients : sequence, length m, optional
        What messages call the patients; ``row 1``, ``row 2``, ... by default.

    Returns
    -------
    ndarray, shape (m,)

    Raises
    ------
    PasimetaError
        Naming the patient and region of a grade that can't be.

    Warns
    -----
    PasimetaWarning
        Where a region is graded for severity but has no area: it counts nothing.

    References
    ----------
    Fredriksson T, Pettersson U. Severe psoriasis: oral therapy with a new retinoid. Dermatologica 1978;157:238-244.
    """
    if (area is None) == (area_percent is None):
        raise PasimetaError("give either area (grades 0 to 6) or area_percent, the one that was recorded")
    severities = [
        _by_region(name, grades)
        for name, grades in (("redness", redness), ("thickness", thickness), ("scaliness", scaliness))
    ]
    grades = _by_region("area", area_grades(area_percent) if area is None else area)  # type: ignore[arg-type]
    for name, values in zip(("redness", "thickness", "scaliness"), severities, strict=True):
        same_shape(values, grades, (name, "area"))
        wrong = (values < 0) | (values > MAX_SEVERITY)
        _refuse_grade(name, values, wrong, "is not a severity; grade it 0 (none) to 4 (very severe)", patients)
    wrong = (grades < 0) | (grades > MAX_AREA) | (grades != np.floor(grades))
    _refuse_grade("area", grades, wrong, "is not an area grade; give 0 to 6, or the share as area_percent", patients)
    severity = np.sum(severities, axis=0)
    _doubt_empty_regions(severity, grades, patients)
    # Weights as whole tenths keep the score exact: the worst case is 72, not 72.00000000000001.
    return (severity * grades) @ np.array(TENTHS) / 10.0


def improvement_rate(baseline: ArrayLike, followup: ArrayLike, *, patients: Sequence[object] | None = None) -> Array:
    """Return the improvement of PASI from baseline in percent; a worsening is negative.

    Parameters
    ----------
    baseline : array_like, shape (m,)
        PASI before treatment, above 0.
    followup : array_like, shape (m,)
        PASI after.
    patients : sequence, length m, optional
        What messages call the patients.

    Returns
    -------
    ndarray, shape (m,)
        ``100 (baseline - followup) / baseline``.

    Raises
    ------
    PasimetaError
        For scores outside 0 to 72 or a baseline of 0: nobody improves on clear skin.
    """
    before = check_scores("baseline", baseline, patients)
    after = check_scores("followup", followup, patients)
    same_shape(before, after, ("baseline", "followup"))
    refuse_patients("baseline", before, before <= 0, "leaves nothing to improve; leave the patient out", patients)
    return 100.0 * (before - after) / before


def reaches(improvement: ArrayLike, threshold: ArrayLike) -> Flags:
    """Return who improved by at least ``threshold`` percent.

    Parameters
    ----------
    improvement : array_like, shape (m,)
        Percent.
    threshold : float or array_like, shape (t,)
        PASI thresholds, above 0 and at most 100.

    Returns
    -------
    ndarray of bool
        Shape (m,) for one threshold, (m, t) for several.

    Raises
    ------
    PasimetaError
        For a threshold outside (0, 100].
    """
    percent = as_numbers("improvement", improvement)
    limits = as_numbers("threshold", threshold)
    wrong = (limits <= 0) | (limits > 100)
    if wrong.any():
        raise PasimetaError(f"threshold: {limits[wrong][0]:g} is not above 0 and at most 100; PASI75 is 75")
    reached = percent[:, None] >= limits[None, :] - ROUNDING
    return reached[:, 0] if np.ndim(threshold) == 0 else reached


def responses(
    baseline: ArrayLike, followup: ArrayLike, threshold: ArrayLike, *, patients: Sequence[object] | None = None
) -> Flags:
    """Return who responds: an improvement of PASI of at least ``threshold`` percent.

    Parameters and errors are those of :func:`improvement_rate` and :func:`reaches`.

    Returns
    -------
    ndarray of bool
        Shape (m,) for one threshold, (m, t) for several.
    """
    return reaches(improvement_rate(baseline, followup, patients=patients), threshold)


def check_scores(name: str, values: ArrayLike, patients: Sequence[object] | None = None) -> Array:
    """Return PASI scores as a float array, shape (m,).

    Raises
    ------
    PasimetaError
        Naming the patient of a score that isn't a number from 0 to 72.
    """
    scores = as_numbers(name, values)
    wrong = (scores < 0) | (scores > MAX_PASI)
    refuse_patients(name, scores, wrong, "is not a PASI; scores run from 0 to 72", patients)
    return scores


def refuse_patients(
    name: str, values: Array, wrong: Flags, remedy: str, patients: Sequence[object] | None = None
) -> None:
    """Refuse the first patient whose value is wrong.

    Raises
    ------
    PasimetaError
        Naming the patient (or row), the value and the remedy.
    """
    if wrong.any():
        where = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise PasimetaError(f"{name}, {patient_name(where[0], patients)}: {values[where]:g} {remedy}")


def patient_name(row: int, patients: Sequence[object] | None) -> str:
    """Return what messages call the patient in a row, counted from 0."""
    return f"patient {patients[row]}" if patients is not None and row < len(patients) else f"row {row + 1}"


def _by_region(name: str, values: ArrayLike) -> Array:
    grades = np.atleast_2d(as_numbers(name, values))
    if grades.ndim != 2 or grades.shape[1] != len(REGIONS):
        raise PasimetaError(
            f"{name}: has {grades.shape[-1]} columns; give one for each region: {', '.join(REGIONS)}",
        )
    return grades


def _refuse_grade(name: str, values: Array, wrong: Flags, remedy: str, patients: Sequence[object] | None) -> None:
    if wrong.any():
        row, region = (int(i) for i in np.argwhere(wrong)[0])
        who = patient_name(row, patients)
        raise PasimetaError(f"{name}, {who}, {REGIONS[region]}: {values[row, region]:g} {remedy}")


def _doubt_empty_regions(severity: Array, grades: Array, patients: Sequence[object] | None) -> None:
    empty = (grades == 0) & (severity > 0)
    if empty.any():
        row, region = (int(i) for i in np.argwhere(empty)[0])
        doubt(
            f"{patient_name(row, patients)}, {REGIONS[region]}: severity is graded but the area is 0, so the region "
            "counts nothing; check the area",
            stacklevel=4,
        )
