"""One-dimensional distributions, held so that moments, quantiles and probabilities come out to many digits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.polynomial import legendre
from scipy.special import ndtr

from pasimeta.effects.validation import Array
from pasimeta.synthesis.roots import Columns, root_of_increasing

_NODES = 10
_ROUNDS = 60


class Distribution(Protocol):
    """What a posterior summary needs of a distribution."""

    def mean(self) -> float:
        """Expectation."""
        ...

    def sd(self) -> float:
        """Standard deviation."""
        ...

    def pdf(self, x: Array) -> Array:
        """Density at each ``x``."""
        ...

    def cdf(self, x: Array) -> Array:
        """Probability of at most ``x``, each."""
        ...

    def quantile(self, probability: Array) -> Array:
        """Inverse of ``cdf``."""
        ...


@lru_cache(maxsize=4)
def gauss_legendre(points: int) -> tuple[Array, Array]:
    """Nodes and weights on [-1, 1]."""
    return legendre.leggauss(points)


@lru_cache(maxsize=4)
def to_coefficients(points: int) -> Array:
    """Matrix from values at the Gauss nodes to Legendre coefficients of the interpolating polynomial."""
    nodes, weights = gauss_legendre(points)
    degrees = np.arange(points)
    return (2 * degrees[:, None] + 1) / 2 * legendre.legvander(nodes, points - 1).T * weights


@lru_cache(maxsize=4)
def to_powers(points: int) -> Array:
    """Matrix from values at the Gauss nodes to the interpolating polynomial's coefficients of 1, t, t**2, ..."""
    series = to_coefficients(points).T
    return np.stack([np.pad(column := legendre.leg2poly(each), (0, points - len(column))) for each in series], axis=1)


@dataclass(frozen=True, slots=True)
class PanelDensity:
    """A density as one polynomial a panel, through its values at the panel's Gauss-Legendre nodes.

    Attributes
    ----------
    edges : ndarray, shape (panels + 1,)
        Ascending; no mass outside.
    values : ndarray, shape (panels, nodes)
        Density at the nodes, normalized.
    """

    edges: Array
    values: Array

    def nodes(self) -> Array:
        """Abscissae of ``values``."""
        return panel_nodes(self.edges, self.values.shape[1])

    def weights(self) -> Array:
        """Probability standing at each node; sums to one."""
        _, weights = gauss_legendre(self.values.shape[1])
        return self.values * weights * (np.diff(self.edges) / 2)[:, None]

    def expectation(self, function: Callable[[Array], Array]) -> float:
        """Expectation of a smooth function."""
        return float((self.weights() * function(self.nodes())).sum())

    def mean(self) -> float:
        """Expectation."""
        return self.expectation(lambda x: x)

    def sd(self) -> float:
        """Standard deviation."""
        centre = self.mean()
        return float(np.sqrt(self.expectation(lambda x: (x - centre) ** 2)))

    def pdf(self, x: Array) -> Array:
        """Density at each ``x``; 0 outside the panels."""
        panel, t, inside = self._located(x)
        coefficients = self.values @ to_coefficients(self.values.shape[1]).T
        return np.where(inside, np.maximum(_series(coefficients[panel], t), 0.0), 0.0)

    def cdf(self, x: Array) -> Array:
        """Probability of at most ``x``, each."""
        panel, t, _ = self._located(x)
        half = np.diff(self.edges) / 2
        coefficients = self.values @ to_coefficients(self.values.shape[1]).T
        before = np.concatenate([[0.0], np.cumsum(self.weights().sum(axis=1))])
        antiderivative = np.asarray(legendre.legint(coefficients, lbnd=-1, axis=1), dtype=float)
        within = _series(antiderivative[panel], t) * half[panel]
        return np.clip(before[panel] + within, 0.0, 1.0)

    def quantile(self, probability: Array) -> Array:
        """Inverse of :meth:`cdf`."""
        wanted = np.atleast_1d(np.asarray(probability, float))
        before = np.concatenate([[0.0], np.cumsum(self.weights().sum(axis=1))])
        panel = np.clip(np.searchsorted(before, wanted, side="right") - 1, 0, len(self.edges) - 2)
        low, high = self.edges[panel], self.edges[panel + 1]
        return _quantiles(self.cdf, self.pdf, wanted, low, high)

    def _located(self, x: Array) -> tuple[Columns, Array, Array]:
        x = np.asarray(x, float)
        panel = np.clip(np.searchsorted(self.edges, x, side="right") - 1, 0, len(self.edges) - 2)
        low, high = self.edges[panel], self.edges[panel + 1]
        t = np.clip(2 * (x - low) / (high - low) - 1, -1, 1)
        return panel, t, (x >= self.edges[0]) & (x <= self.edges[-1])


