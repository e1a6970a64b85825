"""Numbers as a journal prints them: ``47.1 %``, ``23.0–72.2``, ``−3.1 to 5.0``, ``p < 0.001``."""

from __future__ import annotations

from typing import Literal

from pasimeta.figures.estimates import Estimate, Rate

Scale = Literal["percent", "difference", "ratio", "plain"]
SCALES: tuple[Scale, ...] = ("percent", "difference", "ratio", "plain")

NO_BREAK_SPACE = "\u00a0"
EN_DASH = "\u2013"
MINUS = "\u2212"


def number(value: float, decimals: int = 1) -> str:
    """``value`` with a fixed number of decimals and a true minus sign; never a negative zero."""
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def percent(proportion: float, decimals: int = 1) -> str:
    """A proportion in percent, ``0.4706`` as ``47.1 %``, the unit tied to its number."""
    return f"{number(100 * proportion, decimals)}{NO_BREAK_SPACE}%"


def axis_percent(proportion: float) -> str:
    """A tick label: ``47 %``, with decimals only where the tick needs them."""
    return f"{100 * proportion:.6g}".replace("-", MINUS) + f"{NO_BREAK_SPACE}%"


def span(low: str, high: str) -> str:
    """Two numbers as a range, ``23.0–72.2``; with "to" where a minus sign would meet the dash."""
    if low == high:
        return low
    if low.startswith(MINUS) or high.startswith(MINUS):
        return f"{low}{NO_BREAK_SPACE}to{NO_BREAK_SPACE}{high}"
    return f"{low}{EN_DASH}{high}"


def p_value(p: float) -> str:
    """``p = 0.153``; ``p < 0.001`` below that, ``p > 0.999`` at the other end."""
    tied = NO_BREAK_SPACE
    if p < 0.001:
        return f"p{tied}<{tied}0.001"
    if p > 0.999:
        return f"p{tied}>{tied}0.999"
    return f"p{tied}={tied}{p:.3f}"


def scaled(value: float, scale: Scale, decimals: int | None = None) -> str:
    """A bare number on a scale: percent and percentage points times 100 with one decimal, others with two."""
    if scale in ("percent", "difference"):
        return number(100 * value, 1 if decimals is None else decimals)
    return number(value, 2 if decimals is None else decimals)


def interval_text(lower: float, upper: float, scale: Scale, decimals: int | None = None) -> str:
    """An interval without its parentheses, ``23.0–72.2``."""
    low, high = scaled(lower, scale, decimals), scaled(upper, scale, decimals)
    if low == high:
        return low
    return span(low, high)


def point_text(estimate: Estimate | Rate, scale: Scale, decimals: int | None = None) -> str:
    """The estimate alone, ``47.1 %``, or its range ``35.3–47.1 %`` where the count is only known as one."""
    text = span(scaled(estimate.low, scale, decimals), scaled(estimate.high, scale, decimals))
    return f"{text}{NO_BREAK_SPACE}%" if scale == "percent" else text


def estimate_text(estimate: Estimate | Rate, scale: Scale, decimals: int | None = None) -> str:
    """Estimate and interval, ``47.1 % (23.0–72.2)``, with one place to break the line: before the parenthesis."""
    interval = interval_text(estimate.ci_lower, estimate.ci_upper, scale, decimals)
    return f"{point_text(estimate, scale, decimals)} ({interval})"


def interval_heading(words: str, level: float) -> str:
    """Heading of a column of estimates, ``Rate (95 % CI)``; the level is a proportion."""
    return f"{words} ({100 * level:.6g} % CI)"
