"""Dose-response curves on the logit: linear, log-linear, Emax and spline, with an intercept a study.

One-stage: all arms in one binomial likelihood. Study intercepts leave only differences within studies to speak; a study
with one dose then says nothing of the slope. Two-stage: a slope a study, then pooled by inverse variance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit, ndtri, xlog1py, xlogy

from pasimeta.effects.validation import Array, check_choice, check_level
from pasimeta.errors import PasimetaError, doubt
from pasimeta.moderators.trend import check_groups, log_choose
from pasimeta.synthesis import PooledResult, pool

Form = Literal["linear", "log_linear", "emax", "spline"]
FORMS: tuple[Form, ...] = ("linear", "log_linear", "emax", "spline")
LEAST_DOSES = {"linear": 2, "log_linear": 2, "emax": 3, "spline": 4}
_SEPARATED = 25.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseFit:
    """A dose-response curve on the logit.

    Attributes
    ----------
    form : str
    studies : tuple of str
        Studies with an intercept, in the order of ``coefficients``; ``("all",)`` for a common one.
    coefficients, covariance : ndarray, shape (p,) and (p, p)
        Intercepts, then the curve's coefficients. For Emax the covariance takes ED50 as known.
    log_likelihood, aic, aicc : float
        Of the binomial counts; an estimated ED50 counts as a parameter.
    shape : tuple of float
        Knots of a spline, ED50 of an Emax curve, else empty.
    weights : tuple of float
        Share of patients in each study, for curves of an average study.
    dose_low, dose_high : float
        Range of the doses fitted.
    level : float
    warnings : tuple of str
    """

    form: str
    studies: tuple[str, ...]
    coefficients: Array
    covariance: Array
    log_likelihood: float
    aic: float
    aicc: float
    shape: tuple[float, ...]
    weights: tuple[float, ...]
    dose_low: float
    dose_high: float
    level: float
    warnings: tuple[str, ...] = ()

    def contrast(self, doses: ArrayLike, reference: float) -> pd.DataFrame:
        """Log odds ratios against a reference dose: ``dose``, ``estimate``, ``se``, ``ci_lower``, ``ci_upper``."""
        d = np.atleast_1d(np.asarray(doses, float))
        rows = self._curve(d) - self._curve(np.array([reference]))
        blank = np.zeros((len(d), len(self.studies)))
        return self._interval(d, np.hstack([blank, rows]))

    def log_odds(self, doses: ArrayLike) -> pd.DataFrame:
        """Log-odds in a study of average intercept: ``dose``, ``estimate``, ``se``, ``ci_lower``, ``ci_upper``."""
        d = np.atleast_1d(np.asarray(doses, float))
        intercepts = np.broadcast_to(np.array(self.weights), (len(d), len(self.studies)))
        return self._interval(d, np.hstack([intercepts, self._curve(d)]))

    def response(self, doses: ArrayLike) -> pd.DataFrame:
        """Response of a study of average intercept: ``dose``, ``estimate``, ``ci_lower``, ``ci_upper``, proportions."""
        return _as_proportions(self.log_odds(doses))

    def to_frame(self) -> pd.DataFrame:
        """One row a coefficient of the curve."""
        k = len(self.studies)
        estimate, se = self.coefficients[k:], np.sqrt(np.diag(self.covariance))[k:]
        z = ndtri((1 + self.level) / 2)
        rows = pd.DataFrame(
            {"form": self.form, "term": np.arange(1, len(estimate) + 1), "estimate": estimate, "se": se}
        )
        return rows.assign(ci_lower=estimate - z * se, ci_upper=estimate + z * se, aicc=self.aicc)

    def _curve(self, doses: Array) -> Array:
        return basis(self.form, doses, self.shape)

    def _interval(self, doses: Array, rows: Array) -> pd.DataFrame:
        estimate = rows @ self.coefficients
        se = np.sqrt(np.einsum("ij,jk,ik->i", rows, self.covariance, rows).clip(min=0))
        z = ndtri((1 + self.level) / 2)
        return pd.DataFrame(
            {
                "dose": doses,
                "estimate": estimate,
                "se": se,
                "ci_lower": estimate - z * se,
                "ci_upper": estimate + z * se,
            }
        )


def basis(form: str, doses: Array, shape: Sequence[float] = ()) -> Array:
    """Return the columns of a curve at some doses.

    Parameters
    ----------
    form : {"linear", "log_linear", "emax", "spline"}
    doses : ndarray, shape (m,)
    shape : sequence of float
        ED50 of an Emax curve; three or more knots of a restricted cubic spline.

    References
    ----------
    Restricted cubic spline: Harrell, *Regression modeling strategies*, 2nd ed., eq. 2.25.
    """
    if form == "linear":
        return doses[:, None]
    if form == "log_linear":
        return np.log(doses)[:, None]
    if form == "emax":
        return (doses / (shape[0] + doses))[:, None]
    knots = np.asarray(shape, float)
    last, before = knots[-1], knots[-2]
    scale = (last - knots[0]) ** 2

    def cube(knot: float) -> Array:
        return np.maximum(doses - knot, 0.0) ** 3

    columns = [doses]
    for knot in knots[:-2]:
        tail = cube(before) * (last - knot) - cube(last) * (before - knot)
        columns.append((cube(knot) - tail / (last - before)) / scale)
    return np.column_stack(columns)


def fit_dose_model(
    arms: pd.DataFrame, form: Form = "linear", *, study_effects: bool = True, level: float = 0.95
) -> DoseFit:
    """Fit one curve to all arms' counts by maximum likelihood.

    Parameters
    ----------
    arms : DataFrame
        One row an arm: ``study``, ``dose``, ``events``, ``n``.
    form : {"linear", "log_linear", "emax", "spline"}
        Shape on the logit. The spline is restricted cubic with knots at the 10th, 50th and 90th percentile of the
        distinct doses; Emax's ED50 is searched between a tenth of the lowest and ten times the highest dose.
    study_effects : bool
        An intercept a study. Without it, differences between studies count as effects of dose (ecological bias).
    level : float
        Level of the intervals.

    Returns
    -------
    DoseFit

    Raises
    ------
    PasimetaError
        For too few doses for the form, no study with two doses, a dose that isn't positive where logs are taken, or
        doses that part responders from the rest (no finite estimate).
    """
    check_choice("form", form, FORMS)
    check_level(level)
    x, n, d = check_groups(arms["events"].to_numpy(), arms["n"].to_numpy(), arms["dose"].to_numpy())
    names, member = _studies(arms, study_effects)
    _refuse(form, d, member)
    dummies = (member[:, None] == np.arange(len(names))).astype(float)
    shapes = _shapes(form, d)
    fits = [_maximum(x, n, np.hstack([dummies, basis(form, d, shape)])) for shape in shapes]
    best = int(np.argmax([fit[2] for fit in fits]))
    beta, covariance, value = fits[best]
    if np.abs(beta).max() > _SEPARATED * max(1.0, 1 / d.max()):
        raise PasimetaError(
            f"arms: the {form} curve runs to infinity, for the doses part responders from the rest; use trend_test "
            "(exact) or firth_logistic"
        )
    parameters = len(beta) + (form == "emax")
    aic = 2 * parameters - 2 * value
    small = len(x) - parameters - 1
    aicc = aic + 2 * parameters * (parameters + 1) / small if small > 0 else float("inf")
    at_end = form == "emax" and best in (0, len(shapes) - 1)
    text = "ED50 lies at the end of the range searched: these doses don't determine an Emax curve"
    sizes = np.bincount(member, n)
    return DoseFit(
        form=form,
        studies=names,
        coefficients=beta,
        covariance=covariance,
        log_likelihood=value,
        aic=float(aic),
        aicc=float(aicc),
        shape=tuple(map(float, shapes[best])),
        weights=tuple(map(float, sizes / sizes.sum())),
        dose_low=float(d.min()),
        dose_high=float(d.max()),
        level=level,
        warnings=(doubt(text),) if at_end else (),
    )


def averaged_contrast(fits: Sequence[DoseFit], doses: ArrayLike, reference: float) -> pd.DataFrame:
    """Average curves' log odds ratios against a reference dose by Akaike weight.

    Returns
    -------
    DataFrame
        ``dose``, ``estimate``, ``se`` (within curves and between them), ``ci_lower``, ``ci_upper``.

    References
    ----------
    Buckland, Burnham & Augustin 1997, *Biometrics* 53:603, eq. 9.
    """
    return _averaged([fit.contrast(doses, reference) for fit in fits], fits)


def averaged_response(fits: Sequence[DoseFit], doses: ArrayLike) -> pd.DataFrame:
    """Average curves of response by Akaike weight, on the logit.

    Returns
    -------
    DataFrame
        ``dose``, ``estimate``, ``ci_lower``, ``ci_upper``, proportions in a study of average intercept; the interval
        holds the doubt within the curves and between them.

    References
    ----------
    Buckland, Burnham & Augustin 1997, *Biometrics* 53:603, eq. 9.
    """
    return _as_proportions(_averaged([fit.log_odds(doses) for fit in fits], fits))


def akaike_weights(fits: Sequence[DoseFit]) -> Array:
    """Return each curve's Akaike weight, by AICc where every curve has one."""
    corrected = np.array([fit.aicc for fit in fits])
    criterion = corrected if np.isfinite(corrected).all() else np.array([fit.aic for fit in fits])
    relative = np.exp(-0.5 * (criterion - criterion.min()))
    return relative / relative.sum()


