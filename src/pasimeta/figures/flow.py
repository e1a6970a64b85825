"""Flow of records: how many came in, how many were set aside at each stage and why, and what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd
from matplotlib.figure import Figure

from pasimeta.errors import PasimetaError
from pasimeta.figures.measure import wrapped
from pasimeta.figures.output import Plot, check_name
from pasimeta.figures.page import Page, text_height
from pasimeta.figures.theme import INK, MEDIUM, PAGE_MM, QUIET, points, text_sizes, theme
from pasimeta.figures.words import sentence

_MARGIN = points(2)
_PADDING = 5.0
_ROW_GAP = 15.0
_COLUMN_GAP = 18.0
_ARROW = 4.5
_SET_ASIDE = "Set aside"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the flow.

    Attributes
    ----------
    label : str
        What is counted here.
    count : int
        How many arrive.
    excluded : tuple of (str, int)
        Reasons for not going on, with how many; they and the next stage's count sum to ``count``.
    sources : tuple of (str, int)
        Where they came from; sums to ``count`` if given.
    details : tuple of str
        Further lines in the box, free of sums.
    """

    label: str
    count: int
    excluded: tuple[tuple[str, int], ...] = ()
    sources: tuple[tuple[str, int], ...] = ()
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Box:
    """Lines of a box, each with whether it is bold."""

    lines: tuple[tuple[str, bool], ...]
    size: float

    @property
    def height(self) -> float:
        return text_height([line for line, _ in self.lines], self.size) + 2 * _PADDING


def flow_of_records(
    stages: Sequence[Stage],
    *,
    name: str,
    title: str | None = None,
    width_mm: float = PAGE_MM,
    footnote: str | None = None,
) -> Plot:
    """Draw the stages as boxes, what leaves the flow beside them.

    Parameters
    ----------
    stages : sequence of Stage
        Top to bottom.
    name : str
        File stem and prefix of SVG ids.
    title, footnote : str or None
        Above and below.
    width_mm : float
        85 (one journal column) or 176 (a page).

    Returns
    -------
    Plot
        ``data`` has one row a stage, source and reason.

    Raises
    ------
    PasimetaError
        For no stages, negative counts, or sums that don't close, naming the stage.
    """
    check_name(name)
    check_sums(stages)
    with theme():
        figure = _drawn(stages, title, footnote, width_mm)
    alt = _alt_text(stages, title)
    return Plot(figure=figure, name=name, alt=alt, data=_frame(stages), title=title or "Flow of records")


def check_sums(stages: Sequence[Stage]) -> None:
    """Refuse a flow in which a record is lost or counted twice.

    Raises
    ------
    PasimetaError
        Naming the stage and both numbers.
    """
    if not stages:
        raise PasimetaError("flow: no stages; give at least one")
    for stage in stages:
        counts = [stage.count, *(count for _, count in (*stage.excluded, *stage.sources))]
        if min(counts) < 0:
            raise PasimetaError(f"flow: {stage.label!r} holds a negative count; a count starts at 0")
        came = sum(count for _, count in stage.sources)
        if stage.sources and came != stage.count:
            raise PasimetaError(
                f"flow: sources of {stage.label!r} sum to {came}, not to its {stage.count}; correct one"
            )
    for stage, following in pairwise(stages):
        left = stage.count - sum(count for _, count in stage.excluded)
        if left != following.count:
            raise PasimetaError(
                f"flow: {stage.label!r} leaves {left}, but {following.label!r} has {following.count}; "
                "give every record a reason or correct a count"
            )
    if stages[-1].excluded:
        raise PasimetaError(f"flow: {stages[-1].label!r} is last but sets records aside; add the stage that is left")


