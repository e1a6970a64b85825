"""What a study's own data say of thresholds it doesn't report: how many reached them, and at what rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pasimeta.effects.validation import Array
from pasimeta.synthesis.thresholds.bayes import Posterior
from pasimeta.synthesis.thresholds.categories import Categories, Indices
from pasimeta.synthesis.thresholds.cutpoints import Cutpoints
from pasimeta.synthesis.thresholds.grid import LevelGrid, mixture_quantiles
from pasimeta.synthesis.thresholds.likelihood import REACH, common_log_likelihood, node_count
from pasimeta.synthesis.thresholds.links import Link
from pasimeta.synthesis.thresholds.profile import Fit
from pasimeta.synthesis.thresholds.reading import Counts

PREDICTION_COLUMNS = [
    "study",
    "label",
    "threshold",
    "n",
    "reported",
    "events_lower",
    "events_upper",
    "predicted",
    "predicted_lower",
    "predicted_upper",
    "rate",
    "rate_lower",
    "rate_upper",
]
_LEAST_MASS = 1e-9
_ELEMENTS = 1_000_000  # likelihoods held at once


@dataclass(frozen=True, slots=True)
class NewStudy:
    """Posterior of a new study's level on a grid, under each node of the cut-points.

    Attributes
    ----------
    grid : LevelGrid
    shape : ndarray, shape (Z, size)
    new : ndarray, shape (Z, G)
        Weights of a new study's level; sum to one.
    """

    grid: LevelGrid
    shape: Array
    new: Array


@dataclass(frozen=True, slots=True)
class Levels(NewStudy):
    """The same of the studies' own levels, too.

    Attributes
    ----------
    study : ndarray, shape (Z, k, G)
        Weights of each study's level; sum to one a study.
    """

    study: Array


def new_study(found: Posterior) -> NewStudy:
    """A new study's level under a posterior of the parameters; nodes without mass are left out."""
    kept = _with_mass(found)
    new = np.maximum(found.level_weights(kept), 0.0)
    return NewStudy(found.grid, found.shape[0, kept], new / new.sum())


def posterior_levels(found: Posterior) -> Levels:
    """Levels under a posterior of the parameters; nodes without mass are left out."""
    new, study = new_study(found), found.study_weights(_with_mass(found))
    return Levels(new.grid, new.shape, new.new, study / study.sum(axis=(0, 2), keepdims=True))


def _with_mass(found: Posterior) -> Indices:
    return np.flatnonzero(found.weight[0].sum(axis=1) > _LEAST_MASS)


def estimated_levels(cutpoints: Cutpoints, data: Categories, fit: Fit, z: Array, link: Link) -> Levels:
    """Levels given the estimated parameters (empirical Bayes)."""
    mu, tau = fit.x[0, 0], fit.x[0, 1]
    count = int(node_count(np.array([tau * np.sqrt(data.n.max())]))[0])
    u = np.linspace(-REACH, REACH, count)
    grid = LevelGrid(mu + tau * u)
    prior = np.exp(-0.5 * u * u)[None]
    logs = common_log_likelihood(data, grid.theta, z, link)[0]
    study = prior * np.exp(logs - logs.max(axis=1, keepdims=True))
    own = study / study.sum(axis=1, keepdims=True)
    return Levels(grid, fit.x[:1, 2:], prior / prior.sum(), own[None])


