"""The numeric axis of a figure: its limits, and as many ticks as their labels have room for."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from pasimeta.errors import PasimetaError
from pasimeta.figures.formats import MINUS, SCALES, Scale, axis_percent
from pasimeta.figures.measure import text_width

_LOG_STEPS = ((1.0, 2.0, 5.0), (1.0, 3.0), (1.0,))
_STEPS = (0.05, 0.1, 0.2, 0.25, 0.5, 1.0)
_MOST_TICKS = 7
_TICK_GAP = 4.0


def check_scale(scale: str) -> None:
    """Refuse a scale that doesn't exist.

    Raises
    ------
    PasimetaError
        Naming the ones that do.
    """
    if scale not in SCALES:
        raise PasimetaError(f"scale {scale!r}: use one of {', '.join(SCALES)}")


def axis_limits(values: Iterable[float], points: Iterable[float], scale: Scale) -> tuple[float, float]:
    """Limits that show every estimate, and the intervals unless one would flatten the rest (Handbook 5.1, 11.3.2.1).

    Parameters
    ----------
    values : iterable of float
        Ends of every interval.
    points : iterable of float
        Every estimate and reference line.
    scale : str
        ``percent`` is always 0 to 100 %, ``difference`` symmetric about none.
    """
    if scale == "percent":
        return 0.0, 1.0
    ends, centres = list(values), list(points)
    if scale == "ratio":
        return _ratio_limits(ends, centres)
    if scale == "difference":
        widest = max(abs(value) for value in (*ends, *centres, 0.01))
        reach = next((step for step in (0.1, 0.2, 0.25, 0.5, 0.75, 1.0) if step >= widest - 1e-12), 1.0)
        return -reach, reach
    low, high = min((*ends, *centres), default=0.0), max((*ends, *centres), default=1.0)
    step = _nice_step((high - low) or 1.0, 5)
    return math.floor(low / step) * step, math.ceil(high / step) * step


def tick_positions(
    limits: tuple[float, float], scale: Scale, width: float, size: float, *, log: bool = False
) -> list[float]:
    """The finest round ticks whose labels stand clear of one another on an axis ``width`` points long."""
    candidates = _log_candidates(limits) if log or scale == "ratio" else _linear_candidates(limits, scale)
    for ticks in candidates:
        places = [axis_share(tick, limits, log=log or scale == "ratio") * width for tick in ticks]
        if len(ticks) <= _MOST_TICKS and _clear(places, [tick_label(tick, scale) for tick in ticks], size):
            return list(ticks)
    return []


def axis_share(value: float, limits: tuple[float, float], *, log: bool) -> float:
    """Where a value stands between the limits, 0 to 1."""
    low, high = limits
    if log:
        return math.log(value / low) / math.log(high / low)
    return (value - low) / (high - low)


def tick_label(value: float, scale: Scale) -> str:
    """``47 %`` on a percent axis, percentage points or plain numbers on the others."""
    if scale == "percent":
        return axis_percent(value)
    shown = 100 * value if scale == "difference" else value
    return f"{round(shown, 10):.6g}".replace("-", MINUS)


def _ratio_limits(ends: Sequence[float], centres: Sequence[float]) -> tuple[float, float]:
    inner_low, inner_high = min((*centres, 1.0)), max((*centres, 1.0))
    low = max(min((*ends, inner_low)), inner_low / 20)
    high = min(max((*ends, inner_high)), inner_high * 20)
    return _log_floor(min(low, 0.5)), 1 / _log_floor(1 / max(high, 2.0))


def _log_floor(value: float) -> float:
    decade = 10.0 ** math.floor(math.log10(value) + 1e-12)
    return max(step * decade for step in (1.0, 2.0, 5.0) if step * decade <= value * (1 + 1e-12))


def _nice_step(length: float, parts: int) -> float:
    raw = length / parts
    decade = 10.0 ** math.floor(math.log10(raw))
    return next(step * decade for step in (1.0, 2.0, 2.5, 5.0, 10.0) if step * decade >= raw * (1 - 1e-12))


def _linear_candidates(limits: tuple[float, float], scale: Scale) -> list[list[float]]:
    low, high = limits
    if scale in ("percent", "difference"):
        steps: Sequence[float] = [step for step in _STEPS if (high - low) / step <= _MOST_TICKS - 1 + 1e-9]
    else:
        steps = [_nice_step(high - low, parts) for parts in (5, 4, 3, 2, 1)]
    return [_multiples(step, low, high) for step in (*steps, high - low)]


def _multiples(step: float, low: float, high: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def _log_candidates(limits: tuple[float, float]) -> list[list[float]]:
    low, high = limits
    decades = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    sets = [[step * 10.0**decade for decade in decades for step in steps] for steps in _LOG_STEPS]
    inside = [[tick for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)] for ticks in sets]
    # Over many decades, every second or third of them.
    sparse = [[10.0**decade for decade in decades if decade % n == 0 and low <= 10.0**decade <= high] for n in (2, 3)]
    return [*inside, *sparse, [low, high]]


def _clear(places: Sequence[float], labels: Sequence[str], size: float) -> bool:
    widths = [text_width(label, size) for label in labels]
    pairs = zip(places, widths, places[1:], widths[1:], strict=False)
    return bool(labels) and all(right - left >= (a + b) / 2 + _TICK_GAP for left, a, right, b in pairs)
