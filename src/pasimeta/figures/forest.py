"""Forest plot: studies, their counts and intervals, pooled diamonds and prediction intervals, in measured columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from pasimeta.errors import PasimetaError
from pasimeta.figures.columns import Column
from pasimeta.figures.estimates import Estimate, Rate
from pasimeta.figures.formats import Scale, estimate_text, interval_heading, interval_text
from pasimeta.figures.output import Plot, check_name
from pasimeta.figures.panel_types import PLOT, Axis, Line, Mark, Panel, ReferenceLine
from pasimeta.figures.panels import drawn_panels
from pasimeta.figures.scales import axis_limits, check_scale
from pasimeta.figures.theme import COLUMN_MM, PAGE_MM, theme
from pasimeta.figures.words import sentence

__all__ = [
    "Column",
    "HeadingRow",
    "NoteRow",
    "PooledRow",
    "PredictionRow",
    "ReferenceLine",
    "Row",
    "StudyRow",
    "forest",
]

RANGE_NOTE = (
    "Open bar: the source fixes the count only within a range; the bar joins the estimates of the fewest and the most "
    "events, the whiskers reach the outermost ends of their intervals."
)


@dataclass(frozen=True, slots=True)
class HeadingRow:
    """Opens a block, ``PASI 50``."""

    text: str


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One study: a square (area by weight) with its interval, or a bar where the estimate is a range.

    Attributes
    ----------
    label : str
        Study name; wrapped where it is long.
    estimate : Rate or Estimate
        What is drawn.
    weight : float or None
        Share of the pool, in percent.
    extra : mapping
        Text of further columns, by column key.
    """

    label: str
    estimate: Rate | Estimate
    weight: float | None = None
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PooledRow:
    """A pooled estimate: a diamond as wide as its interval. Two bounds are two rows."""

    label: str
    estimate: Rate | Estimate
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PredictionRow:
    """The prediction interval, under the diamond it belongs to."""

    label: str
    lower: float
    upper: float
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NoteRow:
    """A line of text across the figure: heterogeneity, ``One study, not pooled.``; without text, an empty row."""

    text: str = ""


Row = HeadingRow | StudyRow | PooledRow | PredictionRow | NoteRow

_HEADINGS = {
    "percent": "Rate",
    "difference": "Difference",
    "ratio": "Ratio",
    "plain": "Estimate",
}


def forest(
    rows: Sequence[Row],
    *,
    name: str,
    axis_label: str,
    columns: Sequence[Column] | None = None,
    title: str | None = None,
    width_mm: float = PAGE_MM,
    reference_lines: Sequence[ReferenceLine | float] = (),
    footnote: str | None = None,
    scale: Scale = "percent",
    limits: tuple[float, float] | None = None,
    directions: tuple[str, str] | None = None,
    level: float = 0.95,
) -> Plot:
    """Draw a forest plot whose height follows its rows.

    Parameters
    ----------
    rows : sequence of row dataclasses
        Top to bottom.
    name : str
        File stem and prefix of SVG ids.
    axis_label : str
        What the axis counts, with its unit.
    columns : sequence of Column or None
        Left to right; the key ``plot`` says where the axis stands. By default label, count and weight where rows have
        them, plot, estimate; in a figure of one journal column or less, the squares alone show the weights.
    title, footnote : str or None
        Above and below; a key to open bars and reference lines is added by itself.
    width_mm : float
        85 (one journal column) or 176 (a page), or anything the text fits into.
    reference_lines : sequence of ReferenceLine or float
        Vertical lines; labelled ones are explained in the footnote.
    scale : str
        ``percent`` (proportions, axis 0 to 100 %), ``difference`` (of proportions, in percentage points), ``ratio``
        (log axis) or ``plain``.
    limits : (float, float) or None
        Ends of the axis, on the scale of the data; an interval beyond them ends in an arrow.
    directions : (str, str) or None
        What lies to the left and to the right, ``("favours control", "favours cells")``.
    level : float
        Level of the intervals, for the heading of the default columns.

    Returns
    -------
    Plot
        ``data`` has one row a forest row.

    Raises
    ------
    PasimetaError
        For no rows, unknown columns, values that aren't on the scale, or text that can't fit the width.
    """
    check_name(name)
    lines = tuple(line if isinstance(line, ReferenceLine) else ReferenceLine(line) for line in reference_lines)
    used = tuple(columns) if columns is not None else _default_columns(rows, scale, width_mm, level)
    marks = _checked_marks(name, rows, used, lines, scale, limits)
    axis = Axis(scale, limits or _limits(marks, lines, scale), axis_label, lines, directions)
    panel = Panel(tuple(_line(row, scale) for row in rows), axis)
    notes = [note for note in (RANGE_NOTE if any(mark.is_range for mark in marks) else "", footnote) if note]
    with theme():
        figure = drawn_panels((panel,), used, title=title, notes=notes, width_mm=width_mm)
    alt = _alt_text(rows, scale, axis_label, title, lines)
    return Plot(figure=figure, name=name, alt=alt, data=_frame(rows), title=title or axis_label)


