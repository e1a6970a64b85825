"""Maximum and profile-likelihood limits by bracketed searches, nested: slow, and never astray.

The profile over ``h`` is bracketed on the scanned grid. The interval of ``mu`` is the union over ``h`` of the slices
where the log-likelihood at fixed ``h`` exceeds the target: their ends are followed to where they reach farthest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pasimeta.effects.validation import Array
from pasimeta.synthesis.interpolation import cubic_at, cubic_crest, quintic_crest, quintic_crossing
from pasimeta.synthesis.profile_model import LONGEST_STEP, PATH_GAIN, Likelihood, Profile, Terms, profile_at, taken
from pasimeta.synthesis.roots import Columns, root_of_increasing

#: Standard deviations of mu; a Newton step this small is the last, and the error left is of its square: when choosing
#: between slices, on the way to the widest, and at its end.
_SCOUTING, _ROUGH, _CLOSE = 0.3, 0.02, 3e-4
_SCOUTING_ROUNDS = 10


class _Path:
    """Remembers each problem's last location, to start the next search where the profile will be."""

    def __init__(self, model: Likelihood, columns: Columns, h: Array, mu: Array, mu_slope: Array) -> None:
        self.model, self.columns = model, columns
        self.h, self.mu, self.mu_slope = h.copy(), mu.copy(), mu_slope.copy()

    def __call__(self, h: Array, which: Columns) -> Profile:
        start = self.mu[which] + np.clip(self.mu_slope[which] * (h - self.h[which]), -1, 1)
        found = profile_at(self.model, h, self.columns[which], start, PATH_GAIN)
        self.h[which], self.mu[which], self.mu_slope[which] = h, found.mu, found.mu_slope
        return found


@dataclass(frozen=True, slots=True)
class _Cells:
    """The profile at both ends of cells of the grid, against the logarithm of ``h``, where it is smoothest.

    A cell that begins at 0 is described against the square root. Arrays of shape (2, cells), ``from_zero`` (cells,).
    """

    x: Array
    value: Array
    slope: Array
    curvature: Array
    by_x: Array
    from_zero: NDArray[np.bool_]

    @classmethod
    def of(cls, rows: Profile, cell: tuple[Columns, Columns]) -> _Cells:
        ends, slope = rows.h[cell], rows.slope[cell]
        from_zero = ends[0] == 0
        root = np.sqrt(ends)
        with np.errstate(divide="ignore"):
            x = np.where(from_zero, root, np.log(ends))
        by_x, twice = np.where(from_zero, 2 * root, ends), np.where(from_zero, 2.0, ends)
        bend = slope * twice + rows.curvature[cell] * by_x**2
        return cls(x, rows.value[cell], slope * by_x, bend, by_x, from_zero)

    def h(self, x: Array) -> Array:
        return np.where(self.from_zero, x * x, np.exp(x))


def maximum_start(scan: Profile) -> tuple[Profile, Array]:
    """Where the profile has its maximum, as the scanned rows on either side of it tell.

    Returns
    -------
    guess : Profile
        Arrays of shape (d,).
    cell : ndarray, shape (2, d)
        Bracket of ``h``; its ends are equal where the maximum is on the boundary.
    """
    points, d = scan.h.shape
    columns = np.arange(d)
    best = scan.value.argmax(axis=0)
    rising = scan.slope[best, columns] > 0
    left = np.where(rising, best, np.maximum(best - 1, 0))
    cell = np.stack([left, np.where(rising, np.minimum(best + 1, points - 1), best)]), columns
    at, ends = taken(scan, (best, columns)), scan.h[cell]
    inside = ends[0] < ends[1]
    if not inside.any():
        return at, ends
    rows = _Cells.of(scan, cell)
    with np.errstate(divide="ignore", invalid="ignore"):
        crest, height, bend = quintic_crest(rows.x, rows.value, rows.slope, rows.curvature)
        h = rows.h(crest)
        curvature = bend / np.where(rows.from_zero, 2 * crest, h) ** 2
        mu = cubic_at(rows.x, scan.mu[cell], scan.mu_slope[cell] * rows.by_x, crest)
    known = {"h": h, "mu": mu, "value": height, "slope": np.zeros(d), "curvature": curvature}
    return replace(at, **{name: np.where(inside, values, getattr(at, name)) for name, values in known.items()}), ends


def maximum(model: Likelihood, scan: Profile) -> Profile:
    """The profile's maximum; arrays of shape (d,)."""
    guess, (lower, upper) = maximum_start(scan)
    columns = np.arange(len(guess.h))
    path = _Path(model, columns, guess.h, guess.mu, guess.mu_slope)

    def slope(value: Array, which: Columns) -> tuple[Array, Array]:
        found = path(value, which)
        return -found.slope, -found.curvature

    inside = lower < upper
    h = np.where(inside, root_of_increasing(slope, guess.h, lower, upper, tolerance=3e-3), guess.h)
    top = profile_at(model, h, columns, path.mu + path.mu_slope * (h - path.h))
    return _last_step(top, inside & (top.curvature < 0))


