"""The site as a reader meets it: on a screen and on a phone, in light and dark, by keyboard, and from disk alone."""

from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from pasimeta.pipeline.runner import Settings, run
from pasimeta.pipeline.sections import Parameters

# one page of each kind: what decides contrast is the same on all pages of a kind
KINDS = ("index", "04_pooling", "study-cheng2022", "studies", "methods", "own-review", "gallery", "tutorial")
SCRIPT = "<script>alert(1)</script>"
LONG = "A very long title of a trial that goes on and on " * 6 + "until its 300th sign"


@pytest.fixture(scope="module")
def site(default_run):
    return default_run / "site"


@pytest.fixture(scope="module")
def pages(site):
    found = sorted(site.glob("*.html"))
    assert len(found) > 40
    return found


def issues_of(page):
    """Return what axe finds on a page, of whatever weight, in words; of a long table in its first rows."""
    page.evaluate("document.querySelectorAll('tbody').forEach(b => [...b.rows].slice(40).forEach(row => row.remove()))")
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{each['id']}: {node['target']} {node['html'][:120]}" for each in found for node in each["nodes"][:3]]


def wide_tables(page):
    """Return the names of the tables that need to be scrolled sideways."""
    wide = "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.getAttribute('aria-label'))"
    return page.locator(".table-scroll").evaluate_all(wide)


def test_every_page_loads_on_a_phone_without_error_outside_request_or_sideways_scrolling(pages, visit):
    phone = visit(width=375, height=812)
    for path in pages:
        page = phone.to(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, path.name
        assert page.locator("h1").count() == 1, path.name
        assert not phone.errors, (path.name, phone.errors)
        assert wide_tables(page) == [], path.name
    assert phone.outside == []


def test_a_table_on_a_phone_names_each_value(site, visit):
    page = visit(width=375).to(site / "studies.html")
    line = page.locator("tbody tr", has_text="Lwin 2025")
    named = line.locator("td").evaluate_all("all => all.map(cell => [cell.dataset.label, cell.innerText.trim()])")
    assert ["Patients", "3"] in named
    assert ["Why it isn't analysed", "design is case series"] in named


def test_the_data_browser_filters_and_sorts_all_figures_and_shows_them_in_parts(site, visit):
    page = visit().to(site / "data.html")
    shown, form = page.locator("#table-entries tbody tr:visible"), page.locator("[data-filters=table-entries]")
    every = int(form.locator("output").inner_text().split()[-1])
    assert shown.count() == 100 < every
    page.locator("#table-entries th button", has_text="Study").click()
    page.locator("#table-entries th button", has_text="Study").click()
    assert shown.count() == 100
    assert shown.first.locator("th").inner_text() > shown.last.locator("th").inner_text()
    page.get_by_role("button", name=f"Show all {every}").click()
    assert shown.count() == every
    form.get_by_label("Study").select_option("Cheng 2022")
    form.get_by_label("Words").fill("PASI75")
    assert 0 < shown.count() < 20
    assert set(shown.locator("th").all_inner_texts()) == {"Cheng 2022"}


def test_what_is_folded_on_the_landing_page_is_printed(site, visit):
    page = visit(width=794).to(site / "index.html")
    assert page.locator("details.more[open]").count() == 0
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details.more").count() == page.locator("details.more[open]").count() > 3


def test_every_link_leads_to_a_file_and_a_place_in_it_and_every_table_fits_the_screen(site, pages, visit):
    screen = visit()
    ids, links = {}, {}
    for path in pages:
        page = screen.to(path)
        assert wide_tables(page) == [], path.name
        ids[path.name] = set(page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)"))
        # the baseVal of links inside figures, the href of all others
        links[path.name] = set(
            page.evaluate(
                "[...document.querySelectorAll('a')].map(a => a.href.baseVal ?? a.getAttribute('href') ?? '')"
            )
        )
    broken = []
    for name, targets in links.items():
        for target in targets:
            parts = urlsplit(target)
            if parts.scheme in ("http", "https"):
                continue
            file, anchor = unquote(parts.path) or name, unquote(parts.fragment)
            if parts.scheme or not (site / file).is_file() or (anchor and anchor not in ids.get(file, ())):
                broken.append((name, target))
    assert broken == []
    assert sum(map(len, links.values())) > 1000


def test_axe_finds_nothing_on_any_kind_of_page(pages, visit):
    screen = visit(color_scheme="light", reduced_motion="reduce")
    alike = [path for path in pages if path.name.startswith("study-")]
    chosen = [path for path in pages if path not in alike[3:] or path.stem == "study-cheng2022"]
    found = {path.name: issues for path in chosen if (issues := issues_of(screen.to(path)))}
    assert found == {}


@pytest.mark.parametrize("width", [375, 1280])
def test_axe_finds_nothing_in_the_dark(site, visit, width):
    night = visit(width=width, color_scheme="dark")
    found = {name: issues for name in KINDS if (issues := issues_of(night.to(site / f"{name}.html")))}
    assert found == {}


def test_reader_chooses_light_or_dark_and_is_remembered(site, visit):
    screen = visit(color_scheme="light")
    page = screen.to(site / "index.html")
    shade = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(shade)
    page.locator(".theme-button").click()
    dark = page.evaluate(shade)
    assert dark != light
    assert screen.to(site / "methods.html").evaluate(shade) == dark


def test_search_finds_a_section_and_goes_there_by_keyboard(site, visit):
    screen = visit()
    page = screen.to(site / "index.html")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.type("knapp hartung")
    options = page.get_by_role("option")
    options.first.wait_for()
    assert "Knapp–Hartung" in page.get_by_role("listbox").inner_text()
    assert (
        page.locator("#search-status").inner_text().endswith("found")
        or "found," in page.locator("#search-status").inner_text()
    )
    page.keyboard.press("ArrowDown")
    first = options.first
    assert first.get_attribute("aria-selected") == "true"
    assert page.locator("#search").get_attribute("aria-activedescendant") == first.get_attribute("id")
    target = first.get_attribute("data-href")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{target}")
    assert not screen.errors
    assert screen.outside == []


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("cheng 2022", "study-cheng2022.html"),
        ("reproduce verify", "reproducibility.html"),
        ("nct03424629", "study-nct03424629.html"),
    ],
)
def test_search_leads_to_the_page_it_should(site, visit, words, page):
    screen = visit(width=375)
    opened = screen.to(site / "index.html")
    opened.locator("#search").fill(words)
    opened.get_by_role("option").first.wait_for()
    assert any(
        link.startswith(page)
        for link in opened.locator("[role=option]").evaluate_all("e => e.map(x => x.dataset.href)")
    )


