"""How wide a figure is drawn: a page, or one column of a journal, which is also what a phone shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pasimeta.figures.output import Plot


def width_mm(*, narrow: bool) -> float:
    """Return the width of a figure in mm."""
    from pasimeta.figures.theme import COLUMN_MM, PAGE_MM

    return COLUMN_MM if narrow else PAGE_MM


def drawn_wide_or_narrow(draw: Callable[..., Plot], name: str, *, narrow: bool) -> Plot:
    """Return a figure at the width asked for; a wide one also knows how it is drawn for a column.

    Parameters
    ----------
    draw : callable
        Takes ``name`` and ``width_mm``.
    name : str
        File stem.
    narrow : bool
        One column of a journal wide instead of a page.
    """
    from pasimeta.figures.theme import NARROW

    plot = draw(name=name, width_mm=width_mm(narrow=narrow))
    if narrow:
        return plot
    return replace(plot, narrow=lambda: draw(name=f"{name}{NARROW}", width_mm=width_mm(narrow=True)))
