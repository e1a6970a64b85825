"""Numbers as a journal prints them: ``47.1 %``, ``23.0–72.2``, ``−3.1 to 5.0``, ``p < 0.001``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pasimeta.figures.estimates import Estimate, Rate

Scale = Literal["percent", "difference", "ratio", "plain"]
SCALES: tuple[Scale, ...] = ("percent", "difference", "ratio", "plain")

NO_BREAK_SPACE = "\u00a0"
EN_DASH = "\u2013"
MINUS = "\u2212"


@dataclass(frozen=True, slots=True)
class Numbers:
    """How numbers are spelt: decimal point, what joins the ends of an interval, its brackets, the percent sign."""

    point: str = "."
    to: str = EN_DASH
    brackets: tuple[str, str] = ("(", ")")
    percent: str = f"{NO_BREAK_SPACE}%"

    def decimal(self, text: str) -> str:
        """``text`` with this decimal point."""
        return text.replace(".", self.point)


HOUSE_NUMBERS = Numbers()


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


def span(low: str, high: str, to: str = EN_DASH) -> str:
    """Two numbers as a range, ``23.0–72.2``; with "to" where a minus sign would meet a dash."""
    if low == high:
        return low
    dash = to in (EN_DASH, "-")
    if dash and (low.startswith(MINUS) or high.startswith(MINUS)):
        return f"{low}{NO_BREAK_SPACE}to{NO_BREAK_SPACE}{high}"
    return f"{low}{to}{high}"


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


def interval_text(
    lower: float, upper: float, scale: Scale, decimals: int | None = None, numbers: Numbers = HOUSE_NUMBERS
) -> str:
    """An interval without its parentheses, ``23.0–72.2``."""
    low, high = (numbers.decimal(scaled(end, scale, decimals)) for end in (lower, upper))
    return span(low, high, numbers.to)


def point_text(
    estimate: Estimate | Rate, scale: Scale, decimals: int | None = None, numbers: Numbers = HOUSE_NUMBERS
) -> str:
    """The estimate alone, ``47.1 %``, or its range ``35.3–47.1 %`` where the count is only known as one."""
    low, high = (numbers.decimal(scaled(end, scale, decimals)) for end in (estimate.low, estimate.high))
    text = span(low, high, numbers.to if numbers.to != ", " else EN_DASH)
    return f"{text}{numbers.percent}" if scale == "percent" else text


def estimate_text(
    estimate: Estimate | Rate, scale: Scale, decimals: int | None = None, numbers: Numbers = HOUSE_NUMBERS
) -> str:
    """Estimate and interval, ``47.1 % (23.0–72.2)``, with one place to break the line: before the parenthesis."""
    interval = bracketed(estimate.ci_lower, estimate.ci_upper, scale, decimals, numbers)
    return f"{point_text(estimate, scale, decimals, numbers)} {interval}"


def bracketed(
    lower: float, upper: float, scale: Scale, decimals: int | None = None, numbers: Numbers = HOUSE_NUMBERS
) -> str:
    """An interval in its brackets, ``(23.0–72.2)``."""
    left, right = numbers.brackets
    inside = interval_text(lower, upper, scale, decimals, numbers).replace(", ", f",{NO_BREAK_SPACE}")
    return f"{left}{inside}{right}"


def interval_heading(words: str, level: float) -> str:
    """Heading of a column of estimates, ``Rate (95 % CI)``; the level is a proportion."""
    return f"{words} ({100 * level:.6g} % CI)"
