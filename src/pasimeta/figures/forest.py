"""Forest plot: studies, their counts and intervals, pooled diamonds and prediction intervals, in measured columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from pasimeta.errors import PasimetaError
from pasimeta.figures.columns import Column
from pasimeta.figures.estimates import Estimate, Rate
from pasimeta.figures.formats import Scale, bracketed, estimate_text, interval_text
from pasimeta.figures.lights import ROBINS_SIGNALS, Signal
from pasimeta.figures.output import Plot, check_name
from pasimeta.figures.panel_types import PLOT, RISK, Axis, Line, Mark, Panel, ReferenceLine
from pasimeta.figures.panels import drawn_panels
from pasimeta.figures.presets import Preset, estimate_header, preset_named, weight_text
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
    link : str
        Address that label and numbers lead to in an SVG; one that begins with ``#`` is the id of something of this
        figure's own, and gets its name before it: ``#rests-on`` leads to ``<name>-rests-on``.
    risk : tuple of str
        A judgement for each of the figure's risk-of-bias domains; none, if it wasn't judged.
    """

    label: str
    estimate: Rate | Estimate
    weight: float | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    link: str = ""
    risk: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PooledRow:
    """A pooled estimate: a diamond as wide as its interval. Two bounds are two rows. ``link`` as a study's."""

    label: str
    estimate: Rate | Estimate
    extra: Mapping[str, str] = field(default_factory=dict)
    link: str = ""


@dataclass(frozen=True, slots=True)
class PredictionRow:
    """The prediction interval, under the diamond it belongs to. ``link`` as a study's."""

    label: str
    lower: float
    upper: float
    extra: Mapping[str, str] = field(default_factory=dict)
    link: str = ""


@dataclass(frozen=True, slots=True)
class NoteRow:
    """A line of text across the figure: heterogeneity, ``One study, not pooled.``; without text, an empty row.

    ``link`` as a study's.
    """

    text: str = ""
    link: str = ""


Row = HeadingRow | StudyRow | PooledRow | PredictionRow | NoteRow

_MOST_NARROW_DOMAINS = 2  # more leave the axis no room in one journal column
_RIGHT = ("count", "events", "n", "weight")  # columns whose numbers end below one another


