"""The scale on which improvement is latent: its distribution function, density, and the density's slope."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri

from pasimeta.effects.validation import Array, check_choice

_SQRT_2PI = float(np.sqrt(2 * np.pi))
TINY = 1e-300  # a probability below this is one that no data set can tell from it


@dataclass(frozen=True, slots=True)
class Link:
    """A symmetric latent distribution.

    Attributes
    ----------
    name : str
        ``probit`` (normal) or ``logit`` (logistic).
    cdf, quantile, density : callable
        Of the standard latent distribution, elementwise.
    """

    name: str
    cdf: Callable[[Array], Array]
    quantile: Callable[[Array], Array]
    density: Callable[[Array], Array]


def _normal_density(x: Array) -> Array:
    return np.exp(-0.5 * x * x) / _SQRT_2PI


def _logistic_density(x: Array) -> Array:
    return expit(x) * expit(-x)


LINKS = {
    "probit": Link("probit", ndtr, ndtri, _normal_density),
    "logit": Link("logit", expit, logit, _logistic_density),
}


def check_link(link: str) -> Link:
    """Return the link of that name.

    Raises
    ------
    PasimetaError
        Naming the links there are.
    """
    return LINKS[check_choice("link", link, tuple(LINKS))]
