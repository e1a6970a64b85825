"""How much the studies differ: Cochran's Q, I2, H2, and the Q-profile interval of tau2."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import chdtrc, gammaincinv

from pasimeta.effects.validation import Array
from pasimeta.synthesis.projection import generalized_q, projection_trace, solve_generalized_q


class Heterogeneity(NamedTuple):
    """Q, its p value, I2 in percent and H2, shape (d,) each; ``typical`` is the typical sampling variance."""

    q: Array
    q_p_value: Array
    i2: Array
    h2: Array
    typical: Array


def heterogeneity(y: Array, v: Array, X: Array, tau2: Array, method: str) -> Heterogeneity:
    """Return Q, I2 and H2 of a fit.

    Parameters
    ----------
    y, v : ndarray, shape (k, d)
        Effect sizes and sampling variances.
    X : ndarray, shape (k, p)
        Design matrix.
    tau2 : ndarray, shape (d,)
        Fitted between-study variance.
    method : str
        ``"EE"`` gives the Q-based I2 and H2 (I2 truncated at 0, H2 not); any other the tau2-based ones.

    Returns
    -------
    Heterogeneity
        A saturated fit (k = p) has Q = 0 with p value 1, I2 = 0 and H2 = 1.

    References
    ----------
    Higgins JPT, Thompson SG. Quantifying heterogeneity in a meta-analysis. Stat Med 2002;21:1539-1558, eqs. 9, 10.
    """
    df = y.shape[0] - X.shape[1]
    if df == 0:
        zero = np.zeros(y.shape[1])
        return Heterogeneity(zero, zero + 1.0, zero, zero + 1.0, zero + np.nan)
    q, _ = generalized_q(y, v, X, 0.0)
    typical = df / projection_trace(v, X)
    p_value = np.asarray(chdtrc(df, q))
    if method == "EE":
        h2 = q / df
        return Heterogeneity(q, p_value, 100.0 * np.maximum(0.0, 1.0 - 1.0 / np.maximum(h2, 1.0)), h2, typical)
    return Heterogeneity(q, p_value, i2_of(tau2, typical), 1.0 + tau2 / typical, typical)


def i2_of(tau2: Array, typical: Array) -> Array:
    """Return I2 in percent: tau2's share of the total variance of a study with the typical sampling variance."""
    return 100.0 * tau2 / (tau2 + typical)


def q_profile(y: Array, v: Array, X: Array, q: Array, level: float) -> tuple[Array, Array, np.ndarray]:
    """Return the Q-profile interval of tau2, exact under normality.

    Parameters
    ----------
    y, v : ndarray, shape (k, d)
        Effect sizes and sampling variances.
    X : ndarray, shape (k, p)
        Design matrix, k > p.
    q : ndarray, shape (d,)
        Cochran's Q of each column.
    level : float
        Confidence level.

    Returns
    -------
    lower, upper : ndarray, shape (d,)
        The interval, cut at 0.
    empty : ndarray of bool, shape (d,)
        Where Q lies below its lower critical value even at tau2 = 0, so that no tau2 >= 0 is in the interval; both
        limits are 0 there.

    References
    ----------
    Viechtbauer W. Confidence intervals for the amount of heterogeneity in meta-analysis. Stat Med 2007;26:37-52.
    """
    k, d = y.shape
    df = k - X.shape[1]
    tail = 0.5 * (1.0 - level)
    critical = 2.0 * gammaincinv(0.5 * df, np.array([1.0 - tail, tail]))
    both = solve_generalized_q(
        np.concatenate([y, y], axis=1), np.concatenate([v, v], axis=1), X, np.repeat(critical, d)
    )
    return both[:d], both[d:], q < critical[1]
