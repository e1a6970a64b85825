"""One model for all studies' patients: a log odds ratio between two groups, with or without an intercept a study.

With study intercepts only differences *within* studies speak. Without them, differences *between* studies speak too:
a study with more women that happens to do better raises the odds ratio, whatever made it do better. That is ecological
bias, so the two readings are fitted apart and never mixed silently.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import chdtrc, chdtri, xlog1py, xlogy

from pasimeta.effects.validation import Array, check_level
from pasimeta.errors import PasimetaError
from pasimeta.moderators.restricted_rates import restricted_rates
from pasimeta.moderators.strata import Stratum, allocations
from pasimeta.moderators.trend import log_choose

_REACH = 14.0  # log odds ratios beyond this can't be told from infinity in groups of any size met here
_INTERCEPTS = np.linspace(-16.0, 16.0, 321)
_FINE = np.linspace(-1.0, 1.0, 81)
MOST_ALLOCATIONS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class OneStageResult:
    """A common log odds ratio of response, first group against second.

    Attributes
    ----------
    estimate, ci_lower, ci_upper : float
        Maximum likelihood and profile-likelihood interval; infinite where the likelihood has no end on that side.
    p_value : float
        Likelihood-ratio test of no difference.
    intercepts : str
        ``study`` (within-study information) or ``common`` (within and across mixed).
    support : DataFrame
        One row a study: ``label``, ``knowledge``, ``allocations`` (pairs of counts that fit), ``n1``, ``n2`` and
        ``evidence``, the drop of its log-likelihood from the best odds ratio to none (0: it says nothing).
    level : float
    """

    estimate: float
    ci_lower: float
    ci_upper: float
    p_value: float
    intercepts: str
    support: pd.DataFrame
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row: the odds ratio with its interval."""
        limits = {name: float(np.exp(getattr(self, name))) for name in ("estimate", "ci_lower", "ci_upper")}
        return pd.DataFrame([{"intercepts": self.intercepts, **limits, "p_value": self.p_value, "level": self.level}])


def one_stage(strata: Sequence[Stratum], intercepts: str = "study", level: float = 0.95) -> OneStageResult:
    """Fit one odds ratio to all studies, summing over allocations of responders whose group isn't printed.

    Parameters
    ----------
    strata : sequence of Stratum
        The studies.
    intercepts : {"study", "common"}
        An intercept a study, or one for all.
    level : float
        Level of the profile-likelihood interval.

    Returns
    -------
    OneStageResult

    Raises
    ------
    PasimetaError
        For no study, an unknown choice of intercepts, or studies that can't inform the odds ratio.

    References
    ----------
    Debray, Moons, Abo-Zaid et al. 2013, *PLoS One* 8:e60650 (one-stage); Riley, Debray, Fisher et al. 2020, *Stat Med*
    39:2115 (within and across); Heitjan & Rubin 1991, *Ann Stat* 19:2244 (coarse data: the sum over allocations).
    """
    check_level(level)
    if intercepts not in ("study", "common"):
        raise PasimetaError(f"intercepts: {intercepts!r} is unknown; choose study or common")
    if not strata:
        raise PasimetaError("strata: no study; give at least one")
    if intercepts == "study" and all(s.knowledge == "one group only" for s in strata):
        raise PasimetaError("strata: no study has patients of both groups; nothing compares them within a study")
    profile = _within if intercepts == "study" else _pooled

    def total(d: float) -> float:
        return float(profile(strata, np.array([d])).sum())

    estimate, best = _maximum(total)
    lower, upper = (_limit(total, estimate, best, side, level) for side in (-1, 1))
    at_best, at_none = (profile(strata, np.array([d]))[:, 0] for d in (np.clip(estimate, -_REACH, _REACH), 0.0))
    return OneStageResult(
        estimate=estimate,
        ci_lower=lower,
        ci_upper=upper,
        p_value=float(chdtrc(1, max(2 * (best - float(at_none.sum())), 0.0))),
        intercepts=intercepts,
        support=_support(strata, at_best - at_none),
        level=level,
    )


def by_allocation(strata: Sequence[Stratum], level: float = 0.95) -> pd.DataFrame:
    """Fit the within-study odds ratio to every allocation of responders whose group isn't printed.

    Returns
    -------
    DataFrame
        One row an allocation: ``allocation`` (responders of the first group in each study), ``odds_ratio``,
        ``ci_lower``, ``ci_upper``, ``p_value`` (profile likelihood), ``exact_ci_lower``, ``exact_ci_upper``,
        ``exact_p_value`` (given each study's responders; None where nothing is left to chance).

    Raises
    ------
    PasimetaError
        If there are more than ``MOST_ALLOCATIONS``.
    """
    count = int(np.prod([len(s.pairs) for s in strata]))
    if count > MOST_ALLOCATIONS:
        raise PasimetaError(f"strata: {count} allocations fit; fit the sum over them with one_stage instead")
    rows = []
    for filled in allocations(strata):
        fit = one_stage(filled, "study", level)
        named = "; ".join(
            f"{s.label} {s.first_lower}/{s.n1} and {s.events_lower - s.first_lower}/{s.n2}" for s in filled
        )
        limits = np.exp([fit.estimate, fit.ci_lower, fit.ci_upper])
        rows.append((named, *map(float, limits), fit.p_value, *_exact(filled, level)))
    names = ["allocation", "odds_ratio", "ci_lower", "ci_upper", "p_value"]
    return pd.DataFrame(rows, columns=[*names, "exact_ci_lower", "exact_ci_upper", "exact_p_value"])


