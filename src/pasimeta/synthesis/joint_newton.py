"""Maximum and profile-likelihood limits of a data set at once, by Newton's method in (mu, h); all but the odd one.

Each is a solution of two equations: at the maximum both scores vanish; at a limit of ``h`` the log-likelihood lies a
given depth below its maximum and the score in mu vanishes; at a limit of mu, the score in ``h``. Starting from the
scanned profile and its slices, some four steps reach them together. What doesn't converge to a solution of the right
kind, in the bracket the scan gave it, is left to the bracketed searches of :mod:`profile_limits`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pasimeta.effects.validation import Array
from pasimeta.synthesis.profile_limits import limit_cells, maximum_start, rough_slices
from pasimeta.synthesis.profile_model import LONGEST_STEP, Likelihood, Profile, Terms, with_maximum
from pasimeta.synthesis.roots import Columns, clipped

_MAXIMUM, _H_LIMIT, _MU_LIMIT = 0, 1, 2
_ROUNDS = 8
#: Standard deviations of mu, share of h: a Newton step this small is the last. The error left is of its square at a
#: limit; at the maximum the standard error, which takes no part in the step, asks for more, but the height, known to
#: third order, for less.
_SMALL, _SMALL_AT_MAXIMUM, _SMALL_FOR_HEIGHT = 3e-4, 1e-7, 3e-3


@dataclass(frozen=True, slots=True)
class Limits:
    """The maximum and the limits of mu and ``h``, shape (d,) each, and where they can be trusted."""

    top: Profile
    mu_lower: Array
    mu_upper: Array
    h_lower: Array
    h_upper: Array
    ok: NDArray[np.bool_]


@dataclass(slots=True)
class _Problems:
    """What is sought: its kind, data set, side (-1, 1), place so far, bracket of ``h``, and whether ``h`` may move."""

    kind: Columns
    column: Columns
    side: Array
    mu: Array
    h: Array
    low: Array
    high: Array
    free: NDArray[np.bool_]

    @classmethod
    def joined(cls, parts: list[_Problems]) -> _Problems:
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__slots__))

    def chosen(self, which: Columns | NDArray[np.bool_]) -> _Problems:
        return _Problems(*(getattr(self, name)[which] for name in self.__slots__))


def joint_newton(model: Likelihood, scan: Profile, cut: float) -> Limits:
    """Seek all five at once.

    Parameters
    ----------
    model : Likelihood
    scan : Profile
        The profile on the grid, arrays of shape (points, d).
    cut : float
        How far below its maximum the log-likelihood may fall.

    Returns
    -------
    Limits
        Where ``ok`` is false, what was found must not be used.
    """
    d = scan.h.shape[1]
    guess, cell = maximum_start(scan)
    grid = with_maximum(scan, guess)
    limits = np.stack([np.full(d, -np.inf), np.full(d, np.inf), np.zeros(d), np.full(d, np.inf)])
    parts = [_maxima(guess, cell), _h_limits(grid, guess, cut), _mu_limits(model, grid, guess, cut)]
    problems = _Problems.joined(parts)
    solved, top = _solved(model, problems, guess, cut)
    ok = np.ones(d, dtype=bool)
    np.logical_and.at(ok, problems.column, solved)
    ok &= top.value >= scan.value.max(axis=0) - 1e-5
    for kind, first in ((_MU_LIMIT, 0), (_H_LIMIT, 2)):
        of_kind = problems.kind == kind
        row = first + (problems.side[of_kind] > 0)
        limits[row, problems.column[of_kind]] = (problems.mu if kind == _MU_LIMIT else problems.h)[of_kind]
    return Limits(top, limits[0], limits[1], limits[2], limits[3], ok)


def _maxima(guess: Profile, cell: Array) -> _Problems:
    d = len(guess.h)
    nothing = np.zeros(d)
    kind = np.full(d, _MAXIMUM)
    return _Problems(kind, np.arange(d), nothing, guess.mu, guess.h, cell[0], cell[1], cell[0] < cell[1])


def _h_limits(grid: Profile, guess: Profile, cut: float) -> _Problems:
    near, far, outwards, columns, h, mu = limit_cells(grid, guess.value, cut)
    ends = np.sort(grid.h[np.stack([near, far]), columns], axis=0)
    kind = np.full(len(columns), _H_LIMIT)
    return _Problems(kind, columns, outwards.astype(float), mu, h, ends[0], ends[1], np.ones(len(columns), bool))


def _mu_limits(model: Likelihood, grid: Profile, guess: Profile, cut: float) -> _Problems:
    rough = rough_slices(model, grid, guess.value - cut)
    last = rough.h >= grid.h[-1, rough.column]
    sought = ~(model.runs_away & last & rough.rising)
    # at either end of the grid the slice reaches farthest there, or somewhere in the outermost cell
    free = np.where(last, ~rough.rising, (rough.h > 0) | rough.rising)
    inward = np.where(last, 0.5 * (rough.low + rough.high), 0.3 * rough.high)
    h = np.where(free & (last | (rough.h == 0)), inward, rough.h)
    told = free & np.isfinite(rough.crest_h)
    h, mu = np.where(told, rough.crest_h, h), np.where(told, rough.crest_mu, rough.mu)
    kind = np.full(len(h), _MU_LIMIT)
    every = _Problems(kind, rough.column, rough.side, mu, h, rough.low, rough.high, free)
    return every.chosen(sought)


def _solved(model: Likelihood, problems: _Problems, guess: Profile, cut: float) -> tuple[NDArray[np.bool_], Profile]:
    """Take Newton's steps, all problems together; say which converged, and describe the maximum."""
    peak, begin = guess.value.copy(), problems.mu.copy()
    solved, settled = np.zeros(len(problems.h), dtype=bool), np.zeros(len(peak), dtype=bool)
    active = np.arange(len(problems.h))
    top = {name: np.array(getattr(guess, name)) for name in Profile.__slots__}
    for _ in range(_ROUNDS):
        now = problems.chosen(active)
        terms = model.terms(now.mu, now.h, now.column)
        with np.errstate(all="ignore"):
            dmu, dh, stopped = _steps(now, terms, peak, cut)
            length = np.maximum(np.abs(dmu) * np.sqrt(-terms.mm), np.where(dh == 0, 0.0, np.abs(dh) / now.h))
            maximum = now.kind == _MAXIMUM
            done = (length < np.where(maximum, _SMALL_FOR_HEIGHT, _SMALL)) & ~stopped
            if done.any():
                done &= _of_its_kind(now, terms)
        # a limit can't be final before the height it is measured from is known
        settled[now.column[done & maximum]] = True
        done &= settled[now.column] & (~maximum | (length < _SMALL_AT_MAXIMUM))
        _describe(top, now, terms, dmu, dh)
        problems.mu[active], problems.h[active] = now.mu + dmu, now.h + dh
        solved[active] = done
        active = active[~done & np.isfinite(dmu) & np.isfinite(dh)]
        if not active.size:
            break
    # a limit of mu may not fall short of the slice it started from
    short = problems.side * (problems.mu - begin) < -0.05 / np.sqrt(guess.information[problems.column])
    solved &= ~((problems.kind == _MU_LIMIT) & short)
    top["h"] = problems.h[problems.kind == _MAXIMUM]
    top["mu"] = problems.mu[problems.kind == _MAXIMUM]
    return solved, Profile(**top)


