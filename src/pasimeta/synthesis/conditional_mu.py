"""Posterior of a binomial-normal model on a grid: nodes in tau, and at each of them nodes in mu.

At fixed tau the posterior of mu is log-concave: its mode and the ends of its support are found by Newton's method, and
eight panels of eight Gauss-Legendre nodes between them hold it to about 1e-10.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pasimeta.effects.validation import Array
from pasimeta.synthesis.densities import gauss_legendre, to_powers
from pasimeta.synthesis.quadrature import BinomialNormalIntegral, gauss_hermite
from pasimeta.synthesis.roots import Columns, root_of_increasing

_DROP = 32.0  # log-density units from the mode to the end of the support
_HALF = np.array([0.0, 0.1, 0.25, 0.5, 1.0])  # panels, as shares of the way from the mode to an end
_NODES = 8
_SMOOTHING_NODES = 21
_BATCH_ELEMENTS = 200_000


class BinomialPosterior:
    """Joint log-density of mu given tau, prior of mu included.

    Parameters
    ----------
    events, n : ndarray, shape (k,)
        Counts.
    mu_prior : (mean, sd) or None
        Normal prior of mu, or the flat one.
    """

    def __init__(self, events: Array, n: Array, mu_prior: tuple[float, float] | None) -> None:
        self._integral = BinomialNormalIntegral(events[:, None], n[:, None])
        self._prior = mu_prior
        self.sizes = n
        rate = (events.sum() + 0.5) / (n.sum() + 1)
        self._start = float(np.log(rate / (1 - rate)))

    def log_prior(self, mu: Array) -> Array:
        """Log-density of the prior of mu; 0 if flat."""
        if self._prior is None:
            return np.zeros(mu.shape)
        mean, sd = self._prior
        return -0.5 * ((mu - mean) / sd) ** 2 - np.log(sd) - 0.5 * np.log(2 * np.pi)

    def study_terms(self, mu: Array, tau: Array, order: int) -> tuple[Array, Array]:
        """Log-likelihood of each study and its derivative ratios, shape (k, points)."""
        studies = self._integral(mu, tau**2, np.zeros(mu.shape, dtype=np.intp), order)
        return studies.log_likelihood, studies.ratios

    def derivatives(self, mu: Array, tau: Array) -> tuple[Array, Array, Array]:
        """Log-density and its first two derivatives in mu."""
        value, (first, second) = self.study_terms(mu, tau, 2)
        slope, curvature = first.sum(axis=0), (second - first**2).sum(axis=0)
        if self._prior is not None:
            precision = self._prior[1] ** -2
            slope, curvature = slope - precision * (mu - self._prior[0]), curvature - precision
        return value.sum(axis=0) + self.log_prior(mu), slope, curvature

    def supports(self, tau: Array) -> tuple[Array, Array, Array]:
        """Lower end, mode and upper end of the support of mu at each tau."""

        def score(mu: Array, which: Columns) -> tuple[Array, Array]:
            _, slope, curvature = self.derivatives(mu, tau[which])
            return -slope, -curvature

        start = np.full(tau.shape, self._start) if self._prior is None else np.full(tau.shape, self._prior[0])
        mode = root_of_increasing(score, start, tolerance=1e-3, decrement=1e-3, longest_step=3 + tau)
        peak, _, curvature = self.derivatives(mode, tau)
        twice = np.tile(tau, 2)
        side = np.repeat([-1.0, 1.0], len(tau))

        def excess(mu: Array, which: Columns) -> tuple[Array, Array]:
            value, slope, _ = self.derivatives(mu, twice[which])
            ratio = np.sqrt(np.maximum(2 * (np.tile(peak, 2)[which] - value), 1e-10))
            return side[which] * (ratio - np.sqrt(2 * _DROP)), -side[which] * slope / ratio

        first_guess = np.tile(mode, 2) + side * np.sqrt(2 * _DROP / np.tile(-curvature, 2))
        ends = root_of_increasing(excess, first_guess, tolerance=1e-2, longest_step=5 + 3 * twice)
        return ends[: len(tau)], mode, ends[len(tau) :]

    def nodes(self, tau: Array) -> tuple[Array, Array]:
        """Panel edges, shape (taus, 9), and nodes, shape (taus, 8, 8), of mu at each tau."""
        lower, mode, upper = (end[:, None] for end in self.supports(tau))
        edges = np.concatenate([mode - (mode - lower) * _HALF[:0:-1], mode + (upper - mode) * _HALF], axis=1)
        abscissae, _ = gauss_legendre(_NODES)
        half = np.diff(edges, axis=1)[..., None] / 2
        return edges, edges[:, :-1, None] + half * (1 + abscissae)

    def log_marginal(self, tau: Array) -> Array:
        """Logarithm of the likelihood with mu integrated out, at each tau."""
        edges, mu = self.nodes(tau)
        flat = mu.reshape(-1)
        value, _ = self.study_terms(flat, np.repeat(tau, 2 * (_HALF.size - 1) * _NODES), 0)
        logs = (value.sum(axis=0) + self.log_prior(flat)).reshape(mu.shape)
        return _log_integral(logs, edges)


@dataclass(frozen=True, slots=True)
class MuGivenTau:
    """Posterior of mu at each node in tau, ready to be mixed, smoothed and reweighted.

    Attributes
    ----------
    tau, weights : ndarray, shape (taus,)
        Nodes and posterior probabilities of tau.
    edges, mu, log_density : ndarray, shapes (taus, 9), (taus, 8, 8), (taus, 8, 8)
        Panels and nodes of mu, and its log-density given tau there.
    study_likelihood : ndarray, shape (k, taus, 8, 8)
        Log-likelihood of each study at the nodes.
    study_mean, study_variance : ndarray, shape (k, taus, 8, 8)
        Mean and variance of each study's own log-odds given mu and tau (Tweedie's formula).
    """

    tau: Array
    weights: Array
    edges: Array
    mu: Array
    log_density: Array
    study_likelihood: Array
    study_mean: Array
    study_variance: Array

    def masses(self) -> Array:
        """Posterior probability of each node, shape (taus, 8, 8)."""
        return self.weights[:, None, None] * np.exp(self.log_density) * _node_widths(self.edges)

    def mu_density(self, x: Array) -> Array:
        """Marginal density of mu at each x."""
        at = np.broadcast_to(x, (len(self.tau), len(x)))
        return self.weights @ _interpolated_exp(self.log_density, self.edges, at)

    def smoothed(self, logs: Array, x: Array) -> Array:
        """Mean over tau of ``exp(logs)`` (shape of ``mu``) convolved with ``Normal(0, tau2)``, at each x.

        Where tau is wide against the spread of mu, the nodes of mu carry the convolution; where it is narrow, normal
        nodes around x do, and ``logs`` is interpolated.
        """
        wide = self.tau >= 0.05 * (self.edges[:, -1] - self.edges[:, 0])
        total = np.zeros(len(x))
        if wide.any():
            total += self._smoothed_by_mu(logs[wide], wide, x)
        if not wide.all():
            z, z_weights = gauss_hermite(_SMOOTHING_NODES)
            at = (x[:, None] - self.tau[~wide, None, None] * z).reshape((~wide).sum(), -1)
            values_at = _interpolated_exp(logs[~wide], self.edges[~wide], at).reshape(-1, len(x), len(z))
            total += self.weights[~wide] @ (values_at @ z_weights)
        return total

    def _smoothed_by_mu(self, logs: Array, wide: NDArray[np.bool_], x: Array) -> Array:
        mass = self.weights[wide, None, None] * np.exp(logs) * _node_widths(self.edges[wide])
        kept = mass > 1e-13 * mass.max()
        tau = np.broadcast_to(self.tau[wide, None, None], mass.shape)[kept]
        at, height = self.mu[wide][kept], mass[kept] / (np.sqrt(2 * np.pi) * tau)
        batch = max(1, _BATCH_ELEMENTS // len(tau))
        parts = []
        for first in range(0, len(x), batch):
            u = (x[first : first + batch, None] - at) / tau
            parts.append(np.exp(-0.5 * u * u) @ height)
        return np.concatenate(parts)


def mu_given_tau(posterior: BinomialPosterior, tau: Array, weights: Array) -> MuGivenTau:
    """Evaluate the posterior of mu at each node in tau.

    Parameters
    ----------
    posterior : BinomialPosterior
    tau, weights : ndarray, shape (taus,)
        Nodes and posterior probabilities of tau.
    """
    edges, mu = posterior.nodes(tau)
    repeated = np.broadcast_to(tau[:, None, None], mu.shape).ravel()
    value, (first, second) = posterior.study_terms(mu.ravel(), repeated, 2)
    shape = (len(value), *mu.shape)
    # never less than with all the information a study of its size could hold: in huge studies the rest is rounding
    least = 1 / (1 / repeated**2 + posterior.sizes[:, None] / 4)
    variance = np.maximum(repeated**2 + repeated**4 * (second - first**2), least)
    logs = (value.sum(axis=0) + posterior.log_prior(mu.ravel())).reshape(mu.shape)
    return MuGivenTau(
        tau=tau,
        weights=weights,
        edges=edges,
        mu=mu,
        log_density=logs - _log_integral(logs, edges)[:, None, None],
        study_likelihood=value.reshape(shape),
        study_mean=(mu.ravel() + repeated**2 * first).reshape(shape),
        study_variance=variance.reshape(shape),
    )


def _node_widths(edges: Array) -> Array:
    _, weights = gauss_legendre(_NODES)
    return weights * np.diff(edges, axis=1)[..., None] / 2


def _log_integral(logs: Array, edges: Array) -> Array:
    peak = logs.max(axis=(1, 2))
    return peak + np.log((np.exp(logs - peak[:, None, None]) * _node_widths(edges)).sum(axis=(1, 2)))


def _interpolated_exp(logs: Array, edges: Array, x: Array) -> Array:
    """Exponential of the panel polynomials through ``logs``, shape (taus, 8, 8), at ``x``, shape (taus, points).

    Logarithms, for those of a log-concave density are nearly quadratic or straight on a panel; 0 off the panels.
    """
    panels = logs.shape[1]
    panel = np.repeat(panels * np.arange(len(x))[:, None], x.shape[1], axis=1)  # among those of every tau
    for start in edges.T[1:-1]:
        panel += x >= start[:, None]
    half = np.diff(edges, axis=1) / 2
    t = (x - (edges[:, :-1] + half).take(panel)) / half.take(panel)
    inside = np.abs(t) <= 1
    powers = (logs @ to_powers(_NODES).T).reshape(-1, _NODES).T
    np.clip(t, -1, 1, out=t)
    at = powers[-1].take(panel)
    for power in powers[-2::-1]:  # Horner's rule
        at *= t
        at += power.take(panel)
    return np.where(inside, np.exp(at, out=at), 0.0)
