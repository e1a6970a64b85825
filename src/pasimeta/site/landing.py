"""The landing page: what a reader in a hurry needs, by rule from tables."""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

from pasimeta.pipeline.manifest import NOTEBOOKS
from pasimeta.report.words import percent
from pasimeta.site.at_a_glance import cards, threshold_lines
from pasimeta.site.figures import figure_html, homes
from pasimeta.site.page import Context, Page
from pasimeta.site.shell import fill, markdown

TITLE = "Mesenchymal stromal cells for plaque psoriasis"
ENOUGH = 200  # letters of a statement that stand open on the page
_UNREAD = re.compile(r"\]\([^)]*\)|[\[*]")
CURVE, FOREST = "response_curve", "response_forest"


def landing_pages(context: Context) -> list[Page]:
    """Return the landing page."""
    pages = homes(context)
    figures = {
        name: figure_html(svg, pages.get(name, ""), context.drawings) if (svg := context.figure(name)) else None
        for name in (CURVE, FOREST)
    }
    body = fill(
        "landing.html.j2",
        title=TITLE,
        lines=threshold_lines(context),
        cards=cards(context),
        level=percent(context.record.parameters.get("common", {}).get("level", 0.95)),
        curve=figures[CURVE],
        forest=figures[FOREST],
        **_statements(context),
    )
    return [Page(href="index.html", title=TITLE, short="In one minute", group="Overview", body=body)]


def in_short(text: str) -> tuple[str, str]:
    """Split Markdown into the paragraphs a reader in a hurry needs and the rest; a list stays with what announces it.

    Of a link, only what is read counts.
    """
    paragraphs = text.split("\n\n")
    read = 0
    for place, paragraph in enumerate(paragraphs, start=1):
        read += len(_UNREAD.sub("", paragraph))
        if read >= ENOUGH and not paragraph.endswith(":"):
            return "\n\n".join(paragraphs[:place]), "\n\n".join(paragraphs[place:])
    return text, ""


def _statements(context: Context) -> dict[str, Any]:
    summary = context.table("summary")
    if summary is None:
        return {"lead": Markup("<p>Run every notebook to fill this page.</p>"), "statements": []}
    notebooks = {notebook.section: notebook for notebook in NOTEBOOKS}
    statements = [
        {
            "key": row.key,
            "heading": row.heading,
            "first": markdown(first),
            "more": markdown(more),
            "href": f"{notebooks[row.section].name}.html",
            "title": notebooks[row.section].title,
        }
        for row in summary.itertuples()
        for first, more in [in_short(str(row.linked))]
    ]
    return {"lead": markdown(str(summary["linked"].iloc[0])), "statements": statements[1:]}
