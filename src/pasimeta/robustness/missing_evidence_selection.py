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
from scipy.special import expit, log_expit

from pasimeta.effects.validation import Array, as_numbers, check_counts, check_level
from pasimeta.errors import PasimetaError, doubt
from pasimeta.synthesis.common_rate import chi2_quantile, log_choose
from pasimeta.synthesis.quadrature import gauss_hermite
from pasimeta.synthesis.roots import Columns, root_of_increasing

STRENGTHS = tuple(float(s) for s in range(21))
_FARTHEST = 12.0  # log-odds: beyond it a rate is 0 or 1 to five digits
_MU_GRID = np.linspace(-_FARTHEST, _FARTHEST, 97)
_A_POINTS, _A_MARGIN = 121, 12.0
_ZOOM_POINTS = 17  # each zoom narrows the search eightfold
_MU_ZOOMS = 7
_HERMITE_NODES = 31
_BLOCK_ELEMENTS = 3_000_000  # held at once: strengths that need more are worked through in turn


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
    """Log-likelihood in mu, a and the strength, of many problems at once.

    Problems have shape (s, m): m values of mu at each of s strengths. A leading 1 stands for every strength.
    """

    def __init__(self, events: Array, n: Array, silent: Array, tau: float) -> None:
        self.events, self.n = events, n
        self.rates = events / n
        self.sizes, self.trials = np.unique(silent.astype(int), return_counts=True)
        nodes, weights = gauss_hermite(_HERMITE_NODES) if tau > 0 else (np.zeros(1), np.ones(1))
        self.spread, self.weights = tau * nodes, weights

    def log_counts(self, mu: Array) -> Array:
        """Log-probability of the reported counts, of the shape of ``mu``."""
        theta = mu[..., None, None] + self.spread
        x, n = self.events[:, None], self.n[:, None]
        logs = x * log_expit(theta) + (n - x) * log_expit(-theta)
        peak = logs.max(axis=-1)
        terms = peak + np.log(np.exp(logs - peak[..., None]) @ self.weights) + log_choose(self.n, self.events)
        return np.asarray(terms.sum(axis=-1))

    def chances(self, mu: Array) -> list[Array]:
        """Probability of each count of a silent trial, for each distinct size: shapes (*mu.shape, size + 1)."""
        theta = mu[..., None] + self.spread
        success, failure = log_expit(theta), log_expit(-theta)
        found = []
        for size in self.sizes:
            x = np.arange(size + 1.0)
            logs = (
                x * success[..., None] + (size - x) * failure[..., None] + log_choose(np.full(x.shape, float(size)), x)
            )
            found.append(np.einsum("...qx,q->...x", np.exp(logs), self.weights))
        return found

    def log_reports(self, a: Array, strength: Array) -> Array:
        """Log-probability that the reported trials are reported, of the shape of ``a``, (s, points)."""
        return np.asarray(log_expit(a[..., None] + strength[:, None, None] * self.rates).sum(axis=-1))

    def log_silence(self, chances: list[Array], a: Array, strength: Array) -> Array:
        """Log-probability that the silent trials are silent, shape (s, m, points); ``a`` has shape (s, points)."""
        total: Array = np.zeros(())
        for size, number, chance in zip(self.sizes, self.trials, chances, strict=True):
            hushed = _hushed(a[..., None], strength[:, None, None], size)
            total = total + number * np.log(np.maximum(chance @ hushed.swapaxes(1, 2), 1e-300))
        return total

    def profile(self, mu: Array, strength: Array) -> tuple[Array, Array]:
        """Log-likelihood maximized over a, and that a: on a grid, as there may be two maxima, then by Newton."""
        shape = (len(strength), mu.shape[1])
        chances = [np.broadcast_to(chance, (*shape, chance.shape[-1])) for chance in self.chances(mu)]
        low, high = np.minimum(0.0, -strength) - _A_MARGIN, np.maximum(0.0, -strength) + _A_MARGIN
        grid = np.linspace(low, high, _A_POINTS, axis=-1)
        best = (self.log_reports(grid, strength)[:, None] + self.log_silence(chances, grid, strength)).argmax(axis=-1)
        middle = np.clip(best, 1, _A_POINTS - 2)
        start, lower, upper = (np.take_along_axis(grid, at, axis=1).ravel() for at in (best, middle - 1, middle + 1))
        repeated = np.repeat(strength, mu.shape[1])
        flat = [chance.reshape(-1, chance.shape[-1]) for chance in chances]

        def falling_score(at: Array, which: Columns) -> tuple[Array, Array]:
            _, score, curvature = self.derivatives([chance[which] for chance in flat], at, repeated[which])
            return -score, -curvature

        a = root_of_increasing(falling_score, start, lower, upper, tolerance=1e-7)
        value, _, _ = self.derivatives(flat, a, repeated)
        return self.log_counts(mu) + value.reshape(shape), a.reshape(shape)

    def derivatives(self, chances: list[Array], a: Array, strength: Array) -> tuple[Array, Array, Array]:
        """Log-probability of who reports and who is silent, and two derivatives in a; all of shape (problems,)."""
        logits = a[:, None] + strength[:, None] * self.rates
        missed = expit(-logits)
        value, score = log_expit(logits).sum(axis=-1), missed.sum(axis=-1)
        curvature = -(missed * (1 - missed)).sum(axis=-1)
        for size, number, chance in zip(self.sizes, self.trials, chances, strict=True):
            hushed = _hushed(a[:, None], strength[:, None], size)
            joint = chance * hushed
            silence = np.maximum(joint.sum(axis=-1), 1e-300)
            joint *= 1 - hushed
            first = -joint.sum(axis=-1) / silence
            second = (joint * (1 - 2 * hushed)).sum(axis=-1) / silence
            value += number * np.log(silence)
            score += number * first
            curvature += number * (second - first**2)
        return value, score, curvature

    def unreported_rate(self, mu: Array, a: Array, strength: Array) -> Array:
        """Response expected over all silent trials, given that they are silent; all of shape (s,)."""
        responders = np.zeros(mu.shape)
        for size, number, chance in zip(self.sizes, self.trials, self.chances(mu), strict=True):
            x = np.arange(size + 1.0)
            weight = chance * _hushed(a[:, None], strength[:, None], size)
            responders += number * ((weight * x).sum(axis=-1) / weight.sum(axis=-1))
        return responders / float((self.sizes * self.trials).sum())


