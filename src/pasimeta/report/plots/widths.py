"""How wide a figure is drawn: a page, or one column of a journal, which is also what a phone shows."""

from __future__ import annotations


def width_mm(*, narrow: bool) -> float:
    """Return the width of a figure in mm."""
    from pasimeta.figures.theme import COLUMN_MM, PAGE_MM

    return COLUMN_MM if narrow else PAGE_MM
