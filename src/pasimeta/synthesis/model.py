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

    params = fitted(method, y, v, X) if tau2 is None else fitted_given(tau2, y, v, X)
    estimate, tau2 = params["fe_params"], params["tau2"]
    df = y.shape[0] - X.shape[1]
    residual = y - X @ estimate
    scale = variance_scale(np.einsum("kd,kd->d", residual, residual / (v + tau2)), df, test)
    covariance = params["inv_cov"] * scale
    se = np.sqrt(np.einsum("ppd->pd", covariance))
    if not (np.isfinite(estimate).all() and np.isfinite(se).all() and np.isfinite(tau2).all()):
        raise PasimetaError("yi and vi: too large or too small to compute with; rescale the effects")
    tested = inference(estimate, se, df, test, level)
    return ModelFit(estimate, covariance, tested, tau2, scale, heterogeneity(y, v, X, tau2, method), df)


def wald_statistic(fit: ModelFit) -> Array:
    """Return the Wald chi-square of all coefficients but the first, shape (d,)."""
    slopes = fit.estimate[1:].T[:, :, None]
    covariance = np.moveaxis(fit.covariance[1:, 1:], 2, 0)
    return np.asarray((slopes.transpose(0, 2, 1) @ np.linalg.solve(covariance, slopes))[:, 0, 0])
