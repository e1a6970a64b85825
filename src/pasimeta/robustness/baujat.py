"""Baujat's plot in numbers: which study makes the heterogeneity, and which moves the mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from numpy.typing import ArrayLike

from pasimeta.robustness.refits import one_data_set, study_labels, without_each
from pasimeta.synthesis.model import fit_model
from pasimeta.synthesis.projection import intercept


def baujat(yi: ArrayLike, vi: ArrayLike, method: str = "REML", *, labels: Sequence[Any] | None = None) -> pd.DataFrame:
    """Return each study's contribution to the heterogeneity and its pull on the pooled effect.

    Parameters
    ----------
    yi, vi : array_like, shape (k,)
        Effect sizes and sampling variances, k at least 2.
    method : str
        As in :func:`pasimeta.synthesis.pool`.
    labels : sequence, optional
        Studies' names; 1 to k by default.

    Returns
    -------
    DataFrame
        One row a study: ``contribution``, the squared Pearson residual ``(y - mean)^2 / (v + tau2)``, and ``pull``, the
        squared shift of the mean on leaving the study out, in variances of the mean without it.

    Raises
    ------
    PasimetaError
        For data or options that can't be, or fewer than 2 studies.

    References
    ----------
    Baujat B, Mahé C, Pignon JP, Hill C. A graphical method for exploring heterogeneity in meta-analyses. Stat Med
    2002;21:2641-2652; for random effects as in metafor's ``baujat``.
    """
    effects, variances = one_data_set(yi, vi, method, least=2)
    k = effects.size
    rest = without_each(k)
    full = fit_model(effects[:, None], variances[:, None], intercept(k), method, "z", 0.95)
    deleted = fit_model(effects[rest], variances[rest], intercept(k - 1), method, "z", 0.95)
    mean = full.estimate[0, 0]
    return pd.DataFrame(
        {
            "study": study_labels(labels, k),
            "contribution": (effects - mean) ** 2 / (variances + full.tau2[0]),
            "pull": (deleted.estimate[0] - mean) ** 2 / deleted.covariance[0, 0],
        }
    )
