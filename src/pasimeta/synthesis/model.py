"""One inverse-variance model fitted to many data sets at once: behind pooling, subsets and regression alike."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pasimeta.effects.validation import Array
from pasimeta.errors import PasimetaError
from pasimeta.synthesis.heterogeneity import Heterogeneity, heterogeneity
from pasimeta.synthesis.small_sample import Inference, inference, variance_scale

METHODS = ("EE", "DL", "HE", "HS", "SJ", "ML", "REML", "EB", "PM")


class ModelFit(NamedTuple):
    """A fit of d data sets with p coefficients.

    ``estimate`` and every member of ``tested`` have shape (p, d); ``covariance`` (p, p, d) is already scaled as the
    test asks, by ``scale`` (d,); ``tau2`` has shape (d,).
    """

    estimate: Array
    covariance: Array
    tested: Inference
    tau2: Array
    scale: Array
    heterogeneity: Heterogeneity
    df: int


def fit_model(
    y: Array, v: Array, X: Array, method: str, test: str, level: float, *, tau2: Array | None = None
) -> ModelFit:
    """Fit one design to every column.

    Parameters
    ----------
    y, v : ndarray, shape (k, d)
        Checked effect sizes and sampling variances.
    X : ndarray, shape (k, p)
        Design matrix of full column rank, k >= p.
    method, test : str
        One of :data:`METHODS` and of :data:`~pasimeta.synthesis.small_sample.TESTS`.
    level : float
        Confidence level.
    tau2 : ndarray, shape (d,), optional
        Between-study variance to take as given, instead of estimating it by ``method``.

    Returns
    -------
    ModelFit

    Raises
    ------
    PasimetaError
        If numbers are so large or small that the fit isn't finite.
    """
    from pasimeta.synthesis.estimators import fitted, fitted_given

    basis, back = _orthonormal(X)
    params = fitted(method, y, v, basis) if tau2 is None else fitted_given(tau2, y, v, basis)
    tau2, df = params["tau2"], y.shape[0] - X.shape[1]
    residual = y - basis @ params["fe_params"]
    scale = variance_scale(np.einsum("kd,kd->d", residual, residual / (v + tau2)), df, test)
    estimate, covariance = params["fe_params"], params["inv_cov"] * scale
    if back is not None:
        estimate, covariance = back @ estimate, np.einsum("pq,qrd,sr->psd", back, covariance, back)
    se = np.sqrt(np.einsum("ppd->pd", covariance))
    if not np.isfinite(estimate.sum() + se.sum() + tau2.sum()):
        raise PasimetaError("yi and vi: too large or too small to compute with; rescale the effects")
    tested = inference(estimate, se, df, test, level)
    return ModelFit(estimate, covariance, tested, tau2, scale, heterogeneity(y, v, basis, tau2, method), df)


def _orthonormal(X: Array) -> tuple[Array, Array | None]:
    """Return a basis of the design's columns, and what takes coefficients of the basis to those of the columns.

    Weighted least squares squares the design's condition number: a calendar year beside an intercept would cost eight
    digits. An intercept alone is its own basis.
    """
    if X.shape[1] == 1:
        return X, None
    basis, triangle = np.linalg.qr(X)
    return basis, np.asarray(np.linalg.inv(triangle), dtype=float)


def wald_statistic(fit: ModelFit) -> Array:
    """Return the Wald chi-square of all coefficients but the first, shape (d,)."""
    slopes = fit.estimate[1:].T[:, :, None]
    covariance = np.moveaxis(fit.covariance[1:, 1:], 2, 0)
    return np.asarray((slopes.transpose(0, 2, 1) @ np.linalg.solve(covariance, slopes))[:, 0, 0])
