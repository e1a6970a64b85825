"""A plot with a key below it: a small table whose rows begin with the marker they explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from pasimeta.figures.measure import wrapped
from pasimeta.figures.page import Align, Page, text_height
from pasimeta.figures.theme import (
    BLACK,
    INK,
    QUIET,
    RULE,
    SERIES_COLOURS,
    SERIES_MARKERS,
    THICK,
    THIN,
    line_height,
    points,
)

MARGIN = points(2)
MARKER_ROOM = 14.0
MARKER_SIZE = 5.0
TICK_ZONE = 7.0
RANGE_NOTE = (
    "Open bar: the count is only known as a range, from the lower mark to the upper; whiskers reach the outermost ends "
    "of the exact intervals."
)
_ROW_PADDING = 2.5
_GAP = 5.0


@dataclass(frozen=True, slots=True)
class Look:
    """Marker of one series: shape and filling tell it apart without colour.

    A curve has a ``line`` (a matplotlib line style) in place of its marker, an area a ``hatch``.
    """

    marker: str
    colour: str
    filled: bool = True
    line: Any = None
    hatch: str = ""

    @property
    def style(self) -> dict[str, Any]:
        """Keywords of a matplotlib line that draws this marker."""
        face = self.colour if self.filled else "white"
        return {
            "marker": self.marker,
            "color": self.colour,
            "markerfacecolor": face,
            "markeredgecolor": self.colour,
            "markeredgewidth": 1.0,
        }


def series_looks(count: int) -> list[Look]:
    """``count`` looks, no two alike before 49: all shapes filled, then open, then in other colours."""
    shapes, colours = len(SERIES_MARKERS), len(SERIES_COLOURS)
    return [
        Look(SERIES_MARKERS[i % shapes], SERIES_COLOURS[(i + i // (2 * shapes)) % colours], (i // shapes) % 2 == 0)
        for i in range(count)
    ]


def context_looks(count: int) -> list[Look]:
    """Looks of what is drawn for comparison only: open, black, shapes of their own."""
    return [Look(("p", "h", "<", ">", "8", "d")[i % 6], BLACK, False) for i in range(count)]


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One row: its marker, and lines of each cell; ``note`` runs below across the table."""

    look: Look | None
    cells: tuple[tuple[str, ...], ...]
    note: tuple[str, ...] = ()
    bold: bool = False
    quiet: bool = False

    def height(self, size: float) -> float:
        """Height in points."""
        lines = max(1 if self.look else 0, *(len(cell) for cell in self.cells))
        return (lines + len(self.note)) * line_height(size) + _ROW_PADDING


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Everything around the axes, in points: what stands where follows from it.

    Attributes
    ----------
    width, size : float
        Of the page, and of its type.
    plot_left, plot_width, plot_height : float
        Data area of the axes.
    title, y_label, x_label : str
        Above all; above the axes; below them. Empty for none.
    key : tuple of KeyRow
        Rows of the table.
    anchors : tuple of (float, str)
        x and alignment of each cell of a key row.
    notes : tuple of str
        Below all.
    """

    width: float
    size: float
    plot_left: float
    plot_width: float
    plot_height: float
    title: str
    y_label: str
    x_label: str
    key: tuple[KeyRow, ...]
    anchors: tuple[tuple[float, Align], ...]
    notes: tuple[str, ...]

    def lines(self, text: str, *, bold: bool = False) -> tuple[str, ...]:
        """``text`` broken to the page's width."""
        return wrapped(text, self.width - 2 * MARGIN, self.size, bold) if text else ()


def plot_room(width: float, left: float, size: float) -> float:
    """Width of axes that begin at ``left``: half of the last tick's label stands beyond them."""
    return width - MARGIN - left - 2.0 * size


def charted_page(chart: Chart) -> tuple[Page, Axes]:
    """A page with all its words and the key set, and the empty axes to draw on."""
    size = chart.size
    title, y_label = chart.lines(chart.title, bold=True), chart.lines(chart.y_label)
    x_label = wrapped(chart.x_label, chart.plot_width, size) if chart.x_label else ()
    notes = [line for note in chart.notes for line in chart.lines(note)]
    y_label_top = MARGIN + text_height(title, size) + (_GAP if title else 0.0)
    plot_top = y_label_top + text_height(y_label, size) + _GAP
    x_label_top = plot_top + chart.plot_height + TICK_ZONE + line_height(size)
    key_top = x_label_top + text_height(x_label, size) + _GAP
    notes_top = key_top + sum(row.height(size) for row in chart.key) + (_GAP if notes else 0.0)
    page = Page(chart.width, notes_top + text_height(notes, size) + MARGIN)
    page.text(MARGIN, MARGIN, title, size=size, bold=True)
    page.text(MARGIN, y_label_top, y_label, size=size)
    page.text(chart.plot_left + chart.plot_width / 2, x_label_top, x_label, align="center", size=size)
    page.rule([MARGIN, chart.width - MARGIN], [key_top - 2.0] * 2, width=THIN, colour=RULE)
    top = key_top
    for row in chart.key:
        _draw_key_row(page, row, top, chart)
        top += row.height(size)
    page.text(MARGIN, notes_top, notes, size=size, colour=QUIET)
    return page, page.axes(chart.plot_left, plot_top, chart.plot_width, chart.plot_height)


def _draw_key_row(page: Page, row: KeyRow, top: float, chart: Chart) -> None:
    size, colour = chart.size, QUIET if row.quiet else INK
    count = max(1 if row.look else 0, *(len(cell) for cell in row.cells))
    middle = top + _ROW_PADDING / 2 + count * line_height(size) / 2
    if row.look:
        _draw_sample(page, row.look, middle)
    for cell, (x, align) in zip(row.cells, chart.anchors, strict=True):
        page.text(x, middle - text_height(cell, size) / 2, cell, align=align, size=size, bold=row.bold, colour=colour)
    below = top + _ROW_PADDING / 2 + count * line_height(size)
    page.text(MARGIN + MARKER_ROOM, below, row.note, size=size, colour=QUIET)


def _draw_sample(page: Page, look: Look, middle: float) -> None:
    """A series as the key shows it: a stretch of its line, a patch of its area, or its marker."""
    left, width = MARGIN - 1.0, MARKER_ROOM - 3.5
    if look.line is not None:
        page.rule([left, left + width], [middle] * 2, width=THICK, colour=look.colour, linestyle=look.line)
    elif look.hatch:
        style: dict[str, Any] = {"facecolor": "none", "edgecolor": look.colour, "hatch": look.hatch, "linewidth": THIN}
        page.box(left, middle - 3.5, width, 7.0, **style)
    else:
        page.marker(MARGIN + 4.0, middle, markersize=MARKER_SIZE, **look.style)