def _last_step(top: Profile, inside: NDArray[np.bool_]) -> Profile:
    """Newton's last step in ``h``, taken analytically."""
    step = np.where(inside, -top.slope / np.where(inside, top.curvature, -1.0), 0.0)
    step = np.where(np.abs(step) < 1e-2 * top.h, step, 0.0)
    return replace(
        top,
        h=top.h + step,
        mu=top.mu + step * top.mu_slope,
        value=top.value + 0.5 * step * top.slope,
        slope=top.slope + step * top.curvature,
    )


def limit_cells(grid: Profile, peak: Array, cut: float) -> tuple[Columns, Columns, Columns, Columns, Array, Array]:
    """Where the profile meets the cut between two rows of the grid.

    Returns
    -------
    near, far, outwards, column : ndarray of int, shape (limits,)
        Rows inside and outside, the direction from one to the other, and the data set. A profile that doesn't meet the
        cut on one side has no limit there.
    h, mu : ndarray, shape (limits,)
        A first guess, as the two rows tell.
    """
    inside = grid.value >= peak - cut
    end = len(grid.h) - 1
    outermost = np.stack([inside.argmax(axis=0), end - inside[::-1].argmax(axis=0)])
    side, column = np.nonzero(outermost != [[0], [end]])
    outwards = 2 * side - 1
    near = outermost[side, column]
    far = near + outwards
    cell = np.stack([np.minimum(near, far), np.maximum(near, far)]), column
    rows = _Cells.of(grid, cell)
    x = quintic_crossing(rows.x, rows.value, rows.slope, rows.curvature, peak[column] - cut)
    mu = cubic_at(rows.x, grid.mu[cell], grid.mu_slope[cell] * rows.by_x, x)
    return near, far, outwards, column, rows.h(x), mu


