"""A table with an axis among its columns, once or several times down the page: forest plots and subgroup plots.

The layout is computed from measured text before anything is drawn; only then is the figure made, at the size needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from pasimeta.errors import PasimetaError
from pasimeta.figures.columns import Cell, Column, Fit, best_fit, cell_lines
from pasimeta.figures.lights import draw_light
from pasimeta.figures.measure import block_width, text_width, wrapped
from pasimeta.figures.page import Page, text_height
from pasimeta.figures.panel_marks import draw_axis, draw_mark, draw_references, reference_words
from pasimeta.figures.panel_types import DRAWN, PLOT, RISK, Axis, Line, Panel
from pasimeta.figures.scales import axis_share, tick_label, tick_positions
from pasimeta.figures.theme import COLUMN_MM, INK, MEDIUM, QUIET, line_height, points, text_sizes

MARGIN = points(2)
_ROW_PADDING = 3.0
_INDENT = 6.0
_AXIS_GAP = 4.0
_TICK_ZONE = 6.5
_PANEL_GAP = 12.0
_NOTE_GAP = 6.0
_NUMBERS = ("count", "events", "n", "weight", "estimate")
_LIGHT, _LIGHT_PITCH, _SIGN_SIZE = 10.5, 12.0, 7.0
# Shares of the width the axis gets at the least; less only where the text can't do with what is left.
_PLOT_SHARES = (0.30, 0.25, 0.20, 0.18)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Left edges and widths in points by column key, and the type size."""

    width: float
    size: float
    lefts: dict[str, float]
    widths: dict[str, float]

    @property
    def inner(self) -> float:
        return self.width - 2 * MARGIN

    @property
    def plot_left(self) -> float:
        return self.lefts[PLOT]

    @property
    def plot_width(self) -> float:
        return self.widths[PLOT]


@dataclass(frozen=True, slots=True)
class _PlacedLine:
    line: Line
    top: float
    height: float
    text: tuple[str, ...]

    @property
    def middle(self) -> float:
        return self.top + self.height / 2


def drawn_panels(
    panels: Sequence[Panel], columns: Sequence[Column], *, title: str | None, notes: Sequence[str], width_mm: float
) -> Figure:
    """A figure of panels below one another that share their columns.

    Parameters
    ----------
    panels : sequence of Panel
        Top to bottom.
    columns : sequence of Column
        Left to right, one of them :data:`PLOT`.
    title : str or None
        Above all.
    notes : sequence of str
        Below all, each from a line of its own.
    width_mm : float
        Final width; the height follows.

    Raises
    ------
    PasimetaError
        If the text can't fit the width at the smallest type.
    """
    layout = _fitted_layout(panels, columns, points(width_mm), text_sizes(width_mm), width_mm)
    heading = wrapped(title, layout.inner, layout.size, True) if title else ()
    top = MARGIN + text_height(heading, layout.size) + (5.0 if heading else 0.0)
    tops: list[float] = []
    bottom = top
    for panel in panels:
        tops.append(bottom + (_PANEL_GAP if tops else 0.0))
        bottom = _panel_bottom(panel, columns, layout, tops[-1])
    references = " ".join(filter(None, (reference_words(panel.axis.references) for panel in panels)))
    below = [line for note in (references, *notes) if note for line in wrapped(note, layout.inner, layout.size)]
    bottom += _NOTE_GAP if below else 0.0
    page = Page(layout.width, bottom + text_height(below, layout.size) + MARGIN)
    page.text(MARGIN, MARGIN, heading, size=layout.size, bold=True)
    for panel, panel_top in zip(panels, tops, strict=True):
        _draw_panel(page, panel, columns, layout, panel_top)
    page.text(MARGIN, bottom, below, size=layout.size, colour=QUIET)
    return page.figure