def across_studies(strata: Sequence[Stratum], level: float = 0.95) -> pd.DataFrame | None:
    """Regress studies' response on their share of the first group: across-study information only, hence ecological.

    Returns
    -------
    DataFrame or None
        One row for each extreme way to fill counts known as a range: ``odds_ratio`` (all of the first group against
        none, by Firth's regression), ``ci_lower``, ``ci_upper``, ``p_value``, ``k``. None where shares don't differ.
    """
    from pasimeta.moderators.firth import firth_logistic

    n = np.array([s.n1 + s.n2 for s in strata], float)
    share = np.array([s.n1 for s in strata], float) / n
    if len(np.unique(share)) < 2:
        return None
    rows = []
    ends = {tuple(s.events_lower for s in strata), tuple(s.events_upper for s in strata)}
    for events in sorted(ends):
        fit = firth_logistic(np.array(events, float), n, {"share": share}, level)
        limits = np.exp([fit.estimate[1], fit.ci_lower[1], fit.ci_upper[1]])
        rows.append((*map(float, limits), float(fit.p_value[1]), len(strata)))
    return pd.DataFrame(rows, columns=["odds_ratio", "ci_lower", "ci_upper", "p_value", "k"])


def profile_log_likelihood(strata: Sequence[Stratum], effects: Array) -> Array:
    """Return the log-likelihood of log odds ratios with each study's intercept at its best, shape (effects,)."""
    return _within(strata, effects).sum(axis=0)


def _exact(strata: Sequence[Stratum], level: float) -> tuple[float | None, float | None, float | None]:
    from pasimeta.synthesis import exact_odds_ratio

    both = [s for s in strata if s.n1 and s.n2 and 0 < s.events_lower < s.n1 + s.n2]
    if not both:
        return None, None, None
    first = [s.first_lower for s in both]
    second = [s.events_lower - s.first_lower for s in both]
    fit = exact_odds_ratio(first, [s.n1 for s in both], second, [s.n2 for s in both], "exact", level)
    return float(np.exp(fit.ci_lower)), float(np.exp(fit.ci_upper)), float(fit.p_value)


def _within(strata: Sequence[Stratum], effects: Array) -> Array:
    """Each study's own best, shape (studies, effects)."""
    return np.stack([_best_of(s, effects) for s in strata])


def _pooled(strata: Sequence[Stratum], effects: Array) -> Array:
    """Each study at the intercept that is best for all together, shape (studies, effects)."""
    values = np.empty((len(strata), len(effects)))
    for j, effect in enumerate(effects):
        a = _argbest(strata, float(effect))
        values[:, j] = [float(s.log_likelihood(a, effect)) for s in strata]
    return values


def _best_of(stratum: Stratum, effects: Array) -> Array:
    """A study's log-likelihood at its best intercept; in closed form where every count is printed."""
    if len(stratum.pairs) == 1 and stratum.knowledge == "by group":
        first, second = stratum.pairs[0]
        counts = (first, stratum.n1, second, stratum.n2)
        ways = log_choose(np.array([stratum.n1, stratum.n2]), np.array([first, second])).sum()
        rates = restricted_rates("OR", np.exp(effects), *counts)
        sizes, events = (stratum.n1, stratum.n2), (first, second)
        parts = [xlogy(x, p) + xlog1py(n - x, -p) for x, n, p in zip(events, sizes, rates, strict=True)]
        return np.asarray(ways + parts[0] + parts[1])
    return np.array([float(stratum.log_likelihood(_argbest([stratum], float(d)), d)) for d in effects])


def _argbest(strata: Sequence[Stratum], effect: float) -> float:
    """The best intercept: a grid wide enough for several modes, refined twice, then a parabola."""
    grid, width = _INTERCEPTS - effect / 2, float(_INTERCEPTS[1] - _INTERCEPTS[0])
    for _ in range(3):
        values = sum(s.log_likelihood(grid, effect) for s in strata)
        best = int(np.argmax(values))
        centre = float(grid[best])
        grid = centre + width * _FINE
        width = width * float(_FINE[1] - _FINE[0])
    return centre


def _maximum(total: Callable[[float], float]) -> tuple[float, float]:
    from scipy.optimize import minimize_scalar

    coarse = np.linspace(-_REACH, _REACH, 57)
    values = [total(d) for d in coarse]
    best = int(np.argmax(values))
    if best in (0, len(coarse) - 1):
        return float(np.copysign(np.inf, coarse[best])), values[best]
    found = minimize_scalar(
        lambda d: -total(d), bounds=(coarse[best - 1], coarse[best + 1]), method="bounded", options={"xatol": 1e-9}
    )
    return float(found.x), -float(found.fun)


def _limit(total: Callable[[float], float], estimate: float, best: float, side: int, level: float) -> float:
    from scipy.optimize import brentq

    if estimate == side * np.inf:
        return estimate
    drop = 0.5 * float(chdtri(1, 1 - level))
    start = float(np.clip(estimate, -_REACH, _REACH))
    # the outermost crossing, for a sum over allocations may have two modes
    outer = np.linspace(side * _REACH, start, 57)
    inside = [best - total(d) - drop <= 0 for d in outer]
    if inside[0]:
        return side * float("inf")
    first = int(np.argmax(inside))
    return float(brentq(lambda d: best - total(d) - drop, outer[first - 1], outer[first], xtol=1e-8))


def _support(strata: Sequence[Stratum], evidence: Array) -> pd.DataFrame:
    rows = [
        (s.label, s.threshold, s.knowledge, len(s.pairs), s.n1, s.n2, float(e))
        for s, e in zip(strata, evidence, strict=True)
    ]
    return pd.DataFrame(rows, columns=["label", "threshold", "knowledge", "allocations", "n1", "n2", "evidence"])
