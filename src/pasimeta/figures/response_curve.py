"""Response curve: the share of patients who improve by at least c, over c, with bands, study points and context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pasimeta.errors import PasimetaError
from pasimeta.figures.chart import (
    MARGIN,
    MARKER_ROOM,
    MARKER_SIZE,
    Chart,
    KeyRow,
    Look,
    charted_page,
    context_looks,
    series_looks,
)
from pasimeta.figures.chart_axes import draw_share_axis
from pasimeta.figures.estimates import Rate
from pasimeta.figures.formats import number, percent, span
from pasimeta.figures.measure import text_width, wrapped
from pasimeta.figures.output import Plot, check_name
from pasimeta.figures.page import Align
from pasimeta.figures.theme import MEDIUM, PAGE_MM, POOLED, QUIET, THICK, points, text_sizes, theme
from pasimeta.figures.words import sentence

TOLD = (50, 75, 90, 100)
_CONTEXT_HEADING = "Other treatments, other trials: unadjusted comparison across trials"
_BANDS_NOTE = "Dark band: the median study. Light band: a new study."
_RANGE_NOTE = "A bar without a marker is a count known only within bounds."
_APART = 8.0  # points between marks at one threshold
_CROWDED = 0.8  # share of the way to the next threshold that marks may take up
_LEAST_LABEL = 9.0  # width of a label beside its numbers, in type sizes


@dataclass(frozen=True, slots=True)
class Curve:
    """Shares by threshold.

    Attributes
    ----------
    label : str
    table : DataFrame
        threshold (percent, ascending), response, ci_lower, ci_upper, and pi_lower, pi_upper for the main curve.
    """

    label: str
    table: pd.DataFrame


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A study's reported rate at a threshold."""

    label: str
    threshold: float
    rate: Rate


def response_curve(
    main: Curve,
    studies: Sequence[CurvePoint],
    *,
    name: str,
    context: Sequence[Curve] = (),
    title: str | None = None,
    width_mm: float = PAGE_MM,
    footnote: str | None = None,
    level: float = 0.95,
) -> Plot:
    """Draw the pooled response curve.

    Parameters
    ----------
    main : Curve
        With bands for the median study and for a new one.
    studies : sequence of CurvePoint
        What the studies report.
    name : str
        File stem and prefix of SVG ids.
    context : sequence of Curve
        Other treatments; labelled as an unadjusted comparison across trials.
    title, footnote : str or None
        Above and below.
    width_mm : float
        Of the page.
    level : float
        Of the bands, for the key.

    Returns
    -------
    Plot
        ``data`` has one row a curve and threshold, and one a study point.

    Raises
    ------
    PasimetaError
        For a curve without points or shares beyond 0 to 1.
    """
    check_name(name)
    for curve in (main, *context):
        shares = curve.table["response"]
        if len(curve.table) < 2 or not shares.between(0, 1).all():
            raise PasimetaError(f"figure {name}: {curve.label} is no curve of proportions; give two thresholds or more")
    with theme():
        figure = _drawn(main, studies, context, title, footnote, width_mm, level)
    return Plot(
        figure=figure,
        name=name,
        alt=_alt_text(main, studies, context, title, level),
        data=_frame(main, studies, context),
        title=title or "Response curve",
    )


def _drawn(
    main: Curve,
    studies: Sequence[CurvePoint],
    context: Sequence[Curve],
    title: str | None,
    footnote: str | None,
    width_mm: float,
    level: float,
) -> Figure:
    width, size = points(width_mm), text_sizes(width_mm)[0]
    looks, others = _looks(studies), _context_looks(context)
    left = MARGIN + MARKER_ROOM + text_width("100\u00a0%", size)
    layout = _key_layout(width, size)
    ranges = any(point.rate.low < point.rate.high for point in studies)
    chart = Chart(
        width=width,
        size=size,
        plot_left=left,
        plot_width=width - left - MARGIN - text_width("100\u00a0%", size) / 2,
        plot_height=max(0.42 * width, points(48)),
        title=title or "",
        y_label="Patients who improve by at least that much",
        x_label="Improvement of PASI, percent",
        key=tuple(_key_rows(main, studies, context, looks, others, layout, level)),
        anchors=layout.anchors,
        notes=tuple(n for n in (_BANDS_NOTE, _RANGE_NOTE if ranges else "", footnote or "") if n),
    )
    page, axes = charted_page(chart)
    _draw_axes(axes, main, chart)
    for curve, look in zip(context, others, strict=True):
        _draw_context(axes, curve, look)
    _draw_main(axes, main)
    _draw_points(axes, studies, looks, _APART * (axes.get_xlim()[1] - axes.get_xlim()[0]) / chart.plot_width, context)
    return page.figure


