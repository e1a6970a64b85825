"""What a study's own data say of thresholds it doesn't report: how many reached them, and at what rate."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from pasimeta.effects.validation import Array
from pasimeta.synthesis.thresholds.bayes import Posterior
from pasimeta.synthesis.thresholds.categories import Categories, Indices
from pasimeta.synthesis.thresholds.cutpoints import Cutpoints
from pasimeta.synthesis.thresholds.grid import LevelGrid, mixture_quantile
from pasimeta.synthesis.thresholds.likelihood import REACH, log_likelihood, node_count
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


@dataclass(frozen=True, slots=True)
class Levels:
    """Posterior of levels on a grid, under each node of the cut-points.

    Attributes
    ----------
    grid : LevelGrid
    shape : ndarray, shape (Z, size)
    study : ndarray, shape (Z, k, G)
        Weights of each study's level; sum to one a study.
    new : ndarray, shape (Z, G)
        Weights of a new study's level; sum to one.
    """

    grid: LevelGrid
    shape: Array
    study: Array
    new: Array


def posterior_levels(found: Posterior) -> Levels:
    """Levels under a posterior of the parameters; nodes without mass are left out."""
    kept = np.flatnonzero(found.weight[0].sum(axis=1) > _LEAST_MASS)
    study, new = found.study_weights()[kept], np.maximum(found.level_weights()[kept], 0.0)
    return Levels(found.grid, found.shape[0, kept], study / study.sum(axis=(0, 2), keepdims=True), new / new.sum())


def estimated_levels(cutpoints: Cutpoints, data: Categories, fit: Fit, z: Array, link: Link) -> Levels:
    """Levels given the estimated parameters (empirical Bayes)."""
    mu, tau = fit.x[0, 0], fit.x[0, 1]
    count = int(node_count(np.array([tau * np.sqrt(data.n.max())]))[0])
    u = np.linspace(-REACH, REACH, count)
    grid = LevelGrid(mu + tau * u)
    prior = np.exp(-0.5 * u * u)[None]
    theta = np.broadcast_to(grid.theta, (len(data), len(grid.theta)))
    logs = log_likelihood(data, theta, np.repeat(z, len(data), axis=0), link)
    study = prior * np.exp(logs - logs.max(axis=1, keepdims=True))
    return Levels(grid, fit.x[:1, 2:], (study / study.sum(axis=1, keepdims=True))[None], prior / prior.sum())


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
    for c in thresholds:
        chances = count_chances(counts, cutpoints, levels, link, float(c))
        z = cutpoints.at(levels.shape, np.array([float(c)]))[:, 0]
        latent = levels.grid.theta[None] - z[:, None]
        shares = link.cdf(latent)
        for row, (study, label) in enumerate(zip(counts.studies, counts.labels, strict=True)):
            below = np.cumsum(chances[row])
            weights = levels.study[:, row]
            low, high = link.cdf(mixture_quantile(latent, weights, np.array([tail, 1 - tail])))
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
                    "rate": float((weights * shares).sum()),
                    "rate_lower": float(low),
                    "rate_upper": float(high),
                }
            )
    return pd.DataFrame(rows, columns=PREDICTION_COLUMNS)


def count_chances(counts: Counts, cutpoints: Cutpoints, levels: Levels, link: Link, c: float) -> Array:
    """Probability of each count at threshold ``c``, given all the study reports; shape (k, largest n + 1).

    The likelihood with the count at ``c`` fixed to j, over its sum: exact, whatever the study reports. Counts that the
    reported thresholds rule out have probability 0.
    """
    wide = counts.on(np.union1d(counts.thresholds, [c]))
    at = int(np.searchsorted(wide.thresholds, c))
    k, most = len(counts.n), int(counts.n.max())
    j = np.tile(np.arange(most + 1.0), k)
    row = np.repeat(np.arange(k), most + 1)
    bounds = wide.bounds()
    possible = (j >= bounds.lower[row, at]) & (j <= bounds.upper[row, at])
    row, j = row[possible], j[possible]
    lower, upper = wide.lower[row], wide.upper[row]
    lower[:, at] = upper[:, at] = j
    fixed = replace(
        wide,
        studies=tuple(counts.studies[i] for i in row),
        labels=tuple(counts.labels[i] for i in row),
        lower=lower,
        upper=upper,
        n=counts.n[row],
        improvements=tuple(counts.improvements[i] for i in row),
        best=tuple(counts.best[i] for i in row),
    )
    fixed = fixed.on(np.union1d(wide.thresholds, [x for each in counts.improvements for x in each]))
    return _chances(fixed, counts, cutpoints, levels, link, row, j.astype(int))


def _chances(
    fixed: Counts, counts: Counts, cutpoints: Cutpoints, levels: Levels, link: Link, row: Indices, j: Indices
) -> Array:
    data = fixed.categories()
    theta = np.broadcast_to(levels.grid.theta, (len(row), len(levels.grid.theta)))
    chances = np.zeros((len(counts.n), int(counts.n.max()) + 1))
    for node, shape in enumerate(levels.shape):
        z = np.concatenate([[-np.inf], cutpoints.at(shape[None], fixed.thresholds)[0], [np.inf]])
        logs = log_likelihood(data, theta, np.broadcast_to(z, (len(row), len(z))), link)
        peak = np.full((len(counts.n), theta.shape[1]), -np.inf)
        np.maximum.at(peak, row, logs)
        likelihood = np.exp(logs - peak[row])
        total = np.zeros_like(peak)
        np.add.at(total, row, likelihood)
        np.add.at(chances, (row, j), (levels.study[node][row] * likelihood / total[row]).sum(axis=1))
    return chances
