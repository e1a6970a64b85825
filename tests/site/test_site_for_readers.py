"""What a reader in a hurry, on a phone or without scripts, gets to see: in Debian's Chromium, from the disk."""

import re

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup

from pasimeta.figures.theme import COLUMN_MM, NARROW
from pasimeta.site.notebooks import notebook_source_hash
from pasimeta.site.page import Context
from pasimeta.site.shell import markdown
from pasimeta.site.studies import study_pages

DRAWN_FOR_A_COLUMN = {
    "index": ["response_curve", "response_forest"],
    "04_pooling": ["response_forest", "main_forest"],
    "05_thresholds": ["response_curve"],
    "06_safety": ["safety_forest"],
    "08_sex_subgroup": ["sex_subgroup_1"],
}
WEIGHT = re.compile(r", weight [\d.]+\s%")
COUNT_OR_INTERVAL = re.compile(r"\d+(?:–\d+)?/\d+|\(\d[\d.]*–[\d.]+\)")


@pytest.fixture(scope="module")
def site(default_run):
    return default_run / "site"


@pytest.fixture
def opened(chromium, site):
    """Return a function that opens a page of the site: ``opened("index", width=375)``."""
    contexts = []

    def visit(name, width=1280, **options):
        contexts.append(chromium.new_context(viewport={"width": width, "height": 900}, **options))
        page = contexts[-1].new_page()
        page.goto((site / f"{name}.html").as_uri())
        return page

    yield visit
    for context in contexts:
        context.close()


def seen(page, selector):
    return [each.is_visible() for each in page.locator(selector).all()]


# Figures


@pytest.mark.parametrize("name", DRAWN_FOR_A_COLUMN)
def test_a_phone_is_shown_the_drawing_for_a_column_and_screen_and_paper_the_wide_one(opened, name):
    figures = DRAWN_FOR_A_COLUMN[name]
    for width, narrow in ((1280, False), (375, True)):
        page = opened(name, width)
        assert seen(page, ".drawn.narrow") == [narrow] * len(figures)
        assert seen(page, ".drawn.wide") == [not narrow] * len(figures)
    # the phone's page
    assert page.locator(".drawn.narrow > svg").evaluate_all("all => all.map(svg => svg.id)") == [
        f"{figure}{NARROW}" for figure in figures
    ]
    for drawing in page.locator(".drawn.narrow").all():
        assert drawing.evaluate("e => e.scrollWidth <= e.clientWidth")
        smallest = "e => Math.min(...[...e.querySelectorAll('text')].map(t => t.getBoundingClientRect().height))"
        assert drawing.evaluate(smallest) >= 8  # CSS pixels: it isn't the wide one, shrunk
    page.emulate_media(media="print")
    assert seen(page, ".drawn.narrow") == [False] * len(figures)
    assert seen(page, ".drawn.wide") == [True] * len(figures)