def two_stage_slope(arms: pd.DataFrame, method: str = "REML", test: str = "adhoc", level: float = 0.95) -> PooledResult:
    """Pool the studies' own linear logit slopes by inverse variance.

    Parameters
    ----------
    arms : DataFrame
        As in :func:`fit_dose_model`; studies with one dose drop out.
    method, test, level
        As in :func:`pasimeta.synthesis.pool`.

    Raises
    ------
    PasimetaError
        If no study has two doses and a finite slope.
    """
    slopes, variances = [], []
    for _, mine in arms.groupby("study", sort=False):
        if mine["dose"].nunique() < 2:
            continue
        fit = fit_dose_model(mine, "linear", level=level)
        slopes.append(fit.coefficients[-1])
        variances.append(fit.covariance[-1, -1])
    if not slopes:
        raise PasimetaError("arms: no study counts responders at two doses; a slope within studies isn't identified")
    return pool(slopes, variances, method, test, level)


def _averaged(tables: Sequence[pd.DataFrame], fits: Sequence[DoseFit]) -> pd.DataFrame:
    if not fits:
        raise PasimetaError("fits: no curve to average; fit at least one")
    weights = akaike_weights(fits)
    estimates = np.stack([table["estimate"].to_numpy() for table in tables])
    errors = np.stack([table["se"].to_numpy() for table in tables])
    mean = weights @ estimates
    se = weights @ np.sqrt(errors**2 + (estimates - mean) ** 2)
    z = ndtri((1 + fits[0].level) / 2)
    return pd.DataFrame(
        {"dose": tables[0]["dose"], "estimate": mean, "se": se, "ci_lower": mean - z * se, "ci_upper": mean + z * se}
    )


