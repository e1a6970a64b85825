"""Pooling counts without a correction: estimates, profile intervals and boundaries of the exact models."""

import numpy as np
import pytest
from exact_references import beta_binomial, binomial_normal, maximum, mu_limit, profile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit, polygamma
from scipy.stats import beta, betabinom, chi2

from pasimeta.errors import PasimetaError, PasimetaWarning
from pasimeta.synthesis import pool, pool_binomial

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")

CUT = chi2.ppf(0.95, 1) / 2
SPARSE = ([0, 0, 1, 0, 2, 0], [12, 20, 35, 8, 60, 15])
SETS = {
    "sparse": SPARSE,
    "two": ([2, 5], [14, 40]),
    "three": ([0, 1, 3], [10, 12, 25]),
    "one event": ([0, 1], [10, 10]),
    "near one": ([12, 20, 34, 8, 58], [12, 20, 35, 8, 60]),
    "spread": ([1, 9, 3, 14], [15, 12, 20, 16]),
}
TAU = np.concatenate([[1e-6], np.geomspace(0.05, 60, 24)])
GAMMA = np.append(0.0, np.geomspace(1e-4, 1e3, 40))


def test_vasospasm_agrees_with_metafor(vasospasm) -> None:
    # metafor 5.1-12, rma.glmm(measure = "PLO", nAGQ = 7): -1.3766 and 0.5893 to its convergence of 5e-3; the digits
    # beyond are those of the likelihood maximized with 61-point adaptive quadrature.
    result = pool_binomial(**vasospasm)
    assert result.estimate == pytest.approx(1.3765943859693444, abs=1e-7)
    assert result.tau2 == pytest.approx(0.5893095245668286, abs=1e-7)
    assert result.log_likelihood == pytest.approx(-32.6054473153154, abs=1e-9)
    assert result.response_estimate == pytest.approx(expit(1.3765943859693444))


def test_three_events_in_150_patients_make_two_percent() -> None:
    result = pool_binomial(*SPARSE)
    assert result.tau2 == 0
    assert result.estimate == pytest.approx(logit(3 / 150), abs=1e-9)
    assert result.response_population == pytest.approx(0.02, abs=1e-9)


@pytest.mark.parametrize("name", SETS)
def test_the_binomial_normal_maximum_is_the_global_one(name: str) -> None:
    value, mu, tau = maximum(binomial_normal(*SETS[name], points=2001), TAU)
    result = pool_binomial(*SETS[name])
    assert result.log_likelihood == pytest.approx(value, abs=1e-8)
    assert result.estimate == pytest.approx(mu, abs=1e-5)
    assert np.sqrt(result.tau2) == pytest.approx(tau, abs=1e-4)


@pytest.mark.parametrize("name", ["sparse", "two", "one event", "spread"])
def test_the_interval_of_mu_is_the_likelihood_ratio_test_inverted(name: str) -> None:
    reference = binomial_normal(*SETS[name], points=2001)
    result = pool_binomial(*SETS[name])
    target = result.log_likelihood - CUT
    for side, limit in ((-1.0, result.ci_lower), (1.0, result.ci_upper)):
        assert side * limit >= side * mu_limit(reference, target, TAU, side, 60) - 1e-6
        # the limit itself lies on the contour: maximized over tau there, the likelihood meets the target
        best = max(reference(limit, tau) for tau in np.append(TAU, np.geomspace(0.1, 30, 200)))
        assert best == pytest.approx(target, abs=5e-4)


@pytest.mark.parametrize("name", ["sparse", "two", "spread"])
def test_the_interval_of_tau2_is_the_likelihood_ratio_test_inverted(name: str) -> None:
    reference = binomial_normal(*SETS[name])
    result = pool_binomial(*SETS[name])
    target = result.log_likelihood - CUT
    assert profile(reference, np.sqrt(result.tau2_ci_upper))[0] == pytest.approx(target, abs=1e-6)
    if result.tau2_ci_lower > 0:
        assert profile(reference, np.sqrt(result.tau2_ci_lower))[0] == pytest.approx(target, abs=1e-6)
    else:
        assert profile(reference, 1e-6)[0] >= target


