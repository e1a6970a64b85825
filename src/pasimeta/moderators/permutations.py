"""Permutation test of a meta-regression: how often does a shuffled moderator fit as well?"""

from __future__ import annotations

from itertools import combinations
from math import factorial, prod
from typing import NamedTuple

import numpy as np

from pasimeta.effects.validation import Array
from pasimeta.errors import PasimetaError
from pasimeta.synthesis.model import ModelFit, fit_model, wald_statistic

#: Statistics closer than this to the observed one count as equal to it, so that ties don't hang on rounding.
_TIE = 1e-10
_BLOCK_COLUMNS = 2**13


class PermutationTest(NamedTuple):
    """Permutation p values: ``coefficients`` (p,), NaN for the intercept, and ``omnibus``."""

    coefficients: Array
    omnibus: float
    permutations: int
    exact: bool


def permutation_p_values(
    effects: Array,
    variances: Array,
    X: Array,
    method: str,
    test: str,
    permutations: int,
    seed: int | np.random.Generator | None,
) -> PermutationTest:
    """Return the share of permutations whose statistics are at least as extreme as the observed ones.

    Parameters
    ----------
    effects, variances : ndarray, shape (k,)
        Checked data.
    X : ndarray, shape (k, p)
        Design, intercept first.
    method, test : str
        As fitted.
    permutations : int
        Most permutations to fit.
    seed : int, Generator or None
        Randomness where not all are fitted.

    Returns
    -------
    PermutationTest

    Notes
    -----
    Permuting the moderators' rows against the effects is permuting the effects (with their variances) against the rows,
    so that all permutations share one design and are fitted at once. Studies with equal moderators are exchangeable;
    only distinct arrangements are enumerated.
    """
    if permutations < 2:
        raise PasimetaError(f"permutations: {permutations} is too few; give at least 100, or 0 for none")
    rows, label, sizes = np.unique(X, axis=0, return_inverse=True, return_counts=True)
    label = label.ravel()
    exact = factorial(len(X)) // prod(factorial(int(size)) for size in sizes) <= permutations
    order = arrangements(sizes) if exact else _drawn(label, permutations, np.random.default_rng(seed))
    sorted_X = rows[np.repeat(np.arange(len(rows)), sizes)]
    first = np.argsort(label, kind="stable")[:, None]
    observed = _statistics(fit_model(effects[first], variances[first], sorted_X, method, test, 0.95))
    counts = np.zeros(len(observed))
    for start in range(0, len(order), _BLOCK_COLUMNS):
        columns = order[start : start + _BLOCK_COLUMNS].T
        fit = fit_model(effects[columns], variances[columns], sorted_X, method, test, 0.95)
        counts += (_statistics(fit) >= observed * (1.0 - _TIE)).sum(axis=1)
    shares = counts / len(order)
    return PermutationTest(np.concatenate([[np.nan], shares[1:-1]]), float(shares[-1]), len(order), exact)


def arrangements(sizes: np.ndarray) -> np.ndarray:
    """Return every distinct way to deal studies into groups of the given sizes, one a row.

    Row entries are study indices, the first ``sizes[0]`` of them those of the first group, and so on.
    """
    k = int(sizes.sum())
    dealt, left = np.empty((1, 0), dtype=np.intp), np.arange(k)[None]
    for size in sizes:
        n = left.shape[1]
        chosen = np.array(list(combinations(range(n), int(size))), dtype=np.intp)
        others = np.ones((len(chosen), n), dtype=bool)
        others[np.arange(len(chosen))[:, None], chosen] = False
        rest = np.nonzero(others)[1].reshape(len(chosen), n - int(size))
        dealt = np.hstack([np.repeat(dealt, len(chosen), axis=0), left[:, chosen].reshape(-1, int(size))])
        left = left[:, rest].reshape(len(dealt), n - int(size))
    return dealt


def _drawn(label: np.ndarray, permutations: int, generator: np.random.Generator) -> np.ndarray:
    k = label.size
    shuffled = generator.permuted(np.tile(np.arange(k), (permutations - 1, 1)), axis=1)
    return np.vstack([np.argsort(label, kind="stable"), shuffled])


def _statistics(fit: ModelFit) -> Array:
    """Return |statistic| of every coefficient and, last, of the omnibus test: shape (p + 1, d)."""
    return np.vstack([np.abs(fit.tested.statistic), wald_statistic(fit)])
