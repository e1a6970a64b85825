"""A selection model of reporting: better results are likelier to be reported, by a strength one must assume.

A trial of n patients has x responders, binomial in its own rate; log-odds of the rates are normal with mean mu and a
*given* standard deviation tau. It is reported with probability ``expit(a + strength * x / n)``. Reported trials
contribute their count and the chance of being reported; an unreported trial, of which only n is known, contributes
the chance of silence, summed over every count it may have had. For a given strength, mu and ``a`` are estimated by
maximum likelihood.

**Not identified.** Nobody sees the counts of silent trials, so strength and mu trade off: a low mu with strong
selection explains the same reports as a high mu with none. The likelihood hardly changes with the strength, which is
why the strength is swept and never estimated; ``likelihood_drop`` shows how little the data say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit, log_expit, xlog1py, xlogy

from pasimeta.effects.validation import Array, as_numbers, check_counts, check_level
from pasimeta.errors import PasimetaError, doubt
from pasimeta.synthesis.common_rate import chi2_quantile, log_choose
from pasimeta.synthesis.quadrature import gauss_hermite

STRENGTHS = tuple(float(s) for s in range(21))
_FARTHEST = 12.0  # log-odds: beyond it a rate is 0 or 1 to five digits
_MU_GRID = np.linspace(-_FARTHEST, _FARTHEST, 97)
_A_POINTS, _A_MARGIN = 121, 12.0
_ZOOM_POINTS = 17  # each zoom narrows the search eightfold
_A_ZOOMS, _MU_ZOOMS = 4, 7  # a needs fewer: at the maximum its error counts by its square
_HERMITE_NODES = 31


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class SelectionResult:
    """The pooled rate under selection of every strength swept.

    Attributes
    ----------
    sweep : DataFrame
        One row a strength: ``strength`` (log odds ratio of being reported, a trial in which all respond against one in
        which none does), ``odds_ratio_10`` (for 10 points of response), ``estimate``, ``ci_lower``, ``ci_upper`` (rate
        of the median trial, profile-likelihood interval), ``reported_at_0``, ``reported_at_50``, ``reported_at_100``
        (chance of being reported at those response rates), ``unreported_rate`` (response expected in the silent
        trials), ``log_likelihood`` and ``likelihood_drop`` (below the best of the sweep).
    events, n : tuple of int
        Reported trials.
    unreported : tuple of int
        Sizes of the silent ones.
    tau : float
        Between-trial standard deviation of the log-odds, as given.
    level : float
        Of the intervals.
    warnings : tuple of str
        Doubts.
    """

    sweep: pd.DataFrame
    events: tuple[int, ...]
    n: tuple[int, ...]
    unreported: tuple[int, ...]
    tau: float
    level: float
    warnings: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row a strength."""
        return self.sweep


def selection_model(
    events: ArrayLike,
    n: ArrayLike,
    unreported: ArrayLike,
    *,
    strengths: Sequence[float] = STRENGTHS,
    tau: float = 0.0,
    level: float = 0.95,
) -> SelectionResult:
    """Adjust a pooled rate for trials whose silence may depend on their result.

    Parameters
    ----------
    events, n : array_like, shape (k,)
        Reported trials.
    unreported : array_like, shape (m,)
        Patients of each unreported trial, m at least 1.
    strengths : sequence of float
        Log odds ratios of being reported, full response against none. 0 is no selection and gives the unadjusted
        rate; 10 makes the odds 2.7 times as high for every 10 points of response; negative ones hide good results.
    tau : float
        Between-trial standard deviation of the log-odds, taken as known (0 is one rate for all): beside an assumed
        selection, a few trials can't tell it.
    level : float
        Of the intervals.

    Returns
    -------
    SelectionResult

    Raises
    ------
    PasimetaError
        For counts, sizes, strengths or a tau that can't be.

    Warns
    -----
    PasimetaWarning
        Always: the strength is an assumption.

    References
    ----------
    Copas JB, Shi JQ. Meta-analysis, funnel plots and sensitivity analysis. Biostatistics 2000;1:247-262 (the idea: a
    sweep, for the strength isn't identified). Little RJA, Rubin DB. Statistical Analysis with Missing Data, 3rd ed.
    2019, ch. 15.
    """
    counts, sizes = check_counts(events, n)
    silent, steps = _checked_silent(counts, unreported), _checked_strengths(strengths)
    level = check_level(level)
    if not 0 <= tau <= 5:
        raise PasimetaError(f"tau: {tau!r} is no standard deviation of log-odds between 0 and 5")
    sweep = _swept(_Selection(counts, sizes, silent, float(tau)), steps, level)
    text = (
        "the strength of selection is assumed, not estimated: over the sweep the log-likelihood differs by "
        f"{sweep['likelihood_drop'].max():.2f} alone"
    )
    return SelectionResult(
        sweep=sweep,
        events=tuple(int(x) for x in counts),
        n=tuple(int(x) for x in sizes),
        unreported=tuple(int(x) for x in silent),
        tau=float(tau),
        level=level,
        warnings=(doubt(text, stacklevel=3),),
    )


