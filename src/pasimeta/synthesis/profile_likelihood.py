"""Profile likelihood of a location ``mu`` and a heterogeneity ``h >= 0``, for many data sets at once.

Everything here rests on one property of the models it serves: at fixed ``h`` the log-likelihood has a single maximum
in ``mu``. So the profile over ``h`` is scanned (it can have several maxima), while ``mu`` is found by a Newton
iteration that cannot go astray; and the profile interval of ``mu`` is the union over ``h`` of the slices where
the log-likelihood at fixed ``h`` exceeds the target, which no second maximum can fool.

Arrays are 1-D, one element a *problem*; ``columns`` says on which data set each problem stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pasimeta.effects.validation import Array
from pasimeta.synthesis.roots import Columns, root_of_increasing

_LONGEST_STEP = 3.0  # log-odds; a score that flattens far from its root would send Newton out of sight
_CLOSE = 1e-5  # a Newton step this small is taken analytically: the error left is of its third power
_GAIN, _SCAN_GAIN = (
    1e-10,
    1e-3,
)  # log-likelihood a last, analytical Newton step may gain; in the scan a rough one will do


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


@dataclass(frozen=True, slots=True)
class ProfileFit:
    """Maximum and profile-likelihood intervals, arrays of shape (d,). Infinite limits are limits, not failures.

    ``profile`` holds the grid and the maximum itself, ascending in ``h``, arrays of shape (points + 1, d).
    """

    mu: Array
    h: Array
    log_likelihood: Array
    se: Array
    mu_lower: Array
    mu_upper: Array
    h_lower: Array
    h_upper: Array
    profile: Profile


def fit_profile(model: Likelihood, cut: float) -> ProfileFit:
    """Maximize the likelihood and invert the likelihood-ratio test.

    Parameters
    ----------
    model : Likelihood
        Data sets whose likelihood has a maximum at finite ``mu``.
    cut : float
        How far below its maximum the profile log-likelihood may fall: half a chi-squared(1) quantile.

    Returns
    -------
    ProfileFit
        ``h_upper`` is infinite where the profile stays above the target to the end of the grid.
    """
    scan = _scan(model)
    top = _maximum(model, scan)
    h_lower, h_upper = _heterogeneity_limits(model, scan, top, cut)
    mu_lower, mu_upper = _location_limits(model, scan, top, cut, h_lower, h_upper)
    profile = _with_maximum(scan, top)
    return ProfileFit(top.mu, top.h, top.value, _standard_error(top), mu_lower, mu_upper, h_lower, h_upper, profile)


def profile_at(model: Likelihood, h: Array, columns: Columns, start: Array, gain: float = _GAIN) -> Profile:
    """Maximize over ``mu`` at fixed ``h``; all arrays of shape (problems,)."""
    held: dict[str, Array] = {}

    def score(mu: Array, which: Columns) -> tuple[Array, Array]:
        terms = model.terms(mu, h[which], columns[which])
        for name in ("value", "m", "h", "mm", "mh", "hh"):
            held.setdefault(name, np.empty(h.shape))[which] = getattr(terms, name)
        held.setdefault("mu", np.empty(h.shape))[which] = mu
        return -terms.m, -terms.mm

    mu = root_of_increasing(
        score, start, tolerance=0.1 * _CLOSE, decrement=gain, longest_step=_LONGEST_STEP + np.sqrt(h)
    )
    step, mu_slope = mu - held["mu"], -held["mh"] / held["mm"]
    value = held["value"] + 0.5 * step * held["m"]
    slope = held["h"] + step * held["mh"]
    return Profile(h, mu, value, slope, held["hh"] + held["mh"] * mu_slope, -held["mm"], mu_slope)


def _scan(model: Likelihood) -> Profile:
    h = model.grid()
    columns = np.tile(np.arange(h.shape[1]), h.shape[0])
    flat = profile_at(model, h.ravel(), columns, model.start(h.ravel(), columns), _SCAN_GAIN)
    return Profile(*(getattr(flat, name).reshape(h.shape) for name in Profile.__slots__))


class _Path:
    """Remembers each problem's last location, to start the next search where the profile will be."""

    def __init__(self, model: Likelihood, columns: Columns, h: Array, mu: Array) -> None:
        self.model, self.columns = model, columns
        self.h, self.mu, self.mu_slope = h.copy(), mu.copy(), np.zeros(h.shape)

    def __call__(self, h: Array, which: Columns) -> Profile:
        start = self.mu[which] + np.clip(self.mu_slope[which] * (h - self.h[which]), -1, 1)
        found = profile_at(self.model, h, self.columns[which], start)
        self.h[which], self.mu[which], self.mu_slope[which] = h, found.mu, found.mu_slope
        return found


