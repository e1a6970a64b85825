"""Registry numbers, whatever the registry."""

from __future__ import annotations

import re

from pasimeta.evidence.readers.source import Text

_NUMBER = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"NCT\s?\d{8}"
    r"|ISRCTN\s?\d{8}"
    r"|IRCT\d{10,17}N\d{1,3}"
    r"|ChiCTR(?:-?[A-Z]{2,5})?-?\d{8,12}"
    r"|(?:EUCTR|EudraCT:?\s?)?(?:19|20)\d{2}-\d{6}-\d{2}(?:-\d{2}|-[A-Z]{2})?"
    r"|ACTRN\d{14}|DRKS\d{8}|UMIN\d{9}|KCT\d{7}|TCTR\d{11}|PACTR\d{15,16}"
    r"|CTRI/\d{4}/\d{2,3}/\d{6}|jRCT[a-z]{0,2}\d{9,12}|JPRN-[A-Za-z]{4,6}\d{9,12}|NTR\d{3,5}|NL-OMON\d{4,6}"
    r")(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d{3}")
_OWN = re.compile(r"[A-Za-z0-9][A-Za-z0-9./_-]{2,29}")
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}")


def registry_numbers(text: Text) -> list[tuple[str, int, int]]:
    """Return registry numbers in a text with their columns, in canonical spelling."""
    if _DIGITS.search(text.chars) is None:
        return []
    return [(_canonical(match[0]), match.start(), match.end()) for match in _NUMBER.finditer(text.chars)]


def own_number(text: Text) -> str | None:
    """Return the sponsor's own trial number when a field holds nothing else: one word with digits, not a date."""
    word = text.chars.strip()
    if (
        _OWN.fullmatch(word)
        and any(char.isdigit() for char in word)
        and not _DATE.fullmatch(word)
        and not word.isdigit()
    ):
        return word
    return None


def _canonical(number: str) -> str:
    compact = re.sub(r"[\s:]", "", number)
    upper = compact.upper()
    if upper.startswith("EUDRACT"):
        return compact[7:]
    if upper.startswith("CHICTR"):
        return "ChiCTR" + upper[6:]
    if upper.startswith("JRCT"):
        return "jRCT" + compact[4:]
    return upper
