"""Bayesian synthesis of event counts: binomial within studies, normal log-odds between them.

Two nested quadratures: adaptive Gauss-Legendre panels in tau, log-concave ones in mu (:mod:`.conditional_mu`),
each study integrated as in :mod:`.quadrature`. For large tau the posterior density falls as ``tau ** -p``; p is
that of the prior, plus the number m of studies that are neither empty nor full, less 1 under a flat prior of mu.

Stijnen T, Hamza TH, Ozdemir P. Stat Med 2010;29:3046-3067 (the model). Smith TC, Spiegelhalter DJ, Thomas A.
Bayesian approaches to random-effects meta-analysis. Stat Med 1995;14:2685-2699.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_expit

from pasimeta.effects.validation import Array, check_counts, check_level
from pasimeta.errors import PasimetaError, doubt
from pasimeta.synthesis.bayes_normal import tail_doubts
from pasimeta.synthesis.bayes_results import BayesResult, response_summary, summary
from pasimeta.synthesis.conditional_mu import BinomialPosterior, MuGivenTau, mu_given_tau
from pasimeta.synthesis.densities import PanelDensity, adapted_density
from pasimeta.synthesis.priors import TauPrior, check_mu_prior, check_tau_prior, first_panels

_REACH = 1e6  # of a heavy-tailed prior, in scales
_TOLERANCE = 1e-9
_NEGLIGIBLE = 1e-13


def pool_bayes_binomial(
    events: ArrayLike,
    n: ArrayLike,
    tau_prior: Sequence[Any] = ("half_normal", 0.5),
    mu_prior: Sequence[float] | None = None,
    level: float = 0.95,
) -> BayesResult:
    """Pool event counts in a Bayesian binomial-normal model, without correction of empty cells.

    Parameters
    ----------
    events, n : array_like, shape (k,)
        Events and patients of each study.
    tau_prior : tuple
        Prior of the between-study standard deviation of the log-odds, as in :func:`pool_bayes`.
    mu_prior : (mean, sd), optional
        Normal prior of the median study's log-odds; None is the flat one. ``(0, 1.7)`` is nearly uniform in the rate.
    level : float
        Probability of the equal-tailed intervals.

    Returns
    -------
    BayesResult
        With the ``response_*`` fields filled: rates in [0, 1].

    Raises
    ------
    PasimetaError
        For counts, priors or a level that can't be, and where the posterior would not integrate to one: above all,
        no events (or nothing but events) under a flat prior of mu.

    Warns
    -----
    PasimetaWarning
        If the data can't inform tau, which then keeps its prior, or a moment of the posterior doesn't exist.
    """
    level, joint = check_level(level), _joint(events, n, tau_prior, mu_prior)
    return BayesResult(
        k=len(joint.events),
        **_summaries(joint, level),
        log_marginal_likelihood=joint.log_mass,
        tau_prior=tuple(tau_prior),
        mu_prior=joint.mu_prior,
        model="binomial_normal",
        level=level,
        warnings=tuple(doubt(text, stacklevel=4) for text in joint.doubts),
    )


@dataclass(frozen=True, slots=True)
class LogOddsPosterior:
    """One quantity of what :func:`pool_bayes_binomial` returns.

    Attributes
    ----------
    k : int
        Studies pooled.
    density : PanelDensity
        Posterior density of the log-odds.
    warnings : tuple of str
        Doubts.
    """

    k: int
    density: PanelDensity
    warnings: tuple[str, ...]


def log_odds_posterior(
    events: ArrayLike,
    n: ArrayLike,
    tau_prior: Sequence[Any],
    mu_prior: Sequence[float] | None,
    quantity: Literal["mu", "predictive"],
) -> LogOddsPosterior:
    """Return the log-odds of the median study, or of a new one, at half the cost of :func:`pool_bayes_binomial`.

    Parameters, errors and warnings are that function's, and so is the density; nothing else is computed.
    """
    joint = _joint(events, n, tau_prior, mu_prior)
    warnings = tuple(doubt(text, stacklevel=4) for text in joint.doubts)
    density = _median if quantity == "mu" else _predictive
    return LogOddsPosterior(len(joint.events), density(_given_tau(joint)), warnings)


@dataclass(frozen=True, slots=True)
class _Joint:
    """Posterior of tau, and of mu at any tau; ``power`` is the one its tail falls by."""

    events: Array
    n: Array
    mu_prior: tuple[float, float] | None
    at: BinomialPosterior
    tau: PanelDensity
    log_mass: float | None
    power: float

    @property
    def doubts(self) -> Sequence[str]:
        return tail_doubts(self.power, len(self.events), self.mu_prior is None)


def _joint(events: ArrayLike, n: ArrayLike, tau_prior: Sequence[Any], mu_prior: Sequence[float] | None) -> _Joint:
    counts, sizes = check_counts(events, n)
    if counts.ndim != 1:
        raise PasimetaError(f"events: shape {counts.shape} holds several data sets; give one of shape (k,)")
    prior, mu_normal = check_tau_prior(tau_prior), check_mu_prior(mu_prior)
    inner = int(((counts > 0) & (counts < sizes)).sum())
    power = prior.tail + inner - (1 if mu_normal is None else 0)
    _refuse_improper(counts, sizes, power, flat=mu_normal is None)
    posterior = BinomialPosterior(counts, sizes, mu_normal)
    tau, log_mass = adapted_density(
        lambda at: prior.log_density(at) + posterior.log_marginal(at), _tau_panels(counts, sizes, prior), _TOLERANCE
    )
    return _Joint(counts, sizes, mu_normal, posterior, tau, None if prior.is_improper else log_mass, power)


def _refuse_improper(events: Array, n: Array, power: float, *, flat: bool) -> None:
    empty, full = bool((events == 0).all()), bool((events == n).all())
    if flat and (empty or full):
        what = "no events at all" if empty else "nothing but events"
        raise PasimetaError(
            f"mu_prior: with {what} a flat prior of mu leaves no posterior; give a normal one, such as (0, 1.7)"
        )
    if power <= 1:
        remedy = "give tau a half_normal or a bounded uniform prior"
        raise PasimetaError(f"tau_prior: its tail is too heavy for these studies, no posterior is left; {remedy}")


def _tau_panels(events: Array, n: Array, prior: TauPrior) -> Array:
    x, y = events + 0.5, n - events + 0.5
    return first_panels(prior, float(np.sqrt((1 / x + 1 / y).min())), float(np.ptp(np.log(x / y))), _REACH)


def _given_tau(joint: _Joint) -> MuGivenTau:
    weights = joint.tau.weights().ravel()
    kept = weights > _NEGLIGIBLE * weights.max()
    return mu_given_tau(joint.at, joint.tau.nodes().ravel()[kept], weights[kept] / weights[kept].sum())


def _median(given: MuGivenTau) -> PanelDensity:
    return _density(given.mu_density, given, given.edges[:, 0].min(), given.edges[:, -1].max())


def _predictive(given: MuGivenTau) -> PanelDensity:
    reach = 8 * given.tau
    lower, upper = (given.edges[:, 0] - reach).min(), (given.edges[:, -1] + reach).max()
    return _density(lambda x: given.smoothed(given.log_density, x), given, lower, upper)


def _summaries(joint: _Joint, level: float) -> dict[str, Any]:
    given = _given_tau(joint)
    mu, predictive = _median(given), _predictive(given)
    flat, has_mean, has_sd = joint.mu_prior is None, joint.power > 2, joint.power > 3
    return {
        **summary("mu", mu, level, has_mean=has_mean or not flat, has_sd=has_sd or not flat),
        **summary("tau", joint.tau, level, has_mean=has_mean, has_sd=has_sd),
        **summary("predictive", predictive, level, has_mean=has_mean, has_sd=has_sd),
        **response_summary(mu, predictive, level),
        **_studies(given, joint.events, joint.n, level),
        "posterior": {"mu": mu, "tau": joint.tau, "predictive": predictive},
    }


def _studies(given: MuGivenTau, events: Array, n: Array, level: float) -> dict[str, tuple[float, ...]]:
    """Shrunken log-odds: moments by Tweedie's formula, limits from each study's own posterior density."""
    masses = given.masses()
    means = np.einsum("jpm,ijpm->i", masses, given.study_mean)
    squares = given.study_variance + (given.study_mean - means[:, None, None, None]) ** 2
    sds = np.sqrt(np.einsum("jpm,ijpm->i", masses, squares))
    limits = []
    for i, (x, size) in enumerate(zip(events, n, strict=True)):
        # at the posterior's node (mu, tau), the study's density is its likelihood times Normal(mu, tau2), over this
        others = given.log_density - given.study_likelihood[i]
        others -= others.max()

        def density(at: Array, x: float = x, size: float = size, others: Array = others) -> Array:
            own = x * log_expit(at) + (size - x) * log_expit(-at) - _binomial_peak(x, size)
            return np.exp(own) * given.smoothed(others, at)

        found = _density(density, given, means[i] - 9 * sds[i], means[i] + 9 * sds[i], 1e-7)
        limits.append(found.quantile(np.array([(1 - level) / 2, (1 + level) / 2])))
    return {
        "study_mean": tuple(means.tolist()),
        "study_sd": tuple(sds.tolist()),
        "study_lower": tuple(float(pair[0]) for pair in limits),
        "study_upper": tuple(float(pair[1]) for pair in limits),
    }


def _binomial_peak(x: float, n: float) -> float:
    rate = np.clip(x / n, 1e-300, 1 - 1e-16)
    return float(x * np.log(rate) + (n - x) * np.log1p(-rate))


def _density(
    function: Callable[[Array], Array], given: MuGivenTau, lower: float, upper: float, tolerance: float = _TOLERANCE
) -> PanelDensity:
    """Panels for a density of log-odds: doubling away from the middle, and fine where a rate can still be told."""
    middle = float((given.masses() * given.mu).sum()) if np.isfinite(lower) else 0.0
    scale = max(float(np.diff(given.edges[:, [0, -1]], axis=1).min()) / 16, 1e-6)
    doubling = scale * 2.0 ** np.arange(60)
    edges = np.concatenate([middle - doubling, [middle], middle + doubling, np.arange(-6.0, 7.0, 2.0)])
    edges = np.unique(np.clip(edges, lower, upper))

    def log_density(x: Array) -> Array:
        with np.errstate(divide="ignore"):
            return np.log(function(x))

    density, _ = adapted_density(log_density, edges, tolerance)
    return density
