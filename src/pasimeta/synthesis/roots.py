"""Roots of many increasing functions at once: Newton's steps, kept inside a bracket."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pasimeta.effects.validation import Array

Columns = NDArray[np.intp]
ValueAndSlope = Callable[[Array, Columns], tuple[Array, Array]]


def root_of_increasing(
    function: ValueAndSlope,
    start: Array,
    lower: Array | float = -np.inf,
    upper: Array | float = np.inf,
    *,
    tolerance: float = 1e-6,
    decrement: float = 0.0,
    longest_step: Array | float = np.inf,
    rounds: int = 200,
) -> Array:
    """Where each function crosses zero from below, or the end of its bracket where it doesn't.

    Parameters
    ----------
    function : callable
        ``function(x, which)`` gives values and slopes at ``x`` of the problems ``which``.
    start, lower, upper : ndarray, shape (problems,)
        First guess and bracket; an open bracket (infinite) is closed as signs are seen.
    tolerance : float
        A Newton step this small (relative to ``max(1, |x|)`` on an open bracket, to ``|x|`` otherwise) is the last:
        convergence is quadratic, so the root is good to about its square.
    decrement : float
        If the function is minus a score, a step that gains no more log-likelihood than this is the last, too.
    longest_step : float or ndarray, shape (problems,)
        Steps are cut to this length, for functions that flatten far from their root.
    rounds : int
        Upper limit; each round halves the bracket or takes Newton's step.

    Returns
    -------
    ndarray, shape (problems,)
    """
    x = np.array(start, dtype=float)
    low, high = np.broadcast_to(lower, x.shape).astype(float), np.broadcast_to(upper, x.shape).astype(float)
    floor = np.where(np.isfinite(low) & np.isfinite(high), 0.0, 1.0)
    longest = np.broadcast_to(longest_step, x.shape)
    active = np.arange(x.size)
    for _ in range(rounds):
        if not active.size:
            break
        at = x[active]
        value, slope = function(at, active)
        low[active] = np.where(value <= 0, at, low[active])
        high[active] = np.where(value >= 0, at, high[active])
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.clip(-value / slope, -longest[active], longest[active])
        proposal = at + step
        newton = (slope > 0) & (proposal >= low[active]) & (proposal <= high[active])
        x[active] = np.where(newton, proposal, _halfway(at, value, low[active], high[active], longest[active]))
        size = np.maximum(np.abs(at), floor[active])
        small = (np.abs(step) <= tolerance * size) | (np.abs(step * value) <= decrement)
        close = newton & small & (np.abs(step) < longest[active])
        closed = high[active] - low[active] <= 1e-14 * size
        active = active[~(close | closed | (value == 0))]
    return x


def _halfway(x: Array, value: Array, low: Array, high: Array, longest: Array) -> Array:
    reach = np.where(np.isfinite(longest), longest, 1.0)
    towards = np.where(value < 0, x + reach, x - reach)
    with np.errstate(invalid="ignore"):
        middle = 0.5 * (low + high)
    return np.where(np.isfinite(low) & np.isfinite(high), middle, towards)
