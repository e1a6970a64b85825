"""Which integer counts a rounded percentage admits."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

from pasimeta.errors import PasimetaError

# bounded, so that an absurd number can't become an absurd computation
_PERCENT = re.compile(r"\s*(\d{1,3}(?:[.,]\d{1,6})?|[.,]\d{1,6})\s*%?\s*")


def compatible_counts(percent: str, n: int) -> tuple[int, ...]:
    """Return the counts out of ``n`` that print as ``percent``.

    A count fits when its exact percentage lies within half a unit of the last printed digit, both ends included, so
    that rounding half up and half to even both pass.

    Parameters
    ----------
    percent : str
        The percentage as printed: its digits tell how it was rounded ("47", "47.1", "47.10 %").
    n : int
        The denominator, at least 1.

    Returns
    -------
    tuple of int
        Ascending; empty when no count fits.

    Raises
    ------
    PasimetaError
        The percentage isn't a number, or n is below 1.

    References
    ----------
    Brown NJL, Heathers JAJ (2017). The GRIM test. Soc Psychol Personal Sci 8(4):363-369.

    Examples
    --------
    >>> compatible_counts("47.1", 17)
    (8,)
    >>> compatible_counts("7.1", 17)
    ()
    """
    match = _PERCENT.fullmatch(percent)
    if match is None:
        raise PasimetaError(f"percentage '{percent[:40]}': is not a plain number; write it as 47 or 47.1")
    if n < 1:
        raise PasimetaError(f"denominator {n}: must be at least 1")
    digits = match[1].replace(",", ".")
    decimals = len(digits.partition(".")[2])
    value = Fraction(Decimal(digits))
    half = Fraction(1, 2 * 10**decimals)
    lowest = max(0, ceil((value - half) * n / 100))
    highest = min(n, floor((value + half) * n / 100))
    return tuple(range(lowest, highest + 1))


def rounded_percent(events: int, n: int, decimals: int = 1) -> str:
    """Return 100 events / n rounded half up, as it would be printed."""
    scaled = Fraction(100 * events * 10**decimals, n)
    units = floor(scaled + Fraction(1, 2))
    whole, rest = divmod(units, 10**decimals)
    return f"{whole}.{rest:0{decimals}d}" if decimals else str(whole)
