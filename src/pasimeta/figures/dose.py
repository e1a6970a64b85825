"""Study-level dose plot: each study's response over the doses it gave, which may be a range with a single count."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pasimeta.errors import PasimetaError
from pasimeta.figures.chart import MARGIN, RANGE_NOTE, Chart, Look, charted_page, plot_room, series_looks
from pasimeta.figures.chart_axes import draw_number_axis, draw_share_axis
from pasimeta.figures.estimates import Rate
from pasimeta.figures.formats import EN_DASH, estimate_text, interval_heading
from pasimeta.figures.key_table import KeyLine, KeyTable, key_table
from pasimeta.figures.output import Plot, check_name
from pasimeta.figures.page import Align
from pasimeta.figures.scales import axis_share
from pasimeta.figures.theme import MEDIUM, PAGE_MM, THICK, points, theme
from pasimeta.figures.words import sentence

_COLUMN_GAP = 10.0
_APART = 7.0  # least distance in points between two marks' whiskers
_SMALLEST, _LARGEST = 4.0, 8.0
_HALF_BAR, _END_SIZE = 1.6, 4.5
_SIZE_NOTE = "Marker size follows the number of patients."
_SPLIT_NOTE = "Horizontal line: several doses, one count; the split between doses is not reported."
_APART_NOTE = "Marks that share a dose are set side by side."


@dataclass(frozen=True, slots=True)
class DosePoint:
    """A study or arm: the doses it gave and its one response rate.

    Attributes
    ----------
    label : str
        Study or arm.
    dose_low, dose_high : float
        Lowest and highest dose, in the unit of the axis (10⁶ cells/kg); equal for a single dose.
    rate : Rate
        Response.
    note : str
        What the reader must know of it, set in the key.
    """

    label: str
    dose_low: float
    dose_high: float
    rate: Rate
    note: str = ""

    @property
    def dose(self) -> str:
        """``1–3``, or ``1.5``."""
        low, high = f"{self.dose_low:.4g}", f"{self.dose_high:.4g}"
        return low if self.dose_low == self.dose_high else f"{low}{EN_DASH}{high}"


@dataclass(frozen=True, slots=True)
class _DoseAxis:
    limits: tuple[float, float]
    log: bool

    def place(self, value: float, width: float) -> float:
        return axis_share(value, self.limits, log=self.log) * width

    def dose_at(self, place: float, width: float) -> float:
        low, high = self.limits
        share = place / width
        return low * (high / low) ** share if self.log else low + share * (high - low)


def dose_response(
    studies: Sequence[DosePoint],
    *,
    name: str,
    dose_label: str,
    response_label: str,
    x_scale: Literal["log", "linear"] = "log",
    title: str | None = None,
    width_mm: float = PAGE_MM,
    footnote: str | None = None,
    level: float = 0.95,
) -> Plot:
    """Draw response against dose, one mark a study or arm; no curve, for studies are not doses.

    Parameters
    ----------
    studies : sequence of DosePoint
        One a study, or one an arm where arms are reported.
    name : str
        File stem and prefix of SVG ids.
    dose_label, response_label : str
        What the axes count, with units.
    x_scale : str
        ``log`` or ``linear``.
    title, footnote : str or None
        Above and below.
    width_mm : float
        85 (one journal column) or 176 (a page).
    level : float
        Level of the intervals, for the heading of the key.

    Returns
    -------
    Plot
        ``data`` has one row a study.

    Raises
    ------
    PasimetaError
        For no studies, or a dose that isn't positive or not in order.
    """
    check_name(name)
    _refuse(name, studies, x_scale)
    with theme():
        headers = ("Study", "Dose", "n/N", interval_heading("Response", level))
        words = (dose_label, response_label, title or "")
        figure = _drawn(studies, headers, words, x_scale == "log", footnote, width_mm)
    alt = _alt_text(studies, dose_label, response_label, title)
    return Plot(figure=figure, name=name, alt=alt, data=_frame(studies), title=title or response_label)


def _refuse(name: str, studies: Sequence[DosePoint], x_scale: str) -> None:
    if x_scale not in ("log", "linear"):
        raise PasimetaError(f"figure {name}: x_scale {x_scale!r} is neither log nor linear")
    if not studies:
        raise PasimetaError(f"figure {name}: no studies; give at least one")
    for each in studies:
        if not 0 < each.dose_low <= each.dose_high < math.inf:
            raise PasimetaError(
                f"figure {name}: doses {each.dose_low:g} to {each.dose_high:g} of {each.label!r} are not positive and "
                "in order; leave the study out where its dose is not reported"
            )


def _drawn(
    studies: Sequence[DosePoint],
    headers: Sequence[str],
    words: tuple[str, str, str],
    log: bool,
    footnote: str | None,
    width_mm: float,
) -> Figure:
    looks = series_looks(len(studies))
    lines = [study_line(each, look) for each, look in zip(studies, looks, strict=True)]
    chart = _chart(key_table(headers, lines, [True, False, False, False], width_mm, _COLUMN_GAP), words, width_mm)
    axis = _DoseAxis(_dose_limits(studies, log), log)
    places = _mark_places(studies, axis, chart.plot_width)
    notes = _notes(studies, axis, places, chart.plot_width, footnote)
    page, axes = charted_page(replace(chart, notes=tuple(notes)))
    draw_number_axis(axes, axis.limits, "plain", chart.plot_width, chart.size, log=log)
    draw_share_axis(axes, chart.plot_height, chart.size)
    most = max(each.rate.n for each in studies)
    for each, look, place in zip(studies, looks, places, strict=True):
        _draw_study(axes, each, look, axis.dose_at(place, chart.plot_width), most)
        if each.rate.low < each.rate.high:
            _draw_bar(axes, each.rate, look, axis, place, chart.plot_width)
    return page.figure


def study_line(each: DosePoint, look: Look) -> KeyLine:
    """Return a study's line of the key: label, dose, count and rate."""
    return KeyLine(look, (each.label, each.dose, each.rate.count, estimate_text(each.rate, "percent")), each.note)


