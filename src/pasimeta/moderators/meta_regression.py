"""Meta-regression: how much of the difference between studies do their characteristics explain?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import chdtrc, fdtrc

from pasimeta.effects.validation import Array, check_choice, check_effects, check_level
from pasimeta.errors import PasimetaError, doubt
from pasimeta.moderators.design import Design, design_matrix
from pasimeta.moderators.permutations import permutation_p_values
from pasimeta.synthesis.model import METHODS, ModelFit, fit_model, wald_statistic
from pasimeta.synthesis.projection import intercept
from pasimeta.synthesis.small_sample import TESTS


@dataclass(frozen=True, kw_only=True, slots=True)
class MetaRegressionResult:
    """A fitted meta-regression.

    Attributes
    ----------
    names : tuple of str
        The coefficients, intercept first; the arrays below are in this order.
    estimate, se, statistic, p_value, ci_lower, ci_upper : ndarray, shape (p,)
        Coefficients on the analysis scale, and their inference.
    permutation_p_value : ndarray, shape (p,), or None
        Permutation p value of every coefficient but the intercept's, which no permutation of moderators tests (NaN).
    qm, qm_df, qm_p_value : float, tuple of int, float
        Omnibus test of all moderators: Wald chi-square with ``(m,)`` degrees of freedom for ``test="z"``, F with
        ``(m, k - p)`` otherwise.
    qm_permutation_p_value : float or None
        Permutation p value of the omnibus test.
    permutations : int or None
        Number of permutations behind them, and ``permutations_exact`` whether these are all there are.
    tau2, i2, h2 : float
        Residual between-study variance, and the tau2-based I2 (percent) and H2.
    r2 : float or None
        Percent of tau2 explained; None for EE or where there is no heterogeneity to explain.
    q, q_df, q_p_value : float
        Test of residual heterogeneity (QE).
    k : int
        Number of studies.
    method, test, level, warnings
        As asked for, and the doubts raised.
    """

    names: tuple[str, ...]
    estimate: Array
    se: Array
    statistic: Array
    p_value: Array
    ci_lower: Array
    ci_upper: Array
    permutation_p_value: Array | None
    qm: float
    qm_df: tuple[int, ...]
    qm_p_value: float
    qm_permutation_p_value: float | None
    permutations: int | None
    permutations_exact: bool | None
    tau2: float
    i2: float
    h2: float
    r2: float | None
    q: float
    q_df: int
    q_p_value: float
    k: int
    method: str
    test: str
    level: float
    warnings: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row a coefficient."""
        columns = ("estimate", "se", "statistic", "p_value", "ci_lower", "ci_upper")
        table = pd.DataFrame({name: getattr(self, name) for name in columns}, index=pd.Index(self.names, name="term"))
        if self.permutation_p_value is not None:
            table["permutation_p_value"] = self.permutation_p_value
        return table.reset_index()


def meta_regression(
    yi: ArrayLike,
    vi: ArrayLike,
    moderators: pd.DataFrame | pd.Series | Mapping[str, ArrayLike] | ArrayLike,
    method: str = "REML",
    test: str = "adhoc",
    level: float = 0.95,
    *,
    permutations: int = 0,
    seed: int | np.random.Generator | None = 0,
) -> MetaRegressionResult:
    """Regress effect sizes on study characteristics by inverse variance.

    Parameters
    ----------
    yi, vi : array_like, shape (k,)
        Effect sizes and sampling variances.
    moderators : DataFrame, Series, mapping or array_like
        Numeric moderators, one row a study, used as they are; the intercept is added.
    method, test, level
        As in :func:`pasimeta.synthesis.pool`.
    permutations : int
        Most permutations to spend on a permutation test: all distinct ones if there are no more (exact), else as many
        drawn at random, the observed one included. 0 for none.
    seed : int or Generator, optional
        Randomness of drawn permutations; the default gives the same digits every time.

    Returns
    -------
    MetaRegressionResult

    Raises
    ------
    PasimetaError
        For effects or moderators that can't be, collinear moderators, or too few studies; the message names them.

    References
    ----------
    Knapp G, Hartung J. Stat Med 2003;22:2693-2710. R2: Raudenbush SW. Analyzing effect sizes: random-effects models,
    2009, eq. 16.20. Permutation: Higgins JPT, Thompson SG. Controlling the risk of spurious findings from
    meta-regression. Stat Med 2004;23:1663-1682.
    """
    check_choice("method", method, METHODS)
    check_choice("test", test, TESTS)
    check_level(level)
    effects, variances = check_effects(yi, vi)
    if effects.ndim != 1:
        raise PasimetaError(f"yi: shape {effects.shape} isn't one data set; give (k,)")
    design = design_matrix(moderators, effects.size)
    y, v = effects[:, None], variances[:, None]
    fit = fit_model(y, v, design.X, method, test, level)
    null_tau2 = float(fit_model(y, v, intercept(effects.size), method, test, level).tau2[0])
    permuted = None
    if permutations:
        permuted = permutation_p_values(effects, variances, design.X, method, test, permutations, seed)
    qm, qm_df, qm_p_value = _omnibus(fit, test)
    return MetaRegressionResult(
        names=design.names,
        estimate=fit.estimate[:, 0],
        **{name: values[:, 0] for name, values in fit.tested._asdict().items()},
        permutation_p_value=permuted and permuted.coefficients,
        qm=qm,
        qm_df=qm_df,
        qm_p_value=qm_p_value,
        qm_permutation_p_value=permuted and permuted.omnibus,
        permutations=permuted and permuted.permutations,
        permutations_exact=permuted and permuted.exact,
        **_residual_heterogeneity(fit, null_tau2),
        k=effects.size,
        method=method,
        test=test,
        level=level,
        warnings=tuple(doubt(text, stacklevel=4) for text in _doubts(fit, design, null_tau2, method, test)),
    )


def _residual_heterogeneity(fit: ModelFit, null_tau2: float) -> dict[str, Any]:
    """Return the fields of the result on heterogeneity left over, and explained."""
    tau2, spread = float(fit.tau2[0]), fit.heterogeneity
    return {
        "tau2": tau2,
        "i2": float(spread.i2[0]),
        "h2": float(spread.h2[0]),
        "r2": max(0.0, 100.0 * (1.0 - tau2 / null_tau2)) if null_tau2 > 0 else None,
        "q": float(spread.q[0]),
        "q_df": fit.df,
        "q_p_value": float(spread.q_p_value[0]),
    }


def _omnibus(fit: ModelFit, test: str) -> tuple[float, tuple[int, ...], float]:
    m = len(fit.estimate) - 1
    wald = float(wald_statistic(fit)[0])
    if test == "z":
        return wald, (m,), float(chdtrc(m, wald))
    return wald / m, (m, fit.df), float(fdtrc(m, fit.df, wald / m))


def _doubts(fit: ModelFit, design: Design, null_tau2: float, method: str, test: str) -> list[str]:
    k, p = design.X.shape
    doubts = []
    if k < 10 * (p - 1):
        doubts.append(f"{k} studies are fewer than ten a moderator ({p - 1}): chance findings are likely")
    if method != "EE" and fit.tau2[0] == 0:
        doubts.append("residual tau2 is estimated at its boundary 0: no heterogeneity seen is not none present")
    if method != "EE" and null_tau2 == 0:
        doubts.append("there is no heterogeneity to explain without moderators: R2 does not exist")
    if test == "knha" and fit.scale[0] < 1:
        doubts.append('Knapp-Hartung narrowed the intervals; test="adhoc" never does')
    return doubts
