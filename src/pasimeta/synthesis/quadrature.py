"""The integral every binomial-normal model rests on: a study's likelihood over its own true log-odds.

Two rules share the work, because no single one is right at both ends (errors below are in the log-likelihood, over
0/1 ... 500/1000 ... 0/10^6 and every ``mu`` within 12 log-likelihood units of the best):

* between-study SD small (``tau < SWITCH``): adaptive Gauss-Hermite, 31 nodes around the integrand's own mode
  (Liu & Pierce 1994); error below 2e-8. At ``tau = 5`` even 61 nodes are off by 6e-4, for a study without events
  has a sharp edge somewhere in the middle of a wide normal.
* otherwise: trapezoidal nodes fixed to the *binomial* side. A study with 0 < x < n is the mean of a normal density
  under ``logit Beta(x, n - x)``; one with x = 0 (or n) is, integrated by parts, the mean of a normal distribution
  function under ``logit Beta(1, n)``. Both are smooth, the trapezoidal rule converges geometrically; error below 3e-7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_ndtr, ndtr

from pasimeta.effects.validation import Array
from pasimeta.synthesis.common_rate import log_choose

SWITCH = 1.3
HERMITE_NODES = 31
KERNEL_NODES = 97
_BATCH_ELEMENTS = 100_000  # integrand values held at once: arrays of a size the cache can keep
_LARGEST_EXPONENT = 700.0  # exp overflows soon after
_LOG_SQRT_2PI = 0.5 * np.log(2 * np.pi)


@lru_cache(maxsize=8)
def gauss_hermite(points: int) -> tuple[Array, Array]:
    """Nodes and weights of ``E[f(Z)]``, Z standard normal, exact for polynomials of degree ``2 points - 1``.

    Parameters
    ----------
    points : int
        Number of nodes.

    Returns
    -------
    nodes, weights : ndarray, shape (points,)
        Weights sum to one.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(points)
    return nodes, weights / weights.sum()


def population_rate(mu: Array, tau2: Array) -> Array:
    """Population-average rate ``E[expit(mu + tau Z)]`` of a binomial-normal model.

    The trapezoidal rule on +-9 standard deviations, its step no wider than the logistic curve can bear.

    Parameters
    ----------
    mu, tau2 : ndarray
        Log-odds of the median study and between-study variance, any common shape; ``mu`` may be infinite.

    Returns
    -------
    ndarray
        Rates in [0, 1].
    """
    nodes, weights = _normal_grid()
    spread = np.sqrt(np.asarray(tau2, float))[..., None] * nodes
    return expit(np.asarray(mu, float)[..., None] + spread) @ weights


@lru_cache(maxsize=1)
def _normal_grid() -> tuple[Array, Array]:
    nodes = np.linspace(-9, 9, 1201)
    weights = np.exp(-0.5 * nodes**2)
    return nodes, weights / weights.sum()


@dataclass(frozen=True, slots=True)
class StudyLikelihoods:
    """Log-likelihood of each study, and the ratios ``L'/L`` ... ``L''''/L`` of its derivatives in ``mu``.

    The derivative in ``tau2`` needs no integral of its own: a normal mixture obeys the heat equation,
    ``dL/dtau2 = L''/2``, so everything stays regular at ``tau2 = 0``.
    """

    log_likelihood: Array
    ratios: Array