def test_search_says_when_it_finds_nothing_and_shows_what_was_typed_as_text(site, visit):
    screen = visit()
    page = screen.to(site / "index.html")
    page.locator("#search").fill("<img src=x onerror=alert(1)>")
    status = page.locator("#search-status")
    status.filter(has_text="Nothing found").wait_for()
    assert "<img src=x onerror=alert(1)>" in status.inner_text()
    page.keyboard.press("Escape")
    assert page.locator("#search").get_attribute("aria-expanded") == "false"
    assert screen.dialogs == []


def test_menu_of_a_phone_opens_by_its_button(site, visit):
    page = visit(width=375).to(site / "methods.html")
    link = page.get_by_role("link", name="Glossary")
    assert not link.is_visible()
    page.locator(".menu-button").click()
    link.click()
    page.wait_for_url("**/glossary.html")


def test_nothing_is_wider_than_the_paper_in_print(site, visit):
    paper = visit(width=794)  # A4 at 96 dpi
    paper.page.emulate_media(media="print")
    for name in KINDS:
        page = paper.to(site / f"{name}.html")
        assert not page.locator("nav").first.is_visible(), name
        assert page.locator("h1").is_visible(), name


@pytest.fixture
def hostile_site(copied_project):
    """Return the site of a project in which one study is named like a script and one has a title of 300 signs."""
    assert len(LONG) >= 300
    text = (copied_project.data / "studies" / "yao2021.yaml").read_text(encoding="utf-8")
    for study, label, title in (("script", SCRIPT, SCRIPT), ("long", "Long 2031", LONG)):
        named = text.replace("id: yao2021", f"id: {study}", 1).replace("label: Yao 2021", f'label: "{label}"', 1)
        lines = [f'title: "{title}"' if line.startswith("title:") else line for line in named.splitlines()]
        (copied_project.data / "studies" / f"{study}.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run(copied_project, Parameters(), Settings(only=("evidence", "pooling")))
    return copied_project.site


def test_hostile_names_show_as_text(hostile_site, visit):
    phone = visit(width=375)
    shown = 0
    for path in sorted(hostile_site.glob("*.html")):
        page = phone.to(path)
        shown += SCRIPT in page.locator("main").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, path.name
    assert shown >= 4  # its own page, the lists, the notebooks that count it
    page = phone.to(hostile_site / "study-long.html")
    assert LONG.strip() in " ".join(page.locator("main").inner_text().split())
    page.locator("#search").fill("script alert")
    page.get_by_role("option").first.wait_for()
    assert SCRIPT in page.get_by_role("listbox").inner_text()
    assert phone.dialogs == []
    assert phone.errors == []