def _chart(table: KeyTable, words: tuple[str, str, str], width_mm: float) -> Chart:
    width, size = points(width_mm), table.size
    dose_label, response_label, title = words
    left = MARGIN + 4.6 * size
    anchors: list[tuple[float, Align]] = [(x, "left") for x in table.lefts]
    anchors[2] = (table.lefts[2] + table.widths[2], "right")
    return Chart(
        width=width,
        size=size,
        plot_left=left,
        plot_width=plot_room(width, left, size),
        plot_height=max(0.36 * width, points(45)),
        title=title,
        y_label=response_label,
        x_label=dose_label,
        key=table.rows,
        anchors=tuple(anchors),
        notes=(),
    )


def _dose_limits(studies: Sequence[DosePoint], log: bool) -> tuple[float, float]:
    low, high = min(each.dose_low for each in studies), max(each.dose_high for each in studies)
    if log:
        margin = max(1.25, (high / low) ** 0.08)
        return low / margin, high * margin
    return 0.0, 1.08 * high


def _mark_places(studies: Sequence[DosePoint], axis: _DoseAxis, width: float) -> list[float]:
    """Points from the left of the axes where each mark stands: its dose, or beside a mark that already stands there."""
    middles = [(axis.place(each.dose_low, width) + axis.place(each.dose_high, width)) / 2 for each in studies]
    order = sorted(range(len(middles)), key=lambda index: middles[index])
    places = [0.0] * len(middles)
    for cluster in _clusters(order, middles):
        apart = min(_APART, width / (len(cluster) + 1))
        centre = sum(middles[index] for index in cluster) / len(cluster)
        half = (len(cluster) - 1) * apart / 2
        centre = min(max(centre, half + 3.0), width - half - 3.0)
        for rank, index in enumerate(cluster):
            places[index] = centre - half + rank * apart if len(cluster) > 1 else middles[index]
    return places


