"""Back from the analysis scale to the scale a clinician reads: a proportion, or a ratio."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from pasimeta.effects.proportions import PROPORTION_MEASURES, double_arcsine
from pasimeta.effects.two_arm import TWO_ARM_MEASURES
from pasimeta.effects.validation import Array, as_numbers, check_choice
from pasimeta.errors import PasimetaError

_RIGHT_ANGLE = 0.5 * np.pi


def back_transform(measure: str, values: ArrayLike, n: ArrayLike | None = None) -> Array:
    """Return analysis-scale values on the response scale.

    Parameters
    ----------
    measure : str
        PLN and PLO and PAS and PFT give a proportion, OR and RR a ratio; PR and RD are returned as they are.
    values : array_like
        Estimates or interval limits on the analysis scale. Any shape, a scalar included.
    n : array_like, optional
        Group sizes behind a pooled PFT value (see :func:`freeman_tukey_inverse`); ignored by the others.

    Returns
    -------
    ndarray
        Of the shape of ``values``. A PR value and limit isn't clamped, nor is a PLN limit: one outside [0, 1] shows
        that the normal approximation fails, which hiding would not mend.

    Raises
    ------
    PasimetaError
        For an unknown measure, or PFT without group sizes.
    """
    check_choice("measure", measure, PROPORTION_MEASURES + TWO_ARM_MEASURES)
    numbers = np.asarray(values, dtype=float)
    if measure in ("PLN", "OR", "RR"):
        return np.exp(numbers)
    if measure == "PLO":
        return np.asarray(expit(numbers))
    if measure == "PAS":
        return arcsine_inverse(numbers)
    if measure == "PFT":
        if n is None:
            raise PasimetaError("n: the Freeman-Tukey back-transformation needs the group sizes; give n")
        return freeman_tukey_inverse(numbers, n)
    return numbers


def arcsine_inverse(values: ArrayLike) -> Array:
    """Return ``sin(x)**2``, with values beyond [0, pi/2] taken to the nearer end, so that limits stay in order."""
    return np.sin(np.clip(np.asarray(values, dtype=float), 0.0, _RIGHT_ANGLE)) ** 2


def freeman_tukey_inverse(values: ArrayLike, n: ArrayLike) -> Array:
    """Return the proportion whose Freeman-Tukey double arcsine is each value, at the harmonic mean of ``n``.

    Parameters
    ----------
    values : array_like
        Pooled double arcsines, any shape.
    n : array_like, shape (k,)
        Group sizes of the pooled studies; for a single study's own value give its own size.

    Returns
    -------
    ndarray
        Proportions in [0, 1]; values beyond the transform of 0 or 1 go to 0 or 1.

    Notes
    -----
    **Known defect.** Unlike every other back-transformation this one depends on a sample size, and a pooled value has
    none. Miller (1978) proposed the harmonic mean of the studies' sizes, which is ruled by the smallest study: where
    sizes differ by orders of magnitude the pooled rate can come out as 0, or outside the range of the rates pooled.
    Schwarzer et al. (2019) show with five studies how seriously misleading it can be. Report another measure
    beside it; for few and small studies prefer the binomial-normal model.

    References
    ----------
    Miller JJ. The inverse of the Freeman-Tukey double arcsine transformation. Am Stat 1978;32:138.
    Schwarzer G, Chemaitelly H, Abu-Raddad LJ, Rücker G. Seriously misleading results using inverse of Freeman-Tukey
    double arcsine transformation in meta-analysis of single proportions. Res Synth Methods 2019;10:476-483.
    """
    numbers = np.asarray(values, dtype=float)
    size = harmonic_mean(n)
    smallest, largest = double_arcsine(np.zeros(1), size)[0], double_arcsine(np.full(1, size), size)[0]
    inside = (numbers > smallest) & (numbers < largest)
    doubled = 2.0 * np.where(inside, numbers, 0.5 * (smallest + largest))
    sine = np.sin(doubled)
    root = np.sqrt(np.maximum(1.0 - (sine + (sine - 1.0 / sine) / size) ** 2, 0.0))
    rates = 0.5 * (1.0 - np.sign(np.cos(doubled)) * root)
    return np.where(inside, rates, (numbers >= largest).astype(float))


def harmonic_mean(n: ArrayLike) -> float:
    """Return the harmonic mean of group sizes.

    Raises
    ------
    PasimetaError
        If a size isn't a positive number.
    """
    sizes = as_numbers("n", n)
    if (sizes <= 0).any():
        raise PasimetaError(f"n, row {int(np.argmax(sizes <= 0)) + 1}: a group size must be positive; drop the study")
    return float(1.0 / np.mean(1.0 / sizes))
