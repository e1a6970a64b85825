"""Mantel-Haenszel, Peto, the exact conditional odds ratio, and the model with fixed study effects."""

import numpy as np
import pytest
from exact_references import Array
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize, minimize_scalar
from scipy.stats import chi2, fisher_exact, hypergeom, nchypergeom_fisher

from pasimeta.errors import PasimetaError, PasimetaWarning
from pasimeta.synthesis import exact_odds_ratio, mantel_haenszel, peto, pool_two_arm_binomial

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")

#: Coated against standard catheters in 18 trials (Niel-Weise BS, et al. Intensive Care Med 2007;33:2058-2068).
CATHETERS = {
    "events1": [0, 1, 2, 0, 5, 1, 1, 1, 1, 1, 0, 0, 3, 6, 0, 0, 1, 4],
    "n1": [116, 44, 208, 130, 151, 98, 174, 74, 97, 113, 66, 70, 188, 187, 118, 252, 345, 64],
    "events2": [3, 3, 9, 7, 6, 4, 3, 2, 19, 2, 7, 1, 5, 11, 0, 1, 3, 1],
    "n2": [117, 35, 195, 136, 157, 139, 177, 39, 103, 122, 64, 58, 175, 180, 105, 262, 362, 69],
}
RARE = {
    "events1": [0, 2, 0, 1, 3, 0, 2, 1],
    "n1": [250, 500, 180, 320, 600, 95, 450, 210],
    "events2": [1, 5, 3, 4, 7, 2, 6, 3],
    "n2": [248, 510, 182, 325, 605, 98, 445, 215],
}


def swapped(data):
    return {"events1": data["events2"], "n1": data["n2"], "events2": data["events1"], "n2": data["n1"]}


@pytest.mark.parametrize(
    ("measure", "estimate", "se", "q"),
    [
        # metafor 5.1-12, rma.mh; study 15 has no event and counts in the sums, not in q
        ("OR", -1.20870483273377, 0.222445421341601, 16.8636572911234),
        ("RR", -1.17777194418453, 0.218167943895619, 16.3881481978085),
        ("RD", -0.0242621874447245, 0.00422430915666536, 56.2514139396557),
    ],
)
def test_mantel_haenszel_agrees_with_metafor(measure, estimate, se, q) -> None:
    result = mantel_haenszel(**CATHETERS, measure=measure)
    assert (result.estimate, result.se, result.q) == pytest.approx((estimate, se, q), rel=1e-11)
    assert result.q_df == 16
    assert result.q_p_value == pytest.approx(chi2.sf(q, 16))
    assert result.response_estimate == pytest.approx(estimate if measure == "RD" else np.exp(estimate))
    assert sum(result.weights) == pytest.approx(100)


def test_peto_agrees_with_metafor() -> None:
    result = peto(**CATHETERS)
    expected = (-1.10574494676301, 0.191587337011734, 18.7345092861252)
    assert (result.estimate, result.se, result.q) == pytest.approx(expected, rel=1e-11)


def test_many_data_sets_at_once_are_the_same_as_one_by_one() -> None:
    generator = np.random.default_rng(5)
    sizes = generator.integers(20, 60, (2, 5, 12))
    events = generator.binomial(sizes, 0.3)
    arguments = (events[0], sizes[0], events[1], sizes[1])
    for pooled in (mantel_haenszel, peto):
        together = pooled(*arguments)
        for column in range(12):
            alone = pooled(*(a[:, column] for a in arguments))
            for name in ("estimate", "se", "ci_upper", "q", "q_df", "i2", "response_ci_lower"):
                assert getattr(together, name)[column] == pytest.approx(getattr(alone, name))


@pytest.mark.parametrize("pooled", [mantel_haenszel, peto, exact_odds_ratio])
def test_swapping_the_arms_inverts_the_ratio(pooled) -> None:
    one, other = pooled(**CATHETERS), pooled(**swapped(CATHETERS))
    assert other.estimate == pytest.approx(-one.estimate, abs=1e-9)
    assert (other.ci_lower, other.ci_upper) == pytest.approx((-one.ci_upper, -one.ci_lower), abs=1e-8)
    assert other.p_value == pytest.approx(one.p_value)