def _as_proportions(table: pd.DataFrame) -> pd.DataFrame:
    shown = {column: expit(table[column]) for column in ("estimate", "ci_lower", "ci_upper")}
    return table.assign(**shown).drop(columns="se")


def _studies(arms: pd.DataFrame, study_effects: bool) -> tuple[tuple[str, ...], np.ndarray]:
    if not study_effects:
        return ("all",), np.zeros(len(arms), dtype=int)
    member, names = pd.factorize(arms["study"])
    return tuple(map(str, names)), member


def _refuse(form: str, doses: Array, member: np.ndarray) -> None:
    distinct = len(np.unique(doses))
    if distinct < LEAST_DOSES[form]:
        raise PasimetaError(
            f"arms: {distinct} doses; a {form} curve needs {LEAST_DOSES[form]}, so choose a simpler form"
        )
    if form == "log_linear" and (doses <= 0).any():
        raise PasimetaError("arms: a dose of 0 has no logarithm; use linear, emax or spline")
    if (doses < 0).any():
        raise PasimetaError("arms: a dose is negative")
    if all(len(np.unique(doses[member == study])) < 2 for study in range(member.max() + 1)):
        raise PasimetaError("arms: no study counts responders at two doses; a slope within studies isn't identified")


def _shapes(form: str, doses: Array) -> list[tuple[float, ...]]:
    if form == "emax":
        positive = doses[doses > 0]
        return [(float(e),) for e in np.geomspace(positive.min() / 10, positive.max() * 10, 61)]
    if form == "spline":
        return [tuple(map(float, np.quantile(np.unique(doses), (0.1, 0.5, 0.9))))]
    return [()]


def _maximum(x: Array, n: Array, X: Array) -> tuple[Array, Array, float]:
    """Logistic maximum likelihood by Newton's steps, halved where they overshoot."""
    beta = np.zeros(X.shape[1])
    value = _log_likelihood(x, n, X, beta)
    for _ in range(200):
        p = expit(X @ beta)
        information = X.T @ ((n * p * (1 - p))[:, None] * X)
        step = np.linalg.pinv(information) @ (X.T @ (x - n * p))
        while _log_likelihood(x, n, X, beta + step) < value - 1e-12:
            step = step / 2
        beta = beta + step
        value = _log_likelihood(x, n, X, beta)
        if np.abs(step).max() < 1e-10 or np.abs(beta).max() > 1e3:
            break
    p = expit(X @ beta)
    covariance = np.asarray(np.linalg.pinv(X.T @ ((n * p * (1 - p))[:, None] * X)), dtype=np.float64)
    return beta, covariance, value


def _log_likelihood(x: Array, n: Array, X: Array, beta: Array) -> float:
    p = expit(X @ beta)
    return float((log_choose(n, x) + xlogy(x, p) + xlog1py(n - x, -p)).sum())
