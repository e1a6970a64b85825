"""Single-group rates on the scales on which they are pooled: raw, log, logit, arcsine, double arcsine."""

from __future__ import annotations

import numpy as np

from pasimeta.effects.validation import Array

PROPORTION_MEASURES = ("PR", "PLN", "PLO", "PAS", "PFT")


def proportion_effects(measure: str, events: Array, n: Array) -> tuple[Array, Array]:
    """Return the transformed rate and its sampling variance.

    Parameters
    ----------
    measure : str
        One of :data:`PROPORTION_MEASURES`.
    events, n : ndarray
        Checked counts.

    Returns
    -------
    yi, vi : ndarray
        Of the shape of ``events``. PR, PLN and PLO add 1/2 to the events and to the non-events of a study in which
        either is zero; PAS and PFT exist without it.

    References
    ----------
    Freeman MF, Tukey JW. Transformations related to the angular and the square root. Ann Math Stat 1950;21:607-611.
    """
    if measure == "PAS":
        return np.arcsin(np.sqrt(events / n)), 1.0 / (4.0 * n)
    if measure == "PFT":
        return double_arcsine(events, n), 1.0 / (4.0 * n + 2.0)
    half = 0.5 * ((events == 0) | (events == n))
    cases, others, size = events + half, n - events + half, n + 2.0 * half
    if measure == "PR":
        return cases / size, cases * others / size**3
    if measure == "PLN":
        return np.log(cases / size), others / (cases * size)
    return np.log(cases / others), 1.0 / cases + 1.0 / others


def double_arcsine(events: Array, n: Array | float) -> Array:
    """Return Freeman and Tukey's double arcsine, halved so that it lies on the scale of ``arcsin(sqrt(p))``."""
    return 0.5 * (np.arcsin(np.sqrt(events / (n + 1.0))) + np.arcsin(np.sqrt((events + 1.0) / (n + 1.0))))
