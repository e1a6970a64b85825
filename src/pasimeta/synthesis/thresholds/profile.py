"""Maximum likelihood of many reviews at once, and limits where the profile likelihood meets its quantile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pasimeta.effects.validation import Array
from pasimeta.synthesis.common_rate import chi2_quantile
from pasimeta.synthesis.thresholds.categories import Indices
from pasimeta.synthesis.thresholds.model import ThresholdModel
from pasimeta.synthesis.thresholds.newton import Maximum, maximum

MU, TAU = 0, 1
FARTHEST = 12.0  # of mu: no share of patients can tell what lies beyond
WIDEST = 6.0  # of tau, likewise
_INNER = 1e-9  # of the nuisance parameters' maximum: an error of the profile that no limit can tell
_ROUNDS = 30
_CLOSE = 3e-5  # Newton's last step squares it


@dataclass(frozen=True, slots=True)
class Fit:
    """Maximum of each review's likelihood.

    Attributes
    ----------
    x : ndarray, shape (reviews, 2 + size)
        mu, tau >= 0, parameters of the cut-points.
    value : ndarray, shape (reviews,)
    information : ndarray, shape (reviews, 2 + size, 2 + size)
    random : bool
        Whether tau was estimated.
    converged : ndarray of bool, shape (reviews,)
    common_value : ndarray, shape (reviews,)
        Maximum with tau held at 0.
    """

    x: Array
    value: Array
    information: Array
    random: bool
    converged: Array
    common_value: Array


def fitted(model: ThresholdModel, *, random: bool = True, starts: tuple[float, ...] = (0.15, 0.7)) -> Fit:
    """Fit every review, from several values of tau, and keep the best.

    Parameters
    ----------
    model : ThresholdModel
    random : bool
        Whether levels differ between studies; without, tau is 0.
    starts : tuple of float
        Values of tau to begin from; a likelihood of few studies can have two maxima, one of them at 0.
    """
    everyone = np.arange(model.reviews)
    begin = np.zeros((model.reviews, 2 + model.cutpoints.size))
    begin[:, 2:] = model.cutpoints.start
    common = _climb(model, begin, everyone, np.array([MU, *range(2, begin.shape[1])]))
    if not random:
        return Fit(common.at, common.value, common.information, False, common.converged, common.value)
    start = np.repeat(common.at[None], len(starts), axis=0)
    start[:, :, TAU] = np.array(starts)[:, None]
    found = _climb(model, start.reshape(-1, begin.shape[1]), np.tile(everyone, len(starts)), np.arange(begin.shape[1]))
    values = found.value.reshape(len(starts), -1)
    best = np.argmax(values - 1e-9 * np.arange(len(starts))[:, None], axis=0) * model.reviews + everyone
    x = found.at[best]
    x[:, TAU] = np.abs(x[:, TAU])
    x[x[:, TAU] < 1e-4, TAU] = 0.0
    return Fit(x, found.value[best], found.information[best], True, found.converged[best], common.value)


def standard_error(fit: Fit) -> Array:
    """Wald standard error of mu, shape (reviews,); tau at 0 is held there."""
    information = fit.information.copy()
    held = fit.x[:, TAU] == 0
    information[held, TAU, :] = information[held, :, TAU] = 0.0
    information[held, TAU, TAU] = 1.0
    return np.sqrt(np.maximum(np.linalg.pinv(information, hermitian=True)[:, MU, MU], 0.0))


def mu_limits(model: ThresholdModel, fit: Fit, level: float, anchors: Array) -> tuple[Array, Array]:
    """Profile-likelihood limits of ``mu - z(anchor)``.

    Parameters
    ----------
    model, fit
        From :func:`fitted`.
    level : float
    anchors : ndarray, shape (m,)
        Thresholds.

    Returns
    -------
    lower, upper : ndarray, shape (reviews, m)
        Infinite where the likelihood never falls to its quantile.
    """
    m, reviews = len(anchors), model.reviews
    which = np.tile(np.repeat(np.arange(reviews), m), 2)
    anchor = np.tile(anchors, 2 * reviews)
    side = np.repeat([-1.0, 1.0], reviews * m)
    x = fit.x[which].copy()
    z = model.cutpoints.at(fit.x[:, 2:], anchors)
    x[:, MU] -= np.tile(z.ravel(), 2)
    limit = _limits(model, fit, x, which, side, MU, level, FARTHEST, anchor)
    return limit[: reviews * m].reshape(reviews, m), limit[reviews * m :].reshape(reviews, m)


def tau_limits(model: ThresholdModel, fit: Fit, level: float) -> tuple[Array, Array]:
    """Profile-likelihood limits of tau, shape (reviews,) each; 0 and infinity where they are open."""
    reviews = model.reviews
    closed = fit.common_value < fit.value - 0.5 * chi2_quantile(level)
    which = np.append(np.arange(reviews), np.flatnonzero(closed))
    side = np.where(np.arange(len(which)) < reviews, 1.0, -1.0)
    found = _limits(model, fit, fit.x[which], which, side, TAU, level, WIDEST, None)
    lower = np.zeros(reviews)
    lower[which[reviews:]] = np.maximum(found[reviews:], 0.0)
    return lower, found[:reviews]


def _climb(
    model: ThresholdModel,
    start: Array,
    which: Indices,
    free: Indices,
    anchor: Array | None = None,
    decrement: float = 1e-10,
    curvature: bool = True,
) -> Maximum:
    """Maximize over the parameters ``free``, the others held where they start."""

    def bounded(x: Array, problems: Indices) -> tuple[Array, Array]:
        inside = x.copy()
        inside[:, MU] = np.clip(x[:, MU], -FARTHEST, FARTHEST)
        inside[:, TAU] = np.clip(x[:, TAU], -2 * WIDEST, 2 * WIDEST)
        value, score = model(inside, which[problems], None if anchor is None else anchor[problems])
        score[:, : TAU + 1][(inside != x)[:, : TAU + 1]] = 0.0
        return value, score

    found = maximum(bounded, start, free, decrement=decrement, curvature=curvature)
    found.at[:, MU] = np.clip(found.at[:, MU], -FARTHEST, FARTHEST)
    return found


def _limits(
    model: ThresholdModel,
    fit: Fit,
    start: Array,
    which: Indices,
    side: Array,
    held: int,
    level: float,
    farthest: float,
    anchor: Array | None,
) -> Array:
    """Where the signed root of the profile likelihood ratio meets its quantile: nearly straight, so Newton is quick."""
    quantile = np.sqrt(chi2_quantile(level))
    size = start.shape[1]
    nuisance = np.array([i for i in range(size) if i != held and (i != TAU or fit.random)], dtype=np.intp)
    curvature = np.maximum(fit.information[which, held, held], 1e-2)
    x = start.copy()
    x[:, held] += side * np.minimum(quantile / np.sqrt(curvature), 1.0)
    if held == MU and fit.random:  # a symmetric likelihood has no slope at tau = 0, even where it is a saddle
        x[:, TAU] = np.maximum(np.abs(x[:, TAU]), 0.1)
    result = np.full(len(x), np.nan)
    inner, outer = start[:, held].copy(), np.full(len(x), np.nan)
    active = np.arange(len(x))
    last = start.copy()
    for _ in range(_ROUNDS):
        anchored = None if anchor is None else anchor[active]
        found = _climb(model, x[active], which[active], nuisance, anchored, _INNER, curvature=False)
        # where the nuisance parameters went when mu moved last, they will go on
        with np.errstate(divide="ignore", invalid="ignore"):
            drift = (found.at - last[active]) / (found.at[:, held] - last[active, held])[:, None]
        x[active] = last[active] = found.at
        ratio = np.sqrt(np.maximum(2 * (fit.value[which[active]] - found.value), 1e-12))
        rate = -side[active] * found.score[:, held] / ratio
        within = ratio < quantile
        here = found.at[:, held]
        inner[active] = np.where(within, here, inner[active])
        outer[active] = np.where(within, outer[active], here)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.clip((quantile - ratio) / rate, -1.5, 1.5)
        step = np.where(rate > 1e-6, step, 1.0)
        target = here + side[active] * step
        bracketed = np.isfinite(outer[active])
        low, high = np.minimum(inner[active], outer[active]), np.maximum(inner[active], outer[active])
        astray = bracketed & ((target <= low) | (target >= high))
        target = np.where(astray, 0.5 * (inner[active] + outer[active]), target)
        done = np.abs(target - here) < _CLOSE
        runaway = np.abs(target) > farthest
        result[active] = np.where(runaway & ~bracketed, side[active] * np.inf, target)
        ahead = (target - here)[:, None] * np.where(np.isfinite(drift), drift, 0.0)[:, nuisance]
        x[np.ix_(active, nuisance)] += np.clip(ahead, -0.5, 0.5)
        x[active, held] = target
        if held == MU and fit.random:
            x[active, TAU] = np.maximum(np.abs(x[active, TAU]), 0.05)
        active = active[~(done | (runaway & ~bracketed))]
        if not active.size:
            break
    return result
