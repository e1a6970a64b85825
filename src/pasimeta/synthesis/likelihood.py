"""The tau2 that maximizes the (restricted) likelihood: certainly the global maximum, to the last digit.

A meta-analysis likelihood can have several maxima in tau2, and one of them can lie at 0. The score is
``(y'PPy - tr P) / 2``, a difference of two functions that fall as tau2 grows, though no faster than powers of
``min v + tau2``, so their values at the two ends of an interval bound the score, and likewise its slope, over the whole
interval. Intervals that can't hold a maximum are discarded, the others split, until every one left holds exactly one
maximum; Newton's method then finds it, and the highest of them (and of tau2 = 0) is the answer.

References
----------
Hansen E, Walster GW. Global Optimization Using Interval Analysis, 2nd ed. Dekker 2004, ch. 9.
Viechtbauer W. Bias and efficiency of meta-analytic variance estimators in the random-effects model. J Educ Behav Stat
2005;30:261-293, eqs. 8-11.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pasimeta.effects.validation import Array
from pasimeta.errors import PasimetaError
from pasimeta.synthesis.projection import ScoreTerms, centred, score_terms_of, unweighted_rss

#: Intervals of the first partition: few where many columns share a call, more where a call costs more than its work.
_FEWEST_PARTS, _MOST_PARTS, _SHARED_CALL = 5, 40, 200
#: Parts of each later split, and rounds of splitting.
_PARTS, _MAX_ROUNDS = 2, 40
#: Elements of one temporary array: small enough for the cache, large enough to hide the interpreter.
_BLOCK_ELEMENTS = 2**17
_MAX_STEPS = 60
_STEP_TOLERANCE = 1e-8

Objective = Callable[[Array, Array, Array, Array], Array]


class _Intervals(NamedTuple):
    """Intervals of tau2, each of one data set (``column``), with the score's terms at both ends."""

    column: np.ndarray
    low: Array
    high: Array
    at_low: ScoreTerms
    at_high: ScoreTerms

    def only(self, chosen: np.ndarray) -> _Intervals:
        """The chosen intervals."""
        low, high = (ScoreTerms(*(term[chosen] for term in end)) for end in (self.at_low, self.at_high))
        return _Intervals(self.column[chosen], self.low[chosen], self.high[chosen], low, high)


