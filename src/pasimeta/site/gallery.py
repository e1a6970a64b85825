"""The gallery: every figure with its caption, to look at and to download for print."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from pasimeta.figures.theme import NARROW, PNG_DPI
from pasimeta.pipeline.manifest import NOTEBOOKS
from pasimeta.site.page import Context, Page
from pasimeta.site.shell import fill

_MM_PER_INCH = 25.4
_PNG_SIZE = slice(16, 24)  # width and height of the first chunk


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure of the run.

    Attributes
    ----------
    name, title, words : str
        File stem, short name, and what it shows with its numbers.
    width, height : int
        Of the PNG, pixels.
    narrow : str
        File stem of the same figure for one column; empty if there is none.
    """

    name: str
    title: str
    words: str
    width: int
    height: int
    narrow: str = ""

    @property
    def caption(self) -> str:
        """The words, after the name if they don't say it."""
        return self.words if self.title in self.words else f"{self.title}. {self.words}"

    @property
    def size(self) -> str:
        """Pixels, and millimetres in print."""
        across, down = (round(_MM_PER_INCH * pixels / PNG_DPI) for pixels in (self.width, self.height))
        return f"{self.width} × {self.height} pixels, {across} × {down} mm at {PNG_DPI} dpi"


def gallery_pages(context: Context) -> list[Page]:
    """Return the gallery; none if no figure has been drawn."""
    drawn = pictures(context)
    if not drawn:
        return []
    title = "All figures"
    body = fill("gallery.html.j2", title=title, drawn=drawn)
    return [Page(href="gallery.html", title=title, short="Figures", group="Results", body=body)]


def pictures(context: Context) -> list[tuple[str, str, list[Picture]]]:
    """Return every figure by notebook: the notebook's name, its title, and the figures in order of name."""
    groups = []
    for notebook in NOTEBOOKS:
        record = context.record.notebooks.get(notebook.name)
        drawn = (path for path in (record.outputs if record else ()) if path.endswith(".svg"))
        made = sorted(path for path in drawn if not path.endswith(f"{NARROW}.svg"))
        found = [_picture(context.results / path) for path in made if (context.results / path).is_file()]
        if found:
            groups.append((notebook.name, notebook.title, found))
    return groups


def _picture(path: Path) -> Picture:
    head = path.read_text(encoding="utf-8")
    title = re.search(r"<title>(.*?)</title>", head, re.DOTALL)
    words = re.search(r"<desc>(.*?)</desc>", head, re.DOTALL)
    width, height = struct.unpack(">II", path.with_suffix(".png").read_bytes()[_PNG_SIZE])
    return Picture(
        name=path.stem,
        title=unescape(title[1]) if title else path.stem,
        words=unescape(words[1]) if words else "",
        width=width,
        height=height,
        narrow=column.stem if (column := path.with_stem(f"{path.stem}{NARROW}")).is_file() else "",
    )
