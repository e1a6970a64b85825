"""What every page has around its content: head, menu, table of contents, footer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import get_args

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from mistune import Markdown, create_markdown

from pasimeta import __version__
from pasimeta.site.page import Group, Page

TEMPLATES = Path(__file__).parent / "templates"
_HEADING = re.compile(r'<h2 id="([^"]+)"[^>]*>(.*?)</h2>', re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_PERCENT = re.compile(r"(?<=\d) %")  # a number keeps its sign in its line


@dataclass(frozen=True, slots=True)
class Heading:
    """An entry of a page's table of contents."""

    anchor: str
    text: Markup


@cache
def templates() -> Environment:
    """Return the environment of every template; values are escaped unless they are ``Markup``."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def fill(template: str, **values: object) -> Markup:
    """Return a template of this package, filled, as a page's body."""
    return Markup(templates().get_template(template).render(**values))


def whole_page(page: Page, pages: Sequence[Page]) -> str:
    """Return a page's HTML, its menu listing all pages."""
    menu = {group: [p for p in pages if p.group == group and not p.parent] for group in get_args(Group)}
    contents = headings(page.body) if page.contents else []
    return (
        templates()
        .get_template("base.html.j2")
        .render(
            page=page,
            menu={group: listed for group, listed in menu.items() if listed},
            current=page.parent or page.href,
            contents=contents if len(contents) > 1 else [],
            version=__version__,
        )
    )


def headings(body: str) -> list[Heading]:
    """Return the second-level headings of a page that have an id."""
    found = _HEADING.findall(body)
    return [Heading(anchor, Markup(_TAG.sub("", text).strip())) for anchor, text in found]


@lru_cache(maxsize=256)  # of statements and notes, few change from one run of a process to the next
def markdown(text: str) -> Markup:
    """Return Markdown as HTML. Raw HTML in it passes: text from data goes through ``report.words.markdown_text``."""
    return Markup(_PERCENT.sub("\u00a0%", str(_renderer()(text)).strip()))


@cache
def _renderer() -> Markdown:
    return create_markdown(escape=False, plugins=["table", "strikethrough"])
