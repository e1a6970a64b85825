"""Enumeration of every table that fits printed margins."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import spearmanr

from pasimeta.errors import PasimetaError
from pasimeta.moderators.allocations import Margins, enumerate_allocations, group_margins
from pasimeta.moderators.firth import firth_logistic
from pasimeta.moderators.partial_identification import partial_identification
from pasimeta.moderators.trend import trend_test

#: Cheng 2022: phase 1 held five; twelve more in groups A to D at 1.5, 2, 2.5 and 3 million cells/kg; 8 of 17 responded.
CHENG = group_margins("Cheng 2022", [1.5, 1.5, 2.0, 2.5, 3.0], [5, None, None, None, None], 17, (8, 8))


@pytest.fixture(scope="module")
def cheng():
    return partial_identification(CHENG)


def brute_force(lower, upper, n, events):
    return {
        (sizes, counts)
        for sizes in product(*(range(a, b + 1) for a, b in zip(lower, upper, strict=True)))
        if sum(sizes) == n
        for counts in product(*(range(s + 1) for s in sizes))
        if events[0] <= sum(counts) <= events[1]
    }


@pytest.mark.parametrize(
    ("lower", "upper", "n", "events"),
    [((2, 1, 1), (5, 4, 3), 7, (3, 3)), ((3, 2), (3, 2), 5, (0, 5)), ((0, 0, 0), (4, 4, 4), 4, (1, 2))],
)
def test_enumeration_is_complete_and_free_of_repeats(lower, upper, n, events):
    found = enumerate_allocations(Margins("A", tuple(range(len(lower))), lower, upper, n, *events))
    pairs = list(zip(map(tuple, found.sizes.tolist()), map(tuple, found.events.tolist()), strict=True))
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == brute_force(lower, upper, n, events)


def test_cheng_has_as_many_tables_as_counting_by_hand_gives(cheng):
    # sizes: 165 compositions of twelve into four groups of at least one, phase 1 joined with the group of its dose
    expected = brute_force((6, 1, 1, 1), (14, 9, 9, 9), 17, (8, 8))
    assert len(cheng.tables) == len(expected) == 7703


def test_null_chances_agree_with_monte_carlo(cheng):
    # draw sizes as the enumeration weighs them, then responders without regard to dose
    rng = np.random.default_rng(1)
    found = enumerate_allocations(CHENG)
    sizes = np.unique(found.sizes, axis=0)
    drawn = sizes[rng.integers(len(sizes), size=20_000)]
    events = np.stack([rng.multivariate_hypergeometric(row, 8) for row in drawn])
    lookup = dict(
        zip(zip(cheng.tables["sizes"], cheng.tables["events"], strict=True), cheng.tables["p_exact_trend"], strict=True)
    )
    p = np.array(
        [
            lookup[" ".join(map(str, s)), " ".join(map(str, e))]
            for s, e in zip(drawn.tolist(), events.tolist(), strict=True)
        ]
    )
    kept = cheng.ranges().set_index("constraint").loc["exact_trend", "chance"]
    assert (p > 0.05).mean() == pytest.approx(kept, abs=4 * np.sqrt(kept * (1 - kept) / 20_000))
    assert cheng.tables["chance"].sum() == pytest.approx(1, abs=1e-9)


def test_each_tables_statistics_are_those_of_its_own_data(cheng):
    for row in cheng.tables.sample(12, random_state=3).itertuples():
        sizes, events = (np.array(list(map(int, text.split()))) for text in (row.sizes, row.events))
        doses = np.array(CHENG.doses)
        ordinary = trend_test(events, sizes, doses)
        assert row.rate_slope == pytest.approx(ordinary.rate_slope, abs=1e-12)
        assert row.p_cochran_armitage == pytest.approx(ordinary.p_value, abs=1e-12)
        assert row.p_exact_trend == pytest.approx(ordinary.exact_p_value, abs=1e-9)
        assert row.slope == pytest.approx(firth_logistic(events, sizes, {"d": doses}).estimate[1], abs=1e-6)
        response = np.concatenate([[1] * x + [0] * (n - x) for x, n in zip(events, sizes, strict=True)])
        assert row.p_spearman == pytest.approx(spearmanr(np.repeat(doses, sizes), response).pvalue, abs=1e-9)


def test_reported_non_significance_narrows_but_never_settles_the_sign(cheng):
    ranges = cheng.ranges().set_index("constraint")
    for test in ("cochran_armitage", "exact_trend", "spearman", "pearson", "chi_square", "all_tests"):
        row = ranges.loc[test]
        assert ranges.loc["any", "rate_slope_lower"] <= row["rate_slope_lower"] < 0 < row["rate_slope_upper"]
        assert row["tables"] < ranges.loc["any", "tables"]
    assert ranges.loc["any", "rate_slope_upper"] > 0.95  # nearly all of the response at one end of the doses


def test_counts_by_group_leave_one_table():
    counts = [(3, 3), (1, 1), (2, 2), (2, 2)]
    margins = group_margins("A", [1.5, 2, 2.5, 3], [8, 3, 3, 3], 17, (8, 8), counts)
    assert margins.complete
    tables = partial_identification(margins).tables
    assert tables["events"].tolist() == ["3 1 2 2"]
    assert tables["p_exact_trend"].item() == pytest.approx(
        trend_test([3, 1, 2, 2], [8, 3, 3, 3], [1.5, 2, 2.5, 3]).exact_p_value
    )


def test_known_counts_of_some_groups_narrow_the_rest():
    margins = group_margins("A", [1, 2, 3], [4, 4, 4], 12, (5, 5), [(0, 0), None, None])
    assert partial_identification(margins).tables["events"].tolist() == ["0 1 4", "0 2 3", "0 3 2", "0 4 1"]


def test_two_sexes_are_two_groups():
    # Yao 2021: six men, one woman, two responders
    found = enumerate_allocations(group_margins("Yao 2021", [0, 1], [6, 1], 7, (2, 2)))
    assert found.events.tolist() == [[1, 1], [2, 0]]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: group_margins("A", [1, 2], [3, 3], 7, (2, 2)), "can't make 7"),
        (lambda: group_margins("A", [1, 2], [3, 3], 6, (2, 7)), "0 <= lower <= upper <= n"),
        (lambda: partial_identification(group_margins("A", [1, 1], [3, 3], 6, (2, 2))), "one dose only"),
        (lambda: partial_identification(group_margins("A", [1, 2], [3, 3], 6, (2, 2), [(1, 1), (3, 3)])), "add up"),
        (lambda: partial_identification(CHENG, alpha=5), "level"),
    ],
)
def test_impossible_margins_are_refused(call, words):
    with pytest.raises(PasimetaError, match=words):
        call()
