"""Assurance is power averaged over beliefs: textbook power at a point, simulation elsewhere, and a ceiling above."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pasimeta.errors import PasimetaError
from pasimeta.forecast import (
    Arm,
    Design,
    assurance,
    beta_belief,
    control_counts,
    exact_p_values,
    point_belief,
    power,
    predicted_trial,
    registered_design,
    sample_size,
)
from pasimeta.forecast.exact_tests import rejects_for_benefit
from pasimeta.forecast.predictive import arm_sizes, count_interval


def design(cells, control, n=19, arms=2, **options):
    return Design(
        arms=tuple(Arm(f"dose {i}", n, cells) for i in range(arms)), control=Arm("methotrexate", n, control), **options
    )


@pytest.mark.parametrize(("n1", "n2"), [(5, 8), (7, 3), (12, 12)])
def test_fisher_p_values_are_scipys(n1, n2):
    two_sided, greater = exact_p_values(n1, n2), exact_p_values(n1, n2, alternative="greater")
    for x, c in itertools.product(range(n1 + 1), range(n2 + 1)):
        table = [[x, n1 - x], [c, n2 - c]]
        assert two_sided[x, c] == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-9)
        assert greater[x, c] == pytest.approx(stats.fisher_exact(table, alternative="greater").pvalue, rel=1e-9)


@pytest.mark.parametrize(("x", "c"), [(5, 3), (3, 1), (6, 2), (4, 4)])
def test_boschloo_p_values_are_scipys(x, c):
    table = [[x, c], [6 - x, 9 - c]]
    for alternative, name in (("greater", "greater"), ("two_sided", "two-sided")):
        expected = stats.boschloo_exact(table, alternative=name, n=256).pvalue
        assert exact_p_values(6, 9, "boschloo", alternative)[x, c] == pytest.approx(expected, rel=2e-5)


@given(n1=st.integers(2, 14), n2=st.integers(2, 14), alternative=st.sampled_from(["two_sided", "greater"]))
@settings(max_examples=25)
def test_boschloo_region_is_that_of_its_p_values_and_holds_fishers(n1, n2, alternative):
    better = np.arange(n1 + 1)[:, None] / n1 > np.arange(n2 + 1) / n2
    region = rejects_for_benefit(n1, n2, "boschloo", alternative, 0.05) > 0
    np.testing.assert_array_equal(region, better & (exact_p_values(n1, n2, "boschloo", alternative) <= 0.05))
    one_sided_fisher = exact_p_values(n1, n2, "fisher", "greater") <= (0.025 if alternative == "two_sided" else 0.05)
    assert (region | ~(better & one_sided_fisher)).all()


# Power of Fisher's exact test, two-sided 5 %, brute-forced with scipy's test table by table.
def brute_power(p1, p2, n1, n2):
    total = 0.0
    for x, c in itertools.product(range(n1 + 1), range(n2 + 1)):
        if x / n1 > c / n2 and stats.fisher_exact([[x, n1 - x], [c, n2 - c]]).pvalue <= 0.05:
            total += stats.binom.pmf(x, n1, p1) * stats.binom.pmf(c, n2, p2)
    return total


def test_power_is_the_sum_over_significant_tables():
    assert power(0.7, 0.3, 12, 10)[0, 0] == pytest.approx(brute_power(0.7, 0.3, 12, 10), abs=1e-12)


def test_assurance_at_known_rates_is_power():
    result = assurance(design(point_belief(0.7), point_belief(0.3)))
    expected = power(0.7, 0.3, 19, 19)[0, 0]
    assert result.contrasts[0].assurance == pytest.approx(expected, abs=1e-12)
    assert result.contrasts[0].power_at_means == pytest.approx(expected, abs=1e-12)
    assert result.contrasts[0].ceiling == 1


# The continuity-corrected formula of Casagrande JT, Pike MC, Smith PG (Biometrics 1978;34:483-486), one-sided 5 %, 80 %
# power; it approximates the exact test to a few patients.
@pytest.mark.parametrize(("low", "high"), [(0.05, 0.35), (0.1, 0.5), (0.2, 0.6)])
def test_size_at_known_rates_is_near_the_corrected_formula(low, high):
    found = sample_size(point_belief(high), point_belief(low), [0.8], alternative="greater", largest=150).sizes[0]
    z, d, mean = stats.norm.ppf([0.95, 0.8]), high - low, (high + low) / 2
    plain = (z[0] * np.sqrt(2 * mean * (1 - mean)) + z[1] * np.sqrt(low * (1 - low) + high * (1 - high))) ** 2 / d**2
    corrected = plain / 4 * (1 + np.sqrt(1 + 4 / (plain * d))) ** 2
    assert found.n_per_arm == pytest.approx(corrected, abs=3.5)


def test_size_is_the_first_from_which_the_target_is_kept():
    cells, control = beta_belief(14, 6), beta_belief(4, 16)
    result = sample_size(cells, control, [0.8], largest=120)
    n = result.sizes[0].n_per_arm

    def reached(size):
        return assurance(design(cells, control, size, 1)).contrasts[0].assurance

    assert all(reached(size) >= 0.8 for size in range(n, n + 6))
    assert not all(reached(size) >= 0.8 for size in range(n - 1, n + 5))


def test_assurance_agrees_with_simulation():
    rng, draws = np.random.default_rng(3), 200_000
    result = assurance(design(beta_belief(8, 6), beta_belief(6, 14)))
    p, q = rng.beta(8, 6, draws), rng.beta(6, 14, draws)
    first, second, control = rng.binomial(19, p), rng.binomial(19, p), rng.binomial(19, q)
    rejected = rejects_for_benefit(19, 19, "fisher", "two_sided", 0.05) > 0
    one, two = rejected[first, control], rejected[second, control]
    noise = 4 * np.sqrt(0.25 / draws)
    assert result.contrasts[0].assurance == pytest.approx(one.mean(), abs=noise)
    assert result.any_contrast == pytest.approx((one | two).mean(), abs=noise)
    assert result.every_contrast == pytest.approx((one & two).mean(), abs=noise)


def test_arms_with_rates_of_their_own_agree_less_often():
    shared = assurance(design(beta_belief(8, 6), beta_belief(6, 14)))
    apart = assurance(design(beta_belief(8, 6), beta_belief(6, 14), shared=False))
    assert apart.contrasts[0].assurance == pytest.approx(shared.contrasts[0].assurance, abs=1e-12)
    assert apart.every_contrast < shared.every_contrast
    assert apart.any_contrast > shared.any_contrast


def test_tests_keep_their_level_and_boschloo_is_no_weaker():
    results = {t: assurance(design(beta_belief(8, 6), beta_belief(6, 14), test=t)) for t in ("fisher", "boschloo")}
    for result in results.values():
        assert result.contrasts[0].level <= 0.05 / 2 + 1e-9  # the half of a two-sided test that favours the cells
    assert results["boschloo"].contrasts[0].assurance >= results["fisher"].contrasts[0].assurance


@given(a=st.floats(1, 20), b=st.floats(1, 20), n=st.integers(3, 40))
@settings(max_examples=25)
def test_assurance_never_exceeds_its_ceiling_by_more_than_the_level(a, b, n):
    contrast = assurance(design(beta_belief(a, b), beta_belief(5, 5), n, 1)).contrasts[0]
    # significant by chance though the cells are worse: at most the level of the test
    assert contrast.assurance <= contrast.ceiling + contrast.level * (1 - contrast.ceiling) + 1e-9
    assert 0 <= contrast.harm <= 1 - contrast.ceiling + 0.025 + 1e-9


def test_an_unreachable_target_says_so_with_its_ceiling():
    result = sample_size(beta_belief(7, 12), beta_belief(80, 120), [0.8], largest=60)
    assert result.sizes[0].n_per_arm is None
    assert f"probability of {result.ceiling:.2f}" in result.sizes[0].reason
    assert result.to_frame()["n_per_arm"].isna().all()
    beyond = sample_size(point_belief(0.45), point_belief(0.4), [0.8], largest=60)
    assert "more than 60 patients" in beyond.sizes[0].reason


def test_unequal_allocation_rounds_control_up():
    result = sample_size(point_belief(0.8), point_belief(0.2), [0.8], allocation=0.5, largest=60)
    size = result.sizes[0]
    assert size.n_control == int(np.ceil(size.n_per_arm / 2))


# The registered trial


def test_nct03424629_is_read_as_registered(evidence):
    cells, control = beta_belief(7, 12), beta_belief(40, 60)
    read = registered_design(evidence.studies["nct03424629"], cells=cells, control=control)
    assert [arm.n for arm in (*read.arms, read.control)] == [19, 19, 19]
    assert read.control.label == "Methotrexate"
    table = predicted_trial(read).to_frame()
    np.testing.assert_allclose(table["responders_mean"], [19 * 7 / 19] * 2 + [19 * 0.4], atol=1e-8)


def test_what_the_registry_lacks_is_named(evidence):
    cells = beta_belief(1, 1)
    with pytest.raises(PasimetaError, match="PASI50 is not a registered primary outcome"):
        registered_design(evidence.studies["nct03424629"], cells=cells, control=cells, threshold=50)
    with pytest.raises(PasimetaError, match="enrollment is not known"):
        registered_design(evidence.studies["yao2021"], cells=cells, control=cells)


def test_methotrexate_arms_are_those_judged_nearest_week_20(evidence):
    from pasimeta.evidence import tables

    arms = control_counts(tables.comparators(evidence, []), "methotrexate", 75).set_index("trial")
    assert arms.loc["champion", ["events", "n"]].tolist() == [39, 110]
    assert arms.loc["m10-255", "week"] == 24
    assert "heydendael2003" not in arms.index  # its week isn't given
    with pytest.raises(PasimetaError, match="widen the weeks"):
        control_counts(tables.comparators(evidence, []), "methotrexate", 75, weeks=(1, 2))


@given(st.integers(3, 200), st.lists(st.sampled_from([None, 3]), min_size=1, max_size=4))
def test_sizes_of_arms_sum_to_the_enrolment(total, known):
    known = [None, *known]
    if total - 3 * known.count(3) < known.count(None):
        with pytest.raises(PasimetaError, match="leave"):
            arm_sizes(total, known)
        return
    sizes = arm_sizes(total, known)
    unknown = [n for n, given_size in zip(sizes, known, strict=True) if given_size is None]
    assert sum(sizes) == total
    assert max(unknown) - min(unknown) <= 1


@given(st.integers(1, 30), st.floats(0.01, 0.99), st.sampled_from([0.5, 0.8, 0.95]))
def test_count_interval_leaves_no_more_than_its_tails(n, rate, level):
    chances = stats.binom.pmf(np.arange(n + 1), n, rate)
    low, high = count_interval(chances, level)
    assert chances[:low].sum() <= (1 - level) / 2 + 1e-9
    assert chances[high + 1 :].sum() <= (1 - level) / 2 + 1e-9


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: design(point_belief(0.4), point_belief(0.4), 0), "n of 'dose 0': 0 is not a whole number"),
        (lambda: design(point_belief(0.4), point_belief(0.4), test="chi2"), "design.test: 'chi2' is unknown"),
        (lambda: Design(arms=(), control=Arm("c", 3, point_belief(0.1))), "at least one arm"),
        (lambda: power(45, 0.2, 9, 9), "rate: every rate"),
        (lambda: exact_p_values(0, 5), "n1: 0"),
        (lambda: sample_size(point_belief(0.4), point_belief(0.2), [80]), "targets: 80"),
        (lambda: sample_size(point_belief(0.4), point_belief(0.2), allocation=0), "allocation: 0"),
    ],
)
def test_impossible_designs_are_refused_with_a_remedy(call, words):
    with pytest.raises(PasimetaError) as refusal:
        call()
    assert words in str(refusal.value)


def test_results_tabulate_themselves():
    planned = design(beta_belief(7, 12), beta_belief(40, 60))
    assert len(assurance(planned).to_frame()) == 2
    counts = predicted_trial(planned).counts()
    pd.testing.assert_series_equal(
        counts.groupby("arm")["probability"].sum().round(10), pd.Series(1.0, ["dose 0", "dose 1", "methotrexate"]),
        check_names=False, check_index_type=False,
    )  # fmt: skip
