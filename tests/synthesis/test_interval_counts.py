"""Counts known only as intervals: every allocation is fitted, and the envelope says how far the answer moves."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from pasimeta.errors import PasimetaError
from pasimeta.synthesis.interval_counts import pool_interval_counts
from pasimeta.synthesis.response import model_fit

COMMON = model_fit("common")


def test_exact_counts_are_one_allocation():
    result = pool_interval_counts([6, 2], [6, 2], [17, 7], COMMON)
    assert result.is_exact
    assert result.lowest is result.highest
    assert result.estimate_lower == result.estimate_upper == pytest.approx(8 / 24)


def test_pasi50_of_the_two_trials_lies_between_8_and_10_of_24():
    result = pool_interval_counts([6, 2], [8, 2], [17, 7], COMMON)
    assert (result.events_lower, result.events_upper, result.n, result.allocations) == (8, 10, 24, 3)
    assert (result.estimate_lower, result.estimate_upper) == pytest.approx((8 / 24, 10 / 24))
    below, above = binomtest(8, 24).proportion_ci(), binomtest(10, 24).proportion_ci()  # Clopper-Pearson
    assert (result.ci_lower, result.ci_upper) == pytest.approx((below.low, above.high), abs=1e-9)


@pytest.mark.parametrize("model", ["binomial_normal", "beta_binomial", "common", "inverse_variance"])
def test_envelope_is_that_of_single_fits(model):
    fit = model_fit(model)
    lower, upper, n = [3, 0], [5, 2], np.array([12.0, 7.0])
    result = pool_interval_counts(lower, upper, n, fit)
    single = [fit(np.array(events, float), n) for events in itertools.product(range(3, 6), range(3))]
    assert result.allocations == len(single) == 9
    assert result.estimate_lower == pytest.approx(min(s.response_estimate for s in single), abs=1e-6)
    assert result.estimate_upper == pytest.approx(max(s.response_estimate for s in single), abs=1e-6)
    assert result.ci_lower == pytest.approx(min(s.response_ci_lower for s in single), abs=1e-6)
    assert result.ci_upper == pytest.approx(max(s.response_ci_upper for s in single), abs=1e-6)


@settings(max_examples=30)
@given(st.lists(st.integers(1, 20).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(0, n)))))
def test_widening_an_interval_never_narrows_the_envelope(studies):
    if not studies:
        return
    n = [s[0] for s in studies[:2]]
    low, high = [min(s[1:]) for s in studies[:2]], [max(s[1:]) for s in studies[:2]]
    known = pool_interval_counts(low, low, n, COMMON)
    vague = pool_interval_counts(low, high, n, COMMON)
    assert vague.ci_lower <= known.ci_lower + 1e-12
    assert vague.ci_upper >= known.ci_upper - 1e-12


def test_frame_has_one_row_with_both_ends():
    frame = pool_interval_counts([6, 2], [8, 2], [17, 7], COMMON).to_frame()
    assert len(frame) == 1
    assert frame.loc[0, ["events_lower", "events_upper"]].tolist() == [8, 10]


@pytest.mark.parametrize(
    ("lower", "upper", "n", "complaint"),
    [
        ([3], [2], [5], "row 1: exceeds upper"),
        ([3], [6], [5], "row 1: 6 exceeds n"),
        ([0] * 6, [9] * 6, [9] * 6, "1,000,000 allocations"),
        ([1, 2], [1], [5, 5], "unequal lengths"),
        ([], [], [], "no study at all"),
    ],
)
def test_impossible_intervals_are_refused(lower, upper, n, complaint):
    with pytest.raises(PasimetaError, match=complaint):
        pool_interval_counts(lower, upper, n, COMMON)


def test_unknown_model_is_refused():
    with pytest.raises(PasimetaError, match="choose one of binomial_normal"):
        model_fit("bayes")
