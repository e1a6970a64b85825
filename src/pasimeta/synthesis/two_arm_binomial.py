"""Pool 2 x 2 tables in a binomial-normal model with fixed study effects: no correction, heterogeneity allowed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from pasimeta.effects import escalc
from pasimeta.effects.validation import Array, check_level
from pasimeta.errors import PasimetaError, doubt
from pasimeta.synthesis.common_rate import chi2_quantile, saturated_log_likelihood
from pasimeta.synthesis.confidence_mixture import confidence_mixture, normal_mixture_interval
from pasimeta.synthesis.profile_likelihood import ProfileFit, fit_profile
from pasimeta.synthesis.profile_model import profile_at
from pasimeta.synthesis.results import PooledResult
from pasimeta.synthesis.roots import Columns, root_of_increasing
from pasimeta.synthesis.two_arm_likelihood import LARGEST_TAU, TwoArmBinomialNormal
from pasimeta.synthesis.two_arm_tables import Tables, check_tables

_FEW_STUDIES = 5


def pool_two_arm_binomial(
    events1: ArrayLike, n1: ArrayLike, events2: ArrayLike, n2: ArrayLike, level: float = 0.95
) -> PooledResult:
    """Pool two-arm counts by maximum likelihood: binomial arms, fixed study effects, normal log odds ratios.

    Parameters
    ----------
    events1, n1, events2, n2 : array_like, shape (k,)
        Events and patients of the two arms of each study.
    level : float
        Level of every interval.

    Returns
    -------
    PooledResult
        ``estimate`` is the log odds ratio of arm 1 against arm 2 in the median study. Intervals of it and of tau2 are
        profile-likelihood ones, the prediction interval averages over the confidence distribution of tau2, as in
        :func:`pool_binomial`. ``statistic`` is the signed root of the likelihood ratio against an odds ratio of 1.
        ``q`` is the likelihood-ratio statistic of one odds ratio for all against one each.

    Raises
    ------
    PasimetaError
        For counts that can't be; if fewer than two studies have both an event and a non-event; or if the odds ratio
        has no finite maximum-likelihood estimate.

    Warns
    -----
    PasimetaWarning
        Few studies; tau2 at its boundary; studies that can't tell an odds ratio and were left out.

    Notes
    -----
    Study effects are maximized out, so tau2 is biased downwards in very small arms (Neyman & Scott's problem), as is
    metafor's. At tau2 = 0 the model is logistic regression with a term for each study.

    References
    ----------
    Simmonds MC, Higgins JPT. A general framework for the use of logistic regression models in meta-analysis. Stat
    Methods Med Res 2016;25:2858-2877. Turner RM et al. Stat Med 2000;19:3417-3432 (coding of +1/2 and -1/2).
    """
    tables, flat = check_tables(events1, n1, events2, n2)
    if not flat:
        raise PasimetaError("events1: several data sets; pool_two_arm_binomial takes one of shape (k,)")
    level = check_level(level)
    tells = (((tables.a + tables.c) > 0) & ((tables.b + tables.d) > 0))[:, 0]
    kept = Tables(*(cells[tells] for cells in tables))
    _refuse_undefined(kept)
    model = TwoArmBinomialNormal(kept)
    fit = fit_profile(model, 0.5 * chi2_quantile(level))
    doubts = _doubts(fit, len(tells), int(tells.sum()))
    return PooledResult(
        k=len(tells),
        **_fields(model, fit, kept, level),
        measure="OR",
        method="UM.FS",
        test="profile",
        level=level,
        warnings=tuple(doubt(text, stacklevel=4) for text in doubts),
    )


def _fields(model: TwoArmBinomialNormal, fit: ProfileFit, kept: Tables, level: float) -> dict[str, Any]:
    pi_lower, pi_upper = normal_mixture_interval(confidence_mixture(fit), level)
    log_odds_ratios = {
        "estimate": fit.mu,
        "ci_lower": fit.mu_lower,
        "ci_upper": fit.mu_upper,
        "pi_lower": pi_lower,
        "pi_upper": pi_upper,
    }
    statistic = _signed_root(model, fit)
    common = profile_at(model, np.zeros(1), np.zeros(1, dtype=np.intp), fit.mu).value
    saturated = saturated_log_likelihood(kept.a, kept.n1) + saturated_log_likelihood(kept.c, kept.n2)
    q, df = max(0.0, float(2 * (saturated - common)[0])), len(kept.a) - 1
    return {
        **{name: float(value[0]) for name, value in log_odds_ratios.items()},
        **{f"response_{name}": float(np.exp(value[0])) for name, value in log_odds_ratios.items()},
        "se": float(fit.se[0]),
        "statistic": statistic,
        "p_value": float(chdtrc(1, statistic**2)),
        "tau2": float(fit.h[0]),
        "tau2_ci_lower": float(fit.h_lower[0]),
        "tau2_ci_upper": float(fit.h_upper[0]),
        **_spread(fit, kept),
        "q": q,
        "q_df": df,
        "q_p_value": float(chdtrc(df, q)),
        "log_likelihood": float(fit.log_likelihood[0]),
    }


def _signed_root(model: TwoArmBinomialNormal, fit: ProfileFit) -> float:
    """Signed root of twice the log-likelihood lost by an odds ratio of 1, tau2 maximized out on both sides."""
    h = model.grid()[:, 0]
    nothing = np.zeros(len(h))
    scan = model.terms(nothing, h, nothing.astype(np.intp))
    best = int(scan.value.argmax())
    low, high = h[max(best - 1, 0)], h[min(best + 1, len(h) - 1)]

    def slope(x: Array, which: Columns) -> tuple[Array, Array]:
        terms = model.terms(np.zeros(1), x, which)
        return -terms.h, -terms.hh

    at = h[best : best + 1]
    if best > 0 or scan.h[0] > 0:
        at = root_of_increasing(slope, np.array([(low + high) / 2]), np.array([low]), np.array([high]))
    peak = max(float(scan.value[best]), float(model.terms(np.zeros(1), at, np.zeros(1, dtype=np.intp)).value[0]))
    lost = max(0.0, float(fit.log_likelihood[0]) - peak)
    return float(np.sign(fit.mu[0]) * np.sqrt(2 * lost))


def _spread(fit: ProfileFit, kept: Tables) -> dict[str, float]:
    """I2 in percent and H2, against the typical sampling variance of an empirical log odds ratio."""
    _, variances = escalc("OR", events1=kept.a, n1=kept.n1, events2=kept.c, n2=kept.n2)
    weights = 1 / variances[:, 0]
    typical = (len(weights) - 1) / (weights.sum() - (weights**2).sum() / weights.sum())
    values = {"i2": fit.h, "i2_ci_lower": fit.h_lower, "i2_ci_upper": fit.h_upper}
    spread = {name: 100.0 if np.isinf(h[0]) else float(100 * h[0] / (h[0] + typical)) for name, h in values.items()}
    return spread | {"h2": float(1 + fit.h[0] / typical)}


def _refuse_undefined(kept: Tables) -> None:
    if len(kept.a) < 2:
        raise PasimetaError(
            "events1, events2: fewer than two studies have both an event and a non-event; use exact_odds_ratio"
        )
    for empty in ((kept.a == 0) | (kept.d == 0), (kept.b == 0) | (kept.c == 0)):
        if empty.all():
            raise PasimetaError(
                "events1, events2: every study has its empty cell on the same side, so the odds ratio's estimate is "
                "not finite; use exact_odds_ratio, which has a one-sided interval"
            )


def _doubts(fit: ProfileFit, studies: int, kept: int) -> list[str]:
    doubts = []
    if kept < studies:
        doubts.append(
            f"{studies - kept} of {studies} studies without any event or non-event say nothing of an odds ratio"
        )
    if kept < _FEW_STUDIES:
        doubts.append(f"only {kept} studies: tau2 and every interval that uses it are poorly determined")
    if fit.h[0] == 0:
        doubts.append("tau2 is estimated at its boundary 0: no heterogeneity seen is not none present")
    if fit.h[0] >= LARGEST_TAU**2:
        doubts.append(f"tau2 is estimated at the largest value considered, {LARGEST_TAU**2:g}: read it as unbounded")
    return doubts
