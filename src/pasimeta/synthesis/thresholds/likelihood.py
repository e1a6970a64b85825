"""Likelihood of ordered categories given a study's own level, and integrated over the levels of studies.

A study's level is ``theta``; a patient of it improves by at least c with probability F(theta - z(c)). Counts that
are known only within bounds are summed over every allocation they allow. Levels are normal between studies; the
integral takes the trapezoidal rule at fixed standard deviations from the mean. The integrand is smooth (no patient
carries more than one unit of information on theta), so the rule converges geometrically: with a step of at most 0.9 of
the narrowest standard deviation the integrand can have, the error is exp(-2 pi**2 / 0.81), 3e-11.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pasimeta.effects.validation import Array
from pasimeta.synthesis.thresholds.categories import Categories, Indices
from pasimeta.synthesis.thresholds.links import TINY, Link

REACH = 8.0  # standard deviations on each side; what lies beyond has probability 1e-15
_STEP = 0.9
_FEWEST, _MOST = 33, 4097
_ELEMENTS = 400_000  # category values held at once: arrays of a size the cache can bear


@dataclass(frozen=True, slots=True)
class Score:
    """Log-likelihood of each row and its derivatives.

    Attributes
    ----------
    value : ndarray, shape (rows,)
    mu, tau : ndarray, shape (rows,)
        Derivatives by the mean level and by the standard deviation of levels (None where there is none).
    z : ndarray, shape (rows, T + 2)
        Derivative by each padded cut-point; the infinite ones have none.
    """

    value: Array
    mu: Array
    tau: Array
    z: Array


def log_likelihood(data: Categories, theta: Array, z: Array, link: Link) -> Array:
    """Log-likelihood of each row at each of its levels.

    Parameters
    ----------
    data : Categories
        Rows of counts.
    theta : ndarray, shape (rows, m)
        Levels.
    z : ndarray, shape (rows, T + 2)
        Padded cut-points of each row.

    Returns
    -------
    ndarray, shape (rows, m)
        Multinomial coefficients included; of exact improvements the density of the latent variable.
    """
    value, _, _ = _given_level(data, theta, z, link)
    return value


def given_level(data: Categories, theta: Array, z: Array, link: Link) -> Score:
    """Log-likelihood at one level a row, with derivatives by the level and the cut-points."""
    value, by_lower, by_upper = _given_level(data, theta[:, None], z, link)
    return Score(value[:, 0], *_collected(data, z, theta[:, None], np.ones((len(theta), 1)), by_lower, by_upper, link))


def integrated(data: Categories, mu: Array, tau: Array, z: Array, link: Link) -> Score:
    """Log-likelihood of each row, its level normal with mean ``mu`` and standard deviation ``tau`` (may be negative).

    The likelihood is even in ``tau``: an optimizer may step across 0, where its slope vanishes.
    """
    rows, padded = z.shape
    result = Score(np.empty(rows), np.empty(rows), np.empty(rows), np.empty((rows, padded)))
    nodes = node_count(np.abs(tau) * np.sqrt(data.n))
    for count in np.unique(nodes):
        concerned = np.flatnonzero(nodes == count)
        batch = max(1, _ELEMENTS // int(count * data.counts.shape[2] * max(1, data.counts.shape[1] // 4)))
        for first in range(0, len(concerned), batch):
            which = concerned[first : first + batch]
            part = _integrated(data.rows(which), mu[which], tau[which], z[which], link, int(count))
            result.value[which], result.mu[which], result.tau[which] = part.value, part.mu, part.tau
            result.z[which] = part.z
    return result


def node_count(spread: Array) -> Indices:
    """Nodes of the trapezoidal rule that suffice; ``spread`` is tau times the square root of the patients."""
    needed = 2 * REACH * np.sqrt(1 + spread**2) / _STEP
    halvings = np.ceil(np.log2(np.maximum(needed / (_FEWEST - 1), 1)))
    return np.minimum((_FEWEST - 1) * 2**halvings + 1, _MOST).astype(np.intp)


def _integrated(data: Categories, mu: Array, tau: Array, z: Array, link: Link, count: int) -> Score:
    u = np.linspace(-REACH, REACH, count)
    log_weight = -0.5 * u**2
    log_weight -= np.log(np.exp(log_weight).sum())
    theta = mu[:, None] + tau[:, None] * u
    value, by_lower, by_upper = _given_level(data, theta, z, link)
    value = value + log_weight
    peak = value.max(axis=1)
    weight = np.exp(value - peak[:, None])
    total = weight.sum(axis=1)
    weight /= total[:, None]
    slope, at_tau, at_z = _collected(data, z, theta, weight, by_lower, by_upper, link, u)
    return Score(peak + np.log(total), slope, at_tau, at_z)


def _given_level(data: Categories, theta: Array, z: Array, link: Link) -> tuple[Array, Array, Array]:
    """Value (rows, m), and its derivatives by the lower and upper limit of each category (rows, m, C)."""
    rows = np.arange(len(data))[:, None]
    lower = z[rows, data.lower][:, None, :] - theta[:, :, None]
    upper = z[rows, data.upper][:, None, :] - theta[:, :, None]
    probability = link.between(lower, upper)
    log_probability = np.log(probability)
    if data.counts.shape[1] == 1:
        expected = data.counts
        value = np.einsum("rmc,rc->rm", log_probability, data.counts[:, 0]) + data.log_coefficient
    else:
        terms = np.matmul(log_probability, data.counts.transpose(0, 2, 1)) + data.log_coefficient[:, None, :]
        peak = terms.max(axis=2)
        terms = np.exp(terms - peak[:, :, None])
        total = terms.sum(axis=2)
        value = peak + np.log(total)
        expected = np.matmul(terms / total[:, :, None], data.counts)
    pull = expected / probability
    if data.points.shape[1]:
        at = z[rows, data.points][:, None, :] - theta[:, :, None]
        seen = (data.points > 0)[:, None, :]
        value = value + np.where(seen, np.log(np.maximum(link.density(np.where(seen, at, 0.0)), TINY)), 0.0).sum(axis=2)
    return value, -pull * link.density(lower), pull * link.density(upper)


def _collected(
    data: Categories,
    z: Array,
    theta: Array,
    weight: Array,
    by_lower: Array,
    by_upper: Array,
    link: Link,
    u: Array | None = None,
) -> tuple[Array, Array, Array]:
    """Derivatives by mu, tau and the padded cut-points, averaged over the nodes."""
    at_z = np.zeros(z.shape)
    rows = np.broadcast_to(np.arange(len(data))[:, None], data.lower.shape)
    np.add.at(at_z, (rows, data.lower), np.einsum("rm,rmc->rc", weight, by_lower))
    np.add.at(at_z, (rows, data.upper), np.einsum("rm,rmc->rc", weight, by_upper))
    by_theta = -(by_lower + by_upper).sum(axis=2)
    if data.points.shape[1]:
        every = np.arange(len(data))[:, None]
        seen = data.points > 0
        at = z[every, data.points][:, None, :] - theta[:, :, None]
        pulls = np.where(seen[:, None, :], _log_density_slope(np.where(seen[:, None, :], at, 0.0), link), 0.0)
        np.add.at(at_z, (np.broadcast_to(every, seen.shape), data.points), np.einsum("rm,rme->re", weight, pulls))
        by_theta = by_theta - pulls.sum(axis=2)
    at_z[:, 0] = at_z[:, -1] = 0.0
    slope = (weight * by_theta).sum(axis=1)
    by_tau = np.zeros_like(slope) if u is None else (weight * by_theta * u).sum(axis=1)
    return slope, by_tau, at_z


def _log_density_slope(x: Array, link: Link) -> Array:
    return -x if link.name == "probit" else 1 - 2 * link.cdf(x)