def predicted_counts(
    counts: Counts, cutpoints: Cutpoints, levels: Levels, link: Link, thresholds: Array, level: float
) -> pd.DataFrame:
    """Each study's predicted count and rate at each threshold.

    Parameters
    ----------
    counts : Counts
        As reported.
    cutpoints, levels, link
        The fitted model.
    thresholds : ndarray
        Where to predict.
    level : float
        Probability of the intervals, which hold at least that much, being of counts.

    Returns
    -------
    DataFrame
        study, label, threshold, n, events_lower, events_upper (reported or implied), reported, predicted (mean),
        predicted_lower, predicted_upper (patients), rate, rate_lower, rate_upper (the study's true share).
    """
    tail = (1 - level) / 2
    rows = []
    z = cutpoints.at(levels.shape, thresholds)
    first, step = levels.grid.theta[0] - z.T, levels.grid.step
    limits = [
        link.cdf(mixture_quantiles(first, step, levels.study[:, row], np.array([tail, 1 - tail])))
        for row in range(len(counts.n) if len(thresholds) else 0)
    ]
    for column, c in enumerate(thresholds):
        chances = count_chances(possible_counts(counts, float(c)), cutpoints, levels, link)
        shares = link.cdf(levels.grid.theta[None] - z[:, column, None])
        for row, (study, label) in enumerate(zip(counts.studies, counts.labels, strict=True)):
            below = np.cumsum(chances[row])
            low, high = limits[row][column]
            told = sum(x >= c for x in counts.improvements[row])
            size = counts.n[row] + len(counts.improvements[row])
            reported = bool((counts.thresholds == c).any() and not np.isnan(counts.on_threshold(c)[row]))
            known = np.flatnonzero(chances[row] > 0)
            rows.append(
                {
                    "study": study,
                    "label": label,
                    "threshold": float(c),
                    "n": int(size),
                    "reported": reported,
                    "events_lower": int(known[0] + told),
                    "events_upper": int(known[-1] + told),
                    "predicted": float(chances[row] @ np.arange(chances.shape[1])) + told,
                    "predicted_lower": int(np.argmax(below >= tail - 1e-12) + told),
                    "predicted_upper": int(np.argmax(below >= 1 - tail - 1e-12) + told),
                    "rate": float((levels.study[:, row] * shares).sum()),
                    "rate_lower": float(low),
                    "rate_upper": float(high),
                }
            )
    return pd.DataFrame(rows, columns=PREDICTION_COLUMNS)


@dataclass(frozen=True, slots=True)
class PossibleCounts:
    """Every count at a threshold that a study's other thresholds leave possible, as if the study had reported it.

    Attributes
    ----------
    data : Categories
        One row a possible count, those of a study next to each other.
    thresholds : ndarray
        What the limits of the categories refer to.
    row, count : ndarray of int, shape (rows,)
        Study and count of each row.
    n : ndarray, shape (k,)
        Patients of each study.
    """

    data: Categories
    thresholds: Array
    row: Indices
    count: Indices
    n: Array

    def of_study(self, study: int) -> PossibleCounts:
        """Those of one study."""
        own = np.flatnonzero(self.row == study)
        nothing = np.zeros(len(own), dtype=np.intp)
        return PossibleCounts(self.data.rows(own), self.thresholds, nothing, self.count[own], self.n[[study]])


def possible_counts(counts: Counts, c: float) -> PossibleCounts:
    """Every count at threshold ``c`` that each study may have."""
    wide = counts.on(np.union1d(counts.thresholds, [c]))
    at = int(np.searchsorted(wide.thresholds, c))
    k, most = len(counts.n), int(counts.n.max())
    j = np.tile(np.arange(most + 1.0), k)
    row = np.repeat(np.arange(k), most + 1)
    bounds = wide.bounds()
    possible = (j >= bounds.lower[row, at]) & (j <= bounds.upper[row, at])
    row, j = row[possible], j[possible]
    fixed = wide.of_rows(row)
    fixed.lower[:, at] = fixed.upper[:, at] = j
    fixed = fixed.on(np.union1d(wide.thresholds, [x for each in counts.improvements for x in each]))
    return PossibleCounts(fixed.categories(), fixed.thresholds, row, j.astype(np.intp), counts.n)


def count_chances(possible: PossibleCounts, cutpoints: Cutpoints, levels: Levels, link: Link) -> Array:
    """Probability of each count, given all the study reports; shape (k, largest n + 1).

    The likelihood with the count fixed, over its sum: exact, whatever the study reports. Counts that the reported
    thresholds rule out have probability 0.
    """
    data, row, theta = possible.data, possible.row, levels.grid.theta
    z = np.full((len(levels.shape), len(possible.thresholds) + 2), np.inf)
    z[:, 0], z[:, 1:-1] = -np.inf, cutpoints.at(levels.shape, possible.thresholds)
    first_of_study = np.searchsorted(row, np.arange(len(possible.n)))
    chance = np.zeros(len(row))
    block = max(1, _ELEMENTS // (len(row) * len(theta)))
    for nodes in (slice(first, first + block) for first in range(0, len(z), block)):
        likelihood = common_log_likelihood(data, theta, z[nodes], link)
        likelihood -= np.maximum.reduceat(likelihood, first_of_study, axis=1)[:, row]
        np.exp(likelihood, out=likelihood)
        share = levels.study[nodes] / np.add.reduceat(likelihood, first_of_study, axis=1)
        chance += (share[:, row] * likelihood).sum(axis=(0, 2))
    chances = np.zeros((len(possible.n), int(possible.n.max()) + 1))
    chances[row, possible.count] = chance
    return chances
