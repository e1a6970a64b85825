"""Dose-response: arms or studies as bubbles with their intervals, fitted curves with bands, and detectable slopes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from pasimeta.errors import PasimetaError
from pasimeta.figures.chart import Chart, Look, series_looks
from pasimeta.figures.chart_axes import draw_number_axis, draw_share_axis
from pasimeta.figures.dose import DosePoint, study_line
from pasimeta.figures.formats import estimate_text, interval_heading
from pasimeta.figures.key_table import KeyLine
from pasimeta.figures.keyed import Words, keyed_page
from pasimeta.figures.output import Plot, check_name
from pasimeta.figures.theme import BLACK, GREEN, MEDIUM, ORANGE, PAGE_MM, PURPLE, QUIET, THICK, THIN, theme
from pasimeta.figures.words import sentence

# short enough that the key's sample of a line shows the pattern twice
_DASHES: tuple[Any, ...] = ("-", (0, (2.2, 1)), (0, (0.8, 0.8)), (0, (2.2, 0.8, 0.8, 0.8)), (0, (1.2, 1.6)))
_OUTLINE: Any = (0, (2.5, 1.5))
_HATCH = "////"
_BAND_COLOURS = (BLACK, GREEN, PURPLE, ORANGE, QUIET)
_SMALLEST, _LARGEST = 4.5, 11.0


@dataclass(frozen=True, slots=True)
class CurveBand:
    """A curve with its band, a curve alone, or a band alone.

    Attributes
    ----------
    label : str
    dose, lower, upper : ndarray
        The band, as proportions.
    curve : ndarray
        The curve in it; empty for a band alone.
    note : str
        Set quietly below its row in the key.
    style : {"filled", "line", "hatched", "outlined"}
        Filled: fitted; line: fitted, its band left out. Hatched or outlined: what could be, not what was fitted.
    """

    label: str
    dose: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    curve: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    note: str = ""
    style: Literal["filled", "line", "hatched", "outlined"] = "filled"


def dose_curves(
    studies: Sequence[DosePoint],
    bands: Sequence[CurveBand] = (),
    *,
    name: str,
    dose_label: str,
    response_label: str,
    title: str | None = None,
    width_mm: float = PAGE_MM,
    footnote: str | None = None,
    level: float = 0.95,
) -> Plot:
    """Draw responses as bubbles over dose, under curves and bands.

    Parameters
    ----------
    studies : sequence of DosePoint
        One an arm where responders by arm are known, else one a study over the doses it gave.
    bands : sequence of CurveBand
        Fitted curves with their bands; a detectable-slope or an allocation band, hatched.
    name : str
        File stem and prefix of SVG ids.
    dose_label, response_label : str
        What the axes count, with units.
    title, footnote : str or None
    width_mm : float
        85 or 176.
    level : float
        Of the intervals, for the heading of the key.

    Returns
    -------
    Plot
        ``data`` has one row a bubble.

    Raises
    ------
    PasimetaError
        For no bubbles, or a band whose arrays differ in length.
    """
    check_name(name)
    _refuse(name, studies, bands)
    looks = series_looks(len(studies))
    headers = ("Study", "Dose", "n/N", interval_heading("Response", level))
    lines = [study_line(each, look) for each, look in zip(studies, looks, strict=True)]
    lines += [KeyLine(_band_look(i, b), (b.label, _dose_range(b), "", ""), b.note) for i, b in enumerate(bands)]
    notes = ["Bubble area follows the number of patients.", *([footnote] if footnote else [])]
    words = Words(title or "", dose_label, response_label, tuple(notes))
    with theme():
        page, axes, chart = keyed_page(lines, headers, words, width_mm, height=0.38)
        _draw_axes(axes, chart, studies, bands)
        for index, band in enumerate(bands):
            _draw_band(axes, band, index)
        most = max(each.rate.n for each in studies)
        for each, look in zip(studies, looks, strict=True):
            _draw_bubble(axes, each, look, most)
    return Plot(
        figure=page.figure,
        name=name,
        alt=_alt(studies, bands, dose_label, response_label, title),
        data=_frame(studies),
        title=title or response_label,
    )


def _refuse(name: str, studies: Sequence[DosePoint], bands: Sequence[CurveBand]) -> None:
    if not studies:
        raise PasimetaError(f"figure {name}: no studies; give at least one")
    for band in bands:
        if not len(band.dose) == len(band.lower) == len(band.upper) or len(band.curve) not in (0, len(band.dose)):
            raise PasimetaError(f"figure {name}: the arrays of {band.label!r} differ in length")


def _band_look(index: int, band: CurveBand) -> Look:
    colour = _BAND_COLOURS[index % len(_BAND_COLOURS)]
    if band.style == "outlined":
        return Look("_", colour, line=_OUTLINE)
    if band.style == "hatched":
        return Look("s", colour, hatch=_HATCH)
    return Look("_", colour, line=_DASHES[index % len(_DASHES)])


def _dose_range(band: CurveBand) -> str:
    return f"{band.dose.min():.4g}\u2013{band.dose.max():.4g}"


def _draw_axes(axes: Axes, chart: Chart, studies: Sequence[DosePoint], bands: Sequence[CurveBand]) -> None:
    highest = max([*(each.dose_high for each in studies), *(float(band.dose.max()) for band in bands)])
    draw_number_axis(axes, (0.0, 1.08 * highest), "plain", chart.plot_width, chart.size)
    draw_share_axis(axes, chart.plot_height, chart.size)


def _draw_band(axes: Axes, band: CurveBand, index: int) -> None:
    colour = _BAND_COLOURS[index % len(_BAND_COLOURS)]
    if band.style == "hatched":
        axes.fill_between(
            band.dose,
            band.lower,
            band.upper,
            facecolor="none",
            edgecolor=colour,
            hatch=_HATCH,
            linewidth=THIN,
            zorder=1,
        )
    elif band.style == "outlined":
        for edge in (band.lower, band.upper):
            axes.plot(band.dose, edge, color=colour, linewidth=THICK, linestyle=_OUTLINE, zorder=2)
    elif band.style == "filled":
        axes.fill_between(band.dose, band.lower, band.upper, color=colour, alpha=0.12, linewidth=0, zorder=1)
    if len(band.curve):
        width = THICK if band.style == "filled" else MEDIUM
        dashes = _DASHES[index % len(_DASHES)]
        axes.plot(band.dose, band.curve, color=colour, linewidth=width, linestyle=dashes, zorder=2)


def _draw_bubble(axes: Axes, each: DosePoint, look: Look, most: int) -> None:
    rate, middle = each.rate, (each.dose_low + each.dose_high) / 2
    height = (rate.low + rate.high) / 2
    axes.plot([middle] * 2, [rate.ci_lower, rate.ci_upper], color=look.colour, linewidth=MEDIUM, zorder=3)
    if each.dose_low < each.dose_high:
        axes.plot([each.dose_low, each.dose_high], [height] * 2, color=look.colour, linewidth=THICK, zorder=3)
        axes.plot([each.dose_low, each.dose_high], [height] * 2, "|", color=look.colour, markersize=6, zorder=3)
    if rate.low < rate.high:
        axes.plot([middle] * 2, [rate.low, rate.high], color=look.colour, linewidth=3.2, alpha=0.5, zorder=3)
    side = max(_SMALLEST, _LARGEST * math.sqrt(rate.n / most))
    axes.plot([middle], [height], linestyle="none", markersize=side, clip_on=False, zorder=4, **look.style)


def _frame(studies: Sequence[DosePoint]) -> pd.DataFrame:
    fields = ("events_lower", "events_upper", "n", "low", "high", "ci_lower", "ci_upper")
    return pd.DataFrame(
        [
            {
                "label": s.label,
                "dose_low": s.dose_low,
                "dose_high": s.dose_high,
                **{f: getattr(s.rate, f) for f in fields},
            }
            for s in studies
        ]
    )


def _alt(
    studies: Sequence[DosePoint], bands: Sequence[CurveBand], dose_label: str, response_label: str, title: str | None
) -> str:
    text = f"Dose-response plot. {sentence(title)}"
    text += sentence(f"Vertical axis: {response_label}; horizontal axis: {dose_label}")
    for each in studies:
        text += sentence(f"{each.label}: dose {each.dose}, {each.rate.count}, {estimate_text(each.rate, 'percent')}")
    for band in bands:
        lower, upper = (band.curve, band.curve) if band.style == "line" else (band.lower, band.upper)
        first, last = (_span(float(lower[end]), float(upper[end])) for end in (0, -1))
        text += sentence(f"{band.label}: {first} at dose {band.dose[0]:.4g}, {last} at dose {band.dose[-1]:.4g}")
    return text.strip()


def _span(lower: float, upper: float) -> str:
    return f"{100 * lower:.0f} %" if lower == upper else f"{100 * lower:.0f} to {100 * upper:.0f} %"