def heterogeneity_limits(model: Likelihood, grid: Profile, top: Profile, cut: float) -> tuple[Array, Array]:
    """Limits of ``h``; 0 and infinity where the profile doesn't meet the cut."""
    near, far, outwards, columns, start, _ = limit_cells(grid, top.value, cut)
    limits = np.stack([np.zeros(len(top.h)), np.full(len(top.h), np.inf)])
    begin = taken(grid, (near, columns))
    path = _Path(model, columns, begin.h, begin.mu, begin.mu_slope)
    quantile = np.sqrt(2 * cut)

    def excess(root: Array, which: Columns) -> tuple[Array, Array]:
        found = path(root**2, which)
        ratio = np.sqrt(np.maximum(2 * (top.value[columns[which]] - found.value), 1e-20))
        return outwards[which] * (ratio - quantile), -outwards[which] * found.slope * 2 * root / ratio

    ends = np.sqrt(np.sort(grid.h[np.stack([near, far]), columns], axis=0))
    roots = root_of_increasing(excess, np.sqrt(start), ends[0], ends[1], tolerance=1e-4)
    limits[(outwards + 1) // 2, columns] = roots**2
    return limits[0], limits[1]


@dataclass(frozen=True, slots=True)
class Slices:
    """The slice that reaches farthest among the grid's, lower side first, shape (2 d,) each.

    ``mu`` is roughly its end, ``low`` and ``high`` the neighbouring ``h``, ``rising`` whether the end still moves out;
    ``crest_h`` and ``crest_mu`` say where a cubic through this row and the next has its end farthest out, NaN if none
    can tell.
    """

    column: Columns
    side: Array
    h: Array
    mu: Array
    low: Array
    high: Array
    rising: NDArray[np.bool_]
    crest_h: Array
    crest_mu: Array


def rough_slices(model: Likelihood, grid: Profile, target: Array) -> Slices:
    """Choose, on either side, the row of the grid whose slice above the target reaches farthest."""
    d, last = len(target), len(grid.h) - 1
    rows, columns = np.nonzero(grid.value >= target)
    points = taken(grid, (np.tile(rows, 2), np.tile(columns, 2)))
    side = np.repeat([-1.0, 1.0], len(rows))
    found, slopes = _slice_ends(model, points, np.tile(columns, 2), target, side)
    ends, slope = np.full((2, 2, *grid.h.shape), -np.inf)
    ends[:, rows, columns] = (side * found).reshape(2, -1)
    slope[:, rows, columns] = (side * slopes).reshape(2, -1)
    best, each = ends.argmax(axis=1).ravel(), np.tile(np.arange(d), 2)
    side, which = np.repeat([-1.0, 1.0], d), np.repeat([0, 1], d)
    h, rising = grid.h[best, each], slope[which, best, each] > 0
    onwards = np.where(rising, 1, -1)
    other = np.minimum(np.maximum(best + onwards, 0), last)
    # the maximum may stand in the grid twice, as a row of its own and as the boundary
    other = np.minimum(np.maximum(other + np.where(grid.h[other, each] == h, onwards, 0), 0), last)
    cell = np.where(rising, [best, other], [other, best])
    root = np.sqrt(grid.h[cell, each])
    crest, reach = cubic_crest(root, ends[which, cell, each], 2 * root * slope[which, cell, each])
    around = h.reshape(2, 1, d)
    return Slices(
        column=each,
        side=side,
        h=h,
        mu=side * ends[which, best, each],
        low=_next_below(grid.h, around).ravel(),
        high=_next_above(grid.h, around).ravel(),
        rising=rising,
        crest_h=crest**2,
        crest_mu=side * reach,
    )


def location_limits(
    model: Likelihood, grid: Profile, top: Profile, cut: float, h_lower: Array, h_upper: Array
) -> tuple[Array, Array]:
    """Limits of mu; infinite where the slices reach out to the end of the grid and the model lets them."""
    target = top.value - cut
    rough = rough_slices(model, grid, target)
    each = rough.column
    bracket = np.stack([np.maximum(rough.low, h_lower[each]), np.minimum(rough.high, h_upper[each])])
    widest, rising = _widest_slice(model, rough.side, target[each], each, rough.h, rough.mu, bracket)
    endless = model.runs_away & rising & (rough.h >= grid.h[-1, each])
    limits = np.where(endless, rough.side * np.inf, widest)
    return limits[: len(target)], limits[len(target) :]


def _slice_ends(
    model: Likelihood, points: Profile, columns: Columns, target: Array, side: Array
) -> tuple[Array, Array]:
    """Roughly where the log-likelihood at fixed ``h`` falls to ``target`` on one side, and its slope in ``h``."""
    quantile = np.sqrt(2 * np.maximum(points.value - target[columns], 0))
    sd = side / np.sqrt(points.information)
    slopes = np.zeros(len(sd))

    def excess(distance: Array, which: Columns) -> tuple[Array, Array]:
        # the signed root again: nearly straight in mu
        terms = model.terms(points.mu[which] + sd[which] * distance, points.h[which], columns[which])
        slopes[which] = -terms.h / terms.m
        ratio = np.sqrt(np.maximum(2 * (points.value[which] - terms.value), 1e-20))
        return ratio - quantile[which], -terms.m * sd[which] / ratio

    longest = (LONGEST_STEP + np.sqrt(points.h)) / np.abs(sd)
    start = np.maximum(quantile, 1e-8)
    distance = root_of_increasing(
        excess, start, np.zeros(len(sd)), np.inf, tolerance=_SCOUTING, longest_step=longest, rounds=_SCOUTING_ROUNDS
    )
    return points.mu + sd * distance, slopes


def _widest_slice(
    model: Likelihood, side: Array, target: Array, columns: Columns, h: Array, mu: Array, bracket: Array
) -> tuple[Array, NDArray[np.bool_]]:
    """Follow the end of the slice along ``h`` to where it reaches farthest; say too where it was still reaching out."""
    at = model.terms(mu, h, columns)
    rising = at.h > 0
    low, high = np.where(rising, h, bracket[0]), np.where(rising, bracket[1], h)
    end, last_h, end_slope = mu.copy(), h.copy(), -at.h / at.m
    moving = np.flatnonzero(low < high)

    def slope(value: Array, problems: Columns) -> tuple[Array, Array]:
        which = moving[problems]
        start = end[which] + np.clip(end_slope[which] * (value - last_h[which]), -1, 1)
        found, at = _slice_end(model, side[which], target[which], value, columns[which], start, _ROUGH)
        end[which], last_h[which], end_slope[which] = found, value, -at.h / at.m
        return -at.h, -(at.hh + at.mh * end_slope[which])

    with np.errstate(divide="ignore", invalid="ignore"):
        newton = h - at.h / (at.hh + at.mh * end_slope)
    start = np.where((newton > low) & (newton < high), newton, 0.5 * (low + high))[moving]
    widest = h.copy()
    # the end is flat in h where it reaches farthest, so h need not be sharp
    widest[moving] = root_of_increasing(slope, start, low[moving], high[moving], tolerance=1e-2)
    start = end + np.clip(end_slope * (widest - last_h), -1, 1)
    return _slice_end(model, side, target, widest, columns, start, _CLOSE)[0], rising


def _slice_end(
    model: Likelihood, side: Array, target: Array, h: Array, columns: Columns, start: Array, close: float
) -> tuple[Array, Terms]:
    """Newton from outside a concave slice never crosses its end; from inside it does so once.

    The last step, less than ``close`` standard deviations, is taken analytically.
    """
    mu = start
    for _ in range(60):
        terms = model.terms(mu, h, columns)
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = np.clip((target - terms.value) / terms.m, -LONGEST_STEP, LONGEST_STEP)
        outside_in = side * terms.m < 0
        step = np.where(outside_in, newton, side * 0.5 / np.sqrt(-terms.mm))
        mu = mu + step
        if np.all(outside_in & (np.abs(step) * np.sqrt(-terms.mm) < close)):
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
