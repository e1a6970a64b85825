"""Random-effects pooling of vectors: several coefficients a study, with a full covariance between studies."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pasimeta.effects.validation import Array
from pasimeta.errors import PasimetaError

METHODS = ("REML", "ML", "EE")


class PooledVector(NamedTuple):
    """Pooled vector of p coefficients, its covariance, that between studies, the likelihood and Cochran's Q."""

    estimate: Array
    covariance: Array
    between: Array
    log_likelihood: float
    q: float
    q_df: int


def pool_vectors(estimates: Array, covariances: Array, method: str = "REML") -> PooledVector:
    """Pool the studies' coefficient vectors.

    Parameters
    ----------
    estimates : ndarray, shape (k, p)
    covariances : ndarray, shape (k, p, p)
        Within studies, taken as known.
    method : {"REML", "ML", "EE"}
        Covariance between studies by restricted or full likelihood, any that is positive semidefinite; or none.

    Raises
    ------
    PasimetaError
        If there are fewer numbers than parameters, or the likelihood has no maximum.

    References
    ----------
    Jackson, Riley & White 2011, *Stat Med* 30:2481, section 4; the restricted likelihood with its constant as in
    Gasparrini, Armstrong & Kenward 2012, *Stat Med* 31:3821, eq. 8.
    """
    k, p = estimates.shape
    parameters = p + (p * (p + 1) // 2 if method != "EE" else 0)
    if method != "EE" and k * p <= parameters:
        raise PasimetaError(
            f"studies: {k} can't give {p} coefficients and their covariance between studies; choose method EE"
        )
    # coefficients in units of their own standard errors, for a dose and its square differ by orders of magnitude
    scale = np.sqrt(np.einsum("kii->ki", covariances).mean(axis=0))
    y, within = estimates / scale, covariances / np.outer(scale, scale)
    between = np.zeros((p, p)) if method == "EE" else _likeliest(y, within, restricted=method == "REML")
    value = _log_likelihood(y, within, between, restricted=method == "REML")
    mean, spread = _generalised_mean(y, within + between)
    fixed, _ = _generalised_mean(y, within)
    residuals = y - fixed
    q = float(np.einsum("ki,kij,kj->", residuals, np.linalg.inv(within), residuals))
    # densities of the coefficients themselves, not of their scaled copies
    units = k - 1 if method == "REML" else k
    return PooledVector(
        estimate=mean * scale,
        covariance=spread * np.outer(scale, scale),
        between=between * np.outer(scale, scale),
        log_likelihood=value - units * float(np.log(scale).sum()),
        q=q,
        q_df=(k - 1) * p,
    )


def _likeliest(y: Array, within: Array, *, restricted: bool) -> Array:
    """The covariance between studies that maximises the likelihood, through its Cholesky factor."""
    from scipy.optimize import minimize

    p = y.shape[1]
    rows, columns = np.tril_indices(p)

    def matrix(factor: Array) -> Array:
        lower = np.zeros((p, p))
        lower[rows, columns] = factor
        return lower @ lower.T

    def loss(factor: Array) -> float:
        return -_log_likelihood(y, within, matrix(factor), restricted=restricted)

    starts = [(rows == columns) * size for size in (0.1, 0.7, 2.0)]
    moments = np.cov(y.T).reshape(p, p)
    values, vectors = np.linalg.eigh(moments)
    starts.append(np.linalg.cholesky(vectors @ np.diag(values.clip(min=1e-6)) @ vectors.T)[rows, columns])
    found = [minimize(loss, start, method="BFGS", options={"gtol": 1e-8}) for start in starts]
    best = min(found, key=lambda each: float(each.fun))
    polished = minimize(
        loss, best.x, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-13, "maxiter": 4000, "maxfev": 8000}
    )
    if not np.isfinite(polished.fun):
        raise PasimetaError("studies: their coefficients have no likeliest covariance between studies; choose EE")
    return matrix(polished.x)


def _generalised_mean(y: Array, total: Array) -> tuple[Array, Array]:
    precisions = np.linalg.inv(total)
    spread = np.linalg.inv(precisions.sum(axis=0))
    return spread @ np.einsum("kij,kj->i", precisions, y), spread


def _log_likelihood(y: Array, within: Array, between: Array, *, restricted: bool) -> float:
    k, p = y.shape
    total = within + between
    mean, spread = _generalised_mean(y, total)
    residuals = y - mean
    square = float(np.einsum("ki,kij,kj->", residuals, np.linalg.inv(total), residuals))
    value = -0.5 * (float(np.linalg.slogdet(total)[1].sum()) + square)
    if not restricted:
        return value - 0.5 * k * p * float(np.log(2 * np.pi))
    # the constant makes it the density of contrasts between studies that are free of the mean
    determinant = float(np.linalg.slogdet(spread)[1]) + p * float(np.log(k))
    return value + 0.5 * determinant - 0.5 * (k - 1) * p * float(np.log(2 * np.pi))
