"""A plot above a key of text columns: the layout that curves, histograms and bubbles share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from pasimeta.figures.chart import MARGIN, Chart, charted_page, plot_room
from pasimeta.figures.key_table import KeyLine, key_table
from pasimeta.figures.page import Page
from pasimeta.figures.theme import points

_GAP = 12.0


@dataclass(frozen=True, slots=True)
class Words:
    """Text around a plot; empty for none."""

    title: str
    x_label: str
    y_label: str
    notes: tuple[str, ...] = ()


def keyed_page(
    lines: Sequence[KeyLine],
    headers: Sequence[str],
    words: Words,
    width_mm: float,
    *,
    left_ems: float = 4.6,
    height: float = 0.34,
) -> tuple[Page, Axes, Chart]:
    """Return a page with its words and key set, the empty axes, and the measurements they were laid out by.

    Parameters
    ----------
    lines : sequence of KeyLine
    headers : sequence of str
        Of the key's columns; the first may wrap.
    words : Words
    width_mm : float
        85 or 176.
    left_ems : float
        Room left of the axes for tick labels, in type sizes.
    height : float
        Of the plot, as a share of the page's width.

    Raises
    ------
    PasimetaError
        If the key has no room.
    """
    wordy = [True, *([False] * (len(headers) - 1))]
    table = key_table(headers, lines, wordy, width_mm, _GAP)
    width = points(width_mm)
    left = MARGIN + left_ems * table.size
    chart = Chart(
        width=width,
        size=table.size,
        plot_left=left,
        plot_width=plot_room(width, left, table.size),
        plot_height=max(height * width, points(42)),
        title=words.title,
        y_label=words.y_label,
        x_label=words.x_label,
        key=table.rows,
        anchors=tuple((x, "left") for x in table.lefts),
        notes=words.notes,
    )
    page, axes = charted_page(chart)
    return page, axes, chart
