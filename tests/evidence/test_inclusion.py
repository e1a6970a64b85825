"""Which studies are analysed follows from the rule and the data alone."""

from dataclasses import replace

import pytest

from pasimeta.errors import ParameterError
from pasimeta.evidence.inclusion import (
    STAGES,
    InclusionRule,
    decide,
    decide_all,
    flow,
    included,
    require_some,
    treated,
)

DEFAULT = InclusionRule()


def names(evidence, rule):
    return [study.id for study in included(evidence, rule)]


def test_default_rule_leaves_the_two_trials_that_count_pasi_responses(evidence):
    assert names(evidence, DEFAULT) == ["cheng2022", "yao2021"]


def test_case_series_enter_when_their_design_is_allowed(evidence):
    wider = replace(DEFAULT, designs=("single_arm", "case_series", "case_report"))
    assert {"lwin2025", "dejesus2016"} <= set(names(evidence, wider))
    assert "chen2016" not in names(evidence, wider)  # no PASI


def test_other_products_enter_when_asked_for(evidence):
    wider = replace(DEFAULT, product_classes=("expanded_msc", "svf"), designs=("single_arm", "case_report"))
    assert "comella2018" in names(evidence, wider)


def test_small_studies_leave(evidence):
    assert names(evidence, replace(DEFAULT, min_analysed=8)) == ["cheng2022"]
    assert names(evidence, replace(DEFAULT, min_analysed=18)) == []


@pytest.mark.parametrize(
    ("study", "stage"),
    [
        ("comella2018", "product"),
        ("nct03424629", "reported"),
        ("bajouri2023", "pasi_response"),
        ("lwin2025", "design"),
    ],
)
def test_every_exclusion_names_its_stage_and_reason(evidence, study, stage):
    decision = decide(evidence.studies[study], DEFAULT)
    assert not decision.included
    assert decision.stage == stage
    assert decision.reason


def test_a_confounded_study_is_left_out_for_its_stated_reason(evidence):
    study = evidence.studies["cheng2022"]
    exclusion = {"reason": "all had chemotherapy", "source": "x", "locator": "y", "confidence": "seen"}
    confounded = study.model_validate(study.model_dump() | {"exclusion": exclusion})
    assert decide(confounded, DEFAULT).reason == "all had chemotherapy"


def test_flow_closes(evidence):
    decisions = decide_all(evidence, DEFAULT)
    table = flow(decisions, treated(evidence))
    assert list(table["stage"]) == list(STAGES)
    assert len(evidence.studies) - table["excluded"].sum() == table["left"].iloc[-1] == 2
    assert (table["left"].diff().dropna() == -table["excluded"].iloc[1:]).all()
    assert table["patients_left"].iloc[-1] == 24
    assert table["patients_left"].is_monotonic_decreasing


def test_a_rule_that_no_study_meets_is_refused(evidence):
    require_some(decide_all(evidence, DEFAULT))
    with pytest.raises(ParameterError, match=r"no study meets the rule; the last to fail was .*fewer than 100; widen"):
        require_some(decide_all(evidence, replace(DEFAULT, min_analysed=100)))
