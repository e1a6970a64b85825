"""Proportions over a number: one line a series, told apart by marker and dash, with a table of its figures below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from pasimeta.errors import PasimetaError
from pasimeta.figures.chart import MARGIN, MARKER_ROOM, MARKER_SIZE, Chart, KeyRow, Look, charted_page, series_looks
from pasimeta.figures.columns import Cell, Fit, best_fit, cell_lines
from pasimeta.figures.formats import percent
from pasimeta.figures.output import Plot, check_name
from pasimeta.figures.page import Align
from pasimeta.figures.scales import tick_label, tick_positions
from pasimeta.figures.theme import MEDIUM, PAGE_MM, QUIET, RULE, THIN, points, text_sizes, theme
from pasimeta.figures.words import sentence

_COLUMN_GAP = 10.0
_DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
_MARKS = 9  # about so many along a line


@dataclass(frozen=True, slots=True)
class Curve:
    """One line.

    Attributes
    ----------
    label : str
    x, y : sequence of float
        Abscissae, ascending, and proportions in [0, 1].
    cells : tuple of str
        Its figures in the table below, one a heading.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]
    cells: tuple[str, ...] = ()


def curves(
    series: Sequence[Curve],
    *,
    name: str,
    x_label: str,
    y_label: str,
    headings: Sequence[str] = (),
    reference: Sequence[float] = (),
    log: bool = False,
    full_scale: bool = True,
    title: str | None = None,
    width_mm: float = PAGE_MM,
    footnote: str | None = None,
) -> Plot:
    """Draw proportions as lines.

    Parameters
    ----------
    series : sequence of Curve
    name : str
        File stem and prefix of SVG ids.
    x_label, y_label : str
        What the axes count.
    headings : sequence of str
        Of the label column and of each cell.
    reference : sequence of float
        Proportions to mark by a thin line across.
    log : bool
        Whether the horizontal axis is logarithmic.
    full_scale : bool
        Whether the vertical axis runs to 100 %, or only as far as the curves.
    title, footnote : str or None
        Above and below.
    width_mm : float
        85 (one journal column) or 176 (a page).

    Returns
    -------
    Plot
        ``data`` has one row a point.

    Raises
    ------
    PasimetaError
        For no series, unequal lengths, proportions outside [0, 1], or headings that don't fit the cells.
    """
    check_name(name)
    heads = tuple(headings) or ("",)
    _refuse(name, series, heads, log)
    with theme():
        figure = _drawn(series, heads, (x_label, y_label, title or ""), reference, log, full_scale, footnote, width_mm)
    alt = _alt_text(series, heads, y_label, x_label, title)
    return Plot(figure=figure, name=name, alt=alt, data=_frame(series), title=title or y_label)


def _refuse(name: str, series: Sequence[Curve], headings: Sequence[str], log: bool) -> None:
    if not series:
        raise PasimetaError(f"figure {name}: no series; give at least one")
    for each in series:
        if len(each.x) != len(each.y) or len(each.x) == 0:
            raise PasimetaError(f"figure {name}: {each.label}: {len(each.x)} abscissae for {len(each.y)} proportions")
        if not all(-1e-9 <= value <= 1 + 1e-9 for value in each.y):
            raise PasimetaError(f"figure {name}: {each.label}: a proportion lies outside [0, 1]; divide by 100")
        if log and min(each.x) <= 0:
            raise PasimetaError(f"figure {name}: {each.label}: a logarithmic axis needs positive abscissae")
        if len(each.cells) != len(headings) - 1:
            raise PasimetaError(f"figure {name}: {each.label}: {len(each.cells)} cells for {len(headings)} headings")


def _drawn(
    series: Sequence[Curve],
    headings: Sequence[str],
    words: tuple[str, str, str],
    reference: Sequence[float],
    log: bool,
    full_scale: bool,
    footnote: str | None,
    width_mm: float,
) -> Figure:
    fit, looks = _fitted_key(series, headings, width_mm), series_looks(len(series))
    chart = _chart(series, looks, headings, fit, words, footnote, width_mm)
    page, axes = charted_page(chart)
    limits = _x_limits(series, log)
    highest = max(max(each.y) for each in series)
    top = 1.0 if full_scale else max(0.05, math.ceil(highest * 1.05 / 0.05) * 0.05)
    _draw_axes(axes, chart, limits, min(top, 1.0), log)
    for value in reference:
        axes.axhline(value, color=QUIET, linewidth=THIN, linestyle=(0, (2, 2)), zorder=1)
    for index, (each, look) in enumerate(zip(series, looks, strict=True)):
        axes.plot(each.x, each.y, color=look.colour, linewidth=MEDIUM, linestyle=_DASHES[index % 4], zorder=3)
        marked = _marked(each.x, log)
        at = [[values[i] for i in marked] for values in (each.x, each.y)]
        axes.plot(*at, linestyle="none", markersize=MARKER_SIZE - 1, clip_on=False, zorder=4, **look.style)
    return page.figure


