"""How far a Bayesian synthesis leans on the prior of tau."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pasimeta.errors import PasimetaError, PasimetaWarning
from pasimeta.synthesis.bayes_binomial import pool_bayes_binomial
from pasimeta.synthesis.bayes_normal import pool_bayes
from pasimeta.synthesis.bayes_results import BayesResult

SCALES = (0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0)
_COLUMNS = (
    "mu_median",
    "mu_lower",
    "mu_upper",
    "tau_median",
    "tau_lower",
    "tau_upper",
    "predictive_lower",
    "predictive_upper",
    "response_estimate",
    "response_ci_lower",
    "response_ci_upper",
    "response_pi_lower",
    "response_pi_upper",
    "log_marginal_likelihood",
)


def prior_sensitivity(
    *,
    yi: ArrayLike | None = None,
    vi: ArrayLike | None = None,
    events: ArrayLike | None = None,
    n: ArrayLike | None = None,
    families: Sequence[str | tuple[str, float]] = ("half_normal", "half_cauchy"),
    scales: Sequence[float] = SCALES,
    mu_prior: Sequence[float] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Posterior summaries along a curve of prior scales, for one or more families of tau priors.

    Parameters
    ----------
    yi, vi : array_like, shape (k,), optional
        Effect sizes and sampling variances: the normal-normal model.
    events, n : array_like, shape (k,), optional
        Counts: the binomial-normal model. Give one pair or the other.
    families : sequence
        Names as in :func:`pool_bayes`; half-t as ``("half_t", df)``.
    scales : sequence of float
        Scales of each family's prior (the upper end of a uniform one).
    mu_prior, level
        As in :func:`pool_bayes`.

    Returns
    -------
    DataFrame
        One row a prior: ``family``, ``scale``, ``df``, then medians, limits and the log marginal likelihood. The last
        compares priors: the curve's maximum is the empirical-Bayes scale.

    Raises
    ------
    PasimetaError
        If neither or both pairs are given, and as the fits themselves.
    """
    given = [pair for pair in ((yi, vi), (events, n)) if pair[0] is not None and pair[1] is not None]
    if len(given) != 1:
        raise PasimetaError("prior_sensitivity: give either yi and vi, or events and n")
    fit = pool_bayes if yi is not None else pool_bayes_binomial
    rows = []
    with warnings.catch_warnings():
        # every point of the curve would repeat the same doubts of the data
        warnings.simplefilter("ignore", PasimetaWarning)
        for family in families:
            name, *extra = (family,) if isinstance(family, str) else family
            for scale in scales:
                result = fit(*given[0], tau_prior=(name, scale, *extra), mu_prior=mu_prior, level=level)  # type: ignore[arg-type]
                rows.append({"family": name, "scale": scale, "df": extra[0] if extra else np.nan} | _row(result))
    return pd.DataFrame(rows)


def _row(result: BayesResult) -> dict[str, Any]:
    values = {name: getattr(result, name) for name in _COLUMNS}
    return {name: value for name, value in values.items() if value is not None}
