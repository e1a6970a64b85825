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
    low, high, longest = (np.broadcast_to(a, x.shape).astype(float) for a in (lower, upper, longest_step))
    floor = np.where(np.isfinite(low) & np.isfinite(high), 0.0, 1.0)
    active, at = np.arange(x.size), x
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(rounds):
            if not active.size:
                break
            value, slope = function(at, active)
            low, high = np.where(value <= 0, at, low), np.where(value >= 0, at, high)
            step = clipped(-value / slope, -longest, longest)
            proposal = at + step
            newton = (slope > 0) & (proposal >= low) & (proposal <= high)
            if not newton.all():
                proposal = np.where(newton, proposal, _halfway(at, value, low, high, longest))
            size, length = np.maximum(np.abs(at), floor), np.abs(step)
            small = (length <= tolerance * size) | (length * np.abs(value) <= decrement)
            done = (newton & small & (length < longest)) | (high - low <= 1e-14 * size) | (value == 0)
            x[active] = at = proposal
            if done.any():
                left = ~done
                active, at, low, high = active[left], at[left], low[left], high[left]
                floor, longest = floor[left], longest[left]
    return x


def clipped(values: Array, low: Array | float, high: Array | float) -> Array:
    """What ``numpy.clip`` returns, without the checks that take most of its time on short arrays."""
    inside: Array = np.minimum(np.maximum(values, low), high)
    return inside


def _halfway(x: Array, value: Array, low: Array, high: Array, longest: Array) -> Array:
    reach = np.where(np.isfinite(longest), longest, 1.0)
    towards = np.where(value < 0, x + reach, x - reach)
    return np.where(np.isfinite(low) & np.isfinite(high), 0.5 * (low + high), towards)
