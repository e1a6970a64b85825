"""What is believed of a true response rate before the trial: a distribution held as weighted nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import (
    betainc,
    betaincinv,
    betaln,
    expit,
    gammaln,
    logit,
    ndtr,
    ndtri,
    roots_legendre,
    xlog1py,
    xlogy,
)

from pasimeta.effects.validation import Array, check_choice, check_counts, check_level
from pasimeta.errors import PasimetaError
from pasimeta.synthesis.priors import check_mu_prior, check_tau_prior

if TYPE_CHECKING:
    from pasimeta.synthesis.bayes_binomial import LogOddsPosterior

_PANELS = 96
_ORDER = 8
_TAIL = 1e-17  # probability left out at either end of a beta
_SPREADS = 8.5  # of a normal distribution: beyond it lies less than 1e-16


@dataclass(frozen=True, slots=True, eq=False)
class RateBelief:
    """A distribution of one arm's true response rate.

    Attributes
    ----------
    nodes, weights : ndarray, shape (q,)
        Rates, ascending, and the probability standing at each; a quadrature rule, exact for smooth functions.
    below : callable
        Probability of a rate below each of its arguments, half of a tie counted.
    label : str
        Where it comes from, for tables.
    warnings : tuple of str
        Doubts of the synthesis behind it.
    """

    nodes: Array
    weights: Array
    below: Callable[[Array], Array]
    label: str
    warnings: tuple[str, ...] = ()

    @property
    def mean(self) -> float:
        """Expected rate, which is also the chance that one patient responds."""
        return float(self.weights @ self.nodes)

    @property
    def sd(self) -> float:
        """Standard deviation of the rate."""
        return float(np.sqrt(self.weights @ (self.nodes - self.mean) ** 2))

    def quantile(self, probability: ArrayLike) -> Array:
        """Rates below which the belief puts each probability, interpolated between nodes."""
        return np.interp(np.asarray(probability, float), self.below(self.nodes), self.nodes)

    def exceeds(self, other: RateBelief) -> float:
        """Probability that this rate is above an independent other one; half of a tie counts."""
        if len(other.nodes) == 1:
            # a step is no function for a quadrature: ask it the other way round
            return float(1 - self.below(other.nodes)[0])
        return float(self.weights @ other.below(self.nodes))

    def counts(self, n: int) -> Array:
        """Predictive probability of 0 to ``n`` responders, shape (n + 1,)."""
        return self.weights @ binomial(n, self.nodes)


def binomial(n: int, rates: Array) -> Array:
    """Probability of each count at each rate, shape (rates, n + 1)."""
    x = np.arange(n + 1)
    coefficient = gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1)
    return np.exp(coefficient + xlogy(x, rates[:, None]) + xlog1py(n - x, -rates[:, None]))


def point_belief(rate: float, label: str | None = None) -> RateBelief:
    """A rate taken as known: assurance under it is power.

    Raises
    ------
    PasimetaError
        If it isn't in [0, 1].
    """
    value = check_rate("rate", rate)

    def below(rates: Array) -> Array:
        return np.heaviside(np.asarray(rates, float) - value, 0.5)

    return RateBelief(np.array([value]), np.ones(1), below, label or f"exactly {100 * value:g} %")


def beta_belief(a: float, b: float, label: str | None = None) -> RateBelief:
    """A beta distribution of the rate, such as Beta(1 + responders, 1 + failures).

    Raises
    ------
    PasimetaError
        If ``a`` or ``b`` isn't positive.
    """
    for name, value in (("a", a), ("b", b)):
        if not (isinstance(value, (int, float, np.number)) and np.isfinite(value) and value > 0):
            raise PasimetaError(f"{name}: {value!r} is not a positive number; Beta(1, 1) is the uniform belief")
    # in log-odds, where the density of a beta is smooth up to its ends, whatever a and b
    x, w = _panel_rule(float(logit(betaincinv(a, b, _TAIL))), -float(logit(betaincinv(b, a, _TAIL))))
    density = np.exp(-a * np.logaddexp(0, -x) - b * np.logaddexp(0, x) - betaln(a, b))

    def below(rates: Array) -> Array:
        return betainc(a, b, rates)

    return _normalized(expit(x), w * density, below, label or f"Beta({a:g}, {b:g})")


def belief_from_interval(
    estimate: float, lower: float, upper: float, level: float = 0.95, label: str | None = None
) -> RateBelief:
    """A rate published with an interval, taken as normal in log-odds.

    Parameters
    ----------
    estimate, lower, upper : float
        Rates in (0, 1), ascending.
    level : float
        Level of the interval.

    Raises
    ------
    PasimetaError
        If the three don't ascend strictly inside (0, 1).
    """
    if not 0 < lower < estimate < upper < 1:
        raise PasimetaError(
            f"interval: {lower!r}, {estimate!r}, {upper!r} don't ascend inside (0, 1); 45 % is 0.45, not 45"
        )
    sd = (logit(upper) - logit(lower)) / (2 * ndtri((1 + check_level(level)) / 2))
    mean = logit(estimate)
    x, w = _panel_rule(mean - _SPREADS * sd, mean + _SPREADS * sd)

    def below(rates: Array) -> Array:
        return ndtr((logit(rates) - mean) / sd)

    words = label or f"logit-normal, {estimate:g}"
    return _normalized(expit(x), w * np.exp(-0.5 * ((x - mean) / sd) ** 2), below, words)


def belief_from_studies(
    events: ArrayLike,
    n: ArrayLike,
    *,
    tau_prior: Sequence[Any] = ("half_normal", 0.5),
    mu_prior: Sequence[float] | None = (0.0, 1.7),
    quantity: str = "predictive_rate",
    label: str | None = None,
) -> RateBelief:
    """The rate of a new trial's arm, learned from the same treatment's arms in earlier studies.

    Parameters
    ----------
    events, n : array_like, shape (k,)
        Responders and patients.
    tau_prior, mu_prior
        As in :func:`pasimeta.synthesis.pool_bayes_binomial`.
    quantity : {"predictive_rate", "rate"}
        The rate of a new study, heterogeneity included; or the rate of the median study, as if trials didn't differ.
    label : str, optional
        For tables.

    Raises
    ------
    PasimetaError
        For counts or priors that can't be, or an unknown quantity.

    References
    ----------
    Schmidli H et al. Robust meta-analytic-predictive priors in clinical trials with historical control information.
    Biometrics 2014;70:1023-1032.
    """
    check_choice("quantity", quantity, ("predictive_rate", "rate"))
    check_tau_prior(tau_prior)
    counts, sizes = check_counts(events, n)
    if counts.ndim != 1:
        raise PasimetaError(f"events: shape {counts.shape} holds several data sets; give one of shape (k,)")
    wanted: Literal["mu", "predictive"] = "predictive" if quantity == "predictive_rate" else "mu"
    result = _pooled(tuple(counts.tolist()), tuple(sizes.tolist()), tuple(tau_prior), check_mu_prior(mu_prior), wanted)
    density = result.density
    words = label or f"pooled from {result.k} " + ("study" if result.k == 1 else "studies")

    def below(rates: Array) -> Array:
        return density.cdf(logit(np.clip(rates, 1e-300, 1 - 1e-16)))

    return _normalized(expit(density.nodes().ravel()), density.weights().ravel(), below, words, result.warnings)


@lru_cache(maxsize=64)
def _pooled(
    events: tuple[float, ...],
    n: tuple[float, ...],
    tau_prior: tuple[Any, ...],
    mu_prior: tuple[float, float] | None,
    quantity: Literal["mu", "predictive"],
) -> LogOddsPosterior:
    """Return the posterior, from memory where the same studies have been pooled before under the same priors.

    A forecast asks for the same belief again and again: for every assumption changed, every move of a slider. Doubts
    are warned of at the first asking, and kept in ``warnings``.
    """
    from pasimeta.synthesis.bayes_binomial import log_odds_posterior

    return log_odds_posterior(events, n, tau_prior, mu_prior, quantity)


def belief_from_counts(
    counts: pd.DataFrame,
    *,
    tau_prior: Sequence[Any] = ("half_normal", 0.5),
    mu_prior: Sequence[float] | None = (0.0, 1.7),
    label: str | None = None,
) -> RateBelief:
    """The rate of a new trial's arm from selected response counts, interval counts included.

    Parameters
    ----------
    counts : DataFrame
        Columns ``events_lower``, ``events_upper``, ``n``; one row a study.
    tau_prior, mu_prior, label
        As in :func:`belief_from_studies`.

    Returns
    -------
    RateBelief
        Where a count is only known as an interval: an even mixture of the beliefs at the fewest and at the most
        responders.

    Raises
    ------
    PasimetaError
        If there is no study, or as :func:`belief_from_studies`.
    """
    if counts.empty:
        raise PasimetaError("counts: no study counts this threshold; choose another, or include more studies")
    ends = [counts["events_lower"].to_numpy(float), counts["events_upper"].to_numpy(float)]
    beliefs = [
        belief_from_studies(x, counts["n"].to_numpy(float), tau_prior=tau_prior, mu_prior=mu_prior, label=label)
        for x in (ends[:1] if (ends[0] == ends[1]).all() else ends)
    ]
    return beliefs[0] if len(beliefs) == 1 else mixed_belief(beliefs, (0.5, 0.5), label=beliefs[0].label)


def mixed_belief(beliefs: Sequence[RateBelief], weights: Sequence[float], label: str | None = None) -> RateBelief:
    """A mixture, such as a pooled belief made robust by a share of doubt.

    Raises
    ------
    PasimetaError
        For unequal numbers, or weights that are negative or don't sum to one.
    """
    shares = np.asarray(weights, float)
    if len(beliefs) != len(shares) or len(beliefs) == 0:
        raise PasimetaError(f"weights: {len(shares)} for {len(beliefs)} beliefs; give one each")
    if (shares < 0).any() or abs(shares.sum() - 1) > 1e-9:
        raise PasimetaError("weights: must not be negative and must sum to 1")
    nodes = np.concatenate([belief.nodes for belief in beliefs])
    stacked = np.concatenate([share * belief.weights for share, belief in zip(shares, beliefs, strict=True)])
    order = np.argsort(nodes, kind="stable")
    doubts = tuple(dict.fromkeys(text for belief in beliefs for text in belief.warnings))
    words = label or " + ".join(f"{s:g} × {b.label}" for s, b in zip(shares, beliefs, strict=True))

    def below(rates: Array) -> Array:
        parts = [share * belief.below(rates) for share, belief in zip(shares, beliefs, strict=True)]
        return np.sum(parts, axis=0)

    return RateBelief(nodes[order], stacked[order], below, words, doubts)


def check_rate(name: str, value: float) -> float:
    """Return a rate, or refuse what isn't one.

    Raises
    ------
    PasimetaError
        If it isn't a number in [0, 1].
    """
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not number or not 0 <= value <= 1:
        raise PasimetaError(f"{name}: {value!r} is not a rate in [0, 1]; 45 % is 0.45")
    return float(value)


def check_whole(name: str, value: int, least: int = 1) -> int:
    """Return a whole number, or refuse one below ``least``.

    Raises
    ------
    PasimetaError
        If it isn't a whole number, or too small.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise PasimetaError(f"{name}: {value!r} is not a whole number of at least {least}")
    return int(value)


def _panel_rule(low: float, high: float) -> tuple[Array, Array]:
    """Nodes and weights of composite Gauss-Legendre quadrature."""
    t, w = roots_legendre(_ORDER)
    edges = np.linspace(low, high, _PANELS + 1)
    half = np.diff(edges)[:, None] / 2
    nodes = edges[:-1, None] + half * (t + 1)
    return nodes.ravel(), (half * w).ravel()


def _normalized(
    nodes: Array, mass: Array, below: Callable[[Array], Array], label: str, warnings: tuple[str, ...] = ()
) -> RateBelief:
    kept = mass > 1e-18 * mass.max()
    nodes, mass = nodes[kept], mass[kept]
    return RateBelief(nodes, mass / mass.sum(), below, label, warnings)