def test_the_conditional_odds_ratio_agrees_with_metafor() -> None:
    # metafor's tests of rma.glmm, model = "CM.EL", method = "EE": -1.2236, variance 0.0502
    result = exact_odds_ratio(**CATHETERS)
    assert result.estimate == pytest.approx(-1.2236, abs=5e-5)
    assert result.se**2 == pytest.approx(0.0502, abs=5e-5)


def conditional_total(data, log_odds_ratio: float) -> tuple[int, Array]:
    """Distribution of arm 1's total events by SciPy's noncentral hypergeometric, study by study."""
    first, weights = 0, np.ones(1)
    for a, n1, c, n2 in zip(*data.values(), strict=True):
        law = nchypergeom_fisher(n1 + n2, a + c, n1, np.exp(log_odds_ratio)) if a + c else hypergeom(n1 + n2, 0, n1)
        low, high = max(0, a + c - n2), min(n1, a + c)
        first, weights = first + low, np.convolve(weights, law.pmf(np.arange(low, high + 1)))
    return first, weights


@pytest.mark.parametrize("interval", ["exact", "mid_p"])
@pytest.mark.parametrize("data", [RARE, {"events1": [3, 1], "n1": [10, 8], "events2": [1, 4], "n2": [12, 9]}])
def test_the_limits_leave_half_the_error_in_each_tail(interval, data) -> None:
    result = exact_odds_ratio(**data, interval=interval, level=0.9)
    observed, half = sum(data["events1"]), 0.5 if interval == "mid_p" else 0.0
    for limit, side in ((result.ci_lower, 1), (result.ci_upper, -1)):
        first, weights = conditional_total(data, limit)
        total = first + np.arange(len(weights))
        tail = weights[side * (total - observed) >= 0].sum() - half * weights[total == observed].sum()
        assert tail == pytest.approx(0.05, abs=1e-8)
    first, weights = conditional_total(data, result.estimate)
    assert weights @ (first + np.arange(len(weights))) == pytest.approx(observed, abs=1e-7)


def test_one_table_is_fishers_exact_test() -> None:
    result = exact_odds_ratio([3], [10], [1], [12])
    table = [[3, 7], [1, 11]]
    tails = [fisher_exact(table, alternative=side).pvalue for side in ("less", "greater")]
    assert result.p_value == pytest.approx(2 * min(tails))


def test_an_empty_arm_has_a_one_sided_interval() -> None:
    with pytest.warns(PasimetaWarning, match="one-sided"):
        result = exact_odds_ratio([0, 0], [10, 20], [1, 3], [12, 20])
    assert (result.response_estimate, result.response_ci_lower) == (0, 0)
    assert 0 < result.response_ci_upper < np.inf


def test_big_tables_do_not_underflow() -> None:
    data = {"events1": [4000, 100], "n1": [50_000, 9000], "events2": [9000, 400], "n2": [50_000, 9000]}
    result, sums = exact_odds_ratio(**data), mantel_haenszel(**data)
    assert result.estimate == pytest.approx(sums.estimate, abs=2e-3)
    assert result.se == pytest.approx(sums.se, rel=1e-2)
    assert result.p_value < 1e-300


def test_fixed_study_effects_agree_with_metafor() -> None:
    # metafor's tests: rma.glmm, model = "UM.FS": lme4 -1.2370, 0.3198; GLMMadaptive -1.2368, 0.3227
    result = pool_two_arm_binomial(**CATHETERS)
    assert result.estimate == pytest.approx(-1.2370, abs=1e-3)
    assert result.tau2 == pytest.approx(0.3198, abs=1e-3)
    # without heterogeneity metafor 4 gives theta = -1.23601476, se = 0.37973372
    at_zero = pool_two_arm_binomial(**RARE)
    assert at_zero.tau2 == 0
    assert (at_zero.estimate, at_zero.se) == pytest.approx((-1.23601476, 0.37973372), abs=1e-7)


