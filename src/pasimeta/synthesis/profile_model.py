"""What a two-parameter likelihood offers to be profiled: its terms, and its maximum over ``mu`` at fixed ``h``.

Arrays are 1-D, one element a *problem*; ``columns`` says on which data set each problem stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pasimeta.effects.validation import Array
from pasimeta.synthesis.roots import Columns, root_of_increasing

LONGEST_STEP = 3.0  # log-odds; a score that flattens far from its root would send Newton out of sight
#: Log-likelihood that a Newton step may gain and be the last. It is taken analytically, so the error left is of the
#: power 3/2: at the maximum, on the way to a limit, and in the scan.
GAIN, PATH_GAIN, _SCAN_GAIN = 1e-10, 1e-7, 1e-3
_FIRST_ROWS = 9  # of the grid, scanned always
_SETTLED = 2.5  # log-likelihood units beyond the cut: less than 0.2 % of the confidence distribution lies farther


@dataclass(frozen=True, slots=True)
class Terms:
    """Log-likelihood and its derivatives in the location ``m`` and the heterogeneity ``h``; shape (problems,) each."""

    value: Array
    m: Array
    h: Array
    mm: Array
    mh: Array
    hh: Array


class Likelihood(Protocol):
    """What a model must offer: its terms, where to look, and where to start.

    ``runs_away`` says whether the location may follow the heterogeneity to infinity (the median study of a
    binomial-normal model can, the mean rate of a beta-binomial can't).
    """

    runs_away: bool

    def terms(self, mu: Array, h: Array, columns: Columns) -> Terms:
        """Terms of each problem."""
        ...

    def grid(self) -> Array:
        """Heterogeneities to scan, shape (points, d), ascending from 0."""
        ...

    def start(self, h: Array, columns: Columns) -> Array:
        """A location to start from, shape (problems,)."""
        ...


@dataclass(frozen=True, slots=True)
class Profile:
    """The likelihood maximized over ``mu`` at given ``h``; information is that on ``mu`` with ``h`` known."""

    h: Array
    mu: Array
    value: Array
    slope: Array
    curvature: Array
    information: Array
    mu_slope: Array


_H, _VALUE = (Profile.__slots__.index(name) for name in ("h", "value"))


class Subset:
    """Some of a model's data sets."""

    def __init__(self, model: Likelihood, which: Columns) -> None:
        self._model, self._which = model, which
        self.runs_away = model.runs_away

    def terms(self, mu: Array, h: Array, columns: Columns) -> Terms:
        """Terms of each problem."""
        return self._model.terms(mu, h, self._which[columns])

    def grid(self) -> Array:
        """Heterogeneities to scan, shape (points, d)."""
        return self._model.grid()[:, self._which]

    def start(self, h: Array, columns: Columns) -> Array:
        """A location to start from."""
        return self._model.start(h, self._which[columns])


def taken(rows: Profile, index: object) -> Profile:
    """The profile's arrays, each indexed."""
    return Profile(*(getattr(rows, name)[index] for name in Profile.__slots__))


def with_maximum(scan: Profile, top: Profile) -> Profile:
    """The scanned rows and the maximum, ascending in ``h``; shape (points + 1, d)."""
    rows = np.concatenate([_stacked(scan), _stacked(top)[:, None]], axis=1)
    order = rows[_H].argsort(axis=0, kind="stable")
    return Profile(*rows[:, order, np.arange(len(top.h))])


def _stacked(profile: Profile) -> Array:
    return np.array([getattr(profile, name) for name in Profile.__slots__])


def profile_at(model: Likelihood, h: Array, columns: Columns, start: Array, gain: float = GAIN) -> Profile:
    """Maximize over ``mu`` at fixed ``h``; all arrays of shape (problems,)."""
    held = np.empty((7, h.size))

    def score(mu: Array, which: Columns) -> tuple[Array, Array]:
        at = model.terms(mu, h[which], columns[which])
        held[:, which] = mu, at.value, at.m, at.h, at.mm, at.mh, at.hh
        return -at.m, -at.mm

    mu = root_of_increasing(score, start, tolerance=1e-9, decrement=gain, longest_step=LONGEST_STEP + np.sqrt(h))
    begin, value, m, slope, mm, mh, hh = held
    step, mu_slope = mu - begin, -mh / mm
    return Profile(h, mu, value + 0.5 * step * m, slope + step * mh, hh + mh * mu_slope, -mm, mu_slope)


def scan_profile(model: Likelihood, cut: float) -> Profile:
    """The profile on the grid; its far end only where the profile is still rising, or not yet far below its maximum."""
    h = model.grid()
    near = _scanned_rows(model, h[:_FIRST_ROWS], np.arange(h.shape[1]))
    fallen = near.value.max(axis=0) - near.value[-1]
    unsettled = np.flatnonzero((near.slope[-1] > 0) | (fallen < cut + _SETTLED))
    rows = _stacked(near)
    far = np.repeat(rows[:, -1:], len(h) - _FIRST_ROWS, axis=1)
    far[_H] = h[_FIRST_ROWS:]
    far[_VALUE] -= _SETTLED * np.arange(1, len(h) - _FIRST_ROWS + 1)[:, None]
    if unsettled.size:
        far[:, :, unsettled] = _stacked(_scanned_rows(model, h[_FIRST_ROWS:, unsettled], unsettled))
    return Profile(*np.concatenate([rows, far], axis=1))


def _scanned_rows(model: Likelihood, h: Array, which: Columns) -> Profile:
    columns = np.tile(which, len(h))
    flat = profile_at(model, h.ravel(), columns, model.start(h.ravel(), columns), _SCAN_GAIN)
    return Profile(*(getattr(flat, name).reshape(h.shape) for name in Profile.__slots__))
