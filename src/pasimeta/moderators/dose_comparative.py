"""Trends from comparative studies that print relative risks by dose against a shared reference group.

The relative risks of one study share their reference, so they are correlated, and the correlation isn't printed. Two
ways to rebuild it from counts: Greenland and Longnecker keep the margins of the crude table, Hamling and others the
printed variances, the share of the reference group and the ratio of non-cases to cases.

The R package dosresmeta departs from both papers for cumulative incidence: its Greenland-Longnecker counts reproduce
the risk ratios as if they were odds ratios, its Hamling counts the variances as if of incidence rates. ``convention``
chooses; for case-control and incidence-rate studies the two agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from pasimeta.effects.validation import Array, as_numbers, check_choice
from pasimeta.errors import PasimetaError
from pasimeta.synthesis import PooledResult, pool

Design = Literal["cc", "ci", "ir"]
Covariance = Literal["gl", "hamling"]
Convention = Literal["paper", "dosresmeta"]
DESIGNS: tuple[Design, ...] = ("cc", "ci", "ir")


@dataclass(frozen=True, slots=True)
class ComparativeStudy:
    """One study's relative risks by dose.

    Attributes
    ----------
    label : str
    design : {"cc", "ci", "ir"}
        Case-control (odds ratios), cumulative incidence (risk ratios), or incidence rates.
    doses : ndarray, shape (groups,)
        The reference first.
    cases, n : ndarray, shape (groups,)
        Cases, and patients (or person-time for ``ir``).
    log_ratios, se : ndarray, shape (groups - 1,)
        Log relative risks against the reference, and their standard errors.
    """

    label: str
    design: Design
    doses: Array
    cases: Array
    n: Array
    log_ratios: Array
    se: Array

    def __post_init__(self) -> None:
        """Refuse tables that can't be."""
        check_choice("design", self.design, DESIGNS)
        for name in ("doses", "cases", "n", "log_ratios", "se"):
            object.__setattr__(self, name, as_numbers(f"{self.label}, {name}", getattr(self, name)))
        groups = len(self.doses)
        if groups < 2 or not len(self.cases) == len(self.n) == groups:
            raise PasimetaError(f"{self.label}: give doses, cases and n for the reference and at least one more group")
        if not len(self.log_ratios) == len(self.se) == groups - 1:
            raise PasimetaError(
                f"{self.label}: give a log ratio and its standard error for every group but the reference"
            )
        for row, (cases, n) in enumerate(zip(self.cases, self.n, strict=True), start=1):
            if cases <= 0 or (self.design != "ir" and cases >= n) or n <= 0:
                raise PasimetaError(
                    f"{self.label}, row {row}: {cases:g} cases of {n:g}; give cases above 0 and below n"
                )
        if (self.se <= 0).any():
            raise PasimetaError(f"{self.label}, row {int(np.argmax(self.se <= 0)) + 2}: standard error is not positive")


@dataclass(frozen=True, slots=True)
class ComparativeTrend:
    """A study's slope: change of the log relative risk per unit of dose, by generalised least squares."""

    label: str
    slope: float
    se: float


def study_from_counts(label: str, design: Design, doses: ArrayLike, cases: ArrayLike, n: ArrayLike) -> ComparativeStudy:
    """Return a study whose relative risks are the crude ones of its own counts."""
    a, size = as_numbers("cases", cases), as_numbers("n", n)
    part = _parts(design, a, size)
    odds = a / (size - a) if design == "cc" else a / size
    return ComparativeStudy(
        label, design, np.asarray(doses, float), a, size, np.log(odds[1:] / odds[0]), np.sqrt(part[1:] + part[0])
    )


def pseudo_counts(
    study: ComparativeStudy, method: Covariance = "gl", convention: Convention = "paper"
) -> tuple[Array, Array]:
    """Return the cases and patients by group that stand behind adjusted relative risks.

    Parameters
    ----------
    study : ComparativeStudy
    method : {"gl", "hamling"}
    convention : {"paper", "dosresmeta"}
        For cumulative incidence: as published, or as the R package does it.

    Returns
    -------
    cases, n : ndarray, shape (groups,)

    References
    ----------
    Greenland & Longnecker 1992, *Am J Epidemiol* 135:1301, appendix 2; Hamling, Lee, Weitkunat & Ambuhl 2008, *Stat
    Med* 27:954.
    """
    check_choice("method", method, ("gl", "hamling"))
    check_choice("convention", convention, ("paper", "dosresmeta"))
    return _greenland_longnecker(study, convention) if method == "gl" else _hamling(study, convention)


