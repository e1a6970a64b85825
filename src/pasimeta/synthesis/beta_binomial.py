"""The beta-binomial model: events are binomial, the studies' rates follow a beta distribution.

``events_i ~ Binomial(n_i, p_i)``, ``p_i ~ Beta(a, b)``; ``a = p/gamma``, ``b = (1 - p)/gamma``. The mean rate ``p`` is
the population average; ``rho = gamma/(1 + gamma)`` is the correlation of two patients of one study (Griffiths 1973,
Biometrics 29:637). In gamma the likelihood is a product without gamma functions,
``prod_j<x (p + j gamma) prod_j<n-x (1 - p + j gamma) / prod_j<n (1 + j gamma)``, regular at the binomial limit 0.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln, expit, polygamma, xlogy

from pasimeta.effects.validation import Array
from pasimeta.synthesis.common_rate import chi2_quantile, log_choose
from pasimeta.synthesis.confidence_mixture import ConfidenceMixture, confidence_mixture, mixture_interval
from pasimeta.synthesis.profile_likelihood import ProfileFit, fit_profile
from pasimeta.synthesis.profile_model import Terms
from pasimeta.synthesis.roots import Columns

LARGEST_GAMMA = 1e4
_GRID_POINTS = 14
_SHORT = 16
_BLOCK_NODES = 12


class BetaBinomial:
    """Likelihood of the beta-binomial model in (logit p, gamma), as :mod:`profile_likelihood` wants it.

    Parameters
    ----------
    events, n : ndarray, shape (k, d)
        Counts; no data set without events, without non-events, or with all-or-none studies only.
    """

    runs_away = False

    def __init__(self, events: Array, n: Array) -> None:
        self.events, self.n = events, n
        self._rate = (events.sum(axis=0) + 0.5) / (n.sum(axis=0) + 1)
        self._coefficient = log_choose(n, events).sum(axis=0)
        self._rules = [_padded_rules(counts) for counts in (events, n - events, n)]

    def terms(self, mu: Array, h: Array, columns: Columns) -> Terms:
        """Log-likelihood and derivatives, by the chain rule through ``p = expit(mu)``."""
        p, q = expit(mu), expit(-mu)
        bases = (p, q, np.ones_like(p))
        rules = zip(self._rules, bases, strict=True)
        first, second, all_patients = (_log_factors(rule, base, h, columns) for rule, base in rules)
        by_p = first[1] - second[1]
        by_pp, by_ph = first[3] + second[3], first[4] - second[4]
        pq = p * q
        return Terms(
            value=first[0] + second[0] - all_patients[0] + self._coefficient[columns],
            m=by_p * pq,
            h=first[2] + second[2] - all_patients[2],
            mm=by_pp * pq**2 + by_p * pq * (q - p),
            mh=by_ph * pq,
            hh=first[5] + second[5] - all_patients[5],
        )

    def grid(self) -> Array:
        """Grid of gamma from 0 over a fraction of the typical binomial variance to the largest considered."""
        smallest = np.minimum(0.1 * self.n.shape[0] / self.n.sum(axis=0), 0.1)
        steps = np.linspace(0, 1, _GRID_POINTS - 1)[:, None]
        return np.vstack([np.zeros(len(smallest)), smallest * (LARGEST_GAMMA / smallest) ** steps])

    def start(self, h: Array, columns: Columns) -> Array:
        """Logit of the crude rate."""
        return np.log(self._rate / (1 - self._rate))[columns]


def beta_binomial_columns(events: Array, n: Array, level: float) -> dict[str, Array]:
    """Fit data sets whose likelihood knows both the mean rate and the overdispersion.

    Parameters
    ----------
    events, n : ndarray, shape (k, d)
        Counts; no data set without events, without non-events, or of single patients only.
    level : float
        Level of the profile-likelihood intervals and of the prediction interval.

    Returns
    -------
    dict of ndarray, shape (d,)
        Fields of a :class:`PooledResult` on the log-odds scale. tau2 is the variance of the studies' log-odds,
        ``trigamma(a) + trigamma(b)``; its limits are those of gamma, at the mean rate that goes with each.
    """
    fit = fit_profile(BetaBinomial(events, n), 0.5 * chi2_quantile(level))
    pi_lower, pi_upper = _beta_mixture_interval(confidence_mixture(fit), level)
    fields = {
        "estimate": fit.mu,
        "se": fit.se,
        "ci_lower": fit.mu_lower,
        "ci_upper": fit.mu_upper,
        "pi_lower": pi_lower,
        "pi_upper": pi_upper,
        "tau2": logit_variance(expit(fit.mu), fit.h),
        "tau2_ci_lower": logit_variance(expit(_location_along(fit, fit.h_lower)), fit.h_lower),
        "tau2_ci_upper": logit_variance(expit(_location_along(fit, fit.h_upper)), fit.h_upper),
        "log_likelihood": fit.log_likelihood,
        "response_population": expit(fit.mu),
    }
    apart = ((events == 0) | (events == n)).all(axis=0)
    return fields if not apart.any() else _with_limit(fields, events, n, apart)


def _with_limit(fields: dict[str, Array], events: Array, n: Array, apart: NDArray[np.bool_]) -> dict[str, Array]:
    """Where all studies are all-or-none, the likelihood rises to that of k Bernoulli draws as gamma grows."""
    k, full = len(events), (events == n).sum(axis=0)
    inside = np.where((full > 0) & (full < k), full, 1)
    limit = {
        "estimate": np.log(inside / (k - inside)),
        "se": np.sqrt(1 / inside + 1 / (k - inside)),
        "pi_lower": np.full(full.shape, -np.inf),
        "pi_upper": np.full(full.shape, np.inf),
        "tau2": np.full(full.shape, np.inf),
        "log_likelihood": xlogy(full, full / k) + xlogy(k - full, 1 - full / k),
        "response_population": full / k,
    }
    return fields | {name: np.where(apart, values, fields[name]) for name, values in limit.items()}


def _location_along(fit: ProfileFit, h: Array) -> Array:
    """The mean rate's logit that goes with ``h``, interpolated along the profile."""
    columns = zip(h, fit.profile.h.T, fit.profile.mu.T, strict=True)
    return np.array([np.interp(value, grid, mu) for value, grid, mu in columns])