def _checked_marks(
    name: str,
    rows: Sequence[Row],
    columns: Sequence[Column],
    lines: Sequence[ReferenceLine],
    scale: Scale,
    limits: tuple[float, float] | None,
) -> list[Mark]:
    check_scale(scale)
    if not rows:
        raise PasimetaError(f"figure {name}: no rows; give at least one")
    marks = [mark for mark in map(_mark, rows) if mark]
    _refuse_off_scale(name, marks, lines, scale)
    _refuse_unknown_columns(name, columns, rows)
    _refuse_limits(name, limits, scale)
    return marks


def _default_columns(rows: Sequence[Row], scale: Scale, width_mm: float, level: float) -> tuple[Column, ...]:
    counted = any(isinstance(row, (StudyRow, PooledRow)) and row.estimate.count for row in rows)
    weighted = width_mm > COLUMN_MM and any(isinstance(row, StudyRow) and row.weight is not None for row in rows)
    return (
        Column("label", "Study"),
        *([Column("count", "n/N", "right")] if counted else []),
        *([Column("weight", "Weight", "right")] if weighted else []),
        Column(PLOT),
        Column("estimate", interval_heading(_HEADINGS.get(scale, "Estimate"), level)),
    )


def _refuse_unknown_columns(name: str, columns: Sequence[Column], rows: Sequence[Row]) -> None:
    keys = [column.key for column in columns]
    if keys.count(PLOT) != 1 or len(set(keys)) != len(keys):
        raise PasimetaError(f"figure {name}: columns {keys} need one {PLOT!r} and no key twice")
    known = {"label", "count", "weight", "estimate", PLOT}
    extras = {key for row in rows if not isinstance(row, (HeadingRow, NoteRow)) for key in row.extra}
    for key in keys:
        if key not in known | extras:
            raise PasimetaError(f"figure {name}: no row has a column {key!r}; known are {sorted(known | extras)}")


def _refuse_off_scale(name: str, marks: Sequence[Mark], lines: Sequence[ReferenceLine], scale: Scale) -> None:
    low, high = {"percent": (0.0, 1.0), "difference": (-1.0, 1.0), "ratio": (1e-12, float("inf"))}.get(
        scale, (float("-inf"), float("inf"))
    )
    for value in [value for mark in marks for value in mark.values] + [line.value for line in lines]:
        if not low - 1e-9 <= value <= high + 1e-9:
            remedy = "give a positive ratio" if scale == "ratio" else "give proportions, not percentages"
            raise PasimetaError(f"figure {name}: {value:g} is not on the {scale} scale; {remedy}")


def _refuse_limits(name: str, limits: tuple[float, float] | None, scale: Scale) -> None:
    if limits and not (limits[0] < limits[1] and (scale != "ratio" or limits[0] > 0)):
        needed = "0 < low < high" if scale == "ratio" else "low < high"
        raise PasimetaError(f"figure {name}: limits {limits} are not an axis; give {needed}")


