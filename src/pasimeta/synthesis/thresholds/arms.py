"""Comparator arms: each keeps a level of its own, so that only the spacing of its thresholds is learned from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pasimeta.effects.validation import Array
from pasimeta.synthesis.thresholds.categories import Bounds, Categories, categories
from pasimeta.synthesis.thresholds.likelihood import Score, given_level
from pasimeta.synthesis.thresholds.links import Link

_ROUNDS = 40
_CLOSE = 1e-7  # Newton's step, which the next one would square


@dataclass(frozen=True, slots=True)
class LevelledArms:
    """Log-likelihood of arms, each at its own best level.

    Attributes
    ----------
    score : Score
        ``mu`` and ``tau`` are 0: at the best level nothing is to be gained, and levels share no distribution.
    level, information : ndarray, shape (rows,)
        Best level and the observed information on it.
    """

    score: Score
    level: Array
    information: Array


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
    limit = z[np.arange(len(data))[:, None], data.lower]
    distance = np.where(np.isfinite(limit), np.abs(rate - 0.5), np.inf)
    nearest = np.argmin(distance, axis=1)
    rows = np.arange(len(data))
    return link.quantile(rate[rows, nearest]) + limit[rows, nearest]


def at_best_levels(data: Categories, z: Array, link: Link, start: Array) -> LevelledArms:
    """Climb to each arm's best level by Newton's method and evaluate there.

    Parameters
    ----------
    data : Categories
        Rows that :func:`telling_arms` keeps.
    z : ndarray, shape (rows, T + 2)
        Padded cut-points.
    start : ndarray, shape (rows,)
        Levels to begin from.
    """
    level = start.astype(float).copy()
    active = np.arange(len(level))
    for _ in range(_ROUNDS):
        part = data.rows(active)
        slope, information = level_score(part, level[active], z[active], link)
        step = np.clip(slope / information, -1, 1)
        level[active] += step
        active = active[np.abs(step) > _CLOSE]
        if not active.size:
            break
    score = given_level(data, level, z, link)
    zero = np.zeros_like(level)
    return LevelledArms(Score(score.value, zero, zero, score.z), level, level_score(data, level, z, link)[1])


def level_score(data: Categories, level: Array, z: Array, link: Link) -> tuple[Array, Array]:
    """Score of the level and its observed information; of counts known within bounds, that of a middle allocation."""
    rows = np.arange(len(data))[:, None]
    lower, upper = z[rows, data.lower] - level[:, None], z[rows, data.upper] - level[:, None]
    probability = link.between(lower, upper)
    at_lower, at_upper = link.density(lower), link.density(upper)
    slope = (at_lower - at_upper) / probability
    bend = (_density_slope(upper, at_upper, link) - _density_slope(lower, at_lower, link)) / probability
    if data.counts.shape[1] == 1:
        counts, score = data.counts[:, 0], (data.counts[:, 0] * slope).sum(axis=1)
    else:
        possible = np.isfinite(data.log_coefficient)
        counts = data.counts.sum(axis=1) / possible.sum(axis=1)[:, None]
        score = given_level(data, level, z, link).mu
    return score, np.maximum((counts * (slope**2 - bend)).sum(axis=1), 1e-3)


def _density_slope(x: Array, density: Array, link: Link) -> Array:
    finite = np.where(np.isfinite(x), x, 0.0)
    return -finite * density if link.name == "probit" else (1 - 2 * link.cdf(finite)) * density