def logit_variance(rate: Array, gamma: Array) -> Array:
    """Variance of logit(p_i), ``trigamma(a) + trigamma(b)``: the between-study variance on the log-odds scale."""
    finite = (gamma > 0) & np.isfinite(gamma)
    safe = np.where(finite, gamma, 1.0)
    spread = polygamma(1, rate / safe) + polygamma(1, (1 - rate) / safe)
    return np.where(finite, spread, np.where(gamma > 0, np.inf, 0.0))


def _beta_mixture_interval(mixture: ConfidenceMixture, level: float) -> tuple[Array, Array]:
    """Equal-tailed interval of a new study's log-odds; the mean's own variance widens each beta."""
    rate = expit(mixture.mu)
    rho = mixture.h / (1 + mixture.h) + mixture.mu_variance * rate * (1 - rate)
    concentration = np.maximum(1 / rho - 1, 1e-6)
    a, b = rate * concentration, (1 - rate) * concentration

    def cdf_and_pdf(x: Array, which: Columns) -> tuple[Array, Array]:
        p, q, shape, other = expit(x), expit(-x), a[:, which], b[:, which]
        weight = mixture.weight[:, which]
        density = np.exp(shape * np.log(p) + other * np.log(q) - betaln(shape, other))
        return (weight * betainc(shape, other, p)).sum(axis=0), (weight * density).sum(axis=0)

    bracket = np.array([[-60.0], [60.0]]) * np.ones(rate.shape[1])
    return mixture_interval(cdf_and_pdf, level, np.stack([mixture.mu[0] - 2, mixture.mu[0] + 2]), bracket)


def _log_factors(rule: tuple[Array, Array], base: Array, gamma: Array, columns: Columns) -> tuple[Array, ...]:
    """Sum over patients of ``log(base + t gamma)``, and its derivatives: by base, gamma, and the three second ones."""
    t, weights = rule[0][:, columns], rule[1][:, columns]
    factor = base[:, None] + gamma[:, None] * t
    inverse = weights / factor
    square = inverse / factor

    def total(values: Array) -> Array:
        return values.sum(axis=(0, 2))

    return (
        total(weights * np.log(factor)),
        total(inverse),
        total(t * inverse),
        -total(square),
        -total(t * square),
        -total(t * t * square),
    )


@lru_cache(maxsize=4096)
def sum_rule(count: int) -> tuple[Array, Array]:
    """Nodes and weights with ``sum f(t), t = 0 ... count - 1``, to rounding, for f smooth on t > 0.

    The first 16 terms stand alone. Each further block [L, 2L) gets a 12-node Gauss rule for the *discrete* uniform
    measure (Gram polynomials; Golub & Welsch 1969), so a million patients cost some 200 terms.

    Parameters
    ----------
    count : int
        Number of terms.

    Returns
    -------
    nodes, weights : ndarray
        Weights sum to ``count``.
    """
    if count <= 2 * _SHORT:
        return np.arange(count, dtype=float), np.ones(count)
    nodes, weights = [np.arange(_SHORT, dtype=float)], [np.ones(_SHORT)]
    first = _SHORT
    while first < count:
        length = min(first, count - first)
        block = _discrete_gauss(length)
        nodes.append(first + block[0])
        weights.append(block[1])
        first += length
    return np.concatenate(nodes), np.concatenate(weights)


def _discrete_gauss(length: int) -> tuple[Array, Array]:
    if length <= _BLOCK_NODES:
        return np.arange(length, dtype=float), np.ones(length)
    j = np.arange(1.0, _BLOCK_NODES)
    off_diagonal = np.sqrt(j**2 * (float(length) ** 2 - j**2) / (4 * (4 * j**2 - 1)))
    values, vectors = np.linalg.eigh(np.diag(off_diagonal, 1) + np.diag(off_diagonal, -1))
    return values + (length - 1) / 2, length * vectors[0] ** 2


def _padded_rules(counts: Array) -> tuple[Array, Array]:
    """The sum rules of every study, padded with weightless nodes to one length: shape (k, d, nodes)."""
    unique, inverse = np.unique(counts, return_inverse=True)
    rules = [sum_rule(int(count)) for count in unique]
    width = max(1, *(len(nodes) for nodes, _ in rules)) if len(rules) > 1 else max(1, len(rules[0][0]))
    table: NDArray[np.float64] = np.zeros((2, len(rules), width))
    for row, (nodes, weights) in enumerate(rules):
        table[0, row, : len(nodes)], table[1, row, : len(weights)] = nodes, weights
    place = inverse.reshape(counts.shape)
    return table[0][place], table[1][place]
