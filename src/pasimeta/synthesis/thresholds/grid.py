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
_CDF_POINTS = 1001
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

    def mixing(self, mu: Array, tau: Array) -> Array:
        """Weights that integrate a function of the level over Normal(mu, tau**2), shape (len(mu), G)."""
        weights = np.empty((len(mu), len(self.theta)))
        wide = tau > _NARROW * self.step
        u = (self.theta - mu[wide, None]) / tau[wide, None]
        weights[wide] = np.exp(-0.5 * u * u) * (self.step / np.sqrt(2 * np.pi)) / tau[wide, None]
        weights[~wide] = self._interpolated(mu[~wide], tau[~wide])
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


def mixture_quantile(values: Array, weights: Array, probability: Array) -> Array:
    """Quantiles of a mixture of smooth distributions, each known by the weights of its ascending atoms.

    Parameters
    ----------
    values, weights : ndarray, shape (parts, m)
        Atoms ascend along a row; weights sum to one over all.
    probability : ndarray

    Returns
    -------
    ndarray
        Of the shape of ``probability``.
    """
    x = np.linspace(values[:, 0].min(), values[:, -1].max(), _CDF_POINTS)
    cdf = np.zeros_like(x)
    for atoms, mass in zip(values, weights, strict=True):
        # half an atom's mass lies to either side of it: the trapezoidal rule's distribution function
        cdf += np.interp(x, atoms, np.cumsum(mass) - 0.5 * mass, left=0.0, right=float(mass.sum()))
    return np.interp(probability, np.maximum.accumulate(cdf / weights.sum()), x)
