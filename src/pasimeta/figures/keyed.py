"""A plot above a key of text columns: the layout that curves, histograms and bubbles share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from pasimeta.errors import PasimetaError
from pasimeta.figures.chart import MARGIN, MARKER_ROOM, Chart, KeyRow, Look, charted_page
from pasimeta.figures.columns import Cell, best_fit, cell_lines
from pasimeta.figures.measure import wrapped
from pasimeta.figures.page import Align, Page
from pasimeta.figures.theme import points, text_sizes

_GAP = 12.0


@dataclass(frozen=True, slots=True)
class KeyLine:
    """One row of the key: its marker (None for none), a text a column, and a quiet note below."""

    look: Look | None
    texts: tuple[str, ...]
    note: str = ""


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
    width = points(width_mm)
    rows = [[Cell(text, bold=True) for text in headers], *([Cell(text) for text in line.texts] for line in lines)]
    wordy = [True, *([False] * (len(headers) - 1))]
    room = width - 2 * MARGIN - MARKER_ROOM - _GAP * (len(headers) - 1)
    fit = best_fit(rows, wordy, room, text_sizes(width_mm))
    if not fit:
        raise PasimetaError(
            f"a figure {width_mm:g} mm wide has no room for its key; shorten the labels or draw it 176 mm"
        )
    lefts = [MARGIN + MARKER_ROOM]
    for column in fit.widths[:-1]:
        lefts.append(lefts[-1] + column + _GAP)
    anchors: tuple[tuple[float, Align], ...] = tuple((x, "left") for x in lefts)
    note_room = width - 2 * MARGIN - MARKER_ROOM
    key = []
    for index, row in enumerate(rows):
        line = lines[index - 1] if index else None
        cells = tuple(cell_lines(cell, column, fit.size) for cell, column in zip(row, fit.widths, strict=True))
        note = wrapped(line.note, note_room, fit.size) if line and line.note else ()
        key.append(KeyRow(line.look if line else None, cells, note, bold=not index))
    left = MARGIN + left_ems * fit.size
    chart = Chart(
        width=width,
        size=fit.size,
        plot_left=left,
        # Half of the last tick's label stands beyond the axes.
        plot_width=width - MARGIN - left - 2.0 * fit.size,
        plot_height=max(height * width, points(42)),
        title=words.title,
        y_label=words.y_label,
        x_label=words.x_label,
        key=tuple(key),
        anchors=anchors,
        notes=words.notes,
    )
    page, axes = charted_page(chart)
    return page, axes, chart
