"""One count a study: the right denominator, the right week, and bounds that follow from other thresholds."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pasimeta.evidence.inclusion import InclusionRule, decide_all
from pasimeta.evidence.selection import every_threshold, response_counts, subgroup_counts
from pasimeta.evidence.tables import RESPONSES, responses

DEFAULTS = {"endpoint": "pasi_response", "imputation": "none", "subgroup_by": None, "subgroup_level": None}


@pytest.fixture(scope="module")
def table(evidence):
    return responses(evidence, decide_all(evidence, InclusionRule()))


def rows(*counts):
    """A table of one study from (threshold, events_lower, events_upper, n, week)."""
    records = [
        {
            "study": "s",
            "label": "S",
            "included": True,
            "threshold": threshold,
            "events_lower": lower,
            "events_upper": upper,
            "n_enrolled": n,
            "n_analysed": n,
            "week": week,
            "source": "x",
            "locator": "y",
            "confidence": "seen",
            "derived": None,
            **DEFAULTS,
        }
        for threshold, lower, upper, n, week in counts
    ]
    return RESPONSES.validate(pd.DataFrame(records))


def test_pasi50_takes_the_interval_and_everyone_enrolled(table):
    counts = response_counts(table, 50).set_index("study")
    assert counts.loc["cheng2022", ["events_lower", "events_upper", "n"]].tolist() == [6, 8, 17]
    assert counts.loc["yao2021", ["events_lower", "events_upper", "n"]].tolist() == [2, 2, 7]


@pytest.mark.parametrize(("imputation", "n"), [("nonresponder", 7), ("completers", 4), ("one_year_completers", 2)])
def test_imputation_chooses_the_denominator(table, imputation, n):
    counts = response_counts(table, 50, imputation=imputation).set_index("study")
    assert counts.loc["yao2021", "n"] == n
    assert counts.loc["cheng2022", "n"] == 17


def test_pasi75_rests_on_one_study_unless_silence_is_bounded(table):
    assert response_counts(table, 75)["study"].tolist() == ["cheng2022"]
    bounded = response_counts(table, 75, unreported="bound").set_index("study")
    assert bounded.loc["yao2021", ["events_lower", "events_upper", "n", "basis"]].tolist() == [0, 2, 7, "bounded"]


def test_a_lower_threshold_is_bounded_from_below(table):
    bounded = response_counts(table, 40, unreported="bound").set_index("study")
    assert bounded.loc["yao2021", ["events_lower", "events_upper", "n"]].tolist() == [2, 7, 7]


def test_women_and_men_are_selected_with_their_own_sizes(table):
    groups = subgroup_counts(table, "sex", 40).set_index("level")
    assert groups.loc["female", ["events_lower", "n"]].tolist() == [6, 9]
    assert groups.loc["male", ["events_lower", "n"]].tolist() == [2, 8]
    assert "female" not in response_counts(table, 40).columns  # subgroups never enter the overall counts


def test_timepoint_chooses_the_week_and_undated_counts_come_last():
    table = rows((75, 3, 3, 10, 12), (75, 4, 4, 10, 24), (75, 5, 5, 10, None))
    assert response_counts(table, 75, timepoint="latest")["events_lower"].item() == 4
    assert response_counts(table, 75, timepoint="earliest")["events_lower"].item() == 3


@given(
    st.integers(1, 30).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.integers(0, n), min_size=2, max_size=2))),
    st.integers(26, 99),
)
def test_bounds_hold_whatever_the_study_reports(size_and_events, threshold):
    n, events = size_and_events
    most, least = max(events), min(events)
    table = rows((25, most, most, n, 12), (100, least, least, n, 12))
    count = response_counts(table, threshold, unreported="bound").iloc[0]
    assert (count["events_lower"], count["events_upper"]) == (least, most)


def test_every_threshold_lists_each_study_in_order(table):
    listed = every_threshold(table)
    assert listed[["study", "threshold"]].values.tolist() == [
        ["cheng2022", 40],
        ["cheng2022", 50],
        ["cheng2022", 75],
        ["cheng2022", 90],
        ["yao2021", 50],
    ]