def _fitted_layout(
    panels: Sequence[Panel], columns: Sequence[Column], width: float, sizes: Sequence[float], width_mm: float
) -> _Layout:
    texts = [column for column in columns if column.key not in DRAWN]
    rows = [row for panel in panels for row in (_header_cells(panel, texts), *_table_cells(panel, texts))]
    gap = 10.0 if width_mm > COLUMN_MM else 6.0
    inner = width - 2 * MARGIN - gap * (len(columns) - 1) - _edge_room(panels, columns, sizes[0])
    inner -= _lights_width(panels, columns, sizes[0])
    wordy = [column.key not in _NUMBERS for column in texts]
    for share in _PLOT_SHARES:
        fit = best_fit(rows, wordy, inner - share * width, sizes)
        if fit:
            return _placed_columns(fit, panels, columns, width, gap)
    raise PasimetaError(
        f"a figure {width_mm:g} mm wide has no room for the columns {[column.key for column in columns]} beside its "
        "axis; drop a column, shorten its text, or draw it 176 mm wide"
    )


def _edge_room(panels: Sequence[Panel], columns: Sequence[Column], size: float) -> float:
    """Room beyond an axis that stands at the page's edge, for the half of its last tick label that sticks out."""
    edges = (columns[0].key == PLOT) + (columns[-1].key == PLOT)
    return edges * max(
        text_width(tick_label(end, panel.axis.scale), size) for panel in panels for end in panel.axis.limits
    )


def _lights_width(panels: Sequence[Panel], columns: Sequence[Column], size: float) -> float:
    """Room for the signs of the study judged in most domains, and for the words above them."""
    headers = [column.header for column in columns if column.key == RISK]
    if not headers:
        return 0.0
    most = max((len(line.lights) for panel in panels for line in panel.lines), default=0)
    return max(most * _LIGHT_PITCH, text_width(headers[0], size, True))


def _placed_columns(fit: Fit, panels: Sequence[Panel], columns: Sequence[Column], width: float, gap: float) -> _Layout:
    text_widths = iter(fit.widths)
    widths = {column.key: next(text_widths) for column in columns if column.key not in DRAWN}
    if any(column.key == RISK for column in columns):
        widths[RISK] = _lights_width(panels, columns, fit.size)
    edge = _edge_room(panels, columns, fit.size) / max(1, (columns[0].key == PLOT) + (columns[-1].key == PLOT))
    room = width - 2 * MARGIN - sum(widths.values()) - _edge_room(panels, columns, fit.size)
    # Columns stand closer than twice the gap, however much room there is: the axis takes the rest.
    roomy = min(1.8 * gap, gap + max(0.0, room - gap * (len(columns) - 1) - 0.4 * width) / (2 * len(columns)))
    widths[PLOT] = room - roomy * (len(columns) - 1)
    lefts, left = {}, MARGIN + (edge if columns[0].key == PLOT else 0.0)
    for column in columns:
        lefts[column.key] = left
        left += widths[column.key] + roomy
    return _Layout(width, fit.size, lefts, widths)


def _header_cells(panel: Panel, columns: Sequence[Column]) -> list[Cell]:
    return [Cell(panel.headers.get(column.key, column.header), bold=True) for column in columns]


def _table_cells(panel: Panel, columns: Sequence[Column]) -> list[list[Cell]]:
    return [_line_cells(line, columns, _indent(panel)) for line in panel.lines if not line.spans]


def _line_cells(line: Line, columns: Sequence[Column], indent: float) -> list[Cell]:
    bold = line.kind == "summary" and line.mark is not None and line.mark.kind == "pooled"
    return [Cell(line.cells.get(column.key, ""), bold, indent if column.key == "label" else 0.0) for column in columns]


def _indent(panel: Panel) -> float:
    return _INDENT if any(line.kind == "heading" for line in panel.lines) else 0.0


