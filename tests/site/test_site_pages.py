"""The site of a run: complete, offline, every link good, and every number a link to the line it comes from."""

import itertools
import re
from html import unescape
from html.parser import HTMLParser

import pytest

from pasimeta.evidence.entries import anchor_of, entry_href, study_entries
from pasimeta.pipeline.manifest import NOTEBOOKS
from pasimeta.pipeline.project import Project
from pasimeta.site import notebooks
from pasimeta.site.browser import browser_pages
from pasimeta.site.other_treatments import other_treatment_pages
from pasimeta.site.page import Context
from pasimeta.site.shell import whole_page
from pasimeta.site.sources import source_pages
from pasimeta.site.studies import study_pages

HOSTILE = "<script>alert(1)</script>"
LONG = "Mesenchymal stromal cells " * 12
ENDLESS = "m" * 300


class Parsed(HTMLParser):
    """What a page loads and links, what its figures say, and the text inside each element that has an id."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.links, self.ids, self.figures, self.headings = [], [], [], [], []
        self.text, self._open = {}, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.loads += [found[key] for key in ("src", "data") if key in found and tag != "svg"]
        self.loads += [found["href"]] if tag == "link" else []
        self.links += [found["href"]] if tag == "a" and "href" in found else []
        self.links += [found["xlink:href"]] if tag == "a" and "xlink:href" in found else []
        self.ids += [found["id"]] if "id" in found else []
        self.headings += [tag] if tag in {"h1", "h2", "h3"} else []
        if tag in {"svg", "img"} and "aria-hidden" not in found:
            self.figures.append(found.get("aria-label") or found.get("alt"))
        if tag not in {"meta", "link", "input", "br", "img", "hr"}:
            self._open.append((tag, found.get("id")))

    def handle_endtag(self, tag):
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        for _, name in self._open:
            if name:
                self.text[name] = self.text.get(name, "") + data


@pytest.fixture(scope="module")
def site(default_run):
    return default_run / "site"


@pytest.fixture(scope="module")
def pages(site):
    return {path.name: Parsed(path.read_text(encoding="utf-8")) for path in site.glob("*.html")}


@pytest.fixture(scope="module")
def context(project, default_run):
    return Context(project, default_run / "results")


def from_data(context):
    """The pages that are written from the data folder."""
    return [
        page for write in (study_pages, browser_pages, other_treatment_pages, source_pages) for page in write(context)
    ]


# The whole site


def test_site_has_a_landing_page_one_a_notebook_and_one_a_study(pages, evidence):
    studies = {f"study-{study}.html" for study in evidence.studies}
    assert {"index.html", *(f"{n.name}.html" for n in NOTEBOOKS), *studies} <= set(pages)


def test_site_loads_nothing_from_outside(site, pages):
    for name, page in pages.items():
        for target in page.loads:
            assert target.startswith("data:") or (site / target).is_file(), (name, target)
    for style in (site / "assets").glob("*.css"):
        assert not re.search(r"@import|url\([\"']?(https?:)?//", style.read_text()), style.name


def test_every_link_of_the_site_leads_somewhere(site, pages):
    for name, page in pages.items():
        for target in page.links:
            if target.startswith(("http://", "https://", "mailto:")):
                continue
            path, _, anchor = target.partition("#")
            assert not path or (site / path).is_file(), (name, target)
            if anchor and path.endswith((".html", "")):
                assert anchor in pages[path or name].ids, (name, target)


def test_links_of_a_drawing_hold_where_it_stands_alone(site):
    drawing = (site / "figures" / "response_forest.svg").read_text(encoding="utf-8")
    targets = re.findall(r'xlink:href="([^"#]+)#', drawing)
    assert targets
    for target in targets:
        assert (site / "figures" / target).is_file(), target


def test_every_figure_of_the_site_speaks(pages):
    figures = [words for page in pages.values() for words in page.figures]
    assert len(figures) >= 8
    for words in figures:
        assert words
        assert re.search(r"\d", words), words


def test_ids_of_a_page_are_unique(pages):
    for name, page in pages.items():
        assert len(page.ids) == len(set(page.ids)), name


def test_each_page_has_one_main_heading_and_skips_no_level(pages):
    for name, page in pages.items():
        assert page.headings.count("h1") == 1, name
        assert page.headings[0] == "h1", name
        levels = [int(heading[1]) for heading in page.headings]
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), name


# From number to line


@pytest.mark.parametrize("page", ["index.html", "14_summary.html"])
def test_a_count_leads_to_its_line_with_source_and_confidence(site, pages, page):
    text = (site / page).read_text(encoding="utf-8")
    href = next(target for target in pages[page].links if target.endswith("#outcomes-2-events"))
    assert href == "study-cheng2022.html#outcomes-2-events"
    shown = re.search(rf'href="{re.escape(href)}">([^<]+)<', text).group(1)
    assert shown == "6 of 17"
    study = pages["study-cheng2022.html"]
    assert "6" in study.text["outcomes-2-events"].split("it")[1]
    assert "line 21" in study.text["outcomes-2"]
    assert "seen" in study.text["outcomes-2"]
    assert "6 of 17 is the only count that rounds to it" in study.text["outcomes-2"]


def test_studies_of_a_forest_plot_lead_to_their_lines(pages):
    links = [target for target in pages["04_pooling.html"].links if "#outcomes-" in target]
    assert "study-cheng2022.html#outcomes-1-events" in links
    assert "study-yao2021.html#outcomes-0-events" in links


def test_every_number_of_the_lead_is_a_link(site):
    lead = re.search(r'<div class="lead">(.*?)</div>', (site / "index.html").read_text(encoding="utf-8"), re.DOTALL)
    unlinked = re.sub(r"<a [^>]*>.*?</a>|<[^>]+>", "", lead.group(1))
    # the threshold by which a response is defined and the level of the interval are no findings
    assert set(re.findall(r"\d+", unescape(unlinked))) <= {"75", "95"}


def test_a_study_page_shows_every_entry_with_its_place(pages, evidence):
    for study in evidence.studies.values():
        page = pages[f"study-{study.id}.html"]
        for entry in study_entries(study):
            shown = page.text[entry.anchor]
            assert (entry.value or entry.reason) in shown, entry.id
            if entry.cited.locator and "." in entry.figure and entry.figure != entry.path:
                around = page.text.get(anchor_of(entry.figure), page.text["main"])
                assert entry.cited.locator in around, entry.id


def test_a_study_page_shows_what_documents_disagree_on(pages):
    study = pages["study-cheng2022.html"]
    assert "Documents disagree" in study.text["main"]
    assert "preferred" in study.text["conflicts-0-readings-0"]
    assert "set aside" in study.text["conflicts-0-readings-1"]
    assert "#conflicts-0" in study.links


def test_the_browser_lists_every_entry(pages, evidence):
    links = set(pages["data.html"].links)
    for study in evidence.studies.values():
        assert {entry_href(entry.id) for entry in study_entries(study)} <= links


# What may come from anyone


@pytest.mark.parametrize("name", [HOSTILE, LONG.strip(), ENDLESS])
def test_a_name_shows_as_text_whatever_it_holds(copied_project, default_run, name):
    path = copied_project.data / "studies" / "cheng2022.yaml"
    text = path.read_text(encoding="utf-8")
    for key in ("label: Cheng 2022\n", "  - field: population.enrolled\n", "    label: Phase 1\n"):
        assert text.count(key) == 1
        text = text.replace(key, f'{key.split(":")[0]}: "{name}"\n')
    title = re.search(r"^title: .*\n", text, re.MULTILINE).group(0)
    path.write_text(text.replace(title, f'title: "{name}"\n', 1), encoding="utf-8")
    pages = from_data(Context(copied_project, default_run / "results"))
    shown = 0
    for page in pages:
        html = whole_page(page, pages)
        assert HOSTILE not in html, page.href
        assert "alert(1)</script>" not in html, page.href
        shown += name in unescape(html)
    assert shown >= 3  # the study's own page, the list and the browser


# Only what changed


def test_an_unchanged_notebook_is_not_converted_again(project, default_run, monkeypatch):
    fresh = Context(project, default_run / "results", default_run / "site")
    expected = (default_run / "site" / "04_pooling.html").read_text(encoding="utf-8")
    monkeypatch.setattr(notebooks, "notebook_body", lambda path: pytest.fail(f"{path.name} was converted"))
    pooling = next(page for page in notebooks.notebook_pages(fresh) if page.href == "04_pooling.html")
    assert str(pooling.body) in expected


def test_a_changed_notebook_is_converted_again(project, default_run, tmp_path):
    results = tmp_path / "results"
    (results / "notebooks").mkdir(parents=True)
    executed = (default_run / "results" / "notebooks" / "04_pooling.ipynb").read_text(encoding="utf-8")
    changed = executed.replace("PASI response across studies", "PASI response over studies")
    (results / "notebooks" / "04_pooling.ipynb").write_text(changed, encoding="utf-8")
    (page,) = notebooks.notebook_pages(Context(project, results, default_run / "site"))
    assert "PASI response over studies" in page.body


def test_a_partial_run_has_a_site(project, tmp_path):
    context = Context(Project(project.root), tmp_path)
    assert next(page.href for page in study_pages(context)) == "studies.html"
    assert notebooks.notebook_pages(context) == []
