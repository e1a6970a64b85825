"""Intercepts drawn from a normal distribution, against lme4 and against adaptive quadrature."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize, minimize_scalar
from scipy.stats import binom, norm

from pasimeta.errors import PasimetaError
from pasimeta.moderators.one_stage import one_stage
from pasimeta.moderators.random_intercepts import WIDEST, MarginalLikelihood, best_random_intercepts
from pasimeta.moderators.strata import known_stratum, unknown_stratum

#: Six invented studies: responders and patients of the first group, then of the second
COUNTS = ((6, 9, 2, 8), (9, 20, 5, 18), (3, 10, 4, 15), (12, 15, 9, 15), (1, 6, 0, 7), (7, 25, 6, 22))
KNOWN = [known_stratum(f"study {i}", *counts) for i, counts in enumerate(COUNTS)]
#: The same, where one study prints its total only, and two hold one group each
MIXED = [*KNOWN[:3], unknown_stratum("total", 4, 5, (3, 5)), known_stratum("one", 2, 3, 0, 0), KNOWN[4]]

ONE_GROUP = [known_stratum("one", 1, 1, 0, 0), known_stratum("two", 2, 2, 0, 0)]


@pytest.fixture(scope="module")
def fitted():
    return one_stage(KNOWN, "random")


def test_estimate_and_profile_interval_agree_with_lme4(fitted):
    # lme4 1.1-31 under R 4.2.2: glmer(cbind(x, n - x) ~ first + (1 | study), binomial, nAGQ = 25), bobyqa to 1e-12
    assert fitted.estimate == pytest.approx(0.6579294726, abs=1e-6)
    assert fitted.intercept_sd == pytest.approx(0.7376716778, abs=1e-5)
    # confint(profile(fit)), and twice the difference of log-likelihoods without the effect
    assert (fitted.ci_lower, fitted.ci_upper) == pytest.approx((-0.0022159593, 1.335801963), abs=2e-6)
    assert 2 * fitted.support["evidence"].sum() == pytest.approx(3.81555279612, abs=1e-6)


def by_quadrature(stratum, effect, mean, sd):
    def density(a):
        return np.exp(float(stratum.log_likelihood(a, effect))) * norm.pdf(a, mean, sd)

    return np.log(quad(density, mean - 9 * sd, mean + 9 * sd, epsabs=1e-14, epsrel=1e-12, limit=400)[0])


@pytest.mark.parametrize(("mean", "sd"), [(-0.9, 0.74), (0.5, 0.05), (-3.0, 4.5), (2.0, 0.21)])
def test_marginal_likelihood_agrees_with_adaptive_quadrature(mean, sd):
    found = MarginalLikelihood(MIXED, np.array([0.8])).at(np.array([[mean, sd]]))[0][0]
    assert found == pytest.approx([by_quadrature(s, 0.8, mean, sd) for s in MIXED], abs=1e-8)


def test_an_unknown_allocation_is_averaged_too():
    rng = np.random.default_rng(5)
    a = rng.normal(-0.5, 1.2, 400_000)
    total = rng.binomial(4, 1 / (1 + np.exp(-a - 0.8))) + rng.binomial(5, 1 / (1 + np.exp(-a)))
    found = MarginalLikelihood([MIXED[3]], np.array([0.8])).at(np.array([[-0.5, 1.2]]))[0][0, 0]
    assert ((total >= 3) & (total <= 5)).mean() == pytest.approx(np.exp(found), abs=0.004)


def test_best_distribution_agrees_with_a_general_optimiser():
    strata = [*MIXED, known_stratum("far", 9, 10, 8, 10)]
    effects = np.array([-1.0, 0.8, 3.0])
    found = best_random_intercepts(strata, effects, np.array([0.3, -0.8, -2.0]))
    for i, effect in enumerate(effects):
        likelihood = MarginalLikelihood(strata, np.array([effect]))
        other = minimize(
            lambda at, to=likelihood: -to.at(np.array([[at[0], abs(at[1])]]))[0].sum(),
            [-1.0, 0.5],
            method="Nelder-Mead",
        )
        assert found.log_likelihoods[i].sum() >= -other.fun - 1e-9
        assert (found.mean[i], found.sd[i]) == pytest.approx((other.x[0], abs(other.x[1])), abs=1e-3)


def test_studies_more_alike_than_chance_have_one_intercept():
    alike = [known_stratum(str(i), 6, 10, 4, 10) for i in range(4)]
    drawn, common = one_stage(alike, "random"), one_stage(alike, "common")
    assert drawn.intercept_sd == 0
    assert drawn.estimate == pytest.approx(common.estimate, abs=1e-6)
    x = binom.logpmf(6, 10, 0.6) + binom.logpmf(4, 10, 0.4)
    assert common.support["evidence"].sum() == pytest.approx(
        4 * (x - 2 * np.log(0.5**10) - np.log(210 * 210)), abs=1e-6
    )


def test_far_apart_studies_speak_within_themselves():
    apart = [
        known_stratum("low", 4, 40, 2, 40),
        known_stratum("high", 38, 40, 36, 40),
        known_stratum("mid", 22, 40, 18, 40),
    ]
    within, drawn, common = (one_stage(apart, how).estimate for how in ("study", "random", "common"))
    assert abs(drawn - within) < 0.2 * abs(common - within)


def test_two_studies_are_refused():
    with pytest.raises(PasimetaError, match="2 studies; random intercepts need 3"):
        one_stage(KNOWN[:2], "random")


def test_where_the_widest_distribution_is_the_best_its_mean_still_is():
    # far odds ratios push studies of mixed and of single groups apart, until the sd reaches its bound
    strata = [known_stratum("mixed", 5, 6, 2, 11), unknown_stratum("total", 2, 5, (2, 2)), *ONE_GROUP]
    effects = np.arange(-14.0, -7.0)
    found = best_random_intercepts(strata, effects, -effects / 2)
    assert (found.sd == WIDEST).sum() >= 3
    for i in np.flatnonzero(found.sd == WIDEST):
        likelihood = MarginalLikelihood(strata, effects[[i]])
        best = minimize_scalar(
            lambda mean, to=likelihood: -to.at(np.array([[mean, WIDEST]]))[0].sum(), bounds=(-15, 15), method="bounded"
        )
        assert found.log_likelihoods[i].sum() >= -best.fun - 1e-9
