"""Bayesian random-effects synthesis of effect sizes: normal within studies, normal between them.

Given tau everything is normal and known in closed form; tau itself is integrated by adaptive quadrature. It is the
approach of Röver (2020, Journal of Statistical Software 93(6)), whose bayesmeta this reproduces without its grid; for
few studies see Friede et al. (2017, Research Synthesis Methods 8:79).

For large tau the posterior density falls as ``tau ** -p``; p is that of the prior plus k - 1 under a flat prior of
mu, plus k under a normal one. It is proper if p > 1, tau has a mean if p > 2 and a variance if p > 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pasimeta.effects.validation import Array, check_effects, check_level
from pasimeta.errors import PasimetaError, doubt
from pasimeta.synthesis.bayes_results import BayesResult, summary
from pasimeta.synthesis.densities import NormalMixture, adapted_density
from pasimeta.synthesis.priors import check_mu_prior, check_tau_prior, first_panels

_REACH = 1e30  # of a heavy-tailed prior, in scales: panels double, so it costs a hundred of them
_LOG_2PI = np.log(2 * np.pi)


class _GivenTau(NamedTuple):
    """Posterior of mu at each tau, and the logarithm of the likelihood with mu integrated out; shape (nodes,)."""

    mean: Array
    variance: Array
    log_likelihood: Array


def pool_bayes(
    yi: ArrayLike,
    vi: ArrayLike,
    tau_prior: Sequence[Any] = ("half_normal", 0.5),
    mu_prior: Sequence[float] | None = None,
    level: float = 0.95,
) -> BayesResult:
    """Pool effect sizes in a Bayesian normal-normal model.

    Parameters
    ----------
    yi, vi : array_like, shape (k,)
        Effect sizes and sampling variances.
    tau_prior : tuple
        ``("half_normal", scale)``, ``("half_cauchy", scale)``, ``("half_t", scale, df)`` or ``("uniform", upper)``;
        an infinite ``upper`` is the improper uniform prior.
    mu_prior : (mean, sd), optional
        Normal prior of mu; None is the flat one.
    level : float
        Probability of the equal-tailed intervals.

    Returns
    -------
    BayesResult

    Raises
    ------
    PasimetaError
        For effects, priors or a level that can't be, and where the posterior would not integrate to one.

    Warns
    -----
    PasimetaWarning
        If the data can't inform tau, which then keeps its prior, or a moment of the posterior doesn't exist.
    """
    effects, variances = check_effects(yi, vi)
    if effects.ndim != 1:
        raise PasimetaError(f"yi: shape {effects.shape} holds several data sets; give one of shape (k,)")
    prior, mu_normal, level = check_tau_prior(tau_prior), check_mu_prior(mu_prior), check_level(level)
    k = len(effects)
    power = prior.tail + (k - 1 if mu_normal is None else k)
    _refuse_improper(power, k, mu_normal)

    def log_posterior(tau: Array) -> Array:
        return prior.log_density(tau) + _given_tau(effects, variances, tau, mu_normal).log_likelihood

    edges = first_panels(prior, float(np.sqrt(variances.min())), float(np.ptp(effects)), _REACH)
    tau, log_mass = adapted_density(log_posterior, edges)
    return BayesResult(
        k=k,
        **_summaries(effects, variances, tau, mu_normal, level, power),
        log_marginal_likelihood=None if prior.is_improper else log_mass,
        tau_prior=tuple(tau_prior),
        mu_prior=mu_normal,
        model="normal_normal",
        level=level,
        warnings=tuple(doubt(text, stacklevel=4) for text in tail_doubts(power, k, mu_normal is None)),
    )


def _given_tau(y: Array, v: Array, tau: Array, mu_prior: tuple[float, float] | None) -> _GivenTau:
    total = v[:, None] + tau**2
    weights = 1 / total
    prior_mean, prior_precision = (0.0, 0.0) if mu_prior is None else (mu_prior[0], mu_prior[1] ** -2)
    precision = weights.sum(axis=0) + prior_precision
    mean = (weights * y[:, None]).sum(axis=0) / precision + prior_precision * prior_mean / precision
    misfit = (weights * (y[:, None] - mean) ** 2).sum(axis=0) + prior_precision * (prior_mean - mean) ** 2
    normalizer = (_LOG_2PI + np.log(total)).sum(axis=0) + np.log(precision)
    normalizer = normalizer - _LOG_2PI if mu_prior is None else normalizer - np.log(prior_precision)
    return _GivenTau(mean, 1 / precision, -0.5 * (misfit + normalizer))


def _summaries(
    y: Array, v: Array, tau: Any, mu_prior: tuple[float, float] | None, level: float, power: float
) -> dict[str, Any]:
    weights = tau.weights().ravel()
    kept = weights > 1e-16 * weights.max()
    weights, at = weights[kept] / weights[kept].sum(), tau.nodes().ravel()[kept]
    given = _given_tau(y, v, at, mu_prior)
    share = at**2 / (v[:, None] + at**2)
    study_mean = share * y[:, None] + (1 - share) * given.mean
    study_sd = np.sqrt(share * v[:, None] + (1 - share) ** 2 * given.variance)
    studies = [NormalMixture(weights, mean, sd) for mean, sd in zip(study_mean, study_sd, strict=True)]
    limits = np.array([study.quantile(np.array([(1 - level) / 2, (1 + level) / 2])) for study in studies])
    mu = NormalMixture(weights, given.mean, np.sqrt(given.variance))
    predictive = NormalMixture(weights, given.mean, np.sqrt(given.variance + at**2))
    flat = mu_prior is None
    mean_of_tau, sd_of_tau = power > 2, power > 3
    return {
        **summary("mu", mu, level, has_mean=mean_of_tau or not flat, has_sd=sd_of_tau or not flat),
        **summary("tau", tau, level, has_mean=mean_of_tau, has_sd=sd_of_tau),
        **summary("predictive", predictive, level, has_mean=mean_of_tau, has_sd=sd_of_tau),
        "study_mean": tuple(study.mean() for study in studies),
        "study_sd": tuple(study.sd() for study in studies),
        "study_lower": tuple(limits[:, 0].tolist()),
        "study_upper": tuple(limits[:, 1].tolist()),
        "posterior": {"mu": mu, "tau": tau, "predictive": predictive},
    }


def _refuse_improper(power: float, k: int, mu_prior: tuple[float, float] | None) -> None:
    if power <= 1:
        flat = "a flat prior of mu and " if mu_prior is None else ""
        remedy = "give tau a proper prior, such as half_normal"
        raise PasimetaError(f"tau_prior: with {flat}an improper one of tau, {k} studies leave no posterior; {remedy}")


def tail_doubts(power: float, k: int, flat: bool) -> list[str]:
    """Doubts of a posterior whose density falls as ``tau ** -power``."""
    doubts = []
    if k == 1:
        what = "tau keeps its prior" if flat else "tau hardly leaves its prior"
        doubts.append(f"a single study: {what}, so the predictive interval is mostly assumption")
    if power <= 3:
        which = "neither a mean nor a variance" if power <= 2 else "no finite variance"
        doubts.append(f"tau has {which} under this prior with {k} studies; read medians and intervals")
    return doubts