def _checked_silent(counts: Array, unreported: ArrayLike) -> Array:
    silent = as_numbers("unreported", unreported)
    if counts.ndim != 1 or silent.ndim != 1 or (silent < 1).any() or (silent != np.floor(silent)).any():
        raise PasimetaError("unreported: sizes must be whole numbers of at least 1, one a trial; leave out the others")
    return silent


def _checked_strengths(strengths: Sequence[float]) -> Array:
    steps = as_numbers("strengths", strengths)
    if (np.abs(steps) > 200).any():
        raise PasimetaError("strengths: beyond 200 the sweep is a step function; give smaller ones")
    return steps


class _Selection:
    """Log-likelihood in mu, a and the strength; arrays of mu are 1-D, one element a problem."""

    def __init__(self, events: Array, n: Array, silent: Array, tau: float) -> None:
        self.events, self.n = events, n
        self.rates = events / n
        self.sizes, self.trials = np.unique(silent.astype(int), return_counts=True)
        nodes, weights = gauss_hermite(_HERMITE_NODES) if tau > 0 else (np.zeros(1), np.ones(1))
        self.spread, self.weights = tau * nodes, weights

    def log_counts(self, mu: Array) -> Array:
        """Log-probability of the reported counts."""
        theta = mu[:, None, None] + self.spread
        x, n = self.events[:, None], self.n[:, None]
        logs = x * log_expit(theta) + (n - x) * log_expit(-theta)
        peak = logs.max(axis=-1)
        terms = peak + np.log(np.exp(logs - peak[..., None]) @ self.weights) + log_choose(self.n, self.events)
        return np.asarray(terms.sum(axis=-1))

    def chances(self, mu: Array) -> list[Array]:
        """Probability of each count of a silent trial, for each distinct size: shapes (problems, size + 1)."""
        rate = expit(mu[:, None] + self.spread)
        found = []
        for size in self.sizes:
            x = np.arange(size + 1.0)
            whole = np.full(x.shape, float(size))
            logs = xlogy(x, rate[..., None]) + xlog1py(size - x, -rate[..., None]) + log_choose(whole, x)
            found.append(np.einsum("mqx,q->mx", np.exp(logs), self.weights))
        return found

    def log_reports(self, a: Array, strength: float) -> Array:
        """Log-probability that the reported trials are reported, of the shape of ``a``."""
        return np.asarray(log_expit(a[..., None] + strength * self.rates).sum(axis=-1))

    def log_silence(self, chances: list[Array], a: Array, strength: float) -> Array:
        """Log-probability that the silent trials are silent, at ``a`` of shape (problems or 1, points)."""
        total = np.zeros((len(chances[0]), a.shape[1]))
        for size, number, chance in zip(self.sizes, self.trials, chances, strict=True):
            hushed = expit(-(a[..., None] + strength * np.arange(size + 1.0) / size))
            silence = chance @ hushed[0].T if len(a) == 1 else np.einsum("mx,mpx->mp", chance, hushed)
            total += number * np.log(np.maximum(silence, 1e-300))
        return total

    def profile(self, mu: Array, strength: float) -> tuple[Array, Array]:
        """Log-likelihood maximized over a, and that a: a grid, for it may have two maxima, then ever finer ones."""
        counts, chances = self.log_counts(mu), self.chances(mu)
        low, high = min(0.0, -strength) - _A_MARGIN, max(0.0, -strength) + _A_MARGIN
        a = np.linspace(low, high, _A_POINTS)[None]
        rows = np.arange(mu.size)
        for zoom in range(_A_ZOOMS + 1):
            values = self.log_reports(a, strength) + self.log_silence(chances, a, strength)
            best = values.argmax(axis=1)
            at = np.broadcast_to(a, values.shape)
            if zoom == _A_ZOOMS:
                break
            middle = np.clip(best, 1, a.shape[1] - 2)
            lower, upper = at[rows, middle - 1, None], at[rows, middle + 1, None]
            a = lower + (upper - lower) * np.linspace(0, 1, _ZOOM_POINTS)
        return counts + values[rows, best], at[rows, best]

    def unreported_rate(self, mu: float, a: float, strength: float) -> float:
        """Response expected over all silent trials, given that they are silent."""
        responders = 0.0
        for size, number, chance in zip(self.sizes, self.trials, self.chances(np.array([mu])), strict=True):
            x = np.arange(size + 1.0)
            weight = chance[0] * expit(-(a + strength * x / size))
            responders += number * float((weight * x).sum() / weight.sum())
        return responders / float((self.sizes * self.trials).sum())