def _drawn(stages: Sequence[Stage], title: str | None, footnote: str | None, width_mm: float) -> Figure:
    width, size = points(width_mm), text_sizes(width_mm)[0]
    inner = width - 2 * _MARGIN
    gap = min(_COLUMN_GAP, 0.06 * width)
    any_excluded = any(stage.excluded for stage in stages)
    box_width = (inner - gap) / 2 if any_excluded else inner
    main = [_stage_box(stage, box_width, size) for stage in stages]
    aside = [_excluded_box(stage, box_width, size) for stage in stages]
    heights = [max(box.height, other.height if other else 0.0) for box, other in zip(main, aside, strict=True)]
    heading = wrapped(title, inner, size, True) if title else ()
    below = wrapped(footnote, inner, size) if footnote else ()
    top = _MARGIN + (text_height(heading, size) + 5.0 if heading else 0.0)
    bottom = top + sum(heights) + _ROW_GAP * (len(stages) - 1) + (6.0 if below else 0.0)
    page = Page(width, bottom + text_height(below, size) + _MARGIN)
    page.text(_MARGIN, _MARGIN, heading, size=size, bold=True)
    page.text(_MARGIN, bottom, below, size=size, colour=QUIET)
    _draw_rows(page, main, aside, heights, top, box_width, gap)
    return page.figure


def _draw_rows(
    page: Page,
    main: Sequence[_Box],
    aside: Sequence[_Box | None],
    heights: Sequence[float],
    top: float,
    box_width: float,
    gap: float,
) -> None:
    centre = _MARGIN + box_width / 2
    leaving: float | None = None
    for box, other, height in zip(main, aside, heights, strict=True):
        middle = top + height / 2
        box_top = middle - box.height / 2
        if leaving is not None:
            _draw_arrow(page, (centre, leaving), (centre, box_top))
        _draw_box(page, box, _MARGIN, box_top, box_width, INK)
        if other:
            left = _MARGIN + box_width + gap
            _draw_box(page, other, left, middle - other.height / 2, box_width, QUIET)
            _draw_arrow(page, (left - gap, middle), (left, middle))
        leaving = middle + box.height / 2
        top += height + _ROW_GAP


def _stage_box(stage: Stage, width: float, size: float) -> _Box:
    extra = [*(_counted(label, count) for label, count in stage.sources), *stage.details]
    return _box(_counted(stage.label, stage.count), extra, width, size)


def _excluded_box(stage: Stage, width: float, size: float) -> _Box | None:
    if not stage.excluded:
        return None
    total = sum(count for _, count in stage.excluded)
    return _box(_counted(_SET_ASIDE, total), [_counted(reason, count) for reason, count in stage.excluded], width, size)


def _box(head: str, rest: Sequence[str], width: float, size: float) -> _Box:
    room = width - 2 * _PADDING
    bold = [(line, True) for line in wrapped(head, room, size, True)]
    plain = [(line, False) for text in rest for line in wrapped(text, room, size)]
    return _Box((*bold, *plain), size)


def _counted(label: str, count: int) -> str:
    return f"{label} (n\u00a0=\u00a0{count})"


def _draw_box(page: Page, box: _Box, left: float, top: float, width: float, colour: str) -> None:
    page.box(left, top, width, box.height, facecolor="white", edgecolor=colour, linewidth=MEDIUM)
    for index, (line, bold) in enumerate(box.lines):
        line_top = top + _PADDING + text_height([line] * index, box.size)
        page.text(left + _PADDING, line_top, line, size=box.size, bold=bold)


def _draw_arrow(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.rule([start[0], end[0]], [start[1], end[1]], width=MEDIUM)
    down = start[0] == end[0]
    tip = (end[0], end[1] - _ARROW / 2) if down else (end[0] - _ARROW / 2, end[1])
    page.marker(*tip, marker="v" if down else ">", markersize=_ARROW, markeredgewidth=0, color=INK)


def _frame(stages: Sequence[Stage]) -> pd.DataFrame:
    records = []
    for stage in stages:
        records.append(("stage", stage.label, stage.label, stage.count))
        records += [("source", stage.label, label, count) for label, count in stage.sources]
        records += [("excluded", stage.label, reason, count) for reason, count in stage.excluded]
    return pd.DataFrame(records, columns=["kind", "stage", "label", "count"])


def _alt_text(stages: Sequence[Stage], title: str | None) -> str:
    text = f"Flow diagram. {sentence(title)}"
    for stage in stages:
        inside = [*(f"{label} {count}" for label, count in stage.sources), *stage.details]
        text += sentence(f"{stage.label}: {stage.count}" + (f" ({'; '.join(inside)})" if inside else ""))
        if stage.excluded:
            total = sum(count for _, count in stage.excluded)
            reasons = "; ".join(f"{reason} {count}" for reason, count in stage.excluded)
            text += sentence(f"{_SET_ASIDE}: {total} ({reasons})")
    return text.strip()
