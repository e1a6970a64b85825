"""Exact power, detectable differences, fragility and sample size against enumeration."""

import numpy as np
import pytest
from scipy.stats import binom, fisher_exact

from pasimeta.errors import PasimetaError
from pasimeta.moderators.power import detectable, exact_power, fragility_index, p_values, sample_size
from pasimeta.moderators.sex import compare_groups
from pasimeta.moderators.sex_power import comparison_power


def test_p_values_are_fishers_for_every_table():
    table = p_values(9, 8)
    for i in range(10):
        for j in range(9):
            expected = fisher_exact([[i, 9 - i], [j, 8 - j]]).pvalue
            assert table[i, j] == pytest.approx(expected, rel=1e-9)


def test_power_sums_the_rejected_tables():
    expected = sum(
        binom.pmf(i, 9, 0.7) * binom.pmf(j, 8, 0.2)
        for i in range(10)
        for j in range(9)
        if fisher_exact([[i, 9 - i], [j, 8 - j]]).pvalue <= 0.05
    )
    assert float(exact_power(9, 0.7, 8, 0.2)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("test", ["fisher", "mid_p", "score"])
def test_type_one_error_is_bounded(test):
    # Fisher's never exceeds its level; the mid-P and the score test hardly do in groups of nine and eight
    rates = np.linspace(0.01, 0.99, 99)
    most = 0.05 if test == "fisher" else 0.062
    assert exact_power(9, rates, 8, rates, 0.05, test).max() <= most


def test_detectable_rate_is_the_first_that_reaches_the_power():
    found = detectable(9, 8, 0.25)
    assert found.lower is None
    assert float(exact_power(9, found.higher, 8, 0.25)) >= 0.8
    assert float(exact_power(9, found.higher - 0.001, 8, 0.25)) < 0.8
    assert detectable(9, 8, 0.47).higher is None  # not even 100 % response would have been found


def test_cheng_turns_on_one_patient():
    fragility = fragility_index(6, 9, 2, 8)
    assert (fragility.index, fragility.significant) == (1, False)
    assert fisher_exact([[6, 3], [1, 7]]).pvalue < 0.05


def test_fragility_is_the_nearest_table_on_the_other_side():
    for table in ((9, 9, 1, 8), (5, 9, 4, 8), (8, 9, 0, 8)):
        x1, n1, x2, n2 = table
        found = fragility_index(*table)
        here = fisher_exact([[x1, n1 - x1], [x2, n2 - x2]]).pvalue <= 0.05
        distances = [
            abs(i - x1) + abs(j - x2)
            for i in range(n1 + 1)
            for j in range(n2 + 1)
            if (fisher_exact([[i, n1 - i], [j, n2 - j]]).pvalue <= 0.05) != here
        ]
        assert found.index == min(distances)


def test_groups_too_small_for_any_significance_have_no_index():
    assert fragility_index(1, 2, 0, 2).index is None


def test_sample_size_is_the_first_of_ten_in_a_row():
    size = sample_size(6 / 9, 2 / 8)
    total = size.n1 + size.n2
    assert size.exact
    assert size.power >= 0.8

    def reached(n):
        n1 = round(n / 2)
        return float(exact_power(n1, 6 / 9, n - n1, 2 / 8))

    assert reached(total - 1) < 0.8
    assert all(reached(n) >= 0.8 for n in range(total, total + 10))


def test_large_trials_use_the_corrected_normal_approximation():
    # Fleiss, Tytun & Ury 1980, eq. 4: n' = n/4 (1 + sqrt(1 + 4/(n d)))^2 for equal groups
    p1, p2, z = 0.548, 0.472, (1.959963984540054, 0.8416212335729143)
    mean, gap = (p1 + p2) / 2, p1 - p2
    n = (z[0] * np.sqrt(2 * mean * (1 - mean)) + z[1] * np.sqrt(p1 * (1 - p1) + p2 * (1 - p2))) ** 2 / gap**2
    corrected = n / 4 * (1 + np.sqrt(1 + 4 / (n * gap))) ** 2
    size = sample_size(p1, p2)
    assert (size.n1, size.exact) == (int(np.ceil(corrected)), False)


def test_power_of_the_published_comparison():
    power = comparison_power(compare_groups(6, 9, 2, 8), (0.548, 0.472))
    assert power.detectable_higher == pytest.approx(0.9, abs=0.01)
    assert power.power_external < 0.05  # barely above chance
    assert power.needed_external > 25 * power.needed_observed


@pytest.mark.parametrize(
    "call",
    [
        lambda: sample_size(0.5, 0.5),
        lambda: sample_size(0.5, 1.5),
        lambda: exact_power(0, 0.5, 3, 0.5),
        lambda: exact_power(3, 50, 3, 0.5),
        lambda: fragility_index(4, 3, 0, 3),
    ],
)
def test_impossible_trials_are_refused(call):
    with pytest.raises(PasimetaError):
        call()
