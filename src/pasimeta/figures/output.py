"""Figures as files and in notebooks: the same bytes every time, and words for readers who can't see them."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO
from xml.sax.saxutils import escape, quoteattr

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from pasimeta.errors import PasimetaError
from pasimeta.figures.pixels import png_of
from pasimeta.figures.theme import FONT, theme

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_XML_DECLARATION = '<?xml version="1.0" encoding="utf-8" standalone="no"?>\n'


@dataclass(frozen=True, kw_only=True, eq=False)
class Plot:
    """A drawn figure with its words and its numbers.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
        Not registered with pyplot: nothing to close.
    name : str
        File stem, and the prefix of every id in the SVG; letters, digits, hyphen, underscore.
    alt : str
        Alternative text that states the numbers.
    data : pandas.DataFrame
        What is drawn, one row a mark.
    title : str
        Short accessible name; the figure's own title where it has one.
    narrow : callable or None
        Draws the same figure for one column of a journal, or a phone, its name ending in ``NARROW``; called when the
        figure is saved.

    Raises
    ------
    PasimetaError
        If the name can't be a file stem and id, or the alternative text is empty.
    """

    figure: Figure
    name: str
    alt: str
    data: pd.DataFrame
    title: str = ""
    narrow: Callable[[], Plot] | None = None

    def __post_init__(self) -> None:
        """Refuse a figure that can't be filed or read aloud."""
        check_name(self.name)
        if not self.alt.strip():
            raise PasimetaError(f"figure {self.name}: no alternative text; say what it shows, with its numbers")


def check_name(name: str) -> str:
    """Return ``name`` if it can be a file stem and the prefix of ids.

    Raises
    ------
    PasimetaError
        If it doesn't start with a letter or holds anything but letters, digits, hyphen and underscore.
    """
    if not _NAME.fullmatch(name):
        raise PasimetaError(f"figure name {name!r}: use a letter, then letters, digits, hyphen or underscore")
    return name


def svg_text(plot: Plot) -> str:
    """The figure as one ``<svg>`` element, ready to stand in a page among others.

    Every id begins with the figure's name; ``role``, ``aria-label``, ``<title>`` and ``<desc>`` carry its words; no
    date and no version is in it, so the same figure is the same text.
    """
    buffer = BytesIO()
    with theme(), mpl.rc_context({"svg.hashsalt": f"pasimeta-{plot.name}"}):
        plot.figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    drawn = buffer.getvalue().decode("utf-8")
    body = drawn[drawn.index("<svg") :]
    body = re.sub(r"\s*<metadata>.*?</metadata>", "", body, count=1, flags=re.DOTALL)
    return _with_words(_with_own_ids(body, plot.name), plot)


def png_bytes(plot: Plot) -> bytes:
    """The figure at 300 dots an inch, its words in the file's own text fields."""
    return png_of(plot.figure, {"Title": plot.title or plot.name, "Description": plot.alt})


def save(plot: Plot, directory: str | os.PathLike[str], drawn: str | None = None) -> tuple[Path, Path]:
    """Write ``NAME.svg`` and ``NAME.png``, and ``NAME-narrow.svg`` if it can be drawn so; each whole or not at all.

    Parameters
    ----------
    plot : Plot
        As every figure function returns it.
    directory : path
        Made if missing.
    drawn : str, optional
        What :func:`svg_text` has made of it already.

    Returns
    -------
    (Path, Path)
        The SVG and the PNG file.
    """
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    svg, png = folder / f"{plot.name}.svg", folder / f"{plot.name}.png"
    text = (_XML_DECLARATION + (drawn or svg_text(plot))).encode("utf-8")
    pixels = png_bytes(plot)
    _write_whole(svg, lambda file: file.write(text))
    _write_whole(png, lambda file: file.write(pixels))
    if plot.narrow is not None:
        column = plot.narrow()
        words = (_XML_DECLARATION + svg_text(column)).encode("utf-8")
        _write_whole(folder / f"{column.name}.svg", lambda file: file.write(words))
    return svg, png


def show(plot: Plot, drawn: str | None = None) -> None:
    """Display the figure in a notebook as SVG, its alternative text as plain text and in the output's metadata.

    Returns nothing, so that a notebook cell may end with it. The figure stays usable, for :func:`save`; ``drawn`` is
    what :func:`svg_text` has made of it already.
    """
    from IPython.display import display

    bundle = {"image/svg+xml": drawn or svg_text(plot), "text/plain": plot.alt}
    display(bundle, raw=True, metadata={"image/svg+xml": {"alt": plot.alt}})


def _with_own_ids(svg: str, name: str) -> str:
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    # matplotlib styles "*": inside a page that would be the whole page.
    return svg.replace('<style type="text/css">*{', f'<style type="text/css">#{name} *{{')


def _with_words(svg: str, plot: Plot) -> str:
    # A tooltip shows <title>: it stays short, and aria-label carries the whole text to a screen reader.
    # what an image holds is hidden from assistive software, links included
    role = "group" if "<a " in svg else "img"
    words = f'role="{role}" aria-label={quoteattr(plot.alt)}'
    opening = f'<svg id="{plot.name}" {words} style="max-width: 100%; height: auto"'
    # Where DejaVu Sans isn't installed: Verdana is as wide, other sans serifs are narrower, so nothing overlaps.
    svg = svg.replace(f"'{FONT}'", f"'{FONT}', Verdana, sans-serif")
    spoken = f"<title>{escape(plot.title or plot.name)}</title>\n <desc>{escape(plot.alt)}</desc>"
    head, rest = svg[len("<svg") :].split(">", 1)
    return f"{opening}{head}>\n {spoken}{rest}"


def _write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            write(file)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
