"""Render executed notebooks and tables as a static site that needs neither server nor network."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from pasimeta import __version__
from pasimeta.pipeline.files import write_text
from pasimeta.pipeline.manifest import NOTEBOOKS

TEMPLATES = Path(__file__).parent / "templates"
HEADLINE_FIGURE = "response_forest"
FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """A page of the site."""

    href: str
    short: str
    title: str


def render_site(results: Path, pages: Path) -> None:
    """Write a page for each executed notebook, a landing page, and copies of tables and figures.

    Parameters
    ----------
    results : path
        A folder of results with ``notebooks/``, ``tables/`` and ``figures/``.
    pages : path
        Where the site goes; an existing, empty folder.
    """
    templates = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    executed = [n for n in NOTEBOOKS if (results / "notebooks" / f"{n.name}.ipynb").is_file()]
    menu = [MenuEntry("index.html", "Overview", "Overview")]
    menu += [MenuEntry(f"{n.name}.html", n.section.replace("_", " ").capitalize(), n.title) for n in executed]
    for folder in ("tables", "figures", "notebooks"):
        if (results / folder).is_dir():
            shutil.copytree(results / folder, pages / folder)
    _write_assets(pages / "assets")
    shell = templates.get_template("page.html.j2")
    for notebook in executed:
        body = Markup(_notebook_body(results / "notebooks" / f"{notebook.name}.ipynb"))
        page = shell.render(
            title=notebook.title, body=body, menu=menu, current=f"{notebook.name}.html", version=__version__
        )
        write_text(pages / f"{notebook.name}.html", page)
    landing = templates.get_template("landing.html.j2")
    write_text(pages / "index.html", landing.render(**_landing(results, menu), version=__version__))


def _landing(results: Path, menu: list[MenuEntry]) -> dict[str, Any]:
    titles = {entry.href: entry.title for entry in menu}
    names = {notebook.section: notebook.name for notebook in NOTEBOOKS}
    statements: list[dict[str, Any]] = []
    lead = "Run every notebook to fill this page."
    summary = results / "tables" / "summary.csv"
    if summary.is_file():
        for row in pd.read_csv(summary).itertuples():
            if row.key == "lead":
                lead = row.text
                continue
            href = f"{names[row.section]}.html"
            body = Markup(_markdown(str(row.text)))
            statements.append(
                {"key": row.key, "heading": row.heading, "body": body, "href": href, "title": titles.get(href, "")}
            )
    figure = results / "figures" / f"{HEADLINE_FIGURE}.svg"
    files = sorted(p.relative_to(results).as_posix() for f in ("tables", "figures") for p in (results / f).glob("*"))
    return {
        "title": "Mesenchymal stromal cells for plaque psoriasis",
        "lead": Markup(_markdown(lead).removeprefix("<p>").removesuffix("</p>")),
        "statements": statements,
        "figure": Markup(_inline_svg(figure)) if figure.is_file() else None,
        "files": files,
        "menu": menu,
        "current": "index.html",
    }


def _notebook_body(path: Path) -> str:
    from nbconvert import HTMLExporter
    from traitlets.config import Config

    # the exporter would otherwise look for Jupyter's own templates in every data path of this machine
    config = Config({"TemplateExporter": {"extra_template_basedirs": [str(TEMPLATES)]}})
    exporter = HTMLExporter(template_name="pasimeta", config=config)
    body, _ = exporter.from_filename(str(path))
    return body


def _markdown(text: str) -> str:
    from nbconvert.filters import markdown2html_mistune

    return markdown2html_mistune(text).strip()


def _inline_svg(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    return text[text.index("<svg") :]


def _write_assets(folder: Path) -> None:
    import matplotlib
    from pygments.formatters import HtmlFormatter

    folder.mkdir(parents=True)
    shutil.copyfile(TEMPLATES / "style.css", folder / "style.css")
    light = HtmlFormatter(style="default").get_style_defs(".highlight")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".highlight")
    write_text(folder / "code.css", f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n")
    for font in FONTS:
        shutil.copyfile(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / font, folder / font)