def _fitted_key(series: Sequence[Curve], headings: Sequence[str], width_mm: float) -> Fit:
    rows = [[Cell(head, bold=True) for head in headings]]
    rows += [[Cell(each.label), *(Cell(text) for text in each.cells)] for each in series]
    room = points(width_mm) - 2 * MARGIN - MARKER_ROOM - _COLUMN_GAP * (len(headings) - 1)
    fit = best_fit(rows, [True] * len(headings), room, text_sizes(width_mm))
    if fit:
        return fit
    raise PasimetaError(
        f"a figure {width_mm:g} mm wide has no room for its key; shorten the labels or draw it 176 mm wide"
    )


def _chart(
    series: Sequence[Curve],
    looks: Sequence[Look],
    headings: Sequence[str],
    fit: Fit,
    words: tuple[str, str, str],
    footnote: str | None,
    width_mm: float,
) -> Chart:
    width, size = points(width_mm), fit.size
    left = MARGIN + 4.6 * size
    lefts = [MARGIN + MARKER_ROOM]
    for column in fit.widths[:-1]:
        lefts.append(lefts[-1] + column + _COLUMN_GAP)
    anchors: list[tuple[float, Align]] = [(x, "left") for x in lefts]
    return Chart(
        width=width,
        size=size,
        plot_left=left,
        plot_width=width - MARGIN - left - 2.0 * size,
        plot_height=max(0.36 * width, points(45)),
        title=words[2],
        y_label=words[1],
        x_label=words[0],
        key=tuple(_key_rows(series, looks, headings, fit)),
        anchors=tuple(anchors),
        notes=(footnote,) if footnote else (),
    )


def _key_rows(series: Sequence[Curve], looks: Sequence[Look], headings: Sequence[str], fit: Fit) -> list[KeyRow]:
    def cells(texts: Sequence[str], bold: bool) -> tuple[tuple[str, ...], ...]:
        pairs = zip(texts, fit.widths, strict=True)
        return tuple(cell_lines(Cell(text, bold), column, fit.size) for text, column in pairs)

    rows = [KeyRow(None, cells(headings, True), bold=True)] if any(headings) else []
    return rows + [
        KeyRow(look, cells((each.label, *each.cells), False)) for each, look in zip(series, looks, strict=True)
    ]


def _x_limits(series: Sequence[Curve], log: bool) -> tuple[float, float]:
    low, high = min(min(each.x) for each in series), max(max(each.x) for each in series)
    if log:
        return low / 1.05, high * 1.05
    room = 0.02 * (high - low) or 0.5
    return low - room, high + room


def _marked(x: Sequence[float], log: bool) -> list[int]:
    """Positions of the marks: all of a few points, else evenly along the axis."""
    if len(x) <= 22:
        return list(range(len(x)))
    places = np.log(np.asarray(x, float)) if log else np.asarray(x, float)
    return sorted({int(np.abs(places - at).argmin()) for at in np.linspace(places[0], places[-1], _MARKS)})


def _draw_axes(axes: Axes, chart: Chart, limits: tuple[float, float], top: float, log: bool) -> None:
    axes.set_xscale("log" if log else "linear")
    axes.set_xlim(limits)
    ticks = tick_positions(limits, "plain", chart.plot_width, chart.size, log=log)
    axes.set_xticks(ticks, [tick_label(tick, "plain") for tick in ticks], fontsize=chart.size)
    axes.xaxis.set_minor_locator(NullLocator())
    shares = tick_positions((0.0, top), "percent", chart.plot_height, chart.size)
    axes.set_ylim(0, top)
    axes.set_yticks(shares, [tick_label(tick, "percent") for tick in shares], fontsize=chart.size)
    axes.grid(axis="y", color=RULE, linewidth=THIN, alpha=0.6)


def _frame(series: Sequence[Curve]) -> pd.DataFrame:
    tables = [pd.DataFrame({"label": each.label, "x": list(each.x), "y": list(each.y)}) for each in series]
    return pd.concat(tables, ignore_index=True)


def _alt_text(series: Sequence[Curve], headings: Sequence[str], y_label: str, x_label: str, title: str | None) -> str:
    text = f"Line chart. {sentence(title)}{sentence(f'{y_label}, over: {x_label}')}"
    for each in series:
        best = int(np.argmax(each.y))
        shape = (
            f"from {percent(each.y[0])} at {each.x[0]:g} to {percent(each.y[-1])} at {each.x[-1]:g}, "
            f"largest {percent(each.y[best])} at {each.x[best]:g}"
        )
        cells = [f"{head.lower()} {text}" for head, text in zip(headings[1:], each.cells, strict=True)]
        text += sentence(f"{each.label}: {'; '.join([shape, *cells])}")
    return text.strip()
