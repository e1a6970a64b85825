"""Beliefs about a rate are the distributions they claim to be."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pasimeta.errors import PasimetaError
from pasimeta.forecast import (
    belief_from_counts,
    belief_from_interval,
    belief_from_studies,
    beta_belief,
    mixed_belief,
    point_belief,
)

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")


@pytest.mark.parametrize(("a", "b"), [(1, 1), (0.5, 0.5), (7, 12), (0.3, 40), (300, 2)])
def test_beta_moments_and_predictive_counts_are_those_of_the_beta_binomial(a, b):
    belief = beta_belief(a, b)
    assert belief.mean == pytest.approx(a / (a + b), abs=1e-10)
    assert belief.sd == pytest.approx(stats.beta(a, b).std(), abs=1e-9)
    np.testing.assert_allclose(belief.counts(19), stats.betabinom(19, a, b).pmf(np.arange(20)), atol=1e-9)


def test_interval_belief_returns_its_interval():
    belief = belief_from_interval(0.452, 0.365, 0.542)
    low, middle, high = belief.quantile([0.025, 0.5, 0.975])
    assert middle == pytest.approx(0.452, abs=2e-3)
    assert low == pytest.approx(0.365, abs=4e-3)
    assert high == pytest.approx(0.542, abs=4e-3)


def test_chance_of_exceeding_agrees_with_simulation():
    first, second = beta_belief(7, 12), beta_belief(40, 60)
    rng = np.random.default_rng(7)
    share = (rng.beta(7, 12, 400_000) > rng.beta(40, 60, 400_000)).mean()
    assert first.exceeds(second) == pytest.approx(share, abs=4 * np.sqrt(0.25 / 400_000))
    assert first.exceeds(second) + second.exceeds(first) == pytest.approx(1, abs=1e-12)
    assert first.exceeds(first) == pytest.approx(0.5, abs=1e-12)


def test_studies_give_the_predictive_distribution_of_their_synthesis():
    belief = belief_from_studies([6, 2], [17, 7])
    from pasimeta.synthesis import pool_bayes_binomial

    result = pool_bayes_binomial([6, 2], [17, 7], mu_prior=(0.0, 1.7))
    assert belief.mean == pytest.approx(result.response_population, abs=1e-9)
    middle = belief_from_studies([6, 2], [17, 7], quantity="rate")
    assert middle.mean == pytest.approx(result.response_mean, abs=1e-9)
    assert belief.sd > middle.sd


def test_interval_counts_are_an_even_mixture_of_their_ends():
    counts = pd.DataFrame({"events_lower": [1], "events_upper": [3], "n": [3]})
    low, high = belief_from_studies([1], [3]), belief_from_studies([3], [3])
    assert belief_from_counts(counts).mean == pytest.approx((low.mean + high.mean) / 2, abs=1e-12)


def test_mixture_weights_its_parts():
    mixed = mixed_belief([point_belief(0.2), point_belief(0.6)], [0.25, 0.75])
    assert mixed.mean == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: point_belief(45), "rate: 45 is not a rate"),
        (lambda: beta_belief(0, 1), "a: 0 is not a positive number"),
        (lambda: belief_from_interval(45.2, 34.1, 60), "45 % is 0.45"),
        (lambda: belief_from_studies([5], [3]), "events"),
        (lambda: belief_from_studies([1], [3], quantity="mean"), "quantity: 'mean'"),
        (lambda: mixed_belief([point_belief(0.1)], [0.5]), "sum to 1"),
        (lambda: belief_from_counts(pd.DataFrame({"events_lower": [], "events_upper": [], "n": []})), "no study"),
    ],
)
def test_impossible_beliefs_are_refused_with_a_remedy(call, words):
    with pytest.raises(PasimetaError) as refusal:
        call()
    assert words in str(refusal.value)


def test_asking_again_gives_the_same_belief_and_its_doubts():
    first = belief_from_studies([2, 0], [10, 5], tau_prior=("half_normal", 0.7))
    again = belief_from_studies(pd.Series([2, 0]), np.array([10, 5]), tau_prior=["half_normal", 0.7])
    other = belief_from_studies([2, 0], [10, 5], tau_prior=("half_normal", 0.9))
    np.testing.assert_array_equal(first.nodes, again.nodes)
    np.testing.assert_array_equal(first.weights, again.weights)
    assert first.warnings == again.warnings
    assert first.mean != other.mean
    with pytest.raises(PasimetaError, match="several data sets"):
        belief_from_studies([[2, 0], [1, 1]], [[10, 5], [10, 5]])
