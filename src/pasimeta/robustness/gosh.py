"""GOSH: the pooled result of every subset of the studies, or of a random sample of subsets."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from pasimeta.effects.validation import Array
from pasimeta.errors import PasimetaError
from pasimeta.robustness.refits import one_data_set
from pasimeta.synthesis.heterogeneity import heterogeneity, i2_of
from pasimeta.synthesis.projection import intercept, projection_trace

#: Studies whose subsets can all be fitted (2**24 of them take minutes and some GiB), and that fit a 64-bit subset code.
_MOST_FOR_ALL, _MOST = 24, 63
_CHUNK = 2**17


def gosh(
    yi: ArrayLike,
    vi: ArrayLike,
    method: str = "REML",
    *,
    subsets: int | None = None,
    seed: int | np.random.Generator | None = 0,
) -> pd.DataFrame:
    """Pool every subset of the studies, single studies included.

    Parameters
    ----------
    yi, vi : array_like, shape (k,)
        Effect sizes and sampling variances.
    method : str
        As in :func:`pasimeta.synthesis.pool`.
    subsets : int, optional
        Draw this many subsets at random (each nonempty subset equally likely, with replacement) instead of all
        2**k - 1; ignored where there are no more than that.
    seed : int or Generator, optional
        Randomness of the draws; the default gives the same digits every time.

    Returns
    -------
    DataFrame
        One row a subset: ``subset`` (binary code: bit i is set where study i, counted from 0, is in), ``k``,
        ``estimate``, ``tau2``, ``i2`` (percent; both 0 for a single study).

    Raises
    ------
    PasimetaError
        For data or options that can't be; for all subsets of more than 24 studies; for more than 63 studies.

    References
    ----------
    Olkin I, Dahabreh IJ, Trikalinos TA. GOSH: a graphical display of study heterogeneity. Res Synth Methods
    2012;3:214-223.
    """
    effects, variances = one_data_set(yi, vi, method)
    codes = _codes(effects.size, subsets, seed)
    fits = np.empty((4, codes.size))
    for start in range(0, codes.size, _CHUNK):
        rows = slice(start, start + _CHUNK)
        for place, members in _by_size(codes[rows], effects.size):
            fits[:, start + place] = _fits(effects[members], variances[members], method)
    k, estimate, tau2, i2 = fits
    return pd.DataFrame({"subset": codes, "k": k.astype(np.int64), "estimate": estimate, "tau2": tau2, "i2": i2})


def _codes(k: int, subsets: int | None, seed: int | np.random.Generator | None) -> np.ndarray:
    if k > _MOST:
        raise PasimetaError(f"yi: {k} studies; subsets of at most {_MOST} can be coded, so leave some out")
    if subsets is not None and subsets < 1:
        raise PasimetaError(f"subsets: {subsets} is none; give a positive number, or leave it out for all subsets")
    if subsets is None or subsets >= 2**k - 1:
        if k > _MOST_FOR_ALL:
            raise PasimetaError(f"yi: {k} studies have 2**{k} - 1 subsets, too many to fit; give subsets=1_000_000")
        return np.arange(1, 2**k, dtype=np.int64)
    return np.random.default_rng(seed).integers(1, 2**k, size=subsets, dtype=np.int64)


def _by_size(codes: np.ndarray, k: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the subsets of each size: their places among ``codes``, and their members, one subset a column."""
    included = (codes[:, None] >> np.arange(k)) & 1 == 1
    sizes = included.sum(axis=1)
    for size in np.unique(sizes):
        place = np.flatnonzero(sizes == size)
        yield place, np.ascontiguousarray(np.nonzero(included[place])[1].reshape(-1, size).T)


def _fits(y: Array, v: Array, method: str) -> Array:
    """Return k, estimate, tau2 and I2 of every column, shape (4, d)."""
    from pasimeta.synthesis.estimators import fitted

    k, d = y.shape
    X = intercept(k)
    params = fitted(method, y, v, X)
    if k == 1:
        i2 = np.zeros(d)
    elif method == "EE":
        i2 = heterogeneity(y, v, X, params["tau2"], method).i2
    else:
        i2 = i2_of(params["tau2"], (k - 1) / projection_trace(v, X))
    return np.stack([np.full(d, float(k)), params["fe_params"][0], params["tau2"], i2])
