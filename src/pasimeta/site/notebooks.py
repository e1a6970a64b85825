"""A page for each executed notebook: prose and results in the open, code folded away."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from pasimeta.pipeline.executed import without_slow_format_check
from pasimeta.pipeline.fingerprint import file_hash
from pasimeta.pipeline.manifest import NOTEBOOKS
from pasimeta.site.figures import figure_html
from pasimeta.site.page import Context, Page
from pasimeta.site.shell import TEMPLATES

if TYPE_CHECKING:
    from nbconvert import HTMLExporter


_PERMALINK = re.compile(r'<a class="anchor-link".*?</a>', re.DOTALL)  # Jupyter's, a second link to each heading


def notebook_pages(context: Context) -> list[Page]:
    """Return a page for each notebook that has been executed, in order."""
    executed = [n for n in NOTEBOOKS if (context.results / "notebooks" / f"{n.name}.ipynb").is_file()]
    pages = []
    for notebook in executed:
        path, href = context.results / "notebooks" / f"{notebook.name}.ipynb", f"{notebook.name}.html"
        source = notebook_source_hash(path)
        body = context.earlier_body(href, source) or notebook_body(path)
        short = notebook.section.replace("_", " ").capitalize()
        pages.append(Page(href=href, title=notebook.title, short=short, group="Results", body=body, source=source))
    return pages


def notebook_source_hash(path: Path) -> str:
    """Return the hash of what a notebook's page is made from."""
    return hashlib.sha256(path.read_bytes() + _converter().encode()).hexdigest()


@cache
def _converter() -> str:
    # what beside the notebook decides the page: code and templates that write it, and the libraries' releases
    here = Path(__file__)
    parts = [
        here,
        *(here.with_name(name) for name in ("exporter.py", "figures.py")),
        TEMPLATES / "figure.html.j2",
        *sorted(TEMPLATES.glob("notebook/*")),
    ]
    releases = [f"{name} {version(name)}" for name in ("nbconvert", "mistune", "pygments")]
    return " ".join([*(file_hash(part) for part in parts), *releases])


@cache
def _exporter() -> HTMLExporter:
    without_slow_format_check()
    from traitlets.config import Config

    from pasimeta.site.exporter import BodyExporter

    # the exporter would otherwise look for Jupyter's own templates in every data path of this machine
    config = Config({"TemplateExporter": {"extra_template_basedirs": [str(TEMPLATES)]}})
    exporter = BodyExporter(template_name="notebook", config=config)
    exporter.register_filter("figure", figure_html)
    return exporter


def prepare_exporter() -> None:
    """Import and compile what turns a notebook into a page, ahead of the first."""
    import nbformat

    cells = [nbformat.v4.new_markdown_cell("a"), nbformat.v4.new_code_cell("a = 1")]
    _exporter().from_notebook_node(nbformat.v4.new_notebook(cells=cells))


def notebook_body(path: Path) -> Markup:
    """Return an executed notebook as a page's content."""
    body, _ = _exporter().from_filename(str(path))
    return Markup(_PERMALINK.sub("", body).strip())
