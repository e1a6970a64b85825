"""Small-study effects: do small studies show larger effects? Egger's, Peters' and Begg's tests."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit

from pasimeta.effects import escalc
from pasimeta.effects.validation import Array, as_numbers, check_choice, check_counts, check_level, same_shape
from pasimeta.errors import PasimetaError, doubt
from pasimeta.robustness.refits import one_data_set
from pasimeta.synthesis.model import fit_model

PREDICTORS = ("sei", "vi", "ni", "ninv", "sqrtni", "sqrtninv")
#: Below this many studies the tests have next to no power (Sterne JAC, et al. BMJ 2011;343:d4002).
_FEW_STUDIES = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class SmallStudyResult:
    """A test for small-study effects.

    Attributes
    ----------
    statistic, p_value : float
        Test statistic (t or z of the slope; Kendall's tau for Begg's test) and two-sided p value.
    df : int or None
        Degrees of freedom of t; None for z and Kendall's tau.
    slope, slope_se : float or None
        Regression slope on the predictor.
    limit_estimate, limit_ci_lower, limit_ci_upper : float or None
        Intercept: the effect that the regression predicts where the predictor is 0 (an infinitely large study for
        predictors that vanish there).
    predictor, model : str
        What was regressed on, and how.
    k : int
        Number of studies that carry weight.
    level : float
        Confidence level.
    warnings : tuple of str
        Doubts.
    """

    statistic: float
    p_value: float
    df: int | None
    slope: float | None
    slope_se: float | None
    limit_estimate: float | None
    limit_ci_lower: float | None
    limit_ci_upper: float | None
    predictor: str
    model: str
    k: int
    level: float
    warnings: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        row = {field.name: [getattr(self, field.name)] for field in fields(self)}
        return pd.DataFrame({**row, "warnings": ["; ".join(self.warnings)]})


def egger(
    yi: ArrayLike,
    vi: ArrayLike,
    predictor: str = "sei",
    *,
    n: ArrayLike | None = None,
    model: str = "lm",
    method: str = "REML",
    level: float = 0.95,
) -> SmallStudyResult:
    """Test for funnel-plot asymmetry by regressing the effects on a measure of study size.

    Parameters
    ----------
    yi, vi : array_like, shape (k,)
        Effect sizes and sampling variances, k at least 3.
    predictor : str
        ``"sei"`` (standard error: Egger's test), ``"vi"`` (variance), or of the sample size ``"ni"``, ``"ninv"``,
        ``"sqrtni"``, ``"sqrtninv"``.
    n : array_like, shape (k,), optional
        Sample sizes, for the last four.
    model : str
        ``"lm"``: weights 1/vi with multiplicative dispersion, t(k - 2), as Egger; ``"rma"``: random-effects
        meta-regression with ``method``, z.
    method : str
        Estimator of tau2 for ``model="rma"``.
    level : float
        Confidence level of the limit estimate.

    Returns
    -------
    SmallStudyResult

    Raises
    ------
    PasimetaError
        For data or options that can't be, missing sample sizes, fewer than 3 studies, or a predictor without spread.

    References
    ----------
    Egger M, Davey Smith G, Schneider M, Minder C. Bias in meta-analysis detected by a simple, graphical test. BMJ
    1997;315:629-634. Sterne JAC, Egger M. Regression methods to detect publication and other bias in meta-analysis,
    2005.
    """
    check_choice("predictor", predictor, PREDICTORS)
    check_choice("model", model, ("lm", "rma"))
    effects, variances = one_data_set(yi, vi, method, level=level, least=3)
    x = _predictor_values(predictor, variances, n)
    if model == "lm":
        return _weighted_regression(effects, x, 1.0 / variances, predictor, level)
    X = np.column_stack([np.ones(x.size), x])
    fit = fit_model(effects[:, None], variances[:, None], X, method, "z", level)
    tested = fit.tested
    return SmallStudyResult(
        statistic=float(tested.statistic[1, 0]),
        p_value=float(tested.p_value[1, 0]),
        df=None,
        slope=float(fit.estimate[1, 0]),
        slope_se=float(tested.se[1, 0]),
        limit_estimate=float(fit.estimate[0, 0]),
        limit_ci_lower=float(tested.ci_lower[0, 0]),
        limit_ci_upper=float(tested.ci_upper[0, 0]),
        predictor=predictor,
        model=f"rma {method}",
        k=x.size,
        level=level,
        warnings=_doubted(x.size),
    )


def peters(
    *,
    events: ArrayLike | None = None,
    n: ArrayLike | None = None,
    events1: ArrayLike | None = None,
    n1: ArrayLike | None = None,
    events2: ArrayLike | None = None,
    n2: ArrayLike | None = None,
    level: float = 0.95,
) -> SmallStudyResult:
    """Test for funnel-plot asymmetry of log odds by regressing them on 1/n, which isn't tied to the effect itself.

    Parameters
    ----------
    events1, n1, events2, n2 : array_like, shape (k,)
        Counts of two groups: log odds ratios are regressed.
    events, n : array_like, shape (k,)
        Counts of one group: log odds are regressed.
    level : float
        Confidence level of the limit estimate.

    Returns
    -------
    SmallStudyResult

    Raises
    ------
    PasimetaError
        For counts that can't be, or fewer than 3 studies with both events and non-events.

    References
    ----------
    Peters JL, Sutton AJ, Jones DR, Abrams KR, Rushton L. Comparison of two methods to detect publication bias in
    meta-analysis. JAMA 2006;295:676-680.
    """
    check_level(level)
    two_groups = events is None
    if two_groups:
        effects, _ = escalc("OR", events1=events1, n1=n1, events2=events2, n2=n2)
        first = check_counts(events1, n1, ("events1", "n1"))  # type: ignore[arg-type]
        second = check_counts(events2, n2, ("events2", "n2"))  # type: ignore[arg-type]
        cases, size = first[0] + second[0], first[1] + second[1]
    else:
        effects, _ = escalc("PLO", events=events, n=n)
        cases, size = check_counts(events, n)  # type: ignore[arg-type]
    return _weighted_regression(effects, 1.0 / size, cases * (size - cases) / size, "ninv", level)


def begg(yi: ArrayLike, vi: ArrayLike) -> SmallStudyResult:
    """Test for funnel-plot asymmetry by the rank correlation of standardized effects and variances.

    Parameters
    ----------
    yi, vi : array_like, shape (k,)
        Effect sizes and sampling variances, k at least 3.

    Returns
    -------
    SmallStudyResult
        ``statistic`` is Kendall's tau; its p value is exact without ties.

    Raises
    ------
    PasimetaError
        For data that can't be, fewer than 3 studies, or variances that are all equal.

    References
    ----------
    Begg CB, Mazumdar M. Operating characteristics of a rank correlation test for publication bias. Biometrics
    1994;50:1088-1101.
    """
    from scipy.stats import kendalltau

    effects, variances = one_data_set(yi, vi, least=3)
    if np.ptp(variances) == 0:
        raise PasimetaError("vi: all variances are equal, so there are no small and large studies to compare")
    w = 1.0 / variances
    centred = effects - (w * effects).sum() / w.sum()
    deviates = centred / np.sqrt(variances - 1.0 / w.sum())
    if np.ptp(deviates) == 0:
        raise PasimetaError("yi: all effects are equal, so they can't be ranked")
    tied = any(np.unique(a).size < a.size for a in (deviates, variances))
    tau, p_value = kendalltau(deviates, variances, method="asymptotic" if tied else "exact")
    return SmallStudyResult(
        statistic=float(tau),
        p_value=float(p_value),
        df=None,
        slope=None,
        slope_se=None,
        limit_estimate=None,
        limit_ci_lower=None,
        limit_ci_upper=None,
        predictor="vi",
        model="rank correlation",
        k=effects.size,
        level=0.95,
        warnings=_doubted(effects.size),
    )


def _predictor_values(predictor: str, variances: Array, n: ArrayLike | None) -> Array:
    if predictor == "sei":
        x = np.sqrt(variances)
    elif predictor == "vi":
        x = variances
    else:
        if n is None:
            raise PasimetaError(f"n: the predictor {predictor} needs the sample sizes; give n")
        size = as_numbers("n", n)
        same_shape(variances, size, ("vi", "n"))
        if (size <= 0).any():
            raise PasimetaError(f"n, row {int(np.argmax(size <= 0)) + 1}: a sample size must be positive")
        x = {"ni": size, "ninv": 1.0 / size, "sqrtni": np.sqrt(size), "sqrtninv": 1.0 / np.sqrt(size)}[predictor]
    _refuse_constant(x, predictor)
    return x


def _refuse_constant(x: Array, predictor: str) -> None:
    if np.ptp(x) <= 1e-12 * np.abs(x).max():
        raise PasimetaError(f"{predictor}: all studies have the same value, so there is nothing to regress on")


def _weighted_regression(y: Array, x: Array, w: Array, predictor: str, level: float) -> SmallStudyResult:
    """Return the weighted least-squares regression of ``y`` on ``x`` with multiplicative dispersion."""
    counted = w > 0
    y, x, w = y[counted], x[counted], w[counted]
    if y.size < 3:
        raise PasimetaError(f"{y.size} studies carry weight; the regression needs at least 3")
    _refuse_constant(x, predictor)
    centre = (w * x).sum() / w.sum()
    spread = (w * (x - centre) ** 2).sum()
    mean, slope = (w * y).sum() / w.sum(), (w * (x - centre) * y).sum() / spread
    df = y.size - 2
    dispersion = (w * (y - mean - slope * (x - centre)) ** 2).sum() / df
    if dispersion <= 1e-24 * (w * y**2).mean():
        raise PasimetaError("yi: the effects lie exactly on the regression line, so the slope can't be tested")
    slope_se = np.sqrt(dispersion / spread)
    limit, limit_se = mean - slope * centre, np.sqrt(dispersion * (1.0 / w.sum() + centre**2 / spread))
    half_width = stdtrit(df, 0.5 * (1.0 + level)) * limit_se
    return SmallStudyResult(
        statistic=float(slope / slope_se),
        p_value=float(2.0 * stdtr(df, -abs(slope / slope_se))),
        df=df,
        slope=float(slope),
        slope_se=float(slope_se),
        limit_estimate=float(limit),
        limit_ci_lower=float(limit - half_width),
        limit_ci_upper=float(limit + half_width),
        predictor=predictor,
        model="lm",
        k=y.size,
        level=level,
        warnings=_doubted(y.size, int((~counted).sum())),
    )


def _doubted(k: int, weightless: int = 0) -> tuple[str, ...]:
    doubts = []
    if k < _FEW_STUDIES:
        doubts.append(f"only {k} studies: with fewer than 10 the test has next to no power, so a large p says little")
    if weightless:
        doubts.append(f"{weightless} studies without events or without non-events carry no weight in the regression")
    return tuple(doubt(text, stacklevel=5) for text in doubts)
