"""Study intercepts drawn from a normal distribution: the marginal likelihood of a common log odds ratio.

A study's intercept is its own in the model with study intercepts, and everybody's in the one with a common intercept.
Here it is drawn from Normal(mean, sd), so the truth lies between: the smaller the sd, the more the differences between
studies speak for the odds ratio, and with them whatever else the studies differ in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pasimeta.effects.validation import Array
from pasimeta.moderators.strata import Stratum

WIDEST = 5.0  # of the intercepts' sd; beyond it studies share nothing, as with an intercept each
_LEAST = 1e-3  # an sd that can't be told from 0
_REACH = 16.0
_TAIL = 8.0  # standard deviations that an integral spans
_STEP = 0.1
_GRID = np.arange(-_REACH - _TAIL * WIDEST, _REACH + _TAIL * WIDEST + _STEP / 2, _STEP)
_NARROW = 2 * _STEP  # a density narrower than this is integrated on nodes of its own
_NODES = np.linspace(-_TAIL, _TAIL, 65)
_STARTS = (0.3, 1.5)


class RandomIntercepts(NamedTuple):
    """Where the intercepts lie for one log odds ratio, and each study's log-likelihood there, shape (studies,)."""

    mean: float
    sd: float
    log_likelihoods: Array


class MarginalLikelihood:
    """Studies' log-likelihoods at one log odds ratio, averaged over intercepts drawn from Normal(mean, sd).

    By the trapezoidal rule: on the whole line, for a function that falls off like a normal density, its error falls
    exponentially with the step, which is at most half an sd.

    References
    ----------
    Trefethen & Weideman 2014, *SIAM Rev* 56:385, section 5.
    """

    def __init__(self, strata: Sequence[Stratum], effect: float) -> None:
        self._strata, self._effect = strata, effect
        values = np.stack([stratum.log_likelihood(_GRID, effect) for stratum in strata])
        self._highest = values.max(axis=1)
        self._relative = np.exp(values - self._highest[:, None])

    def at(self, mean: float, sd: float) -> tuple[Array, Array]:
        """Return the studies' log-likelihoods, shape (studies,), and the moments that their derivatives are made of.

        The moments, shape (studies, 4), are the averages of z to z^4 over each study's posterior of its intercept
        mean + sd z.
        """
        z, relative, highest = (_GRID - mean) / max(sd, _LEAST), self._relative, self._highest
        if sd < _NARROW:
            z = _NODES
            values = np.stack([s.log_likelihood(mean + sd * z, self._effect) for s in self._strata])
            highest = values.max(axis=1)
            relative = np.exp(values - highest[:, None])
        square = z * z
        weights = np.exp(-0.5 * square)
        powers = np.stack([weights, weights * z, weights * square, weights * square * z, weights * square**2], axis=1)
        sums = relative @ powers
        return np.asarray(highest + np.log(sums[:, 0] / weights.sum())), sums[:, 1:] / sums[:, :1]


def best_random_intercepts(strata: Sequence[Stratum], effect: float, common: float) -> RandomIntercepts:
    """Return the distribution of intercepts that makes one log odds ratio likeliest.

    Parameters
    ----------
    strata : sequence of Stratum
    effect : float
        Log odds ratio, first group against second.
    common : float
        The intercept that is best for all studies together: the fit with an sd of 0, which wins if no other beats it.
    """
    likelihood = MarginalLikelihood(strata, effect)
    best = RandomIntercepts(common, 0.0, likelihood.at(common, 0.0)[0])
    for start in _STARTS:
        found = _climbed(likelihood, float(np.clip(common, -_REACH, _REACH)), start)
        if found.sd > _LEAST and found.log_likelihoods.sum() > best.log_likelihoods.sum() + 1e-10:
            best = found
    return best


def random_profile(strata: Sequence[Stratum], effects: Array, commons: Array) -> Array:
    """Return each study's log-likelihood at the best distribution of intercepts, shape (studies, effects)."""
    columns = [
        best_random_intercepts(strata, float(d), float(common)).log_likelihoods
        for d, common in zip(effects, commons, strict=True)
    ]
    return np.stack(columns, axis=1)


def _climbed(likelihood: MarginalLikelihood, mean: float, sd: float) -> RandomIntercepts:
    """Newton's steps to a maximum of the likelihood, halved where they overshoot and kept within the bounds."""
    at, (value, moments) = np.array([mean, sd]), likelihood.at(mean, sd)
    lower, upper = np.array([-_REACH, _LEAST]), np.array([_REACH, WIDEST])
    for _ in range(60):
        gradient, hessian = _derivatives(moments, float(at[1]))
        # made negative definite where the likelihood isn't concave, so that every step climbs
        eigenvalues, vectors = np.linalg.eigh(hessian)
        step = vectors @ ((vectors.T @ gradient) / np.maximum(np.abs(eigenvalues), 1e-3))
        step *= min(1.0, 2.0 / float(np.abs(step).max(initial=1e-300)))
        for _ in range(40):
            proposed = np.clip(at + step, lower, upper)
            reached, next_moments = likelihood.at(*map(float, proposed))
            if reached.sum() >= value.sum() - 1e-13:
                break
            step = step / 2
        moved = float(np.abs(proposed - at).max())
        at, value, moments = proposed, reached, next_moments
        if moved < 1e-9 or at[1] <= _LEAST:
            break
    return RandomIntercepts(float(at[0]), float(at[1]), value)


def _derivatives(moments: Array, sd: float) -> tuple[Array, Array]:
    """Gradient and Hessian of the sum of log-likelihoods in mean and sd, from the posterior moments of z."""
    first, second, third, fourth = moments.T
    by_mean, by_sd = first, second - 1
    gradient = np.array([by_mean.sum(), by_sd.sum()]) / sd
    mixed = (third - 3 * first - by_mean * by_sd).sum()
    corners = ((second - 1 - by_mean**2).sum(), (fourth - 5 * second + 2 - by_sd**2).sum())
    return gradient, np.array([[corners[0], mixed], [mixed, corners[1]]]) / sd**2
