"""A figure in a page: the drawing on a white card, its caption, its words, and its files."""

from __future__ import annotations

import html
import re
from pathlib import Path

from markupsafe import Markup

from pasimeta.figures.theme import NARROW
from pasimeta.pipeline.manifest import NOTEBOOKS
from pasimeta.report.rests_on import BELOW, line_id
from pasimeta.site.page import Context
from pasimeta.site.shell import fill

_NAME = re.compile(r'<svg id="([^"]+)"')
_ALT = re.compile(r'aria-label=(?:"([^"]*)"|\'([^\']*)\')')
_LINK = re.compile(r'(<a xlink:href="([^"]+)") target="_blank"')
_BELOW = re.compile(rf'(<a xlink:href=")(#[^"]+?)(?:{NARROW})?(-{BELOW[1:]}")')
_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)


def figure_html(svg: str, home: str = "", drawings: Path | None = None) -> Markup:
    """Return an SVG of ``figures.output.svg_text`` as a figure with caption, words and links to its files.

    Parameters
    ----------
    svg : str
        With an XML declaration before it or without.
    home : str
        The page that says what the figure rests on, if it isn't the one it stands in.
    drawings : path, optional
        The folder with the figure drawn for one column, where it is: narrow screens show that.
    """
    drawing = one_stop_a_row(_led_home(svg[svg.index("<svg") :], home))
    name, alt, title = _NAME.search(drawing), _ALT.search(drawing), _TITLE.search(drawing)
    return fill(
        "figure.html.j2",
        drawing=Markup(drawing),
        narrow=_narrow_drawing(drawings, name.group(1), home) if drawings and name else None,
        name=name.group(1) if name else "",
        rests_on=f"{home}#{line_id(name.group(1))}" if home and name else "",
        words=html.unescape(alt.group(1) or alt.group(2) or "") if alt else "",
        title=html.unescape(title.group(1)) if title else "",
    )


def _narrow_drawing(drawings: Path, name: str, home: str) -> Markup | None:
    path = drawings / f"{name}{NARROW}.svg"
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8")
    return Markup(one_stop_a_row(_led_home(text[text.index("<svg") :], home)))


def one_stop_a_row(drawing: str) -> str:
    """Let the keyboard stop once at neighbouring links to one place, the cells of a row; a page opens in its place."""
    last = ""

    def kept(match: re.Match[str]) -> str:
        nonlocal last
        again, last = match[2] == last, match[2]
        return f'{match[1]} tabindex="-1"' if again else match[1]

    return _LINK.sub(kept, drawing)


def from_its_folder(svg: str, home: str) -> str:
    """Return a drawing whose links to pages hold where it stands alone, in ``figures/``; ``home`` as in figure_html."""
    return _led_home(svg, f"../{home}" if home else "").replace('xlink:href="study-', 'xlink:href="../study-')


def homes(context: Context) -> dict[str, str]:
    """Return the page of the notebook that drew each figure, by the figure's name."""
    records = context.record.notebooks
    return {
        Path(path).stem: f"{notebook.name}.html"
        for notebook in NOTEBOOKS
        if notebook.name in records
        for path in records[notebook.name].outputs
        if path.endswith(".svg")
    }


def _led_home(drawing: str, home: str) -> str:
    # as plain text: parts taken from Markup would come back escaped
    return _BELOW.sub(rf"\g<1>{home}\2\3", str(drawing))
