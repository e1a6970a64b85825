"""Two binomial rates tied by an effect: their restricted maximum likelihood, score statistic and deviance.

Everything that inverts a test of "the effect is this much" - score, profile-likelihood and exact unconditional
intervals - needs the same thing first: the two rates that fit best among those with exactly that effect.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlog1py, xlogy

from pasimeta.effects.validation import Array

Measure = Literal["RD", "RR", "OR"]
_MOST = 1e9  # stands for an impossible table, so that root finders see a number
MEASURES: tuple[Measure, ...] = ("RD", "RR", "OR")


def first_rate(measure: Measure, value: ArrayLike, rate2: ArrayLike) -> Array:
    """Return the first group's rate that a rate in the second and an effect imply, clipped to [0, 1].

    Parameters
    ----------
    measure : {"RD", "RR", "OR"}
        Risk difference, risk ratio or odds ratio, first against second.
    value, rate2 : array_like
        Effect (ratios not logged) and the second group's rate; any shapes that broadcast.
    """
    v, p2 = np.asarray(value, float), np.asarray(rate2, float)
    if measure == "RD":
        return np.clip(p2 + v, 0.0, 1.0)
    if measure == "RR":
        return np.clip(v * p2, 0.0, 1.0)
    with np.errstate(invalid="ignore"):
        return np.where(p2 >= 1, 1.0, v * p2 / (v * p2 + (1 - p2)))


def second_rate_range(measure: Measure, value: ArrayLike) -> tuple[Array, Array]:
    """Return the lowest and highest rate of the second group that effects allow, each of the shape of ``value``."""
    v = np.asarray(value, float)
    if measure == "RD":
        return np.maximum(0.0, -v), np.minimum(1.0, 1 - v)
    return np.zeros_like(v), np.ones_like(v) if measure == "OR" else np.minimum(1.0, 1 / v)


def restricted_rates(
    measure: Measure, value: ArrayLike, events1: ArrayLike, n1: float, events2: ArrayLike, n2: float
) -> tuple[Array, Array]:
    """Return the maximum-likelihood rates of two groups among those whose effect is ``value``.

    Parameters
    ----------
    measure : {"RD", "RR", "OR"}
        Scale of the effect.
    value : array_like
        Effect, first against second.
    events1, events2 : array_like
        Responders; shapes that broadcast with ``value``.
    n1, n2 : float
        Group sizes.

    Returns
    -------
    rate1, rate2 : ndarray

    References
    ----------
    Miettinen & Nurminen 1985, *Stat Med* 4:213, appendices I (difference), II (ratio) and III (odds ratio).
    """
    v, x1, x2 = (np.asarray(a, float) for a in (value, events1, events2))
    solve = {"RD": _second_given_difference, "RR": _second_given_ratio, "OR": _second_given_odds_ratio}[measure]
    rate2 = solve(v, x1, float(n1), x2, float(n2))
    return first_rate(measure, v, rate2), rate2


def score_statistic(
    measure: Measure, value: ArrayLike, events1: ArrayLike, n1: float, events2: ArrayLike, n2: float
) -> Array:
    """Return the signed root of the score test of "the effect is ``value``", with the N/(N - 1) variance.

    Positive where the first group responded more often than the effect says. Zero where the data leave no variance
    and fit exactly, a billion where they leave none and don't.

    References
    ----------
    Miettinen & Nurminen 1985, *Stat Med* 4:213, eqs 8, 10 and 13.
    """
    v, x1, x2 = np.broadcast_arrays(*(np.asarray(a, float) for a in (value, events1, events2)))
    p1, p2 = restricted_rates(measure, v, x1, n1, x2, n2)
    v1, v2 = p1 * (1 - p1) / n1, p2 * (1 - p2) / n2
    correction = (n1 + n2) / (n1 + n2 - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        if measure == "OR":
            gap = n1 * (x1 / n1 - p1)
            # the score's variance is the inverse of 1/(n1 p1 q1) + 1/(n2 p2 q2)
            deviation = np.sqrt(correction / (1 / (n1**2 * v1) + 1 / (n2**2 * v2)))
        elif measure == "RD":
            gap, deviation = x1 / n1 - x2 / n2 - v, np.sqrt((v1 + v2) * correction)
        else:
            gap, deviation = x1 / n1 - v * x2 / n2, np.sqrt((v1 + v**2 * v2) * correction)
        statistic = gap / deviation
    fits = np.abs(gap) < 1e-10
    return np.where(deviation > 1e-14, statistic, np.where(fits, 0.0, np.copysign(_MOST, gap)))


def deviance(measure: Measure, value: ArrayLike, events1: float, n1: float, events2: float, n2: float) -> Array:
    """Return twice the log-likelihood lost by holding the effect at ``value``."""
    p1, p2 = restricted_rates(measure, value, events1, n1, events2, n2)
    best = _log_likelihood(events1, n1, events1 / n1) + _log_likelihood(events2, n2, events2 / n2)
    lost = 2 * (best - _log_likelihood(events1, n1, p1) - _log_likelihood(events2, n2, p2))
    return np.clip(lost, 0.0, _MOST)


def _log_likelihood(events: ArrayLike, n: float, rate: ArrayLike) -> Array:
    x = np.asarray(events, float)
    p: Array = np.asarray(rate, dtype=np.float64)
    return np.asarray(xlogy(x, p) + xlog1py(n - x, -p), dtype=np.float64)


def _second_given_difference(d: Array, x1: Array, n1: float, x2: Array, n2: float) -> Array:
    """Admissible root of the cubic, by its trigonometric form."""
    total, responders = n1 + n2, x1 + x2
    quadratic = (n1 + 2 * n2) * d - total - responders
    linear = (n2 * d - total - 2 * x2) * d + responders
    constant = x2 * d * (1 - d)
    mean = quadratic / (3 * total)
    offset = mean**3 - quadratic * linear / (6 * total**2) + constant / (2 * total)
    radius = np.sqrt(np.maximum(mean**2 - linear / (3 * total), 0.0))
    signed = np.copysign(np.maximum(radius, 1e-100), offset)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        cosine = np.where(radius < 1e-9, 0.0, np.clip(offset / np.maximum(np.abs(signed), 1e-9) ** 3, -1, 1))
        angle = (np.pi + np.arccos(np.clip(np.sign(signed) * cosine, -1, 1))) / 3
    rate = 2 * signed * np.cos(angle) - mean
    return np.clip(rate, np.maximum(0.0, -d), np.minimum(1.0, 1 - d))


def _second_given_ratio(r: Array, x1: Array, n1: float, x2: Array, n2: float) -> Array:
    a, c = (n1 + n2) * r, x1 + x2
    b = n1 * r + x1 + n2 + x2 * r
    rate = 2 * c / (b + np.sqrt(np.maximum(b**2 - 4 * a * c, 0.0)))
    return np.clip(rate, 0.0, np.minimum(1.0, 1 / r))


def _second_given_odds_ratio(r: Array, x1: Array, n1: float, x2: Array, n2: float) -> Array:
    m = x1 + x2
    a, b = n2 * (r - 1), n1 * r + n2 - m * (r - 1)
    root = np.sqrt(np.maximum(b**2 + 4 * a * m, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(b >= 0, 2 * m / (b + root), (root - b) / (2 * a))
    return np.clip(rate, 0.0, 1.0)
