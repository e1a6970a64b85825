"""Numeric axes of a chart: their limits, and round ticks whose labels have room."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from pasimeta.figures.formats import Scale
from pasimeta.figures.scales import tick_label, tick_positions
from pasimeta.figures.theme import RULE, THIN


def draw_number_axis(
    axes: Axes, limits: tuple[float, float], scale: Scale, width: float, size: float, *, log: bool = False
) -> None:
    """Set the horizontal axis, ``width`` points long, with labels of type size ``size``."""
    axes.set_xscale("log" if log else "linear")
    axes.set_xlim(limits)
    ticks = tick_positions(limits, scale, width, size, log=log)
    axes.set_xticks(ticks, [tick_label(tick, scale) for tick in ticks], fontsize=size)
    axes.xaxis.set_minor_locator(NullLocator())


def draw_share_axis(axes: Axes, height: float, size: float, top: float = 1.0) -> None:
    """Run the vertical axis, ``height`` points long, from 0 % to a proportion, with faint lines across."""
    axes.set_ylim(0, top)
    ticks = tick_positions((0.0, top), "percent", height, size)
    axes.set_yticks(ticks, [tick_label(tick, "percent") for tick in ticks], fontsize=size)
    axes.grid(axis="y", color=RULE, linewidth=THIN, alpha=0.6)
