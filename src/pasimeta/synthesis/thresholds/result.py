"""What pooling all thresholds gives: one summary, and tables of cut-points, curve, studies and information."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import pandas as pd

_TABLES = ("cutpoints", "curve", "predictions", "information")


@dataclass(frozen=True, slots=True)
class ThresholdCurve:
    """The response curve alone.

    Attributes
    ----------
    k : int
        Studies.
    curve : DataFrame
        As of :class:`ThresholdResult`.
    level : float
    """

    k: int
    curve: pd.DataFrame
    level: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ThresholdResult:
    """A response model over all PASI thresholds.

    A patient of study i improves by at least c percent with probability F(theta_i - z(c)); theta_i is normal between
    studies with mean mu and standard deviation tau; z(reference) = 0.

    Attributes
    ----------
    k, n : int
        Studies and patients.
    arms : int
        Comparator arms that inform the cut-points.
    thresholds : tuple of float
        Thresholds in the data that say something, percent.
    reference : float
        Threshold at which mu is told.
    estimate, se, ci_lower, ci_upper : float
        mu on the latent scale. ``se`` is the Wald standard error, or the posterior standard deviation.
    pi_lower, pi_upper : float or None
        Interval of a new study's level.
    tau, tau_ci_lower, tau_ci_upper : float or None
        Standard deviation of levels; None for a single study by maximum likelihood.
    response_estimate, response_ci_lower, ..., response_pi_upper : float or None
        The median study's share of patients who reach the reference threshold, and its intervals, in [0, 1].
    response_population : float
        Share averaged over studies.
    log_likelihood : float or None
        Maximum, coefficients included; of the comparator arms at their best levels.
    log_marginal_likelihood : float or None
        Of a Bayesian fit.
    cutpoints : DataFrame
        threshold, z, ci_lower, ci_upper; studies and arms that report it.
    curve : DataFrame
        threshold, response (the median study's share reaching at least that), ci_lower, ci_upper, pi_lower, pi_upper.
    predictions : DataFrame
        Each study's count and rate at each threshold asked for, reported or not.
    information : DataFrame
        What each study adds.
    form, link, method : str
        Of the cut-points; of the latent scale; ``ML`` or ``bayes``.
    tau_prior : str
        Empty for maximum likelihood.
    level : float
    warnings : tuple of str
    """

    k: int
    n: int
    arms: int
    thresholds: tuple[float, ...]
    reference: float
    estimate: float
    se: float
    ci_lower: float
    ci_upper: float
    pi_lower: float | None
    pi_upper: float | None
    tau: float | None
    tau_ci_lower: float | None
    tau_ci_upper: float | None
    response_estimate: float
    response_ci_lower: float
    response_ci_upper: float
    response_pi_lower: float | None
    response_pi_upper: float | None
    response_population: float
    log_likelihood: float | None
    log_marginal_likelihood: float | None
    form: str
    link: str
    method: str
    tau_prior: str
    level: float
    warnings: tuple[str, ...]
    cutpoints: pd.DataFrame = field(repr=False, compare=False)
    curve: pd.DataFrame = field(repr=False, compare=False)
    predictions: pd.DataFrame = field(repr=False, compare=False)
    information: pd.DataFrame = field(repr=False, compare=False)

    def to_frame(self) -> pd.DataFrame:
        """One row, one column a field; the tables are left to their attributes."""
        row = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in _TABLES}
        row["thresholds"] = " ".join(f"{c:g}" for c in self.thresholds)
        row["warnings"] = "; ".join(self.warnings)
        return pd.DataFrame([row])

    def response_at(self, threshold: float) -> pd.Series:
        """The row of the curve nearest to a threshold."""
        nearest = (self.curve["threshold"] - threshold).abs().idxmin()
        return self.curve.loc[nearest]