def _looks(studies: Sequence[CurvePoint]) -> dict[str, Look]:
    """A look of its own for each study, none in the colour of the pooled curve."""
    labels = list(dict.fromkeys(point.label for point in studies))
    free = [look for look in series_looks(2 * len(labels)) if look.colour != POOLED]
    return dict(zip(labels, free, strict=False))


def _context_looks(context: Sequence[Curve]) -> list[Look]:
    """Quiet looks: open shapes, then the same ones filled."""
    looks = context_looks(len(context))
    shapes = len({look.marker for look in looks})
    return [replace(look, colour=QUIET, filled=place >= shapes) for place, look in enumerate(looks)]


@dataclass(frozen=True, slots=True)
class _KeyLayout:
    """Where the table below the plot stands; a narrow one has its labels on lines of their own."""

    anchors: tuple[tuple[float, Align], ...]
    label_width: float
    size: float
    narrow: bool

    def rows(
        self, look: Look | None, label: str, cells: Sequence[tuple[str, ...]], quiet: bool = False
    ) -> list[KeyRow]:
        """The label and its cells, one row or two."""
        lines = wrapped(label, self.label_width, self.size)
        if not self.narrow:
            return [KeyRow(look, (lines, *cells), quiet=quiet)]
        empty: tuple[tuple[str, ...], ...] = ((),) * len(TOLD)
        return [KeyRow(look, (lines, *empty), quiet=quiet), KeyRow(None, ((), *cells), quiet=quiet)]

    def cell(self, centre: str, interval: str) -> tuple[str, ...]:
        """An estimate and its interval, side by side or one above the other."""
        return tuple(part for part in (centre, interval) if part) if self.narrow else (f"{centre} {interval}".strip(),)


def _key_layout(width: float, size: float) -> _KeyLayout:
    start, room = MARGIN + MARKER_ROOM, width - 2 * MARGIN - MARKER_ROOM
    cell = text_width("00.0 (00.0\u2013000.0)", size) + 8.0
    label_width = room - len(TOLD) * cell
    narrow = label_width < _LEAST_LABEL * size
    if narrow:
        label_width, cell = room, room / len(TOLD)
    first = start if narrow else start + label_width
    places = [first + (i + 0.5) * cell for i in range(len(TOLD))]
    anchors: tuple[tuple[float, Align], ...] = ((start, "left"), *((x, "center") for x in places))
    return _KeyLayout(anchors, label_width, size, narrow)


def _key_rows(
    main: Curve,
    studies: Sequence[CurvePoint],
    context: Sequence[Curve],
    looks: dict[str, Look],
    others: Sequence[Look],
    layout: _KeyLayout,
    level: float,
) -> list[KeyRow]:
    heading = f"Share in percent ({100 * level:g} % interval)"
    rows = layout.rows(None, heading, [(f"PASI{c}",) for c in TOLD], quiet=True)
    rows += layout.rows(Look("", POOLED, line="-"), main.label, _shares(main, "ci", layout))
    if "pi_lower" in main.table and main.table["pi_lower"].notna().all():
        rows += layout.rows(None, "a new study", _shares(main, "pi", layout))
    for label, look in looks.items():
        reported = {point.threshold: point.rate.count for point in studies if point.label == label}
        rows += layout.rows(look, f"{label}, reported", [(reported.get(c, "\u2013"),) for c in TOLD])
    if context:
        empty: tuple[tuple[str, ...], ...] = ((),) * (len(TOLD) + 1)
        warning = wrapped(_CONTEXT_HEADING, layout.anchors[-1][0] - layout.anchors[0][0], layout.size)
        rows.append(KeyRow(None, empty, warning, quiet=True))
    for curve, look in zip(context, others, strict=True):
        rows += layout.rows(look, curve.label, _shares(curve, "ci", layout), quiet=True)
    return rows


def _shares(curve: Curve, kind: str, layout: _KeyLayout) -> list[tuple[str, ...]]:
    table = curve.table.set_index("threshold")
    cells: list[tuple[str, ...]] = []
    for c in TOLD:
        if c not in table.index:
            cells.append(("\u2013",))
            continue
        low, high = (number(100 * table.loc[c, f"{kind}_{end}"]) for end in ("lower", "upper"))
        centre = number(100 * table.loc[c, "response"]) if kind == "ci" else ""
        cells.append(layout.cell(centre, f"({span(low, high)})"))
    return cells


