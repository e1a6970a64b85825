"""Mantel-Haenszel and Peto: one odds ratio, risk ratio or risk difference from many 2 x 2 tables, never corrected."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, ndtri

from pasimeta.effects import escalc
from pasimeta.effects.validation import Array, check_choice, check_counts, check_level
from pasimeta.errors import PasimetaError, doubt
from pasimeta.synthesis.results import PooledResult
from pasimeta.synthesis.small_sample import p_value

MEASURES = ("OR", "RR", "RD")


class Tables(NamedTuple):
    """2 x 2 tables, shape (k, d): events and non-events of the two arms, arm sizes, and patients."""

    a: Array
    b: Array
    c: Array
    d: Array
    n1: Array
    n2: Array
    n: Array


class _Estimate(NamedTuple):
    """Effect on the analysis scale, its standard error (shape (d,)), and each study's weight (shape (k, d))."""

    effect: Array
    se: Array
    weights: Array


def mantel_haenszel(
    events1: ArrayLike, n1: ArrayLike, events2: ArrayLike, n2: ArrayLike, measure: str = "OR", level: float = 0.95
) -> PooledResult:
    """Pool 2 x 2 tables by Mantel and Haenszel's method.

    Parameters
    ----------
    events1, n1, events2, n2 : array_like, shape (k,) or (k, d)
        Events and patients of the two arms of k studies (of d data sets).
    measure : {"OR", "RR", "RD"}
        Odds ratio, risk ratio, risk difference, of arm 1 against arm 2.
    level : float
        Level of the interval.

    Returns
    -------
    PooledResult
        ``estimate`` is a log odds ratio, log risk ratio or risk difference, ``response_estimate`` the ratio or
        difference itself. ``q`` is the weighted sum of squares of the studies' own effects (1/2 added to a table with
        an empty cell, tables without any event or without any non-event left out) about the estimate; I2 and H2 are
        Q-based. The sums behind the estimate itself are not corrected.

    Raises
    ------
    PasimetaError
        For counts that can't be, an unknown measure, and where an arm's events (for OR also non-events) are so empty
        that the estimate or its standard error is not defined.

    References
    ----------
    Mantel N, Haenszel W. J Natl Cancer Inst 1959;22:719-748. Variances: OR, Robins J, Breslow N, Greenland S.
    Biometrics 1986;42:311-323; RR, Greenland S, Robins JM. Biometrics 1985;41:55-68; RD, Sato T, Greenland S, Robins
    JM. Biometrics 1989;45:1323-1324.

    Examples
    --------
    >>> result = mantel_haenszel([1, 4], [20, 30], [5, 6], [20, 30])
    >>> round(result.response_estimate, 4)
    0.397
    """
    check_choice("measure", measure, MEASURES)
    tables, flat = check_tables(events1, n1, events2, n2)
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = _ESTIMATORS[measure](tables)
    _refuse_undefined(estimate, measure)
    kept = ((tables.a + tables.c) > 0) & ((tables.b + tables.d) > 0)
    yi, vi = escalc(measure, events1=tables.a, n1=tables.n1, events2=tables.c, n2=tables.n2)
    q = np.where(kept, (yi - estimate.effect) ** 2 / vi, 0.0).sum(axis=0)
    return _result(estimate, q, kept, measure, "MH", check_level(level), flat)


def peto(events1: ArrayLike, n1: ArrayLike, events2: ArrayLike, n2: ArrayLike, level: float = 0.95) -> PooledResult:
    """Pool 2 x 2 tables by Peto's one-step method.

    Parameters
    ----------
    events1, n1, events2, n2 : array_like, shape (k,) or (k, d)
        Events and patients of the two arms of k studies (of d data sets).
    level : float
        Level of the interval.

    Returns
    -------
    PooledResult
        ``estimate`` is a log odds ratio. Biased where arms are unequal or effects large; right for rare events in
        balanced arms. ``q`` is ``sum (O - E)^2/V - (sum (O - E))^2/sum V``.

    Raises
    ------
    PasimetaError
        For counts that can't be, and if no study has both an event and a non-event.

    References
    ----------
    Yusuf S, Peto R, Lewis J, Collins R, Sleight P. Prog Cardiovasc Dis 1985;27:335-371.
    """
    tables, flat = check_tables(events1, n1, events2, n2)
    events, others = tables.a + tables.c, tables.b + tables.d
    expected = events * tables.n1 / tables.n
    spread = events * others * (tables.n1 / tables.n) * (tables.n2 / tables.n)
    variance = spread / np.maximum(tables.n - 1, 1)
    total = variance.sum(axis=0)
    if (total == 0).any():
        raise PasimetaError("events1, events2: no study has both an event and a non-event; Peto's ratio isn't defined")
    excess = tables.a - expected
    effect = excess.sum(axis=0) / total
    kept = variance > 0
    safe = np.where(kept, variance, 1.0)
    q = np.where(kept, (excess / safe - effect) ** 2 * safe, 0.0).sum(axis=0)
    return _result(_Estimate(effect, total**-0.5, variance), q, kept, "OR", "Peto", check_level(level), flat)


