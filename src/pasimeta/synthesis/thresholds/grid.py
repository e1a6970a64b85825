"""Levels on a grid: a study's likelihood is tabulated once, and its integral over any normal of levels is a product.

Where the normal is wider than the grid's step, the trapezoidal rule is exact to many digits; where it is narrower, its
Gauss-Hermite nodes are read off the table by Lagrange's polynomials of degree five.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pasimeta.effects.validation import Array
from pasimeta.synthesis.quadrature import gauss_hermite

_NARROW = 1.5  # in steps of the grid
_HERMITE = 9
_FINEST, _COARSEST = 0.02, 0.1
_CDF_CELLS = 1000
_LEAST_RISE = 1e-300
LEAST_LOG = -300.0  # nothing, but far enough from the smallest numbers there are, which are slow to multiply
_STEP = 0.2  # in units of the narrowest likelihood


@dataclass(frozen=True, slots=True)
class LevelGrid:
    """Equally spaced levels.

    Attributes
    ----------
    theta : ndarray, shape (G,)
    """

    theta: Array

    @property
    def step(self) -> float:
        """Distance of neighbours."""
        return float(self.theta[1] - self.theta[0])

    def mixing(self, mu: Array, tau: Array, levels: slice = slice(None)) -> Array:
        """Weights that integrate a function of the level over Normal(mu, tau**2), shape (len(mu), G or fewer)."""
        wide = tau > _NARROW * self.step
        scale = np.where(wide, tau, 1.0)[:, None]
        # in place: at a few thousand normals by a few hundred levels, making arrays costs more than filling them
        weights = self.theta[levels] - mu[:, None]
        np.multiply(weights, weights, out=weights)
        weights *= -0.5 / scale**2
        np.exp(np.maximum(weights, LEAST_LOG, out=weights), out=weights)
        weights *= self.step / np.sqrt(2 * np.pi) / scale
        if not wide.all():
            weights[~wide] = self._interpolated(mu[~wide], tau[~wide])[:, levels]
        return weights

    def _interpolated(self, mu: Array, tau: Array) -> Array:
        nodes, node_weights = gauss_hermite(_HERMITE)
        at = (mu[:, None] + tau[:, None] * nodes - self.theta[0]) / self.step
        first = np.clip(np.floor(at).astype(np.intp) - 2, 0, len(self.theta) - 6)
        t = at - first
        weights = np.zeros((len(mu), len(self.theta)))
        rows = np.broadcast_to(np.arange(len(mu))[:, None], first.shape)
        for j in range(6):
            basis = np.ones_like(t)
            for other in range(6):
                if other != j:
                    basis *= (t - other) / (j - other)
            np.add.at(weights, (rows, first + j), basis * node_weights)
        return weights


def level_grid(lower: float, upper: float, largest_study: float) -> LevelGrid:
    """A grid fine enough for studies of up to that many patients."""
    step = float(np.clip(_STEP / np.sqrt(largest_study), _FINEST, _COARSEST))
    count = int(np.ceil((upper - lower) / step)) + 1
    return LevelGrid(lower + step * np.arange(max(count, 8), dtype=float))


def mixture_quantiles(first: Array, step: float, weights: Array, probability: Array) -> Array:
    """Quantiles of mixtures of smooth distributions, each known by the weights of its equally spaced atoms.

    Parameters
    ----------
    first : ndarray, shape (mixtures, parts)
        First atom of each part.
    step : float
        Distance of neighbouring atoms.
    weights : ndarray, shape (parts, m)
        Of the atoms, the same in every mixture; they sum to one over all.
    probability : ndarray, shape (p,)

    Returns
    -------
    ndarray, shape (mixtures, p)
        By linear interpolation between a thousand points of the distribution function.
    """
    # half an atom's mass lies to either side of it: the trapezoidal rule's distribution function
    below = np.cumsum(weights, axis=1)
    mass, total = below[:, -1].copy(), below[:, -1].sum()
    below -= 0.5 * weights
    start = first.min(axis=1)[:, None]
    width = (first.max(axis=1)[:, None] + step * (weights.shape[1] - 1) - start) / _CDF_CELLS

    def cdf(cell: Array) -> Array:
        x = start + cell * width
        place = (x[:, :, None] - first[:, None, :]) / (step or 1.0)
        left = np.clip(place.astype(np.intp), 0, weights.shape[1] - 2)
        part = np.arange(len(weights))
        low, high = below[part, left], below[part, left + 1]
        inside = low + (place - left) * (high - low)
        beyond = np.where(place < 0, 0.0, mass)
        return np.where((place < 0) | (place > weights.shape[1] - 1), beyond, inside).sum(axis=2) / total

    low = np.zeros((len(first), len(probability)))
    high = np.full_like(low, _CDF_CELLS)
    for _ in range(int(np.ceil(np.log2(_CDF_CELLS)))):
        middle = np.floor((low + high) / 2)
        reached = cdf(middle) > probability
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    at_low, at_high = cdf(low), cdf(high)
    share = np.clip((probability - at_low) / np.maximum(at_high - at_low, _LEAST_RISE), 0.0, 1.0)
    return start + (low + share * (high - low)) * width
