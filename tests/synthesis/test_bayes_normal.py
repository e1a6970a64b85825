"""Bayesian pooling of effect sizes: bayesmeta's numbers, brute force, and what a prior does or can't do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import cauchy, halfnorm, norm

from pasimeta.effects import escalc
from pasimeta.errors import PasimetaError, PasimetaWarning
from pasimeta.synthesis import pool, pool_bayes, prior_sensitivity

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")

YI, VI = np.array([-0.9, -1.3, 0.2, 0.5]), np.array([0.1, 0.2, 0.15, 0.4])


@pytest.fixture(scope="module")
def acute_rejection():
    """Six trials of interleukin-2 receptor antagonists (Crins ND, et al. Pediatr Transplant 2014;18:839-850)."""
    return escalc(
        "OR",
        events1=[14, 16, 3, 9, 4, 0],
        n1=[61, 28, 18, 54, 36, 50],
        events2=[15, 19, 8, 29, 11, 3],
        n2=[20, 28, 12, 54, 36, 34],
    )


def grid_posterior(log_prior, mu_prior, tau_end=60.0):
    """Dense sums over tau (and mu where it has a prior): moments and quantiles."""
    tau = (np.arange(60_000) + 0.5) * (tau_end / 60_000)
    total = VI[:, None] + tau**2
    precision = (1 / total).sum(axis=0) + (0 if mu_prior is None else mu_prior[1] ** -2)
    mean = ((YI[:, None] / total).sum(axis=0) + (0 if mu_prior is None else mu_prior[0] / mu_prior[1] ** 2)) / precision
    logs = log_prior(tau) - 0.5 * np.log(total).sum(axis=0) - 0.5 * np.log(precision)
    logs = logs - 0.5 * ((YI[:, None] - mean) ** 2 / total).sum(axis=0)
    if mu_prior is not None:
        logs = logs - 0.5 * ((mean - mu_prior[0]) / mu_prior[1]) ** 2
    weights = np.exp(logs - logs.max())
    return tau, weights / weights.sum(), mean, precision**-0.5


@pytest.mark.parametrize(
    ("tau_prior", "log_prior"),
    [
        (("half_normal", 0.5), lambda t: halfnorm.logpdf(t, scale=0.5)),
        (("half_cauchy", 0.5), lambda t: cauchy.logpdf(t, scale=0.5)),
        (("half_t", 0.7, 4), lambda t: -2.5 * np.log1p((t / 0.7) ** 2 / 4)),
        (("uniform", 3), lambda t: np.where(t < 3, 0.0, -np.inf)),
    ],
)
@pytest.mark.parametrize("mu_prior", [None, (0.5, 1.0)])
def test_summaries_agree_with_a_dense_grid(tau_prior, log_prior, mu_prior) -> None:
    result = pool_bayes(YI, VI, tau_prior, mu_prior)
    heavy = tau_prior[0] == "half_cauchy"
    tau, weights, mean, sd = grid_posterior(log_prior, mu_prior, 600 if heavy else 60)
    below = np.cumsum(weights)
    for probability, value in ((0.025, result.tau_lower), (0.5, result.tau_median), (0.975, result.tau_upper)):
        assert value == pytest.approx(np.interp(probability, below, tau), abs=1e-2 if heavy else 1e-3)
    assert result.mu_mean == pytest.approx(weights @ mean, abs=1e-4)
    for spread, lower, upper in (
        (sd, result.mu_lower, result.mu_upper),
        (np.sqrt(sd**2 + tau**2), result.predictive_lower, result.predictive_upper),
    ):
        assert weights @ norm.cdf((lower - mean) / spread) == pytest.approx(0.025, abs=1e-4)
        assert weights @ norm.cdf((upper - mean) / spread) == pytest.approx(0.975, abs=1e-4)


def test_the_evidence_is_the_integral_of_likelihood_times_prior() -> None:
    def integrand(mu: float, tau: float) -> float:
        likelihood = norm.pdf(YI, mu, np.sqrt(VI + tau**2)).prod()
        return likelihood * norm.pdf(mu, 0.5, 1.0) * halfnorm.pdf(tau, scale=0.5)

    x = np.linspace(0, 5, 101)
    inner = [quad(integrand, -8, 8, args=(tau,), epsabs=1e-13)[0] for tau in x]
    simpson = np.ones(101)
    simpson[1:-1:2], simpson[2:-1:2] = 4, 2
    evidence = float(simpson @ inner) * (x[1] - x[0]) / 3
    result = pool_bayes(YI, VI, ("half_normal", 0.5), (0.5, 1.0))
    assert result.log_marginal_likelihood == pytest.approx(np.log(evidence), abs=1e-6)


def test_acute_rejection_agrees_with_bayesmeta(acute_rejection) -> None:
    # bayesmeta's model and priors, integrated independently for the project's conformance suite
    result = pool_bayes(*acute_rejection, ("half_normal", 0.5))
    expected = {
        "mu_median": -1.5835093545035335,
        "mu_lower": -2.255467263445565,
        "mu_upper": -0.9431984661382335,
        "tau_median": 0.3454027913482556,
        "tau_upper": 0.9748076287566254,
        "predictive_lower": -2.7930502852010997,
    }
    for name, value in expected.items():
        assert getattr(result, name) == pytest.approx(value, abs=1e-5), name


def test_a_prior_at_zero_is_the_equal_effects_model() -> None:
    equal = pool(YI, VI, method="EE", test="z")
    result = pool_bayes(YI, VI, ("half_normal", 1e-6))
    assert result.mu_mean == pytest.approx(equal.estimate, abs=1e-9)
    assert result.mu_sd == pytest.approx(equal.se, abs=1e-9)
    assert (result.mu_lower, result.mu_upper) == pytest.approx((equal.ci_lower, equal.ci_upper), abs=1e-9)


def test_shrunken_effects_lie_between_the_study_and_the_mean() -> None:
    result = pool_bayes(YI, VI)
    for own, shrunk, sd, v in zip(YI, result.study_mean, result.study_sd, VI, strict=True):
        assert min(own, result.mu_mean) < shrunk < max(own, result.mu_mean)
        assert sd < np.sqrt(v)
    assert list(result.studies().columns) == ["mean", "sd", "lower", "upper"]


def test_probabilities_densities_and_quantiles_are_one_distribution() -> None:
    result = pool_bayes(YI, VI, level=0.9)
    for quantity in ("mu", "tau", "predictive"):
        lower, median, upper = (getattr(result, f"{quantity}_{part}") for part in ("lower", "median", "upper"))
        assert result.probability(quantity, below=lower) == pytest.approx(0.05, abs=1e-9)
        assert result.probability(quantity, above=median) == pytest.approx(0.5, abs=1e-9)
        assert result.probability(quantity, above=lower, below=upper) == pytest.approx(0.9, abs=1e-9)
        area = quad(lambda x, q=quantity: float(result.density(q, x)), lower, upper, epsabs=1e-10)[0]
        assert area == pytest.approx(0.9, abs=1e-7)
    assert result.probability("mu", above=[-np.inf, 0.0, np.inf]).tolist()[::2] == [1, 0]


def test_same_input_same_digits() -> None:
    first, again = pool_bayes(YI, VI, ("half_cauchy", 0.3)), pool_bayes(YI, VI, ("half_cauchy", 0.3))
    assert first == again


def test_one_study_keeps_the_prior_of_tau() -> None:
    with pytest.warns(PasimetaWarning, match="single study"):
        result = pool_bayes([0.4], [0.1], ("half_normal", 0.5))
    assert result.tau_median == pytest.approx(halfnorm.ppf(0.5, scale=0.5), abs=1e-9)
    assert result.study_mean[0] == pytest.approx(0.4)


def test_moments_that_do_not_exist_are_not_given_a_number() -> None:
    result = pool_bayes([0.4, 0.6], [0.1, 0.1], ("half_cauchy", 0.5))
    assert np.isfinite(result.tau_mean)
    assert result.tau_sd == result.mu_sd == np.inf
    alone = pool_bayes([0.4], [0.1], ("half_cauchy", 0.5))
    assert alone.tau_mean == np.inf
    assert alone.mu_mean is alone.mu_sd is None
    assert alone.tau_median == pytest.approx(0.5, abs=1e-9)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"yi": [1.0], "vi": [0.1], "tau_prior": ("uniform", np.inf)}, "no posterior"),
        ({"yi": [1.0, 2.0], "vi": [0.1, 0.1], "tau_prior": ("uniform", np.inf)}, "no posterior"),
        ({"yi": [1.0], "vi": [0.1], "tau_prior": ("uniform", np.inf), "mu_prior": (0, 1)}, "no posterior"),
        ({"yi": [1.0], "vi": [0.0]}, "vi, row 1.*not positive"),
        ({"yi": [1.0], "vi": [0.1], "tau_prior": ("half_normal", 0)}, "scale 0 is not a positive"),
        ({"yi": [1.0], "vi": [0.1], "tau_prior": ("half_normal",)}, "takes scale"),
        ({"yi": [1.0], "vi": [0.1], "tau_prior": ("half_t", 1)}, "takes scale and df"),
        ({"yi": [1.0], "vi": [0.1], "tau_prior": ("gamma", 1)}, "choose one of"),
        ({"yi": [1.0], "vi": [0.1], "tau_prior": "half_normal"}, "no prior"),
        ({"yi": [1.0], "vi": [0.1], "mu_prior": (0, -1)}, "mu_prior"),
        ({"yi": [1.0], "vi": [0.1], "level": 95}, "level"),
        ({"yi": np.ones((2, 2)), "vi": np.ones((2, 2))}, "several data sets"),
    ],
)
def test_bad_input_and_improper_posteriors_are_refused(arguments, words) -> None:
    with pytest.raises(PasimetaError, match=words):
        pool_bayes(**arguments)


def test_an_improper_prior_is_accepted_where_the_posterior_is_proper() -> None:
    result = pool_bayes(YI, VI, ("uniform", np.inf))
    assert result.log_marginal_likelihood is None
    assert result.tau_upper == pytest.approx(pool_bayes(YI, VI, ("uniform", 1e6)).tau_upper, rel=1e-6)


@pytest.mark.parametrize("quantity", ["rate", "nonsense"])
def test_a_quantity_the_model_lacks_is_refused(quantity) -> None:
    result = pool_bayes(YI, VI)
    with pytest.raises(PasimetaError, match="quantity"):
        result.probability(quantity, above=0.1)
    with pytest.raises(PasimetaError, match="no bound"):
        result.probability("mu")


def test_the_sensitivity_curve_has_a_row_a_prior() -> None:
    curve = prior_sensitivity(yi=YI, vi=VI, families=("half_normal", ("half_t", 4)), scales=(0.2, 1.0))
    assert curve["family"].tolist() == ["half_normal"] * 2 + ["half_t"] * 2
    assert curve["tau_median"].is_monotonic_increasing or curve["tau_median"][1] > curve["tau_median"][0]
    single = pool_bayes(YI, VI, ("half_t", 1.0, 4))
    assert curve["mu_lower"].iloc[-1] == single.mu_lower
    with pytest.raises(PasimetaError, match="either"):
        prior_sensitivity(yi=YI, vi=VI, events=[1], n=[2])


@given(
    st.lists(st.tuples(st.floats(-3, 3), st.floats(0.01, 2)), min_size=1, max_size=6),
    st.sampled_from([("half_normal", 0.5), ("half_cauchy", 1.0), ("uniform", 4.0)]),
    st.floats(-5, 5),
)
@settings(max_examples=30)
def test_shifting_and_flipping_the_effects_moves_only_the_mean(rows, tau_prior, shift) -> None:
    y, v = np.array(rows).T
    base, moved, flipped = (pool_bayes(effects, v, tau_prior) for effects in (y, y + shift, -y))
    assert moved.mu_median == pytest.approx(base.mu_median + shift, abs=1e-6)
    assert flipped.mu_lower == pytest.approx(-base.mu_upper, abs=1e-6)
    assert moved.tau_upper == pytest.approx(base.tau_upper, rel=1e-6)
    assert base.predictive_lower <= base.mu_lower <= base.mu_median <= base.mu_upper <= base.predictive_upper