def check_tables(events1: ArrayLike, n1: ArrayLike, events2: ArrayLike, n2: ArrayLike) -> tuple[Tables, bool]:
    """Return checked tables of shape (k, d), and whether they came without the second axis.

    Raises
    ------
    PasimetaError
        Naming the column and row of a count that can't be.
    """
    a, first = check_counts(events1, n1, ("events1", "n1"))
    c, second = check_counts(events2, n2, ("events2", "n2"))
    if a.shape != c.shape:
        raise PasimetaError(
            f"events1 and events2 have unequal lengths ({len(a)} and {len(c)}); give both arms of each study"
        )
    if a.ndim > 2 or a.size == 0:
        raise PasimetaError(f"events1: shape {a.shape} can't be pooled; give (k,) or (k, d) with d > 0")
    flat = a.ndim == 1
    a, first, c, second = (x[:, None] if flat else x for x in (a, first, c, second))
    return Tables(a, first - a, c, second - c, first, second, first + second), flat


def _odds_ratio(t: Tables) -> _Estimate:
    r, s = t.a * t.d / t.n, t.b * t.c / t.n
    p, q = (t.a + t.d) / t.n, (t.b + t.c) / t.n
    R, S = r.sum(axis=0), s.sum(axis=0)
    variance = ((p * r).sum(axis=0) / R**2 + (p * s + q * r).sum(axis=0) / (R * S) + (q * s).sum(axis=0) / S**2) / 2
    return _Estimate(np.log(R / S), np.sqrt(variance), s)


def _risk_ratio(t: Tables) -> _Estimate:
    R, S = (t.a * t.n2 / t.n).sum(axis=0), (t.c * t.n1 / t.n).sum(axis=0)
    spread = (t.n1 * t.n2 * (t.a + t.c) / t.n**2 - t.a * t.c / t.n).sum(axis=0)
    return _Estimate(np.log(R / S), np.sqrt(spread / (R * S)), t.c * t.n1 / t.n)


def _risk_difference(t: Tables) -> _Estimate:
    weights = t.n1 * t.n2 / t.n
    total = weights.sum(axis=0)
    effect = ((t.a * t.n2 - t.c * t.n1) / t.n).sum(axis=0) / total
    first, second = t.n1 / t.n, t.n2 / t.n
    slope = (t.c * first**2 - t.a * second**2 + first * second * (t.n2 - t.n1) / 2).sum(axis=0)
    level = ((t.a * t.d + t.c * t.b) / t.n).sum(axis=0) / 2
    return _Estimate(effect, np.sqrt(effect * slope + level) / total, weights)


_ESTIMATORS = {"OR": _odds_ratio, "RR": _risk_ratio, "RD": _risk_difference}


def _refuse_undefined(estimate: _Estimate, measure: str) -> None:
    defined = np.isfinite(estimate.effect) & np.isfinite(estimate.se) & (estimate.se > 0)
    if not defined.all():
        where = "" if defined.size == 1 else f" of data set {int(np.argmin(defined)) + 1}"
        remedy = "use exact_odds_ratio, which has a one-sided interval" if measure != "RD" else "nothing varies"
        raise PasimetaError(
            f"events1, events2: the tables{where} are too empty for a Mantel-Haenszel {measure}; {remedy}"
        )


def _result(
    estimate: _Estimate, q: Array, kept: Any, measure: str, method: str, level: float, flat: bool
) -> PooledResult:
    df = np.maximum(kept.sum(axis=0) - 1, 0)
    half_width = ndtri(0.5 + level / 2) * estimate.se
    lower, upper = estimate.effect - half_width, estimate.effect + half_width
    statistic = estimate.effect / estimate.se
    several = df > 0
    h2 = q / np.where(several, df, 1)
    back = (lambda x: x) if measure == "RD" else np.exp
    arrays = {
        "estimate": estimate.effect,
        "se": estimate.se,
        "statistic": statistic,
        "p_value": p_value(statistic, 1, "z"),
        "ci_lower": lower,
        "ci_upper": upper,
        "i2": np.where(several, 100 * np.maximum(0, 1 - 1 / np.maximum(h2, 1)), np.nan),
        "h2": np.where(several, h2, np.nan),
        "q": q,
        "q_df": df,
        "q_p_value": np.where(several, chdtrc(np.maximum(df, 1), q), 1.0),
        "response_estimate": back(estimate.effect),
        "response_ci_lower": back(lower),
        "response_ci_upper": back(upper),
    }
    shares = 100 * estimate.weights / estimate.weights.sum(axis=0)
    left_out = int((~kept).any(axis=1).sum())
    doubts = []
    if left_out and measure != "RD":
        doubts.append(f"{left_out} of {len(kept)} studies without any event or non-event say nothing of a ratio")
    return PooledResult(
        k=len(kept),
        **{name: presented(values, flat) for name, values in arrays.items()},
        measure=measure,
        method=method,
        test="z",
        level=level,
        weights=tuple(shares[:, 0].tolist()) if flat else None,
        warnings=tuple(doubt(text, stacklevel=5) for text in doubts),
    )


def presented(values: Array, flat: bool) -> Any:
    """A column's value as a scalar, None where it doesn't exist; or the array, None if nothing in it does."""
    if np.isnan(values).all():
        return None
    return values[0].item() if flat else values
