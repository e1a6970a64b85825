"""Histogram of every table that fits a study's margins, by the slope it would have, and the range that remains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from pasimeta.errors import PasimetaError
from pasimeta.figures.chart import Chart, Look
from pasimeta.figures.chart_axes import draw_number_axis
from pasimeta.figures.formats import NO_BREAK_SPACE, Scale, interval_text
from pasimeta.figures.key_table import KeyLine
from pasimeta.figures.keyed import Words, keyed_page
from pasimeta.figures.output import Plot, check_name
from pasimeta.figures.scales import axis_limits, tick_label, tick_positions
from pasimeta.figures.theme import BLUE, INK, MEDIUM, PAGE_MM, QUIET, RULE, THICK, THIN, VERMILLION, theme
from pasimeta.figures.words import sentence

_BINS = 40
_ROW = 0.085  # of the plot's height, for each range bar


@dataclass(frozen=True, slots=True)
class RemainingRange:
    """The slopes that remain under a constraint.

    Attributes
    ----------
    label : str
        The constraint.
    lower, upper : float
        Smallest and largest slope.
    tables : int
        How many tables remain.
    note : str
        Set quietly below its row.
    """

    label: str
    lower: float
    upper: float
    tables: int
    note: str = ""


def allocation_range(
    slopes: NDArray[np.float64],
    kept: NDArray[np.bool_],
    ranges: Sequence[RemainingRange],
    *,
    name: str,
    axis_label: str,
    scale: Scale = "difference",
    title: str | None = None,
    width_mm: float = PAGE_MM,
    footnote: str | None = None,
) -> Plot:
    """Draw every table's slope as a histogram, those a report rules out hatched, above bars of what remains.

    Parameters
    ----------
    slopes : ndarray, shape (tables,)
    kept : ndarray of bool, shape (tables,)
        Whether the table agrees with the report.
    ranges : sequence of RemainingRange
        One bar each, the widest first, that of the tables kept last.
    name : str
        File stem and prefix of SVG ids.
    axis_label : str
        What the slope is, with units.
    scale : str
        As in :func:`pasimeta.figures.forest.forest`.
    title, footnote : str or None
    width_mm : float
        85 or 176.

    Returns
    -------
    Plot
        ``data`` has one row a range.

    Raises
    ------
    PasimetaError
        For no tables, arrays of unequal length, or no ranges.
    """
    check_name(name)
    if not len(slopes) or len(slopes) != len(kept) or not ranges:
        raise PasimetaError(f"figure {name}: give a slope and a mark for each table, and at least one range")
    looks = _looks(len(ranges))
    lines = [
        KeyLine(look, (each.label, f"{each.tables:,}".replace(",", "\u202f"), _range_text(each, scale)), each.note)
        for each, look in zip(ranges, looks, strict=True)
    ]
    notes = [
        "Columns: number of tables at each slope; filled: those that agree with the report; hatched: those ruled out.",
        "Bars below: slopes that remain. The height of a column is a count of possibilities, not a probability.",
        *([footnote] if footnote else []),
    ]
    words = Words(title or "", axis_label, "Tables that fit the margins", tuple(notes))
    with theme():
        page, axes, chart = keyed_page(
            lines, ("What is required", "Tables", "Slopes left"), words, width_mm, height=0.4
        )
        _draw(axes, chart, slopes, kept, ranges, looks, scale)
    alt = _alt_text(ranges, axis_label, scale, title)
    return Plot(figure=page.figure, name=name, alt=alt, data=_frame(ranges), title=title or axis_label)


def _looks(count: int) -> list[Look]:
    """Black for the widest range, the columns' blue for the last, which is what the filled columns hold."""
    colours, markers = [INK, *[VERMILLION] * (count - 2), BLUE], ("s", "o", "D", "^", "v", "P", "X")
    return [Look(markers[i % len(markers)], colours[i]) for i in range(count)]


def _range_text(each: RemainingRange, scale: Scale) -> str:
    return interval_text(each.lower, each.upper, scale).replace("–", " to ")


def _draw(
    axes: Axes,
    chart: Chart,
    slopes: NDArray[np.float64],
    kept: NDArray[np.bool_],
    ranges: Sequence[RemainingRange],
    looks: Sequence[Look],
    scale: Scale,
) -> None:
    ends = [end for each in ranges for end in (each.lower, each.upper)]
    limits = axis_limits(ends, (0.0,), scale)
    edges = np.linspace(*limits, _BINS + 1)
    inside, _ = np.histogram(slopes[kept], edges)
    outside, _ = np.histogram(slopes[~kept], edges)
    most = float((inside + outside).max())
    floor = -_ROW * most * (len(ranges) + 0.6) / (1 - _ROW * len(ranges))
    width = float(edges[1] - edges[0])
    axes.bar(edges[:-1], inside, width, align="edge", color=BLUE, edgecolor="white", linewidth=THIN, zorder=3)
    axes.bar(edges[:-1], outside, width, bottom=inside, align="edge", facecolor="white", edgecolor=QUIET, hatch="////",
             linewidth=THIN, zorder=3)  # fmt: skip
    step = floor / (len(ranges) + 0.6)
    for row, (each, look) in enumerate(zip(ranges, looks, strict=True), start=1):
        height = step * row
        axes.plot([each.lower, each.upper], [height] * 2, color=look.colour, linewidth=THICK, zorder=3)
        # at both ends: a mark in the middle would pass for an estimate
        axes.plot([each.lower, each.upper], [height] * 2, linestyle="none", markersize=4.5, zorder=4, **look.style)
    axes.axvline(0, color=QUIET, linewidth=THIN, zorder=4)
    axes.axhline(0, color=INK, linewidth=MEDIUM, zorder=4)
    draw_number_axis(axes, limits, scale, chart.plot_width, chart.size)
    axes.set_ylim(floor, 1.04 * most)
    counts = [tick for tick in tick_positions((0.0, most), "plain", chart.plot_height, chart.size) if tick <= most]
    axes.set_yticks(counts, [tick_label(tick, "plain") for tick in counts], fontsize=chart.size)
    axes.grid(axis="y", color=RULE, linewidth=THIN, alpha=0.6)


def _frame(ranges: Sequence[RemainingRange]) -> pd.DataFrame:
    fields = ("label", "lower", "upper", "tables")
    return pd.DataFrame([{field: getattr(each, field) for field in fields} for each in ranges])


def _alt_text(ranges: Sequence[RemainingRange], axis_label: str, scale: Scale, title: str | None) -> str:
    text = f"Allocation plot. {sentence(title)}{sentence(f'Horizontal axis: {axis_label}')}"
    for each in ranges:
        text += sentence(f"{each.label}: {each.tables} tables, slopes {_range_text(each, scale)}")
    return text.replace(NO_BREAK_SPACE, " ").strip()
