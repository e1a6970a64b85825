"""From number to line: every number leads to the entries it rests on, and each of these says where it stands."""

import re
from pathlib import PurePosixPath

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from pasimeta.pipeline.manifest import NOTEBOOKS
from pasimeta.report.rests_on import MOST_IN_SIGHT, pooled_link, rests_on_html, said_once, supports

PARAMETERS = "Assumptions that are sliders"  # what is assumed, and rests on nothing
WITHOUT_EVIDENCE = {"staged_designs"}  # power of designs at supposed rates
ABOUT_THE_AUDIT = {"What the audit says"}  # heading of a count of places looked up
FICTIONAL = "fictional"
INTERVAL = re.compile(r"\([\d\u2212.]+(–| to )[\d\u2212.]+.*\)$")
NOTEBOOK_PAGES = [f"{notebook.name}.html" for notebook in NOTEBOOKS]
DIGIT = re.compile(r"\d")
SOURCE = re.compile("^sources.html#")
NO_FIGURE = re.compile("#(missing|robins|jbi)-")  # what isn't known, and our own judgements
CONFIDENCE = re.compile(r"\b(seen|restated)\b")


@pytest.fixture(scope="module")
def pages(default_run):
    site = default_run / "site"
    names = [*NOTEBOOK_PAGES, "index.html", "studies.html"]
    return {name: BeautifulSoup((site / name).read_text(encoding="utf-8"), "html.parser") for name in names}


@pytest.fixture(scope="module")
def evidence_pages(default_run):
    found = [*sorted((default_run / "site").glob("study-*.html")), default_run / "site" / "context.html"]
    return {path.name: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in found}


def to_evidence(element):
    """The links to entries and records in an element; none if there is no such element."""
    links = element.find_all("a", href=True) if element else []
    return [a["href"] for a in links if a["href"].startswith(("study-", "context.html"))]


def to_anything(element):
    return element.find("a", href=True) is not None


def line_below(element):
    """What is said below a table, figure or statement of what it rests on, or where it is said for several of them."""
    after = element.find_next_sibling()
    if after is None or "rests-on" not in after.get("class", []):
        return None
    if after.get_text() != "Rests on the same evidence.":
        return after
    return element.find_parent("body").find(id=after.a["href"][1:]).find_parent(class_="rests-on")


def table_below(table):
    return line_below(table.find_parent(class_="table-scroll"))


def statements(page):
    """The statements the summary leads to, by id."""
    return {
        span["id"]: span.find_parent(class_="result") for span in page.select('[id^="statement-"]:not(.rests-on *)')
    }


def forests(page):
    return [svg for svg in page.select("figure svg") if svg["aria-label"].startswith("Forest plot")]


def forest_rows(svg):
    """The texts with an interval: of every row of a forest plot that holds numbers, one."""
    return [text for text in svg.find_all("text") if INTERVAL.search(text.get_text())]


def reached(href, here, pages):
    """The links to evidence that stand where a link leads to."""
    name, _, anchor = href.partition("#")
    page = pages[name or here]
    if not anchor:
        return to_evidence(page.main)
    target = page.find(id=anchor)
    line = target.find_parent(class_="rests-on") or line_below(target.find_parent(class_="result") or target)
    return to_evidence(line)


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
    source = row.find("a", href=SOURCE)
    if source is None:
        return False
    # the place stands after the source, in its cell or in the next one
    beside = "".join(part for part in source.next_siblings if isinstance(part, str)).strip(" ,\n")
    place = beside or source.find_parent("td").find_next_sibling("td").get_text()
    return bool(place and CONFIDENCE.search(row.get_text(" ")))


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


def test_every_row_of_every_forest_plot_leads_to_entries(pages, evidence_pages):
    drawn = [(name, svg) for name, page in pages.items() for svg in forests(page)]
    assert {svg["id"] for _, svg in drawn} >= {"response_forest", "main_forest", "safety_forest", "sex_forest"}
    rows = [(name, text) for name, svg in drawn for text in forest_rows(svg)]
    assert [(name, text.get_text()) for name, text in rows if not text.find_parent("a")] == []
    below = 0
    for name, text in rows:
        page, _, anchor = text.find_parent("a")["xlink:href"].partition("#")
        if page in evidence_pages:
            assert evidence_pages[page].find(id=anchor), text
        else:
            line = pages[page or name].find(id=anchor).find_parent(class_="rests-on")
            assert any("#" in href for href in to_evidence(line)), text
            below += 1
    assert below > 20


def test_pools_of_several_studies_lead_below_and_of_one_to_its_entry(pages):
    drawing = pages["10_robustness.html"].find(id="cumulative")
    links = {text.get_text(): text.find_parent("a")["xlink:href"] for text in drawing.select("a text")}
    assert links["De Jesus 2016"].startswith("study-dejesus2016.html#outcomes-")
    assert links["+ Cheng 2022"] == "#cumulative-rests-on"