@pytest.mark.parametrize("name", ["sparse", "two", "spread", "near one"])
def test_the_beta_binomial_agrees_with_a_general_optimizer(name: str) -> None:
    reference = beta_binomial(*SETS[name])
    value, mu, gamma = maximum(reference, GAMMA)
    result = pool_binomial(*SETS[name], model="beta_binomial")
    assert result.log_likelihood == pytest.approx(value, abs=1e-8)
    assert result.estimate == pytest.approx(mu, abs=1e-5)
    assert result.response_population == result.response_estimate
    spread = sum(polygamma(1, p / gamma) for p in (expit(mu), expit(-mu))) if gamma > 0 else 0.0
    assert result.tau2 == pytest.approx(spread, rel=1e-3, abs=1e-4)
    target, finer = value - CUT, np.append(GAMMA, np.geomspace(0.01, 2, 60))
    for side, limit in ((-1.0, result.ci_lower), (1.0, result.ci_upper)):
        found = mu_limit(reference, target, finer, side, 60)
        assert side * limit >= side * found - 1e-8
        assert limit == pytest.approx(found, abs=1e-3)


def test_the_beta_binomial_likelihood_is_scipys() -> None:
    result = pool_binomial(*SETS["spread"], model="beta_binomial")
    p, reference = result.response_estimate, beta_binomial(*SETS["spread"])
    for gamma in (0.05, 0.5, 4.0):
        logs = betabinom.logpmf(*SETS["spread"], p / gamma, (1 - p) / gamma)
        assert reference(result.estimate, gamma) == pytest.approx(logs.sum(), abs=1e-9)
        assert result.log_likelihood >= logs.sum()


def test_the_common_rate_has_clopper_and_pearsons_interval() -> None:
    result = pool_binomial(*SPARSE, model="common", level=0.9)
    assert result.response_ci_lower == pytest.approx(beta.ppf(0.05, 3, 148))
    assert result.response_ci_upper == pytest.approx(beta.ppf(0.95, 4, 147))
    assert result.log_likelihood == pytest.approx(pool_binomial(*SPARSE).log_likelihood)
    assert sum(result.weights) == pytest.approx(100)


@pytest.mark.parametrize("model", ["binomial_normal", "beta_binomial", "common"])
def test_without_events_the_rate_is_zero_and_its_interval_one_sided(model: str) -> None:
    result = pool_binomial([0, 0, 0, 0], [12, 20, 35, 8], model=model)
    assert result.estimate == result.ci_lower == -np.inf
    assert result.response_estimate == result.response_ci_lower == result.response_population == 0
    assert 0 < result.response_ci_upper < 1
    assert result.log_likelihood == 0
    full = pool_binomial([12, 20, 35, 8], [12, 20, 35, 8], model=model)
    assert full.response_estimate == 1
    assert full.response_ci_lower == pytest.approx(1 - result.response_ci_upper)


def test_the_one_sided_limit_is_where_the_profile_likelihood_meets_the_cut() -> None:
    events, n = [0, 0, 0, 0], [12, 20, 35, 8]
    limit = pool_binomial(events, n).response_ci_upper
    assert limit == pytest.approx(1 - np.exp(-CUT / 75))
    reference = binomial_normal(events, n)
    assert max(reference(logit(limit), tau) for tau in TAU) == pytest.approx(-CUT, abs=1e-9)
    beta_limit = pool_binomial(events, n, model="beta_binomial").response_ci_upper
    reference = beta_binomial(events, n)
    assert max(reference(logit(beta_limit), gamma) for gamma in GAMMA) == pytest.approx(-CUT, abs=2e-2)
    assert reference(logit(beta_limit), 1e7) == pytest.approx(-CUT, abs=1e-5)


@pytest.mark.parametrize("model", ["binomial_normal", "beta_binomial"])
def test_one_study_has_its_exact_interval_and_no_heterogeneity(model: str) -> None:
    with pytest.warns(PasimetaWarning, match="single study"):
        result = pool_binomial([3], [10], model=model)
    assert result.tau2 is result.pi_lower is result.response_pi_upper is None
    assert (result.q, result.q_df, result.q_p_value) == (0, 0, 1)
    assert result.response_ci_lower == pytest.approx(beta.ppf(0.025, 3, 8))
    assert result.response_ci_upper == pytest.approx(beta.ppf(0.975, 4, 7))


