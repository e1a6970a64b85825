"""Fits text columns into a width: which wrap, how far, and at which type size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pasimeta.figures.measure import LONGEST_WORD_EMS, block_width, longest_word, text_width, wrapped
from pasimeta.figures.page import Align


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a figure's table.

    Attributes
    ----------
    key : str
        ``label``, ``count``, ``weight``, ``estimate``, ``plot``, or a key of the rows' ``extra``.
    header : str
        Text at its head; a line feed breaks it.
    align : str
        ``left``, ``center`` or ``right``.
    """

    key: str
    header: str = ""
    align: Align = "left"


@dataclass(frozen=True, slots=True)
class Cell:
    """Text of one cell, in points where it concerns room."""

    text: str = ""
    bold: bool = False
    indent: float = 0.0


@dataclass(frozen=True, slots=True)
class Fit:
    """Widths in points, one a column, the type size they hold for, and how many lines the rows take in all."""

    widths: tuple[float, ...]
    size: float
    lines: int


def fitted(
    rows: Sequence[Sequence[Cell]], wrappable: Sequence[bool], breakable: Sequence[bool], room: float, size: float
) -> Fit | None:
    """Column widths that fit into ``room`` points at a type size, or ``None``.

    Parameters
    ----------
    rows : sequence of sequence of Cell
        The header among them.
    wrappable : sequence of bool
        Which columns may break at spaces.
    breakable : sequence of bool
        Which may break inside a long word too.
    room, size : float
        Points.
    """
    columns = list(zip(*rows, strict=True))
    natural = [max(_natural(cell, size) for cell in column) for column in columns]
    narrow = [
        min(full, max(_narrowest(cell, size, inside) for cell in column)) if may_wrap else full
        for column, full, may_wrap, inside in zip(columns, natural, wrappable, breakable, strict=True)
    ]
    if sum(narrow) > room:
        return None
    widths = _squeezed(natural, narrow, room)
    tight = [max(_used(cell, width, size) for cell in column) for column, width in zip(columns, widths, strict=True)]
    lines = sum(max(len(cell_lines(cell, width, size)) for cell, width in zip(row, tight, strict=True)) for row in rows)
    return Fit(tuple(tight), size, lines)


def best_fit(rows: Sequence[Sequence[Cell]], wordy: Sequence[bool], room: float, sizes: Sequence[float]) -> Fit | None:
    """The fit a reader would choose: whole words first, then the larger type, then the fewer lines.

    Parameters
    ----------
    rows : sequence of sequence of Cell
        The header among them.
    wordy : sequence of bool
        Columns of words rather than numbers: the first to wrap, the only ones ever broken inside a word.
    room : float
        Points for all columns together.
    sizes : sequence of float
        Type sizes, best first.
    """
    always, never = [True] * len(wordy), [False] * len(wordy)
    for breakable in (never, list(wordy)):
        for size in sizes:
            fits = [fitted(rows, wrappable, breakable, room, size) for wrappable in (wordy, always)]
            found = [fit for fit in fits if fit]
            if found:
                return min(found, key=lambda fit: fit.lines)
    return None


def cell_lines(cell: Cell, width: float, size: float) -> tuple[str, ...]:
    """The cell's text broken to a column's width; an empty cell has no line."""
    if not cell.text:
        return ()
    # A hair of slack keeps text that defined the width from wrapping by rounding.
    return wrapped(cell.text, width - cell.indent + 0.01, size, cell.bold)


def _natural(cell: Cell, size: float) -> float:
    return cell.indent + max(text_width(line, size, cell.bold) for line in cell.text.split("\n")) if cell.text else 0.0


def _narrowest(cell: Cell, size: float, inside: bool) -> float:
    if not cell.text:
        return 0.0
    word = longest_word(cell.text, size, cell.bold)
    return cell.indent + (min(word, LONGEST_WORD_EMS * size) if inside else word)


def _used(cell: Cell, width: float, size: float) -> float:
    lines = cell_lines(cell, width, size)
    return cell.indent + block_width(lines, size, cell.bold) if lines else 0.0


def _squeezed(natural: Sequence[float], narrow: Sequence[float], room: float) -> list[float]:
    """Lower the widest columns to one common width until the sum fits; none below its narrowest."""
    if sum(natural) <= room:
        return list(natural)
    low, high = 0.0, max(natural)
    for _ in range(50):
        cap = (low + high) / 2
        total = sum(max(least, min(full, cap)) for full, least in zip(natural, narrow, strict=True))
        low, high = (cap, high) if total <= room else (low, cap)
    return [max(least, min(full, low)) for full, least in zip(natural, narrow, strict=True)]
