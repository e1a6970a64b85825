"""What a Bayesian synthesis returns: the posterior's summaries, and the posterior itself to ask further."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from pasimeta.effects.validation import Array, check_choice
from pasimeta.errors import PasimetaError
from pasimeta.synthesis.densities import Distribution, PanelDensity

QUANTITIES = ("mu", "tau", "predictive")
RATES = {"rate": "mu", "predictive_rate": "predictive"}


@dataclass(frozen=True, kw_only=True, slots=True)
class BayesResult:
    """Posterior of a random-effects synthesis, by deterministic quadrature: same input, same digits.

    Every interval is equal-tailed. A moment that the posterior doesn't have (heavy-tailed prior, few studies) is
    infinite, or None where it isn't even that.

    Attributes
    ----------
    k : int
        Number of studies.
    mu_mean, mu_median, mu_sd, mu_lower, mu_upper : float
        Mean of the studies' true effects, analysis scale (log-odds for the binomial-normal model).
    tau_mean, tau_median, tau_sd, tau_lower, tau_upper : float
        Between-study standard deviation.
    predictive_mean, predictive_median, predictive_sd, predictive_lower, predictive_upper : float
        True effect of a new study.
    response_estimate, response_mean, response_ci_lower, response_ci_upper : float or None
        Rate of the median study; its posterior median (that of mu, transformed), mean and limits. Binomial model only.
    response_population : float or None
        Posterior mean of the population-average rate, which is also the chance that a patient of a new study responds.
    response_pi_lower, response_pi_upper : float or None
        Limits of a new study's rate.
    study_mean, study_sd, study_lower, study_upper : tuple of float
        Shrunken effects, in study order.
    log_marginal_likelihood : float or None
        Logarithm of the evidence (a flat prior of mu has density 1); None under an improper prior of tau.
    tau_prior, mu_prior : tuple or None
        As given.
    model : str
        ``"normal_normal"`` or ``"binomial_normal"``.
    level : float
        Posterior probability of every interval.
    warnings : tuple of str
        Doubts.
    """

    k: int
    mu_mean: float | None
    mu_median: float
    mu_sd: float | None
    mu_lower: float
    mu_upper: float
    tau_mean: float
    tau_median: float
    tau_sd: float
    tau_lower: float
    tau_upper: float
    predictive_mean: float | None
    predictive_median: float
    predictive_sd: float | None
    predictive_lower: float
    predictive_upper: float
    response_estimate: float | None = None
    response_mean: float | None = None
    response_ci_lower: float | None = None
    response_ci_upper: float | None = None
    response_population: float | None = None
    response_pi_lower: float | None = None
    response_pi_upper: float | None = None
    study_mean: tuple[float, ...]
    study_sd: tuple[float, ...]
    study_lower: tuple[float, ...]
    study_upper: tuple[float, ...]
    log_marginal_likelihood: float | None
    tau_prior: tuple[Any, ...]
    mu_prior: tuple[float, float] | None
    model: str
    level: float
    warnings: tuple[str, ...] = ()
    posterior: dict[str, Distribution] = field(repr=False, compare=False)

    def probability(
        self, quantity: str = "mu", *, above: ArrayLike | None = None, below: ArrayLike | None = None
    ) -> Any:
        """Posterior probability that a quantity lies above (or below, or between) given values.

        Parameters
        ----------
        quantity : {"mu", "tau", "predictive", "rate", "predictive_rate"}
            The last two are the rates of the median and of a new study, binomial model only.
        above, below : array_like, optional
            At least one. With both, the probability of lying between them.

        Returns
        -------
        float or ndarray
            Of the shape of the bounds.

        Raises
        ------
        PasimetaError
            For an unknown quantity, no bound, or a rate outside [0, 1].

        Examples
        --------
        >>> result.probability("rate", above=0.5)  # doctest: +SKIP
        """
        if above is None and below is None:
            raise PasimetaError("probability: no bound; give above=, below= or both")
        upper = np.array(1.0) if below is None else self._cdf(quantity, below)
        lower = np.array(0.0) if above is None else self._cdf(quantity, above)
        chance = np.clip(upper - lower, 0.0, 1.0)
        return float(chance) if chance.ndim == 0 else chance

    def density(self, quantity: str, x: ArrayLike) -> Array:
        """Posterior density at each ``x``, for drawing; quantities as in :meth:`probability`.

        Raises
        ------
        PasimetaError
            For an unknown quantity, or a rate that isn't strictly between 0 and 1.
        """
        x = np.asarray(x, float)
        if quantity not in RATES:
            return self._distribution(quantity).pdf(x)
        if np.any((x <= 0) | (x >= 1)):
            raise PasimetaError(f"{quantity}: its density is defined strictly between 0 and 1")
        return self._distribution(quantity).pdf(logit(x)) / (x * (1 - x))

    def studies(self) -> pd.DataFrame:
        """Shrunken effects, one row a study."""
        names = ("mean", "sd", "lower", "upper")
        return pd.DataFrame({name: getattr(self, f"study_{name}") for name in names})

    def to_frame(self) -> pd.DataFrame:
        """One row, one column a field; the studies are left to :meth:`studies`."""
        left_out = {"posterior", "study_mean", "study_sd", "study_lower", "study_upper"}
        row = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in left_out}
        for name in ("tau_prior", "mu_prior"):
            row[name] = "flat" if row[name] is None else " ".join(str(part) for part in row[name])
        row["warnings"] = "; ".join(self.warnings)
        return pd.DataFrame({name: [value] for name, value in row.items()})

    def _cdf(self, quantity: str, x: ArrayLike) -> Array:
        values = np.asarray(x, float)
        if quantity in RATES:
            if np.any((values < 0) | (values > 1)) or np.isnan(values).any():
                raise PasimetaError(f"{quantity}: a rate lies in [0, 1]; 50 % is 0.5")
            values = logit(values)
        at = np.where(np.isfinite(values), values, 0.0)
        inside = self._distribution(quantity).cdf(at)
        return np.where(np.isposinf(values), 1.0, np.where(np.isneginf(values), 0.0, inside))

    def _distribution(self, quantity: str) -> Distribution:
        offered = QUANTITIES + (tuple(RATES) if self.model == "binomial_normal" else ())
        check_choice("quantity", quantity, offered)
        return self.posterior[RATES.get(quantity, quantity)]


def summary(name: str, distribution: Distribution, level: float, *, has_mean: bool, has_sd: bool) -> dict[str, Any]:
    """Fields ``name_mean`` ... ``name_upper`` of a result; moments that don't exist are infinite or None."""
    tail = (1 - level) / 2
    lower, median, upper = distribution.quantile(np.array([tail, 0.5, 1 - tail]))
    no_mean = np.inf if name == "tau" else None
    return {
        f"{name}_mean": distribution.mean() if has_mean else no_mean,
        f"{name}_median": float(median),
        f"{name}_sd": distribution.sd() if has_sd else np.inf if has_mean or name == "tau" else None,
        f"{name}_lower": float(lower),
        f"{name}_upper": float(upper),
    }


def response_summary(mu: PanelDensity, predictive: PanelDensity, level: float) -> dict[str, float]:
    """Response-scale fields of a binomial-normal result."""
    tail = (1 - level) / 2
    lower, median, upper = expit(mu.quantile(np.array([tail, 0.5, 1 - tail])))
    pi_lower, pi_upper = expit(predictive.quantile(np.array([tail, 1 - tail])))
    return {
        "response_estimate": float(median),
        "response_mean": mu.expectation(expit),
        "response_ci_lower": float(lower),
        "response_ci_upper": float(upper),
        "response_population": predictive.expectation(expit),
        "response_pi_lower": float(pi_lower),
        "response_pi_upper": float(pi_upper),
    }