def covariance(study: ComparativeStudy, method: Covariance = "gl", convention: Convention = "paper") -> Array:
    """Return the covariance matrix of a study's log relative risks, shape (groups - 1, groups - 1).

    The diagonal is the printed variances; the correlations come from the pseudo-counts.

    References
    ----------
    Orsini, Li, Wolk, Khudyakov & Spiegelman 2012, *Am J Epidemiol* 175:66, eq. 3.
    """
    part = _parts(study.design, *pseudo_counts(study, method, convention))
    shared, own = part[0], part[1:]
    scale = study.se / np.sqrt(shared + own)
    matrix = shared * np.outer(scale, scale)
    np.fill_diagonal(matrix, study.se**2)
    return matrix


def comparative_trend(
    study: ComparativeStudy, method: Covariance = "gl", convention: Convention = "paper"
) -> ComparativeTrend:
    """Return a study's linear trend through its reference dose, by generalised least squares.

    References
    ----------
    Greenland & Longnecker 1992, eqs 3-5.
    """
    x = study.doses[1:] - study.doses[0]
    if not np.any(x):
        raise PasimetaError(f"{study.label}: every group has the reference dose; a slope needs at least two doses")
    precision = np.linalg.inv(covariance(study, method, convention))
    information = float(x @ precision @ x)
    return ComparativeTrend(study.label, float(x @ precision @ study.log_ratios) / information, information**-0.5)


def pooled_trend(
    studies: Sequence[ComparativeStudy],
    covariance_method: Covariance = "gl",
    method: str = "REML",
    test: str = "adhoc",
    level: float = 0.95,
    convention: Convention = "paper",
) -> PooledResult:
    """Pool the studies' trends in two stages.

    Parameters
    ----------
    studies : sequence of ComparativeStudy
    covariance_method : {"gl", "hamling"}
    method, test, level
        As in :func:`pasimeta.synthesis.pool`.
    convention : {"paper", "dosresmeta"}
        As in :func:`pseudo_counts`.
    """
    if not studies:
        raise PasimetaError("studies: no study; give at least one")
    trends = [comparative_trend(study, covariance_method, convention) for study in studies]
    return pool([t.slope for t in trends], [t.se**2 for t in trends], method, test, level)


def _parts(design: Design, cases: Array, n: Array) -> Array:
    """Each group's part of the variance of a log ratio."""
    if design == "cc":
        return 1 / cases + 1 / (n - cases)
    return 1 / cases - 1 / n if design == "ci" else 1 / cases


def _greenland_longnecker(study: ComparativeStudy, convention: Convention) -> tuple[Array, Array]:
    """Cases that reproduce the adjusted ratios with the crude margins kept."""
    from scipy.optimize import brentq

    ratios = np.concatenate([[1.0], np.exp(study.log_ratios)])
    total = study.cases.sum()
    if study.design == "ir" or (study.design == "ci" and convention == "paper"):
        expected = ratios * study.n
        return expected * total / expected.sum(), study.n

    def surplus(log_odds: float) -> float:
        odds = np.exp(log_odds) * ratios
        return float((study.n * odds / (1 + odds)).sum() - total)

    odds = np.exp(brentq(surplus, -50, 50, xtol=1e-14)) * ratios
    return study.n * odds / (1 + odds), study.n


def _hamling(study: ComparativeStudy, convention: Convention) -> tuple[Array, Array]:
    """Cases and non-cases (or persons) that reproduce ratios and variances, share of reference and their ratio kept."""
    from scipy.optimize import root

    others = study.n - study.cases if study.design == "cc" else study.n
    share, ratio = others[0] / others.sum(), others.sum() / study.cases.sum()
    sign = {"cc": 1.0, "ci": -1.0 if convention == "paper" else 0.0, "ir": 0.0}[study.design]
    effects, variances = np.exp(study.log_ratios), study.se**2

    def filled(logs: Array) -> tuple[Array, Array]:
        a0, b0 = np.exp(logs)
        left = variances - 1 / a0 - sign / b0
        a = (1 + sign * effects * a0 / b0) / left
        b = a * b0 / (effects * a0)
        return np.concatenate([[a0], a]), np.concatenate([[b0], b])

    def misfit(logs: Array) -> Array:
        a, b = filled(logs)
        return np.array([b[0] / b.sum() - share, b.sum() / a.sum() / ratio - 1])

    # the reference must be larger than the smallest printed variance allows
    least = 1.0 / variances.min() * (1 + sign * study.cases[0] / others[0])
    for factor in (1.0, 1.2, 1.5, 2.0, 3.0, 5.0):
        a0 = max(study.cases[0], 1.05 * least) * factor
        found = root(misfit, np.log([a0, a0 * others[0] / study.cases[0]]), tol=1e-12)
        if found.success and np.abs(found.fun).max() < 1e-8:
            a, b = filled(found.x)
            if (a > 0).all() and (b > 0).all():
                return a, (a + b if study.design == "cc" else b)
    raise PasimetaError(
        f"{study.label}: no counts reproduce these ratios and standard errors (Hamling); check them, or use method='gl'"
    )
