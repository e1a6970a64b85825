"""Synthesis: inverse variance, exact binomial models, Bayes by quadrature, and the results they return."""

from pasimeta.synthesis.bayes_binomial import pool_bayes_binomial
from pasimeta.synthesis.bayes_normal import pool_bayes
from pasimeta.synthesis.bayes_results import BayesResult
from pasimeta.synthesis.bayes_sensitivity import prior_sensitivity
from pasimeta.synthesis.exact_binomial import pool_binomial
from pasimeta.synthesis.inverse_variance import pool
from pasimeta.synthesis.pooled_counts import pool_counts
from pasimeta.synthesis.results import PooledResult
from pasimeta.synthesis.thresholds import ThresholdResult, pool_thresholds
from pasimeta.synthesis.two_arm_binomial import pool_two_arm_binomial
from pasimeta.synthesis.two_arm_exact import exact_odds_ratio
from pasimeta.synthesis.two_arm_tables import mantel_haenszel, peto

__all__ = [
    "BayesResult",
    "PooledResult",
    "ThresholdResult",
    "exact_odds_ratio",
    "mantel_haenszel",
    "peto",
    "pool",
    "pool_bayes",
    "pool_bayes_binomial",
    "pool_binomial",
    "pool_counts",
    "pool_thresholds",
    "pool_two_arm_binomial",
    "prior_sensitivity",
]
