"""Traffic lights: one row a study, one column a domain, every judgement a colour, a shade and a sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from pasimeta.errors import PasimetaError
from pasimeta.figures.lights import LIGHT, ROBINS_SIGNALS, Signal, draw_light
from pasimeta.figures.measure import LONGEST_WORD_EMS, longest_word, text_width, wrapped
from pasimeta.figures.output import Plot, check_name
from pasimeta.figures.page import Page, text_height
from pasimeta.figures.theme import (
    PAGE_MM,
    QUIET,
    RULE,
    THIN,
    line_height,
    points,
    text_sizes,
    theme,
)
from pasimeta.figures.words import sentence

_MARGIN = points(2)
_GAP = 6.0
_ROW = 15.0
_MOST_CELL = 30.0
_LEAST_CELL = 13.0
_OVERALL_GAP = 6.0


@dataclass(frozen=True, slots=True)
class LightRow:
    """One study.

    Attributes
    ----------
    label : str
    judgements : tuple of str
        One a domain, keys of the signals.
    overall : str or None
        The overall judgement, where the tool has one.
    """

    label: str
    judgements: tuple[str, ...]
    overall: str | None = None


@dataclass(frozen=True, slots=True)
class _Layout:
    width: float
    size: float
    label_width: float
    cell: float
    prefix: str

    def centre(self, column: int, columns: int) -> float:
        shift = _OVERALL_GAP if column == columns else 0.0
        return _MARGIN + self.label_width + _GAP + (column + 0.5) * self.cell + shift


def traffic_lights(
    rows: Sequence[LightRow],
    domains: Sequence[str],
    *,
    name: str,
    signals: dict[str, Signal] | None = None,
    prefix: str = "D",
    title: str | None = None,
    width_mm: float = PAGE_MM,
    footnote: str | None = None,
) -> Plot:
    """Draw the judgements of every study, with the domains and signs explained below.

    Parameters
    ----------
    rows : sequence of LightRow
        Top to bottom, up to 40.
    domains : sequence of str
        In words; columns are numbered and the words stand in the key.
    name : str
        File stem and prefix of SVG ids.
    signals : dict of str to Signal, optional
        How each judgement is drawn; ``ROBINS_SIGNALS`` by default, ``JBI_SIGNALS`` for a checklist.
    prefix : str
        Before the number of a column.
    title, footnote : str or None
        Above and below.
    width_mm : float
        85 (one journal column) or 176 (a page).

    Returns
    -------
    Plot
        ``data`` has one row a study and domain.

    Raises
    ------
    PasimetaError
        For no study, more than 40, an unknown judgement, or a number of judgements that isn't that of the domains.
    """
    check_name(name)
    looks = ROBINS_SIGNALS if signals is None else signals
    _refuse(name, rows, domains, looks)
    has_overall = rows[0].overall is not None
    with theme():
        page = _drawn(rows, domains, looks, prefix, title, footnote, width_mm, has_overall)
    return Plot(
        figure=page.figure,
        name=name,
        alt=_alt_text(rows, domains, looks, title),
        data=_frame(rows, domains),
        title=title or "Risk of bias",
    )


def _refuse(name: str, rows: Sequence[LightRow], domains: Sequence[str], looks: dict[str, Signal]) -> None:
    if not 1 <= len(rows) <= 40:
        raise PasimetaError(f"figure {name}: {len(rows)} studies; draw 1 to 40, more in several figures")
    for row in rows:
        if len(row.judgements) != len(domains) or not domains:
            raise PasimetaError(
                f"figure {name}: {row.label} has {len(row.judgements)} judgements for {len(domains)} domains"
            )
        if (row.overall is None) != (rows[0].overall is None):
            raise PasimetaError(f"figure {name}: {row.label}: give an overall judgement to every study or to none")
        for judgement in _judgements(row):
            if judgement not in looks:
                raise PasimetaError(f"figure {name}: {row.label}: {judgement!r} is not one of {', '.join(looks)}")


def _judgements(row: LightRow) -> list[str]:
    return [*row.judgements, *([row.overall] if row.overall is not None else [])]


def _drawn(
    rows: Sequence[LightRow],
    domains: Sequence[str],
    looks: dict[str, Signal],
    prefix: str,
    title: str | None,
    footnote: str | None,
    width_mm: float,
    has_overall: bool,
) -> Page:
    layout = _fitted(rows, domains, prefix, width_mm, has_overall)
    size, inner = layout.size, layout.width - 2 * _MARGIN
    labels = [wrapped(row.label, layout.label_width, size) for row in rows]
    heights = [max(_ROW, text_height(lines, size) + 3.0) for lines in labels]
    heading = wrapped(title, inner, size, True) if title else ()
    notes = wrapped(footnote, inner, size) if footnote else ()
    key = _key_lines(domains, layout.prefix, inner, size)
    used = [look for verdict, look in looks.items() if any(verdict in _judgements(row) for row in rows)]
    head_top = _MARGIN + text_height(heading, size) + (_GAP if heading else 0.0)
    rows_top = head_top + line_height(size) + 3.0
    key_top = rows_top + sum(heights) + _GAP
    signs = _sign_lines(used, inner, size)
    signs_top = key_top + text_height(key, size) + _GAP
    notes_top = signs_top + len(signs) * _ROW + (_GAP if notes else 0.0)
    page = Page(layout.width, notes_top + text_height(notes, size) + _MARGIN)
    page.text(_MARGIN, _MARGIN, heading, size=size, bold=True)
    _draw_header(page, layout, len(domains), head_top, has_overall)
    top, right = rows_top, layout.centre(len(domains) + has_overall - 1, len(domains)) + layout.cell / 2
    for row, lines, height in zip(rows, labels, heights, strict=True):
        page.rule([_MARGIN, right], [top] * 2, width=THIN, colour=RULE)
        page.text(_MARGIN, top + (height - text_height(lines, size)) / 2, lines, size=size)
        for column, verdict in enumerate(_judgements(row)):
            draw_light(page, layout.centre(column, len(domains)), top + height / 2, looks[verdict], size)
        top += height
    page.rule([_MARGIN, right], [top] * 2, width=THIN, colour=RULE)
    page.text(_MARGIN, key_top, key, size=size)
    for index, line in enumerate(signs):
        for left, look in line:
            middle = signs_top + (index + 0.5) * _ROW
            draw_light(page, left + LIGHT / 2, middle, look, size)
            page.text(left + LIGHT + 4.0, middle - line_height(size) / 2, look.words, size=size)
    page.text(_MARGIN, notes_top, notes, size=size, colour=QUIET)
    return page


def _fitted(
    rows: Sequence[LightRow], domains: Sequence[str], prefix: str, width_mm: float, has_overall: bool
) -> _Layout:
    width, columns = points(width_mm), len(domains) + has_overall
    extra = _OVERALL_GAP if has_overall else 0.0
    # a narrow page leaves the letter before the numbers out before it gives up
    for letter, size in [(letter, size) for letter in (prefix, "") for size in text_sizes(width_mm)]:
        head = max(text_width(f"{letter}{len(domains)}", size, True), text_width("All", size, True) * has_overall)
        least = max(_LEAST_CELL, head + 3.0)
        whole = max(text_width(row.label, size) for row in rows)
        word = min(max(longest_word(row.label, size) for row in rows), LONGEST_WORD_EMS * size)
        room = width - 2 * _MARGIN - _GAP - extra - columns * least
        if room < word:
            continue
        label_width = min(whole + 0.5, max(word + 0.5, min(room, 0.5 * width)))
        cell = min(_MOST_CELL, (width - 2 * _MARGIN - _GAP - extra - label_width) / columns)
        return _Layout(width, size, label_width, cell, letter)
    raise PasimetaError(f"a figure {width_mm:g} mm wide has no room for {columns} columns; draw it 176 mm wide")


def _draw_header(page: Page, layout: _Layout, columns: int, top: float, has_overall: bool) -> None:
    names = [f"{layout.prefix}{index + 1}" for index in range(columns)] + (["All"] if has_overall else [])
    for column, words in enumerate(names):
        page.text(layout.centre(column, columns), top, words, align="center", size=layout.size, bold=True)


def _key_lines(domains: Sequence[str], prefix: str, inner: float, size: float) -> list[str]:
    words = [f"{prefix}{index + 1}\u00a0{domain}" for index, domain in enumerate(domains)]
    return [line for text in words for line in wrapped(text, inner, size)]


def _sign_lines(looks: Sequence[Signal], inner: float, size: float) -> list[list[tuple[float, Signal]]]:
    """Signs with their words, as many a line as fit; each with its left edge."""
    lines: list[list[tuple[float, Signal]]] = [[]]
    left = _MARGIN
    for look in looks:
        width = LIGHT + 4.0 + text_width(look.words, size)
        if lines[-1] and left + width > _MARGIN + inner:
            lines.append([])
            left = _MARGIN
        lines[-1].append((left, look))
        left += width + 2 * _GAP
    return lines


def _frame(rows: Sequence[LightRow], domains: Sequence[str]) -> pd.DataFrame:
    records = [
        {"study": row.label, "domain": domain, "judgement": judgement}
        for row in rows
        for domain, judgement in zip([*domains, "overall"], _judgements(row), strict=False)
    ]
    return pd.DataFrame(records, columns=["study", "domain", "judgement"])


def _alt_text(rows: Sequence[LightRow], domains: Sequence[str], looks: dict[str, Signal], title: str | None) -> str:
    text = f"Traffic lights. {sentence(title)}"
    for row in rows:
        parts = [f"{d}: {looks[j].words.lower()}" for d, j in zip(domains, row.judgements, strict=True)]
        overall = f"; overall: {looks[row.overall].words.lower()}" if row.overall is not None else ""
        text += sentence(f"{row.label}: {'; '.join(parts)}{overall}")
    return text.strip()
