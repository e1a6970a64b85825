"""The glossary: what the words of this site mean, for readers from either side of it."""

from __future__ import annotations

from pathlib import Path

from ruamel.yaml import YAML

from pasimeta.site.page import Context, Page
from pasimeta.site.shell import fill, markdown

CONTENT = Path(__file__).parent / "content" / "glossary.yaml"


def glossary_pages(context: Context) -> list[Page]:
    """Return the glossary, in alphabetical order."""
    terms = YAML(typ="safe").load(CONTENT.read_text(encoding="utf-8"))
    listed = [
        (_anchor(term), term, markdown(words)) for term, words in sorted(terms.items(), key=lambda t: t[0].casefold())
    ]
    title = "Glossary"
    body = fill("glossary.html.j2", title=title, terms=listed)
    return [Page(href="glossary.html", title=title, group="About", body=body, contents=False)]


def _anchor(term: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in term.casefold()).strip("-")
