"""Judgements as signs: a colour, a shade and a sign each, so that neither print nor colour blindness loses one."""

from __future__ import annotations

from dataclasses import dataclass

from pasimeta.figures.page import Page
from pasimeta.figures.theme import INK, ORANGE, VERMILLION, line_height

LIGHT = 11.5  # diameter in points


@dataclass(frozen=True, slots=True)
class Signal:
    """How one judgement is drawn: face colour, the sign on it, the sign's colour, and the judgement in words."""

    face: str
    sign: str
    ink: str
    words: str


_PALE_GREEN = "#BFE8D9"
# Darker as the risk rises, and a sign each: neither black-and-white print nor colour blindness loses a judgement.
ROBINS_SIGNALS = {
    "low": Signal(_PALE_GREEN, "+", INK, "Low risk"),
    "moderate": Signal(ORANGE, "\u2212", INK, "Moderate risk"),
    "serious": Signal(VERMILLION, "\u00d7", "white", "Serious risk"),
    "critical": Signal("#7A0000", "!", "white", "Critical risk"),
    "no_information": Signal("white", "?", INK, "No information"),
}
JBI_SIGNALS = {
    "met": Signal(_PALE_GREEN, "+", INK, "Met"),
    "not_met": Signal("#7A0000", "\u00d7", "white", "Not met"),
    "unclear": Signal("white", "?", INK, "Unclear: not stated in what was seen"),
    "not_applicable": Signal("#D9D9D9", "\u2013", INK, "Doesn't apply"),
}


def draw_light(page: Page, x: float, y: float, look: Signal, size: float, diameter: float = LIGHT) -> None:
    """Draw one judgement, centred at a place of the page in points; ``size`` is that of its sign."""
    page.marker(
        x, y, marker="o", markersize=diameter, markerfacecolor=look.face, markeredgecolor=INK, markeredgewidth=0.6
    )
    page.text(x, y - line_height(size) / 2, look.sign, align="center", size=size, bold=True, colour=look.ink)
