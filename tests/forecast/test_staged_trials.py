"""Simon's table is reproduced, the Bayesian rule obeys its definition, and operating characteristics are exact."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pasimeta.errors import PasimetaError
from pasimeta.forecast import (
    StagedDesign,
    bayesian_design,
    beta_belief,
    expected_success,
    operating_characteristics,
    simon,
    staged_table,
)

# Simon R. Control Clin Trials 1989;10:1-10, tables 1 and 2 (p1 - p0 = 0.20), expected sizes to one decimal.
# (p0, p1, alpha, beta): optimal (r1, n1, r, n, EN), minimax (r1, n1, r, n, EN)
SIMON_1989 = {
    (0.05, 0.25, 0.10, 0.10): ((0, 9, 2, 24, 14.5), (0, 13, 2, 20, 16.4)),
    (0.05, 0.25, 0.05, 0.20): ((0, 9, 2, 17, 12.0), (0, 12, 2, 16, 13.8)),
    (0.05, 0.25, 0.05, 0.10): ((0, 9, 3, 30, 16.8), (0, 15, 3, 25, 20.4)),
    (0.10, 0.30, 0.10, 0.10): ((1, 12, 5, 35, 19.8), (1, 16, 4, 25, 20.4)),
    (0.10, 0.30, 0.05, 0.20): ((1, 10, 5, 29, 15.0), (1, 15, 5, 25, 19.5)),
    (0.10, 0.30, 0.05, 0.10): ((2, 18, 6, 35, 22.5), (2, 22, 6, 33, 26.2)),
    (0.20, 0.40, 0.10, 0.10): ((3, 17, 10, 37, 26.0), (3, 19, 10, 36, 28.3)),
    (0.20, 0.40, 0.05, 0.20): ((3, 13, 12, 43, 20.6), (4, 18, 10, 33, 22.3)),
    (0.20, 0.40, 0.05, 0.10): ((4, 19, 15, 54, 30.4), (5, 24, 13, 45, 31.2)),
    (0.30, 0.50, 0.10, 0.10): ((7, 22, 17, 46, 29.9), (7, 28, 15, 39, 35.0)),
    (0.30, 0.50, 0.05, 0.20): ((5, 15, 18, 46, 23.6), (6, 19, 16, 39, 25.7)),
    (0.30, 0.50, 0.05, 0.10): ((8, 24, 24, 63, 34.7), (7, 24, 21, 53, 36.6)),
}


@pytest.mark.parametrize("problem", SIMON_1989, ids=str)
def test_simons_table(problem):
    for design, expected in zip(simon(*problem, largest=70), SIMON_1989[problem], strict=True):
        assert (design.r1, design.n1, design.r, design.n) == expected[:4]
        assert design.expected_n == pytest.approx(expected[4], abs=0.05 + 1e-9)


def test_designs_keep_the_errors_asked_for_and_their_own_characteristics():
    for design in simon(0.1, 0.35, 0.05, 0.1, largest=50):
        at = operating_characteristics(design.staged, [0.1, 0.35])
        assert at.success[0] == pytest.approx(design.level, abs=1e-12)
        assert at.success[0] <= 0.05
        assert at.success[1] == pytest.approx(design.power, abs=1e-12)
        assert at.success[1] >= 0.9
        assert at.stopped[0] == pytest.approx(design.stop_probability, abs=1e-12)
        assert at.expected_n[0] == pytest.approx(design.expected_n, abs=1e-9)


@given(
    first=st.integers(2, 12),
    more=st.integers(1, 12),
    bound=st.integers(-1, 4),
    claim=st.integers(0, 8),
    rate=st.floats(0, 1),
)
@settings(max_examples=60)
def test_operating_characteristics_are_those_of_two_binomials(first, more, bound, claim, rate):
    design = StagedDesign(looks=(first, first + more), stop_at_or_below=(bound,), claim_above=claim)
    found = operating_characteristics(design, rate)
    x = np.arange(max(bound + 1, 0), first + 1)
    success = (stats.binom.pmf(x, first, rate) * stats.binom.sf(claim - x, more, rate)).sum()
    stopped = stats.binom.cdf(bound, first, rate)
    assert found.success[0] == pytest.approx(success, abs=1e-10)
    assert found.stopped[0] == pytest.approx(stopped, abs=1e-10)
    assert found.expected_n[0] == pytest.approx(first + (1 - stopped) * more, abs=1e-9)


def test_three_looks_agree_with_simulation():
    design = bayesian_design((10, 20, 30), 0.2)
    rng = np.random.default_rng(11)
    patients = rng.random((100_000, 30)) < 0.33
    at = [patients[:, :look].sum(axis=1) for look in design.looks]
    stop = [count <= bound for count, bound in zip(at[:2], design.stop_at_or_below, strict=True)]
    early = stop[0] | stop[1]
    found = operating_characteristics(design, 0.33)
    noise = 4 * np.sqrt(0.25 / 100_000)
    assert found.success[0] == pytest.approx((~early & (at[2] > design.claim_above)).mean(), abs=noise)
    assert found.stopped[0] == pytest.approx(early.mean(), abs=noise)
    assert found.expected_n[0] == pytest.approx(np.where(stop[0], 10, np.where(stop[1], 20, 30)).mean(), abs=0.1)


def test_the_bayesian_bounds_follow_from_posterior_and_predictive_probability():
    a, b, p0, looks = 0.5, 0.5, 0.2, (10, 20, 30)
    design = bayesian_design(looks, p0, prior=(a, b), futility=0.05, success=0.95)
    sure = [stats.beta.sf(p0, a + x, b + 30 - x) >= 0.95 for x in range(31)]
    assert design.claim_above + 1 == sure.index(True)
    for look, bound in zip(looks, design.stop_at_or_below, strict=False):
        for x in range(look + 1):
            left = 30 - look
            reach = stats.betabinom.sf(design.claim_above - x, left, a + x, b + look - x)
            assert (reach < 0.05) == (x <= bound)


def test_a_rule_that_never_stops_is_a_single_stage():
    design = bayesian_design((10, 25), 0.1, futility=0.0)
    assert design.stop_at_or_below == (-1,)
    found = operating_characteristics(design, 0.3)
    assert found.success[0] == pytest.approx(stats.binom.sf(design.claim_above, 25, 0.3), abs=1e-12)


def test_assurance_of_a_single_arm_is_its_characteristics_averaged():
    design = simon(0.1, 0.3, largest=40)[0].staged
    rates = np.random.default_rng(5).beta(7, 12, 100_000)
    expected = operating_characteristics(design, rates).success.mean()
    assert expected_success(design, beta_belief(7, 12)) == pytest.approx(expected, abs=3e-3)
    table = staged_table([design], 0.1, 0.3, beta_belief(7, 12))
    assert table["rule"][0] == "stop with at most 1 of 10 responders; claim success with more than 5 of 29"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: simon(0.3, 0.1), "p1: 0.1 is not above p0"),
        (lambda: simon(0.1, 30), "p1: 30 is not a rate"),
        (lambda: simon(0.1, 0.3, alpha=0), "alpha: 0"),
        (lambda: simon(0.1, 0.15, largest=20), "allow more patients"),
        (lambda: bayesian_design((20, 10), 0.1), "don't ascend"),
        (lambda: bayesian_design((3,), 0.9, success=0.999), "take more patients"),
        (lambda: bayesian_design((10, 20), 0.1, prior=(0, 1)), "prior"),
        (lambda: StagedDesign(looks=(10, 20), stop_at_or_below=(), claim_above=3), "0 bounds for 1 looks"),
        (lambda: operating_characteristics(simon(0.1, 0.4, largest=30)[0].staged, [30]), "rates"),
    ],
)
def test_impossible_designs_are_refused_with_a_remedy(call, words):
    with pytest.raises(PasimetaError) as refusal:
        call()
    assert words in str(refusal.value)