@dataclass(frozen=True, slots=True)
class NormalMixture:
    """A finite mixture of normal distributions; three arrays of one shape."""

    weights: Array
    means: Array
    sds: Array

    def mean(self) -> float:
        """Expectation."""
        return float(self.weights @ self.means)

    def sd(self) -> float:
        """Standard deviation."""
        return float(np.sqrt(self.weights @ (self.sds**2 + (self.means - self.mean()) ** 2)))

    def pdf(self, x: Array) -> Array:
        """Density at each ``x``."""
        u = (np.asarray(x, float)[..., None] - self.means) / self.sds
        return np.exp(-0.5 * u * u) @ (self.weights / self.sds) / np.sqrt(2 * np.pi)

    def cdf(self, x: Array) -> Array:
        """Probability of at most ``x``, each."""
        return ndtr((np.asarray(x, float)[..., None] - self.means) / self.sds) @ self.weights

    def quantile(self, probability: Array) -> Array:
        """Inverse of :meth:`cdf`."""
        wanted = np.atleast_1d(np.asarray(probability, float))
        heavy = self.weights > 1e-3 * np.minimum(wanted, 1 - wanted).min() / len(self.weights)
        low = np.full(wanted.shape, (self.means - 40 * self.sds)[heavy].min())
        high = np.full(wanted.shape, (self.means + 40 * self.sds)[heavy].max())
        return _quantiles(self.cdf, self.pdf, wanted, low, high)


def adapted_density(
    log_density: Callable[[Array], Array], edges: Array, tolerance: float = 1e-11
) -> tuple[PanelDensity, float]:
    """Normalize a density, splitting panels until a polynomial on each stands for it.

    Parameters
    ----------
    log_density : callable
        Unnormalized log-density of an array of abscissae.
    edges : ndarray
        First panels, ascending; the density is taken as 0 outside.
    tolerance : float
        A panel is split while the last two Legendre coefficients hold more than this share of the total mass.

    Returns
    -------
    density : PanelDensity
    log_mass : float
        Logarithm of the integral of the density given.
    """
    panels = np.stack([edges[:-1], edges[1:]], axis=1)
    logs = log_density(_nodes_of(panels).ravel()).reshape(len(panels), _NODES)
    for _ in range(_ROUNDS):
        peak = logs.max()
        values = np.exp(logs - peak)
        width = np.diff(panels, axis=1)[:, 0]
        _, weights = gauss_legendre(_NODES)
        mass = (values @ weights * width / 2).sum()
        tail = np.abs(values @ to_coefficients(_NODES)[-2:].T).max(axis=1) * width
        rough = (tail > tolerance * mass) & (width > 1e-13 * np.abs(panels).max(axis=1))
        if not rough.any():
            break
        middle = panels[rough].mean(axis=1)
        split = np.concatenate([np.stack([panels[rough, 0], middle], 1), np.stack([middle, panels[rough, 1]], 1)])
        fresh = log_density(_nodes_of(split).ravel()).reshape(len(split), _NODES)
        panels, logs = np.concatenate([panels[~rough], split]), np.concatenate([logs[~rough], fresh])
    order = panels[:, 0].argsort()
    panels, values = panels[order], np.exp(logs[order] - logs.max())
    density = PanelDensity(np.append(panels[:, 0], panels[-1, 1]), values)
    mass = density.weights().sum()
    return PanelDensity(density.edges, values / mass), float(np.log(mass) + logs.max())


def panel_nodes(edges: Array, points: int) -> Array:
    """Gauss-Legendre nodes of each panel, shape (panels, points)."""
    return _nodes_of(np.stack([edges[:-1], edges[1:]], axis=1), points)


def _nodes_of(panels: Array, points: int = _NODES) -> Array:
    nodes, _ = gauss_legendre(points)
    centre, half = panels.mean(axis=1), np.diff(panels, axis=1)[:, 0] / 2
    return centre[:, None] + half[:, None] * nodes


def legendre_values(t: Array, points: int) -> Array:
    """Legendre polynomials of degree 0 ... points - 1 at each ``t``, along a new last axis."""
    return np.asarray(legendre.legvander(t, points - 1), dtype=float).reshape(*np.shape(t), points)


def _series(coefficients: Array, t: Array) -> Array:
    """Legendre series whose coefficients differ from point to point (last axis)."""
    return np.einsum("...c,...c->...", coefficients, legendre_values(t, coefficients.shape[-1]))


def _quantiles(
    cdf: Callable[[Array], Array], pdf: Callable[[Array], Array], wanted: Array, low: Array, high: Array
) -> Array:
    def excess(x: Array, which: Columns) -> tuple[Array, Array]:
        return cdf(x) - wanted[which], pdf(x)

    return root_of_increasing(excess, 0.5 * (low + high), low, high, tolerance=1e-8)
