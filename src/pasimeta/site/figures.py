"""A figure in a page: the drawing on a white card, its caption, its words, and its files."""

from __future__ import annotations

import html
import re

from markupsafe import Markup

from pasimeta.site.shell import fill

_NAME = re.compile(r'<svg id="([^"]+)"')
_ALT = re.compile(r'aria-label=(?:"([^"]*)"|\'([^\']*)\')')
_LINK = re.compile(r'(<a xlink:href="([^"]+)") target="_blank"')
_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)


def figure_html(svg: str) -> Markup:
    """Return an SVG of ``figures.output.svg_text`` as a figure with caption, words and links to its files.

    Parameters
    ----------
    svg : str
        With an XML declaration before it or without.
    """
    drawing = one_stop_a_row(svg[svg.index("<svg") :])
    name, alt, title = _NAME.search(drawing), _ALT.search(drawing), _TITLE.search(drawing)
    return fill(
        "figure.html.j2",
        drawing=Markup(drawing),
        name=name.group(1) if name else "",
        words=html.unescape(alt.group(1) or alt.group(2) or "") if alt else "",
        title=html.unescape(title.group(1)) if title else "",
    )


def one_stop_a_row(drawing: str) -> str:
    """Let the keyboard stop once at neighbouring links to one place, the cells of a row; a page opens in its place."""
    last = ""

    def kept(match: re.Match[str]) -> str:
        nonlocal last
        again, last = match[2] == last, match[2]
        return f'{match[1]} tabindex="-1"' if again else match[1]

    return _LINK.sub(kept, drawing)


def from_its_folder(svg: str) -> str:
    """Return a drawing whose links to study pages hold where it stands alone, in ``figures/``."""
    return svg.replace('xlink:href="study-', 'xlink:href="../study-')
