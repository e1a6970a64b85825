"""How wide text is, and where to break it: every column, box and label is laid out from these measurements."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import accumulate, takewhile

from matplotlib.font_manager import FontProperties, findfont
from matplotlib.ft2font import FT2Font, LoadFlags

from pasimeta.figures.theme import FONT, PNG_DPI

# A word wider than this many ems may be broken inside where room is short; a registry number stays whole.
LONGEST_WORD_EMS = 8.5


@cache
def _font(bold: bool) -> FT2Font:
    return FT2Font(findfont(FontProperties(family=FONT, weight="bold" if bold else "normal")))


@lru_cache(maxsize=8192)
def text_width(text: str, size: float, bold: bool = False) -> float:
    """Width in points of one line of text, as it is drawn: its letters not fitted to any dots."""
    font = _font(bold)
    font.set_size(size, PNG_DPI)
    font.set_text(text, 0.0, flags=LoadFlags.NO_HINTING)
    width, _ = font.get_width_height()
    return width / 64 * 72 / PNG_DPI


def tied(text: str) -> str:
    """``text`` with the spaces that mustn't end a line made unbreakable: ``95 % CI``, ``p = 0.74``."""
    text = re.sub(r" (?=%)", "\u00a0", text).replace("\u00a0% CI", "\u00a0%\u00a0CI")
    return re.sub(r" ([=<>\u2264\u2265]) ", "\u00a0\\1\u00a0", text)


def wrapped(text: str, width: float, size: float, bold: bool = False) -> tuple[str, ...]:
    """Lines of ``text`` no wider than ``width`` points.

    Breaks at spaces (not at no-break spaces), else after a hyphen, slash or dash, else inside a word. Line feeds stay.
    """
    lines: list[str] = []
    for paragraph in tied(text).split("\n"):
        lines.extend(_wrapped_paragraph(paragraph, width, size, bold))
    return tuple(lines)


def longest_word(text: str, size: float, bold: bool = False) -> float:
    """Width in points of the widest piece without a space, or a hyphen within a word, to break at."""
    return max(text_width(word, size, bold) for word in re.split(r"[ \n]|(?<=[^\W\d_]{3}-)", tied(text)))


def block_width(lines: tuple[str, ...], size: float, bold: bool = False) -> float:
    """Width in points of the widest line."""
    return max((text_width(line, size, bold) for line in lines), default=0.0)


def _wrapped_paragraph(paragraph: str, width: float, size: float, bold: bool) -> list[str]:
    lines: list[str] = []
    words = paragraph.split(" ")
    while words:
        if not words[0] and len(words) > 1:  # no line begins with a space
            del words[0]
            continue
        count = _words_that_fit(words, width, size, bold)
        if not count:
            *full, words[0] = _broken_word(words[0], width, size, bold)
            lines.extend(full)
            count = max(1, _words_that_fit(words, width, size, bold))
        lines.append(" ".join(words[:count]))
        del words[:count]
    return lines


def _words_that_fit(words: list[str], width: float, size: float, bold: bool) -> int:
    """How many words, from the first, stand on one line; 0 if the first is too wide.

    Measuring a line costs more than all else here, so the count is guessed from single characters, then corrected.
    """

    def fits(count: int) -> bool:
        return text_width(" ".join(words[:count]), size, bold) <= width

    ends = accumulate(sum(_advance(character, size, bold) for character in f"{word} ") for word in words)
    count = sum(1 for _ in takewhile(lambda end: end <= width, ends))
    while count < len(words) and fits(count + 1):
        count += 1
    while count and not fits(count):
        count -= 1
    return count


@cache
def _advance(character: str, size: float, bold: bool) -> float:
    """About how much wider one more character makes a line, points."""
    return text_width(f"n{character}n", size, bold) - text_width("nn", size, bold)


def _broken_word(word: str, width: float, size: float, bold: bool) -> list[str]:
    if text_width(word, size, bold) <= width:
        return [word]
    pieces = [
        piece
        for part in re.findall(r"[^-/\u2013_]*[-/\u2013_]|[^-/\u2013_]+", word)
        for piece in _fitting(part, width, size, bold)
    ]
    lines = [""]
    for piece in pieces:
        if text_width(lines[-1] + piece, size, bold) <= width or not lines[-1]:
            lines[-1] += piece
        else:
            lines.append(piece)
    return lines


def _fitting(part: str, width: float, size: float, bold: bool) -> list[str]:
    return [part] if text_width(part, size, bold) <= width else list(part)