def umfs(data, theta: float, tau: float) -> float:
    """Log-likelihood without binomial coefficients, study effects maximized one by one."""
    z = np.linspace(-9, 9, 401)
    log_normal = -0.5 * z**2 + np.log(z[1] - z[0]) - 0.5 * np.log(2 * np.pi)
    total = 0.0
    for a, n1, c, n2 in zip(*data.values(), strict=True):
        if a + c in (0, n1 + n2):
            continue

        def loss(alpha: float, a=a, n1=n1, c=c, n2=n2) -> float:
            up, down = alpha + (theta + tau * z) / 2, alpha - (theta + tau * z) / 2
            logs = a * up - n1 * np.logaddexp(0, up) + c * down - n2 * np.logaddexp(0, down) + log_normal
            return -float(logs.max() + np.log(np.exp(logs - logs.max()).sum()))

        total -= minimize_scalar(loss, bounds=(-15, 15), method="bounded", options={"xatol": 1e-9}).fun
    return total


def test_fixed_study_effects_agree_with_a_general_optimizer() -> None:
    data = {"events1": [4, 1, 9, 0], "n1": [20, 15, 30, 12], "events2": [9, 6, 8, 3], "n2": [22, 14, 31, 12]}
    found = minimize(lambda p: -umfs(data, p[0], abs(p[1])), [-0.7, 0.6], method="Nelder-Mead", options={"xatol": 1e-7})
    result = pool_two_arm_binomial(**data)
    assert result.estimate == pytest.approx(found.x[0], abs=1e-4)
    assert np.sqrt(result.tau2) == pytest.approx(abs(found.x[1]), abs=1e-3)
    peak = -found.fun
    for limit in (result.ci_lower, result.ci_upper):
        best = max(umfs(data, limit, tau) for tau in np.linspace(0, 3, 41))
        assert 2 * (peak - best) == pytest.approx(chi2.ppf(0.95, 1), abs=2e-3)
    null = max(umfs(data, 0.0, tau) for tau in np.linspace(0, 2, 61))
    assert result.statistic**2 == pytest.approx(2 * (peak - null), abs=2e-3)


tables = st.lists(
    st.tuples(st.integers(0, 8), st.integers(8, 15), st.integers(0, 8), st.integers(8, 15)), min_size=1, max_size=4
)


@given(tables)
@settings(max_examples=40)
def test_the_exact_interval_holds_the_mid_p_one(rows) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    assume(any(0 < a + c < n1 + n2 for a, n1, c, n2 in rows))
    exact, mid = exact_odds_ratio(*columns), exact_odds_ratio(*columns, interval="mid_p")
    assert exact.ci_lower <= mid.ci_lower <= exact.estimate <= mid.ci_upper <= exact.ci_upper


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: mantel_haenszel([0, 0], [10, 10], [3, 1], [10, 10]), "too empty.*exact_odds_ratio"),
        (lambda: mantel_haenszel([1], [10], [3], [10], measure="HR"), "measure.*choose one of"),
        (lambda: mantel_haenszel([11], [10], [3], [10]), "events1, row 1.*exceeds n1"),
        (lambda: mantel_haenszel([1, 2], [10, 10], [3], [10]), "unequal lengths"),
        (lambda: peto([0, 0], [10, 10], [0, 0], [10, 10]), "no study has both"),
        (lambda: exact_odds_ratio([0], [10], [0], [10]), "nothing to chance"),
        (lambda: exact_odds_ratio([1], [10], [2], [10], interval="wald"), "interval.*choose one of"),
        (lambda: pool_two_arm_binomial([0, 0], [10, 10], [3, 1], [10, 10]), "same side.*exact_odds_ratio"),
        (lambda: pool_two_arm_binomial([1], [10], [3], [10]), "fewer than two"),
        (lambda: peto([1], [10], [3], [10], level=0), "level"),
    ],
)
def test_bad_input_is_refused_with_the_remedy(call, words) -> None:
    with pytest.raises(PasimetaError, match=words):
        call()
