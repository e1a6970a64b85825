"""Trend tests against brute force over every table."""

from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pasimeta.errors import PasimetaError
from pasimeta.moderators.trend import cochran_armitage, detectable_slope, trend_power, trend_test

EVENTS, SIZES, DOSES = [3, 1, 2, 2], [8, 3, 3, 3], [1.5, 2.0, 2.5, 3.0]


def tables(sizes, total):
    """Every table with its multiplicity."""
    return [
        (np.array(t), float(np.prod([comb(n, x) for n, x in zip(sizes, t, strict=True)])))
        for t in product(*(range(n + 1) for n in sizes))
        if sum(t) == total
    ]


def test_cochran_armitage_is_the_correlation_times_root_n():
    dose = np.repeat(DOSES, SIZES)
    response = np.concatenate([[1] * x + [0] * (n - x) for x, n in zip(EVENTS, SIZES, strict=True)])
    r = np.corrcoef(dose, response)[0, 1]
    z = cochran_armitage(np.array([EVENTS], float), np.array([SIZES], float), np.array(DOSES))[0]
    assert z == pytest.approx(r * np.sqrt(17), rel=1e-12)


def test_exact_p_value_sums_the_tables_as_far_out():
    every = tables(SIZES, 8)
    scores = np.array([t @ np.array(DOSES) for t, _ in every])
    weights = np.array([w for _, w in every]) / sum(w for _, w in every)
    far = np.abs(scores - weights @ scores)
    here = abs(np.array(EVENTS) @ np.array(DOSES) - weights @ scores)
    found = trend_test(EVENTS, SIZES, DOSES)
    assert found.exact_p_value == pytest.approx(weights[far >= here - 1e-9].sum(), rel=1e-10)
    ties = weights[np.abs(far - here) < 1e-9].sum()
    assert found.mid_p_value == pytest.approx(weights[far >= here - 1e-9].sum() - ties / 2, rel=1e-10)


def test_exact_slope_interval_inverts_both_tails():
    every = tables(SIZES, 8)
    scores = np.array([t @ np.array(DOSES) for t, _ in every])
    weights = np.array([w for _, w in every])
    observed = float(np.array(EVENTS) @ np.array(DOSES))
    found = trend_test(EVENTS, SIZES, DOSES)

    def chance(slope):
        p = weights * np.exp(slope * (scores - observed))
        return p / p.sum()

    assert chance(found.slope) @ scores == pytest.approx(observed, abs=1e-7)
    assert chance(found.slope_ci_lower)[scores >= observed - 1e-9].sum() == pytest.approx(0.025, abs=1e-8)
    assert chance(found.slope_ci_upper)[scores <= observed + 1e-9].sum() == pytest.approx(0.025, abs=1e-8)


def test_two_groups_give_the_conditional_odds_ratio():
    found = trend_test([6, 2], [9, 8], [1, 0])
    assert np.exp(found.slope) == pytest.approx(5.3267, abs=1e-4)  # as Fisher's conditional estimate for Cheng 2022
    assert np.exp(found.slope_ci_lower) == pytest.approx(0.5153, abs=1e-4)


@settings(max_examples=30)
@example([(1, 1), (1, 1), (1, 0), (1, 1)], -1.7625906494726635, 1.0)  # sums equally far on both sides are ties
@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(0, 5)), min_size=2, max_size=4),
    st.floats(-3, 3),
    st.floats(0.1, 9),
)
def test_shifting_and_stretching_doses_changes_the_slope_alone(groups, shift, stretch):
    sizes, events = [n for n, _ in groups], [min(x, n) for n, x in groups]
    if sum(events) in (0, sum(sizes)):
        return
    doses = np.arange(len(sizes), dtype=float)
    first, second = trend_test(events, sizes, doses), trend_test(events, sizes, shift + stretch * doses)
    assert second.exact_p_value == pytest.approx(first.exact_p_value, abs=1e-7)
    if np.isfinite(first.slope):
        assert second.slope * stretch == pytest.approx(first.slope, abs=1e-5)


def test_the_exact_test_holds_its_level_and_gains_power_with_the_slope():
    powers = trend_power(SIZES, DOSES, -0.1, [0, 1, 2, 3, 5])
    assert powers[0] <= 0.05
    assert (np.diff(powers) > 0).all()
    slope = detectable_slope(SIZES, DOSES, -0.1)
    assert trend_power(SIZES, DOSES, -0.1, slope)[0] >= 0.8 > trend_power(SIZES, DOSES, -0.1, slope - 0.1)[0]


def test_power_agrees_with_simulation():
    rng = np.random.default_rng(5)
    centred = np.array(DOSES) - np.array(SIZES) @ np.array(DOSES) / 17
    draws = rng.binomial(SIZES, 1 / (1 + np.exp(-(-0.1 + 2 * centred))), (40_000, 4))
    rejected = np.abs(cochran_armitage(draws, np.broadcast_to(SIZES, draws.shape), np.array(DOSES))) >= 1.959964
    exact = trend_power(SIZES, DOSES, -0.1, 2.0, test="cochran_armitage")[0]
    assert rejected.mean() == pytest.approx(exact, abs=4 * 0.5 / 200)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([1, 2], [3, 3], [1, 1]), "two doses"),
        (([0, 0], [3, 3], [1, 2]), "responders and others"),
        (([1, 2], [3, 3], [1]), "unequal lengths"),
        (([1, 4], [3, 3], [1, 2]), "row 2"),
    ],
)
def test_groups_without_a_trend_are_refused(arguments, words):
    with pytest.raises(PasimetaError, match=words):
        trend_test(*arguments)
