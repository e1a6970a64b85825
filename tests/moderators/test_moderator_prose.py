"""Sentences of the dose, sex and moderator notebooks: every word of judgement follows from a number."""

import numpy as np
import pandas as pd
import pytest

from pasimeta.moderators.allocations import group_margins
from pasimeta.moderators.evidence_table import moderator_table, study_moderator
from pasimeta.moderators.one_stage import across_studies, by_allocation, one_stage
from pasimeta.moderators.partial_identification import partial_identification
from pasimeta.moderators.sex import compare_groups
from pasimeta.moderators.sex_power import comparison_power
from pasimeta.moderators.sex_prior import EffectPrior, posterior
from pasimeta.moderators.strata import known_stratum, unknown_stratum
from pasimeta.moderators.two_by_two import two_by_two
from pasimeta.report.prose import dose_response, moderators, sex_subgroup

CHENG, YAO = known_stratum("Cheng 2022", 6, 9, 2, 8, 40), unknown_stratum("Yao 2021", 1, 6, (2, 2), 50)
NAMES = ("women", "men")


def test_intervals_are_counted_not_judged():
    said = sex_subgroup.interval_sentence(two_by_two(6, 9, 2, 8).to_frame())
    assert said.startswith("All 13 intervals")
    clear = sex_subgroup.interval_sentence(two_by_two(9, 9, 0, 8).to_frame())
    assert clear.startswith("0 of 13 intervals are compatible")


def test_power_sentences_hold_their_numbers():
    power = comparison_power(compare_groups(6, 9, 2, 8), (0.548, 0.472))
    text = " ".join(sex_subgroup.power_sentences(power, NAMES, "Maul 2021")).replace("\u00a0", " ")
    assert "9 women and 8 men" in text
    assert "respond in 90 %" in text
    assert "turns on one patient" in text
    assert f"{power.needed_external} for that of Maul 2021" in text


def test_one_stage_sentences_name_the_unknown_and_the_ecological():
    strata = [CHENG, YAO]
    said = sex_subgroup.one_stage_sentences(one_stage(strata), by_allocation(strata), across_studies(strata), NAMES)
    text = " ".join(said)
    assert "**compatible with no difference**" in said[0]
    assert "all 2 allocations are summed over" in text
    assert "ecological bias" in text
    assert "**not identified** from it" in text


def test_a_clear_difference_is_said_to_be_excluded():
    strata = [known_stratum("A", 18, 20, 3, 20, 40)]
    said = sex_subgroup.one_stage_sentences(one_stage(strata), by_allocation(strata), None, NAMES)
    assert "**excludes no difference**" in said[0]


def test_prior_sentences_say_how_far_the_prior_moves_the_answer():
    posteriors = [posterior([CHENG], EffectPrior("p", 0.0, sd)) for sd in (5.0, 1.0)]
    text = " ".join(sex_subgroup.prior_sentences(posteriors, NAMES))
    moved = 100 * (posteriors[0].difference_median - posteriors[1].difference_median)
    assert f"moves the median by {moved:.0f} points" in text
    assert "Every interval is compatible with no difference" in text


@pytest.fixture(scope="module")
def bounds():
    return partial_identification(group_margins("Cheng 2022", [1.5, 1.5, 2, 2.5, 3], [5, *[None] * 4], 17, (8, 8)))


def test_bounds_say_what_the_sentence_rules_out_and_what_it_doesnt(bounds):
    text = " ".join(dose_response.bounds_sentences("Cheng 2022", bounds, "unit", True))
    assert "7703 tables of responders and group sizes fit" in text
    for word in ("**not identified**", "**excludes**", "**compatible with**"):
        assert word in text


def test_a_direction_that_every_table_shares_is_said_to_be_known():
    # at least three of the four responders got the higher dose, whatever else is unknown
    rising = partial_identification(group_margins("A", [1, 2], [6, 6], 12, (4, 4), [(0, 1), None]))
    text = dose_response.bounds_sentences("A", rising, "unit", False)[0]
    assert "its direction in this sample is" in text
    assert "not even its sign" not in text


def test_a_report_that_rules_nothing_out_excludes_no_slope():
    weak = partial_identification(group_margins("A", [1, 2], [2, 2], 4, (1, 1)))
    text = " ".join(dose_response.bounds_sentences("A", weak, "unit", True))
    assert "**excludes** none of these slopes" in text
    assert "None of the tables is ruled out" in text


def test_a_report_that_contradicts_its_counts_is_said_to():
    clear = partial_identification(group_margins("A", [1, 2], [20, 20], 40, (18, 18), [(0, 1), None]))
    text = " ".join(dose_response.bounds_sentences("A", clear, "unit", True))
    assert "contradict each other" in text


def test_without_a_report_nothing_is_excluded(bounds):
    text = " ".join(dose_response.bounds_sentences("Cheng 2022", bounds, "unit", False))
    assert "exclude" not in text
    assert set(dose_response.bounds_table(bounds)["reading"]) == {"not identified"}


def test_a_slope_nobody_could_find_is_said_to_be_so():
    assert dose_response.detectable_sentence("A", None, "unit", 0.8).startswith("No slope whatever")
    assert "odds ratio of 2.72" in dose_response.detectable_sentence("A", 1.0, "unit", 0.8)


def test_moderator_sentences_count_the_questions():
    counts = pd.DataFrame({"study": ["a", "b"], "events_lower": [8, 2], "events_upper": [8, 2], "n": [17, 7]})
    rows = [study_moderator("tissue", counts, {"a": "cord", "b": "fat"}), study_moderator("donor", counts, {})]
    table = moderator_table(rows)
    text = " ".join(moderators.moderator_sentences(table, 0.05))
    assert "**Not identified**: tissue and donor" in text
    assert "2 questions were asked of these studies and one p value computed" in text
    assert "excludes" not in text
    shown = moderators.evidence_rows(table)
    assert shown["interval"].tolist()[1] == "–"
    assert not np.any(shown == "nan")
