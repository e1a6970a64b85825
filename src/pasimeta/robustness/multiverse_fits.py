"""Specifications fitted together: whatever shares a model and a number of studies goes through one vectorized call.

A block holds all a fit needs and nothing else, so that it can be fitted here or on another machine with the same
digits: where it runs decides nothing but when it is done.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from pasimeta.effects import back_transform, escalc
from pasimeta.effects.validation import Array
from pasimeta.errors import PasimetaWarning
from pasimeta.robustness.multiverse_analyses import Analysis
from pasimeta.robustness.multiverse_bayes import bayes_columns, patient_class
from pasimeta.synthesis.exact_binomial import pool_binomial
from pasimeta.synthesis.inverse_variance import pool

RESULTS = ("estimate", "ci_lower", "ci_upper", "pi_lower", "pi_upper")
Counts = tuple[tuple[int, ...], tuple[int, ...]]
#: Fits in one block: enough to make a call worth while, few enough to share out and to report progress by.
_COLUMNS = {"inverse_variance": 4096, "bayes": 512, "common": 4096}
_COLUMNS_EXACT = 128


@dataclass(frozen=True, slots=True)
class Block:
    """Fits that share their model, options and number of studies.

    Attributes
    ----------
    analysis : Analysis
        Its ``measure`` is that of the columns where these differ: see ``measures``.
    measures : tuple of str
        Measure of each column of an inverse-variance block; empty for other models.
    events, n : ndarray, shape (k, d)
        Counts; n = 0 fills up a Bayesian data set of fewer studies.
    level : float
        Of the intervals.
    places : ndarray of int, shape (d,)
        Where the results belong among all fits.
    """

    analysis: Analysis
    measures: tuple[str, ...]
    events: Array
    n: Array
    level: float
    places: np.ndarray


def blocks(fits: Sequence[tuple[Counts, Analysis]], level: float) -> list[Block]:
    """Group fits into blocks; the same fits give the same blocks, whatever happens to them next.

    Parameters
    ----------
    fits : sequence of (counts, Analysis)
        ``counts`` is (events, n) of the studies.
    level : float
        Of the intervals.
    """
    groups: dict[tuple[object, ...], list[int]] = {}
    for place, ((events, n), analysis) in enumerate(fits):
        # scales differ in their effect sizes, not in how these are pooled: they share a call
        shared = (analysis.model, analysis.method, analysis.test, analysis.prediction)
        own = (analysis.tau_prior, analysis.mu_prior)
        # the Bayesian grid takes data sets of any number of studies, and the more it takes the less each costs
        size = -patient_class(sum(n)) if analysis.model == "bayes" else len(events)
        groups.setdefault((size, *shared, *own), []).append(place)
    return [block for places in groups.values() for block in _sized(places, fits, level)]


def fitted_block(block: Block) -> Array:
    """Fit every column: rates, shape (5, d), rows as in ``RESULTS``; NaN where a limit doesn't exist."""
    with warnings.catch_warnings():
        # the doubts of thousands of fits on the same few studies say one thing: there are few studies
        warnings.simplefilter("ignore", PasimetaWarning)
        if block.analysis.model == "inverse_variance":
            return _inverse_variance(block)
        if block.analysis.model == "bayes":
            return _bayes(block)
        return _exact(block)


def _sized(places: Sequence[int], fits: Sequence[tuple[Counts, Analysis]], level: float) -> Iterator[Block]:
    model = fits[places[0]][1].model
    most = _COLUMNS.get(model, _COLUMNS_EXACT)
    for first in range(0, len(places), most):
        chosen = places[first : first + most]
        k = max(len(fits[i][0][0]) for i in chosen)
        counts = np.array([[side + (0,) * (k - len(side)) for side in fits[i][0]] for i in chosen], dtype=float)
        measures = tuple(fits[i][1].measure or "" for i in chosen) if model == "inverse_variance" else ()
        events, n = counts[:, 0].T.copy(), counts[:, 1].T.copy()
        yield Block(fits[chosen[0]][1], measures, events, n, level, np.array(chosen))


def _inverse_variance(block: Block) -> Array:
    yi, vi = np.empty(block.events.shape), np.empty(block.events.shape)
    columns = {
        measure: np.flatnonzero(np.array(block.measures) == measure) for measure in dict.fromkeys(block.measures)
    }
    for measure, at in columns.items():
        yi[:, at], vi[:, at] = escalc(measure, events=block.events[:, at], n=block.n[:, at])
    options = block.analysis
    assert options.method is not None
    assert options.test is not None
    result = pool(yi, vi, options.method, options.test, block.level, options.prediction)
    d = len(block.measures)
    found = np.full((len(RESULTS), d), np.nan)
    for row, name in enumerate(RESULTS):
        values = getattr(result, name)
        if values is not None:
            found[row] = values
    for measure, at in columns.items():
        found[:, at] = _responses(measure, found[:, at], block.n[:, at])
    return found


def _responses(measure: str, values: Array, n: Array) -> Array:
    if measure != "PFT":
        return back_transform(measure, values)
    # its way back depends on the sizes alone, which most data sets share
    sizes, which = np.unique(n.T, axis=0, return_inverse=True)
    rates = np.full(values.shape, np.nan)
    for i, each in enumerate(sizes):
        at = np.flatnonzero(which.ravel() == i)
        exists = np.isfinite(values[:, at])
        rates[:, at] = np.where(exists, back_transform("PFT", np.where(exists, values[:, at], 0.0), each), np.nan)
    return rates


def _exact(block: Block) -> Array:
    result = pool_binomial(block.events, block.n, block.analysis.model, block.level)
    found = np.full((len(RESULTS), block.events.shape[1]), np.nan)
    for row, name in enumerate(RESULTS):
        values = getattr(result, name)
        if values is not None:
            found[row] = expit(values)
    return found


def _bayes(block: Block) -> Array:
    tau, mu = block.analysis.tau_prior, block.analysis.mu_prior
    assert tau is not None
    summaries = bayes_columns(block.events, block.n, tau, mu, block.level)
    return np.stack([summaries[name] for name in RESULTS])
