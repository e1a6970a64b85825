"""The moderator-evidence table: words by rule, nothing claimed that the design can't tell apart."""

import numpy as np
import pandas as pd
import pytest

from pasimeta.effects import escalc
from pasimeta.errors import PasimetaError
from pasimeta.moderators import subgroup
from pasimeta.moderators.all_moderators import multiplicity, second_rate, sex_rows, study_levels, study_rows
from pasimeta.moderators.evidence_table import holm, moderator_table, study_moderator
from pasimeta.moderators.one_stage import across_studies, one_stage
from pasimeta.moderators.strata import known_stratum, unknown_stratum
from pasimeta.moderators.verdicts import verdict

COUNTS = pd.DataFrame(
    {"study": list("abcd"), "events_lower": [6, 9, 3, 2], "events_upper": [6, 9, 3, 4], "n": [17, 20, 16, 18]}
)
CHENG, YAO = known_stratum("Cheng 2022", 6, 9, 2, 8, 40), unknown_stratum("Yao 2021", 1, 6, (2, 2), 50)


@pytest.mark.parametrize(
    ("lower", "upper", "identified", "said"),
    [
        (-1, 1, True, "compatible with no difference"),
        (0, 1, True, "compatible with no difference"),
        (0.1, 1, True, "excludes no difference"),
        (-2, -1, True, "excludes no difference"),
        (0.1, 1, False, "not identified"),
        (None, None, True, "not identified"),
    ],
)
def test_words_follow_from_the_interval(lower, upper, identified, said):
    assert verdict(lower, upper, identified=identified) == said


def test_limits_out_of_order_are_refused():
    with pytest.raises(PasimetaError, match="lower one first"):
        verdict(1, -1)


def test_holm_is_that_of_the_textbook():
    # Holm 1979: the i-th smallest of m times m - i + 1, made monotone
    assert holm(np.array([0.01, 0.04, np.nan, 0.03])) == pytest.approx([0.03, 0.06, np.nan, 0.06], nan_ok=True)


def test_two_levels_with_two_studies_each_are_compared():
    row = study_moderator("tissue", COUNTS, {"a": "cord", "b": "cord", "c": "fat", "d": "fat"})
    fits = [
        subgroup(*escalc("PLO", events=COUNTS[end], n=COUNTS["n"]), ["cord", "cord", "fat", "fat"])
        for end in ("events_lower", "events_upper")
    ]
    differences = [fit.estimate[1] - fit.estimate[0] for fit in fits]
    assert np.log(row.estimate) == pytest.approx(np.mean(differences))
    assert row.p_value == max(fit.q_between_p_value for fit in fits)
    assert row.why == ""
    assert row.ci_lower < row.estimate < row.ci_upper


def test_a_level_with_one_study_is_not_identified():
    row = study_moderator("tissue", COUNTS[:2], {"a": "cord", "b": "fat"})
    assert row.verdict == "not identified"
    assert "one study only with cord and one with fat" in row.why


@pytest.mark.parametrize(
    ("levels", "why"),
    [
        ({"a": "cord", "b": "cord"}, "every study that reports it has cord"),
        ({}, "no study reports it"),
        ({"a": "x", "b": "y", "c": "z"}, "3 levels among 3 studies"),
    ],
)
def test_what_cant_be_compared_says_why(levels, why):
    row = study_moderator("tissue", COUNTS, levels)
    assert (row.verdict, row.why) == ("not identified", why)
    assert row.estimate is None


def test_sex_stands_within_and_across_apart():
    within, across = one_stage([CHENG, YAO]), across_studies([CHENG, YAO])
    rows = sex_rows(within, across, 0.8, second_rate([CHENG, YAO]))
    assert [row.information for row in rows] == ["within studies", "between studies"]
    assert [row.verdict for row in rows] == ["compatible with no difference", "not identified"]
    assert "ecological" in rows[1].why
    # 90 % against 25 %, as exact power gives for nine and eight patients
    assert rows[0].detectable == pytest.approx(27, rel=0.02)


def test_multiplicity_counts_questions_and_tests():
    table = moderator_table(
        study_rows(COUNTS, {"tissue": {"a": "x", "b": "x", "c": "y", "d": "y"}, "donor": {}}, 0.95, 0.8)
    )
    counts = multiplicity(table, 0.05)
    assert (counts["questions"], counts["tested"]) == (2, 1)
    assert counts["chance"] == pytest.approx(0.05)
    assert table["p_holm"].iloc[0] == table["p_value"].iloc[0]


def test_a_moderator_without_a_column_is_unreported():
    levels = study_levels(pd.DataFrame({"study": ["a"], "tissue": ["umbilical_cord"], "route": [None]}))
    assert levels["tissue"] == {"a": "umbilical cord"}
    assert levels["route"] == levels["co_treatment"] == {"a": None}


def test_no_study_at_all_is_refused():
    with pytest.raises(PasimetaError, match="no study has a count"):
        study_moderator("tissue", COUNTS.iloc[:0], {})
