"""Proportions over a number: one line a series, told apart by marker and dash, with a table of its figures below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pasimeta.errors import PasimetaError
from pasimeta.figures.chart import MARGIN, MARKER_SIZE, Chart, charted_page, plot_room, series_looks
from pasimeta.figures.chart_axes import draw_number_axis, draw_share_axis
from pasimeta.figures.formats import percent
from pasimeta.figures.key_table import KeyLine, KeyTable, key_table
from pasimeta.figures.output import Plot, check_name
from pasimeta.figures.theme import MEDIUM, PAGE_MM, QUIET, THIN, points, theme
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
    looks = series_looks(len(series))
    lines = [KeyLine(look, (each.label, *each.cells)) for each, look in zip(series, looks, strict=True)]
    table = key_table(headings, lines, [True] * len(headings), width_mm, _COLUMN_GAP)
    chart = _chart(table, words, footnote, width_mm)
    page, axes = charted_page(chart)
    draw_number_axis(axes, _x_limits(series, log), "plain", chart.plot_width, chart.size, log=log)
    highest = max(max(each.y) for each in series)
    top = 1.0 if full_scale else max(0.05, math.ceil(highest * 1.05 / 0.05) * 0.05)
    draw_share_axis(axes, chart.plot_height, chart.size, min(top, 1.0))
    for value in reference:
        axes.axhline(value, color=QUIET, linewidth=THIN, linestyle=(0, (2, 2)), zorder=1)
    for index, (each, look) in enumerate(zip(series, looks, strict=True)):
        axes.plot(each.x, each.y, color=look.colour, linewidth=MEDIUM, linestyle=_DASHES[index % 4], zorder=3)
        marked = _marked(each.x, log)
        at = [[values[i] for i in marked] for values in (each.x, each.y)]
        axes.plot(*at, linestyle="none", markersize=MARKER_SIZE - 1, clip_on=False, zorder=4, **look.style)
    return page.figure


def _chart(table: KeyTable, words: tuple[str, str, str], footnote: str | None, width_mm: float) -> Chart:
    width, size = points(width_mm), table.size
    left = MARGIN + 4.6 * size
    return Chart(
        width=width,
        size=size,
        plot_left=left,
        plot_width=plot_room(width, left, size),
        plot_height=max(0.36 * width, points(45)),
        title=words[2],
        y_label=words[1],
        x_label=words[0],
        key=table.rows,
        anchors=tuple((x, "left") for x in table.lefts),
        notes=(footnote,) if footnote else (),
    )


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
