"""Every interval of a 2 x 2 table against brute force, published values or an independent implementation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import barnard_exact, binom, boschloo_exact, nchypergeom_fisher

from pasimeta.errors import PasimetaError
from pasimeta.moderators.firth import firth_logistic
from pasimeta.moderators.restricted_rates import MEASURES, deviance, first_rate, restricted_rates, second_rate_range
from pasimeta.moderators.two_by_two import profile_interval, score_interval, two_by_two
from pasimeta.moderators.unconditional import unconditional_interval, unconditional_p_value

GROUPS = st.integers(1, 12).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
CHENG = (6, 9, 2, 8)


@pytest.fixture(scope="module")
def cheng():
    return two_by_two(*CHENG).to_frame().set_index(["measure", "method"])


def negative_log_likelihood(measure, value, table):
    x1, n1, x2, n2 = table

    def loss(rate2):
        rate1 = float(first_rate(measure, value, rate2))
        return -binom.logpmf(x1, n1, rate1) - binom.logpmf(x2, n2, rate2)

    return loss


@pytest.mark.parametrize("table", [CHENG, (1, 5, 7, 9), (3, 11, 3, 4), (0, 6, 2, 7)])
@pytest.mark.parametrize(
    ("measure", "value"), [("RD", 0.13), ("RD", -0.4), ("RR", 2.2), ("RR", 0.3), ("OR", 7.0), ("OR", 0.2)]
)
def test_restricted_rates_maximise_the_likelihood(measure, value, table):
    loss = negative_log_likelihood(measure, value, table)
    low, high = second_rate_range(measure, value)
    best = minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-12})
    rate2 = float(restricted_rates(measure, value, *table)[1])
    assert loss(np.clip(rate2, 1e-15, 1 - 1e-15)) <= best.fun + 1e-7


@pytest.mark.parametrize("measure", MEASURES)
def test_profile_interval_ends_where_the_deviance_is_the_chi_square_quantile(measure):
    for limit in profile_interval(measure, *CHENG):
        assert float(deviance(measure, limit, *CHENG)) == pytest.approx(3.841458820694124, abs=1e-6)


def test_conditional_interval_inverts_the_noncentral_hypergeometric(cheng):
    row = cheng.loc[("OR", "conditional")]
    assert nchypergeom_fisher(17, 9, 8, row["lower"]).sf(5) == pytest.approx(0.025, abs=1e-6)
    assert nchypergeom_fisher(17, 9, 8, row["upper"]).cdf(6) == pytest.approx(0.025, abs=1e-6)
    mid = cheng.loc[("OR", "mid_p")]
    distribution = nchypergeom_fisher(17, 9, 8, mid["lower"])
    assert distribution.sf(6) + 0.5 * distribution.pmf(6) == pytest.approx(0.025, abs=1e-6)


@pytest.mark.parametrize("table", [CHENG, (5, 5, 1, 4), (1, 6, 4, 7)])
def test_unconditional_p_values_agree_with_scipy(table):
    # scipy searches the nuisance rate by a general optimiser: good to about 1e-4
    x1, n1, x2, n2 = table
    columns = np.array([[x1, x2], [n1 - x1, n2 - x2]])
    for side, alternative in ((1, "greater"), (-1, "less")):
        assert unconditional_p_value("OR", 1.0, *table, side, "conditional") == pytest.approx(
            boschloo_exact(columns, alternative=alternative).pvalue, abs=1e-4
        )
        # scipy calls a larger first group "less" in Barnard's statistic
        ours = unconditional_p_value("RD", 0.0, *table, side)
        theirs = [barnard_exact(columns, alternative=a).pvalue for a in ("greater", "less")]
        assert min(abs(ours - p) for p in theirs) < 1e-4


@pytest.mark.parametrize(
    ("measure", "order"), [("RD", "score"), ("RR", "score"), ("OR", "score"), ("OR", "conditional")]
)
def test_exact_unconditional_intervals_never_cover_too_little(measure, order):
    # exact coverage by enumeration over every table of 4 and 3 patients, at 80 %
    limits = {(a, b): unconditional_interval(measure, a, 4, b, 3, 0.8, order) for a in range(5) for b in range(4)}
    for rate1, rate2 in ((0.5, 0.5), (0.8, 0.2), (0.15, 0.4), (0.9, 0.7)):
        truth = {"RD": rate1 - rate2, "RR": rate1 / rate2, "OR": rate1 * (1 - rate2) / (rate2 * (1 - rate1))}[measure]
        covered = sum(
            binom.pmf(a, 4, rate1) * binom.pmf(b, 3, rate2)
            for (a, b), (low, high) in limits.items()
            if low - 1e-7 <= truth <= high + 1e-7
        )
        assert covered >= 0.8


def test_exact_limit_is_where_the_worst_tail_is_half_of_alpha():
    lower, upper = unconditional_interval("RD", *CHENG)
    assert unconditional_p_value("RD", lower + 1e-6, *CHENG, 1) > 0.025
    assert unconditional_p_value("RD", lower - 1e-3, *CHENG, 1) <= 0.025
    assert unconditional_p_value("RD", upper + 1e-3, *CHENG, -1) <= 0.025


def test_every_interval_holds_its_estimate_and_agrees_with_its_test(cheng):
    assert len(cheng) == 13
    assert ((cheng["lower"] <= cheng["estimate"]) & (cheng["estimate"] <= cheng["upper"])).all()
    assert (cheng["includes_no_effect"] == (cheng["p_value"] > 0.05)).all()


@settings(max_examples=40)
@given(GROUPS, GROUPS)
def test_swapping_groups_inverts_the_ratios(first, second):
    for measure in ("RR", "OR"):
        there, back = score_interval(measure, *first, *second), score_interval(measure, *second, *first)
        for mine, theirs in zip(there, reversed(back), strict=True):
            inverse = np.inf if theirs == 0 else 1 / theirs
            assert mine == pytest.approx(inverse, rel=1e-5, abs=1e-9) or min(mine, inverse) > 1e8


def test_firth_of_a_saturated_table_adds_half_to_every_cell():
    fit = firth_logistic([6, 2], [9, 8], {"women": [1, 0]})
    assert np.exp(fit.estimate[1]) == pytest.approx(6.5 * 6.5 / (3.5 * 2.5), rel=1e-8)


def test_firth_limits_are_where_the_profiled_penalty_loses_half_a_chi_square():
    # brute force: the penalised likelihood of the saturated table on a grid of intercepts
    fit = firth_logistic([6, 2], [9, 8], {"women": [1, 0]})

    def profiled(effect):
        a = np.linspace(-8, 8, 160_001)
        p1, p2 = 1 / (1 + np.exp(-a - effect)), 1 / (1 + np.exp(-a))
        penalty = 0.5 * np.log(9 * p1 * (1 - p1) * 8 * p2 * (1 - p2))
        values = 6 * np.log(p1) + 3 * np.log1p(-p1) + 2 * np.log(p2) + 6 * np.log1p(-p2) + penalty
        return values.max()

    for limit in (fit.ci_lower[1], fit.ci_upper[1]):
        assert profiled(fit.estimate[1]) - profiled(limit) == pytest.approx(3.841458820694124 / 2, abs=1e-5)


def test_firth_stays_finite_where_a_predictor_separates():
    fit = firth_logistic([0, 5], [5, 5], {"x": [0, 1]})
    assert np.isfinite(fit.estimate).all()
    assert fit.ci_lower[1] > 0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: two_by_two(10, 9, 2, 8), "row 1"),
        (lambda: two_by_two(6, 9, 2, 8, 95), "level"),
        (lambda: unconditional_interval("RD", 1, 200, 1, 200), "score interval"),
        (lambda: unconditional_p_value("RD", 0, 1, 2, 1, 2, 1, "conditional"), "order='score'"),
        (lambda: firth_logistic([1, 2], [3, 3], {"x": [1, 1]}), "collinear"),
        (lambda: firth_logistic([1, 2], [3, 3], {"x": [1, np.nan]}), "x, row 2"),
    ],
)
def test_bad_input_is_refused_with_a_remedy(call, words):
    with pytest.raises(PasimetaError, match=words):
        call()
