"""A page for each executed notebook: prose and results in the open, code folded away."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from pasimeta.figures.theme import NARROW
from pasimeta.pipeline.executed import without_slow_format_check
from pasimeta.pipeline.fingerprint import file_hash
from pasimeta.pipeline.manifest import NOTEBOOKS, Notebook
from pasimeta.report import rests_on
from pasimeta.site.figures import figure_html
from pasimeta.site.page import Context, Page
from pasimeta.site.shell import TEMPLATES

if TYPE_CHECKING:
    from nbconvert import HTMLExporter


_DRAWN = re.compile(rb'<svg id=\\"([\w-]+)\\"')
_rendered: dict[str, tuple[str, Markup]] = {}  # of each page, what it was last made from, and its body
_PERMALINK = re.compile(r'<a class="anchor-link".*?</a>', re.DOTALL)  # Jupyter's, a second link to each heading


def notebook_pages(context: Context) -> list[Page]:
    """Return a page for each notebook that has been executed, in order."""
    return [notebook_page(context, n) for n in NOTEBOOKS if _executed(context, n).is_file()]


def notebook_page(context: Context, notebook: Notebook) -> Page:
    """Return the page of a notebook that has been executed."""
    path, href = _executed(context, notebook), f"{notebook.name}.html"
    source = notebook_source_hash(path)
    body = rendered_once(context, href, source, lambda: notebook_body(path))
    short = notebook.section.replace("_", " ").capitalize()
    return Page(href=href, title=notebook.title, short=short, group="Results", body=body, source=source)


def rendered_once(context: Context, href: str, source: str, render: Callable[[], Markup]) -> Markup:
    """Return a page's body, rendered unless this process or the earlier site has it from the same source."""
    if _rendered.get(href, ("", None))[0] != source:
        _rendered[href] = source, context.earlier_body(href, source) or render()
    return _rendered[href][1]


def _executed(context: Context, notebook: Notebook) -> Path:
    return context.results / "notebooks" / f"{notebook.name}.ipynb"


def notebook_source_hash(path: Path) -> str:
    """Return the hash of what a notebook's page is made from."""
    notebook = path.read_bytes()
    names = sorted({name.decode() for name in _DRAWN.findall(notebook)})
    narrow = [_drawings(path) / f"{name}{NARROW}.svg" for name in names]
    drawn = [drawing.read_bytes() for drawing in narrow if drawing.is_file()]
    return hashlib.sha256(b"".join([notebook, *drawn, _converter().encode()])).hexdigest()


def _drawings(path: Path) -> Path:
    return path.parent.parent / "figures"


@cache
def _converter() -> str:
    # what beside the notebook decides the page: code and templates that write it, and the libraries' releases
    here = Path(__file__)
    parts = [
        here,
        Path(rests_on.__file__),
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
    exporter = _exporter()
    exporter.register_filter("figure", figure_html)
    exporter.from_notebook_node(nbformat.v4.new_notebook(cells=cells))


def notebook_body(path: Path) -> Markup:
    """Return an executed notebook as a page's content."""
    exporter = _exporter()
    exporter.register_filter("figure", partial(figure_html, drawings=_drawings(path)))
    body, _ = exporter.from_filename(str(path))
    return Markup(rests_on.said_once(_PERMALINK.sub("", body)).strip())
