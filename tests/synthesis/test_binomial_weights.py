"""Weights of an exact binomial fit: each study's share of the information on mu."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import binom, norm

from pasimeta.synthesis import pool_binomial

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")
EVENTS, N = np.array([1, 12, 3, 20]), np.array([20, 24, 30, 28])


def study_log_likelihood(x, n, mu, tau):
    return np.log(quad(lambda z: binom.pmf(x, n, expit(mu + tau * z)) * norm.pdf(z), -9, 9, epsabs=1e-13)[0])


def test_shares_are_those_of_the_observed_information():
    result = pool_binomial(EVENTS, N)
    mu, tau, step = result.estimate, result.tau2**0.5, 1e-3
    assert result.tau2 > 0.5
    around = [
        [study_log_likelihood(x, n, mu + h, tau) for h in (-step, 0, step)] for x, n in zip(EVENTS, N, strict=True)
    ]
    information = np.array([-(low - 2 * middle + high) / step**2 for low, middle, high in around])
    np.testing.assert_allclose(result.weights, 100 * information / information.sum(), rtol=1e-4)


def test_patients_decide_where_studies_agree():
    result = pool_binomial([6, 2], [17, 7])
    assert result.tau2 == 0
    np.testing.assert_allclose(result.weights, [100 * 17 / 24, 100 * 7 / 24], rtol=1e-9)
    np.testing.assert_allclose(pool_binomial([6, 2], [17, 7], model="common").weights, result.weights, rtol=1e-9)


def test_heterogeneity_evens_the_weights_out():
    apart, agreed = pool_binomial([1, 90], [10, 100]), pool_binomial([5, 50], [10, 100])
    assert max(apart.weights) < max(agreed.weights)


def test_single_study_has_all_the_weight():
    assert pool_binomial([6], [17]).weights == (100.0,)


@pytest.mark.parametrize("model", ["binomial_normal", "beta_binomial"])
def test_no_finite_estimate_means_no_weights(model):
    assert pool_binomial([0, 0], [5, 6], model=model).weights is None
