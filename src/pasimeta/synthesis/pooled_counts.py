"""``pool_counts``: event counts pooled by inverse variance, and read back as rates or ratios."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from pasimeta.effects import PROPORTION_MEASURES, back_transform, escalc
from pasimeta.errors import doubt
from pasimeta.synthesis.inverse_variance import pool
from pasimeta.synthesis.results import PooledResult

_RESPONSES = ("estimate", "ci_lower", "ci_upper", "pi_lower", "pi_upper")


def pool_counts(
    measure: str,
    *,
    events: ArrayLike | None = None,
    n: ArrayLike | None = None,
    events1: ArrayLike | None = None,
    n1: ArrayLike | None = None,
    events2: ArrayLike | None = None,
    n2: ArrayLike | None = None,
    method: str = "REML",
    test: str = "adhoc",
    level: float = 0.95,
    prediction: str | None = None,
    seed: int | np.random.Generator | None = 0,
) -> PooledResult:
    """Pool event counts: effect sizes by :func:`~pasimeta.effects.escalc`, then :func:`pool`, then back.

    Parameters
    ----------
    measure : str
        PR PLN PLO PAS PFT (``events``, ``n``) or OR RR RD (``events1``, ``n1``, ``events2``, ``n2``).
    events, n, events1, n1, events2, n2 : array_like, shape (k,) or (k, d)
        Counts of k studies (of d data sets).
    method, test, level, prediction, seed
        As in :func:`pool`.

    Returns
    -------
    PooledResult
        With the ``response_*`` fields filled: a proportion (not clamped for PR and PLN), a ratio (OR, RR) or a
        difference (RD).

    Raises
    ------
    PasimetaError
        For counts that can't be (the message names the row) or unknown options.

    Warns
    -----
    PasimetaWarning
        As :func:`pool`; also where 1/2 had to be added to empty cells, where a limit leaves [0, 1], and where a
        Freeman-Tukey estimate comes back outside the range of the studies' rates.
    """
    counts = {"events": events, "n": n, "events1": events1, "n1": n1, "events2": events2, "n2": n2}
    yi, vi = escalc(measure, **counts)
    result = pool(yi, vi, method, test, level, prediction, seed=seed)
    given = {name: np.asarray(values, dtype=float) for name, values in counts.items() if values is not None}
    responses = _responses(measure, result, given.get("n"))
    doubts = _corrected(measure, given) + _out_of_range(measure, responses, given)
    fields = {f"response_{name}": value for name, value in responses.items()}
    return replace(
        result,
        measure=measure,
        warnings=result.warnings + tuple(doubt(text, stacklevel=4) for text in doubts),
        **fields,
    )


def _responses(measure: str, result: PooledResult, n: Any) -> dict[str, Any]:
    values = {name: getattr(result, name) for name in _RESPONSES}
    return {name: None if value is None else _response(measure, value, n) for name, value in values.items()}


def _response(measure: str, value: Any, n: Any) -> Any:
    if measure != "PFT" or np.ndim(value) == 0:
        transformed = back_transform(measure, value, n)
        return float(transformed) if transformed.ndim == 0 else transformed
    return np.array([float(back_transform(measure, one, sizes)) for one, sizes in zip(value, n.T, strict=True)])


def _corrected(measure: str, given: dict[str, Any]) -> list[str]:
    if measure in ("PAS", "PFT"):
        return []
    pairs = [("events", "n")] if measure in PROPORTION_MEASURES else [("events1", "n1"), ("events2", "n2")]
    empty = np.any([(given[e] == 0) | (given[e] == given[n]) for e, n in pairs], axis=0)
    if not empty.any():
        return []
    where = f"{int(empty.sum())} of {empty.size} studies"
    return [f"1/2 was added to the cells of {where} with an empty cell: the result leans on it; compare an exact model"]


def _out_of_range(measure: str, responses: dict[str, Any], given: dict[str, Any]) -> list[str]:
    if measure in ("PR", "PLN"):
        limits = [np.asarray(value) for value in responses.values() if value is not None]
        if any(((limit < 0) | (limit > 1)).any() for limit in limits):
            return [
                f"{measure}: a limit lies outside [0, 1], where the normal approximation fails; use another measure"
            ]
    if measure == "PFT":
        rates = given["events"] / given["n"]
        estimate = np.asarray(responses["estimate"])
        if ((estimate < rates.min(axis=0) - 1e-12) | (estimate > rates.max(axis=0) + 1e-12)).any():
            return ["PFT: the back-transformed rate lies outside the range of the studies' own; use another measure"]
    return []
