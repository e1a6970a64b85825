"""Simon's designs are as published, the Bayesian rule obeys its definition, operating characteristics are exact."""

from itertools import product
from math import comb

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

# Simon R. Control Clin Trials 1989;10:1-10, p. 4: optimal designs for p1 - p0 = 0.20, alpha 0.05, beta 0.20, as
# restated in the tests of kkmann/BinaryTwoStageDesigns (test/test_BinaryTwoStageDesign.jl). p0: (r1, n1, r, n)
SIMON_1989 = {
    0.1: (1, 10, 5, 29),
    0.2: (3, 13, 12, 43),
    0.3: (5, 15, 18, 46),
    0.4: (7, 16, 23, 46),
    0.5: (8, 15, 26, 43),
    0.6: (7, 11, 30, 43),
    0.7: (4, 6, 22, 27),
}
# R's clinfun::ph2simon, as printed in clinfun's own documentation (veseshan/clinfun, reference page of ph2simon) and in
# the READMEs of chipmanj/SeqSGPV (0.2, 0.4, 0.05, 0.2) and YunheLiuMCMC/ClinSimon (0.25, 0.45, 0.1, 0.1).
# (p0, p1, alpha, beta): optimal (r1, n1, r, n, EN, PET), minimax (r1, n1, r, n, EN, PET)
CLINFUN = {
    (0.20, 0.40, 0.10, 0.10): ((3, 17, 10, 37, 26.02, 0.5489), (3, 19, 10, 36, 28.26, 0.4551)),
    (0.20, 0.35, 0.05, 0.05): ((11, 50, 28, 109, 67.07, 0.7107), (15, 68, 25, 95, 75.44, 0.7244)),
    (0.20, 0.40, 0.05, 0.20): ((3, 13, 12, 43, 20.58, 0.7473), (4, 18, 10, 33, 22.25, 0.7164)),
    (0.25, 0.45, 0.10, 0.10): ((3, 14, 14, 44, 28.36, 0.5213), (5, 23, 13, 39, 31.50, 0.4685)),
}


@pytest.mark.parametrize("p0", SIMON_1989)
def test_simons_table(p0):
    optimal, _ = simon(p0, p0 + 0.2, 0.05, 0.2, largest=50)
    assert (optimal.r1, optimal.n1, optimal.r, optimal.n) == SIMON_1989[p0]


@pytest.mark.parametrize("problem", CLINFUN, ids=str)
def test_designs_are_clinfuns(problem):
    for design, expected in zip(simon(*problem, largest=110), CLINFUN[problem], strict=True):
        assert (design.r1, design.n1, design.r, design.n) == expected[:4]
        assert design.expected_n == pytest.approx(expected[4], abs=0.005 + 1e-9)
        assert design.stop_probability == pytest.approx(expected[5], abs=0.00005 + 1e-9)


def enumerated(p0, p1, alpha, beta, largest):
    """Every two-stage design that keeps both errors, counted out path by path: (expected size, n, n1, r1, r)."""

    def pmf(n, p):
        return [comb(n, x) * p**x * (1 - p) ** (n - x) for x in range(n + 1)]

    def claims(n1, n, r1, r, p):
        first, second = pmf(n1, p), pmf(n - n1, p)
        return sum(first[x] * sum(second[max(r + 1 - x, 0) :]) for x in range(r1 + 1, n1 + 1))

    for n in range(2, largest + 1):
        for n1, r in product(range(1, n), range(n)):
            for r1 in range(n1):
                if claims(n1, n, r1, r, p0) <= alpha and claims(n1, n, r1, r, p1) >= 1 - beta:
                    going_on = sum(pmf(n1, p0)[r1 + 1 :])
                    yield n1 + going_on * (n - n1), n, n1, r1, r


@pytest.mark.parametrize("problem", [(0.1, 0.5, 0.1, 0.1), (0.3, 0.8, 0.05, 0.1)], ids=str)
def test_no_design_is_better_than_the_ones_found(problem):
    optimal, minimax = simon(*problem, largest=13)
    every = list(enumerated(*problem, 13))
    for design, best in ((optimal, min(every)), (minimax, min(every, key=lambda found: (found[1], found[0])))):
        assert design.expected_n == pytest.approx(best[0], abs=1e-12)
        assert (design.n, design.n1, design.r1, design.r) == best[1:]


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
    # SciPy's binomial overflows at rates below 1e-300
    rate=st.floats(1e-12, 1) | st.just(0.0),
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
