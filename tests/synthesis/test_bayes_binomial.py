"""Bayesian pooling of counts: brute force, boundaries, and the posterior asked for probabilities."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit, logit
from scipy.stats import norm

from pasimeta.errors import PasimetaError
from pasimeta.synthesis import pool_bayes, pool_bayes_binomial, prior_sensitivity

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")

SPARSE = (np.array([0, 0, 1, 0, 2, 0]), np.array([12, 20, 35, 8, 60, 15]))
TWO = (np.array([2, 5]), np.array([14, 40]))


class Brute:
    """Posterior on a dense (tau, mu) grid, half-normal tau; every study a trapezoidal sum over its own log-odds."""

    def __init__(self, events, n, mu_prior, scale, limits) -> None:
        self.tau = (np.arange(100) + 0.5) * (6 * scale / 100)
        self.mu = np.linspace(*limits, 301)
        z = np.linspace(-8, 8, 65)
        weights = np.exp(-0.5 * z**2)
        weights /= weights.sum()
        logs = np.zeros((100, 301))
        self.own = np.zeros((len(n), 100, 301))
        for j, tau in enumerate(self.tau):
            theta = self.mu[:, None] + tau * z
            for i, (x, m) in enumerate(zip(events, n, strict=True)):
                kernel = np.exp(x * theta - m * np.logaddexp(0, theta)) * weights
                logs[j] += np.log(kernel.sum(axis=1))
                self.own[i, j] = (kernel * theta).sum(axis=1) / kernel.sum(axis=1)
            logs[j] -= 0.5 * (tau / scale) ** 2
        if mu_prior is not None:
            logs -= 0.5 * ((self.mu - mu_prior[0]) / mu_prior[1]) ** 2
        self.weights = np.exp(logs - logs.max())
        self.weights /= self.weights.sum()

    def mean(self, values) -> float:
        return float((self.weights * values).sum())


@pytest.mark.parametrize(
    ("data", "mu_prior", "limits"), [(SPARSE, None, (-11, 0)), (SPARSE, (0, 1.7), (-8, 0)), (TWO, None, (-6.5, 2))]
)
def test_summaries_agree_with_a_dense_grid(data, mu_prior, limits) -> None:
    brute = Brute(*data, mu_prior, 0.5, limits)
    result = pool_bayes_binomial(*data, ("half_normal", 0.5), mu_prior)
    assert result.mu_mean == pytest.approx(brute.mean(brute.mu), abs=1e-4)
    assert result.mu_sd**2 == pytest.approx(brute.mean((brute.mu - result.mu_mean) ** 2), abs=1e-4)
    assert result.tau_mean == pytest.approx(brute.mean(brute.tau[:, None]), abs=1e-4)
    assert result.predictive_mean == pytest.approx(result.mu_mean, abs=1e-7)
    spread = result.mu_sd**2 + result.tau_sd**2 + result.tau_mean**2
    assert result.predictive_sd**2 == pytest.approx(spread, abs=1e-6)
    for value, probability in ((result.mu_lower, 0.025), (result.mu_median, 0.5), (result.mu_upper, 0.975)):
        step = brute.mu[1] - brute.mu[0]
        below = brute.weights.sum(axis=0) @ np.clip((value - brute.mu) / step + 0.5, 0, 1)
        assert below == pytest.approx(probability, abs=2e-4)
    for value, probability in ((result.predictive_lower, 0.025), (result.predictive_upper, 0.975)):
        assert brute.mean(norm.cdf((value - brute.mu) / brute.tau[:, None])) == pytest.approx(probability, abs=5e-4)
    for own, expected in zip(result.study_mean, brute.own, strict=True):
        assert own == pytest.approx(brute.mean(expected), abs=1e-4)
    assert result.response_mean == pytest.approx(brute.mean(expit(brute.mu)), abs=1e-5)


def test_study_limits_hold_their_share_of_each_study_posterior() -> None:
    result = pool_bayes_binomial(*TWO)
    brute = Brute(*TWO, None, 0.5, (-6.5, 2))
    z = np.linspace(-8, 8, 241)
    weights = np.exp(-0.5 * z**2)
    for i, (x, n) in enumerate(zip(*TWO, strict=True)):
        shares = np.zeros(2)
        for j, tau in enumerate(brute.tau):
            theta = brute.mu[:, None] + tau * z
            kernel = np.exp(x * theta - n * np.logaddexp(0, theta)) * weights
            kernel /= kernel.sum(axis=1, keepdims=True)
            for side, limit in enumerate((result.study_lower[i], result.study_upper[i])):
                shares[side] += brute.weights[j] @ (kernel * (theta < limit)).sum(axis=1)
        assert shares == pytest.approx([0.025, 0.975], abs=3e-3)


def test_large_studies_agree_with_the_normal_model() -> None:
    events, n = np.array([3000, 4000, 3500, 5200]), np.full(4, 10_000)
    exact = pool_bayes_binomial(events, n, ("half_cauchy", 0.5))
    normal = pool_bayes(logit(events / n), 1 / events + 1 / (n - events), ("half_cauchy", 0.5))
    for name in ("mu_median", "mu_lower", "mu_upper", "tau_median", "tau_upper", "predictive_upper"):
        assert getattr(exact, name) == pytest.approx(getattr(normal, name), abs=5e-3), name


def test_no_events_need_a_prior_of_mu() -> None:
    with pytest.raises(PasimetaError, match=r"no events at all.*normal"):
        pool_bayes_binomial([0, 0, 0], [10, 20, 30])
    with pytest.raises(PasimetaError, match="nothing but events"):
        pool_bayes_binomial([10, 20], [10, 20])
    result = pool_bayes_binomial([0, 0, 0], [10, 20, 30], mu_prior=(0, 1.7))
    assert 0 < result.response_estimate < result.response_ci_upper < 0.15
    assert result.response_estimate < result.response_population


@pytest.mark.parametrize(
    ("events", "tau_prior"), [([0, 10], ("half_cauchy", 1)), ([3, 4], ("uniform", np.inf)), ([3], ("uniform", np.inf))]
)
def test_a_posterior_that_would_not_integrate_is_refused(events, tau_prior) -> None:
    with pytest.raises(PasimetaError, match="no posterior"):
        pool_bayes_binomial(events, [10] * len(events), tau_prior)


def test_non_events_mirror_events() -> None:
    events, n = SPARSE
    result = pool_bayes_binomial(events, n, mu_prior=(0, 2))
    mirrored = pool_bayes_binomial(n - events, n, mu_prior=(0, 2))
    assert mirrored.mu_lower == pytest.approx(-result.mu_upper, abs=1e-7)
    assert mirrored.tau_median == pytest.approx(result.tau_median, abs=1e-8)
    assert mirrored.response_population == pytest.approx(1 - result.response_population, abs=1e-8)
    assert mirrored.log_marginal_likelihood == pytest.approx(result.log_marginal_likelihood, abs=1e-7)


def test_probabilities_of_rates_are_those_of_their_log_odds() -> None:
    result = pool_bayes_binomial(*TWO)
    assert result.probability("rate", above=0.2) == result.probability("mu", above=logit(0.2))
    assert result.probability("rate", above=[0.0, 1.0]).tolist() == [1, 0]
    assert result.probability("predictive_rate", below=result.response_pi_upper) == pytest.approx(0.975, abs=1e-8)
    area = quad(lambda p: float(result.density("rate", p)), 1e-9, 1 - 1e-9, points=[0.05, 0.2], limit=200)[0]
    assert area == pytest.approx(1, abs=1e-6)
    for bad in (-0.1, 1.2):
        with pytest.raises(PasimetaError, match="rate lies in"):
            result.probability("rate", above=bad)
    with pytest.raises(PasimetaError, match="strictly between"):
        result.density("rate", [0.0])


def test_a_prior_at_zero_is_one_binomial_sample() -> None:
    result = pool_bayes_binomial(*TWO, ("half_normal", 1e-5))
    grid = np.linspace(-7, 2, 20_001)
    weights = np.exp(7 * grid - 54 * np.logaddexp(0, grid))
    mean = float((weights * grid).sum() / weights.sum())
    assert result.mu_mean == pytest.approx(mean, abs=1e-6)
    assert result.predictive_upper == pytest.approx(result.mu_upper, abs=1e-5)


def test_the_sensitivity_curve_of_counts_reports_rates() -> None:
    curve = prior_sensitivity(events=TWO[0], n=TWO[1], families=("half_normal",), scales=(0.1, 1.0))
    assert curve["response_pi_upper"].is_monotonic_increasing
    assert curve["response_estimate"].between(0.05, 0.3).all()
