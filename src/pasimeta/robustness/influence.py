"""What each study does to the result: deleted residuals, leverage, and shifts of the estimates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import chdtr

from pasimeta.robustness.refits import one_data_set, study_labels, without_each
from pasimeta.synthesis.model import fit_model
from pasimeta.synthesis.projection import intercept


def influence(
    yi: ArrayLike,
    vi: ArrayLike,
    method: str = "REML",
    test: str = "adhoc",
    *,
    labels: Sequence[Any] | None = None,
) -> pd.DataFrame:
    """Return the influence of every study on the pooled result.

    Parameters
    ----------
    yi, vi : array_like, shape (k,)
        Effect sizes and sampling variances, k at least 3.
    method, test
        As in :func:`pasimeta.synthesis.pool`; Knapp-Hartung scales the standard errors involved.
    labels : sequence, optional
        Studies' names; 1 to k by default.

    Returns
    -------
    DataFrame
        One row a study. ``rstudent``: its distance from the mean of the others, standardized; ``dffits`` and
        ``dfbetas``: the mean's shift on leaving it out, standardized; ``cook_distance``: that shift, squared, in
        variances; ``covariance_ratio``: the variance without it against with it; ``tau2_deleted``, ``q_deleted``: tau2
        and Q without it; ``hat`` and ``weight`` (percent): its leverage; ``influential``: |dffits| > 3 sqrt(1/(k-1)),
        Cook's distance above the median of chi-square(1), hat > 3/k, or |dfbetas| > 1.

    Raises
    ------
    PasimetaError
        For data or options that can't be, or fewer than 3 studies.

    References
    ----------
    Viechtbauer W, Cheung MWL. Outlier and influence diagnostics for meta-analysis. Res Synth Methods 2010;1:112-125,
    sec. 3.
    """
    effects, variances = one_data_set(yi, vi, method, test, least=3)
    k = effects.size
    rest = without_each(k)
    full = fit_model(effects[:, None], variances[:, None], intercept(k), method, test, 0.95)
    deleted = fit_model(effects[rest], variances[rest], intercept(k - 1), method, test, 0.95)
    mean, variance = full.estimate[0, 0], full.covariance[0, 0, 0]
    shift = mean - deleted.estimate[0]
    w = 1.0 / (variances + full.tau2[0])
    hat = w / w.sum()
    # dffits and dfbetas keep all studies' weights but the deleted fit's tau2, so that only the estimates differ.
    total = variances + deleted.tau2
    refit_variance = deleted.scale / (1.0 / (variances[:, None] + deleted.tau2)).sum(axis=0)
    dffits = shift / np.sqrt(deleted.scale * hat * total)
    dfbetas = shift / np.sqrt(refit_variance)
    cook = shift**2 / variance
    flagged = (np.abs(dffits) > 3.0 / np.sqrt(k - 1)) | (chdtr(1, cook) > 0.5) | (hat > 3.0 / k) | (np.abs(dfbetas) > 1)
    return pd.DataFrame(
        {
            "study": study_labels(labels, k),
            "rstudent": (effects - deleted.estimate[0]) / np.sqrt(deleted.scale * total + deleted.covariance[0, 0]),
            "dffits": dffits,
            "cook_distance": cook,
            "covariance_ratio": deleted.covariance[0, 0] / variance,
            "tau2_deleted": deleted.tau2,
            "q_deleted": deleted.heterogeneity.q,
            "hat": hat,
            "weight": 100.0 * hat,
            "dfbetas": dfbetas,
            "influential": flagged,
        }
    )