def _placed_lines(panel: Panel, columns: Sequence[Column], layout: _Layout, top: float) -> list[_PlacedLine]:
    texts = [column for column in columns if column.key not in DRAWN]
    placed: list[_PlacedLine] = []
    for index, line in enumerate(panel.lines):
        if line.kind == "heading" and index:
            top += 0.5 * line_height(layout.size)
        text: tuple[str, ...] = ()
        if line.spans:
            text = wrapped(line.text, layout.inner - _indent(panel), layout.size, line.kind == "heading")
            count = len(text) if line.text else 0.5
        else:
            cells = _line_cells(line, texts, _indent(panel))
            broken = [
                cell_lines(cell, layout.widths[column.key], layout.size)
                for cell, column in zip(cells, texts, strict=True)
            ]
            count = max(1, *(len(lines) for lines in broken))
        height = count * line_height(layout.size) + _ROW_PADDING
        placed.append(_PlacedLine(line, top, height, text))
        top += height
    return placed


def _header_height(panel: Panel, columns: Sequence[Column], layout: _Layout) -> float:
    return text_height("x" * max(len(lines) for _, lines in _broken_header(panel, columns, layout)), layout.size) + 5.0


def _broken_header(
    panel: Panel, columns: Sequence[Column], layout: _Layout
) -> Iterator[tuple[Column, tuple[str, ...]]]:
    texts = [column for column in columns if column.key not in DRAWN]
    for column, cell in zip(texts, _header_cells(panel, texts), strict=True):
        yield column, cell_lines(cell, layout.widths[column.key], layout.size)
    for column in columns:
        if column.key == RISK:
            yield column, (column.header, "")  # the second line is for the domains' letters


def _panel_bottom(panel: Panel, columns: Sequence[Column], layout: _Layout, top: float) -> float:
    top += _header_height(panel, columns, layout)
    last = _placed_lines(panel, columns, layout, top)[-1]
    below = last.top + last.height + _AXIS_GAP + _TICK_ZONE + line_height(layout.size) + 1.0
    directions = max((len(lines) for _, _, lines in _directions(panel.axis, layout)), default=0)
    return below + text_height(_axis_label(panel.axis, layout), layout.size) + directions * line_height(layout.size)


def _axis_label(axis: Axis, layout: _Layout) -> tuple[str, ...]:
    centre = layout.plot_left + layout.plot_width / 2
    return (
        wrapped(axis.label, 2 * min(centre - MARGIN, layout.width - MARGIN - centre), layout.size) if axis.label else ()
    )


def _directions(axis: Axis, layout: _Layout) -> list[tuple[str, float, tuple[str, ...]]]:
    """Alignment, x and lines of what stands left and right of the line of no effect."""
    if axis.directions is None:
        return []
    share = 0.5 if axis.null is None else axis_share(axis.null, axis.limits, log=axis.log)
    null = layout.plot_left + share * layout.plot_width
    left, right = f"\u2190\u00a0{axis.directions[0]}", f"{axis.directions[1]}\u00a0\u2192"
    return [
        ("right", null - 4, wrapped(left, null - 4 - MARGIN, layout.size)),
        ("left", null + 4, wrapped(right, layout.width - MARGIN - null - 4, layout.size)),
    ]


def _draw_panel(page: Page, panel: Panel, columns: Sequence[Column], layout: _Layout, top: float) -> None:
    header_height = _header_height(panel, columns, layout)
    for column, lines in _broken_header(panel, columns, layout):
        header_top = top + header_height - 4.0 - text_height(lines, layout.size)
        page.text(_anchor(column, layout), header_top, lines, align=column.align, size=layout.size, bold=True)
    _draw_light_letters(page, panel, layout, top + header_height - 4.0 - line_height(layout.size))
    rule = top + header_height - 2.0
    page.rule([MARGIN, layout.width - MARGIN], [rule, rule], width=MEDIUM)
    placed = _placed_lines(panel, columns, layout, top + header_height)
    for item in placed:
        _draw_line_text(page, item, panel, columns, layout)
    last = placed[-1]
    bottom = last.top + last.height + _AXIS_GAP
    _draw_plot(page, panel, placed, layout, (top + header_height, bottom))
    _draw_axis_words(page, panel.axis, layout, bottom + _TICK_ZONE + line_height(layout.size) + 1.0)


