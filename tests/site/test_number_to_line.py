"""From number to line: every number of a table leads to the entries it rests on, and each says where it stands."""

import re

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from pasimeta.pipeline.manifest import NOTEBOOKS
from pasimeta.report.rests_on import MOST_IN_SIGHT, rests_on_html, supports

PARAMETERS = "Assumptions that are sliders"  # what is assumed, and rests on nothing
FICTIONAL = "fictional"
DIGIT = re.compile(r"\d")
SOURCE = re.compile("^sources.html#")
NO_FIGURE = re.compile("#(missing|robins|jbi)-")  # what isn't known, and our own judgements
CONFIDENCE = re.compile(r"\b(seen|restated)\b")


@pytest.fixture(scope="module")
def pages(default_run):
    site = default_run / "site"
    names = [f"{notebook.name}.html" for notebook in NOTEBOOKS] + ["index.html"]
    return {name: BeautifulSoup((site / name).read_text(encoding="utf-8"), "html.parser") for name in names}


@pytest.fixture(scope="module")
def evidence_pages(default_run):
    found = [*sorted((default_run / "site").glob("study-*.html")), default_run / "site" / "context.html"]
    return {path.name: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in found}


def to_evidence(element):
    return [a["href"] for a in element.find_all("a") if a["href"].startswith(("study-", "context.html"))]


def to_anything(element):
    return element.find("a", href=True) is not None


def table_below(table):
    """What is said below a table of what it rests on."""
    after = table.find_parent(class_="table-scroll").find_next_sibling()
    return after if after is not None and "rests-on" in after.get("class", []) else None


def unled(table):
    """The rows of a table that hold a number and lead nowhere."""
    below = table_below(table)
    if below is not None and to_evidence(below):
        return []
    rows = table.find("tbody").find_all("tr")
    return [row.get_text(" ") for row in rows if DIGIT.search(row.get_text()) and not to_anything(row)]


def says_where_it_stands(entry):
    """Whether an entry's record names a source, a place in it, and how it was read; what isn't known says why."""
    if entry.find(class_="reason") is not None:
        return True
    row, article = entry.find_parent("tr") or entry, entry.find_parent(class_="record") or entry
    if row.name != "tr" and article.find(class_="where") is not None:
        where = article.find(class_="where").get_text()
        return article.find("a", href=SOURCE) is not None and "," in where and bool(CONFIDENCE.search(where))
    rows = [row] if row.name == "tr" else article.select("tbody tr")
    return bool(rows) and all(map(row_says_where_it_stands, rows))


def row_says_where_it_stands(row):
    cells = row.find_all("td")
    source = next((i for i, cell in enumerate(cells) if cell.find("a", href=SOURCE)), None)
    return source is not None and cells[source + 1].get_text() and CONFIDENCE.search(row.get_text(" "))


def shown_tables(pages):
    return [
        (name, table)
        for name, page in pages.items()
        for table in page.select(".table-scroll table")
        if FICTIONAL not in table.caption.get_text() and PARAMETERS not in table.caption.get_text()
    ]


def test_every_number_of_every_table_leads_to_its_entries(pages):
    tables = shown_tables(pages)
    assert len(tables) > 40
    assert [(name, table.caption.get_text(), row) for name, table in tables for row in unled(table)] == []


def test_what_a_table_leads_to_says_source_place_and_confidence(pages, evidence_pages):
    anchors = {href for _, table in shown_tables(pages) for href in to_evidence(table)}
    anchors |= {href for page in pages.values() for below in page.select(".rests-on") for href in to_evidence(below)}
    assert len(anchors) > 150
    unsaid = []
    for href in sorted(href for href in anchors if not NO_FIGURE.search(href)):
        name, _, anchor = href.partition("#")
        if not anchor:
            assert name in evidence_pages
            continue
        entry = evidence_pages[name].find(id=anchor)
        assert entry is not None, href
        if not says_where_it_stands(entry):
            unsaid.append(href)
    assert unsaid == []


def test_a_derived_table_names_its_studies_and_their_very_figures(pages):
    captions = {table.caption.get_text(): table for table in pages["04_pooling.html"].find_all("table")}
    below = table_below(captions["PASI50 under every model"])
    assert below.get_text() == "Rests on Cheng 2022 (PASI50 6–8/17); Yao 2021 (PASI50 2/7)."
    assert to_evidence(below) == [
        "study-cheng2022.html",
        "study-cheng2022.html#outcomes-1-events",
        "study-yao2021.html",
        "study-yao2021.html#outcomes-0-events",
    ]


def test_every_row_of_a_forest_plot_that_names_a_study_leads_to_its_line(pages):
    for name in ("response_forest", "main_forest", "safety_forest", "sex_forest"):
        drawing = next(figure for page in pages.values() if (figure := page.find(id=f"figure-{name}")))
        for label in ("Cheng 2022", "Yao 2021"):
            shown = [text for text in drawing.select("svg text") if text.get_text().startswith(label)]
            assert shown, (name, label)
            assert all(text.find_parent("a") for text in shown), (name, label)
        count = next(text for text in drawing.select("svg text") if re.fullmatch(r"[\d–]+/\d+", text.get_text()))
        assert count.find_parent("a")["xlink:href"].partition("#")[2]


def test_the_keyboard_stops_once_a_row_of_a_forest_plot(pages):
    drawing = pages["04_pooling.html"].find(id="figure-main_forest")
    rows = [a for a in drawing.select("svg a") if a.get("tabindex") != "-1"]
    assert [a.get_text(strip=True) for a in rows] == ["Cheng 2022", "Yao 2021"]
    assert len(drawing.select("svg a")) > 2 * len(rows)
    assert not drawing.select("svg a[target]")


# What stands below a table


COUNTS = pd.DataFrame(
    {
        "label": ["A <b>", "A <b>", "Supposed"],
        "entry": ["a#outcomes-0-events", "a#outcomes-0-events", None],
        "threshold": [50, 50, 75],
        "events_lower": [6, 6, 3],
        "events_upper": [8, 8, 3],
        "n": [17, 17, 9],
    }
)


def test_a_figure_is_named_once_and_what_is_supposed_has_no_line():
    assert rests_on_html(COUNTS, COUNTS) == (
        '<p class="rests-on">Rests on <a href="study-a.html">A &lt;b&gt;</a> '
        '(<a href="study-a.html#outcomes-0-events">PASI50 6–8/17</a>); Supposed.</p>'
    )


def test_a_table_without_evidence_has_nothing_below():
    assert rests_on_html(COUNTS[:0]) == ""


def test_a_long_list_is_folded_and_counted_by_record():
    arms = pd.DataFrame(
        {
            "label": [f"Trial {i // 2}, arm {i % 2}" for i in range(MOST_IN_SIGHT + 2)],
            "entry": [f"context/t{i // 2}#arms-{i % 2}-counts-0-events" for i in range(MOST_IN_SIGHT + 2)],
            "events": 3,
            "n": 10,
        }
    )
    assert "<summary>Rests on 14 figures of seven records</summary>" in rests_on_html(arms)


def test_one_name_of_several_records_is_no_link():
    pooled = pd.DataFrame(
        {"label": ["Review", "Review"], "entry": ["context/r-a#value", "context/r-b#value"], "value": [5.2, 2.1]}
    )
    (support,) = supports(pooled)
    assert support.record is None
    assert [entry for _, entry in support.figures] == ["context/r-a#value", "context/r-b#value"]
