"""The exact conditional odds ratio: given each study's margins, one number of events in arm 1 is left to chance.

Its total over the studies follows a convolution of noncentral hypergeometric distributions with a common odds ratio
(Gart 1970, Biometrika 57:471; Mehta, Patel & Gray 1985, J Am Stat Assoc 80:969). Nothing is approximated and nothing is
corrected; empty tables drop out by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln

from pasimeta.effects.validation import Array, check_choice, check_level
from pasimeta.errors import PasimetaError, doubt
from pasimeta.synthesis.results import PooledResult
from pasimeta.synthesis.roots import Columns, root_of_increasing
from pasimeta.synthesis.two_arm_tables import Tables, check_tables

INTERVALS = ("exact", "mid_p")
_SMALLEST = 1e-290


@dataclass(frozen=True, slots=True)
class TotalEvents:
    """Distribution of arm 1's total events given all margins, up to an odds ratio.

    Attributes
    ----------
    total : ndarray
        Possible totals, ascending by one.
    log_weights : ndarray
        Logarithms of their probabilities at the log odds ratio ``tilt``.
    tilt : float
    observed : int
    """

    total: Array
    log_weights: Array
    tilt: float
    observed: float

    def probabilities(self, log_odds_ratio: float) -> Array:
        """Probability of each total."""
        logs = self.log_weights + (log_odds_ratio - self.tilt) * (self.total - self.observed)
        weights = np.exp(logs - logs.max())
        return weights / weights.sum()

    def log_likelihood(self, log_odds_ratio: float) -> float:
        """Logarithm of the observed total's probability; 0 at the infinite estimate of an extreme total."""
        if np.isinf(log_odds_ratio):
            return 0.0
        return float(np.log(self.probabilities(log_odds_ratio)[self.total == self.observed][0]))

    def tail(self, log_odds_ratio: float, side: int, share: float) -> tuple[float, float]:
        """Chance of a total beyond the one observed plus ``share`` of it, and its derivative in the log odds ratio."""
        p = self.probabilities(log_odds_ratio)
        beyond = np.where(self.total == self.observed, share, np.sign(self.total - self.observed) == side)
        mean = p @ self.total
        return float(p @ beyond), float(p @ (beyond * (self.total - mean)))


def exact_odds_ratio(
    events1: ArrayLike,
    n1: ArrayLike,
    events2: ArrayLike,
    n2: ArrayLike,
    interval: str = "exact",
    level: float = 0.95,
) -> PooledResult:
    """Pool 2 x 2 tables by the conditional maximum likelihood odds ratio, with an exact or mid-P interval.

    Parameters
    ----------
    events1, n1, events2, n2 : array_like, shape (k,)
        Events and patients of the two arms of each study.
    interval : {"exact", "mid_p"}
        ``"exact"`` never covers less often than ``level``; ``"mid_p"``, counting half of what was observed, about so.
    level : float
        Level of the interval.

    Returns
    -------
    PooledResult
        ``estimate`` is a log odds ratio; it is infinite, and the interval one-sided, where the observed total is the
        smallest or largest the margins allow. ``p_value`` is twice the smaller tail at an odds ratio of 1.

    Raises
    ------
    PasimetaError
        For counts that can't be, an unknown interval, or margins that leave nothing to chance.
    """
    tables, flat = check_tables(events1, n1, events2, n2)
    check_choice("interval", interval, INTERVALS)
    level = check_level(level)
    if not flat:
        raise PasimetaError("events1: several data sets; exact_odds_ratio takes one of shape (k,)")
    distribution = total_events(tables)
    share = 1.0 if interval == "exact" else 0.5
    lower, upper = _limits(distribution, (1 - level) / 2, share)
    estimate, se = _maximum(distribution)
    tails = [distribution.tail(0.0, side, share)[0] for side in (-1, 1)]
    doubts = []
    if not np.isfinite(estimate):
        doubts.append("arm 1 has the fewest or most events its margins allow: the odds ratio's interval is one-sided")
    return PooledResult(
        k=len(tables.a),
        estimate=estimate,
        se=se,
        p_value=min(1.0, 2 * min(tails)),
        ci_lower=lower,
        ci_upper=upper,
        response_estimate=float(np.exp(estimate)),
        response_ci_lower=float(np.exp(lower)),
        response_ci_upper=float(np.exp(upper)),
        log_likelihood=distribution.log_likelihood(estimate),
        measure="OR",
        method="conditional",
        test=interval,
        level=level,
        warnings=tuple(doubt(text, stacklevel=4) for text in doubts),
    )


