"""Study intercepts drawn from a normal distribution: the marginal likelihood of a common log odds ratio.

A study's intercept is its own in the model with study intercepts, and everybody's in the one with a common intercept.
Here it is drawn from Normal(mean, sd), so the truth lies between: the smaller the sd, the more the differences between
studies speak for the odds ratio, and with them whatever else the studies differ in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pasimeta.effects.validation import Array
from pasimeta.moderators.strata import Stratum, log_likelihoods

WIDEST = 5.0  # of the intercepts' sd; beyond it studies share nothing, as with an intercept each
_LEAST = 1e-3  # an sd that can't be told from 0
_REACH = 16.0
_TAIL = 8.0  # standard deviations that an integral spans
_STEP = 0.1
_GRID = np.arange(-_REACH - _TAIL * WIDEST, _REACH + _TAIL * WIDEST + _STEP / 2, _STEP)
_NARROW = 2 * _STEP  # a density narrower than this is integrated on nodes of its own
_NODES = np.linspace(-_TAIL, _TAIL, 65)
_STARTS = (0.3, 1.5)
_FLATTEST = 1e-3  # of a curvature that a step is divided by
_LOWEST, _HIGHEST = np.array([-_REACH, _LEAST]), np.array([_REACH, WIDEST])

Index = NDArray[np.intp]


class RandomIntercepts(NamedTuple):
    """Where the intercepts lie for each log odds ratio, shape (effects,), and log-likelihoods, (effects, studies)."""

    mean: Array
    sd: Array
    log_likelihoods: Array


class MarginalLikelihood:
    """Studies' log-likelihoods at log odds ratios, averaged over intercepts drawn from Normal(mean, sd).

    By the trapezoidal rule: on the whole line, for a function that falls off like a normal density, its error falls
    exponentially with the step, which is at most half an sd.

    References
    ----------
    Trefethen & Weideman 2014, *SIAM Rev* 56:385, section 5.
    """

    def __init__(self, strata: Sequence[Stratum], effects: Array) -> None:
        self._strata, self._effects = strata, effects
        self._highest, self._relative = self._against_their_best(_GRID[None])

    def at(self, place: Array, which: Index | None = None) -> tuple[Array, Array]:
        """Return the studies' log-likelihoods and the moments that their derivatives are made of.

        Parameters
        ----------
        place : ndarray, shape (problems, 2)
            Mean and sd of the intercepts.
        which : ndarray of int, shape (problems,), optional
            The log odds ratio of each problem; all of them, by default.

        Returns
        -------
        log_likelihoods : ndarray, shape (problems, studies)
        moments : ndarray, shape (problems, studies, 4)
            Averages of z to z^4 over each study's posterior of its intercept mean + sd z.
        """
        which = np.arange(len(place)) if which is None else which
        value = np.empty((len(place), len(self._strata)))
        moments = np.empty((*value.shape, 4))
        narrow = place[:, 1] < _NARROW
        for chosen in (np.flatnonzero(narrow), np.flatnonzero(~narrow)):
            if not chosen.size:
                continue
            mean, sd, concerned = place[chosen, :1], place[chosen, 1:], which[chosen]
            if narrow[chosen[0]]:
                z = np.broadcast_to(_NODES, (chosen.size, _NODES.size))
                highest, relative = self._against_their_best(mean + sd * z, concerned)
            else:
                z = (_GRID - mean) / sd
                highest, relative = self._highest[concerned], self._relative[concerned]
            value[chosen], moments[chosen] = _averaged(z, highest, relative)
        return value, moments

    def _against_their_best(self, a: Array, which: Index | slice = slice(None)) -> tuple[Array, Array]:
        """Each study's highest log-likelihood, and likelihoods against it, at intercepts (problems or 1, points)."""
        effects = self._effects[which, None]
        values = np.stack(log_likelihoods(self._strata, a, effects), axis=1)
        highest = values.max(axis=2)
        return highest, np.exp(values - highest[..., None])


def best_random_intercepts(strata: Sequence[Stratum], effects: Array, commons: Array) -> RandomIntercepts:
    """Return the distribution of intercepts that makes each log odds ratio likeliest.

    Parameters
    ----------
    strata : sequence of Stratum
    effects : ndarray, shape (effects,)
        Log odds ratios, first group against second.
    commons : ndarray, shape (effects,)
        The intercept that is best for all studies together: the fit with an sd of 0, which wins if no other beats it.
    """
    likelihood = MarginalLikelihood(strata, effects)
    mean, sd = np.array(commons, float), np.zeros(len(effects))
    value, _ = likelihood.at(np.stack([mean, sd], axis=1))
    for found in _climbed(likelihood, np.clip(commons, -_REACH, _REACH)):
        better = (found.sd > _LEAST) & (found.log_likelihoods.sum(axis=1) > value.sum(axis=1) + 1e-10)
        mean, sd = np.where(better, found.mean, mean), np.where(better, found.sd, sd)
        value = np.where(better[:, None], found.log_likelihoods, value)
    return RandomIntercepts(mean, sd, value)


