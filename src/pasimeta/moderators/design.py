"""From a table of moderators to a design matrix that a regression can be fitted to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pasimeta.effects.validation import Array
from pasimeta.errors import PasimetaError


class Design(NamedTuple):
    """A design matrix of shape (k, p), intercept first, and the p coefficients' names."""

    X: Array
    names: tuple[str, ...]


def design_matrix(moderators: pd.DataFrame | pd.Series | Mapping[str, ArrayLike] | ArrayLike, k: int) -> Design:
    """Return the design of a regression on ``moderators``, with the intercept put first.

    Parameters
    ----------
    moderators : DataFrame, Series, mapping of columns, or array_like of shape (k,) or (k, m)
        One row a study. Columns without a name are called x1, x2, ...
    k : int
        Number of studies.

    Returns
    -------
    Design

    Raises
    ------
    PasimetaError
        If a cell isn't a finite number, the rows don't match the studies, a moderator is collinear with those before
        it (a constant one with the intercept), or there are too few studies.
    """
    table = _as_table(moderators)
    if len(table) != k:
        raise PasimetaError(f"moderators and yi have unequal lengths ({len(table)} and {k}); give one row a study")
    if table.shape[1] == 0:
        raise PasimetaError("moderators: no column at all; give at least one, or use pool")
    columns = [np.ones(k), *(_numbers(str(name), table.iloc[:, i]) for i, name in enumerate(table.columns))]
    X, names = np.column_stack(columns), ("intercept", *(str(name) for name in table.columns))
    if k <= X.shape[1]:
        raise PasimetaError(
            f"moderators: {X.shape[1]} coefficients can't be estimated with residuals from {k} studies; drop moderators"
        )
    _refuse_collinear(X, names)
    return Design(X, names)


def _as_table(moderators: Any) -> pd.DataFrame:
    if isinstance(moderators, pd.DataFrame):
        return moderators
    if isinstance(moderators, pd.Series):
        return moderators.to_frame(moderators.name if moderators.name is not None else "x1")
    if isinstance(moderators, Mapping):
        lengths = {name: np.size(values) for name, values in moderators.items()}
        if len(set(lengths.values())) > 1:
            raise PasimetaError(f"moderators have unequal lengths ({lengths}); give one value a study in each")
        return pd.DataFrame(dict(moderators))
    values = np.asarray(moderators)
    if values.ndim not in (1, 2):
        raise PasimetaError(f"moderators: shape {values.shape} is no table; give (k,) or (k, m)")
    values = values.reshape(len(values), -1)
    return pd.DataFrame(values, columns=[f"x{i + 1}" for i in range(values.shape[1])])


def _numbers(name: str, column: pd.Series) -> Array:
    for row, cell in enumerate(column, start=1):
        try:
            finite = bool(np.isfinite(float(cell)))
        except (TypeError, ValueError):
            raise PasimetaError(
                f"moderators, {name}, row {row}: {cell!r} is not a number; code a category as 0/1 columns, or use "
                "subgroup"
            ) from None
        if not finite:
            raise PasimetaError(f"moderators, {name}, row {row}: {cell} is missing; drop the study or supply the value")
    return column.to_numpy(dtype=float)


def _refuse_collinear(X: Array, names: tuple[str, ...]) -> None:
    scaled = X / np.linalg.norm(X, axis=0).clip(min=np.finfo(float).tiny)
    for p in range(2, X.shape[1] + 1):
        if np.linalg.matrix_rank(scaled[:, :p], tol=1e-10) < p:
            raise PasimetaError(
                f"moderators: {names[p - 1]} is collinear with {', '.join(names[: p - 1])}; leave it out"
            )