def _clusters(order: Sequence[int], middles: Sequence[float]) -> list[list[int]]:
    """Marks that would overlap, grouped; a group widens as it is spread, so neighbours it reaches join it."""
    clusters = [[index] for index in order]
    merged = True
    while merged:
        merged = False
        for first, second in pairwise(clusters):
            reach = _APART * (len(first) + len(second)) / 2
            if _mean(second, middles) - _mean(first, middles) < reach - 1e-9:
                first.extend(second)
                clusters.remove(second)
                merged = True
                break
    return clusters


def _mean(cluster: Sequence[int], middles: Sequence[float]) -> float:
    return sum(middles[index] for index in cluster) / len(cluster)


def _notes(
    studies: Sequence[DosePoint], axis: _DoseAxis, places: Sequence[float], width: float, footnote: str | None
) -> list[str]:
    middles = [(axis.place(each.dose_low, width) + axis.place(each.dose_high, width)) / 2 for each in studies]
    moved = any(abs(place - middle) > 0.5 for place, middle in zip(places, middles, strict=True))
    spread = any(each.dose_low < each.dose_high for each in studies)
    ranges = any(each.rate.low < each.rate.high for each in studies)
    given = ((True, _SIZE_NOTE), (spread, _SPLIT_NOTE), (ranges, RANGE_NOTE), (moved, _APART_NOTE))
    return [*(note for shown, note in given if shown), *([footnote] if footnote else [])]


def _draw_study(axes: Axes, each: DosePoint, look: Look, dose: float, most: int) -> None:
    rate = each.rate
    style: dict[str, Any] = {"color": look.colour, "clip_on": False}
    middle = (rate.low + rate.high) / 2
    axes.plot([dose, dose], [rate.ci_lower, rate.ci_upper], linewidth=MEDIUM, zorder=3, **style)
    if each.dose_low < each.dose_high:
        axes.plot([each.dose_low, each.dose_high], [middle, middle], linewidth=THICK, zorder=2, **style)
        axes.plot([each.dose_low, each.dose_high], [middle, middle], "|", markersize=6, zorder=2, **style)
    if rate.low == rate.high:
        side = max(_SMALLEST, _LARGEST * math.sqrt(rate.n / most))
        axes.plot([dose], [middle], linestyle="none", markersize=side, clip_on=False, zorder=4, **look.style)


def _draw_bar(axes: Axes, rate: Rate, look: Look, axis: _DoseAxis, place: float, width: float) -> None:
    left, right = axis.dose_at(place - _HALF_BAR, width), axis.dose_at(place + _HALF_BAR, width)
    bar = Rectangle((left, rate.low), right - left, rate.high - rate.low, clip_on=False, zorder=4)
    bar.set(facecolor="white", edgecolor=look.colour, linewidth=1.0)
    axes.add_patch(bar)
    dose, style = axis.dose_at(place, width), replace(look, filled=False).style
    axes.plot(
        [dose] * 2, [rate.low, rate.high], linestyle="none", markersize=_END_SIZE, clip_on=False, zorder=5, **style
    )


def _frame(studies: Sequence[DosePoint]) -> pd.DataFrame:
    fields = ("events_lower", "events_upper", "n", "low", "high", "ci_lower", "ci_upper")
    return pd.DataFrame(
        [
            {
                "label": each.label,
                "dose_low": each.dose_low,
                "dose_high": each.dose_high,
                **{key: getattr(each.rate, key) for key in fields},
                "note": each.note,
            }
            for each in studies
        ]
    )


def _alt_text(studies: Sequence[DosePoint], dose_label: str, response_label: str, title: str | None) -> str:
    text = f"Dose plot. {sentence(title)}{sentence(f'Vertical axis: {response_label}; horizontal axis: {dose_label}')}"
    for each in studies:
        note = f" ({each.note.rstrip('.')})" if each.note else ""
        text += sentence(
            f"{each.label}: dose {each.dose}, {each.rate.count}, {estimate_text(each.rate, 'percent')}{note}"
        )
    return text.strip()
