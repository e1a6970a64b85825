"""Specification curve: every pooled estimate in ascending order, and below it which choices led there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pasimeta.errors import PasimetaError
from pasimeta.figures.chart import MARGIN
from pasimeta.figures.chart_axes import draw_share_axis
from pasimeta.figures.formats import percent
from pasimeta.figures.measure import text_width, wrapped
from pasimeta.figures.output import Plot, check_name
from pasimeta.figures.page import Page, text_height
from pasimeta.figures.panel_marks import DASHES, reference_words
from pasimeta.figures.panel_types import ReferenceLine
from pasimeta.figures.theme import (
    BLUE,
    INK,
    MEDIUM,
    PAGE_MM,
    QUIET,
    RULE,
    SKY,
    THICK,
    THIN,
    VERMILLION,
    line_height,
    points,
    text_sizes,
    theme,
)
from pasimeta.figures.words import sentence

Array = NDArray[np.float64]
_DIGITS = 9  # equal answers, which rounding alone tells apart, stay in the table's order
_COLUMNS = 160
_GAP = 6.0
_ROW_PADDING = 2.0
_CHOICE_GAP = 3.0


@dataclass(frozen=True, slots=True)
class ChoiceRow:
    """One choice: its column, its heading, and the words for its options, in the order they are drawn."""

    column: str
    heading: str
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Binned:
    """Specifications in ascending order of the estimate, gathered into columns of equal number."""

    estimate: Array
    lower: Array
    upper: Array
    options: dict[tuple[str, str], Array]
    edges: Array


@dataclass(frozen=True, slots=True)
class _Layout:
    width: float
    size: float
    left: float
    labels: tuple[tuple[ChoiceRow, tuple[str, ...], dict[str, tuple[str, ...]]], ...]

    @property
    def plot_width(self) -> float:
        return self.width - MARGIN - self.left

    def row_height(self, lines: Sequence[str]) -> float:
        return text_height(lines, self.size) + _ROW_PADDING


def specification_curve(
    frame: pd.DataFrame,
    choices: Sequence[ChoiceRow],
    *,
    name: str,
    y_label: str,
    reference_lines: Sequence[ReferenceLine] = (),
    title: str | None = None,
    width_mm: float = PAGE_MM,
    footnote: str | None = None,
) -> Plot:
    """Draw estimates and intervals in ascending order of the estimate, over the choices behind them.

    Parameters
    ----------
    frame : DataFrame
        One row a specification: ``estimate``, ``ci_lower``, ``ci_upper`` (proportions; limits beyond 0 and 1 are drawn
        at the edge) and a column a choice.
    choices : sequence of ChoiceRow
        Choices to show, top to bottom.
    name : str
        File stem and prefix of SVG ids.
    y_label : str
        What the vertical axis counts.
    reference_lines : sequence of ReferenceLine
        Horizontal lines, explained below the figure.
    title, footnote : str or None
        Above and below.
    width_mm : float
        85 (one journal column) or 176 (a page).

    Returns
    -------
    Plot
        ``data`` has one row a drawn column: its median estimate and interval ends, and each option's share of it.

    Raises
    ------
    PasimetaError
        For no specification, or a choice that the table lacks.
    """
    check_name(name)
    if frame.empty:
        raise PasimetaError(f"figure {name}: no specification; fit at least one")
    for choice in choices:
        if choice.column not in frame:
            raise PasimetaError(f"figure {name}: the table has no choice {choice.column!r}; leave it out")
    binned = _binned(frame, choices)
    notes = _notes(len(frame), len(binned.estimate), reference_lines, footnote)
    with theme():
        figure = _drawn(binned, choices, reference_lines, (title or "", y_label, notes), width_mm)
    alt = _alt_text(frame, choices, reference_lines, title, y_label)
    return Plot(figure=figure, name=name, alt=alt, data=_data(binned), title=title or y_label)


def _binned(frame: pd.DataFrame, choices: Sequence[ChoiceRow]) -> _Binned:
    told = {name: frame[name].round(_DIGITS) for name in ("estimate", "ci_lower", "ci_upper")}
    ordered = frame.assign(**told).sort_values(["estimate", "ci_lower"], kind="stable")
    count = min(len(ordered), _COLUMNS)
    edges = np.linspace(0, len(ordered), count + 1)
    starts = np.round(edges[:-1]).astype(int)
    column = np.searchsorted(starts, np.arange(len(ordered)), side="right") - 1
    medians = ordered[["estimate", "ci_lower", "ci_upper"]].clip(0, 1).groupby(column).median()
    sizes = np.bincount(column, minlength=count)
    options = {}
    for choice in choices:
        codes, names = pd.factorize(ordered[choice.column])
        number = {str(value): code for code, value in enumerate(names)}
        for option in choice.options:
            options[choice.column, option] = np.bincount(column, codes == number.get(option, -1), count) / sizes
    estimate, lower, upper = (medians[name].to_numpy() for name in ("estimate", "ci_lower", "ci_upper"))
    return _Binned(estimate, lower, upper, options, edges)


def _notes(rows: int, columns: int, lines: Sequence[ReferenceLine], footnote: str | None) -> tuple[str, ...]:
    gathered = (
        "Each column is one specification."
        if rows == columns
        else f"{rows:,} specifications in {columns} columns of equal number: median estimate (line) and median ends of "
        "the intervals (band). Below, where each option's specifications lie, as a share of its own peak."
    )
    return tuple(note for note in (reference_words(lines), gathered, footnote or "") if note)


def _drawn(
    binned: _Binned,
    choices: Sequence[ChoiceRow],
    lines: Sequence[ReferenceLine],
    words: tuple[str, str, tuple[str, ...]],
    width_mm: float,
) -> Figure:
    title_text, y_label_text, notes = words
    layout = _layout(choices, width_mm)
    inner = layout.width - 2 * MARGIN
    title = wrapped(title_text, inner, layout.size, True) if title_text else ()
    y_label = wrapped(y_label_text, inner, layout.size)
    below = [line for note in notes for line in wrapped(note, inner, layout.size)]
    plot_top = MARGIN + text_height(title, layout.size) + text_height(y_label, layout.size) + 2 * _GAP
    plot_height = max(0.30 * layout.width, points(45))
    rows_top = plot_top + plot_height + _GAP
    bottom = rows_top + sum(_choice_height(layout, each) for each in layout.labels)
    page = Page(layout.width, bottom + _GAP + text_height(below, layout.size) + MARGIN)
    page.text(MARGIN, MARGIN, title, size=layout.size, bold=True)
    page.text(MARGIN, MARGIN + text_height(title, layout.size) + _GAP, y_label, size=layout.size)
    _draw_curve(
        page.axes(layout.left, plot_top, layout.plot_width, plot_height), binned, lines, plot_height, layout.size
    )
    _draw_choices(page, binned, layout, rows_top)
    page.text(MARGIN, bottom + _GAP, below, size=layout.size, colour=QUIET)
    return page.figure


def _layout(choices: Sequence[ChoiceRow], width_mm: float) -> _Layout:
    size, width = text_sizes(width_mm)[-1], points(width_mm)
    most = 0.34 * width
    widest = max(
        [text_width("100\u00a0%", size)]
        + [text_width(label, size) for choice in choices for label in choice.options.values()]
        + [text_width(choice.heading, size, True) for choice in choices]
    )
    room = min(most, widest)
    labels = tuple(
        (
            choice,
            wrapped(choice.heading, room, size, True),
            {option: wrapped(label, room, size) for option, label in choice.options.items()},
        )
        for choice in choices
    )
    return _Layout(width, size, MARGIN + room + _GAP, labels)


def _choice_height(layout: _Layout, each: tuple[ChoiceRow, tuple[str, ...], dict[str, tuple[str, ...]]]) -> float:
    _, heading, options = each
    return layout.row_height(heading) + sum(layout.row_height(lines) for lines in options.values()) + _CHOICE_GAP


def _draw_curve(axes: Axes, binned: _Binned, lines: Sequence[ReferenceLine], height: float, size: float) -> None:
    x = binned.edges
    low, high = (np.append(end, end[-1]) for end in (binned.lower, binned.upper))
    axes.fill_between(x, low, high, step="post", color=SKY, alpha=0.45, linewidth=0, zorder=2)
    axes.step(x, np.append(binned.estimate, binned.estimate[-1]), where="post", color=BLUE, linewidth=THICK, zorder=4)
    for i, line in enumerate(lines):
        axes.axhline(line.value, color=VERMILLION, linewidth=MEDIUM, linestyle=DASHES[i % len(DASHES)], zorder=5)
    axes.set_xlim(x[0], x[-1])
    axes.set_xticks([])
    draw_share_axis(axes, height, size)


def _draw_choices(page: Page, binned: _Binned, layout: _Layout, top: float) -> None:
    height = sum(_choice_height(layout, each) for each in layout.labels)
    if not height:
        return
    axes = page.axes(layout.left, top, layout.plot_width, height)
    axes.set(xlim=(binned.edges[0], binned.edges[-1]), ylim=(top + height, top))
    axes.set_axis_off()
    axes.xaxis.set_visible(False)
    axes.yaxis.set_visible(False)
    for choice, heading, options in layout.labels:
        page.text(MARGIN, top, heading, size=layout.size, bold=True)
        top += layout.row_height(heading)
        for option, lines in options.items():
            page.text(MARGIN, top, lines, size=layout.size)
            base = top + line_height(layout.size) - 0.5
            share = binned.options[choice.column, option]
            # against the option's own peak: it shows where its specifications lie, however few they are
            tall = share / (share.max() or 1.0) * (line_height(layout.size) - 1.0)
            _draw_profile(axes, binned.edges, tall, base)
            top += layout.row_height(lines)
        top += _CHOICE_GAP


def _draw_profile(axes: Axes, edges: Array, tall: Array, base: float) -> None:
    upper = base - np.append(tall, tall[-1])
    axes.fill_between(edges, base, upper, step="post", facecolor=INK, linewidth=0, zorder=3)
    axes.plot(edges[[0, -1]], [base, base], color=RULE, linewidth=THIN, zorder=2)


def _data(binned: _Binned) -> pd.DataFrame:
    columns = {"estimate": binned.estimate, "ci_lower": binned.lower, "ci_upper": binned.upper}
    return pd.DataFrame({**columns, **{f"{c}: {o}": share for (c, o), share in binned.options.items()}})


def _alt_text(
    frame: pd.DataFrame, choices: Sequence[ChoiceRow], lines: Sequence[ReferenceLine], title: str | None, y_label: str
) -> str:
    low, median, high = (float(frame["estimate"].quantile(q)) for q in (0, 0.5, 1))
    text = (
        f"Specification curve. {sentence(title)}Vertical axis: {sentence(y_label)}{len(frame):,} specifications: "
        f"estimates from {percent(low)} to {percent(high)}, median {percent(median)}. "
    )
    for line in lines:
        above = float((frame["estimate"] > line.value).mean())
        text += sentence(f"{line.label or percent(line.value)}: {percent(above, 0)} of the estimates lie above it")
    for choice in choices:
        means = frame.groupby(choice.column, observed=True)["estimate"].median()
        listed = "; ".join(
            f"{label} {percent(float(means[option]), 0)}" for option, label in choice.options.items() if option in means
        )
        text += sentence(f"Median estimate by {choice.heading[:1].lower()}{choice.heading[1:]}: {listed}")
    return text.strip()
