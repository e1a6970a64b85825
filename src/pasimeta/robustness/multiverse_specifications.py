"""Specifications: which data sets meet which analyses, which pairs are drawn, and which are one and the same fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pasimeta.effects.validation import Array
from pasimeta.errors import PasimetaError
from pasimeta.robustness.multiverse_analyses import ANALYSIS_CHOICES, Analysis
from pasimeta.robustness.multiverse_data import DATA_CHOICES, DataSet
from pasimeta.robustness.multiverse_fits import RESULTS, Counts


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Specifications:
    """Pairs of a data set and an analysis.

    Attributes
    ----------
    data : sequence of DataSet
    analyses : sequence of Analysis
    data_index, analysis_index : ndarray of int, shape (specifications,)
        Which of them each specification is made of.
    possible : int
        Pairs there are, drawn or not.
    """

    data: Sequence[DataSet]
    analyses: Sequence[Analysis]
    data_index: np.ndarray
    analysis_index: np.ndarray
    possible: int

    def __len__(self) -> int:
        """Pairs drawn."""
        return len(self.data_index)

    def distinct_fits(self) -> tuple[list[tuple[Counts, Analysis]], np.ndarray]:
        """What is to be fitted, each once, and which of it belongs to each specification."""
        keys = list(dict.fromkeys(each.key for each in self.data))
        number = {key: i for i, key in enumerate(keys)}
        key_index = np.array([number[each.key] for each in self.data])
        size = len(self.analyses)
        codes, fit = np.unique(key_index[self.data_index] * size + self.analysis_index, return_inverse=True)
        return [(keys[code // size], self.analyses[code % size]) for code in codes.tolist()], fit

    def frame(self, fit: np.ndarray, values: Array) -> pd.DataFrame:
        """One row a specification: its choices, its counts, and the results of its fit.

        Parameters
        ----------
        fit : ndarray of int, shape (specifications,)
            As from :meth:`distinct_fits`.
        values : ndarray, shape (5, fits)
            Rows as in ``RESULTS``.
        """
        columns: dict[str, object] = {}
        for position, name in enumerate(DATA_CHOICES):
            columns[name] = _categories([each.choices[position] for each in self.data], self.data_index)
        for position, name in enumerate(ANALYSIS_CHOICES):
            columns[name] = _categories([each.choices[position] for each in self.analyses], self.analysis_index)
        columns["studies"] = _categories([" ".join(each.studies) for each in self.data], self.data_index)
        counts: Mapping[str, list[int]] = {
            "k": [len(each.n) for each in self.data],
            "events": [sum(each.events) for each in self.data],
            "n": [sum(each.n) for each in self.data],
        }
        columns |= {name: np.array(numbers)[self.data_index] for name, numbers in counts.items()}
        columns |= {name: values[row][fit] for row, name in enumerate(RESULTS)}
        return pd.DataFrame({**columns, "fit": fit})


def specifications(
    data: Sequence[DataSet], analyses: Sequence[Analysis], *, cap: int | None, seed: int
) -> Specifications:
    """Pair every data set with every analysis that has an answer for it, or draw some of the pairs.

    Parameters
    ----------
    data : sequence of DataSet
    analyses : sequence of Analysis
    cap : int or None
        Most pairs; of more, so many are drawn at random without replacement.
    seed : int
        Of that draw.

    Raises
    ------
    PasimetaError
        For no pair at all, or a cap below 1.
    """
    if cap is not None and (isinstance(cap, bool) or cap < 1):
        raise PasimetaError(f"cap: {cap!r} specifications are none; give at least 1, or leave it out for all")
    # responders alone, or none, leave no posterior under a flat prior: there is no such specification
    proper = np.array([i for i, each in enumerate(analyses) if not each.is_flat], dtype=int)
    one_sided = np.array([sum(each.events) in (0, sum(each.n)) for each in data], dtype=bool)
    starts = np.concatenate([[0], np.cumsum(np.where(one_sided, len(proper), len(analyses)))]).astype(int)
    possible = int(starts[-1])
    if possible == 0:
        raise PasimetaError("multiverse: no study counts a response under any of the choices; widen them")
    chosen = _drawn(possible, cap, seed)
    data_index = np.searchsorted(starts, chosen, side="right") - 1
    analysis_index = chosen - starts[data_index]
    among_proper = one_sided[data_index]
    analysis_index[among_proper] = proper[analysis_index[among_proper]]
    return Specifications(
        data=data, analyses=analyses, data_index=data_index, analysis_index=analysis_index, possible=possible
    )


def _drawn(possible: int, cap: int | None, seed: int) -> np.ndarray:
    if cap is None or cap >= possible:
        return np.arange(possible)
    return np.sort(np.random.default_rng(seed).choice(possible, size=cap, replace=False, shuffle=False))


def _categories(values: Sequence[str], index: np.ndarray) -> pd.Categorical:
    names = list(dict.fromkeys(values))
    number = {name: code for code, name in enumerate(names)}
    return pd.Categorical.from_codes(np.array([number[value] for value in values])[index], categories=names)
