"""What can and can't be learned about dose from the published counts."""

import pandas as pd
import pytest

from pasimeta.errors import PasimetaError
from pasimeta.evidence import tables
from pasimeta.evidence.inclusion import InclusionRule, decide_all
from pasimeta.evidence.selection import response_counts
from pasimeta.moderators.dose import dose_evidence


@pytest.fixture(scope="module")
def published(evidence):
    decisions = decide_all(evidence, InclusionRule())
    return response_counts(tables.responses(evidence, decisions), 50), tables.doses(evidence, decisions)


def study(counts, doses):
    """Counts and doses of studies given as (label, events, n) and (label, dose)."""
    table = pd.DataFrame(counts, columns=["label", "events_lower", "n"])
    arms = pd.DataFrame(doses, columns=["label", "dose_low"])
    return (
        table.assign(study=table["label"], events_upper=table["events_lower"]),
        arms.assign(study=arms["label"], dose_high=arms["dose_low"]),
    )


def test_published_counts_dont_identify_a_slope(published):
    evidence = dose_evidence(*published)
    assert not evidence.slope_identified
    assert evidence.distinct_doses == 1  # Yao's only
    assert "Cheng 2022 treated 17 patients at 4 doses" in evidence.reasons[0]


def test_dose_ranges_are_those_of_the_arms(published):
    by_infusion = dose_evidence(*published).studies.set_index("study")
    assert (by_infusion.loc["cheng2022", ["dose_low", "dose_high"]] / 1e6).tolist() == [1.5, 3.0]
    by_course = dose_evidence(*published, metric="cumulative").studies.set_index("study")
    assert (by_course.loc["cheng2022", ["dose_low", "dose_high"]] / 1e6).tolist() == [5.0, 8.0]
    assert (by_course.loc["yao2021", ["dose_low", "dose_high"]] / 1e6).tolist() == [1.5, 1.5]


def test_three_doses_with_their_own_counts_identify_a_slope():
    counts, doses = study([("A", 1, 9), ("B", 3, 9), ("C", 5, 9)], [("A", 1e6), ("B", 2e6), ("C", 3e6)])
    evidence = dose_evidence(counts, doses)
    assert evidence.slope_identified
    assert evidence.distinct_doses == 3


def test_studies_at_the_same_dose_count_once():
    counts, doses = study([("A", 1, 9), ("B", 3, 9), ("C", 5, 9)], [("A", 1e6), ("B", 2e6), ("C", 2e6)])
    assert "2 dose levels have" in dose_evidence(counts, doses).reasons[-1]


def test_study_without_dose_is_left_out():
    counts, doses = study([("A", 1, 9), ("B", 3, 9)], [("A", 1e6)])
    assert dose_evidence(counts, doses).studies["study"].tolist() == ["A"]


def test_no_study_at_all_is_no_slope(published):
    counts, doses = published
    evidence = dose_evidence(counts.iloc[:0], doses)
    assert evidence.studies.empty
    assert not evidence.slope_identified
    assert "no dose levels have" in evidence.reasons[-1]


def test_unknown_metric_is_refused(published):
    with pytest.raises(PasimetaError, match="choose one of per_infusion, cumulative"):
        dose_evidence(*published, metric="weekly")
