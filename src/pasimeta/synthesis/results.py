"""What a synthesis returns: frozen results that tabulate themselves."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd


@dataclass(frozen=True, kw_only=True, slots=True)
class PooledResult:
    """A pooled estimate on the analysis scale, its uncertainty, and its heterogeneity.

    Scalars for one data set; arrays of shape (d,) where ``yi`` had shape (k, d). ``None`` marks what does not exist
    (tau2 of a single study, a response-scale value where no measure was named), never what failed.

    Attributes
    ----------
    k : int
        Number of studies.
    estimate, se, statistic, p_value : float
        Pooled effect on the analysis scale, its standard error, test statistic and two-sided p value.
    ci_lower, ci_upper, pi_lower, pi_upper : float or None
        Confidence interval of the mean and prediction interval of a new study's true effect, analysis scale.
    tau2, tau2_ci_lower, tau2_ci_upper : float or None
        Between-study variance and its Q-profile (or profile-likelihood) interval.
    i2, i2_ci_lower, i2_ci_upper, h2 : float or None
        I2 in percent and H2; tau2-based for random-effects fits, Q-based for the equal-effects fit.
    q, q_df, q_p_value : float or None
        Cochran's Q, its degrees of freedom and p value.
    log_likelihood : float or None
        Maximized log-likelihood, where the method has one.
    response_estimate, response_ci_lower, response_ci_upper, response_pi_lower, response_pi_upper : float or None
        The same on the scale a clinician reads: a proportion in [0, 1], or a ratio.
    response_population : float or None
        Population-average rate of an exact binomial random-effects model (``response_estimate`` is that of the
        median study); ``None`` for every other method.
    measure, method, test : str
        Effect measure, estimator and test, as asked for.
    level : float
        Confidence level of every interval.
    weights : tuple of float or None
        Each study's share of the pooled estimate, in percent, in study order.
    warnings : tuple of str
        Doubts raised while fitting.
    """

    k: int
    estimate: Any
    se: Any
    statistic: Any = None
    p_value: Any = None
    ci_lower: Any
    ci_upper: Any
    pi_lower: Any = None
    pi_upper: Any = None
    tau2: Any = None
    tau2_ci_lower: Any = None
    tau2_ci_upper: Any = None
    i2: Any = None
    i2_ci_lower: Any = None
    i2_ci_upper: Any = None
    h2: Any = None
    q: Any = None
    q_df: Any = None
    q_p_value: Any = None
    log_likelihood: Any = None
    response_estimate: Any = None
    response_ci_lower: Any = None
    response_ci_upper: Any = None
    response_pi_lower: Any = None
    response_pi_upper: Any = None
    response_population: Any = None
    measure: str | None = None
    method: str
    test: str
    level: float
    weights: tuple[float, ...] | None = None
    warnings: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row a data set, one column a field; ``weights`` and ``warnings`` are joined into text."""
        fields = asdict(self)
        fields["weights"] = "" if self.weights is None else " ".join(f"{w:.6g}" for w in self.weights)
        fields["warnings"] = "; ".join(self.warnings)
        columns = getattr(self.estimate, "shape", ())
        return pd.DataFrame(fields if columns else {name: [value] for name, value in fields.items()})
