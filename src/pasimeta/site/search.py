"""The search index: the words of every section of every page, in a script that a page loads from disk."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pasimeta.pipeline.files import write_text
from pasimeta.site.page import Context, Page

INDEX = "search-index.js"
_HEADING = re.compile(r'<(?:h[23]|dt)(?=[^>]*\bid="([^"]+)")[^>]*>(.*?)</(?:h[23]|dt)>', re.DOTALL)
_WORDLESS = re.compile(r"<(svg|script|style|math)\b.*?</\1>|<details class=\"code\">.*?</details>", re.DOTALL)
_PERMALINK = re.compile(r'<a class="anchor-link".*?</a>', re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_WITHIN_WORDS = re.compile(r"</?(?:a|b|code|em|i|span|strong|sub|sup)\b[^>]*>")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page that a search can lead to: its address, its page's title, its heading and its words."""

    href: str
    page: str
    heading: str
    text: str


def write_search_index(context: Context, pages: Sequence[Page], folder: Path) -> None:
    """Write the index of all pages.

    It is a script and not JSON, for a page opened from disk may load scripts but not read files.
    """
    rows = [[s.href, s.page, s.heading, s.text] for page in pages for s in sections(page)]
    # "</script" can't end the script early, and the two line separators are no JavaScript
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    write_text(folder / "assets" / INDEX, f"window.pasimetaSearch = {text};\n")


@lru_cache(maxsize=256)
def sections(page: Page) -> tuple[Section, ...]:
    """Return a page's sections in order: what stands before the first heading with an anchor, then one a heading."""
    return tuple(_sections(page))


def _sections(page: Page) -> Iterator[Section]:
    body = _PERMALINK.sub("", _WORDLESS.sub(" ", str(page.body)))
    found = list(_HEADING.finditer(body))
    starts = [0, *(heading.end() for heading in found)]
    ends = [*(heading.start() for heading in found), len(body)]
    for heading, start, end in zip([None, *found], starts, ends, strict=True):
        text, words = _words(body[start:end]), _words(heading[2]) if heading else ""
        if text or words:
            yield Section(f"{page.href}#{heading[1]}" if heading else page.href, page.title, words, text)


def _words(markup: str) -> str:
    return " ".join(html.unescape(_TAG.sub(" ", _WITHIN_WORDS.sub("", markup))).split())
