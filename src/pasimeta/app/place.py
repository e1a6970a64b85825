"""Where an estimate stands among all defensible specifications."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pasimeta.effects.validation import Array

_SLACK = 1e-9  # two ways to the same number differ in the last digits


@dataclass(frozen=True, slots=True)
class Place:
    """Shares of specifications whose estimate is lower.

    Attributes
    ----------
    specifications : int
        At this threshold.
    share_lower, share_upper : float
        Of them with an estimate below the lowest, and below the highest, of the state's estimates, in [0, 1]. Equal
        estimates count half.
    """

    specifications: int
    share_lower: float
    share_upper: float


def place(estimates: Array, lower: float, upper: float) -> Place:
    """Find the place of a range of estimates.

    Parameters
    ----------
    estimates : ndarray, shape (specifications,)
        Ascending.
    lower, upper : float
        On the same scale.
    """
    return Place(len(estimates), _share_below(estimates, lower), _share_below(estimates, upper))


def _share_below(estimates: Array, value: float) -> float:
    below = np.searchsorted(estimates, value - _SLACK)
    not_above = np.searchsorted(estimates, value + _SLACK)
    return float(below + not_above) / 2 / len(estimates) if len(estimates) else float("nan")