class BinomialNormalIntegral:
    """Log of the integral of ``Binomial(x; n, expit(theta)) Normal(theta; mu, tau2)``, each study of many data sets.

    Parameters
    ----------
    events, n : ndarray, shape (k, d)
        Counts; one column a data set.
    """

    def __init__(self, events: Array, n: Array) -> None:
        self.events, self.n = events, n
        self.log_coefficient = log_choose(n, events)
        self._information = (events + 0.5) * (n - events + 0.5) / (n + 1)
        self._log_odds = np.log((events + 0.5) / (n - events + 0.5))
        self._share = events / n
        self._by_distance: dict[int, Array] = {}
        self._kernel: tuple[Array, Array, Array, Array] | None = None

    def __call__(self, mu: Array, tau2: Array, columns: NDArray[np.intp], order: int) -> StudyLikelihoods:
        """Evaluate problem ``j`` (``mu[j], tau2[j]``) on data set ``columns[j]``; arrays of shape (k, problems)."""
        wide = tau2 >= SWITCH**2
        if not wide.any() and self.n.shape[0] * len(mu) * HERMITE_NODES <= _BATCH_ELEMENTS:
            return self._around_the_mode(mu, tau2, columns, order)
        value = np.empty((self.n.shape[0], len(mu)))
        ratios = np.empty((order, *value.shape))
        for rule, concerned, nodes in (
            (self._around_the_mode, (~wide).nonzero()[0], HERMITE_NODES),
            (self._under_the_kernel, wide.nonzero()[0], KERNEL_NODES),
        ):
            batch = max(1, _BATCH_ELEMENTS // (value.shape[0] * nodes))
            for first in range(0, len(concerned), batch):
                which = concerned[first : first + batch]
                part = rule(mu[which], tau2[which], columns[which], order)
                value[:, which] = part.log_likelihood
                ratios[:, :, which] = part.ratios
        return StudyLikelihoods(value, ratios)

    def _alike(self, arrays: Sequence[Array], columns: NDArray[np.intp]) -> Sequence[Array]:
        """What each problem's data set holds; a single data set is left to broadcasting."""
        return arrays if self.n.shape[1] == 1 else [array[:, columns] for array in arrays]

    def _derivatives(self, order: int, columns: NDArray[np.intp]) -> Array:
        """The same of :func:`_derivatives_by_distance`."""
        if order not in self._by_distance:
            self._by_distance[order] = _derivatives_by_distance(self._share, self.n, order)
        found = self._by_distance[order]
        return found if self.n.shape[1] == 1 else found[..., columns]

    def _around_the_mode(self, mu: Array, tau2: Array, columns: NDArray[np.intp], order: int) -> StudyLikelihoods:
        arrays = (self.events, self.n, self._share, self._information, self._log_odds, self.log_coefficient)
        x, n, share, information, log_odds, coefficient = self._alike(arrays, columns)
        tau = np.sqrt(tau2)
        # precision-weighted mean of the study's own log-odds and the prior's: nearly the integrand's mode
        z = tau * information * (log_odds - mu) / (1 + tau2 * information)
        centre, scale = _integrand_mode(x, n, mu, tau, z)
        nodes, _ = gauss_hermite(HERMITE_NODES)
        z = centre[..., None] + scale[..., None] * nodes
        theta = tau[:, None] * z
        theta += mu[:, None]
        # scipy's expit would take most of the time here; NumPy's exp and log are vectorized
        odds_against = np.exp(np.minimum(-theta, _LARGEST_EXPONENT))
        rate = 1 / (1 + odds_against)
        other = odds_against * rate
        log_f = x[..., None] * theta
        log_f += n[..., None] * np.log(other)
        log_f += _log_hermite_weights(HERMITE_NODES)
        z *= z
        z *= 0.5
        log_f -= z
        peak = np.maximum.reduce(log_f, axis=-1)
        log_f -= peak[..., None]
        f = np.exp(log_f, out=log_f)
        moments = np.empty((order + 1, *peak.shape))
        total = np.add.reduce(f, axis=-1, out=moments[0])
        value = peak + np.log(total * scale) + coefficient
        distance = np.subtract(share[..., None], rate, out=rate)
        for moment in moments[1:]:
            f *= distance
            np.add.reduce(f, axis=-1, out=moment)
        ratios = np.add.reduce(self._derivatives(order, columns) * moments, axis=1)
        return StudyLikelihoods(value, ratios / total)

    def _under_the_kernel(self, mu: Array, tau2: Array, columns: NDArray[np.intp], order: int) -> StudyLikelihoods:
        theta, log_kernel, edge, coefficient = self._alike(self._kernel_nodes(), columns)
        tau = np.sqrt(tau2)
        u = theta - mu[:, None]
        u /= tau[:, None]
        density = -0.5 * u
        density *= u
        density += log_kernel
        peak = np.maximum.reduce(density, axis=-1)
        density -= peak[..., None]
        np.exp(density, out=density)
        moments = _hermite_moments(density, u, order)
        value = peak + np.log(moments[0])
        powers = tau ** np.arange(1, order + 1)[:, None, None]
        log_scale = np.log(tau) + _LOG_SQRT_2PI
        if not np.count_nonzero(edge):
            return StudyLikelihoods(value + (coefficient - log_scale), moments[1:] / (moments[0] * powers))
        at_edge = np.broadcast_to(edge != 0, value.shape)
        sign, log_kernel = np.broadcast_to(edge, value.shape)[at_edge], np.broadcast_to(log_kernel, u.shape)[at_edge]
        value[at_edge] = _log_mean_cdf(log_kernel, sign[:, None] * u[at_edge])
        moments *= np.exp(peak - value)
        value -= np.where(at_edge, 0.0, log_scale)
        by_parts = -edge * moments[:-1] * np.exp(-_LOG_SQRT_2PI)
        return StudyLikelihoods(value + coefficient, np.where(at_edge, by_parts, moments[1:]) / powers)

    def _kernel_nodes(self) -> tuple[Array, Array, Array, Array]:
        """Nodes and log-kernel, shape (k, d, nodes); each study's edge, if any, and coefficient, shape (k, d)."""
        if self._kernel is None:
            x, n = self.events, self.n
            edge = np.where(x == 0, 1.0, np.where(x == n, -1.0, 0.0))
            a, b = np.where(x == 0, 1.0, x), np.where(x == n, 1.0, n - x)
            middle, spread = np.log(a / b), 6 * np.sqrt(1 / a + 1 / b)
            left, right = middle - spread - 24 / a, middle + spread + 24 / b
            step = (right - left) / (KERNEL_NODES - 1)
            theta = left[..., None] + step[..., None] * np.arange(KERNEL_NODES)
            log_kernel = a[..., None] * theta - (a + b)[..., None] * np.logaddexp(0, theta)
            log_kernel += np.log(np.where(edge == 0, step, step * n))[..., None]
            self._kernel = theta, log_kernel, edge, self.log_coefficient
        return self._kernel


def _integrand_mode(x: Array, n: Array, mu: Array, tau: Array, start: Array) -> tuple[Array, Array]:
    """Mode and curvature scale, in prior standard deviations, of the log-concave integrand."""
    z = start
    for _ in range(1 if tau.max() < 0.5 else 2):
        rate = expit(mu + tau * z)
        expected = n * rate
        z = z + (tau * (x - expected) - z) / (1 + tau * tau * expected * (1 - rate))
    rate = expit(mu + tau * z)
    return z, 1 / np.sqrt(1 + tau * tau * n * rate * (1 - rate))


@lru_cache(maxsize=2)
def _log_hermite_weights(points: int) -> Array:
    """Logarithms of the weights over the normal density: what multiplies an integrand that holds its own."""
    nodes, weights = gauss_hermite(points)
    return np.log(weights) + 0.5 * nodes**2


def _log_mean_cdf(log_kernel: Array, u: Array) -> Array:
    """Logarithm of the kernel's mean of the normal distribution function at ``u``."""
    total = (np.exp(log_kernel) * ndtr(u)).sum(axis=-1)
    lost = total < 1e-280
    value = np.log(np.where(lost, 1.0, total))
    if lost.any():
        logs = log_kernel[lost] + log_ndtr(u[lost])
        peak = logs.max(axis=-1)
        value[lost] = peak + np.log(np.exp(logs - peak[:, None]).sum(axis=-1))
    return value


def _derivatives_by_distance(share: Array, n: Array, order: int) -> Array:
    """A binomial likelihood's derivatives in its log-odds, over the likelihood, as polynomials.

    Parameters
    ----------
    share, n : ndarray, shape (k, d)
        Share of patients with the event, and patients.
    order : int
        Of the highest derivative, 0 to 4.

    Returns
    -------
    ndarray, shape (order, order + 1, k, d)
        Coefficients of the powers of ``share - rate``, for each derivative.
    """
    found = np.zeros((order, order + 1, *n.shape))
    a, b = share * (1 - share), 2 * share - 1  # rate (1 - rate) = a + b distance - distance**2
    na, nb, bb = n * a, n * b, b * b - 2 * a
    if order:
        found[0, 1] = n
    if order > 1:
        found[1, :3] = -na, -nb, n * (n + 1)
    if order > 2:
        found[2, :4] = na * b, n * (bb - 3 * na), -3 * nb * (n + 1), n * (n + 1) * (n + 2)
    if order > 3:
        found[3] = (
            na * ((3 * n + 6) * a - 1),
            nb * ((10 * n + 12) * a - 1),
            n * ((7 * n + 6) * bb - 6 * n * na + 1),
            -6 * nb * (n + 1) * (n + 2),
            n * (n + 1) * (n + 2) * (n + 3),
        )
    return found


def _hermite_moments(density: Array, u: Array, order: int) -> Array:
    """Sums of ``density`` times the Hermite polynomials of degree 0 to ``order``; spoils ``density``."""
    moments = np.empty((order + 1, *density.shape[:-1]))
    for power in moments[:-1]:
        np.add.reduce(density, axis=-1, out=power)
        density *= u
    np.add.reduce(density, axis=-1, out=moments[-1])
    if order > 3:
        moments[4] += 3 * moments[0] - 6 * moments[2]
    if order > 2:
        moments[3] -= 3 * moments[1]
    if order > 1:
        moments[2] -= moments[0]
    return moments
