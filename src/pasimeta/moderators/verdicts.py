"""Words that follow from numbers by rule: a difference is identified, and excluded or not, never "suggested"."""

from __future__ import annotations

from typing import Literal

from pasimeta.errors import PasimetaError

Verdict = Literal["not identified", "compatible with no difference", "excludes no difference"]
NOT_IDENTIFIED: Verdict = "not identified"
COMPATIBLE: Verdict = "compatible with no difference"
EXCLUDES: Verdict = "excludes no difference"


def verdict(lower: float | None, upper: float | None, none: float = 0.0, *, identified: bool = True) -> Verdict:
    """Return what an interval says of "no difference".

    Parameters
    ----------
    lower, upper : float or None
        The interval; None where there is none.
    none : float
        The value of no difference: 0, or 1 for ratios.
    identified : bool
        Whether the design could tell the moderator from everything else that differs with it.

    Raises
    ------
    PasimetaError
        If the limits are out of order.
    """
    if not identified or lower is None or upper is None:
        return NOT_IDENTIFIED
    if lower > upper:
        raise PasimetaError(f"interval {lower:g} to {upper:g}: limits out of order; give the lower one first")
    return COMPATIBLE if lower <= none <= upper else EXCLUDES
