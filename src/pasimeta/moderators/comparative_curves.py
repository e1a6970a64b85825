"""Curved trends from comparative studies in two stages: quadratic and spline, pooled as vectors.

Stage one fits the same curve to each study's log relative risks by generalised least squares, through the study's own
reference dose. Stage two pools the coefficient vectors with a covariance between studies, for a study whose curve rises
faster is likely to bend sooner too. Straight lines are pooled by ``pooled_trend`` of ``dose_comparative``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import chdtrc, ndtri

from pasimeta.effects.validation import Array, check_choice, check_level
from pasimeta.errors import PasimetaError, doubt
from pasimeta.moderators.dose_comparative import ComparativeStudy, Convention, Covariance, covariance
from pasimeta.moderators.dose_models import basis
from pasimeta.moderators.vector_pooling import METHODS, pool_vectors

CurveForm = Literal["quadratic", "spline"]
CURVE_FORMS: tuple[CurveForm, ...] = ("quadratic", "spline")
LEAST_KNOTS = 3
FEW_STUDIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparativeCurve:
    """A pooled dose-response curve of log relative risks.

    Attributes
    ----------
    form : str
    knots : tuple of float
        Of a spline, else empty.
    labels : tuple of str
        The studies.
    coefficients, covariance : ndarray, shape (p,) and (p, p)
        Pooled.
    between : ndarray, shape (p, p)
        Covariance of the coefficients between studies; zeros for ``EE``.
    log_likelihood : float
        Of the studies' coefficients; restricted for ``REML``.
    q, q_df, q_p_value : float
        Multivariate Cochran test of homogeneity; NaN for one study.
    wald, wald_p_value : float
        Test of no association: all coefficients zero.
    nonlinearity_p_value : float
        Wald test of the coefficients after the first.
    method : str
    level : float
    warnings : tuple of str
    """

    form: str
    knots: tuple[float, ...]
    labels: tuple[str, ...]
    coefficients: Array
    covariance: Array
    between: Array
    log_likelihood: float
    q: float
    q_df: int
    q_p_value: float
    wald: float
    wald_p_value: float
    nonlinearity_p_value: float
    method: str
    level: float
    warnings: tuple[str, ...] = ()

    def contrast(self, doses: ArrayLike, reference: float) -> pd.DataFrame:
        """Log relative risks against a reference dose: ``dose``, ``estimate``, ``se``, ``ci_lower``, ``ci_upper``."""
        d = np.atleast_1d(np.asarray(doses, float))
        rows = curve_columns(self.form, d, self.knots) - curve_columns(self.form, np.array([reference]), self.knots)
        estimate = rows @ self.coefficients
        se = np.sqrt(np.einsum("ij,jk,ik->i", rows, self.covariance, rows).clip(min=0))
        z = ndtri((1 + self.level) / 2)
        limits = {"ci_lower": estimate - z * se, "ci_upper": estimate + z * se}
        return pd.DataFrame({"dose": d, "estimate": estimate, "se": se, **limits})

    def to_frame(self) -> pd.DataFrame:
        """One row a coefficient: ``form``, ``term``, ``estimate``, ``se``, ``ci_lower``, ``ci_upper``, ``tau``."""
        se, z = np.sqrt(np.diag(self.covariance)), ndtri((1 + self.level) / 2)
        low, high = self.coefficients - z * se, self.coefficients + z * se
        rows = pd.DataFrame({"term": np.arange(1, len(se) + 1), "estimate": self.coefficients, "se": se})
        rows = rows.assign(ci_lower=low, ci_upper=high, tau=np.sqrt(np.diag(self.between)))
        return rows.assign(form=self.form, k=len(self.labels), method=self.method)


def curve_columns(form: str, doses: Array, knots: Sequence[float] = ()) -> Array:
    """Return a curve's columns at some doses: dose and its square, or a restricted cubic spline, shape (m, p)."""
    if form == "quadratic":
        return np.column_stack([doses, doses**2])
    return basis(form, doses, knots)


def study_curve(
    study: ComparativeStudy,
    form: CurveForm = "quadratic",
    knots: Sequence[float] = (),
    covariance_method: Covariance = "gl",
    convention: Convention = "paper",
) -> tuple[Array, Array]:
    """Return one study's coefficients and their covariance by generalised least squares, shape (p,) and (p, p).

    Raises
    ------
    PasimetaError
        For an unknown form, knots out of order, or fewer dose groups than coefficients.

    References
    ----------
    Greenland & Longnecker 1992, *Am J Epidemiol* 135:1301, eqs 3-5; Liu, Cook, Bergstrom & Hsieh 2009, *Comput Stat
    Data Anal* 53:4157, section 2.
    """
    _check_form(form, knots)
    columns = curve_columns(form, study.doses, knots)
    design = columns[1:] - columns[0]
    # columns of very different size, such as a dose and its square, mustn't decide the rank
    scaled = design / np.abs(design).max(axis=0).clip(min=np.finfo(float).tiny)
    if np.linalg.matrix_rank(scaled, tol=1e-10) < design.shape[1]:
        groups = len(np.unique(study.doses))
        raise PasimetaError(
            f"{study.label}: {groups} doses can't carry the {design.shape[1]} coefficients of a {form} curve; choose a "
            "simpler form, other knots, or leave the study out"
        )
    precision = np.linalg.inv(covariance(study, covariance_method, convention))
    spread = np.linalg.inv(design.T @ precision @ design)
    return spread @ (design.T @ precision @ study.log_ratios), (spread + spread.T) / 2


