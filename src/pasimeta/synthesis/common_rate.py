"""The common-rate model: every patient of every study has the same probability of an event."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv, betaln, ndtri, xlog1py, xlogy

from pasimeta.effects.validation import Array


def chi2_quantile(level: float) -> float:
    """Quantile of chi-squared with one degree of freedom."""
    return float(ndtri(0.5 + level / 2) ** 2)


@dataclass(frozen=True, slots=True)
class RateInterval:
    """A rate and its limits, each of shape (d,), in [0, 1]."""

    rate: Array
    lower: Array
    upper: Array


def clopper_pearson(events: Array, n: Array, level: float) -> RateInterval:
    """Exact interval of one binomial rate (Clopper & Pearson 1934, Biometrika 26:404).

    Parameters
    ----------
    events, n : ndarray, shape (d,)
        Events and patients summed over the studies.
    level : float
        Confidence level.

    Returns
    -------
    RateInterval
        Closed at 0 without events, at 1 without non-events.
    """
    tail = (1 - level) / 2
    none, all_ = events == 0, events == n
    lower = np.where(none, 0.0, betaincinv(np.where(none, 1.0, events), n - events + 1, tail))
    upper = np.where(all_, 1.0, betaincinv(events + 1, np.where(all_, 1.0, n - events), 1 - tail))
    return RateInterval(events / n, lower, upper)


def one_sided_profile(events: Array, n: Array, cut: float) -> RateInterval:
    """Likelihood interval of a common rate when no patient, or every patient, had an event.

    The likelihood ``(1 - p)^n`` falls by ``cut`` at ``p = 1 - exp(-cut/n)``. That is also the end of the profile
    over tau2 of a binomial-normal model wherever that end is finite (``k > cut/log 2``): while ``n p < 1``, spreading
    the rates only makes an empty table less likely.

    Parameters
    ----------
    events, n : ndarray, shape (d,)
        Totals, with ``events`` equal to 0 or to ``n``.
    cut : float
        Half a chi-squared(1) quantile.

    Returns
    -------
    RateInterval
    """
    reach = -np.expm1(-cut / n)
    full = events == n
    return RateInterval(events / n, np.where(full, 1 - reach, 0.0), np.where(full, 1.0, reach))


def log_choose(n: Array, x: Array) -> Array:
    """Logarithm of the binomial coefficient, exactly 0 at both ends."""
    return np.where((x == 0) | (x == n), 0.0, -np.log1p(n) - betaln(n - x + 1, x + 1))


def common_log_likelihood(events: Array, n: Array) -> Array:
    """Full log-likelihood, binomial coefficients included, of counts of shape (k, d) at their common rate; (d,)."""
    return _log_likelihood(events, n, events.sum(axis=0) / n.sum(axis=0))


def saturated_log_likelihood(events: Array, n: Array) -> Array:
    """The same with a rate of its own for each study; shape (d,)."""
    return _log_likelihood(events, n, events / n)


def saturated_deviance(events: Array, n: Array) -> Array:
    """Likelihood-ratio statistic of one rate for all studies against one each, shape (d,)."""
    common = events.sum(axis=0) / n.sum(axis=0)
    return 2 * np.maximum((_kernel(events, n, events / n) - _kernel(events, n, common)).sum(axis=0), 0.0)


def _log_likelihood(events: Array, n: Array, rate: Array) -> Array:
    return (log_choose(n, events) + _kernel(events, n, rate)).sum(axis=0)


def _kernel(events: Array, n: Array, rate: Array) -> Array:
    """Log-likelihood of each count but for its binomial coefficient."""
    return np.asarray(xlogy(events, rate) + xlog1py(n - events, -rate), dtype=float)