@pytest.mark.parametrize("name", DRAWN_FOR_A_COLUMN)
def test_both_drawings_say_the_same_lead_to_the_same_places_and_share_no_id(site, name):
    page = BeautifulSoup((site / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
    ids = [each["id"] for each in page.select("[id]")]
    assert len(ids) == len(set(ids))
    for figure in DRAWN_FOR_A_COLUMN[name]:
        wide, narrow = (page.find("svg", id=each) for each in (figure, f"{figure}{NARROW}"))
        numbers = [set(COUNT_OR_INTERVAL.findall(svg.get_text(" "))) for svg in (wide, narrow)]
        assert numbers[0] == numbers[1]
        assert len(numbers[0]) > 3
        links = [{a["xlink:href"] for a in svg.select("a")} for svg in (wide, narrow)]
        assert links[0] == links[1]
        # a column has no room for weights
        said = [WEIGHT.sub("", svg["aria-label"]).split() for svg in (wide, narrow)]
        assert said[0] == said[1]


def test_a_drawing_for_a_column_is_as_wide_as_one(default_run):
    for path in (default_run / "results" / "figures").glob(f"*{NARROW}.svg"):
        width = float(re.search(r'width="([\d.]+)pt"', path.read_text(encoding="utf-8"))[1])
        assert width == pytest.approx(COLUMN_MM / 25.4 * 72, abs=0.01)


def test_a_page_is_made_anew_when_only_the_drawing_for_a_column_has_changed(default_run, tmp_path):
    notebook = default_run / "results" / "notebooks" / "04_pooling.ipynb"
    copy = tmp_path / "notebooks" / notebook.name
    drawing = tmp_path / "figures" / f"main_forest{NARROW}.svg"
    for path in (copy, drawing):
        path.parent.mkdir()
    copy.write_bytes(notebook.read_bytes())
    hashes = {notebook_source_hash(copy)}
    for text in ("<svg/>", "<svg><text>1</text></svg>"):
        drawing.write_text(text)
        hashes.add(notebook_source_hash(copy))
    assert len(hashes) == 3


def test_a_figure_wider_than_the_phone_says_so_until_its_end_is_reached(opened):
    page = opened("08_sex_subgroup", 375)
    frame = page.locator(".drawn:not(.wide, .narrow)").first
    assert frame.evaluate("e => e.scrollWidth > e.clientWidth")
    assert all(seen(page, ".sideways"))
    shade = "e => Number(getComputedStyle(e, '::after').opacity)"
    assert frame.evaluate(shade) == 1
    frame.evaluate("e => { e.scrollLeft = e.scrollWidth; }")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert frame.evaluate(shade) == pytest.approx(0, abs=0.05)
    wide = opened("08_sex_subgroup")
    assert not any(seen(wide, ".sideways"))
    assert wide.locator(".drawn").first.evaluate("e => getComputedStyle(e, '::after').content") == "none"


# The landing page


def test_what_the_popular_claims_rest_on_is_on_the_landing_page(default_run, opened):
    tables = default_run / "results" / "tables"
    sex = pd.read_csv(tables / "sex_subgroup.csv").iloc[0]
    shown = opened("index", 375).locator(".card").all()
    cards = {card.locator(".big").inner_text(): " ".join(card.inner_text().split()) for card in shown}
    women = cards[f"{sex['events1'] + sex['events2']} responders"]
    assert f"{sex['events1']} of {sex['n1']} women, {sex['events2']} of {sex['n2']} men" in women
    assert "“women respond better”" in women
    characteristics = pd.read_csv(tables / "characteristics.csv").set_index("study")
    assert "“dose doesn't matter”" in cards[f"{characteristics.loc['cheng2022', 'analysed']:.0f} patients"]


def test_share_interval_and_certainty_of_each_threshold_stand_in_one_line_on_a_phone(default_run, opened):
    pooled = pd.read_csv(default_run / "results" / "tables" / "pooled.csv")
    page = opened("index", 375)
    rows = [line.inner_text().split("\t") for line in page.locator(".glance tbody tr").all()]
    assert [row[0].split()[0] for row in rows] == [f"{threshold}" for threshold in pooled["threshold"]]
    for row, (low, high) in zip(rows, pooled[["ci_lower", "ci_upper"]].to_numpy(), strict=True):
        interval = [int(number) for number in re.findall(r"\d+", row[3])]
        assert interval == [round(100 * low), round(100 * high)]
        assert row[-1].strip() == "very low"


# Notebook pages


def test_code_is_shown_to_who_asks_for_it(opened):
    page = opened("04_pooling")
    assert not any(seen(page, "details.code"))
    page.get_by_role("button", name="Show code").press("Enter")
    assert all(seen(page, "details.code pre"))
    page.get_by_role("button", name="Hide code").press("Enter")
    assert not any(seen(page, "details.code"))


def test_without_scripts_code_is_folded_and_the_data_has_its_usual_columns(opened):
    page = opened("04_pooling", java_script_enabled=False)
    assert all(seen(page, "details.code summary"))
    assert not any(seen(page, "details.code pre"))
    page = opened("data", java_script_enabled=False)
    heads = page.locator("#table-entries th[scope=col]")
    assert [head.inner_text() for head in heads.all() if head.is_visible()] == [
        *("Study", "Of what", "Value", "Where it stands", "Confidence", "Standing")
    ]


# Columns of the data page


def visible_heads(page, table):
    return [head.inner_text().split(" ↕")[0] for head in page.locator(f"#{table} thead th").all() if head.is_visible()]


@pytest.mark.parametrize(("table", "width"), [("table-studies", 1280), ("table-entries", 375)])
def test_every_column_can_be_chosen_by_keyboard_and_is_kept(opened, table, width):
    page = opened("data", width)
    chooser = page.locator(f".columns:has(+ .table-scroll #{table})")
    usual, every = visible_heads(page, table), page.locator(f"#{table} thead th").count()
    assert chooser.locator("summary").inner_text() == f"Columns ({len(usual)} of {every})"
    chooser.locator("summary").press("Enter")
    boxes = chooser.get_by_role("checkbox")
    assert boxes.count() == every - 1  # the first names the rows
    for box in boxes.all():
        if not box.is_checked():
            box.press("Space")
    assert len(visible_heads(page, table)) == every
    boxes.first.press("Space")
    chosen = visible_heads(page, table)
    assert (chosen[0], len(chosen)) == ("Study", every - 1)
    assert usual[1] not in chosen
    # each row has the cells of the heads that are seen
    first = page.locator(f"#{table} tbody tr").first.locator("th, td")
    assert sum(cell.is_visible() for cell in first.all()) == len(chosen)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.reload()
    assert visible_heads(page, table) == chosen
    chooser.locator("summary").click()
    chooser.get_by_role("button", name="Usual columns").click()
    assert visible_heads(page, table) == usual


def test_what_is_kept_of_other_columns_does_no_harm(opened):
    page = opened("data")
    for kept in ('["Study", "Gone"]', "no JSON", "7"):
        page.evaluate("text => localStorage.setItem('pasimeta-columns-table-entries', text)", kept)
        page.reload()
        assert visible_heads(page, "table-entries")[0] == "Study"
        assert page.locator(".columns").count() == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_where_columns_are_chosen(opened, scheme):
    page = opened("data", color_scheme=scheme)
    for summary in page.locator(".columns summary").all():
        summary.click()
    page.get_by_role("button", name="All columns").first.click()
    page.evaluate("document.querySelectorAll('tbody').forEach(b => [...b.rows].slice(20).forEach(row => row.remove()))")
    assert Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"] == []


# Words


def test_a_number_keeps_its_percent_sign_in_its_line():
    assert "95\u00a0% of 7\u00a0%" in markdown("95 % of 7 %")


def test_what_documents_disagree_on_is_told_in_words(project, default_run):
    (page,) = [p for p in study_pages(Context(project, default_run / "results")) if p.href == "study-cheng2022.html"]
    shown = BeautifulSoup(page.body, "html.parser")
    titles = [heading.get_text() for heading in shown.select("[id^=conflicts-] > h3")]
    assert titles == [
        *("Enrolled", "PASI40: printed percent", "PGA 0/1: printed percent", "Allocation"),
        *("Product: tissue", "Other treatment", "Phase"),
    ]
