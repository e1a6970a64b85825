"""The landing page: what a reader in a hurry needs, by rule from tables."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from pasimeta.pipeline.manifest import NOTEBOOKS
from pasimeta.report.words import percent
from pasimeta.site.at_a_glance import cards, threshold_lines
from pasimeta.site.figures import figure_html
from pasimeta.site.page import Context, Page
from pasimeta.site.shell import fill, markdown

TITLE = "Mesenchymal stromal cells for plaque psoriasis"
CURVE, FOREST = "response_curve", "response_forest"


def landing_pages(context: Context) -> list[Page]:
    """Return the landing page."""
    figures = {name: figure_html(svg) if (svg := context.figure(name)) else None for name in (CURVE, FOREST)}
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


def _statements(context: Context) -> dict[str, Any]:
    summary = context.table("summary")
    if summary is None:
        return {"lead": Markup("<p>Run every notebook to fill this page.</p>"), "statements": []}
    notebooks = {notebook.section: notebook for notebook in NOTEBOOKS}
    statements = [
        {
            "key": row.key,
            "heading": row.heading,
            "body": markdown(str(row.linked)),
            "href": f"{notebooks[row.section].name}.html",
            "title": notebooks[row.section].title,
        }
        for row in summary.itertuples()
    ]
    return {"lead": statements[0]["body"], "statements": statements[1:]}
