"""Exact unconditional inference on a 2 x 2 table: the worst case over the rate that nobody asked about.

A p value is the largest chance, over the second group's unknown rate, of a table at least as far out as the one seen.
"As far out" is judged by the score statistic (Barnard's test, Chan and Zhang's interval) or, for the odds ratio, by
the one-sided conditional p value (Boschloo's test). Intervals join two one-sided tests at half of alpha each.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, xlog1py, xlogy

from pasimeta.effects.validation import Array, check_choice, check_counts, check_level
from pasimeta.errors import PasimetaError
from pasimeta.moderators.restricted_rates import (
    MEASURES,
    Measure,
    first_rate,
    score_statistic,
    second_rate_range,
)

Order = Literal["score", "conditional"]
MOST_TABLES = 10_000
_NUISANCE = 201
_STEPS = 160
_TOGETHER = 8  # effects tested in one go; a power of two
_WIDEST_LOG = 9.0
_TIE = 1e-9
_EDGE = 1e-9  # of an interval, on the scale of the grid


def unconditional_p_value(
    measure: Measure,
    value: float,
    events1: int,
    n1: int,
    events2: int,
    n2: int,
    side: int,
    order: Order = "score",
) -> float:
    """Return the one-sided exact unconditional p value of "the effect is ``value``".

    Parameters
    ----------
    measure : {"RD", "RR", "OR"}
        Scale of the effect.
    value : float
        Effect under test (ratios not logged).
    events1, n1, events2, n2 : int
        Responders and patients of the first and the second group.
    side : {1, -1}
        1 against a larger effect than ``value``, -1 against a smaller one.
    order : {"score", "conditional"}
        What ranks the tables.

    Raises
    ------
    PasimetaError
        For impossible counts, too many tables, or the conditional order of anything but an odds ratio.

    References
    ----------
    Barnard 1947, *Biometrika* 34:123; Boschloo 1970, *Stat Neerl* 24:1; Chan & Zhang 1999, *Biometrics* 55:1202.
    """
    tables = _Tables(measure, events1, n1, events2, n2, order)
    return float(tables.p_values(np.array([value], float), side)[0])


def unconditional_interval(
    measure: Measure, events1: int, n1: int, events2: int, n2: int, level: float = 0.95, order: Order = "score"
) -> tuple[float, float]:
    """Return the effects that neither one-sided test rejects at half of alpha.

    Parameters
    ----------
    measure, events1, n1, events2, n2, order
        As in :func:`unconditional_p_value`.
    level : float
        Level of the interval; it never covers less often.

    Returns
    -------
    lower, upper : float
        -1 or 1 (difference), 0 or infinity (ratios) where nothing is excluded on that side.
    """
    check_level(level)
    tables = _Tables(measure, events1, n1, events2, n2, order)
    half = (1 - level) / 2
    return tables.limit(1, half), tables.limit(-1, half)


class _Tables:
    """All tables of two group sizes, and the one observed."""

    def __init__(self, measure: Measure, events1: int, n1: int, events2: int, n2: int, order: Order) -> None:
        check_choice("measure", measure, MEASURES)
        check_choice("order", order, ("score", "conditional"))
        check_counts([events1, events2], [n1, n2])
        if order == "conditional" and measure != "OR":
            raise PasimetaError(f"order: conditional ranks tables by an odds ratio, not {measure}; use order='score'")
        if (n1 + 1) * (n2 + 1) > MOST_TABLES:
            raise PasimetaError(
                f"n1, n2: {n1} and {n2} patients make {(n1 + 1) * (n2 + 1)} tables, more than {MOST_TABLES}; in groups "
                "this large use the score interval"
            )
        self.measure, self.order, self.n1, self.n2 = measure, order, n1, n2
        self.x1, self.x2 = (axis.astype(float) for axis in np.mgrid[0 : n1 + 1, 0 : n2 + 1])
        self.observed = (int(events1), int(events2))
        self.log_choose1, self.log_choose2 = _log_choose_all(n1), _log_choose_all(n2)

    def p_values(self, values: Array, side: int) -> Array:
        """Largest tail of each effect over the nuisance rate, refined around the best of a grid, shape (effects,)."""
        tails = self._tails(values, side)
        low, high = (end[:, None] for end in second_rate_range(self.measure, values))
        # denser at the ends, where small rates change fastest
        rates = low + (high - low) * 0.5 * (1 - np.cos(np.linspace(0, np.pi, _NUISANCE)))
        chances = self._chances(values, rates, tails)
        each, best = np.arange(len(values)), np.argmax(chances, axis=1)
        around = rates[each, np.maximum(best - 1, 0)], rates[each, np.minimum(best + 1, _NUISANCE - 1)]
        fine = self._chances(values, np.linspace(*around, 41, axis=1), tails)
        return np.minimum(1.0, np.maximum(chances[each, best], fine.max(axis=1)))

    def limit(self, side: int, half: float) -> float:
        """Outermost effect that the test against a larger (side 1: lower limit) or smaller effect keeps."""
        grid = self._grid()
        outward = grid if side == 1 else grid[::-1]
        ends = {"RD": (-1.0, 1.0), "RR": (0.0, np.inf), "OR": (0.0, np.inf)}[self.measure]
        for first in range(0, len(outward), _TOGETHER):
            kept = self.p_values(self._effects(outward[first : first + _TOGETHER]), side) > half
            if kept.any():
                place = first + int(np.argmax(kept))
                if place == 0:
                    return ends[0] if side == 1 else ends[1]
                return float(self._effects(self._edge(outward[place - 1], outward[place], side, half)))
        return float(self._effects(outward[-1]))

    def _edge(self, outside: float, inside: float, side: int, half: float) -> float:
        """Bisect; the effects that the next few halvings may ask for are tested together."""
        while abs(inside - outside) >= _EDGE:
            positions = np.linspace(outside, inside, _TOGETHER + 1)
            kept = self.p_values(self._effects(positions[1:-1]), side) > half
            low, high = 0, _TOGETHER
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if kept[middle - 1] else (middle, high)
            outside, inside = positions[low], positions[high]
        return 0.5 * (outside + inside)

    def _grid(self) -> Array:
        reach = 1 - 1e-6 if self.measure == "RD" else _WIDEST_LOG
        return np.linspace(-reach, reach, _STEPS + 1)

    def _effects(self, positions: ArrayLike) -> Array:
        return np.asarray(positions if self.measure == "RD" else np.exp(positions), float)

    def _tails(self, values: Array, side: int) -> Array:
        """Which tables lie at least as far out as the observed one, as 0 and 1, shape (effects, n1 + 1, n2 + 1)."""
        rank = self._rank(values[:, None, None], side)
        here = rank[:, *self.observed, None, None]
        slack = np.where(np.isfinite(here), _TIE * np.maximum(1.0, np.abs(here)), 0.0)
        return (rank >= here - slack).astype(float)

    def _rank(self, value: Array, side: int) -> Array:
        if self.order == "score":
            return side * score_statistic(self.measure, value, self.x1, self.n1, self.x2, self.n2)
        return -self._log_conditional_tail(np.log(value), side)

    def _log_conditional_tail(self, log_odds_ratio: Array, side: int) -> Array:
        """Log one-sided p value of each table given its number of responders."""
        logs = np.full((len(log_odds_ratio), self.n1 + 1, self.n1 + self.n2 + 1), -np.inf)
        i, j = self.x1.astype(int), (self.x1 + self.x2).astype(int)
        logs[:, i, j] = self.log_choose1[:, None] + self.log_choose2[None, :] + log_odds_ratio * self.x1
        ordered = logs[:, ::-1] if side == 1 else logs
        tails = np.logaddexp.accumulate(ordered, axis=1)
        tails = (tails[:, ::-1] if side == 1 else tails) - np.logaddexp.reduce(logs, axis=1)[:, None]
        return tails[:, i, j]

    def _chances(self, values: Array, rates2: Array, tails: Array) -> Array:
        """Chance of each tail at each of its effect's rates in the second group, shape (effects, rates)."""
        rates1 = first_rate(self.measure, values[:, None], rates2)
        first = np.exp(_log_binomial(self.n1, rates1, self.log_choose1))
        second = np.exp(_log_binomial(self.n2, rates2, self.log_choose2))
        return ((first @ tails) * second).sum(axis=2)


def _log_choose_all(n: int) -> Array:
    k = np.arange(n + 1)
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def _log_binomial(n: int, rates: Array, log_choose: Array) -> Array:
    k = np.arange(n + 1)
    p = np.clip(rates, 0.0, 1.0)[..., None]
    return log_choose + xlogy(k, p) + xlog1py(n - k, -p)
