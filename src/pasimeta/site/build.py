"""Put the site together: every page from its function, the menu around it, assets, tables and figures beside it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pasimeta.pipeline.files import write_text
from pasimeta.pipeline.manifest import Notebook
from pasimeta.pipeline.project import Project
from pasimeta.site.assets import write_assets
from pasimeta.site.browser import browser_pages
from pasimeta.site.citation import citation_pages
from pasimeta.site.coverage import coverage_pages
from pasimeta.site.figures import from_its_folder, homes
from pasimeta.site.gallery import gallery_pages
from pasimeta.site.glossary import glossary_pages
from pasimeta.site.kept import can_be_kept, nothing_is_kept, written_or_kept
from pasimeta.site.landing import landing_pages
from pasimeta.site.methods import methods_pages
from pasimeta.site.notebooks import notebook_page, notebook_pages, prepare_exporter
from pasimeta.site.other_treatments import other_treatment_pages
from pasimeta.site.own_review import own_review_pages, write_examples
from pasimeta.site.page import Context, Page
from pasimeta.site.pdf import write_report
from pasimeta.site.reproducibility import reproducibility_pages, write_parameters
from pasimeta.site.search import sections, write_search_index
from pasimeta.site.shell import whole_page
from pasimeta.site.sources import source_pages
from pasimeta.site.studies import study_pages
from pasimeta.site.tutorial import tutorial_pages

# The order is the menu's, within each group.
PAGES: tuple[Callable[[Context], list[Page]], ...] = (
    landing_pages,
    notebook_pages,
    study_pages,
    browser_pages,
    other_treatment_pages,
    source_pages,
    gallery_pages,
    tutorial_pages,
    own_review_pages,
    methods_pages,
    coverage_pages,
    reproducibility_pages,
    glossary_pages,
    citation_pages,
)

# What else stands in the site's folder.
FILES: tuple[Callable[[Context, Sequence[Page], Path], None], ...] = (
    write_parameters,
    write_examples,
    write_search_index,
)


def render_site(results: Path, pages: Path, project: Project, earlier: Path | None = None) -> None:
    """Write every page, and copies of tables, figures and notebooks.

    Parameters
    ----------
    results : path
        A folder of results with ``notebooks/``, ``tables/`` and ``figures/``.
    pages : path
        Where the site goes; an existing, empty folder.
    project : Project
        The clone the results come from.
    earlier : path, optional
        The site of an earlier run: what hasn't changed is taken from it, and the bytes are the same.
    """
    context = Context(project, results, earlier)
    with ThreadPoolExecutor(1) as beside:  # setting type takes a while, and no lock of Python's
        report = beside.submit(write_report, context, pages)
        _write_pages(context, pages)
        report.result()


def _write_pages(context: Context, pages: Path) -> None:
    results = context.results
    made = [page for write in PAGES for page in written_or_kept(write, context)]
    for folder in ("tables", "figures", "notebooks"):
        if (results / folder).is_dir():
            drawings = shutil.ignore_patterns("*.svg")  # whose links are mended below
            shutil.copytree(results / folder, pages / folder, ignore=drawings, copy_function=shutil.copyfile)
    drawn_on = homes(context)
    for drawing in sorted(context.drawings.glob("*.svg")):
        text = from_its_folder(drawing.read_text(encoding="utf-8"), drawn_on.get(drawing.stem, ""))
        write_text(pages / "figures" / drawing.name, text)
    write_assets(pages / "assets")
    for page in made:
        write_text(pages / page.href, whole_page(page, made))
    for write_files in FILES:
        write_files(context, made, pages)


def rehearse_site(project: Project, results: Path, earlier: Path) -> None:
    """Write the site into a folder that is thrown away, for what that imports, compiles and works out once a process.

    Parameters
    ----------
    project : Project
    results : path
        A folder of results.
    earlier : path
        The site of an earlier run.
    """
    prepare_exporter()  # which an earlier site with every page would have no need of
    with tempfile.TemporaryDirectory(prefix="pasimeta-rehearsal-") as pages:
        render_site(results, Path(pages), project, earlier)


def write_ahead(context: Context, notebook: Notebook | None) -> None:
    """Write what can be of the site while notebooks run, to be taken from there when all have.

    Parameters
    ----------
    context : Context
        Of the folder where results are gathered.
    notebook : Notebook or None
        One that has just been executed; None before the first.
    """
    first = nothing_is_kept()
    if notebook is not None:
        sections(notebook_page(context, notebook))
    elif first:
        prepare_exporter()
    for write in PAGES:
        if first or can_be_kept(write, context):
            for page in written_or_kept(write, context):
                sections(page)
