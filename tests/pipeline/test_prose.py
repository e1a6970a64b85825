"""Sentences follow from results by rule: they name what is excluded, what is compatible, and what isn't known."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbconvert.filters import markdown2html_mistune

from pasimeta.errors import ParameterError
from pasimeta.moderators.sex import StudyComparisons, compare_groups
from pasimeta.pipeline import notebook
from pasimeta.report import readable, words
from pasimeta.report.prose import response, sex_subgroup, summary
from pasimeta.synthesis.response import model_fit, pool_response

pytestmark = pytest.mark.filterwarnings("ignore::pasimeta.errors.PasimetaWarning")
NBSP = "\u00a0"


def pooled(*studies, threshold=50, model="common"):
    """A pool of (label, events_lower, events_upper, n)."""
    counts = pd.DataFrame(studies, columns=["label", "events_lower", "events_upper", "n"])
    return pool_response(threshold, counts.assign(study=counts["label"]), model_fit(model))


def sentence(pool, level=0.95):
    return response.pooled_sentence(pool, level).replace(NBSP, " ")


def test_one_study_is_called_one_study():
    text = sentence(pooled(("Cheng 2022", 6, 6, 17), threshold=75))
    assert text == (
        "**PASI75**: 6 of 17 patients (35 %; 95 % interval 14 to 62 %), in Cheng 2022 alone. One study is not a pool."
    )


def test_pool_states_its_interval_counts():
    text = sentence(pooled(("Cheng 2022", 6, 8, 17), ("Yao 2021", 2, 2, 7)))
    assert "8 to 10 of 24 patients in two studies; pooled 33 to 42 %, 95 % interval 16 to 63 %." in text


def test_prediction_interval_is_stated_where_there_is_one():
    assert "(prediction interval)" in sentence(pooled(("A", 3, 3, 9), ("B", 2, 2, 7), model="binomial_normal"))
    assert "prediction" not in sentence(pooled(("A", 3, 3, 9), ("B", 2, 2, 7)))


def test_no_study_is_said_to_be_none():
    assert sentence(pooled()) == "**PASI50**: no included study reports it."


def test_vague_counts_are_named_and_exact_ones_are_not():
    text = response.unknown_counts_sentence(pooled(("Cheng 2022", 6, 8, 17), ("Yao 2021", 2, 2, 7)))
    assert "Cheng 2022 (6 to 8 of 17)" in text
    assert "Yao" not in text
    assert "All 3 possible combinations" in text
    assert response.unknown_counts_sentence(pooled(("Yao 2021", 2, 2, 7))) == ""


def test_doubts_of_the_fit_are_listed():
    assert "only 2 studies" in response.doubts(pooled(("A", 3, 3, 9), ("B", 2, 2, 7), model="binomial_normal"))
    assert response.doubts(pooled()) == ""


@pytest.mark.parametrize(
    ("table", "verdict"),
    [
        ((6, 9, 2, 8), "is **not identified**"),
        ((9, 9, 0, 8), "exclude equal response at this level, in favour of women"),
        ((0, 9, 8, 8), "exclude equal response at this level, in favour of men"),
    ],
)
def test_sex_difference_is_claimed_only_where_the_interval_excludes_none(table, verdict):
    sentences = " ".join(sex_subgroup.sex_sentences(StudyComparisons({"S": compare_groups(*table)}), 40))
    assert verdict in sentences
    assert "nothing seen repeats it" in sentences


def test_no_study_by_sex_is_said_to_be_none():
    assert sex_subgroup.sex_sentences(StudyComparisons({}), 40) == [
        "No included study counts PASI40 responders by sex."
    ]


@given(st.integers(0, 9), st.integers(0, 8))
def test_verdict_agrees_with_the_interval(women, men):
    comparison = compare_groups(women, 9, men, 8)
    text = " ".join(sex_subgroup.sex_sentences(StudyComparisons({"S": comparison}), 40))
    zero_inside = comparison.risk_difference_ci_lower <= 0 <= comparison.risk_difference_ci_upper
    assert ("not identified" in text) == zero_inside


def test_unknown_benchmark_is_refused():
    with pytest.raises(ParameterError, match=r"summary\.placebo_benchmark: 'nobody' is not in"):
        summary.context_sentences(pd.DataFrame({"quantity": []}), "nobody", "nobody")


@given(st.text(max_size=60))
def test_any_label_shows_as_text(label):
    # whatever a study is called, its name reaches the page as words, never as markup
    page = markdown2html_mistune(f"Study {words.markdown_text(label)} end")
    for tag in ("<script", "<img", "<a ", "<em", "<strong", "<code", "<h1"):
        assert tag not in page


@given(st.text(max_size=60))
def test_any_value_shows_as_text_in_a_table(value):
    page = notebook.table_html(pd.DataFrame({"a": [value], "b": [1.0]}), value, [value, "B"])
    assert page.count("<td") == 1
    assert page.count("<th scope") == 3
    assert "<script" not in page


def test_table_shows_numbers_as_a_reader_wants_them():
    table = pd.DataFrame({"a": ["x", "y"], "b": [0.12345, None], "c": [17, -2], "d": [True, False]})
    page = notebook.table_html(table, "caption", list("ABCD"))
    for shown in (">0.123<", ">–<", ">17<", ">−2<", ">yes<", ">no<"):
        assert shown in page


def test_counts_rates_and_intervals_are_readable():
    table = pd.DataFrame(
        {
            "threshold": [50.0],
            "events_lower": [6],
            "events_upper": [8],
            "n": [17],
            "imputation": ["none"],
            "rate_lower": [6 / 17],
            "rate_upper": [8 / 17],
            "ci_lower": [-0.1],
            "ci_upper": [1.2],
        }
    )
    row = readable.rates(table).iloc[0]
    assert (row["count"], row["rate"], row["interval"]) == ("6–8/17", "35.3 to 47.1", "−10.0 to 120.0")
