"""The tutorial's page: the executed notebook that goes from a registry page to the updated pooled result."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from pasimeta.site.notebooks import notebook_body, notebook_source_hash, rendered_once
from pasimeta.site.page import Context, Page

NAME = "tutorial"


def tutorial_pages(context: Context) -> list[Page]:
    """Return the page of ``notebooks/tutorial.ipynb`` as it is committed; none where there is none."""
    path = tutorial_notebook(context)
    if not path.is_file():
        return []
    href, source = f"{NAME}.html", notebook_source_hash(path)
    body = rendered_once(context, href, source, lambda: _within_reach(notebook_body(path)))
    title = "From a registry page to the updated result"
    return [Page(href=href, title=title, short="Tutorial", group="About", body=body, source=source)]


def _within_reach(body: Markup) -> Markup:
    # what commands print scrolls by itself, and a keyboard must reach it
    return Markup(str(body).replace("<pre>", '<pre tabindex="0">'))


def tutorial_notebook(context: Context) -> Path:
    """Return where the tutorial is committed, outside the numbered run."""
    return context.project.notebooks / f"{NAME}.ipynb"
