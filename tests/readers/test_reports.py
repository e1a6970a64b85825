"""Claims of reports and abstracts: who, how many, of how many, from which threshold on."""

from __future__ import annotations

from typing import Any

import pytest

from pasimeta.evidence.readers import extract_text

ABOUT = "Mesenchymal stem cells in psoriasis. "


def claims(text: str, *kinds: str) -> list[tuple[Any, ...]]:
    """Return (kind, threshold, events, n, percent, subgroup) of the claims."""
    return [
        (claim.kind, claim.threshold, claim.events, claim.n, claim.percent, claim.subgroup)
        for claim in extract_text(ABOUT + text, "report.txt").claims
        if not kinds or claim.kind in kinds
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PASI75 was reached by 11 of 20 patients (55 %).", ("response", 75, 11, 20, 55.0, None)),
        ("At week 12, 55% (11/20) of patients had PASI 75.", ("response", 75, 11, 20, 55.0, None)),
        ("Eleven of 20 patients improved by at least 50%.", ("response", 50, 11, 20, None, None)),
        ("A PASI reduction of ≥ 90 % was seen in 4/20 patients.", ("response", 90, 4, 20, None, None)),
        ("PASI-50 response: 11/20 (55%).", ("response", 50, 11, 20, 55.0, None)),
        ("11 (55%) of 20 patients achieved PASI 75.", ("response", 75, 11, 20, 55.0, None)),
        ("The effective rate for men is 37.5% (3/8).", ("effective", None, 3, 8, 37.5, "male")),
        ("The response rate was 66.7% (8/12) in women.", ("response", None, 8, 12, 66.7, "female")),
        ("7 of 9 responders relapsed within six months.", ("relapse", None, 7, 9, None, None)),
        ("None of the 26 patients had a serious adverse event.", ("sae", None, 0, 26, None, None)),
        ("Adverse events were reported by 3 of 12 patients (25%).", ("ae", None, 3, 12, 25.0, None)),
        ("25% (3/12) were clear or almost clear.", ("response", None, 3, 12, 25.0, None)),
    ],
)
def test_a_share_of_patients(text: str, expected: tuple[Any, ...]) -> None:
    assert expected in claims(text)


def test_a_sentence_with_several_shares() -> None:
    text = (
        "A total of 20 psoriasis patients received cells. In addition, 55% of patients who were treated had at least a "
        "50% improvement, 35% had an improvement of more than 75%, and 10% had a PASI improvement of more than 90%."
    )
    assert claims(text, "response") == [
        ("response", 50, 11, 20, 55.0, None),
        ("response", 75, 7, 20, 35.0, None),
        ("response", 90, 2, 20, 10.0, None),
    ]


def test_respectively() -> None:
    text = "A total of 20 patients enrolled. PASI 50, 75 and 90 were reached by 55%, 35% and 10%, respectively."
    assert claims(text, "response") == [
        ("response", 50, 11, 20, 55.0, None),
        ("response", 75, 7, 20, 35.0, None),
        ("response", 90, 2, 20, 10.0, None),
    ]


def test_a_count_is_filled_in_only_where_one_fits() -> None:
    one = "A total of 20 patients enrolled. PASI75 was reached by {} of patients."
    assert claims(one.format("35%"), "response")[0][2] == 7
    # 50 % of 300 is printed for 149, 150 and 151
    many = "A total of 300 patients enrolled. PASI75 was reached by 50% of patients."
    assert claims(many, "response")[0][2:4] == (None, 300)


def test_a_percentage_of_an_arm_is_not_filled_from_the_whole_trial() -> None:
    text = "A total of 40 patients were randomized. PASI75 was reached by 50% of patients in the cell group."
    assert claims(text, "response") == [("response", 75, None, None, 50.0, "cell group")]


def test_sexes_are_not_mixed_up() -> None:
    text = "The effective rate for women is 80% (8/10), and the effective rate for men is 20% (2/10)."
    assert claims(text, "effective") == [
        ("effective", None, 8, 10, 80.0, "female"),
        ("effective", None, 2, 10, 20.0, "male"),
    ]


def test_harm_that_did_not_happen() -> None:
    text = "A total of 9 patients received cells. No related serious adverse events occurred. No fever was seen."
    assert claims(text, "sae") == [("sae", None, 0, 9, None, None)]


