"""What a smooth function does between two points where it and its derivatives are known, many functions at once.

Arrays are of shape (2, problems): what is known at the first point, and at the second.
"""

from __future__ import annotations

import numpy as np

from pasimeta.effects.validation import Array

_NEWTON_STEPS = 3
#: What value, slope and curvature at the second point leave to the third to fifth power.
_TO_QUINTIC = np.array([[10.0, -4.0, 1.0], [-15.0, 7.0, -2.0], [6.0, -3.0, 1.0]])


def cubic_at(x: Array, value: Array, slope: Array, at: Array) -> Array:
    """The cubic with these values and slopes, at ``at``, shape (problems,)."""
    return _sum(_cubic(value, slope, x[1] - x[0]), _share(x, at))


def cubic_crest(x: Array, value: Array, slope: Array) -> tuple[Array, Array]:
    """Where the cubic with these values and slopes is highest between the points, and how high it is.

    Returns
    -------
    crest, height : ndarray, shape (problems,)
        NaN where it isn't rising (or level) at the first point and falling at the second, or not finite.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = _cubic(value, slope, x[1] - x[0])
        _, first, quadratic, cubic = terms
        root = np.sqrt(quadratic * quadratic - 3 * cubic * first)
        u = np.where(quadratic < 0, first / (root - quadratic), -(quadratic + root) / (3 * cubic))
        enclosed = (slope[0] >= 0) & (slope[1] < 0) & (u >= 0) & (u <= 1)
        u = np.where(enclosed, u, np.nan)
        return x[0] + (x[1] - x[0]) * u, _sum(terms, u)


def quintic_crest(x: Array, value: Array, slope: Array, curvature: Array) -> tuple[Array, Array, Array]:
    """Where the quintic with these derivatives is highest between the points, how high it is, and its curvature there.

    Parameters
    ----------
    x, value, slope, curvature : ndarray, shape (2, problems)
        ``slope`` positive (or 0) at the first point, negative at the second.

    Returns
    -------
    crest, height, curvature : ndarray, shape (problems,)
    """
    width = x[1] - x[0]
    terms = _quintic(value, slope, curvature, width)
    with np.errstate(divide="ignore", invalid="ignore"):
        secant = slope[0] / (slope[0] - slope[1])
        u, bend = _newton(secant, terms[1:] * np.arange(1, 6)[:, None], np.zeros(1))
    return x[0] + width * u, _sum(terms, u), bend / width**2


def quintic_crossing(x: Array, value: Array, slope: Array, curvature: Array, level: Array) -> Array:
    """Where the quintic with these derivatives crosses ``level``, which lies between its values, shape (problems,)."""
    width = x[1] - x[0]
    # seen from the higher end a function near its maximum falls as a square
    first, wanted, last = np.sqrt(np.maximum(np.maximum(*value) - np.array([value[0], level, value[1]]), 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        u, _ = _newton((wanted - first) / (last - first), _quintic(value, slope, curvature, width), level)
    return x[0] + width * u


def _newton(start: Array, terms: Array, level: Array) -> tuple[Array, Array]:
    """Where the polynomials reach ``level``, and their slope there; between 0 and 1."""
    both = np.zeros((len(terms), 2, terms.shape[1]))
    both[:, 0] = terms
    np.multiply(terms[1:], np.arange(1, len(terms))[:, None], out=both[:-1, 1])
    u = start
    for _ in range(_NEWTON_STEPS):
        value, slope = _sum(both, u)
        u = np.minimum(np.maximum(u - (value - level) / slope, 0.0), 1.0)
    return np.where(np.isfinite(u), u, start), slope


def _share(x: Array, at: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(x[1] > x[0], (at - x[0]) / (x[1] - x[0]), 0.0)


def _cubic(value: Array, slope: Array, width: Array) -> Array:
    """Coefficients of the powers of the share of the way from the first point to the second, shape (4, problems)."""
    (first, second), rise = slope * width, value[1] - value[0]
    return np.array([value[0], first, 3 * rise - 2 * first - second, first + second - 2 * rise])


def _quintic(value: Array, slope: Array, curvature: Array, width: Array) -> Array:
    """The same, shape (6, problems)."""
    terms = np.empty((6, len(width)))
    (first, second), (bend, last) = slope * width, 0.5 * curvature * width**2
    terms[:3] = value[0], first, bend
    known = np.array([value[1] - value[0] - first - bend, second - first - 2 * bend, last - bend])
    np.matmul(_TO_QUINTIC, known, out=terms[3:])
    return terms


def _sum(terms: Array, u: Array) -> Array:
    total = terms[-1]
    for term in terms[-2::-1]:
        total = total * u + term
    return total
