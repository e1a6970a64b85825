"""Pool response counts under a named model, one threshold or several."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pasimeta.effects.validation import Array, check_choice
from pasimeta.synthesis.interval_counts import Fit, IntervalPooledResult, pool_interval_counts
from pasimeta.synthesis.results import PooledResult

SCALES = {"PLO": "logit", "PAS": "arcsine", "PFT": "Freeman-Tukey", "PLN": "log", "PR": "raw proportion"}
TESTS = {"z": "normal interval", "adhoc": "floored Knapp-Hartung"}
MODELS = ("binomial_normal", "beta_binomial", "common", "inverse_variance")


@dataclass(frozen=True, slots=True)
class ThresholdPool:
    """The pooled response at one threshold, beside the counts it rests on.

    Attributes
    ----------
    threshold : int
        Percent improvement of PASI.
    counts : DataFrame
        One row a study, as selected.
    result : IntervalPooledResult or None
        ``None`` if no study counts.
    """

    threshold: int
    counts: pd.DataFrame
    result: IntervalPooledResult | None

    @property
    def k(self) -> int:
        """Number of studies."""
        return len(self.counts)

    def to_frame(self) -> pd.DataFrame:
        """One row; a threshold without studies has ``k`` = 0 and nothing else."""
        if self.result is None:
            return pd.DataFrame([{"threshold": self.threshold, "k": 0, "studies": "", "n": 0}])
        table = self.result.to_frame()
        table.insert(0, "threshold", self.threshold)
        table.insert(2, "studies", " ".join(self.counts["study"]))
        return table


def model_fit(
    model: str, *, measure: str = "PLO", method: str = "REML", test: str = "adhoc", level: float = 0.95
) -> Fit:
    """Return the function that fits a model to ``events`` and ``n``.

    Parameters
    ----------
    model : {"binomial_normal", "beta_binomial", "common", "inverse_variance"}
    measure, method, test : str
        Scale, tau2 estimator and test; they matter to ``inverse_variance`` alone.
    level : float
        Level of the intervals.

    Raises
    ------
    PasimetaError
        For an unknown model.
    """
    from pasimeta import synthesis

    check_choice("model", model, MODELS)

    def inverse_variance(events: Array, n: Array) -> PooledResult:
        return synthesis.pool_counts(measure, events=events, n=n, method=method, test=test, level=level)

    def exact(events: Array, n: Array) -> PooledResult:
        return synthesis.pool_binomial(events, n, model=model, level=level)

    return inverse_variance if model == "inverse_variance" else exact


def pool_response(threshold: int, counts: pd.DataFrame, fit: Fit) -> ThresholdPool:
    """Pool the counts of one threshold; interval counts are filled in every possible way.

    Parameters
    ----------
    threshold : int
        Percent improvement of PASI.
    counts : DataFrame
        Columns ``study``, ``events_lower``, ``events_upper``, ``n``.
    fit : callable
        From :func:`model_fit`.
    """
    if counts.empty:
        return ThresholdPool(threshold, counts, None)
    lower, upper, n = (counts[column].to_numpy(np.float64) for column in ("events_lower", "events_upper", "n"))
    return ThresholdPool(threshold, counts, pool_interval_counts(lower, upper, n, fit))


def pool_models(threshold: int, counts: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Pool the same counts under every model offered.

    Returns
    -------
    DataFrame
        One row a model: ``model`` in words, then the columns of :meth:`IntervalPooledResult.to_frame`. Empty if no
        study counts.
    """
    tables = []
    for words, options in _specifications():
        pool = pool_response(threshold, counts, model_fit(**options, level=level))
        if pool.result is not None:
            table = pool.result.to_frame()
            table.insert(0, "model", words)
            tables.append(table)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["model"])


def _specifications() -> list[tuple[str, dict[str, str]]]:
    exact = [(model.replace("_", "-"), {"model": model}) for model in MODELS if model != "inverse_variance"]
    approximate = [
        (
            f"{SCALES[measure]}, {method}, {TESTS[test]}",
            {"model": "inverse_variance", "measure": measure, "method": method, "test": test},
        )
        for measure in SCALES
        for method, test in (("DL", "z"), ("REML", "adhoc"))
    ]
    return exact + approximate
