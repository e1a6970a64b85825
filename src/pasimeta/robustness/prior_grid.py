"""Posterior rates under every prior one could defend: of the differences between studies, and of the rate itself."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pasimeta.effects.validation import check_counts, check_level
from pasimeta.errors import PasimetaError
from pasimeta.robustness.multiverse_analyses import check_mu_priors, check_tau_scales
from pasimeta.robustness.multiverse_bayes import bayes_columns
from pasimeta.robustness.multiverse_fits import RESULTS

MU_PRIORS: tuple[tuple[float, float] | None, ...] = ((0.0, 1.7), None)


def prior_grid(
    events: ArrayLike,
    n: ArrayLike,
    scales: Sequence[float],
    mu_priors: Sequence[tuple[float, float] | None] = MU_PRIORS,
    level: float = 0.95,
) -> pd.DataFrame:
    """Pool counts under half-normal priors of tau and normal or flat ones of the mean log-odds.

    Parameters
    ----------
    events, n : array_like, shape (k,)
        Responders and patients.
    scales : sequence of float
        Of the prior of tau, log-odds, ascending.
    mu_priors : sequence of (mean, sd) or None
        Of the median study's log-odds; None is flat, and is left out where it leaves no posterior, which is without
        responders or with none but responders.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        One row a pair of priors: ``mu_prior`` in words, ``scale`` of the prior of tau, ``response_estimate`` (posterior
        median of the median study's rate), ``response_ci_lower``, ``response_ci_upper``, and a new study's
        ``response_pi_lower``, ``response_pi_upper``; those of :func:`pasimeta.synthesis.pool_bayes_binomial` to 3e-5.

    Raises
    ------
    PasimetaError
        For counts, scales or priors that can't be, or if no prior is left.
    """
    counts, sizes = check_counts(events, n)
    if counts.ndim != 1:
        raise PasimetaError(f"events: shape {counts.shape} holds several data sets; give one of shape (k,)")
    check_mu_priors(mu_priors)
    flat_is_proper = bool(np.any(counts > 0) and np.any(counts < sizes))
    kept = [prior for prior in mu_priors if prior is not None or flat_is_proper]
    if not kept or len(scales) == 0:
        raise PasimetaError("mu_priors and scales: none that leaves a posterior; give a normal prior, such as (0, 1.7)")
    level = check_level(level)
    rows = []
    for prior, scale in itertools.product(kept, check_tau_scales(scales)):
        found = bayes_columns(counts[:, None], sizes[:, None], scale, prior, level)
        words = "flat" if prior is None else f"normal({prior[0]:g}, {prior[1]:g})"
        rows.append(
            {"mu_prior": words, "scale": scale} | {f"response_{name}": float(found[name][0]) for name in RESULTS}
        )
    return pd.DataFrame(rows)