def global_maximum(y: Array, v: Array, X: Array, *, restricted: bool, objective: Objective) -> Array:
    """Return the tau2 >= 0 at which the (restricted) likelihood has its global maximum.

    Parameters
    ----------
    y, v : ndarray, shape (k, d)
        Effect sizes and sampling variances.
    X : ndarray, shape (k, p)
        Design matrix, k > p.
    restricted : bool
        Restricted likelihood, or the likelihood.
    objective : callable
        ``objective(tau2, y, v, X)``: the negative log-likelihood of each column, to choose between maxima.

    Returns
    -------
    ndarray, shape (d,)

    Raises
    ------
    PasimetaError
        If the numbers are so large, so small or so far apart that the likelihood can't be computed.
    """
    k, d = y.shape
    y = centred(y, v, X)
    block = max(1, _BLOCK_ELEMENTS // (k * (_FEWEST_PARTS + 1)))
    tau2 = np.zeros(d)
    for start in range(0, d, block):
        columns = slice(start, start + block)
        tau2[columns] = _maximum(y[:, columns], v[:, columns], X, restricted, objective)
    return tau2


def stationary_bound(y: Array, v: Array, X: Array, *, restricted: bool) -> Array:
    """Return a tau2 beyond which the likelihood only falls, shape (d,); negative where it falls from 0 on.

    Notes
    -----
    With ``l = min v + tau2``, ``h = max v + tau2`` and the unweighted residual sum of squares S, ``y'PPy <= S / l**2``
    and ``tr P >= (k - p) / h``; the score is negative once the first is below the second.
    """
    k, p = X.shape
    mean_square = unweighted_rss(y, X) / (k - p if restricted else k)
    least = v.min(axis=0)
    spread = v.max(axis=0) - least
    return 0.5 * (mean_square + np.sqrt(mean_square * (mean_square + 4.0 * spread))) * (1.0 + 1e-9) - least


def _maximum(y: Array, v: Array, X: Array, restricted: bool, objective: Objective) -> Array:
    tau2 = np.zeros(y.shape[1])
    bound = stationary_bound(y, v, X, restricted=restricted)
    if not np.isfinite(bound).all():
        raise PasimetaError("yi and vi: too large or too small to compute with; rescale the effects")
    open_columns = np.flatnonzero(bound > 0)
    if open_columns.size == 0:
        return tau2

    terms_at = score_terms_of(X, restricted=restricted)

    def terms(column: np.ndarray, at: Array) -> ScoreTerms:
        return terms_at(y.take(column, axis=1), v.take(column, axis=1), at)

    intervals = _first_partition(open_columns, bound[open_columns], v[:, open_columns].min(axis=0), terms)
    at_zero = intervals.low == 0.0
    falling = intervals.at_low.quadratic <= intervals.at_low.trace
    zeros = intervals.column[at_zero & falling]
    brackets = _isolated_maxima(intervals, v.min(axis=0), terms)
    column, maximum = brackets.column, _polished(brackets, terms)
    column, maximum = np.concatenate([zeros, column]), np.concatenate([np.zeros(zeros.size), maximum])
    counts = np.bincount(column, minlength=tau2.size)
    if (counts[open_columns] == 0).any():
        raise PasimetaError("vi: the variances differ by too many orders of magnitude to compute with; check them")
    rival = counts[column] > 1
    tau2[column[~rival]] = maximum[~rival]
    if rival.any():
        column, maximum = column[rival], maximum[rival]
        depth = objective(maximum, y[:, column], v[:, column], X)
        best_last = np.lexsort((-depth, column))
        tau2[column[best_last]] = maximum[best_last]
    return tau2


Terms = Callable[[np.ndarray, Array], ScoreTerms]


def _first_partition(column: np.ndarray, bound: Array, least: Array, terms: Terms) -> _Intervals:
    """Return [0, bound] of every column cut into parts of equal ratio of ``min v + tau2``."""
    parts = max(_FEWEST_PARTS, min(_MOST_PARTS, _SHARED_CALL // column.size))
    fractions = np.arange(parts + 1)[:, None] / parts
    edges = least * ((bound + least) / least) ** fractions - least
    edges[0], edges[-1] = 0.0, bound
    owner = np.broadcast_to(column, edges.shape)
    values = terms(owner.ravel(), edges.ravel())
    return _consecutive(owner, edges, ScoreTerms(*(term.reshape(edges.shape) for term in values)))


def _consecutive(owner: np.ndarray, edges: Array, values: ScoreTerms) -> _Intervals:
    """Return the intervals between consecutive rows of ``edges``."""
    low, high = ScoreTerms(*(t[:-1].ravel() for t in values)), ScoreTerms(*(t[1:].ravel() for t in values))
    return _Intervals(owner[:-1].ravel(), edges[:-1].ravel(), edges[1:].ravel(), low, high)


def _isolated_maxima(intervals: _Intervals, least: Array, terms: Terms) -> _Intervals:
    """Return the intervals that hold exactly one maximum each, splitting those that can't be decided yet."""
    found = []
    for _ in range(_MAX_ROUNDS):
        maximum, empty = _verdicts(intervals, least)
        found.append(intervals.only(maximum))
        intervals = intervals.only(~(maximum | empty))
        if intervals.column.size == 0:
            break
        intervals = _split(intervals, least, terms)
    else:
        # Two stationary points closer together than rounding can part: the likelihood is flat there.
        low, high = intervals.at_low, intervals.at_high
        found.append(intervals.only((low.quadratic > low.trace) & (high.quadratic <= high.trace)))
    return found[0] if len(found) == 1 else _joined(found)


def _verdicts(intervals: _Intervals, least: Array) -> tuple[np.ndarray, np.ndarray]:
    """Say which intervals hold exactly one maximum and which hold none.

    With ``u = min v + tau2``, each term falls in tau2 but its product with ``u`` (trace), ``u**2`` (quadratic and
    trace2) or ``u**3`` (cubic) rises, since every eigenvalue of the contrasts' sampling covariance is at least min v.
    Either fact bounds a term over the interval by its value at one end; a verdict needs only one of the two.
    """
    low, high = intervals.at_low, intervals.at_high
    gain = (intervals.high + least[intervals.column]) / (intervals.low + least[intervals.column])
    gain2, gain3 = gain**2, gain**3
    climbing = (high.quadratic > low.trace) | (low.quadratic > high.trace * gain2)
    sinking = (low.quadratic < high.trace) | (high.quadratic * gain2 < low.trace)
    convex = (high.trace2 > 2.0 * low.cubic) | (low.trace2 > 2.0 * high.cubic * gain3)
    concave = (low.trace2 < 2.0 * high.cubic) | (high.trace2 * gain3 < 2.0 * low.cubic)
    crossing = (low.quadratic > low.trace) & (high.quadratic <= high.trace)
    return concave & crossing, climbing | sinking | convex | (concave & ~crossing)


def _split(intervals: _Intervals, least: Array, terms: Terms) -> _Intervals:
    shift = least[intervals.column]
    fractions = np.arange(1, _PARTS)[:, None] / _PARTS
    ratio = (intervals.high + shift) / (intervals.low + shift)
    inner = np.clip((intervals.low + shift) * ratio**fractions - shift, intervals.low, intervals.high)
    owner = np.broadcast_to(intervals.column, (_PARTS + 1, intervals.column.size))
    values = terms(owner[1:-1].ravel(), inner.ravel())
    stacked = ScoreTerms(
        *(
            np.vstack([low[None], middle.reshape(inner.shape), high[None]])
            for low, middle, high in zip(intervals.at_low, values, intervals.at_high, strict=True)
        )
    )
    return _consecutive(owner, np.vstack([intervals.low[None], inner, intervals.high[None]]), stacked)


def _joined(parts: list[_Intervals]) -> _Intervals:
    low, high = (
        ScoreTerms(*(np.concatenate(terms) for terms in zip(*(getattr(part, end) for part in parts), strict=True)))
        for end in ("at_low", "at_high")
    )
    column, left, right = (np.concatenate([part[i] for part in parts]) for i in range(3))
    return _Intervals(column, left, right, low, high)


def _polished(brackets: _Intervals, terms: Terms) -> Array:
    """Return the score's root in every bracket, by Newton's method kept inside it.

    The root of ``trace / quadratic - 1`` is sought, which is linear in tau2 where the sampling variances are equal.
    """
    column, low, high = brackets.column, brackets.low, brackets.high
    rise = 1.0 - brackets.at_low.trace / brackets.at_low.quadratic
    fall = brackets.at_high.trace / np.maximum(brackets.at_high.quadratic, np.finfo(float).tiny) - 1.0
    here = low + (high - low) * rise / (rise + fall)
    root, place = here.copy(), np.arange(column.size)
    for _ in range(_MAX_STEPS if column.size else 0):
        now = terms(column, here)
        excess = now.quadratic - now.trace
        positive = excess > 0
        low, high = np.where(positive, here, low), np.where(positive, high, here)
        slope = 2.0 * now.trace * now.cubic / now.quadratic - now.trace2
        step = excess / np.where(slope > 0, slope, np.inf)
        target = here + step
        inside = (target >= low) & (target <= high) & (slope > 0)
        # Newton squares the relative error: a step this small lands within rounding of the root.
        settled = (inside & (np.abs(step) <= _STEP_TOLERANCE * here)) | (high - low <= np.finfo(float).eps * high)
        here = np.where(inside, target, 0.5 * (low + high))
        root[place] = here
        if settled.all():
            break
        if settled.any():
            moving = ~settled
            place, column, here, low, high = place[moving], column[moving], here[moving], low[moving], high[moving]
    return root
