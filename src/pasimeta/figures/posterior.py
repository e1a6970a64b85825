"""Posterior densities of one quantity under several priors, with their medians and intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from pasimeta.errors import PasimetaError
from pasimeta.figures.chart import Chart, Look, series_looks
from pasimeta.figures.chart_axes import draw_number_axis
from pasimeta.figures.formats import NO_BREAK_SPACE, Scale, interval_heading, interval_text, percent, scaled
from pasimeta.figures.key_table import KeyLine
from pasimeta.figures.keyed import Words, keyed_page
from pasimeta.figures.output import Plot, check_name
from pasimeta.figures.scales import axis_limits
from pasimeta.figures.theme import MEDIUM, PAGE_MM, QUIET, THICK, THIN, theme
from pasimeta.figures.words import sentence

_DASHES = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)))


@dataclass(frozen=True, slots=True)
class PosteriorCurve:
    """One posterior.

    Attributes
    ----------
    label, prior : str
        The prior's name, and what it is.
    x, density : ndarray
        The curve.
    median, lower, upper : float
        Of the quantity on the axis.
    probability : float
        That it is above ``reference``.
    """

    label: str
    prior: str
    x: NDArray[np.float64]
    density: NDArray[np.float64]
    median: float
    lower: float
    upper: float
    probability: float


def posterior_densities(
    curves: Sequence[PosteriorCurve],
    *,
    name: str,
    axis_label: str,
    above: str,
    scale: Scale = "difference",
    reference: float = 0.0,
    title: str | None = None,
    width_mm: float = PAGE_MM,
    footnote: str | None = None,
    level: float = 0.95,
) -> Plot:
    """Draw posteriors over one another, each with a marker at its median.

    Parameters
    ----------
    curves : sequence of PosteriorCurve
    name : str
        File stem and prefix of SVG ids.
    axis_label : str
        What the axis counts.
    above : str
        Heading of the probability column, ``P(women better)``.
    scale : str
        As in :func:`pasimeta.figures.forest.forest`.
    reference : float
        Value marked by a vertical line.
    title, footnote : str or None
    width_mm : float
        85 or 176.
    level : float
        Of the intervals, for the heading.

    Returns
    -------
    Plot
        ``data`` has one row a curve.

    Raises
    ------
    PasimetaError
        For no curves, or a curve whose arrays differ in length.
    """
    check_name(name)
    if not curves:
        raise PasimetaError(f"figure {name}: no curves; give at least one")
    for curve in curves:
        if curve.x.shape != curve.density.shape:
            raise PasimetaError(
                f"figure {name}: {curve.label!r} has {curve.x.size} places, {curve.density.size} densities"
            )
    headers = ("Prior", interval_heading("Median", level).replace("CI", "interval"), above)
    words = Words(title or "", axis_label, "Posterior density", (footnote,) if footnote else ())
    with theme():
        page, axes, chart = keyed_page(_key(curves, scale), headers, words, width_mm, left_ems=2.2)
        _draw_axes(axes, chart, curves, scale, reference)
        for index, (curve, look) in enumerate(zip(curves, series_looks(len(curves)), strict=True)):
            _draw_curve(axes, curve, look, _DASHES[index % len(_DASHES)])
    alt = _alt(curves, axis_label, above, scale, title)
    return Plot(figure=page.figure, name=name, alt=alt, data=_frame(curves), title=title or axis_label)


def _draw_axes(axes: Axes, chart: Chart, curves: Sequence[PosteriorCurve], scale: Scale, reference: float) -> None:
    limits = axis_limits(_reach(curves), (reference,), scale)
    draw_number_axis(axes, limits, scale, chart.plot_width, chart.size)
    axes.set_ylim(0, 1.06 * max(float(c.density.max()) for c in curves))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.axvline(reference, color=QUIET, linewidth=THIN, zorder=1)


def _draw_curve(axes: Axes, curve: PosteriorCurve, look: Look, dashes: Any) -> None:
    axes.plot(curve.x, curve.density, color=look.colour, linewidth=THICK, linestyle=dashes, zorder=3)
    inside = (curve.x >= curve.lower) & (curve.x <= curve.upper)
    axes.fill_between(curve.x[inside], curve.density[inside], color=look.colour, alpha=0.10, linewidth=0, zorder=2)
    height = float(np.interp(curve.median, curve.x, curve.density))
    axes.plot([curve.median] * 2, [0, height], color=look.colour, linewidth=MEDIUM, zorder=3)
    axes.plot([curve.median], [height], linestyle="none", markersize=5.5, zorder=4, **look.style)


def _reach(curves: Sequence[PosteriorCurve]) -> list[float]:
    ends = []
    for curve in curves:
        visible = curve.x[curve.density > 0.01 * curve.density.max()]
        ends += [float(visible.min()), float(visible.max())]
    return ends


def _key(curves: Sequence[PosteriorCurve], scale: Scale) -> list[KeyLine]:
    looks = series_looks(len(curves))
    return [
        KeyLine(look, (c.label, _interval(c, scale), percent(c.probability, 1)), c.prior)
        for c, look in zip(curves, looks, strict=True)
    ]


def _interval(curve: PosteriorCurve, scale: Scale) -> str:
    return f"{scaled(curve.median, scale)} ({interval_text(curve.lower, curve.upper, scale)})"


def _frame(curves: Sequence[PosteriorCurve]) -> pd.DataFrame:
    fields = ("label", "prior", "median", "lower", "upper", "probability")
    return pd.DataFrame([{field: getattr(curve, field) for field in fields} for curve in curves])


def _alt(curves: Sequence[PosteriorCurve], axis_label: str, above: str, scale: Scale, title: str | None) -> str:
    text = f"Posterior densities. {sentence(title)}{sentence(f'Horizontal axis: {axis_label}')}"
    for curve in curves:
        shown = f"{curve.label}: {_interval(curve, scale)}, {above} {percent(curve.probability, 1)}"
        text += sentence(shown.replace(NO_BREAK_SPACE, " "))
    return text.strip()
