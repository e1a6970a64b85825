"""One 2 x 2 table on three scales, with every interval and test that small groups deserve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from pasimeta.effects.validation import check_choice, check_counts, check_level
from pasimeta.moderators.restricted_rates import MEASURES, Measure, deviance, score_statistic
from pasimeta.moderators.unconditional import Order, unconditional_interval, unconditional_p_value

_LOG_REACH = 20.0  # beyond, one minus a rate loses its digits


@dataclass(frozen=True, slots=True)
class EffectInterval:
    """An effect of the first group against the second, by one method.

    Attributes
    ----------
    measure : str
        ``RD``, ``RR`` or ``OR``.
    method : str
        ``score`` (Miettinen-Nurminen), ``profile`` (likelihood), ``barnard`` (exact unconditional, score order),
        ``boschloo`` (exact unconditional, conditional order), ``conditional`` (exact), ``mid_p`` or ``firth``.
    estimate, lower, upper : float
        Ratios not logged; a ratio may be 0 or infinite where a cell is empty.
    p_value : float
        Two-sided test of no effect that belongs to the interval: twice the smaller tail, at most 1.
    guaranteed : bool
        Whether the interval never covers less often than its level.
    """

    measure: str
    method: str
    estimate: float
    lower: float
    upper: float
    p_value: float
    guaranteed: bool


@dataclass(frozen=True, slots=True)
class TwoByTwoResult:
    """Every interval of one table, at one level."""

    events1: int
    n1: int
    events2: int
    n2: int
    intervals: tuple[EffectInterval, ...]
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row an interval: the fields of :class:`EffectInterval` and ``includes_no_effect``."""
        table = pd.DataFrame([asdict(each) for each in self.intervals])
        none = np.where(table["measure"] == "RD", 0.0, 1.0)
        return table.assign(includes_no_effect=(table["lower"] <= none) & (none <= table["upper"]))


def two_by_two(events1: int, n1: int, events2: int, n2: int, level: float = 0.95) -> TwoByTwoResult:
    """Compare two groups' response rates as difference, ratio and odds ratio, by every method offered.

    Parameters
    ----------
    events1, n1, events2, n2 : int
        Responders and patients of the first and of the second group.
    level : float
        Level of the intervals.

    Returns
    -------
    TwoByTwoResult

    Raises
    ------
    PasimetaError
        For impossible counts, groups too large for the exact unconditional methods, or a level outside (0, 1).

    References
    ----------
    Miettinen & Nurminen 1985, *Stat Med* 4:213; Chan & Zhang 1999, *Biometrics* 55:1202; Boschloo 1970, *Stat Neerl*
    24:1; Cornfield 1956; Lancaster 1961, *JASA* 56:223 (mid-P); Firth 1993, *Biometrika* 80:27.
    """
    check_counts([events1, events2], [n1, n2])
    check_level(level)
    counts = (int(events1), int(n1), int(events2), int(n2))
    intervals = [_estimated(m, method, counts, level) for m in MEASURES for method in ("score", "profile", "barnard")]
    intervals.append(_estimated("OR", "boschloo", counts, level))
    if 0 < events1 + events2 < n1 + n2:
        intervals += [_conditional("exact", counts, level), _conditional("mid_p", counts, level)]
    intervals.append(_firth(counts, level))
    return TwoByTwoResult(*counts, intervals=tuple(intervals), level=level)


def compare_by_every_method(comparisons: Any, level: float = 0.95) -> pd.DataFrame:
    """Return :func:`two_by_two` of every study in a ``StudyComparisons``, one row a study and interval."""
    frames = [
        two_by_two(c.events1, c.n1, c.events2, c.n2, level).to_frame().assign(label=label)
        for label, c in comparisons.by_study.items()
    ]
    names = [*EffectInterval.__slots__, "includes_no_effect", "label"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=names)


def score_interval(
    measure: Measure, events1: float, n1: float, events2: float, n2: float, level: float = 0.95
) -> tuple[float, float]:
    """Return the Miettinen-Nurminen score interval of a difference, ratio or odds ratio.

    Parameters
    ----------
    measure : {"RD", "RR", "OR"}
        Scale.
    events1, n1, events2, n2 : float
        Responders and patients of the first and of the second group.
    level : float
        Level of the interval.

    Returns
    -------
    lower, upper : float

    References
    ----------
    Miettinen & Nurminen 1985, *Stat Med* 4:213, eqs 8-13.
    """
    from scipy.special import ndtri

    check_choice("measure", measure, MEASURES)
    critical = float(ndtri((1 + level) / 2))
    counts = (events1, n1, events2, n2)

    def excess(position: float) -> float:
        value = _effect(measure, position)
        return float(score_statistic(measure, value, *counts)) ** 2 - critical**2

    return _inverted(measure, excess, counts)


