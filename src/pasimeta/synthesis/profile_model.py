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
    order = np.vstack([scan.h, top.h]).argsort(axis=0, kind="stable")
    stacked = (np.vstack([getattr(scan, name), getattr(top, name)]) for name in Profile.__slots__)
    return Profile(*(np.take_along_axis(rows, order, axis=0) for rows in stacked))


def profile_at(model: Likelihood, h: Array, columns: Columns, start: Array, gain: float = GAIN) -> Profile:
    """Maximize over ``mu`` at fixed ``h``; all arrays of shape (problems,)."""
    held: dict[str, Array] = {}

    def score(mu: Array, which: Columns) -> tuple[Array, Array]:
        terms = model.terms(mu, h[which], columns[which])
        for name in ("value", "m", "h", "mm", "mh", "hh"):
            held.setdefault(name, np.empty(h.shape))[which] = getattr(terms, name)
        held.setdefault("mu", np.empty(h.shape))[which] = mu
        return -terms.m, -terms.mm

    mu = root_of_increasing(score, start, tolerance=1e-9, decrement=gain, longest_step=LONGEST_STEP + np.sqrt(h))
    step, mu_slope = mu - held["mu"], -held["mh"] / held["mm"]
    value = held["value"] + 0.5 * step * held["m"]
    slope = held["h"] + step * held["mh"]
    return Profile(h, mu, value, slope, held["hh"] + held["mh"] * mu_slope, -held["mm"], mu_slope)


def scan_profile(model: Likelihood, cut: float) -> Profile:
    """The profile on the grid; its far end only where the profile is still rising, or not yet far below its maximum."""
    h = model.grid()
    near = _scanned_rows(model, h[:_FIRST_ROWS], np.arange(h.shape[1]))
    fallen = near.value.max(axis=0) - near.value[-1]
    unsettled = np.flatnonzero((near.slope[-1] > 0) | (fallen < cut + _SETTLED))
    far = {name: np.repeat(getattr(near, name)[-1:], len(h) - _FIRST_ROWS, axis=0) for name in Profile.__slots__}
    far["h"], far["value"] = (
        h[_FIRST_ROWS:].copy(),
        far["value"] - _SETTLED * np.arange(1, len(h) - _FIRST_ROWS + 1)[:, None],
    )
    if unsettled.size:
        rest = _scanned_rows(model, h[_FIRST_ROWS:, unsettled], unsettled)
        for name in Profile.__slots__:
            far[name][:, unsettled] = getattr(rest, name)
    return Profile(*(np.vstack([getattr(near, name), far[name]]) for name in Profile.__slots__))


def _scanned_rows(model: Likelihood, h: Array, which: Columns) -> Profile:
    columns = np.tile(which, len(h))
    flat = profile_at(model, h.ravel(), columns, model.start(h.ravel(), columns), _SCAN_GAIN)
    return Profile(*(getattr(flat, name).reshape(h.shape) for name in Profile.__slots__))
