"""What benchmarks found: how often intervals are right, and what tests of moderators can see."""

from __future__ import annotations

from markupsafe import Markup

from pasimeta.pipeline.project import Project
from pasimeta.site.page import Context, Page
from pasimeta.site.shell import markdown

COVERAGE = "coverage.md"
# what docs/ holds beside the coverage of pooled rates, by the name methods.yaml has for it
FURTHER = {"thresholds": "thresholds_coverage.md", "moderators": "moderators.md"}


def coverage_pages(context: Context) -> list[Page]:
    """Return a page for each benchmark's report in ``docs/``; those of single topics are reached from the methods."""
    pages = []
    for name in (COVERAGE, *FURTHER.values()):
        path = context.project.root / "docs" / name
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            title = _title(text)
            parent = "" if name == COVERAGE else "methods.html"
            body = _scrolling(markdown(text))
            pages.append(Page(href=_href(name), title=title, short="Coverage", group="About", body=body, parent=parent))
    return pages


def further_reports(project: Project) -> dict[str, tuple[str, str]]:
    """Return address and title of each report of a single topic, by the name methods.yaml has for it."""
    paths = {name: project.root / "docs" / file for name, file in FURTHER.items()}
    return {
        name: (_href(path.name), _title(path.read_text(encoding="utf-8")))
        for name, path in paths.items()
        if path.is_file()
    }


def coverage_rows(project: Project) -> tuple[dict[str, str], dict[str, str]]:
    """Return what the two tables of ``docs/coverage.md`` say of each method, in words: intervals, then predictions."""
    path = project.root / "docs" / "coverage.md"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    found: list[dict[str, str]] = [{}, {}]
    for part, (rows, words) in enumerate(zip(_markdown_tables(text), ("covers", "holds a new study"), strict=False)):
        for row in rows:
            mean, least = (row[name] for name in ("mean coverage", "least"))
            found[part][row["interval"]] = f"{words} {mean} of the time on average, {least} in the worst scenario"
    return found[0], found[1]


def _markdown_tables(text: str) -> list[list[dict[str, str]]]:
    tables: list[list[list[str]]] = [[]]
    for line in text.splitlines():
        if line.startswith("|"):
            tables[-1].append([cell.strip() for cell in line.strip("|").split("|")])
        elif tables[-1]:
            tables.append([])
    return [[dict(zip(rows[0], row, strict=True)) for row in rows[2:]] for rows in tables if rows]


def _href(file: str) -> str:
    return f"{file.removesuffix('.md').replace('_', '-')}.html"


def _title(text: str) -> str:
    return text.split("\n", 1)[0].removeprefix("# ")


def _scrolling(html: Markup) -> Markup:
    """Return Markdown's tables in a frame that scrolls by itself, each with a name."""
    parts = str(html).split("<table>")
    opening = '<div class="table-scroll" tabindex="0" role="region" aria-label="Table {}"><table>'
    framed = [opening.format(number) + part for number, part in enumerate(parts[1:], 1)]
    text = "".join([parts[0], *framed]).replace("</table>", "</table></div>")
    text = text.replace("<th></th>", "<td></td>")  # a corner is no heading
    return Markup(text.replace("<th>", '<th scope="col">').replace("<th style", '<th scope="col" style'))