def _draw_axes(axes: Axes, main: Curve, chart: Chart) -> None:
    first, last = float(main.table["threshold"].min()), float(main.table["threshold"].max())
    axes.set_xlim(first - 1, last + 1)
    marks = [c for c in (25, 40, 50, 60, 75, 90, 100) if first <= c <= last]
    axes.set_xticks(marks, [f"{c}" for c in marks], fontsize=chart.size)
    draw_share_axis(axes, chart.plot_height, chart.size)


def _draw_main(axes: Axes, main: Curve) -> None:
    table = main.table
    x = table["threshold"].to_numpy()
    if "pi_lower" in table and table["pi_lower"].notna().all():
        axes.fill_between(x, table["pi_lower"], table["pi_upper"], color=POOLED, alpha=0.10, linewidth=0, zorder=1)
    axes.fill_between(x, table["ci_lower"], table["ci_upper"], color=POOLED, alpha=0.22, linewidth=0, zorder=1.5)
    axes.plot(x, table["response"], color=POOLED, linewidth=THICK, zorder=3)


def _draw_context(axes: Axes, curve: Curve, look: Look) -> None:
    table = curve.table
    axes.plot(table["threshold"], table["response"], color=QUIET, linewidth=MEDIUM, linestyle="--", zorder=2)
    marked = table[table["threshold"].isin(TOLD)]
    axes.plot(
        marked["threshold"],
        marked["response"],
        linestyle="none",
        markersize=MARKER_SIZE,
        zorder=2.5,
        clip_on=False,
        **look.style,
    )


def _draw_points(
    axes: Axes, studies: Sequence[CurvePoint], looks: dict[str, Look], apart: float, context: Sequence[Curve]
) -> None:
    """Draw marks at one threshold side by side, ``apart`` percentage points where there is room for it."""
    thresholds = sorted({point.threshold for point in studies})
    gap = min((b - a for a, b in pairwise(thresholds)), default=apart * len(studies))
    for threshold in thresholds:
        here = [point for point in studies if point.threshold == threshold]
        # curves of other treatments are marked at the threshold itself
        places = _places(len(here), free_middle=bool(context) and threshold in TOLD)
        step = min(apart, _CROWDED * gap / (len(here) + 1))
        for place, point in zip(places, here, strict=True):
            x = threshold + place * step
            look, rate = looks[point.label], point.rate
            axes.plot([x, x], [rate.ci_lower, rate.ci_upper], color=look.colour, linewidth=MEDIUM, zorder=4)
            if rate.low == rate.high:
                axes.plot([x], [rate.low], linestyle="none", markersize=MARKER_SIZE, zorder=5, **look.style)
            else:
                axes.plot([x, x], [rate.low, rate.high], color=look.colour, linewidth=3 * THICK, alpha=0.6, zorder=4.5)


def _places(count: int, *, free_middle: bool) -> list[float]:
    """Positions of marks around a threshold, in steps: centred, or on both sides of a free middle."""
    if free_middle:
        left = (count + 1) // 2
        return [*(float(x) for x in range(-left, 0)), *(float(x) for x in range(1, count - left + 1))]
    return [rank - (count - 1) / 2 for rank in range(count)]


def _frame(main: Curve, studies: Sequence[CurvePoint], context: Sequence[Curve]) -> pd.DataFrame:
    curves = [
        c.table.assign(kind=kind, label=c.label) for kind, c in (("curve", main), *(("context", c) for c in context))
    ]
    rows = [
        {
            "kind": "study",
            "label": point.label,
            "threshold": point.threshold,
            "events_lower": point.rate.events_lower,
            "events_upper": point.rate.events_upper,
            "n": point.rate.n,
            "ci_lower": point.rate.ci_lower,
            "ci_upper": point.rate.ci_upper,
        }
        for point in studies
    ]
    return pd.concat([*curves, *([pd.DataFrame(rows)] if rows else [])], ignore_index=True)


def _alt_text(
    main: Curve, studies: Sequence[CurvePoint], context: Sequence[Curve], title: str | None, level: float
) -> str:
    text = f"Response curve. {sentence(title)}"
    for curve in (main, *context):
        table = curve.table[curve.table["threshold"].isin(TOLD)]
        shares = [
            f"PASI{row.threshold:g} {percent(row.response)} ({100 * level:g} % interval "
            f"{span(number(100 * row.ci_lower), number(100 * row.ci_upper))})"
            for row in table.itertuples()
        ]
        text += sentence(f"{curve.label}: {'; '.join(shares)}")
    if context:
        text += sentence(_CONTEXT_HEADING)
    for label in dict.fromkeys(point.label for point in studies):
        own = [f"PASI{p.threshold:g} {p.rate.count}" for p in studies if p.label == label]
        text += sentence(f"{label} reports {'; '.join(own)}")
    return text.strip()
