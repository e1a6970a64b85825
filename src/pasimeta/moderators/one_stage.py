"""One model for all studies' patients: a log odds ratio between two groups, with an intercept a study, one, or drawn.

With study intercepts only differences *within* studies speak. With one for all, differences *between* studies speak
too: a study with more women that happens to do better raises the odds ratio, whatever made it do better. Intercepts
drawn from a normal distribution lie between the two. What lies between studies is open to ecological bias, so the
readings are fitted apart and never mixed silently.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import chdtrc, chdtri, xlog1py, xlogy

from pasimeta.effects.validation import Array, check_level
from pasimeta.errors import PasimetaError
from pasimeta.moderators.random_intercepts import best_random_intercepts
from pasimeta.moderators.restricted_rates import restricted_rates
from pasimeta.moderators.strata import Stratum, allocations, log_likelihoods
from pasimeta.moderators.trend import log_choose

_REACH = 14.0  # log odds ratios beyond this can't be told from infinity in groups of any size met here
_INTERCEPTS = np.linspace(-16.0, 16.0, 321)
_FINE = np.linspace(-1.0, 1.0, 81)
MOST_ALLOCATIONS = 500
LEAST_RANDOM = 3  # studies, before a spread of intercepts can be told from the intercepts themselves
INTERCEPTS = ("study", "common", "random")


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
        ``study`` (within-study information), ``common`` (within and across mixed) or ``random`` (between the two).
    intercept_sd : float or None
        Standard deviation of random intercepts at the estimate; None for others.
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
    intercept_sd: float | None = None

    def to_frame(self) -> pd.DataFrame:
        """One row: the odds ratio with its interval, and the studies it comes from."""
        limits = {name: float(np.exp(getattr(self, name))) for name in ("estimate", "ci_lower", "ci_upper")}
        row = {"intercepts": self.intercepts, "k": len(self.support), **limits, "p_value": self.p_value}
        return pd.DataFrame([{**row, "intercept_sd": self.intercept_sd, "level": self.level}])


def one_stage(strata: Sequence[Stratum], intercepts: str = "study", level: float = 0.95) -> OneStageResult:
    """Fit one odds ratio to all studies, summing over allocations of responders whose group isn't printed.

    Parameters
    ----------
    strata : sequence of Stratum
        The studies.
    intercepts : {"study", "common", "random"}
        An intercept a study, one for all, or one a study drawn from a normal distribution.
    level : float
        Level of the profile-likelihood interval.

    Returns
    -------
    OneStageResult

    Raises
    ------
    PasimetaError
        For no study, an unknown choice of intercepts, studies that can't inform the odds ratio, or fewer than
        ``LEAST_RANDOM`` for random intercepts.

    References
    ----------
    Debray, Moons, Abo-Zaid et al. 2013, *PLoS One* 8:e60650 (one-stage); Riley, Debray, Fisher et al. 2020, *Stat Med*
    39:2115 (within and across); Heitjan & Rubin 1991, *Ann Stat* 19:2244 (coarse data: the sum over allocations).
    """
    check_level(level)
    _refuse(strata, intercepts)
    profile = {"study": _within, "common": _pooled, "random": _drawn}[intercepts]

    def total(effects: Array) -> Array:
        return np.asarray(profile(strata, effects).sum(axis=0))

    estimate, best = _maximum(total)
    lower, upper = (_limit(total, estimate, best, side, level) for side in (-1, 1))
    reached = float(np.clip(estimate, -_REACH, _REACH))
    at_best, at_none = (profile(strata, np.array([d]))[:, 0] for d in (reached, 0.0))
    here = np.array([reached])
    drawn = best_random_intercepts(strata, here, _best_intercepts(strata, here)) if intercepts == "random" else None
    return OneStageResult(
        estimate=estimate,
        ci_lower=lower,
        ci_upper=upper,
        p_value=float(chdtrc(1, max(2 * (best - float(at_none.sum())), 0.0))),
        intercepts=intercepts,
        support=_support(strata, at_best - at_none),
        level=level,
        intercept_sd=float(drawn.sd[0]) if drawn else None,
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


def _refuse(strata: Sequence[Stratum], intercepts: str) -> None:
    if intercepts not in INTERCEPTS:
        raise PasimetaError(f"intercepts: {intercepts!r} is unknown; choose {', '.join(INTERCEPTS)}")
    if not strata:
        raise PasimetaError("strata: no study; give at least one")
    if intercepts == "study" and all(s.knowledge == "one group only" for s in strata):
        raise PasimetaError("strata: no study has patients of both groups; nothing compares them within a study")
    if intercepts == "random" and len(strata) < LEAST_RANDOM:
        raise PasimetaError(
            f"strata: {len(strata)} studies; random intercepts need {LEAST_RANDOM}, so choose study intercepts"
        )


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
    a = _best_intercepts(strata, effects)
    return np.stack(log_likelihoods(strata, a, effects))


def _drawn(strata: Sequence[Stratum], effects: Array) -> Array:
    """Each study at the best distribution of intercepts, shape (studies, effects)."""
    return best_random_intercepts(strata, effects, _best_intercepts(strata, effects)).log_likelihoods.T.copy()


def _best_of(stratum: Stratum, effects: Array) -> Array:
    """A study's log-likelihood at its best intercept; in closed form where every count is printed."""
    if stratum.knowledge == "one group only":
        # its intercept takes up any odds ratio, so the likelihood is the same at all of them
        return np.full(len(effects), stratum.log_likelihood(_best_intercepts([stratum], np.zeros(1)), 0.0)[0])
    if len(stratum.pairs) == 1 and stratum.knowledge == "by group":
        first, second = stratum.pairs[0]
        counts = (first, stratum.n1, second, stratum.n2)
        ways = log_choose(np.array([stratum.n1, stratum.n2]), np.array([first, second])).sum()
        rates = restricted_rates("OR", np.exp(effects), *counts)
        sizes, events = (stratum.n1, stratum.n2), (first, second)
        parts = [xlogy(x, p) + xlog1py(n - x, -p) for x, n, p in zip(events, sizes, rates, strict=True)]
        return np.asarray(ways + parts[0] + parts[1])
    return stratum.log_likelihood(_best_intercepts([stratum], effects), effects)


