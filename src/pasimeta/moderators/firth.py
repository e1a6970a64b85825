"""Firth's logistic regression: finite where ordinary maximum likelihood runs off to infinity.

The likelihood is penalised by half the log determinant of the information (Jeffreys' prior), which removes the
first-order bias of the coefficients and keeps them finite under separation. Intervals and tests profile the same
penalised likelihood (Heinze & Schemper 2002).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import chdtrc, chdtri, expit

from pasimeta.effects.validation import Array, check_counts, check_level
from pasimeta.errors import PasimetaError

_ROUNDS = 200
_TOLERANCE = 1e-11
_LONGEST_STEP = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FirthResult:
    """A penalised logistic regression.

    Attributes
    ----------
    names : tuple of str
        Coefficients, intercept first; the arrays are in this order.
    estimate, se : ndarray, shape (p,)
        Log odds (ratios) and Wald standard errors.
    ci_lower, ci_upper : ndarray, shape (p,)
        Profile penalised-likelihood limits.
    p_value : ndarray, shape (p,)
        Penalised likelihood-ratio tests.
    log_likelihood : float
        Penalised, without binomial coefficients.
    level : float
    """

    names: tuple[str, ...]
    estimate: Array
    se: Array
    ci_lower: Array
    ci_upper: Array
    p_value: Array
    log_likelihood: float
    level: float

    def to_frame(self) -> pd.DataFrame:
        """One row a coefficient."""
        columns = ("estimate", "se", "ci_lower", "ci_upper", "p_value")
        return pd.DataFrame({"term": self.names, **{name: getattr(self, name) for name in columns}})


def firth_logistic(
    events: ArrayLike, n: ArrayLike, predictors: Mapping[str, ArrayLike], level: float = 0.95
) -> FirthResult:
    """Fit a logistic regression of counts on predictors by Firth's penalised likelihood.

    Parameters
    ----------
    events, n : array_like, shape (rows,)
        Responders and patients of each row (a patient, a group, an arm).
    predictors : mapping of str to array_like, shape (rows,)
        Numeric predictors; the intercept is added in front.
    level : float
        Level of the intervals.

    Returns
    -------
    FirthResult

    Raises
    ------
    PasimetaError
        For impossible counts, a predictor of the wrong length or that isn't finite, or collinear predictors.

    References
    ----------
    Firth 1993, *Biometrika* 80:27; Heinze & Schemper 2002, *Stat Med* 21:2409.
    """
    x, sizes = check_counts(events, n)
    check_level(level)
    X = _design(predictors, len(x))
    beta, value = penalised_maximum(x, sizes, X)
    covariance = np.linalg.inv(_information(X, sizes, beta))
    limits = [_profile_limits(x, sizes, X, j, beta, value, covariance[j, j], level) for j in range(X.shape[1])]
    nulls = [_restricted(x, sizes, X, j, 0.0)[1] for j in range(X.shape[1])]
    lower, upper = np.array(limits).T
    return FirthResult(
        names=("intercept", *predictors),
        estimate=beta,
        se=np.sqrt(np.diag(covariance)),
        ci_lower=lower,
        ci_upper=upper,
        p_value=np.array([float(chdtrc(1, max(2 * (value - null), 0.0))) for null in nulls]),
        log_likelihood=value,
        level=level,
    )


def penalised_maximum(
    events: Array, n: Array, X: Array, offset: Array | None = None, penalty_X: Array | None = None
) -> tuple[Array, float]:
    """Return the coefficients that maximise the penalised likelihood, and its value.

    Parameters
    ----------
    events, n : ndarray, shape (rows,)
    X : ndarray, shape (rows, p)
    offset : ndarray, shape (rows,), optional
        Added to the linear predictor.
    penalty_X : ndarray, shape (rows, q), optional
        Design whose information the penalty is made of, where some of its coefficients are held in the offset; ``X``
        by default.
    """
    shift = np.zeros(len(n)) if offset is None else offset
    whole = X if penalty_X is None else penalty_X
    beta = np.zeros(X.shape[1])
    value = _penalised(events, n, X, whole, beta, shift)
    for _ in range(_ROUNDS):
        step = _step(events, n, X, whole, beta, shift)
        longest = np.abs(step).max()
        step = step * min(1.0, _LONGEST_STEP / longest) if longest > 0 else step
        fraction = 1.0
        candidate = _penalised(events, n, X, whole, beta + step, shift)
        while candidate < value - 1e-12 and fraction > 1e-6:
            fraction /= 2
            candidate = _penalised(events, n, X, whole, beta + fraction * step, shift)
        beta, value = beta + fraction * step, candidate
        if np.abs(fraction * step).max() < _TOLERANCE:
            break
    return beta, value


def _step(events: Array, n: Array, X: Array, penalty_X: Array, beta: Array, shift: Array) -> Array:
    p = expit(X @ beta + shift)
    w = n * p * (1 - p)
    inverse = np.linalg.pinv(X.T @ (w[:, None] * X))
    whole = inverse if penalty_X is X else np.linalg.pinv(penalty_X.T @ (w[:, None] * penalty_X))
    hat = w * ((penalty_X @ whole) * penalty_X).sum(axis=1)
    return inverse @ (X.T @ (events - n * p + hat * (0.5 - p)))


def _penalised(events: Array, n: Array, X: Array, penalty_X: Array, beta: Array, shift: Array) -> float:
    eta = X @ beta + shift
    p = expit(eta)
    log_likelihood = float((events * eta - n * np.logaddexp(0.0, eta)).sum())
    sign, log_determinant = np.linalg.slogdet(penalty_X.T @ ((n * p * (1 - p))[:, None] * penalty_X))
    return log_likelihood + 0.5 * float(log_determinant) if sign > 0 else -np.inf


def _information(X: Array, n: Array, beta: Array) -> Array:
    p = expit(X @ beta)
    return X.T @ ((n * p * (1 - p))[:, None] * X)


def _restricted(events: Array, n: Array, X: Array, j: int, held: float) -> tuple[Array, float]:
    """Best penalised value with coefficient ``j`` held; the penalty stays that of the whole model."""
    rest = np.delete(X, j, axis=1)
    shift = X[:, j] * held
    if rest.shape[1] == 0:
        return np.empty(0), _penalised(events, n, X[:, :0], X, np.empty(0), shift)
    return penalised_maximum(events, n, rest, shift, X)


def _profile_limits(
    events: Array, n: Array, X: Array, j: int, beta: Array, value: float, variance: float, level: float
) -> tuple[float, float]:
    from scipy.optimize import brentq

    drop = 0.5 * float(chdtri(1, 1 - level))

    def deficit(held: float) -> float:
        return value - _restricted(events, n, X, j, held)[1] - drop

    ends = []
    for side in (-1, 1):
        reach = 2.0 * np.sqrt(variance)
        while deficit(beta[j] + side * reach) < 0:
            reach *= 1.6
        ends.append(float(brentq(deficit, beta[j], beta[j] + side * reach, xtol=1e-9)))
    return ends[0], ends[1]


def _design(predictors: Mapping[str, ArrayLike], rows: int) -> Array:
    columns = [np.ones(rows)]
    for name, values in predictors.items():
        column = np.asarray(values, float)
        if column.shape != (rows,):
            raise PasimetaError(f"{name}: {column.size} values for {rows} rows of counts; give one a row")
        if not np.isfinite(column).all():
            row = int(np.argmin(np.isfinite(column))) + 1
            raise PasimetaError(f"{name}, row {row}: is not finite; drop the row or supply the value")
        columns.append(column)
    X = np.column_stack(columns)
    if np.linalg.matrix_rank(X) < X.shape[1]:
        raise PasimetaError(f"{', '.join(predictors)}: collinear with the intercept or one another; leave one out")
    return X