def pooled_curve(
    studies: Sequence[ComparativeStudy],
    form: CurveForm = "quadratic",
    *,
    knots: Sequence[float] = (),
    method: str = "REML",
    covariance_method: Covariance = "gl",
    level: float = 0.95,
    convention: Convention = "paper",
) -> ComparativeCurve:
    """Fit one curve to each study and pool the curves.

    Parameters
    ----------
    studies : sequence of ComparativeStudy
    form : {"quadratic", "spline"}
    knots : sequence of float
        Of a spline, at least three doses in order; :func:`quantile_knots` chooses them.
    method : {"REML", "ML", "EE"}
        Covariance between studies, or none.
    covariance_method : {"gl", "hamling"}
    level : float
        Of the intervals, which are Wald's.
    convention : {"paper", "dosresmeta"}
        As in :func:`pasimeta.moderators.dose_comparative.pseudo_counts`.

    Raises
    ------
    PasimetaError
        For no study, too few to estimate a covariance between them, or one that can't carry the curve.

    References
    ----------
    Gasparrini, Armstrong & Kenward 2012, *Stat Med* 31:3821 (two stages, vectors); Orsini, Li, Wolk, Khudyakov &
    Spiegelman 2012, *Am J Epidemiol* 175:66 (restricted cubic splines).
    """
    check_level(level)
    check_choice("method", method, METHODS)
    if not studies:
        raise PasimetaError("studies: no study; give at least one")
    fits = [study_curve(study, form, knots, covariance_method, convention) for study in studies]
    estimates, spreads = np.stack([f[0] for f in fits]), np.stack([f[1] for f in fits])
    pooled = pool_vectors(estimates, spreads, method)
    wald, wald_p = _wald(pooled.estimate, pooled.covariance)
    return ComparativeCurve(
        form=form,
        knots=tuple(map(float, knots)),
        labels=tuple(study.label for study in studies),
        coefficients=pooled.estimate,
        covariance=pooled.covariance,
        between=pooled.between,
        log_likelihood=pooled.log_likelihood,
        q=pooled.q,
        q_df=pooled.q_df,
        q_p_value=float(chdtrc(pooled.q_df, pooled.q)) if pooled.q_df else float("nan"),
        wald=wald,
        wald_p_value=wald_p,
        nonlinearity_p_value=_wald(pooled.estimate[1:], pooled.covariance[1:, 1:])[1],
        method=method,
        level=level,
        warnings=_doubts(pooled.between, len(studies)) if method != "EE" else (),
    )


def quantile_knots(studies: Sequence[ComparativeStudy], shares: Sequence[float] = (0.1, 0.5, 0.9)) -> tuple[float, ...]:
    """Return knots at quantiles of all studies' doses, the references counted, as Harrell places them."""
    doses = np.concatenate([study.doses for study in studies])
    return tuple(map(float, np.quantile(doses, shares)))


def _check_form(form: str, knots: Sequence[float]) -> None:
    check_choice("form", form, CURVE_FORMS)
    if form != "spline" and len(knots):
        raise PasimetaError(f"knots: a {form} curve has none; leave them out or choose spline")
    if form == "spline" and (len(knots) < LEAST_KNOTS or (np.diff(knots) <= 0).any()):
        raise PasimetaError(f"knots: a spline needs {LEAST_KNOTS} or more different doses in rising order")


def _doubts(between: Array, k: int) -> tuple[str, ...]:
    texts = []
    if k < FEW_STUDIES:
        texts.append(f"{k} studies hardly tell how curves vary between studies; the interval leaves that doubt out")
    spread = np.sqrt(np.diag(between))
    if (spread == 0).any() or np.linalg.eigvalsh(between / np.outer(spread, spread)).min() < 1e-6:
        texts.append("the covariance between studies lies at its edge (singular): these studies don't determine it")
    return tuple(doubt(text) for text in texts)


def _wald(estimate: Array, spread: Array) -> tuple[float, float]:
    statistic = float(estimate @ np.linalg.solve(spread, estimate))
    return statistic, float(chdtrc(len(estimate), statistic))
