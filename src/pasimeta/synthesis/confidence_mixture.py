"""Prediction under an uncertain heterogeneity: a mixture over its confidence distribution.

With few studies the heterogeneity is often estimated at 0, and an interval that takes the estimate for the truth
predicts nothing new. Nagashima, Noma & Furukawa (2019, Statistical Methods in Medical Research 28:1689) average over
the confidence distribution of tau2 instead. Here that distribution comes from the profile likelihood: its signed root
``r(h)`` is standard normal to first order, so ``Phi(r(h))`` is the confidence that the heterogeneity is at most ``h``;
its quantiles are the limits of the profile interval. Deterministic: no draws.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from pasimeta.effects.validation import Array
from pasimeta.synthesis.profile_likelihood import ProfileFit
from pasimeta.synthesis.roots import Columns, clipped, root_of_increasing

_SPLIT = 8
_TINY = 1e-16  # probability; a guess this far out only has to be sent back


@dataclass(frozen=True, slots=True)
class ConfidenceMixture:
    """Heterogeneities with their confidence weights, and location and its variance at each; shape (nodes, d)."""

    weight: Array
    h: Array
    mu: Array
    mu_variance: Array


def confidence_mixture(fit: ProfileFit) -> ConfidenceMixture:
    """Discretize the confidence distribution of the heterogeneity.

    Parameters
    ----------
    fit : ProfileFit
        A profile-likelihood fit of d data sets.

    Returns
    -------
    ConfidenceMixture
        Weights sum to one; a point mass stands at 0, and what lies beyond the grid stands at its end.
    """
    profile = fit.profile
    drop = np.sqrt(2 * np.maximum(fit.log_likelihood - profile.value, 0))
    signed_root = np.maximum.accumulate(np.where(profile.h < fit.h, -drop, drop), axis=0)
    edges = _refined(np.sqrt(profile.h))
    confidence = ndtr(_refined(signed_root))
    mass = np.vstack([confidence[:1], np.diff(confidence, axis=0), 1 - confidence[-1:]])
    middle = [_with_ends(_refined(values)) for values in (profile.mu, 1 / profile.information)]
    return ConfidenceMixture(mass, _with_ends(edges) ** 2, middle[0], middle[1])


def mixture_interval(
    cdf_and_pdf: Callable[[Array, Columns], tuple[Array, Array]], level: float, start: Array, bracket: Array
) -> tuple[Array, Array]:
    """Equal-tailed interval of each of d distributions.

    Parameters
    ----------
    cdf_and_pdf : callable
        Of values and the data sets they belong to.
    level : float
    start, bracket : ndarray, shape (2, d)
        First guesses of the two limits; lowest and highest value conceivable.
    """
    d = start.shape[1]
    wanted = ndtri(np.repeat([(1 - level) / 2, (1 + level) / 2], d))
    columns = np.tile(np.arange(d), 2)

    def excess(x: Array, which: Columns) -> tuple[Array, Array]:
        # as normal quantiles, in which a mixture of normals is nearly straight
        below, density = cdf_and_pdf(x, columns[which])
        quantile = ndtri(np.minimum(np.maximum(below, _TINY), 1 - _TINY))
        return quantile - wanted[which], density * np.exp(0.5 * quantile * quantile) * np.sqrt(2 * np.pi)

    low, high = (np.tile(end, 2) for end in bracket)
    limits = root_of_increasing(excess, clipped(start.ravel(), low, high), low, high, tolerance=1e-4)
    return limits[:d], limits[d:]


def normal_mixture_interval(mixture: ConfidenceMixture, level: float) -> tuple[Array, Array]:
    """Equal-tailed interval of a new study's log-odds: ``Normal(mu(h), h + var mu(h))`` mixed over ``h``."""
    variance = mixture.h + mixture.mu_variance
    sd = np.sqrt(variance)
    bracket = np.stack([(mixture.mu - 12 * sd).min(axis=0), (mixture.mu + 12 * sd).max(axis=0)])
    height = mixture.weight / (np.sqrt(2 * np.pi) * sd)

    def cdf_and_pdf(x: Array, which: Columns) -> tuple[Array, Array]:
        u = (x - mixture.mu[:, which]) / sd[:, which]
        density = height[:, which] * np.exp(-0.5 * u * u)
        return (mixture.weight[:, which] * ndtr(u)).sum(axis=0), density.sum(axis=0)

    # as if it were one normal, rather wide than narrow
    middle = np.abs(np.cumsum(mixture.weight, axis=0) - 0.8).argmin(axis=0)[None]
    centre, reach = (np.take_along_axis(a, middle, axis=0)[0] for a in (mixture.mu, sd))
    reach = float(ndtri((1 + level) / 2)) * reach
    return mixture_interval(cdf_and_pdf, level, np.stack([centre - reach, centre + reach]), bracket)


def _refined(values: Array) -> Array:
    """Each grid cell split evenly, values in between interpolated."""
    share = np.arange(_SPLIT)[:, None, None] / _SPLIT
    inner = values[:-1] + share * np.diff(values, axis=0)
    return np.vstack([inner.swapaxes(0, 1).reshape(-1, values.shape[1]), values[-1:]])


def _with_ends(values: Array) -> Array:
    return np.vstack([values[:1], 0.5 * (values[:-1] + values[1:]), values[-1:]])
