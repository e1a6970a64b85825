"""Priors of a Bayesian synthesis: families, densities, and how heavy their tails are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import gammaln

from pasimeta.effects.validation import Array, check_choice
from pasimeta.errors import PasimetaError

FAMILIES = ("half_normal", "half_cauchy", "half_t", "uniform")


@dataclass(frozen=True, slots=True)
class TauPrior:
    """Prior of the between-study standard deviation.

    Attributes
    ----------
    family : str
        One of ``FAMILIES``.
    scale : float
        Scale parameter; the upper end of a uniform prior, infinite for the improper one.
    df : float or None
        Degrees of freedom of a half-t.
    """

    family: str
    scale: float
    df: float | None = None

    @property
    def is_improper(self) -> bool:
        """Whether it doesn't integrate to one."""
        return bool(np.isinf(self.scale))

    @property
    def tail(self) -> float:
        """The power with which the density falls for large tau: ``tau ** -tail``."""
        if self.family == "half_t" and self.df is not None:
            return self.df + 1
        return {"half_cauchy": 2.0, "uniform": 0.0 if self.is_improper else np.inf}.get(self.family, np.inf)

    def log_density(self, tau: Array) -> Array:
        """Logarithm of the density at each ``tau`` >= 0; of 1 for the improper prior."""
        u = tau / self.scale
        if self.family == "half_normal":
            return 0.5 * np.log(2 / np.pi) - np.log(self.scale) - 0.5 * u * u
        if self.family == "uniform":
            return np.full(tau.shape, 0.0 if self.is_improper else -np.log(self.scale))
        df = 1.0 if self.df is None else self.df
        constant = np.log(2.0) + gammaln((df + 1) / 2) - gammaln(df / 2) - 0.5 * np.log(df * np.pi)
        return constant - np.log(self.scale) - (df + 1) / 2 * np.log1p(u * u / df)


def check_tau_prior(tau_prior: Sequence[Any]) -> TauPrior:
    """Read ``("half_normal", scale)``, ``("half_cauchy", scale)``, ``("half_t", scale, df)`` or ``("uniform", upper)``.

    Raises
    ------
    PasimetaError
        For an unknown family, a wrong number of parameters, or a scale that isn't positive.
    """
    if isinstance(tau_prior, str) or not isinstance(tau_prior, Sequence) or not tau_prior:
        raise PasimetaError(f'tau_prior: {tau_prior!r} is no prior; give a family and its scale, ("half_normal", 0.5)')
    family, *parameters = tau_prior
    check_choice("tau_prior", family, FAMILIES)
    wanted = ("scale", "df") if family == "half_t" else ("upper",) if family == "uniform" else ("scale",)
    if len(parameters) != len(wanted):
        raise PasimetaError(f"tau_prior: {family} takes {' and '.join(wanted)}, got {len(parameters)} value(s)")
    for name, value in zip(wanted, parameters, strict=True):
        finite = name == "upper" or (_is_number(value) and np.isfinite(value))
        if not (_is_number(value) and value > 0 and finite):
            raise PasimetaError(f"tau_prior: {name} {value!r} is not a positive number")
    return TauPrior(family, *(float(value) for value in parameters))


def check_mu_prior(mu_prior: Sequence[float] | None) -> tuple[float, float] | None:
    """Read ``(mean, sd)`` of a normal prior, or None for the flat one.

    Raises
    ------
    PasimetaError
        If it isn't two finite numbers, the second positive.
    """
    if mu_prior is None:
        return None
    pair = tuple(mu_prior) if isinstance(mu_prior, Sequence) and not isinstance(mu_prior, str) else ()
    if len(pair) != 2 or not all(_is_number(value) and np.isfinite(value) for value in pair) or pair[1] <= 0:
        raise PasimetaError(
            f"mu_prior: {mu_prior!r} is no prior; give (mean, sd) of a normal one, or None for a flat one"
        )
    return float(pair[0]), float(pair[1])


def first_panels(prior: TauPrior, scale: float, spread: float, reach: float) -> Array:
    """Edges in tau to start an adaptive quadrature from: doubling from a fraction of ``scale`` to the prior's reach.

    Parameters
    ----------
    prior : TauPrior
    scale : float
        The smallest between-study standard deviation that the data could tell from 0.
    spread : float
        How far the studies lie apart: a tau this large is no surprise.
    reach : float
        Where to stop under a heavy-tailed prior, as a multiple of the largest of the scales.
    """
    finite = prior.scale if np.isfinite(prior.scale) else scale
    if prior.family == "uniform" and not prior.is_improper:
        end = prior.scale
    elif prior.family == "half_normal":
        end = 12 * (prior.scale + spread)
    else:
        end = reach * max(finite, scale, spread)
    smallest = min(scale, end) / 4
    doublings = int(np.ceil(np.log2(end / smallest)))
    return np.append(0.0, np.minimum(smallest * 2.0 ** np.arange(doublings + 1), end))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