def _averaged(z: Array, highest: Array, relative: Array) -> tuple[Array, Array]:
    """Average likelihoods of shape (problems, studies, points) over normal z, and the moments of z under them."""
    square = z * z
    weights = np.exp(-0.5 * square)
    powers = np.empty((*z.shape, 5))
    powers[..., 0] = weights
    np.multiply(weights, z, out=powers[..., 1])
    np.multiply(weights, square, out=powers[..., 2])
    np.multiply(powers[..., 2], z, out=powers[..., 3])
    np.multiply(weights, square**2, out=powers[..., 4])
    sums = relative @ powers
    return highest + np.log(sums[..., 0] / weights.sum(axis=1)[:, None]), sums[..., 1:] / sums[..., :1]


def _climbed(likelihood: MarginalLikelihood, mean: Array) -> list[RandomIntercepts]:
    """Newton's steps to maxima of the likelihood, halved where they overshoot and kept within the bounds.

    One result for each sd that is started from; all climb together.
    """
    effect = np.tile(np.arange(len(mean)), len(_STARTS))
    at = np.stack([mean[effect], np.repeat(_STARTS, len(mean))], axis=1)
    value, moments = likelihood.at(at, effect)
    active = np.arange(len(at))
    for _ in range(60):
        step = _ascent(moments[active], at[active, 1])
        before, pending = at[active], np.arange(active.size)
        for _ in range(40):
            which = active[pending]
            proposed = np.clip(before[pending] + step[pending], _LOWEST, _HIGHEST)
            reached, next_moments = likelihood.at(proposed, effect[which])
            climbs = reached.sum(axis=1) >= value[which].sum(axis=1) - 1e-13
            at[which], moments[which] = proposed, next_moments
            value[which[climbs]] = reached[climbs]
            pending = pending[~climbs]
            if not pending.size:
                break
            step[pending] /= 2
        else:
            value[which] = reached
        moved = np.abs(at[active] - before).max(axis=1)
        active = active[(moved >= 1e-9) & (at[active, 1] > _LEAST)]
        if not active.size:
            break
    ends = (part.reshape(len(_STARTS), len(mean), *part.shape[1:]) for part in (at[:, 0], at[:, 1], value))
    return [RandomIntercepts(*found) for found in zip(*ends, strict=True)]


def _ascent(moments: Array, sd: Array) -> Array:
    """Newton's step in mean and sd, made to climb where the likelihood isn't concave and no longer than 2."""
    gradient, hessian = _derivatives(moments, sd)
    eigenvalues, vectors = np.linalg.eigh(hessian)
    along = vectors.swapaxes(1, 2) @ gradient[..., None]
    step = (vectors @ (along / np.maximum(np.abs(eigenvalues), _FLATTEST)[..., None]))[..., 0]
    # a step against the bound of the sd is one of the mean alone; cut off there, the two together might lead down
    held = (sd >= WIDEST) & (step[:, 1] > 0)
    step[held, 0] = gradient[held, 0] / np.maximum(np.abs(hessian[held, 0, 0]), _FLATTEST)
    step[held, 1] = 0.0
    return np.asarray(step * np.minimum(1.0, 2.0 / np.abs(step).max(axis=1, initial=1e-300))[:, None])


def _derivatives(moments: Array, sd: Array) -> tuple[Array, Array]:
    """Gradient and Hessian of the sums of log-likelihoods in mean and sd, from the posterior moments of z."""
    first, second, third, fourth = np.moveaxis(moments, -1, 0)
    by_mean, by_sd = first, second - 1
    gradient = np.stack([by_mean.sum(axis=1), by_sd.sum(axis=1)], axis=1) / sd[:, None]
    mixed = (third - 3 * first - by_mean * by_sd).sum(axis=1)
    corners = ((second - 1 - by_mean**2).sum(axis=1), (fourth - 5 * second + 2 - by_sd**2).sum(axis=1))
    rows = [np.stack([corners[0], mixed], axis=1), np.stack([mixed, corners[1]], axis=1)]
    return gradient, np.stack(rows, axis=1) / (sd**2)[:, None, None]
