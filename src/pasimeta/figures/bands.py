"""Rates with their intervals along an assumption: a prior, a selection strength, or a response nobody has seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pasimeta.errors import PasimetaError
from pasimeta.figures.chart import MARGIN, MARKER_ROOM, Chart, KeyRow, Look, charted_page, plot_room, series_looks
from pasimeta.figures.chart_axes import draw_number_axis, draw_share_axis
from pasimeta.figures.formats import Scale, percent
from pasimeta.figures.measure import text_width, wrapped
from pasimeta.figures.output import Plot, check_name
from pasimeta.figures.page import Align
from pasimeta.figures.panel_marks import DASHES, reference_words
from pasimeta.figures.panel_types import ReferenceLine
from pasimeta.figures.scales import tick_label
from pasimeta.figures.theme import INK, MEDIUM, PAGE_MM, THICK, THIN, points, text_sizes, theme
from pasimeta.figures.words import sentence

_GAP = 10.0
_MARKS = 9  # markers along a line: enough to tell it from its neighbours in black and white
_SHADE = 0.16


@dataclass(frozen=True, slots=True)
class Band:
    """A rate along an assumption.

    Attributes
    ----------
    label : str
        For the key.
    x, y : tuple of float
        Values of the assumption, ascending, and proportions. A y of NaN interrupts the line.
    lower, upper : tuple of float
        Interval at each x, or empty.
    note : str
        What the key says of it beside its label.
    """

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    lower: tuple[float, ...] = ()
    upper: tuple[float, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Axes:
    """What the horizontal axis is, and the horizontal lines across it."""

    log: bool
    unit: Scale
    references: tuple[ReferenceLine, ...]


def bands(
    series: Sequence[Band],
    *,
    name: str,
    x_label: str,
    y_label: str,
    x_scale: Literal["linear", "log"] = "linear",
    x_unit: Scale = "plain",
    reference_lines: Sequence[ReferenceLine] = (),
    title: str | None = None,
    width_mm: float = PAGE_MM,
    footnote: str | None = None,
) -> Plot:
    """Draw rates along an assumption, with their intervals as bands.

    Parameters
    ----------
    series : sequence of Band
        At least one, of at least two points.
    name : str
        File stem and prefix of SVG ids.
    x_label, y_label : str
        What the axes count; the vertical one is 0 to 100 %.
    x_scale : {"linear", "log"}
        Horizontal axis.
    x_unit : {"plain", "percent"}
        How its ticks are written.
    reference_lines : sequence of ReferenceLine
        Horizontal lines, explained below the figure.
    title, footnote : str or None
        Above and below.
    width_mm : float
        85 (one journal column) or 176 (a page).

    Returns
    -------
    Plot
        ``data`` has one row a point of a line.

    Raises
    ------
    PasimetaError
        For no line, unequal lengths, an x that doesn't ascend, or a y that is no proportion.
    """
    check_name(name)
    _refuse(name, series, x_scale)
    notes = tuple(note for note in (reference_words(reference_lines), footnote or "") if note)
    axis = _Axes(x_scale == "log", x_unit, tuple(reference_lines))
    with theme():
        figure = _drawn(series, (title or "", x_label, y_label, notes), axis, width_mm)
    alt = _alt_text(series, (title or "", x_label, y_label, notes), x_unit)
    return Plot(figure=figure, name=name, alt=alt, data=_frame(series), title=title or y_label)


def _refuse(name: str, series: Sequence[Band], x_scale: str) -> None:
    if x_scale not in ("linear", "log"):
        raise PasimetaError(f"figure {name}: x_scale {x_scale!r} is neither log nor linear")
    if not series:
        raise PasimetaError(f"figure {name}: no line; give at least one")
    for each in series:
        lengths = {len(each.x), len(each.y), len(each.lower) or len(each.x), len(each.upper) or len(each.x)}
        if len(lengths) > 1 or len(each.x) < 2:
            raise PasimetaError(f"figure {name}: {each.label!r} needs two or more points, each with all its values")
        if any(b <= a for a, b in zip(each.x, each.x[1:], strict=False)) or (x_scale == "log" and each.x[0] <= 0):
            raise PasimetaError(f"figure {name}: x of {each.label!r} must ascend, and be positive on a log axis")
        for value in (*each.y, *each.lower, *each.upper):
            if not (math.isnan(value) or -1e-9 <= value <= 1 + 1e-9):
                raise PasimetaError(f"figure {name}: {value:g} of {each.label!r} is no proportion; divide by 100")
        if all(math.isnan(value) for value in each.y):
            raise PasimetaError(f"figure {name}: {each.label!r} has no value at all; leave it out")


def _drawn(
    series: Sequence[Band], words: tuple[str, str, str, tuple[str, ...]], axis: _Axes, width_mm: float
) -> Figure:
    title, x_label, y_label, notes = words
    size, width = text_sizes(width_mm)[0], points(width_mm)
    left = MARGIN + text_width("100\u00a0%", size) + 6.0
    looks = series_looks(len(series))
    label_room = 0.34 * width
    note_left = MARGIN + MARKER_ROOM + min(label_room, max(text_width(each.label, size) for each in series)) + _GAP
    anchors: tuple[tuple[float, Align], ...] = ((MARGIN + MARKER_ROOM, "left"), (note_left, "left"))
    key = tuple(
        KeyRow(look, (wrapped(each.label, label_room, size), wrapped(each.note, width - MARGIN - note_left, size)))
        for each, look in zip(series, looks, strict=True)
    )
    chart = Chart(
        width=width,
        size=size,
        plot_left=left,
        plot_width=plot_room(width, left, size),
        plot_height=max(0.36 * width, points(45)),
        title=title,
        y_label=y_label,
        x_label=x_label,
        key=key,
        anchors=anchors,
        notes=notes,
    )
    page, axes = charted_page(chart)
    _draw_axes(axes, series, chart, axis)
    for each, look in zip(series, looks, strict=True):
        _draw_band(axes, each, look)
    return page.figure


def _draw_axes(axes: Axes, series: Sequence[Band], chart: Chart, axis: _Axes) -> None:
    low, high = min(each.x[0] for each in series), max(each.x[-1] for each in series)
    draw_number_axis(axes, (low, high), axis.unit, chart.plot_width, chart.size, log=axis.log)
    draw_share_axis(axes, chart.plot_height, chart.size)
    for i, line in enumerate(axis.references):
        axes.plot(
            [low, high], [line.value] * 2, color=INK, linewidth=MEDIUM, linestyle=DASHES[i % len(DASHES)], zorder=1
        )


def _draw_band(axes: Axes, each: Band, look: Look) -> None:
    if each.lower:
        axes.fill_between(each.x, each.lower, each.upper, color=look.colour, alpha=_SHADE, linewidth=0, zorder=2)
        for end in (each.lower, each.upper):
            axes.plot(each.x, end, color=look.colour, linewidth=THIN, zorder=2, clip_on=False)
    every = 1 if len(each.x) <= 3 * _MARKS else len(each.x) // _MARKS
    style = {**look.style, "linewidth": THICK, "markersize": 4.0, "markevery": every}
    axes.plot(each.x, each.y, clip_on=False, zorder=4, **style)


def _frame(series: Sequence[Band]) -> pd.DataFrame:
    rows = []
    for each in series:
        for i, (x, y) in enumerate(zip(each.x, each.y, strict=True)):
            lower, upper = (each.lower[i], each.upper[i]) if each.lower else (math.nan, math.nan)
            rows.append({"label": each.label, "x": x, "y": y, "lower": lower, "upper": upper})
    return pd.DataFrame(rows)


def _alt_text(series: Sequence[Band], words: tuple[str, str, str, tuple[str, ...]], x_unit: Scale) -> str:
    title, x_label, y_label, notes = words
    text = f"Line chart. {sentence(title)}Vertical axis: {sentence(y_label)}Horizontal axis: {sentence(x_label)}"
    for each in series:
        shown = [i for i, y in enumerate(each.y) if not math.isnan(y)]
        ends = " and ".join(_point_words(each, i, x_unit) for i in dict.fromkeys((shown[0], shown[-1])))
        note = f" ({each.note.rstrip('.')})" if each.note else ""
        text += sentence(f"{each.label}{note}: {ends}")
    return (text + "".join(sentence(note) for note in notes)).strip()


def _point_words(each: Band, i: int, x_unit: Scale) -> str:
    interval = f" ({percent(each.lower[i], 0)} to {percent(each.upper[i], 0)})" if each.lower else ""
    return f"{percent(each.y[i], 0)}{interval} at {tick_label(each.x[i], x_unit)}"
