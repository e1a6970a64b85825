"""Two groups of one trial, compared exactly."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, hypergeom, nchypergeom_fisher

from pasimeta.errors import PasimetaError
from pasimeta.moderators.sex import compare_groups, compare_studies, risk_difference_interval

GROUPS = st.integers(1, 12).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.fixture(scope="module")
def cheng():
    return compare_groups(6, 9, 2, 8)


def test_cheng_2022_rates_have_the_clopper_pearson_intervals_of_the_dossier(cheng):
    # percent, one decimal, as tabulated with the source figures
    women, men = (cheng.rate1_ci_lower, cheng.rate1_ci_upper), (cheng.rate2_ci_lower, cheng.rate2_ci_upper)
    assert (cheng.rate1, *women) == pytest.approx((0.667, 0.299, 0.925), abs=5e-4)
    assert (cheng.rate2, *men) == pytest.approx((0.25, 0.032, 0.651), abs=5e-4)


def test_fisher_p_value_is_0_153_and_sums_the_hypergeometric_tables(cheng):
    assert cheng.fisher_p_value == pytest.approx(0.153, abs=5e-4)
    tables = hypergeom.pmf(np.arange(0, 9), 17, 9, 8)
    assert cheng.fisher_p_value == pytest.approx(tables[tables <= tables[6] * (1 + 1e-7)].sum(), rel=1e-9)


def test_exact_odds_ratio_interval_puts_half_of_alpha_in_each_tail(cheng):
    # brute force: Fisher's noncentral hypergeometric distribution with 17 patients, 9 women, 8 responders
    def responders(odds):
        return nchypergeom_fisher(17, 9, 8, odds)

    assert cheng.odds_ratio == pytest.approx(5.33, abs=0.005)
    assert responders(cheng.odds_ratio).mean() == pytest.approx(6, abs=1e-6)
    assert responders(cheng.odds_ratio_ci_lower).sf(5) == pytest.approx(0.025, abs=1e-6)
    assert responders(cheng.odds_ratio_ci_upper).cdf(6) == pytest.approx(0.025, abs=1e-4)


@pytest.mark.parametrize(
    ("table", "interval"),
    [
        ((56, 70, 48, 80), (0.0528, 0.3382)),
        ((9, 10, 3, 10), (0.1700, 0.8406)),
        ((6, 7, 2, 7), (0.0342, 0.8534)),
        ((5, 56, 0, 29), (-0.0326, 0.1933)),
        ((0, 10, 0, 20), (-0.1658, 0.2844)),
        ((10, 10, 0, 20), (0.7156, 1.0)),
        ((10, 10, 0, 10), (0.6636, 1.0)),
    ],
)
def test_score_interval_agrees_with_newcombe_1998(table, interval):
    # Newcombe 1998, Stat Med 17:873, table II, method of Miettinen and Nurminen; four decimals
    assert risk_difference_interval(*table) == pytest.approx(interval, abs=5.1e-5)


def test_boschloo_p_value_is_the_largest_tail_over_the_nuisance_rate(cheng):
    # brute force on a grid of the common rate; Boschloo orders tables by Fisher's one-sided p value
    women, men = np.meshgrid(np.arange(10), np.arange(9), indexing="ij")
    greater = hypergeom.sf(women - 1, 17, 9, women + men)
    less = hypergeom.cdf(women, 17, 9, women + men)

    def largest_tail(order):
        tail = order <= order[6, 2] * (1 + 1e-9)
        rates = np.linspace(0.001, 0.999, 2000)[:, None, None]
        return (binom.pmf(women, 9, rates) * binom.pmf(men, 8, rates) * tail).sum((1, 2)).max()

    two_sided = 2 * min(largest_tail(greater), largest_tail(less))
    assert cheng.boschloo_p_value == pytest.approx(two_sided, abs=1e-4)


@given(GROUPS, GROUPS)
def test_swapping_the_groups_mirrors_the_difference(first, second):
    there, back = risk_difference_interval(*first, *second), risk_difference_interval(*second, *first)
    assert there == pytest.approx((-back[1], -back[0]), abs=1e-9)


@given(GROUPS, GROUPS)
def test_counting_failures_instead_mirrors_the_difference(first, second):
    (a, n), (b, m) = first, second
    failures = risk_difference_interval(n - a, n, m - b, m)
    assert risk_difference_interval(a, n, b, m) == pytest.approx((-failures[1], -failures[0]), abs=1e-9)


@given(GROUPS, GROUPS, st.floats(0.5, 0.9))
def test_a_higher_level_never_narrows(first, second, level):
    narrow, wide = (risk_difference_interval(*first, *second, at) for at in (level, level + 0.09))
    assert wide[0] <= narrow[0] + 1e-9
    assert wide[1] >= narrow[1] - 1e-9
    assert narrow[0] - 1e-9 <= first[0] / first[1] - second[0] / second[1] <= narrow[1] + 1e-9


def test_score_interval_covers_nominally_in_groups_of_nine_and_eight():
    # exact coverage by enumeration: score intervals are near nominal, a little liberal at worst
    women, men = np.arange(10), np.arange(9)
    limits = np.array([[risk_difference_interval(a, 9, b, 8) for b in men] for a in women])
    for rate1, rate2 in ((0.5, 0.5), (0.67, 0.25), (0.2, 0.1), (0.9, 0.3)):
        chance = np.outer(binom.pmf(women, 9, rate1), binom.pmf(men, 8, rate2))
        covered = (limits[..., 0] <= rate1 - rate2) & (rate1 - rate2 <= limits[..., 1])
        assert 0.92 <= (chance * covered).sum() <= 1.0


@pytest.mark.parametrize("table", [(10, 9, 2, 8), (6, 0, 2, 8), (6.5, 9, 2, 8), (-1, 9, 2, 8)])
def test_impossible_counts_are_refused(table):
    with pytest.raises(PasimetaError, match="row"):
        compare_groups(*table)


def test_level_outside_0_1_is_refused():
    with pytest.raises(PasimetaError, match="level"):
        compare_groups(6, 9, 2, 8, level=95)


def test_only_studies_that_count_both_groups_exactly_are_compared():
    groups = pd.DataFrame(
        [
            ("A", "female", 6, 6, 9),
            ("A", "male", 2, 2, 8),
            ("B", "female", 0, 1, 1),
            ("B", "male", 1, 2, 6),
            ("C", "female", 1, 1, 3),
        ],
        columns=["label", "level", "events_lower", "events_upper", "n"],
    )
    comparisons = compare_studies(groups, ("female", "male"))
    assert list(comparisons.by_study) == ["A"]
    assert comparisons.to_frame()["fisher_p_value"].item() == pytest.approx(0.1534, abs=1e-4)
    assert compare_studies(groups.iloc[:0], ("female", "male")).to_frame().empty
