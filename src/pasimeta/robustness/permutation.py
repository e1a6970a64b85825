"""Sign-flip test of the pooled effect: exact, whatever the effects' distribution, as long as it is symmetric."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pasimeta.effects.validation import Array
from pasimeta.errors import PasimetaError, doubt
from pasimeta.robustness.refits import one_data_set
from pasimeta.synthesis.model import fit_model
from pasimeta.synthesis.projection import intercept

#: Statistics closer than this to the observed one count as equal to it, so that ties don't hang on rounding.
_TIE = 1e-10
_CHUNK = 2**14


@dataclass(frozen=True, kw_only=True, slots=True)
class PermutationResult:
    """A sign-flip test: observed statistic, its permutation p value, and how many sign patterns stand behind it.

    ``smallest_p_value`` is the least p value that k studies can give: with few studies it may exceed any level.
    """

    estimate: float
    statistic: float
    p_value: float
    smallest_p_value: float
    permutations: int
    exact: bool
    k: int
    method: str
    test: str
    warnings: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        names = ("k", "estimate", "statistic", "p_value", "smallest_p_value", "permutations", "exact", "method", "test")
        return pd.DataFrame({name: [getattr(self, name)] for name in names})


def permutation(
    yi: ArrayLike,
    vi: ArrayLike,
    method: str = "REML",
    test: str = "adhoc",
    *,
    permutations: int = 2**16,
    seed: int | np.random.Generator | None = 0,
) -> PermutationResult:
    """Test the pooled effect against zero by flipping the signs of the effects.

    Parameters
    ----------
    yi, vi : array_like, shape (k,)
        Effect sizes and sampling variances, k at least 2. Effects must be differences from no effect (a log ratio, a
        difference), not rates.
    method, test
        As in :func:`pasimeta.synthesis.pool`; they define the statistic.
    permutations : int
        Most sign patterns to spend: all 2**k if there are no more (exact), else as many drawn at random, the observed
        one included.
    seed : int or Generator, optional
        Randomness of the draws; the default gives the same digits every time.

    Returns
    -------
    PermutationResult

    Raises
    ------
    PasimetaError
        For data or options that can't be, or fewer than 2 studies.

    References
    ----------
    Follmann DA, Proschan MA. Valid inference in random effects meta-analysis. Biometrics 1999;55:732-737.
    """
    effects, variances = one_data_set(yi, vi, method, test, least=2)
    k = effects.size
    if permutations < 2:
        raise PasimetaError(f"permutations: {permutations} is too few; give at least 100")
    observed = fit_model(effects[:, None], variances[:, None], intercept(k), method, test, 0.95)
    statistic = float(observed.tested.statistic[0, 0])
    exact = 2**k <= permutations
    signs = _half_of_all(k) if exact else _drawn(k, permutations, seed)
    flipped = _statistics(effects, variances, signs, method, test)
    extreme = int((flipped >= abs(statistic) * (1.0 - _TIE)).sum())
    smallest = 2.0 ** (1 - k) if exact else 1.0 / permutations
    doubts = []
    if smallest > 0.05:
        doubts.append(f"{k} studies: no sign pattern can give a p value below {smallest:g}")
    return PermutationResult(
        estimate=float(observed.estimate[0, 0]),
        statistic=statistic,
        p_value=extreme / len(flipped),
        smallest_p_value=smallest,
        permutations=2 * len(flipped) if exact else len(flipped),
        exact=exact,
        k=k,
        method=method,
        test=test,
        warnings=tuple(doubt(text, stacklevel=4) for text in doubts),
    )


def _half_of_all(k: int) -> Array:
    """Return the sign patterns in which the first study keeps its sign, shape (k, 2**(k - 1)).

    The other half are their mirror images, with the same |statistic|: fitting them would only double the work.
    """
    flips = (np.arange(2 ** (k - 1)) >> np.arange(k - 1)[:, None]) & 1
    return np.vstack([np.ones(2 ** (k - 1)), 1.0 - 2.0 * flips])


def _drawn(k: int, permutations: int, seed: int | np.random.Generator | None) -> Array:
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(k, permutations))
    signs[:, 0] = 1.0
    return signs


def _statistics(effects: Array, variances: Array, signs: Array, method: str, test: str) -> Array:
    parts = []
    for start in range(0, signs.shape[1], _CHUNK):
        y = effects[:, None] * signs[:, start : start + _CHUNK]
        v = np.broadcast_to(variances[:, None], y.shape)
        parts.append(np.abs(fit_model(y, v, intercept(len(y)), method, test, 0.95).tested.statistic[0]))
    return np.concatenate(parts)
