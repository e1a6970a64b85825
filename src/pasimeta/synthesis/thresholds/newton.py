"""Newton's method for many smooth maxima at once, with observed information by differences of the score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pasimeta.effects.validation import Array
from pasimeta.synthesis.thresholds.categories import Indices

ValueAndScore = Callable[[Array, Indices], tuple[Array, Array]]

_DIFFERENCE = 1e-5
_ROUNDS = 60
_HALVINGS = 12
_FLATTEST = 1e-6
_QUICK = 0.05  # while a step leaves less than this share to gain, its curvature will do for the next
_KEPT = 1e-4  # of the decrement, for steps by a kept curvature: they don't square the error


@dataclass(frozen=True, slots=True)
class Maximum:
    """Where each function is largest.

    Attributes
    ----------
    at : ndarray, shape (problems, size)
    value : ndarray, shape (problems,)
    score : ndarray, shape (problems, size)
        Nearly 0 where the coordinate is free.
    information : ndarray, shape (problems, size, size)
        Minus the second derivatives by the free coordinates; 0 elsewhere.
    converged : ndarray of bool, shape (problems,)
    """

    at: Array
    value: Array
    score: Array
    information: Array
    converged: Array


def maximum(
    function: ValueAndScore,
    start: Array,
    free: Indices | None = None,
    *,
    decrement: float = 1e-10,
    longest_step: float = 1.0,
    curvature: bool = True,
) -> Maximum:
    """Climb from ``start`` (shape (problems, size)).

    Parameters
    ----------
    function : callable
        ``function(x, which)`` gives values and scores at ``x`` of the problems ``which``.
    start : ndarray, shape (problems, size)
    free : ndarray of int, optional
        Coordinates to move, the others held; all by default.
    decrement : float
        A step that promises less than this is the last.
    longest_step : float
        No coordinate moves farther in one step.
    curvature : bool
        Whether the information is wanted at the maximum, and where that is to more digits than its value tells.

    Returns
    -------
    Maximum
    """
    problems, size = start.shape
    free = np.arange(size) if free is None else free
    everyone = np.arange(problems)
    x = start.astype(float).copy()
    value, score = function(x, everyone)
    information = np.zeros((problems, len(free), len(free)))
    gain, converged, kept = np.zeros(problems), np.zeros(problems, dtype=bool), np.zeros(problems, dtype=bool)
    active = everyone
    for _ in range(_ROUNDS):
        if not active.size:
            break
        slope = score[np.ix_(active, free)]
        step = _step(information[active], slope)
        promised = (step * slope).sum(axis=1)
        fresh = promised >= _QUICK * gain[active]
        if fresh.any():
            which = active[fresh]
            information[which] = _information(function, x[which], score[which], which, free)
            step[fresh] = _step(information[which], slope[fresh])
            promised[fresh] = (step[fresh] * slope[fresh]).sum(axis=1)
        gain[active], kept[active] = promised, ~fresh
        converged[active] = promised < np.where(fresh | (not curvature), 1.0, _KEPT) * decrement
        length = np.abs(step).max(axis=1, initial=0.0)
        whole = np.zeros((len(active), size))
        whole[:, free] = step / np.maximum(length / longest_step, 1.0)[:, None]
        moved = _move(function, x, value, score, active, whole)
        active = active[moved & ~converged[active]]
    if curvature and kept.any():
        which = np.flatnonzero(kept)
        information[which] = _information(function, x[which], score[which], which, free)
    second = np.zeros((problems, size, size))
    second[np.ix_(everyone, free, free)] = information
    return Maximum(x, value, score, second, converged)


def _information(function: ValueAndScore, x: Array, score: Array, which: Indices, free: Indices) -> Array:
    problems, size = len(x), len(free)
    if size == 0:
        return np.zeros((problems, 0, 0))
    shifted = (x[:, None, :] + _DIFFERENCE * np.eye(x.shape[1])[free]).reshape(-1, x.shape[1])
    _, scores = function(shifted, np.repeat(which, size))
    second = (scores.reshape(problems, size, -1)[:, :, free] - score[:, None, free]) / _DIFFERENCE
    return -0.5 * (second + second.transpose(0, 2, 1))


def _step(information: Array, score: Array) -> Array:
    """Newton's step, uphill whatever the curvature."""
    curvature, axes = np.linalg.eigh(information)
    along = np.einsum("pij,pi->pj", axes, score)
    return np.einsum("pij,pj->pi", axes, along / np.maximum(np.abs(curvature), _FLATTEST))


def _move(function: ValueAndScore, x: Array, value: Array, score: Array, active: Indices, step: Array) -> Array:
    """Take the step, or the largest of its halves that doesn't lead down; say who moved."""
    moved = np.zeros(len(active), dtype=bool)
    for halving in range(_HALVINGS):
        open_ = np.flatnonzero(~moved)
        if not open_.size:
            break
        which = active[open_]
        candidate = x[which] + step[open_] / 2**halving
        found, slope = function(candidate, which)
        better = found >= value[which] - 1e-13 * np.abs(value[which])
        x[which[better]], value[which[better]], score[which[better]] = candidate[better], found[better], slope[better]
        moved[open_[better]] = True
    return moved
