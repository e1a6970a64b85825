"""Likelihood of ordered categories given a study's own level, and integrated over the levels of studies.

A study's level is ``theta``; a patient of it improves by at least c with probability F(theta - z(c)). Counts that
are known only within bounds are summed over every allocation they allow. Levels are normal between studies; the
integral takes the trapezoidal rule at equal steps of the level. The integrand is smooth (no patient carries more than
one unit of information on theta), so the rule converges geometrically: with a step of at most 0.9 of the narrowest
standard deviation the integrand can have, the error is exp(-2 pi**2 / 0.81), 3e-11. The integrand is log-concave too:
patients in order have a log-concave density, and bounds on counts are bounds on single ones of them. So where many
patients make it narrow, a coarse pass finds the window outside which it is nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pasimeta.effects.validation import Array
from pasimeta.synthesis.thresholds.categories import Categories, Indices
from pasimeta.synthesis.thresholds.links import TINY, Link

REACH = 8.0  # standard deviations on each side; what lies beyond has probability 1e-15
_STEP = 0.9
# numbers of steps, few different ones so that rows share them
_STEPS = np.sort(np.concatenate([24 * 2 ** np.arange(8), 32 * 2 ** np.arange(8)]))
_COARSE = np.linspace(-REACH, REACH, 17)
_WORTH_A_WINDOW = 72  # nodes; with fewer the coarse pass costs more than it saves
_NOTHING = 36.0  # logarithm: what lies so far below the peak adds 1e-15 of it
_DOUBLINGS = 16  # 2**15 allocations are more than are allowed
_ELEMENTS = 60_000  # category values held at once: arrays of a size the cache can bear


@dataclass(frozen=True, slots=True)
class Score:
    """Log-likelihood of each row and its derivatives.

    Attributes
    ----------
    value : ndarray, shape (rows,)
    mu, tau : ndarray, shape (rows,)
        Derivatives by the mean level and by the standard deviation of levels (0 where there is none).
    z : ndarray, shape (rows, T + 2)
        Derivative by each padded cut-point; the infinite ones have none.
    """

    value: Array
    mu: Array
    tau: Array
    z: Array


@dataclass(frozen=True, slots=True)
class Pulls:
    """Derivatives of a log-likelihood given the level by what the levels are held against.

    Attributes
    ----------
    limits : ndarray of int, shape (rows, L)
        Edges of categories, then exact improvements, as indices into the padded cut-points.
    values : ndarray, shape (rows, L, m)
        Derivative by each, the others held.
    """

    limits: Indices
    values: Array

    def averaged(self, weight: Array, u: Array, padded: int) -> tuple[Array, Array, Array]:
        """Derivatives by the mean level, by tau (``u`` standard deviations from it), and by the padded cut-points."""
        by_limit = np.matmul(self.values, weight[:, :, None])[:, :, 0]
        at_z = np.zeros((len(by_limit), padded))
        np.add.at(at_z, (np.arange(len(by_limit))[:, None], self.limits), by_limit)
        at_z[:, 0] = at_z[:, -1] = 0.0
        by_tau = np.matmul(self.values, (weight * u)[:, :, None]).sum(axis=(1, 2))
        return -by_limit.sum(axis=1), -by_tau, at_z


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
    chances = cell_chances(_apart(z, data.edges, theta), link)
    value = _over_allocations(data, np.log(chances))[0]
    return value if not data.points.shape[1] else value + _log_densities(data, theta, z, link)


def common_log_likelihood(data: Categories, theta: Array, z: Array, link: Link) -> Array:
    """Log-likelihood of all rows at the same levels, under several sets of cut-points: no category is computed twice.

    Parameters
    ----------
    data : Categories
        Rows of counts.
    theta : ndarray, shape (m,)
        Levels.
    z : ndarray, shape (Z, T + 2)
        Padded cut-points.

    Returns
    -------
    ndarray, shape (Z, rows, m)
    """
    rows, allocations, size = data.counts.shape
    below = np.concatenate([np.zeros((rows, 1), dtype=np.intp), data.edges], axis=1)
    above = np.concatenate([data.edges, np.full((rows, 1), data.infinity)], axis=1)
    cells, place = np.unique(below * (data.infinity + 1) + above, return_inverse=True)
    lower, upper = np.divmod(cells, data.infinity + 1)
    patients = np.zeros((rows, allocations, len(cells)))
    every, each = np.arange(rows)[:, None, None], np.arange(allocations)[None, :, None]
    np.add.at(patients, (every, each, place.reshape(rows, 1, size)), data.counts)
    value = np.empty((len(z), rows, len(theta)))
    for node, padded in enumerate(z):
        tail, right = _signed_tails(padded[:, None] - theta, link)
        chances = tail[upper] - tail[lower]
        chances += right[upper] ^ right[lower]
        logs = np.log(np.maximum(chances, TINY, out=chances))
        terms = np.matmul(patients, logs) + data.log_coefficient[:, :, None]
        peak = terms.max(axis=1)
        value[node] = peak if allocations == 1 else peak + np.log(np.exp(terms - peak[:, None]).sum(axis=1))
        if data.points.shape[1]:
            value[node] += _log_densities(data, theta[None], padded[None], link)
    return value


def given_level(data: Categories, theta: Array, z: Array, link: Link) -> Score:
    """Log-likelihood at one level a row, with derivatives by the level and the cut-points."""
    value, pulls = _given_level(data, theta[:, None], z, link)
    slope, _, at_z = pulls.averaged(np.ones_like(value), np.zeros_like(value), z.shape[1])
    return Score(value[:, 0], slope, np.zeros_like(slope), at_z)


def integrated(data: Categories, mu: Array, tau: Array, z: Array, link: Link, of: Indices | None = None) -> Score:
    """Log-likelihood of rows, their levels normal with mean ``mu`` and standard deviation ``tau`` (may be negative).

    The likelihood is even in ``tau``: an optimizer may step across 0, where its slope vanishes.

    Parameters
    ----------
    data : Categories
    mu, tau : ndarray, shape (problems,)
    z : ndarray, shape (problems, T + 2)
        Padded cut-points.
    link : Link
    of : ndarray of int, shape (problems,), optional
        Row that each problem is about; every row in order by default.
    """
    problems, padded = z.shape
    of = np.arange(problems) if of is None else of
    result = Score(np.empty(problems), np.empty(problems), np.empty(problems), np.empty((problems, padded)))
    lower, upper, nodes = _windows(data, of, mu, tau, z, link)
    # rows of a kind go together, so that few allocations aren't padded to many
    kind = nodes * _DOUBLINGS + np.ceil(np.log2(data.allocations))[of].astype(np.intp)
    for each in sorted(set(kind.tolist())):
        concerned = np.flatnonzero(kind == each)
        count, doublings = divmod(each, _DOUBLINGS)
        batch = max(1, _ELEMENTS // (count * (data.counts.shape[2] + 2**doublings)))
        for first in range(0, len(concerned), batch):
            which = concerned[first : first + batch]
            step = (upper[which] - lower[which]) / max(count - 1, 1)
            u = lower[which, None] + step[:, None] * np.arange(count)
            part = _integrated(data.rows(of[which]), mu[which], tau[which], z[which], link, u)
            result.value[which], result.mu[which], result.tau[which] = part.value, part.mu, part.tau
            result.z[which] = part.z
    return result


def node_count(spread: Array) -> Indices:
    """Nodes of the trapezoidal rule that suffice; ``spread`` is tau times the square root of the patients."""
    return _nodes(spread, np.full(spread.shape, 2 * REACH))


def cell_chances(x: Array, link: Link) -> Array:
    """Probability of each category, without cancellation in either tail; at least ``TINY``.

    Parameters
    ----------
    x : ndarray, shape (rows, E, m)
        Edges between neighbouring categories, from the level; ascending.

    Returns
    -------
    ndarray, shape (rows, E + 1, m)
    """
    tail, right = _signed_tails(x, link)
    chances = np.empty((x.shape[0], x.shape[1] + 1, x.shape[2]))
    np.subtract(tail[:, 1:], tail[:, :-1], out=chances[:, 1:-1])
    chances[:, 1:-1] += right[:, 1:] ^ right[:, :-1]
    np.add(tail[:, 0], right[:, 0], out=chances[:, 0])
    np.subtract(~right[:, -1], tail[:, -1], out=chances[:, -1])
    return np.maximum(chances, TINY, out=chances)


def _signed_tails(x: Array, link: Link) -> tuple[Array, NDArray[np.bool_]]:
    """Probability of the tail that ``x`` cuts off, negative for the right one; and whether it is the right one.

    The sum of both is the probability below ``x``. Kept apart, neither tail loses digits in 1 - p.
    """
    right = ~np.signbit(x)
    return np.copysign(link.cdf(-np.abs(x)), -x), right


def _nodes(spread: Array, width: Array) -> Indices:
    steps = width * np.sqrt(1 + spread**2) / _STEP
    return _STEPS[np.minimum(np.searchsorted(_STEPS, steps), len(_STEPS) - 1)] + 1


def _windows(
    data: Categories, of: Indices, mu: Array, tau: Array, z: Array, link: Link
) -> tuple[Array, Array, Indices]:
    """Where each integrand is more than nothing, in standard deviations from the mean, and the nodes needed there."""
    upper = np.where(tau == 0, 0.0, REACH)
    lower = -upper
    spread = np.abs(tau) * np.sqrt(data.n[of])
    nodes = np.where(tau == 0, 1, node_count(spread))
    wide = np.flatnonzero(nodes > _WORTH_A_WINDOW)
    if wide.size:
        theta = mu[wide, None] + tau[wide, None] * _COARSE
        logs = log_likelihood(data.rows(of[wide]), theta, z[wide], link) - 0.5 * _COARSE**2
        inside = logs > logs.max(axis=1, keepdims=True) - _NOTHING
        last = len(_COARSE) - 1
        first, end = np.argmax(inside, axis=1) - 1, last - np.argmax(inside[:, ::-1], axis=1) + 1
        lower[wide], upper[wide] = _COARSE[np.maximum(first, 0)], _COARSE[np.minimum(end, last)]
        nodes[wide] = _nodes(spread[wide], upper[wide] - lower[wide])
    return lower, upper, nodes


def _integrated(data: Categories, mu: Array, tau: Array, z: Array, link: Link, u: Array) -> Score:
    step = u[:, 1] - u[:, 0] if u.shape[1] > 1 else np.full(len(u), np.sqrt(2 * np.pi))
    value, pulls = _given_level(data, mu[:, None] + tau[:, None] * u, z, link)
    value -= 0.5 * u**2
    peak = value.max(axis=1)
    weight = np.exp(value - peak[:, None])
    total = weight.sum(axis=1)
    slope, at_tau, at_z = pulls.averaged(weight / total[:, None], u, z.shape[1])
    return Score(peak + np.log(total * step / np.sqrt(2 * np.pi)), slope, at_tau, at_z)


def _given_level(data: Categories, theta: Array, z: Array, link: Link) -> tuple[Array, Pulls]:
    x = _apart(z, data.edges, theta)
    chances = cell_chances(x, link)
    value, expected = _over_allocations(data, np.log(chances))
    pull = expected / chances
    by_edge = link.density(x) * (pull[:, :-1] - pull[:, 1:])
    if not data.points.shape[1]:
        return value, Pulls(data.edges, by_edge)
    seen = (data.points > 0)[:, :, None]
    at = np.where(seen, _apart(z, data.points, theta), 0.0)
    by_point = np.where(seen, _log_density_slope(at, link), 0.0)
    limits = np.concatenate([data.edges, data.points], axis=1)
    return value + _log_densities(data, theta, z, link), Pulls(limits, np.concatenate([by_edge, by_point], axis=1))


def _apart(z: Array, limits: Indices, theta: Array) -> Array:
    """Cut-points at the limits of each row, from its levels, shape (rows, L, m)."""
    return z[np.arange(len(limits))[:, None], limits][:, :, None] - theta[:, None, :]


def _over_allocations(data: Categories, logs: Array) -> tuple[Array, Array]:
    """Log-likelihood (rows, m), and patients expected in each category (rows, C, m or 1) given what is reported."""
    terms = np.matmul(data.counts, logs) + data.log_coefficient[:, :, None]
    if terms.shape[1] == 1:
        return terms[:, 0], data.counts[:, 0, :, None]
    peak = terms.max(axis=1)
    share = np.exp(terms - peak[:, None])
    total = share.sum(axis=1)
    return peak + np.log(total), np.matmul(data.counts.transpose(0, 2, 1), share / total[:, None])


def _log_densities(data: Categories, theta: Array, z: Array, link: Link) -> Array:
    """Logarithms of the densities of exact improvements, summed, shape (rows, m)."""
    seen = (data.points > 0)[:, :, None]
    limits = z[np.arange(len(data))[:, None], data.points] if len(z) > 1 else z[0][data.points]
    at = np.where(seen, limits[:, :, None] - theta[:, None, :], 0.0)
    return np.asarray(np.where(seen, np.log(np.maximum(link.density(at), TINY)), 0.0).sum(axis=1))


def _log_density_slope(x: Array, link: Link) -> Array:
    return -x if link.name == "probit" else 1 - 2 * link.cdf(x)
