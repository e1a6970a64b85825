"""Response curve: the share of patients who improve by at least c, over c, with bands, study points and context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
from pasimeta.figures.estimates import Rate
from pasimeta.figures.formats import number, percent, span
from pasimeta.figures.measure import text_width, wrapped
from pasimeta.figures.output import Plot, check_name
from pasimeta.figures.page import Align
from pasimeta.figures.scales import tick_label, tick_positions
from pasimeta.figures.theme import MEDIUM, PAGE_MM, POOLED, QUIET, RULE, THICK, THIN, points, text_sizes, theme
from pasimeta.figures.words import sentence

TOLD = (50, 75, 90, 100)
_CONTEXT_HEADING = "Other treatments, other trials: unadjusted comparison across trials"
_BANDS_NOTE = "Dark band: the median study. Light band: a new study."
_RANGE_NOTE = "A bar without a marker is a count known only within bounds."
_APART = 0.9  # percentage points between marks at one threshold


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
    looks, others = _looks(studies), context_looks(len(context))
    left = MARGIN + MARKER_ROOM + text_width("100\u00a0%", size)
    cell = max(text_width("00.0 (00.0\u2013000.0)", size), text_width("PASI100", size)) + 8.0
    label_width = width - 2 * MARGIN - MARKER_ROOM - len(TOLD) * cell
    places = [MARGIN + MARKER_ROOM + label_width + (i + 0.5) * cell for i in range(len(TOLD))]
    anchors: tuple[tuple[float, Align], ...] = ((MARGIN + MARKER_ROOM, "left"), *((x, "center") for x in places))
    ranges = any(point.rate.low < point.rate.high for point in studies)
    chart = Chart(
        width=width,
        size=size,
        plot_left=left,
        plot_width=width - left - MARGIN - text_width("100\u00a0%", size) / 2,
        plot_height=max(0.42 * width, points(48)),
        title=title or "",
        y_label="Patients who improve by at least that much",
        x_label="Improvement of PASI",
        key=tuple(_key_rows(main, studies, context, looks, others, label_width, size, level)),
        anchors=anchors,
        notes=tuple(n for n in (_BANDS_NOTE, _RANGE_NOTE if ranges else "", footnote or "") if n),
    )
    page, axes = charted_page(chart)
    _draw_axes(axes, main, chart)
    for curve, look in zip(context, others, strict=True):
        _draw_context(axes, curve, look)
    _draw_main(axes, main)
    _draw_points(axes, studies, looks)
    return page.figure


def _looks(studies: Sequence[CurvePoint]) -> dict[str, Look]:
    labels = list(dict.fromkeys(point.label for point in studies))
    return dict(zip(labels, series_looks(len(labels)), strict=True))


def _key_rows(
    main: Curve,
    studies: Sequence[CurvePoint],
    context: Sequence[Curve],
    looks: dict[str, Look],
    others: Sequence[Look],
    label_width: float,
    size: float,
    level: float,
) -> list[KeyRow]:
    heading = wrapped(f"Share in percent ({100 * level:g} % interval)", label_width, size)
    rows = [KeyRow(None, (heading, *((f"PASI{c}",) for c in TOLD)), quiet=True)]
    line = Look("_", POOLED)
    rows.append(KeyRow(line, (wrapped(main.label, label_width, size), *_shares(main, "ci"))))
    if "pi_lower" in main.table and main.table["pi_lower"].notna().all():
        rows.append(KeyRow(None, (("a new study",), *_shares(main, "pi"))))
    for label, look in looks.items():
        reported = {point.threshold: point.rate.count for point in studies if point.label == label}
        cells = tuple((reported.get(c, "\u2013"),) for c in TOLD)
        rows.append(KeyRow(look, (wrapped(f"{label}, reported", label_width, size), *cells)))
    if context:
        empty: tuple[tuple[str, ...], ...] = ((),) * (len(TOLD) + 1)
        rows.append(KeyRow(None, empty, (_CONTEXT_HEADING,), quiet=True))
    for curve, look in zip(context, others, strict=True):
        rows.append(KeyRow(look, (wrapped(curve.label, label_width, size), *_shares(curve, "ci")), quiet=True))
    return rows


def _shares(curve: Curve, kind: str) -> tuple[tuple[str, ...], ...]:
    table = curve.table.set_index("threshold")
    cells: list[tuple[str, ...]] = []
    for c in TOLD:
        if c not in table.index:
            cells.append(("\u2013",))
            continue
        low, high = (number(100 * table.loc[c, f"{kind}_{end}"]) for end in ("lower", "upper"))
        centre = f"{number(100 * table.loc[c, 'response'])} " if kind == "ci" else ""
        cells.append((f"{centre}({span(low, high)})",))
    return tuple(cells)


def _draw_axes(axes: Axes, main: Curve, chart: Chart) -> None:
    first, last = float(main.table["threshold"].min()), float(main.table["threshold"].max())
    axes.set_xlim(first - 1, last + 1)
    axes.set_ylim(0, 1)
    marks = [c for c in (25, 40, 50, 60, 75, 90, 100) if first <= c <= last]
    axes.set_xticks(marks, [f"{c}\u00a0%" for c in marks], fontsize=chart.size)
    ticks = tick_positions((0.0, 1.0), "percent", chart.plot_height, chart.size)
    axes.set_yticks(ticks, [tick_label(tick, "percent") for tick in ticks], fontsize=chart.size)
    axes.grid(axis="y", color=RULE, linewidth=THIN, alpha=0.6)


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
    style = look.style | {"color": QUIET, "markeredgecolor": QUIET}
    axes.plot(marked["threshold"], marked["response"], linestyle="none", markersize=MARKER_SIZE, zorder=2.5, **style)


def _draw_points(axes: Axes, studies: Sequence[CurvePoint], looks: dict[str, Look]) -> None:
    for threshold in dict.fromkeys(point.threshold for point in studies):
        here = [point for point in studies if point.threshold == threshold]
        for rank, point in enumerate(here):
            x = threshold + (rank - (len(here) - 1) / 2) * 2 * _APART
            look, rate = looks[point.label], point.rate
            axes.plot([x, x], [rate.ci_lower, rate.ci_upper], color=look.colour, linewidth=MEDIUM, zorder=4)
            if rate.low == rate.high:
                axes.plot([x], [rate.low], linestyle="none", markersize=MARKER_SIZE, zorder=5, **look.style)
            else:
                axes.plot([x, x], [rate.low, rate.high], color=look.colour, linewidth=3 * THICK, alpha=0.6, zorder=4.5)


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
