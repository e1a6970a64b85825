"""How much each study adds, and what its thresholds are worth together and one at a time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pasimeta.effects.validation import Array
from pasimeta.synthesis.thresholds.categories import Bounds, Categories, categories
from pasimeta.synthesis.thresholds.likelihood import given_level, integrated
from pasimeta.synthesis.thresholds.links import Link
from pasimeta.synthesis.thresholds.reading import Counts

_STEP = 1e-4


def study_information(
    counts: Counts, data: Categories, levels: Array, mu: float, tau: float, z: Array, link: Link
) -> pd.DataFrame:
    """Observed information of each study.

    Parameters
    ----------
    counts : Counts
        Over the thresholds of ``z``.
    data : Categories
        Of the same rows.
    levels : ndarray, shape (k,)
        Each study's estimated level.
    mu, tau : float
        Estimated distribution of levels.
    z : ndarray, shape (T + 2,)
        Padded cut-points, held fixed.

    Returns
    -------
    DataFrame
        study, label, n; ``weight`` (percent of the information on mu); ``patients_worth``, the information on the
        study's own level as a number of patients whose improvement would be known exactly; ``best_single`` the same
        from its most telling threshold alone, ``best_threshold`` which that is.
    """
    rows = np.repeat(z[None], len(data), axis=0)
    on_mu = _mu_information(data, np.full(len(data), mu), np.full(len(data), tau), rows, link)
    weight = np.maximum(on_mu, 0.0)
    unit = 1.0 if link.name == "probit" else 1.0 / 3.0  # of a continuous observation of the latent improvement
    all_of_it = _level_information(data, levels, rows, link) / unit
    single = _single_thresholds(counts, levels, rows, link) / unit
    best = np.argmax(single, axis=1)
    informed = single.max(axis=1) > 0
    return pd.DataFrame(
        {
            "study": counts.studies,
            "label": counts.labels,
            "n": data.n.astype(int),
            "weight": 100 * weight / weight.sum() if weight.sum() > 0 else np.full(len(data), 100 / len(data)),
            "patients_worth": all_of_it,
            "best_single": single.max(axis=1),
            "best_threshold": np.where(informed, counts.thresholds[best], np.nan),
        }
    )


def _mu_information(data: Categories, mu: Array, tau: Array, z: Array, link: Link) -> Array:
    ahead, behind = (integrated(data, mu + step, tau, z, link).mu for step in (_STEP, -_STEP))
    return np.asarray((behind - ahead) / (2 * _STEP))


def _level_information(data: Categories, levels: Array, z: Array, link: Link) -> Array:
    ahead, behind = (given_level(data, levels + step, z, link).mu for step in (_STEP, -_STEP))
    return np.maximum((behind - ahead) / (2 * _STEP), 0.0)


def _single_thresholds(counts: Counts, levels: Array, z: Array, link: Link) -> Array:
    bounds = counts.bounds()
    found = np.zeros_like(bounds.lower)
    for column in range(len(counts.thresholds)):
        only = np.zeros_like(bounds.informative)
        only[:, column] = bounds.informative[:, column]
        alone = categories(Bounds(bounds.lower, bounds.upper, only, bounds.n))
        found[:, column] = _level_information(alone, levels, z, link)
    return found