def _draw_line_text(page: Page, item: _PlacedLine, panel: Panel, columns: Sequence[Column], layout: _Layout) -> None:
    size, line = layout.size, item.line
    if line.spans:
        indent = _indent(panel) if line.kind == "note" else 0.0
        colour = QUIET if line.kind == "note" else INK
        page.text(
            MARGIN + indent,
            item.top + _ROW_PADDING / 2,
            item.text,
            size=size,
            bold=line.kind == "heading",
            colour=colour,
            link=line.link,
        )
        return
    texts = [column for column in columns if column.key not in DRAWN]
    for column, cell in zip(texts, _line_cells(line, texts, _indent(panel)), strict=True):
        lines = cell_lines(cell, layout.widths[column.key], size)
        top = item.middle - text_height(lines, size) / 2
        place = _anchor(column, layout) + cell.indent
        page.text(place, top, lines, align=column.align, size=size, bold=cell.bold, link=line.link)
    for index, look in enumerate(line.lights):
        draw_light(page, _light_centre(layout, index), item.middle, look, _SIGN_SIZE, _LIGHT)


def _draw_light_letters(page: Page, panel: Panel, layout: _Layout, top: float) -> None:
    for index in range(max((len(line.lights) for line in panel.lines), default=0)):
        letter = chr(ord("A") + index)
        page.text(_light_centre(layout, index), top, letter, align="center", size=layout.size, bold=True)


def _light_centre(layout: _Layout, index: int) -> float:
    return layout.lefts[RISK] + (index + 0.5) * _LIGHT_PITCH


def _draw_plot(
    page: Page, panel: Panel, placed: Sequence[_PlacedLine], layout: _Layout, ends: tuple[float, float]
) -> None:
    top, bottom = ends
    axis, width = panel.axis, layout.plot_width
    axes = page.axes(layout.plot_left, top, width, bottom - top)
    axes.set_ylim(bottom, top)
    ticks = tick_positions(axis.limits, axis.scale, width, layout.size)
    draw_axis(axes, axis, ticks, layout.size)
    draw_references(axes, axis, ticks, list(_free_stretches(placed, layout, panel, ends)))
    heaviest = max((item.line.mark.weight or 0.0 for item in placed if item.line.mark), default=0.0) or None
    for item in placed:
        if item.line.mark:
            draw_mark(axes, axis, item.line.mark, item.middle, heaviest)


def _free_stretches(
    placed: Sequence[_PlacedLine], layout: _Layout, panel: Panel, ends: tuple[float, float]
) -> Iterator[tuple[float, float]]:
    """From where to where vertical lines may run without crossing text that spans the columns."""
    top, bottom = ends
    for item in placed:
        bold = item.line.kind == "heading"
        reach = MARGIN + _indent(panel) + block_width(item.text, layout.size, bold)
        if item.text and item.line.text and reach > layout.plot_left - 2:
            if item.top > top:
                yield top, item.top
            top = item.top + item.height
    if bottom > top:
        yield top, bottom


def _draw_axis_words(page: Page, axis: Axis, layout: _Layout, top: float) -> None:
    directions = _directions(axis, layout)
    for align, x, lines in directions:
        page.text(x, top, lines, align="right" if align == "right" else "left", size=layout.size)
    top += max((text_height(lines, layout.size) for _, _, lines in directions), default=0.0)
    centre = layout.plot_left + layout.plot_width / 2
    page.text(centre, top, _axis_label(axis, layout), align="center", size=layout.size)


def _anchor(column: Column, layout: _Layout) -> float:
    share = {"left": 0.0, "center": 0.5, "right": 1.0}[column.align]
    return layout.lefts[column.key] + share * layout.widths[column.key]
