"""Studies left out, added in turn, and every subset, on the exact binomial likelihood."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pasimeta.effects.validation import Array, check_choice, check_counts, check_level
from pasimeta.errors import PasimetaError, PasimetaWarning
from pasimeta.robustness.refits import study_labels
from pasimeta.synthesis.exact_binomial import MODELS, pool_binomial

_MOST_FOR_SUBSETS = 12
_RATES = ("estimate", "ci_lower", "ci_upper")


def leave_one_out_counts(
    events: ArrayLike,
    n: ArrayLike,
    model: str = "binomial_normal",
    level: float = 0.95,
    *,
    labels: Sequence[Any] | None = None,
) -> pd.DataFrame:
    """Pool counts again with each study left out.

    Parameters
    ----------
    events, n : array_like, shape (k,)
        Counts, k at least 2.
    model, level
        As in :func:`pasimeta.synthesis.pool_binomial`.
    labels : sequence, optional
        Studies' names; 1 to k by default.

    Returns
    -------
    DataFrame
        One row a study: ``omitted``, ``k``, ``events``, ``n``, and the rates ``estimate``, ``ci_lower``, ``ci_upper``.

    Raises
    ------
    PasimetaError
        For counts or options that can't be, or fewer than 2 studies.
    """
    x, m, names = _checked(events, n, model, level, labels, least=2)
    members = [[j for j in range(x.size) if j != i] for i in range(x.size)]
    table = _refitted(x, m, members, model, level)
    table.insert(0, "omitted", names)
    return table


def cumulative_counts(
    events: ArrayLike,
    n: ArrayLike,
    model: str = "binomial_normal",
    level: float = 0.95,
    *,
    order: ArrayLike | None = None,
    labels: Sequence[Any] | None = None,
) -> pd.DataFrame:
    """Pool counts again as each study is added, by increasing ``order`` (year, size, ...), ties in study order.

    Parameters
    ----------
    events, n, model, level, labels
        As in :func:`leave_one_out_counts`.
    order : array_like, shape (k,), optional
        By default study order.

    Returns
    -------
    DataFrame
        One row a step: ``added``, then the columns of :func:`leave_one_out_counts`.

    Raises
    ------
    PasimetaError
        For counts or options that can't be.
    """
    x, m, names = _checked(events, n, model, level, labels, least=1)
    values = np.arange(x.size) if order is None else np.asarray(order)
    if values.shape != x.shape:
        raise PasimetaError(f"order and events have unequal lengths ({values.size} and {x.size}); order them all")
    sequence = [int(i) for i in np.argsort(values, kind="stable")]
    table = _refitted(x, m, [sequence[: j + 1] for j in range(x.size)], model, level)
    table.insert(0, "added", [names[i] for i in sequence])
    return table


def subsets_of_counts(
    events: ArrayLike,
    n: ArrayLike,
    model: str = "binomial_normal",
    level: float = 0.95,
    *,
    labels: Sequence[Any] | None = None,
) -> pd.DataFrame:
    """Pool the counts of every subset of the studies, single studies included: GOSH for few studies.

    Parameters
    ----------
    events, n, model, level, labels
        As in :func:`leave_one_out_counts`.

    Returns
    -------
    DataFrame
        One row a subset, small ones first: ``studies`` (labels joined by " + "), then the columns of
        :func:`leave_one_out_counts`.

    Raises
    ------
    PasimetaError
        For counts or options that can't be, or more than 12 studies (:func:`pasimeta.robustness.gosh` samples
        the subsets of many).

    References
    ----------
    Olkin I, Dahabreh IJ, Trikalinos TA. GOSH: a graphical display of study heterogeneity. Res Synth Methods
    2012;3:214-223.
    """
    x, m, names = _checked(events, n, model, level, labels, least=1)
    if x.size > _MOST_FOR_SUBSETS:
        raise PasimetaError(f"events: {x.size} studies have 2**{x.size} - 1 subsets; use gosh, which samples them")
    codes = sorted(range(1, 2**x.size), key=lambda code: (code.bit_count(), code))
    members = [[i for i in range(x.size) if code >> i & 1] for code in codes]
    table = _refitted(x, m, members, model, level)
    table.insert(0, "studies", [" + ".join(str(names[i]) for i in each) for each in members])
    return table


def _checked(
    events: ArrayLike, n: ArrayLike, model: str, level: float, labels: Sequence[Any] | None, *, least: int
) -> tuple[Array, Array, list[Any]]:
    x, m = check_counts(events, n)
    check_choice("model", model, MODELS)
    check_level(level)
    if x.ndim != 1:
        raise PasimetaError(f"events: shape {x.shape} isn't one data set; give (k,)")
    if x.size < least:
        raise PasimetaError(f"events: {x.size} studies are too few; this analysis needs at least {least}")
    return x, m, study_labels(labels, x.size)


def _refitted(x: Array, m: Array, members: Sequence[Sequence[int]], model: str, level: float) -> pd.DataFrame:
    found = np.empty((len(_RATES), len(members)))
    sizes = np.array([len(each) for each in members])
    for size in np.unique(sizes):
        at = np.flatnonzero(sizes == size)
        chosen = np.array([members[int(i)] for i in at]).T
        with warnings.catch_warnings():
            # that there are few studies is the point of leaving some out
            warnings.simplefilter("ignore", PasimetaWarning)
            result = pool_binomial(x[chosen], m[chosen], model, level)
        for row, name in enumerate(_RATES):
            found[row, at] = getattr(result, f"response_{name}")
    totals = {
        "k": sizes,
        "events": [int(x[list(each)].sum()) for each in members],
        "n": [int(m[list(each)].sum()) for each in members],
    }
    return pd.DataFrame({**totals, **dict(zip(_RATES, found, strict=True))})
