"""Every number of a sentence leads to where it comes from, and the sentence still reads the same."""

import re

import pandas as pd
import pytest

from pasimeta.evidence import tables
from pasimeta.evidence.inclusion import InclusionRule, decide_all
from pasimeta.pipeline.notebook import table_html
from pasimeta.report import readable
from pasimeta.report.linked import Origins, linked, origins
from pasimeta.report.words import SPACE, markdown_text

NOTEBOOK = "04_pooling.html#statement-response"


@pytest.fixture(scope="module")
def known(evidence):
    decisions = decide_all(evidence, InclusionRule())
    return origins(tables.characteristics(evidence, decisions), tables.responses(evidence, decisions))


def links(text):
    return re.findall(r"\[([^]]*)\]\(([^)]*)\)", text)


def read_aloud(text):
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text)


def test_a_study_count_leads_to_its_line_and_the_rest_to_the_notebook(known):
    text = (
        f"**PASI75**: 6 of 17 patients (35{SPACE}%; 95{SPACE}% interval 14 to 62{SPACE}%), in Cheng 2022 alone. "
        "One study is not a pool."
    )
    assert links(linked(text, NOTEBOOK, known)) == [
        ("6 of 17", "study-cheng2022.html#outcomes-2-events"),
        (f"35{SPACE}%", NOTEBOOK),
        (f"14 to 62{SPACE}%", NOTEBOOK),
        ("Cheng 2022", "study-cheng2022.html"),
    ]
    assert read_aloud(linked(text, NOTEBOOK, known)) == text


def test_a_count_belongs_to_the_threshold_named_before_it(known):
    text = "PASI90: 3 of 17 patients; women, PASI40: 6 of 9, men 2 of 8."
    assert [address.partition("#")[2] for _, address in links(linked(text, NOTEBOOK, known))] == [
        "outcomes-3-events",
        "outcomes-5-events",
        "outcomes-6-events",
    ]


def test_a_count_over_studies_is_no_study_count(known):
    assert links(linked("8 to 10 of 24 patients", NOTEBOOK, known)) == [("8 to 10 of 24", NOTEBOOK)]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        (f"from −98 to +98 points, p = 0.153, {SPACE}7,703 tables", ["−98 to +98", "0.153", "7,703"]),
        (f"at least 75{SPACE}% (PASI75), 95{SPACE}% interval, 80{SPACE}% power", []),
        ("NCT05258331 and PASI50", []),
        ("1/2a", ["1"]),
    ],
)
def test_numbers_are_told_from_names_and_parameters(text, numbers):
    assert [number for number, _ in links(linked(text, NOTEBOOK, Origins()))] == numbers


def test_a_hostile_name_stays_text():
    name = "<script>alert(1)</script>"
    text = f"{markdown_text(name)} counts 3 of 5."
    found = linked(text, NOTEBOOK, Origins({name: "study-bad.html"}))
    assert "<" not in found
    assert links(found)[0] == (markdown_text(name), "study-bad.html")


def test_a_study_that_is_supposed_has_no_line():
    characteristics = pd.DataFrame({"label": ["Supposed"], "entry": [None]})
    responses = pd.DataFrame(
        {
            "included": [True],
            "events_lower": [5],
            "events_upper": [5],
            "n_analysed": [10],
            "threshold": [75.0],
            "entry": [None],
        }
    )
    assert links(linked("Supposed: 5 of 10", NOTEBOOK, origins(characteristics, responses))) == [("5 of 10", NOTEBOOK)]


def test_a_cell_of_a_table_leads_to_its_entry_and_no_further():
    table = pd.DataFrame(
        {
            "label": ["A <b>", "Supposed"],
            "count": ["6/17", "5/10"],
            "entry": ["cheng2022#outcomes-2-events", float("nan")],
        }
    )
    page = table_html(table[["label", "count"]], "Counts", ["Study", "n"], readable.links(table, "count"))
    assert '<th scope="row"><a href="study-cheng2022.html">A &lt;b&gt;</a></th>' in page
    assert '<td><a href="study-cheng2022.html#outcomes-2-events">6/17</a></td>' in page
    assert '<th scope="row">Supposed</th><td>5/10</td>' in page


def test_what_is_unknown_is_no_link():
    page = table_html(pd.DataFrame({"n": [None]}, dtype=object), "Sizes", ["n"], {"n": ["yao2021#population-age"]})
    assert "<a " not in page
