"""A process that stays writes a page again when anything it was written from has changed, and only then."""

import re
import shutil

import nbformat
import pytest
from bs4 import BeautifulSoup
from markupsafe import Markup
from nbconvert import HTMLExporter
from traitlets.config import Config

from pasimeta.figures.theme import NARROW
from pasimeta.pipeline.manifest import NOTEBOOKS
from pasimeta.pipeline.plan import site_inputs
from pasimeta.pipeline.record import RunRecord
from pasimeta.site.build import PAGES, render_site
from pasimeta.site.exporter import BodyExporter
from pasimeta.site.figures import figure_html
from pasimeta.site.kept import written_or_kept
from pasimeta.site.notebooks import notebook_page
from pasimeta.site.page import Context, Page
from pasimeta.site.shell import TEMPLATES


class Writer:
    """A function that writes a page from what it asks of the context, and counts how often."""

    def __init__(self, asks):
        self.asks, self.count = asks, 0

    def __call__(self, context):
        self.count += 1
        return [Page(href="a.html", title="A", group="Results", body=Markup(str(self.asks(context))))]


@pytest.fixture
def results(tmp_path):
    (tmp_path / "results" / "tables").mkdir(parents=True)
    (tmp_path / "results" / "tables" / "pooled.csv").write_text("a\n1\n")
    return tmp_path / "results"


def body(writer, project, results):
    """The page as a rendering of its own would have it."""
    return written_or_kept(writer, Context(project, results))[0].body


def test_page_of_data_and_tables_is_written_once(copied_project, results):
    writer = Writer(lambda context: (len(context.evidence.studies), context.table("pooled")["a"].tolist()))
    assert body(writer, copied_project, results) == body(writer, copied_project, results)
    assert writer.count == 1


def test_changed_table_is_seen(copied_project, results):
    writer = Writer(lambda context: context.table("pooled")["a"].tolist())
    assert body(writer, copied_project, results) == "[1]"
    (results / "tables" / "pooled.csv").write_text("a\n2\n")
    assert body(writer, copied_project, results) == "[2]"


def test_table_that_appears_is_seen(copied_project, results):
    writer = Writer(lambda context: context.table("summary") is None)
    assert body(writer, copied_project, results) == "True"
    (results / "tables" / "summary.csv").write_text("a\n")
    assert body(writer, copied_project, results) == "False"


def test_page_of_a_notebook_is_that_of_its_last_execution(project, default_run, tmp_path):
    shutil.copytree(default_run / "results" / "notebooks", tmp_path / "notebooks")
    (tmp_path / "figures").mkdir()
    context, notebook = Context(project, tmp_path), NOTEBOOKS[3]
    path = tmp_path / "notebooks" / f"{notebook.name}.ipynb"
    first = notebook_page(context, notebook)
    assert notebook_page(context, notebook) == first
    changed = nbformat.read(path, as_version=4)
    changed.cells[0].source += "\n\nSaid since."
    nbformat.write(changed, path)
    assert "Said since." in notebook_page(context, notebook).body
    assert "Said since." not in first.body
    drawing = re.search(r'<svg id="([^"]+)"', first.body)[1]
    (tmp_path / "figures" / f"{drawing}{NARROW}.svg").write_text(f'<svg id="{drawing}{NARROW}"></svg>')
    assert f'id="{drawing}{NARROW}"' in notebook_page(context, notebook).body


def test_changed_data_is_seen(copied_project, results):
    writer = Writer(lambda context: context.evidence.studies["cheng2022"].title)
    first = body(writer, copied_project, results)
    path = copied_project.data / "studies" / "cheng2022.yaml"
    path.write_text(path.read_text().replace("title:", "title: Changed #", 1))
    assert body(writer, copied_project, results) == "Changed" != first


@pytest.mark.parametrize("asks", ["record", "results", "project", "earlier"])
def test_page_of_anything_else_is_written_each_time(copied_project, results, asks):
    writer = Writer(lambda context: getattr(context, asks))
    for _ in range(2):
        body(writer, copied_project, results)
    assert writer.count == 2


def test_second_rendering_of_a_process_is_that_of_a_first(project, default_run, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        render_site(default_run / "results", tmp_path / name, project)
    for page in sorted((tmp_path / "one").glob("*.html")):
        assert (tmp_path / "two" / page.name).read_bytes() == page.read_bytes()
        assert (default_run / "site" / page.name).read_bytes() == page.read_bytes(), page.name


def test_rehearsal_writes_nothing_of_results(project, tmp_path):
    context = Context(project, tmp_path / "none")
    hrefs = {page.href for write in PAGES for page in write(context)}
    assert not {f"{notebook.name}.html" for notebook in NOTEBOOKS} & hrefs
    assert "glossary.html" in hrefs


@pytest.mark.parametrize("shown", ["CITATION.cff", "docs/coverage.md", "notebooks/tutorial.ipynb"])
def test_site_depends_on_what_it_shows(project, copied_project, shown):
    path = copied_project.root / shown
    path.parent.mkdir(exist_ok=True)
    shutil.copyfile(project.root / shown, path)
    before = site_inputs(copied_project, RunRecord())
    path.write_text(path.read_text() + "\n")
    assert site_inputs(copied_project, RunRecord()) != before


def test_body_is_the_one_nbconvert_would_parse_again(default_run):
    config = Config({"TemplateExporter": {"extra_template_basedirs": [str(TEMPLATES)]}})
    path = default_run / "results" / "notebooks" / "04_pooling.ipynb"
    written = {}
    for kind in (HTMLExporter, BodyExporter):
        exporter = kind(template_name="notebook", config=config)
        exporter.register_filter("figure", figure_html)
        written[kind], _ = exporter.from_notebook_node(nbformat.read(path, as_version=4))
    parsed = str(BeautifulSoup(written[BodyExporter], features="html.parser"))
    assert parsed.split() == written[HTMLExporter].split()
    assert BeautifulSoup(parsed, features="html.parser").select("img:not([alt])") == []
