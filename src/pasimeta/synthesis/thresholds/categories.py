"""What a study's counts say about its patients' categories: every allocation that the reported bounds allow."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from pasimeta.effects.validation import Array
from pasimeta.errors import PasimetaError

MOST_ALLOCATIONS = 20_000

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Categories:
    """Rows of counts by category, one row a study (or arm), all over one list of thresholds.

    Limits of categories are indices into cut-points padded with minus and plus infinity: 0 is minus infinity, ``t + 1``
    the t-th threshold (from 0), ``T + 1`` plus infinity. A threshold that a row doesn't report merges its neighbours.

    Attributes
    ----------
    lower, upper : ndarray of int, shape (rows, C)
        Limits of each category; an unused one spans everything and counts nobody.
    counts : ndarray, shape (rows, A, C)
        Every allocation of patients that the bounds allow.
    log_coefficient : ndarray, shape (rows, A)
        Logarithm of the multinomial coefficient; minus infinity for padding.
    points : ndarray of int, shape (rows, E)
        Index of exact improvements among the padded cut-points; 0 for padding.
    n : ndarray, shape (rows,)
        Patients.
    """

    lower: Indices
    upper: Indices
    counts: Array
    log_coefficient: Array
    points: Indices
    n: Array

    def __len__(self) -> int:
        return len(self.n)

    def rows(self, which: Indices) -> Categories:
        """Those rows, in that order, without allocations and points that none of them needs."""
        alive = np.isfinite(self.log_coefficient[which]).any(axis=0)
        exact = (self.points[which] > 0).any(axis=0)
        return Categories(
            self.lower[which],
            self.upper[which],
            self.counts[which][:, alive],
            self.log_coefficient[which][:, alive],
            self.points[which][:, exact],
            self.n[which],
        )

    def with_points(self, points: Indices, log_orders: Array) -> Categories:
        """The same rows with exact improvements beside the counts; ``log_orders`` count who could be who."""
        return replace(
            self,
            points=points,
            n=self.n + (points > 0).sum(axis=1),
            log_coefficient=self.log_coefficient + log_orders[:, None],
        )


@dataclass(frozen=True, slots=True)
class Bounds:
    """Reported counts as intervals, tightened by one another.

    Attributes
    ----------
    lower, upper : ndarray, shape (rows, T)
        Fewest and most patients who reach each threshold.
    informative : ndarray of bool, shape (rows, T)
        Whether the row reports the threshold and its other thresholds don't already say as much.
    n : ndarray, shape (rows,)
    """

    lower: Array
    upper: Array
    informative: NDArray[np.bool_]
    n: Array


def tightened(lower: Array, upper: Array, n: Array) -> Bounds:
    """Bounds that know of each other: counts can't rise with the threshold.

    Parameters
    ----------
    lower, upper : ndarray, shape (rows, T)
        Thresholds ascending; NaN where a row doesn't report one.
    n : ndarray, shape (rows,)

    Returns
    -------
    Bounds
        A row whose bounds contradict each other has a lower one above the upper.
    """
    reported = ~np.isnan(lower)
    informative = reported.copy()
    # the widest intervals go first, so that of two that say the same the narrower one stays
    width = np.where(reported, upper - lower, -1.0)
    for _ in range(lower.shape[1]):
        order = np.argmax(np.where(informative & ~np.isnan(width), width, -1.0), axis=1)
        rows = np.arange(len(n))
        from_others = informative.copy()
        from_others[rows, order] = False
        low, high = _implied(lower, upper, n, from_others)
        vacuous = (lower[rows, order] <= low[rows, order]) & (upper[rows, order] >= high[rows, order])
        vacuous &= informative[rows, order]
        informative[rows[vacuous], order[vacuous]] = False
        width[rows, order] = np.nan
    low, high = _implied(lower, upper, n, informative)
    return Bounds(low, high, informative, n)


def _implied(lower: Array, upper: Array, n: Array, informative: NDArray[np.bool_]) -> tuple[Array, Array]:
    low = np.where(informative, lower, 0.0)
    high = np.where(informative, upper, n[:, None])
    low = np.maximum.accumulate(low[:, ::-1], axis=1)[:, ::-1]
    return low, np.minimum.accumulate(high, axis=1)


def categories(bounds: Bounds) -> Categories:
    """Every allocation of patients to categories that the bounds allow, and its multinomial coefficient.

    Raises
    ------
    PasimetaError
        If a row allows more than 20,000 allocations.
    """
    rows, size = bounds.lower.shape
    exact = np.where(bounds.informative, bounds.upper - bounds.lower + 1, 1.0)
    ways = exact.prod(axis=1)
    if (ways > MOST_ALLOCATIONS).any():
        row = int(np.argmax(ways))
        raise PasimetaError(
            f"counts, row {row + 1}: the bounds allow {ways[row]:,.0f} allocations, more than {MOST_ALLOCATIONS:,}; "
            "narrow the widest of them, or drop a threshold"
        )
    index = np.arange(int(ways.max()) if rows else 1)
    reached = np.zeros((rows, len(index), size + 1))
    remaining = np.broadcast_to(index, (rows, len(index)))
    for t in range(size - 1, -1, -1):
        digit = remaining % exact[:, None, t]
        remaining = remaining // exact[:, None, t]
        here = bounds.informative[:, None, t]
        reached[:, :, t] = np.where(here, bounds.lower[:, None, t] + digit, reached[:, :, t + 1])
    everyone = np.broadcast_to(bounds.n[:, None, None], (rows, len(index), 1))
    counts = -np.diff(np.concatenate([everyone, reached], axis=2), axis=2)
    possible = (index < ways[:, None]) & (counts >= 0).all(axis=2)
    counts = np.where(possible[:, :, None], counts, 0.0)
    coefficient = gammaln(bounds.n + 1)[:, None] - gammaln(counts + 1).sum(axis=2)
    lower, upper = _limits(bounds.informative)
    nobody = np.zeros((rows, 0), dtype=np.intp)
    return Categories(lower, upper, counts, np.where(possible, coefficient, -np.inf), nobody, bounds.n)


def _limits(informative: NDArray[np.bool_]) -> tuple[Indices, Indices]:
    rows, size = informative.shape
    end = size + 1
    lower = np.zeros((rows, size + 1), dtype=np.intp)
    upper = np.full((rows, size + 1), end, dtype=np.intp)
    following = np.full(rows, end, dtype=np.intp)
    for t in range(size - 1, -1, -1):
        here = informative[:, t]
        lower[:, t + 1] = np.where(here, t + 1, 0)
        upper[:, t + 1] = np.where(here, following, end)
        following = np.where(here, t + 1, following)
    upper[:, 0] = following
    return lower, upper