def total_events(tables: Tables) -> TotalEvents:
    """Convolve the studies' hypergeometric distributions, tilted to where the data are so that nothing underflows.

    Parameters
    ----------
    tables : Tables
        One data set, arrays of shape (k, 1).

    Raises
    ------
    PasimetaError
        If only one total is possible.
    """
    a, b, c, d = (cells[:, 0] for cells in (tables.a, tables.b, tables.c, tables.d))
    half = 0.5 if (a * d).sum() == 0 or (b * c).sum() == 0 else 0.0
    n = a + b + c + d
    tilt = float(np.log((((a + half) * (d + half)) / n).sum() / (((b + half) * (c + half)) / n).sum()))
    weights, first = np.ones(1), 0.0
    for one in zip(a, b, c, d, strict=True):
        smallest, own = _hypergeometric(*one, tilt)
        weights, first = np.convolve(weights, own), first + smallest
    if len(weights) == 1:
        raise PasimetaError("events1, events2: the margins leave nothing to chance; no study can tell an odds ratio")
    with np.errstate(divide="ignore"):
        logs = np.log(weights)
    return TotalEvents(first + np.arange(len(weights), dtype=float), logs, tilt, float(a.sum()))


def _hypergeometric(a: float, b: float, c: float, d: float, tilt: float) -> tuple[float, Array]:
    """Smallest possible number of events in arm 1, and the probabilities from there on at log odds ratio ``tilt``."""
    n1, n2, events = a + b, c + d, a + c
    x = np.arange(max(0.0, events - n2), min(n1, events) + 1)
    logs = -betaln(n1 - x + 1, x + 1) - betaln(n2 - (events - x) + 1, events - x + 1) + tilt * x
    weights = np.exp(logs - logs.max())
    return float(x[0]), weights / weights.sum()


def _maximum(distribution: TotalEvents) -> tuple[float, float]:
    """Log odds ratio at which the mean total is the one observed, and its standard error."""
    if distribution.observed == distribution.total[0]:
        return -np.inf, np.inf
    if distribution.observed == distribution.total[-1]:
        return np.inf, np.inf

    def excess(x: float) -> tuple[float, float]:
        p = distribution.probabilities(x)
        mean = p @ distribution.total
        return float(mean - distribution.observed), float(p @ (distribution.total - mean) ** 2)

    estimate = _root(excess, distribution.tilt)
    return estimate, excess(estimate)[1] ** -0.5


def _limits(distribution: TotalEvents, tail: float, share: float) -> tuple[float, float]:
    lower, upper = -np.inf, np.inf
    if distribution.observed > distribution.total[0]:
        lower = _root(lambda x: _minus(distribution.tail(x, 1, share), tail, 1.0), distribution.tilt)
    if distribution.observed < distribution.total[-1]:
        upper = _root(lambda x: _minus(distribution.tail(x, -1, share), tail, -1.0), distribution.tilt)
    return lower, upper


def _minus(value: tuple[float, float], tail: float, sign: float) -> tuple[float, float]:
    """Logarithm of a tail chance against the wanted one: straighter than the chance itself, and rising."""
    chance = max(value[0], _SMALLEST)
    return sign * float(np.log(chance / tail)), sign * value[1] / chance


def _root(function: Callable[[float], tuple[float, float]], start: float) -> float:
    def vectorized(x: Array, which: Columns) -> tuple[Array, Array]:
        value, slope = function(float(x[0]))
        return np.array([value]), np.array([slope])

    return float(root_of_increasing(vectorized, np.array([start]), tolerance=1e-9, longest_step=2.0)[0])
