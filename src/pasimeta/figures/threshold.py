"""Response by PASI threshold: each study's rates at 40, 50, 75 and 90, with their counts in a table below."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pasimeta.errors import PasimetaError
from pasimeta.figures.chart import (
    MARGIN,
    MARKER_ROOM,
    MARKER_SIZE,
    RANGE_NOTE,
    TICK_ZONE,
    Chart,
    KeyRow,
    Look,
    charted_page,
    context_looks,
    series_looks,
)
from pasimeta.figures.chart_axes import draw_share_axis
from pasimeta.figures.estimates import Rate
from pasimeta.figures.formats import estimate_text, percent, point_text
from pasimeta.figures.measure import LONGEST_WORD_EMS, longest_word, text_width, wrapped
from pasimeta.figures.output import Plot, check_name
from pasimeta.figures.page import Align
from pasimeta.figures.theme import MEDIUM, PAGE_MM, THIN, points, text_sizes, theme
from pasimeta.figures.words import sentence

_GAP = 6.0
_HALF_BAR = 0.02  # of a threshold's slot
_CONTEXT_HEADING = "Other trials, unadjusted"


@dataclass(frozen=True, slots=True)
class ThresholdSeries:
    """One study's rates by PASI threshold, ``{50: Rate(...), 75: Rate(...)}``."""

    label: str
    rates: Mapping[int, Rate]


@dataclass(frozen=True, slots=True)
class ContextSeries:
    """Rates of another treatment in other trials, for orientation only: proportions by threshold."""

    label: str
    rates: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class _Layout:
    width: float
    size: float
    left: float  # of the plot area
    slot: float
    thresholds: tuple[int, ...]
    with_percent: bool

    def centre(self, threshold: int) -> float:
        return self.left + (self.thresholds.index(threshold) + 0.5) * self.slot


def response_by_threshold(
    series: Sequence[ThresholdSeries],
    *,
    name: str,
    context: Sequence[ContextSeries] = (),
    axis_label: str = "Patients reaching the threshold",
    title: str | None = None,
    width_mm: float = PAGE_MM,
    footnote: str | None = None,
) -> Plot:
    """Draw each study's response rates over the PASI thresholds.

    Thin steps join a study's rates: whoever reaches a threshold has reached every lower one, so the truth between two
    thresholds lies between their rates.

    Parameters
    ----------
    series : sequence of ThresholdSeries
        One a study.
    name : str
        File stem and prefix of SVG ids.
    context : sequence of ContextSeries
        Comparators from other trials; drawn and labelled as unadjusted.
    axis_label : str
        What the vertical axis counts.
    title, footnote : str or None
        Above and below.
    width_mm : float
        85 (one journal column) or 176 (a page).

    Returns
    -------
    Plot
        ``data`` has one row a study and threshold, and one a context rate.

    Raises
    ------
    PasimetaError
        For no rates at all, a threshold beyond 0 to 100, a context rate beyond 0 to 1, or counts that rise with the
        threshold.
    """
    check_name(name)
    _refuse(name, series, context)
    with theme():
        figure = _drawn(series, context, axis_label, title, footnote, width_mm)
    return Plot(
        figure=figure,
        name=name,
        alt=_alt_text(series, context, axis_label, title),
        data=_frame(series, context),
        title=title or axis_label,
    )


def _all_rates(series: Sequence[ThresholdSeries], context: Sequence[ContextSeries]) -> list[Mapping[int, Any]]:
    return [*(each.rates for each in series), *(each.rates for each in context)]


def _refuse(name: str, series: Sequence[ThresholdSeries], context: Sequence[ContextSeries]) -> None:
    if not any(each.rates for each in series):
        raise PasimetaError(f"figure {name}: no study has a rate at any threshold; give at least one")
    for threshold in [t for rates in _all_rates(series, context) for t in rates]:
        if not 0 < threshold <= 100:
            raise PasimetaError(f"figure {name}: threshold {threshold} is not a PASI percentage above 0, at most 100")
    for label, rate in ((other.label, rate) for other in context for rate in other.rates.values()):
        if not 0 <= rate <= 1:
            raise PasimetaError(f"figure {name}: rate {rate:g} of {label!r} is not a proportion; divide by 100")
    for each in series:
        ordered = sorted(each.rates.items())
        for (low, first), (high, second) in pairwise(ordered):
            if first.n == second.n and second.events_lower > first.events_upper:
                raise PasimetaError(
                    f"figure {name}: {each.label} has {second.count} at PASI{high} but {first.count} at PASI{low}; "
                    "responders can't rise with the threshold, correct one count"
                )


