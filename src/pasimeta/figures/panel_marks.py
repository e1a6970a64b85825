"""Squares, bars, diamonds and lines of a panel, on axes whose y is in points down the page."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Polygon, Rectangle
from matplotlib.ticker import NullLocator

from pasimeta.figures.panel_types import Axis, Mark, ReferenceLine
from pasimeta.figures.scales import tick_label
from pasimeta.figures.theme import INK, MEDIUM, PREDICTION, RULE, THIN

DASHES = ((0, (4, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), (0, (2, 2)))
DASH_NAMES = ("Dashed", "Dotted", "Dash-dotted", "Short-dashed")

_UNWEIGHTED_SIDE = 5.5
_LARGEST_SIDE = 8.5
_SMALLEST_SIDE = 2.6
_HALF_DIAMOND = 3.8
_HALF_BAR = 2.8


def reference_words(lines: Sequence[ReferenceLine]) -> str:
    """``Dashed line: no effect.``, for each line that has a label, told by the dashes it is drawn with."""
    return " ".join(
        f"{DASH_NAMES[index % len(DASH_NAMES)]} line: {line.label.rstrip('.')}."
        for index, line in enumerate(lines)
        if line.label
    )


def draw_axis(axes: Axes, axis: Axis, ticks: Sequence[float], size: float) -> None:
    """Set limits, scale and ticks; only the bottom line of the frame stays."""
    axes.set_facecolor("none")
    axes.set_xscale("log" if axis.log else "linear")
    axes.set_xlim(axis.limits)
    axes.set_xticks(ticks, [tick_label(tick, axis.scale) for tick in ticks], fontsize=size)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_visible(False)
    axes.spines["left"].set_visible(False)


def draw_references(axes: Axes, axis: Axis, ticks: Sequence[float], stretches: Sequence[tuple[float, float]]) -> None:
    """Draw the faint tick lines, the line of no effect and the reference lines, over the stretches that text leaves."""
    for top, bottom in stretches:
        ends = [top, bottom]
        for tick in ticks if axis.marks.guides else ():
            axes.plot([tick, tick], ends, color=RULE, linewidth=THIN, alpha=0.6, zorder=0)
        if axis.null is not None:
            axes.plot([axis.null] * 2, ends, color=INK, linewidth=MEDIUM, zorder=1)
        for index, line in enumerate(axis.references):
            dashes = DASHES[index % len(DASHES)]
            axes.plot([line.value] * 2, ends, color=INK, linewidth=MEDIUM, linestyle=dashes, zorder=1, clip_on=True)


def draw_mark(axes: Axes, axis: Axis, mark: Mark, y: float, heaviest: float | None) -> None:
    """Draw what one line shows, ``y`` points down the page; ``heaviest`` is the weight of the largest square."""
    if mark.kind == "pooled":
        _draw_diamond(axes, axis, mark, y)
    elif mark.kind == "prediction":
        _draw_prediction(axes, axis, mark, y)
    else:
        _draw_whiskers(axes, axis, mark, y)
        if mark.is_range:
            _draw_bar(axes, axis, mark, y)
        elif _inside(mark.low, axis) == mark.low:
            side = _square_side(mark.weight, heaviest)
            axes.plot(
                [mark.low],
                [y],
                "s",
                color=axis.marks.study,
                markersize=side,
                markeredgewidth=0,
                clip_on=False,
                zorder=4,
            )


def _draw_whiskers(axes: Axes, axis: Axis, mark: Mark, y: float) -> None:
    ends = (_inside(mark.ci_lower, axis), _inside(mark.ci_upper, axis))
    axes.plot(ends, [y, y], color=INK, linewidth=MEDIUM, clip_on=False, zorder=3)
    _draw_arrows(axes, axis, mark, y, INK)


def _draw_bar(axes: Axes, axis: Axis, mark: Mark, y: float) -> None:
    low, high = _inside(mark.low, axis), _inside(mark.high, axis)
    bar = Rectangle((low, y - _HALF_BAR), high - low, 2 * _HALF_BAR, clip_on=False, zorder=4)
    bar.set(facecolor="white", edgecolor=axis.marks.study, linewidth=1.2)
    axes.add_patch(bar)


def _draw_diamond(axes: Axes, axis: Axis, mark: Mark, y: float) -> None:
    low, high = _inside(mark.low, axis), _inside(mark.high, axis)
    left, right = _inside(mark.ci_lower, axis), _inside(mark.ci_upper, axis)
    top, bottom = y - _HALF_DIAMOND, y + _HALF_DIAMOND
    corners = [(left, y), (low, top), (high, top), (right, y), (high, bottom), (low, bottom)]
    axes.add_patch(
        Polygon(corners, facecolor=axis.marks.pooled, edgecolor=INK, linewidth=THIN, clip_on=False, zorder=4)
    )
    _draw_arrows(axes, axis, mark, y, INK)


def _draw_prediction(axes: Axes, axis: Axis, mark: Mark, y: float) -> None:
    ends = (_inside(mark.ci_lower, axis), _inside(mark.ci_upper, axis))
    axes.plot(ends, [y, y], color=PREDICTION, linewidth=1.2, clip_on=False, zorder=3)
    for end, wanted in zip(ends, (mark.ci_lower, mark.ci_upper), strict=True):
        if end == wanted:
            axes.plot([end, end], [y - 2.6, y + 2.6], color=PREDICTION, linewidth=MEDIUM, clip_on=False, zorder=3)
    _draw_arrows(axes, axis, mark, y, PREDICTION)


def _draw_arrows(axes: Axes, axis: Axis, mark: Mark, y: float, colour: str) -> None:
    low, high = axis.limits
    for beyond, end, marker in ((mark.ci_lower < low, low, "<"), (mark.ci_upper > high, high, ">")):
        if beyond:
            axes.plot([end], [y], marker, color=colour, markersize=4, markeredgewidth=0, clip_on=False, zorder=5)


def _square_side(weight: float | None, heaviest: float | None) -> float:
    if weight is None or not heaviest:
        return _UNWEIGHTED_SIDE
    return max(_SMALLEST_SIDE, _LARGEST_SIDE * math.sqrt(weight / heaviest))


def _inside(value: float, axis: Axis) -> float:
    low, high = axis.limits
    return min(max(value, low), high)
