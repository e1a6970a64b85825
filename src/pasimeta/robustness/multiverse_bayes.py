"""The binomial-normal model under half-normal priors of tau, for many data sets at once, on one shared grid.

A data set is a product of its studies' likelihoods, and many data sets share few studies: each distinct study is
integrated once over a grid of (tau, mu), and a data set costs a sum of tables. The answer is that of
:func:`pasimeta.synthesis.pool_bayes_binomial` to about five digits.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.polynomial import legendre
from scipy.fft import irfft, next_fast_len, rfft
from scipy.special import expit, log_expit, ndtr, xlog1py, xlogy

from pasimeta.effects.validation import Array
from pasimeta.synthesis.quadrature import gauss_hermite

_TAU_NODES = 24
_TAU_REACH = 6.5  # scales of a half-normal prior; what lies beyond holds 1e-10 of it
_MU_REACH = 6.0  # prior standard deviations either side
_FLAT_REACH = 20.0  # log-odds beyond all data: what lies farther holds 1e-8 of the posterior
_MU_POINTS, _MU_STEP = (401, 4001), 0.4  # fewest and most; widest step, in standard errors of all patients pooled
_NARROW_NODES = 11
_DECIMALS = 9


def bayes_columns(
    events: Array, n: Array, tau_scale: float, mu_prior: tuple[float, float] | None, level: float
) -> dict[str, Array]:
    """Return posterior summaries of the median study's rate and of a new study's.

    Parameters
    ----------
    events, n : ndarray, shape (k, d)
        Counts of d data sets; n = 0 where a data set has fewer than k studies.
    tau_scale : float
        Scale of the half-normal prior of tau.
    mu_prior : (float, float) or None
        Mean and sd of the normal prior of mu, in log-odds; None is the flat one, under which every data set must hold
        both responders and others.
    level : float
        Probability of the equal-tailed intervals.

    Returns
    -------
    dict of str to ndarray, shape (d,)
        ``estimate`` (posterior median), ``ci_lower``, ``ci_upper``, ``pi_lower``, ``pi_upper``: rates in [0, 1].
    """
    tau, log_prior = _tau_grid(tau_scale)
    patients = patient_class(n.sum(axis=0).max())
    mu, log_prior_of_mu = _mu_grid(mu_prior, tau_scale, patients)
    log_prior = log_prior[:, None] + log_prior_of_mu
    tables, which = _study_tables(events, n, tau, mu)
    tail = 0.5 * (1.0 - level)
    wanted = np.array([tail, 0.5, 1.0 - tail])
    densities, blurred = np.empty((2, events.shape[1], mu.size)), _blurring(tau, mu)
    for column in range(events.shape[1]):
        log_density = log_prior + tables[which[:, column]].sum(axis=0)
        mass = np.exp(log_density - log_density.max())
        densities[:, column] = mass.sum(axis=0), blurred(mass)
    limits = np.concatenate([_quantiles(each, mu, wanted).T for each in densities])
    # digits beyond the grid's own accuracy hang on how a processor orders its sums: none is given
    lower, middle, upper, new_lower, _, new_upper = expit(limits).round(_DECIMALS)
    return {"estimate": middle, "ci_lower": lower, "ci_upper": upper, "pi_lower": new_lower, "pi_upper": new_upper}


def patient_class(patients: float) -> int:
    """Return the power of two (at least 32) that the number of patients doesn't exceed.

    The grid is as fine as this asks for. Data sets fitted together must share it, so that none depends on the others.
    """
    return int(2 ** max(5, int(np.ceil(np.log2(patients)))))


def _tau_grid(scale: float) -> tuple[Array, Array]:
    nodes, weights = legendre.leggauss(_TAU_NODES)
    tau = 0.5 * _TAU_REACH * scale * (nodes + 1.0)
    return tau, np.log(weights) - 0.5 * (tau / scale) ** 2


def _mu_grid(mu_prior: tuple[float, float] | None, tau_scale: float, patients: int) -> tuple[Array, Array]:
    """Even grid of mu, and its log-prior up to a constant."""
    if mu_prior is None:
        # all patients pooled can't be farther out than this; beyond, a likelihood falls by a power of the odds, and the
        # wider tau may be the lower that power
        mean, reach = 0.0, np.log(2.0 * patients) + _FLAT_REACH * max(1.0, tau_scale)
    else:
        mean, sd = mu_prior
        # a new study may lie beyond the reach of mu by as much as tau allows
        reach = _MU_REACH * sd + 3.0 * tau_scale
    step = _MU_STEP * 2.0 / np.sqrt(patients)
    mu = np.linspace(mean - reach, mean + reach, int(np.clip(2.0 * reach / step, *_MU_POINTS)))
    return mu, np.zeros(mu.size) if mu_prior is None else -0.5 * ((mu - mean) / sd) ** 2


def _study_tables(events: Array, n: Array, tau: Array, mu: Array) -> tuple[Array, np.ndarray]:
    """Log-likelihood (up to a constant) of each distinct study, (studies, taus, mus), and which is in each cell."""
    pairs = np.stack([events.ravel(), n.ravel()], axis=1)
    distinct, which = np.unique(pairs, axis=0, return_inverse=True)
    step = mu[1] - mu[0]
    own = _likelihoods(distinct, mu)
    tables = np.empty((len(distinct), tau.size, mu.size))
    for j, spread in enumerate(tau):
        if spread >= step:
            tables[:, j] = own @ _blur(mu, spread)
        else:
            # the grid is too coarse for so narrow a normal, and a few nodes around each mu are plenty
            z, weights = gauss_hermite(_NARROW_NODES)
            tables[:, j] = sum(w * _likelihoods(distinct, mu + spread * at) for at, w in zip(z, weights, strict=True))
    return np.log(np.maximum(tables, np.finfo(float).tiny)), which.reshape(events.shape)


def _likelihoods(distinct: Array, theta: Array) -> Array:
    """Binomial likelihood of each study at each log-odds, against its own peak, so that none underflows at its best."""
    x, size = distinct[:, :1], distinct[:, 1:]
    rate = np.divide(x, size, out=np.zeros_like(x), where=size > 0)
    peak = xlogy(x, rate) + xlog1py(size - x, -rate)
    return np.exp(x * log_expit(theta) + (size - x) * log_expit(-theta) - peak)


def _blur(mu: Array, spread: float) -> Array:
    """Matrix from values at the true log-odds to their normal means at each mu; constant beyond the grid."""
    step = mu[1] - mu[0]
    u = np.arange(1 - mu.size, mu.size) * (step / spread)  # on an even grid the distances of all pairs are these
    weights = np.exp(-0.5 * u * u) * (step / (spread * np.sqrt(2.0 * np.pi)))
    kernel = np.lib.stride_tricks.sliding_window_view(weights, mu.size)[::-1].copy()
    kernel[[0, -1]] *= 0.5
    outward = ndtr(u[: mu.size])
    kernel[0] += outward[::-1]
    kernel[-1] += outward
    return kernel


def _blurring(tau: Array, mu: Array) -> Callable[[Array], Array]:
    """From a posterior on the grid (taus, mus) to a new study's log-odds: each posterior of mu blurred by its tau."""
    # padded, for a Fourier transform takes the two ends of a grid for neighbours
    size = next_fast_len(2 * mu.size, real=True)
    frequencies = 2.0 * np.pi * np.fft.rfftfreq(size, mu[1] - mu[0])
    fading = np.exp(-0.5 * (tau[:, None] * frequencies) ** 2)

    def blurred(mass: Array) -> Array:
        transformed = (rfft(mass, size, axis=1) * fading).sum(axis=0)
        return np.maximum(irfft(transformed, size)[: mu.size], 0.0)

    return blurred


