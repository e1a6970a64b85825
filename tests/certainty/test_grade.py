"""GRADE by rule: every domain takes off what its numbers deserve, says why, and the floor is very low."""

import itertools

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasimeta.certainty import (
    GradeRules,
    benchmark_rates,
    decisions_of,
    eligible,
    pooled_outcomes,
    safety_outcome,
    summary_of_findings,
    unreported_patients,
)
from pasimeta.certainty.downgrades import optimal_information_size
from pasimeta.certainty.grade import LEVELS, newcombe_difference
from pasimeta.errors import PasimetaError
from pasimeta.evidence import tables
from pasimeta.evidence.inclusion import InclusionRule, decide_all

CLEAN = dict.fromkeys(
    ("confounding", "selection", "classification", "deviations", "missing_data", "measurement", "reported_result"),
    "low",
)


def judged(outcome, rules=None):
    (finding,) = summary_of_findings([outcome], rules).findings
    return finding, {d.domain: d for d in finding.downgrades}


def test_clean_randomized_evidence_is_of_high_certainty(outcome):
    finding, domains = judged(outcome())
    assert finding.certainty == "high"
    assert finding.symbol == "⊕⊕⊕⊕"
    assert all(d.levels == 0 and d.reason for d in domains.values())


def test_uncontrolled_evidence_starts_low_and_confounding_is_not_counted_twice(outcome):
    finding, domains = judged(outcome(randomized=False, domain_risks=({**CLEAN, "confounding": "critical"},) * 2))
    assert finding.start == finding.certainty == "low"
    assert domains["risk of bias"].levels == 0
    finding, domains = judged(outcome(domain_risks=({**CLEAN, "confounding": "critical"},) * 2))
    assert domains["risk of bias"].levels == 2


@pytest.mark.parametrize(
    ("risk", "patients", "levels"),
    [
        ("serious", (200, 200), 1),
        ("critical", (200, 200), 2),
        ("critical", (150, 250), 0),  # too few of the patients
        ("moderate", (200, 200), 0),
    ],
)
def test_risk_of_bias_counts_where_it_marks_half_of_the_patients(outcome, risk, patients, levels):
    marked = outcome(patients=patients, domain_risks=({**CLEAN, "measurement": risk}, CLEAN))
    domain = judged(marked)[1]["risk of bias"]
    assert domain.levels == levels
    assert ("measurement" in domain.reason) == (levels > 0)


def test_what_nobody_judged_or_could_judge_is_not_taken_for_good(outcome):
    unknown = dict.fromkeys(CLEAN, "no_information")
    for risks in ({}, unknown, {**unknown, "selection": "low", "measurement": "low"}):
        domain = judged(outcome(domain_risks=(risks, risks)))[1]["risk of bias"]
        assert domain.levels == 1
        assert "can't be judged" in domain.reason


@pytest.mark.parametrize(
    ("interval", "levels"), [((0.3, 0.5), 0), ((0.29, 0.51), 1), ((0.2, 0.6), 1), ((0.19, 0.61), 2)]
)
def test_imprecision_follows_the_width_of_the_interval(outcome, interval, levels):
    assert judged(outcome(ci_lower=interval[0], ci_upper=interval[1]))[1]["imprecision"].levels == levels


def test_fewer_patients_than_the_information_size_are_imprecise_whatever_the_width(outcome):
    size = optimal_information_size(0.4, 0.1)
    assert size == 93  # 1.96^2 * 0.4 * 0.6 / 0.1^2 = 92.2
    assert judged(outcome(patients=(size - 60, 59)))[1]["imprecision"].levels == 1
    assert judged(outcome(patients=(size - 60, 60)))[1]["imprecision"].levels == 0


def test_no_events_are_judged_by_the_rule_of_three(outcome):
    none = {"events_lower": 0, "events_upper": 0, "rate_lower": 0, "rate_upper": 0, "ci_lower": 0, "pi_lower": None}
    few = judged(outcome(**none, ci_upper=0.142, patients=(17, 7)))[1]["imprecision"]
    assert few.levels == 2
    assert "takes 300 patients" in few.reason
    assert judged(outcome(**none, ci_upper=0.02, patients=(90, 90)))[1]["imprecision"].levels == 1
    assert judged(outcome(**none, ci_upper=0.01, patients=(150, 150)))[1]["imprecision"].levels == 0


@pytest.mark.parametrize(("prediction", "levels"), [((0.33, 0.47), 0), ((0.2, 0.6), 1), ((0.31, 0.6), 0)])
def test_inconsistency_is_a_prediction_interval_much_wider_than_the_mean(outcome, prediction, levels):
    assert judged(outcome(pi_lower=prediction[0], pi_upper=prediction[1]))[1]["inconsistency"].levels == levels


def test_one_study_is_not_inconsistent_and_says_why(outcome):
    alone = outcome(studies=("a",), patients=(400,), domain_risks=(CLEAN,), pi_lower=None, pi_upper=None)
    domain = judged(alone)[1]["inconsistency"]
    assert domain.levels == 0
    assert "nothing that repeats it" in domain.reason


@pytest.mark.parametrize(
    ("undated", "off", "levels"), [(0, 0, 0), (199, 0, 0), (200, 0, 1), (0, 200, 1), (400, 300, 2)]
)
def test_indirectness_is_an_unknown_time_or_another_question(outcome, undated, off, levels):
    domain = judged(outcome(undated_patients=undated, off_target_patients=off))[1]["indirectness"]
    assert domain.levels == levels


@pytest.mark.parametrize(("silent", "levels"), [(0, 0), (99, 0), (100, 1), (2000, 1)])
def test_publication_bias_follows_the_share_of_silent_patients(outcome, silent, levels):
    domain = judged(outcome(unreported_patients=silent))[1]["publication bias"]
    assert domain.levels == levels


