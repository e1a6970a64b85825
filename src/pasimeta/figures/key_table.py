"""The key of a chart as a table: columns as wide as their texts need, broken where the page has no more room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pasimeta.errors import PasimetaError
from pasimeta.figures.chart import MARGIN, MARKER_ROOM, KeyRow, Look
from pasimeta.figures.columns import Cell, best_fit, cell_lines
from pasimeta.figures.measure import wrapped
from pasimeta.figures.theme import points, text_sizes


@dataclass(frozen=True, slots=True)
class KeyLine:
    """One row of the key: its marker (None for none), a text a column, and a quiet note below."""

    look: Look | None
    texts: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class KeyTable:
    """Rows as they are drawn, left ends and widths of their columns in points, and the type size they hold for."""

    rows: tuple[KeyRow, ...]
    lefts: tuple[float, ...]
    widths: tuple[float, ...]
    size: float


def key_table(
    headings: Sequence[str], lines: Sequence[KeyLine], wordy: Sequence[bool], width_mm: float, gap: float
) -> KeyTable:
    """Return the key's rows, the headings first and in bold, fitted to the page.

    Parameters
    ----------
    headings : sequence of str
        Of the columns; if all are empty, there is no row of them.
    lines : sequence of KeyLine
    wordy : sequence of bool
        Which columns hold words rather than numbers, and so wrap first.
    width_mm : float
        Of the page.
    gap : float
        Points between two columns.

    Raises
    ------
    PasimetaError
        If they have no room.
    """
    texts = [[Cell(text, bold=True) for text in headings], *([Cell(text) for text in line.texts] for line in lines)]
    room = points(width_mm) - 2 * MARGIN - MARKER_ROOM
    fit = best_fit(texts, wordy, room - gap * (len(headings) - 1), text_sizes(width_mm))
    if fit is None:
        raise PasimetaError(
            f"a figure {width_mm:g} mm wide has no room for its key; shorten the labels or draw it 176 mm wide"
        )
    heads, *cells = (
        tuple(cell_lines(cell, width, fit.size) for cell, width in zip(row, fit.widths, strict=True)) for row in texts
    )
    rows = [KeyRow(None, heads, bold=True)] if any(headings) else []
    for line, row in zip(lines, cells, strict=True):
        rows.append(KeyRow(line.look, row, wrapped(line.note, room, fit.size) if line.note else ()))
    lefts = [MARGIN + MARKER_ROOM]
    for width in fit.widths[:-1]:
        lefts.append(lefts[-1] + width + gap)
    return KeyTable(tuple(rows), tuple(lefts), fit.widths, fit.size)