def _steps(now: _Problems, terms: Terms, peak: Array, cut: float) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Newton's steps in mu and ``h``, and whether a bracket cuts the latter short.

    ``peak`` is brought up to date with the maxima's expected gain on the way.
    """
    maximum, at_h, at_mu = (now.kind == kind for kind in (_MAXIMUM, _H_LIMIT, _MU_LIMIT))
    slope = terms.h - terms.mh * terms.m / terms.mm
    dh = np.where(now.free, -slope / (terms.hh - terms.mh**2 / terms.mm), 0.0)
    gain = -0.5 * terms.m**2 / terms.mm + 0.5 * np.where(now.free, slope * dh, 0.0)
    peak[now.column[maximum]] = (terms.value + gain)[maximum]
    quantile, root = np.sqrt(2 * cut), np.sqrt(now.h)
    # the signed roots of the likelihood ratio, profiled over mu and as it stands
    profiled = np.sqrt(np.maximum(2 * (peak[now.column] - terms.value) + terms.m**2 / terms.mm, 1e-20))
    to_h = (root - (quantile - profiled) * profiled / (2 * root * slope)) ** 2 - now.h
    ratio = np.sqrt(np.maximum(2 * (peak[now.column] - terms.value), 1e-20))
    fall = -ratio * (quantile - ratio)
    along = -(terms.m * terms.h + terms.mh * fall) / (terms.m * terms.hh - terms.h * terms.mh)
    dh = np.where(at_h, to_h, np.where(at_mu & now.free, along, dh))
    wanted = now.h + dh
    stopped = now.free & ~((wanted >= now.low) & (wanted <= now.high))
    dh = np.where(now.free, clipped(wanted, now.low, now.high) - now.h, 0.0)
    dmu = np.where(at_mu, (fall - terms.h * dh) / terms.m, -(terms.m + terms.mh * dh) / terms.mm)
    longest = LONGEST_STEP + root
    return clipped(dmu, -longest, longest), dh, stopped


def _of_its_kind(now: _Problems, terms: Terms) -> NDArray[np.bool_]:
    """Second-order conditions: a maximum, not a saddle; a limit on its own side, and the farthest along ``h``."""
    curvature = terms.hh - terms.mh**2 / terms.mm
    slope = terms.h - terms.mh * terms.m / terms.mm
    farthest = terms.hh - terms.mh * terms.h / terms.m
    by_kind = np.where(
        now.kind == _MAXIMUM,
        curvature < 0,
        np.where(now.kind == _H_LIMIT, now.side * slope < 0, farthest < 0),
    )
    outside = (now.kind != _MU_LIMIT) | (now.side * terms.m < 0)
    # on the boundary the likelihood must fall with ``h``: profiled over mu at the maximum, as it stands at a limit
    at_zero = np.where(now.kind == _MAXIMUM, slope, terms.h) <= 0
    return np.where(now.free, by_kind, (now.h > 0) | at_zero) & outside


def _describe(top: dict[str, Array], now: _Problems, terms: Terms, dmu: Array, dh: Array) -> None:
    """Note what is known of the maxima, the step about to be taken included."""
    maximum = now.kind == _MAXIMUM
    column = now.column[maximum]
    gain = 0.5 * (terms.m * dmu + terms.h * np.where(now.free, dh, 0.0))
    mu_slope = -terms.mh / terms.mm
    known = {
        "value": terms.value + gain,
        "slope": terms.h + terms.mh * dmu + terms.hh * dh,
        "curvature": terms.hh + terms.mh * mu_slope,
        "information": -terms.mm,
        "mu_slope": mu_slope,
    }
    for name, values in known.items():
        top[name][column] = values[maximum]