def test_every_figure_says_what_it_rests_on(pages):
    figures = [figure for name in NOTEBOOK_PAGES for figure in pages[name].find_all("figure")]
    assert len(figures) > 25
    silent = {figure["id"].removeprefix("figure-") for figure in figures if not to_evidence(line_below(figure))}
    assert silent == WITHOUT_EVIDENCE


def test_the_summarys_numbers_are_two_clicks_from_an_entry(pages, evidence_pages):
    for name in ("14_summary.html", "index.html"):
        links = [a for a in pages[name].main.find_all("a") if DIGIT.search(a.get_text())]
        assert len(links) > 25
        for a in links:
            href = a.get("href", a.get("xlink:href"))
            if href.partition("#")[0] not in evidence_pages:
                assert reached(href, name, pages), (name, a.get_text(), href)


def test_every_statement_says_what_it_rests_on(pages):
    found = {key: result for page in pages.values() for key, result in statements(page).items()}
    assert len(found) > 10
    assert [key for key, result in found.items() if not to_evidence(line_below(result))] == []


def test_prose_with_numbers_stands_near_what_it_rests_on(pages):
    for name, page in pages.items():
        chapter, told = [], False
        for section in [*page.select("main > section"), None]:
            if section is None or (section.name == "section" and "prose" in section["class"] and section.find("h2")):
                heading = chapter[0].h2.get_text() if chapter and chapter[0].h2 else ""
                led = any(to_evidence(part) or part.select(".rests-on") for part in chapter)
                assert not told or led or heading in ABOUT_THE_AUDIT, (name, heading)
                chapter, told = [], False
            if section is not None:
                chapter.append(section)
                told |= any(DIGIT.search(result.get_text()) for result in section.select(".result"))


def test_a_drawing_on_its_own_leads_to_pages_that_are_there(default_run, pages, evidence_pages):
    everything, links = {**pages, **evidence_pages}, 0
    for path in sorted((default_run / "site" / "figures").glob("*.svg")):
        for href in re.findall(r'<a xlink:href="([^"]*)"', path.read_text(encoding="utf-8")):
            page, _, anchor = href.partition("#")
            assert PurePosixPath(page).parts[0] == "..", (path.name, href)
            assert everything[PurePosixPath(page).name].find(id=anchor), (path.name, href)
            links += 1
    assert links > 100


def test_the_keyboard_stops_once_a_row_of_a_forest_plot(pages):
    drawing = pages["04_pooling.html"].find(id="main_forest")
    rows = [a for a in drawing.select("a") if a.get("tabindex") != "-1"]
    # the rows of the pool are neighbours that lead to one place
    assert [a.get_text(strip=True).split(",")[0] for a in rows] == ["Cheng 2022", "Yao 2021", "Pooled"]
    assert len(drawing.select("a")) > 2 * len(rows)
    assert not drawing.select("a[target]")


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


# What several results rest on alike


LINE = '<p class="rests-on"><span id="{}"></span>Rests on A.</p>'
SAME = '<p class="rests-on">Rests on <a href="#{}">the same evidence</a>.</p>'


def test_lines_alike_are_said_once_where_the_summary_leads_to():
    page = "".join(["<svg/>", LINE.format("plot-rests-on"), "<p>Words</p>", LINE.format("statement-a-rests-on")])
    both = '<p class="rests-on"><span id="plot-rests-on"></span><span id="statement-a-rests-on"></span>Rests on A.</p>'
    assert said_once(page) == "".join(["<svg/>", SAME.format("plot-rests-on"), "<p>Words</p>", both])


def test_a_line_between_keeps_lines_alike_apart():
    page = LINE.format("a-rests-on") + '<p class="rests-on">Rests on B.</p>' + LINE.format("b-rests-on")
    assert said_once(page) == page


def test_a_folded_line_opens_from_the_ids_it_took_over():
    arms = pd.DataFrame({"label": "T", "entry": [f"context/t#{i}" for i in range(MOST_IN_SIGHT + 1)], "n": 1})
    page = said_once(rests_on_html(arms, owner="plot") + rests_on_html(arms, owner="other"))
    folded = BeautifulSoup(page, "html.parser").details
    # a browser unfolds what holds the place it goes to, and the summary always shows
    assert [span["id"] for span in folded.p.find_all("span")] == ["plot-rests-on", "other-rests-on"]
    assert page.endswith(SAME.format("plot-rests-on"))


def test_a_pool_of_one_entry_leads_to_it():
    assert pooled_link(COUNTS[:2]) == "study-a.html#outcomes-0-events"
    assert pooled_link(COUNTS) == "#rests-on"
    assert pooled_link(COUNTS[2:]) == "#rests-on"
