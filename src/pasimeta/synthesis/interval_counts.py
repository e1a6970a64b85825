"""Pool counts of which some are known only to lie in an interval: every compatible allocation is fitted."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pasimeta.effects.validation import Array, check_counts
from pasimeta.errors import PasimetaError, PasimetaWarning
from pasimeta.synthesis.results import PooledResult

MOST_ALLOCATIONS = 100_000

Fit = Callable[[Array, Array], PooledResult]


@dataclass(frozen=True, slots=True)
class IntervalPooledResult:
    """What is known of a pooled rate when some counts are intervals.

    Attributes
    ----------
    k, n : int
        Studies and patients.
    events_lower, events_upper : int
        Total events at the least and at the most.
    allocations : int
        Number of ways to fill the intervals, all fitted.
    lowest, highest : PooledResult
        The fits with the fewest and with the most events; the same when every count is exact.
    estimate_lower, estimate_upper : float
        Smallest and largest pooled rate over all allocations, in [0, 1].
    ci_lower, ci_upper : float
        Envelope of the confidence intervals over all allocations, in [0, 1].
    pi_lower, pi_upper : float or None
        Envelope of the prediction intervals, where the fits have one.
    warnings : tuple of str
        Doubts of the two extreme fits.
    """

    k: int
    n: int
    events_lower: int
    events_upper: int
    allocations: int
    lowest: PooledResult
    highest: PooledResult
    estimate_lower: float
    estimate_upper: float
    ci_lower: float
    ci_upper: float
    pi_lower: float | None
    pi_upper: float | None
    warnings: tuple[str, ...]

    @property
    def is_exact(self) -> bool:
        """Whether every count is known to the patient."""
        return self.allocations == 1

    def to_frame(self) -> pd.DataFrame:
        """One row: totals, the range of the estimate, and the envelopes."""
        names = [name for name in self.__slots__ if name not in {"lowest", "highest", "warnings"}]
        row = {name: getattr(self, name) for name in names}
        row |= {"tau2_lowest": self.lowest.tau2, "tau2_highest": self.highest.tau2}
        frame = pd.DataFrame([row | {"warnings": "; ".join(self.warnings)}])
        # None would make the column text, and text isn't rounded when it is written
        absent = ["pi_lower", "pi_upper", "tau2_lowest", "tau2_highest"]
        return frame.astype(dict.fromkeys(absent, float))


def pool_interval_counts(lower: ArrayLike, upper: ArrayLike, n: ArrayLike, fit: Fit) -> IntervalPooledResult:
    """Fit every allocation of events that the intervals allow, and report how far the answer moves.

    Parameters
    ----------
    lower, upper : array_like, shape (k,)
        Fewest and most events of each study.
    n : array_like, shape (k,)
        Group sizes.
    fit : callable
        Takes ``events`` and ``n``, both of shape (k,) or (k, d), and returns a :class:`PooledResult` with the
        response fields filled; such as :func:`pasimeta.synthesis.pool_binomial`.

    Returns
    -------
    IntervalPooledResult

    Raises
    ------
    PasimetaError
        For impossible counts, a lower limit above its upper one, or more than 100,000 allocations.

    Notes
    -----
    The envelope of the intervals is what partial identification calls the union of confidence intervals: it covers
    at least as often as each of them (Manski 2003, *Partial Identification of Probability Distributions*, ch. 1).
    """
    fewest, sizes = check_counts(lower, n, ("lower", "n"))
    most, _ = check_counts(upper, n, ("upper", "n"))
    if (fewest > most).any():
        row = int(np.argmax(fewest > most)) + 1
        raise PasimetaError(f"lower, row {row}: exceeds upper; swap the two")
    allocations = _allocations(fewest, most)
    count = allocations.shape[1]
    lowest = fit(fewest, sizes)
    highest = lowest if count == 1 else fit(most, sizes)
    fits = _fit_all(fit, allocations, sizes) if count > 1 else lowest
    return IntervalPooledResult(
        k=len(sizes),
        n=int(sizes.sum()),
        events_lower=int(fewest.sum()),
        events_upper=int(most.sum()),
        allocations=count,
        lowest=lowest,
        highest=highest,
        estimate_lower=_least(fits.response_estimate),
        estimate_upper=_most(fits.response_estimate),
        ci_lower=_least(fits.response_ci_lower),
        ci_upper=_most(fits.response_ci_upper),
        pi_lower=None if fits.response_pi_lower is None else _least(fits.response_pi_lower),
        pi_upper=None if fits.response_pi_upper is None else _most(fits.response_pi_upper),
        warnings=tuple(dict.fromkeys((*lowest.warnings, *highest.warnings))),
    )


def _allocations(fewest: Array, most: Array) -> Array:
    """Every combination of counts, shape (k, number of allocations)."""
    number = float(np.prod(most - fewest + 1))
    if number > MOST_ALLOCATIONS:
        raise PasimetaError(
            f"the intervals allow {number:,.0f} allocations, more than {MOST_ALLOCATIONS:,}; narrow the widest of them"
        )
    choices = [range(int(low), int(high) + 1) for low, high in zip(fewest, most, strict=True)]
    return np.array(list(itertools.product(*choices)), dtype=float).T


def _fit_all(fit: Fit, allocations: Array, sizes: Array) -> PooledResult:
    with warnings.catch_warnings():
        # the two extreme fits have said it already
        warnings.simplefilter("ignore", PasimetaWarning)
        return fit(allocations, np.broadcast_to(sizes[:, None], allocations.shape))


def _least(values: Any) -> float:
    return float(np.min(values))


def _most(values: Any) -> float:
    return float(np.max(values))
