"""Comparator arms: each keeps a level of its own, so that only the spacing of its thresholds is learned from it."""

from __future__ import annotations

import numpy as np

from pasimeta.effects.validation import Array
from pasimeta.synthesis.thresholds.categories import Bounds, Categories, categories
from pasimeta.synthesis.thresholds.likelihood import cell_chances, given_level
from pasimeta.synthesis.thresholds.links import Link

_ROUNDS = 40
_CLOSE = 1e-5  # Newton's last step, which the next one would square


def telling_arms(bounds: Bounds) -> Array:
    """Whether an arm tells anything of the spacing: two thresholds or more, and patients in two categories or more."""
    several = bounds.informative.sum(axis=1) >= 2
    last = bounds.informative.shape[1] - 1 - np.argmax(bounds.informative[:, ::-1], axis=1)
    first = np.argmax(bounds.informative, axis=1)
    rows = np.arange(len(bounds.n))
    someone = bounds.upper[rows, first] > 0
    not_all = bounds.lower[rows, last] < bounds.n
    return np.asarray(several & someone & not_all)


def arm_categories(bounds: Bounds) -> Categories:
    """Categories of the arms that tell something of the spacing."""
    keep = np.flatnonzero(telling_arms(bounds))
    kept = Bounds(bounds.lower[keep], bounds.upper[keep], bounds.informative[keep], bounds.n[keep])
    return categories(kept)


def first_levels(data: Categories, z: Array, link: Link) -> Array:
    """A level near the best one: that of the share beyond the category limit nearest to half of the patients."""
    share = data.counts[:, 0].sum(axis=1)
    beyond = np.cumsum(data.counts[:, 0, ::-1], axis=1)[:, ::-1]
    rate = (beyond + 0.5) / (share[:, None] + 1)
    rows = np.arange(len(data))
    limit = z[rows[:, None], data.edges]
    distance = np.where(np.isfinite(limit), np.abs(rate[:, 1:] - 0.5), np.inf)
    nearest = np.argmin(distance, axis=1)
    return link.quantile(rate[rows, nearest + 1]) + limit[rows, nearest]


def best_levels(data: Categories, z: Array, link: Link, start: Array) -> Array:
    """Climb to each arm's best level by Newton's method.

    Parameters
    ----------
    data : Categories
        Rows that :func:`telling_arms` keeps.
    z : ndarray, shape (rows, T + 2)
        Padded cut-points.
    start : ndarray, shape (rows,)
        Levels to begin from.

    Returns
    -------
    ndarray, shape (rows,)
    """
    level = start.astype(float).copy()
    limits, counts = _limits(data, z), _middle_counts(data)
    for _ in range(_ROUNDS):
        slope, information = _slope_and_information(counts, limits - level[:, None], link)
        if data.counts.shape[1] > 1:
            slope = given_level(data, level, z, link).mu
        step = np.clip(slope / information, -1, 1)
        level += step
        if np.abs(step).max(initial=0.0) < _CLOSE:
            break
    return level


def level_information(data: Categories, level: Array, z: Array, link: Link) -> Array:
    """Observed information of each level, shape (rows,); of counts known within bounds, that of a middle allocation."""
    return _slope_and_information(_middle_counts(data), _limits(data, z) - level[:, None], link)[1]


def _limits(data: Categories, z: Array) -> Array:
    """Cut-points between neighbouring categories, shape (rows, E)."""
    return z[np.arange(len(data))[:, None], data.edges]


def _middle_counts(data: Categories) -> Array:
    """Patients in each category, on average over the allocations, shape (rows, E + 1)."""
    if data.counts.shape[1] == 1:
        return data.counts[:, 0]
    return data.counts.sum(axis=1) / np.isfinite(data.log_coefficient).sum(axis=1)[:, None]


def _slope_and_information(counts: Array, x: Array, link: Link) -> tuple[Array, Array]:
    """Score of the level and its observed information, given the limits of categories from the level."""
    chances, density = cell_chances(x[:, :, None], link)[:, :, 0], link.density(x)
    pull = counts / chances
    across = pull[:, 1:] - pull[:, :-1]
    slope = np.empty_like(chances)
    slope[:, 0], slope[:, -1] = density[:, 0], -density[:, -1]
    np.subtract(density[:, 1:], density[:, :-1], out=slope[:, 1:-1])
    slope /= chances
    information = (counts * slope**2).sum(axis=1) + (_density_slope(x, density, link) * across).sum(axis=1)
    return (density * across).sum(axis=1), np.maximum(information, 1e-3)


def _density_slope(x: Array, density: Array, link: Link) -> Array:
    finite = np.where(np.isfinite(x), x, 0.0)
    return -finite * density if link.name == "probit" else (1 - 2 * link.cdf(finite)) * density
