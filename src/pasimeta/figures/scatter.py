"""Named points on two plain axes, with their numbers in a key: Baujat's plot, and the subsets of a few studies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from pasimeta.errors import PasimetaError
from pasimeta.figures.chart import MARGIN, MARKER_SIZE, Chart, KeyRow, charted_page, plot_room, series_looks
from pasimeta.figures.formats import Scale, number, percent
from pasimeta.figures.key_table import KeyLine, key_table
from pasimeta.figures.measure import text_width
from pasimeta.figures.output import Plot, check_name
from pasimeta.figures.page import Align
from pasimeta.figures.scales import axis_limits, tick_label, tick_positions
from pasimeta.figures.theme import PAGE_MM, RULE, THIN, points, text_sizes, theme
from pasimeta.figures.words import sentence

_GAP = 12.0
#: Points with a row of their own in the key; more are drawn alike and counted.
MOST_NAMED = 31


@dataclass(frozen=True, slots=True)
class Point:
    """One study, or one subset of them."""

    label: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class ScatterAxis:
    """One axis: its words, the short heading of its column in the key, and its scale; whole numbers if ``counts``."""

    label: str
    heading: str
    scale: Scale = "plain"
    counts: bool = False


def scatter(
    series: Sequence[Point],
    x_axis: ScatterAxis,
    y_axis: ScatterAxis,
    *,
    name: str,
    title: str | None = None,
    width_mm: float = PAGE_MM,
    footnote: str | None = None,
) -> Plot:
    """Draw points; the key names each, up to 31 of them, and lists its numbers.

    Parameters
    ----------
    series : sequence of Point
        At least one.
    x_axis, y_axis : ScatterAxis
    name : str
        File stem and prefix of SVG ids.
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
        For no point, one that isn't finite, or a key that can't fit the width.
    """
    check_name(name)
    if not series:
        raise PasimetaError(f"figure {name}: no point; give at least one")
    for each in series:
        if not (math.isfinite(each.x) and math.isfinite(each.y)):
            raise PasimetaError(f"figure {name}: {each.label!r} has a coordinate that is not finite; leave it out")
    with theme():
        chart = _chart(series, x_axis, y_axis, title or "", footnote or "", width_mm)
        page, axes = charted_page(chart)
        _draw_axes(axes, series, x_axis, y_axis, chart)
        _draw_points(axes, series)
    data = pd.DataFrame([{"label": each.label, "x": each.x, "y": each.y} for each in series])
    alt = _alt_text(series, x_axis, y_axis, title, footnote)
    return Plot(figure=page.figure, name=name, alt=alt, data=data, title=title or y_axis.label)


def _chart(
    series: Sequence[Point], x_axis: ScatterAxis, y_axis: ScatterAxis, title: str, footnote: str, width_mm: float
) -> Chart:
    width = points(width_mm)
    key, anchors, size = _key(series, x_axis, y_axis, width_mm)
    left = MARGIN + max(text_width(tick_label(end, y_axis.scale), size) for end in _limits(series, y_axis, "y")) + 12.0
    return Chart(
        width=width,
        size=size,
        plot_left=left,
        plot_width=plot_room(width, left, size),
        plot_height=max(0.32 * width, points(45)),
        title=title,
        y_label=y_axis.label,
        x_label=x_axis.label,
        key=key,
        anchors=anchors,
        notes=(footnote,) if footnote else (),
    )


def _key(
    series: Sequence[Point], x_axis: ScatterAxis, y_axis: ScatterAxis, width_mm: float
) -> tuple[tuple[KeyRow, ...], tuple[tuple[float, Align], ...], float]:
    if len(series) > MOST_NAMED:
        return (), (), text_sizes(width_mm)[0]
    lines = [
        KeyLine(look, (each.label, _value(each.x, x_axis), _value(each.y, y_axis)))
        for each, look in zip(series, series_looks(len(series)), strict=True)
    ]
    table = key_table(("", x_axis.heading, y_axis.heading), lines, [True, False, False], width_mm, _GAP)
    numbers: list[tuple[float, Align]] = [
        (left + width, "right") for left, width in zip(table.lefts[1:], table.widths[1:], strict=True)
    ]
    return table.rows, ((table.lefts[0], "left"), *numbers), table.size


def _value(value: float, axis: ScatterAxis) -> str:
    if axis.counts:
        return f"{value:.0f}"
    return percent(value) if axis.scale == "percent" else number(value, 2)


def _limits(series: Sequence[Point], axis: ScatterAxis, side: str) -> tuple[float, float]:
    values = [getattr(each, side) for each in series]
    if axis.counts:
        return min(values) - 0.5, max(values) + 0.5
    low, high = axis_limits([], [0.0, *values], axis.scale)
    return (low, high) if axis.scale == "percent" or high > max(values) else (low, high + 0.05 * (high - low))


def _draw_axes(axes: Axes, series: Sequence[Point], x_axis: ScatterAxis, y_axis: ScatterAxis, chart: Chart) -> None:
    for side, axis, length in (("x", x_axis, chart.plot_width), ("y", y_axis, chart.plot_height)):
        limits = _limits(series, axis, side)
        if axis.counts:
            whole = sorted({float(round(getattr(each, side))) for each in series})
            ticks = whole if len(whole) <= 12 else whole[:: math.ceil(len(whole) / 12)]
        else:
            ticks = tick_positions(limits, axis.scale, length, chart.size)
        labels = [tick_label(tick, axis.scale) for tick in ticks]
        (axes.set_xlim if side == "x" else axes.set_ylim)(*limits)
        (axes.set_xticks if side == "x" else axes.set_yticks)(ticks, labels, fontsize=chart.size)
        (axes.xaxis if side == "x" else axes.yaxis).set_minor_locator(NullLocator())
    axes.grid(color=RULE, linewidth=THIN, alpha=0.6)


def _draw_points(axes: Axes, series: Sequence[Point]) -> None:
    if len(series) > MOST_NAMED:
        look = series_looks(1)[0]
        x, y = [each.x for each in series], [each.y for each in series]
        axes.plot(x, y, linestyle="none", marker=".", markersize=2.0, color=look.colour, alpha=0.4, markeredgewidth=0)
        return
    for each, look in zip(series, series_looks(len(series)), strict=True):
        axes.plot(
            [each.x], [each.y], linestyle="none", markersize=MARKER_SIZE + 1, clip_on=False, zorder=4, **look.style
        )


def _alt_text(
    series: Sequence[Point], x_axis: ScatterAxis, y_axis: ScatterAxis, title: str | None, footnote: str | None
) -> str:
    axes = f"Horizontal axis: {sentence(x_axis.label)}Vertical axis: {sentence(y_axis.label)}"
    text = f"Scatter plot. {sentence(title)}{axes}"
    if len(series) <= MOST_NAMED:
        listed = (f"{each.label}: {_value(each.x, x_axis)}, {_value(each.y, y_axis)}" for each in series)
        text += sentence("; ".join(listed))
    else:
        x = [each.x for each in series]
        text += sentence(f"{len(series)} points, from {_value(min(x), x_axis)} to {_value(max(x), x_axis)}")
    return (text + sentence(footnote)).strip()