def _quantiles(densities: Array, x: Array, wanted: Array) -> Array:
    """Quantiles of densities known on an even grid, integrated to fourth order; shape (densities, wanted)."""
    f = np.pad(densities, ((0, 0), (1, 1)))
    pieces = (13.0 * (f[:, 1:-2] + f[:, 2:-1]) - f[:, :-3] - f[:, 3:]) / 24.0
    cumulative = np.pad(np.cumsum(np.maximum(pieces, 0.0), axis=1), ((0, 0), (1, 0)))
    target = wanted * cumulative[:, -1:]
    found = [np.searchsorted(row, values) for row, values in zip(cumulative, target, strict=True)]
    i = np.clip(np.stack(found) - 1, 0, x.size - 2)
    low, high = (np.take_along_axis(cumulative, at, axis=1) for at in (i, i + 1))
    left, right = (np.take_along_axis(densities, at, axis=1) for at in (i, i + 1))
    t = (target - low) / (high - low)
    for _ in range(6):
        # Newton on the cubic through both ends of the panel with their slopes
        value = low + (high - low) * t * t * (3 - 2 * t) + t * (1 - t) * (left * (1 - t) - right * t)
        slope = 6 * (high - low) * t * (1 - t) + left * (1 - t) * (1 - 3 * t) + right * t * (3 * t - 2)
        t = np.clip(t - (value - target) / np.maximum(slope, 1e-300), 0.0, 1.0)
    return np.asarray(x[i] + t * (x[1] - x[0]))
