"""Posterior of many reviews at once by deterministic quadrature: no simulation, the same digits every time.

Cut-points are integrated by a tensor rule of Gauss and Hermite around their posterior mode, weighted back to the exact
posterior; mu on an equally spaced grid, tau by Gauss and Legendre, each study's level on a grid of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pasimeta.effects.validation import Array
from pasimeta.errors import PasimetaError
from pasimeta.synthesis.densities import gauss_legendre
from pasimeta.synthesis.priors import TauPrior, check_mu_prior, check_tau_prior
from pasimeta.synthesis.quadrature import gauss_hermite
from pasimeta.synthesis.thresholds.categories import Indices
from pasimeta.synthesis.thresholds.grid import LEAST_LOG, LevelGrid, level_grid
from pasimeta.synthesis.thresholds.likelihood import common_log_likelihood
from pasimeta.synthesis.thresholds.model import ThresholdModel
from pasimeta.synthesis.thresholds.profile import FARTHEST, MU, Fit

SHAPE_SD = 1.0  # of the normal priors of the cut-points' parameters, all logarithms
_TAU_NODES = 24
_MU_NODES = 101
_MU_REACH = 9.0
_FIRST_MU = np.linspace(-8.0, 8.0, 81)
_NODES_BY_SIZE = {0: 1, 1: 7, 2: 5, 3: 5}
_OTHERWISE = 3
_LAST_LEVEL = FARTHEST + 1.0
_LEAST_LIKELIHOOD = 1e-290
_LEAST_TABLE = 1e-60  # of a study's likelihood by its peak: a mean out there has no posterior mass
_LEAST_MASS = 1e-16  # of a pair of mu and tau, below which it adds no digit


@dataclass(frozen=True, slots=True)
class Posterior:
    """Joint posterior of reviews, as weights on nodes.

    Attributes
    ----------
    mu, tau : ndarray, shape (H,)
        Every pair of the grid.
    shape : ndarray, shape (reviews, Z, size)
        Nodes of the cut-points' parameters.
    weight : ndarray, shape (reviews, Z, H)
        Posterior probability of each node; sums to one a review.
    marginals : ndarray, shape (reviews, Z, k, H)
        Each study's likelihood, integrated over its level; 1 for padding.
    tables : ndarray, shape (reviews, Z, k, G)
        Each study's likelihood by level, up to ``peak``.
    grid : LevelGrid
    telling : slice
        Of the levels at which any study's likelihood is more than nothing.
    mixing : ndarray, shape (levels that tell, H)
        Weights that integrate over those levels under each pair of mu and tau.
    log_marginal : ndarray, shape (reviews,)
        Logarithm of the likelihood integrated over the priors (comparator arms at their flat-prior Laplace value).
    """

    mu: Array
    tau: Array
    shape: Array
    weight: Array
    marginals: Array
    tables: Array
    grid: LevelGrid
    telling: slice
    mixing: Array
    log_marginal: Array

    def level_weights(self, nodes: Indices, review: int = 0) -> Array:
        """Posterior weights of a new study's level on the grid, under those nodes of the cut-points, (nodes, G)."""
        told = self._told(review)
        weight = self.weight[review][np.ix_(nodes, told)]
        below, above = (
            self.grid.mixing(self.mu[told], self.tau[told], levels)
            for levels in (slice(None, self.telling.start), slice(self.telling.stop, None))
        )
        return np.concatenate([weight @ below, weight @ self.mixing[:, told].T, weight @ above], axis=1)

    def study_weights(self, nodes: Indices, review: int = 0) -> Array:
        """Posterior weights of each study's own level on the grid, shape (nodes, k, G)."""
        told = self._told(review)
        odds = self.weight[review][np.ix_(nodes, told)][:, None] / self.marginals[review][nodes][:, :, told]
        # one product of matrices: numpy multiplies a stack of small ones one by one, several times slower
        mixed = odds.reshape(-1, len(told)) @ self.mixing[:, told].T
        weights = np.zeros((*odds.shape[:2], len(self.grid.theta)))
        weights[..., self.telling] = mixed.reshape(*odds.shape[:2], -1) * self.tables[review][nodes][..., self.telling]
        return np.maximum(weights, 0.0, out=weights)

    def _told(self, review: int) -> Indices:
        """Pairs of mu and tau that have posterior mass to speak of."""
        return np.flatnonzero(self.weight[review].max(axis=0) > _LEAST_MASS)


