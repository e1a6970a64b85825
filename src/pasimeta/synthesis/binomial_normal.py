"""The binomial-normal model: events are binomial, the studies' log-odds are normal.

``events_i ~ Binomial(n_i, expit(theta_i))``, ``theta_i ~ Normal(mu, tau2)`` (Stijnen, Hamza & Ozdemir 2010,
Statistics in Medicine 29:3046, section 3.1).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from pasimeta.effects.validation import Array
from pasimeta.synthesis.common_rate import chi2_quantile
from pasimeta.synthesis.confidence_mixture import confidence_mixture, normal_mixture_interval
from pasimeta.synthesis.profile_likelihood import fit_profile
from pasimeta.synthesis.profile_model import Terms
from pasimeta.synthesis.quadrature import BinomialNormalIntegral, population_rate
from pasimeta.synthesis.roots import Columns

LARGEST_TAU = 100.0  # logits; beyond it the interval of tau2 is reported as unbounded
_GRID_POINTS = 14


class BinomialNormal:
    """Likelihood of the binomial-normal model in (mu, tau2), as :mod:`profile_likelihood` wants it.

    Parameters
    ----------
    events, n : ndarray, shape (k, d)
        Counts; no data set without events, without non-events, or with all-or-none studies only.
    """

    runs_away = True

    def __init__(self, events: Array, n: Array) -> None:
        self.events, self.n = events, n
        self._integral = BinomialNormalIntegral(events, n)
        self._rate = (events.sum(axis=0) + 0.5) / (n.sum(axis=0) + 1)

    def terms(self, mu: Array, h: Array, columns: Columns) -> Terms:
        """Log-likelihood and derivatives; those in tau2 by the heat equation, ``dL/dtau2 = L''/2``."""
        studies = self._integral(mu, h, columns, order=4)
        r1, r2, r3, r4 = studies.ratios
        each = np.stack([studies.log_likelihood, r1, r2, r2 - r1 * r1, r3 - r1 * r2, r4 - r2 * r2])
        value, m, twice_h, mm, twice_mh, fourfold_hh = np.add.reduce(each, axis=1)
        return Terms(value, m, 0.5 * twice_h, mm, 0.5 * twice_mh, 0.25 * fourfold_hh)

    def grid(self) -> Array:
        """tau2 from 0 over a quarter of the typical within-study standard deviation to the largest considered."""
        within = np.sqrt(self.n.shape[0] / (self.n.sum(axis=0) * self._rate * (1 - self._rate)))
        smallest = np.minimum(within / 4, 1.0)
        steps = np.linspace(0, 1, _GRID_POINTS - 1)[:, None]
        tau = smallest * (LARGEST_TAU / smallest) ** steps
        return np.vstack([np.zeros(len(within)), tau**2])

    def start(self, h: Array, columns: Columns) -> Array:
        """Logit of the crude rate, moved as an inverse-variance mean of log-odds would move with ``h``.

        Studies without events (or non-events) only say that they lie far out: about one tau beyond their 1/2.
        """
        x, y = self.events + 0.5, self.n - self.events + 0.5
        edge = np.where(self.events == 0, -1.1, np.where(self.events == self.n, 1.1, 0.0))
        within, log_odds = (1 / x + 1 / y)[:, columns], np.log(x / y)[:, columns]
        at_zero = (log_odds / within).sum(axis=0) / (1 / within).sum(axis=0)
        weights = 1 / (within + h)
        at_h = (weights * (log_odds + edge[:, columns] * np.sqrt(h))).sum(axis=0) / weights.sum(axis=0)
        rate = self._rate[columns]
        return np.log(rate / (1 - rate)) + at_h - at_zero


def binomial_normal_columns(events: Array, n: Array, level: float) -> dict[str, Array]:
    """Fit data sets whose likelihood knows both mu and tau2.

    Parameters
    ----------
    events, n : ndarray, shape (k, d)
        Counts; no data set without events, without non-events, or of single patients only.
    level : float
        Level of the profile-likelihood intervals and of the prediction interval.

    Returns
    -------
    dict of ndarray, shape (d,)
        Fields of a :class:`PooledResult`, on the log-odds scale, and ``response_population``.
    """
    fit = fit_profile(BinomialNormal(events, n), 0.5 * chi2_quantile(level))
    pi_lower, pi_upper = normal_mixture_interval(confidence_mixture(fit), level)
    fields = {
        "estimate": fit.mu,
        "se": fit.se,
        "ci_lower": fit.mu_lower,
        "ci_upper": fit.mu_upper,
        "pi_lower": pi_lower,
        "pi_upper": pi_upper,
        "tau2": fit.h,
        "tau2_ci_lower": fit.h_lower,
        "tau2_ci_upper": fit.h_upper,
        "log_likelihood": fit.log_likelihood,
        "response_population": population_rate(fit.mu, fit.h),
    }
    apart = ((events == 0) | (events == n)).all(axis=0)
    return fields if not apart.any() else _with_limit(fields, events, n, apart)


def study_information(events: Array, n: Array, mu: float, tau2: float) -> Array:
    """Return what each study contributes to the observed information on mu, tau2 being known.

    Parameters
    ----------
    events, n : ndarray, shape (k,)
        Counts.
    mu, tau2 : float
        Where to take it: both finite.

    Returns
    -------
    ndarray, shape (k,)
        Minus the second derivative in mu of each study's log-likelihood; at tau2 = 0, ``n p (1 - p)``.
    """
    at = np.array([mu]), np.array([tau2]), np.zeros(1, dtype=np.intp)
    score, curvature = BinomialNormalIntegral(events[:, None], n[:, None])(*at, order=2).ratios[:, :, 0]
    information: Array = score * score - curvature
    return information


def _with_limit(fields: dict[str, Array], events: Array, n: Array, apart: NDArray[np.bool_]) -> dict[str, Array]:
    """Where all studies are all-or-none, the likelihood rises to its limit as tau2 grows without end.

    There a study's rate is 0 or 1, and 1 with probability ``Phi(mu/tau)``: mu keeps pace with tau unless both kinds
    are equally many.
    """
    k, full = len(events), (events == n).sum(axis=0)
    direction = np.sign(2 * full - k)
    limit = {
        "estimate": np.where(direction == 0, fields["estimate"], np.where(direction > 0, np.inf, -np.inf)),
        "se": np.full(full.shape, np.inf),
        "pi_lower": np.full(full.shape, -np.inf),
        "pi_upper": np.full(full.shape, np.inf),
        "tau2": np.full(full.shape, np.inf),
        "log_likelihood": xlogy(full, full / k) + xlogy(k - full, 1 - full / k),
        "response_population": full / k,
    }
    return fields | {name: np.where(apart, values, fields[name]) for name, values in limit.items()}
