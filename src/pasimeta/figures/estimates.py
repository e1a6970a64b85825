"""What a figure draws of a study or a group: a point, or the stretch between two counts, with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pasimeta.errors import PasimetaError


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """Responders out of patients, where the count may be known only as a range.

    Attributes
    ----------
    events_lower, events_upper : int
        Fewest and most responders the source allows; equal where the count is exact.
    n : int
        Patients.
    ci_lower, ci_upper : float
        Interval as proportions; for a range of counts, the outermost ends of the intervals of both counts.

    Raises
    ------
    PasimetaError
        If the counts aren't in order within 0..n, or the interval doesn't hold the estimate.
    """

    events_lower: int
    events_upper: int
    n: int
    ci_lower: float
    ci_upper: float

    def __post_init__(self) -> None:
        """Refuse counts that can't be."""
        if not 0 <= self.events_lower <= self.events_upper <= self.n or self.n < 1:
            counts = f"{self.events_lower} to {self.events_upper} of {self.n}"
            raise PasimetaError(f"rate: {counts} is not a range of counts; give 0 <= lower <= upper <= n")
        _refuse_disorder(f"rate {self.count}", self.low, self.high, self.ci_lower, self.ci_upper)

    @property
    def low(self) -> float:
        """Proportion at the fewest events."""
        return self.events_lower / self.n

    @property
    def high(self) -> float:
        """Proportion at the most events."""
        return self.events_upper / self.n

    @property
    def events(self) -> str:
        """``8``, or ``6–8`` for a range."""
        low, high = self.events_lower, self.events_upper
        return f"{low}" if low == high else f"{low}\u2013{high}"

    @property
    def count(self) -> str:
        """``8/17``, or ``6–8/17`` for a range."""
        return f"{self.events}/{self.n}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """Any estimate with its interval: a pooled rate, a ratio, a difference.

    Attributes
    ----------
    value : float
        The estimate (a proportion for percent scales, not a percentage).
    ci_lower, ci_upper : float
        Its interval.
    upper_value : float or None
        The other end where the estimate itself is only known as a range from ``value``.
    count : str
        Text of the count column, ``8/24``.

    Raises
    ------
    PasimetaError
        If a number isn't finite or the interval doesn't hold the estimate.
    """

    value: float
    ci_lower: float
    ci_upper: float
    upper_value: float | None = None
    count: str = ""

    def __post_init__(self) -> None:
        """Refuse numbers that can't be drawn."""
        _refuse_disorder("estimate", self.low, self.high, self.ci_lower, self.ci_upper)

    @property
    def low(self) -> float:
        """Lower end of the estimate."""
        return self.value

    @property
    def high(self) -> float:
        """Upper end of the estimate; the same as ``low`` where it is a point."""
        return self.value if self.upper_value is None else self.upper_value


def _refuse_disorder(what: str, low: float, high: float, ci_lower: float, ci_upper: float) -> None:
    numbers = (ci_lower, low, high, ci_upper)
    if not all(math.isfinite(value) for value in numbers):
        raise PasimetaError(f"{what}: {numbers} holds a value that is not finite; drop the row or supply the value")
    # Interval ends computed by root finding may miss a boundary estimate (0 or 1) by rounding.
    slack = 1e-9 * max(1.0, *(abs(value) for value in numbers))
    if not ci_lower - slack <= low <= high + slack <= ci_upper + 2 * slack:
        raise PasimetaError(
            f"{what}: interval {ci_lower:.6g} to {ci_upper:.6g} does not hold the estimate {low:.6g} to {high:.6g}; "
            "give lower <= estimate <= upper on one scale (proportions, not percentages)"
        )