def _swept(model: _Selection, strengths: Array, level: float) -> pd.DataFrame:
    sweep = pd.DataFrame([_row(model, float(strength), level) for strength in strengths])
    return sweep.assign(likelihood_drop=sweep["log_likelihood"].max() - sweep["log_likelihood"])


def _row(model: _Selection, strength: float, level: float) -> dict[str, float]:
    values, _ = model.profile(_MU_GRID, strength)
    mu, value, a = _maximum(model, strength, values)
    # a maximum nowhere: no responders (or nothing but) among the reported
    best = -np.inf if mu <= -_FARTHEST + 1e-6 else np.inf if mu >= _FARTHEST - 1e-6 else mu
    target = value - 0.5 * chi2_quantile(level)
    lower, upper = (_limit(model, strength, values, target, side) for side in (-1, 1))
    return {
        "strength": strength,
        "odds_ratio_10": float(np.exp(strength / 10)),
        "estimate": float(expit(best)),
        "ci_lower": float(expit(lower)),
        "ci_upper": float(expit(upper)),
        "reported_at_0": float(expit(a)),
        "reported_at_50": float(expit(a + strength / 2)),
        "reported_at_100": float(expit(a + strength)),
        "unreported_rate": model.unreported_rate(mu, a, strength),
        "log_likelihood": value,
    }


def _maximum(model: _Selection, strength: float, values: Array) -> tuple[float, float, float]:
    grid = _MU_GRID
    for _ in range(_MU_ZOOMS):
        best = int(np.clip(values.argmax(), 1, grid.size - 2))
        grid = np.linspace(grid[best - 1], grid[best + 1], _ZOOM_POINTS)
        values, a = model.profile(grid, strength)
    best = int(values.argmax())
    return float(grid[best]), float(values[best]), float(a[best])


def _limit(model: _Selection, strength: float, values: Array, target: float, side: int) -> float:
    """Where the profile meets the target farthest out on one side; infinite where it never does."""
    grid, inside = _MU_GRID, np.flatnonzero(values >= target)
    if inside.size == 0:  # a likelihood sharper than the grid
        inside = np.array([values.argmax()])
    outermost = int(inside[0] if side < 0 else inside[-1])
    if outermost in (0, grid.size - 1):
        return side * np.inf
    near, far = grid[outermost], grid[outermost + side]
    for _ in range(_MU_ZOOMS):
        steps = np.linspace(near, far, _ZOOM_POINTS)
        within = model.profile(steps, strength)[0] >= target
        last = int(np.clip(np.flatnonzero(within)[-1] if within.any() else 0, 0, _ZOOM_POINTS - 2))
        near, far = steps[last], steps[last + 1]
    return float(0.5 * (near + far))