@dataclass(frozen=True, slots=True)
class Priors:
    """Half-normal (or uniform) prior of tau, normal or flat prior of mu."""

    tau: TauPrior
    mu: tuple[float, float] | None

    @property
    def widest(self) -> float:
        """Beyond this tau the prior has no mass to speak of."""
        return 5.0 * self.tau.scale if self.tau.family == "half_normal" else self.tau.scale

    def log_density(self, mu: Array, tau: Array) -> Array:
        """Logarithm of the joint density."""
        value = self.tau.log_density(tau)
        if self.mu is not None:
            mean, sd = self.mu
            value = value - 0.5 * ((mu - mean) / sd) ** 2 - np.log(sd * np.sqrt(2 * np.pi))
        return value


def check_priors(tau_prior: Sequence[Any], mu_prior: Sequence[float] | None) -> Priors:
    """Read the priors.

    Raises
    ------
    PasimetaError
        For a prior that can't be read, or one of tau whose tail the quadrature doesn't reach.
    """
    tau = check_tau_prior(tau_prior)
    if tau.family not in ("half_normal", "uniform") or tau.is_improper:
        raise PasimetaError(
            f"tau_prior: {tau.family} is too heavy-tailed for studies this small; "
            'give ("half_normal", scale) or ("uniform", upper)'
        )
    return Priors(tau, check_mu_prior(mu_prior))


def posterior(
    model: ThresholdModel,
    mode: Fit,
    priors: Priors,
    *,
    mu_range: tuple[float, float] | None = None,
    shape_nodes: int | None = None,
) -> Posterior:
    """Integrate.

    Parameters
    ----------
    model : ThresholdModel
    mode : Fit
        Of the same model, penalized by the priors of its cut-points.
    priors : Priors
    mu_range : (float, float), optional
        Range of mu; by default found from the posterior itself, for one review.
    shape_nodes : int, optional
        Nodes for each parameter of the cut-points.
    """
    shape, log_rule = _shape_nodes(mode, shape_nodes)
    tau, tau_weight = _tau_nodes(priors)
    if mu_range is None:
        centre = np.arange(shape.shape[1])[np.argmax(log_rule[0])][None]
        first = _evaluated(model, shape[:, centre], log_rule[:, centre], _FIRST_MU, tau, tau_weight, priors)
        mass = first.weight.sum(axis=(0, 1))
        mean = float((mass * first.mu).sum() / mass.sum())
        sd = float(np.sqrt((mass * (first.mu - mean) ** 2).sum() / mass.sum()))
        mu_range = max(mean - _MU_REACH * sd, -FARTHEST), min(mean + _MU_REACH * sd, FARTHEST)
    return _evaluated(model, shape, log_rule, np.linspace(*mu_range, _MU_NODES), tau, tau_weight, priors)


def mu_marginal(found: Posterior, review: int = 0) -> tuple[Array, Array]:
    """Grid of mu (m,), and its posterior weights under each node of the cut-points (Z, m)."""
    mu = np.unique(found.mu)
    return mu, found.weight[review].reshape(found.weight.shape[1], len(mu), -1).sum(axis=2)


def _evaluated(
    model: ThresholdModel, shape: Array, log_rule: Array, mu: Array, tau: Array, tau_weight: Array, priors: Priors
) -> Posterior:
    reviews, nodes, _ = shape.shape
    all_mu, all_tau = np.repeat(mu, len(tau)), np.tile(tau, len(mu))
    log_prior = priors.log_density(all_mu, all_tau) + np.log(np.tile(tau_weight, len(mu)) * (mu[1] - mu[0]))
    grid = _grid(model, mu, tau)
    members = model.studies.members
    k = members.shape[1]
    tables, peaks = _tables(model, shape, grid)
    telling = _telling(tables)
    mixing = grid.mixing(all_mu, all_tau, telling).T
    flat = tables[..., telling].reshape(-1, len(mixing)) @ mixing
    marginals = np.maximum(flat, _LEAST_LIKELIHOOD, out=flat).reshape(reviews, nodes, k, len(all_mu))
    outside = log_rule + peaks.sum(axis=2) + _outside_studies(model, shape)
    log_weight = np.log(marginals).sum(axis=2) + log_prior + outside[:, :, None]
    peak = log_weight.max(axis=(1, 2), keepdims=True)
    weight = np.exp(log_weight - peak)
    total = weight.sum(axis=(1, 2), keepdims=True)
    log_marginal = (peak + np.log(total))[:, 0, 0]
    return Posterior(all_mu, all_tau, shape, weight / total, marginals, tables, grid, telling, mixing, log_marginal)