def _maximum(model: Likelihood, scan: Profile) -> Profile:
    points, d = scan.h.shape
    columns = np.arange(d)
    best = scan.value.argmax(axis=0)
    rising = scan.slope[best, columns] > 0
    lower = scan.h[np.where(rising, best, np.maximum(best - 1, 0)), columns]
    upper = scan.h[np.where(rising, np.minimum(best + 1, points - 1), best), columns]
    h, mu = scan.h[best, columns], scan.mu[best, columns]
    path = _Path(model, columns, h, mu)

    def slope(value: Array, which: Columns) -> tuple[Array, Array]:
        found = path(value, which)
        return -found.slope, -found.curvature

    h = np.where(lower < upper, root_of_increasing(slope, 0.5 * (lower + upper), lower, upper), h)
    return profile_at(model, h, columns, path.mu)


def _with_maximum(scan: Profile, top: Profile) -> Profile:
    order = np.vstack([scan.h, top.h]).argsort(axis=0, kind="stable")
    stacked = (np.vstack([getattr(scan, name), getattr(top, name)]) for name in Profile.__slots__)
    return Profile(*(np.take_along_axis(rows, order, axis=0) for rows in stacked))


def _standard_error(top: Profile) -> Array:
    """From the observed information in (mu, h); in mu alone where ``h`` is on the boundary."""
    joint = (top.h > 0) & (top.curvature < 0)
    inflation = np.where(joint, -(top.mu_slope**2) / np.where(joint, top.curvature, 1.0), 0.0)
    return np.sqrt(1 / top.information + inflation)


def _heterogeneity_limits(model: Likelihood, scan: Profile, top: Profile, cut: float) -> tuple[Array, Array]:
    above = np.where(scan.value >= top.value - cut, scan.h, np.nan)
    innermost = np.stack([np.fmin.reduce(above, axis=0), np.fmax.reduce(above, axis=0)])
    near = np.stack([np.fmin(innermost[0], top.h), np.fmax(innermost[1], top.h)])
    far = np.concatenate([_next_below(scan.h, near[:1]), _next_above(scan.h, near[1:])])
    limits = np.where(far == near, [[0.0], [np.inf]], near)
    side, column = np.nonzero(far != near)
    if column.size:
        limits[side, column] = _ratio_roots(model, top, cut, column, near[side, column], far[side, column])
    return limits[0], limits[1]


def _ratio_roots(model: Likelihood, top: Profile, cut: float, columns: Columns, near: Array, far: Array) -> Array:
    """Heterogeneities between ``near`` (inside the interval) and ``far`` (outside) where the profile meets the cut."""
    side = np.sign(far - near)
    path = _Path(model, columns, top.h[columns], top.mu[columns])
    quantile = np.sqrt(2 * cut)

    def excess(root: Array, which: Columns) -> tuple[Array, Array]:
        # the signed root of the likelihood ratio is nearly straight in sqrt(h), where the ratio itself is not
        found = path(root**2, which)
        ratio = np.sqrt(np.maximum(2 * (top.value[columns[which]] - found.value), 1e-20))
        return side[which] * (ratio - quantile), -side[which] * found.slope * 2 * root / ratio

    ends = np.sqrt(np.sort(np.stack([near, far]), axis=0))
    return root_of_increasing(excess, ends.mean(axis=0), ends[0], ends[1]) ** 2