def _best_intercepts(strata: Sequence[Stratum], effects: Array) -> Array:
    """The best intercept for each effect: a grid wide enough for several modes, refined twice; shape (effects,)."""
    offsets, width = _INTERCEPTS, float(_INTERCEPTS[1] - _INTERCEPTS[0])
    centres = -effects / 2
    for _ in range(3):
        grid = centres[:, None] + offsets
        values = sum(log_likelihoods(strata, grid, effects[:, None]))
        centres = np.take_along_axis(grid, np.argmax(values, axis=1)[:, None], axis=1)[:, 0]
        offsets, width = width * _FINE, width * float(_FINE[1] - _FINE[0])
    return centres


def _maximum(total: Callable[[Array], Array]) -> tuple[float, float]:
    from scipy.optimize import minimize_scalar

    coarse = np.linspace(-_REACH, _REACH, 57)
    values = total(coarse)
    best = int(np.argmax(values))
    if best in (0, len(coarse) - 1):
        return float(np.copysign(np.inf, coarse[best])), float(values[best])
    found = minimize_scalar(
        lambda d: -float(total(np.array([d]))[0]),
        bounds=(coarse[best - 1], coarse[best + 1]),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return float(found.x), -float(found.fun)


def _limit(total: Callable[[Array], Array], estimate: float, best: float, side: int, level: float) -> float:
    from scipy.optimize import brentq

    if estimate == side * np.inf:
        return estimate
    drop = 0.5 * float(chdtri(1, 1 - level))
    start = float(np.clip(estimate, -_REACH, _REACH))
    # the outermost crossing, for a sum over allocations may have two modes
    outer = np.linspace(side * _REACH, start, 57)
    inside = best - total(outer) - drop <= 0
    if inside[0]:
        return side * float("inf")
    first = int(np.argmax(inside))
    ends = outer[first - 1], outer[first]
    return float(brentq(lambda d: best - float(total(np.array([d]))[0]) - drop, *ends, xtol=1e-8))


def _support(strata: Sequence[Stratum], evidence: Array) -> pd.DataFrame:
    rows = [
        (s.label, s.threshold, s.knowledge, len(s.pairs), s.n1, s.n2, float(e))
        for s, e in zip(strata, evidence, strict=True)
    ]
    return pd.DataFrame(rows, columns=["label", "threshold", "knowledge", "allocations", "n1", "n2", "evidence"])
