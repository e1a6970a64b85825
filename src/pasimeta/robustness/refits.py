"""Many refits as one tidy table: shared by leave-one-out, cumulative and influence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pasimeta.effects.validation import Array, check_choice, check_effects, check_level
from pasimeta.errors import PasimetaError
from pasimeta.synthesis.model import METHODS, fit_model
from pasimeta.synthesis.projection import intercept
from pasimeta.synthesis.small_sample import TESTS


def refit_table(y: Array, v: Array, method: str, test: str, level: float) -> pd.DataFrame:
    """Return one row a column of ``y`` and ``v`` (shape (k, d)), with the fields of a pooled result.

    tau2, I2 and H2 are NaN (missing, in a table) where a single study is left.
    """
    k = len(y)
    fit = fit_model(y, v, intercept(k), method, test, level)
    tested, spread = fit.tested, fit.heterogeneity
    exists = k > 1 or method == "EE"
    return pd.DataFrame(
        {
            "k": k,
            "estimate": fit.estimate[0],
            "se": tested.se[0],
            "statistic": tested.statistic[0],
            "p_value": tested.p_value[0],
            "ci_lower": tested.ci_lower[0],
            "ci_upper": tested.ci_upper[0],
            "tau2": fit.tau2 if exists else np.nan,
            "i2": spread.i2 if exists else np.nan,
            "h2": spread.h2 if exists else np.nan,
            "q": spread.q,
            "q_p_value": spread.q_p_value,
        }
    )


def one_data_set(
    yi: ArrayLike, vi: ArrayLike, method: str = "EE", test: str = "z", level: float = 0.95, *, least: int = 1
) -> tuple[Array, Array]:
    """Return checked effects and variances of shape (k,), k at least ``least``.

    Raises
    ------
    PasimetaError
        For data or options that can't be, or too few studies.
    """
    check_choice("method", method, METHODS)
    check_choice("test", test, TESTS)
    check_level(level)
    effects, variances = check_effects(yi, vi)
    if effects.ndim != 1:
        raise PasimetaError(f"yi: shape {effects.shape} isn't one data set; give (k,)")
    if effects.size < least:
        raise PasimetaError(f"yi: {effects.size} studies are too few; this analysis needs at least {least}")
    return effects, variances


def study_labels(labels: Sequence[Any] | None, k: int) -> list[Any]:
    """Return the studies' names, or 1 to k.

    Raises
    ------
    PasimetaError
        If there isn't one label a study.
    """
    if labels is None:
        return list(range(1, k + 1))
    if len(labels) != k:
        raise PasimetaError(f"labels and yi have unequal lengths ({len(labels)} and {k}); give one label a study")
    return list(labels)


def without_each(k: int) -> np.ndarray:
    """Return study indices of shape (k - 1, k): column i leaves study i out."""
    rows, columns = np.arange(k - 1)[:, None], np.arange(k)
    return rows + (rows >= columns)