def profile_interval(
    measure: Measure, events1: float, n1: float, events2: float, n2: float, level: float = 0.95
) -> tuple[float, float]:
    """Return the profile-likelihood interval of a difference, ratio or odds ratio."""
    from scipy.special import chdtri

    check_choice("measure", measure, MEASURES)
    critical = float(chdtri(1, 1 - level))
    counts = (events1, n1, events2, n2)

    def excess(position: float) -> float:
        return float(deviance(measure, _effect(measure, position), *counts)) - critical

    return _inverted(measure, excess, counts)


def risk_difference_interval(
    events1: float, n1: float, events2: float, n2: float, level: float = 0.95
) -> tuple[float, float]:
    """Return the Miettinen-Nurminen score interval of a risk difference, limits in [-1, 1]."""
    return score_interval("RD", events1, n1, events2, n2, level)


def _estimated(measure: Measure, method: str, counts: tuple[int, int, int, int], level: float) -> EffectInterval:
    from scipy.special import chdtrc, erfc

    none = 0.0 if measure == "RD" else 1.0
    if method == "score":
        limits = score_interval(measure, *counts, level)
        p = float(erfc(abs(float(score_statistic(measure, none, *counts))) / np.sqrt(2)))
    elif method == "profile":
        limits = profile_interval(measure, *counts, level)
        p = float(chdtrc(1, float(deviance(measure, none, *counts))))
    else:
        order: Order = "conditional" if method == "boschloo" else "score"
        limits = unconditional_interval(measure, *counts, level, order)
        tails = [unconditional_p_value(measure, none, *counts, side, order) for side in (1, -1)]
        p = min(1.0, 2 * min(tails))
    exact = method in ("barnard", "boschloo")
    return EffectInterval(measure, method, _point(measure, counts), *limits, p, exact)


def _conditional(interval: str, counts: tuple[int, int, int, int], level: float) -> EffectInterval:
    from pasimeta.synthesis import exact_odds_ratio

    x1, n1, x2, n2 = counts
    fit = exact_odds_ratio([x1], [n1], [x2], [n2], interval, level)
    method = "conditional" if interval == "exact" else "mid_p"
    estimate, lower, upper = (float(np.exp(v)) for v in (fit.estimate, fit.ci_lower, fit.ci_upper))
    return EffectInterval("OR", method, estimate, lower, upper, float(fit.p_value), interval == "exact")


def _firth(counts: tuple[int, int, int, int], level: float) -> EffectInterval:
    from pasimeta.moderators.firth import firth_logistic

    x1, n1, x2, n2 = counts
    fit = firth_logistic([x1, x2], [n1, n2], {"first": [1.0, 0.0]}, level)
    estimate, lower, upper = (float(np.exp(v[1])) for v in (fit.estimate, fit.ci_lower, fit.ci_upper))
    return EffectInterval("OR", "firth", estimate, lower, upper, float(fit.p_value[1]), False)


def _point(measure: Measure, counts: tuple[float, float, float, float]) -> float:
    x1, n1, x2, n2 = counts
    if measure == "RD":
        return x1 / n1 - x2 / n2
    above, below = (x1 * n2, x2 * n1) if measure == "RR" else (x1 * (n2 - x2), x2 * (n1 - x1))
    if below == 0:
        return 1.0 if above == 0 else float("inf")
    return above / below


def _effect(measure: Measure, position: float) -> float:
    """Effect at a place on the axis where intervals are searched: ratios on the log scale."""
    return position if measure == "RD" else float(np.exp(position))


def _inverted(
    measure: Measure, excess: Callable[[float], float], counts: tuple[float, float, float, float]
) -> tuple[float, float]:
    """Where the excess over the critical value crosses zero, on either side of the estimate."""
    from scipy.optimize import brentq

    if measure == "OR" and counts[0] + counts[2] in (0, counts[1] + counts[3]):
        return 0.0, float("inf")  # nobody or everybody responded: the likelihood is flat in the odds ratio
    reach = 1 - 1e-12 if measure == "RD" else _LOG_REACH
    point = _point(measure, counts)
    start = point if measure == "RD" else float(np.log(point)) if point > 0 else -np.inf
    start = float(np.clip(start, -reach, reach))
    lower = -reach if start <= -reach or excess(-reach) <= 0 else brentq(excess, -reach, start, xtol=1e-13)
    upper = reach if start >= reach or excess(reach) <= 0 else brentq(excess, start, reach, xtol=1e-13)
    if measure == "RD":
        return (-1.0 if lower == -reach else lower), (1.0 if upper == reach else upper)
    return (0.0 if lower == -reach else float(np.exp(lower))), (np.inf if upper == reach else float(np.exp(upper)))