def _drawn(
    series: Sequence[ThresholdSeries],
    context: Sequence[ContextSeries],
    axis_label: str,
    title: str | None,
    footnote: str | None,
    width_mm: float,
) -> Figure:
    layout = _fitted_layout(series, context, width_mm)
    looks, other_looks = series_looks(len(series)), context_looks(len(context))
    anchors: list[tuple[float, Align]] = [(MARGIN + MARKER_ROOM, "left")]
    anchors += [(layout.centre(threshold), "center") for threshold in layout.thresholds]
    chart = Chart(
        width=layout.width,
        size=layout.size,
        plot_left=layout.left,
        plot_width=layout.slot * len(layout.thresholds),
        plot_height=max(0.36 * layout.width, points(42)),
        title=title or "",
        y_label=axis_label,
        x_label="",
        key=tuple(_key_rows(series, context, looks, other_looks, layout)),
        anchors=tuple(anchors),
        notes=tuple(_notes(series, footnote)),
    )
    page, axes = charted_page(chart)
    _draw_axes(axes, layout, chart.plot_height)
    _draw_series(axes, series, context, looks, other_looks)
    return page.figure


def _fitted_layout(series: Sequence[ThresholdSeries], context: Sequence[ContextSeries], width_mm: float) -> _Layout:
    width = points(width_mm)
    thresholds = tuple(sorted({t for rates in _all_rates(series, context) for t in rates}))
    labels = [*(each.label for each in series), *(other.label for other in context)]
    # A narrow figure leaves the percentages to the axis before it makes the type smaller.
    for with_percent, size in [(choice, size) for choice in (True, False) for size in text_sizes(width_mm)]:
        most = max(0.26 * width - MARKER_ROOM, text_width("100\u00a0%", size))
        whole = max(text_width(label, size) for label in labels)
        word = min(max(longest_word(label, size) for label in labels), LONGEST_WORD_EMS * size)
        left = MARGIN + MARKER_ROOM + max(min(most, whole), word) + _GAP
        slot = (width - MARGIN - left) / len(thresholds)
        words = [f"PASI{threshold}" for threshold in thresholds]
        words += [text for each in series for rate in each.rates.values() for text in _cell_pieces(rate, with_percent)]
        if max(text_width(word, size) for word in words) + 4.0 <= slot:
            return _Layout(width, size, left, slot, thresholds, with_percent)
    raise PasimetaError(
        f"a figure {width_mm:g} mm wide has no room for {len(thresholds)} thresholds; draw fewer, or 176 mm wide"
    )


def _cell_pieces(rate: Rate, with_percent: bool) -> tuple[str, ...]:
    return (rate.count, f"({point_text(rate, 'percent', 0)})") if with_percent else (rate.count,)


def _key_rows(
    series: Sequence[ThresholdSeries],
    context: Sequence[ContextSeries],
    looks: Sequence[Look],
    other_looks: Sequence[Look],
    layout: _Layout,
) -> list[KeyRow]:
    label_width = layout.left - _GAP - MARGIN - MARKER_ROOM
    rows = []
    for each, look in zip(series, looks, strict=True):
        cells = [_rate_cell(each.rates.get(threshold), layout) for threshold in layout.thresholds]
        rows.append(KeyRow(look, (wrapped(each.label, label_width, layout.size), *cells)))
    if context:
        empty: tuple[tuple[str, ...], ...] = ((),) * (len(layout.thresholds) + 1)
        heading = wrapped(_CONTEXT_HEADING, layout.width - 2 * MARGIN - MARKER_ROOM, layout.size)
        rows.append(KeyRow(None, empty, heading, quiet=True))
    for other, look in zip(context, other_looks, strict=True):
        values = [(percent(other.rates[t]),) if t in other.rates else () for t in layout.thresholds]
        rows.append(KeyRow(look, (wrapped(other.label, label_width, layout.size), *values), quiet=True))
    return rows


def _rate_cell(rate: Rate | None, layout: _Layout) -> tuple[str, ...]:
    if rate is None:
        return ("\u2013",)
    return wrapped(" ".join(_cell_pieces(rate, layout.with_percent)), layout.slot - 4.0, layout.size)


def _notes(series: Sequence[ThresholdSeries], footnote: str | None) -> list[str]:
    ranges = any(rate.low < rate.high for each in series for rate in each.rates.values())
    return [*([RANGE_NOTE] if ranges else []), *([footnote] if footnote else [])]


def _draw_axes(axes: Axes, layout: _Layout, height: float) -> None:
    draw_share_axis(axes, height, layout.size)
    axes.set_xlim(-0.5, len(layout.thresholds) - 0.5)
    names = [f"PASI{threshold}" for threshold in layout.thresholds]
    axes.set_xticks(range(len(names)), names, fontsize=layout.size)
    axes.tick_params(axis="x", length=0, pad=TICK_ZONE - 2.0)


