"""Tipping points are where brute force finds them, and extreme cases are what they say."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from pasimeta.errors import PasimetaError
from pasimeta.robustness import (
    baujat,
    comparator_rate,
    cumulative_counts,
    egger,
    extreme_cases,
    leave_one_out_counts,
    rob_me,
    small_study_test,
    subsets_of_counts,
    tipping_points,
    unreported_trials,
)
from pasimeta.synthesis import pool_binomial

LIMITS = {"placebo": 0.05, "methotrexate": 0.40}
pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")


def test_common_rate_tipping_points_are_those_of_arithmetic() -> None:
    result = tipping_points([6, 2], [17, 7], [9, 8, 8], LIMITS, model="common")
    rows = result.points[result.points["quantity"] == "estimate"]
    for row in rows.itertuples():
        most = int(np.floor(row.limit_rate * (24 + row.patients) - 8 + 1e-9))
        if most < 0:
            assert row.reaches == "none"
            assert np.isnan(row.responders)
        else:
            assert row.responders == min(most, row.patients)
            assert row.rate == pytest.approx(min(most, row.patients) / row.patients)
    needed = result.nonresponders.set_index("limit")["patients"]
    assert needed["placebo"] == 8 / 0.05 - 24 == 136
    assert needed["methotrexate"] == 0


@pytest.mark.parametrize("quantity", ["estimate", "ci_lower", "ci_upper", "population"])
def test_split_in_every_way_finds_what_brute_force_finds(quantity: str) -> None:
    sizes = (3, 2)
    limits = {"a": 0.1, "b": 0.3, "c": 0.6}
    result = tipping_points([6], [17], sizes, limits, split="all")
    rows = result.points[(result.points["patients"] == 5) & (result.points["quantity"] == quantity)].set_index("limit")
    worst: dict[int, float] = {}
    for x, y in itertools.product(range(4), range(3)):
        fit = pool_binomial([6, x, y], [17, 3, 2])
        worst[x + y] = max(worst.get(x + y, 0.0), getattr(fit, f"response_{quantity}"))
    for name, limit in limits.items():
        reached = [total for total, value in worst.items() if value <= limit]
        assert (max(reached) if reached else None) == (
            None if np.isnan(rows.loc[name, "responders"]) else rows.loc[name, "responders"]
        )


def test_an_even_split_lies_within_all_splits() -> None:
    even = tipping_points([6], [17], [3, 2], LIMITS).curve
    every = tipping_points([6], [17], [3, 2], LIMITS, split="all").curve
    assert list(even["responders"]) == list(every["responders"])
    assert (even["estimate"] <= every["estimate"] + 1e-9).all()
    assert (even["estimate"] >= every["estimate_low"] - 1e-9).all()


def test_no_patients_are_the_reported_trials_alone() -> None:
    curve = tipping_points([6, 2], [17, 7], [4], LIMITS).curve
    alone = pool_binomial([6, 2], [17, 7])
    assert curve.iloc[0]["patients"] == 0
    assert curve.iloc[0]["estimate"] == pytest.approx(alone.response_estimate, abs=1e-9)
    assert curve.iloc[0]["ci_upper"] == pytest.approx(alone.response_ci_upper, abs=1e-9)


def test_extreme_cases_bound_every_other() -> None:
    table = extreme_cases([6], [17], {"sure": [9], "ended": [9, 8, 8]}, LIMITS, model="common")
    ended = table[table["unreported"] == "ended"].set_index("case")
    assert ended.loc["none responds", "estimate"] == pytest.approx(6 / 42)
    assert ended.loc["all respond", "estimate"] == pytest.approx(31 / 42)
    assert ended.loc["methotrexate", "responders"] == round(0.4 * 9) + 2 * round(0.4 * 8)
    assert (ended["events"] == 6 + ended["responders"]).all()
    assert table.iloc[0]["estimate"] == pytest.approx(6 / 17)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"unreported": []}, "no trial at all"),
        ({"unreported": [9, 0]}, "trial 2"),
        ({"unreported": [4.5]}, "4.5"),
        ({"limits": {"placebo": 5}}, "limit placebo"),
        ({"split": "random"}, "split"),
        ({"model": "normal"}, "model"),
        ({"split": "all", "unreported": [99, 99, 99]}, 'split="even"'),
        ({"events": [18]}, "exceeds"),
    ],
)
def test_refusals_name_what_is_wrong(change: dict, words: str) -> None:
    given = {"events": [6], "n": [17], "unreported": [9], "limits": LIMITS, **change}
    with pytest.raises(PasimetaError, match=words):
        tipping_points(given.pop("events"), given.pop("n"), given.pop("unreported"), given.pop("limits"), **given)


def test_small_study_tests_are_refused_below_ten_but_not_the_test_itself() -> None:
    rng = np.random.default_rng(0)
    yi, vi = rng.normal(size=9), rng.uniform(0.1, 1, 9)
    with pytest.raises(PasimetaError, match=r"egger: 9 studies are fewer than 10.*no power"):
        small_study_test("egger", yi, vi)
    with pytest.raises(PasimetaError, match="1 study is fewer"):
        small_study_test("peters", events=[3], n=[10])
    assert egger(yi, vi).k == 9
    more = np.append(yi, 0.3), np.append(vi, 0.2)
    assert small_study_test("egger", *more).p_value == egger(*more).p_value


def test_what_is_certain_of_the_silent_trials(evidence) -> None:
    ended = [trial for trial in unreported_trials(evidence) if trial.ended]
    assert [(t.treated_lower, t.treated_upper) for t in ended] == [(9, 9), (0, 8), (0, 8)]
    assert unreported_trials(evidence, ended_only=True) == tuple(ended)
    assert all(t.treated_lower == 0 for t in unreported_trials(evidence) if not t.ended)


def test_rob_me_lists_every_eligible_trial_with_a_reason(evidence) -> None:
    from pasimeta.evidence import tables
    from pasimeta.evidence.inclusion import InclusionRule, decide_all

    responses = tables.responses(evidence, decide_all(evidence, InclusionRule()))
    judged = rob_me(evidence, responses, 75)
    results = judged.trials.set_index("study")["result"]
    assert results["cheng2022"] == "available"
    assert results["yao2021"] == "bounded"
    assert results["nct05258331"] == "missing"
    assert results["nct03745417"] == "fate unknown"
    assert judged.trials["reason"].str.len().min() > 10
    assert judged.reported == 29
    assert (judged.available, judged.missing_lower, judged.missing_upper) == (24, 14, 30)
    assert judged.judgement == "high"


def test_limits_are_pooled_from_the_earliest_visit_of_each_arm(evidence) -> None:
    from pasimeta.evidence import tables

    comparators = tables.comparators(evidence, [])
    methotrexate = comparator_rate(comparators, "methotrexate", 50)
    arms = pool_binomial([68, 15], [110, 25])
    assert methotrexate.response_population == pytest.approx(arms.response_population)
    with pytest.raises(PasimetaError, match="no arm"):
        comparator_rate(comparators, "methotrexate", 33)


def test_leaving_out_adding_and_every_subset_are_single_fits() -> None:
    x, n, names = [6, 2, 1, 2], [17, 7, 3, 2], ["a", "b", "c", "d"]
    out = leave_one_out_counts(x, n, labels=names).set_index("omitted")
    assert out.loc["b", "estimate"] == pytest.approx(pool_binomial([6, 1, 2], [17, 3, 2]).response_estimate, abs=1e-8)
    added = cumulative_counts(x, n, order=[3, 1, 2, 0], labels=names)
    assert list(added["added"]) == ["d", "b", "c", "a"]
    assert added.iloc[1]["ci_upper"] == pytest.approx(pool_binomial([2, 2], [2, 7]).response_ci_upper, abs=1e-8)
    subsets = subsets_of_counts(x, n, labels=names).set_index("studies")
    assert len(subsets) == 15
    assert subsets.loc["a + d", "estimate"] == pytest.approx(pool_binomial([6, 2], [17, 2]).response_estimate, abs=1e-8)
    with pytest.raises(PasimetaError, match="too few"):
        leave_one_out_counts([1], [2])
    with pytest.raises(PasimetaError, match="gosh"):
        subsets_of_counts([1] * 13, [2] * 13)


def test_baujat_is_metafors() -> None:
    # metafor 3.8-1: baujat(rma(yi, vi, data=escalc("PLO", xi=c(6,2,1,0), ni=c(17,7,3,2)), method="DL"))
    from pasimeta.effects import escalc

    table = baujat(*escalc("PLO", events=[6, 2, 1, 0], n=[17, 7, 3, 2]), "DL")
    np.testing.assert_allclose(
        table["contribution"], [0.080217163763, 0.039561416590, 0.002145637336, 0.307850908537], rtol=1e-9
    )
    np.testing.assert_allclose(
        table["pull"], [0.1239821454989, 0.0113813693194, 0.0002497428468, 0.0214586797773], rtol=1e-9
    )
