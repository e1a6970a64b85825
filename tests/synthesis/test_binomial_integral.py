"""The integral under every binomial-normal model: right for any count, any mu, and tau from 0 to 100."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.special import expit

from pasimeta.synthesis.beta_binomial import sum_rule
from pasimeta.synthesis.quadrature import SWITCH, BinomialNormalIntegral, population_rate

COUNTS = [(0, 1), (1, 1), (0, 10), (1, 10), (10, 10), (5, 10), (3, 100), (0, 1000), (500, 1000), (30, 100_000)]


def dense(x: float, n: float, mu: float, tau: float) -> float:
    """A trapezoidal sum with a hundred thousand terms, binomial coefficient left out."""
    z = np.linspace(-13, 13, 100_001)
    theta = mu + tau * z
    logs = x * theta - n * np.logaddexp(0, theta) - 0.5 * z**2
    return float(logs.max() + np.log(np.exp(logs - logs.max()).sum() * (z[1] - z[0])) - 0.5 * np.log(2 * np.pi))


def integral(x: float, n: float, mu: float, tau: float, order: int = 0):
    rule = BinomialNormalIntegral(np.array([[float(x)]]), np.array([[float(n)]]))
    found = rule(np.array([mu]), np.array([tau**2]), np.array([0]), order)
    return found.log_likelihood[0, 0] - rule.log_coefficient[0, 0], [ratio[0, 0] for ratio in found.ratios]


@pytest.mark.parametrize("tau", [0.01, 0.3, 1.0, SWITCH - 1e-9, SWITCH, 2.0, 8.0, 30.0, 100.0])
def test_the_likelihood_agrees_with_a_dense_sum_wherever_it_matters(tau: float) -> None:
    for x, n in COUNTS:
        best = 0.0 if x in (0, n) else x * np.log(x / n) + (n - x) * np.log1p(-x / n)
        for mu in (-12.0, -8.0, -5.0, -2.0, 0.0, 1.0, 4.0, 7.0):
            reference = dense(x, n, mu, tau)
            if reference > best - 10:
                assert integral(x, n, mu, tau)[0] == pytest.approx(reference, abs=3e-7), (x, n, mu)


@pytest.mark.parametrize("tau", [0.0, 0.4, 1.2, 1.5, 6.0])
@pytest.mark.parametrize(("x", "n", "mu"), [(0, 12, -2.5), (2, 14, -1.9), (14, 14, 1.0), (7, 20, 0.3)])
def test_derivatives_follow_from_one_another_and_the_heat_equation(x: int, n: int, mu: float, tau: float) -> None:
    step = 1e-4
    _, ratios = integral(x, n, mu, tau, 4)
    up, down = integral(x, n, mu + step, tau, 4), integral(x, n, mu - step, tau, 4)
    assert (up[0] - down[0]) / (2 * step) == pytest.approx(ratios[0], abs=1e-5)
    for j in range(3):
        # d(L^(j)/L) = L^(j+1)/L - (L^(j)/L)(L'/L)
        slope = (up[1][j] - down[1][j]) / (2 * step)
        assert slope + ratios[j] * ratios[0] == pytest.approx(ratios[j + 1], rel=1e-4, abs=1e-4)
    wider = integral(x, n, mu, np.sqrt(tau**2 + 1e-5))[0] - integral(x, n, mu, tau)[0]
    assert wider / 1e-5 == pytest.approx(ratios[1] / 2, rel=2e-3, abs=1e-4)


@given(st.floats(-6, 6), st.floats(0, 8))
@settings(max_examples=40)
def test_the_population_rate_is_the_mean_of_the_studies_rates(mu: float, tau: float) -> None:
    z = np.linspace(-10, 10, 20_001)
    weights = np.exp(-0.5 * z**2)
    mean = float(expit(mu + tau * z) @ (weights / weights.sum()))
    assert population_rate(np.array(mu), np.array(tau**2)) == pytest.approx(mean, abs=1e-9)


@given(st.integers(0, 200_000), st.floats(1e-3, 1), st.floats(0, 1e3))
@example(33, 0.2, 0.01)
@example(1_000_000, 1e-3, 1e-5)
@settings(max_examples=40)
def test_the_sum_rule_replaces_a_sum_over_patients_by_a_few_terms(count: int, base: float, gamma: float) -> None:
    nodes, weights = sum_rule(count)
    t = np.arange(count)
    assert len(nodes) <= 32 + 12 * 17
    for f in (lambda t: np.log(base + gamma * t), lambda t: t / (base + gamma * t) ** 2):
        assert float(weights @ f(nodes)) == pytest.approx(float(f(t).sum()), rel=1e-11, abs=1e-9)
