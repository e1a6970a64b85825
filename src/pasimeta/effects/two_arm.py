"""Two arms compared: log odds ratio, log risk ratio, risk difference."""

from __future__ import annotations

import numpy as np

from pasimeta.effects.validation import Array

TWO_ARM_MEASURES = ("OR", "RR", "RD")


def two_arm_effects(measure: str, events1: Array, n1: Array, events2: Array, n2: Array) -> tuple[Array, Array]:
    """Return the log odds ratio, log risk ratio or risk difference of arm 1 against arm 2, and its sampling variance.

    Parameters
    ----------
    measure : str
        One of :data:`TWO_ARM_MEASURES`.
    events1, n1, events2, n2 : ndarray
        Checked counts.

    Returns
    -------
    yi, vi : ndarray
        All four cells of a study are raised by 1/2 where any of them is zero.
    """
    cells = np.stack([events1, n1 - events1, events2, n2 - events2])
    a, b, c, d = cells + 0.5 * (cells == 0).any(axis=0)
    if measure == "OR":
        return np.log(a * d / (b * c)), 1 / a + 1 / b + 1 / c + 1 / d
    size1, size2 = a + b, c + d
    if measure == "RR":
        return np.log(a * size2 / (c * size1)), b / (a * size1) + d / (c * size2)
    return a / size1 - c / size2, a * b / size1**3 + c * d / size2**3