def _location_limits(
    model: Likelihood, scan: Profile, top: Profile, cut: float, h_lower: Array, h_upper: Array
) -> tuple[Array, Array]:
    grid = _with_maximum(scan, top)
    d = len(top.h)
    target = top.value - cut
    rows, columns = np.nonzero(grid.value >= target)
    points = Profile(*(np.tile(getattr(grid, name)[rows, columns], 2) for name in Profile.__slots__))
    side = np.repeat([-1.0, 1.0], len(rows))
    ends = np.full((2, *grid.h.shape), -np.inf)
    ends[:, rows, columns] = (side * _slice_ends(model, points, np.tile(columns, 2), target, side)).reshape(2, -1)
    best = ends.argmax(axis=1)
    each = np.tile(np.arange(d), 2)
    side = np.repeat([-1.0, 1.0], d)
    h = grid.h[best.ravel(), each]
    lower = np.maximum(_next_below(grid.h, h.reshape(2, 1, d)).ravel(), h_lower[each])
    upper = np.minimum(_next_above(grid.h, h.reshape(2, 1, d)).ravel(), h_upper[each])
    widest, rising = _widest_slice(
        model, side, target[each], each, h, side * ends.max(axis=1).ravel(), np.stack([lower, upper])
    )
    limits = np.where(model.runs_away & rising & (h >= scan.h[-1, each]), side * np.inf, widest)
    return limits[:d], limits[d:]


def _slice_ends(model: Likelihood, points: Profile, columns: Columns, target: Array, side: Array) -> Array:
    """Where the log-likelihood at fixed ``h`` falls to ``target``, on one side of its maximum."""
    quantile = np.sqrt(2 * np.maximum(points.value - target[columns], 0))

    def excess(mu: Array, which: Columns) -> tuple[Array, Array]:
        # the signed root again: nearly straight in mu
        terms = model.terms(mu, points.h[which], columns[which])
        ratio = np.sqrt(np.maximum(2 * (points.value[which] - terms.value), 1e-20))
        return side[which] * (ratio - quantile[which]), -side[which] * terms.m / ratio

    start = points.mu + side * np.maximum(quantile / np.sqrt(points.information), 1e-8)
    lower, upper = np.where(side > 0, points.mu, -np.inf), np.where(side > 0, np.inf, points.mu)
    longest = _LONGEST_STEP + np.sqrt(points.h)
    return root_of_increasing(excess, start, lower, upper, tolerance=_CLOSE, longest_step=longest)


def _widest_slice(
    model: Likelihood, side: Array, target: Array, columns: Columns, h: Array, mu: Array, bracket: Array
) -> tuple[Array, NDArray[np.bool_]]:
    """Follow the end of the slice along ``h`` to where it reaches farthest; say too where it was still reaching out."""
    terms = model.terms(mu, h, columns)
    rising = terms.h > 0
    low, high = np.where(rising, h, bracket[0]), np.where(rising, bracket[1], h)
    end, last_h, end_slope = mu.copy(), h.copy(), -terms.h / terms.m
    moving = np.flatnonzero(low < high)

    def slope(value: Array, problems: Columns) -> tuple[Array, Array]:
        which = moving[problems]
        start = end[which] + np.clip(end_slope[which] * (value - last_h[which]), -1, 1)
        found, at = _slice_end(model, side[which], target[which], value, columns[which], start)
        end[which], last_h[which], end_slope[which] = found, value, -at.h / at.m
        return -at.h, -(at.hh + at.mh * end_slope[which])

    # the end is flat in h where it reaches farthest, so h need not be sharp
    root_of_increasing(slope, 0.5 * (low + high)[moving], low[moving], high[moving], tolerance=1e-4)
    return side * np.maximum(side * end, side * mu), rising


def _slice_end(
    model: Likelihood, side: Array, target: Array, h: Array, columns: Columns, start: Array
) -> tuple[Array, Terms]:
    """Newton from outside a concave slice never crosses its end; from inside it does so once."""
    mu = start
    for _ in range(60):
        terms = model.terms(mu, h, columns)
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = np.clip((target - terms.value) / terms.m, -_LONGEST_STEP, _LONGEST_STEP)
        step = np.where(side * terms.m < 0, newton, side * 0.5)
        mu = mu + step
        if np.all(np.abs(step) < _CLOSE):
            break
    moved = Terms(terms.value, terms.m + step * terms.mm, terms.h + step * terms.mh, terms.mm, terms.mh, terms.hh)
    return mu, moved


def _next_below(grid: Array, h: Array) -> Array:
    """The nearest grid value below ``h``, or ``h`` itself at the end of the grid."""
    nearest = np.where(grid < h, grid, -np.inf).max(axis=-2, keepdims=True)
    return np.where(np.isfinite(nearest), nearest, h)


def _next_above(grid: Array, h: Array) -> Array:
    nearest = np.where(grid > h, grid, np.inf).min(axis=-2, keepdims=True)
    return np.where(np.isfinite(nearest), nearest, h)
