"""How narrow the pooled interval can be expected to be once the trial has reported."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pasimeta.effects.validation import Array, check_counts
from pasimeta.errors import PasimetaError, PasimetaWarning
from pasimeta.forecast.beliefs import RateBelief, check_whole
from pasimeta.synthesis.results import PooledResult


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PrecisionResult:
    """The pooled interval before and after a trial, over every result the trial may have.

    Attributes
    ----------
    n : int
        New patients.
    model : str
        Pooling model, as in :func:`pasimeta.synthesis.pool_binomial`.
    level : float
        Of the intervals.
    width_before : float or None
        Width of the interval now, in [0, 1]; None without earlier studies.
    width_expected : float
        Mean width over the predictive distribution of the trial's responders.
    width_lower, width_upper : float
        Widths that the new one stays between with probability 0.8: its 10 % and 90 % quantiles.
    probability, lower, upper, estimate : ndarray, shape (n + 1,)
        Of each count of new responders: its predictive probability, and the pooled interval and rate it would give.
    """

    n: int
    model: str
    level: float
    width_before: float | None
    width_expected: float
    width_lower: float
    width_upper: float
    probability: Array
    lower: Array
    upper: Array
    estimate: Array

    def to_frame(self) -> pd.DataFrame:
        """One row: the widths before and after."""
        names = ("n", "model", "level", "width_before", "width_expected", "width_lower", "width_upper")
        return pd.DataFrame([{name: getattr(self, name) for name in names}]).astype({"width_before": float})

    def outcomes(self) -> pd.DataFrame:
        """One row a possible count of new responders."""
        return pd.DataFrame(
            {
                "responders": np.arange(self.n + 1),
                "probability": self.probability,
                "estimate": self.estimate,
                "ci_lower": self.lower,
                "ci_upper": self.upper,
            }
        )


def precision_after(
    events: ArrayLike,
    n: ArrayLike,
    new_n: int,
    belief: RateBelief,
    *,
    model: str = "binomial_normal",
    level: float = 0.95,
) -> PrecisionResult:
    """Pool the studies there are with every possible result of a new one.

    Parameters
    ----------
    events, n : array_like, shape (k,)
        Responders and patients of the studies so far; may be empty.
    new_n : int
        Patients of the new trial given cells.
    belief : RateBelief
        Of its true rate; it should not be narrower than what ``events`` and ``n`` support.
    model, level
        As in :func:`pasimeta.synthesis.pool_binomial`.

    Returns
    -------
    PrecisionResult

    Raises
    ------
    PasimetaError
        For counts that can't be, or no new patients.
    """
    new_n = check_whole("new_n", new_n)
    there_are_some = len(np.atleast_1d(np.asarray(events, float))) > 0
    counts, sizes = check_counts(events, n) if there_are_some else (np.empty(0), np.empty(0))
    if counts.ndim != 1:
        raise PasimetaError(f"events: shape {counts.shape} holds several data sets; give one of shape (k,)")
    before, after = _pooled(counts, sizes, new_n, model, level)
    chances = belief.counts(new_n)
    widths = after.response_ci_upper - after.response_ci_lower
    tenth, ninetieth = _weighted_quantiles(widths, chances, (0.1, 0.9))
    return PrecisionResult(
        n=new_n,
        model=model,
        level=level,
        width_before=None if before is None else before.response_ci_upper - before.response_ci_lower,
        width_expected=float(chances @ widths / chances.sum()),
        width_lower=tenth,
        width_upper=ninetieth,
        probability=chances,
        lower=after.response_ci_lower,
        upper=after.response_ci_upper,
        estimate=after.response_estimate,
    )


def _pooled(
    counts: Array, sizes: Array, new_n: int, model: str, level: float
) -> tuple[PooledResult | None, PooledResult]:
    """The pool of the studies so far, and their pools with each possible count of the new one."""
    from pasimeta.synthesis import pool_binomial

    x = np.vstack([np.repeat(counts[:, None], new_n + 1, axis=1), np.arange(new_n + 1.0)])
    m = np.broadcast_to(np.append(sizes, new_n)[:, None], x.shape)
    with warnings.catch_warnings():
        # few studies and boundaries are what is being forecast, not a doubt about it
        warnings.simplefilter("ignore", PasimetaWarning)
        after = pool_binomial(x, m, model=model, level=level)
        before = pool_binomial(counts, sizes, model=model, level=level) if len(counts) else None
    return before, after


def _weighted_quantiles(values: Array, weights: Array, probabilities: tuple[float, ...]) -> list[float]:
    order = np.argsort(values, kind="stable")
    cumulative = np.cumsum(weights[order]) / weights.sum()
    return [float(values[order][np.searchsorted(cumulative, p)]) for p in probabilities]
