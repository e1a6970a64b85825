"""On the committed evidence: what each choice changes, and what is left out unless it is asked for."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pasimeta.evidence import selection, told_outcomes
from pasimeta.evidence.comparator_arms import comparator_arms
from pasimeta.evidence.inclusion import InclusionRule, decide_all
from pasimeta.evidence.store import load_evidence
from pasimeta.evidence.tables import characteristics, comparators, responses
from pasimeta.pipeline.sections import Parameters
from pasimeta.synthesis.thresholds import pool_thresholds
from pasimeta.synthesis.thresholds.held_out import held_out_predictions
from pasimeta.synthesis.thresholds.pool import study_predictions

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")
DEFAULTS = Parameters()
EVIDENCE = load_evidence(Path(__file__).parents[2] / "data")
DECISIONS = decide_all(EVIDENCE, InclusionRule())


@pytest.fixture(scope="module")
def reported() -> pd.DataFrame:
    return responses(EVIDENCE, DECISIONS)


@pytest.fixture(scope="module")
def arms() -> pd.DataFrame:
    return comparator_arms(comparators(EVIDENCE, []))


def counted(reported: pd.DataFrame, imputation: str) -> pd.DataFrame:
    return selection.every_threshold(reported, imputation=imputation, timepoint="latest")


def test_chengs_pasi50_is_predicted_within_what_pasi40_and_pasi75_leave(
    reported: pd.DataFrame, arms: pd.DataFrame
) -> None:
    fit = pool_thresholds(counted(reported, "nonresponder"), comparators=arms, method="bayes")
    row = fit.predictions.set_index(["study", "threshold"]).loc[("cheng2022", 50.0)]
    assert not row["reported"]
    assert (row["events_lower"], row["events_upper"], row["n"]) == (6, 8, 17)
    assert 6 <= row["predicted_lower"] <= row["predicted"] <= row["predicted_upper"] <= 8


@pytest.mark.parametrize("method", ["ML", "bayes"])
def test_predictions_alone_are_those_of_the_whole_fit(reported: pd.DataFrame, arms: pd.DataFrame, method: str) -> None:
    counts = counted(reported, "nonresponder")
    whole = pool_thresholds(counts, comparators=arms, method=method, predict=[50, 90]).predictions
    alone = study_predictions(counts, [50, 90], comparators=arms, method=method)
    pd.testing.assert_frame_equal(alone, whole, check_exact=True)


def test_yaos_imputation_changes_the_denominator_and_the_answer(reported: pd.DataFrame, arms: pd.DataFrame) -> None:
    estimates = {}
    for imputation, n in (("nonresponder", 7), ("completers", 4)):
        counts = counted(reported, imputation)
        yao = counts[counts["study"] == "yao2021"]
        assert yao[["threshold", "events_lower", "events_upper", "n"]].to_numpy().tolist() == [[50, 2, 2, n]]
        estimates[imputation] = pool_thresholds(counts, comparators=arms, method="bayes").response_estimate
    assert estimates["completers"] > estimates["nonresponder"] + 0.03


def test_case_reports_are_off_by_default_with_the_reason_and_raise_the_share_when_let_in(
    reported: pd.DataFrame, arms: pd.DataFrame
) -> None:
    assert DEFAULTS.thresholds.include_case_reports is False
    field = type(DEFAULTS.thresholds).model_fields["include_case_reports"]
    assert "written up because it went well" in str(field.description)
    cases = told_outcomes.case_reports(reported, characteristics(EVIDENCE, DECISIONS))
    assert len(cases)
    without = counted(reported, "nonresponder")
    assert not set(cases["study"]) & set(without["study"])
    pooled = counted(pd.concat([reported, cases], ignore_index=True), "nonresponder")
    shares = [pool_thresholds(c, comparators=arms, method="bayes").response_estimate for c in (without, pooled)]
    assert shares[0] < shares[1]


def test_predictive_intervals_of_trials_not_seen_hold_what_they_promise(arms: pd.DataFrame) -> None:
    held = held_out_predictions(arms)
    at75 = held[held["threshold"] == 75]
    assert len(held) > 60
    # 80 % intervals of counts hold at least that much, but for the error of so many: three standard errors
    for rows in (held, at75):
        assert rows["covered"].mean() > 0.8 - 3 * (0.8 * 0.2 / len(rows)) ** 0.5
    assert held["pit"].mean() == pytest.approx(0.5, abs=3 / (12 * len(held)) ** 0.5)
    assert (100 * (at75["observed"] - at75["predicted"]).abs() / at75["n"]).mean() < 5


def test_reference_curves_of_other_treatments_lie_in_the_order_their_trials_found(arms: pd.DataFrame) -> None:
    at75 = {
        group: pool_thresholds(own, comparators=arms[arms["group"] != group], predict=[]).response_at(75)["response"]
        for group, own in arms.groupby("group")
        if group in ("Placebo", "Methotrexate", "Biologics")
    }
    assert at75["Placebo"] < 0.1 < at75["Methotrexate"] < at75["Biologics"]
