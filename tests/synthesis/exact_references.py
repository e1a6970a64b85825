"""Slow, independent references for the exact models: dense sums over the study's own log-odds, general optimizers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq, minimize_scalar
from scipy.special import gammaln

Array = NDArray[np.float64]
LogLikelihood = Callable[[float, float], float]


def binomial_normal(events: ArrayLike, n: ArrayLike, points: int = 12_001) -> LogLikelihood:
    """Full log-likelihood of (mu, tau), each study's integral a trapezoidal sum over +-13 standard deviations."""
    x, m = np.asarray(events, float), np.asarray(n, float)
    z = np.linspace(-13, 13, points)
    log_normal = -0.5 * z**2 + np.log(z[1] - z[0]) - 0.5 * np.log(2 * np.pi)
    choose = gammaln(m + 1) - gammaln(x + 1) - gammaln(m - x + 1)

    def log_likelihood(mu: float, tau: float) -> float:
        theta = mu + tau * z
        logs = x[:, None] * theta - m[:, None] * np.logaddexp(0, theta) + log_normal
        peak = logs.max(axis=1)
        return float((choose + peak + np.log(np.exp(logs - peak[:, None]).sum(axis=1))).sum())

    return log_likelihood


def beta_binomial(events: ArrayLike, n: ArrayLike) -> LogLikelihood:
    """Log-likelihood of (logit p, gamma), patient by patient: Polya's urn."""
    x, m = np.asarray(events, float), np.asarray(n, float)
    choose = gammaln(m + 1) - gammaln(x + 1) - gammaln(m - x + 1)
    drawn = [(np.arange(a), np.arange(b - a), np.arange(b)) for a, b in zip(x, m, strict=True)]

    def log_likelihood(mu: float, gamma: float) -> float:
        p, q = 1 / (1 + np.exp(-mu)), 1 / (1 + np.exp(mu))
        total = float(choose.sum())
        for hit, miss, every in drawn:
            total += np.log(p + gamma * hit).sum() + np.log(q + gamma * miss).sum() - np.log1p(gamma * every).sum()
        return total

    return log_likelihood


def profile(log_likelihood: LogLikelihood, h: float, bounds: tuple[float, float] = (-25, 25)) -> tuple[float, float]:
    """Maximum over mu at fixed heterogeneity, and its place."""
    found = minimize_scalar(
        lambda mu: -log_likelihood(mu, h), bounds=bounds, method="bounded", options={"xatol": 1e-10}
    )
    return -float(found.fun), float(found.x)


def maximum(log_likelihood: LogLikelihood, grid: Array) -> tuple[float, float, float]:
    """Log-likelihood, mu and heterogeneity at the maximum, searched around the best point of a grid."""
    values = [profile(log_likelihood, h)[0] for h in grid]
    best = int(np.argmax(values))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    found = minimize_scalar(
        lambda h: -profile(log_likelihood, h)[0], bounds=(low, high), method="bounded", options={"xatol": 1e-9}
    )
    h = grid[best] if values[best] > -found.fun else float(found.x)
    value, mu = profile(log_likelihood, h)
    return value, mu, h


def mu_limit(log_likelihood: LogLikelihood, target: float, grid: Array, side: float, reach: float) -> float:
    """Outermost mu whose likelihood, maximized over the heterogeneity on a grid, meets the target."""
    best = -np.inf
    for h in grid:
        value, mu = profile(log_likelihood, h)
        if value > target:
            end = brentq(lambda x, h=h: log_likelihood(x, h) - target, mu, mu + side * reach, xtol=1e-11)
            best = max(best, side * float(end))
    return side * best
