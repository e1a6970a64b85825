"""A difference between two groups under stated priors, integrated by deterministic quadrature.

The log odds ratio ``d`` has a normal prior, each study's log-odds in the second group a wide normal prior of its own.
Trapezoidal sums over smooth, fast-decaying integrands converge geometrically, so nothing here is drawn at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from pasimeta.effects.validation import Array, check_level
from pasimeta.errors import PasimetaError
from pasimeta.moderators.strata import Stratum, log_likelihoods

INTERCEPT_SD = 2.0
_EFFECTS = 1201
_PARTS = 12  # of the effects: arrays of a size the cache can bear
_INTERCEPTS = np.linspace(-18.0, 18.0, 361)
_DIFFERENCES = np.linspace(-0.9995, 0.9995, 1001)
_FARTHEST = 40.0


@dataclass(frozen=True, slots=True)
class EffectPrior:
    """A normal prior of the log odds ratio, first group against second.

    Attributes
    ----------
    label : str
        How a figure names it.
    mean, sd : float
    source : str
        Where it comes from.
    """

    label: str
    mean: float
    sd: float
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse a prior that is no distribution."""
        if not (np.isfinite(self.mean) and np.isfinite(self.sd) and self.sd > 0):
            raise PasimetaError(
                f"prior {self.label}: mean {self.mean} and SD {self.sd}; give a finite mean, a positive SD"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectPosterior:
    """Posterior of a difference between two groups.

    Attributes
    ----------
    prior : EffectPrior
    log_odds_ratio_mean, log_odds_ratio_sd : float
    odds_ratio_median, odds_ratio_lower, odds_ratio_upper : float
        Median and equal-tailed interval.
    difference_mean, difference_median, difference_lower, difference_upper : float
        Of the rates (first minus second) in the reference study.
    probability_first_better : float
        P(odds ratio > 1).
    grid, density : ndarray
        Density of the difference of rates, for a figure.
    level : float
    """

    prior: EffectPrior
    log_odds_ratio_mean: float
    log_odds_ratio_sd: float
    odds_ratio_median: float
    odds_ratio_lower: float
    odds_ratio_upper: float
    difference_mean: float
    difference_median: float
    difference_lower: float
    difference_upper: float
    probability_first_better: float
    grid: Array
    density: Array
    level: float

    def probability(self, at_least: float) -> float:
        """P(first rate - second rate >= ``at_least``)."""
        return 1.0 - float(np.interp(at_least, self.grid, _cumulated(self.grid, self.density)))

    def to_frame(self) -> pd.DataFrame:
        """One row of numbers, the prior's included."""
        names = [name for name in self.__slots__ if name not in ("prior", "grid", "density")]
        prior = {"prior": self.prior.label, "prior_mean": self.prior.mean, "prior_sd": self.prior.sd}
        return pd.DataFrame([{**prior, **{name: getattr(self, name) for name in names}}])


def external_prior(
    rate1: float, rate2: float, n: int, weight: float = 1.0, share1: float = 0.5, source: str = ""
) -> EffectPrior:
    """Return a prior from another population's rates, its patients counted at a discount.

    Parameters
    ----------
    rate1, rate2 : float
        Response rates of the first and the second group there.
    n : int
        Patients of both groups together.
    weight : float
        What one of those patients counts, in (0, 1]: a power prior. At 1 they count fully; at 0.01, a hundred of them
        count as one patient here.
    share1 : float
        Share of the first group among them.
    source : str
        Where the figures stand.

    Raises
    ------
    PasimetaError
        For rates, a share or a weight out of range.

    References
    ----------
    Ibrahim & Chen 2000, *Stat Sci* 15:46 (power prior), here with the normal approximation of the log odds ratio.
    """
    for name, value in (("rate1", rate1), ("rate2", rate2), ("share1", share1)):
        if not 0 < value < 1:
            raise PasimetaError(f"{name}: {value!r} is not strictly between 0 and 1; give proportions, not percentages")
    if not 0 < weight <= 1:
        raise PasimetaError(f"weight: {weight!r} is not above 0 and at most 1; 1 counts every outside patient fully")
    if n < 2:
        raise PasimetaError(f"n: {n!r} patients; give the number behind the two rates")
    variance = 1 / (n * share1 * rate1 * (1 - rate1)) + 1 / (n * (1 - share1) * rate2 * (1 - rate2))
    mean = float(logit(rate1) - logit(rate2))
    return EffectPrior("External", mean, float(np.sqrt(variance / weight)), source)


def registry_rates(benchmarks: pd.DataFrame, label: str, week: float) -> tuple[float, float]:
    """Return the rates of women and men that a source of the ``benchmarks`` table prints for a week, as proportions.

    Raises
    ------
    PasimetaError
        If the table doesn't hold exactly one percentage a sex for that label and week.
    """
    rows = benchmarks[(benchmarks["label"] == label) & (benchmarks["week"] == week) & (benchmarks["unit"] == "percent")]
    rates = []
    for group in ("female", "male"):
        found = rows.loc[rows["group"] == group, "value"]
        if len(found) != 1:
            raise PasimetaError(
                f"benchmarks: {len(found)} figures for {group} in {label!r} at week {week:g}; name a source "
                "that prints one"
            )
        rates.append(float(found.iloc[0]) / 100)
    return rates[0], rates[1]


def three_priors(
    benchmarks: pd.DataFrame,
    label: str,
    week: float,
    n: int,
    weight: float,
    flat_sd: float = 5.0,
    weak_sd: float = 1.0,
) -> tuple[EffectPrior, EffectPrior, EffectPrior]:
    """Return a nearly flat, a weakly informative and an external prior of the log odds ratio of women against men.

    Parameters
    ----------
    benchmarks : DataFrame
        The ``benchmarks`` table.
    label, week : str, float
        Which source and week the external prior takes.
    n : int
        Patients of both sexes behind it.
    weight : float
        What one of them counts; see :func:`external_prior`.
    flat_sd, weak_sd : float
        SDs of the other two.
    """
    women, men = registry_rates(benchmarks, label, week)
    source = (
        f"{label}, week {week:g}: {100 * women:g} % of women, {100 * men:g} % of men; its {n} patients count as "
        f"{n * weight:.3g}, half of them women"
    )
    return (
        EffectPrior("Nearly flat", 0.0, flat_sd),
        EffectPrior("Weakly informative", 0.0, weak_sd),
        external_prior(women, men, n, weight, source=source),
    )


def stacked(results: Sequence[Any]) -> pd.DataFrame:
    """Return the frames of several results below one another; empty for none."""
    return pd.concat([r.to_frame() for r in results], ignore_index=True) if results else pd.DataFrame()


def posterior(
    strata: Sequence[Stratum],
    prior: EffectPrior,
    level: float = 0.95,
    reference: int = 0,
    intercept_sd: float = INTERCEPT_SD,
) -> EffectPosterior:
    """Return the posterior of the odds ratio over all strata, and of the difference of rates in one of them.

    Parameters
    ----------
    strata : sequence of Stratum
        The studies; responders of unknown group are summed over every allocation.
    prior : EffectPrior
        Of the log odds ratio.
    level : float
        Level of the equal-tailed intervals.
    reference : int
        Index of the study whose rates the difference speaks of.
    intercept_sd : float
        SD of each study's log-odds in the second group around 0.

    Returns
    -------
    EffectPosterior

    Raises
    ------
    PasimetaError
        For no study, a reference that doesn't exist, or a level or SD out of range.
    """
    check_level(level)
    if not strata or not 0 <= reference < len(strata):
        raise PasimetaError(f"reference: {reference} of {len(strata)} studies; give the index of a study")
    if not intercept_sd > 0:
        raise PasimetaError(f"intercept_sd: {intercept_sd!r} is not positive")
    reach = min(9 * prior.sd, _FARTHEST)
    effects = prior.mean + np.linspace(-reach, reach, _EFFECTS)
    logs = np.concatenate([_integrated(strata, part, intercept_sd) for part in np.array_split(effects, _PARTS)], axis=1)
    log_density = logs.sum(axis=0) - 0.5 * ((effects - prior.mean) / prior.sd) ** 2
    density = _normalised(effects, np.exp(log_density - log_density.max()))
    mean = float(np.trapezoid(effects * density, effects))
    sd = float(np.sqrt(np.trapezoid((effects - mean) ** 2 * density, effects)))
    others = np.delete(logs, reference, axis=0).sum(axis=0)
    rates = _difference_density(strata[reference], prior, effects, others, intercept_sd)
    tails = ((1 - level) / 2, 0.5, (1 + level) / 2)
    lower, median, upper = np.exp(_quantiles(effects, density, tails))
    difference_lower, difference_median, difference_upper = _quantiles(_DIFFERENCES, rates, tails)
    return EffectPosterior(
        prior=prior,
        log_odds_ratio_mean=mean,
        log_odds_ratio_sd=sd,
        odds_ratio_median=float(median),
        odds_ratio_lower=float(lower),
        odds_ratio_upper=float(upper),
        difference_mean=float(np.trapezoid(_DIFFERENCES * rates, _DIFFERENCES)),
        difference_median=float(difference_median),
        difference_lower=float(difference_lower),
        difference_upper=float(difference_upper),
        probability_first_better=1.0 - float(np.interp(0.0, effects, _cumulated(effects, density))),
        grid=_DIFFERENCES,
        density=rates,
        level=level,
    )


def _integrated(strata: Sequence[Stratum], effects: Array, intercept_sd: float) -> Array:
    """Log-likelihood of each effect with each study's intercept integrated over its prior, shape (studies, effects)."""
    a, found = _INTERCEPTS, np.empty((len(strata), len(effects)))
    prior = 0.5 * (a[:, None] / intercept_sd) ** 2
    for row, values in enumerate(log_likelihoods(strata, a[:, None], effects)):
        logs = values - prior
        top = logs.max(axis=0)
        found[row] = top + np.log(np.trapezoid(np.exp(logs - top), a, axis=0))
    return found


def _difference_density(
    stratum: Stratum, prior: EffectPrior, effects: Array, others: Array, intercept_sd: float
) -> Array:
    """Density of the difference of rates: at each difference, the joint density summed over the second group's rate."""
    inside, a, d, known = _by_difference(stratum)
    logs = np.full(inside.shape, -np.inf)
    logs[inside] = (
        known + np.interp(d, effects, others) - 0.5 * ((d - prior.mean) / prior.sd) ** 2 - 0.5 * (a / intercept_sd) ** 2
    )
    return _normalised(_DIFFERENCES, np.trapezoid(np.exp(logs - logs.max()), _INTERCEPTS, axis=0))


@lru_cache(maxsize=4)  # the same under every prior
def _by_difference(stratum: Stratum) -> tuple[NDArray[np.bool_], Array, Array, Array]:
    """Which intercepts and differences of rates can be, their log odds, log odds ratios and log-likelihoods.

    The log-likelihoods hold what makes a density of the log odds ratio one of the difference.
    """
    rate1 = expit(_INTERCEPTS)[:, None] + _DIFFERENCES
    inside = (rate1 > 1e-12) & (rate1 < 1 - 1e-12)
    rate1, a = rate1[inside], np.broadcast_to(_INTERCEPTS[:, None], inside.shape)[inside]
    d = logit(rate1) - a
    return inside, a, d, stratum.log_likelihood(a, d) - np.log(rate1 * (1 - rate1))


def _normalised(x: Array, density: Array) -> Array:
    return density / np.trapezoid(density, x)


def _cumulated(x: Array, density: Array) -> Array:
    steps = 0.5 * (density[1:] + density[:-1]) * np.diff(x)
    total = np.concatenate([[0.0], np.cumsum(steps)])
    return total / total[-1]


def _quantiles(x: Array, density: Array, shares: Sequence[float]) -> Array:
    cumulated = _cumulated(x, density)
    rising = np.concatenate([[True], np.diff(cumulated) > 0])
    return np.interp(shares, cumulated[rising], x[rising])