def test_all_or_none_studies_have_no_finite_tau2() -> None:
    with pytest.warns(PasimetaWarning, match="all-or-none"):
        result = pool_binomial([0, 0, 10], [10, 10, 10])
    assert result.tau2 == result.tau2_ci_upper == np.inf
    assert result.estimate == -np.inf
    assert result.response_population == pytest.approx(1 / 3)
    assert result.log_likelihood == pytest.approx(np.log(4 / 27))
    assert (result.response_pi_lower, result.response_pi_upper) == (0, 1)
    bounded = pool_binomial([0, 0, 10], [10, 10, 10], model="beta_binomial")
    assert bounded.response_estimate == pytest.approx(1 / 3)
    assert 0 < bounded.response_ci_lower < bounded.response_ci_upper < 1


def test_single_patients_are_one_binomial_sample() -> None:
    result = pool_binomial([0, 1, 0, 1, 1], [1] * 5)
    assert result.response_ci_upper == pytest.approx(beta.ppf(0.975, 4, 2))
    assert result.tau2 is None


def test_huge_studies_are_fitted_as_their_log_odds_would_be() -> None:
    events, n = np.array([1.0e6, 1.2e6, 0.9e6, 1.1e6]), np.full(4, 1e7)
    exact = pool_binomial(events, n)
    normal = pool(logit(events / n), 1 / events + 1 / (n - events), method="ML")
    assert exact.estimate == pytest.approx(normal.estimate, abs=1e-6)
    assert exact.tau2 == pytest.approx(normal.tau2, rel=1e-4)


def test_a_second_maximum_is_not_taken_for_the_first() -> None:
    # one study far from two that agree: the profile over tau has a ridge of its own beside the boundary
    reference = binomial_normal([0, 0, 8], [60, 60, 9], points=2001)
    value, _, tau = maximum(reference, np.geomspace(0.05, 60, 40))
    result = pool_binomial([0, 0, 8], [60, 60, 9])
    assert result.log_likelihood == pytest.approx(value, abs=1e-7)
    assert np.sqrt(result.tau2) == pytest.approx(tau, rel=1e-4)


def test_prediction_is_wider_than_confidence_and_not_collapsed_at_the_boundary() -> None:
    result = pool_binomial([3, 3, 3], [100, 100, 100])
    assert result.tau2 == 0
    assert result.pi_lower < result.ci_lower < result.ci_upper < result.pi_upper


def test_the_deviance_is_the_likelihood_ratio_of_one_rate_against_many() -> None:
    x, n = np.array([2.0, 5, 9]), np.array([14.0, 40, 30])
    p = x.sum() / n.sum()
    expected = 2 * (x * np.log(x / n / p) + (n - x) * np.log((1 - x / n) / (1 - p))).sum()
    result = pool_binomial(x, n)
    assert result.q == pytest.approx(expected)
    assert result.q_p_value == pytest.approx(chi2.sf(expected, 2))


@pytest.mark.parametrize("model", ["binomial_normal", "beta_binomial", "common"])
def test_many_data_sets_at_once_are_the_same_as_one_by_one(model: str) -> None:
    generator = np.random.default_rng(3)
    n = generator.integers(1, 40, (4, 30))
    events = generator.binomial(n, generator.choice([0.0, 0.05, 0.4, 0.97], (1, 30)))
    events[:, 0], n[:, 1] = n[:, 0], 1
    events[:, 1] = np.minimum(events[:, 1], 1)
    together = pool_binomial(events, n, model=model)
    for column in range(30):
        alone = pool_binomial(events[:, column], n[:, column], model=model)
        for name in ("estimate", "ci_lower", "ci_upper", "pi_upper", "tau2", "tau2_ci_upper", "response_population"):
            both = getattr(together, name)
            expected = np.nan if getattr(alone, name) is None else getattr(alone, name)
            got = np.nan if both is None else both[column]
            np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-7, err_msg=f"{name}, data set {column}")


