"""Numbers, counts, intervals and names as words in a sentence."""

from __future__ import annotations

from collections.abc import Iterable

SPACE = "\u00a0"
NUMBER_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def percent(proportion: float, digits: int = 0) -> str:
    """Return a proportion as text, ``47 %``."""
    return f"{100 * proportion:.{digits}f}{SPACE}%"


def percent_range(lower: float, upper: float, digits: int = 0) -> str:
    """Return an interval of proportions as text, ``18 to 62 %``; one number if both ends round alike."""
    ends = (f"{100 * lower:.{digits}f}", f"{100 * upper:.{digits}f}")
    return f"{ends[0]}{SPACE}%" if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}{SPACE}%"


def count_range(lower: int, upper: int) -> str:
    """Return an interval of counts as text, ``6 to 8``."""
    return f"{lower}" if lower == upper else f"{lower} to {upper}"


def number(value: int, noun: str, plural: str | None = None) -> str:
    """Return a small number in words with its noun, ``two studies``."""
    word = NUMBER_WORDS[value] if value < len(NUMBER_WORDS) else str(value)
    return f"{word} {noun if value == 1 else plural or noun + 's'}"


def listing(names: Iterable[str]) -> str:
    """Return names joined as in a sentence."""
    items = list(names)
    return "".join(items) if len(items) < 2 else f"{', '.join(items[:-1])} and {items[-1]}"


def markdown_text(text: str) -> str:
    """Return text that Markdown shows as it is, whatever characters it holds."""
    for character in "\\`*_{}[]<>#|":
        text = text.replace(
            character, f"\\{character}" if character not in "<>" else {"<": "&lt;", ">": "&gt;"}[character]
        )
    return text


def ratio_text(value: float) -> str:
    """Return a ratio to three significant places, beyond 10 000 either way as that."""
    if value > 1e4:
        return "above 10\u202f000"
    if 0 < value < 1e-4:
        return "below 0.0001"
    return f"{value:.3g}" if value < 999.5 else f"{value:,.0f}".replace(",", "\u202f")