def _hushed(a: Array, strength: Array, size: int) -> Array:
    """Chance of silence at every count of a trial, along the last axis."""
    # NumPy's exp is vectorized, SciPy's expit would take most of the time; the exponent stays far from overflow
    return np.asarray(1 / (1 + np.exp(a + strength * (np.arange(size + 1.0) / size))))


def _swept(model: _Selection, strengths: Array, level: float) -> pd.DataFrame:
    of_one = _MU_GRID.size * (model.sizes.max() + 1) * model.spread.size
    block = max(1, _BLOCK_ELEMENTS // int(of_one))
    parts = [_rows(model, strengths[first : first + block], level) for first in range(0, strengths.size, block)]
    sweep = pd.concat(parts, ignore_index=True)
    return sweep.assign(likelihood_drop=sweep["log_likelihood"].max() - sweep["log_likelihood"])


def _rows(model: _Selection, strength: Array, level: float) -> pd.DataFrame:
    values, _ = model.profile(_MU_GRID[None], strength)
    mu, value, a = _maximum(model, strength, values)
    # a maximum nowhere: no responders (or nothing but) among the reported
    best = np.where(mu <= -_FARTHEST + 1e-6, -np.inf, np.where(mu >= _FARTHEST - 1e-6, np.inf, mu))
    target = value - 0.5 * chi2_quantile(level)
    lower, upper = (_limit(model, strength, values, target, side) for side in (-1, 1))
    return pd.DataFrame(
        {
            "strength": strength,
            "odds_ratio_10": np.exp(strength / 10),
            "estimate": expit(best),
            "ci_lower": expit(lower),
            "ci_upper": expit(upper),
            "reported_at_0": expit(a),
            "reported_at_50": expit(a + strength / 2),
            "reported_at_100": expit(a + strength),
            "unreported_rate": model.unreported_rate(mu, a, strength),
            "log_likelihood": value,
        }
    )


def _maximum(model: _Selection, strength: Array, values: Array) -> tuple[Array, Array, Array]:
    rows, grid = np.arange(strength.size), np.broadcast_to(_MU_GRID, values.shape)
    for _ in range(_MU_ZOOMS):
        best = np.clip(values.argmax(axis=1), 1, grid.shape[1] - 2)
        grid = np.linspace(grid[rows, best - 1], grid[rows, best + 1], _ZOOM_POINTS, axis=-1)
        values, a = model.profile(grid, strength)
    best = values.argmax(axis=1)
    return grid[rows, best], values[rows, best], a[rows, best]


def _limit(model: _Selection, strength: Array, values: Array, target: Array, side: int) -> Array:
    """Where each profile meets its target farthest out on one side; infinite where it never does."""
    rows, last = np.arange(strength.size), _MU_GRID.size - 1
    inside = values >= target[:, None]
    inside[rows, values.argmax(axis=1)] = True  # a likelihood may be sharper than the grid
    outermost = inside.argmax(axis=1) if side < 0 else last - inside[:, ::-1].argmax(axis=1)
    near, far = _MU_GRID[outermost], _MU_GRID[np.clip(outermost + side, 0, last)]
    for _ in range(_MU_ZOOMS):
        steps = np.linspace(near, far, _ZOOM_POINTS, axis=-1)
        within = model.profile(steps, strength)[0] >= target[:, None]
        outer = np.where(within.any(axis=1), _ZOOM_POINTS - 1 - within[:, ::-1].argmax(axis=1), 0)
        outer = np.clip(outer, 0, _ZOOM_POINTS - 2)
        near, far = steps[rows, outer], steps[rows, outer + 1]
    return np.where((outermost == 0) | (outermost == last), side * np.inf, 0.5 * (near + far))