counts = st.lists(st.tuples(st.integers(0, 12), st.integers(1, 12)), min_size=2, max_size=5).map(
    lambda rows: ([min(x, n) for x, n in rows], [n for _, n in rows])
)


@given(counts, st.sampled_from(["binomial_normal", "beta_binomial", "common"]), st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_order_does_not_matter_and_non_events_mirror_events(data, model, random) -> None:
    events, n = data
    result = pool_binomial(events, n, model=model)
    order = list(range(len(n)))
    random.shuffle(order)
    shuffled = pool_binomial([events[i] for i in order], [n[i] for i in order], model=model)
    mirrored = pool_binomial([m - x for x, m in zip(events, n, strict=True)], n, model=model)
    for name in ("response_estimate", "response_ci_lower", "response_ci_upper", "log_likelihood"):
        np.testing.assert_allclose(getattr(shuffled, name), getattr(result, name), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(mirrored.response_estimate, 1 - result.response_estimate, atol=1e-6)
    np.testing.assert_allclose(mirrored.response_ci_lower, 1 - result.response_ci_upper, atol=1e-6)
    np.testing.assert_allclose(mirrored.log_likelihood, result.log_likelihood, atol=1e-7)


@given(counts, st.sampled_from(["binomial_normal", "beta_binomial", "common"]))
@settings(max_examples=40)
def test_intervals_hold_the_estimate_and_grow_with_the_level(data, model) -> None:
    narrow, wide = (pool_binomial(*data, model=model, level=level) for level in (0.8, 0.95))
    assert wide.response_ci_lower <= narrow.response_ci_lower + 1e-9
    assert narrow.response_ci_lower <= narrow.response_estimate + 1e-9
    assert narrow.response_estimate <= narrow.response_ci_upper + 1e-9
    assert narrow.response_ci_upper <= wide.response_ci_upper + 1e-9
    if narrow.tau2 is not None and narrow.tau2_ci_lower is not None:
        assert wide.tau2_ci_lower <= narrow.tau2_ci_lower + 1e-9 <= narrow.tau2 + 1e-6
        assert narrow.tau2 <= narrow.tau2_ci_upper * (1 + 1e-9) <= wide.tau2_ci_upper * (1 + 1e-6)


def test_tau2_of_zero_is_the_common_rate() -> None:
    exact, common = pool_binomial([3, 3, 3], [10, 10, 10]), pool_binomial([3, 3, 3], [10, 10, 10], model="common")
    assert exact.tau2 == 0
    assert exact.estimate == pytest.approx(common.estimate)
    assert exact.se == pytest.approx(common.se)
    assert exact.log_likelihood == pytest.approx(common.log_likelihood)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"events": [1, 5], "n": [10, 4]}, "events, row 2.*exceeds n"),
        ({"events": [1], "n": [0]}, "n, row 1.*empty"),
        ({"events": [1.5], "n": [10]}, "row 1.*whole number"),
        ({"events": [-1], "n": [10]}, "negative"),
        ({"events": [np.nan], "n": [10]}, "not finite"),
        ({"events": [], "n": []}, "no study"),
        ({"events": ["two"], "n": [10]}, "not a number"),
        ({"events": [1, 2], "n": [10]}, "unequal lengths"),
        ({"events": [1], "n": [10], "level": 1.0}, "level"),
        ({"events": [1], "n": [10], "model": "normal"}, "model.*choose one of"),
        ({"events": np.ones((2, 2, 2)), "n": np.ones((2, 2, 2))}, "shape"),
    ],
)
def test_bad_input_is_refused_with_the_row_and_the_remedy(arguments, words) -> None:
    with pytest.raises(PasimetaError, match=words):
        pool_binomial(**arguments)


def test_doubts_are_warned_of_and_kept() -> None:
    with pytest.warns(PasimetaWarning) as caught:
        result = pool_binomial([2, 5], [14, 40])
    assert len(result.warnings) == 2
    assert {str(w.message) for w in caught} == set(result.warnings)
    assert {w.filename for w in caught} == {__file__}


def test_the_median_study_lies_beyond_the_population_average(vasospasm) -> None:
    result = pool_binomial(**vasospasm)
    assert 0.5 < result.response_population < result.response_estimate
