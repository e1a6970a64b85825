"""Sentences on certainty and on the next trial follow from tables by rule, and never claim more than these allow."""

import pandas as pd

from pasimeta.report.prose import certainty, next_trial, summary

PER = ("rate_lower", "rate_upper", "ci_lower", "ci_upper", "comparison", "difference", "difference_lower")


def findings(**changes):
    row = {
        "outcome": "PASI75",
        "k": 1,
        "patients": 17,
        "events_lower": 6,
        "events_upper": 6,
        **{f"{name}_per_1000": value for name, value in zip(PER, (353, 353, 142, 617, 52, 301, 90), strict=True)},
        "comparison_lower_per_1000": 47,
        "comparison_upper_per_1000": 57,
        "difference_upper_per_1000": 565,
        "comparison": "placebo",
        "start": "low",
        "certainty": "very low",
        "symbol": "⊕⊝⊝⊝",
        "reasons": "imprecision: wide",
    }
    return pd.DataFrame([row | changes])


def judgements(levels=1):
    domains = ("risk of bias", "publication bias")
    return pd.DataFrame(
        {"outcome": "PASI75", "domain": domains, "levels": [levels, levels], "reason": [f"{d} it is" for d in domains]}
    )


def text(sentences):
    return " ".join(sentences).replace("\u00a0", " ")


def test_certainty_is_the_best_there_is_and_reasons_only_those_that_count():
    said = text(summary.sure_sentences(findings(certainty="low"), judgements()))
    assert "more than **low** certainty" in said
    assert "publication bias it is" in said
    assert "it is" not in text(summary.sure_sentences(findings(), judgements(0)))


def test_grade_sentences_name_outcomes_and_domains():
    said = text(certainty.grade_sentences(findings(), judgements()))
    assert "**very low** for PASI75" in said
    assert "marked down for risk of bias and publication bias" in said
    assert "nothing was compared with a control group" in said
    assert "starts low" not in text(certainty.grade_sentences(findings(start="high"), judgements()))


def sizes():
    return pd.DataFrame(
        {
            "against": ["Methotrexate", "Placebo"],
            "target": [0.8, 0.8],
            "n_per_arm": pd.array([None, 49], "Int64"),
            "n_control": pd.array([None, 49], "Int64"),
            "reason": ["is out of reach", ""],
        }
    )


def test_an_unreachable_size_is_said_to_be_one():
    said = text(next_trial.size_sentences(sizes()))
    assert "Against methotrexate, 80 % assurance is out of reach." in said
    assert "Against placebo, 80 % assurance takes 49 and 49 patients." in said


def test_what_would_change_our_mind():
    assurance = pd.DataFrame(
        [{"arm": "low", "control": "Methotrexate", "assurance": 0.069, "ceiling": 0.448, "any_contrast": 0.1}]
    )
    precision = pd.DataFrame(
        [{"n": 38, "width_before": 0.47, "width_expected": 0.41, "width_lower": 0.29, "width_upper": 0.65}]
    )
    said = text(summary.change_sentences(assurance, sizes(), precision))
    assert "probability of 7 % per dose" in said
    assert "not promise more than 45 %" in said
    assert "Against placebo, a randomized trial of 49 patients an arm" in said
    assert "No size searched gives the assurance wanted against methotrexate" in said
    assert "may widen" in next_trial.precision_sentence(precision)
    assert "may widen" not in next_trial.precision_sentence(precision.assign(width_upper=0.4))


def test_findings_table_gives_effects_with_intervals():
    row = certainty.findings_table(findings()).iloc[0]
    assert row["effect"] == "353 (142 to 617)"
    assert row["difference"] == "301 (90 to 565)"
    assert certainty.findings_table(findings(comparison_per_1000=None))["comparison"].isna().all()
