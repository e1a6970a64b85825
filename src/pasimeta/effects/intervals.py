"""Intervals of a single study's proportion."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincc, betaincinv, ndtri

from pasimeta.effects.validation import Array, check_choice, check_counts, check_level

#: Halvings of [0, 1]: enough to fix a rate of one in ten million to twelve digits.
_BISECTIONS = 64


class Interval(NamedTuple):
    """Lower and upper limits, one element a study."""

    lower: Array
    upper: Array


def proportion_ci(events: ArrayLike, n: ArrayLike, method: str = "clopper_pearson", level: float = 0.95) -> Interval:
    """Return a confidence interval of each study's proportion.

    Parameters
    ----------
    events, n : array_like
        Patients with the event, and patients at all.
    method : str
        ``"clopper_pearson"`` (exact, never below nominal coverage), ``"mid_p"`` (its tail probability halves the
        observed count: near nominal on average), ``"wilson"`` (score), ``"agresti_coull"`` (clamped to [0, 1]) or
        ``"jeffreys"`` (equal-tailed under a Beta(1/2, 1/2) prior, with the limit 0 at no event and 1 at all events).
    level : float
        Confidence level.

    Returns
    -------
    Interval
        Named tuple ``(lower, upper)``, proportions in [0, 1].

    Raises
    ------
    PasimetaError
        For counts that can't be, an unknown method, or a level outside (0, 1).

    References
    ----------
    Brown LD, Cai TT, DasGupta A. Interval estimation for a binomial proportion. Stat Sci 2001;16:101-133.
    Agresti A, Gottard A. Comment: randomized confidence intervals and the mid-P approach. Stat Sci 2005;20:367-371.

    Examples
    --------
    >>> lower, upper = proportion_ci([0], [30])
    >>> upper.round(4).tolist()
    [0.1157]
    """
    check_choice("method", method, tuple(_METHODS))
    counts, sizes = check_counts(events, n)
    lower, upper = _METHODS[method](counts, sizes, check_level(level))
    return Interval(np.where(counts == 0, 0.0, lower), np.where(counts == sizes, 1.0, upper))


def _clopper_pearson(events: Array, n: Array, level: float) -> tuple[Array, Array]:
    tail = 0.5 * (1.0 - level)
    with np.errstate(invalid="ignore"):
        lower = betaincinv(events, n - events + 1.0, tail)
        upper = betaincinv(events + 1.0, n - events, 1.0 - tail)
    return np.asarray(lower), np.asarray(upper)


def _wilson(events: Array, n: Array, level: float) -> tuple[Array, Array]:
    z2 = ndtri(0.5 * (1.0 + level)) ** 2
    centre = (events + 0.5 * z2) / (n + z2)
    half_width = np.sqrt(z2 * (events * (n - events) / n + 0.25 * z2)) / (n + z2)
    return centre - half_width, centre + half_width


def _agresti_coull(events: Array, n: Array, level: float) -> tuple[Array, Array]:
    z = ndtri(0.5 * (1.0 + level))
    size = n + z**2
    centre = (events + 0.5 * z**2) / size
    half_width = z * np.sqrt(centre * (1.0 - centre) / size)
    return np.clip(centre - half_width, 0.0, 1.0), np.clip(centre + half_width, 0.0, 1.0)


def _jeffreys(events: Array, n: Array, level: float) -> tuple[Array, Array]:
    tail = 0.5 * (1.0 - level)
    shape = (events + 0.5, n - events + 0.5)
    return np.asarray(betaincinv(*shape, tail)), np.asarray(betaincinv(*shape, 1.0 - tail))


def _mid_p(events: Array, n: Array, level: float) -> tuple[Array, Array]:
    tail = 0.5 * (1.0 - level)
    return _mid_p_quantile(events, n, 1.0 - tail), _mid_p_quantile(events, n, tail)


def _mid_p_quantile(events: Array, n: Array, probability: float) -> Array:
    """Return the rate at which ``P(X < events) + P(X = events) / 2`` equals ``probability``, by bisection."""
    low, high = np.zeros_like(events), np.ones_like(events)
    for _ in range(_BISECTIONS):
        rate = 0.5 * (low + high)
        below = 0.5 * (_binomial_cdf(events - 1.0, n, rate) + _binomial_cdf(events, n, rate))
        low, high = np.where(below > probability, rate, low), np.where(below > probability, high, rate)
    return 0.5 * (low + high)


def _binomial_cdf(events: Array, n: Array, rate: Array) -> Array:
    with np.errstate(invalid="ignore"):
        inside = betaincc(events + 1.0, n - events, rate)
    return np.where(events < 0, 0.0, np.where(events >= n, 1.0, inside))


_METHODS: dict[str, Callable[[Array, Array, float], tuple[Array, Array]]] = {
    "clopper_pearson": _clopper_pearson,
    "wilson": _wilson,
    "agresti_coull": _agresti_coull,
    "jeffreys": _jeffreys,
    "mid_p": _mid_p,
}
