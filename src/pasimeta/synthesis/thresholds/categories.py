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
    the t-th threshold (from 0), ``T + 1`` plus infinity. A threshold that a row doesn't report limits none of its
    categories, so a row has one more of them than thresholds.

    Attributes
    ----------
    edges : ndarray of int, shape (rows, E)
        Limits between neighbouring categories, ascending; plus infinity behind a row's last.
    counts : ndarray, shape (rows, A, E + 1)
        Every allocation of patients that the bounds allow; nobody is beyond plus infinity.
    log_coefficient : ndarray, shape (rows, A)
        Logarithm of the multinomial coefficient; minus infinity behind a row's last allocation.
    allocations : ndarray of int, shape (rows,)
        How many there are.
    points : ndarray of int, shape (rows, E)
        Index of exact improvements among the padded cut-points; 0 for padding.
    n : ndarray, shape (rows,)
        Patients.
    infinity : int
        Index of plus infinity among the padded cut-points.
    """

    edges: Indices
    counts: Array
    log_coefficient: Array
    allocations: Indices
    points: Indices
    n: Array
    infinity: int

    def __len__(self) -> int:
        return len(self.n)

    def rows(self, which: Indices) -> Categories:
        """Those rows, in that order, without limits, allocations and points that none of them needs."""
        edges = self.edges[which]
        size = max(1, int((edges < self.infinity).sum(axis=1).max(initial=1)))
        allocations, points = self.allocations[which], self.points[which]
        most = int(allocations.max(initial=1))
        if points.shape[1]:
            points = points[:, (points > 0).any(axis=0)]
        return Categories(
            edges[:, :size],
            self.counts[:, :most, : size + 1][which],
            self.log_coefficient[:, :most][which],
            allocations,
            points,
            self.n[which],
            self.infinity,
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
    edges, order = _edges(bounds.informative)
    limited = np.take_along_axis(bounds.informative, order, axis=1)
    reached = np.where(limited[:, None], np.take_along_axis(reached[:, :, :size], order[:, None], axis=2), 0.0)
    everyone = np.broadcast_to(bounds.n[:, None, None], (rows, len(index), 1))
    counts = -np.diff(np.concatenate([everyone, reached, np.zeros_like(everyone)], axis=2), axis=2)
    counts, possible = _possible_first(counts, (index < ways[:, None]) & (counts >= 0).all(axis=2))
    coefficient = gammaln(bounds.n + 1)[:, None] - gammaln(counts + 1).sum(axis=2)
    coefficient = np.where(possible, coefficient, -np.inf)
    nobody = np.zeros((rows, 0), dtype=np.intp)
    return Categories(edges, counts, coefficient, possible.sum(axis=1), nobody, bounds.n, size + 1)


def _possible_first(counts: Array, possible: NDArray[np.bool_]) -> tuple[Array, NDArray[np.bool_]]:
    """Move a row's possible allocations to its front, in their order, and leave out what no row needs."""
    order = np.argsort(~possible, axis=1, kind="stable")[:, : max(1, int(possible.sum(axis=1).max(initial=1)))]
    possible = np.take_along_axis(possible, order, axis=1)
    counts = np.take_along_axis(counts, order[:, :, None], axis=1)
    return np.where(possible[:, :, None], counts, 0.0), possible


def _edges(informative: NDArray[np.bool_]) -> tuple[Indices, Indices]:
    """Padded indices of the informative thresholds, ascending, infinity behind them; and the columns they stand in."""
    order = np.argsort(~informative, axis=1, kind="stable")
    edges = np.where(np.take_along_axis(informative, order, axis=1), order + 1, informative.shape[1] + 1)
    return edges, order