def _grid(model: ThresholdModel, mu: Array, tau: Array) -> LevelGrid:
    reach = 6.0 * float(tau.max())
    ends = max(mu[0] - reach, -_LAST_LEVEL), min(mu[-1] + reach, _LAST_LEVEL)
    return level_grid(*ends, float(model.studies.data.n.max()))


def _tables(model: ThresholdModel, shape: Array, grid: LevelGrid) -> tuple[Array, Array]:
    """Each study's likelihood on the grid under each node, up to its peak, (reviews, Z, k, G); and the peaks' logs."""
    reviews, nodes, _ = shape.shape
    members, data = model.studies.members, model.studies.data
    logs = np.zeros((reviews, nodes, members.shape[1], len(grid.theta)))
    for review, rows in enumerate(members):
        own = rows >= 0
        logs[review][:, own] = common_log_likelihood(
            data.rows(rows[own]), grid.theta, model.padded(shape[review]), model.link
        )
    peak = logs.max(axis=3)
    logs -= peak[..., None]
    return np.exp(np.maximum(logs, LEAST_LOG, out=logs), out=logs), peak


def _telling(tables: Array) -> slice:
    levels = np.flatnonzero(tables.max(axis=(0, 1, 2)) > _LEAST_TABLE)
    return slice(int(levels[0]), int(levels[-1]) + 1)


def _outside_studies(model: ThresholdModel, shape: Array) -> Array:
    """What nodes of the cut-points gain by their prior, the comparator arms and exact improvements, (reviews, Z)."""
    reviews, nodes, size = shape.shape
    every, which = shape.reshape(reviews * nodes, size), np.repeat(np.arange(reviews), nodes)
    value = _shape_prior(model, every)
    if len(model.arms.data):
        value = value + model.arm_marginal(every, which, model.padded(every))
    if model.has_points:
        value = value + model.point_density(every, which)
    return value.reshape(reviews, nodes)


def _shape_prior(model: ThresholdModel, shape: Array) -> Array:
    size = shape.shape[1]
    distance = (shape - model.cutpoints.start) / SHAPE_SD
    return -0.5 * (distance**2).sum(axis=1) - size * np.log(SHAPE_SD * np.sqrt(2 * np.pi))


def _tau_nodes(priors: Priors) -> tuple[Array, Array]:
    nodes, weights = gauss_legendre(_TAU_NODES)
    half = priors.widest / 2
    return half * (nodes + 1), half * weights


def _shape_nodes(mode: Fit, nodes_asked: int | None) -> tuple[Array, Array]:
    """Nodes (reviews, Z, size) and logarithms of what turns values of the posterior at them into its integral."""
    size = mode.x.shape[1] - 2
    per_axis = nodes_asked or _NODES_BY_SIZE.get(size, _OTHERWISE)
    nodes, weights = gauss_hermite(per_axis)
    axes, logs = np.zeros((1, size)), np.zeros((1, 1))
    if size:
        axes = np.stack(np.meshgrid(*[nodes] * size, indexing="ij"), axis=-1).reshape(-1, size)
        logs = np.stack(np.meshgrid(*[np.log(weights)] * size, indexing="ij"), axis=-1).reshape(-1, size)
    keep = [i for i in range(mode.x.shape[1]) if i == MU or i >= 2]
    covariance = np.linalg.pinv(mode.information[:, keep][:, :, keep], hermitian=True)[:, 1:, 1:]
    spread, turn = np.linalg.eigh(covariance)
    root = turn * np.sqrt(np.maximum(spread, 1e-12))[:, None, :]
    shape = mode.x[:, None, 2:] + np.einsum("dij,zj->dzi", root, axes)
    log_density = -0.5 * (axes**2).sum(axis=1) - 0.5 * size * np.log(2 * np.pi)
    volume = 0.5 * np.log(np.maximum(spread, 1e-12)).sum(axis=1)
    return shape, (logs.sum(axis=1) - log_density)[None] + volume[:, None]