def test_limits_can_be_set(outcome):
    strict = GradeRules(wide=0.05, very_wide=0.09)
    assert judged(outcome(), strict)[1]["imprecision"].levels == 2


def test_certainty_is_the_start_less_all_levels_and_never_below_very_low(outcome):
    options = itertools.product((True, False), (0, 300), (0, 300), ((0.35, 0.45), (0.1, 0.7)))
    for randomized, undated, silent, (low, high) in options:
        finding, domains = judged(
            outcome(
                randomized=randomized,
                undated_patients=undated,
                unreported_patients=silent,
                ci_lower=low,
                ci_upper=high,
            )
        )
        start = 3 if randomized else 1
        assert finding.certainty == LEVELS[max(0, start - sum(d.levels for d in domains.values()))]
        assert len(finding.reasons) == sum(d.levels > 0 for d in domains.values())


def test_absolute_effects_and_difference_per_1000(outcome):
    summary = summary_of_findings([outcome()], comparisons={"PASI75": (0.052, 0.047, 0.057)}, comparison="placebo")
    row = summary.to_frame().iloc[0]
    effects = ("rate_lower", "ci_lower", "ci_upper", "comparison", "difference")
    assert [row[f"{name}_per_1000"] for name in effects] == [400, 350, 450, 52, 348]
    assert row["comparison"] == "placebo"
    assert row["certainty"] == "high"


# Newcombe RG. Stat Med 1998;17:873-890, table II, example (a): 56/70 against 48/80, method 10: 0.0524 to 0.3339
def test_difference_is_newcombes():
    from pasimeta.effects.intervals import proportion_ci

    lower, upper = proportion_ci([56, 48], [70, 80], method="wilson")
    difference = newcombe_difference((56 / 70, lower[0], upper[0]), (48 / 80, lower[1], upper[1]))
    assert difference == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


@given(st.floats(0, 1), st.floats(0.02, 0.3))
def test_information_size_grows_with_the_precision_asked_for(rate, margin):
    assert optimal_information_size(rate, margin) >= optimal_information_size(rate, 1.5 * margin)


# The evidence itself


@pytest.fixture(scope="module")
def decided(evidence):
    decisions = decide_all(evidence, InclusionRule())
    return decisions, tables.responses(evidence, decisions)


def pooled_row(threshold, studies, n, low, high, **more):
    row = {"threshold": threshold, "k": len(studies.split()), "studies": studies, "n": n, "events_lower": 6}
    return pd.DataFrame([row | {"events_upper": 6, "estimate_lower": low, "estimate_upper": high} | more])


def test_pasi75_of_one_uncontrolled_trial_is_of_very_low_certainty(evidence, decided):
    pooled = pooled_row(75, "cheng2022", 17, 6 / 17, 6 / 17, ci_lower=0.142, ci_upper=0.617)
    (gathered,) = pooled_outcomes(evidence, pooled, decided[1])
    assert gathered.undated_patients == 17
    assert gathered.unreported_patients == 25
    finding, domains = judged(gathered)
    assert finding.certainty == "very low"
    assert {name: d.levels for name, d in domains.items()} == {
        "risk of bias": 1,
        "inconsistency": 0,
        "indirectness": 1,
        "imprecision": 2,
        "publication bias": 1,
    }


def test_tables_that_do_not_belong_together_are_refused(evidence, decided):
    pooled = pooled_row(50, "cheng2022 yao2021", 21, 0.3, 0.4, ci_lower=0.2, ci_upper=0.6)
    with pytest.raises(PasimetaError, match="24 patients are selected, 21 were pooled"):
        pooled_outcomes(evidence, pooled, decided[1])
    assert pooled_outcomes(evidence, pooled, decided[1], imputation="completers")[0].patients == (17, 4)


def test_no_related_serious_event_in_24(evidence, decided):
    safety = tables.safety(evidence, decided[0])
    harm = safety_outcome(evidence, safety, eligible(evidence, decided[0]))
    assert (harm.events_upper, harm.n, harm.studies) == (0, 24, ("cheng2022", "yao2021"))
    assert harm.ci_upper == pytest.approx(1 - 0.025 ** (1 / 24), abs=1e-9)
    assert safety_outcome(evidence, safety, ["bajouri2023"]) is None


def test_up_to_25_patients_are_unreported(evidence):
    assert unreported_patients(evidence) == 9 + 8 + 8
    assert unreported_patients(evidence, ("exosome",)) == 0


def test_decisions_survive_their_table(evidence, decided):
    assert [(d.study, d.included) for d in decisions_of(tables.characteristics(evidence, decided[0]))] == [
        (d.study, d.included) for d in decided[0]
    ]


def test_benchmark_is_the_largest_with_an_interval(evidence):
    rates = benchmark_rates(tables.benchmarks(evidence, []), "placebo")
    assert rates["PASI75"] == pytest.approx((0.052, 0.047, 0.057))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda o: summary_of_findings([]), "outcomes: none"),
        (lambda o: summary_of_findings([o()], comparisons={"PASI75": (5.2, 4.7, 5.7)}), "5 % is 0.05"),
        (lambda o: GradeRules(wide=20), "rules.wide: 20"),
        (lambda o: GradeRules(wide=0.5), "must be above wide"),
        (lambda o: o(studies=("a",)), "one entry a study"),
        (lambda o: o(ci_lower=0.5), "outside its interval"),
    ],
)
def test_impossible_input_is_refused_with_a_remedy(outcome, call, words):
    with pytest.raises(PasimetaError) as refusal:
        call(outcome)
    assert words in str(refusal.value)
