"""Does one study carry the result? Each left out in turn, or added in turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pasimeta.errors import PasimetaError
from pasimeta.robustness.refits import one_data_set, refit_table, study_labels, without_each


def leave_one_out(
    yi: ArrayLike,
    vi: ArrayLike,
    method: str = "REML",
    test: str = "adhoc",
    level: float = 0.95,
    *,
    labels: Sequence[Any] | None = None,
) -> pd.DataFrame:
    """Pool again with each study left out.

    Parameters
    ----------
    yi, vi : array_like, shape (k,)
        Effect sizes and sampling variances, k at least 2.
    method, test, level
        As in :func:`pasimeta.synthesis.pool`.
    labels : sequence, optional
        Studies' names; 1 to k by default.

    Returns
    -------
    DataFrame
        One row a study, in study order: omitted, k, estimate, se, statistic, p_value, ci_lower, ci_upper, tau2, i2
        (percent), h2, q, q_p_value.

    Raises
    ------
    PasimetaError
        For data or options that can't be, or fewer than 2 studies.
    """
    effects, variances = one_data_set(yi, vi, method, test, level, least=2)
    rest = without_each(effects.size)
    table = refit_table(effects[rest], variances[rest], method, test, level)
    table.insert(0, "omitted", study_labels(labels, effects.size))
    return table


def cumulative(
    yi: ArrayLike,
    vi: ArrayLike,
    method: str = "REML",
    test: str = "adhoc",
    level: float = 0.95,
    *,
    order: ArrayLike | None = None,
    labels: Sequence[Any] | None = None,
) -> pd.DataFrame:
    """Pool again as each study is added.

    Parameters
    ----------
    yi, vi : array_like, shape (k,)
        Effect sizes and sampling variances.
    method, test, level
        As in :func:`pasimeta.synthesis.pool`.
    order : array_like, shape (k,), optional
        Studies are added by increasing value (year, size, ...), ties in study order; by default in study order.
    labels : sequence, optional
        Studies' names; 1 to k by default.

    Returns
    -------
    DataFrame
        One row a step: added, and the columns of :func:`leave_one_out`.

    Raises
    ------
    PasimetaError
        For data or options that can't be.

    References
    ----------
    Lau J, Antman EM, Jimenez-Silva J, et al. Cumulative meta-analysis of therapeutic trials for myocardial infarction.
    N Engl J Med 1992;327:248-254.
    """
    effects, variances = one_data_set(yi, vi, method, test, level)
    names = study_labels(labels, effects.size)
    sequence = np.arange(effects.size)
    if order is not None:
        values = np.asarray(order)
        if values.shape != effects.shape:
            raise PasimetaError(f"order and yi have unequal lengths ({values.size} and {effects.size}); order them all")
        sequence = np.argsort(values, kind="stable")
    y, v = effects[sequence, None], variances[sequence, None]
    table = pd.concat([refit_table(y[:j], v[:j], method, test, level) for j in range(1, len(y) + 1)], ignore_index=True)
    table.insert(0, "added", [names[i] for i in sequence])
    return table
