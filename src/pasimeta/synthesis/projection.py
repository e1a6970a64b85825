"""Traces and quadratic forms of the residual projection ``P = W - W X (X'WX)^-1 X'W``, ``W = diag(1 / (v + tau2))``.

Every estimator of tau2 is a statement about them: Cochran's generalized Q is ``y'Py``, the likelihood's score compares
``y'P P y`` with ``tr P``. All are computed for d data sets at once: ``y`` and ``v`` have shape (k, d), ``tau2`` (d,),
``X`` (k, p) is common to all.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from pasimeta.effects.validation import Array
from pasimeta.errors import PasimetaError


class ScoreTerms(NamedTuple):
    """What the score in tau2 and its slope are made of; each has shape (d,) and falls as tau2 grows.

    ``trace`` and ``trace2`` are tr P and tr PP (restricted likelihood) or tr W and tr WW (likelihood); ``quadratic``
    and ``cubic`` are y'PPy and y'PPPy. The score is ``(quadratic - trace) / 2``, its slope ``trace2 / 2 - cubic``.
    """

    trace: Array
    trace2: Array
    quadratic: Array
    cubic: Array


def intercept(k: int) -> Array:
    """Return the design of a plain pooling, shape (k, 1)."""
    return np.ones((k, 1))


def is_intercept(X: Array) -> bool:
    """Whether the design is the intercept alone, for which everything has a closed form."""
    return X.shape[1] == 1 and bool((X == 1.0).all())


def score_terms(y: Array, v: Array, X: Array, tau2: Array, *, restricted: bool) -> ScoreTerms:
    """Return the terms of the (restricted) likelihood's score at ``tau2``.

    Parameters
    ----------
    y, v : ndarray, shape (k, d)
        Effect sizes and sampling variances.
    X : ndarray, shape (k, p)
        Design matrix.
    tau2 : ndarray, shape (d,)
        Between-study variance of each data set.
    restricted : bool
        Restricted likelihood, or the likelihood.

    Returns
    -------
    ScoreTerms

    References
    ----------
    Harville DA. Maximum likelihood approaches to variance component estimation. JASA 1977;72:320-338, sec. 5.
    """
    return score_terms_of(X, restricted=restricted)(y, v, tau2)


def score_terms_of(X: Array, *, restricted: bool) -> Callable[[Array, Array, Array], ScoreTerms]:
    """Return :func:`score_terms` for one design, as a function of ``y``, ``v`` and ``tau2``."""
    if is_intercept(X):
        return partial(_intercept_score_terms, restricted=restricted)
    return partial(_design_score_terms, X, restricted=restricted)


def _intercept_score_terms(y: Array, v: Array, tau2: Array, *, restricted: bool) -> ScoreTerms:
    # In place where it can be: this is the innermost computation, and allocating dominates it.
    w = v + tau2
    np.divide(1.0, w, out=w)
    s1, s2 = w.sum(axis=0), _dot(w, w)
    residual = y - _dot(w, y) / s1
    residual *= w
    quadratic = _dot(residual, residual)
    weighted = w * residual
    cubic = _dot(weighted, residual) - weighted.sum(axis=0) ** 2 / s1
    if not restricted:
        return ScoreTerms(s1, s2, quadratic, cubic)
    share = s2 / s1
    s3 = _dot(np.multiply(w, w, out=weighted), w)
    return ScoreTerms(s1 - share, s2 - 2.0 * s3 / s1 + share * share, quadratic, cubic)


def _design_score_terms(X: Array, y: Array, v: Array, tau2: Array, *, restricted: bool) -> ScoreTerms:
    w = 1.0 / (v + tau2)
    w2 = w * w
    s1, s2 = w.sum(axis=0), w2.sum(axis=0)
    inverse = _inverse_gram(X, w)
    residual = w * (y - X @ _solve(inverse, X.T @ (w * y)))
    quadratic = _dot(residual, residual)
    weighted = w * residual
    pull = X.T @ weighted
    cubic = _dot(weighted, residual) - _dot(pull, _solve(inverse, pull))
    if not restricted:
        return ScoreTerms(s1, s2, quadratic, cubic)
    leverage2 = inverse @ _gram(X, w2)
    lost = np.einsum("dpq,dqp->d", inverse, _gram(X, w2 * w))
    trace2 = s2 - 2.0 * lost + np.einsum("dpq,dqp->d", leverage2, leverage2)
    return ScoreTerms(s1 - np.einsum("dpp->d", leverage2), trace2, quadratic, cubic)


def generalized_q(y: Array, v: Array, X: Array, tau2: Array | float) -> tuple[Array, Array]:
    """Return the generalized Q statistic ``y'Py`` at ``tau2`` and its negative slope ``y'PPy``, shape (d,) each.

    References
    ----------
    DerSimonian R, Kacker R. Random-effects model for meta-analysis of clinical trials: an update. Contemp Clin Trials
    2007;28:105-114, eq. 6.
    """
    return _intercept_q(y, v, tau2) if is_intercept(X) else _design_q(X, y, v, tau2)


def _intercept_q(y: Array, v: Array, tau2: Array | float) -> tuple[Array, Array]:
    w = 1.0 / (v + tau2)
    residual = y - _dot(w, y) / w.sum(axis=0)
    weighted = w * residual
    return _dot(weighted, residual), _dot(weighted, weighted)


def _design_q(X: Array, y: Array, v: Array, tau2: Array | float) -> tuple[Array, Array]:
    w = 1.0 / (v + tau2)
    residual = y - X @ _solve(_inverse_gram(X, w), X.T @ (w * y))
    weighted = w * residual
    return _dot(weighted, residual), _dot(weighted, weighted)


def centred(y: Array, v: Array, X: Array) -> Array:
    """Return ``y`` less its most precise element, column by column, where the design is an intercept.

    Nothing here depends on the origin of ``y``, but the residual of a study that all but determines the mean is lost to
    cancellation unless the origin is close to it.
    """
    return y - np.take_along_axis(y, v.argmin(axis=0)[None], axis=0) if is_intercept(X) else y


def unweighted_rss(y: Array, X: Array) -> Array:
    """Return the residual sum of squares of ordinary least squares, shape (d,)."""
    if is_intercept(X):
        residual = y - y.mean(axis=0)
    else:
        basis, _ = np.linalg.qr(X)
        residual = y - basis @ (basis.T @ y)
    return _dot(residual, residual)


def projection_trace(v: Array, X: Array, tau2: Array | float = 0.0) -> Array:
    """Return tr P at ``tau2``, shape (d,)."""
    w = 1.0 / (v + tau2)
    if is_intercept(X):
        total = w.sum(axis=0)
        return total - _dot(w, w) / total
    return w.sum(axis=0) - np.einsum("dpq,dqp->d", _inverse_gram(X, w), _gram(X, w * w))


def solve_generalized_q(y: Array, v: Array, X: Array, target: Array | float) -> Array:
    """Return the tau2 at which the generalized Q falls to ``target``; 0 where it lies below already at tau2 = 0.

    Parameters
    ----------
    y, v : ndarray, shape (k, d)
        Effect sizes and sampling variances.
    X : ndarray, shape (k, p)
        Design matrix.
    target : ndarray or float
        Positive; shape (d,) or one for all.

    Returns
    -------
    ndarray, shape (d,)

    Raises
    ------
    PasimetaError
        If the numbers are too far apart for the iteration to settle.

    Notes
    -----
    ``y'Py`` is a sum of ``c_j / (l_j + tau2)`` over the eigenvalues l_j of the contrasts' sampling covariance, so its
    reciprocal is concave and increasing: Newton's method on the reciprocal, started below the root, climbs to it and
    never passes it, and needs no bracket. It starts where ``Q >= S / (max v + tau2)``, S the unweighted residual sum
    of squares, guarantees that Q still exceeds its target.
    """
    q_at = _intercept_q if is_intercept(X) else partial(_design_q, X)
    y, d = centred(y, v, X), y.shape[1]
    goal = np.broadcast_to(np.asarray(target, dtype=float), (d,))
    tau2 = np.maximum(0.0, unweighted_rss(y, X) / goal - v.max(axis=0))
    columns, at = np.arange(d), tau2
    for _ in range(_MAX_STEPS):
        q, falling = q_at(y, v, at)
        # Q below its target means that it starts there, at 0, or that rounding has overtaken the root: no step back.
        step = np.maximum(q * (q / goal - 1.0), 0.0) / np.maximum(falling, _TINY)
        at = at + step
        tau2[columns] = at
        # Newton squares the relative error: after a step this small the root is within rounding.
        moving = step > _STEP_TOLERANCE * at
        if not moving.any():
            break
        if not moving.all():
            columns, at, goal, y, v = columns[moving], at[moving], goal[moving], y[:, moving], v[:, moving]
    else:
        raise PasimetaError("vi: the variances differ by too many orders of magnitude to compute with; check them")
    return tau2


def _dot(a: Array, b: Array) -> Array:
    """Return the inner product of each column; einsum is faster where there are many, vecdot where there are few."""
    return np.asarray(np.vecdot(a.T, b.T)) if a.shape[1] < _FEW_COLUMNS else np.einsum("kd,kd->d", a, b)


def _gram(X: Array, w: Array) -> Array:
    """Return X'WX of every data set, shape (d, p, p)."""
    k, p = X.shape
    products = (X[:, :, None] * X[:, None, :]).reshape(k, p * p)
    return (w.T @ products).reshape(-1, p, p)


def _inverse_gram(X: Array, w: Array) -> Array:
    return np.asarray(np.linalg.inv(_gram(X, w)), dtype=float)


def _solve(inverse: Array, right: Array) -> Array:
    return np.einsum("dpq,qd->pd", inverse, right)


_FEW_COLUMNS = 64
_MAX_STEPS = 100
_STEP_TOLERANCE = 1e-8
_TINY = np.finfo(float).tiny
