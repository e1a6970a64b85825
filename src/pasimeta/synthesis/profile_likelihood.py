"""Profile likelihood of a location ``mu`` and a heterogeneity ``h >= 0``, for many data sets at once.

Everything here rests on one property of the models it serves: at fixed ``h`` the log-likelihood has a single maximum
in ``mu``. So the profile over ``h`` is scanned (it can have several maxima), while ``mu`` is found by a Newton
iteration that cannot go astray; and the profile interval of ``mu`` is the union over ``h`` of the slices where
the log-likelihood at fixed ``h`` exceeds the target, which no second maximum can fool.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pasimeta.effects.validation import Array
from pasimeta.synthesis.joint_newton import Limits, joint_newton
from pasimeta.synthesis.profile_limits import heterogeneity_limits, location_limits, maximum
from pasimeta.synthesis.profile_model import Likelihood, Profile, Subset, scan_profile, taken, with_maximum
from pasimeta.synthesis.roots import Columns


@dataclass(frozen=True, slots=True)
class ProfileFit:
    """Maximum and profile-likelihood intervals, arrays of shape (d,). Infinite limits are limits, not failures.

    ``profile`` holds the grid and the maximum itself, ascending in ``h``, arrays of shape (points + 1, d).
    """

    mu: Array
    h: Array
    log_likelihood: Array
    se: Array
    mu_lower: Array
    mu_upper: Array
    h_lower: Array
    h_upper: Array
    profile: Profile


def fit_profile(model: Likelihood, cut: float) -> ProfileFit:
    """Maximize the likelihood and invert the likelihood-ratio test.

    Parameters
    ----------
    model : Likelihood
        Data sets whose likelihood has a maximum at finite ``mu``.
    cut : float
        How far below its maximum the profile log-likelihood may fall: half a chi-squared(1) quantile.

    Returns
    -------
    ProfileFit
        ``h_upper`` is infinite where the profile stays above the target to the end of the grid.
    """
    scan = scan_profile(model, cut)
    found = joint_newton(model, scan, cut)
    odd = np.flatnonzero(~found.ok)
    if odd.size:
        _search(model, scan, cut, odd, found)
    top = found.top
    return ProfileFit(
        mu=top.mu,
        h=top.h,
        log_likelihood=top.value,
        se=_standard_error(top),
        mu_lower=found.mu_lower,
        mu_upper=found.mu_upper,
        h_lower=found.h_lower,
        h_upper=found.h_upper,
        profile=with_maximum(scan, top),
    )


def _search(model: Likelihood, scan: Profile, cut: float, odd: Columns, found: Limits) -> None:
    """Replace, in place, what didn't converge by what bracketed searches find."""
    rest, rows = Subset(model, odd), taken(scan, (slice(None), odd))
    top = maximum(rest, rows)
    grid = with_maximum(rows, top)
    h_limits = heterogeneity_limits(rest, grid, top, cut)
    mu_limits = location_limits(rest, grid, top, cut, *h_limits)
    for array, values in (
        *zip((found.mu_lower, found.mu_upper), mu_limits, strict=True),
        *zip((found.h_lower, found.h_upper), h_limits, strict=True),
        *((getattr(found.top, name), getattr(top, name)) for name in Profile.__slots__),
    ):
        array[odd] = values


def _standard_error(top: Profile) -> Array:
    """From the observed information in (mu, h); in mu alone where ``h`` is on the boundary."""
    joint = (top.h > 0) & (top.curvature < 0)
    inflation = np.where(joint, -(top.mu_slope**2) / np.where(joint, top.curvature, 1.0), 0.0)
    return np.sqrt(1 / top.information + inflation)