def test_events_are_not_patients() -> None:
    assert claims("In all, 16 adverse events occurred.", "ae") == [("ae", None, 16, None, None, None)]


@pytest.mark.parametrize(
    "text",
    [
        "No significant correlation was found between dose and effect.",
        "The effect was not associated with the number of cells.",
    ],
)
def test_a_correlation_that_was_not_found(text: str) -> None:
    assert [claim[0] for claim in claims(text)] == ["correlation"]


@pytest.mark.parametrize(
    "text",
    [
        "Psoriasis affects 2% of the population.",
        "The phase 1/2a trial ended.",
        "The prevalence is 0.47%, affecting 6 million patients.",
        "Patients with 10% or more of the body surface were asked.",
    ],
)
def test_other_numbers_are_no_claims(text: str) -> None:
    assert claims(text, "response", "effective", "relapse") == []


@pytest.mark.parametrize(
    ("printed", "right"), [("5.0% (11/20)", "55.0%"), ("2.3% (7/22)", "31.8%"), ("60% (11/20)", "55%")]
)
def test_a_percentage_that_does_not_fit_its_count(printed: str, right: str) -> None:
    extraction = extract_text(f"{ABOUT}{printed} of patients had at least a 50% improvement.", "report.txt")
    (problem,) = extraction.problems
    assert problem.code == "percent_count_mismatch"
    assert right in problem.message
    assert extraction.claims[0].percent == float(printed.partition("%")[0])


def test_numbers_that_lost_digits() -> None:
    text = f"{ABOUT}It affects .3 billion people, in one country more than million. Trial NCT91000010."
    problems = [problem for problem in extract_text(text, "report.txt").problems if problem.code == "truncated_number"]
    assert [problem.span.text for problem in problems if problem.span] == [".3 billion", "more than million"]
    assert "0.3 billion, that is 300 million" in problems[0].message


def test_groups_by_letter() -> None:
    text = (
        "Phase II: 9 psoriasis patients received increasing doses of MSCs (1.0, 2.0, 4.0 × 10^6/kg), divided into "
        "three groups ABC; group A was infused once every 10 days, with 3 times as one course; patients in groups B and C "
        "were infused every 4 weeks, 2 times."
    )
    arms = extract_text(text, "report.txt").study.arms
    assert [
        (a.label, a.dose.cells_per_kg[0], a.dose.infusions, a.dose.weeks)
        for a in arms
        if a.dose and a.dose.cells_per_kg
    ] == [
        ("group A", 1e6, 3, (0, 1.43, 2.86)),
        ("group B", 2e6, 2, (0, 4)),
        ("group C", 4e6, 2, (0, 4)),
    ]


def test_an_article_in_xml() -> None:
    article = """<?xml version="1.0"?>
<!DOCTYPE article PUBLIC "-//NLM//DTD JATS//EN" "JATS.dtd">
<article><front><article-meta><title-group><article-title>Adipose <italic>stromal</italic> cells in psoriasis:
 a phase&#160;1 trial</article-title></title-group>
<abstract><sec><title>Methods</title><p>Seven patients got 5&#xd7;10<sup>5</sup> cells/kg monthly for 12 weeks
(NCT91000011).</p></sec><sec><title>Results</title><p>PASI50 was reached by 3/7 (42.9%) patients.</p></sec></abstract>
</article-meta></front><back><ref-list><ref>PASI75 in 9/10 patients</ref></ref-list></back></article>"""
    extraction = extract_text(article, "article.xml")
    assert extraction.study.title == "Adipose stromal cells in psoriasis: a phase 1 trial"
    assert extraction.study.phase == ("1",)
    assert extraction.study.registry_ids == ("NCT91000011",)
    assert [(c.threshold, c.events, c.n) for c in extraction.claims if c.kind == "response"] == [(50, 3, 7)]
    span = next(c.span for c in extraction.claims if c.kind == "response")
    assert article.split("\n")[span.line - 1][span.start : span.end] == span.text == "3/7 (42.9%)"


def test_a_web_page() -> None:
    page = (
        "<!doctype html><html><head><script>var a = 'PASI75 in 1/2';</script></head><body><h1>MSC in psoriasis</h1>"
        "<p>PASI75 was reached by <b>4</b> of 16 patients &mdash; NCT91000012.</p></body></html>"
    )
    assert [(c.events, c.n) for c in extract_text(page, "page.html").claims if c.kind == "response"] == [(4, 16)]