def _draw_series(
    axes: Axes,
    series: Sequence[ThresholdSeries],
    context: Sequence[ContextSeries],
    looks: Sequence[Look],
    other_looks: Sequence[Look],
) -> None:
    places = _places([rates.keys() for rates in _all_rates(series, context)])
    for each, look, xs in zip(series, looks, places, strict=False):
        _draw_steps(axes, each, xs, look)
        for threshold, x in xs.items():
            _draw_rate(axes, each.rates[threshold], x, look)
    for other, look, xs in zip(context, other_looks, places[len(series) :], strict=True):
        points_at = [(x, other.rates[threshold]) for threshold, x in xs.items()]
        axes.plot(*zip(*points_at, strict=True), ls="none", ms=MARKER_SIZE, clip_on=False, zorder=4, **look.style)


def _places(drawn: Sequence[Collection[int]]) -> list[dict[int, float]]:
    """Where each series stands at each of its thresholds: side by side about the middle of the threshold's slot."""
    thresholds = sorted({threshold for each in drawn for threshold in each})
    places: list[dict[int, float]] = [{} for _ in drawn]
    for slot, threshold in enumerate(thresholds):
        present = [index for index, each in enumerate(drawn) if threshold in each]
        step = min(0.2, 0.8 / len(present))
        for rank, index in enumerate(present):
            places[index][threshold] = slot + (rank - (len(present) - 1) / 2) * step
    return places


def _draw_steps(axes: Axes, each: ThresholdSeries, places: Mapping[int, float], look: Look) -> None:
    ordered = sorted(places)
    xs = [places[threshold] for threshold in ordered]
    style: dict[str, Any] = {"color": look.colour, "linewidth": THIN, "alpha": 0.7, "zorder": 2}
    axes.step(xs, [each.rates[t].low for t in ordered], where="mid", **style)
    if any(each.rates[t].low < each.rates[t].high for t in ordered):
        axes.step(xs, [each.rates[t].high for t in ordered], where="mid", **style)


def _draw_rate(axes: Axes, rate: Rate, x: float, look: Look) -> None:
    axes.plot([x, x], [rate.ci_lower, rate.ci_upper], color=look.colour, linewidth=MEDIUM, clip_on=False, zorder=3)
    if rate.low == rate.high:
        axes.plot([x], [rate.low], linestyle="none", markersize=MARKER_SIZE, clip_on=False, zorder=4, **look.style)
        return
    bar = Rectangle((x - _HALF_BAR, rate.low), 2 * _HALF_BAR, rate.high - rate.low, clip_on=False, zorder=3.5)
    bar.set(facecolor="white", edgecolor=look.colour, linewidth=1.0)
    axes.add_patch(bar)
    style = replace(look, filled=False).style
    axes.plot([x, x], [rate.low, rate.high], linestyle="none", markersize=MARKER_SIZE, clip_on=False, zorder=4, **style)


def _frame(series: Sequence[ThresholdSeries], context: Sequence[ContextSeries]) -> pd.DataFrame:
    records: list[dict[str, Any]] = []
    for each in series:
        for threshold, rate in sorted(each.rates.items()):
            counts = {"events_lower": rate.events_lower, "events_upper": rate.events_upper, "n": rate.n}
            ends = {"low": rate.low, "high": rate.high, "ci_lower": rate.ci_lower, "ci_upper": rate.ci_upper}
            records.append({"kind": "study", "label": each.label, "threshold": threshold, **counts, **ends})
    for other in context:
        for threshold, share in sorted(other.rates.items()):
            ends = {"low": share, "high": share}
            records.append({"kind": "context", "label": other.label, "threshold": threshold, **ends})
    frame = pd.DataFrame(records)
    counts_as_integers = dict.fromkeys(("events_lower", "events_upper", "n"), "Int64")
    return frame.astype(counts_as_integers)


def _alt_text(
    series: Sequence[ThresholdSeries], context: Sequence[ContextSeries], axis_label: str, title: str | None
) -> str:
    text = f"Threshold plot. {sentence(title)}{sentence(axis_label)}"
    for each in series:
        rates = [f"PASI{t} {rate.count}, {estimate_text(rate, 'percent')}" for t, rate in sorted(each.rates.items())]
        text += sentence(f"{each.label}: {'; '.join(rates) or 'no rate'}")
    if context:
        rates = [
            f"{each.label} PASI{t} {percent(share)}" for each in context for t, share in sorted(each.rates.items())
        ]
        text += sentence(f"{_CONTEXT_HEADING}: {'; '.join(rates)}")
    return text.strip()