def forest(
    rows: Sequence[Row],
    *,
    name: str,
    axis_label: str,
    columns: Sequence[Column] | None = None,
    preset: str = "house",
    measure: str | None = None,
    risk_domains: Sequence[str] = (),
    risk_signals: Mapping[str, Signal] = ROBINS_SIGNALS,
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
        Left to right; the key ``plot`` says where the axis stands. By default those of the preset that the rows fill;
        in a figure of one journal column or less, the squares alone show the weights, and signs of more than two
        domains are left out.
    preset : {"house", "revman", "bmj", "jama", "lancet"}
        Whose columns, numbers and marks: see :mod:`pasimeta.figures.presets`.
    measure : str or None
        Head of the column of estimates, ``Risk ratio``; by default what the scale tells.
    risk_domains : sequence of str
        Domains the rows' ``risk`` judges, in words, explained below the figure under the letters A, B, ...
    risk_signals : mapping of str to Signal
        How each judgement is drawn.
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
    check_scale(scale)
    look = preset_named(preset)
    lines = tuple(line if isinstance(line, ReferenceLine) else ReferenceLine(line) for line in reference_lines)
    used = tuple(columns) if columns is not None else _default_columns(rows, look, measure, scale, width_mm, level)
    if not any(column.key == RISK for column in used):
        rows = [replace(row, risk=()) if isinstance(row, StudyRow) else row for row in rows]
    marks = _checked_marks(name, rows, used, lines, scale, limits)
    _refuse_risk(name, rows, risk_domains, risk_signals)
    ends, references = limits or _limits(marks, lines, scale), (*lines, *_pooled_line(marks, look))
    axis = Axis(scale, ends, axis_label, references, directions, look.marks)
    panel = Panel(tuple(_line(row, scale, look, risk_signals) for row in rows), axis)
    ranges = RANGE_NOTE if any(mark.is_range for mark in marks) else ""
    notes = [note for note in (ranges, _risk_note(rows, risk_domains, risk_signals), footnote) if note]
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
    if not rows:
        raise PasimetaError(f"figure {name}: no rows; give at least one")
    marks = [mark for mark in map(_mark, rows) if mark]
    _refuse_off_scale(name, marks, lines, scale)
    _refuse_unknown_columns(name, columns, rows)
    _refuse_limits(name, limits, scale)
    return marks


def _default_columns(
    rows: Sequence[Row], preset: Preset, measure: str | None, scale: Scale, width_mm: float, level: float
) -> tuple[Column, ...]:
    counted = any(isinstance(row, (StudyRow, PooledRow)) and row.estimate.count for row in rows)
    weighted = width_mm > COLUMN_MM and any(isinstance(row, StudyRow) and row.weight is not None for row in rows)
    domains = max((len(row.risk) for row in rows if isinstance(row, StudyRow)), default=0)
    judged = 0 < domains <= (_MOST_NARROW_DOMAINS if width_mm <= COLUMN_MM else domains)
    filled = {"count": counted, "events": counted, "n": counted, "weight": weighted, RISK: judged}
    heads = {**preset.headers, "estimate": estimate_header(preset, measure, scale, level)}
    keys = preset.columns if width_mm > COLUMN_MM else _narrowed(preset.columns)
    return tuple(
        Column(key, heads.get(key, ""), "right" if key in _RIGHT else "left") for key in keys if filled.get(key, True)
    )


def _narrowed(columns: tuple[str, ...]) -> tuple[str, ...]:
    """The columns for one journal column: events and patients share theirs."""
    return tuple("count" if key == "events" else key for key in columns if key != "n")


def _pooled_line(marks: Sequence[Mark], preset: Preset) -> tuple[ReferenceLine, ...]:
    """The line some journals run through the one pooled estimate; several pools have none."""
    pooled = [mark for mark in marks if mark.kind == "pooled"]
    if not preset.marks.pooled_line or len(pooled) != 1 or pooled[0].low != pooled[0].high:
        return ()
    return (ReferenceLine(pooled[0].low),)


def _refuse_risk(name: str, rows: Sequence[Row], domains: Sequence[str], signals: Mapping[str, Signal]) -> None:
    for row in rows:
        if not isinstance(row, StudyRow) or not row.risk:
            continue
        if len(row.risk) != len(domains):
            raise PasimetaError(
                f"figure {name}: {row.label} has {len(row.risk)} risk-of-bias judgements for {len(domains)} domains"
            )
        for judgement in row.risk:
            if judgement not in signals:
                raise PasimetaError(f"figure {name}: {row.label}: {judgement!r} is not one of {', '.join(signals)}")


def _risk_note(rows: Sequence[Row], domains: Sequence[str], signals: Mapping[str, Signal]) -> str:
    given = {judgement for row in rows if isinstance(row, StudyRow) for judgement in row.risk}
    if not given:
        return ""
    letters = "; ".join(f"{chr(ord('A') + index)}\u00a0{domain}" for index, domain in enumerate(domains))
    signs = "; ".join(f"{look.sign}\u00a0{look.words.lower()}" for key, look in signals.items() if key in given)
    return f"Risk of bias: {letters}. {signs}."


def _refuse_unknown_columns(name: str, columns: Sequence[Column], rows: Sequence[Row]) -> None:
    keys = [column.key for column in columns]
    if keys.count(PLOT) != 1 or len(set(keys)) != len(keys):
        raise PasimetaError(f"figure {name}: columns {keys} need one {PLOT!r} and no key twice")
    known = {"label", "count", "events", "n", "weight", "estimate", PLOT, RISK}
    extras = {key for row in rows if not isinstance(row, (HeadingRow, NoteRow)) for key in row.extra}
    for key in keys:
        if key not in known | extras:
            raise PasimetaError(f"figure {name}: no row has a column {key!r}; known are {sorted(known | extras)}")


def _refuse_off_scale(name: str, marks: Sequence[Mark], lines: Sequence[ReferenceLine], scale: Scale) -> None:
    low, high = {"percent": (0.0, 1.0), "difference": (-1.0, 1.0), "ratio": (1e-12, float("inf"))}.get(
        scale, (float("-inf"), float("inf"))
    )
    for value in [value for mark in marks for value in _on_scale(mark)] + [line.value for line in lines]:
        if not low - 1e-9 <= value <= high + 1e-9:
            remedy = "give a positive ratio" if scale == "ratio" else "give proportions, not percentages"
            raise PasimetaError(f"figure {name}: {value:g} is not on the {scale} scale; {remedy}")


def _on_scale(mark: Mark) -> tuple[float, ...]:
    """The numbers that must lie on the scale: a model's interval may leave it, and is drawn with an arrow."""
    if mark.kind == "study":
        return mark.values
    return (mark.low, mark.high) if mark.kind == "pooled" else ()


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


def _line(row: Row, scale: Scale, preset: Preset, signals: Mapping[str, Signal]) -> Line:
    match row:
        case HeadingRow(text=text):
            return Line("heading", text)
        case NoteRow(text=text, link=link):
            return Line("note", text, link=link)
    cells = {"label": row.label, **dict(row.extra)}
    if isinstance(row, PredictionRow):
        cells["estimate"] = bracketed(row.lower, row.upper, scale, None, preset.numbers)
    else:
        events, _, n = row.estimate.count.partition("/")
        cells |= {"count": row.estimate.count, "events": events, "n": n}
        cells["estimate"] = estimate_text(row.estimate, scale, None, preset.numbers)
    if not isinstance(row, StudyRow):
        return Line("summary", "", cells, _mark(row), row.link)
    if row.weight is not None:
        cells["weight"] = weight_text(preset, row.weight)
    return Line("study", "", cells, _mark(row), row.link, tuple(signals[judgement] for judgement in row.risk))


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
