"""Tests and intervals of a mean from few studies: z, t, Knapp-Hartung, and Knapp-Hartung floored at the model's."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from pasimeta.effects.validation import Array

TESTS = ("z", "t", "knha", "adhoc")
#: Below this scale the effects agree to rounding, and Knapp-Hartung's interval would have no width.
_IDENTICAL = 1e-20


class Inference(NamedTuple):
    """Standard error, statistic, two-sided p value and interval of each estimate."""

    se: Array
    statistic: Array
    p_value: Array
    ci_lower: Array
    ci_upper: Array


def variance_scale(rss: Array, df: int, test: str) -> Array:
    """Return the factor by which ``test`` multiplies the model's variance.

    Parameters
    ----------
    rss : ndarray, shape (d,)
        Residual sum of squares under the weights ``1 / (vi + tau2)``.
    df : int
        k - p.
    test : str
        ``"knha"``: ``rss / df``, or 1 where the effects agree to rounding. ``"adhoc"``: that, but at least 1.

    References
    ----------
    Knapp G, Hartung J. Improved tests for a random effects meta-regression with a single covariate. Stat Med
    2003;22:2693-2710. Floored: Knapp and Hartung 2003, sec. 5; Jackson D, et al. The Hartung-Knapp modification for
    random-effects meta-analysis: a useful refinement but are there any residual concerns? Stat Med 2017;36:3923-3934.
    """
    if test not in ("knha", "adhoc") or df == 0:
        return np.ones_like(rss)
    scale = rss / df
    return np.maximum(scale, 1.0) if test == "adhoc" else np.where(scale < _IDENTICAL, 1.0, scale)


def inference(estimate: Array, se: Array, df: int, test: str, level: float) -> Inference:
    """Return statistic, p value and interval of estimates with a standard error that is already scaled.

    Parameters
    ----------
    estimate, se : ndarray
        Any one shape.
    df : int
        k - p; with 0 (a single study) the normal distribution is the only one left.
    test : str
        ``"z"`` refers to the normal distribution, any other to t with ``df`` degrees of freedom.
    level : float
        Confidence level.
    """
    statistic = estimate / se
    half_width = critical_value(df, test, level) * se
    return Inference(se, statistic, p_value(statistic, df, test), estimate - half_width, estimate + half_width)


def p_value(statistic: Array, df: int, test: str) -> Array:
    """Return the two-sided p value."""
    below = -np.abs(statistic)
    return 2.0 * np.asarray(ndtr(below) if test == "z" or df == 0 else stdtr(df, below))


def critical_value(df: int, test: str, level: float) -> float:
    """Return the two-sided critical value."""
    upper = 0.5 * (1.0 + level)
    return float(ndtri(upper) if test == "z" or df == 0 else stdtrit(df, upper))