def _limits(marks: Sequence[Mark], lines: Sequence[ReferenceLine], scale: Scale) -> tuple[float, float]:
    ends = [end for mark in marks for end in (mark.ci_lower, mark.ci_upper)]
    points = [point for mark in marks for point in (mark.low, mark.high) if mark.kind != "prediction"]
    return axis_limits(ends, [*points, *(line.value for line in lines)], scale)


def _mark(row: Row) -> Mark | None:
    match row:
        case StudyRow(estimate=estimate, weight=weight):
            return Mark("study", estimate.low, estimate.high, estimate.ci_lower, estimate.ci_upper, weight)
        case PooledRow(estimate=estimate):
            return Mark("pooled", estimate.low, estimate.high, estimate.ci_lower, estimate.ci_upper)
        case PredictionRow(lower=lower, upper=upper):
            return Mark("prediction", lower, upper, lower, upper)
    return None


def _line(row: Row, scale: Scale) -> Line:
    match row:
        case HeadingRow(text=text):
            return Line("heading", text)
        case NoteRow(text=text):
            return Line("note", text)
    cells = {"label": row.label, **dict(row.extra)}
    if isinstance(row, PredictionRow):
        cells["estimate"] = f"({interval_text(row.lower, row.upper, scale)})"
    else:
        cells |= {"count": row.estimate.count, "estimate": estimate_text(row.estimate, scale)}
    if isinstance(row, StudyRow) and row.weight is not None:
        cells["weight"] = f"{row.weight:.1f}\u00a0%"
    return Line("study" if isinstance(row, StudyRow) else "summary", "", cells, _mark(row))


def _frame(rows: Sequence[Row]) -> pd.DataFrame:
    block = ""
    records: list[dict[str, Any]] = []
    for row in rows:
        match row:
            case HeadingRow(text=text):
                block = text
                records.append({"kind": "heading", "block": block, "label": text})
            case NoteRow(text=text):
                records.append({"kind": "note", "block": block, "label": text})
            case PredictionRow():
                ends = {"ci_lower": row.lower, "ci_upper": row.upper}
                records.append({"kind": "prediction", "block": block, "label": row.label, **ends})
            case _:
                records.append(
                    {"kind": "study" if isinstance(row, StudyRow) else "pooled", "block": block, **_fields(row)}
                )
    columns = ["kind", "block", "label", "count", "low", "high", "ci_lower", "ci_upper", "weight"]
    return pd.DataFrame(records).reindex(columns=columns)


def _fields(row: StudyRow | PooledRow) -> dict[str, Any]:
    estimate = row.estimate
    numbers = {key: getattr(estimate, key) for key in ("count", "low", "high", "ci_lower", "ci_upper")}
    return {"label": row.label, **numbers, "weight": getattr(row, "weight", None)}


def _alt_text(
    rows: Sequence[Row], scale: Scale, axis_label: str, title: str | None, lines: Sequence[ReferenceLine]
) -> str:
    opening = f"Forest plot. {sentence(title)}Axis: {sentence(axis_label)}"
    references = "".join(f"Reference line: {sentence(line.label)}" for line in lines if line.label)
    return (opening + "".join(_row_words(row, scale) for row in rows) + references).strip()


def _row_words(row: Row, scale: Scale) -> str:
    match row:
        case HeadingRow(text=text) | NoteRow(text=text):
            return sentence(text)
        case PredictionRow():
            return sentence(f"{row.label}: {interval_text(row.lower, row.upper, scale)}")
    count = f"{row.estimate.count}, " if row.estimate.count else ""
    weight = f", weight {row.weight:.1f}\u00a0%" if isinstance(row, StudyRow) and row.weight is not None else ""
    return sentence(f"{row.label}: {count}{estimate_text(row.estimate, scale)}{weight}")
